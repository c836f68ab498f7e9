"""Which units follow what, and that luck names none."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import numpy as np
import pytest
from texts.text_case import LETTERS, remembering

from dreamer import texts
from dreamer.errors import SettingsError
from dreamer.texts import following
from dreamer.texts.reading import text_of

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
CODE = '''def f(a, b=[1, "x(y"]):
    """Doc
    more"""
    return g(a)  # See "https://example.org/a?b", (not a bracket
'''


def marked(name, text=CODE, **more):
    truth = following.truths(text, [name], **more)[name]
    assert len(truth) == len(text)
    return "".join(char if is_in else "." for char, is_in in zip(text, truth, strict=True))


def test_python_itself_tells_strings_and_comments():
    assert [part for part in marked("strings").split(".") if part] == ['"x(y"', '"""Doc\n    more"""']
    assert marked("comments").strip(".") == '# See "https://example.org/a?b", (not a bracket'


def test_brackets_of_strings_and_comments_are_none():
    inside = marked("brackets")
    assert inside.count(".") == len(CODE) - len('a, b=[1, "x(y"]') - len("a")
    assert '1, "x(y"' in inside


def test_indentation_addresses_and_the_ends_of_lines():
    assert marked("indent").replace(".", "") == " " * 12
    assert marked("url").strip(".") == "https://example.org/a?b"
    late = following.truths("ab\n" * 3 + "x" * 20 + "\n", ["line-end"])["line-end"]
    assert late.sum() == 8
    assert late[-8:].all()


def test_an_f_string_is_one_string():
    assert marked("strings", "x = f'a{b}c' + 'd'\n").count("'") == 4


def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes():
    text = CODE * 9 + "x = g(1,"
    assert (
        following.truths(text, ["comments"], is_python=True)["comments"].sum() == 9 * marked("comments").count("#") * 47
    )


def test_what_python_cannot_read_is_scanned():
    text = "int a = 'b'; // c 'd'\n/* e */ char *s = \"f // g\";\n"
    assert marked("comments", text).replace(".", "") == "// c 'd'/* e */"
    assert '"f // g"' in marked("strings", text)
    with pytest.raises(SettingsError, match="is no Python that can be read"):
        following.truths('x = """never closed\n' * 3, ["strings"], is_python=True)
    with pytest.raises(SettingsError, match=r"nothing is known of 'string'. Close matches: strings"):
        following.truths(text, ["string"])


def test_the_area_is_the_chance_to_be_higher():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 6, (60, 3)).astype(np.float32)  # With ties.
    truth = rng.random(60) < 0.3
    pairs = [[np.mean([(one > other) + 0.5 * (one == other) for one in values[truth, unit] for other in
                       values[~truth, unit]])] for unit in range(3)]  # fmt: skip
    assert np.allclose(following.areas(following.ranks(values), truth), np.array(pairs)[:, 0])


def test_luck_names_no_unit():
    rng = np.random.default_rng(1)
    noise = np.cumsum(rng.normal(size=(4000, 60)), 0).astype(np.float32)  # Slow, as units are, so that luck is large.
    truth = {"strings": np.repeat(rng.random(100) < 0.3, 40)}
    found = following.following("noise", noise, truth)
    assert found[0].auc > 0.6
    assert sum(one.is_sure for one in found) <= 1
    assert following.following("noise", noise, {"url": np.zeros(4000, bool)}) == []


def test_a_unit_that_follows_comments_is_found():
    rng = np.random.default_rng(0)
    text = "".join("".join(rng.choice(list("abcdefg#"), rng.integers(3, 20))) + "\n" for _ in range(200))
    found = texts.find(remembering(), text, "comments", vocabulary=LETTERS, is_python=False)
    assert (found[0].unit, found[0].sign) == (0, 1)
    assert found[0].auc > 0.95
    assert found[0].is_sure
    assert len(found) == 3


def test_a_network_taught_in_a_minute_follows_comments(tmp_path):
    # Tables of the standard library of Python, in which every line has a string and a comment.
    folder = Path(sysconfig.get_paths()["stdlib"]) / "encodings"
    text = text_of([folder / f"cp{number}.py" for number in (1250, 1251, 1253, 1254, 1255, 1257)])
    made = texts.train(text, tmp_path / "char.keras", units=64, steps=250, seed=2)
    assert made.bits < 3
    other = text_of([folder / "koi8_r.py"])
    found = texts.find(tmp_path / "char.keras", other, ("strings", "comments"), is_python=True)
    best = max(found, key=lambda one: one.auc)
    assert best.is_sure
    assert best.auc > 0.9
