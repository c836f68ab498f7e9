"""How fast this machine is: the rates that a gradient is held against.

Must not import: networks, pictures, files.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from keras import ops

from dreamer.backends import backend
from dreamer.backends.backend import Tensor

_SIDE, _SIDE_ON_ACCELERATOR = 3072, 8192
_NUMBERS, _NUMBERS_ON_ACCELERATOR = 2**25, 2**28


def seconds(work: Callable[[], object], *, repeats: int = 5) -> float:
    """The median time of some work, after one run that is not counted."""
    work()
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def matrix_product_rate(precision: str, *, repeats: int = 5) -> float:
    """Operations per second of a large matrix product on the first device.

    Args:
        precision: ``"float32"``, ``"bfloat16"`` or ``"float16"``.
        repeats: How many products; the median counts.
    """
    side = _SIDE_ON_ACCELERATOR if backend.on_accelerator() else _SIDE
    matrix = ops.cast(np.random.default_rng(0).random((side, side), np.float32), precision)
    return 2 * side**3 / seconds(lambda: _wait_for(ops.matmul(matrix, matrix)), repeats=repeats)


def bandwidth(*, repeats: int = 5) -> float:
    """Bytes per second read from and written to the first device's memory."""
    numbers = ops.zeros((_NUMBERS_ON_ACCELERATOR if backend.on_accelerator() else _NUMBERS,))
    return 2 * 4 * int(numbers.shape[0]) / seconds(lambda: _wait_for(ops.add(numbers, 1.0)), repeats=repeats)


def _wait_for(tensor: Tensor) -> None:
    """A device is done when something of its result has arrived here."""
    ops.convert_to_numpy(ops.cast(ops.reshape(tensor, (-1,))[:1], "float32"))
