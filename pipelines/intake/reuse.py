"""A delivery that was read before is not read again for people whose rows were kept on the last published night.

Only when nothing that a person's rows depend on has changed: the delivery's bytes (their hashes are checked every
night), the contract, the key and this program. For whom rows can be carried over is told in standing.py, how in
carried.py.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable
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
from connectors.registry import authorised_sources
from pipelines.compiled import SHARED
from pipelines.evidence_kept import intake_kept, people_kept
from pipelines.identity.cipher import Tokeniser
from pipelines.intake.asked import AskedPeople, load_asked
from pipelines.intake.carried import Carried, EarlierReading
from pipelines.intake.checks import Judging
from pipelines.intake.files import QUARANTINE_SCHEMA
from pipelines.intake.gathered import Gathered
from pipelines.intake.receipts import HashingReader, ReceiptFile
from pipelines.intake.standing import compare_people
from pipelines.settings import Settings

_READ = "read.json"
_QUARANTINE = "quarantine.parquet"
_PACKAGE = Path(__file__).parent


def reading_key(contract: Contract, files: Iterable[ReceiptFile], cipher: Tokeniser, judging: Judging) -> str:
    """What a person's rows in some files of a delivery depend on, besides the person and the day they are judged on;
    hexadecimal."""
    told = {
        "contract": repr(contract),
        "files": [[listed.name, listed.sha256, listed.rows] for listed in files],
        "key": cipher.mac(b"", "reading").hex(),
        "currencies": sorted(judging.currencies),
        "sources": sorted(judging.sources),
        "authorised": authorised_sources(),
        "program": _program(),
    }
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@cache
def _program() -> str:
    """The text of what says who is asked about, reads and de-identifies; and what a name's normal form hangs on."""
    digest = hashlib.sha256(unicodedata.unidata_version.encode())
    sources = {*_PACKAGE.glob("*.py"), *(_PACKAGE.parent / "identity").glob("*.py"), *SHARED}
    for path in sorted(sources):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def find_earlier(home: Path, source: str, key: str, as_of: date, cipher: Tokeniser) -> EarlierReading | None:
    """What the latest published night read of the same delivery under the same key; None when it must be read whole."""
    folder = intake_kept(home, source, cipher)
    return read_earlier(folder, key, as_of) if folder else None


def read_earlier(folder: Path, key: str, as_of: date) -> EarlierReading | None:
    """What `note_reading` noted in a folder, under the same key and not for a later night."""
    try:
        noted = json.loads((folder / _READ).read_bytes())
    except (OSError, ValueError):
        return None
    if noted.get("key") != key or noted["as_of"] > as_of.isoformat():
        return None
    files = _gathered(noted, folder)
    return EarlierReading(folder, files, all(one.is_judged_alike(as_of) for one in files))


def find_carried(
    settings: Settings, contract: Contract, key: str, as_of: date, people: AskedPeople, cipher: Tokeniser
) -> Carried | None:
    """What can be carried over from the latest published night for tonight's people."""
    earlier = find_earlier(settings.home, contract.source, key, as_of, cipher)
    before = people_kept(settings.home, cipher) if earlier else None
    if earlier is None or before is None:
        return None
    return Carried(contract, earlier, people, compare_people(load_asked(before, contract.source), people))


def is_as_promised(feed: Feed, files: Iterable[ReceiptFile]) -> bool:
    """Whether the feed's bytes are those the receipt says."""
    for listed in files:
        try:
            with feed.open(listed.name) as stream:
                if HashingReader(stream).finish() != listed.sha256:
                    return False
        except (OSError, FeedError):
            return False
    return True


def _gathered(noted: dict[str, Any], folder: Path) -> list[Gathered]:
    bad = pq.read_table(folder / _QUARANTINE)
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
    """Note beside what is kept of an accepted source what it was read under and what reading came to."""
    tables = [one.outcome.quarantine("") for one in gathered]
    pq.write_table(pa.concat_tables([QUARANTINE_SCHEMA.empty_table(), *tables]), building / _QUARANTINE)
    noted = {"key": key, "as_of": as_of.isoformat(), "files": [one.as_dict() for one in gathered]}
    (building / _READ).write_text(json.dumps(noted, ensure_ascii=False), encoding="utf-8")


def forget_reading(folder: Path) -> None:
    """The evidence is not to be taken again."""
    (folder / _READ).unlink(missing_ok=True)
