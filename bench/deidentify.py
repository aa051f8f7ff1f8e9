"""What de-identification costs over reading the same rows: normalise, check character and birth date, encrypt.

In one process on the banks' files, each measured as CPU seconds of this process, in turn, the least of the repeats.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from bench.feeds import AS_OF
from bench.floor import LINES, lines
from connectors.registry import all_contracts
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.idnumber import is_valid, normalise_ids, pack_blocks
from pipelines.intake.files import read_batches


def cost(feeds: Path, repeat: int = 3) -> dict[str, Any]:
    """CPU seconds of the reader of the night, of DuckDB's scan of all columns, and of de-identifying what was read."""
    numbers: list[tuple[pa.Array, str]] = []

    def read() -> None:
        numbers.clear()
        numbers.extend(_numbers(feeds))

    read()
    parts: dict[str, Callable[[], object]] = {
        "reading_by_the_night": read,
        "reading_by_duckdb": lambda: _scan(feeds),
        "deidentifying": lambda: _deidentify(numbers),
    }
    seen: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(repeat):
        for name, part in parts.items():
            before = time.process_time()
            part()
            seen[name].append(time.process_time() - before)
    least = {name: round(min(times), 3) for name, times in seen.items()}
    rows = sum(len(column) for column, _ in numbers)
    return {
        "rows": rows,
        "cpu_seconds": least,
        "share_of_the_night's_reading": round(least["deidentifying"] / least["reading_by_the_night"], 3),
        "share_of_duckdb's_reading": round(least["deidentifying"] / least["reading_by_duckdb"], 3),
        "nanoseconds_per_row": round(least["deidentifying"] / rows * 1e9),
    }


def _numbers(feeds: Path) -> list[tuple[pa.Array, str]]:
    contract = all_contracts()["banks"].files[0]
    column = next(column.name for column in contract.columns if column.type == "id")
    found = []
    for path in sorted((feeds / "banks").glob("*.csv")):
        with path.open("rb") as stream:
            for batch in read_batches(stream, contract, path.name):
                found.append((batch.columns[column], batch.encoding))
    return found


def _scan(feeds: Path) -> None:
    """Every column through the parser, number and amount as values: Chinese text is not looked at."""
    pattern, columns, key, value, delimiter = LINES["banks"]
    with duckdb.connect(config={"threads": 1}) as con:
        scan = lines(feeds / "banks" / pattern, columns, delimiter)
        con.sql(f"select c{key}, c{value}, c3, c7 from {scan}").to_arrow_table()


def _deidentify(numbers: list[tuple[pa.Array, str]]) -> None:
    cipher, as_of = Tokeniser(bytes(32)), date.fromisoformat(AS_OF)
    for column, encoding in numbers:
        whole = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        ids = normalise_ids(whole, encoding)
        is_valid(ids.chars, as_of)
        cipher.tokens(pack_blocks(ids.chars))
