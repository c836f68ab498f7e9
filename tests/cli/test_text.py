"""``dreamer text`` as a person uses it."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys

import numpy as np
import pytest
from texts.text_case import LETTERS, remembering

from dreamer.cli import run

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a network whose unit 0 follows what comes after a #, and a text."""
    monkeypatch.chdir(tmp_path)
    remembering().save("char.keras")
    (tmp_path / "chars.txt").write_text(LETTERS.written())
    (tmp_path / "char.toml").write_text('vocabulary = "chars.txt"\n')
    rng = np.random.default_rng(0)
    lines = ["".join(rng.choice(list("abcdefg#"), rng.integers(3, 20))) for _ in range(200)]
    (tmp_path / "book.txt").write_text("\n".join(["abc#deg", *lines, ""]))
    return tmp_path


def test_the_units_of_a_layer_are_a_table(here, capfd):
    assert run(["text", "lstm", "book.txt", "--top", "2"]) == 0
    out, _ = capfd.readouterr()
    head, first, second = out.splitlines()
    assert head.split() == ["unit", "varies", "by", "strongest", "where"]
    assert {first.split()[0], second.split()[0]} == {"lstm:0", "lstm:1"}


def test_a_unit_is_numbers_where_there_is_no_terminal(here, capfd):
    assert run(["text", "lstm:0", "book.txt", "--model", "char.keras", "--vocabulary", "chars.txt"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:4]] == [["0", "a", lines[1].split()[2]], ["1", "b", lines[2].split()[2]],
                                                     ["2", "c", lines[3].split()[2]]]  # fmt: skip
    assert float(lines[5].split()[2]) > 0.7
    assert lines[8].split()[1] == "\\n"


def test_a_terminal_sees_colours_unless_it_wants_none(here):
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    for more, is_coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        master, slave = pty.openpty()
        command = [sys.executable, "-m", "dreamer", "text", "lstm:0", "book.txt", "-q"]
        with subprocess.Popen(command, stdout=slave, stderr=slave, env=plain | more) as process:
            os.close(slave)
            seen = b""
            while True:
                try:
                    part = os.read(master, 65536)
                except OSError:
                    break
                if not part:
                    break
                seen += part
            process.wait()
        os.close(master)
        assert process.returncode == 0
        assert (b"\x1b[48;2;35;105;210m" in seen) is is_coloured


def test_a_page_is_written(here, capfd):
    assert run(["text", "lstm", "book.txt", "--show", "forget", "--top", "2", "-o", "page.html"]) == 0
    assert capfd.readouterr().out == "page.html\n"
    assert '"show": "forget"' in (here / "page.html").read_text()
    assert run(["text", "lstm", "book.txt", "-o", "page.html"]) == 1
    assert "exists already" in capfd.readouterr().err


def test_units_that_follow_something_are_found(here, capfd):
    assert run(["text", "--find", "comments,url,line-end", "book.txt"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].split() == ["follows", "unit", "AUC", "there", "luck"]
    assert lines[1].split()[:2] == ["comments", "lstm:0"]
    assert float(lines[1].split()[2]) > 0.9
    assert not any(line.startswith("url") for line in lines)
    assert run(["text", "lstm", "book.txt", "--find", "comments", "-o", "page.html"]) == 0
    assert '"follows": "comments, AUC' in (here / "page.html").read_text()


def test_a_text_is_drawn(here, capfd):
    assert run(["text", "lstm:0", "--draw", "--length", "6"]) == 0
    (_, line) = capfd.readouterr().out.splitlines()
    assert line.startswith("most")
    assert "#" in line
    assert run(["text", "lstm:0", "--draw", "--length", "6", "--negative", "--json"]) == 0
    (item,) = json.loads(capfd.readouterr().out)["items"]
    assert abs(item["score"]) < 0.01
    assert item["recipe"]["settings"]["sign"] == -1


def test_the_answers_for_a_script(here, capfd):
    assert run(["text", "lstm:0", "book.txt", "--json"]) == 0
    (item,) = json.loads(capfd.readouterr().out)["items"]
    assert len(item["values"]) == len((here / "book.txt").read_text())
    assert run(["text", "--find", "comments", "book.txt", "--json"]) == 0
    best, *others = json.loads(capfd.readouterr().out)["items"]
    assert (best["unit"], best["sure"], len(others)) == (0, True, 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lstm:0"], "name a file of text, as: dreamer text lstm book.txt"),
        (["book.txt"], "name a layer or a unit before book.txt"),
        (["lstm:7", "book.txt"], "lstm of char.keras has 3 units, 0 to 2; there is no lstm:7"),
        (["gru", "book.txt"], "has no layer 'gru'"),
        (["embedding", "book.txt"], "is no recurrent layer but Embedding; expected one of lstm"),
        (["lstm + embedding", "book.txt"], "is neither a layer, as lstm, nor a unit, as lstm:37"),
        (["lstm", "none.txt"], "cannot read none.txt: No such file"),
        (["lstm", "."], "cannot read .: is a directory"),
        (["lstm", "empty.txt"], "the text is empty"),
        (["lstm", "bytes.txt"], "is no text in UTF-8"),
        (["lstm", "other.txt"], "2 of the 4 characters of the text are outside the vocabulary of 9: 'X' (2)"),
        (["lstm", "book.txt", "--show", "reset"], "lstm has no 'reset' to show; expected one of hidden, cell"),
        (["--find", "strng", "book.txt"], "nothing is known of 'strng'. Close matches: strings"),
        (["lstm:0", "book.txt", "--find", "strings"], "name lstm without the unit"),
        (["lstm:0", "book.txt", "--draw"], "--draw writes a text for a single unit"),
        (["lstm", "book.txt", "--negative"], "--negative goes with --draw"),
        (["lstm", "book.txt", "-o", "page.png"], "a page is written as .html"),
        (["lstm", "book.txt", "--overwrite"], "--overwrite has nothing to do here"),
        (["lstm", "book.txt", "--model", "none.keras"], "there is no file none.keras"),
        (["lstm", "book.txt", "--model", "efficientnet_lite0"], "efficientnet_lite0 takes a picture"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_a_line(here, capfd, arguments, said):
    (here / "empty.txt").write_text("")
    (here / "bytes.txt").write_bytes(b"a\xff\xfe")
    (here / "other.txt").write_text("aXbX")
    assert run(["text", *arguments]) in (1, 2)
    assert said in capfd.readouterr().err.splitlines()[-1]


def test_without_a_network_it_is_said_how_to_get_one(here, capfd):
    (here / "char.keras").unlink()
    assert run(["text", "lstm", "book.txt"]) == 2
    assert "there is no char.keras here; name a network with --model, or teach one" in capfd.readouterr().err


def test_a_network_is_taught(here, capfd):
    command = ["text", "train", "book.txt", "--units", "4", "--steps", "3", "-o", "mine.keras"]
    assert run(command) == 0
    out, err = capfd.readouterr()
    assert out == "mine.keras\n"
    assert "3 steps of 6,400 characters" in err
    assert run(["layers", "mine.keras"]) == 0
    assert "lstm" in capfd.readouterr().out
    assert run(command) == 1
    assert "mine.keras exists already" in capfd.readouterr().err
    assert run(["text", "train", "--help"]) == 0
    assert "Teach a small network of characters" in capfd.readouterr().out
    assert run(["text", "train", "none.txt", "-o", "other.keras"]) == 2


def test_ctrl_c_keeps_what_was_learnt(here):
    command = [sys.executable, "-m", "dreamer", "text", "train", "book.txt", "--units", "4", "--steps", "1000000",
               "-o", "mine.keras"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while "bits a character" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == "mine.keras\n"
    assert (here / "mine.keras").exists()
