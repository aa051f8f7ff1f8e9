"""The people of the night before, taken over when the rows they were read from are the same.

What hangs on the day is made anew: who has authorised what (every authorisation is read every night), how old
everybody is, and which numbers are one edit away from a suspect one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from connectors.contract import Contract
from connectors.feeds import Feed, open_feed
from connectors.registry import all_contracts, people_sources
from pipelines.evidence_kept import people_kept, people_reading_kept
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.tokens import join_halves
from pipelines.intake.carried import link_file
from pipelines.intake.checks import Judging
from pipelines.intake.files import FileOutcome, contract_of, read_file
from pipelines.intake.gathered import Gathered
from pipelines.intake.judged import Judged
from pipelines.intake.people_tables import (
    FEW_VALUES,
    find_near_suspects,
    find_unauthorised,
    read_columns,
    write_columns,
    write_table,
)
from pipelines.intake.persons import Authorised
from pipelines.intake.receipts import Receipt, ReceiptFile
from pipelines.intake.reuse import is_as_promised, note_reading, read_earlier, reading_key
from pipelines.intake.rows_read import Authorisations, completed_years
from pipelines.intake.source import SourceResult, check_receipt, finish_source
from pipelines.settings import Settings
from policy.model import PolicyAt

# The kind of file (connectors/roster/contract.toml) that is read every night.
AUTHORISATIONS = "authorisations"
_AS_THEY_WERE = (
    "household.parquet",
    "incomplete.parquet",
    "other_member.parquet",
    "person_name.arrow",
    "names.sealed",
)


@dataclass
class _Known:
    """A delivery whose rows were read the night before; earlier: by file what that came to."""

    feed: Feed
    receipt: Receipt
    key: str
    result: SourceResult
    earlier: dict[str, Gathered]

    def is_as_promised(self) -> bool:
        return is_as_promised(self.feed, _carried_files(self.receipt))

    def gather(self, judging: Judging, authorisations: Authorisations) -> list[Gathered]:
        """What reading comes to tonight; who has authorised what is read."""
        contract = all_contracts()[self.receipt.source]
        return [
            read_authorisations(self.feed, contract, listed, judging, authorisations.add)
            if holds_authorisations(contract, listed.name)
            else self.earlier[listed.name]
            for listed in self.receipt.files
        ]


def holds_authorisations(contract: Contract, name: str) -> bool:
    file = contract_of(contract, name)
    return file is not None and file.key == AUTHORISATIONS


def read_authorisations(
    feed: Feed,
    contract: Contract,
    listed: ReceiptFile,
    judging: Judging,
    take: Callable[[Judged], object],
) -> Gathered:
    """Read a file of them whole: no verdict on one hangs on other rows. take: given each block as it is read."""
    gathered = Gathered(FileOutcome(listed.name))
    for block in read_file(feed, contract, listed, judging, gathered.outcome):
        take(block)
        gathered.outcome.note_codes(block, np.flatnonzero(block.mask == 0))
    return gathered


def rows_key(receipt: Receipt, cipher: Tokeniser, judging: Judging) -> str:
    """What the rows of people in a delivery hang on; who has authorised what is read every night."""
    return reading_key(all_contracts()[receipt.source], _carried_files(receipt), cipher, judging)


def _carried_files(receipt: Receipt) -> list[ReceiptFile]:
    contract = all_contracts()[receipt.source]
    return [one for one in receipt.files if not holds_authorisations(contract, one.name)]


def carry_people(
    settings: Settings, policy: PolicyAt, cipher: Tokeniser, judging: Judging, building: Path
) -> dict[str, Any] | None:
    """Write the tables of `intake_people` from those of the latest published night. Returns both sources' results.

    None: some row may be another or be judged otherwise tonight, so everything must be read.
    """
    with ExitStack() as opened:
        known: list[_Known] = []
        for source in people_sources():
            folder = people_reading_kept(settings.home, source, cipher)
            if folder is None:
                return None
            feed = opened.enter_context(closing(open_feed(source, settings.feeds, os.environ)))
            one = _find_known(source, feed, folder, policy, cipher, judging)
            if one is None:
                return None
            known.append(one)
        before = people_kept(settings.home, cipher)
        if before is None or not all(one.is_as_promised() for one in known):
            return None
        authorisations = Authorisations(judging.as_of, cipher)
        gathered = [one.gather(judging, authorisations) for one in known]
    for one, files in zip(known, gathered, strict=True):
        finish_source(settings, policy, one.result, [file.outcome for file in files])
        if one.result.state != "accepted":
            return None
    for one, files in zip(known, gathered, strict=True):
        note_people(building, one.result.source, one.key, judging.as_of, files)
    _write_tables(before, building, authorisations.by_person(), judging, cipher)
    return {one.result.source: one.result.as_dict() for one in known}


def note_people(building: Path, source: str, key: str, as_of: date, gathered: list[Gathered]) -> None:
    """Note what reading one of `people_sources` came to."""
    (building / source).mkdir()
    note_reading(building / source, key, as_of, gathered)


def _find_known(
    source: str, feed: Feed, folder: Path, policy: PolicyAt, cipher: Tokeniser, judging: Judging
) -> _Known | None:
    result, receipt = check_receipt(all_contracts()[source], feed, policy)
    if receipt is None:
        return None
    key = rows_key(receipt, cipher, judging)
    earlier = read_earlier(folder, key, judging.as_of)
    if earlier is None or not earlier.is_judged_alike:
        return None
    by_name = {one.outcome.name: one for one in earlier.files}
    if sorted(by_name) != sorted(one.name for one in receipt.files):
        return None
    result.reused = "rows" if source == "roster" else "all"
    return _Known(feed, receipt, key, result, by_name)


def _write_tables(
    before: Path, building: Path, authorised: Authorised, judging: Judging, cipher: Tokeniser
) -> None:
    for name in _AS_THEY_WERE:
        link_file(before / name, building / name)
    write_table(authorised.table(), building / "authorised.parquet")
    person = read_columns(before / "person.arrow")
    scopes = authorised.of(*_halves(person))
    write_columns(_with(person, scopes=scopes), building / "person.arrow")
    asked = pq.read_table(before / "asked_record.parquet")
    of_asked = scopes[asked.column("person").to_numpy()]
    write_table(_with(asked, scopes=of_asked), building / "asked_record.parquet")
    record = pq.read_table(before / "record.parquet", read_dictionary=FEW_VALUES)
    ages, scopes = _ages(record, judging.as_of, cipher), authorised.of(*_halves(record))
    record = _with(record, age=ages, scopes=scopes)
    write_table(record, building / "record.parquet")
    other = pq.read_table(before / "other_member.parquet")
    household = pq.read_table(before / "household.parquet", columns=["list", "household_id"])
    unauthorised = find_unauthorised(record, household, other, authorised.of(*_halves(other)))
    write_table(unauthorised, building / "unauthorised_household.parquet")
    write_table(find_near_suspects(record, judging.as_of, cipher), building / "near_suspect.parquet")


def _halves(table: pa.Table) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    return table.column("hi").to_numpy(), table.column("lo").to_numpy()


def _with(table: pa.Table, **columns: Any) -> pa.Table:
    """The table with some of its columns replaced."""
    for name, values in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    return table


def _ages(record: pa.Table, as_of: date, cipher: Tokeniser) -> pa.Array:
    years = completed_years(cipher.open_tokens(join_halves(*_halves(record))), as_of)
    is_valid = record.column("is_valid").to_numpy()
    return pa.array(years.astype(np.int32), mask=~is_valid)
