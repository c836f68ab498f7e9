from __future__ import annotations

import json

import pytest

from dreamer import doctor
from dreamer.backends import measuring
from dreamer.cli import run
from dreamer.cli.answers import ITEMS
from dreamer.shapes import problem


@pytest.fixture
def _small(monkeypatch):
    monkeypatch.setattr(doctor, "_SIDE", 64)
    monkeypatch.setattr(measuring, "_SIDE", 128)
    monkeypatch.setattr(measuring, "_NUMBERS", 2**16)


@pytest.mark.usefixtures("_small")
def test_each_fact_has_its_line(capfd):
    assert run(["doctor"]) == 0
    lines = [line.split(maxsplit=1) for line in capfd.readouterr().out.splitlines()]
    heads = [head for head, _ in lines]
    assert heads == ["backend", "device", *["precision"] * 6, "rate", "versions", "cache"]
    facts = dict(lines)
    assert facts["backend"].startswith("tensorflow 2.")
    assert "GFLOP/s" in facts["rate"]
    assert "efficientnet_lite0 block5c at 64 pixels" in facts["rate"]
    assert "no networks but the bundled ones" in facts["cache"]


@pytest.mark.usefixtures("_small")
def test_programs_get_json(capfd):
    assert run(["doctor", "--json"]) == 0
    [report] = json.loads(capfd.readouterr().out)["items"]
    assert problem(report, ITEMS["doctor"]) is None
    assert set(report) == set(ITEMS["doctor"])
    rate = report["rate"]
    assert rate["seconds"] > 0
    assert rate["operations_bound"] > 0 < rate["memory_bound"]
    assert rate["operations_bound"] * rate["peak"] == pytest.approx(rate["operations_per_second"] * rate["seconds"])
    assert report["precision"]["inception_v1"]["name"] == "float32"
    assert all(chosen["why"] for chosen in report["precision"].values())


def test_without_the_rate_nothing_is_computed(capfd, monkeypatch):
    monkeypatch.setattr(doctor, "_rate", lambda: pytest.fail("measured"))
    assert run(["doctor", "--no-rate", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["items"][0]["rate"] is None


def test_rates_are_of_this_world(monkeypatch):
    monkeypatch.setattr(measuring, "_SIDE", 512)
    assert 1e8 < measuring.matrix_product_rate("float32", repeats=3) < 1e15
    monkeypatch.setattr(measuring, "_NUMBERS", 2**22)
    assert 1e8 < measuring.bandwidth(repeats=3) < 1e14
