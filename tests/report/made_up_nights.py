"""Manifests of nights that never were, in the shape of docs/architecture.md."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np

from expectations.suites import STAGES, stage_suites
from policy.codes import load_codes
from policy.model import load
from policy.rules import load_rules

SIZES = {
    "roster": 1_812_400,
    "tax": 26_204_113,
    "market_regulation": 812_077,
    "banks": 13_020_555,
    "securities": 640_218,
    "insurance": 2_204_630,
    "household_registration": 4_410_902,
    "rural_revitalisation": 88_214,
}
AUTHORISED = ("tax", "market_regulation", "banks", "securities", "insurance")
STATES = ("new", "continuing", "changed", "cleared", "unverified")


def digest(*words: object) -> str:
    return hashlib.sha256(repr(words).encode()).hexdigest()


def made_up_night(
    as_of: date = date(2026, 6, 30),
    *,
    counties: int = 122,
    mean: float = 40.0,
    held: dict[str, str] | None = None,
    missing: tuple[str, ...] = (),
    seed: int = 1,
) -> dict[str, Any]:
    """A province's night. held: reason by source."""
    random = np.random.default_rng([seed, as_of.toordinal()])
    held = held or {}
    places = load_codes().counties()[:counties]
    leads = _leads(places, mean, random)
    sources = {name: _source(name, size, held, missing, random) for name, size in SIZES.items()}
    used = _policy_used(as_of, places)
    seal = digest("seal", as_of, seed)
    return {
        "as_of": as_of.isoformat(),
        "run": "20260701T012233-a1b2c3",
        "folder": f"{as_of.isoformat()}-20260701T012233-a1b2c3",
        "published_at": "2026-06-30T17:22:33+00:00",
        "seal": seal,
        "key_version": 3,
        "previous": (as_of - timedelta(days=1)).isoformat(),
        "files": {},
        "status": {
            "as_of": as_of.isoformat(),
            "complete": not held and not missing,
            "seal": seal,
            "sources": sources,
            "lists": {which: _states(leads, which) for which in ("discrepancies", "newly_eligible")},
            "policy": {
                "id": "guangdong-2026",
                "unconfirmed": sum(not one["confirmed"] for one in used),
                "gaps": [],
            },
        },
        "inputs": {name: _inputs(name, told, as_of, places) for name, told in sources.items()},
        "details": {
            "quarantine_reasons": _reasons(sources, random),
            "freshness": {name: _freshness(told, as_of, random) for name, told in sources.items()},
            "leads": leads,
            "authorisation": {
                "used_without": 0,
                "dropped": {name: sources[name]["unauthorised"] for name in AUTHORISED},
            },
            "gates": _gates(),
            "policy": {
                "id": "guangdong-2026",
                "sha256": digest("policy"),
                "used": used,
                "unconfirmed": sum(not one["confirmed"] for one in used),
                "gaps": [],
            },
        },
    }


def earlier_nights(as_of: date, count: int, **how: Any) -> list[dict[str, Any]]:
    return [made_up_night(as_of - timedelta(days=back), **how) for back in range(count, 0, -1)]


def _source(
    name: str, size: int, held: dict[str, str], missing: tuple[str, ...], random: Any
) -> dict[str, Any]:
    state = "held" if name in held else "missing" if name in missing else "accepted"
    received = int(size * random.uniform(0.97, 1.03)) if state == "accepted" else 0
    quarantined = int(received * random.uniform(0.0005, 0.012))
    evidence = name not in ("roster", "rural_revitalisation")
    linked = int(received * random.uniform(0.1, 0.6)) if evidence else 0
    return {
        "state": state,
        "reason": held.get(name),
        "received": received,
        "accepted": received - quarantined,
        "quarantined": quarantined,
        "linked": linked,
        "duplicate": linked // 211,
        "unauthorised": linked // 97 if name in AUTHORISED else 0,
    }


def _inputs(name: str, told: dict[str, Any], as_of: date, places: tuple[str, ...]) -> dict[str, Any]:
    files = (
        [f"{place}.xlsx" for place in places]
        if name == "rural_revitalisation"
        else [f"{name}-1.csv", f"{name}-2.csv"]
    )
    if told["state"] != "accepted":
        files = []
    share = told["received"] // max(len(files), 1)
    return {
        "snapshot_date": (as_of - timedelta(days=1)).isoformat() if files else None,
        "covers": ["2025-12", "2026-05"] if name == "tax" and files else None,
        "files": [{"name": file, "sha256": digest(name, file, as_of), "rows": share} for file in files],
        "unlisted": [],
    }


def _freshness(told: dict[str, Any], as_of: date, random: Any) -> dict[str, Any]:
    if told["state"] == "missing":
        return {"snapshot_date": None, "age_days": None, "max_age_days": 45}
    age = 61 if told["reason"] == "stale" else int(random.integers(1, 40))
    return {"snapshot_date": (as_of - timedelta(days=age)).isoformat(), "age_days": age, "max_age_days": 45}


def _reasons(sources: dict[str, Any], random: Any) -> dict[str, dict[str, int]]:
    reasons = list(load_codes().quarantine_reasons.names)
    found = {}
    for name, told in sources.items():
        chosen = random.choice(reasons, size=6, replace=False)
        parts = random.multinomial(told["quarantined"], [0.4, 0.25, 0.15, 0.1, 0.07, 0.03])
        found[name] = {str(reason): int(part) for reason, part in zip(chosen, parts, strict=True) if part}
    return found


def _leads(places: tuple[str, ...], mean: float, random: Any) -> list[dict[str, Any]]:
    rules = load_rules()
    by_place = random.lognormal(0, 0.9, len(places))
    by_rule = random.lognormal(0, 1.1, len(rules))
    rows = []
    for place, big in zip(places, by_place, strict=True):
        for rule, often in zip(rules.values(), by_rule, strict=True):
            present = random.poisson(mean * big * often)
            parts = random.multinomial(present, [0.06, 0.8, 0.05, 0.05, 0.04])
            for state, count in zip(STATES, parts, strict=True):
                if count:
                    rows.append(
                        {
                            "list": rule.list,
                            "county_code": place,
                            "rule": rule.code,
                            "state": state,
                            "count": int(count),
                        }
                    )
    return rows


def _states(leads: list[dict[str, Any]], which: str) -> dict[str, int]:
    told = {
        state: sum(one["count"] for one in leads if (one["list"], one["state"]) == (which, state))
        for state in STATES
    }
    return {**told, "withheld": 412} if which == "newly_eligible" else told


def _gates() -> list[dict[str, Any]]:
    outcomes = [
        {
            "stage": stage,
            "source": "",
            "expectation": one.id,
            "severity": one.severity,
            "success": True,
            "observed": "8 项全部符合",
            "wanted": one.wanted,
        }
        for stage in STAGES
        for suite in stage_suites(stage)
        for one in suite.expectations
    ]
    by_id = {one["expectation"]: one for one in outcomes}
    by_id["reason_share_is_steady"] |= {
        "source": "banks",
        "success": False,
        "observed": "money_unparseable：占收到行数 3.1%，上一晚占比 0.2%",
    }
    by_id["policy_figures_are_confirmed"] |= {"success": False, "observed": "用到的未经证实的标准数 61"}
    return outcomes


def _policy_used(as_of: date, places: tuple[str, ...]) -> list[dict[str, Any]]:
    entries = (
        _policy()
        .at(as_of)
        .used([(place, place + "001", area) for place in places for area in ("urban", "rural")])
    )
    return [
        {
            "key": one.key,
            "identity": {name: str(told) for name, told in one.identity.items()},
            "value": _shown(one),
            "from": one.start.isoformat(),
            "source": one.source,
            "confirmed": one.confirmed,
        }
        for one in entries
    ]


@cache
def _policy() -> Any:
    return load()


def _shown(entry: Any) -> str:
    if isinstance(entry.value, tuple):
        return "、".join(map(str, entry.value))
    if entry.value is not None:
        return str(entry.value)
    return "，".join(f"{name}={told}" for name, told in entry.fields.items())
