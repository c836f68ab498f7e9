"""What many tests share: odd, non-square pictures, a tiny seeded network, and where the samples are."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace

import hypothesis
import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A cache of the tests' own, and nothing of the user's surroundings that could steer them.
os.environ["DREAMER_HOME"] = tempfile.mkdtemp(prefix="dreamer-tests-")
atexit.register(shutil.rmtree, os.environ["DREAMER_HOME"], ignore_errors=True)
os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = os.environ["DREAMER_HOME"]  # Which it takes even without a database.
os.environ["DREAMER_CONFIG"] = os.environ["DREAMER_HOME"]
os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = os.environ["DREAMER_HOME"]  # Tests leave nothing in the checkout.
# The same examples at every run, however slow the machine.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("same")
os.environ["KERAS_BACKEND"] = "tensorflow"  # Other backends have processes of their own: test_backends.py.
for _name in ("DREAMER_OFFLINE", "DREAMER_MIRROR"):
    os.environ.pop(_name, None)

# Signals mean what they usually do, also where the tests run in the background, or by nohup, deaf for some of them.
signal.signal(signal.SIGINT, signal.default_int_handler)
for _number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(_number, signal.SIG_DFL)

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def samples() -> Path:
    return ROOT / "samples"


@pytest.fixture
def picture() -> np.ndarray:
    """An odd, non-square picture with some structure: (37, 53, 3) in [0, 1]."""
    y, x = np.mgrid[:37, :53].astype(np.float32)
    waves = [np.sin(0.3 * x + 0.1 * y), np.cos(0.2 * y - 0.15 * x), np.sin(0.05 * x * y / 10)]
    return np.stack([(0.5 + 0.4 * wave) for wave in waves], axis=-1).astype(np.float32)


@pytest.fixture(scope="session")
def tiny_network():
    """A seeded two-layer network with a stride, small enough for finite differences."""
    import keras

    from dreamer.models.network import Network
    from dreamer.models.specs import known

    keras.utils.set_random_seed(3)
    picture = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(5, 3, strides=2, padding="same", activation="tanh", name="first")(picture)
    x = keras.layers.Conv2D(4, 3, padding="same", name="second")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return Network(known()["efficientnet_lite0"], keras.Model(picture, x))


@pytest.fixture(scope="session")
def lite0():
    """The bundled network."""
    from dreamer.models import registry

    return registry.load("efficientnet_lite0")


class Sleeper:
    """Stands in for a network: a step changes nothing, but may do something else."""

    network = SimpleNamespace(
        is_grey=False, weights_sha256="0", spec=SimpleNamespace(name="sleeper", preprocessing=None)
    )
    before_step = staticmethod(lambda number: None)

    def __init__(self, num_steps):
        self._num_steps = num_steps

    def check(self, _size):
        pass

    def steps(self, picture, _octave, _photo=None):
        from dreamer.ascent.loop import Step

        for index in range(self._num_steps):
            Sleeper.taken += 1
            Sleeper.before_step(Sleeper.taken)
            yield Step(index, 1.0, lambda: picture, index)


@pytest.fixture
def asleep(monkeypatch):
    """A dream without a network, of which no time is lost: what is tried is all around it.

    ``asleep.before_step = f`` has ``f(number)`` called before each step, counted from 1 through all octaves and frames.
    """
    from dreamer.cli import dream_wish
    from dreamer.dreaming import plan, steps

    def planned(given, network=None):
        return plan.DreamPlan(network or Sleeper.network, given, given.objective, {})

    Sleeper.taken = 0
    monkeypatch.setattr(Sleeper, "before_step", staticmethod(lambda number: None))
    monkeypatch.setattr(steps, "Ascent", lambda plan, **_: Sleeper(plan.settings.steps))
    monkeypatch.setattr(plan.DreamPlan, "of", planned)
    monkeypatch.setattr(dream_wish, "remember_layers", lambda _network: None)
    return Sleeper


@pytest.fixture(scope="module")
def browser():
    """A Chromium that asks nobody for anything and draws without a graphics card, real or made up."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        pytest.skip("there is no Chromium; install it with: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=_CHROMIUM)
        yield started
        started.close()


# Containers run as root, where Chromium's sandbox cannot. A graphics card that is made up keeps all cores busy.
_CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync"]


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory):
    """The path of a tiny network that other processes can load as well."""
    import keras

    keras.utils.set_random_seed(4)
    picture = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(5, 3, strides=2, padding="same", activation="tanh", name="first")(picture)
    path = tmp_path_factory.mktemp("networks") / "tiny.keras"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of Keras about NumPy.
        keras.Model(picture, keras.layers.GlobalAveragePooling2D(name="pool")(x)).save(path)
    path.with_suffix(".toml").write_text('preprocessing = "-1..1"\n')
    return str(path)
