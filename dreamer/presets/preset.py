"""Presets: looks that go by a name, read from their files and checked.

A preset is a TOML file: what it is called and looks like, and any fields of :class:`DreamSettings`, first for the
network it was made with, then what is otherwise with others.

    title = "Fur and eyes"
    description = "Coats of fur with eyes all over, the DeepDream everybody knows"
    tags = ["animals", "classic"]
    objective = "block5c"
    step_size = 0.012

    [variants.inception_v3]
    objective = "mixed4"

``extends = "other"`` begins with all of another preset; tables ``[[looks]]`` make one dream of several. Files that a
preset names (a guide, a mask, a network, those of its objective) lie relative to it. A preset of the program or in the
user's own folder may name any file; one from elsewhere only those beside it, see :mod:`dreamer.trust`.

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError, UnknownModelError
from dreamer.files.digests import digest_of
from dreamer.models import registry
from dreamer.models.keras_file import is_path
from dreamer.presets.folders import file_of, is_known
from dreamer.presets.looks import KEYS as LOOK_KEYS
from dreamer.presets.looks import LookTable, of_looks, parted
from dreamer.presets.tables import SETTINGS, Table, check_keys, settings_of, table_of, variants_of, word_of, words_of
from dreamer.trust import Named, Source, named_files
from dreamer.wording import shown

_WORDS = ("title", "description")
_KNOWN = (*_WORDS, "tags", "extends", "variants", "unseen", "looks")
_LONGEST_CHAIN = 16
"""Presets that extend each other in a row: more than a person ever writes."""


@dataclass(frozen=True)
class Preset:
    """A look that goes by a name.

    Attributes:
        name: Of its file, without suffix.
        path: Its file.
        sha256: Digest of that file.
        title: A few words.
        description: What it looks like, in a line.
        tags: Words to find it by.
        extends: The preset that it begins with.
        base: Settings for the network that it was made with.
        variants: What is otherwise with other networks, by their names.
        unseen: Those of these networks with which nobody has looked at it.
        looks: Those of a preset that has several.
        outside: Files that it, or what it extends, names and may not.
        has_options: As :class:`dreamer.trust.Source` has it.

    Example:
        >>> find("fur-and-eyes").settings(seed=7).seed
        7
    """

    name: str
    path: Path
    sha256: str
    title: str
    description: str
    tags: tuple[str, ...] = ()
    extends: str | None = None
    base: Table = field(default_factory=dict)
    variants: Mapping[str, Table] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    looks: tuple[LookTable, ...] = ()
    outside: frozenset[str] = frozenset()
    has_options: bool = True

    @property
    def origin(self) -> dict[str, str]:
        """Which it is, as recipes say it."""
        return {"preset": self.name, "preset_sha256": self.sha256}

    @property
    def model(self) -> str:
        """The network that it was made with; of several looks, the first look's."""
        if self.looks:
            return self.unchecked({}).looks[0].settings.model
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
            UntrustedError: It names files that it may not, and *changes* do not take their places.
            SettingsError: A setting is impossible, or the preset is not made for the network.
        """
        found = self.unchecked(changes)
        Source(self.path, has_options=self.has_options).refuse(self._outside(found, changes))
        return found

    def _outside(self, found: DreamSettings, changes: Table) -> list[Named]:
        """What it names and may not, where nothing takes its place."""
        if self.looks:
            of_all = {name: value for name, value in found.values().items() if name != "looks"}
            in_looks = [self._named(look.settings.values(), parted(changes)[1]) for look in found.looks]
            return [named for each in (self._named(of_all, changes), *in_looks) for named in each]
        table = {**self.base, **self.variants.get(changes.get("model", self.model), {})}
        return self._named(table, changes)

    def _named(self, table: Table, changes: Table) -> list[Named]:
        kept = {name: value for name, value in table.items() if name not in changes}
        return [(setting, file) for setting, file in named_files(kept) if file in self.outside]

    def unchecked(self, changes: Table) -> DreamSettings:
        """The same as :meth:`settings`, whatever files it names.

        Args:
            changes: As for :meth:`settings`.

        Raises:
            SettingsError: As for :meth:`settings`.
        """
        if self.looks:
            whole, each = parted(self.base)
            new_whole, new_each = parted(changes)
            return of_looks([look.look(each, new_each) for look in self.looks], whole | new_whole)
        model = changes.get("model", self.model)
        if model not in self.models and "objective" not in changes:
            raise SettingsError(
                f"the preset {self.name} is made for {', '.join(self.models)}, not for {model}. "
                "Give an --objective with it, or add a table [variants] to a preset of your own"
            )
        return DreamSettings.of(**{**self.base, **self.variants.get(model, {}), **changes})


def find(name: str | Path, *, trust: bool = False, has_options: bool = True) -> Preset:
    """The preset of a name, or of a path that ends in ``.toml``.

    Of presets of the same name the user's own is taken.

    Args:
        name: Its name, or its path.
        trust: Whether one from elsewhere, or what it extends, may name any file.
        has_options: As :class:`dreamer.trust.Source` has it.

    Raises:
        UnknownPresetError: There is none.
        UntrustedError: It extends a file that it may not name.
        SettingsError: Its file is wrong; the message says where.
    """
    return replace(_read(file_of(str(name)), (), trust=trust), has_options=has_options)


def _source(path: Path, *, trust: bool) -> Source:
    """A preset as what names files: those in the folders of presets may name any."""
    return Source(path, trust or is_known(path.parent))


def _read(path: Path, extending: tuple[Path, ...], *, trust: bool) -> Preset:
    if len(extending) >= _LONGEST_CHAIN:
        raise SettingsError(f"{extending[0]} extends more than {_LONGEST_CHAIN} presets in a row; expected fewer")
    table = table_of(path)
    real = Path(os.path.realpath(path))
    if real in extending:
        raise SettingsError(f"{path} extends itself, by way of {', '.join(one.stem for one in extending)}")
    check_keys(table, (*_KNOWN, *SETTINGS), str(path))
    base, variants = settings_of(table, path), variants_of(table, path)
    unseen = words_of(table, "unseen", path, '["inception_v1"]')
    source = _source(path, trust=trust)
    looks = _looks_of(table, path, source, (*extending, real), trust=trust)
    tables = [base, *variants.values(), *(look.own for look in looks)]
    named = [named for one in tables for named in named_files(one)]
    named += [("model", model) for model in variants if is_path(model)]
    outside = {file for _, file in named if not source.may_name(file)}
    outside |= {file for look in looks if look.preset is not None for file in look.preset.outside}
    extends = table.get("extends")
    if extends is not None:
        if not isinstance(extends, str):
            raise SettingsError(f"extends in {path} is {shown(extends)}; expected the name of a preset")
        place = file_of(extends, extended_by=path)
        if extends.endswith(".toml") and not source.may_name(str(place)):
            # What it extends has no option, so the others need none.
            replace(source, has_options=False).check([("extends", str(place)), *named])
        other = _read(place, (*extending, real), trust=trust)
        outside |= other.outside
        looks = other.looks
        variants = _inherited(other, base, variants)
        unseen = tuple(dict.fromkeys([*unseen, *(model for model in other.unseen if model in variants)]))
        base = {**other.base, **other.variants.get(str(base.get("model")), {}), **base}
    title, description = (word_of(table, word, path) for word in _WORDS)
    preset = Preset(
        path.stem,
        path,
        digest_of(path),
        title,
        description,
        tags=words_of(table, "tags", path, '["animals", "classic"]'),
        extends=extends,
        base=base,
        variants=variants,
        unseen=unseen,
        looks=looks,
        outside=frozenset(outside),
    )
    for model in preset.unseen:
        if model not in variants:
            raise SettingsError(f"unseen in {path} names {model}; expected one of its variants: {', '.join(variants)}")
    if preset.looks:
        _check_looks(preset)
        return preset
    for model in preset.models:
        _checked(preset, model)
    return preset


def _looks_of(
    table: Table, path: Path, source: Source, extending: tuple[Path, ...], *, trust: bool
) -> tuple[LookTable, ...]:
    """The looks of a preset, with the presets that they begin with."""
    tables = table.get("looks", [])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise SettingsError(f"looks in {path} is {shown(tables)}; expected tables, each begun by [[looks]]")
    for key in ("extends", "variants"):
        if tables and key in table:
            raise SettingsError(f"{path} has looks and {key}; expected one of them, since each look has its own preset")
    return tuple(_look_of(one, path, source, extending, trust=trust) for one in tables)


def _look_of(table: Table, path: Path, source: Source, extending: tuple[Path, ...], *, trust: bool) -> LookTable:
    check_keys(table, LOOK_KEYS, f"a look in {path}")
    name, other = table.get("preset"), None
    if name is not None:
        if not isinstance(name, str):
            raise SettingsError(f"preset in a look of {path} is {shown(name)}; expected the name of a preset")
        place = file_of(name, extended_by=path)
        if name.endswith(".toml"):
            # A preset that is looked into has no option.
            replace(source, has_options=False).check([("preset", str(place))])
        other = _read(place, extending, trust=trust)
    return LookTable(other, table.get("weight", 1.0), settings_of(table, path))


def _check_looks(preset: Preset) -> None:
    try:
        if preset.variants:
            raise SettingsError("it has looks and variants; expected variants in the presets of the looks")
        for look in preset.unchecked({}).looks:
            if look.settings.model not in preset.outside:
                registry.spec(look.settings.model)
    except (SettingsError, UnknownModelError) as error:
        raise SettingsError(f"{preset.path}: {error}") from error


def _inherited(other: Preset, base: Table, variants: Mapping[str, Table]) -> dict[str, Table]:
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
        if model not in preset.outside:
            registry.spec(model)
        settings = preset.unchecked({"model": model})
    except (SettingsError, UnknownModelError) as error:
        raise SettingsError(f"{preset.path}: {error}") from error
    if model != preset.model and settings.objective == preset.base.get("objective") is not None:
        raise SettingsError(
            f"{preset.path}: the variant for {model} has no objective of its own; expected layers of that network"
        )
