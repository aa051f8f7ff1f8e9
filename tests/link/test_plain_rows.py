"""Most rows find their record by position: whatever is delivered, they reach what sql/link/reach.sql says."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.registry import all_contracts, authorised_sources
from pipelines.intake.evidence_tables import evidence_schema, mark_repeated, open_evidence_rows, open_part
from pipelines.link import define_reach, link_night, load_linked, view_reach
from pipelines.settings import Settings

ASKED = pa.schema(
    [
        ("record", pa.int32()),
        ("household", pa.int32()),
        ("is_member", pa.bool_()),
        ("scopes", pa.uint64()),
        ("name_digest", pa.int64()),
        ("name_readable", pa.bool_()),
        ("person", pa.int32()),
        ("is_alone", pa.bool_()),
    ]
)
REACHED = "select row, person, record, how, is_repeated, row_digest from reach_{} order by all"


def asked_records(draw: random.Random) -> list[dict[str, object]]:
    """In the order of the persons; some are asked about twice, some have no readable name."""
    persons = sorted([*range(12), *draw.sample(range(12), 4)])
    return [
        {
            "record": 100 + place,
            "household": place,
            "is_member": draw.random() < 0.7,
            "scopes": draw.choice([0, (1 << 5) - 1, draw.randrange(32)]),
            "name_digest": draw.randrange(3),
            "name_readable": draw.random() < 0.8,
            "person": person,
            "is_alone": persons.count(person) == 1,
        }
        for place, person in enumerate(persons)
    ]


def delivered(draw: random.Random, source: str, rows: int) -> list[dict[str, object]]:
    """Rows of few people, few names and few digests, so that every case meets every other."""
    own = {
        "banks": {"bank_code": "B", "account_no": 1, "balance": 7, "balance_date": date(2026, 6, 1)},
        "tax": {"amount": 5, "tax_month": date(2026, 5, 1)},
    }[source]
    return [
        {
            "row": place,
            "person": draw.randrange(12),
            "name_digest": draw.randrange(3),
            "name_readable": draw.random() < 0.8,
            "is_upgraded": draw.random() < 0.2,
            "is_repaired": draw.random() < 0.2,
            "row_digest": draw.choice([draw.randrange(6), draw.getrandbits(62)]),
            **own,
        }
        for place in range(rows)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_plain_rows_reach_what_the_comparison_of_names_says(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    settings = Settings(tmp_path, date(2026, 6, 30))
    people = settings.work / "people"
    people.mkdir(parents=True)
    asked = pa.Table.from_pylist(asked_records(draw), ASKED)
    pq.write_table(asked, people / "asked_record.parquet", row_group_size=5)
    for source in ("banks", "tax"):
        file = all_contracts()[source].files[0]
        folder = settings.work / "evidence" / source
        folder.mkdir(parents=True)
        rows = pa.Table.from_pylist(delivered(draw, source, 120), evidence_schema(file))
        for number, part in enumerate((rows.slice(0, 50), rows.slice(50))):
            with open_part(folder, number, file) as writer:
                writer.write_table(part, max_chunksize=16)

    counts = link_night(settings)

    for source in ("banks", "tax"):
        file = all_contracts()[source].files[0]
        evidence = mark_repeated(open_evidence_rows(settings.work / "evidence" / source, file))
        with duckdb.connect(":memory:") as night, duckdb.connect(":memory:") as plainly:
            load_linked(night, settings)
            plainly.register("asked_record", asked)
            define_reach(plainly)
            view_reach(plainly, source, evidence)
            wanted = plainly.execute(REACHED.format(source)).fetchall()
            assert night.execute(REACHED.format(source)).fetchall() == wanted
            odd = f"select record, how from reach_{source} where how <> 'exact' order by all"
            hints = f"select record, how from inexact where source = '{source}' order by all"
            assert night.execute(hints).fetchall() == plainly.execute(odd).fetchall()

        exact = {row[0]: (row[1], row[5]) for row in wanted if row[3] == "exact"}
        bit = authorised_sources().index(source)
        allowed = {row["record"] for row in asked.to_pylist() if row["scopes"] >> bit & 1}
        assert counts[source]["linked"] == len(exact) > 0
        assert counts[source]["duplicate"] == len(exact) - len(set(exact.values())) > 0
        used = {row[0] for row in wanted if row[2] not in allowed}
        assert counts[source]["used_without_authorisation"] == len(used)
        assert counts[source]["evidence_rows"] == len(evidence)


def test_nobody_asked_about_and_nothing_delivered(tmp_path: Path) -> None:
    settings = Settings(tmp_path, date(2026, 6, 30))
    (settings.work / "people").mkdir(parents=True)
    pq.write_table(ASKED.empty_table(), settings.work / "people" / "asked_record.parquet")
    counts = link_night(settings)
    assert {one["linked"] + one["evidence_rows"] + one["evidence_sum"] for one in counts.values()} == {0}
    with duckdb.connect(":memory:") as night:
        load_linked(night, settings)
        assert night.execute("select count(*) from inexact").fetchall() == [(0,)]
