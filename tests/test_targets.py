from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dreamer import targets
from dreamer.errors import ImageReadError, SettingsError, UnknownClassError, UnknownLayerError
from dreamer.models.specs import known
from dreamer.models.vision_model import VisionModel
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
    network = VisionModel(known()["keras:VGG16"], keras.Model(picture, x))
    with pytest.raises(UnknownClassError, match="has no classifier here, so there is no logit:3. Name a layer"):
        resolved("logit:3", network)


@pytest.mark.parametrize(
    ("text", "error", "expected"),
    [
        ("nothing", UnknownLayerError, "no layer 'nothing'"),
        ("block4x:3", UnknownLayerError, "no layer 'block4x'. Close matches: block4"),
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
    ids=str,
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


def test_a_neuron_must_lie_in_its_layer(lite0):
    goal = resolved("block4b:3@4,6", lite0)
    targets.check_positions(goal, lite0, (80, 112))  # 5x7 positions.
    with pytest.raises(UnknownLayerError, match=r"block4b:3@4,6 lies outside 'block4b', which has 4x6 positions"):
        targets.check_positions(goal, lite0, (64, 96))
    targets.check_positions(resolved("block4b:3@centre", lite0), lite0, (16, 16))


def test_a_random_direction_has_one_number_per_channel(lite0):
    assert term("direction:block4b#7", lite0).values.array.shape == (80,)
    assert targets.title(resolved("direction:block4b#7", lite0), lite0) == "direction:block4b#7"
