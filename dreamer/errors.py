"""The errors that dreamer raises on purpose.

    DreamerError
    ├── SettingsError            a setting is impossible, or its name is unknown
    │   ├── UnknownPresetError       no preset of that name
    │   └── UntrustedError           a file from elsewhere names files that it may not
    ├── ImageError
    │   ├── ImageReadError       a photo cannot be read
    │   └── ImageWriteError      a picture cannot be written
    │       └── ImageExistsError     a file of that name is there already
    ├── FolderError              a folder of photos cannot be used
    │   └── FolderInUseError         another run holds it
    ├── ClusterError             a cluster cannot be reached
    ├── TimeLimitError           a job took longer than it may
    ├── MissingExtraError        something is asked for that an extra of the package installs
    ├── AtlasError               the folder of an atlas is busy, damaged or something else
    └── ModelError
        ├── UnknownModelError    no network of that name
        ├── UnknownLayerError    the network has no layer, or the layer no channel, of that name
        ├── UnknownClassError    the network has no class of that name, or no classes at all
        ├── PriorError           no prior of that name, or a network that is none
        ├── WeightsError         weights are damaged or not the ones expected
        │   └── MissingWeightsError  weights are not installed, and cannot be fetched
        └── BackendError         Keras runs on a backend that is not supported, or not installed
            └── DeviceMemoryError    memory ran out

Each message says what happened, what was expected and how to mend it, in one line.
This module imports nothing of the package and nothing heavy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches


class DreamerError(Exception):
    """Base of every error that dreamer raises on purpose."""


class SettingsError(DreamerError):
    """A setting is impossible, or its name is unknown."""


class UnknownPresetError(SettingsError):
    """No preset of that name."""


class UntrustedError(SettingsError):
    """A file from elsewhere names files that do not lie beside it."""


class ImageError(DreamerError):
    """Something is wrong with a picture file."""


class ImageReadError(ImageError):
    """A photo cannot be read."""


class ImageWriteError(ImageError):
    """A picture cannot be written."""


class ImageExistsError(ImageWriteError):
    """A file of that name is there already."""


class FolderError(DreamerError):
    """A folder of photos cannot be used."""


class FolderInUseError(FolderError):
    """Another run holds the folder."""


class ClusterError(DreamerError):
    """A cluster cannot be reached."""


class TimeLimitError(DreamerError):
    """A job took longer than it may."""


class MissingExtraError(DreamerError):
    """Something is asked for that an extra of the package installs."""


class AtlasError(DreamerError):
    """The folder of an atlas is busy, damaged or something else."""


class ModelError(DreamerError):
    """Something is wrong with a network."""


class UnknownModelError(ModelError):
    """No network of that name."""


class UnknownLayerError(ModelError):
    """The network has no layer, or the layer no channel, of that name."""


class UnknownClassError(ModelError):
    """The network has no class of that name, or no classes at all."""


class PriorError(ModelError):
    """There is no prior of that name, or the network named is of another kind."""


class WeightsError(ModelError):
    """Weights are damaged or not the ones expected."""


class MissingWeightsError(WeightsError):
    """Weights are not installed, and cannot be fetched."""


class BackendError(ModelError):
    """Keras runs on a backend that is not supported, or not installed."""


class DeviceMemoryError(BackendError):
    """Memory ran out, on the host or on an accelerator."""


_MOST_CLOSE = 4
_LEAST_PART = 3  # Letters: fewer are in many names by chance.


def close_matches(name: str, known: Iterable[str]) -> str:
    """Say which known names resemble a mistyped one, or have it as a part.

    Args:
        name: What was typed.
        known: All names that would have been right.

    Returns:
        ``" Close matches: a, b."`` with a leading space, or ``""`` when nothing is close.

    Example:
        >>> close_matches("block4x", ["block4a", "stem"])
        ' Close matches: block4a.'
        >>> close_matches("fur", ["fur-and-eyes", "woodcut"])
        ' Close matches: fur-and-eyes.'
    """
    known = list(known)
    longer = [one for one in known if len(name) >= _LEAST_PART and name.lower() in one.lower()]
    matches = list(dict.fromkeys([*get_close_matches(name, known, n=_MOST_CLOSE), *longer]))[:_MOST_CLOSE]
    return f" Close matches: {', '.join(matches)}." if matches else ""


def in_one_line(error: BaseException) -> str:
    r"""What an error of somebody else's says, whole, but without line breaks and the colours of a terminal.

    Example:
        >>> in_one_line(ValueError("no such\n   shape"))
        'no such shape'
    """
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split())
