"""Success rates of many photos, and their plot."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import keras
import numpy as np
import pytest

from dreamer import images
from dreamer.fooling.plot import curves
from dreamer.fooling.rates import Rates
from dreamer.fooling.run import Attack
from dreamer.fooling.settings import FoolSettings
from dreamer.models import registry


@pytest.fixture(scope="module")
def brightness():
    """A network of two classes, dark and bright, whose border is middling grey: the least change is known."""
    picture = keras.Input((8, 8, 3))
    x = keras.layers.Flatten()(picture)
    layer = keras.layers.Dense(2, name="scores")
    network = keras.Model(picture, layer(x))
    kernel = np.stack([np.full(192, -1 / 192), np.full(192, 1 / 192)], axis=1)
    layer.set_weights([100 * kernel, 100 * np.array([0.5, -0.5])])
    return registry.load(network, "0..1", labels=["dark", "bright"])


def grey(level):
    return images.Photo(np.full((8, 8, 3), level, np.uint8))


def test_a_photo_is_fooled_from_the_bound_on_that_its_grey_needs(brightness):
    rates = Rates(Attack(FoolSettings(steps=10), brightness), (2, 5, 20))
    for level in (124, 126, 112, 140):
        rates.add(f"{level}.png", grey(level))
    found = rates.by_bound()
    # 127.5 is the border: 126 needs two levels, 124 four, 140 thirteen, 112 sixteen.
    assert [(one.bound, one.fooled, one.of, one.judge_fooled) for one in found] == [
        (2, 1, 4, None), (5, 2, 4, None), (20, 4, 4, None),
    ]  # fmt: skip
    assert [one.seen_as for one in rates.photos] == ["dark", "dark", "dark", "bright"]
    told = json.loads(json.dumps(rates.to_dict()))
    assert [one["fooled"] for one in told["rates"]] == [1, 2, 4]
    assert told["photos"][1]["attempts"][0]["fooled"]


def test_a_photo_that_is_taken_for_it_from_the_first_does_not_count(brightness):
    rates = Rates(Attack(FoolSettings(to="bright", steps=10), brightness, judge=brightness), (20,))
    for level in (112, 140):
        rates.add(f"{level}.png", grey(level))
    (found,) = rates.by_bound()
    assert (found.fooled, found.of, found.judge_fooled) == (1, 1, 1)
    assert [one.already for one in rates.photos] == [False, True]


def test_without_bounds_the_least_is_told(brightness):
    rates = Rates(Attack(FoolSettings(), brightness), (None,))
    for level in (124, 112):
        rates.add(f"{level}.png", grey(level))
    (found,) = rates.by_bound()
    assert (found.bound, found.fooled, found.of) == (None, 2, 2)
    expected = [(127.5 - level) / 255 * np.sqrt(192) for level in (124, 112)]
    assert found.l2 == pytest.approx(np.mean(expected), rel=0.1)
    assert ET.fromstring(rates.plot("length")).tag.endswith("svg")


def test_a_plot_is_an_svg_with_a_line_for_each_and_names_as_text():
    drawn = ET.fromstring(curves({"a<b>": [(1, 0.0), (2, 1.0)], "c": [(1, 0.5), (4, 0.5)]}, reach="levels & more"))
    space = "{http://www.w3.org/2000/svg}"
    lines = drawn.findall(f"{space}polyline")
    assert len(lines) == 2
    heights = [float(place.split(",")[1]) for place in lines[0].get("points").split()]
    assert heights[0] > heights[1]
    words = [one.text for one in drawn.findall(f"{space}text")]
    assert {"a<b>", "c", "levels & more", "1", "2", "4", "0 %", "100 %"} <= set(words)
