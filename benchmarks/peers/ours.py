"""Dreamer's side. The only file here that knows dreamer's own parts; adapt it when those change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from measuring import picture

TILE = 512


def gradient_of(
    model: str, layers: Sequence[str], size: int, *, tile: int | None = None, precision: str = "auto"
) -> Callable[[], np.ndarray]:
    """Dreamer's gradient of some layers' mean squares, summed.

    Args:
        model: Name of the network.
        layers: Its layers.
        size: Side of the picture.
        tile: Side of the tiles that the picture is cut into, a divisor of the size; None for the
            whole picture at once, as the peers take it.
        precision: What the network is computed in; by default what a dream would take.

    Returns:
        A function without arguments that computes the gradients of all tiles, ``(tiles, side, side, 3)``.
    """
    from dreamer.backends.precision import choose
    from dreamer.dreaming.ascent import programs
    from dreamer.models import registry
    from dreamer.objectives import Objective
    from dreamer.targets import resolve

    network = registry.load(model)
    chosen = choose(precision, network.spec.low_precisions, model).name
    goal = resolve(Objective.parse(" + ".join(layers)), network)
    gradient = programs(network, goal, warps=False, precision=chosen).tiles

    count, side = (size // tile, tile) if tile else (1, size)
    tiles = picture(size).reshape(count, side, count, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)
    matrix = np.zeros(8, np.float32)  # Of a warp, which this score has not.
    return lambda: gradient(tiles, matrix)[1]


def steps_of(target: str, size: int, *, rotate: float = 0.0, scale: float = 0.0) -> Callable:
    """Steps of a dream of one octave, conditioning and random views included, as a run for ``measure_steps``."""
    from dreamer import dream

    def run(steps: int, tick: Callable[[], None]) -> None:
        settings = {"octaves": 1, "rotate": rotate, "scale": scale}
        dream(picture(size), objective=target, steps=steps, on_step=lambda _: tick(), **settings)

    return run
