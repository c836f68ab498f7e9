"""The call that makes a mask from a photo: a start, which any editor mends.

(The function lives here and not in a module ``mask``, because importing that would hide ``dreamer.mask``.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import StoredArray, as_float
from dreamer.errors import SettingsError
from dreamer.images import Photo
from dreamer.mask_kinds import KINDS
from dreamer.masking import cutting
from dreamer.masking.edges import edges
from dreamer.masking.sky import sky
from dreamer.recipes import head
from dreamer.results import Result
from dreamer.sources import opened
from dreamer.wording import shown


def mask(picture: Any, kind: str, *, invert: bool = False) -> Result:
    """Make a mask to start from: white where a dream is to be seen.

    It is a start and no more: it is found by colours, edges and a small network, and is to be looked at and mended.

    Args:
        picture: A path, a Pillow image, an earlier result, or an array ``(height, width, 3)`` of RGB.
        kind: ``"subject"``, ``"sky"`` or ``"edges"``.
        invert: Whether black and white are exchanged.

    Returns:
        The mask as a grey picture of the photo's size; ``save`` writes it.

    Raises:
        SettingsError: There is no such kind, or nothing of it is found in the photo.
        ImageReadError: The photo cannot be read.

    Example:
        >>> import dreamer
        >>> dreamer.mask("photo.jpg", "sky").save("sky.png")  # doctest: +SKIP
        >>> dreamer.dream("photo.jpg", mask="sky.png")  # doctest: +SKIP
    """
    photo, source = opened(picture)
    levels = levels_of(photo.pixels, kind)
    shown_levels = 255 - levels if invert else levels
    recipe = head() | {"command": "mask", "kind": kind, "invert": invert, **({"source": source} if source else {})}
    return Result(Photo(np.repeat(as_float(shown_levels)[..., None], 3, axis=2), is_grey=True), recipe)


def levels_of(photo: StoredArray, kind: str) -> NDArray[np.uint8]:
    """The mask of a kind for a photo; equal for equal photos.

    Args:
        photo: ``(height, width, 3)`` RGB as it is stored.
        kind: A name in :data:`~dreamer.mask_kinds.KINDS`.

    Returns:
        ``(height, width)``: 255 where to dream.

    Raises:
        SettingsError: There is no such kind, or nothing of it is found in the photo.
    """
    if kind not in KINDS:
        raise SettingsError(f"there is no mask {shown(kind)}; expected one of {', '.join(KINDS)}")
    levels = _found(photo, kind)
    if levels is None or not levels.any():
        are = "are no edges" if kind == "edges" else f"is no {kind}"
        raise SettingsError(
            f"the mask {kind} would be empty: there {are} to be found in the photo, as far as that can be told without "
            "a person. Paint a mask and name its file, or choose another kind"
        )
    return levels


def _found(photo: StoredArray, kind: str) -> NDArray[np.uint8] | None:
    if kind == "edges":
        return edges(photo)
    pixels = cutting.small(photo)
    if kind == "sky":
        region = sky(pixels)
    else:
        from dreamer.masking.subject import subject  # Which needs Keras.

        region = subject(pixels)
    return None if region is None else cutting.to_edges(region, photo)
