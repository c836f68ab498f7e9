"""Names of files that are long, or no text: through every command, onto the screen and to other programs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dreamer import images
from dreamer.cli import run

QUICK = ["--octaves", "1", "--steps", "1"]
ODD = os.fsdecode(b"ph\xffo\xe9to")  # As an old Latin-1 disk has it; no UTF-8.


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DREAMER_CONFIG", str(tmp_path / "config"))
    return tmp_path


def save(picture, name):
    with Path(name).open("wb") as file:
        Image.fromarray((picture * 255).round().astype(np.uint8)).save(file, "PNG")


def names(folder="."):
    return {path.name for path in Path(folder).iterdir()}


LONG = {
    "japanese": 83 * "夢",
    "longest": 251 * "a",
    "nearly longest": 240 * "a",
    "accents": 125 * "é",
    "emoji": 62 * "\N{SLEEPING FACE}",
    "no text": os.fsdecode(251 * b"\xff"),
}


@pytest.mark.parametrize("stem", LONG.values(), ids=LONG)
@pytest.mark.parametrize("more", [[], ["--frames", "2"], ["--preview"]])
def test_a_name_that_would_become_too_long_is_cut(picture, asleep, stem, more, capfdbinary):
    save(picture, f"{stem}.png")
    made = []
    for _ in range(2):
        before = names()
        assert run(["dream", f"{stem}.png", *QUICK, *more]) == 0
        [new] = names() - before
        assert capfdbinary.readouterr().out == os.fsencode(new) + b"\n"
        made.append(new)
    what = "preview" if "--preview" in more else "dream"
    assert made[0].endswith(f"-{what}.gif" if "--frames" in more else f"-{what}.png")
    assert made[1].endswith(f"-{what}-2.gif" if "--frames" in more else f"-{what}-2.png")
    assert made[0][:50] == stem[:50]
    assert images.read_recipe(Path(made[0]))["source"]["name"] == f"{stem}.png"


def test_two_photos_whose_names_differ_at_the_end_have_results_of_their_own(picture, asleep):
    for end in "xy":
        save(picture, f"{82 * '夢'}{end}.png")
        assert run(["dream", f"{82 * '夢'}{end}.png", *QUICK, "-q"]) == 0
    assert len(names()) == 4
    assert not any("-dream-2" in name for name in names())


def test_an_output_may_have_the_longest_name_that_there_is(picture, asleep):
    save(picture, "photo.png")
    for suffix in (".png", ".gif"):
        target = f"{251 * 'a'}{suffix}"
        assert run(["dream", "photo.png", *QUICK, "--frames", "2" if suffix == ".gif" else "1", "-o", target]) == 0
        assert target in names()


def test_a_photo_whose_name_is_no_text_is_dreamt_and_told(picture, asleep, here, capfdbinary):
    save(picture, f"{ODD}.png")
    given = ["--mask", f"{ODD}.png", "--save-octaves", f"{ODD}-octaves"]
    assert run(["dream", f"{ODD}.png", *QUICK, *given]) == 0
    assert capfdbinary.readouterr().out == b"ph\xffo\xe9to-dream.png\n"
    assert names(f"{ODD}-octaves") == {"octave-1.png"}
    assert run(["recipe", f"{ODD}-dream.png"]) == 0
    told = json.loads(capfdbinary.readouterr().out)
    assert (told["source"]["name"], told["settings"]["mask"]) == (f"{ODD}.png", f"{ODD}.png")
    assert run(["dream", f"{ODD}.png", *QUICK, "--frames", "2", "-o", f"{ODD}-zoom"]) == 0
    assert capfdbinary.readouterr().out == b"ph\xffo\xe9to-zoom\n"


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif", ".gif", ".bmp", ".png"])
def test_every_format_holds_such_a_name(picture, asleep, suffix):
    save(picture, f"{ODD}.png")
    target = Path(f"{ODD}-x{suffix}")
    assert run(["dream", f"{ODD}.png", *QUICK, "-q", "-o", str(target)]) == 0
    assert images.read_recipe(target)["source"]["name"] == f"{ODD}.png"


@pytest.mark.parametrize(
    "arguments",
    [
        ["dream", f"{ODD}.jpg"],
        ["dream", "photo.png", "--mask", f"{ODD}.png"],
        ["dream", "photo.png", "--guide", f"{ODD}.png"],
        ["dream", "photo.png", "--model", f"{ODD}.keras"],
        ["dream", "photo.png", "--preset", ODD],
        ["dream", "photo.png", "--preset", f"{ODD}.toml"],
        ["dream", "photo.png", "--recipe", f"{ODD}.png"],
        ["dream", "photo.png", "--layer", ODD],
        ["dream", "photo.png", "-o", f"{ODD}/x.png"],
        ["dream", "photo.png", "-o", f"x.{ODD}"],
        ["recipe", f"{ODD}.png"],
        ["recipe", "photo.png", ODD],
        ["visualize", f"direction:block2b@{ODD}.npy"],
        ["visualize", "block2b:3", "--transforms", f"{ODD}.toml"],
        ["visualize", "block2b:3", "--parametrization", "maco", "--spectrum", f"{ODD}.npz"],
        ["visualize", "block2b:3", "--save-steps", f"photo.png/{ODD}"],
        ["spectrum", ODD],
        ["presets", "show", ODD],
        ["presets", "list", "--tag", ODD],
        ["presets", "sheet", f"{ODD}.png", "-o", "x.png"],
        ["models", "info", ODD],
        ["models", "fetch", ODD],
        ["models", "import", "inception_v1", f"{ODD}.zip"],
        ["labels", ODD],
        ["layers", f"{ODD}.keras"],
        ["layers", "efficientnet_lite0", ODD],
    ],
)
def test_what_is_wrong_with_such_a_name_is_said_in_one_line(picture, arguments, capfdbinary):
    save(picture, "photo.png")
    assert run(arguments) in (1, 2)
    err = capfdbinary.readouterr().err
    assert err.count(b"\n") == 1
    assert err.startswith(b"Error: ")
    assert b"fault in dreamer" not in err
    assert b"ph" in err


def test_a_preset_whose_name_is_no_text(picture, asleep, here, capfdbinary):
    presets = here / "config" / "presets"
    presets.mkdir(parents=True)
    (presets / f"{ODD}.toml").write_text('title = "t"\ndescription = "d"\ntags = ["mine"]\nobjective = "block2a"\n')
    save(picture, "photo.png")
    for arguments in (
        ["presets", "list", "--tag", "mine"],
        ["presets", "show", ODD],
        ["dream", "photo.png", "--preset", ODD, *QUICK],
        ["presets", "sheet", "photo.png", "-o", f"{ODD}.png", "--tag", "mine"],
    ):
        assert run(arguments) == 0
        out = capfdbinary.readouterr().out
        assert arguments[0] == "dream" or b"ph" in out
    assert images.read_recipe(here / f"{ODD}.png")["common"]["preset"] == ODD


def test_a_spectrum_of_photos_whose_names_are_no_text(picture, here, capfdbinary):
    (here / ODD).mkdir()
    save(picture, f"{ODD}/{ODD}.png")
    (here / ODD / f"{ODD}.jpg").write_text("no picture")
    assert run(["spectrum", ODD, "-o", f"{ODD}.npz", "--side", "16"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == b"ph\xffo\xe9to.npz\n"
    assert b"left out: " in err


def test_a_visualization_into_files_whose_names_are_no_text(here, capfdbinary):
    np.save("vector.npy", np.ones(24, np.float32))
    Path("vector.npy").rename(f"{ODD}.npy")
    given = ["--size", "32", "--steps", "2", "-o", f"{ODD}.png", "--animation", f"{ODD}.gif", "--save-steps", ODD]
    assert run(["visualize", f"direction:block2b@{ODD}.npy", *given]) == 0
    assert capfdbinary.readouterr().out == b"ph\xffo\xe9to.png\n"
    assert run(["recipe", f"{ODD}.gif"]) == 0
    assert len(names(ODD)) == 2
    assert run(["visualize", "block2b:3", f"direction:block2b@{ODD}.npy", "--size", "32", "--steps", "1"]) == 0


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Of Keras, when it saves.
def test_a_network_of_ones_own_whose_name_is_no_text(picture, capfdbinary):
    import keras

    given = keras.Input((None, None, 3))
    keras.Model(given, keras.layers.Conv2D(4, 3, padding="same", name="first")(given)).save("net.keras")
    Path("net.keras").rename(f"{ODD}.keras")
    save(picture, "photo.png")
    for arguments in (["layers", f"{ODD}.keras"], ["models", "info", f"{ODD}.keras"]):
        assert run(arguments) == 0
    given = ["--model", f"{ODD}.keras", "--layer", "first", "--preprocessing", "0..1", *QUICK]
    assert run(["dream", "photo.png", *given]) == 0
    assert b"fault" not in capfdbinary.readouterr().err
