"""``dreamer presets``: looks that go by a name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dreamer import presets as library
from dreamer.cli import preset_sheet
from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Group
from dreamer.cli.completing import complete_choice, complete_preset
from dreamer.cli.completing import tags as all_tags
from dreamer.cli.options import debug_option, trust_option
from dreamer.cli.outputs import print_exactly, print_line, print_path, print_text
from dreamer.cli.progress import import_keras, note
from dreamer.cli.tables import table
from dreamer.dreaming.settings import DreamSettings
from dreamer.earlier import Earlier
from dreamer.errors import DreamerError, ImageExistsError, ImageWriteError, SettingsError
from dreamer.files.documents import toml_comment
from dreamer.models import fetching, registry
from dreamer.presets import text as preset_text

if TYPE_CHECKING:
    from dreamer.presets import Preset

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@click.group(cls=Group)
def presets() -> None:
    """List, show, check and make presets: looks that go by a name."""


@presets.command("list")
@click.option(
    "--tag",
    "tags",
    multiple=True,
    help="Only those with this tag; repeatable.",
    shell_complete=complete_choice(all_tags),
)
@json_option
@debug_option
def list_presets(tags: tuple[str, ...], as_json: bool) -> None:
    """List the presets, your own included."""
    found = list(_readable())
    known = sorted({tag for preset in found for tag in preset.tags})
    for tag in tags:
        if tag not in known:
            raise SettingsError(f"no preset has the tag {tag!r}. Known: {', '.join(known)}")
    listed = [preset for preset in found if set(tags) <= set(preset.tags)]
    if as_json:
        print_answer("presets list", map(_item, listed))
        return
    rows = [[preset.name, ", ".join(preset.tags), f"{preset.description}{_origin(preset)}"] for preset in listed]
    print_text(table(["name", "tags", "what it looks like"], rows))
    for model in sorted({model for preset in listed for model in preset.unseen}):
        print_text(f"\nnot seen with {model}: {', '.join(preset.name for preset in listed if model in preset.unseen)}")


def _item(preset: Preset) -> dict[str, object]:
    return {
        "name": preset.name,
        "title": preset.title,
        "description": preset.description,
        "tags": list(preset.tags),
        "networks": list(preset.models),
        "unseen": list(preset.unseen),
        "path": str(preset.path),
        "own": preset.path.parent == library.own_folder(),
    }


@presets.command()
@click.argument("name", shell_complete=complete_preset)
@debug_option
def show(name: str) -> None:
    """Print a preset as TOML, with all that it extends."""
    preset = library.find(name)
    text = f"{toml_comment(str(preset.path))}\n{preset_text.whole(preset)}".removesuffix("\n")
    print_exactly(text, text.encode())


@presets.command()
@click.argument("name")
@click.option(
    "--from", "origin", metavar="NAME|FILE", shell_complete=complete_preset,
    help="What to begin with: a preset, or a picture that dreamer made.  [default: the default dream]",
)  # fmt: skip
@trust_option
@debug_option
def new(name: str, origin: str | None, trust: bool) -> None:
    """Write a preset of your own to begin with, and print where it is.

    \b
    dreamer presets new my-fur --from fur-and-eyes
    dreamer presets new that-one --from holiday-dream.jpg
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{name!r} is no name for a preset; expected letters, digits, - and _, as in my-fur")
    from dreamer.images.files import put

    target = library.own_folder() / f"{name}.toml"
    if target.exists():
        raise ImageExistsError(
            f"there is a preset {name} already: {target}. Edit that file, use it with --preset {name}, "
            "or give another name"
        )
    text = _draft(name, origin, trust=trust)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageWriteError(f"{target.parent} cannot be made: {error.strerror}") from error
    put(target, text.encode(), overwrite=False)
    print_path(target)


def _draft(name: str, origin: str | None, *, trust: bool) -> str:
    if origin is None:
        usual = registry.spec(DreamSettings.model).default_layer
        return preset_text.of_dream(name, DreamSettings.of(objective=usual), "the default dream")
    if Path(origin).suffix not in ("", ".toml"):
        earlier = Earlier.read(Path(origin), trust=trust, has_options=False)
        return preset_text.of_dream(name, earlier.settings(), Path(origin).name)
    other = library.find(origin, trust=trust, has_options=False)
    return preset_text.extending(name, other, str(Path(origin).absolute()) if origin.endswith(".toml") else origin)


@presets.command()
@click.argument("name", metavar="NAME|FILE", shell_complete=complete_preset)
@trust_option
@debug_option
def validate(name: str, trust: bool) -> None:
    """Check a preset: its keys, its settings, and its layers in each network that is installed."""
    preset = library.find(name, trust=trust, has_options=False)
    preset.settings()  # What it may not name is said before anything is loaded.
    import_keras()
    from dreamer import targets

    # Looks have networks of their own, each as its preset says.
    kinds = [preset.settings()] if preset.looks else [preset.settings(model=model) for model in preset.models]
    for settings in (part for kind in kinds for part in kind.parts):
        model = settings.model
        spec = registry.spec(model)
        if not fetching.is_installed(spec):
            note(f"not checked with {model}, whose weights are not installed")
            continue
        network = registry.load(model, settings.preprocessing)
        try:
            if settings.objective is not None:
                guided = settings.objective if settings.guide is None else settings.objective.guided_by(settings.guide)
                targets.resolve(guided, network)
            settings.file_digests()
        except DreamerError as error:
            raise SettingsError(f"{preset.path} with {model}: {error}") from error
    print_line(f"{preset.path} is fine: {preset.title}")


def _readable() -> list[Preset]:
    """All presets but those of the user that are wrong, which are said."""
    found = []
    for name in library.names():
        try:
            found.append(library.find(name))
        except DreamerError as error:
            note(str(error))
    return found


def _origin(preset: Preset) -> str:
    return "" if preset.path.parent == library.folders.shipped_folder() else "  (your own)"


presets.add_command(preset_sheet.sheet)
