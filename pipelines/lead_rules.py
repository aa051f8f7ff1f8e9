"""What tonight's leads say by their rule alone: whom it asks, whether they answered, and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.registry import all_contracts, authorised_sources, evidence_sources
from pipelines.manifest import Manifest
from policy.codes import Codes, load_codes
from policy.rules import Rule, load_rules

# States of a lead that counts as there for the next night.
PRESENT = ("new", "continuing", "changed", "unverified")
_OPEN_LEADS = "该家庭另有未结线索："

Sources = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Telling:
    """rules: by code; asked: by rule, the sources it asks; sources: what became of each tonight."""

    rules: dict[str, Rule]
    asked: dict[str, tuple[str, ...]]
    sources: Sources


def telling_of(sources: Sources, before: Manifest | None) -> Telling:
    """sources: tonight's; before: the latest published night before."""
    rules = load_rules()
    connected = set(sources) | set(before["status"]["sources"] if before else ())
    return Telling(rules, {code: asked_sources(rule, connected) for code, rule in rules.items()}, sources)


def asked_sources(rule: Rule, connected: set[str]) -> tuple[str, ...]:
    """The sources a rule needs, and those it asks besides that are connected: tonight, or the night before."""
    besides = [
        source
        for source in evidence_sources()
        if source in connected and (source in rule.connected or "*" in rule.connected)
    ]
    return (*rule.needs, *(source for source in besides if source not in rule.needs))


def rule_needs(telling: Telling, tax_comparable: bool) -> pa.Table:
    """Per rule: whether a source it needs is not usable tonight, and which authorisations it needs."""
    scopes = authorised_sources()
    rows = []
    for rule in telling.rules.values():
        needs = set(telling.asked[rule.code])
        rows.append(
            {
                "rule": rule.code,
                "is_person_rule": rule.person,
                "is_partial": rule.partial,
                "household_list": "monitored" if rule.code.startswith("N") else "roster",
                "is_held": any(_state_of(telling.sources, source) != "accepted" for source in needs),
                "is_not_comparable": "tax" in needs and not tax_comparable,
                "scopes": sum(1 << place for place, source in enumerate(scopes) if source in needs),
            }
        )
    table = pa.Table.from_pylist(rows)
    return table.set_column(
        table.column_names.index("scopes"), "scopes", table.column("scopes").cast(pa.uint64())
    )


def rule_texts(which: str, telling: Telling) -> dict[str, dict[str, str]]:
    """Columns that follow from the rule alone: their texts by rule."""
    rules = telling.rules
    texts = {"basis": {code: rule.basis for code, rule in rules.items()}}
    if which == "newly_eligible":
        return texts | {"next_step": {code: rule.next_step for code, rule in rules.items()}}
    codes = load_codes()
    names = {one: contract.title for one, contract in all_contracts().items()} | dict(codes.sources.names)
    texts["clears"] = {code: rule.clears for code, rule in rules.items()}
    texts["sources"] = {
        code: "、".join(names.get(one, one) for one in asked) for code, asked in telling.asked.items()
    }
    texts["source_dates"] = {
        code: "；".join(
            f"{names.get(one, one)} {date_or_state(codes, telling.sources, one)}" for one in asked
        )
        for code, asked in telling.asked.items()
    }
    return texts


def date_or_state(codes: Codes, sources: Sources, source: str) -> str:
    known = sources[source]["snapshot_date"] if source in sources else None
    return known or codes.source_states.name(_state_of(sources, source))


def _state_of(sources: Sources, source: str) -> str:
    """A source that nobody expects stands in no night it delivered nothing for: what needs it cannot be verified."""
    return str(sources[source]["state"]) if source in sources else "missing"


def name_open_leads(eligible: pa.Table, discrepancies: pa.Table, names: Mapping[str, str]) -> pa.Table:
    """Add each roster household's open X, D and H leads to the evidence, so that nobody decides past them.

    names: of the rules, by code.
    """
    households = eligible.column("household_id")
    on_roster = pc.starts_with(eligible.column("rule").cast(pa.string()), "U")
    is_open = pc.and_(
        pc.is_in(discrepancies.column("state").cast(pa.string()), pa.array(PRESENT)),
        pc.match_substring_regex(discrepancies.column("rule").cast(pa.string()), "^[XDH]"),
    )
    asked = pc.is_in(discrepancies.column("household_id"), households.filter(on_roster).combine_chunks())
    chosen = discrepancies.select(["household_id", "rule"]).filter(pc.and_(is_open, asked))
    leads: dict[str, set[str]] = {}
    for household, rule in zip(*(column.to_pylist() for column in chosen.columns), strict=True):
        leads.setdefault(household, set()).add(rule)
    evidence = eligible.column("evidence").combine_chunks()
    # A lead that is gone tells what was open on the night before.
    is_told = pc.match_substring(evidence, _OPEN_LEADS)
    is_changed = pc.or_(pc.and_(on_roster, pc.is_in(households, pa.array(leads, pa.string()))), is_told)
    changed = eligible.filter(is_changed)
    told = []
    for text, household, rule in zip(
        *(changed.column(name).to_pylist() for name in ("evidence", "household_id", "rule")), strict=True
    ):
        found = sorted(leads.get(household, ())) if rule.startswith("U") else []
        listed = _OPEN_LEADS + "、".join(f"{one}{names[one]}" for one in found) + "。" if found else ""
        told.append(text.split(_OPEN_LEADS)[0] + listed)
    evidence = pc.replace_with_mask(evidence, is_changed.combine_chunks(), pa.array(told, pa.string()))
    return eligible.set_column(eligible.column_names.index("evidence"), "evidence", evidence)
