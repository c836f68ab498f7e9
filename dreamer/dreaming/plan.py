"""Plans of dreams: settings as a person gives them, made complete once, with the network at hand.

The one idea: whatever runs, is recorded, hashed or sent elsewhere takes the plan, so nothing is left open, and nothing
is asked twice.

Must not import: pictures, the command line.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Self

from dreamer import targets
from dreamer.backends import precision
from dreamer.dreaming.looks import OF_A_LOOK
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.models import registry
from dreamer.models.network import Network
from dreamer.objectives import Objective, layer
from dreamer.priors import loading
from dreamer.priors.pulls import Pull
from dreamer.recipes import made_with, recipe_of
from dreamer.settings import digests_of


@dataclasses.dataclass(frozen=True, eq=False)
class DreamPlan:
    """All that a dream depends on besides its photo.

    Attributes:
        network: What is dreamt with.
        settings: Every one of them decided: the objective, the type of number.
        objective: As it is climbed: a guide taken in, every layer, class and vector known.
        files: The SHA-256 of each file that the settings name, as it was read.
        prior: What pulls the picture to likelier ones; None for nothing.
        looks: The plan of each look, where the dream has several; then network and objective are those of the first,
            and each has a prior of its own.

    Example:
        >>> plan = DreamPlan.of(DreamSettings(seed=7))  # doctest: +SKIP
        >>> plan.settings.objective.name, plan.settings.precision  # doctest: +SKIP
        ('block5c', 'float32')
    """

    network: Network
    settings: DreamSettings
    objective: Objective
    files: Mapping[str, str]
    prior: Pull | None = None
    looks: tuple[DreamPlan, ...] = ()

    @classmethod
    def of(cls, settings: DreamSettings, network: Network | str | None = None) -> Self:
        """Decide what settings leave to the network and the machine. Loads the network.

        Args:
            settings: As a person gives them.
            network: What to dream with, in place of the one that the settings name; one that is loaded knows how
                pictures are prepared for it.

        Raises:
            ModelError: There is no such network or prior, no such layer, channel or class, or weights cannot be had.
            SettingsError: A file that the settings name cannot be read.
        """
        if settings.looks:
            return cls._of_looks(settings, network)
        loaded, settings = registry.load_for(settings, network)
        files = settings.file_digests()
        objective = settings.objective or layer(loaded.default_layer)
        climbed = objective if settings.guide is None else objective.guided_by(settings.guide)
        resolved = targets.resolve(climbed, loaded)
        chosen = precision.choose(settings.precision, loaded.spec.low_precisions, settings.model)
        prior = _prior(settings.prior)
        complete = dataclasses.replace(
            settings,
            objective=objective,
            precision=chosen.name,
            prior_weight=loading.weight_of(prior, settings.prior_weight),
        )
        return cls(loaded, complete, resolved, files, prior)

    @classmethod
    def _of_looks(cls, settings: DreamSettings, network: Network | str | None) -> Self:
        """The plan of a dream with looks, which share the type of number: the one that each takes, or float32."""
        plans = [cls.of(part, network) for part in settings.parts]
        specs = [plan.network.spec for plan in plans]
        chosen = precision.shared(settings.precision, {spec.name: spec.low_precisions for spec in specs})
        looks = [
            dataclasses.replace(look, settings=dataclasses.replace(look.settings, **_own(plan.settings)))
            for look, plan in zip(settings.looks, plans, strict=True)
        ]
        complete = dataclasses.replace(settings, precision=chosen, looks=tuple(looks))
        parts = [dataclasses.replace(plan, settings=part) for plan, part in zip(plans, complete.parts, strict=True)]
        files = {file: digest for plan in plans for file, digest in plan.files.items()}
        outer = {} if settings.mask is None else digests_of([settings.mask])
        return cls(parts[0].network, complete, parts[0].objective, outer | files, None, tuple(parts))

    @property
    def is_grey(self) -> bool:
        """Whether whatever is dreamt with sees brightness only."""
        return all(plan.network.is_grey for plan in self.looks or (self,))

    @property
    def has_prior(self) -> bool:
        """Whether anything pulls the picture."""
        return any(plan.prior is not None for plan in self.looks or (self,))

    def with_settings(self, **changes: Any) -> Self:
        """The same with other steps, another seed, or whatever else leaves network, objective and files alone.

        Args:
            **changes: Fields of the settings; those that each look has for itself are changed in all looks.
        """
        settings = DreamSettings.merged(self.settings, changes)
        # A plan without looks has settings of one part, and no plan for it.
        looks = [dataclasses.replace(plan, settings=part) for plan, part in zip(self.looks, settings.parts)]  # noqa: B905
        return dataclasses.replace(self, settings=settings, looks=tuple(looks))

    def to_dict(self) -> dict[str, object]:
        """The settings, all of them decided, as JSON can hold them."""
        return self.settings.to_dict()

    def recipe(self) -> dict[str, object]:
        """What the recipe of each of its pictures says, as JSON can hold it."""
        recipe = recipe_of(self.network, self.to_dict(), self.files, self.prior)
        looks = [made_with(plan.network, plan.prior) for plan in self.looks]
        return recipe | ({"looks": looks} if looks else {})

    def digest(self) -> str:
        """A digest of all of it: with equal ones and equal versions, dreams of a photo are equal."""
        weights = [
            digest
            for plan in self.looks or (self,)
            for digest in (plan.network.weights_sha256, None if plan.prior is None else plan.prior.sha256)
        ]
        known = {"settings": self.to_dict(), "files": dict(self.files), "weights": weights}
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _own(settings: DreamSettings) -> dict[str, Any]:
    """What a look has for itself."""
    return {name: getattr(settings, name) for name in OF_A_LOOK}


def _prior(name: str | None) -> Pull | None:
    """What pulls a dream.

    Raises:
        SettingsError: It is a prior that only pictures from noise can be made from.
    """
    prior = loading.of(name)
    if prior is not None and not isinstance(prior, Pull):
        raise SettingsError(
            f"the prior {name} makes pictures from a code, and a dream is made from its photo; it is for visualize. "
            "Name a prior from pictures to pictures, as denoiser"
        )
    return prior
