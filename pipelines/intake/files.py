"""One file of a feed, read once: batches judged, counted, and held when it is not what the receipt says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.contract import Contract, FileContract
from connectors.errors import FeedError
from connectors.feeds import Feed
from pipelines.errors import SourceHeld
from pipelines.intake.batch import BIT, reasons_of
from pipelines.intake.checks import Judging
from pipelines.intake.judged import Judged
from pipelines.intake.lines import read_lines
from pipelines.intake.objects import read_json_array, read_json_lines
from pipelines.intake.receipts import HashingReader, ReceiptFile
from pipelines.intake.workbook import read_workbook

_READERS = {
    "csv": read_lines,
    "pipe": read_lines,
    "jsonl": read_json_lines,
    "json": read_json_array,
    "xlsx": read_workbook,
}

QUARANTINE_SCHEMA = pa.schema(
    [("source", pa.string()), ("file", pa.string()), ("line", pa.int64()), ("mask", pa.uint32())]
)


@dataclass
class FileOutcome:
    """What reading one file came to. codes: {column: {code: rows}} of accepted rows, for drift checks."""

    name: str
    received: int = 0
    quarantined: int = 0
    held: list[tuple[str, str]] = field(default_factory=list)
    bad_lines: list[NDArray[np.int64]] = field(default_factory=list)
    bad_masks: list[NDArray[np.uint32]] = field(default_factory=list)
    codes: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        return self.received - self.quarantined

    def note_batch(self, checked: Judged) -> None:
        """Count a batch and remember its bad rows."""
        bad = np.flatnonzero(checked.mask)
        self.received += len(checked.lines) + len(checked.spoiled)
        self.note_bad(checked.lines[bad], checked.mask[bad])
        if checked.spoiled:
            lines = np.array([line for line, _ in checked.spoiled], dtype=np.int64)
            self.note_bad(lines, np.array([BIT[reason] for _, reason in checked.spoiled], dtype=np.uint32))

    def forget_rows(self) -> None:
        """The file turned out to be no file of its kind: nothing read from it counts."""
        self.received = self.quarantined = 0
        self.bad_lines.clear()
        self.bad_masks.clear()
        self.codes.clear()

    def note_bad(self, lines: NDArray[np.int64], masks: NDArray[np.uint32]) -> None:
        if len(lines):
            self.quarantined += len(lines)
            self.bad_lines.append(lines)
            self.bad_masks.append(masks)

    def without(self, lines: NDArray[np.int64]) -> FileOutcome:
        """The same with nothing said of some lines but that they were received."""
        left = FileOutcome(
            self.name, self.received, codes={one: counts.copy() for one, counts in self.codes.items()}
        )
        for bad, masks in zip(self.bad_lines, self.bad_masks, strict=True):
            stays = ~np.isin(bad, lines)
            left.note_bad(bad[stays], masks[stays])
        return left

    def replace_verdicts(self, checked: Judged, masks: NDArray[np.uint32]) -> None:
        """Add the reasons that only show across rows to those of a batch counted before."""
        changed = np.flatnonzero(masks != checked.mask)
        if not len(changed):
            return
        before = checked.mask[changed] != 0
        known = dict(
            zip(checked.lines[changed][before].tolist(), masks[changed][before].tolist(), strict=True)
        )
        for lines, bits in zip(self.bad_lines, self.bad_masks, strict=True) if known else ():
            for at, line in enumerate(lines.tolist()):
                if line in known:
                    bits[at] = known[line]
        fresh = changed[~before]
        self.note_bad(checked.lines[fresh], masks[fresh])
        checked.mask[:] = masks

    def note_codes(self, checked: Judged, good: NDArray[np.int64]) -> None:
        """Count the codes of accepted rows; columns of codes only, so no value of a person is kept."""
        for column in checked.file.columns:
            if column.type not in ("code", "currency"):
                continue
            values, codes = checked.coded(column.name, good)
            counts = np.bincount(codes, minlength=len(values))
            found = self.codes.setdefault(column.name, Counter())
            for code, count in zip(values.to_pylist(), counts.tolist(), strict=True):
                if count:
                    found[code or ""] += count

    def quarantine(self, source: str) -> pa.Table:
        lines = np.concatenate(self.bad_lines) if self.bad_lines else np.zeros(0, np.int64)
        masks = np.concatenate(self.bad_masks) if self.bad_masks else np.zeros(0, np.uint32)
        order = np.argsort(lines, kind="stable")
        columns: list[Any] = [[source] * len(lines), [self.name] * len(lines), lines[order], masks[order]]
        return pa.table(columns, schema=QUARANTINE_SCHEMA)

    def reasons(self) -> Counter[str]:
        """Rows per reason; a row counts under each of its reasons."""
        counts: Counter[str] = Counter()
        for masks in self.bad_masks:
            for mask, rows in zip(*np.unique(masks, return_counts=True), strict=True):
                for reason in reasons_of(int(mask)).split(";"):
                    counts[reason] += int(rows)
        return counts


def contract_of(contract: Contract, name: str) -> FileContract | None:
    return next((file for file in contract.files if fnmatchcase(name, file.pattern)), None)


def read_records(stream: BinaryIO, file: FileContract, name: str, judging: Judging) -> Iterator[Judged]:
    """The file's records, judged. Raises SourceHeld (unreadable, header_mismatch)."""
    return _READERS[file.format](stream, file, name, judging)


def read_file(
    feed: Feed, contract: Contract, listed: ReceiptFile, judging: Judging, outcome: FileOutcome
) -> Iterator[Judged]:
    """Yield the judged batches of one file the receipt names; what holds the source goes to outcome.held.

    The hash and the number of rows are compared when the file has been read to its end.
    """
    file = contract_of(contract, listed.name)
    if file is None:
        patterns = ", ".join(one.pattern for one in contract.files)
        outcome.held.append(
            ("unreadable", f"{contract.source}: {listed.name} is no file of this contract; wanted {patterns}")
        )
        return
    try:
        with feed.open(listed.name) as stream:
            reader = HashingReader(stream)
            complete = True
            try:
                for checked in read_records(cast(BinaryIO, reader), file, listed.name, judging):
                    outcome.note_batch(checked)
                    yield checked
            except SourceHeld as held:
                outcome.forget_rows()
                outcome.held.append((held.reason, str(held)))
                complete = False
            found = reader.finish()
    except FileNotFoundError:
        outcome.held.append(
            ("unreadable", f"{contract.source}: {listed.name} is in the receipt and not in the feed")
        )
        return
    except (OSError, FeedError) as error:
        what = str(error) if isinstance(error, FeedError) else type(error).__name__
        outcome.held.append(("unreadable", f"{contract.source}: {listed.name} cannot be read ({what})"))
        return
    if found != listed.sha256:
        outcome.held.append(
            (
                "receipt_mismatch",
                f"{contract.source}: {listed.name} is not the file of the receipt (sha256 differs)",
            )
        )
    elif complete and outcome.received != listed.rows:
        outcome.held.append(
            (
                "receipt_mismatch",
                f"{contract.source}: {listed.name} has {outcome.received} rows; the receipt says {listed.rows}",
            )
        )
