"""How the people asked about tonight stand to those of the night before: whose rows are known, whose must be read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.intake.asked import AskedPeople

GONE, WITHDRAWN = -1, -2
_RANKS = np.int64((1 << 32) - 1)


@dataclass(frozen=True)
class Standing:
    """What became, for one source, of the people asked about the night before.

    now: by the person number of the night before: tonight's number of everybody whose rows stay as they were read;
    WITHDRAWN: still asked about and known by the same names, authorised no longer; GONE: everybody else.
    sought: by position tonight, and last for strangers, whose rows must be looked for when the delivery is read again:
    those who are new, newly authorised or known by other names, and everybody without an authorisation, whose rows
    are only counted.
    """

    now: NDArray[np.int32]
    sought: NDArray[np.bool_]
    has_new: bool
    has_left: bool
    has_left_unauthorised: bool


def compare_people(before: AskedPeople, tonight: AskedPeople) -> Standing:
    """Compare two nights' people by token and by the digests of their names, both made under one key."""
    at = tonight.find(before.hi, before.lo)
    stays = at >= 0
    old, new = np.flatnonzero(stays), at[stays]
    is_new = np.ones(len(tonight.hi), dtype=bool)
    is_new[new] = (tonight.authorised[new] & ~before.authorised[old]) | (
        tonight.has_unreadable_name[new] != before.has_unreadable_name[old]
    )
    is_new |= _have_other_names(before, tonight, old, new)
    now = np.full(_last(before.person) + 1, GONE, np.int32)
    same = ~is_new[new] & before.authorised[old]
    now[before.person[old[same]]] = np.where(
        tonight.authorised[new[same]], tonight.person[new[same]], WITHDRAWN
    )
    return Standing(
        now,
        sought=np.append(is_new | ~tonight.authorised, False),
        has_new=bool(is_new.any()),
        has_left=not stays.all(),
        has_left_unauthorised=bool((~stays & ~before.authorised).any()),
    )


def _have_other_names(
    before: AskedPeople, tonight: AskedPeople, old: NDArray[np.int64], new: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """By position tonight: who of the people at `old` and `new`, the same ones in order, is known by other names."""
    if all(_is_same(before, tonight, name) for name in ("hi", "lo", "person", "names", "name_of")):
        return np.zeros(len(tonight.person), dtype=bool)
    is_other = np.zeros(_last(tonight.person) + 1, dtype=bool)
    # People stand in token order on both nights, so what is sorted by the one's numbers is by the other's.
    number = np.full(_last(before.person) + 1, -1, np.int64)
    number[before.person[old]] = tonight.person[new]
    rank, is_known = tonight.rank_names(before.known_names)
    persons, ranks = number[before.pairs >> 32], before.pairs & _RANKS
    is_other[persons[(persons >= 0) & ~is_known[ranks]]] = True
    then = (persons << 32 | rank[ranks])[(persons >= 0) & is_known[ranks]]
    stays = np.zeros(len(is_other), dtype=bool)
    stays[tonight.person[new]] = True
    now = tonight.pairs[stays[tonight.pairs >> 32]]
    for one, other in ((then, now), (now, then)):
        is_other[one[~_stand_in(one, other)] >> 32] = True
    return is_other[tonight.person]


def _stand_in(sorted_values: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which values stand among others; both sorted."""
    if not len(among):
        return np.zeros(len(sorted_values), dtype=bool)
    at = np.searchsorted(among, sorted_values).clip(max=len(among) - 1)
    found: NDArray[np.bool_] = among[at] == sorted_values
    return found


def _is_same(before: AskedPeople, tonight: AskedPeople, column: str) -> bool:
    return np.array_equal(getattr(before, column), getattr(tonight, column))


def _last(persons: NDArray[np.int32]) -> int:
    return int(persons[-1]) if len(persons) else -1
