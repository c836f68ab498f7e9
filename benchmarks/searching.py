"""Searching photos for classes: how many of the ten that answer most are of the class.

    python benchmarks/searching.py [--photos ../shared/photos] [--classes 50] [--models efficientnet_lite0 ...]

Two folders whose file names say what is in them: ``thousand``, one photo for each class of ImageNet, where the one
photo is to be among the first ten; and ``caltech101``, where up to 20 photos of each kind are taken, and all ten are to
be of the kind that the class names. Also how long the first question takes, and a further one.

Besides, a part of ``samples/coffee.png`` is put into some photos of the thousand, one at a time; the direction of what
the network finds in that part is to find the photo first, with a crop that holds the part.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from pathlib import Path

import numpy as np

import dreamer
from dreamer import images, objectives, targets
from dreamer.arrays import resize
from dreamer.models import registry
from dreamer.searching import calls, looking
from dreamer.searching.filling import Index
from dreamer.searching.looking import Photos

OF_A_KIND = 20
LAYER, PATCH, PLANTED = "block4b", 112, 10
SAMPLES = Path(__file__).resolve().parents[1] / "samples"
KINDS = {
    "accordion": "accordion", "airplanes": "airliner", "ant": "ant", "barrel": "barrel", "beaver": "beaver",
    "binocular": "binoculars", "cannon": "cannon", "crayfish": "crayfish", "dalmatian": "dalmatian",
    "dragonfly": "dragonfly", "electric_guitar": "electric guitar", "flamingo": "flamingo",
    "grand_piano": "grand piano", "laptop": "laptop", "Leopards": "leopard", "llama": "llama",
    "nautilus": "chambered nautilus", "panda": "giant panda", "pizza": "pizza", "platypus": "platypus",
    "revolver": "revolver", "rooster": "cock", "saxophone": "sax", "schooner": "schooner", "scorpion": "scorpion",
    "soccer_ball": "soccer ball", "starfish": "starfish", "strawberry": "strawberry", "trilobite": "trilobite",
    "umbrella": "umbrella",
}  # fmt: skip


def ranked(index: Index, unit: int) -> list[str]:
    """The photos in the order of what a class gives for them."""
    objective = targets.resolve(objectives.logit(unit), index.network)
    found = calls.scores(objective, index)
    order = np.argsort([-one.most()[0] for one in found], kind="stable")
    return [index.names[place] for place in order]


def filled(network: object, folder: Path, place: Path, layer: str | None = None) -> tuple[Index, float]:
    """An index of a folder, of the classes if no layer is named, and how long it took."""
    began = time.perf_counter()
    index = Index(network, Photos.of(str(folder)), [layer or network.logits], place)
    index.fill(note=print)
    return index, time.perf_counter() - began


def thousand(network: object, folder: Path, count: int, place: Path) -> None:
    """How often the one photo of a class is the first, and among the first ten."""
    index, seconds = filled(network, folder, place)
    names = sorted(index.names)
    chosen = np.linspace(0, len(names) - 1, count).round().astype(int)
    first = ten = 0
    asked = time.perf_counter()
    for one in chosen:
        order = ranked(index, int(one))
        first += order[0] == names[one]
        ten += names[one] in order[:10]
    each = (time.perf_counter() - asked) / count
    print(f"  thousand: of {count} classes the photo is first for {first}, among the first ten for {ten}; "
          f"{len(names)} photos looked at in {seconds:.0f} s, a further question {each:.2f} s")  # fmt: skip


def planted(network: object, folder: Path, place: Path) -> None:
    """Whether a part of another photo is found that is put into one of the thousand, and where."""
    patch = images.read(SAMPLES / "coffee.png").pixels[60:200, 220:360]
    patch = np.clip(resize(patch, (PATCH, PATCH)), 0, 1)
    found = network.activations(patch, [LAYER])[LAYER]
    middle = found[found.shape[0] // 2, found.shape[1] // 2]
    names = sorted(path.name for path in folder.glob("*.jpg"))
    rng = np.random.default_rng(0)
    first = held = 0
    with tempfile.TemporaryDirectory() as some:
        for name in names:
            Path(some, name).symlink_to((folder / name).resolve())
        index, _ = filled(network, Path(some), place, LAYER)
        usual = np.mean([np.asarray(index.found(name)[LAYER], np.float32).mean(axis=(0, 1)) for name in index.names], 0)
        goal = objectives.direction(LAYER, middle - usual, power=4)
        for name in rng.choice(names, PLANTED, replace=False):
            pixels = images.read(folder / name).pixels.copy()
            top, left = (int(rng.integers(0, side - PATCH)) for side in pixels.shape[:2])
            pixels[top : top + PATCH, left : left + PATCH] = patch
            Path(some, name).unlink()
            images.write(Path(some, name), images.Photo(pixels), recipe=None)
            best = dreamer.search(goal, some, network=network, index=place, top=1, steps=0).most[0]
            y, x = (top + PATCH / 2) / pixels.shape[0], (left + PATCH / 2) / pixels.shape[1]
            above, before, tall, wide = best.box
            first += best.photo == name
            held += best.photo == name and above <= y <= above + tall and before <= x <= before + wide
            Path(some, name).unlink()
            Path(some, name).symlink_to((folder / name).resolve())
    print(f"  planted: of {PLANTED} photos with a part of another {first} are found first among {len(names)}, "
          f"{held} with a crop that holds its middle")  # fmt: skip


def caltech(network: object, folder: Path, place: Path) -> None:
    """Of the ten photos that answer most, how many are of the kind."""
    with tempfile.TemporaryDirectory() as some:
        for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
            for photo in sorted(kind.glob("*.jpg"))[:OF_A_KIND]:
                Path(some, f"{kind.name}--{photo.name}").symlink_to(photo.resolve())
        index, seconds = filled(network, Path(some), place)
        shares = []
        for kind, name in KINDS.items():
            unit = next(one.index for one in network.labels if name in one.name.split(", ")[:2])
            order = ranked(index, unit)[:10]
            shares.append(sum(re.match(rf"{kind}--", one) is not None for one in order))
        print(f"  caltech101: of the ten photos that answer most {np.mean(shares):.1f} are of the kind, in the mean of "
              f"{len(shares)} kinds (least {min(shares)}); {len(index.names)} photos in {seconds:.0f} s")  # fmt: skip


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "photos")
    parser.add_argument("--classes", type=int, default=50)
    parser.add_argument("--models", nargs="+", default=["efficientnet_lite0", "efficientnet_lite0_robust"])
    given = parser.parse_args()
    print(f"photos with the shorter side at {looking.SIDE} pixels")
    for name in given.models:
        network = registry.load(name)
        print(name)
        with tempfile.TemporaryDirectory() as place:
            thousand(network, given.photos / "thousand", given.classes, Path(place) / "thousand")
            planted(network, given.photos / "thousand", Path(place) / "planted")
            caltech(network, given.photos / "caltech101", Path(place) / "caltech101")


if __name__ == "__main__":
    main()
