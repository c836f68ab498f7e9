"""How much a video flickers: how much each frame differs from the one before, moved as the source moved.

References:
    Lai, Huang, Wang, Shechtman, Yumer and Yang, "Learning Blind Video Temporal Consistency", ECCV 2018, section 4.2.
"""

from __future__ import annotations

from dreamer.arrays import FloatArray, StoredArray, as_float
from dreamer.filming.motion import moved


def warping_error(frame: StoredArray, before: StoredArray, back: FloatArray, seen: FloatArray) -> float:
    """How much a frame differs from the one before it, moved to where its things are.

    Args:
        frame: ``(height, width, 3)`` RGB as it is stored.
        before: The frame before, of the same size.
        back: The motion of the *source* from this frame to the one before, ``(height, width, 2)`` in pixels.
        seen: ``(height, width)`` in [0, 1]: what was there to be seen in the frame before, of the source as well.

    Returns:
        The squared difference of values in [0, 1], summed over the three colours, in the mean over what was seen.

    Example:
        >>> grey = np.full((20, 30, 3), 0.5, np.float32)
        >>> round(warping_error(grey, grey + 0.1, np.zeros((20, 30, 2), np.float32), np.ones((20, 30), np.float32)), 4)
        0.03
    """
    difference = ((as_float(frame) - moved(as_float(before), back)) ** 2).sum(-1)
    weight = float(seen.sum())
    return float((difference * seen).sum() / (weight or seen.size))
