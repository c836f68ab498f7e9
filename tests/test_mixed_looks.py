"""Several looks in one dream: mixed, and each in its region."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import dreamer
from dreamer import presets
from dreamer.ascent.together import ascend_together, is_due
from dreamer.cli import run
from dreamer.dreaming.looks import Look
from dreamer.dreaming.mixing import MixedFinish, Shares
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings
from dreamer.earlier import Earlier
from dreamer.errors import DreamerError, SettingsError, UnknownPresetError, UntrustedError

SIZE = (61, 83)
HEAD = 'title = "Mine"\ndescription = "as I like it"\n'
FIRST = DreamSettings(objective="first:1", steps=8, conditioning="none", jitter=4)
SECOND = DreamSettings(objective="second:2", steps=8, conditioning="none", jitter=4, step_size=0.015)


@pytest.fixture
def photo():
    return np.random.default_rng(0).uniform(0.3, 0.7, (*SIZE, 3)).astype(np.float32)


@pytest.fixture
def dreamt(photo, tiny_network):
    """Dreams the photo."""

    def of(*looks, **keywords):
        given = {"looks": looks} if looks else {}
        return dreamer.dream(photo, network=tiny_network, **{"octaves": 2, **given, **keywords})

    return of


@pytest.fixture
def half(tmp_path):
    """Writes a mask that is white on the left or on the right of the middle, or at the edge of one."""

    def write(name, first, last):
        mask = np.zeros(SIZE, np.uint8)
        mask[:, first:last] = 255
        Image.fromarray(mask).save(tmp_path / name)
        return str(tmp_path / name)

    return write


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Writes presets of the user's own, for the tiny network of a file."""
    monkeypatch.setenv("DREAMER_CONFIG", str(tmp_path / "config"))
    folder = tmp_path / "config" / "presets"
    folder.mkdir(parents=True)

    def write(name, text):
        path = folder / f"{name}.toml"
        path.write_text(HEAD + text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def tiny_presets(own, tiny_file):
    """Two presets, ``one`` and ``two``, for a network that is there at once."""
    for name, channel in (("one", 1), ("two", 3)):
        own(name, f'model = "{tiny_file}"\nobjective = "first:{channel}"\nsteps = 2\noctaves = 1\njitter = 2\n')
    return own


def seen(shares, size=SIZE):
    """The shares of all rows, of each place."""
    found = shares.at(size)(slice(0, size[0]))
    return [np.broadcast_to(one, (*size, 1))[..., 0] for one in found]


def rms(detail):
    return float(np.sqrt((detail**2).mean()))


# Shares


def test_weights_are_shares_that_sum_to_one_whatever_they_sum_to():
    assert [one[3, 5] for one in seen(Shares((6, 2), (None, None)))] == [0.75, 0.25]


def test_shares_of_regions_sum_to_one_with_a_ground_and_to_what_the_masks_say_without():
    rng = np.random.default_rng(1)
    masks = [rng.integers(0, 256, SIZE, np.uint8) for _ in range(2)]
    regions = [lambda _size, mask=mask: mask for mask in masks]
    found = seen(Shares((1, 1, 2), (*regions, None)))
    assert np.allclose(sum(found), 1, atol=1e-6)
    assert min(one.min() for one in found) >= 0
    bare = seen(Shares((1, 1), regions))
    assert np.allclose(sum(bare), np.minimum(masks[0] / 255 + masks[1] / 255, 1), atol=1e-6)


def test_where_regions_overlap_they_share_and_a_weight_is_how_much_a_region_takes():
    whole = np.full(SIZE, 255, np.uint8)
    assert [one[0, 0] for one in seen(Shares((3, 1), [lambda _: whole] * 2))] == [0.75, 0.25]
    assert [one[0, 0] for one in seen(Shares((0.25, 1), [lambda _: whole, None]))] == [0.25, 0.75]


# Climbs


def test_fewer_steps_are_spread_evenly_and_all_are_taken():
    for most in (1, 5, 20):
        for steps in range(1, most + 1):
            taken = [index for index in range(most) if is_due(index, steps, most)]
            assert len(taken) == steps
            assert taken[0] == 0
            assert max(np.diff([*taken, most])) - min(np.diff([*taken, most])) <= 1


def test_two_climbs_see_each_other_s_steps_and_are_laid_at_equal_power():
    picture = np.full((3, 5, 3), 0.5, np.float32)
    begun = []

    def climb(channel):
        def steps(held):
            spare = np.empty_like(held)
            for index in range(2):
                begun.append(held[0, 0].copy())
                spare[:] = held
                spare[..., channel] += 0.1
                held, spare = spare, held
                yield dreamer.ascent.loop.Step(index, float(channel), lambda held=held: held, index)

        return steps

    share = [np.full((1, 1, 1), 0.5, np.float32)] * 2
    both = ascend_together(
        picture, [climb(0), climb(1)], num_steps=[2, 2], shares=lambda _: share, weights=[0.25, 0.75]
    )
    first, second = ((step.score, step.picture().copy()) for step in both)
    moved = 0.1 * 0.5 / np.sqrt(0.5)
    assert first[0] == 0.75
    assert np.allclose(first[1], [0.5 + moved, 0.5 + moved, 0.5])
    assert np.allclose(second[1], [0.5 + 2 * moved, 0.5 + 2 * moved, 0.5])
    assert np.allclose(begun[2:], first[1][0, 0])


def test_the_step_before_stays_whole_while_the_next_is_taken(dreamt, photo, tiny_network):
    steps = dreamer.dream_steps(photo, network=tiny_network, octaves=1, looks=[Look(FIRST), Look(SECOND)])
    before = next(steps)
    kept = before.render()
    next(steps)
    assert np.array_equal(before.render(), kept)


# Dreams


def test_one_look_is_the_plain_dream_bit_for_bit(tiny_network):
    photo = np.random.default_rng(3).uniform(0, 1, (*SIZE, 3)).astype(np.float32)  # Near black, sums are rounded.
    shown = DreamSettings.merged(FIRST, {"blend": "screen", "calm": 0.5, "strength": 0.7, "contrast": 1.2})
    for settings in (FIRST, shown):
        plain = dreamer.dream(photo, settings, network=tiny_network, octaves=2).pixels
        mixed = dreamer.dream(photo, looks=[Look(settings, 0.3)], network=tiny_network, octaves=2).pixels
        assert np.array_equal(mixed, plain)


def test_the_order_of_looks_does_not_matter(dreamt):
    one, other = Look(FIRST, 0.6), Look(DreamSettings.merged(SECOND, {"steps": 5}), 0.4)
    assert np.abs(dreamt(one, other).pixels - dreamt(other, one).pixels).max() < 1e-4


def test_a_mix_is_as_strong_as_single_looks_and_has_of_both(dreamt, photo):
    one, other = dreamt(Look(FIRST)).pixels - photo, dreamt(Look(SECOND)).pixels - photo
    mix = dreamt(Look(FIRST, 0.5), Look(SECOND, 0.5)).pixels - photo
    assert 0.8 * min(rms(one), rms(other)) < rms(mix) < 1.2 * max(rms(one), rms(other))
    for single in (one, other):
        assert np.corrcoef(mix.ravel(), single.ravel())[0, 1] > 0.4
    mostly = dreamt(Look(FIRST, 0.95), Look(SECOND, 0.05)).pixels - photo
    assert np.corrcoef(mostly.ravel(), one.ravel())[0, 1] > 0.95


def test_far_from_the_seam_a_region_is_the_dream_of_its_look(dreamt, photo, half):
    left, right = half("left.png", 0, 41), half("right.png", 41, 83)
    looks = [Look(DreamSettings.merged(FIRST, {"mask": left})), Look(DreamSettings.merged(SECOND, {"mask": right}))]
    both = dreamt(*looks, octaves=1).pixels
    one, other = dreamt(Look(FIRST), octaves=1).pixels, dreamt(Look(SECOND), octaves=1).pixels
    moved = rms(one - photo)
    assert rms(both[:, :30] - one[:, :30]) < 0.1 * moved
    assert rms(both[:, 53:] - other[:, 53:]) < 0.1 * moved
    assert rms(both[:, :30] - other[:, :30]) > 0.5 * moved


def test_regions_meet_without_a_line(tiny_network, half):
    flat = np.full((*SIZE, 3), 0.5, np.float32)
    left, right = half("left.png", 0, 41), half("right.png", 41, 83)
    looks = [Look(DreamSettings.merged(FIRST, {"mask": left})), Look(DreamSettings.merged(SECOND, {"mask": right}))]
    dream = dreamer.dream(flat, looks=looks, network=tiny_network, octaves=2, feather=0.05).pixels
    slope = np.abs(np.diff(dream, axis=1)).mean((0, 2))
    assert slope[36:46].max() < 1.3 * max(slope[10:30].max(), slope[52:72].max())
    strength = np.abs(dream - 0.5).mean((0, 2))
    assert strength[36:46].min() > 0.4 * min(strength[10:30].mean(), strength[52:72].mean())


def test_where_no_region_is_the_photo_stays_to_the_bit(tiny_network, half):
    photo = np.random.default_rng(2).integers(70, 180, (*SIZE, 3), np.uint8)
    look = Look(DreamSettings.merged(FIRST, {"mask": half("left.png", 0, 30), "blend": "screen"}))
    found = dreamer.dream(photo, looks=[look], network=tiny_network, octaves=2, feather=0.01)
    levels = np.asarray(found.image)
    assert np.array_equal(levels[:, 40:], photo[:, 40:])
    assert (levels[:, :20] != photo[:, :20]).mean() > 0.5


def test_strength_and_mask_of_the_dream_hold_over_all_looks(dreamt, photo, half):
    looks = Look(FIRST, 0.5), Look(SECOND, 0.5)
    whole, faint = dreamt(*looks).pixels - photo, dreamt(*looks, strength=0.5).pixels - photo
    assert np.allclose(faint, 0.5 * whole, atol=1e-6)
    masked = dreamt(*looks, mask=half("left.png", 0, 30), feather=0.0).pixels
    assert np.array_equal(masked[:, 32:], photo[:, 32:])


def test_calm_is_of_each_look(tiny_network, half):
    photo = np.full((*SIZE, 3), 0.5, np.float32)
    photo[:, 41:] = np.random.default_rng(0).uniform(0.3, 0.7, (SIZE[0], 42, 3))
    settings = DreamSettings(looks=(Look(DreamSettings(calm=1.0), 0.5), Look(DreamSettings(), 0.5)))
    finish = MixedFinish(settings, photo)
    assert finish.is_masked
    dream = np.clip(photo + 0.2, 0, 1)
    assert np.allclose((finish(dream, photo) - photo)[:, 5:30], 0.1, atol=2e-3)
    finish.confine(dream, photo)
    assert np.allclose((dream - photo)[:, 5:30], 0.1, atol=2e-3)


def test_a_prior_and_several_octaves_go_together(dreamt):
    pulled = DreamSettings.merged(FIRST, {"prior": "denoiser", "steps": 2})
    found = dreamt(Look(pulled), Look(SECOND))
    assert "prior_sha256" in found.recipe["looks"][0]
    assert "prior_sha256" not in found.recipe["looks"][1]


def test_a_zoom_of_looks_and_each_keeps_its_share_of_steps(photo, tiny_network):
    looks = [Look(DreamSettings.merged(FIRST, {"steps": 40, "contrast": 1.5})), Look(SECOND)]
    taken = list(dreamer.zoom_steps(photo, looks=looks, network=tiny_network, octaves=1, frames=2))
    assert [step.dream.num_steps for step in taken] == [40] * 40 + [9] * 9
    assert taken[-1].progress == pytest.approx(1)
    assert np.isfinite(taken[-1].dream.render()).all()


# Settings


def test_settings_go_through_json_and_say_only_what_is_of_the_dream():
    settings = DreamSettings(
        seed=7, max_size=64, looks=[Look(FIRST, 0.6, {"preset": "lace", "preset_sha256": "ab"}), Look(SECOND, 2)]
    )
    told = json.loads(json.dumps(settings.to_dict()))
    assert DreamSettings.of(**told) == settings
    assert hash(settings) == hash(DreamSettings.of(**told))
    assert "steps" not in told
    assert "seed" not in told["looks"][0]["settings"]
    assert told["looks"][0]["preset"] == "lace"
    assert "looks" not in DreamSettings().to_dict()


def test_what_is_said_of_the_dream_goes_to_all_looks_or_stays_with_it():
    settings = DreamSettings.merged(DreamSettings(looks=[FIRST, SECOND]), {"steps": 3, "seed": 5, "strength": 0.5})
    assert [part.steps for part in settings.parts] == [3, 3]
    assert [part.seed for part in settings.parts] == [5, 5]
    assert [part.strength for part in settings.parts] == [1, 1]
    assert settings.strength == 0.5


def test_digests_know_the_files_of_looks(half):
    mask = half("left.png", 0, 9)
    settings = DreamSettings(looks=[Look(DreamSettings.merged(FIRST, {"mask": mask}))])
    assert settings.files == (mask,)
    before = settings.digest()
    half("left.png", 0, 10)
    assert settings.digest() != before


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Look(FIRST, -0.5), "weight of a look is -0.5"),
        (lambda: Look(FIRST, 0), "weight of a look is 0"),
        (lambda: Look(FIRST, float("nan")), "weight of a look is nan"),
        (lambda: Look(FIRST, float("inf")), "weight of a look is inf"),
        (lambda: Look(FIRST, True), "weight of a look is True"),
        (lambda: Look(DreamSettings(looks=[FIRST])), "do not nest"),
        (lambda: DreamSettings(steps=3, looks=[FIRST]), "steps is said of a dream with several looks"),
        (lambda: DreamSettings(looks=[DreamSettings(seed=3)]), "seed is said in a look"),
        (lambda: DreamSettings(looks="lace"), "expected a list of looks"),
        (lambda: DreamSettings(looks=["lace"]), "a look is 'lace'"),
        (lambda: DreamSettings(looks=[{"settings": {"stepz": 3}}]), "no setting 'stepz'"),
        (lambda: DreamSettings(looks=[{"settings": {"cls": 3}}]), "no setting 'cls'"),
        (lambda: DreamSettings(looks=[{"settings": {}, "weigth": 3}]), "expected its settings and its weight"),
        (lambda: DreamSettings(looks=[FIRST] * 17), "16 at the most"),
    ],
)
def test_what_is_impossible_is_said(make, words):
    with pytest.raises(SettingsError, match=words):
        make()


def test_a_mask_that_is_black_or_missing_is_said(photo, tiny_network, tmp_path, half):
    for mask, words in ((half("black.png", 0, 0), "wholly black"), (str(tmp_path / "none.png"), "none.png")):
        looks = [Look(DreamSettings.merged(FIRST, {"mask": mask})), Look(SECOND)]
        with pytest.raises(DreamerError, match=words):
            dreamer.dream(photo, looks=looks, network=tiny_network)


def test_a_plan_names_the_weights_of_each_network_and_shares_the_type_of_number(tiny_file, tiny_network, lite0):
    looks = [Look(DreamSettings(model=tiny_file, objective="first")), Look(DreamSettings(objective="block3b"))]
    plan = DreamPlan.of(DreamSettings(looks=looks, seed=3))
    told = plan.recipe()
    assert [one["weights_sha256"] for one in told["looks"]] == [one.network.weights_sha256 for one in plan.looks]
    assert len({one["weights_sha256"] for one in told["looks"]}) == 2
    assert {one.settings.precision for one in plan.looks} == {plan.settings.precision}
    assert plan.settings.precision != "auto"
    assert plan.digest() != plan.with_settings(seed=4).digest()
    assert plan.with_settings(seed=4).looks[1].settings.seed == 4


# Presets


def test_presets_are_mixed_by_name_and_what_only_a_dream_can_have_is_the_first_s(own):
    own("wide", 'objective = "block3b"\noctave_scale = 2\n')
    own("plain", 'objective = "block2a"\n')
    settings = presets.mixed({"wide": 0.6, "plain": 0.4}, at=[("sky.png", "plain:0.5")], steps=3)
    assert settings.octave_scale == 2
    assert [(look.weight, look.settings.mask, look.settings.steps) for look in settings.looks] == [
        (0.6, None, 3),
        (0.4, None, 3),
        (0.5, "sky.png", 3),
    ]
    assert settings.looks[0].preset == presets.find("wide").origin
    assert presets.mixed({"plain": 1, "wide": 1}).octave_scale == 1.4


def test_a_preset_of_looks(own, tmp_path):
    own("one", 'objective = "block3b"\nsteps = 4\n')
    own("two", 'objective = "block2a"\n')
    path = own(
        "both",
        'seed = 9\njitter = 5\n[[looks]]\npreset = "one"\nweight = 0.6\n'
        '[[looks]]\npreset = "two"\nmask = "sky.png"\njitter = 6\n',
    )
    settings = presets.find("both").settings(step_size=0.02)
    assert settings.seed == 9
    assert [(look.weight, look.settings.steps, look.settings.jitter) for look in settings.looks] == [
        (0.6, 4, 5),
        (1, 20, 6),
    ]
    assert settings.looks[1].settings.mask == str(path.parent / "sky.png")
    assert {look.settings.step_size for look in settings.looks} == {0.02}
    own("more", 'extends = "both"\njitter = 7\n')
    assert presets.find("more").settings(jitter=8).looks[1].settings.jitter == 8
    assert presets.find("more").settings().looks[0].settings.jitter == 7


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[looks]]\npreset = "nobody"\n', "no preset 'nobody'"),
        ('[[looks]]\npreset = "one"\nweight = -1\n', "weight of a look is -1"),
        ('[[looks]]\npreset = "one"\nseed = 3\n', "unknown key 'seed'"),
        ('[[looks]]\npreset = "nested"\n', "do not nest"),
        ('[[looks]]\npreset = "round"\n', "extends itself"),
        ('extends = "one"\n[[looks]]\npreset = "one"\n', "looks and extends"),
        ('looks = "one"\n', "expected tables"),
        ("[[looks]]\npreset = 3\n", "expected the name of a preset"),
        ('[variants.inception_v3]\nobjective = "mixed4"\n[[looks]]\npreset = "one"\n', "looks and variants"),
    ],
)
def test_what_is_wrong_with_the_looks_of_a_preset_is_said(own, text, words):
    own("one", 'objective = "block3b"\n')
    own("nested", '[[looks]]\npreset = "one"\n')
    own("round", '[[looks]]\npreset = "bad"\n')
    own("bad", text)
    with pytest.raises((SettingsError, UnknownPresetError), match=words):
        presets.find("bad").settings()


def test_a_preset_from_elsewhere_names_files_of_looks_beside_it_only(own, tmp_path):
    own("one", 'objective = "block3b"\n')
    away = tmp_path / "away"
    away.mkdir()
    path = away / "mine.toml"
    path.write_text(HEAD + '[[looks]]\npreset = "one"\nmask = "../sky.png"\n')
    with pytest.raises(UntrustedError, match="sky.png"):
        presets.find(path).settings()
    assert presets.find(path, trust=True).settings().looks
    path.write_text(HEAD + 'mask = "../sky.png"\n[[looks]]\npreset = "one"\n')
    with pytest.raises(UntrustedError, match="sky.png"):
        presets.find(path).settings()
    assert presets.find(path).settings(mask="mine.png").mask == "mine.png"
    path.write_text(HEAD + f'[[looks]]\npreset = "{tmp_path / "config" / "presets" / "one.toml"}"\n')
    with pytest.raises(UntrustedError, match="one.toml"):
        presets.find(path)


def test_a_preset_of_looks_is_shown_and_made_from_a_picture(tiny_presets, tmp_path, photo_file, capfd):
    tiny_presets("both", '[[looks]]\npreset = "one"\nweight = 0.6\n[[looks]]\npreset = "two"\n')
    assert run(["presets", "validate", "both"]) == 0
    assert run(["presets", "show", "both"]) == 0
    path = tmp_path / "shown.toml"
    path.write_text(capfd.readouterr().out.partition("\n# ")[2].partition("\n")[2])
    shown, both = (presets.find(str(one), trust=True).settings() for one in (path, "both"))
    assert [look.settings for look in shown.looks] == [look.settings for look in both.looks]
    assert run(["dream", str(photo_file), "--preset", "both", "-o", str(tmp_path / "out.png"), "-q"]) == 0
    assert run(["presets", "new", "again", "--trust", "--from", str(tmp_path / "out.png")]) == 0
    assert [look.weight for look in presets.find("again").settings().looks] == [0.6, 1]
    assert run(["presets", "new", "third", "--from", "both"]) == 0
    assert len(presets.find("third").settings().looks) == 2


# The command line


@pytest.fixture
def photo_file(tmp_path, picture):
    path = tmp_path / "photo.png"
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(path)
    return path


def levels(path):
    return np.asarray(Image.open(path).convert("RGB"))


def test_looks_are_mixed_and_done_again_bit_for_bit(tiny_presets, photo_file, tmp_path, capfd):
    out, again = tmp_path / "out.png", tmp_path / "again.png"
    given = ["--preset", "one:0.6", "--preset", "two:0.4", "--steps", "3"]
    assert run(["dream", str(photo_file), *given, "-o", str(out)]) == 0
    told = dreamer.images.read_recipe(out)
    assert [(one["preset"], one["weight"], one["settings"]["steps"]) for one in told["settings"]["looks"]] == [
        ("one", 0.6, 3),
        ("two", 0.4, 3),
    ]
    assert "preset" not in told
    assert run(["dream", "--recipe", str(out), "--trust", "-o", str(again)]) == 0
    assert "Note" not in capfd.readouterr().err
    assert again.read_bytes() == out.read_bytes()
    assert Earlier.read(out, trust=True).settings(steps=1, seed=4).parts[1].steps == 1


def test_regions_over_a_ground(tiny_presets, photo_file, tmp_path, half):
    plain, out = tmp_path / "plain.png", tmp_path / "out.png"
    mask = half("left.png", 0, 30)
    assert run(["dream", str(photo_file), "--preset", "one", "-o", str(plain), "-q"]) == 0
    given = ["--preset", "one", "--at", mask, "two", "--feather", "0.01"]
    assert run(["dream", str(photo_file), *given, "-o", str(out), "-q"]) == 0
    assert np.abs(levels(out)[:, 35:].astype(int) - levels(plain)[:, 35:]).max() <= 3
    assert (levels(out)[:, :10] != levels(plain)[:, :10]).any()
    assert "preset" in dreamer.images.read_recipe(plain)


def test_a_recipe_from_elsewhere_names_masks_of_looks_beside_it_only(tiny_presets, photo_file, tmp_path, half):
    out = tmp_path / "away" / "out.png"
    out.parent.mkdir()
    assert run(["dream", str(photo_file), "--at", half("left.png", 0, 9), "one", "-o", str(out), "-q"]) == 0
    with pytest.raises(UntrustedError, match="left.png"):
        Earlier.read(out).settings()
    (out.parent / "left.png").write_bytes((tmp_path / "left.png").read_bytes())
    (tmp_path / "left.png").unlink()
    with pytest.raises(UntrustedError) as refused:
        Earlier.read(out).settings()
    assert "left.png" not in str(refused.value)  # It is taken from beside the picture; the network is not there.
    assert Earlier.read(out, trust=True).settings().looks[0].settings.mask == str(out.parent / "left.png")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("--preset one:0.6", "nothing to count beside"),
        ("--preset one:0.6 --preset two", "expected a weight with each"),
        ("--preset one --preset two", "--preset one:1 --preset two:1"),
        ("--preset one:0.6 --preset one:0.4", "given twice"),
        ("--preset one:0.6 --preset two:-1", "weight of a look is -1"),
        ("--preset one:0.6 --preset two:nan", "weight of a look is nan"),
        ("--preset one:0.6 --preset nobody:1", "no preset 'nobody'"),
        ("--at nowhere.png one", "nowhere.png"),
        ("--at sky.png nobody", "no preset 'nobody'"),
        ("--preset one:0.6 --preset two:0.4 --feather 0.1", "--feather"),
        ("--at sky.png one --recipe photo.png", "exclude each other"),
    ],
)
def test_what_is_typed_wrong_is_said_at_once(tiny_presets, photo_file, asleep, given, words, capfd, monkeypatch):
    monkeypatch.chdir(photo_file.parent)
    assert run(["dream", "photo.png", *given.split()]) != 0
    error = capfd.readouterr().err
    assert words in error
    assert "Loading" not in error


def test_a_batch_mixes_presets_that_have_weights(tiny_presets, photo_file, tmp_path, half):
    folder = tmp_path / "photos"
    folder.mkdir()
    photo_file.rename(folder / "photo.png")
    looks = ["--preset", "one:0.6", "--preset", "two:0.4"]
    given = ["batch", str(folder), str(tmp_path / "mixed"), *looks, "--at", half("left.png", 0, 30), "two", "-q"]
    assert run([*given, "--workers", "1"]) == 0
    single = tmp_path / "single.png"
    assert run(["dream", str(folder / "photo.png"), *given[3:], "-o", str(single)]) == 0
    assert np.abs(levels(tmp_path / "mixed" / "photo.png").astype(int) - levels(single)).max() <= 1
    assert dreamer.images.read_recipe(tmp_path / "mixed" / "photo.png")["settings"]["looks"][2]["preset"] == "two"


def test_a_video_has_one_look_at_a_time(tiny_presets, tmp_path):
    tiny_presets("both", '[[looks]]\npreset = "one"\n[[looks]]\npreset = "two"\n')
    with pytest.raises(SettingsError, match="one look at a time"):
        dreamer.video(tmp_path / "clip.mp4", preset="both")
    with pytest.raises(SettingsError, match="one look at a time"):
        dreamer.video(tmp_path / "clip.mp4", looks=[FIRST, SECOND])
