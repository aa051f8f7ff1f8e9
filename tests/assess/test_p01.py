"""P01: yearly premiums above premium_multiple x 12 x standard x members."""

from __future__ import annotations

from decimal import Decimal

from .tables import leads

POSITIONS = """
household  programme  n  premium_micro  is_incomplete  list
1          低保        2  24000          no             roster
2          低保        2  24000.000001   no             roster
3          低保边缘     1  12000.01       no             roster
4          特困        1  99999          no             roster
5          低保        1  99999          yes            roster
6          低保        0  99999          no             roster
7          低保        1  99999          no             monitored
"""
STANDARD = "standard_micro\n1000"


def test_on_both_sides_of_the_line() -> None:
    found = leads("p01", {"household_position": POSITIONS, "standard": STANDARD})
    assert found == [
        (2, None, Decimal("24000"), Decimal("24000")),
        (3, None, Decimal("12000.01"), Decimal("12000")),
    ]


def test_a_part_of_the_standard_may_be_the_line() -> None:
    found = leads(
        "p01",
        {"household_position": "n premium_micro\n1 6000.01", "standard": STANDARD},
        premium_multiple6=500_000,
    )
    assert [(value, line) for _, _, value, line in found] == [(Decimal("6000.01"), Decimal("6000"))]


def test_a_county_without_a_standard_is_not_judged() -> None:
    assert (
        leads("p01", {"household_position": POSITIONS, "standard": "county_code standard_micro\n999999 1"})
        == []
    )
