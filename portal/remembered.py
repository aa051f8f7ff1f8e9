"""A list's figures and the choices of its filters are read once and remembered until a list or an account changes.

Counting 50,000 leads takes hundredths of a second, and fifty officers ask all the time. What could make a figure
another one is told by a stamp in the database, written in the same transaction as the change itself: a figure is
used only by a reader whose transaction sees the very stamp it was counted under. Nothing remembered names a person of
a household.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Pool, event, inspect, select, update
from sqlalchemy.orm import ORMExecuteState, SessionTransaction, UOWTransaction

from portal.schema import Case, Lead, Night, Setting, User
from portal.scope import ScopedSession, open_machine_session

STAMP = "list_stamp"
_CHANGED = "lists_changed"
READ_STAMP = select(Setting.value).where(Setting.key == STAMP)
_KEPT_FIGURES = 5_000
# What rows, counts and their order are made of; an answer or a note changes none of it.
_PLACE = ("list", "household_id", "county_code", "township_code")
_COUNTED: dict[type[Any], tuple[str, ...]] = {
    Case: (*_PLACE, "stage", "due_on", "assignee_id"),
    Lead: (
        *_PLACE,
        "lead_no",
        "rule",
        "state",
        "present",
        "suppression_id",
        "case_id",
        "person",
        "name_digest",
    ),
    User: ("login", "display_name", "role", "region", "active"),
    Night: ("loaded_at",),
}
Figure = TypeVar("Figure")


class _Figures:
    """The figures of one database under one stamp."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stamp: Hashable = None
        self._slots: dict[Hashable, _Slot] = {}

    def slot(self, stamp: Hashable, key: Hashable) -> _Slot:
        with self._lock:
            if stamp != self._stamp or len(self._slots) >= _KEPT_FIGURES:
                self._stamp, self._slots = stamp, {}
            return self._slots.setdefault(key, _Slot())


class _Slot:
    """One figure; the lock lets one thread count while the others wait for its result."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.figure: Any = None


# A pool stands for a database: the engines of sessions are copies that share it.
_KNOWN: WeakKeyDictionary[Pool, _Figures] = WeakKeyDictionary()
_KNOWN_LOCK = Lock()


def begin_stamping(engine: Engine) -> None:
    """Make the stamp's row, so that two first changes at once need not both make it."""
    with open_machine_session(engine, writes=True) as db:
        if db.get(Setting, STAMP) is None:
            db.add(Setting(key=STAMP, value=secrets.token_hex(8)))
        db.commit()


def remembered(db: ScopedSession, key: Hashable, count: Callable[[], Figure]) -> Figure:
    """The figure that `count` gives, counted anew only when a list changed since. key: all that it depends on.

    In a session that writes it is always counted: the change of its own transaction has no stamp yet.
    """
    engine = db.get_bind().engine
    if engine.get_execution_options().get("writes", True):
        return count()
    with _KNOWN_LOCK:
        figures = _KNOWN.setdefault(engine.pool, _Figures())
    slot = figures.slot(_stamp(db), key)
    with slot.lock:
        if slot.figure is None:
            slot.figure = count()
        figure: Figure = slot.figure
    return figure


def know_stamp(db: ScopedSession, stamp: str) -> None:
    """What READ_STAMP told in this session's transaction, where it was asked together with something else."""
    db.info[STAMP] = stamp


def _stamp(db: ScopedSession) -> Hashable:
    """The stamp of the last change by an officer or a night; read once in a transaction."""
    if STAMP not in db.info:
        know_stamp(db, db.scalars(READ_STAMP).one())
    stamp: Hashable = db.info[STAMP]
    return stamp


@event.listens_for(ScopedSession, "after_transaction_end")
def _forget_the_stamp(db: ScopedSession, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        db.info.pop(STAMP, None)


@event.listens_for(ScopedSession, "after_flush")
def _notice_flushed(db: ScopedSession, _context: UOWTransaction) -> None:
    if not db.info.get(_CHANGED):
        db.info[_CHANGED] = any(map(_is_counted_change, [*db.new, *db.dirty, *db.deleted]))


@event.listens_for(ScopedSession, "do_orm_execute")
def _notice_statement(state: ORMExecuteState) -> None:
    if state.is_select or state.bind_mapper is None:
        return
    if state.bind_mapper.class_ in _COUNTED:
        state.session.info[_CHANGED] = True


@event.listens_for(ScopedSession, "before_commit")
def _stamp_the_change(db: ScopedSession) -> None:
    # At the end of the whole transaction: on PostgreSQL the stamp's row stays locked until it is over.
    if db.in_nested_transaction():
        return
    db.flush()
    if not db.info.pop(_CHANGED, False):
        return
    db.execute(update(Setting).where(Setting.key == STAMP).values(value=secrets.token_hex(8)))


def _is_counted_change(row: object) -> bool:
    counted = _COUNTED.get(type(row))
    if counted is None:
        return False
    state = inspect(row)
    return not state.persistent or any(state.attrs[name].history.has_changes() for name in counted)
