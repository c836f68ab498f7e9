"""What must not get worse, in counts and ratios that a busy machine does not change.

Traces and transfers are counted in ``ascent/test_on_device.py``, ``ascent/test_backend.py`` and
``test_dreaming.py``; figures are the business of ``benchmarks/``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from dreamer import objectives
from dreamer.ascent import tile_view
from dreamer.ascent.scoring import alone
from dreamer.backends.backend import compile_gradient
from dreamer.models import keras_applications
from dreamer.models.network import Network
from dreamer.models.specs import known

MEMORY = """
import json, resource, sys
import numpy as np
import dreamer
peaks = []
for side in map(int, sys.argv[1:]):
    picture = np.broadcast_to(np.uint8(90), (side, side, 3))
    dreamer.dream(picture, octaves=1, steps=2, tile=256, objective="block2b")
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(json.dumps(peaks))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss is known for Linux")
def test_a_larger_picture_takes_memory_for_its_pixels_and_not_for_the_network():
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, "700", "3000"],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    small, large = json.loads(done.stdout)
    # Picture, gradient and result are 36 bytes a pixel; the network's activations for all would be 900.
    assert (large - small) * 1024 < 60 * (3000**2 - 700**2)


def test_a_gradient_is_no_slower_than_the_usual_way():
    """Of Inception v3 it takes half to nine tenths of the time; more than 1.6 of it means that something broke."""
    spec = known()["inception_v3"]
    keras.utils.set_random_seed(2)
    network = keras_applications.architecture(spec, classifier=False)
    names = ["mixed3", "mixed5"]
    activations = Network(spec, network).forward(names, "float32")
    goal = objectives.layer("mixed3") + objectives.layer("mixed5")
    ours = compile_gradient(lambda x, _matrix: activations(x), alone(goal))
    extractor = keras.Model(network.input, [network.get_layer(name).output for name in names])

    @tf.function
    def usual(pictures):
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            score = tf.add_n([tf.reduce_mean(tf.square(one)) for one in extractor(pictures * 2 - 1)])
        return tape.gradient(score, pictures)

    picture = np.random.default_rng(0).random((1, 160, 160, 3), np.float32)

    def seconds(call):
        start = time.perf_counter()
        found = call()
        return time.perf_counter() - start, found

    ratios = []
    for _ in range(9):
        a, (_, found) = seconds(lambda: ours(picture, tile_view.IDENTITY))
        b, expected = seconds(lambda: usual(tf.constant(picture)).numpy())
        ratios.append(a / b)
    # Over the whole, since a unit whose input is zero to rounding may be on in one and off in the other.
    assert np.linalg.norm(found - expected) < 1e-3 * np.linalg.norm(expected)
    assert statistics.median(ratios[2:]) < 1.6
