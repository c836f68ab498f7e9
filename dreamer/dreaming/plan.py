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
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError
from dreamer.models import registry
from dreamer.models.network import Network
from dreamer.objectives import Objective, layer
from dreamer.priors import loading
from dreamer.priors.pulls import Pull
from dreamer.recipes import recipe_of


@dataclasses.dataclass(frozen=True, eq=False)
class DreamPlan:
    """All that a dream depends on besides its photo.

    Attributes:
        network: What is dreamt with.
        settings: Every one of them decided: the objective, the type of number.
        objective: As it is climbed: a guide taken in, every layer, class and vector known.
        files: The SHA-256 of each file that the settings name, as it was read.
        prior: What pulls the picture to likelier ones; None for nothing.

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

    def with_settings(self, **changes: Any) -> Self:
        """The same with other steps, another seed, or whatever else leaves network, objective and files alone."""
        return dataclasses.replace(self, settings=dataclasses.replace(self.settings, **changes))

    def to_dict(self) -> dict[str, object]:
        """The settings, all of them decided, as JSON can hold them."""
        return self.settings.to_dict()

    def recipe(self) -> dict[str, object]:
        """What the recipe of each of its pictures says, as JSON can hold it."""
        return recipe_of(self.network, self.to_dict(), self.files, self.prior)

    def digest(self) -> str:
        """A digest of all of it: with equal ones and equal versions, dreams of a photo are equal."""
        weights = [self.network.weights_sha256, None if self.prior is None else self.prior.sha256]
        known = {"settings": self.to_dict(), "files": dict(self.files), "weights": weights}
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


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
