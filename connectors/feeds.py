"""A source's delivery as the intake sees it: one receipt and named files, wherever they come from.

The embedded default is a folder per source. `open_feed` chooses another transport when the environment
names one; the bytes are the same whichever way they travel.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from connectors.errors import FeedRefused, FeedUnavailable
from connectors.person_query import PersonQuery

RECEIPT = "receipt.json"
RECEIPT_MAX_BYTES = 64 * 1024 * 1024


class Feed(Protocol):
    """One delivery of one source.

    receipt: the bytes of receipt.json, None when the folder or the receipt is not there.
    names: the files present, sorted, without receipt.json.
    open: the bytes of one file as a seekable stream, as often as asked. Raises FileNotFoundError when there
    is no such plain file in the feed, FeedUnavailable when trying again later may help, FeedRefused when it
    cannot.
    close: ends connections and forgets what was fetched.
    """

    source: str

    def receipt(self) -> bytes | None: ...

    def names(self) -> list[str]: ...

    def open(self, name: str) -> BinaryIO: ...

    def close(self) -> None: ...


def is_plain_name(name: str) -> bool:
    """Whether `name` can only mean a file directly in a feed.

    It has no separator of any system and no NUL, and is not `.` or `..`.
    """
    return name not in ("", ".", "..") and not any(sign in name for sign in "/\\\0")


class DirectoryFeed:
    """The folder of one source. Nothing outside it is ever opened, whatever a receipt or a link says."""

    def __init__(self, source: str, folder: Path) -> None:
        self.source = source
        self.folder = folder

    def receipt(self) -> bytes | None:
        try:
            with self.open(RECEIPT) as stream:
                content = stream.read(RECEIPT_MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        return content[:RECEIPT_MAX_BYTES]

    def names(self) -> list[str]:
        """Plain files only. A name that is not UTF-8 is shown escaped: it can be reported, not opened."""
        try:
            entries = list(self.folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise self._unavailable("the folder", error) from None
        names = (entry.name for entry in entries if entry.name != RECEIPT and self._inside(entry))
        return sorted(os.fsencode(name).decode("utf-8", "backslashreplace") for name in names)

    def open(self, name: str) -> BinaryIO:
        path = self.folder / name if is_plain_name(name) else None
        if path is None or not self._inside(path):
            raise FileNotFoundError(f"{self.source}: {name!r} is no plain file of this feed's folder")
        try:
            # A pipe put in the file's place must not make the night wait, a link there must not be followed.
            handle = os.open(path.resolve(), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self._unavailable(f"file {name!r}", error) from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise FileNotFoundError(f"{self.source}: {name!r} is no plain file of this feed's folder")
        return os.fdopen(handle, "rb")

    def close(self) -> None:
        """Nothing is held between calls."""

    def _inside(self, path: Path) -> bool:
        try:
            target = path.resolve(strict=True)
            return target.is_relative_to(self.folder.resolve()) and stat.S_ISREG(target.stat().st_mode)
        except (OSError, RuntimeError):
            return False

    def _unavailable(self, what: str, error: OSError) -> FeedUnavailable:
        return FeedUnavailable(
            self.source,
            found=f"{what} cannot be read ({type(error).__name__})",
            wanted="a readable folder",
            do="check the permissions of the feeds folder",
        )


class AbsentFeed:
    """A source for which neither a folder nor an address was given: it is missing."""

    def __init__(self, source: str) -> None:
        self.source = source

    def receipt(self) -> bytes | None:
        return None

    def names(self) -> list[str]:
        return []

    def open(self, name: str) -> BinaryIO:
        raise FileNotFoundError(f"{self.source}: no feed is configured, so there is no file {name!r}")

    def close(self) -> None:
        """Nothing is held."""


class RefusedFeed(AbsentFeed):
    """A source whose address or settings cannot be used: it is missing, and says why when it is asked."""

    def __init__(self, source: str, refusal: FeedRefused) -> None:
        super().__init__(source)
        self._refusal = refusal

    def receipt(self) -> bytes | None:
        raise self._refusal


def address_variable(source: str) -> str:
    """The environment variable that holds the address of a source."""
    return f"HEDUI_FEED_{source.upper()}"


def open_feed(
    source: str, feeds_dir: Path | None, environ: Mapping[str, str], query: PersonQuery | None = None
) -> Feed:
    """The feed of `source`: by the address in `$HEDUI_FEED_<SOURCE>`, else the folder `feeds_dir/<source>`.

    Nothing is read or connected before the feed is asked. `query` names the persons for a source that answers
    batches (docs/transports.md). Raises FeedRefused when the address or its settings cannot be used.
    """
    if environ.get(address_variable(source)):
        from connectors.transports import connect  # the network libraries cost a second to import

        return connect(source, environ, query)
    return DirectoryFeed(source, feeds_dir / source) if feeds_dir is not None else AbsentFeed(source)
