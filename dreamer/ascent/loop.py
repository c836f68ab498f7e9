"""Gradient ascent at one size: generators of steps that show and write nothing.

There are two. :func:`ascend` keeps the picture on the host and works in place; it takes pictures of
any size, and is the quickest on a CPU. :func:`ascend_on_device` keeps it on an accelerator, several
steps to a program.

Must not import: networks, files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from dreamer.arrays import FloatArray, Size
from dreamer.ascent import on_device
from dreamer.ascent.conditioning import OnHost, normalize
from dreamer.ascent.pacing import Pace
from dreamer.ascent.pulling import Pulling
from dreamer.ascent.tile_view import View
from dreamer.ascent.tiling import Grid, PictureGradient
from dreamer.backends import backend
from dreamer.backends.backend import Tensor
from dreamer.errors import DeviceMemoryError


@dataclass(frozen=True, eq=False)
class Step:
    """One finished step.

    Attributes:
        index: From 0.
        score: What the objective gave for the picture as it was *before* this step, in this step's view.
        picture: Gives ``(height, width, 3)`` in [0, 1]. Its memory is used again by the step after the
            next; copy it to keep it longer.
        pictured: The index of the step after which the picture is: on a device that is the last of
            the chunk that this step belongs to.
    """

    index: int
    score: float
    picture: Callable[[], FloatArray]
    pictured: int


def ascend(
    picture: FloatArray,
    gradient: PictureGradient,
    *,
    views: Callable[[int], View],
    num_steps: int,
    step_size: float,
    conditioning: OnHost,
    pull: Callable[[FloatArray, int], None] | None = None,
    first: int = 0,
) -> Iterator[Step]:
    """Climb the gradient from a picture.

    Args:
        picture: Where to start, ``(height, width, 3)`` in [0, 1]. It is used as working memory.
        gradient: Score and gradient of a picture in a view.
        views: The view of each step, by its index.
        num_steps: How many steps to take.
        step_size: Root-mean-square change of the picture per step, before clipping to [0, 1].
        conditioning: What is done to the gradient before it is normalised.
        pull: Brings the picture nearer to likelier ones after a step, in place; None for no prior.
        first: The index of the first step, where some were taken already.

    Yields:
        Each step once it is finished. A step that is interrupted leaves the pictures of the steps
        before it whole. The next begins at its picture, with all that is written there meanwhile.
    """
    spare = np.empty_like(picture)
    for index in range(first, num_steps):
        score = gradient(picture, views(index), spare)
        conditioning(spare, (index + 1) / num_steps)
        normalize(spare)
        spare *= np.float32(step_size)
        spare += picture
        np.clip(spare, 0, 1, out=spare)
        if pull is not None:
            pull(spare, index)
        picture, spare = spare, picture
        yield Step(index, score, partial(np.asarray, picture), index)


def ascend_on_device(
    picture: FloatArray,
    program: Callable[..., tuple[Tensor, Tensor]],
    grid: Grid,
    *,
    views: Callable[[int], View],
    num_steps: int,
    step_size: float,
    ladder: bool,
    pull: tuple[Pulling, FloatArray] | None = None,
    beside: FloatArray | None = None,
) -> Iterator[Step]:
    """Climb the gradient on a device, in chunks of steps that grow until one takes about half a second.

    The next chunk is handed over before the scores of the last are asked for, so the device never
    waits for whoever watches.

    Args:
        picture: Where to start, ``(height, width, 3)`` in [0, 1]; left as it is.
        program: A compiled ``on_device.chunk``.
        grid: The tiles of the picture.
        views: The view of each step, by its index.
        num_steps: How many steps to take.
        step_size: Root-mean-square change of the picture per step, before clipping to [0, 1].
        ladder: Whether the backend compiles anew for each shape.
        pull: How the picture is pulled to likelier ones, as the program was made with, and the photo at its size.
        beside: What is seen beside the picture, as the program was made for, ``(height, width, channels)``.

    Yields:
        Each step, when its chunk is finished.
    """
    height, width = picture.shape[:2]
    canvas = on_device.canvas(grid, ladder=ladder)
    margins = [(0, canvas[0] - height), (0, canvas[1] - width), (0, 0)]
    state: Tensor = np.pad(picture, margins)
    photo = None if pull is None else np.pad(pull[1], margins)
    others = None
    if beside is not None:
        padded = np.pad(beside, margins)
        others = np.stack(np.split(padded, padded.shape[-1] // 3, axis=-1))

    def finished(handed_over: _Chunk) -> Iterator[Step]:
        scores = backend.to_host(handed_over.scores)
        for offset in range(handed_over.num_steps):
            fetch = partial(_fetched, handed_over.picture, (height, width))
            yield Step(handed_over.first + offset, float(scores[offset]), fetch, handed_over.last)

    pace, first = Pace(on_device.MOST_STEPS), 0
    waiting: _Chunk | None = None
    while first < num_steps:
        steps = range(first, min(first + pace.length, num_steps))
        plan = on_device.plan(
            grid,
            canvas,
            [views(step) for step in steps],
            progress=[(step + 1) / num_steps for step in steps],
            step_size=step_size,
            noises=None if pull is None else [pull[0].deviation(step, num_steps) for step in steps],
            weight=0.0 if pull is None else pull[0].weight,
            photo=photo,
            beside=others,
        )
        asked = time.perf_counter()
        try:
            state, scores = program(state, *plan)
        except DeviceMemoryError:
            if waiting is not None:
                yield from finished(waiting)
            raise
        if waiting is not None:
            yield from finished(waiting)
        pace.took(len(steps), time.perf_counter() - asked)
        waiting = _Chunk(first, len(steps), state, scores)
        first += len(steps)
    if waiting is not None:
        yield from finished(waiting)


class _Chunk(NamedTuple):
    """Steps that a device was given: the first, how many, and what will come out."""

    first: int
    num_steps: int
    picture: Tensor
    scores: Tensor

    @property
    def last(self) -> int:
        """The index of its last step."""
        return self.first + self.num_steps - 1


def _fetched(picture: Tensor, size: Size) -> FloatArray:
    return np.ascontiguousarray(backend.to_host(picture)[: size[0], : size[1]])
