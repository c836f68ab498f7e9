"""``dream`` and ``batch`` with photos of formats that are not written, that are not whole, or large."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from dreamer import images, memory
from dreamer.batching.folders import folder
from dreamer.batching.jobs import plan
from dreamer.batching.records import judge_all
from dreamer.batching.working import dream_job
from dreamer.cli import run
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import ImageReadError
from dreamer.workers.outcomes import Failure

QUICK = ["--octaves", "1", "--steps", "1", "--tile", "64", "-q"]
SETTINGS = DreamSettings(octaves=1, steps=1, tile=64)
FORMATS = {".mpo": "MPO", ".jp2": "JPEG2000", ".jfif": "JPEG", ".avif": "AVIF", ".heic": "HEIC"}
WRITTEN = {".mpo": ".png", ".jp2": ".png", ".jfif": ".jfif", ".avif": ".avif", ".heic": ".png"}


def encoded(picture, kind):
    levels = (picture * 255).round().astype(np.uint8)
    out = BytesIO()
    if kind == "HEIC":
        pillow_heif.from_bytes("RGB", (levels.shape[1], levels.shape[0]), levels.tobytes()).save(out)
    else:
        Image.fromarray(levels).save(out, kind)
    return out.getvalue()


@pytest.fixture
def short(picture):
    """A JPEG of which the lower half is missing."""
    data = encoded(np.kron(picture, np.ones((3, 3, 1))), "JPEG")
    return data[: len(data) * 2 // 3]


def dreamt(photos, dreams, **options):
    """Dream a folder in this process: what was to be done with each photo, and why."""
    inputs, outputs = folder(str(photos)), folder(str(dreams))
    verdicts = judge_all(plan(inputs, outputs, {"": SETTINGS}, **options).candidates, overwrite=False)
    for verdict in verdicts:
        if verdict.action == "dream":
            dream_job(verdict.job)
    return {verdict.job.target: (verdict.action, verdict.reason) for verdict in verdicts}


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_dream_has_the_photos_suffix_or_else_png_in_dream_as_in_batch(tmp_path, picture, suffix):
    photos, dreams = tmp_path / "photos", tmp_path / "dreams"
    photos.mkdir()
    (photos / f"x{suffix}").write_bytes(encoded(picture, FORMATS[suffix]))
    name = f"x{suffix}" if WRITTEN[suffix] == suffix else f"x{suffix}.png"
    assert list(dreamt(photos, dreams)) == [name]
    assert images.read_recipe(dreams / name)["source"]["name"] == f"x{suffix}"
    assert run(["dream", str(photos / f"x{suffix}"), *QUICK]) == 0
    assert images.read(photos / f"x-dream{WRITTEN[suffix]}").pixels.shape == picture.shape
    assert run(["dream", "--recipe", str(photos / f"x-dream{WRITTEN[suffix]}"), *QUICK]) == 0


def test_a_damaged_photo_is_refused_and_taken_where_it_is_said(tmp_path, short, capfd):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(short)
    assert run(["dream", str(photo), *QUICK]) == 1
    assert "--damaged-ok" in capfd.readouterr().err
    assert run(["dream", str(photo), "--damaged-ok", *QUICK[:-1]]) == 0
    assert "is not whole" in capfd.readouterr().err
    dream = tmp_path / "photo-dream.jpg"
    assert images.read_recipe(dream)["source"]["damaged"] is True
    again = tmp_path / "again.jpg"
    assert run(["dream", "--recipe", str(dream), "-o", str(again), *QUICK]) == 0
    assert again.read_bytes() == dream.read_bytes()


def test_a_batch_agrees_with_itself_about_damaged_photos(tmp_path, picture, short):
    photos, dreams = tmp_path / "photos", tmp_path / "dreams"
    photos.mkdir()
    (photos / "short.jpg").write_bytes(short)
    with pytest.raises(ImageReadError, match="--damaged-ok"):
        dreamt(photos, dreams)
    assert dreamt(photos, dreams, damaged_ok=True) == {"short.jpg": ("dream", "new")}
    assert dreamt(photos, dreams, damaged_ok=True) == {"short.jpg": ("skip", "done")}
    (photos / "whole.jpg").write_bytes(encoded(picture, "JPEG"))
    with pytest.raises(ImageReadError, match="--damaged-ok"):
        dreamt(photos, dreams)
    (photos / "short.jpg").unlink()
    assert dreamt(photos, dreams) == {"whole.jpg": ("dream", "new")}
    assert dreamt(photos, dreams, damaged_ok=True) == {"whole.jpg": ("skip", "done")}


def test_what_there_is_no_memory_for_is_said_before_it_is_read_and_may_pass(tmp_path, picture, monkeypatch, capfd):
    photo = tmp_path / "photo.png"
    photo.write_bytes(encoded(picture, "PNG"))
    monkeypatch.setattr(memory, "free", lambda: 10_000)  # Enough for the file, not for its pixels.
    assert run(["dream", str(photo), *QUICK]) == 1
    said = capfd.readouterr().err
    assert "GB" in said or "MB" in said
    assert said.count("\n") == 1
    with pytest.raises(ImageReadError) as caught:
        images.read(photo)
    assert Failure.of(caught.value).may_pass


def test_a_large_photo_is_read_at_the_size_of_its_dream(tmp_path, picture, monkeypatch):
    photo = tmp_path / "photo.png"
    photo.write_bytes(encoded(picture, "PNG"))
    asked = []
    decode = images.decode
    monkeypatch.setattr(images, "decode", lambda *given, **options: asked.append(options) or decode(*given, **options))
    assert run(["dream", str(photo), "--max-size", "32", *QUICK]) == 0
    assert asked[0]["max_side"] == 32
    assert images.read(tmp_path / "photo-dream.png").pixels.shape == (22, 32, 3)


def test_a_folder_of_phone_photos_is_dreamt(tmp_path, picture):
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.HEIC").write_bytes(encoded(picture, "HEIC"))
    found = plan(folder(str(photos)), folder(str(tmp_path / "dreams")), {"": SETTINGS}).candidates
    assert [one.job.target for one in found] == ["a.HEIC.png"]
