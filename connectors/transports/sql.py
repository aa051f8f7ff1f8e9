"""A department's read-only views: streamed with a server-side cursor, rendered to the contract's bytes.

Nothing but named views is read: names are validated and quoted by the dialect, no text of SQL comes from
anywhere. All reading happens in one snapshot of the database, so receipt and rows belong together.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Connection, Engine

from connectors.contract import Contract, FileContract
from connectors.errors import FeedRefused, FeedUnavailable
from connectors.transports.patience import Patience
from connectors.transports.rendering import Row, WireForm, contract_file, parse_wire_form, render_rows
from connectors.transports.settings import Settings
from connectors.transports.spool import SpooledCipherFile
from connectors.transports.spooled import SpooledFeed

# Two columns beside the contract's, both optional: which file a row belongs to, and where in it.
FILE_NAME, LINE_NO = "file_name", "line_no"
RECEIPT_COLUMNS = ("file_name", "sha256", "row_count", "snapshot_date")
_COVERS = ("covers_first", "covers_last")
_WIRE_FORM = "wire_form"
_IDENTIFIER = re.compile(r"[^\W\d]\w{0,62}")
_ROWS_AT_ONCE = 5000
_ISOLATION = {
    "postgresql": "REPEATABLE READ",
    "mysql": "REPEATABLE READ",
    "mariadb": "REPEATABLE READ",
    "oracle": "SERIALIZABLE",
}
_LOGIN_REFUSED = re.compile(
    r"password authentication failed|no pg_hba\.conf entry|role \S+ (does not exist|is not permitted)"
    r"|ORA-01017|\(1045,"
)


class SqlFeed(SpooledFeed):
    """One source's views.

    VIEW (or VIEW_<FILE KEY> for sources of several files) and RECEIPT_VIEW name them.
    """

    def __init__(self, settings: Settings, contract: Contract) -> None:
        super().__init__(settings.source, settings.limits())
        keys = {f"VIEW_{file.key.upper()}": file for file in contract.files}
        settings.require_known(frozenset({"PASSWORD", "RECEIPT_VIEW", "VIEW", *keys}))
        self._settings, self._contract = settings, contract
        self._receipt_view = _name_view(settings, settings.required("RECEIPT_VIEW", "the view of receipts"))
        self._views = {file.key: self._view_of(option, file) for option, file in keys.items()}
        self._engine = _make_engine(settings)
        self._connection: Connection | None = None
        self._files: dict[str, dict[str, Any]] = {}

    def close(self) -> None:
        super().close()
        self._disconnect()
        self._engine.dispose()

    def _view_of(self, option: str, file: FileContract) -> sa.TableClause:
        name = self._settings.text(option) or (
            self._settings.text("VIEW") if len(self._contract.files) == 1 else None
        )
        if name is None:
            self._settings.refuse(
                f"no view for the file {file.key}", f"{self._settings.variable}__{option}", "set it"
            )
        return _name_view(self._settings, name)

    def _fetch_receipt(self) -> bytes | None:
        patience = Patience(self.source, self.limits)
        while True:
            try:
                return self._read_receipt(patience)
            except _Lost as lost:
                patience.pause(str(lost))

    def _fetch_names(self) -> list[str]:
        self.receipt()
        return list(self._files)

    def _fetch_file(self, name: str, spool: SpooledCipherFile) -> None:
        self.receipt()
        self._require_listed(name)
        patience = Patience(self.source, self.limits)
        while True:
            try:
                self._require_same_receipt(patience)
                self._stream(name, spool, patience)
                break
            except _Lost as lost:
                spool.restart()
                patience.pause(str(lost))
        if set(self._files) <= {name, *self._spools}:
            # Everything is here: an open transaction would keep the department from changing its views.
            self._disconnect()

    def _require_listed(self, name: str) -> FileContract:
        file = contract_file(self._contract, name)
        if file is None or name not in self._files:
            raise FileNotFoundError(
                f"{self.source}: the department's receipt has no file {name!r} of the contract"
            )
        return file

    def _require_same_receipt(self, patience: Patience) -> None:
        """After a lost connection there is a new snapshot; it serves only if it holds the same delivery."""
        if self._connection is None and self._read_receipt(patience) != self._receipt:
            raise FeedUnavailable(
                self.source,
                found="a new delivery after the connection was lost",
                wanted="one delivery from start to end",
                do="run again",
            )

    def _read_receipt(self, patience: Patience) -> bytes | None:
        columns = self._columns_of(self._receipt_view)
        missing = [name for name in RECEIPT_COLUMNS if name not in columns]
        if missing:
            self._refuse(
                f"a receipt view without {missing[0]}", ", ".join(RECEIPT_COLUMNS), "ask the department"
            )
        wanted = [*RECEIPT_COLUMNS, *(name for name in (*_COVERS, _WIRE_FORM) if name in columns)]
        question: Any = sa.select(*(sa.column(name) for name in wanted)).select_from(self._receipt_view)
        if "source" in columns:
            question = question.where(sa.column("source") == self.source)
        rows = [
            dict(zip(wanted, row, strict=True)) for batch in self._rows(question, patience) for row in batch
        ]
        latest = max((str(row["snapshot_date"])[:10] for row in rows), default=None)
        rows = [row for row in rows if str(row["snapshot_date"])[:10] == latest]
        self._files = {
            str(row["file_name"]): row for row in sorted(rows, key=lambda row: str(row["file_name"]))
        }
        return self._write_receipt(latest, patience) if latest else None

    def _write_receipt(self, snapshot: str, patience: Patience) -> bytes:
        files = [
            {
                "name": name,
                "sha256": row["sha256"] or self._hash_of(name, patience),
                "rows": int(row["row_count"]),
            }
            for name, row in self._files.items()
        ]
        receipt: dict[str, Any] = {"source": self.source, "snapshot_date": snapshot}
        first = next(iter(self._files.values()))
        if all(first.get(name) for name in _COVERS):
            receipt["covers"] = [str(first[name])[:7] for name in _COVERS]
        return json.dumps(receipt | {"files": files}, ensure_ascii=False).encode()

    def _hash_of(self, name: str, patience: Patience) -> str:
        """For a department that states no hash: that of the rows as this snapshot renders them.

        Counts still hold.
        """
        digest = hashlib.sha256()
        for piece in self._pieces(name, patience):
            digest.update(piece)
        return digest.hexdigest()

    def _stream(self, name: str, spool: SpooledCipherFile, patience: Patience) -> None:
        for piece in self._pieces(name, patience):
            self.keep(spool, piece, name)

    def _pieces(self, name: str, patience: Patience) -> Iterator[bytes]:
        file = self._require_listed(name)
        view = self._views[file.key]
        columns = self._columns_of(view)
        delivered = [column for column in columns if column not in (FILE_NAME, LINE_NO)]
        question: Any = sa.select(*(sa.column(column) for column in delivered)).select_from(view)
        if FILE_NAME in columns:
            question = question.where(sa.column(FILE_NAME) == name)
        elif sum(contract_file(self._contract, other) is file for other in self._files) > 1:
            self._refuse(
                f"several files of {file.key} and no column {FILE_NAME}",
                "one of the two",
                "ask the department",
            )
        order = [LINE_NO] if LINE_NO in columns else delivered
        question = question.order_by(*(sa.column(column) for column in order))
        return render_rows(
            self.source, file, delivered, self._rows(question, patience), self._wire_form(name)
        )

    def _wire_form(self, name: str) -> WireForm:
        try:
            return parse_wire_form(self._files[name].get(_WIRE_FORM))
        except ValueError as error:
            self._refuse(f"a {_WIRE_FORM} nobody knows", str(error), "ask the department")

    def _columns_of(self, view: sa.TableClause) -> list[str]:
        try:
            found = sa.inspect(self._connected()).get_columns(view.name, schema=view.schema)
        except exc.NoSuchTableError:
            found = []
        except exc.DBAPIError as error:
            self._judge(error)
        if not found:
            self._refuse(
                f"no view {view.fullname} this login may read", "the agreed view", "ask the department"
            )
        return [str(column["name"]) for column in found]

    def _rows(self, question: sa.Select[Any], patience: Patience) -> Iterator[Sequence[Row]]:
        try:
            result = self._connected().execute(question, execution_options={"yield_per": _ROWS_AT_ONCE})
            for batch in result.partitions():
                patience.check()
                yield batch
        except exc.DBAPIError as error:
            self._judge(error)

    def _connected(self) -> Connection:
        if self._connection is None:
            options: dict[str, Any] = {}
            if isolation := _ISOLATION.get(self._engine.dialect.name):
                options["isolation_level"] = isolation
            if self._engine.dialect.name == "postgresql":
                options["postgresql_readonly"] = True
            try:
                self._connection = self._engine.connect().execution_options(**options)
            except exc.DBAPIError as error:
                self._judge(error)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _judge(self, error: exc.DBAPIError) -> NoReturn:
        """A driver's own message may hold rows, SQL or addresses: only its kind is told."""
        state = str(getattr(error.orig, "sqlstate", None) or "")
        kind = f"{type(error.orig).__name__}{', SQLSTATE ' + state if state else ''}"
        refused = state.startswith("28") or _LOGIN_REFUSED.search(str(error.orig)) is not None
        retryable = isinstance(error, (exc.OperationalError, exc.InternalError, exc.InterfaceError))
        if self._connection is not None:
            self._connection.invalidate()
        self._disconnect()
        if refused:
            self._refuse(f"a login that was refused ({kind})", "an accepted user and password", "check both")
        if not retryable:
            self._refuse(
                f"a view that cannot be read ({kind})",
                "the agreed view and the right to read it",
                "ask the department",
            )
        raise _Lost(f"the database did not answer ({kind})") from None

    def _refuse(self, found: str, wanted: str, do: str) -> NoReturn:
        raise FeedRefused(self.source, found=found, wanted=wanted, do=do)


class _Lost(Exception):
    """The connection to the database failed; worth another try."""


def _name_view(settings: Settings, name: str) -> sa.TableClause:
    """A view as `view` or `schema.view`, of letters, digits and _ only. The dialect quotes it."""
    parts = name.split(".")
    if len(parts) > 2 or not all(_IDENTIFIER.fullmatch(part) for part in parts):
        settings.refuse(
            "a view name that is none", "view or schema.view, of letters, digits and _", "correct the setting"
        )
    return sa.table(parts[-1], schema=parts[0] if len(parts) == 2 else None)


def _make_engine(settings: Settings) -> Engine:
    limits = settings.limits()
    try:
        url = sa.make_url(settings.url.geturl())
        password = settings.secret("PASSWORD")
        arguments: dict[str, Any] = {}
        if url.get_backend_name() == "postgresql":
            arguments = {
                "connect_timeout": max(1, int(limits.timeout_seconds)),
                "options": "-c default_transaction_read_only=on "
                f"-c statement_timeout={int(limits.deadline_seconds * 1000)}",
            }
        return sa.create_engine(
            url.set(password=password) if password else url,
            poolclass=sa.NullPool,
            connect_args=arguments,
            hide_parameters=True,
        )
    except (exc.ArgumentError, exc.NoSuchModuleError, ImportError) as error:
        settings.refuse(
            f"a database address that cannot be used ({type(error).__name__})",
            "dialect+driver://user@host/database with its driver installed",
            f"correct {settings.variable}, or install the driver",
        )
