"""Section 4: the rules, one small function each, in the order of the specification.

A finding is (value, line) or None. Money is exact; `Lead` rounds when it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from .identity import age, one_step_apart
from .linking import Authorisations, Household, Person
from .policy import Policy
from .reading import Source, month_of

PROGRAMME = {"低保": "dibao", "特困": "tekun", "低保边缘": "dibao_margin", "刚性支出": "rigid_expenditure"}
Finding = tuple[Fraction, Fraction] | None


@dataclass
class Tonight:
    as_of: date
    policy: Policy
    sources: dict[str, Source]
    authorisations: Authorisations
    registers: dict[str, list[dict[str, Any]]]
    active: list[Household] = field(default_factory=list)

    def std(self, h: Household) -> Fraction | None:
        return self.policy.standard(h.county, h.area)

    def check_line(self, h: Household) -> Fraction | None:
        return self.policy.income_line(PROGRAMME[h.programme], "check", h.county, h.area)

    def entry_line(self, programme: str, h: Household) -> Fraction | None:
        return self.policy.income_line(programme, "entry", h.county, h.area)

    def asset_limit(self, programme: str, h: Household) -> Fraction | None:
        return self.policy.asset_limit(programme, h.county, h.area)

    def held(self, source: str) -> bool:
        return self.sources[source].held

    def tax_comparable(self) -> bool:
        covers = self.sources["tax"].covers
        if self.held("tax") or covers is None:
            return False
        return all(covers[0] <= m <= covers[1] for m in window(self))


# --- what the rules are about ---------------------------------------------------------------------------------------


def window(t: Tonight) -> list[str]:
    """The full months before D's month."""
    months, day = [], t.as_of.replace(day=1)
    for _ in range(int(t.policy.scalar("income_window_months"))):
        day = (day - timedelta(days=1)).replace(day=1)
        months.append(month_of(day))
    return months


def own_income(t: Tonight, p: Person) -> Fraction:
    """Verified income of one person a month."""
    countable = t.policy.scalar("countable_income_items")
    months = window(t)
    total = sum(
        (
            e["amount"]
            for e in p.evidence("tax")
            if e["tax_month"] in months and e["income_item"] in countable
        ),
        Fraction(0),
    )
    return max(total, Fraction(0)) / len(months)


def verified_income(t: Tonight, h: Household) -> Fraction:
    """Of the household a month."""
    return sum((own_income(t, p) for p in h.members), Fraction(0))


def _account_assets(t: Tonight, rows: list[dict[str, Any]]) -> Fraction:
    accounts: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        accounts.setdefault((row["institution"], row["account_no"]), []).append(row)
    earliest = t.as_of - timedelta(days=int(t.policy.scalar("evidence_max_age_days")))
    total = Fraction(0)
    for account in accounts.values():
        latest = max(row["date"] for row in account)
        if latest < earliest:
            continue
        largest: dict[tuple[str, str], Fraction] = {}
        for row in account:
            if row["date"] == latest:
                if "balance" in row:
                    key, amount = (row["account_type"], row["currency"]), max(row["balance"], Fraction(0))
                else:
                    key = ("", row["currency"])
                    amount = row["market_value"] + max(row["cash_balance"], Fraction(0))
                largest[key] = max(largest.get(key, Fraction(0)), amount)
        total += sum(
            (amount * t.policy.fx()[currency] for (_, currency), amount in largest.items()), Fraction(0)
        )
    return total


def in_force(t: Tonight, row: dict[str, Any]) -> bool:
    return (
        row["status"] == "有效"
        and row["effective_on"] <= t.as_of
        and (row["expires_on"] is None or row["expires_on"] >= t.as_of)
        and row["product_type"] in t.policy.scalar("asset_products")
    )


def _largest_per_policy(t: Tonight, p: Person, key: str) -> Fraction:
    largest: dict[tuple[str, str], Fraction] = {}
    for row in p.evidence("insurance"):
        if in_force(t, row):
            number = (row["insurer_code"], row["policy_no"])
            largest[number] = max(largest.get(number, Fraction(0)), row[key])
    return sum(largest.values(), Fraction(0))


def assets(t: Tonight, h: Household) -> Fraction:
    """Of the household, yuan."""
    return sum(
        (
            _account_assets(t, p.evidence("banks"))
            + _account_assets(t, p.evidence("securities"))
            + _largest_per_policy(t, p, "cash_value")
            for p in h.members
        ),
        Fraction(0),
    )


def property_passes(t: Tonight, programme: str, h: Household) -> bool | None:
    """None: there is no limit to judge by."""
    limit = t.asset_limit(programme, h)
    if limit is None:
        return None
    return assets(t, h) <= limit * h.n and not any(b01(t, h, p) for p in h.members)


def is_severe(t: Tonight, p: Person) -> bool:
    grades, mental = t.policy.scalar("severe_grades"), t.policy.scalar("severe_grades_intellectual_mental")
    has = [str(g) for g in (mental if p.disability_category in ("智力", "精神") else [])] + [
        str(g) for g in grades
    ]
    return p.disability_grade in has or p.severe_illness


def is_dead(p: Person) -> bool:
    return any(e["status"] == "死亡" for e in p.evidence("household_registration"))


# --- discrepancies --------------------------------------------------------------------------------------------------


def _days_since(t: Tonight, p: Person, *statuses: str) -> Finding:
    dates = [e["status_date"] for e in p.evidence("household_registration") if e["status"] in statuses]
    return (Fraction((t.as_of - max(dates)).days), Fraction(0)) if dates else None


def d01(t: Tonight, h: Household, p: Person) -> Finding:
    return _days_since(t, p, "死亡")


def d02(t: Tonight, h: Household, p: Person) -> Finding:
    if any(e["status"] == "正常" for e in p.evidence("household_registration")):
        return None
    return _days_since(t, p, "迁出", "注销")


def d03(t: Tonight, h: Household, p: Person) -> Finding:
    if not p.id.valid:
        return None
    count = sum(any(m.id.text == p.id.text for m in other.members) for other in t.active)
    return (Fraction(count), Fraction(1)) if count >= 2 else None


def i01(t: Tonight, h: Household) -> Finding:
    line = t.check_line(h)
    if h.incomplete or line is None or not t.tax_comparable():
        return None
    income = verified_income(t, h)
    if income > (line + t.policy.scalar("income_tolerance")) * h.n:
        return income / h.n, line
    return None


def i02(t: Tonight, h: Household) -> Finding:
    if h.programme != "低保" or not t.tax_comparable():
        return None
    difference = verified_income(t, h) - h.head["declared_monthly_income"]
    tolerance = t.policy.scalar("undeclared_income_tolerance")
    return (difference, tolerance) if difference > tolerance else None


def a01(t: Tonight, h: Household) -> Finding:
    limit = t.asset_limit(PROGRAMME[h.programme], h)
    if h.incomplete or limit is None:
        return None
    total = assets(t, h)
    return (total / h.n, limit) if total > limit * h.n else None


def a02(t: Tonight, h: Household) -> Finding:
    if h.programme not in ("低保", "低保边缘"):
        return None
    difference = assets(t, h) - h.head["declared_financial_assets"]
    tolerance = t.policy.scalar("undeclared_assets_tolerance")
    return (difference, tolerance) if difference > tolerance else None


def p01(t: Tonight, h: Household) -> Finding:
    std = t.std(h)
    if h.programme not in ("低保", "低保边缘") or h.incomplete or std is None:
        return None
    premiums = sum((_largest_per_policy(t, p, "annual_premium") for p in h.members), Fraction(0))
    line = t.policy.scalar("premium_multiple") * 12 * std * h.n
    return (premiums, line) if premiums > line else None


def b01(t: Tonight, h: Household, p: Person) -> Finding:
    rows = [e for e in p.evidence("market_regulation") if (e["status"], e["entity_type"]) == ("存续", "企业")]
    capital: dict[str, Fraction] = {}
    for row in rows:
        if row["role"] in ("股东", "法定代表人"):
            yuan = row["subscribed_capital"] * 10000
            capital[row["uscc"]] = max(capital.get(row["uscc"], Fraction(0)), yuan)
    total = sum(capital.values(), Fraction(0))
    if any(row["role"] == "法定代表人" for row in rows):
        return total, Fraction(0)
    threshold = t.policy.scalar("capital_threshold")
    return (total, threshold) if total >= threshold and total > 0 else None


def b02(t: Tonight, h: Household, p: Person) -> Finding:
    businesses = {
        e["uscc"]
        for e in p.evidence("market_regulation")
        if (e["role"], e["status"], e["entity_type"]) == ("经营者", "存续", "个体工商户")
    }
    return (Fraction(len(businesses)), Fraction(0)) if businesses else None


def _family_registers(t: Tonight, h: Household) -> list[list[dict[str, Any]]]:
    numbers = {
        e["register_no"]
        for p in h.members
        for e in p.evidence("household_registration")
        if e["status"] == "正常" and e["relation"] in ("01", "02", "10", "11", "12")
    }
    found = [t.registers[number] for number in sorted(numbers)]
    most = t.policy.scalar("register_max_persons")
    return [rows for rows in found if len({r["id"].text for r in rows}) <= most]


def _is_spouse_or_minor_child(t: Tonight, row: dict[str, Any]) -> bool:
    if row["relation"] in ("10", "11", "12"):
        return True
    return 20 <= int(row["relation"]) <= 39 and age(row["id"].birth, t.as_of) < 18


def h01(t: Tonight, h: Household) -> Finding:
    if h.programme not in ("低保", "低保边缘") or h.incomplete:
        return None
    own = {p.id.text for p in [*h.members, *h.obligors]}
    suspects = [p.id.text for p in [*h.members, *h.obligors] if not p.id.valid]
    counted = {
        row["id"].text
        for register in _family_registers(t, h)
        for row in register
        if row["id"].valid
        and row["status"] == "正常"
        and _is_spouse_or_minor_child(t, row)
        and row["id"].text not in own
        and not any(one_step_apart(row["id"].text, s) for s in suspects)
    }
    return (Fraction(len(counted)), Fraction(0)) if counted else None


def s01(t: Tonight, h: Household, p: Person) -> Finding:
    std = t.std(h)
    if std is None or not t.tax_comparable():
        return None
    income, line = own_income(t, p), t.policy.scalar("obligor_multiple") * std
    return (income, line) if income > line else None


def x01(t: Tonight, h: Household, p: Person) -> Finding:
    return None if p.id.valid else (Fraction(1), Fraction(0))


def x02(t: Tonight, h: Household, p: Person) -> Finding:
    return (Fraction(len(p.conflicts)), Fraction(0)) if p.conflicts else None


def x03(t: Tonight, h: Household, p: Person) -> Finding:
    return (Fraction(p.repaired), Fraction(0)) if p.repaired else None


def x04(t: Tonight, h: Household, p: Person) -> Finding:
    lacking = t.authorisations.lacking(p.id.text)
    if p.role == "法定义务人":
        lacking = [s for s in lacking if s == "tax"]
    return (Fraction(len(lacking)), Fraction(0)) if lacking else None


def x05(t: Tonight, h: Household) -> Finding:
    return (Fraction(h.broken_rows), Fraction(0)) if h.incomplete else None


HOUSEHOLD_RULES = {"I01": i01, "I02": i02, "A01": a01, "A02": a02, "P01": p01, "H01": h01}
MEMBER_RULES = {
    "D01": d01,
    "D02": d02,
    "D03": d03,
    "B01": b01,
    "B02": b02,
    "X01": x01,
    "X02": x02,
    "X03": x03,
    "X04": x04,
}
OBLIGOR_RULES = {"S01": s01, "X04": x04}  # fmt: skip


@dataclass
class Lead:
    list: str  # discrepancies | newly_eligible
    rule: str
    household: Household
    person: Person | None  # None: a lead about the household
    value: Fraction
    line: Fraction
    assets: Fraction | None = None  # per capita
    asset_line: Fraction | None = None


def discrepancies(t: Tonight) -> list[Lead]:
    found = []

    def add(rule: str, h: Household, p: Person | None, finding: Finding) -> None:
        if finding:
            found.append(Lead("discrepancies", rule, h, p, *finding))

    for h in t.active:
        add("X05", h, None, x05(t, h))
        if h.n:
            for rule, judge in HOUSEHOLD_RULES.items():
                add(rule, h, None, judge(t, h))
        for p in h.members:
            for rule, judge_person in MEMBER_RULES.items():
                add(rule, h, p, judge_person(t, h, p))
        if h.programme in ("低保", "特困"):
            for p in h.obligors:
                for rule, judge_person in OBLIGOR_RULES.items():
                    add(rule, h, p, judge_person(t, h, p))
    return found


# --- newly eligible -------------------------------------------------------------------------------------------------


class Withheld(Exception):
    """Only counted."""


def _below(income: Fraction, line: Fraction | None) -> bool:
    return line is not None and income < line


def _lead(t: Tonight, rule: str, h: Household, p: Person | None, income: Fraction, programme: str) -> Lead:
    return Lead(
        "newly_eligible", rule, h, p, income, t.entry_line(programme, h) or Fraction(0),
        assets(t, h) / h.n, t.asset_limit(programme, h),
    )  # fmt: skip


def _rigid_enough(t: Tonight, h: Household, income: Fraction) -> bool:
    spent = h.head["rigid_expenditure"]
    return spent > 0 and spent >= t.policy.scalar("rigid_share") * 12 * income * h.n


def _everyone_authorised(t: Tonight, h: Household) -> bool:
    return not any(t.authorisations.lacking(p.id.text) for p in h.members)


def _five_can_be_used(t: Tonight) -> bool:
    return not any(t.held(s) for s in ("tax", "market_regulation", "banks", "securities", "insurance")) and (
        t.tax_comparable()
    )


def n00(t: Tonight, h: Household) -> list[Lead]:
    p = h.head["declared_annual"] / 12
    margin, rigid = t.entry_line("dibao_margin", h), t.entry_line("rigid_expenditure", h)
    if _below(p, margin):
        return [Lead("newly_eligible", "N00", h, None, p, margin or Fraction(0))]
    if _below(p, rigid) and _rigid_enough(t, h, p):
        return [Lead("newly_eligible", "N00", h, None, p, rigid or Fraction(0))]
    return []


def n05_holds(t: Tonight, h: Household, income: Fraction) -> bool:
    if h.n != 1 or h.head["has_obligor"] != "无":
        return False
    person = h.members[0]
    years = age(person.id.birth, t.as_of) if person.id.valid else None
    disabled = any(
        person.disability_category == e["category"]
        and person.disability_grade is not None
        and int(person.disability_grade) <= e["max_grade"]
        for e in t.policy.used["tekun_disability"]
    )
    if not disabled and (years is None or 16 <= years < 60):
        return False
    return _below(income, t.entry_line("tekun", h)) and property_passes(t, "tekun", h) is True


def _severe_living(t: Tonight, h: Household) -> list[Person]:
    """Nobody while household_registration is held: N03 and U02 are not evaluated."""
    if t.held("household_registration"):
        return []
    return [p for p in h.members if is_severe(t, p) and not is_dead(p)]


def judge_candidate(t: Tonight, h: Household) -> list[Lead]:
    if h.incomplete:
        raise Withheld
    if not _everyone_authorised(t, h):
        return n00(t, h)
    if not _five_can_be_used(t):
        raise Withheld
    income = max(h.head["declared_annual"] / 12, verified_income(t, h) / h.n)
    if n05_holds(t, h, income):
        return [_lead(t, "N05", h, None, income, "tekun")]
    if _below(income, t.entry_line("dibao", h)) and property_passes(t, "dibao", h):
        return [_lead(t, "N01", h, None, income, "dibao")]
    below_margin = _below(income, t.entry_line("dibao_margin", h))
    if below_margin and property_passes(t, "dibao_margin", h):
        return [_lead(t, "N02", h, None, income, "dibao_margin")] + [
            _lead(t, "N03", h, p, income, "dibao_margin") for p in _severe_living(t, h)
        ]
    if (
        _below(income, t.entry_line("rigid_expenditure", h))
        and property_passes(t, "rigid_expenditure", h)
        and _rigid_enough(t, h, income)
    ):
        return [_lead(t, "N04", h, None, income, "rigid_expenditure")]
    if below_margin and property_passes(t, "dibao_margin", h) is False:
        return [_lead(t, "N06", h, None, income, "dibao_margin")]
    return []


def judge_upgrade(t: Tonight, h: Household) -> list[Lead]:
    """U01, U02: households on the roster that may belong to another programme."""
    if h.programme not in ("低保边缘", "刚性支出") or not h.n or h.incomplete:
        return []
    if not _everyone_authorised(t, h) or not _five_can_be_used(t):
        return []
    income = max(h.head["declared_monthly_income"], verified_income(t, h)) / h.n
    if _below(income, t.entry_line("dibao", h)) and property_passes(t, "dibao", h):
        return [_lead(t, "U01", h, None, income, "dibao")]
    if (
        h.programme == "低保边缘"
        and _below(income, t.entry_line("dibao_margin", h))
        and property_passes(t, "dibao_margin", h)
    ):
        return [_lead(t, "U02", h, p, income, "dibao_margin") for p in _severe_living(t, h)]
    return []
