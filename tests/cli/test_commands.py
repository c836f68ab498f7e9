"""What contradicts itself on a command line is said in one line, before any work."""

from __future__ import annotations

import os

import click
import numpy as np
import pytest
from PIL import Image

from dreamer.cli import cli, run
from dreamer.cli.commands import Command


@pytest.fixture(autouse=True)
def here(tmp_path, picture, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray((picture * 255).round().astype(np.uint8)).save("photo.png")
    Image.new("L", (8, 8), 0).save("black.png")
    Image.new("RGBA", (8, 8), (255, 255, 255, 0)).save("transparent.png")
    (tmp_path / "photos").mkdir()
    (tmp_path / "soft.toml").write_text('title = "t"\ndescription = "d"\nfeather = 0.1\ncolors = "keep"\nzoom = 1.2\n')
    return tmp_path


def every_command(group=cli, path=()):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def once():
    """Each option of each command that takes one value, with arguments that its command needs besides."""
    for path, command in every_command():
        needed = ["x" for one in command.params if isinstance(one, click.Argument) and one.required]
        for one in command.params:
            if isinstance(one, click.Option) and one.required:
                needed += [one.opts[-1], "x.png"]
        for one in command.params:
            if isinstance(one, click.Option) and not one.multiple and not one.is_flag:
                value = one.type.choices[0] if isinstance(one.type, click.Choice) else "20"
                others = [] if one.opts[-1] in needed else needed
                words = [*path.split(), *(others or needed[:1])]
                yield pytest.param(words, one.opts[-1], value, id=f"{path} {one.opts[-1]}")


@pytest.mark.parametrize(("words", "option", "value"), [*once()])
def test_an_option_of_one_value_is_given_once(words, option, value, capfd):
    assert run([*words, option, value, option, value]) == 2
    assert capfd.readouterr().err == f"Error: {option} is given twice, and only one can count; leave one of them out\n"


def test_every_command_looks_for_contradictions():
    assert all(isinstance(command, Command) for _, command in every_command())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("dream photo.png --keep-colors --luminance-only", "--keep-colors and --luminance-only exclude"),
        ("dream photo.png --luminance-only --free-colors", "--luminance-only and --free-colors exclude"),
        ("dream photo.png --plain --laplacian", "--plain and --laplacian exclude each other; give one"),
        ("batch photos out --smooth --plain", "--smooth and --plain exclude"),
        ("dream photo.png --preset lace --preset rope", "--preset is given 2 times"),
        ("dream photo.png --at photo.png lace --recipe photo.png", "--at and --recipe exclude each other"),
        ("dream photo.png --preset lace --recipe photo.png", "--preset and --recipe exclude each other"),
        ("dream photo.png --feather 0.1", "give a --mask, or leave it out"),
        ("batch photos out --feather 0.1", "give a --mask, or leave it out"),
        ("dream photo.png --mask black.png", "is wholly black or transparent at 53x37"),
        ("dream photo.png --mask transparent.png", "is wholly black or transparent at 53x37"),
        ("dream photo.png --mask black.png --frames 3", "is wholly black or transparent at 53x37"),
        ("dream photo.png --zoom 1.1", "as in --frames 60"),
        ("dream photo.png --frames 1 --zoom 1.1", "as in --frames 60"),
        ("batch photos out --zoom 1.1", "as in --frames 60"),
        ("dream photo.png --frame-rate 9", "as in --frames 60"),
        ("dream photo.png --frames 3 --frame-rate 9 -o folder", "folder becomes a folder of frames"),
        ("dream photo.png --frames 3 --save-octaves x", "leave out --frames"),
        ("dream photo.png --overwrite", "without -o a name is taken that no file has"),
        ("visualize block2b:3 --overwrite", "without -o a name is taken that no file has"),
        ("dream photo.png --offline --mirror http://here", "one says not to fetch anything"),
        ("models fetch inception_v1 --offline --mirror http://here", "one says not to fetch anything"),
        ("batch photos out --dry-run --quiet", "--quiet and --dry-run exclude each other"),
        ("batch photos out --dry-run --report x", "--report and --dry-run exclude each other"),
        ("batch photos out --resume --overwrite", "the other throws it away"),
        ("atlas block2b -o out --resume --overwrite", "the other throws it away"),
        ("atlas --logits dog --channels 1-3 -o out", "channels are those of layers"),
        ("visualize block2b:3 --pair --minimize", "cannot be combined"),
        ("visualize block2b:3 block2b:4 --pair --interpolate 3", "cannot be combined"),
        ("visualize block2b:3 block2b:4 --minimize --interpolate 3", "cannot be combined"),
        ("visualize block2b:3 --columns 2", "this is a single one"),
        ("visualize block2b:3 --diversity-weight 2", "--diversity-weight is for several pictures"),
        ("atlas block2b -o out --diversity-weight 2", "--diversity-weight is for several pictures"),
        ("visualize block2b:3 -o x.gif --animation x.gif", "both the picture and the animation"),
        ("visualize block2b:3 --steps 4 --save-steps . -o block2b-3-1-step-2.png", "and something else"),
        ("dream photo.png --save-octaves photos -o photos/octave-2.png", "is the name of an octave"),
        ("visualize block2b:3 --spectrum x.npz", "is for the parametrization maco"),
    ],
)
def test_a_contradiction_is_said_before_any_work(here, arguments, words, capfd):
    before = sorted(here.rglob("*"))
    assert run(arguments.split()) == 2
    out, err = capfd.readouterr()
    errors = [line for line in err.splitlines() if not line.startswith("Loading")]
    assert out == ""
    assert len(errors) == 1
    assert errors[0].startswith("Error: ")
    assert words in errors[0]
    assert sorted(here.rglob("*")) == before


def test_options_that_are_repeated_change_a_preset_or_say_the_same_contradict_nothing(here, asleep):
    quick = ["--octaves", "1", "--steps", "1", "-q", "-q"]
    for given in (
        ["--preset", "soft.toml"],
        ["--preset", "soft.toml", "--luminance-only", "--luminance-only"],
        ["--layer", "block2b", "--layer", "block3b", "--channel", "block2b:1"],
        ["--preset", "soft.toml", "--feather", "0.2", "--mask", "photo.png", "--tile", "9999"],
        ["-o", "x.png", "--overwrite"],
        ["--save-octaves", "octaves", "--overwrite", "--preview"],
    ):
        assert run(["dream", "photo.png", *given, *quick]) == 0


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "NaN"])
@pytest.mark.parametrize(
    "option",
    [
        *("octave-scale", "step-size", "rotate", "scale", "strength", "feather", "contrast", "saturation", "zoom"),
        *("frame-rate", "max-megapixels"),
    ],
)
def test_what_is_no_number_is_refused_by_the_option(here, option, value, capfd):
    given = ["--frames", "2"] if option in ("zoom", "frame-rate") else []
    assert run(["dream", "photo.png", "--mask", "photo.png", *given, f"--{option}={value}"]) == 2
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert option in err.replace("_", "-")
    assert "Loading" not in err
    assert len(os.listdir(here)) == 5  # noqa: PTH208


@pytest.mark.parametrize("value", ["nan", "inf", "1e999"])
def test_so_it_is_by_the_other_commands(value, capfd):
    for command, option in (
        (["visualize", "block2b:3"], "learning-rate"),
        (["visualize", "block2b:3", "--diversity", "2"], "diversity-weight"),
        (["batch", "photos", "out", "--executor", "ray"], "gpus-per-task"),
        (["batch", "photos", "out"], "strength"),
        (["dream", "photo.png"], "layer=block2b"),
    ):
        assert run([*command, f"--{option}={value}"]) == 2
        assert capfd.readouterr().err.count("\n") == 1


def test_a_strength_of_0_is_said(here, asleep, capfd):
    assert run(["dream", "photo.png", "--strength", "0", "--octaves", "1"]) == 0
    assert "nothing of the dream is to be seen" in capfd.readouterr().err
