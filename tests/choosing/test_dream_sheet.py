"""``dreamer.dream_sheet``: the pictures of a sheet, and what becomes of one that is picked."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from PIL import Image

import dreamer
from dreamer import images
from dreamer.arrays import as_stored
from dreamer.dreaming import photo as photos
from dreamer.errors import ModelError, SettingsError

QUICK = {"octaves": 1, "steps": 2, "objective": "first"}
SUFFIXES = (".png", ".jpg", ".webp", ".tiff", ".bmp", ".gif", ".avif")


@pytest.fixture
def photo(tmp_path, picture):
    path = tmp_path / "photo.png"
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(path)
    return path


def test_each_cell_is_a_preview_with_its_settings(photo, tiny_network):
    sheet = dreamer.dream_sheet(photo, network=tiny_network, strength=[0.25, 1], seed=range(1, 3), **QUICK)
    assert repr(sheet).startswith("<DreamSheet: 4 dreams, ")
    assert [(cell.number, cell.settings.strength, cell.settings.seed) for cell in sheet.cells] == [
        (1, 0.25, 1), (2, 0.25, 2), (3, 1.0, 1), (4, 1.0, 2),
    ]  # fmt: skip
    for cell in sheet.cells:
        # Cells that differ in strength alone are one climb, and yet what each would be alone, to the bit.
        alone = dreamer.dream(photo, cell.settings, network=tiny_network, preview=True)
        shrunk = images.resized(images.Photo(as_stored(alone.pixels, np.uint8)), cell.picture.shape[:2]).pixels
        assert (cell.picture == shrunk).all()
    assert not sheet.is_partial


def test_cells_that_differ_in_their_finish_are_climbed_once(photo, tiny_network, monkeypatch):
    climbs = []
    steps = photos.PhotoDream.steps
    monkeypatch.setattr(photos.PhotoDream, "steps", lambda dream, **more: (climbs.append(1), steps(dream, **more))[1])
    values = {"strength": [0.2, 1], "blend": ["normal", "screen"], "saturation": [0, 1], "seed": [1, 2]}
    sheet = dreamer.dream_sheet(photo, network=tiny_network, **values, **QUICK)
    assert (len(sheet.cells), len(climbs)) == (16, 2)
    climbs.clear()
    dreamer.dream_sheet(photo, network=tiny_network, calm=[0, 0.5], feather=[0, 0.1], **QUICK)
    assert len(climbs) == 4


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_picked_cell_is_the_dream_that_its_settings_make(photo, tiny_network, suffix):
    sheet = dreamer.dream_sheet(photo, network=tiny_network, strength=[0.5, 1], seed=[3, 4], **QUICK)
    path = photo.with_name(f"sheet{suffix}")
    assert [note for note in sheet.save(path) if "left out" in note] == []
    again = dreamer.dream_again(path, pick=2, network=tiny_network)
    typed = dreamer.dream(photo, network=tiny_network, strength=0.5, seed=4, **QUICK)
    assert again.encoded(".png") == typed.encoded(".png")
    changed = dreamer.dream_again(path, pick=2, network=tiny_network, seed=9)
    assert changed.recipe["settings"] == typed.recipe["settings"] | {"seed": 9}


def test_a_sheet_of_an_array_needs_its_photo_again(picture, tiny_network, tmp_path):
    path = tmp_path / "sheet.png"
    dreamer.dream_sheet(picture, network=tiny_network, seed=[1, 2], **QUICK).save(path)
    with pytest.raises(dreamer.DreamerError, match="dreamer dream PHOTO --recipe .*sheet.png --pick 2"):
        dreamer.dream_again(path, pick=2)
    again = dreamer.dream_again(path, picture, pick=2, network=tiny_network)
    assert again.recipe["settings"]["seed"] == 2


def test_a_cell_that_fails_does_not_cost_the_others(photo, tiny_network):
    told = {"octaves": 1, "steps": 1}
    with pytest.warns(RuntimeWarning, match=r"failed: 2: strength 0.5, nowhere and 1 more: .*'nowhere'") as notes:
        sheet = dreamer.dream_sheet(
            photo, network=tiny_network, strength=[0.5, 1], objective=["first", "nowhere"], **told
        )
    assert len(notes) == 1
    assert [cell.error is None for cell in sheet.cells] == [True, False, True, False]
    assert sheet.cells[3].label == "4: strength 1, nowhere (failed)"
    path = photo.with_name("sheet.png")
    sheet.save(path)
    with pytest.raises(ModelError, match="'nowhere'"):
        dreamer.dream_again(path, pick=2, network=tiny_network)
    assert dreamer.dream_again(path, pick=2, network=tiny_network, objective="second").score is not None


def test_where_all_cells_fail_the_first_error_is_raised(photo, tiny_network):
    warnings.simplefilter("ignore")  # pytest puts back what there was.
    with pytest.raises(ModelError, match="'nowhere'"):
        dreamer.dream_sheet(photo, network=tiny_network, objective=["nowhere", "nothing"], steps=1)


def test_an_interrupt_keeps_the_cells_that_are_done(photo, tiny_network):
    def stop(step):
        if step.done == 2 and not step.finished:
            raise KeyboardInterrupt

    with pytest.raises(dreamer.Interrupted) as stopped:
        dreamer.dream_sheet(photo, network=tiny_network, seed=range(5), on_step=stop, **QUICK)
    sheet = stopped.value.partial
    assert repr(sheet).startswith("<DreamSheet: 2 of 5 dreams, ")
    assert sheet.recipe["partial"] == {"cells": 2}
    with pytest.raises(KeyboardInterrupt):
        dreamer.dream_sheet(photo, network=tiny_network, seed=range(5), on_step=_stop_at_once, **QUICK)


def _stop_at_once(_step):
    raise KeyboardInterrupt


def test_progress_goes_to_the_end_by_the_work_of_each_cell(photo, tiny_network):
    seen = []
    dreamer.dream_sheet(photo, network=tiny_network, on_step=seen.append, objective="first", octaves=1, steps=[1, 3])
    assert [round(step.progress, 6) for step in seen if step.finished] == [0.25, 1]
    assert [step.progress for step in seen] == sorted(step.progress for step in seen)


def test_many_cells_are_smaller(picture, tiny_network, asleep):
    few = dreamer.dream_sheet(picture, seed=range(2), octaves=1, steps=1)
    many = dreamer.dream_sheet(picture, seed=range(101), octaves=1, steps=1)
    assert [max(sheet.cells[0].picture.shape) for sheet in (few, many)] == [320, 240]


def test_what_is_no_sheet_is_not_picked_from(photo, tiny_network):
    path = photo.with_name("one.png")
    dreamer.dream(photo, network=tiny_network, **QUICK).save(path)
    with pytest.raises(SettingsError, match=r"one.png is no sheet to pick from: it shows a single picture"):
        dreamer.dream_again(path, pick=1)
    with pytest.raises(dreamer.DreamerError, match="holds no recipe"):
        dreamer.dream_again(photo, pick=1)
