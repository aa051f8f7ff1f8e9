"""Rows of many blocks put together, a column at a time; people's numbers become tokens block by block."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.registry import authorised_sources
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.tokens import token_halves
from pipelines.intake.judged import Judged
from pipelines.intake.persons import Authorised, add_up_scopes
from pipelines.intake.text_digests import TextDigests
from pipelines.intake.verdicts import NO_HOUSEHOLD, Households, mark_unknown_households

NO_AGE = -1


class Parts:
    """One column, a block at a time."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self._parts: list[NDArray[Any]] = [np.zeros(0, dtype)]

    def add(self, values: NDArray[Any]) -> None:
        self._parts.append(values)

    @property
    def last(self) -> NDArray[Any]:
        """The block that was added last."""
        return self._parts[-1]

    @property
    def whole(self) -> NDArray[Any]:
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0]


class Few:
    """A column of few values: which of them each row has. Blocks number them each in their own way."""

    def __init__(self) -> None:
        self._places: dict[str | None, int] = {}
        self._codes = Parts(np.uint8)  # wider from the block on that brings the 257th value

    def add(self, values: list[str | None], codes: NDArray[np.int32]) -> None:
        places = [self._places.setdefault(value, len(self._places)) for value in values]
        self._codes.add(np.array(places, np.min_scalar_type(len(self._places))).take(codes))

    def are(self, value: str | None) -> NDArray[np.bool_]:
        """Which rows have the value; None: nothing that could be read."""
        are: NDArray[np.bool_] = self._codes.whole == self._places.get(value, -1)
        return are

    def take(self, rows: NDArray[np.int64]) -> pa.DictionaryArray:
        """The values of some rows, null where nothing could be read."""
        codes = self._codes.whole[rows].astype(np.int32)
        nothing = self._places.get(None, -1)
        texts = pa.array([value or "" for value in self._places], pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes == nothing), texts)


class Rows:
    """Rows of one kind of file. texts, amounts, few: the names of the columns wanted, by their kind.

    A column of few values that a file does not have is null there. Amounts are whole millionths, and nought in rows
    that were not accepted.
    """

    def __init__(
        self, texts: tuple[str, ...] = (), amounts: tuple[str, ...] = (), few: tuple[str, ...] = ()
    ) -> None:
        self._texts: dict[str, list[pa.Array]] = {name: [] for name in texts}
        self._amounts = {name: Parts(np.int64) for name in amounts}
        self._mask = Parts(np.uint32)
        self.few = {name: Few() for name in few}

    def add(self, block: Judged) -> None:
        every = np.arange(len(block.mask))
        good = np.flatnonzero(block.mask == 0)
        there = {column.name for column in block.file.columns}
        self._mask.add(block.mask.copy())  # a block keeps its own verdicts, to see which ones others changed
        for name, texts in self._texts.items():
            texts.append(block.text(name, every))
        for name, amounts in self._amounts.items():
            values = np.zeros(len(every), np.int64)
            values[good] = block.amounts(name, good).fill_null(0).to_numpy(zero_copy_only=False)
            amounts.add(values)
        for name, few in self.few.items():
            if name in there:
                known, codes = block.coded(name, every)
                few.add(known.to_pylist(), codes)
            else:
                few.add([None], np.zeros(len(every), np.int32))

    @property
    def mask(self) -> NDArray[np.uint32]:
        """Reason bits of each row; 0 for an accepted one."""
        return self._mask.whole

    def text(self, name: str) -> pa.Array:
        parts = self._texts[name]
        if len(parts) != 1:
            self._texts[name] = parts = [pa.chunked_array(parts, pa.string()).combine_chunks()]
        return parts[0]

    def amount(self, name: str) -> NDArray[np.int64]:
        return self._amounts[name].whole


class PersonRows(Rows):
    """Rows of persons, with what their numbers and names are known by."""

    def __init__(self, as_of: date, cipher: Tokeniser) -> None:
        super().__init__(
            few=("role", "relation", "disability_grade", "disability_category", "severe_illness")
        )
        self._as_of, self._cipher = as_of, cipher
        self._columns = {
            "hi": Parts(np.uint64),
            "lo": Parts(np.uint64),
            "is_valid": Parts(np.bool_),
            "age": Parts(np.int16),
            "name_digest": Parts(np.int64),
            "name_readable": Parts(np.bool_),
        }
        self._household = Parts(np.int32)
        self._unplaced: list[pa.Array] = []
        self.names: list[pa.Array] = []
        self._digests = TextDigests("name", cipher)

    def add(self, block: Judged) -> None:
        super().add(block)
        rows = len(block.mask)
        formed = np.flatnonzero(block.formed())
        numbers = block.id_blocks(formed)
        hi, lo, age = np.zeros(rows, np.uint64), np.zeros(rows, np.uint64), np.zeros(rows, np.int16)
        hi[formed], lo[formed] = token_halves(self._cipher.tokens(numbers))
        age[formed] = completed_years(numbers, self._as_of)
        every = np.arange(rows)
        digests, readable = block.digests("name", every, self._digests)
        self.names.append(block.text("name", every))
        found = (hi, lo, block.valid, np.where(block.valid, age, np.int16(NO_AGE)), digests, readable)
        for column, values in zip(self._columns.values(), found, strict=True):
            column.add(values)

    def add_members(self, block: Judged, households: Households) -> None:
        """Add rows of members.csv, and mark those of no accepted household."""
        self.add(block)
        household = households.of(block)
        (unplaced,) = np.nonzero(household == NO_HOUSEHOLD)
        ids = block.text("household_id", unplaced)
        mark_unknown_households(ids, unplaced, self._mask.last)
        self._household.add(household)
        self._unplaced.append(ids)

    def join(self) -> None:
        """Put the blocks together."""
        for column in self._columns.values():
            _ = column.whole

    @property
    def household(self) -> NDArray[np.int32]:
        """The row in households.csv of each row of members.csv; NO_HOUSEHOLD without an accepted one."""
        return self._household.whole

    @property
    def unplaced(self) -> pa.Array:
        """What the rows of members.csv name that are of no accepted household, in their order."""
        return pa.chunked_array(self._unplaced, pa.string()).combine_chunks()

    def column(self, name: str) -> NDArray[Any]:
        """hi, lo: the token's halves, nought where the number cannot be read; is_valid; age: NO_AGE of numbers that
        are not valid; name_digest, name_readable."""
        return self._columns[name].whole


def completed_years(numbers: NDArray[np.uint8], as_of: date) -> NDArray[np.int16]:
    """Years completed at as_of, attained on the birthday. numbers: (n, 16) blocks as pack_blocks makes them."""
    packed = np.ascontiguousarray(numbers).view(">u8")[:, 0].astype(np.int64)
    born = packed // 11_000 % 10**8  # behind it a sequence number of three digits, then the check value
    today = as_of.year * 10000 + as_of.month * 100 + as_of.day
    years: NDArray[np.int16] = ((today - born) // 10000).astype(np.int16)
    return years


class Authorisations:
    """Who has authorised asking which sources at as_of."""

    def __init__(self, as_of: date, cipher: Tokeniser) -> None:
        self._as_of, self._cipher = as_of, cipher
        self._hi, self._lo, self._scopes = Parts(np.uint64), Parts(np.uint64), Parts(np.uint64)

    def add(self, block: Judged) -> None:
        """Keep the accepted rows that are in force: signed_on <= as_of, valid_until empty or not before as_of."""
        good = np.flatnonzero(block.mask == 0)
        day = pa.scalar(self._as_of)
        signed, signed_code = block.coded("signed_on", good)
        until, until_code = block.coded("valid_until", good)
        scope, scope_code = block.coded("scope", good)
        begun = np.asarray(pc.fill_null(pc.less_equal(signed, day), False))
        lasts = np.asarray(pc.fill_null(pc.greater_equal(until, day), True))
        in_force = begun[signed_code] & lasts[until_code]
        bits = np.array([scope_bits(text) for text in scope.to_pylist()], np.uint64)
        hi, lo = token_halves(self._cipher.tokens(block.id_blocks(good[in_force])))
        self._hi.add(hi)
        self._lo.add(lo)
        self._scopes.add(bits[scope_code[in_force]])

    def by_person(self) -> Authorised:
        return add_up_scopes(self._hi.whole, self._lo.whole, self._scopes.whole)


def scope_bits(scope: str | None) -> int:
    """One bit per source that needs an authorisation, in registry order; `*` is all of them."""
    sources = authorised_sources()
    named = set(sources) if scope == "*" else set((scope or "").split(";"))
    return sum(1 << position for position, source in enumerate(sources) if source in named)
