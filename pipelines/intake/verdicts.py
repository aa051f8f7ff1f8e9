"""Verdicts that only show across rows (spec section 2): on households told twice, unknown or headless, and on persons
told twice in one. Every function adds its reason to the masks it is given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.intake.batch import BIT
from pipelines.intake.persons import Persons, begins

NO_HOUSEHOLD = -1


def mark_repeated_households(ids: pa.Array, mask: NDArray[np.uint32]) -> None:
    """Rows of households.csv that share a household_id are all quarantined."""
    household, known = number_ids(ids)
    is_repeated = np.bincount(household[household != NO_HOUSEHOLD], minlength=len(known)) > 1
    mask[np.append(is_repeated, False)[household]] |= BIT["household_repeated"]


def number_ids(ids: pa.Array, first: int = 0) -> tuple[NDArray[np.int32], pa.Array]:
    """Equal ids by one number, from `first`; NO_HOUSEHOLD for an empty one. Returns (numbers, the distinct ids)."""
    encoded = ids.dictionary_encode()
    number = np.arange(first, first + len(encoded.dictionary), dtype=np.int32)
    number[_are_empty(encoded.dictionary)] = NO_HOUSEHOLD
    return number[encoded.indices.to_numpy()], encoded.dictionary


def _are_empty(texts: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.equal(texts, "")).astype(bool)


def find_households(ids: pa.Array, known: pa.Array, accepted: NDArray[np.int64]) -> NDArray[np.int32]:
    """The row in households.csv of the accepted household that each of `ids` names; NO_HOUSEHOLD without one.

    known: the ids of households.csv; accepted: its accepted rows. Persons of one household mostly stand together: an id
    like the one before it is not looked for again.
    """
    is_other = np.ones(len(ids), dtype=bool)
    is_other[1:] = pc.not_equal(ids[1:], ids[:-1])
    at = pc.index_in(ids.filter(pa.array(is_other)), value_set=known.take(pa.array(accepted)))
    found = at.fill_null(NO_HOUSEHOLD).to_numpy()
    rows: NDArray[np.int32] = np.append(accepted, NO_HOUSEHOLD).astype(np.int32)[found]
    return np.repeat(rows, np.diff(np.append(np.flatnonzero(is_other), len(ids))))


def mark_unknown_households(ids: pa.Array, household: NDArray[np.int32], mask: NDArray[np.uint32]) -> None:
    """A row of members.csv of no accepted household. household: of each row, as found."""
    (lost,) = np.nonzero(household == NO_HOUSEHOLD)
    mask[lost[~_are_empty(ids.take(pa.array(lost)))]] |= BIT["household_unknown"]


def mark_repeated_members(
    household: NDArray[np.int32],
    persons: Persons,
    is_member: NDArray[np.bool_],
    mask: NDArray[np.uint32],
    raw_fields: Callable[[int], list[str]],
) -> None:
    """Of acceptable rows with the same household and number one counts: a member before an obligor, then the first
    in the order of their raw fields.

    persons: of all the rows; raw_fields: the fields of one row, asked for only where a household names a person twice,
    which is rare.
    """
    rows, person = persons.shared_rows()
    pair = household[rows].astype(np.int64) << 32 | person
    order = np.argsort(pair, kind="stable")
    order = order[mask[rows[order]] == 0]
    rows, pair = rows[order], pair[order]
    starts = np.flatnonzero(begins(pair))
    ends = np.append(starts[1:], len(pair))[: len(starts)]
    twice = ends - starts > 1
    for start, end in zip(starts[twice].tolist(), ends[twice].tolist(), strict=True):
        ordered = sorted(rows[start:end].tolist(), key=lambda row: (not is_member[row], raw_fields(row), row))
        mask[ordered[1:]] |= BIT["member_repeated"]


def mark_headless(household: NDArray[np.int32], is_head: NDArray[np.bool_], mask: NDArray[np.uint32]) -> None:
    """A monitored household without exactly one accepted head row is quarantined whole."""
    named = household != NO_HOUSEHOLD
    heads = np.bincount(household[is_head & (mask == 0) & named], minlength=int(household.max(initial=0)) + 1)
    mask[named & (heads[household] != 1)] |= BIT["household_head_missing"]
