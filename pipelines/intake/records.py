"""Who is looked at tonight: households, and their persons as records (spec sections 3 and 4)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.intake.batch import BIT
from pipelines.intake.persons import AskedRecords, Persons
from pipelines.intake.rows_read import NO_AGE, PersonRows, Rows
from pipelines.intake.verdicts import NO_HOUSEHOLD

HEAD = "01"  # GB/T 4761: 户主
_ROSTER, _MONITORED = "roster", "monitored"
_PLACE = ("county_code", "township_code", "area")
_ROSTER_AMOUNTS = ("declared_monthly_income", "declared_financial_assets")
_MONITORED_AMOUNTS = ("declared_annual_income_per_capita", "rigid_expenditure_12m")


def household_rows() -> Rows:
    """For the rows of households.csv."""
    return Rows(("household_id",), _ROSTER_AMOUNTS, ("programme", *_PLACE, "status"))


def monitored_rows() -> Rows:
    """For what rows of rural_revitalisation say of the household; its head's row counts."""
    return Rows(("household_id",), _MONITORED_AMOUNTS, (*_PLACE, "risk_eliminated", "has_obligor"))


@dataclass
class JudgedRows:
    """The rows of the roster and of the monitored households with their final verdicts.

    households: of households.csv. persons: of members.csv, and behind them, from `first_monitored` on, the monitored
    ones; monitored: what else stands there. mask, household, person: of each row of persons that is used tonight. A
    household is the number of its row in households.csv, or, behind all those, its place in monitored_ids.
    """

    households: Rows
    persons: PersonRows
    monitored: Rows
    monitored_ids: pa.Array
    first_monitored: int
    mask: NDArray[np.uint32]
    household: NDArray[np.int32]
    person: NDArray[np.int32]

    def without_monitored(self) -> JudgedRows:
        used = slice(self.first_monitored)
        return replace(self, mask=self.mask[used], household=self.household[used], person=self.person[used])

    @property
    def household_count(self) -> int:
        return len(self.households.mask) + len(self.monitored_ids)

    def is_member(self) -> NDArray[np.bool_]:
        """Role member; everybody in a monitored household is one."""
        is_member = self.persons.few["role"].are("成员")[: len(self.mask)]
        is_member[self.first_monitored :] = True
        return is_member

    def is_valid(self) -> NDArray[np.bool_]:
        return self.persons.column("is_valid")[: len(self.mask)]

    def list_of(self, is_monitored: NDArray[np.bool_]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(is_monitored.astype(np.int8), [_ROSTER, _MONITORED])

    def ids_of(self, households: NDArray[np.int64]) -> pa.Array:
        ids = pa.concat_arrays([self.households.text("household_id"), self.monitored_ids])
        return ids.take(pa.array(households))


@dataclass
class LookedAt:
    """active: active households of the roster; heads: the head's rows of the candidates; number: what the household of
    each row of persons is called from now on, 0 when it is not looked at; records: the rows that are records, of which
    record n is row n - 1, because that is where its name was read."""

    active: NDArray[np.int64]
    heads: NDArray[np.int64]
    number: NDArray[np.int32]
    records: NDArray[np.int64]


def look_at(rows: JudgedRows) -> LookedAt:
    """Accepted rows of active households of the roster and of candidates become records."""
    is_active = np.zeros(rows.household_count, dtype=bool)
    status = rows.households.few["status"]
    is_active[: len(rows.households.mask)] = (rows.households.mask == 0) & status.are("在保")
    active = np.flatnonzero(is_active)
    heads = _candidate_heads(rows, is_active)
    number_of = np.zeros(rows.household_count + 1, np.int32)  # the last is that of rows without a household
    chosen = np.concatenate([active, rows.household[heads]])
    number_of[chosen] = np.arange(1, len(chosen) + 1)
    number = number_of[rows.household]
    return LookedAt(active, heads, number, np.flatnonzero((rows.mask == 0) & (number > 0)))


def _candidate_heads(rows: JudgedRows, is_active: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Head's rows of the monitored households whose risk is not eliminated and none of whose members is, by valid ID, a
    member of an active roster household (spec section 4)."""
    first = rows.first_monitored
    sure = np.flatnonzero((rows.mask == 0) & rows.is_valid() & rows.is_member())
    on_roster, monitored = sure[sure < first], sure[sure >= first]
    is_served = np.zeros(int(rows.person.max(initial=0)) + 1, dtype=bool)
    is_served[rows.person[on_roster[is_active[rows.household[on_roster]]]]] = True
    is_taken = np.zeros(rows.household_count, dtype=bool)
    is_taken[rows.household[monitored[is_served[rows.person[monitored]]]]] = True
    accepted = np.flatnonzero(rows.mask[first:] == 0)
    is_head = rows.persons.few["relation"].are(HEAD)[first:]
    at_risk = rows.monitored.few["risk_eliminated"].are("否")
    heads = accepted[is_head[accepted] & at_risk[accepted]] + first
    return heads[~is_taken[rows.household[heads]]]


def household_table(rows: JudgedRows, looked: LookedAt, lacking: Lacking) -> pa.Table:
    """household: the households that are looked at, those of the roster first. One row each."""
    heads = looked.heads - rows.first_monitored
    has_obligor = rows.monitored.few["has_obligor"].are("有")[heads]
    roster = _told(rows.households, looked.active, ("programme", *_PLACE), _ROSTER_AMOUNTS)
    monitored = _told(rows.monitored, heads, _PLACE, _MONITORED_AMOUNTS)
    table = pa.concat_tables(
        [roster, monitored.append_column("has_obligor", pa.array(has_obligor))], promote_options="default"
    )
    places = np.concatenate([looked.active, rows.household[looked.heads]])
    numbers = np.arange(1, len(places) + 1, dtype=np.int32)
    first = {
        "household": numbers,
        "list": rows.list_of(places >= len(rows.households.mask)),
        "household_id": rows.ids_of(places),
    }
    whole = pa.table({**first, **dict(zip(table.column_names, table.columns, strict=True))})
    return whole.append_column("rows_quarantined", pa.array(lacking.of_household[places]))


def _told(
    source: Rows, chosen: NDArray[np.int64], codes: tuple[str, ...], amounts: tuple[str, ...]
) -> pa.Table:
    texts = {name: source.few[name].take(chosen).dictionary_decode() for name in codes}
    return pa.table({**texts, **{name: pa.array(source.amount(name)[chosen]) for name in amounts}})


def record_table(rows: JudgedRows, looked: LookedAt, scopes: NDArray[np.uint64]) -> pa.Table:
    """record: one row per accepted person row of a household that is looked at. scopes: of each person."""
    chosen, persons = looked.records, rows.persons
    age = persons.column("age")[chosen]
    is_obligor = ~rows.is_member()[chosen]
    few = ("relation", "disability_grade", "disability_category", "severe_illness")
    return pa.table(
        {
            "record": (chosen + 1).astype(np.int32),
            "household": looked.number[chosen],
            "list": rows.list_of(chosen >= rows.first_monitored),
            "role": pa.DictionaryArray.from_arrays(is_obligor.astype(np.int8), ["member", "obligor"]),
            "hi": persons.column("hi")[chosen],
            "lo": persons.column("lo")[chosen],
            "is_valid": rows.is_valid()[chosen],
            "age": pa.array(age.astype(np.int32), mask=age == NO_AGE),
            **{name: persons.few[name].take(chosen) for name in few},
            "name_readable": persons.column("name_readable")[chosen],
            "scopes": scopes[rows.person[chosen]],
        }
    )


def asked_records(
    rows: JudgedRows, looked: LookedAt, numbered: Persons
) -> tuple[AskedRecords, NDArray[np.int32]]:
    """The records that departments' rows are compared with, and whose each is, in the order of the persons: members,
    and for tax alone the obligors of active dibao and tekun households, all with a valid number (spec section 3)."""
    with_obligors = np.zeros(rows.household_count, dtype=bool)
    programme = rows.households.few["programme"]
    with_obligors[: len(rows.households.mask)] = programme.are("低保") | programme.are("特困")
    records = looked.records
    is_member = rows.is_member()
    is_asked = np.zeros(len(numbered.order), dtype=bool)
    is_asked[records] = rows.is_valid()[records] & (
        is_member[records] | with_obligors[rows.household[records]]
    )
    asked = is_asked[numbered.order]
    chosen = numbered.order[asked]
    found = AskedRecords(
        record=(chosen + 1).astype(np.int32),
        household=looked.number[chosen],
        is_member=is_member[chosen],
        name_digest=rows.persons.column("name_digest")[chosen],
        name_readable=rows.persons.column("name_readable")[chosen],
    )
    return found, numbered.of_ordered()[asked]


@dataclass
class Lacking:
    """Rows of members, or whose role cannot be read, that were quarantined other than as member_repeated.

    of_household: how many of each household; unplaced: what those of no accepted household of the roster name.
    """

    of_household: NDArray[np.int64]
    unplaced: pa.Array


def find_lacking(rows: JudgedRows) -> Lacking:
    of_member = rows.is_member() | rows.persons.few["role"].are(None)[: len(rows.mask)]
    is_lacking = (rows.mask & ~BIT["member_repeated"] != 0) & of_member
    placed = rows.household[is_lacking & (rows.household != NO_HOUSEHOLD)]
    first = rows.first_monitored
    is_unplaced = is_lacking[:first][rows.household[:first] == NO_HOUSEHOLD]
    return Lacking(
        np.bincount(placed, minlength=rows.household_count),
        rows.persons.unplaced.filter(pa.array(is_unplaced)),
    )


def incomplete_table(rows: JudgedRows, lacking: Lacking) -> pa.Table:
    """incomplete: list, household_id, rows_quarantined of households with such rows, also of ones that were not
    accepted. A row whose household cannot be read makes nobody incomplete (spec section 4)."""
    (placed,) = np.nonzero(lacking.of_household)
    unplaced = lacking.unplaced.filter(pc.not_equal(lacking.unplaced, "")).value_counts()
    ids, counts = unplaced.flatten()
    is_monitored = np.append(placed >= len(rows.households.mask), np.zeros(len(ids), dtype=bool))
    return pa.table(
        {
            "list": rows.list_of(is_monitored).dictionary_decode(),
            "household_id": pa.concat_arrays([rows.ids_of(placed), ids]),
            "rows_quarantined": np.append(lacking.of_household[placed], counts),
        }
    )


def other_members(
    rows: JudgedRows, looked: LookedAt, scopes: NDArray[np.uint64]
) -> tuple[pa.Table, NDArray[np.uint64]]:
    """other_member: household (a number of its own here), list, household_id, hi, lo of the accepted members of
    households that are not looked at tonight. scopes: of each person; returned of each of these members."""
    members = np.flatnonzero((rows.mask == 0) & rows.is_member() & (looked.number == 0))
    households = rows.household[members].astype(np.int64)
    table = pa.table(
        {
            "household": households,
            "list": rows.list_of(households >= len(rows.households.mask)),
            "household_id": rows.ids_of(households),
            "hi": rows.persons.column("hi")[members],
            "lo": rows.persons.column("lo")[members],
        }
    )
    return table, scopes[rows.person[members]]
