"""A query interface: `GET pages/<name>?rows=N&cursor=…`, rendered to the bytes of the contract's file.

`GET pages/receipt.json` is a receipt whose hashes are of those bytes, or null for a department that cannot tell them.
A page is {"columns": [...], "rows": [[...], …], "next": "…"|null, "total": n, "version": "…"}, and, where
the files have one of their own, "wire_form": "crlf". All but rows and next are the same on every page of
one file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from urllib.parse import quote

from connectors.contract import Contract
from connectors.errors import FeedRefused, FeedUnavailable
from connectors.feeds import RECEIPT
from connectors.transports.bulk import BulkFeed, read_object
from connectors.transports.patience import Patience
from connectors.transports.rendering import Row, WireForm, contract_file, parse_wire_form, render_rows
from connectors.transports.settings import Settings
from connectors.transports.spool import CHUNK, SpooledCipherFile

_PAGE_ROWS = 5000


class _Changed(Exception):
    """The department replaced its data between two pages."""


@dataclass(frozen=True)
class Page:
    """One page. What compares equal must be equal on all pages of a file."""

    columns: list[str]
    total: int
    version: str
    form: WireForm
    rows: list[Row] = field(repr=False, compare=False)
    cursor: str | None = field(compare=False)


class PagedFeed(BulkFeed):
    """A department that answers page by page. The list of files is that of the bulk interface."""

    def __init__(self, settings: Settings, contract: Contract) -> None:
        super().__init__(settings)
        self._contract = contract
        self._page_rows = str(int(settings.number("PAGE_ROWS", _PAGE_ROWS)))

    def _fetch_receipt(self) -> bytes | None:
        answer = self.connection.ask(self.base + "pages/" + RECEIPT)
        return None if answer.status == 404 else self._with_hashes(answer.body)

    def _with_hashes(self, receipt: bytes) -> bytes:
        """A hash that is null becomes that of the rows as received; their number stays the department's word."""
        try:
            table = json.loads(receipt.decode("utf-8-sig"))
            unhashed = [entry for entry in table["files"] if entry["sha256"] is None]
        except (ValueError, TypeError, KeyError, RecursionError):
            return receipt  # the intake says what is wrong with it
        for entry in unhashed:
            digest = hashlib.sha256()
            with self.open(str(entry.get("name"))) as stream:
                while piece := stream.read(CHUNK):
                    digest.update(piece)
            entry["sha256"] = digest.hexdigest()
        return json.dumps(table, ensure_ascii=False).encode() if unhashed else receipt

    def _fetch_file(self, name: str, spool: SpooledCipherFile) -> None:
        file = contract_file(self._contract, name)
        if file is None:
            raise FileNotFoundError(f"{self.source}: no kind of file in the contract has names like {name!r}")
        changes = self.connection.patience()
        while True:
            try:
                pages = self._pages(name)
                first = next(pages)
                batches = (page.rows for page in chain([first], pages))
                for piece in render_rows(self.source, file, first.columns, batches, first.form):
                    self.keep(spool, piece, name)
                return
            except _Changed:
                spool.restart()
                changes.pause(f"{name} changed between two pages")

    def _pages(self, name: str) -> Iterator[Page]:
        """At least one page. The rows together are exactly the stated total. Raises _Changed."""
        patience = self.connection.patience()
        first, received, cursor = None, 0, None
        while True:
            page = self._ask_page(name, cursor, patience)
            patience.progressed()
            first = first or page
            if page != first:
                raise _Changed
            received, cursor = received + len(page.rows), page.cursor
            self._require_count(name, page, received)
            yield page
            if cursor is None:
                return

    def _ask_page(self, name: str, cursor: str | None, patience: Patience) -> Page:
        params = {"rows": self._page_rows} | ({"cursor": cursor} if cursor is not None else {})
        answer = self.connection.ask(
            self.base + "pages/" + quote(name, safe=""), params=params, patience=patience
        )
        if answer.status == 404:
            raise FileNotFoundError(f"{self.source}: the department has no file {name!r}")
        page = self._read_page(read_object(self.source, answer.body, f"a page of {name}"))
        if page is None:
            raise FeedRefused(
                self.source,
                found=f"a page of {name} of another form",
                wanted="columns, rows of as many values, next, total, version",
                do="call the department",
            )
        return page

    def _require_count(self, name: str, page: Page, received: int) -> None:
        whole = received == page.total if page.cursor is None else received <= page.total and bool(page.rows)
        if not whole:
            raise FeedUnavailable(
                self.source,
                found=f"{received} rows of {name} in its pages",
                wanted=f"the {page.total} rows the pages state",
                do="run again; if it stays so, call the department",
            )

    @staticmethod
    def _read_page(page: dict[str, object]) -> Page | None:
        """None when it is not of the agreed form."""
        columns, rows, cursor = page.get("columns"), page.get("rows"), page.get("next")
        total, version, form = (str(page.get(key, "")) for key in ("total", "version", "wire_form"))
        if not isinstance(columns, list) or not all(type(column) is str for column in columns):
            return None
        if (
            not isinstance(rows, list)
            or not total.isdigit()
            or not (cursor is None or isinstance(cursor, str))
        ):
            return None
        if not all(isinstance(row, list) and len(row) == len(columns) for row in rows):
            return None
        try:
            return Page(columns, int(total), version, parse_wire_form(form), rows, cursor)
        except ValueError:
            return None
