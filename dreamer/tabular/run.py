"""A search for rows: the network and the table loaded once, then any number of objectives.

Must not import: pictures, dreams.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dreamer.errors import SettingsError, close_matches
from dreamer.models import keras_file, registry
from dreamer.objectives import Objective, channel, logit
from dreamer.objectives.kinds import Logit
from dreamer.recipes import recipe_of
from dreamer.settings import digests_of
from dreamer.tabular import changing, tables
from dreamer.tabular import columns as kinds
from dreamer.tabular.climbing import climbed
from dreamer.tabular.columns import Column
from dreamer.tabular.network import RowNetwork
from dreamer.tabular.rows import Row, Rows, Which
from dreamer.tabular.searching import Scores, improved
from dreamer.tabular.settings import RowSettings
from dreamer.tabular.tables import Codes, Real

if TYPE_CHECKING:
    from dreamer.models.plain import PlainNetwork

_MOST_NEAR = 1000  # Real rows that a climb is kept near to.
_APART = 1.5  # Two answers differ by so many deviations in all, or by two categories.
_LEAST_DISTANCE = 0.02  # Of a table in which rows stand many times.
_PULLS = (0.0, 0.3, 1.0, 3.0)  # Of a climb for a change, in deviations of the score.
_OWN = 0.1  # How far the starts of a climb for a change lie from the row, in deviations.

Told = Callable[[str, float], None]
"""What is being done, and how much of all is done."""


class Search:
    """What is asked about rows of a network.

    Args:
        network: The path of a ``.keras`` file, a Keras network, or a loaded one.
        columns: A TOML file of columns, or the columns; None for the file beside the network, or what the table shows.
        data: A CSV file of real rows; None for none.
        settings: How.

    Attributes:
        notes: What a person should know, a line each.
        rows: The network with its columns.
        real: The real rows; none where there is no table.

    Raises:
        SettingsError: The columns are not known, or not those of the network or the table.
        ModelError: The network takes no rows.
    """

    def __init__(
        self,
        network: PlainNetwork | Any,
        columns: str | Path | Sequence[Column] | None,
        data: str | Path | None,
        settings: RowSettings,
    ) -> None:
        self.settings = settings
        self.notes: list[str] = []
        named = Path(columns) if isinstance(columns, str | Path) else None
        labels = keras_file.described(named).get("labels") if named else None
        loaded = registry.load_plain(network, takes="row", labels=labels)
        table = tables.read(Path(data)) if data is not None else None
        if named is None and columns is None:
            named = _beside(network)
        given = () if columns is None or isinstance(columns, str | Path) else tuple(columns)
        described = kinds.read(named) if named else given
        self._files = [str(file) for file in (named, data) if file is not None]
        known = self._known(described, table, loaded)
        self.rows = self._network_of(loaded, known, None if described else table)
        names = [one.name for one in self.rows.columns]
        for name in settings.vary or ():
            if name not in names:
                raise SettingsError(f"there is no column {name!r} to vary.{close_matches(name, names)} "
                                    f"There are {', '.join(names)}")  # fmt: skip
        self.real = tables.real(table, self.rows.columns) if table else Real(np.zeros((0, len(names))), ())
        if self.real.left_out:
            self.notes.append(f"{self.real.left_out} rows of {table.path if table else ''} have empty cells; left out")

    def _known(self, described: Sequence[Column], table: tables.Table | None, network: PlainNetwork) -> list[Column]:
        """The columns, as far as the table and the file tell."""
        ignore = self.settings.ignore
        if described:
            kept = [one for one in described if one.name not in ignore]
            return list(tables.described(kept, table)) if table else kept
        if table is None:
            raise SettingsError(
                f"nobody has said what the columns of {network.spec.name} are; give a table with --data, or describe "
                "them with --columns, as docs/tabular.md says"
            )
        learnt = tables.learnt(table, ignore)
        self.notes += learnt.notes
        return list(learnt.columns)

    def _network_of(self, network: PlainNetwork, known: list[Column], table: tables.Table | None) -> RowNetwork:
        """The network with its columns; of a table the column with the answer is found, and left out."""
        try:
            return RowNetwork(network, known)
        except SettingsError:
            if table is None:
                raise
            for answer in (known[-1], known[0]):
                rest = [one for one in known if one is not answer]
                try:
                    found = RowNetwork(network, rest)
                except SettingsError:
                    continue
                self.notes.append(f"the column {answer.name} is taken for the answer, which the network is not given")
                return found
            raise

    # What a person asks.

    def answer(self, objective: Objective | str, on_step: Told | None = None) -> Rows:
        """The rows that an objective answers to most, and least with ``pair``.

        Raises:
            UnknownLayerError, UnknownClassError, SettingsError: The network does not have it.
        """
        signs = (1.0, -1.0) if self.settings.pair else (1.0,)
        return self._answered(Objective.of(objective), signs, self.settings.answers, on_step)

    def change(self, objective: Objective | str, start: tables.Table, line: int = 0,
               on_step: Told | None = None) -> Rows:  # fmt: skip
        """The least changes of a row after which a class is the answer, or a score is reached.

        Args:
            objective: A class, as ``logit:repaid``; anything with ``above`` of the settings.
            start: A table with the row.
            line: Which of its rows, from 0.
            on_step: Told how far it came.

        Raises:
            SettingsError: The row cannot be read, or is what is wanted already.
        """
        wanted = self.rows.resolved(Objective.of(objective))
        row = self._start(start, line)
        reaches, climbs = self._goal(wanted, row)
        score = self._scores(wanted)
        compared = self._row("start", row, wanted, score(row[None])[0], None)
        if reaches(row[None])[0]:
            raise SettingsError(
                f"the row is what is wanted already: {objective} gives {compared.score:.4g}"
                f"{'' if compared.probability is None else f', a probability of {compared.probability:.1%}'}"
            )
        codes = self._changes(row, reaches, climbs, on_step)
        found = [self._row("change", one, wanted, score(one[None])[0], row) for one in codes]
        return self._result(Objective.of(objective), wanted, found, compared, start.path if start.is_file else None)

    def units(self, layer: str, on_step: Told | None = None) -> list[Rows]:
        """The rows that every unit of a layer answers to, most and least."""
        self.rows.network.check(layer)
        count = self.rows.network.channels(layer)
        found = []
        for index in range(count):
            tell = None if on_step is None else partial(_within, on_step, index / count, 1 / count)
            unit = logit(index) if layer == self.rows.network.logits else channel(layer, index)
            found.append(self._answered(unit, (1.0, -1.0), 1, tell))
        return found

    def _answered(self, asked: Objective, signs: Sequence[float], count: int, on_step: Told | None) -> Rows:
        wanted, compared = self.rows.resolved(asked), self._median()
        found: list[Row] = []
        for index, sign in enumerate(signs):
            tell = None if on_step is None else partial(_within, on_step, index / len(signs), 1 / len(signs))
            found += self._extremes(wanted, sign, count, compared, tell)
        usual = self._row("median", compared, wanted, self.rows.scores(compared[None], wanted)[0], None)
        return self._result(asked, wanted, found, usual)

    # How it is found.

    @property
    def _columns(self) -> tuple[Column, ...]:
        return self.rows.columns

    @property
    def _free(self) -> list[int]:
        vary = self.settings.vary
        return [
            place for place, one in enumerate(self._columns)
            if not one.is_fixed and (vary is None or one.name in vary)
        ]  # fmt: skip

    def _median(self) -> NDArray[np.float64]:
        return np.array([one.median for one in self._columns])

    def _scores(self, objective: Objective, sign: float = 1.0) -> Scores:
        return lambda codes: sign * self.rows.scores(codes, objective)

    def _starts(self, score: Scores) -> Codes:
        """Where climbs begin: real rows, the best of them and some by chance, and rows made up by chance."""
        rng = np.random.default_rng(self.settings.seed)
        count = self.settings.starts
        made = np.array([self._by_chance(rng) for _ in range(count)])
        if not len(self.real.codes):
            return made
        few = self.real.codes[rng.permutation(len(self.real.codes))[: max(count * 20, _MOST_NEAR)]]
        best = few[np.argsort(-score(few), kind="stable")[: count // 4]]
        some = few[: count // 2 - len(best)]
        found = np.concatenate([best, some, made[: count - len(best) - len(some)]])
        held = [place for place in range(len(self._columns)) if place not in self._free]
        found[:, held] = self._median()[held]
        return found

    def _by_chance(self, rng: np.random.Generator) -> NDArray[np.float64]:
        row = self._median()
        for place in self._free:
            one = self._columns[place]
            code = rng.integers(len(one.values)) if one.is_category else rng.uniform(one.low, one.high)
            row[place] = one.rounded(float(code))
        return row

    def _near(self) -> Codes:
        """What plausible rows lie near to: real ones, or the median."""
        if not len(self.real.codes):
            return self._median()[None]
        rng = np.random.default_rng(self.settings.seed)
        return self.real.codes[np.sort(rng.permutation(len(self.real.codes))[:_MOST_NEAR])]

    @cached_property
    def _usual_distance(self) -> float:
        """How far real rows are from the nearest other one, as a rule; a deviation where there are none."""
        near = self._near()
        if len(near) < 2:
            return 1.0
        apart = self.rows.distances(near, near) + np.diag(np.full(len(near), np.inf))
        return max(float(np.median(apart.min(1))), _LEAST_DISTANCE)

    def _extremes(
        self, wanted: Objective, sign: float, count: int, compared: NDArray[np.float64], tell: Told | None
    ) -> list[Row]:
        score = self._scores(wanted, sign)
        starts, near = self._starts(score), self._near()
        spread = self.rows.scores(self.real.codes if len(self.real.codes) else starts, wanted).std()
        found: list[Row] = []
        pulls = [0.0, self.settings.plausible * float(spread) / self._usual_distance]
        for index, pull in enumerate(pulls if self.settings.plausible else pulls[:1]):
            told = None if tell is None else partial(_told_steps, tell, index / len(pulls), self.settings.steps)
            objectives = [sign * wanted] * len(starts)
            codes = climbed(
                self.rows, starts, objectives, self._free, near=near, pull=pull, slack=self._usual_distance,
                steps=self.settings.steps, on_step=told,
            )  # fmt: skip

            def worth(rows: Codes, pull: float = pull) -> NDArray[np.float64]:
                if not pull:
                    return score(rows)
                far = self.rows.distances(rows, near).min(1) - self._usual_distance
                return np.asarray(score(rows) - pull * np.maximum(far, 0))

            which: Which = "most" if sign > 0 else "least"
            for row in self._different(worth, np.concatenate([codes, starts]), count):
                value = float(sign * score(row[None])[0])
                found.append(self._row(which, row, wanted, value, compared, plausible=index > 0, sign=sign))
        return found

    def _different(self, worth: Scores, codes: Codes, count: int) -> list[NDArray[np.float64]]:
        """The best rows, each far enough from those before it."""
        found: list[NDArray[np.float64]] = []
        root = np.sqrt(len(self._columns))
        for _ in range(count):
            kept = np.array(found).reshape(-1, len(self._columns))

            def apart(rows: Codes, kept: Codes = kept) -> NDArray[np.float64]:
                value = worth(rows)
                if len(kept):
                    value = np.where(self.rows.distances(rows, kept).min(1) * root < _APART, -np.inf, value)
                return value

            first = apart(codes)
            order = np.argsort(-first, kind="stable")
            begun = codes[order[np.isfinite(first[order])]][: self.settings.starts]
            if not len(begun):
                break
            better, values = improved(apart, begun, self._columns, self._free)
            found.append(better[values.argmax()])
        return found

    def _start(self, table: tables.Table, line: int) -> NDArray[np.float64]:
        """A row that is to be changed; ranges widen so that it lies within them."""
        held = tables.real(table, self._columns)
        if held.left_out and len(held.codes) <= line < len(held.codes) + held.left_out:
            raise SettingsError(f"the row of {table.path} has empty cells; fill them, for the network is given all")
        if not 0 <= line < len(held.codes):
            raise SettingsError(f"{table.path} has {len(held.codes)} rows; there is no row {line + 1}")
        row: NDArray[np.float64] = held.codes[line]
        widened = tuple(one.including(code) for one, code in zip(self._columns, row, strict=True))
        for one, wide in zip(self._columns, widened, strict=True):
            if one != wide:
                self.notes.append(f"{one.name} of the row lies outside {one.text(one.low)} to {one.text(one.high)}")
        self.rows.columns = widened
        return row

    def _goal(self, wanted: Objective, row: NDArray[np.float64]) -> tuple[changing.Reaches, Objective]:
        """Whether rows are what is wanted, and what to climb towards it."""
        if self.settings.above is not None:
            least = self.settings.above
            return lambda codes: self.rows.scores(codes, wanted) >= least, wanted
        (weight, term), *others = wanted.terms
        if others or not isinstance(term, Logit) or term.layer is None or weight <= 0:
            raise SettingsError(
                f"{wanted.label} is no class, so nobody knows when it is reached; name a class, as logit:1, or say "
                "with --above which score is wanted"
            )
        layer, index = term.layer, int(term.unit)
        if self.rows.network.ends == "values":
            raise SettingsError(f"{self.rows.network.spec.name} ends in a number and has no classes; say with --above "
                                "which score is wanted")  # fmt: skip
        if self.rows.network.ends == "sigmoid":
            return lambda codes: self.rows.activations(codes, layer)[:, index] > 0, wanted
        now = int(self.rows.activations(row[None], layer)[0].argmax())
        rival = wanted if now == index else wanted - self.rows.resolved(Objective.of(f"logit:{now}"))
        return lambda codes: self.rows.activations(codes, layer).argmax(1) == index, rival

    def _changes(
        self, row: NDArray[np.float64], reaches: changing.Reaches, climbs: Objective, on_step: Told | None
    ) -> Codes:
        free, score = self._free, self._scores(climbs)
        simple = changing.candidates(reaches, row, self._columns, free)
        count = max(2, self.settings.starts // len(_PULLS))
        rng = np.random.default_rng(self.settings.seed)
        spread = float(self.rows.scores(self.real.codes, climbs).std()) if len(self.real.codes) else 1.0
        found = [simple]
        starts = np.repeat(row[None], count, 0)
        for place in free:
            one = self._columns[place]
            if not one.is_category:
                moved = starts[1:, place] + rng.normal(size=count - 1) * one.std * _OWN
                starts[1:, place] = [one.rounded(code) for code in moved]
        for index, pull in enumerate(_PULLS):
            told = None
            if on_step is not None:
                told = partial(_told_steps, partial(_within, on_step, 0, 1), index / len(_PULLS), self.settings.steps)
            codes = climbed(
                self.rows, starts, [climbs] * count, free,
                near=row[None], pull=pull * (spread or 1.0), steps=self.settings.steps, on_step=told,
            )  # fmt: skip
            if index == 0:
                codes = np.concatenate([codes, improved(score, codes, self._columns, free)[0]])
            found.append(codes[reaches(codes)])
        every = np.concatenate(found)
        if not len(every):
            return every
        thin = changing.thinned(reaches, every, row, self._columns)
        return changing.shortest(thin, row, self._columns, self.settings.answers)

    # What it comes to.

    def _row(
        self, which: Which, codes: NDArray[np.float64], wanted: Objective, score: float,
        compared: NDArray[np.float64] | None, *, plausible: bool = False, sign: float = 1.0, line: int | None = None,
    ) -> Row:  # fmt: skip
        changed: list[int] = []
        matters: dict[str, float] = {}
        if compared is not None:
            changed = [place for place in range(len(codes)) if codes[place] != compared[place]]
            back = np.repeat(codes[None], len(changed), 0)
            for row, place in enumerate(changed):
                back[row, place] = compared[place]
            loss = sign * (score - self.rows.scores(back, wanted)) if changed else np.zeros(0)
            matters = {self._columns[place].name: float(value) for place, value in zip(changed, loss, strict=True)}
        far = self.rows.distances(codes[None], self.real.codes) if len(self.real.codes) else None
        return Row(
            which=which,
            values={one.name: one.value(code) for one, code in zip(self._columns, codes, strict=True)},
            score=float(score),
            probability=self._probability(codes, wanted),
            plausible=plausible,
            distance=None if far is None else float(far.min()),
            changed=tuple(self._columns[place].name for place in changed),
            matters=dict(sorted(matters.items(), key=lambda one: -one[1])),
            line=line,
        )

    def _probability(self, codes: NDArray[np.float64], wanted: Objective) -> float | None:
        (_, term), *others = wanted.terms
        network = self.rows.network
        if others or not isinstance(term, Logit) or term.layer is None or network.ends == "values":
            return None
        logits = self.rows.activations(codes[None], term.layer)[0].astype(np.float64)
        if network.ends == "sigmoid":
            return float(1 / (1 + np.exp(-logits[int(term.unit)])))
        shares = np.exp(logits - logits.max())
        return float(shares[int(term.unit)] / shares.sum())

    def _nearest(self, found: Sequence[Row], wanted: Objective) -> list[Row]:
        if not len(self.real.codes):
            return []
        nearest = []
        for row in found:
            codes = np.array([
                one.code(row.values[one.name], "a row") for one in self._columns
            ])  # fmt: skip
            place = int(self.rows.distances(codes[None], self.real.codes)[0].argmin())
            real = self.real.codes[place]
            score = self.rows.scores(real[None], wanted)[0]
            nearest.append(self._row("real", real, wanted, score, None, line=self.real.lines[place]))
        return nearest

    def _result(
        self, asked: Objective, wanted: Objective, found: Sequence[Row], compared: Row, start: Path | None = None
    ) -> Rows:
        files = [*self._files, *([str(start)] if start else [])]
        recipe: Mapping[str, Any] = recipe_of(
            self.rows.network,
            self.settings.to_dict() | {"model": self.rows.network.spec.name, "objective": asked.name},
            digests_of(files),
        ) | {"command": "row"}
        nearest = self._nearest(found, wanted)
        return Rows(asked.name, self._columns, tuple(found), compared, tuple(nearest), recipe)


def _beside(network: Any) -> Path | None:
    """The file of columns beside a network, where there is one."""
    if not isinstance(network, str | Path) or not keras_file.is_path(str(network)):
        return None
    path = Path(network).with_suffix(".toml")
    return path if any(map(keras_file.is_column, keras_file.tables(path).values())) else None


def _within(tell: Told, first: float, share: float, text: str, done: float) -> None:
    tell(text, first + share * done)


def _told_steps(tell: Told, first: float, steps: int, step: int) -> None:
    tell(f"step {step}", min(0.999, first + 0.5 * step / steps))
