"""dreamer: DeepDream and feature visualization on Keras.

    >>> import dreamer
    >>> picture = dreamer.dream("photo.jpg", seed=7)  # doctest: +SKIP

Public names load when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dreamer import lazy, moved
from dreamer.version import __version__

if TYPE_CHECKING:
    from dreamer import images, objectives, presets, texts
    from dreamer.atlases.calls import Atlas, atlas
    from dreamer.batching.calls import BatchResult, batch
    from dreamer.choosing.calls import dream_sheet
    from dreamer.choosing.made import DreamSheet, SheetCell
    from dreamer.dreaming.calls import dream, dream_steps, zoom_steps
    from dreamer.dreaming.looks import Look
    from dreamer.dreaming.photo import Dream
    from dreamer.dreaming.plan import DreamPlan
    from dreamer.dreaming.settings import DreamSettings
    from dreamer.dreaming.steps import DreamStep
    from dreamer.dreaming.zoom import ZoomStep
    from dreamer.earlier import dream_again
    from dreamer.errors import DreamerError
    from dreamer.filming.calls import video, video_steps
    from dreamer.filming.made import DreamtVideo, VideoStep
    from dreamer.filming.settings import VideoSettings
    from dreamer.fooling.calls import fool
    from dreamer.fooling.fooled import Fooled
    from dreamer.fooling.settings import FoolSettings
    from dreamer.mapping.atlas import ActivationMap
    from dreamer.mapping.calls import map_photos
    from dreamer.mapping.settings import MapSettings
    from dreamer.masking.calls import mask
    from dreamer.models.network import Network
    from dreamer.models.registry import load
    from dreamer.objectives import Objective
    from dreamer.results import Interrupted
    from dreamer.searching.calls import search
    from dreamer.searching.found import Found
    from dreamer.searching.settings import SearchSettings
    from dreamer.seeing.calls import see
    from dreamer.seeing.photo import PhotoSeen
    from dreamer.seeing.settings import SeeSettings
    from dreamer.tabular.calls import row
    from dreamer.tabular.rows import Rows
    from dreamer.tabular.settings import RowSettings
    from dreamer.transforms import Transforms
    from dreamer.visualizing.calls import visualize, visualize_steps
    from dreamer.visualizing.photos import Inversion, accentuate, caricature, invert
    from dreamer.visualizing.settings import VisualizeSettings
    from dreamer.visualizing.steps import VisualizeStep
    from dreamer.visualizing.visualization import Visualization, sheet

__all__ = [
    "ActivationMap",
    "Atlas",
    "BatchResult",
    "Dream",
    "DreamPlan",
    "DreamSettings",
    "DreamSheet",
    "DreamStep",
    "DreamerError",
    "DreamtVideo",
    "FoolSettings",
    "Fooled",
    "Found",
    "Interrupted",
    "Inversion",
    "Look",
    "MapSettings",
    "Network",
    "Objective",
    "PhotoSeen",
    "RowSettings",
    "Rows",
    "SearchSettings",
    "SeeSettings",
    "SheetCell",
    "Transforms",
    "VideoSettings",
    "VideoStep",
    "Visualization",
    "VisualizeSettings",
    "VisualizeStep",
    "ZoomStep",
    "__version__",
    "accentuate",
    "atlas",
    "batch",
    "caricature",
    "dream",
    "dream_again",
    "dream_sheet",
    "dream_steps",
    "fool",
    "images",
    "invert",
    "load",
    "map_photos",
    "mask",
    "objectives",
    "presets",
    "row",
    "search",
    "see",
    "sheet",
    "texts",
    "video",
    "video_steps",
    "visualize",
    "visualize_steps",
    "zoom_steps",
]

__getattr__, __dir__ = lazy.exports(
    "dreamer",
    {
        "Atlas": "dreamer.atlases.calls",
        "ActivationMap": "dreamer.mapping.atlas",
        "BatchResult": "dreamer.batching.calls",
        "Dream": "dreamer.dreaming.photo",
        "DreamPlan": "dreamer.dreaming.plan",
        "DreamSettings": "dreamer.dreaming.settings",
        "DreamSheet": "dreamer.choosing.made",
        "DreamStep": "dreamer.dreaming.steps",
        "DreamerError": "dreamer.errors",
        "DreamtVideo": "dreamer.filming.made",
        "FoolSettings": "dreamer.fooling.settings",
        "Fooled": "dreamer.fooling.fooled",
        "Found": "dreamer.searching.found",
        "Interrupted": "dreamer.results",
        "Look": "dreamer.dreaming.looks",
        "MapSettings": "dreamer.mapping.settings",
        "Inversion": "dreamer.visualizing.photos",
        "Network": "dreamer.models.network",
        "Objective": "dreamer.objectives",
        "PhotoSeen": "dreamer.seeing.photo",
        "RowSettings": "dreamer.tabular.settings",
        "Rows": "dreamer.tabular.rows",
        "SeeSettings": "dreamer.seeing.settings",
        "SearchSettings": "dreamer.searching.settings",
        "SheetCell": "dreamer.choosing.made",
        "Transforms": "dreamer.transforms",
        "VideoSettings": "dreamer.filming.settings",
        "VideoStep": "dreamer.filming.made",
        "Visualization": "dreamer.visualizing.visualization",
        "VisualizeSettings": "dreamer.visualizing.settings",
        "VisualizeStep": "dreamer.visualizing.steps",
        "ZoomStep": "dreamer.dreaming.zoom",
        "accentuate": "dreamer.visualizing.photos",
        "atlas": "dreamer.atlases.calls",
        "batch": "dreamer.batching.calls",
        "caricature": "dreamer.visualizing.photos",
        "dream": "dreamer.dreaming.calls",
        "dream_again": "dreamer.earlier",
        "dream_sheet": "dreamer.choosing.calls",
        "dream_steps": "dreamer.dreaming.calls",
        "fool": "dreamer.fooling.calls",
        "images": "dreamer.images",
        "invert": "dreamer.visualizing.photos",
        "load": "dreamer.models.registry",
        "map_photos": "dreamer.mapping.calls",
        "mask": "dreamer.masking.calls",
        "objectives": "dreamer.objectives",
        "presets": "dreamer.presets",
        "row": "dreamer.tabular.calls",
        "search": "dreamer.searching.calls",
        "see": "dreamer.seeing.calls",
        "sheet": "dreamer.visualizing.visualization",
        "texts": "dreamer.texts",
        "video": "dreamer.filming.calls",
        "video_steps": "dreamer.filming.calls",
        "visualize": "dreamer.visualizing.calls",
        "visualize_steps": "dreamer.visualizing.calls",
        "zoom_steps": "dreamer.dreaming.calls",
    },
)
moved.watch()
