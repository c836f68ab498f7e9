"""Pictures of one photo that stand side by side or follow each other have one size, whatever the photo's is.

The network is a stand-in that dreams nothing: what is tried are the sizes, a few hundred of them.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from dreamer import images
from dreamer.arrays import fitted
from dreamer.ascent import parametrizations
from dreamer.choosing import run as choosing
from dreamer.choosing.cells import Cell
from dreamer.cli import run
from dreamer.dreaming import photo as photos
from dreamer.dreaming import steps
from dreamer.dreaming.finish import Finish
from dreamer.dreaming.masks import feathered
from dreamer.dreaming.settings import BLENDS, COLORS, DreamSettings

SOURCE = {"name": "photo.jpg", "sha256": "0"}

sizes = st.tuples(st.integers(1, 450), st.integers(1, 450))
dreams = st.builds(
    DreamSettings,
    octaves=st.none() | st.integers(1, 4),
    octave_scale=st.floats(1.1, 2.5),
    max_size=st.none() | st.integers(1, 800),
    steps=st.just(1),
)


def several(number):
    """So many examples, of which nothing is kept in a folder."""
    return settings(
        max_examples=number,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@pytest.fixture(autouse=True)
def sleeping(asleep):
    """The network dreams nothing."""


def photo_of(size, **more):
    return images.Photo(np.zeros((*size, 3), np.uint8), **more)


@several(300)
@given(size=sizes, wishes=st.lists(dreams, min_size=1, max_size=2))
@example(size=(427, 640), wishes=[DreamSettings()])
@example(size=(3000, 4000), wishes=[DreamSettings(), DreamSettings(octave_scale=1.5)])
def test_all_dreams_of_a_sheet_have_one_size(size, wishes):
    cells = [Cell(number, wish, {"octaves": wish.octaves}) for number, wish in enumerate(wishes, start=1)]
    sheet = choosing.SheetDream(photo_of(size), cells, source=SOURCE, with_photo=True)
    *_, last = sheet.steps(note=pytest.fail)
    assert (last.done, last.progress) == (len(cells), 1)
    made = sheet.result()
    assert {cell.picture.shape[:2] for cell in made.cells} == {fitted(size, 320, enlarge=True)}
    assert made.photo.pixels.shape[:2] == sheet.size


@several(300)
@given(size=sizes, wish=dreams, preview=st.booleans())
def test_a_dream_its_transparency_and_its_octaves_have_the_sizes_that_were_told(size, wish, preview):
    photo = photo_of(size, alpha=np.zeros(size, np.uint8))
    dream = photos.PhotoDream(photo, wish, source=SOURCE, preview=preview)
    for step in dream.steps(note=pytest.fail):
        assert step.render("uint8", size=step.size).shape[:2] == step.size
        assert step.render("uint8").shape[:2] == dream.size
    photo = dream.result(compact=True).photo
    assert photo.pixels.shape[:2] == photo.alpha.shape == dream.size
    assert preview or dream.size == (size if wish.max_size is None else fitted(size, wish.max_size))


@several(300)
@given(size=sizes, wish=dreams)
def test_a_preview_has_octaves_of_the_whole_dream(size, wish):
    picture = np.broadcast_to(np.uint8(0), (*size, 3))
    whole = steps.octave_sizes(picture, wish)
    preview = steps.octave_sizes(picture, wish, preview=True)
    assert max(preview[-1]) <= steps.PREVIEW_SIDE
    assert preview == whole[: len(preview)] or preview == [fitted(whole[0], steps.PREVIEW_SIDE)]


@several(60)
@given(size=sizes, wish=dreams, preview=st.booleans(), zoom=st.floats(1, 1.2))
def test_all_frames_of_a_zoom_have_one_size(size, wish, preview, zoom):
    wish = dataclasses.replace(wish, frames=3, zoom=zoom)
    dream = photos.PhotoDream(photo_of(size), wish, source=SOURCE, preview=preview)
    frames = [step.dream.render("uint8") for step in dream.zoom(note=pytest.fail) if step.dream.is_last]
    assert [frame.shape[:2] for frame in frames] == 3 * [dream.size]


@several(200)
@given(size=sizes, mask=sizes, share=st.floats(0, 0.5))
def test_a_mask_of_any_size_fits_any_picture(size, mask, share):
    assert feathered(np.full(mask, 255, np.uint8), size, share).shape == size


@several(100)
@given(size=sizes, blend=st.sampled_from(BLENDS), colors=st.sampled_from(COLORS), contrast=st.floats(0, 2))
def test_a_layer_of_any_size_is_laid_over_its_photo(size, blend, colors, contrast):
    finish = Finish(DreamSettings(blend=blend, colors=colors, contrast=contrast))
    found = finish(np.full((*size, 3), 0.25, np.float32), np.full((*size, 3), 99, np.uint8), np.uint8)
    assert found.shape == (*size, 3)


@several(60)
@given(
    size=st.tuples(st.integers(16, 200), st.integers(16, 200)),
    made=st.sampled_from([getattr(parametrizations, name) for name in ("cosine", "fourier", "pixels", "maco")]),
)
def test_a_visualization_is_as_large_as_was_asked_for(size, made):
    way = made(size)
    assert np.asarray(way.render(way.draw(np.random.default_rng(0), 2))).shape == (2, *size, 3)


@several(80)
@given(
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    labels=st.lists(st.text(max_size=15), min_size=1, max_size=4),
    columns=st.none() | st.integers(1, 9),
)
def test_the_size_of_a_sheet_is_known_before_its_pictures_are(size, labels, columns):
    picture = np.zeros((*size, 3), np.uint8)
    sheet = images.sheet([images.LabelledPicture(picture, label) for label in labels], columns=columns)
    assert sheet.shape[:2] == images.sheet_size(size, labels, columns=columns)
    least = images.sheet_size(size, [""] * len(labels), columns=columns)
    assert columns is None or all(least[axis] <= sheet.shape[axis] for axis in (0, 1))


@pytest.mark.parametrize("size", [(427, 640), (300, 401), (7, 900)])
def test_a_sheet_of_all_presets_is_written(size, tmp_path):
    Image.new("RGB", size[::-1], "teal").save(tmp_path / "photo.png")
    assert run(["presets", "sheet", str(tmp_path / "photo.png"), "-o", str(tmp_path / "sheet.png"), "-q"]) == 0
    assert len(images.read_recipe(tmp_path / "sheet.png")["cells"]) > 20


def test_a_sheet_too_wide_for_its_format_is_refused_before_the_work(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(choosing.SheetDream, "steps", lambda *_, **__: pytest.fail("was begun"))
    Image.new("RGB", (64, 48)).save(tmp_path / "photo.png")
    wide = ["--columns", "99", "-o", str(tmp_path / "sheet.webp")]
    monkeypatch.setattr("dreamer.choosing.run._SIDE", 2000)
    assert run(["presets", "sheet", str(tmp_path / "photo.png"), *wide]) == 1
    assert "at most 16383 pixels" in capfd.readouterr().err
