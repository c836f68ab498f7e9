"""How much a student kept of its teacher, and how much it withstands, as JSON.

    python -m training.measure efficientnet_lite0 efficientnet_lite0_robust PHOTOS --labels
    python -m training.measure efficientnet_lite0 RUN PHOTOS       the student of a training so far

Of the photos held out (every tenth): on how many the student says first what the teacher says first, clean and under
attacks of several radii; with --labels also how often each is right, for a folder with one photo for each class in
the order of the classes. The attack is not the one of training: ten steps up the margin by which another class beats
the one that the network says of the clean photo, at 160 pixels.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from training import photos

SIDE = 160
RADII = (0.5, 1.0, 2.0)
STEPS = 10
AT_ONCE = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("teacher", help="a network by its name")
    parser.add_argument("student", help="a network by its name, or the folder of a training")
    parser.add_argument("photos", type=Path, help="a folder, of which every tenth photo is taken")
    parser.add_argument("--labels", action="store_true", help="photo N of the folder shows class N")
    parser.add_argument("--most", type=int, default=100, help="how many photos at the most")
    options = parser.parse_args()
    print(json.dumps(measure(options), indent=2))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    split = photos.find([options.photos])
    every = sorted([*split.training, *split.held_out])
    paths = split.held_out[: options.most]
    pictures = np.stack([photos.centre(path, SIDE) for path in paths])
    classes = np.array([every.index(path) for path in paths]) if options.labels else None
    teacher, student = Answers(options.teacher), Answers(options.student)
    says = teacher.logits(pictures).argmax(axis=1)
    clean = student.logits(pictures).argmax(axis=1)
    found: dict[str, Any] = {"photos": len(paths), "agreement": int((clean == says).sum())}
    if classes is not None:
        found |= {"teacher_right": int((says == classes).sum()), "student_right": int((clean == classes).sum())}
    goal = says if classes is None else classes
    for radius in RADII:
        attacked = student.logits(student.attacked(pictures, goal, radius)).argmax(axis=1)
        found[f"student_under_{radius:g}"] = int((attacked == goal).sum())
    attacked = teacher.logits(teacher.attacked(pictures, goal, RADII[0])).argmax(axis=1)
    return found | {f"teacher_under_{RADII[0]:g}": int((attacked == goal).sum())}


class Answers:
    """What a network says of pictures, and its gradient."""

    def __init__(self, name: str) -> None:
        from keras import ops

        from dreamer.backends import backend
        from dreamer.models import registry
        from training import state
        from training.student import Weights

        is_run = (Path(name) / "state.npz").exists()
        weights = Weights(registry.load(state.what(Path(name)) if is_run else name))
        vector = ops.convert_to_tensor(state.mean_of(Path(name)) if is_run else weights.vector.first)

        def margin(logits: Any, goal: Any) -> Any:
            own = ops.sum(logits * goal, axis=-1)
            return ops.max(logits - 1e6 * goal, axis=-1) - own

        gradient = backend.current().gradient(
            lambda pictures, _: {"logits": weights.logits(vector, pictures)},
            lambda found, goal: margin(found["logits"], goal),
            (),
        )
        shape = (AT_ONCE, SIDE, SIDE, 3)
        variables = list(weights.model.variables)
        self._logits = backend.compile_chunk(
            lambda pictures: weights.logits(vector, ops.reshape(pictures, shape)), variables
        )
        self._gradient = backend.compile_chunk(
            lambda pictures, goal: gradient(ops.reshape(pictures, shape), goal)[1], variables
        )

    def logits(self, pictures: np.ndarray) -> np.ndarray:
        """``(pictures, classes)``."""
        return _in_parts(self._logits, pictures)

    def attacked(self, pictures: np.ndarray, goal: np.ndarray, radius: float) -> np.ndarray:
        """The pictures, each moved by no more than *radius* to where the network no longer says what it should."""
        one_hot = np.eye(self.logits(pictures[:1]).shape[1], dtype=np.float32)[goal]
        moved = pictures
        for _ in range(STEPS):
            gradient = _in_parts(self._gradient, moved, one_hot)
            difference = moved + 2.5 * radius / STEPS * gradient / (_length(gradient) + 1e-12) - pictures
            moved = np.clip(pictures + difference * np.minimum(1, radius / (_length(difference) + 1e-12)), 0, 1)
        return moved


def _length(difference: np.ndarray) -> np.ndarray:
    return np.sqrt(np.sum(difference**2, axis=(1, 2, 3), keepdims=True))


def _in_parts(function: Callable[..., Any], *arrays: np.ndarray) -> np.ndarray:
    """Of all, in parts of one size: the last is filled up."""
    from keras import ops

    count = len(arrays[0])
    found = []
    for start in range(0, count, AT_ONCE):
        parts = [array[start : start + AT_ONCE] for array in arrays]
        filled = [np.concatenate([part, part[:1].repeat(AT_ONCE - len(part), axis=0)]) for part in parts]
        found.append(np.asarray(ops.convert_to_numpy(function(*filled))))
    return np.concatenate(found)[:count]


if __name__ == "__main__":
    main()
