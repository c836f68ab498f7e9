"""How a machine is shared out."""

from __future__ import annotations

import os
import stat

import psutil
import pytest

from dreamer.workers import resources


@pytest.fixture(autouse=True)
def no_gpus(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


def test_without_gpus_there_is_a_worker_of_one_thread_per_core(monkeypatch):
    monkeypatch.setattr(resources, "cores", lambda: 6)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 64 << 30}))
    assert resources.environments() == [resources.ONE_THREAD] * 6
    assert resources.environments(2) == [resources.ONE_THREAD] * 2


def test_there_are_no_more_workers_than_memory_is_there_for(monkeypatch):
    monkeypatch.setattr(resources, "cores", lambda: 64)
    for gibibytes, expected in ((7, 3), (1, 1)):
        available = gibibytes << 30
        monkeypatch.setattr(psutil, "virtual_memory", lambda given=available: type("Memory", (), {"available": given}))
        assert len(resources.environments()) == expected


def test_each_gpu_has_a_worker_and_the_cores_are_shared(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,GPU-5")
    monkeypatch.setattr(resources, "cores", lambda: 9)
    found = resources.environments()
    assert [one["CUDA_VISIBLE_DEVICES"] for one in found] == ["0", "GPU-5"]
    assert [one["TF_NUM_INTRAOP_THREADS"] for one in found] == ["4", "4"]
    assert "TF_FORCE_GPU_ALLOW_GROWTH" not in found[0]
    shared = resources.environments(3)
    assert [one["CUDA_VISIBLE_DEVICES"] for one in shared] == ["0", "GPU-5", "0"]
    assert {one["TF_FORCE_GPU_ALLOW_GROWTH"] for one in shared} == {"true"}


@pytest.mark.parametrize(("script", "found"), [("printf 'GPU-1\\nGPU-2\\n'", ["GPU-1", "GPU-2"]), ("exit 9", [])])
def test_the_driver_is_asked_for_gpus(monkeypatch, tmp_path, script, found):
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(stat.S_IRWXU)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert resources.gpus() == found


def test_gpus_can_be_hidden(monkeypatch):
    for value, found in (("-1", []), ("", []), ("1", ["1"])):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
        assert resources.gpus() == found
