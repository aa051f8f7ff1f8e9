"""Only exact rows are evidence, and discrepancy rules judge the roster alone: every case with a lead, once more."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from pipelines.assess import PROGRAMMES
from policy.rules import load_rules
from tests.assess import test_departments_eligible as eligible
from tests.assess import test_departments_money as money
from tests.assess import test_departments_people as people
from tests.assess import test_departments_property as property_
from tests.assess import test_departments_registers as registers

from .worlds import EIGHT, ORDINARY, Home, assessed, sources_of

EVERY = tuple(source for source in ORDINARY if source not in EIGHT)
MODULES = (people, property_, money, registers, eligible)


def homes_of(modules: tuple[ModuleType, ...]) -> dict[str, Home]:
    return {
        f"{rule} {name}": home
        for module in modules
        for rule, cases in module.CASES.items()
        for name, (home, _) in cases.items()
    }


def expected_in(modules: tuple[ModuleType, ...]) -> set[tuple[str, str]]:
    return {
        (rule, f"{rule} {name}")
        for module in modules
        for rule, cases in module.CASES.items()
        for name, (_, value) in cases.items()
        if value is not None
    }


def leads_of(homes: dict[str, Home]) -> set[tuple[str, str]]:
    """(rule, household) of the rule each case is about."""
    found, _ = assessed(homes, sources_of(*EVERY))
    return {(rule, name) for rule, name, _ in found if name.startswith(rule)}


def test_every_case_is_judged_alike_with_every_department_connected() -> None:
    assert leads_of(homes_of(MODULES)) == expected_in(MODULES)


@pytest.mark.parametrize("how", ["name_conflict", "repaired"])
def test_rows_that_may_be_somebody_else_s_are_no_evidence(how: str) -> None:
    def doubted(home: Home) -> Home:
        rows = tuple(replace(one, how=how) if one.source in EVERY else one for one in home.rows)
        return replace(home, rows=rows)

    assert leads_of({name: doubted(home) for name, home in homes_of(MODULES).items()}) == set()


def test_a_rule_judges_the_programmes_it_says_and_no_others() -> None:
    rules = {code: rule for code, rule in load_rules().items() if rule.list == "discrepancies"}
    every = homes_of(MODULES[:4])
    first = {rule: name for rule, name in sorted(expected_in(MODULES[:4]), reverse=True)}
    for code, programme in PROGRAMMES.items():
        # The account of Z02's case is shared by a second household, which stays as it is.
        found = leads_of({**every, **{name: replace(every[name], programme=code) for name in first.values()}})
        judged = {rule for rule, name in first.items() if (rule, name) in found}
        assert judged == {rule for rule in first if programme in rules[rule].programmes}


def test_households_of_the_monitoring_system_get_no_discrepancy_leads() -> None:
    homes = {name: replace(home, list="monitored") for name, home in homes_of(MODULES[:4]).items()}
    assert leads_of(homes) == set()
