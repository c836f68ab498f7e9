"""Visualizations: pictures that units of a network answer to, drawn from noise.

    settings.py   VisualizeSettings: what one visualization is told
    looks.py      looks by name, and which kind of target has which
    steps.py      targets -> pictures, step by step
    batch.py      targets that are drawn together, where the network and the optimizer meet
    plan.py       VisualizePlan: settings made complete, with the network at hand
    calls.py      visualize, visualize_steps: what others call
    run.py        what is drawn so far, and its recipe
    visualization.py   Visualization, a picture of a unit; sheets of them
    photos.py     caricature, invert, accentuate: pictures that are made from a photo
    balancing.py  the weight with which an anchor's gradient is as large as an objective's
    spectrum.py   the magnitude spectrum of photos, and its file

Must not import the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dreamer import lazy

if TYPE_CHECKING:
    from dreamer.visualizing.calls import visualize, visualize_steps
    from dreamer.visualizing.photos import Inversion, accentuate, caricature, invert
    from dreamer.visualizing.settings import VisualizeSettings
    from dreamer.visualizing.steps import VisualizeStep
    from dreamer.visualizing.visualization import Visualization, sheet

__all__ = [
    "Inversion",
    "Visualization",
    "VisualizeSettings",
    "VisualizeStep",
    "accentuate",
    "caricature",
    "invert",
    "sheet",
    "visualize",
    "visualize_steps",
]

__getattr__, __dir__ = lazy.exports(
    __name__,
    {
        "Inversion": "dreamer.visualizing.photos",
        "Visualization": "dreamer.visualizing.visualization",
        "VisualizeSettings": "dreamer.visualizing.settings",
        "VisualizeStep": "dreamer.visualizing.steps",
        "accentuate": "dreamer.visualizing.photos",
        "caricature": "dreamer.visualizing.photos",
        "invert": "dreamer.visualizing.photos",
        "sheet": "dreamer.visualizing.visualization",
        "visualize": "dreamer.visualizing.calls",
        "visualize_steps": "dreamer.visualizing.calls",
    },
)
