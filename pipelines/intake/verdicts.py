"""Verdicts that only show across rows (spec section 2): on households told twice, unknown or headless, and on persons
told twice in one. Every function adds its reason to the masks it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.identity.cipher import Tokeniser
from pipelines.intake.batch import BIT
from pipelines.intake.judged import Judged
from pipelines.intake.known_ids import KnownIds
from pipelines.intake.persons import Persons, begins

NO_HOUSEHOLD = -1


@dataclass
class Households:
    """The households of households.csv. are_accepted: by row."""

    known: KnownIds
    are_accepted: NDArray[np.bool_]

    def of(self, members: Judged) -> NDArray[np.int32]:
        """The row of the accepted household that each row of members.csv names; NO_HOUSEHOLD without one."""
        row, _ = members.digests("household_id", np.arange(len(members.mask)), self.known)
        is_placed = np.append(self.are_accepted, False)[row]  # UNKNOWN: the last
        return np.where(is_placed, row, NO_HOUSEHOLD).astype(np.int32)


def judge_households(ids: pa.Array, mask: NDArray[np.uint32], cipher: Tokeniser) -> Households:
    """Rows of households.csv that share a household_id are all quarantined."""
    known = KnownIds(ids, cipher)
    mask[known.are_repeated() & ~_are_empty(ids)] |= BIT["household_repeated"]
    return Households(known, mask == 0)


def number_ids(ids: pa.Array, first: int = 0) -> tuple[NDArray[np.int32], pa.Array]:
    """Equal ids by one number, from `first`; NO_HOUSEHOLD for an empty one. Returns (numbers, the distinct ids)."""
    encoded = ids.dictionary_encode()
    number = np.arange(first, first + len(encoded.dictionary), dtype=np.int32)
    number[_are_empty(encoded.dictionary)] = NO_HOUSEHOLD
    return number[encoded.indices.to_numpy()], encoded.dictionary


def _are_empty(texts: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.equal(texts, "")).astype(bool)


def mark_unknown_households(ids: pa.Array, unplaced: NDArray[np.int64], mask: NDArray[np.uint32]) -> None:
    """A row of members.csv of no accepted household. unplaced: these rows; ids: what they name instead."""
    mask[unplaced[~_are_empty(ids)]] |= BIT["household_unknown"]


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
