"""Folders of presets: those that ship, the user's own, and those of plug-ins.

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dreamer import plugins
from dreamer.errors import UnknownPresetError, close_matches
from dreamer.wording import shown


def names() -> list[str]:
    """The names of all presets, those of the user and of plug-ins included."""
    return sorted({path.stem for folder in all_folders() for path in folder.glob("*.toml")})


def all_folders() -> list[Path]:
    """Where presets are looked for by name: the user's own first, then those that ship, then those of plug-ins."""
    added = plugins.load_all("dreamer.presets", _check_folder)
    return [own_folder(), shipped_folder(), *(Path(added[name]) for name in sorted(added))]


def _check_folder(value: Any) -> None:
    if not isinstance(value, str | Path):
        raise TypeError(f"it is {shown(value)}; the path of a folder with presets is expected")
    if not Path(value).is_dir():
        raise NotADirectoryError(f"there is no folder {value}")


def shipped_folder() -> Path:
    """Where the presets lie that come with the program."""
    installed = Path(__file__).parents[1] / "shipped" / "presets"
    # A checkout keeps them at its top.
    return installed if installed.is_dir() else Path(__file__).parents[2] / "presets"


def own_folder() -> Path:
    """Where the user's presets lie: in ``DREAMER_CONFIG``, or where the platform keeps settings."""
    chosen = os.environ.get("DREAMER_CONFIG")
    if chosen:
        return Path(chosen).expanduser().absolute() / "presets"
    import platformdirs

    return platformdirs.user_config_path("dreamer") / "presets"


def file_of(name: str, *, extended_by: Path | None = None) -> Path:
    """The file of a preset.

    Args:
        name: Its name, or its path, which ends in ``.toml``.
        extended_by: The file of the preset that extends it, which a path is relative to.

    Raises:
        UnknownPresetError: There is none of that name.
    """
    if name.endswith(".toml"):
        path = expanded(name)
        return extended_by.parent / path if extended_by else path
    for folder in all_folders():
        path = folder / f"{name}.toml"
        # A preset of the user's that extends its own name extends the one that it stands before.
        if Path(name).name == name and os.path.isfile(path) and path != extended_by:  # noqa: PTH113  It takes any name.
            return path
    raise UnknownPresetError(
        f"there is no preset {shown(name)}.{close_matches(name, names())} See all: dreamer presets list; "
        "one of your own can be given by its path, which ends in .toml"
    )


def expanded(name: str) -> Path:
    """A path with the folder of the user in the place of ``~``."""
    # Unlike pathlib's, it leaves a user alone whom nobody knows.
    return Path(os.path.expanduser(name))  # noqa: PTH111


def is_known(folder: Path) -> bool:
    """Whether presets in a folder may name any file: those that are looked for by name."""
    return os.path.realpath(folder) in map(os.path.realpath, all_folders())
