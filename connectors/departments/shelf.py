"""What the departments put out: a copy of the feeds as drops, with the planned data faults in it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from connectors.contract import FileContract
from connectors.departments.faults import Faults
from connectors.feeds import RECEIPT, DirectoryFeed
from connectors.registry import all_contracts
from connectors.transports.rendering import contract_file

_NEW_NAME = "_new"


class Shelf:
    """`shelf/<source>/<drop>/…`. A feed's own files are one drop; folders in it are drops of their own."""

    def __init__(self, feeds: Path, shelf: Path, faults: Faults) -> None:
        self._feeds, self.folder, self._faults = feeds, shelf, faults

    def sources(self) -> list[str]:
        return sorted(
            path.name for path in self._feeds.iterdir() if path.is_dir() and path.name in all_contracts()
        )

    def put_out(self) -> None:
        """Lay everything out anew, from the feeds as they are now."""
        for source in self.sources():
            target = self.folder / source
            if target.exists():
                shutil.rmtree(target)
            target.mkdir(parents=True)
            for drop in _drops_of(self._feeds / source):
                shutil.copytree(
                    drop, target / _drop_name(drop), ignore=lambda folder, names: _folders_in(folder, names)
                )
            self._spoil(source)

    def newest(self, source: str) -> DirectoryFeed:
        """The newest drop, finished or not."""
        drops = sorted(path for path in (self.folder / source).glob("*/") if path.is_dir())
        return DirectoryFeed(source, drops[-1] if drops else self.folder / source)

    def _spoil(self, source: str) -> None:
        feed = self.newest(source)
        if self._faults.holds(source, "drift"):
            _rename_column(feed)
        if self._faults.holds(source, "wrong-hash"):
            receipt = read_receipt(feed)
            receipt["files"][0]["sha256"] = hashlib.sha256(b"another file").hexdigest()
            write_receipt(feed.folder, receipt)
        if self._faults.holds(source, "half-drop"):
            (feed.folder / RECEIPT).unlink(missing_ok=True)
            names = feed.names()
            for name in names[(len(names) + 1) // 2 :]:
                (feed.folder / name).unlink()


def read_receipt(feed: DirectoryFeed) -> Any:
    return json.loads(feed.receipt() or b'{"files": []}')


def write_receipt(folder: Path, receipt: Any) -> None:
    (folder / RECEIPT).write_text(json.dumps(receipt, ensure_ascii=False), encoding="utf-8")


def _drops_of(feed: Path) -> list[Path]:
    nested = sorted(path for path in feed.iterdir() if path.is_dir())
    own = any(path.is_file() for path in feed.iterdir())
    return nested + ([feed] if own or not nested else [])


def _drop_name(drop: Path) -> str:
    if drop.name not in all_contracts():
        return drop.name
    return str(read_receipt(DirectoryFeed(drop.name, drop)).get("snapshot_date", "unfinished"))


def _folders_in(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if (Path(folder) / name).is_dir()}


def _rename_column(feed: DirectoryFeed) -> None:
    """The department changes its export and states the new file's hash: only the header tells."""
    receipt = read_receipt(feed)
    entry = receipt["files"][0]
    path = feed.folder / entry["name"]
    file = contract_file(all_contracts()[feed.source], entry["name"])
    if file is None or file.format == "xlsx":
        raise ValueError(f"{feed.source}: drift is not made for {entry['name']}")
    path.write_bytes(_renamed(path.read_bytes(), file))
    entry["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    write_receipt(feed.folder, receipt)


def _renamed(content: bytes, file: FileContract) -> bytes:
    last = file.columns[-1].header
    if file.format in ("csv", "pipe"):
        header, rest = content.split(b"\n", 1)
        return (
            header.decode(file.encoding).replace(last, last + _NEW_NAME).encode(file.encoding) + b"\n" + rest
        )
    return content.replace(f'"{last}"'.encode(file.encoding), f'"{last}{_NEW_NAME}"'.encode(file.encoding))
