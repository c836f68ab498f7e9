"""The page of a map in a real browser, from disk: as a person uses it, with names as bad as can be."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from dreamer import pages

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
EVIL = "</script><img src=x onerror=alert(1)> \"quoted\" 'it' 100% #1?.jpg"
CROP = "crops/100% #1? \"quoted\" 'it' & <b>.webp"
BY = "\N{MULTIPLICATION SIGN}"
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
TABBY, TIGER_CAT, RED_FOX, FOXHOUND, CATAMARAN = 281, 282, 277, 167, 484
CLASSES = {
    TABBY: "tabby, tabby cat",
    TIGER_CAT: "tiger cat",
    RED_FOX: "red fox, Vulpes vulpes",
    FOXHOUND: "English foxhound",
    CATAMARAN: "catamaran",
    3: EVIL,
}


def made_up():
    """Three levels; the finest has cells on every other square, the fox in one of them, the foxhound in another."""
    crop = {"photo": EVIL, "crop": CROP}
    levels = []
    for grid in (20, 6, 12):
        cells = [
            {
                "row": row,
                "column": column,
                "count": 10 + row,
                "photos": [crop] * 4,
                "labels": [[TABBY, 0.8], [3, -0.25]],
            }
            for row in range(grid)
            for column in range(row % 2, grid, 2)
        ]
        levels.append({"grid": grid, "sheet": f"level {grid}%.webp", "tile": 24, "cells": cells})
    finest, coarse, middle = levels
    finest["cells"][33]["labels"] = [[TIGER_CAT, 0.5], [RED_FOX, 0.3]]
    finest["cells"][77]["labels"] = [[RED_FOX, 0.9], [TIGER_CAT, 0.1]]
    middle["cells"][5]["labels"] = [[RED_FOX, 0.2]]
    coarse["cells"][2]["labels"] = [[FOXHOUND, 1234.5]]
    coarse["cells"][3]["labels"] = [[CATAMARAN, 0.5]]
    coarse["cells"][0].update(count=1, labels=[], photos=[])
    points = np.random.default_rng(0).uniform(0.05, 0.95, size=(500, 2)).round(3)
    return {
        "title": EVIL,
        "about": f"A layer of {EVIL}",
        "photos": 250,
        "points": 500,
        "per_photo": 2,
        "classes": {str(index): name for index, name in CLASSES.items()},
        "levels": levels,
        "at": [[x, y, index % 250] for index, (x, y) in enumerate(points.tolist())],
        "names": ["only one.jpg", *[f"{index} {EVIL}" for index in range(1, 250)]],
        "placed": [
            {"photo": EVIL, "crop": CROP, "at": [[0.52, 0.52], [0.125, 0.875]], "near": [crop] * 3},
            {"photo": "mine.jpg", "crop": CROP, "at": [[0.3, 0.3]], "near": []},
        ],
    }


def make(folder, data):
    (folder / CROP).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((24, 24, 3), 200, np.uint8)).save(folder / CROP)
    for level in data["levels"]:
        side = level["grid"] * level["tile"]
        shades = np.random.default_rng(side).integers(0, 255, (level["grid"], level["grid"], 3), np.uint8)
        Image.fromarray(shades).resize((side, side), Image.Resampling.NEAREST).save(folder / level["sheet"])
    place = folder / "index.html"
    place.write_bytes(pages.page("dreamer.mapping", "map", data, pictures=True))
    return place


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make(tmp_path_factory.mktemp("a map, 100% #1"), made_up())


@pytest.fixture
def opened(browser):
    """Opens a page; at the end, it must have said nothing, and asked for nothing but files."""
    contexts, said, asked = [], [], []

    def open_page(place, link="", *, viewport=DESK, **options):
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("requestfailed", lambda request: said.append(request.url))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(place.as_uri() + link)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith("file:")] == []


def seen(page):
    """What the page shows, and where."""
    return SimpleNamespace(
        **page.evaluate(
            """() => ({
                grid: level?.grid, x: view.x, y: view.y, scale: view.scale, hash: location.hash,
                chosen: chosen && [chosen.level.grid, chosen.row, chosen.column],
                found: wanted && [...wanted.values.keys()].map((cell) => [cell.row, cell.column]),
            })"""
        )
    )


def at_rest(page):
    """What the page shows once nothing moves any more."""
    page.wait_for_function("() => flight === null")
    return seen(page)


def canvas_place(page, x, y):
    """A point of the map as a place in the window."""
    left, top = page.evaluate("([x, y]) => [toX(x), toY(y)]", [x, y])
    box = page.locator("#map").bounding_box()
    return box["x"] + left, box["y"] + top


def pixel(page, x, y):
    """The colour in the window at a point of the map."""
    import io

    left, top = canvas_place(page, x, y)
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB").getpixel((round(left), round(top)))


def shade(grid, row, column):
    """The colour of an icon of the made-up sheets."""
    return np.random.default_rng(grid * 24).integers(0, 255, (grid, grid, 3), np.uint8)[row, column].astype(int)


def test_icons_lie_where_their_cells_are_and_nowhere_else(place, opened):
    page = opened(place)
    page.wait_for_function("() => levels.every((one) => one.sheet) && !fading")
    assert seen(page).grid == 6
    # WebP is not exact.
    assert np.allclose(pixel(page, 4.5 / 6, 2.5 / 6), shade(6, 2, 4), atol=12)
    ground = pixel(page, 3.5 / 6, 2.5 / 6)
    assert ground == (250, 249, 246)


def test_the_level_follows_the_zoom(place, opened):
    page = opened(place)
    assert (seen(page).grid, seen(page).hash) == (6, "")
    grids, icons = [], []
    page.locator("#map").focus()
    for _ in range(8):
        page.keyboard.press("+")
        now = at_rest(page)
        grids.append(now.grid)
        icons.append(now.scale / now.grid)
        assert now.hash == f"#{now.grid}"
    assert list(dict.fromkeys(grids)) == [12, 20]
    assert icons[-1] == pytest.approx(240)
    expect(page.locator("#levels button[aria-pressed=true]")).to_have_text("20")
    page.keyboard.press("0")
    assert at_rest(page).grid == 6
    x, y = canvas_place(page, 0.25, 0.25)
    page.mouse.move(x, y)
    for _ in range(6):
        page.mouse.wheel(0, -200)
    page.wait_for_function("() => level.grid === 20")
    # What lay under the mouse still does.
    assert canvas_place(page, 0.25, 0.25) == pytest.approx((x, y), abs=1)
    for _ in range(12):
        page.get_by_role("button", name="Zoom out").click()
        at_rest(page)
    assert seen(page).scale == pytest.approx(0.94 * 800)
    page.locator("#levels button", has_text="12").click()
    assert at_rest(page).scale / 12 == pytest.approx(96)


def test_a_large_screen_can_show_a_coarse_level_too(place, opened):
    page = opened(place, viewport={"width": 2560, "height": 1900})
    assert seen(page).grid == 20 or seen(page).grid == 12
    page.locator("#levels button", has_text=re.compile("^6$")).click()
    assert at_rest(page).grid == 6
    page.get_by_role("button", name="Zoom in").click()
    assert at_rest(page).grid == 20


def test_the_map_is_dragged(place, opened):
    page = opened(place, "#12")
    before = seen(page)
    page.mouse.move(800, 400)
    page.mouse.down()
    page.mouse.move(700, 300, steps=5)
    page.mouse.up()
    after = seen(page)
    assert after.x - before.x == pytest.approx(100 / before.scale, abs=1e-6)
    assert after.y - before.y == pytest.approx(100 / before.scale, abs=1e-6)
    assert after.chosen is None
    page.locator("#map").focus()
    page.keyboard.press("Shift+ArrowLeft")
    assert at_rest(page).x - after.x == pytest.approx(-120 / before.scale, abs=1e-6)


def test_a_cell_says_what_it_holds(place, opened):
    page = opened(place)
    page.mouse.click(*canvas_place(page, 4.5 / 6, 2.5 / 6))
    panel = page.locator("#panel")
    assert seen(page).hash == "#6/2,4"
    assert panel.locator("h2").text_content() == "tabby"
    assert "12 crops" in panel.text_content()
    assert panel.locator(".labels li").all_text_contents() == ["tabby, tabby cat0.8", f"{EVIL}-0.25"]
    assert panel.locator("figcaption").all_text_contents() == [EVIL] * 4
    widths = panel.locator(".crops img").evaluate_all(
        "all => Promise.all(all.map(one => one.decode().then(() => one.naturalWidth)))"
    )
    assert widths == [24] * 4
    expect(page.locator("#said")).to_have_text(re.compile(r"^cell 2, 4: 12 crops; tabby, </script>"))
    page.mouse.click(*canvas_place(page, 3.5 / 6, 2.5 / 6))
    assert seen(page).hash == "#6"
    assert panel.locator("h2").text_content() == "Choose a cell"
    page.mouse.click(*canvas_place(page, 0.5 / 6, 0.5 / 6))
    assert panel.locator("h2").text_content() == "Cell 0, 0"
    assert "1 crop" in panel.text_content()
    assert panel.locator("li").count() == 0


def test_the_keyboard_reaches_every_cell(place, opened):
    page = opened(place)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.locator("#map").focus()
    page.keyboard.press("End")
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    said = page.locator("#said")
    # Straight up as far as that goes.
    expect(said).to_have_text("cell 0, 4: 10 crops; English foxhound")
    page.keyboard.press("Home")
    assert seen(page).chosen == [6, 0, 0]
    expect(said).to_have_text("cell 0, 0: 1 crop")
    for key, expected in [("ArrowRight", [0, 2]), ("ArrowRight", [0, 4]), ("ArrowLeft", [0, 2]), ("ArrowDown", [2, 2])]:
        page.keyboard.press(key)
        assert seen(page).chosen == [6, *expected]
    page.keyboard.press("Home")
    reached = [tuple(seen(page).chosen)]
    for _ in range(17):
        page.keyboard.press("PageDown")
        reached.append(tuple(seen(page).chosen))
    assert reached == [(6, row, column) for row in range(6) for column in range(row % 2, 6, 2)]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "panel"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "map"
    page.keyboard.press("Escape")
    assert seen(page).chosen is None


def test_the_cursor_stays_in_view_and_goes_on_from_where_it_was_at_another_level(place, opened):
    page = opened(place, "#20/0,0")
    page.locator("#map").focus()
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    now = at_rest(page)
    assert now.chosen == [20, 0, 18]
    x, y = canvas_place(page, 18.5 / 20, 0.5 / 20)
    assert 336 < x < 1280
    assert 0 < y < 800
    page.keyboard.press("0")
    assert at_rest(page).grid == 6
    page.keyboard.press("ArrowRight")
    assert seen(page).chosen == [6, 0, 4]


def test_a_class_is_found_at_the_level_that_is_shown(place, opened):
    page = opened(place)
    page.locator("#map").focus()
    page.keyboard.press("/")
    page.keyboard.type("fox")
    found = page.locator("#found")
    # None of the coarsest: what it has is a hound.
    expect(found).to_have_text(f"No cell at 6 {BY} 6; 1 cell at 12 {BY} 12")
    page.locator("#levels button", has_text="20").click()
    expect(found).to_have_text(f"2 cells at 20 {BY} 20: red fox")
    best, second = (
        [cell["row"], cell["column"]] for cell in (made_up()["levels"][0]["cells"][place] for place in (77, 33))
    )
    assert seen(page).found == [best, second]
    page.locator("#search").press("Enter")
    assert at_rest(page).chosen == [20, *best]
    assert page.evaluate("document.activeElement.id") == "search"
    page.locator("#search").press("Enter")
    assert seen(page).chosen == [20, *second]
    for text, expected in [
        ("FOXH", f"No cell at 20 {BY} 20; 1 cell at 6 {BY} 6"),
        ("cat tabby", re.compile(f"^198 cells at 20 {BY} 20: tabby$")),
        ("tiger", f"2 cells at 20 {BY} 20: tiger cat"),
        ("cat", re.compile(f"^200 cells at 20 {BY} 20: tabby, tiger cat$")),
        ("catam", f"No cell at 20 {BY} 20; 1 cell at 6 {BY} 6"),
        ("unicorn", "No cell speaks for that."),
        ("only one", re.compile(rf"^[12] cells? at 20 {BY} 20$|^No cell at 20")),
        ("onerror", re.compile(f"^198 cells at 20 {BY} 20: </script>")),
        ("", ""),
    ]:
        page.locator("#search").fill(text)
        expect(found).to_have_text(expected)
    page.locator("#search").fill("foxhound")
    page.locator("#search").press("Enter")
    now = at_rest(page)
    assert (now.grid, now.chosen) == (6, [6, 0, 4])


def test_placed_photos_are_pins_and_a_list_leads_there(place, opened):
    page = opened(place)
    items = page.locator("#placed-list button")
    assert [one.text_content() for one in items.all()] == [EVIL, "mine.jpg"]
    items.first.click()
    now = at_rest(page)
    assert (now.x, now.y, now.grid) == (0.52, 0.52, 12)
    assert now.chosen == [12, 6, 6]
    panel = page.locator("#panel")
    assert panel.locator("h2").text_content() == EVIL
    assert "lies at 2 places" in panel.text_content()
    assert panel.locator("h3").all_text_contents()[:2] == ["Most alike", "tabby"]
    panel.get_by_role("button", name="Place 2").press("Enter")
    now = at_rest(page)
    assert (now.x, now.y) == (0.125, 0.875)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Place 2"
    items.first.click()
    assert at_rest(page).x == 0.52
    page.keyboard.press("Tab")
    x, y = canvas_place(page, 0.3, 0.3)
    page.mouse.move(x, y - 31)
    expect(page.locator("#hint")).to_have_text("mine.jpg")
    page.mouse.click(x, y - 31)
    assert panel.locator("h2").text_content() == "mine.jpg"
    expect(items.nth(1)).to_have_attribute("aria-pressed", "true")


def test_all_points_are_shown_on_demand(place, opened):
    page = opened(place, "#20")
    page.wait_for_function("() => levels.every((one) => one.sheet) && !fading")
    found = page.evaluate(
        """data.at.find(([x, y]) => {
            const isAmid = (one) => Math.abs(((one * 20) % 1) - 0.5) < 0.3 && Math.abs(one - 0.5) < 0.2;
            return isAmid(x) && isAmid(y) && !cellAt(level, x, y);
        })"""
    )
    assert pixel(page, *found[:2]) == (250, 249, 246)
    page.get_by_label("500 points").check()
    page.wait_for_timeout(50)
    assert max(pixel(page, *found[:2])) < 60
    page.mouse.move(*canvas_place(page, *found[:2]))
    expect(page.locator("#hint")).to_contain_text(made_up()["names"][found[2]])


def test_a_link_leads_to_its_cell_and_what_is_no_link_leads_nowhere(place, opened):
    page = opened(place, "#12/4,6")
    now = seen(page)
    assert (now.grid, now.chosen, now.hash) == (12, [12, 4, 6], "#12/4,6")
    assert (now.x, now.y) == pytest.approx((6.5 / 12, 4.5 / 12))
    page.evaluate("location.hash = '#20/2,2'")
    page.wait_for_function("() => chosen?.level.grid === 20")
    for link in ("#%", "#7", "#__proto__/0,0", "#12/4,5", "#12/", "#6/99,1"):
        assert seen(opened(place, link)).chosen is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE])
def test_axe_finds_nothing(place, opened, scheme, viewport):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = opened(place, viewport=viewport, color_scheme=scheme)
    page.locator("#search").fill("cat")

    def check():
        found = axe.Axe().run(page)
        assert found.violations_count == 0, found.generate_report()

    check()
    page.locator("#placed-list button").first.click()
    at_rest(page)
    check()
    page.locator("#map").focus()
    page.keyboard.press("ArrowRight")
    check()


def test_a_phone_pinches_taps_and_does_not_scroll_sideways(place, opened):
    page = opened(place, viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    x, y = canvas_place(page, 2.5 / 6, 4.5 / 6)
    page.touchscreen.tap(x, y)
    assert seen(page).chosen == [6, 4, 2]
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    x, y = canvas_place(page, 0.25, 0.25)
    touch = page.context.new_cdp_session(page)

    def fingers(kind, *places):
        touch.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y, "id": index} for index, (x, y) in enumerate(places)]},
        )

    before = seen(page).scale
    fingers("touchStart", (x - 20, y), (x + 20, y))
    for apart in range(20, 85, 8):
        fingers("touchMove", (x - apart, y), (x + apart, y))
    fingers("touchEnd")
    after = seen(page)
    assert after.scale == pytest.approx(before * 84 / 20, rel=0.1)
    assert after.grid == 12
    assert canvas_place(page, 0.25, 0.25) == pytest.approx((x, y), abs=3)
    assert after.chosen == [6, 4, 2]


def test_an_empty_map_says_so(tmp_path, opened):
    data = made_up() | {"at": [], "names": [], "placed": [], "classes": {}}
    for levels in ([], [level | {"cells": []} for level in data["levels"]]):
        page = opened(make(tmp_path, data | {"levels": levels}))
        assert page.locator("#none").is_visible()
        assert page.locator("#placed").is_hidden()
        page.locator("#search").fill("fox")
        page.locator("#search").press("Enter")
        page.locator("#map").focus()
        for key in ("ArrowRight", "End", "+", "-", "0", "Enter", "Escape", "PageDown"):
            page.keyboard.press(key)
        page.mouse.click(800, 400)
        page.mouse.wheel(0, -300)
        assert seen(page).chosen is None


def test_without_javascript_the_page_says_where_the_same_is(place, opened):
    page = opened(place, java_script_enabled=False)
    expect(page.locator("noscript p")).to_have_text("This page needs JavaScript. map.json beside it holds the same.")
    assert page.locator("noscript p").bounding_box()["height"] > 10
    assert page.locator("search").is_hidden()


def test_names_are_data_and_no_markup(place):
    made = place.read_text()
    assert made.count("<script") == 2
    assert "<img src" not in made
    assert "'unsafe" not in made
    held = json.loads(made.split('id="data">')[1].split("</script>")[0])
    assert held["title"] == EVIL


def test_forty_cells_a_side_and_many_points_are_drawn_in_a_blink(tmp_path, opened):
    data = made_up()
    cell = data["levels"][0]["cells"][0]
    data["levels"] = [
        {"grid": grid, "sheet": f"{grid}.webp", "tile": 24, "cells": [
            cell | {"row": row, "column": column} for row in range(grid) for column in range(grid)
        ]} for grid in (10, 20, 40)
    ]  # fmt: skip
    page = opened(make(tmp_path, data))
    page.wait_for_function("() => levels.every((one) => one.sheet)")
    times = page.evaluate(
        """() => Array.from({ length: 60 }, (_, index) => {
            const since = performance.now();
            zoom(1.06 ** (index < 30 ? 1 : -1), 300, 300);
            paint(since);
            return performance.now() - since;
        })"""
    )
    # A frame has 16 ms; a busy machine is given room.
    assert np.median(times) < 16
