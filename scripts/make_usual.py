"""Finds what the channels of a bundled network usually give in the photos of a folder, as ``dreamer see`` needs it.

    python scripts/make_usual.py FOLDER [NETWORK...]

It writes dreamer/models/usual/<digest of the weights>.npz: quantiles of peaks, no photo and nothing of one.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from dreamer.models import registry
from dreamer.searching import peaks
from dreamer.searching.filling import Index
from dreamer.searching.looking import Photos

FOLDER = Path(__file__).resolve().parents[1] / "dreamer" / "models" / "usual"
NETWORKS = ("efficientnet_lite0", "efficientnet_lite0_robust", "efficientnet_lite1", "efficientnet_lite2")


def main(photos: str, *names: str) -> None:
    """Look at the photos with each network."""
    FOLDER.mkdir(exist_ok=True)
    for name in names or NETWORKS:
        network = registry.load(name)
        layers = [*network.blocks, *([network.logits] if network.logits else [])]
        with tempfile.TemporaryDirectory() as folder:  # Some gigabytes: the first layers find much.
            index = Index(network, Photos.of(photos), layers, Path(folder))
            index.fill(note=lambda line: print(line, file=sys.stderr))
            print(peaks.usual(index, layers).save(FOLDER, network.weights_sha256))


if __name__ == "__main__":
    main(*sys.argv[1:])
