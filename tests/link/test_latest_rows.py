"""Rows of an account's latest day are found by comparing rows: what a record holds is what SQL alone finds."""

from __future__ import annotations

import random
from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pytest

from pipelines.latest_rows import part_by_day
from pipelines.link import drop_latest_banks, part_banks, view_latest_banks
from pipelines.warehouse import build_table, insert_arrow

AS_OF = date(2026, 6, 30)
SCHEMA = pa.schema(
    [
        ("record", pa.int32()),
        ("bank_code", pa.string()),
        ("account_no", pa.int64()),
        ("account_type", pa.string()),
        ("currency", pa.string()),
        ("balance", pa.int64()),
        ("balance_date", pa.date32()),
        ("how", pa.string()),
    ]
)


def told(draw: random.Random, record: int | None, **own: object) -> dict[str, object]:
    """Few accounts, days and amounts, so that every case meets every other; some days are too long ago."""
    return {
        "record": record,
        "bank_code": draw.choice(["102100", "103", "", "农商行"]),
        "account_no": draw.choice([7, -(2**63), 2**63 - 1]),
        "account_type": draw.choice(["活期", "定期"]),
        "currency": draw.choice(["CNY", "CNY", "USD"]),
        "balance": draw.choice([-5, 0, 10, 20, 2**62]),
        "balance_date": AS_OF - timedelta(days=draw.choice([0, 1, 29, 90, 91, 200])),
        "how": "exact",
        **own,
    }


def delivered(draw: random.Random) -> tuple[pa.Table, pa.Table]:
    """Plain rows, of which some reach nobody, and uncommon ones; one record has rows in hundreds."""
    plain = [told(draw, draw.choice([None, *range(40)])) for _ in range(600)]
    plain += [told(draw, 40) for _ in range(150)]
    draw.shuffle(plain)
    uncommon = [told(draw, draw.randrange(45), how=draw.choice(["exact", "repaired"])) for _ in range(80)]
    parts = [pa.Table.from_pylist(part, SCHEMA) for part in (plain[:301], plain[301:])]
    return pa.concat_tables(part.slice(1) for part in parts), pa.Table.from_pylist(uncommon, SCHEMA)


def assets(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    fx = pa.table({"currency": ["CNY", "USD"], "rate8": pa.array([10**8, 712_340_000], pa.int64())})
    insert_arrow(con, "fx", fx)
    build_table(con, "assess/bank_asset", as_of=AS_OF, evidence_max_age_days=90)
    return con.execute("from bank_asset order by all").fetchall()


@pytest.mark.parametrize("seed", range(4))
def test_what_is_found_by_comparing_rows_is_what_the_statement_finds_in_all(seed: int) -> None:
    plain, uncommon = delivered(random.Random(seed))
    with duckdb.connect(":memory:") as night, duckdb.connect(":memory:") as household:
        view_latest_banks(night, part_banks(plain, uncommon))
        ((first, standing, all_parted),) = night.execute(
            "select count(*) filter (is_first), count(*) filter (stands), count(*) from latest_banks"
        ).fetchall()
        assert 0 < first < standing < all_parted < len(plain)

        insert_arrow(household, "reach_banks", pa.concat_tables([plain.drop_null(), uncommon]))
        view_latest_banks(household)
        found = assets(household)
        assert len(found) > 20
        assert assets(night) == found

        drop_latest_banks(night)
        with pytest.raises(duckdb.CatalogException):
            night.execute("from standing_bank_row")


def test_nothing_delivered_holds_nothing() -> None:
    with duckdb.connect(":memory:") as night:
        view_latest_banks(night, part_banks(SCHEMA.empty_table(), SCHEMA.empty_table()))
        assert assets(night) == []


def test_one_account_of_two_keepers_is_two_accounts() -> None:
    day = [date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 2), date(2026, 6, 2)]
    rows = pa.table(
        {
            "record": pa.array([3, 3, 3, 5], pa.int32()),
            "keeper": ["A", "A", "B", "A"],
            "account": [1, 1, 1, 1],
            "day": pa.array(day, pa.date32()),
        }
    )
    stands, first, alike = part_by_day(rows, "keeper", "account", "day")
    assert stands.to_pylist() == first.to_pylist() == [False, True, True, True]
    assert not any(alike.to_pylist())


def test_an_account_of_which_two_rows_are_alike_is_compared_as_a_whole() -> None:
    rows = pa.table(
        {
            "record": pa.array([3] * 5 + [5] * 2, pa.int32()),
            "keeper": ["A", "A", "A", "B", "B", "A", "A"],
            "account": [1] * 7,
            "day": pa.array([date(2026, 6, 2)] * 7, pa.date32()),
            "type": ["x", "y", "x", "x", "y", "x", "x"],
            "currency": ["1", "1", "1", "1", "1", "1", "2"],
        }
    )
    stands, first, alike = part_by_day(rows, "keeper", "account", "day", ("type", "currency"))
    assert stands.to_pylist() == [False, False, False, True, True, True, True]
    assert first.to_pylist() == [False, False, False, True, False, True, False]
    assert alike.to_pylist() == [not one for one in stands.to_pylist()]
