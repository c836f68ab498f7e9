"""Dreams: what a network sees in a photo, enhanced octave by octave.

    settings.py   DreamSettings: what one dream is told
    sizes.py      how large a dream becomes, and whether there is room for it
    grounds.py    what a dream of nothing begins with
    looks.py      Look: one of several in a dream
    steps.py      photo -> dream, step by step
    ascent.py     the climb of an octave, where the network and the gradient ascent meet
    masks.py      the mask that settings name, of a file or made from the photo
    finish.py     the dream as a layer over its photo: colours, blending, mask, strength
    framing.py    which part of a photo is dreamt
    zoom.py       photo -> an endless zoom, frame by frame; its way, moves and loop in paths.py, moving.py, looping.py
    mixing.py     several looks: their shares, their climbs together, their finish
    zoom.py       photo -> an endless zoom, frame by frame
    photo.py      a photo with all that travels along -> its dream and its recipe

Must not import the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dreamer import lazy

if TYPE_CHECKING:
    from dreamer.dreaming.calls import dream, dream_steps, zoom_steps
    from dreamer.dreaming.looks import Look
    from dreamer.dreaming.photo import Dream
    from dreamer.dreaming.settings import DreamSettings
    from dreamer.dreaming.steps import DreamStep
    from dreamer.dreaming.zoom import ZoomStep

__all__ = ["Dream", "DreamSettings", "DreamStep", "Look", "ZoomStep", "dream", "dream_steps", "zoom_steps"]

__getattr__, __dir__ = lazy.exports(
    __name__,
    {
        "Dream": "dreamer.dreaming.photo",
        "DreamSettings": "dreamer.dreaming.settings",
        "DreamStep": "dreamer.dreaming.steps",
        "Look": "dreamer.dreaming.looks",
        "ZoomStep": "dreamer.dreaming.zoom",
        "dream": "dreamer.dreaming.calls",
        "dream_steps": "dreamer.dreaming.calls",
        "zoom_steps": "dreamer.dreaming.calls",
    },
)
