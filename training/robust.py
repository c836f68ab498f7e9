"""Makes a network robust: a student learns to say of perturbed photos what its teacher says of them as they are.

    python -m training.robust --model efficientnet_lite0 -o run PHOTOS...

No labels are needed. The same command goes on after it was stopped; README.md in this folder says more.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from dreamer.errors import DreamerError, SettingsError
from training import photos

SAVE_EVERY = 250
SHOW_EVERY = 25


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="folders; one that is named twice counts twice")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder of the training")
    parser.add_argument("--model", default="efficientnet_lite0", help="the teacher, and what the student starts as")
    parser.add_argument(
        "--start", help="a network of the same layers that the student starts as; by default the teacher"
    )
    parser.add_argument("--steps", type=int, default=8000, help="after how many the training ends")
    parser.add_argument("--stop-at", type=int, help="stop at this step, and leave the rest to another time")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--side", type=int, default=128, help="pixels of a side as the student sees photos")
    parser.add_argument("--radius", type=float, help="of perturbations; 0.7 at 128 pixels, scaled with the side")
    parser.add_argument("--attack-steps", type=int, default=1)
    parser.add_argument("--clean", type=float, default=0.3, help="how much the photo as it is counts")
    parser.add_argument("--mixtures", type=float, default=0.25, help="share of photos that are mixed with another")
    parser.add_argument("--learning-rate", type=float, default=3e-3, help="as a share of a kernel's size")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        train(options)
    except DreamerError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


def train(options: argparse.Namespace) -> None:
    from dreamer.models import registry
    from training.student import Lesson, Teaching, random_start

    split = photos.find(options.photos)
    side, larger = options.side, round(options.side * 1.375)
    radius = options.radius if options.radius is not None else 0.7 * side / 128
    lesson = Lesson(
        radius=radius,
        attack_steps=options.attack_steps,
        clean=options.clean,
        learning_rate=options.learning_rate,
        steps=options.steps,
    )
    teacher = registry.load(options.model)
    start = None if options.start is None else registry.load(options.start)
    teaching = Teaching(teacher, lesson, batch=options.batch, side=side, larger=larger, start=start)
    options.output.mkdir(parents=True, exist_ok=True)
    begun = _begun(options.output, options.model, teacher.weights_sha256)
    state, done = (teaching.first, 0) if begun is None else begun
    said = dataclasses.asdict(lesson) | {
        "batch": options.batch, "side": side, "mixtures": options.mixtures, "seed": options.seed,
        "start": options.start, "photos": len(split.training), "folders": [folder.name for folder in options.photos],
    }  # fmt: skip
    _note(options.output, {"from": done, **said})
    batches = photos.Batches(
        split.training,
        size=options.batch,
        side=side,
        larger=larger,
        mixtures=options.mixtures,
        seed=options.seed,
    )
    last = min(options.steps, options.stop_at or options.steps)
    losses: list[Any] = []
    began = time.perf_counter()
    for step, batch in zip(range(done, last), batches.following(done), strict=False):
        begins = random_start(batch.seen.shape, radius, np.random.default_rng((options.seed, 2, step)))
        loss, state = teaching.step(state, batch.seen, batch.larger, begins)
        losses.append(loss)
        if (step + 1) % SHOW_EVERY == 0:
            mean = float(np.mean([float(np.asarray(one)) for one in losses]))
            seconds = (time.perf_counter() - began) / (step + 1 - done)
            print(f"step {step + 1} of {options.steps}: loss {mean:.3f}, {seconds:.2f} s a step", flush=True)
            losses = []
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == last:
            _save(options.output, options.model, teacher.weights_sha256, state, step + 1)


def _save(folder: Path, model: str, weights: str, state: list[Any], step: int) -> None:
    from keras import ops

    arrays = {f"state_{index}": ops.convert_to_numpy(one) for index, one in enumerate(state)}
    temporary = folder / "state.tmp"
    with temporary.open("wb") as file:
        np.savez(file, step=step, teacher=np.array([model, weights]), **arrays)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / "state.npz")


def _begun(folder: Path, model: str, weights: str) -> tuple[list[Any], int] | None:
    """The state of a training that was begun, and its steps; None for a new one."""
    path = folder / "state.npz"
    if not path.exists():
        return None
    with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
        teacher = tuple(str(one) for one in found["teacher"])
        if teacher != (model, weights):
            raise SettingsError(f"{folder} holds a student of {teacher[0]}, not of {model}; name another folder")
        count = sum(name.startswith("state_") for name in found.files)
        return [found[f"state_{index}"] for index in range(count)], int(found["step"])


def _note(folder: Path, said: dict[str, Any]) -> None:
    """Add to ``runs.jsonl`` how the training goes on."""
    with (folder / "runs.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(said) + "\n")


def mean_of(folder: Path) -> np.ndarray:
    """The mean of the weights of a training, as a vector: the student.

    Raises:
        SettingsError: There is no training in the folder.
    """
    with _state(folder) as found:
        return found[f"state_{sum(name.startswith('state_') for name in found.files) - 1}"]


def teacher_of(folder: Path) -> str:
    """The name of the teacher of a training.

    Raises:
        SettingsError: There is no training in the folder.
    """
    with _state(folder) as found:
        return str(found["teacher"][0])


def _state(folder: Path) -> Any:
    path = folder / "state.npz"
    if not path.exists():
        raise SettingsError(f"there is no training in {folder}; expected {path.name}")
    return np.load(path, allow_pickle=False)


if __name__ == "__main__":
    main()
