"""A text coloured by a unit, for a terminal: white is zero, red below, blue above, as strong as the value is.

The one idea: the same scale over all that is shown, so that colours can be compared; signs that a terminal would obey
are written as escapes.

Must not import Keras.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from dreamer.arrays import FloatArray
from dreamer.wording import harmless

RED, BLUE = (202, 45, 45), (35, 105, 210)
_WHITE = 255
_DARK = 0.55  # Of the scale: beyond it the ground is so dark that letters are white.
_RESET = "\x1b[0m"
_STEPS = 16  # Of the colours, so that a run of nearly the same is one sequence.


def scale_of(values: FloatArray) -> float:
    """What the strongest colour stands for: the largest value of either sign.

    Example:
        >>> scale_of(np.array([0.5, -2.0], np.float32))
        2.0
    """
    return float(np.abs(values).max()) or 1.0 if values.size else 1.0


def coloured(pieces: Sequence[str], values: FloatArray) -> Iterator[str]:
    """A text in pieces for a terminal of 24 bits.

    Args:
        pieces: Its characters or tokens.
        values: ``(pieces,)``: what the unit has at each.

    Yields:
        Parts of the text with their colours.
    """
    levels = np.round(values / scale_of(values) * _STEPS).astype(int)
    start = 0
    for end in range(1, len(pieces) + 1):
        if end == len(pieces) or levels[end] != levels[start]:
            yield _painted("".join(pieces[start:end]), int(levels[start]) / _STEPS)
            start = end


def _painted(text: str, share: float) -> str:
    if not share:
        return harmless(text)
    ground = mixed(share)
    ink = (255, 255, 255) if abs(share) > _DARK else (0, 0, 0)
    begin = f"\x1b[48;2;{ground[0]};{ground[1]};{ground[2]}m\x1b[38;2;{ink[0]};{ink[1]};{ink[2]}m"
    # Of a line that ends coloured some terminals would colour the rest too.
    return "\n".join(f"{begin}{line}{_RESET}" if line else "" for line in harmless(text).split("\n"))


def mixed(share: float) -> tuple[int, int, int]:
    """The colour of a value as a share of the scale, -1 to 1.

    Example:
        >>> mixed(0.0), mixed(-1.0)
        ((255, 255, 255), (202, 45, 45))
    """
    end = BLUE if share > 0 else RED
    red, green, blue = (round(_WHITE + (side - _WHITE) * abs(share)) for side in end)
    return red, green, blue
