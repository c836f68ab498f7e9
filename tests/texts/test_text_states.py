"""States and gates at every step, held against Keras's own outputs."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from texts.text_case import LETTERS, TEXT, network, remembering

from dreamer import texts
from dreamer.errors import ModelError, SettingsError, UnknownLayerError
from dreamer.texts import recurrent

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
RNN = {"return_sequences": True, "name": "x"}


def layers():
    keras.utils.set_random_seed(3)
    made = keras.layers
    return {
        "lstm": made.LSTM(6, **RNN),
        "lstm of other activations": made.LSTM(6, activation="elu", recurrent_activation="hard_sigmoid", **RNN),
        "lstm without bias": made.LSTM(6, use_bias=False, **RNN),
        "lstm backwards": made.LSTM(6, go_backwards=True, **RNN),
        "lstm with dropout": made.LSTM(6, dropout=0.5, recurrent_dropout=0.5, **RNN),
        "gru": made.GRU(6, **RNN),
        "gru of 2014": made.GRU(6, reset_after=False, **RNN),
        "gru without bias": made.GRU(6, use_bias=False, **RNN),
        "rnn": made.SimpleRNN(6, **RNN),
        "relu": made.SimpleRNN(6, activation="relu", **RNN),
        "cell": made.RNN(made.LSTMCell(6), **RNN),
        **{f"both ways, {mode}": made.Bidirectional(made.LSTM(6, return_sequences=True), mode, name="x")
           for mode in ("concat", "sum", "mul", "ave")},
        "both ways, gru": made.Bidirectional(made.GRU(6, return_sequences=True), name="x"),
    }  # fmt: skip


def of_keras(model, layer, numbers):
    return keras.Model(model.inputs, model.get_layer(layer).output)([numbers[None]], training=False).numpy()[0]


@pytest.mark.parametrize("kind", layers())
@pytest.mark.parametrize("mask", [False, True])
def test_they_are_those_of_keras(kind, mask):
    made = layers()[kind]
    model = network(made, mask=mask)
    numbers = LETTERS.numbers(TEXT)  # "a" is 0, which the mask leaves out.
    found = texts.states(model, TEXT, layer="x", vocabulary=LETTERS)
    want = of_keras(model, "x", numbers)
    if isinstance(made, keras.layers.Bidirectional):
        hidden = recurrent.Both(made).merged(found.hidden)
    else:
        hidden = found.hidden[::-1] if kind == "lstm backwards" else found.hidden
    assert np.allclose(hidden, want, atol=1e-6)
    behind = texts.states(model, TEXT, layer="behind", vocabulary=LETTERS)
    assert np.allclose(behind.hidden, of_keras(model, "behind", numbers), atol=2e-6)


def test_cell_and_gates_are_what_makes_the_output():
    model = network(keras.layers.LSTM(6, **RNN))
    found = texts.states(model, TEXT, layer="x", vocabulary=LETTERS)
    before = np.concatenate([np.zeros((1, 6), np.float32), found.cell[:-1]])
    wish = (found.cell - found.gates["forget"] * before) / found.gates["input"]
    assert np.abs(wish).max() <= 1 + 1e-4
    assert np.allclose(found.hidden, found.gates["output"] * np.tanh(found.cell), atol=1e-6)
    assert np.array_equal(found.of(), np.tanh(found.cell))
    assert all(gate.min() >= 0 and gate.max() <= 1 for gate in found.gates.values())
    gru = texts.states(network(keras.layers.GRU(6, **RNN)), TEXT, layer="x", vocabulary=LETTERS)
    assert sorted(gru.gates) == ["reset", "update"]
    assert gru.of() is gru.hidden


def test_the_last_state_is_the_one_that_keras_gives():
    model = network(keras.layers.LSTM(6, return_state=False, name="x"))  # The last step only.
    found = texts.states(model, TEXT, layer="x", vocabulary=LETTERS)
    assert np.allclose(found.hidden[-1], of_keras(model, "x", LETTERS.numbers(TEXT)), atol=1e-6)


def test_long_texts_are_read_in_pieces_that_do_not_show(monkeypatch):
    model = network(keras.layers.LSTM(6, **RNN))
    whole = texts.states(model, TEXT, layer="behind", vocabulary=LETTERS)
    from dreamer.texts import reading

    monkeypatch.setattr(recurrent, "_PIECE", 7)
    monkeypatch.setattr(reading, "_PIECE", 5)
    pieces = texts.states(model, TEXT, layer="behind", vocabulary=LETTERS)
    assert np.allclose(pieces.hidden, whole.hidden, atol=1e-6)


@pytest.mark.parametrize("one_hot", [False, True])
def test_characters_may_be_numbers_or_one_hot(one_hot):
    model = network(keras.layers.GRU(6, **RNN), one_hot=one_hot)
    found = texts.states(model, TEXT, layer="x", vocabulary=LETTERS)
    numbers = LETTERS.numbers(TEXT)
    given = np.eye(len(LETTERS), dtype=np.float32)[numbers] if one_hot else numbers
    assert np.allclose(found.hidden, of_keras(model, "x", given), atol=1e-6)


def test_networks_as_people_save_them(tmp_path):
    count = len(LETTERS)
    stateful = keras.Sequential([keras.Input(batch_shape=(1, 1)), keras.layers.Embedding(count, 4),
                                 keras.layers.LSTM(5, stateful=True, return_sequences=True, name="one"),
                                 keras.layers.Dropout(0.2), keras.layers.LSTM(4, name="two"),
                                 keras.layers.Dense(count, activation="softmax")])  # fmt: skip
    stateful.save(tmp_path / "char.keras")
    (tmp_path / "chars.txt").write_text(LETTERS.written())
    (tmp_path / "char.toml").write_text('vocabulary = "chars.txt"\n')
    found = texts.states(tmp_path / "char.keras", TEXT, layer="two")
    assert found.hidden.shape == (len(TEXT), 4)
    fixed = keras.Sequential([keras.Input((20,)), keras.layers.Embedding(count, 4), keras.layers.Masking(0.0),
                              keras.layers.GRU(3, name="gru"), keras.layers.Dense(count)])  # fmt: skip
    given = texts.states(fixed, TEXT[:20], layer="gru", vocabulary=LETTERS)
    assert np.allclose(given.hidden[-1], of_keras(fixed, "gru", LETTERS.numbers(TEXT[:20])), atol=1e-6)
    assert len(texts.states(fixed, TEXT, vocabulary=LETTERS).pieces) == len(TEXT)


def test_a_layer_that_gives_its_state_too_is_looked_at(tmp_path):
    given = keras.Input(batch_shape=(1, None))
    x = keras.layers.Embedding(len(LETTERS), 4)(given)
    x, *_ = keras.layers.LSTM(5, return_sequences=True, return_state=True, stateful=True, name="one")(x)
    model = keras.Model(given, keras.layers.GRU(3, return_sequences=True, name="two")(x))
    model.save(tmp_path / "a.keras")
    for layer in ("one", "two"):
        found = texts.states(tmp_path / "a.keras", TEXT, layer=layer, vocabulary=LETTERS)
        want = keras.Model(model.inputs, keras.tree.flatten(model.get_layer(layer).output)[0])
        assert np.allclose(found.hidden, want([LETTERS.numbers(TEXT)[None]], training=False).numpy()[0], atol=1e-6)
        model.get_layer("one").reset_states()
    assert len(texts.draw(tmp_path / "a.keras", "one", 2, length=4, vocabulary=LETTERS)[0].text) == 4


def test_a_layer_that_begins_with_a_state_from_elsewhere_is_refused():
    given = keras.Input((None,))
    x, *state = keras.layers.LSTM(5, return_sequences=True, return_state=True)(keras.layers.Embedding(9, 4)(given))
    model = keras.Model(given, keras.layers.LSTM(5, return_sequences=True, name="two")(
        keras.layers.Dense(4)(x), initial_state=state))  # fmt: skip
    with pytest.raises(ModelError, match="two of .* begins with a state from elsewhere"):
        texts.states(model, TEXT, layer="two", vocabulary=LETTERS)


def test_a_unit_that_was_set_by_hand_is_on_where_it_should_be():
    found = texts.states(remembering(), "ab#cd\nef", layer="lstm", vocabulary=LETTERS).of()
    assert (found[:, 0] > 0.7).tolist() == [False, False, True, True, True, False, False, False]
    assert (found[:, 1] > 0.7).tolist() == [True] + [False] * 7
    assert np.abs(found[:, 2]).max() < 1e-2


def test_what_cannot_be_looked_at_is_said():
    model = network(keras.layers.LSTM(6, **RNN))
    with pytest.raises(UnknownLayerError, match="next of .* is no recurrent layer but Dense; expected one of x"):
        texts.states(model, TEXT, layer="next", vocabulary=LETTERS)
    with pytest.raises(UnknownLayerError, match="has no layer 'lstm'"):
        texts.states(model, TEXT, layer="lstm", vocabulary=LETTERS)
    with pytest.raises(SettingsError, match="x has no 'reset' to show; expected one of hidden, cell, input, forget"):
        texts.states(model, TEXT, layer="x", vocabulary=LETTERS).of("reset")
    with pytest.raises(SettingsError, match="nobody has said what the numbers of .* stand for"):
        texts.states(model, TEXT, layer="x")
    with pytest.raises(SettingsError, match="the text is empty"):
        texts.states(model, "", layer="x", vocabulary=LETTERS)
    with pytest.raises(SettingsError, match=r"3 of the 5 characters .* are outside the vocabulary of 9: 'X' \(2\)"):
        texts.states(model, "aXYXb", layer="x", vocabulary=LETTERS)
    dense = keras.Sequential([keras.Input((None, 9)), keras.layers.Dense(3)])
    with pytest.raises(ModelError, match="has no recurrent layer"):
        texts.states(dense, TEXT, vocabulary=LETTERS)
    rows = keras.Sequential([keras.Input((9,)), keras.layers.Dense(3)])
    with pytest.raises(ModelError, match="takes a row, .* dreamer row"):
        texts.states(rows, TEXT, vocabulary=LETTERS)
    stacked = network(keras.layers.RNN([keras.layers.LSTMCell(3), keras.layers.LSTMCell(3)], **RNN))
    with pytest.raises(ModelError, match="is made of StackedRNNCells; expected one of LSTM, GRU, SimpleRNN"):
        texts.states(stacked, TEXT, layer="x", vocabulary=LETTERS)
