"""``dreamer dream`` with presets, recipes of earlier dreams, previews, octaves and zooms."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from dreamer import images
from dreamer.cli import run
from dreamer.dreaming.calls import dream_steps
from dreamer.dreaming.settings import DreamSettings
from dreamer.dreaming.steps import PREVIEW_SIDE
from dreamer.errors import ImageWriteError
from dreamer.files.digests import digest_of

QUICK = ["--octaves", "2", "--steps", "2"]


@pytest.fixture
def photo(tmp_path, picture):
    path = tmp_path / "photo.png"
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(path)
    return path


def pixels(path):
    return images.read(path).pixels


def levels(path):
    return np.asarray(Image.open(path).convert("RGB"))


def settings_of(path):
    return images.read_recipe(path)["settings"]


def test_a_preset_sets_the_dream_and_options_change_it(photo, tmp_path):
    preset = tmp_path / "mine.toml"
    preset.write_text('title = "t"\ndescription = "d"\nobjective = "block3b"\nsteps = 3\noctaves = 1\nstrength = 0.5\n')
    out = tmp_path / "out.png"
    assert run(["dream", str(photo), "--preset", str(preset), "--steps", "1", "-o", str(out), "-q"]) == 0
    settings = settings_of(out)
    assert (settings["objective"], settings["steps"], settings["octaves"], settings["strength"]) == (
        "block3b",
        1,
        1,
        0.5,
    )


def test_a_dream_is_done_again_bit_for_bit(photo, tmp_path, capfd):
    first = tmp_path / "first.png"
    given = ["--layer", "block3b", "--mask", str(photo), "--blend", "screen", "--seed", "3", *QUICK]
    assert run(["dream", str(photo), *given, "-o", str(first), "-q"]) == 0
    again, other = tmp_path / "again.png", tmp_path / "other.png"
    assert run(["dream", "--recipe", str(first), "-o", str(again)]) == 0
    assert "Note" not in capfd.readouterr().err
    assert again.read_bytes() == first.read_bytes()
    assert run(["dream", "--recipe", str(first), "--seed", "4", "-o", str(other), "-q"]) == 0
    assert (levels(other) != levels(first)).any()
    assert settings_of(other) == settings_of(first) | {"seed": 4}


def test_what_is_no_longer_as_it_was_is_said(photo, tmp_path, capfd):
    mask, first = tmp_path / "mask.png", tmp_path / "first.png"
    mask.write_bytes(photo.read_bytes())
    assert run(["dream", str(photo), "--mask", str(mask), *QUICK, "-o", str(first), "-q"]) == 0
    for file in (photo, mask):
        Image.fromarray(255 - levels(file)).save(file)
    assert run(["dream", "--recipe", str(first)]) == 0
    err = capfd.readouterr().err
    assert f"photo.png is not the photo that {first} was made from" in err
    assert f"{mask} has changed since {first} was made" in err
    (tmp_path / "away").mkdir()
    for file in (first, mask, photo):
        (tmp_path / "away" / file.name).write_bytes(file.read_bytes())
    mask.unlink()
    assert run(["dream", "--recipe", str(tmp_path / "away" / "first.png"), "-q"]) == 0  # All of it has moved.
    photo.rename(tmp_path / "moved.png")
    assert run(["dream", "--recipe", str(first)]) == 1
    assert f"Say where it is: dreamer dream PHOTO --recipe {first}" in capfd.readouterr().err
    assert run(["dream", str(tmp_path / "moved.png"), "--recipe", str(first), "-q"]) == 2
    assert f"cannot read {mask}" in capfd.readouterr().err
    assert (
        run(
            [
                "dream",
                str(tmp_path / "moved.png"),
                "--recipe",
                str(first),
                "-q",
                "--mask",
                str(photo.parent / "away/mask.png"),
            ]
        )
        == 0
    )


def test_a_recipe_that_tells_of_no_dream_is_refused(photo, tmp_path, capfd):
    assert run(["dream", str(photo), "--recipe", str(photo)]) == 1
    assert "holds no recipe" in capfd.readouterr().err
    other = tmp_path / "other.png"
    images.write(other, images.read(photo), recipe={"command": "visualize"})
    assert run(["dream", str(photo), "--recipe", str(other)]) == 2
    assert "was made by `dreamer visualize`" in capfd.readouterr().err
    assert run(["dream", str(photo), "--recipe", str(other), "--preset", "fur-and-eyes"]) == 2


def test_a_preview_is_the_beginning_of_the_whole_dream(tmp_path, picture):
    large = np.tile(picture, (8, 12, 1))  # 296x636: octaves of 151x324, 211x454, 296x636.
    photo = tmp_path / "large.png"
    Image.fromarray((large * 255).round().astype(np.uint8)).save(photo)
    given = ["--steps", "2", "--layer", "block3b", "--rotate", "3"]
    assert run(["dream", str(photo), *given, "--preview", "-q"]) == 0
    preview = tmp_path / "large-preview.png"
    assert levels(preview).shape == (151, 324, 3)
    whole = dream_steps(images.read(photo, compact=True).pixels, DreamSettings(steps=2, objective="block3b", rotate=3))
    first = next(step for step in whole if step.ends_octave)
    assert (levels(preview) == first.render("uint8", size=first.size)).all()
    assert images.read_recipe(preview)["preview"] is True
    # Done again, it becomes the whole.
    assert run(["dream", "--recipe", str(preview), "--steps", "1", "-q"]) == 0
    assert levels(tmp_path / "large-dream.png").shape == large.shape


def test_a_preview_of_a_dream_that_begins_large_is_small_all_the_same(tmp_path, picture):
    photo = tmp_path / "large.png"
    Image.fromarray((np.tile(picture, (6, 9, 1)) * 255).astype(np.uint8)).save(photo)
    given = ["--octaves", "1", "--steps", "1", "--layer", "block2a"]
    assert run(["dream", str(photo), *given, "--preview", "-q"]) == 0
    assert max(levels(tmp_path / "large-preview.png").shape) == PREVIEW_SIDE


def test_finished_octaves_are_kept_where_told(photo, tmp_path, capfd):
    folder = tmp_path / "octaves"
    assert run(["dream", str(photo), *QUICK, "--save-octaves", str(folder), "-q"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["octave-1.png", "octave-2.png"]
    assert levels(folder / "octave-1.png").shape == (26, 38, 3)
    assert (levels(folder / "octave-2.png") == levels(tmp_path / "photo-dream.png")).all()
    assert images.read_recipe(folder / "octave-1.png")["octave"] == 0
    before = (folder / "octave-1.png").read_bytes()
    assert run(["dream", str(photo), *QUICK, "--seed", "2", "--save-octaves", str(folder), "-q"]) == 1
    assert "octave-" in capfd.readouterr().err
    assert (folder / "octave-1.png").read_bytes() == before
    assert run(["dream", str(photo), *QUICK, "--seed", "2", "--save-octaves", str(folder), "-q", "--overwrite"]) == 0
    assert (folder / "octave-1.png").read_bytes() != before


@pytest.mark.parametrize("name", ["zoom.gif", "zoom.webp"])
def test_a_zoom_becomes_an_animation(photo, tmp_path, name):
    target = tmp_path / name
    given = [*QUICK, "--frames", "3", "--zoom", "1.3", "--frame-rate", "10"]
    assert run(["dream", str(photo), *given, "-o", str(target), "-q"]) == 0
    with Image.open(target) as animation:
        frames = [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(animation)]
        assert animation.info["duration"] == 100
    assert len(frames) == 3
    assert all(np.abs(one - frames[0]).mean() > 3 for one in frames[1:])
    assert (settings_of(target)["frames"], settings_of(target)["zoom"]) == (3, 1.3)


def test_a_zoom_becomes_numbered_frames(photo, tmp_path, capfd):
    folder = tmp_path / "frames"
    assert run(["dream", str(photo), *QUICK, "--frames", "2", "-o", str(folder), "-q"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["0001.png", "0002.png"]
    # The first frame is the dream itself.
    assert run(["dream", str(photo), *QUICK, "-q"]) == 0
    assert (levels(folder / "0001.png") == levels(tmp_path / "photo-dream.png")).all()
    assert images.read_recipe(folder / "0002.png")["frame"] == 2
    assert run(["dream", "--recipe", str(folder / "0002.png"), "-o", str(tmp_path / "again"), "-q"]) == 0
    assert (tmp_path / "again/0002.png").read_bytes() == (folder / "0002.png").read_bytes()
    assert run(["dream", str(photo), *QUICK, "--frames", "2", "-o", str(folder), "-q"]) == 1
    assert "0001.png exists" in capfd.readouterr().err
    assert run(["dream", str(photo), *QUICK, "--frames", "2", "-o", str(tmp_path / "x.png"), "-q"]) == 1
    assert "names no format of animations" in capfd.readouterr().err


def test_a_zoom_never_takes_the_place_of_its_photo(tmp_path, picture, capfd):
    photo = tmp_path / "photo.webp"
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(photo)
    before = photo.read_bytes()
    for output in (photo, tmp_path):
        assert run(["dream", str(photo), *QUICK, "--frames", "2", "-o", str(output), "--overwrite"]) == 1
        assert "photo" in capfd.readouterr().err
    assert run(["dream", str(photo), *QUICK, "--save-octaves", str(tmp_path), "--overwrite", "-q"]) == 1
    assert photo.read_bytes() == before
    assert list(tmp_path.iterdir()) == [photo]


def test_a_finished_zoom_that_cannot_be_written_is_kept_elsewhere(photo, tmp_path, monkeypatch, capfd):
    refuge = tmp_path / "refuge"
    refuge.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(refuge))
    write_to = images.Animation.write_to

    def full_disk(animation, path, *arguments, **keywords):
        if path.parent != refuge:
            raise ImageWriteError(f"{path}: no space left on device.")
        write_to(animation, path, *arguments, **keywords)

    monkeypatch.setattr(images.Animation, "write_to", full_disk)
    assert run(["dream", str(photo), *QUICK, "--frames", "2", "-q", "-o", str(tmp_path / "zoom.gif")]) == 1
    [kept] = refuge.iterdir()
    assert f"kept as {kept}" in capfd.readouterr().err
    assert images.read_recipe(kept)["settings"]["frames"] == 2


def test_ctrl_c_keeps_the_frames_that_are_finished(photo, tmp_path):
    target = tmp_path / "zoom.gif"
    command = [sys.executable, "-m", "dreamer", "dream", str(photo), *QUICK, "--frames", "5000", "-o", str(target)]
    process = subprocess.Popen(command, text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    while not process.stderr.readline().startswith("frame 3/5000"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out.strip() == str(target)
    assert "of 5000 frames" in err
    with Image.open(target) as animation:
        assert 2 <= animation.n_frames < 5000
    assert json.dumps(images.read_recipe(target)["partial"]) == json.dumps({"frames": animation.n_frames})


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--preset", "fur-and-eye"], 2, "Close matches: fur-and-eyes"),
        (["--preset", "nothing.toml"], 2, "cannot read the preset"),
        (["--preset", "fur-and-eyes", "--model", "keras:VGG16"], 2, "is made for efficientnet_lite0"),
        (["--mask", "nothing.png"], 2, "cannot read nothing.png"),
        (["--guide", "nothing.png"], 2, "cannot read nothing.png"),
        (["--guide", "photo.png", "--objective", "block4b:17"], 2, "a guide is for whole layers"),
        (["--blend", "burn"], 2, "expected one of normal, multiply"),
        (["--frames", "0"], 2, "frames is 0"),
        (["--zoom", "3"], 2, "zoom is 3"),
        (["--zoom", "1.1"], 2, "as in --frames 60"),
        (["--frames", "2", "--save-octaves", "x"], 2, "leave out --frames"),
        (["--frames", "2", "-o", "no/where"], 1, "does not exist"),
        (["--frames", "2", "-o", "."], 1, "lies in ."),
        (["--frame-rate", "9"], 2, "as in --frames 60"),
        (["--save-octaves", "photo.png"], 1, "is no folder"),
        (["--save-octaves", "no/where"], 1, "does not exist"),
        (["--recipe", "nothing.png"], 1, "nothing.png"),
    ],
)
def test_bad_input_gets_one_clear_line_and_leaves_nothing(photo, monkeypatch, capfd, arguments, status, words):
    monkeypatch.chdir(photo.parent)
    before = sorted(photo.parent.iterdir())
    assert run(["dream", "photo.png", *arguments]) == status
    errors = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("Loading")]
    assert len(errors) == 1
    assert words in errors[0]
    assert sorted(photo.parent.iterdir()) == before


def test_a_guide_leads_the_dream_to_its_features(photo, samples, tmp_path):
    for name, more in (("plain", []), ("guided", ["--guide", str(samples / "cat.png")])):
        given = ["--layer", "block3b", "--octaves", "1", "--steps", "3", *more, "-o", str(tmp_path / f"{name}.png")]
        assert run(["dream", str(photo), *given, "-q"]) == 0
    objective = DreamSettings(objective="block3b").objective.guided_by(str(samples / "cat.png"))
    scores = [
        next(dream_steps(pixels(tmp_path / f"{name}.png"), DreamSettings(objective=objective, steps=1))).score
        for name in ("plain", "guided")
    ]
    assert scores[1] > scores[0]


def test_the_recipe_says_which_preset_made_the_picture(photo, tmp_path):
    preset = tmp_path / "mine.toml"
    preset.write_text('title = "t"\ndescription = "d"\nobjective = "block3b"\nsteps = 1\noctaves = 1\n')
    told = {"format": 1, "preset": "mine", "preset_sha256": digest_of(preset)}
    for name, more in (("a.png", []), ("zoom.gif", ["--frames", "2"]), ("frames", ["--frames", "2"])):
        assert run(["dream", str(photo), "--preset", str(preset), "-o", str(tmp_path / name), "-q", *more]) == 0
    for name in ("a.png", "zoom.gif", "frames/0002.png"):
        assert told.items() <= images.read_recipe(tmp_path / name).items()
    # Done again, it says so still.
    assert run(["dream", "--recipe", str(tmp_path / "a.png"), "-o", str(tmp_path / "again.png"), "-q"]) == 0
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "a.png").read_bytes()
    assert run(["dream", str(photo), *QUICK, "-o", str(tmp_path / "none.png"), "-q"]) == 0
    assert "preset" not in images.read_recipe(tmp_path / "none.png")


def test_a_mask_elsewhere_needs_trust_or_the_option_anew(photo, tmp_path, capfd):
    mask, first = tmp_path / "masks" / "sky.png", tmp_path / "dreams" / "first.png"
    for file in (mask, first):
        file.parent.mkdir()
    mask.write_bytes(photo.read_bytes())
    (first.parent / photo.name).write_bytes(photo.read_bytes())
    assert run(["dream", str(photo), "--mask", str(mask), *QUICK, "-o", str(first), "-q"]) == 0
    again = ["dream", "--recipe", str(first), "--overwrite", "-q", "-o", str(tmp_path / "again.png")]
    assert run(again) == 2
    said = capfd.readouterr().err
    assert f"{first} names files that do not lie beside it: {mask} (mask)." in said
    assert "give --trust, or type --mask anew" in said
    assert not (tmp_path / "again.png").exists()
    for more in (["--trust"], ["--mask", str(mask)]):
        assert run([*again, *more]) == 0
        assert (tmp_path / "again.png").read_bytes() == first.read_bytes()


def test_a_preset_from_elsewhere_needs_trust_for_what_does_not_lie_beside_it(photo, tmp_path, capfd):
    preset = tmp_path / "foreign" / "mine.toml"
    preset.parent.mkdir()
    mask = f'mask = "{photo}"\n'
    preset.write_text(f'title = "t"\ndescription = "d"\nobjective = "block3b"\nsteps = 1\noctaves = 1\n{mask}')
    given = ["dream", str(photo), "--preset", str(preset), "-o", str(tmp_path / "x.png"), "-q"]
    assert run(given) == 2
    assert f"{photo} (mask)" in capfd.readouterr().err
    assert run([*given, "--trust"]) == 0
    assert settings_of(tmp_path / "x.png")["mask"] == str(photo)


@pytest.mark.parametrize("place", ["/dev/zero", "fifo", "socket", "folder"])
@pytest.mark.parametrize(
    "option", ["--mask", "--guide", "--objective", "--preset", "--recipe", "--transforms", "--spectrum"]
)
def test_anything_but_a_regular_file_is_said_in_one_line_at_once(photo, tmp_path, monkeypatch, capfd, option, place):
    monkeypatch.chdir(tmp_path)
    for suffix in ("", ".toml"):
        os.mkfifo(f"fifo{suffix}")
        Path(f"folder{suffix}").mkdir()
        Path(f"zero{suffix}").symlink_to("/dev/zero")
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(f"socket{suffix}")
    name = place
    if option in ("--preset", "--transforms"):
        name = "zero.toml" if place == "/dev/zero" else f"{place}.toml"
    command = ["dream", "photo.png", *QUICK, option, f'direction:block3b@"{name}"' if option == "--objective" else name]
    if option in ("--transforms", "--spectrum"):
        command = ["visualize", "block3b:1", "--steps", "1", "--size", "32", option, name]
        command += ["--parametrization", "maco"] if option == "--spectrum" else []
    began = time.monotonic()
    assert run([*command, "-o", "x.png", "-q"]) in (1, 2)
    assert time.monotonic() - began < 5
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "regular file" in said or "is a directory" in said
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize("name", ["r-command-esc.png", "r-lib-null.png", "r-mask-devzero.png"])
def test_recipes_that_once_failed_get_one_clear_line(name, tmp_path, monkeypatch, picture, capfd):
    case = Path(__file__).resolve().parents[3] / "shared" / "cases" / name
    if not case.exists():
        pytest.skip("the cases are not here")
    (tmp_path / name).write_bytes(case.read_bytes())
    Image.fromarray((picture * 255).astype(np.uint8)).save(tmp_path / "t.jpg")
    monkeypatch.chdir(tmp_path)
    for command in (["dream", "--recipe", name], ["presets", "new", "x", "--from", name]):
        assert run(command) == 2
        said = capfd.readouterr().err
        assert said.count("\n") == 1
        assert "\x1b" not in said
        assert "fault" not in said
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "t.jpg"])
