"""Trust: which files of this machine a file that somebody else may have written is allowed to name.

The one idea: a recipe inside a picture, a preset or an ``atlas.json`` can name any file, and what it names shows in
pictures that are published. So a :class:`Source` may name only what lies beside it, in its folder or below. The one
place that decides it, and that says what was refused.

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamer.errors import UntrustedError
from dreamer.files.regular import lies_within
from dreamer.mask_kinds import is_kind
from dreamer.models.keras_file import is_path
from dreamer.objectives import Objective
from dreamer.transforms import SETS

_FILES = ("mask", "guide", "spectrum", "start")
_LONGEST_SHOWN = 300

Named = tuple[str, str]
"""A setting, and a file that it names."""


@dataclass(frozen=True)
class Source:
    """A file that names others.

    Attributes:
        path: The file.
        is_trusted: Whether it may name any.
        has_options: Whether the command at hand has an option for each setting, to give a file anew.

    Example:
        >>> source = Source(Path("downloads/preset.toml"))
        >>> source.may_name("downloads/sky.png"), source.may_name("downloads/../sky.png")
        (True, False)
    """

    path: Path
    is_trusted: bool = False
    has_options: bool = True

    def may_name(self, file: str) -> bool:
        """Whether it may name a file: one that lies beside it, after links are resolved, or any if it is trusted."""
        return self.is_trusted or lies_within(self.path.parent, Path(file))

    def check(self, named: Iterable[Named]) -> None:
        """Make sure that it may name some files.

        Raises:
            UntrustedError: It may not; the message lists all that it may not.
        """
        self.refuse([(setting, file) for setting, file in named if not self.may_name(file)])

    def refuse(self, named: Iterable[Named]) -> None:
        """Refuse files, if there are any.

        Raises:
            UntrustedError: There are.
        """
        files = list(dict.fromkeys(named))
        if not files:
            return
        listed = ", ".join(f"{_shortened(file)} ({setting})" for setting, file in files)
        options = list(dict.fromkeys(f"--{setting}" for setting, _ in files))
        anew = f", or type {' and '.join(filter(None, (', '.join(options[:-1]), options[-1])))} anew"
        raise UntrustedError(
            f"{self.path} names files that do not lie beside it: {listed}. It may come from somebody else, so they "
            f"are not read. If you mean these files, give --trust{anew if self.has_options else ''}"
        )


def _shortened(file: str) -> str:
    return file if len(file) <= _LONGEST_SHOWN else f"{file[: _LONGEST_SHOWN - 3]}..."


def named_files(settings: Mapping[str, Any]) -> list[Named]:
    """The files that settings name, each with the setting that does.

    Args:
        settings: By name, of a dream or a visualization; an objective as a value.

    Example:
        >>> named_files({"model": "nets/mine.keras", "mask": "sky.png", "guide": None})
        [('mask', 'sky.png'), ('model', 'nets/mine.keras')]
    """
    objective = settings.get("objective")
    found = [(name, settings[name]) for name in _FILES if isinstance(settings.get(name), str)]
    found = [(name, file) for name, file in found if name != "mask" or not is_kind(file)]
    found += [("objective", file) for file in (objective.files if isinstance(objective, Objective) else ())]
    transforms = settings.get("transforms")
    models = [settings.get("model"), *(settings.get("jointly_with") or ())]
    networks = [*(("model", model) for model in models), ("prior", settings.get("prior"))]
    found += [(setting, one) for setting, one in networks if isinstance(one, str) and is_path(one)]
    if isinstance(transforms, str) and transforms not in SETS:
        found.append(("transforms", transforms))
    found += [named for look in settings.get("looks") or () for named in named_files(look.settings.values())]
    return found
