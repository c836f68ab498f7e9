"""``dreamer visualize``, in this process where it can be and in one of its own where it must be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from dreamer import images
from dreamer.cli import run, watching
from dreamer.files.digests import digest_of
from dreamer.visualizing import run as visualizing
from dreamer.visualizing import spectrum

QUICK = ["--size", "48x64", "--steps", "4"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def recipe(path):
    return images.read_recipe(path)


def test_a_picture_is_named_after_its_target_and_holds_its_recipe(here, capfd):
    for name in ("block2b-3.png", "block2b-3-2.png"):
        assert run(["visualize", "block2b:3", *QUICK, "--seed", "5"]) == 0
        out, err = capfd.readouterr()
        assert out.strip() == name
        assert "1 picture done: 4 steps" in err
    assert (here / "block2b-3.png").read_bytes() == (here / "block2b-3-2.png").read_bytes()
    assert images.read(here / "block2b-3.png").pixels.shape == (48, 64, 3)
    found = recipe(here / "block2b-3.png")
    assert (found["command"], found["targets"]) == ("visualize", ["block2b:3"])
    assert (found["settings"]["seed"], found["settings"]["size"]) == (5, [48, 64])
    assert found["scores"][0]["end"] > found["scores"][0]["start"]


def test_several_targets_make_a_labelled_sheet(here, capfd):
    assert run(["visualize", "block2b:3", "block2b:4", "logit:tabby", "-o", "sheet.jpg", "-q", *QUICK]) == 0
    assert capfd.readouterr() == ("", "")
    height, width = images.read(here / "sheet.jpg").pixels.shape[:2]
    assert height > 48
    assert width > 2 * 64
    found = recipe(here / "sheet.jpg")
    assert found["targets"] == ["block2b:3", "block2b:4", 'logit:"tabby"']
    assert [one["target"] for one in found["scores"]] == ["block2b:3", "block2b:4", "tabby (281)"]


def test_pair_shows_both_signs_and_minimize_the_other(here, capfd):
    assert run(["visualize", "block2b:3", "--pair", "-o", "pair.png", *QUICK]) == 0
    assert [one["target"] for one in recipe(here / "pair.png")["scores"]] == ["block2b:3", "-block2b:3"]
    height, width = images.read(here / "pair.png").pixels.shape[:2]
    assert width > 2 * 64 > height
    assert run(["visualize", "block2b:3", "--minimize", *QUICK]) == 0
    assert recipe(here / "block2b-3.png")["targets"] == ["-block2b:3"]
    assert run(["visualize", "block2b:3", "block2b:4", "--interpolate", "3", "-o", "way.png", *QUICK]) == 0
    assert recipe(here / "way.png")["targets"][1] == "0.5*block2b:3 + 0.5*block2b:4"


def test_diversity_alpha_and_the_other_settings_arrive(here):
    arguments = ["--diversity", "2", "--parametrization", "pixels", "--transforms", "standard", "--optimizer", "nadam"]
    assert run(["visualize", "block2b:3", "-o", "two.png", "-q", *QUICK, *arguments]) == 0
    settings = recipe(here / "two.png")["settings"]
    assert (settings["diversity"], settings["parametrization"], settings["optimizer"]) == (2, "pixels", "nadam")
    assert settings["transforms"]["pad"] == 12
    assert images.read(here / "two.png").pixels.shape[1] > 2 * 64
    assert run(["visualize", "block2b:3", "--alpha", "-o", "alpha.png", "-q", *QUICK]) == 0
    alpha = images.read(here / "alpha.png").alpha
    assert (alpha.min(), alpha.max()) == (0, 255)


def test_the_way_is_kept_in_files_and_as_an_animation(here):
    arguments = ["--save-steps", "new/way", "--animation", "way.gif", "--size", "48", "--steps", "6"]
    assert run(["visualize", "block2b:3", "block2b:4", "-o", "x.png", "-q", *arguments]) == 0
    names = sorted(path.name for path in (here / "new/way").iterdir())
    assert names[0] == "block2b-3-and-1-more-1-step-1.png"
    assert len(names) == 12
    with Image.open(here / "way.gif") as animation:
        assert animation.n_frames == 6
        assert animation.size == images.read(here / "x.png").pixels.shape[1::-1]
    assert recipe(here / "way.gif")["command"] == "visualize"
    last = images.read(here / "new/way/block2b-3-and-1-more-1-step-6.png")
    assert last.pixels.shape == (48, 48, 3)
    found = recipe(here / "new/way/block2b-3-and-1-more-2-step-3.png")
    assert (found["targets"], found["variant"], found["step"]) == (["block2b:4"], 0, 2)
    whole = recipe(here / "x.png")
    assert all(found[name] == whole[name] for name in ("settings", "weights_sha256", "libraries", "command"))


@pytest.fixture
def frames(monkeypatch):
    """What would be written as an animation."""
    found = []
    monkeypatch.setattr(images.Animation, "add", lambda _animation, frame, *_: found.append(frame.copy()))
    monkeypatch.setattr(images.Animation, "finish", lambda *_: None)
    return found


def test_files_and_frames_keep_their_own_pace(here, monkeypatch, frames):
    monkeypatch.setattr(watching, "_SNAPSHOTS", 4)
    monkeypatch.setattr(watching, "_FRAMES", 6)
    arguments = ["--save-steps", "way", "--animation", "way.gif", "--size", "32", "--steps", "12"]
    assert run(["visualize", "block2b:3", "-o", "x.png", "-q", *arguments]) == 0
    assert sorted(path.stem[-2:] for path in (here / "way").iterdir()) == ["03", "06", "09", "12"]
    assert len(frames) == 6


def test_an_animation_ends_with_the_sheet(here, frames):
    assert run(["visualize", "block2b:3", "-o", "x.png", "-q", "--diversity", "2", "--animation", "x.gif", *QUICK]) == 0
    levels = [(frame * 255).round().astype(np.uint8) for frame in frames]
    sheet = images.read(here / "x.png", compact=True).pixels
    assert (levels[-1] == sheet).all()
    below = slice(sheet.shape[0] - 20, None)  # The labels.
    assert all((frame[below] == sheet[below]).all() for frame in levels)
    assert sheet[below].std() > 10
    assert (levels[0] != sheet).any()


def interrupted_after(number, monkeypatch):
    """Some steps, and then Ctrl-C."""
    steps = visualizing.planned_steps

    def some(*args, **keywords):
        for taken, step in enumerate(steps(*args, **keywords)):
            if taken == number:
                raise KeyboardInterrupt
            yield step

    monkeypatch.setattr(visualizing, "planned_steps", some)


@pytest.fixture
def interrupt():
    """What an interrupted command ignores from then on is heard again."""
    handler = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, handler)


def test_an_early_interrupt_leaves_an_animation_of_one_frame(here, monkeypatch, interrupt):
    interrupted_after(1, monkeypatch)
    arguments = ["--animation", "way.gif", "--save-steps", "way", "--size", "32", "--steps", "500", "-q"]
    assert run(["visualize", "block2b:3", "block3b", "-o", "x.png", *arguments]) == 130
    assert recipe(here / "x.png")["partial"] == {"step": 0, "pictures": 1}
    with Image.open(here / "way.gif") as animation:
        assert animation.n_frames == 1
        assert animation.size == images.read(here / "x.png").pixels.shape[1::-1]
    assert not (here / "way").exists()


def test_files_of_the_way_may_be_written_again_by_the_same_run(here, monkeypatch):
    steps = visualizing.planned_steps

    def twice(*args, **keywords):
        """As where memory runs out and a batch begins again."""
        yield next(steps(*args, **keywords))
        yield from steps(*args, **keywords)

    monkeypatch.setattr(visualizing, "planned_steps", twice)
    assert run(["visualize", "block2b:3", "-o", "x.png", "-q", "--save-steps", "way", *QUICK]) == 0
    assert len(list((here / "way").iterdir())) == 4


def test_the_recipe_tells_the_files_that_were_read(here, picture):
    np.save("vector.npy", np.arange(1, 25, dtype=np.float32))
    Image.fromarray((picture * 255).astype(np.uint8)).save("guide.png")
    spectrum.write(here / "photos.npz", np.ones((32, 17, 3), np.float32), count=1)
    goal = "direction:block2b@vector.npy + guided:block2b@guide.png"
    arguments = ["--parametrization", "maco", "--spectrum", "photos.npz", "-o", "x.png", "-q", *QUICK]
    assert run(["visualize", goal, *arguments]) == 0
    names = ["vector.npy", "guide.png", "photos.npz"]
    assert recipe(here / "x.png")["files_sha256"] == {name: digest_of(here / name) for name in names}


def test_nothing_is_replaced_unasked(here, capfd):
    (here / "x.png").write_text("precious")
    (here / "x.gif").write_text("precious")
    assert run(["visualize", "block2b:3", "-o", "x.png", *QUICK]) == 1
    assert run(["visualize", "block2b:3", "-o", "y.png", "--animation", "x.gif", *QUICK]) == 1
    (here / "block2b-3-2-step-4.png").write_text("precious")  # The last file that would be written.
    keep = ["--diversity", "2", "-o", "y.png", "--save-steps", "."]
    assert run(["visualize", "block2b:3", *keep, *QUICK]) == 1
    err = capfd.readouterr().err
    assert err.count("exists already") == 3
    assert "Loading" not in err
    assert (here / "x.png").read_text() == (here / "x.gif").read_text() == "precious"
    assert len(list(here.iterdir())) == 3
    assert run(["visualize", "block2b:3", *keep, *QUICK, "--overwrite", "-q"]) == 0
    assert images.read(here / "block2b-3-2-step-4.png").pixels.shape == (48, 64, 3)
    arguments = ["-o", "x.png", "--animation", "x.gif", "--overwrite", "-q", *QUICK]
    assert run(["visualize", "block2b:3", *arguments]) == 0
    assert images.read(here / "x.png").pixels.shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        ([], 2, "Missing argument 'TARGET...'"),
        (["block4b:"], 2, "cannot read the objective 'block4b:' at its end: expected the number of a channel"),
        (["block99"], 2, "no layer 'block99'"),
        (["block4b:80"], 2, "no channel 80"),
        (["logit:cat"], 2, "7 classes of efficientnet_lite0_robust are called 'cat'"),
        (["block4b:1@9,9", "--size", "64"], 2, "lies outside 'block4b'"),
        (["block4b", "--size", "3"], 2, "size is 3; expected"),
        (["block4b", "--size", "axb"], 2, "'axb' is no size; expected a number of pixels, or HEIGHTxWIDTH"),
        (["block4b", "--transforms", "all"], 2, "no transforms 'all'. Known: none, "),
        (["block4b", "--pair", "--minimize"], 2, "cannot be combined"),
        (["block4b", "--interpolate", "3"], 2, "expected two, got 1"),
        (["block4b", "--model", "nothing"], 2, "no network 'nothing'"),
        (["block4b", "-o", "x.txt"], 1, "suffix"),
        (["block4b", "--animation", "x.png"], 1, "'.png'"),
        (["block4b", "-o", "nowhere/x.png"], 1, "does not exist"),
        (["block4b", "--spectrum", "x.npz"], 2, "spectrum is for the parametrization maco"),
        (["block4b", "--spectrum", "x.npz", "--parametrization", "maco"], 2, "cannot read x.npz: No such file"),
        (["direction:block4b@x.npy"], 2, "cannot read x.npy: No such file"),
        (["block99", "--save-steps", "new/way"], 2, "no layer 'block99'"),
        (["block4b", "--save-steps", "/dev/null/way"], 1, "/dev/null is not a directory"),
    ],
)
def test_wrong_usage_is_said_in_one_line(arguments, status, expected, here, capfd):
    assert run(["visualize", *arguments, "-q"]) == status
    out, err = capfd.readouterr()
    assert out == ""
    assert expected in err
    assert err.count("\n") == 1
    assert list(here.iterdir()) == []


def test_an_interrupt_keeps_what_there_is(here):
    command = [sys.executable, "-m", "dreamer", "visualize", "block2b:3", "block3b:1", "-o", "x.png"]
    working = subprocess.Popen(
        [*command, "--save-steps", "way", "--steps", "20000", "--size", "32"],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until and working.poll() is None and not list(here.glob("way/*.png")):
            time.sleep(0.1)
        working.send_signal(signal.SIGINT)
        out, err = working.communicate(timeout=60)
    finally:
        working.kill()
    assert working.returncode == 130, err
    assert out.strip() == "x.png"
    assert "is partial" in err
    found = recipe(here / "x.png")
    assert 1249 <= found["partial"]["step"] < 19_999
    assert np.isfinite(images.read(here / "x.png").pixels).all()


def test_a_dream_takes_the_same_objectives(here, picture, capfd):
    Image.fromarray((picture * 255).astype(np.uint8)).save(here / "photo.png")
    quick = ["--octaves", "1", "--steps", "1", "-q"]
    goal = "block3b:5 - 0.5*block2a + direction:block3b#2 - 0.1*total_variation"
    assert run(["dream", "photo.png", "--objective", goal, "--layer", "block2b=2", *quick, "-o", "x.png"]) == 0
    assert recipe(here / "x.png")["settings"]["objective"] == f"{goal} + 2*block2b"
    assert run(["dream", "photo.png", "--objective", "logit:tabby", *quick, "-o", "y.png"]) == 0
    assert run(["dream", "photo.png", "--objective", 'guided:block3b@"x.png"', *quick, "-o", "z.png"]) == 0
    capfd.readouterr()
    for wrong, expected in [
        ("block3b:", "cannot read"),
        ("block3b:9@9,9", "lies outside"),
        ("logit:cat", "called 'cat'"),
    ]:
        assert run(["dream", "photo.png", "--objective", wrong, *quick, "-o", "w.png"]) == 2
        assert expected in capfd.readouterr().err
