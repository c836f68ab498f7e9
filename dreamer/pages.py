"""Pages of one file: a frame of HTML, a style, a script, and the data that they show.

The one idea: names from files are data throughout. Here they become JSON in which no markup can end the script that
holds it, and the page sets them as text. What the page may run is named by its digest, and it may ask for nothing from
elsewhere.

Must not import Keras.
"""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources
from typing import Any


def page(package: str, stem: str, data: Any, *, pictures: bool = False) -> bytes:
    """A page as the bytes of a file.

    Args:
        package: Whose folder ``page`` holds ``<stem>.html``, ``<stem>.css`` and ``<stem>.js``. The frame says where
            ``@POLICY@``, ``@STYLE@``, ``@SCRIPT@`` and ``@DATA@`` go.
        stem: Their name.
        data: What it shows, as JSON can hold it.
        pictures: Whether it shows pictures that lie beside it, or within its data.

    Example:
        >>> b"default-src 'none'" in page("dreamer.texts", "text", {})
        True
    """
    held = resources.files(package).joinpath("page")
    files = (held.joinpath(f"{stem}.{kind}") for kind in ("css", "js", "html"))
    style, script, frame = (file.read_text(encoding="utf-8") for file in files)
    policy = f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
    policy += ("img-src 'self' file: data:; " if pictures else "") + "base-uri 'none'; form-action 'none'"
    parts = {"@POLICY@": policy, "@STYLE@": style, "@SCRIPT@": script}
    head, _, tail = frame.partition("@DATA@")
    for mark, part in parts.items():
        head, tail = head.replace(mark, part), tail.replace(mark, part)
    return f"{head}{as_data(data)}{tail}".encode()


def as_data(data: Any) -> str:
    r"""Data as JSON in ASCII that is harmless within a script.

    Example:
        >>> as_data({"name": "</script>"})
        '{"name": "\\u003c/script>"}'
    """
    return json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
