"""The floor: what merely reading the same bytes, joining on the plain number and adding up costs.

    python -m bench.floor FEEDS [--threads 2] [--output people.parquet]

The fastest well-kept reader for each format: DuckDB for lines, orjson for JSON, calamine for workbooks. GB18030 files
are given to DuckDB as if they were UTF-8: it looks only at the columns that are asked for, and numbers, amounts,
commas and line ends are plain ASCII in both (its latin-1 refuses the bytes 0x80 to 0x9F). No receipt, no validation,
no de-identification, no names, no evidence; a row that the reader cannot split, or an amount it cannot read, is
passed over.
Prints one JSON object; with `--output`, writes the sums per person for a comparison with the peers.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import duckdb
import orjson
import pyarrow as pa
from python_calamine import CalamineWorkbook

# source: file pattern, columns in a line, position of the number, position of the amount, delimiter
LINES = {
    "tax": ("income-*.csv", 7, 0, 4, ","),
    "banks": ("*.csv", 8, 0, 6, ","),
    "market_regulation": ("interests-*.csv", 9, 0, 6, ","),
    "household_registration": ("persons-*.txt", 9, 1, None, "|"),
}
ROSTER = {"households.csv": (11, 0), "members.csv": (9, 1), "authorisations.csv": (5, 1)}


def lines(pattern: Path, columns: int, delimiter: str) -> str:
    """A DuckDB scan of delimited files, every column a text named c0, c1, …"""
    names = ", ".join(f"'c{n}': 'varchar'" for n in range(columns))
    quote = "'\"'" if delimiter == "," else "''"
    return (
        f"read_csv('{pattern}', columns = {{{names}}}, header = true, delim = '{delimiter}', quote = {quote},"
        f" escape = {quote}, auto_detect = false, ignore_errors = true, strict_mode = false)"
    )


def amount(value: object) -> float:
    """A JSON amount as it stands; what is no number is nothing here."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return 0.0


def read_objects(feeds: Path) -> pa.Table:
    """JSON, JSON lines and workbooks: (source, id, amount)."""
    numbers: list[object] = []
    amounts: list[float] = []
    for path in sorted((feeds / "insurance").glob("policies-*.json")):
        for row in orjson.loads(path.read_bytes())["policies"]:
            if isinstance(row, dict):
                numbers.append(row.get("holder_id_number"))
                amounts.append(amount(row.get("cash_value")))
    insurance = len(numbers)
    for path in sorted((feeds / "securities").glob("holdings-*.jsonl")):
        for line in path.read_bytes().split(b"\n"):
            try:
                row = orjson.loads(line)
                numbers.append(row.get("id_number"))
            except (orjson.JSONDecodeError, AttributeError):
                continue
            amounts.append(amount(row.get("market_value")) + amount(row.get("cash_balance")))
    securities = len(numbers)
    for path in sorted((feeds / "rural_revitalisation").glob("*.xlsx")):
        for cells in CalamineWorkbook.from_path(path).get_sheet_by_name("监测对象").to_python()[2:]:
            numbers.append(cells[5])
            amounts.append(amount(cells[10]))
    kinds = ["insurance"] * insurance + ["securities"] * (securities - insurance)
    kinds += ["rural_revitalisation"] * (len(numbers) - securities)
    texts = pa.array([n if isinstance(n, str) else str(n) for n in numbers], pa.string())
    return pa.table({"source": pa.array(kinds), "id": texts, "amount": amounts})


def read_lines(con: duckdb.DuckDBPyConnection, feeds: Path) -> None:
    """Delimited files into sums per person of the roster: tables person(id) and total(source, id, records, amount)."""
    for name, (columns, key) in ROSTER.items():
        scan = lines(feeds / "roster" / name, columns, ",")
        con.execute(f"create table {Path(name).stem} as select trim(c{key}) as id from {scan}")
    con.execute("create table person as select distinct id from members")
    con.execute("create table total (source varchar, id varchar, records bigint, amount double)")
    for source, (pattern, columns, key, value, delimiter) in LINES.items():
        scan = lines(feeds / source / pattern, columns, delimiter)
        sums = f"sum(try_cast(c{value} as double))" if value is not None else "null"
        con.execute(
            f"insert into total select '{source}', c{key}, count(*), {sums} from {scan} as feed"
            f" where c{key} in (select id from person) group by c{key}"
        )


def run_floor(feeds: Path, threads: int) -> duckdb.DuckDBPyConnection:
    """Everything read, joined and summed: table total(source, id, records, amount)."""
    con = duckdb.connect(config={"threads": threads})
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        objects = pool.submit(read_objects, feeds)  # the second process, while DuckDB reads lines
        read_lines(con, feeds)
        con.register("object", objects.result())
    con.execute(
        "insert into total select source, id, count(*), sum(amount) from object"
        " where id in (select id from person) group by source, id"
    )
    return con


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("feeds", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    started = time.perf_counter()
    con = run_floor(given.feeds, given.threads)
    found = con.execute("select count(*), sum(records) from total").fetchone()
    seconds = time.perf_counter() - started
    if given.output:
        con.execute(f"copy total to '{given.output}' (format parquet)")
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({
        "wall_seconds": round(seconds, 3),
        "cpu_seconds": round(own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, 3),
        "peak_rss_mb": (own.ru_maxrss + children.ru_maxrss) // 1024,
        "people_with_a_sum": found[0] if found else 0,
        "records_matched": int(found[1]) if found else 0,
    }))  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
