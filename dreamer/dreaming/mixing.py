"""Several looks in one dream: how much of each is where, their climbs taken together, and the picture that is shown.

The one idea: a look has a share at each place, and the shares do both: steps are laid together by them, so that all
looks grow out of one picture and regions meet in what both have dreamt; and of that one picture each look's own finish
is laid by its share. Where no look has any, the photo stays, to the bit.

Must not import: files, the command line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dreamer.arrays import FloatArray, Size, StoredArray, as_float, strips
from dreamer.ascent.loop import Step
from dreamer.ascent.together import ascend_together
from dreamer.dreaming.ascent import Ascent
from dreamer.dreaming.finish import Finish
from dreamer.dreaming.masks import Masks
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings

Mask = NDArray[np.uint8]


class Shares:
    """How much of each look is where.

    Looks without a mask share by their weights what those with one leave. A look with a mask has its weight there, at
    most 1; where several have more than 1 between them, each gets its part of it.

    Args:
        weights: Of the looks.
        regions: Gives the mask of each look at a size, ``(height, width)``, 255 for its place; None for one without.

    Attributes:
        covers: Whether the looks share every place of the picture.

    Example:
        >>> shares = Shares((3, 1), (None, None)).at((5, 7))
        >>> [float(share.squeeze()) for share in shares(slice(0, 5))]
        [0.75, 0.25]
    """

    def __init__(self, weights: Sequence[float], regions: Sequence[Callable[[Size], Mask | None] | None]) -> None:
        self._weights = weights
        self._regions = regions
        self.covers = None in regions
        self._rest = sum(weight for weight, region in zip(weights, regions, strict=True) if region is None)

    @property
    def are_whole(self) -> bool:
        """Whether one look has all of the picture."""
        return self.covers and len(self._weights) == 1

    @property
    def of_scores(self) -> list[float]:
        """The weights, so that they sum to 1."""
        return [weight / sum(self._weights) for weight in self._weights]

    def at(self, size: Size) -> Callable[[slice], list[FloatArray]]:
        """The shares at a size.

        Args:
            size: ``(height, width)``.

        Returns:
            A function that gives those of some rows: an array for each look that broadcasts to ``(rows, width, 1)``,
            in [0, 1]; they sum to 1 at the most.
        """
        masks = [None if region is None else region(size) for region in self._regions]

        def of(rows: slice) -> list[FloatArray]:
            masked = [
                None if mask is None else np.float32(weight) * as_float(mask[rows])[..., None]
                for weight, mask in zip(self._weights, masks, strict=True)
            ]
            total: FloatArray = np.asarray(sum(one for one in masked if one is not None), np.float32)
            total = np.broadcast_to(total, (1, 1, 1)) if total.ndim == 0 else total
            most, rest = np.maximum(total, 1), np.maximum(1 - total, 0)
            return [
                np.asarray(rest * np.float32(weight / self._rest) if one is None else one / most, np.float32)
                for weight, one in zip(self._weights, masked, strict=True)
            ]

        return of


class MixedFinish(Finish):
    """What makes the shown picture of a dream with several looks: the finish of each, laid by its share.

    Args:
        settings: Of the dream; its strength and mask hold over all looks.
        photo: As for :class:`Finish`.
        masks: As for :class:`Finish`.
        held: As for :class:`Finish`; it holds over all looks.

    Attributes:
        shares: How much of each look is where.

    Raises:
        ImageReadError: A mask cannot be read.
    """

    def __init__(
        self,
        settings: DreamSettings,
        photo: StoredArray | None = None,
        *,
        masks: Masks | None = None,
        held: Mask | None = None,
    ) -> None:
        super().__init__(settings, photo, masks=masks, held=held)
        self._each = [Finish(dataclasses.replace(part, mask=None, mask_invert=False), photo) for part in settings.parts]
        self._regions = [None if part.mask is None else Finish(part, photo, masks=masks) for part in settings.parts]
        places = [None if region is None else region.mask_at for region in self._regions]
        self.shares = Shares([look.weight for look in settings.looks], places)

    def told(self, settings: DreamSettings) -> Finish:
        """The same as other settings say it, as :meth:`Finish.told`."""
        return MixedFinish(settings, self._photo, masks=self._masks, held=self._held)

    @property
    def is_masked(self) -> bool:
        """Whether the dream is held back in some places: by a mask, where no look is, or where a look is kept calm."""
        return super().is_masked or not self.shares.covers or any(one.is_masked for one in self._each)

    def check_mask(self, size: Size) -> None:
        """Make sure that masks leave something to see, each of them.

        Raises:
            SettingsError: One leaves nothing.
        """
        super().check_mask(size)
        for region in self._regions:
            if region is not None:
                region.check_mask(size)

    def __call__(self, dream: FloatArray, photo: StoredArray, dtype: DTypeLike = np.float32) -> StoredArray:
        """Finish a picture, as :meth:`Finish.__call__`."""
        return super().__call__(self._laid(dream, photo), photo, dtype)

    def confine(self, dream: FloatArray, photo: StoredArray) -> None:
        """Undo in place what was dreamt where it is held back, as :meth:`Finish.confine`."""
        if not self.shares.covers or any(one.is_masked for one in self._each):
            size = dream.shape[0], dream.shape[1]
            shares, kept = self.shares.at(size), [one.kept_at(size) for one in self._each]
            for rows in strips(len(dream)):
                opacity = sum(
                    share if held is None else share * as_float(held[rows])[..., None]
                    for share, held in zip(shares(rows), kept, strict=True)
                )
                below = as_float(photo[rows])
                dream[rows] = below + opacity * (dream[rows] - below)
        super().confine(dream, photo)

    def _laid(self, dream: FloatArray, photo: StoredArray) -> FloatArray:
        """The looks of a dream over its photo, ``(height, width, 3)``."""
        if self.shares.are_whole:
            return np.asarray(self._each[0](dream, photo), np.float32)
        shares = self.shares.at((dream.shape[0], dream.shape[1]))
        laid = np.array(as_float(photo))
        for index, finish in enumerate(self._each):
            layer = finish(dream, photo)
            for rows in strips(len(laid)):
                laid[rows] += shares(rows)[index] * (layer[rows] - as_float(photo[rows]))
        return laid


def finish_of(
    settings: DreamSettings,
    photo: StoredArray | None = None,
    *,
    masks: Masks | None = None,
    held: Mask | None = None,
) -> Finish:
    """What makes the shown picture of a dream.

    Args:
        settings: Of the dream.
        photo: As for :class:`Finish`.
        masks: As for :class:`Finish`.
        held: As for :class:`Finish`.

    Raises:
        ImageReadError: A mask cannot be read.
    """
    kind = MixedFinish if settings.looks else Finish
    return kind(settings, photo, masks=masks, held=held)


class MixedAscent:
    """The climb of a dream with several looks, on the host.

    Args:
        plan: Of the dream.
        shares: How much of each look is where.
        note: Told in a line what is done otherwise than asked.
        stay_on_device: As for :class:`Ascent`, where one look has all of the picture.
    """

    def __init__(
        self, plan: DreamPlan, shares: Shares, *, note: Callable[[str], None], stay_on_device: bool | None = None
    ) -> None:
        # Together they step from a picture that each of them changes, which a device would not hand out in time.
        stays = stay_on_device if shares.are_whole else False
        self._ascents = [Ascent(one, note=note, stay_on_device=stays) for one in plan.looks]
        self._steps = [one.settings.steps for one in plan.looks]
        self._shares = shares

    def check(self, size: Size) -> None:
        """Make sure that the neurons of all objectives exist in the tiles of a picture.

        Raises:
            UnknownLayerError: One lies outside its layer.
        """
        for ascent in self._ascents:
            ascent.check(size)

    def steps(self, picture: FloatArray, octave: int, photo: FloatArray | None = None) -> Iterator[Step]:
        """The steps of an octave, as :meth:`Ascent.steps`."""
        if self._shares.are_whole:
            return self._ascents[0].steps(picture, octave, photo)
        return ascend_together(
            picture,
            [partial(ascent.steps, octave=octave, photo=photo) for ascent in self._ascents],
            num_steps=self._steps,
            shares=self._shares.at((picture.shape[0], picture.shape[1])),
            weights=self._shares.of_scores,
        )
