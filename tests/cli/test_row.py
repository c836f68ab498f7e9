"""``dreamer row`` as a person uses it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from dreamer.cli import run

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
COLUMNS = """
labels = ["default", "repaid"]

[age]
kind = "integer"
range = [18, 75]

[rate]
kind = "number"
range = [0, 5]
decimals = 1
"""
MINE = ["--model", "credit.keras"]
QUICK = ["--starts", "4", "--steps", "20"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a network that says repaid where the age is high and the rate low, and its columns."""
    monkeypatch.chdir(tmp_path)
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="dense_1"),
                                keras.layers.Dense(1, "sigmoid", name="answer")])  # fmt: skip
    network.set_weights([np.array([[0.1, 1, 0], [-1.0, 0, 0]]), np.zeros(3), np.array([[1.0], [0], [0]]), np.zeros(1)])
    network.save("credit.keras")
    (tmp_path / "credit.toml").write_text(COLUMNS)
    (tmp_path / "applicant.csv").write_text("age,rate\n20,4.0\n30,4.5\n")
    return tmp_path


def test_the_rows_are_a_table(here, capfd):
    assert run(["row", "logit:repaid", *MINE, *QUICK, "--pair", "--answers", "1", "--plausible", "0"]) == 0
    out, _ = capfd.readouterr()
    lines = out.splitlines()
    assert lines[1].split() == ["usual", "most", "least"]
    assert [line.split() for line in lines[2:4]] == [["age", "46", "75", "18"], ["rate", "2.5", "0.0", "5.0"]]
    assert lines[4].split() == ["score", "1.05", "3.75", "-1.6"]
    assert lines[5].startswith("probability")
    assert lines[6].split()[:2] == ["matters", "most"]


def test_a_change_shows_only_what_changes(here, capfd):
    change = ["--columns", "credit.toml", "--from", "applicant.csv", *QUICK]
    assert run(["row", "logit:repaid", *MINE, *change, "--vary", "rate"]) == 0
    out, _ = capfd.readouterr()
    assert [line.split() for line in out.splitlines()[1:3]] == [["now", "change", "1"], ["rate", "4.0", "1.9"]]
    assert "age" not in out
    assert run(["row", "logit:repaid", *MINE, *change, "--vary", "rate", "--line", "2"]) == 0
    assert "4.5" in capfd.readouterr().out
    assert run(["row", "dense_1:1", *MINE, *change, "--above", "100"]) == 1
    assert "no change of these columns does it" in capfd.readouterr().err


def test_rows_are_written_where_they_should_be(here, capfd):
    assert run(["row", "dense_1:1", *MINE, *QUICK, "-o", "rows.csv"]) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "rows.csv"
    head, usual, most, *_ = (here / "rows.csv").read_text().splitlines()
    assert (head, usual) == ("which,score,probability,age,rate", "median,46,,46,2.5")
    assert most.startswith("most,75,,75,")
    assert run(["row", "dense_1:1", *MINE, *QUICK, "-o", "rows.csv"]) == 1
    assert "exists already" in capfd.readouterr().err
    assert run(["row", "dense_1:1", *MINE, *QUICK, "-o", "rows.csv", "--overwrite", "-q"]) == 0
    assert capfd.readouterr() == ("rows.csv\n", "")


def test_every_unit_is_a_line_or_a_page(here, capfd):
    assert run(["row", "--all", "dense_1", *MINE, *QUICK]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[2].split()[:4] == ["dense_1:1", "75", "age", "75"]
    assert lines[3].split() == ["dense_1:2", "0", "dead:", "the", "same", "for", "every", "row"]
    assert run(["row", "--all", "dense_1", *MINE, *QUICK, "-o", "page"]) == 0
    assert capfd.readouterr().out == "page/index.html\n"
    assert (here / "page" / "units.json").exists()


def test_the_answer_for_a_script(here, capfd):
    assert run(["row", "logit:repaid", *MINE, *QUICK, "--json", "--answers", "1", "--plausible", "0"]) == 0
    items = json.loads(capfd.readouterr().out)["items"]
    assert [one["which"] for one in items] == ["median", "most"]
    assert items[1]["values"] == {"age": 75, "rate": 0.0}
    assert items[1]["recipe"]["weights_sha256"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["logit:paid", *MINE], "has no class 'paid'"),
        (["dense_9:1", *MINE], "has no layer 'dense_9'. Close matches: dense_1"),
        (["dense_1:3", *MINE], "has no channel 3; expected 0 to 2"),
        ([*MINE], "name a unit, as logit:default or dense_1:3, or a layer with --all"),
        (["dense_1:1", "--all", "dense_1", *MINE], "and not both"),
        (["dense_1:1", *MINE, "--line", "2"], "--line is for a row that is changed; name its file with --from"),
        (["dense_1:1", *MINE, "--from", "applicant.csv", "--pair"], "--all and --pair are for the rows"),
        (["dense_1:1", *MINE, "--vary", "agee"], "there is no column 'agee' to vary. Close matches: age"),
        (["dense_1:1", *MINE, "--vary", ","], "expected names of columns"),
        (["dense_1:1", *MINE, "--overwrite"], "--overwrite has nothing to do here"),
        (["dense_1:1", *MINE, "--columns", "none.toml"], "cannot read none.toml: No such file"),
        (["dense_1:1", *MINE, "--data", "none.csv"], "cannot read none.csv: No such file"),
        (["logit:repaid", *MINE, "--from", "applicant.csv", "--line", "3"], "has 2 rows; there is no row 3"),
        (["dense_1:1", "--model", "none.keras"], "there is no file none.keras"),
        (["logit:0", "--model", "efficientnet_lite0"], "efficientnet_lite0 takes a picture"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_a_line(here, capfd, arguments, said):
    assert run(["row", *arguments]) in (1, 2)
    error = capfd.readouterr().err
    assert said in error.splitlines()[-1]
    assert not list(here.glob("rows*"))


def test_the_layers_of_a_network_of_rows_are_listed(here, capfd):
    assert run(["layers", "credit.keras"]) == 0
    assert [line.split()[:3] for line in capfd.readouterr().out.splitlines()[1:]] == [
        ["dense_1", "Dense", "3"], ["answer", "Dense", "1"], ["logits", "TwoLogits", "2"],
    ]  # fmt: skip
    assert run(["layers", "credit.keras", "dense", "--json"]) == 0
    (item,) = json.loads(capfd.readouterr().out)["items"]
    assert (item["name"], item["shape"], item["sees"]) == ("dense_1", [3], None)


def test_a_command_for_pictures_says_what_is_for_rows(here, capfd):
    assert run(["visualize", "logit:0", *MINE]) == 1
    assert "Networks of rows are for dreamer row" in capfd.readouterr().err


def test_an_interrupt_ends_the_search_and_writes_nothing(here):
    command = [sys.executable, "-m", "dreamer", "row", "dense_1:1", *MINE, "--steps", "100000", "-o", "rows.csv"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        time.sleep(6)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted" in error
    assert not (here / "rows.csv").exists()
