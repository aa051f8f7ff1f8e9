"""The people asked about tonight, ready to be looked up by token, a whole column at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from connectors.registry import authorised_sources
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
        self._tokens = PrefixTable(self.hi, self.lo)
        last = int(self.person[-1]) if len(self.person) else -1
        self._name_count = np.bincount(self.name_of, minlength=last + 1)
        self._name_start = np.cumsum(self._name_count) - self._name_count
        self.sought = np.append(np.ones(len(self.hi), dtype=bool), False)

    def find(self, hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Position of each token among the people, -1 for strangers."""
        return self._tokens.find(hi, lo)

    def know_name(self, digests: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether anybody asked about bears the name."""
        return self.rank_names(digests)[1]

    def bear_name(self, positions: NDArray[np.int64], digests: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the person at each position has a record with that readable name."""
        persons = self.person[positions]
        start, count = self._name_start[persons], self._name_count[persons]
        borne = np.zeros(len(positions), dtype=bool)
        for place in range(int(count.max(initial=0))):
            (has,) = np.nonzero(count > place)
            borne[has] |= self.names[start[has] + place] == digests[has]
        return borne

    @cached_property
    def known_names(self) -> NDArray[np.int64]:
        """Every readable name's digest once, sorted."""
        ordered = np.sort(self.names)  # np.unique hashes, which takes ten times as long
        is_first = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
        names: NDArray[np.int64] = ordered[is_first]
        return names

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
    kind = "" if with_obligors else "_member"
    flags = [f"has_readable{kind}_name", f"has_unreadable{kind}_name"]
    wanted = ["person", "hi", "lo", "scopes", "is_member", *flags]
    persons = pq.read_table(people / "person.parquet", columns=wanted)
    columns = {name: persons.column(name).to_numpy() for name in wanted}
    chosen = np.ones(len(persons), bool) if with_obligors else columns["is_member"]
    names = pq.read_table(people / "person_name.parquet")
    name_person = names.column("person").to_numpy()
    name_digest = names.column("name_digest").to_numpy()
    if not with_obligors:
        of_members = names.column("is_member").to_numpy()
        name_person, name_digest = name_person[of_members], name_digest[of_members]
    sources = authorised_sources()
    if source in sources:
        authorised = (columns["scopes"] >> np.uint64(sources.index(source))) & np.uint64(1) == 1
    else:
        authorised = np.ones(len(persons), bool)
    order = np.flatnonzero(chosen)
    return AskedPeople(
        hi=columns["hi"][order],
        lo=columns["lo"][order],
        person=columns["person"][order],
        authorised=authorised[order],
        has_readable_name=columns[flags[0]][order],
        has_unreadable_name=columns[flags[1]][order],
        names=name_digest,
        name_of=name_person,
    )
