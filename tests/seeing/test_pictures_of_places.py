"""Whoever points at a photo sees channels that do not stand out in all of it; what an atlas has of them is shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dreamer.models.positions import Axis, Positions
from dreamer.seeing import calls, drawing
from dreamer.seeing.photo import LayerSeen, UnitSeen
from dreamer.seeing.settings import SeeSettings


def _layer():
    """Nine channels at two places: 0 to 4 stand out at the first, 4 to 8 at the second, and 0 in the whole photo."""
    stands_out = np.array([[[9, 8, 7, 6, 5, 0, 0, 0, 0], [0, 0, 0, 0, 5, 6, 7, 8, 8.5]]], np.float32)
    unit = UnitSeen(channel=0, score=9.0, stands_out=9.0, beats=None, at=(0, 0))
    return LayerSeen("a", Positions(Axis(1, 4, 8), Axis(2, 4, 8), (8, 16), None), stands_out, stands_out, (unit,))


def test_pictures_of_what_stands_out_at_some_place_come_out_of_the_atlas(monkeypatch):
    asked = []
    picture = np.zeros((4, 4, 3), np.uint8)

    def from_atlas(folder, held, units):
        asked.extend(units)
        return {unit: picture for unit in units if unit[1] in (0, 7)}

    monkeypatch.setattr(drawing, "from_atlas", from_atlas)
    (layer,) = calls._with_pictures([_layer()], SeeSettings(steps=0, top=1), None, None, Path("atlas"), id, id)
    assert sorted(asked) == [("a", channel) for channel in range(9)]
    assert set(layer.pictures) == {0, 7}
