"""The other Keras backends, each in a process of its own, against TensorFlow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from dreamer import images

CASE = Path(__file__).with_name("backend_case.py")
OTHERS = [
    pytest.param(name, marks=pytest.mark.skipif(find_spec(name) is None, reason=f"{name} is not installed"))
    for name in ("jax", "torch")
]


def python(backend, *arguments, **environment):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """What a backend computes, each computed once, also where several processes share the tests."""
    found = {}
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "backends"
    shared.mkdir(exist_ok=True)

    def of(backend, part="all", **environment):
        key = (backend, part, *environment.values())
        if key not in found:
            path = shared / f"{'-'.join(key)}.npz"
            with FileLock(f"{path}.lock"):
                if not path.exists():
                    done = python(backend, CASE, path, part, **environment)
                    assert done.returncode == 0, done.stderr[-2000:]
            found[key] = dict(np.load(path))
        return found[key]

    return of


def cosine(a, b):
    return float(a.ravel() @ b.ravel() / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize("backend", OTHERS)
def test_gradients_agree(backend, computed):
    expected, found = computed("tensorflow"), computed(backend)
    assert found["scores"] == pytest.approx(expected["scores"], rel=1e-5)
    assert found["gradients"] == pytest.approx(
        expected["gradients"], abs=1e-5 * float(np.abs(expected["gradients"]).max())
    )
    assert found["bfloat16_scores"] == pytest.approx(expected["scores"], rel=0.02)
    assert cosine(found["bfloat16_gradients"], expected["gradients"]) > 0.99


@pytest.mark.parametrize("backend", OTHERS)
def test_the_same_seed_gives_the_same_views(backend, computed):
    expected, found = computed("tensorflow"), computed(backend)
    assert found["view"].tobytes() == expected["view"].tobytes()
    assert found["warped"] == pytest.approx(expected["warped"], abs=1e-5)
    assert found["warped_scores"] == pytest.approx(expected["warped_scores"], rel=1e-4)
    # TensorFlow's gradient is the inverse warp: right in place and direction, some per cent off in size.
    assert cosine(found["warped_gradients"], expected["warped_gradients"]) > 0.95


@pytest.mark.parametrize("backend", OTHERS)
def test_dreams_agree(backend, computed):
    expected, found = computed("tensorflow"), computed(backend)
    for place in ("host", "device"):
        assert found[f"{place}_scores"] == pytest.approx(expected["host_scores"], rel=1e-3)
        assert found[f"{place}_dream"] == pytest.approx(expected["host_dream"], abs=2e-3)


@pytest.mark.parametrize("backend", OTHERS)
def test_what_compares_with_a_photo_agrees(backend, computed):
    expected, found = computed("tensorflow"), computed(backend)
    for place in ("host", "device"):
        assert found[f"{place}_compared_scores"] == pytest.approx(expected["host_compared_scores"], rel=2e-3)
        assert found[f"{place}_compared"] == pytest.approx(expected["host_compared"], abs=4e-3)
    assert found["compared_score"] == pytest.approx(expected["compared_score"], rel=1e-3)
    assert np.abs(found["compared"] - expected["compared"]).mean() < 1e-3
    assert found["balance"] == pytest.approx(expected["balance"], rel=1e-3)


@pytest.mark.parametrize("backend", OTHERS)
def test_visualizations_agree(backend, computed):
    expected, found = computed("tensorflow"), computed(backend)
    for name in ("adam", "momentum"):
        assert found[f"{name}_drawn_scores"] == pytest.approx(expected[f"{name}_drawn_scores"], rel=0.02)
        assert np.abs(found[f"{name}_pictures"] - expected[f"{name}_pictures"]).mean() < 2e-3
    assert np.abs(found["alpha"] - expected["alpha"]).mean() < 0.03


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_priors_do_the_same(backend, computed):
    found, expected = computed(backend), computed("tensorflow")
    for name in ("host_pulled", "device_pulled"):
        assert np.abs(found[name] - expected["host_pulled"]).mean() < 1e-3
        assert np.abs(found[name] - expected["host_dream"]).mean() > 5e-4
    for name in ("cosine_pulled", "fourier_pulled", "coded"):
        assert np.abs(found[name] - expected[name]).mean() < 2e-3


@pytest.mark.parametrize("backend", OTHERS)
def test_an_attack_comes_to_the_same(backend, computed):
    expected, found = computed("tensorflow"), computed(backend)
    assert found["is_fooled"] == expected["is_fooled"]
    assert found["fooled_score"] == pytest.approx(expected["fooled_score"], rel=0.02)
    assert (found["fooled"] != expected["fooled"]).mean() < 0.02


@pytest.mark.parametrize("backend", OTHERS)
def test_a_photo_is_seen_alike(backend, computed):
    expected, found = computed("tensorflow"), computed(backend)
    assert found["units"].tolist() == expected["units"].tolist()
    assert found["reach"] == expected["reach"]
    assert np.allclose(found["said"], expected["said"], atol=1e-5)
    assert np.allclose(found["said_of_all"], expected["said_of_all"], atol=2e-3)
    # All of the layer adds to a class what its places add together.
    for one in (expected, found):
        assert one["said_of_all"][3] - one["said_of_all"][1] == pytest.approx(one["said"].sum(), abs=5e-3)


@pytest.mark.parametrize("backend", OTHERS)
def test_rows_and_texts_come_to_the_same(backend, computed):
    expected, found = computed("tensorflow"), computed(backend)
    assert np.array_equal(found["row"][0], expected["row"][0])
    assert found["row_score"] == pytest.approx(expected["row_score"], rel=1e-4)
    for one in (expected, found):
        assert np.allclose(one["states"], one["states_of_keras"], atol=2e-6)
    assert np.allclose(found["states"], expected["states"], atol=1e-6)
    assert found["drawn"].tolist() == expected["drawn"].tolist()


@pytest.mark.parametrize("backend", OTHERS)
def test_two_networks_draw_the_same_picture_jointly(backend, computed):
    expected, found = computed("tensorflow"), computed(backend)
    assert found["joint_score"] == pytest.approx(expected["joint_score"], rel=0.02)
    assert np.abs(found["joint_picture"] - expected["joint_picture"]).mean() < 1e-4
    assert np.abs(found["joint_picture"] - found["momentum_pictures"][0]).mean() > 1e-3


@pytest.mark.parametrize("backend", OTHERS)
def test_gradients_of_weights_agree(backend, computed):
    expected, found = computed("tensorflow"), computed(backend)
    assert found["loss"] == pytest.approx(expected["loss"], rel=1e-5)
    for name in ("of_first", "of_depthwise"):
        largest = float(np.abs(expected[name]).max())
        assert largest > 0
        assert found[name] == pytest.approx(expected[name], abs=1e-5 * largest)


@pytest.mark.parametrize("backend", ["tensorflow", *OTHERS])
def test_the_weights_of_a_generator_are_read_anew_at_each_run(backend, computed):
    expected, found = computed("tensorflow"), computed(backend)
    assert found["first_generated"].std() > 1.2 * found["second_generated"].std() > 0
    for place in ("first", "second"):
        assert found[f"{place}_generated"] == pytest.approx(expected[f"{place}_generated"], abs=2e-3)


@pytest.mark.parametrize("backend", OTHERS)
def test_redirected_gradients_agree(backend, computed):
    expected, found = computed("tensorflow"), computed(backend)
    assert found["redirected_scores"] == pytest.approx(expected["redirected_scores"], abs=1e-5)
    largest = float(np.abs(expected["redirected_gradients"]).max())
    assert largest > 0
    assert found["redirected_gradients"] == pytest.approx(expected["redirected_gradients"], abs=1e-5 * largest)


@pytest.mark.parametrize("backend", ["tensorflow", *OTHERS])
def test_nothing_is_traced_again_for_another_batch(backend, computed):
    first, later = computed(backend)["traces"]
    # PyTorch traces nothing: it calls the network for each tile.
    assert (first, later) == ((2, 3) if backend == "torch" else (1, 1))


@pytest.mark.parametrize("backend", OTHERS)
def test_networks_of_keras_can_be_filled(backend, computed):
    assert computed(backend)["filled"] == computed("tensorflow")["filled"] > 200


@pytest.mark.skipif(find_spec("jax") is None, reason="jax is not installed")
def test_tiles_are_dealt_out_to_several_devices_and_nothing_else_changes(computed):
    one = computed("jax")
    two = computed("jax", "dreams", XLA_FLAGS="--xla_force_host_platform_device_count=2")
    assert (len(one["devices"]), len(two["devices"])) == (1, 2)
    for name in ("scores", "gradients", "host_dream", "host_scores"):
        assert two[name].tobytes() == one[name].tobytes()


@pytest.mark.parametrize("backend", OTHERS)
def test_the_command_runs_on_it(backend, tmp_path, picture):
    from PIL import Image

    photo = tmp_path / "photo.png"
    Image.fromarray((picture * 255).astype(np.uint8)).save(photo)
    quick = ["--octaves", "1", "--steps", "1", "--layer", "block2b", "--tile", "64", "--quiet"]
    done = python("tensorflow", "-m", "dreamer", "dream", photo, "--backend", backend, *quick)
    assert (done.returncode, done.stderr) == (0, "")
    recipe = images.read_recipe(tmp_path / "photo-dream.png")
    assert recipe["libraries"]["backend"] == backend
    [report] = json.loads(python(backend, "-m", "dreamer", "doctor", "--json", "--no-rate").stdout)["items"]
    assert report["backend"] == backend
    assert report["versions"][backend]


def test_a_backend_that_is_not_installed_is_said_in_a_line(monkeypatch, capfd):
    from dreamer.cli import progress, run

    def missing(name):
        raise ModuleNotFoundError("No module named 'jax'", name="jax")

    monkeypatch.setattr(progress, "import_module", missing)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert run(["doctor", "--backend", "jax"]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err == (
        "Error: the backend 'jax' is not installed. Install it with: python -m pip install 'deepdreamer[jax]'\n"
    )


def test_an_unknown_backend_is_refused(capfd, monkeypatch):
    from dreamer.cli import run

    monkeypatch.setenv("KERAS_BACKEND", "numpy")
    assert run(["doctor"]) == 1
    assert capfd.readouterr().err == (
        "Error: KERAS_BACKEND is 'numpy'; expected one of tensorflow, jax, torch. Change it, or give --backend\n"
    )

    assert run(["dream", "x.jpg", "--backend", "theano"]) == 2
    assert "'tensorflow', 'jax', 'torch'" in capfd.readouterr().err
