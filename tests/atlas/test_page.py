"""The page in a real browser, from disk: as a person uses it, with names as bad as can be and with 5,000 units."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from page_case import EVIL, make

from dreamer import presets
from dreamer.dreaming.settings import DreamSettings
from dreamer.objectives import Objective

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 780}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """5,000 units in four layers, one with the worst of names, and four classes."""
    layers = {"block4b": 80, "block5c": 112, EVIL: 20, "head": 4784}
    classes = ["tench, Tinca tinca", "tabby, tabby cat", EVIL, "7-eleven"]
    return make(tmp_path_factory.mktemp("large"), layers=layers, classes=classes)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """An atlas of another network than the usual one, with a quote in the name of its file."""
    return make(tmp_path_factory.mktemp("foreign"), layers={EVIL: 3, "it's": 2}, model="it's mine.keras")


@pytest.fixture
def opened(browser):
    """Opens a page; at the end, it must have said nothing, and asked for nothing but files."""
    contexts, said, asked = [], [], []

    def open_page(place, link="", *, viewport=DESK, **options):
        context = browser.new_context(viewport=viewport, **options)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("requestfailed", lambda request: said.append(request.url))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((place if isinstance(place, str) else place.as_uri()) + link)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "http://127.0.0.1:"))] == []


def tiles(page):
    return page.locator("#units li a")


def captions(page):
    return page.locator("#units li .caption").all_text_contents()


def copied(page, label):
    page.get_by_role("button", name=f"Copy {label}").click()
    page.get_by_role("button", name=f"Copy {label}").get_by_text("Copied").wait_for()
    return page.evaluate("navigator.clipboard.readText()")


def test_five_thousand_units_are_found_but_few_are_in_the_page(large, opened):
    page = opened(large)
    assert page.locator("#count").text_content() == "5,000 units"
    assert 20 < tiles(page).count() < 200
    page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    page.wait_for_timeout(100)
    assert 20 < tiles(page).count() < 200
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.locator("#units li", has_text="7-eleven").wait_for()
    in_view = page.locator("#units li img").last
    assert in_view.evaluate("image => image.decode().then(() => image.naturalWidth)") == 32
    most = page.evaluate(
        """async () => {
            let most = 0;
            for (let top = 0; top < document.body.scrollHeight; top += 2000) {
                scrollTo(0, top);
                await new Promise(requestAnimationFrame);
                await new Promise(requestAnimationFrame);
                most = Math.max(most, document.querySelectorAll("#units li").length);
            }
            return most;
        }"""
    )
    assert 20 < most < 200


def test_units_are_found_by_number_layer_and_name(large, opened):
    page = opened(large)
    for text, expected in [
        ("17", ["block4b:17", "block5c:17", page.evaluate("byKey.get(units[80 + 112 + 17].key).objective"), "head:17"]),
        ("block4b:17", ["block4b:17"]),
        ("BLOCK4B/17", ["block4b:17"]),
        ("block5 17", ["block5c:17"]),
        ("tabby", ["tabby"]),
        ("7-", ["7-eleven"]),
        ("nothing at all", []),
    ]:
        page.get_by_role("searchbox").fill(text)
        assert captions(page) == expected
        assert page.locator("#none").is_visible() == (not expected)
        assert page.locator("#count").text_content() == f"{len(expected)} unit{'' if len(expected) == 1 else 's'}"


def test_layers_order_size_and_dead_units(large, opened):
    page = opened(large)
    page.get_by_role("button", name="block4b 80").click()
    assert page.locator("#count").text_content() == "80 units"
    assert captions(page)[:3] == ["0", "1", "2"]
    dead = page.locator("#units li", has_text=re.compile("^dead4$"))
    assert dead.locator("img").count() == 0
    page.get_by_label("Sort").select_option("high")
    scores = page.evaluate("found.map(unit => [unit.dead, unit.score])")
    alive = [score for is_dead, score in scores if not is_dead]
    assert alive == sorted(alive, reverse=True)
    assert [is_dead for is_dead, _ in scores] == [False] * len(alive) + [True] * (80 - len(alive))
    page.get_by_label("hide dead units").check()
    assert page.locator("#count").text_content() == f"{len(alive)} units"
    page.get_by_label("Sort").select_option("low")
    assert page.evaluate("found.map(unit => unit.score)") == sorted(alive)
    before = tiles(page).first.bounding_box()["width"]
    page.get_by_label("Size").fill("256")
    assert tiles(page).first.bounding_box()["width"] > 1.5 * before
    dead_one = opened(large, "#block4b/4")
    assert "did not rise" in dead_one.locator("dialog figcaption").text_content()


def test_a_unit_in_large_has_its_opposite_variants_photos_and_neighbours(large, opened):
    page = opened(large)
    page.get_by_role("button", name="block4b 80").click()
    tiles(page).nth(17).click()
    dialog = page.get_by_role("dialog", name="block4b:17")
    assert page.evaluate("location.hash") == "#block4b/17"
    assert "18 of 80" in dialog.locator("header").text_content()
    assert "drawnlook texture" in dialog.locator(".facts").text_content()
    variants = dialog.get_by_role("group", name="Pictures").get_by_role("button")
    assert [one.get_attribute("aria-label") for one in variants.all()] == [
        "answers to most, 1 of 2", "answers to most, 2 of 2", "answers to least, 1 of 2", "answers to least, 2 of 2",
    ]  # fmt: skip
    variants.nth(2).click()
    assert dialog.locator(".large img").get_attribute("alt") == "block4b:17: answers to least, 1 of 2"
    assert "score \N{MINUS SIGN}2.3" in dialog.locator("figcaption").text_content()
    assert dialog.locator(".examples img").count() == 9
    window, image = (dialog.locator(one).first.bounding_box() for one in (".examples div", ".examples img"))
    # The part is a quarter of the photo's width, from its middle on.
    assert image["width"] == pytest.approx(4 * window["width"], rel=0.01)
    assert image["x"] == pytest.approx(window["x"] - 2 * window["width"], abs=1)
    assert image["y"] == pytest.approx(window["y"] - 0.5 * window["height"], abs=1)
    for key, expected in [("ArrowRight", 18), ("ArrowRight", 19), ("ArrowLeft", 18)]:
        page.keyboard.press(key)
        page.get_by_role("dialog", name=f"block4b:{expected}").wait_for()
    page.keyboard.press("Escape")
    # The browser says later that a dialog is closed. Asked from outside: the page's policy forbids code from a string.
    sync_api.expect(page).to_have_url(re.compile(r"^[^#]*#?$"))
    # Back where the last one stands.
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#block4b/18"


def test_a_link_opens_its_unit_and_what_is_no_link_opens_none(large, foreign, opened):
    assert opened(large, "#block5c/111").get_by_role("dialog", name="block5c:111").is_visible()
    page = opened(large, "#block4b/99999")
    assert page.locator("dialog[open]").count() == 0
    page.evaluate("location.hash = '#head/4000'")
    page.get_by_role("dialog", name="head:4000").wait_for()
    for link in ("#%", "#__proto__/0", "#constructor/1", "#/0", "#block4b/1e1"):
        assert opened(foreign, link).locator("dialog[open]").count() == 0


def test_the_keyboard_alone_is_enough(large, opened):
    page = opened(large)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("/")
    page.keyboard.type("block5c")
    page.keyboard.press("Enter")

    def at():
        return page.evaluate("document.activeElement.getAttribute('href')")

    assert at() == "#block5c/0"
    columns = page.evaluate("grid.columns")
    for key, expected in [("ArrowRight", 1), ("ArrowDown", 1 + columns), ("ArrowLeft", columns), ("ArrowUp", 0)]:
        page.keyboard.press(key)
        assert at() == f"#block5c/{expected}"
    page.keyboard.press("End")
    assert at() == "#block5c/111"
    box = page.locator(":focus").bounding_box()
    assert 0 < box["y"] < 800 - box["height"] + 1
    page.keyboard.press("x")
    page.keyboard.press("Home")
    page.keyboard.press("x")
    assert page.locator("#mix code").text_content() == "dreamer dream photo.jpg --objective 'block5c:111 + block5c:0'"
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="block5c:0").wait_for()
    page.keyboard.press("x")
    assert page.evaluate("document.activeElement.textContent") == "Add to the mix"
    page.keyboard.press("Escape")
    assert page.locator("#mix li").count() == 1


def test_what_is_copied_dreams(large, foreign, opened, tmp_path):
    page = opened(large, "#block4b/17")
    assert copied(page, "command") == "dreamer dream photo.jpg --objective block4b:17"
    path = tmp_path / "mine.toml"
    path.write_text(copied(page, "preset"), encoding="utf-8")
    preset = presets.find(path)
    assert (preset.title, preset.tags) == ("block4b:17", ("atlas",))
    assert preset.settings() == DreamSettings(objective="block4b:17")
    page = opened(foreign)
    for number in range(3):
        page.locator("#units .mark").nth(number).click()
    page.locator("nav button", has_text="it's").click()
    tiles(page).first.press("x")
    weights = page.locator("#mix input")
    for number, weight in enumerate(("-0.5", "1", "0.25", "-2")):
        weights.nth(number).fill(weight)
    program, verb, photo, option, model_option, model = shlex.split(copied(page, "command"))
    assert (program, verb, photo, model_option, model) == (
        "dreamer",
        "dream",
        "photo.jpg",
        "--model",
        "it's mine.keras",
    )
    found = Objective.parse(option.removeprefix("--objective="))
    assert [(weight, term.layer, term.unit) for weight, term in found.terms] == [
        (-0.5, EVIL, 0), (1, EVIL, 1), (0.25, EVIL, 2), (-2, "it's", 0)
    ]  # fmt: skip
    preset = tomllib.loads(copied(page, "preset"))
    assert Objective.parse(preset["objective"]) == found
    assert DreamSettings(model=preset["model"], objective=preset["objective"]).objective == found
    for number in range(4):
        weights.nth(number).fill("0")
    assert page.locator("#mix code").count() == 0
    page.get_by_role("button", name="Clear").click()
    assert page.locator("#mix").is_hidden()


def test_copying_works_without_a_clipboard_to_write_to(large, opened):
    page = opened(large, "#block4b/17")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not over http')); }")
    assert copied(page, "command") == "dreamer dream photo.jpg --objective block4b:17"
    assert page.evaluate("document.activeElement.textContent") == "Copied"


def test_names_are_text_and_nothing_else(large, opened):
    page = opened(large)
    assert EVIL in page.locator("#about").text_content()
    button = page.locator("nav button", has_text="onerror")
    button.click()
    assert page.locator("#count").text_content() == "20 units"
    tiles(page).nth(5).click()
    assert page.locator("dialog dd").nth(0).text_content() == EVIL
    link = page.evaluate("location.hash")
    assert opened(large, link).locator("dialog dd").nth(1).text_content() == "5"
    assert page.locator("img[src=x]").count() == 0
    assert page.evaluate("({}).polluted === undefined && Object.keys(Object.prototype).length") == 0


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_static_server_shows_the_same(foreign, opened):
    handler = partial(_Quiet, directory=foreign.parent)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            page = opened(f"http://127.0.0.1:{server.server_port}/", "#it's/1")
            assert page.locator("dialog dd").nth(0).text_content() == "it's"
            image = page.locator(".large img")
            assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 32
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_shuts_anybody_out(scheme, viewport, large, opened):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    page = opened(large, viewport=viewport, color_scheme=scheme)
    tiles(page).nth(1).focus()
    page.keyboard.press("x")
    for state in ("grid and mix", "unit"):
        if state == "unit":
            page.keyboard.press("Enter")
        found = axe.run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_a_phone_shows_all_of_it(large, opened):
    page = opened(large, viewport=PHONE, has_touch=True, is_mobile=True)
    page.locator("#units li .mark").nth(1).tap()
    assert page.locator("#mix li").count() == 1
    tiles(page).nth(0).tap()
    dialog = page.locator("dialog[open]")
    assert dialog.bounding_box()["width"] == pytest.approx(390, abs=1)
    dialog.get_by_role("button", name="next unit").tap()
    assert page.evaluate("location.hash") == "#block4b/1"
    assert dialog.get_by_role("button", name="In the mix").is_visible()


def test_a_command_with_control_characters_is_copied_as_escapes(opened, large):
    # Pasted, a terminal obeys them even within quotes: Ctrl-C ends the line, and what follows is the next command.
    page = opened(large)
    name = "it's\x03\n\\ \x1b[201~\x85x"
    quoted = page.evaluate("name => shellQuoted(name)", name)
    assert quoted.isprintable()
    said = subprocess.run(["bash", "-c", f"printf %s {quoted}"], capture_output=True, check=True).stdout
    assert said.decode() == name
