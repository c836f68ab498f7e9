"""What one Keras backend computes, as arrays in a file: run by test_backends.py in a process of its own.

KERAS_BACKEND=jax python backend_case.py OUTPUT.npz [dreams]
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
from priors.making import blurring, generator

import dreamer
from dreamer import texts
from dreamer.arrays import resize
from dreamer.ascent import tile_view
from dreamer.ascent.parametrizations import KINDS, Kind, Parametrization
from dreamer.ascent.scoring import alone
from dreamer.backends import backend
from dreamer.dreaming.settings import DreamSettings
from dreamer.models import keras_applications, reach, registry
from dreamer.models.network import Network
from dreamer.models.opened import Opened
from dreamer.models.specs import known
from dreamer.objectives import channel, layer, like, near, style
from dreamer.tabular.columns import Column
from dreamer.targets import resolve
from dreamer.visualizing.balancing import balanced

rng = np.random.default_rng(0)
PICTURE = rng.random((64, 32, 3), np.float32)


def network(seed: int = 1) -> Network:
    """With the same weights on any backend, a normalisation to fold, strides and a depthwise convolution."""
    picture = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same", name="first")(picture)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.ReLU(name="relu")(x)
    x = keras.layers.DepthwiseConv2D(5, padding="same", name="depthwise")(x)
    x = keras.layers.Conv2D(6, 1, name="second")(x)
    built = keras.Model(picture, x)
    weights = np.random.default_rng(seed)
    for made in built.layers:
        made.set_weights(
            [weights.uniform(0.2, 0.6, weight.shape) - 0.3 * (len(weight.shape) > 1) for weight in made.weights]
        )
    return Network(known()["efficientnet_lite0"], built)


def main(output: str, part: str = "all") -> None:
    """Compute everything, or gradients and dreams alone, which takes a fifth of the time."""
    model = network()
    found: dict[str, np.ndarray] = {}
    traces = []

    def program(precision: str = "float32", *, warps: bool = False):
        activations = model.forward(["second", "relu"], precision)
        goal = resolve(layer("second") - 0.5 * channel("relu", 3), model)

        def forward(pictures, matrix):
            traces.append(1)
            return activations(tile_view.warp(pictures, matrix) if warps else pictures)

        return backend.compile_gradient(forward, alone(goal))

    tiles = np.stack([PICTURE, PICTURE[::-1]])
    view = tile_view.draw(seed=3, octave=1, step=2, rotate=12, scale=0.1)
    found["view"] = np.array([*view.shift, view.degrees, view.zoom])
    found["scores"], found["gradients"] = program()(tiles, tile_view.IDENTITY)
    found["bfloat16_scores"], found["bfloat16_gradients"] = program("bfloat16")(tiles, tile_view.IDENTITY)
    matrix = view.matrix(PICTURE.shape[:2])
    found["warped"] = keras.ops.convert_to_numpy(tile_view.warp(keras.ops.convert_to_tensor(tiles), matrix))
    found["warped_scores"], found["warped_gradients"] = program(warps=True)(tiles, matrix)

    traces.clear()
    again = program()
    again(tiles, tile_view.IDENTITY)
    first = len(traces)
    again(tiles[:1], tile_view.IDENTITY)
    found["traces"] = np.array([first, len(traces)])

    # Sides that tiles of every backend have: 64, half and a quarter.
    settings = DreamSettings(
        objective="second", octaves=2, octave_scale=2, steps=3, tile=64, precision="float32", seed=5
    )
    for place, there in (("host", False), ("device", True)):
        steps = list(dreamer.dream_steps(PICTURE, settings, network=model, stay_on_device=there))
        found[f"{place}_dream"] = steps[-1].render()
        found[f"{place}_scores"] = np.array([step.score for step in steps])
    found["devices"] = np.array([device.kind for device in backend.current().devices()])
    if part == "dreams":
        np.savez(output, **found)
        return
    compared = near("second", PICTURE[::-1]) + 0.5 * like("relu", PICTURE[:, ::-1], 2) + style("relu", PICTURE[9:] ** 2)
    for place, there in (("host", False), ("device", True)):
        settings_of = dataclasses.replace(settings, objective=compared)
        steps = list(dreamer.dream_steps(PICTURE, settings_of, network=model, stay_on_device=there))
        found[f"{place}_compared"] = steps[-1].render()
        found[f"{place}_compared_scores"] = np.array([step.score for step in steps])
    drawn = dreamer.visualize(compared, network=model, start=PICTURE, size=(32, 48), steps=4, precision="float32")
    found["compared"], found["compared_score"] = drawn.pixels, np.array(drawn.score)
    found["balance"] = np.array(balanced(channel("second", 3), near("relu", PICTURE), PICTURE, model))
    made = {"adam": {"optimizer": "adam", "transforms": "standard", "alpha": True}, "momentum": {"diversity": 2}}
    for name, keywords in made.items():
        targets = ["second:1", "-second:2"]
        drawn = dreamer.visualize(
            targets, network=model, size=(32, 48), steps=3, precision="float32", seed=5, **keywords
        )
        found[f"{name}_pictures"] = np.stack([one.pixels for one in drawn])
        found[f"{name}_drawn_scores"] = np.array([one.score for one in drawn])
        if drawn[0].alpha is not None:
            found["alpha"] = np.stack([one.alpha for one in drawn])
    other, load = network(seed=2), registry.load
    registry.load = lambda one, *more: other if one == "other" else load(one, *more)
    drawn = dreamer.visualize(
        "second:1", network=model, jointly_with=["other"], size=(32, 48), steps=3, precision="float32", seed=5
    )
    found["joint_picture"], found["joint_score"] = drawn.pixels, np.array(drawn.score)
    weights = keras.Variable(np.float32([[2, 0, 0], [0, 1, 0], [0, 0, 1]]), name="generator")
    KINDS["pixels"] = Kind(lambda size, _: generated(size, weights), "none", "momentum", 0.5)
    for place in ("first", "second"):
        drawn = dreamer.visualize(
            "second:1", network=model, parametrization="pixels", size=(32, 48), steps=3, precision="float32"
        )
        found[f"{place}_generated"] = drawn.pixels
        weights.assign(weights.numpy() / 2)  # Read anew, and nothing is compiled again.
    found |= of_priors(model, settings)
    found |= of_fooling() | of_sight() | of_rows() | of_texts()
    through = model.forward(["relu"], redirected=True)
    redirected = backend.compile_gradient(lambda x, _: through(x), alone(resolve(channel("relu", 0), model)))
    found["redirected_scores"], found["redirected_gradients"] = redirected(-tiles, tile_view.IDENTITY)
    found["loss"], found["of_first"], found["of_depthwise"] = of_weights(model)
    spec = known()["keras:MobileNetV2"]
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "network.weights.h5"
        keras_applications.architecture(spec).save_weights(weights)
        filled = keras_applications.build(weights, spec)
    found["filled"] = np.array(len(filled.variables))
    np.savez(output, **found)


def of_fooling():
    """What an attack comes to, through a resizing, and what the network says of it."""
    picture = keras.Input((24, 24, 3))
    x = keras.layers.Conv2D(6, 3, strides=2, padding="same", activation="tanh")(picture)
    x = keras.layers.Dense(5, name="scores")(keras.layers.Flatten()(x))
    built, weights = keras.Model(picture, x), np.random.default_rng(6)
    built.set_weights([weights.normal(scale=0.2, size=one.shape) for one in built.get_weights()])
    photo = (PICTURE * 255).round().astype(np.uint8)
    found = dreamer.fool(photo, network=registry.load(built, "-1..1"), to=3, eps=3, steps=10)
    return {"fooled": found.picture, "fooled_score": np.array(found.score), "is_fooled": np.array(found.success)}


def of_sight():
    """What a small network sees in a photo, what of it speaks for a class, and how far its units look."""
    picture = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(6, 5, strides=2, padding="same", activation="tanh", name="early")(picture)
    for _ in range(3):
        x = keras.layers.Conv2D(6, 9, padding="same", activation="tanh")(x)
    late = keras.layers.Conv2D(6, 9, padding="same", activation="tanh", name="late")(x)
    x = keras.layers.Dense(5, name="scores")(keras.layers.GlobalAveragePooling2D()(late))
    built, weights = keras.Model(picture, x), np.random.default_rng(6)
    built.set_weights([weights.normal(scale=0.2, size=one.shape) for one in built.get_weights()])
    network = registry.load(built, "-1..1")
    asked = {"layers": ["late"], "for_class": "3", "against": "1", "steps": 0}
    seen = dreamer.see(PICTURE, network=network, note=lambda _: None, **asked)
    said = seen.layers[0].attribution
    small = np.clip(resize(PICTURE, network.seen_at("scores", PICTURE.shape[:2])), 0, 1)
    parts = Opened(network, "late").attributions(small, [said.activations])
    return {
        "units": np.array([unit.channel for unit in seen.layers[0].units]),
        "said": said.by_place,
        "said_of_all": parts[0],
        "reach": np.array(reach.reach(network, "late")),
    }


def of_rows():
    """The best row of a small network, and what it gives for it; categories are codes that an embedding looks up."""
    inputs = {"age": keras.Input((1,), name="age"), "job": keras.Input((1,), name="job")}
    job = keras.layers.Flatten()(keras.layers.Embedding(3, 2)(inputs["job"]))
    x = keras.layers.Dense(6, activation="tanh")(keras.layers.Concatenate()([inputs["age"] / 50, job]))
    network, weights = keras.Model(inputs, keras.layers.Dense(2, name="scores")(x)), np.random.default_rng(2)
    network.set_weights([weights.normal(size=one.shape) for one in network.get_weights()])
    columns = (
        Column("age", "integer", 18, 75, 40, 10, median=40),
        Column("job", "one of", values=("a", "b", "c"), encoding="code"),
    )
    rows = dreamer.row("logit:1", network=network, columns=columns, steps=30, starts=6, answers=1)
    codes = [[one.code(row[one.name], "a row") for one in columns] for row in rows]
    return {"row": np.array(codes), "row_score": np.array(rows[0].score)}


def of_texts():
    """The states of a layer, and the text that a unit answers to."""
    given = keras.Input((None,))
    x = keras.layers.LSTM(5, return_sequences=True, name="lstm")(keras.layers.Embedding(3, 4)(given))
    network, weights = keras.Model(given, keras.layers.Dense(3)(x)), np.random.default_rng(3)
    network.set_weights([weights.normal(size=one.shape) for one in network.get_weights()])
    vocabulary = texts.Vocabulary(("a", "b", "c"))
    found = texts.states(network, "abcacb" * 5, vocabulary=vocabulary)
    own = keras.Model(network.inputs, network.get_layer("lstm").output)([vocabulary.numbers("abcacb" * 5)[None]])
    drawn = texts.draw(network, "lstm", 2, length=6, vocabulary=vocabulary, plausible=0)[0]
    return {
        "states": found.hidden,
        "states_of_keras": keras.ops.convert_to_numpy(own)[0],
        "drawn": np.array(list(drawn.text)),
        "drawn_score": np.array(drawn.score),
    }


def of_priors(model, settings):
    """What is dreamt and drawn with a pull, and with a code that has bounds."""
    found = {}
    how = {"network": model, "size": (32, 48), "steps": 5, "precision": "float32"}
    with tempfile.TemporaryDirectory() as folder:
        pull, code = (Path(folder) / f"{name}.keras" for name in ("pull", "code"))
        blurring(channels=4).save(pull)
        generator(size=(32, 48)).save(code)
        kernel = np.random.default_rng(4).normal(scale=0.1, size=(6, 32 * 48 * 3)).astype(np.float32)
        made = keras.saving.load_model(code)
        made.layers[1].set_weights([kernel, np.zeros(32 * 48 * 3, np.float32)])
        made.save(code)
        code.with_suffix(".toml").write_text("bounds = [-1.5, 1.5]\n", encoding="utf-8")
        pulled = dreamer.DreamSettings.merged(settings, {"prior": str(pull), "prior_weight": 0.3})
        for place, there in (("host", False), ("device", True)):
            *_, last = dreamer.dream_steps(PICTURE, pulled, network=model, stay_on_device=there)
            found[f"{place}_pulled"] = last.render()
        for kind in ("cosine", "fourier"):
            drawn = dreamer.visualize("second:1", prior=str(pull), prior_weight=0.5, parametrization=kind, **how)
            found[f"{kind}_pulled"] = drawn.pixels
        found["coded"] = dreamer.visualize("second:1", prior=str(code), **how).pixels
    return found


def of_weights(model):
    """The gradient of a score with respect to two kernels, as training takes it."""
    cut = model.model(["second"])
    kernels = [one for one in cut.trainable_variables if len(one.shape) == 4][:2]

    def forward(values, pictures):
        with keras.StatelessScope(state_mapping=list(zip(kernels, values, strict=True))):
            return {"second": cut(pictures, training=False)["second"]}

    gradient = backend.current().gradient(
        forward, lambda found, _: keras.ops.mean(keras.ops.square(found["second"]), axis=(1, 2, 3)), ()
    )

    def program(pictures, *values):
        shaped = [keras.ops.reshape(value, kernel.shape) for value, kernel in zip(values, kernels, strict=True)]
        scores, gradients = gradient(shaped, keras.ops.reshape(pictures, (1, *PICTURE.shape)))
        return (scores, *gradients)

    values = [np.array(keras.ops.convert_to_numpy(kernel.value)) for kernel in kernels]
    run = backend.compile_chunk(program, list(cut.variables))
    return [np.array(keras.ops.convert_to_numpy(one)) for one in run(PICTURE[None], *values)]


def generated(size, weights):
    """Pictures made by a generator, whose weights are variables."""
    return Parametrization(
        draw=lambda rng, count: rng.normal(size=(count, *size, 3)).astype(np.float32),
        render=lambda made: keras.ops.sigmoid(keras.ops.matmul(made, weights)),
        encode=lambda pictures: pictures,
        variables=(weights,),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
