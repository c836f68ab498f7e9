"""Folders by their URL: fsspec's memory, and a server that speaks S3."""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid

import pytest
from helping import NAMES, QUICK, encoded, pictures

from dreamer.batching import remote
from dreamer.batching.folders import folder
from dreamer.batching.jobs import plan
from dreamer.errors import FolderError, FolderInUseError, MissingExtraError

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(scope="module")
def s3_server():
    """A server of this machine that speaks S3, as ``s3://`` finds it."""
    pytest.importorskip("s3fs")
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["memory", "s3"])
def url(request, monkeypatch):
    """An empty folder of a store."""
    name = f"bucket-{uuid.uuid4().hex}"
    if request.param == "s3":
        endpoint = request.getfixturevalue("s3_server")
        for key, value in {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                           "AWS_DEFAULT_REGION": "us-east-1"}.items():  # fmt: skip
            monkeypatch.setenv(key, value)
        store = fsspec.filesystem("s3", skip_instance_cache=False)
        store.mkdir(name)
        yield f"s3://{name}/some/folder"
        type(store).clear_instance_cache()
    else:
        yield f"memory://{name}/some/folder"
        memory = fsspec.filesystem("memory")
        if memory.exists(f"/{name}"):
            memory.rm(f"/{name}", recursive=True)


def upload(url, photos):
    held = folder(url)
    for name, data in pictures(photos).items():
        held.write(name, data, overwrite=False)
    return held


def test_pictures_in_a_store_are_those_of_a_local_run(url, photos, dreams, dream):
    dream(photos, dreams)
    upload(f"{url}/in", photos)
    assert dream(f"{url}/in", f"{url}/out") == dict.fromkeys(NAMES, ("done", "new"))
    out = folder(f"{url}/out")
    assert {entry.name for entry in out.walk()} == set(NAMES)
    assert {name: out.read(name) for name in NAMES} == pictures(dreams)


def test_running_again_reads_no_photo_that_the_store_vouches_for(url, photos, dream, monkeypatch, picture):
    inputs = upload(f"{url}/in", photos)
    dream(f"{url}/in", f"{url}/out")
    read, asked = remote.RemoteFolder.read, []
    monkeypatch.setattr(remote.RemoteFolder, "read", lambda self, name: asked.append(name) or read(self, name))
    assert dream(f"{url}/in", f"{url}/out") == dict.fromkeys(NAMES, ("skipped", "done"))
    assert not {name for name in asked if not name.startswith(".dreamer/")}
    inputs.write("a/x.jpg", encoded(picture, 8, "jpg"), overwrite=True)
    inputs.write("x.png", inputs.read("x.png"), overwrite=True)  # The same once more: nothing to do.
    folder(f"{url}/out").remove("x.jpg")
    found = dream(f"{url}/in", f"{url}/out")
    assert found == {
        "a/x.jpg": ("done", "the photo changed"),
        "b/x.jpg": ("skipped", "done"),
        "x.jpg": ("done", "its picture is missing"),
        "x.png": ("skipped", "done"),
    }


def test_nothing_in_a_store_is_replaced_unasked(url):
    held = folder(url)
    held.write("x.png", b"precious", overwrite=False)
    with pytest.raises(FileExistsError):
        held.write("x.png", b"other", overwrite=False)
    assert held.read("x.png") == b"precious"


def test_a_run_holds_its_folder_and_lets_go(url):
    first, second = folder(url), folder(url)
    with first.hold(), pytest.raises(FolderInUseError, match=r"filled by process \d+ on"), second.hold():
        pass
    with second.hold():
        pass
    assert not second.entries([remote._LOCK])


def test_a_hold_that_is_not_renewed_any_more_is_taken_over(url, monkeypatch):
    held = folder(url)
    held.write(remote._LOCK, remote._lock_now(), overwrite=False)
    with pytest.raises(FolderInUseError, match="holds it for 5 minutes more"), held.hold():
        pass
    note = json.loads(held.read(remote._LOCK))
    held.write(remote._LOCK, json.dumps(note | {"seen": note["seen"] - 301}).encode(), overwrite=True)
    with held.hold():
        pass


def test_a_run_that_slept_too_long_leaves_the_hold_to_the_next(url, monkeypatch):
    monkeypatch.setattr(remote, "_SECONDS_BETWEEN_RENEWALS", 0.5)
    held, others = folder(url), b'{"host": "elsewhere", "process": 1, "since": "now", "seen": 1e12}'
    with held.hold():
        held.write(remote._LOCK, others, overwrite=True)
        time.sleep(1.2)
    assert held.read(remote._LOCK) == others


def test_a_hold_is_renewed(url, monkeypatch):
    monkeypatch.setattr(remote, "_SECONDS_BETWEEN_RENEWALS", 0.01)
    renewed, write = threading.Event(), remote.RemoteFolder.write

    def noted(self, name, data, *, overwrite):
        write(self, name, data, overwrite=overwrite)
        if overwrite:
            renewed.set()

    monkeypatch.setattr(remote.RemoteFolder, "write", noted)
    with folder(url).hold():
        assert renewed.wait(30)


@pytest.fixture
def put(s3_server, monkeypatch):
    """Puts objects of any key into a bucket, past all that would make the key a better one."""
    boto3 = pytest.importorskip("boto3")
    for key, value in {"AWS_ENDPOINT_URL": s3_server, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                       "AWS_DEFAULT_REGION": "us-east-1"}.items():  # fmt: skip
        monkeypatch.setenv(key, value)
    client, bucket = boto3.client("s3"), f"bucket-{uuid.uuid4().hex}"
    client.create_bucket(Bucket=bucket)
    yield lambda key, data: client.put_object(Bucket=bucket, Key=key, Body=data) and f"s3://{bucket}/photos"
    type(fsspec.filesystem("s3")).clear_instance_cache()
    client.close()


def test_keys_that_lead_elsewhere_are_left_out_and_the_rest_goes_on(put, dreams, dream, tmp_path, picture):
    data = encoded(picture, 1, "png")
    elsewhere = tmp_path / "elsewhere.png"
    wrong = [
        f"/{elsewhere}",
        "../up.png",
        "a/../../up.png",
        "a//x.png",
        "./x.png",
        "a\\x.png",
        "C:/x.png",
        "a/\x1b[2Jx.png",
    ]
    for name in wrong:
        put(f"photos/{name}", data)
    put("photos/marker/", b"")
    url = put("photos/a/ok.png", data)
    planned = plan(folder(url), folder(str(dreams)), {"": QUICK})
    assert [one.job.source for one in planned.candidates] == ["a/ok.png"]
    assert sorted(one.name for one in planned.left_out) == sorted(wrong)
    assert all(one.reason.startswith("its name ") for one in planned.left_out)
    assert dream(url, dreams) == {"a/ok.png": ("done", "new")}
    assert sorted(pictures(dreams)) == ["a/ok.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dreams"]
    with pytest.raises(FolderError, match="left out: 1 .png.*has an empty part"):
        dream(put(f"photos/only/{elsewhere}", data) + "/only", dreams)


def test_a_store_is_asked_for_no_name_that_it_cannot_hold(url):
    held = folder(url)
    for name in ("../x.png", "/x.png", "a\0.png", "\udcff.png"):
        for ask in (held.read, held.remove, held.stamp, lambda name: held.write(name, b"", overwrite=True)):
            with pytest.raises(OSError, match="cannot be in a store, since its name"):
                ask(name)


def test_a_folder_of_a_store_that_is_not_there_is_said(url, dream):
    with pytest.raises(FolderError, match="does not exist, or nothing is in it"):
        dream(f"{url}/nowhere", f"{url}/out")


@pytest.mark.parametrize("error", [RuntimeError("no route\nto host"), PermissionError(13, "Access Denied")])
def test_a_store_that_does_not_answer_is_said(url, photos, dreams, dream, monkeypatch, error):
    upload(url, photos)

    def refuse(*_, **__):
        raise error

    reason = "does not answer: no route to host" if isinstance(error, RuntimeError) else "Access Denied"
    for refused, inputs, outputs, words in (("find", url, dreams, "look into"), ("pipe_file", photos, url, "write to")):
        with monkeypatch.context() as patch:
            patch.setattr(remote.RemoteFolder, "_store", but_for(refused, refuse))
            with pytest.raises(FolderError, match=f"cannot {words} {url}.*{reason}"):
                dream(inputs, outputs)
    monkeypatch.setattr(remote.RemoteFolder, "_store", but_for("cat_file", refuse))
    assert {status for status, _ in dream(url, dreams).values()} == {"failed"}


def but_for(name, function):
    """What gives a store of which one function is another."""
    real = remote.RemoteFolder._store

    class Store:
        def __init__(self, store):
            self._store = store

        def __getattr__(self, asked):
            return function if asked == name else getattr(self._store, asked)

    def store(self):
        found, root = real(self)
        return Store(found), root

    return store


def test_photos_in_a_store_must_not_lie_in_the_output_folder(url, photos, dream):
    upload(f"{url}/in", photos)
    for outputs in (f"{url}/in", url):
        with pytest.raises(FolderError, match="could be replaced"):
            dream(f"{url}/in", outputs)
    assert set(dream(f"{url}/in", f"{url}/in/dreams")) == set(NAMES)
    assert set(dream(f"{url}/in", f"{url}/in/dreams")) == set(NAMES)


def test_from_a_store_to_this_machine(url, photos, dreams, dream):
    upload(url, photos)
    assert dream(url, dreams) == dict.fromkeys(NAMES, ("done", "new"))
    assert dream(url, dreams, QUICK) == dict.fromkeys(NAMES, ("skipped", "done"))


def test_what_is_not_installed_is_named(monkeypatch):
    with pytest.raises(MissingExtraError, match=r"gcsfs.*pip install 'deepdreamer\[cloud\]'"):
        folder("gs://bucket/photos")
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(MissingExtraError, match=r"fsspec.*pip install 'deepdreamer\[cloud\]'"):
        folder("s3://bucket/photos")


def test_an_unknown_kind_of_url_is_said():
    with pytest.raises(FolderError, match="no URL of a folder"):
        folder("nonsense://bucket/photos")
