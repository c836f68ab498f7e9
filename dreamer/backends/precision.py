"""In which type of number a network is computed.

The one idea: fewer bits are taken only where two things are known: that this hardware is quicker
with them, and that dreams of this network are as good (98 % of the objective at the end, measured in
float32; ``networks.toml`` says for which networks that was measured).

Must not import: networks, pictures, files.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from dreamer.backends import backend

_CPU_INFO = Path("/proc/cpuinfo")
_CPU_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")  # x86 twice, then Arm.


class Precision(NamedTuple):
    """A type of number, and why it was taken.

    Attributes:
        name: ``"float32"``, ``"bfloat16"`` or ``"float16"``.
        why: In a few words.
    """

    name: str
    why: str


def choose(wanted: str, compared: Collection[str], network: str) -> Precision:
    """Pick the type of number.

    Args:
        wanted: ``"auto"``, or the type itself.
        compared: The types in which this network's dreams were found as good as in float32.
        network: Its name, to be told.

    Returns:
        What was wanted; for ``"auto"`` the quickest type that is as good.

    Example:
        >>> choose("float32", (), "own")
        Precision(name='float32', why='asked for')
    """
    if wanted != "auto":
        return Precision(wanted, "asked for")
    quickest = of_hardware()
    if quickest.name in ("float32", *compared):
        return quickest
    return Precision("float32", f"{quickest.why}, but dreams of {network} in it were not compared with float32")


def shared(wanted: str, compared: Mapping[str, Collection[str]]) -> str:
    """The type of number that several networks share: the one that each would take, or float32.

    Args:
        wanted: As for :func:`choose`.
        compared: The types in which the dreams of each network were found as good as in float32, by its name.

    Example:
        >>> shared("bfloat16", {"one": (), "other": ()})
        'bfloat16'
    """
    chosen = {choose(wanted, types, network).name for network, types in compared.items()}
    return chosen.pop() if len(chosen) == 1 else "float32"


@cache
def of_hardware() -> Precision:
    """The type in which the first device computes quickest."""
    device = backend.current().devices()[0]
    if device.kind == "tpu":
        return Precision("bfloat16", "TPUs compute in bfloat16")
    if device.kind == "gpu":
        return _of_gpu(device)
    flags = [flag for flag in _CPU_FLAGS if flag in _cpu_flags()]
    if not flags:
        return Precision("float32", "the processor has no instructions for bfloat16")
    if not backend.current().USES_LOW_PRECISION_OF_CPU:
        return Precision("float32", f"{backend.name()} makes no use of the processor's {flags[0]}")
    return Precision("bfloat16", f"the processor has {flags[0]}")


def _of_gpu(device: backend.Device) -> Precision:
    if device.generation is None:
        return Precision("float32", f"nothing is known about {device.name} and shorter types")
    generation = ".".join(map(str, device.generation))
    if device.generation >= (8, 0):
        return Precision("bfloat16", f"compute capability {generation} has matrix units for bfloat16")
    if device.generation >= (7, 0):
        return Precision("float16", f"compute capability {generation} has matrix units for float16")
    return Precision("float32", f"compute capability {generation} has no matrix units")


def _cpu_flags() -> set[str]:
    if sys.platform != "linux":
        return set()
    lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    named = (line.partition(":")[2] for line in lines if line.lower().startswith(("flags", "features")))
    return set(next(named, "").split())
