"""Reading one published night: its manifest, its two lists, checked against the manifest's hashes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.lists import FILES, ROSTER_FILE, read_night_file, read_published
from pipelines.manifest import Manifest, read_manifest
from portal.codes import rule_figures
from portal.sealing import Tokens

LISTS = ("discrepancies", "newly_eligible")
# The fact of a finding without a figure: nothing an explanation could be bound to for the night.
NO_FACT = "-"


@dataclass(frozen=True)
class PublishedNight:
    """as_of: the night; manifest: nights/<as_of>.json as read."""

    home: Path
    as_of: date
    manifest: Manifest

    @property
    def published_at(self) -> datetime:
        return datetime.fromisoformat(self.manifest["published_at"])

    @property
    def key_version(self) -> int:
        return self.manifest["key_version"]

    def read_list(self, name: str) -> pa.Table:
        """A list's rows; with the discrepancies those that the night kept off the list because they are explained.

        Raises pipelines' ListBroken when a file is not the published one.
        """
        if name != "discrepancies":
            return read_published(self.home, self.manifest, "newly-eligible")
        listed = read_published(self.home, self.manifest, "discrepancies")
        if FILES["explained"] not in self.manifest["files"]:
            return listed
        # The desk judges by its own explanations, which may be newer than those the night was told.
        explained = read_published(self.home, self.manifest, "explained")
        return pa.concat_tables([listed, explained.select(listed.column_names)])

    def read_roster(self) -> pa.Table | None:
        """The roster beside the lists; None of a night that has none. Raises ListBroken."""
        if ROSTER_FILE not in self.manifest["files"]:
            return None
        return read_night_file(self.home, self.manifest, ROSTER_FILE)


def read_night(home: Path, as_of: date) -> PublishedNight:
    """Raises pipelines' NightNotPublished or ManifestError."""
    return PublishedNight(home, as_of, read_manifest(home, as_of))


def token_matrix(column: pa.ChunkedArray[Any]) -> tuple[list[bool], Tokens]:
    """Which rows name a person, and their (n, 16) tokens."""
    tokens = column.to_pylist()
    known = [token for token in tokens if token is not None]
    matrix = np.frombuffer(b"".join(known), np.uint8).reshape(-1, 16)
    return [token is not None for token in tokens], matrix


def fen(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount * 100)


def fact_of(rule: str, value_fen: int | None, as_of: date) -> str:
    """What an explanation is bound to: the value, or for rules that count days the day they count from."""
    if value_fen is None:
        return NO_FACT
    figures = rule_figures().get(rule)
    if figures and figures.fact == "date":
        return date.fromordinal(as_of.toordinal() - value_fen // 100).isoformat()
    return str(value_fen)
