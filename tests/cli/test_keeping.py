"""Whatever fails at the end or on the way: what was computed is kept somewhere, and said."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dreamer import images
from dreamer.cli import run
from dreamer.errors import ModelError
from dreamer.files.refuge import keep_elsewhere
from dreamer.images import animation, files
from dreamer.visualizing import run as drawing
from dreamer.visualizing import spectrum

QUICK = ["--octaves", "1", "--steps", "1", "-q"]
DRAWN = ["--size", "32", "--steps", "2", "-q"]


@pytest.fixture(autouse=True)
def here(tmp_path, picture, monkeypatch):
    """The working folder with a photo; ``refuge`` is where temporary files go."""
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "refuge").mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "refuge"))
    Image.fromarray((picture * 255).round().astype(np.uint8)).save("photo.png")
    return work


@pytest.fixture
def refuge(tmp_path):
    return tmp_path / "refuge"


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


@pytest.fixture
def full(here, monkeypatch):
    """Lets the disk of a folder be full, from a number of files on."""
    settle = files._settle
    counted = {}

    def fail_in(*folders, after=0):
        def full_disk(file, real):
            counted[real.parent] = counted.get(real.parent, 0) + 1
            if real.parent in [Path(folder).absolute() for folder in folders] and counted[real.parent] > after:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            settle(file, real)

        monkeypatch.setattr(files, "_settle", full_disk)

    return fail_in


def kept(capfd, refuge, left):
    """What is kept, once: the only thing in the refuge, which the only line names."""
    [found] = refuge.iterdir()
    err = capfd.readouterr().err
    assert f"kept as {found}" in err
    assert err.count("\n") == 1
    assert names(".") == left
    return found


def test_a_dream(asleep, full, refuge, capfd):
    full(".")
    assert run(["dream", "photo.png", *QUICK]) == 1
    assert images.read(kept(capfd, refuge, ["photo.png"])).pixels.shape == (37, 53, 3)


def test_a_dream_that_fails_on_the_way(asleep, refuge, capfd):
    def fail(taken):
        if taken == 3:
            raise ModelError("the network is gone")

    asleep.before_step = fail
    assert run(["dream", "photo.png", "--octaves", "2", "--steps", "2", "-q"]) == 1
    found = kept(capfd, refuge, ["photo.png"])
    assert images.read_recipe(found)["partial"] == {"octave": 0, "step": 1}


def test_a_dream_of_which_an_octave_cannot_be_kept(asleep, here, full, refuge, capfd):
    (here / "octaves").mkdir()
    full("octaves", after=1)
    given = ["--octaves", "2", "--steps", "1", "-q", "--save-octaves", "octaves"]
    assert run(["dream", "photo.png", *given]) == 1
    kept(capfd, refuge, ["octaves", "photo.png"])
    assert names("octaves") == ["octave-1.png"]


def test_nothing_is_kept_of_what_never_began(asleep, refuge, capfd):
    def fail(_taken):
        raise ModelError("the network is gone")

    asleep.before_step = fail
    for more in ([], ["--frames", "3"]):
        assert run(["dream", "photo.png", *QUICK, *more]) == 1
        assert capfd.readouterr().err == "Error: the network is gone\n"
    assert names(refuge) == []


@pytest.mark.parametrize("name", ["zoom.gif", "zoom.webp"])
def test_a_zoom(asleep, full, refuge, name, capfd):
    full(".")
    assert run(["dream", "photo.png", *QUICK, "--frames", "3", "--zoom", "1.5", "-o", name]) == 1
    found = kept(capfd, refuge, ["photo.png"])
    assert found.suffix == Path(name).suffix
    with Image.open(found) as moving:
        assert moving.n_frames == 3


@pytest.mark.parametrize("failure", [ValueError("no"), MemoryError(), RuntimeError("a fault")])
def test_a_zoom_that_no_encoder_takes_is_kept_as_its_frames(asleep, refuge, failure, monkeypatch, capfd):
    def fail(*_):
        raise failure

    monkeypatch.setitem(animation.ENCODERS, ".gif", ("GIF", fail))
    assert run(["dream", "photo.png", *QUICK, "--frames", "3", "-o", "zoom.gif"]) == 1
    found = kept(capfd, refuge, ["photo.png"])
    assert names(found) == ["0001.png", "0002.png", "0003.png"]
    assert images.read_recipe(found / "0002.png")["frame"] == 2


@pytest.mark.parametrize("output", ["zoom.gif", "frames"])
def test_a_zoom_that_fails_on_the_way(asleep, refuge, output, capfd):
    def fail(taken):
        if taken == 3:
            raise ModelError("the network is gone")

    asleep.before_step = fail
    given = ["--frames", "5", "--zoom", "1", "-o", output]
    assert run(["dream", "photo.png", *QUICK, *given]) == 1
    if output == "frames":
        assert "The 2 frames before are in frames" in capfd.readouterr().err
        assert names("frames") == ["0001.png", "0002.png"]
    else:
        assert images.read_recipe(kept(capfd, refuge, ["photo.png"]))["partial"] == {"frames": 2}


def test_a_frame_for_which_there_is_no_room(asleep, here, full, refuge, capfd):
    (here / "frames").mkdir()
    full("frames", after=2)
    assert run(["dream", "photo.png", *QUICK, "--frames", "5", "-o", "frames"]) == 1
    [third] = refuge.iterdir()
    err = capfd.readouterr().err
    assert images.read_recipe(third)["frame"] == 3
    assert f"kept as {third}" in err
    assert "The 2 frames before are in frames" in err
    assert names("frames") == ["0001.png", "0002.png"]


def test_where_the_temporary_folder_is_full_too_there_are_others(asleep, full, refuge, here, capfd):
    (here / "out").mkdir()
    full("out", refuge)
    assert run(["dream", "photo.png", *QUICK, "-o", "out/x.png"]) == 1
    [found] = here.glob("x-*.png")
    assert f"kept as {found}" in capfd.readouterr().err


def test_what_is_lost_is_said(asleep, monkeypatch, capfd):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "_settle", fail)
    assert run(["dream", "photo.png", *QUICK]) == 1
    err = capfd.readouterr().err
    assert "What was computed is lost" in err
    assert err.count("\n") == 1


def test_a_visualization(full, refuge, capfd):
    full(".")
    assert run(["visualize", "block2b:3", *DRAWN]) == 1
    assert images.read(kept(capfd, refuge, ["photo.png"])).pixels.shape == (32, 32, 3)


def test_an_animation_of_a_visualization(here, full, refuge, capfd):
    (here / "out").mkdir()
    full("out")
    assert run(["visualize", "block2b:3", *DRAWN, "-o", "x.png", "--animation", "out/way.gif"]) == 1
    [found] = refuge.iterdir()
    err = capfd.readouterr().err
    assert f"The picture is x.png. What was computed is kept as {found}" in err
    with Image.open(found) as moving:
        assert moving.n_frames == 2


def test_a_visualization_of_which_the_way_cannot_be_kept(here, full, refuge, capfd):
    (here / "way").mkdir()
    full("way", after=1)
    given = ["--save-steps", "way", "-o", "x.png", "--animation", "x.gif"]
    assert run(["visualize", "block2b:3", "--size", "32", "--steps", "3", "-q", *given]) == 1
    assert sorted(path.suffix for path in refuge.iterdir()) == [".gif", ".png"]
    err = capfd.readouterr().err
    assert all(f"kept as {path}" in err for path in refuge.iterdir())
    assert names(".") == ["photo.png", "way"]


def test_a_visualization_that_fails_on_the_way(refuge, monkeypatch, capfd):
    steps = drawing.planned_steps

    def some(*args, **keywords):
        for taken, step in enumerate(steps(*args, **keywords), start=1):
            yield step
            if taken == 2:
                raise ModelError("the network is gone")

    monkeypatch.setattr(drawing, "planned_steps", some)
    assert run(["visualize", "block2b:3", "--size", "32", "--steps", "9", "-q"]) == 1
    assert images.read_recipe(kept(capfd, refuge, ["photo.png"]))["partial"] == {"step": 1, "pictures": 1}


def test_a_sheet_of_presets(asleep, full, refuge, capfd):
    full(".")
    assert run(["presets", "sheet", "photo.png", "-o", "sheet.png", "-q"]) == 1
    assert len(images.read_recipe(kept(capfd, refuge, ["photo.png"]))["cells"]) > 20


def test_a_preset_that_cannot_be_dreamt_does_not_cost_the_others(asleep, here, refuge, capfd):
    def fail(taken):
        if taken == 40:
            raise ModelError("its network is gone")

    asleep.before_step = fail
    assert run(["presets", "sheet", "photo.png", "-o", "sheet.png"]) == 0
    assert "failed: " in (err := capfd.readouterr().err)
    assert ": its network is gone" in err
    whole = images.read_recipe(here / "sheet.png")
    assert "partial" not in whole
    assert sum("failed" in cell for cell in whole["cells"]) == 1 < 20 < len(whole["cells"])
    assert names(refuge) == []


def test_a_spectrum(full, refuge, capfd):
    full(".")
    assert run(["spectrum", ".", "-o", "s.npz", "--side", "16", "-q"]) == 1
    assert spectrum.read(kept(capfd, refuge, ["photo.png"])).shape == (16, 9, 3)


def test_a_name_of_what_is_kept_is_never_too_long(refuge):
    def write(path):
        path.write_text("kept")

    assert str(refuge) in keep_elsewhere(83 * "夢", {".png": write})
    [found] = refuge.iterdir()
    assert found.name.startswith(70 * "夢")
