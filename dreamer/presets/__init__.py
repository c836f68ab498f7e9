"""Presets: looks that go by a name.

    preset.py   Preset: read from its file and checked
    folders.py  where presets live: those that ship, the user's own, those of plug-ins
    text.py     presets as the text of their files

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

from dreamer.presets import folders
from dreamer.presets.folders import names, own_folder, shipped_folder
from dreamer.presets.preset import Preset, find

__all__ = ["Preset", "find", "folders", "names", "own_folder", "shipped_folder"]
