"""How a machine is shared out among workers: cores, memory, GPUs.

Must not import Keras or anything heavy: it is asked before a worker imports anything.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping

_MEMORY_OF_A_WORKER = 2 << 30  # Bytes: a network, a batch of tiles and a photo of some 20 megapixels.
_SECONDS_FOR_AN_ANSWER = 20

ONE_THREAD: Mapping[str, str] = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
}
"""Environment of a worker on CPUs. Several of one thread do more than one of several; and since sums depend on how
many threads share them, pictures come out the same, bit for bit, however many workers there are."""

SHARED_GPU: Mapping[str, str] = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
"""Environment of a process that shares a GPU with others, or the first to come would take all of its memory."""


def gpus() -> list[str]:
    """The GPUs that may be used here, as ``CUDA_VISIBLE_DEVICES`` names them."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name for name in chosen.split(",") if name.strip() not in ("", "-1")]
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        asked = subprocess.run(  # noqa: S603  A program of the driver, without a shell.
            [program, "--query-gpu=uuid", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS_FOR_AN_ANSWER,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return asked.stdout.split()


def environments(workers: int | None = None) -> list[dict[str, str]]:
    """What to add to the environment of each worker of this machine.

    Args:
        workers: How many; None for one per GPU, or without any one per core, if there is memory for them.

    Returns:
        One mapping per worker.
    """
    found = gpus()
    count = workers or len(found) or default_workers()
    if not found:
        return [dict(ONE_THREAD) for _ in range(count)]
    threads = str(max(1, cores() // count))
    shared = dict.fromkeys(ONE_THREAD, threads)
    if count > len(found):
        shared |= SHARED_GPU
    return [shared | {"CUDA_VISIBLE_DEVICES": found[index % len(found)]} for index in range(count)]


def default_workers() -> int:
    """One per core, as far as memory goes."""
    import psutil

    return max(1, min(cores(), int(psutil.virtual_memory().available // _MEMORY_OF_A_WORKER)))


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
