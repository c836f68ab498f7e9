"""Shots dreamt by processes of this machine or of a cluster, and how far they are meanwhile.

Must not import: networks, Keras, the command line.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from dreamer import errors
from dreamer.errors import DreamerError
from dreamer.filming.jobs import Flickers, ShotJob, shot_job
from dreamer.filming.kept import Kept
from dreamer.workers import pools
from dreamer.workers.places import Place

_SECONDS_BETWEEN_LOOKS = 1.0


def dreamt(
    jobs: Sequence[ShotJob], place: Place, kept: Kept, on_count: Callable[[int], None]
) -> Iterator[tuple[Flickers, tuple[str, ...]]]:
    """Dream shots, as many at a time as there are places for.

    Args:
        jobs: A shot each.
        place: Where.
        kept: Where their frames are kept.
        on_count: Told now and then how many frames are there.

    Yields:
        Of each shot how much its frames flicker, and remarks.

    Raises:
        DreamerError: A shot cannot be dreamt.
    """
    with closing(place.pool()) as pool, _watched(kept, on_count):
        for outcome in pools.run(jobs, shot_job, pool, retries=place.retries):
            if outcome.failure is not None or outcome.result is None:
                failure = outcome.failure
                kind = getattr(errors, failure.kind, DreamerError) if failure else DreamerError
                raise kind(failure.message if failure else "nothing came back of a shot")
            yield outcome.result


@contextmanager
def _watched(kept: Kept, on_count: Callable[[int], None]) -> Iterator[None]:
    over = threading.Event()

    def look() -> None:
        while not over.wait(_SECONDS_BETWEEN_LOOKS):
            if count := kept.count():
                on_count(count)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
