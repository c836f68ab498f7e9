"""Memory of this machine: how much of it may still be taken.

The one idea: in a container the system tells of the whole machine's memory, of which less may be taken; so both are
asked, and the smaller figure holds. Whoever sizes its work by memory asks here.

Must not import anything of the package, nor anything heavy.
"""

from __future__ import annotations

import math
from pathlib import Path

import psutil

DREAM_BYTES = 24
"""What a dream takes for each pixel besides the photo: the picture and its gradient, both float32."""

PRIOR_BYTES = 36
"""What a prior takes besides: the photo in float32, its way to a likelier one, and the dream's."""

TILEABLE_BYTES = 20
"""What a dream with edges that meet takes besides: the photo in float32, and for a moment the waves of a channel."""

_CGROUP = Path("/sys/fs/cgroup")


def free() -> float:
    """Bytes that this process may still take, as far as the system says.

    Example:
        >>> free() > 0
        True
    """
    return min(int(psutil.virtual_memory().available), _left_in_container())


def _left_in_container() -> float:
    """Bytes that the container this runs in may still take, if it is one; files that are only cached count as free."""
    try:
        limit, used, details = (
            (_CGROUP / f"memory.{part}").read_text(encoding="ascii").strip() for part in ("max", "current", "stat")
        )
    except OSError:
        return math.inf
    if limit == "max":
        return math.inf
    cached = dict(line.split() for line in details.splitlines())["inactive_file"]
    return int(limit) - int(used) + int(cached)
