"""An atlas that is drawn, broken off at any moment, gone on with, extended: with a stand-in for the network."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from dreamer import images, objectives
from dreamer.atlases import catalog as catalogs
from dreamer.atlases import folder, jobs, making, page
from dreamer.atlases.catalog import Catalog
from dreamer.atlases.jobs import Drawn, UnitJob
from dreamer.atlases.units import Unit
from dreamer.errors import AtlasError, SettingsError, TimeLimitError
from dreamer.files.digests import digest_of
from dreamer.files.names import slug
from dreamer.images import files
from dreamer.visualizing.calls import visualize
from dreamer.visualizing.settings import VisualizeSettings

SETTINGS = VisualizeSettings(size=(18, 22), precision="float32")


def unit(layer: str, index: int) -> Unit:
    target = objectives.channel(layer, index).name
    return Unit(layer, index, target, target)


UNITS = [unit("a", index) for index in range(5)] + [unit("b/c", index) for index in (2, 7)]


def picture_of(target: str, variant: int) -> np.ndarray:
    drawn = np.random.default_rng(sum(target.encode()) + variant).integers(0, 256, (4, 4, 3), np.uint8)
    return np.repeat(np.repeat(drawn, 6, axis=0), 6, axis=1)[:18, :22]


def pool(some):
    """Draws jobs as a pool might: the last first, two targets at once. Channel 3 never answers."""
    for job in reversed(some):
        for first in range(0, len(job.targets), 2):
            yield [
                Drawn(target, variant, picture_of(target, variant), None, 2.0, 2.0 if target.endswith(":3") else -1.0)
                for target in job.targets[first : first + 2]
                for variant in range(job.settings.diversity)
            ]


def run(place, units=UNITS, *, negative=False, settings=SETTINGS, execute=pool, overwrite=False, weights="0"):
    """What the command does; how many targets were drawn."""
    folder.check(place)
    with folder.locked(place):
        empty = Catalog(settings.model, "A network", weights, settings.to_dict())
        made = folder.begun(place, empty, overwrite=overwrite)
        making.extend(made, units, negative=negative)
        wanted = making.missing(place, made)
        drawing = making.draw(place, made, wanted, settings, recipe=lambda _target: {"seed": 7}, execute=execute)
        done = max(drawing, default=0)
        making.finish(place, made, wanted)
        return done


def contents(place):
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file() and path.name != ".atlas.lock"
    }


def test_a_folder_holds_pictures_sheets_the_page_and_what_is_known(tmp_path):
    place = tmp_path / "new" / "atlas"
    assert run(place, negative=True, settings=dataclasses.replace(SETTINGS, diversity=2)) == 14
    names = contents(place)
    assert {"index.html", "page/page.js", "atlas.js", "atlas.json", "sheet-a.png"} <= set(names)
    pictures = {name.removeprefix("pictures/a/") for name in names if name.startswith("pictures/a/0")}
    assert pictures == {"0.webp", "0-2.webp", "0-negative.webp", "0-negative-2.webp"}
    assert sum(name.endswith(".webp") for name in names) == 7 * 4
    held = json.loads(names["atlas.json"])
    first = held["units"][0]
    assert (held["format"], held["settings"]["diversity"], first["objective"], first["negative"]) == (1, 2, "a:0", True)
    assert [(one["negative"], one["variant"]) for one in first["pictures"]] == [
        (False, 0), (False, 1), (True, 0), (True, 1)
    ]  # fmt: skip
    for one in held["units"]:
        assert one["dead"] == (one["index"] == 3)
        for drawn in one["pictures"]:
            assert digest_of(place / drawn["file"]) == drawn["sha256"]
            target = f"{'-' if drawn['negative'] else ''}{one['objective']}"
            recipe = images.read_recipe(place / drawn["file"])
            assert (recipe["seed"], recipe["targets"]) == (7, [target])
            assert (recipe["scores"][0]["end"], recipe["variant"]) == (2.0, drawn["variant"])
            shown = images.read(place / drawn["file"]).pixels
            assert np.abs(shown - picture_of(target, drawn["variant"]) / 255).mean() < 0.1
    assert catalogs.read(place).to_dict("0.1.0") == held
    data = names["atlas.js"].decode("ascii").splitlines()[1]
    assert json.loads(data.removeprefix("const ATLAS = ").removesuffix(";"))["units"][6]["layer"] == "b/c"


def test_running_again_draws_what_is_missing_or_damaged_and_nothing_else(tmp_path):
    assert run(tmp_path) == 7
    before = contents(tmp_path)
    assert run(tmp_path) == 0
    assert contents(tmp_path) == before
    (tmp_path / "pictures/a/1.webp").unlink()
    (tmp_path / "pictures/a/2.webp").write_bytes(b"RIFF")
    (tmp_path / "sheet-a.png").unlink()
    (tmp_path / "page/page.js").write_bytes(b"")
    assert run(tmp_path) == 2
    assert contents(tmp_path) == before
    assert run(tmp_path, [unit("a", 9)], negative=True) == 2
    assert run(tmp_path, [unit("a", 0)], negative=True) == 1
    # What was asked for once stays asked for.
    (tmp_path / "pictures/a/0-negative.webp").unlink()
    assert run(tmp_path, []) == 1
    assert {name: contents(tmp_path)[name] for name in before if name.startswith("pictures")} == {
        name: data for name, data in before.items() if name.startswith("pictures")
    }


def test_a_run_that_dies_at_any_moment_is_gone_on_with(tmp_path, monkeypatch):
    few = [UNITS[0], UNITS[3], UNITS[-1]]
    run(tmp_path / "whole", few, negative=True)
    whole = contents(tmp_path / "whole")
    put, calls = files.put, []
    monkeypatch.setattr(files, "put", lambda path, data, **how: (calls.append(path), put(path, data, **how)))
    run(tmp_path / "counted", few, negative=True)
    assert len(calls) > 20
    for moment in range(len(calls)):
        place = tmp_path / str(moment)
        left = iter(range(moment))

        def dying(path, data, left=left, **how):
            if next(left, None) is None:
                # As a process leaves it that is killed while it writes.
                (path.parent / ".dreamer-00.part").write_bytes(data[: len(data) // 2])
                raise KeyboardInterrupt
            put(path, data, **how)

        monkeypatch.setattr(files, "put", dying)
        with pytest.raises(KeyboardInterrupt):
            run(place, few, negative=True)
        monkeypatch.setattr(files, "put", put)
        kept = sum(len(entry.pictures) for entry in catalogs.read(place).entries.values()) if moment else 0
        assert run(place, few, negative=True) == 6 - kept
        assert contents(place) == whole
    assert kept == 6


def test_other_settings_or_another_network_are_refused_unless_all_is_drawn_anew(tmp_path):
    run(tmp_path)
    before = contents(tmp_path)
    other = dataclasses.replace(SETTINGS, steps=64, seed=3)
    with pytest.raises(SettingsError, match=r"drawn with steps 128, not 64, seed 0, not 3\. Give the same settings"):
        run(tmp_path, settings=other)
    with pytest.raises(SettingsError, match="another network of that name"):
        run(tmp_path, weights="1")
    assert contents(tmp_path) == before
    (tmp_path / "notes.txt").write_text("precious")
    assert run(tmp_path, UNITS[:1], settings=other, overwrite=True) == 1
    left = contents(tmp_path)
    assert left["notes.txt"] == b"precious"
    assert [name for name in left if name.endswith(".webp")] == ["pictures/a/0.webp"]
    assert json.loads(left["atlas.json"])["settings"]["steps"] == 64


def test_an_atlas_without_a_picture_takes_any_settings(tmp_path):
    def failing(some):
        raise SettingsError("no such spectrum")

    with pytest.raises(SettingsError, match="no such spectrum"):
        run(tmp_path, execute=failing)
    assert run(tmp_path, settings=dataclasses.replace(SETTINGS, steps=64)) == 7


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "love.txt").write_text("precious")
    with pytest.raises(AtlasError, match="holds other files and no atlas"):
        run(tmp_path / "letters")
    with pytest.raises(AtlasError, match="is a file"):
        run(tmp_path / "letters" / "love.txt")
    assert list(contents(tmp_path)) == ["letters/love.txt"]


def test_two_runs_do_not_share_a_folder(tmp_path):
    with (
        folder.locked(tmp_path),
        pytest.raises(AtlasError, match="another run is drawing into"),
        folder.locked(tmp_path),
    ):
        pass
    with folder.locked(tmp_path):
        pass


@pytest.mark.parametrize(
    "damage",
    [
        lambda held: "{",
        lambda held: json.dumps(held | {"format": 2}),
        lambda held: json.dumps({"format": 1}),
        lambda held: json.dumps([1]),
        lambda held: json.dumps(held | {"units": [{"layer": "a"}]}),
    ],
)
def test_a_damaged_file_is_said_to_be_so(damage, tmp_path):
    run(tmp_path, UNITS[:1])
    path = tmp_path / catalogs.NAME
    path.write_text(damage(json.loads(path.read_text())))
    with pytest.raises(AtlasError, match="is damaged, or written by another version"):
        run(tmp_path)
    assert run(tmp_path, overwrite=True) == 7


def test_files_lie_within_the_folder_whatever_a_layer_is_called(tmp_path):
    names = ["../../up", "..", ".hidden", "a/b", "a-b", "", "x" * 300, "ünï", "con:1"]
    slugs = [slug(name) for name in names]
    assert len(set(slugs)) == len(names)
    assert all(set("/\\:") & set(one) == set() and not one.startswith(".") and len(one) < 100 for one in slugs)
    run(tmp_path / "atlas", [unit(name, 0) for name in names if name])
    assert [path.name for path in tmp_path.iterdir()] == ["atlas"]


@pytest.mark.parametrize("name", ["pictures", "pictures/a", "page", "atlas.json", "atlas.js", "sheet-a.png"])
def test_nothing_is_written_or_thrown_away_outside_by_way_of_a_link(tmp_path, name):
    place, outside = tmp_path / "atlas", tmp_path / "outside"
    run(place)
    (outside / "a").mkdir(parents=True)
    (outside / "a/0.webp").write_text("precious")
    (place / name).rename(tmp_path / "taken")
    (place / name).symlink_to(outside if (tmp_path / "taken").is_dir() else outside / "file")
    for overwrite in (False, True):
        with contextlib.suppress(OSError, AtlasError):
            run(place, [unit("a", 9)], overwrite=overwrite)
    assert contents(outside) == {"a/0.webp": b"precious"}


def test_a_job_over_its_time_is_ended_between_steps_and_the_others_go_on(monkeypatch):
    clock = iter(range(0, 10_000, 100))
    steps = [SimpleNamespace(step=step, num_steps=3, progress=(step + 1) / 3) for step in range(3)]
    monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(jobs, "planned_steps", lambda *_, **__: iter(steps))
    monkeypatch.setattr(jobs, "_drawn", lambda job, _: [job.targets])
    monkeypatch.setattr(jobs.VisualizePlan, "of", lambda *_: None)
    some = [UnitJob((target,), SETTINGS, timeout) for target, timeout in (("a", 150.0), ("b", None), ("c", 350.0))]
    late = []
    found = list(jobs.in_turn(some, on_late=lambda job, error: late.append((job.targets, str(error)))))
    assert found == [[("b",)], [("c",)]]
    assert late == [(("a",), "it was ended after 150 seconds, which is all the time that it had")]
    with pytest.raises(TimeLimitError):
        list(jobs.in_turn(some))


def test_how_long_a_job_may_take_grows_with_it():
    few, many = UnitJob(("a",), SETTINGS), UnitJob(("a", "b"), SETTINGS)
    assert 600 < few.seconds < many.seconds < dataclasses.replace(many, settings=VisualizeSettings()).seconds
    assert dataclasses.replace(many, timeout=5.0).seconds == 5


def test_jobs_are_values_that_draw_what_visualize_draws(lite0):
    settings = VisualizeSettings(size=(40, 48), steps=3, diversity=2, precision="float32")
    [job] = jobs.of_layer(["block2b:3", "-block2b:3", "block2b:5"], settings)
    again = pickle.loads(pickle.dumps(job))
    assert again == job
    found = [drawn for batch in jobs.in_turn([again]) for drawn in batch]
    assert [(drawn.target, drawn.variant) for drawn in found] == [
        (target, variant) for target in job.targets for variant in range(2)
    ]
    for drawn, expected in zip(found, visualize(job.targets, settings), strict=True):
        assert (drawn.score, drawn.start) == (expected.score, expected.first_score)
        assert np.array_equal(drawn.picture, (expected.pixels * 255).round())
        assert drawn.alpha is None


def test_jobs_are_about_as_large_as_each_other():
    targets = [f"a:{index}" for index in range(130)]
    some = jobs.of_layer(targets, SETTINGS)
    assert [len(job.targets) for job in some] == [44, 44, 42]
    assert [target for job in some for target in job.targets] == targets
    assert len(jobs.of_layer(targets, dataclasses.replace(SETTINGS, diversity=64))) == 130
    assert max(len(job.targets) for job in jobs.of_layer(targets, SETTINGS, most=20)) == 19


def test_the_data_of_the_page_is_ascii_without_markup():
    text = page.script({"units": [{"name": "</script>\u2028é", "sha256": "0"}]}).decode("ascii")
    assert "<" not in text
    assert "sha256" not in text
    held = json.loads(text.splitlines()[1].removeprefix("const ATLAS = ").removesuffix(";"))
    assert held["units"] == [{"name": "</script>\u2028é"}]
