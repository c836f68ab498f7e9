"""XMP packets: what is no longer true is cut out, the rest stays byte for byte."""

from __future__ import annotations

import time
from io import BytesIO
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from dreamer import images
from dreamer.images import xmp

CAMERA = "http://ns.google.com/photos/1.0/camera/"
CONTAINER = "http://ns.google.com/photos/1.0/container/"
ITEM = "http://ns.google.com/photos/1.0/container/item/"
GAIN = "http://ns.adobe.com/hdr-gain-map/1.0/"
APPLE = "http://ns.apple.com/HDRGainMap/1.0/"


def packet(attributes: str = "", inside: str = "", before: str = "") -> bytes:
    """A packet with a caption and a rating, which stay whatever happens."""
    return (
        f'{before}<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        f' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"{attributes} xmp:Label="a > b"><dc:title'
        f' xmlns:dc="http://purl.org/dc/elements/1.1/">Motion &amp; \u00fcber <!-- <a:x> --></dc:title>{inside}'
        '</rdf:Description></rdf:RDF></x:xmpmeta>\n   \n<?xpacket end="w"?>'
    ).encode()


GONE = {
    "motion photo": (f' xmlns:GCamera="{CAMERA}" GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1"', ""),
    "its time": (f" xmlns:g='{CAMERA}' g:MotionPhotoPresentationTimestampUs = '968644'", ""),
    "micro video": (f'\n  xmlns:GCamera="{CAMERA}"\n  GCamera:MicroVideo="1"\n  GCamera:MicroVideoOffset="4096"', ""),
    "as elements": (f' xmlns:GCamera="{CAMERA}"', "<GCamera:MotionPhoto>1</GCamera:MotionPhoto><GCamera:MicroVideo/>"),
    "gain map": (f' xmlns:hdrgm="{GAIN}" hdrgm:Version="1.0" hdrgm:GainMapMax="2"', ""),
    "gain map of several channels": (
        f' xmlns:hdrgm="{GAIN}" hdrgm:Version="1.0"',
        "<hdrgm:GainMapMax><rdf:Seq><rdf:li>2</rdf:li><rdf:li>3</rdf:li></rdf:Seq></hdrgm:GainMapMax>",
    ),
    "Apple's": (f' xmlns:HDRGainMap="{APPLE}"', "<HDRGainMap:HDRGainMapHeadroom>2</HDRGainMap:HDRGainMapHeadroom>"),
    "another maker's": (' xmlns:MiCamera="http://ns.xiaomi.com/photos/1.0/camera/" MiCamera:MotionPhoto="1"', ""),
    "container": (
        f' xmlns:Container="{CONTAINER}" xmlns:Item="{ITEM}"',
        "<Container:Directory><rdf:Seq><rdf:li rdf:parseType='Resource'><Container:Item Item:Mime='image/jpeg'"
        " Item:Semantic='Primary'/></rdf:li></rdf:Seq></Container:Directory>",
    ),
    "another prefix": (f' xmlns:c="{CONTAINER}"', "<c:Directory><rdf:Seq/></c:Directory>"),
    "default namespace": ("", f'<Directory xmlns="{CONTAINER}"><x>1</x></Directory>'),
    "extended XMP": (' xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="0123"', ""),
    "profile": (' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:ICCProfile="Adobe RGB (1998)"', ""),
    "colour space": (' xmlns:exif="http://ns.adobe.com/exif/1.0/"', "<exif:ColorSpace>65535</exif:ColorSpace>"),
}


@pytest.mark.parametrize("kind", GONE)
def test_what_is_gone_is_cut_out_and_the_rest_stays(kind: str) -> None:
    kept, notes = xmp.travelling(packet(*GONE[kind]))
    assert kept == packet()
    assert len(notes) == 1
    assert "dropped" in notes[0]
    ElementTree.fromstring(kept)


def test_all_at_once() -> None:
    attributes = "".join(GONE[kind][0] for kind in ("motion photo", "gain map", "container", "extended XMP", "profile"))
    kept, notes = xmp.travelling(packet(attributes, GONE["container"][1]))
    assert kept == packet()
    assert len(notes) == 1


@pytest.mark.parametrize(
    "attributes",
    [
        "",
        f' xmlns:GCamera="{CAMERA}" GCamera:BurstID="7"',
        ' xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:ColorSpace="1" exif:ISO="MotionPhoto"',
        ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:ICCProfile="sRGB IEC61966-2.1"'
        ' photoshop:ColorMode="3" photoshop:City="Motion"',
    ],
)
def test_what_is_still_true_stays_without_a_note(attributes: str) -> None:
    assert xmp.travelling(packet(attributes)) == (packet(attributes), ())


def test_a_namespace_that_is_still_used_stays_declared() -> None:
    attributes = f' xmlns:GCamera="{CAMERA}" GCamera:MotionPhoto="1" GCamera:BurstID="7"'
    kept, _ = xmp.travelling(packet(attributes))
    assert kept == packet(attributes.replace(' GCamera:MotionPhoto="1"', ""))


@pytest.mark.parametrize(
    "hostile",
    [
        packet(GONE["motion photo"][0])[:-100],
        packet(GONE["motion photo"][0]).replace(b"</dc:title>", b"</dc:titl>"),
        packet(GONE["gain map"][0], before='<!DOCTYPE a [<!ENTITY b "c">]>'),
        packet(GONE["gain map"][0], before='<!DOCTYPE a SYSTEM "file:///etc/passwd">'),
        packet(GONE["gain map"][0]).decode().encode("utf-16"),
        packet(GONE["gain map"][0]).replace(b"\xc3\xbc", b"\xfc"),
        packet(GONE["gain map"][0], "<a>" * 5000 + "</a>" * 5000),
        packet(GONE["gain map"][0], "<a/>" * 300_000),
        b"hdrgm MotionPhoto",
    ],
)
def test_what_cannot_be_edited_safely_is_dropped_whole_with_a_note(hostile: bytes) -> None:
    kept, notes = xmp.travelling(hostile)
    assert kept is None
    assert len(notes) == 1


def test_what_is_no_xml_but_tells_of_nothing_stays() -> None:
    for data in (b"<a", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"\xff\xfe"):
        assert xmp.travelling(data) == (data, ())


def test_entities_are_never_expanded() -> None:
    laughs = '<!DOCTYPE l [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)
    )
    hostile = f'{laughs}]><l xmlns:hdrgm="{GAIN}" hdrgm:Version="1">&j;</l>'.encode()
    assert xmp.travelling(hostile)[0] is None


WORDS = st.sampled_from(
    [
        b"<a ",
        b"<a>",
        b"</a>",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<?x ",
        b"?>",
        b'"',
        b"'",
        b"=",
        b"&amp;",
        b"\xff",
        b"hdrgm:Version",
        b" xmlns:hdrgm=",
        f'"{GAIN}"'.encode(),
        b"MotionPhoto",
        b"tiff:Orientation=",
        b'"6"',
        b" " * 50,
    ]
)


@settings(max_examples=300)
@given(st.lists(WORDS, max_size=30).map(b"".join))
def test_any_packet_gives_a_packet_or_none(data: bytes) -> None:
    kept, notes = xmp.travelling(data)
    assert kept is None or isinstance(kept, bytes)
    if kept:
        assert xmp.travelling(kept) == (kept, ())  # nothing is left to be dropped
    assert all("\n" not in note for note in notes)


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(sorted(GONE)), max_size=5),
    st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), max_size=9),
)
def test_what_is_cut_leaves_xml_whose_other_properties_are_the_same(kinds: list[str], text: str) -> None:
    nickname = f' xmp:Nickname="{escape(text, {chr(34): "&quot;"})}"'
    inside = "".join(f"<xmp:part{GONE[kind][0]}>{GONE[kind][1]}</xmp:part>" for kind in kinds)
    kept, _ = xmp.travelling(packet(nickname, inside))
    assert kept == packet(nickname, "<xmp:part></xmp:part>" * len(kinds))
    ElementTree.fromstring(kept)


def test_large_packets_take_no_longer_than_they_should() -> None:
    nested = "".join(f'<a xmlns:p{i}="{GAIN}" p{i}:b="1">' for i in range(50)) + "</a>" * 50
    for inside in (nested * 14, "<a b='c'/>" * 6000, " " * 60_000, "<!-- " + "-> " * 20_000 + " -->", "x" * 60_000):
        begun = time.process_time()
        xmp.travelling(packet(GONE["gain map"][0], inside))
        assert time.process_time() - begun < 0.5  # some hundredths


def with_xmp(suffix: str, data: bytes) -> bytes:
    picture, out = Image.fromarray(np.full((16, 16, 3), 90, np.uint8)), BytesIO()
    if suffix == ".png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", data.decode())
        picture.save(out, "PNG", pnginfo=info)
    elif suffix == ".tif":
        picture.save(out, "TIFF", tiffinfo={700: data})
    else:
        picture.save(out, {".jpg": "JPEG", ".webp": "WEBP"}[suffix], xmp=data)
    return out.getvalue()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_it_is_gone_from_every_format_and_the_photo_says_so(suffix: str) -> None:
    photo = images.decode(with_xmp(suffix, packet(*GONE["container"])), "a")
    assert photo.metadata.xmp == packet()
    assert len(photo.notes) == 1
    for target in (".jpg", ".png", ".webp", ".tif"):
        with Image.open(BytesIO(images.encode(photo, target, recipe=None)[0])) as image:
            assert image.info["xmp"] == packet()


def test_the_pixel_paths_of_16_bits_say_so_as_well() -> None:
    photo = images.Photo(
        np.zeros((4, 4, 3), np.uint16), bits=16, metadata=images.Metadata(xmp=packet(*GONE["motion photo"]))
    )
    for suffix in (".png", ".tif"):
        again = images.decode(images.encode(photo, suffix, recipe=None)[0], "a")
        assert again.bits == 16
        assert again.metadata.xmp == packet()
        assert len(again.notes) == 1


def test_neither_a_second_packet_nor_the_table_of_further_pictures_is_carried() -> None:
    """Extended XMP and the MPF segment of an MPO speak of what is not in the result."""
    out, pictures = BytesIO(), [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    pictures[0].save(out, "MPO", save_all=True, append_images=pictures[1:])
    extended = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + bytes(8) + b"<depth map/>"
    first = b"http://ns.adobe.com/xap/1.0/\0" + packet(*GONE["extended XMP"])
    segments = b"".join(b"\xff\xe1" + (len(data) + 2).to_bytes(2) + data for data in (first, extended))
    data = out.getvalue()
    assert b"MPF\0" in data
    photo = images.decode(data[:2] + segments + data[2:], "a")
    assert photo.metadata.xmp == packet()
    for suffix in (".jpg", ".png", ".webp", ".tif"):
        written = images.encode(photo, suffix, recipe=None)[0]
        for word in (b"MPF\0", b"xmp/extension", b"depth map", b"HasExtendedXMP"):
            assert word not in written
