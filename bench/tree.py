"""Run one command and measure it whole: wall, CPU of it and all its children, peak memory of the process tree."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROGRESS = re.compile(r"^\[\s*([0-9.]+) s\] (.*)$")


@dataclass
class Measured:
    """wall, cpu: seconds; peak_rss_mb: largest sum of resident memory over the tree, shared pages counted by each
    process that maps them (so never too low); stages: (seconds since start, text) of the progress lines; spent: (wall
    seconds since start, CPU seconds of the tree so far) as often as it was looked at."""

    wall: float
    cpu: float
    peak_rss_mb: int
    returncode: int
    stdout: str
    stderr: str
    stages: list[tuple[float, str]] = field(default_factory=list)
    spent: list[tuple[float, float]] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        return {
            "wall_seconds": round(self.wall, 3),
            "cpu_seconds": round(self.cpu, 3),
            "peak_rss_mb": self.peak_rss_mb,
        }


def look_at_tree(root: int) -> tuple[int, dict[int, float]]:
    """Resident bytes of a process and its descendants, now, and the CPU seconds each of them has used."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(after_name[1])
            used[int(entry.name)] = (int(after_name[11]) + int(after_name[12])) / _TICKS
    tree, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in tree} - tree
        tree, grown = tree | more, bool(more)
    total = 0
    for pid in tree:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
        except OSError:
            continue
    return total, {pid: used[pid] for pid in tree if pid in used}


def measure(
    command: Sequence[str],
    environ: Mapping[str, str] | None = None,
    every: float = 0.1,
    accept: Sequence[int] = (0,),
) -> Measured:
    """Run a command to its end. Raises RuntimeError, with its last words, when it ends otherwise than `accept`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, env=environment)
        peak, ended = 0, threading.Event()
        used: dict[int, float] = {}
        spent: list[tuple[float, float]] = []

        def watch() -> None:
            nonlocal peak
            while not ended.wait(every):
                resident, now = look_at_tree(process.pid)
                peak = max(peak, resident)
                used.update(now)
                spent.append((time.perf_counter() - started, sum(used.values())))

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        watcher.join()
        out.seek(0)
        err.seek(0)
        stdout, stderr = out.read().decode("utf-8", "replace"), err.read().decode("utf-8", "replace")
    if process.returncode not in accept:
        raise RuntimeError(f"{' '.join(command[:6])} … ended with {process.returncode}:\n{stderr[-2000:]}")
    stages = [(float(m[1]), m[2]) for line in stderr.splitlines() if (m := _PROGRESS.match(line))]
    peak = max(peak, usage.ru_maxrss * 1024)
    # The system adds up the processes that somebody waited for; a JVM left behind at the end is only in the samples.
    cpu = max(usage.ru_utime + usage.ru_stime, sum(used.values()))
    return Measured(wall, cpu, peak >> 20, process.returncode, stdout, stderr, stages, spent)
