from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from dreamer.ascent import optimizing, views
from dreamer.ascent.optimizing import Course, Draw, Optimizer, Program, State
from dreamer.backends import backend
from dreamer.visualizing.settings import OPTIMIZERS

SIZE = (2, 5, 7)
HAZE = np.zeros((*SIZE, 3), np.float32)
FIELD = np.zeros((views.NOISE_SIDE, views.NOISE_SIDE, 3), np.float32)
GOALS = np.array([0.8, 0.2], np.float32)


def program(name="adam", *, score=None, remedied=None, attends=False, learning_rate=0.05, decay=0.0):
    """Climbs towards a colour of its own in each picture."""

    def forward(inputs, given):
        pictures = (inputs[0] + inputs[1] if attends else inputs) + given.haze
        return {"seen": ops.reshape(pictures, (*SIZE, 3))}

    def closeness(found, given):
        goals = ops.reshape(given.numbers[0]["goal"], (-1, 1, 1, 1))
        return -ops.mean(ops.square(found["seen"] - goals), axis=(1, 2, 3))

    gradient = backend.current().gradient(forward, score or closeness, ())
    return Program(
        gradient,
        remedied and backend.current().gradient(forward, remedied, ()),
        Optimizer.of(name, learning_rate, decay, (*SIZE, 3)),
        SIZE,
        attends=attends,
        variables=(),
    )


def draw(share=1.0, stage=0, thickness=0.0):
    return Draw(views.whole(SIZE[1:], SIZE[1:], 1), Course(share, thickness), stage)


def start(made):
    return State(made.optimizer.start(np.full((*SIZE, 3), 0.5, np.float32)), np.zeros(SIZE, np.float32))


def run(made, *, num_steps=30, draws=None, **keywords):
    return list(
        optimizing.optimize(
            lambda _: made,
            start(made),
            draws=draws or (lambda _: draw()),
            haze=keywords.pop("haze", HAZE),
            field=FIELD,
            numbers=[{"goal": GOALS}],
            num_steps=num_steps,
            **keywords,
        )
    )


def pictures(step):
    return ops.convert_to_numpy(step.state.values[0])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_picture_climbs_towards_its_own_goal(name):
    steps = run(program(name, learning_rate=0.02), num_steps=40)
    assert [step.index for step in steps] == list(range(40))
    assert steps[-1].scores == pytest.approx([0, 0], abs=2e-3)
    assert steps[0].scores == pytest.approx([-0.09, -0.09])
    assert (steps[20].scores > steps[0].scores).all()
    assert pictures(steps[-1]).mean(axis=(1, 2, 3)) == pytest.approx(GOALS, abs=0.05)


def test_the_first_step_of_adam_is_its_learning_rate_whatever_the_gradient():
    found = pictures(run(program(learning_rate=0.03), num_steps=1)[0])
    assert found.mean(axis=(1, 2, 3)) == pytest.approx([0.53, 0.47], abs=1e-4)


def test_momentum_takes_steps_of_one_size_in_each_picture():
    """A tenth of the gradient's direction at first; of the mean of ten, later."""
    found = pictures(run(program("momentum", learning_rate=0.1), num_steps=1)[0])
    assert found.mean(axis=(1, 2, 3)) == pytest.approx([0.51, 0.49], abs=1e-4)


def test_decay_takes_a_share_off():
    made = program("momentum", score=lambda found, _: 0 * found["seen"][:, 0, 0, 0], learning_rate=0.1, decay=0.5)
    assert pictures(run(made, num_steps=1)[0]) == pytest.approx(0.5 * (1 - 0.1 * 0.5), abs=1e-5)


def test_a_share_of_the_learning_rate_is_a_shorter_step():
    whole, half = (
        pictures(run(program(), num_steps=1, draws=lambda _, share=share: draw(share))[0]) for share in (1.0, 0.5)
    )
    assert half - 0.5 == pytest.approx((whole - 0.5) / 2, abs=1e-6)


def test_chunks_do_not_show():
    """One step at a time gives what many in one program give."""
    together = run(program(), num_steps=19)
    apart = run(program(), num_steps=19, draws=lambda step: draw(stage=step))
    assert sum(step.is_last for step in together) < sum(step.is_last for step in apart) == 19
    assert pictures(apart[-1]) == pytest.approx(pictures(together[-1]), abs=1e-6)
    assert [step.scores[0] for step in apart] == pytest.approx([step.scores[0] for step in together], abs=1e-6)


def test_a_pause_ends_a_chunk():
    steps = run(program(), num_steps=22, pause_every=5)
    ends = [step.index + 1 for step in steps if step.is_last]
    assert {5, 10, 15, 20, 22} <= set(ends)


def test_one_trace_serves_all_steps():
    traces = []

    def score(found, given):
        traces.append(1)
        return ops.mean(found["seen"], axis=(1, 2, 3))

    run(program(score=score), num_steps=25, pause_every=7)
    assert len(traces) == 1


def test_evaluating_changes_nothing():
    made = program()
    state = start(made)
    found = optimizing.evaluate(made, state, draw(), haze=HAZE, field=FIELD, numbers=[{"goal": GOALS}])
    assert found.scores == pytest.approx([-0.09, -0.09])
    assert not found.is_dead.any()
    again = optimizing.evaluate(made, state, draw(), haze=HAZE, field=FIELD, numbers=[{"goal": GOALS}])
    assert again.scores.tobytes() == found.scores.tobytes()


def test_pictures_without_a_gradient_get_that_of_the_remedy():
    def half_dead(found, _given):
        return ops.mean(found["seen"], axis=(1, 2, 3)) * ops.convert_to_tensor(np.array([0, 1], np.float32))

    def remedy(found, _given):
        return -ops.mean(found["seen"], axis=(1, 2, 3))

    made = program(score=half_dead)
    found = optimizing.evaluate(made, start(made), draw(), haze=HAZE, field=FIELD, numbers=[{"goal": GOALS}])
    assert found.is_dead.tolist() == [True, False]
    assert pictures(run(made, num_steps=2)[-1])[0] == pytest.approx(0.5)
    found = pictures(run(program(score=half_dead, remedied=remedy), num_steps=2)[-1])
    assert found[0].max() < 0.5 < found[1].min()


def test_attention_adds_up_the_gradients_of_the_pictures():
    mattering = np.zeros((5, 7, 1), np.float32)
    mattering[2, 3:] = 1

    def score(found, _given):
        return ops.sum(found["seen"] * ops.convert_to_tensor(mattering), axis=(1, 2, 3))

    found = ops.convert_to_numpy(run(program(score=score, attends=True), num_steps=4)[-1].state.attention)
    assert found.shape == SIZE
    assert found[0] == pytest.approx(4 * 3 * mattering[..., 0])


def test_a_haze_is_seen_and_is_no_part_of_the_picture():
    haze = np.full((*SIZE, 3), 0.2, np.float32)
    steps = run(program(learning_rate=1e-6), num_steps=2, haze=haze, draws=lambda step: draw(thickness=1.0 - step))
    assert steps[0].scores == pytest.approx([-0.01, -0.25])
    assert steps[1].scores == pytest.approx([-0.09, -0.09], abs=1e-4)
    assert pictures(steps[-1]) == pytest.approx(0.5, abs=1e-4)


def test_a_program_starts_afresh_each_time():
    made = program()
    first, second = (pictures(run(made, num_steps=9)[-1]) for _ in range(2))
    assert first.tobytes() == second.tobytes()
