"""Help pages: commands in the order of a person's day, options in groups, nothing cut."""

from __future__ import annotations

import re

import click
import pytest

from dreamer.cli import cli, run
from dreamer.cli.help_page import GROUPS, SECTIONS, USUAL, Option


def page(capfd, monkeypatch, *arguments, width=80):
    monkeypatch.setenv("COLUMNS", str(width))
    assert run(arguments) == 0
    return capfd.readouterr().out


def sections(text):
    """Options, by the heading that they stand under."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in text.splitlines():
        if title := re.fullmatch(r"(\S.*):", line):
            heading = title[1]
        elif row := re.match(r"  (?:-\w, )?(--?[\w-]+)", line):
            found.setdefault(heading, []).append(row[1])
    return found


def flags(command):
    return {max(one.opts, key=len) for one in cli.commands[command].params if is_shown(one)}


def is_shown(one):
    return isinstance(one, click.Option) and not one.hidden


def one_line(text):
    return " ".join(text.split())


@pytest.mark.parametrize("width", [60, 80, 100, 300])
def test_commands_stand_in_the_order_of_a_day_each_with_a_whole_sentence(capfd, monkeypatch, width):
    text = page(capfd, monkeypatch, "--help", width=width)
    commands = [name for names in SECTIONS.values() for name in names]
    assert commands[:7] == ["dream", "sheet", "presets", "batch", "video", "mask", "visualize"]
    assert set(commands) == {*cli.commands, "help"}
    assert [line.split()[0] for line in text.splitlines() if re.match(r"  [a-z]+  ", line)] == commands
    assert max(map(len, text.splitlines())) <= min(width, 100)
    assert "..." not in text.replace("[ARGS]...", "")
    told = one_line(text)
    for command in cli.commands.values():
        sentence = one_line(command.help.split("\n\n")[0])
        assert sentence.endswith(".")
        assert sentence in told


@pytest.mark.parametrize("command", USUAL)
def test_the_short_page_has_the_ten_options_used_most_and_says_where_the_others_are(capfd, monkeypatch, command):
    text = page(capfd, monkeypatch, command, "--help")
    [shown] = sections(text).values()
    assert shown == list(USUAL[command])
    assert len(shown) == 10
    assert text.endswith(f"All options: dreamer {command} --help-all\n")


@pytest.mark.parametrize("command", USUAL)
def test_the_long_page_has_every_option_once_in_its_group(capfd, monkeypatch, command):
    found = sections(page(capfd, monkeypatch, command, "--help-all"))
    assert list(found) == [group for group in GROUPS if group in found]
    listed = [flag for group in found.values() for flag in group]
    assert len(listed) == len(set(listed))
    assert set(listed) == {*flags(command), "--help", "--help-all"}
    usual = [flag for flag in found["The result"] if flag in USUAL[command]]
    assert found["The result"][: len(usual)] == usual


@pytest.mark.parametrize("command", USUAL)
def test_every_option_of_a_command_with_groups_says_which_is_its_own(command):
    assert all(isinstance(one, Option) for one in cli.commands[command].params if is_shown(one))


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("command", USUAL)
def test_no_help_is_cut(capfd, monkeypatch, command, width):
    text = page(capfd, monkeypatch, command, "--help-all", width=width)
    told = re.sub(r"(\w-) (?=\w)", r"\1", one_line(text))
    for one in cli.commands[command].params:
        if is_shown(one):
            assert re.sub(r"(\w-) (?=\w)", r"\1", one_line(one.help)) in told


@pytest.mark.parametrize("command", USUAL)
def test_what_an_option_does_is_said_in_one_phrase(command):
    for one in filter(is_shown, cli.commands[command].params):
        phrase = re.sub(r"(  \[.*\])+$", "", one.help)
        assert re.fullmatch(r"[A-Z](?:(?!\. [A-Z]).)*\.", phrase), one.help


def test_a_command_of_few_options_shows_them_all(capfd, monkeypatch):
    shown = sections(page(capfd, monkeypatch, "labels", "--help"))["Options"]
    assert set(shown) == {*flags("labels"), "--help"}
    assert run(["labels", "--help-all"]) == 2


def test_options_are_not_looked_at_before_all_are_listed(capfd, monkeypatch):
    assert "--feather" in page(capfd, monkeypatch, "dream", "nothing.jpg", "--help-all", "--steps", "many")
