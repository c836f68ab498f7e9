"""What is said cannot make a terminal do anything."""

from __future__ import annotations

import pytest

from dreamer.wording import harmless


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words", "plain words"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("Grüße, 猫, 👩\u200d🎨", "Grüße, 猫, 👩\u200d🎨"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\rb\x7f\x9bc", "a\\x0db\\x7f\\x9bc"),
        ("gnp\u202e.exe", "gnp\\u202e.exe"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud800", "\\ud800"),
        ("a\u2028b", "a\\u2028b"),
    ],
)
def test_what_a_terminal_would_obey_is_written_as_an_escape(text, shown):
    assert harmless(text) == shown
    assert shown.encode() is not None
