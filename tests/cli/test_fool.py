"""``dreamer fool`` as a person uses it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from dreamer import images
from dreamer.cli import run

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
LABELS = "dark\nbright\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a photo, and a network of two classes whose border is middling grey."""
    monkeypatch.chdir(tmp_path)
    picture = keras.Input((8, 8, 3))
    layer = keras.layers.Dense(2, name="scores")
    network = keras.Model(picture, layer(keras.layers.Flatten()(picture)))
    kernel = np.stack([np.full(192, -1 / 192), np.full(192, 1 / 192)], axis=1)
    layer.set_weights([100 * kernel, 100 * np.array([0.5, -0.5])])
    network.save("mine.keras")
    (tmp_path / "mine.toml").write_text('preprocessing = "0..1"\nlabels = "names.txt"\n')
    (tmp_path / "names.txt").write_text(LABELS)
    grey(124).save("a.jpg")
    return tmp_path


def grey(level, size=(23, 17)):
    return Image.new("RGB", size, (level, level, level))


MINE = ["--model", "mine.keras"]


def test_a_photo_gets_the_least_change_and_the_file_is_asked(here, capfd):
    assert run(["fool", "a.jpg", *MINE, "--show"]) == 0
    out, err = capfd.readouterr()
    assert out.splitlines() == ["a-fooled.png", "a-fooled-shown.png"]
    assert "which sees it at 8x8: dark" in err
    assert "-> bright" in err
    written = np.asarray(Image.open("a-fooled.png"))
    assert written.mean() > 126.5
    assert written.max() <= 136
    assert images.read_recipe(here / "a-fooled.png")["settings"]["model"] == "mine.keras"


def test_what_did_not_work_is_told_and_fails(here, capfd):
    assert run(["fool", "a.jpg", *MINE, "--eps", "2", "-o", "out.png"]) == 1
    out, err = capfd.readouterr()
    assert out == "out.png\n"
    assert "the network is not fooled by the file; give it more with a larger --eps" in err


def test_a_jpeg_is_refused_before_anything_is_computed(here, capfd):
    assert run(["fool", "a.jpg", *MINE, "-o", "out.jpg"]) == 1
    assert "is JPEG, which does not keep every level" in capfd.readouterr().err
    assert run(["fool", "a.jpg", *MINE, "-o", "out.jpg", "--survive-jpeg", "80"]) == 0
    assert np.asarray(Image.open("out.jpg")).mean() > 127.5


def test_success_rates_of_a_folder_with_a_report_and_a_plot(here, capfd):
    (here / "photos" / "more").mkdir(parents=True)
    for level in (126, 112):
        grey(level).save(here / "photos" / f"{level}.png")
    grey(140).save(here / "photos" / "more" / "b.png")
    (here / "photos" / "bad.png").write_bytes(b"no picture")
    more = ["--eps", "2,5,20", "--steps", "10", "--judge", "mine.keras"]
    assert run(["fool", "photos", *MINE, *more, "--report", "r.json"]) == 1  # One could not be read.
    out, err = capfd.readouterr()
    assert "bad.png is not a picture" in err
    assert [line.split()[:4] for line in out.splitlines()[1:4]] == [
        ["2", "1", "3", "33%"], ["5", "1", "3", "33%"], ["20", "3", "3", "100%"],
    ]  # fmt: skip
    assert out.splitlines()[4:] == ["r.json", "r.svg"]
    told = json.loads((here / "r.json").read_text())
    assert told["left_out"] == [str(Path("photos") / "bad.png")]
    assert [one["judge_fooled"] for one in told["rates"]] == [1, 1, 3]
    assert (here / "r.svg").read_text().startswith("<svg")
    assert not list(here.glob("*fooled*"))
    assert run(["fool", "photos", *MINE, *more, "--report", "r.json"]) == 1
    assert "exists" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--to", "bright", "--away"], "--to and --away exclude each other"),
        (["--eps", "1,two"], "is no bound; expected a number, or several as in 1,2,4,8"),
        (["--eps", "1,2", "-o", "x.png"], "-o is for a single photo"),
        (["--eps", "1,2", "--show"], "--show is for a single photo"),
        (["--report", "r.json"], "--report is for several photos"),
        (["--eps", "1,2", "--report", "r.svg"], "name the report as in fooled.json"),
        (["--eps", "1,2", "--report", "a.jpg", "--overwrite"], "name the report as in fooled.json"),
        (["--overwrite"], "--overwrite has nothing to do here"),
        (["--to", "grey"], "'grey'"),
        (["--method", "deepfool"], "expected one of fgsm, pgd, cw"),
        (["--judge", "mine2.keras"], "mine2.keras"),
    ],
    ids=str,
)
def test_what_cannot_be_is_said_in_a_line(here, capfd, more, said):
    assert run(["fool", "a.jpg", *MINE, *more]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert said in err.splitlines()[-1]
    assert not list(here.glob("*fooled*"))


def test_a_folder_without_photos_and_a_photo_that_is_not_there(here, capfd):
    (here / "none").mkdir()
    assert run(["fool", "none", *MINE]) == 2
    assert "there is no photo in none" in capfd.readouterr().err
    assert run(["fool", "nowhere.png", *MINE]) == 1
    assert "nowhere.png" in capfd.readouterr().err


def test_an_interrupt_ends_it_and_writes_nothing(here):
    """Of a photo there is nothing to keep; the signal comes while the attack runs."""
    Image.effect_noise((400, 300), 60).convert("RGB").save("noise.png")
    command = [sys.executable, "-m", "dreamer", "fool", "noise.png", "--to", "broccoli", "--steps", "5000"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"DREAMER_OFFLINE": "1"}
    ) as process:
        assert process.stderr.readline() == "Loading the network ...\n"
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == "Interrupted: nothing was written."
    assert not list(here.glob("noise-*"))
