"""Work for pools, as processes have to find it."""

from __future__ import annotations

import time

from dreamer.workers import process


def read_for_ever(_):
    process.allow(0.5)
    time.sleep(600)
