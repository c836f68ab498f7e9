"""What is made larger: parts of a network as values that add up, how they are written and how they are read.

    objective.py   Objective, a weighted sum of terms, and the makers of terms
    kinds.py       the kinds of terms, a class each
    directions.py  directions and guides, whose numbers come from elsewhere
    comparisons.py   likeness and distance, which compare with a photo
    style.py       statistics of a layer, compared with those of a painting
    terms.py       Term: what every kind has
    grammar.py     text -> terms
    bounds.py      what an objective can hold

Must not import NumPy, Keras or anything heavy: settings hold objectives, and the command line reads those.
"""

from __future__ import annotations

from dreamer.objectives.objective import (
    Objective,
    channel,
    custom,
    direction,
    diversity,
    guided,
    interpolated,
    layer,
    like,
    logit,
    near,
    neuron,
    penalty,
    style,
)
from dreamer.objectives.terms import Term

__all__ = [
    "Objective",
    "Term",
    "channel",
    "custom",
    "direction",
    "diversity",
    "guided",
    "interpolated",
    "layer",
    "like",
    "logit",
    "near",
    "neuron",
    "penalty",
    "style",
]
