"""What libtiff says on standard error, from C, kept from the terminal.

The one idea: while it decodes, descriptor 2 leads to a file, and Python's own standard error to where descriptor 2
led before. So what other threads print by way of Python goes where it should, and only what C code says is caught.

Must not import anything of the package.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

# "ZIPDecode: Decoding error at scanline 0.": a function or module of libtiff, and what it has to say.
_OF_LIBTIFF = re.compile(rb"[\w.]*: .*")


@contextmanager
def caught(said: list[str]) -> Iterator[None]:
    """Catch what libtiff says; only one thread at a time may ask for it.

    Args:
        said: Is given the lines, once the decoder is done.
    """
    try:
        terminal = os.dup(2)
    except OSError:  # There is no standard error, as in a service.
        yield
        return
    before = sys.stderr
    with tempfile.TemporaryFile() as file, os.fdopen(terminal, "w", encoding="utf-8", errors="replace") as shown:
        leads_there = _leads_to_descriptor_2(before)
        if leads_there:
            before.flush()
            sys.stderr = shown
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            if leads_there:
                before.flush()
            os.dup2(terminal, 2)
            if sys.stderr is shown:
                sys.stderr = before
            shown.flush()
            file.seek(0)
            for line in file:
                if _OF_LIBTIFF.fullmatch(line.rstrip(b"\r\n")):
                    said.append(line.decode("utf-8", "replace").strip())
                else:  # Of another thread, by way of C.
                    os.write(2, line)


def _leads_to_descriptor_2(stream: TextIO) -> bool:
    try:
        return bool(stream.fileno() == 2)
    except (OSError, ValueError, AttributeError):
        return False
