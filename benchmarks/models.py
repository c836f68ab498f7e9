"""What the networks cost to load, and how far their answers are from references, as JSON.

    python benchmarks/models.py            everything, about four minutes on 2 cores
    python benchmarks/models.py --only load

Published weights are not needed: InceptionV1 is made from a frozen graph with random weights of the
published topology, Keras's networks from random weights that Keras itself saves, and both are
imported as a user's file would be. Times do not depend on what the numbers are.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "models")]
RUNS = 3
NETWORKS = ("efficientnet_lite0", "inception_v1", "inception_v3", "keras:MobileNetV2", "keras:ResNet50", "keras:VGG16")
COMPARED = ("EfficientNetB0", "EfficientNetV2B0", "MobileNetV2", "MobileNetV3Small", "ResNet50", "InceptionV3")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(SUITES), help="run one part")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(load_once(options.case)))
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DREAMER_HOME": folder, "TF_CPP_MIN_LOG_LEVEL": "3"}
        for name in [options.only] if options.only else SUITES:
            print(json.dumps({name: SUITES[name](Path(folder))}, indent=2), flush=True)


def load(folder: Path) -> dict:
    """Seconds for each network: to put its weights in place, then to load it in fresh processes."""
    return {name: {"install_seconds": install(name, folder)} | in_processes(name) for name in NETWORKS}


def install(name: str, folder: Path) -> float | None:
    """Import weights as a user would, Keras loaded beforehand; None for a network that needs none."""
    from dreamer.models import fetching, registry

    spec = registry.spec(name)
    if fetching.is_installed(spec):
        return None
    source = random_weights(spec, folder)
    start = time.perf_counter()
    fetching.import_file(spec, source, unverified=True)
    seconds = time.perf_counter() - start
    source.unlink()
    return round(seconds, 2)


def random_weights(spec, folder: Path) -> Path:
    import inception_graph

    from dreamer.models import keras_applications

    if spec.application is None:
        return inception_graph.write_archive(folder / "a.zip", inception_graph.write_graph(folder / "graph.pb"))
    path = folder / "random.weights.h5"
    keras_applications.architecture(spec).save_weights(path)
    return path


def in_processes(name: str) -> dict:
    command = [sys.executable, __file__, "--case", name]
    runs = []
    for _ in range(RUNS):
        start = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
        runs.append(json.loads(done.stdout) | {"process_seconds": time.perf_counter() - start})
    return {key: round(statistics.median(run[key] for run in runs), 4) for key in runs[0]}


def load_once(name: str) -> dict:
    """Cold: the first load in a process, Keras imported; warm: asked for again."""
    import keras  # noqa: F401

    from dreamer.models import registry

    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        registry.load(name)
        seconds.append(time.perf_counter() - start)
    return {"cold_seconds": seconds[0], "warm_seconds": seconds[1]}


def errors(folder: Path) -> dict:
    """Largest error against references, relative to the largest value; for the bundled network absolute, in logits."""
    from test_keras_applications import error_of_logits  # The same network, filled by Keras itself.

    return {"efficientnet_lite0": lite0_error(), "inception_v1": inception_v1_errors(folder)} | {
        f"keras:{application}": error_of_logits(application, folder) for application in COMPARED
    }


def lite0_error() -> float:
    """Against the logits of an independent PyTorch implementation."""
    import numpy as np
    import test_efficientnet_lite as reference

    from dreamer.models import registry

    network = registry.load("efficientnet_lite0").forward(["logits"])
    worst = 0.0
    for name, (top, top_logits, first, _) in reference.CASES.items():
        logits = np.asarray(network(reference.picture_of(name, ROOT / "samples"))["logits"])[0]
        worst = max(worst, np.abs(logits[top] - top_logits).max(), np.abs(logits[:10] - first).max())
    return float(worst)


def inception_v1_errors(folder: Path) -> dict:
    """Against TensorFlow executing the graph that the network is made from."""
    import inception_graph
    import keras
    import numpy as np

    from dreamer.models import inception_v1
    from dreamer.models.specs import known

    graph = inception_graph.write_graph(folder / "graph.pb")
    file = folder / inception_v1.convert(graph, folder, known()["inception_v1"])
    names = [*inception_graph.BLOCKS, *(f"softmax{head}_pre_activation" for head in range(3))]
    found: dict[str, float] = dict.fromkeys(names, 0.0)
    for size in ((224, 224), (211, 223)):
        picture = np.random.default_rng(0).uniform(-117, 138, (1, *size, 3)).astype(np.float32)
        expected = inception_graph.run_graph(graph, picture, names)
        network = inception_v1.build(file, size=size)
        outputs = keras.Model(network.input, {name: network.get_layer(name).output for name in names})(picture)
        for name in names:
            error = np.abs(np.asarray(outputs[name]) - expected[name]).max() / np.abs(expected[name]).max()
            found[name] = max(found[name], float(error))
    return found


SUITES = {"errors": errors, "load": load}

if __name__ == "__main__":
    main()
