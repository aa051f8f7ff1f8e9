"""Run the pipeline and the oracle on the same worlds and tell every difference.

python -m tests.oracle.compare --seeds 0-50 [--nights 3] [--keep DIR]
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from .reference import NightFailed, OracleNight, night
from .world import as_of, write_world

ROOT = Path(__file__).parents[2]
PERSON_RULES = {"D01", "D02", "D03", "B01", "B02", "S01", "X01", "X02", "X03", "X04", "N03", "U02"}
LISTS = {"discrepancies": "家庭编号", "newly-eligible": "户编号"}
Run = Callable[[list[str]], tuple[int, str, str]]


def run_subprocess(arguments: list[str]) -> tuple[int, str, str]:
    """(exit status, stdout, stderr)"""
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def run_in_process(arguments: list[str]) -> tuple[int, str, str]:
    from pipelines.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(arguments)
        except SystemExit as left:
            status = left.code if isinstance(left.code, int) else 1
        except Exception:  # (as an interpreter would: traceback, exit status 1)
            traceback.print_exc()
            status = 1
    return status or 0, out.getvalue(), err.getvalue()


# --- what the pipeline says -----------------------------------------------------------------------------------------


class ExportFailed(Exception):
    pass


def export(run: Run, name: str, day: str, home: Path, folder: Path) -> list[dict[str, str]]:
    file = folder / f"{name}.csv"
    status, _, err = run(
        ["export", name, "--as-of", day, "--format", "csv", "--output", str(file),
         "--actor", "核验员", "--reason", "比对",
         "--home", str(home)]
    )  # fmt: skip
    if status:
        raise ExportFailed(f"export {name} gave {status}: {err[-800:]}")
    data = file.read_bytes()
    if not data.startswith(b"\xef\xbb\xbf") or data.count(b"\n") != data.count(b"\r\n"):
        raise ExportFailed(f"{name}.csv is not UTF-8 with BOM and CRLF")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


# --- differences ----------------------------------------------------------------------------------------------------


def _same(a: str, b: str) -> bool:
    if a == b:
        return True
    try:
        return Decimal(a) == Decimal(b)
    except InvalidOperation:
        return False


def _walk(wanted: Any, given: Any, path: str) -> list[str]:
    if isinstance(wanted, dict) and isinstance(given, dict):
        found = []
        for key, value in wanted.items():
            if key == "reason" and wanted.get("state") == "missing":
                continue  # a missing source has no reason to give
            found += _walk(value, given.get(key), f"{path}.{key}")
        return found
    return [] if wanted == given else [f"{path}: oracle {wanted!r}, pipeline {given!r}"]


def lead_key(row: dict[str, str], household: str) -> tuple[str, str, str]:
    rule = row["规则代码"]
    return rule, row[household], row["公民身份号码"] if rule in PERSON_RULES else ""


def compare_lists(wanted: list[dict[str, str]], given: list[dict[str, str]], household: str) -> list[str]:
    found = []
    ours = {lead_key(r, household): r for r in wanted}
    theirs = {lead_key(r, household): r for r in given}
    if len(theirs) != len(given):
        found.append(f"{len(given) - len(theirs)} leads twice in the pipeline's list")
    for key in ours.keys() - theirs.keys():
        found.append(f"{key}: only the oracle has {brief(ours[key])}")
    for key in theirs.keys() - ours.keys():
        found.append(f"{key}: only the pipeline has {brief(theirs[key])}")
    for key in ours.keys() & theirs.keys():
        differing = [
            f"{c} oracle {v!r}, pipeline {theirs[key].get(c)!r}"
            for c, v in ours[key].items()
            if not _same(v, theirs[key].get(c) or "")
        ]
        if differing:
            found.append(f"{key}: " + "; ".join(differing))
    if not found and list(ours) != list(theirs):
        at = next(i for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b)
        found.append(f"order differs from row {at + 1}: oracle {list(ours)[at]}, pipeline {list(theirs)[at]}")
    return sorted(found)


def brief(row: dict[str, str]) -> str:
    columns = (
        "状态",
        "核对值",
        "标准值",
        "人均月收入",
        "收入标准",
        "人均金融资产",
        "资产标准",
        "公民身份号码",
    )
    return ", ".join(f"{c} {row[c]}" for c in columns if row.get(c))


def compare_quarantine(oracle: OracleNight, given: list[dict[str, str]]) -> list[str]:
    """Rows of a source held for another reason than bad rows are left out: how much of it was read is open."""
    states = oracle.status["sources"]
    unclear = {n for n, s in states.items() if s["reason"] not in (None, "too_many_bad_rows")}
    skipped = {Path(r["文件"]).name for r in oracle.quarantine if r["数据来源"] in unclear}

    def rows(table: list[dict[str, str]]) -> Counter[tuple[str, str, str]]:
        return Counter(
            (Path(r["文件"]).name, r["行号"], r["原因"]) for r in table if Path(r["文件"]).name not in skipped
        )

    ours, theirs = rows(oracle.quarantine), rows(given)
    return [f"quarantine: only the oracle has {k}" for k in sorted((ours - theirs).elements())] + [
        f"quarantine: only the pipeline has {k}" for k in sorted((theirs - ours).elements())
    ]


def compare_night(run: Run, world: Path, home: Path, day: str, oracle: OracleNight | None) -> list[str]:
    """`oracle` None: the night had to fail."""
    status, out, err = run(
        ["nightly", "--as-of", day, "--feeds", str(world / "feeds"), "--home", str(home), "--policy",
         str(world / "policy.toml")]
    )  # fmt: skip
    wanted = 1 if oracle is None else 0 if oracle.status["complete"] else 3
    if status != wanted:
        return [f"exit status: oracle {wanted}, pipeline {status}\n      {(err or out)[-1500:].strip()}"]
    if oracle is None:
        return []
    status, out, err = run(["status", "--as-of", day, "--json", "--home", str(home)])
    if status:
        return [f"status gave {status}: {err[-800:]}"]
    found = _walk(oracle.status, json.loads(out), "status")
    for name, household in LISTS.items():
        wanted_rows = oracle.discrepancies if name == "discrepancies" else oracle.newly_eligible
        try:
            found += compare_lists(wanted_rows, export(run, name, day, home, world), household)
        except ExportFailed as failed:
            found.append(str(failed))
    try:
        found += compare_quarantine(oracle, export(run, "quarantine", day, home, world))
    except ExportFailed as failed:
        found.append(str(failed))
    return found


def compare_seed(seed: int, nights: int, folder: Path, run: Run = run_subprocess) -> list[str]:
    """Every difference of a seed's nights; both sides follow their own last published night."""
    found: list[str] = []
    previous: OracleNight | None = None
    for at in range(nights):
        world = folder / f"night-{at}"
        write_world(world, seed, at)
        try:
            tonight = night(world / "feeds", world / "policy.toml", as_of(seed, at), previous)
        except NightFailed:
            tonight = None
        day = as_of(seed, at).isoformat()
        differences = compare_night(run, world, folder / "home", day, tonight)
        found += [f"night {at} ({day}) {d}" for d in differences]
        previous = tonight or previous
        if any("exit status" in d for d in differences):
            break
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-10")
    parser.add_argument("--nights", type=int, default=3)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--in-process", action="store_true")
    chosen = parser.parse_args()
    first, _, last = chosen.seeds.partition("-")
    differing = 0
    for seed in range(int(first), int(last or first) + 1):
        with tempfile.TemporaryDirectory() as temporary:
            folder = (chosen.keep or Path(temporary)) / f"seed-{seed}"
            found = compare_seed(
                seed, chosen.nights, folder, run_in_process if chosen.in_process else run_subprocess
            )
        print(f"seed {seed}: " + ("same" if not found else f"{len(found)} differences"), flush=True)
        for difference in found:
            print("   ", difference)
        differing += bool(found)
    print(f"{differing} seeds differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
