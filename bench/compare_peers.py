"""Everybody on the same files in one run: same join, same sums; the floor and the whole night beside them."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb

from bench.feeds import size_of
from bench.ratios import run_nightly
from bench.tree import measure

PEERS = {
    "floor": "bench.floor",
    "hedui's readers": "bench.peers.hedui_readers",
    "polars": "bench.peers.polars_lazy",
    "pandas": "bench.peers.pandas_plain",
    "pandas, HMAC per row": "bench.peers.pandas_hmac",
    "splink, deterministic link": "bench.peers.splink_link",
    "spark local[2]": "bench.peers.spark_local",
}


def compare_peers(feeds: Path, repeat: int) -> dict[str, Any]:
    """Every peer and one night in turn, `repeat` times; medians, and how far each one's sums are from the floor's."""
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in [*PEERS, "hedui nightly (all of it)"]}
    with tempfile.TemporaryDirectory(prefix="hedui-bench-") as folder:
        work = Path(folder)
        outputs = {name: work / f"{module}.parquet" for name, module in PEERS.items()}
        for turn in range(repeat):
            for name, module in PEERS.items():
                command = [sys.executable, "-m", module, str(feeds), "--output", str(outputs[name])]
                seen[name].append(measure(command).figures())
            seen["hedui nightly (all of it)"].append(run_nightly(feeds, work / f"home-{turn}").figures())
        # HMAC leaves other keys than the floor's: its sums cannot be compared number by number.
        apart = {name: _apart(outputs["floor"], path) for name, path in outputs.items() if "HMAC" not in name}
    rows = []
    for name, runs in seen.items():
        medians = {figure: round(statistics.median(run[figure] for run in runs), 2) for figure in runs[0]}
        module = PEERS.get(name)
        command = f"python -m {module} FEEDS" if module else "hedui nightly --as-of 2026-06-30 --feeds FEEDS"
        rows.append({"who": name, "command": command, **medians, "sums_unlike_the_floor": apart.get(name)})
    return {"feeds": size_of(feeds), "repeat": repeat, "rows": rows}


def _apart(floor: Path, peer: Path) -> float:
    """Share of (source, number) whose count differs: readers differ in which broken lines they pass over."""
    row = duckdb.execute(
        """
        select count(*) filter (f.records is distinct from p.records) / count(*)
        from read_parquet($floor) as f full outer join read_parquet($peer) as p using (source, id)
        """,
        {"floor": str(floor), "peer": str(peer)},
    ).fetchone()
    assert row is not None
    return round(float(row[0]), 6)
