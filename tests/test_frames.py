"""Moving pictures, a frame at a time: checked with Pillow, not with the module's own reader, but for the recipe."""

from __future__ import annotations

import errno
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from dreamer import images
from dreamer.errors import ImageExistsError, ImageReadError, ImageWriteError, SettingsError
from dreamer.images import frames as frames_module

SUFFIXES = (".gif", ".webp", ".apng")
RECIPE = {"dreamer": "1.0", "seed": 7, "note": "a \u2192 b"}


def frames(number: int = 4, height: int = 21, width: int = 34) -> list[np.ndarray]:
    """A soft picture that brightens."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    soft = np.stack([x / width, y / height, (x + y) / (width + height)], axis=-1)
    return [soft * (index + 1) / number for index in range(number)]


def played(path: Path) -> tuple[list[np.ndarray], list[int], object]:
    """The frames as a viewer shows them, their times in milliseconds, and how often all is played (0: for ever)."""
    with Image.open(path) as image:
        shown, times = [], []
        for frame in ImageSequence.Iterator(image):
            shown.append(np.asarray(frame.convert("RGB")))  # decodes it, which a WebP's time waits for
            times.append(frame.info["duration"])
        return shown, times, image.info["loop"]


def write(path: Path, moving=None, *, seconds=0.2, last_seconds=1.5, recipe=RECIPE, overwrite=False) -> None:
    with images.frame_writer(path, images.Timing(seconds, last_seconds), overwrite=overwrite) as writer:
        for frame in frames() if moving is None else moving:
            writer.add(frame)
        writer.finish(recipe)


def rms(shown: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.sqrt(np.mean((shown / 255.0 - wanted) ** 2)))


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".GIF"])
def test_frames_arrive_with_their_times_and_play_for_ever(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write(path)
    shown, times, loop = played(path)
    assert times == [200, 200, 200, 1500]
    assert loop == 0
    assert len(shown) == 4
    for picture, wanted in zip(shown, frames(), strict=True):
        assert picture.shape == wanted.shape
        assert rms(picture, wanted) < 0.03
    with Image.open(path) as image:
        assert image.format == {".apng": "PNG"}.get(suffix, suffix[1:].upper())


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("seconds", "times"), [(0.123, [120, 1500]), (1e-4, [20, 1500]), (2.5, [2500, 2500])])
def test_times(tmp_path, suffix, seconds, times):
    write(tmp_path / f"a{suffix}", frames(2), seconds=seconds)
    assert played(tmp_path / f"a{suffix}")[1] == times


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_impossible_times(tmp_path, seconds):
    with pytest.raises(SettingsError, match="number above 0"):
        write(tmp_path / "a.gif", seconds=seconds)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_impossible_times_of_the_last_frame_are_said_before_any_frame_is_taken(tmp_path, seconds):
    def taken():
        pytest.fail("a frame was asked for")
        yield

    with pytest.raises(SettingsError, match="the last frame"):
        write(tmp_path / "a.gif", taken(), last_seconds=seconds)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (21, 34), (37, 5)])
def test_odd_sizes_and_few_frames_keep_the_recipe(tmp_path, suffix, number, shape):
    path = tmp_path / f"a{suffix}"
    write(path, [np.full((*shape, 3), level, np.float32) for level in np.linspace(0.2, 0.8, number)])
    assert images.read_recipe(path) == RECIPE
    with Image.open(path) as image:
        assert image.size == shape[::-1]
        assert getattr(image, "n_frames", 1) == number
        assert abs(np.asarray(image.convert("RGB")).astype(int) - 51).max() <= 4
    assert images.read(path).pixels.shape == (*shape, 3)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_recipe(tmp_path, suffix):
    write(tmp_path / f"a{suffix}", recipe=None)
    with pytest.raises(ImageReadError, match="holds no recipe"):
        images.read_recipe(tmp_path / f"a{suffix}")
    assert len(played(tmp_path / f"a{suffix}")[0]) == 4


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_levels_are_written_as_their_float_values_are(tmp_path, suffix):
    levels = [np.rint(frame * 255).astype(np.uint8) for frame in frames()]
    write(tmp_path / f"a{suffix}", levels)
    write(tmp_path / f"b{suffix}", [frame / np.float32(255) for frame in levels])
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_buffer_may_be_used_for_all_frames(tmp_path, suffix):
    buffer = np.empty((16, 16, 3), np.uint8)

    def reused() -> Iterator[np.ndarray]:
        for level in (10, 120, 240):
            buffer[:] = level
            yield buffer

    write(tmp_path / f"a{suffix}", reused())
    shown = played(tmp_path / f"a{suffix}")[0]
    assert [abs(int(picture.mean()) - level) <= 3 for picture, level in zip(shown, (10, 120, 240), strict=True)]
    assert [round(float(picture.mean()), -1) for picture in shown] == [10, 120, 240]


def test_values_beyond_the_range_are_clipped(tmp_path):
    write(tmp_path / "a.gif", [np.full((8, 8, 3), level, np.float32) for level in (-1, 2)])
    assert [int(picture.mean()) for picture in played(tmp_path / "a.gif")[0]] == [0, 255]


def test_what_is_still_in_a_gif_stays_still(tmp_path):
    """However much moves beside it: each pixel of the left half is the same in every frame."""
    still, random = frames(1, 40, 60)[0], np.random.default_rng(0)
    moving = []
    for _ in range(6):
        moving.append(still.copy())
        moving[-1][:, 30:] = random.uniform(0, 1, (40, 30, 3))
    write(tmp_path / "a.gif", moving)
    shown = played(tmp_path / "a.gif")[0]
    assert all(np.array_equal(picture[:, :30], shown[0][:, :30]) for picture in shown)
    assert rms(shown[0][:, :30], still[:, :30]) < 0.06


def test_soft_colours_have_no_broad_steps_in_a_gif(tmp_path):
    y, x = np.mgrid[:128, :192].astype(np.float32)
    waves = (np.sin(x / 30 + y / 50), np.cos(y / 40 - x / 60), np.sin(x * y / 9000))
    soft = np.stack([0.5 + 0.4 * wave for wave in waves], axis=-1)
    noise = np.random.default_rng(0).normal(0.5, 0.05, (5, 128, 192, 3)).clip(0, 1).astype(np.float32)
    write(tmp_path / "a.gif", [*noise, soft])
    blocks = played(tmp_path / "a.gif")[0][-1].reshape(32, 4, 48, 4, 3)
    flat = (blocks == blocks[:, :1, :, :1]).all(axis=(1, 3, 4)).mean()
    assert flat < 0.3  # 0.25; it is 0.41 without a pattern


def test_the_last_frame_of_a_gif_has_its_colours_though_most_frames_have_others(tmp_path):
    noise = np.random.default_rng(0).normal(0.5, 0.05, (30, 64, 64, 3)).clip(0, 1).astype(np.float32)
    last = np.ones((64, 64, 3), np.float32)
    last[:32] = frames(1, 32, 64)[0]
    write(tmp_path / "a.gif", [*noise, last])
    shown = played(tmp_path / "a.gif")[0][-1]
    assert rms(shown, last) < 0.03
    assert shown[40:].min() >= 250


def test_rare_colours_of_a_gif_stay_what_they_are(tmp_path):
    """A brown picture with a small green eye."""
    brown = np.array([0.6, 0.4, 0.25]) + np.random.default_rng(0).normal(0, 0.08, (300, 300, 3))
    picture = brown.clip(0, 1).astype(np.float32)
    eye = picture[90:102, 90:102]
    eye[:] = frames(1, 12, 12)[0] * [0.3, 0.2, 0.3] + [0.2, 0.6, 0.1]
    write(tmp_path / "a.gif", [picture])
    assert rms(played(tmp_path / "a.gif")[0][0][90:102, 90:102], eye) < 0.04


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_equal_frames_become_one_longer_one(tmp_path, suffix):
    first, second = frames(2)
    write(tmp_path / f"a{suffix}", [first, first, second, second])
    shown, times, _ = played(tmp_path / f"a{suffix}")
    assert len(shown) == 2
    assert times == [400, 1700]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_memory_does_not_grow_with_the_frames(tmp_path, suffix):
    def peak(number: int) -> int:
        tracemalloc.start()
        [soft] = frames(1, 200, 301)
        write(tmp_path / f"{number}{suffix}", (soft * np.float32(index / number) for index in range(number)))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(3)  # What is imported late.
    assert peak(60) < 1.25 * peak(20)


# ---------------------------------------------------------------- what cannot be written


def test_targets_that_cannot_be_written(tmp_path):
    (tmp_path / "a.gif").write_bytes(b"old")
    (tmp_path / "dir.gif").mkdir()
    cases = {
        "a.png": r"'\.png' names no format of animations\. Known: \.gif, \.webp, \.apng",
        "none/a.gif": "does not exist",
        "a.gif/b.gif": "not a directory",
        "dir.gif": "is a directory",
        "a.gif": "exists already",
        f"{'x' * 300}.gif": "cannot be written",
    }

    def never() -> Iterator[np.ndarray]:
        raise AssertionError("asked for frames in vain")
        yield

    for name, words in cases.items():
        for action in (
            lambda path: images.check_animation_target(path, overwrite=False),
            lambda path: write(path, never()),
        ):
            with pytest.raises(ImageWriteError, match=words) as caught:
                action(tmp_path / name)
            assert name in str(caught.value)
            assert "\n" not in str(caught.value)
    images.check_animation_target(tmp_path / "a.gif", overwrite=True)
    images.check_animation_target(tmp_path / "new.WebP", overwrite=False, size=(16383, 1))
    with pytest.raises(ImageWriteError, match="at most 16383 pixels.* Make the frames smaller"):
        images.check_animation_target(tmp_path / "new.webp", overwrite=False, size=(16384, 1))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.gif", "dir.gif"]
    assert (tmp_path / "a.gif").read_bytes() == b"old"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    try:
        for action in (lambda path: images.check_animation_target(path, overwrite=False), write):
            with pytest.raises(ImageWriteError, match="no permission"):
                action(tmp_path / "a.gif")
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_that_is_not_writable_is_said_before_the_work(tmp_path, monkeypatch):
    """What the test above sees, also where root runs the tests."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    for action in (lambda path: images.check_animation_target(path, overwrite=False), write):
        with pytest.raises(ImageWriteError, match=r"a\.gif cannot be written: no permission"):
            action(tmp_path / "a.gif")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_is_replaced_only_when_asked(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write(path, frames(2))
    before = path.read_bytes()
    with pytest.raises(ImageExistsError, match="exists already and is not replaced"):
        write(path, frames(3))
    assert path.read_bytes() == before
    path.chmod(0o604)
    write(path, frames(3), overwrite=True)
    assert len(played(path)[0]) == 3
    assert path.stat().st_mode & 0o777 == 0o604


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path):
    path = tmp_path / "a.gif"

    def slow() -> Iterator[np.ndarray]:
        yield from frames()
        path.write_bytes(b"somebody else's")

    with pytest.raises(ImageExistsError):
        write(path, slow())
    assert path.read_bytes() == b"somebody else's"
    assert [p.name for p in tmp_path.iterdir()] == ["a.gif"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("moving", "words"),
    [
        ([], "no frames"),
        ([np.zeros((4, 6), np.float32)], r"frame 0 is float32 of shape \(4, 6\).*\(height, width, 3\)"),
        ([np.zeros((4, 6, 3))], "frame 0 is float64"),
        ([np.zeros((0, 6, 3), np.uint8)], r"\(0, 6, 3\)"),
        ([np.zeros((4, 6, 3), np.uint8), np.zeros((6, 4, 3), np.uint8)], r"frame 1 has the shape \(6, 4, 3\).*Resize"),
        ([np.full((4, 6, 3), np.nan, np.float32)], "frame 0 .*not numbers"),
    ],
)
def test_frames_that_are_no_pictures(tmp_path, suffix, moving, words):
    with pytest.raises(ImageWriteError, match=words) as caught:
        write(tmp_path / f"a{suffix}", moving)
    assert str(caught.value).startswith(f"{tmp_path / f'a{suffix}'} cannot be written: ")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_frames_that_a_format_has_no_room_for(tmp_path, suffix):
    with pytest.raises(ImageWriteError, match="holds at most .* Make the frames smaller"):
        write(tmp_path / f"a{suffix}", [np.zeros((1, 70000, 3), np.uint8)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_an_encoder_cannot_do_is_one_line(tmp_path, suffix):
    with pytest.raises(ImageWriteError, match=r"a\.\w+ cannot be written: the \w+ encoder failed") as caught:
        write(tmp_path / f"a{suffix}", seconds=1e9)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_whoever_makes_the_frames_comes_through(tmp_path):
    def broken() -> Iterator[np.ndarray]:
        yield from frames()
        raise ValueError("not mine")

    with pytest.raises(ValueError, match="not mine"):
        write(tmp_path / "a.gif", broken())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_failing_disk_leaves_nothing_behind(tmp_path, monkeypatch, suffix, failure):
    def fail(_: int) -> None:
        raise failure

    path = tmp_path / f"a{suffix}"
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(KeyboardInterrupt if isinstance(failure, KeyboardInterrupt) else ImageWriteError):
        write(path)
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"old")
    with pytest.raises((KeyboardInterrupt, ImageWriteError)):
        write(path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"old"


# ---------------------------------------------------------------- other places


def test_a_path_without_a_suffix_is_a_folder_of_numbered_files(tmp_path):
    folder = tmp_path / "zoom"
    with images.frame_writer(folder, images.Timing(1)) as writer:
        for number, frame in enumerate(frames(), start=1):
            writer.add(frame, {"seed": 7})
            assert writer.count == number == len(list(folder.iterdir()))
        writer.finish(None)
    assert [path.name for path in sorted(folder.iterdir())] == ["0001.png", "0002.png", "0003.png", "0004.png"]
    assert images.read_recipe(folder / "0003.png") == {"seed": 7, "frame": 3}
    assert rms(np.asarray(Image.open(folder / "0004.png")), frames()[3]) < 0.003
    with pytest.raises(ImageExistsError, match="0001"):
        images.frame_writer(folder, images.Timing(1))
    assert images.frame_writer(folder, images.Timing(1), overwrite=True).count == 0


def test_an_animation_can_be_written_elsewhere_and_goes_on(tmp_path):
    with images.Animation(tmp_path / "a.gif", images.Timing(0.1)) as animation:
        for frame in frames():
            animation.add(frame)
        animation.write_to(tmp_path / "b.webp", RECIPE)
        assert sum(1 for _ in animation.frames()) == animation.count == 4
        animation.add(frames()[0])
        animation.finish(None)
    assert len(played(tmp_path / "a.gif")[0]) == 5
    assert len(played(tmp_path / "b.webp")[0]) == 4


def test_who_registers_takes_frames(tmp_path, monkeypatch):
    taken = []

    class Counting(images.NumberedFiles):
        def add(self, frame, recipe=None):
            taken.append(frame.shape)

    monkeypatch.setitem(frames_module.WRITERS, ".film", Counting)
    with images.frame_writer(tmp_path / "a.film", images.Timing(1)) as writer:
        writer.add(frames()[0])
    assert taken == [(21, 34, 3)]


def test_an_apng_loses_nothing(tmp_path):
    moving = list(np.random.default_rng(0).integers(0, 256, (3, 9, 14, 3), np.uint8))
    write(tmp_path / "a.apng", moving)
    assert all(
        np.array_equal(shown, frame) for shown, frame in zip(played(tmp_path / "a.apng")[0], moving, strict=True)
    )


def test_a_spool_gives_back_what_it_was_given():
    moving = np.random.default_rng(0).integers(0, 256, (3, 5, 7, 3), np.uint8)
    with images.Spool() as spool:
        for frame in moving:
            spool.append(frame[::-1][::-1])
        assert np.array_equal(list(spool), moving)
        assert np.array_equal(spool[1], moving[1])
        with pytest.raises(IndexError):
            spool[3]
