"""How a row reaches a record: exact, with another name, or with a mistyped number (specification, section 3)."""

from __future__ import annotations

import duckdb
import pytest

from pipelines.warehouse import sql_text

# the row: its name (0 unreadable), upgraded from 15 digits, repaired; the record's name -> how
WAYS = """
row  upgraded  repaired  record  how
7    no        no        7       exact
0    no        no        7       exact
7    no        no        0       exact
0    no        no        0       exact
7    no        no        8       name_conflict
7    yes       no        7       exact
7    yes       no        8       name_conflict
0    yes       no        7       -
7    yes       no        0       -
7    no        yes       7       repaired
7    no        yes       8       -
7    no        yes       0       -
"""


def reached(
    row: str, upgraded: str, repaired: str, record: str, is_member: bool = True, with_obligors: bool = False
) -> list[str]:
    with duckdb.connect(":memory:") as con:
        con.execute(
            "create table asked_record (record int, household int, person int, is_member bool, is_alone bool, scopes ubigint, name_digest bigint, name_readable bool)"
        )
        con.execute(
            "insert into asked_record values (1, 1, 5, ?, true, 1, ?, ?), (2, 1, 6, true, true, 1, 7, true)",
            [is_member, int(record), record != "0"],
        )
        con.execute(
            "create table e (person int, name_digest bigint, name_readable bool, is_upgraded bool, is_repaired bool, x int)"
        )
        con.execute(
            "insert into e values (5, ?, ?, ?, ?, 1)",
            [int(row), row != "0", upgraded == "yes", repaired == "yes"],
        )
        con.execute(sql_text("link/reach"))
        rows = con.execute("select how from reach('e', $1) where how is not null", [with_obligors]).fetchall()
        return [how for (how,) in rows]


@pytest.mark.parametrize("line", WAYS.strip().splitlines()[1:])
def test_how_a_row_reaches_a_record(line: str) -> None:
    row, upgraded, repaired, record, how = line.split()
    assert reached(row, upgraded, repaired, record) == ([] if how == "-" else [how])


def test_obligors_are_reached_by_tax_alone() -> None:
    assert reached("7", "no", "no", "7", is_member=False) == []
    assert reached("7", "no", "no", "7", is_member=False, with_obligors=True) == ["exact"]
