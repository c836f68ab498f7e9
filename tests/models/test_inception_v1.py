"""InceptionV1 against TensorFlow executing the very graph that it is made from."""

from __future__ import annotations

import zipfile

import inception_graph
import keras
import numpy as np
import pytest

from dreamer import presets
from dreamer.errors import WeightsError
from dreamer.models import inception_v1
from dreamer.models.network import Network
from dreamer.models.specs import known

SPEC = known()["inception_v1"]
BLOCKS = list(inception_graph.BLOCKS)
TRUNK = ["conv2d0", "maxpool0", "localresponsenorm0", "conv2d2", "localresponsenorm1", "maxpool1", *BLOCKS]
HEADS = ["nn0", "nn1", *(f"softmax{head}_pre_activation" for head in range(3)), "softmax0", "softmax1", "softmax2"]


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return inception_graph.write_graph(tmp_path_factory.mktemp("graph") / "graph.pb")


@pytest.fixture(scope="module")
def network_file(graph, tmp_path_factory):
    folder = tmp_path_factory.mktemp("inception")
    archive = inception_graph.write_archive(folder / "inception5h.zip", graph)
    return folder / inception_v1.convert(archive, folder, SPEC)


@pytest.fixture(scope="module")
def network(network_file):
    return Network(SPEC, inception_v1.build(network_file))


def pixels(*size):
    """Two pictures as the graph takes them, 0..255 less 117."""
    return np.random.default_rng(size).uniform(-117, 138, (2, *size, 3)).astype(np.float32)


def relative_error(found, expected):
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("size", [(224, 224), (211, 223), (209, 224)])
def test_everything_agrees_with_tensorflow_where_the_classifiers_fit(graph, network_file, size):
    names = TRUNK + HEADS
    expected = inception_graph.run_graph(graph, pixels(*size), names)
    network = inception_v1.build(network_file, size=size)
    found = keras.Model(network.input, {name: network.get_layer(name).output for name in names})(pixels(*size))
    for name in names:
        assert relative_error(np.asarray(found[name]), expected[name]) < 1e-4, name


@pytest.mark.parametrize("size", [(97, 131), (160, 96), (33, 64)])
def test_the_blocks_agree_with_tensorflow_at_any_size(graph, network, size):
    expected = inception_graph.run_graph(graph, pixels(*size), TRUNK)
    found = network.forward(TRUNK)((pixels(*size) + 117) / 255)
    for name in TRUNK:
        assert relative_error(np.asarray(found[name]), expected[name]) < 1e-4, name


def test_the_classifiers_see_a_picture_of_another_size_at_their_own(graph, network):
    picture = np.repeat(np.repeat(pixels(112, 112), 2, axis=1), 2, axis=2)
    larger = np.repeat(np.repeat(picture, 2, axis=1), 2, axis=2)
    expected = inception_graph.run_graph(graph, picture, ["softmax2_pre_activation"])["softmax2_pre_activation"]
    found = network.forward(["softmax2_pre_activation"])((larger + 117) / 255)["softmax2_pre_activation"]
    assert found.shape == (2, 1008)
    # Not the same picture to the last pixel: it was shrunk with a filter.
    assert np.corrcoef(np.asarray(found)[0], expected[0])[0, 1] > 0.9


def test_normalisation_is_read_from_the_graph(tmp_path):
    other = {"depth_radius": 2, "bias": 1.5, "alpha": 0.02, "beta": 0.75}
    graph = inception_graph.write_graph(tmp_path / "graph.pb", normalisation=other)
    network = inception_v1.build(tmp_path / inception_v1.convert(graph, tmp_path, SPEC))
    names = ["localresponsenorm0", "mixed3b"]
    expected = inception_graph.run_graph(graph, pixels(224, 224), names)
    cut = keras.Model(network.input, {name: network.get_layer(name).output for name in names})
    for name, found in cut(pixels(224, 224)).items():
        assert relative_error(np.asarray(found), expected[name]) < 1e-4, name
    usual = inception_v1.LocalResponseNormalization(**inception_graph.NORMALISATION)
    before = inception_graph.run_graph(graph, pixels(224, 224), ["maxpool0"])["maxpool0"]
    assert relative_error(np.asarray(usual(before)), expected["localresponsenorm0"]) > 0.1


def test_every_branch_and_pre_activation_has_its_published_name(network):
    for block in BLOCKS:
        assert f"{block}_pool" in network.layers
        for branch in ("1x1", "3x3_bottleneck", "3x3", "5x5_bottleneck", "5x5", "pool_reduce"):
            assert {f"{block}_{branch}", f"{block}_{branch}_pre_relu"} <= set(network.layers)
    assert {"conv2d0_pre_relu", "maxpool4", "maxpool10", "avgpool0", "head0_pool", "head1_bottleneck_pre_relu"} <= set(
        network.layers
    )
    assert {"nn0_pre_relu", "nn1", "softmax0", "softmax1", "softmax2"} <= set(network.layers)
    assert network.logits == "softmax2_pre_activation"
    assert [network.channels(block) for block in BLOCKS] == [256, 480, 508, 512, 512, 528, 832, 832, 1024]
    assert network.channels("mixed4a_3x3") == 204


def test_the_trunk_has_as_many_weights_as_published(network):
    keras_network = network.graph.network
    trunk = keras.Model(keras_network.input, keras_network.get_layer("mixed5b").output)
    assert len(trunk.weights) == 114
    assert trunk.count_params() == pytest.approx(6.0e6, rel=0.01)


def test_a_pre_activation_is_what_its_relu_clips(network, picture):
    found = network.forward(["mixed4b_3x3_pre_relu", "mixed4b_3x3"])(picture[None])
    before, after = np.asarray(found["mixed4b_3x3_pre_relu"]), np.asarray(found["mixed4b_3x3"])
    assert before.min() < 0
    assert after == pytest.approx(np.maximum(before, 0))


def test_the_graph_alone_is_as_good_as_the_archive_but_for_the_labels(graph, network_file, tmp_path):
    other = tmp_path / inception_v1.convert(graph, tmp_path, SPEC)
    assert not (tmp_path / "labels.txt").exists()
    assert (network_file.parent / "labels.txt").read_text().splitlines() == inception_graph.LABELS
    assert other.read_bytes() == network_file.read_bytes()


def test_a_graph_of_another_topology_is_refused(tmp_path):
    wider = inception_graph.write_graph(tmp_path / "wider.pb", mixed4a=(192, 96, 208, 16, 48, 64))
    with pytest.raises(WeightsError, match="not that of InceptionV1: mixed4a has 512 channels, expected 508"):
        inception_v1.convert(wider, tmp_path, SPEC)
    assert not (tmp_path / "network.npz").exists()


def test_a_graph_with_holes_is_refused(graph, tmp_path):
    from tensorflow.core.framework.graph_pb2 import GraphDef

    whole = GraphDef.FromString(graph.read_bytes())
    for missing in ("mixed3b_1x1_w", "mixed4c", "softmax2", "maxpool0"):
        holed = tmp_path / f"{missing}.pb"
        holed.write_bytes(GraphDef(node=[node for node in whole.node if node.name != missing]).SerializeToString())
        with pytest.raises(WeightsError, match=f"not that of InceptionV1: KeyError '{missing}'"):
            inception_v1.convert(holed, tmp_path, SPEC)


def test_weights_that_are_no_numbers_are_refused(graph, tmp_path):
    from tensorflow.core.framework.graph_pb2 import GraphDef

    broken = GraphDef.FromString(graph.read_bytes())
    bias = next(node for node in broken.node if node.name == "conv2d1_b")
    bias.attr["value"].tensor.tensor_content = np.full(64, np.nan, np.float32).tobytes()
    (tmp_path / "nan.pb").write_bytes(broken.SerializeToString())
    with pytest.raises(WeightsError, match="conv2d1_pre_relu are not all numbers"):
        inception_v1.convert(tmp_path / "nan.pb", tmp_path, SPEC)


def test_a_graph_that_runs_in_a_circle_is_refused(graph, tmp_path):
    from tensorflow.core.framework.graph_pb2 import GraphDef

    circle = GraphDef.FromString(graph.read_bytes())
    node = next(node for node in circle.node if node.name == "conv2d1")
    node.input[0] = "mixed3a"
    (tmp_path / "circle.pb").write_bytes(circle.SerializeToString())
    with pytest.raises(WeightsError, match="not that of InceptionV1: RecursionError"):
        inception_v1.convert(tmp_path / "circle.pb", tmp_path, SPEC)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.999])
def test_a_graph_cut_short_is_refused(graph, tmp_path, keep):
    content = graph.read_bytes()
    (tmp_path / "cut.pb").write_bytes(content[: int(keep * len(content))])
    with pytest.raises(WeightsError, match="no frozen TensorFlow graph"):
        inception_v1.convert(tmp_path / "cut.pb", tmp_path, SPEC)


def test_a_damaged_archive_is_refused(graph, tmp_path):
    archive = inception_graph.write_archive(tmp_path / "a.zip", graph)
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    with pytest.raises(WeightsError, match=r"a\.zip: it is damaged"):
        inception_v1.convert(archive, tmp_path, SPEC)


def test_an_archive_is_not_unpacked_where_it_wants_to_be(graph, tmp_path):
    (tmp_path / "inside").mkdir()
    archive = inception_graph.write_archive(tmp_path / "a.zip", graph)
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("../escaped.txt", "x")
    inception_v1.convert(archive, tmp_path / "inside", SPEC)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "inside", "labels.txt", "network.npz"]


@pytest.mark.parametrize("missing", ["tensorflow_inception_graph.pb", "imagenet_comp_graph_label_strings.txt"])
def test_an_archive_without_the_published_files_is_refused(graph, tmp_path, missing):
    names = {"tensorflow_inception_graph.pb", "imagenet_comp_graph_label_strings.txt"} - {missing}
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            archive.write(graph, name) if name.endswith(".pb") else archive.writestr(name, "dummy\n")
    with pytest.raises(WeightsError, match=f"does not hold {missing}"):
        inception_v1.convert(tmp_path / "a.zip", tmp_path, SPEC)


def test_an_archive_of_an_impossible_size_is_not_unpacked(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tensorflow_inception_graph.pb", bytes(201_000_000))
    with pytest.raises(WeightsError, match="impossible size"):
        inception_v1.convert(tmp_path / "bomb.zip", tmp_path, SPEC)


def test_a_damaged_conversion_is_refused(network_file, tmp_path):
    (tmp_path / "cut.npz").write_bytes(network_file.read_bytes()[:1000])
    with pytest.raises(WeightsError, match=r"cannot read .*cut\.npz"):
        inception_v1.build(tmp_path / "cut.npz")


def test_the_variants_of_the_presets_are_layers_of_it(network):
    for name in (name for name in presets.names() if "inception_v1" in presets.find(name).models):
        for layer in presets.find(name).settings(model="inception_v1").objective.layers:
            network.check(layer)
