from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from dreamer import objectives
from dreamer.ascent import scoring, tile_view
from dreamer.ascent.scoring import PICTURE, alone
from dreamer.backends import backend
from dreamer.backends.backend import compile_gradient
from dreamer.objectives import Objective, channel, direction, diversity, guided, layer, neuron, penalty, terms
from dreamer.targets import resolve

RNG = np.random.default_rng(1)
ACTIVATIONS = {
    "first": RNG.normal(size=(3, 4, 6, 5)).astype(np.float32),
    "second": RNG.normal(size=(3, 7, 2, 4)).astype(np.float32),
    "pool": RNG.normal(size=(3, 4)).astype(np.float32),
    PICTURE: RNG.random((3, 6, 9, 3)).astype(np.float32),
}
FIRST, SECOND, POOL, PIXELS = ACTIVATIONS.values()
GUIDE = RNG.random((20, 30, 3)).astype(np.float32)
VECTOR = RNG.normal(size=5).astype(np.float32)


@pytest.fixture(scope="module")
def value(tiny_network):
    def of(objective, activations=ACTIVATIONS):
        resolved = resolve(objective, tiny_network) if objective.layers else objective
        numbers = scoring.parameters([resolved] * len(activations["first"]))
        return np.asarray(scoring.score(scoring.forms(resolved))(activations, numbers))

    return of


def features(network):
    return np.asarray(network.forward(["second"])(GUIDE[None])["second"]).reshape(-1, 4)


def test_a_layer_scores_the_mean_square_of_each_picture(value):
    assert value(layer("first")) == pytest.approx((FIRST**2).mean(axis=(1, 2, 3)), rel=1e-5)
    assert value(layer("pool")) == pytest.approx((POOL**2).mean(axis=1), rel=1e-5)


def test_a_channel_and_a_unit_score_their_mean_with_its_sign(value):
    assert value(channel("first", 3)) == pytest.approx(FIRST[..., 3].mean(axis=(1, 2)), rel=1e-5)
    assert value(channel("pool", 2)) == pytest.approx(POOL[:, 2], rel=1e-5)


def test_a_neuron_scores_its_position_alone(value):
    assert value(neuron("first", 3, y=1, x=5)) == pytest.approx(FIRST[:, 1, 5, 3])
    assert value(neuron("first", 3)) == pytest.approx(FIRST[:, 2, 3, 3])  # The middle of 4x6.
    assert value(neuron("second", 0)) == pytest.approx(SECOND[:, 3, 1, 0])


def test_a_direction_scores_the_dot_product(value):
    along = FIRST @ VECTOR
    assert value(direction("first", VECTOR)) == pytest.approx(along.mean(axis=(1, 2)), rel=1e-4)
    cosine = along / np.linalg.norm(FIRST, axis=-1) / np.linalg.norm(VECTOR)
    expected = (along * np.maximum(cosine, 0.1) ** 2).mean(axis=(1, 2))
    assert value(direction("first", VECTOR, power=2)) == pytest.approx(expected, rel=1e-4)


def test_a_random_direction_is_the_same_for_the_same_seed(value, tiny_network):
    assert value(direction("first", seed=7)).tobytes() == value(direction("first", seed=7)).tobytes()
    assert value(direction("first", seed=7)).tobytes() != value(direction("first", seed=8)).tobytes()
    [(_, term)] = resolve(direction("first", seed=7), tiny_network).terms
    assert np.linalg.norm(term.values.array) == pytest.approx(1)


def test_guided_takes_the_best_feature_at_each_position(value, tiny_network):
    products = SECOND.reshape(3, -1, 4) @ features(tiny_network).T
    assert value(guided("second", GUIDE)) == pytest.approx(products.max(axis=-1).mean(axis=-1), rel=1e-4)


def test_diversity_is_minus_the_likeness_of_gram_matrices(value):
    flat = FIRST.reshape(3, -1, 5)
    grams = np.einsum("bpc,bpd->bcd", flat, flat).reshape(3, -1)
    unit = grams / np.linalg.norm(grams, axis=1, keepdims=True)
    likeness = unit @ unit.T
    expected = [-(likeness[i].sum() - likeness[i, i]) / 2 for i in range(3)]
    assert value(diversity("first")) == pytest.approx(expected, rel=1e-4)
    # Of the other targets of a batch nothing is asked.
    numbers = scoring.parameters([diversity("first")] * 3, groups=[0, 1, 0])
    found = np.asarray(scoring.score(scoring.forms(diversity("first")))(ACTIVATIONS, numbers))
    assert found == pytest.approx([-likeness[0, 2], 0, -likeness[0, 2]], rel=1e-4)


def test_penalties_are_those_of_the_picture(value):
    p = PIXELS
    down, across = np.abs(np.diff(p, axis=1)).sum(axis=(1, 2, 3)), np.abs(np.diff(p, axis=2)).sum(axis=(1, 2, 3))
    assert value(penalty("total_variation")) == pytest.approx((down + across) / (6 * 9 * 3), rel=1e-5)
    assert value(penalty("l1")) == pytest.approx(np.abs(p - 0.5).mean(axis=(1, 2, 3)), rel=1e-5)
    assert value(penalty("l2")) == pytest.approx(((p - 0.5) ** 2).mean(axis=(1, 2, 3)), rel=1e-5)
    flat = {**ACTIVATIONS, PICTURE: np.full((3, 6, 9, 3), 0.3, np.float32)}
    for name in ("total_variation", "blur", "high_frequency"):
        assert value(penalty(name), flat) == pytest.approx(0, abs=1e-10)
    padded = np.pad(p, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="edge")
    laplacian = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:] - 4 * p
    assert value(penalty("high_frequency")) == pytest.approx((laplacian**2).mean(axis=(1, 2, 3)), rel=1e-4)
    line = {**ACTIVATIONS, PICTURE: p[:, :1]}
    assert all(np.isfinite(value(penalty(name), line)).all() for name in terms.PENALTIES)


def test_blur_penalises_fine_detail_more_than_coarse(value):
    x = np.arange(64)
    waves = [
        np.broadcast_to(0.5 + 0.4 * np.sin(2 * np.pi * f * x)[None, None, :, None], (3, 8, 64, 3))
        for f in (1 / 32, 1 / 3)
    ]
    coarse, fine = (value(penalty("blur"), {**ACTIVATIONS, PICTURE: wave.astype(np.float32)}) for wave in waves)
    assert (fine > 100 * coarse).all()


def test_custom_sees_the_layers_it_named_and_no_others(value):
    seen = []

    def score(activations):
        seen.append(sorted(activations))
        return ops.mean(activations["first"], axis=(1, 2, 3)) * 2

    found = value(objectives.custom("mine", ["first"], score) - 3 * channel("second", 1))
    assert found == pytest.approx(2 * FIRST.mean(axis=(1, 2, 3)) - 3 * SECOND[..., 1].mean(axis=(1, 2)), rel=1e-4)
    assert seen == [["first"]]


def test_algebra_is_that_of_numbers(value):
    a, b, c = layer("first"), channel("second", 2), penalty("l2")
    expected = 2 * value(a) - 3 * value(b) + 0.5 * value(c)
    assert value(2 * a - 3 * b + 0.5 * c) == pytest.approx(expected, rel=1e-5)
    assert value(-(3 * b - 2 * a) + c * 0.5) == pytest.approx(expected, rel=1e-5)
    assert value((a - b) - (a - b) * 2) == pytest.approx(value(b) - value(a), rel=1e-5)
    assert value(a + b) == pytest.approx(value(b + a))
    assert value(0 * a + b) == pytest.approx(value(b))


def test_a_batch_holds_another_target_in_each_picture(tiny_network, value):
    goals = [2 * channel("first", 1), -channel("first", 4), 0.5 * direction("first", VECTOR)]
    resolved = [resolve(goal, tiny_network) for goal in goals]
    assert len({scoring.forms(goal) for goal in resolved}) == 1
    found = np.asarray(scoring.score(scoring.forms(resolved[0]))(ACTIVATIONS, scoring.parameters(resolved)))
    assert found == pytest.approx([value(goal)[index] for index, goal in enumerate(goals)], rel=1e-5)


def test_several_views_of_a_picture_are_averaged(tiny_network):
    goal = resolve(channel("first", 1) - 0.1 * penalty("l1"), tiny_network)
    views = {"first": np.concatenate([FIRST, FIRST[:1]]), PICTURE: PIXELS[:2]}
    found = np.asarray(scoring.score(scoring.forms(goal), 2)(views, scoring.parameters([goal, goal])))
    means = views["first"][..., 1].mean(axis=(1, 2)).reshape(2, 2).mean(axis=1)
    assert found == pytest.approx(means - 0.1 * np.abs(PIXELS[:2] - 0.5).mean(axis=(1, 2, 3)), rel=1e-4)


@pytest.mark.parametrize(
    "goal",
    [
        layer("second"),
        channel("second", 1),
        -2 * channel("second", 1) + 0.5 * layer("first"),
        neuron("second", 2),
        neuron("second", 2, y=3, x=4),
        channel("pool", 1),
        direction("first", VECTOR),
        direction("first", VECTOR, power=2),
        direction("second", seed=3, power=1.5),
        guided("second", GUIDE),
        *(channel("second", 0) - 0.3 * penalty(name) for name in terms.PENALTIES),
        objectives.custom("mine", ["second"], lambda a: ops.mean(ops.tanh(a["second"]), axis=(1, 2, 3))),
    ],
    ids=lambda goal: goal.label,
)
def test_gradients_are_those_of_finite_differences(goal, picture, tiny_network):
    resolved = resolve(goal, tiny_network)
    activations = tiny_network.forward(resolved.layers)
    gradient = compile_gradient(lambda x, _: activations(x) | {PICTURE: x}, alone(resolved))
    towards = np.random.default_rng(0).normal(size=picture.shape).astype(np.float32)
    # A shorter step crosses fewer of the places where the best feature, or the sign of a difference, changes.
    h = 1e-3 if any(kink in goal.name for kink in ("guided", "^", "total_variation", "l1")) else 1e-2
    (up, _), (down, _) = (gradient((picture + s * h * towards)[None], tile_view.IDENTITY) for s in (1, -1))
    _, gradients = gradient(picture[None], tile_view.IDENTITY)
    expected = float((gradients[0] * towards).sum())
    assert (up[0] - down[0]) / (2 * h) == pytest.approx(expected, rel=6e-2 if h < 1e-2 else 1e-2, abs=1e-4)
    assert np.abs(gradients).max() > 0


def climbed(network, score, numbers):
    """Two pictures -> their scores and gradients: diversity couples the pictures of a batch."""
    activations = network.forward(["first", "second"])
    gradient = backend.current().gradient(lambda x, _: activations(x), lambda a, _: score(a, numbers), ())
    return backend.compile_chunk(lambda x: gradient(ops.reshape(x, (2, 37, 53, 3)), None))


def test_the_gradient_of_diversity_is_that_of_finite_differences(tiny_network, picture):
    goal = diversity("second")
    program = climbed(tiny_network, scoring.score(scoring.forms(goal)), scoring.parameters([goal, goal]))
    pictures = np.stack([picture, picture[::-1] ** 2])
    towards = np.random.default_rng(0).normal(size=pictures.shape).astype(np.float32)
    h = 3e-2
    up, down = (float(np.sum(program(pictures + s * h * towards)[0])) for s in (1, -1))
    assert (up - down) / (2 * h) == pytest.approx(float((np.asarray(program(pictures)[1]) * towards).sum()), rel=3e-2)


def test_what_sets_pictures_apart_is_a_share_of_the_gradient_and_no_part_of_the_score(tiny_network, picture):
    pictures = np.stack([picture, picture[::-1] ** 2])

    def found(goal, scored):
        goal = resolve(goal, tiny_network)
        program = climbed(tiny_network, scored(scoring.forms(goal)), scoring.parameters([goal, goal]))
        return (np.asarray(one) for one in program(pictures))

    own = -5 * channel("second", 1) - 2 * layer("first")  # Above zero for one, below for the other: the sizes count.
    scores, gradients = found(own, scoring.score)
    _, differing = found(diversity("second"), scoring.score)
    apart_scores, apart_gradients = found(own + 0.5 * diversity("second"), scoring.apart)
    assert scores.min() < 0 < scores.max()
    assert apart_scores == pytest.approx(scores)
    # Of two pictures each has the same likeness to the other, so the share is that of their mean score.
    expected = gradients + 0.5 * np.abs(scores).mean() * differing
    assert apart_gradients == pytest.approx(expected, abs=1e-4 * float(np.abs(expected).max()))
    assert np.abs(apart_gradients - gradients).max() > 1e-2 * np.abs(gradients).max()


def test_an_objective_of_text_is_that_of_values(value):
    assert value(Objective.parse("2*first:1 - 0.5*second")) == pytest.approx(
        value(2 * channel("first", 1) - 0.5 * layer("second"))
    )
