"""Check the dream of a photo that ``dreamer dream PHOTO`` has just written: it differs and scores higher.

python scripts/check_dream.py samples/galaxies.jpg
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from dreamer import images
from dreamer.models import labels, registry


def main(photo: Path) -> None:
    """Compare the photo with its dream; exit with a message if it is no dream."""
    dream = photo.with_name(f"{photo.stem}-dream{photo.suffix}")
    before, after = images.read(photo).pixels, images.read(dream).pixels
    change = float(np.sqrt(np.mean((after - before) ** 2)))
    settings = images.read_recipe(dream)["settings"]
    network = registry.load(settings["model"])
    layer = settings["objective"]
    activations = network.forward([layer])
    scores = [float(np.mean(np.square(activations(picture[None])[layer]))) for picture in (before, after)]
    if labels.imagenet()[285].name != "Egyptian cat":
        sys.exit("the installed package has lost its class names")
    print(f"{dream}: changed by {change:.3f} (root mean square), score {scores[0]:.1f} -> {scores[1]:.1f}")
    if before.shape != after.shape or change < 0.02 or scores[1] < 1.5 * scores[0]:
        sys.exit(f"{dream} is no dream of {photo}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
