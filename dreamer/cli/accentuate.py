"""``dreamer accentuate PHOTO TARGET``: makes what a unit answers to in a photo stand out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dreamer.cli.commands import Command
from dreamer.cli.completing import complete_target
from dreamer.cli.from_photo import Asked, draw, photo_options
from dreamer.cli.help_page import DRAW, RESULT, option
from dreamer.cli.mistyping import NumberRange
from dreamer.objectives import Objective

if TYPE_CHECKING:
    from dreamer.visualizing.run import VisualizeRun


@click.command(cls=Command)
@photo_options("accentuate", "accentuated")
@click.argument("target", shell_complete=complete_target)
@option(
    DRAW, "--anchor", metavar="LAYER", required=True, shell_complete=complete_target,
    help="An early layer that is to go on seeing the photo.  [required]",
)  # fmt: skip
@option(
    DRAW, "--anchor-weight", type=NumberRange(min=0, min_open=True, max=1000), default=1.0, metavar="F",
    help="How much the anchor counts beside the target; less changes the photo more.  [default: 1]",
)  # fmt: skip
@option(RESULT, "--alpha/--no-alpha", default=None, help="Make transparent what did not matter.  [default: --alpha]")
def accentuate(
    ctx: click.Context, /, photo: str, target: str, anchor: str, anchor_weight: float, **chosen: Any
) -> None:
    """Change PHOTO so that TARGET answers to it more, while the anchor layer goes on to see the photo.

    The anchor, an early layer, holds lines and colours where they are; what the target means is brought out of them.

    It shows what of the photo the target answers to. Ctrl-C keeps what there is.

    \b
    dreamer accentuate cat.jpg 'logit:tabby cat' --anchor block2b
    dreamer accentuate cat.jpg block5c:17 --anchor block2b --anchor-weight 0.5 --no-alpha
    """  # noqa: D301  Click wants the control character itself before what it must not wrap.
    asked, objective = Asked.of("accentuate", "accentuated", photo, chosen), Objective.parse(target)

    def begun() -> Any:
        from dreamer.visualizing.photos import accentuation_run

        return accentuation_run(asked.photo, objective, anchor, anchor_weight=anchor_weight, **asked.settings)

    draw(
        ctx,
        asked,
        begun,
        lambda run, _result: {"anchor": anchor, "weight": _weight(run)},
        say=lambda run, _result: [f"the anchor {anchor} counts {_weight(run):g} times, as was measured"],
    )


def _weight(run: VisualizeRun) -> float:
    """What was measured for the anchor, the last term."""
    return run.objectives[0].terms[-1][0]
