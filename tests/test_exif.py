"""EXIF blocks: any content is read within one budget, and what was read is written and read again the same."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasty_exif import carriers, nasty_blocks, tiff
from PIL import Image

from dreamer import images
from dreamer.errors import ImageReadError
from dreamer.images import exif

NASTY = nasty_blocks()
Result = TypeVar("Result")


def counted(work: Callable[[], Result]) -> tuple[Result, int]:
    """What some work gives, and how many calls it made: a measure that no busy machine changes."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        return work(), calls
    finally:
        sys.setprofile(before)


def num_entries(entries: exif.Directory) -> int:
    return sum(1 + (num_entries(entry) if isinstance(entry, dict) else 0) for entry in entries.values())


def num_bytes(entries: exif.Directory) -> int:
    return sum(num_bytes(entry) if isinstance(entry, dict) else len(entry.data) for entry in entries.values())


def check_bounds(data: bytes) -> exif.Block | None:
    block, calls = counted(lambda: exif.parse(data))
    # Some calls for an entry and for a page, and not more of them than a block of this size can hold twice.
    assert calls < 250 + 2 * len(data)
    if block is None:
        return None
    assert num_entries(block.entries) <= 10_000
    assert num_bytes(block.entries) <= 2 * len(data)
    written, calls = counted(lambda: exif.serialised(block))
    assert calls < 100 + 20 * num_entries(block.entries)
    assert len(written) <= 14 + 12 * 10_000 + 3 * len(data) + num_entries(block.entries)
    return block


@pytest.mark.parametrize("kind", NASTY)
def test_no_block_takes_more_work_than_its_bytes(kind: str) -> None:
    assert check_bounds(NASTY[kind]) is not None


@pytest.mark.parametrize("kind", [kind for kind in NASTY if not kind.startswith("BigTIFF")])
def test_files_with_such_blocks_are_read_and_written_in_bounds(kind: str, tmp_path: Path) -> None:
    files = {**carriers(NASTY[kind]), "own.tif": tiff(NASTY[kind])}
    for name, data in files.items():
        path = tmp_path / name
        path.write_bytes(data)

        def read(path: Path = path) -> images.Photo | None:
            try:
                return images.read(path)
            except ImageReadError:  # a TIFF whose directory says nonsense of its pixels
                assert path.suffix == ".tif"
                return None

        photo, calls = counted(read)
        assert calls < 400_000, name  # some hundredths of a second, most of them Pillow's
        with pytest.raises(ImageReadError, match="holds no recipe"):
            counted(lambda path=path: images.read_recipe(path))
        for suffix in (".jpg", ".png", ".webp", ".tif"):
            if photo is not None:
                (encoded, _), calls = counted(lambda photo=photo, to=suffix: images.encode(photo, to, recipe={"a": 1}))
                assert calls < 400_000, (name, suffix)
                assert len(encoded) < 300_000


def test_a_sub_directory_is_read_once() -> None:
    """Two pointers to one directory: the first is followed, the second says nothing new."""
    head = struct.pack("<HHHIIHHII", 2, exif.EXIF_IFD, 4, 1, 38, exif.GPS_IFD, 4, 1, 38) + bytes(4)
    block = exif.parse(b"II*\0" + struct.pack("<I", 8) + head + struct.pack("<HHHII", 1, 1, 3, 1, 7) + bytes(4))
    assert block is not None
    assert block.entries == {exif.EXIF_IFD: {1: exif.Tag(3, 1, b"\7\0")}}


def test_pages_are_counted_as_far_as_any_document_goes() -> None:
    def chain(pages: int) -> bytes:
        links = (struct.pack("<HI", 0, at + 6 if at < 8 + 6 * (pages - 1) else 0) for at in range(8, 8 + 6 * pages, 6))
        return b"II*\0" + struct.pack("<I", 8) + b"".join(links)

    for pages in (1, 2, 300, 10_000):
        assert exif.parse(chain(pages)).num_pages == pages
    assert exif.parse(chain(50_000)).num_pages == 10_000


def test_a_jpeg_with_exif_again_and_again_is_refused_at_once(tmp_path: Path) -> None:
    """2 MB of it took a quarter of a minute."""
    whole = carriers(exif.serialised(exif.Block("<", {271: exif.ascii_entry(b"Maker")})))[".jpg"]
    segment = whole[whole.index(b"\xff\xe1") : whole.index(b"\xff\xdb")]
    for parts in (2, 50):
        assert images.decode(whole.replace(segment, segment * parts), "a").metadata.exif is not None
    path = tmp_path / "a.jpg"
    path.write_bytes(whole.replace(segment, segment * 40_000))
    for read in (images.read, images.read_recipe):
        with pytest.raises(ImageReadError, match="more than 100 parts"):
            read(path)


# ---------------------------------------------------------------- properties

KINDS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
POINTERS = {exif.EXIF_IFD, exif.GPS_IFD, exif.INTEROP_IFD}
ENTRIES = st.tuples(st.sampled_from(sorted(KINDS)), st.integers(1, 12), st.integers(0, 255)).map(
    lambda drawn: exif.Tag(drawn[0], drawn[1], bytes((drawn[2] + i) % 256 for i in range(KINDS[drawn[0]] * drawn[1])))
)
TAGS = st.one_of(
    st.sampled_from([exif.ORIENTATION, exif.COLOUR_SPACE, exif.MAKER_NOTE, exif.IMAGE_HISTORY, 1, 513, 318]),
    st.integers(0, 65535).filter(lambda tag: tag not in POINTERS),
)
PLAIN = st.dictionaries(TAGS, ENTRIES, max_size=4)


def nested(inner: st.SearchStrategy[exif.Directory], tag: int) -> st.SearchStrategy[exif.Directory]:
    return st.tuples(PLAIN, inner, st.booleans()).map(lambda d: {**d[0], tag: d[1]} if d[2] else d[0])


BLOCKS = st.tuples(st.sampled_from("<>"), nested(nested(PLAIN, exif.INTEROP_IFD), exif.EXIF_IFD)).map(
    lambda drawn: exif.Block(*drawn)
)


@settings(max_examples=60)
@given(BLOCKS)
def test_what_is_written_is_read_again_the_same(block: exif.Block) -> None:
    assert exif.parse(exif.serialised(block)) == block


@settings(max_examples=60)
@given(BLOCKS)
def test_edited_blocks_stay_true_when_edited_again(block: exif.Block) -> None:
    for edit in (exif.travelling, exif.as_srgb, exif.without_maker_note, lambda b: exif.with_size(b, 3, 4)):
        once = edit(block)
        assert edit(once) == once
        assert exif.parse(exif.serialised(once)) == once
    detail = exif.as_srgb(block).within(exif.EXIF_IFD)
    assert exif.COLOUR_SPACE not in detail.entries or detail.number(exif.COLOUR_SPACE, 0) == 1


@settings(max_examples=150)
@given(BLOCKS, st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=12), st.data())
def test_any_damage_is_read_in_bounds_and_raises_nothing(
    block: exif.Block, damage: list[tuple[int, int]], data: st.DataObject
) -> None:
    stored = bytearray(exif.serialised(block))
    for at, value in damage:
        stored[4 + at % (len(stored) - 4)] = value
    # Pointers to directories that exist do the most.
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(8, len(stored) - 4))
        struct.pack_into(f"{block.order}I", stored, at, data.draw(st.integers(0, len(stored))))
    del stored[data.draw(st.integers(8, len(stored))) :]
    found = check_bounds(bytes(stored))
    if found is not None:
        for edit in (exif.travelling, exif.as_srgb, exif.without_maker_note, lambda b: exif.with_size(b, 3, 4)):
            exif.serialised(edit(found))
        for tag in found.entries:
            found.numbers(tag)
        found.dpi()


@settings(max_examples=200)
@given(st.sampled_from([b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"]), st.binary(max_size=300))
def test_noise_after_any_beginning_raises_nothing(start: bytes, noise: bytes) -> None:
    check_bounds(start + noise)


@settings(max_examples=60)
@given(BLOCKS, st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_any_block_travels_through_a_file(block: exif.Block, name: str) -> None:
    out = BytesIO()
    data = exif.serialised(block)
    Image.new("RGB", (3, 2)).save(out, name, exif=data if name == "PNG" else b"Exif\0\0" + data)
    photo = images.decode(out.getvalue(), "a")
    kept = exif.parse(photo.metadata.exif or b"II*\0\x08\0\0\0")
    entries = exif.travelling(block).entries
    assert set(kept.entries) - POINTERS <= set(entries)
    assert kept.entries.keys() ^ entries.keys() <= {318, 319}


# ---------------------------------------------------------------- BigTIFF, and blocks that ImageMagick stored as text


def test_bigtiff_is_read_at_its_depth_with_its_exif() -> None:
    levels = np.random.default_rng(0).integers(0, 65535, (5, 7, 3), dtype=np.uint16)
    values: dict[int, tuple[int, list[int]]] = {
        256: (3, [7]),
        257: (3, [5]),
        258: (3, [16] * 3),
        259: (3, [1]),
        262: (3, [2]),
        273: (16, [16]),
        277: (3, [3]),
        278: (3, [5]),
        279: (16, [levels.nbytes]),
        271: (2, list(b"Maker of cameras\0")),
        50_000: (16, [1, 2]),
    }
    codes, start = {2: "B", 3: "H", 16: "Q"}, 16 + levels.nbytes
    table, body = struct.pack("<Q", len(values)), b""
    for tag, (kind, numbers) in sorted(values.items()):
        data = struct.pack(f"<{len(numbers)}{codes[kind]}", *numbers)
        at = start + 8 + 20 * len(values) + 8 + len(body)
        body += data if len(data) > 8 else b""
        table += struct.pack("<HHQ", tag, kind, len(numbers)) + (
            data.ljust(8, b"\0") if len(data) <= 8 else struct.pack("<Q", at)
        )
    header = b"II+\0" + struct.pack("<HHQ", 8, 0, start)
    photo = images.decode(header + levels.tobytes() + table + bytes(8) + body, "a.tif")
    np.testing.assert_array_equal(np.rint(photo.pixels * 65535), levels)
    assert exif.parse(photo.metadata.exif).entries == {271: exif.Tag(2, 17, b"Maker of cameras\0")}


def test_a_raw_profile_of_imagemagick_is_read_and_a_broken_one_harms_nothing() -> None:
    block = exif.serialised(exif.Block("<", {271: exif.ascii_entry(b"Maker")}))
    whole = carriers(block)["raw.png"]
    assert exif.parse(images.decode(whole, "a").metadata.exif).data(271) == b"Maker\0"
    image = Image.new("RGB", (3, 2))
    image.info["Raw profile type exif"] = "\nexif\n  12\nno hexadecimal number"
    assert images.from_pil(image).metadata.exif is None
