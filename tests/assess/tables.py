"""Small tables as text, put before a real file of sql/assess."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import duckdb

from pipelines.warehouse import build_table, sql_text

AS_OF = date(2026, 6, 30)
PLACE = {"county_code": "440103", "township_code": "440103001", "area": "城镇"}
HUGE = ("income_micro", "assets14", "bank14", "security14", "policy14", "premium_micro", "n", "check_line12", "entry_line12",
        "asset_limit14", "capital_micro", "amount14")  # fmt: skip
UNSIGNED = ("hi", "lo", "scopes")
FLAGS = ("is_incomplete", "is_valid", "is_normal", "is_severe", "has_death_row", "has_normal_row", "is_legal_representative",
         "has_conflict", "has_obligor", "is_repeated")  # fmt: skip
WHOLE = ("household", "record", "rows_quarantined", "scopes_missing", "members_unauthorised", "business_cases", "property_cases", "bank_accounts",
         "security_accounts", "policies", "companies", "individual_businesses", "age", "born", "max_grade",
         "repaired_rows", "accounts")  # fmt: skip
MONEY = ("declared_monthly_income", "declared_financial_assets", "standard_micro", "declared_annual_income_per_capita",
         "rigid_expenditure_12m", "amount", "balance", "market_value", "cash_balance", "cash_value", "annual_premium",
         "subscribed_capital", "rate8")  # fmt: skip
DAYS = (
    "died_on",
    "left_on",
    "tax_month",
    "balance_date",
    "as_of",
    "status_date",
    "effective_on",
    "expires_on",
)
# Money is written in yuan: how many units of the column make one.
UNITS = dict.fromkeys(("assets14", "bank14", "security14", "policy14", "asset_limit14", "amount14"), 14)
UNITS |= dict.fromkeys((*MONEY, "income_micro", "premium_micro", "capital_micro"), 6) | {"rate8": 8}
DEFAULTS: dict[str, dict[str, str]] = {
    "household_position": {
        "household": "1", "list": "roster", "programme": "低保", "n": "1", "is_incomplete": "no", "income_micro": "0", "assets14": "0",
        "bank14": "0", "security14": "0", "policy14": "0", "premium_micro": "0", "bank_accounts": "0", "security_accounts": "0",
        "policies": "0", "business_cases": "0", "property_cases": "0",
        "property_evidence": "-", "members_unauthorised": "0", "rows_quarantined": "0",
        "declared_monthly_income": "0", "declared_financial_assets": "0", "declared_annual_income_per_capita": "-",
        "rigid_expenditure_12m": "-", "has_obligor": "-", **PLACE,
    },
    "household": {"household": "1", "list": "roster", "programme": "低保", **PLACE},
    "threshold": {"programme": "低保", "check_line12": "-", "entry_line12": "-", "asset_limit14": "-", **PLACE},
    "standard": {"standard_micro": "1000", **PLACE},
    "member": {
        "household": "1", "record": "1", "list": "roster", "hi": "1", "lo": "1", "is_valid": "yes", "age": "40", "scopes_missing": "0",
        "disability_grade": "-", "disability_category": "-", "severe_illness": "否", "is_severe": "no", "has_death_row": "no",
    },
    "record": {
        "household": "1", "record": "1", "list": "roster", "role": "member", "hi": "1", "lo": "1", "is_valid": "yes", "age": "40", "scopes": "31",
        "relation": "01", "disability_grade": "-", "disability_category": "-", "severe_illness": "否",
    },
}  # fmt: skip
PARAMETERS: dict[str, Any] = {
    "as_of": AS_OF, "window": 6, "window_start": date(2025, 12, 1), "window_end": date(2026, 5, 1), "tax_comparable": True,
    "income_tolerance12": 0, "undeclared_income_tolerance": 0, "undeclared_assets_tolerance": 0, "premium_multiple6": 10**6,
    "capital_threshold": 30_000 * 10**6, "obligor_multiple6": 3 * 10**6, "rigid_share6": 600_000, "every_scope": 31, "tax_scope": 1,
    "five_usable": True, "property_held": False, "registration_usable": True, "register_max_persons": 8, "evidence_max_age_days": 90,
    "countable_income_items": ["工资薪金", "劳务报酬"], "asset_products": ["年金", "两全"], "severe_grades": ["1", "2"],
    "severe_grades_intellectual_mental": ["3"],
}  # fmt: skip


def kind(column: str) -> str:
    for names, type_ in (
        (HUGE, "hugeint"),
        (UNSIGNED, "ubigint"),
        (FLAGS, "boolean"),
        (WHOLE, "integer"),
        (MONEY, "bigint"),
        (DAYS, "date"),
    ):
        if column in names:
            return type_
    return "varchar"


def value(column: str, cell: str) -> Any:
    if cell == "-":
        return None
    if column in FLAGS:
        return {"yes": True, "no": False}[cell]
    if column in UNITS:
        return int(Decimal(cell) * 10 ** UNITS[column])
    if column.endswith("line12"):  # yuan a month
        return int(Decimal(cell) * 12 * 10**12)
    if column in DAYS:
        return date.fromisoformat(cell)
    return int(cell) if kind(column) in ("hugeint", "ubigint", "integer") else cell


def put(con: duckdb.DuckDBPyConnection, name: str, text: str) -> None:
    """Create a table from a header line and one line per row; `-` is null, columns left out take their usual value."""
    lines = [line.split() for line in text.strip().splitlines()]
    header = lines[0] if lines else []
    usual = {key: cell for key, cell in DEFAULTS.get(name, {}).items() if key not in header}
    columns = [*header, *usual]
    con.execute(f"create or replace table {name} ({', '.join(f'{c} {kind(c)}' for c in columns)})")
    for line in lines[1:]:
        assert len(line) == len(header), line
        cells = [value(c, cell) for c, cell in zip(columns, [*line, *usual.values()], strict=True)]
        con.execute(f"insert into {name} values ({', '.join('?' * len(cells))})", cells)


def build(con: duckdb.DuckDBPyConnection, *files: str, **parameters: Any) -> None:
    con.execute(sql_text("assess/macros"))
    for file in files:
        build_table(con, f"assess/{file}", **{**PARAMETERS, **parameters})


def leads(
    rule: str, tables: dict[str, str], *before: str, **parameters: Any
) -> list[tuple[int, int | None, Decimal, Decimal]]:
    """(household, record, value, line) in yuan or counts, of one rule's real file after the files `before`."""
    with duckdb.connect(":memory:") as con:
        for name, text in tables.items():
            put(con, name, text)
        build(con, *before, f"rules/{rule}", **parameters)
        rows = con.execute(
            f"select household, record, value_cents, line_cents from {rule} order by household, record"
        ).fetchall()
    return [(h, r, Decimal(int(v)) / 100, Decimal(int(line)) / 100) for h, r, v, line in rows]


def households(rule: str, tables: dict[str, str], **parameters: Any) -> list[int]:
    return [lead[0] for lead in leads(rule, tables, **parameters)]
