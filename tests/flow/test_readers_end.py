"""Readers of feeds end with the night that started them, even when that was killed in the middle of a file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NIGHT = """
import os, sys, threading, time
from pipelines.reader_pool import open_reader_pool

if "beside another thread" in sys.argv:
    threading.Thread(target=time.sleep, args=[60], daemon=True).start()
with open_reader_pool(2) as pool:
    print(*{pool.submit(os.getpid).result() for _ in range(2)}, flush=True)
    print(*pool._processes, flush=True)
    list(pool.map(time.sleep, [60, 60]))
"""


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


@pytest.mark.parametrize("how", ["alone", "beside another thread"])
def test_a_killed_night_leaves_no_reader_behind(how: str) -> None:
    night = subprocess.Popen(
        [sys.executable, "-c", NIGHT, how],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert night.stdout
    readers = {int(number) for line in (night.stdout.readline() for _ in range(2)) for number in line.split()}
    try:
        assert readers and all(is_running(reader) for reader in readers)
        os.kill(night.pid, signal.SIGKILL)
        until = time.monotonic() + 5
        while any(is_running(reader) for reader in readers) and time.monotonic() < until:
            time.sleep(0.01)
        assert not [reader for reader in readers if is_running(reader)]
    finally:
        night.wait()
        for reader in readers:
            if is_running(reader):
                os.kill(reader, signal.SIGKILL)
