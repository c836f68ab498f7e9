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
from dreamer.arrays import FloatArray, as_float, as_stored, fitted
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
_420, _444 = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
_WRITTEN = 95, _444  # As `images` writes a JPEG.


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
        self.network, self.settings = registry.load_for(settings, network)
        self._classifier = Classifier(self.network)
        self._target = None if settings.to is None else self._classifier.network.class_of(settings.to)
        self._judge = None if judge is None else Classifier(registry.load(judge))
        if self._judge is not None:
            _check_judge(self._judge, self._classifier)

    @property
    def judge(self) -> Network | None:
        """The network that looks at the results; None where there is none."""
        return None if self._judge is None else self._judge.network

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
            photo: It is taken in 8 bits, and made smaller first where the settings say how long a side may be.
            source: What recipes say of it.
            bound: In place of ``eps`` of the settings.
            on_step: Told how often the gradient was asked for.

        Returns:
            What it came to, whether or not the network is fooled.
        """
        settings = self.settings if bound is None else replace(self.settings, eps=bound)
        photo = images.resized(photo, fitted(photo.pixels.shape[:2], settings.max_size or max(photo.pixels.shape)))
        original = _in_levels(photo)
        own = int(self._classifier.logits(original).argmax())
        sight = self._sight(original, own, on_step)
        found = _attacked(sight, original.astype(np.float32), settings)
        picture = found.levels.astype(np.uint8)
        said, judged = self._said(original, picture, own)
        method, norm = settings.way
        said_so = replace(settings, method=method, norm=norm).to_dict()
        recipe = recipe_of(self.network, said_so, {}) | {"command": "fool", "source": dict(source or {})}
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
        """The same result as the file has it that was written: its levels, and what the networks say of those.

        Args:
            path: Where it was saved.
            found: What was saved.
        """
        written = _in_levels(images.read(path, compact=True))
        is_jpeg = images.SUFFIXES[path.suffix.lower()] == "JPEG"  # Which is what it was to outlast.
        said, judged = self._said(found.original, written, found.before[0].index, outlasting=not is_jpeg)
        return replace(found, photo=replace(found.photo, pixels=written), said=said, judged=judged)

    def _sight(self, original: NDArray[Any], own: int, on_step: Callable[[int], None] | None = None) -> Sight:
        quality = self.settings.survive_jpeg
        through = () if quality is None else tuple(_jpeg(*how) for how in ((quality, _420), (quality, _444), _WRITTEN))
        return Sight(self._classifier, original.shape[:2], self._goal(own), through, on_step)

    def _goal(self, own: int) -> Goal:
        """What the network is to say of a photo that it takes for the class *own*."""
        classes = np.arange(self._classifier.classes)
        return Goal(classes != own if self._target is None else classes == self._target, self.settings.confidence)

    def _said(
        self, original: NDArray[Any], picture: NDArray[Any], own: int, *, outlasting: bool = True
    ) -> tuple[Said, Said | None]:
        """What the network says before and after, and the judge.

        Args:
            original: The photo before.
            picture: And after.
            own: What the network took it for.
            outlasting: Whether the picture is to outlast a JPEG, where the settings say so.
        """
        said = self._told(self._classifier, original, picture, own, self._goal(own))
        if outlasting:
            said = replace(said, fooled=self._sight(original, own).fools(picture.astype(np.float32)))
        if self._judge is None:
            return said, None
        # The judge is fooled however sure it is, and may have taken the photo for something else from the first; if
        # for what is wanted, it is not fooled.
        theirs = int(self._judge.logits(original).argmax())
        judged = self._told(self._judge, original, picture, own, replace(self._goal(theirs), confidence=None))
        return said, replace(judged, fooled=judged.fooled and theirs != self._target)

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
        if found is not None:
            return found

    def within(bound: float) -> Found:
        if method == "fgsm":
            return attacks.fgsm(sight, start, norm, bound)
        rng = np.random.default_rng(settings.seed)
        steps, is_search = settings.steps or attacks.PGD_STEPS, settings.eps is None
        return attacks.pgd(sight, start, norm, bound, steps=steps, rng=rng, until_fooled=is_search)

    if settings.eps is not None:
        return within(settings.eps)
    # So it is where cw came to nothing, too: of what a JPEG makes of a change its gradient knows little.
    return attacks.least(within, norm) or Found(start, score)


def _in_levels(photo: Photo) -> NDArray[Any]:
    """The pixels of a photo as uint8."""
    return as_stored(as_float(photo.pixels), np.uint8)


def _check_judge(judge: Classifier, attacked: Classifier) -> None:
    """Refuse a judge with other classes."""
    names, of = judge.network.spec.name, attacked.network.spec.name
    if judge.classes != attacked.classes:
        raise SettingsError(
            f"{names} has {judge.classes} classes and {of} {attacked.classes}; expected a judge with the same classes"
        )
    labels = [[label.name for label in one.network.labels] for one in (judge, attacked)]
    if all(labels) and labels[0] != labels[1]:
        raise SettingsError(f"the classes of {names} are not those of {of}; expected a judge with the same classes")


def _jpeg(quality: int, sampling: int) -> Through:
    """What a JPEG of a quality and a sampling of colours makes of levels."""

    def through(levels: FloatArray) -> FloatArray:
        bgr = np.clip(np.rint(levels), 0, 255).astype(np.uint8)[..., ::-1]
        how = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
        _, data = cv2.imencode(".jpg", bgr, how)
        decoded: NDArray[Any] = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
        return np.asarray(decoded[..., ::-1], np.float32)

    return through
