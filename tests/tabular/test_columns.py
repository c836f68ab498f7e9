"""What columns can hold, and what is said of those that cannot be."""

from __future__ import annotations

import pytest

from dreamer.errors import SettingsError
from dreamer.tabular import columns
from dreamer.tabular.columns import Column

EVERY = """
[age]
kind = "integer"
range = [18, 75]
mean = 35.5
std = 11.4
median = 33

[amount]
kind = "number"
range = [0, 4.5]
decimals = 2
step = 0.25
scaled = "standard"

[housing]
kind = "one of"
values = ["own", "rent", "free"]
encoding = "code"
codes = [1, 2, 5]
median = "rent"

[foreign]
kind = "yes/no"

[branch]
kind = "fixed"
value = 3
"""


def read(tmp_path, text):
    path = tmp_path / "columns.toml"
    path.write_text(text, encoding="utf-8")
    return columns.read(path)


def test_a_file_describes_every_kind_in_its_order(tmp_path):
    age, amount, housing, foreign, branch = read(tmp_path, EVERY)
    assert age == Column("age", "integer", 18, 75, 35.5, 11.4, 33)
    assert (amount.mean, amount.std, amount.decimals, amount.step, amount.scaled) == (2.25, 1.125, 2, 0.25, "standard")
    assert (housing.values, housing.codes, housing.median) == (("own", "rent", "free"), (1, 2, 5), 1)
    assert foreign.values == ("no", "yes")
    assert branch.is_fixed
    assert branch.value(branch.median) == 3


def test_what_the_same_file_says_of_the_network_is_left_alone(tmp_path):
    (age,) = read(tmp_path, 'labels = ["no", "yes"]\n[age]\nkind = "integer"\nrange = [1, 2]\n')
    assert age.name == "age"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "describes no column"),
        ("[age]\nrange = [1, 2]\n", "age has no kind; expected one of number, integer"),
        ('[age]\nkind = "whole"\n', "has the kind 'whole'; expected one of number, integer"),
        ('[age]\nkind = "integer"\n', "has the range None; expected its least and its largest"),
        ('[age]\nkind = "integer"\nrange = [9, 2]\n', "whose end is below its begin"),
        ('[age]\nkind = "integer"\nrange = [1, 2]\nvalues = ["a"]\n', "unknown key 'values'"),
        ('[age]\nkind = "number"\nrange = [1, 2]\nstd = 0\n', "std 0; expected a number above 0"),
        ('[age]\nkind = "number"\nrange = [1, inf]\n', "range is inf; expected a number"),
        ('[age]\nkind = "number"\nrange = [1, 2]\nscaled = "log"\n', "scaled is 'log'; expected one of standard, 0..1"),
        ('[a]\nkind = "one of"\nvalues = ["x", "x"]\n', "names something twice"),
        ('[a]\nkind = "one of"\nvalues = []\n', "expected several"),
        ('[a]\nkind = "one of"\nvalues = ["x", "y"]\ncodes = [1]\n', "has 1 codes for 2 values"),
        ('[a]\nkind = "one of"\nvalues = ["x", "y"]\nmedian = "z"\n', "which the columns do not know"),
        ('[a]\nkind = "yes/no"\nvalues = ["a", "b", "c"]\n', "has 3 values; expected two"),
        ('[a]\nkind = "fixed"\n', "is fixed, but at nothing"),
        ("[a\n", "cannot read"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_line(tmp_path, text, said):
    with pytest.raises(SettingsError, match=said) as refused:
        read(tmp_path, text)
    assert "\n" not in str(refused.value)


def test_codes_and_values_are_each_others_opposite():
    housing = Column("housing", "one of", values=("own", "rent", "free"))
    assert [housing.value(housing.code(text, "x")) for text in housing.values] == list(housing.values)
    assert housing.code("RENT", "x") == 1
    assert Column("grade", "one of", values=("0", "1")).code("1.0", "x") == 1
    assert Column("yes", "yes/no", values=("false", "true")).code("Yes", "x") == 1
    with pytest.raises(SettingsError, match="housing is 'castle' in line 2, which the columns do not know.* own, rent"):
        housing.code("castle", "line 2")
    with pytest.raises(SettingsError, match="age is 'old' in line 2; expected a number"):
        Column("age", "integer").code("old", "line 2")


def test_numbers_are_rounded_to_what_there_can_be():
    amount = Column("amount", "integer", 100, 1050, step=200)
    assert [amount.rounded(one) for one in (0, 199, 201, 1049, 9999)] == [100, 100, 300, 1050, 1050]
    assert Column("rate", "number", 0, 1, decimals=2).rounded(0.333) == 0.33
    assert Column("rate", "number", 0, 1, decimals=2).text(0.5) == "0.50"
    assert Column("amount", "integer", 0, 9999).text(1250) == "1,250"
