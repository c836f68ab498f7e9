"""Tables of TOML that say how to dream: read and checked, the files that they name relative to theirs.

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError, UnknownPresetError, close_matches
from dreamer.files.documents import read_toml
from dreamer.mask_kinds import as_file, is_kind
from dreamer.models.keras_file import is_path
from dreamer.objectives import Objective
from dreamer.presets.folders import expanded
from dreamer.wording import shown

Table = Mapping[str, Any]

SETTINGS = tuple(one.name for one in fields(DreamSettings) if one.name != "looks")
"""The settings that a table may have; looks have tables of their own."""

_FILES = ("mask", "guide")


def table_of(path: Path) -> dict[str, Any]:
    """What a file of TOML says.

    Raises:
        UnknownPresetError: It cannot be read.
        SettingsError: It is no TOML.
    """
    try:
        return read_toml(path)
    except OSError as error:
        raise UnknownPresetError(f"cannot read the preset {path}: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"{path} is no preset: {error}. Expected TOML; `dreamer presets new` writes one") from error


def check_keys(table: Table, known: tuple[str, ...], where: str) -> None:
    """Make sure that a table has no other keys.

    Raises:
        SettingsError: It has.
    """
    for key in table:
        if key not in known:
            raise SettingsError(f"{where} has an unknown key {shown(key)}.{close_matches(key, known)}")


def settings_of(table: Table, path: Path) -> dict[str, Any]:
    """The settings among the keys of a table, the files they name relative to the preset."""

    def beside(file: str) -> str:
        return as_file(str(path.parent / expanded(file)))

    found = {key: value for key, value in table.items() if key in SETTINGS}
    for key in _FILES:
        if isinstance(found.get(key), str) and not (key == "mask" and is_kind(found[key])):
            found[key] = beside(found[key])
    for key in ("model", "prior"):
        if isinstance(found.get(key), str) and is_path(found[key]):
            found[key] = beside(found[key])
    if "objective" in found:
        try:
            found["objective"] = Objective.of(found["objective"]).with_files(beside)
        except SettingsError as error:
            raise SettingsError(f"{path}: {error}") from error
    return found


def variants_of(table: Table, path: Path) -> dict[str, Table]:
    """The settings for other networks, by their names.

    Raises:
        SettingsError: They are no tables, or have other keys than settings.
    """
    variants = table.get("variants", {})
    if not isinstance(variants, dict) or not all(isinstance(one, dict) for one in variants.values()):
        raise SettingsError(f"variants in {path} is {shown(variants)}; expected tables such as [variants.inception_v3]")
    for name, variant in variants.items():
        check_keys(variant, tuple(key for key in SETTINGS if key != "model"), f"the variant {name} in {path}")
    return {name: settings_of(variant, path) for name, variant in variants.items()}


def word_of(table: Table, word: str, path: Path) -> str:
    """A line of text that a preset must have.

    Raises:
        SettingsError: It has none.
    """
    if word not in table:
        raise SettingsError(f'{path} has no {word}; expected a line of text, as in {word} = "..."')
    value = table[word]
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise SettingsError(f"{word} in {path} is {shown(value)}; expected a line of text")
    return value


def words_of(table: Table, key: str, path: Path, example: str) -> tuple[str, ...]:
    """A list of words that a preset may have.

    Raises:
        SettingsError: It is something else; the message has the example.
    """
    words = table.get(key, [])
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise SettingsError(f"{key} in {path} is {shown(words)}; expected words, as in {example}")
    return tuple(words)
