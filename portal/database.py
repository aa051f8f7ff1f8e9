"""Opening the desk's database and bringing its tables up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import IsolationLevel
from psycopg.pq import Format, TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError

MIGRATIONS = Path(__file__).parent / "migrations"
# Connections of one process: one for each seat (portal.routing), and some for those that note when they were seen.
_KEPT_OPEN = 16
# How long a writer waits for another one on SQLite.
_PATIENCE_SECONDS = 30


def open_database(url: str) -> Engine:
    """An engine for PostgreSQL (postgresql+psycopg://…) or the embedded SQLite (sqlite:///…)."""
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    if not url.startswith("sqlite"):
        engine = create_engine(
            url, pool_pre_ping=True, pool_size=_KEPT_OPEN, pool_use_lifo=True, hide_parameters=True
        )
        event.listen(engine, "do_connect", _connect_postgresql)
        event.listen(engine, "begin", _begin_postgresql)
        return engine
    # hide_parameters: an error of the database must not carry a person's values into a log.
    engine = create_engine(
        url,
        connect_args={"timeout": _PATIENCE_SECONDS, "check_same_thread": False},
        pool_size=_KEPT_OPEN,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def migrate(engine: Engine) -> None:
    """Bring the tables to the newest revision; nothing is done when they are there."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def look_at_rows(connection: Connection) -> None:
    """Tell the planner how many rows there are by now, also of a transaction that is not over."""
    connection.exec_driver_sql("ANALYZE")


def settle_rows(engine: Engine) -> None:
    """After many changes: the planner looks anew, and PostgreSQL notes which rows all may see.

    Only then it answers a list from the index alone; by itself it would come to that minutes later.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (ANALYZE)")
        return
    with engine.begin() as connection:
        look_at_rows(connection)


def hold_cases(connection: Connection) -> None:
    """Let officers who are writing on a case finish, and the next ones wait; reading goes on.

    SQLite has one writer anyway. On PostgreSQL a step locks its case before anything else (portal.work.steps), so that
    holding the table of cases keeps officers and a night from each holding what the other needs.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE cases IN EXCLUSIVE MODE")


def is_taken(error: OperationalError) -> bool:
    """Whether SQLite's one writer was somebody else for too long: a night that is being loaded."""
    code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_BUSY


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own BEGIN comes too late to hold a consistent view; we begin ourselves.
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


class _Connection(psycopg.Connection[Any]):
    """Ends what only read by COMMIT: after ROLLBACK the driver has the server forget every prepared statement.

    After a failure it must: a migration of another process may have made what was prepared unusable.
    """

    def rollback(self) -> None:
        has_failed = self.info.transaction_status == TransactionStatus.INERROR
        if self.read_only and not has_failed:
            self.commit()
        else:
            super().rollback()


class _Cursor(psycopg.Cursor[Any]):
    """Takes answers as the server keeps them; as text each value would be written there and read here."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.format = Format.BINARY


def _connect_postgresql(_dialect: Any, _record: Any, given: Any, named: dict[str, Any]) -> Any:
    return _Connection.connect(*given, cursor_factory=_Cursor, **named)


def _begin_postgresql(connection: Connection) -> None:
    # A page that only reads sees one state of the desk throughout, as it does on SQLite, and cannot write.
    reads = not connection.get_execution_options().get("writes", True)
    driver: Any = connection.connection.dbapi_connection
    if bool(driver.read_only) == reads:
        return
    # Said with the driver's own BEGIN, which is one message to the server less.
    driver.read_only = True if reads else None
    driver.isolation_level = IsolationLevel.REPEATABLE_READ if reads else None


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: upgrading a read lock later fails instead of waiting.
    options = connection.get_execution_options()
    if not options.get("writes", True):
        connection.exec_driver_sql("BEGIN")
    elif options.get("waits", True):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {_PATIENCE_SECONDS * 1000}")
