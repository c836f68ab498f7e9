"""By how much photos have to change before networks take them for something else, as JSON, and as a curve.

    python benchmarks/fooling.py PHOTOS --count 40                       the least whole level for both networks
    python benchmarks/fooling.py PHOTOS --count 40 --plot docs/images/fooling.svg
    python benchmarks/fooling.py PHOTOS --count 8 --foolbox              beside Foolbox, on the same network and photos

Photos are chosen by chance and made no larger than 320 pixels. `pgd` seeks the least whole level of 255, to any other
class and to one that is chosen by chance. With `--foolbox` photos are as large as the network sees them: PGD within a
level, and the median length of the least change by Carlini and Wagner's attack with as many searches and 100 steps,
Foolbox's own not yet rounded to what a file can hold.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import dreamer
from dreamer import images
from dreamer.fooling import attacks, levels
from dreamer.fooling.classifier import Classifier, Goal, Sight
from dreamer.fooling.plot import curves
from dreamer.fooling.run import Attack
from dreamer.fooling.settings import FoolSettings

NETWORKS = ("efficientnet_lite0", "efficientnet_lite0_robust")
BOUNDS = (1, 2, 4, 8, 16, 32)
SIDE = 320


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="a folder")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1, help="which photos, and which classes")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--foolbox", action="store_true")
    options = parser.parse_args()
    paths = sorted(path for path in options.photos.iterdir() if images.is_read(path.suffix))
    chosen = np.random.default_rng(options.seed).choice(len(paths), min(options.count, len(paths)), replace=False)
    photos = [images.read(paths[index], max_side=SIDE, compact=True) for index in sorted(chosen)]
    print(json.dumps(beside_foolbox(photos) if options.foolbox else curves_of(photos, options), indent=2))


def curves_of(photos: list[images.Photo], options: argparse.Namespace) -> dict:
    found, lines = {}, {}
    classes = np.random.default_rng(options.seed + 1).integers(0, 1000, len(photos))
    for name in NETWORKS:
        network = dreamer.load(name)
        for what in ("any other class", "a class by chance"):
            started = time.process_time()
            least = []
            for photo, index in zip(photos, classes, strict=True):
                target = None if what.startswith("any") else str(index)
                one = Attack(FoolSettings(to=target, norm="linf", steps=20), network).on(photo)
                least.append(one.linf if one.success else np.inf)
            line = [(bound, float(np.mean(np.array(least) <= bound))) for bound in BOUNDS]
            lines[f"{name}, {what}"] = line
            found[f"{name}, {what}"] = {
                "fooled_within": {str(bound): round(share, 3) for bound, share in line},
                "median_levels": float(np.median(least)),
                "seconds_a_photo": round((time.process_time() - started) / len(photos), 1),
            }
    if options.plot:
        options.plot.write_text(curves(lines, reach="levels of 255 that a pixel may change"), encoding="utf-8")
    return found


def beside_foolbox(photos: list[images.Photo]) -> dict:
    import foolbox
    import keras
    import tensorflow as tf

    network = dreamer.load(NETWORKS[0])
    whole, prepare = network.model(["logits"]), network.prepare()
    picture = keras.Input((224, 224, 3))
    theirs = foolbox.TensorFlowModel(
        keras.Model(picture, whole(keras.layers.Lambda(prepare)(picture))["logits"]), bounds=(0, 1)
    )
    squares = np.stack([images.resized(photo, (224, 224)).pixels for photo in photos])
    squares = np.rint(np.clip(squares, 0, 1) * 255).astype(np.uint8)
    classifier = Classifier(network)
    labels = np.array([classifier.logits(one).argmax() for one in squares])
    given = tf.convert_to_tensor(squares.astype(np.float32) / 255), tf.convert_to_tensor(labels)
    started = time.process_time()
    *_, success = foolbox.attacks.LinfPGD()(theirs, *given, epsilons=1 / 255)
    within, seconds = float(np.mean(success.numpy())), time.process_time() - started
    started = time.process_time()
    ours = [Attack(FoolSettings(eps=1), network).on(images.Photo(one)) for one in squares]
    found = {
        "pgd within a level": {
            "foolbox": within,
            "dreamer, of the file": float(np.mean([one.success for one in ours])),
        },
        "seconds": {"foolbox": round(seconds, 1), "dreamer": round(time.process_time() - started, 1)},
    }
    started = time.process_time()
    attack = foolbox.attacks.L2CarliniWagnerAttack(binary_search_steps=6, steps=100)
    _, clipped, success = attack(theirs, *given, epsilons=None)
    away = np.sqrt(np.square(clipped.numpy() - given[0].numpy()).sum(axis=(1, 2, 3)))
    rounded = np.rint(clipped.numpy() * 255)
    kept = [classifier.logits(one).argmax() != label for one, label in zip(rounded, labels, strict=True)]
    theirs_seconds = time.process_time() - started
    started = time.process_time()
    here, in_levels = [], []
    for one, label in zip(squares, labels, strict=True):
        sight, start = Sight(classifier, (224, 224), Goal(np.arange(1000) != label)), one.astype(np.float32)
        move = attacks.carlini_wagner(sight, start, steps=attacks.SEARCH_STEPS)
        here.append(levels.length(move))
        in_levels.append(levels.length(attacks.in_levels(sight, start, move).levels - start))
    return found | {
        "least length, median": {
            "foolbox": float(np.median(away[success.numpy()])),
            "dreamer": float(np.median(here)),
            "dreamer, in whole levels": float(np.median(in_levels)),
        },
        "foolbox found": int(success.numpy().sum()),
        "of these still fooled in whole levels": int(np.sum(np.array(kept) & success.numpy())),
        "seconds for the least": {
            "foolbox": round(theirs_seconds, 1),
            "dreamer": round(time.process_time() - started, 1),
        },
    }


if __name__ == "__main__":
    main()
