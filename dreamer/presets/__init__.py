"""Presets: looks that go by a name.

    preset.py   Preset: read from its file and checked
    tables.py   tables of TOML that say how to dream, read and checked
    looks.py    several looks in one preset
    mixing.py   presets mixed into one dream, or each in a region of it
    folders.py  where presets live: those that ship, the user's own, those of plug-ins
    text.py     presets as the text of their files

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

from dreamer.presets import folders
from dreamer.presets.folders import names, own_folder, shipped_folder
from dreamer.presets.mixing import Named, mixed, of_words
from dreamer.presets.preset import Preset, find

__all__ = ["Named", "Preset", "find", "folders", "mixed", "names", "of_words", "own_folder", "shipped_folder"]
