"""Hostile texts: objectives, presets, names of files in a store, patterns."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO

from hostile_case import EITHER, READ, REFUSED, Case

STORE_KEYS = {
    "a/b.jpg": True,
    "ümläut/猫.jpg": True,
    "a b/c'd\"e.jpg": True,
    ".../x.jpg": True,
    "/abs/x.jpg": False,
    "a//x.jpg": False,
    "a/../x.jpg": False,
    "../x.jpg": False,
    "./x.jpg": False,
    "a/./x.jpg": False,
    "..": False,
    "": False,
    "a/": False,
    "a\\x.jpg": False,
    "C:/x.jpg": False,
    "C:x.jpg": False,
    "a/\0/x.jpg": False,
}
"""Names out of a listing, and whether they may be used."""


def objectives() -> Iterator[Case]:
    """Objectives as text."""
    texts = {
        "whole": ("block4b:17 - 0.5*block2a + 2*(block3b:1)", READ),
        "brackets": ("(" * 10_000 + "block4b" + ")" * 10_000, REFUSED),
        "brackets-open": ("(" * 10_000, REFUSED),
        "brackets-within-reason": ("(" * 20 + "block4b" + ")" * 20, READ),
        "terms": ("+".join(["block4b:1"] * 20_000), REFUSED),
        "minus-signs": ("-" * 20_000 + "block4b", REFUSED),
        "digits": ("block4b:" + "9" * 5_000, REFUSED),
        "digits-as-weight": ("9" * 5_000 + "*block4b", REFUSED),
        "digits-after-point": ("0." + "9" * 5_000 + "*block4b", REFUSED),
        "spaces": (" " * 40_000 + "block4b", EITHER),
        "spaces-within": ("block4b" + " " * 40_000 + "+" + " " * 40_000 + "block5a", EITHER),
        "quote-open": ('logit:"' + "a" * 40_000, REFUSED),
        "nothing": ("", REFUSED),
        "infinite": ("1e999*block4b", REFUSED),
        "power": ("1e308*block4b + 1e308*block4b", EITHER),
        "not-a-number": ("nan*block4b", REFUSED),
        "digits-of-arabic": ("block4b:\u0661\u0667", EITHER),
        "control": ("block4b\x1b[2J", REFUSED),
        "newline": ("block4b\n+\nblock5a", EITHER),
        "position": ("block4b:17@" + "9" * 400 + ",1", REFUSED),
        "stars": ("2*" * 20_000 + "block4b", REFUSED),
        "powers": ("block4b" + "^2" * 20_000, REFUSED),
        "half-pair": ("logit:\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape"), EITHER),
    }
    for name, (text, right) in texts.items():
        yield Case(name, text.encode("utf-8", "surrogateescape"), right)


def presets() -> Iterator[Case]:
    """Presets as TOML."""
    head = 'title = "T"\ndescription = "D"\nobjective = "block4b"\n'
    texts = {
        "whole": (head, READ),
        "nested-lists": (head + "tags = " + "[" * 5_000 + "]" * 5_000, REFUSED),
        "nested-tables": (head + "a = " + "{b = " * 5_000 + "1" + "}" * 5_000, REFUSED),
        "nested-keys": (head + ".".join(["a"] * 5_000) + " = 1", REFUSED),
        "unknown-key": (head + "colour = 1", REFUSED),
        "no-title": ('description = "D"', REFUSED),
        "title-of-lines": (head.replace('"T"', '"""a\nb"""'), REFUSED),
        "list-as-objective": (head.replace('"block4b"', "[1]"), REFUSED),
        "infinite": (head + "strength = inf", REFUSED),
        "not-a-number": (head + "strength = nan", REFUSED),
        "date-as-seed": (head + "seed = 2020-01-01", REFUSED),
        "yes-as-steps": (head + "steps = true", REFUSED),
        "extends-itself": (head + 'extends = "extends-itself.toml"', REFUSED),
        "extends-number": (head + "extends = 7", REFUSED),
        "extends-device": (head + 'extends = "/dev/zero.toml"', REFUSED),
        "variants-list": (head + "variants = [1]", REFUSED),
        "brackets": (head.replace("block4b", "(" * 9_000), REFUSED),
        "binary": ("\0\1\2", REFUSED),
        "number-of-digits": (head + "seed = " + "9" * 5_000, REFUSED),
        "control-in-title": (head.replace('"T"', '"\\u001b[2J"'), EITHER),
        "mask-of-nul": (head + 'mask = "a\\u0000b"', REFUSED),
    }
    for name, (text, right) in texts.items():
        yield Case(f"{name}.toml", text.encode(), right)


def networks() -> Iterator[Case]:
    """Files that call themselves networks or weights, all of which are refused."""
    yield Case("empty.keras", b"", REFUSED)
    yield Case("words.keras", b"no network", REFUSED)
    yield Case("bomb.keras", _zip({"config.json": b" " * 600_000_000, "metadata.json": b"{}"}), REFUSED)
    yield Case("climbs-out.keras", _zip({"../../evil.json": b"{}", "config.json": b"{}"}), REFUSED)
    yield Case("no-weights.keras", _zip({"config.json": b"{}", "metadata.json": b"{}"}), REFUSED)
    yield Case("config-of-list.keras", _zip({"config.json": b"[]", "metadata.json": b"[]"}), REFUSED)
    yield Case("config-nested.keras", _zip({"config.json": b"[" * 100_000, "metadata.json": b"{}"}), REFUSED)
    code = b'{"module": "os", "class_name": "system", "config": {"command": "true"}, "registered_name": null}'
    yield Case("code.keras", _zip({"config.json": code, "metadata.json": b"{}", "model.weights.h5": b""}), REFUSED)
    yield Case("pickle.keras", b"\x80\x04cos\nsystem\n(S'true'\ntR.", REFUSED)
    yield Case("hdf5-head.keras", b"\x89HDF\r\n\x1a\n" + bytes(100), REFUSED)


def graphs() -> Iterator[Case]:
    """Frozen graphs of TensorFlow, all of which are refused."""
    yield Case("empty.pb", b"", REFUSED)
    yield Case("words.pb", b"no graph at all", REFUSED)
    yield Case("claims-40gb.pb", _graph(10**10), REFUSED)
    yield Case("claims-more-than-memory.pb", _graph(2**62), REFUSED)


def checkpoints() -> Iterator[Case]:
    """Checkpoints of PyTorch, all of which are refused."""
    yield Case("empty.pth", b"", REFUSED)
    yield Case("words.pth", b"no checkpoint", REFUSED)
    yield Case("code.pth", b"\x80\x02cos\nsystem\n(S'true'\ntR.", REFUSED)
    yield Case("code-in-zip.pth", _zip({"archive/data.pkl": b"\x80\x02cos\nsystem\n(S'true'\ntR."}), REFUSED)
    yield Case("bomb.pth", _zip({"archive/data.pkl": bytes(300_000_000)}), REFUSED)
    yield Case("stack.pth", b"\x80\x02" + b"(" * 1_000_000, REFUSED)
    yield Case("long-number.pth", b"\x80\x02\x8b\xff\xff\xff\x7f", REFUSED)


def _zip(members: dict[str, bytes]) -> bytes:
    to = BytesIO()
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return to.getvalue()


def _graph(numbers: int) -> bytes:
    """A graph of sixty bytes: one constant of so many float32 numbers, of which one is given."""

    def field(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2, len(data)]) + data

    def varint(value: int) -> bytes:
        found = bytearray()
        while value > 127:
            found.append(value & 127 | 128)
            value >>= 7
        return bytes([*found, value])

    shape = field(2, bytes([1 << 3]) + varint(numbers))
    tensor = bytes([1 << 3, 1]) + field(2, shape) + field(5, bytes(4))
    constant = field(1, b"value") + field(2, field(8, tensor))
    of_kind = field(1, b"dtype") + field(2, bytes([6 << 3, 1]))
    node = field(1, b"big") + field(2, b"Const") + field(5, of_kind) + field(5, constant)
    return field(1, node)
