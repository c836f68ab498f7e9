from __future__ import annotations

import numpy as np
import pytest

import dreamer
from dreamer.ascent.scoring import alone
from dreamer.backends import backend, precision
from dreamer.backends.backend import Device
from dreamer.objectives import layer


@pytest.fixture(autouse=True)
def _fresh():
    precision.of_hardware.cache_clear()
    yield
    precision.of_hardware.cache_clear()


def hardware(monkeypatch, tmp_path, device, flags="", keras_backend="tensorflow"):
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nflags\t\t: fpu {flags} sse\n\nprocessor\t: 1\nflags\t\t: fpu\n")
    monkeypatch.setattr(precision, "_CPU_INFO", info)
    monkeypatch.setattr("sys.platform", "linux")

    class Fake:
        devices = staticmethod(lambda: [device])
        USES_LOW_PRECISION_OF_CPU = keras_backend != "jax"

    monkeypatch.setattr(backend, "current", lambda: Fake)
    monkeypatch.setattr(backend, "name", lambda: keras_backend)


@pytest.mark.parametrize(
    ("device", "flags", "keras_backend", "expected", "why"),
    [
        (Device("cpu", "CPU"), "avx512f avx512_bf16", "tensorflow", "bfloat16", "avx512_bf16"),
        (Device("cpu", "CPU"), "amx_tile amx_bf16", "torch", "bfloat16", "amx_bf16"),
        (Device("cpu", "CPU"), "avx512_bf16", "jax", "float32", "jax"),
        (Device("cpu", "CPU"), "avx2", "tensorflow", "float32", "no instructions"),
        (Device("gpu", "A100", (8, 0)), "", "tensorflow", "bfloat16", "8.0"),
        (Device("gpu", "T4", (7, 5)), "", "torch", "float16", "7.5"),
        (Device("gpu", "P100", (6, 0)), "avx512_bf16", "tensorflow", "float32", "6.0"),
        (Device("gpu", "Radeon"), "", "torch", "float32", "Radeon"),
        (Device("tpu", "TPU v4"), "", "jax", "bfloat16", "TPU"),
    ],
)
def test_the_hardware_decides(monkeypatch, tmp_path, device, flags, keras_backend, expected, why):
    hardware(monkeypatch, tmp_path, device, flags, keras_backend)
    chosen = precision.choose("auto", ("bfloat16", "float16"), "own")
    assert chosen.name == expected
    assert why in chosen.why


def test_a_network_whose_dreams_were_not_compared_stays_in_float32(monkeypatch, tmp_path):
    hardware(monkeypatch, tmp_path, Device("cpu", "CPU"), "avx512_bf16")
    chosen = precision.choose("auto", (), "own")
    assert chosen == (
        "float32", "the processor has avx512_bf16, but dreams of own in it were not compared with float32"
    )  # fmt: skip
    assert precision.choose("bfloat16", (), "own") == ("bfloat16", "asked for")


def test_a_dream_in_fewer_bits_reaches_what_one_in_float32_does(picture):
    """Here one small picture; ``benchmarks/precision.py`` holds every layer against float32."""
    from dreamer.models import registry

    reached = {}
    for name in ("float32", "bfloat16"):
        dreamt = dreamer.dream(picture, octaves=1, steps=12, precision=name).pixels
        activations = registry.load("efficientnet_lite0").forward(["block5c"])
        reached[name] = float(alone(layer("block5c"))(activations(dreamt[None]), None)[0])
    assert reached["bfloat16"] > 0.9 * reached["float32"]  # A single dream scatters by some per cent.


def test_the_same_seed_gives_the_same_bytes_in_each_precision(picture):
    first, second, full = (
        dreamer.dream(picture, octaves=1, steps=2, precision=name).pixels
        for name in ("bfloat16", "bfloat16", "float32")
    )
    assert first.tobytes() == second.tobytes() != full.tobytes()
    assert np.abs(first - full).mean() < 0.01
