"""XMP packets, edited where they would say what is no longer true of a dream: orientation, parts of the file, colours.

The one idea: what is removed is found by its namespace, as prefixes are anybody's choice, and cut out of the packet's
bytes, so that everything else stays as it is. A parser of the standard library says first whether the packet is XML at
all; it is told to refuse document types, so no entity is ever expanded or fetched.

Must not import anything of the package.

References:
    XMP Specification part 1 (ISO 16684-1), 7. Android: Motion Photo format 1.0, Ultra HDR image format 1.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from typing import NamedTuple
from xml.parsers import expat

_MOST_BYTES = 1 << 20  # what is larger is not parsed; cameras write some kilobytes
_DEEPEST = 64

# Who says what: a namespace, which of its names, and what they tell of.
_PARTS = "a motion photo, gain map or depth map"
_COLOURS = "its former colours"
_EVERYTHING = re.compile("")
_GONE: dict[str, tuple[re.Pattern[str], str]] = {
    # Pictures, videos and sounds that lay in the same file, beside or behind the photo.
    "http://ns.adobe.com/hdr-gain-map/1.0/": (_EVERYTHING, _PARTS),
    "http://ns.apple.com/HDRGainMap/1.0/": (_EVERYTHING, _PARTS),
    "http://ns.apple.com/HDRToneMap/1.0/": (_EVERYTHING, _PARTS),
    "http://ns.apple.com/pixeldatainfo/1.0/": (_EVERYTHING, _PARTS),
    "http://ns.google.com/photos/1.0/container/": (_EVERYTHING, _PARTS),
    "http://ns.google.com/photos/1.0/container/item/": (_EVERYTHING, _PARTS),
    "http://ns.google.com/photos/dd/1.0/container/": (_EVERYTHING, _PARTS),
    "http://ns.google.com/photos/dd/1.0/item/": (_EVERYTHING, _PARTS),
    "http://ns.google.com/photos/dd/1.0/device/": (_EVERYTHING, _PARTS),
    "http://ns.google.com/photos/1.0/image/": (_EVERYTHING, _PARTS),
    "http://ns.google.com/photos/1.0/audio/": (_EVERYTHING, _PARTS),
    "http://ns.google.com/photos/1.0/depthmap/": (_EVERYTHING, _PARTS),
    "http://ns.oplus.com/photos/1.0/camera/": (_EVERYTHING, _PARTS),
    "http://ns.adobe.com/xmp/note/": (re.compile("HasExtendedXMP$"), "a second packet"),
    "http://ns.adobe.com/photoshop/1.0/": (re.compile("ICCProfile$|ColorMode$"), _COLOURS),
    "http://ns.adobe.com/exif/1.0/": (re.compile("ColorSpace$"), _COLOURS),
    "http://cipa.jp/exif/1.0/": (re.compile("Gamma$|InteroperabilityIndex$"), _COLOURS),
    "http://ns.adobe.com/tiff/1.0/": (re.compile("WhitePoint$|PrimaryChromaticities$|TransferFunction$"), _COLOURS),
}
# Makers have namespaces of their own for these.
_PARTS_BY_NAME = re.compile("MotionPhoto|MicroVideo|HDRGainMap|HDRToneMap")
_MENTIONS = re.compile(
    b"|".join([rb"MotionPhoto|MicroVideo|HDRGainMap|HDRToneMap", *(re.escape(uri.encode()) for uri in _GONE)])
)
# What is true of sRGB as well stays: ("ColorSpace", "1").
_STILL_TRUE = {
    "ColorSpace": re.compile("1$"),
    "ICCProfile": re.compile("sRGB"),
    "ColorMode": re.compile("3$"),
    "InteroperabilityIndex": re.compile("R98"),
}

# One piece of markup. It is used on well-formed XML alone, where an attribute's value cannot hold its own quotes.
_ATTRIBUTE = rb"\s+(?P<key>[^\s=]+)\s*=\s*(?P<value>\"[^\"]*\"|'[^']*')"
_MARKUP = re.compile(
    rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|</(?P<end>[^\s>]+)\s*>|"
    rb"<(?P<start>[^\s/>]+)(?P<attributes>(?:%s)*)\s*(?P<empty>/?)>" % re.sub(rb"\?P<\w+>", b"?:", _ATTRIBUTE),
    re.DOTALL,
)
_ATTRIBUTES = re.compile(_ATTRIBUTE)
# Begins where the white space does: at each of its characters, it would be tried to the end of a long run of them.
_DECLARATION = re.compile(rb"(?<!\s)\s+xmlns:([^\s=:]+)\s*=\s*(\"[^\"]*\"|'[^']*')")
_PREFIXES = re.compile(rb"[\s</]([^\s<>/=:\"']+):")
_ORIENTATION = re.compile(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)([1-8])")


def orientation(packet: bytes | None) -> int:
    """EXIF's orientation as XMP repeats it; 1 when it does not."""
    match = _ORIENTATION.search(packet or b"")
    return int(match[2]) if match else 1


def travelling(packet: bytes | None) -> tuple[bytes | None, tuple[str, ...]]:
    """What of a packet stays true of a dream, in sRGB and alone in its file.

    Returns:
        The packet, the same bytes but for what was cut out, or None; and one-line notes on what was dropped.

    Example:
        >>> travelling(b'<a xmlns:h="http://ns.adobe.com/hdr-gain-map/1.0/" h:Version="1.0"/>')[0]
        b'<a/>'
    """
    if not packet:
        return None, ()
    packet = _ORIENTATION.sub(rb"\g<1>1", packet)
    # Without NUL bytes, names are found in UTF-16 as well.
    if not _MENTIONS.search(packet.replace(b"\0", b"")):
        return packet, ()
    if not _is_plain_xml(packet):
        return None, ("the XMP tells of parts or colours that are gone, and is no XML that can be edited: dropped",)
    try:
        cuts = list(_cuts(packet))
    except _TooDeepError:
        return None, ("the XMP tells of parts or colours that are gone, and is nested too deep: dropped",)
    if not cuts:
        return packet, ()
    told = dict.fromkeys(cut.about for cut in cuts)
    note = f"what the XMP says of {' and of '.join(told)} is dropped: the result has none"
    return _without_declarations(_without(packet, cuts), {cut.namespace for cut in cuts} | _GONE.keys()), (note,)


class _TooDeepError(Exception):
    pass


class _Cut(NamedTuple):
    start: int
    end: int
    about: str
    namespace: str


def _is_plain_xml(packet: bytes) -> bool:
    """Whether a packet is well-formed UTF-8 of a sane size without a document type."""
    if len(packet) > _MOST_BYTES:
        return False

    def refuse(*_: object) -> None:
        raise ValueError("a document type")

    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = refuse
    try:
        # Readers tell packets from padding; XML has none at its end.
        parser.Parse(packet.strip(b"\0 \t\r\n"), True)
    except (expat.ExpatError, ValueError):
        return False
    return True


def _cuts(packet: bytes) -> Iterator[_Cut]:
    """What has to go, in order."""
    scopes: list[Mapping[bytes, str]] = []  # the namespaces that each open element declares, by prefix
    gone: _Cut | None = None  # an element that goes; its end is still unknown
    depth = 0
    for markup in _MARKUP.finditer(packet):
        if markup["start"] is not None:
            attributes = [] if gone else list(_ATTRIBUTES.finditer(packet, *markup.span("attributes")))
            scopes.append(_declared(attributes))
            if len(scopes) > _DEEPEST:
                raise _TooDeepError
            if not gone:
                about = _about(markup["start"], scopes, _text_after(packet, markup.end()))
                if about:
                    gone, depth = _Cut(markup.start(), 0, *about), len(scopes)
                else:
                    yield from _attribute_cuts(attributes, scopes)
        if markup["end"] is not None or markup["empty"]:
            scopes.pop()
            if gone and len(scopes) < depth:
                yield gone._replace(end=markup.end())
                gone = None


def _declared(attributes: list[re.Match[bytes]]) -> Mapping[bytes, str]:
    names = {a["key"].partition(b":"): a["value"][1:-1].decode() for a in attributes if a["key"].startswith(b"xmlns")}
    return {prefix: uri for (word, _, prefix), uri in names.items() if word == b"xmlns"}


def _attribute_cuts(attributes: list[re.Match[bytes]], scopes: list[Mapping[bytes, str]]) -> Iterator[_Cut]:
    for attribute in attributes:
        if b":" in attribute["key"]:
            about = _about(attribute["key"], scopes, attribute["value"][1:-1].decode())
            if about:
                yield _Cut(*attribute.span(), *about)


def _about(name: bytes, scopes: list[Mapping[bytes, str]], value: str) -> tuple[str, str] | None:
    """What an element or attribute tells of that is gone, and its namespace; None when it may stay."""
    prefix, _, local = name.rpartition(b":")
    uri = next((scope[prefix] for scope in reversed(scopes) if prefix in scope), "")
    word = local.decode()
    if uri and _PARTS_BY_NAME.match(word):
        return _PARTS, uri
    names, about = _GONE.get(uri, (None, ""))
    if names is None or not names.match(word):
        return None
    still_true = _STILL_TRUE.get(word)
    return None if about == _COLOURS and still_true and still_true.match(value) else (about, uri)


def _text_after(packet: bytes, at: int) -> str:
    """The beginning of an element's text."""
    return packet[at : at + 80].split(b"<")[0].decode("utf-8", "replace").strip()


def _without(packet: bytes, cuts: list[_Cut]) -> bytes:
    kept, at = [], 0
    for cut in cuts:
        kept.append(packet[at : cut.start])
        at = cut.end
    return b"".join([*kept, packet[at:]])


def _without_declarations(packet: bytes, namespaces: Set[str]) -> bytes:
    """A packet without the declarations of these namespaces that nothing uses any more."""
    used = set(_PREFIXES.findall(packet))

    def shortened(match: re.Match[bytes]) -> bytes:
        unused = match[1] not in used and match[2][1:-1].decode() in namespaces
        return b"" if unused else match[0]

    return _DECLARATION.sub(shortened, packet)
