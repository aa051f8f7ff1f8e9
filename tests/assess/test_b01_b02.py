"""B01 and B02: existing companies and individual businesses, the largest capital per uscc."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from .tables import leads

MEMBERS = "record\n" + "\n".join(map(str, range(1, 20)))
ROWS = """
record  uscc  role        entity_type    subscribed_capital  status  how
1       U1    股东         企业            2.999999            存续      exact
2       U1    股东         企业            3                   存续      exact
3       U1    股东         企业            1.5                 存续      exact
3       U2    股东         企业            1.5                 存续      exact
4       U1    股东         企业            1                   存续      exact
4       U1    股东         企业            2.5                 存续      exact
5       U1    法定代表人     企业            0                   存续      exact
6       U1    法定代表人     企业            0                   注销      exact
7       U1    法定代表人     企业            0                   吊销      exact
8       U1    法定代表人     农民专业合作社   9                   存续      exact
9       U1    经营者        企业            9                   存续      exact
10      U1    法定代表人     企业            0                   存续      name_conflict
11      U1    法定代表人     企业            0                   存续      repaired
12      U1    法定代表人     个体工商户       9                   存续      exact
13      U1    经营者        个体工商户       0                   存续      exact
14      U1    经营者        个体工商户       0                   存续      exact
14      U2    经营者        个体工商户       0                   存续      exact
14      U2    经营者        个体工商户       1                   存续      exact
15      U1    经营者        个体工商户       0                   注销      exact
16      U1    股东         个体工商户       9                   存续      exact
17      U1    股东         企业            0                   存续      exact
18      U1    法定代表人     企业            1                   存续      exact
18      U2    股东         企业            1                   存续      exact
"""


def found(rule: str, **parameters: Any) -> list[tuple[int | None, Decimal, Decimal]]:
    tables = {"member": MEMBERS, "reach_market_regulation": ROWS}
    return [lead[1:] for lead in leads(rule, tables, "business", "business_case", **parameters)]


def test_b01_from_the_threshold_on_or_a_legal_representative() -> None:
    limit = Decimal(30000)
    assert found("b01") == [
        (2, limit, limit),
        (3, limit, limit),
        (5, Decimal(0), Decimal(0)),
        (18, Decimal(20000), Decimal(0)),
    ]


@pytest.mark.parametrize("record", [17])
def test_b01_without_a_threshold_still_wants_some_capital(record: int) -> None:
    records = [lead[0] for lead in found("b01", capital_threshold=0)]
    assert record not in records and 1 in records


def test_b02_counts_existing_individual_businesses_of_an_operator() -> None:
    assert found("b02") == [(13, Decimal(1), Decimal(0)), (14, Decimal(2), Decimal(0))]
