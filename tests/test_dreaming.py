"""The main job on the bundled network: small pictures, few steps."""

from __future__ import annotations

import dataclasses
import weakref
from functools import partial
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

import dreamer
from dreamer import images
from dreamer import progress as progress_bars
from dreamer.arrays import as_float
from dreamer.ascent import scoring
from dreamer.ascent.loop import Step
from dreamer.dreaming import ascent
from dreamer.dreaming import photo as photos
from dreamer.dreaming import steps as dreaming
from dreamer.dreaming.finish import Finish
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import ImageReadError, SettingsError, UnknownLayerError
from dreamer.models import registry

QUICK = DreamSettings(octaves=2, steps=3, objective="block3b")


def score(network, picture, layer):
    activation = np.asarray(network.forward([layer])(picture[None])[layer])
    return float((activation**2).mean())


@pytest.fixture(scope="module")
def cat(samples):
    return images.read(samples / "cat.png").pixels


def test_a_dream_scores_higher_than_its_photo(lite0, cat):
    dreamt = dreamer.dream(cat[50:170, 100:261], octaves=2, steps=8, network=lite0).pixels
    assert dreamt.shape == (120, 161, 3)
    assert dreamt.dtype == np.float32
    assert 0 <= dreamt.min() <= dreamt.max() <= 1
    assert score(lite0, dreamt, "block5c") > 1.5 * score(lite0, cat[50:170, 100:261], "block5c")


@pytest.mark.parametrize(
    "keywords", [{"conditioning": "none"}, {"conditioning": "laplacian"}, {"rotate": 5, "scale": 0.1}]
)
def test_every_way_of_climbing_climbs(lite0, cat, keywords):
    photo = cat[50:130, 100:221]
    dreamt = dreamer.dream(photo, QUICK, **keywords).pixels
    assert score(lite0, dreamt, "block3b") > 1.2 * score(lite0, photo, "block3b")


def test_a_channel_and_a_weight_of_minus_one(lite0, cat):
    photo = cat[50:130, 100:221]

    def channel(picture):
        return float((np.asarray(lite0.forward(["block4b"])(picture[None])["block4b"])[..., 17]).mean())

    more = dreamer.dream(photo, QUICK, objective="block4b:17").pixels
    less = dreamer.dream(photo, QUICK, objective="-block4b:17").pixels
    assert channel(less) < channel(photo) - 1 < channel(photo) + 1 < channel(more)


def test_the_same_seed_gives_the_same_bytes_whatever_the_tile_batch(picture, monkeypatch):
    settings = dataclasses.replace(QUICK, tile=32, rotate=3, seed=5)
    large = np.tile(picture, (2, 2, 1))
    first = dreamer.dream(large, settings).pixels
    assert dreamer.dream(large, settings).pixels.tobytes() == first.tobytes()
    monkeypatch.setattr(ascent, "batch_for", lambda _bytes: 1)
    assert dreamer.dream(large, settings).pixels.tobytes() == first.tobytes()
    assert dreamer.dream(large, settings, seed=6).pixels.tobytes() != first.tobytes()


def test_one_trace_serves_all_octaves_and_pictures(picture, monkeypatch):
    traces = []
    mean = scoring._mean
    monkeypatch.setattr(scoring, "_mean", lambda a: (traces.append(1), mean(a))[1])
    ascent.programs.cache_clear()
    dreamer.dream(np.tile(picture, (2, 2, 1)), QUICK, octaves=3, steps=2, tile=40)
    dreamer.dream(picture, QUICK, steps=1, conditioning="none", seed=3)
    assert len(traces) == 1


def test_strength_lies_between_photo_and_dream(picture):
    full = dreamer.dream(picture, QUICK).pixels
    assert dreamer.dream(picture, QUICK, strength=0.25).pixels == pytest.approx(
        picture + 0.25 * (full - picture), abs=1e-6
    )
    assert dreamer.dream(picture, QUICK, strength=0).pixels == pytest.approx(picture, abs=1e-6)


@pytest.mark.parametrize(("max_size", "size"), [(20, (14, 20)), (53, (37, 53)), (1, (1, 1))])
def test_max_size_bounds_the_longest_side(picture, max_size, size):
    assert dreamer.dream(picture, QUICK, max_size=max_size, steps=1).pixels.shape == (*size, 3)


def test_steps_tell_how_far_the_dream_has_come(picture):
    steps = []
    dreamer.dream(picture, QUICK, on_step=steps.append)
    assert [(step.octave, step.step) for step in steps] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert [step.size for step in steps[2:4]] == [(26, 38), (37, 53)]
    progress = [step.progress for step in steps]
    assert progress == sorted(progress)
    assert progress[-1] == pytest.approx(1)
    assert steps[2].score > steps[0].score


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_photo_as_it_is_stored_dreams_as_its_float_copy_does(picture, dtype):
    stored = np.rint(picture * np.iinfo(dtype).max).astype(dtype)
    settings = DreamSettings(octaves=2, steps=1, objective="block3b", strength=0.7)
    [expected, dreamt] = (list(dreamer.dream_steps(one, settings))[-1] for one in (as_float(stored), stored))
    assert dreamt.render().tobytes() == expected.render().tobytes()


@pytest.mark.parametrize("strength", [1.0, 0.3])
def test_levels_are_rounded_from_what_is_rendered_as_float(picture, strength):
    for step in dreamer.dream_steps(picture, dataclasses.replace(QUICK, steps=1, strength=strength)):
        rendered = step.render()
        assert rendered.dtype == np.float32
        for dtype, top in ((np.uint8, 255), (np.uint16, 65535)):
            levels = step.render(dtype)
            assert levels.dtype == dtype
            assert np.abs(levels - np.float64(rendered) * top).max() <= 0.51


def test_steps_are_rendered_alike_before_and_after_the_next_octave_begins(picture):
    steps, before = [], []
    for step in dreamer.dream_steps(picture, dataclasses.replace(QUICK, octaves=3, steps=1)):
        steps.append(step)
        before.append(step.render().tobytes())
    assert [step.render().tobytes() for step in steps] == before


def test_the_smaller_octave_is_let_go_before_the_largest_is_climbed(picture, monkeypatch):
    pictures, alive = [], []
    carry = dreaming.octaves.carry

    def watched(small, *others, **told):
        pictures.append(weakref.ref(small))
        return carry(small, *others, **told)

    def climb(start, *_, **__):
        alive.append([one() is not None for one in pictures])
        yield Step(0, 1.0, partial(np.asarray, start + np.float32(0)), 0)

    monkeypatch.setattr(dreaming.octaves, "carry", watched)
    monkeypatch.setattr(ascent, "ascend", climb)
    for step in dreamer.dream_steps(np.tile(picture, (4, 4, 1)), dataclasses.replace(QUICK, octaves=3)):
        last = step  # noqa: F841  It is kept, as by the command line, which may have to render it.
    assert alive[-1] == [False, False]


def test_a_dream_that_is_stopped_can_be_rendered_at_full_size(picture):
    steps = dreamer.dream_steps(picture, QUICK)
    unfinished = next(steps).render()
    steps.close()
    assert unfinished.shape == picture.shape
    # The photo stays sharp: only what was dreamt at the small size was added.
    added = unfinished - picture
    assert 0.001 < np.sqrt((added**2).mean()) < 0.02


def test_dreaming_leaves_the_picture_alone(picture):
    before = picture.copy()
    dreamer.dream(picture, QUICK, octaves=1)
    assert (picture == before).all()


def test_a_path_an_image_and_an_array_dream_alike(tmp_path, picture):
    bytes_ = (picture * 255).round().astype(np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(bytes_).save(path)
    expected = dreamer.dream(bytes_, QUICK).pixels
    for same in (path, str(path), Image.fromarray(bytes_), bytes_ / np.float32(255), bytes_ / np.float64(255)):
        assert dreamer.dream(same, QUICK).pixels == pytest.approx(expected, abs=2e-2)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (np.zeros((5, 7)), r"shape \(5, 7\); expected \(height, width, 3\)"),
        (np.zeros((5, 7, 4)), "shape"),
        (np.zeros((0, 7, 3)), "shape"),
        (np.full((5, 7, 3), 200.0), "Divide it by 255"),
        (np.full((5, 7, 3), np.nan), "ranges from nan"),
        (np.zeros((5, 7, 3), int), "int64; expected float32"),
    ],
)
def test_an_array_of_another_kind_is_refused(bad, reason):
    with pytest.raises(ImageReadError, match=reason):
        dreamer.dream(bad)


def test_unknown_names_are_refused(picture):
    with pytest.raises(UnknownLayerError, match="no layer 'block99'"):
        dreamer.dream(picture, objective="block99")
    with pytest.raises(SettingsError, match="no setting 'layer'"):
        dreamer.dream(picture, layer="block5c")
    with pytest.raises(SettingsError, match="no setting 'sead'"):
        dreamer.dream(picture, DreamSettings(), sead=1)


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (17, 16)])
def test_odd_and_tiny_sizes(size):
    dreamt = dreamer.dream(np.full((*size, 3), 0.4, np.float32), steps=1).pixels
    assert dreamt.shape == (*size, 3)
    assert np.isfinite(dreamt).all()


@pytest.mark.parametrize("model", ["efficientnet_lite0", "efficientnet_lite0_robust"])
def test_a_golden_picture(cat, model):
    """One step an octave: more would let the last bits of another processor's sums grow into another picture."""
    golden = images.read(Path(__file__).parent / "golden" / f"cat-eye-{model}.png").pixels
    told = {"octaves": 2, "steps": 1, "step_size": 0.04, "precision": "float32", "objective": "block5c"}
    dreamt = dreamer.dream(cat[50:170, 100:261], model=model, **told).pixels
    blurred = [cv2.GaussianBlur(picture, (0, 0), 1.0) for picture in (dreamt, golden)]
    # Noise of 1e-5 in the photo moves it by 0.004, a step 10 % longer by 0.009, another seed by 0.04.
    assert np.abs(blurred[0] - blurred[1]).mean() < 0.006


def test_what_a_mask_forbids_is_undone_before_the_next_octave(picture, tmp_path, monkeypatch):
    mask = np.zeros((37, 53), np.uint8)
    mask[:, 27:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    begun = []
    confine = Finish.confine
    monkeypatch.setattr(Finish, "confine", lambda self, *given: (confine(self, *given), begun.append(given[0].copy())))
    found = dreamer.dream(picture, QUICK, mask=str(tmp_path / "mask.png"), feather=0).pixels
    assert np.abs(begun[0][:, :24] - picture[:, :24]).max() < 0.03  # But for what enlarging spreads over the edge.
    assert np.abs(begun[0][:, 30:] - picture[:, 30:]).max() > 0.05
    assert (found[:, :26] == picture[:, :26]).all()


def test_a_step_renders_the_same_while_the_next_octave_begins(picture, tmp_path):
    mask = np.linspace(0, 255, 37 * 53).reshape(37, 53).astype(np.uint8)
    Image.fromarray(mask).save(tmp_path / "mask.png")
    steps = dreamer.dream_steps(picture, dataclasses.replace(QUICK, mask=str(tmp_path / "mask.png")))
    last = next(step for step in steps if step.ends_octave)
    before = last.render()
    next(steps)
    assert (last.render() == before).all()


def test_mask_and_guide_are_read_once_for_all_photos(picture, tmp_path, monkeypatch):
    Image.fromarray((picture * 255).astype(np.uint8)).save(tmp_path / "other.png")
    reads, read = [], images.read
    monkeypatch.setattr(images, "read", lambda path, **options: (reads.append(path), read(path, **options))[1])
    other = str(tmp_path / "other.png")
    for seed in (1, 2):
        dreamer.dream(picture, QUICK, mask=other, guide=other, seed=seed)
    assert len(reads) == 2
    Image.fromarray(255 - (picture * 255).astype(np.uint8)).save(tmp_path / "other.png")
    dreamer.dream(picture, QUICK, mask=other, guide=other)
    assert len(reads) == 4


TINY = DreamSettings(objective="second", octaves=2, steps=2, precision="float32")


@pytest.mark.parametrize("work", ["dream", "dream_steps", "zoom_steps"])
def test_the_registry_is_asked_once(picture, tiny_network, monkeypatch, work):
    asked = []
    monkeypatch.setattr(registry, "load", lambda *which: (asked.append(which), tiny_network)[1])
    made = getattr(dreamer, work)(picture, TINY, frames=2)
    assert made.recipe["settings"] if work == "dream" else list(made)
    assert asked == [(DreamSettings.model, None)]


def test_a_loaded_network_wins_and_nothing_is_looked_up(picture, tiny_network, monkeypatch):
    monkeypatch.setattr(registry, "load", lambda *_: pytest.fail("was looked up"))
    made = dreamer.dream(picture, TINY, model="inception_v3", preprocessing="0..1", network=tiny_network)
    assert made.recipe["settings"]["model"] == tiny_network.spec.name
    assert made.recipe["settings"]["preprocessing"] is None


def test_steps_frames_and_dreams_take_the_same(picture, tiny_network, tmp_path):
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(tmp_path / "photo.png")
    expected = dreamer.dream(tmp_path / "photo.png", TINY, network=tiny_network, seed=5)
    for given in (tmp_path / "photo.png", images.read(tmp_path / "photo.png"), Image.open(tmp_path / "photo.png")):
        [*_, last] = dreamer.dream_steps(given, TINY, network=tiny_network, seed=5)
        assert last.render() == pytest.approx(expected.pixels, abs=1e-6)
        [*_, frame] = dreamer.zoom_steps(given, TINY, network=tiny_network, seed=5)
        assert frame.dream.render() == pytest.approx(expected.pixels, abs=1e-6)


def test_a_plan_is_complete_and_its_digest_is_of_all_that_a_dream_depends_on(lite0, tmp_path, picture):
    Image.fromarray((picture * 255).astype(np.uint8)).save(tmp_path / "mask.png")
    open_ = DreamSettings(precision="auto", mask=str(tmp_path / "mask.png"))
    plan = dreamer.DreamPlan.of(open_, lite0)
    assert DreamSettings.of(**plan.to_dict()) == plan.settings
    assert plan.settings.objective is not None
    assert plan.settings.precision != "auto"
    assert dreamer.DreamPlan.of(plan.settings, lite0).digest() == plan.digest()
    others = [plan.with_settings(seed=1).digest()]
    Image.fromarray(255 - (picture * 255).astype(np.uint8)).save(tmp_path / "mask.png")
    others.append(dreamer.DreamPlan.of(open_, lite0).digest())
    heavier = dataclasses.replace(plan, network=SimpleNamespace(weights_sha256="other"))
    others.append(heavier.digest())
    assert len({plan.digest(), *others}) == 4


def test_an_interrupt_keeps_what_there_is(picture, tiny_network, tmp_path):
    def interrupt(step):
        if step.octave == 1:
            raise KeyboardInterrupt

    with pytest.raises(dreamer.Interrupted) as stopped:
        dreamer.dream(picture, TINY, network=tiny_network, on_step=interrupt)
    partial = stopped.value.partial
    assert partial.pixels.shape == picture.shape
    assert "partial" in repr(partial)
    partial.save(tmp_path / "partial.png")
    assert images.read_recipe(tmp_path / "partial.png")["partial"] == {"octave": 1, "step": 0}


def test_an_interrupt_before_the_first_step_is_an_interrupt(picture, tiny_network, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(photos, "planned_steps", interrupted)
    with pytest.raises(KeyboardInterrupt) as stopped:
        dreamer.dream(picture, TINY, network=tiny_network)
    assert not isinstance(stopped.value, dreamer.Interrupted)


def test_all_that_a_file_holds_besides_its_pixels_comes_back(tmp_path, tiny_network, picture):
    sixteen = np.rint(picture * 65535).astype(np.uint16)
    alpha = np.full(picture.shape[:2], 40_000, np.uint16)
    images.write(tmp_path / "photo.png", images.Photo(sixteen, alpha, bits=16), recipe=None)
    made = dreamer.dream(tmp_path / "photo.png", TINY, network=tiny_network)
    assert (made.pixels.dtype, made.image.mode) == (np.float32, "RGBA")
    made.save(tmp_path / "dream.png")
    again = images.read(tmp_path / "dream.png", compact=True)
    assert again.bits == 16
    assert (again.alpha == alpha).all()
    assert again.pixels == pytest.approx(made.pixels * 65535, abs=0.51)
    assert np.array_equal(np.asarray(made), made.pixels)


def test_a_notebook_gets_a_picture_that_fits_its_page(tiny_network):
    made = dreamer.dream(np.full((20, 3000, 3), 0.5, np.float32), TINY, octaves=1, network=tiny_network)
    assert len(repr(made)) < 100
    with Image.open(BytesIO(made._repr_png_())) as shown:
        assert shown.size == (1024, 7)


@pytest.mark.parametrize(("progress", "notebook", "is_shown"), [(True, False, True), (None, False, False),
                                                                (None, True, True), (False, True, False)])  # fmt: skip
def test_a_bar_is_shown_where_it_is_asked_for_and_in_notebooks(
    picture, tiny_network, monkeypatch, capfd, progress, notebook, is_shown
):
    shown = []
    monkeypatch.setattr(progress_bars, "in_notebook", lambda: notebook)
    monkeypatch.setattr(progress_bars.Bar, "show", lambda _self, _text, share: shown.append(share))
    dreamer.dream(picture, TINY, network=tiny_network, progress=progress)
    assert (len(shown) == 4) == is_shown == bool(shown)
    assert not shown or shown[-1] == pytest.approx(1)
    if not is_shown:
        assert capfd.readouterr() == ("", "")


def test_a_dream_is_dreamt_again_from_its_picture(picture, tmp_path, tiny_network):
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(tmp_path / "photo.png")
    first = dreamer.dream(tmp_path / "photo.png", TINY, network=tiny_network, seed=3)
    first.save(tmp_path / "dream.png")
    again = dreamer.dream_again(tmp_path / "dream.png", network=tiny_network)
    assert again.pixels.tobytes() == first.pixels.tobytes()
    assert again.recipe == first.recipe
    other = dreamer.dream_again(str(tmp_path / "dream.png"), network=tiny_network, seed=4)
    assert other.recipe["settings"] == first.recipe["settings"] | {"seed": 4}
    with pytest.warns(RuntimeWarning, match="what was given is not the photo"):
        dreamer.dream_again(tmp_path / "dream.png", picture, network=tiny_network)


def test_the_dream_of_an_array_is_dreamt_again_with_the_array(picture, tmp_path, tiny_network):
    first = dreamer.dream(picture, TINY, network=tiny_network)
    first.save(tmp_path / "dream.png")
    with pytest.raises(ImageReadError, match="is not beside it"):
        dreamer.dream_again(tmp_path / "dream.png", network=tiny_network)
    again = dreamer.dream_again(tmp_path / "dream.png", picture, network=tiny_network)
    assert again.pixels.tobytes() == first.pixels.tobytes()


@pytest.mark.filterwarnings("ignore:__array__")  # Of Keras, which saves so.
def test_a_network_out_of_a_file_is_found_again_with_its_preprocessing(picture, tmp_path, tiny_network):
    tiny_network.graph.network.save(tmp_path / "mine.keras")
    network = dreamer.load(tmp_path / "mine.keras", "0..1")
    first = dreamer.dream(picture, TINY, network=network)
    first.save(tmp_path / "dream.png")
    again = dreamer.dream_again(tmp_path / "dream.png", picture)
    assert again.pixels.tobytes() == first.pixels.tobytes()
