"""What a shell completes, asked as shells ask."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from click.shell_completion import get_completion_class

from dreamer.cli import cli, run
from dreamer.dreaming.settings import BLENDS, DreamSettings


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DREAMER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def bash(monkeypatch):
    """Asks as bash does, of words as it has split them; gives the answers, without their kinds."""

    def ask(*words):
        monkeypatch.setenv("COMP_WORDS", "\n".join(("dreamer", *words)))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        return [line.partition(",")[2] for line in answer("bash").splitlines()]

    return ask


def answer(shell):
    return get_completion_class(shell)(cli, {}, "dreamer", "_DREAMER_COMPLETE").complete()


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        (["dream", "--blend", ""], list(BLENDS)),
        (["dream", "--blend", "=", "mul"], ["multiply"]),
        (["dream", "--precision", "b"], ["bfloat16"]),
        (["dream", "--preprocessing", "c"], ["caffe"]),
        (["dream", "--backend", "j"], ["jax"]),
        (["batch", "a", "b", "--executor", "r"], ["ray"]),
        (["visualize", "block4b", "--parametrization", "fo"], ["fourier"]),
        (["visualize", "block4b", "--look", "sc"], ["scene"]),
        (["atlas", "--look", "cl"], ["clear"]),
        (["visualize", "--model", "keras", ":", "VGG16", "--model", "inception_v3", "block5"], ["block5_conv3"]),
        (["visualize", "block4b", "--transforms", "rob"], ["robust"]),
        (["visualize", "block4b", "--optimizer", "na"], ["nadam"]),
        (["presets", "list", "--tag", "ani"], ["animals"]),
        (["presets", "sheet", "--tag", "ani"], ["animals"]),
        (["layers", "keras", ":", "VG"], ["VGG16", "VGG19"]),
        (["dream", "--model", "=", "keras", ":", "VG"], ["VGG16", "VGG19"]),
        (["dream", "--layer", "block5"], ["block5c"]),
        (["dream", "--channel", "block5"], ["block5c:"]),
        (["dream", "--model", "keras", ":", "VGG16", "--layer", "blo"], ["block5_conv3"]),
        (["atlas", "block5"], ["block5c"]),
        (["atlas", "--logits", "golden r"], [r"golden\ retriever"]),
        (["layers", "block5"], ["block5c"]),
        (["layers", "efficientnet_lite0", "block5"], ["block5c"]),
        (["labels", r"golden\ r"], [r"golden\ retriever"]),
        (["visualize", "lo"], ["logit:"]),
        (["visualize", "block4b", "logit", ":", "tabb"], ["tabby"]),
        (["visualize", "logit", ":", r"tiger\ s"], [r"tiger\ shark"]),
        (["visualize", "'logit:tiger s"], ["logit:tiger shark"]),
        (["visualize", '"logit:tiger s'], ["logit:tiger shark"]),
        (["visualize", "logit", ":", "jack-"], [r"jack-o\'-lantern"]),
        (["visualize", "'logit:jack-"], [r"logit:jack-o'\''-lantern"]),
        (["visualize", "logit", ":", "black-footed"], [r"black-footed\ ferret"]),
        (["visualize", "'logit:\"tabby c"], ['logit:"tabby cat"']),
        (["visualize", "'block4b:17 + 0.5*block5"], ["block4b:17 + 0.5*block5c"]),
        (["visualize", "'2*(logit:broccoli - logit:tabb"], ["2*(logit:broccoli - logit:tabby"]),
        (["dream", "--objective", "'block4b:17-block5"], ["block4b:17-block5c"]),
        (["visualize", "--", "-block5"], ["-block5c"]),
        (["visualize", "direction", ":", "block5"], ["block5c"]),
        (["visualize", "total"], ["total_variation"]),
        (["help", "pres"], ["presets"]),
        (["help", "presets", "val"], ["validate"]),
        (["he"], ["help"]),
        (["dream", "--help"], ["--help-all", "--help"]),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_bash_is_answered_for_the_part_of_a_word_that_it_asks_about(bash, words, answers):
    assert sorted(bash(*words)) == sorted(answers)


def test_a_class_is_offered_once_and_every_class_after_a_colon(bash):
    assert len(bash("visualize", "logit", ":")) == 1000
    assert bash("visualize", "logit", ":", "tabby") == ["tabby"]


def test_layers_that_dream_well_come_first_and_the_others_once_the_network_was_looked_at(bash, capfd):
    well = bash("dream", "--layer", "block")
    assert run(["layers", DreamSettings.model]) == 0
    capfd.readouterr()
    known = bash("dream", "--layer", "block")
    assert known[: len(well)] == well
    assert "block5a_expand_pre_relu" in known[len(well) :]


@pytest.mark.parametrize(
    ("shell", "words", "place", "expected"),
    [
        ("zsh", r"dreamer visualize logit:tiger\ s", "2", "plain\nlogit\\:tiger shark\n3"),
        ("zsh", "dreamer dream --blend=mul", "2", "plain\n--blend=multiply\n_"),
        ("fish", "dreamer visualize 'logit:tiger s", "'logit:tiger s", "plain,logit:tiger shark\t3"),
        ("fish", "dreamer dream --blend=mul", "--blend=mul", "plain,--blend=multiply"),
    ],
)
def test_other_shells_are_answered_with_whole_words(monkeypatch, shell, words, place, expected):
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", place)
    assert answer(shell) == expected


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_the_script_answers_in_bash(tmp_path, capfd):
    program = tmp_path / "dreamer"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dreamer "$@"\n')
    program.chmod(0o755)
    assert run(["completion", "bash"]) == 0
    script = capfd.readouterr().out + (
        '\nCOMP_WORDS=(dreamer visualize logit : "tiger\\\\ s") COMP_CWORD=4\n'
        '_dreamer_completion dreamer\nprintf "<%s>" "${COMPREPLY[@]}"\ncomplete -p dreamer'
    )
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout == r"<tiger\ shark>" + "complete -o nosort -F _dreamer_completion dreamer\n"
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script(shell, capfd):
    assert run(["completion", shell]) == 0
    out = capfd.readouterr().out
    assert f"_DREAMER_COMPLETE={shell}_complete" in out
    assert "%(" not in out


def test_nothing_heavy_is_imported():
    words = ["dream --model keras:VGG16 --layer b", "visualize logit:ta", "layers b", "presets list --tag a", "help d"]
    code = (
        "import os, sys; from click.shell_completion import get_completion_class; from dreamer.cli import cli\n"
        f"for line in {words!r}:\n"
        "    os.environ |= {'COMP_WORDS': f'dreamer {line}', 'COMP_CWORD': str(len(line.split()))}\n"
        "    assert get_completion_class('bash')(cli, {}, 'dreamer', '_DREAMER_COMPLETE').complete(), line\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"tensorflow", "keras", "numpy", "cv2", "PIL", "rich", "jax", "torch"}
