"""What every peer is given, and how it hands its sums back; nothing here is measured against anybody.

JSON and workbooks are read by the same code for all (bench.floor.read_objects: orjson, calamine), so that the peers
differ in what they are for: lines, the join and the sums.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def run_peer(sums: Callable[[Path], pa.Table]) -> None:
    """sums: feeds folder to a table (source, id, records, amount); prints its size and writes it with --output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("feeds", type=Path)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    started = time.perf_counter()
    table = sums(given.feeds)
    seconds = time.perf_counter() - started
    if given.output:
        pq.write_table(table, given.output)
    print(json.dumps({"inner_seconds": round(seconds, 3), "sums": len(table)}))
