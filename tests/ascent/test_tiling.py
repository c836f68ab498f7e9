from __future__ import annotations

import numpy as np
import pytest

from dreamer.ascent import tile_view
from dreamer.ascent.scoring import alone
from dreamer.ascent.tile_view import View
from dreamer.ascent.tiling import Tiling, batch_for, tiled
from dreamer.backends import backend
from dreamer.backends.backend import compile_gradient
from dreamer.errors import DeviceMemoryError
from dreamer.objectives import layer
from dreamer.sides import Sides


def starts(axis, fraction):
    """Where the tiles of an axis begin."""
    laid = axis.laid(fraction)
    return [laid.begin + index * axis.side for index in range(axis.count)]


def gradient_of(network, name="second"):
    activations = network.forward([name])
    return compile_gradient(lambda pictures, _matrix: activations(pictures), alone(layer(name)))


def identity(tiles, _matrix):
    """The gradient of half the squared norm: each pixel's gradient is the pixel."""
    return (tiles**2).mean(axis=(1, 2, 3)), tiles.copy()


def run(gradient, picture, shift=(0.0, 0.0), batch=4, **keywords):
    out = np.full_like(picture, np.nan)
    score = tiled(gradient, Tiling(**keywords), batch=batch)(picture, View(shift), out)
    return score, out


@pytest.mark.parametrize("tile", [7, 16, 37, 64])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.99, -0.4), (-1.0, 1.0)])
def test_every_pixel_gets_its_own_gradient_or_none(picture, tile, shift):
    _, out = run(identity, picture, shift, tile=tile, jitter=5)
    seen = out.any(axis=2)
    weight = np.where(seen, out.sum(axis=2) / picture.sum(axis=2), 1)
    assert np.isfinite(out).all()
    assert weight.min() >= 0.999  # Right places, right colours: only ever a weight of 1 or more.
    assert out == pytest.approx(picture * weight[..., None] * seen[..., None], rel=1e-4)
    assert weight.max() <= (2.2 if tile > 16 else 2.6) ** 2


@pytest.mark.parametrize("tile", [16, 64])
def test_over_many_views_every_pixel_moves_alike(picture, tile):
    total = np.zeros_like(picture)
    for step in range(600):
        view = tile_view.draw(seed=0, octave=0, step=step, rotate=0, scale=0)
        out = np.empty_like(picture)
        tiled(identity, Tiling(tile=tile, jitter=8))(picture, view, out)
        total += out
    assert (total / 600 / picture) == pytest.approx(1, abs=0.17)


@pytest.mark.parametrize("tile", [32, 33, 48])
def test_every_tile_touches_the_picture_and_together_they_cover_it(tile):
    for length in [*range(1, 140), 993, 994, 2257]:
        axis = Tiling(tile=tile, jitter=32).grid((length, 1)).rows
        seen = np.zeros(length)
        shifts = 2 * axis.reach + 1
        for index in range(shifts):
            for start in starts(axis, (index + 0.5) / shifts * 2 - 1):
                assert max(start, 0) < min(start + axis.side, length), (length, start)
                seen[max(start, 0) : start + axis.side] += 1
        assert seen / shifts == pytest.approx(axis.chances(), rel=1e-5)
        assert axis.chances().min() > 0.45


def test_without_jitter_one_tile_is_the_plain_gradient(picture, tiny_network):
    gradient = gradient_of(tiny_network)
    scores, gradients = gradient(picture[None], tile_view.IDENTITY)
    score, out = run(gradient, picture, (0.7, -0.3), tile=64, jitter=0)
    assert score == pytest.approx(float(scores[0]))
    assert (out == gradients[0]).all()


def test_tiled_equals_untiled_away_from_the_borders(tiny_network):
    picture = np.random.default_rng(0).random((64, 96, 3), np.float32)
    gradient = gradient_of(tiny_network)
    _, whole = run(gradient, picture, tile=96, jitter=0)
    _, tiles = run(gradient, picture, (0.0, 0.0), tile=32, jitter=0)
    _, weights = run(identity, np.ones_like(picture), tile=32, jitter=0)
    for y, x in [(8, 8), (8, 40), (40, 72)]:  # Twice the 7 pixels that the network sees across, inside three tiles.
        inside = np.s_[y : y + 16, x : x + 16]
        # A tile's score is a mean over 6 times fewer positions.
        assert tiles[inside] / weights[inside] / 6 == pytest.approx(whole[inside], abs=1e-7)


@pytest.mark.parametrize("tile_batch", [1, 2, 3, 50])
def test_the_result_does_not_depend_on_the_tile_batch(tiny_network, tile_batch):
    picture = np.random.default_rng(1).random((50, 70, 3), np.float32)
    gradient = gradient_of(tiny_network)
    expected = run(gradient, picture, (0.3, 0.8), tile=20, jitter=0)
    score, out = run(gradient, picture, (0.3, 0.8), tile=20, jitter=0, batch=tile_batch)
    assert (score, out.tobytes()) == (expected[0], expected[1].tobytes())


def test_the_device_sees_tiles_of_one_size_no_larger_than_asked(picture):
    seen = set()

    def spy(tiles, matrix):
        seen.add(tiles.shape[1:])
        return identity(tiles, matrix)

    run(spy, picture, (0.5, 0.5), tile=20, jitter=32)
    assert seen == {(19, 18, 3)}


def test_beyond_an_edge_the_picture_is_mirrored():
    seen = []

    def spy(tiles, matrix):
        seen.append(tiles.copy())
        return identity(tiles, matrix)

    picture = np.arange(8 * 12 * 3, dtype=np.float32).reshape(8, 12, 3)
    run(spy, picture, (-1.0, 0.0), tile=16, jitter=2)
    assert (seen[0][0, :2, :] == picture[2:0:-1]).all()
    assert (seen[0][0, 2:] == picture[:6]).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2)])
def test_the_tiniest_pictures_work(size):
    picture = np.full((*size, 3), 0.5, np.float32)
    score, out = run(identity, picture, (0.9, 0.9), tile=16, jitter=32)
    assert np.isfinite(out).all()
    assert score == pytest.approx(0.25)


@pytest.mark.parametrize("length", [1, 5, 31, 32, 33, 63, 100, 517, 1000])
@pytest.mark.parametrize(("tile", "least", "multiple"), [(32, 75, 1), (512, 75, 1), (100, 32, 32), (48, 32, 16)])
def test_sides_are_what_the_network_can_see_and_no_tile_misses_the_picture(length, tile, least, multiple):
    axis = Tiling(tile=tile, jitter=32, heights=Sides(first=least, period=multiple)).grid((length, 1)).rows
    assert axis.side >= least
    assert axis.side % multiple == 0
    assert axis.side <= max(tile, least)
    for fraction in np.linspace(-1, 1, 41):
        begun = starts(axis, fraction)
        assert all(start < length and start + axis.side > 0 for start in begun)
    assert axis.chances().min() > 0


def test_a_picture_smaller_than_the_network_can_see_is_continued_by_its_mirror_image(picture):
    seen = []

    def spy(tiles, matrix):
        seen.append(tiles.shape)
        return identity(tiles, matrix)

    _, out = run(spy, picture, (0.4, -0.7), tile=512, jitter=8, heights=Sides(first=75), widths=Sides(first=75))
    assert seen == [(1, 75, 75, 3)]
    inside = out[10:-10, 14:-14]
    assert inside == pytest.approx(picture[10:-10, 14:-14], abs=1e-6)


@pytest.mark.parametrize(
    ("free", "cores", "expected"), [(None, 2, 4), (16e9, 2, 4), (5e9, 2, 2), (1e8, 2, 1), (64e9, 64, 16), (64e9, 16, 8)]
)
def test_the_batch_is_sized_to_the_memory(monkeypatch, free, cores, expected):
    monkeypatch.setattr(backend, "free_memory", lambda: free)
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert batch_for(1e9) == expected


def running_out(most_tiles, most_side):
    """A gradient for which more tiles, or larger ones, are too many."""
    asked = []

    def gradient(tiles, matrix):
        asked.append((len(tiles), *tiles.shape[1:3]))
        if len(tiles) > most_tiles or max(tiles.shape[1:3]) > most_side:
            raise DeviceMemoryError("out of memory")
        return identity(tiles, matrix)

    return gradient, asked


def test_when_memory_runs_out_fewer_tiles_are_handed_over_and_nothing_else_changes(picture):
    gradient, asked = running_out(most_tiles=1, most_side=99)
    notes = []
    retreating = tiled(gradient, Tiling(tile=20, jitter=4), batch=4, note=notes.append)
    view, out, expected = View((0.3, 0.2)), np.empty_like(picture), np.empty_like(picture)
    score = retreating(picture, view, out)
    assert tiled(identity, Tiling(tile=20, jitter=4))(picture, view, expected) == score
    assert (out == expected).all()
    assert notes == [
        "memory ran out; going on with 2 tiles at once",
        "memory ran out; going on with one tile at a time",
    ]
    before = len(asked)
    retreating(picture, view, out)
    assert {count for count, *_ in asked[before:]} == {1}  # It does not try again what failed before.
    assert len(notes) == 2


def test_when_one_tile_is_too_large_smaller_ones_follow(picture):
    gradient, asked = running_out(most_tiles=1, most_side=16)
    notes, out = [], np.empty_like(picture)
    retreating = tiled(gradient, Tiling(tile=64, jitter=4), note=notes.append)
    retreating(picture, View((0.3, 0.2)), out)
    assert np.isfinite(out).all()
    assert max(asked[-1][1:]) <= 16
    assert notes[-1] == "memory ran out; going on with tiles of 9 pixels, which changes the picture a little"


def test_tiles_larger_than_the_picture_are_not_tried_again(picture):
    gradient, asked = running_out(most_tiles=4, most_side=30)
    notes = []
    tiled(gradient, Tiling(tile=512, jitter=4), note=notes.append)(picture, View((0, 0)), np.empty_like(picture))
    assert [side for _, *side in asked[:2]] == [[37, 53], [19, 18]]
    assert notes == ["memory ran out; going on with tiles of 26 pixels, which changes the picture a little"]


def test_when_no_smaller_tile_can_be_seen_memory_has_run_out(picture):
    gradient, _ = running_out(most_tiles=0, most_side=0)
    with pytest.raises(DeviceMemoryError, match="out of memory"):
        tiled(gradient, Tiling(tile=64, jitter=4, heights=Sides(first=20)))(
            picture, View((0, 0)), np.empty_like(picture)
        )


@pytest.mark.parametrize("length", [1, 31, 64, 100, 129, 513, 1000, 2047])
def test_tiles_of_a_ladder_have_one_of_three_sides(length):
    axis = Tiling(tile=512, jitter=32, ladder=True).grid((length, 1)).rows
    assert axis.side in (128, 256, 512)
    assert axis.side == 512 or axis.count == 1
    assert length <= axis.count * axis.side < length + max(length, 128, axis.side)
    for fraction in np.linspace(-1, 1, 41):
        assert all(start < length and start + axis.side > 0 for start in starts(axis, fraction))


def test_a_ladder_keeps_to_what_the_network_can_see():
    axis = Tiling(tile=100, jitter=8, heights=Sides(first=75, period=3), ladder=True).grid((40, 1)).rows
    assert axis.side == 75
