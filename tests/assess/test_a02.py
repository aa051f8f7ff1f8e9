"""A02: assets above the declared ones by more than the tolerance; dibao and dibao_margin, incomplete households too."""

from __future__ import annotations

from decimal import Decimal

from .tables import leads

POSITIONS = """
household  programme   n  assets14              declared_financial_assets  is_incomplete
1          低保         3  15000                 10000                      no
2          低保         3  15000.00000000000001  10000                      no
3          低保边缘      3  15000.01              10000                      no
4          特困         1  99999                 0                          no
5          刚性支出      1  99999                 0                          no
6          低保         1  5000.01               0                          yes
7          低保         0  99999                 0                          no
8          低保         1  0                     99999                      no
"""


def test_on_both_sides_of_the_tolerance() -> None:
    found = leads("a02", {"household_position": POSITIONS}, undeclared_assets_tolerance=5000 * 10**6)
    assert [lead[0] for lead in found] == [2, 3, 6]
    assert found[1] == (3, None, Decimal("5000.01"), Decimal("5000"))
