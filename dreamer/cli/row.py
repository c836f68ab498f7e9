"""``dreamer row OBJECTIVE``: the rows of a table that a unit of a network answers to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Command
from dreamer.cli.completing import complete_layer, complete_target
from dreamer.cli.help_page import CLIMB, DRAW, NETWORK, RESULT, option
from dreamer.cli.interrupts import came, ignore_interrupts
from dreamer.cli.mistyping import Number, NumberRange, OutputFile, Whole, WholeRange
from dreamer.cli.options import backend_option, debug_option, given_options, quiet_option
from dreamer.cli.outputs import print_path, print_text
from dreamer.cli.progress import WorkProgress, import_keras, note, work_progress
from dreamer.cli.tables import table
from dreamer.errors import SettingsError
from dreamer.tabular.settings import RowSettings

if TYPE_CHECKING:
    from dreamer.tabular.rows import Row, Rows
    from dreamer.tabular.run import Search, Told

EXIT_FAILURE = 1
_MOST_NAMED = 3  # Columns that a line about a unit names.
_FILE = click.Path(path_type=Path)


@click.command(cls=Command)
@click.argument("objective", required=False, shell_complete=complete_target)
@option(
    NETWORK, "--model", required=True, metavar="FILE", type=click.Path(),
    help="The network: a .keras file that takes rows of a table.",
)  # fmt: skip
@option(
    DRAW, "--columns", type=_FILE, metavar="TOML",
    help="What a row is made of.  [default: what the .toml beside the network says, or --data shows]",
)  # fmt: skip
@option(DRAW, "--data", type=_FILE, metavar="CSV", help="Real rows, whose first line names the columns.")
@option(DRAW, "--ignore", metavar="NAME[,NAME]...", help="Columns of the table that the network is not given.")
@option(DRAW, "--pair", is_flag=True, help="The rows with the lowest score as well.")
@option(
    DRAW, "--all", "layer", metavar="LAYER", shell_complete=complete_layer,
    help="Every unit of a layer; with -o as a page.",
)  # fmt: skip
@option(DRAW, "--from", "start", type=_FILE, metavar="CSV", help="Change its first row as little as makes it so.")
@option(DRAW, "--line", type=WholeRange(min=1), metavar="N", help="Take another row of --from, counted from 1.")
@option(DRAW, "--vary", metavar="NAME[,NAME]...", help="The columns that may change.  [default: all]")
@option(
    DRAW, "--above", type=Number(), metavar="SCORE",
    help="The score that a change is to reach.  [default: the class is the answer]",
)  # fmt: skip
@option(RESULT, "--answers", type=WholeRange(min=1, max=20), metavar="N", help="How many different ones.  [default: 2]")
@option(
    CLIMB, "--plausible", type=NumberRange(min=0, max=1000), metavar="F",
    help="How much plausible rows give up to lie near to real ones; 0 for none.  [default: 1]",
)  # fmt: skip
@option(CLIMB, "--starts", type=WholeRange(min=2, max=1000), metavar="N", help="Where climbs begin.  [default: 24]")
@option(CLIMB, "--steps", type=WholeRange(min=1), metavar="N", help="Steps of each climb.  [default: 150]")
@option(CLIMB, "--seed", type=Whole(), metavar="N", help="The number that chance begins with.  [default: 0]")
@option(
    RESULT, "-o", "--output", type=OutputFile(),
    help="Where to write the rows: a .csv or a .json; with --all the folder of the page.",
)  # fmt: skip
@option(RESULT, "--overwrite", is_flag=True, help="Replace files that exist.")
@backend_option
@json_option
@quiet_option
@debug_option
@click.pass_context
def row(
    ctx: click.Context,
    /,
    objective: str | None,
    model: str,
    columns: Path | None,
    data: Path | None,
    layer: str | None,
    start: Path | None,
    line: int | None,
    output: Path | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Find the rows of a table that a unit of a network answers to.

    OBJECTIVE is a class, a unit or a sum of them. With --from, the least change of a row is found after which the
    network answers so.

    \b
    dreamer row logit:default --model credit.keras --columns credit.toml
    dreamer row dense_1:3 --model credit.keras --data credit.csv --pair
    dreamer row logit:repaid --model credit.keras --data credit.csv --from applicant.csv --vary duration,amount
    dreamer row --all dense_1 --model credit.keras --data credit.csv -o page
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    settings = RowSettings.of(**given_options(chosen))
    _check_use(objective, layer=layer, start=start, line=line, settings=settings)
    if overwrite and output is None:
        raise SettingsError("--overwrite has nothing to do here: without -o nothing is written")
    _check_output(output, is_page=layer is not None, overwrite=overwrite)
    with work_progress(quiet=quiet) as progress:
        import_keras()
        from dreamer.tabular.run import Search

        search = Search(model, columns, data, settings)
        if layer is not None:
            found = search.units(layer, _told(progress))
        elif start is not None:
            found = [_changed(search, objective or "", start, line, _told(progress))]
        else:
            found = [search.answer(objective or "", _told(progress))]
    ignore_interrupts()
    if not quiet:
        for remark in search.notes:
            note(remark)
    if as_json:
        print_answer("row", [one for rows in found for one in _items(rows)])
    elif output is None or not (quiet or layer):
        print_text(_units(found) if layer is not None else "\n\n".join(map(_listing, found)))
    if output is not None:
        _write(found, output, layer, overwrite=overwrite, as_json=as_json)
    if start is not None and not found[0].found:
        note("no change of these columns does it; let more of them change with --vary")
        ctx.exit(EXIT_FAILURE)


def _check_use(
    objective: str | None, *, layer: str | None, start: Path | None, line: int | None, settings: RowSettings
) -> None:
    """Refuse what has nothing to do."""
    if (objective is None) == (layer is None):
        raise SettingsError("name a unit, as logit:default or dense_1:3, or a layer with --all, and not both")
    if start is None and (line is not None or settings.above is not None):
        flag = "--line" if line is not None else "--above"
        raise SettingsError(f"{flag} is for a row that is changed; name its file with --from")
    if start is not None and (layer is not None or settings.pair):
        raise SettingsError("--from changes a row for one unit; --all and --pair are for the rows that units answer to")


def _check_output(output: Path | None, *, is_page: bool, overwrite: bool) -> None:
    """Find out now, not after the search, that the result could not be written."""
    if output is None:
        return
    from dreamer.images import files
    from dreamer.tabular import page, rows

    if is_page:
        page.check(output, overwrite=overwrite)
    else:
        rows.check_suffix(output)
        files.check_place(output, overwrite=overwrite)


def _told(progress: WorkProgress) -> Told:
    """What shows how far it came, and ends it when an interrupt came."""

    def show(text: str, done: float) -> None:
        if came():
            raise KeyboardInterrupt
        progress.show(text, done)

    return show


def _changed(search: Search, objective: str, start: Path, line: int | None, tell: Callable[[str, float], None]) -> Rows:
    from dreamer.tabular import tables

    return search.change(objective, tables.read(start), (line or 1) - 1, tell)


def _write(found: Sequence[Rows], output: Path, layer: str | None, *, overwrite: bool, as_json: bool) -> None:
    from dreamer.tabular import page

    path = output
    if layer is None:
        found[0].save(output, overwrite=overwrite)
    else:
        path = page.save(output, layer, found, overwrite=overwrite)
    if not as_json:
        print_path(path)


def _listing(rows: Rows) -> str:
    """Rows side by side, a line for each column; of changes only those that change."""
    every = [rows.compared, *rows.found]
    heads = ["", *(_title(one, place) for place, one in enumerate(every))]
    is_change = rows.compared.which == "start"
    names = [one.name for one in rows.columns]
    if is_change:
        names = [name for name in names if any(name in one.changed for one in rows.found)]
    lines: list[list[object]] = [[name, *(_cell(rows, name, one) for one in every)] for name in names]
    lines.append(["score", *(f"{one.score:.4g}" for one in every)])
    if any(one.probability is not None for one in every):
        lines.append(["probability", *("" if one.probability is None else f"{one.probability:.1%}" for one in every)])
    if rows.nearest:
        near = [f"line {one.line}, {one.score:.4g}" for one in rows.nearest]
        lines.append(["nearest real row", "", *near])
        lines.append(["its distance", "", *(f"{one.distance:.2f}" for one in rows.found)])
    if not is_change:
        mattering = [_mattering(one) for one in rows.found]
        for place in range(max(map(len, mattering))):
            head = "then" if place else "matters most"
            lines.append([head, "", *(one[place] if place < len(one) else "" for one in mattering)])
    return f"{rows.objective}\n{table(heads, lines)}"


def _title(row: Row, place: int) -> str:
    if row.which in ("median", "start"):
        return "usual" if row.which == "median" else "now"
    return f"plausible {row.which}" if row.plausible else f"change {place}" if row.which == "change" else row.which


def _cell(rows: Rows, name: str, row: Row) -> str:
    """A value; of a change nothing where it stays."""
    return "" if row.which == "change" and name not in row.changed else rows.text(name, row)


def _mattering(row: Row) -> list[str]:
    """The columns by which a row has its score, the most first."""
    return [name for name, loss in row.matters.items() if loss > 0][:_MOST_NAMED]


def _units(found: Sequence[Rows]) -> str:
    """A line for each unit: what its rows say, the columns that matter most."""
    from dreamer.tabular.page import is_dead

    lines: list[list[object]] = []
    for rows in found:
        if is_dead(rows):
            lines.append([rows.objective, f"{rows.found[0].score:.4g}", "dead: the same for every row", "", ""])
            continue
        most = next(one for one in rows.found if one.which == "most")
        least = next(one for one in rows.found if one.which == "least")
        lines.append([
            rows.objective, f"{most.score:.4g}", _in_words(rows, most), f"{least.score:.4g}", _in_words(rows, least)
        ])  # fmt: skip
    return table(["unit", "most", "by", "least", "by"], lines)


def _in_words(rows: Rows, row: Row) -> str:
    return ", ".join(f"{name} {rows.text(name, row)}" for name in _mattering(row))


def _items(rows: Rows) -> list[dict[str, Any]]:
    """What was found, for a script, as ``answers.ITEMS["row"]`` says."""
    every = [rows.compared, *rows.found, *rows.nearest]
    return [{"objective": rows.objective, **one.to_dict(), "recipe": dict(rows.recipe)} for one in every]
