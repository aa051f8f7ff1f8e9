"""One night at a time in a home: a whole run and a chain of tasks exclude each other, and the dead are no obstacle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.lease import (
    SILENCE,
    HomeBusy,
    LeaseLost,
    one_night_at_a_time,
    return_lease,
    take_lease,
    under_lease,
)

HOLD = """
import sys, time
from pathlib import Path
from pipelines.lease import one_night_at_a_time, under_lease
hold = one_night_at_a_time(Path(sys.argv[1])) if sys.argv[2] == "whole" else under_lease(Path(sys.argv[1]), sys.argv[2])
with hold:
    print("holding", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def elsewhere(tmp_path):
    """Hold the home in another process: a whole run, or a task of a run."""
    started = []

    def hold(run):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path), run], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "holding\n"
        return process

    yield hold
    for process in started:
        process.kill()
        process.wait()


def test_a_whole_run_keeps_a_chain_of_tasks_out(tmp_path, elsewhere):
    elsewhere("whole")
    with pytest.raises(HomeBusy):
        take_lease(tmp_path, "dag one")


def test_a_chain_of_tasks_keeps_a_whole_run_out_also_between_its_tasks(tmp_path):
    take_lease(tmp_path, "dag one", os.getpid())
    with pytest.raises(HomeBusy, match="dag one"), one_night_at_a_time(tmp_path):
        pass
    assert return_lease(tmp_path, "dag one")
    with one_night_at_a_time(tmp_path):
        pass


def test_a_running_task_keeps_everybody_else_out(tmp_path, elsewhere):
    take_lease(tmp_path, "dag one")
    elsewhere("dag one")
    with pytest.raises(HomeBusy), one_night_at_a_time(tmp_path):
        pass
    with pytest.raises(HomeBusy):
        take_lease(tmp_path, "dag two")


def test_tasks_of_one_run_work_side_by_side(tmp_path, elsewhere):
    take_lease(tmp_path, "dag one")
    elsewhere("dag one")
    with under_lease(tmp_path, "dag one"):
        pass


def test_a_run_whose_process_was_killed_is_taken_over_at_once_and_fenced_off(tmp_path, elsewhere):
    keeper = elsewhere("whole")
    keeper.kill()
    keeper.wait()
    sleeper = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    take_lease(tmp_path, "dag one", sleeper.pid)
    with pytest.raises(HomeBusy):
        take_lease(tmp_path, "dag two", os.getpid())
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet asked after
    take_lease(tmp_path, "dag two", os.getpid())
    sleeper.wait()
    with pytest.raises(LeaseLost), under_lease(tmp_path, "dag one"):
        pass
    assert not return_lease(tmp_path, "dag one")


def test_a_silent_run_is_taken_over_after_a_while(tmp_path):
    take_lease(tmp_path, "dag one")
    lease = json.loads((tmp_path / "lease.json").read_text())
    for silence, is_over in ((SILENCE - timedelta(minutes=1), False), (SILENCE + timedelta(minutes=1), True)):
        lease["renewed_at"] = (datetime.now(UTC) - silence).isoformat()
        (tmp_path / "lease.json").write_text(json.dumps(lease))
        if is_over:
            take_lease(tmp_path, "dag two")
        else:
            with pytest.raises(HomeBusy):
                take_lease(tmp_path, "dag two")


def test_every_task_says_that_the_run_is_alive(tmp_path):
    take_lease(tmp_path, "dag one")
    lease = json.loads((tmp_path / "lease.json").read_text())
    lease["renewed_at"] = (datetime.now(UTC) - SILENCE * 2).isoformat()
    (tmp_path / "lease.json").write_text(json.dumps(lease))
    with under_lease(tmp_path, "dag one"):
        pass
    with pytest.raises(HomeBusy):
        take_lease(tmp_path, "dag two")


def test_a_whole_run_after_a_crashed_chain_fences_it_off(tmp_path):
    over = subprocess.Popen(["true"])
    over.wait()
    take_lease(tmp_path, "dag one", over.pid)
    with one_night_at_a_time(tmp_path):
        pass
    with pytest.raises(LeaseLost), under_lease(tmp_path, "dag one"):
        pass


def test_a_torn_lease_is_no_obstacle(tmp_path):
    (tmp_path / "lease.json").write_text('{"run": "dag')
    take_lease(tmp_path, "dag two")
