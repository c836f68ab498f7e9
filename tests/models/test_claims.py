"""Files of networks that claim more than they can hold, and things that are no files of networks."""

from __future__ import annotations

import io
import json
import os
import pickle
import socket
import struct
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from dreamer.errors import ModelError, UnknownModelError, WeightsError
from dreamer.models import claims, fetching, foreign_files, graphdef, inception_v1, registry, torch_checkpoint
from dreamer.models.specs import known

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

MOST_MEMORY = 200_000_000


@pytest.fixture(autouse=True)
def little_memory():
    """Whatever claims gigabytes must be refused before they are asked for."""
    import tracemalloc

    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MOST_MEMORY


def network():
    return keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(2, 3, name="conv")])


def rewritten(tmp_path, **members):
    """A ``.keras`` file with some members replaced: bytes, or text."""
    network().save(tmp_path / "whole.keras")
    path = tmp_path / "net.keras"
    with zipfile.ZipFile(tmp_path / "whole.keras") as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in whole.namelist():
            made.writestr(name, members.get(name.partition(".")[0], whole.read(name)))
    return str(path)


def test_a_file_that_was_packed_again_loads(tmp_path):
    assert registry.load(rewritten(tmp_path)).layers == ("conv",)


def test_a_description_that_unpacks_to_hundreds_of_megabytes_is_not_read(tmp_path):
    path = rewritten(tmp_path, config=b'{"a": "' + b" " * 60_000_000 + b'"}')
    with pytest.raises(WeightsError, match=r"config\.json claims to hold 60 MB but takes 0\.0"):
        registry.load(path)


def test_a_network_larger_than_its_weights_is_not_built(tmp_path):
    config = network()
    described = json.loads(json.dumps({"module": "keras", "class_name": "Sequential", "config": config.get_config()}))
    described["config"]["layers"][1]["config"]["filters"] = 400_000_000
    with pytest.raises(WeightsError, match=r"describes a network of 11,200,000,000 weights, but has [\d,]+ bytes"):
        registry.load(rewritten(tmp_path, config=json.dumps(described)))


def test_a_state_for_a_huge_batch_is_not_built(tmp_path):
    made = keras.Sequential([keras.Input(batch_shape=(2, None, 3)), layers.LSTM(4, stateful=True, name="lstm")])
    made.save(tmp_path / "whole.keras")
    assert registry.load_plain(tmp_path / "whole.keras", takes="sequence").layers == ("lstm",)
    path = tmp_path / "net.keras"
    with zipfile.ZipFile(tmp_path / "whole.keras") as whole, zipfile.ZipFile(path, "w") as changed:
        for name in whole.namelist():
            data = whole.read(name)
            if name == "config.json":
                assert b"[2, null, 3]" in data
                data = data.replace(b"[2, null, 3]", b"[2000000000, null, 3]")
            changed.writestr(name, data)
    with pytest.raises(WeightsError, match="it keeps states of 4 numbers for a batch of 2,000,000,000; none of it"):
        registry.load_plain(path, takes="sequence")


def test_weights_that_claim_a_huge_shape_are_not_read(tmp_path):
    made = io.BytesIO()
    with h5py.File(made, "w") as file:
        file.create_dataset("layers/conv2d/vars/0", (100_000, 100_000), "f4", chunks=(10, 10))
    with pytest.raises(WeightsError, match=r"vars/0 claims to hold 40,000 MB but takes 0\.000 MB"):
        registry.load(rewritten(tmp_path, model=made.getvalue()))


def test_hdf5_that_points_to_another_file_is_refused(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(64))
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file.create_dataset("a", (4,), "f4", external=[(str(tmp_path / "secret"), 0, 16)])
        with pytest.raises(WeightsError, match="a points to another file"):
            claims.check_hdf5(file)


def test_a_graph_of_a_few_bytes_that_claims_a_huge_constant(tmp_path):
    from tensorflow.core.framework.graph_pb2 import GraphDef

    graph = GraphDef()
    graph.node.add(name="x", op="Placeholder")
    tensor = graph.node.add(name="c", op="Const").attr["value"].tensor
    tensor.dtype = 1
    tensor.float_val.append(1.0)
    for _ in range(2):
        tensor.tensor_shape.dim.add(size=100_000)
    content = graph.SerializeToString()
    assert len(content) < 100
    with pytest.raises(WeightsError, match="claim to hold 10,000,000,000 numbers, and the file has"):
        graphdef.parse(content)


def test_arrays_that_claim_another_size_than_they_have(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**5, 10**5)})
    with zipfile.ZipFile(tmp_path / "network.npz", "w") as archive:
        archive.writestr("operations.npy", header.getvalue())
    with pytest.raises(WeightsError, match="claims to hold 40,000,000,000 bytes of numbers, but has 0"):
        inception_v1.build(tmp_path / "network.npz")


def test_a_checkpoint_whose_storage_is_larger_than_the_file(tmp_path):
    root = b"\x80\x02}."  # Protocol 2, an empty dictionary; the storage is named in the object before.
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
    storage = (
        b"\x80\x02}X\x01\x00\x00\x00ac" + b"torch._utils\n_rebuild_tensor_v2\n" + b"((X\x07\x00\x00\x00storagec"
        + b"torch\nFloatStorage\n" + b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ\xff\xff\xff\x7ftQK\x00(K\x02t(K\x01ttRs."
    )  # fmt: skip
    path = tmp_path / "net.pth"
    path.write_bytes(magic + storage + pickle.dumps(["0"], 2) + struct.pack("<q", 0x7FFFFFFF) + bytes(8) + root)
    with pytest.raises(WeightsError, match="8,589,934,588 bytes expected"):
        torch_checkpoint.read(path)


def test_a_checkpoint_of_zeros_that_unpack_to_gigabytes(tmp_path):
    path = tmp_path / "net.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", b"\x80\x02}.")
        archive.writestr("net/data/0", bytes(50_000_000))
    with pytest.raises(WeightsError, match="net/data/0 claims to hold 50 MB"):
        torch_checkpoint.read(path)


@pytest.fixture(params=["device", "pipe", "socket", "folder"])
def no_file(request, tmp_path):
    path = tmp_path / "net.keras"
    if request.param == "device":
        path.symlink_to("/dev/zero")
    elif request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "folder":
        path.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    return path


def test_what_is_no_file_is_no_network_and_no_weights(no_file, home):
    with pytest.raises(UnknownModelError, match=r"is a (device|pipe|socket|folder)|but a folder"):
        registry.load(str(no_file))
    with pytest.raises(WeightsError, match="is a (device|pipe|socket|directory); a regular file is expected"):
        fetching.import_file(known()["inception_v1"], no_file)
    with pytest.raises(WeightsError, match="a regular file is expected"):
        torch_checkpoint.read(no_file)


def test_a_device_by_its_own_name_is_no_network():
    with pytest.raises(UnknownModelError, match="/dev/zero is a device; a regular file is expected"):
        registry.spec("/dev/zero")


def test_a_file_far_larger_than_the_published_one_is_not_copied(tmp_path, home):
    path = tmp_path / "huge.pb"
    with path.open("wb") as file:
        file.truncate(5_000_000_000)
    with pytest.raises(WeightsError, match="has 5000 MB, far more than the published file"):
        fetching.import_file(known()["inception_v1"], path, unverified=True)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DREAMER_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("net.weights.h5", "weights of Keras. It holds weights alone, and they fit one network only"),
        ("net.npz", "an archive of NumPy's arrays. It holds weights alone, without a network"),
        ("net.pt", "a checkpoint of PyTorch"),
        ("net.safetensors", "weights as Hugging Face keeps them"),
        ("net.tflite", "TensorFlow Lite.*model.save"),
        ("net.onnx", "a network for ONNX.*model.save"),
        ("net.pb", "a graph of TensorFlow.*model.save"),
    ],
)
def test_files_of_other_kinds_say_what_they_are(tmp_path, name, reason):
    (tmp_path / name).write_bytes(b"\x08\x00")
    with pytest.raises(UnknownModelError, match=f"is no .keras file but .*{reason}"):
        registry.spec(str(tmp_path / name))


def test_a_network_or_weights_in_hdf5_say_which_keras_saved_them(tmp_path):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network().save(tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5", "r+") as file:
        file.attrs["keras_version"] = "2.15.0"
    with pytest.raises(UnknownModelError) as caught:
        registry.spec(str(tmp_path / "net.h5"))
    assert f"a network in HDF5, saved by Keras 2.15.0 (TensorFlow's), and this is Keras {keras.__version__}. " in str(
        caught.value
    )
    (tmp_path / "net.h5").rename(tmp_path / "net.keras")  # As Keras 2.11 did.
    with pytest.raises(ModelError, match="a network in HDF5, saved by Keras 2.15.0"):
        registry.load(str(tmp_path / "net.keras"))


def test_a_folder_named_without_a_slash_says_what_it_is(tmp_path, monkeypatch):
    (tmp_path / "mynet").mkdir()
    (tmp_path / "mynet" / "saved_model.pb").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownModelError, match="mynet is no .keras file but a SavedModel"):
        registry.spec("mynet")


def test_folders_of_networks_say_what_they_are(tmp_path):
    network().save(tmp_path / "net.keras")
    with zipfile.ZipFile(tmp_path / "net.keras") as archive:
        archive.extractall(tmp_path / "unpacked.keras")
    with pytest.raises(UnknownModelError, match=r"folder of one that was unpacked.*python -m zipfile -c net\.keras"):
        registry.spec(str(tmp_path / "unpacked.keras"))
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").touch()
    with pytest.raises(UnknownModelError, match="a SavedModel of TensorFlow"):
        registry.spec(str(tmp_path / "saved"))


def test_a_file_of_another_version_says_so_with_the_whole_cause(tmp_path):
    described = {"module": "keras", "class_name": "Sequential", "config": {"name": "x", "layers": [
        {"module": "keras.layers", "class_name": "Conv2D", "config": {"name": "c", "filters": 2, "kernel_size": 3,
         "an_argument_that_only_a_later_version_knows_" + "x" * 300: 1}, "registered_name": None}]}}  # fmt: skip
    metadata = {"keras_version": "9.1.0", "date_saved": "2031-01-01"}
    path = rewritten(tmp_path, config=json.dumps(described), metadata=json.dumps(metadata))
    with pytest.raises(WeightsError) as caught:
        registry.load(path)
    message = str(caught.value)
    assert f"saved by Keras 9.1.0, this is Keras {keras.__version__}" in message
    assert "x" * 300 in message
    assert "\n" not in message


def test_functions_that_are_not_kerass_are_named(tmp_path):
    @keras.saving.register_keras_serializable("mine")
    def wobble(x):
        return x

    keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(2, 3, activation=wobble)]).save(tmp_path / "net.keras")
    keras.saving.get_custom_objects().clear()
    with pytest.raises(WeightsError, match=r"needs functions that are not in Keras: .*wobble.*saved by Keras 3"):
        registry.load(str(tmp_path / "net.keras"))


def test_unknown_files_are_no_networks(tmp_path):
    (tmp_path / "notes.txt").touch()
    assert foreign_files.explained(Path(tmp_path / "notes.txt")).startswith(f"{tmp_path}/notes.txt is no .keras file. ")


def test_a_file_of_holes_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "net.keras").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(WeightsError, match="1,099,511,627,776 bytes"):
        registry.load(str(tmp_path / "net.keras"))


@pytest.mark.parametrize("version", [np.zeros(5), 3.5, "", b"\xff"])
def test_a_version_that_is_none_is_no_fault(tmp_path, version):
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file.attrs["keras_version"] = version
        file.attrs["model_config"] = 1
    assert "a network in HDF5, saved by " in foreign_files.explained(tmp_path / "net.h5")


@pytest.mark.parametrize("shape", [(28, 28), (784,), (3, 28, 28)])
def test_a_network_of_rows_can_be_made_one_of_pictures_as_its_message_says(tmp_path, shape):
    path = str(tmp_path / "net.keras")
    network = keras.Sequential([keras.Input(shape), layers.Flatten(), layers.Dense(4, name="end")])
    network.save(path)
    with pytest.raises(ModelError) as caught:
        registry.load(path)
    eval(str(caught.value).partition("save this one: ")[2], {"keras": keras, "network": network}).save(path)
    loaded = registry.load(path, "0..1")
    assert loaded.forward(loaded.layers[-1:])(np.zeros((1, 40, 50, 3), np.float32)).popitem()[1].shape == (1, 4)


@pytest.mark.parametrize("shape", [(16, 16, 16, 3), (20,), (None, 3), (28, 28, 4)])
def test_what_is_no_picture_gets_no_such_advice(tmp_path, shape):
    keras.Sequential([keras.Input(shape), layers.Dense(4)]).save(tmp_path / "net.keras")
    with pytest.raises(ModelError, match=r"1 or 3 channels(. Networks of (rows|texts) are for dreamer (row|text))?$"):
        registry.load(str(tmp_path / "net.keras"))


def test_members_that_hold_no_weights_do_not_count_as_room_for_them(tmp_path):
    described = {"module": "keras", "class_name": "Sequential", "config": {"name": "x", "layers": [
        {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 8, 8, 3], "name": "i"}},
        {"module": "keras.layers", "class_name": "Conv2D", "config": {"name": "c", "filters": 1, "kernel_size": 3000,
         "padding": "same"}},
    ]}}  # fmt: skip
    network().save(tmp_path / "other.keras")
    with (
        zipfile.ZipFile(tmp_path / "other.keras") as other,
        zipfile.ZipFile(tmp_path / "net.keras", "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        archive.writestr("config.json", json.dumps(described))
        for name in ("metadata.json", "model.weights.h5"):
            archive.writestr(name, other.read(name))
        archive.writestr("assets/zeros", bytes(15_000_000))
    with pytest.raises(WeightsError, match="which cannot hold them"):
        registry.load(str(tmp_path / "net.keras"))
