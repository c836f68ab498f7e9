"""Presets as the text of their files: drafts to begin with, and a preset with all that it extends.

The one idea: names and texts out of other files go through ``documents``, as values and in comments, so that none of
them can become a line of its own.

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dreamer.dreaming.looks import OF_A_LOOK
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.files.documents import toml_comment, toml_key, toml_line
from dreamer.mask_kinds import is_kind
from dreamer.models.keras_file import is_path
from dreamer.objectives import Objective
from dreamer.presets import Preset
from dreamer.wording import one_line

_DEFAULTS = DreamSettings().to_dict()
_NOT_OF_A_LOOK = ("preprocessing", "precision", "tile", "max_size", "focus", "aspect", "size", "upscale")
"""Settings of the photo at hand or of the machine; they may be in a preset, but no draft begins with them."""

_UNSAID = (*_NOT_OF_A_LOOK, "looks")  # Which have tables of their own.


def whole(preset: Preset) -> str:
    """A preset with all that it extends, as a file that stands alone."""
    unseen = {"unseen": list(preset.unseen)} if preset.unseen else {}
    parts = [_words(preset.title, preset.description, preset.tags), *_lines(unseen), "", *_lines(preset.base)]
    for look in preset.looks:
        other = None if look.preset is None else look.preset.unchecked(look.own)
        own = look.own if other is None else {**_of_look(other), **look.own}
        parts += ["", "[[looks]]", *_lines({"weight": look.weight, **own})]
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
    settings = {key: value for key, value in other.settings().to_dict().items() if key not in _UNSAID}
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
    parts = [
        toml_comment(f"From {source}."),
        _words(name, f"as {one_line(source)} was dreamt", ()),
        "",
        *_lines(_kept(settings)),
    ]
    for look in settings.looks:
        parts += ["", "[[looks]]", *_lines({"weight": look.weight} | _kept(look.settings))]
    return "\n".join(parts) + "\n"


def _kept(settings: DreamSettings) -> dict[str, Any]:
    """What a preset that does the same says: what is not as usual, the files wherever it lies."""
    # The network is always told: a look is made with one, whatever is usual by then.
    told = settings.to_dict().items()
    known = {key: value for key, value in told if key == "model" or value != _DEFAULTS.get(key)}
    kept = {key: value for key, value in known.items() if key not in (*_UNSAID, "objective")}
    if settings.objective is not None:
        kept["objective"] = settings.objective.with_files(_absolute)
    for key in ("mask", "guide", "model", "prior"):
        if key in kept and not is_kind(str(kept[key])) and (key in ("mask", "guide") or is_path(str(kept[key]))):
            kept[key] = _absolute(str(kept[key]))
    return kept


def _of_look(settings: DreamSettings) -> dict[str, Any]:
    """What a look says that is not as usual."""
    told = settings.to_dict()
    return {key: told[key] for key in OF_A_LOOK if key in told and told[key] != _DEFAULTS.get(key)}


def _absolute(file: str) -> str:
    return str(Path(file).absolute())


def _words(title: str, description: str, tags: tuple[str, ...]) -> str:
    return "\n".join(_lines({"title": title, "description": description, "tags": list(tags)}))


def _lines(table: Mapping[str, Any]) -> list[str]:
    try:
        return [toml_line(key, str(value) if isinstance(value, Objective) else value) for key, value in table.items()]
    except ValueError as error:
        raise SettingsError(f"no preset can be written: {error}") from error
