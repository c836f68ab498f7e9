"""The command line as a whole: how fast it answers, and what it pulls in."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dreamer import __version__
from dreamer.cli import run

HEAVY = {"tensorflow", "keras", "numpy", "cv2", "PIL", "rich", "jax", "torch"}


def modules_after(code):
    program = f"import sys\n{code}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import dreamer",
        "import dreamer.errors, dreamer.settings, dreamer.models.registry",
        "import dreamer.cli; dreamer.cli.run(['--help'])",
        "import dreamer.cli; dreamer.cli.run(['dream', '--help'])",
        "import dreamer.cli; dreamer.cli.run(['batch', '--help'])",
        "import dreamer.workers.pools, dreamer.workers.resources, dreamer.workers.ray",
        "import dreamer; dreamer.DreamSettings(seed=3)",
    ],
)
def test_nothing_heavy_is_imported(code):
    assert not modules_after(code) & HEAVY


def test_the_examples_of_the_help_stand_on_lines_of_their_own(capfd):
    assert run(["dream", "--help"]) == 0
    lines = [line.strip() for line in capfd.readouterr().out.splitlines()]
    assert "dreamer dream photo.jpg" in lines
    assert not any("\\b" in line for line in lines)


def test_version(capfd):
    assert run(["--version"]) == 0
    assert capfd.readouterr().out == f"dreamer {__version__}\n"


def test_every_public_name_is_there_after_any_import():
    code = (
        "import dreamer, dreamer.dreaming, dreamer.settings\n"
        "assert callable(dreamer.dream) and callable(dreamer.dream_steps)\n"
        "assert all(hasattr(dreamer, name) for name in dreamer.__all__)\n"
        "assert not hasattr(dreamer, 'nothing')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell, capfd):
    if shell == "bash" and subprocess.run(["which", "bash"], capture_output=True, check=False).returncode:
        pytest.skip("there is no bash here")
    assert run(["completion", shell]) == 0
    assert "_DREAMER_COMPLETE" in capfd.readouterr().out


def test_completion_knows_commands_and_options():
    def complete(words, index):
        environment = os.environ | {"_DREAMER_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(index)}
        done = subprocess.run([sys.executable, "-c", "from dreamer.cli import main; main()"], env=environment,
                              capture_output=True, text=True, check=False)  # fmt: skip
        return [line.split(",")[1] for line in done.stdout.splitlines()]

    assert complete("dreamer dr", 1) == ["dream"]
    assert complete("dreamer dream --oct", 2) == ["--octaves", "--octave-scale"]
