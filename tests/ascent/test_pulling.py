"""The pull of a prior on a dream, on the host and on a device."""

from __future__ import annotations

import numpy as np
import pytest
from priors.making import blurring

from dreamer.ascent import on_device
from dreamer.ascent.conditioning import CONDITIONINGS
from dreamer.ascent.loop import ascend, ascend_on_device
from dreamer.ascent.pulling import LEVELS, Pulling
from dreamer.ascent.schedule import falling
from dreamer.ascent.scoring import alone
from dreamer.ascent.tile_view import draw
from dreamer.ascent.tiling import Tiling, tiled
from dreamer.backends import backend
from dreamer.objectives import layer
from dreamer.priors import loading

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


@pytest.fixture
def pulling(tmp_path):
    blurring(channels=4).save(tmp_path / "told.keras")
    return Pulling(loading.load(str(tmp_path / "told.keras")), 0.3, (0.2, 0.05))


def views(step):
    return draw(seed=4, octave=0, step=step, rotate=0, scale=0)


def test_the_noise_falls_in_levels(pulling):
    found = [pulling.deviation(step, 20) for step in range(20)]
    assert found[0] == 0.2
    assert found[-1] == pytest.approx(0.05)
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == LEVELS
    assert pulling.deviation(0, 1) == 0.2
    assert falling((0.2, 0.0), 0.5) == pytest.approx(0.1)


@pytest.mark.parametrize(("tile", "ladder"), [(64, False), (20, False), (64, True)])
def test_the_device_is_pulled_as_the_host(tiny_network, picture, pulling, tile, ladder):
    activations = tiny_network.forward(["second"])
    tiling = Tiling(tile=tile, jitter=6, ladder=ladder)
    photo = np.ascontiguousarray(picture[::-1])
    how = {"views": views, "num_steps": 5, "step_size": 0.02}
    gradient = backend.compile_gradient(lambda x, _: activations(x), alone(layer("second")))
    host = ascend(
        picture.copy(), tiled(gradient, tiling), conditioning=CONDITIONINGS["none"].host,
        pull=pulling.on_host(photo, 5), **how,
    )  # fmt: skip
    expected = [step.picture().copy() for step in host]
    raw = backend.tile_gradient(lambda x, _: activations(x), alone(layer("second")), ())
    program = backend.compile_chunk(on_device.chunk(raw, CONDITIONINGS["none"].device, pulling.prior))
    device = ascend_on_device(
        picture, program, tiling.grid(picture.shape[:2]), ladder=ladder, pull=(pulling, photo), **how
    )
    assert list(device)[-1].picture() == pytest.approx(expected[-1], abs=1e-3)
