"""How many of many photos an attack fools, by how far it may go.

The one idea: each photo is attacked with each bound, and a bound's rate is how many of those are fooled that were not
taken for the wanted class from the first.

Must not import the command line.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dreamer.fooling.fooled import Fooled
from dreamer.fooling.plot import curves
from dreamer.fooling.run import Attack
from dreamer.images import Photo
from dreamer.recipes import head


@dataclass(frozen=True)
class Attempt:
    """An attack on a photo with a bound.

    Attributes:
        bound: How far it might go; None for the least that does it.
        fooled: Whether the network is fooled.
        l2, linf: How far it went.
        judge_fooled: Whether the judge is fooled too; None where there is none.
        steps: How often the gradient was asked for.
    """

    bound: float | None
    fooled: bool
    l2: float
    linf: int
    judge_fooled: bool | None
    steps: int


@dataclass(frozen=True)
class Attacked:
    """A photo with all its attempts.

    Attributes:
        photo: Its name.
        seen_as: The class that the network took it for.
        already: Whether that is the class that is wanted, so that nothing was to be done.
        attempts: One for each bound.
    """

    photo: str
    seen_as: str
    already: bool
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True)
class Rate:
    """What became of all photos with a bound.

    Attributes:
        bound: How far the attack might go; None for the least that does it.
        fooled: How many photos fool the network.
        of: How many there were.
        judge_fooled: How many of those fooled fool the judge too; None where there is none.
        l2: The median of how far the attack went where it fooled; None where it never did.
        linf: The same of the largest difference.
    """

    bound: float | None
    fooled: int
    of: int
    judge_fooled: int | None
    l2: float | None
    linf: float | None


@dataclass
class Rates:
    """Success rates, photo by photo.

    Example:
        >>> rates = Rates(attack, (1, 2, 4))  # doctest: +SKIP
        >>> for name in ("a.jpg", "b.jpg"):  # doctest: +SKIP
        ...     rates.add(name, photos[name])
        >>> [(one.bound, one.fooled) for one in rates.by_bound()]  # doctest: +SKIP
        [(1, 1), (2, 2), (4, 2)]

    Attributes:
        attack: What is done to each photo.
        bounds: How far it may go; a single None for the least that does it.
        photos: What became of those that were attacked.
    """

    attack: Attack
    bounds: Sequence[float | None]
    photos: list[Attacked] = field(default_factory=list)

    def add(self, name: str, photo: Photo, on_step: Callable[[int], None] | None = None) -> Attacked:
        """Attack a photo with each bound."""
        found = [(bound, self.attack.on(photo, bound=bound, on_step=on_step)) for bound in self.bounds]
        first = found[0][1]
        own = first.before[0]
        attacked = Attacked(
            name,
            own.name.split(", ")[0] or str(own.index),
            first.is_untouched and first.success,
            tuple(_attempt(bound, one) for bound, one in found),
        )
        self.photos.append(attacked)
        return attacked

    def by_bound(self) -> list[Rate]:
        """What became of the photos with each bound."""
        return [
            _rate(bound, [one.attempts[place] for one in self.photos if not one.already])
            for place, bound in enumerate(self.bounds)
        ]

    def plot(self, reach: str) -> str:
        """The rates as an SVG, with those of the judge; of the least bounds, how many are fooled by up to each.

        Args:
            reach: What the horizontal axis says.
        """
        name = self.attack.network.spec.name
        if self.bounds[0] is None:
            tried = [one.attempts[0] for one in self.photos if not one.already]
            norm = self.attack.settings.way[1]
            sizes = sorted(float(getattr(one, norm)) for one in tried if one.fooled)
            marks = sorted({sizes[round(share * (len(sizes) - 1) / 8)] for share in range(9)}) if sizes else [0.0]
            return curves(
                {name: [(mark, sum(size <= mark for size in sizes) / max(1, len(tried))) for mark in marks]},
                reach=reach,
            )
        found = self.by_bound()
        lines = {name: [(float(one.bound or 0), one.fooled / max(1, one.of)) for one in found]}
        if any(one.judge_fooled is not None for one in found):
            lines["fools the judge too"] = [
                (float(one.bound or 0), (one.judge_fooled or 0) / max(1, one.of)) for one in found
            ]
        return curves(lines, reach=reach)

    def to_dict(self) -> dict[str, object]:
        """The report, as JSON can hold it."""
        attack = self.attack
        method, norm = attack.settings.way
        told = attack.settings.to_dict() | {"method": method, "norm": norm}
        del told["eps"]
        judge = attack.judge
        return {
            **head(),
            "command": "fool",
            "settings": told,
            "bounds": list(self.bounds),
            "weights_sha256": attack.network.weights_sha256,
            "judge": None if judge is None else {"model": judge.spec.name, "weights_sha256": judge.weights_sha256},
            "rates": [vars(one) for one in self.by_bound()],
            "photos": [vars(one) | {"attempts": [vars(each) for each in one.attempts]} for one in self.photos],
        }


def _attempt(bound: float | None, found: Fooled) -> Attempt:
    judge_fooled = None if found.judged is None else found.judged.fooled
    return Attempt(bound, found.success, found.l2, found.linf, judge_fooled, found.steps)


def _rate(bound: float | None, attempts: Sequence[Attempt]) -> Rate:
    fooled = [one for one in attempts if one.fooled]
    judged = any(one.judge_fooled is not None for one in attempts)
    return Rate(
        bound,
        len(fooled),
        len(attempts),
        sum(bool(one.judge_fooled) for one in fooled) if judged else None,
        statistics.median(one.l2 for one in fooled) if fooled else None,
        statistics.median(one.linf for one in fooled) if fooled else None,
    )
