"""Bytes kept between two reads, never in plain on disk.

A nameless temporary file of AES-256-GCM chunks under a random key that only this process' memory holds.
Whoever finds the disk finds noise, and when the process ends, however it ends, nobody can read it again.
"""

from __future__ import annotations

import io
import secrets
import tempfile
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK = 256 * 1024
_TAG = 16


class SpooledCipherFile:
    """Append bytes, `finish`, then open any number of readers. Sizes are of the plain bytes."""

    def __init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self._cipher = AESGCM(secrets.token_bytes(32))
        self._file = tempfile.TemporaryFile(prefix="hedui-", buffering=0)  # noqa: SIM115 - lives as long as the feed
        self._tail = bytearray()
        self._chunks = 0
        self._finished = False

    @property
    def size(self) -> int:
        if self._finished:
            return self._size
        return self._chunks * CHUNK + len(self._tail)

    def write(self, data: bytes) -> None:
        if self._finished:
            raise ValueError("this spool is finished; nothing can be added")
        self._tail += data
        if len(self._tail) < CHUNK:
            return
        whole = len(self._tail) // CHUNK * CHUNK
        with memoryview(self._tail) as view:
            for start in range(0, whole, CHUNK):
                self._append(view[start : start + CHUNK])
        del self._tail[:whole]

    def restart(self) -> None:
        """Forget everything written; a new key, since a chunk number must never meet the same key twice."""
        self._file.close()
        self._open()

    def finish(self) -> None:
        """The bytes are complete: from now on they can be read."""
        self._size = self.size
        if self._tail:
            self._append(bytes(self._tail))
        self._tail.clear()
        self._finished = True

    def reader(self) -> BinaryIO:
        """A seekable stream from the first byte. Raises ValueError before `finish`."""
        if not self._finished:
            raise ValueError("this spool is not finished; half a file is never handed out")
        return io.BufferedReader(_SpoolReader(self), buffer_size=CHUNK)

    def close(self) -> None:
        self._file.close()
        self._tail.clear()

    def _append(self, plain: bytes | memoryview) -> None:
        sealed = self._cipher.encrypt(self._nonce(self._chunks), plain, None)
        self._file.seek(self._chunks * (CHUNK + _TAG))
        written = self._file.write(sealed)
        if written != len(sealed):
            raise OSError("the temporary folder is full")
        self._chunks += 1

    def read_chunk(self, index: int) -> bytes:
        """Chunk `index`, b"" after the last. Raises cryptography's InvalidTag when the disk changed it."""
        if index >= self._chunks:
            return b""
        self._file.seek(index * (CHUNK + _TAG))
        return self._cipher.decrypt(self._nonce(index), self._file.read(CHUNK + _TAG), None)

    @staticmethod
    def _nonce(index: int) -> bytes:
        return index.to_bytes(12, "big")


class _SpoolReader(io.RawIOBase):
    def __init__(self, spool: SpooledCipherFile) -> None:
        self._spool, self._position = spool, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._spool.size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the first byte")
        self._position = base + offset
        return self._position

    def readinto(self, target: object) -> int:
        view = memoryview(target).cast("B")  # type: ignore[arg-type]
        index, skip = divmod(self._position, CHUNK)
        piece = self._spool.read_chunk(index)[skip : skip + len(view)]
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)
