"""X01 to X05: what is wrong with the roster's own numbers, names, authorisations and rows."""

from __future__ import annotations

from decimal import Decimal

from .tables import leads

ONE = Decimal(1)


def test_x01_suspect_numbers_of_roster_members() -> None:
    members = "household record is_valid list\n1 1 yes roster\n2 2 no roster\n3 3 no monitored"
    assert leads("x01", {"member": members}) == [(2, 2, ONE, Decimal(0))]


TRACES = """
source  record  has_conflict  repaired_rows
tax     1       yes           0
banks   1       yes           2
banks   2       no            1
tax     2       no            3
tax     3       yes           1
"""


def test_x02_counts_sources_and_x03_counts_rows() -> None:
    tables = {"member": "record list\n1 roster\n2 roster\n3 monitored", "trace": TRACES}
    assert leads("x02", tables) == [(1, 1, Decimal(2), Decimal(0))]
    assert leads("x03", tables) == [(1, 1, Decimal(2), Decimal(0)), (1, 2, Decimal(4), Decimal(0))]


def test_x04_members_for_the_five_obligors_for_tax_alone() -> None:
    tables = {
        "member": "record scopes_missing list\n1 0 roster\n2 5 roster\n3 2 monitored",
        "household": "household programme\n1 低保\n2 特困\n3 低保边缘",
        "record": "household record role scopes\n1 4 obligor 30\n2 5 obligor 0\n3 6 obligor 0\n1 7 obligor 1\n1 8 member 0",
    }
    found = leads("x04", tables)
    assert found == [(1, 2, Decimal(5), Decimal(0)), (1, 4, ONE, Decimal(0)), (2, 5, ONE, Decimal(0))]


def test_x05_incomplete_households_also_without_members() -> None:
    positions = "household n rows_quarantined is_incomplete list\n1 2 0 no roster\n2 0 3 yes roster\n3 1 1 yes monitored"
    assert leads("x05", {"household_position": positions}) == [(2, None, Decimal(3), Decimal(0))]
