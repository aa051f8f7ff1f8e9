"""The nightly check as the specification tells it: slow, plain, and written without looking at the pipeline."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from . import linking, rules, states
from .linking import SIX, Authorisations, Household, Linked
from .policy import NightFailed, Policy
from .reading import REASONS, SOURCES, Source, read_feeds

__all__ = ["NightFailed", "OracleNight", "night"]


@dataclass
class OracleNight:
    as_of: date
    status: dict[str, Any]  # as `status --json` prints, without the seal
    discrepancies: list[dict[str, str]]  # Chinese columns of section 5, in list order
    newly_eligible: list[dict[str, str]]
    quarantine: list[dict[str, str]]
    entries: dict[str, list[states.Entry]]  # per list, for the next night


def _source_status(source: Source, counts: Linked) -> dict[str, Any]:
    rows = [] if source.held else source.rows
    quarantined = sum(bool(r.reasons) for r in rows)
    return {
        "state": source.state, "reason": source.reason, "received": len(rows), "accepted": len(rows) - quarantined,
        "quarantined": quarantined, "linked": counts.linked, "duplicate": counts.duplicate,
        "unauthorised": counts.unauthorised,
    }  # fmt: skip


def _quarantine(sources: dict[str, Source]) -> list[dict[str, str]]:
    return [
        {
            "数据来源": source.name, "文件": row.file, "行号": str(row.line),
            "原因": ";".join(r for r in REASONS if r in row.reasons),
        }
        for source in sources.values()
        for row in source.rows
        if row.reasons
    ]  # fmt: skip


def _counts(entries: list[states.Entry]) -> dict[str, int]:
    count = Counter(e.state for e in entries)
    return {state: count[state] for state in states.STATES}


def night(feeds: Path, policy: Path, as_of: date, previous: OracleNight | None = None) -> OracleNight:
    """Raise NightFailed where the specification says exit status 1."""
    law = Policy(policy, as_of)
    sources = read_feeds(feeds, law, as_of)
    roster = linking.roster_households(sources["roster"])
    active = [h for h in roster if h.head["household_status"] == "在保"]
    monitored = linking.monitored_households(sources["rural_revitalisation"])
    candidates = linking.candidates(monitored, active)
    authorisations = Authorisations(sources["roster"], as_of)

    members = [p for h in [*active, *candidates] for p in h.members]
    obligors = [p for h in active if h.programme in ("低保", "特困") for p in h.obligors]
    counts = {name: Linked() for name in SOURCES}
    for name in SIX:
        counts[name] = linking.link(
            sources[name], members + (obligors if name == "tax" else []), authorisations
        )

    registers = linking.registers(sources["household_registration"])
    tonight = rules.Tonight(as_of, law, sources, authorisations, registers, active)
    leads = {"discrepancies": rules.discrepancies(tonight), "newly_eligible": []}
    withheld = 0
    for household in candidates:
        try:
            leads["newly_eligible"] += rules.judge_candidate(tonight, household)
        except rules.Withheld:
            withheld += 1
    for household in active:
        leads["newly_eligible"] += rules.judge_upgrade(tonight, household)

    entries = _follow(tonight, leads, previous, roster, monitored)
    judged = {(h.county, h.area) for h in [*active, *candidates]}
    status = {
        "as_of": as_of.isoformat(),
        "complete": not any(s.held for s in sources.values()),
        "sources": {name: _source_status(sources[name], counts[name]) for name in SOURCES},
        "lists": {
            "discrepancies": _counts(entries["discrepancies"]),
            "newly_eligible": {**_counts(entries["newly_eligible"]), "withheld": withheld},
        },
        "policy": {
            "id": law.id, "unconfirmed": law.unconfirmed, "gaps": sorted({county for county, area in judged if law.has_gap(county, area)}),
        },
    }  # fmt: skip
    return OracleNight(
        as_of, status, [e.row for e in entries["discrepancies"]], [e.row for e in entries["newly_eligible"]],
        _quarantine(sources), entries,
    )  # fmt: skip


def _follow(
    tonight: rules.Tonight,
    leads: dict[str, list[rules.Lead]],
    previous: OracleNight | None,
    roster: list[Household],
    monitored: list[Household],
) -> dict[str, list[states.Entry]]:
    households = {False: {h.household_id: h for h in roster}, True: {h.household_id: h for h in monitored}}
    members = [r for r in tonight.sources["roster"].rows if r.file == "members.csv"]
    broken = {
        False: set(linking.broken_member_rows(members)),
        True: set(linking.broken_member_rows(tonight.sources["rural_revitalisation"].rows)),
    }
    return {
        name: states.follow(
            tonight, [states.to_entry(lead) for lead in found], previous.entries[name] if previous else [],
            households, broken,
        )
        for name, found in leads.items()
    }  # fmt: skip
