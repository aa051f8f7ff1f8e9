"""The distinct people among the records, numbered in the order of their tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def number_persons(records: pa.Table) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Who is asked about, from their records: (person, person_name, asked_record).

    records: one row per record that departments' rows are compared with: record, household, hi, lo, is_member, scopes,
    name_digest, name_readable. All three are in the order of the persons.

    person: one row each: person (from 0), hi, lo, scopes, is_member, has_readable_name, has_unreadable_name and the
    same of the records as a member alone. person_name: person, name_digest, is_member for every readable name of
    theirs. asked_record: the records with their person, and is_alone: no other record is of that person, so a row that
    reaches it is counted once as it stands.
    """
    values: dict[str, NDArray[Any]] = {
        name: records.column(name).to_numpy() for name in records.column_names if name not in ("hi", "lo")
    }
    hi, lo = (records.column(name).to_numpy().astype(np.uint64) for name in ("hi", "lo"))
    order = _token_order(hi, lo)
    hi, lo = hi[order], lo[order]
    values = {name: column[order] for name, column in values.items()}
    is_first = np.ones(len(hi), dtype=bool)
    is_first[1:] = (hi[1:] != hi[:-1]) | (lo[1:] != lo[:-1])
    first = np.flatnonzero(is_first)
    person = np.cumsum(is_first, dtype=np.int32) - np.int32(1)
    counts = np.diff(np.append(first, len(hi)))
    readable, is_member = values["name_readable"], values["is_member"]

    def any_of(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        found = np.zeros(len(first), dtype=bool)
        found[person[flags]] = True
        return found

    persons = pa.table(
        {
            "person": np.arange(len(first), dtype=np.int32),
            "hi": hi[first],
            "lo": lo[first],
            "scopes": values["scopes"][first],
            "is_member": any_of(is_member),
            "has_readable_member_name": any_of(is_member & readable),
            "has_readable_name": any_of(readable),
            "has_unreadable_member_name": any_of(is_member & ~readable),
            "has_unreadable_name": any_of(~readable),
        }
    )
    asked = pa.table({**values, "person": person, "is_alone": counts[person] == 1})
    names = asked.select(["person", "name_digest", "is_member"]).filter(pa.array(readable))
    return persons, names, asked


def _token_order(hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> NDArray[np.int64]:
    order = np.argsort(hi)
    ordered = hi[order]
    same = ordered[1:] == ordered[:-1]
    if (lo[order[1:]] != lo[order[:-1]])[same].any():  # once in 2^64 pairs of people
        order = np.lexsort((lo, hi))
    return order
