"""Draws the same set of pictures with two checkouts, and says which are the same, byte for byte.

    python scripts/same_pictures.py ../before . --inception ../shared/weights/inception_v3_trunk.weights.h5

For changes that must leave every picture as it is. The set has dreams of one tile and of many, zooms, both networks,
visualizations with every parametrization, a folder, an atlas. Recipes may differ, as they tell the version; what is
compared is what is seen: pixels, alpha and frames.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageSequence

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
ROCKET = str(SAMPLES / "rocket.jpg")
SMALL = ["--max-size", "240", "--steps", "4", "--seed", "5"]

COMMANDS: dict[str, list[str]] = {
    "dream": ["dream", ROCKET, *SMALL, "-o", "dream.png"],
    "dream-tiles": ["dream", ROCKET, "--max-size", "400", "--tile", "128", "--steps", "3", "-o", "dream-tiles.png"],
    "dream-laplacian": ["dream", ROCKET, *SMALL, "--laplacian", "--tile", "96", "-o", "dream-laplacian.png"],
    "dream-plain": ["dream", ROCKET, *SMALL, "--plain", "--rotate", "5", "--scale", "0.1", "-o", "dream-plain.png"],
    "dream-sum": [
        "dream", ROCKET, *SMALL, "--objective", "block4b:17 - 0.5*block2a + direction:block5a#3^2", "-o", "sum.png"
    ],
    "dream-penalty": ["dream", ROCKET, *SMALL, "--objective", "block4b - 3*total_variation", "-o", "penalty.png"],
    "dream-class": ["dream", ROCKET, *SMALL, "--objective", "logit:tabby cat", "-o", "class.png"],
    "dream-layered": [
        "dream", ROCKET, *SMALL, "--guide", ROCKET, "--mask", ROCKET, "--blend", "overlay", "--keep-colors",
        "--strength", "0.7", "-o", "layered.png",
    ],
    "dream-preset": ["dream", ROCKET, "--preset", "fur-and-eyes", "--preview", "-o", "preset.png"],
    "dream-octaves": ["dream", ROCKET, *SMALL, "--save-octaves", "octaves", "-o", "octaves.jpg"],
    "zoom": ["dream", ROCKET, "--frames", "4", "--max-size", "160", "--steps", "3", "-o", "zoom.gif"],
    "zoom-webp": ["dream", ROCKET, "--frames", "3", "--max-size", "120", "--steps", "3", "-o", "zoom.webp"],
    "zoom-folder": ["dream", ROCKET, "--frames", "3", "--max-size", "120", "--steps", "3", "-o", "zoom"],
    **{
        f"visualize-{name}": [
            "visualize", "block4b:17", "--parametrization", name, "--size", "96x112", "--steps", "20", "-o",
            f"{name}.png",
        ]
        for name in ("cosine", "fourier", "pixels", "maco")
    },
    "visualize-sheet": [
        "visualize", "block4b:1", "block4b:2@centre", "block3b", "logit:281", "direction:block4b#3", "--size", "64",
        "--steps", "12", "--animation", "sheet.gif", "--save-steps", "way", "-o", "sheet.png",
    ],
    "visualize-diverse": [
        "visualize", "block4b:17", "--diversity", "3", "--size", "64", "--steps", "10", "-o", "diverse.png"
    ],
    "visualize-alpha": [
        "visualize", "block4b:17 - 0.1*l2", "--alpha", "--transforms", "standard", "--optimizer", "adam", "--size",
        "64", "--steps", "10", "-o", "alpha.png",
    ],
    "visualize-pair": ["visualize", "block4b:17", "--pair", "--size", "64", "--steps", "10", "-o", "pair.png"],
    "batch": [
        "batch", str(SAMPLES), "folder", "--preset", "waves", "--preset", "eyes", "--max-size", "120", "--steps", "2"
    ],
    "atlas": ["atlas", "block2a", "--channels", "0-5", "--size", "48", "--steps", "8", "-o", "atlas"],
}  # fmt: skip

OF_INCEPTION: dict[str, list[str]] = {
    "inception-dream": ["dream", ROCKET, "--model", "inception_v3", *SMALL, "-o", "inception.png"],
    "inception-tiles": [
        "dream", ROCKET, "--model", "inception_v3", "--tile", "160", "--max-size", "300", "--steps", "2", "-o",
        "inception-tiles.png",
    ],
    "inception-visualize": [
        "visualize", "mixed4:3", "--model", "inception_v3", "--size", "96", "--steps", "10", "-o", "inception-unit.png"
    ],
}  # fmt: skip


def main() -> int:
    """Draw and compare; the exit status."""
    parser = argparse.ArgumentParser(description="Whether two checkouts make the same pictures.")
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--inception", type=Path, help="Weights of Inception v3 to import; without, it is left out.")
    parser.add_argument("--keep", type=Path, help="Where the pictures go; what is there is not drawn again.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        kept = (arguments.keep or Path(scratch)).absolute()
        sides = {name: (tree.absolute(), kept / name) for name, tree in vars(arguments).items() if name in _SIDES}
        for tree, out in sides.values():
            draw(tree, out, arguments.inception and arguments.inception.absolute())
        return compare(*(out for _, out in sides.values()))


_SIDES = ("before", "after")


def draw(tree: Path, out: Path, inception: Path | None) -> None:
    """Draw the set with a checkout."""
    out.mkdir(parents=True, exist_ok=True)
    home = out.parent / f"{out.name}-home"
    environment = os.environ | {"PYTHONPATH": str(tree), "DREAMER_HOME": str(home), "DREAMER_CONFIG": str(home)}
    wanted = dict(COMMANDS)
    if inception:
        wanted |= {"inception": ["models", "import", "inception_v3", str(inception), "--unverified"]} | OF_INCEPTION
    for name, command in wanted.items():
        done = out / f".{name}"
        if done.exists():
            continue
        print(f"{out.name}: {name}", flush=True)
        found = subprocess.run(
            [sys.executable, "-m", "dreamer", *command], cwd=out, env=environment, capture_output=True, text=True
        )
        if found.returncode:
            raise SystemExit(f"{name} failed with {tree}:\n{found.stderr}")
        done.touch()


def compare(before: Path, after: Path) -> int:
    """Say which pictures differ; the exit status."""
    names = sorted(
        {
            path.relative_to(side)
            for side in (before, after)
            for path in side.rglob("*")
            if path.suffix in (".png", ".jpg", ".gif", ".webp")
        }
    )
    differing = [name for name in names if not same(before / name, after / name)]
    print(json.dumps({"pictures": len(names), "the same": len(names) - len(differing)}))
    for name in differing:
        print(f"differs: {name}")
    return 1 if differing or not names else 0


def same(one: Path, other: Path) -> bool:
    """Whether two pictures show the same: every frame, every pixel, alpha, and times."""
    if not (one.exists() and other.exists()):
        return False
    with Image.open(one) as first, Image.open(other) as second:
        pairs = zip(ImageSequence.all_frames(first), ImageSequence.all_frames(second), strict=False)
        return getattr(first, "n_frames", 1) == getattr(second, "n_frames", 1) and all(
            a.info.get("duration") == b.info.get("duration") and np.array_equal(a.convert("RGBA"), b.convert("RGBA"))
            for a, b in pairs
        )


if __name__ == "__main__":
    sys.exit(main())
