"""Polars: lazy scans, semi-join, group_by, run by the streaming engine."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa

from bench.floor import LINES, ROSTER, read_objects
from bench.peers.given import run_peer


def scan(path: Path, columns: int, separator: str) -> pl.LazyFrame:
    """GB18030 as UTF-8 with losses: number and amount are ASCII."""
    return pl.scan_csv(
        path, separator=separator, has_header=False, skip_lines=1, encoding="utf8-lossy",
        schema={f"c{n}": pl.String for n in range(columns)}, quote_char='"' if separator == "," else None,
        truncate_ragged_lines=True, ignore_errors=True, glob=True,
    )  # fmt: skip


def person_sums(feeds: Path) -> pa.Table:
    roster = [
        scan(feeds / "roster" / name, columns, ",").select(pl.col(f"c{key}").str.strip_chars().alias("id"))
        for name, (columns, key) in ROSTER.items()
    ]
    _, people, _ = pl.collect_all(roster, engine="streaming")
    people = people.lazy().unique()
    parts = []
    for source, (pattern, columns, key, value, separator) in LINES.items():
        amount = pl.col(f"c{value}").cast(pl.Float64, strict=False) if value is not None else pl.lit(0.0)
        for path in sorted((feeds / source).glob(pattern)):
            rows = scan(path, columns, separator)
            parts.append(
                rows.select(
                    pl.lit(source).alias("source"), pl.col(f"c{key}").alias("id"), amount.alias("amount")
                )
            )
    parts.append(pl.from_arrow(read_objects(feeds)).lazy())
    return (
        pl.concat(parts)
        .join(people, on="id", how="semi")
        .group_by("source", "id")
        .agg(pl.len().alias("records"), pl.col("amount").sum())
        .collect(engine="streaming")
        .to_arrow()
    )


if __name__ == "__main__":
    run_peer(person_sums)
