"""Presets: looks that go by a name.

    preset.py   Preset: found, read and checked; where presets live
    text.py     presets as the text of their files

Must not import NumPy, Keras or anything heavy.
"""

from __future__ import annotations

from dreamer.presets.preset import Preset, find, names, own_folder, shipped_folder

__all__ = ["Preset", "find", "names", "own_folder", "shipped_folder"]
