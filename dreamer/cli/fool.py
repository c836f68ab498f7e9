"""``dreamer fool PHOTO``: changes a photo so that a network takes it for something else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Command
from dreamer.cli.completing import complete_choice, complete_model, complete_target
from dreamer.cli.fetching import ensure_weights, fetch_options
from dreamer.cli.help_page import CLIMB, DREAM, NETWORK, RESULT, option
from dreamer.cli.interrupts import came, exit_status, ignore_interrupts
from dreamer.cli.mistyping import InputFile, NumberRange, OutputFile, Whole, WholeRange
from dreamer.cli.options import backend_option, debug_option, given_options, quiet_option
from dreamer.cli.outputs import check_not_photo, print_path, print_text, write_result
from dreamer.cli.progress import WorkProgress, import_keras, note, silent, work_progress
from dreamer.cli.tables import table
from dreamer.errors import DreamerError, SettingsError
from dreamer.files.names import free_name
from dreamer.fooling.settings import METHODS, NORMS, WORK_BYTES, FoolSettings
from dreamer.wording import shown

if TYPE_CHECKING:
    from dreamer.fooling.fooled import Fooled, Said
    from dreamer.fooling.rates import Attacked, Rates
    from dreamer.fooling.run import Attack
    from dreamer.images import Photo

EXIT_FAILURE = 1
_EXPECTED_STEPS = 400  # Where a search decides how many there are; only the bar depends on it.
_AXES = {"linf": "most that a pixel changes, in levels of 255", "l2": "length of the change, black to white being 1"}


def _bounds(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[float, ...]:
    """One bound, or several with commas between them."""
    try:
        return tuple(sorted({float(part) for part in text.split(",")})) if text is not None else ()
    except ValueError:
        raise click.BadParameter(f"{shown(text)} is no bound; expected a number, or several as in 1,2,4,8") from None


@click.command(cls=Command)
@click.argument("photos", type=InputFile(), nargs=-1, required=True, metavar="PHOTO...")
@option(
    RESULT, "-o", "--output", type=OutputFile(),
    help="Where to write: a .png, or another format that loses nothing.  [default: PHOTO with -fooled]",
)  # fmt: skip
@option(RESULT, "--overwrite", is_flag=True, help="Replace files that exist.")
@option(
    DREAM, "--to", metavar="CLASS", shell_complete=complete_target,
    help="The class that the network is to see.  [default: any but the one that it sees]",
)  # fmt: skip
@option(DREAM, "--away", is_flag=True, help="Any class but the one that it sees, which is the default.")
@option(
    CLIMB, "--method", metavar="NAME", shell_complete=complete_choice(lambda: METHODS),
    help="fgsm (one step), pgd (many, within --eps) or cw (the least change).  [default: pgd with --eps, else cw]",
)  # fmt: skip
@option(
    CLIMB, "--norm", metavar="NAME", shell_complete=complete_choice(lambda: NORMS),
    help="How a change is measured: linf, the most of a pixel, or l2, its length.  [default: linf, of cw l2]",
)  # fmt: skip
@option(
    CLIMB, "--eps", metavar="F[,F]...", callback=_bounds,
    help="How far it may go: whole levels of 255 for linf, a length for l2; several give success rates.  "
    "[default: as little as does it]",
)  # fmt: skip
@option(
    CLIMB, "--confidence", type=NumberRange(min=0.5, max=0.999), metavar="P",
    help="The probability that the new class is to have.  [default: more than any other]",
)  # fmt: skip
@option(CLIMB, "--steps", type=WholeRange(min=1), metavar="N", help="Steps of pgd, or of each search of cw.")
@option(CLIMB, "--seed", type=Whole(), metavar="N", help="The number that chance begins with.  [default: 0]")
@option(
    RESULT, "--survive-jpeg", type=WholeRange(min=1, max=100), metavar="QUALITY",
    help="Make it outlast a JPEG of this quality.",
)  # fmt: skip
@option(
    RESULT, "--show", is_flag=True,
    help="Also write photo, result and difference side by side, with the probabilities.",
)  # fmt: skip
@option(
    RESULT, "--report", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write the success rates there as JSON, and beside it as a plot.",
)  # fmt: skip
@option(RESULT, "--max-size", type=WholeRange(min=1), metavar="PX", help="Make larger photos smaller first.")
@option(
    NETWORK, "--model", metavar="NAME|FILE", shell_complete=complete_model,
    help=f"The network that is fooled.  [default: {FoolSettings.model}]",
)  # fmt: skip
@option(NETWORK, "--preprocessing", metavar="NAME", help="How pictures are prepared for a .keras file.")
@option(
    NETWORK, "--judge", metavar="NAME|FILE", shell_complete=complete_model,
    help="Another network that says what it sees in the result.",
)  # fmt: skip
@backend_option
@fetch_options
@json_option
@quiet_option
@debug_option
@click.pass_context
def fool(
    ctx: click.Context,
    /,
    photos: tuple[str, ...],
    output: Path | None,
    overwrite: bool,
    away: bool,
    eps: tuple[float, ...],
    show: bool,
    report: Path | None,
    judge: str | None,
    offline: bool | None,
    mirror: str | None,
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Change PHOTO as little as can be, so that a network takes it for something else.

    Of several photos, a folder or several bounds, how many are fooled is told, and no picture is written.

    \b
    dreamer fool cat.jpg --to broccoli
    dreamer fool cat.jpg --method pgd --norm linf --eps 4 --show
    dreamer fool cat.jpg --to broccoli --judge efficientnet_lite0_robust
    dreamer fool photos/ --eps 1,2,4,8 --report fooled.json
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    if away and chosen["to"] is not None:
        raise click.UsageError("--to and --away exclude each other: one names a class, the other takes any; give one")
    every = [FoolSettings.of(**given_options(chosen), **({} if one is None else {"eps": one})) for one in eps or [None]]
    from dreamer.models import registry

    specs = [registry.spec(every[0].model, every[0].preprocessing)]
    specs += [] if judge is None else [registry.spec(judge)]
    paths = _photos(photos)
    is_rates = len(paths) > 1 or len(eps) > 1 or Path(photos[0]).is_dir()
    _check_use(is_rates, output=output, show=show, overwrite=overwrite, report=report)
    if is_rates:
        _check_report(report, paths, overwrite=overwrite)
        opened = None
    else:
        opened = _opened(paths[0], every[0])
        _check_single(paths[0], opened[0], output, every[0], show=show, overwrite=overwrite)
    for spec in specs:
        ensure_weights(spec, offline=offline, mirror=mirror, quiet=quiet)
    with work_progress(quiet=quiet) as progress:
        import_keras()
        from dreamer.fooling.run import Attack

        attack = Attack(every[0], judge=judge)
        if opened is None:
            rates, failed = _rates(paths, attack, eps or (None,), progress)
        else:
            found = attack.on(*opened, on_step=_stepped(progress, "", 0.0, 1.0))
            ignore_interrupts()
            target = _written(found, paths[0], attack, output, overwrite=overwrite, quiet=quiet)
            found = attack.on_file(target, found)
            sheet = _write_sheet(found, target, overwrite=overwrite) if show else None
    ignore_interrupts()
    if is_rates:
        status = _tell_rates(rates, report, overwrite=overwrite, as_json=as_json, quiet=quiet, failed=failed)
    else:
        status = _tell(found, target, sheet, as_json=as_json, quiet=quiet, photo=paths[0])
    if status:
        ctx.exit(status)


def _photos(given: Sequence[str]) -> list[Path]:
    """The photos that are meant, those of folders in the order of their names."""
    from dreamer import images

    def is_photo(path: Path, folder: Path) -> bool:
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        return path.is_file() and images.is_read(path.suffix) and not is_hidden

    found: dict[Path, Path] = {}  # By where they really are, so that none counts twice.
    for path in map(Path, given):
        inside = sorted(one for one in path.rglob("*") if is_photo(one, path)) if path.is_dir() else [path]
        if not inside:
            raise SettingsError(f"there is no photo in {path}; expected a folder of photos")
        for one in inside:
            found.setdefault(one.resolve(), one)
    return list(found.values())


def _check_use(is_rates: bool, *, output: Path | None, show: bool, overwrite: bool, report: Path | None) -> None:
    """Refuse what has nothing to do."""
    if is_rates and (output is not None or show):
        flag = "-o" if output is not None else "--show"
        raise SettingsError(f"{flag} is for a single photo and bound; of several the success rates are told")
    if not is_rates and report is not None:
        raise SettingsError("--report is for several photos, a folder, or several bounds as in --eps 1,2,4,8")
    if overwrite and output is None and report is None and not show:
        raise SettingsError("--overwrite has nothing to do here: without -o a name is taken that no file has")


def _check_report(report: Path | None, photos: Sequence[Path], *, overwrite: bool) -> None:
    from dreamer import images

    if report is None:
        return
    if report.suffix.lower() == ".svg" or images.is_read(report.suffix):
        raise SettingsError(f"{report} has the suffix of a picture; name the report as in fooled.json")
    for path in (report, _plot_of(report)):
        images.check_place(path, overwrite=overwrite)
        for photo in photos:
            check_not_photo(path, photo)


def _check_single(
    path: Path, photo: Photo, output: Path | None, settings: FoolSettings, *, show: bool, overwrite: bool
) -> None:
    """Find out now, not after the attack, that the result could not be written."""
    from dreamer import images
    from dreamer.fooling.fooled import check_format

    target = output or free_name(_names(path, settings))
    check_not_photo(target, path)
    images.check_target(target, overwrite=overwrite)
    check_format(target, photo, survives_jpeg=settings.survive_jpeg is not None)
    if show:
        sheet = _sheet_of(target, overwrite=overwrite)
        check_not_photo(sheet, path)
        images.check_target(sheet, overwrite=overwrite)


def _names(photo: Path, settings: FoolSettings) -> Any:
    """Names for the result, in a format that keeps what fools the network."""
    from dreamer.fooling.fooled import suffix_of
    from dreamer.sources import result_names

    return result_names(photo, "fooled", suffix_of(photo, survives_jpeg=settings.survive_jpeg is not None))


def _stepped(progress: WorkProgress, before: str, done: float, share: float) -> Callable[[int], None]:
    """What shows the steps of an attack, and ends it when an interrupt came."""

    def show(step: int) -> None:
        if came():
            raise KeyboardInterrupt
        progress.show(f"{before}step {step}", min(0.999, done + share * step / (step + _EXPECTED_STEPS)))

    return show


def _opened(photo: Path, settings: FoolSettings) -> tuple[Photo, dict[str, object]]:
    """A photo as it is attacked, and what recipes say of it."""
    from dreamer.sources import read_photo

    return read_photo(photo, max_side=settings.max_size, work_bytes=WORK_BYTES)


def _written(found: Fooled, photo: Path, attack: Attack, output: Path | None, *, overwrite: bool, quiet: bool) -> Path:
    tell = silent if quiet else note
    for remark in found.photo.notes:
        tell(remark)
    return write_result(found, output, _names(photo, attack.settings), overwrite=overwrite, note=tell)


def _write_sheet(found: Fooled, target: Path, *, overwrite: bool) -> Path:
    path = _sheet_of(target, overwrite=overwrite)
    found.sheet().save(path, overwrite=overwrite)
    return path


def _sheet_of(target: Path, *, overwrite: bool) -> Path:
    """Where the sheet of a result goes."""
    from dreamer.sources import result_names

    names = result_names(target, "shown", ".png")
    return next(names) if overwrite else free_name(names)


def _tell(found: Fooled, target: Path, sheet: Path | None, *, as_json: bool, quiet: bool, photo: Path) -> int:
    if as_json:
        print_answer("fool", [_answer(found, target, sheet, photo)])
    elif not quiet:
        for said in (found.said, *([found.judged] if found.judged else [])):
            note(_in_words(said))
        note(f"the change: at most {found.linf} of 255 levels, length {found.l2:.3g}; {found.steps} gradients")
        print_path(target)
        if sheet is not None:
            print_path(sheet)
    if not found.success:
        note(f"the network is not fooled by the file; {_advice(found.recipe['settings'])}")
        return EXIT_FAILURE
    return 0


def _advice(settings: Mapping[str, Any]) -> str:
    """What may help where the network is not fooled."""
    if settings["eps"] is not None:
        return "give it more with a larger --eps, or leave --eps out"
    if settings["confidence"] is not None:
        return "it was given up; ask for a smaller --confidence"
    if settings["survive_jpeg"] is not None:
        return "it was given up; ask for a higher quality with --survive-jpeg"
    return "it was given up; try more --steps, or another --method"


def _in_words(said: Said) -> str:
    before, after = said.before[0], said.after[0]
    names = [one.name.split(", ")[0] or f"class {one.index}" for one in (before, after)]
    height, width = said.seen
    return (
        f"{said.model}, which sees it at {width}x{height}: {names[0]} {before.probability:.1%} -> {names[1]} "
        f"{after.probability:.1%}"
    )


def _answer(found: Fooled, target: Path, sheet: Path | None, photo: Path) -> dict[str, Any]:
    """What came of an attack, for a script, as ``answers.ITEMS["fool"]`` says."""
    return {
        "photo": str(photo),
        "path": str(target),
        "shown": None if sheet is None else str(sheet),
        "bound": found.recipe["settings"]["eps"],
        "success": found.success,
        "l2": found.l2,
        "linf": found.linf,
        "steps": found.steps,
        "already": found.is_untouched and found.success,
        "judge_fooled": None if found.judged is None else found.judged.fooled,
        "said": [_said(one) for one in (found.said, found.judged) if one is not None],
        "recipe": dict(found.recipe),
    }


def _said(said: Said) -> dict[str, Any]:
    return {
        "model": said.model,
        "fooled": said.fooled,
        "seen": list(said.seen),
        "before": [vars(one) for one in said.before],
        "after": [vars(one) for one in said.after],
    }


def _rates(
    paths: Sequence[Path], attack: Attack, bounds: Sequence[float | None], progress: WorkProgress
) -> tuple[Rates, list[str]]:
    """Attack all photos; those that cannot be read are told and left out, an interrupt leaves what there is."""
    from dreamer.fooling.rates import Rates

    rates, failed = Rates(attack, bounds), []
    try:
        for number, path in enumerate(paths):
            before = f"{number + 1}/{len(paths)} {path.name}: "
            try:
                photo, _ = _opened(path, attack.settings)
                done = rates.add(str(path), photo, _stepped(progress, before, number / len(paths), 1 / len(paths)))
            except DreamerError as error:
                progress.say(f"Error: {error}")
                failed.append(str(path))
                continue
            progress.show(before, (number + 1) / len(paths), before + _outcome(done))
    except KeyboardInterrupt:
        if not rates.photos:
            raise
    return rates, failed


def _outcome(photo: Attacked) -> str:
    """What became of a photo, in a few words."""
    if photo.already:
        return f"{photo.seen_as}, as is wanted, from the first"
    fooled = [f"{one.l2:.3g}" if one.bound is None else f"{one.bound:g}" for one in photo.attempts if one.fooled]
    return f"{photo.seen_as}, fooled by {', '.join(fooled) or 'none'}"


def _tell_rates(
    rates: Rates, report: Path | None, *, overwrite: bool, as_json: bool, quiet: bool, failed: Sequence[str]
) -> int:
    _, norm = rates.attack.settings.way
    found = rates.by_bound()
    if report is not None:
        _write_report(rates, report, overwrite=overwrite, failed=failed)
    if as_json:
        print_answer("fool", _attempts(rates))
    elif not quiet:
        heads = [f"eps ({norm})", "fooled", "of", "rate", "median l2", "median linf"]
        judged = any(one.judge_fooled is not None for one in found)
        rows = [
            [
                "least" if one.bound is None else f"{one.bound:g}",
                one.fooled,
                one.of,
                f"{one.fooled / one.of:.0%}" if one.of else "-",
                "-" if one.l2 is None else f"{one.l2:.3g}",
                "-" if one.linf is None else f"{one.linf:g}",
                *([one.judge_fooled] if judged else []),
            ]
            for one in found
        ]
        print_text(table([*heads, *(["judge fooled too"] if judged else [])], rows))
        if report is not None:
            print_path(report)
            print_path(_plot_of(report))
    if came():
        note(f"interrupted: these are the first {len(rates.photos)} photos")
        return exit_status()
    return EXIT_FAILURE if failed else 0


def _attempts(rates: Rates) -> list[dict[str, Any]]:
    """Each attempt for a script, as ``answers.ITEMS["fool"]`` says."""
    return [
        {
            "photo": photo.photo,
            "path": None,
            "shown": None,
            "bound": one.bound,
            "success": one.fooled,
            "l2": one.l2,
            "linf": one.linf,
            "steps": one.steps,
            "already": photo.already,
            "judge_fooled": one.judge_fooled,
        }
        for photo in rates.photos
        for one in photo.attempts
    ]


def _plot_of(report: Path) -> Path:
    return report.with_suffix(".svg")


def _write_report(rates: Rates, report: Path, *, overwrite: bool, failed: Sequence[str]) -> None:
    from dreamer.images.files import put

    told = rates.to_dict() | {"left_out": list(failed), "partial": came()}
    put(report, (json.dumps(told, indent=2) + "\n").encode(), overwrite=overwrite)
    put(_plot_of(report), rates.plot(_AXES[rates.attack.settings.way[1]]).encode(), overwrite=overwrite)
