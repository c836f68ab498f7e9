"""Which part of a photo is dreamt: a ratio of its sides, as large as fits, around a point.

The one idea: a point is told in shares of the photo that a person sees, x from the left and y from the top. The part is
laid around it as near as the borders allow, so what lies at the point stays in the picture, and a zoom finds it there.

Must not import NumPy or anything heavy: settings check their ratio here.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from dreamer.errors import SettingsError
from dreamer.wording import shown

Point = tuple[float, float]
"""``(x, y)``: shares of a picture's width from the left and of its height from the top, each from 0 to 1."""

MIDDLE: Point = (0.5, 0.5)

_WIDEST = 100.0
_NUMBER = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"


def ratio_of(aspect: Any) -> float:
    """How many times as wide as high a ratio says that a picture is.

    Args:
        aspect: ``"WIDTH:HEIGHT"``, or one number.

    Raises:
        SettingsError: It is no ratio from 1:100 to 100:1.

    Example:
        >>> ratio_of("9:16"), ratio_of("1.5")
        (0.5625, 1.5)
    """
    found = re.fullmatch(rf"\s*{_NUMBER}\s*(?::\s*{_NUMBER}\s*)?", str(aspect))
    width, height = (float(found[1]), float(found[2] or 1)) if found else (0.0, 0.0)
    # Compared without dividing: a height of 0 is no ratio.
    if not 0 < height <= _WIDEST * width or width > _WIDEST * height:
        hint = " Sizes are HEIGHTxWIDTH; a ratio is written with a colon" if "x" in str(aspect).lower() else ""
        raise SettingsError(
            f"aspect is {shown(aspect)}; expected width to height, as 9:16 or 1.5, from 1:100 to 100:1.{hint}".rstrip(
                "."
            )
        )
    return width / height


class Box(NamedTuple):
    """A part of a picture, in whole pixels of it."""

    top: int
    left: int
    height: int
    width: int

    @property
    def size(self) -> tuple[int, int]:
        """``(height, width)``."""
        return self.height, self.width

    @property
    def rows(self) -> slice:
        """Its rows of the picture."""
        return slice(self.top, self.top + self.height)

    @property
    def columns(self) -> slice:
        """Its columns of the picture."""
        return slice(self.left, self.left + self.width)

    def seen(self, point: Point, size: tuple[int, int]) -> Point:
        """Where a point of the whole picture lies in this part.

        Args:
            point: In shares of the picture.
            size: ``(height, width)`` of the picture.

        Example:
            >>> Box(0, 20, 40, 20).seen((0.5, 0.25), (40, 60))
            (0.5, 0.25)
        """
        if self.size == size:
            return point
        return (point[0] * size[1] - self.left) / self.width, (point[1] * size[0] - self.top) / self.height


def box_of(size: tuple[int, int], aspect: str | None, focus: Point) -> Box:
    """The part of a picture that is dreamt.

    Args:
        size: ``(height, width)`` of the picture.
        aspect: As for :func:`ratio_of`; None for all of the picture.
        focus: What it is laid around, as near as the borders allow.

    Example:
        >>> box_of((40, 60), "1:1", (0.5, 0.5)), box_of((40, 60), "1:1", (0.9, 0.5)), box_of((40, 60), "2", (0.5, 0.5))
        (Box(top=0, left=10, height=40, width=40), Box(top=0, left=20, height=40, width=40), \
Box(top=5, left=0, height=30, width=60))
    """
    height, width = size
    if aspect is None:
        return Box(0, 0, height, width)
    ratio = ratio_of(aspect)
    if width > ratio * height:
        width = max(1, min(width, round(height * ratio)))
    else:
        height = max(1, min(height, round(width / ratio)))
    return Box(_around(focus[1], height, size[0]), _around(focus[0], width, size[1]), height, width)


def _around(share: float, length: int, whole: int) -> int:
    """Where a piece of a side begins whose middle is as near to a share of the side as there is room."""
    return max(0, min(whole - length, round(share * whole - length / 2)))
