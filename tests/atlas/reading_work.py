"""Work for pools, as processes have to find it."""

from __future__ import annotations

import time

from dreamer.batch import workers


def read_for_ever(_):
    workers.allow(0.5)
    time.sleep(600)
