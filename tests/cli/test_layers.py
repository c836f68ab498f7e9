"""``dreamer layers`` of networks without positions, and what is said where memory runs out."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import dreamer
from dreamer import cli
from dreamer.cli.atlas import atlas
from dreamer.cli.dream import dream
from dreamer.cli.models import models
from dreamer.cli.visualize import visualize

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


@pytest.fixture
def first_lesson(tmp_path):
    """Digits by dense layers alone."""
    keras.utils.set_random_seed(1)
    made = [
        keras.Input((28, 28, 1)),
        layers.Flatten(name="flat"),
        layers.Dense(8, activation="relu", name="hidden"),
        layers.Dense(10, activation="softmax", name="digits"),
    ]
    path = tmp_path / "digits.keras"
    keras.Sequential(made).save(path)
    path.with_suffix(".toml").write_text('preprocessing = "0..1"\nlabels = "digits.txt"\n', encoding="utf-8")
    path.with_suffix(".txt").write_text("\n".join(["nought", *"123456789"]), encoding="utf-8")
    return str(path)


def test_a_network_of_dense_layers_lists_them(first_lesson, capsys):
    assert cli.run(["layers", first_lesson]) == 0
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()}
    assert rows["flat"][:3] == ["Flatten", "784", "784"]
    assert rows["hidden"] == ["Dense", "8", "8", "all", "-", "dreams", "well,", "the", "default"]
    assert rows["digits"] == ["Dense", "10", "10", "all", "-", "scores", "the", "classes"]


def test_a_network_of_dense_layers_is_drawn_and_dreams_at_its_own_size(first_lesson, picture):
    unit, digit = dreamer.visualize(["hidden:3", "logit:nought"], model=first_lesson, steps=24, size=(40, 44))
    assert unit.pixels.shape == digit.pixels.shape == (40, 44, 3)
    assert unit.score > unit.first_score
    assert digit.score > digit.first_score
    dreamt = dreamer.dream(picture, model=first_lesson, steps=2).pixels
    assert dreamt.shape == picture.shape
    assert np.isfinite(dreamt).all()


def test_a_network_of_any_size_lists_the_shapes_at_a_size_that_all_layers_can_see(tmp_path, capsys):
    x = keras.Input((None, None, 3))
    fine = layers.Conv2D(2, 3, strides=9, padding="valid", name="fine")(x)
    up = layers.UpSampling2D(9, name="up")(fine)
    keras.Model(x, layers.Concatenate(name="end")([up, x])).save(tmp_path / "net.keras")
    assert cli.run(["layers", str(tmp_path / "net.keras")]) == 0
    assert "225x225x5" in capsys.readouterr().out
    assert cli.run(["layers", str(tmp_path / "net.keras"), "--size", "224"]) == cli.EXIT_USAGE
    assert "cannot see pictures of 224x224 there; sides from 9 pixels, multiples of 9" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (dream, "Try a smaller --tile, or --max-size to make the photo smaller, or a smaller --size"),
        (visualize, "Try a smaller --diversity, or a smaller --size"),
        (models.commands["import"], "Close other programs, or use a machine with more"),
        (None, "Close other programs, or use a machine with more"),
    ],
)
def test_out_of_memory_names_what_the_command_has(command, advice):
    assert cli._failure(MemoryError(), command).message == f"out of memory. {advice}"


def test_out_of_memory_in_a_command_names_its_own_options(monkeypatch, capsys):
    from dreamer.models import fetching

    monkeypatch.setattr(fetching, "import_file", lambda *_, **__: (_ for _ in ()).throw(MemoryError))
    assert cli.run(["models", "import", "inception_v1", "x.pb"]) == 1
    assert "--tile" not in capsys.readouterr().err
    assert {parameter.name for parameter in atlas.params} & set(cli._SAVINGS)


def test_a_fault_is_said_with_its_whole_cause():
    reason = "x" * 500
    assert reason in cli._failure(KeyError(reason)).message


def test_a_single_word_that_is_no_network_is_looked_for_in_the_usual_one(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("DREAMER_HOME", str(tmp_path))  # Where no layers are noted.
    assert cli.run(["layers", "block4b_dep*"]) == 0
    out, err = capsys.readouterr()
    names = [line.split()[0] for line in out.splitlines()[1:]]
    assert names == ["block4b_depthwise_pre_relu", "block4b_depthwise"]
    assert "dreamer layers efficientnet_lite0_robust block4b_dep*" in err
