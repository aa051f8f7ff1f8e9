"""Rows that were kept of a delivery the night before, carried over for the people whose rows are the same tonight.

A kept row hangs on the delivery and on the one person it reaches, not on who else is asked about. Only a mistyped
number does: it is repaired when one person alone comes into question.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.contract import Contract, FileContract
from pipelines.intake.asked import AskedPeople
from pipelines.intake.batch import BIT
from pipelines.intake.evidence_tables import batches_of, open_part, part_name, sum_money
from pipelines.intake.files import contract_of
from pipelines.intake.gathered import Gathered
from pipelines.intake.persons import distinct
from pipelines.intake.registers import (
    HOUSEHOLD_REGISTRATION,
    keep_registers,
    registers_of,
    rows_of_heads,
)
from pipelines.intake.standing import WITHDRAWN, Standing


@dataclass(frozen=True)
class EarlierReading:
    """What reading a delivery came to on the latest published night, every part as it was kept.

    files: in the order of the receipt; is_judged_alike: no date that lay in the future then has come, so every row
    would be judged as it was.
    """

    folder: Path
    files: list[Gathered]
    is_judged_alike: bool

    def parts(self, kind: str) -> list[Path]:
        return sorted(self.folder.glob(f"{kind}-*"))

    def lines_in_future(self, number: int) -> NDArray[np.int64]:
        """The lines of a file that were quarantined for a date after that night, in order; some may be accepted now."""
        outcome = self.files[number].outcome
        late = [
            lines[masks & BIT["date_in_future"] != 0]
            for lines, masks in zip(outcome.bad_lines, outcome.bad_masks, strict=True)
        ]
        return np.sort(np.concatenate([np.zeros(0, np.int64), *late]))


@dataclass(frozen=True)
class Carried:
    """An earlier reading, tonight's people, and how they stand to those it was made for."""

    contract: Contract
    earlier: EarlierReading
    people: AskedPeople
    standing: Standing

    def is_enough(self) -> bool:
        """Whether what was kept holds the rows of everybody asked about tonight, and every count follows from it.

        Of people without authorisation nothing is kept but the number of all their rows: when one of them leaves, they
        must be counted again. When anybody leaves, a mistyped row about either of two may now be about one.
        """
        files, standing = self.earlier.files, self.standing
        return self.earlier.is_judged_alike and not (
            standing.has_new
            or (standing.has_left_unauthorised and any(one.unauthorised for one in files))
            or (standing.has_left and any(one.ambiguous for one in files))
        )

    def take_over(self, building: Path) -> list[Gathered]:
        """Evidence of the whole delivery without reading it, when what was kept is enough.

        Returns what reading would have come to.
        """
        if self._is_same():
            for part in (*self.earlier.parts("part"), *self.earlier.parts("register")):
                link_file(part, building / part.name)
            return self.earlier.files
        taken = []
        for number, before in enumerate(self.earlier.files):
            gathered = Gathered(before.outcome, ambiguous=before.ambiguous, first_future=before.first_future)
            file = contract_of(self.contract, before.outcome.name)
            if file is not None:
                with open_part(building, number, file) as writer:
                    withdrawn = self.write_rows(number, file, writer, gathered, with_repaired=True)
                gathered.unauthorised = before.unauthorised + withdrawn
            taken.append(gathered)
        if self.contract.source == HOUSEHOLD_REGISTRATION:
            self.keep_registers(distinct(*(one.registers for one in taken)), building)
        return taken

    def write_rows(
        self,
        number: int,
        file: FileContract,
        writer: pa.ipc.RecordBatchFileWriter,
        gathered: Gathered,
        with_repaired: bool,
    ) -> int:
        """Write the rows of one file that stay, under tonight's numbers, and count them in `gathered`.

        Returns how many were of people who are not authorised any more.
        """
        withdrawn = dropped_sum = 0
        gathered.first_row = number << 32
        for rows in batches_of(self.earlier.folder / part_name(number)):
            now = self.standing.now[rows.column("person").to_numpy()]
            stays = now >= 0
            if not with_repaired:
                stays &= ~rows.column("is_repaired").to_numpy(zero_copy_only=False)
            withdrawn += int((now == WITHDRAWN).sum())
            if not stays.all():
                dropped_sum += sum_money(rows.filter(pa.array(~stays)), file)
                rows, now = rows.filter(pa.array(stays)), now[stays]
            if not len(now):
                continue
            start = gathered.first_row + gathered.kept
            rows = rows.set_column(0, "row", pa.array(np.arange(start, start + len(now))))
            rows = rows.set_column(1, "person", pa.array(now))
            writer.write_batch(rows)
            gathered.kept += len(now)
            if self.contract.source == HOUSEHOLD_REGISTRATION:
                at = np.searchsorted(self.people.person, now)
                gathered.note_registers(registers_of(rows, rows_of_heads(rows, at, self.people)))
        gathered.kept_sum += self.earlier.files[number].kept_sum - dropped_sum
        return withdrawn

    def keep_registers(self, registers: NDArray[np.int64], building: Path) -> NDArray[np.int64]:
        """Keep what was found of the registers on the second look. Returns those that were looked at."""
        return keep_registers(self.earlier.parts("register"), registers, building / "register-0000.parquet")

    def _is_same(self) -> bool:
        """Whether every kept row is what it was, of the same person under the same number."""
        same = self.standing.now == np.arange(len(self.standing.now))
        return all(
            same[rows.column("person").to_numpy()].all()
            for part in self.earlier.parts("part")
            for rows in batches_of(part)
        )


def link_file(source: Path, target: Path) -> None:
    """The same file under another name, nothing of which may be written to any more."""
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
