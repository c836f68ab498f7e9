"""Codings: how the levels of a picture mean colours, in numbers instead of a profile.

The one idea: chromaticities and a curve say all that there is to say, be it a PNG's gAMA and cHRM, the code points
of PNG, AVIF and HEIC, or the two words by which a camera means Adobe RGB.

References:
    ITU-T H.273 (07/2021), tables 2 and 3. ITU-R BT.2100-2. PNG, third edition, 11.3.2. Adobe RGB (1998), 4.3.

Must not import anything of the package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

# (x, y) of white, red, green and blue, in the order of cHRM.
Chromaticities = tuple[float, float, float, float, float, float, float, float]
# Light of a level x in [0, 1], in the letters of the ICC's parametric curves: (a x + b) ** g from d on, below it c x.
Curve = tuple[float, float, float, float, float]

_D65, _C = (0.3127, 0.3290), (0.310, 0.316)
_SMPTE_C = (0.630, 0.340, 0.310, 0.595, 0.155, 0.070)
_P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
SRGB_PRIMARIES: Chromaticities = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_PRIMARIES: dict[int, Chromaticities] = {
    1: SRGB_PRIMARIES,  # BT.709
    2: SRGB_PRIMARIES,  # not specified
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),  # BT.470 M
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),  # BT.470 B, G
    6: (*_D65, *_SMPTE_C),  # BT.601
    7: (*_D65, *_SMPTE_C),  # SMPTE 240M
    8: (*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),  # film
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),  # BT.2020, BT.2100
    10: (1 / 3, 1 / 3, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0),  # XYZ
    11: (0.314, 0.351, *_P3),  # DCI P3
    12: (*_D65, *_P3),  # Display P3
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}

_SRGB_CURVE: Curve = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_ALPHA, _BETA = 1.09929682680944, 0.018053968510807
_BT709: Curve = (1 / 0.45, 1 / _ALPHA, 1 - 1 / _ALPHA, 1 / 4.5, 4.5 * _BETA)


def _power(exponent: float) -> Curve:
    return (exponent, 1.0, 0.0, 0.0, 0.0)


_CURVES: dict[int, Curve | Literal["PQ", "HLG"]] = {
    **dict.fromkeys((1, 6, 11, 12, 14, 15), _BT709),  # BT.709, 601, xvYCC, 1361, 2020: the camera's curve, inverted
    2: _SRGB_CURVE,  # not specified
    4: _power(2.2),
    5: _power(2.8),
    7: (1 / 0.45, 1 / 1.1115, 1 - 1 / 1.1115, 0.25, 4 * 0.0228),  # SMPTE 240M
    8: _power(1.0),
    13: _SRGB_CURVE,
    16: "PQ",
    17: (2.6, (52.37 / 48) ** (1 / 2.6), 0.0, 0.0, 0.0),  # SMPTE ST 428-1
    18: "HLG",
}

# A gAMA of 45455 (1/2.2) and these primaries are how sRGB is announced in PNGs by programs that mean sRGB: its curve
# differs, but no browser takes the number at its word.
_SRGB_GAMMA, _NEAR_GAMMA, _NEAR_PRIMARIES = 1 / 2.2, 0.0006, 0.002
_EXPONENTS = (0.1, 10.0)


@dataclass(frozen=True)
class Coding:
    """What the levels of a picture mean.

    Attributes:
        primaries: The chromaticities of its white, red, green and blue.
        curve: The light of a level, linear in cd/m2; PQ and HLG are HDR.
        narrow: Black is at 16 and white at 235 of 255, as in video.
    """

    primaries: Chromaticities
    curve: Curve | Literal["PQ", "HLG"]
    narrow: bool = False


SRGB = Coding(SRGB_PRIMARIES, _SRGB_CURVE)
ADOBE_RGB = Coding((*_D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06), _power(563 / 256))


def from_code_points(primaries: int, transfer: int, matrix: int, full_range: bool) -> Coding | None:
    """What the four code points of H.273 say of pixels that are RGB: cICP in PNG, nclx in AVIF and HEIC.

    Args:
        primaries: Colour primaries, table 2.
        transfer: Transfer characteristics, table 3.
        matrix: Matrix coefficients. The decoder has undone them, so for RGB there is nothing left: 0.
        full_range: Whether black is 0 and white the highest level.

    Returns:
        None when a code is not known, or means no light.

    Example:
        >>> from_code_points(1, 13, 0, True) == SRGB
        True
    """
    if matrix != 0 or primaries not in _PRIMARIES or transfer not in _CURVES:
        return None
    return Coding(_PRIMARIES[primaries], _CURVES[transfer], not full_range)


def from_gamma(gamma: float | None, primaries: Chromaticities | None) -> Coding | None:
    """What a PNG's gAMA and cHRM say; what is missing is as in sRGB.

    Args:
        gamma: The exponent from light to levels, such as 0.45455.
        primaries: The eight numbers of cHRM.

    Returns:
        None when no light can be meant: a gamma of 0, primaries on one line.

    Example:
        >>> from_gamma(0.45455, None) == SRGB
        True
    """
    if primaries is None or _near(primaries, SRGB_PRIMARIES):
        primaries = SRGB_PRIMARIES
    elif not _possible(primaries):
        return None
    if gamma is None or (primaries == SRGB_PRIMARIES and abs(gamma - _SRGB_GAMMA) < _NEAR_GAMMA):
        return Coding(primaries, _SRGB_CURVE)
    if not gamma or not _EXPONENTS[0] <= 1 / gamma <= _EXPONENTS[1]:
        return None
    return Coding(primaries, _power(1 / gamma))


def _near(these: Chromaticities, those: Chromaticities) -> bool:
    return all(abs(a - b) <= _NEAR_PRIMARIES for a, b in zip(these, those, strict=True))


def _possible(primaries: Chromaticities) -> bool:
    """Whether white can be mixed of some light of each primary."""
    try:
        return bool(primaries[1] > 0 and (_shares(primaries) > 0).all())
    except np.linalg.LinAlgError:
        return False


def _xyz(x: float, y: float) -> list[float]:
    return [x, y, 1 - x - y]


def _columns(primaries: Chromaticities) -> NDArray[np.float64]:
    return np.array([_xyz(*primaries[at : at + 2]) for at in (2, 4, 6)]).T


def _shares(primaries: Chromaticities) -> NDArray[np.float64]:
    white = np.array(_xyz(*primaries[:2])) / primaries[1]
    return np.asarray(np.linalg.solve(_columns(primaries), white))


def to_xyz(primaries: Chromaticities) -> NDArray[np.float64]:
    """The matrix from linear RGB to XYZ, in which white has a luminance (Y) of 1."""
    return _columns(primaries) * _shares(primaries)
