"""Only regular files are opened, and nothing waits."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from dreamer.files.digests import digest_of
from dreamer.files.regular import open_regular, read_bytes, read_text


@pytest.fixture(params=["folder", "pipe", "socket", "device"])
def irregular(request, tmp_path, monkeypatch):
    """Something that is there and is no regular file, and what it is called."""
    path = tmp_path / request.param
    if request.param == "folder":
        path.mkdir()
    elif request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "socket":
        monkeypatch.chdir(tmp_path)  # The path of a socket may have a hundred bytes.
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    else:
        path = Path("/dev/zero")
    return path, {"folder": "is a directory"}.get(request.param, f"is a {request.param}")


@pytest.mark.parametrize("read", [open_regular, read_bytes, read_text, digest_of])
def test_anything_else_is_refused_at_once(irregular, read):
    path, words = irregular
    with pytest.raises(OSError, match=words) as raised:
        read(path)
    assert raised.value.strerror == f"{words}; a regular file is expected"
    assert raised.value.filename == str(path)


def test_a_link_to_a_regular_file_is_followed(tmp_path):
    (tmp_path / "a").write_text("\ufeffwords", encoding="utf-8")
    (tmp_path / "b").symlink_to("a")
    assert read_text(tmp_path / "b") == "words"


def test_a_larger_file_than_expected_is_not_read(tmp_path):
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # Sparse: nobody has the memory for it.
    with pytest.raises(OSError, match=r"1,099,511,627,776 bytes; at most 100 are expected"):
        read_bytes(path, most=100)


def test_what_the_memory_cannot_hold_is_not_digested(tmp_path):
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match=r"1,099,511,627,776 bytes; at most"):
        digest_of(path)


def test_missing_files_and_impossible_names_are_ordinary_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "nothing")
    with pytest.raises(OSError, match="no name of a file"):
        read_bytes(Path("a\0b"))
