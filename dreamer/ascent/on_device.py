"""Several steps of ascent in one program, for pictures that stay on an accelerator.

The one idea: all that depends on a picture's size or on chance is drawn ahead on the host, as arrays
of indices and weights, and handed over with the chunk of steps. So the program knows no sizes: a
backend with open shapes traces it once, and one that compiles for each shape is given pictures on a
canvas of few sizes, of which the picture fills the upper left.

On a CPU nothing of this pays: there the picture is where it is computed, and OpenCV blurs it three
times as fast (see ``gradients``, whose results these are, to rounding and the last pixels at the edges).

Must not import: networks, pictures, files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from keras import ops
from numpy.typing import NDArray

from dreamer.arrays import FloatArray, Size
from dreamer.ascent import conditioning as gradients
from dreamer.ascent.tile_view import View
from dreamer.ascent.tiling import Axis, Grid, IntArray
from dreamer.backends.backend import Gradient, Tensor

MOST_STEPS = 16
"""Steps of a chunk at the most; arrays always have room for as many, so that their shapes are the same."""

MOST_PIXELS = 2**25
"""A larger picture stays on the host: eight arrays of this size are 3 GiB."""

_LEVELS = 4  # As gradients.laplacian has by default.
_LEAST = 1e-30  # Keeps an empty gradient, or an empty band of one, empty.
_BURT_ADELSON = np.array([1, 4, 6, 4, 1], np.float32) / 16


class Plan(NamedTuple):
    """All that a chunk of steps needs besides the picture, as :func:`plan` draws it.

    Attributes:
        num_steps: How many steps to take, at most ``MOST_STEPS``.
        size: ``(2,)`` the picture's height and width on its canvas.
        step_size: Root-mean-square change of the picture per step.
        mirrored_rows: For each row of the canvas, and a margin around it, the row of the picture there.
        mirrored_columns: The same for columns.
        rows: ``(steps, tiles down, tile height)`` the row of the picture that each row of the tiles shows.
        columns: ``(steps, tiles across, tile width)`` the same for columns.
        rows_back: ``(steps, canvas height)`` which row of all tiles' rows shows a row of the picture.
        columns_back: ``(steps, canvas width)`` the same for columns.
        row_weights: ``(steps, canvas height)`` the inverse of a row's chance to be seen; 0 where it is not.
        column_weights: ``(steps, canvas width)`` the same for columns.
        matrices: ``(steps, 8)`` of ``transforms.warp``.
        blurs: ``(steps, 3, taps)`` the kernels of ``gradients.smooth``.
    """

    num_steps: int
    size: IntArray
    step_size: np.float32
    mirrored_rows: IntArray
    mirrored_columns: IntArray
    rows: IntArray
    columns: IntArray
    rows_back: IntArray
    columns_back: IntArray
    row_weights: FloatArray
    column_weights: FloatArray
    matrices: FloatArray
    blurs: FloatArray


def canvas(grid: Grid, *, ladder: bool) -> Size:
    """The size of the canvas that a picture lies on: its own, or all tiles' where few sizes should be used."""
    if ladder:
        return grid.rows.count * grid.rows.side, grid.columns.count * grid.columns.side
    return grid.rows.length, grid.columns.length


def plan(grid: Grid, canvas_size: Size, views: Sequence[View], *, progress: Sequence[float], step_size: float) -> Plan:
    """Draw ahead what some steps need.

    Args:
        grid: The tiles of the picture.
        canvas_size: Of :func:`canvas`.
        views: The view of each step, one to ``MOST_STEPS``.
        progress: How far through the octave each step is, in (0, 1].
        step_size: Root-mean-square change of the picture per step.
    """
    filled = [*views, *[views[-1]] * (MOST_STEPS - len(views))]
    progress = [*progress, *[progress[-1]] * (MOST_STEPS - len(progress))]
    height, width = canvas_size
    rows = [_along(grid.rows, view.shift[0], height) for view in filled]
    columns = [_along(grid.columns, view.shift[1], width) for view in filled]
    return Plan(
        num_steps=len(views),
        size=np.array([grid.rows.length, grid.columns.length], np.int32),
        step_size=np.float32(step_size),
        mirrored_rows=_mirrored(np.arange(-gradients.REACH, height + gradients.REACH), grid.rows.length),
        mirrored_columns=_mirrored(np.arange(-gradients.REACH, width + gradients.REACH), grid.columns.length),
        rows=np.stack([row.source for row in rows]),
        columns=np.stack([column.source for column in columns]),
        rows_back=np.stack([row.back for row in rows]),
        columns_back=np.stack([column.back for column in columns]),
        row_weights=np.stack([row.weights for row in rows]),
        column_weights=np.stack([column.weights for column in columns]),
        matrices=np.stack([view.matrix(grid.size) for view in filled]),
        blurs=np.stack([gradients.blur_kernels(one) for one in progress]),
    )


class _Along(NamedTuple):
    """One axis of one step: see :class:`Plan`."""

    source: IntArray
    back: IntArray
    weights: FloatArray


def _along(axis: Axis, fraction: float, canvas_length: int) -> _Along:
    begin = axis.begin(fraction)
    shown = np.arange(begin, begin + axis.count * axis.side)
    back = np.arange(canvas_length) - begin
    seen = (back >= 0) & (back < len(shown)) & (np.arange(canvas_length) < axis.length)
    chances = np.ones(canvas_length, np.float32)
    chances[: axis.length] = axis.chances()
    return _Along(
        _mirrored(shown, axis.length).reshape(axis.count, axis.side),
        np.where(seen, back, 0).astype(np.int32),
        np.where(seen, 1 / chances, 0).astype(np.float32),
    )


def _mirrored(positions: NDArray[Any], length: int) -> IntArray:
    """Where positions beyond the edges of a picture lie in it, the edge itself not repeated."""
    if length == 1:
        return np.zeros(positions.shape, np.int32)
    around = np.abs(positions) % (2 * length - 2)
    mirrored: IntArray = np.minimum(around, 2 * length - 2 - around).astype(np.int32)
    return mirrored


def chunk(gradient: Gradient, conditioning: str) -> Callable[..., tuple[Tensor, Tensor]]:
    """The steps of a plan as one function, to be compiled.

    Args:
        gradient: Of a batch of tiles.
        conditioning: ``"none"``, ``"smooth"`` or ``"laplacian"``.

    Returns:
        A function of a picture on its canvas ``(height, width, 3)`` and the fields of a
        :class:`Plan`, that gives the picture after those steps and ``(MOST_STEPS,)`` scores, of
        which the first ``num_steps`` are set.
    """
    condition = _CONDITIONINGS[conditioning]
    black, white = ops.zeros(()), ops.ones(())  # Here already, so that no step has to wait for them.

    def run(picture: Tensor, *arrays: Tensor) -> tuple[Tensor, Tensor]:
        given = Plan(*arrays)
        live = _live(picture, given.size)
        pixels = ops.cast(3 * ops.prod(given.size), "float32")

        def step(index: Any, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            picture, scores = state
            tiles = _cut(picture, given.rows[index], given.columns[index])
            found, tile_gradients = gradient(tiles, ops.reshape(given.matrices[index], (8,)))
            pasted = _paste(tile_gradients, given, index)
            conditioned = condition(_Raw(pasted, given, index, live, pixels)) * live
            scores = ops.where(ops.equal(ops.arange(MOST_STEPS), index), ops.mean(found), scores)
            return ops.clip(picture + given.step_size * _normalized(conditioned, live, pixels), black, white), scores

        start = (picture, ops.zeros((MOST_STEPS,)))
        finished: tuple[Tensor, Tensor] = ops.fori_loop(0, given.num_steps, step, start)
        return finished

    return run


def _live(like: Tensor, size: Tensor) -> Tensor:
    """1 where a canvas holds the picture, 0 elsewhere: ``(height, width, 1)``."""
    height, width = ops.shape(like)[:2]
    rows = ops.cast(ops.arange(height) < size[0], "float32")
    columns = ops.cast(ops.arange(width) < size[1], "float32")
    return rows[:, None, None] * columns[None, :, None]


def _cut(picture: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The tiles, ``(count, height, width, 3)``, down and then across."""
    (down, height), (across, width) = ops.shape(rows), ops.shape(columns)
    shown = ops.take(ops.take(picture, ops.reshape(rows, (-1,)), axis=0), ops.reshape(columns, (-1,)), axis=1)
    apart = ops.reshape(shown, (down, height, across, width, 3))
    return ops.reshape(ops.transpose(apart, (0, 2, 1, 3, 4)), (down * across, height, width, 3))


def _paste(tiles: Tensor, given: Plan, index: Any) -> Tensor:
    """The picture's gradient from that of the tiles, each pixel weighted by how seldom it is seen."""
    (down, height), (across, width) = ops.shape(given.rows[index]), ops.shape(given.columns[index])
    apart = ops.transpose(ops.reshape(tiles, (down, across, height, width, 3)), (0, 2, 1, 3, 4))
    shown = ops.reshape(apart, (down * height, across * width, 3))
    pasted = ops.take(ops.take(shown, given.rows_back[index], axis=0), given.columns_back[index], axis=1)
    return pasted * given.row_weights[index][:, None, None] * given.column_weights[index][None, :, None]


def _normalized(array: Tensor, live: Tensor, count: Tensor) -> Tensor:
    """An array whose living part has root mean square 1, as ``gradients.normalize``.

    It is divided by its largest value first, since squares of small numbers vanish.
    """
    bounded = array / (ops.max(ops.abs(array * live)) + _LEAST)
    return bounded / (ops.sqrt(ops.sum(ops.square(bounded * live)) / count) + _LEAST)


class _Raw(NamedTuple):
    """A gradient to be conditioned, and what there is to know about it."""

    gradient: Tensor
    plan: Plan
    index: Any
    live: Tensor
    pixels: Tensor

    def with_margin(self) -> Tensor:
        """The gradient continued by its mirror image over its canvas and the margin of a blur."""
        rows, columns = self.plan.mirrored_rows, self.plan.mirrored_columns
        return ops.take(ops.take(self.gradient, rows, axis=0), columns, axis=1)


def _none(raw: _Raw) -> Tensor:
    return raw.gradient


def _smooth(raw: _Raw) -> Tensor:
    """See :func:`dreamer.ascent.conditioning.smooth`."""
    total = 0.0
    for number in range(3):
        kernel = raw.plan.blurs[raw.index][number]
        blurred = _blurred(raw.with_margin(), kernel)
        total = total + blurred
        raw = raw._replace(gradient=blurred)
    mean = ops.sum(total * raw.live) / raw.pixels
    return total - mean


def _blurred(padded: Tensor, kernel: Tensor) -> Tensor:
    """Blur along both axes; the margin is used up."""
    taps = ops.tile(ops.reshape(kernel, (2 * gradients.REACH + 1, 1, 1, 1)), (1, 1, 3, 1))
    down = ops.depthwise_conv(padded[None], taps, data_format="channels_last")
    return ops.depthwise_conv(down, ops.transpose(taps, (1, 0, 2, 3)), data_format="channels_last")[0]


def _laplacian(raw: _Raw) -> Tensor:
    """See :func:`dreamer.ascent.conditioning.laplacian`."""
    inner = slice(gradients.REACH, -gradients.REACH)
    low = raw.with_margin()[inner, inner]
    size, bands = raw.plan.size, []
    for _ in range(_LEVELS):
        # A side of one pixel has no structure left; what there is stays in this band, the others are empty.
        lower = _halved(low) * ops.cast(ops.min(size) > 1, "float32")
        bands.append(_scaled(low - _doubled(lower, low), size))
        low, size = lower, (size + 1) // 2
    merged = _scaled(low, size)
    for band in reversed(bands):
        merged = _doubled(merged, band) + band
    return merged


def _scaled(band: Tensor, size: Tensor) -> Tensor:
    return _normalized(band, _live(band, size), ops.cast(3 * ops.prod(size), "float32"))


def _halved(picture: Tensor) -> Tensor:
    taps = np.broadcast_to(np.outer(_BURT_ADELSON, _BURT_ADELSON)[:, :, None, None], (5, 5, 3, 1))
    padded = _continued(_continued(picture, 0), 1)
    return ops.depthwise_conv(padded[None], ops.convert_to_tensor(taps), strides=2, data_format="channels_last")[0]


def _continued(picture: Tensor, axis: int) -> Tensor:
    """Two more pixels at both ends of an axis, each the mirror image of its neighbours where there are any."""
    length = ops.shape(picture)[axis]
    around = ops.abs(ops.arange(-2, length + 2))
    return ops.take(picture, ops.maximum(ops.minimum(around, 2 * length - 2 - around), 0), axis=axis)


def _doubled(low: Tensor, like: Tensor) -> Tensor:
    height, width = ops.shape(like)[:2]
    taller = _doubled_down(low)[:height]
    return ops.transpose(_doubled_down(ops.transpose(taller, (1, 0, 2)))[:width], (1, 0, 2))


def _doubled_down(low: Tensor) -> Tensor:
    """Rows interpolated by the pyramid's kernel: between each two rows a new one."""
    length, width, _ = ops.shape(low)
    before = ops.take(low, ops.maximum(ops.arange(length) - 1, 0), axis=0)
    after = ops.take(low, ops.minimum(ops.arange(length) + 1, length - 1), axis=0)
    both = ops.stack([(before + 6 * low + after) / 8, (low + after) / 2], axis=1)
    return ops.reshape(both, (2 * length, width, 3))


_CONDITIONINGS: dict[str, Callable[[_Raw], Tensor]] = {"none": _none, "smooth": _smooth, "laplacian": _laplacian}
