from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from dreamer.ascent import views
from dreamer.ascent.views import NOISE_SIDE
from dreamer.transforms import SETS, Transforms

FIELD = np.random.default_rng(0).normal(size=(NOISE_SIDE, NOISE_SIDE, 3)).astype(np.float32)


def seen(picture, how, *, size=None, seed=3, progress=0.5):
    drawn = views.draw(
        how, np.random.default_rng(seed), size=picture.shape[:2], seen=size or picture.shape[:2], progress=progress
    )
    found = views.see(
        ops.convert_to_tensor(picture[None]),
        views.Views(*map(ops.convert_to_tensor, drawn)),
        ops.convert_to_tensor(FIELD),
        count=how.views,
        turns=how.rotate > 0,
        noisy=max(how.noise) > 0,
    )
    return ops.convert_to_numpy(found)


def test_without_transforms_a_view_is_the_picture(picture):
    assert seen(picture, SETS["none"])[0] == pytest.approx(picture, abs=1e-6)
    whole = views.whole((37, 53), (37, 53), 1)
    assert whole.rows[0] == pytest.approx(np.eye(37))
    assert whole.columns[0] == pytest.approx(np.eye(53))


def test_a_smaller_view_averages_and_does_not_alias(picture):
    grating = np.broadcast_to((np.arange(64) % 2)[None, :, None], (48, 64, 3)).astype(np.float32)
    small = seen(grating, SETS["none"], size=(24, 32))[0]
    assert small[:, 2:-2] == pytest.approx(0.5, abs=1e-5)
    assert seen(picture, SETS["none"], size=(18, 26))[0].mean() == pytest.approx(picture.mean(), abs=0.01)


def test_jitter_shifts_by_no_more_than_was_allowed(picture):
    shifted = [seen(picture, Transforms(jitter=(4,)), seed=seed)[0] for seed in range(20)]
    spot = np.full((37, 53, 3), 0.5, np.float32)
    spot[18, 26] = 1
    places = []
    for seed in range(30):
        found = seen(spot, Transforms(jitter=(4, 2)), seed=seed)[0, ..., 0] - 0.5
        places.append([(found * axis).sum() / found.sum() for axis in np.mgrid[:37, :53]])
    moved = np.abs(np.array(places) - [18, 26])
    assert moved.max() <= 6 + 1e-3
    assert moved.max() > 2
    assert len({view.tobytes() for view in shifted}) == 20


def test_what_lies_beyond_the_picture_is_grey():
    white = np.ones((20, 30, 3), np.float32)
    padded = seen(white, Transforms(pad=10))[0]
    assert padded[0, 0] == pytest.approx(0.5)
    assert padded[10, 15] == pytest.approx(1)
    # The border is ten pixels of forty: a quarter of the view, on either side.
    assert padded[10, :, 0].mean() == pytest.approx(0.5 + 0.5 * 30 / 50, abs=0.02)


@pytest.mark.parametrize("zoom", [0.5, 2.0])
def test_scale_magnifies_about_the_middle(zoom):
    x = np.linspace(0, 1, 41, dtype=np.float32)
    ramp = np.broadcast_to(x[None, :, None], (31, 41, 3))
    found = seen(ramp, Transforms(scale=(zoom, zoom), crop_spread=0))[0, 15, :, 0]
    assert found[20] == pytest.approx(0.5, abs=1e-3)
    assert found[22] - found[18] == pytest.approx(4 / 40 / zoom, rel=0.02)


def test_a_crop_shrinks_and_stays_inside():
    white = np.ones((40, 40, 3), np.float32)
    for seed in range(20):
        assert seen(white, Transforms(crop=(0.5, 0.1), crop_spread=1), seed=seed, progress=1.0).min() > 0.999
    x = np.linspace(0, 1, 40, dtype=np.float32)
    ramp = np.broadcast_to(x[None, :, None], (40, 40, 3))
    first, last = (seen(ramp, Transforms(crop=(0.5, 0.1)), progress=p)[0, 0, :, 0] for p in (0.0, 1.0))
    assert np.ptp(first) == pytest.approx(0.5, abs=0.05)
    assert np.ptp(last) == pytest.approx(0.1, abs=0.03)


def test_noise_and_blur_follow_the_run(picture):
    flat = np.full((40, 60, 3), 0.5, np.float32)
    noisy = Transforms(noise=(0.2, 0.0))
    assert seen(flat, noisy, progress=0.0).std() == pytest.approx(0.2, rel=0.05)
    assert seen(flat, noisy, progress=0.5).std() == pytest.approx(0.1, rel=0.05)
    assert seen(flat, noisy, progress=1.0).std() == pytest.approx(0, abs=1e-6)
    detail = np.random.default_rng(0).random((40, 60, 3), np.float32)
    blurred, sharp = (seen(detail, Transforms(blur=2), progress=p)[0] for p in (0.0, 1.0))
    assert blurred[8:-8, 8:-8].std() < 0.3 * detail.std()
    assert sharp == pytest.approx(detail, abs=1e-6)


def test_turns_are_drawn_and_some_steps_stand_still(picture):
    turned = [
        np.abs(seen(picture, Transforms(rotate=10, still=0.5), seed=seed)[0] - picture).max() for seed in range(40)
    ]
    still = sum(change < 1e-5 for change in turned)
    assert 8 < still < 32


def test_some_steps_see_a_mirror_image(picture):
    found = [seen(picture, Transforms(flip=0.5), seed=seed)[0] for seed in range(40)]
    mirrored = [np.abs(one - picture[:, ::-1]).max() < 1e-5 for one in found]
    straight = [np.abs(one - picture).max() < 1e-5 for one in found]
    assert all(a != b for a, b in zip(mirrored, straight, strict=True))
    assert 8 < sum(mirrored) < 32


def test_views_of_a_picture_follow_each_other(picture):
    drawn = seen(picture, Transforms(views=3, crop=(0.5, 0.5)), size=(16, 20))
    assert drawn.shape == (3, 16, 20, 3)
    assert len({view.tobytes() for view in drawn}) == 3
    both = views.see(
        ops.convert_to_tensor(np.stack([picture, 1 - picture])),
        views.Views(*map(ops.convert_to_tensor, views.whole((37, 53), (16, 20), 2))),
        ops.convert_to_tensor(FIELD),
        count=2,
        turns=False,
        noisy=False,
    )
    first, second, third, fourth = ops.convert_to_numpy(both)
    assert (first.tobytes(), third.tobytes()) == (second.tobytes(), fourth.tobytes())
    assert first == pytest.approx(1 - third, abs=1e-5)


def test_the_same_seed_gives_the_same_views():
    one, same, other = (
        views.draw(SETS["standard"], np.random.default_rng(seed), size=(37, 53), seen=(37, 53), progress=0.2)
        for seed in (1, 1, 2)
    )
    assert all(a.tobytes() == b.tobytes() for a, b in zip(one, same, strict=True))
    assert one.rows.tobytes() != other.rows.tobytes()


def test_the_gradient_of_a_view_is_its_adjoint(picture):
    """Seeing is linear, so a dot product with what is seen equals one with what the gradient carries back."""
    how = Transforms(pad=4, jitter=(5,), scale=(0.8, 1.2), blur=1)
    drawn = views.draw(how, np.random.default_rng(1), size=(37, 53), seen=(20, 30), progress=0.3)
    weights = np.random.default_rng(2).normal(size=(20, 30, 3)).astype(np.float32)
    back = np.einsum("ih,ijc,jw->hwc", drawn.rows[0], weights, drawn.columns[0])
    difference = seen(picture, how, size=(20, 30), seed=1, progress=0.3)[0] - 0.5
    assert float((weights * difference).sum()) == pytest.approx(float((back * (picture - 0.5)).sum()), rel=1e-3)
