"""Jobs in, outcomes out: failures, retries, deaths, order, and who hears Ctrl-C."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pool_work
import psutil
import pytest
from helping import Inline

from dreamer.errors import DeviceMemoryError, ImageReadError
from dreamer.workers import pools
from dreamer.workers.outcomes import Failure
from dreamer.workers.pools import Processes


@pytest.fixture
def two():
    pool = Processes([{"DREAMER_TEST_PLACE": "first"}, {"DREAMER_TEST_PLACE": "second"}])
    yield pool
    pool.close()


def outcomes(jobs, pool, **options):
    return {outcome.job: outcome for outcome in pools.run(jobs, pool_work.act, pool, pause=0.01, **options)}


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "may_pass", "ends_all"),
    [
        (MemoryError(), True, False),
        (DeviceMemoryError("memory ran out"), True, False),
        (OSError(errno.EIO, "input/output error"), True, False),
        (TimeoutError("the store did not answer"), True, False),
        (ConnectionResetError(errno.ECONNRESET, "reset"), True, False),
        (caused(ImageReadError("x.jpg cannot be read"), OSError(errno.EIO, "input/output error")), True, False),
        (OSError("image file is truncated"), False, False),
        (caused(ImageReadError("x.jpg is truncated"), OSError("image file is truncated")), False, False),
        (FileNotFoundError(errno.ENOENT, "no such file"), False, False),
        (PermissionError(errno.EACCES, "denied"), False, False),
        (ValueError("no picture"), False, False),
        (caused(ImageReadError("x.jpg cannot be written"), OSError(errno.ENOSPC, "full")), False, True),
    ],
)
def test_which_failures_may_pass_and_which_end_all(error, may_pass, ends_all):
    failure = Failure.of(error)
    assert (failure.kind, failure.may_pass, failure.ends_all) == (type(error).__name__, may_pass, ends_all)


def test_a_failure_is_an_outcome_and_stops_nothing(two, tmp_path):
    damaged = ("raise", ValueError("line one\nline two"))
    jobs = [("give", 1), damaged, ("fail_once", str(tmp_path / "eio")), ("raise", MemoryError()), ("give", 2)]
    found = outcomes(jobs, two, retries=1)
    assert [found[job].result for job in jobs] == [1, None, "plugged in", None, 2]
    assert [found[job].attempts for job in jobs] == [1, 1, 2, 2, 1]
    assert found[damaged].failure == Failure("ValueError", "line one line two")


def test_a_process_that_dies_takes_only_its_own_job_with_it(two, tmp_path):
    flag = tmp_path / "died"
    # The neighbour is under way while the other dies, and ends once that was tried again.
    jobs = [("wait_for", str(flag)), ("die_once", str(flag)), ("die", None), ("give", 3)]
    found = outcomes(jobs, two, retries=1)
    assert [found[job].result for job in jobs] == [str(flag), "alive", None, 3]
    assert [found[job].attempts for job in jobs] == [1, 2, 2, 1]
    assert found["die", None].failure.kind == "WorkerDied"


@pytest.mark.parametrize("verb", ["brood", "linger"])
def test_a_job_over_its_time_is_ended_and_told_and_the_rest_goes_on_in_a_fresh_process(tmp_path, verb):
    pool = Processes([{}], limit=2.0)
    stuck = (verb, str(tmp_path / "pid"))
    jobs = [("give", 0), stuck, ("give", 1), ("give", 2)]
    try:
        found = outcomes(jobs, pool, retries=5)
    finally:
        pool.close()
    assert [found[job].result for job in jobs] == [0, None, 1, 2]
    assert (found[stuck].failure.kind, found[stuck].attempts) == ("TimeLimitError", 1)
    assert "all the time that it had" in found[stuck].failure.message
    assert 2.0 <= found[stuck].seconds < 10
    if verb == "linger":
        assert not psutil.pid_exists(written(tmp_path / "pid"))


def test_a_job_may_say_that_it_needs_more_time_or_less():
    pool = Processes([{}], limit=2.0)
    try:
        [more] = pools.run([("take", 4.0)], pool_work.act, pool)
        [less] = pools.run([("take_less", 0.1)], pool_work.act, pool)
    finally:
        pool.close()
    assert more.result == "in time"
    assert less.failure.kind == "TimeLimitError"
    assert less.seconds < 1.5


def test_once_told_to_stop_a_stuck_job_ends_when_its_time_is_over():
    pool = Processes([{}], limit=1.5)
    try:
        asked = iter([False, *[True] * 9])
        [outcome] = pools.run([("brood", 0), ("give", 1)], pool_work.act, pool, stop=lambda: next(asked))
    finally:
        pool.close()
    assert outcome.failure.kind == "TimeLimitError"


def test_each_process_has_an_environment_of_its_own_and_is_deaf_to_what_all_of_a_run_are_sent(two):
    first, second = (two.submit(pool_work.act, ("environment", "DREAMER_TEST_PLACE"), 0.05) for _ in range(2))
    assert {first.result().result[0], second.result().result[0]} == {"first", "second"}
    assert first.result().result[1] != second.result().result[1]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        assert two.submit(pool_work.act, ("send_yourself", number), 0).result().result == "deaf"


def test_jobs_are_asked_for_only_when_there_is_a_place_for_them(two):
    asked = []
    jobs = (asked.append(number) or ("give", number) for number in range(9))
    for ended, _ in enumerate(pools.run(jobs, pool_work.act, two), start=1):
        assert len(asked) <= ended + two.capacity()
    assert len(asked) == 9


def test_once_told_to_stop_what_is_under_way_is_finished_and_nothing_begun(two):
    told = []
    found = pools.run([("give", number) for number in range(9)], pool_work.act, two, stop=lambda: bool(told))
    first = next(found)
    told.append(True)
    assert {outcome.result for outcome in (first, *found)} == {0, 1}


def test_a_full_disk_ends_the_run():
    jobs = [("give", 0), ("raise", OSError(errno.ENOSPC, "no space")), ("give", 1)]
    assert list(outcomes(jobs, Inline())) == jobs[:2]


def test_an_unpicklable_job_is_a_failure_too(two):
    [outcome] = pools.run([lambda: None], pool_work.act, two)
    assert outcome.failure is not None


def test_closing_drops_what_is_under_way(tmp_path):
    pool, note = Processes([{}]), tmp_path / "pid"
    pool.submit(pool_work.act, ("linger", str(note)), 0)
    worker = written(note)
    pool.close()
    assert not psutil.pid_exists(worker)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_processes_end_with_the_one_that_made_them_however_it_ends_and_nothing_is_said_of_semaphores(tmp_path, number):
    note = tmp_path / "pid"
    code = (
        "import pool_work\n"
        "from dreamer.workers import pools\n"
        "if __name__ == '__main__':\n"
        f"    list(pools.run([('linger', {str(note)!r})], pool_work.act, pools.Processes([{{}}])))\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    maker = subprocess.Popen([sys.executable, str(script)], env=os.environ | {"PYTHONPATH": path},
                             stderr=subprocess.PIPE, text=True)  # fmt: skip
    worker = psutil.Process(written(note))
    maker.send_signal(number)
    _, said = maker.communicate(timeout=60)  # Until all that could say something have ended.
    worker.wait(timeout=30)
    assert "semaphore" not in said
    assert "Traceback" not in said or number == signal.SIGINT


def test_a_pool_that_nobody_closed_does_not_keep_python_from_ending(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import pool_work\n"
        "from dreamer.workers import pools\n"
        "if __name__ == '__main__':\n"
        "    pool = pools.Processes([{}])\n"
        "    print(next(pools.run([('give', 1), ('give', 2)], pool_work.act, pool)).result)\n"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run([sys.executable, str(script)], env=os.environ | {"PYTHONPATH": path}, capture_output=True,
                          text=True, timeout=60)  # fmt: skip
    assert (done.stdout, done.stderr) == ("1\n", "")


def written(note):
    until = time.monotonic() + 60
    while not note.exists() or not note.read_text():
        assert time.monotonic() < until, "nothing was written"
        time.sleep(0.01)
    return int(note.read_text())
