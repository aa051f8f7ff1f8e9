"""A department's receipt: what it says it delivered, and whether that holds (spec section 2)."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO

from connectors.feeds import is_plain_name
from pipelines.errors import SourceHeld

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_MOST_ROWS = 10**12  # no file has more; what is summed and compared later must fit 64 bits

# When several reasons fit, the first of these is reported.
HELD_REASONS = ("receipt_mismatch", "header_mismatch", "unreadable", "stale", "too_many_bad_rows")


@dataclass(frozen=True)
class ReceiptFile:
    name: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class Receipt:
    """covers: first and last month (first days) of a tax feed, or None."""

    source: str
    snapshot_date: date
    covers: tuple[date, date] | None
    files: tuple[ReceiptFile, ...]


def read_receipt(raw: bytes, source: str) -> Receipt:
    """Parse receipt.json. Raises SourceHeld (unreadable) naming the field."""
    try:
        table = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise _unreadable(source, "is not JSON in UTF-8") from None
    if not isinstance(table, dict):
        raise _unreadable(source, "is no JSON object")
    if table.get("source") != source:
        raise _unreadable(source, f"is for another source; wanted {source}")
    try:
        snapshot = date.fromisoformat(table["snapshot_date"])
    except (KeyError, TypeError, ValueError):
        raise _unreadable(source, "has no snapshot_date like 2026-06-29") from None
    files = table.get("files")
    if not isinstance(files, list):
        raise _unreadable(source, "has no list of files")
    listed = tuple(sorted((_read_file(item, source) for item in files), key=lambda file: file.name))
    if len({file.name for file in listed}) != len(listed):
        raise _unreadable(source, "names a file twice")
    return Receipt(source, snapshot, _read_covers(table.get("covers")), listed)


def _read_file(item: Any, source: str) -> ReceiptFile:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise _unreadable(source, "has a file without a name")
    name, sha256, rows = item["name"], item.get("sha256"), item.get("rows")
    if not _is_file_name(name):
        raise _unreadable(source, "names a file outside its folder, or by characters that no file name has")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256.lower()):
        raise _unreadable(source, f"has no sha256 for {name}")
    if not isinstance(rows, int) or isinstance(rows, bool) or not 0 <= rows <= _MOST_ROWS:
        raise _unreadable(source, f"has no number of rows for {name}")
    return ReceiptFile(name, sha256.lower(), rows)


def _is_file_name(name: str) -> bool:
    """Whether it can only mean a file directly in the feed; JSON lets a name hold control characters and half pairs."""
    return is_plain_name(name) and name.isprintable()


def _read_covers(value: Any) -> tuple[date, date] | None:
    """The covered months; None when absent or not two months, so that nothing is compared on a guess."""
    if not isinstance(value, list) or len(value) != 2:
        return None
    found = [_MONTH.fullmatch(item) if isinstance(item, str) else None for item in value]
    if found[0] is None or found[1] is None:
        return None
    first, last = (date(int(match[1]), int(match[2]), 1) for match in found if match)
    return first, last


def _unreadable(source: str, what: str) -> SourceHeld:
    return SourceHeld("unreadable", f"{source}: receipt.json {what}; ask the department for a new receipt")


class HashingReader:
    """Reads a stream and hashes what passes, so that the bytes parsed are the bytes checked."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(size)
        self._hash.update(chunk)
        return chunk

    def readinto(self, target: memoryview) -> int:
        got: int = self._stream.readinto(target)  # type: ignore[attr-defined]
        self._hash.update(target[:got])
        return got

    def finish(self) -> str:
        """Read what is left and return the sha256 of everything."""
        while self.read(1 << 20):
            pass
        return self._hash.hexdigest()
