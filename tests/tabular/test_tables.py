"""Tables of other people, as they come."""

from __future__ import annotations

import numpy as np
import pytest

from dreamer.errors import SettingsError
from dreamer.tabular import tables
from dreamer.tabular.columns import Column


def table(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode(encoding))
    return tables.read(path)


PLAIN = "age,rate,job,foreign,risk\n30,1.25,cook,no,0\n41,0.5,baker,yes,1\n52,2,cook,no,0\n"


def test_the_kinds_of_columns_are_learnt(tmp_path):
    age, rate, job, foreign, risk = tables.learnt(table(tmp_path, PLAIN)).columns
    assert (age.kind, age.low, age.high, age.median, age.step) == ("integer", 30, 52, 41, 11)
    assert (rate.kind, rate.decimals) == ("number", 2)
    assert (job.kind, job.values, job.value(job.median)) == ("one of", ("baker", "cook"), "cook")
    assert (foreign.kind, foreign.values) == ("yes/no", ("no", "yes"))
    assert (risk.kind, risk.values) == ("yes/no", ("0", "1"))


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_any_usual_delimiter_and_a_byte_order_mark_will_do(tmp_path, delimiter):
    other = table(tmp_path, PLAIN.replace(",", delimiter), "utf-8-sig")
    assert other.cells == table(tmp_path, PLAIN).cells


def test_whole_numbers_that_may_be_kinds_are_told(tmp_path):
    (note,) = tables.learnt(table(tmp_path, "job,age\n0,20\n2,40\n1,60\n")).notes
    assert "job is taken for whole numbers, 0 to 2; if they stand for kinds" in note


def test_columns_of_zeros_and_a_one_are_one_category(tmp_path):
    found = table(tmp_path, "job_cook,age,job_baker,has_car,has_bike\n1,20,0,1,1\n0,30,1,0,1\n1,40,0,0,0\n")
    job, age, car, bike = tables.learnt(found).columns
    assert (job.values, job.blocks, job.encoding) == (("cook", "baker"), ("job_cook", "job_baker"), "one-hot")
    assert [one.name for one in (age, car, bike)] == ["age", "has_car", "has_bike"]
    assert tables.real(found, [job, age]).codes.tolist() == [[0, 20], [1, 30], [0, 40]]


def test_a_constant_column_has_a_deviation_and_no_freedom(tmp_path):
    same, _ = tables.learnt(table(tmp_path, "same,other\n5,1\n5,2\n")).columns
    assert same.std == 1
    assert same.is_fixed


def test_rows_with_empty_cells_are_left_out_and_counted(tmp_path):
    found = table(tmp_path, "a,b\n1,2\n,3\n4,NA\n5,6\n")
    real = tables.real(found, tables.learnt(found).columns)
    assert (real.codes.tolist(), real.lines, real.left_out) == ([[1, 2], [5, 6]], (2, 5), 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a,b\n", "has the names of columns, but no row"),
        ("a,b\n1\n", "has 1 cells in line 2, and 2 columns"),
        ("a,a\n1,2\n", "has 1 columns of the same name: 'a'"),
        ("a,b\n1,\0\n", "is no table of text"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, text, said):
    with pytest.raises(SettingsError, match=said):
        table(tmp_path, text)


def test_what_cannot_be_learnt_is_refused_with_a_way_out(tmp_path):
    names = "name,a\n" + "".join(f"person {index},{index}\n" for index in range(40))
    with pytest.raises(SettingsError, match="'name' .* 40 different texts, .* leave it out with --ignore name"):
        tables.learnt(table(tmp_path, names))
    assert [one.name for one in tables.learnt(table(tmp_path, names), ["name"]).columns] == ["a"]
    with pytest.raises(SettingsError, match="holds nothing"):
        tables.learnt(table(tmp_path, "a,b\n1,\n2,\n"))
    with pytest.raises(SettingsError, match="not finite"):
        tables.learnt(table(tmp_path, "a\n1\ninf\n"))
    with pytest.raises(SettingsError, match=r"has no column 'agee'. Close matches: age."):
        tables.learnt(table(tmp_path, PLAIN), ["agee"])
    path = tmp_path / "data.csv"
    path.write_bytes(b"a\n\xff\n")
    with pytest.raises(SettingsError, match="it is no UTF-8"):
        tables.read(path)
    with pytest.raises(SettingsError, match="is a directory"):
        tables.read(tmp_path)


def test_a_category_that_was_never_seen_is_refused(tmp_path):
    known = tables.learnt(table(tmp_path, PLAIN)).columns
    other = table(tmp_path, PLAIN.replace("baker", "pilot"))
    with pytest.raises(SettingsError, match="job is 'pilot' in .*data.csv, which the columns do not know"):
        tables.real(other, known)


def test_a_block_with_two_ones_is_refused(tmp_path):
    good = table(tmp_path, "job_a,job_b\n1,0\n0,1\n")
    (job,) = tables.learnt(good).columns
    with pytest.raises(SettingsError, match="has 2 of job_a, job_b in line 3; expected a single 1"):
        tables.real(table(tmp_path, "job_a,job_b\n1,0\n1,1\n"), [job])


def test_the_deviation_of_a_file_of_columns_comes_from_the_table_unless_it_scales(tmp_path):
    held = table(tmp_path, "a,b\n1,1\n3,3\n")
    first = tables.learnt(held).columns
    scaled = {"a": None, "b": "standard"}
    wide = [Column(one.name, "number", 0, 10, 5, 5, scaled=scaled[one.name]) for one in first]
    assert [one.std for one in tables.described(wide, held)] == [1, 5]
    assert np.allclose([one.median for one in tables.described(wide, held)], [2, 0])
