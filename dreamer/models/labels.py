"""Class names. Must not import Keras or anything heavy."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def imagenet() -> tuple[str, ...]:
    """The 1000 classes of ImageNet 2012, in the order of every network trained on them.

    Returns:
        For each index its WordNet synonyms, separated by commas.

    Example:
        >>> imagenet()[285]
        'Egyptian cat'
    """
    table = resources.files("dreamer.models").joinpath("imagenet_labels.tsv").read_text(encoding="utf-8")
    return tuple(line.split("\t")[1] for line in table.splitlines())
