"""A household's file stands where the household lives.

Whoever moves takes the whole file along: leads that stand and leads that are gone, the cases of every round, open or
closed, with all that was written on them, and the explanations. The new place has to know what was found, decided and
explained before it goes on; the old one sees nothing of the household any more, as of no other household of another
place. Cities and provinces over both see it throughout. The audit log keeps what each county did (its entries name the
county of the time), and a number that was opened stays told where it was opened.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, and_, insert, or_, select, update

from policy.rules import load_rules
from portal.incoming import FOUND_EARLIER, IncomingLead
from portal.schema import Case, Event, Household, Lead, LeadChange, Suppression, User
from portal.schema.work import CaseWork
from portal.scope import ScopedSession
from portal.settings import current_time

Place = tuple[str, str]
# The list and the household's number on it.
File = tuple[str, str]
_AT_ONCE = 500
# A monitored household may have the number of one on the roster: the roster tells nothing of it.
_ROSTER_RULES = frozenset(code for code, rule in load_rules().items() if rule.programmes)


def settle_places(incoming: list[IncomingLead], roster: pa.Table | None, known: dict[Any, Any]) -> None:
    """Give all of tonight's leads of one household its one place of tonight.

    A row that tells what an earlier night found tells that night's place too: the roster goes before it, then the
    household's other rows, then the place the desk has. known: the desk's leads by their identity.
    """
    on_roster = _places_of(roster)
    judged: dict[File, Place] = {}
    for lead in incoming:
        told = lead.columns
        if told["state"] not in FOUND_EARLIER:
            judged[told["list"], told["household_id"]] = _place_of(told)
    for lead in incoming:
        told = lead.columns
        place = on_roster.get(told["household_id"]) if told["rule"] in _ROSTER_RULES else None
        place = place or judged.get((told["list"], told["household_id"]))
        told["county_code"], told["township_code"] = place or _place_of(known.get(lead.key, told))


def follow_moved_households(db: ScopedSession, as_of: date) -> int:
    """Bring every file to the place tonight tells; returns how many cases moved.

    The roster tells it of its households, with leads or without (portal.roster.follow_roster has been there), tonight's
    leads of the others. Of whom tonight tells nothing, the file stays.
    """
    going: defaultdict[tuple[str, Place], list[str]] = defaultdict(list)
    for (list_name, household_id), place in _files_elsewhere(db, as_of).items():
        going[list_name, place].append(household_id)
    moved = 0
    for (list_name, place), households in going.items():
        for first in range(0, len(households), _AT_ONCE):
            moved += _move(db, list_name, households[first : first + _AT_ONCE], place)
    return moved


def _places_of(roster: pa.Table | None) -> dict[str, Place]:
    if roster is None:
        return {}
    columns = (roster.column(name).to_pylist() for name in ("household_id", "county_code", "township_code"))
    return {number: (county, township) for number, county, township in zip(*columns, strict=True)}


def _place_of(row: dict[str, Any]) -> Place:
    return row["county_code"], row["township_code"]


def _files_elsewhere(db: ScopedSession, as_of: date) -> dict[File, Place]:
    """Files of which a row stands elsewhere than tonight says, and where they belong."""
    tonight = (
        select(Lead.list, Lead.household_id, Lead.county_code, Lead.township_code)
        .where(Lead.last_night == as_of, Lead.state != "withdrawn")
        .distinct()
        .subquery()
    )
    found: dict[File, Place] = {}
    for kept in (Case, Lead):
        rows = db.execute(
            select(tonight)
            .join(kept, (kept.list == tonight.c.list) & (kept.household_id == tonight.c.household_id))
            .where(_elsewhere(kept, tonight.c))
            .distinct()
        )
        found |= {(row[0], row[1]): (row[2], row[3]) for row in rows}
    for kept in (Case, Lead):
        rows = db.execute(
            select(kept.list, Household.household_id, Household.county_code, Household.township_code)
            .join(kept, kept.household_id == Household.household_id)
            .where(
                Household.on_roster,
                Household.last_night == as_of,
                _elsewhere(kept, Household),
                or_(kept.list == "discrepancies", kept.household_id.in_(_raised_from_the_roster())),
            )
            .distinct()
        )
        found |= {(row[0], row[1]): (row[2], row[3]) for row in rows}
    return found


def _elsewhere(kept: Any, told: Any) -> ColumnElement[bool]:
    return or_(kept.county_code != told.county_code, kept.township_code != told.township_code)


def _raised_from_the_roster() -> Any:
    """Households of the roster on the newly-eligible list."""
    return select(Lead.household_id).where(Lead.list == "newly_eligible", Lead.rule.in_(_ROSTER_RULES))


def _move(db: ScopedSession, list_name: str, households: list[str], place: Place) -> int:
    new = dict(zip(("county_code", "township_code"), place, strict=True))

    def of(table: Any) -> ColumnElement[bool]:
        return and_(table.list == list_name, table.household_id.in_(households))

    # Before the cases move: a line of history stands where its case does, and is written once for each.
    cases = db.execute(
        select(Case.id, Case.township_code, Case.assignee_id, User.region)
        .outerjoin(User, User.id == Case.assignee_id)
        .where(of(Case), _elsewhere(Case, _Place(*place)))
    ).all()
    left = [case.id for case in cases if case.assignee_id and not place[1].startswith(case.region)]
    # Another version: whoever has one of them on the screen is told, also while this night is being loaded.
    db.execute(update(Case).where(of(Case)).values(version=Case.version + 1, **new))
    db.execute(update(Case).where(Case.id.in_(left)).values(assignee_id=None))
    for table in CaseWork.__subclasses__():
        db.execute(update(table).where(table.case_id.in_(select(Case.id).where(of(Case)))).values(**new))
    db.execute(update(Lead).where(of(Lead)).values(**new))
    changes = LeadChange.lead_id.in_(select(Lead.id).where(of(Lead)))
    db.execute(update(LeadChange).where(changes).values(**new))
    db.execute(update(Suppression).where(of(Suppression)).values(**new))
    if cases:
        db.execute(insert(Event), [_told_in_history(case, case.id in left) | new for case in cases])
    return len(cases)


class _Place:
    """A place to compare with, by the names of the columns."""

    def __init__(self, county_code: str, township_code: str) -> None:
        self.county_code, self.township_code = county_code, township_code


def _told_in_history(case: Any, left: bool) -> dict[str, Any]:
    what = f"家庭由乡镇 {case.township_code} 迁来，案卷随户移交"
    if left:
        what += "；原承办人不再可见，在办的须重新分派"
    return {"case_id": case.id, "at": current_time(), "kind": "moved", "detail": what}
