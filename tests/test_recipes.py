"""Recipes read back: checked before anything in them is used, and trusted with what lies beside them."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer import images, presets, recipes
from dreamer.dreaming.settings import BLENDS, COLORS, CONDITIONINGS, DreamSettings
from dreamer.earlier import Earlier
from dreamer.errors import DreamerError, ImageReadError, SettingsError, UntrustedError
from dreamer.files.documents import parse_json
from dreamer.images.recipes import marked
from dreamer.objectives import Objective
from dreamer.presets import text as preset_text
from dreamer.trust import Source

BEFORE = {
    "program": "dreamer",
    "version": "0.1.0",
    "settings": {"steps": 3, "objective": "block3b"},
    "source": {"name": "photo.png", "sha256": "0"},
    "files_sha256": {},
    "weights_sha256": "x",
    "libraries": {"keras": "3"},
}
property_test = settings(max_examples=150)


@pytest.fixture
def picture_with(tmp_path):
    """Writes a picture with a recipe into a folder that came from somebody else."""
    folder = tmp_path / "foreign"
    folder.mkdir()

    def write(recipe, name="x.png"):
        path = folder / name
        images.write(path, images.Photo(np.zeros((5, 7, 3), np.float32)), recipe=recipe, overwrite=True)
        return path

    return write


def read(path, **options):
    return Earlier.read(path, **options).settings()


def test_recipes_from_before_the_format_number_still_work(picture_with):
    assert read(picture_with(BEFORE)) == DreamSettings(steps=3, objective="block3b")
    assert read(picture_with(BEFORE | {"format": 1, "of_our_own": [1]})).steps == 3


@pytest.mark.parametrize("more", [{}, {"settings": None, "source": 3, "libraries": []}])
def test_a_newer_format_is_said_before_all_else(picture_with, more):
    with pytest.raises(SettingsError, match="a newer dreamer made .*format 2, and this one reads up to 1. Update"):
        read(picture_with(BEFORE | {"format": 2} | more))


# A table is right for preprocessing, and for what the cells of a sheet have in common; of a dream that says nothing.
@pytest.mark.parametrize("key", sorted({*recipes.SHAPE} - {"weights_sha256", "preprocessing", "common"}))
@pytest.mark.parametrize("value", [None, [[]], {"name": {}, "a": []}, "a\0b"])
def test_anything_of_another_kind_is_refused_in_one_line(picture_with, key, value):
    with pytest.raises(SettingsError, match=f"cannot be used: .*{key}|a setting 'name', which"):
        read(picture_with(BEFORE | {key: value}))


@pytest.mark.parametrize("key", [key for key in DreamSettings().to_dict() if key != "objective"])
@pytest.mark.parametrize("value", [[1], {"a": 1}, "", "a\0b", True, -1e300, "x" * 100_000])
def test_any_setting_of_another_kind_is_refused_in_one_line(picture_with, key, value):
    path = picture_with(BEFORE | {"settings": {key: value}})
    # Any text may be the name of a network or a file, until that is looked for.
    if isinstance(value, str) and len(value) > 5 and key in ("model", "preprocessing", "mask", "guide"):
        assert getattr(read(path, trust=True), key) == value
        return
    with pytest.raises(SettingsError, match=f"{key} is .*; expected") as caught:
        read(path)
    assert len(str(caught.value)) < 1000
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["steps", "model", "seed", "mask", "objective"])
def test_null_stands_for_what_may_be_nothing_only(picture_with, key):
    path = picture_with(BEFORE | {"settings": {key: None}})
    if key in ("mask", "objective"):
        assert read(path) == DreamSettings()
    else:
        with pytest.raises(SettingsError, match=f"{key} is None; expected"):
            read(path)


def test_a_setting_of_a_later_version_is_said(picture_with):
    with pytest.raises(SettingsError, match="a setting 'sparkle', which this dreamer does not know; a newer one"):
        read(picture_with(BEFORE | {"settings": {"sparkle": 1}}))


def test_what_is_no_dream_says_what_made_it(picture_with):
    for recipe, words in (({"command": "visualize"}, "made by `dreamer visualize`"), ({}, "tells of no dream")):
        with pytest.raises(SettingsError, match=words):
            read(picture_with(recipe))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
known_keys = st.sampled_from([*recipes.SHAPE, "other"])
setting_keys = st.sampled_from([*DreamSettings().to_dict(), "other"])


@property_test
@given(
    st.one_of(
        json_values,
        st.dictionaries(known_keys, json_values),
        st.dictionaries(known_keys, json_values).map(lambda some: BEFORE | some),
        st.dictionaries(setting_keys, json_values, max_size=2).map(lambda some: BEFORE | {"settings": some}),
    )
)
def test_any_json_gives_settings_or_the_projects_own_error(tmp_path_factory, held):
    recipe = parse_json(json.dumps(held))  # As a picture gives it back.
    if not isinstance(recipe, dict):
        return  # Which `images.read_recipe` calls no recipe.
    file = tmp_path_factory.getbasetemp() / "x.png"
    with suppress(DreamerError):
        recipes.check(recipe, file)
        if {"settings", "source"} <= set(recipe):
            earlier = Earlier(Source(file), recipe)
            assert isinstance(earlier.settings(), DreamSettings)
            earlier.compare({"name": "a", "sha256": "b"}, DreamSettings(), lambda _: None)
            earlier.photo()


@pytest.mark.parametrize(
    "text",
    ['{"a": ' + "[" * 2000 + "]" * 2000 + "}", '{"a": "' + "x" * 5_000_000 + '"}', "[]", "null", '{"a": 1'],
    ids=["deep", "huge", "list", "null", "cut"],
)
def test_what_is_no_recipe_of_any_sense_is_none(tmp_path, text):
    path = tmp_path / "x.bmp"
    images.write(path, images.Photo(np.zeros((5, 7, 3), np.float32)), recipe=None)
    path.write_bytes(marked(path.read_bytes(), text.encode()))
    with pytest.raises(ImageReadError, match="holds no recipe"):
        images.read_recipe(path)


def settings_with(**named):
    return BEFORE | {"settings": named}


def test_files_beside_the_picture_are_taken(picture_with, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = picture_with(settings_with(mask="/gone/sky.png", guide="bees.png", model="/gone/net.keras"))
    for name in ("sky.png", "bees.png", "net.keras"):
        (path.parent / name).write_bytes(b"")
    found = read(path)
    assert (found.mask, found.guide, found.model) == tuple(
        str(path.parent / name) for name in ("sky.png", "bees.png", "net.keras")
    )


def test_files_elsewhere_are_refused_all_at_once(picture_with, tmp_path):
    for name in ("mask.png", "guide.png", "d.npy", "net.keras", "target.png"):
        (tmp_path / name).write_bytes(b"")
    named = {"mask": f"{tmp_path}/mask.png", "guide": "../guide.png", "model": f"{tmp_path}/net.keras"}
    objective = f'direction:block3b@"{tmp_path}/d.npy" + guided:block3b@"link.png"'
    path = picture_with(settings_with(**named, objective=objective))
    (path.parent / "link.png").symlink_to(tmp_path / "target.png")
    with pytest.raises(UntrustedError) as caught:
        read(path)
    for part in (
        "mask.png (mask)",
        "guide.png (guide)",
        "d.npy (objective)",
        "link.png (objective)",
        "net.keras (model)",
    ):
        assert part in str(caught.value)
    assert "give --trust, or type --mask, --guide, --objective and --model anew" in str(caught.value)
    assert read(path, trust=True).mask == named["mask"]
    changed = Earlier.read(path).settings(mask=named["mask"], guide=None, objective="block3b", model="inception_v1")
    assert (changed.mask, changed.guide, changed.objective, changed.model) == (
        *(named["mask"], None, Objective.parse("block3b")),
        "inception_v1",
    )


def test_one_beside_stands_for_one_elsewhere_and_is_compared_with_it(picture_with, tmp_path):
    (tmp_path / "mask.png").write_bytes(b"elsewhere")
    path = picture_with(settings_with(mask=f"{tmp_path}/mask.png") | {"files_sha256": {f"{tmp_path}/mask.png": "0"}})
    (path.parent / "mask.png").write_bytes(b"beside")
    earlier, notes = Earlier.read(path), []
    found = earlier.settings()
    assert found.mask == str(path.parent / "mask.png")
    earlier.compare({"name": "photo.png", "sha256": "0"}, found, notes.append)
    assert notes == [f"{found.mask} has changed since {path} was made, so the dream will be another"]


def test_a_photo_that_is_a_link_to_elsewhere_is_not_taken(picture_with, tmp_path):
    path = picture_with(BEFORE)
    (tmp_path / "private.png").write_bytes(b"")
    (path.parent / "photo.png").symlink_to(tmp_path / "private.png")
    with pytest.raises(UntrustedError, match=f"give --trust. Say where it is: dreamer dream PHOTO --recipe {path}"):
        Earlier.read(path).photo()
    assert Earlier.read(path, trust=True).photo() == path.parent / "photo.png"


names_of_files = st.text(
    st.characters(exclude_characters="\0\"'", exclude_categories=["Cs"]), min_size=1, max_size=20
).filter(lambda name: Path(name).name == name.rpartition("/")[2] != "")
any_settings = st.builds(
    DreamSettings,
    objective=st.none() | names_of_files.map(lambda name: Objective.parse(f'2*block3b - guided:a@"{name}"')),
    octaves=st.none() | st.integers(1, 100),
    steps=st.integers(1, 100_000),
    step_size=st.floats(1e-9, 1),
    rotate=st.floats(0, 180),
    conditioning=st.sampled_from(CONDITIONINGS),
    blend=st.sampled_from(BLENDS),
    colors=st.sampled_from(COLORS),
    mask=st.none() | names_of_files,
    guide=st.none() | names_of_files,
    zoom=st.floats(1, 2),
    seed=st.integers(0, 2**63 - 1),
)


@property_test
@given(any_settings, st.text(), st.text(min_size=1))
def test_any_settings_come_back_from_a_preset_whatever_their_picture_is_called(
    tmp_path_factory, given_settings, source, name
):
    path = tmp_path_factory.getbasetemp() / "drafts" / "x.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(preset_text.of_dream("x", given_settings, source).encode())
    preset = presets.find(path, trust=True)
    assert preset.title == "x"

    def anywhere(some):
        return some.to_dict() | {"mask": some.mask and some.mask.rpartition("/")[2], "objective": None, "guide": None}

    assert anywhere(preset.settings()) == anywhere(given_settings)
    again = path.with_name("again.toml")
    again.write_bytes(preset_text.whole(preset).encode())
    assert presets.find(again, trust=True).settings() == preset.settings()
    # A draft that extends it says nothing else, with or without its comments.
    draft = preset_text.extending("draft", preset, str(path))
    for text in (draft, "\n".join(line.removeprefix("# ") for line in draft.splitlines() if " = " in line)):
        again.write_bytes(text.encode())
        assert presets.find(again, trust=True).settings() == preset.settings()


def test_a_refusal_of_a_file_with_an_endless_name_is_short(picture_with):
    with pytest.raises(UntrustedError) as caught:
        read(picture_with(settings_with(mask="x" * 100_000)))
    assert len(str(caught.value)) < 1000
