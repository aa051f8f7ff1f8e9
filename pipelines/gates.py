"""Hand each stage's summary to the gate between it and the next, and do what the gate says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.errors import NightFailed
from pipelines.manifest import latest_before
from pipelines.settings import Settings
from policy.rules import load_rules

if TYPE_CHECKING:
    from expectations.gate import Outcome

Sources = Mapping[str, Mapping[str, Any]]
# Sums are compared modulo this, so that absurd amounts still fit a 64-bit column.
_SUM_MODULUS = 10**15


def gate_intake(settings: Settings, sources: Sources) -> dict[str, str]:
    """Judge what was read. Returns the sources to hold and why; raises NightFailed when sums do not close."""
    before = _Before(settings)
    accepted = {name: result for name, result in sources.items() if result["state"] == "accepted"}
    rows = [
        {
            "source": name,
            "state": result["state"],
            "reason": result["reason"],
            "received": result["received"],
            "accepted": result["accepted"],
            "quarantined": result["quarantined"],
            "receipt_rows": result["receipt_rows"] if result["state"] != "missing" else None,
            "share_quarantined": _share(result["quarantined"], result["received"]),
            "max_quarantined_share": result["max_quarantined_share"],
            "age_days": result["age_days"],
            "max_age_days": result["max_age_days"],
            "unlisted_files": len(result["unlisted"]),
        }
        for name, result in sources.items()
    ]
    reasons = [
        {
            "source": name,
            "reason": reason,
            "count": result["reasons"].get(reason, 0),
            "share": _share(result["reasons"].get(reason, 0), result["received"]),
            "share_before": before.reason_share(name, reason),
        }
        for name, result in accepted.items()
        for reason in sorted({*result["reasons"], *before.reasons(name)})
    ]
    codes = [
        {
            "source": name,
            "column": column,
            "code": code,
            "count": counts.get(code, 0),
            "share": _share(counts.get(code, 0), result["accepted"]),
            "share_before": before.code_share(name, column, code),
        }
        for name, result in accepted.items()
        for column, counts in result["codes"].items()
        for code in sorted({*counts, *before.codes(name, column)})
    ]
    volumes = [
        {"source": name, "received": result["received"], "received_before": before.count(name, "received")}
        for name, result in accepted.items()
    ]
    frames = {"sources": rows, "reasons": reasons, "codes": codes, "volumes": volumes}
    outcomes = _judge(settings, "intake", frames)
    return {one.source: one.reason for one in outcomes if one.holds}


def gate_link(settings: Settings, sources: Sources, linked: Mapping[str, Mapping[str, int]]) -> None:
    """Judge what was linked. Raises NightFailed."""
    rows = [
        {
            "source": name,
            "accepted": sources[name]["accepted"],
            "linked": counts["linked"],
            "duplicate": counts["duplicate"],
            "unauthorised": sources[name]["unauthorised"],
            "used_without_authorisation": counts["used_without_authorisation"],
            "evidence_rows": counts["evidence_rows"],
            "evidence_sum": counts["evidence_sum"] % _SUM_MODULUS,
            "intake_sum": sources[name]["kept_sum"] % _SUM_MODULUS,
        }
        for name, counts in linked.items()
        if sources[name]["state"] == "accepted"
    ]
    _judge(settings, "link", {"sources": rows})


def gate_assess(settings: Settings, sources: Sources, summary: Mapping[str, Any]) -> None:
    """Judge tonight's leads. Raises NightFailed."""
    before = _Before(settings)
    rules = load_rules()
    rows = []
    for lead in summary["leads"]:
        needs = [
            sources[source]["state"] == "accepted"
            for source in rules[lead["rule"]].needs
            if source in sources
        ]
        found = any(needs) if rules[lead["rule"]].partial or lead["rule"] == "N00" else all(needs)
        rows.append(
            {
                **lead,
                "count_before": before.leads(lead["list"], lead["rule"]),
                "from_held_source": 0 if found else lead["count"],
            }
        )
    unconfirmed = sum(not entry["confirmed"] for entry in summary["policy_used"])
    policy = [{"unconfirmed": unconfirmed, "gaps": len(summary["policy_gaps"])}]
    _judge(settings, "assess", {"leads": rows, "policy": policy})


def gate_publish(settings: Settings, rows: list[dict[str, Any]]) -> None:
    """Judge the lists before they are published. Raises NightFailed."""
    _judge(settings, "publish", {"lists": rows})


def read_gates(settings: Settings) -> list[dict[str, Any]]:
    """Every outcome of tonight so far, as the manifest keeps them."""
    found: list[dict[str, Any]] = []
    for stage in ("intake", "link", "assess", "publish"):
        path = settings.work / "gates" / f"{stage}.json"
        if path.exists():
            found += json.loads(path.read_text(encoding="utf-8"))
    return found


def _judge(settings: Settings, stage: str, frames: Mapping[str, list[dict[str, Any]]]) -> list[Outcome]:
    from expectations.gate import judge
    from expectations.suites import stage_suites

    columns = {suite.table: list(suite.columns) for suite in stage_suites(stage)}
    outcomes = judge(
        stage, {name: pd.DataFrame(rows, columns=columns[name]) for name, rows in frames.items()}
    )
    folder = settings.work / "gates"
    folder.mkdir(parents=True, exist_ok=True)
    entries = [one.entry() for one in outcomes]
    (folder / f"{stage}.json").write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
    stopped = [one for one in outcomes if one.stops]
    if stopped:
        told = "; ".join(f"{one.expectation}: found {one.observed}, wanted {one.wanted}" for one in stopped)
        raise NightFailed(f"the gate after {stage} stopped the night: {told}. Nothing was published.")
    return outcomes


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


class _Before:
    """Figures of the latest published night before this one; None where there is nothing to compare with."""

    def __init__(self, settings: Settings) -> None:
        manifest = latest_before(settings.home, settings.as_of)
        self._status: dict[str, Any] = manifest["status"]["sources"] if manifest else {}
        self._details: dict[str, Any] = manifest["details"] if manifest else {}

    def count(self, source: str, name: str) -> int | None:
        status = self._status.get(source)
        return int(status[name]) if status and status["state"] == "accepted" else None

    def reasons(self, source: str) -> list[str]:
        return (
            list(self._details.get("quarantine_reasons", {}).get(source, {}))
            if self.count(source, "received")
            else []
        )

    def reason_share(self, source: str, reason: str) -> float | None:
        received = self.count(source, "received")
        if received is None:
            return None
        return _share(self._details.get("quarantine_reasons", {}).get(source, {}).get(reason, 0), received)

    def codes(self, source: str, column: str) -> list[str]:
        return (
            list(self._details.get("codes", {}).get(source, {}).get(column, {}))
            if self.count(source, "received")
            else []
        )

    def code_share(self, source: str, column: str, code: str) -> float | None:
        accepted = self.count(source, "accepted")
        if accepted is None:
            return None
        return _share(self._details.get("codes", {}).get(source, {}).get(column, {}).get(code, 0), accepted)

    def leads(self, which: str, rule: str) -> int | None:
        if not self._details:
            return None
        present = ("new", "continuing", "changed", "unverified")
        # Tonight's leads are counted before the explained ones are set apart.
        apart = self._details.get("explained", {}).get("leads", [])
        return sum(
            int(entry["count"])
            for entry in [*self._details["leads"], *({"list": "discrepancies"} | entry for entry in apart)]
            if entry["list"] == which and entry["rule"] == rule and entry["state"] in present
        )
