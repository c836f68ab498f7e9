"""``dreamer dream``, in this process where it can be and in one of its own where it must be."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dreamer import images
from dreamer.cli import run
from dreamer.dreaming import steps
from dreamer.errors import ImageWriteError

QUICK = ["--octaves", "2", "--steps", "2"]


@pytest.fixture
def photo(tmp_path, picture):
    path = tmp_path / "photo.png"
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(path)
    return path


def pixels(path):
    return images.read(path).pixels


def test_a_dream_lies_beside_its_photo_under_the_next_free_name(photo, capfd):
    before = photo.read_bytes()
    for name in ("photo-dream.png", "photo-dream-2.png", "photo-dream-3.png"):
        assert run(["dream", str(photo), *QUICK]) == 0
        assert capfd.readouterr().out.strip() == str(photo.with_name(name))
    first, second = (photo.with_name(name).read_bytes() for name in ("photo-dream.png", "photo-dream-2.png"))
    assert first == second  # The same seed, the same bytes.
    assert photo.read_bytes() == before
    assert np.abs(pixels(photo) - pixels(photo.with_name("photo-dream.png"))).mean() > 0.005
    assert len(list(photo.parent.iterdir())) == 4


def test_an_existing_output_needs_overwrite(photo, tmp_path, capfd):
    target = tmp_path / "art.jpg"
    target.write_text("precious")
    assert run(["dream", str(photo), "-o", str(target), *QUICK]) == 1
    assert target.read_text() == "precious"
    assert "exists" in capfd.readouterr().err
    assert run(["dream", str(photo), "-o", str(target), *QUICK, "--overwrite"]) == 0
    assert target.read_bytes().startswith(b"\xff\xd8\xff")  # As a JPEG does.


@pytest.mark.parametrize("how", ["name", "symlink", "hardlink"])
def test_the_photo_is_never_written_to(photo, tmp_path, how, capfd):
    target = photo
    if how != "name":
        target = tmp_path / "other.png"
        target.symlink_to(photo) if how == "symlink" else target.hardlink_to(photo)
    before = photo.read_bytes()
    assert run(["dream", str(photo), "-o", str(target), "--overwrite", *QUICK]) == 1
    assert "never written to" in capfd.readouterr().err
    assert photo.read_bytes() == before


def test_every_option_reaches_the_recipe(photo, capfd):
    options = ["--layer", "block4b=0.5", "--channel", "block3b:7=-2", "--octaves", "1", "--octave-scale", "1.5",
               "--steps", "1", "--step-size", "0.02", "--jitter", "3", "--rotate", "2", "--scale", "0.1",
               "--laplacian", "--strength", "0.5", "--max-size", "40", "--tile", "64", "--seed", "9",
               "--precision", "bfloat16",
               "--blend", "screen", "--keep-colors", "--contrast", "1.1", "--saturation", "0.9",
               "--feather", "0.1", "--mask", str(photo), "--guide", str(photo),
               "--model", "efficientnet_lite0"]  # fmt: skip
    target = photo.with_name("out.webp")
    assert run(["dream", str(photo), *options, "-o", str(target), "--quiet"]) == 0
    assert capfd.readouterr() == ("", "")
    assert run(["recipe", str(target)]) == 0
    recipe = json.loads(capfd.readouterr().out)
    assert recipe["settings"] == {
        "model": "efficientnet_lite0", "preprocessing": None, "octaves": 1,
            "objective": "0.5*block4b - 2*block3b:7",
        "octave_scale": 1.5, "steps": 1, "step_size": 0.02, "jitter": 3, "rotate": 2.0, "scale": 0.1,
        "conditioning": "laplacian", "strength": 0.5, "max_size": 40, "tile": 64, "seed": 9, "precision": "bfloat16",
        "blend": "screen", "colors": "keep", "contrast": 1.1, "saturation": 0.9, "feather": 0.1, "zoom": 1.05,
        "frames": 1, "mask": str(photo), "guide": str(photo),
    }  # fmt: skip
    assert recipe["source"]["name"] == "photo.png"
    assert len(recipe["source"]["sha256"]) == len(recipe["weights_sha256"]) == 64
    assert recipe["files_sha256"] == {str(photo): recipe["source"]["sha256"]}
    assert "partial" not in recipe
    assert pixels(target).shape == (28, 40, 3)


def test_neither_photo_nor_last_step_is_kept_while_the_result_is_encoded(photo, monkeypatch):
    read, render = images.decode, steps.DreamStep.render
    kept, alive = [], []

    def noted(result):
        kept.append(weakref.ref(result))
        return result

    def written(_path, result, **_):
        alive.append([one() is not None for one in kept])
        assert result.pixels.dtype == np.uint8
        return ()

    monkeypatch.setattr(images, "decode", lambda *args, **options: noted(read(*args, **options)))
    monkeypatch.setattr(steps.DreamStep, "render", lambda step, dtype: render(noted(step), dtype))
    monkeypatch.setattr(images, "write", written)
    assert run(["dream", str(photo), *QUICK, "--quiet"]) == 0
    assert alive == [[False, False]]


def test_the_default_target_is_written_out_in_the_recipe(photo):
    assert run(["dream", str(photo), *QUICK, "--quiet"]) == 0
    settings = images.read_recipe(photo.with_name("photo-dream.png"))["settings"]
    assert (settings["objective"], settings["conditioning"]) == ("block6b", "smooth")


def test_alpha_travels_through_a_dream_and_shrinks_with_it(tmp_path, picture):
    path = tmp_path / "cutout.png"
    alpha = (np.arange(37 * 53).reshape(37, 53) % 256).astype(np.uint8)
    Image.fromarray(np.dstack([(picture * 255).astype(np.uint8), alpha])).save(path)
    assert run(["dream", str(path), *QUICK, "--quiet"]) == 0
    assert (np.asarray(Image.open(tmp_path / "cutout-dream.png"))[..., 3] == alpha).all()
    assert run(["dream", str(path), *QUICK, "--quiet", "--max-size", "30"]) == 0
    assert np.asarray(Image.open(tmp_path / "cutout-dream-2.png")).shape == (21, 30, 4)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nothing.jpg"], 1, "nothing.jpg"),
        (["photo.png", "--layer", "block9x"], 2, "no layer 'block9x'. Close matches: "),
        (["photo.png", "--layer", "block5c:3"], 2, "expected something like --layer block5c"),
        (["photo.png", "--channel", "block5c:112"], 2, "expected 0 to 111"),
        (["photo.png", "--channel", "block5c"], 2, "expected something like --channel block5c:17"),
        (["photo.png", "--model", "efficientnet"], 2, "efficientnet_lite0"),
        (["photo.png", "--steps", "0"], 2, "steps is 0; expected"),
        (["photo.png", "--steps", "many"], 2, "'many' is not a valid integer"),
        (["photo.png", "--step-size", "nan"], 2, "step_size is nan; expected"),
        (["photo.png", "--stepz", "3"], 2, "'--steps'"),
        (["photo.png", "-o", "no/where.png"], 1, "no"),
        (["photo.png", "-o", "out.xyz"], 1, ".jpg"),
        (["photo.png", "-o", "folder"], 1, "folder"),
        (["folder"], 1, "is a directory"),
        (["empty.jpg"], 1, "empty"),
        (["cut.png"], 1, "truncated"),
        (["text.jpg"], 1, "text.jpg"),
        (["photo.png", "--max-megapixels", "0.001"], 1, "limit"),
        (["photo.png", "--max-megapixels", "nan"], 2, "max-megapixels"),
        (["photo.png", "--max-megapixels", "inf"], 2, "max-megapixels"),
        (["photo.png", "--max-size", "9999999999"], 2, "1 to 1000000 pixels"),
        (["photo.png", "-o", f"{'a' * 300}.png"], 1, "name too long"),
        (["nosuffix"], 1, "-o NAME.png"),
        ([], 2, "PHOTO"),
    ],
)
def test_bad_input_gets_one_clear_line_and_leaves_nothing(photo, monkeypatch, capfd, arguments, status, words):
    folder = photo.parent
    (folder / "folder").mkdir()
    (folder / "empty.jpg").touch()
    (folder / "nosuffix").write_bytes(photo.read_bytes())
    (folder / "text.jpg").write_text("this is no picture")
    (folder / "cut.png").write_bytes(photo.read_bytes()[:-700])
    before = sorted(folder.iterdir())
    monkeypatch.chdir(folder)
    assert run(["dream", *arguments]) == status
    out, err = capfd.readouterr()
    errors = [line for line in err.splitlines() if not line.startswith("Loading")]
    assert out == ""
    assert len(errors) == 1
    assert errors[0].startswith("Error: ")
    assert words in errors[0]
    assert sorted(folder.iterdir()) == before


def test_debug_shows_the_traceback(photo, capfd):
    assert run(["dream", str(photo), "--layer", "nope", "--debug"]) == 2
    assert "Traceback" in capfd.readouterr().err


def test_a_fault_of_our_own_is_one_line_too(photo, monkeypatch, capfd):
    monkeypatch.setattr(images, "decode", lambda *_, **__: 1 / 0)
    assert run(["dream", str(photo)]) == 1
    assert capfd.readouterr().err.count("\n") == 1


def test_a_finished_dream_that_cannot_be_written_is_kept_elsewhere(photo, monkeypatch, capfd, tmp_path):
    refuge = tmp_path / "refuge"
    refuge.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(refuge))
    write = images.write

    def full_disk(path, *arguments, **keywords):
        if refuge not in path.parents:
            raise ImageWriteError(f"{path}: no space left on device.")
        return write(path, *arguments, **keywords)

    monkeypatch.setattr(images, "write", full_disk)
    assert run(["dream", str(photo), *QUICK]) == 1
    (kept,) = refuge.rglob("*.png")
    assert f"kept as {kept}" in capfd.readouterr().err
    assert pixels(kept).shape == (37, 53, 3)


def start(*arguments, **keywords):
    return subprocess.Popen([sys.executable, "-m", "dreamer", *arguments], text=True, **keywords)


def test_ctrl_c_keeps_what_there_is(photo):
    many = ["--octaves", "50", "--octave-scale", "1.02", "--steps", "10"]
    process = start("dream", str(photo), *many, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stderr.readline().startswith("Loading")
    assert process.stderr.readline().startswith("octave 1/")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    target = photo.with_name("photo-dream.png")
    assert process.returncode == 130
    assert out.strip() == str(target)
    assert "partial" in err
    assert pixels(target).shape == (37, 53, 3)
    assert images.read_recipe(target)["partial"]["octave"] < 40


def test_ctrl_c_before_the_first_step_leaves_nothing(photo):
    process = start("dream", str(photo), stderr=subprocess.PIPE)
    assert process.stderr.readline().startswith("Loading")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip() == "Interrupted: nothing was written."
    assert list(photo.parent.iterdir()) == [photo]


def test_piped_progress_is_plain_lines_and_only_the_path_goes_to_stdout(photo):
    process = start("dream", str(photo), *QUICK, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=120)
    assert out == f"{photo.with_name('photo-dream.png')}\n"
    lines = err.splitlines()
    assert [line.split(" (")[0] for line in lines] == ["Loading the network ...", "octave 1/2", "octave 2/2"]
    assert "s left" in lines[1]
    assert "\x1b" not in err


def test_on_a_terminal_progress_says_octave_step_and_time_left(photo):
    ours, theirs = pty.openpty()
    process = start("dream", str(photo), *QUICK, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # Linux's way of saying that the other end is closed.
            break
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    process.communicate(timeout=60)
    text = shown.decode()
    assert process.returncode == 0
    assert "octave 2/2 step 2/2" in text
    assert "left:" in text
    assert "cuda" not in text.lower()


def test_a_closed_standard_error_does_not_stop_a_dream(photo):
    command = f'"{sys.executable}" -m dreamer dream "{photo}" --octaves 1 --steps 1'
    for closed, name in (("2>&-", "photo-dream.png"), ("2>&1 >/dev/null | true", "photo-dream-2.png")):
        subprocess.run(["bash", "-c", f"{command} {closed}; sleep 0"], check=False, stdout=subprocess.PIPE)
        assert pixels(photo.with_name(name)).shape == (37, 53, 3)


@pytest.mark.parametrize(("stdout", "status"), [(">&-", 0), (">/dev/full", 1)])
def test_a_standard_output_that_takes_nothing_gets_no_traceback(photo, stdout, status):
    command = f'"{sys.executable}" -m dreamer dream "{photo}" --octaves 1 --steps 1 {stdout}'
    done = subprocess.run(["bash", "-c", command], check=False, stderr=subprocess.PIPE, text=True)
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert "fault in dreamer" not in done.stderr
    assert pixels(photo.with_name("photo-dream.png")).shape == (37, 53, 3)


def test_a_photo_that_vanishes_while_it_is_dreamt_costs_nothing(photo, monkeypatch):
    render = steps.DreamStep.render
    monkeypatch.setattr(steps.DreamStep, "render", lambda *all_: (photo.unlink(), render(*all_))[1])
    assert run(["dream", str(photo), *QUICK, "--quiet"]) == 0
    assert len(images.read_recipe(photo.with_name("photo-dream.png"))["source"]["sha256"]) == 64


def test_a_side_too_long_for_the_format_is_said_before_the_dream(tmp_path, capfd):
    long = tmp_path / "long.png"
    Image.new("L", (16384, 1)).save(long)
    assert run(["dream", str(long), "-o", str(tmp_path / "long.webp")]) == 1
    assert "at most 16383 pixels" in capfd.readouterr().err


def test_a_closed_pipe_is_no_traceback(photo):
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = start("dream", str(photo), *QUICK, stdout=write_end, stderr=subprocess.PIPE)
    os.close(write_end)
    _, err = process.communicate(timeout=120)
    assert "Traceback" not in err
    assert "Exception" not in err
    assert Path(photo.with_name("photo-dream.png")).exists()
