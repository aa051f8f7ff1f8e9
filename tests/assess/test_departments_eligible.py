"""What medical bills and disability certificates add to the newly eligible, on both sides of every edge.

The place is 440103, urban: standard 1282, margin line 1923, rigid line 4289.50 (51474 a year), a share of 0.6.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from .worlds import Case, Home, Member, assessed, case_test, home, judged, row, sources_of, two, value_of

DEPARTMENTS = ("medical_expenditure", "disability_certificates")


def bill(self_paid: float, **cells: Any) -> Any:
    return row("medical_expenditure", self_paid=self_paid, **cells)


def household(*rows: Any, declared: int = 30_000, **cells: Any) -> Home:
    """A monitored person alone: declared a year; 60 % of 30000 are 18000."""
    return home(*rows, declared=declared, list="monitored", **cells)


def margin(*rows: Any, declared: int = 1500, **cells: Any) -> Home:
    """Two people of dibao margin: 1500 a month declared for both, below the margin line and the standard; see cases."""
    return two(*rows, declared=declared, programme="低保边缘", **cells)


def certificate(**cells: Any) -> Any:
    return row("disability_certificates", **cells)


def ill(**cells: Any) -> Any:
    return bill(1, severe_illness="是", **cells)


# 20000 a year are 1666.67 a month: below the margin line, above the standard.
MARGINAL = {"declared": 20_000}
CASES: dict[str, dict[str, Case]] = {
    "N07": {
        "at the share": (household(bill(18_000)), 2500),
        "a cent below": (household(bill(17_999.99)), None),
        "two bills": (household(bill(9_000), bill(9_000, settlement_no="t")), 2500),
        "one bill told twice": (household(bill(9_000), bill(9_000)), None),
        "a corrected bill counts once": (household(bill(9_000), bill(17_999)), None),
        "settled today": (household(bill(18_000, settled_on="2026-06-30")), 2500),
        "settled a year ago": (household(bill(18_000, settled_on="2025-06-30")), None),
        "settled a day less ago": (household(bill(18_000, settled_on="2025-07-01")), 2500),
        "from a chemist's": (household(bill(18_000, visit_kind="药店")), None),
        "a standing prescription": (household(bill(18_000, visit_kind="门诊慢特病")), 2500),
        "the registered expenditure suffices already": (household(bill(18_000), rigid=18_000), None),
        "dibao is more": (household(bill(18_000), declared=6_000), None),
        "dibao margin is more": (household(bill(18_000), **MARGINAL), None),
        "just below the line": (household(bill(40_000), declared=51_473), 4289.42),
        "at the line": (household(bill(40_000), declared=51_474), None),
        "incomplete": (household(bill(18_000), quarantined=1), None),
        "nobody authorised": (household(bill(18_000), authorised=False), None),
        "on the roster": (Home(rows=(bill(18_000),), declared=2500), None),
    },
    "N08": {
        "grade 2": (household(certificate(), **MARGINAL), 1666.67),
        "grade 3": (household(certificate(grade="3"), **MARGINAL), None),
        "grade 3 intellectual": (household(certificate(grade="3", category="智力"), **MARGINAL), 1666.67),
        "grade 4 mental": (household(certificate(grade="4", category="精神"), **MARGINAL), 1666.67),
        "registered already": (household(certificate(), members=(Member(grade="1", category="肢体"),), **MARGINAL), None),
        "expired yesterday": (household(certificate(valid_until="2026-06-29"), **MARGINAL), None),
        "valid until today": (household(certificate(valid_until="2026-06-30"), **MARGINAL), 1666.67),
        "issued today": (household(certificate(issued_on="2026-06-30"), **MARGINAL), 1666.67),
        "issued tomorrow": (household(certificate(issued_on="2026-07-01"), **MARGINAL), None),
        "frozen": (household(certificate(certificate_state="冻结"), **MARGINAL), None),
        "dibao covers the household": (household(certificate(), declared=6_000), None),
        "above the margin line": (household(certificate()), None),
        "dead": (
            household(certificate(), row("household_registration", status="死亡", status_date="2026-01-01"), **MARGINAL),
            None,
        ),
    },
    "N09": {
        "severely ill": (household(ill(), **MARGINAL), 1666.67),
        "ill": (household(bill(1), **MARGINAL), None),
        "above the margin line": (household(ill()), None),
        "dibao covers the household": (household(ill(), declared=6_000), None),
        "registered already": (household(ill(), members=(Member(severe_illness="是"),), **MARGINAL), None),
        "settled today": (household(ill(settled_on="2026-06-30"), **MARGINAL), 1666.67),
        "a year ago": (household(ill(settled_on="2025-06-30"), **MARGINAL), None),
        "a day less ago": (household(ill(settled_on="2025-07-01"), **MARGINAL), 1666.67),
    },
    # 3000 for two are 1500 each: below the margin line, above the standard.
    "U03": {
        "grade 2": (margin(certificate(), declared=3_000), 1500),
        "grade 3": (margin(certificate(grade="3"), declared=3_000), None),
        "frozen": (margin(certificate(certificate_state="冻结"), declared=3_000), None),
        "grade 4 intellectual": (margin(certificate(grade="4", category="智力"), declared=3_000), 1500),
        "on the roster already": (
            margin(certificate(), declared=3_000, members=(Member(grade="2", category="肢体"), Member(relation="10"))),
            None,
        ),
        "issued today": (margin(certificate(issued_on="2026-06-30"), declared=3_000), 1500),
        "issued tomorrow": (margin(certificate(issued_on="2026-07-01"), declared=3_000), None),
        "valid until today": (margin(certificate(valid_until="2026-06-30"), declared=3_000), 1500),
        "expired yesterday": (margin(certificate(valid_until="2026-06-29"), declared=3_000), None),
        "nobody authorised": (margin(certificate(), declared=3_000, authorised=False), None),
        "rigid expenditure is not margin": (replace(margin(certificate(), declared=3_000), programme="刚性支出"), None),
        "dibao is open to the household": (margin(certificate()), None),
        "just below the margin line": (margin(certificate(), declared=3_845), 1922.5),
        "at the margin line": (margin(certificate(), declared=3_846), None),
        "dibao has it already": (Home(rows=(certificate(),), declared=1_500), None),
    },
    "U04": {
        "severely ill": (margin(ill(), declared=3_000), 1500),
        "settled today": (margin(ill(settled_on="2026-06-30"), declared=3_000), 1500),
        "settled tomorrow": (margin(ill(settled_on="2026-07-01"), declared=3_000), None),
        "nobody authorised": (margin(ill(), declared=3_000, authorised=False), None),
        "rigid expenditure is not margin": (replace(margin(ill(), declared=3_000), programme="刚性支出"), None),
        "registered already": (
            margin(ill(), declared=3_000, members=(Member(severe_illness="是"), Member(relation="10"))),
            None,
        ),
        "ill": (margin(bill(1), declared=3_000), None),
        "a year ago": (margin(ill(settled_on="2025-06-30"), declared=3_000), None),
        "a day less ago": (margin(ill(settled_on="2025-07-01"), declared=3_000), 1500),
        "incomplete": (margin(ill(), declared=3_000, quarantined=1), None),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def leads() -> dict[tuple[str, str], Any]:
    return judged(CASES, *DEPARTMENTS)


test_a_case_has_its_lead_or_none = case_test(CASES)


def test_verified_income_counts_as_well_as_the_declared_one() -> None:
    """Bills of 18000 reach the share of 30000, not that of a verified income above it."""
    earning = row("tax", amount=15_000.01)
    cases = {"N07": {"earning": (household(bill(18_000), earning), None)}}
    assert value_of(judged(cases, *DEPARTMENTS), "N07", "earning") is None
    even = {"N07": {"earning": (household(bill(18_000), row("tax", amount=15_000)), 2500.0)}}
    assert value_of(judged(even, *DEPARTMENTS), "N07", "earning") == 2500


def test_a_household_with_property_is_not_newly_eligible_for_its_bills() -> None:
    homes = {"car": household(bill(18_000), row("vehicles"))}
    with_vehicles, _ = assessed(homes, sources_of(*DEPARTMENTS, "vehicles"))
    without, _ = assessed(homes, sources_of(*DEPARTMENTS))
    assert [rule for rule, _, _ in without] == ["N07"] and [rule for rule, _, _ in with_vehicles] == []
