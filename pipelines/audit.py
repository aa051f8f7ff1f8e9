"""The audit log: append-only, hash-chained, every entry and the log's end signed with a key of the ring.

`audit/log.jsonl` holds one entry a line (`pipelines.audit_entry`). `audit/head.json` says, signed, where the
log ends, so that entries cut off its end are missed.

An entry is written before the head. A crash in between leaves one signed entry behind the head, or an
unfinished line; the next append takes the entry over or cuts the line off, and records that as `mend`. What
no local file can show is a head and a log put back together to an earlier state: nights published since then
betray it (`pipelines.verify`), and so does a copy of the head kept elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.audit_entry import (
    GENESIS,
    AuditBroken,
    Entry,
    accept_detail,
    canonical_json,
    parse_entry,
    read_object,
)
from pipelines.durable import OWNER_ONLY, file_lock, replace_file, sync_folder
from pipelines.identity.keyring import KeyRing, KeyRingError

__all__ = ["AuditBroken", "AuditLog", "Entry", "Finding"]

_HEAD_FIELDS = {"seq", "hash", "size", "unrecorded", "key", "mac"}
_RESTORE = "Run hedui verify, and restore audit/ from its backup"


@dataclass(frozen=True)
class Finding:
    """The first broken entry: its line in log.jsonl (from 1), the number wanted there, and what is wrong."""

    line: int
    seq: int
    problem: str

    def __str__(self) -> str:
        return f"审计日志第 {self.line} 行（序号 {self.seq}）：{self.problem}"


@dataclass(frozen=True)
class _Head:
    """Where the log ends: seq and hash of the last entry, size in bytes. unrecorded: a mend still to tell."""

    seq: int = 0
    hash: str = GENESIS
    size: int = 0
    unrecorded: dict[str, Any] | None = None


class AuditLog:
    """The log of one home. Several processes and threads may append at once."""

    def __init__(self, home: Path, ring: KeyRing) -> None:
        """ring: its current version signs; after a rotation the older ones check what they signed."""
        if not isinstance(ring, KeyRing):
            raise TypeError(
                "AuditLog wants the key ring: one version's cipher cannot check entries of another"
            )
        self.folder = home / "audit"
        self.path = self.folder / "log.jsonl"
        self._head_path = self.folder / "head.json"
        self._ring = ring

    def append(
        self, action: str, actor: str, reason: str | None = None, detail: dict[str, Any] | None = None
    ) -> Entry:
        """Write one entry; it is on disk when this returns.

        No personal value may be in it. Raises UsageError for what looks like an ID number or is no JSON, and
        AuditBroken when the log does not end where its signed head says.
        """
        told = accept_detail(action, actor, reason, detail)
        self.folder.mkdir(parents=True, exist_ok=True)
        with file_lock(self.folder / "lock"):
            head = self._settle(self._read_head())
            if head.unrecorded is not None:
                _, head = self._write(head, "mend", "system", None, head.unrecorded)
            entry, _ = self._write(head, action, actor, reason, told)
        return entry

    def entries(self) -> Iterator[Entry]:
        """All entries, oldest first, as they stand; only `verify` says whether they are whole."""
        return map(parse_entry, self._lines())

    def verify(self) -> Finding | None:
        """The first flipped, removed, reordered or cut-off entry, or None. Changes nothing.

        One signed entry behind the head is what a crash leaves, and no finding.
        """
        if not self.folder.exists():
            return None
        with file_lock(self.folder / "lock"):
            return self._find_break()

    def _settle(self, head: _Head) -> _Head:
        """The head after mending what a crash left. Raises AuditBroken for anything else."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size == head.size:
            return head
        if size < head.size:
            raise AuditBroken(
                f"{self.path} has {size} bytes, its head says {head.size}: entries were cut off. {_RESTORE}"
            )
        with self.path.open("rb") as log:
            log.seek(head.size)
            tail = log.read()
        return self._take_over(head, tail) if b"\n" in tail else self._cut_off(head, tail)

    def _take_over(self, head: _Head, tail: bytes) -> _Head:
        entry = parse_entry(tail) if tail.find(b"\n") == len(tail) - 1 else None
        if entry is None or self._problem(entry, tail, head.seq + 1, head.hash) is not None:
            raise AuditBroken(f"{self.path} goes on after entry {head.seq}, its signed end. {_RESTORE}")
        mend = {"taken_over": entry.seq, "why": "the head was one entry behind"}
        return self._write_head(_Head(entry.seq, entry.hash, head.size + len(tail), mend))

    def _cut_off(self, head: _Head, tail: bytes) -> _Head:
        mend = {
            "cut_bytes": len(tail),
            "sha256": hashlib.sha256(tail).hexdigest(),
            "why": "an unfinished line",
        }
        # First the note, then the cut: a crash in between comes here again.
        settled = self._write_head(replace(head, unrecorded=mend))
        with self.path.open("r+b") as log:
            log.truncate(head.size)
            os.fsync(log.fileno())
        return settled

    def _write(
        self, head: _Head, action: str, actor: str, reason: str | None, detail: dict[str, Any]
    ) -> tuple[Entry, _Head]:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = Entry(head.seq + 1, at, actor, action, reason, detail, head.hash, self._ring.current)
        digest = entry.digest()
        entry = replace(entry, hash=digest, mac=self._sign(digest.encode(), "audit entry", entry.key))
        line = entry.line()
        self._write_line(line)
        return entry, self._write_head(_Head(entry.seq, entry.hash, head.size + len(line)))

    def _write_line(self, line: bytes) -> None:
        is_new = not self.path.exists()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, OWNER_ONLY)
        try:
            if os.write(descriptor, line) != len(line):
                raise AuditBroken(f"{self.path} took only part of an entry: make room on the disk")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            sync_folder(self.folder)

    def _write_head(self, head: _Head) -> _Head:
        signed = {**vars(head), "key": self._ring.current}
        signed["mac"] = self._sign(canonical_json(signed), "audit head", self._ring.current)
        replace_file(self._head_path, canonical_json(signed) + b"\n")
        return head

    def _read_head(self) -> _Head:
        """Raises AuditBroken for a head that is damaged, or not signed by a key of the ring."""
        try:
            signed = read_object(self._head_path.read_bytes())
        except FileNotFoundError:
            return _Head()
        if signed is None or signed.keys() != _HEAD_FIELDS:
            raise AuditBroken(f"{self._head_path} is no head of a log. {_RESTORE}")
        mac = signed.pop("mac")
        if not self._is_signed(canonical_json(signed), "audit head", signed["key"], mac):
            raise AuditBroken(
                f"{self._head_path} is not signed by a key of this ring: was the ring rotated or exchanged "
                f"since this process began? If not: {_RESTORE}"
            )
        return _Head(signed["seq"], signed["hash"], signed["size"], signed["unrecorded"])

    def _find_break(self) -> Finding | None:
        try:
            head = self._read_head()
        except AuditBroken:
            return Finding(0, 0, "末端记录 head.json 已损坏，或签名不符")
        seq, last, at_head = 0, GENESIS, GENESIS if head.seq == 0 else None
        for seq, line in enumerate(self._lines(), start=1):
            problem, last = self._judge(line, seq, last)
            if problem is None and seq > head.seq + 1:
                problem = f"超出签名的末端（序号 {head.seq}）"
            if problem is not None:
                return Finding(seq, seq, problem)
            at_head = last if seq == head.seq else at_head
        if seq < head.seq:
            missing = seq + 1
            return Finding(missing, missing, f"缺失：应有 {head.seq} 条，只有 {seq} 条（末尾被删除）")
        if at_head != head.hash:
            return Finding(head.seq, head.seq, "与签名的末端记录不符")
        return None

    def _judge(self, line: bytes, seq: int, prev: str) -> tuple[str | None, str]:
        """What is wrong with a line, and its hash."""
        try:
            entry = parse_entry(line)
        except AuditBroken:
            return "不是一条完整的记录（内容被改动或截断）", ""
        return self._problem(entry, line, seq, prev), entry.hash

    def _problem(self, entry: Entry, line: bytes, seq: int, prev: str) -> str | None:
        """What is wrong with an entry in its place, or None."""
        if line != entry.line():
            return "写法与规范形式不同（内容被改动）"
        if entry.digest() != entry.hash:
            return "内容与其哈希不符（内容被改动）"
        if entry.seq > seq:
            return f"缺失：此处应为序号 {seq}，却是序号 {entry.seq}（记录被删除或调换）"
        if entry.seq < seq:
            return f"此处应为序号 {seq}，却是序号 {entry.seq}（记录被重复或调换）"
        if entry.prev != prev:
            return "与前一条记录的哈希不相接（前一条被替换）"
        if not self._is_signed(entry.hash.encode(), "audit entry", entry.key, entry.mac):
            return "签名不符（不是用本密钥环中的密钥写入）"
        return None

    def _lines(self) -> Iterator[bytes]:
        if self.path.exists():
            with self.path.open("rb") as lines:
                yield from lines

    def _sign(self, message: bytes, use: str, version: int) -> str:
        return self._ring.cipher(version).mac(message, use).hex()

    def _is_signed(self, message: bytes, use: str, version: Any, mac: Any) -> bool:
        if not isinstance(version, int) or not isinstance(mac, str) or not mac.isascii():
            return False
        try:
            return hmac.compare_digest(self._sign(message, use, version), mac)
        except KeyRingError:
            return False
