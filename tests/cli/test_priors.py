"""``dreamer priors``, and the options of a prior."""

from __future__ import annotations

import json

import pytest
from click.shell_completion import ShellComplete
from PIL import Image
from priors.making import blurring

from dreamer import images
from dreamer.cli import cli, run
from dreamer.cli.answers import ITEMS
from dreamer.shapes import problem

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


def test_priors_are_listed(capfd):
    assert run(["priors", "list"]) == 0
    assert "denoiser" in capfd.readouterr().out
    assert run(["priors", "list", "--json"]) == 0
    items = json.loads(capfd.readouterr().out)["items"]
    assert [problem(item, ITEMS["priors list"]) for item in items] == [None] * len(items)
    assert {item["name"]: item["weights"] for item in items} == {
        "denoiser": "bundled", "taesd": "downloadable", "taesd_encoder": "downloadable", "deepsim_fc6": "by hand",
    }  # fmt: skip


def test_what_is_known_of_a_prior(capfd, tmp_path):
    assert run(["priors", "info", "denoiser"]) == 0
    out = capfd.readouterr().out
    assert "bundled" in out
    assert "CC0-1.0" in out
    blurring().save(tmp_path / "mine.keras")
    assert run(["priors", "info", str(tmp_path / "mine.keras")]) == 0
    assert "in the file" in capfd.readouterr().out
    assert run(["priors", "info", "denoisr"]) == 2
    assert "Close matches: denoiser" in capfd.readouterr().err


def test_a_dream_and_a_drawing_with_the_prior_that_ships(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    Image.effect_noise((53, 37), 60).convert("RGB").save("a.png")
    more = ["--prior", "denoiser", "--prior-noise", "0.2..0.05", "-q"]
    assert run(["dream", "a.png", "--octaves", "1", "--steps", "2", *more]) == 0
    assert images.read_recipe(tmp_path / "a-dream.png")["settings"]["prior_noise"] == [0.2, 0.05]
    assert run(["visualize", "logit:tiger", "--size", "32", "--steps", "2", *more, "-o", "t.png"]) == 0
    recipe = images.read_recipe(tmp_path / "t.png")
    assert recipe["settings"]["prior"] == "denoiser"
    assert len(recipe["prior_sha256"]) == 64


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["dream", "a.png", "--prior", "nothing"], "there is no prior 'nothing'"),
        (["visualize", "block4b", "--prior", "nothing"], "there is no prior 'nothing'"),
        (["atlas", "block4b", "-o", "out", "--prior", "nothing"], "there is no prior 'nothing'"),
        (["batch", "in", "out", "--prior", "nothing"], "there is no prior 'nothing'"),
        (["dream", "a.png", "--prior-weight", "0.5"], "--prior-weight is how much a prior counts, and there is none"),
        (["dream", "a.png", "--prior", "denoiser", "--prior-noise", "0.2-0.1"], "is no range; expected a number"),
        (["dream", "a.png", "--prior", "denoiser", "--prior-noise", "1..2"], "prior_noise is (1.0, 2.0); expected"),
    ],
)
def test_what_is_wrong_with_a_prior_is_said_before_any_work(tmp_path, monkeypatch, capfd, command, said):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (53, 37)).save("a.png")
    (tmp_path / "in").mkdir()
    assert run(command) == 2
    assert said in capfd.readouterr().err


def test_a_shell_completes_priors():
    shell = ShellComplete(cli, {}, "dreamer", "_DREAMER_COMPLETE")
    assert [item.value for item in shell.get_completions(["dream", "a.png", "--prior"], "den")] == ["denoiser"]
    assert [item.value for item in shell.get_completions(["models", "fetch"], "tae")] == ["taesd", "taesd_encoder"]
    assert [item.value for item in shell.get_completions(["visualize", "--prior"], "tae")] == ["taesd"]
    assert [item.type for item in shell.get_completions(["visualize", "--prior"], "mine")] == ["file"]
