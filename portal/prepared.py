"""SELECTs that every click asks: put together, scoped and compiled once, then only run.

To build such a statement, to look it up among those it compiled and to make its rows takes SQLAlchemy longer than the
database takes to answer. Only the values differ from click to click, and they are named in the statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from portal.scope import ScopedSession, in_place

# Statements times the places of the officers at work; a place that comes again later is compiled anew.
_KEPT_PLANS = 2_000
Change = Callable[[Any], Any]
Columns = dict[str, Sequence[Any]]


class Prepared:
    """A SELECT of columns; what differs from run to run are its `bindparam` values.

    It shows what the same statement would show in the same session: portal.scope puts the place into it.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement

    def columns(self, db: ScopedSession, values: Mapping[str, Any]) -> Columns:
        """The answer as columns by name, all of one length. Values that the statement does not name are passed over.

        Raises KeyError for a value that it names and that is not given.
        """
        if db.writes:
            db.flush()
        connection = db.connection()
        region = None if db.viewer is None else db.viewer.region
        plan = _make_plan(self._statement, connection.dialect, region)
        rows = _ask(connection, plan.sql, plan.bind(values))
        told: Columns = dict(zip(plan.names, zip(*rows, strict=True) if rows else repeat(()), strict=False))
        for name, change in plan.changes:
            told[name] = list(map(change, told[name]))
        return told


def _ask(connection: Connection, sql: str, values: Any) -> Sequence[Sequence[Any]]:
    """The rows as the driver gives them, without the objects that SQLAlchemy describes every answer with.

    Whoever watches the engine's statements sees this one too, and it fails as any other does.
    """
    driver: Any = connection.connection.dbapi_connection
    cursor = driver.cursor()
    try:
        for watch in connection.dispatch.before_cursor_execute:
            watch(connection, cursor, sql, values, None, False)
        cursor.execute(sql, values)
        return cursor.fetchall()  # type: ignore[no-any-return]
    except connection.dialect.loaded_dbapi.Error as problem:
        lost = connection.dialect.is_disconnect(problem, driver, cursor)
        if lost:
            connection.invalidate(problem)
        base = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(sql, values, problem, base, True, lost, connection.dialect) from problem
    finally:
        cursor.close()


@dataclass(frozen=True)
class _Plan:
    """A statement as the driver takes it, for one place.

    order: the names of the values in the order of the question marks; empty where the driver takes names.
    values: how a value is told to the driver. fixed: values that are the statement's own, the place among them.
    changes: how the driver's values of a column become ours, where they have to.
    """

    sql: str
    order: tuple[str, ...]
    values: tuple[tuple[str, Change | None], ...]
    fixed: Mapping[str, Any]
    names: tuple[str, ...]
    changes: tuple[tuple[str, Change], ...]

    def bind(self, given: Mapping[str, Any]) -> Any:
        told = dict(self.fixed)
        for name, change in self.values:
            told[name] = given[name] if change is None else change(given[name])
        return tuple(map(told.__getitem__, self.order)) if self.order else told


@lru_cache(maxsize=_KEPT_PLANS)
def _make_plan(statement: Select[Any], dialect: Dialect, region: str | None) -> _Plan:
    placed = in_place(statement, region)
    compiled = placed.compile(dialect=dialect)
    if not isinstance(compiled, SQLCompiler) or compiled.post_compile_params:
        raise TypeError("only a SELECT whose values are single ones can be prepared")
    fixed, values = {}, []
    for bind in compiled.bind_names:
        change = bind.type.dialect_impl(dialect).bind_processor(dialect)
        name = compiled.bind_names[bind]
        if bind.required:
            values.append((name, change))
        else:
            fixed[name] = bind.effective_value if change is None else change(bind.effective_value)
    columns = placed.selected_columns
    changes = ((column.key, _result_change(column.type, dialect)) for column in columns)
    return _Plan(
        str(compiled),
        tuple(compiled.positiontup or ()),
        tuple(values),
        fixed,
        tuple(str(column.key) for column in columns),
        tuple((str(name), change) for name, change in changes if change is not None),
    )


def _result_change(kind: TypeEngine[Any], dialect: Dialect) -> Change | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
