"""The page of found photos in a real browser, from disk: most and least, one in large, and names as bad as can be."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from PIL import Image

from dreamer import pages

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
EVIL = '</script><img src=x onerror=alert(1)> "it\'s" %41 #1?.jpg'
FILE = EVIL.replace("/", "\N{FRACTION SLASH}")  # What of it a file can be called.
WIDTH, HEIGHT = 120, 80
BOX = [0.25, 0.5, 0.5, 0.25]  # Top, left, height and width.


def found(side, rank, name, **values):
    usual = {"score": 5.0 - rank, "box": BOX, "agrees": 0.62, "alike": []}
    crop, whole = f"{side}/{rank:03}-crop.webp", f"{side}/{rank:03}.webp"
    shape = {"width": WIDTH, "height": HEIGHT}
    return {"rank": rank, "photo": name, "crop": crop, "whole": whole} | shape | usual | values


def example():
    most = [
        found("most", 1, "Cat.jpg"),
        found("most", 2, EVIL, agrees=0.29, crop=f"most/{FILE}.webp", whole=f"most/whole {FILE}.webp"),
        found("most", 3, "dog.jpg", agrees=0.3, alike=["other cat.jpg", EVIL], width=HEIGHT, height=WIDTH),
    ]
    least = [found("least", 1, "sea.jpg", score=-4.2, agrees=None)]
    return {
        "title": EVIL,
        "model": "efficientnet_lite0_robust",
        "about": "Each photo in five crops.",
        "looked_at": 1000,
        "left_out": 2,
        "drawn": {"most": "drawn-most.png", "least": None},
        "most": most,
        "least": least,
    }


def write(folder, data):
    for side in ("most", "least"):
        (folder / side).mkdir()
        if data["drawn"][side]:
            Image.new("RGB", (40, 40), (120, 60, 160)).save(folder / data["drawn"][side])
        for one in data[side]:
            Image.new("RGB", (30, 30), (200, 80, 40)).save(folder / one["crop"])
            Image.new("RGB", (one["width"], one["height"]), (90, 120, 60)).save(folder / one["whole"])
    (folder / "index.html").write_bytes(pages.page("dreamer.searching", "search", data, pictures=True))
    return folder / "index.html"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write(tmp_path_factory.mktemp("search"), example())


@pytest.fixture
def opened(browser):
    """Opens a page; at the end, it must have said nothing, and asked for nothing but files beside it."""
    contexts, said, asked, homes = [], [], [], []

    def open_page(place, *, viewport=DESK, **options):
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
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith((*homes, "data:"))] == []


def expect(page, selector):
    return sync_api.expect(page.locator(selector))


def card(page, side, number):
    return page.locator(f"#{side} .cards button").nth(number)


def words(page, side):
    return [[part.inner_text() for part in one.locator(".words > *").all()] for one in cards(page, side)]


def cards(page, side):
    return page.locator(f"#{side} .cards button").all()


def is_loaded(image):
    image.scroll_into_view_if_needed()
    return image.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")


def shares(page, frame, box):
    """Where a box lies within a frame: top, left, height and width as shares of it."""
    outer, inner = frame.bounding_box(), box.bounding_box()
    return [
        (inner["y"] - outer["y"]) / outer["height"],
        (inner["x"] - outer["x"]) / outer["width"],
        inner["height"] / outer["height"],
        inner["width"] / outer["width"],
    ]


def test_what_was_found_is_said(made, opened):
    page = opened(made)
    expect(page, "h1").to_have_text(EVIL)
    expect(page, "#looked").to_have_text("1,000 photos looked at, 2 left out.")
    expect(page, "#count").to_have_text("4 shown")
    agrees = "agrees {} with the drawn picture"
    assert words(page, "most") == [
        ["Cat.jpg", "score 4.00", agrees.format("0.62")],
        [EVIL, "score 3.00", agrees.format("0.29"), "differs"],
        ["dog.jpg", "score 2.00", agrees.format("0.30"), f"also: other cat.jpg, {EVIL}"],
    ]
    assert words(page, "least") == [["sea.jpg", "score \N{MINUS SIGN}4.20"]]
    assert [page.locator(f"#{side} .drawn img").count() for side in ("most", "least")] == [1, 0]
    assert [page.locator(f"#{side} .doubt").count() for side in ("most", "least")] == [1, 0]
    images = page.locator("main img")
    assert images.count() == 5
    assert all(is_loaded(image) for image in images.all())


def test_photos_are_found_by_name_and_by_the_name_of_what_is_like_them(made, opened):
    page = opened(made)
    for text, expected in [("cat", ["Cat.jpg", "dog.jpg"]), ("ONERROR", [EVIL, "dog.jpg"]), ("sea", []), ("", None)]:
        page.get_by_role("searchbox").fill(text)
        names = [one[0] for one in words(page, "most")]
        assert names == (["Cat.jpg", EVIL, "dog.jpg"] if expected is None else expected)
    page.get_by_role("searchbox").fill("sea")
    expect(page, "#most").to_contain_text("No photo here is called so.")
    expect(page, "#count").to_have_text("1 shown")


def test_whole_photos_have_the_box_of_their_crop(made, opened):
    page = opened(made)
    assert page.locator(".cards .box").count() == 0
    page.get_by_label("whole photos").check()
    for number, (width, height) in enumerate([(WIDTH, HEIGHT), (WIDTH, HEIGHT), (HEIGHT, WIDTH)]):
        frame, box = (card(page, "most", number).locator(one) for one in (".framed", ".box"))
        assert is_loaded(card(page, "most", number).locator("img"))
        size = frame.bounding_box()
        assert size["width"] / size["height"] == pytest.approx(width / height, rel=0.02)
        assert shares(page, frame, box) == pytest.approx(BOX, abs=0.02)
    page.get_by_label("whole photos").uncheck()
    assert page.locator(".cards .box").count() == 0


def test_one_in_large_has_its_box_and_neighbours(made, opened):
    page = opened(made)
    card(page, "most", 0).click()
    dialog = page.get_by_role("dialog", name="Cat.jpg")
    frame = dialog.locator(".framed")
    assert is_loaded(frame.locator("img"))
    size = frame.bounding_box()
    assert size["width"] / size["height"] == pytest.approx(WIDTH / HEIGHT, rel=0.01)
    assert shares(page, frame, dialog.locator(".box")) == pytest.approx(BOX, abs=0.01)
    names = ["Cat.jpg", EVIL, "dog.jpg"]
    for key, place in [("ArrowRight", 1), ("ArrowRight", 2), ("ArrowRight", 0), ("ArrowLeft", 2), ("ArrowLeft", 1)]:
        page.keyboard.press(key)
        expect(page, "#photo-title").to_have_text(names[place])
        expect(page, "dialog header span").to_have_text(f"{place + 1} of 3")
    facts = page.locator("dialog .facts dd").all_text_contents()
    assert facts == ["2", "3.00", "0.29 with the drawn picture differs"]
    assert all(is_loaded(image) for image in page.locator("dialog img").all())
    assert page.locator("img[src=x]").count() == 0
    page.get_by_role("button", name="Close").click()
    expect(page, "dialog").to_be_hidden()
    sync_api.expect(card(page, "most", 1)).to_be_focused()


def test_neighbours_are_those_that_were_found(made, opened):
    page = opened(made)
    page.get_by_role("searchbox").fill("cat")
    card(page, "most", 0).click()
    page.get_by_role("button", name="next photo").click()
    expect(page, "#photo-title").to_have_text("dog.jpg")
    sync_api.expect(page.get_by_role("button", name="next photo")).to_be_focused()
    page.get_by_role("button", name="next photo").click()
    expect(page, "#photo-title").to_have_text("Cat.jpg")
    page.mouse.click(3, 3)
    expect(page, "dialog").to_be_hidden()


def test_the_keyboard_alone_is_enough(made, opened):
    page = opened(made)
    page.keyboard.press("Tab")
    expect(page, ".skip").to_be_focused()
    for selector in ("#filter", "#whole"):
        page.keyboard.press("Tab")
        expect(page, selector).to_be_focused()
    page.keyboard.press("Tab")
    sync_api.expect(card(page, "most", 0)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page, "dialog").to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(page, "dialog").to_be_hidden()
    sync_api.expect(card(page, "most", 1)).to_be_focused()
    card(page, "least", 0).press("Enter")
    for key in ("ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
        expect(page, "#photo-title").to_have_text("sea.jpg")


def test_nothing_found_is_said(tmp_path, opened):
    nothing = {"drawn": {"most": None, "least": None}, "most": [], "least": [], "looked_at": 1, "left_out": 0}
    page = opened(write(tmp_path, example() | nothing))
    expect(page, "#looked").to_have_text("1 photo looked at, 0 left out.")
    for side in ("most", "least"):
        expect(page, f"#{side} .found").to_have_text("No photo was found.")


def test_without_scripts_a_sentence_says_where_the_same_is(made, opened):
    page = opened(made, java_script_enabled=False)
    expect(page, "noscript p").to_have_text("This page needs JavaScript. found.json beside it holds the same.")
    expect(page, "main").to_be_hidden()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_static_server_shows_the_same(made, opened):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=made.parent)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            page = opened(f"http://127.0.0.1:{server.server_port}/")
            card(page, "most", 1).click()
            assert all(is_loaded(image) for image in page.locator("dialog img").all())
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_shuts_anybody_out(scheme, viewport, made, opened):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    page = opened(made, viewport=viewport, color_scheme=scheme)
    for state in ("crops", "whole photos", "dialog"):
        if state == "whole photos":
            page.get_by_label("whole photos").check()
        elif state == "dialog":
            card(page, "most", 1).click()
        violations = axe.run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        assert page.locator("dialog").evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")


def test_a_phone_shows_all_of_it(made, opened):
    page = opened(made, viewport=PHONE, has_touch=True, is_mobile=True)
    card(page, "most", 2).tap()
    dialog = page.get_by_role("dialog")
    assert dialog.bounding_box()["width"] == pytest.approx(360, abs=1)
    size = dialog.locator(".framed").bounding_box()
    assert size["width"] <= 360
    assert size["width"] / size["height"] == pytest.approx(HEIGHT / WIDTH, rel=0.01)
    page.get_by_role("button", name="previous photo").tap()
    expect(page, "#photo-title").to_have_text(EVIL)
    page.get_by_role("button", name="Close").tap()
    expect(page, "dialog").to_be_hidden()
