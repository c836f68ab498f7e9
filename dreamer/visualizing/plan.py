"""Plans of visualizations: settings as a person gives them, made complete once, with the network at hand.

The one idea: whatever runs, is recorded, hashed or sent elsewhere takes the plan, so nothing is left open, and nothing
is asked twice.

Must not import: the command line.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from dreamer import images, plugins
from dreamer.arrays import FloatArray, Size, as_batch, as_float, resize
from dreamer.ascent import parametrizations
from dreamer.ascent.parametrizations import Kind, Parametrization
from dreamer.ascent.schedule import Schedule
from dreamer.backends import precision
from dreamer.errors import SettingsError
from dreamer.models import registry
from dreamer.models.network import Network
from dreamer.objectives import Objective
from dreamer.objectives.kinds import Logit
from dreamer.objectives.terms import Numbers
from dreamer.priors import loading
from dreamer.priors.codes import Code
from dreamer.priors.loading import Prior
from dreamer.recipes import recipe_of
from dreamer.transforms import SETS, Transforms
from dreamer.visualizing import spectrum
from dreamer.visualizing.looks import LOOKS, OF_CLASSES, OF_OTHERS
from dreamer.visualizing.settings import PARAMETRIZATIONS, VisualizeSettings


@dataclasses.dataclass(frozen=True, eq=False)
class Way:
    """How targets of a kind are drawn.

    Attributes:
        name: Of the look, or of the parametrization where that is named and no look is.
        settings: Every one of them decided.
        transforms: How each step sees the pictures.
        parametrization: What the pictures are made from.
        schedule: How a run proceeds.
    """

    name: str
    settings: VisualizeSettings
    transforms: Transforms
    parametrization: Parametrization
    schedule: Schedule

    @property
    def summary(self) -> str:
        """It in a line, for a person: what pictures are made from, how they are seen, what takes how many steps."""
        sets = {one: name for name, one in SETS.items()}
        seen = sets.get(self.transforms, "its own")
        chosen = self.settings
        look = f"look {chosen.look}: " if chosen.look else ""
        prior = "" if chosen.prior is None else f", prior {chosen.prior}"
        made = chosen.parametrization or "a code"
        return f"{look}{made}, transforms {seen}, {chosen.optimizer}, {chosen.steps} steps{prior}"


@dataclasses.dataclass(frozen=True, eq=False)
class VisualizePlan:
    """All that visualizations depend on besides their targets.

    Attributes:
        networks: Whose units are drawn: one, or several that see the pictures jointly.
        settings: All that does not depend on the kind of target is decided.
        of_classes: How classes are drawn.
        of_others: How everything else is.
        start: ``(height, width, 3)`` in [0, 1], where the pictures begin; None for noise.
        files: The SHA-256 of each file that the settings name, as it was read.
        prior: What keeps the pictures likely; None for nothing.

    Example:
        >>> plan = VisualizePlan.of(VisualizeSettings(parametrization="maco"))  # doctest: +SKIP
        >>> plan.of_classes.settings.optimizer, plan.of_classes.settings.learning_rate  # doctest: +SKIP
        ('nadam', 1.0)
    """

    networks: tuple[Network, ...]
    settings: VisualizeSettings
    of_classes: Way
    of_others: Way
    start: FloatArray | None
    files: Mapping[str, str]
    prior: Prior | None = None

    @classmethod
    def of(cls, settings: VisualizeSettings, network: Network | str | None = None, start: Any = None) -> Self:
        """Decide what settings leave to the network, the machine and the parametrization. Loads the network.

        Args:
            settings: As a person gives them.
            network: Whose units are drawn, in place of the one that the settings name.
            start: A picture to begin with, in place of the file that the settings name: an array ``(height, width,
                3)``, float in [0, 1] or uint8, or whatever NumPy makes one of.

        Raises:
            ModelError: There is no such network, or its weights cannot be had.
            SettingsError: A file that the settings name cannot be read.
            ImageReadError: The picture to begin with is none.
        """
        loaded = registry.load(settings.model if network is None else network, settings.preprocessing)
        if network is not None:
            settings = dataclasses.replace(settings, model=loaded.spec.name)
        networks = (loaded, *map(registry.load, settings.jointly_with))
        settings = dataclasses.replace(settings, precision=_precision(settings, networks))
        files = settings.file_digests()
        begins, prior = _begins(settings, start), loading.of(settings.prior)
        settings = dataclasses.replace(settings, prior_weight=loading.weight_of(prior, settings.prior_weight))
        if isinstance(prior, Code):
            of_classes = of_others = _way_of_code(settings, prior, begins is not None)
        else:
            of_classes, of_others = (_way(settings, look, begins is not None) for look in (OF_CLASSES, OF_OTHERS))
        if of_classes.settings == of_others.settings:
            settings = of_others.settings
        return cls(networks, settings, of_classes, of_others, begins, files, prior)

    @property
    def network(self) -> Network:
        """The network, or the first of several."""
        return self.networks[0]

    def way(self, *objectives: Objective) -> Way | None:
        """How some targets are drawn; None where it is not one way for all of them."""
        found = {is_of_classes(objective) for objective in objectives}
        if len(found) > 1 and self.of_classes.settings != self.of_others.settings:
            return None
        return self.of_classes if found == {True} else self.of_others

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON can hold them, with nothing left open but what goes with the kind of target."""
        return self.settings.to_dict()

    def recipe(self, files: Mapping[str, str], objectives: Sequence[Objective]) -> dict[str, object]:
        """What the recipe of a picture of some targets says, as JSON can hold it.

        Args:
            files: The SHA-256 of each file that the targets name.
            objectives: The targets.
        """
        way = self.way(*objectives)
        settings = self.settings if way is None else way.settings
        recipe = recipe_of(self.network, settings.to_dict(), {**files, **self.files}, self.prior)
        others = {one.spec.name: one.weights_sha256 for one in self.networks[1:]}
        return recipe | ({"jointly_with_sha256": others} if others else {})

    def digest(self) -> str:
        """A digest of all of it: with equal ones and equal versions, pictures of a target are equal."""
        known = {
            "settings": [way.settings.to_dict() for way in (self.of_classes, self.of_others)],
            "files": dict(self.files),
            "weights": [network.weights_sha256 for network in self.networks],
            "prior": None if self.prior is None else self.prior.sha256,
        }
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def is_of_classes(objective: Objective) -> bool:
    """Whether all terms of a target are classes, which look the same in a mirror and have a look of their own."""
    return all(isinstance(term, Logit) for _, term in objective.terms)


def _precision(settings: VisualizeSettings, networks: Sequence[Network]) -> str:
    """The type of number: one in which the pictures of all networks are as good."""
    low = [one for one in networks[0].spec.low_precisions if all(one in more.spec.low_precisions for more in networks)]
    return precision.choose(settings.precision, low, settings.model).name


def _way_of_code(settings: VisualizeSettings, code: Code, has_start: bool) -> Way:
    """How targets are drawn as a code's pictures.

    Raises:
        SettingsError: The settings say besides what pictures are made from, or a picture to begin with has no code.
    """
    for name in ("look", "parametrization"):
        if getattr(settings, name) is not None:
            raise SettingsError(
                f"{name} is {getattr(settings, name)!r}, and the prior {code.spec.name} makes pictures from a code of "
                "its own; leave out one of them"
            )
    if has_start and code.encoder is None:
        beside = Path(code.spec.name).with_suffix(".toml").name
        raise SettingsError(
            f"the prior {code.spec.name} has no encoder, which would find the code of the picture to start with; leave "
            f"out start, or name an encoder in {beside}"
        )
    kind = code.parametrization
    transforms = settings.transforms or SETS[kind.transforms]
    complete = dataclasses.replace(
        settings,
        transforms=transforms,
        optimizer=settings.optimizer or kind.optimizer,
        learning_rate=settings.learning_rate or kind.learning_rate,
    )
    made = _kept(code.sha256, settings.size, None, kind)
    return Way(code.spec.name, complete, transforms, made, kind.schedule)


def _way(settings: VisualizeSettings, usual: str, has_start: bool) -> Way:
    """How targets are drawn that have a usual look, where neither a look nor a parametrization is named."""
    named = settings.look or (usual if settings.parametrization is None else None)
    look = None if named is None else LOOKS[named]
    made_from = settings.parametrization or (look.parametrization if look else "")
    kind = _kind(made_from)
    goes_with = look or kind
    transforms = settings.transforms or SETS[goes_with.transforms]
    complete = dataclasses.replace(
        settings,
        look=named,
        parametrization=made_from,
        transforms=transforms,
        optimizer=settings.optimizer or goes_with.optimizer,
        learning_rate=settings.learning_rate or goes_with.learning_rate,
    )
    # Haze would hide what is begun with, small views would lose it, and decay would fade it to grey.
    schedule = Schedule() if has_start else goes_with.schedule
    return Way(named or made_from, complete, transforms, _made(complete, kind), schedule)


def _kind(name: str) -> Kind:
    """A kind of parametrization, of this package or of a plug-in."""
    if name in PARAMETRIZATIONS:
        return parametrizations.KINDS[name]
    found: Kind | None = plugins.load("dreamer.parametrizations", name, _check_kind)
    if found is None:
        raise SettingsError(f"the plug-in {name!r} for a parametrization cannot be used; the warning before says why")
    return found


def _check_kind(value: Any) -> None:
    if not isinstance(value, Kind):
        raise TypeError(f"it is {type(value).__name__}; a dreamer.ascent.parametrizations.Kind is expected")


def _made(settings: VisualizeSettings, kind: Kind) -> Parametrization:
    magnitudes = None if settings.spectrum is None else Numbers.of(spectrum.read(settings.spectrum))
    return _kept(str(settings.parametrization), settings.size, magnitudes, kind)


@lru_cache(maxsize=8)
def _kept(_name: str, size: Size, magnitudes: Numbers | None, kind: Kind) -> Parametrization:
    """Kept, so that plans that are alike share compiled programs."""
    return kind.make(size, None if magnitudes is None else magnitudes.array)


def _begins(settings: VisualizeSettings, start: Any) -> FloatArray | None:
    """The picture to begin with, as large as the pictures are to be."""
    if start is None and settings.start is None:
        return None
    if start is None and settings.start is not None:
        pixels = as_float(images.read(Path(settings.start), max_side=2 * max(settings.size)).pixels)
    else:
        pixels = as_batch(start)[0][0]
    begins: FloatArray = np.clip(resize(pixels, settings.size), 0, 1)
    return begins
