"""Which files a recipe, a preset, an atlas or the TOML beside a network may name: those beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dreamer import presets
from dreamer.errors import SettingsError, UntrustedError
from dreamer.objectives import Objective
from dreamer.trust import Source, named_files

HEAD = 'title = "t"\ndescription = "d"\n'


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A folder that came from somebody else, and one with something of the user's."""
    monkeypatch.setenv("DREAMER_CONFIG", str(tmp_path / "config"))
    own = tmp_path / "config" / "presets"
    foreign, private = tmp_path / "foreign", tmp_path / "private"
    for folder in (own, foreign / "below", private):
        folder.mkdir(parents=True)
    (private / "secret.png").write_bytes(b"secret")
    (foreign / "link.png").symlink_to(private / "secret.png")
    (foreign / "out").symlink_to(private)
    return own, foreign, private


def preset(folder, text, name="x"):
    path = folder / f"{name}.toml"
    path.write_text(HEAD + text)
    return path


def test_every_network_that_sees_a_picture_is_a_file_that_settings_name():
    named = named_files({"model": "nets/a.keras", "jointly_with": ["inception_v3", "nets/b.keras"]})
    assert named == [("model", "nets/a.keras"), ("model", "nets/b.keras")]


@pytest.mark.parametrize("name", ["sky.png", "below/sky.png", "below/../sky.png", "{foreign}/sky.png", "not there"])
def test_a_source_may_name_what_lies_beside_it(folders, name, monkeypatch):
    _, foreign, _ = folders
    monkeypatch.chdir(foreign)
    assert Source(foreign / "x.toml").may_name(name.format(foreign=foreign))


@pytest.mark.parametrize(
    "name",
    [
        "../private/secret.png",
        "{private}/secret.png",
        "link.png",
        "out/secret.png",
        "below/../../x",
        "/dev/zero",
        "a\0b",
    ],
)
def test_a_source_may_not_name_what_lies_elsewhere_after_links_are_resolved(folders, name, monkeypatch):
    _, foreign, private = folders
    monkeypatch.chdir(foreign)
    name = name.format(private=private)
    assert not Source(foreign / "x.toml").may_name(name)
    assert Source(foreign / "x.toml", is_trusted=True).may_name(name)


def test_all_the_files_that_settings_name_are_found():
    objective = Objective.parse(
        'guided:a@"g.png" - direction:b@"d.npy" + like:a@"l.png" + near:a@"n.png" + style:a@"y.png" + c'
    )
    named = {"mask": "m", "guide": "p", "spectrum": "s", "objective": objective, "model": "x.keras", "steps": 3}
    assert sorted(named_files(named | {"transforms": "t.toml"})) == sorted(
        [
            ("mask", "m"),
            ("guide", "p"),
            ("spectrum", "s"),
            ("objective", "g.png"),
            ("objective", "d.npy"),
            ("objective", "l.png"),
            ("objective", "n.png"),
            ("objective", "y.png"),
            ("model", "x.keras"),
            ("transforms", "t.toml"),
        ]
    )
    assert named_files({"model": "keras:VGG16", "transforms": "robust", "objective": Objective.parse("a")}) == []


def test_a_preset_from_elsewhere_may_name_what_lies_beside_it(folders):
    _, foreign, _ = folders
    path = preset(foreign, 'mask = "below/sky.png"\nobjective = "guided:block3b@bees.png"\n')
    assert presets.find(path).settings().files == (str(foreign / "bees.png"), str(foreign / "below/sky.png"))


TEXT = """mask = "{private}/secret.png"
guide = "../private/secret.png"
model = "../private/net.keras"
objective = 'guided:block3b@"link.png" + direction:block3b@"out/x.npy"'
"""


def test_the_refusal_of_a_preset_lists_all_files_and_says_what_helps(folders):
    _, foreign, private = folders
    path = preset(foreign, TEXT.format(private=private))
    with pytest.raises(UntrustedError) as caught:
        presets.find(path).settings()
    said = str(caught.value)
    for part in (
        "secret.png (mask)",
        "secret.png (guide)",
        "link.png (objective)",
        "x.npy (objective)",
        "keras (model)",
    ):
        assert part in said
    assert "give --trust, or type --mask, --guide, --objective and --model anew" in said


def test_what_is_given_anew_is_not_refused(folders):
    _, foreign, private = folders
    path = preset(foreign, f'mask = "{private}/secret.png"\n')
    anew = str(private / "secret.png")
    assert presets.find(path).settings(mask=anew).mask == anew
    assert presets.find(path).settings(mask=None).mask is None
    assert presets.find(path, trust=True).settings().mask == anew


def test_the_users_own_presets_and_those_of_the_program_may_name_any_file(folders):
    own, _, private = folders
    preset(own, f'mask = "{private}/secret.png"\n', "mine")
    assert presets.find("mine").settings().mask == f"{private}/secret.png"
    assert presets.find(own / "mine.toml").settings().mask == f"{private}/secret.png"


def test_a_variant_is_refused_with_its_network_only(folders):
    _, foreign, private = folders
    variant = f'objective = "mixed4"\nmask = "{private}/secret.png"\n'
    path = preset(foreign, f'objective = "block3b"\n[variants.inception_v3]\n{variant}')
    assert presets.find(path).settings().mask is None
    with pytest.raises(UntrustedError, match=r"secret.png \(mask\)"):
        presets.find(path).settings(model="inception_v3")


def test_what_a_preset_extends_is_held_to_the_same_rule(folders):
    own, foreign, private = folders
    preset(private, "steps = 3\n", "base")
    with pytest.raises(UntrustedError, match=r"base.toml \(extends\), .*secret.png \(mask\)"):
        presets.find(preset(foreign, f'extends = "../private/base.toml"\nmask = "{private}/secret.png"\n'))
    path = preset(foreign, 'extends = "../private/base.toml"\n')
    assert presets.find(path, trust=True).settings().steps == 3
    # A preset of the user's may extend one from elsewhere, which gains nothing by it.
    evil = preset(foreign, f'mask = "{private}/secret.png"\n', "evil")
    preset(own, f'extends = "{evil}"\n', "mine")
    with pytest.raises(UntrustedError, match=r"secret.png \(mask\)"):
        presets.find("mine").settings()
    assert presets.find("mine", trust=True).settings().mask


def test_a_network_that_may_not_be_named_is_not_looked_at(folders, monkeypatch):
    _, foreign, private = folders
    (private / "net.toml").write_text("no TOML, so that reading it would be said")
    (private / "net.keras").write_bytes(b"")
    path = preset(
        foreign, f'model = "{private}/net.keras"\nobjective = "a"\n[variants."../private/net.keras"]\nobjective = "b"\n'
    )
    monkeypatch.chdir(foreign)
    with pytest.raises(UntrustedError, match=r"net.keras \(model\)"):
        presets.find(path).settings()


@pytest.mark.parametrize("count", [17, 1500])
def test_presets_that_extend_each_other_without_end_are_refused(folders, count):
    _, foreign, _ = folders
    for index in range(count):
        preset(foreign, f'extends = "p{index + 1}.toml"\n', f"p{index}")
    preset(foreign, "steps = 3\n", f"p{count}")
    with pytest.raises(SettingsError, match="extends more than 16 presets in a row"):
        presets.find(foreign / "p0.toml")
    assert presets.find(foreign / f"p{count - 10}.toml").settings().steps == 3


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "~nobody-of-that-name/x", "\ud800"])
def test_names_that_no_file_has_are_the_projects_own_error(folders, name):
    own, foreign, _ = folders
    for folder in (own, foreign):
        path = folder / "x.toml"
        escaped = "".join(f"\\u{ord(char):04x}" if ord(char) < 32 else char for char in name)
        if name == "\ud800":
            continue
        path.write_text(HEAD + f'extends = "{escaped}.toml"\n')
        with pytest.raises(SettingsError):
            presets.find(path)
        path.write_text(HEAD + f'mask = "{escaped}"\n')
        with pytest.raises(SettingsError):
            presets.find(path).settings().file_digests()
    with pytest.raises(SettingsError):
        presets.find(Path(name))
