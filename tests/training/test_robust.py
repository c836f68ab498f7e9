"""The training of a robust network, on a tiny one and a handful of photos."""

from __future__ import annotations

import json

import cv2
import keras
import numpy as np
import pytest

from dreamer.errors import DreamerError, SettingsError
from dreamer.models import efficientnet_lite, registry
from training import measure, photos, robust, ship, state
from training.student import Lesson, Teaching, Weights, cross_entropy, projected, random_start

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

CLASSES = 7


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """The path of a network of seven classes, with a normalisation whose statistics are to stay."""
    keras.utils.set_random_seed(5)
    picture = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(6, 3, strides=2, padding="same", name="first")(picture)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.ReLU(name="relu")(x)
    x = keras.layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    network = keras.Model(picture, keras.layers.Dense(CLASSES, name="logits")(x))
    network.get_layer("norm").set_weights(
        [np.full(6, 1.2), np.full(6, 0.1), np.linspace(-0.3, 0.3, 6), np.linspace(0.5, 2, 6)]
    )
    path = tmp_path_factory.mktemp("teacher") / "teacher.keras"
    network.save(path)
    path.with_suffix(".toml").write_text('preprocessing = "-1..1"\nlabels = "names.txt"\n', encoding="utf-8")
    (path.parent / "names.txt").write_text("".join(f"kind {index}\n" for index in range(CLASSES)), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twenty photos of odd sizes, some in a folder of the folder."""
    root = tmp_path_factory.mktemp("photos")
    (root / "more").mkdir()
    rng = np.random.default_rng(0)
    for index in range(20):
        height, width = 40 + index, 61 - index
        photo = cv2.resize(rng.integers(0, 256, (5, 7, 3), np.uint8), (width, height))
        cv2.imwrite(str(root / ("more" if index % 3 else ".") / f"{index:02}.png"), photo)
    return root


def train(teacher, folder, output, *more):
    robust.main([
        str(folder), "-o", str(output), "--model", teacher, "--batch", "3", "--side", "24", "--radius", "0.5",
        "--learning-rate", "0.02", *map(str, more),
    ])  # fmt: skip


def test_every_tenth_photo_is_held_out_and_a_folder_named_twice_counts_twice(folder, tmp_path):
    once, twice = photos.find([folder]), photos.find([folder, folder])
    assert len(once.training) == 18
    assert len(once.held_out) == 2
    assert not set(once.training) & set(once.held_out)
    assert twice.training == once.training * 2
    assert twice.held_out == once.held_out
    with pytest.raises(DreamerError, match="there are no photos in"):
        photos.find([tmp_path])


def test_the_same_seed_and_step_give_the_same_batch_and_each_photo_comes_once_an_epoch(folder):
    paths = photos.find([folder]).training
    made = [photos.Batches(paths, size=6, side=24, larger=33, mixtures=0.5, seed=4) for _ in range(2)]
    first, second = (one.batch(2) for one in made)
    assert first.seen.shape == (6, 24, 24, 3)
    assert first.larger.shape == (6, 33, 33, 3)
    assert first.seen.min() >= 0
    assert first.seen.max() <= 1
    assert np.array_equal(first.seen, second.seen)
    assert np.array_equal(first.larger, second.larger)
    # What both see is the same crop: at one size they agree.
    small = np.stack([cv2.resize(one, (24, 24), interpolation=cv2.INTER_AREA) for one in first.larger])
    assert np.abs(small - first.seen).mean() < 0.05
    assert sorted(made[0]._order(3)) == list(range(len(paths)))
    [*ahead] = (one for one, _ in zip(made[0].following(1), range(2), strict=False))
    assert np.array_equal(ahead[1].seen, first.seen)


def test_perturbations_stay_within_their_ball():
    rng = np.random.default_rng(0)
    start = random_start((50, 8, 8, 3), 0.7, rng)
    lengths = np.sqrt((start**2).sum(axis=(1, 2, 3)))
    assert 0.5 < lengths.max() <= 0.7 + 1e-5
    far = np.asarray(projected(start * 9, 0.7))
    assert np.sqrt((far**2).sum(axis=(1, 2, 3))).max() <= 0.7 + 1e-5
    assert np.allclose(projected(start, 0.7), start, atol=1e-6)


def test_a_student_starts_as_its_teacher_and_its_gradient_is_that_of_the_loss(teacher):
    weights = Weights(registry.load(teacher))
    pictures = np.random.default_rng(1).random((2, 16, 20, 3), np.float32)
    logits = np.asarray(weights.logits(weights.vector.first, pictures))
    known = registry.load(teacher).activations(pictures, ["logits"])["logits"]
    assert logits == pytest.approx(known, abs=1e-5)
    assert len(weights.trained) == 8  # Not the statistics of the normalisation.


def test_a_step_descends_the_loss_of_the_perturbed_photos_without_a_gradient_of_the_attack(teacher):
    """What one step changes is the sign of the gradient, found here by differences with the attack held still."""
    network = registry.load(teacher)
    lesson = Lesson(radius=0.6, clean=0.0, learning_rate=1e-3, weight_decay=0.0, steps=4, warm_up=0)
    teaching = Teaching(network, lesson, batch=2, side=16, larger=22)
    rng = np.random.default_rng(2)
    seen, larger = rng.random((2, 16, 16, 3), np.float32), rng.random((2, 22, 22, 3), np.float32)
    start = random_start(seen.shape, 0.6, rng)
    loss, after = teaching.step(teaching.first, seen, larger, start)
    vector = teaching.weights.vector.first
    answers = np.asarray(keras.ops.softmax(teaching.weights.logits(vector, larger)))
    perturbed = attacked(teaching.weights, seen, start, answers, lesson.radius)

    def loss_of(some):
        return float(np.mean(np.asarray(cross_entropy(answers, teaching.weights.logits(some, perturbed)))))

    assert float(np.asarray(loss)) == pytest.approx(loss_of(vector), rel=1e-3)
    moved = np.asarray(after[0]) - vector
    checked = 0
    for place in rng.choice(len(vector), 40, replace=False):
        beside = np.eye(1, len(vector), place, dtype=np.float32)[0] * 0.3
        slope = loss_of(vector + beside) - loss_of(vector - beside)
        if abs(slope) > 2e-6:  # More than rounding.
            assert np.sign(moved[place]) == -np.sign(slope)
            checked += 1
    assert checked > 10


def attacked(weights, seen, start, answers, radius):
    """The perturbed photos of a step, by TensorFlow's tape."""
    import tensorflow as tf

    pictures = tf.constant(np.clip(seen + start, 0, 1))
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        loss = tf.reduce_sum(cross_entropy(answers, weights.logits(weights.vector.first, pictures)))
    gradient = tape.gradient(loss, pictures).numpy()
    length = np.sqrt((gradient**2).sum(axis=(1, 2, 3), keepdims=True))
    return np.clip(seen + np.asarray(projected(start + 2 * radius * gradient / length, radius)), 0, 1)


def test_a_training_that_is_stopped_goes_on_to_the_same_weights(teacher, folder, tmp_path):
    train(teacher, folder, tmp_path / "whole", "--steps", 6, "--attack-steps", 2)
    for stop in (2, 6):
        train(teacher, folder, tmp_path / "parts", "--steps", 6, "--attack-steps", 2, "--stop-at", stop)
    whole, parts = (state.mean_of(tmp_path / name) for name in ("whole", "parts"))
    assert parts == pytest.approx(whole, abs=1e-5)
    assert not np.allclose(whole, Weights(registry.load(teacher)).vector.first, atol=1e-4)
    runs = [json.loads(line) for line in (tmp_path / "parts" / "runs.jsonl").read_text("utf-8").splitlines()]
    assert [run["from"] for run in runs] == [0, 2]
    assert runs[0]["radius"] == 0.5


def test_a_student_may_start_as_another_network_of_the_same_layers(teacher, folder, tmp_path, lite0):
    train(teacher, folder, tmp_path / "run", "--steps", 3)
    other = str(ship.ship(tmp_path / "run", tmp_path / "other.keras"))
    lesson = Lesson(radius=0.5, steps=4)
    teaching = Teaching(registry.load(teacher), lesson, batch=2, side=16, larger=22, start=registry.load(other))
    pictures = np.random.default_rng(1).random((2, 16, 20, 3), np.float32)
    expected = registry.load(other).activations(pictures, ["logits"])["logits"]
    assert np.asarray(teaching.weights.logits(teaching.first[0], pictures)) == pytest.approx(expected, abs=1e-4)
    assert np.abs(teaching.first[0] - teaching.weights.vector.first).max() > 1e-4
    with pytest.raises(DreamerError, match="efficientnet_lite0 has other layers than the teacher"):
        Teaching(registry.load(teacher), lesson, batch=2, side=16, larger=22, start=lite0)


def test_a_folder_of_another_teacher_is_refused(teacher, folder, tmp_path, capsys):
    train(teacher, folder, tmp_path, "--steps", 1)
    with pytest.raises(SystemExit):
        robust.main([str(folder), "-o", str(tmp_path), "--model", "efficientnet_lite0", "--side", "32"])
    assert "holds a training of" in capsys.readouterr().err
    with pytest.raises(SettingsError, match="there is no training in"):
        state.mean_of(tmp_path / "nowhere")


def test_a_student_becomes_a_network_of_ones_own(teacher, folder, tmp_path):
    train(teacher, folder, tmp_path / "run", "--steps", 3)
    path = ship.ship(tmp_path / "run", tmp_path / "mine.keras")
    mine, origin = registry.load(str(path)), registry.load(teacher)
    assert [label.name for label in mine.labels] == [f"kind {index}" for index in range(CLASSES)]
    pictures = np.random.default_rng(1).random((2, 16, 20, 3), np.float32)
    expected = Weights(origin).logits(state.mean_of(tmp_path / "run"), pictures)
    found = mine.activations(pictures, ["logits"])["logits"]
    assert found == pytest.approx(np.asarray(expected), abs=1e-4)
    assert np.abs(found - origin.activations(pictures, ["logits"])["logits"]).max() > 1e-4
    with pytest.raises(SettingsError, match="is there already"):
        ship.ship(tmp_path / "run", path)
    with pytest.raises(SettingsError, match=r"expected .keras or .npz"):
        ship.ship(tmp_path / "run", tmp_path / "mine.h5")


def test_what_is_shipped_in_half_the_bits_is_read_back(lite0, tmp_path):
    arrays = ship.arrays_of(lite0.model(["logits"]))
    path = tmp_path / "weights.npz"
    np.savez(path, **arrays)
    built = efficientnet_lite.build(path, lite0.spec)
    kernel = built.get_layer("block3a_depthwise_pre_relu").get_weights()[0]
    assert np.array_equal(kernel, arrays["block3a_depthwise_pre_relu.kernel"].astype(np.float32))
    np.savez(path, **{name: array for name, array in arrays.items() if name != "logits.bias"})
    with pytest.raises(DreamerError, match=r"lack 'logits.bias'"):
        efficientnet_lite.build(path, lite0.spec)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DreamerError, match="cannot read the weights"):
        efficientnet_lite.build(path, lite0.spec)


def test_an_attack_lowers_what_a_network_says_and_stays_near(teacher, monkeypatch):
    monkeypatch.setattr(measure, "SIDE", 24)
    monkeypatch.setattr(measure, "AT_ONCE", 4)
    answers = measure.Answers(teacher)
    pictures = np.random.default_rng(3).random((5, 24, 24, 3), np.float32)
    goal = answers.logits(pictures).argmax(axis=1)
    moved = answers.attacked(pictures, goal, 1.0)
    assert np.sqrt(((moved - pictures) ** 2).sum(axis=(1, 2, 3))).max() <= 1 + 1e-4
    before, after = (margin(answers.logits(some), goal) for some in (pictures, moved))
    assert (after < before).all()


def margin(logits, goal):
    one_hot = np.eye(logits.shape[1])[goal]
    return (logits * one_hot).sum(axis=1) - (logits - 1e6 * one_hot).max(axis=1)
