"""A network of one's own: taught, written, interrupted."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from dreamer import texts
from dreamer.errors import ImageWriteError, SettingsError
from dreamer.texts import training

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
TEXT = "the cat sat on the mat, the dog ate the hat.\n" * 60


def test_it_learns_and_is_read_back(tmp_path):
    told = []
    made = texts.train(TEXT, tmp_path / "a.keras", units=16, steps=60, on_step=lambda *one: told.append(one))
    assert told[0][0] == 20
    assert told[0][1] > told[-1][1] > 0
    assert made.bits < np.log2(len(made.vocabulary)) - 1
    assert (made.steps, made.is_partial) == (60, False)
    found = texts.states(tmp_path / "a.keras", "the cat?", layer="lstm")  # "?" goes by [UNK].
    assert found.hidden.shape == (8, 16)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.chars.txt", "a.keras", "a.toml"]


def test_the_same_seed_gives_the_same_network(tmp_path):
    first, again, other = (
        keras.saving.load_model(texts.train(TEXT, tmp_path / f"{index}.keras", units=4, steps=3, seed=seed).path)
        for index, seed in enumerate((1, 1, 2))
    )
    same = [np.array_equal(one, two) for one, two in zip(first.get_weights(), again.get_weights(), strict=True)]
    assert all(same)
    assert not np.array_equal(first.get_weights()[0], other.get_weights()[0])


@pytest.mark.parametrize(("kind", "layers", "names"), [("gru", 1, ["gru"]), ("rnn", 2, ["rnn1", "rnn2"])])
def test_there_are_other_kinds(tmp_path, kind, layers, names):
    made = texts.train(TEXT, tmp_path / "a.keras", units=4, steps=2, kind=kind, layers=layers)
    model = keras.saving.load_model(made.path)
    assert [one.name for one in model.layers[1:-1]] == names


def test_an_interrupt_keeps_what_there_is(tmp_path):
    def stop(step, _bits):
        raise KeyboardInterrupt

    with pytest.raises(training.Stopped, match="what was learnt in 20 steps is in") as stopped:
        texts.train(TEXT, tmp_path / "a.keras", units=4, steps=60, on_step=stop)
    assert stopped.value.partial.is_partial
    assert texts.states(tmp_path / "a.keras", "the cat").hidden.shape == (7, 4)


def test_nothing_is_overwritten_unasked(tmp_path):
    (tmp_path / "a.toml").write_text("mine")
    with pytest.raises(ImageWriteError, match=r"a.toml exists already"):
        texts.train(TEXT, tmp_path / "a.keras", units=4, steps=2)
    assert (tmp_path / "a.toml").read_text() == "mine"
    texts.train(TEXT, tmp_path / "a.keras", units=4, steps=2, overwrite=True)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"units": 0}, "units is 0; expected a whole number: 1 to 4096"),
        ({"steps": 1.5}, "steps is 1.5"),
        ({"kind": "cnn"}, "kind is 'cnn'; expected one of lstm, gru, rnn"),
        ({"seed": -1}, "seed is -1"),
        ({"text": "short"}, "the text has 5 characters; expected 1,000 at least"),
        ({"path": "a.h5"}, "a network is written as .keras"),
    ],
)
def test_what_cannot_be_taught_is_refused(tmp_path, more, said):
    given = {"text": TEXT, "path": "a.keras"} | more
    with pytest.raises(SettingsError, match=said):
        texts.train(given.pop("text"), tmp_path / given.pop("path"), **given)
    assert list(tmp_path.iterdir()) == []
