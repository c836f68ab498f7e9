from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from dreamer.ascent import parametrizations
from dreamer.ascent.parametrizations import cosine, fourier, frequencies, maco, pixels, spectrum_of

SIZES = [(16, 16), (17, 23), (24, 17), (5, 8), (37, 53)]


def rendered(made, values):
    return ops.convert_to_numpy(made.render(ops.convert_to_tensor(values)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", [pixels, fourier, cosine])
def test_what_is_encoded_is_rendered_again(make, size):
    pictures = np.random.default_rng(0).uniform(0.05, 0.95, (2, *size, 3)).astype(np.float32)
    made = make(size)
    assert rendered(made, made.encode(pictures)) == pytest.approx(pictures, abs=2e-5)


@pytest.mark.parametrize("make", [pixels, fourier, cosine, maco])
def test_black_and_white_stay_within_the_range(make):
    made = make((16, 16))
    found = rendered(made, made.encode(np.stack([np.zeros((16, 16, 3)), np.ones((16, 16, 3))]).astype(np.float32)))
    assert np.isfinite(found).all()
    assert (found.min(), found.max()) >= (0, 0)
    assert found.max() <= 1


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", [pixels, fourier, cosine, maco])
def test_first_pictures_are_the_same_for_the_same_seed_and_not_flat(make, size):
    made = make(size)
    first, same = (made.draw(np.random.default_rng(4), 2) for _ in range(2))
    assert first.tobytes() == same.tobytes()
    assert first.dtype == np.float32
    pictures = rendered(made, first)
    assert pictures.shape == (2, *size, 3)
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    assert pictures.std() > 0.01
    assert np.abs(pictures[0] - pictures[1]).mean() > 0.01


@pytest.mark.parametrize("size", SIZES)
def test_the_inverse_transform_is_that_of_numpy(size):
    rng = np.random.default_rng(1)
    real, imaginary = rng.normal(size=(2, 2, size[0], size[1] // 2 + 1, 3)).astype(np.float32)
    found = parametrizations._inverse(ops.convert_to_tensor(real), ops.convert_to_tensor(imaginary), size)
    expected = np.fft.irfft2(real + 1j * imaginary, s=size, axes=(1, 2))
    assert ops.convert_to_numpy(found) == pytest.approx(expected, abs=1e-5)


def test_slow_waves_count_more():
    made = fourier((32, 48))
    values = np.zeros((2, 2, 32, 25, 3), np.float32)
    values[0, 0, 0, 1, 0] = values[1, 0, 0, 12, 0] = 0.1
    slow, fast = rendered(made, values)
    assert slow.std() > 8 * fast.std()


def test_edges_of_cosine_waves_are_not_glued():
    """A ramp is made of few slow cosines; in Fourier waves it needs a jump from one edge to the other."""
    ramp = np.broadcast_to(np.linspace(0.1, 0.9, 64, dtype=np.float32)[None, None, :, None], (1, 48, 64, 3))
    slow = 0.1  # Waves per pixel.
    standing = [np.arange(length) / (2 * length) <= slow for length in (48, 64)]
    turning = [np.abs(np.fft.fftfreq(48)) <= slow, np.fft.rfftfreq(64) <= slow]
    errors = []
    for make, (rows, columns) in ((cosine, standing), (fourier, turning)):
        made = make((48, 64))
        coarse = rendered(made, made.encode(ramp) * (rows[:, None] & columns)[..., None].astype(np.float32))
        errors.append(np.abs(coarse - ramp).max())
    assert errors[0] < 0.02
    assert errors[1] > 0.2


def test_waves_of_both_kinds_begin_with_the_same_contrast():
    made = [make((96, 64)) for make in (cosine, fourier)]
    contrasts = [rendered(one, one.draw(np.random.default_rng(0), 8)).std() for one in made]
    assert contrasts[0] == pytest.approx(contrasts[1], rel=0.25)


def test_frequencies_are_in_waves_per_pixel():
    found = frequencies((8, 10))
    assert found.shape == (8, 6)
    assert found[0, 0] == pytest.approx(1 / 10)
    assert (found[4, 0], found[0, 5]) == (0.5, 0.5)
    assert found[1, 1] == pytest.approx(np.hypot(1 / 8, 1 / 10))


def test_maco_keeps_the_magnitudes_whatever_the_phases():
    made = maco((24, 30))
    pictures = [rendered(made, made.draw(np.random.default_rng(seed), 1))[0] for seed in (0, 1)]
    before, after = (np.abs(np.fft.rfft2(parametrizations._uncolored(one), axes=(0, 1))) for one in pictures)
    # The waves that are their own mirror image are real, so of those a phase changes the size.
    inner = (slice(1, 12), slice(1, 15))
    assert before[inner] == pytest.approx(after[inner], rel=0.05)
    assert before[1, 1, 0] / before[4, 4, 0] == pytest.approx(4, rel=0.1)  # 1/f.


def test_maco_has_the_contrast_of_a_photo():
    for size in [(32, 32), (64, 40), (128, 128)]:
        made = maco(size)
        assert rendered(made, made.draw(np.random.default_rng(0), 1)).std() == pytest.approx(0.13, abs=0.03)


def test_a_spectrum_of_another_size_is_read_at_the_same_frequencies():
    side = 64
    law = (1 / frequencies((side, side)))[..., None].repeat(3, axis=-1)
    found = parametrizations.fitted(law, (40, 56))
    expected = 1 / frequencies((40, 56))
    inner = frequencies((40, 56)) > 0.1  # Where the law does not change much from one frequency to the next.
    assert found[..., 0][inner] == pytest.approx(expected[inner], rel=0.05)


def test_the_spectrum_of_a_wave_has_its_frequency():
    x = np.arange(64) / 64
    wave = np.broadcast_to(0.5 + 0.2 * np.sin(2 * np.pi * 8 * x)[None, :, None], (64, 64, 3)).astype(np.float32)
    found = spectrum_of(wave)
    assert found.shape == (64, 33, 3)
    assert np.unravel_index(found[..., 0].argmax(), (64, 33)) == (0, 8)
    assert spectrum_of(np.full((32, 32, 3), 0.7, np.float32)) == pytest.approx(0, abs=1e-3)
