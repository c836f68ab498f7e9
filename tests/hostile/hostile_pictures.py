"""Hostile picture files of every format: cut, garbled, bombs, lies about size, colour and metadata. All from seeds."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from hostile_case import EITHER, READ, REFUSED, Case
from nasty_exif import nasty_blocks
from PIL import Image, PngImagePlugin

HEIGHT, WIDTH = 41, 57
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# The formats, by how Pillow is told to write them.
FORMATS = {
    "plain.png": ("RGB", {}),
    "alpha.png": ("RGBA", {}),
    "grey.png": ("L", {}),
    "palette.png": ("P", {}),
    "bit.png": ("1", {}),
    "deep.png": ("I;16", {}),
    "baseline.jpg": ("RGB", {}),
    "progressive.jpeg": ("RGB", {"progressive": True}),
    "restarts.jpg": ("RGB", {"restart_marker_blocks": 2}),
    "grey.jpg": ("L", {}),
    "cmyk.jpg": ("CMYK", {}),
    "plain.jfif": ("RGB", {"format": "JPEG"}),
    "plain.gif": ("P", {}),
    "plain.bmp": ("RGB", {}),
    "palette.bmp": ("P", {}),
    "raw.tif": ("RGB", {}),
    "lzw.tif": ("RGB", {"compression": "tiff_lzw"}),
    "deflate.tif": ("RGB", {"compression": "tiff_adobe_deflate"}),
    "packbits.tif": ("RGB", {"compression": "packbits"}),
    "jpeg.tiff": ("RGB", {"compression": "jpeg"}),
    "fax.tif": ("1", {"compression": "group4"}),
    "deep.tif": ("I;16", {}),
    "lossy.webp": ("RGB", {}),
    "lossless.webp": ("RGBA", {"lossless": True}),
    "plain.avif": ("RGB", {}),
    "plain.jp2": ("RGB", {}),
    "plain.j2k": ("RGB", {}),
}


def cases() -> Iterator[Case]:
    """All of them."""
    for name in FORMATS:
        yield from _damaged(name)
    yield from _sizes()
    yield from _png()
    yield from _jpeg()
    yield from _exif()
    yield from _recipes()
    yield from _others()


def picture(mode: str = "RGB") -> Image.Image:
    """An odd, non-square picture with noise in it, so that no compression makes it small."""
    if mode == "I;16":
        return Image.fromarray(np.random.default_rng(1).integers(0, 65536, (HEIGHT, WIDTH), np.uint16))
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    noise[:, :, 0] = np.linspace(0, 255, WIDTH).astype(np.uint8)
    return Image.fromarray(noise).convert(mode)


def encoded(name: str) -> bytes:
    """The bytes of a whole, harmless file."""
    mode, options = FORMATS[name]
    to = io.BytesIO()
    suffix = name.rpartition(".")[2]
    kind = options.get("format") or Image.registered_extensions()[f".{suffix}"]
    picture(mode).save(to, kind, **{key: value for key, value in options.items() if key != "format"})
    return to.getvalue()


def _damaged(name: str) -> Iterator[Case]:
    """A file whole, with a tail, cut in five places, and garbled."""
    data = encoded(name)
    yield Case(f"whole-{name}", data, READ)
    yield Case(f"tail-{name}", data + b"\0tail" * 100, READ)
    for share in (0.02, 0.3, 0.6, 0.9):
        yield Case(f"cut-{int(share * 100)}-{name}", data[: int(len(data) * share)], REFUSED)
    yield Case(f"cut-last-{name}", data[:-1], EITHER)
    random = np.random.default_rng(len(data))
    for number in range(3):
        garbled = bytearray(data)
        for at in random.integers(0, len(data), 12):
            garbled[at] = random.integers(0, 256)
        yield Case(f"garbled-{number}-{name}", bytes(garbled), EITHER)
    yield Case(f"head-alone-{name}", data[:24], REFUSED)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes, size: tuple[int, int] = (HEIGHT, WIDTH), depth: int = 8, kind: int = 2, lace: int = 0) -> bytes:
    """A PNG of some chunks, with its head and end."""
    head = struct.pack(">IIBBBBB", size[1], size[0], depth, kind, 0, 0, lace)
    return PNG_SIGNATURE + chunk(b"IHDR", head) + b"".join(chunks) + chunk(b"IEND", b"")


def rows(count: int, width: int = WIDTH, channels: int = 3) -> bytes:
    """So many rows of a PNG before compression."""
    values = np.random.default_rng(2).integers(0, 256, (count, width * channels), np.uint8)
    return b"".join(b"\0" + row.tobytes() for row in values)


def idat(data: bytes) -> bytes:
    """Compressed rows."""
    return chunk(b"IDAT", zlib.compress(data))


def _sizes() -> Iterator[Case]:
    """Small files that claim hundreds of megapixels, and sizes that cannot be."""
    few = idat(rows(3))
    for name, size in {"484mp": (22000, 22000), "wide": (1, 480_000_000), "huge": (2**31 - 1, 2**31 - 1)}.items():
        for kind, depth, words in ((2, 8, "rgb"), (0, 1, "bit"), (2, 16, "deep"), (3, 8, "palette")):
            palette = chunk(b"PLTE", bytes(768)) if kind == 3 else b""
            yield Case(f"claims-{name}-{words}.png", png(palette, few, size=size, kind=kind, depth=depth), REFUSED)
    yield Case("no-width.png", png(few, size=(5, 0)), REFUSED)
    for name, at, code in (
        ("plain.gif", 6, "<HH"),
        ("plain.bmp", 18, "<ii"),
        ("lossless.webp", None, ""),
        ("baseline.jpg", None, ""),
        ("progressive.jpeg", None, ""),
        ("raw.tif", None, ""),
        ("deflate.tif", None, ""),
        ("plain.jp2", None, ""),
        ("plain.j2k", None, ""),
        ("plain.avif", None, ""),
    ):
        data = bytearray(encoded(name))
        most = (65000, 65000) if name.endswith("gif") else (22000, 22000)
        if at is not None:
            struct.pack_into(code, data, at, *most)
            if name.endswith("gif"):  # The frame as well as the screen.
                at = data.index(b"\x2c", 13 + 768 if data[10] & 0x80 else 13)
                struct.pack_into("<HH", data, at + 5, *most)
        else:
            _claim(name, data, 22000)
        yield Case(f"claims-484mp-{name}", bytes(data), REFUSED)


def _claim(name: str, data: bytearray, side: int) -> None:
    """Write another width and height into the head of a file."""
    if name.endswith((".jpg", ".jpeg")):
        at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
        struct.pack_into(">HH", data, at + 5, side, side)
    elif name.endswith("webp"):
        at = data.index(b"VP8L")
        bits = struct.unpack_from("<I", data, at + 9)[0] & ~0xFFFFFFF
        struct.pack_into("<I", data, at + 9, bits | (16383 << 14) | 16383)
    elif name.endswith("tif"):
        for tag in (256, 257):
            at = data.index(
                struct.pack("<HH", tag, 3) if struct.pack("<HH", tag, 3) in data else struct.pack("<HH", tag, 4)
            )
            struct.pack_into("<HII", data, at + 2, 4, 1, side)
    elif name.endswith(("jp2", "j2k")):
        at = data.index(b"\xff\x4f\xff\x51")
        struct.pack_into(">II", data, at + 8, side, side)
        struct.pack_into(">II", data, at + 24, side, side)
        if b"ihdr" in data:
            struct.pack_into(">II", data, data.index(b"ihdr") + 4, side, side)
    elif name.endswith("avif"):
        struct.pack_into(">II", data, data.index(b"ispe") + 8, side, side)


def _png() -> Iterator[Case]:
    """What only a PNG can do."""
    whole = rows(HEIGHT)
    yield Case("by-hand.png", png(idat(whole)), READ)
    yield Case("half-of-the-rows.png", png(idat(rows(HEIGHT // 2))), REFUSED)
    yield Case("all-but-one-byte.png", png(idat(whole[:-1])), REFUSED)
    yield Case("no-pixels.png", png(), REFUSED)
    yield Case("empty-pixels.png", png(chunk(b"IDAT", b"")), REFUSED)
    yield Case("half-interlaced.png", png(idat(rows(HEIGHT // 2)), lace=1), REFUSED)
    yield Case("pixels-in-many-chunks.png", png(*(chunk(b"IDAT", bytes([b])) for b in zlib.compress(whole))), READ)
    yield Case("wrong-filter.png", png(idat(b"\x09" + whole[1:])), EITHER)
    yield Case("more-rows-than-claimed.png", png(idat(rows(HEIGHT + 5))), READ)
    yield Case("wrong-checksum.png", png(idat(whole)).replace(b"IHDR", b"IHDR", 1)[:-20] + bytes(20), EITHER)
    yield Case(
        "two-heads.png", png(chunk(b"IHDR", struct.pack(">IIBBBBB", 9999, 9999, 8, 2, 0, 0, 0)), idat(whole)), EITHER
    )
    yield Case("palette-missing.png", png(idat(rows(HEIGHT, channels=1)), kind=3), EITHER)
    bomb = zlib.compress(bytes(300_000_000), 9)
    for kind, before in ((b"zTXt", b"Comment\0\0"), (b"iTXt", b"Comment\0\1\0\0\0"), (b"iCCP", b"profile\0\0")):
        yield Case(f"bomb-{kind.decode()}.png", png(chunk(kind, before + bomb), idat(whole)), EITHER)
    many = [chunk(b"tEXt", b"Key%d\0value" % number) for number in range(20_000)]
    yield Case("twenty-thousand-texts.png", png(*many, idat(whole)), EITHER)
    for kind, values in {
        b"gAMA": [0, 1, 45455, 100_000, 2**31 - 1, 2**32 - 1],
        b"cHRM": [0, 1, 31270, 2**32 - 1],
        b"sRGB": [0, 9],
        b"pHYs": [0, 2**32 - 1],
    }.items():
        for value in values:
            size = {b"cHRM": 8, b"pHYs": 2}.get(kind, 1)
            data = bytes([value]) if kind == b"sRGB" else struct.pack(">I", value) * size
            data += b"\1" if kind == b"pHYs" else b""
            yield Case(f"{kind.decode()}-{value}.png", png(chunk(kind, data), idat(whole)), READ)
        yield Case(f"{kind.decode()}-short.png", png(chunk(kind, b"\1"), idat(whole)), EITHER)
    for code in (
        (9, 16, 0, 1),
        (9, 18, 0, 1),
        (12, 13, 0, 1),
        (1, 13, 0, 1),
        (255, 255, 255, 255),
        (0, 0, 0, 0),
        (2, 2, 0, 1),
    ):
        name = "-".join(map(str, code))
        yield Case(f"cicp-{name}.png", png(chunk(b"cICP", bytes(code)), idat(whole)), READ)
    yield Case("cicp-short.png", png(chunk(b"cICP", b"\1"), idat(whole)), EITHER)
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(b"\xff" * 3000))
    yield Case("profile-of-noise.png", png(profile, idat(whole)), READ)
    frames = chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))
    yield Case("two-billion-frames.png", png(frames, idat(whole)), EITHER)


def _jpeg() -> Iterator[Case]:
    """What only a JPEG can do."""
    data = encoded("baseline.jpg")
    scan = data.index(b"\xff\xda")
    yield Case("no-end-mark.jpg", data[:-2], READ)
    yield Case("end-mark-twice.jpg", data + b"\xff\xd9", READ)
    yield Case("ends-after-third.jpg", data[: scan + (len(data) - scan) // 3] + b"\xff\xd9", REFUSED)
    yield Case("half-progressive.jpg", (other := encoded("progressive.jpeg"))[: len(other) // 2] + b"\xff\xd9", EITHER)
    yield Case("no-scan.jpg", data[:scan] + b"\xff\xd9", REFUSED)
    yield Case("zeros-in-scan.jpg", data[: scan + 40] + bytes(200) + data[scan + 240 :], EITHER)
    restarts = encoded("restarts.jpg")
    middle = restarts.index(b"\xff\xd3")
    yield Case("restarts-missing.jpg", restarts[:middle] + restarts[middle + 200 :], EITHER)
    yield Case("many-comments.jpg", data[:2] + b"\xff\xfe\x00\x04hi" * 30_000 + data[2:], READ)
    for kind in (b"\xe1", b"\xe2", b"\xed"):
        broken = b"\xff" + kind + struct.pack(">H", 65535) + b"Exif\0\0" + b"\xff" * 65527
        yield Case(f"noise-in-{kind.hex()}.jpg", data[:2] + broken + data[2:], READ)


def exif_jpeg(block: bytes) -> bytes:
    """A JPEG with an EXIF block."""
    data = encoded("baseline.jpg")
    body = b"Exif\0\0" + block
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def blocks() -> dict[str, bytes]:
    """EXIF blocks of up to 64 kB, nasty ones and some that are only odd."""
    head = b"II*\0\x08\0\0\0"
    odd = {
        "empty": head,
        "rotated": head + struct.pack("<HHHIII", 1, 0x0112, 3, 1, 6, 0),
        "rotation of 99": head + struct.pack("<HHHIII", 1, 0x0112, 3, 1, 99, 0),
        "circle of pages": head + struct.pack("<HHHIII", 1, 271, 2, 4, 0, 8),
        "big-endian, points to itself": b"MM\0*\0\0\0\x08\x13\x88" + struct.pack(">HHII", 0x8769, 4, 1, 8) * 5000,
    }
    return nasty_blocks() | odd


def _exif() -> Iterator[Case]:
    """Hostile EXIF in each format that has it."""
    for name, block in blocks().items():
        yield Case(f"exif {name}.jpg", exif_jpeg(block), READ)
    for name in ("points to itself", "overlapping values"):
        block = blocks()[name]
        yield Case(f"exif {name}.png", png(chunk(b"eXIf", block), idat(rows(HEIGHT))), READ)
        to = io.BytesIO()
        picture().save(to, "WEBP", exif=block)
        yield Case(f"exif {name}.webp", to.getvalue(), READ)
    yield Case("nothing-but-exif.tif", blocks()["points to itself"], REFUSED)
    yield Case("circle-of-pages.tif", _circle(encoded("raw.tif")), READ)


def _circle(data: bytes) -> bytes:
    """A TIFF whose first page says that it follows itself."""
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    at = first + 2 + 12 * count
    return data[:at] + struct.pack("<I", first) + data[at + 4 :]


RECIPES: dict[str, object] = {
    "null": None,
    "number": 7,
    "list": [1, 2],
    "settings-null": {"program": "dreamer", "settings": None, "source": {"name": "a.png"}},
    "settings-list": {"program": "dreamer", "settings": [], "source": {"name": "a.png"}},
    "source-number": {"program": "dreamer", "settings": {}, "source": 7},
    "name-null": {"program": "dreamer", "settings": {}, "source": {"name": None, "sha256": None}},
    "later-format": {"program": "dreamer", "format": 999, "settings": {}, "source": {"name": "a.png", "sha256": ""}},
    "format-of-text": {"program": "dreamer", "format": "x", "settings": {}, "source": {"name": "a.png", "sha256": ""}},
}
SETTINGS: dict[str, object] = {
    "device-as-mask": {"mask": "/dev/zero"},
    "device-as-guide": {"guide": "/dev/zero"},
    "secret-as-guide": {"guide": "/etc/passwd"},
    "secret-above": {"mask": "../../../etc/passwd"},
    "device-as-network": {"model": "/dev/zero"},
    "secret-as-network": {"model": "/etc/passwd"},
    "secret-in-objective": {"objective": 'guided:block4b@"/etc/passwd"'},
    "nul-in-mask": {"mask": "a\0b"},
    "null-as-steps": {"steps": None},
    "text-as-steps": {"steps": "many"},
    "list-as-seed": {"seed": [1]},
    "objective-number": {"objective": 5},
    "objective-brackets": {"objective": "(" * 10_000 + "block4b" + ")" * 10_000},
    "objective-escapes": {"objective": "block4b\x1b[2J\x1b]0;owned\x07"},
    "huge-number": {"seed": 10**400},
    "infinite-strength": {"strength": 1e999},
    "unknown-setting": {"colour_of_magic": "octarine"},
    "negative-octaves": {"octaves": -5},
    "mask-of-a-list": {"mask": ["a"]},
    "long-text": {"blend": "x" * 1_000_000},
}


def _recipes() -> Iterator[Case]:
    """Pictures whose recipes are hostile; all of them are good pictures, and are read."""
    told = {"name": "photo.png", "sha256": "0" * 64}
    said = RECIPES | {
        name: {"program": "dreamer", "version": "1", "settings": settings, "source": told}
        for name, settings in SETTINGS.items()
    }
    for name, recipe in said.items():
        yield Case(f"recipe-{name}.png", with_text(json.dumps(recipe)), READ)
    yield Case("recipe-nested.png", with_text("[" * 50_000), READ)
    yield Case("recipe-no-json.png", with_text("{'a': 1}"), READ)


def with_text(text: str, keyword: str = "dreamer") -> bytes:
    """A small PNG with a text chunk."""
    info = PngImagePlugin.PngInfo()
    info.add_text(keyword, text)
    to = io.BytesIO()
    picture().save(to, "PNG", pnginfo=info)
    return to.getvalue()


def _others() -> Iterator[Case]:
    """Files that are no pictures at all, and those of two kinds."""
    yield Case("empty.png", b"", REFUSED)
    yield Case("words.jpg", b"This is no picture.\n" * 50, REFUSED)
    yield Case("zeros.png", bytes(5000), REFUSED)
    yield Case("page.gif", b"<html><script>alert(1)</script></html>", REFUSED)
    yield Case("script.svg.png", b'<svg xmlns="http://www.w3.org/2000/svg"/>', REFUSED)
    yield Case("postscript.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", REFUSED)
    yield Case("pickle.png", b"\x80\x04cos\nsystem\n(S'true'\ntR.", REFUSED)
    yield Case("archive.png", b"PK\x03\x04" + bytes(100), REFUSED)
    yield Case("wrong-suffix.png", encoded("baseline.jpg"), READ)
    yield Case("picture-and-archive.png", encoded("plain.png") + b"PK\x05\x06" + bytes(18), READ)
    lzw = bytearray(encoded("plain.gif"))
    yield Case("frames-without-end.gif", bytes(lzw[:-1]) + bytes(lzw[13 + 768 : -1]) * 50, EITHER)
    yield Case("run-without-end.bmp", _runs(), EITHER)


def _runs() -> bytes:
    """A run-length encoded BMP that claims more than its runs hold."""
    palette = bytes(1024)
    body = b"\xff\x01" * 20 + b"\0\1"
    at = 14 + 40 + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, 20_000, 20_000, 1, 8, 1, len(body), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", at + len(body), 0, 0, at) + info + palette + body
