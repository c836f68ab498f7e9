"""What dreamer runs on, and how well: the facts behind ``dreamer doctor``.

Must not import: the command line.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dreamer import objectives, targets
from dreamer.ascent import tile_view
from dreamer.backends import BACKENDS, backend, measuring, precision
from dreamer.dreaming.ascent import programs
from dreamer.models import registry, store
from dreamer.models.specs import KERAS_PREFIX, ModelSpec, known
from dreamer.version import __version__

_SIDE = 512
_LIBRARIES = ("keras", *BACKENDS, "numpy", "opencv-python-headless", "pillow", "av")


class Rate(NamedTuple):
    """How fast a gradient of the bundled network is computed.

    Attributes:
        network: Its name.
        layer: Whose mean square was climbed.
        side: Height and width of the picture, in pixels.
        precision: The type it was computed in.
        seconds: Of one gradient, the median.
        operations_per_second: What that makes.
        peak: Operations per second of a matrix product in the same type.
        operations_bound: Seconds that the operations take at that peak.
        memory_bound: Seconds that the least of reading and writing takes.
    """

    network: str
    layer: str
    side: int
    precision: str
    seconds: float
    operations_per_second: float
    peak: float
    operations_bound: float
    memory_bound: float


class Diagnosis(NamedTuple):
    """All that there is to know, as JSON can hold it.

    Attributes:
        backend: What Keras runs on.
        devices: What that computes on.
        precision: By network, the type that ``auto`` takes and why.
        rate: Measured; None where it was not asked for.
        versions: By distribution; None for what is not installed.
        cache: The folder of the weights.
        installed: The networks whose weights lie there.
        cache_bytes: What they take.
    """

    backend: str
    devices: list[str]
    precision: dict[str, precision.Precision]
    rate: Rate | None
    versions: dict[str, str | None]
    cache: Path
    installed: list[str]
    cache_bytes: int

    def to_dict(self) -> dict[str, object]:
        """As JSON can hold it."""
        return self._asdict() | {
            "precision": {name: chosen._asdict() for name, chosen in self.precision.items()},
            "rate": self.rate._asdict() if self.rate else None,
            "cache": str(self.cache),
        }


def examine(*, measure: bool = True) -> Diagnosis:
    """Look at what dreamer runs on.

    Args:
        measure: Whether to measure how fast it is, which takes some seconds.

    Raises:
        BackendError: Keras runs on a backend that is not supported.

    Example:
        >>> examine(measure=False).backend
        'tensorflow'
    """
    files = [path for path in store.home().rglob("*") if path.is_file()]
    return Diagnosis(
        backend=backend.name(),
        devices=[_described(device) for device in backend.current().devices()],
        precision={spec.name: precision.choose("auto", spec.low_precisions, spec.name) for spec in _own_networks()},
        rate=_rate() if measure else None,
        versions={
            "dreamer": __version__,
            "python": platform.python_version(),
            **{name: _version(name) for name in _LIBRARIES},
            # Its distribution may have another name, as tensorflow-cpu has.
            backend.name(): str(import_module(backend.name()).__version__),
        },
        cache=store.home(),
        installed=[name for name in known() if store.find(name)],
        cache_bytes=sum(path.stat().st_size for path in files),
    )


def _own_networks() -> Iterator[ModelSpec]:
    return (spec for spec in known().values() if not spec.name.startswith(KERAS_PREFIX))


def _described(device: backend.Device) -> str:
    if device.kind == "cpu":
        return f"CPU with {os.cpu_count()} cores"
    generation = f", compute capability {'.'.join(map(str, device.generation))}" if device.generation else ""
    return f"{device.kind.upper()} {device.name}{generation}"


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _rate() -> Rate:
    network = registry.load("efficientnet_lite0")
    layer = network.default_layer
    chosen = precision.choose("auto", network.spec.low_precisions, network.spec.name).name
    gradient = programs(network, targets.resolve(objectives.layer(layer), network), warps=False, precision=chosen).tiles
    picture = np.random.default_rng(0).random((1, _SIDE, _SIDE, 3), np.float32)
    spent = measuring.seconds(lambda: gradient(picture, tile_view.IDENTITY))
    cost = network.cost([layer], (_SIDE, _SIDE))
    peak = measuring.matrix_product_rate(chosen)
    bytes_moved = cost.numbers_moved * (4 if chosen == "float32" else 2)
    return Rate(
        network=network.spec.name,
        layer=layer,
        side=_SIDE,
        precision=chosen,
        seconds=spent,
        operations_per_second=cost.operations / spent,
        peak=peak,
        operations_bound=cost.operations / peak,
        memory_bound=bytes_moved / measuring.bandwidth(),
    )
