"""Networks on rows whose best row is known, by weights set by hand."""

from __future__ import annotations

import keras
import numpy as np

from dreamer.tabular.columns import Column

NUMBERS = (
    Column("age", "integer", 18, 75, 40, 10, median=40),
    Column("rate", "number", 0.0, 5.0, 2.0, 1.0, median=2.0, decimals=2),
)
HOUSING = Column("housing", "one of", values=("own", "rent", "free"))
FOREIGN = Column("foreign", "yes/no", values=("no", "yes"))
ALL = (*NUMBERS, HOUSING, FOREIGN)


def linear(*weights: float, bias: float = 0.0) -> keras.Model:
    """A network of one number: a weighted sum of what it is given."""
    network = keras.Sequential([keras.Input((len(weights),)), keras.layers.Dense(1, name="score")])
    network.set_weights([np.array(weights, np.float32)[:, None], np.array([bias], np.float32)])
    return network


def peaked(*at: float) -> keras.Model:
    """A network of one number that is largest, 0, where what it is given is *at*: minus the sum of the distances."""
    numbers = keras.Input((len(at),))
    both = keras.layers.Dense(2 * len(at), activation="relu", name="hidden")
    made = keras.Model(numbers, keras.layers.Dense(1, name="score", use_bias=False)(both(numbers)))
    eye = np.eye(len(at))
    made.set_weights([
        np.concatenate([eye, -eye], axis=1), np.concatenate([-np.array(at), np.array(at)]), -np.ones((2 * len(at), 1)),
    ])  # fmt: skip
    return made


def judged(*weights: float, bias: float = 0.0) -> keras.Model:
    """The same weighted sum as the logit of yes, with the sigmoid that most networks end in."""
    network = keras.Sequential([keras.Input((len(weights),)), keras.layers.Dense(1, "sigmoid", name="answer")])
    network.set_weights([np.array(weights, np.float32)[:, None], np.array([bias], np.float32)])
    return network


def with_lookups() -> keras.Model:
    """A network of four inputs that reads text and codes itself, in the ways that Keras has."""
    inputs = {
        "age": keras.Input((1,), name="age", dtype="int32"),
        "housing": keras.Input((1,), name="housing", dtype="string"),
        "job": keras.Input((1,), name="job"),
        "grade": keras.Input((1,), name="grade", dtype="int64"),
    }
    look = keras.layers.StringLookup(vocabulary=["own", "rent", "free"], output_mode="int")(inputs["housing"])
    grade = keras.layers.IntegerLookup(vocabulary=[0, 1, 2], num_oov_indices=0, output_mode="one_hot")(inputs["grade"])
    parts = [
        keras.layers.Normalization(mean=40.0, variance=100.0)(inputs["age"]),
        keras.layers.CategoryEncoding(num_tokens=4, output_mode="one_hot")(look),
        keras.layers.Flatten()(keras.layers.Embedding(3, 2)(inputs["job"])),
        grade,
    ]
    inner = keras.Sequential([keras.Input((10,)), keras.layers.Dense(8, "tanh", name="hidden"),
                              keras.layers.Dense(2, "softmax", name="answer")], name="inner")  # fmt: skip
    network = keras.Model(inputs, inner(keras.layers.Concatenate()(parts)))
    rng = np.random.default_rng(3)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Embedding) or layer.name == "inner":
            layer.set_weights([rng.normal(size=one.shape) for one in layer.get_weights()])
    return network


LOOKED_UP = (
    Column("age", "integer", 18, 75, 40, 10, median=40),
    HOUSING,
    Column("job", "one of", values=("a", "b", "c")),
    Column("grade", "one of", values=("low", "middle", "high"), encoding="code"),
)
