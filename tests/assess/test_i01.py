"""I01: verified income per capita above the check line plus the tolerance, on exact totals."""

from __future__ import annotations

from decimal import Decimal

from .tables import households, leads

LINES = """
programme  check_line12
低保        1100
刚性支出     1666.666666
"""
POSITIONS = """
household  programme  n  income_micro  is_incomplete  list
1          低保        1  6600          no             roster
2          低保        1  6600.000001   no             roster
3          低保        1  6599.999999   no             roster
4          低保        3  19800         no             roster
5          低保        3  19800.000001  no             roster
6          低保        3  19800.01      yes            roster
7          低保        0  99999         no             roster
8          低保        1  99999         no             monitored
9          特困        1  99999         no             roster
10         刚性支出     3  29999.999988  no             roster
11         刚性支出     3  29999.999989  no             roster
"""


def test_above_the_line_and_exactly_at_it() -> None:
    assert households("i01", {"household_position": POSITIONS, "threshold": LINES}) == [2, 5, 11]


def test_the_tolerance_is_per_person_and_month_and_not_part_of_the_line_shown() -> None:
    positions = "household n income_micro\n1 2 13800\n2 2 13800.01"
    found = leads(
        "i01", {"household_position": positions, "threshold": LINES}, income_tolerance12=50 * 12 * 10**12
    )
    assert found == [(2, None, Decimal("1150.00"), Decimal("1100.00"))]


def test_values_are_rounded_half_up() -> None:
    positions = "household n income_micro\n1 1 6600.03\n2 1 6600.029999"
    found = leads("i01", {"household_position": positions, "threshold": LINES})
    assert [value for _, _, value, _ in found] == [Decimal("1100.01"), Decimal("1100.00")]


def test_nothing_is_judged_while_tax_is_not_comparable_or_there_is_no_line() -> None:
    assert (
        households("i01", {"household_position": POSITIONS, "threshold": LINES}, tax_comparable=False) == []
    )
    assert (
        households("i01", {"household_position": POSITIONS, "threshold": "programme check_line12\n低保 -"})
        == []
    )


def test_the_window_divides() -> None:
    positions = "household n income_micro\n1 1 3300\n2 1 3300.01"
    assert households("i01", {"household_position": positions, "threshold": LINES}, window=3) == [2]
