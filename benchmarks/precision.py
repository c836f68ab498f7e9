"""How good dreams in fewer bits are, as JSON: the objective they reach, measured in float32, over that of float32.

    python benchmarks/precision.py                          EfficientNet-Lite0 and Inception v3, bfloat16
    python benchmarks/precision.py --precision float16 --networks efficientnet_lite0

Default settings, each layer that dreams well, two photos, two seeds. `precision = "auto"` may choose
a type for a network only where the mean of every layer is 0.98 or more; ``networks.toml`` says so.
Single dreams scatter by some per cent either way, since dreams are chaotic: `twin` is the same ratio
for float32 against itself, with noise of 1e-6 in the photo.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np

import dreamer
from dreamer.ascent import scoring
from dreamer.models import registry
from dreamer.objectives import layer as whole_layer

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = ("coffee.png", "cat.png")
SEEDS = (0, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["efficientnet_lite0", "inception_v3"])
    parser.add_argument("--precision", default="bfloat16", choices=["bfloat16", "float16"])
    parser.add_argument("--side", type=int, default=256, help="longest side of the photos, in pixels")
    options = parser.parse_args()
    found = {}
    for name in options.networks:
        layers = registry.load(name).dreams_well
        found[name] = {layer: compare(name, layer, options.precision, options.side) for layer in layers}
    print(json.dumps(found, indent=2))


def compare(name: str, layer: str, precision: str, side: int) -> dict:
    """Ratios of the objective at the end, for one layer."""
    ratios, twins = [], []
    for photo in PHOTOS:
        pixels = read(photo, side)
        for seed in SEEDS:
            noise = np.random.default_rng(seed).normal(scale=1e-6, size=pixels.shape)
            shared = {"model": name, "objective": layer, "seed": seed}
            full = reached(name, layer, dreamer.dream(pixels, precision="float32", **shared).pixels)
            twin = dreamer.dream(np.clip(pixels + noise, 0, 1).astype(np.float32), precision="float32", **shared).pixels
            ratios.append(reached(name, layer, dreamer.dream(pixels, precision=precision, **shared).pixels) / full)
            twins.append(reached(name, layer, twin) / full)
    return {
        "mean": round(statistics.mean(ratios), 4),
        "all": [round(ratio, 3) for ratio in ratios],
        "twin": [round(ratio, 3) for ratio in twins],
    }


def read(photo: str, side: int) -> np.ndarray:
    pixels = cv2.imread(str(next((ROOT / "samples").glob(photo))))[..., ::-1].astype(np.float32) / 255
    shrink = side / max(pixels.shape[:2])
    return np.clip(cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), 0, 1)


def reached(name: str, layer: str, picture: np.ndarray) -> float:
    """The objective of a picture, in float32."""
    score = scoring.alone(whole_layer(layer))
    return float(score(registry.load(name).forward([layer])(picture[None]), None)[0])


if __name__ == "__main__":
    main()
