"""Loading a prior by its name, or from a file: a pull or a code, as the shapes of its network say.

Must not import: networks that are drawn, pictures.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from dreamer.errors import PriorError
from dreamer.files.digests import stamp_of
from dreamer.priors import codes, networks
from dreamer.priors.codes import Code
from dreamer.priors.pulls import STRIDE, Pull
from dreamer.priors.specs import PriorSpec, needed, spec

Prior = Pull | Code


def load(name: str) -> Prior:
    """Load a prior; the last are kept, and given again while their weights are the same.

    Args:
        name: A name of ``dreamer priors list``, or the path of a ``.keras`` file with a network from pictures
            ``(batch, height, width, 3)`` in [0, 1] to such pictures (with 4 channels, the last is how noisy they are),
            or from codes to pictures.

    Raises:
        PriorError: There is none of that name, or the network is of another kind.
        SettingsError: The TOML beside it is wrong.
        WeightsError: Its weights are damaged.

    Example:
        >>> load("denoiser").spec.name  # doctest: +SKIP
        'denoiser'
    """
    found = spec(name)
    stamps = [*map(networks.stamp, needed(found)), *map(stamp_of, codes.files(found))]
    return _loaded(found, " ".join(stamps))


def of(name: str | None) -> Prior | None:
    """The prior that settings name; None where they name none.

    Raises:
        PriorError, SettingsError, WeightsError: As for :func:`load`.
    """
    return None if name is None else load(name)


def weight_of(prior: Prior | None, wanted: float | None) -> float | None:
    """The share of a prior's way that is taken per step: what is wanted, or what is usual with it."""
    return prior.usual_weight if wanted is None and prior is not None else wanted


@lru_cache(maxsize=4)
def _loaded(found: PriorSpec, _stamp: str) -> Prior:
    network, sha256 = networks.load(found)
    return (Code if _is_of_codes(found.name, network) else Pull)(found, network, sha256)


def _is_of_codes(name: str, network: Any) -> bool:
    """Whether a network makes pictures of codes, and not of pictures.

    Raises:
        PriorError: It makes no pictures.
    """
    given, made = (tuple(one.shape) for one in (network.inputs[0], network.outputs[0]))
    is_code = len(given) == 2 or (len(given) == 4 and given[-1] not in (3, 4, None))
    if len(given) not in (2, 4) or len(made) != 4 or made[-1] != 3 or given[-1] is None:
        raise PriorError(
            f"the prior {name} makes {made} of {given}; expected a network to pictures (None, None, None, 3): from "
            "such pictures, with a fourth channel for how noisy they are if it likes, or from codes (None, numbers) or "
            "(None, height, width, channels)"
        )
    return is_code or _enlarges(network, given)


def _enlarges(network: Any, given: tuple[int | None, ...]) -> bool:
    """Whether what comes out has more pixels than what goes in, as of a decoder whose codes have few channels."""
    shape = (1, *(side or STRIDE for side in given[1:]))
    try:
        made = network.compute_output_shape(shape)
    # Layers raise what they like; a network that cannot say is tried as a pull, which says what is wrong with it.
    except Exception:  # noqa: BLE001
        return False
    return bool(made[1] and made[1] > shape[1])
