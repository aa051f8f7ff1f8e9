"""Splink's deterministic link on its DuckDB backend: one rule, the number is equal; then the sums over the pairs."""

from __future__ import annotations

import logging
from pathlib import Path

import duckdb
import pyarrow as pa
from splink import Linker, SettingsCreator, block_on
from splink.backends.duckdb import DuckDBAPI

from bench.floor import LINES, ROSTER, lines, read_objects
from bench.peers.given import run_peer


def person_sums(feeds: Path) -> pa.Table:
    logging.getLogger("splink").setLevel(logging.ERROR)
    con = duckdb.connect(config={"threads": 2})
    for name, (columns, key) in ROSTER.items():
        scan = lines(feeds / "roster" / name, columns, ",")
        con.execute(f"create table {Path(name).stem} as select trim(c{key}) as id from {scan}")
    con.execute(
        "create table person as select row_number() over () as unique_id, id from (select distinct id from members)"
    )
    con.register("object", read_objects(feeds))
    selects = ["select source, id, amount from object"]
    for source, (pattern, columns, key, value, delimiter) in LINES.items():
        amount = f"try_cast(c{value} as double)" if value is not None else "null::double"
        scan = lines(feeds / source / pattern, columns, delimiter)
        selects.append(f"select '{source}' as source, c{key} as id, {amount} as amount from {scan}")
    con.execute(
        f"create table feed as select row_number() over () as unique_id, * from ({' union all '.join(selects)})"
    )
    api = DuckDBAPI(connection=con)
    settings = SettingsCreator(
        link_type="link_only",
        blocking_rules_to_generate_predictions=[block_on("id")],
        retain_matching_columns=False,
    )
    frames = [api.register(name) for name in ("person", "feed")]
    pairs = Linker(frames, settings).inference.deterministic_link()
    # The feed's record stands left or right, as the data sets' names sort.
    return con.sql(
        f"""
        select f.source, f.id, count(*) as records, sum(f.amount) as amount
        from {pairs.physical_name} as p
        join feed as f
            on f.unique_id = case when p.source_dataset_l = 'feed' then p.unique_id_l else p.unique_id_r end
        group by f.source, f.id
        """
    ).to_arrow_table()


if __name__ == "__main__":
    run_peer(person_sums)
