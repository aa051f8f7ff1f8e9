"""The persons whom a department that answers batches (总对总) is asked about tonight.

Their numbers are opened from tokens when the list is made, for the one list that leaves sealed, and only those of
persons with a valid authorisation for the source: no other is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from connectors.person_query import PersonOfInterest, PersonQuery, SentQuery
from pipelines.audit import AuditLog
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.idnumber import unpack_blocks
from pipelines.identity.keyring import KeyRing
from pipelines.identity.tokens import join_halves
from pipelines.intake.asked import AskedPeople, load_asked
from pipelines.intake.sealed_names import open_names
from pipelines.settings import Settings

ASKED = "query"


def person_query(settings: Settings, source: str, ring: KeyRing) -> PersonQuery:
    """What a batch of tonight at `source` asks; its audit entry is on disk before the list leaves."""
    return PersonQuery(
        settings.as_of,
        partial(persons_asked, settings.work / "people", source, ring.cipher()),
        partial(_record_query, settings, source, ring),
    )


def persons_asked(people: Path, source: str, cipher: Tokeniser) -> Iterator[PersonOfInterest]:
    """Everybody whose records the rows of `source` are compared with, if the person has authorised it.

    people: work/<as-of>/people. A person stands once, under the first readable name of the records, or the first
    name at all. Persons with a suspect number are not asked about: no row reaches them (spec section 4).
    """
    asked = load_asked(people, source)
    (chosen,) = np.nonzero(asked.authorised)
    tokens = join_halves(asked.hi[chosen], asked.lo[chosen])
    numbers = (
        unpack_blocks(cipher.open_tokens(np.ascontiguousarray(tokens))).to_pylist() if len(tokens) else []
    )
    names = open_names(people / "names.sealed", cipher)
    records = _naming_records(people, asked, with_obligors=source == "tax")[chosen]
    authorised_for = frozenset({source})
    for number, name in zip(numbers, names.take(pa.array(records - 1)).to_pylist(), strict=True):
        yield PersonOfInterest(number, name, authorised_for)


def _naming_records(people: Path, asked: AskedPeople, with_obligors: bool) -> NDArray[np.int64]:
    """For each person asked about, the record whose name the list carries."""
    columns = pq.read_table(
        people / "record.parquet", columns=["record", "role", "hi", "lo", "name_readable"]
    )
    record, readable = columns.column("record").to_numpy(), columns.column("name_readable").to_numpy()
    at = asked.find(columns.column("hi").to_numpy(), columns.column("lo").to_numpy())
    named = at >= 0
    if not with_obligors:
        named &= np.array(columns.column("role").to_pylist(), dtype=object) == "member"
    order = np.lexsort((record[named], ~readable[named], at[named]))
    _, first = np.unique(at[named][order], return_index=True)
    found: NDArray[np.int64] = record[named][order][first].astype(np.int64)
    return found


def _record_query(settings: Settings, source: str, ring: KeyRing, sent: SentQuery) -> None:
    """Which source was asked about how many persons, by which list and under which key; never about whom."""
    detail = {
        "as_of": settings.as_of.isoformat(),
        "source": source,
        "persons": sent.count,
        "list_sha256": sent.sha256,
        "sealed_for": sent.sealed_for,
        "signed_with": sent.signed_with,
    }
    AuditLog(settings.home, ring).append(ASKED, "system", None, detail)
