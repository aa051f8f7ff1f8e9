"""A department's HTTP interface: bulk files, pages, and sealed batches, each request signed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from connectors.contract import FileContract
from connectors.departments.faults import SLOW_SECONDS, Faults
from connectors.departments.records import (
    Rows,
    hash_rows,
    keep_people,
    read_records,
    wire_form_of,
    write_json_value,
)
from connectors.departments.shelf import Shelf, read_receipt
from connectors.feeds import RECEIPT, DirectoryFeed
from connectors.registry import all_contracts
from connectors.transports.rendering import contract_file
from connectors.transports.sealing import unseal_query
from connectors.transports.signing import NONCE_HEADER, SIGNATURE_HEADER, RequestVerifier, SigningKey

_PIECE = 64 * 1024
_SLOW_SECONDS = 0.05
_POLLS_UNTIL_DONE = 2


@dataclass(frozen=True)
class Records:
    """A delivered file as rows; version: the hash of the file it was read from."""

    file: FileContract
    header: list[str]
    rows: Rows = field(repr=False)
    form: str
    version: str


@dataclass
class Batch:
    """The answer to one query: its files, and how often its state was still asked for."""

    files: dict[str, bytes] = field(repr=False)
    polls: int = 0


@dataclass
class HttpDepartment:
    """State of the HTTP side.

    sent: bytes of each (source, file) that left; queries: the sealed lists as they arrived; pages_hashed: false
    for a department whose query interface states no hashes.
    """

    shelf: Shelf
    faults: Faults
    key: SigningKey | None
    query_key: X25519PrivateKey
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    queries: list[bytes] = field(default_factory=list, repr=False)
    held: dict[tuple[str, str], Records] = field(default_factory=dict, repr=False)
    batches: dict[str, Batch] = field(default_factory=dict)
    cut_after: int = 100_000
    slow_seconds: float = SLOW_SECONDS
    pages_hashed: bool = True

    def __post_init__(self) -> None:
        self.verifier = RequestVerifier(self.key) if self.key else None

    def app(self) -> Starlette:
        def guarded(
            answer: Callable[[Request, bytes], Awaitable[Response]],
        ) -> Callable[[Request], Awaitable[Response]]:
            async def guard(request: Request) -> Response:
                body = await request.body()
                return await self._refusal(request, body) or await answer(request, body)

            return guard

        return Starlette(
            routes=[
                Route("/{source}/", guarded(self.list_files)),
                Route("/{source}/receipt.json", guarded(self.receipt)),
                Route("/{source}/pages/receipt.json", guarded(self.page_receipt)),
                Route("/{source}/pages/{name}", guarded(self.page)),
                Route("/{source}/batches", guarded(self.submit), methods=["POST"]),
                Route("/{source}/batches/{batch}", guarded(self.batch_state)),
                Route("/{source}/batches/{batch}/", guarded(self.batch_list)),
                Route("/{source}/batches/{batch}/{name}", guarded(self.batch_file)),
                Route("/{source}/{name}", guarded(self.file)),
            ]
        )

    async def _refusal(self, request: Request, body: bytes) -> Response | None:
        source = request.path_params["source"]
        self.requests[source] += 1
        if self.verifier is not None:
            path = request.scope["raw_path"].decode()
            if query := request.scope["query_string"].decode():
                path += "?" + query
            if fault := self.verifier.fault(request.method, path, body, request.headers):
                return Response(fault, 401)
        if self.faults.strike(source, "429"):
            return Response("too many requests", 429, {"Retry-After": "1"})
        if self.faults.strike(source, "503"):
            return Response("down", 503)
        return None

    async def list_files(self, request: Request, body: bytes) -> Response:
        feed = self._feed(request)
        return self._answer(request, json.dumps({"files": feed.names()}, ensure_ascii=False).encode())

    async def receipt(self, request: Request, body: bytes) -> Response:
        receipt = self._feed(request).receipt()
        return Response(status_code=404) if receipt is None else self._answer(request, receipt)

    async def file(self, request: Request, body: bytes) -> Response:
        try:
            with self._feed(request).open(request.path_params["name"]) as stream:
                content = stream.read()
        except FileNotFoundError:
            return Response(status_code=404)
        return self._file_answer(request, content)

    async def page_receipt(self, request: Request, body: bytes) -> Response:
        """What the pages hold: rows that are records, and the hash of the file they become."""
        source, feed = request.path_params["source"], self._feed(request)
        receipt = read_receipt(feed)
        if feed.receipt() is None:
            return Response(status_code=404)
        files: list[dict[str, Any]] = []
        for entry in receipt["files"]:
            held = self._records(feed, entry["name"])
            if held is None:
                continue
            stated = hash_rows(source, held.file, held.header, held.rows, held.form)
            if self.faults.holds(source, "wrong-hash") and not files:
                stated = entry["sha256"]
            sha256 = stated if self.pages_hashed else None
            files.append({"name": entry["name"], "sha256": sha256, "rows": len(held.rows)})
        return self._answer(request, json.dumps(receipt | {"files": files}, ensure_ascii=False).encode())

    async def page(self, request: Request, body: bytes) -> Response:
        name = request.path_params["name"]
        held = self._records(self._feed(request), name)
        if held is None:
            return Response(status_code=404)
        start = int(request.query_params.get("cursor", "0"))
        end = start + int(request.query_params.get("rows", "1000"))
        cells = ("[" + ",".join(map(write_json_value, row)) + "]" for row in held.rows[start:end])
        page = {
            "columns": held.header,
            "next": str(end) if end < len(held.rows) else None,
            "total": len(held.rows),
            "wire_form": held.form,
            "version": held.version,
        }
        text = json.dumps(page, ensure_ascii=False)[:-1] + ', "rows": [' + ",".join(cells) + "]}"
        return self._answer(request, text.encode(), name)

    def _records(self, feed: DirectoryFeed, name: str) -> Records | None:
        """A delivered file as rows, parsed once for all its pages; None for a workbook or no file at all."""
        file = contract_file(all_contracts()[feed.source], name)
        if file is None or file.format == "xlsx":
            return None
        try:
            with feed.open(name) as stream:
                content = stream.read()
        except FileNotFoundError:
            return None
        version = hashlib.sha256(content).hexdigest()
        held = self.held.get((feed.source, name))
        if held is None or held.version != version:
            header, rows = read_records(content, file)
            held = Records(file, header, rows, wire_form_of(content, file), version)
            self.held[feed.source, name] = held
        return held

    async def submit(self, request: Request, body: bytes) -> Response:
        source = request.path_params["source"]
        try:
            query = json.loads(unseal_query(body, self.query_key, source))
        except ValueError as error:
            return Response(str(error), 400)
        self.queries.append(body)
        identity = request.headers.get("Idempotency-Key", hashlib.sha256(body).hexdigest())[:64]
        if identity not in self.batches:
            self.batches[identity] = Batch(self._answer_query(source, query))
        return self._answer(request, json.dumps({"batch": identity}).encode(), status=202)

    async def batch_state(self, request: Request, body: bytes) -> Response:
        batch = self.batches.get(request.path_params["batch"])
        if batch is None:
            return Response(status_code=404)
        batch.polls += 1
        state = "done" if batch.polls >= _POLLS_UNTIL_DONE else "running"
        return self._answer(request, json.dumps({"state": state}).encode())

    async def batch_list(self, request: Request, body: bytes) -> Response:
        batch = self.batches[request.path_params["batch"]]
        return self._answer(request, json.dumps({"files": sorted(batch.files)}).encode())

    async def batch_file(self, request: Request, body: bytes) -> Response:
        content = self.batches[request.path_params["batch"]].files.get(request.path_params["name"])
        if content is None:
            return Response(status_code=404)
        if request.path_params["name"] == RECEIPT:
            return self._answer(request, content)
        return self._file_answer(request, content)

    def _answer_query(self, source: str, query: Any) -> dict[str, bytes]:
        """Files with only the rows of the persons asked about, and a receipt for them, if there is a delivery."""
        feed = self.shelf.newest(source)
        if feed.receipt() is None:
            return {}
        numbers = [person["id_number"] for person in query["persons"]]
        receipt = read_receipt(feed)
        files: dict[str, bytes] = {}
        for entry in receipt["files"]:
            file = contract_file(all_contracts()[source], entry["name"])
            if file is not None and file.format != "xlsx":
                with feed.open(entry["name"]) as stream:
                    content, entry["rows"] = keep_people(stream.read(), file, numbers)
                if files or not self.faults.holds(source, "wrong-hash"):
                    entry["sha256"] = hashlib.sha256(content).hexdigest()
                files[entry["name"]] = content
        receipt["files"] = [entry for entry in receipt["files"] if entry["name"] in files]
        return files | {RECEIPT: json.dumps(receipt, ensure_ascii=False).encode()}

    def _feed(self, request: Request) -> DirectoryFeed:
        return self.shelf.newest(request.path_params["source"])

    def _answer(self, request: Request, body: bytes, name: str = "", status: int = 200) -> Response:
        source = request.path_params["source"]
        headers = {"Content-Type": "application/json"}
        if self.key is not None:
            key = SigningKey("", b"another") if self.faults.strike(source, "bad-signature") else self.key
            headers[SIGNATURE_HEADER] = key.sign_answer(status, request.headers[NONCE_HEADER], body)
        headers["Content-Length"] = str(len(body))
        return StreamingResponse(self._pieces(source, name, body), status, headers)

    def _file_answer(self, request: Request, content: bytes) -> Response:
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers, status, start = {"ETag": tag, "Accept-Ranges": "bytes"}, 200, 0
        wanted = request.headers.get("Range", "")
        if (
            wanted.startswith("bytes=")
            and wanted.endswith("-")
            and request.headers.get("If-Range") in (None, tag)
        ):
            start = int(wanted[6:-1])
            status = 206
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            if start >= len(content):
                return Response(status_code=416, headers={"Content-Range": f"bytes */{len(content)}"})
        headers["Content-Length"] = str(len(content) - start)
        source, name = request.path_params["source"], request.path_params["name"]
        return StreamingResponse(self._pieces(source, name, content[start:]), status, headers)

    async def _pieces(self, source: str, name: str, content: bytes) -> AsyncIterator[bytes]:
        """The body; a torn one ends after `cut_after` bytes (or half), while its head promised all of it."""
        torn = bool(name) and self.faults.strike(source, "torn")
        end = min(self.cut_after, len(content) // 2) if torn else len(content)
        for start in range(0, end, _PIECE):
            if self.faults.holds(source, "slow"):
                await asyncio.sleep(self.slow_seconds)
            piece = content[start : min(start + _PIECE, end)]
            self.sent[source, name] += len(piece)
            yield piece
        if torn:
            raise ConnectionResetError("planned: the connection is cut here")
