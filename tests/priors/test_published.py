"""Priors of others: TAESD from its checkpoints, DeePSiM from a Caffe model; imported, and not fetched unasked."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from models.caffe_file import model

import dreamer
from dreamer import images
from dreamer.arrays import as_float, resize
from dreamer.cli import run
from dreamer.errors import MissingWeightsError, WeightsError
from dreamer.models import fetching, kept, torch_checkpoint
from dreamer.priors import codes, deepsim, loading, networks, specs, taesd

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "priors"
needs_published = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published checkpoints are not here")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DREAMER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DREAMER_OFFLINE", "1")
    loading._loaded.cache_clear()
    return tmp_path / "home"


@pytest.fixture
def imported():
    """TAESD in the cache, from the published files."""
    for name, file in (("taesd", "taef2_decoder.pth"), ("taesd_encoder", "taef2_encoder.pth")):
        assert fetching.import_file(specs.spec(name), PUBLISHED / file)  # Of the published digest.


@needs_published
def test_the_autoencoder_makes_a_photo_again(imported, samples):
    photo = resize(as_float(images.read(samples / "cat.png").pixels), (256, 256))
    code = loading.load("taesd").parametrization.make((256, 256), None)
    again = np.asarray(code.render(code.encode(photo[None])))[0]
    assert -10 * np.log10(np.square(again - photo).mean()) > 30


@needs_published
def test_pictures_are_drawn_as_codes_and_begin_with_a_photo(imported, samples, lite0):
    how = dreamer.VisualizeSettings(size=(48, 64), steps=3, prior="taesd", precision="float32")
    drawn = dreamer.visualize("block4b:17", how, network=lite0)
    assert drawn.pixels.shape == (48, 64, 3)
    assert drawn.score > drawn.first_score
    assert drawn.recipe["prior_sha256"] == loading.load("taesd").sha256
    photo = resize(as_float(images.read(samples / "cat.png").pixels), (48, 64))
    begun = dreamer.visualize("block4b:17", how, network=lite0, start=photo, steps=1, learning_rate=1e-6)
    assert np.abs(begun.pixels - photo).mean() < 0.06


@needs_published
def test_a_variant_without_what_looks_over_all_channels_is_built_too():
    """As those of 2023 are: the same layers without pools."""
    arrays = torch_checkpoint.read(PUBLISHED / "taef2_decoder.pth")
    decoder = taesd.build({name: array for name, array in arrays.items() if ".pool." not in name})
    assert decoder(np.zeros((1, 2, 3, 32), np.float32)).shape == (1, 16, 24, 3)


@needs_published
def test_another_checkpoint_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="is not the published file taef2_decoder.pth of taesd"):
        fetching.import_file(specs.spec("taesd"), PUBLISHED / "taef2_encoder.pth")
    with pytest.raises(WeightsError, match="it is no checkpoint of TAESD: there is an array 'model.0.weight'"):
        fetching.import_file(specs.spec("taesd"), PUBLISHED / "dncnn_25.pth", unverified=True)


def test_what_is_not_there_says_how_to_get_it(capfd):
    with pytest.raises(
        MissingWeightsError, match="told to stay offline. To install them by hand, get https://github.com"
    ):
        loading.load("taesd")
    assert run(["visualize", "block4b:1", "--prior", "deepsim_fc6"]) == 1
    said = capfd.readouterr().err
    assert "the weights of deepsim_fc6 are not fetched: their licence is research only" in said
    assert "dreamer models import deepsim_fc6 release_deepsim_v0.zip" in said
    assert run(["priors", "info", "deepsim_fc6"]) == 0
    assert "by hand" in capfd.readouterr().out


def test_what_a_prior_is_not_for_is_said_before_anything_is_fetched(tmp_path, samples, capfd):
    for command, said in (
        (
            ["dream", str(samples / "cat.png"), "--prior", "taesd"],
            "makes pictures from a code, and a dream is made from",
        ),
        (["visualize", "block4b", "--prior", "taesd_encoder"], "taesd_encoder finds codes and makes no pictures"),
    ):
        assert run(command) == 2
        assert said in capfd.readouterr().err


WIDTHS = {"defc7": 10, "defc6": 9, "defc5": 3 * 16, "deconv5": 4, "conv5_1": 5, "deconv4": 4, "conv4_1": 3,
          "deconv3": 3, "conv3_1": 2, "deconv2": 2, "deconv1": 2, "deconv0": 3}  # fmt: skip
CODE = 7


def blobs():
    """A generator like DeePSiM's, but narrow, as Caffe has its numbers."""
    rng = np.random.default_rng(0)
    found, before = {}, CODE
    for name, width in WIDTHS.items():
        if name.startswith("defc"):
            kernel = rng.normal(scale=before**-0.5, size=(width, before))
            before = width if name != "defc5" else width // 16
        else:
            side = 3 if name.startswith("conv") else 4
            kernel = rng.normal(scale=(4 * before) ** -0.5, size=(before, width, side, side))
            before = width
        found[name] = [kernel.astype(np.float32), rng.normal(scale=0.1, size=width).astype(np.float32)]
    found["deconv0"][0] *= 60
    return found


def by_hand(arrays, code):
    """The same arithmetic in NumPy: each number of a picture is spread over those that it becomes."""
    x = code
    for name in ("defc7", "defc6", "defc5"):
        kernel, bias = arrays[name]
        x = kernel @ x + bias
        x = np.where(x > 0, x, 0.3 * x)
    x = x.reshape(-1, 4, 4)
    for name in list(WIDTHS)[3:]:
        kernel, bias = arrays[name]
        side, stride = kernel.shape[-1], 1 if name.startswith("conv") else 2
        _, height, width = x.shape
        spread = np.zeros((kernel.shape[1], stride * (height - 1) + side, stride * (width - 1) + side))
        for row in range(height):
            for column in range(width):
                patch = np.einsum("i,iokl->okl", x[:, row, column], kernel)
                spread[:, stride * row : stride * row + side, stride * column : stride * column + side] += patch
        x = spread[:, 1:-1, 1:-1] + bias[:, None, None]
        if name != "deconv0":
            x = np.where(x > 0, x, 0.3 * x)
    return x.transpose(1, 2, 0)


def test_the_generator_computes_what_caffe_would():
    arrays = blobs()
    named = {f"{name}.{kind}": one for name, pair in arrays.items() for kind, one in zip(("weight", "bias"), pair)}  # noqa: B905
    code = np.random.default_rng(1).random(CODE).astype(np.float32)
    found = np.asarray(deepsim.build(named)(code[None]))[0]
    expected = by_hand(arrays, code.astype(float))
    assert found.shape == expected.shape == (256, 256, 3)
    assert found == pytest.approx(expected, abs=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("archived", [True, False])
def test_the_generator_is_imported_by_hand(tmp_path, capfd, archived):
    content = model(blobs(), old=True)
    file = tmp_path / ("release_deepsim_v0.zip" if archived else "generator.caffemodel")
    if archived:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("release_deepsim_v0/fc6/generator.caffemodel", content)
            archive.writestr("release_deepsim_v0/fc7/generator.caffemodel", b"another")
    else:
        file.write_bytes(content)
    assert run(["models", "import", "deepsim_fc6", str(file)]) == 0
    assert "UNVERIFIED: it fits, and no digest of it is published" in capfd.readouterr().out
    prior = loading.load("deepsim_fc6")
    assert isinstance(prior, codes.Code)
    assert prior.made((224, 224)) == (256, 256)
    code = prior.parametrization.make((256, 256), None).draw(np.random.default_rng(0), 1)
    assert code.shape == (1, CODE)
    assert code.min() >= 0
    # Blue first, less a mean, in 0..255.
    raw = np.asarray(networks.load(specs.spec("deepsim_fc6"))[0](code))[0, ..., ::-1]
    expected = np.clip((raw + np.array([123.68, 116.779, 103.939])) / 255, 0, 1)
    shown = np.asarray(prior.parametrization.make((256, 256), None).render(code))[0]
    assert shown == pytest.approx(expected, abs=2e-3)
    assert run(["models", "remove", "deepsim_fc6"]) == 0


def test_a_file_that_is_something_else_is_refused(tmp_path, capfd):
    some = blobs()
    some["conv3_1"][0] = some["conv3_1"][0][:, :1]
    for name, content in {"a.caffemodel": model(some), "b.caffemodel": b"nothing"}.items():
        (tmp_path / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("other.txt", "a")
    for name, said in (
        ("a.caffemodel", "it is not DeePSiM's generator of fc6"),
        ("b.caffemodel", "damaged or no .caffemodel"),
        ("c.zip", "holds no fc6/generator.caffemodel; expected release_deepsim_v0.zip"),
    ):
        assert run(["models", "import", "deepsim_fc6", str(tmp_path / name)]) == 1
        assert said in capfd.readouterr().err


def test_kept_arrays_are_refused_where_they_are_damaged(tmp_path):
    kept.write(tmp_path / "a.npz", {"one": np.ones((2, 3))})
    assert (kept.read(tmp_path / "a.npz")["one"] == 1).all()
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[:-9])
    with pytest.raises(WeightsError, match="cannot read the weights at"):
        kept.read(tmp_path / "a.npz")
