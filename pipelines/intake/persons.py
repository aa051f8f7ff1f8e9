"""Who is one person among many rows: persons are numbered in the order of their tokens."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.compiled import compiled
from pipelines.intake.evidence_tables import PERSON_SCHEMA
from pipelines.intake.prefix_table import PrefixTable
from pipelines.intake.token_order import in_token_order


@dataclass
class Authorised:
    """What persons have authorised, one bit per source, in the order of their tokens."""

    hi: NDArray[np.uint64]
    lo: NDArray[np.uint64]
    scopes: NDArray[np.uint64]

    @cached_property
    def _tokens(self) -> PrefixTable:
        return PrefixTable(self.hi, self.lo)

    def table(self) -> pa.Table:
        """authorised: hi, lo, scopes."""
        return pa.table({"hi": self.hi, "lo": self.lo, "scopes": self.scopes})

    def of(self, hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """What the person of each token has authorised; nothing for one who is not among them."""
        at = self._tokens.find(hi, lo)
        found: NDArray[np.uint64] = np.append(self.scopes, np.uint64(0))[at]  # -1: nobody's, the last
        return found

    def of_persons(self, persons: Persons) -> NDArray[np.uint64]:
        """The same for each of the persons; both stand in the order of their tokens."""
        found = np.zeros(len(persons.hi), np.uint64)
        _walk(persons.hi, persons.lo, self.hi, self.lo, self.scopes, found)
        return found


@compiled
def _walk(hi: Any, lo: Any, known_hi: Any, known_lo: Any, scopes: Any, found: Any) -> None:
    at = 0
    for row in range(len(hi)):
        while at < len(scopes) and (
            known_hi[at] < hi[row] or (known_hi[at] == hi[row] and known_lo[at] < lo[row])
        ):
            at += 1
        if at < len(scopes) and known_hi[at] == hi[row] and known_lo[at] == lo[row]:
            found[row] = scopes[at]


@dataclass
class Persons:
    """The persons of some rows.

    order: the rows in the order of their tokens; is_first: which of these begins another person; hi, lo: the token of
    each person.
    """

    order: NDArray[np.int32]
    is_first: NDArray[np.bool_]
    hi: NDArray[np.uint64]
    lo: NDArray[np.uint64]

    def of_ordered(self) -> NDArray[np.int32]:
        """The person (from 0) of each of the ordered rows."""
        return np.cumsum(self.is_first, dtype=np.int32) - np.int32(1)

    def of_rows(self) -> NDArray[np.int32]:
        """The person of each row, in the rows' own order."""
        person = np.empty(len(self.order), np.int32)
        person[self.order] = self.of_ordered()
        return person

    def shared_rows(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Rows of persons who have another one, and whose each is."""
        shared = ~(self.is_first & _ends(self.is_first))
        return self.order[shared], self.of_ordered()[shared]


def number_persons(hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> Persons:
    """Rows with equal halves are of one person."""
    order, hi, lo = in_token_order(hi, lo)
    is_first = begins(hi) | begins(lo)
    return Persons(order, is_first, hi[is_first], lo[is_first])


def add_up_scopes(hi: NDArray[np.uint64], lo: NDArray[np.uint64], scopes: NDArray[np.uint64]) -> Authorised:
    """All that each person has authorised. hi, lo, scopes: of every authorisation."""
    persons = number_persons(hi, lo)
    (first,) = np.nonzero(persons.is_first)
    together = np.bitwise_or.reduceat(scopes[persons.order], first) if len(first) else scopes
    return Authorised(persons.hi, persons.lo, together)


def begins(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where in a column another value begins."""
    begins = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=begins[1:])
    return begins


def distinct(*columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers of all columns, each once, in order."""
    ordered = np.sort(np.concatenate([np.zeros(0, np.int64), *columns]))
    once: NDArray[np.int64] = ordered[begins(ordered)]  # np.unique hashes, which takes ten times as long
    return once


def _ends(begins: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a value ends, from where values begin."""
    return np.append(begins[1:], True)[: len(begins)]


@dataclass
class AskedRecords:
    """The records that departments' rows are compared with, in the order of their persons' tokens."""

    record: NDArray[np.int32]
    household: NDArray[np.int32]
    is_member: NDArray[np.bool_]
    name_digest: NDArray[np.int64]
    name_readable: NDArray[np.bool_]


def asked_tables(
    records: AskedRecords,
    persons: Persons,
    of_record: NDArray[np.int32],
    scopes: NDArray[np.uint64],
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Who is asked about, from their records: (person, person_name, asked_record), all in the order of the persons.

    of_record: whose each record is, ascending; scopes: of each of the persons. Persons without a record are left out,
    and the others numbered anew.

    person: one row each: person (from 0), hi, lo, scopes, is_member, has_readable_name, has_unreadable_name and the
    same of the records as a member alone. person_name: person, name_digest, is_member for every readable name of
    theirs. asked_record: the records with their person, and is_alone: no other record is of that person, so a row that
    reaches it is counted once as it stands.
    """
    is_first = begins(of_record)
    (first,) = np.nonzero(is_first)
    whose = of_record[first]
    person = np.cumsum(is_first, dtype=np.int32) - np.int32(1)
    readable, is_member = records.name_readable, records.is_member

    def any_of(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        found = np.zeros(len(first), dtype=bool)
        found[person[flags]] = True
        return found

    table = pa.table(
        {
            "person": np.arange(len(first), dtype=np.int32),
            "hi": persons.hi[whose],
            "lo": persons.lo[whose],
            "scopes": scopes[whose],
            "is_member": any_of(is_member),
            "has_readable_member_name": any_of(is_member & readable),
            "has_readable_name": any_of(readable),
            "has_unreadable_member_name": any_of(is_member & ~readable),
            "has_unreadable_name": any_of(~readable),
        },
        schema=PERSON_SCHEMA,
    )
    asked = pa.table(
        {
            "record": records.record,
            "household": records.household,
            "is_member": is_member,
            "scopes": scopes[of_record],
            "name_digest": records.name_digest,
            "name_readable": readable,
            "person": person,
            "is_alone": is_first & _ends(is_first),
        }
    )
    names = pa.table(
        {
            "person": person[readable],
            "name_digest": records.name_digest[readable],
            "is_member": is_member[readable],
        }
    )
    return table, names, asked
