"""The page of a photo in a real browser, from disk: what it shows where one points, and names as bad as can be."""

from __future__ import annotations

import re
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import quote

import pytest
from PIL import Image

from dreamer import pages

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
EVIL = '</script><img src=x onerror=alert(1)> "it\'s" %41 #1?.jpg'
FILE = EVIL.replace("/", "\N{FRACTION SLASH}")  # What of it a file can be called.
EVIL_HEAT = "heat/" + quote(f"{FILE}.png", safe="!'()*~")
WIDTH, HEIGHT = 160, 100
ROWS, COLUMNS = 6, 10
FIRST, STRIDE, EXTENT = [7.5, 5.0], [16.0, 15.5], [40, 30]


def channel_at(row, column):
    return 1000 + 100 * row + column


def unit(channel, name, **values):
    usual = {"score": 2.1, "unusual": 3.4, "beats": 0.99, "picture": None, "heat": f"heat/{channel}.png", "at": [1, 2]}
    return {"channel": channel, "name": name, "attribution": None} | usual | values


def example():
    """Two layers with positions and one without; the second has evidence, and a name that is none."""
    places = [[[channel_at(row, column), 3.4], [17, 2.2]] for row in range(ROWS) for column in range(COLUMNS)]
    places[-1] = []
    grid = {"rows": ROWS, "columns": COLUMNS, "first": FIRST, "stride": STRIDE, "extent": EXTENT, "places": places}
    units = [
        unit(17, "plain:17", picture=f"units/{FILE}.png"),
        unit(3, "plain:3", beats=None, heat=f"heat/{FILE}.png", at=[0, 0]),
        unit(5, "plain:5", heat=None, at=None, beats=1.0),
    ]
    evidence = {
        "heat": "heat/for.png",
        "total": -1.9,
        "for": [17, 44],
        "against": [3],
        "groups": [{"name": EVIL, "heat": "heat/group.png", "picture": None, "attribution": -0.4}],
    }
    asked = [unit(17, EVIL, attribution=0.8), unit(3, "evil:3", attribution=-0.25)]
    predictions = [
        {"index": 281, "name": "tabby, tabby cat", "probability": 0.41},
        {"index": 1, "name": EVIL, "probability": 0.0001},
    ]
    return {
        "title": EVIL,
        "model": "efficientnet_lite0_robust",
        "about": "The whole photo, compared with 100 others.",
        "photo": {"path": f"{FILE}.webp", "width": WIDTH, "height": HEIGHT},
        "predictions": predictions,
        "crops": {
            "count": 2,
            "how": "Halves of the photo.",
            "predictions": predictions[:1],
            "boxes": [[0, 0, 1, 0.5], [0.1, 0.5, 0.8, 0.5]],
            "best": predictions,
        },
        "question": {"for": "tabby, tabby cat", "against": "tiger, Panthera tigris", "score": 3.2},
        "layers": [
            {**grid, "name": "plain", "units": units, "attribution": None, "pictures": {"17": units[0]["picture"]}},
            {**grid, "name": EVIL, "extent": None, "units": asked, "attribution": evidence, "pictures": {}},
            {
                "name": "head",
                "rows": 1,
                "columns": 1,
                "first": None,
                "stride": None,
                "extent": None,
                "units": [],
                "places": [[[281, 5.0]]],
                "attribution": None,
                "pictures": {},
            },
        ],
    }


def bare():
    """Nothing but a photo."""
    return example() | {"predictions": [], "crops": None, "question": None, "layers": []}


def write(folder, data):
    for name in ("units", "heat"):
        (folder / name).mkdir()
    Image.new("RGB", (WIDTH, HEIGHT), (90, 120, 60)).save(folder / data["photo"]["path"])
    for path in {one["picture"] for layer in data["layers"] for one in layer["units"] if one["picture"]}:
        Image.new("RGB", (32, 32), (200, 80, 40)).save(folder / path)
    heats = {one["heat"] for layer in data["layers"] for one in layer["units"] if one["heat"]}
    for path in heats | {"heat/for.png", "heat/group.png"}:
        Image.new("RGBA", (WIDTH, HEIGHT), (255, 160, 0, 120)).save(folder / path)
    (folder / "index.html").write_bytes(pages.page("dreamer.seeing", "see", data, pictures=True))
    return folder / "index.html"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write(tmp_path_factory.mktemp("see"), example())


@pytest.fixture
def opened(browser):
    """Opens a page; at the end, it must have said nothing, and asked for nothing but files beside it."""
    contexts, said, asked, homes = [], [], [], []

    def open_page(place, link="", *, viewport=DESK, **options):
        address = place if isinstance(place, str) else place.as_uri()
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        homes.append(address.rpartition("/")[0] + "/")
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("requestfailed", lambda request: said.append(request.url))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address + link)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith((*homes, "data:"))] == []


def expect(page, selector):
    return sync_api.expect(page.locator(selector))


def point(page, x, y):
    """Point at a pixel of the photo."""
    frame = page.locator("#stage").bounding_box()
    page.mouse.move(frame["x"] + frame["width"] * x / WIDTH, frame["y"] + frame["height"] * y / HEIGHT)


def drawn_box(page, selector="#box"):
    """Where a box lies, as top, left, bottom and right in pixels of the photo."""
    frame, box = (page.locator(one).bounding_box() for one in ("#stage", selector))
    scale = WIDTH / frame["width"]
    top, left = (box["y"] - frame["y"]) * scale, (box["x"] - frame["x"]) * scale
    return [top, left, top + box["height"] * scale, left + box["width"] * scale]


def seen_by(row, column):
    y, x = FIRST[0] + row * STRIDE[0], FIRST[1] + column * STRIDE[1]
    height, width = EXTENT
    return [max(y - height / 2, 0), max(x - width / 2, 0), min(y + height / 2, HEIGHT), min(x + width / 2, WIDTH)]


def near(values):
    return pytest.approx(values, abs=0.3)


def is_loaded(image):
    return image.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")


def card(page, number):
    return page.locator("#panel .cards button").nth(number)


def heat(page):
    return [one.get_attribute("src") for one in page.locator("#heat img").all()]


@pytest.mark.parametrize(
    ("x", "y", "row", "column"),
    [(5, 7, 0, 0), (66, 55, 3, 4), (59, 63, 3, 3), (58, 65, 4, 3), (0.5, 99, 5, 0), (159, 1, 0, 9)],
)
def test_pointing_at_the_photo_shows_what_fires_at_the_nearest_position(x, y, row, column, made, opened):
    page = opened(made)
    point(page, x, y)
    expect(page, "#said-title").to_have_text(f"Row {row}, column {column}")
    assert page.locator("#said .units b").all_text_contents() == [str(channel_at(row, column)), "17"]
    assert page.locator("#said .units small").all_text_contents() == ["3.4", "2.2"]
    assert is_loaded(page.locator("#said .units img"))
    assert drawn_box(page) == near(seen_by(row, column))
    top, left, bottom, right = drawn_box(page, "#cross")
    middle = [FIRST[0] + row * STRIDE[0], FIRST[1] + column * STRIDE[1]]
    assert [(top + bottom) / 2, (left + right) / 2] == near(middle)


def test_what_is_pointed_at_goes_when_the_pointer_does_unless_it_is_pressed(made, opened):
    page = opened(made)
    point(page, 66, 55)
    page.mouse.move(5, 5)
    expect(page, "#said-title").to_have_text("Point at the photo")
    expect(page, "#box").to_be_hidden()
    expect(page, "#cross").to_be_hidden()
    point(page, 66, 55)
    page.mouse.down()
    page.mouse.up()
    page.mouse.move(5, 5)
    expect(page, "#said-title").to_have_text("Row 3, column 4")
    page.get_by_role("tab").nth(1).click()
    # Another layer is asked about the same place; of this one, a position sees all of the photo.
    expect(page, "#said").to_contain_text("this position sees the whole photo")
    assert drawn_box(page) == near([0, 0, HEIGHT, WIDTH])


def test_nothing_that_stands_out_is_said(made, opened):
    page = opened(made)
    point(page, WIDTH - 1, HEIGHT - 1)
    expect(page, "#said").to_have_text("Nothing stands out here in plain.")


def test_a_layer_without_positions_speaks_of_the_whole_photo(made, opened):
    page = opened(made, "#layer=head")
    expect(page, "#panel").to_have_text("Nothing stands out in head.")
    point(page, 30, 30)
    expect(page, "#said-title").to_have_text("The whole photo")
    assert page.locator("#said .units b").all_text_contents() == ["281"]
    assert drawn_box(page) == near([0, 0, HEIGHT, WIDTH])
    expect(page, "#cross").to_be_hidden()
    page.locator("#stage").press("ArrowLeft")
    expect(page, "#live").to_have_text("The whole photo: channel 281, 5.0")


def test_a_unit_is_laid_over_the_photo_and_pinned(made, opened):
    page = opened(made)
    words = [one.inner_text().split("\n") for one in page.locator("#panel .cards .words").all()]
    assert words == [
        ["plain:17", "stands out 3.4", "more than 99 of 100 photos"],
        ["plain:3", "stands out 3.4"],
        ["plain:5", "stands out 3.4", "more than all photos"],
    ]
    assert heat(page) == []
    card(page, 1).hover()
    assert heat(page) == [EVIL_HEAT]
    assert is_loaded(page.locator("#heat img"))
    assert drawn_box(page, "#heat img") == near([0, 0, HEIGHT, WIDTH])
    assert drawn_box(page) == near(seen_by(0, 0))
    card(page, 0).click()
    page.mouse.move(5, 5)
    assert heat(page) == ["heat/17.png"]
    assert drawn_box(page) == near(seen_by(1, 2))
    expect(page, "#said").to_contain_text(
        "Strongest at row 1, column 2, which sees 30 \N{MULTIPLICATION SIGN} 40 pixels."
    )
    # A pinned unit stays over the photo while a person asks what else fires there.
    point(page, 66, 55)
    assert heat(page) == ["heat/17.png"]
    assert drawn_box(page) == near(seen_by(3, 4))
    card(page, 2).hover()
    assert heat(page) == []
    expect(page, "#box").to_be_hidden()
    card(page, 0).click()
    assert heat(page) == []
    assert card(page, 0).get_attribute("aria-pressed") == "false"


def test_what_fires_in_a_place_can_be_pressed_and_the_place_stays(made, opened):
    page = opened(made)
    point(page, 66, 55)
    page.mouse.down()
    page.mouse.up()
    found = page.locator("#said .units button")
    assert found.count() == 1
    found.hover()
    assert heat(page) == ["heat/17.png"]
    assert drawn_box(page) == near(seen_by(1, 2))
    found.click()
    page.mouse.move(5, 5)
    assert card(page, 0).get_attribute("aria-pressed") == "true"
    expect(page, "#said-title").to_have_text("Row 3, column 4")


def test_the_overlay_is_as_strong_as_asked_for(made, opened):
    page = opened(made)
    card(page, 0).click()
    for value in (75, 20):
        page.get_by_label("Overlay").fill(str(value))
        expect(page, "#heat").to_have_css("opacity", str(value / 100))


def test_the_keyboard_alone_is_enough(made, opened):
    page = opened(made)
    page.keyboard.press("Tab")
    expect(page, ".skip").to_be_focused()
    page.keyboard.press("Tab")
    expect(page, "#stage").to_be_focused()
    for key, row, column in [
        ("ArrowUp", 3, 5), ("ArrowUp", 2, 5), ("ArrowRight", 2, 6), ("ArrowDown", 3, 6), ("ArrowLeft", 3, 5),
    ]:  # fmt: skip
        page.keyboard.press(key)
        where = f"Row {row}, column {column}"
        expect(page, "#live").to_have_text(f"{where}: channel {channel_at(row, column)}, 3.4; channel 17, 2.2")
        assert drawn_box(page) == near(seen_by(row, column))
    for key, row, column in [("ArrowUp", 0, 5), ("ArrowLeft", 0, 0), ("ArrowDown", 5, 0), ("ArrowRight", 5, 9)]:
        for _ in range(12):
            page.keyboard.press(key)
        expect(page, "#said-title").to_have_text(f"Row {row}, column {column}")
    page.keyboard.press("Escape")
    expect(page, "#box").to_be_hidden()
    tabs = page.get_by_role("tab")
    tabs.nth(0).focus()
    for key, place in [("ArrowLeft", 2), ("ArrowRight", 0), ("ArrowRight", 1), ("End", 2), ("Home", 0)]:
        page.keyboard.press(key)
        sync_api.expect(tabs.nth(place)).to_be_focused()
        assert [one.get_attribute("aria-selected") for one in tabs.all()].index("true") == place
        assert [one.get_attribute("tabindex") for one in tabs.all()].count("0") == 1
    page.keyboard.press("Tab")
    sync_api.expect(card(page, 0)).to_be_focused()
    assert heat(page) == ["heat/17.png"]
    page.keyboard.press("Tab")
    assert heat(page) != ["heat/17.png"]
    page.keyboard.press("Enter")
    assert card(page, 1).get_attribute("aria-pressed") == "true"
    # Keys on the photo start where the pinned unit fires most.
    page.locator("#stage").press("ArrowDown")
    expect(page, "#said-title").to_have_text("Row 0, column 0")
    page.keyboard.press("Escape")
    assert heat(page) == []


def test_predictions_and_crops(made, opened):
    page = opened(made)
    tables = page.get_by_role("table")
    assert tables.nth(0).locator("th").all_text_contents() == ["tabby", EVIL]
    assert tables.nth(0).locator("td.number").all_text_contents() == ["41%", "< 0.1%"]
    bar, cell = tables.nth(0).locator(".bar").first.bounding_box(), tables.nth(0).locator("td").first.bounding_box()
    assert bar["width"] == pytest.approx(0.41 * cell["width"], rel=0.05)
    assert tables.nth(1).locator("caption").text_content() == "The mean of 2 crops"
    expect(page, "#question").to_have_text("Asked: what speaks for tabby against tiger? The score is 3.20.")
    crops = page.locator("#crops button")
    assert crops.first.text_content() == "1 tabby 41%"
    crops.nth(1).hover()
    assert drawn_box(page) == near([0.1 * HEIGHT, 0.5 * WIDTH, 0.9 * HEIGHT, WIDTH])
    crops.nth(0).click()
    page.get_by_role("tab").nth(1).click()
    page.mouse.move(5, 5)
    assert drawn_box(page) == near([0, 0, HEIGHT, WIDTH / 2])


def test_what_speaks_for_and_against(made, opened):
    page = opened(made)
    page.get_by_role("tab").nth(1).click()
    assert page.locator("#panel .cards").first.locator("small").all_text_contents() == [
        "stands out 3.4", "more than 99 of 100 photos", "speaks for +0.80",
        "stands out 3.4", "more than 99 of 100 photos", "speaks against \N{MINUS SIGN}0.25",
    ]  # fmt: skip
    expect(page, "#panel h2").to_have_text("What speaks for tabby against tiger")
    expect(page, "#panel section > p").to_have_text(f"All of {EVIL} adds up to \N{MINUS SIGN}1.90.")
    sides = {one: page.get_by_role("list", name=f"Speaks {one}", exact=True) for one in ("for", "against")}
    assert [one.inner_text().split() for one in sides["for"].get_by_role("listitem").all()] == [["17", "+0.80"], ["44"]]
    assert sides["for"].get_by_role("button").count() == 1
    sides["against"].get_by_role("button").hover()
    assert heat(page) == ["heat/3.png"]
    where = page.get_by_role("button", name="Show where")
    for expected in (["heat/for.png"], []):
        where.click()
        page.mouse.move(5, 5)
        where.blur()
        assert heat(page) == expected
    group = page.get_by_role("list", name="Groups").get_by_role("button")
    group.click()
    assert heat(page) == ["heat/group.png"]
    assert is_loaded(page.locator("#heat img"))
    expect(page, "#said-title").to_have_text(EVIL)
    expect(page, "#said .against").to_have_text("speaks against \N{MINUS SIGN}0.40")


def test_a_link_leads_to_its_layer_and_unit(made, opened):
    page = opened(made)
    assert "#" not in page.url
    page.get_by_role("tab").nth(1).click()
    card(page, 1).click()
    link = "#" + page.url.partition("#")[2]
    other = opened(made, link)
    assert [one.get_attribute("aria-selected") for one in other.get_by_role("tab").all()] == ["false", "true", "false"]
    assert card(other, 1).get_attribute("aria-pressed") == "true"
    assert heat(other) == ["heat/3.png"]
    other.goto(made.as_uri() + "#layer=plain&unit=17")
    expect(other, "#said-title").to_have_text("plain:17")
    card(other, 0).click()
    sync_api.expect(other).to_have_url(re.compile("#layer=plain$"))
    for bad in ("#%", "#layer=__proto__&unit=0", "#unit=17", "#layer=plain&unit=1e1", "#units"):
        page = opened(made, bad)
        assert page.get_by_role("tab").first.get_attribute("aria-selected") == "true"
        assert heat(page) == []


def test_names_are_text_and_nothing_else(made, opened):
    page = opened(made)
    expect(page, "h1").to_have_text(EVIL)
    assert page.title() == EVIL
    assert page.get_by_role("tab").nth(1).text_content() == EVIL
    page.get_by_role("tab").nth(1).click()
    assert card(page, 0).locator("b").text_content() == EVIL
    card(page, 0).hover()
    point(page, 66, 55)
    assert page.locator("img[src=x]").count() == 0
    assert is_loaded(page.locator("#photo"))


def test_a_photo_of_which_nothing_is_known_is_still_a_page(tmp_path, opened):
    page = opened(write(tmp_path, bare()))
    expect(page, "#none").to_be_visible()
    expect(page, "#answers").to_be_hidden()
    point(page, 50, 50)
    page.mouse.down()
    page.mouse.up()
    page.locator("#stage").press("ArrowUp")
    expect(page, "#said-title").to_have_text("Point at the photo")


def test_without_scripts_a_sentence_says_where_the_same_is(made, opened):
    page = opened(made, java_script_enabled=False)
    expect(page, "noscript p").to_have_text("This page needs JavaScript. see.json beside it holds the same.")
    expect(page, "main").to_be_hidden()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_static_server_shows_the_same(made, opened):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=made.parent)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            page = opened(f"http://127.0.0.1:{server.server_port}/", "#layer=plain&unit=3")
            for image in (page.locator("#photo"), page.locator("#heat img"), card(page, 0).locator("img")):
                assert is_loaded(image)
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_shuts_anybody_out(scheme, viewport, made, opened):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    page = opened(made, viewport=viewport, color_scheme=scheme)
    for state in ("nothing", "place", "unit and evidence", "no positions"):
        if state == "place":
            page.locator("#stage").press("ArrowUp")
        elif state != "nothing":
            page.get_by_role("tab").nth(1 if state == "unit and evidence" else 2).click()
        if state == "unit and evidence":
            card(page, 0).click()
        found = axe.run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_a_phone_keeps_the_photo_in_view(made, opened):
    page = opened(made, viewport=PHONE, has_touch=True, is_mobile=True)
    card(page, 2).scroll_into_view_if_needed()
    card(page, 1).tap()
    assert heat(page) == [EVIL_HEAT]
    frame = page.locator("#stage").bounding_box()
    assert frame["y"] >= 0
    assert frame["y"] + frame["height"] < PHONE["height"] / 2
    page.touchscreen.tap(frame["x"] + frame["width"] * 66 / WIDTH, frame["y"] + frame["height"] * 55 / HEIGHT)
    expect(page, "#said-title").to_have_text("Row 3, column 4")
    assert page.locator("#said .units b").all_text_contents() == [str(channel_at(3, 4)), "17"]
    assert heat(page) != []
    card(page, 1).tap()
    assert heat(page) == []
