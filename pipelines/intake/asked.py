"""The people asked about tonight, ready to be looked up by token, a whole column at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.registry import authorised_sources
from pipelines.intake.people_tables import read_columns
from pipelines.intake.persons import distinct
from pipelines.intake.prefix_table import PrefixTable


@dataclass
class AskedPeople:
    """persons in token order (see persons.py), restricted to those whose records a source is compared with.

    names, name_of: digest and person of every readable name, by person.
    sought: by position, and last for strangers, whose rows are looked for; nobody else's are, except by repair.
    """

    hi: NDArray[np.uint64]
    lo: NDArray[np.uint64]
    person: NDArray[np.int32]
    authorised: NDArray[np.bool_]
    has_readable_name: NDArray[np.bool_]
    has_unreadable_name: NDArray[np.bool_]
    names: NDArray[np.int64]
    name_of: NDArray[np.int32]

    def __post_init__(self) -> None:
        self.sought = np.append(np.ones(len(self.hi), dtype=bool), False)

    @cached_property
    def _tokens(self) -> PrefixTable:
        return PrefixTable(self.hi, self.lo)

    @cached_property
    def _names_by_person(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the names of each person begin, and how many there are."""
        last = int(self.person[-1]) if len(self.person) else -1
        count = np.bincount(self.name_of, minlength=last + 1)
        return np.cumsum(count) - count, count

    def find(self, hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Position of each token among the people, -1 for strangers."""
        return self._tokens.find(hi, lo)

    def find_tokens(self, tokens: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which of some tokens, (n, 16), are of people: their places, and the positions of these people."""
        return self._tokens.find_tokens(tokens)

    def know_name(self, digests: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether anybody asked about bears the name."""
        return self.rank_names(digests)[1]

    def bear_name(self, positions: NDArray[np.int64], digests: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the person at each position has a record with that readable name."""
        persons = self.person[positions]
        start, count = (of_person[persons] for of_person in self._names_by_person)
        borne = np.zeros(len(positions), dtype=bool)
        for place in range(int(count.max(initial=0))):
            (has,) = np.nonzero(count > place)
            borne[has] |= self.names[start[has] + place] == digests[has]
        return borne

    @cached_property
    def known_names(self) -> NDArray[np.int64]:
        """Every readable name's digest once, sorted."""
        return distinct(self.names)

    @cached_property
    def pairs(self) -> NDArray[np.int64]:
        """person << 32 | place in known_names of every readable name, sorted."""
        return np.sort(self.name_of.astype(np.int64) << 32 | self.rank_names(self.names)[0])

    def rank_names(self, digests: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Where each name stands among the known ones, and whether it is one of them."""
        if len(self.known_names) == 0:
            return np.zeros(len(digests), np.int64), np.zeros(len(digests), dtype=bool)
        at = np.searchsorted(self.known_names, digests).clip(max=len(self.known_names) - 1)
        return at, self.known_names[at] == digests


def load_asked(people: Path, source: str) -> AskedPeople:
    """Who is asked about at `source`: members; for tax also the obligors that are records (spec section 3)."""
    with_obligors = source == "tax"
    persons = read_columns(people / "person.arrow")
    names = read_columns(people / "person_name.arrow")
    of_members = (np.flatnonzero(_flags(one, "is_member")) for one in (persons, names))
    chosen, named = (slice(None) if with_obligors else rows for rows in of_members)
    hi, lo, person, scopes = (
        persons.column(one).to_numpy()[chosen] for one in ("hi", "lo", "person", "scopes")
    )
    kind = "" if with_obligors else "_member"
    sources = authorised_sources()
    if source in sources:
        authorised = (scopes >> np.uint64(sources.index(source))) & np.uint64(1) == 1
    else:
        authorised = np.ones(len(hi), bool)
    return AskedPeople(
        hi=hi,
        lo=lo,
        person=person,
        authorised=authorised,
        has_readable_name=_flags(persons, f"has_readable{kind}_name")[chosen],
        has_unreadable_name=_flags(persons, f"has_unreadable{kind}_name")[chosen],
        names=names.column("name_digest").to_numpy()[named],
        name_of=names.column("person").to_numpy()[named],
    )


def _flags(table: pa.Table, name: str) -> NDArray[np.bool_]:
    flags: NDArray[np.bool_] = table.column(name).to_numpy()
    return flags
