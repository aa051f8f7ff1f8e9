"""Frames of an undisturbed night, and a way to disturb one cell."""

from __future__ import annotations

from typing import Any

import pandas as pd

SOURCES = ("banks", "roster", "tax")


def quiet_night(stage: str) -> dict[str, pd.DataFrame]:
    rows = {"intake": _intake(), "link": _link(), "assess": _assess(), "publish": _publish()}[stage]
    return {table: pd.DataFrame(given) for table, given in rows.items()}


def disturbed(stage: str, table: str, row: int, **cells: Any) -> dict[str, pd.DataFrame]:
    frames = quiet_night(stage)
    for column, value in cells.items():
        frames[table][column] = frames[table][column].astype(object)
        frames[table].loc[row, column] = value
    return frames


def _intake() -> dict[str, list[dict[str, Any]]]:
    return {
        "sources": [
            {
                "source": source,
                "state": "accepted",
                "reason": None,
                "received": 1000,
                "accepted": 990,
                "quarantined": 10,
                "receipt_rows": 1000,
                "share_quarantined": 0.01,
                "max_quarantined_share": 0.05,
                "age_days": 1,
                "max_age_days": 45,
                "unlisted_files": 0,
            }
            for source in SOURCES
        ],
        "reasons": [
            {"source": source, "reason": reason, "count": 5, "share": 0.005, "share_before": 0.005}
            for source in SOURCES
            for reason in ("id_missing", "money_unparseable")
        ],
        "codes": [
            {
                "source": "banks",
                "column": "account_type",
                "code": code,
                "count": 495,
                "share": 0.5,
                "share_before": 0.5,
            }
            for code in ("活期", "定期")
        ],
        "volumes": [{"source": source, "received": 1000, "received_before": 1000} for source in SOURCES],
    }


def _link() -> dict[str, list[dict[str, Any]]]:
    return {
        "sources": [
            {
                "source": source,
                "accepted": 990,
                "linked": 300,
                "duplicate": 3,
                "unauthorised": 7,
                "used_without_authorisation": 0,
                "evidence_rows": 297,
                "evidence_sum": 9_007_199_254_740_993,  # one more than a float can tell apart
                "intake_sum": 9_007_199_254_740_993,
            }
            for source in SOURCES
        ]
    }


def _assess() -> dict[str, list[dict[str, Any]]]:
    return {
        "leads": [
            {
                "list": name,
                "rule": rule,
                "count": 40,
                "count_before": 38,
                "households_unknown": 0,
                "from_held_source": 0,
            }
            for name, rule in (("discrepancies", "A01"), ("discrepancies", "D01"), ("newly_eligible", "N01"))
        ],
        "policy": [{"unconfirmed": 0, "gaps": 0}],
    }


def _publish() -> dict[str, list[dict[str, Any]]]:
    return {
        "lists": [
            {
                "list": name,
                "new": 1,
                "continuing": 2,
                "changed": 3,
                "cleared": 4,
                "unverified": 5,
                "rows": 15,
                "distinct_numbers": 15,
            }
            for name in ("discrepancies", "newly_eligible")
        ]
    }
