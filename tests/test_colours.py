"""Colours as they were meant, against the standards' formulas in float64, with their published matrices."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms

from dreamer import images
from dreamer.errors import ImageReadError
from dreamer.images import coding, colours, icc
from dreamer.images import exif as exif_module

HEIGHT, WIDTH = 24, 32
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}

# ---------------------------------------------------------------- the reference

SRGB_FROM_XYZ = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)
XYZ_FROM_ADOBE = np.array(
    [[0.5767309, 0.1855540, 0.1881852], [0.2973769, 0.6273491, 0.0752741], [0.0270343, 0.0706872, 0.9911085]]
)
SRGB_FROM_2020 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]
)
SRGB_FROM_P3 = np.array(
    [[1.2249402, -0.2249402, 0.0], [-0.0420570, 1.0420570, 0.0], [-0.0196376, -0.0786360, 1.0982736]]
)
SAME = np.eye(3)
P3_CHRM = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
SRGB_CHRM = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
BT2020_CHRM = (31270, 32900, 70800, 29200, 17000, 79700, 13100, 4600)
ROMM_CHRM = (34570, 35850, 73470, 26530, 15960, 84040, 3660, 10)


def encoded(light: np.ndarray) -> np.ndarray:
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def srgb_light(v: np.ndarray) -> np.ndarray:
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def bt2020_light(v: np.ndarray) -> np.ndarray:
    return np.where(v < 0.0812428, v / 4.5, ((v + 0.0992968) / 1.0992968) ** (1 / 0.45))


def pq_light(v: np.ndarray) -> np.ndarray:
    """In units of 203 cd/m2."""
    p = v ** (32 / 2523)
    return 10_000 / 203 * (np.maximum(p - 0.8359375, 0) / (18.8515625 - 18.6875 * p)) ** (8192 / 1305)


def hlg_light(v: np.ndarray) -> np.ndarray:
    scene = np.where(v <= 0.5, v * v / 3, (np.exp((v - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return 1000 / 203 * luminance[..., None] ** 0.2 * scene


def power(exponent: float):
    return lambda v: v**exponent


def expected(levels: np.ndarray, light, matrix: np.ndarray) -> np.ndarray:
    return encoded(light(levels) @ matrix.T)


def adapted(chrm: tuple[int, ...]) -> np.ndarray:
    """The matrix to linear sRGB for a white of its own, by Bradford's adaptation."""
    white, *corners = (np.array([x, y, 1e5 - x - y]) / y for x, y in zip(chrm[::2], chrm[1::2], strict=True))
    to_xyz = np.stack(corners, axis=1)
    to_xyz = to_xyz * np.linalg.solve(to_xyz, white)
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    d65 = np.linalg.inv(SRGB_FROM_XYZ) @ np.ones(3)
    return SRGB_FROM_XYZ @ np.linalg.inv(bradford) @ np.diag((bradford @ d65) / (bradford @ white)) @ bradford @ to_xyz


# ---------------------------------------------------------------- files


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def gama(value: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


def chrm(values: tuple[int, ...]) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *values))


def cicp(*codes: int) -> bytes:
    return chunk(b"cICP", bytes(codes))


def png(levels: np.ndarray, depth: int, kind: int, *chunks: bytes, palette: bytes = b"", after: bytes = b"") -> bytes:
    """A PNG of any kind, its chunks about colour before the palette."""
    height, width = levels.shape[:2]
    samples = levels.reshape(height, -1)
    if depth == 16:
        rows = samples.astype(">u2").view(np.uint8).reshape(height, -1)
    elif depth == 8:
        rows = samples.astype(np.uint8)
    else:
        bits = (samples[..., None] >> np.arange(depth - 1, -1, -1)) & 1
        rows = np.packbits(bits.reshape(height, -1), axis=1)
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    parts = [chunk(b"IHDR", header), *chunks, chunk(b"PLTE", palette) if palette else b"", after]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def noise(depth: int, channels: int, seed: int = 0, most: float = 1.0) -> np.ndarray:
    top = int((2**depth - 1) * most)
    return np.random.default_rng(seed).integers(0, top, (HEIGHT, WIDTH, channels), endpoint=True)


def read(data: bytes) -> images.Photo:
    return images.decode(data, "a picture")


def assert_meant(photo: images.Photo, wanted: np.ndarray, worst: float = 3.0) -> None:
    """Under a level of 255 in the mean, and none far off."""
    error = np.abs(photo.pixels.astype(np.float64) - wanted) * 255
    assert error.mean() < 0.5
    assert error.max() < worst


SAID = {
    "linear": ((gama(1.0),), power(1.0), SAME),
    "gamma 1.8": ((gama(0.55556),), power(1.8), SAME),
    "gamma and sRGB's primaries": ((gama(0.7), chrm(SRGB_CHRM)), power(1 / 0.7), SAME),
    "Display P3 by cHRM": ((gama(0.45455), chrm(P3_CHRM)), power(2.2), SRGB_FROM_P3),
    "primaries alone": ((chrm(BT2020_CHRM),), srgb_light, SRGB_FROM_2020),
    "another white": ((chrm(ROMM_CHRM), gama(0.55556)), power(1.8), adapted(ROMM_CHRM)),
    "cICP Display P3": ((cicp(12, 13, 0, 1),), srgb_light, SRGB_FROM_P3),
    "cICP BT.2020": ((cicp(9, 14, 0, 1),), bt2020_light, SRGB_FROM_2020),
    "cICP BT.709": ((cicp(1, 1, 0, 1),), bt2020_light, SAME),
    "cICP linear": ((cicp(1, 8, 0, 1),), power(1.0), SAME),
    "cICP PQ": ((cicp(9, 16, 0, 1),), pq_light, SRGB_FROM_2020),
    "cICP HLG": ((cicp(9, 18, 0, 1),), hlg_light, SRGB_FROM_2020),
    "cICP PQ, P3": ((cicp(12, 16, 0, 1),), pq_light, SRGB_FROM_P3),
}


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("kind", [RGB, RGBA, GREY, GREY_ALPHA])
def test_what_a_png_says_of_its_colours_is_heeded(said: str, depth: int, kind: int) -> None:
    chunks, light, matrix = SAID[said]
    levels = noise(depth, CHANNELS[kind])
    photo = read(png(levels, depth, kind, *chunks))
    is_grey = kind in (GREY, GREY_ALPHA)
    colour = np.broadcast_to(levels[..., :1], (HEIGHT, WIDTH, 3)) if is_grey else levels[..., :3]
    assert_meant(photo, expected(colour / (2**depth - 1), light, SAME if is_grey else matrix))
    assert photo.bits == depth
    if kind in (RGBA, GREY_ALPHA):
        np.testing.assert_array_equal(photo.alpha, levels[..., -1])
    if is_grey:
        assert (np.ptp(photo.pixels, axis=2) == 0).all()


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("said", ["linear", "cICP Display P3", "cICP PQ", "cICP HLG"])
def test_palettes_and_few_bits_as_well(depth: int, said: str) -> None:
    chunks, light, matrix = SAID[said]
    palette = np.random.default_rng(1).integers(0, 255, (2**depth, 3), endpoint=True)
    places = noise(depth, 1)
    photo = read(png(places, depth, PALETTE, *chunks, palette=palette.astype(np.uint8).tobytes()))
    assert_meant(photo, expected(palette[places[..., 0]] / 255, light, matrix))
    grey = read(png(places, depth, GREY, *chunks))
    assert_meant(grey, expected(np.broadcast_to(places, (HEIGHT, WIDTH, 3)) / (2**depth - 1), light, SAME))


def test_a_transparent_palette_keeps_its_alpha() -> None:
    palette, alphas = bytes([10, 200, 30, 240, 20, 90]), bytes([0, 128])
    data = png(noise(1, 1), 1, PALETTE, gama(1.0), palette=palette, after=chunk(b"tRNS", alphas))
    photo = read(data)
    colours = np.frombuffer(palette, np.uint8).reshape(2, 3)[noise(1, 1)[..., 0]]
    assert_meant(photo, expected(colours / 255, power(1.0), SAME))
    np.testing.assert_array_equal(photo.alpha, np.frombuffer(alphas, np.uint8)[noise(1, 1)[..., 0]])


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("codes", [(1, 13, 0, 0), (9, 16, 0, 0)])
def test_the_narrow_range_of_video_is_stretched(depth: int, codes: tuple[int, ...]) -> None:
    levels = noise(depth, 4)
    unit = 2 ** (depth - 8)
    photo = read(png(levels, depth, RGBA, cicp(*codes)))
    wide = np.clip((levels[..., :3] - 16 * unit) / (219 * unit), 0, 1)
    light, matrix = (srgb_light, SAME) if codes[0] == 1 else (pq_light, SRGB_FROM_2020)
    # At 8 bits the stretched level is rounded once more, in PQ a level is a step of light.
    assert_meant(photo, expected(wide, light, matrix), worst=4.0)
    np.testing.assert_array_equal(photo.alpha, levels[..., 3])


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(
    "chunks",
    [
        (),
        (gama(0.45455),),
        (gama(0.45455), chrm(SRGB_CHRM)),
        (gama(0.45454), chrm((31269, 32899, 63999, 33001, 30000, 60000, 15000, 5999))),
        (chrm(SRGB_CHRM),),
        (chunk(b"sRGB", b"\0"),),
        (chunk(b"sRGB", b"\0"), gama(1.0), chrm(BT2020_CHRM)),
        (cicp(1, 13, 0, 1),),
        (cicp(1, 13, 0, 1), gama(1.0)),
        (cicp(2, 2, 0, 1),),
    ],
)
def test_srgb_however_it_is_said_leaves_every_level_alone(depth: int, chunks: tuple[bytes, ...]) -> None:
    levels = noise(depth, 3)
    photo = read(png(levels, depth, RGB, *chunks))
    np.testing.assert_array_equal(np.rint(photo.pixels * (2**depth - 1)), levels)
    assert photo.notes == ()


def iccp(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"icc\0\0" + zlib.compress(profile))


@pytest.mark.parametrize("depth", [8, 16])
def test_cicp_goes_before_the_profile_and_the_profile_before_the_rest(depth: int) -> None:
    levels, profile = noise(depth, 3), iccp(icc.matrix_profile(coding.ADOBE_RGB))
    by_profile = expected(levels / (2**depth - 1), power(563 / 256), SRGB_FROM_XYZ @ XYZ_FROM_ADOBE)
    assert_meant(read(png(levels, depth, RGB, profile, chunk(b"sRGB", b"\0"), gama(1.0))), by_profile)
    by_codes = expected(levels / (2**depth - 1), power(1.0), SAME)
    assert_meant(read(png(levels, depth, RGB, profile, cicp(1, 8, 0, 1))), by_codes)
    # Codes that nobody here knows say nothing.
    photo = read(png(levels, depth, RGB, profile, cicp(77, 8, 0, 1)))
    assert_meant(photo, by_profile)
    assert "77" in photo.notes[0]


@pytest.mark.parametrize(
    "nonsense",
    [
        (gama(0.0),),
        (gama(300.0),),
        (gama(1.0), chrm((0,) * 8)),
        (chrm((31270, 32900, 10000, 10000, 20000, 20000, 30000, 30000)),),
        (chrm((90000, 5000, 64000, 33000, 30000, 60000, 15000, 6000)),),
        (chrm((2**32 - 1,) * 8),),
        (cicp(1, 13, 9, 1),),
        (cicp(0, 255, 0, 7),),
    ],
)
@pytest.mark.parametrize("depth", [8, 16])
def test_nonsense_about_colours_is_ignored_with_a_note(nonsense: tuple[bytes, ...], depth: int) -> None:
    levels = noise(depth, 3)
    photo = read(png(levels, depth, RGB, *nonsense))
    np.testing.assert_array_equal(np.rint(photo.pixels * (2**depth - 1)), levels)
    assert len(photo.notes) == 1


def test_hdr_that_was_made_of_an_ordinary_picture_comes_back_with_a_note() -> None:
    """White is 203 cd/m2: 58 % of PQ, 75 % of HLG."""
    for codes, white in (((9, 16, 0, 1), 0.5806888810), ((9, 18, 0, 1), 0.75)):
        photo = read(png(np.full((HEIGHT, WIDTH, 3), round(white * 65535)), 16, RGB, cicp(*codes)))
        assert photo.pixels.min() > 0.995
        brighter = read(png(np.full((HEIGHT, WIDTH, 3), 60_000), 16, RGB, cicp(*codes)))
        assert (brighter.pixels == 1).all()
        assert "203 cd/m2" in photo.notes[0]
        assert ("PQ" in photo.notes[0]) == (codes[1] == 16)


@settings(max_examples=40)
@given(
    exponent=st.floats(0.3, 5),
    corners=st.sampled_from([None, SRGB_CHRM, P3_CHRM, BT2020_CHRM, ROMM_CHRM]),
    depth=st.sampled_from([8, 16]),
    seed=st.integers(0, 99),
)
def test_any_gamma_and_primaries(exponent: float, corners: tuple[int, ...] | None, depth: int, seed: int) -> None:
    stored = round(100_000 / exponent)
    if 45_300 < stored < 45_600 and corners in (None, SRGB_CHRM):
        return  # taken as sRGB
    levels = noise(depth, 3, seed)
    photo = read(png(levels, depth, RGB, gama(stored / 100_000), chrm(corners) if corners else b""))
    matrix = adapted(corners) if corners else SAME
    assert_meant(photo, expected(levels / (2**depth - 1), power(100_000 / stored), matrix))


COLOUR_CHUNKS = st.one_of(
    st.tuples(st.sampled_from([b"gAMA", b"cHRM", b"sRGB", b"cICP", b"iCCP", b"eXIf"]), st.binary(max_size=40)),
    st.tuples(st.just(b"gAMA"), st.binary(min_size=4, max_size=4)),
    st.tuples(st.just(b"cHRM"), st.binary(min_size=32, max_size=32)),
    st.tuples(st.just(b"cICP"), st.tuples(*[st.integers(0, 23)] * 4).map(bytes)),
)


@settings(max_examples=120)
@given(chunks=st.lists(COLOUR_CHUNKS, max_size=4), depth=st.sampled_from([8, 16]), kind=st.sampled_from([GREY, RGB]))
def test_any_colour_chunks_give_a_photo_or_the_one_error(
    chunks: list[tuple[bytes, bytes]], depth: int, kind: int
) -> None:
    data = png(noise(depth, CHANNELS[kind]), depth, kind, *[chunk(*parts) for parts in chunks])
    try:
        photo = read(data)
    except ImageReadError:
        return
    assert photo.pixels.shape == (HEIGHT, WIDTH, 3)
    assert np.isfinite(photo.pixels).all()
    assert all("\n" not in note for note in photo.notes)


# ---------------------------------------------------------------- Adobe RGB by EXIF alone


def camera(space: int | None, index: str | None = None) -> bytes:
    """EXIF as a camera writes it, with white, primaries and gamma."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    exif[ExifTags.Base.WhitePoint] = (0.3127, 0.329)
    exif[ExifTags.Base.PrimaryChromaticities] = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
    detail: dict[int, object] = {ExifTags.Base.ISOSpeedRatings: 200, ExifTags.Base.Gamma: 2.2}
    if space is not None:
        detail[ExifTags.Base.ColorSpace] = space
    if index:
        detail[ExifTags.IFD.Interop] = {1: index, 2: b"0100"}
    exif[ExifTags.IFD.Exif] = detail
    exif._ifds[ExifTags.IFD.Exif] = detail
    return exif.tobytes()


ADOBE = [(65535, "R03"), (2, None), (2, "R03"), (None, "R03")]
NOT_ADOBE = [(65535, None), (65535, "R98"), (1, None), (1, "R98"), (1, "R03"), (None, None), (None, "R98"), (3, "R03")]
FORMATS = [".jpg", ".png", ".webp", ".tif"]


def stored(levels: np.ndarray, suffix: str, exif: bytes, **options: object) -> bytes:
    """A file, lossless where the format can."""
    if suffix == ".tif":
        return tiff(levels.astype(np.uint8), exif[6:], **options)
    out = BytesIO()
    array = levels.astype(np.uint8)
    name = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP"}[suffix]
    options |= {".jpg": {"quality": 100, "subsampling": 0}, ".webp": {"lossless": True, "exact": True}}.get(suffix, {})
    Image.fromarray(array[..., 0] if array.shape[2] == 1 else array).save(out, name, exif=exif, **options)
    return out.getvalue()


def tiff(levels: np.ndarray, block: bytes, icc_profile: bytes | None = None) -> bytes:
    """A TIFF with EXIF in its directory; Pillow writes no interoperability directory into one."""
    camera = exif_module.parse(block)
    height, width, channels = levels.shape
    order, pixels = camera.order, levels.astype(levels.dtype.newbyteorder(camera.order)).tobytes()
    shorts = {
        256: (width,),
        257: (height,),
        258: (levels.itemsize * 8,) * channels,
        259: (1,),
        262: (2 if channels > 2 else 1,),
        277: (channels,),
        278: (height,),
    }
    if channels in (2, 4):
        shorts[338] = (2,)
    entries = {**camera.entries}
    entries |= {tag: exif_module.integers(order, exif_module.SHORT, *values) for tag, values in shorts.items()}
    entries |= {
        tag: exif_module.integers(order, exif_module.LONG, value) for tag, value in ((273, 8), (279, len(pixels)))
    }
    if icc_profile:
        entries[exif_module.ICC] = exif_module.raw_bytes(icc_profile)
    start = 8 + len(pixels)
    return exif_module.header(order, start) + pixels + exif_module.directory_bytes(entries, order, start)


def plain(data: bytes) -> np.ndarray:
    """The levels of a file as Pillow decodes them."""
    with Image.open(BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).astype(np.float64)


def patches(channels: int) -> np.ndarray:
    """Large patches, which JPEG keeps."""
    return np.repeat(np.repeat(noise(8, channels)[::8, ::8], 8, axis=0), 8, axis=1)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(("space", "index"), ADOBE)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_adobe_rgb_is_told_by_exif_alone(suffix: str, space: int | None, index: str | None, channels: int) -> None:
    if suffix == ".jpg" and channels == 4:
        return
    levels = patches(channels)
    data = stored(levels, suffix, camera(space, index))
    photo = read(data)
    assert_meant(photo, expected(plain(data) / 255, power(563 / 256), SRGB_FROM_XYZ @ XYZ_FROM_ADOBE))
    if channels == 4:
        np.testing.assert_array_equal(photo.alpha, levels[..., 3])


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(("space", "index"), NOT_ADOBE)
def test_nothing_else_is_taken_for_adobe_rgb(suffix: str, space: int | None, index: str | None) -> None:
    data = stored(patches(3), suffix, camera(space, index))
    np.testing.assert_array_equal(np.rint(read(data).pixels * 255), plain(data))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_adobe_rgb_by_exif_at_16_bits(channels: int) -> None:
    kind = {1: GREY, 2: GREY_ALPHA, 3: RGB, 4: RGBA}[channels]
    levels = noise(16, channels)
    photo = read(png(levels, 16, kind, chunk(b"eXIf", camera(65535, "R03")[6:])))
    colour = np.broadcast_to(levels[..., :1], (HEIGHT, WIDTH, 3)) if channels < 3 else levels[..., :3]
    wanted = expected(colour / 65535, power(563 / 256), SRGB_FROM_XYZ @ XYZ_FROM_ADOBE)
    assert_meant(photo, wanted, worst=0.5)
    again = images.encode(photo, ".tif", recipe=None)[0]  # says sRGB, so nothing is converted a second time
    np.testing.assert_array_equal(read(again).pixels, photo.pixels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_adobe_rgb_by_exif_in_a_16_bit_tiff(channels: int) -> None:
    levels = noise(16, channels).astype(np.uint16)
    colour = np.broadcast_to(levels[..., :1], (HEIGHT, WIDTH, 3)) if channels < 3 else levels[..., :3]
    wanted = expected(colour / 65535, power(563 / 256), SRGB_FROM_XYZ @ XYZ_FROM_ADOBE)
    assert_meant(read(tiff(levels, camera(65535, "R03")[6:])), wanted, worst=0.5)


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_embedded_profile_wins_over_exif(suffix: str) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = stored(patches(3), suffix, camera(65535, "R03"), icc_profile=srgb)
    np.testing.assert_array_equal(np.rint(read(data).pixels * 255), plain(data))


@pytest.mark.parametrize("method", [2, 3])
def test_the_profile_of_a_jpeg_2000_counts(method: int) -> None:
    levels = noise(8, 3).astype(np.uint8)
    out = BytesIO()
    Image.fromarray(levels).save(out, "JPEG2000")
    data = out.getvalue()
    assert np.array_equal(plain(data), levels)
    at = data.index(b"colr") - 4
    (size,) = struct.unpack_from(">I", data, at)
    body = bytes([method, 0, 0]) + icc.matrix_profile(coding.ADOBE_RGB)
    told = struct.pack(">I4s", 8 + len(body), b"colr") + body
    header = data.index(b"jp2h") - 4
    (length,) = struct.unpack_from(">I", data, header)
    sizes = struct.pack(">I", length + len(told) - size)
    changed = data[:header] + sizes + data[header + 4 : at] + told + data[at + size :]
    assert_meant(read(changed), expected(levels / 255, power(563 / 256), SRGB_FROM_XYZ @ XYZ_FROM_ADOBE))


def test_cmyk_is_not_adobe_rgb() -> None:
    out = BytesIO()
    Image.new("CMYK", (4, 4), (10, 80, 200, 3)).save(out, "JPEG", exif=camera(65535, "R03"))
    with Image.open(out) as image:
        np.testing.assert_array_equal(np.rint(read(out.getvalue()).pixels * 255), np.asarray(image.convert("RGB")))


# ---------------------------------------------------------------- what is said afterwards


def written(photo: images.Photo, suffix: str) -> tuple[Image.Image, bytes]:
    data, _ = images.encode(photo, suffix, recipe={"seed": 1})
    image = Image.open(BytesIO(data))
    image.load()
    return image, data


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize(("space", "index"), [(65535, "R03"), (2, None), (65535, None)])
def test_exif_says_srgb_afterwards(source: str, suffix: str, space: int, index: str | None) -> None:
    image, _ = written(read(stored(patches(3), source, camera(space, index))), suffix)
    with image:
        detail = image.getexif().get_ifd(ExifTags.IFD.Exif)
        assert detail[ExifTags.Base.ColorSpace] == 1
        assert detail[ExifTags.Base.ISOSpeedRatings] == 200
        assert ExifTags.Base.Gamma not in detail
        interop = image.getexif().get_ifd(ExifTags.IFD.Interop) if index else {1: "R98"}
        assert interop[1] == "R98"
        assert ExifTags.Base.PrimaryChromaticities not in image.getexif()
        assert ExifTags.Base.WhitePoint not in image.getexif()


def test_exif_says_srgb_after_a_profile_as_well_and_is_else_left_alone() -> None:
    p3 = icc.matrix_profile(coding.Coding(tuple(value / 1e5 for value in P3_CHRM), (2.2, 1.0, 0.0, 0.0, 0.0)))
    image, _ = written(read(stored(patches(3), ".jpg", camera(65535), icc_profile=p3)), ".jpg")
    assert image.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ColorSpace] == 1
    image, _ = written(read(stored(patches(3), ".jpg", camera(1, "R98"))), ".jpg")
    detail = image.getexif().get_ifd(ExifTags.IFD.Exif)
    assert detail[ExifTags.Base.Gamma] == pytest.approx(2.2)
    assert image.getexif()[ExifTags.Base.WhitePoint] == pytest.approx((0.3127, 0.329))


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("said", ["linear", "Display P3 by cHRM", "cICP PQ"])
def test_no_chunk_about_former_colours_is_written(suffix: str, depth: int, said: str) -> None:
    photo = read(png(noise(depth, 3), depth, RGB, *SAID[said][0]))
    image, data = written(photo, suffix)
    assert image.info["icc_profile"]
    for name in (b"gAMA", b"cHRM", b"cICP", b"sRGB"):
        assert name + b"\0" not in data.replace(image.info["icc_profile"], b"")
    assert {"gamma", "chromaticity", "srgb"}.isdisjoint(image.info)


# ---------------------------------------------------------------- by way of Pillow, and the cases


def test_from_pil_heeds_the_chunks_that_pillow_knows() -> None:
    levels = noise(8, 3)
    with Image.open(BytesIO(png(levels, 8, RGB, gama(1.0)))) as image:
        assert_meant(images.from_pil(image), expected(levels / 255, power(1.0), SAME))


def test_the_code_points_of_heic_count() -> None:
    levels = noise(8, 3)
    image = Image.fromarray(levels.astype(np.uint8))
    image.info["nclx_profile"] = {
        "color_primaries": 12,
        "transfer_characteristics": 13,
        "matrix_coefficients": 6,
        "full_range_flag": 0,
    }
    assert_meant(images.from_pil(image), expected(levels / 255, srgb_light, SRGB_FROM_P3))
    image.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    np.testing.assert_array_equal(np.rint(images.from_pil(image).pixels * 255), levels)


def test_the_code_points_of_avif_count_unless_they_are_what_every_encoder_writes() -> None:
    out = BytesIO()
    Image.new("RGB", (16, 16), (200, 100, 50)).save(out, "AVIF")
    plain = out.getvalue()
    at = plain.index(b"colrnclx") + 8
    assert plain[at : at + 4] == bytes([0, 1, 0, 13])
    assert colours.meant({}, plain, None).space is None
    display_p3 = plain[:at] + bytes([0, 12, 0, 13]) + plain[at + 4 :]
    assert colours.meant({}, display_p3, None).space == coding.from_code_points(12, 13, 0, True)
    assert colours.meant({"icc_profile": b"icc"}, display_p3, None).space == b"icc"
    adobe = exif_module.parse(camera(65535, "R03")[6:])
    assert colours.meant({}, plain, adobe).space == coding.ADOBE_RGB
    srgb = {"color_primaries": 1, "transfer_characteristics": 13}
    assert colours.meant({"nclx_profile": srgb}, None, adobe).space == coding.ADOBE_RGB
    for end in range(at - 8, at + 4):
        assert colours.meant({}, display_p3[:end], None).space is None


def test_the_published_matrices_are_those_of_the_codings() -> None:
    np.testing.assert_allclose(coding.to_xyz(coding.ADOBE_RGB.primaries), XYZ_FROM_ADOBE, atol=3e-4)
    for code in (1, 4, 5, 6, 8, 9, 10, 11, 12, 22):
        space = coding.from_code_points(code, 8, 0, True)
        assert space is not None
        white = coding.to_xyz(space.primaries).sum(axis=1)
        assert white[0] / white.sum() == pytest.approx(space.primaries[0])
        assert white[1] == pytest.approx(1)


def test_profiles_of_codings_are_what_littlecms_reads(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(BytesIO(icc.matrix_profile(coding.ADOBE_RGB))).profile
    assert profile.xcolor_space.strip() == "RGB"
    assert profile.red_primary[1][:2] == pytest.approx((0.6484, 0.3309), abs=1e-3)  # of Adobe's own profile
    assert profile.green_primary[1][:2] == pytest.approx((0.2302, 0.7016), abs=1e-3)
