"""Teaches a denoiser on a folder of photos.

    python -m training.denoiser -o run PHOTOS...
    python -m training.denoiser -o run PHOTOS... --write mine.keras     for --prior mine.keras

The same command goes on after it was stopped; README.md in this folder says more.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np

from dreamer import images
from dreamer.arrays import FloatArray, as_float
from dreamer.errors import DreamerError, SettingsError
from dreamer.files.digests import digest_of
from dreamer.models import kept
from training import photos, state

SAVE_EVERY = 500
SHOW_EVERY = 100
SIDE, BATCH = 64, 16
MOST_NOISE = 75 / 255  # The largest standard deviation that is taught, in units of a picture's range.
GREY = 0.2  # Share of the patches that are grey, and their noise with them, as of old film.
CANDIDATES = 3  # The liveliest of so many patches is taken: most of a photo is sky, which teaches little.
LIVELY = 0.8  # Share of the patches that are.
FAINT = 0.05  # Added to a noise's deviation where errors are weighed by it.
SCALES = (0.5, 0.25)  # Photos are made smaller, which takes away the camera's own noise and JPEG's.


class Noisy(NamedTuple):
    """Patches of photos.

    Attributes:
        seen: ``(batch, side, side, 4)``: the noisy patches, and how noisy they are.
        clean: ``(batch, side, side, 3)`` float32 in [0, 1].
    """

    seen: FloatArray
    clean: FloatArray


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders of photos, the larger the better")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder of the training")
    parser.add_argument("--write", type=Path, help="train no further, but write what was learnt: a .keras or an .npz")
    parser.add_argument("--steps", type=int, default=30_000, help="after how many the training ends")
    parser.add_argument("--stop-at", type=int, help="stop at this step, and leave the rest to another time")
    parser.add_argument("--channels", type=int, help="of each layer; by default those of the denoiser that ships")
    parser.add_argument("--depth", type=int, help="how many convolutions; the same")
    parser.add_argument("--learning-rate", type=float, default=0.02, help="as a share of a kernel's size")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        train(options) if options.write is None else write(options)
    except DreamerError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


def train(options: argparse.Namespace) -> None:
    teaching = Teaching(options)
    options.output.mkdir(parents=True, exist_ok=True)
    now, done = state.begun(options.output, teaching.of) or (teaching.first, 0)
    patches = Patches(options.photos, options.seed)
    state.note(options.output, {"from": done, "photos": len(patches.paths), "steps": options.steps,
                                "learning_rate": options.learning_rate, "seed": options.seed})  # fmt: skip
    last = min(options.steps, options.stop_at or options.steps)
    losses: list[Any] = []
    began = time.perf_counter()
    for step, batch in zip(range(done, last), patches.following(done), strict=False):
        loss, now = teaching.step(now, batch)
        losses.append(loss)
        if (step + 1) % SHOW_EVERY == 0:
            mean = float(np.mean([float(one) for one in losses]))
            seconds = (time.perf_counter() - began) / (step + 1 - done)
            print(
                f"step {step + 1} of {options.steps}: {mean:.4f} of the noise is left, {seconds:.3f} s a step",
                flush=True,
            )
            losses = []
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == last:
            state.save(options.output, step + 1, now, teaching.of)


def write(options: argparse.Namespace) -> None:
    """Write what was learnt so far, as a network or in half the bits, as dreamer ships it."""
    path: Path = options.write
    if path.suffix not in (".keras", ".npz"):
        raise SettingsError(f"{path} has the suffix {path.suffix!r}; expected .keras or .npz")
    if path.exists():
        raise SettingsError(f"{path} is there already; name another file")
    network = learnt(options)
    if path.suffix == ".keras":
        network.save(path)
    else:
        kept.write(path, {one.path.replace("/", "."): one.numpy() for one in network.weights})
    print(json.dumps({"file": path.name, "size": path.stat().st_size, "sha256": digest_of(path)}))


def learnt(options: argparse.Namespace) -> Any:
    """The network with the mean of the weights so far."""
    from keras import ops

    teaching = Teaching(options)
    if state.begun(options.output, teaching.of) is None:
        raise SettingsError(f"there is no training in {options.output}; train one first")
    arrays = teaching.vector.arrays(ops.convert_to_tensor(state.mean_of(options.output)))
    for variable, array in zip(teaching.vector.variables, arrays, strict=True):
        variable.assign(array)
    return teaching.network


class Teaching:
    """Steps of teaching as one compiled program.

    Attributes:
        network: The denoiser.
        vector: Its weights as a vector.
        first: The state before any step.
        of: What is taught, for the folder of the training.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        import keras

        from dreamer.backends import backend
        from dreamer.priors import denoiser
        from training.learning import Learning, Vector

        channels, depth = options.channels or denoiser.CHANNELS, options.depth or denoiser.DEPTH
        if depth < 4 or depth % 2:
            raise SettingsError(
                f"--depth is {depth}; expected an even number from 4: the first, the last, pairs between"
            )
        keras.utils.set_random_seed(options.seed)
        self.network = denoiser.build(channels, depth)
        # Weights are kept in units of what they begin as, which the seed and the backend draw.
        self.of = (f"a denoiser of {depth} layers of {channels} channels, seed {options.seed}, {backend.name()}",)
        self.vector = Vector(self.network.trainable_variables)
        self._learning = Learning(
            self.vector.first,
            learning_rate=options.learning_rate,
            steps=options.steps,
            warm_up=200,
            mean=0.999,
            squares=0.99,
        )
        self.first = self._learning.first
        self._program = backend.compile_chunk(self._step_of(), list(self.network.variables))

    def step(self, now: list[Any], batch: Noisy) -> tuple[Any, list[Any]]:
        """Take one: the mean absolute error as a share of the noise, before the step, and the state after it."""
        error, *following = self._program(batch.seen, batch.clean, *now)
        return error, following

    def _step_of(self) -> Callable[..., Any]:
        from keras import ops

        from dreamer.backends import backend

        def denoised(vector: Any, batch: Noisy) -> dict[str, Any]:
            with self.vector.scope(vector):
                return {"picture": self.network(batch.seen, training=False)}

        def error(found: dict[str, Any], batch: Noisy) -> Any:
            # As a share of the noise, so that faint noise is learnt as well as strong noise.
            away = ops.abs(found["picture"] - batch.clean) / (batch.seen[..., 3:] + FAINT)
            return ops.mean(away, axis=(1, 2, 3))

        gradient = backend.current().gradient(denoised, error, ())

        def step(seen: Any, clean: Any, *now: Any) -> tuple[Any, ...]:
            seen, clean = ops.reshape(seen, (BATCH, SIDE, SIDE, 4)), ops.reshape(clean, (BATCH, SIDE, SIDE, 3))
            errors, down = gradient(ops.reshape(now[0], self.vector.first.shape), Noisy(seen, clean))
            return (ops.mean(errors), *self._learning.following(now, down / BATCH))

        return step


class Patches:
    """Patches of photos with noise, a batch for each step; the same seed and step give the same batch.

    Args:
        folders: Of photos.
        seed: Everything random comes from it.
    """

    def __init__(self, folders: list[Path], seed: int) -> None:
        self.paths = photos.every(folders)
        self._seed = seed
        self._photos = [small for path in self.paths for small in _smaller(path)]
        if not self._photos:
            raise SettingsError(f"no photo in {folders[0]} has sides of {round(SIDE / SCALES[0])} pixels and more")
        shares = np.array([photo.shape[0] * photo.shape[1] for photo in self._photos], float)
        self._shares = shares / shares.sum()

    def following(self, first: int) -> Iterator[Noisy]:
        """The batches from one step on, made ahead."""
        return photos.made_ahead(self.batch, first)

    def batch(self, step: int) -> Noisy:
        """The batch of a step, counted from 0."""
        rng = np.random.default_rng((self._seed, step))
        clean = np.stack([self._patch(rng) for _ in range(BATCH)])
        deviation = rng.uniform(0, MOST_NOISE, (BATCH, 1, 1, 1)).astype(np.float32)
        noise = rng.standard_normal(clean.shape, np.float32)
        grey = rng.random(BATCH) < GREY
        clean[grey] = clean[grey].mean(axis=-1, keepdims=True)
        noise[grey] = noise[grey][..., :1]
        level = np.broadcast_to(deviation, (*clean.shape[:3], 1))
        return Noisy(np.concatenate([clean + deviation * noise, level], axis=-1), clean)

    def _patch(self, rng: np.random.Generator) -> FloatArray:
        found = [self._any_patch(rng) for _ in range(CANDIDATES if rng.random() < LIVELY else 1)]
        return max(found, key=lambda patch: np.abs(np.diff(patch, axis=0)).mean())

    def _any_patch(self, rng: np.random.Generator) -> FloatArray:
        photo = self._photos[rng.choice(len(self._photos), p=self._shares)]
        top, left = (int(rng.integers(length - SIDE + 1)) for length in photo.shape[:2])
        patch = photo[top : top + SIDE, left : left + SIDE]
        patch = np.rot90(patch, int(rng.integers(4)))
        if rng.random() < 0.5:  # Few photos have few colours.
            patch = patch[..., rng.permutation(3)]
        return np.asarray(patch[:, ::-1] if rng.random() < 0.5 else patch, np.float32) / 255


def _smaller(path: Path) -> list[np.ndarray]:
    """A photo at each of the scales at which a patch fits into it, as uint8."""
    pixels = as_float(images.read(path).pixels)
    sizes = [tuple(round(side * scale) for side in pixels.shape[:2]) for scale in SCALES]
    return [
        np.rint(cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA) * 255).astype(np.uint8)
        for size in sizes
        if min(size) >= SIDE
    ]


if __name__ == "__main__":
    main()
