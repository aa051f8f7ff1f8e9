"""The sums the household rules compare: which rows count, and which of an account's or policy's rows."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

from pipelines.link import view_latest_banks

from .tables import build, put

INCOME = """
record  tax_month   income_item  amount   row_digest  is_repeated  how
1       2025-12-01  工资薪金       100      1           no           exact
1       2026-05-01  劳务报酬       10       2           no           exact
1       2025-11-01  工资薪金       1000     3           no           exact
1       2026-06-01  工资薪金       1000     4           no           exact
1       2026-01-01  偶然所得       1000     5           no           exact
2       2026-01-01  工资薪金       100      6           yes          exact
2       2026-01-01  工资薪金       100      6           yes          exact
2       2026-01-01  工资薪金       100      7           no           exact
3       2026-01-01  工资薪金       100      8           no           exact
3       2026-02-01  工资薪金       -300     9           no           exact
4       2026-01-01  工资薪金       100      10          no           name_conflict
4       2026-01-01  工资薪金       100      11          no           repaired
"""
BANKS = """
record  bank_code  account_no  account_type  currency  balance  balance_date  how
1       B          1           活期           CNY       100      2026-06-01    exact
1       B          1           活期           CNY       900      2026-05-31    exact
2       B          1           活期           CNY       100      2026-06-01    exact
2       B          1           活期           CNY       250      2026-06-01    exact
2       B          1           定期           CNY       50       2026-06-01    exact
2       B          1           活期           USD       10       2026-06-01    exact
2       C          1           活期           CNY       1        2026-06-01    exact
2       C          1           定期           CNY       5        1899-12-30    exact
3       B          1           活期           CNY       100      2026-04-01    exact
4       B          1           活期           CNY       100      2026-03-31    exact
5       B          1           活期           CNY       -100     2026-06-01    exact
5       B          2           活期           CNY       40       2026-06-01    exact
5       B          2           定期           CNY       70       2026-05-31    exact
6       B          1           活期           CNY       900      2026-06-01    name_conflict
"""
SECURITIES = """
record  broker_code  account_no  currency  market_value  cash_balance  as_of       how
1       B            1           CNY       100           -30           2026-06-01  exact
1       B            1           CNY       90            5             2026-06-01  exact
1       B            1           USD       1             0             2026-06-01  exact
2       B            1           CNY       100           5             2026-06-01  exact
2       B            1           CNY       900           5             2026-05-01  exact
3       B            1           CNY       100           5             2026-04-01  exact
4       B            1           CNY       100           5             2026-03-31  exact
"""
POLICIES = """
record  insurer_code  policy_no  product_type  annual_premium  cash_value  effective_on  expires_on  status  how
1       I             1          年金           10              100         2026-06-30    -           有效     exact
1       I             1          年金           20              50          2020-01-01    2026-06-30  有效     exact
1       J             1          两全           1               1           2020-01-01    -           有效     exact
2       I             1          年金           10              100         2026-07-01    -           有效     exact
2       I             2          年金           10              100         2020-01-01    2026-06-29  有效     exact
2       I             3          年金           10              100         2020-01-01    -           失效     exact
2       I             4          年金           10              100         2020-01-01    -           退保     exact
2       I             5          健康           10              100         2020-01-01    -           有效     exact
2       I             6          年金           10              100         2020-01-01    -           有效     name_conflict
"""
FX = "currency rate8\nCNY 1\nUSD 7.1234"


def totals(step: str, columns: str, source: str, text: str) -> dict[int, tuple[Decimal, ...]]:
    """record -> the columns in yuan."""
    with duckdb.connect(":memory:") as con:
        put(con, f"reach_{source}", text)
        put(con, "fx", FX)
        if source == "banks":
            view_latest_banks(con)
        build(con, step)
        rows = con.execute(f"select record, {columns} from {step} order by record").fetchall()
    scales = [Decimal(10) ** (14 if "14" in name else 6) for name in columns.split(", ")]
    return {row[0]: tuple(Decimal(int(v)) / s for v, s in zip(row[1:], scales, strict=True)) for row in rows}


def test_income_of_countable_items_in_the_window_each_equal_row_once() -> None:
    found = totals("income", "income_micro", "tax", INCOME)
    assert found == {1: (Decimal(110),), 2: (Decimal(200),), 3: (Decimal(0),)}


def test_bank_balances_of_the_latest_date_the_largest_per_type_and_currency() -> None:
    found = totals("bank_asset", "amount14", "banks", BANKS)
    usd = Decimal("71.234")
    assert found == {1: (Decimal(100),), 2: (Decimal(301) + usd,), 3: (Decimal(100),), 5: (Decimal(40),)}


def test_an_account_counts_once_whatever_it_holds() -> None:
    found = totals("bank_asset", "accounts", "banks", BANKS)
    assert {record: int(count * 10**6) for record, (count,) in found.items()} == {1: 1, 2: 2, 3: 1, 5: 2}


def test_holdings_with_cash_below_nothing_as_nothing() -> None:
    found = totals("security_asset", "amount14", "securities", SECURITIES)
    assert found == {1: (Decimal("107.1234"),), 2: (Decimal(105),), 3: (Decimal(105),)}


def test_policies_in_force_the_largest_value_and_the_largest_premium() -> None:
    found = totals("policy_asset", "amount14, premium_micro", "insurance", POLICIES)
    assert found == {1: (Decimal(101), Decimal(21))}


@pytest.mark.parametrize(
    ("grade", "category", "illness", "severe"),
    [("1", "肢体", "否", True), ("2", "-", "否", True), ("3", "智力", "否", True), ("3", "精神", "否", True), ("3", "肢体", "否", False),
     ("3", "多重", "否", False), ("4", "智力", "否", False), ("-", "智力", "否", False), ("-", "-", "是", True), ("-", "-", "否", False)],
)  # fmt: skip
def test_who_is_severe(grade: str, category: str, illness: str, severe: bool) -> None:
    with duckdb.connect(":memory:") as con:
        put(
            con,
            "record",
            f"disability_grade disability_category severe_illness\n{grade} {category} {illness}",
        )
        put(con, "reach_household_registration", "record status status_date how")
        build(con, "registration", "member")
        assert con.execute("select is_severe from member").fetchall() == [(severe,)]
