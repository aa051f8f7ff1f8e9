"""`hedui verify`: is everything under the home still what was published and logged?

Four things are checked: the chain of the audit log; that every manifest is the one the log knows; that every
file of every night has the hash its manifest names; that the latest night's readable rows give its seal.

What the log says of a night, in the order `publish_night` writes it: `publish` announces a manifest by its
sha256 before it is put in place, `published` confirms that it is. A crash in between is no finding: after an
announcement without confirmation the night may have that manifest or the one before (or none). A manifest
that was never announced is a finding, and so is any other than the confirmed one. A `retire` entry (detail:
as_of) says that a night was deleted as the retention rules ask.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipelines.audit import AuditLog
from pipelines.durable import sha256_of
from pipelines.errors import HeduiError
from pipelines.identity.keyring import KeyRing
from pipelines.lists import FILES, read_published, seal_inputs, seal_of, to_readable
from pipelines.manifest import (
    ANNOUNCED,
    CONFIRMED,
    Manifest,
    manifest_path,
    night_folder,
    parse_manifest,
    published_nights,
)

RETIRED = "retire"


@dataclass
class _Told:
    """What the log says of one night: manifests it may have, and whether one of them was confirmed."""

    possible: set[str] = field(default_factory=set)
    is_confirmed: bool = False


def verify_home(home: Path, ring: KeyRing) -> list[str]:
    """What is broken, in Chinese, the audit log first; empty when all is whole. Changes nothing."""
    log = AuditLog(home, ring)
    finding = log.verify()
    # A broken log cannot vouch for manifests; the nights are still checked against themselves.
    told = _read_announcements(log) if finding is None else None
    problems = [] if finding is None else [str(finding)]
    nights = published_nights(home)
    for night in nights:
        problems += _check_night(home, night, told)
    problems += _missing_nights(told or {}, nights)
    if nights and not problems:
        problems += _check_seal(home, nights[-1], ring)
    return problems


def _read_announcements(log: AuditLog) -> dict[str, _Told]:
    """By as-of day."""
    told: dict[str, _Told] = {}
    for entry in log.entries():
        night = str(entry.detail.get("as_of"))
        manifest = str(entry.detail.get("manifest_sha256"))
        if entry.action == ANNOUNCED:
            told.setdefault(night, _Told()).possible.add(manifest)
        elif entry.action == CONFIRMED:
            told[night] = _Told({manifest}, is_confirmed=True)
        elif entry.action == RETIRED:
            told.pop(night, None)
    return told


def _check_night(home: Path, night: date, told: dict[str, _Told] | None) -> list[str]:
    path = manifest_path(home, night)
    try:
        content = path.read_bytes()
        manifest = parse_manifest(content, path.name, night)
    except (OSError, HeduiError) as failure:
        return [f"{night}：清单文件 {path.name} 无法读取或格式不符（{failure}）"]
    problems = []
    if told is not None:
        known = told.get(night.isoformat())
        if known is None:
            problems.append(f"{night}：审计日志中没有这一夜的发布记录")
        elif hashlib.sha256(content).hexdigest() not in known.possible:
            problems.append(f"{night}：{path.name} 不是审计日志所记发布的那一份")
    return problems + _check_files(home, night, manifest)


def _check_files(home: Path, night: date, manifest: Manifest) -> list[str]:
    problems = []
    for name, wanted in manifest["files"].items():
        found = _sha256(night_folder(home, manifest) / name)
        if found is None:
            problems.append(f"{night}：文件 {name} 缺失")
        elif found != wanted:
            problems.append(f"{night}：文件 {name} 在发布后被改动")
    return problems


def _missing_nights(told: dict[str, _Told], nights: list[date]) -> list[str]:
    present = {night.isoformat() for night in nights}
    return [
        f"{night}：审计日志记有这一夜的发布，其清单文件已不在"
        for night, known in sorted(told.items())
        if known.is_confirmed and night not in present
    ]


def _check_seal(home: Path, night: date, ring: KeyRing) -> list[str]:
    """Once per run: the manifest's hash in the log covers the seals of all nights."""
    path = manifest_path(home, night)
    manifest = parse_manifest(path.read_bytes(), path.name, night)
    try:
        cipher = ring.cipher(manifest["key_version"])
        lists = [
            to_readable(read_published(home, manifest, which), cipher)
            for which, name in FILES.items()
            if which != "explained" or name in manifest["files"]
        ]
    except HeduiError as failure:
        return [f"{night}：清单无法打开，不能核对封印（{failure}）"]
    inputs = seal_inputs(manifest["status"]["sources"], manifest["inputs"])
    policy = str(manifest["details"]["policy"]["sha256"])
    if seal_of(inputs, policy, *lists) != manifest["seal"]:
        return [f"{night}：封印与输入、政策和清单内容不符"]
    return []


def _sha256(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except OSError:
        return None
