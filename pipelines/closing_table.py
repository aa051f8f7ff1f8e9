"""The table a night ends with: what came in, what it came to, and where to look."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors.registry import all_contracts
from pipelines.beijing import beijing_text

_SOURCE_COUNTS = ("received", "accepted", "quarantined", "linked", "duplicate", "unauthorised")
_STATES = ("new", "continuing", "changed", "cleared", "unverified")


def closing_table(status: Mapping[str, Any], details: Mapping[str, Any], folder: Path) -> str:
    """Plain text for a terminal."""
    rows = [["source", "state", *_SOURCE_COUNTS]]
    told = status["sources"]
    # The manifest keeps its keys sorted; people read the sources in the registry's order.
    for source in sorted(told, key=[*all_contracts(), *told].index):
        result = told[source]
        state = result["state"] if result["reason"] is None else f"{result['state']}: {result['reason']}"
        rows.append([source, state, *(f"{result[name]:,}" for name in _SOURCE_COUNTS)])
    lists = [["list", *_STATES, "withheld"]]
    for name, counts in status["lists"].items():
        lists.append([name, *(f"{counts[state]:,}" for state in _STATES), str(counts.get("withheld", ""))])
    policy = status["policy"]
    lines = [
        f"Night of {status['as_of']} — {'complete' if status['complete'] else 'published without every source'}",
        "",
        *_aligned(rows, text_columns=2),
        "",
        *_aligned(lists, text_columns=1),
        "",
        f"policy {policy['id']}: {policy['unconfirmed']} unconfirmed figures used"
        + (f"; no standard for {', '.join(policy['gaps'])}" if policy["gaps"] else ""),
        f"seal {status['seal']}",
    ]
    if "explained" in details:
        apart = details["explained"]
        lines.append(
            f"explained at the desk, kept off the list: {apart['count']:,} leads "
            f"({apart['written']:,} explanations, written out {beijing_text(apart['made_at'])})"
        )
    for source, names in details.get("unlisted", {}).items():
        lines.append(
            f"! {source}: {len(names)} files that the receipt does not name were not read: {', '.join(names)}"
        )
    lines += [f"! {message}" for message in details.get("held", {}).values() if message]
    lines.append(f"quality report: {folder / 'report.html'}")
    return "\n".join(lines)


def _aligned(rows: Sequence[Sequence[str]], text_columns: int) -> list[str]:
    widths = [max(_width(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            cell + " " * (width - _width(cell))
            if place < text_columns
            else " " * (width - _width(cell)) + cell
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
