"""Delete what must be deleted, and nothing else, with proof in the audit log.

How long each thing is kept stands in retention.toml, dated and with its source. The latest published night is never
deleted, nor is the audit log. Of a deleted night the log keeps the hash of its manifest, and with it the hashes of
its files (`pipelines.verify` reads that entry).
"""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from connectors.registry import all_contracts
from pipelines.audit import AuditLog
from pipelines.errors import HeduiError
from pipelines.evidence_kept import evidence_folder
from pipelines.identity.keyring import KeyRing
from pipelines.lease import one_night_at_a_time
from pipelines.manifest import latest, manifest_path, nights_folder, published_nights, read_manifest
from pipelines.verify import RETIRED

SHIPPED: Final = Path(__file__).with_name("retention.toml")
DELETED: Final = "retention"
_KINDS: Final = ("unfinished_work", "evidence", "household_check", "night", "airflow_log", "audit_log")


class RetentionTableError(HeduiError):
    """retention.toml is not of its agreed shape; nothing was deleted."""


@dataclass(frozen=True)
class Deletion:
    """kind: as in retention.toml; name: path in its folder; bytes: on disk; sha256: of a night's manifest."""

    kind: str
    name: str
    bytes: int
    path: Path
    sha256: str | None = None


@dataclass(frozen=True)
class Keeping:
    """days: None is forever."""

    days: int | None
    source: str


def retain(
    home: Path,
    ring: KeyRing,
    today: date,
    dry_run: bool = False,
    *,
    airflow_logs: Path | None = None,
    table: Path = SHIPPED,
) -> list[Deletion]:
    """Delete what is past its time on `today`; returns it. dry_run: only returns what would be deleted.

    The audit entry is written first: a killed run has announced what is still there, and the next run deletes it.
    Raises HomeBusy while a night runs, RetentionTableError.
    """
    keep = read_keeping(table, today)
    alone: AbstractContextManager[None] = nullcontext() if dry_run else one_night_at_a_time(home)
    with alone:
        outdated = [
            *_nights(home, keep, today),
            *_evidence(home, keep, today),
            *_by_name(home / "checks", "household_check", keep, today),
            *_unfinished(home, keep, today),
            *_logs(airflow_logs, keep, today),
        ]
        if dry_run or not outdated:
            return outdated
        _announce(AuditLog(home, ring), outdated, keep)
        for one in outdated:
            _delete(home, one)
    return outdated


def read_keeping(table: Path, today: date) -> dict[str, Keeping]:
    """What holds on `today`, by kind. Raises RetentionTableError for an unknown, missing or unsourced entry."""
    try:
        entries: list[dict[str, Any]] = tomllib.loads(table.read_text(encoding="utf-8"))["keep"]
    except (OSError, ValueError, KeyError):
        raise RetentionTableError(f"{table.name} cannot be read; wanted TOML with [[keep]] entries") from None
    keep: dict[str, Keeping] = {}
    for entry in sorted(entries, key=lambda one: str(one.get("from"))):
        _check_entry(table, entry)
        if entry["from"] <= today:
            keep[entry["what"]] = Keeping(entry.get("days"), entry["source"])
    missing = [kind for kind in _KINDS if kind not in keep]
    if missing:
        raise RetentionTableError(
            f"{table.name} has nothing for {', '.join(missing)} on {today}; add an entry"
        )
    if keep["audit_log"].days is not None:
        raise RetentionTableError(f"{table.name}: the audit log is kept forever; days would break its chain")
    return keep


def _check_entry(table: Path, entry: dict[str, Any]) -> None:
    what = entry.get("what")
    if what not in _KINDS or set(entry) - {"what", "days", "forever", "from", "source"}:
        raise RetentionTableError(
            f"{table.name}: {what!r} or one of its keys is unknown; wanted {', '.join(_KINDS)}"
        )
    if not isinstance(entry.get("from"), date) or not entry.get("source"):
        raise RetentionTableError(f"{table.name}: {what} wants a from date and its source")
    days, forever = entry.get("days"), entry.get("forever")
    if (forever is True) == isinstance(days, int) or (isinstance(days, int) and days < 1):
        raise RetentionTableError(f"{table.name}: {what} wants either days (at least 1) or forever = true")


def _nights(home: Path, keep: dict[str, Keeping], today: date) -> Iterator[Deletion]:
    newest = latest(home)
    for night in published_nights(home):
        if (
            newest is None
            or night.isoformat() == newest["as_of"]
            or not _is_past(night, keep["night"].days, today)
        ):
            continue
        manifest = manifest_path(home, night)
        folder = nights_folder(home) / read_manifest(home, night)["folder"]
        digest = hashlib.sha256(manifest.read_bytes()).hexdigest()
        yield Deletion("night", night.isoformat(), _size(folder) + _size(manifest), folder, digest)


def _evidence(home: Path, keep: dict[str, Keeping], today: date) -> Iterator[Deletion]:
    """Of nights that are not the latest, and the latest's when its time is over."""
    agreed = min(contract.retain_days for contract in all_contracts().values())
    days = keep["evidence"].days
    longest = agreed if days is None else min(days, agreed)
    newest = latest(home)
    for folder in _entries(evidence_folder(home)):
        is_latest = newest is not None and folder.name == newest["folder"]
        if not is_latest or _is_past(date.fromisoformat(str(newest and newest["as_of"])), longest, today):
            yield Deletion("evidence", folder.name, _size(folder), folder)


def _by_name(root: Path, kind: str, keep: dict[str, Keeping], today: date) -> Iterator[Deletion]:
    """Entries whose name begins with the day they are about; whatever else lies there was left by a killed run."""
    for path in _entries(root):
        try:
            day = date.fromisoformat(path.name[:10])
        except ValueError:
            day = date.min
        if _is_past(day, keep[kind].days, today):
            yield Deletion(kind, path.name, _size(path), path)


def _unfinished(home: Path, keep: dict[str, Keeping], today: date) -> Iterator[Deletion]:
    """Work folders, and folders of nights that no manifest names."""
    named = {read_manifest(home, night)["folder"] for night in published_nights(home)}
    debris = [path for path in _entries(nights_folder(home)) if path.is_dir() and path.name not in named]
    for path in (*_entries(home / "work"), *debris):
        if _is_past(_changed(path), keep["unfinished_work"].days, today):
            yield Deletion("unfinished_work", path.name, _size(path), path)


def _logs(folder: Path | None, keep: dict[str, Keeping], today: date) -> Iterator[Deletion]:
    for path in sorted(folder.rglob("*")) if folder and folder.is_dir() else ():
        if (
            path.is_file()
            and not path.is_symlink()
            and _is_past(_changed(path), keep["airflow_log"].days, today)
        ):
            yield Deletion("airflow_log", str(path.relative_to(folder or path)), _size(path), path)


def _announce(log: AuditLog, outdated: Iterable[Deletion], keep: dict[str, Keeping]) -> None:
    by_kind: dict[str, list[Deletion]] = {}
    for one in outdated:
        by_kind.setdefault(one.kind, []).append(one)
    for kind, found in by_kind.items():
        told = {"kind": kind, "bytes": sum(one.bytes for one in found), "source": keep[kind].source}
        if kind == "night":
            for one in found:
                detail = {**told, "as_of": one.name, "bytes": one.bytes, "manifest_sha256": one.sha256}
                log.append(RETIRED, "system", None, detail)
            continue
        names = "\n".join(one.name for one in found).encode()
        told |= {"count": len(found), "names_sha256": hashlib.sha256(names).hexdigest()}
        # Airflow writes a file for every attempt of every task: their number and the hash of their names will do.
        few = {} if kind == "airflow_log" else {"names": [one.name for one in found]}
        log.append(DELETED, "system", None, told | few)


def _delete(home: Path, one: Deletion) -> None:
    if one.kind == "night":
        manifest_path(home, date.fromisoformat(one.name)).unlink(missing_ok=True)
    if one.path.is_dir():
        shutil.rmtree(one.path)
    else:
        one.path.unlink(missing_ok=True)


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _is_past(day: date, days: int | None, today: date) -> bool:
    return days is not None and today - day > timedelta(days=days)


def _changed(path: Path) -> date:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date()


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(one.stat().st_size for one in files if one.is_file())
