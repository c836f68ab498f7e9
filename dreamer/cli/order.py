"""One order of ``dreamer dream``: the photo, what to do, and where the result goes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer.cli.completing import remember_layers
from dreamer.dreaming.settings import DreamSettings
from dreamer.earlier import Earlier
from dreamer.files import names as filenames

if TYPE_CHECKING:
    from dreamer.dreaming.photo import PhotoDream
    from dreamer.images import Photo


@dataclass
class Order:
    """What is to be done.

    Attributes:
        photo: The photo's file.
        found: What it holds; None once it is no longer needed, since of a large photo it takes gigabytes.
        source: What recipes say of it.
        settings: How to dream.
        preset: Which preset says so, as recipes have it; nothing for none.
        output: Where the result goes; None for a free name beside the photo.
        overwrite: Whether files may be replaced.
        preview: Whether only the first octaves are dreamt.
        octave_folder: Where each finished octave goes; None for nowhere.
        frame_rate: Frames per second of an animation.
        earlier: The dream that is done again, if it is one.
        quiet: Whether nothing is said but errors.
        tell: Says a remark.
    """

    photo: Path
    found: Photo | None
    source: dict[str, object]
    settings: DreamSettings
    preset: Mapping[str, str]
    output: Path | None
    overwrite: bool
    preview: bool
    octave_folder: Path | None
    frame_rate: float
    earlier: Earlier | None
    quiet: bool
    tell: Callable[[str], None]

    def dream(self) -> PhotoDream:
        """The dream of the photo, which is not kept here any longer."""
        from dreamer.dreaming.photo import PhotoDream

        return PhotoDream(
            self.take_photo(), self.settings, source=self.source, preset=self.preset, preview=self.preview
        )

    def take_photo(self) -> Photo:
        """The photo, which is not kept here any longer."""
        found, self.found = self.found, None
        if found is None:
            raise ValueError("the photo was taken already")
        return found

    def names(self, suffix: str | None = None) -> Iterator[Path]:
        """``<stem>-dream<suffix>`` beside the photo, and more of the kind; a suffix that can be written."""
        from dreamer.images import dream_suffix

        what = "preview" if self.preview else "dream"
        suffix = dream_suffix(self.photo.suffix) if suffix is None else suffix
        endings = (f"-{what}{'' if n == 1 else f'-{n}'}{suffix}" for n in count(1))
        return (self.photo.with_name(filenames.joined(self.photo.stem, ending)) for ending in endings)

    def finish(self) -> None:
        """Say what can be said once the network is known, and note its layers for the shell."""
        from dreamer.models import registry

        network = registry.load(self.settings.model, self.settings.preprocessing)
        if self.earlier is not None:
            self.earlier.compare_network(network, self.tell)
        remember_layers(network)


def read_photo(path: Path, **options: Any) -> tuple[Photo, dict[str, object]]:
    """Read a photo once: what it holds, and what recipes say of it.

    Args:
        path: Where it is.
        **options: Of ``images.decode``.

    Raises:
        ImageReadError: It cannot be read.
    """
    from dreamer import images
    from dreamer.images.opening import file_bytes
    from dreamer.images.recipes import source_of

    data = file_bytes(path)
    found = images.decode(data, str(path), compact=True, **options)
    return found, source_of(path.name, hashlib.sha256(data).hexdigest(), found)
