from __future__ import annotations

import numpy as np
import pytest

from dreamer.ascent import transforms
from dreamer.ascent.backend import compile_gradient
from dreamer.ascent.objectives import channel, layer
from dreamer.ascent.transforms import View


@pytest.mark.parametrize("objective", [layer("second"), 2 * layer("first") - channel("second", 1)])
def test_the_gradient_is_that_of_finite_differences(picture, tiny_network, objective):
    activations = tiny_network.activations(objective.layers)
    gradient = compile_gradient(lambda x, _matrix: objective.score(activations(x)))
    direction = np.random.default_rng(0).normal(size=picture.shape).astype(np.float32)
    h = 1e-2
    (up, _), (down, _) = (gradient((picture + s * h * direction)[None], transforms.IDENTITY) for s in (1, -1))
    _, gradients = gradient(picture[None], transforms.IDENTITY)
    assert (up[0] - down[0]) / (2 * h) == pytest.approx(float((gradients[0] * direction).sum()), rel=2e-3)


def test_the_gradient_flows_through_rotation_and_scale(picture, tiny_network):
    activations = tiny_network.activations(["second"])
    gradient = compile_gradient(lambda x, m: layer("second").score(activations(transforms.warp(x, m))))
    matrix = View((0, 0), degrees=7, zoom=1.05).matrix(picture.shape[:2])
    scores, gradients = gradient(picture[None], matrix)
    step = 1e-2 * gradients[0] / np.sqrt((gradients[0] ** 2).mean())
    climbed, _ = gradient((picture + step)[None], matrix)
    # First-order prediction; the framework's own gradient of the interpolation is good to some per cent.
    assert climbed[0] - scores[0] == pytest.approx(float((gradients[0] * step).sum()), rel=0.15)


def test_one_trace_serves_every_batch_and_size():
    traces = []

    def score(x, _matrix):
        traces.append(x.shape)
        return x[:, 0, 0, 0]

    gradient = compile_gradient(score)
    gradient(np.zeros((1, 9, 7, 3), np.float32), transforms.IDENTITY)
    first = len(traces)
    for batch, height, width in [(2, 9, 7), (1, 31, 64), (3, 5, 5)]:
        gradient(np.zeros((batch, height, width, 3), np.float32), transforms.IDENTITY)
    assert len(traces) == first == 1
