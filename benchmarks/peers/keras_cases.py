"""The cases that run in dreamer's environment: dreamer itself, and the Keras tutorial's way.

python keras_cases.py CASE NETWORK SIZE [--gradient FILE]
python keras_cases.py export inception_v3 0 --gradient FILE
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import ours
from measuring import answer, measure, measure_steps, picture

LAYERS = {"inception_v3": ("mixed3", "mixed5"), "efficientnet_lite0": ("block5c",)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=[*GRADIENTS, *STEPS, "export"])
    parser.add_argument("network", choices=list(LAYERS))
    parser.add_argument("size", type=int)
    parser.add_argument("--gradient", type=Path, help="write the gradient there instead of measuring")
    options = parser.parse_args()
    if options.case == "export":
        export_inception_v3(options.gradient)
    elif options.case in STEPS:
        answer(measure_steps(STEPS[options.case](options.size)))
    else:
        gradient = GRADIENTS[options.case](options.network, options.size)
        if options.gradient:
            np.save(options.gradient, gradient())
        else:
            answer(measure(gradient))


def ours_whole(name: str, size: int) -> Callable[[], np.ndarray]:
    return ours.gradient_of(name, LAYERS[name], size)


def ours_float32(name: str, size: int) -> Callable[[], np.ndarray]:
    return ours.gradient_of(name, LAYERS[name], size, precision="float32")


def ours_in_tiles(name: str, size: int) -> Callable[[], np.ndarray]:
    return ours.gradient_of(name, LAYERS[name], size, tile=ours.TILE)


def tutorial(name: str, size: int) -> Callable[[], np.ndarray]:
    """The gradient as the tutorial computes it, in float32; no part of dreamer's ascent is imported."""
    import keras
    import tensorflow as tf

    network = keras_network(name)
    extractor = keras.Model(network.input, [network.get_layer(layer).output for layer in LAYERS[name]])
    scale, shift = (2.0, 1.0) if name == "inception_v3" else (255 / 128, 127 / 128)
    image = tf.constant(picture(size)[None] * scale - shift)

    @tf.function
    def gradient_of(image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            activations = extractor(image)
            loss = tf.add_n([tf.reduce_mean(tf.square(one)) for one in tf.nest.flatten(activations)])
        return tape.gradient(loss, image)

    return lambda: gradient_of(image).numpy()


def keras_network(name: str):
    """Inception v3 as ``keras.applications`` makes it; EfficientNet-Lite0, which Keras has not, as dreamer does."""
    from dreamer.models import registry
    from dreamer.models.weights import has_classifier

    if name != "inception_v3":
        return registry.load(name).graph.network
    import keras

    path = registry.spec(name).weights.locate().path
    network = keras.applications.InceptionV3(weights=None, include_top=has_classifier(path))
    network.load_weights(path)
    return network


def export_inception_v3(path: Path) -> None:
    """Write the weights in the order in which Keras builds the layers, whichever file they came from, for PyTorch."""
    import keras

    layers = keras_network("inception_v3").layers

    def built(kind: type) -> list:
        found = [layer for layer in layers if type(layer) is kind]
        return sorted(found, key=lambda layer: int(layer.name.rpartition("_")[2]) if layer.name[-1].isdigit() else 0)

    convolutions, norms = built(keras.layers.Conv2D), built(keras.layers.BatchNormalization)
    arrays = {}
    for index, (convolution, norm) in enumerate(zip(convolutions, norms, strict=True)):
        arrays[f"{index}.weight"] = convolution.get_weights()[0].transpose(3, 2, 0, 1)
        arrays |= {f"{index}.{variable.name}": np.asarray(variable) for variable in norm.weights}
    np.savez(path, **arrays)


GRADIENTS = {
    "ours": ours_whole,
    "ours_float32": ours_float32,
    "ours_in_tiles": ours_in_tiles,
    "keras_tutorial": tutorial,
}
STEPS = {
    "ours_as_lucent": lambda size: ours.steps_of("block5c:17", size, rotate=10, scale=0.1),
    "ours_as_dreamlens": lambda size: ours.steps_of("block5c", size, rotate=15, scale=0.2),
}

if __name__ == "__main__":
    main()
