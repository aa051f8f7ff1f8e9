"""Bulk download.

The requests are `GET receipt.json`, `GET .` for the list of files, `GET <name>` for each, resumed by range.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

import httpx

from connectors.errors import FeedRefused, FeedUnavailable
from connectors.feeds import RECEIPT
from connectors.transports.http import HttpConnection, TornAnswer, content_range
from connectors.transports.settings import Settings
from connectors.transports.spool import SpooledCipherFile
from connectors.transports.spooled import SpooledFeed


class BulkFeed(SpooledFeed):
    """A department that offers its files for download below one address."""

    def __init__(self, settings: Settings, connection: HttpConnection | None = None, base: str = "") -> None:
        super().__init__(settings.source, settings.limits())
        self.connection = connection or HttpConnection(settings)
        self.base = base

    def close(self) -> None:
        super().close()
        self.connection.close()

    def _fetch_receipt(self) -> bytes | None:
        answer = self.connection.ask(self.base + RECEIPT)
        return None if answer.status == 404 else answer.body

    def _fetch_names(self) -> list[str]:
        answer = self.connection.ask(self.base)
        if answer.status == 404:
            return []
        names = read_object(self.source, answer.body, "the list of files").get("files")
        if not isinstance(names, list) or not all(type(name) is str for name in names):
            raise FeedRefused(
                self.source,
                found="a list of files of another form",
                wanted='{"files": ["…"]}',
                do="call the department",
            )
        return names

    def _fetch_file(self, name: str, spool: SpooledCipherFile) -> None:
        download(self.connection, self.base + quote(name, safe=""), name, spool, self.keep)


def download(
    connection: HttpConnection,
    path: str,
    name: str,
    spool: SpooledCipherFile,
    keep: Callable[[SpooledCipherFile, bytes, str], None],
) -> None:
    """Fetch `path` whole into `spool`, continuing after torn connections where the server can.

    A tear is continued only under the same strong ETag: bytes of two versions must never be joined. Raises
    FileNotFoundError for a 404.
    """
    patience = connection.patience()
    version: str | None = None
    farthest = 0
    while True:
        resuming = version is not None and spool.size > 0
        if not resuming:
            spool.restart()
        headers = {"Range": f"bytes={spool.size}-", "If-Range": version or ""} if resuming else {}
        try:
            with connection.stream(path, headers, patience) as response:
                whole = _start(connection.source, response, spool, name)
                version = _strong_version(response)
                for piece in connection.pieces(response, patience):
                    keep(spool, piece, name)
                if whole is None or spool.size == whole:
                    return
                raise TornAnswer(f"{spool.size} of {whole} bytes")
        except TornAnswer as torn:
            if version is not None and spool.size > farthest:
                farthest = spool.size
                patience.progressed()
            patience.pause(str(torn), torn.at_least)


def _start(source: str, response: httpx.Response, spool: SpooledCipherFile, name: str) -> int | None:
    """Judge the head of an answer; the size of the whole file, None where the server sends it in chunks."""
    if response.status_code == 404:
        raise FileNotFoundError(f"{source}: the department has no file {name!r}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise FeedRefused(
            source, found="a compressed answer", wanted="the file's own bytes", do="call the department"
        )
    if response.status_code == 206:
        span = content_range(response.headers.get("Content-Range", ""))
        if span is not None and span[0] == spool.size and span[1] == span[2] - 1:
            return span[2]
        spool.restart()
        raise TornAnswer("a part of the file that was not asked for")
    spool.restart()
    if response.status_code != 200:
        raise TornAnswer(f"HTTP {response.status_code}")
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _strong_version(response: httpx.Response) -> str | None:
    tag: str = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else None


def read_object(source: str, body: bytes, what: str) -> dict[str, object]:
    """A JSON object, numbers kept as written. Raises FeedUnavailable for anything else."""
    from connectors.transports.rendering import NumberText

    try:
        value = json.loads(body, parse_float=NumberText, parse_int=NumberText)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise FeedUnavailable(
            source,
            found=f"{what} that is no JSON object",
            wanted="JSON",
            do="run again; if it stays so, call the department",
        )
    return value
