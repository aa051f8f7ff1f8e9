"""S01: the obligor's own verified income above obligor_multiple x standard; dibao and tekun."""

from __future__ import annotations

from decimal import Decimal

import pytest

from .tables import leads

TABLES = {
    "household_position": "household programme\n1 低保\n2 特困\n3 低保边缘",
    "standard": "standard_micro\n1000",
    "record": """
household  record  role
1          1       obligor
1          2       obligor
1          3       member
2          4       obligor
3          5       obligor
1          6       obligor
""",
    "income": """
record  income_micro  months
1       18000         6
2       18000.000001  6
3       99999         6
4       18000.06      6
5       99999         6
""",
}


@pytest.mark.parametrize("comparable", [True, False])
def test_on_both_sides_of_the_line(comparable: bool) -> None:
    found = leads("s01", TABLES, tax_comparable=comparable)
    assert found == (
        [(1, 2, Decimal(3000), Decimal(3000)), (2, 4, Decimal("3000.01"), Decimal(3000))]
        if comparable
        else []
    )
