"""What de-identification costs over reading the same rows: normalise, check character and birth date, encrypt.

In one process on the banks' files, each measured as CPU seconds of this process, in turn, the least of the repeats:
the night's own reader with the number as a column nobody looks at, and with it judged and turned into tokens.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from bench.feeds import AS_OF
from bench.floor import LINES, lines
from connectors.contract import FileContract
from connectors.registry import all_contracts
from pipelines.identity.cipher import Tokeniser
from pipelines.intake.checks import Judging
from pipelines.intake.files import read_records


def cost(feeds: Path, repeat: int = 3) -> dict[str, Any]:
    """CPU seconds of the reader of the night without and with de-identification, and of DuckDB's scan."""
    contract = all_contracts()["banks"].files[0]
    unread = replace(contract, columns=tuple(
        replace(column, type="carried") if column.type == "id" else column for column in contract.columns
    ))  # fmt: skip
    parts: dict[str, Callable[[], int]] = {
        "reading_by_the_night": lambda: _read(feeds, unread, None),
        "reading_and_deidentifying": lambda: _read(feeds, contract, Tokeniser(bytes(32))),
        "reading_by_duckdb": lambda: _scan(feeds),
    }
    seen: dict[str, list[float]] = {name: [] for name in parts}
    rows = max(part() for part in parts.values())
    for _ in range(repeat):
        for name, part in parts.items():
            before = time.process_time()
            part()
            seen[name].append(time.process_time() - before)
    least = {name: round(min(times), 3) for name, times in seen.items()}
    deidentifying = least["reading_and_deidentifying"] - least["reading_by_the_night"]
    return {
        "rows": rows,
        "cpu_seconds": least,
        "share_of_the_night's_reading": round(deidentifying / least["reading_by_the_night"], 3),
        "share_of_duckdb's_reading": round(deidentifying / least["reading_by_duckdb"], 3),
        "nanoseconds_per_row": round(deidentifying / rows * 1e9),
    }


def _read(feeds: Path, file: FileContract, cipher: Tokeniser | None) -> int:
    """Rows read and judged; with a cipher every number that can be read becomes a token."""
    judging = Judging(date.fromisoformat(AS_OF), frozenset({"CNY", "USD", "HKD"}), frozenset(all_contracts()))
    rows = 0
    for path in sorted((feeds / "banks").glob("*.csv")):
        with path.open("rb") as stream:
            for judged in read_records(stream, file, path.name, judging):
                rows += len(judged.lines)
                if cipher is not None:
                    cipher.tokens(judged.id_blocks(np.flatnonzero(judged.formed())))
    return rows


def _scan(feeds: Path) -> int:
    """Every column through the parser, number and amount as values: Chinese text is not looked at."""
    pattern, columns, key, value, delimiter = LINES["banks"]
    with duckdb.connect(config={"threads": 1}) as con:
        scan = lines(feeds / "banks" / pattern, columns, delimiter)
        return len(con.sql(f"select c{key}, c{value}, c3, c7 from {scan}").to_arrow_table())
