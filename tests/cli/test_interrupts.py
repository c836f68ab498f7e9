"""Ctrl-C, SIGTERM and SIGHUP: what there is is kept, and the exit status tells which it was."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dreamer import images
from dreamer.cli import interrupts, run
from dreamer.images import files
from dreamer.visualizing import spectrum

ALL = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def photo(tmp_path, picture, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray((picture * 255).round().astype(np.uint8)).save("photo.png")
    return tmp_path / "photo.png"


def names(folder="."):
    return sorted(path.name for path in Path(folder).iterdir())


def sent(number, at, asleep):
    """Send a signal to this process before a step."""
    asleep.before_step = lambda taken: signal.raise_signal(number) if taken == at else None


def until(happened, seconds=5.0):
    end = time.monotonic() + seconds
    while not happened() and time.monotonic() < end:
        time.sleep(0.01)
    assert happened()


@pytest.mark.parametrize("number", ALL)
def test_the_first_raises_and_later_ones_are_noted(number):
    before = [signal.getsignal(one) for one in ALL]
    with interrupts.listening():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        for later in ALL:
            signal.raise_signal(later)
        assert interrupts.exit_status() == 128 + number
    assert not interrupts.came()
    assert [signal.getsignal(one) for one in ALL] == before


def test_one_that_comes_in_the_middle_of_an_import_is_taken_after_it(tmp_path, monkeypatch):
    """Raised there, it would leave half a module, or surface as an ImportError."""
    (tmp_path / "interrupted_half_way.py").write_text(
        "import signal\nsignal.raise_signal(signal.SIGTERM)\nfor _ in range(10000): pass\nwhole = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with interrupts.listening():
        import interrupted_half_way

        assert interrupted_half_way.whole
        with pytest.raises(KeyboardInterrupt):
            until(lambda: False)
        assert interrupts.exit_status() == 143


def test_one_that_python_drops_in_a_finalizer_still_stops_the_work(monkeypatch):
    dropped = []
    monkeypatch.setattr(sys, "unraisablehook", dropped.append)

    class Finalized:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)

    def steps():
        for number in range(9):
            if number == 3:
                Finalized()
            yield number

    taken = []
    with interrupts.listening(), pytest.raises(KeyboardInterrupt):
        taken.extend(interrupts.until_interrupted(steps()))
    assert len(dropped) == 1


def test_what_nohup_made_deaf_stays_deaf():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts.listening():
            signal.raise_signal(signal.SIGHUP)
            interrupts.ignore_interrupts()
            signal.raise_signal(signal.SIGHUP)
            assert not interrupts.came()
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", ALL)
def test_a_dream_is_kept_as_it_is(photo, asleep, number, capfd):
    sent(number, 3, asleep)
    assert run(["dream", "photo.png", "--octaves", "2", "--steps", "2"]) == 128 + number
    out, err = capfd.readouterr()
    assert out == "photo-dream.png\n"
    assert "photo-dream.png is partial" in err
    assert images.read(photo.with_name("photo-dream.png")).pixels.shape == (37, 53, 3)


@pytest.mark.parametrize("number", ALL)
def test_before_the_first_step_nothing_is_written(photo, asleep, number, capfd):
    sent(number, 1, asleep)
    assert run(["dream", "photo.png"]) == 128 + number
    assert capfd.readouterr().err.split("\n")[-2] == "Interrupted: nothing was written."
    assert names() == ["photo.png"]


@pytest.mark.parametrize("number", ALL)
@pytest.mark.parametrize("output", ["zoom.gif", "frames"])
def test_the_frames_of_a_zoom_are_kept(photo, asleep, number, output, capfd):
    sent(number, 3, asleep)
    given = ["--octaves", "1", "--steps", "1", "--zoom", "1", "--frames", "9"]
    assert run(["dream", "photo.png", *given, "-o", output]) == 128 + number
    assert "interrupted after 2 of 9 frames" in capfd.readouterr().err
    made = photo.with_name(output)
    assert made.is_file() if made.suffix else names(made) == ["0001.png", "0002.png"]


@pytest.mark.parametrize("number", ALL)
def test_while_a_picture_is_written_it_is_written_whole(photo, asleep, number, monkeypatch, capfd):
    settle = files._settle
    monkeypatch.setattr(files, "_settle", lambda *given: (signal.raise_signal(number), settle(*given)))
    assert run(["dream", "photo.png", "--octaves", "1", "--steps", "1"]) == 128 + number
    assert capfd.readouterr().out == "photo-dream.png\n"
    assert images.read(photo.with_name("photo-dream.png")).pixels.shape == (37, 53, 3)
    assert names() == ["photo-dream.png", "photo.png"]


@pytest.mark.parametrize("number", ALL)
def test_the_dreams_of_a_sheet_that_are_done_are_kept(photo, asleep, number, capfd):
    sent(number, 40, asleep)
    assert run(["presets", "sheet", "photo.png", "-o", "sheet.png"]) == 128 + number
    assert "sheet.png ends there" in capfd.readouterr().err
    recipe = images.read_recipe(photo.with_name("sheet.png"))
    assert recipe["partial"]["cells"] == len(recipe["cells"]) > 0


@pytest.mark.parametrize("number", ALL)
def test_a_spectrum_of_the_photos_that_were_read_is_kept(photo, number, monkeypatch, capfd):
    measured = spectrum.of_photos

    def some(paths, side):
        for path, found in measured(paths, side):
            yield path, found
            signal.raise_signal(number)

    for name in ("b.png", "c.png"):
        photo.with_name(name).write_bytes(photo.read_bytes())
    monkeypatch.setattr(spectrum, "of_photos", some)
    assert run(["spectrum", ".", "-o", "some.npz", "--side", "16"]) == 128 + number
    assert "interrupted after 1 of 3 photos" in capfd.readouterr().err
    assert np.load("some.npz")["photos"] == 1


@pytest.mark.parametrize("number", ALL)
def test_a_visualization_is_kept_as_it_is(tmp_path, number, monkeypatch, capfd):
    from dreamer.visualizing import run as drawing

    steps = drawing.planned_steps

    def some(*args, **keywords):
        for taken, step in enumerate(steps(*args, **keywords), start=1):
            yield step
            if taken == 3:
                signal.raise_signal(number)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(drawing, "planned_steps", some)
    given = ["--size", "32", "--steps", "40", "--animation", "way.gif", "-o", "x.png"]
    assert run(["visualize", "block2b:3", *given]) == 128 + number
    assert "x.png is partial" in capfd.readouterr().err
    assert names() == ["way.gif", "x.png"]


def interrupted(arguments, number, after, **keywords):
    """A process of its own that gets a signal some seconds after its first byte could run."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import dreamer.__main__ as m, sys; print('ready', flush=True); m.main()", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **keywords,
    )  # fmt: skip
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(after)
        process.send_signal(number)
        _, err = process.communicate(timeout=90)
    finally:
        process.kill()
    return process.returncode, err


@pytest.mark.parametrize(("number", "after"), [(signal.SIGINT, 0.03), (signal.SIGTERM, 0.01), (signal.SIGHUP, 0.6)])
def test_while_the_program_and_its_libraries_are_loaded_there_is_one_line(photo, number, after):
    status, err = interrupted(["dream", "photo.png"], number, after)
    assert status == 128 + number
    lines = [line for line in err.splitlines() if line and not line.startswith("Loading")]
    assert lines == ["Interrupted: nothing was written."]
    assert names() == ["photo.png"]


def test_a_real_dream_ends_well_when_the_machine_is_shut_down(photo):
    """A terminal that goes away sends both."""
    many = ["--octaves", "50", "--octave-scale", "1.02", "--steps", "10"]
    process = subprocess.Popen(
        [sys.executable, "-m", "dreamer", "dream", "photo.png", *many],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr.readline().startswith("Loading")
        assert process.stderr.readline().startswith("octave 1/")
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGHUP)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode in (143, 129)  # Which is delivered first, the system says.
    assert out == "photo-dream.png\n"
    assert "partial" in err
    assert not any(word in err for word in ("Traceback", "semaphore", "Exception"))
    assert images.read_recipe(photo.with_name("photo-dream.png"))


def test_an_interrupt_that_surfaces_as_something_else_is_one(monkeypatch, capfd):
    def looked(*_given, **_more):
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise SystemError("returned a result with an exception set")

    monkeypatch.setattr("dreamer.models.registry.spec", looked)
    assert run(["labels", "efficientnet_lite0"]) == 130
    assert "Interrupted: nothing was written." in capfd.readouterr().err
