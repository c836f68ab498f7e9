"""The bundled network against the figures that an independent PyTorch implementation gives.

The figures are a copy of the shared reference's, so that they are checked wherever the tests run.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dreamer.errors import WeightsError
from dreamer.models import efficientnet_lite, labels, registry, torch_checkpoint

# name, top five classes, their logits, logits 0 to 9, mean and deviation of all 1000
CASES = {
    "waves": (
        [418, 782, 854, 604, 641],
        [9.392, 6.5051, 6.437, 6.0282, 5.8449],
        [-0.9177, 1.2866, -0.6352, -0.4325, -1.3239, 1.0061, -2.3997, -0.641, -2.5566, -0.0575],
        (-0.0893, 1.76282),
    ),
    "fine": (
        [807, 905, 409, 754, 581],
        [5.7034, 4.9912, 3.9768, 3.9099, 3.6419],
        [0.4581, 1.281, 2.0662, -1.0053, -0.0042, 1.1516, -1.5558, 0.4047, -1.0641, -1.0042],
        (-0.06562, 1.13388),
    ),
    "cat": (
        [285, 282, 281, 287, 283],
        [9.3415, 9.1732, 8.1888, 6.489, 3.796],
        [-0.0601, 1.0724, -2.0867, -0.1447, -0.0365, -0.1652, -0.4966, 0.4397, 0.5933, 0.7255],
        (-0.06174, 1.24075),
    ),
}
WAVES = {"waves": (0.05, 0.03, 1.0), "fine": (0.31, 0.17, 2.1)}
BLOCKS = {  # Mean and deviation of the outputs of the checkpoint's blocks 0, 5, 10 and 15.
    "waves": {"block1a": (0.01281, 6.97975), "block4a": (-0.28909, 7.77366), "block5c": (-0.50484, 6.30824),
              "block7a": (-0.05692, 2.49223)},
    "fine": {"block1a": (0.23024, 9.45504), "block4a": (0.45751, 10.06894), "block5c": (-0.07442, 8.08053),
             "block7a": (-0.15263, 2.56468)},
    "cat": {"block1a": (0.16298, 6.15135), "block4a": (-0.38505, 5.66608), "block5c": (0.50934, 6.43196),
            "block7a": (-0.04835, 3.6868)},
}  # fmt: skip


def picture_of(name, samples):
    """The picture of a case, (1, 224, 224, 3) in [0, 1]."""
    if name == "cat":
        pixels = cv2.imread(str(samples / "cat.png"))[38:262, 100:324, ::-1].astype(np.float32)
    else:
        a, b, k = WAVES[name]
        y, x, c = np.mgrid[:224, :224, :3].astype(np.float64)
        pixels = np.clip(127.5 + 127.5 * np.sin(a * x + b * y + k * c), 0, 255).astype(np.float32)
    return pixels[None] / np.float32(255)


@pytest.fixture(params=list(CASES))
def case(request, samples):
    """The name of a case and its picture."""
    return request.param, picture_of(request.param, samples)


def test_logits_agree_with_the_reference(lite0, case):
    name, picture = case
    top, top_logits, first, moments = CASES[name]
    logits = np.asarray(lite0.forward(["logits"])(picture)["logits"])[0]
    assert logits.shape == (1000,)
    assert np.argsort(-logits)[:5].tolist() == top
    assert logits[top] == pytest.approx(top_logits, abs=2e-3)
    assert logits[:10] == pytest.approx(first, abs=2e-3)
    assert (logits.mean(), logits.std()) == pytest.approx(moments, abs=2e-4)


def test_blocks_agree_with_the_reference(lite0, case):
    name, picture = case
    outputs = lite0.forward(BLOCKS[name])(picture)
    for block, moments in BLOCKS[name].items():
        values = np.asarray(outputs[block])
        assert (values.mean(), values.std()) == pytest.approx(moments, abs=2e-3)


def test_class_names_are_in_index_order():
    names = [label.name for label in labels.imagenet()]
    assert len(names) == 1000
    assert names[285] == "Egyptian cat"
    assert names[0].startswith("tench")
    assert names[999].startswith("toilet tissue")
    assert all(names)


def test_a_person_can_type_stages_blocks_and_their_pre_activations(lite0):
    assert lite0.channels("block4b") == lite0.channels("stage4") == 80
    assert lite0.channels("block4b_expand_pre_relu") == lite0.channels("block4b_depthwise") == 480
    assert lite0.channels("logits") == 1000
    blocks = [name for name in lite0.layers if name.startswith("block") and "_" not in name]
    assert len(blocks) == 16
    for block in blocks:
        for layer in ("depthwise", *([] if block == "block1a" else ["expand"])):
            assert {f"{block}_{layer}", f"{block}_{layer}_pre_relu"} <= set(lite0.layers)


def test_a_pre_activation_is_what_its_activation_clips(lite0, picture):
    outputs = lite0.forward(["block4b_expand_pre_relu", "block4b_expand"])(picture[None])
    before, after = (np.asarray(outputs[name]) for name in ("block4b_expand_pre_relu", "block4b_expand"))
    assert before.min() < 0
    assert after == pytest.approx(np.clip(before, 0, 6))


@pytest.mark.parametrize("size", [(1, 1), (33, 47), (64, 31)])
def test_any_height_and_width(lite0, size):
    outputs = lite0.forward(["stage5", "logits"])(np.full((2, *size, 3), 0.5, np.float32))
    assert outputs["stage5"].shape == (2, -(-size[0] // 16), -(-size[1] // 16), 112)
    assert outputs["logits"].shape == (2, 1000)


def test_a_checkpoint_of_another_network_is_refused(monkeypatch, tmp_path):
    arrays = torch_checkpoint.read(registry.spec("efficientnet_lite0").weights.locate().path)
    for change in ({}, arrays | {"_fc.weight": arrays["_fc.weight"][:10]}):
        monkeypatch.setattr(torch_checkpoint, "read", lambda _path, change=change: change)
        with pytest.raises(WeightsError, match=r"lack|needs arrays of shape"):
            efficientnet_lite.build(tmp_path, registry.spec("efficientnet_lite0"))
