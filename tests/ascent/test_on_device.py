"""Chunks of steps in one program, on whatever device there is: they must do what the host does."""

from __future__ import annotations

import numpy as np
import pytest

import dreamer
from dreamer import memory
from dreamer.arrays import resize
from dreamer.ascent import on_device, pacing
from dreamer.ascent.conditioning import CONDITIONINGS
from dreamer.ascent.loop import ascend, ascend_on_device
from dreamer.ascent.scoring import alone
from dreamer.ascent.tile_view import draw
from dreamer.ascent.tiling import Tiling, tiled
from dreamer.backends import backend, on_tensorflow
from dreamer.dreaming import ascent
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import DeviceMemoryError
from dreamer.objectives import layer


def views(step):
    return draw(seed=4, octave=0, step=step, rotate=0, scale=0)


def on_host(network, picture, conditioning, tiling, num_steps):
    activations = network.forward(["second"])
    gradient = backend.compile_gradient(lambda x, _matrix: activations(x), alone(layer("second")))
    steps = ascend(
        picture.copy(), tiled(gradient, tiling), views=views, num_steps=num_steps, step_size=0.02,
        conditioning=CONDITIONINGS[conditioning].host,
    )  # fmt: skip
    return [(step.score, step.picture().copy()) for step in steps]


def program_for(network, conditioning):
    activations = network.forward(["second"])
    gradient = backend.tile_gradient(lambda x, _matrix: activations(x), alone(layer("second")), ())
    return backend.compile_chunk(on_device.chunk(gradient, CONDITIONINGS[conditioning].device))


def on_the_device(network, picture, conditioning, tiling, num_steps, *, ladder=False):
    program = program_for(network, conditioning)
    grid = tiling.grid(picture.shape[:2])
    steps = ascend_on_device(picture, program, grid, views=views, num_steps=num_steps, step_size=0.02, ladder=ladder)
    return [(step.score, step.picture()) for step in steps]


@pytest.mark.parametrize("tile", [64, 20])
@pytest.mark.parametrize("conditioning", ["none", "smooth"])
def test_the_device_takes_the_steps_of_the_host(tiny_network, picture, conditioning, tile):
    tiling = Tiling(tile=tile, jitter=6)
    expected = on_host(tiny_network, picture, conditioning, tiling, 5)
    found = on_the_device(tiny_network, picture, conditioning, tiling, 5)
    assert [score for score, _ in found] == pytest.approx([score for score, _ in expected], rel=1e-4)
    assert found[-1][1] == pytest.approx(expected[-1][1], abs=2e-4)


@pytest.mark.parametrize("conditioning", ["none", "smooth", "laplacian"])
def test_a_canvas_larger_than_the_picture_changes_nothing_else(tiny_network, picture, conditioning):
    tiling = Tiling(tile=64, jitter=6, ladder=True)
    expected = on_host(tiny_network, picture, conditioning, tiling, 3)
    found = on_the_device(tiny_network, picture, conditioning, tiling, 3, ladder=True)
    assert [score for score, _ in found] == pytest.approx([score for score, _ in expected], rel=2e-2)
    assert found[-1][1].shape == picture.shape
    assert np.abs(found[-1][1] - expected[-1][1]).mean() < (0.006 if conditioning == "laplacian" else 1e-4)


def test_bands_have_the_strength_that_they_have_on_the_host(tiny_network, picture):
    """They differ at the edges, where OpenCV continues small bands in a way of its own."""
    large = resize(picture, (131, 150))
    tiling = Tiling(tile=200, jitter=6)
    (_, expected), (_, found) = (
        run(tiny_network, large, "laplacian", tiling, 1)[-1] for run in (on_host, on_the_device)
    )
    moved = np.abs(expected - large).mean()
    assert np.abs(found - expected)[16:-16, 16:-16].mean() < 0.1 * moved


def test_each_step_comes_once_and_the_last_is_the_end(tiny_network, picture):
    tiling = Tiling(tile=64, jitter=6)
    grid = tiling.grid(picture.shape[:2])
    steps = list(
        ascend_on_device(
            picture, program_for(tiny_network, "none"), grid, views=views, num_steps=37, step_size=0.01, ladder=False
        )
    )
    assert [step.index for step in steps] == list(range(37))
    assert steps[-1].score > steps[0].score
    assert (steps[-1].picture() == steps[-2].picture()).all()


def test_one_trace_serves_all_sizes_and_lengths_of_chunks(tiny_network, picture):
    traces = []
    activations = tiny_network.forward(["second"])

    def forward(pictures, _matrix):
        traces.append(1)
        return activations(pictures)

    gradient = backend.tile_gradient(forward, alone(layer("second")), ())
    program = backend.compile_chunk(on_device.chunk(gradient, CONDITIONINGS["smooth"].device))
    for size, tile in [((37, 53), 64), ((20, 91), 30), ((64, 64), 32)]:
        grid = Tiling(tile=tile, jitter=3).grid(size)
        steps = ascend_on_device(
            resize(picture, size), program, grid, views=views, num_steps=20, step_size=0.01, ladder=False
        )
        assert len(list(steps)) == 20
    assert len(traces) == 1


def test_the_picture_crosses_over_only_when_it_is_asked_for(tiny_network, picture, monkeypatch):
    monkeypatch.setattr(pacing, "SECONDS", 1e9)  # So that chunks grow on any machine.
    program = program_for(tiny_network, "smooth")
    crossed = []
    to_host = backend.to_host
    monkeypatch.setattr(backend, "to_host", lambda x: (crossed.append(x.shape), to_host(x))[1])
    handed_over = []

    def counting(state, *plan):
        handed_over.append(state)
        return program(state, *plan)

    grid = Tiling(tile=64, jitter=6).grid(picture.shape[:2])
    steps = list(ascend_on_device(picture, counting, grid, views=views, num_steps=40, step_size=0.01, ladder=False))
    assert len(handed_over) == 6  # Chunks of 1, 2, 4, 8, 16 and the 9 that are left.
    assert crossed == [(on_device.MOST_STEPS,)] * len(handed_over)  # The scores of each chunk, and nothing else.
    assert [type(state) is np.ndarray for state in handed_over] == [True] + [False] * (len(handed_over) - 1)
    steps[-1].picture()
    assert crossed[-1] == picture.shape


def test_the_device_is_never_waited_for_before_it_has_the_next_chunk(tiny_network, picture, monkeypatch):
    monkeypatch.setattr(pacing, "SECONDS", 1e9)
    program = program_for(tiny_network, "none")
    events = []

    def counting(state, *plan):
        events.append("handed over")
        return program(state, *plan)

    grid = Tiling(tile=64, jitter=6).grid(picture.shape[:2])
    steps = ascend_on_device(picture, counting, grid, views=views, num_steps=3, step_size=0.01, ladder=False)
    events.extend("shown" for _ in steps)
    assert events == ["handed over", "handed over", "shown", "shown", "shown"]


@pytest.mark.parametrize("conditioning", list(CONDITIONINGS))
def test_without_a_gradient_the_picture_stays_as_it_is(picture, conditioning):
    gradient = backend.tile_gradient(lambda x, _matrix: {"x": x}, lambda a, _: 0 * a["x"][:, 0, 0, 0], ())
    program = backend.compile_chunk(on_device.chunk(gradient, CONDITIONINGS[conditioning].device))
    grid = Tiling(tile=64, jitter=6).grid(picture.shape[:2])
    steps = ascend_on_device(picture, program, grid, views=views, num_steps=3, step_size=0.02, ladder=False)
    assert (list(steps)[-1].picture() == picture).all()


@pytest.mark.parametrize("weight", [1e-20, 1e-18, 1e12])
def test_the_size_of_the_score_does_not_show(tiny_network, picture, weight):
    activations = tiny_network.forward(["second"])
    found = []
    for factor in (1.0, weight):
        gradient = backend.tile_gradient(
            lambda x, _matrix: activations(x), lambda a, _, factor=factor: factor * alone(layer("second"))(a, None), ()
        )
        program = backend.compile_chunk(on_device.chunk(gradient, CONDITIONINGS["smooth"].device))
        grid = Tiling(tile=64, jitter=6).grid(picture.shape[:2])
        steps = ascend_on_device(picture, program, grid, views=views, num_steps=2, step_size=0.02, ladder=False)
        found.append(list(steps)[-1].picture())
    assert found[1] == pytest.approx(found[0], abs=1e-3)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 3), (8, 8), (5, 40)])
@pytest.mark.parametrize("conditioning", list(CONDITIONINGS))
def test_the_smallest_pictures_move_as_on_the_host(tiny_network, picture, size, conditioning):
    small = (0.25 + 0.5 * resize(picture, size)).astype(np.float32)
    tiling = Tiling(tile=64, jitter=0)
    ends = [run(tiny_network, small, conditioning, tiling, 1)[-1][1] for run in (on_host, on_the_device)]
    expected, found = ((end - small).ravel() for end in ends)
    if np.linalg.norm(expected) > 1e-6:
        assert expected @ found / np.linalg.norm(expected) / np.linalg.norm(found) > 0.97
    else:
        assert np.linalg.norm(found) < 1e-6


def test_a_dream_on_the_device_is_that_of_the_host(picture):
    settings = DreamSettings(octaves=2, steps=2, rotate=5, scale=0.1, precision="float32", seed=3)
    found, expected = (list(dreamer.dream_steps(picture, settings, stay_on_device=there)) for there in (True, False))
    assert [step.progress for step in found] == [step.progress for step in expected]
    assert [step.score for step in found] == pytest.approx([step.score for step in expected], rel=5e-3)
    assert np.abs(found[-1].render() - expected[-1].render()).mean() < 2e-3


def test_a_picture_that_the_device_has_no_memory_for_goes_on_on_the_host(picture, monkeypatch):
    def compile_chunk(_chunk, _variables=()):
        def run(*_):
            raise DeviceMemoryError("out of memory")

        return run

    ascent.programs.cache_clear()
    monkeypatch.setattr(backend, "compile_chunk", compile_chunk)
    settings = DreamSettings(octaves=2, steps=1, precision="float32")
    notes = []
    steps = list(dreamer.dream_steps(picture, settings, note=notes.append, stay_on_device=True))
    assert len(steps) == 2
    assert notes == ["memory ran out on the device; going on with the picture on the host"]
    with pytest.warns(RuntimeWarning, match="memory ran out on the device"):
        list(dreamer.dream_steps(picture, settings, stay_on_device=True))
    ascent.programs.cache_clear()
    expected = list(dreamer.dream_steps(picture, settings, stay_on_device=False))
    assert (steps[-1].render() == expected[-1].render()).all()


def test_memory_that_runs_out_later_costs_no_step(picture, monkeypatch):
    compile_chunk = backend.compile_chunk

    def compile_failing(chunk, _variables):
        program, calls = compile_chunk(chunk), []

        def run(*arrays):
            calls.append(1)
            if len(calls) == 3:
                raise DeviceMemoryError("out of memory")
            return program(*arrays)

        return run

    monkeypatch.setattr(pacing, "SECONDS", 0)  # Chunks of one step.
    settings = DreamSettings(octaves=1, steps=5, precision="float32", objective="block2b")
    expected = list(dreamer.dream_steps(picture, settings, stay_on_device=False))
    ascent.programs.cache_clear()
    monkeypatch.setattr(backend, "compile_chunk", compile_failing)
    notes = []
    found = list(dreamer.dream_steps(picture, settings, note=notes.append, stay_on_device=True))
    ascent.programs.cache_clear()
    assert [step.step for step in found] == list(range(5))
    assert len(notes) == 1
    assert [step.score for step in found] == pytest.approx([step.score for step in expected], rel=1e-3)
    assert found[-1].progress == 1


def test_a_step_says_which_picture_it_shows(tiny_network, picture, monkeypatch):
    monkeypatch.setattr(pacing, "SECONDS", 1e9)
    grid = Tiling(tile=64, jitter=6).grid(picture.shape[:2])
    steps = ascend_on_device(
        picture, program_for(tiny_network, "none"), grid, views=views, num_steps=9, step_size=0.01, ladder=False
    )
    assert [step.pictured for step in steps] == [0, 2, 2, 6, 6, 6, 6, 8, 8]


def test_memory_that_runs_out_behind_our_back_is_seen_when_the_result_is_asked_for(monkeypatch):
    import tensorflow as tf

    def late(_tensor):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr("keras.ops.convert_to_numpy", late)
    with pytest.raises(DeviceMemoryError):
        backend.to_host(np.zeros(3))


def test_a_container_with_little_memory_counts(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert backend.free_memory() > 1000
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("anon 500\ninactive_file 150\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert backend.free_memory() > 1000
    (tmp_path / "memory.max").write_text("1000\n")
    assert backend.free_memory() == 1000 - 700 + 150


def test_memory_that_tensorflow_cannot_have_is_said_in_words_of_ours():
    import tensorflow as tf

    def fail(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    assert on_tensorflow.is_out_of_memory(tf.errors.ResourceExhaustedError(None, None, "OOM"))
    primitive = "Operation received an exception:Status: {}, message: could not create a primitive"
    assert on_tensorflow.is_out_of_memory(tf.errors.AbortedError(None, None, primitive.format(1)))
    assert not on_tensorflow.is_out_of_memory(tf.errors.AbortedError(None, None, primitive.format(3)))
    with pytest.raises(DeviceMemoryError, match="out of memory"):
        backend._memory_errors(backend.current())(fail)()
    with pytest.raises(DeviceMemoryError):
        backend._memory_errors(backend.current())(lambda: (_ for _ in ()).throw(MemoryError()))()
    with pytest.raises(ZeroDivisionError):
        backend._memory_errors(backend.current())(lambda: 1 / 0)()


def test_gradients_too_small_for_float16_are_carried_down():
    tiny = {"a": np.full((1, 2), 1e-9, np.float32), "b": np.array([[3e-9, 0]], np.float32)}
    scaled, factor = backend.within_range(tiny)
    assert 1 <= np.max(scaled["b"]) < 2
    assert np.log2(np.asarray(factor)) == round(float(np.log2(np.asarray(factor))))
    for name, gradient in tiny.items():
        assert (np.asarray(scaled[name]) * np.asarray(factor) == gradient).all()
    nothing, factor = backend.within_range({"a": np.zeros((1, 2), np.float32)})
    assert np.isfinite(factor)
    assert not np.asarray(nothing["a"]).any()
