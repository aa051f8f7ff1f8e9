"""A source that nobody expects, and that delivered nothing, takes nothing away: what needs it waits."""

from __future__ import annotations

from connectors.registry import all_contracts
from pipelines.lead_rules import Telling, date_or_state, rule_needs
from pipelines.night import _tell_of
from policy.codes import load_codes
from policy.rules import Rule, load_rules

ABSENT = "a_source_nobody_expects"


def rule_that_needs(*sources: str) -> Rule:
    return Rule("Q99", "discrepancies", "", True, ("dibao",), sources, "", "", "")


def test_a_lead_whose_source_delivered_nothing_is_unverified_and_not_cleared() -> None:
    accepted = {source: {"state": "accepted", "snapshot_date": "2026-06-29"} for source in all_contracts()}
    rules = {"Q99": rule_that_needs(ABSENT, "roster"), **load_rules()}
    asked = {code: rule.needs for code, rule in rules.items()}
    told = rule_needs(Telling(rules, asked, accepted), tax_comparable=True).to_pylist()
    needs = {row["rule"]: row for row in told}
    assert needs["Q99"]["is_held"] is True
    assert needs["D03"]["is_held"] is False
    assert date_or_state(load_codes(), accepted, ABSENT) == "未报送"
    assert date_or_state(load_codes(), accepted, "roster") == "2026-06-29"


def test_the_progress_of_a_night_leaves_out_what_nobody_expects_and_nobody_delivered() -> None:
    told: list[str] = []
    for source, state in (("banks", "missing"), ("cremation", "missing"), ("vehicles", "held")):
        _tell_of({"source": source, "state": state, "received": 0}, told.append)
    assert told == ["intake: banks missing, 0 rows", "intake: vehicles held, 0 rows"]
