from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from dreamer.ascent.depthwise import quicker_gradient


def gradients(size, kernel, strides, padding="SAME", dilation=1, multiplier=1):
    """The gradient of some scalar of a depthwise convolution, by TensorFlow and by us, and how it was computed."""
    rng = np.random.default_rng(0)
    picture = tf.constant(rng.normal(size=(2, *size, 3)).astype(np.float32))
    weights = tf.constant(rng.normal(size=(*kernel, 3, multiplier)).astype(np.float32))

    def gradient(override):
        def compute(x):
            def convolve():
                return tf.nn.depthwise_conv2d(x, weights, [1, *strides, 1], padding, dilations=[dilation] * 2)

            if override:
                with quicker_gradient():
                    y = convolve()
            else:
                y = convolve()
            return tf.gradients(tf.reduce_sum(tf.sin(y)), x)[0]

        program = tf.function(compute, input_signature=[tf.TensorSpec((None, None, None, 3))], autograph=False)
        operations = {operation.type for operation in program.get_concrete_function().graph.get_operations()}
        return program(picture).numpy(), "DepthwiseConv2dNativeBackpropInput" in operations

    return gradient(override=False), gradient(override=True)


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (1, 1), (2, 5), (11, 6)])
@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (3, 7)])
@pytest.mark.parametrize("strides", [(1, 1), (2, 2)])
def test_it_equals_tensorflows_own_without_using_it(size, kernel, strides):
    (expected, _), (ours, is_native) = gradients(size, kernel, strides)
    assert ours == pytest.approx(expected, abs=1e-5)
    assert not is_native


@pytest.mark.parametrize(
    "unusual",
    [
        {"strides": (1, 1), "padding": "VALID"},
        {"strides": (3, 3)},
        {"strides": (2, 2), "kernel": (1, 1)},
        {"strides": (1, 1), "kernel": (4, 4)},
        {"strides": (1, 1), "multiplier": 2},
        {"strides": (1, 1), "dilation": 2},
    ],
)
def test_unusual_convolutions_keep_tensorflows_own(unusual):
    (expected, _), (ours, _) = gradients(**{"size": (12, 10), "kernel": (3, 3)} | unusual)
    assert ours == pytest.approx(expected, abs=1e-5)
