"""The rules of the policy on whole tables: every lead of tonight, before it is compared with earlier nights."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from connectors.registry import authorised_sources, required_authorisations
from pipelines.durable import replacing_folder
from pipelines.errors import NightFailed
from pipelines.intake.evidence_tables import MICRO
from pipelines.link import (
    drop_latest_banks,
    load_linked,
    load_registers,
    open_reached,
    part_banks,
    view_latest_banks,
)
from pipelines.rule_sql import build_rule, known_rules, own_file
from pipelines.settings import Settings
from pipelines.warehouse import (
    build_table,
    insert_arrow,
    open_warehouse,
    sql_text,
    write_table,
)
from policy.model import PolicyAt
from policy.reader import Entry
from policy.rules import Rule

# The roster's programmes (spec section 2) and the policy's names for them (section 6).
PROGRAMMES = {"低保": "dibao", "特困": "tekun", "低保边缘": "dibao_margin", "刚性支出": "rigid_expenditure"}
_AREAS = {"城镇": "urban", "农村": "rural"}
_STEPS = (
    "income",
    "security_asset",
    "policy_asset",
    "business",
    "business_case",
    "registration",
    "trace",
    "member",
)
# What the property test asks of the departments that are not always connected (spec section 4 knows only B01).
PROPERTY_SOURCES = ("vehicles", "real_estate")


def usable_sources(sources: Mapping[str, Mapping[str, Any]]) -> set[str]:
    return {source for source, result in sources.items() if result["state"] == "accepted"}


def judged_rules(rules: Mapping[str, Rule], sources: Mapping[str, Mapping[str, Any]]) -> list[Rule]:
    """The rules tonight can judge: every source they need is used, or, for partial ones, one of them.

    sources: those of tonight; a department that is not connected is not among them.
    """
    usable = usable_sources(sources)
    return [
        rule
        for rule in rules.values()
        if set(rule.needs) <= usable or (rule.partial and usable & set(rule.needs))
    ]


def income_window(policy: PolicyAt) -> tuple[date, date]:
    """First days of the first and the last of the full months before the as-of date's month."""
    months = policy.scalar("income_window_months")
    assert isinstance(months, int)
    last = policy.as_of.year * 12 + policy.as_of.month - 2
    first = last - months + 1
    return date(first // 12, first % 12 + 1, 1), date(last // 12, last % 12 + 1, 1)


def is_tax_comparable(policy: PolicyAt, sources: dict[str, dict[str, Any]]) -> bool:
    """Whether the tax feed is used tonight and covers every month of the window."""
    tax = sources["tax"]
    if tax["state"] != "accepted" or not tax["covers"]:
        return False
    first, last = (date.fromisoformat(f"{month}-01") for month in tax["covers"])
    start, end = income_window(policy)
    return first <= start and end <= last


def assess_night(settings: Settings, policy: PolicyAt, sources: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Write work/<as-of>/assess: the leads of tonight. sources: every SourceResult as a dict. Returns counts.

    Raises NightFailed when a policy figure has more digits than exact totals can carry, and for a rule nobody can run.
    """
    with replacing_folder(settings.work / "assess") as building:
        with open_warehouse(building) as con, ThreadPoolExecutor(1) as beside:
            for table in ("household", "record", "near_suspect"):
                con.read_parquet(str(settings.work / "people" / f"{table}.parquet")).create_view(table)
            load_linked(con, settings)
            load_registers(con, settings.work / "evidence")
            summary = assess_tables(
                con, policy, sources, beside.submit(part_banks, *open_reached(settings, "banks"))
            )
            for table in ("discrepancy", "newly_eligible"):
                write_table(con, f"select * from {table}", building / f"{table}.parquet")
        (building / "summary.json").write_text(json.dumps(summary, ensure_ascii=False), encoding="utf-8")
    return summary


def assess_tables(
    con: duckdb.DuckDBPyConnection,
    policy: PolicyAt,
    sources: dict[str, dict[str, Any]],
    banks: Future[tuple[pa.Table, pa.Table]] | None = None,
) -> dict[str, Any]:
    """Build every table of sql/assess in an open warehouse that holds people, reach_<source> and inexact.

    banks: their rows as `part_banks` parts them, when there are too many to compare in SQL.
    """
    usable = usable_sources(sources)
    values = rule_parameters(policy, usable, is_tax_comparable(policy, sources))
    values["property_held"] = any(one in sources and one not in usable for one in PROPERTY_SOURCES)
    judged = judged_rules(known_rules(), sources)
    told = _load_policy(con, policy, judged)
    con.execute(sql_text("assess/macros"))
    for name in _STEPS:
        build_table(con, f"assess/{name}", **values)
    view_latest_banks(con, banks.result() if banks else None)
    del banks  # or it would keep the rows
    build_table(con, "assess/bank_asset", **values)
    drop_latest_banks(con)
    _build_property_cases(con, judged, values)
    _build_shared(con, _REGISTER_STEPS, judged, values)
    build_table(con, "assess/household_position", **values)
    parts = []
    for rule in judged:
        if rule.list == "discrepancies":
            build_rule(con, rule, values)
            parts.append(
                f"select '{rule.code}' as rule, household, record, value_cents::hugeint as value_cents, "
                f"line_cents::hugeint as line_cents, evidence from {rule.code.lower()}"
            )
    con.execute(f"create or replace table lead as {' union all '.join(parts)}")
    columns = "l.value_cents, l.line_cents, l.evidence"
    con.execute(
        f"create or replace table discrepancy as {_WITH_PEOPLE.format(table='lead', columns=columns)}"
    )
    for name in ("candidate", "newly_eligible"):
        build_table(con, f"assess/{name}", **values)
    con.execute("alter table newly_eligible rename to newly_lead")
    _add_newly_leads(con, judged, values)
    columns = "l.value_cents, l.line_cents, l.assets_cents, l.asset_line_cents, l.members, l.evidence"
    con.execute(
        f"create or replace table newly_eligible as {_WITH_PEOPLE.format(table='newly_lead', columns=columns)}"
    )
    withheld = con.execute(
        "select count(*) from candidate where list = 'monitored' and stage = 'withheld'"
    ).fetchone()
    counted = con.execute(
        """
        select 'discrepancies' as list, rule, count(*) as count,
            count(*) filter (household_list <> 'roster') as households_unknown
        from discrepancy group by rule
        union all
        select 'newly_eligible', rule, count(*),
            count(*) filter (household_list <> if(rule like 'N%', 'monitored', 'roster'))
        from newly_eligible group by rule
        order by all
        """
    ).fetchall()
    names = ("list", "rule", "count", "households_unknown")
    return {
        "leads": [dict(zip(names, row, strict=True)) for row in counted],
        "withheld": withheld[0] if withheld else 0,
        "tax_comparable": values["tax_comparable"],
        "rules": [rule.code for rule in judged],
        **told,
    }


def _build_property_cases(con: duckdb.DuckDBPyConnection, judged: list[Rule], values: dict[str, Any]) -> None:
    """Table property_case: the households that a connected department's rule says own what the test forbids.

    Empty while no such department is connected, so that nothing changes (docs/rules.md).
    """
    con.execute("create or replace table property_case (household integer, rule varchar, evidence varchar)")
    for name in _build_shared(con, _PROPERTY_STEPS, judged, values):
        con.execute(f"insert into property_case select household, rule, evidence from {name}")


# Tables that several rules read, and those rules: built when one of them is judged.
_PROPERTY_STEPS = {"vehicle_case": ("V01", "V02"), "real_estate_case": ("R01", "R02")}
_REGISTER_STEPS = {
    "severe_certificate": ("N08", "U03"),
    "severe_treatment": ("N09", "U04"),
    "latest_registration": ("H02", "H03"),
}
_CANDIDATE_STEPS = {"single_person_case": ("N08", "N09", "U03", "U04")}


def _build_shared(
    con: duckdb.DuckDBPyConnection,
    steps: Mapping[str, tuple[str, ...]],
    judged: list[Rule],
    values: dict[str, Any],
) -> list[str]:
    """Build the tables that a judged rule reads. Returns their names."""
    codes = {rule.code for rule in judged}
    wanted = [name for name, rules in steps.items() if codes & set(rules)]
    for name in wanted:
        build_table(con, f"assess/{name}", **values)
    return wanted


def _add_newly_leads(con: duckdb.DuckDBPyConnection, judged: list[Rule], values: dict[str, Any]) -> None:
    """Append what the newly-eligible rules with a file of their own find beside those of newly_eligible.sql."""
    _build_shared(con, _CANDIDATE_STEPS, judged, values)
    for rule in judged:
        if rule.list == "newly_eligible" and own_file(rule):
            table = rule.code.lower()
            build_rule(con, rule, values)
            con.execute(
                f"insert into newly_lead by name select $rule as rule, * from {table}", {"rule": rule.code}
            )


# A lead with its household and the person it names: its own, or for household rules the head (relation 01; without
# exactly one, the member with the lowest ID number, spec section 5: numbers are compared by the publisher).
_WITH_PEOPLE = """
    select
        l.rule,
        h.list as household_list,
        h.household_id,
        h.programme,
        h.county_code,
        h.township_code,
        l.record is not null as is_person_rule,
        r.hi,
        r.lo,
        l.record,
        l.household,
        {columns}
    from {table} as l
    join household as h using (household)
    left join record as r on r.record = l.record
"""


def rule_parameters(policy: PolicyAt, usable: set[str], tax_comparable: bool) -> dict[str, Any]:
    """The $parameters of sql/assess: money in millionths, ratios times 10^6, months as dates."""
    start, end = income_window(policy)
    scopes = authorised_sources()
    required = required_authorisations()
    scalar = policy.scalar
    return {
        "as_of": policy.as_of,
        "window": scalar("income_window_months"),
        "window_start": start,
        "window_end": end,
        "countable_income_items": list(_texts(scalar("countable_income_items"))),
        "income_tolerance12": _whole(scalar("income_tolerance"), 12 * 10**12, "income_tolerance"),
        "undeclared_income_tolerance": _whole(
            scalar("undeclared_income_tolerance"), MICRO, "undeclared_income_tolerance"
        ),
        "undeclared_assets_tolerance": _whole(
            scalar("undeclared_assets_tolerance"), MICRO, "undeclared_assets_tolerance"
        ),
        "premium_multiple6": _whole(scalar("premium_multiple"), MICRO, "premium_multiple"),
        "capital_threshold": _whole(scalar("capital_threshold"), MICRO, "capital_threshold"),
        "obligor_multiple6": _whole(scalar("obligor_multiple"), MICRO, "obligor_multiple"),
        "rigid_share6": _whole(scalar("rigid_share"), MICRO, "rigid_share"),
        "severe_grades": list(_texts(scalar("severe_grades"))),
        "severe_grades_intellectual_mental": list(_texts(scalar("severe_grades_intellectual_mental"))),
        "asset_products": list(_texts(scalar("asset_products"))),
        "register_max_persons": scalar("register_max_persons"),
        "evidence_max_age_days": scalar("evidence_max_age_days"),
        "every_scope": sum(1 << scopes.index(source) for source in required),
        "tax_scope": 1 << scopes.index("tax"),
        "tax_comparable": tax_comparable,
        "five_usable": set(required) <= usable,
        "registration_usable": "household_registration" in usable,
    }


def _texts(value: object) -> Iterable[str]:
    assert isinstance(value, tuple)
    return (str(item) for item in value)


def _whole(value: object, scale: int, key: str) -> int:
    """value × scale as a whole number. Raises NightFailed when digits would be lost."""
    exact = Fraction(value) * scale if isinstance(value, Decimal | int | Fraction) else Fraction(-1)
    if exact.denominator != 1:
        raise NightFailed(
            f"policy: {key} has more digits than exact totals can carry; round it to six decimals"
        )
    return exact.numerator


def _load_policy(con: duckdb.DuckDBPyConnection, policy: PolicyAt, judged: list[Rule]) -> dict[str, Any]:
    """Tables fx, tekun_disability, standard, threshold and rule_setting for the places of tonight's households.

    Returns policy_used (the entries), policy_gaps (the counties without a standard) and rules_silent (per judged rule
    the counties that have not turned it on).
    """
    places = con.execute(
        "select distinct county_code, township_code, area from household order by all"
    ).fetchall()
    standards: list[dict[str, Any]] = []
    thresholds: list[dict[str, Any]] = []
    for county, township, area in places:
        place = {"county_code": county, "township_code": township, "area": area}
        entry = policy.standard(county, township, _AREAS[area])
        if entry is not None:
            standards.append({**place, "standard_micro": _whole(entry.value, MICRO, "dibao_standard")})
        for programme, key in PROGRAMMES.items():
            threshold: dict[str, Any] = {**place, "programme": programme}
            for use in ("check", "entry"):
                line = policy.line(key, use, county, township, _AREAS[area])
                threshold[f"{use}_line12"] = (
                    None if line is None else _whole(line.value * 12, 10**12, "income_line")
                )
            limit = policy.asset_limit(key, county, township, _AREAS[area])
            threshold["asset_limit14"] = None if limit is None else _whole(limit.value, 10**14, "asset_limit")
            thresholds.append(threshold)
    text, number = pa.string(), pa.int64()
    wide = pa.decimal128(38, 0)
    place_fields = [("county_code", text), ("township_code", text), ("area", text)]
    standard_schema = pa.schema([*place_fields, ("standard_micro", number)])
    insert_arrow(con, "standard", pa.Table.from_pylist(standards, standard_schema))
    lines: list[tuple[str, pa.DataType]] = [
        ("check_line12", wide),
        ("entry_line12", wide),
        ("asset_limit14", wide),
    ]
    threshold_schema = pa.schema([*place_fields, ("programme", text), *lines])
    for row in thresholds:
        for name, _ in lines:
            row[name] = None if row[name] is None else Decimal(row[name])
    insert_arrow(con, "threshold", pa.Table.from_pylist(thresholds, threshold_schema))
    for name, _ in lines:
        con.execute(f"alter table threshold alter {name} type hugeint")
    rates = [
        {"currency": code, "rate8": _whole(rate, 10**8, "fx")} for code, rate in policy.currencies().items()
    ]
    insert_arrow(con, "fx", pa.Table.from_pylist(rates, pa.schema([("currency", text), ("rate8", number)])))
    grounds = [
        {"category": entry.identity["category"], "max_grade": int(entry.fields["max_grade"])}
        for entry in policy.entries("tekun_disability")
    ]
    insert_arrow(
        con,
        "tekun_disability",
        pa.Table.from_pylist(grounds, pa.schema([("category", text), ("max_grade", number)])),
    )
    setting = [rule for rule in judged if rule.settings]
    _load_settings(con, policy, setting, sorted({(county, township) for county, township, _ in places}))
    named = [(county, township, _AREAS[area]) for county, township, area in places]
    return {
        "policy_used": [_entry_dict(entry) for entry in policy.used(named, setting)],
        "policy_gaps": list(policy.gaps(named)),
        "rules_silent": {code: list(counties) for code, counties in policy.silent(setting, named).items()},
    }


def _load_settings(
    con: duckdb.DuckDBPyConnection, policy: PolicyAt, rules: list[Rule], places: list[tuple[str, str]]
) -> None:
    """Table rule_setting: what each of the rules reads at each place where it is on.

    value_micro: millionths, null for lists; texts: the list, null for numbers.
    """
    rows = []
    for county, township in places:
        for rule in rules:
            for entry in policy.settings(rule, county, township):
                is_list = isinstance(entry.value, tuple)
                rows.append(
                    {
                        "county_code": county,
                        "township_code": township,
                        "rule": rule.code,
                        "name": entry.identity["name"],
                        "value_micro": None
                        if is_list
                        else _whole(entry.value, MICRO, f"rule_setting {rule.code}"),
                        "texts": list(_texts(entry.value)) if is_list else None,
                    }
                )
    text = pa.string()
    fields: list[tuple[str, pa.DataType]] = [
        *((name, text) for name in ("county_code", "township_code", "rule", "name")),
        ("value_micro", pa.int64()),
        ("texts", pa.list_(text)),
    ]
    insert_arrow(con, "rule_setting", pa.Table.from_pylist(rows, pa.schema(fields)))


def _entry_dict(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "identity": {name: str(value) for name, value in entry.identity.items()},
        "value": _shown(entry),
        "from": entry.start.isoformat(),
        "source": entry.source,
        "confirmed": entry.confirmed,
    }


def _shown(entry: Entry) -> str:
    if entry.value is not None:
        return "、".join(map(str, entry.value)) if isinstance(entry.value, tuple) else str(entry.value)
    return "，".join(f"{name}={value}" for name, value in entry.fields.items())


def read_summary(folder: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return summary
