"""Small worlds of households and what departments know of them, judged by the real `assess_tables`."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from connectors.registry import all_contracts, evidence_sources
from pipelines.assess import assess_tables
from pipelines.intake.evidence_tables import REGISTER_SCHEMA, evidence_schema
from pipelines.link import gather_inexact
from pipelines.warehouse import insert_arrow
from policy.model import load

AS_OF = date(2026, 6, 30)
EIGHT = ("roster", "tax", "market_regulation", "banks", "securities", "insurance", "household_registration", "rural_revitalisation")  # fmt: skip
# One ordinary row of each department; a case says only what is special about it. Money in yuan, identifiers as text;
# "own" is replaced by the household's number.
ORDINARY: dict[str, dict[str, Any]] = {
    "tax": {"tax_month": "2026-01-01", "income_item": "工资薪金", "amount": 100},
    "market_regulation": {"role": "股东", "uscc": "U", "entity_type": "企业", "subscribed_capital": 1, "status": "存续"},
    "banks": {"bank_code": "B", "account_no": "a", "account_type": "活期", "currency": "CNY", "balance": 0,
              "balance_date": "2026-06-29"},
    "household_registration": {"register_no": "r", "relation": "01", "status": "正常"},
    "cremation": {"certificate_no": "c", "died_on": "2026-06-01", "cremated_on": "2026-06-03"},
    "detention": {"custody_no": "c", "custody_kind": "服刑", "entered_on": "2025-01-01"},
    "fiscal_payroll": {"post_kind": "公务员", "pay_month": "2026-05-01", "gross_pay": 6000},
    "housing_fund": {"account_no": "f", "account_state": "正常", "deposit_base": 3000, "monthly_deposit": 300, "balance": 9000,
                     "last_paid_month": "2026-05-01", "balance_date": "2026-06-20"},
    "social_insurance": {"scheme": "企业职工基本养老保险", "entry_kind": "缴费", "insured_as": "单位职工", "insured_month": "2026-05-01",
                         "contribution_base": 4000, "amount": 320},
    "disability_certificates": {"certificate_no": "z", "category": "肢体", "grade": "2", "issued_on": "2020-01-01",
                                "certificate_state": "有效"},
    "medical_expenditure": {"settlement_no": "s", "visit_kind": "住院", "settled_on": "2026-01-15", "total_cost": 0, "fund_paid": 0,
                            "critical_paid": 0, "aid_paid": 0, "self_paid": 100, "severe_illness": "否"},
    "marriage": {"certificate_no": "m", "registration_kind": "结婚", "registered_on": "2026-03-01"},
    "education": {"student_no": "e", "stage": "本科", "study_form": "全日制", "enrolment_state": "毕业", "enrolled_on": "2021-09-01",
                  "graduates_on": "2025-06-30", "left_on": "2025-06-30", "school_kind": "公办", "aided": "否"},
    "benefit_payments": {"party": "受助人", "paid_household": "own", "programme": "低保", "benefit_month": "2026-06-01",
                         "paid_on": "2026-06-10", "amount": 800, "account_no": "own", "keeper_agreement": "无",
                         "payment_state": "成功"},
    "close_relatives": {"staff_no": "k", "staff_kind": "村居委会成员", "kinship": "子女", "known_on": "2026-01-01"},
    "credit_commitments": {"document_no": "d", "entry_kind": "守信承诺", "made_on": "2025-01-01", "entry_state": "有效"},
    "real_estate": {"unit_no": "u", "certificate_no": "c", "property_use": "住宅", "floor_area": 80, "ownership": "单独所有",
                    "structure": "钢混", "place_code": "440103", "registered_on": "2020-01-01", "title_state": "现势",
                    "restriction": "无"},
    "vehicles": {"plate_no": "p", "plate_kind": "小型汽车", "vin": "v", "vehicle_kind": "载客汽车", "use_nature": "非营运",
                 "energy": "汽油", "first_registered_on": "2020-01-01", "held_since": "2020-01-01", "vehicle_state": "正常",
                 "operating_permit": "无"},
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One row of a department, `how` it reaches the member at that place of the household."""

    source: str
    cells: Mapping[str, Any] = field(default_factory=dict)
    member: int = 0
    how: str = "exact"


@dataclass(frozen=True)
class Member:
    age: int | None = 40
    relation: str = "01"
    role: str = "member"
    is_valid: bool = True
    grade: str | None = None
    category: str | None = None
    severe_illness: str = "否"


@dataclass(frozen=True)
class Home:
    """One household: whose, where, and what is known of it. Money in yuan; declared: a month, or a year per head."""

    rows: tuple[Row, ...] = ()
    members: tuple[Member, ...] = (Member(),)
    list: str = "roster"
    programme: str = "低保"
    county: str = "440103"
    township: str = "440103001"
    area: str = "城镇"
    declared: int = 0
    rigid: int = 0
    has_obligor: bool = True
    quarantined: int = 0
    authorised: bool = True


def row(source: str, member: int = 0, how: str = "exact", **cells: Any) -> Row:
    return Row(source, cells, member, how)


def home(*rows: Row, **cells: Any) -> Home:
    """A household of one, unless its members are given."""
    return Home(rows=rows, **cells)


def two(*rows: Row, **cells: Any) -> Home:
    """A household of two, unless its members are given."""
    return Home(rows=rows, **{"members": (Member(), Member(relation="10")), **cells})


def sources_of(*connected: str, **states: str) -> dict[str, dict[str, Any]]:
    """The eight and the connected departments, accepted but for the states named."""
    names = [*EIGHT, *(one for one in connected if one not in EIGHT)]
    return {
        one: {
            "state": states.get(one, "accepted"),
            "covers": ["2025-01", "2026-06"] if one == "tax" else None,
        }
        for one in names
    }


def assessed(
    homes: Mapping[str, Home],
    sources: Mapping[str, dict[str, Any]],
    as_of: date = AS_OF,
    policy: Path | None = None,
    threads: int = 1,
) -> tuple[dict[tuple[str, str, int | None], tuple[Decimal, Decimal, str]], dict[str, Any]]:
    """Leads by (rule, household, place of the member or None): value, line, evidence; and the summary."""
    with duckdb.connect(":memory:") as con:
        con.execute(f"set threads to {threads:d}")
        con.execute("set preserve_insertion_order = false")
        places = _put_people(con, homes)
        _put_evidence(con, homes, places)
        summary = assess_tables(con, load(policy).at(as_of), dict(sources))
        found = con.execute(
            """
            select rule, household_id, record, value_cents, line_cents, evidence from discrepancy
            union all
            select rule, household_id, record, value_cents, line_cents, evidence from newly_eligible
            """
        ).fetchall()
    members = {number: place for (_, place), number in places.items()}
    return {
        (rule, name, None if record is None else members[record]): (
            Decimal(int(value)) / 100,
            Decimal(int(line)) / 100,
            evidence,
        )
        for rule, name, record, value, line, evidence in found
    }, summary


# What is expected of a case: the value of its one lead, or None for no lead of the rule.
Case = tuple[Home, float | None]


def judged(
    cases: Mapping[str, Mapping[str, Case]], *connected: str, **told: Any
) -> dict[tuple[str, str], Any]:
    """All cases of all rules in one world: values and evidence by rule and name of the case."""
    homes = {f"{rule} {name}": home for rule, some in cases.items() for name, (home, _) in some.items()}
    leads, _ = assessed(homes, sources_of(*connected), **told)
    return {(code, name): (value, evidence) for (code, name, _), (value, _, evidence) in leads.items()}


def every_case(cases: Mapping[str, Mapping[str, Case]]) -> list[tuple[str, str, float | None]]:
    """(rule, case, expected value or None), for parametrize."""
    return [(rule, name, expected) for rule, some in cases.items() for name, (_, expected) in some.items()]


def value_of(leads: Mapping[tuple[str, str], Any], rule: str, name: str) -> float | None:
    found = leads.get((rule, f"{rule} {name}"))
    return None if found is None else float(found[0])


def case_test(cases: Mapping[str, Mapping[str, Case]], leads: str = "leads") -> Callable[..., None]:
    """A test of every case: it has its lead or none. `leads` names the fixture of its module that judged them."""

    @pytest.mark.parametrize(("rule", "name", "expected"), every_case(cases))
    def judged_as_expected(
        request: pytest.FixtureRequest, rule: str, name: str, expected: float | None
    ) -> None:
        found = value_of(request.getfixturevalue(leads), rule, name)
        assert found == expected, f"{rule} {name}: {found}, wanted {expected}"

    return judged_as_expected


def with_policy(folder: Path, *settings: str) -> Path:
    """The shipped policy and these entries (TOML) besides."""
    shipped = Path(load().path)
    for file in shipped.glob("*.toml"):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "county.toml").write_text("\n".join(settings), encoding="utf-8")
    return folder


def setting(rule: str, name: str, value: Any, region: str = "440103", switch: str = "on") -> str:
    return (
        f'[[rule_setting]]\nrule = "{rule}"\nname = "{name}"\nregion = "{region}"\nvalue = {value}\n'
        f'switch = "{switch}"\nfrom = 2026-01-01\nsource = "某县通知"\n'
    )


def _put_people(con: duckdb.DuckDBPyConnection, homes: Mapping[str, Home]) -> dict[tuple[str, int], int]:
    con.execute(
        """
        create table household (household integer, list varchar, household_id varchar, programme varchar, county_code varchar,
            township_code varchar, area varchar, declared_monthly_income bigint, declared_financial_assets bigint,
            declared_annual_income_per_capita bigint, rigid_expenditure_12m bigint, has_obligor boolean, rows_quarantined integer);
        create table record (record integer, household integer, list varchar, role varchar, hi ubigint, lo ubigint,
            is_valid boolean, age integer, relation varchar, disability_grade varchar, disability_category varchar,
            severe_illness varchar, scopes ubigint);
        create table near_suspect (household integer, hi ubigint, lo ubigint);
        """
    )
    insert_arrow(con, "register_row", REGISTER_SCHEMA.empty_table())
    every = (1 << 63) - 1
    places: dict[tuple[str, int], int] = {}
    households: list[tuple[Any, ...]] = []
    records: list[tuple[Any, ...]] = []
    for number, (name, home) in enumerate(homes.items(), start=1):
        on_roster = home.list == "roster"
        declared = home.declared * 10**6
        households.append(
            (number, home.list, name, home.programme if on_roster else None, home.county, home.township, home.area,
             declared if on_roster else None, 0 if on_roster else None, None if on_roster else declared,
             None if on_roster else home.rigid * 10**6, None if on_roster else home.has_obligor, home.quarantined)
        )  # fmt: skip
        for place, member in enumerate(home.members):
            places[name, place] = record = len(places) + 1
            records.append(
                (record, number, home.list, member.role, 1, record, member.is_valid, member.age, member.relation,
                 member.grade, member.category, member.severe_illness, every if home.authorised else 0)
            )  # fmt: skip
    for table, rows in (("household", households), ("record", records)):
        if rows:
            columns = [pa.array(column) for column in zip(*rows, strict=True)]
            con.register("_rows", pa.table(columns, names=[f"c{place}" for place in range(len(columns))]))
            con.execute(f"insert into {table} select * from _rows")
            con.unregister("_rows")
    return places


def _put_evidence(
    con: duckdb.DuckDBPyConnection, homes: Mapping[str, Home], places: Mapping[tuple[str, int], int]
) -> None:
    rows: dict[str, list[dict[str, Any]]] = {source: [] for source in evidence_sources()}
    for name, home in homes.items():
        for one in home.rows:
            cells = {**ORDINARY[one.source], **one.cells}
            cells = {key: name if cell == "own" else cell for key, cell in cells.items()}
            rows[one.source].append({**cells, "record": places[name, one.member], "how": one.how})
    for source, some in rows.items():
        columns = {column.name: column for column in all_contracts()[source].files[0].columns}
        schema = pa.schema(
            [("record", pa.int32()), ("how", pa.string()), *evidence_schema(all_contracts()[source].files[0])]
        )
        written = [
            {
                **{
                    key: _cell(columns[key].type, cell) if key in columns else cell
                    for key, cell in one.items()
                },
                "row_digest": zlib.crc32(repr(sorted(one.items(), key=str)).encode()),
            }
            for one in some
        ]
        insert_arrow(con, "written", pa.Table.from_pylist(written, schema))
        repeated = "count(*) over (partition by record, row_digest) > 1 as is_repeated"
        con.execute(f"create table reach_{source} as select *, {repeated} from written")
    gather_inexact(con)


def _cell(kind: str, cell: Any) -> Any:
    if cell is None:
        return None
    if kind == "money":
        return int(Decimal(str(cell)) * 10**6)
    if kind in ("date", "month"):
        return date.fromisoformat(cell if len(cell) > 7 else f"{cell}-01")
    return zlib.crc32(cell.encode()) if kind == "identifier" else cell
