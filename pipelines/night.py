"""The nightly check as plain functions: the stages in order, with or without Airflow."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import duckdb

from connectors.errors import FeedError, FeedRefused, FeedUnavailable
from connectors.feeds import Feed, RefusedFeed, open_feed
from connectors.registry import all_contracts, evidence_sources, people_sources
from expectations.gate import preload
from pipelines.assess import assess_night, read_summary
from pipelines.errors import NightFailed
from pipelines.evidence_kept import keep_evidence
from pipelines.gates import gate_assess, gate_intake, gate_link, gate_publish, read_gates
from pipelines.identity.keyring import KeyRing
from pipelines.intake.checks import Judging
from pipelines.intake.evidence import hold_source, intake_source
from pipelines.intake.people import intake_people
from pipelines.lease import one_night_at_a_time
from pipelines.link import link_night
from pipelines.manifest import Manifest
from pipelines.persons_asked import person_query
from pipelines.policy_in_force import load_policy
from pipelines.publish import publish_lists
from pipelines.reader_pool import open_reader_pool
from pipelines.replay_checks import Replay
from pipelines.settings import Settings
from pipelines.suppressions import read_suppressions
from policy.model import PolicyAt

Progress = Callable[[str], None]
# Below this much to read, a second process costs more than it saves.
_PARALLEL_BYTES = 64 << 20


def judging_of(policy: PolicyAt) -> Judging:
    return Judging(policy.as_of, frozenset(policy.currencies()), frozenset(all_contracts()))


def run_night(
    settings: Settings, progress: Progress = lambda text: None, replay: Replay | None = None
) -> Manifest:
    """All stages. Returns the published manifest.

    replay: the night is published already and only these sources may differ. Raises NightFailed: nothing was
    published and the last published night is untouched; for a replay also what its checks raise.
    """
    policy = load_policy(settings)
    with _told_as_failure(settings.home), one_night_at_a_time(settings.home):
        ring = KeyRing.open(settings.home, os.environ)
        explained = read_suppressions(settings.home, ring)  # a broken file is told before any feed is read
        replaced = replay.require_night(settings) if replay else None
        clear_work(settings)
        started = time.monotonic()

        def tell(text: str) -> None:
            progress(f"[{time.monotonic() - started:6.1f} s] {text}")

        with _readers(settings) as readers:
            tell("intake: roster and monitored households")
            run_people(settings, policy, ring, readers)
            preload()  # not sooner: it would take turns with reading workbooks
            tell("intake: departments' feeds")
            _run_sources(settings, policy, ring, readers, tell)
        judge_intake(settings)
        if replay and replaced:
            replay.judge_inputs(replaced, read_sources(settings))
        tell("link: who is who")
        run_link(settings)
        tell("assess: rules")
        summary = run_assess(settings, policy)
        note = None
        if replay and replaced:
            replay.judge_policy(replaced, policy.digest(summary["rules"]))
            note = replay.note(replaced, read_sources(settings), explained.sha256 if explained else None)
            replay.record(settings, ring, note)
        tell("publish")
        manifest = run_publish(settings, policy, ring, note)
        close_night(settings, manifest, ring)
        tell("done")
    return manifest


@contextmanager
def _told_as_failure(home: Path) -> Iterator[None]:
    """A full disk or a home that cannot be written fails the night with words an operator can act on."""
    try:
        yield
    except (OSError, duckdb.IOException) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
        raise NightFailed(
            f"{home} cannot be read or written ({why}); nothing was published. "
            "See that its disk has space and that this user may write there, then run the night again."
        ) from error


def clear_work(settings: Settings) -> None:
    """Begin with an empty work folder: what killed runs left, of this night or another, is gone.

    Only the one run that has the home may call it.
    """
    shutil.rmtree(settings.work.parent, ignore_errors=True)
    settings.work.mkdir(parents=True)


def close_night(settings: Settings, manifest: Manifest, ring: KeyRing) -> None:
    """Keep of a published night what a household check needs, and delete the rest of its stage results."""
    keep_evidence(settings, manifest, read_sources(settings), ring.cipher(manifest["key_version"]))
    shutil.rmtree(settings.work, ignore_errors=True)


def run_people(
    settings: Settings, policy: PolicyAt, ring: KeyRing, readers: ProcessPoolExecutor | None = None
) -> dict[str, Any]:
    return intake_people(settings, policy, ring.cipher(), judging_of(policy), readers)


def run_source(settings: Settings, source: str, may_wait: bool = False) -> dict[str, Any]:
    """One department's feed, in a process or task of its own. Returns its counts.

    may_wait: raise FeedUnavailable for a department that cannot be reached, because the caller will try again.
    """
    return _read_department(
        settings, source, load_policy(settings), KeyRing.open(settings.home, os.environ), may_wait
    )


def _read_department(
    settings: Settings, source: str, policy: PolicyAt, ring: KeyRing, may_wait: bool = False
) -> dict[str, Any]:
    with closing(_open_department(settings, source, ring)) as feed:
        if may_wait:
            _reach(feed)
        return intake_source(settings, source, policy, ring.cipher(), judging_of(policy), feed)


def _open_department(settings: Settings, source: str, ring: KeyRing) -> Feed:
    """The feed of a source; one that answers batches will be asked about tonight's persons."""
    try:
        return open_feed(source, settings.feeds, os.environ, person_query(settings, source, ring))
    except FeedRefused as refusal:
        return RefusedFeed(source, refusal)


def _reach(feed: Feed) -> None:
    """Raises FeedUnavailable when the department cannot be reached; any other fault is the intake's to judge."""
    try:
        feed.receipt()
    except FeedUnavailable:
        raise
    except FeedError:
        return


def _readers(settings: Settings) -> AbstractContextManager[ProcessPoolExecutor | None]:
    """Processes that get ready while the roster is read; None when there is too little to read for them."""
    total = sum(_feed_bytes(settings, source) for source in evidence_sources())
    is_much = settings.workers > 1 and total > _PARALLEL_BYTES
    return open_reader_pool(min(settings.workers, len(evidence_sources()))) if is_much else nullcontext()


def _run_sources(
    settings: Settings, policy: PolicyAt, ring: KeyRing, readers: ProcessPoolExecutor | None, tell: Progress
) -> None:
    sources = sorted(evidence_sources(), key=lambda source: -_feed_bytes(settings, source))
    if readers:
        for result in readers.map(run_source, [settings] * len(sources), sources):
            _tell_of(result, tell)
    else:
        for source in sources:
            _tell_of(_read_department(settings, source, policy, ring), tell)


def _tell_of(result: dict[str, Any], tell: Progress) -> None:
    """One line a source; none of a source that nobody expects and that delivered nothing (`read_sources`)."""
    source, state = result["source"], result["state"]
    if state != "missing" or all_contracts()[source].expected:
        tell(f"intake: {source} {state}, {result['received']} rows")


def _feed_bytes(settings: Settings, source: str) -> int:
    folder = settings.feeds / source if settings.feeds else None
    if folder is None or not folder.is_dir():
        return 0
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def read_sources(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every source's result of tonight, in display order.

    A source that is known and not expected is left out when nothing of it was delivered: it is not missing, and
    the night is what it would be without its contract.
    """
    results: dict[str, dict[str, Any]] = json.loads(
        (settings.work / "people" / "sources.json").read_text("utf-8")
    )
    for source in evidence_sources():
        path = settings.work / "evidence" / source / "source.json"
        results[source] = json.loads(path.read_text("utf-8"))
    return {
        source: results[source]
        for source, contract in all_contracts().items()
        if contract.expected or results[source]["state"] != "missing"
    }


def judge_intake(settings: Settings) -> dict[str, str]:
    """The gate after intake. Returns the sources it held; raises NightFailed, also when it holds the roster."""
    held = gate_intake(settings, read_sources(settings))
    for source, reason in held.items():
        if source in people_sources():
            raise NightFailed(f"the gate after intake holds {source} ({reason}); nobody can be checked on it")
        hold_source(settings, source, reason)
    return held


def run_link(settings: Settings) -> dict[str, Any]:
    linked = link_night(settings)
    sources = read_sources(settings)
    gate_link(settings, sources, {source: counts for source, counts in linked.items() if source in sources})
    return linked


def run_assess(settings: Settings, policy: PolicyAt) -> dict[str, Any]:
    sources = read_sources(settings)
    summary = assess_night(settings, policy, sources)
    gate_assess(settings, sources, summary)
    return summary


def run_publish(
    settings: Settings, policy: PolicyAt, ring: KeyRing, replay: dict[str, Any] | None = None
) -> Manifest:
    """Both lists, the report and the manifest in place. replay: what the manifest says of one (`Replay.note`)."""
    linked = json.loads((settings.work / "link" / "counts.json").read_text("utf-8"))
    summary = read_summary(settings.work / "assess")
    summary["used_without_authorisation"] = sum(
        counts["used_without_authorisation"] for counts in linked.values()
    )
    if replay:
        summary["replay"] = replay
    counted = {
        source: {name: counts[name] for name in ("linked", "duplicate")} for source, counts in linked.items()
    }

    def gates(lists: list[dict[str, Any]]) -> list[dict[str, Any]]:
        gate_publish(settings, lists)
        return read_gates(settings)

    return publish_lists(settings, policy, ring, read_sources(settings), counted, summary, gates)
