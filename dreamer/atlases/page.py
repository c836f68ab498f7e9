"""The page on which a person explores an atlas: fixed files, and the data they show.

The one idea: the page opens from disk, where a browser lets no script read another file. So the data is itself a
script, ``atlas.js``, made from ``atlas.json``. Names of layers and classes are data throughout: here they become
JSON in ASCII, and the page sets them as text, never as markup.

Must not import Keras.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from dreamer import pages
from dreamer.atlases import catalog as catalogs
from dreamer.atlases.catalog import Catalog
from dreamer.batching.names import inside
from dreamer.dreaming.settings import DreamSettings
from dreamer.images import files
from dreamer.version import __version__

DATA = "atlas.js"
_INDEX = "index.html"
_NOT_SHOWN = ("sha256", "weights_sha256", "photos_digest")


def install(folder: Path) -> Path:
    """Put the page's fixed files into the folder of an atlas.

    Returns:
        The page.

    Raises:
        ImageWriteError: They cannot be written.
    """
    inside(folder, "page").mkdir(exist_ok=True)
    for asset in sorted(resources.files("dreamer.atlases").joinpath("page").iterdir(), key=lambda asset: asset.name):
        place = asset.name if asset.name == _INDEX else f"page/{asset.name}"
        files.put(inside(folder, place), asset.read_bytes(), overwrite=True)
    return folder / _INDEX


def save(folder: Path, catalog: Catalog) -> None:
    """Write ``atlas.json``, and the same for the page.

    Raises:
        ImageWriteError: They cannot be written.
    """
    held = catalog.to_dict(__version__)
    text = json.dumps(held, indent=1, ensure_ascii=True)
    files.put(inside(folder, catalogs.NAME), text.encode(), overwrite=True)
    files.put(inside(folder, DATA), script(held), overwrite=True)


def script(held: dict[str, Any]) -> bytes:
    r"""The contents of ``atlas.js``.

    Args:
        held: The contents of ``atlas.json``.

    Example:
        >>> script({"model": "</script>", "sha256": ""}).splitlines()[1]
        b'const ATLAS = {"model": "\\u003c/script>", "usual_model": "efficientnet_lite0_robust"};'
    """
    shown = _shown(held) | {"usual_model": DreamSettings.model}
    # Harmless even where somebody puts the script into a page.
    return f'"use strict";\nconst ATLAS = {pages.as_data(shown)};\n'.encode()


def _shown(value: Any) -> Any:
    """Without what only the next run needs, and with texts that a browser can make links of."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {name: _shown(one) for name, one in value.items() if name not in _NOT_SHOWN}
    return [_shown(one) for one in value] if isinstance(value, list | tuple) else value
