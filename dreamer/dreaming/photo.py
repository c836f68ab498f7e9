"""A photo with all that travels along -> its dream, with its recipe: what ``dream`` and ``batch`` share.

The one idea: a :class:`PhotoDream` can be asked for its result after any step, so whoever stops it early keeps
what there is. It reads and writes no photos.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from dreamer import images
from dreamer.arrays import Size
from dreamer.dreaming.finish import Finish
from dreamer.dreaming.settings import DreamSettings
from dreamer.dreaming.steps import DreamStep, dream_steps, octave_sizes, resolved
from dreamer.dreaming.zoom import ZoomStep, zoom_steps
from dreamer.images import Photo
from dreamer.models import registry
from dreamer.recipes import recipe_of


class Reached(NamedTuple):
    """How far a dream came, its octaves and steps counted from 0."""

    octave: int
    num_octaves: int
    step: int
    num_steps: int

    @property
    def is_partial(self) -> bool:
        """Whether there was more to come."""
        return (self.octave + 1, self.step + 1) != (self.num_octaves, self.num_steps)


class PhotoDream:
    """The dream of a photo.

    Args:
        photo: As ``images.read`` gives it; ``compact`` saves memory.
        settings: What to do.
        source: What `images.recipes.source_of` says of the photo's file.
        preset: Which preset the settings come from, for the recipe; see :attr:`dreamer.presets.Preset.origin`.
        preview: Whether to take only the first octaves.

    Raises:
        SettingsError: The mask leaves nothing to see, or a file that the settings name cannot be read.

    Example:
        >>> photo = images.read(Path("photo.jpg"), compact=True)  # doctest: +SKIP
        >>> dream = PhotoDream(photo, DreamSettings(seed=7), source={"name": "photo.jpg"})  # doctest: +SKIP
        >>> for step in dream.steps(note=print):  # doctest: +SKIP
        ...     print(step.progress)
        >>> result, recipe = dream.result()  # doctest: +SKIP
    """

    def __init__(
        self,
        photo: Photo,
        settings: DreamSettings,
        *,
        source: Mapping[str, object],
        preset: Mapping[str, str] = MappingProxyType({}),
        preview: bool = False,
    ) -> None:
        self.size: Size = octave_sizes(photo.pixels, settings, preview=preview)[-1]
        Finish(settings).check_mask(self.size)
        # A preview begins with the photo as it is, so that its octaves are those of the whole dream.
        self._photo = photo if preview else images.resized(photo, self.size)
        self._settings = settings
        self._source = source
        self._preset = preset
        self._files = settings.file_digests()
        self._preview = preview
        self._last: DreamStep | None = None

    def steps(self, *, note: Callable[[str], None]) -> Iterator[DreamStep]:
        """Dream.

        Args:
            note: Told in a line what is done otherwise than it was told.

        Raises:
            SettingsError, ModelError: As for :func:`dreamer.dream`.
        """
        for step in dream_steps(self._photo.pixels, self._settings, note=note, preview=self._preview):
            self._last = step
            yield step

    def zoom(self, *, note: Callable[[str], None]) -> Iterator[ZoomStep]:
        """Zoom into the dream, as :func:`dreamer.zoom_steps` says."""
        yield from zoom_steps(self._photo.pixels, self._settings, note=note, preview=self._preview)

    @property
    def has_alpha(self) -> bool:
        """Whether parts of the photo are transparent."""
        return self._photo.alpha is not None

    @property
    def reached(self) -> Reached | None:
        """How far it came; None before the first step."""
        last = self._last
        return None if last is None else Reached(last.octave, last.num_octaves, last.pictured, last.num_steps)

    def result(self) -> tuple[Photo, dict[str, object]]:
        """The picture as it is after the last step, in as many bits as the photo has, and its recipe.

        Raises:
            ValueError: There was no step yet.
        """
        if self._last is None:
            raise ValueError("nothing was dreamt yet; take a step first")
        levels = self._last.render("uint16" if self._photo.bits == 16 else "uint8")
        return dataclasses.replace(images.resized(self._photo, self.size), pixels=levels), self.recipe()

    def recipe(self) -> dict[str, object]:
        """How the picture was made, as JSON can hold it."""
        network = registry.load(self._settings.model, self._settings.preprocessing)
        settings = resolved(self._settings)
        recipe = recipe_of(network, settings.to_dict(), self._files)
        recipe |= {**self._preset, "source": dict(self._source)}
        if self._preview:
            recipe["preview"] = True
        if self.reached is not None and self.reached.is_partial:
            recipe["partial"] = {"octave": self.reached.octave, "step": self.reached.step}
        return recipe
