from __future__ import annotations

import dataclasses
from functools import partial

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

import dreamer
from dreamer import Objective, VisualizeSettings, objectives
from dreamer.arrays import resize
from dreamer.ascent.parametrizations import KINDS, Kind, Parametrization
from dreamer.errors import DeviceMemoryError, ModelError, SettingsError, UnknownLayerError
from dreamer.models.network import Network
from dreamer.models.specs import known
from dreamer.visualizing import batch
from dreamer.visualizing.settings import PARAMETRIZATIONS

QUICK = VisualizeSettings(size=(40, 56), steps=12, precision="float32")


@pytest.fixture
def tiny(tiny_network, monkeypatch):
    """The tiny network in place of the bundled one."""
    monkeypatch.setattr(dreamer, "visualize", partial(dreamer.visualize, network=tiny_network))
    monkeypatch.setattr(dreamer, "visualize_steps", partial(dreamer.visualize_steps, network=tiny_network))
    return tiny_network


def score_of(network, text, picture):
    goal = batch.targets.resolve(Objective.parse(text), network)
    scored = batch.scoring.alone(goal)
    return float(np.asarray(scored(network.forward(goal.layers)(picture[None]), None))[0])


@pytest.mark.parametrize("parametrization", PARAMETRIZATIONS)
def test_the_score_rises_and_is_that_of_the_picture(tiny, parametrization):
    found = dreamer.visualize("second:1", QUICK, parametrization=parametrization, steps=30, transforms="none")
    assert found.pixels.shape == (40, 56, 3)
    assert found.pixels.dtype == np.float32
    assert 0 <= found.pixels.min() < found.pixels.max() <= 1
    assert found.score > found.first_score + 0.02
    assert found.score == pytest.approx(score_of(tiny, "second:1", found.pixels), abs=1e-4)


def test_minimising_lowers_and_maximising_raises(tiny):
    more, less = dreamer.visualize(["second:1", "-second:1"], QUICK, steps=30)
    assert score_of(tiny, "second:1", more.pixels) > more.first_score > score_of(tiny, "second:1", less.pixels)
    assert less.score > less.first_score == pytest.approx(-more.first_score, abs=1e-5)


@pytest.mark.parametrize(
    "target",
    ["first", "second:0", "second:2@3,4", "second:2@centre", "pool:1", "direction:first#3^1", "2*second:1 - first"],
)
def test_every_kind_of_target_can_be_drawn(tiny, target):
    found = dreamer.visualize(target, QUICK)
    assert found.score > found.first_score
    assert found.objective.name == found.title == target


def test_a_batch_of_targets_is_what_they_are_one_by_one(tiny):
    targets = ["second:0", "second:1", "-second:2", "2*second:3"]
    together = dreamer.visualize(targets, QUICK)
    for text, found in zip(targets, together, strict=True):
        alone = dreamer.visualize(text, QUICK)
        assert alone.pixels == pytest.approx(found.pixels, abs=2e-3)
        assert alone.score == pytest.approx(found.score, rel=1e-3, abs=1e-4)


def test_only_classes_are_seen_in_a_mirror(lite0, monkeypatch):
    flips = []
    draw = batch.views.draw
    monkeypatch.setattr(batch.views, "draw", lambda how, *a, **k: (flips.append(how.flip), draw(how, *a, **k))[1])
    for target, expected in (("block2b:1", 0.0), ("logit:1", 0.5), ("logit:1 - block2b", 0.0)):
        flips.clear()
        dreamer.visualize(target, QUICK, steps=2)
        assert flips[1:-1] == [expected] * 2  # Before the first step and after the last, all is seen as it is.
    flips.clear()
    dreamer.visualize(["logits:1", "logit:1", "logits:2"], QUICK, steps=2)  # Computed alike, and not seen alike.
    assert flips.count(0.5) == 2


FIVE = [f"second:{index}" for index in range(4)] + ["direction:second#2"]


@pytest.fixture
def traces(monkeypatch):
    """One entry for each time that a score is traced."""
    found = []
    score = batch.scoring.score

    def counted(*args, **keywords):
        scored = score(*args, **keywords)
        return lambda *given: (found.append(1), scored(*given))[1]

    monkeypatch.setattr(batch.scoring, "score", counted)
    batch.program.cache_clear()
    yield found
    batch.program.cache_clear()


def test_a_list_of_channels_costs_one_trace(tiny, traces):
    dreamer.visualize(FIVE, QUICK)
    assert len(traces) == 1


@pytest.mark.parametrize(("diversity", "most"), [(1, 3), (2, 7)])
def test_a_short_batch_shares_the_trace_and_shows_each_picture_once(tiny, traces, monkeypatch, diversity, most):
    settings = dataclasses.replace(QUICK, diversity=diversity, diversity_weight=100)
    together = dreamer.visualize(FIVE, settings)
    traces.clear()
    monkeypatch.setattr(batch, "_MOST_AT_ONCE", most)
    goals = [Objective.parse(one) for one in FIVE]
    steps = list(dreamer.visualize_steps(goals, settings))
    # One program of three targets at once; where they are to differ, it has two scores.
    assert len(traces) == diversity
    assert [len(step.scores) for step in steps[:: QUICK.steps]] == [3 * diversity, 2 * diversity]
    found = [one for step in steps[QUICK.steps - 1 :: QUICK.steps] for one in step.render()]
    assert [one.title for one in found] == [one for one in FIVE for _ in range(diversity)]
    for one, expected in zip(found, together, strict=True):
        assert one.pixels == pytest.approx(expected.pixels, abs=5e-3)


def test_guides_of_several_sizes_can_be_drawn_together(tiny):
    guides = [np.random.default_rng(0).random(size, np.float32) for size in ((20, 30, 3), (31, 17, 3))]
    found = dreamer.visualize([objectives.guided("second", guide) for guide in guides], QUICK, steps=2)
    assert len({one.title for one in found}) == 2


def test_targets_come_back_in_their_order_whatever_is_computed_alike(tiny):
    targets = ["second:0", "first", "second:1", "first:2", "second:0@centre"]
    assert [found.title for found in dreamer.visualize(targets, QUICK, steps=1)] == targets


def test_the_same_seed_gives_the_same_bytes(tiny):
    settings = dataclasses.replace(QUICK, transforms="standard", seed=5)
    first, second = (dreamer.visualize("second:1", settings).pixels for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert dreamer.visualize("second:1", settings, seed=6).pixels.tobytes() != first.tobytes()


def test_pausing_does_not_change_the_picture(tiny):
    goal = [Objective.parse("second:1")]
    *_, free = dreamer.visualize_steps(goal, QUICK)
    steps = list(dreamer.visualize_steps(goal, QUICK, pause_every=5))
    assert steps[-1].render()[0].pixels == pytest.approx(free.render()[0].pixels, abs=1e-5)
    assert {4, 9, 11} <= {step.step for step in steps if step.is_pictured}
    assert [step.progress for step in steps] == pytest.approx([(n + 1) / 12 for n in range(12)])


def test_pictures_alone_cost_no_evaluation(tiny, monkeypatch):
    *_, last = dreamer.visualize_steps([Objective.parse("second:1"), Objective.parse("second:2")], QUICK)
    rendered = last.render()
    monkeypatch.setattr(batch.optimizing, "evaluate", None)
    for picture, one in zip(last.pictures(), rendered, strict=True):
        assert picture.dtype == np.float32
        assert picture.tobytes() == one.pixels.tobytes()


def test_diversity_makes_pictures_of_a_target_differ(tiny):
    def likeness(found):
        grams = []
        for one in found:
            activation = np.asarray(tiny.forward(["second"])(one.pixels[None])["second"]).reshape(-1, 4)
            gram = (activation.T @ activation).ravel()
            grams.append(gram / np.linalg.norm(gram))
        return float(np.mean([grams[i] @ grams[j] for i in range(3) for j in range(3) if i != j]))

    keywords = {"diversity": 3, "steps": 40}
    alike = dreamer.visualize("second:1", QUICK, diversity_weight=0, **keywords)
    apart = dreamer.visualize("second:1", QUICK, diversity_weight=3, **keywords)
    assert [found.variant for found in apart] == [0, 1, 2]
    assert all(found.score > found.first_score for found in apart)
    # Of so small a network all Gram matrices are much alike.
    assert 1 - likeness(apart) > 2 * (1 - likeness(alike))
    # Told are the scores of the target alone.
    assert apart[0].score == pytest.approx(score_of(tiny, "second:1", apart[0].pixels), abs=1e-4)


def test_variants_of_several_targets_compare_with_their_own(tiny):
    both = dreamer.visualize(["second:0", "second:1"], QUICK, diversity=2)
    [*alone] = dreamer.visualize("second:1", QUICK, diversity=2)
    assert [found.title for found in both] == ["second:0"] * 2 + ["second:1"] * 2
    assert both[3].pixels == pytest.approx(alone[1].pixels, abs=5e-3)


def test_interpolation_goes_from_one_target_to_the_other(tiny):
    first, second = Objective.parse("second:0"), Objective.parse("second:1")
    found = dreamer.visualize(objectives.interpolated(first, second, 3), QUICK, steps=60)
    scores = [[score_of(tiny, f"second:{index}", one.pixels) for one in found] for index in (0, 1)]
    assert scores[0][0] > scores[0][1] > scores[0][2]
    assert scores[1][0] < scores[1][1] < scores[1][2]


def test_alpha_is_where_the_picture_mattered(tiny):
    found = dreamer.visualize("second:1@2,3", QUICK, alpha=True, transforms="none")
    assert found.alpha.shape == (40, 56)
    assert (found.alpha.min(), found.alpha.max()) == (0, 1)
    y, x = (int(axis) for axis in np.average(np.argwhere(found.alpha > 0.5), axis=0))
    assert abs(y - 4) < 6
    assert abs(x - 6) < 6
    assert dreamer.visualize("second:1", QUICK, steps=1).alpha is None


def test_a_channel_that_starts_at_zero_is_woken(monkeypatch):
    """It is off for anything near grey, and on for white; without the remedy it would stay off."""
    keras.utils.set_random_seed(5)
    picture = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(6, 5, padding="same", name="conv")(picture)
    network = keras.Model(picture, keras.layers.ReLU(name="relu")(x))
    kernel, bias = network.get_layer("conv").get_weights()
    kernel[..., 2] = np.abs(kernel[..., 2])
    bias[2] = -0.7 * kernel[..., 2].sum()
    network.get_layer("conv").set_weights([kernel, bias])
    dead = Network(known()["efficientnet_lite0"], network)
    settings = dataclasses.replace(QUICK, parametrization="pixels", transforms="none", steps=40, learning_rate=0.2)
    found = dreamer.visualize("relu:2", settings, network=dead)
    assert found.first_score == 0 < found.score
    monkeypatch.setattr(batch, "_REMEDIED_STEPS", 0)
    stuck = dreamer.visualize("relu:2", settings, network=dead)
    assert stuck.score == 0


def test_memory_that_runs_out_makes_batches_smaller(tiny, monkeypatch):
    notes = []
    optimize = batch.optimizing.optimize

    def scarce(programs, state, **keywords):
        if len(state.attention) > 2:
            raise DeviceMemoryError("out of memory")
        return optimize(programs, state, **keywords)

    expected = dreamer.visualize(FIVE, QUICK, steps=3)
    monkeypatch.setattr(batch.optimizing, "optimize", scarce)
    goals = [Objective.parse(one) for one in FIVE]
    steps = list(dreamer.visualize_steps(goals, dataclasses.replace(QUICK, steps=3), note=notes.append))
    assert notes == [f"memory ran out; going on with {count} pictures at once" for count in (3, 2, 2)]
    found = {index: one for step in steps for index, one in zip(step.indices, step.render(), strict=True)}
    assert [found[index].pixels for index in range(5)] == [pytest.approx(one.pixels, abs=1e-3) for one in expected]
    assert steps[-1].progress == pytest.approx(1)
    monkeypatch.setattr(batch.optimizing, "optimize", lambda *_, **__: (_ for _ in ()).throw(DeviceMemoryError("x")))
    with pytest.raises(DeviceMemoryError):
        list(dreamer.visualize_steps(goals[:1], QUICK, note=notes.append))


def test_a_network_that_answers_with_no_number_is_refused():
    picture = keras.Input((None, None, 3))
    network = keras.Model(picture, keras.layers.Conv2D(2, 1, name="conv")(picture))
    network.get_layer("conv").set_weights([np.full((1, 1, 3, 2), np.nan), np.zeros(2)])
    broken = Network(known()["efficientnet_lite0"], network)
    with pytest.raises(ModelError, match="no number"):
        dreamer.visualize("conv:0", QUICK, network=broken)


@pytest.mark.parametrize(
    ("keywords", "error", "expected"),
    [
        ({"size": 3}, SettingsError, "size is 3; expected"),
        ({"size": (40, 40, 3)}, SettingsError, "size is"),
        ({"size": "large"}, SettingsError, "size is"),
        ({"steps": 0}, SettingsError, "steps is 0"),
        (
            {"parametrization": "wavelets"},
            SettingsError,
            "parametrization is 'wavelets'; expected one of cosine",
        ),
        ({"optimizer": "sgd"}, SettingsError, "optimizer is 'sgd'; expected one of momentum, adam, nadam"),
        ({"learning_rate": 0}, SettingsError, "learning_rate is 0"),
        ({"diversity": 0}, SettingsError, "diversity is 0"),
        ({"transforms": "some"}, SettingsError, "no transforms 'some'"),
        ({"spectrum": "x.npz"}, SettingsError, "spectrum is for the parametrization maco"),
        ({"spectrum": "x.npz", "parametrization": "maco"}, SettingsError, "cannot read x.npz: No such file"),
        ({"stepz": 3}, SettingsError, "no setting 'stepz'. Close matches: steps"),
        ({"seed": -1}, SettingsError, "seed is -1"),
    ],
)
def test_impossible_settings_are_refused(tiny, keywords, error, expected):
    with pytest.raises(error, match=expected):
        dreamer.visualize("second:1", **keywords)


def test_a_neuron_outside_the_picture_is_refused(tiny):
    with pytest.raises(UnknownLayerError, match="lies outside 'second', which has 20x28 positions"):
        dreamer.visualize("second:1@20,3", QUICK)


def test_settings_survive_json():
    import json

    settings = VisualizeSettings(size=(40, 56), transforms="standard", diversity=2, seed=2**60)
    assert VisualizeSettings.of(**json.loads(json.dumps(settings.to_dict()))) == settings


def test_a_real_class_is_recognised_by_the_network_itself(lite0):
    settings = VisualizeSettings(size=128, steps=48, seed=1)
    found = dreamer.visualize("logit:broccoli", settings)
    logits = np.asarray(lite0.forward(["logits"])(found.pixels[None])["logits"])[0]
    assert logits.argmax() == 937
    assert found.title == "broccoli (937)"


def test_no_targets_give_no_pictures(tiny):
    assert dreamer.visualize([], QUICK) == []


def test_an_interrupt_keeps_the_pictures_that_there_are(tiny_network):
    def interrupt(step):
        if step.step == 2:
            raise KeyboardInterrupt

    given = {"size": 24, "steps": 9, "precision": "float32", "network": tiny_network}
    with pytest.raises(dreamer.Interrupted) as stopped:
        dreamer.visualize(["second:0", "second:1"], on_step=interrupt, **given)
    assert [one.pixels.shape for one in stopped.value.partial] == 2 * [(24, 24, 3)]
    assert stopped.value.partial[0].recipe["partial"] == {"step": 2, "pictures": 2}


@pytest.mark.parametrize("parametrization", ["cosine", "fourier", "pixels"])
def test_a_picture_may_be_begun_with(tiny, picture, parametrization):
    given = {"parametrization": parametrization, "transforms": "none", "steps": 12}
    drawn = dreamer.visualize("second:1", QUICK, start=picture, **given)
    begun = resize(picture, QUICK.size)
    assert drawn.first_score == pytest.approx(score_of(tiny, "second:1", begun), abs=2e-3)
    assert drawn.score > drawn.first_score
    # It is still to be seen, and would not be in a picture from noise.
    likeness = np.corrcoef(drawn.pixels.ravel(), begun.ravel())[0, 1]
    assert (
        likeness > 0.5 > np.corrcoef(dreamer.visualize("second:1", QUICK, **given).pixels.ravel(), begun.ravel())[0, 1]
    )


def test_a_file_to_begin_with_is_in_the_recipe(tiny, picture, tmp_path):
    path = tmp_path / "start.png"
    Image.fromarray((picture * 255).astype(np.uint8)).save(path)
    from_file = dreamer.visualize("second:1", QUICK, start=str(path))
    assert from_file.recipe["settings"]["start"] == str(path)
    assert set(from_file.recipe["files_sha256"]) == {str(path)}
    assert from_file.first_score == pytest.approx(
        dreamer.visualize("second:1", QUICK, start=path).first_score, abs=1e-6
    )
    with pytest.raises(SettingsError, match="cannot read"):
        dreamer.visualize("second:1", QUICK, start=str(tmp_path / "none.png"))


def test_variants_that_begin_with_the_same_picture_part(tiny, picture):
    first, second = dreamer.visualize("second:1", QUICK, start=picture, diversity=2)
    assert np.abs(first.pixels - second.pixels).mean() > 0.01


def test_variables_of_a_parametrization_may_change_without_another_trace(tiny, traces, monkeypatch):
    """As the weights of a generator do."""
    weights = keras.Variable(np.eye(3, dtype=np.float32), name="generator")

    def generator(size, _spectrum):
        return Parametrization(
            draw=lambda rng, count: rng.normal(scale=0.1, size=(count, *size, 3)).astype(np.float32),
            render=lambda made: ops.sigmoid(ops.matmul(made, weights)),
            encode=lambda pictures: pictures,
            variables=(weights,),
        )

    monkeypatch.setitem(KINDS, "pixels", Kind(generator, "none", "adam", 0.05))
    bold = dreamer.visualize("second:1", QUICK, parametrization="pixels")
    counted = len(traces)
    weights.assign(np.eye(3, dtype=np.float32) / 4)
    soft = dreamer.visualize("second:1", QUICK, parametrization="pixels")
    assert len(traces) == counted
    assert soft.pixels.std() < 0.5 * bold.pixels.std()
    for one in (bold, soft):
        assert one.score == pytest.approx(score_of(tiny, "second:1", one.pixels), abs=1e-4)
