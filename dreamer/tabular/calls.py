"""The call that finds rows: a network of tables in, the rows that a unit answers to out.

(The function lives here and not in a module ``row``, because importing that would hide ``dreamer.row``.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dreamer.objectives import Objective
from dreamer.tabular import tables
from dreamer.tabular.columns import Column
from dreamer.tabular.rows import Rows
from dreamer.tabular.run import Search, Told
from dreamer.tabular.settings import RowSettings


def row(
    objective: Objective | str,
    settings: RowSettings | None = None,
    *,
    network: Any,
    columns: str | Path | Sequence[Column] | None = None,
    data: str | Path | None = None,
    start: str | Path | Mapping[str, Any] | None = None,
    on_step: Told | None = None,
    **keywords: Any,
) -> Rows:
    """Find the rows of a table that a unit of a network answers to, or the least change that flips an answer.

    Args:
        objective: As for :func:`dreamer.visualize`: ``"logit:default"``, ``"dense_1:3"``, a sum.
        settings: How.
        network: The path of a ``.keras`` file, or a Keras network, that takes rows.
        columns: What a row is made of: a TOML file, or :class:`~dreamer.tabular.columns.Column`; None for what the file
            beside the network says, or the table shows.
        data: A CSV file of real rows.
        start: A row to be changed: a CSV file of which the first is taken, or its values by column. Then the least
            changes are found after which the class of the objective is the answer.
        on_step: Called with what is being done, and how much of all is done.
        **keywords: Fields of :class:`RowSettings`, in place of ``settings`` or on top of them.

    Returns:
        The rows, each with its score as the network gives it for the row as it stands.

    Raises:
        SettingsError: A setting is impossible, or the columns are not those of the network or the table.
        ModelError: The network takes no rows, or has no such unit.

    Example:
        >>> import dreamer
        >>> dreamer.row("logit:default", network="credit.keras", data="credit.csv")  # doctest: +SKIP
        <Rows of logit:default: most 6.53, most 6.41, most 3.1, most 2.88>
    """
    search = Search(network, columns, data, RowSettings.merged(settings, keywords))
    if start is None:
        return search.answer(objective, on_step)
    return search.change(objective, _table(start), on_step=on_step)


def _table(start: str | Path | Mapping[str, Any]) -> tables.Table:
    if isinstance(start, str | Path):
        return tables.read(Path(start))
    cells = {str(name): (str(value),) for name, value in start.items()}
    return tables.Table(Path("the row"), tuple(cells), cells, (1,), is_file=False)
