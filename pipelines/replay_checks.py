"""What must hold before a published night may be replaced by one with healed sources.

A replay is the night run again in which nothing has changed but the deliveries of the sources named. So its result
is the night as it would have been had they been right at first: the same inputs after the same nights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.registry import all_contracts
from pipelines.audit import AuditLog
from pipelines.errors import HeduiError, NightFailed, UsageError
from pipelines.identity.keyring import KeyRing
from pipelines.lists import seal_inputs
from pipelines.manifest import Manifest, published_nights, read_manifest
from pipelines.settings import Settings

REPLAYED = "replay"
Sources = Mapping[str, Mapping[str, Any]]


class ReplayRefused(NightFailed):
    """The replay would not be the night as if the feed had been right at first; the night stands as published."""


class NothingToReplay(HeduiError):
    """The night has the named sources as they are delivered now: there is nothing to do."""


@dataclass(frozen=True)
class Replay:
    """Which sources of a night are replayed, who asked for it and why (None: because they were healed)."""

    sources: tuple[str, ...]
    actor: str = "system"
    reason: str | None = None

    def require_night(self, settings: Settings) -> Manifest:
        """The night that is replaced.

        Raises UsageError for a source nobody knows, NightNotPublished, ReplayRefused when a later night was compared
        with it, NothingToReplay when it took every row of the sources.
        """
        unknown = sorted(set(self.sources) - set(all_contracts()))
        if unknown or not self.sources:
            raise UsageError(
                f"unknown source {', '.join(unknown) or '(none)'}; known: {', '.join(all_contracts())}"
            )
        night = read_manifest(settings.home, settings.as_of)
        later = [day for day in published_nights(settings.home) if day > settings.as_of]
        if later:
            raise ReplayRefused(
                f"{_count(later, 'later night is', 'later nights are')} published ({_few(later)}) and compared with "
                f"the night of {settings.as_of} as it stands: their states and lead numbers would no longer follow "
                "from it. What is corrected counts from the next night on by itself. To put the past right "
                f"nevertheless, run {settings.as_of} and then each later night again, oldest first, each with the "
                "feeds of its time: hedui nightly --as-of DATE --feeds DIR"
            )
        if not any(_has_dead_letters(night, source) for source in self.sources):
            raise NothingToReplay(
                f"the night of {settings.as_of} took every row of {', '.join(self.sources)}; nothing was held or "
                "quarantined, so there is nothing to replay"
            )
        return night

    def judge_inputs(self, night: Manifest, tonight: Sources) -> None:
        """Only the named sources may differ from the night that is replaced, and they must be usable now.

        tonight: every source's result of the run. Raises ReplayRefused, NothingToReplay.
        """
        then = seal_inputs(night["status"]["sources"], night["inputs"])
        now = inputs_of(tonight)
        others = sorted(
            source for source in {*then, *now} - {*self.sources} if then.get(source) != now.get(source)
        )
        if others:
            raise ReplayRefused(changed_inputs(night, others, self.sources))
        for source in self.sources:
            if source not in tonight or tonight[source]["state"] != "accepted":
                raise ReplayRefused(still_not_accepted(source, tonight.get(source, {})))
        if all(then.get(source) == now.get(source) for source in self.sources):
            raise NothingToReplay(unchanged(night, self.sources))

    def judge_policy(self, night: Manifest, sha256: str) -> None:
        """The figures in force must be those of the night. Raises ReplayRefused."""
        if sha256 != night["details"]["policy"]["sha256"]:
            raise ReplayRefused(
                f"the policy is not the one the night of {night['as_of']} was judged by (sha256 differs); give that "
                "one with --policy, or run the night again as a new one: hedui nightly"
            )

    def note(self, night: Manifest, tonight: Sources, explained: str | None = None) -> dict[str, Any]:
        """What the manifest says of the replay: the seal it replaces, and what became of each source.

        explained: the sha256 of the desk's explanations as they are read now. Officers go on explaining after a
        night, so they may have changed since; then the list is the one they leave now, and the note says so.
        """
        return {
            "replaces": night["seal"],
            "explanations_changed": night["details"].get("explained", {}).get("sha256") != explained,
            "sources": {source: _healing(night, source, tonight[source]) for source in self.sources},
            "reason": self.reason,
        }

    def record(self, settings: Settings, ring: KeyRing, note: Mapping[str, Any]) -> None:
        """The audit entry; it is on disk before the night is replaced."""
        told = ("replaces", "explanations_changed", "sources")
        detail = {"as_of": settings.as_of.isoformat(), **{name: note[name] for name in told}}
        AuditLog(settings.home, ring).append(REPLAYED, self.actor, self.reason, detail)


def inputs_of(tonight: Sources) -> dict[str, Any]:
    """Tonight's inputs as a seal says them."""
    delivered = {source: result for source, result in tonight.items() if result["state"] != "missing"}
    return seal_inputs(tonight, delivered)


def changed_inputs(night: Manifest, others: Sequence[str], replayed: Sequence[str]) -> str:
    return (
        f"{', '.join(others)}: not what the night of {night['as_of']} was made from (files, hashes, snapshot date or "
        f"state differ). A replay changes {', '.join(replayed)} alone. Give the feeds of that night; or, if these "
        f"were healed, too, name them all: hedui replay {' '.join([*replayed, *others])} --as-of {night['as_of']}"
    )


def still_not_accepted(source: str, result: Mapping[str, Any]) -> str:
    state, reason = result.get("state", "missing"), result.get("reason")
    why = result.get("message") or "nothing was delivered"
    return f"{source} is still {state}{f' ({reason})' if reason else ''}: {why}. Nothing was replayed"


def unchanged(night: Manifest, sources: Sequence[str]) -> str:
    return (
        f"the night of {night['as_of']} was made from the very files of {', '.join(sources)} that are delivered now; "
        "there is nothing to replay"
    )


def read_result(settings: Settings, source: str) -> dict[str, Any]:
    """What became of one source in the run under way."""
    people: dict[str, Any] = json.loads((settings.work / "people" / "sources.json").read_text("utf-8"))
    if source in people:
        return dict(people[source])
    own: Path = settings.work / "evidence" / source / "source.json"
    return dict(json.loads(own.read_text("utf-8")))


def status_then(night: Manifest, source: str) -> dict[str, Any]:
    """State, reason and quarantined rows of a source in the night; one it did not know was missing."""
    nothing = {"state": "missing", "reason": None, "quarantined": 0}
    return dict(night["status"]["sources"].get(source, nothing))


def was_accepted(night: Manifest, source: str) -> bool:
    """Whether the night used the source. The inputs of one it held are what its receipt said, not what was read."""
    return bool(status_then(night, source)["state"] == "accepted")


def _has_dead_letters(night: Manifest, source: str) -> bool:
    return not was_accepted(night, source) or status_then(night, source)["quarantined"] > 0


def _healing(night: Manifest, source: str, tonight: Mapping[str, Any]) -> dict[str, Any]:
    then = status_then(night, source)
    return {
        "state_then": then["state"],
        "reason_then": then["reason"],
        "quarantined_then": then["quarantined"],
        "quarantined_now": tonight["quarantined"],
    }


def _count(things: Sequence[object], one: str, many: str) -> str:
    return f"{len(things)} {one if len(things) == 1 else many}"


def _few(days: Sequence[object]) -> str:
    shown = ", ".join(map(str, days[:3]))
    return f"{shown}, …" if len(days) > 3 else shown
