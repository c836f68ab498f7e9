"""Flicker of dreamt videos, and what a frame costs.

    python benchmarks/video.py [--photos ../shared/photos/cc0] [--frames 24] [--preset fur-and-eyes ...] [--clip FILE]

The clips are made from real photos with motion that is known to a fraction of a pixel: a pan, a zoom, a turn, an object
that moves over a ground, and a cut. Flicker is the warping error of Lai et al. 2018 by that motion and by what is seen
of it, over places that move; of a real clip, by the motion that is measured in it. Three ways are compared:

* each frame dreamt alone, with the same seed (``carry=0``),
* DeepDreamAnim's way, written by hand from its description: the detail of the frame before is moved by Farneback's
  flow from it to this one, laid over this frame, and a whole dream is dreamt on that,
* dreamer's.

Time is that of a frame at 640x360 against a dream of the frame alone, and of the motion in it.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

import dreamer
from dreamer import images, videos
from dreamer.arrays import FloatArray, Size, StoredArray, as_float, as_stored, fitted, resize
from dreamer.dreaming.settings import DreamSettings
from dreamer.filming.flicker import warping_error
from dreamer.filming.motion import Ground, flow, hidden, moved, small_grey

MOVES = 0.5  # Pixels from frame to frame: what moves less is left out of the mean.
SIZE, FULL = (216, 384), (360, 640)


@dataclass(frozen=True)
class Clip:
    """Frames, and for each but the first where its things were in the one before, and whether they were to be seen."""

    name: str
    frames: list[StoredArray]
    motions: list[tuple[FloatArray, FloatArray] | None]


def camera(photo: StoredArray, kind: str, index: int, size: Size) -> FloatArray:
    """Where the pixels of a frame lie in the photo: a matrix of two rows."""
    (height, width), (tall, wide) = size, photo.shape[:2]
    if kind == "pan":
        return np.array([[1, 0, 60 + 2.7 * index], [0, 1, 40 + 1.1 * index]])
    shrink, turn = (1.012**-index, 0.0) if kind == "zoom" else (1.0, 0.01 * index if kind == "turn" else 0.0)
    cosine, sine = shrink * np.cos(turn), shrink * np.sin(turn)
    return np.array([
        [cosine, -sine, (wide - cosine * width + sine * height) / 2],
        [sine, cosine, (tall - sine * width - cosine * height) / 2],
    ])  # fmt: skip


def seen_by(photo: StoredArray, matrix: FloatArray, size: Size) -> StoredArray:
    """The frame of a camera."""
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(photo, matrix, size[::-1], flags=how, borderMode=cv2.BORDER_REFLECT)


def motion(before: FloatArray, now: FloatArray, size: Size) -> tuple[FloatArray, FloatArray]:
    """Where the pixels of a camera's frame were in the frame before, and whether within it."""
    matrix = np.linalg.inv(np.vstack([before, [0, 0, 1]])) @ np.vstack([now, [0, 0, 1]])
    across, down = np.meshgrid(np.arange(size[1]), np.arange(size[0]))
    there = (np.stack([across, down, np.ones_like(across)], -1) @ matrix.T)[..., :2]
    inside = (there >= 0).all(-1) & (there[..., 0] <= size[1] - 1) & (there[..., 1] <= size[0] - 1)
    return (there - np.stack([across, down], -1)).astype(np.float32), inside.astype(np.float32)


def read(folder: Path, name: str, size: Size, larger: float) -> StoredArray:
    """A photo that is so many times as large as a frame."""
    photo = images.read(folder / name, compact=True).pixels
    share = larger * max(size[0] / photo.shape[0], size[1] / photo.shape[1])
    return as_stored(
        np.clip(resize(as_float(photo), (round(photo.shape[0] * share), round(photo.shape[1] * share))), 0, 1), np.uint8
    )


def moving_camera(folder: Path, name: str, kind: str, count: int, size: Size = SIZE) -> Clip:
    """A clip of a camera that moves over a photo."""
    photo = read(folder, name, size, 2.0)
    matrices = [camera(photo, kind, index, size) for index in range(count)]
    frames = [seen_by(photo, matrix, size) for matrix in matrices]
    return Clip(kind, frames, [motion(*pair, size) for pair in itertools.pairwise(matrices)])


def moving_object(folder: Path, count: int, size: Size = SIZE) -> Clip:
    """A clip of a round photo that moves over another, which stands still."""
    height, width = size
    ground = seen_by(read(folder, "lake-sherburne.jpg", size, 2.0), np.array([[1.0, 0, 60], [0, 1, 60]]), size)
    thing = read(folder, "perched-osprey.jpg", (height // 2, width // 2), 1.0)[: height // 2, : width // 2]
    down, across = np.mgrid[: thing.shape[0], : thing.shape[1]]
    is_round = ((across - thing.shape[1] / 2) / (thing.shape[1] / 2)) ** 2 + (
        (down - thing.shape[0] / 2) / (thing.shape[0] / 2)
    ) ** 2 < 1
    frames, covers, motions = [], [], []
    for index in range(count):
        frame, cover = ground.copy(), np.zeros(size, bool)
        corner = (
            slice(height // 4, height // 4 + thing.shape[0]),
            slice(10 + 3 * index, 10 + 3 * index + thing.shape[1]),
        )
        frame[corner][is_round] = thing[is_round]
        cover[corner] = is_round
        if covers:
            back = np.where(cover[..., None], np.array([-3, 0]), 0).astype(np.float32)
            motions.append((back, (cover | ~covers[-1]).astype(np.float32)))
        frames.append(frame)
        covers.append(cover)
    return Clip("object", frames, motions)


def clips(folder: Path, count: int) -> list[Clip]:
    """The clips that are made."""
    made = [
        moving_camera(folder, "canyon-wren.jpg", "pan", count),
        moving_camera(folder, "casa-mila.jpg", "zoom", count),
        moving_camera(folder, "roman-colosseum.jpg", "turn", count),
        moving_object(folder, count),
    ]
    one, other = made[0], made[1]
    half = count // 2
    cut = Clip(
        "cut", one.frames[:half] + other.frames[:half], [*one.motions[: half - 1], None, *other.motions[: half - 1]]
    )
    return [*made, cut]


def real(path: Path, count: int) -> Clip:
    """A real clip, small, with the motion that is measured in it."""
    with videos.open_video(path) as video:
        size = fitted(video.size, SIZE[1])
        frames = []
        for frame in video.frames():
            frames.append(as_stored(np.clip(resize(as_float(frame.pixels), size), 0, 1), np.uint8))
            if len(frames) == count:
                break
    motions = []
    for before, now in itertools.pairwise(frames):
        back, forth = (flow(small_grey(a), small_grey(b)) for a, b in ((now, before), (before, now)))
        motions.append((back, (~hidden(back, forth)).astype(np.float32)))
    return Clip(path.stem, frames, motions)


def error(frames: list[FloatArray], clip: Clip) -> float:
    """The warping error over places that move."""
    found = []
    for before, now, known in zip(frames, frames[1:], clip.motions, strict=False):
        if known is not None:
            back, seen = known
            moving = seen * (np.hypot(back[..., 0], back[..., 1]) >= MOVES)
            if moving.any():
                found.append(warping_error(now, before, back, moving))
    return float(np.mean(found))


def ours(clip: Clip, settings: DreamSettings, **told: object) -> Iterator[FloatArray]:
    """The frames by dreamer, out of a sequence of pictures."""
    with tempfile.TemporaryDirectory() as folder:
        for index, frame in enumerate(clip.frames):
            images.write(Path(folder, f"{index:04d}.png"), images.Photo(frame), recipe=None)
        for step in dreamer.video_steps(f"{folder}/%04d.png", settings, **told):
            yield step.frame


def by_hand(clip: Clip, settings: DreamSettings) -> Iterator[FloatArray]:
    """DeepDreamAnim's way: all of the detail is carried, and a whole dream is dreamt on it."""
    detail, before = None, None
    for frame in clip.frames:
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        start = as_float(frame)
        if detail is not None:
            forth = cv2.calcOpticalFlowFarneback(before, grey, None, 0.5, 3, 15, 3, 5, 1.2, 0)
            start = np.clip(start + moved(detail, -forth), 0, 1)
        dream = dreamer.dream(start, settings).photo.pixels
        detail, before = dream - as_float(frame), grey
        yield dream


def strength(frames: list[FloatArray], clip: Clip) -> float:
    """The last frame's detail against the first's; of another shot it would say nothing."""
    if None in clip.motions:
        return float("nan")
    first, last = (float((frames[at] - as_float(clip.frames[at])).std()) for at in (0, -1))
    return last / first


def costs(folder: Path, settings: DreamSettings) -> None:
    """Time of frames at 640x360."""
    clip = moving_camera(folder, "canyon-wren.jpg", "pan", 8, FULL)
    dreamer.dream(clip.frames[0], settings)
    began = time.perf_counter()
    for frame in clip.frames[:2]:
        dreamer.dream(frame, settings)
    alone = (time.perf_counter() - began) / 2
    steps = ours(clip, settings)
    next(steps), next(steps)  # The second compiles nothing, but reads the next.
    began = time.perf_counter()
    count = sum(1 for _ in steps)
    carried = (time.perf_counter() - began) / count
    ground = Ground(small_grey(clip.frames[0]))
    began = time.perf_counter()
    for frame in clip.frames[1:]:
        ground.to_next(small_grey(frame)).at(FULL)
    measured = (time.perf_counter() - began) / (len(clip.frames) - 1)
    print(
        f"640x360: a frame {carried:.2f} s, a dream of it alone {alone:.2f} s ({carried / alone:.2f} of it), "
        f"the motion {measured:.2f} s"
    )


def settings_of(name: str) -> dreamer.DreamSettings:
    """Of a preset; ``default`` is what is dreamt where none is named."""
    return dreamer.DreamSettings() if name == "default" else dreamer.presets.find(name).settings()


def main() -> None:
    """Print a row for each clip and preset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=Path(__file__).parents[2] / "shared/photos/cc0")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--preset", nargs="*", default=["fur-and-eyes"])
    parser.add_argument("--clip", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    made = clips(arguments.photos, arguments.frames) + [real(path, arguments.frames) for path in arguments.clip]
    print("preset         clip       source   alone    by hand  dreamer  of alone  strength: by hand  dreamer")
    for name in arguments.preset:
        settings = settings_of(name)
        for clip in made:
            alone, hand, mine = (
                list(way) for way in (ours(clip, settings, carry=0), by_hand(clip, settings), ours(clip, settings))
            )
            source = error([as_float(frame) for frame in clip.frames], clip)
            rows = [error(frames, clip) for frames in (alone, hand, mine)]
            print(
                f"{name:<14} {clip.name:<10} {source:.5f}  {rows[0]:.5f}  {rows[1]:.5f}  {rows[2]:.5f}  "
                f"{rows[2] / rows[0]:<8.3f}  {strength(hand, clip):<17.2f}  {strength(mine, clip):.2f}",
                flush=True,
            )
    costs(arguments.photos, settings_of(arguments.preset[0]))


if __name__ == "__main__":
    main()
