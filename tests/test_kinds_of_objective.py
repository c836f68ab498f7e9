"""A kind of objective is one class and its score: here is one that the package does not know, as a plug-in adds it."""

from __future__ import annotations

import dataclasses
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from keras import ops

import dreamer
from dreamer import Objective, objectives, plugins
from dreamer.ascent.scoring import Seen
from dreamer.errors import SettingsError, UnknownLayerError
from dreamer.objectives.terms import Form, Term, quoted_layer

QUICK = {"size": (40, 56), "steps": 12, "precision": "float32"}


@dataclasses.dataclass(frozen=True)
class Loudest(Term):
    """The largest activation of a layer."""

    kind = "loudest"
    layer: str

    @classmethod
    def read(cls, reader):
        return cls(reader.layer())

    def __str__(self):
        return f"loudest:{quoted_layer(self.layer)}"

    def resolve(self, network):
        network.check(self.layer)
        return self

    @property
    def form(self):
        return Form(f"{__name__}:loudest", (self.layer,))


def loudest(form, seen, _own):
    return ops.max(seen.activations[form.layers[0]], axis=(1, 2, 3))


@pytest.fixture
def plugged(monkeypatch):
    """The kind, as an installed package would add it."""
    entries = {
        "loudest": EntryPoint("loudest", f"{__name__}:Loudest", "dreamer.objectives"),
        "broken": EntryPoint("broken", "there_is_no_such_module:kind", "dreamer.objectives"),
        "nonsense": EntryPoint("nonsense", f"{__name__}:loudest", "dreamer.objectives"),
    }
    monkeypatch.setattr(plugins, "_entry_points", lambda group: entries if group == "dreamer.objectives" else {})
    plugins._loaded.cache_clear()
    yield
    plugins._loaded.cache_clear()


def test_a_kind_of_a_plug_in_is_read_written_resolved_drawn_and_dreamt(plugged, tiny_network, picture):
    goal = Objective.parse("2*loudest:second - 0.1*l2")
    assert goal.name == "2*loudest:second - 0.1*l2"
    assert goal.layers == {"second"}
    drawn = dreamer.visualize(goal, network=tiny_network, **QUICK)
    assert drawn.score > drawn.first_score
    dreamt = dreamer.dream(picture, network=tiny_network, objective="loudest:second", octaves=1, steps=6)
    before, after = (tiny_network.activations(one, ["second"])["second"].max() for one in (picture, np.asarray(dreamt)))
    assert after > before
    with pytest.raises(UnknownLayerError):
        dreamer.visualize("loudest:third", network=tiny_network, **QUICK)


@pytest.mark.parametrize("name", ["broken", "nonsense"])
def test_a_broken_plug_in_is_named_and_left_out(plugged, name):
    with pytest.warns(RuntimeWarning, match=f"the plug-in '{name}' .* is left out"), pytest.raises(SettingsError):
        Objective.parse(f"{name}:second")
    assert Objective.parse("block4b:3").name == "block4b:3"  # Others do not notice.


def test_a_layer_may_have_the_name_of_a_plug_in(plugged):
    assert Objective.parse("loudest").layers == {"loudest"}


def test_a_score_of_your_own_may_look_at_the_picture(tiny_network):
    def red(seen: Seen):
        assert set(seen.activations) == {"first"}
        return ops.mean(seen.picture[..., 0], axis=(1, 2)) + 0 * ops.mean(seen.activations["first"], axis=(1, 2, 3))

    goal = objectives.custom("red", ["first"], red, picture=True)
    for transforms in ("none", {"views": 3}):
        drawn = dreamer.visualize(goal, network=tiny_network, transforms=transforms, **QUICK)
        assert drawn.pixels[..., 0].mean() > 0.65
        assert drawn.score == pytest.approx(drawn.pixels[..., 0].mean(), abs=1e-3)


def test_a_score_of_your_own_may_look_at_a_second_picture_through_the_same_views(tiny_network, picture):
    """Its activations are approached; seen through other views they would not be those of the first."""

    def alike(seen: Seen):
        return -ops.mean(ops.square(seen.activations["first"] - seen.reference["first"]), axis=(1, 2, 3))

    goal = objectives.custom("alike", ["first"], alike, reference=picture)
    settings = QUICK | {"steps": 60, "parametrization": "pixels", "learning_rate": 0.1, "transforms": {"jitter": [6]}}
    drawn = dreamer.visualize(goal, network=tiny_network, **settings)
    assert drawn.score > 0.5 * drawn.first_score  # Below zero, and nearer to it.
    same = dreamer.visualize(goal, network=tiny_network, start=picture, **settings | {"steps": 1})
    assert same.first_score == pytest.approx(0, abs=1e-4)
    dream = {"network": tiny_network, "objective": goal, "octaves": 1, "steps": 2, "precision": "float32"}
    assert next(dreamer.dream_steps(picture, **dream)).score == pytest.approx(0, abs=1e-6)
    with pytest.raises(SettingsError, match="the reference of the score 'x' has shape"):
        objectives.custom("x", ["first"], alike, reference=np.zeros((3, 4)))
