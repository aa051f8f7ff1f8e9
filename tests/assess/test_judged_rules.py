"""Which rules a night judges: those whose departments it can use."""

from __future__ import annotations

import pytest

from pipelines.assess import judged_rules
from pipelines.lead_rules import asked_sources
from policy.rules import load_rules

from .worlds import EIGHT, sources_of

RULES = load_rules()
BEYOND = {code: rule for code, rule in RULES.items() if set(rule.needs) - set(EIGHT)}
EVERY = sorted({source for rule in RULES.values() for source in rule.needs})


def codes(*connected: str, **states: str) -> set[str]:
    return {rule.code for rule in judged_rules(RULES, sources_of(*connected, **states))}


def test_the_eight_sources_alone_judge_the_specification() -> None:
    assert codes() == set(RULES) - set(BEYOND)


def test_a_connected_department_adds_its_own_rules() -> None:
    assert codes("vehicles") - codes() == {"V01", "V02"}
    assert codes("benefit_payments") - codes() == {"Z01", "Z02", "Z03"}
    assert codes(*EVERY) == set(RULES)


@pytest.mark.parametrize("state", ["held", "missing"])
@pytest.mark.parametrize("code", RULES)
def test_a_rule_waits_for_every_department_it_needs_unless_it_is_judged_on_the_rest(
    code: str, state: str
) -> None:
    rule = RULES[code]
    for source in rule.needs:
        assert (code in codes(*EVERY, **{source: state})) == rule.partial
    assert code not in codes(*EVERY, **dict.fromkeys(rule.needs, state))


def test_a_rule_that_asks_besides_asks_only_connected_departments() -> None:
    def besides(code: str, *connected: str) -> set[str]:
        return set(asked_sources(RULES[code], {*EIGHT, *connected})) - set(RULES[code].needs)

    assert all(besides(code) == set() for code in RULES if code not in BEYOND)
    assert besides("X02", "vehicles", "cremation") == {"vehicles", "cremation"}
    assert besides("N01", "vehicles", "cremation") == {"vehicles"}
    assert besides("D04", "vehicles", "cremation") == {"household_registration"}
    assert besides("V01", "vehicles", "cremation") == set()
