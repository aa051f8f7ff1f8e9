"""pandas: read_csv of the columns that are needed, semi-join by isin, groupby.

GB18030 is read as latin-1, faster by far than decoding it: number and amount are ASCII.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa

from bench.floor import LINES, ROSTER, read_objects
from bench.peers.given import run_peer


def read(path: Path, columns: int, wanted: list[int], separator: str) -> pd.DataFrame:
    return pd.read_csv(
        path, sep=separator, header=None, skiprows=1, names=range(columns), index_col=False, usecols=wanted,
        dtype=str, encoding="latin-1", on_bad_lines="skip", quoting=0 if separator == "," else 3, na_filter=False,
    )  # fmt: skip


def person_sums(feeds: Path, key_of: Callable[[pd.Series], pd.Series] | None = None) -> pa.Table:
    """key_of: what stands for the number in the join (None: the number itself)."""
    roster = {
        name: read(feeds / "roster" / name, columns, [key], ",") for name, (columns, key) in ROSTER.items()
    }
    people = roster["members.csv"][1].str.strip()
    people = (people if key_of is None else key_of(people)).unique()
    parts = []
    for source, (pattern, columns, key, value, separator) in LINES.items():
        wanted = [key] if value is None else [key, value]
        files = [read(path, columns, wanted, separator) for path in sorted((feeds / source).glob(pattern))]
        rows = pd.concat(files, ignore_index=True)
        amounts = pd.to_numeric(rows[value], errors="coerce") if value is not None else 0.0
        parts.append(pd.DataFrame({"source": source, "id": rows[key], "amount": amounts}))
    parts.append(read_objects(feeds).to_pandas())
    every = pd.concat(parts, ignore_index=True)
    if key_of is not None:
        every["id"] = key_of(every["id"])
    known = every[every["id"].isin(people)]
    sums = known.groupby(["source", "id"], sort=False)["amount"].agg(["size", "sum"]).reset_index()
    return pa.Table.from_pandas(
        sums.set_axis(["source", "id", "records", "amount"], axis=1), preserve_index=False
    )


if __name__ == "__main__":
    run_peer(person_sums)
