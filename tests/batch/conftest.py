"""A small tree of odd, non-square photos, and a run over it in this process."""

from __future__ import annotations

import pytest
from helping import NAMES, QUICK, Inline, encoded

from dreamer.batching import running
from dreamer.batching.folders import folder
from dreamer.batching.jobs import plan
from dreamer.batching.records import judge_all


@pytest.fixture
def photos(tmp_path, picture):
    """A folder whose files have the same names, but for folder or suffix."""
    root = tmp_path / "photos"
    for number, name in enumerate(NAMES):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(picture, number, name[-3:]))
    return root


@pytest.fixture
def dreams(tmp_path):
    return tmp_path / "dreams"


@pytest.fixture
def dream():
    """Run a batch: ``{target: (status, reason)}``, a failure's reason being what it says."""

    def run(inputs, outputs, settings=QUICK, *, presets=None, overwrite=False, retries=0, **options):
        inputs, outputs = folder(str(inputs)), folder(str(outputs))
        jobs = plan(inputs, outputs, presets or {"": settings}, **options).candidates
        with outputs.hold():
            found = list(running.carry_out(judge_all(jobs, overwrite=overwrite), Inline(), retries=retries))
        return {one.job.target: (one.status, one.failure.message if one.failure else one.reason) for one in found}

    return run
