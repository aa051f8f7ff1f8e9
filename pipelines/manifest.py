"""The manifest `nights/<as-of>.json`: the one file whose atomic replacement publishes a night."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from pathlib import Path
from typing import Any, TypedDict, cast

from pipelines.audit import AuditLog
from pipelines.durable import replace_file, sync_file, sync_folder
from pipelines.errors import HeduiError
from pipelines.identity.keyring import KeyRing

ANNOUNCED, CONFIRMED = "publish", "published"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]+")


class Manifest(TypedDict):
    """What docs/architecture.md says of a published night."""

    as_of: str
    run: str
    folder: str
    published_at: str
    seal: str
    key_version: int
    previous: str | None
    files: dict[str, str]
    status: dict[str, Any]
    inputs: dict[str, dict[str, Any]]
    details: dict[str, Any]


_TYPES: dict[str, type | tuple[type, ...]] = {
    "as_of": str,
    "run": str,
    "folder": str,
    "published_at": str,
    "seal": str,
    "key_version": int,
    "previous": (str, type(None)),
    "files": dict,
    "status": dict,
    "inputs": dict,
    "details": dict,
}
_STATUS_KEYS = {"as_of", "complete", "seal", "sources", "lists", "policy"}
_INPUT_KEYS = {"snapshot_date", "covers", "files", "unlisted"}


class NightNotPublished(HeduiError):
    """No manifest names that night."""


class ManifestError(HeduiError):
    """A manifest that is not of the agreed shape."""


def nights_folder(home: Path) -> Path:
    return home / "nights"


def manifest_path(home: Path, as_of: date) -> Path:
    return nights_folder(home) / f"{as_of.isoformat()}.json"


def published_nights(home: Path) -> list[date]:
    """The days that have a manifest, oldest first."""
    names = [path.name.removesuffix(".json") for path in nights_folder(home).glob("*.json")]
    return sorted(date.fromisoformat(name) for name in names if _is_day(name))


def read_manifest(home: Path, as_of: date) -> Manifest:
    """The manifest of a night. Raises NightNotPublished, or ManifestError when its shape is unknown."""
    path = manifest_path(home, as_of)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NightNotPublished(_not_published(home, as_of)) from None
    return parse_manifest(content, path.name, as_of)


def parse_manifest(content: bytes, name: str, as_of: date) -> Manifest:
    """A manifest from its bytes; `name` is told in errors. Raises ManifestError."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise ManifestError(f"{name} is not JSON; the night must be run again") from None
    _check_shape(document, name)
    if document["as_of"] != as_of.isoformat():
        raise ManifestError(f"{name} says as_of {document['as_of']!r}; wanted {as_of}")
    return cast(Manifest, document)


def latest_before(home: Path, as_of: date) -> Manifest | None:
    """The latest published night strictly before `as_of`, or None."""
    earlier = [night for night in published_nights(home) if night < as_of]
    return read_manifest(home, earlier[-1]) if earlier else None


def latest(home: Path) -> Manifest | None:
    """The latest published night, or None."""
    nights = published_nights(home)
    return read_manifest(home, nights[-1]) if nights else None


def night_folder(home: Path, manifest: Manifest) -> Path:
    """Where the night's files lie."""
    return nights_folder(home) / manifest["folder"]


def manifest_bytes(manifest: Manifest) -> bytes:
    """The file as it will be written; the same manifest gives the same bytes."""
    return json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def manifest_sha256(manifest: Manifest) -> str:
    """Of the file as it will be written; the audit log's publish entry carries it."""
    return hashlib.sha256(manifest_bytes(manifest)).hexdigest()


def publish_manifest(home: Path, manifest: Manifest) -> str:
    """Publish: flush the night's files, then put the manifest in place in one step. Returns its sha256.

    The audit log's `publish` entry comes first: verify refuses a manifest that the log does not know
    (`publish_night` keeps that order). Raises ManifestError for an unknown shape or a file that is not there.
    """
    _check_shape(manifest, "the manifest")
    path = manifest_path(home, date.fromisoformat(manifest["as_of"]))
    folder = night_folder(home, manifest)
    for name in manifest["files"]:
        if not (folder / name).is_file():
            raise ManifestError(
                f"{path.name} lists {name}, which is not in {folder.name}; nothing was published"
            )
        sync_file(folder / name)
    sync_folder(folder)
    sync_folder(folder.parent)
    content = manifest_bytes(manifest)
    replace_file(path, content)
    return hashlib.sha256(content).hexdigest()


def publish_night(home: Path, ring: KeyRing, manifest: Manifest) -> None:
    """Announce the manifest in the audit log, publish it, and confirm that it is in place.

    Killed after the announcement: the earlier manifest of the day, or none, is still good. Killed before the
    confirmation: either is. Confirmed: only this one is, until the day is announced again.
    """
    detail: dict[str, str | int | None] = {
        "as_of": manifest["as_of"],
        "folder": manifest["folder"],
        "seal": manifest["seal"],
        "manifest_sha256": manifest_sha256(manifest),
    }
    if "explained" in manifest["details"]:
        # How many findings the night kept off the list because an officer had explained them.
        detail["explained"] = manifest["details"]["explained"]["count"]
    log = AuditLog(home, ring)
    log.append(ANNOUNCED, "system", None, detail)
    publish_manifest(home, manifest)
    log.append(CONFIRMED, "system", None, detail)


def _check_shape(document: object, name: str) -> None:
    if not isinstance(document, dict):
        raise ManifestError(f"{name} holds no object")
    _check_keys(document.keys(), _TYPES.keys(), name)
    for key, wanted in _TYPES.items():
        # JSON's true is an int in Python, and no version.
        if not isinstance(document[key], wanted) or isinstance(document[key], bool):
            raise ManifestError(f"{name}: {key} is a {type(document[key]).__name__}, which is not its type")
    _check_keys(document["status"].keys(), _STATUS_KEYS, f"{name}, status")
    for source, entry in document["inputs"].items():
        if not isinstance(entry, dict):
            raise ManifestError(f"{name}, inputs: {source} is no object")
        _check_keys(entry.keys(), _INPUT_KEYS, f"{name}, inputs of {source}")
    _check_values(document, name)


def _check_keys(found: Any, wanted: Any, where: str) -> None:
    missing, unknown = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
    if missing or unknown:
        raise ManifestError(
            f"{where}: missing {', '.join(missing) or 'nothing'}, unknown {', '.join(unknown) or 'nothing'}"
        )


def _check_values(document: dict[str, Any], name: str) -> None:
    for key in ("as_of", "previous"):
        if document[key] is not None and not _is_day(document[key]):
            raise ManifestError(f"{name}: {key} {document[key]!r} is no day")
    if document["folder"] != f"{document['as_of']}-{document['run']}" or not _is_plain(document["folder"]):
        raise ManifestError(f"{name}: folder {document['folder']!r}; wanted <as_of>-<run>, a plain name")
    for file, digest in document["files"].items():
        if not _is_plain(file) or not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise ManifestError(f"{name}: files has {file!r}; wanted a plain name with its sha256")
    if document["status"]["as_of"] != document["as_of"] or document["status"]["seal"] != document["seal"]:
        raise ManifestError(f"{name}: status tells another night or seal than the manifest")


def _is_plain(name: str) -> bool:
    return _PLAIN_NAME.fullmatch(name) is not None and not name.startswith(".")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _not_published(home: Path, as_of: date) -> str:
    nights = published_nights(home)
    known = f"the latest published night is {nights[-1]}" if nights else "no night is published yet"
    return f"the night of {as_of} is not published in {home}; {known}. Run: hedui nightly --as-of {as_of}"
