"""One entry of the audit log: its fields, its one way of being written, and what it may not hold."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from pipelines.errors import HeduiError, UsageError

GENESIS = "0" * 64
_FIELDS = {"seq", "at", "actor", "action", "reason", "detail", "prev", "key", "hash", "mac"}
_TYPES = {
    "seq": int,
    "at": str,
    "actor": str,
    "action": str,
    "detail": dict,
    "prev": str,
    "key": int,
    "hash": str,
}
# Eighteen characters that stand alone; longer runs are hashes and running numbers.
_ID_NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9]{17}[0-9Xx](?![0-9A-Za-z])")


class AuditBroken(HeduiError):
    """The log is not what its signatures say; it must be looked into before anything is appended."""


@dataclass(frozen=True)
class Entry:
    """One line of the log.

    seq: from 1; at: UTC, ISO 8601; prev: hash of the entry before, 64 zeros for the first; key: the key
    version that signed it; hash: SHA-256 of the canonical entry without hash and mac; mac: signature of the
    hash. Hashes and mac in hex.
    """

    seq: int
    at: str
    actor: str
    action: str
    reason: str | None
    detail: dict[str, Any]
    prev: str
    key: int
    hash: str = ""
    mac: str = ""

    def line(self) -> bytes:
        """The entry as it stands in the log."""
        return canonical_json(vars(self)) + b"\n"

    def digest(self) -> str:
        """What `hash` must be."""
        body = {name: value for name, value in vars(self).items() if name not in ("hash", "mac")}
        return hashlib.sha256(canonical_json(body)).hexdigest()


def parse_entry(line: bytes) -> Entry:
    """The entry of a line. Raises AuditBroken for a line that is none."""
    fields = read_object(line)
    if fields is None or fields.keys() != _FIELDS:
        raise AuditBroken("a line of the audit log is no entry; run hedui verify")
    if any(not isinstance(fields[name], wanted) for name, wanted in _TYPES.items()):
        raise AuditBroken("an entry of the audit log has a field of the wrong type; run hedui verify")
    return Entry(**fields)


def read_object(content: bytes) -> dict[str, Any] | None:
    """The JSON object in the bytes, if there is one that `canonical_json` can write."""
    try:
        value = json.loads(content)
        canonical_json(value)
    except (
        ValueError,
        RecursionError,
    ):  # a flipped bit also makes NaN, half a surrogate pair, endless digits
        return None
    return value if isinstance(value, dict) else None


def canonical_json(value: dict[str, Any]) -> bytes:
    """The one way to write a value: sorted keys, no spaces, UTF-8."""
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def accept_detail(
    action: str, actor: str, reason: str | None, detail: dict[str, Any] | None
) -> dict[str, Any]:
    """The detail as JSON gives it back. Raises UsageError for no JSON, or what looks like an ID number."""
    try:
        # Through text, so that what is hashed now and what is read later sort alike.
        told: dict[str, Any] = json.loads(json.dumps(detail or {}, allow_nan=False))
        text = canonical_json({"texts": [action, actor, reason], "detail": told}).decode()
    except (TypeError, ValueError):
        raise UsageError("an audit entry takes text, numbers, lists and objects alone") from None
    if _ID_NUMBER.search(unicodedata.normalize("NFKC", text)):
        raise UsageError("an audit entry must hold no ID number: name the case by its 线索编号 instead")
    return told
