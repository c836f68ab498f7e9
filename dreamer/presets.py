"""Presets: looks that go by a name. Finds and reads them; the one place that knows where they live.

A preset is a TOML file: what it is called and looks like, and any fields of :class:`DreamSettings`, first for the
network it was made with, then what is otherwise with others.

    title = "Fur and eyes"
    description = "Coats of fur with eyes all over, the DeepDream everybody knows"
    tags = ["animals", "classic"]
    objective = "block5c"
    step_size = 0.012

    [variants.inception_v3]
    objective = "mixed4"

``extends = "other"`` begins with all of another preset. Files that a preset names (a guide, a mask, those of its
objective) lie relative to it.

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from dreamer.errors import SettingsError, UnknownModelError, UnknownPresetError, close_matches
from dreamer.models import registry
from dreamer.objectives import Objective
from dreamer.settings import DreamSettings

_WORDS = ("title", "description")
_KNOWN = (*_WORDS, "tags", "extends", "variants")
_SETTINGS = tuple(one.name for one in fields(DreamSettings))
_FILES = ("mask", "guide")

_Table = Mapping[str, Any]


@dataclass(frozen=True)
class Preset:
    """A look that goes by a name.

    Attributes:
        name: Of its file, without suffix.
        path: Its file.
        title: A few words.
        description: What it looks like, in a line.
        tags: Words to find it by.
        extends: The preset that it begins with.
        base: Settings for the network that it was made with.
        variants: What is otherwise with other networks, by their names.

    Example:
        >>> find("fur-and-eyes").settings(seed=7).seed
        7
    """

    name: str
    path: Path
    title: str
    description: str
    tags: tuple[str, ...] = ()
    extends: str | None = None
    base: _Table = field(default_factory=dict)
    variants: Mapping[str, _Table] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """The network that it was made with."""
        return str(self.base.get("model", DreamSettings.model))

    @property
    def models(self) -> tuple[str, ...]:
        """The networks that it is made for."""
        return (self.model, *self.variants)

    def settings(self, **changes: Any) -> DreamSettings:
        """The settings that it stands for.

        Args:
            **changes: Fields of :class:`DreamSettings` on top of them; ``model`` chooses the variant.

        Raises:
            SettingsError: A setting is impossible, or the preset is not made for the network.
        """
        model = changes.get("model", self.model)
        if model not in self.models and "objective" not in changes:
            raise SettingsError(
                f"the preset {self.name} is made for {', '.join(self.models)}, not for {model}. "
                "Give an --objective with it, or add a table [variants] to a preset of your own"
            )
        return DreamSettings.of(**{**self.base, **self.variants.get(model, {}), **changes})


def find(name: str | Path) -> Preset:
    """The preset of a name, or of a path that ends in ``.toml``.

    Of presets of the same name the user's own is taken.

    Raises:
        UnknownPresetError: There is none.
        SettingsError: Its file is wrong; the message says where.
    """
    return _read(_path(str(name)), ())


def names() -> list[str]:
    """The names of all presets, those of the user included."""
    return sorted({path.stem for folder in (shipped_folder(), own_folder()) for path in folder.glob("*.toml")})


def shipped_folder() -> Path:
    """Where the presets lie that come with the program."""
    installed = Path(__file__).parent / "shipped" / "presets"
    return (
        installed if installed.is_dir() else Path(__file__).parents[1] / "presets"
    )  # A checkout keeps them at its top.


def own_folder() -> Path:
    """Where the user's presets lie: in ``DREAMER_CONFIG``, or where the platform keeps settings."""
    chosen = os.environ.get("DREAMER_CONFIG")
    if chosen:
        return Path(chosen).expanduser().absolute() / "presets"
    import platformdirs

    return platformdirs.user_config_path("dreamer") / "presets"


def _path(name: str, *, extended_by: Path | None = None) -> Path:
    if name.endswith(".toml"):
        path = Path(name).expanduser()
        return extended_by.parent / path if extended_by else path
    for folder in (own_folder(), shipped_folder()):
        path = folder / f"{name}.toml"
        # A preset of the user's that extends its own name extends the one that it stands before.
        if Path(name).name == name and path.is_file() and path != extended_by:
            return path
    raise UnknownPresetError(
        f"there is no preset {name!r}.{close_matches(name, names())} See all: dreamer presets list; "
        "one of your own can be given by its path, which ends in .toml"
    )


def _read(path: Path, extending: tuple[Path, ...]) -> Preset:
    if path.resolve() in extending:
        raise SettingsError(f"{path} extends itself, by way of {', '.join(one.stem for one in extending)}")
    table = _table(path)
    _check_keys(table, (*_KNOWN, *_SETTINGS), str(path))
    base, variants = _settings_of(table, path), _variants_of(table, path)
    extends = table.get("extends")
    if extends is not None:
        if not isinstance(extends, str):
            raise SettingsError(f"extends in {path} is {extends!r}; expected the name of a preset")
        other = _read(_path(extends, extended_by=path), (*extending, path.resolve()))
        variants = _inherited(other, base, variants)
        base = {**other.base, **other.variants.get(str(base.get("model")), {}), **base}
    words = {word: _word(table, word, path) for word in _WORDS}
    preset = Preset(path.stem, path, **words, tags=_tags(table, path), extends=extends, base=base, variants=variants)
    for model in preset.models:
        _checked(preset, model)
    return preset


def _inherited(other: Preset, base: _Table, variants: Mapping[str, _Table]) -> dict[str, _Table]:
    """The variants of a preset that extends another.

    What it says for all networks counts with each, but an objective names layers of one network only. So who gives
    another objective has to give those for other networks too.
    """
    general = {key: value for key, value in base.items() if key not in ("objective", "model")}
    names = dict.fromkeys(variants if "objective" in base else (*other.variants, *variants))
    # With another network of its own, that network's variant is what it begins with.
    names.pop(str(base.get("model")), None)
    return {name: {**other.variants.get(name, {}), **general, **variants.get(name, {})} for name in names}


def _checked(preset: Preset, model: str) -> None:
    try:
        registry.spec(model)
        settings = preset.settings(model=model)
    except (SettingsError, UnknownModelError) as error:
        raise SettingsError(f"{preset.path}: {error}") from error
    if model != preset.model and settings.objective == preset.base.get("objective") is not None:
        raise SettingsError(
            f"{preset.path}: the variant for {model} has no objective of its own; expected layers of that network"
        )


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnknownPresetError(f"cannot read the preset {path}: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"{path} is no preset: {error}. Expected TOML; `dreamer presets new` writes one") from error


def _check_keys(table: _Table, known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise SettingsError(f"{where} has an unknown key {key!r}.{close_matches(key, known)}")


def _settings_of(table: _Table, path: Path) -> dict[str, Any]:
    """The settings among the keys of a table, the files they name relative to the preset."""

    def beside(file: str) -> str:
        return str(path.parent / Path(file).expanduser())

    found = {key: value for key, value in table.items() if key in _SETTINGS}
    for key in _FILES:
        if isinstance(found.get(key), str):
            found[key] = beside(found[key])
    if "objective" in found:
        try:
            found["objective"] = Objective.of(found["objective"]).with_files(beside)
        except SettingsError as error:
            raise SettingsError(f"{path}: {error}") from error
    return found


def _variants_of(table: _Table, path: Path) -> dict[str, _Table]:
    variants = table.get("variants", {})
    if not isinstance(variants, dict) or not all(isinstance(one, dict) for one in variants.values()):
        raise SettingsError(f"variants in {path} is {variants!r}; expected tables such as [variants.inception_v3]")
    for name, variant in variants.items():
        _check_keys(variant, tuple(key for key in _SETTINGS if key != "model"), f"the variant {name} in {path}")
    return {name: _settings_of(variant, path) for name, variant in variants.items()}


def _word(table: _Table, word: str, path: Path) -> str:
    if word not in table:
        raise SettingsError(f'{path} has no {word}; expected a line of text, as in {word} = "..."')
    value = table[word]
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise SettingsError(f"{word} in {path} is {value!r}; expected a line of text")
    return value


def _tags(table: _Table, path: Path) -> tuple[str, ...]:
    tags = table.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag for tag in tags):
        raise SettingsError(f'tags in {path} is {tags!r}; expected words, as in ["animals", "classic"]')
    return tuple(tags)
