"""The training of a denoiser, on a handful of pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dreamer.errors import SettingsError, WeightsError
from dreamer.priors import denoiser as networks
from dreamer.priors import loading, pulls, specs
from training import denoiser, state

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three photos of odd sizes, one of them too small for a patch at the smaller scale."""
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for index, (height, width) in enumerate([(300, 411), (141, 200), (333, 270)]):
        photo = cv2.resize(rng.integers(0, 256, (5, 7, 3), np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(root / f"{index}.png"), photo)
    return root


def teach(folder, output, *more):
    denoiser.main([str(folder), "-o", str(output), "--channels", "8", "--depth", "4", *map(str, more)])


def test_batches_hold_what_they_say(folder):
    patches = denoiser.Patches([folder], seed=3)
    batch = patches.batch(5)
    assert batch.seen.shape == (16, 64, 64, 4)
    assert batch.clean.shape == (16, 64, 64, 3)
    assert batch.clean.min() >= 0
    assert batch.clean.max() <= 1
    noise = batch.seen[..., :3] - batch.clean
    level = batch.seen[..., 3]
    assert (level == level[:, :1, :1]).all()
    assert noise.std(axis=(1, 2, 3)) == pytest.approx(level[:, 0, 0], rel=0.05)
    grey = np.ptp(noise, axis=-1).max(axis=(1, 2)) < 1e-6
    assert 0 < grey.sum() < 16
    assert np.ptp(batch.clean[grey], axis=-1).max() < 1e-6
    again = next(denoiser.Patches([folder], seed=3).following(5))
    assert np.array_equal(again.seen, batch.seen)
    assert not np.array_equal(patches.batch(6).seen, batch.seen)


def test_photos_that_are_too_small_are_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((100, 300, 3), np.uint8))
    with pytest.raises(SettingsError, match="has sides of 128 pixels and more"):
        denoiser.Patches([tmp_path], seed=0)


def test_noise_becomes_less_and_a_training_goes_on(folder, tmp_path, capsys):
    teach(folder, tmp_path / "whole", "--steps", 200)
    shown = [float(line.split()[4]) for line in capsys.readouterr().out.splitlines()]
    assert shown[-1] < 0.95 * shown[0]
    for stop in (70, 200):
        teach(folder, tmp_path / "parts", "--steps", 200, "--stop-at", stop)
    whole, parts = (state.mean_of(tmp_path / name) for name in ("whole", "parts"))
    assert parts == pytest.approx(whole, abs=1e-3)
    with pytest.raises(SystemExit):
        denoiser.main([str(folder), "-o", str(tmp_path / "whole"), "--channels", "9", "--depth", "4"])
    assert "holds a training of a denoiser of 4 layers of 8 channels" in capsys.readouterr().err


def test_what_was_learnt_is_a_prior(folder, tmp_path, capsys, picture):
    teach(folder, tmp_path / "run", "--steps", 30)
    for suffix in ("keras", "npz"):
        teach(folder, tmp_path / "run", "--write", tmp_path / f"mine.{suffix}")
    expected = loading.load(str(tmp_path / "mine.keras")).of_picture(picture, 0.1)
    filled = networks.filled(tmp_path / "mine.npz")
    assert filled.count_params() == sum(one.size for one in filled.get_weights())
    found = pulls.Pull(specs.spec("denoiser"), filled, "").of_picture(picture, 0.1)
    assert found == pytest.approx(expected, abs=2e-3)  # Written in half the bits.
    for name, said in (("mine.keras", "is there already"), ("mine.h5", "expected .keras or .npz")):
        with pytest.raises(SystemExit):
            teach(folder, tmp_path / "run", "--write", tmp_path / name)
        assert said in capsys.readouterr().err
    with pytest.raises(SystemExit):
        teach(folder, tmp_path / "nowhere", "--write", tmp_path / "other.keras")
    assert "there is no training in" in capsys.readouterr().err


def test_half_a_picture_with_half_its_noise_becomes_half_of_what_it_becomes(picture):
    """Seen from grey: there is no bias."""
    network = networks.build(6, 4)
    noisy = np.concatenate([picture[:36, :52], np.full((36, 52, 1), 0.2, np.float32)], axis=-1)[None]
    grey = np.array([0.5, 0.5, 0.5, 0], np.float32)
    whole, half = (np.asarray(network(grey + share * (noisy - grey))) for share in (1, 0.5))
    assert half - 0.5 == pytest.approx(0.5 * (whole - 0.5), abs=1e-5)


@pytest.mark.parametrize("data", [b"", b"no archive", None])
def test_a_damaged_file_is_refused(tmp_path, data):
    path = tmp_path / "a.npz"
    if data is None:
        np.savez(path, **{"halve.kernel": np.zeros((6, 6, 4, 5)), "other.kernel": np.zeros(3)})
    else:
        path.write_bytes(data)
    with pytest.raises(WeightsError, match="the weights at"):
        networks.filled(path)
