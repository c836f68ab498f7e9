"""Contact sheets: where pictures and words lie, seen in the pixels of the sheet."""

from __future__ import annotations

import numpy as np
import pytest

from dreamer.errors import ImageWriteError
from dreamer.images import LabelledPicture, sheet

NAMES = ("0.5*block5a:3 - block2a", "tabby, tabby cat (281)", "139", "block5a_expand_activation:139")


def pictures(number: int, height: int = 90, width: int = 120, label: str = "x") -> list[LabelledPicture]:
    """Pictures without a dark pixel, each of its own."""
    random = np.random.default_rng(number)
    shape = (height, width, 3)
    return [LabelledPicture(random.uniform(0.3, 1, shape).astype(np.float32), label) for _ in range(number)]


def place(out: np.ndarray, picture: np.ndarray) -> tuple[int, int]:
    """Where a picture lies on a sheet, unchanged and once."""
    height, width = picture.shape[:2]
    tops, lefts = np.nonzero((out == picture[0, 0]).all(axis=-1))
    found = [
        (int(top), int(left))
        for top, left in zip(tops, lefts, strict=True)
        if np.array_equal(out[top : top + height, left : left + width], picture)
    ]
    assert len(found) == 1
    return found[0]


def rest(out: np.ndarray, tiles: list[LabelledPicture]) -> np.ndarray:
    """The sheet with its pictures painted over with its backdrop: what is left is words."""
    out, places = out.copy(), [place(out, tile.picture) for tile in tiles]
    for (top, left), tile in zip(places, tiles, strict=True):
        height, width = tile.picture.shape[:2]
        out[top : top + height, left : left + width] = out[0, 0]
    return out[..., 0] - out[0, 0, 0]


@pytest.mark.parametrize(("number", "columns"), [(1, 1), (5, 2), (6, 2), (7, 3), (23, 5)])
def test_pictures_lie_unchanged_in_rows_from_the_left(number, columns):
    tiles = pictures(number, 33, 50)
    out = sheet(tiles, columns=columns)
    assert out.dtype == np.float32
    assert out.shape[2] == 3
    places = [place(out, tile.picture) for tile in tiles]
    tops, lefts = [sorted({spot[axis] for spot in places}) for axis in (0, 1)]
    assert places == [(tops[index // columns], lefts[index % columns]) for index in range(number)]
    gap = lefts[0]
    assert tops[0] == gap
    assert out.shape[1] == lefts[-1] + 50 + gap
    assert set(np.diff(lefts)) <= {50 + gap}
    assert len(set(np.diff(tops))) <= 1


@pytest.mark.parametrize(
    ("number", "size", "columns"),
    [(1, (90, 90), 1), (2, (90, 90), 2), (4, (90, 90), 2), (9, (90, 90), 3), (3, (60, 900), 1), (4, (900, 100), 4)],
)
def test_left_alone_a_sheet_is_about_as_wide_as_high(number, size, columns):
    tiles = pictures(number, *size)
    assert np.array_equal(sheet(tiles), sheet(tiles, columns=columns))


def test_no_column_stays_empty():
    assert sheet(pictures(2), columns=9).shape == sheet(pictures(2), columns=2).shape


@pytest.mark.parametrize("width", [16, 40, 128, 500])
@pytest.mark.parametrize("label", [*NAMES, "W" * 300, " ".join(["word"] * 60), "\N{SNOWMAN} \n é"])
def test_words_lie_under_their_picture_and_nowhere_else(label, width):
    tiles = pictures(3, width, width, "")
    blank = sheet(tiles, columns=3)
    assert not rest(blank, tiles).any()
    tiles[1] = LabelledPicture(tiles[1].picture, label)
    out = sheet(tiles, columns=3)
    ink = rest(out, tiles)
    rows, columns = np.nonzero(ink > 0.2)
    (top, left), gap = place(out, tiles[1].picture), place(out, tiles[0].picture)[0]
    assert rows.min() > top + width
    assert rows.max() < len(out) - gap // 2
    third = out.shape[1] / 3
    assert third <= columns.min()
    assert columns.max() <= 2 * third
    centre = (columns.min() + columns.max()) / 2
    assert abs(centre - (left + width / 2)) <= 3
    assert ink.max() > 0.6  # to be read


def test_pictures_too_narrow_for_words_stand_in_wider_cells():
    assert sheet(pictures(1, 16, 16, "7")).shape[1] < 60 < sheet(pictures(1, 16, 16, "mixed4d:139")).shape[1]
    assert sheet(pictures(1, 16, 16, "a" * 99)).shape[1] < 150


def height_of(label: str, width: int) -> int:
    return len(sheet(pictures(1, 20, width, label)))


def test_words_wrap_to_two_lines_and_never_more():
    short, long = height_of("tabby", 100), height_of("tabby, tabby cat (281)", 100)
    assert height_of("", 100) < short < long == height_of("cash machine, " * 9, 100)
    assert height_of("tabby, tabby cat (281)", 400) == height_of("tabby", 400)


def test_a_row_is_as_high_as_its_words():
    tiles = pictures(3, 60, 60, "word")
    tiles[2] = LabelledPicture(tiles[2].picture, "block5a expand")
    out = sheet(tiles, columns=1)
    tops = [place(out, tile.picture)[0] for tile in tiles]
    assert tops[1] - tops[0] == tops[2] - tops[1] < len(out) - tops[2]


@pytest.mark.parametrize(
    "label",
    ["cash machine, cash dispenser, automated teller machine, ATM (480)", "globalmaxandaveragepooling n", "a" * 99],
)
def test_both_ends_of_a_long_label_are_kept(label):
    def drawn(text: str) -> np.ndarray:
        return sheet(pictures(1, 20, 130, text))

    middle = len(label) // 2
    assert not np.array_equal(drawn(label), drawn("d" + label[1:]))
    assert not np.array_equal(drawn(label), drawn(label[:-1] + "0"))
    if len(label) > 50:
        assert np.array_equal(drawn(label), drawn(label[:middle] + "d" + label[middle + 1 :]))


def test_letters_that_the_font_lacks():
    def drawn(label: str) -> np.ndarray:
        return sheet(pictures(1, label=label))

    assert np.array_equal(drawn("Café Łódź, Straße"), drawn("Cafe Lodz, Strasse"))
    assert np.array_equal(drawn("Cafe\N{COMBINING ACUTE ACCENT}"), drawn("Cafe"))
    assert np.array_equal(drawn("漢"), drawn("?"))
    assert np.array_equal(drawn(" a\n\tb "), drawn("a b"))


def test_transparent_pixels_show_light_checks():
    (tile,) = pictures(1, 64, 64)
    top, left = place(sheet([tile]), tile.picture)

    def shown(alpha: np.ndarray) -> np.ndarray:
        return sheet([LabelledPicture(tile.picture, "x", alpha)])[top : top + 64, left : left + 64]

    checks = shown(np.zeros((64, 64), np.float32))
    dark, light = np.unique(checks)
    assert 0.5 < dark < light < 1
    assert np.array_equal(checks == dark, np.roll(checks, 4, axis=0) == light)
    assert np.array_equal(checks == dark, np.roll(checks, 4, axis=1) == light)
    alpha = np.random.default_rng(0).uniform(0, 1, (64, 64)).astype(np.float32)
    cover = alpha[..., None]
    np.testing.assert_allclose(shown(alpha), tile.picture * cover + checks * (1 - cover), atol=1e-6)
    assert np.array_equal(shown(np.ones((64, 64), np.float32)), tile.picture)


def test_levels_are_their_values():
    levels = np.random.default_rng(0).integers(80, 256, (20, 30, 3), dtype=np.uint8)
    alpha = np.full((20, 30), 65535, np.uint16)
    out = sheet([LabelledPicture(levels, "x", alpha)])
    place(out, levels / np.float32(255))


def test_the_pictures_given_are_left_alone():
    (tile,) = pictures(1)
    before = tile.picture.copy()
    sheet([tile])[:] = 0
    assert np.array_equal(tile.picture, before)


def test_what_is_no_sheet_is_refused_in_one_line():
    tile, other = pictures(1)[0], pictures(1, 91, 120, "other")[0]
    cases = [
        (([],), {}, "no pictures"),
        (([tile],), {"columns": 0}, "0 columns.*1 or more"),
        (([tile, other],), {}, r"'other'.*\(91, 120, 3\).*\(90, 120, 3\), is expected"),
        (([LabelledPicture(tile.picture[..., 0], "grey")],), {}, r"\(height, width, 3\) are expected"),
        (([LabelledPicture(tile.picture, "a", np.ones((3, 3), np.float32))],), {}, "alpha of 'a'"),
    ]
    for arguments, options, words in cases:
        with pytest.raises(ImageWriteError, match=words) as caught:
            sheet(*arguments, **options)
        assert "\n" not in str(caught.value)
