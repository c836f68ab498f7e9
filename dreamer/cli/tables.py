"""Rows of text in aligned columns, plain enough for ``grep`` and ``cut``."""

from __future__ import annotations

from collections.abc import Sequence

from dreamer.wording import one_line


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Align rows under their heads.

    Args:
        heads: One word a column.
        rows: As many cells each; numbers are aligned to the right. The last column is not padded.

    Example:
        >>> print(table(["name", "size"], [["a", 12], ["bc", 3]]))
        name  size
        a       12
        bc       3
    """
    texts = [list(heads), *([one_line(str(cell)) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(heads))]
    numeric = [bool(rows) and all(isinstance(row[column], int) for row in rows) for column in range(len(heads))]
    lines = (
        "  ".join(
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, numeric, strict=True)
        )
        for row in texts
    )
    return "\n".join(line.rstrip() for line in lines)
