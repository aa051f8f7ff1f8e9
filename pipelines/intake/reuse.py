"""A delivery that was read before is not read again: its evidence of the last published night is taken as it is.

Only when nothing that reading depends on has changed: the delivery's bytes (their hashes are checked every night), the
contract, the people asked about and their authorisations, the key, and this program; and when no verdict would fall
otherwise on a later day.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.contract import Contract
from connectors.errors import FeedError
from connectors.feeds import Feed
from pipelines.durable import sha256_of
from pipelines.evidence_kept import intake_kept
from pipelines.identity.cipher import Tokeniser
from pipelines.intake.asked import AskedPeople
from pipelines.intake.checks import Judging
from pipelines.intake.files import QUARANTINE_SCHEMA
from pipelines.intake.gathered import Gathered, as_yyyymmdd
from pipelines.intake.receipts import HashingReader, Receipt

_READ = "read.json"
_QUARANTINE = "quarantine.parquet"
_PACKAGE = Path(__file__).parent


def reading_key(
    contract: Contract, receipt: Receipt, people: AskedPeople, cipher: Tokeniser, judging: Judging
) -> str:
    """What the evidence of a delivery depends on besides the day it is judged on, as one digest in hexadecimal."""
    told = {
        "contract": repr(contract),
        "files": [[listed.name, listed.sha256, listed.rows] for listed in receipt.files],
        "people": people.fingerprint(),
        "key": cipher.mac(b"", "reading").hex(),
        "currencies": sorted(judging.currencies),
        "sources": sorted(judging.sources),
        "program": _program(),
    }
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@cache
def _program() -> str:
    """The text of the modules that read and de-identify."""
    digest = hashlib.sha256()
    for path in sorted([*_PACKAGE.glob("*.py"), *(_PACKAGE.parent / "identity").glob("*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def take_again(home: Path, source: str, key: str, as_of: date, building: Path) -> list[Gathered] | None:
    """Link the evidence of the last published night into `building`, if it was read under the same key.

    Returns what reading came to, or None when the delivery must be read. Every file is checked by its hash.
    """
    folder = intake_kept(home, source)
    try:
        noted = json.loads((folder / _READ).read_bytes()) if folder else {}
    except (OSError, ValueError):
        return None
    if folder is None or noted.get("key") != key or not _is_same_on(noted, as_of):
        return None
    for name, digest in noted["parts"].items():
        path = folder / name
        if not path.is_file() or sha256_of(path) != digest:
            return None
    for name in noted["parts"]:
        _link(folder / name, building / name)
    _link(folder / _READ, building / _READ)
    return _gathered(noted, building)


def _is_same_on(noted: dict[str, Any], as_of: date) -> bool:
    """Whether no verdict would fall otherwise on that day: what lay in the future then still does."""
    if noted["as_of"] > as_of.isoformat():
        return False
    return noted["until"] is None or as_yyyymmdd(as_of) < noted["until"]


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def is_as_promised(feed: Feed, receipt: Receipt) -> bool:
    """Whether the feed's bytes are those of the receipt."""
    for listed in receipt.files:
        try:
            with feed.open(listed.name) as stream:
                if HashingReader(stream).finish() != listed.sha256:
                    return False
        except (OSError, FeedError):
            return False
    return True


def _gathered(noted: dict[str, Any], building: Path) -> list[Gathered]:
    bad = pq.read_table(building / _QUARANTINE)
    names = np.array(bad.column("file").to_pylist(), dtype=object)
    lines, masks = bad.column("line").to_numpy(), bad.column("mask").to_numpy()
    found = []
    for told in noted["files"]:
        gathered = Gathered.from_dict(told)
        here = names == gathered.outcome.name
        gathered.outcome.note_bad(lines[here], masks[here].copy())
        found.append(gathered)
    return found


def note_reading(building: Path, key: str, as_of: date, gathered: list[Gathered]) -> None:
    """Note beside the evidence of an accepted source what it was read under and what reading came to."""
    tables = [one.outcome.quarantine("") for one in gathered]
    pq.write_table(pa.concat_tables([QUARANTINE_SCHEMA.empty_table(), *tables]), building / _QUARANTINE)
    futures = [one.first_future for one in gathered if one.first_future]
    noted = {
        "key": key,
        "as_of": as_of.isoformat(),
        "until": min(futures) if futures else None,
        "files": [one.as_dict() for one in gathered],
        "parts": {path.name: sha256_of(path) for path in sorted(building.iterdir()) if path.name != _READ},
    }
    (building / _READ).write_text(json.dumps(noted, ensure_ascii=False), encoding="utf-8")


def forget_reading(folder: Path) -> None:
    """The evidence is not to be taken again."""
    (folder / _READ).unlink(missing_ok=True)
