"""Names that load late, and modules under their earlier names."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import dreamer
from dreamer import lazy
from dreamer.moved import MOVED


@pytest.mark.parametrize(("earlier", "now"), MOVED.items())
def test_a_module_under_its_earlier_name_is_the_one_that_it_is_now(earlier, now):
    sys.modules.pop(earlier, None)
    with pytest.warns(DeprecationWarning, match=f"{earlier} is {now} now"):
        found = importlib.import_module(earlier)
    assert found is importlib.import_module(now)
    sys.modules.pop(earlier)


def test_what_never_was_is_not_found():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("dreamer.nothing")


def test_all_public_names_are_there_and_documented():
    for name in dreamer.__all__:
        assert getattr(dreamer, name) is not None
        assert name in dir(dreamer) or name == "__version__"
    assert all(getattr(dreamer, name).__doc__ for name in dreamer.__all__ if name != "__version__")
    with pytest.raises(AttributeError, match="no attribute 'sleep'"):
        dreamer.__getattr__("sleep")


def test_a_name_loads_its_module_when_it_is_asked_for():
    code = "import sys, dreamer; before = 'keras' in sys.modules; dreamer.dream; print(before, 'keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_exports_give_names_and_modules():
    look_up, listed = lazy.exports("dreamer", {"files": "dreamer.files", "digest_of": "dreamer.files.digests"})
    assert look_up("files").__name__ == "dreamer.files"
    assert look_up("digest_of").__name__ == "digest_of"
    assert listed() == ["digest_of", "files"]
