from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import tensorflow as tf

from dreamer.backends.convolutions import quicker_gradients

RNG = np.random.default_rng(0)


def gradients(convolve, size):
    """The gradient of some scalar of a convolution of a picture with 3 channels: TensorFlow's, then ours.

    Each comes with the types of the operations that compute it.
    """
    picture = tf.constant(RNG.normal(size=(2, *size, 3)).astype(np.float32))

    def gradient(overridden):
        def compute(x):
            with quicker_gradients() if overridden else nullcontext():
                y = convolve(x)
            return tf.gradients(tf.reduce_sum(tf.sin(y)), x)[0]

        program = tf.function(compute, input_signature=[tf.TensorSpec((None, None, None, 3))], autograph=False)
        operations = {operation.type for operation in program.get_concrete_function().graph.get_operations()}
        return program(picture).numpy(), operations

    return gradient(overridden=False), gradient(overridden=True)


def gradients_of_kernel(convolve, shape, size):
    """The same with respect to the kernel."""
    picture = tf.constant(RNG.normal(size=(2, *size, shape[2])).astype(np.float32))
    kernel = RNG.normal(size=shape).astype(np.float32)

    def gradient(overridden):
        def compute(kernel):
            with quicker_gradients() if overridden else nullcontext():
                y = convolve(picture, kernel)
            return tf.gradients(tf.reduce_sum(tf.sin(y)), kernel)[0]

        return tf.function(compute, autograph=False)(tf.constant(kernel)).numpy()

    return gradient(overridden=False), gradient(overridden=True)


@pytest.mark.parametrize(
    ("convolve", "shape"),
    [
        (lambda x, w: tf.nn.depthwise_conv2d(x, w, [1, 2, 2, 1], "SAME"), (3, 3, 4, 1)),
        (lambda x, w: tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "VALID"), (3, 3, 4, 1)),
        (lambda x, w: tf.nn.conv2d(x, w, 1, "SAME"), (1, 1, 4, 6)),
        (lambda x, w: tf.nn.conv2d(x, w, 2, "VALID"), (3, 3, 4, 6)),
    ],
)
def test_kernels_that_are_trained_have_tensorflows_own_gradient(convolve, shape):
    expected, ours = gradients_of_kernel(convolve, shape, (9, 12))
    assert np.abs(expected).max() > 0.1
    assert ours == pytest.approx(expected, abs=1e-4)


def weights(*shape):
    return tf.constant(RNG.normal(size=shape).astype(np.float32))


def depthwise(kernel, strides, padding="SAME", dilation=1, multiplier=1):
    w = weights(*kernel, 3, multiplier)
    return lambda x: tf.nn.depthwise_conv2d(x, w, [1, *strides, 1], padding, dilations=[dilation] * 2)


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (1, 1), (2, 5), (11, 6)])
@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (3, 7)])
@pytest.mark.parametrize("strides", [(1, 1), (2, 2)])
def test_depthwise_equals_tensorflows_own_without_using_it(size, kernel, strides):
    (expected, theirs), (ours, operations) = gradients(depthwise(kernel, strides), size)
    assert ours == pytest.approx(expected, abs=1e-5)
    assert "DepthwiseConv2dNativeBackpropInput" in theirs - operations


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
def test_unusual_depthwise_convolutions_keep_tensorflows_own(unusual):
    (expected, _), (ours, _) = gradients(depthwise(**{"kernel": (3, 3)} | unusual), (12, 10))
    assert ours == pytest.approx(expected, abs=1e-5)


def test_pointwise_convolutions_run_forward():
    w = weights(1, 1, 3, 7)
    (expected, theirs), (ours, operations) = gradients(lambda x: tf.nn.conv2d(x, w, 1, "SAME"), (5, 8))
    assert ours == pytest.approx(expected, abs=1e-5)
    assert "Conv2DBackpropInput" in theirs - operations


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize(("stride", "padding"), [(1, "VALID"), (2, "SAME"), (2, "VALID")])
def test_other_convolutions_keep_tensorflows_own(kernel, stride, padding):
    w = weights(kernel, kernel, 3, 4)
    (expected, _), (ours, _) = gradients(lambda x: tf.nn.conv2d(x, w, stride, padding), (9, 12))
    assert ours == pytest.approx(expected, abs=1e-5)
