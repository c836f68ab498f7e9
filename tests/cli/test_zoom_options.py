"""The options of zooms and of the cut, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dreamer import images
from dreamer.cli import run

QUICK = ["--octaves", "1", "--steps", "1", "-q"]
ALL = ["--focus", "0.3,0.6", "--turn", "2", "--ease", "--loop", "--aspect", "9:16"]


@pytest.fixture
def photo(tmp_path, picture, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray((picture * 255).round().astype(np.uint8)).save("photo.png")
    return "photo.png"


@pytest.mark.parametrize("target", ["zoom.gif", "zoom.webp", "zoom.apng", "zoom.mp4"])
def test_a_zoom_with_all_of_them_tells_them_and_is_made_again(photo, target, asleep, capfd):
    assert run(["dream", photo, "--frames", "4", *ALL, "-o", target, *QUICK]) == 0
    assert run(["recipe", target]) == 0
    settings = json.loads(capfd.readouterr().out)["settings"]
    told = {"frames": 4, "focus": [0.3, 0.6], "turn": 2, "ease": True, "loop": True, "aspect": "9:16"}
    assert settings.items() >= told.items()
    assert run(["dream", "--recipe", target, "--no-ease", "-o", f"again-{target}", "-q"]) == 0
    assert run(["recipe", f"again-{target}"]) == 0
    again = json.loads(capfd.readouterr().out)["settings"]
    assert again == {name: value for name, value in settings.items() if name != "ease"}


def test_the_frames_have_the_ratio(photo, asleep, capfd):
    assert run(["dream", photo, "--frames", "3", *ALL, "-o", "frames", "--json", *QUICK]) == 0
    answer = json.loads(capfd.readouterr().out)["items"][0]
    assert (answer["width"], answer["height"], answer["frames"]) == (21, 37, 3)
    assert [images.read(path).pixels.shape for path in Path("frames").iterdir()] == 3 * [(37, 21, 3)]


def test_a_single_picture_is_cut_around_the_focus(photo, asleep, picture):
    assert run(["dream", photo, "--aspect", "1:1", "--focus", "1,0.5", "-o", "square.png", *QUICK]) == 0
    found = images.read(Path("square.png")).pixels
    assert np.abs(found - picture[:, 16:]).max() < 1 / 255


def test_a_folder_of_photos_is_cut_and_a_video_in_it_fails_with_a_sentence(photo, tiny_file, capfd):
    Path("in").mkdir()
    Path(photo).rename("in/photo.png")
    av = pytest.importorskip("av")
    with av.open("in/clip.mkv", "w") as out:
        stream = out.add_stream("ffv1", rate=10)
        stream.height, stream.width, stream.pix_fmt = 20, 30, "bgr0"
        for level in (0, 99):
            frame = av.VideoFrame.from_ndarray(np.full((20, 30, 3), level, np.uint8), "rgb24")
            out.mux(stream.encode(frame.reformat(format="bgr0", threads=1)))
        out.mux(stream.encode())
    cut = ["--aspect", "1:2", "--focus", "0,0.5"]
    own = ["--model", tiny_file, "--objective", "first"]
    assert run(["batch", "in", "out", *cut, *own, *QUICK]) == 1
    assert "aspect cuts photos, and no videos" in capfd.readouterr().err
    assert images.read(Path("out/photo.png")).pixels.shape == (37, 18, 3)
    assert not Path("out/clip-dream.mkv").exists()
    assert run(["batch", "in", "out", *own, *cut, *QUICK, "--loop"]) == 2
    assert "--loop is for an endless zoom" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--turn", "2"], "--turn is for an endless zoom; say how long it is, as in --frames 60"),
        (["--ease"], "--ease is for an endless zoom"),
        (["--no-loop"], "--loop is for an endless zoom"),
        (["--focus", "0.3,0.6"], "or cut the photo there with --aspect"),
        (["--frames", "3", "--focus", "1.2,0"], "focus is 1.2,0; expected x and y as shares"),
        (["--frames", "3", "--focus", "0.3"], "is no point; expected shares"),
        (["--frames", "3", "--focus", "0,3,0,6"], "is no point; expected shares"),
        (["--frames", "3", "--focus", "a,b"], "is no point; expected shares"),
        (["--frames", "3", "--focus", "nan,0"], "is no point; expected shares"),
        (["--aspect", "0:1"], "aspect is '0:1'; expected width to height, as 9:16 or 1.5"),
        (["--aspect", "1080x1920"], "a ratio is written with a colon"),
        (["--frames", "3", "--turn", "200"], "turn is 200.0; expected degrees, clockwise"),
    ],
)
def test_what_makes_no_sense_is_said_before_any_work(photo, arguments, words, capfd):
    assert run(["dream", photo, *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert words in err
    assert [path.name for path in Path().iterdir()] == ["photo.png"]


@pytest.mark.parametrize("arguments", [["--focus", "0.3,0.6"], ["--loop"], ["--aspect", "1:1"]])
def test_a_video_takes_none_of_them(photo, arguments, capfd):
    assert run(["video", photo, *arguments]) == 2
    assert "video" in capfd.readouterr().err
