"""What a department knows about the people asked about; rows of everybody else are dropped where they are read."""

from __future__ import annotations

import json
import os
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.parquet as pq
from numpy.typing import NDArray

from connectors.contract import Contract
from connectors.feeds import Feed, open_feed
from connectors.registry import all_contracts
from pipelines.durable import replacing_folder
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.idnumber import birth_dates, pack_blocks, valid_neighbours
from pipelines.identity.names import digest_names, short_digest
from pipelines.identity.row_digest import digest_rows, row_numbers
from pipelines.identity.tokens import token_halves
from pipelines.intake.asked import AskedPeople, load_asked
from pipelines.intake.carried import Carried
from pipelines.intake.checks import Judging
from pipelines.intake.evidence_tables import REGISTER_SCHEMA, evidence_schema, open_part, sum_money
from pipelines.intake.files import FileOutcome, contract_of, read_file, read_records
from pipelines.intake.gathered import Gathered, as_yyyymmdd
from pipelines.intake.judged import TEXTS, Judged, values_of
from pipelines.intake.prefix_table import PrefixTable
from pipelines.intake.receipts import Receipt, ReceiptFile
from pipelines.intake.registers import HOUSEHOLD_REGISTRATION, registers_of_heads
from pipelines.intake.reuse import find_carried, forget_reading, is_as_promised, note_reading, reading_key
from pipelines.intake.source import SourceResult, check_receipt, finish_source
from pipelines.settings import Settings
from policy.model import PolicyAt


class _Reached(NamedTuple):
    """Rows of a batch and whom they reach: the positions among the people asked about."""

    rows: NDArray[np.int64]
    at: NDArray[np.int64]
    names: NDArray[np.int64]
    readable: NDArray[np.bool_]
    upgraded: NDArray[np.bool_]
    repaired: NDArray[np.bool_]

    def filter(self, chosen: NDArray[np.bool_]) -> _Reached:
        chosen_values: list[Any] = [values[chosen] for values in self]
        return _Reached(*chosen_values)


def gather_file(
    feed: Feed,
    contract: Contract,
    listed: ReceiptFile,
    judging: Judging,
    people: AskedPeople,
    cipher: Tokeniser,
    building: Path,
    number: int,
    carried: Carried | None = None,
) -> Gathered:
    """Read one file; write the rows that reach somebody asked about, de-identified, to a part of `building`.

    number: which file of the source it is; carried: whose rows need not be looked for, because they are kept from an
    earlier night. Mistyped rows are repaired anew, as everybody comes into question for them.
    """
    gathered = Gathered(FileOutcome(listed.name), first_row=number << 32)
    file = contract_of(contract, listed.name)
    if file is None:
        for _ in read_file(feed, contract, listed, judging, gathered.outcome):
            pass
        return gathered
    late = carried.earlier.lines_in_future(number) if carried else np.zeros(0, np.int64)
    with open_part(building, number, file) as writer:
        if carried:
            carried.write_rows(number, file, writer, gathered, with_repaired=False)
        for checked in read_file(feed, contract, listed, judging, gathered.outcome):
            good = np.flatnonzero(checked.mask == 0)
            gathered.outcome.note_codes(checked, good)
            gathered.note_future(checked.first_future(judging.as_of))
            table = _reach(checked, good, contract, people, cipher, judging, gathered, late)
            if len(table):
                writer.write_table(table)
    return gathered


def _reach(
    checked: Judged,
    good: NDArray[np.int64],
    contract: Contract,
    people: AskedPeople,
    cipher: Tokeniser,
    judging: Judging,
    gathered: Gathered,
    late: NDArray[np.int64],
) -> pa.Table:
    """Rows of a batch that reach a record in one of the three ways of spec section 3, and are authorised.

    late: lines that are looked for whoever they are about.
    """
    by_number = good[checked.valid[good]]
    hi, lo = token_halves(cipher.tokens(checked.id_blocks(by_number)))
    position = people.find(hi, lo)
    known = people.sought[position]
    if len(late):
        known |= (position >= 0) & np.isin(checked.lines[by_number], late)
    rows, at = by_number[known], position[known]
    digests, readable = _names_of(checked, rows, cipher)
    upgraded = checked.upgraded[rows]
    # A number upgraded from 15 digits proves nothing without a readable name on both sides.
    counts = ~upgraded | (readable & people.has_readable_name[at])
    found = _Reached(rows, at, digests, readable, upgraded, np.zeros(len(rows), bool)).filter(counts)

    suspects = good[~checked.valid[good]]
    births = birth_dates(checked.id_chars(suspects))
    unborn = births[births > as_yyyymmdd(judging.as_of)]
    gathered.note_future(int(unborn.min()) if len(unborn) else 0)
    mended = _repair(checked, suspects, people, cipher, judging, gathered)
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
    table = _evidence_table(checked, reached.rows, columns, cipher)
    gathered.kept += len(table)
    gathered.kept_sum += sum_money(table, checked.file)
    if contract.source == HOUSEHOLD_REGISTRATION:
        gathered.registers |= registers_of_heads(table, reached.at, people)
    return table


def _names_of(
    checked: Judged, rows: NDArray[np.int64], cipher: Tokeniser
) -> tuple[NDArray[Any], NDArray[Any]]:
    name = checked.file.name_column
    if name is None:
        return np.zeros(len(rows), np.int64), np.zeros(len(rows), bool)
    return digest_names(checked.text(name.name, rows), cipher)


def _repair(
    checked: Judged,
    suspects: NDArray[np.int64],
    people: AskedPeople,
    cipher: Tokeniser,
    judging: Judging,
    gathered: Gathered,
) -> _Reached:
    """Suspect rows whose readable name is borne by exactly one person one edit away."""
    digests, readable = _names_of(checked, suspects, cipher)
    maybe = readable & people.know_name(digests)
    suspects, digests = suspects[maybe], digests[maybe]
    if not len(suspects):
        no = np.zeros(0, dtype=bool)
        return _Reached(suspects, suspects, digests, no, no, no)
    index, candidates = valid_neighbours(checked.id_chars(suspects), judging.as_of)
    hi, lo = token_halves(cipher.tokens(pack_blocks(candidates)))
    position = people.find(hi, lo)
    known = position >= 0
    index, position = index[known], position[known]
    named = people.bear_name(position, digests[index])
    index, position = index[named], position[named]
    persons = np.bincount(index, minlength=len(suspects))
    gathered.ambiguous += int((persons > 1).sum())
    chosen = persons[index] == 1
    rows = suspects[index[chosen]]
    yes, no = np.ones(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
    return _Reached(rows, position[chosen], digests[index[chosen]], yes, no, yes)


def _evidence_table(
    checked: Judged, rows: NDArray[np.int64], columns: dict[str, Any], cipher: Tokeniser
) -> pa.Table:
    numbers: list[NDArray[np.int64]] = []
    for column in checked.file.columns:
        if column.type in ("id", "name"):
            continue
        if column.type == "identifier":
            columns[column.name] = short_digest(checked.text(column.name, rows), "account", cipher)
            numbers.append(columns[column.name])
            continue
        if column.type in TEXTS or column.type == "money":
            values = values_of(checked, column.name, rows)
            numbers.append(row_numbers(values, cipher))
        else:
            meanings, codes = checked.coded(column.name, rows)
            values = meanings.take(pa.array(codes))
            numbers.append(row_numbers(meanings, cipher)[codes])
        if column.type != "carried":  # what is only carried is no evidence; it tells equal rows from others
            columns[column.name] = values
    columns["row_digest"] = digest_rows(numbers, len(rows), cipher)
    schema = evidence_schema(checked.file)
    return pa.table({name: columns[name] for name in schema.names}, schema=schema)


def gather_registers(
    feed: Feed,
    contract: Contract,
    listed: ReceiptFile,
    judging: Judging,
    registers: NDArray[np.int64],
    cipher: Tokeniser,
    part: Path,
) -> None:
    """Second look at household_registration: the rows that share a register with a member, without names."""
    file = contract.files[0]
    ordered = np.sort(registers.view(np.uint64))
    wanted = PrefixTable(ordered, ordered)
    with pq.ParquetWriter(part, REGISTER_SCHEMA) as writer, feed.open(listed.name) as stream:
        for checked in read_records(stream, file, listed.name, judging):
            good = np.flatnonzero(checked.mask == 0)
            numbers = short_digest(checked.text("register_no", good), "account", cipher)
            asked = numbers.view(np.uint64)
            ours = np.flatnonzero(wanted.find(asked, asked) >= 0)
            if not len(ours):
                continue
            rows = good[ours]
            chars = checked.id_chars(rows)
            hi, lo = token_halves(cipher.tokens(checked.id_blocks(rows)))
            valid = checked.valid[rows]
            columns = {
                "register": numbers[ours],
                "hi": hi,
                "lo": lo,
                "is_valid": valid,
                "is_normal": pc.equal(values_of(checked, "status", rows), "正常"),
                "relation": values_of(checked, "relation", rows),
                "born": pa.array(birth_dates(chars).astype(np.int32), mask=~valid),
            }
            writer.write_table(pa.table(columns, schema=REGISTER_SCHEMA))


def intake_source(
    settings: Settings,
    source: str,
    policy: PolicyAt,
    cipher: Tokeniser,
    judging: Judging,
    feed: Feed | None = None,
) -> dict[str, Any]:
    """Read one department's feed into work/<as-of>/evidence/<source>. Returns its SourceResult as a dict.

    feed: one that is open already and stays so; without it that of the settings and the environment.
    """
    contract = all_contracts()[source]
    opened = nullcontext(feed) if feed else closing(open_feed(source, settings.feeds, os.environ))
    with replacing_folder(settings.work / "evidence" / source) as building:
        with opened as delivery:
            result = _read_feed(settings, contract, delivery, policy, cipher, judging, building)
        values = result.as_dict()
        (building / "source.json").write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
    return values


def _read_feed(
    settings: Settings,
    contract: Contract,
    feed: Feed,
    policy: PolicyAt,
    cipher: Tokeniser,
    judging: Judging,
    building: Path,
) -> SourceResult:
    result, receipt = check_receipt(contract, feed, policy)
    if receipt is None:
        finish_evidence(settings, policy, result, [])
        return result
    people = load_asked(settings.work / "people", contract.source)
    key = reading_key(contract, receipt, cipher, judging)
    carried = find_carried(settings, contract, key, judging.as_of, people, cipher)
    if carried and carried.is_enough() and is_as_promised(feed, receipt):
        result.reused = "all"
        gathered = carried.take_over(building)
        finish_evidence(settings, policy, result, gathered)
    else:
        if carried:
            result.reused = "rows"
            people.sought = carried.standing.sought
        gathered = [
            gather_file(feed, contract, listed, judging, people, cipher, building, number, carried)
            for number, listed in enumerate(receipt.files)
        ]
        del people
        finish_evidence(settings, policy, result, gathered)
        if result.state == "accepted":
            _gather_every_register(feed, contract, receipt, judging, gathered, cipher, building, carried)
    if result.state == "accepted":
        note_reading(building, key, judging.as_of, gathered)
    else:
        _empty(building)
    return result


def _gather_every_register(
    feed: Feed,
    contract: Contract,
    receipt: Receipt,
    judging: Judging,
    gathered: list[Gathered],
    cipher: Tokeniser,
    building: Path,
    carried: Carried | None,
) -> None:
    """The second look; not at registers whose rows are known from an earlier night and would be judged alike."""
    wanted: set[int] = set().union(*(one.registers for one in gathered))
    if carried and carried.earlier.is_judged_alike and wanted:
        wanted -= carried.keep_registers(wanted, building)
    registers = np.fromiter(wanted, np.int64, len(wanted))
    if not len(registers):
        return
    for number, listed in enumerate(receipt.files, 1):
        part = building / f"register-{number:04d}.parquet"
        gather_registers(feed, contract, listed, judging, registers, cipher, part)


def _empty(folder: Path) -> None:
    for part in [*folder.glob("*.arrow"), *folder.glob("*.parquet")]:
        part.unlink()
    forget_reading(folder)


def finish_evidence(
    settings: Settings, policy: PolicyAt, result: SourceResult, gathered: list[Gathered]
) -> None:
    finish_source(settings, policy, result, [one.outcome for one in gathered])
    if result.state == "accepted":
        result.unauthorised = sum(one.unauthorised for one in gathered)
        result.kept = sum(one.kept for one in gathered)
        result.kept_sum = sum(one.kept_sum for one in gathered)


def hold_source(settings: Settings, source: str, reason: str) -> None:
    """Hold a source after it was read: nothing of it is used, its quarantine stays."""
    folder = settings.work / "evidence" / source
    result = json.loads((folder / "source.json").read_text(encoding="utf-8"))
    counts = ("received", "accepted", "quarantined", "unauthorised", "kept", "kept_sum")
    result.update(
        dict.fromkeys(counts, 0),
        state="held",
        reason=reason,
        message=f"{source}: held by the gate after intake",
    )
    _empty(folder)
    (folder / "source.json").write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
