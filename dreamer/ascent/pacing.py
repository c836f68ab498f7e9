"""Pacing of chunks: how many steps are handed to a device at once.

The one idea: a chunk grows until it takes about half a second. Shorter ones would leave the device waiting for Python,
longer ones whoever watches waiting for the device. Between a quarter and half a second nothing changes, so the length
settles.

Must not import anything of the package.
"""

from __future__ import annotations

SECONDS = 0.5
"""What a chunk takes at the most, about."""


class Pace:
    """The length of the next chunk.

    Args:
        most: Steps of a chunk at the most.

    Attributes:
        length: Steps of the next chunk.

    Example:
        >>> pace = Pace(8)
        >>> for _ in range(5):
        ...     pace.took(pace.length, 0.1 * pace.length)  # A tenth of a second each.
        >>> pace.length
        4
    """

    def __init__(self, most: int) -> None:
        self.length = 1
        self._most = most

    def took(self, steps: int, seconds: float) -> None:
        """Take note of a finished chunk.

        Args:
            steps: How many it had; fewer than :attr:`length` where the run or a stage of it ended.
            seconds: How long it took.
        """
        if seconds > SECONDS:
            self.length = max(self.length // 2, 1)
        elif steps == self.length and seconds < SECONDS / 2:
            self.length = min(2 * self.length, self._most)
