"""A text coloured by the units of a layer as a page: one file that needs no other.

The one idea: the text and the values are data. Values are whole numbers of a byte, -127 to 127 of the scale that all
units share, in base64; the page draws the lines that are seen, and no others, so that a long text costs no more than a
short one.

Must not import Keras.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dreamer import pages
from dreamer.arrays import FloatArray
from dreamer.images import files
from dreamer.texts.colours import scale_of
from dreamer.texts.following import Follows

_TOP = 127  # Of a byte with a sign.
_EXAMPLES = 5
_AROUND = 30  # Characters on either side of where a unit is strongest.


def chosen(values: FloatArray, top: int, follows: Sequence[Follows] = ()) -> list[int]:
    """The units that are worth a look: those that follow something, then those that vary most.

    Args:
        values: ``(steps, units)``.
        top: How many.
        follows: Of the same layer.
    """
    sure = [one.unit for one in sorted(follows, key=lambda one: -one.auc) if one.is_sure]
    varying = np.argsort(-values.var(0), kind="stable").tolist()
    return list(dict.fromkeys([*sure, *varying]))[:top]


def strongest(values: FloatArray, count: int = _EXAMPLES) -> list[int]:
    """Where a unit is strongest, places that lie apart: ``(steps,)`` to indices."""
    found: list[int] = []
    for place in np.argsort(-np.abs(values), kind="stable"):
        if all(abs(int(place) - one) > 2 * _AROUND for one in found):
            found.append(int(place))
        if len(found) == count:
            break
    return found


def excerpt(pieces: Sequence[str], place: int, around: int = _AROUND) -> tuple[str, str, str]:
    """What stands before a place, at it, and after it."""
    before, after = pieces[max(0, place - around) : place], pieces[place + 1 : place + 1 + around]
    return "".join(before), pieces[place], "".join(after)


def save(path: Path, data: dict[str, Any], *, overwrite: bool = False) -> None:
    """Write a page.

    Raises:
        ImageWriteError: It cannot be written there, or a file is there already.
    """
    files.put(path, page(data), overwrite=overwrite)


def data_of(
    title: str, layer: str, show: str, pieces: Sequence[str], values: FloatArray, units: Sequence[int],
    follows: Sequence[Follows] = (),
) -> dict[str, Any]:  # fmt: skip
    """What a page shows.

    Args:
        title: Of the page.
        layer: Whose units.
        show: What of the layer.
        pieces: The characters or tokens of the text.
        values: ``(steps, units)`` of the whole layer.
        units: Those that are shown, in order.
        follows: What units follow.
    """
    some = values[:, list(units)]
    scale = scale_of(some)
    best: dict[int, Follows] = {}
    for one in sorted((one for one in follows if one.is_sure), key=lambda one: -one.auc):
        best.setdefault(one.unit, one)
    return {
        "title": title,
        "layer": layer,
        "show": show,
        "scale": scale,
        "pieces": list(pieces) if any(len(piece) != 1 for piece in pieces) else None,
        "text": "".join(pieces),
        "units": [
            {
                "unit": unit,
                "deviation": float(some[:, place].std()),
                "follows": f"{best[unit].what}, AUC {best[unit].auc:.2f}" if unit in best else "",
                "examples": strongest(some[:, place]),
                "values": base64.b64encode(np.round(some[:, place] / scale * _TOP).astype(np.int8).tobytes()).decode(),
            }
            for place, unit in enumerate(units)
        ],
    }


def page(data: dict[str, Any]) -> bytes:
    """The page as the bytes of a file."""
    return pages.page("dreamer.texts", "text", data)
