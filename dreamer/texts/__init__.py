"""Recurrent networks on characters and tokens: what each unit does at every step of a text.

    vocabulary  characters or tokens <-> numbers
    recurrent   one recurrent layer, step by step: states and gates
    reading     a text -> the states of a layer
    following   which units follow strings, comments, brackets: measured
    drawing     the text that a unit answers to
    training    a small network of characters of one's own
    colours     a text coloured by a unit, in a terminal
    page        the same as a page

Public names load when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dreamer import lazy

if TYPE_CHECKING:
    from dreamer.texts.drawing import Drawn, draw
    from dreamer.texts.following import Follows, find
    from dreamer.texts.reading import States, states
    from dreamer.texts.training import Trained, train
    from dreamer.texts.vocabulary import Vocabulary

__all__ = ["Drawn", "Follows", "States", "Trained", "Vocabulary", "draw", "find", "states", "train"]

__getattr__, __dir__ = lazy.exports(
    "dreamer.texts",
    {
        "Drawn": "dreamer.texts.drawing",
        "Follows": "dreamer.texts.following",
        "States": "dreamer.texts.reading",
        "Trained": "dreamer.texts.training",
        "Vocabulary": "dreamer.texts.vocabulary",
        "draw": "dreamer.texts.drawing",
        "find": "dreamer.texts.following",
        "states": "dreamer.texts.reading",
        "train": "dreamer.texts.training",
    },
)
