"""``dreamer.fool``: what is reported is what a file does."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from PIL import Image

import dreamer
from dreamer import images
from dreamer.errors import ImageReadError, ImageWriteError, SettingsError, UnknownClassError, UnknownLayerError
from dreamer.fooling.classifier import Classifier, Goal
from dreamer.fooling.run import Attack
from dreamer.fooling.settings import FoolSettings
from dreamer.models import registry


@pytest.fixture(scope="module")
def network():
    """A seeded network of four classes for pictures of any size, built for 24x24."""
    keras.utils.set_random_seed(5)
    picture = keras.Input((24, 24, 3))
    x = keras.layers.Conv2D(6, 5, strides=2, padding="same", activation="tanh")(picture)
    x = keras.layers.Conv2D(6, 3, padding="same", activation="tanh")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dense(4, kernel_initializer=keras.initializers.RandomNormal(stddev=4.0), name="scores")(x)
    return registry.load(keras.Model(picture, x), "-1..1", labels=["ant", "bee", "cow", "doe"])


@pytest.fixture(scope="module")
def photo():
    """(31, 45, 3) uint8."""
    return np.random.default_rng(2).integers(40, 216, (31, 45, 3), np.uint8)


def other(network, photo):
    """A class that the network does not see in the photo."""
    own = int(Classifier(network).logits(photo).argmax())
    return ["ant", "bee", "cow", "doe"][(own + 1) % 4]


@pytest.mark.parametrize(
    "keywords",
    [{}, {"eps": 12}, {"norm": "linf"}, {"method": "fgsm"}, {"method": "pgd", "norm": "l2"}, {"confidence": 0.6}],
    ids=str,
)
def test_the_file_as_it_was_written_fools_the_network(network, photo, tmp_path, keywords):
    target = None if "fgsm" in keywords.values() or "confidence" in keywords else other(network, photo)
    attack = Attack(FoolSettings(to=target, **keywords), network)
    found = attack.on(images.Photo(photo))
    assert found.success
    found.save(tmp_path / "fooled.png")
    with Image.open(tmp_path / "fooled.png") as written:
        levels = np.asarray(written.convert("RGB"))
    assert np.array_equal(levels, found.picture)
    logits = Classifier(network).logits(levels)
    best = int(logits.argmax())
    assert best == found.after[0].index
    assert (best != found.before[0].index) if target is None else network.labels[best].name == target
    if "confidence" in keywords:
        assert found.after[0].probability >= 0.6
    assert attack.on_file(tmp_path / "fooled.png", found).success
    assert found.linf == np.abs(levels.astype(int) - photo).max()
    assert found.l2 == pytest.approx(np.linalg.norm((levels.astype(float) - photo) / 255))
    if keywords.get("eps"):
        assert found.linf <= keywords["eps"]


def test_a_file_that_lost_the_change_is_told_as_not_fooled(network, photo, tmp_path):
    attack = Attack(FoolSettings(to=other(network, photo)), network)
    found = attack.on(images.Photo(photo))
    images.write(tmp_path / "other.png", images.Photo(photo), recipe=None)
    assert found.success
    assert not attack.on_file(tmp_path / "other.png", found).success


def test_the_gradient_is_that_of_the_photo_s_own_pixels(network, photo):
    """Through the resizing: the sum of a change and the gradient is what the score changes by."""
    classifier = Classifier(network)
    matrices = classifier.matrices(photo.shape[:2])
    assert [one.shape for one in matrices] == [(24, 31), (35, 45)]
    for goal in (Goal(np.arange(4) == 2), Goal(np.arange(4) == 2, 0.9), Goal(np.arange(4) != 1, 0.7)):
        pictures = photo[None].astype(np.float32) / 255
        _, (gradient,) = classifier.ascent(pictures, matrices, goal)
        change = np.random.default_rng(0).standard_normal(photo.shape).astype(np.float32) * 1e-2
        (above,), _ = classifier.ascent(pictures + change, matrices, goal)
        (below,), _ = classifier.ascent(pictures - change, matrices, goal)
        assert (above - below) / 2 == pytest.approx(float((gradient * change).sum()), rel=0.02, abs=1e-4)


def test_the_score_is_above_0_where_the_goal_is_reached(network):
    classifier = Classifier(network)
    rng = np.random.default_rng(3)
    seen = set()
    for _ in range(40):
        levels = rng.integers(0, 256, (24, 24, 3), np.uint8)
        levels = (levels * rng.random() + 255 * rng.random(3) * (1 - rng.random())).clip(0, 255).astype(np.uint8)
        for goal in (Goal(np.arange(4) == 2), Goal(np.arange(4) != 0), Goal(np.arange(4) != 0, 0.6)):
            (score,), _ = classifier.ascent(levels[None] / np.float32(255), classifier.matrices((24, 24)), goal)
            reached = goal.is_reached(classifier.logits(levels))
            assert reached == (score > 0)
            seen.add(reached)
    assert seen == {True, False}


def test_the_same_seed_gives_the_same_levels(network, photo):
    first, second, another = (
        dreamer.fool(photo, network=network, eps=3, seed=seed, steps=5).picture for seed in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, another)


def test_a_photo_that_is_taken_for_it_already_is_left_alone(network, photo):
    own = int(Classifier(network).logits(photo).argmax())
    found = dreamer.fool(photo, network=network, to=own)
    assert found.success
    assert found.is_untouched
    assert np.array_equal(found.picture, photo)


def test_what_travels_with_a_photo_stays(network, photo, tmp_path):
    alpha = np.random.default_rng(0).integers(0, 256, photo.shape[:2], np.uint8)
    Image.fromarray(np.dstack([photo, alpha])).save(tmp_path / "in.png", dpi=(90, 90))
    found = dreamer.fool(tmp_path / "in.png", network=network, eps=6)
    found.save(tmp_path / "out.webp")
    written = images.read(tmp_path / "out.webp", compact=True)
    assert np.array_equal(written.alpha, alpha)
    assert np.array_equal(written.pixels, found.picture)
    recipe = images.read_recipe(tmp_path / "out.webp")
    assert recipe["command"] == "fool"
    assert recipe["settings"]["eps"] == 6
    assert recipe["source"]["name"] == "in.png"


def test_sixteen_bits_become_eight(network, photo):
    found = dreamer.fool(images.Photo(photo.astype(np.uint16) * 257, bits=16), network=network, eps=2)
    assert found.photo.bits == 8
    assert np.array_equal(found.original, photo)


def test_a_jpeg_would_lose_it_unless_it_was_made_to_outlast_one(network, photo, tmp_path):
    with pytest.raises(ImageWriteError, match="JPEG, which does not keep every level.* --survive-jpeg 90"):
        dreamer.fool(photo, network=network, eps=2).save(tmp_path / "out.jpg")
    with pytest.raises(ImageWriteError, match=r"AVIF, which does not keep every level"):
        dreamer.fool(photo, network=network, eps=2).save(tmp_path / "out.avif")
    target = other(network, photo)
    attack = Attack(FoolSettings(to=target, survive_jpeg=60), network)
    found = attack.on(images.Photo(photo))
    assert found.success
    for sampling in (0, 2):  # 4:4:4 and 4:2:0
        Image.fromarray(found.picture).save(tmp_path / "again.jpg", quality=60, subsampling=sampling)
        logits = Classifier(network).logits(np.asarray(Image.open(tmp_path / "again.jpg")))
        assert network.labels[int(logits.argmax())].name == target
    found.save(tmp_path / "out.jpg")
    written = np.asarray(Image.open(tmp_path / "out.jpg"))
    from_file = attack.on_file(tmp_path / "out.jpg", found)
    assert np.array_equal(from_file.picture, written)
    assert from_file.linf == np.abs(written.astype(int) - photo).max()
    # What fools as it is, but not as a JPEG, does not count.
    plain = Attack(FoolSettings(to=target), network).on(images.Photo(photo))
    plain.save(tmp_path / "plain.png")
    assert plain.success
    assert not attack.on_file(tmp_path / "plain.png", plain).success


def test_a_format_that_drops_transparency_is_refused_where_there_is_any(network, photo, tmp_path):
    see_through = images.Photo(photo, np.full(photo.shape[:2], 100, np.uint8))
    found = Attack(FoolSettings(eps=2, steps=2, survive_jpeg=90), network).on(see_through)
    with pytest.raises(ImageWriteError, match="JPEG, which has no transparency"):
        found.save(tmp_path / "out.jpg")
    with pytest.raises(ImageWriteError, match="BMP, which does not keep every level"):
        found.save(tmp_path / "out.bmp")


def test_a_judge_says_what_it_sees(network, photo):
    found = dreamer.fool(photo, network=network, judge=network, eps=8)
    assert found.judged.fooled
    assert found.judged.after == found.after
    assert found.judged.model == network.spec.name


def test_a_judge_of_other_classes_is_refused(network, photo):
    with pytest.raises(SettingsError, match="has 1000 classes and .* 4; expected a judge with the same classes"):
        dreamer.fool(photo, network=network, judge="efficientnet_lite0", eps=8)


def test_a_judge_with_other_names_is_refused_and_one_that_says_it_anyway_is_not_fooled(network, photo):
    shuffled = registry.load(network.model(["scores"]), "-1..1", labels=["bee", "ant", "cow", "doe"])
    with pytest.raises(SettingsError, match="the classes of .* are not those of"):
        dreamer.fool(photo, network=network, judge=shuffled, eps=8)
    target = int(Classifier(network).logits(photo).argmax())
    found = dreamer.fool(photo, network=network, judge=network, to=target)
    assert found.success
    assert not found.judged.fooled


def test_a_network_of_one_class_is_refused(photo):
    picture = keras.Input((8, 8, 3))
    one = keras.Model(picture, keras.layers.Dense(1)(keras.layers.Flatten()(picture)))
    with pytest.raises(UnknownClassError, match="a single class"):
        dreamer.fool(photo, network=registry.load(one, "0..1"))


def test_recipes_name_the_network_and_the_method(network, photo):
    settings = dreamer.fool(photo, network=network, eps=2, steps=1, max_size=20).recipe["settings"]
    assert (settings["model"], settings["method"], settings["norm"]) == (network.spec.name, "pgd", "linf")


def test_a_photo_in_memory_is_made_smaller_too(network, photo):
    assert max(dreamer.fool(photo, network=network, eps=2, steps=1, max_size=20).picture.shape) == 20


def test_a_long_photo_is_squeezed(network):
    assert network.seen_at("scores", (31, 45)) == (24, 35)
    assert network.seen_at("scores", (2, 4000)) == (24, 96)


def test_what_cannot_be_is_said(network, photo, tiny_network):
    with pytest.raises(UnknownClassError, match="never learnt 'elk'"):
        dreamer.fool(photo, network=network, to="elk")
    for empty in ("logit:", "²"):
        with pytest.raises(UnknownClassError):
            dreamer.fool(photo, network=network, to=empty)
    with pytest.raises(UnknownLayerError, match="no channel 4"):
        dreamer.fool(photo, network=network, to=4)
    with pytest.raises(ImageReadError, match="shape"):
        dreamer.fool(np.zeros((4, 5)), network=network)
    for keywords, message in [
        ({"method": "cw", "norm": "linf"}, "cw finds the least change by l2"),
        ({"method": "cw", "eps": 2}, "eps has no use"),
        ({"method": "fgsm", "steps": 3}, "steps has no use"),
        ({"eps": 0.5}, "whole levels"),
        ({"eps": 0}, "a number from 1/255"),
        ({"eps": 300}, "1 to 255"),
        ({"eps": float("inf")}, "to 100000"),
        ({"confidence": 0.4}, "from 0.5 to 0.999"),
        ({"survive_jpeg": 101}, "1 to 100"),
        ({"method": "deepfool"}, "expected one of fgsm, pgd, cw"),
        ({"to": " "}, "expected a class"),
        ({"strength": 1}, "there is no setting 'strength'"),
    ]:
        with pytest.raises(SettingsError, match=message):
            FoolSettings.of(**keywords)


def test_the_sheet_shows_the_difference_with_its_factor(network, photo):
    found = dreamer.fool(photo, network=network, eps=2)
    sheet = found.sheet()
    assert sheet.pixels.shape[1] > 3 * photo.shape[1]
    assert "fooled, l2" in repr(found)


def test_the_bundled_network_takes_a_cat_for_broccoli(lite0, samples, tmp_path):
    steps = []
    attack = Attack(FoolSettings(to="broccoli", eps=3, steps=10, max_size=200), lite0)
    photo = images.read(samples / "cat.png", max_side=200, compact=True)
    found = attack.on(photo, on_step=steps.append)
    assert found.success
    assert found.linf <= 3
    assert found.said.seen == lite0.seen_at("logits", found.picture.shape[:2])
    assert steps == list(range(1, found.steps + 1))
    assert "cat" in found.before[0].name
    assert found.after[0].name == "broccoli"
    found.save(tmp_path / "cat.png")
    assert attack.on_file(tmp_path / "cat.png", found).success
