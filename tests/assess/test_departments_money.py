"""Fiscal payroll, housing fund, social insurance, benefit payments: amounts, months and lines on both sides.

The night is that of 2026-06-30, its window December 2025 to May 2026, the standard of the place 1282 yuan.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from .worlds import Case, Member, case_test, home, judged, row, setting, value_of, with_policy

DEPARTMENTS = (
    "fiscal_payroll",
    "housing_fund",
    "social_insurance",
    "benefit_payments",
    "household_registration",
    "cremation",
)
STANDARD = 1282


def pay(**cells: Any) -> Any:
    return row("fiscal_payroll", **cells)


def fund(**cells: Any) -> Any:
    return row("housing_fund", **cells)


def insured(member: int = 0, **cells: Any) -> Any:
    return row("social_insurance", member, **cells)


def pension(amount: float, member: int = 0, **cells: Any) -> Any:
    return insured(
        member,
        **{
            "entry_kind": "待遇",
            "insured_as": "城乡居民",
            "amount": amount,
            "contribution_base": None,
            **cells,
        },
    )


def jobless(**cells: Any) -> Any:
    return insured(
        **{"scheme": "失业保险", "entry_kind": "待遇", "amount": 1500, "contribution_base": None, **cells}
    )


def paid(member: int = 0, how: str = "exact", **cells: Any) -> Any:
    return row("benefit_payments", member, how, **cells)


def holder(member: int = 0, how: str = "exact", **cells: Any) -> Any:
    return paid(member, how, **{"party": "账户持有人", "amount": 0, **cells})


def died(day: str) -> Any:
    return row("household_registration", status="死亡", status_date=day)


CASES: dict[str, dict[str, Case]] = {
    "F01": {
        "the last month of the window": (home(pay(pay_month="2026-05")), 6000),
        "the month of the night": (home(pay(pay_month="2026-06-01")), None),
        "the first month of the window": (home(pay(pay_month="2025-12-01")), 6000),
        "the month before the window": (home(pay(pay_month="2025-11-01")), None),
        "two months": (home(pay(), pay(pay_month="2026-04-01")), 12000),
        "one month told twice": (home(pay(), pay()), 6000),
        "taken back": (home(pay(), pay(gross_pay=-6000)), None),
        "taken back but for a cent": (home(pay(), pay(gross_pay=-5999.99)), 0.01),
        "a retired official": (home(pay(post_kind="离退休人员")), 6000),
        "a village officer": (home(pay(post_kind="村居干部")), None),
        "a public-welfare post": (home(pay(post_kind="公益性岗位")), None),
        "another's name": (home(row("fiscal_payroll", how="name_conflict")), None),
    },
    "F02": {
        "a base at the standard": (home(fund(deposit_base=STANDARD)), None),
        "a cent above": (home(fund(deposit_base=STANDARD + 0.01)), STANDARD + 0.01),
        "last paid in the first month of the window": (home(fund(last_paid_month="2025-12-01")), 3000),
        "last paid before": (home(fund(last_paid_month="2025-11-01")), None),
        "never paid": (home(fund(last_paid_month=None)), None),
        "put by": (home(fund(account_state="封存")), None),
        "closed": (home(fund(account_state="销户")), None),
        "two accounts": (home(fund(), fund(account_no="g", deposit_base=4000)), 4000),
        "tekun": (home(fund(), programme="特困"), 3000),
        "rigid expenditure may work": (home(fund(), programme="刚性支出"), None),
    },
    "F03": {"a large balance, no line": (home(fund(balance=999_999)), None)},
    "L01": {
        "paying as an employee": (home(insured()), 4000),
        "the month of the night": (home(insured(insured_month="2026-06-01")), None),
        "the first month of the window": (home(insured(insured_month="2025-12-01")), 4000),
        "the month before the window": (home(insured(insured_month="2025-11-01")), None),
        "paying for oneself": (home(insured(insured_as="灵活就业人员")), None),
        "the residents' scheme": (home(insured(scheme="城乡居民基本养老保险", insured_as="城乡居民")), None),
        "unemployment insurance alone": (home(insured(scheme="失业保险")), None),
        "civil servants' scheme": (home(insured(scheme="机关事业单位基本养老保险")), 4000),
        "paid back": (home(insured(), insured(amount=-320)), None),
        "drawing a pension": (home(insured(entry_kind="待遇")), None),
        "the latest base": (home(insured(), insured(insured_month="2026-04-01", contribution_base=9000)), 4000),
        "no base told": (home(insured(contribution_base=None)), 0),
        "rigid expenditure may work": (home(insured(), programme="刚性支出"), None),
    },
    # 6 months × (declared 1000 + tolerance 500) = 9000 in the window; the value is a month's.
    "L02": {
        "at the tolerance": (home(pension(9000), declared=1000), None),
        "a cent above": (home(pension(9000.06), declared=1000), 500.01),
        "two members": (
            home(pension(5000), pension(4000.06, 1), declared=1000, members=(Member(), Member(relation="10"))),
            500.01,
        ),
        "the basic part is free": (
            home(pension(9100, scheme="城乡居民基本养老保险", basic_part=100), declared=1000),
            None,
        ),
        "the account part is not": (
            home(pension(9100.06, scheme="城乡居民基本养老保险", basic_part=100), declared=1000),
            500.01,
        ),
        "a correction with its basic part": (
            home(
                pension(9100.06, scheme="城乡居民基本养老保险", basic_part=100),
                pension(-200, scheme="城乡居民基本养老保险", basic_part=100, insured_month="2026-04-01"),
                declared=1000,
            ),
            None,
        ),
        "one member's correction is not another's": (
            home(pension(-5000), pension(9000.06, 1), declared=1000, members=(Member(), Member(relation="10"))),
            500.01,
        ),
        "before the window": (home(pension(99_999, insured_month="2025-11-01"), declared=1000), None),
        "injury insurance is no pension": (home(pension(99_999, scheme="工伤保险"), declared=1000), None),
        "contributions are no income": (home(insured(amount=99_999), declared=1000), None),
        "dibao margin declares otherwise": (home(pension(99_999), programme="低保边缘"), None),
    },
    "L03": {
        "received": (home(jobless()), 1500),
        "the month of the night": (home(jobless(insured_month="2026-06-01")), None),
        "before the window": (home(jobless(insured_month="2025-11-01")), None),
        "two months": (home(jobless(), jobless(insured_month="2026-04-01")), 3000),
        "paid back": (home(jobless(), jobless(amount=-1500)), None),
        "contributions": (home(jobless(entry_kind="缴费")), None),
        "injury insurance": (home(jobless(scheme="工伤保险")), None),
        "rigid expenditure": (home(jobless(), programme="刚性支出"), None),
    },
    "Z01": {
        "for the month of death": (home(died("2026-05-01"), paid(benefit_month="2026-05-01")), None),
        "for the month after": (home(died("2026-05-31"), paid(benefit_month="2026-06-01")), 800),
        "for two months after": (home(died("2026-04-30"), paid(), paid(benefit_month="2026-05-01")), 1600),
        "one payment told twice": (home(died("2026-04-30"), paid(), paid()), 800),
        "returned": (home(died("2026-04-30"), paid(payment_state="退回")), None),
        "paid late for a month alive": (home(died("2026-05-31"), paid(benefit_month="2026-05-01", paid_on="2026-06-20")), None),
        "cremated, not yet deregistered": (home(row("cremation", died_on="2026-05-31"), paid()), 800),
        "cremated today": (home(row("cremation", died_on="2026-05-31", cremated_on="2026-06-30"), paid()), 800),
        "to be cremated tomorrow": (home(row("cremation", died_on="2026-05-31", cremated_on="2026-07-01"), paid()), None),
        "cremated, day of death not told": (
            home(row("cremation", died_on=None, cremated_on="2026-06-01"), paid()),
            None,
        ),
        "the earlier day counts": (home(died("2026-06-02"), row("cremation", died_on="2026-05-31"), paid()), 800),
        "paid today": (home(died("2026-04-30"), paid(paid_on="2026-06-30")), 800),
        "to be paid tomorrow": (home(died("2026-04-30"), paid(paid_on="2026-07-01")), None),
        "nothing was paid": (home(died("2026-04-30"), paid(amount=0)), None),
        "the holder of the account died": (home(died("2026-04-30"), holder(amount=5)), None),
        "alive": (home(paid()), None),
    },
    "Z02": {
        "an account of two households": (home(paid(account_no="shared")), 2),
        "the other of them": (home(paid(account_no="shared")), 2),
        "an account of its own": (home(paid(), paid(benefit_month="2026-05-01")), None),
        "with a keeper's agreement": (home(paid(account_no="kept", keeper_agreement="有")), None),
        "beside one with an agreement": (home(paid(account_no="kept")), 2),
        "before the window": (home(paid(account_no="old", benefit_month="2025-11-01")), None),
        "another before the window": (home(paid(account_no="old", benefit_month="2025-12-01")), None),
        "in the first month of the window": (home(paid(account_no="edge", benefit_month="2025-12-01")), 2),
        "in the next": (home(paid(account_no="edge", benefit_month="2026-01-01")), 2),
        "paid today": (home(paid(account_no="today", paid_on="2026-06-30")), 2),
        "another, paid today": (home(paid(account_no="today", paid_on="2026-06-30")), 2),
        "to be paid tomorrow": (home(paid(account_no="later", paid_on="2026-07-01")), None),
        "another, paid already": (home(paid(account_no="later")), None),
        "returned": (home(paid(account_no="back", payment_state="退回")), None),
        "another, not returned": (home(paid(account_no="back")), None),
        "holder of an account of one": (home(holder(account_no="held")), None),
        "paid to an account held elsewhere": (home(paid(account_no="held")), None),
    },
    "Z03": {
        "held by a member": (home(paid(), holder()), None),
        "held by another member": (home(paid(), holder(1), members=(Member(), Member(relation="10"))), None),
        "held under another name": (home(paid(), holder(how="name_conflict")), None),
        "held by a mistyped number": (home(paid(), holder(how="repaired")), None),
        "held by somebody else": (home(paid()), 1),
        "with a keeper's agreement": (home(paid(keeper_agreement="有")), None),
        "two accounts": (home(paid(), paid(account_no="z03 second")), 2),
        "one of two is a member's": (home(paid(), paid(account_no="z03 third"), holder()), 1),
        "returned": (home(paid(payment_state="退回")), None),
        "in the first month of the window": (home(paid(benefit_month="2025-12-01")), 1),
        "before the window": (home(paid(benefit_month="2025-11-01")), None),
        "paid today": (home(paid(paid_on="2026-06-30")), 1),
        "to be paid tomorrow": (home(paid(paid_on="2026-07-01")), None),
        "another household's benefit": (home(paid(paid_household="elsewhere")), None),
        "an unread member": (home(paid(), quarantined=1), None),
        "a member nobody can be found by": (home(paid(), members=(Member(), Member(is_valid=False))), None),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def leads() -> dict[tuple[str, str], Any]:
    return judged(CASES, *DEPARTMENTS)


test_a_case_has_its_lead_or_none = case_test(CASES)


OWN_LINE: dict[str, dict[str, Case]] = {
    "F03": {
        "at the line": (home(fund(balance=50_000)), None),
        "a cent above": (home(fund(balance=50_000.01)), 50_000.01),
        "two accounts": (home(fund(balance=25_000), fund(account_no="g", balance=25_000.01)), 50_000.01),
        "the latest day counts": (
            home(fund(balance=99_999, balance_date="2026-05-20"), fund(balance=50_000)),
            None,
        ),
        "ninety days old": (home(fund(balance=50_001, balance_date="2026-04-01")), 50_001),
        "ninety-one days old": (home(fund(balance=50_001, balance_date="2026-03-31")), None),
        "closed": (home(fund(balance=50_001, account_state="销户")), None),
        "put by": (home(fund(balance=50_001, account_state="封存")), 50_001),
        "rigid expenditure": (home(fund(balance=50_001), programme="刚性支出"), None),
        "the county beside": (home(fund(balance=50_001), county="440104", township="440104001"), None),
    },
    "L02": {
        "the basic part counts where a county says so": (
            home(pension(9000.06, scheme="城乡居民基本养老保险", basic_part=9000), declared=1000),
            500.01,
        ),
    },
}


@pytest.fixture(scope="module")
def own_policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_policy(
        tmp_path_factory.mktemp("policy"),
        setting("F03", "balance_threshold", 50_000),
        setting("L02", "basic_part_exempt", 0),
    )


@pytest.fixture(scope="module")
def own_leads(own_policy: Path) -> dict[tuple[str, str], Any]:
    return judged(OWN_LINE, *DEPARTMENTS, policy=own_policy)


test_a_county_sets_its_own_line = case_test(OWN_LINE, "own_leads")


def test_before_its_first_day_a_county_figure_holds_nothing(own_policy: Path) -> None:
    cases: dict[str, dict[str, Case]] = {
        "F03": {"old": (home(fund(balance=50_001, balance_date="2025-12-31")), None)}
    }
    for as_of, expected in ((date(2025, 12, 31), None), (date(2026, 1, 1), 50_001)):
        found = judged(cases, "housing_fund", policy=own_policy, as_of=as_of)
        assert value_of(found, "F03", "old") == expected
