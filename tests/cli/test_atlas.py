"""``dreamer atlas``, in this process where it can be and in one of its own where it must be."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import Future

import pytest

from dreamer import images
from dreamer.atlases import page
from dreamer.atlases.catalog import Catalog, UnitEntry
from dreamer.atlases.units import Unit
from dreamer.cli import run
from dreamer.cli.pools import Place
from dreamer.errors import AtlasError
from dreamer.visualizing.settings import VisualizeSettings
from dreamer.workers.pools import attempt

QUICK = ["--size", "32x40", "--steps", "3"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def held(here):
    return json.loads((here / "x/atlas.json").read_text())


def named(here):
    """The pictures that ``atlas.json`` names by now."""
    if not (here / "x/atlas.json").exists():
        return []
    pictures = [picture for unit in held(here)["units"] for picture in unit["pictures"]]
    return [picture["file"].removeprefix("pictures/") for picture in pictures]


def drawn(here):
    return {path.relative_to(here / "x/pictures").as_posix(): path.read_bytes() for path in here.rglob("*.webp")}


def test_classes_and_channels_have_looks_of_their_own_and_each_unit_says_how_it_was_drawn(here, capfd):
    assert run(["atlas", "block2b", "--channels", "1", "--logits", "broccoli", "-o", "x", *QUICK]) == 0
    capfd.readouterr()
    drawn_as = {unit["layer"]: unit["drawn"] for unit in held(here)["units"]}
    assert drawn_as["block2b"].startswith("look texture: cosine, transforms robust, momentum,")
    assert drawn_as["logits"].startswith("look clear: cosine, transforms framed, momentum,")
    looks = {
        path.parent.name: images.read_recipe(path)["settings"]["look"] for path in (here / "x/pictures").rglob("*.webp")
    }
    assert looks == {"block2b": "texture", "logits": "clear"}
    assert run(["atlas", "block2b", "--channels", "2", "-o", "x", *QUICK, "--look", "scene"]) == 2
    assert "was drawn with look None, not scene" in capfd.readouterr().err
    assert run(["atlas", "block2b", "--channels", "2", "-o", "x", "--resume"]) == 0


def test_an_atlas_is_drawn_extended_and_gone_on_with(here, capfd):
    assert run(["atlas", "block2b", "--channels", "0-1,23", "--negative", "-o", "x", *QUICK, "--seed", "5"]) == 0
    out, err = capfd.readouterr()
    assert out.strip() == "x/index.html"
    assert "block2b: 6 of 6 drawn" in err
    first = drawn(here)
    assert set(first) == {f"block2b/{index}{sign}.webp" for index in (0, 1, 23) for sign in ("", "-negative")}
    recipe = images.read_recipe(here / "x/pictures/block2b/23-negative.webp")
    assert (recipe["command"], recipe["targets"]) == ("atlas", ["-block2b:23"])
    assert (recipe["settings"]["seed"], recipe["settings"]["size"]) == (5, [32, 40])
    assert recipe["scores"][0]["end"] > recipe["scores"][0]["start"]
    # Another layer and some classes, with the settings of before.
    assert run(["atlas", "block3b", "--channels", "7", "--logits", "tabby", "--resume", "-o", "x", "-q"]) == 0
    assert capfd.readouterr() == ("", "")
    more = drawn(here)
    assert set(more) - set(first) == {"block3b/7.webp", "logits/281.webp"}
    assert first.items() <= more.items()
    assert [unit["name"] for unit in held(here)["units"]][-1] == "tabby, tabby cat"
    (here / "x/pictures/block3b/7.webp").unlink()
    assert run(["atlas", "--resume", "-o", "x", "-q"]) == 0
    assert drawn(here) == more
    assert run(["atlas", "block2b", "-o", "x", *QUICK]) == 2
    assert "was drawn with seed 5, not 0" in capfd.readouterr().err
    assert run(["atlas", "block2b", "--channels", "2", "-o", "x", *QUICK, "--overwrite", "-q"]) == 0
    assert set(drawn(here)) == {"block2b/2.webp"}


def test_photos_are_shown_beside_units(here, samples, capfd):
    for name in ("cat.png", "coffee.png", "galaxies.jpg", "rocket.jpg"):  # Dreams may lie beside them.
        (here / "photos").mkdir(exist_ok=True)
        shutil.copy(samples / name, here / "photos")
    arguments = ["atlas", "block2b", "--channels", "0", "--examples", "photos", "-o", "x", *QUICK]
    assert run(arguments) == 0
    assert "4 of 4 photos looked at" in capfd.readouterr().err
    found = held(here)
    assert sorted(photo["name"] for photo in found["photos"]) == ["cat.png", "coffee.png", "galaxies.jpg", "rocket.jpg"]
    scores = [example["score"] for example in found["units"][0]["examples"]]
    assert scores == sorted(scores, reverse=True)
    assert len(list((here / "x/examples").iterdir())) == len(scores) == 4
    assert run(arguments) == 0
    assert "looked at" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        (["-o", "x"], 2, "no layer is named"),
        (["block4b"], 2, "Missing option '-o'"),
        (["block99", "-o", "x"], 2, "no layer 'block99'"),
        (["block4b", "--channels", "80", "-o", "x"], 2, "has no channel 80; expected 0 to 79"),
        (["block4b", "--channels", "8-", "-o", "x"], 2, "expected numbers and ranges"),
        (["--logits", "tabbby", "-o", "x"], 2, "no class 'tabbby'. Close matches: tabby"),
        (["block4b", "--size", "3", "-o", "x"], 2, "size is 3; expected"),
        (["block4b", "--model", "nothing", "-o", "x"], 2, "no network 'nothing'"),
        (["block4b", "--resume", "-o", "x"], 2, "x is none; leave it out to begin one"),
        (["block4b", "--examples", "nowhere", "-o", "x"], 2, "there is no folder nowhere"),
        (["block4b", "-o", "."], 1, "holds other files and no atlas"),
    ],
)
def test_wrong_usage_is_said_in_one_line(arguments, status, expected, here, capfd):
    (here / "precious").write_text("")
    assert run(["atlas", *arguments, "-q"]) == status
    out, err = capfd.readouterr()
    assert out == ""
    assert expected in err
    assert err.count("\n") == 1
    assert [path.name for path in here.iterdir()] == ["precious"]


@pytest.mark.parametrize(
    ("blow", "place"), [(signal.SIGINT, []), (signal.SIGKILL, []), (signal.SIGTERM, ["--workers", "2"])]
)
def test_what_is_broken_off_is_gone_on_with(blow, place, here, capfd):
    # Twenty-four channels are three batches.
    arguments = ["atlas", "block2b", "-o", "x", "--size", "48", "--steps", "24", *place]
    working = subprocess.Popen(
        [sys.executable, "-m", "dreamer", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until and working.poll() is None and not named(here):
            time.sleep(0.02)
        os.kill(working.pid, blow)
        out, err = working.communicate(timeout=60)
    finally:
        working.kill()
    first = drawn(here)
    assert 0 < len(first) < 24, err
    assert "semaphore" not in err
    if blow != signal.SIGKILL:
        assert working.returncode == 128 + blow
        assert out.strip() == "x/index.html"
        assert "interrupted; the same command, or --resume -o x, goes on" in err
        assert (here / "x/sheet-block2b.png").exists()
    kept = named(here)
    assert run([*arguments, "-q"]) == 0
    whole = drawn(here)
    assert len(whole) == 24
    assert len(held(here)["units"]) == 24
    assert {name: whole[name] for name in kept} == {name: first[name] for name in kept}
    assert not list((here / "x").rglob("*.part"))


def test_processes_draw_what_one_draws(here):
    given = ["block2b", "--channels", "0-4", "--negative", *QUICK, "-q"]
    for folder, more in (("x", ["--workers", "1"]), ("y", ["--workers", "2"]), ("z", [])):
        assert run(["atlas", *given, *more, "-o", folder]) == 0
    alone, together, inside = (sorted((here / name / "pictures").rglob("*.webp")) for name in "xyz")
    assert len(alone) == 10
    assert [path.read_bytes() for path in alone] == [path.read_bytes() for path in together]
    # Other threads add up in another order.
    for one, other in zip(together, inside, strict=True):
        assert abs(images.read(one).pixels - images.read(other).pixels).mean() < 0.02


@pytest.mark.parametrize(("channels", "cores", "pooled"), [("0-2", 2, True), ("0-1", 2, False), ("0-2", 1, False)])
def test_much_to_draw_is_drawn_by_a_process_per_core(here, monkeypatch, capfd, channels, cores, pooled):
    def refuse(_place):
        raise AtlasError("here is the pool")

    monkeypatch.setattr(Place, "pool", refuse)
    monkeypatch.setattr("dreamer.atlases.jobs.MOST_TARGETS_OF_A_POOL", 1)
    monkeypatch.setattr("dreamer.workers.resources.gpus", list)
    monkeypatch.setattr("dreamer.workers.resources.default_workers", lambda: cores)
    assert run(["atlas", "block2b", "--channels", channels, "-o", "x", *QUICK]) == int(pooled)
    assert ("here is the pool" in capfd.readouterr().err) == pooled


def test_what_was_asked_for_is_known_before_anything_is_drawn(here, monkeypatch):
    monkeypatch.setattr("dreamer.atlases.jobs.planned_steps", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    assert run(["atlas", "block2b", "--channels", "0-2", "-o", "x", *QUICK, "-q"]) == 130
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert run(["atlas", "--resume", "-o", "x", "-q"]) == 0
    assert set(drawn(here)) == {f"block2b/{index}.webp" for index in range(3)}


def test_a_job_that_fails_stops_no_other_and_is_said(here, monkeypatch, capfd):
    class Inline:
        losses, loss = (), None

        def capacity(self):
            return 1

        def submit(self, work, job, pause):
            future = Future()
            future.set_result(attempt(fail if "block2b:1" in job.targets else work, job, pause))
            return future

        def close(self):
            pass

    def fail(_job):
        raise ValueError("no luck")

    monkeypatch.setattr(Place, "pool", lambda _place: Inline())
    monkeypatch.setattr("dreamer.atlases.jobs.MOST_TARGETS_OF_A_POOL", 1)
    given = ["atlas", "block2b", "--channels", "0-2", "-o", "x", *QUICK]
    assert run([*given, "--workers", "1"]) == 1
    assert "block2b:1 and others of its layer: no luck. The same command again" in capfd.readouterr().err
    assert set(drawn(here)) == {"block2b/0.webp", "block2b/2.webp"}
    assert (here / "x/index.html").exists()
    assert run([*given, "-q"]) == 0
    assert set(drawn(here)) == {f"block2b/{index}.webp" for index in range(3)}


def test_a_job_over_its_time_stops_no_atlas_and_is_said(here, capfd):
    given = ["atlas", "block2b", "--channels", "0", "-o", "x", "--size", "48"]
    assert run([*given, "--steps", "100000", "--timeout", "3"]) == 1
    assert "block2b:0 and others of its layer: it was ended after 3" in capfd.readouterr().err
    assert drawn(here) == {}
    assert (here / "x/index.html").exists()


def test_where_an_atlas_cannot_be_drawn_is_said(here, capfd, monkeypatch):
    assert run(["atlas", "block2b", "-o", "x", *QUICK, "--address", "127.0.0.1:1"]) == 2
    assert "for the executor ray" in capfd.readouterr().err
    monkeypatch.setitem(sys.modules, "ray", None)
    assert run(["atlas", "block2b", "--channels", "0", "-o", "x", *QUICK, "--executor", "ray"]) == 1
    assert "pip install 'deepdreamer[ray]'" in capfd.readouterr().err


def foreign_atlas(here, **settings):
    """An ``atlas.json`` that came from somebody else, drawn by nobody."""
    told = VisualizeSettings(size=(32, 40), steps=3).to_dict() | settings
    made = Catalog("efficientnet_lite0", "A network", "0", told)
    made.entries["block2b", 0] = UnitEntry(Unit("block2b", 0, "block2b:0", "block2b:0"))
    (here / "x").mkdir()
    page.save(here / "x", made)


def test_an_atlas_from_elsewhere_names_only_what_lies_beside_it(here, capfd):
    (here / "net.keras").write_bytes(b"")
    foreign_atlas(here, model="net.keras", parametrization="maco", spectrum="/etc/passwd", transforms="x/mine.toml")
    assert run(["atlas", "--resume", "-o", "x"]) == 2
    said = capfd.readouterr().err
    assert "x/atlas.json names files that do not lie beside it: /etc/passwd (spectrum), net.keras (model)" in said
    assert "give --trust, or type --spectrum and --model anew" in said
    (here / "x/mine.toml").write_text("stepz = 1")
    anew = ["--model", "efficientnet_lite0", "--parametrization", "cosine"]
    assert run(["atlas", "--resume", "-o", "x", "--trust", *anew]) == 2
    assert "x/mine.toml has an unknown key 'stepz'" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda held: held | {"units": None}, "units is null; expected a list"),
        (lambda held: held | {"model": "a\0b"}, "model is 'a\\x00b'; expected text"),
        (
            lambda held: held | {"photos": [{"name": "a", "height": 1, "width": 1, "sha256": "../../../../x"}]},
            "photos[0]",
        ),
        (lambda held: held | {"units": [held["units"][0] | {"objective": 'guided:a@"/etc/passwd"'}]}, "names a file"),
        (lambda held: held | {"units": [held["units"][0] | {"index": "../0"}]}, "units[0].index is '../0'"),
        (lambda held: held | {"format": 2}, "its format is 2, expected 1"),
        (lambda held: [held], "expected a table"),
    ],
)
def test_an_atlas_that_holds_anything_else_is_refused_in_one_line(here, capfd, change, words):
    foreign_atlas(here)
    held = change(json.loads((here / "x/atlas.json").read_text()))
    (here / "x/atlas.json").write_text(json.dumps(held))
    assert run(["atlas", "--resume", "-o", "x"]) == 1
    said = capfd.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_an_atlas_that_is_no_file_or_nested_deeply_is_refused(here, capfd):
    foreign_atlas(here)
    (here / "x/atlas.json").write_text("[" * 5000)
    assert run(["atlas", "--resume", "-o", "x"]) == 1
    assert "nested too deeply" in capfd.readouterr().err
    (here / "x/atlas.json").unlink()
    os.mkfifo(here / "x/atlas.json")
    assert run(["atlas", "--resume", "-o", "x"]) == 1
    assert "is a pipe" in capfd.readouterr().err
