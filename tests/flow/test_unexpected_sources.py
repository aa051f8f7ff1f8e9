"""A source that nobody expects, and that delivered nothing, takes nothing away: what needs it waits."""

from __future__ import annotations

from connectors.registry import all_contracts
from pipelines.publish import _date_or_state, _rule_needs
from policy.rules import Rule, load_rules

ABSENT = "a_source_nobody_expects"


def rule_that_needs(*sources: str) -> Rule:
    return Rule("Z01", "discrepancies", "", True, ("dibao",), sources, "", "", "")


def test_a_lead_whose_source_delivered_nothing_is_unverified_and_not_cleared() -> None:
    accepted = {source: {"state": "accepted", "snapshot_date": "2026-06-29"} for source in all_contracts()}
    rules = {"Z01": rule_that_needs(ABSENT, "roster"), **load_rules()}
    needs = {row["rule"]: row for row in _rule_needs(rules, accepted, {"tax_comparable": True}).to_pylist()}
    assert needs["Z01"]["is_held"] is True
    assert needs["D03"]["is_held"] is False
    assert _date_or_state(accepted, ABSENT) == "未报送"
    assert _date_or_state(accepted, "roster") == "2026-06-29"
