"""The page of a text: it holds nobody's markup, and long texts do not stall it."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from dreamer.texts import page
from dreamer.texts.colours import coloured, mixed
from dreamer.texts.following import Follows

EVIL = "</script><img src=x onerror=alert(1)>\n\u2028"


def data(text, units=3, seed=0, follows=()):
    values = np.tanh(np.random.default_rng(seed).normal(size=(len(text), units))).astype(np.float32)
    return values, page.data_of(EVIL, "lstm", "cell", tuple(text), values, range(units), follows)


def test_the_text_is_data_and_no_markup(tmp_path):
    page.save(tmp_path / "a.html", data(EVIL * 3)[1])
    made = (tmp_path / "a.html").read_text()
    assert made.count("<script") == 2
    assert "<img" not in made
    assert "'unsafe" not in made
    held = json.loads(made.split('id="data">')[1].split("</script>")[0])
    assert held["text"] == EVIL * 3


def test_values_are_bytes_of_a_scale_that_all_share():
    values, held = data("abcdefgh")
    assert held["scale"] == pytest.approx(np.abs(values).max())
    for index, unit in enumerate(held["units"]):
        back = np.frombuffer(base64.b64decode(unit["values"]), np.int8) / 127 * held["scale"]
        assert np.allclose(back, values[:, index], atol=held["scale"] / 254 + 1e-6)


def test_units_that_follow_something_come_first():
    values = np.random.default_rng(0).normal(size=(50, 4)) * np.array([3, 2, 1, 0.1])
    follows = [Follows("strings", "x", 3, 0.95, 1, 0.6, 0.2), Follows("url", "x", 2, 0.55, 1, 0.6, 0.2)]
    assert page.chosen(values.astype(np.float32), 3, follows) == [3, 0, 1]


def test_where_a_unit_is_strongest_lies_apart():
    values = np.zeros(500, np.float32)
    values[[100, 101, 102, 400]] = [0.9, 1, 0.8, -0.7]
    assert page.strongest(values, 2) == [101, 400]


def test_a_terminal_sees_colours_and_no_orders():
    made = "".join(coloured(list("a\x1bb\nc"), np.array([0.0, 1.0, -1.0, -1.0, 0.5], np.float32)))
    assert "\\x1b" in made
    assert made.startswith("a\x1b[48;2;35;105;210m")
    assert "\x1b[48;2;202;45;45m\x1b[38;2;255;255;255mb\x1b[0m\n" in made
    assert mixed(0.5)[2] > mixed(0.5)[0]


def test_a_browser_shows_long_texts_at_once(tmp_path, browser):
    from playwright.sync_api import expect

    text = "".join(f"line {index}: x = f(y)  # ü {EVIL[:9]}\n" for index in range(6500))
    assert len(text) > 200_000
    follows = [Follows("comments", "lstm", 2, 0.97, 1, 0.6, 0.2)]
    page.save(tmp_path / "a.html", data(text, 20, follows=follows)[1])
    shown = browser.new_page()
    complaints = []
    shown.on("console", lambda told: complaints.append(told.text))
    shown.on("pageerror", lambda told: complaints.append(str(told)))
    shown.goto((tmp_path / "a.html").as_uri())
    expect(shown.locator("#units button")).to_have_count(20)
    expect(shown.locator("#seen")).to_contain_text("line 0: x")
    assert shown.locator("#seen div").count() < 200
    shown.locator("#find-text").fill("line 6400:")
    expect(shown.locator("#seen .found")).to_have_text("l")
    shown.locator("#find-text").blur()
    shown.keyboard.press("j")
    expect(shown.locator("#unit")).to_have_text("lstm:1, cell")
    shown.keyboard.press("n")
    expect(shown.locator("#seen .found")).to_have_count(1)
    shown.locator("#find-unit").fill("comments")
    expect(shown.locator("#units button")).to_have_count(1)
    shown.locator("#units button").click()
    expect(shown.locator("#unit")).to_have_text("lstm:2, cell: comments, AUC 0.97")
    shown.locator("#seen span").first.hover()
    expect(shown.locator("#value")).to_contain_text(".")
    shown.locator("#examples button").nth(1).click()
    expect(shown.locator("#seen .found")).to_have_count(1)
    assert complaints == []
