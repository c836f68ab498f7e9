"""Inception v3 with its real weights, where they are at hand."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import dreamer
from dreamer import images
from dreamer.models import fetching, keras_applications, registry, store
from dreamer.models.specs import known
from dreamer.sides import Sides

TRUNK = Path(__file__).resolve().parents[3] / "shared" / "weights" / "inception_v3_trunk.weights.h5"
GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "cat-inception-v3.png"
SPEC = known()["inception_v3"]


@pytest.fixture
def installed():
    """The trunk's weights, imported as a user would."""
    if not TRUNK.exists():
        pytest.skip(f"needs {TRUNK.name}, which is not in {TRUNK.parent}")
    assert not fetching.import_file(SPEC, TRUNK, unverified=True)
    yield
    store.remove(SPEC.name)


def test_with_and_without_the_classifier():
    with_classifier = keras_applications.architecture(SPEC)
    without = keras_applications.architecture(SPEC, classifier=False)
    assert with_classifier.output_shape == (None, 1000)
    assert without.output_shape == (None, None, None, 2048)
    assert [layer.name for layer in without.layers][1:] == [layer.name for layer in with_classifier.layers][1:-2]


def test_keras_name_for_it_is_the_same_network():
    assert registry.spec("keras:InceptionV3") is SPEC


def test_a_golden_dream(installed, samples):
    """One step an octave, as in the golden dream of the bundled network, and for the same reason."""
    cat = images.read(samples / "cat.png").pixels
    dreamt = dreamer.dream(
        cat[50:170, 100:261], model="inception_v3", octaves=2, steps=1, step_size=0.04, precision="float32"
    ).pixels
    golden = images.read(GOLDEN).pixels
    blurred = [cv2.GaussianBlur(picture, (0, 0), 1.0) for picture in (dreamt, golden)]
    assert np.abs(blurred[0] - blurred[1]).mean() < 0.006
    network = registry.load("inception_v3")
    assert network.logits is None
    scores = [float((np.asarray(network.forward(["mixed4"])(picture[None])["mixed4"]) ** 2).mean())
              for picture in (cat[50:170, 100:261], dreamt)]  # fmt: skip
    assert scores[1] > 1.05 * scores[0]


def test_pictures_smaller_than_it_can_see_dream_too(installed, picture):
    network = registry.load("inception_v3")
    assert network.sides(["mixed4"]) == (Sides(first=43), Sides(first=43))
    dreamt = dreamer.dream(picture[:20, :30], model="inception_v3", steps=2).pixels
    assert dreamt.shape == (20, 30, 3)
    assert np.abs(dreamt - picture[:20, :30]).mean() > 0.005
