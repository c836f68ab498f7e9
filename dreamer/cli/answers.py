"""``--json``: what a command has to say, for a script, in one documented form.

The one idea: every command answers with the same envelope, ``{"format", "program", "version", "command", "items"}``,
and its items are of the shape that :data:`ITEMS` says; docs/json.md says the same in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dreamer.cli.help_page import MESSAGES, option
from dreamer.cli.outputs import print_json
from dreamer.shapes import Shape
from dreamer.version import __version__

FORMAT = 1

json_option = option(
    MESSAGES, "--json", "as_json", is_flag=True, help="Answer in JSON for a script, as docs/json.md says."
)

_SCORES: Shape = [{"target": str, "start": (float, None), "end": (float, None)}]

_PREDICTION: Shape = {"index": int, "name": str, "probability": float}

_RATE: Shape = {
    "network": str, "layer": str, "side": int, "precision": str, "seconds": float, "operations_per_second": float,
    "peak": float, "operations_bound": float, "memory_bound": float,
}  # fmt: skip

ITEMS: Mapping[str, Shape] = {
    "dream": {
        "photo": (str, None), "path": (str, None), "width": int, "height": int, "frames": int, "score": (float, None),
        "partial": bool, "recipe": {str: object},
        "error": {"kind": str, "message": str},  # Of one of several that failed, which has only photo and path besides.
    },
    "sheet": {
        "photo": str, "path": str, "width": int, "height": int,
        "cells": [
            {"number": int, "label": str, "preset": (str, None), "settings": {str: object}, "error": (str, None)},
        ],
        "planned": int, "partial": bool, "recipe": {str: object},
    },
    "visualize": {"path": str, "targets": [str], "scores": _SCORES, "partial": bool, "recipe": {str: object}},
    "caricature": {
        "photo": str, "path": str, "layers": [str], "targets": [str], "scores": _SCORES, "partial": bool,
        "recipe": {str: object},
    },
    "invert": {
        "photo": str, "path": str, "layer": str, "cosine": float, "targets": [str], "scores": _SCORES, "partial": bool,
        "recipe": {str: object},
    },
    "accentuate": {
        "photo": str, "path": str, "anchor": str, "weight": float, "targets": [str], "scores": _SCORES, "partial": bool,
        "recipe": {str: object},
    },
    "mask": {
        "photo": str, "path": str, "kind": str, "width": int, "height": int, "share": float, "recipe": {str: object},
    },
    "batch": {
        "status": str, "preset": str, "input": str, "output": str, "reason": str, "attempts": int, "seconds": float,
        "error": {"kind": str, "message": str}, "notes": [str],
    },
    "video": {
        "video": str, "path": str, "sheet": (str, None), "width": int, "height": int, "frames": int, "planned": int,
        "flicker": (float, None), "partial": bool, "notes": [str], "recipe": {str: object},
    },
    "atlas": {
        "layer": str, "index": int, "name": str, "picture": (str, None), "score": (float, None), "dead": bool,
        "page": str,
    },
    "fool": {
        "photo": str, "path": (str, None), "shown": (str, None), "bound": (float, None), "success": bool, "l2": float,
        "linf": int, "steps": int, "judge_fooled": (bool, None), "already": bool,
        # Of a single photo and bound.
        "said": [{"model": str, "fooled": bool, "seen": [int], "before": [_PREDICTION], "after": [_PREDICTION]}],
        "recipe": {str: object},
    },
    "see": {
        "photo": str, "path": str, "seen": [int], "predictions": [_PREDICTION], "crops": int,
        "crop_predictions": [_PREDICTION],
        "layers": [
            {
                "name": str, "total": (float, None),
                "units": [
                    {
                        "channel": int, "score": float, "unusual": float, "beats": (float, None),
                        "at": ([int], None), "attribution": (float, None),
                    },
                ],
            },
        ],
        "recipe": {str: object},
    },
    "search": {
        "end": str, "rank": int, "photo": str, "score": float, "at": ([int], None), "box": [float],
        "agrees": (float, None), "alike": [str], "page": (str, None),
    },
    "map": {
        "grid": int, "row": int, "column": int, "count": int, "alike": (float, None),
        "labels": [{"index": int, "name": str, "attribution": float}], "photos": [str], "page": str,
    },
    "row": {
        "objective": str, "which": str, "plausible": bool, "score": float, "probability": (float, None),
        "distance": (float, None), "line": (int, None), "changed": [str], "matters": {str: float},
        "values": {str: (float, int, str)}, "recipe": {str: object},
    },
    "text": {
        "layer": str, "unit": int, "shown": str, "deviation": float, "strongest": float, "step": int, "excerpt": str,
        "values": [float],  # Of a single unit.
        "follows": str, "auc": float, "high": bool, "luck": float, "sure": bool,  # With --find.
        "text": str, "score": float, "plausible": bool, "bits": (float, None), "recipe": {str: object},  # With --draw.
    },
    "text train": {
        "path": str, "steps": int, "bits": float, "weights": int, "characters": int, "partial": bool,
    },
    "presets list": {
        "name": str, "title": str, "description": str, "tags": [str], "networks": [str], "unseen": [str],
        "path": str, "own": bool,
    },
    "layers": {
        "name": str, "kind": str, "shape": [(int, None)], "channels": int, "sees": (int, None), "context": bool,
        "stride": (float, None), "classes": bool, "dreams_well": bool, "grows": (str, None), "default": bool,
    },
    "labels": {"index": int, "name": str, "synset": (str, None)},
    "models list": {
        "name": str, "title": str, "weights": str, "bytes": (int, None), "licence": str, "layer": (str, None),
    },
    "priors list": {
        "name": str, "title": str, "kind": str, "weights": str, "bytes": (int, None), "licence": str,
        "good_for": (str, None),
    },
    "doctor": {
        "backend": str, "devices": [str], "precision": {str: {"name": str, "why": str}}, "rate": (_RATE, None),
        "versions": {str: (str, None)}, "cache": str, "installed": [str], "cache_bytes": int,
    },
}  # fmt: skip
"""What each item of a command's answer holds, as :mod:`dreamer.shapes` writes it, by command."""


def print_answer(command: str, items: Iterable[Mapping[str, Any]]) -> None:
    """Print what a command has to say.

    Args:
        command: Its name, as ``"presets list"``.
        items: Each of the shape that :data:`ITEMS` says.
    """
    print_json(
        {
            "format": FORMAT,
            "program": "dreamer",
            "version": __version__,
            "command": command,
            "items": [dict(item) for item in items],
        }
    )
