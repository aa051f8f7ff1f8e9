"""Monitored and roster households at both sides of every newly-eligible rule."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from . import people as forms
from .builder import CENT, GAP_COUNTY, Builder, Family
from .cases_discrepancy import any_family, case, spread_income
from .people import Someone


def _annual(line: Decimal | None, side: int) -> Decimal:
    """A declared yearly income per capita that is `side` cents from the line."""
    return (line or Decimal(700)) * 12 + side * CENT


def _family_of(b: Builder, most: int = 4) -> list[Someone]:
    return [
        b.people.new(date(1975, 1, 1) + timedelta(days=b.number())) for _ in range(b.rng.randint(1, most))
    ]


@case
def n01(b: Builder, side: int) -> None:
    """N01: income < entry line of dibao, exactly at it no longer; n = 1 with an obligor is no N05."""
    county, area = b.place()
    b.monitored(county, area, _family_of(b), annual=_annual(b.law.line("dibao", "entry", county, area), side))


@case
def n01_verified(b: Builder, side: int) -> None:
    """income = max(declared / 12, verified / n)."""
    county, area = b.place()
    family = b.monitored(county, area, _family_of(b), annual=100)
    line = b.law.line("dibao", "entry", county, area) or Decimal(0)
    spread_income(b, family.people, line * family.n * b.law.months + side * CENT)


@case
def n02(b: Builder, side: int) -> None:
    """N02 at its line, with N03 for every severe member that is not dead."""
    county, area = b.place()
    severe = {
        -1: {"severe_illness": "是"},
        0: {
            "disability_grade": b.rng.choice(["2", "3"]),
            "disability_category": b.rng.choice(["视力", "肢体", ""]),
        },
        1: {
            "disability_grade": b.rng.choice(["3", "4"]),
            "disability_category": b.rng.choice(["智力", "精神"]),
        },
    }[side]
    line = b.law.line("dibao_margin", "entry", county, area)
    people = _family_of(b)
    b.monitored(county, area, people, annual=_annual(line, min(side, b.rng.choice([-1, 0, 1]))), **severe)
    if b.rng.random() < 0.3:
        b.registered(people[0], f"HK{b.number()}", "01", "死亡", b.ago(50))


@case
def n02_by_assets(b: Builder, side: int) -> None:
    """Property: assets per capita <= limit of dibao (at it N01), above it N02, above dibao_margin's N06."""
    county, area = b.place()
    family = b.monitored(county, area, _family_of(b), annual=1200)
    programme = b.rng.choice(["dibao", "dibao_margin"])
    b.bank(family.people[0], (b.law.limit(programme, county, area) or Decimal(0)) * family.n + side * CENT)


@case
def n04(b: Builder, side: int) -> None:
    """N04: below the rigid entry line, and rigid expenditure >= rigid_share x 12 x income x n, and > 0."""
    county, area = b.place()
    people = _family_of(b)
    margin = b.law.line("dibao_margin", "entry", county, area) or Decimal(0)
    line = b.law.line("rigid_expenditure", "entry", county, area) or Decimal(0)
    annual = (max(margin, line - 60) * 12).quantize(CENT)
    if b.rng.random() < 0.3:
        annual = _annual(line, side)
        b.monitored(county, area, people, annual=annual, rigid=10**6)
    else:
        b.monitored(
            county, area, people, annual=annual, rigid=b.law.rigid_share * annual * len(people) + side * CENT
        )


@case
def n04_without_income(b: Builder, side: int) -> None:
    """rigid_expenditure_12m > 0: nothing spent is not enough even without income."""
    county, area = b.place()
    people = _family_of(b)
    b.monitored(county, area, people, annual=0, rigid=max(side, 0))
    # property fails for dibao and dibao_margin, but may pass for rigid_expenditure: else N06
    limits = [b.law.limit(p, county, area) or Decimal(0) for p in ("dibao", "dibao_margin")]
    b.bank(people[0], max(limits) * len(people) + CENT)


@case
def n05(b: Builder, side: int) -> None:
    """N05: age >= 60 or < 16 on the day, alone, no obligor."""
    county, area = b.place()
    years = b.rng.choice([60, 16])
    day = b.as_of - timedelta(days=side)
    born = date(day.year - years, day.month, day.day if (day.month, day.day) != (2, 29) else 28)
    who = b.people.new(born)
    line = b.law.line("tekun", "entry", county, area)
    b.monitored(
        county, area, [who], annual=_annual(line, b.rng.choice([-1, -1, -1, 0])),
        has_obligor=b.rng.choice(["无", "无", "无", "有"]),
    )  # fmt: skip


@case
def n05_disabled(b: Builder, side: int) -> None:
    """N05: a disability within tekun_disability (category and at most max_grade)."""
    county, area = b.place()
    category, most = b.rng.choice([("视力", 1), ("肢体", 2), ("智力", 3), ("精神", 3), ("听力", 1)])
    b.monitored(
        county, area, _family_of(b, 1), annual=100, has_obligor="无",
        disability_category=category, disability_grade=str(max(1, most + side)),
    )  # fmt: skip


@case
def n05_two_people(b: Builder, side: int) -> None:
    """N05 needs n = 1."""
    b.monitored(
        *b.place(),
        [b.people.new(date(1940, 1, 1)), b.people.new(date(1941, 1, 1))],
        annual=10,
        has_obligor="无",
    )


@case
def n05_assets(b: Builder, side: int) -> None:
    """N05 with assets at the limit of tekun; above it the next rules are tried."""
    county, area = b.place()
    who = b.people.new(date(1939, 4, 4))
    b.monitored(county, area, [who], annual=10, has_obligor=b.rng.choice(["无", "无", "有"]))
    b.bank(who, (b.law.limit("tekun", county, area) or Decimal(0)) + side * CENT)


@case
def n06_director(b: Builder, side: int) -> None:
    """N06: property failed by B01's case; capital at the threshold."""
    county, area = b.place()
    people = _family_of(b)
    b.monitored(county, area, people, annual=2400)
    if side < 0:
        b.interest(people[-1], "法定代表人", capital=0)
    else:
        b.interest(
            people[-1], "股东", capital=(b.law.capital_threshold / 10000) + Decimal("0.0001") * (side - 1)
        )


@case
def n00(b: Builder, side: int) -> None:
    """N00: a member lacks an authorisation; p against the entry lines, tax not looked at."""
    county, area = b.place()
    people = _family_of(b)
    line = b.law.line("dibao_margin", "entry", county, area)
    b.monitored(county, area, people, annual=_annual(line, side), authorised=False)
    for one in people[1:]:
        b.authorise(one)
    b.authorise(people[0], scope=b.rng.choice(["banks;tax;securities;insurance", "tax"]))
    b.tax(people[0], 10**5)
    b.bank(people[0], 10**6)


@case
def n00_rigid(b: Builder, side: int) -> None:
    """N00 by the rigid entry line and the share of what was spent."""
    county, area = b.place()
    people = _family_of(b)
    margin = b.law.line("dibao_margin", "entry", county, area) or Decimal(0)
    rigid = b.law.line("rigid_expenditure", "entry", county, area) or Decimal(0)
    annual = (max(margin, rigid - 30) * 12).quantize(CENT)
    spent = b.law.rigid_share * annual * len(people) + side * CENT
    b.monitored(county, area, people, annual=annual, rigid=spent, authorised=False)


@case
def candidate_on_roster(b: Builder, side: int) -> None:
    """Not a candidate when a member is, by valid ID, a member of an active roster household."""
    people = _family_of(b)
    if side < 0:
        any_family(b, people=[people[-1]])
    elif side == 0:
        any_family(b, people=[people[-1]], status="停保")
    else:
        b.obligor(any_family(b), people[0])  # an obligor is no member
    b.monitored(*b.place(), people, annual=600)
    b.bank(people[0], 70)


@case
def risk_eliminated(b: Builder, side: int) -> None:
    """risk_eliminated of the head's row."""
    b.monitored(*b.place(), _family_of(b), annual=600, eliminated="是" if side else "否")


@case
def monitored_incomplete(b: Builder, side: int) -> None:
    """Incomplete: withheld, only counted; a repeated member makes nobody incomplete."""
    people = [b.people.new(), b.people.new()]
    family = b.monitored(*b.place(), people, annual=600)
    record = family.member_records[1]
    if side < 0:
        again = b.add("rural_revitalisation", record.file)
        again.cells.update(record.cells)
        again.cells["重病"] = b.rng.choice(["是", "否"])
    elif side == 0:
        record.cells["重病"] = "不知"
        record.broken = True
    else:
        record.cells["公民身份号码"] = ""
        record.cells["家庭年人均纯收入"] = "-5"
        record.broken = True


@case
def monitored_head_missing(b: Builder, side: int) -> None:
    """Without exactly one accepted head row quarantined whole, added to the reasons its rows have."""
    family = b.monitored(*b.place(), [b.people.new(), b.people.new(), b.people.new()], annual=600)
    one, two, three = family.member_records
    for record in family.member_records:
        record.broken = True
    if side < 0:
        one.cells["与户主关系"] = "10"
    elif side == 0:
        two.cells["与户主关系"] = "01"
        three.cells["残疾等级"] = "9"
    else:
        one.cells["年刚性支出"] = "一千"
        again = b.add("rural_revitalisation", two.file)
        again.cells.update(two.cells)
        again.broken = True


@case
def monitored_suspect(b: Builder, side: int) -> None:
    """A suspect number reaches no rows; its age is not judged; it needs an authorisation like any other."""
    who = b.people.new(date(1930, 1, 1))
    family = b.monitored(*b.place(), [who], annual=600, has_obligor="无")
    wrong = forms.wrong_check(who.number, b.rng)
    family.member_records[0].cells["公民身份号码"] = wrong
    if side >= 0:
        b.authorise(who, number=wrong)
    b.bank(who, 10**7)


@case
def monitored_gap(b: Builder, side: int) -> None:
    """A county without a region: no line, no lead."""
    b.monitored(GAP_COUNTY, "农村", _family_of(b), annual=5, authorised=side >= 0)
    any_family(b)
    b.household("低保", GAP_COUNTY, "农村")


@case
def same_household_id(b: Builder, side: int) -> None:
    """A monitored household may bear the id of a roster household: they are two households."""
    family = any_family(b)
    b.monitored(*b.place(), _family_of(b), annual=100, household_id=family.household_id)


def _upgrade(b: Builder, programme: str, line: str, side: int, **more: object) -> Family:
    county, area = b.place()
    people = _family_of(b)
    total = (b.law.line(line, "entry", county, area) or Decimal(0)) * len(people) + side * CENT
    return b.household(programme, county, area, people, income=total, **more)


@case
def u01(b: Builder, side: int) -> None:
    """U01: income per capita < entry line of dibao, by declared household income."""
    _upgrade(b, b.rng.choice(["低保边缘", "刚性支出"]), "dibao", side)


@case
def u01_blocked(b: Builder, side: int) -> None:
    """U01 only when every member is authorised, the household complete, property passed."""
    family = _upgrade(b, "低保边缘", "dibao", -1, authorised=side != 0, severe_illness="是")
    if side < 0:
        b.bank(family.people[0], 10**7)
    if side > 0:
        b.member(family, b.people.new(), number="12").broken = True


@case
def u02(b: Builder, side: int) -> None:
    """U02: dibao_margin only, for every severe member without an exact 死亡 row."""
    family = _upgrade(
        b, b.rng.choice(["低保边缘", "低保边缘", "刚性支出"]), "dibao_margin", side, severe_illness="是"
    )
    if b.rng.random() < 0.5:
        b.registered(family.people[-1], f"HK{b.number()}", "01", "死亡", b.ago(4))
