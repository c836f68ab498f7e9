"""Pulls: networks from pictures to likelier ones, as they are loaded, checked and taken part in an ascent."""

from __future__ import annotations

import dataclasses
import json

import cv2
import keras
import numpy as np
import pytest
from priors.making import blurring, generator

import dreamer
from dreamer import images
from dreamer.ascent import parametrizations
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings
from dreamer.earlier import Earlier
from dreamer.errors import PriorError, SettingsError, UntrustedError, WeightsError
from dreamer.presets import find
from dreamer.presets.text import of_dream
from dreamer.priors import loading, pulls, specs
from dreamer.visualizing.plan import VisualizePlan
from dreamer.visualizing.settings import VisualizeSettings

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

QUICK = VisualizeSettings(size=(24, 34), steps=4, precision="float32")


@pytest.fixture
def prior(tmp_path):
    """The path of a prior in a file."""
    path = tmp_path / "blur.keras"
    blurring().save(path)
    return str(path)


def blurred(picture):
    return cv2.blur(picture, (3, 3), borderType=cv2.BORDER_REFLECT_101)


def power(picture):
    """How much fine structure there is."""
    return float(np.square(picture - blurred(picture)).mean())


def test_the_way_leads_to_what_the_network_makes_of_a_picture(prior, picture):
    way = loading.load(prior).of_picture(picture, 0.1)
    assert way.dtype == np.float32
    assert picture + way == pytest.approx(blurred(picture), abs=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (2, 40), (37, 53), (16, 16), (33, 700), (513, 96)])
def test_pictures_of_any_size_and_tiles_without_seams(prior, size):
    picture = np.random.default_rng(0).random((*size, 3), np.float32)
    pull = loading.load(prior)
    whole = np.asarray(keras.ops.convert_to_numpy(pull.of_pictures(picture[None], np.float32(0.1))))[0]
    assert pull.of_picture(picture, 0.1) == pytest.approx(whole, abs=1e-5)
    if min(size) > 1:
        assert picture + whole == pytest.approx(blurred(picture), abs=1e-5)


def test_a_network_of_four_channels_is_told_how_noisy_the_picture_is(tmp_path, picture):
    blurring(channels=4).save(tmp_path / "told.keras")
    pull = loading.load(str(tmp_path / "told.keras"))
    faint, strong = (pull.of_picture(picture * 0.5, noise) for noise in (0.125, 0.25))
    assert strong - faint == pytest.approx(0.125, abs=1e-5)


def test_the_same_prior_is_given_again_until_its_file_changes(prior):
    first = loading.load(prior)
    assert loading.load(prior) is first
    network = blurring()
    network.set_weights([one * 0.9 for one in network.get_weights()])
    network.save(prior)
    assert loading.load(prior).sha256 != first.sha256


class Odd:
    """Networks that are no prior, and what is said of them."""

    @staticmethod
    def two_inputs():
        one, other = keras.Input((None, None, 3)), keras.Input((None, None, 3))
        return keras.Model([one, other], keras.layers.Add()([one, other]))

    @staticmethod
    def classes():
        picture = keras.Input((None, None, 3))
        return keras.Model(picture, keras.layers.Dense(5)(keras.layers.GlobalAveragePooling2D()(picture)))

    @staticmethod
    def of_one_size():
        return keras.Sequential([keras.Input((64, 48, 3)), keras.layers.Conv2D(3, 3, padding="same")])

    @staticmethod
    def smaller():
        return keras.Sequential([keras.Input((None, None, 3)), keras.layers.AveragePooling2D(2)])

    @staticmethod
    def of_bytes():
        return keras.Sequential([keras.Input((None, None, 3)), keras.layers.Rescaling(255.0)])

    @staticmethod
    def of_nothing():
        return keras.Sequential([keras.Input((None, None, 3)), keras.layers.Rescaling(float("nan"))])


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("two_inputs", "has 2 inputs and 1 outputs; expected a network of one picture, or one code, to one"),
        ("classes", r"makes \(None, 5\) of \(None, None, None, 3\); expected a network to pictures"),
        ("of_one_size", "takes pictures of 64x48 alone; expected one that takes any size"),
        ("smaller", r"makes \(24, 32, 3\) of a picture of \(48, 64, 3\); expected one of the same size"),
        ("of_bytes", r"gives values from 51 to 204; expected pictures in 0..1. Put a keras.layers.Rescaling"),
        ("of_nothing", r"gives values from nan to nan; expected pictures in 0..1"),
    ],
)
def test_a_network_of_another_kind_is_refused_in_a_line(tmp_path, kind, said):
    path = tmp_path / "odd.keras"
    getattr(Odd, kind)().save(path)
    with pytest.raises(PriorError, match=said) as raised:
        loading.load(str(path))
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)


def test_a_prior_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(PriorError, match=r"there is no prior 'denoisr'. Close matches: denoiser. Known: denoiser"):
        specs.spec("denoisr")
    with pytest.raises(PriorError, match=r"there is no file .*gone.keras with a Keras network"):
        specs.spec(str(tmp_path / "gone.keras"))
    (tmp_path / "a.keras").write_text("no network")
    with pytest.raises(WeightsError, match="damaged or no .keras file"):
        loading.load(str(tmp_path / "a.keras"))


@pytest.mark.parametrize("value", [-0.1, 1.5, "much", (0.1,), (0.1, 0.2, 0.3), (0.1, True), None, float("nan")])
def test_a_noise_that_is_none_is_refused(value):
    for settings in (DreamSettings, VisualizeSettings):
        with pytest.raises(SettingsError, match="prior_noise is .*; expected its first and its last value"):
            settings(prior_noise=value)


def test_settings_say_nothing_of_a_prior_where_there_is_none(prior):
    for settings in (DreamSettings, VisualizeSettings):
        assert not [name for name in settings().to_dict() if name.startswith("prior")]
        assert settings(prior_weight=0.5).to_dict() == settings().to_dict()
        whole = settings(prior=prior, prior_noise=0.3)
        assert settings.of(**json.loads(json.dumps(whole.to_dict()))) == whole
        assert whole.files == (prior,)
        assert settings(prior="denoiser").files == ()


@pytest.mark.parametrize("kind", list(parametrizations.KINDS))
def test_pictures_from_noise_are_pulled_whatever_they_are_made_from(tiny_network, prior, kind):
    settings = VisualizeSettings(size=(24, 34), steps=12, precision="float32", parametrization=kind)
    free, pulled = (
        dreamer.visualize("second:1", settings, network=tiny_network, prior=one, prior_weight=0.5)
        for one in (None, prior)
    )
    # Of maco the magnitudes are fixed, and phases alone can be pulled.
    assert power(pulled.pixels) < (0.9 if kind == "maco" else 0.7) * power(free.pixels)
    again = dreamer.visualize("second:1", settings, network=tiny_network, prior=prior, prior_weight=0.5)
    assert (again.pixels == pulled.pixels).all()


@pytest.mark.parametrize("kind", ["cosine", "fourier", "pixels"])
def test_a_step_is_pulled_by_its_share(tiny_network, prior, picture, kind):
    """Where nothing is climbed, one step goes the share of the way that the weight says."""
    start = 0.25 + 0.5 * picture[:24, :34]
    [drawn] = dreamer.visualize(
        ["second:1"], QUICK, network=tiny_network, start=start, steps=1, learning_rate=1e-9, parametrization=kind,
        prior=prior, prior_weight=0.25,
    )  # fmt: skip
    assert drawn.pixels == pytest.approx(0.75 * start + 0.25 * blurred(start), abs=2e-4)


def test_a_parametrization_whose_encode_takes_no_tensors_is_refused_in_a_line(tiny_network, prior, monkeypatch):
    usual = parametrizations.KINDS["pixels"]

    def of_arrays(size, spectrum):
        return dataclasses.replace(usual.make(size, spectrum), encode=lambda pictures: np.array(pictures) * 2)

    monkeypatch.setitem(parametrizations.KINDS, "pixels", usual._replace(make=of_arrays))
    with pytest.raises(SettingsError, match="its encode takes no tensors .* write it with keras.ops"):
        dreamer.visualize(
            "second:1", network=tiny_network, parametrization="pixels", prior=str(prior), size=32, steps=2
        )


def test_a_weight_of_nothing_changes_nothing(tiny_network, prior):
    free, weightless = (
        dreamer.visualize("second:1", QUICK, network=tiny_network, prior=one, prior_weight=0.0) for one in (None, prior)
    )
    assert weightless.pixels == pytest.approx(free.pixels, abs=1e-4)


def test_a_toml_that_says_how_a_network_is_used_otherwise_changes_nothing(prior):
    """An autoencoder may be a network of one's own, too."""
    with open(prior.replace(".keras", ".toml"), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write('preprocessing = "-1..1"\n')
    assert isinstance(loading.load(prior), pulls.Pull)


def test_an_atlas_is_not_gone_on_with_under_another_prior(tmp_path, tiny_network, prior):
    how = {"network": tiny_network, "prior": prior, "size": 16, "steps": 1, "channels": [0]}
    dreamer.atlas("second", tmp_path / "atlas", **how)
    network = blurring()
    network.set_weights([one * 0.9 for one in network.get_weights()])
    network.save(prior)
    with pytest.raises(SettingsError, match="was drawn with another prior of that name"):
        dreamer.atlas("second", tmp_path / "atlas", **how)


def test_a_dream_has_less_grit(tiny_network, prior, picture):
    settings = DreamSettings(objective="second:1", octaves=2, steps=6, conditioning="none", step_size=0.03)
    free, pulled = (dreamer.dream(picture, settings, network=tiny_network, prior=one) for one in (None, prior))
    assert power(pulled.pixels - picture) < 0.7 * power(free.pixels - picture)


def test_where_nothing_is_dreamt_the_photo_keeps_its_grain(tiny_network, prior):
    photo = np.random.default_rng(2).random((61, 87, 3), np.float32)  # Nothing but grain.
    settings = DreamSettings(objective="second:1", octaves=2, steps=4, step_size=1e-9, prior=prior, prior_weight=1.0)
    dreamt = dreamer.dream(photo, settings, network=tiny_network)
    assert dreamt.pixels == pytest.approx(photo, abs=1e-4)


def test_recipes_name_the_prior_with_its_digest_and_can_be_dreamt_again(tmp_path, prior, picture):
    images.write(tmp_path / "photo.png", images.Photo(picture), recipe=None)
    keywords = {"octaves": 1, "steps": 1, "prior": prior, "prior_weight": 0.5, "prior_noise": (0.3, 0.1)}
    dreamt = dreamer.dream(tmp_path / "photo.png", **keywords)
    path = tmp_path / "dream.png"
    dreamt.save(path)
    recipe = images.read_recipe(path)
    assert recipe["prior_sha256"] == loading.load(prior).sha256 == recipe["files_sha256"][prior]
    assert recipe["settings"]["prior_noise"] == [0.3, 0.1]
    assert (dreamer.dream_again(path).pixels == dreamt.pixels).all()
    network = blurring()
    network.set_weights([one * 0.9 for one in network.get_weights()])
    network.save(prior)
    with pytest.warns(RuntimeWarning, match=r"blur.keras has changed since|the prior has other weights than when"):
        dreamer.dream_again(path)
    assert "prior_sha256" not in dreamer.dream(picture, octaves=1, steps=1).recipe


def test_a_picture_from_elsewhere_may_name_only_a_prior_beside_it(tmp_path, prior, picture):
    (tmp_path / "elsewhere").mkdir()
    for name in ("photo.png", "elsewhere/photo.png"):
        images.write(tmp_path / name, images.Photo(picture), recipe=None)
    path = tmp_path / "elsewhere" / "a.png"
    dreamer.dream(tmp_path / "photo.png", octaves=1, steps=1, prior=prior).save(path)
    with pytest.raises(UntrustedError, match=r"blur.keras \(prior\)"):
        Earlier.read(path).settings()
    assert Earlier.read(path, trust=True).settings().prior == prior


def test_a_preset_names_a_prior_beside_it(tmp_path, prior):
    preset = tmp_path / "gritless.toml"
    preset.write_text('title = "a"\ndescription = "b"\nprior = "blur.keras"\nprior_noise = [0.2, 0.05]\n')
    settings = find(preset).settings()
    assert settings.prior == prior
    assert settings.prior_noise == (0.2, 0.05)
    preset.write_text('title = "a"\ndescription = "b"\nprior = "../elsewhere/blur.keras"\n')
    with pytest.raises(UntrustedError, match=r"\(prior\)"):
        find(preset).settings()
    again = tmp_path / "again.toml"
    again.write_text(of_dream("again", settings, "a.png"), encoding="utf-8")
    assert find(again, trust=True).settings() == settings
    assert "prior" not in of_dream("again", DreamSettings(seed=3), "a.png")


def test_a_weight_that_is_not_given_is_what_is_usual(tiny_network, prior, tmp_path):
    generator(size=(24, 34)).save(tmp_path / "code.keras")
    of_pull = DreamPlan.of(DreamSettings(objective="second:1", prior=prior), tiny_network)
    assert of_pull.settings.prior_weight == 0.1
    drawn = VisualizePlan.of(VisualizeSettings(prior=prior, prior_weight=0.3), tiny_network)
    assert drawn.of_others.settings.prior_weight == 0.3
    of_code = VisualizePlan.of(VisualizeSettings(prior=str(tmp_path / "code.keras")), tiny_network)
    assert of_code.of_others.settings.prior_weight == 0.0
    assert VisualizePlan.of(VisualizeSettings(), tiny_network).settings.prior_weight is None


def test_plans_differ_by_their_prior(tiny_network, prior):
    dreams = [DreamPlan.of(DreamSettings(objective="second:1", prior=one), tiny_network) for one in (None, prior)]
    drawn = [VisualizePlan.of(VisualizeSettings(prior=one), tiny_network) for one in (None, prior)]
    for without, with_prior in (dreams, drawn):
        assert without.digest() != with_prior.digest()
    assert drawn[1].of_others.summary.endswith(f"prior {prior}")
