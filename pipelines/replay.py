"""`hedui replay`: what a night could not take of a source, taken after the department has healed it."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.errors import FeedRefused
from connectors.feeds import RefusedFeed, address_variable, open_feed
from connectors.registry import all_contracts, people_sources
from pipelines.identity.keyring import KeyRing
from pipelines.intake.batch import REASONS, reasons_of
from pipelines.intake.source import check_receipt
from pipelines.lease import one_night_at_a_time
from pipelines.lists import read_published
from pipelines.manifest import Manifest
from pipelines.night import Progress, clear_work, run_night, run_people, run_source
from pipelines.policy_in_force import load_policy
from pipelines.replay_checks import (
    NothingToReplay,
    Replay,
    ReplayRefused,
    changed_inputs,
    read_result,
    status_then,
    still_not_accepted,
    unchanged,
    was_accepted,
)
from pipelines.settings import Settings
from policy.model import PolicyAt

_SAID_BY_A_RECEIPT = ("snapshot_date", "covers", "files")


@dataclass
class Healing:
    """What became of one reason's dead letters. A row with several reasons counts under each.

    then: rows the night quarantined for it; accepted: of these, lines of the same file that are no longer
    quarantined; still: lines that still are; not_delivered: rows of a file that is not delivered any more; new: rows
    quarantined for it now that were not then.
    """

    then: int = 0
    accepted: int = 0
    still: int = 0
    not_delivered: int = 0
    new: int = 0


@dataclass(frozen=True)
class Trial:
    """A source as the night had it and as it would be read now; reasons in the order of the specification."""

    source: str
    then: dict[str, Any]
    now: dict[str, Any]
    reasons: dict[str, Healing] = field(default_factory=dict)


def replay_night(settings: Settings, replay: Replay, progress: Progress = lambda text: None) -> Manifest:
    """Replace a published night by itself with the named sources healed. Returns the new manifest.

    Raises UsageError, NightNotPublished, ReplayRefused (the night stands as it was published), NothingToReplay,
    and what `run_night` raises.
    """
    night = replay.require_night(settings)
    _look_at_receipts(settings, load_policy(settings), replay, night)
    with _clearing_up_after_refusals(settings):
        return run_night(settings, progress, replay)


def try_replay(settings: Settings, replay: Replay) -> list[Trial]:
    """What a replay would take that the night could not; nothing is published and nothing logged.

    Raises as `replay_night`.
    """
    policy = load_policy(settings)
    with one_night_at_a_time(settings.home):
        night = replay.require_night(settings)
        _look_at_receipts(settings, policy, replay, night)
        ring = KeyRing.open(settings.home, os.environ)
        clear_work(settings)
        try:
            run_people(settings, policy, ring)
            for source in replay.sources:
                if source not in people_sources():
                    run_source(settings, source)
            return [_compare(settings, night, source) for source in replay.sources]
        finally:
            shutil.rmtree(settings.work, ignore_errors=True)


def _look_at_receipts(settings: Settings, policy: PolicyAt, replay: Replay, night: Manifest) -> None:
    """Refuse what the receipts alone tell, before hours of reading; the run compares the bytes."""
    others: list[str] = []
    healed: list[str] = []
    for source in all_contracts():
        stated = _stated_inputs(settings, policy, source)
        if stated is None:
            healed.append(source)  # only the answer tells
        elif stated != _inputs_then(night, source):
            (healed if source in replay.sources else others).append(source)
        elif source in replay.sources and not was_accepted(night, source):
            healed.append(source)  # the receipt was right and the files were not: only reading tells
    if others:
        raise ReplayRefused(changed_inputs(night, others, replay.sources))
    if not set(replay.sources) & set(healed):
        raise NothingToReplay(unchanged(night, replay.sources))


def _stated_inputs(settings: Settings, policy: PolicyAt, source: str) -> dict[str, Any] | None:
    """What the receipt says now, empty without one; None for a source that answers batches: it must be asked first."""
    variable = address_variable(source)
    if os.environ.get(variable) and os.environ.get(f"{variable}__MODE") == "batch":
        return None
    try:
        feed = open_feed(source, settings.feeds, os.environ)
    except FeedRefused as refusal:
        feed = RefusedFeed(source, refusal)
    with closing(feed):
        result, _ = check_receipt(all_contracts()[source], feed, policy)
    return {} if result.state == "missing" else {name: getattr(result, name) for name in _SAID_BY_A_RECEIPT}


def _inputs_then(night: Manifest, source: str) -> dict[str, Any]:
    then = night["inputs"].get(source)
    return {name: then[name] for name in _SAID_BY_A_RECEIPT} if then else {}


@contextmanager
def _clearing_up_after_refusals(settings: Settings) -> Iterator[None]:
    try:
        yield
    except (ReplayRefused, NothingToReplay):
        shutil.rmtree(settings.work, ignore_errors=True)
        raise


def _compare(settings: Settings, night: Manifest, source: str) -> Trial:
    now = read_result(settings, source)
    if now["state"] != "accepted":
        raise ReplayRefused(still_not_accepted(source, now))
    before = _dead_letters(read_published(settings.home, night, "quarantine"), source)
    written = pq.read_table(settings.work / "quarantine" / f"{source}.parquet")
    reasons = pa.array([reasons_of(mask) for mask in written.column("mask").to_pylist()], pa.string())
    after = _dead_letters(written.append_column("reasons", reasons), source)
    delivered = {str(file["name"]) for file in now["files"]}
    return Trial(source, status_then(night, source), now, compare_dead_letters(before, after, delivered))


def compare_dead_letters(
    before: dict[tuple[str, int], str], after: dict[tuple[str, int], str], delivered: set[str]
) -> dict[str, Healing]:
    """Per reason. before, after: reasons (`;`-joined) by file and line; delivered: files of the receipt now."""
    counts: dict[str, Counter[str]] = {}
    for place, reasons in before.items():
        fate = "still" if place in after else "accepted" if place[0] in delivered else "not_delivered"
        for reason in reasons.split(";"):
            counts.setdefault(reason, Counter()).update(("then", fate))
    for place, reasons in after.items():
        for reason in set(reasons.split(";")) - set(before.get(place, "").split(";")):
            counts.setdefault(reason, Counter())["new"] += 1
    return {reason: Healing(**counts[reason]) for reason in REASONS if reason in counts}


def _dead_letters(quarantine: pa.Table, source: str) -> dict[tuple[str, int], str]:
    rows = quarantine.filter(pc.equal(quarantine.column("source"), source))
    places = zip(rows.column("file").to_pylist(), rows.column("line").to_pylist(), strict=True)
    return dict(zip(places, rows.column("reasons").to_pylist(), strict=True))
