"""Teaches a small network on made-up applicants for a loan, by a rule that is stated here.

    python scripts/make_credit.py FOLDER

It writes ``credit.csv`` (the applicants), ``credit.keras`` (the network), ``credit.toml`` (its classes) and
``applicant.csv`` (one who is refused). The rule: a loan is not repaid where the rate a month is large for the income,
more so without savings; who owns a house is forgiven some of it, whatever the age. docs/tabular.md shows how the rows
that units answer to give the rule away.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

HOUSING = ("own", "rent", "free")
NAMES = ("age", "income", "amount", "duration", "housing", "savings", "foreign")


def applicants(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Made-up applicants, by column."""
    return {
        "age": rng.integers(18, 76, count),
        "income": np.round(rng.gamma(6, 420, count) + 700, -1).astype(int),
        "amount": np.round(rng.gamma(2.2, 2400, count) + 500, -2).astype(int),
        "duration": rng.choice([6, 9, 12, 18, 24, 30, 36, 48, 60], count),
        "housing": rng.choice(HOUSING, count, p=(0.5, 0.35, 0.15)),
        "savings": rng.choice(["no", "yes"], count),
        "foreign": rng.choice(["no", "yes"], count, p=(0.9, 0.1)),
    }


def burden(table: dict[str, np.ndarray]) -> np.ndarray:
    """What decides: the rate a month as a share of the income, less what savings and a house are worth."""
    rate = table["amount"] / table["duration"] / table["income"]
    return rate - 0.04 * (table["savings"] == "yes") - 0.06 * (table["housing"] == "own")


def make(folder: Path, count: int = 4000, epochs: int = 40) -> float:
    """Write the four files; the share of applicants that the network is right about."""
    import keras

    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    keras.utils.set_random_seed(1)
    table = applicants(rng, count)
    defaults = burden(table) + rng.normal(0, 0.01, count) > 0.08
    answers = np.where(defaults, "default", "repaid")
    with (folder / "credit.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*NAMES, "outcome"])
        writer.writerows(zip(*(table[name] for name in NAMES), answers, strict=True))
    network, accuracy = taught(table, defaults, epochs)
    network.save(folder / "credit.keras")
    (folder / "credit.toml").write_text('labels = ["repaid", "default"]\n', encoding="utf-8")
    (folder / "applicant.csv").write_text(
        "age,income,amount,duration,housing,savings,foreign\n31,1500,6000,18,rent,no,no\n", encoding="utf-8"
    )
    return accuracy


def taught(table: dict[str, np.ndarray], defaults: np.ndarray, epochs: int):
    """A network that was taught the outcome: an input for each column, what it needs to read them inside."""
    import keras

    inputs, parts, given = {}, [], {}
    for name in NAMES:
        column = table[name]
        if column.dtype.kind == "U":
            inputs[name] = keras.Input((1,), name=name, dtype="string")
            values = HOUSING if name == "housing" else ("no", "yes")
            parts.append(keras.layers.StringLookup(vocabulary=list(values), num_oov_indices=0, output_mode="one_hot",
                                                   name=f"{name}_lookup")(inputs[name]))  # fmt: skip
            given[name] = keras.ops.convert_to_tensor(column[:, None].tolist(), dtype="string")
        else:
            inputs[name] = keras.Input((1,), name=name)
            column = column.astype("float32")
            parts.append(keras.layers.Normalization(mean=float(column.mean()), variance=float(column.var()),
                                                    name=f"{name}_scaled")(inputs[name]))  # fmt: skip
            given[name] = column[:, None]
    x = keras.layers.Concatenate()(parts)
    x = keras.layers.Dense(32, activation="relu", name="dense_1")(x)
    x = keras.layers.Dense(16, activation="relu", name="dense_2")(x)
    network = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name="answer")(x))
    network.compile(keras.optimizers.Adam(5e-3), "binary_crossentropy", metrics=["accuracy"])
    network.fit(given, defaults.astype("float32")[:, None], epochs=epochs, batch_size=128, verbose=0)
    _, accuracy = network.evaluate(given, defaults.astype("float32")[:, None], verbose=0)
    return network, float(accuracy)


def main() -> None:
    """What the command line does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    print(f"the network is right about {make(parser.parse_args().folder):.1%} of the applicants")


if __name__ == "__main__":
    main()
