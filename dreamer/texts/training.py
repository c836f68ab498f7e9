"""A small network of characters of one's own: taught to say the next character of some texts.

The one idea: char-rnn as Keras has it today. Windows of the text by chance, so that the same seed gives the same
network; a part at the end is held back, and tells in bits for a character how well it has learnt. Whatever interrupts
it, what was learnt by then is kept.

Must not import: the command line.

References:
    Karpathy, "The unreasonable effectiveness of recurrent neural networks", 2015, and char-rnn.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer.errors import SettingsError
from dreamer.images import files
from dreamer.settings import SEEDS
from dreamer.texts import vocabulary as vocabularies
from dreamer.texts.settings import TRAIN_STEPS
from dreamer.texts.vocabulary import Vocabulary

_STEPS, _BATCH = 100, 64  # Characters of a window, windows of a batch.
_EMBEDDING = 64
_RATE, _CLIP = 2e-3, 1.0
_HELD_BACK = 0.05
_MOST_HELD_BACK = 20_000
_LEAST_TEXT = 1000
_SHOW_EVERY = 20
_KINDS = ("lstm", "gru", "rnn")


@dataclass(frozen=True)
class Trained:
    """A network that was taught.

    Attributes:
        path: Its file.
        vocabulary: Its characters.
        steps: How many batches it saw.
        bits: For a character of what was held back, in the mean.
        weights: How many numbers it has.
        is_partial: Whether it was interrupted.
    """

    path: Path
    vocabulary: Vocabulary
    steps: int
    bits: float
    weights: int
    is_partial: bool


def train(
    text: str,
    path: str | Path,
    *,
    units: int = 128,
    layers: int = 1,
    kind: str = "lstm",
    steps: int = TRAIN_STEPS,
    seed: int = 0,
    overwrite: bool = False,
    on_step: Callable[[int, float], None] | None = None,
) -> Trained:
    """Teach a network to say the next character, and write it with its vocabulary.

    Args:
        text: What it learns; a hundred thousand characters at least make sense.
        path: Of the ``.keras`` file. Beside it go ``.toml``, which names its characters, and ``.chars.txt``, which has
            them.
        units: Of each layer.
        layers: How many recurrent layers it has.
        kind: ``"lstm"``, ``"gru"`` or ``"rnn"``.
        steps: Batches of 64 windows of 100 characters.
        seed: Everything random comes from it.
        overwrite: Whether files that are there are replaced.
        on_step: Told from time to time how many batches it saw, and the bits for a character in the last ones. If it
            raises KeyboardInterrupt, what was learnt is written before that goes on.

    Raises:
        SettingsError: The text is too short, or a number is impossible.
        ImageWriteError: It cannot be written there.

    Example:
        >>> text = open("code.py").read()  # doctest: +SKIP
        >>> dreamer.texts.train(text, "char.keras", steps=2000).bits  # doctest: +SKIP
        2.31
    """
    place = Path(path)
    check(place, units=units, layers=layers, kind=kind, steps=steps, seed=seed, overwrite=overwrite)
    if len(text) < _LEAST_TEXT:
        raise SettingsError(f"the text has {len(text):,} characters; expected {_LEAST_TEXT:,} at least, to learn from")
    import keras

    keras.utils.set_random_seed(seed)
    known = vocabularies.of_text(text)
    numbers = known.numbers(text)
    held = min(max(int(len(numbers) * _HELD_BACK), _STEPS + 1), _MOST_HELD_BACK)
    learnt, told = numbers[:-held], numbers[-held:]
    network = _network(len(known), units, layers, kind)
    done, interrupt = 0, None
    try:
        for done, bits in _taught(network, learnt, steps, seed):
            if on_step is not None and bits is not None:
                on_step(done, bits)
    except KeyboardInterrupt as stopped:
        interrupt = stopped
    _write(network, known, place, overwrite=overwrite)
    found = Trained(place, known, done, _bits(network, told), int(network.count_params()), interrupt is not None)
    if interrupt is not None:
        raise Stopped(found) from interrupt
    return found


class Stopped(KeyboardInterrupt):
    """An interrupt after which what was learnt is written.

    Attributes:
        partial: The network as far as it came.
    """

    def __init__(self, partial: Trained) -> None:
        super().__init__(f"what was learnt in {partial.steps} steps is in {partial.path}")
        self.partial = partial


def check(path: Path, *, units: int, layers: int, kind: str, steps: int, seed: int, overwrite: bool) -> None:
    """Find out whether a network can be taught so and written there.

    Raises:
        SettingsError, ImageWriteError: It cannot.
    """
    for name, value, most in (("units", units, 4096), ("layers", layers, 8), ("steps", steps, 10_000_000)):
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise SettingsError(f"{name} is {value!r}; expected a whole number: 1 to {most}")
    if not isinstance(seed, int) or not SEEDS[1] <= seed < 2**32:
        raise SettingsError(f"seed is {seed!r}; expected a whole number: 0 to 2**32 - 1")
    if kind not in _KINDS:
        raise SettingsError(f"kind is {kind!r}; expected one of {', '.join(_KINDS)}")
    if path.suffix != ".keras":
        raise SettingsError(f"{path} has the suffix {path.suffix!r}; a network is written as .keras")
    for one in (path, *_beside(path)):
        files.check_place(one, overwrite=overwrite)


def _beside(path: Path) -> tuple[Path, Path]:
    return path.with_suffix(".toml"), path.with_suffix(".chars.txt")


def _network(count: int, units: int, layers: int, kind: str) -> Any:
    import keras

    made = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}[kind]
    names = [kind if layers == 1 else f"{kind}{index + 1}" for index in range(layers)]
    network = keras.Sequential([
        keras.Input((None,), dtype="int32", name="characters"),
        keras.layers.Embedding(count, _EMBEDDING, name="embedding"),
        *(made(units, return_sequences=True, name=name) for name in names),
        keras.layers.Dense(count, name="next"),
    ])  # fmt: skip
    network.compile(
        keras.optimizers.Adam(_RATE, clipnorm=_CLIP), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    return network


def _taught(network: Any, numbers: NDArray[np.int32], steps: int, seed: int) -> Any:
    """Teach batch by batch; gives how many were seen, and now and then the bits of the last ones."""
    rng = np.random.default_rng(seed)
    length = min(_STEPS, len(numbers) - 2)
    losses = []
    for step in range(1, steps + 1):
        starts = rng.integers(0, len(numbers) - length - 1, _BATCH)
        windows = numbers[starts[:, None] + np.arange(length + 1)[None]]
        losses.append(float(network.train_on_batch(windows[:, :-1], windows[:, 1:])))
        is_shown = step % _SHOW_EVERY == 0 or step == steps
        # train_on_batch gives the mean since the metrics began anew.
        yield step, losses[-1] / math.log(2) if is_shown else None
        if is_shown:
            network.reset_metrics()


def _bits(network: Any, numbers: NDArray[np.int32]) -> float:
    """For a character of a text that it has not learnt from, in the mean."""
    logits = np.asarray(network.predict(numbers[None, :-1], verbose=0)[0], np.float64)
    logits -= logits.max(-1, keepdims=True)
    right = logits[np.arange(len(logits)), numbers[1:]] - np.log(np.exp(logits).sum(-1))
    return float(-right.mean() / math.log(2))


def _write(network: Any, known: Vocabulary, path: Path, *, overwrite: bool) -> None:
    """Write the network and what its numbers stand for, each in one move, the network last."""
    toml, chars = _beside(path)
    files.put(chars, known.written().encode(), overwrite=overwrite)
    files.put(toml, f"vocabulary = {json.dumps(chars.name)}\n".encode(), overwrite=overwrite)
    part = path.with_name(f".{path.stem}-{secrets.token_hex(4)}.keras")
    try:
        network.save(part)
        files.put(path, part.read_bytes(), overwrite=overwrite)
    finally:
        part.unlink(missing_ok=True)
