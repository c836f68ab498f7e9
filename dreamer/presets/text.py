"""Presets as the text of their files: drafts to begin with, and a preset with all that it extends.

The one idea: names and texts out of other files go through ``documents``, as values and in comments, so that none of
them can become a line of its own.

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.files.documents import toml_comment, toml_key, toml_line
from dreamer.mask_kinds import is_kind
from dreamer.models.keras_file import is_path
from dreamer.objectives import Objective
from dreamer.presets import Preset
from dreamer.wording import one_line

_DEFAULTS = DreamSettings().to_dict()
_NOT_OF_A_LOOK = ("preprocessing", "precision", "tile", "max_size")
"""Settings of the photo at hand or of the machine; they may be in a preset, but no draft begins with them."""


def whole(preset: Preset) -> str:
    """A preset with all that it extends, as a file that stands alone."""
    parts = [_words(preset.title, preset.description, preset.tags), "", *_lines(preset.base)]
    for model, variant in preset.variants.items():
        parts += ["", f"[variants.{toml_key(model)}]", *_lines(variant)]
    return "\n".join(parts) + "\n"


def extending(name: str, other: Preset, extends: str) -> str:
    """A draft that extends another preset: what could be changed is there as comments.

    Args:
        name: Of the new preset.
        other: What it extends.
        extends: How the other is found: its name, or its path.
    """
    settings = {key: value for key, value in other.settings().to_dict().items() if key not in _NOT_OF_A_LOOK}
    known = map(toml_comment, _lines({key: value for key, value in settings.items() if value is not None}))
    parts = [
        _words(name, f"like {other.title}, but", other.tags),
        *_lines({"extends": extends}),
        "",
        toml_comment(
            f"What follows is as in {other.name}. Take away the # to change it; who changes the objective and wants"
        ),
        "# other networks too gives theirs in tables such as [variants.inception_v3].",
        *known,
    ]
    return "\n".join(parts) + "\n"


def of_dream(name: str, settings: DreamSettings, source: str) -> str:
    """A preset that does what a dream did.

    Args:
        name: Of the preset.
        settings: Of the dream.
        source: Where they come from, for a comment.

    Raises:
        SettingsError: A file that they name has a name that TOML cannot hold.
    """
    known = {key: value for key, value in settings.to_dict().items() if value != _DEFAULTS.get(key)}
    kept = {key: value for key, value in known.items() if key not in (*_NOT_OF_A_LOOK, "objective")}
    if settings.objective is not None:
        kept["objective"] = settings.objective.with_files(_absolute)
    for key in ("mask", "guide", "model", "prior"):
        if key in kept and not is_kind(str(kept[key])) and (key in ("mask", "guide") or is_path(str(kept[key]))):
            kept[key] = _absolute(str(kept[key]))
    parts = [
        toml_comment(f"From {source}."),
        _words(name, f"as {one_line(source)} was dreamt", ()),
        "",
        *_lines(kept),
    ]
    return "\n".join(parts) + "\n"


def _absolute(file: str) -> str:
    return str(Path(file).absolute())


def _words(title: str, description: str, tags: tuple[str, ...]) -> str:
    return "\n".join(_lines({"title": title, "description": description, "tags": list(tags)}))


def _lines(table: Mapping[str, Any]) -> list[str]:
    try:
        return [toml_line(key, str(value) if isinstance(value, Objective) else value) for key, value in table.items()]
    except ValueError as error:
        raise SettingsError(f"no preset can be written: {error}") from error
