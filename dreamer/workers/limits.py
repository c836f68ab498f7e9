"""How long a job may take, if nobody says otherwise: generous, but never for ever.

The one idea: how long a job takes is known once it is known how large its picture is. So a job has some time to get
that far, reading included, and says then how much more it needs (``workers.allow``). What blocks for ever is nearly
always what is read; what is computed gets hundreds of times what it takes on one core of a usual machine.

Must not import: networks, Keras or anything heavy.
"""

from __future__ import annotations

START_UP = 1800.0
"""Seconds to begin: a process starts, Keras and a network load, weights are fetched where there are none yet."""

READING = 600.0
"""Seconds to read a photo; and, once more, for what takes as long whatever the size: compiling, encoding, writing."""

_PER_STEP_OF_A_MEGAPIXEL = 200.0  # Seconds; the usual network takes 0.6 of a core, the largest some 25.


def of_steps(pixels: float, steps: int) -> float:
    """How long steps of ascent may take, in seconds, what does not depend on their number included.

    Args:
        pixels: Of all pictures that a step changes; of all octaves together.
        steps: Of each of them.

    Example:
        >>> of_steps(pixels=640 * 480, steps=20) > 1000
        True
    """
    return READING + _PER_STEP_OF_A_MEGAPIXEL * steps * pixels / 1e6
