"""The examples in the docstrings are run, so that they stay true."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
import pytest

import dreamer

MODULES = [
    module.name
    for module in pkgutil.walk_packages(dreamer.__path__, "dreamer.")
    if not module.name.startswith(("dreamer.cli", "dreamer.__main__"))
]


@pytest.mark.parametrize("name", ["dreamer", *MODULES])
def test_examples_of_a_module(name):
    for backend in ("jax", "torch"):
        if name == f"dreamer.backends.on_{backend}":
            pytest.importorskip(backend)
    module = import_module(name)
    names = vars(module) | {"np": np, "keras": keras, "Path": Path}
    results = doctest.testmod(module, extraglobs=names)
    assert results.failed == 0
