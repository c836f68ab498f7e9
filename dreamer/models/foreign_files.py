"""What a file is that dreamer cannot load as a network, and what to do instead.

The one idea: a network is told by what it is saved as: one row for each kind, with its name and the way out.

Must not import Keras or anything heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dreamer.files import regular

_CONVERTED = "Load it where it was made, and save the network with Keras 3: model.save('net.keras')"
_INTO_ITS_NETWORK = (
    "It holds weights alone, and they fit one network only. Build that in Keras, network.load_weights(...), "
    "then network.save('net.keras')"
)
_ONLY_WEIGHTS = (
    "It holds weights alone, without a network. Build that network in Keras, put the weights into it, "
    "then network.save('net.keras')"
)

_KINDS: Mapping[str, tuple[str, str]] = {
    ".weights.h5": ("weights of Keras", _INTO_ITS_NETWORK),
    ".npz": ("an archive of NumPy's arrays", _ONLY_WEIGHTS),
    ".npy": ("an array of NumPy's", _ONLY_WEIGHTS),
    ".safetensors": ("weights as Hugging Face keeps them", _ONLY_WEIGHTS),
    ".pt": ("a checkpoint of PyTorch", _ONLY_WEIGHTS),
    ".pth": ("a checkpoint of PyTorch", _ONLY_WEIGHTS),
    ".ckpt": ("a checkpoint", _ONLY_WEIGHTS),
    ".index": ("part of a checkpoint of TensorFlow", _ONLY_WEIGHTS),
    ".bin": ("weights of another program", _ONLY_WEIGHTS),
    ".tflite": ("a network for TensorFlow Lite, which has no gradients", _CONVERTED),
    ".onnx": ("a network for ONNX, which Keras does not read", _CONVERTED),
    ".pb": ("a graph of TensorFlow, which Keras does not read", _CONVERTED),
    ".mlmodel": ("a network for Core ML, which Keras does not read", _CONVERTED),
    ".mlpackage": ("a network for Core ML, which Keras does not read", _CONVERTED),
    ".json": ("text, perhaps of a network without its weights", _CONVERTED),
    ".h5": ("HDF5", _CONVERTED),
    ".hdf5": ("HDF5", _CONVERTED),
}

SUFFIXES = tuple(_KINDS)
"""How the names of files end that other programs keep networks or weights in."""


def explained(path: Path) -> str:
    """Say in a line what something is that is no ``.keras`` file, and what to do instead.

    Args:
        path: A file, a folder, or anything else that has a path.

    Example:
        >>> explained(Path("net.onnx"))[:52]
        'net.onnx is no .keras file but a network for ONNX, w'
    """
    if path.is_dir():
        return _folder(path)
    try:
        regular.open_regular(path).close()
    except FileNotFoundError:
        pass
    except OSError as error:
        return f"{path} {error.strerror}, in the format .keras"
    suffix = next((suffix for suffix in _KINDS if path.name.lower().endswith(suffix)), None)
    if suffix in (".h5", ".hdf5") and path.exists():
        return hdf5(path)
    if suffix is None:
        return f"{path} is no .keras file. {_CONVERTED}"
    kind, way_out = _KINDS[suffix]
    return f"{path} is no .keras file but {kind}. {way_out}"


def _folder(path: Path) -> str:
    names = {child.name for child in path.iterdir()}
    if {"config.json", "metadata.json"} <= names:
        return (
            f"{path} is no .keras file but the folder of one that was unpacked. Pack it again: "
            f"python -m zipfile -c net.keras {path}/*"
        )
    if names & {"saved_model.pb", "keras_metadata.pb", "variables"}:
        return f"{path} is no .keras file but a SavedModel of TensorFlow, which has no layers any more. {_CONVERTED}"
    return f"{path} is no .keras file but a folder. {_CONVERTED}"


def hdf5(path: Path) -> str:
    """Say what an HDF5 file is, and what to do instead; see :func:`explained`."""
    import h5py

    try:
        with regular.open_regular(path) as opened, h5py.File(opened) as file:
            is_network, saved_by = "model_config" in file.attrs, file.attrs.get("keras_version", "")
            holds_weights = bool({"layer_names", "backend"} & set(file.attrs)) or "layers" in file
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        return f"{path} is no .keras file, and damaged or no HDF5 file either ({error}). {_CONVERTED}"
    versions = f"saved by {saved_by_words(saved_by)}, and this is {this_keras()}"
    if is_network:
        return f"{path} is no .keras file but a network in HDF5, {versions}. {_CONVERTED}"
    if holds_weights:
        return f"{path} is no .keras file but weights in HDF5, {versions}. {_INTO_ITS_NETWORK}"
    return f"{path} is no .keras file but HDF5 of another program. {_CONVERTED}"


def saved_by_words(version: object) -> str:
    """Who saved a file, of a version of Keras as the file has it.

    Example:
        >>> saved_by_words("2.15.0"), saved_by_words("")
        ("Keras 2.15.0 (TensorFlow's)", 'an unknown version of Keras')
    """
    text = version.decode("ascii", "replace") if isinstance(version, bytes) else version
    if not isinstance(text, str) or not text:
        return "an unknown version of Keras"
    return f"Keras {text} (TensorFlow's)" if text.startswith("2.") else f"Keras {text}"


def this_keras() -> str:
    """The version of Keras that is installed."""
    from importlib import metadata  # Which takes longer to import than help to print.

    return f"Keras {metadata.version('keras')}"
