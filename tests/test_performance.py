"""What must not get worse, in what a busy machine does not change.

Traces and transfers are counted in ``ascent/test_on_device.py``, ``ascent/test_backend.py`` and
``test_dreaming.py``; figures are the business of ``benchmarks/``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

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


def test_a_gradient_is_that_of_the_usual_way():
    """Of Inception v3, as TensorFlow's own tape gives it; how quick it is, ``benchmarks/usual.py`` measures."""
    spec = known()["inception_v3"]
    keras.utils.set_random_seed(2)
    network = keras_applications.architecture(spec, classifier=False)
    names = ["mixed3", "mixed5"]
    activations = Network(spec, network).forward(names, "float32")
    goal = objectives.layer("mixed3") + objectives.layer("mixed5")
    ours = compile_gradient(lambda x, _matrix: activations(x), alone(goal))
    extractor = keras.Model(network.input, [network.get_layer(name).output for name in names])
    picture = np.random.default_rng(0).random((1, 160, 160, 3), np.float32)
    pictures = tf.constant(picture)
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        score = tf.add_n([tf.reduce_mean(tf.square(one)) for one in extractor(pictures * 2 - 1)])
    expected = tape.gradient(score, pictures).numpy()
    _, found = ours(picture, tile_view.IDENTITY)
    # Over the whole, since a unit whose input is zero to rounding may be on in one and off in the other.
    assert np.linalg.norm(found - expected) < 1e-3 * np.linalg.norm(expected)
