"""How well the denoiser that ships takes noise off, beside OpenCV's non-local means and DnCNN, as JSON.

    python benchmarks/denoiser.py PHOTOS                             a folder of photos that no denoiser was taught on
    python benchmarks/denoiser.py PHOTOS --dncnn dncnn_25.pth        beside KAIR's DnCNN for grey pictures at 25
    python benchmarks/denoiser.py PHOTOS --prior mine.keras

Peak signal-to-noise ratios in decibels, the mean over the photos, of values clipped to 0..1; noise of the same seed for
all. In grey the denoiser sees three equal channels with the same noise. `seconds` are of one photo, in one thread's
worth of processor time.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np

from dreamer import images
from dreamer.arrays import FloatArray, as_float
from dreamer.models import torch_checkpoint
from dreamer.priors import loading

DEVIATIONS = (5, 15, 25, 50)  # Of 255.
DNCNN = 25
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="a folder")
    parser.add_argument("--prior", default="denoiser", help="a name or a .keras file")
    parser.add_argument("--dncnn", type=Path, help="KAIR's dncnn_25.pth")
    options = parser.parse_args()
    paths = sorted(path for path in options.photos.iterdir() if path.suffix.lower() in SUFFIXES)
    photos = [as_float(images.read(path).pixels) for path in paths]
    pull = loading.load(options.prior)

    def denoised(noisy: FloatArray, deviation: float) -> FloatArray:
        return noisy + pull.of_picture(noisy, deviation)

    started = time.process_time()
    denoised(photos[0], 0.1)
    found: dict[str, object] = {"photos": len(photos), "seconds_with_compiling": time.process_time() - started}
    started = time.process_time()
    denoised(photos[0], 0.1)
    found["seconds"] = time.process_time() - started
    for deviation in DEVIATIONS:
        pairs = [(photo, noisy(photo, deviation, number)) for number, photo in enumerate(photos)]
        found[f"colour, {deviation}"] = compared(
            pairs, deviation, {"noisy": lambda one, _: one, "denoiser": denoised, "non-local means": non_local_means}
        )
    greys = [photo.mean(axis=-1, keepdims=True) for photo in photos]
    pairs = [(grey, noisy(grey, DNCNN, number)) for number, grey in enumerate(greys)]
    ways = {"noisy": lambda one, _: one, "denoiser": lambda one, deviation: in_grey(denoised, one, deviation)}
    if options.dncnn:
        ways["DnCNN"] = dncnn(options.dncnn)
    found[f"grey, {DNCNN}"] = compared(pairs, DNCNN, ways)
    print(json.dumps(found, indent=2))


Way = Callable[[FloatArray, float], FloatArray]
"""(noisy picture, its deviation in units of 0..1) -> the picture."""


def noisy(photo: FloatArray, deviation: int, seed: int) -> FloatArray:
    noise = np.random.default_rng((seed, deviation)).standard_normal(photo.shape, np.float32)
    return np.asarray(photo + np.float32(deviation / 255) * noise, np.float32)


def compared(pairs: list[tuple[FloatArray, FloatArray]], deviation: int, ways: dict[str, Way]) -> dict[str, float]:
    return {
        name: round(float(np.mean([ratio(photo, way(seen, deviation / 255)) for photo, seen in pairs])), 2)
        for name, way in ways.items()
    }


def ratio(photo: FloatArray, found: FloatArray) -> float:
    """The peak signal-to-noise ratio in decibels."""
    return float(-10 * np.log10(np.square(np.clip(found, 0, 1) - photo).mean()))


def in_grey(denoised: Way, seen: FloatArray, deviation: float) -> FloatArray:
    return denoised(np.repeat(seen, 3, axis=-1), deviation).mean(axis=-1, keepdims=True)


def non_local_means(seen: FloatArray, deviation: float) -> FloatArray:
    """OpenCV's for colour, as strong as the noise."""
    levels = np.rint(np.clip(seen, 0, 1) * 255).astype(np.uint8)
    strength = 0.9 * 255 * deviation
    return cv2.fastNlMeansDenoisingColored(levels, None, strength, strength, 7, 21).astype(np.float32) / 255


def dncnn(path: Path) -> Way:
    """KAIR's: seventeen convolutions that find the noise of a grey picture."""
    import keras
    from keras import ops

    arrays = torch_checkpoint.read(path)
    numbers = sorted({int(name.split(".")[1]) for name in arrays})
    picture = keras.Input((None, None, 1))
    x = picture
    for number in numbers:
        kernel = arrays[f"model.{number}.weight"].transpose(2, 3, 1, 0).astype(np.float32)
        layer = keras.layers.Conv2D(
            kernel.shape[-1], 3, padding="same", activation=None if number == numbers[-1] else "relu"
        )
        x = layer(x)
        layer.set_weights([kernel, arrays[f"model.{number}.bias"].astype(np.float32)])
    network = keras.Model(picture, x)
    return lambda seen, _: seen - ops.convert_to_numpy(network(seen[None]))[0]


if __name__ == "__main__":
    main()
