"""Who may see which households: the one place that decides it.

Every table that tells of a household stands on `InPlace`. A session opened here adds the viewer's place to
every SELECT, UPDATE and DELETE on such a table, below whatever a page asks for: rows, counts, joins, lookups
by id and downloads alike. A page therefore cannot forget it, and a foreign id is the same as an unknown one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, event, false
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from portal.schema import InPlace
from portal.schema.base import Base

COUNTY_DIGITS, TOWNSHIP_DIGITS = 6, 9


@dataclass(frozen=True)
class Viewer:
    """An officer as the queries see one. region: a prefix of division codes, '' sees nothing."""

    user_id: int
    login: str
    display_name: str
    role: str
    region: str

    def covers(self, county_code: str, township_code: str) -> bool:
        """The same judgement for a single row; for rows that are not in the database yet."""
        if not self.region:
            return False
        return (
            township_code == self.region
            if len(self.region) == TOWNSHIP_DIGITS
            else county_code.startswith(self.region)
        )


class SessionWithoutScope(RuntimeError):
    """A query on households reached the database through a session that nobody opened for a viewer."""


class ScopedSession(Session):
    """A session that belongs to one viewer, or to the machine (`viewer` is None: nights, backups)."""

    def __init__(self, engine: Engine, viewer: Viewer | None, writes: bool) -> None:
        super().__init__(engine.execution_options(writes=writes), expire_on_commit=False)
        self.viewer = viewer
        # Made once for the session: every one of its queries carries them.
        self.place_options = () if viewer is None else _place_options(viewer)


def open_session(engine: Engine, viewer: Viewer, *, writes: bool = False) -> ScopedSession:
    """A session that shows only the viewer's place."""
    return ScopedSession(engine, viewer, writes)


def open_machine_session(engine: Engine, *, writes: bool = False) -> ScopedSession:
    """A session without a place, for the nightly load, sign-in and backups; never for a page of cases."""
    return ScopedSession(engine, None, writes)


def place_criterion(table: Any, viewer: Viewer) -> ColumnElement[bool]:
    """The condition on county or township under which the viewer sees a row of `table`."""
    region = viewer.region
    if not region or not region.isdigit():
        return false()
    if len(region) == TOWNSHIP_DIGITS:
        return table.township_code == region  # type: ignore[no-any-return]
    if len(region) == COUNTY_DIGITS:
        return table.county_code == region  # type: ignore[no-any-return]
    return table.county_code.startswith(region)  # type: ignore[no-any-return]


def officers_criterion(users: Any, viewer: Viewer, county: str = "") -> ColumnElement[bool]:
    """The condition under which an officer who works cases is named to the viewer: one of the viewer's own place,
    of `county` within it, or of the county that a township is in. Accounts stand on no household, so that the
    session does not filter them.
    """
    region = viewer.region
    if not region or not region.isdigit() or (county and not county.startswith(region[:COUNTY_DIGITS])):
        return false()
    above = (users.role == "county") & (users.region == region[:COUNTY_DIGITS])
    within = users.region.startswith(region) & users.region.startswith(county)
    return users.role.in_(("county", "township")) & (within | above)  # type: ignore[no-any-return]


_PLACED: tuple[type[InPlace], ...] = ()


def _placed_tables() -> tuple[type[InPlace], ...]:
    global _PLACED
    if not _PLACED:
        _PLACED = tuple(m.class_ for m in Base.registry.mappers if issubclass(m.class_, InPlace))
    return _PLACED


def _place_options(viewer: Viewer) -> tuple[Any, ...]:
    return tuple(
        with_loader_criteria(table, place_criterion(table, viewer), include_aliases=True)
        for table in _placed_tables()
    )


@event.listens_for(Session, "do_orm_execute")
def _keep_to_the_viewers_place(state: ORMExecuteState) -> None:
    session = state.session
    if not isinstance(session, ScopedSession):
        if any(issubclass(mapper.class_, InPlace) for mapper in state.all_mappers):
            raise SessionWithoutScope("a query on households needs a session of portal.scope.open_session")
        return
    viewer = session.viewer
    if viewer is None or not (state.is_select or state.is_update or state.is_delete):
        return
    if state.is_column_load or state.is_relationship_load:
        return
    state.statement = state.statement.options(*session.place_options)
