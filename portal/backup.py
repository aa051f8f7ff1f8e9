"""One file that holds the desk's database, and the way back.

A backup is a zip: `manifest.json` (revision of the tables, rows and SHA-256 of each table) and one
`<table>.jsonl` per table. It is made from one consistent view, is the same for SQLite and PostgreSQL, and can be
restored into either. Names and free text stay sealed in it: it is worth nothing without the key ring, which is kept
elsewhere, and the ring worth nothing without it. Sessions and sign-in attempts are left out.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Date, Engine, LargeBinary, Table, func, insert, select, text

from portal.database import migrate
from portal.schema import Base
from portal.schema.base import UtcTime
from portal.settings import current_time

_LEFT_OUT = {"sessions", "attempts"}
_FORMAT = 1
_ROWS_AT_ONCE = 1000


class BackupRefused(ValueError):
    """The file is not a whole backup, or the database is not one to restore into. Nothing was changed."""


def back_up(engine: Engine, target: Path) -> dict[str, int]:
    """Write the backup; returns rows per table. Refuses to overwrite. Only the owner can read the file."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    told: dict[str, dict[str, Any]] = {}
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with engine.connect().execution_options(writes=False, **_consistent(engine)) as connection:
            for table in _tables():
                told[table.name] = _write_table(connection, table, archive)
            revision = _revision(connection)
        manifest = {
            "format": _FORMAT,
            "made_at": current_time().isoformat(),
            "revision": revision,
            "tables": told,
        }
        archive.writestr("manifest.json", json.dumps(manifest, indent=1))
    return {name: entry["rows"] for name, entry in told.items()}


def restore(engine: Engine, source: Path) -> dict[str, int]:
    """Fill an empty database from a backup; returns rows per table.

    Raises BackupRefused when a table's hash differs, the tables are of another revision, or the database holds rows.
    """
    migrate(engine)
    with zipfile.ZipFile(source) as archive:
        manifest = _read_manifest(archive)
        for table in _tables():
            _check_table(archive, table, manifest)
        with engine.begin() as connection:
            _check_target(connection, manifest)
            return {table.name: _read_table(connection, table, archive) for table in _tables()}


def _tables() -> list[Table]:
    """In an order in which every row finds what it points to."""
    return [table for table in Base.metadata.sorted_tables if table.name not in _LEFT_OUT]


def _consistent(engine: Engine) -> dict[str, str]:
    return {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _write_table(connection: Connection, table: Table, archive: zipfile.ZipFile) -> dict[str, Any]:
    digest, rows = hashlib.sha256(), 0
    with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as out:
        for row in connection.execute(select(table).order_by(*table.primary_key)).yield_per(_ROWS_AT_ONCE):
            line = json.dumps([_plain(value) for value in row], ensure_ascii=False).encode() + b"\n"
            digest.update(line)
            out.write(line)
            rows += 1
    columns = [column.name for column in table.columns]
    return {"rows": rows, "sha256": digest.hexdigest(), "columns": columns}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, date | datetime) else value


def _read_manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    except (KeyError, ValueError):
        raise BackupRefused(
            "the file has no readable manifest.json; it is no backup, or was not finished"
        ) from None
    if manifest.get("format") != _FORMAT:
        raise BackupRefused(f"the backup is of format {manifest.get('format')}; this version reads {_FORMAT}")
    return manifest


def _check_table(archive: zipfile.ZipFile, table: Table, manifest: dict[str, Any]) -> None:
    told = manifest["tables"].get(table.name)
    if told is None or told["columns"] != [column.name for column in table.columns]:
        raise BackupRefused(
            f"table {table.name}: its columns in the backup are not those of this version; "
            "restore with the version that made it, then upgrade"
        )
    digest = hashlib.sha256()
    with archive.open(f"{table.name}.jsonl") as lines:
        for line in lines:
            digest.update(line)
    if digest.hexdigest() != told["sha256"]:
        raise BackupRefused(
            f"table {table.name}: the rows in the backup are not those its manifest names; take another backup"
        )


def _check_target(connection: Connection, manifest: dict[str, Any]) -> None:
    if _revision(connection) != manifest["revision"]:
        raise BackupRefused(
            f"the backup is of revision {manifest['revision']}, the database of {_revision(connection)}"
        )
    for table in _tables():
        if connection.execute(select(func.count()).select_from(table)).scalar_one():
            raise BackupRefused(f"table {table.name} already holds rows; restore only into an empty database")


def _read_table(connection: Connection, table: Table, archive: zipfile.ZipFile) -> int:
    rows = 0
    for batch in _batches(_rows(table, archive)):
        connection.execute(insert(table), batch)
        rows += len(batch)
    if connection.dialect.name == "postgresql" and "id" in table.columns:
        # New rows must not be given numbers that the restored ones have.
        connection.execute(
            text(
                f"select setval(pg_get_serial_sequence('{table.name}', 'id'), "
                f"greatest((select max(id) from {table.name}), 1))"
            )
        )
    return rows


def _rows(table: Table, archive: zipfile.ZipFile) -> Iterator[dict[str, Any]]:
    columns = list(table.columns)
    with archive.open(f"{table.name}.jsonl") as lines:
        for line in lines:
            yield {
                column.name: _typed(value, column.type)
                for column, value in zip(columns, json.loads(line), strict=True)
            }


def _typed(value: Any, kind: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value)
    if isinstance(kind, UtcTime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(kind, Date) else value


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _ROWS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
