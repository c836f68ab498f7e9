"""Codes: generators whose code is climbed, their bounds, their encoders, and one that is a GAN in truth."""

from __future__ import annotations

import cv2
import keras
import numpy as np
import pytest
from priors.making import enlarging, generator, halving

import dreamer
from dreamer.ascent.optimizing import Course
from dreamer.dreaming.plan import DreamPlan
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import PriorError, SettingsError
from dreamer.priors import loading
from dreamer.priors.codes import Code
from dreamer.priors.pulls import Pull
from dreamer.visualizing.plan import VisualizePlan
from dreamer.visualizing.run import VisualizeRun
from dreamer.visualizing.settings import VisualizeSettings

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

QUICK = VisualizeSettings(size=(24, 34), steps=4, precision="float32")


@pytest.fixture
def saved(tmp_path):
    """Saves a network, and what is to stand beside it; gives its path."""

    def saved(network, toml="", name="made.keras"):
        network.save(tmp_path / name)
        if toml:
            (tmp_path / name).with_suffix(".toml").write_text(toml, encoding="utf-8")
        return str(tmp_path / name)

    return saved


def codes_of(path, size=(24, 34)):
    return loading.load(path).parametrization.make(size, None)


def test_what_a_network_is_its_shapes_say(saved):
    _, decoder = halving()
    assert isinstance(loading.load(saved(generator())), Code)
    assert isinstance(loading.load(saved(enlarging(), name="a.keras")), Code)
    assert isinstance(loading.load(saved(enlarging(channels=4), name="b.keras")), Code)
    assert isinstance(loading.load(saved(decoder, "deviation = 0.1", name="c.keras")), Code)
    same = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 3, padding="same")])
    same.set_weights([0.1 * np.ones((3, 3, 3, 3)) / 3, np.zeros(3)])
    assert isinstance(loading.load(saved(same, name="d.keras")), Pull)


def test_pictures_come_from_the_generator_alone(saved, tiny_network):
    path = saved(generator(size=(24, 34)))
    drawn = dreamer.visualize("second:1", QUICK, network=tiny_network, prior=path, steps=20)
    assert drawn.score > drawn.first_score
    # A generator of six numbers: its pictures, seen through its last layer's inverse, are a plane of six dimensions.
    kernel = loading.load(path)._network.layers[1].get_weights()[0]
    asked = np.log(drawn.pixels / (1 - drawn.pixels)).ravel()
    code, *_ = np.linalg.lstsq(kernel.T, asked, rcond=None)
    assert kernel.T @ code == pytest.approx(asked, abs=1e-2)


def test_a_generator_of_one_size_is_resized_and_it_is_said(saved, tiny_network):
    path = saved(generator())
    notes = []
    run = VisualizeRun([dreamer.Objective.of("second:1")], VisualizeSettings.merged(QUICK, {"prior": path}),
                       network=tiny_network)  # fmt: skip
    for _ in run.steps(note=notes.append):
        pass
    assert notes == [f"{path} makes pictures of 8x12, which are resized to 24x34"]
    assert run.results()[0].pixels.shape == (24, 34, 3)


def test_a_code_of_any_size_is_as_large_as_the_picture_needs(saved, tiny_network):
    path = saved(enlarging())
    assert loading.load(path).made((24, 32)) == (24, 32)
    assert loading.load(path).made((25, 31)) == (28, 32)
    assert codes_of(path, (24, 32)).draw(np.random.default_rng(0), 2).shape == (2, 6, 8, 5)
    with pytest.warns(RuntimeWarning, match="makes pictures of 24x36, which are resized to 24x34"):
        drawn = dreamer.visualize("second:1", QUICK, network=tiny_network, prior=path)
    assert drawn.pixels.shape == (24, 34, 3)


def test_codes_are_kept_within_bounds(saved, tmp_path, tiny_network):
    low, high = -np.arange(1, 7, dtype=np.float32) / 10, np.full(6, 0.2, np.float32)
    np.save(tmp_path / "bounds.npy", np.stack([low, high]))
    prior = loading.load(saved(generator(), 'bounds = "bounds.npy"\n'))
    codes = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
    assert np.asarray(prior.after_step(codes, Course(1.0), None)) == pytest.approx(np.clip(codes, low, high))
    assert (prior.parametrization.make((8, 12), None).draw(np.random.default_rng(0), 50) <= high).all()
    np.save(tmp_path / "upper.npy", high)
    prior = loading.load(saved(generator(), 'bounds = "upper.npy"\n', name="upper.keras"))
    assert np.asarray(prior.after_step(codes, Course(1.0), None)) == pytest.approx(np.clip(codes, 0, high))
    prior = loading.load(saved(generator(), "bounds = [-0.5, 0.25]\n", name="pair.keras"))
    assert np.asarray(prior.after_step(codes, Course(1.0), None)) == pytest.approx(np.clip(codes, -0.5, 0.25))


def test_limits_are_read_from_text_as_well_and_anew_when_they_change(saved, tmp_path):
    (tmp_path / "limits.txt").write_text("\n".join(map(str, range(1, 7))), encoding="utf-8")
    path = saved(generator(), 'bounds = "limits.txt"\n')
    codes = np.full((1, 6), 9, np.float32)
    first = loading.load(path)
    assert np.asarray(first.after_step(codes, Course(1.0), None)).tolist() == [[1, 2, 3, 4, 5, 6]]
    assert loading.load(path) is first
    (tmp_path / "limits.txt").write_text("\n".join("2" * 6), encoding="utf-8")
    again = loading.load(path)
    assert np.asarray(again.after_step(codes, Course(1.0), None)).tolist() == [[2] * 6]
    assert again.sha256 != first.sha256


def test_what_the_way_down_keeps_grows_with_the_picture(saved):
    """The code, and the picture that a layer makes of it."""
    prior = loading.load(saved(enlarging()))
    assert prior.numbers_kept((24, 32)) == 6 * 8 * 5 + 24 * 32 * 3


def test_codes_are_kept_to_a_length_and_decay(saved):
    prior = loading.load(saved(generator(), "norm = 0.5\ndecay = 0.25\nlearning_rate = 0.3\n"))
    codes = np.float32([[3, 4, 0, 0, 0, 0], [0.3, 0, 0, 0, 0, 0]])
    expected = np.float32([[0.3, 0.4, 0, 0, 0, 0], [0.3, 0, 0, 0, 0, 0]])
    assert np.asarray(prior.after_step(codes, Course(1.0), None)) == pytest.approx(expected)
    assert prior.parametrization.schedule.decay == 0.25
    assert prior.parametrization.learning_rate == 0.3
    wide = loading.load(saved(generator(), "deviation = 2.0\n", name="wide.keras"))
    drawn = wide.parametrization.make((8, 12), None).draw(np.random.default_rng(0), 4000)
    assert drawn.std() == pytest.approx(2, 0.03)


@pytest.fixture
def autoencoder(saved):
    encoder, decoder = halving()
    saved(encoder, name="encoder.keras")
    return saved(decoder, 'encoder = "encoder.keras"\ndeviation = 0.3\n', name="decoder.keras")


def test_bounds_hold_where_nothing_is_pulled_and_from_the_first_code_on(saved, tiny_network):
    path = saved(generator(), "bounds = [-0.5, 0.5]\nnorm = 0.9\ndeviation = 5.0\n")
    prior = loading.load(path)
    first = prior.parametrization.make((8, 12), None).draw(np.random.default_rng(0), 20)
    assert np.abs(first).max() <= 0.5
    assert np.linalg.norm(first, axis=1).max() <= 0.9 + 1e-6
    settings = VisualizeSettings.merged(QUICK, {"size": (8 * 2, 12 * 2), "prior": path, "prior_weight": 0.0})
    with pytest.warns(RuntimeWarning, match="which are resized"):
        *_, last = dreamer.visualize_steps(["second:1"], settings, network=tiny_network, learning_rate=3.0)
    code = np.asarray(last._state.values[0])
    assert np.abs(code).max() <= 0.5 + 1e-6
    assert np.linalg.norm(code, axis=1).max() <= 0.9 + 1e-5


def test_a_decoder_that_cuts_its_edges_makes_what_it_makes(saved, tiny_network):
    """Of 6 positions 20 pixels, not 24: the sizes are asked of the network itself."""
    code = keras.Input((None, None, 5))
    x = keras.layers.Conv2DTranspose(3, 4, strides=4, activation="sigmoid")(code)
    path = saved(keras.Model(code, keras.layers.Cropping2D(2)(x)))
    made = loading.load(path).made((24, 34))
    shown = codes_of(path).render(codes_of(path).draw(np.random.default_rng(0), 1))
    assert made != (24, 34)
    assert tuple(shown.shape) == (1, 24, 34, 3)


def test_an_encoder_may_give_the_numbers_in_another_shape(saved, tiny_network, picture):
    flat = keras.Sequential([keras.Input((8, 12, 3)), keras.layers.Flatten()])
    saved(flat, name="flat.keras")
    code = keras.Input((8, 12, 3))
    made = keras.layers.UpSampling2D(2)(code)
    path = saved(keras.Model(code, made), 'encoder = "flat.keras"\ndeviation = 0.1\n')
    with pytest.raises(PriorError, match="makes nothing of a picture of 16x24"):
        loading.load(path)
    halved = keras.Sequential([keras.Input((16, 24, 3)), keras.layers.AveragePooling2D(2), keras.layers.Flatten()])
    saved(halved, name="flat.keras")
    start = picture[:16, :24]
    [drawn] = dreamer.visualize(
        ["second:1"], QUICK, network=tiny_network, size=(16, 24), prior=path, start=start, steps=1, learning_rate=1e-9
    )
    small = cv2.resize(start, (12, 8), interpolation=cv2.INTER_AREA)
    assert drawn.pixels == pytest.approx(small.repeat(2, 0).repeat(2, 1), abs=1e-3)


def test_a_run_starts_as_the_code_of_a_picture(autoencoder, tiny_network, picture):
    start = picture[:24, :34]
    [drawn] = dreamer.visualize(
        ["second:1"], QUICK, network=tiny_network, prior=autoencoder, start=start, steps=1, learning_rate=1e-9
    )
    halved = cv2.resize(start, (17, 12), interpolation=cv2.INTER_AREA)
    assert drawn.pixels == pytest.approx(halved.repeat(2, 0).repeat(2, 1), abs=1e-3)


def test_an_encoder_pulls_a_code_to_what_it_finds_in_its_picture(saved):
    """A decoder that is twice as bright as its encoder believes: R(h) = E(G(h)) = 2h."""
    encoder, decoder = halving()
    saved(encoder, name="encoder.keras")
    brighter = keras.Model(decoder.inputs, keras.layers.Rescaling(2.0)(decoder.outputs[0]))
    path = saved(brighter, 'encoder = "encoder.keras"\ndeviation = 0.05\n', name="brighter.keras")
    codes = np.random.default_rng(0).random((1, 4, 6, 3), np.float32) * 0.4
    pulled = loading.load(path).after_step(codes, Course(1.0, pull=0.25), None)
    assert np.asarray(pulled) == pytest.approx(1.25 * codes, abs=1e-5)


def test_values_of_another_range_are_told(saved):
    network = generator()
    other = keras.Model(network.inputs, keras.layers.Rescaling(2.0, offset=-1.0)(network.outputs[0]))
    path = saved(other, 'picture = "-1..1"\n')
    code = codes_of(path, (8, 12)).draw(np.random.default_rng(0), 1)
    found = codes_of(path, (8, 12)).render(keras.ops.convert_to_tensor(code))
    assert np.asarray(found) == pytest.approx(np.asarray(network(code)), abs=1e-6)
    blue = keras.Model(network.inputs, keras.layers.Rescaling(255.0)(network.outputs[0]))
    path = saved(blue, 'picture = "0..255"\n', name="b.keras")
    assert np.asarray(codes_of(path, (8, 12)).render(code)) == pytest.approx(np.asarray(network(code)), abs=1e-5)


def test_the_digest_is_of_all_that_a_code_depends_on(saved, tmp_path):
    alone = loading.load(saved(generator())).sha256
    bounded = loading.load(saved(generator(), "bounds = [-1, 1]\n", name="b.keras")).sha256
    np.save(tmp_path / "upper.npy", np.ones(6, np.float32))
    by_file = loading.load(saved(generator(), 'bounds = "upper.npy"\n', name="c.keras")).sha256
    assert len({alone, bounded, by_file}) == 3


@pytest.mark.parametrize(
    ("toml", "error", "said"),
    [
        ("speed = 3", SettingsError, "has an unknown key 'speed'. Known: picture, encoder"),
        ('picture = "0..2"', SettingsError, "picture is '0..2'; expected one of 0..1, 0..255"),
        ("norm = 1" + 400 * "0", SettingsError, "norm is a whole number of 1329 bits; expected a number above 0"),
        ('encoder = "made.toml"', SettingsError, "encoder is 'made.toml'; expected a .keras file"),
        ("norm = -1", SettingsError, "norm is -1; expected a number above 0"),
        (
            "bounds = [1]",
            SettingsError,
            r"bounds is \[1\]; expected \[low, high\], or the name of a .npy or .txt beside it",
        ),
        ("bounds = [2, 1]", SettingsError, r"bounds is \[2, 1\]; expected"),
        ('bounds = "gone.npy"', SettingsError, "cannot read the bounds .*gone.npy"),
        ('bounds = "short.npy"', PriorError, r"are of a code of 5 numbers, and .*made.keras takes \(6,\)"),
        ('bounds = "cube.npy"', SettingsError, r"has the shape \(2, 3, 6\); expected \(numbers of a code,\)"),
        ('bounds = "../x.npy"', SettingsError, "bounds is '../x.npy'; expected a file that lies beside it"),
        ('encoder = "other.keras"', PriorError, r"makes codes of \(7,\), and .*made.keras takes \(6,\)"),
        ('picture = "-1..1"\nencoder = 3', SettingsError, "encoder is 3; expected a file"),
        ("= =", SettingsError, "cannot read .*made.toml"),
    ],
)
def test_what_is_wrong_beside_a_generator_is_said_in_a_line(saved, tmp_path, toml, error, said):
    np.save(tmp_path / "short.npy", np.ones(5, np.float32))
    np.save(tmp_path / "cube.npy", np.ones((2, 3, 6), np.float32))
    other = [keras.Input((None, None, 3)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(7)]
    saved(keras.Sequential(other), name="other.keras")
    path = saved(generator(), toml)
    with pytest.raises(error, match=said) as raised:
        loading.load(path)
    assert "\n" not in str(raised.value)


def test_values_outside_are_refused(saved):
    network = generator()
    path = saved(keras.Model(network.inputs, keras.layers.Rescaling(255.0)(network.outputs[0])))
    with pytest.raises(PriorError, match=r"gives values from .*; expected pictures in 0..1. If they"):
        loading.load(path)


def test_contradictions_are_refused(saved, tiny_network, picture):
    path = saved(generator())
    for name, value in (("look", "clear"), ("parametrization", "maco")):
        with pytest.raises(SettingsError, match=f"{name} is '{value}', and the prior .* makes pictures from a code"):
            VisualizePlan.of(VisualizeSettings(prior=path, **{name: value}), tiny_network)
    with pytest.raises(SettingsError, match=r"has no encoder, .*name an encoder in made.toml"):
        VisualizePlan.of(VisualizeSettings(prior=path), tiny_network, start=picture)
    with pytest.raises(SettingsError, match="makes pictures from a code, and a dream is made from its photo"):
        DreamPlan.of(DreamSettings(prior=path, objective="second:1"), tiny_network)
    plan = VisualizePlan.of(VisualizeSettings(prior=path), tiny_network)
    assert plan.of_classes.summary == f"a code, transforms inside, adam, 128 steps, prior {path}"


def digits():
    """Pictures of handwritten digits ``(1797, 8, 8, 1)`` in 0..1, and which they are."""
    datasets = pytest.importorskip("sklearn.datasets")
    found = datasets.load_digits()
    return (found.images / 16).astype(np.float32)[..., None], found.target


def classifier(pictures, targets):
    """A network from pictures of 16x16 in colours to ten digits, which has learnt them."""
    keras.utils.set_random_seed(1)
    network = keras.Sequential([
        keras.Input((16, 16, 3)),
        keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(48, activation="relu"),
        keras.layers.Dense(10),
    ])  # fmt: skip
    network.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    large = pictures.repeat(2, 1).repeat(2, 2).repeat(3, 3)
    network.fit(large, targets, epochs=12, batch_size=64, verbose=0)
    assert (network.predict(large, verbose=0).argmax(1) == targets).mean() > 0.97
    return network


def adversary(pictures, steps=3000):
    """The generator of a tiny GAN: it and a critic learn against each other (Goodfellow et al. 2014)."""
    import tensorflow as tf

    keras.utils.set_random_seed(1)
    dense, leaky = keras.layers.Dense, keras.layers.LeakyReLU
    generator = keras.Sequential(
        [keras.Input((12,)), dense(64), leaky(), dense(128), leaky(), dense(64, activation="sigmoid")]
    )
    critic = keras.Sequential([keras.Input((64,)), dense(128), leaky(), dense(64), leaky(), dense(1)])
    makers = [keras.optimizers.Adam(1e-3, beta_1=0.5) for _ in range(2)]
    real, rng = pictures.reshape(-1, 64), np.random.default_rng(0)
    loss = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)

    @tf.function
    def step(some, codes):
        with tf.GradientTape(persistent=True) as tape:
            made = generator(codes)
            true, false = critic(some), critic(made)
            of_critic = loss(tf.ones_like(true), true) + loss(tf.zeros_like(false), false)
            of_generator = loss(tf.ones_like(false), false)
        for network, maker, value in ((critic, makers[0], of_critic), (generator, makers[1], of_generator)):
            maker.apply(tape.gradient(value, network.trainable_variables), network.trainable_variables)

    for one, network in zip(makers, (critic, generator), strict=True):
        one.build(network.trainable_variables)
    for _ in range(steps):
        step(real[rng.integers(len(real), size=64)], rng.normal(size=(64, 12)).astype(np.float32))
    picture = keras.layers.UpSampling2D(2)(keras.layers.Reshape((8, 8, 1))(generator.outputs[0]))
    return keras.Model(generator.inputs, keras.layers.Concatenate()([picture] * 3))


def test_a_gan_draws_what_another_classifier_is_sure_of_where_pixels_do_not(saved):
    ensemble = pytest.importorskip("sklearn.ensemble")
    pictures, targets = digits()
    path = saved(adversary(pictures), "norm = 4.0\ndecay = 0.02\n")
    climbed = dreamer.load(classifier(pictures, targets), preprocessing="0..1", labels=[str(one) for one in range(10)])
    how = VisualizeSettings(size=16, steps=64, transforms="none", precision="float32")
    judge = ensemble.RandomForestClassifier(random_state=0).fit(pictures.reshape(-1, 64), targets)

    def sure(**more):
        """How sure another kind of classifier is of pictures of all ten digits, on average."""
        drawn = [dreamer.visualize(f"logit:{one}", how, network=climbed, seed=0, **more).pixels for one in range(10)]
        small = np.stack(drawn).reshape(10, 8, 2, 8, 2, 3).mean((2, 4, 5))
        return np.diagonal(judge.predict_proba(small.reshape(10, 64))).mean()

    # Around 0.7 and 0.23; all ten, for how well a GAN has learnt any one of them differs from machine to machine.
    assert sure(prior=path, learning_rate=0.1) > 2 * sure(parametrization="pixels")
