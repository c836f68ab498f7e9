"""Whether anyone recognises what was drawn: sheets for eyes, their score, and what another network says, as JSON.

    python -m pip install '.[networks]'
    python benchmarks/recognition.py --class-seed 41 42 43 --sheet eyes      three sheets of 20 classes drawn by chance
    python benchmarks/recognition.py --score eyes/key-41.json answers-41.txt
    python benchmarks/recognition.py --model efficientnet_lite0 --look texture
    python benchmarks/recognition.py --variants               the same with one choice less at a time
    python benchmarks/recognition.py --peers-python peers/bin/python       and drawn by torch-lucent and DreamLens

A sheet has its pictures in an order by chance, with numbers and no names; `names-41.txt` has the names in the order
of the alphabet, for a choice out of the list; `key-41.json` says which is which, and is not shown to whoever looks.
Answers are lines of `number, noun, how sure from 0 to 100`. An answer is right if it is a name of the class or a kind
that the class is of; it is near if the two share a narrow kind within two steps of WordNet
(`dreamer.models.kinds.share_kind`). EfficientNet-Lite2, which took no part, looks at the pictures whole and at their
middle. `seconds_per_class` is processor time without the imports: loading the network, compiling, all steps.
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
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import dreamer
from dreamer import images
from dreamer.arrays import resize
from dreamer.models import kinds, labels
from dreamer.visualizing import looks
from dreamer.visualizing.settings import VisualizeSettings

JUDGE, JUDGE_SIDE = "efficientnet_lite2", 260
MIDDLE = 0.6  # Of a side.


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--class-seed", type=int, nargs="+", default=[31], help="which classes are drawn by chance")
    parser.add_argument("--classes", type=int, default=20, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="of the pictures")
    parser.add_argument("--model", nargs="+", default=[VisualizeSettings.model], help="several draw jointly")
    parser.add_argument("--look", choices=list(looks.LOOKS))
    parser.add_argument("--prior", help="a name of `dreamer priors list`, or a .keras file")
    parser.add_argument("--steps", type=int, default=VisualizeSettings.steps)
    parser.add_argument("--sheet", type=Path, metavar="FOLDER", help="write sheets for eyes there")
    parser.add_argument("--score", type=Path, nargs=2, metavar=("KEY", "ANSWERS"), help="what eyes said of a sheet")
    parser.add_argument("--peers-python", type=Path, help="Python of an environment as benchmarks/peers/README.md says")
    parser.add_argument("--variants", action="store_true", help="leave out one choice at a time")
    options = parser.parse_args()
    if options.score:
        print(json.dumps(scored(*options.score), indent=2))
        return
    model, *others = options.model
    settings = VisualizeSettings(
        steps=options.steps,
        seed=options.seed,
        model=model,
        jointly_with=tuple(others),
        look=options.look,
        prior=options.prior,
    )
    found = {}
    usual = dict(looks.LOOKS)
    for name, (keywords, changes) in (VARIANTS if options.variants else {"asked for": ({}, {})}).items():
        look = usual[options.look or looks.OF_CLASSES]
        looks.LOOKS[options.look or looks.OF_CLASSES] = look._replace(schedule=look.schedule._replace(**changes))
        variant = dataclasses.replace(settings, **keywords)
        runs = [drawn_and_judged(classes(seed, options.classes), variant, seed, options) for seed in options.class_seed]
        looks.LOOKS.update(usual)
        found[name] = summary(runs)
        print(name, found[name], flush=True) if options.variants else None
    if options.peers_python:
        for case, size in PEERS.items():
            runs = [by_peer(case, size, classes(seed, options.classes), seed, options) for seed in options.class_seed]
            found[case] = summary(runs)
    print(json.dumps(found, indent=2))


PEERS = {"draw_dreamlens": 256, "draw_lucent": 224}  # The sizes of pictures they are best at.


def by_peer(case: str, size: int, wanted: list[int], seed: int, options: argparse.Namespace) -> dict:
    """The same classes drawn by another library on EfficientNet-Lite0, in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "pictures.npy"
        command = [options.peers_python, Path(__file__).with_name("peers") / "torch_cases.py", case]
        command += ["efficientnet_lite0", size, "--pictures", pictures, "--classes", *wanted]
        done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
        drawn = list(np.load(pictures))
    if options.sheet is not None:
        write_sheet(options.sheet, f"{case}-{seed}", drawn, wanted)
    return recognised(drawn, wanted) | {"seconds_per_class": json.loads(done.stdout.splitlines()[-1])["seconds"]}


FRAMED = dreamer.Transforms.of("framed")

# Settings, and parts of the schedule of the look, that stand in for the usual ones.
VARIANTS: dict[str, tuple[dict, dict]] = {
    "defaults": ({}, {}),
    "without haze": ({}, {"haze": 0.0}),
    "without decay": ({}, {"decay": 0.0}),
    "all at full size": ({}, {"stages": looks.Schedule().stages}),
    "without mirror": ({"transforms": dataclasses.replace(FRAMED, flip=0.0)}, {}),
    "without border": ({"transforms": dataclasses.replace(FRAMED, border=False)}, {}),
    "scene": ({"look": "scene"}, {}),
    "texture": ({"look": "texture"}, {}),
    "activation": ({"look": "activation"}, {}),
    "maco": ({"parametrization": "maco"}, {}),
    "the network as it was": ({"model": "efficientnet_lite0"}, {}),
    "both networks": ({"jointly_with": ("efficientnet_lite0",)}, {}),
    "half the steps": ({"steps": VisualizeSettings.steps // 2}, {}),
    "float32": ({"precision": "float32"}, {}),
    "denoiser": ({"prior": "denoiser"}, {}),
}


def classes(seed: int, count: int) -> list[int]:
    return sorted(int(index) for index in np.random.default_rng(seed).choice(1000, count, replace=False))


def drawn_and_judged(wanted: list[int], settings: VisualizeSettings, seed: int, options: argparse.Namespace) -> dict:
    start = time.process_time()
    drawn = [one.pixels for one in dreamer.visualize([f"logit:{index}" for index in wanted], settings)]
    seconds = time.process_time() - start
    if options.sheet is not None:
        write_sheet(options.sheet, str(seed), drawn, wanted)
    return recognised(drawn, wanted) | {"seconds_per_class": seconds / len(wanted)}


def write_sheet(folder: Path, name: str, pictures: list[np.ndarray], wanted: list[int]) -> None:
    """A sheet without names, the list of names, and the key."""
    folder.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(len(name) + sum(wanted)).permutation(len(wanted))
    tiles = [images.LabelledPicture(np.clip(pictures[at], 0, 1), str(number)) for number, at in enumerate(order, 1)]
    sheet = images.Photo(images.sheet(tiles, columns=5))
    images.write(folder / f"sheet-{name}.png", sheet, recipe=None, overwrite=True)
    key = {str(number): wanted[at] for number, at in enumerate(order, 1)}
    (folder / f"key-{name}.json").write_text(json.dumps(key, indent=1) + "\n", encoding="utf-8")
    called = sorted(labels.imagenet()[index].name.split(", ")[0] for index in wanted)
    (folder / f"names-{name}.txt").write_text("\n".join([*called, ""]), encoding="utf-8")


def scored(key_file: Path, answers_file: Path) -> dict:
    """How many pictures of a sheet were named right, strictly and nearly, and how sure whoever looked was."""
    key = json.loads(key_file.read_text(encoding="utf-8"))
    answers = {}
    for line in answers_file.read_text(encoding="utf-8").splitlines():
        number, noun, sure = (part.strip() for part in line.split(","))
        answers[number] = noun, float(sure)
    found = {number: verdict(index, answers[number][0]) for number, index in key.items() if number in answers}
    return {
        "right": sum(one == "right" for one in found.values()),
        "right_or_near": sum(one != "wrong" for one in found.values()),
        "of": len(key),
        "sure": round(statistics.mean(sure for _, sure in answers.values())),
        "others": {
            number: f"{answers[number][0]} for {labels.imagenet()[key[number]].name.split(', ')[0]}: {one}"
            for number, one in found.items()
            if one != "right"
        },
    }


def verdict(index: int, noun: str) -> str:
    """``"right"``, ``"near"`` or ``"wrong"``."""
    label = labels.imagenet()[index]
    said = {_spelt(one) for one in kinds.singulars(noun.lower())}
    names = [name.lower() for name in label.name.split(", ")]
    if said & {_spelt(one) for name in names for one in (name, name.split()[-1])}:
        return "right"
    if kinds.is_kind_of(str(label.synset), noun):
        return "right"
    return "near" if kinds.share_kind(str(label.synset), noun) else "wrong"


def _spelt(noun: str) -> str:
    """A noun however it is put together: a pay-phone is a payphone, a bull mastiff a bullmastiff."""
    return noun.replace(" ", "").replace("-", "")


def recognised(pictures: list[np.ndarray], wanted: list[int]) -> dict:
    """What the judge takes pictures for."""
    whole, middle = judged(pictures), judged([middle_of(one) for one in pictures])
    ranks = [int((row > row[index]).sum()) for row, index in zip(whole, wanted, strict=True)]
    names = labels.imagenet()
    return {
        "top1": sum(rank == 0 for rank in ranks),
        "top1_of_middle": sum(int(row.argmax()) == index for row, index in zip(middle, wanted, strict=True)),
        "top5": sum(rank < 5 for rank in ranks),
        "classes": len(wanted),
        "taken_for_another": {
            names[index].name.split(", ")[0]: names[int(row.argmax())].name.split(", ")[0]
            for row, index, rank in zip(whole, wanted, ranks, strict=True)
            if rank
        },
    }


def middle_of(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    top, left = (round(side * (1 - MIDDLE) / 2) for side in (height, width))
    return picture[top : height - top, left : width - left]


def judged(pictures: list[np.ndarray]) -> np.ndarray:
    """What the judge makes of pictures: ``(pictures, 1000)`` logits."""
    seen = np.stack([np.clip(resize(one, (JUDGE_SIDE, JUDGE_SIDE)), 0, 1) for one in pictures])
    return dreamer.load(JUDGE).activations(seen, ["logits"])["logits"]


def summary(runs: list[dict]) -> dict:
    return {
        "top1": [run["top1"] for run in runs],
        "top1_of_middle": [run["top1_of_middle"] for run in runs],
        "top5": [run["top5"] for run in runs],
        "of": runs[0]["classes"],
        "seconds_per_class": round(statistics.median(run["seconds_per_class"] for run in runs), 2),
        "taken_for_another": [run["taken_for_another"] for run in runs],
    }


if __name__ == "__main__":
    main()
