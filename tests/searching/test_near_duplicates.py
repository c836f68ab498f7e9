"""Photos that are nearly the same are known again; others, and those of a single colour, never are."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image
from searching import search_case

from dreamer.searching.duplicates import Known, thumbnail

SEEDS = range(12)


def compressed(photo, quality):
    data = io.BytesIO()
    Image.fromarray(photo).save(data, "JPEG", quality=quality)
    return np.asarray(Image.open(data).convert("RGB"))


CHANGES = {
    "the same": lambda photo: photo.copy(),
    "half as large": lambda photo: cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "twice as large": lambda photo: cv2.resize(photo, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC),
    "a thumbnail": lambda photo: cv2.resize(photo, (60, 41), interpolation=cv2.INTER_AREA),
    "a poor JPEG": lambda photo: compressed(photo, 40),
    "brighter": lambda photo: np.clip(1.1 * photo.astype(np.float32) + 8, 0, 255).astype(np.uint8),
    "darker": lambda photo: (0.8 * photo).astype(np.uint8),
    "of less contrast": lambda photo: (0.6 * photo + 60).astype(np.uint8),
    "float": lambda photo: (photo / 255).astype(np.float32),
    "grey": lambda photo: cv2.cvtColor(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_known_again(change):
    known = Known()
    photos = [search_case.scene(seed) for seed in SEEDS]
    assert [known.alike(thumbnail(photo)) for photo in photos] == [None] * len(photos)
    assert [known.alike(thumbnail(CHANGES[change](photo))) for photo in photos] == list(SEEDS)


@pytest.mark.parametrize("name", ["cat.png", "coffee.png", "galaxies.jpg", "rocket.jpg"])
def test_real_photos_are_known_again(name, samples):
    known, photo = Known(), np.asarray(Image.open(samples / name).convert("RGB"))
    assert known.alike(thumbnail(photo)) is None
    for changed in (
        compressed(cv2.resize(photo, None, fx=0.4, fy=0.5, interpolation=cv2.INTER_AREA), 40),
        np.clip(1.4 * photo.astype(np.float32), 0, 255).astype(np.uint8),
    ):
        assert known.alike(thumbnail(changed)) == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda photo: photo[::-1],
        lambda photo: photo[:, ::-1],
        lambda photo: 255 - photo,
        lambda photo: photo[20:-20, 30:-30],
        lambda photo: np.pad(photo[:, :-90], ((0, 0), (0, 90), (0, 0)), constant_values=255),
    ],
    ids=["upside down", "mirrored", "negative", "cropped", "with something new"],
)
def test_what_shows_something_else_is_another_photo(change):
    known = Known()
    for seed in SEEDS:
        photo = search_case.scene(seed)
        assert known.alike(thumbnail(photo)) is None
        assert known.alike(thumbnail(np.ascontiguousarray(change(photo)))) is None


@pytest.mark.parametrize("size", [(224, 331), (1, 1), (5, 900)])
def test_photos_of_a_single_colour_are_never_alike(size):
    known = Known()
    for colour in (0, 90, 90, 255):
        flat = np.full((*size, 3), colour, np.uint8)
        assert thumbnail(flat).shape == (16, 16)
        assert known.alike(thumbnail(flat)) is None
    faint = np.full((16, 16), 90, np.uint8)
    faint[:, 8:] += 1
    assert known.alike(faint) is None
    assert known.alike(faint) is None


def test_the_first_of_several_is_named_however_many_there_are():
    known, random = Known(), np.random.default_rng(0)
    photos = random.integers(0, 256, (300, 16, 16)).astype(np.uint8)
    assert [known.alike(photo) for photo in photos] == [None] * 300
    order = random.permutation(300)
    assert [known.alike(photos[number]) for number in order] == order.tolist()
