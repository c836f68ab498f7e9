"""The rows that units answer to, and the least changes: held against what is known of made-up networks."""

from __future__ import annotations

import csv
import itertools
import json
import runpy
from pathlib import Path

import keras
import numpy as np
import pytest
from tabular.tabular_case import ALL, NUMBERS, judged, linear, peaked

import dreamer
from dreamer.errors import ImageWriteError, SettingsError
from dreamer.tabular import page
from dreamer.tabular.columns import Column

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
ROOT = Path(__file__).resolve().parents[2]
QUICK = {"starts": 8, "steps": 40}


def row(objective, network, columns=ALL, **more):
    return dreamer.row(objective, network=network, columns=columns, **{**QUICK, "plausible": 0, **more})


def test_the_best_row_of_a_weighted_sum_is_found_exactly():
    network = linear(1, -2, 3, 5, -4, -7)
    best, *_ = row("score:0", network, answers=1)
    assert best.values == {"age": 75, "rate": 0.0, "housing": "rent", "foreign": "no"}
    assert best.score == 75 + 5
    least = row("score:0", network, pair=True, answers=1)[1]
    assert least.values == {"age": 18, "rate": 5.0, "housing": "free", "foreign": "yes"}
    assert (least.which, least.score) == ("least", 18 - 10 - 4 - 7)


def test_a_peak_between_the_steps_is_rounded_and_then_searched():
    best = row("score:0", peaked(36.6, 1.234), NUMBERS, answers=1)[0]
    assert best.values == {"age": 37, "rate": 1.23}
    assert best.score == pytest.approx(-0.4 - 0.004, abs=1e-4)


def test_the_score_that_is_told_is_that_of_the_row_through_the_network():
    network = peaked(36.6, 1.234)
    for one in row("score:0", network, NUMBERS, answers=3):
        (given,) = network.predict(np.array([[one["age"], one["rate"]]]), verbose=0)
        assert one.score == pytest.approx(float(given[0]), abs=1e-4)


def test_categories_that_help_only_together_are_found():
    # Shares of categories climb to the wrong side: each alone costs 1, both together bring 3.
    inputs = keras.Input((4,))
    both = keras.layers.Dense(1, activation="relu", name="both")
    network = keras.Model(inputs, keras.layers.Dense(1, name="score", use_bias=False)(
        keras.layers.Concatenate()([both(inputs), inputs])))  # fmt: skip
    network.set_weights([np.array([[0], [1.0], [0], [1.0]]), np.array([-1.0]),
                         np.array([[5.0], [0], [-1.0], [0], [-1.0]])])  # fmt: skip
    columns = [Column(name, "one of", values=("a", "b"), encoding="one-hot") for name in ("one", "other")]
    assert row("score:0", network, columns, answers=1)[0].values == {"one": "b", "other": "b"}


def test_answers_differ_and_fall():
    found = row("score:0", linear(1, -2, 3, 5, -4, -7), answers=3)
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    for one, other in itertools.combinations(found, 2):
        categories = sum(one[name] != other[name] for name in ("housing", "foreign"))
        numbers = ((one["age"] - other["age"]) / 10) ** 2 + (one["rate"] - other["rate"]) ** 2
        assert np.sqrt(categories + numbers) >= 1.5 - 1e-6


def test_the_same_seed_gives_the_same_rows():
    first, again = (row("score:0", peaked(36.6, 1.234), NUMBERS, seed=4, answers=3) for _ in range(2))
    assert [one.to_dict() for one in first] == [one.to_dict() for one in again]


def test_fixed_columns_and_those_not_named_stay(tmp_path):
    held = (*ALL[:2], Column("housing", "fixed", values=("own", "rent", "free"), median=2.0), ALL[3])
    assert row("score:0", linear(1, -2, 3, 5, -4, -7), held, answers=1)[0]["housing"] == "free"
    found = row("score:0", linear(1, -2, 3, 5, -4, -7), vary="age", answers=1)[0]
    assert found.values == {"age": 75, "rate": 2.0, "housing": "own", "foreign": "no"}
    assert found.changed == ("age",)
    with pytest.raises(SettingsError, match="there is no column 'agee' to vary.*Close matches: age"):
        row("score:0", linear(1, -2, 3, 5, -4, -7), vary="agee")


def test_what_matters_is_what_the_score_loses_by_it():
    found = row("score:0", linear(1, -2, 3, 5, -4, -7), answers=1)[0]
    assert found.matters == pytest.approx({"age": 35, "rate": 4, "housing": 2})
    assert list(found.matters) == ["age", "rate", "housing"]


def table(path, rows, names=("age", "rate", "housing", "foreign")):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)
    return path


@pytest.fixture
def real(tmp_path):
    """Real rows in which the old pay little: age and rate go against each other."""
    rng = np.random.default_rng(0)
    ages = rng.integers(18, 76, 300)
    rates = np.clip((75 - ages) / 12 + rng.normal(0, 0.2, 300), 0, 5).round(2)
    housing = rng.choice(["own", "rent", "free"], 300)
    return table(tmp_path / "real.csv", zip(ages, rates, housing, ["no"] * 299 + ["yes"], strict=True))


def test_plausible_rows_lie_near_to_real_ones_and_say_which(real):
    network = linear(1, 20, 0, 0, 0, 0)
    extreme, plausible = row("score:0", network, data=real, plausible=1, answers=1)
    assert (extreme["age"], extreme["rate"]) == (75, 5.0)
    assert not extreme.plausible
    assert plausible.plausible
    assert plausible.distance < 0.25 < extreme.distance
    assert plausible.score > row("score:0", network, data=real, answers=1).nearest[0].score * 0.5
    found = row("score:0", network, data=real, answers=1)
    lines = real.read_text().splitlines()
    near = found.nearest[0]
    assert lines[near.line - 1] == f"{near['age']},{near['rate']:g},{near['housing']},{near['foreign']}"


def test_columns_are_learnt_and_the_answer_is_left_out(tmp_path):
    data = table(tmp_path / "d.csv", [(20, 1.5, 0), (30, 0.5, 1), (70, 4.0, 0)], ("age", "rate", "risk"))
    found = dreamer.row("score:0", network=linear(1, 1), data=data, answers=1, plausible=0, **QUICK)
    assert list(found[0].values) == ["age", "rate"]
    assert found[0].values == {"age": 70, "rate": 4.0}
    with pytest.raises(SettingsError, match="give a table with --data, or describe them with --columns"):
        dreamer.row("score:0", network=linear(1, 1))


def test_the_file_beside_the_network_names_columns_and_classes(tmp_path):
    judged(0.1, -1.0).save(tmp_path / "credit.keras")
    (tmp_path / "credit.toml").write_text(
        'labels = ["default", "repaid"]\n[age]\nkind = "integer"\nrange = [18, 75]\n[rate]\nkind = "number"\n'
        "range = [0, 5]\n"
    )
    best = dreamer.row("logit:repaid", network=tmp_path / "credit.keras", answers=1, plausible=0, **QUICK)[0]
    assert best.values == {"age": 75, "rate": 0.0}
    assert best.probability == pytest.approx(1 / (1 + np.exp(-7.5)), abs=1e-6)
    assert best.score == pytest.approx(7.5 / 2)


def start(**values):
    return {"age": 40, "rate": 3.0, "housing": "own", "foreign": "no"} | values


def test_the_least_change_of_a_weighted_sum_is_that_of_the_closed_form():
    # Yes where 0.1 age - rate > 1.5. From 40 and 3.0 either age rises above 45, or the rate falls below 2.5.
    network = judged(0.1, -1.0, 0, 0, 0, 0, bias=-1.5)
    found = dreamer.row("logit:1", network=network, columns=ALL, start=start(), answers=4, **QUICK)
    changes = [{name: one[name] for name in one.changed} for one in found]
    assert {"rate": 2.49} in changes
    assert {"age": 46} in changes
    assert changes[0] == {"rate": 2.49}  # 0.51 deviations against 0.6.
    for one in found:
        given = network.predict(np.array([[one["age"], one["rate"], 1, 0, 0, 0]]), verbose=0)[0, 0]
        assert given > 0.5
        assert one.probability == pytest.approx(given, abs=1e-5)


def test_a_change_keeps_to_what_may_change():
    network = judged(0.1, -1.0, 0, 0, 0, 0, bias=-1.5)
    found = dreamer.row("logit:1", network=network, columns=ALL, start=start(), vary="age", **QUICK)
    assert [one.changed for one in found] == [("age",)]
    none = dreamer.row("logit:1", network=network, columns=ALL, start=start(), vary="housing", **QUICK)
    assert len(none) == 0


def test_a_change_of_two_columns_is_found_where_one_is_not_enough():
    network = judged(0.1, -1.0, 0, 0, 0, 0, bias=-7.25)  # At most 7.5: both must go nearly to their ends.
    (found,) = dreamer.row("logit:1", network=network, columns=ALL, start=start(), answers=1, **QUICK)
    assert set(found.changed) == {"age", "rate"}
    assert 0.1 * found["age"] - found["rate"] > 7.25 > 0.1 * (found["age"] - 1) - found["rate"]


def test_what_cannot_be_changed_is_said():
    network = judged(0.1, -1.0, 0, 0, 0, 0, bias=-1.5)
    with pytest.raises(SettingsError, match="the row is what is wanted already: logit:1 gives .* a probability of"):
        dreamer.row("logit:1", network=network, columns=ALL, start=start(rate=0))
    with pytest.raises(SettingsError, match="housing is 'castle' in the row"):
        dreamer.row("logit:1", network=network, columns=ALL, start=start(housing="castle"))
    with pytest.raises(SettingsError, match="has no column 'housing'"):
        dreamer.row("logit:1", network=network, columns=ALL, start={"age": 3, "rate": 2})
    with pytest.raises(SettingsError, match="answer:0 is no class, .* name a class"):
        dreamer.row("answer:0", network=network, columns=ALL, start=start())
    one = dreamer.row("answer:0", network=network, columns=ALL, start=start(), above=0.55, answers=1, **QUICK)[0]
    assert one.score >= 0.55
    with pytest.raises(SettingsError, match="ends in a number and has no classes; say with --above"):
        dreamer.row("logit:0", network=linear(1, 1), columns=NUMBERS, start={"age": 40, "rate": 1})


def test_a_row_outside_the_range_may_stay_there():
    network = judged(0.1, -1.0, bias=-1.5)
    found = dreamer.row(
        "logit:1", network=network, columns=NUMBERS, start={"age": 10, "rate": 0.0}, vary="age", **QUICK
    )
    assert found.compared["age"] == 10
    assert found[0]["age"] == 16


def test_rows_of_real_measurements_flip_a_network_that_was_taught_on_them(tmp_path):
    datasets = pytest.importorskip("sklearn.datasets")
    held = datasets.load_breast_cancer()
    names = [name.replace(" ", "_") for name in held.feature_names]
    path = table(tmp_path / "cancer.csv", held.data.tolist(), names)
    keras.utils.set_random_seed(0)
    network = keras.Sequential([
        keras.Input((30,)), keras.layers.Normalization(mean=held.data.mean(0), variance=held.data.var(0)),
        keras.layers.Dense(12, activation="relu", name="hidden"), keras.layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    network.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    network.fit(held.data, held.target, epochs=25, batch_size=32, verbose=0)
    assert network.evaluate(held.data, held.target, verbose=0)[1] > 0.97
    ill = int(np.flatnonzero(held.target == 0)[0])
    begin = dict(zip(names, held.data[ill].tolist(), strict=True))
    found = dreamer.row("logit:benign", network=dreamer_labels(network), data=path, start=begin, answers=1, **QUICK)
    (change,) = found
    again = np.array([[change[name] for name in names]])
    assert network.predict(again, verbose=0)[0].argmax() == 1
    assert 1 <= len(change.changed) < 30
    worst = dreamer.row("logit:malignant", network=dreamer_labels(network), data=path, plausible=1, answers=1, **QUICK)
    assert worst[0].score > worst[1].score > worst.compared.score
    assert worst[1].distance < worst[0].distance


def dreamer_labels(network):
    from dreamer.models import registry

    return registry.load_plain(network, takes="row", labels=["malignant", "benign"])


def test_the_rows_of_a_credit_network_show_its_rule(tmp_path):
    made = runpy.run_path(str(ROOT / "scripts" / "make_credit.py"))
    made["make"](tmp_path, count=1200, epochs=25)
    found = dreamer.row("logit:default", network=tmp_path / "credit.keras", data=tmp_path / "credit.csv", answers=1,
                        **QUICK)  # fmt: skip
    worst = found[0]
    assert (worst["savings"], worst["duration"]) == ("no", 6)
    assert worst["housing"] != "own"
    assert worst["amount"] == max(one.high for one in found.columns if one.name == "amount")
    assert next(iter(worst.matters)) == "amount"
    assert abs(worst.matters.get("age", 0)) < 0.2 * worst.matters["amount"]
    flipped = dreamer.row("logit:repaid", network=tmp_path / "credit.keras", data=tmp_path / "credit.csv",
                          start=tmp_path / "applicant.csv", vary="duration,amount", **QUICK)  # fmt: skip
    assert flipped[0].changed == ("amount",)
    assert flipped[0].probability > 0.5 > flipped.compared.probability


def test_rows_are_saved_as_a_table_and_with_all_that_is_known(tmp_path, real):
    found = row("score:0", linear(1, -2, 3, 5, -4, -7), data=real)
    found.save(tmp_path / "rows.csv")
    first, *others = csv.DictReader((tmp_path / "rows.csv").read_text().splitlines())
    assert first["which"] == "median"
    assert [one["housing"] for one in others] == [one["housing"] for one in found]
    found.save(tmp_path / "rows.json")
    held = json.loads((tmp_path / "rows.json").read_text())
    assert held["recipe"]["settings"]["objective"] == "score:0"
    assert held["recipe"]["command"] == "row"
    assert list(held["recipe"]["files_sha256"]) == [str(real)]
    with pytest.raises(ImageWriteError, match="exists already"):
        found.save(tmp_path / "rows.csv")
    with pytest.raises(ImageWriteError, match="rows are written as .csv or .json"):
        found.save(tmp_path / "rows.xlsx")


def test_every_unit_of_a_layer_becomes_a_page_that_holds_no_markup_of_others(tmp_path):
    evil = "</script><img src=x onerror=alert(1)>"
    columns = (Column(evil, "number", 0, 1), Column("b", "one of", values=("<b>", "&amp;")))
    inputs = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="relu", name="hidden")])
    inputs.set_weights([np.array([[1, -1, 0, 2.0], [0, 1, 0, 1], [1, 0, 0, 1]]), np.zeros(4)])
    from dreamer.tabular.run import Search
    from dreamer.tabular.settings import RowSettings

    units = Search(inputs, columns, None, RowSettings(**QUICK)).units("hidden")
    assert [page.is_dead(one) for one in units] == [False, False, True, False]
    made = page.save(tmp_path / "page", "hidden", units)
    text = made.read_text()
    assert text.count("<script") == 2
    assert "<img" not in text
    assert "'unsafe" not in text
    assert len(json.loads((tmp_path / "page" / "units.json").read_text())["units"]) == 4
    with pytest.raises(ImageWriteError, match="exists already"):
        page.save(tmp_path / "page", "hidden", units)


def test_the_page_shows_units_in_a_browser(tmp_path, browser):
    from playwright.sync_api import expect

    from dreamer.tabular.run import Search
    from dreamer.tabular.settings import RowSettings

    network = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, name="hidden")])
    network.set_weights([np.random.default_rng(0).normal(size=(6, 5)), np.zeros(5)])
    made = page.save(tmp_path / "page", "hidden", Search(network, ALL, None, RowSettings(**QUICK)).units("hidden"))
    shown = browser.new_page()
    complaints = []
    shown.on("console", lambda told: complaints.append(told.text))
    shown.on("pageerror", lambda told: complaints.append(str(told)))
    shown.goto(made.as_uri())
    expect(shown.locator("article")).to_have_count(5)
    shown.locator("#search").fill("logit:3")
    expect(shown.locator("article h2")).to_have_text("logit:3")
    expect(shown.locator("#count")).to_have_text("1 unit")
    shown.locator("#plausible").check()
    expect(shown.locator("article")).to_have_count(1)
    shown.close()
    assert complaints == []
