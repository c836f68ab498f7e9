"""Dreams of photos: a photo with all that travels along becomes a dream with its recipe.

The one idea: a :class:`PhotoDream` can be asked for its result after any step, so whoever stops it early keeps what
there is. It writes nothing.

Must not import the command line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dreamer import images
from dreamer.arrays import Size
from dreamer.dreaming.framing import box_of
from dreamer.dreaming.masks import PhotoMasks
from dreamer.dreaming.mixing import finish_of
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings
from dreamer.dreaming.steps import DreamStep, octave_sizes, planned_steps
from dreamer.dreaming.zoom import ZoomStep, planned_frames
from dreamer.images import Photo
from dreamer.progress import followed
from dreamer.results import Interrupted, Result

if TYPE_CHECKING:
    from dreamer.models.network import Network


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


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Dream(Result):
    """A photo's dream.

    Attributes:
        reached: How far it came.

    Example:
        >>> import dreamer
        >>> found = dreamer.dream("photo.jpg", seed=7)  # doctest: +SKIP
        >>> found.save("dream.png")  # doctest: +SKIP
    """

    reached: Reached | None = None

    def _title(self) -> str:
        return "partial, " if self.reached and self.reached.is_partial else ""


class PhotoDream:
    """The dream of a photo, from its first step to its last.

    Args:
        photo: As ``images.read`` gives it; ``compact`` saves memory.
        settings: What to do, or the plan of it, which serves any number of photos.
        network: What to dream with, in place of the one that settings name.
        source: What `images.recipes.source_of` says of the photo's file.
        preset: Which preset the settings come from, for the recipe; see :attr:`dreamer.presets.Preset.origin`.
        preview: Whether to take only the first octaves.

    Attributes:
        size: ``(height, width)`` of the dream.
        octave_sizes: The same of each octave, smallest first.

    Raises:
        SettingsError: The mask leaves nothing to see, cannot be read, or nothing of its kind is found in the photo.

    Example:
        >>> photo = images.read(Path("photo.jpg"), compact=True)  # doctest: +SKIP
        >>> dream = PhotoDream(photo, DreamSettings(seed=7), source={"name": "photo.jpg"})  # doctest: +SKIP
        >>> for step in dream.steps(note=print):  # doctest: +SKIP
        ...     print(step.progress)
        >>> dream.result().save("dream.png")  # doctest: +SKIP
    """

    def __init__(
        self,
        photo: Photo,
        settings: DreamSettings | DreamPlan,
        *,
        network: Network | str | None = None,
        source: Mapping[str, object] = MappingProxyType({}),
        preset: Mapping[str, str] = MappingProxyType({}),
        preview: bool = False,
    ) -> None:
        self._settings = settings.settings if isinstance(settings, DreamPlan) else settings
        size = photo.pixels.shape[0], photo.pixels.shape[1]
        box = box_of(size, self._settings.aspect, self._settings.focus)
        self._focus = box.seen(self._settings.focus, size)
        photo = images.cropped(photo, box.rows, box.columns)
        self.octave_sizes = octave_sizes(photo.pixels, self._settings, preview=preview)
        self.size: Size = self.octave_sizes[-1]
        # A preview begins with the photo as it is, so that its octaves are those of the whole dream.
        self._photo = photo if preview else images.resized(photo, self.size)
        self._masks = PhotoMasks(self._photo.pixels, size, box)
        finish_of(self._settings, masks=self._masks).check_mask(self.size)
        self._plan = settings if isinstance(settings, DreamPlan) else None
        self._network = network
        self._source = source
        self._preset = preset
        self._preview = preview
        self._last: DreamStep | None = None

    def run(
        self,
        *,
        note: Callable[[str], None],
        on_step: Callable[[DreamStep], None] | None = None,
        progress: bool | None = None,
    ) -> Dream:
        """Dream to the end.

        Args:
            note: Told in a line what is done otherwise than it was told.
            on_step: Called after every step.
            progress: Whether to show a bar; None for only in a notebook.

        Raises:
            SettingsError, ModelError: As for :func:`dreamer.dream`.
            Interrupted: Ctrl-C after the first step; it holds what there is.
        """
        try:
            for step in followed(self.steps(note=note), progress, "dream"):
                if on_step is not None:
                    on_step(step)
        except KeyboardInterrupt as interrupt:
            if self._last is None:
                raise
            raise Interrupted(self.result()) from interrupt
        return self.result()

    @cached_property
    def plan(self) -> DreamPlan:
        """What is done. Loads the network.

        Raises:
            SettingsError, ModelError: As for :meth:`DreamPlan.of`.
        """
        return self._plan or DreamPlan.of(self._settings, self._network)

    def steps(self, *, note: Callable[[str], None], stay_on_device: bool | None = None) -> Iterator[DreamStep]:
        """Dream.

        Args:
            note: Told in a line what is done otherwise than it was told.
            stay_on_device: As for :func:`steps.planned_steps`.

        Raises:
            SettingsError, ModelError: As for :func:`dreamer.dream`.
        """
        for step in planned_steps(
            self._climbed,
            self._photo.pixels,
            note=note,
            stay_on_device=stay_on_device,
            preview=self._preview,
            masks=self._masks,
        ):
            self._last = step
            yield step

    def zoom(self, *, note: Callable[[str], None]) -> Iterator[ZoomStep]:
        """Zoom into the dream, as :func:`dreamer.zoom_steps` says."""
        yield from planned_frames(
            self._climbed, self._photo.pixels, note=note, preview=self._preview, focus=self._focus, masks=self._masks
        )

    @property
    def _climbed(self) -> DreamPlan:
        """The plan for the photo as it is here, which has grown already."""
        return self.plan if self._preview else self.plan.with_settings(upscale=1.0)

    @property
    def has_alpha(self) -> bool:
        """Whether parts of the photo are transparent."""
        return self._photo.alpha is not None

    @property
    def reached(self) -> Reached | None:
        """How far it came; None before the first step."""
        last = self._last
        return None if last is None else Reached(last.octave, last.num_octaves, last.pictured, last.num_steps)

    def result(self, *, compact: bool = False) -> Dream:
        """The picture as it is after the last step, with its recipe and all that travels along with the photo.

        Args:
            compact: Whether its pixels are rounded to as many bits as the photo has, which saves memory.

        Raises:
            ValueError: There was no step yet.
        """
        if self._last is None or self.reached is None:
            raise ValueError("nothing was dreamt yet; take a step first")
        levels = "uint16" if self._photo.bits == 16 else "uint8"
        pixels = self._last.render(levels if compact else np.float32)
        photo = dataclasses.replace(images.resized(self._photo, self.size), pixels=pixels)
        return Dream(photo, self.recipe(), self._last.score, self.reached)

    def recipe(self) -> dict[str, object]:
        """How the picture was made, as JSON can hold it."""
        recipe = self.plan.recipe() | {**self._preset, "source": dict(self._source)}
        if self._preview:
            recipe["preview"] = True
        if self.reached is not None and self.reached.is_partial:
            recipe["partial"] = {"octave": self.reached.octave, "step": self.reached.step}
        return recipe
