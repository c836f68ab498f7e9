"""``dreamer doctor``: what dreamer runs on, and how fast."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from dreamer.cli.answers import json_option, print_answer
from dreamer.cli.commands import Command
from dreamer.cli.options import backend_option, debug_option
from dreamer.cli.outputs import print_line
from dreamer.cli.progress import import_keras

if TYPE_CHECKING:
    from dreamer.doctor import Diagnosis, Rate


@click.command(cls=Command)
@json_option
@click.option("--no-rate", is_flag=True, help="Do not measure how fast it is, which takes some seconds.")
@backend_option
@debug_option
def doctor(as_json: bool, no_rate: bool) -> None:
    """Say what dreamer runs on, which precision it takes and why, and how fast it is."""
    import_keras()
    from dreamer.doctor import examine

    report = examine(measure=not no_rate)
    if as_json:
        print_answer("doctor", [report.to_dict()])
        return
    for head, text in _lines(report):
        print_line(f"{head:<10} {text}")


def _lines(report: Diagnosis) -> Iterator[tuple[str, str]]:
    yield "backend", f"{report.backend} {report.versions[report.backend]}"
    for device in report.devices:
        yield "device", device
    for network, (precision, why) in report.precision.items():
        yield "precision", f"{precision} for {network}: {why}"
    if report.rate:
        yield "rate", _rate(report.rate)
    yield "versions", ", ".join(f"{name} {version or 'not installed'}" for name, version in report.versions.items())
    networks = ", ".join(report.installed) or "no networks but the bundled ones"
    yield "cache", f"{report.cache}: {networks}, {report.cache_bytes / 1e6:.0f} MB"


def _rate(rate: Rate) -> str:
    bound = max(rate.operations_bound, rate.memory_bound)
    limit = "memory" if rate.memory_bound > rate.operations_bound else "matrix products"
    return (
        f"a gradient of {rate.network} {rate.layer} at {rate.side} pixels in {rate.seconds:.3f} s: "
        f"{rate.operations_per_second / 1e9:.0f} GFLOP/s, {rate.operations_per_second / rate.peak:.0%} of the "
        f"{rate.peak / 1e9:.0f} of a matrix product in {rate.precision}; {bound:.3f} s would be the limit of {limit}"
    )
