"""Nothing that comes out of files makes a terminal do anything; what other programs read stays what it is."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import warnings

import click
import keras
import numpy as np
import pytest

from dreamer import images
from dreamer.atlases import page
from dreamer.cli import cli, outputs, progress, run
from dreamer.cli.completing import complete_label, complete_layer, complete_preset
from dreamer.cli.tables import table
from dreamer.wording import is_obeyed

# Of a title, of a screen made empty; a forged line; a name turned around; C1; what is no UTF-8.
EVIL = "a\x1b]0;t\x07\x1b[2J\nError: no\r\u202eb\x9b31m\udce9\x7f[red]:cat:"
SHOWN = r"a\x1b]0;t\x07\x1b[2J\nError: no\x0d\u202eb\x9b31m\xe9\x7f[red]:cat:"


def is_harmless(text):
    return not any(is_obeyed(char) for char in text if char != "\n")


def test_what_is_said_is_one_harmless_line(capfd):
    progress.say(EVIL)
    progress.note(EVIL)
    for one in (progress._Lines("x"), progress._Silent()):
        one.say(EVIL)
    lines = progress._Lines(EVIL)
    with lines:
        lines.show(EVIL, 0.5, EVIL)
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 6
    assert all(SHOWN in line for line in said)


def test_a_table_keeps_its_rows_whatever_its_cells_hold():
    assert table(["name", "size"], [[EVIL, 3]]).splitlines()[1:] == [f"{SHOWN}     3"]


def read_from_terminal(action):
    """What a terminal is sent."""
    master, slave = pty.openpty()
    pid = os.fork()
    if pid == 0:  # pragma: no cover
        for number in (1, 2):
            os.dup2(slave, number)
        for number, name in ((1, "stdout"), (2, "stderr")):
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", closefd=False))
        try:
            action()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(0)
    os.close(slave)
    sent = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:
            break
        if not part:
            break
        sent += part
    os.close(master)
    assert os.waitpid(pid, 0)[1] == 0
    return sent.decode()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_bar_shows_what_it_is_told_to_the_letter(monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("TERM", "xterm")

    def show():
        with progress._Bar("opening") as bar:
            bar.show(EVIL, 0.5)
            bar.say(EVIL)

    sent = read_from_terminal(show)
    assert sent.count(SHOWN) >= 2
    assert not {"\x07", "\u202e", "\x9b", "\x7f"} & set(sent)
    assert "\x1b]0" not in sent
    assert "\x1b[2J" not in sent


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_path_is_exact_for_programs_and_harmless_on_a_terminal(capfdbinary):
    outputs.print_path(EVIL)
    assert capfdbinary.readouterr().out == os.fsencode(EVIL) + b"\n"
    sent = read_from_terminal(lambda: outputs.print_path(EVIL))
    assert is_harmless(sent.replace("\r\n", "\n"))
    assert r"\x1b[2J" in sent


def test_json_stays_json(tmp_path, capfd):
    path = tmp_path / "x.png"
    images.write(path, images.Photo(np.zeros((5, 7, 3), np.float32)), recipe={"command": EVIL})
    assert run(["recipe", str(path)]) == 0
    out = capfd.readouterr().out
    assert json.loads(out) == {"command": EVIL}
    assert out.isascii()
    assert is_harmless(out)


@pytest.mark.parametrize(
    "arguments",
    [
        ["dream", EVIL],
        ["dream", f"--{EVIL}"],
        ["dream", "x.png", "--steps", EVIL],
        ["dream", "x.png", "--preset", EVIL],
        ["dream", "x.png", "--objective", EVIL],
        ["dream", "x.png", "--mask", EVIL],
        ["dream", "--recipe", EVIL],
        ["recipe", EVIL],
        [EVIL],
        ["presets", "show", EVIL],
        ["presets", "new", EVIL],
        ["presets", "new", "x", "--from", f"{EVIL}.png"],
        ["layers", EVIL],
        ["labels", EVIL],
        ["labels", "efficientnet_lite0", EVIL],
        ["models", "info", EVIL],
        ["batch", EVIL, "out"],
        ["atlas", "--resume", "-o", EVIL],
        ["visualize", f"logit:{EVIL}", "--model", EVIL],
        ["spectrum", EVIL],
    ],
    ids=lambda arguments: " ".join(arguments[:2])[:12],
)
def test_an_error_is_one_harmless_line(tmp_path, monkeypatch, capfd, arguments):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) in (1, 2)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert is_harmless(err)
    assert "\\x1b[2J" in err or "x1b" in err


def test_an_endless_error_is_cut(capfd):
    assert run(["dream", "x" * 100_000]) == 1
    assert len(capfd.readouterr().err) < 10_000


def test_a_warning_is_harmless():
    code = f"""
import warnings
from dreamer.cli import cli, run
@cli.command("warn")
def warn():
    warnings.warn({EVIL!r})
run(["warn"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert rb"\x1b[2J" in done.stderr
    assert b"\x1b" not in done.stderr


@pytest.fixture
def network(tmp_path):
    """A network whose layers and classes have names that a terminal obeys."""
    picture = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(2, 3, name="evil\x1b[2J\nlayer")(picture)
    network = keras.Model(picture, x)
    path = tmp_path / "net.keras"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.save(path)
    path.with_suffix(".toml").write_text('preprocessing = "0..1"\nlabels = "names.txt"\n')
    (tmp_path / "names.txt").write_text("cat\x1b[2J\ndog\u202e\nplain\n")
    return path


def test_layers_and_labels_are_listed_harmlessly_and_the_evil_ones_are_not_completed(network, capfd):
    assert run(["labels", str(network)]) == 0
    out = capfd.readouterr().out
    assert is_harmless(out)
    assert [line.split()[-1] for line in out.splitlines()[1:]] == [r"cat\x1b[2J", r"dog\u202e", "plain"]
    assert run(["layers", str(network)]) == 0
    out, err = capfd.readouterr()
    assert is_harmless(out + err)
    assert len(out.splitlines()) == 2
    context = click.Context(cli)
    context.params["model"] = str(network)
    assert [item.value for item in complete_label(context, None, "")] == ["plain"]
    assert complete_layer(context, None, "") == []
    assert run(["models", "info", str(network)]) == 0


def test_presets_of_evil_names_are_listed_harmlessly_and_not_completed(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("DREAMER_CONFIG", str(tmp_path))
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / f"{EVIL.replace('/', '')}.toml").write_text(
        'title = "t\\u001b[2J"\ndescription = "d\\u001b[2J"\ntags = ["a\\nb"]\n'
    )
    assert run(["presets", "list"]) == 0
    out, err = capfd.readouterr()
    assert is_harmless(out + err)
    assert any(line.startswith(SHOWN) for line in out.splitlines())
    assert run(["presets", "list", "--tag", "none"]) == 2
    assert is_harmless(capfd.readouterr().err)
    assert not any("\x1b" in item.value for item in complete_preset(click.Context(cli), None, "a"))


def test_names_are_sayable_in_any_locale(tmp_path):
    """Of another program's ASCII, and of a name that is no UTF-8."""
    images.write(tmp_path / "x.png", images.Photo(np.zeros((5, 7, 3), np.float32)), recipe={"command": "caf\udce9 ü"})
    path = (tmp_path / "x.png").rename(tmp_path / os.fsdecode(b"caf\xe9 \xc3\xbc.png"))
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "grün.toml").write_text(
        'title = "grün"\ndescription = "猫"\ntags = ["ü"]\n', encoding="utf-8"
    )
    code = "import sys; from dreamer.cli import run; sys.exit(run(sys.argv[1:]))"
    for more in ({"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C"}):
        environment = os.environ | {"PYTHONCOERCECLOCALE": "0", "DREAMER_CONFIG": str(tmp_path)} | more
        for arguments, status in ((["presets", "list"], 0), (["recipe", path], 0), (["dream", "--recipe", path], 2)):
            done = subprocess.run(
                [sys.executable, "-c", code, *arguments], capture_output=True, env=environment, check=False
            )
            assert done.returncode == status, done.stderr
            assert b"Traceback" not in done.stderr
            assert b"fault" not in done.stderr


def test_a_sheet_writes_control_characters_as_escapes(monkeypatch):
    def pixels(label):
        return images.sheet([images.LabelledPicture(np.zeros((40, 500, 3), np.float32), label)])

    assert (pixels("a\x1b[2J\u202e\udce9\0") == pixels(r"a\x1b[2J\u202e\xe9\x00")).all()


def test_the_data_of_a_page_can_be_made_links_of():
    script = page.script({"units": [{"layer": "a\ud800b\x1b\u2028", "name": "猫"}]}).decode()
    assert script.isascii()
    assert "\\ud800" not in script
    assert "a\\ufffdb\\u001b\\u2028" in script
    assert "\\u732b" in script
