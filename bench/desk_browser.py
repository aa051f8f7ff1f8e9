"""A browser's connection, as cheap as it can be: it shares the cores with the desk that is measured.

A click is timed from the press to the last byte of the answer.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

# Shorter than the server keeps a connection, or a click may fall on one that is just being closed.
_KEPT_SECONDS = 3.0
_LONGEST_ANSWER = 120.0


@dataclass(frozen=True)
class Answer:
    """status: of HTTP. seconds: from the press to the last byte, a new connection included."""

    status: int
    seconds: float
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Browser:
    """One officer's: a connection kept alive, and the cookies it was given. It follows no redirects."""

    def __init__(self, address: str) -> None:
        place = urlsplit(address)
        self._host, self._port = str(place.hostname), int(place.port or 80)
        self._cookies: dict[str, str] = {}
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used = 0.0

    async def get(self, path: str) -> Answer:
        return await self._press(self._head("GET", path))

    async def post(self, path: str, fields: dict[str, str]) -> Answer:
        body = urlencode(fields).encode()
        told = f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n"
        return await self._press(self._head("POST", path, told) + body)

    async def close(self) -> None:
        if self._connection is not None:
            writer = self._connection[1]
            self._connection = None
            writer.close()
            await writer.wait_closed()

    def _head(self, method: str, path: str, told: str = "") -> bytes:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return (
            f"{method} {path} HTTP/1.1\r\nhost: {self._host}:{self._port}\r\naccept: */*\r\n"
            f"accept-encoding: gzip, deflate\r\nconnection: keep-alive\r\nuser-agent: bench\r\n"
            f"{f'cookie: {cookies}' + chr(13) + chr(10) if cookies else ''}{told}\r\n"
        ).encode()

    async def _press(self, request: bytes) -> Answer:
        begun = time.perf_counter()
        async with asyncio.timeout(_LONGEST_ANSWER):
            reader, writer = await self._connected(begun)
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length_of(head))
        self._used = time.perf_counter()
        self._keep_cookies(head)
        return Answer(int(head[9:12]), self._used - begun, body)

    async def _connected(self, now: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._connection is not None and now - self._used > _KEPT_SECONDS:
            await self.close()
        if self._connection is None:
            self._connection = await asyncio.open_connection(self._host, self._port, limit=1 << 20)
        return self._connection

    def _keep_cookies(self, head: bytes) -> None:
        for line in head.split(b"\r\n"):
            if line[:11].lower() == b"set-cookie:":
                name, _, value = line[11:].decode().strip().split(";")[0].partition("=")
                self._cookies[name] = value


def _length_of(head: bytes) -> int:
    """The desk tells the length of every page; an answer in pieces is none of it."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    raise ValueError(f"an answer without a length: {head[:12].decode(errors='replace')}")
