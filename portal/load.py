"""The one-way load of a published night into the desk's database.

Loading the same night again changes nothing. A night updates what is known of a lead; it never touches what an
officer wrote, never closes a worked case and never reopens a decided one: a fact that changed after a decision
begins a new round instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine, bindparam, func, insert, or_, select, update

from pipelines.beijing import beijing_day
from pipelines.identity.keyring import KeyRing
from pipelines.manifest import published_nights
from portal.database import hold_cases, look_at_rows, settle_rows
from portal.grouping import attach_to_cases, close_cleared_cases, renew_due_dates
from portal.incoming import FOUND_EARLIER, IncomingLead, read_incoming
from portal.moving import follow_moved_households, settle_places
from portal.night import LISTS, PublishedNight, read_night
from portal.roster import follow_roster, groups_of_households
from portal.schema import Lead, LeadChange, Night, Setting, Suppression
from portal.scope import ScopedSession, open_machine_session
from portal.sealing import Vault
from portal.settings import current_time

PERSON_VERSION = "person_version"
_TOLD_BY_NIGHT = (
    "lead_no",
    "county_code",
    "township_code",
    "person",
    "name_sealed",
    "name_digest",
    "programme",
    "members",
    "value_fen",
    "line_fen",
    "assets_fen",
    "asset_line_fen",
    "sources",
    "source_dates",
    "evidence",
    "basis",
    "clears",
    "age_band",
    "area",
    "disability",
    "state",
    "present",
    "fact",
)


# What a night may not tell, of a household that has left the roster or of a lead it could not judge: what was known
# stays, and this stands where nothing was.
_STAYS = {"area": None, "disability": None, "sources": "", "source_dates": ""}


class NightOutOfOrder(ValueError):
    """A later night is already loaded; an older one would undo it."""


@dataclass(frozen=True)
class LoadReport:
    """Rows of the night; how many were new, changed their fact, or are gone; new cases. `repeated`: nothing to do.

    moved: cases that followed their household to another place.
    """

    as_of: date
    repeated: bool
    rows: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    cases: int = 0
    suppressed: int = 0
    moved: int = 0


def open_vault(engine: Engine, ring: KeyRing) -> Vault:
    """The vault of this database. The key version of its person tokens is fixed at the first opening."""
    with open_machine_session(engine, writes=True) as db:
        kept = db.get(Setting, PERSON_VERSION)
        if kept is None:
            kept = Setting(key=PERSON_VERSION, value=str(ring.current))
            db.add(kept)
            db.commit()
        return Vault(ring, int(kept.value))


def load_new_nights(home: Path, engine: Engine, ring: KeyRing) -> list[LoadReport]:
    """Load every published night from the last loaded one on, oldest first."""
    with open_machine_session(engine) as db:
        last = db.scalars(select(func.max(Night.as_of))).one()
    due = [as_of for as_of in published_nights(home) if last is None or as_of >= last]
    return [load_night(home, as_of, engine, ring) for as_of in due]


def load_night(home: Path, as_of: date, engine: Engine, ring: KeyRing) -> LoadReport:
    """Load one published night in one transaction.

    Raises pipelines' NightNotPublished or ListBroken when it is not there as published, NightOutOfOrder when a
    later one is loaded.
    """
    night = read_night(home, as_of)
    vault = open_vault(engine, ring)
    with open_machine_session(engine) as db:
        if _is_loaded(db, night):
            return LoadReport(as_of, repeated=True)
    incoming = [lead for name in LISTS for lead in read_incoming(night, name, vault, ring)]
    roster = night.read_roster()
    groups = groups_of_households(roster)
    for lead in incoming:
        if lead.columns["list"] == "discrepancies":
            lead.columns.update(groups.get(lead.columns["household_id"], {}))
    with open_machine_session(engine, writes=True) as db:
        hold_cases(db.connection())
        if _is_loaded(db, night):
            return LoadReport(as_of, repeated=True)
        follow_roster(db, as_of, roster)
        report = _apply(db, night, incoming, roster)
        renew_due_dates(db)
        _remember_night(db, night, len(incoming))
        db.commit()
    settle_rows(engine)
    return report


def _is_loaded(db: ScopedSession, night: PublishedNight) -> bool:
    later: date | None = db.scalars(select(func.max(Night.as_of)).where(Night.as_of > night.as_of)).one()
    if later is not None:
        raise NightOutOfOrder(
            f"{night.as_of} was not loaded: {later} already is. Load nights in the order they were made"
        )
    kept = db.get(Night, night.as_of)
    return kept is not None and (kept.run, kept.seal) == (night.manifest["run"], night.manifest["seal"])


def _remember_night(db: ScopedSession, night: PublishedNight, rows: int) -> None:
    db.merge(
        Night(
            as_of=night.as_of,
            run=night.manifest["run"],
            seal=night.manifest["seal"],
            published_at=night.published_at,
            loaded_at=current_time(),
            leads=rows,
            manifest=json.dumps(night.manifest, ensure_ascii=False),
        )
    )


def _apply(
    db: ScopedSession, night: PublishedNight, incoming: list[IncomingLead], roster: pa.Table | None
) -> LoadReport:
    known = _known_leads(db, night.as_of)
    settle_places(incoming, roster, known)
    explained = _suppressions(db, night.as_of)
    for lead in incoming:
        _keep_what_was_known(lead.columns, known.get(lead.key, {}))
    fresh = [lead for lead in incoming if lead.key not in known]
    seen = [(known[lead.key], lead) for lead in incoming if lead.key in known]
    named = {lead.key for lead in incoming}
    gone = [row for key, row in known.items() if key not in named and row["present"]]
    _insert(db, night.as_of, fresh, explained)
    changed = _refresh(db, night.as_of, seen, explained)
    _withdraw(db, gone)
    db.flush()
    look_at_rows(db.connection())
    opened_on = beijing_day(night.published_at)
    moved = follow_moved_households(db, night.as_of)
    cases = attach_to_cases(db, opened_on, changed)
    close_cleared_cases(db, opened_on)
    suppressed = db.scalars(
        select(func.count(Lead.id)).where(Lead.present, Lead.suppression_id.is_not(None))
    ).one()
    return LoadReport(
        night.as_of, False, len(incoming), len(fresh), len(changed), len(gone), cases, suppressed, moved
    )


def _keep_what_was_known(columns: dict[str, Any], earlier: dict[str, Any]) -> None:
    """Fill in from the lead as the desk has it what tonight does not tell; earlier: empty for a new lead."""
    if columns["state"] in FOUND_EARLIER:
        # Its value is an earlier night's, so its days count from no other day than they did then.
        columns["fact"] = earlier.get("fact", columns["fact"])
    for name, unknown in _STAYS.items():
        if columns[name] is None:
            columns[name] = earlier.get(name, unknown)


def _known_leads(db: ScopedSession, as_of: date) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The leads this night may speak of, by identity: those that stood, and those of this very night."""
    rows = db.execute(
        select(
            Lead.id,
            Lead.list,
            Lead.rule,
            Lead.household_id,
            Lead.person_key,
            Lead.first_night,
            Lead.fact,
            Lead.present,
            Lead.suppression_id,
            Lead.state,
            Lead.county_code,
            Lead.township_code,
            Lead.area,
            Lead.disability,
            Lead.sources,
            Lead.source_dates,
        ).where(or_(Lead.present, Lead.last_night == as_of))
    )
    return {tuple(row[1:6]): dict(row._mapping) for row in rows}


def _suppressions(db: ScopedSession, as_of: date) -> dict[tuple[str, ...], int]:
    """The explanations that hold on this night, by the fact they are bound to."""
    rows = db.execute(
        select(
            Suppression.list,
            Suppression.rule,
            Suppression.household_id,
            Suppression.person_key,
            Suppression.fact,
            Suppression.id,
        ).where(Suppression.lifted_at.is_(None), Suppression.until >= as_of)
    )
    return {tuple(row[:5]): row[5] for row in rows}


def _insert(
    db: ScopedSession, as_of: date, fresh: list[IncomingLead], explained: dict[tuple[str, ...], int]
) -> None:
    if not fresh:
        return
    rows = [
        lead.columns | {"last_night": as_of, "suppression_id": explained.get(lead.fact_key), "version": 1}
        for lead in fresh
    ]
    db.execute(insert(Lead), rows)
    _note_changes(db, as_of, _ids_of(db, as_of, fresh), fresh)


def _ids_of(db: ScopedSession, as_of: date, leads: Iterable[IncomingLead]) -> list[int]:
    known = _known_leads(db, as_of)
    return [known[lead.key]["id"] for lead in leads]


def _note_changes(db: ScopedSession, as_of: date, ids: list[int], leads: list[IncomingLead]) -> None:
    rows = [
        {
            "lead_id": lead_id,
            "as_of": as_of,
            **{
                name: lead.columns[name]
                for name in ("state", "value_fen", "line_fen", "county_code", "township_code")
            },
        }
        for lead_id, lead in zip(ids, leads, strict=True)
    ]
    if rows:
        db.execute(insert(LeadChange), rows)


def _refresh(
    db: ScopedSession,
    as_of: date,
    seen: list[tuple[dict[str, Any], IncomingLead]],
    explained: dict[tuple[str, ...], int],
) -> set[int]:
    """Update leads that stood before. Returns the ids whose fact changed or whose explanation no longer holds."""
    updates, told, reopened = [], [], set()
    for row, lead in seen:
        suppression = explained.get(lead.fact_key)
        other_fact = row["fact"] != lead.columns["fact"]
        lapsed = row["suppression_id"] is not None and suppression is None
        bump = other_fact or suppression != row["suppression_id"] or row["present"] != lead.columns["present"]
        updates.append(
            {name: lead.columns[name] for name in _TOLD_BY_NIGHT}
            | {"b_id": row["id"], "b_bump": int(bump), "b_suppression": suppression, "b_last": as_of}
        )
        if other_fact or lapsed:
            reopened.add(row["id"])
        if bump or (lead.columns["state"] != row["state"] and lead.columns["state"] == "unverified"):
            told.append((row["id"], lead))
    _update_leads(db, updates)
    _note_changes(db, as_of, [lead_id for lead_id, _ in told], [lead for _, lead in told])
    return reopened


def _update_leads(db: ScopedSession, updates: list[dict[str, Any]]) -> None:
    if not updates:
        return
    table = Lead.__table__
    statement = (
        update(table)  # type: ignore[arg-type]
        .where(table.c.id == bindparam("b_id"))
        .values(
            {name: bindparam(name) for name in _TOLD_BY_NIGHT}
            | {
                "last_night": bindparam("b_last"),
                "suppression_id": bindparam("b_suppression"),
                "version": table.c.version + bindparam("b_bump"),
            }
        )
    )
    db.connection().execute(statement, updates)


def _withdraw(db: ScopedSession, gone: list[dict[str, Any]]) -> None:
    """Leads that stood and that the night does not name at all (it was published anew): kept, marked."""
    if not gone:
        return
    table = Lead.__table__
    db.connection().execute(
        update(table)  # type: ignore[arg-type]
        .where(table.c.id == bindparam("b_id"))
        .values(present=False, state="withdrawn", version=table.c.version + 1),
        [{"b_id": row["id"]} for row in gone],
    )
