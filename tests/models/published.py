"""A made-up network whose weights are published on a local server; as a script, it fetches them.

python published.py URL SHA256        fetches, prints what is reported and what came of it
"""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path

import click

from dreamer.errors import DreamerError, WeightsError
from dreamer.models import fetching, store
from dreamer.models.specs import ModelSpec, known
from dreamer.models.weights import PublishedWeights

FILE = "made-up.bin"
CONTENT = b"made-up weights " * 40_000


def spec(url: str, digest: str, also: tuple[str, ...] = ()) -> ModelSpec:
    """A network whose weights are at ``url``."""
    weights = PublishedWeights(
        name="made_up", url=url, digest=digest, size=len(CONTENT), license="CC0-1.0", made_by="nobody",
        convert=f"{__name__}:convert", also=also,
    )  # fmt: skip
    return dataclasses.replace(known()["inception_v1"], name="made_up", weights=weights)


def convert(source: Path, folder: Path, _spec: ModelSpec) -> str:
    """Keeps what begins as it should, however long it is: a stand-in for a check of the shape."""
    content = source.read_bytes()
    if not content.startswith(CONTENT[:16]):
        raise WeightsError(f"{source.name} does not fit")
    (folder / "aside.txt").write_text("aside")
    (folder / "network.bin").write_bytes(content[::-1])
    return "network.bin"


class Printing(fetching.FetchReport):
    """Prints what it is told, and sleeps a little, so that a test can step in."""

    def say(self, line: str) -> None:
        click.echo(line.split(":")[0])

    def received(self, done: int, total: int | None) -> None:
        click.echo("received")
        time.sleep(0.02)


if __name__ == "__main__":
    try:
        click.echo("fetched" if fetching.ensure(spec(sys.argv[1], sys.argv[2]), report=Printing()) else "there")
    except DreamerError as error:
        sys.exit(str(error))
    click.echo(len(store.find("made_up").network.read_bytes()))
