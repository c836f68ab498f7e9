"""Visualizations: pictures that units of a network answer to, drawn from noise.

    settings.py   VisualizeSettings: what one visualization is told
    steps.py      targets -> pictures, step by step
    batch.py      targets that are drawn together, where the network and the optimizer meet
    schedule.py   what goes with each parametrization; how a run proceeds
    spectrum.py   the magnitude spectrum of photos, and its file

Must not import the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dreamer import lazy

if TYPE_CHECKING:
    from dreamer.visualizing.batch import Visualization
    from dreamer.visualizing.settings import VisualizeSettings
    from dreamer.visualizing.steps import VisualizeStep, visualize, visualize_steps

__all__ = ["Visualization", "VisualizeSettings", "VisualizeStep", "visualize", "visualize_steps"]

__getattr__, __dir__ = lazy.exports(
    __name__,
    {
        "Visualization": "dreamer.visualizing.batch",
        "VisualizeSettings": "dreamer.visualizing.settings",
        "VisualizeStep": "dreamer.visualizing.steps",
        "visualize": "dreamer.visualizing.steps",
        "visualize_steps": "dreamer.visualizing.steps",
    },
)
