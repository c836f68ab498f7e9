"""Codes: networks from a code to a picture, whose code is climbed in the stead of pixels or waves.

The one idea: a generator can make nothing but pictures of the kind that it was taught, so whatever a network's gradient
asks of its code, the picture stays one of those. It is a parametrization like others, and what keeps a code among the
likely ones is done to it after each step: bounds, a norm, and with an encoder *E* a share of the way to *E(G(h))*.

What is known of a generator stands in a TOML beside its ``.keras`` file:

    picture = "-1..1"            # the values that it gives: as in networks.md, by default 0..1
    encoder = "encoder.keras"    # from pictures to codes, for --start and for the pull
    deviation = 1.0              # of the codes that a run begins with
    bounds = [0, 30]             # of every number of a code; or a .npy or .txt beside it with a bound for each
    norm = 10.0                  # the largest length of a code
    decay = 0.01                 # share of a code that is taken off, per step and learning rate
    learning_rate = 0.1

Must not import: networks that are drawn, pictures.

References:
    Nguyen et al., "Synthesizing the preferred inputs for neurons in neural networks via deep generator networks", 2016,
    arXiv:1605.09304 (a code climbed, its bounds); "Plug & Play Generative Networks", 2017, arXiv:1612.00005, eq. 5.
"""

from __future__ import annotations

import hashlib
import json
import math
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from dreamer.arrays import FloatArray, Size
from dreamer.ascent.optimizing import Course, Given
from dreamer.ascent.parametrizations import Kind, Parametrization
from dreamer.ascent.schedule import Schedule
from dreamer.backends.backend import Tensor
from dreamer.errors import PriorError, SettingsError, in_one_line
from dreamer.files import npy, regular
from dreamer.files.documents import read_toml
from dreamer.files.regular import lies_within
from dreamer.models.preprocessing import GENERAL, PREPROCESSINGS
from dreamer.models.weights import FileWeights
from dreamer.priors import networks, specs
from dreamer.priors.specs import PriorSpec
from dreamer.wording import shown

_KEYS = ("picture", "encoder", "deviation", "bounds", "norm", "decay", "learning_rate")
_MOST_BYTES = 100_000_000  # Of a file of bounds.
_PROBED = 2  # Positions of a code whose size is open, when it is tried how large a picture becomes of it.
_MOST_BEYOND = 0.5  # As of a pull.
_LARGEST = 1e30  # Of a number in a TOML, which float32 has to hold.


class Code:
    """A prior from a code to a picture.

    Args:
        spec: What is known of it.
        network: From codes ``(batch, numbers)`` or ``(batch, height, width, channels)`` to pictures.
        sha256: Digest of its weights.

    Raises:
        PriorError: The network is not one of that kind.
        SettingsError: The TOML beside it is wrong.

    Attributes:
        sha256: Digest of all that it depends on.
        encoder: From pictures to codes; None where there is none.
    """

    usual_weight = 0.0  # What an encoder finds again in a picture has less detail than the picture.

    def __init__(self, spec: PriorSpec, network: Any, sha256: str) -> None:
        self.spec = spec
        self._network = network
        self._told = told = table(spec)
        meaning = PREPROCESSINGS[told.get("picture", "0..1")]
        self._mean, self._std = np.array(meaning.mean, np.float32), np.array(meaning.std, np.float32)
        self._blue_first = meaning.order == "BGR"
        self._deviation = float(told.get("deviation", 1.0))
        self._shape: tuple[int | None, ...] = tuple(network.inputs[0].shape)[1:]
        self._bounds = self._read_bounds()
        self._made_of_two = self._probed(self._shaped(_PROBED))
        self.encoder: Any = None
        encoder, of_encoder = spec.encoder or told.get("encoder"), ""
        if encoder is not None:
            self.encoder, of_encoder = self._encoder(str(encoder))
        limits = [] if self._bounds is None else [one.tobytes().hex() for one in self._bounds]
        said = sorted((key, str(value)) for key, value in told.items() if key not in ("encoder", "bounds"))
        known = json.dumps([sha256, of_encoder, limits, said])
        self.sha256 = hashlib.sha256(known.encode()).hexdigest() if told or encoder else sha256

    @property
    def variables(self) -> list[Any]:
        """What its networks read."""
        return [*self._network.variables, *(self.encoder.variables if self.encoder is not None else ())]

    @cached_property
    def parametrization(self) -> Kind:
        """It as a kind of parametrization, with what goes with it."""
        return Kind(
            lambda size, _: self._of_size(size),
            transforms="inside",
            optimizer="adam",
            learning_rate=float(self._told.get("learning_rate", 0.05)),
            schedule=Schedule(decay=float(self._told.get("decay", 0.0))),
        )

    def made(self, size: Size) -> Size:
        """The size at which it makes pictures that are to have a size: the nearest above, or the only one."""
        shape = self._network.compute_output_spec(keras.KerasTensor((1, *self._code_shape(size)))).shape
        return int(shape[1]), int(shape[2])

    def numbers_kept(self, size: Size) -> int:
        """How many numbers the way down has to keep of one picture: all that its layers give."""
        shape = self._code_shape(size)
        layers = keras.Model(self._network.inputs[0], [layer.output for layer in self._network.layers])
        return sum(math.prod(one.shape) for one in layers.compute_output_spec(keras.KerasTensor((1, *shape))))

    def after_step(self, made_from: Tensor, course: Course, _given: Given) -> Tensor:
        """Codes brought back among the likely ones, within a program."""
        if self.encoder is not None:
            made_from = ops.cond(
                course.pull > 0,
                lambda: made_from + course.pull * (self._found_again(made_from) - made_from),
                lambda: made_from,
            )
        return self._within(made_from)

    def _found_again(self, codes: Tensor) -> Tensor:
        """What the encoder finds in the pictures of codes."""
        return ops.reshape(self._encoded(self._pictures(codes)), ops.shape(codes))

    def _within(self, codes: Tensor) -> Tensor:
        """Codes within their bounds, and no longer than they may be."""
        if self._bounds is not None:
            codes = ops.clip(codes, *self._bounds)
        if "norm" in self._told:
            axes = tuple(range(1, len(codes.shape)))
            length = ops.sqrt(ops.sum(ops.square(codes), axis=axes, keepdims=True))
            codes = codes * ops.minimum(1.0, self._told["norm"] / (length + 1e-12))
        return codes

    def _of_size(self, size: Size) -> Parametrization:
        made = self.made(size)
        shape = self._code_shape(size)

        def render(codes: Tensor) -> Tensor:
            pictures = self._pictures(ops.reshape(codes, (-1, *shape)))
            resized = pictures if made == size else ops.image.resize(pictures, size, antialias=True)
            return ops.clip(resized, 0, 1)

        def encode(pictures: Tensor) -> Tensor:
            if self.encoder is None:
                raise SettingsError(
                    f"the prior {self.spec.name} has no encoder, which would find the code of a picture to start with; "
                    f"leave out --start, or name an encoder in {Path(self.spec.name).with_suffix('.toml').name}"
                )
            resized = ops.convert_to_tensor(pictures, "float32")
            resized = resized if made == size else ops.image.resize(resized, made, antialias=True)
            return self._within(ops.reshape(self._encoded(resized), (-1, *shape)))

        return Parametrization(lambda rng, count: self._drawn(rng, (count, *shape)), render, encode)

    def _drawn(self, rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
        code = rng.normal(scale=self._deviation, size=shape).astype(np.float32)
        return np.asarray(ops.convert_to_numpy(self._within(ops.convert_to_tensor(code))), np.float32)

    def _code_shape(self, size: Size) -> tuple[int, ...]:
        """The shape of the code of a picture of a size, or of the next that is made."""
        return self._shaped(*(-(-side * _PROBED // two) for side, two in zip(size, self._made_of_two, strict=True)))

    def _shaped(self, height: int, width: int | None = None) -> tuple[int, ...]:
        """The shape of a code, with so many positions where that is open."""
        open_sides = iter((height, height if width is None else width))
        return tuple(next(open_sides) if side is None else int(side) for side in self._shape)

    def _pictures(self, codes: Tensor) -> Tensor:
        """Pictures in about 0..1 of codes."""
        given = ops.cast(self._network(codes, training=False), "float32")
        return ops.add(ops.multiply(ops.flip(given, axis=-1) if self._blue_first else given, self._std), self._mean)

    def _encoded(self, pictures: Tensor) -> Tensor:
        prepared = ops.divide(ops.subtract(pictures, self._mean), self._std)
        given = ops.flip(prepared, axis=-1) if self._blue_first else prepared
        return ops.cast(self.encoder(given, training=False), "float32")

    def _probed(self, shape: tuple[int, ...]) -> Size:
        """The size of a picture that a code becomes.

        Raises:
            PriorError: It becomes none.
        """
        code = self._drawn(np.random.default_rng(0), (1, *shape))
        try:
            found = ops.convert_to_numpy(ops.stop_gradient(self._pictures(ops.convert_to_tensor(code))))
        # Layers raise what they like.
        except Exception as error:
            raise PriorError(
                f"the prior {self.spec.name} makes no picture of a code of {shape}: {in_one_line(error)}"
            ) from error
        low, high = float(found.min()), float(found.max())
        if not low >= -_MOST_BEYOND or not high <= 1 + _MOST_BEYOND:
            beside = Path(self.spec.name).with_suffix(".toml").name
            raise PriorError(
                f"the prior {self.spec.name} gives values from {low:.3g} to {high:.3g}; expected pictures in 0..1. If "
                f'they mean something else, say so in {beside}, as in picture = "-1..1"'
            )
        return int(found.shape[1]), int(found.shape[2])

    def _encoder(self, name: str) -> tuple[Any, str]:
        """The encoder, and the digest of its weights."""
        height, width = self._made_of_two
        encoder, sha256 = networks.load(specs.spec(name))
        try:
            found = tuple(encoder(np.zeros((1, height, width, 3), np.float32), training=False).shape)[1:]
        except Exception as error:
            raise PriorError(
                f"the encoder {name} makes nothing of a picture of {height}x{width}: {in_one_line(error)}"
            ) from error
        if math.prod(found) != math.prod(self._shaped(_PROBED)):
            raise PriorError(
                f"the encoder {name} makes codes of {found}, and {self.spec.name} takes "
                f"{self._shaped(_PROBED)}; expected two that belong together"
            )
        return encoder, sha256

    def _read_bounds(self) -> tuple[FloatArray, FloatArray] | None:
        """The lowest and the highest numbers of a code, one for all or one for each.

        Raises:
            PriorError: They are of another code.
            SettingsError: They cannot be read.
        """
        said = self._told.get("bounds")
        if said is None:
            return None
        if not isinstance(said, Path):
            low, high = (np.array(one, np.float32) for one in said)
            return low, high
        array = _limits(said)
        shape = self._shaped(_PROBED)
        if array.shape[1] != shape[-1]:
            raise PriorError(
                f"the bounds {said} are of a code of {array.shape[1]} numbers, and {self.spec.name} takes {shape}; "
                "expected one for each"
            )
        return array[0], array[1]


def table(spec: PriorSpec) -> dict[str, Any]:
    """What is said of a generator, in the TOML beside it or of one that goes by a name; files as paths.

    Raises:
        SettingsError: It says something else than it may.
    """
    path = Path(spec.name).with_suffix(".toml")
    try:
        said = read_toml(path) if isinstance(spec.weights, FileWeights) else dict(spec.told)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"cannot read {path}: {in_one_line(error)}") from error
    for key in said:
        if key not in _KEYS:
            raise SettingsError(f"{path} has an unknown key {shown(key)}. Known: {', '.join(_KEYS)}")
    if said.get("picture", GENERAL[0]) not in GENERAL:
        raise SettingsError(f"{path}: picture is {shown(said['picture'])}; expected one of {', '.join(GENERAL)}")
    for key in ("deviation", "norm", "decay", "learning_rate"):
        if key in said and not _is_positive(said[key]):
            raise SettingsError(f"{path}: {key} is {shown(said[key])}; expected a number above 0")
    if "encoder" in said:
        said["encoder"] = _beside(path, "encoder", said["encoder"])
        if said["encoder"].suffix.lower() != ".keras":
            raise SettingsError(f"{path}: encoder is {said['encoder'].name!r}; expected a .keras file")
    if isinstance(said.get("bounds"), str):
        said["bounds"] = _beside(path, "bounds", said["bounds"])
    elif "bounds" in said and not _is_rising(said["bounds"]):
        raise SettingsError(
            f"{path}: bounds is {shown(said['bounds'])}; expected [low, high], or the name of a .npy or .txt beside it"
        )
    return said


def files(spec: PriorSpec) -> list[Path]:
    """The files besides the network's own that a prior in a file may depend on. What is wrong in them is said later."""
    if not isinstance(spec.weights, FileWeights):
        return []
    beside = Path(spec.name).with_suffix(".toml")
    with suppress(SettingsError):
        named = [path for path in table(spec).values() if isinstance(path, Path)]
        return [path for path in (beside, *named) if path.is_file()]
    return [beside] if beside.is_file() else []


def _limits(file: Path) -> FloatArray:
    """The lower and the upper bounds in a file: ``(2, numbers of a code)``."""
    try:
        if file.suffix == ".txt":  # As DGN-AM has them: a number a line.
            array = np.array(regular.read_text(file, most=_MOST_BYTES).split(), np.float32)
        else:
            array = np.asarray(npy.read(file, most=_MOST_BYTES), np.float32)
    except (OSError, ValueError) as error:
        raise SettingsError(f"cannot read the bounds {file}: {in_one_line(error)}") from error
    found = np.stack([np.zeros_like(array), array]) if array.ndim == 1 else array
    if found.ndim != 2 or len(found) != 2 or not np.isfinite(found).all() or (found[0] > found[1]).any():
        raise SettingsError(
            f"{file} has the shape {array.shape}; expected (numbers of a code,), the upper bounds over 0, or "
            "(2, numbers of a code), the lower before the upper"
        )
    return np.asarray(found, np.float32)


def _is_rising(said: Any) -> bool:
    is_pair = isinstance(said, list) and len(said) == 2 and all(isinstance(one, int | float) for one in said)
    return is_pair and -_LARGEST <= said[0] < said[1] <= _LARGEST


def _beside(path: Path, key: str, file: Any) -> Path:
    """A file that the TOML names: one that lies beside it, since the two may come from somebody else."""
    if not isinstance(file, str) or not lies_within(path.parent, path.parent / file):
        raise SettingsError(f"{path}: {key} is {shown(file)}; expected a file that lies beside it")
    return (path.parent / file).absolute()


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _LARGEST
