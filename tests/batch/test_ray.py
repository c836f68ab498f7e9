"""The same jobs on a Ray cluster of two machines, of which one is lost half-way."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pool_work
import pytest
from helping import NAMES, QUICK, pictures

from dreamer.atlases import jobs as drawing
from dreamer.batching import running
from dreamer.batching.folders import folder
from dreamer.batching.jobs import plan
from dreamer.batching.records import judge_all
from dreamer.errors import ClusterError, MissingExtraError
from dreamer.visualizing.plan import VisualizePlan
from dreamer.visualizing.settings import VisualizeSettings
from dreamer.workers import pools
from dreamer.workers.ray import RayPool
from dreamer.workers.resources import ONE_THREAD

HERE = str(Path(__file__).parent)


@pytest.fixture(scope="module")
def cluster():
    """A Ray cluster of one machine with one core."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", os.pathsep.join([HERE, *filter(None, sys.path)]))
        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        yield made
        made.shutdown()


@pytest.fixture
def second(cluster):
    """A second machine of one core."""
    node = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield node
    if node in cluster.list_all_nodes():
        cluster.remove_node(node)


@pytest.fixture
def pool(cluster, second):
    made = RayPool(cluster.address, ONE_THREAD)
    yield made
    made.close()


def test_outcomes_are_those_of_any_pool_and_few_jobs_wait(pool):
    asked = []
    damaged = ("raise", ValueError("no picture"))
    jobs = [("environment", "OMP_NUM_THREADS"), damaged, *(("give", number) for number in range(20))]
    found = {}
    for outcome in pools.run((asked.append(job) or job for job in jobs), pool_work.act, pool):
        found[outcome.job] = outcome
        assert len(asked) <= len(found) + pool.capacity() <= len(found) + 4
    assert found[jobs[0]].result[0] == "1"
    assert found[damaged].failure.kind == "ValueError"
    assert [found["give", number].result for number in range(20)] == list(range(20))


def raylet(machine):
    """What Ray calls a machine in the environment of its processes."""
    return str(machine.all_processes["raylet"][0].process.pid)


def lose(cluster, machine, notes):
    """Lose a machine as when its power is cut: all of its processes at once."""
    lost = raylet(machine)
    cluster.remove_node(machine, allow_graceful=False)
    for note in notes.iterdir():
        node, process = note.name.split("-")
        if node == lost:
            with suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)


def test_the_job_of_a_lost_machine_is_done_by_another(cluster, second, pool, tmp_path):
    job = ("place_and_wait", str(tmp_path))
    futures = [pool.submit(pool_work.act, job, 0) for _ in range(2)]
    while len(list(tmp_path.iterdir())) < 2:
        time.sleep(0.01)
    assert {note.name.split("-")[0] for note in tmp_path.iterdir()} == {raylet(cluster.head_node), raylet(second)}
    lose(cluster, second, tmp_path)
    (tmp_path / "go").touch()
    nodes = {future.result(timeout=120).result for future in futures}
    assert nodes == {raylet(cluster.head_node)}


def test_pictures_are_those_of_a_local_run_though_a_machine_is_lost(cluster, second, pool, photos, tmp_path):
    local, far = tmp_path / "local", tmp_path / "far"
    here = pools.Processes([ONE_THREAD])
    for outputs, used in ((far, pool), (local, here)):
        found = plan(folder(str(photos)), folder(str(outputs)), {"": QUICK}).candidates
        for ended, one in enumerate(running.carry_out(judge_all(found, overwrite=False), used)):
            assert one.status == "done", one.failure
            if used is pool and ended == 0:
                cluster.remove_node(second, allow_graceful=False)
    here.close()
    assert sorted(pictures(far)) == sorted(NAMES)
    assert pictures(far) == pictures(local)


def test_an_atlas_is_drawn_on_a_cluster_as_on_this_machine(pool):
    settings = VisualizePlan.of(VisualizeSettings(size=(32, 40), steps=3, seed=5)).settings
    jobs = drawing.of_layer([f"block2b:{channel}" for channel in range(4)], settings, most=2)
    here = pools.Processes([ONE_THREAD])
    far, local = (
        {one.target: one for outcome in pools.run(jobs, drawing.draw_job, used) for one in outcome.result[0]}
        for used in (pool, here)
    )
    here.close()
    assert len(far) == 4
    assert all((far[target].picture == local[target].picture).all() for target in local)


def test_a_job_whose_process_always_dies_fails_in_the_end(cluster):
    pool = RayPool(cluster.address, {})
    [outcome] = pools.run([("die", None)], pool_work.act, pool, retries=1, pause=0.01)
    pool.close()
    assert (outcome.failure.kind, outcome.attempts) == ("WorkerDied", 2)


def test_a_job_over_its_time_is_ended_on_a_cluster_too_and_the_rest_goes_on(cluster):
    pool = RayPool(cluster.address, {}, limit=300.0)
    found = {outcome.job: outcome for outcome in pools.run([("take_less", 0.5), ("give", 1)], pool_work.act, pool)}
    pool.close()
    assert (found["take_less", 0.5].failure.kind, found["take_less", 0.5].attempts) == ("TimeLimitError", 1)
    assert found["give", 1].result == 1


def test_without_ray_a_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'deepdreamer\[ray\]'"):
        RayPool(None, {})


def test_a_cluster_that_is_not_there_is_said():
    pytest.importorskip("ray")
    pool = RayPool("127.0.0.1:1", {})
    with pytest.raises(ClusterError, match="no Ray cluster at 127.0.0.1:1"):
        pool.capacity()
