"""A department's SFTP server: only finished drops, only a pinned host key, only reading.

Below the address each delivery has a folder of its own, whose receipt.json is written last. The newest
finished one (by folder name) is the feed; files directly at the address are a drop, too, when a receipt is
among them.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar
from urllib.parse import unquote

import asyncssh

from connectors.errors import FeedRefused
from connectors.feeds import RECEIPT, RECEIPT_MAX_BYTES, is_plain_name
from connectors.transports.loop import LoopThread
from connectors.transports.patience import Patience
from connectors.transports.settings import Settings
from connectors.transports.spool import SpooledCipherFile
from connectors.transports.spooled import SpooledFeed

SFTP_OPTIONS = frozenset({"HOST_KEY", "PASSWORD", "SSH_KEY", "SSH_KEY_PASSPHRASE", "NOT_AFTER"})
_PIECE = 1024 * 1024
_DROPS_LOOKED_AT = 50
_TORN = (
    asyncssh.DisconnectError,
    asyncssh.ChannelOpenError,
    asyncssh.SFTPConnectionLost,
    asyncssh.SFTPNoConnection,
    OSError,
    TimeoutError,
)
T = TypeVar("T")


class SftpFeed(SpooledFeed):
    """The newest finished drop of one source. It is chosen once: receipt and files belong together."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.source, settings.limits())
        settings.require_known(SFTP_OPTIONS)
        self._settings = settings
        self._root = unquote(settings.url.path).rstrip("/") or "/"
        self._session = _Session(settings)
        self._drop: str | None = None

    def close(self) -> None:
        super().close()
        self._session.close()

    def _fetch_receipt(self) -> bytes | None:
        return self._persist(self._choose_drop)

    def _fetch_names(self) -> list[str]:
        if self.receipt() is None:
            return []
        return self._persist(lambda: self._session.list_files(self._folder()))

    def _fetch_file(self, name: str, spool: SpooledCipherFile) -> None:
        if self.receipt() is None:
            raise FileNotFoundError(f"{self.source}: there is no finished drop, so no file {name!r}")
        patience = Patience(self.source, self.limits)
        version: tuple[int, int] | None = None
        while True:
            before = spool.size
            try:
                found = self._session.stat_file(f"{self._folder()}/{name}")
                if found is None:
                    raise FileNotFoundError(f"{self.source}: the drop has no plain file {name!r}")
                if found != version:
                    spool.restart()
                    version, before = found, 0
                self._read_on(name, version, spool, patience)
                if self._session.stat_file(f"{self._folder()}/{name}") == version:
                    return
                self._pause(patience, f"{name} changed while it was read")
            except _Torn as torn:
                if spool.size > before:
                    patience.progressed()
                self._pause(patience, str(torn))

    def _read_on(
        self, name: str, version: tuple[int, int], spool: SpooledCipherFile, patience: Patience
    ) -> None:
        size = version[0]
        while spool.size < size:
            patience.check()
            piece = self._session.read(f"{self._folder()}/{name}", spool.size, min(_PIECE, size - spool.size))
            if not piece:
                raise _Torn(f"{spool.size} of {size} bytes of {name}")
            self.keep(spool, piece, name)

    def _choose_drop(self) -> bytes | None:
        """The receipt of the newest finished drop.

        A receipt that is no whole JSON yet is still being written.
        """
        latest = self._settings.text("NOT_AFTER")
        folders = sorted(self._session.list_folders(self._root), reverse=True)
        if latest is not None:
            folders = [name for name in folders if _digits(name)[:8] <= _digits(latest)[:8]]
        for folder in [*(f"{self._root}/{name}" for name in folders[:_DROPS_LOOKED_AT]), self._root]:
            receipt = self._read_receipt(f"{folder}/{RECEIPT}")
            if receipt is not None and _is_whole(receipt):
                self._drop = folder
                return receipt
        return None

    def _read_receipt(self, path: str) -> bytes | None:
        found = self._session.stat_file(path)
        if found is None:
            return None
        if found[0] > RECEIPT_MAX_BYTES:
            self._settings.refuse(
                f"a receipt of more than {RECEIPT_MAX_BYTES} bytes", "a receipt", "ask the department"
            )
        receipt = b""
        while len(receipt) < found[0]:
            piece = self._session.read(path, len(receipt), found[0] - len(receipt))
            if not piece:
                return None
            receipt += piece
        return receipt

    def _folder(self) -> str:
        assert self._drop is not None
        return self._drop

    def _persist(self, ask: Callable[[], T]) -> T:
        patience = Patience(self.source, self.limits)
        while True:
            try:
                return ask()
            except _Torn as torn:
                self._pause(patience, str(torn))

    def _pause(self, patience: Patience, why: str) -> None:
        self._session.drop_connection()
        patience.pause(why)


class _Torn(Exception):
    """The connection was lost or timed out; worth another try."""


class _Session:
    """One SSH connection, opened when needed, driven by a loop in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._timeout = settings, settings.limits().timeout_seconds
        self._options = _connect_options(settings)
        self._loop: LoopThread | None = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None
        self._open: tuple[str, asyncssh.SFTPClientFile] | None = None

    def list_folders(self, path: str) -> list[str]:
        return self._run(self._list(path, stat.S_ISDIR))

    def list_files(self, path: str) -> list[str]:
        return self._run(self._list(path, stat.S_ISREG))

    def stat_file(self, path: str) -> tuple[int, int] | None:
        """Size and time of a plain file; None when there is none. Links are not followed."""
        return self._run(self._stat(path))

    def read(self, path: str, offset: int, size: int) -> bytes:
        return self._run(self._read(path, offset, size))

    def drop_connection(self) -> None:
        """The next call connects anew."""
        lost = self._connection
        self._connection, self._client, self._open = None, None, None
        if self._loop is not None and lost is not None:
            self._loop.run(self._abort(lost))

    def close(self) -> None:
        self.drop_connection()
        if self._loop is not None:
            self._loop.close()
            self._loop = None

    @staticmethod
    async def _abort(connection: asyncssh.SSHClientConnection) -> None:
        connection.abort()
        await connection.wait_closed()

    async def _list(self, path: str, kind: Callable[[int], bool]) -> list[str]:
        client = await self._connected()
        try:
            entries = await client.readdir(path)
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return []
        names = [(str(entry.filename), entry.attrs.permissions) for entry in entries]
        return [name for name, mode in names if mode is not None and kind(mode) and is_plain_name(name)]

    async def _stat(self, path: str) -> tuple[int, int] | None:
        client = await self._connected()
        try:
            found = await client.lstat(path)
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None
        if found.permissions is None or not stat.S_ISREG(found.permissions):
            return None
        return int(found.size or 0), int(found.mtime or 0)

    async def _read(self, path: str, offset: int, size: int) -> bytes:
        client = await self._connected()
        if self._open is None or self._open[0] != path:
            if self._open is not None:
                await self._open[1].close()
            self._open = (path, await client.open(path, "rb"))
        piece = await self._open[1].read(size, offset)
        return piece.encode() if isinstance(piece, str) else piece

    async def _connected(self) -> asyncssh.SFTPClient:
        if self._client is None:
            self._connection = await asyncssh.connect(**self._options)
            self._client = await self._connection.start_sftp_client()
        return self._client

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            self._loop = LoopThread("hedui-sftp")
        try:
            return self._loop.run(work, self._timeout)
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
            self._refuse(
                "a host key that is not the pinned one",
                f"the key in {self._settings.variable}__HOST_KEY",
                "do not connect; call the department and compare the key by voice",
            )
        except asyncssh.PermissionDenied:
            self._refuse(
                "a login that was refused", "an accepted key or password", "check user, key and password"
            )
        except asyncssh.SFTPPermissionDenied:
            self._refuse("a folder or file we may not read", "read access", "ask the department for it")
        except _TORN as error:
            raise _Torn(f"the connection failed ({type(error).__name__})") from None
        except asyncssh.SFTPError as error:
            raise _Torn(f"the server answered {type(error).__name__}") from None

    def _refuse(self, found: str, wanted: str, do: str) -> NoReturn:
        self.drop_connection()
        raise FeedRefused(self._settings.source, found=found, wanted=wanted, do=do)


def _connect_options(settings: Settings) -> dict[str, Any]:
    """Nothing of the account's own SSH set-up (config, agent, known_hosts, default keys) takes part."""
    url, limits = settings.url, settings.limits()
    if not url.hostname or not url.username or url.query:
        settings.refuse(
            "an address without host or user name, or with a query", "sftp://user@host/path", "correct it"
        )
    pinned = settings.required("HOST_KEY", "the department's public host key, as ssh-ed25519 AAAA…")
    key_file, passphrase = settings.text("SSH_KEY"), settings.secret("SSH_KEY_PASSPHRASE")
    try:
        host_key = asyncssh.import_public_key(pinned)
        client_keys = [asyncssh.read_private_key(key_file, passphrase)] if key_file else None
    except (OSError, asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        settings.refuse(
            f"a HOST_KEY or SSH_KEY that cannot be used ({type(error).__name__})",
            "a public host key, and the path of a private key",
            "correct the setting, or the passphrase",
        )
    return {
        "host": url.hostname,
        "port": url.port or 22,
        "username": unquote(url.username),
        "password": settings.secret("PASSWORD"),
        "client_keys": client_keys,
        "known_hosts": ([host_key], [], []),
        "agent_path": None,
        "config": None,
        "connect_timeout": limits.timeout_seconds,
        "login_timeout": limits.timeout_seconds,
    }


def _is_whole(receipt: bytes) -> bool:
    try:
        return isinstance(json.loads(receipt.decode("utf-8-sig")), dict)
    except (ValueError, RecursionError):
        return False


def _digits(name: str) -> str:
    return re.sub(r"\D", "", name)
