"""The report's page about the gates: what was judged between the stages, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from expectations.suites import STAGES, find_expectation
from pipelines.report.wording import Wording


@dataclass(frozen=True)
class GateRow:
    """source: its name, or "" when the outcome is nobody's; protects: why the expectation exists."""

    stage: str
    stage_name: str
    expectation: str
    source: str
    description: str
    protects: str
    severity: str
    severity_name: str
    success: bool
    observed: str
    wanted: str


@dataclass(frozen=True)
class GateSummary:
    asked: int
    held: int
    failed_critical: int
    failed_warnings: int


def gate_rows(manifest: Mapping[str, Any], wording: Wording) -> list[GateRow]:
    """In the order of the stages; within one, what failed first."""
    order = {stage: place for place, stage in enumerate(STAGES)}
    rows = [_gate_row(told, wording) for told in manifest["details"]["gates"]]
    return sorted(rows, key=lambda row: (order.get(row.stage, len(order)), row.success))


def _gate_row(told: Mapping[str, Any], wording: Wording) -> GateRow:
    expectation = find_expectation(told["stage"], told["expectation"])
    return GateRow(
        stage=told["stage"],
        stage_name=wording.text("stages", told["stage"]),
        expectation=told["expectation"],
        source=wording.source(told["source"]) if told["source"] else "",
        description=expectation.description if expectation else told["expectation"],
        protects=expectation.protects if expectation else "",
        severity=told["severity"],
        severity_name=wording.text("severities", told["severity"]),
        success=told["success"],
        observed=_rename(str(told["observed"]), wording),
        wanted=str(told["wanted"]),
    )


def _rename(observed: str, wording: Wording) -> str:
    """Outcomes name sources, reasons and rules by code, before a colon; people read names."""
    names = {
        **wording.codes.quarantine_reasons.names,
        **wording.codes.sources.names,
        **{code: f"{code} {rule.name}" for code, rule in wording.rules.items()},
        **wording.codes.lists.names,
    }
    told = []
    for part in observed.split("；"):
        code, colon, figures = part.partition("：")
        told.append(names.get(code, code) + colon + figures)
    return "；".join(told)


def summarise_gates(rows: Sequence[GateRow]) -> GateSummary:
    """How many different expectations were asked, and how many of them held for every source."""
    by_expectation: dict[tuple[str, str], list[GateRow]] = {}
    for row in rows:
        by_expectation.setdefault((row.stage, row.expectation), []).append(row)
    failed = [group for group in by_expectation.values() if not all(row.success for row in group)]
    return GateSummary(
        asked=len(by_expectation),
        held=len(by_expectation) - len(failed),
        failed_critical=sum(group[0].severity == "critical" for group in failed),
        failed_warnings=sum(group[0].severity != "critical" for group in failed),
    )
