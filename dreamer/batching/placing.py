"""A finished dream comes to its place, and its record with it.

The one idea: a note goes before it and is removed after the record, so that being killed at any point does no harm.

Must not import: networks, Keras.
"""

from __future__ import annotations

from typing import Protocol

from dreamer.batching.jobs import FileJob, pending_name, record_name
from dreamer.batching.records import Record


class Place(Protocol):
    """What puts a dream in its place."""

    def __call__(self, *, overwrite: bool) -> None:
        """Put it there, whole or not at all.

        Raises:
            FileExistsError: A file is there, and may not be replaced.
        """


def put(job: FileJob, record: Record, place: Place) -> None:
    """Put a dream and its record in their places.

    Args:
        job: Whose dream it is.
        record: What is to be said of it, its digest included.
        place: Puts the dream itself there.

    Raises:
        OSError: A folder cannot be reached, or a file is in the way by now.
    """
    outputs = job.outputs
    outputs.write(pending_name(job.target), record.to_json(), overwrite=True)
    try:
        place(overwrite=job.replaces)
    except FileExistsError:
        # Another attempt at this very job may have come as far as this.
        if outputs.sha256(job.target) != record.output_sha256:
            outputs.remove(pending_name(job.target))
            raise
    record = record.stamped(outputs.stamp(job.target))
    outputs.write(record_name(job.target), record.to_json(), overwrite=True)
    outputs.remove(pending_name(job.target))
