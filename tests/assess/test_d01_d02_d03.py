"""D01, D02 and D03: dead, moved away or struck off, and listed twice."""

from __future__ import annotations

from decimal import Decimal

from .tables import leads

ROWS = """
record  status  status_date  how
1       死亡     2026-06-30   exact
2       死亡     2026-07-01   exact
3       死亡     2026-06-01   name_conflict
4       死亡     2026-01-01   exact
4       死亡     2026-06-20   exact
4       正常     -            exact
5       迁出     2026-06-30   exact
6       注销     2026-06-29   exact
7       迁出     2026-07-01   exact
8       迁出     2026-06-01   exact
8       正常     -            exact
9       迁出     2026-06-01   exact
9       正常     -            repaired
10      正常     2026-06-01   exact
11      迁出     2026-06-01   exact
11      注销     2026-06-11   exact
"""
TABLES = {"member": "record\n" + "\n".join(map(str, range(1, 12))), "reach_household_registration": ROWS}


def test_d01_days_since_the_latest_death_up_to_tonight() -> None:
    assert [(lead[1], lead[2]) for lead in leads("d01", TABLES, "registration")] == [
        (1, Decimal(0)),
        (4, Decimal(10)),
    ]


def test_d02_days_since_the_latest_unless_a_normal_row_stands() -> None:
    found = [(lead[1], lead[2]) for lead in leads("d02", TABLES, "registration")]
    assert found == [(5, Decimal(0)), (6, Decimal(1)), (9, Decimal(29)), (11, Decimal(19))]


def test_d03_valid_numbers_in_two_or_more_households() -> None:
    members = """
household  record  hi  lo  is_valid  list
1          1       7   1   yes       roster
2          2       7   1   yes       roster
3          3       7   2   yes       roster
4          4       8   1   no        roster
5          5       8   1   no        roster
6          6       9   1   yes       roster
7          7       9   1   yes       monitored
8          8       7   1   yes       roster
"""
    found = leads("d03", {"member": members})
    assert found == [(household, household, Decimal(3), Decimal(1)) for household in (1, 2, 8)]
