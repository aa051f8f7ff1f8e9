"""The report's pages about sources: what arrived, what became of it, how fresh it is, what was set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipelines.report.figures import freshness_bar, funnel_bar, reason_bar, sparkline
from pipelines.report.wording import Wording

COUNTS = ("received", "accepted", "quarantined", "linked", "duplicate", "unauthorised")


@dataclass(frozen=True)
class SourceRow:
    """quarantined_share: of received, or None when nothing was; rules: those that need the source."""

    source: str
    name: str
    owner: str
    state: str
    state_name: str
    reason_name: str
    counts: Mapping[str, int]
    quarantined_share: float | None
    funnel: Markup
    trend: Markup
    to_do: str
    rules: Sequence[str]


@dataclass(frozen=True)
class FreshnessRow:
    name: str
    snapshot_date: str
    covers: str
    age_days: int | None
    max_age_days: int | None
    left_days: int | None
    bar: Markup | None


@dataclass(frozen=True)
class ReasonRow:
    """counts: by source, in the order of the table's columns."""

    name: str
    counts: Sequence[int]
    total: int
    bar: Markup


@dataclass(frozen=True)
class ReasonTable:
    """Rows set aside, by reason and source, most frequent reason first."""

    sources: Sequence[str]
    rows: Sequence[ReasonRow]


@dataclass(frozen=True)
class AuthorisationRow:
    name: str
    needed: bool
    linked: int
    dropped: int


@dataclass(frozen=True)
class InputRow:
    name: str
    file: str
    rows: int
    sha256: str


def source_rows(
    manifest: Mapping[str, Any], nights: Sequence[Mapping[str, Any]], wording: Wording
) -> list[SourceRow]:
    """A row per source of the night; `nights` are the manifests of the trend, tonight's last."""
    sources = manifest["status"]["sources"]
    return [_source_row(source, sources, nights, wording) for source in sources]


def _source_row(
    source: str, sources: Mapping[str, Any], nights: Sequence[Mapping[str, Any]], wording: Wording
) -> SourceRow:
    told = sources[source]
    name, state, reason = wording.source(source), told["state"], told["reason"]
    used = state == "accepted"
    received = told["received"]
    return SourceRow(
        source=source,
        name=name,
        owner=wording.owner(source),
        state=state,
        state_name=wording.codes.source_states.name(state),
        reason_name=wording.codes.held_reasons.name(reason) if reason else "",
        counts={count: told[count] for count in COUNTS},
        quarantined_share=told["quarantined"] / received if received else None,
        funnel=funnel_bar(name, received, told["accepted"], told["linked"]),
        trend=sparkline(name, [received_on(night, source) for night in nights]),
        to_do="" if used else wording.not_used(source, state, reason),
        rules=[] if used else wording.rules_needing(source, sources),
    )


def received_on(night: Mapping[str, Any], source: str) -> int | None:
    """Rows received on a night; None when the source was not used then."""
    told = night["status"]["sources"].get(source)
    return told["received"] if told and told["state"] == "accepted" else None


def freshness_rows(manifest: Mapping[str, Any], wording: Wording) -> list[FreshnessRow]:
    known = manifest["details"]["freshness"]
    return [
        _freshness_row(wording.source(source), known.get(source) or {}, manifest["inputs"].get(source) or {})
        for source in manifest["status"]["sources"]
    ]


def _freshness_row(name: str, told: Mapping[str, Any], given: Mapping[str, Any]) -> FreshnessRow:
    age, limit = told.get("age_days"), told.get("max_age_days")
    return FreshnessRow(
        name=name,
        snapshot_date=told.get("snapshot_date") or "",
        covers=" 至 ".join(given.get("covers") or ()),
        age_days=age,
        max_age_days=limit,
        left_days=None if age is None or limit is None else limit - age,
        bar=None if age is None or limit is None else freshness_bar(name, age, limit),
    )


def reason_table(manifest: Mapping[str, Any], wording: Wording) -> ReasonTable:
    """A row counts under each of its reasons; equal totals stand in the order of the reasons' codes."""
    given: Mapping[str, Mapping[str, int]] = manifest["details"]["quarantine_reasons"]
    sources = [source for source in manifest["status"]["sources"] if any((given.get(source) or {}).values())]
    by_reason: dict[str, list[int]] = {}
    for place, source in enumerate(sources):
        for reason, count in given[source].items():
            by_reason.setdefault(reason, [0] * len(sources))[place] = count
    totals = {reason: sum(counts) for reason, counts in by_reason.items() if any(counts)}
    most = max(totals.values(), default=0)
    rows = []
    for reason in sorted(totals, key=lambda reason: (-totals[reason], reason)):
        name = wording.codes.quarantine_reasons.name(reason)
        rows.append(
            ReasonRow(name, by_reason[reason], totals[reason], reason_bar(name, totals[reason], most))
        )
    return ReasonTable([wording.source(source) for source in sources], rows)


def authorisation_rows(manifest: Mapping[str, Any], wording: Wording) -> list[AuthorisationRow]:
    """The sources that need a person's authorisation, and any other that dropped rows."""
    dropped = manifest["details"]["authorisation"]["dropped"]
    return [
        AuthorisationRow(
            wording.source(source), source in wording.authorised, told["linked"], dropped.get(source, 0)
        )
        for source, told in manifest["status"]["sources"].items()
        if source in wording.authorised or dropped.get(source, 0)
    ]


def input_rows(manifest: Mapping[str, Any], wording: Wording) -> list[InputRow]:
    return [
        InputRow(wording.source(source), file["name"], file["rows"], file["sha256"])
        for source, given in manifest["inputs"].items()
        for file in given["files"]
    ]


def unlisted_files(manifest: Mapping[str, Any], wording: Wording) -> list[tuple[str, list[str]]]:
    """Files that lay in a source's folder and that no receipt names; they were not read."""
    return [
        (wording.source(source), list(given["unlisted"]))
        for source, given in manifest["inputs"].items()
        if given.get("unlisted")
    ]
