"""``dreamer spectrum FOLDER``: the magnitudes of photos, for visualizations with ``--parametrization maco``."""

from __future__ import annotations

from pathlib import Path

import click

from dreamer.cli.commands import Command
from dreamer.cli.interrupts import exit_status, ignore_interrupts, until_interrupted
from dreamer.cli.mistyping import WholeRange
from dreamer.cli.options import debug_option, quiet_option
from dreamer.cli.outputs import print_path
from dreamer.cli.progress import import_keras, say
from dreamer.errors import ImageReadError
from dreamer.files.refuge import rescued


@click.command(cls=Command)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("spectrum.npz"), show_default=True,
    help="Where to write.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT if it exists.")
@click.option(
    "--side", type=WholeRange(min=16, max=4096), default=256, show_default=True, metavar="PX",
    help="To which photos are resized, after they are cut square.",
)  # fmt: skip
@quiet_option
@debug_option
@click.pass_context
def spectrum(ctx: click.Context, /, folder: Path, output: Path, overwrite: bool, side: int, quiet: bool) -> None:
    """Measure the waves that the photos in FOLDER are made of, in the mean.

    A picture that is made with this spectrum has the contrasts and colours of such photos at every size of
    detail. Some hundred photos are enough. Photos that cannot be read are left out, and named.
    An interrupt keeps the mean of those that were read.

    \b
    dreamer spectrum ~/photos
    dreamer visualize block4b:17 --parametrization maco --spectrum spectrum.npz
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    import numpy as np

    import_keras()
    from dreamer.images import files
    from dreamer.visualizing import spectrum as spectra

    files.check_place(output, overwrite=overwrite)
    paths = spectra.photos(folder)
    total, count, seen = np.zeros((side, side // 2 + 1, 3)), 0, 0

    def write(path: Path, *, overwrite: bool = False) -> None:
        spectra.write(path, (total / count).astype(np.float32), count=count, overwrite=overwrite)

    with rescued(output.stem, {".npz": write}, when=lambda: count > 0):
        try:
            for path, found in until_interrupted(spectra.of_photos(paths, side)):
                seen += 1
                if isinstance(found, ImageReadError):
                    say(f"Note: left out: {found}")
                    continue
                total += found
                count += 1
                if not quiet and seen % 100 == 0:
                    say(f"{seen} of {len(paths)} photos: {path.name}")
            ignore_interrupts()
        except KeyboardInterrupt:
            if not count:
                raise
        if not count:
            raise ImageReadError(f"none of the {len(paths)} photos in {folder} can be read")
        write(output, overwrite=overwrite)
    if not quiet:
        say(f"{count} photo{'s' if count > 1 else ''}")
        print_path(output)
    if seen < len(paths):
        say(f"Note: interrupted after {seen} of {len(paths)} photos; {output} is the mean of {count}")
        ctx.exit(exit_status())
