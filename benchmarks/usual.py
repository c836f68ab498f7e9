"""A gradient of Inception v3 against TensorFlow's own tape, in one process, by turns: the ratio of their times.

python benchmarks/usual.py
"""

from __future__ import annotations

import json
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from dreamer import objectives
from dreamer.ascent import tile_view
from dreamer.ascent.scoring import alone
from dreamer.backends.backend import compile_gradient
from dreamer.models import keras_applications
from dreamer.models.network import Network
from dreamer.models.specs import known

NAMES = ["mixed3", "mixed5"]
ROUNDS = 25


def main() -> None:
    spec = known()["inception_v3"]
    keras.utils.set_random_seed(2)
    network = keras_applications.architecture(spec, classifier=False)
    activations = Network(spec, network).forward(NAMES, "float32")
    goal = objectives.layer(NAMES[0]) + objectives.layer(NAMES[1])
    ours = compile_gradient(lambda x, _matrix: activations(x), alone(goal))
    extractor = keras.Model(network.input, [network.get_layer(name).output for name in NAMES])

    @tf.function
    def usual(pictures):
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            score = tf.add_n([tf.reduce_mean(tf.square(one)) for one in extractor(pictures * 2 - 1)])
        return tape.gradient(score, pictures)

    picture = np.random.default_rng(0).random((1, 160, 160, 3), np.float32)
    ratios = []
    for _ in range(ROUNDS):
        own = seconds(lambda: ours(picture, tile_view.IDENTITY))
        ratios.append(own / seconds(lambda: usual(tf.constant(picture)).numpy()))
    kept = sorted(ratios[2:])
    print(
        json.dumps(
            {"median": round(statistics.median(kept), 3), "least": round(kept[0], 3), "most": round(kept[-1], 3)}
        )
    )


def seconds(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
