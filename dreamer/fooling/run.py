"""An attack on any number of photos: the networks loaded once, each photo looked at before and after.

Must not import the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer import images
from dreamer.arrays import FloatArray, as_float, as_stored
from dreamer.errors import SettingsError
from dreamer.fooling import attacks
from dreamer.fooling.attacks import Found
from dreamer.fooling.classifier import Classifier, Goal, Sight, Through
from dreamer.fooling.fooled import Fooled, Said
from dreamer.fooling.settings import FoolSettings
from dreamer.images import Photo
from dreamer.models import registry
from dreamer.models.network import Network
from dreamer.recipes import recipe_of

_SHOWN = 5  # Classes, the likeliest first.


class Attack:
    """What is to be done to photos.

    Args:
        settings: How.
        network: Which is attacked, in place of ``model`` of the settings.
        judge: Another network that looks at the results: its name, a path, or what :func:`dreamer.load` gave.

    Raises:
        SettingsError: The judge has other classes.
        ModelError: A network, its classifier or the class is not there.
    """

    def __init__(
        self, settings: FoolSettings, network: Network | str | None = None, judge: Network | str | None = None
    ) -> None:
        self.settings = settings
        self.network = registry.load(network or settings.model, settings.preprocessing if network is None else None)
        self._classifier = Classifier(self.network)
        self._target = None if settings.to is None else self._classifier.index(settings.to)
        self._judge = None if judge is None else Classifier(registry.load(judge))
        if self._judge is not None and self._judge.classes != self._classifier.classes:
            raise SettingsError(
                f"{self._judge.network.spec.name} has {self._judge.classes} classes and {self.network.spec.name} "
                f"{self._classifier.classes}; expected a judge with the same classes"
            )

    def on(
        self,
        photo: Photo,
        source: Mapping[str, object] | None = None,
        *,
        bound: float | None = None,
        on_step: Callable[[int], None] | None = None,
    ) -> Fooled:
        """Attack a photo.

        Args:
            photo: It is taken in 8 bits.
            source: What recipes say of it.
            bound: In place of ``eps`` of the settings.
            on_step: Told how often the gradient was asked for.

        Returns:
            What it came to, whether or not the network is fooled.
        """
        settings = self.settings if bound is None else replace(self.settings, eps=bound)
        original = as_stored(as_float(photo.pixels), np.uint8)
        before = self._classifier.logits(original)
        own = int(before.argmax())
        through = None if settings.survive_jpeg is None else _jpeg(settings.survive_jpeg)
        sight = Sight(self._classifier, original.shape[:2], self._goal(own), through, on_step)
        found = _attacked(sight, original.astype(np.float32), settings)
        picture = found.levels.astype(np.uint8)
        said, judged = self._said(original, picture, own)
        said = replace(said, fooled=sight.fools(found.levels))
        recipe = recipe_of(self.network, settings.to_dict(), {}) | {"command": "fool", "source": dict(source or {})}
        return Fooled(
            replace(photo, pixels=picture, bits=8, is_exact=True),
            recipe,
            found.score,
            original=original,
            said=said,
            judged=judged,
            steps=sight.steps,
            survives_jpeg=settings.survive_jpeg is not None,
        )

    def on_file(self, path: Path, found: Fooled) -> Fooled:
        """The same result with what the networks say of the file as it was written.

        Args:
            path: Where it was saved.
            found: What was saved.
        """
        written = as_stored(as_float(images.read(path, compact=True).pixels), np.uint8)
        said, judged = self._said(found.original, written, found.before[0].index)
        return replace(found, said=said, judged=judged)

    def _goal(self, own: int) -> Goal:
        """What the network is to say of a photo that it takes for the class *own*."""
        classes = np.arange(self._classifier.classes)
        return Goal(classes != own if self._target is None else classes == self._target, self.settings.confidence)

    def _said(self, original: NDArray[Any], picture: NDArray[Any], own: int) -> tuple[Said, Said | None]:
        """What the network says before and after, and the judge."""
        said = self._told(self._classifier, original, picture, own, self._goal(own))
        if self._judge is None:
            return said, None
        # The judge is fooled however sure it is, and may have taken the photo for something else from the first.
        theirs = int(self._judge.logits(original).argmax())
        return said, self._told(self._judge, original, picture, own, replace(self._goal(theirs), confidence=None))

    def _told(self, looking: Classifier, original: NDArray[Any], picture: NDArray[Any], own: int, goal: Goal) -> Said:
        logits = looking.logits(original), looking.logits(picture)
        of_interest = {own} if self._target is None else {own, self._target}
        before, after = (
            looking.predictions(
                one, sorted({*np.argsort(-one)[:_SHOWN].tolist(), *of_interest}, key=lambda at: -one[at])
            )
            for one in logits
        )
        return Said(
            looking.network.spec.name, looking.sees(original.shape[:2]), goal.is_reached(logits[1]), before, after
        )


def _attacked(sight: Sight, start: FloatArray, settings: FoolSettings) -> Found:
    """The attack that the settings name."""
    score, _ = sight.gradient(start)
    if score > 0:
        return Found(start, score)  # It is taken for that already.
    method, norm = settings.way
    if method == "cw":
        move = attacks.carlini_wagner(sight, start, steps=settings.steps or attacks.SEARCH_STEPS)
        found = None if move is None else attacks.in_levels(sight, start, move)
        return found or Found(start, score)

    def within(bound: float) -> Found:
        if method == "fgsm":
            return attacks.fgsm(sight, start, norm, bound)
        rng = np.random.default_rng(settings.seed)
        steps, is_search = settings.steps or attacks.PGD_STEPS, settings.eps is None
        return attacks.pgd(sight, start, norm, bound, steps=steps, rng=rng, until_fooled=is_search)

    return attacks.least(within, norm) if settings.eps is None else within(settings.eps)


def _jpeg(quality: int) -> Through:
    """What a JPEG of a quality makes of levels."""

    def through(levels: FloatArray) -> FloatArray:
        bgr = np.clip(np.rint(levels), 0, 255).astype(np.uint8)[..., ::-1]
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded: NDArray[Any] = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
        return np.asarray(decoded[..., ::-1], np.float32)

    return through
