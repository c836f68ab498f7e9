"""Where a zoom goes, how, and back to its start; and the part of a photo that is dreamt."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import tomllib
from itertools import pairwise

import numpy as np
import pytest

import dreamer
from dreamer import images, presets, zoom_steps
from dreamer.dreaming.framing import Box, box_of, ratio_of
from dreamer.dreaming.looping import Returning, first_within, laid_opacity
from dreamer.dreaming.moving import magnified
from dreamer.dreaming.paths import Move, moves, smooth, whole
from dreamer.dreaming.photo import PhotoDream
from dreamer.dreaming.settings import DreamSettings
from dreamer.dreaming.zoom import frame_steps
from dreamer.errors import SettingsError
from dreamer.images import Metadata, Photo, exif
from dreamer.images.cropping import cropped
from dreamer.presets import text
from dreamer.presets.text import of_dream

TINY = DreamSettings(objective="second", octaves=2, steps=3, jitter=3, seed=5)
BEFORE = "1decc10751455dcb53f563df2d784fdf2c7b9df097f3aac06de443e3f1cfa43d"


def blob(size, point, spread=2.0):
    """A bright spot whose middle lies at a point, in shares of the sides."""
    y, x = np.mgrid[: size[0], : size[1]]
    far = (x - (point[0] * size[1] - 0.5)) ** 2 + (y - (point[1] * size[0] - 0.5)) ** 2
    return np.repeat(np.exp(-far / (2 * spread**2)).astype(np.float32)[..., None], 3, axis=2)


def middle_of(picture, around, reach=15):
    """The centre of brightness near a point, in pixels: ``(x, y)``."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    near = (abs(x - around[0]) < reach) & (abs(y - around[1]) < reach)
    weight = picture[..., 0] * near
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


def frames_of(picture, settings, network, note=pytest.fail):
    steps = zoom_steps(picture, settings, network=network, note=note)
    return [step.dream.render() for step in steps if step.dream.is_last]


# Magnified and turned about the focus


@pytest.mark.parametrize("focus", [(0.5, 0.5), (0.3, 0.6), (0.72, 0.31)])
@pytest.mark.parametrize(("zoom", "turn"), [(1.05, 0.0), (1.037, 2.0), (1.2, -3.3), (1.0, 7.0)])
def test_what_lies_at_the_focus_stays_there_to_a_hundredth_of_a_pixel(focus, zoom, turn):
    size = (87, 121)
    at = np.array([focus[0] * size[1] - 0.5, focus[1] * size[0] - 0.5])
    found = magnified(blob(size, focus), zoom, turn, focus)
    assert np.abs(middle_of(found, at) - at).max() < 0.01


def test_what_lies_beside_the_focus_goes_clockwise_and_outwards():
    size, focus = (101, 101), (0.4, 0.5)
    right_of_it = blob(size, (0.4 + 20 / 101, 0.5), spread=1.5)
    expected = np.array([0.4 * 101 - 0.5, 50 + 25])
    below = middle_of(magnified(right_of_it, 1.25, 90, focus), expected, reach=8)
    assert np.abs(below - expected).max() < 0.02


def test_nine_turns_of_ten_degrees_are_a_quarter():
    y, x = np.mgrid[:61, :61] / 60
    picture = np.stack([x, y, 0.5 + 0.4 * np.sin(5 * x + 3 * y)], axis=-1).astype(np.float32)
    turned = picture
    for _ in range(9):
        turned = magnified(turned, 1, 10)
    inside = np.hypot(*(np.mgrid[:61, :61] - 30)) < 26
    assert np.abs(turned - np.rot90(picture, -1))[inside].max() < 0.02
    assert np.abs(magnified(picture, 1, 90) - np.rot90(picture, -1)).max() < 1e-3


@pytest.mark.parametrize("focus", [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.3)])
def test_a_focus_at_the_border_shows_nothing_but_picture(focus):
    picture = np.full((31, 45, 3), 0.25, np.float32) + blob((31, 45), (0.5, 0.5)) / 2
    plain = magnified(picture, 1.3, 0, focus)
    assert plain.min() > 0.24
    assert magnified(picture, 1.05, 20, focus).min() > 0.24


def test_without_turn_and_focus_it_is_to_the_bit_what_it_was(picture):
    digest = hashlib.sha256()
    for zoom in (1.0, 1.03, 1.05, 1.2):
        digest.update(magnified(picture, zoom).tobytes())
    assert digest.hexdigest() == BEFORE


def test_a_zoom_without_them_is_to_the_bit_what_it_was(tiny_network, picture):
    plain = dataclasses.replace(TINY, frames=4)
    assert moves(plain) == [Move(1.05, 0.0, 1.0)] * 3
    # What it was, is written out here: the middle of each frame, toned as the first one, dreamt on by four steps.
    from dreamer.dreaming import zoom
    from dreamer.dreaming.plan import DreamPlan
    from dreamer.dreaming.steps import planned_steps

    plan, start, first = DreamPlan.of(plain, tiny_network), picture, None
    for number, shown in enumerate(frames_of(picture, plain, tiny_network)):
        steps = {} if number == 0 else {"steps": 1, "seed": (5 + number * zoom._SEED_STRIDE) % 2**64}
        *_, last = planned_steps(plan.with_settings(**steps), start, note=pytest.fail)
        assert np.array_equal(last.render(), shown)
        first = shown if first is None else first
        start = magnified(zoom._toned_as(shown, first), 1.05)


# The way


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("frames", [2, 3, 24, 121])
def test_an_eased_way_is_as_long_as_an_even_one(frames, loop):
    settings = DreamSettings(frames=frames, zoom=1.05, turn=-2, loop=loop)
    even, eased = moves(settings), moves(dataclasses.replace(settings, ease=True))
    assert len(even) == len(eased) == frames - (not loop)
    assert whole(eased) == pytest.approx(whole(even))
    assert all(move.zoom >= 1 and move.turn <= 0 for move in eased)


def test_an_eased_way_begins_and_ends_at_rest_and_is_quickest_between():
    way = moves(DreamSettings(frames=41, turn=2, ease=True))
    paces = [move.pace for move in way]
    assert [math.log(move.zoom, 1.05) for move in way] == pytest.approx(paces)
    assert [move.turn / 2 for move in way] == pytest.approx(paces)
    assert paces == pytest.approx(paces[::-1])
    assert paces[0] < 0.1
    assert all(one < other for one, other in pairwise(paces[:20]))
    assert max(paces) == pytest.approx(1.5, abs=0.01)
    assert (smooth(0), smooth(0.5), smooth(1)) == (0, 0.5, 1)


def test_steps_follow_the_magnification_of_the_frame(tiny_network, picture, monkeypatch):
    from dreamer.dreaming import zoom

    seen, planned = [], zoom.planned_steps
    monkeypatch.setattr(zoom, "planned_steps", lambda *a, **k: (seen.append(a[0].settings), planned(*a, **k))[1])
    settings = dataclasses.replace(TINY, steps=12, frames=12, zoom=1.15, ease=True)
    frames_of(picture, settings, tiny_network)
    steps = [one.steps for one in seen[1:]]
    assert steps == steps[::-1]
    assert steps[5] > frame_steps(settings) > steps[0]
    assert abs(sum(steps) - 11 * frame_steps(settings)) <= 6
    slow = moves(DreamSettings(frames=41, ease=True))[0]
    assert zoom._of_frame(zoom_plan(tiny_network, steps=2), 1, slow).settings.step_size < 0.1 * TINY.step_size


def zoom_plan(network, **changes):
    from dreamer.dreaming.plan import DreamPlan

    return DreamPlan.of(dataclasses.replace(TINY, **changes), network)


# Back to the first frame


def test_at_the_end_of_the_way_the_first_frame_is_all_there_is(picture):
    within, weight = first_within(picture, Move(1.0, 0.0), (0.3, 0.6))
    assert np.abs(within - picture).max() < 1e-6
    assert weight.min() == 1


@pytest.mark.parametrize("focus", [(0.5, 0.5), (0.2, 0.7), (0.0, 1.0)])
@pytest.mark.parametrize("turn", [0.0, 3.0])
def test_one_more_move_makes_the_first_frame_of_what_is_laid_in_the_last(picture, focus, turn):
    within, weight = first_within(picture, Move(1.1, turn), focus)
    came = magnified(within, 1.1, turn, focus)
    inside = np.s_[4:-4, 4:-4]
    assert np.abs(came - picture)[inside].mean() < 0.01
    assert magnified(np.repeat(weight[..., None], 3, 2), 1.1, turn, focus)[18, 26, 0] > 0.99


def test_the_first_frame_has_no_hard_edge_but_where_it_meets_the_border(picture):
    first = np.tile(picture, (3, 3, 1))
    _, weight = first_within(first, Move(4.0, 0.0), (0.5, 0.5))
    assert weight.max() == 1
    assert weight[0].max() == weight[:, 0].max() == 0
    assert max(np.abs(np.diff(weight, axis=axis)).max() for axis in (0, 1)) < 0.2
    _, cornered = first_within(first, Move(4.0, 0.0), (0.0, 0.0))
    assert cornered[0, 0] == 1
    assert cornered[0, -1] == cornered[-1, 0] == 0


def test_layings_add_up_to_what_is_to_be_seen():
    way, through = np.linspace(0, 0.7, 15), 1.0
    for before, now in pairwise(way):
        through *= 1 - laid_opacity(before, now)
    assert 1 - through == pytest.approx(smooth(0.7 / 0.75))
    assert laid_opacity(0.8, 0.9) == 1


def test_it_comes_up_smoothly_and_is_dreamt_over_less_and_less(picture):
    way = moves(DreamSettings(frames=60, zoom=1.08, loop=True))
    back = Returning(np.ones_like(picture), way, (0.4, 0.5))
    dark, seen, kept = np.zeros_like(picture), [], []
    for frame in range(1, 60):
        dark = magnified(dark, 1.08, 0, (0.4, 0.5))
        dark, held = back.laid(dark, frame)
        seen.append(dark[18, 21, 0])
        kept.append(1.0 if held is None else held.mean() / 255)
    assert seen[15] == 0
    assert all(after >= before - 1e-6 for before, after in pairwise(seen))
    assert max(after - before for before, after in pairwise(seen)) < 0.08
    assert all(after <= before + 1e-6 for before, after in pairwise(kept))
    assert (kept[0], seen[-1] > 0.8, kept[-1] < 0.35) == (1, True, True)


@pytest.mark.parametrize(
    "changes",
    [{}, {"ease": True}, {"turn": 2}, {"turn": 2, "focus": (0.3, 0.7), "ease": True}, {"focus": (0, 0)}, {"calm": 0.5}],
)
def test_the_last_frame_of_a_loop_leads_to_the_first(tiny_network, picture, changes):
    settings = dataclasses.replace(TINY, frames=26, zoom=1.1, loop=True, step_size=0.03, **changes)
    found = frames_of(np.tile(picture, (2, 2, 1)), settings, tiny_network)
    assert len(found) == 26
    ways = zip(found, [*found[1:], found[0]], moves(settings), strict=True)
    apart = [np.abs(after - magnified(before, *move[:2], settings.focus)).mean() for before, after, move in ways]
    assert apart[-1] < 1.5 * max(apart[:-1])  # Measured: 0.2 to 1.4.
    # Without it there is a jump.
    plain = frames_of(np.tile(picture, (2, 2, 1)), dataclasses.replace(settings, loop=False), tiny_network)
    move = moves(settings)[-1]
    assert np.abs(plain[0] - magnified(plain[-1], *move[:2], settings.focus)).mean() > 5 * apart[-1]


def test_a_short_loop_fades_over_and_says_so(tiny_network, picture):
    notes = []
    settings = dataclasses.replace(TINY, frames=8, zoom=1.1, loop=True)
    found = frames_of(picture, settings, tiny_network, notes.append)
    assert [note for note in notes if "fades over" in note and "--frames 22" in note] == notes != []
    assert math.prod(move.zoom for move in moves(dataclasses.replace(settings, frames=22))) >= 8
    assert np.abs(found[0] - magnified(found[-1], 1.1)).mean() < 0.05


def test_a_loop_that_only_turns_needs_no_magnification(tiny_network, picture):
    settings = dataclasses.replace(TINY, frames=12, zoom=1, turn=30, loop=True)
    found = frames_of(picture, settings, tiny_network)
    assert all(np.isfinite(frame).all() for frame in found)
    assert len(found) == 12


def test_the_same_seed_gives_the_same_bytes(tiny_network, picture):
    settings = dataclasses.replace(TINY, frames=5, zoom=1.3, focus=(0.2, 0.4), turn=3, ease=True, loop=True)
    one, other = (frames_of(picture, settings, tiny_network, note=lambda _: None) for _ in range(2))
    assert all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


# The part of the photo that is dreamt


@pytest.mark.parametrize(
    ("size", "aspect", "focus", "box"),
    [
        ((37, 53), None, (0.9, 0.1), Box(0, 0, 37, 53)),
        ((37, 53), "1:1", (0.5, 0.5), Box(0, 8, 37, 37)),
        ((37, 53), "1:1", (0.0, 0.5), Box(0, 0, 37, 37)),
        ((37, 53), "1:1", (1.0, 1.0), Box(0, 16, 37, 37)),
        ((53, 37), "16:9", (0.5, 0.5), Box(16, 0, 21, 37)),
        ((53, 37), "2", (0.1, 0.4), Box(12, 0, 18, 37)),
        ((160, 90), "9:16", (0.3, 0.6), Box(0, 0, 160, 90)),
        ((7, 3), "100:1", (0.5, 1.0), Box(6, 0, 1, 3)),
    ],
)
def test_a_photo_is_cut_to_a_ratio_as_large_as_fits(size, aspect, focus, box):
    assert box_of(size, aspect, focus) == box


@pytest.mark.parametrize("focus", [(0.05, 0.2), (0.3, 0.6), (0.99, 0.01), (1, 1)])
def test_the_zoom_goes_to_the_very_thing_that_the_cut_kept(tiny_network, focus):
    size, point = (91, 151), (focus[0], focus[1])
    photo = Photo(np.clip(blob(size, point, 1.2), 0, 1))
    dream = PhotoDream(photo, dataclasses.replace(TINY, aspect="4:5", focus=focus), network=tiny_network)
    assert dream.size == (91, 73)
    x, y = dream._focus
    peak = np.unravel_index(dream._photo.pixels[..., 0].argmax(), dream.size)
    assert abs(x * 73 - 0.5 - peak[1]) <= 1
    assert abs(y * 91 - 0.5 - peak[0]) <= 1


def test_a_cut_dream_is_that_of_the_part(tiny_network, picture):
    box = box_of((37, 53), "1:1", (0.9, 0.5))
    whole_dream = dreamer.dream(picture, TINY, network=tiny_network, aspect="1:1", focus=(0.9, 0.5))
    of_part = dreamer.dream(picture[box.rows, box.columns].copy(), TINY, network=tiny_network)
    assert np.array_equal(whole_dream.pixels, of_part.pixels)
    assert whole_dream.recipe["settings"]["focus"] == [0.9, 0.5]


def test_the_longest_side_is_that_of_what_is_cut(tiny_network, tmp_path):
    images.write(tmp_path / "wide.png", Photo(np.random.default_rng(0).random((60, 300, 3), np.float32)), recipe=None)
    found = dreamer.dream(tmp_path / "wide.png", TINY, network=tiny_network, aspect="1:1", max_size=48)
    assert found.pixels.shape == (48, 48, 3)
    left = dreamer.dream(tmp_path / "wide.png", TINY, network=tiny_network, aspect="1:2", max_size=400)
    assert left.pixels.shape == (60, 30, 3)


def test_the_mask_is_of_the_photo_and_cut_along(tiny_network, picture, tmp_path):
    mask = np.zeros((37, 53, 3), np.uint8)
    mask[:, 40:] = 255
    images.write(tmp_path / "mask.png", Photo(mask), recipe=None)
    settings = dataclasses.replace(
        TINY, mask=str(tmp_path / "mask.png"), feather=0, aspect="1:1", focus=(1, 0.5), step_size=0.05
    )
    found = dreamer.dream(picture, settings, network=tiny_network).pixels
    changed = np.abs(found - picture[:, 16:]).max(axis=2)
    assert not changed[:, :24].any()
    assert (changed[:, 24:] > 0).mean() > 0.9
    with pytest.raises(SettingsError, match="wholly black"):
        dreamer.dream(picture, dataclasses.replace(settings, focus=(0, 0.5)), network=tiny_network)
    shown = frames_of(picture, dataclasses.replace(settings, frames=3, zoom=1.1), tiny_network)
    assert np.array_equal(shown[0][:, :24], picture[:, 16:40])


def test_transparency_and_metadata_travel_along_as_far_as_they_are_true():
    order = "<"
    numbers = exif.integers(order, exif.SHORT, 7)
    detail = {0x9214: numbers, 0xA214: numbers, 0x9286: numbers, 0xA002: numbers, 0xA003: numbers}
    block = exif.serialised(exif.Block(order, {271: exif.ascii_entry(b"Maker"), exif.EXIF_IFD: detail}))
    alpha = np.full((5, 9), 255, np.uint8)
    alpha[:, 0] = 9
    photo = Photo(np.zeros((5, 9, 3), np.uint8), alpha, metadata=Metadata(exif=block))
    part = cropped(photo, slice(0, 5), slice(0, 4))
    assert part.pixels.shape == (5, 4, 3)
    assert np.array_equal(part.alpha, alpha[:, :4])
    assert part.pixels.base is None
    kept = exif.parse(part.metadata.exif)
    assert set(kept.entries[exif.EXIF_IFD]) == {0x9286, 0xA002, 0xA003}
    assert kept.data(271) == b"Maker\0"
    assert cropped(photo, slice(1, 5), slice(1, 9)).alpha is None
    assert cropped(photo, slice(0, 5), slice(0, 9)) is photo


# Settings


@pytest.mark.parametrize(
    ("aspect", "ratio"), [("9:16", 0.5625), ("1.5", 1.5), (" 2.39 : 1 ", 2.39), (2, 2), ("100:1", 100)]
)
def test_a_ratio_is_read(aspect, ratio):
    assert ratio_of(aspect) == pytest.approx(ratio)


@pytest.mark.parametrize(
    "aspect", ["0:1", "1:0", "0", "", "wide", "-1:2", "9:16:2", "101:1", "1:101", "nan", True, "\u0663:\u0664"]
)
def test_what_is_no_ratio_is_refused(aspect):
    with pytest.raises(SettingsError, match=r"expected width to height, as 9:16 or 1\.5"):
        DreamSettings(aspect=aspect)


def test_a_ratio_is_not_written_as_a_size():
    with pytest.raises(SettingsError, match="HEIGHTxWIDTH; a ratio is written with a colon"):
        DreamSettings(aspect="1080x1920")


@pytest.mark.parametrize(
    "focus", [(1.2, 0), (0, -0.1), 0.5, (0.5,), (0.1, 0.2, 0.3), "0.3,0.6", (True, 0), (math.nan, 0)]
)
def test_what_is_no_point_of_the_photo_is_refused(focus):
    with pytest.raises(SettingsError, match="expected x and y as shares"):
        DreamSettings(focus=focus)


@pytest.mark.parametrize("changes", [{"turn": 181}, {"turn": math.nan}, {"ease": 1}, {"loop": "yes"}])
def test_what_is_no_way_is_refused(changes):
    with pytest.raises(SettingsError, match="expected"):
        DreamSettings(**changes)


ALL = {"frames": 9, "focus": [0.3, 0.6], "turn": -2.5, "ease": True, "loop": True, "aspect": "9:16"}


def test_they_are_told_only_where_they_are_used_and_read_back_the_same():
    told = DreamSettings().to_dict()
    assert told.keys().isdisjoint(ALL.keys() - {"frames"})
    settings = DreamSettings(**ALL)
    again = json.loads(json.dumps(settings.to_dict()))
    assert again.items() >= ALL.items()
    assert DreamSettings.of(**again) == settings
    assert isinstance(settings.focus, tuple)
    assert {**settings.to_dict()}["focus"] == [0.3, 0.6]


def test_a_preset_has_them_and_a_draft_of_a_dream_has_those_of_a_look(tmp_path):
    place = tmp_path / "fall.toml"
    lines = ['title = "t"', 'description = "d"', "frames = 9", "focus = [0.3, 0.6]", "turn = -2.5", "ease = true"]
    place.write_text("\n".join([*lines, "loop = true", 'aspect = "9:16"', ""]))
    found = presets.find(str(place))
    assert found.settings() == DreamSettings(**ALL)
    whole_text = tomllib.loads(text.whole(found))
    assert whole_text.items() >= ALL.items()
    draft = tomllib.loads(of_dream("fall", DreamSettings(**ALL), "zoom.gif"))
    assert draft.items() >= {"frames": 9, "turn": -2.5, "ease": True, "loop": True}.items()
    assert not {"focus", "aspect"} & draft.keys()


def test_a_video_has_none_of_them(tmp_path):
    for name, value in {"focus": (0.1, 0.2), "turn": 1, "ease": True, "loop": True}.items():
        with pytest.raises(SettingsError, match=f"{name} is of an endless zoom"):
            dreamer.video(tmp_path / "clip.mp4", **{name: value})
    with pytest.raises(SettingsError, match="aspect cuts photos, and no videos"):
        dreamer.video(tmp_path / "clip.mp4", aspect="1:1")
