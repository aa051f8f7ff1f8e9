"""Who may see which households: the one place that decides it.

Every table that tells of a household stands on `InPlace`. A session opened here adds the viewer's place to
every SELECT, UPDATE and DELETE on such a table, below whatever a page asks for: rows, counts, joins, lookups
by id and downloads alike. A page therefore cannot forget it, and a foreign id is the same as an unknown one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Engine, event, false
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, Session, with_loader_criteria

from portal.schema import InPlace

COUNTY_DIGITS, TOWNSHIP_DIGITS = 6, 9
# More than a province has townships.
_KEPT_PLACES = 4_000


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

    def __init__(self, engine: Engine, viewer: Viewer | None, writes: bool, waits: bool = True) -> None:
        super().__init__(engine.execution_options(writes=writes, waits=waits), expire_on_commit=False)
        self.writes = writes
        self.viewer: Viewer | None = None
        if viewer is not None:
            self.seat(viewer)

    def seat(self, viewer: Viewer) -> None:
        """Make the machine's session, by which an officer was found at the door, this officer's, for good.

        Raises SessionWithoutScope when somebody else sits there, or rows of households are held from before.
        """
        if self.viewer is not None or any(isinstance(row, InPlace) for row in self.identity_map.values()):
            raise SessionWithoutScope(
                "a session is one viewer's from its first query on households to its end"
            )
        self.viewer = viewer


def open_session(engine: Engine, viewer: Viewer, *, writes: bool = False) -> ScopedSession:
    """A session that shows only the viewer's place."""
    return ScopedSession(engine, viewer, writes)


def open_machine_session(engine: Engine, *, writes: bool = False, waits: bool = True) -> ScopedSession:
    """A session without a place, for the nightly load, sign-in and backups; never for a page of cases.

    waits: whether a writer waits for another one on SQLite, or has its first query fail at once.
    """
    return ScopedSession(engine, None, writes, waits)


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


def in_place(statement: Any, region: str | None) -> Any:
    """The statement as a viewer of this region may ask it; None is the machine, which has no place."""
    return statement if region is None else statement.options(_place_option(region))


@lru_cache(maxsize=_KEPT_PLACES)
def _place_option(region: str) -> LoaderCriteriaOption:
    """A place as a condition on every table that stands on InPlace, in every part of a statement.

    Each condition is a function of its own: SQLAlchemy calls it once for all sessions, and reads only `region` anew.
    """
    if not region or not region.isdigit():
        return with_loader_criteria(InPlace, lambda table: false(), include_aliases=True)
    if len(region) == TOWNSHIP_DIGITS:
        return with_loader_criteria(
            InPlace, lambda table: table.township_code == region, include_aliases=True
        )
    if len(region) == COUNTY_DIGITS:
        return with_loader_criteria(InPlace, lambda table: table.county_code == region, include_aliases=True)
    return with_loader_criteria(
        InPlace, lambda table: table.county_code.startswith(region), include_aliases=True
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
    state.statement = in_place(state.statement, viewer.region)
