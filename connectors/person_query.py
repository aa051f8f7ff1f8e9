"""Whom a department that answers batches (总对总) is asked about, and who learns that it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class PersonOfInterest:
    """A person whose household is checked.

    authorised_for: the sources this person has an authorisation for that is valid on the as-of date.
    """

    id_number: str = field(repr=False)
    name: str = field(repr=False)
    authorised_for: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SentQuery:
    """What may be told of a list that leaves.

    count: persons on it; sha256: of the sealed bytes that leave; sealed_for: fingerprint of the department's
    public key; signed_with: id of the key the request is signed with, None for an unsigned one.
    """

    count: int
    sha256: str
    sealed_for: str
    signed_with: str | None


@dataclass(frozen=True)
class PersonQuery:
    """Who may be asked about on `as_of`.

    people: called once, when the batch is submitted. on_query: called once, before the list leaves; whatever it
    raises stops the query.
    """

    as_of: date
    people: Callable[[], Iterable[PersonOfInterest]] = field(repr=False)
    on_query: Callable[[SentQuery], None] = field(repr=False)
