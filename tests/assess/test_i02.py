"""I02: verified minus declared household income above the tolerance; dibao only, incomplete households too."""

from __future__ import annotations

from decimal import Decimal

import pytest

from .tables import households, leads

POSITIONS = """
household  programme   n  income_micro  declared_monthly_income  is_incomplete
1          低保         2  6600          1000                     no
2          低保         2  6600.000001   1000                     no
3          低保         2  6599.999999   1000                     no
4          低保边缘      2  99999         0                        no
5          低保         2  99999         0                        yes
6          低保         0  99999         0                        no
7          低保         1  600.06        0                        no
"""


def test_on_both_sides_of_the_tolerance() -> None:
    assert households("i02", {"household_position": POSITIONS}, undeclared_income_tolerance=100 * 10**6) == [
        2,
        5,
        7,
    ]


def test_difference_and_tolerance_are_shown() -> None:
    found = leads("i02", {"household_position": POSITIONS}, undeclared_income_tolerance=100 * 10**6)
    assert found[-1] == (7, None, Decimal("100.01"), Decimal("100.00"))


@pytest.mark.parametrize("comparable", [True, False])
def test_without_comparable_tax_nothing_is_judged(comparable: bool) -> None:
    assert bool(households("i02", {"household_position": POSITIONS}, tax_comparable=comparable)) is comparable
