"""Makes a network robust: a student learns to say of perturbed photos what its teacher says of them as they are.

    python -m training.robust --model efficientnet_lite0 -o run PHOTOS...

No labels are needed. The same command goes on after it was stopped; README.md in this folder says more.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from dreamer.errors import DreamerError
from training import photos, state

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
    of = (options.model, teacher.weights_sha256)
    now, done = state.begun(options.output, of) or (teaching.first, 0)
    said = dataclasses.asdict(lesson) | {
        "batch": options.batch, "side": side, "mixtures": options.mixtures, "seed": options.seed,
        "start": options.start, "photos": len(split.training), "folders": [folder.name for folder in options.photos],
    }  # fmt: skip
    state.note(options.output, {"from": done, **said})
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
        loss, now = teaching.step(now, batch.seen, batch.larger, begins)
        losses.append(loss)
        if (step + 1) % SHOW_EVERY == 0:
            mean = float(np.mean([float(one) for one in losses]))
            seconds = (time.perf_counter() - began) / (step + 1 - done)
            print(f"step {step + 1} of {options.steps}: loss {mean:.3f}, {seconds:.2f} s a step", flush=True)
            losses = []
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == last:
            state.save(options.output, step + 1, now, of)


if __name__ == "__main__":
    main()
