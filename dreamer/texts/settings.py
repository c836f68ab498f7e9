"""What can be shown of a recurrent layer, and what units may follow: the names.

Must not import NumPy, Keras or anything heavy: the command line reads its choices from here.
"""

from __future__ import annotations

SHOWN = ("hidden", "cell", "input", "forget", "output", "update", "reset")
"""What a layer has at each step: its output, ``tanh`` of its cell, and its gates (of an LSTM, then of a GRU)."""

FOLLOWED = ("strings", "comments", "brackets", "indent", "line-end", "url")
"""What units may follow."""

DEFAULT_MODEL = "char.keras"
"""The network of characters that is looked at, and written, where none is named: one in this folder."""

TRAIN_STEPS = 2000
