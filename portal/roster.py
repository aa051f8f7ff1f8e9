"""The roster of a night: which households there are, where, and whether they were wholly checked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import bindparam, insert, select, update

from portal.schema import Household, YearlyVisit
from portal.scope import ScopedSession

_WORDS = ("county_code", "township_code", "programme", "area", "disability", "lacks")
# Column of the desk to that of the night, which older nights have not.
_DECLARED = {"declared_income_fen": "declared_income", "declared_assets_fen": "declared_assets"}
_TOLD = (*_WORDS, *_DECLARED)
_Row = tuple[str | int | None, ...]


def follow_roster(db: ScopedSession, as_of: date, roster: pa.Table | None) -> None:
    """Bring the desk's households to the roster of a night. A night without a roster (None) changes nothing."""
    if roster is None:
        return
    told = _told(roster)
    known = {
        row.household_id: (row.id, row.on_roster, tuple(row[3:]))
        for row in db.execute(
            select(
                Household.household_id,
                Household.id,
                Household.on_roster,
                *(getattr(Household, name) for name in _TOLD),
            )
        )
    }
    _add(db, as_of, {number: row for number, row in told.items() if number not in known})
    changed = {
        number: row for number, row in told.items() if number in known and known[number][1:] != (True, row)
    }
    _change(db, [(known[number][0], row) for number, row in changed.items()])
    _move_visits(db, {number: row for number, row in changed.items() if known[number][2][:2] != row[:2]})
    gone = [row_id for number, (row_id, stood, _) in known.items() if stood and number not in told]
    _leave(db, gone)
    # What holds for all is said once: most households are the same every night.
    here = update(Household).where(Household.on_roster)
    db.execute(here.values(last_night=as_of))
    db.execute(here.where(Household.lacks == "").values(checked_night=as_of))


def groups_of_households(roster: pa.Table | None) -> dict[str, dict[str, str]]:
    """Area and disability of each household, by its number: what false leads are compared by."""
    if roster is None:
        return {}
    columns = (roster.column(name).to_pylist() for name in ("household_id", "area", "disability"))
    return {
        number: {"area": area, "disability": disability}
        for number, area, disability in zip(*columns, strict=True)
    }


def _told(roster: pa.Table) -> dict[str, _Row]:
    columns = [roster.column(name).to_pylist() for name in _WORDS]
    columns += [_fen(roster, name) for name in _DECLARED.values()]
    return dict(zip(roster.column("household_id").to_pylist(), zip(*columns, strict=True), strict=True))


def _fen(roster: pa.Table, name: str) -> list[int | None]:
    if name not in roster.column_names:
        return [None] * roster.num_rows
    hundredfold = pc.multiply(roster.column(name), pa.scalar(100, pa.decimal128(3, 0)))
    return hundredfold.cast(pa.int64()).to_pylist()  # type: ignore[no-any-return]


def _add(db: ScopedSession, as_of: date, fresh: dict[str, _Row]) -> None:
    rows = [
        {"household_id": number, "first_night": as_of, "last_night": as_of, "on_roster": True}
        | dict(zip(_TOLD, row, strict=True))
        for number, row in fresh.items()
    ]
    if rows:
        db.execute(insert(Household), rows)


def _change(db: ScopedSession, changed: list[tuple[int, _Row]]) -> None:
    _update(
        db,
        {name: bindparam(name) for name in _TOLD} | {"on_roster": True},
        [{"b_id": row_id} | dict(zip(_TOLD, row, strict=True)) for row_id, row in changed],
    )


def _leave(db: ScopedSession, gone: list[int]) -> None:
    _update(db, {"on_roster": False}, [{"b_id": row_id} for row_id in gone])


def _update(db: ScopedSession, values: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    table = Household.__table__
    statement = update(table).where(table.c.id == bindparam("b_id")).values(values)  # type: ignore[arg-type]
    db.connection().execute(statement, rows)


def _move_visits(db: ScopedSession, moved: dict[str, _Row]) -> None:
    """A household that moved takes its visits along: the new place has to read them."""
    for number, (county, township, *_) in moved.items():
        db.execute(
            update(YearlyVisit)
            .where(YearlyVisit.household_id == number)
            .values(county_code=county, township_code=township)
        )
