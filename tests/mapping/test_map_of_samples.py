"""A map of real photos by the bundled network: its icons are what its cells hold."""

from __future__ import annotations

import shutil

import numpy as np

import dreamer


def test_icons_are_near_to_what_their_cells_hold(samples, tmp_path):
    # The four by name: what somebody dreamt of them lies beside them.
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("cat.png", "coffee.png", "galaxies.jpg", "rocket.jpg"):
        shutil.copy(samples / name, photos)
    made = dreamer.map_photos(
        "block4b", photos, grids=2, per_photo=12, steps=48, index=tmp_path / "index", note=lambda _line: None
    )
    cells = made.levels[2]
    assert sum(one.cell.count for one in cells) <= len(made.points) == 48
    assert min(one.alike for one in cells) > 0.5
    # What lies in a cell is nearer to its mean than what lies in the others.
    unit = made.points.activations / np.linalg.norm(made.points.activations, axis=1, keepdims=True)
    for one in cells:
        likeness = unit @ (one.cell.mean / np.linalg.norm(one.cell.mean))
        others = np.setdiff1d(np.arange(len(unit)), one.cell.members)
        assert likeness[one.cell.members].mean() > likeness[others].mean() + 0.05
