"""Looks, and which kind of target has which; several networks that see one picture."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

import dreamer
from dreamer.ascent import optimizing
from dreamer.errors import SettingsError, UnknownLayerError
from dreamer.models.network import Network
from dreamer.models.specs import known
from dreamer.objectives import Objective
from dreamer.transforms import SETS
from dreamer.visualizing.looks import LOOKS, OF_CLASSES, OF_OTHERS
from dreamer.visualizing.plan import VisualizePlan
from dreamer.visualizing.settings import VisualizeSettings

QUICK = VisualizeSettings(size=(24, 34), steps=4, precision="float32")


def classifier(seed, filters=5):
    """A tiny network with classes, whose weights follow from a seed."""
    keras.utils.set_random_seed(seed)
    picture = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="tanh", name="first")(picture)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    network = keras.Model(picture, keras.layers.Dense(6, name="logits")(x))
    spec = dataclasses.replace(known()["efficientnet_lite0"], name=f"tiny{seed}", default_layer=None, dreams_well=())
    return Network(spec, network)


@pytest.fixture(scope="module")
def two():
    return classifier(1), classifier(2, filters=7)


@pytest.fixture
def beside(two, monkeypatch):
    """The second of two networks can be named."""
    from dreamer.models import registry

    load = registry.load

    def found(network, *more):
        return two[1] if network == "tiny2" else load(network, *more)

    monkeypatch.setattr(registry, "load", found)
    return two


def test_classes_and_everything_else_have_a_look_of_their_own(two):
    plan = VisualizePlan.of(QUICK, two[0])
    a_class, a_channel = Objective.parse("logit:3"), Objective.parse("first:3")
    assert plan.way(a_class).settings.look == OF_CLASSES
    assert plan.way(a_channel).settings.look == OF_OTHERS
    assert plan.way(a_class, a_channel) is None
    assert plan.way(a_class).transforms == SETS["framed"]
    assert plan.way(a_channel).transforms == SETS["robust"]
    assert plan.to_dict()["look"] is None
    assert plan.recipe({}, [a_class])["settings"]["look"] == OF_CLASSES
    assert plan.recipe({}, [a_class])["settings"]["parametrization"] == "cosine"
    assert plan.recipe({}, [a_class, a_channel])["settings"]["look"] is None


@pytest.mark.parametrize("look", list(LOOKS))
def test_a_look_decides_what_nobody_else_does(two, look):
    row = LOOKS[look]
    plan = VisualizePlan.of(QUICK.merged(QUICK, {"look": look}), two[0])
    assert plan.of_classes.settings == plan.of_others.settings == plan.settings
    assert plan.settings.parametrization == row.parametrization
    assert plan.settings.optimizer == row.optimizer
    assert plan.of_others.schedule == row.schedule
    assert row.transforms in plan.of_others.summary
    drawn = dreamer.visualize("logit:2", QUICK, network=two[0], look=look)
    assert drawn.pixels.shape == (24, 34, 3)
    assert drawn.recipe["settings"]["look"] == look


def test_what_a_person_sets_overrides_a_look_and_a_parametrization_brings_its_own(two):
    plan = VisualizePlan.of(QUICK.merged(QUICK, {"look": "clear", "transforms": "none", "optimizer": "adam"}), two[0])
    assert plan.of_classes.transforms == SETS["none"]
    assert plan.settings.optimizer == "adam"
    assert plan.of_classes.schedule == LOOKS["clear"].schedule
    maco = VisualizePlan.of(QUICK.merged(QUICK, {"parametrization": "maco"}), two[0])
    assert (maco.settings.look, maco.settings.optimizer) == (None, "nadam")
    assert maco.of_classes.transforms == SETS["maco"]
    both = VisualizePlan.of(QUICK.merged(QUICK, {"parametrization": "pixels", "look": "clear"}), two[0])
    assert (both.settings.parametrization, both.settings.optimizer) == ("pixels", "momentum")


def test_an_unknown_look_is_refused():
    with pytest.raises(SettingsError, match="look is 'clera'; expected one of clear, scene, texture, activation"):
        VisualizeSettings(look="clera")


def test_grey_lies_beyond_a_picture_with_a_border():
    from dreamer.ascent import views

    rng = np.random.default_rng(0)
    how = dreamer.Transforms(border=True, scale=(0.5, 0.5), crop_spread=0.0)
    drawn = views.draw(how, rng, size=(20, 30), seen=(20, 30), progress=0.0)
    field = np.zeros((views.NOISE_SIDE, views.NOISE_SIDE, 3), np.float32)
    white = np.ones((1, 20, 30, 3), np.float32)
    seen = np.asarray(views.see(keras.ops.convert_to_tensor(white), drawn, field, count=1, turns=False, noisy=False))[0]
    assert seen[0] == pytest.approx(0.5)
    assert seen[10, 15] == pytest.approx(1.0)
    with pytest.raises(SettingsError, match="border of the transforms is 1; expected true or false"):
        dreamer.Transforms(border=1)


def test_several_networks_see_one_picture(beside):
    """The picture scores in both, and more in each than one that was drawn for the other alone."""
    first, second = beside
    scores = {}
    for name, network, more in (
        ("first", first, ()), ("second", second, ()), ("both", first, ("tiny2",)),
    ):  # fmt: skip
        drawn = dreamer.visualize("logit:4", QUICK, network=network, jointly_with=more, steps=40, look="activation")
        scores[name] = [float(one.activations(drawn.pixels, ["logits"])["logits"][4]) for one in beside]
        if more:
            assert drawn.score == pytest.approx(np.mean(scores[name]), abs=0.02)
            assert drawn.recipe["settings"]["jointly_with"] == ["tiny2"]
            assert drawn.recipe["jointly_with_sha256"] == {"tiny2": ""}
    assert scores["both"][0] > scores["second"][0]
    assert scores["both"][1] > scores["first"][1]


def test_a_target_that_one_of_the_networks_lacks_is_refused(beside):
    with pytest.raises(UnknownLayerError, match="layer 'first' of tiny1 has no channel 6"):
        dreamer.visualize("first:6", QUICK, network=beside[0], jointly_with=("tiny2",))


def test_each_gradient_counts_alike_in_the_mean():
    x = np.ones((2, 3), np.float32)

    def small(_inputs, _given):
        return keras.ops.ones(2), 0.01 * keras.ops.convert_to_tensor([[1.0, 0, 0], [0, 0, 0]])

    def large(_inputs, _given):
        return 3 * keras.ops.ones(2), keras.ops.convert_to_tensor([[0.0, 7, 0], [0, 0, 2]])

    scores, found = optimizing.mean_of([small, large])(x, None)
    assert np.asarray(scores) == pytest.approx([2, 2])
    found = np.asarray(found)
    assert found[0, 0] == pytest.approx(found[0, 1])
    assert found[0, 0] == pytest.approx(7.01 / 4)
    assert found[1] == pytest.approx([0, 0, 0.5])  # A network that has no gradient has no say.


@pytest.mark.parametrize("wrong", [7, "", [""], ["a"] * 8, ["a\0b"]])
def test_networks_beside_the_first_are_names(wrong):
    with pytest.raises(SettingsError, match="jointly_with is .*; expected names of networks"):
        VisualizeSettings(jointly_with=wrong)
