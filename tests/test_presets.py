"""Presets: those that ship, those of the user, and what is wrong with files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dreamer import presets, targets
from dreamer.dreaming.settings import DreamSettings
from dreamer.errors import SettingsError, UnknownPresetError
from dreamer.models import registry
from dreamer.presets import text as preset_text

ROOT = Path(__file__).resolve().parents[1]
HEAD = 'title = "Mine"\ndescription = "as I like it"\ntags = ["soft"]\n'


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Writes a preset of the user's."""
    monkeypatch.setenv("DREAMER_CONFIG", str(tmp_path / "config"))
    folder = tmp_path / "config" / "presets"
    folder.mkdir(parents=True)

    def write(name, text):
        path = folder / f"{name}.toml"
        path.write_text(text if "title = " in text else HEAD + text, encoding="utf-8")
        return path

    return write


def shipped():
    return sorted(path.stem for path in presets.shipped_folder().glob("*.toml"))


def test_sixteen_presets_ship_each_with_a_look_of_its_own(own):
    found = [presets.find(name) for name in shipped()]
    assert len(found) >= 16
    assert len({one.title for one in found}) == len({one.description for one in found}) == len(found)
    assert len({str(sorted(one.settings(seed=0).to_dict().items(), key=str)) for one in found}) == len(found)
    for preset in found:
        assert preset.tags
        assert len(preset.description) <= 100
        others = set() if preset.model == "efficientnet_lite0_robust" else {"inception_v1", "inception_v3"}
        assert set(preset.variants) == others
        assert set(preset.unseen) == others - {"inception_v3"}


def test_the_layers_of_every_shipped_preset_exist(own):
    models = ("efficientnet_lite0", "efficientnet_lite0_robust", "inception_v3")
    networks = {model: registry.sketch(model) for model in models}
    for name in shipped():
        for model, network in ((one, networks[one]) for one in presets.find(name).models if one in networks):
            objective = presets.find(name).settings(model=model).objective
            for layer in objective.layers:
                network.check(layer)
            if model == "efficientnet_lite0":
                targets.resolve(objective, network)


def test_the_wheel_brings_the_presets(tmp_path):
    pytest.importorskip("hatchling", reason="building a wheel needs hatchling")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*command, "--target", str(tmp_path / "site"), str(ROOT)], check=True, capture_output=True)
    listing = "import dreamer, sys; from dreamer import presets; print(dreamer.__file__, *presets.names())"
    environment = {"PYTHONPATH": str(tmp_path / "site"), "PATH": "", "DREAMER_CONFIG": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", listing], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    where, *names = done.stdout.split()
    assert where.startswith(str(tmp_path / "site"))
    assert names == shipped()


def test_a_preset_of_the_users_is_found_by_name_and_by_path(own):
    path = own("mine", 'objective = "block3b"\nsteps = 7\n')
    for name in ("mine", path, str(path)):
        settings = presets.find(name).settings(seed=5)
        assert (settings.objective.name, settings.steps, settings.seed) == ("block3b", 7, 5)
    assert "mine" in presets.names()


def test_networks_with_which_nobody_has_looked_are_told(own):
    own("base", 'unseen = ["inception_v3"]\nobjective = "block3b"\n[variants.inception_v3]\nobjective = "mixed3"\n')
    own("child", 'extends = "base"\nsteps = 3\n')
    own("other", 'extends = "base"\nobjective = "block2a"\n')
    assert presets.find("child").unseen == ("inception_v3",)
    assert presets.find("other").unseen == ()
    assert presets.find(own("alone", preset_text.whole(presets.find("child")))).unseen == ("inception_v3",)
    own("wrong", 'unseen = ["inception_v2"]\nobjective = "block3b"\n[variants.inception_v3]\nobjective = "mixed3"\n')
    with pytest.raises(SettingsError, match="names inception_v2; expected one of its variants: inception_v3"):
        presets.find("wrong")


def test_what_is_said_on_top_wins(own):
    own("mine", 'objective = "block3b"\nsteps = 7\n[variants.inception_v3]\nobjective = "mixed3"\nsteps = 9\n')
    preset = presets.find("mine")
    assert preset.settings(steps=2).steps == 2
    assert preset.settings(model="inception_v3").objective.name == "mixed3"
    assert preset.settings(model="inception_v3", objective="mixed2", steps=1) == DreamSettings(
        model="inception_v3", objective="mixed2", steps=1
    )
    with pytest.raises(SettingsError, match="made for efficientnet_lite0_robust, inception_v3, not for keras:VGG16"):
        preset.settings(model="keras:VGG16")
    assert preset.settings(model="keras:VGG16", objective="block1_conv1").steps == 7


def test_extends_begins_with_the_other_for_every_network(own):
    own(
        "base",
        'objective = "block3b"\nsteps = 7\nstrength = 0.5\n[variants.inception_v3]\nobjective = "mixed3"\nsteps = 9\n',
    )
    own("child", 'extends = "base"\nsteps = 8\n')
    child = presets.find("child")
    assert child.title == "Mine"
    assert child.settings() == DreamSettings(objective="block3b", steps=8, strength=0.5)
    assert child.settings(model="inception_v3") == DreamSettings(
        model="inception_v3", objective="mixed3", steps=8, strength=0.5
    )


def test_another_objective_is_not_mixed_with_the_variants_of_the_extended(own):
    own("base", 'objective = "block3b"\n[variants.inception_v3]\nobjective = "mixed3"\n')
    own("child", 'extends = "base"\nobjective = "block2a"\n')
    assert presets.find("child").models == (DreamSettings.model,)


def test_extending_with_another_network_begins_with_its_variant(own):
    variants = '[variants.inception_v3]\nobjective = "mixed3"\n[variants.inception_v1]\nobjective = "mixed3a"\n'
    own("base", f'objective = "block3b"\nsteps = 7\n{variants}')
    own("child", 'extends = "base"\nmodel = "inception_v3"\n')
    child = presets.find("child")
    assert child.models == ("inception_v3", "inception_v1")
    assert child.settings() == DreamSettings(model="inception_v3", objective="mixed3", steps=7)
    assert child.settings(model="inception_v1") == DreamSettings(model="inception_v1", objective="mixed3a", steps=7)
    assert presets.find(own("alone", preset_text.whole(child))).settings() == child.settings()


def test_a_preset_may_stand_before_a_shipped_one_and_extend_it(own):
    own("fur-and-eyes", 'extends = "fur-and-eyes"\nstrength = 0.25\n')
    shipped_one = presets.shipped_folder() / "fur-and-eyes.toml"
    assert presets.find("fur-and-eyes").settings() == presets.find(shipped_one).settings(strength=0.25)


def test_files_lie_relative_to_the_preset(own, tmp_path):
    path = own("mine", 'objective = "guided:block3b@bees.png"\nmask = "masks/sky.png"\nguide = "/abs.png"\n')
    settings = presets.find("mine").settings()
    assert settings.files == (str(path.parent / "bees.png"), "/abs.png", str(path.parent / "masks/sky.png"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stepz = 3\n", "unknown key 'stepz'. Close matches: steps"),
        ('[variants.inception_v3]\nobjectiv = "mixed3"\n', "variant inception_v3 .* Close matches: objective"),
        (
            '[variants.inception_v4]\nobjective = "mixed3"\n',
            "mine.toml: there is no network 'inception_v4'. Close matches: inception_v",
        ),
        ("[variants]\nsteps = 3\n", r"expected tables such as \[variants.inception_v3\]"),
        ('objective = "block3b"\n[variants.inception_v3]\nsteps = 3\n', "has no objective of its own"),
        ("steps = 0\n", "steps is 0; expected"),
        ('objective = "block3b:"\n', "cannot read the objective"),
        ('extends = "mine"\n', "no preset 'mine'"),
        ('extends = "other"\n', "extends itself"),
        ("extends = 3\n", "expected the name of a preset"),
        ("steps = \n", "is no preset: .*presets new"),
        ('title = "a\\nb"\n', "title in .* expected a line of text"),
        ('title = "a"\n', "has no description; expected a line of text"),
        ('title = "a"\ndescription = "b"\ntags = "soft"\n', "tags in"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_name(own, text, words):
    own("other", 'extends = "mine"\n')
    path = own("mine", text)
    with pytest.raises(SettingsError, match=words) as caught:
        presets.find("mine")
    assert path.name in str(caught.value) or "extends" in text


def test_an_unknown_name_gets_suggestions_and_leaves_no_folder(own):
    with pytest.raises(UnknownPresetError, match="Close matches: fur-and-eyes"):
        presets.find("fur-and-eye")
    with pytest.raises(UnknownPresetError):
        presets.find("../presets/fur-and-eyes")
    with pytest.raises(UnknownPresetError, match="cannot read the preset nothing.toml"):
        presets.find("nothing.toml")


def test_the_text_of_a_preset_reads_back_as_the_same(own):
    own("base", 'objective = "block3b"\nsteps = 7\n[variants."keras:VGG16"]\nobjective = "block1_conv1"\n')
    own("child", 'title = "Quoted \\"words\\" & ümläuts"\ndescription = "x"\nextends = "base"\nrotate = 1.5\n')
    child = presets.find("child")
    again = presets.find(own("again", preset_text.whole(child)))
    assert (again.title, again.base, again.variants) == (child.title, child.base, child.variants)


def test_a_draft_says_what_could_be_changed_and_changes_nothing(own):
    own("draft", preset_text.extending("draft", presets.find("fur-and-eyes"), "fur-and-eyes"))
    draft = presets.find("draft")
    assert draft.settings() == presets.find("fur-and-eyes").settings()
    assert draft.models == presets.find("fur-and-eyes").models
    uncommented = "\n".join(line.removeprefix("# ") for line in draft.path.read_text().splitlines() if " = " in line)
    assert presets.find(own("all", uncommented)).settings() == presets.find("fur-and-eyes").settings()


def test_a_preset_of_a_dream_does_what_the_dream_did(own):
    settings = DreamSettings(objective="2*block3b - block2a:3", steps=3, guide="bees.png", max_size=99, seed=4)
    found = presets.find(own("kept", preset_text.of_dream("kept", settings, "a.png"))).settings(max_size=99)
    assert found.to_dict() | {"guide": None} == settings.to_dict() | {"guide": None}
    assert found.guide.endswith("/bees.png")


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_a_preset_is_a_regular_file(own, tmp_path, make):
    path = tmp_path / "mine.toml"
    make(path)
    with pytest.raises(UnknownPresetError, match="cannot read the preset .*: is a .*; a regular file is expected"):
        presets.find(path)


@pytest.mark.parametrize("text", ["steps = " + "[" * 5000, "[" + ".".join(["a"] * 5000) + "]", "#" * 5_000_000])
def test_a_preset_that_is_huge_or_nested_deeply_is_refused(own, tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + text)
    with pytest.raises(SettingsError, match="nested too deeply|bytes; at most"):
        presets.find(path)


def test_a_network_of_ones_own_lies_relative_to_the_preset(own, tmp_path):
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "mine.keras").write_bytes(b"")
    path = tmp_path / "x.toml"
    path.write_text(HEAD + 'objective = "a"\nmodel = "nets/mine.keras"\n')
    assert presets.find(path).settings().model == str(tmp_path / "nets/mine.keras")


def test_a_draft_of_a_dream_finds_its_network_and_its_mask_from_anywhere(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.keras").write_bytes(b"")
    settings = DreamSettings(objective="a", model="mine.keras", mask="sky.png")
    found = presets.find(own("kept", preset_text.of_dream("kept", settings, "a.png"))).settings()
    assert (found.model, found.mask) == (str(tmp_path / "mine.keras"), str(tmp_path / "sky.png"))


def test_a_name_that_is_no_unicode_is_said_where_toml_cannot_hold_it():
    with pytest.raises(SettingsError, match=r"no preset can be written: .*caf\\xe9.png is no Unicode"):
        preset_text.of_dream("kept", DreamSettings(mask="caf\udce9.png"), "caf\udce9.jpg")


def test_a_part_of_a_name_gets_the_whole_name():
    with pytest.raises(UnknownPresetError, match="Close matches: fur-and-eyes"):
        presets.find("fur")
