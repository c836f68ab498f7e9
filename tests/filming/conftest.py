"""A real photo, and dreams of clips by networks that are there already."""

from __future__ import annotations

import numpy as np
import pytest
from filming_case import TINY, numbered
from PIL import Image

import dreamer


@pytest.fixture(scope="session")
def cat(samples):
    """A photo of a cat: (300, 451, 3) uint8."""
    return np.asarray(Image.open(samples / "cat.png").convert("RGB"))


@pytest.fixture
def dreamt(tmp_path, tiny_network):
    """Dream frames with the tiny network: the steps of ``dreamer.video_steps``."""

    def dream(frames, **keywords):
        pattern = numbered(tmp_path / f"frames-{len(list(tmp_path.iterdir()))}", frames)
        network = keywords.pop("network", tiny_network)
        return list(dreamer.video_steps(pattern, **{"network": network, "note": pytest.fail} | TINY | keywords))

    return dream
