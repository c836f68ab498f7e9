"""How large the seams of tileable dreams are, as JSON: the edges' differences over those of neighbours inside.

    python benchmarks/tileable.py                      three photos of samples/ and nothing, in three presets
    python benchmarks/tileable.py --side 320           smaller
    python benchmarks/tileable.py --mosaics FOLDER     also 2 x 2 mosaics, to be looked at at 100 %

For each dream: ``rows`` and ``columns`` as ``dreamer.wrapping.seams`` gives them, and ``ordinary``: what nineteen of
twenty pairs of neighbours inside stay under. ``plain`` is the same dream without ``tileable``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

PHOTOS = ("coffee.png", "rocket.jpg", "galaxies.jpg", None)
PRESETS = ("stained-glass", "eyes", "fur-and-eyes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=360)
    parser.add_argument("--mosaics", type=Path)
    options = parser.parse_args()
    found = [measured(photo, preset, options) for preset in PRESETS for photo in PHOTOS]
    seams = [one["tileable"][way] for one in found for way in ("rows", "columns")]
    print(json.dumps({"mean": round(sum(seams) / len(seams), 3), "largest": max(seams), "dreams": found}, indent=2))


def measured(photo: str | None, preset: str, options: argparse.Namespace) -> dict[str, Any]:
    """The seams of a dream, with and without them being looked after."""
    import numpy as np

    import dreamer
    from dreamer import images, presets

    told: dict[str, Any] = {"seed": 1}
    if photo is None:
        told["size"] = (options.side * 9 // 16, options.side)
    else:
        told["max_size"] = options.side
    look = presets.find(preset).settings(**told)
    source = None if photo is None else ROOT / "samples" / photo
    answer: dict[str, Any] = {"photo": photo, "preset": preset}
    for name, tileable in (("tileable", True), ("plain", False)):
        made = dreamer.dream(source, look, tileable=tileable).photo.pixels
        answer[name] = dict(zip(("rows", "columns"), (ratios(made, axis)[-1] for axis in (0, 1)), strict=True))
        if tileable:
            inside = np.concatenate([ratios(made, axis)[:-1] for axis in (0, 1)])
            answer["ordinary"] = round(float(np.quantile(inside, 0.95)), 3)
            if options.mosaics is not None:
                options.mosaics.mkdir(exist_ok=True)
                mosaic = images.Photo(np.tile(made, (2, 2, 1)))
                path = options.mosaics / f"{Path(photo or 'nothing').stem}-{preset}.png"
                images.write(path, mosaic, recipe={}, overwrite=True)
    return answer


def ratios(picture: Any, axis: int) -> Any:
    """The difference of each row or column from the next, over the mean of those inside; the last is the seam."""
    import numpy as np

    pixels = picture.swapaxes(0, axis)
    steps = np.abs(np.diff(pixels, axis=0, append=pixels[:1])).mean(axis=(1, 2), dtype=np.float64)
    return np.round(steps / steps[:-1].mean(), 3)


if __name__ == "__main__":
    main()
