"""``dreamer text UNIT FILE``: what the units of a recurrent network do at every character of a text."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Command
from dreamer.cli.completing import complete_choice
from dreamer.cli.help_page import CLIMB, DRAW, NETWORK, RESULT, option
from dreamer.cli.interrupts import came, ignore_interrupts
from dreamer.cli.mistyping import NumberRange, OutputFile, Whole, WholeRange
from dreamer.cli.options import backend_option, debug_option, quiet_option
from dreamer.cli.outputs import print_path, print_text
from dreamer.cli.progress import WorkProgress, import_keras, note, work_progress
from dreamer.cli.tables import table
from dreamer.cli.text_train import train
from dreamer.errors import SettingsError, close_matches
from dreamer.objectives import Objective
from dreamer.objectives.kinds import Channel, Layer
from dreamer.texts.settings import DEFAULT_MODEL, FOLLOWED, SHOWN
from dreamer.wording import one_line, shown

if TYPE_CHECKING:
    from dreamer.texts.drawing import Drawn
    from dreamer.texts.following import Follows
    from dreamer.texts.reading import States, TextNetwork, Told

_TOP = 20
_FOR_EACH = 3  # Units that are told for each thing that they may follow.
_AROUND = 16


class _Text(Command):
    """Looks at texts, and hands over to another command where the first word is ``train``."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of this command, or of the one that teaches."""
        if args[:1] == ["train"]:
            return train.make_context(f"{info_name} train", args[1:], parent=parent, **extra)
        return super().make_context(info_name, args, parent=parent, **extra)


def _followed(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[str, ...]:
    """Names of what units may follow, with commas between them."""
    if text is None:
        return ()
    names = tuple(dict.fromkeys(one.strip() for one in text.split(",")))
    for name in names:
        if name not in FOLLOWED:
            raise click.BadParameter(
                f"nothing is known of {shown(name)}.{close_matches(name, FOLLOWED)} Expected some of "
                f"{', '.join(FOLLOWED)}"
            )
    return names


@click.command(cls=_Text)
@click.argument("words", nargs=-1, metavar="[UNIT] [FILE]...")
@option(
    NETWORK, "--model", metavar="FILE", default=DEFAULT_MODEL, type=click.Path(),
    help=f"The network: a .keras file that takes sequences.  [default: {DEFAULT_MODEL}]",
)  # fmt: skip
@option(
    NETWORK, "--vocabulary", metavar="FILE", type=click.Path(path_type=Path),
    help="What its numbers stand for: a .txt or .json.  [default: what the .toml beside the network says]",
)  # fmt: skip
@option(
    DRAW, "--show", metavar="NAME", shell_complete=complete_choice(lambda: SHOWN),
    help=f"What of the layer: {', '.join(SHOWN)}.  [default: the cell of an LSTM, else hidden]",
)  # fmt: skip
@option(
    DRAW, "--find", metavar="NAME[,NAME]...", callback=_followed, shell_complete=complete_choice(lambda: FOLLOWED),
    help=f"The units that follow: {', '.join(FOLLOWED)}.",
)  # fmt: skip
@option(DRAW, "--draw", is_flag=True, help="The text that the unit answers to, searched over characters.")
@option(DRAW, "--negative", is_flag=True, help="With --draw, the text after which it is lowest.")
@option(DRAW, "--top", type=WholeRange(min=1), metavar="N", help=f"How many units of a layer.  [default: {_TOP}]")
@option(
    CLIMB, "--length", type=WholeRange(min=1, max=10_000), metavar="N", help="Of a text that is drawn.  [default: 40]"
)
@option(
    CLIMB, "--beam", type=WholeRange(min=1, max=10_000), metavar="N", help="Beginnings that are kept.  [default: 24]"
)
@option(
    CLIMB, "--plausible", type=NumberRange(min=0, max=1000), metavar="F",
    help="How like what it learnt a second text is to be; 0 for none.  [default: 1]",
)  # fmt: skip
@option(CLIMB, "--seed", type=Whole(), metavar="N", help="The number that chance begins with.  [default: 0]")
@option(RESULT, "-o", "--output", type=OutputFile(), help="Write a page: an .html file that needs no other.")
@option(RESULT, "--overwrite", is_flag=True, help="Replace a file that exists.")
@backend_option
@json_option
@quiet_option
@debug_option
def text(
    words: tuple[str, ...],
    model: str,
    vocabulary: Path | None,
    show: str | None,
    find: tuple[str, ...],
    draw: bool,
    negative: bool,
    top: int | None,
    length: int | None,
    beam: int | None,
    plausible: float | None,
    seed: int | None,
    output: Path | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show what the units of a recurrent network do at every character of a text.

    UNIT is a unit as lstm:37, which colours the text, or a layer as lstm. "dreamer text train" teaches a small network
    of one's own.

    \b
    dreamer text lstm:37 book.txt --model char.keras --vocabulary chars.txt
    dreamer text lstm book.txt --show cell --top 20 -o page.html
    dreamer text --find strings,comments,brackets code.py
    dreamer text lstm:37 --draw
    dreamer text train *.py -o char.keras
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    layer, unit, files = _meant(words)
    _check_use(layer, unit, files, find=find, draw=draw, negative=negative, output=output, overwrite=overwrite)
    if model == DEFAULT_MODEL and not os.path.lexists(model):
        raise SettingsError(
            f"there is no {DEFAULT_MODEL} here; name a network with --model, or teach one with: dreamer text train "
            f"FILE... -o {DEFAULT_MODEL}"
        )
    if output is not None:
        from dreamer.images import files as places

        places.check_place(output, overwrite=overwrite)
    with work_progress(quiet=quiet) as progress:
        import_keras()
        from dreamer.texts.reading import TextNetwork

        tell = _told(progress)
        asked = TextNetwork(model, vocabulary)
        if draw:
            given = {"length": length, "beam": beam, "plausible": plausible, "seed": seed}
            more = {name: value for name, value in given.items() if value is not None}
            drawn = _drawn(asked, layer or "", unit or 0, show, negative, tell, more)
        else:
            held, follows = _looked(asked, layer, unit, files, show, find, tell)
    ignore_interrupts()
    if draw:
        _tell_drawn(drawn, as_json=as_json)
        return
    if output is not None:
        _write(held, show, follows, unit, top or _TOP, output, files, overwrite=overwrite)
    if as_json:
        items = _found_items(follows) if find else _items(held, show, unit, top or _TOP)
        print_answer("text", items)
    elif output is None:
        _tell(held, show, follows, unit, top or _TOP, is_find=bool(find))
    else:
        print_path(output)


def _meant(words: Sequence[str]) -> tuple[str | None, int | None, list[Path]]:
    """The layer, the unit and the files that are meant: the first word is a unit if no file has that name."""
    if not words or os.path.lexists(words[0]):
        return None, None, [Path(word) for word in words]
    objective = Objective.parse(words[0])
    (weight, term), *others = objective.terms
    if others or weight != 1 or not isinstance(term, Channel | Layer) or getattr(term, "position", None) is not None:
        hint = ", or a file that is there" if re.search(r"[./\\]", words[0]) else ""
        raise SettingsError(f"{shown(words[0])} is neither a layer, as lstm, nor a unit, as lstm:37{hint}")
    unit = term.unit if isinstance(term, Channel) else None
    return term.layer, unit, [Path(word) for word in words[1:]]


def _check_use(
    layer: str | None, unit: int | None, files: Sequence[Path], *, find: Sequence[str], draw: bool, negative: bool,
    output: Path | None, overwrite: bool,
) -> None:  # fmt: skip
    """Refuse what has nothing to do, and name what is missing."""
    if draw and (unit is None or files or find or output is not None):
        raise SettingsError("--draw writes a text for a single unit, as: dreamer text lstm:37 --draw")
    if negative and not draw:
        raise SettingsError("--negative goes with --draw")
    if not draw and not files:
        there = "" if layer is None else f"; {layer} is taken for a layer, since no file has that name"
        raise SettingsError(f"name a file of text, as: dreamer text {layer or 'lstm'} book.txt{there}")
    if not draw and layer is None and not find:
        raise SettingsError(
            f"name a layer or a unit before {files[0]}, as lstm or lstm:37, or say --find {FOLLOWED[0]}"
        )
    if find and unit is not None:
        raise SettingsError(f"--find looks through all units of a layer; name {layer} without the unit")
    if output is not None and output.suffix.lower() not in (".html", ".htm"):
        raise SettingsError(f"{output} has the suffix {output.suffix!r}; a page is written as .html")
    if overwrite and output is None:
        raise SettingsError("--overwrite has nothing to do here: without -o nothing is written")


def _told(progress: WorkProgress) -> Told:
    """What shows how far it came, and ends it when an interrupt came."""

    def show(text: str, done: float) -> None:
        if came():
            raise KeyboardInterrupt
        progress.show(text, done)

    return show


def _drawn(
    asked: TextNetwork, layer: str, unit: int, show: str | None, negative: bool, tell: Told, more: dict[str, Any]
) -> list[Drawn]:
    from dreamer.texts.drawing import drawn

    return drawn(asked, layer, unit, show=show, sign=-1 if negative else 1, on_step=tell, **more)


def _looked(
    asked: TextNetwork, layer: str | None, unit: int | None, files: Sequence[Path], show: str | None,
    find: Sequence[str], tell: Told,
) -> tuple[list[States], list[Follows]]:  # fmt: skip
    """The states of the layers that are asked for, and what their units follow."""
    from dreamer.texts.following import at_pieces, following, truths
    from dreamer.texts.reading import text_of

    whole = text_of(files)
    layers = asked.layers if layer is None else (layer,)
    for one in layers:
        asked.check(one, unit)
    is_python = all(path.suffix == ".py" for path in files)
    truth = truths(whole, find, is_python=is_python) if find else {}
    held, follows = [], []
    for one in layers:
        found = asked.states(whole, one, None if show is None else (show,), tell)
        values = found.of(show)
        held.append(found)
        follows += following(one, values, at_pieces(truth, found.pieces))
    return held, follows


def _tell(
    held: Sequence[States], show: str | None, follows: Sequence[Follows], unit: int | None, top: int, *, is_find: bool
) -> None:
    if is_find:
        print_text(_found_listing(follows))
        return
    (states,) = held
    if unit is not None:
        _print_coloured(states, show, unit)
    else:
        print_text(_listing(states, show, top))


def _print_coloured(states: States, show: str | None, unit: int) -> None:
    from dreamer.texts.colours import coloured, scale_of

    values = states.of(show)[:, unit]
    if sys.stdout is not None and sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        for part in coloured(states.pieces, values):
            click.echo(part, nl=False, color=True)
        click.echo()
        note(f"{states.layer}:{unit}, {show or states.usual}: white is 0, blue above, red below; the strongest is "
             f"{scale_of(values):.2f}")  # fmt: skip
        return
    each = zip(states.pieces, values, strict=True)
    rows = [[place, one_line(piece), f"{value:.4f}"] for place, (piece, value) in enumerate(each)]
    print_text(table(["step", "text", "value"], rows))


def _listing(states: States, show: str | None, top: int) -> str:
    """The units that vary most, a line each, with where each is strongest."""
    from dreamer.texts.page import chosen, strongest

    values = states.of(show)
    rows = []
    for unit in chosen(values, top):
        (place,) = strongest(values[:, unit], 1)
        rows.append([f"{states.layer}:{unit}", f"{values[:, unit].std():.3f}", f"{values[place, unit]:.2f}",
                     _around(states.pieces, place)])  # fmt: skip
    return table(["unit", "varies by", "strongest", "where"], rows)


def _around(pieces: Sequence[str], place: int) -> str:
    from dreamer.texts.page import excerpt

    before, at, after = excerpt(pieces, place, _AROUND)
    return one_line(f"{before}[{at}]{after}")


def _found_listing(follows: Sequence[Follows]) -> str:
    """For each thing the units that follow it best, and whether that may be luck."""
    rows: list[list[object]] = []
    for name in dict.fromkeys(one.what for one in follows):
        best = sorted((one for one in follows if one.what == name), key=lambda one: -one.auc)
        sure = [one for one in best if one.is_sure][:_FOR_EACH]
        rows += [
            [name, f"{one.layer}:{one.unit}", f"{one.auc:.3f}", "high" if one.sign > 0 else "low", f"{one.luck:.3f}",
             "" if one.is_sure else "no better than luck"]
            for one in sure or best[:1]
        ]  # fmt: skip
    return table(["follows", "unit", "AUC", "there", "luck", ""], rows) if rows else "nothing of that is in the text"


def _write(
    held: Sequence[States], show: str | None, follows: Sequence[Follows], unit: int | None, top: int, output: Path,
    files: Sequence[Path], *, overwrite: bool,
) -> None:  # fmt: skip
    from dreamer.texts import page

    if len(held) > 1:
        best = max((one for one in follows), key=lambda one: one.auc, default=None)
        held = [one for one in held if best is None or one.layer == best.layer][:1]
    (states,) = held
    values = states.of(show)
    own = [one for one in follows if one.layer == states.layer]
    units = [unit] if unit is not None else page.chosen(values, top, own)
    title = ", ".join(path.name for path in files)
    data = page.data_of(title, states.layer, show or states.usual, states.pieces, values, units, own)
    page.save(output, data, overwrite=overwrite)


def _items(held: Sequence[States], show: str | None, unit: int | None, top: int) -> list[dict[str, Any]]:
    """The units of a layer for a script, as ``answers.ITEMS["text"]`` says; of a single one its values."""
    from dreamer.texts.page import chosen, excerpt, strongest

    (states,) = held
    values = states.of(show)
    items = []
    for one in [unit] if unit is not None else chosen(values, top):
        (place,) = strongest(values[:, one], 1)
        before, at, after = excerpt(states.pieces, place, _AROUND)
        item = {
            "layer": states.layer, "unit": one, "shown": show or states.usual, "deviation": float(values[:, one].std()),
            "strongest": float(values[place, one]), "step": place, "excerpt": f"{before}{at}{after}",
        }  # fmt: skip
        items.append(item if unit is None else item | {"values": [float(value) for value in values[:, one]]})
    return items


def _found_items(follows: Sequence[Follows]) -> list[dict[str, Any]]:
    return [
        {"layer": one.layer, "unit": one.unit, "follows": one.what, "auc": one.auc, "high": one.sign > 0,
         "luck": one.luck, "sure": one.is_sure}
        for one in follows
    ]  # fmt: skip


def _tell_drawn(drawn: Sequence[Drawn], *, as_json: bool) -> None:
    if as_json:
        print_answer("text", [
            {"layer": one.unit.rpartition(":")[0], "unit": int(one.unit.rpartition(":")[2]), "shown": one.shown,
             "text": one.text, "score": one.score, "plausible": one.plausible, "bits": one.bits, "recipe": one.recipe}
            for one in drawn
        ])  # fmt: skip
        return
    rows = [
        ["plausible" if one.plausible else "most", f"{one.score:.3f}", "-" if one.bits is None else f"{one.bits:.1f}",
         one_line(one.text)]
        for one in drawn
    ]  # fmt: skip
    print_text(table(["", drawn[0].shown, "bits a character", "text"], rows))
