"""Several steps of ascent in one program, for pictures that stay on an accelerator.

The one idea: all that depends on a picture's size or on chance is drawn ahead on the host, as arrays
of indices and weights, and handed over with the chunk of steps. So the program knows no sizes: a
backend with open shapes traces it once, and one that compiles for each shape is given pictures on a
canvas of few sizes, of which the picture fills the upper left.

On a CPU nothing of this pays: there the picture is where it is computed, and OpenCV blurs it three
times as fast (see ``conditioning``, whose results these are, to rounding and the last pixels at the edges).

Must not import: networks, pictures, files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from dreamer.arrays import FloatArray, Size
from dreamer.ascent.conditioning import REACH, OnDevice, Raw, blur_kernels, live, normalized
from dreamer.ascent.pulling import Prior, pulled
from dreamer.ascent.tile_view import View
from dreamer.ascent.tiling import Axis, Grid, IntArray
from dreamer.backends.backend import Gradient, Tensor

MOST_STEPS = 16
"""Steps of a chunk at the most; arrays always have room for as many, so that their shapes are the same."""

MOST_PIXELS = 2**25
"""A larger picture stays on the host: eight arrays of this size are 3 GiB."""


class ChunkPlan(NamedTuple):
    """All that a chunk of steps needs besides the picture, as :func:`plan` draws it.

    Attributes:
        num_steps: How many steps to take, at most ``MOST_STEPS``.
        size: ``(2,)`` the picture's height and width on its canvas.
        step_size: Root-mean-square change of the picture per step.
        around_rows: For each row of the canvas, and a margin around it, the row of the picture there.
        around_columns: The same for columns.
        rows: ``(steps, tiles down, tile height)`` the row of the picture that each row of the tiles shows.
        columns: ``(steps, tiles across, tile width)`` the same for columns.
        rows_back: ``(steps, canvas height)`` which row of all tiles' rows shows a row of the picture.
        columns_back: ``(steps, canvas width)`` the same for columns.
        row_weights: ``(steps, canvas height)`` the inverse of a row's chance to be seen; 0 where it is not.
        column_weights: ``(steps, canvas width)`` the same for columns.
        matrices: ``(steps, 8)`` of ``transforms.warp``.
        blurs: ``(steps, 3, taps)`` the kernels of ``gradients.smooth``.
        noises: ``(steps,)`` the noise that a prior takes off; 0 where there is none.
        weight: Which share of a prior's way is taken.
        photo: ``(height, width, 3)`` of the canvas, what is dreamt of; a single pixel where there is no prior.
        beside: ``(pictures, height, width, 3)`` of the canvas, what is seen beside the picture; a single pixel where
            nothing is.
    """

    num_steps: int
    size: IntArray
    step_size: np.float32
    around_rows: IntArray
    around_columns: IntArray
    rows: IntArray
    columns: IntArray
    rows_back: IntArray
    columns_back: IntArray
    row_weights: FloatArray
    column_weights: FloatArray
    matrices: FloatArray
    blurs: FloatArray
    noises: FloatArray
    weight: np.float32
    photo: FloatArray
    beside: FloatArray

    def extended(self, pictures: Tensor) -> Tensor:
        """Pictures on their canvas ``(batch, height, width, 3)``, continued over it and a margin around it."""
        return ops.take(ops.take(pictures, self.around_rows, axis=1), self.around_columns, axis=2)


def canvas(grid: Grid, *, ladder: bool) -> Size:
    """The size of the canvas that a picture lies on: its own, or all tiles' where few sizes should be used."""
    if ladder:
        return grid.rows.count * grid.rows.side, grid.columns.count * grid.columns.side
    return grid.rows.length, grid.columns.length


def plan(
    grid: Grid,
    canvas_size: Size,
    views: Sequence[View],
    *,
    progress: Sequence[float],
    step_size: float,
    noises: Sequence[float] | None = None,
    weight: float = 0.0,
    photo: FloatArray | None = None,
    beside: FloatArray | None = None,
) -> ChunkPlan:
    """Draw ahead what some steps need.

    Args:
        grid: The tiles of the picture.
        canvas_size: Of :func:`canvas`.
        views: The view of each step, one to ``MOST_STEPS``.
        progress: How far through the octave each step is, in (0, 1].
        step_size: Root-mean-square change of the picture per step.
        noises: For a prior, the noise of each step.
        weight: For a prior, which share of its way is taken.
        photo: For a prior, what is dreamt of, on its canvas.
        beside: What is seen beside the picture, on its canvas.
    """
    filled = [*views, *[views[-1]] * (MOST_STEPS - len(views))]
    progress = [*progress, *[progress[-1]] * (MOST_STEPS - len(progress))]
    taken_off = np.zeros(MOST_STEPS, np.float32)
    taken_off[: len(noises or ())] = noises or ()
    height, width = canvas_size
    rows = [_along(grid.rows, view.shift[0], height) for view in filled]
    columns = [_along(grid.columns, view.shift[1], width) for view in filled]
    return ChunkPlan(
        num_steps=len(views),
        size=np.array([grid.rows.length, grid.columns.length], np.int32),
        step_size=np.float32(step_size),
        around_rows=grid.rows.continued(np.arange(-REACH, height + REACH)),
        around_columns=grid.columns.continued(np.arange(-REACH, width + REACH)),
        rows=np.stack([row.source for row in rows]),
        columns=np.stack([column.source for column in columns]),
        rows_back=np.stack([row.back for row in rows]),
        columns_back=np.stack([column.back for column in columns]),
        row_weights=np.stack([row.weights for row in rows]),
        column_weights=np.stack([column.weights for column in columns]),
        matrices=np.stack([view.matrix(grid.size) for view in filled]),
        blurs=np.stack([blur_kernels(one) for one in progress]),
        noises=taken_off,
        weight=np.float32(weight),
        photo=np.zeros((1, 1, 3), np.float32) if photo is None else photo,
        beside=np.zeros((1, 1, 1, 3), np.float32) if beside is None else beside,
    )


class _Along(NamedTuple):
    """One axis of one step: see :class:`ChunkPlan`."""

    source: IntArray
    back: IntArray
    weights: FloatArray


def _along(axis: Axis, fraction: float, canvas_length: int) -> _Along:
    laid = axis.laid(fraction)
    back, seen = laid.back(canvas_length)
    chances = np.ones(canvas_length, np.float32)
    chances[: axis.length] = axis.chances()
    return _Along(laid.source, back, np.where(seen, 1 / chances, 0).astype(np.float32))


def chunk(
    gradient: Gradient, conditioning: OnDevice, prior: Prior | None = None, *, beside: int = 0
) -> Callable[..., tuple[Tensor, Tensor]]:
    """The steps of a plan as one function, to be compiled.

    Args:
        gradient: Of a batch of tiles.
        conditioning: What is done to the gradient before it is normalised.
        prior: Pulls the picture to likelier ones after each step; None for none.
        beside: How many pictures are seen beside it, as *gradient* was made for.

    Returns:
        A function of a picture on its canvas ``(height, width, 3)`` and the fields of a
        :class:`ChunkPlan`, that gives the picture after those steps and ``(MOST_STEPS,)`` scores, of
        which the first ``num_steps`` are set.
    """
    black, white = ops.zeros(()), ops.ones(())  # Here already, so that no step has to wait for them.

    def run(picture: Tensor, *arrays: Tensor) -> tuple[Tensor, Tensor]:
        given = ChunkPlan(*arrays)
        area = live(picture, given.size)
        pixels = ops.cast(3 * ops.prod(given.size), "float32")
        others = [ops.reshape(given.beside[index], ops.shape(picture)) for index in range(beside)]

        def step(index: Any, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            picture, scores = state
            shown = ops.concatenate([picture, *others], axis=-1) if others else picture
            tiles = _cut(shown, given.rows[index], given.columns[index])
            found, tile_gradients = gradient(tiles, ops.reshape(given.matrices[index], (8,)))
            pasted = _paste(tile_gradients, given, index)
            raw = Raw(pasted, given.around_rows, given.around_columns, given.blurs[index], given.size, area, pixels)
            conditioned = conditioning(raw) * area
            scores = ops.where(ops.equal(ops.arange(MOST_STEPS), index), ops.mean(found), scores)
            climbed = ops.clip(picture + given.step_size * normalized(conditioned, area, pixels), black, white)
            if prior is not None:
                noise = given.noises[index]
                climbed = area * pulled(prior, climbed, given.photo, noise, given.weight, given.extended)
            return climbed, scores

        start = (picture, ops.zeros((MOST_STEPS,)))
        finished: tuple[Tensor, Tensor] = ops.fori_loop(0, given.num_steps, step, start)
        return finished

    return run


def _cut(picture: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The tiles, ``(count, height, width, channels)``, down and then across."""
    channels = picture.shape[-1]
    (down, height), (across, width) = ops.shape(rows), ops.shape(columns)
    shown = ops.take(ops.take(picture, ops.reshape(rows, (-1,)), axis=0), ops.reshape(columns, (-1,)), axis=1)
    apart = ops.reshape(shown, (down, height, across, width, channels))
    return ops.reshape(ops.transpose(apart, (0, 2, 1, 3, 4)), (down * across, height, width, channels))


def _paste(tiles: Tensor, given: ChunkPlan, index: Any) -> Tensor:
    """The picture's gradient from that of the tiles, each pixel weighted by how seldom it is seen."""
    (down, height), (across, width) = ops.shape(given.rows[index]), ops.shape(given.columns[index])
    apart = ops.transpose(ops.reshape(tiles, (down, across, height, width, 3)), (0, 2, 1, 3, 4))
    shown = ops.reshape(apart, (down * height, across * width, 3))
    pasted = ops.take(ops.take(shown, given.rows_back[index], axis=0), given.columns_back[index], axis=1)
    return pasted * given.row_weights[index][:, None, None] * given.column_weights[index][None, :, None]
