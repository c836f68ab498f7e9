"""``dreamer batch``: in this process where it can be, and as a person runs it where that counts."""

from __future__ import annotations

import http.server
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from PIL import Image

from dreamer import images
from dreamer.batching.folders import folder
from dreamer.cli import run
from dreamer.cli.pools import Place
from dreamer.files.digests import digest_of
from dreamer.workers.pools import Processes, attempt

batch = import_module("dreamer.cli.batch")  # Behind the command of the same name.

QUICK = ["--octaves", "1", "--steps", "1", "--tile", "64"]


class Inline:
    losses = ()
    loss = None

    def capacity(self):
        return 1

    def submit(self, work, job, pause):
        future = Future()
        future.set_result(attempt(work, job, pause))
        return future

    def close(self):
        pass


@pytest.fixture
def photos(tmp_path, picture):
    root = tmp_path / "photos"
    for number in range(6):
        path = root / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((np.roll(picture, number, axis=1) * 255).round().astype(np.uint8)).save(path)
    return root


@pytest.fixture
def dreams(tmp_path):
    return tmp_path / "dreams"


@pytest.fixture
def here(lite0, monkeypatch):
    """Photos are dreamt in this process, which has the network already."""
    monkeypatch.setattr(Place, "pool", lambda _place: Inline())


def files(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in visible(root)}


def visible(root):
    return [path for path in root.rglob("*") if path.is_file() and ".dreamer" not in path.parts]


def start(*arguments, **keywords):
    command = [sys.executable, "-m", "dreamer", "batch", *map(str, arguments)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **keywords)


def wait_for_pictures(root, count):
    until = time.monotonic() + 120
    while not root.exists() or len(visible(root)) < count:
        assert time.monotonic() < until, "no pictures came"
        time.sleep(0.01)


def test_a_run_tells_what_failed_reports_every_photo_and_prints_where_the_pictures_are(photos, dreams, here, capfd):
    (photos / "a/0.png").write_text("no picture")
    report = dreams.with_name("report.jsonl")
    command = ["batch", str(photos), str(dreams), *QUICK, "--report", str(report)]
    assert run(command) == 1
    out, err = capfd.readouterr()
    assert out == f"{dreams}\n"
    assert f"Failed: {photos / 'a/0.png'} is not a picture" in err
    assert "5 done, 0 skipped, 1 failed" in err
    *lines, last = map(json.loads, report.read_text().splitlines())
    assert sorted(line["input"] for line in lines) == sorted(map(str, visible(photos)))
    [failed] = [line for line in lines if line["status"] == "failed"]
    assert (failed["error"]["kind"], failed["attempts"]) == ("ImageReadError", 1)
    assert last["summary"] | {"seconds": 0, "photos_per_minute": 0} == {
        "done": 5, "skipped": 0, "failed": 1, "left": 0, "seconds": 0, "photos_per_minute": 0
    }  # fmt: skip
    (photos / "a/0.png").unlink()
    assert run(command) == 0
    assert "0 done, 5 skipped, 0 failed" in capfd.readouterr().err
    statuses = [json.loads(line).get("status") for line in report.read_text().splitlines()]
    assert statuses == ["skipped"] * 5 + [None]


def test_presets_have_folders_of_their_names_and_options_change_them(photos, dreams, here, tmp_path):
    preset = tmp_path / "mine.toml"
    preset.write_text('title = "Mine"\ndescription = "Only for this"\nobjective = "block3b"\n')
    both = ["--preset", str(preset), "--preset", "fur-and-eyes"]
    assert run(["batch", str(photos), str(dreams), *both, *QUICK, "--quiet"]) == 0
    made = files(dreams)
    assert {name.split("/")[0] for name in made} == {"mine", "fur-and-eyes"}
    assert len(made) == 12
    assert made["mine/a/0.png"] != made["fur-and-eyes/a/0.png"]
    told = {"preset": "mine", "preset_sha256": digest_of(preset)}
    assert told.items() <= images.read_recipe(dreams / "mine/a/0.png").items()


def test_a_preset_from_elsewhere_needs_trust_for_what_does_not_lie_beside_it(photos, dreams, here, tmp_path, capfd):
    preset = tmp_path / "foreign" / "mine.toml"
    preset.parent.mkdir()
    mask = photos / "a/0.png"
    preset.write_text(f'title = "t"\ndescription = "d"\nobjective = "block3b"\nmask = "{mask}"\n')
    given = ["batch", str(photos), str(dreams), "--preset", str(preset), *QUICK, "--dry-run"]
    assert run(given) == 2
    assert f"{mask} (mask)" in capfd.readouterr().err
    assert not dreams.exists()
    for more in (["--trust"], ["--mask", str(mask)]):
        assert run([*given, *more]) == 0


def test_a_dry_run_lists_what_would_be_done_and_why_and_writes_nothing(photos, dreams, here, capfd):
    assert run(["batch", str(photos), str(dreams), *QUICK, "--glob", "a/*"]) == 0
    before = files(dreams)
    (photos / "a/0.png").write_bytes((photos / "a/2.png").read_bytes())
    (dreams / "a/4.png").write_bytes(b"")
    (photos / "b/folder.png").mkdir()
    capfd.readouterr()
    assert run(["batch", str(photos), str(dreams), *QUICK, "--dry-run"]) == 0
    out, err = capfd.readouterr()
    assert out.splitlines() == [
        "dream  a/0.png -> a/0.png: the photo changed",
        "skip   a/2.png -> a/2.png: done",
        "dream  a/4.png -> a/4.png: its picture is broken",
        *(f"dream  b/{number}.png -> b/{number}.png: new" for number in (1, 3, 5)),
        "fail   b/folder.png -> b/folder.png: is a directory; a picture file is expected",
    ]
    assert err.splitlines()[-1] == "5 to dream, 1 to skip, 1 that cannot be done"
    assert files(dreams) == before | {"a/4.png": b""}


def test_what_is_left_out_is_in_the_summary_the_report_and_the_dry_run(photos, dreams, here, capfd):
    for name in ("song.mp3", "a/song.MP3", "notes", ".hidden.mp3"):
        (photos / name).write_text("")
    report = dreams.with_name("report.jsonl")
    command = ["batch", str(photos), str(dreams), *QUICK]
    assert run([*command, "--dry-run"]) == 0
    out, err = capfd.readouterr()
    assert "left out  song.mp3: .mp3 is no suffix of a picture or a video that is read" in out.splitlines()
    assert err.splitlines()[-1] == "left out: 2 .mp3, 1 without a suffix"
    assert run([*command, "--report", str(report)]) == 0
    assert "left out: 2 .mp3, 1 without a suffix" in capfd.readouterr().err.splitlines()
    *lines, last = map(json.loads, report.read_text().splitlines())
    told = {line["input"]: line["reason"] for line in lines if line["status"] == "left out"}
    assert set(told) == {f"{photos}/{name}" for name in ("song.mp3", "a/song.MP3", "notes")}
    assert last["summary"]["left_out"] == {".mp3": 2, "without a suffix": 1}
    assert (last["summary"]["done"], len(lines)) == (6, 9)


def test_a_report_on_standard_output_is_all_that_is_there(photos, dreams, here, capfd):
    assert run(["batch", str(photos), str(dreams), *QUICK, "--glob", "a/*", "--report", "/dev/stdout"]) == 0
    out, _ = capfd.readouterr()
    statuses = [json.loads(line).get("status") for line in out.splitlines()]
    assert statuses == ["left out"] * 3 + ["done"] * 3 + [None]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nowhere", "out"], 1, "does not exist; a folder of photos is expected"),
        (["photos", "photos"], 1, "Choose another output folder"),
        (["photos", "out", "--glob", "*.gif"], 1, "no files that match '*.gif'"),
        (["photos", "out", "--resume"], 1, "nothing to go on with"),
        (["photos", "out", "--dry-run", "--report", "r.jsonl"], 2, "--report and --dry-run exclude each other"),
        (["photos", "out", "--workers", "0"], 2, "--workers"),
        (["photos", "out", "--preset", "fur-and-eyez"], 2, "Close matches: fur-and-eyes"),
        (["photos", "out", "--preset", "fur-and-eyes", "--preset", "x/fur-and-eyes.toml"], 2, "the same name"),
        (["photos", "out", "--frames", "3"], 2, "single pictures"),
        (["photos", "out", "--layer", "block4b"], 2, "Type instead: --objective 'block4b'"),
        (["photos", "out", "--layer", "block4b=0.5", "--channel", "block5c:17"], 2, "'0.5*block4b + block5c:17'"),
        (["photos", "out", "--timeout", "0"], 2, "--timeout"),
        (["photos", "out", "--timeout", "nan"], 2, "expected a number of seconds"),
        (["photos", "out", "--objective", "nope"], 2, "no layer 'nope'"),
        (["photos", "out", "--address", "127.0.0.1:1"], 2, "for the executor ray"),
        (["photos", "out", "--report", "photos/a/0.png"], 1, "is no report, so it is not replaced"),
        (["photos", "out", "--report", "no/where.jsonl"], 1, "cannot write the report"),
        (["photos", "photos/a/0.png"], 1, "cannot write to"),
        (["photos"], 2, "OUTPUT_DIR"),
    ],
)
def test_bad_input_gets_one_clear_line(photos, here, monkeypatch, capfd, arguments, status, words):
    monkeypatch.chdir(photos.parent)
    (photos.parent / "x").mkdir()
    (photos.parent / "x/fur-and-eyes.toml").write_text('title = "Mine"\ndescription = "Mine"\nobjective = "block3b"\n')
    before = files(photos)
    assert run(["batch", *arguments]) == status
    out, err = capfd.readouterr()
    errors = [line for line in err.splitlines() if not line.startswith("Looking")]
    assert out == ""
    assert len(errors) == 1
    assert errors[0].startswith("Error: ")
    assert words in errors[0]
    assert files(photos) == before


def test_a_second_run_is_told_who_holds_the_folder(photos, dreams, here, capfd):
    with folder(str(dreams)).hold():
        assert run(["batch", str(photos), str(dreams), *QUICK]) == 1
    assert f"is being filled by process {os.getpid()} on" in capfd.readouterr().err


def test_ray_that_is_not_installed_is_named(photos, dreams, monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert run(["batch", str(photos), str(dreams), *QUICK, "--executor", "ray"]) == 1
    assert "pip install 'deepdreamer[ray]'" in capfd.readouterr().err.splitlines()[-1]


@pytest.fixture
def slow(photos, dreams):
    """The arguments of a run that takes some seconds with two processes."""
    return [photos, dreams, "--octaves", "3", "--octave-scale", "1.1", "--steps", "12", "--workers", "2"]


def test_killed_a_run_is_completed_by_the_next_bit_for_bit(photos, dreams, tmp_path, slow):
    process = start(*slow)
    wait_for_pictures(dreams, 1)
    process.kill()
    process.communicate(timeout=60)
    assert len(files(dreams)) < 6
    process = start(*slow, "--resume")
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    undisturbed = tmp_path / "undisturbed"
    # With another number of workers, which must not matter.
    process = start(photos, undisturbed, *slow[2:-1], "1")
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert files(dreams) == files(undisturbed)
    assert not list(dreams.rglob("*.part"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_finishes_what_is_under_way_and_says_how_to_go_on(photos, dreams, slow, number):
    # The whole group is sent it, as by a terminal or a service manager.
    process = start(*slow, start_new_session=True)
    wait_for_pictures(dreams, 1)
    workers = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 128 + number
    lines = err.splitlines()
    assert "Stopping once the files under way are finished; Ctrl-C again drops them" in lines
    left = 6 - len(files(dreams))
    assert left > 0
    assert lines[-1] == f"Interrupted: {left} files are left. The same command again goes on with them"
    records = {path.relative_to(dreams / ".dreamer/records").as_posix() for path in dreams.rglob("*.json")}
    assert records == {f"{name}.json" for name in files(dreams)}
    assert not {"Traceback", "semaphore", "resource_tracker"} & set(err.split())
    assert "0 failed" in err
    psutil.wait_procs(workers, timeout=30)
    assert not [worker for worker in workers if worker.is_running()]


@pytest.fixture
def store():
    """A folder on a server that answers to all but one photo."""
    answered = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.rpartition("/")[2]
            if name == "stuck.png":
                answered.wait(300)
                return
            page = "".join(f'<a href="/photos/{one}">{one}</a>' for one in ("a.png", "stuck.png", "z.png")).encode()
            data = page if name in ("photos", "") else store.photo
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_HEAD(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    store = SimpleNamespace(url=f"http://127.0.0.1:{server.server_address[1]}/photos", photo=b"")
    yield store
    answered.set()
    server.shutdown()
    server.server_close()


def test_a_photo_that_is_never_read_is_ended_and_told_and_the_rest_goes_on(photos, dreams, store):
    pytest.importorskip("aiohttp")
    store.photo = (photos / "a/0.png").read_bytes()
    report = dreams.with_name("report.jsonl")
    process = start(store.url, dreams, *QUICK, "--workers", "1", "--timeout", "15", "--report", report)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1, err
    assert sorted(files(dreams)) == ["a.png", "z.png"]
    [failed] = [line for line in map(json.loads, report.read_text().splitlines()) if line.get("status") == "failed"]
    assert (failed["error"]["kind"], failed["attempts"]) == ("TimeLimitError", 1)
    assert f"Failed: {store.url}/stuck.png: it was ended after 15" in err


def test_a_second_ctrl_c_drops_what_is_under_way(photos, dreams):
    process = start(photos, dreams, "--octaves", "100", "--octave-scale", "1.01", "--steps", "1000", "--workers", "2")
    assert process.stderr.readline().startswith("Looking at the files")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert any(line.startswith("Stopping once") for line in process.stderr)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "6 files are left" in err
    assert "Traceback" not in err
    assert files(dreams) == {}


def test_on_a_terminal_a_bar_tells_counts_and_failures_stay(photos, dreams):
    (photos / "a/0.png").unlink()
    (photos / os.fsdecode(b"a/name that is no UTF-8 \xff.png")).write_text("no picture")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "dreamer", "batch", str(photos), str(dreams), *QUICK, "--workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # Linux's way of saying that the other end is closed.
            break
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    process.communicate(timeout=60)
    text = shown.decode()
    assert process.returncode == 1
    assert "is not a picture" in text
    assert "5 done, 0 skipped, 1 failed" in text
    assert "left:" in text


def test_workers_default_to_what_the_machine_has(monkeypatch):
    monkeypatch.setattr("dreamer.workers.resources.gpus", list)
    monkeypatch.setattr("dreamer.workers.resources.default_workers", lambda: 3)
    pool = Place("local", None, None, None, 2).pool()
    assert isinstance(pool, Processes)
    assert pool.capacity() == 3
    pool.close()
