"""Makes docs/gallery.md and its pictures: every preset on a portrait, a landscape with sky, a night and a print.

    python scripts/make_gallery.py FOLDER                 # all presets
    python scripts/make_gallery.py FOLDER lace eyes       # some again; the page is that of all

FOLDER holds three of the CC0 photos by the makers of Budgie: lake-sherburne.jpg, singaporean-cityscape.jpg,
ocean-waves.jpg (a coloured print, which has outlines and flat colours as drawings have). The portrait is a sample.
Each picture is a dream at 400 pixels by the preset alone, seed 0, nothing else changed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import dreamer
from dreamer import presets
from dreamer.arrays import FloatArray

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs/images/gallery"
SIDE = 400
GAP = 4
HEIGHT = 264
"""Pixels of a strip: what is taller is cropped in the middle."""

FILES = ("lake-sherburne.jpg", "singaporean-cityscape.jpg", "ocean-waves.jpg")

HEAD = """# Gallery

Every preset on four kinds of picture: a portrait, a landscape with sky, a night, a coloured print. Nothing but
`--preset` was given, and `--max-size 400`. [presets.md](presets.md) says how to use them and how to make your own.
(Made by `scripts/make_gallery.py`. The cat: Stefan van der Walt, CC0; the others: the makers of Budgie, CC0.)

![The four as they are](images/gallery/photos.webp)
"""


def main() -> None:
    """Draw what is asked for, and write the page of all."""
    folder, *names = sys.argv[1:]
    files = [ROOT / "samples/cat.png", *(Path(folder) / name for name in FILES)]
    PICTURES.mkdir(parents=True, exist_ok=True)
    _save([dreamer.dream(file, max_size=SIDE, steps=1, octaves=1, strength=0).pixels for file in files], "photos")
    for name in names or presets.names():
        settings = presets.find(name).settings(max_size=SIDE)
        _save([dreamer.dream(file, settings).pixels for file in files], name)
        print(name, flush=True)
    (ROOT / "docs/gallery.md").write_text(HEAD + "".join(_entry(presets.find(name)) for name in presets.names()))


def _save(pictures: list[FloatArray], name: str) -> None:
    strip = np.ones((HEIGHT, len(pictures) * (SIDE + GAP) - GAP, 3), np.float32)
    for place, picture in enumerate(pictures):
        cut, below = max(0, len(picture) - HEIGHT) // 2, max(0, HEIGHT - len(picture)) // 2
        shown = picture[cut : cut + HEIGHT]
        left = place * (SIDE + GAP)
        strip[below : below + len(shown), left : left + shown.shape[1]] = shown
    levels = np.round(255 * strip).astype(np.uint8)
    Image.fromarray(levels).save(PICTURES / f"{name}.webp", quality=82, method=6)


def _entry(preset: presets.Preset) -> str:
    picture = f"![{preset.title}](images/gallery/{preset.name}.webp)"
    return f"\n## {preset.title}\n\n`{preset.name}`: {preset.description}.\n\n{picture}\n"


if __name__ == "__main__":
    main()
