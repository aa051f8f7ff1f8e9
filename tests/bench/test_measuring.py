"""What the benchmarks say about a command is what the command used."""

import sys

import pytest

from bench.ratios import stage_seconds
from bench.repair import draw_trial, mend_by_rule, score
from bench.tree import Measured, measure


def test_a_child_process_counts_towards_cpu_and_memory():
    child = "b = bytearray(200 << 20); b[::4096] = bytes(len(b[::4096])); sum(range(10_000_000)); import time; time.sleep(0.3)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    done = measure([sys.executable, "-c", parent], every=0.02)
    assert done.peak_rss_mb > 200
    assert done.cpu > 0.1


def test_a_child_that_nobody_waits_for_counts_too():
    child = "import time; end = time.process_time() + 0.6\nwhile time.process_time() < end: pass"
    parent = f"""import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {child!r}])
time.sleep(2)
os._exit(0)"""
    assert measure([sys.executable, "-c", parent], every=0.02).cpu > 0.5


def test_a_command_that_fails_is_told_with_its_last_words():
    with pytest.raises(RuntimeError, match="no feeds here"):
        measure([sys.executable, "-c", "import sys; sys.exit('no feeds here')"])


def test_stage_times_come_from_the_progress_lines():
    stages = [(0.0, "intake: roster and monitored households"), (2.0, "intake: departments' feeds"),
              (4.0, "intake: tax accepted, 9 rows"), (5.0, "link: who is who"), (6.5, "assess: rules"),
              (7.0, "publish"), (7.5, "done")]  # fmt: skip
    night = Measured(10.0, 0.0, 0, 0, "", "", stages)
    assert stage_seconds(night) == {
        "start": 2.5, "people": 2.0, "feeds": 3.0, "link": 1.5, "assess": 0.5, "publish": 0.5,
    }  # fmt: skip


def test_the_rule_mends_single_mistakes_and_joins_nobody_wrongly():
    trial = draw_trial(people=2_000, rows=400, seed=3)
    found = score(trial, mend_by_rule(trial))
    assert found["wrong"] == 0
    assert 0.7 < found["recall"] < 0.9  # two mistakes, misspelt and unreadable names stay unmended
