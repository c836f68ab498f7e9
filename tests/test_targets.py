from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dreamer import targets
from dreamer.errors import ImageReadError, SettingsError, UnknownClassError, UnknownLayerError
from dreamer.models.network import Network
from dreamer.models.specs import known
from dreamer.objectives import Objective, custom, direction, guided


def resolved(text, network):
    return targets.resolve(Objective.parse(text) if isinstance(text, str) else text, network)


def term(text, network):
    return resolved(text, network).terms[0][1]


def test_a_class_by_index_and_by_name(lite0):
    for text in ("logit:285", "logit:Egyptian cat", "logit:egyptian CAT", "logit:n02124075"):
        found = term(text, lite0)
        assert (found.layer, found.unit) == ("logits", 285)
        assert found.values.array.argmax() == 285
        assert targets.title(resolved(text, lite0), lite0) == "Egyptian cat (285)"
    assert term("logit:tabby", lite0).unit == 281
    assert term("logit:broccoli", lite0).unit == 937
    assert targets.title(resolved("-logit:285", lite0), lite0) == "not Egyptian cat (285)"
    assert targets.title(resolved("-0.5*logit:285", lite0), lite0) == "-0.5*logit:285"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("logit:cat", r"7 classes of \w+ are called 'cat': logit:281 \(tabby\), .*Take one by its number"),
        ("logit:crane", r"2 classes .* are called 'crane': logit:134 \(crane\), logit:517"),
        ("logit:brocoli", r"no class 'brocoli'. Close matches: logit:937 \(broccoli\)"),
        ("logit:catam", r"no class 'catam'. Close matches: .*logit:484 \(catamaran\)"),
        ("logit:xyzzyx", "no class 'xyzzyx'. See all: dreamer labels efficientnet_lite0"),
        ("logit:1000", "no class 1000; expected 0 to 999"),
        ("logit:horse", r"never learnt 'horse'.*logit:339 \(sorrel\), logit:340 \(zebra\).*logit:341 \(hog\)"),
        ("logit:cow", r"never learnt 'cow'.*logit:345 \(ox\)"),
        ("logit:giraffe", "never learnt 'giraffe'.*WordNet"),
    ],
)  # fmt: skip
def test_a_class_that_is_not_one_is_said_in_a_line(text, expected, lite0):
    with pytest.raises(UnknownClassError, match=expected) as refused:
        resolved(text, lite0)
    assert "\n" not in str(refused.value)


def test_a_network_without_a_classifier_says_so():
    import keras

    picture = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, name="only")(picture)
    network = Network(known()["keras:VGG16"], keras.Model(picture, x))
    with pytest.raises(UnknownClassError, match="has no classifier here, so there is no logit:3. Name a layer"):
        resolved("logit:3", network)


@pytest.mark.parametrize(
    ("text", "error", "expected"),
    [
        ("nothing", UnknownLayerError, "no layer 'nothing'"),
        ("block4x:3", UnknownLayerError, "no layer 'block4x'. Close matches: block4"),
        ("cat", UnknownLayerError, r"no layer 'cat'.*type logit: before it: logit:281 \(tabby\)"),
        ("cat:3", UnknownLayerError, r"no layer 'cat'.*type logit: before it: logit:281 \(tabby\)"),
        ("giraffe", UnknownLayerError, "no layer 'giraffe'.*with logit: before it, but .* never learnt 'giraffe'"),
        ("0*block4b", SettingsError, "nothing is left of the objective '0\\*block4b'"),
        ("block4b - block4b", SettingsError, "cancel each other out"),
        ("logit:tabby - logit:281 + 0*pool", SettingsError, "cancel each other out"),
        ("1e-13*block4b", SettingsError, "as good as that"),
        (
            direction("block4b", np.full(80, 1e30)),
            SettingsError,
            r"length 8.9.*e\+30; expected 1e-06 to 1e\+12",
        ),
        (direction("block4b", np.full(80, 1e-9)), SettingsError, "has the length"),
        (direction("block4b", np.full(80, 1e300)), SettingsError, "no number in float32"),
        (guided("block4b", np.full((32, 32, 3), 255, np.uint8)), SettingsError, "values from 255 to 255; expected"),
        (guided("block4b", np.full((32, 32, 3), np.nan)), SettingsError, "values from nan"),
        ("block4b:80", UnknownLayerError, "no channel 80; expected 0 to 79"),
        ("pool:3@1,1", UnknownLayerError, "has no positions; write pool:3"),
        ("direction:nothing#1", UnknownLayerError, "no layer"),
        ("diversity:nothing", UnknownLayerError, "no layer"),
        ("guided:nothing@x.jpg", UnknownLayerError, "no layer"),
        ("-l1", SettingsError, "looks at no layer"),
        (direction("block4b", [1.0, 2.0]), SettingsError, r"shape \(2,\); expected \(80,\)"),
        (direction("block4b", np.zeros(80)), SettingsError, "is zero"),
        (direction("block4b", np.full(80, np.nan)), SettingsError, "no number"),
        (guided("block4b", np.zeros((5, 5))), SettingsError, r"shape \(5, 5\); expected"),
        (custom("mine", ["nothing"], len), UnknownLayerError, "no layer"),
    ],
    ids=lambda value: getattr(value, "label", str(value)),
)
def test_what_a_network_has_not_is_refused(text, error, expected, lite0):
    with pytest.raises(error, match=expected):
        resolved(text, lite0)


def test_directions_and_guides_come_from_files(tmp_path, lite0, picture):
    vector = np.arange(80, dtype=np.float64)
    np.save(tmp_path / "vector.npy", vector)
    assert term(f'direction:block4b@"{tmp_path / "vector.npy"}"', lite0).values.array == pytest.approx(vector)
    path = tmp_path / "guide.png"
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(path)
    found = term(f'guided:block4b@"{path}"', lite0).values.array
    assert found.shape == (3 * 4, 80)  # A picture of 37x53 has 3x4 positions at a stride of 16.


def test_files_that_hold_something_else_are_refused_and_never_unpickled(tmp_path, lite0):
    (tmp_path / "text.npy").write_text("no numbers")
    np.save(tmp_path / "pickle.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    for name, expected in (("text", "it is no .npy file"), ("pickle", "it is no .npy file"), ("none", "No such file")):
        with pytest.raises(SettingsError, match=f"cannot read the direction in .*{expected}"):
            resolved(f'direction:block4b@"{tmp_path / name}.npy"', lite0)
    for name in ("/dev/zero", tmp_path):
        with pytest.raises(SettingsError, match=f"cannot read the direction in {name}: is a .*; a regular file is"):
            resolved(f'direction:block4b@"{name}"', lite0)
    with pytest.raises(ImageReadError):
        resolved(f'guided:block4b@"{tmp_path / "text.npy"}"', lite0)


def _npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode() + b" " * (118 - len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        _npy("{'descr': '<f4', 'fortran_order': False, 'shape': (10000000000,), }"),
        _npy("{'descr': '<f4', 'fortran_order': False, 'shape': (80,), }", b"\0" * 100),
        _npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", b"\0" * 8),
        _npy("{'descr': '<U4', 'fortran_order': False, 'shape': (1,), }", b"\0" * 16),
        _npy("((((((((("),
        _npy("{'descr': ["),
        _npy("'"),
        b"PK\x03\x04" + b"\0" * 100,
    ],
    ids=range(10),
)
def test_a_direction_s_file_can_hold_anything(tmp_path, lite0, content):
    (tmp_path / "odd.npy").write_bytes(content)
    with pytest.raises(SettingsError, match="cannot read the direction in .*it is no .npy file of numbers"):
        resolved(direction("block4b", tmp_path / "odd.npy"), lite0)


def test_a_direction_s_file_is_a_regular_one(tmp_path, lite0):
    os.mkfifo(tmp_path / "pipe.npy")
    for path in (tmp_path / "pipe.npy", Path("/dev/zero"), tmp_path):
        with pytest.raises(SettingsError, match="a regular file is expected"):
            resolved(direction("block4b", path), lite0)


def test_numbers_of_a_file_that_float32_cannot_hold_are_said_without_a_warning(tmp_path, lite0):
    np.save(tmp_path / "large.npy", np.full(80, 1e300))
    with pytest.raises(SettingsError, match="no number in float32"):
        resolved(direction("block4b", tmp_path / "large.npy"), lite0)


def test_the_score_of_one_s_own_is_named_where_it_is_no_number():
    goal = custom("mine", ["a"], len) + custom("other", ["a"], len)
    assert targets.no_number(goal, "net").startswith("the score 'mine' or the score 'other' answers with")
    assert targets.no_number(None, "net").startswith("net answers with")


def test_a_neuron_must_lie_in_its_layer(lite0):
    goal = resolved("block4b:3@4,6", lite0)
    targets.check_positions(goal, lite0, (80, 112))  # 5x7 positions.
    with pytest.raises(UnknownLayerError, match=r"block4b:3@4,6 lies outside 'block4b', which has 4x6 positions"):
        targets.check_positions(goal, lite0, (64, 96))
    targets.check_positions(resolved("block4b:3@centre", lite0), lite0, (16, 16))


def test_a_random_direction_has_one_number_per_channel(lite0):
    assert term("direction:block4b#7", lite0).values.array.shape == (80,)
    assert targets.title(resolved("direction:block4b#7", lite0), lite0) == "direction:block4b#7"
