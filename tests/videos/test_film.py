"""Films of zooms and of visualizations, and recipes of videos on the command line."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from video_case import av, moving, rms, times

from dreamer import images, videos
from dreamer.cli import run
from dreamer.dreaming.settings import DreamSettings
from dreamer.earlier import Earlier
from dreamer.errors import ImageReadError, ImageWriteError, MissingExtraError, ModelError
from dreamer.images import files

QUICK = ["--octaves", "1", "--steps", "1", "--max-size", "64"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Image.fromarray(moving(0)).save("photo.png")
    return folder


def film(path: Path, timing=None, number=5) -> None:
    with images.frame_writer(path, timing or images.Timing(1 / 24)) as writer:
        for one in range(number):
            writer.add(moving(one))
        assert writer.count == number
        writer.finish({"settings": {"seed": 7}})


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".mov", ".mkv", ".MP4"])
def test_a_film_has_its_frames_its_rate_and_its_recipe(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    film(path)
    pts, clock = times(path)
    exact = [Fraction(number, 24) for number in range(5)]
    allowed = Fraction(1, 2000) if clock == Fraction(1, 1000) else 0
    assert all(abs(one * clock - at) <= allowed for one, at in zip(pts, exact, strict=True))
    assert videos.read_recipe(path) == {"settings": {"seed": 7}}
    with videos.open_video(path) as video:
        for number, frame in enumerate(video.frames()):
            assert rms(frame.pixels, moving(number)) < 7


@pytest.mark.parametrize("rate", [24, 30, 29.97, 60])
def test_the_rate_is_exact(tmp_path, rate):
    film(tmp_path / "a.mp4", images.Timing(1 / rate), 30)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].average_rate == Fraction(rate).limit_denominator(1001)


def test_the_last_frame_is_shown_for_as_long_as_it_is_asked(tmp_path):
    film(tmp_path / "a.mp4", images.Timing(0.1, 0.5), 3)
    pts, clock = times(tmp_path / "a.mp4")
    assert [round(float(one * clock), 3) for one in pts] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


def test_films_that_cannot_be_written(tmp_path, monkeypatch):
    with images.frame_writer(tmp_path / "a.mp4", images.Timing(1)) as writer:
        with pytest.raises(ImageWriteError, match="has no frames"):
            writer.finish(None)
        with pytest.raises(ImageWriteError, match="frame 0 is float64"):
            writer.add(np.zeros((4, 6, 3)))
    with pytest.raises(ImageWriteError, match=r"names no format of animations.*\.gif, .*\.mp4"):
        images.frame_writer(tmp_path / "a.avi", images.Timing(1))
    monkeypatch.setattr("dreamer.videos.pyav.find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"deepdreamer\[video\]"):
        images.frame_writer(tmp_path / "a.mp4", images.Timing(1))
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- on the command line


@pytest.mark.parametrize("name", ["zoom.mp4", "zoom.webm"])
def test_a_zoom_becomes_a_film(asleep, here, name, capfd):
    given = ["--frames", "3", "--frame-rate", "24", "-o", name]
    assert run(["dream", "photo.png", *QUICK, *given]) == 0
    assert capfd.readouterr().out.strip() == name
    with videos.open_video(here / name) as video:
        assert len(list(video.frames())) == 3
    assert run(["recipe", name]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["settings"]["frames"] == 3
    assert told["source"]["name"] == "photo.png"
    assert run(["dream", "--recipe", name, "-o", f"again-{name}", "-q"]) == 0
    assert videos.read_recipe(here / f"again-{name}")["settings"] == told["settings"]


def test_a_film_is_refused_before_any_work_where_the_extra_is_missing(asleep, here, monkeypatch, capfd):
    monkeypatch.setattr("dreamer.videos.pyav.find_spec", lambda _name: None)
    asleep.before_step = lambda _number: pytest.fail("worked")
    assert run(["dream", "photo.png", *QUICK, "--frames", "3", "-o", "zoom.mp4"]) == 1
    assert "pip install 'deepdreamer[video]'" in capfd.readouterr().err
    assert sorted(path.name for path in here.iterdir()) == ["photo.png"]


def test_a_film_that_fails_on_the_way_is_kept(asleep, here, tmp_path, monkeypatch, capfd):
    refuge = tmp_path / "refuge"
    refuge.mkdir()
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(refuge))

    def fail(taken):
        if taken == 3:
            raise ModelError("the network is gone")

    asleep.before_step = fail
    assert run(["dream", "photo.png", *QUICK, "--frames", "5", "--zoom", "1", "-o", "zoom.mp4"]) == 1
    [found] = refuge.glob("*.mp4")
    assert f"kept as {found}" in capfd.readouterr().err
    assert videos.read_recipe(found)["partial"] == {"frames": 2}
    assert [path.name for path in here.iterdir()] == ["photo.png"]


def test_a_film_for_which_there_is_no_room_is_kept(asleep, here, tmp_path, monkeypatch, capfd):
    refuge = tmp_path / "refuge"
    refuge.mkdir()
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(refuge))
    settle = files._settle

    def fail(file, real):
        if real.parent == here:
            raise OSError(28, "No space left on device")
        settle(file, real)

    monkeypatch.setattr(files, "_settle", fail)
    assert run(["dream", "photo.png", *QUICK, "--frames", "3", "-o", "zoom.mp4"]) == 1
    [found] = refuge.glob("*.mp4")
    assert "no space is left on the disk" in capfd.readouterr().err
    with videos.open_video(found) as video:
        assert len(list(video.frames())) == 3


def test_a_recipe_of_a_dream_of_a_video_asks_for_a_photo(tmp_path):
    recipe = {"format": 1, "settings": DreamSettings().to_dict(), "source": {"name": "clip.mp4", "sha256": "0"}}
    frames = iter([videos.Frame(0, 1, moving(0))])
    clock = {"time_base": Fraction(1, 25), "rate": Fraction(25)}
    videos.write_video(tmp_path / "a.mp4", frames, size=(36, 52), source=None, recipe=recipe, **clock)
    earlier = Earlier.read(tmp_path / "a.mp4")
    with pytest.raises(ImageReadError, match=r"made from a video, 'clip\.mp4'.* dreamer dream PHOTO --recipe"):
        earlier.photo()


def test_a_video_without_a_recipe(tmp_path, capfd):
    frames = iter([videos.Frame(0, 1, moving(0))])
    clock = {"time_base": Fraction(1, 25), "rate": Fraction(25)}
    videos.write_video(tmp_path / "a.mp4", frames, size=(36, 52), source=None, **clock)
    assert run(["recipe", str(tmp_path / "a.mp4")]) == 1
    assert "holds no recipe; a video made by dreamer is expected" in capfd.readouterr().err


def test_the_way_of_a_visualization_as_a_film(here, lite0):
    given = ["visualize", "block2a", "--steps", "4", "--size", "32", "--animation", "way.mp4", "-o", "x.png", "-q"]
    assert run(given) == 0
    assert len(times(here / "way.mp4")[0]) > 4
    assert videos.read_recipe(here / "way.mp4")["settings"]["steps"] == 4
    assert run([*given, "--overwrite"]) == 0
    assert run(given) == 1
