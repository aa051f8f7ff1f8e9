"""A01: assets per capita above the programme's limit, on exact totals."""

from __future__ import annotations

from decimal import Decimal

from .tables import households, leads

LIMITS = """
programme  asset_limit14
低保        24000
低保边缘     36000.01
特困        -
"""
POSITIONS = """
household  programme  n  assets14              is_incomplete
1          低保        1  24000                 no
2          低保        1  24000.00000000000001  no
3          低保        1  23999.99999999999999  no
4          低保        3  72000                 no
5          低保        3  72000.00000000000001  no
6          低保        1  99999                 yes
7          低保        0  99999                 no
8          特困        1  99999                 no
9          低保边缘     3  108000.03             no
10         低保边缘     3  108000.04             no
"""


def test_above_the_limit_and_exactly_at_it() -> None:
    assert households("a01", {"household_position": POSITIONS, "threshold": LIMITS}) == [2, 5, 10]


def test_shown_per_capita() -> None:
    found = leads("a01", {"household_position": POSITIONS, "threshold": LIMITS})
    assert found[-1] == (10, None, Decimal("36000.01"), Decimal("36000.01"))


def test_absurd_sums_do_not_overflow() -> None:
    positions = "household n assets14\n1 20 " + "9" * 20
    assert households("a01", {"household_position": positions, "threshold": LIMITS}) == [1]
