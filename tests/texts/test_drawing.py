"""Texts that units answer to."""

from __future__ import annotations

from itertools import product

import keras
import numpy as np
import pytest
from texts.text_case import LETTERS, network, remembering

from dreamer import texts
from dreamer.errors import SettingsError, UnknownLayerError
from dreamer.texts import reading
from dreamer.texts.vocabulary import Vocabulary

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
FEW = Vocabulary(tuple("abc"))


def best_of_all(model, layer, unit, length, sign=1, show=None):
    """The best text by trying every one."""
    asked = reading.TextNetwork(model, FEW)
    every = ["".join(one) for one in product(FEW.entries, repeat=length)]
    return max(sign * asked.states(one, layer).of(show)[-1, unit] for one in every)


@pytest.mark.parametrize(
    ("kind", "steps"), [(keras.layers.LSTM, True), (keras.layers.GRU, True), (keras.layers.SimpleRNN, False)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_best_text_of_all_is_found(kind, steps, sign):
    # A layer of its own for each test: one that was built before would keep its weights.
    model = network(kind(4, return_sequences=steps, name="x"), count=3)
    (most, *_) = texts.draw(model, "x", 1, length=5, sign=sign, vocabulary=FEW, plausible=0)
    assert sign * most.score == pytest.approx(best_of_all(model, "x", 1, 5, sign), abs=1e-5)
    assert len(most.text) == 5


def test_the_score_is_that_of_the_text_through_the_network():
    model = network(keras.layers.LSTM(4, return_sequences=True, name="x"), count=3)
    for show in ("hidden", "forget"):
        (found, *_) = texts.draw(model, "x", 2, length=9, show=show, vocabulary=FEW)
        again = texts.states(model, found.text, layer="x", vocabulary=FEW).of(show)[-1, 2]
        assert found.score == pytest.approx(float(again), abs=1e-6)
        assert found.shown == show
        assert found.recipe["settings"]["objective"] == "x:2"


def test_a_unit_that_was_set_by_hand_gets_its_sign():
    (most, *_) = texts.draw(remembering(), "lstm", 0, length=6, vocabulary=LETTERS)
    assert "#" in most.text
    assert "\n" not in most.text[most.text.rindex("#") :]
    assert most.score > 0.99


def test_a_plausible_text_costs_fewer_bits():
    model = network(keras.layers.GRU(4, return_sequences=True, name="x"), count=3)
    most, plausible = texts.draw(model, "x", 1, length=12, vocabulary=FEW, plausible=5)
    assert plausible.plausible
    assert plausible.bits <= most.bits
    assert most.score >= plausible.score


def test_layers_that_are_read_as_a_whole_are_drawn_too():
    both = keras.layers.Bidirectional(keras.layers.LSTM(3, return_sequences=True), name="x")
    model = network(both, count=3)
    (found, *more) = texts.draw(model, "x", 1, length=4, vocabulary=FEW)
    assert more == []  # It sees what comes, so it says nothing of the next character.
    assert found.score == pytest.approx(best_of_all(model, "x", 1, 4), abs=0.05)
    hot = network(keras.layers.LSTM(4, return_sequences=True, name="x"), count=3, one_hot=True)
    (found, *_) = texts.draw(hot, "x", 1, length=4, vocabulary=FEW)
    assert found.score == pytest.approx(best_of_all(hot, "x", 1, 4), abs=1e-5)


def test_the_same_seed_gives_the_same_text():
    model = network(keras.layers.LSTM(4, return_sequences=True, name="x"))
    first, again = (texts.draw(model, "x", 1, length=15, vocabulary=LETTERS, seed=5) for _ in range(2))
    assert [one.text for one in first] == [one.text for one in again]


def test_what_cannot_be_drawn_is_said():
    model = network(keras.layers.LSTM(4, return_sequences=True, name="x"), count=3)
    with pytest.raises(UnknownLayerError, match="x of .* has 4 units, 0 to 3; there is no x:4"):
        texts.draw(model, "x", 4, vocabulary=FEW)
    with pytest.raises(SettingsError, match="x has no 'update' to show"):
        texts.draw(model, "x", 1, show="update", vocabulary=FEW)
    with pytest.raises(SettingsError, match="length is 0"):
        texts.draw(model, "x", 1, length=0, vocabulary=FEW)
    assert np.isfinite(texts.draw(model, "x", 1, length=1, vocabulary=FEW)[0].score)
