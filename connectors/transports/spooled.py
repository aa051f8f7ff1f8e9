"""What every remote feed shares.

The receipt is asked once, and each file is fetched whole before its first byte is read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import BinaryIO

from connectors.errors import FeedUnavailable
from connectors.feeds import RECEIPT, is_plain_name
from connectors.transports.settings import Limits
from connectors.transports.spool import SpooledCipherFile


class SpooledFeed(ABC):
    """A feed whose files come over a network. Half a file is never handed out: it is whole, or an error."""

    def __init__(self, source: str, limits: Limits) -> None:
        self.source = source
        self.limits = limits
        self._receipt: bytes | None = None
        self._spools: dict[str, SpooledCipherFile] = {}

    def receipt(self) -> bytes | None:
        if self._receipt is None:
            self._receipt = self._fetch_receipt()
        return self._receipt

    def names(self) -> list[str]:
        return sorted(name for name in set(self._fetch_names()) if is_plain_name(name) and name != RECEIPT)

    def open(self, name: str) -> BinaryIO:
        if not is_plain_name(name):
            raise FileNotFoundError(f"{self.source}: {name!r} is no plain file name")
        spool = self._spools.get(name)
        if spool is None:
            spool = SpooledCipherFile()
            try:
                self._fetch_file(name, spool)
                spool.finish()
            except BaseException:
                spool.close()
                raise
            self._spools[name] = spool
        return spool.reader()

    def close(self) -> None:
        """Forget what was fetched. Readers handed out before cannot be read any more."""
        for spool in self._spools.values():
            spool.close()
        self._spools.clear()

    def keep(self, spool: SpooledCipherFile, data: bytes, name: str) -> None:
        """Add `data`. Raises FeedUnavailable when the file grows beyond MAX_BYTES."""
        if spool.size + len(data) > self.limits.max_bytes:
            raise FeedUnavailable(
                self.source,
                found=f"{name} is larger than {self.limits.max_bytes} bytes",
                wanted="a file of ordinary size",
                do="ask the department, or raise MAX_BYTES",
            )
        spool.write(data)

    @abstractmethod
    def _fetch_receipt(self) -> bytes | None: ...

    @abstractmethod
    def _fetch_names(self) -> list[str]: ...

    @abstractmethod
    def _fetch_file(self, name: str, spool: SpooledCipherFile) -> None:
        """Write the whole file into `spool`. Raises FileNotFoundError, FeedUnavailable or FeedRefused."""
