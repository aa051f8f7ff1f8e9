"""The nightly check against the floor, side by side in one run; growth, memory, and the second night."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import statistics
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from bench.feeds import AS_OF, size_of
from bench.tree import ROOT, Measured, measure

STARTUP_SECONDS = 8.0  # what a night costs however little there is to read; taken off before the ratio
# The night runs in the environment it is installed in: with pyspark beside it, the gates' imports end the process.
PRODUCT = ROOT / ".venv" / "bin" / "python"
PYTHON = os.environ.get("HEDUI_BENCH_PYTHON") or (str(PRODUCT) if PRODUCT.exists() else sys.executable)
CLI = [PYTHON, "-c", "from pipelines.cli import run; run()"]
_NEXT_DAY = "2026-07-01"
_PUBLISHED = frozenset({"nights", "audit", "keyring.json"})
_HELD = 3  # published, a source was not accepted: synthetic feeds may hold one


def run_floor(feeds: Path) -> Measured:
    return measure([sys.executable, "-m", "bench.floor", str(feeds)])


def run_nightly(feeds: Path, home: Path, as_of: str = AS_OF) -> Measured:
    """One whole night. Raises RuntimeError when nothing was published: a night that ended early is no measurement."""
    done = measure(
        [*CLI, "nightly", "--as-of", as_of, "--feeds", str(feeds), "--home", str(home)], accept=(0, _HELD)
    )
    if not (home / "nights" / f"{as_of}.json").is_file():
        raise RuntimeError(
            f"the night ended with {done.returncode} and published nothing:\n{done.stderr[-2000:]}"
        )
    return done


def compare(feeds: Path, repeat: int) -> dict[str, Any]:
    """Floor and night in turn, `repeat` times each, every night in a fresh home. Medians, and the ratios of them."""
    floors: list[Measured] = []
    nights: list[Measured] = []
    for _ in range(repeat):
        floors.append(run_floor(feeds))
        with tempfile.TemporaryDirectory(prefix="hedui-bench-") as home:
            nights.append(run_nightly(feeds, Path(home)))
    floor = _medians(floors)
    night = _medians(nights)
    return {
        "feeds": size_of(feeds),
        "repeat": repeat,
        "floor": floor,
        "nightly": night,
        "wall_ratio": _ratio(night, floor, "wall_seconds"),
        "cpu_ratio": _ratio(night, floor, "cpu_seconds"),
        "wall_ratio_without_startup": _ratio(night, floor, "wall_seconds", STARTUP_SECONDS),
        "cpu_ratio_without_startup": _ratio(night, floor, "cpu_seconds", STARTUP_SECONDS),
        "every_floor": [one.figures() for one in floors],
        "every_night": [one.figures() for one in nights],
        "stages": stage_seconds(nights[-1]),
    }


_STAGES = {
    "intake: roster": "people", "intake: departments": "feeds", "link": "link", "assess": "assess",
    "publish": "publish", "done": "done",
}  # fmt: skip


def stage_seconds(night: Measured) -> dict[str, float]:
    """Wall seconds of each stage of one night, from its progress lines; start: of Python and its imports."""
    marks = _stage_marks(night)
    spans = {name: round(after[0] - at, 2) for (at, name), after in pairwise(marks)}
    return {"start": round(night.wall - (marks[-1][0] if marks else 0.0), 2), **spans}


def cpu_of_feeds(night: Measured) -> float:
    """CPU seconds of the stage that reads the departments' feeds, as exact as the process tree was looked at."""
    marks = {name: at for at, name in _stage_marks(night)}
    start = night.wall - marks["done"]
    walls, spent = zip(*night.spent, strict=True)
    begun, ended = np.interp([start + marks["feeds"], start + marks["link"]], walls, spent)
    return round(float(ended - begun), 2)


def _stage_marks(night: Measured) -> list[tuple[float, str]]:
    return [
        (at, name) for at, text in night.stages for begins, name in _STAGES.items() if text.startswith(begins)
    ]


def second_night(feeds: Path, repeat: int) -> dict[str, Any]:
    """A night, then the next one with one feed changed; and that next one in full, with nothing kept but the lists.

    The next one and the same in full run in turn, `repeat` times each, from copies of the first one's home. Medians.

    The changed feed is market_regulation without its last row, its receipt fitting. Between the two days
    authorisations run out and others begin, and the day of rows that lay in the future comes, as in any feeds.
    reused: how much of each feed's reading the second night took from the first (`SourceResult`).
    """
    with tempfile.TemporaryDirectory(prefix="hedui-bench-") as folder:
        work = Path(folder)
        changed = work / "feeds"
        shutil.copytree(feeds, changed, copy_function=_link, ignore=shutil.ignore_patterns("truth"))
        _shorten(changed / "market_regulation")
        home = work / "home"
        first = run_nightly(feeds, home)
        seconds, fulls, seals = [], [], set()
        for turn in range(repeat):
            kept, other = work / f"kept-{turn}", work / f"other-{turn}"
            shutil.copytree(home, kept)
            # What a full run knows of the night before: the published night itself, nothing kept for a quicker one.
            shutil.copytree(home, other, ignore=lambda at, names: _unpublished(at, names, home))
            seconds.append(run_nightly(changed, kept, _NEXT_DAY))
            fulls.append(run_nightly(changed, other, _NEXT_DAY))
            seals |= {_seal(one, _NEXT_DAY) for one in (kept, other)}
            reused = _reused(kept)
            for one in (kept, other):
                shutil.rmtree(one)
    return {
        "repeat": repeat,
        "first_night": first.figures(),
        "second_night_one_feed_changed": _medians(seconds),
        "second_night_in_full": _medians(fulls),
        "feeds_cpu_seconds": statistics.median(cpu_of_feeds(one) for one in seconds),
        "feeds_cpu_seconds_in_full": statistics.median(cpu_of_feeds(one) for one in fulls),
        "every_second": [{**one.figures(), "feeds_cpu_seconds": cpu_of_feeds(one)} for one in seconds],
        "every_full": [{**one.figures(), "feeds_cpu_seconds": cpu_of_feeds(one)} for one in fulls],
        "reused": reused,
        "seals_agree": len(seals) == 1,
    }


def one_household(feeds: Path, repeat: int) -> dict[str, Any]:
    """`hedui household` for households of last night's list, each a process of its own."""
    with tempfile.TemporaryDirectory(prefix="hedui-bench-") as folder:
        home = Path(folder) / "home"
        run_nightly(feeds, home)
        seen: list[Measured] = []
        with (feeds / "roster" / "households.csv").open(encoding="utf-8-sig") as lines:
            next(lines)
            wanted = [line.split(",")[0] for line in lines if line.rstrip().endswith("在保")][::997]
        for household in wanted:
            if len(seen) == repeat:
                break
            command = [*CLI, "household", "--id", household, "--actor", "bench", "--reason", "measure"]
            done = measure([*command, "--home", str(home)], every=0.02, accept=(0, 1))
            if done.returncode == 0:
                seen.append(done)
    return {"checks": len(seen), **_medians(seen)}


def _medians(runs: list[Measured]) -> dict[str, float]:
    figures = [one.figures() for one in runs]
    return {name: round(statistics.median(one[name] for one in figures), 3) for name in figures[0]}


def _ratio(night: dict[str, float], floor: dict[str, float], figure: str, startup: float = 0.0) -> float:
    return round(max(night[figure] - startup, 0.0) / floor[figure], 2)


def _unpublished(at: str, names: list[str], home: Path) -> set[str]:
    return set(names) - _PUBLISHED if Path(at) == home else set()


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def _shorten(folder: Path) -> None:
    receipt = json.loads((folder / "receipt.json").read_bytes())
    last = receipt["files"][-1]
    path = folder / last["name"]
    lines = path.read_bytes().rstrip(b"\r\n").split(b"\n")
    path.unlink()  # it is a link to the original
    path.write_bytes(b"\n".join(lines[:-1]) + b"\n")
    last.update(rows=last["rows"] - 1, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    (folder / "receipt.json").unlink()
    (folder / "receipt.json").write_text(json.dumps(receipt), encoding="utf-8")


def _reused(home: Path) -> dict[str, list[str]]:
    """The sources that delivered something by what the latest night took of their last reading."""
    (path,) = (home / "evidence").glob("*/sources.json")
    found: dict[str, list[str]] = {}
    for source, result in json.loads(path.read_bytes()).items():
        if result["state"] == "accepted":
            found.setdefault(result["reused"], []).append(source)
    return found


def _seal(home: Path, as_of: str) -> str:
    seal: str = json.loads((home / "nights" / f"{as_of}.json").read_bytes())["seal"]
    return seal
