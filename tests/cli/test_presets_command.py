"""``dreamer presets``."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dreamer import images, presets
from dreamer.cli import run
from dreamer.dreaming.settings import DreamSettings
from dreamer.files.digests import digest_of
from dreamer.presets import folders
from dreamer.wording import one_line

QUICK = 'description = "d"\ntags = ["{tag}"]\nobjective = "block2a"\nsteps = 1\n'


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The folder of the user's presets; those of the program are two of the test's own."""
    monkeypatch.setenv("DREAMER_CONFIG", str(tmp_path / "config"))
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    for name, tag in (("lace", "line"), ("fur", "animals")):
        (shipped / f"{name}.toml").write_text(f'title = "{name.title()}"\n' + QUICK.format(tag=tag))
    monkeypatch.setattr(folders, "shipped_folder", lambda: shipped)
    return presets.own_folder()


@pytest.fixture
def photo(tmp_path, picture):
    path = tmp_path / "photo.png"
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(path)
    return path


def test_list_shows_names_tags_and_whose_they_are(own, capfd):
    assert run(["presets", "new", "mine", "--from", "fur"]) == 0
    assert run(["presets", "list"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["name", "fur", "lace", "mine"]
    assert lines[-1].endswith("(your own)")
    assert run(["presets", "list", "--tag", "line"]) == 0
    assert [line.split()[0] for line in capfd.readouterr().out.splitlines()] == ["name", "lace"]
    assert run(["presets", "list", "--tag", "lines"]) == 2
    assert "Known: animals, line" in capfd.readouterr().err


def test_a_broken_preset_of_the_users_does_not_hide_the_others(own, capfd):
    own.mkdir(parents=True)
    (own / "broken.toml").write_text("stepz = 1")
    assert run(["presets", "list"]) == 0
    out, err = capfd.readouterr()
    assert "lace" in out
    assert "broken.toml has an unknown key 'stepz'" in err


def test_show_prints_a_preset_that_stands_alone(own, tmp_path, capfd):
    assert run(["presets", "new", "mine", "--from", "fur"]) == 0
    capfd.readouterr()
    assert run(["presets", "show", "mine"]) == 0
    copy = tmp_path / "copy.toml"
    copy.write_text(capfd.readouterr().out)
    assert presets.find(copy).settings() == presets.find("fur").settings()
    assert "extends" not in copy.read_text()


def test_new_never_replaces_a_file(own, capfd):
    assert run(["presets", "new", "mine"]) == 0
    path = own / "mine.toml"
    assert capfd.readouterr().out == f"{path}\n"
    before = path.read_text()
    assert run(["presets", "new", "mine", "--from", "fur"]) == 1
    assert path.read_text() == before
    for name in ("../mine", "", "a b", ".hidden"):
        assert run(["presets", "new", name]) == 2
    assert [one.name for one in own.iterdir()] == ["mine.toml"]


def test_a_good_dream_becomes_a_preset(own, photo):
    first, second = photo.with_name("first.png"), photo.with_name("second.png")
    given = ["--layer", "block3b", "--steps", "2", "--octaves", "1", "--keep-colors", "--seed", "5"]
    assert run(["dream", str(photo), *given, "-o", str(first), "-q"]) == 0
    assert run(["presets", "new", "that-one", "--from", str(first)]) == 0
    assert run(["dream", str(photo), "--preset", "that-one", "-o", str(second), "-q"]) == 0
    assert (images.read(second).pixels == images.read(first).pixels).all()
    told = {"preset": "that-one", "preset_sha256": digest_of(own / "that-one.toml")}
    assert images.read_recipe(second) == images.read_recipe(first) | told


def test_validate_looks_for_the_layers_too(own, tmp_path, capfd):
    path = tmp_path / "mine.toml"
    text = 'title = "t"\ndescription = "d"\nobjective = "{layer}"\n[variants.inception_v1]\nobjective = "mixed4c"\n'
    path.write_text(text.format(layer="block3b"))
    assert run(["presets", "validate", str(path)]) == 0
    out, err = capfd.readouterr()
    assert "mine.toml is fine" in out
    assert "not checked with inception_v1" in err
    path.write_text(text.format(layer="block9z"))
    assert run(["presets", "validate", str(path)]) == 2
    err = capfd.readouterr().err
    assert f"{path} with efficientnet_lite0" in err
    assert "no layer 'block9z'" in err


def test_a_sheet_shows_the_photo_in_every_preset(own, photo, capfd):
    target = photo.with_name("sheet.png")
    assert run(["presets", "sheet", str(photo), "-o", str(target), "--columns", "3"]) == 0
    assert capfd.readouterr().out == f"{target}\n"
    height, width = images.read(target).pixels.shape[:2]
    assert width > 3 * 320
    assert height > 223
    recipe = images.read_recipe(target)
    assert (recipe["format"], recipe["command"], recipe["varies"]) == (1, "presets sheet", ["preset"])
    fur, lace = (recipe["groups"][cell["group"]] for cell in recipe["cells"])
    assert (fur["preset"], lace["preset"]) == ("fur", "lace")
    assert fur["preset_sha256"] == digest_of(folders.shipped_folder() / "fur.toml")
    before = target.read_bytes()
    assert run(["presets", "sheet", str(photo), "-o", str(target)]) == 1
    assert target.read_bytes() == before
    one = photo.with_name("one.png")
    assert run(["presets", "sheet", str(photo), "-o", str(one), "--tag", "line", "-q"]) == 0
    assert images.read_recipe(one)["common"]["preset"] == "lace"
    assert run(["presets", "sheet", str(photo), "-o", str(photo), "--overwrite"]) == 1
    assert run(["presets", "sheet", str(photo), "-o", str(photo.with_name("x.png")), "--model", "keras:VGG16"]) == 2


@pytest.mark.parametrize("name", ["a\nseed = 7\n#.png", "del\x7f.png", "esc\x1b[2J\u202e\x85.png", "caf\udce9.png"])
def test_the_name_of_a_picture_cannot_write_into_its_preset(own, tmp_path, picture, name, capfd):
    origin = tmp_path / name
    recipe = {"settings": {"steps": 3, "objective": "block3b"}, "source": {}}
    images.write(origin, images.Photo(picture), recipe=recipe)
    assert run(["presets", "new", "mine", "--from", str(origin)]) == 0
    found = presets.find("mine")
    assert found.settings() == DreamSettings(steps=3, objective="block3b")
    assert found.description.endswith(f"{one_line(name)} was dreamt")
    capfd.readouterr()
    assert run(["presets", "show", "mine"]) == 0
    (own / "again.toml").write_text(capfd.readouterr().out)
    assert presets.find("again").settings() == found.settings()


def test_a_preset_is_made_of_a_foreign_picture_only_with_what_lies_beside_it(own, tmp_path, picture, capfd):
    origin = tmp_path / "foreign" / "x.png"
    origin.parent.mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    recipe = {"settings": {"mask": str(tmp_path / "secret.png"), "guide": "b.png"}, "source": {}}
    images.write(origin, images.Photo(picture), recipe=recipe)
    (origin.parent / "b.png").write_bytes(b"")
    assert run(["presets", "new", "mine", "--from", str(origin)]) == 2
    said = capfd.readouterr().err
    assert "secret.png (mask)" in said
    assert said.endswith("give --trust\n")
    assert not own.exists()
    assert run(["presets", "new", "mine", "--from", str(origin), "--trust"]) == 0
    assert presets.find("mine").settings().files == (str(origin.parent / "b.png"), str(tmp_path / "secret.png"))


def test_a_preset_from_elsewhere_is_validated_with_what_it_may_name(own, tmp_path, capfd):
    path = tmp_path / "foreign" / "x.toml"
    path.parent.mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    path.write_text('title = "t\\u001b"\ndescription = "d"\nobjective = "block3b"\nmask = "../secret.png"\n')
    assert run(["presets", "validate", str(path)]) == 2
    assert "secret.png (mask)" in capfd.readouterr().err
    assert run(["presets", "validate", str(path), "--trust"]) == 0
    assert capfd.readouterr().out == f"{path} is fine: t\\x1b\n"
