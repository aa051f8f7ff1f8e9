"""Households placed just below (-1), at (0) and just above (+1) the edge of every discrepancy rule and of linking."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from . import people as forms
from .builder import CENT, GAP_COUNTY, Builder, Family
from .people import Someone

Case = Callable[[Builder, int], None]
CASES: list[Case] = []
PROGRAMMES = ("低保", "特困", "低保边缘", "刚性支出")
KEY = {"低保": "dibao", "特困": "tekun", "低保边缘": "dibao_margin", "刚性支出": "rigid_expenditure"}


def case(function: Case) -> Case:
    CASES.append(function)
    return function


def any_family(b: Builder, programmes: tuple[str, ...] = PROGRAMMES, **more: object) -> Family:
    return b.household(b.rng.choice(programmes), *b.place(), **more)  # type: ignore[arg-type]


def spread_income(b: Builder, people: list[Someone], total: Decimal) -> None:
    """Taxed amounts over the window that add up to `total`, with rows around it that must not count."""
    first = people[0]
    part = (total / 3).quantize(CENT)
    b.tax(b.rng.choice(people), total - part - part, 1)
    b.tax(first, part, b.law.months)  # the first month of the window
    b.tax(b.rng.choice(people), part, 2, item="经营所得")
    b.tax(first, 70000, 0)  # "full months before D's month": D's own month is outside
    b.tax(first, 70000, b.law.months + 1)  # one month before the window
    b.tax(first, 70000, 2, item="偶然所得")  # not countable


# --- D01 D02 D03


@case
def dead(b: Builder, side: int) -> None:
    """D01: an exact row 死亡 with status_date <= D; the latest date; 正常 rows do not undo it."""
    who = any_family(b).people[0]
    b.registered(who, f"R-dead-{b.number()}", "01", "死亡", b.ago(0 if side == 0 else 40))
    if side > 0:
        b.registered(who, f"R-dead-{b.number()}", "01", "死亡", b.ago(20))
        b.registered(who, f"R-dead-{b.number()}", "01", "正常")
    if side < 0:
        b.registered(who, f"R-dead-{b.number()}", "01", "死亡", b.ago(-1))  # date_in_future: quarantined


@case
def moved(b: Builder, side: int) -> None:
    """D02: 迁出 or 注销, and no exact row 正常 (one with a date counts too; a conflicting one does not)."""
    who = any_family(b).people[-1]
    b.registered(who, f"R-gone-{b.number()}", "20", b.rng.choice(["迁出", "注销"]), b.ago(abs(side) * 9))
    if side < 0:
        b.registered(who, f"R-gone-{b.number()}", "20", "正常", b.rng.choice([None, b.ago(3)]))
    if side > 0:
        b.registered(who, f"R-gone-{b.number()}", "20", "正常", name="别的人名字")


@case
def twice_on_roster(b: Builder, side: int) -> None:
    """D03: two or more active households; a stopped one, an obligor, a suspect number do not count."""
    who = b.people.new()
    any_family(b, people=[who, b.people.new()])
    if side == 0:
        any_family(b, people=[who])
        if b.rng.random() < 0.5:
            any_family(b, people=[b.people.new(), who])
    elif side < 0:
        any_family(b, people=[who], status="停保")
        b.obligor(any_family(b), who)
    else:
        wrong = forms.wrong_check(who.number, b.rng)
        for _ in range(2):
            b.member(any_family(b), who, number=wrong)


@case
def two_households_two_names(b: Builder, side: int) -> None:
    """One person under two households is looked at twice: exact for one name, name_conflict for the other."""
    who = b.people.new()
    one, other = any_family(b), any_family(b)
    b.authorise(who)
    b.member(one, who)
    b.member(other, who, name=forms.unreadable_name(who.name, b.rng) if side == 0 else "另一名" + who.name)
    for _ in range(2):
        b.bank(who, 60000 + b.number(), name=who.name)
    b.bank(who, 123456, name="另一名" + who.name)
    b.tax(who, 31, number=forms.wrong_check(who.number, b.rng), name=who.name)  # X03 where the name is equal
    b.registered(who, f"R-two-{b.number()}", "01", "死亡", b.ago(10), name=who.name)


# --- I01 I02 A01 A02 P01


@case
def income_over(b: Builder, side: int) -> None:
    """I01: on exact totals, > check line + tolerance; at the line nothing."""
    programme = b.rng.choice(PROGRAMMES)
    county, area = b.place()
    family = b.household(programme, county, area, income=99999)
    line = b.law.line(KEY[programme], "check", county, area) or Decimal(1000)
    spread_income(b, family.people, (line + b.law.income_tolerance) * family.n * b.law.months + side * CENT)


@case
def income_undeclared(b: Builder, side: int) -> None:
    """I02: dibao only; verified - declared > tolerance, for the household a month."""
    declared = Decimal(b.rng.randint(0, 300))
    family = any_family(b, ("低保", "低保", "低保边缘"), income=declared)
    spread_income(b, family.people, (declared + b.law.undeclared_income) * b.law.months + side * CENT)


@case
def income_corrected(b: Builder, side: int) -> None:
    """At least 0 per person: one member's negative correction does not lower another's income."""
    family = any_family(b, ("低保",), people=[b.people.new(), b.people.new()])
    b.tax(family.people[0], 30000, 1)
    b.tax(family.people[1], 100, 2)
    b.tax(family.people[1], -20000, 2)
    if side >= 0:
        b.tax(family.people[0], -30000 + side * 700, 1)


@case
def rows_equal_but_for_name(b: Builder, side: int) -> None:
    """Rows that agree in person and every column but the name are one piece of evidence."""
    family = any_family(b, ("低保",))
    who, month, payer = family.people[0], b.month(1), f"P{b.number()}"
    amount = Decimal(9000 + b.number())
    b.tax(who, amount, month=month, payer=payer)
    for _ in range(2):
        b.tax(
            who,
            amount,
            month=month,
            payer=payer,
            name=forms.unreadable_name(who.name, b.rng),
            number=who.number,
        )
    if side == 0:
        b.tax(who, amount, month=month, payer=payer + "2")  # a carried column differs: not a duplicate
    if side > 0:
        b.tax(who, amount, month=month, payer=payer, name="不相同的")  # X02, not evidence
        b.tax(who, amount, month=month, payer=payer, name="不相同的")


@case
def assets_over(b: Builder, side: int) -> None:
    """A01: assets per capita > limit, on exact totals, with banks, securities and insurance together."""
    programme = b.rng.choice(PROGRAMMES)
    county, area = b.place()
    family = b.household(programme, county, area, assets=10**7)
    limit = (b.law.limit(KEY[programme], county, area) or Decimal(30000)) * family.n
    share = (limit / 4).quantize(CENT)
    b.security(family.people[0], share, -10)  # an overdraft takes nothing away
    b.policy(family.people[-1], cash=share)
    b.bank(family.people[0], limit - share * 2 + side * CENT)
    b.bank(family.people[-1], -5000)  # an overdraft is no asset
    b.security(family.people[-1], 0, -900)


@case
def assets_undeclared(b: Builder, side: int) -> None:
    """A02: assets - declared > tolerance; dibao and dibao_margin only; needs no standard."""
    programme = b.rng.choice(["低保", "低保边缘", "低保边缘", "特困"])
    county, area = b.place() if b.rng.random() < 0.7 else (GAP_COUNTY, "城镇")
    family = b.household(programme, county, area, assets=2000)
    b.bank(family.people[0], 2000 + b.law.undeclared_assets + side * CENT)


@case
def account_dates(b: Builder, side: int) -> None:
    """Only rows of an account's latest date count, within evidence_max_age_days (that day included)."""
    who = any_family(b, ("低保", "低保边缘")).people[0]
    edge = b.ago(b.law.evidence_age)
    account = f"77{b.number():09d}"
    b.bank(who, 50000, account, edge + timedelta(days=side))  # one day outside: nothing at all
    b.bank(who, 900000, account, edge - timedelta(days=9))
    account = f"78{b.number():09d}"
    for amount in (100, 30000, 30000, 20000):
        b.bank(who, amount, account, b.ago(5))  # the largest, not the sum
    b.bank(who, 700, account, b.ago(5), kind="定期")  # per account_type …
    b.bank(who, 1000, account, b.ago(5), currency="USD")  # … and currency
    b.bank(who, 88888, account, b.ago(6), kind="理财")  # an earlier date of the same account
    b.bank(who, 44, account, b.ago(6), bank="103100")  # another bank, another account
    b.security(who, 100, -50, account=f"S1{side}", day=b.ago(8))
    b.security(who, 300, 5, account=f"S1{side}", day=b.ago(8))
    b.security(who, 30, 500, account=f"S1{side}", day=b.ago(8))
    b.security(who, 30, 1, account=f"S1{side}", day=b.ago(8), currency="USD")


@case
def policies_in_force(b: Builder, side: int) -> None:
    """In force: 有效, effective_on <= D, expires_on empty or >= D, of an asset product."""
    who = any_family(b, ("低保",)).people[0]
    b.policy(who, 40000, 10, begins=b.ago(-side))
    b.policy(who, 50000, 10, ends=b.ago(-side))
    b.policy(who, 60000, 10, status=b.rng.choice(["失效", "退保"]))
    b.policy(who, 70000, 10, kind=b.rng.choice(["定期寿", "健康", "意外"]))
    number = f"PP{b.number()}"
    b.policy(who, 8000, 20, policy_no=number)
    b.policy(who, 9000, 15, policy_no=number, kind="万能")  # the largest of each
    b.policy(who, 99000, 99, policy_no=number, status="失效")
    b.policy(who, 11000, 20, policy_no=number, insurer="000003")  # another insurer, another policy


@case
def premiums_over(b: Builder, side: int) -> None:
    """P01: sum of premiums > premium_multiple x 12 x std x n."""
    county, area = b.place()
    family = b.household(b.rng.choice(["低保", "低保边缘"]), county, area, assets=10**6)
    line = b.law.premium_multiple * 12 * b.law.std(county, area) * family.n
    b.policy(family.people[0], 1, premium=line - 500)
    b.policy(family.people[-1], 1, premium=500 + side * CENT, kind="终身寿")
    b.policy(family.people[-1], 1, premium=90000, kind="健康")


# --- B01 B02 H01 S01


@case
def legal_representative(b: Builder, side: int) -> None:
    """B01: 法定代表人 of a 存续 entity of type 企业; line 0, value the whole capital."""
    who = any_family(b).people[-1]
    uscc = f"9144LR{b.number()}"
    b.interest(who, "法定代表人", uscc, status="注销" if side < 0 else "存续", capital=abs(side) * 2)
    if side > 0:
        b.interest(who, "股东", uscc, capital=Decimal("1.5"))
        b.interest(who, "股东", capital=Decimal("0.25"))
    b.interest(who, "法定代表人", kind="农民专业合作社", capital=50)
    b.interest(who, "经营者", kind="企业", capital=50)


@case
def capital_over(b: Builder, side: int) -> None:
    """B01: sum of capital, largest per uscc, >= threshold and > 0."""
    who = any_family(b).people[0]
    threshold = b.law.capital_threshold / 10000
    uscc = f"9144CA{b.number()}"
    half = threshold / 2
    b.interest(who, "股东", uscc, capital=half)
    b.interest(who, "股东", uscc, capital=half / 2)
    b.interest(who, "股东", capital=max(half + side * Decimal("0.000001"), Decimal(0)))
    b.interest(who, "股东", capital=90, status="吊销")


@case
def sole_trader(b: Builder, side: int) -> None:
    """B02: 经营者 of a 存续 个体工商户; the number of distinct uscc."""
    who = any_family(b).people[0]
    uscc = f"9244{b.number()}"
    b.interest(who, "经营者", uscc, kind="个体工商户", status="存续" if side >= 0 else "注销")
    b.interest(who, "经营者", uscc, kind="个体工商户", status="吊销")
    b.interest(who, "经营者", uscc, kind="个体工商户", capital=3)
    if side > 0:
        b.interest(who, "经营者", kind="个体工商户")
        b.interest(who, "股东", kind="个体工商户", capital=90)


def _minor(b: Builder, side: int) -> Someone:
    """Under 18: the birthday is tomorrow (-1), today (0: no longer a minor), yesterday (+1)."""
    day = b.as_of - timedelta(days=side)
    return b.people.new(
        date(day.year - 18, day.month, min(day.day, 28))
        if day.day <= 28
        else b.as_of.replace(year=day.year - 18, day=1)
    )


@case
def unlisted_child(b: Builder, side: int) -> None:
    """H01: a child under 18, or a spouse, on the register of a member who is its head or the head's spouse."""
    family = any_family(b, ("低保", "低保边缘", "特困"))
    register = f"HK{b.number()}"
    b.registered(family.people[0], register, b.rng.choice(["01", "02", "10", "11", "12"]))
    b.registered(_minor(b, side), register, b.rng.choice(["20", "39"]))
    b.registered(b.people.new(date(2015, 3, 3)), register, b.rng.choice(["40", "19", "20"]))
    if b.rng.random() < 0.5:
        b.registered(b.people.new(), register, b.rng.choice(["10", "12", "13"]))
        b.registered(b.people.new(date(2016, 3, 3)), register, "20", "迁出", b.ago(5))
    b.registered(family.people[0], f"HK{b.number()}", "20")  # a register where the member is a child


@case
def collective_register(b: Builder, side: int) -> None:
    """H01: registers with more than register_max_persons distinct ID numbers are left out."""
    family = any_family(b, ("低保",))
    register = f"JT{b.number()}"
    b.registered(family.people[0], register, "01")
    b.registered(family.people[0], register, "01")
    child = b.people.new(date(2018, 1, 2))
    b.registered(child, register, "30")
    for at in range(b.law.register_max - 2 + side):
        other = b.people.new()
        # suspect numbers and those who left count as numbers too
        b.registered(
            other, register, "97", number=forms.wrong_check(other.number, b.rng) if at == 0 else None
        )


@case
def known_child(b: Builder, side: int) -> None:
    """H01: neither member nor obligor, nor one step away from a suspect ID of them."""
    family = any_family(b, ("低保边缘", "低保"))
    register = f"HK{b.number()}"
    b.registered(family.people[0], register, "02")
    child = b.people.new(date(2014, 5, 6))
    b.registered(child, register, "21")
    if side < 0:
        b.obligor(family, child)
    elif side == 0:
        b.member(
            family,
            child,
            number=forms.swapped(child.number, b.rng)
            if b.rng.random() < 0.5
            else forms.wrong_check(child.number, b.rng),
        )
    else:
        b.registered(child, register, "21", number=forms.wrong_check(child.number, b.rng))
        b.registered(child, register, "21", name="")


@case
def registers_without_exact_rows(b: Builder, side: int) -> None:
    """H01: only registers of an exact 正常 row; 15 digits with an unreadable name reach nothing."""
    who = b.people.new(date(1970, 2, 3))
    any_family(b, ("低保",), people=[who])
    register = f"HK{b.number()}"
    if side < 0:
        b.registered(who, register, "01", name="不是这个名")
    elif side == 0:
        b.registered(who, register, "01", number=who.number[:6] + who.number[8:17], name="")
    else:
        b.registered(who, register, "01", "死亡", b.ago(100))
    b.registered(b.people.new(date(2019, 1, 1)), register, "20")


@case
def able_obligor(b: Builder, side: int) -> None:
    """S01: the obligor's own verified income > obligor_multiple x std; dibao and tekun only."""
    programme = b.rng.choice(["低保", "特困", "低保", "低保边缘"])
    county, area = b.place()
    family = b.household(programme, county, area)
    who = b.people.new()
    b.obligor(family, who)
    spread_income(b, [who], b.law.obligor_multiple * b.law.std(county, area) * b.law.months + side * CENT)
    b.bank(who, 10**6)  # obligors are records for tax alone
    b.registered(who, f"HK{b.number()}", "01", "死亡", b.ago(9))


@case
def obligor_without_members(b: Builder, side: int) -> None:
    """n = 0: no household-level lead but X05; obligors are still looked at."""
    family = any_family(b, ("低保", "特困"), people=[])
    who = b.people.new()
    b.obligor(family, who, authorised=side >= 0)
    b.tax(who, 90000, 1)
    if side > 0:
        other = b.people.new()
        b.member(family, other, severe_illness="不详").broken = True


# --- X01 to X05 and linking


@case
def suspect_on_roster(b: Builder, side: int) -> None:
    """X01; a member with a suspect ID reaches no rows, not even with the same suspect number."""
    who = b.people.new()
    family = any_family(b)
    wrong = {
        -1: forms.wrong_check(who.number, b.rng),
        0: forms.swapped(who.number, b.rng),
        1: who.number[:10] + "0231" + who.number[14:],  # no real day
    }[side]
    b.member(family, who, number=wrong)
    if b.rng.random() < 0.6:
        b.authorise(who, number=wrong)  # authorisations are found by normalised ID
    b.bank(who, 900000, number=wrong)
    b.bank(who, 900000)


@case
def birth_edges(b: Builder, side: int) -> None:
    """Valid: a real day from 1900-01-01 to as-of; tomorrow's child is suspect tonight and valid tomorrow."""
    for day in (b.ago(side), date(1900, 1, 1) - timedelta(days=side)):
        who = b.people.new(day)
        any_family(b, people=[who])
        b.bank(who, 700000, number=who.number)


@case
def mistyped_row(b: Builder, side: int) -> None:
    """X03: exactly one person of an equal readable name is one substitution or one swap away."""
    who = any_family(b).people[0]
    wrong = {-1: forms.wrong_check, 0: forms.swapped, 1: forms.substituted}[side](who.number, b.rng)
    for _ in range(2):
        b.bank(who, 5000 + side, number=wrong, day=b.ago(4), account=f"X3{side}")
    b.tax(who, 5000, number=wrong, name=b.rng.choice([None, "", "某*", "别名人"]))
    b.registered(who, f"HK{b.number()}", "01", "死亡", b.ago(3), number=wrong)
    b.security(
        who, 100, number=who.number[:4] + "00" + who.number[6:]
    )  # two substitutions, still valid or not


@case
def ambiguous_mistyped_row(b: Builder, side: int) -> None:
    """Two candidates of the same name: reaches nobody; with another name only one is left."""
    who = b.people.new()
    wrong = forms.substituted(who.number, b.rng)
    twin = b.people.twin(who, wrong)
    any_family(b, people=[who])
    if twin:
        other = Someone(twin.number, "双胞胎") if side > 0 else twin
        if side < 0:
            family = any_family(b, ("低保",))
            b.obligor(family, other)  # a candidate for tax rows only
        elif b.rng.random() < 0.4:
            # monitored households are records only while they are candidates
            b.monitored(*b.place(), [other], annual=300, eliminated=b.rng.choice(["是", "否"]))
        else:
            any_family(b, people=[other])
    b.tax(who, 4000, number=wrong, name=who.name)
    b.bank(who, 4000, number=wrong, name=who.name)


@case
def other_name(b: Builder, side: int) -> None:
    """X02: the number of sources with a name_conflict row; unreadable names are exact."""
    who = any_family(b).people[0]
    name = forms.unreadable_name(who.name, b.rng) if side == 0 else "异" + who.name
    b.bank(who, 800000, name=name, number=who.number)
    b.bank(who, 800001, name=name, number=who.number)
    b.interest(who, "法定代表人", name=name, number=who.number)
    if side > 0:
        b.registered(who, f"HK{b.number()}", "01", "死亡", b.ago(2), name=name)
        b.policy(who, 50000, name=name)


@case
def unreadable_on_roster(b: Builder, side: int) -> None:
    """A roster name that is unreadable: every readable name is exact, but no 15-digit row."""
    who = b.people.new(date(1961, 7, 8))
    family = any_family(b)
    b.authorise(who)
    name = forms.unreadable_name(who.name, b.rng)
    b.member(family, who, name=name)
    b.security(who, 5, number=forms.wrong_check(who.number, b.rng), name=name)  # equal, but not readable
    short = who.number[:6] + who.number[8:17]
    b.bank(who, 70000, number=short if side < 0 else who.number, name=who.name)
    b.tax(who, 70000, number=short if side <= 0 else who.number, name="")


@case
def fifteen_digits(b: Builder, side: int) -> None:
    """A row of 15 digits: exact with equal readable names, conflict with different ones, else nothing."""
    who = b.people.new(date(1955, 1, 9))
    any_family(b, people=[who])
    short = who.number[:6] + who.number[8:17]
    name = {-1: who.name, 0: forms.unreadable_name(who.name, b.rng), 1: "异" + who.name}[side]
    b.bank(who, 88000, number=short, name=name)
    b.interest(who, "法定代表人", number=short, name=name)


@case
def authorisation_edges(b: Builder, side: int) -> None:
    """signed_on <= as-of <= valid_until, each day included."""
    who = any_family(b, authorised=False).people[0]
    if b.rng.random() < 0.5:
        b.authorise(who, signed=b.ago(side))
    else:
        b.authorise(who, signed=b.ago(400), until=b.ago(-side))
    b.bank(who, 700000)
    b.tax(who, 70000)
    b.registered(who, f"HK{b.number()}", "01", "死亡", b.ago(1))  # needs no authorisation


@case
def partial_scope(b: Builder, side: int) -> None:
    """X04: the number of sources without; rows of those are dropped as unauthorised."""
    who = any_family(b, authorised=False).people[0]
    b.authorise(who, scope="banks;tax")
    if side >= 0:
        b.authorise(
            who, scope=b.rng.choice(["insurance", "household_registration;insurance", "roster;securities"])
        )
    if side > 0:
        b.authorise(who, scope="banks;market_regulation;securities")
    b.bank(who, 700000)
    b.policy(who, 700000)
    b.interest(who, "法定代表人")
    b.security(who, 100, name="异" + who.name)  # unauthorised by whichever way it reaches
    b.tax(who, 800, number=forms.wrong_check(who.number, b.rng))


@case
def obligor_authorisation(b: Builder, side: int) -> None:
    """X04 for obligors: of dibao and tekun, for tax only."""
    family = any_family(b, ("低保", "特困") if side <= 0 else ("低保边缘", "刚性支出"))
    who = b.people.new()
    b.obligor(family, who, authorised=False)
    b.authorise(who, scope="tax" if side == 0 else "banks")
    b.tax(who, 99999, 2)


@case
def incomplete_household(b: Builder, side: int) -> None:
    """X05: quarantined member rows; an obligor's does not count, a row whose role cannot be read does."""
    family = any_family(b, ("低保",))
    b.bank(family.people[0], 3 * 10**6)
    b.tax(family.people[0], 90000)
    b.policy(family.people[0], 1, premium=10**6)
    broken = b.people.new()
    if side < 0:
        b.member(family, broken, role="法定义务人", severe_illness="也许").broken = True
    elif side == 0:
        b.member(family, broken, role=b.rng.choice(["", "亲属"])).broken = True
    else:
        b.member(family, broken, number=b.rng.choice(["", "123", "99910119700101001Y"])).broken = True
        b.member(family, broken, number="1", relation="1").broken = True


@case
def repeated_members(b: Builder, side: int) -> None:
    """member_repeated: 成员 before 法定义务人, then the first in the order of raw fields; nobody becomes incomplete."""
    family = any_family(b, ("低保", "特困"))
    who = family.people[0]
    if side < 0:
        b.obligor(family, who)
    elif side == 0:
        b.member(family, who, relation="01", severe_illness="是", number=who.number.lower())
    else:
        # not otherwise acceptable: stands for itself, and is no repetition
        b.member(family, who, disability_grade="5").broken = True
        b.member(family, who, relation="02", name="改" + who.name)
    b.tax(who, 50000)
    b.bank(who, 600000, name=who.name)


@case
def repeated_household(b: Builder, side: int) -> None:
    """household_repeated: all rows that share the id, so their members are household_unknown."""
    family = any_family(b)
    headers = dict(family.record.cells)  # type: ignore[union-attr]
    again = b.add("households", "households.csv")
    again.cells.update(headers)
    again.broken = family.record.broken = True  # type: ignore[union-attr]
    if side == 0:
        again.cells["状态"] = "停保"
    if side > 0:
        again.cells["申报家庭月收入"] = "很多"  # bad for another reason too, and still repeated


@case
def no_single_head(b: Builder, side: int) -> None:
    """Without exactly one head, the household's leads carry the member with the lowest ID number."""
    family = any_family(b, ("低保",), people=[b.people.new(), b.people.new(), b.people.new()])
    b.bank(family.people[1], 2 * 10**6)
    if side < 0:
        family.member_records[0].cells["与户主关系"] = "02"
    if side > 0:
        family.member_records[2].cells["与户主关系"] = "01"


@case
def gap_county(b: Builder, side: int) -> None:
    """A county without a matching region is not judged by the rules that need one; the others go on."""
    family = b.household(b.rng.choice(PROGRAMMES), GAP_COUNTY, b.rng.choice(["城镇", "农村"]))
    b.bank(family.people[0], 10**6)
    b.tax(family.people[0], 10**5)
    b.policy(family.people[0], 1, premium=10**5)
    b.interest(family.people[-1], "法定代表人")


@case
def stopped(b: Builder, side: int) -> None:
    """Only active households are checked: a stopped one has no records."""
    family = any_family(b, status="停保")
    b.bank(family.people[0], 10**6)
    b.interest(family.people[0], "法定代表人")


@case
def strangers(b: Builder, side: int) -> None:
    """Rows that reach no record are not stored and count only as received."""
    who = b.people.new()
    b.bank(who, 10**6)
    b.tax(who, 10**5)
    b.authorise(who)
    b.registered(who, f"HK{b.number()}", "01")
    b.security(who, 10**5)
    b.policy(who, 10**5)
    b.interest(who, "法定代表人")
