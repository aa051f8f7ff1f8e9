"""The nightly check cut into tasks: each is a process of its own, told plain values and answering with plain values.

What a task returns is kept by whoever runs it, so it is nothing but counts, hashes and paths. A fault is told by
type and place alone: a message of somebody else's code could quote a person's value.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from connectors.errors import FeedError
from connectors.registry import evidence_sources
from pipelines import night
from pipelines.errors import HeduiError, place_of
from pipelines.household_check import check_household_sealed
from pipelines.identity.keyring import KeyRing
from pipelines.lease import return_lease, take_lease, under_lease
from pipelines.policy_in_force import load_policy
from pipelines.retention import retain
from pipelines.settings import Settings, feeds_from, home_from
from pipelines.suppressions import read_suppressions

Values = Mapping[str, str | int | None]
P = ParamSpec("P")
R = TypeVar("R")


class StageFailed(HeduiError):
    """A fault of ours in a stage, told by type and place."""


def telling_no_values(stage: Callable[P, R]) -> Callable[P, R]:
    """Let through what is written for people; of everything else tell the type and the place."""

    @functools.wraps(stage)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return stage(*args, **kwargs)
        except (HeduiError, FeedError) as error:
            # Without what it came from: that may quote the row that was read.
            failure: Exception = error.with_traceback(None)
            failure.__cause__ = failure.__context__ = None
        except Exception as error:
            failure = StageFailed(
                f"{type(error).__name__} at {place_of(error)} in {stage.__name__}; nothing was published"
            )
        raise failure

    return told


def settings_values(given: Mapping[str, Any], today: date) -> dict[str, str | int | None]:
    """Settings from a run's parameters (as_of, feeds, home, policy) and the environment, as plain values.

    today: in Beijing. A run that is told no as-of date looks at the day before. Raises UsageError.
    """
    as_of = given.get("as_of")
    return Settings(
        home=home_from(given.get("home")),
        as_of=date.fromisoformat(as_of) if as_of else today - timedelta(days=1),
        feeds=feeds_from(given.get("feeds")),
        policy=Path(given["policy"]) if given.get("policy") else None,
        workers=1,
    ).as_dict()


@telling_no_values
def begin_night(given: Mapping[str, Any], today: date, run: str, keeper: int | None = None) -> dict[str, Any]:
    """Read the policy, take the home and clear its work folder. Returns the settings and the sources to read.

    keeper: see `take_lease`. Raises UsageError, NightFailed for a policy or explanations that cannot be used,
    HomeBusy while another run has the home.
    """
    values = settings_values(given, today)
    settings = Settings.from_dict(values)
    policy = load_policy(settings)
    take_lease(settings.home, run, keeper)
    with under_lease(settings.home, run):
        read_suppressions(settings.home, KeyRing.open(settings.home, os.environ))
        night.clear_work(settings)
    return {"values": values, "sources": evidence_sources(), "policy_sha256": policy.sha256}


@telling_no_values
def read_people(values: Values, run: str) -> dict[str, Any]:
    """The roster and the monitored households. Returns their counts."""
    settings = Settings.from_dict(values)
    with under_lease(settings.home, run):
        results = night.run_people(settings, load_policy(settings), KeyRing.open(settings.home, os.environ))
    return {source: _counts(result) for source, result in results.items()}


@telling_no_values
def read_source(values: Values, run: str, source: str, may_wait: bool) -> dict[str, Any]:
    """One department's feed. Returns its counts.

    may_wait: the caller will try again, so a feed that cannot be reached raises FeedUnavailable; otherwise such a
    source is missing tonight, as in `hedui nightly`.
    """
    settings = Settings.from_dict(values)
    with under_lease(settings.home, run):
        return _counts(night.run_source(settings, source, may_wait))


@telling_no_values
def link_people(values: Values, run: str) -> dict[str, Any]:
    """The gate after intake, then who is who. Returns the sources the gate held and the counts per source."""
    settings = Settings.from_dict(values)
    with under_lease(settings.home, run):
        held = night.judge_intake(settings)
        linked = night.run_link(settings)
    return {"held": held, "linked": {source: counts["linked"] for source, counts in linked.items()}}


@telling_no_values
def assess_households(values: Values, run: str) -> dict[str, Any]:
    """The rules. Returns leads per rule."""
    settings = Settings.from_dict(values)
    with under_lease(settings.home, run):
        summary = night.run_assess(settings, load_policy(settings))
    return {"leads": {row["rule"]: row["count"] for row in summary["leads"]}, "withheld": summary["withheld"]}


@telling_no_values
def publish_night(values: Values, run: str) -> dict[str, Any]:
    """Lists, report and manifest in place. Returns the seal, the folder, the files' hashes and the states counted."""
    settings = Settings.from_dict(values)
    with under_lease(settings.home, run):
        ring = KeyRing.open(settings.home, os.environ)
        manifest = night.run_publish(settings, load_policy(settings), ring)
        night.close_night(settings, manifest, ring)
    return {
        "as_of": manifest["as_of"],
        "seal": manifest["seal"],
        "complete": manifest["status"]["complete"],
        "folder": str(settings.home / "nights" / manifest["folder"]),
        "files": manifest["files"],
        "lists": manifest["status"]["lists"],
        "explained": manifest["details"].get("explained", {}).get("count", 0),
    }


@telling_no_values
def end_night(values: Values, run: str) -> dict[str, Any]:
    """Give the home back, whatever became of the night."""
    return {"returned": return_lease(Settings.from_dict(values).home, run)}


@telling_no_values
def check_one_household(given: Mapping[str, Any]) -> dict[str, Any]:
    """One household now. given: household_id, actor, reason, home, policy. Returns the sealed answer's path and
    hash; `hedui household --check` opens it.
    """
    settings = Settings(
        home=home_from(given.get("home")),
        as_of=date.max,
        policy=Path(given["policy"]) if given.get("policy") else None,
    )
    path = check_household_sealed(settings, given["household_id"], given["actor"], given["reason"])
    return {"check": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


@telling_no_values
def delete_outdated(given: Mapping[str, Any], today: date) -> dict[str, Any]:
    """What must be deleted, deleted. given: home, airflow_logs, dry_run. Returns counts and bytes per kind."""
    home = home_from(given.get("home"))
    logs = Path(given["airflow_logs"]) if given.get("airflow_logs") else None
    ring = KeyRing.open(home, os.environ)
    deleted = retain(home, ring, today, dry_run=bool(given.get("dry_run")), airflow_logs=logs)
    kinds = sorted({one.kind for one in deleted})
    return {
        kind: {
            "count": sum(1 for one in deleted if one.kind == kind),
            "bytes": sum(one.bytes for one in deleted if one.kind == kind),
        }
        for kind in kinds
    }


def _counts(result: Mapping[str, Any]) -> dict[str, Any]:
    names = ("source", "state", "reason", "received", "accepted", "quarantined", "unauthorised", "kept")
    return {name: result[name] for name in names}
