from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from dreamer.ascent import tile_view
from dreamer.ascent.scoring import alone
from dreamer.ascent.tile_view import View
from dreamer.backends import convolutions
from dreamer.backends.backend import compile_gradient
from dreamer.errors import BackendError
from dreamer.objectives import channel, layer
from dreamer.targets import resolve


@pytest.mark.parametrize("objective", [layer("second"), 2 * layer("first") - channel("second", 1)])
def test_the_gradient_is_that_of_finite_differences(picture, tiny_network, objective):
    activations = tiny_network.forward(objective.layers)
    gradient = compile_gradient(lambda x, _matrix: activations(x), alone(resolve(objective, tiny_network)))
    direction = np.random.default_rng(0).normal(size=picture.shape).astype(np.float32)
    h = 1e-2
    (up, _), (down, _) = (gradient((picture + s * h * direction)[None], tile_view.IDENTITY) for s in (1, -1))
    _, gradients = gradient(picture[None], tile_view.IDENTITY)
    assert (up[0] - down[0]) / (2 * h) == pytest.approx(float((gradients[0] * direction).sum()), rel=2e-3)


def test_the_gradient_flows_through_rotation_and_scale(picture, tiny_network):
    activations = tiny_network.forward(["second"])
    gradient = compile_gradient(lambda x, m: activations(tile_view.warp(x, m)), alone(layer("second")))
    matrix = View((0, 0), degrees=7, zoom=1.05).matrix(picture.shape[:2])
    scores, gradients = gradient(picture[None], matrix)
    step = 1e-2 * gradients[0] / np.sqrt((gradients[0] ** 2).mean())
    climbed, _ = gradient((picture + step)[None], matrix)
    # First-order prediction; the framework's own gradient of the interpolation is good to some per cent.
    assert climbed[0] - scores[0] == pytest.approx(float((gradients[0] * step).sum()), rel=0.15)


def test_what_the_view_does_not_reach_gets_no_gradient(picture):
    gradient = compile_gradient(
        lambda x, m: {"seen": tile_view.warp(x, m)}, lambda a, _matrix: ops.sum(a["seen"], axis=(1, 2, 3))
    )
    _, gradients = gradient(picture[None], View((0, 0), zoom=1.5).matrix(picture.shape[:2]))
    seen = np.abs(gradients[0]).max(axis=2) > 0
    assert seen[8:-8, 11:-11].all()
    assert not seen[:5].any()
    assert not seen[:, :7].any()


def test_networks_get_the_quicker_gradients(lite0, monkeypatch):
    asked = []
    is_simple = convolutions._is_simple
    monkeypatch.setattr(convolutions, "_is_simple", lambda *a: (asked.append(is_simple(*a)), asked[-1])[1])
    activations = lite0.forward(["block3b"])
    gradient = compile_gradient(lambda x, _matrix: activations(x), alone(layer("block3b")))
    gradient(np.zeros((1, 32, 32, 3), np.float32), tile_view.IDENTITY)
    assert asked == [True] * 5  # Block 1a to 3b: each has one depthwise convolution.


def test_another_backend_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "openvino")
    expected = r"on 'openvino'; dreamer needs 'tensorflow', 'jax' or 'torch'. Set .*KERAS_BACKEND"
    with pytest.raises(BackendError, match=expected):
        compile_gradient(lambda x, _matrix: {"picture": x}, alone(layer("picture")))


def test_one_trace_serves_every_batch_and_size():
    traces = []

    def forward(x, _matrix):
        traces.append(x.shape)
        return {"picture": x}

    gradient = compile_gradient(forward, lambda a, _matrix: a["picture"][:, 0, 0, 0])
    gradient(np.zeros((1, 9, 7, 3), np.float32), tile_view.IDENTITY)
    first = len(traces)
    for batch, height, width in [(2, 9, 7), (1, 31, 64), (3, 5, 5)]:
        gradient(np.zeros((batch, height, width, 3), np.float32), tile_view.IDENTITY)
    assert len(traces) == first == 1
