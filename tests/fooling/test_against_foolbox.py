"""The same attacks by an independent tool, on the same network, photos and bounds."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from dreamer import images
from dreamer.arrays import as_float
from dreamer.fooling import attacks
from dreamer.fooling.classifier import Classifier, Goal, Sight
from dreamer.fooling.run import Attack
from dreamer.fooling.settings import FoolSettings
from dreamer.models import registry

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
COUNT = 12


@pytest.fixture(scope="module")
def digits():
    """A network that tells handwritten digits apart, and some that it gets right, as (8, 8, 3) uint8."""
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    found = datasets.load_digits()
    photos = np.repeat(np.rint(found.images * 255 / 16)[..., None], 3, axis=-1).astype(np.uint8)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(as_float(photos[:1500]), found.target[:1500], epochs=8, verbose=0)
    right = np.flatnonzero(np.asarray(model(as_float(photos[1500:]))).argmax(axis=-1) == found.target[1500:]) + 1500
    chosen = right[:COUNT]
    return model, registry.load(model, "0..1"), photos[chosen], found.target[chosen]


@pytest.fixture(scope="module")
def foolbox():
    return pytest.importorskip("foolbox", reason="foolbox is not installed")


def tensors(photos, labels):
    import tensorflow as tf

    return tf.convert_to_tensor(as_float(photos)), tf.convert_to_tensor(labels.astype(np.int64))


@pytest.mark.parametrize("bound", [8, 20])
@pytest.mark.parametrize("method", ["fgsm", "pgd"])
def test_as_many_are_fooled_within_a_bound(digits, foolbox, method, bound):
    model, network, photos, labels = digits
    theirs = foolbox.TensorFlowModel(model, bounds=(0, 1))
    attack = {"fgsm": foolbox.attacks.LinfFastGradientAttack(), "pgd": foolbox.attacks.LinfPGD()}[method]
    *_, success = attack(theirs, *tensors(photos, labels), epsilons=bound / 255)
    ours = Attack(FoolSettings(method=method, eps=bound), network)
    fooled = [ours.on(images.Photo(photo)) for photo in photos]
    assert all(one.linf <= bound for one in fooled)
    assert np.mean([one.success for one in fooled]) >= np.mean(success.numpy()) - 0.05
    assert np.mean([one.success for one in fooled]) > 0


def test_the_least_change_is_as_short(digits, foolbox):
    model, network, photos, labels = digits
    theirs = foolbox.TensorFlowModel(model, bounds=(0, 1))
    attack = foolbox.attacks.L2CarliniWagnerAttack(binary_search_steps=6, steps=200)
    _, clipped, success = attack(theirs, *tensors(photos, labels), epsilons=None)
    assert success.numpy().all()
    there = np.sqrt(np.square(clipped.numpy() - as_float(photos)).sum(axis=(1, 2, 3)))
    classifier = Classifier(network)
    here, in_levels = [], []
    for photo, label in zip(photos, labels, strict=True):
        sight = Sight(classifier, (8, 8), Goal(np.arange(10) != label))
        start = photo.astype(np.float32)
        move = attacks.carlini_wagner(sight, start, steps=attacks.SEARCH_STEPS)
        found = attacks.in_levels(sight, start, move)
        assert sight.fools(found.levels)
        here.append(np.linalg.norm(move / 255))
        in_levels.append(np.linalg.norm((found.levels - start) / 255))
    assert np.median(here) <= 1.1 * np.median(there)
    # Here whole levels cost next to nothing, as a change is some ten of them.
    assert np.median(in_levels) <= 1.1 * np.median(there)
