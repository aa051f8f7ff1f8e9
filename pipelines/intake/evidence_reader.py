"""Reads what a department delivered and keeps the rows about people asked about, de-identified."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from connectors.contract import Column, Contract, FileContract
from connectors.errors import FeedError
from connectors.feeds import Feed
from pipelines.errors import SourceHeld
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.idnumber import birth_dates, pack_blocks, real_days, unpack_chars, valid_neighbours
from pipelines.identity.row_digest import digest_rows, row_numbers
from pipelines.identity.tokens import join_halves, token_halves
from pipelines.intake.asked import AskedPeople
from pipelines.intake.carried import Carried
from pipelines.intake.checks import Judging
from pipelines.intake.evidence_tables import REGISTER_SCHEMA, evidence_schema, open_part, sum_money
from pipelines.intake.files import FileOutcome, contract_of, read_file, read_records
from pipelines.intake.gathered import Gathered
from pipelines.intake.judged import TEXTS, Judged, values_of
from pipelines.intake.picked_lines import PICKED_FORMATS, MarkedTexts, PickedLines
from pipelines.intake.prefix_table import PrefixTable
from pipelines.intake.receipts import HashingReader, ReceiptFile
from pipelines.intake.registers import HOUSEHOLD_REGISTRATION, registers_of, rows_of_heads
from pipelines.intake.text_digests import Digests, TextDigests


class _Reached(NamedTuple):
    """Rows of a batch and whom they reach: the positions among the people asked about."""

    rows: NDArray[np.int64]
    at: NDArray[np.int64]
    names: NDArray[np.int64]
    readable: NDArray[np.bool_]
    upgraded: NDArray[np.bool_]
    repaired: NDArray[np.bool_]

    def filter(self, chosen: NDArray[np.bool_]) -> _Reached:
        if chosen.all():
            return self
        (places,) = np.nonzero(chosen)
        chosen_values: list[Any] = [values[places] for values in self]
        return _Reached(*chosen_values)


class EvidenceReader:
    """Reads the files of one delivery."""

    def __init__(
        self,
        feed: Feed,
        contract: Contract,
        people: AskedPeople,
        cipher: Tokeniser,
        judging: Judging,
        building: Path,
        carried: Carried | None = None,
    ) -> None:
        """building: where the parts go; carried: whose rows need not be looked for, because they are kept from an
        earlier night. Mistyped rows are repaired anew, as everybody comes into question for them.
        """
        self._feed = feed
        self._contract = contract
        self._people = people
        self._cipher = cipher
        self._judging = judging
        self._building = building
        self._carried = carried
        self._digests_of = {kind: TextDigests(kind, cipher) for kind in TEXTS}
        self._register_texts = MarkedTexts()

    def gather(self, listed: ReceiptFile, number: int) -> Gathered:
        """Read one file; write the rows that reach somebody asked about to a part. number: which file of the source
        it is."""
        gathered = Gathered(FileOutcome(listed.name), first_row=number << 32)
        file = contract_of(self._contract, listed.name)
        checked = read_file(self._feed, self._contract, listed, self._judging, gathered.outcome)
        if file is None:
            for _ in checked:
                pass
            return gathered
        late = self._carried.earlier.lines_in_future(number) if self._carried else np.zeros(0, np.int64)
        if self._carried and file.format in PICKED_FORMATS:
            picked = self._gather_picked(self._carried, file, listed, number, late)
            if picked:
                return picked
        with open_part(self._building, number, file) as writer:
            if self._carried:
                self._carried.write_rows(number, file, writer, gathered, with_repaired=False)
            for one in checked:
                good = np.flatnonzero(one.mask == 0)
                gathered.outcome.note_codes(one, good)
                gathered.note_future(one.first_future(self._judging.as_of))
                self._write_reached(writer, one, good, gathered, late)
        return gathered

    def _gather_picked(
        self,
        carried: Carried,
        file: FileContract,
        listed: ReceiptFile,
        number: int,
        late: NDArray[np.int64],
    ) -> Gathered | None:
        """The same from the lines of those sought, of mistyped numbers and the late ones alone, when the file is the
        one read earlier: all other verdicts and counts are then what they were.

        None: it is another file, or nobody can read it.
        """
        gathered = Gathered(carried.earlier.files[number].outcome.without(late), first_row=number << 32)
        id_column = file.id_column
        assert id_column
        try:
            with self._feed.open(listed.name) as stream, open_part(self._building, number, file) as writer:
                carried.write_rows(number, file, writer, gathered, with_repaired=False)
                reader = HashingReader(stream)
                days = real_days(self._judging.as_of)
                lines = PickedLines(
                    cast(BinaryIO, reader), file, id_column.name, self._sought_numbers, days, late
                )
                for checked in read_records(cast(BinaryIO, lines), file, listed.name, self._judging):
                    good = np.flatnonzero(checked.mask == 0)
                    gathered.note_future(checked.first_future(self._judging.as_of))
                    is_late = np.isin(checked.lines, lines.picked_as)
                    gathered.outcome.note_codes(checked, good[is_late[good]])
                    bad = np.flatnonzero(is_late & (checked.mask != 0))
                    places = np.searchsorted(lines.picked_as, checked.lines[bad])
                    gathered.outcome.note_bad(late[places], checked.mask[bad])
                    self._write_reached(writer, checked, good, gathered, lines.picked_as)
                return gathered if reader.finish() == listed.sha256 else None
        except (OSError, FeedError, SourceHeld):
            return None

    @cached_property
    def _sought_numbers(self) -> MarkedTexts:
        people = self._people
        sought = people.sought[:-1]
        numbers = MarkedTexts()
        tokens = join_halves(people.hi[sought], people.lo[sought])
        numbers.add_numbers(unpack_chars(self._cipher.open_tokens(tokens)))
        return numbers

    def _write_reached(
        self,
        writer: pa.ipc.RecordBatchFileWriter,
        checked: Judged,
        good: NDArray[np.int64],
        gathered: Gathered,
        late: NDArray[np.int64],
    ) -> None:
        table = self._reach(checked, good, gathered, late)
        if len(table):
            writer.write_table(table)

    def _reach(
        self, checked: Judged, good: NDArray[np.int64], gathered: Gathered, late: NDArray[np.int64]
    ) -> pa.Table:
        """Rows of a batch that reach a record in one of the three ways of spec section 3, and are authorised.

        late: lines that are looked for whoever they are about.
        """
        people = self._people
        found = self._find(checked, good[checked.valid[good]], late)
        suspects = good[~checked.valid[good]]
        gathered.note_unborn(checked.id_chars(suspects), self._judging.as_of)
        mended = self._repair(checked, suspects, gathered)
        both: list[Any] = [np.concatenate(pair) for pair in zip(found, mended, strict=True)]
        reached = _Reached(*both)
        allowed = people.authorised[reached.at]
        gathered.unauthorised += int((~allowed).sum())
        reached = reached.filter(allowed)
        columns: dict[str, Any] = {
            "row": np.arange(len(reached.at)) + gathered.first_row + gathered.kept,
            "person": people.person[reached.at],
            "name_digest": reached.names,
            "name_readable": reached.readable,
            "is_upgraded": reached.upgraded,
            "is_repaired": reached.repaired,
        }
        table = self._table(checked, reached.rows, columns)
        gathered.kept += len(table)
        gathered.kept_sum += sum_money(table, checked.file)
        if self._contract.source == HOUSEHOLD_REGISTRATION:
            self._note_registers(checked, reached, table, gathered)
        return table

    def _note_registers(
        self, checked: Judged, reached: _Reached, table: pa.Table, gathered: Gathered
    ) -> None:
        heads = rows_of_heads(table, reached.at, self._people)
        gathered.note_registers(registers_of(table, heads))
        self._register_texts.add(checked.text("register_no", reached.rows[heads]))

    def _find(self, checked: Judged, rows: NDArray[np.int64], late: NDArray[np.int64]) -> _Reached:
        """Rows whose valid number is that of somebody whose rows are looked for."""
        people = self._people
        places, at = people.find_tokens(self._cipher.tokens(checked.id_blocks(rows)))
        rows = rows[places]
        wanted = people.sought[at]
        if len(late):
            wanted |= np.isin(checked.lines[rows], late)
        if not wanted.all():
            rows, at = rows[wanted], at[wanted]
        digests, readable = self._names_of(checked, rows)
        upgraded = checked.upgraded[rows]
        counts = np.ones(len(rows), dtype=bool)
        # A number upgraded from 15 digits proves nothing without a readable name on both sides.
        counts[upgraded] = readable[upgraded] & people.has_readable_name[at[upgraded]]
        return _Reached(rows, at, digests, readable, upgraded, np.zeros(len(rows), bool)).filter(counts)

    def _names_of(self, checked: Judged, rows: NDArray[np.int64]) -> Digests:
        name = checked.file.name_column
        if name is None:
            return np.zeros(len(rows), np.int64), np.zeros(len(rows), bool)
        return self._digests(checked, name, rows)

    def _repair(self, checked: Judged, suspects: NDArray[np.int64], gathered: Gathered) -> _Reached:
        """Suspect rows whose readable name is borne by exactly one person one edit away."""
        people = self._people
        digests, readable = self._names_of(checked, suspects)
        maybe = readable & people.know_name(digests)
        suspects, digests = suspects[maybe], digests[maybe]
        if not len(suspects):
            no = np.zeros(0, dtype=bool)
            return _Reached(suspects, suspects, digests, no, no, no)
        index, candidates = valid_neighbours(checked.id_chars(suspects), self._judging.as_of)
        places, position = people.find_tokens(self._cipher.tokens(pack_blocks(candidates)))
        index = index[places]
        named = people.bear_name(position, digests[index])
        index, position = index[named], position[named]
        persons = np.bincount(index, minlength=len(suspects))
        gathered.ambiguous += int((persons > 1).sum())
        chosen = persons[index] == 1
        rows = suspects[index[chosen]]
        yes, no = np.ones(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
        return _Reached(rows, position[chosen], digests[index[chosen]], yes, no, yes)

    def _table(self, checked: Judged, rows: NDArray[np.int64], columns: dict[str, Any]) -> pa.Table:
        """The rows as evidence. columns: what is known of them already."""
        numbers: list[NDArray[np.int64]] = []
        for column in checked.file.columns:
            if column.type in ("id", "name"):
                continue
            if column.type in TEXTS:
                numbers.append(self._digests(checked, column, rows)[0])
                if column.type == "identifier":
                    columns[column.name] = numbers[-1]
                elif column.type == "text":
                    columns[column.name] = checked.text(column.name, rows)
            elif column.type == "money":
                columns[column.name] = checked.amounts(column.name, rows)
                numbers.append(row_numbers(columns[column.name], self._cipher))
            else:
                values, codes = checked.coded(column.name, rows)
                columns[column.name] = values.take(pa.array(codes))
                numbers.append(row_numbers(values, self._cipher)[codes])
        columns["row_digest"] = digest_rows(numbers, len(rows), self._cipher)
        schema = evidence_schema(checked.file)
        return pa.table({name: columns[name] for name in schema.names}, schema=schema)

    def _digests(self, checked: Judged, column: Column, rows: NDArray[np.int64]) -> Digests:
        return checked.digests(column.name, rows, self._digests_of[column.type])

    def gather_registers(self, listed: ReceiptFile, registers: NDArray[np.int64], part: Path) -> None:
        """Second look at household_registration: the rows of these registers, without names, whoever they are about.

        registers: sorted keyed digests.
        """
        file = self._contract.files[0]
        ordered = np.sort(registers.view(np.uint64))
        wanted = PrefixTable(ordered, ordered)
        with (
            # In the other columns nearly every value is another.
            pq.ParquetWriter(part, REGISTER_SCHEMA, use_dictionary=["relation"]) as writer,
            self._feed.open(listed.name) as opened,
        ):
            stream: BinaryIO = opened
            if file.format in PICKED_FORMATS and not self._carried:  # of what is carried no text is known
                stream = cast(BinaryIO, PickedLines(opened, file, "register_no", self._register_texts))
            for checked in read_records(stream, file, listed.name, self._judging):
                good = np.flatnonzero(checked.mask == 0)
                numbers, _ = self._digests(checked, file.column("register_no"), good)
                asked = numbers.view(np.uint64)
                ours = np.flatnonzero(wanted.find(asked, asked) >= 0)
                if len(ours):
                    writer.write_table(self._register_rows(checked, good[ours], numbers[ours]))

    def _register_rows(
        self, checked: Judged, rows: NDArray[np.int64], registers: NDArray[np.int64]
    ) -> pa.Table:
        hi, lo = token_halves(self._cipher.tokens(checked.id_blocks(rows)))
        valid = checked.valid[rows]
        columns = {
            "register": registers,
            "hi": hi,
            "lo": lo,
            "is_valid": valid,
            "is_normal": pc.equal(values_of(checked, "status", rows), "正常"),
            "relation": values_of(checked, "relation", rows),
            "born": pa.array(birth_dates(checked.id_chars(rows)).astype(np.int32), mask=~valid),
        }
        return pa.table(columns, schema=REGISTER_SCHEMA)
