"""Work for pools: functions of a module, as processes have to find them."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path


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


def _interrupt_yourself(_):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.05)
    return "deaf"


def _wait_for(path):
    while not Path(path).exists():
        time.sleep(0.01)
    return path


def _linger(path):
    Path(path).write_text(str(os.getpid()))
    time.sleep(600)


def _place_and_wait(folder):
    """Say on which machine of a Ray cluster this is, and go on when told to."""
    import ray

    node = ray.get_runtime_context().get_node_id()
    Path(folder, f"{node}-{os.getpid()}").touch()
    _wait_for(Path(folder, "go"))
    return node
