"""Work for pools: functions of a module, as processes have to find them."""

from __future__ import annotations

import errno
import os
import re
import time
from pathlib import Path

from dreamer.workers import process


def act(job):
    """Do what a job says: ``(verb, argument)``."""
    verb, argument = job
    return globals()[f"_{verb}"](argument)


def _give(value):
    return value


def _raise(error):
    raise error


def _die(_):
    os._exit(9)


def _die_once(path):
    if not Path(path).exists():
        Path(path).touch()
        os._exit(9)
    return "alive"


def _fail_once(path):
    if not Path(path).exists():
        Path(path).touch()
        raise OSError(errno.EIO, "a cable was loose")
    return "plugged in"


def _environment(name):
    return os.environ.get(name), os.getpid()


def _wait_for(path):
    while not Path(path).exists():
        time.sleep(0.01)
    return path


def _linger(path):
    Path(path).write_text(str(os.getpid()))
    time.sleep(600)


def _brood(_):
    """Take for ever without ever letting go of Python's lock, so that no thread of the process could end it."""
    re.match("(a+)+$", "a" * 64 + "b")


def _take(seconds):
    """Say how long it takes, then take nearly so long."""
    process.allow(seconds)
    time.sleep(0.8 * seconds)
    return "in time"


def _take_less(seconds):
    process.allow(seconds)
    time.sleep(600)


def _send_yourself(number):
    os.kill(os.getpid(), number)
    time.sleep(0.05)
    return "deaf"


def _place_and_wait(folder):
    """Say on which machine of a Ray cluster this is, and which of Ray's processes asked for it; go on when told to."""
    raylet = os.environ["RAY_RAYLET_PID"]
    Path(folder, f"{raylet}-{os.getppid()}").touch()
    _wait_for(Path(folder, "go"))
    return raylet
