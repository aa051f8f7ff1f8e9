"""Who is asked about tonight: the roster and the monitored households, de-identified."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.contract import Contract
from connectors.errors import FeedUnavailable
from connectors.feeds import Feed, open_feed
from connectors.registry import all_contracts
from pipelines.durable import replacing_folder
from pipelines.errors import NightFailed
from pipelines.identity.cipher import Tokeniser
from pipelines.intake.carried_people import (
    AUTHORISATIONS,
    carry_people,
    note_people,
    read_authorisations,
    rows_key,
)
from pipelines.intake.checks import Judging
from pipelines.intake.files import FileOutcome, contract_of, read_file
from pipelines.intake.gathered import Gathered
from pipelines.intake.judged import Judged
from pipelines.intake.people_tables import find_near_suspects, find_unauthorised, write_columns, write_table
from pipelines.intake.persons import Authorised, Persons, asked_tables, number_persons
from pipelines.intake.receipts import Receipt, ReceiptFile
from pipelines.intake.records import (
    HEAD,
    JudgedRows,
    LookedAt,
    asked_records,
    find_lacking,
    household_rows,
    household_table,
    incomplete_table,
    look_at,
    monitored_rows,
    other_members,
    record_table,
)
from pipelines.intake.rows_read import Authorisations, PersonRows, Rows
from pipelines.intake.sealed_names import seal_names
from pipelines.intake.source import SourceResult, check_receipt, finish_source
from pipelines.intake.verdicts import (
    Households,
    judge_households,
    mark_headless,
    mark_repeated_members,
    number_ids,
)
from pipelines.settings import Settings
from policy.model import PolicyAt


@dataclass
class _Delivery:
    """What was read of one source; blocks of each kind of file, each with the outcome of the file it stands in.

    receipt: None when there was nothing to read.
    """

    result: SourceResult
    receipt: Receipt | None = None
    files: list[Gathered] = field(default_factory=list)
    blocks: dict[str, list[tuple[FileOutcome, Judged]]] = field(default_factory=dict)

    @property
    def listed(self) -> tuple[ReceiptFile, ...]:
        return self.receipt.files if self.receipt else ()

    def finish(self, settings: Settings, policy: PolicyAt) -> None:
        finish_source(settings, policy, self.result, [one.outcome for one in self.files])

    def note(self, building: Path, judging: Judging, cipher: Tokeniser) -> None:
        if self.receipt and self.result.state == "accepted":
            key = rows_key(self.receipt, cipher, judging)
            note_people(building, self.receipt.source, key, judging.as_of, self.files)


@dataclass
class _Rows:
    """The rows of both sources, with what a night knows of them. placed: among which households members are."""

    households: Rows
    persons: PersonRows
    monitored: Rows
    placed: Households | None = None

    def judge_households(self, cipher: Tokeniser) -> None:
        """After the last row of households.csv, and before the first one of members.csv."""
        ids, mask = self.households.text("household_id"), self.households.mask
        self.placed = judge_households(ids, mask, cipher)

    def add_members(self, block: Judged) -> None:
        assert self.placed
        self.persons.add_members(block, self.placed)

    def add_monitored(self, block: Judged) -> None:
        self.persons.add(block)
        self.monitored.add(block)


def intake_people(
    settings: Settings,
    policy: PolicyAt,
    cipher: Tokeniser,
    judging: Judging,
    readers: Executor | None = None,
) -> dict[str, Any]:
    """Read the roster and rural_revitalisation and write work/<as-of>/people. Returns both sources' results.

    readers: processes one of which reads rural_revitalisation meanwhile; without them a thread does.
    Raises NightFailed when the roster is held or missing: nobody can be checked without it.
    """
    with (
        replacing_folder(settings.work / "people") as building,
        ThreadPoolExecutor(2) as beside,
        ThreadPoolExecutor(1) as in_turn,
    ):
        carried = carry_people(settings, policy, cipher, judging, building)
        results = carried or _build_people(
            settings, policy, cipher, judging, building, readers or beside, beside, in_turn
        )
        (building / "sources.json").write_text(json.dumps(results, ensure_ascii=False), encoding="utf-8")
        return results


def _build_people(
    settings: Settings,
    policy: PolicyAt,
    cipher: Tokeniser,
    judging: Judging,
    building: Path,
    readers: Executor,
    beside: Executor,
    in_turn: Executor,
) -> dict[str, Any]:
    contracts = all_contracts()
    # Workbooks keep the interpreter busy, the roster's lines hardly do: together they take as long as the longer.
    later = readers.submit(_read_people, settings, policy, contracts["rural_revitalisation"], judging)
    rows = _Rows(household_rows(), PersonRows(judging.as_of, cipher), monitored_rows())
    roster, authorised = _read_roster(settings, policy, cipher, judging, rows, beside, in_turn)
    rural = later.result()
    monitored_blocks = rural.blocks.pop("households")
    for _, block in monitored_blocks:
        rows.add_monitored(block)
    numbered = number_persons(rows.persons.column("hi"), rows.persons.column("lo"))
    scopes = beside.submit(authorised.of_persons, numbered)
    judged = _judge_rows(rows, numbered, roster.blocks.pop("members"), monitored_blocks)
    roster.finish(settings, policy)
    rural.finish(settings, policy)
    if roster.result.state != "accepted":
        raise NightFailed(
            f"the roster is {roster.result.state} ({roster.result.reason or 'no folder or receipt'}): "
            f"{roster.result.message or 'nothing was delivered'}. "
            "Nobody can be checked without it; nothing was published. Obtain a new roster and run the night again."
        )
    if rural.result.state != "accepted":
        judged = judged.without_monitored()
    _write_people(judged, numbered, authorised, scopes.result(), building, judging.as_of, cipher, beside)
    for one in (roster, rural):
        one.note(building, judging, cipher)
    return {one.result.source: one.result.as_dict() for one in (roster, rural)}


def _read_people(settings: Settings, policy: PolicyAt, contract: Contract, judging: Judging) -> _Delivery:
    """Read all rows of one source."""
    with closing(open_feed(contract.source, settings.feeds, os.environ)) as feed:
        delivery = _open_delivery(contract, feed, policy)
        for listed in delivery.listed:
            for _ in _read_rows(delivery, feed, contract, listed, judging):
                pass
    return delivery


def _read_roster(
    settings: Settings,
    policy: PolicyAt,
    cipher: Tokeniser,
    judging: Judging,
    rows: _Rows,
    beside: Executor,
    in_turn: Executor,
) -> tuple[_Delivery, Authorised]:
    """Read the roster and fill `rows`. Returns also who has authorised what, which is read beside the others.

    in_turn: one thread; it puts rows together in the order of the files while the next ones are read.
    """
    contract = all_contracts()["roster"]
    with closing(_OpenedInTurn(open_feed(contract.source, settings.feeds, os.environ))) as feed:
        delivery = _open_delivery(contract, feed, policy)
        listed_by_key: dict[str, list[ReceiptFile]] = {file.key: [] for file in contract.files}
        for listed in delivery.listed:
            listed_by_key[_file_key(contract, listed.name)].append(listed)
        later = beside.submit(
            _read_authorised, feed, contract, listed_by_key[AUTHORISATIONS], judging, cipher
        )

        def judge_households() -> None:
            rows.judge_households(cipher)
            _tell_verdicts(delivery.blocks.pop("households"), rows.households.mask)

        taken: list[Future[None]] = []
        for key, take, judge in (
            ("households", rows.households.add, judge_households),
            ("members", rows.add_members, rows.persons.join),
        ):
            for listed in listed_by_key[key]:
                for block in _read_rows(delivery, feed, contract, listed, judging):
                    taken.append(in_turn.submit(take, block))
            taken.append(in_turn.submit(judge))
        gathered, authorised = later.result()
        for work in taken:
            work.result()
    delivery.files = sorted([*delivery.files, *gathered], key=lambda one: one.outcome.name)
    return delivery, authorised


class _OpenedInTurn:
    """A feed of which several threads read files: they are opened one after the other."""

    def __init__(self, feed: Feed) -> None:
        self.source, self._feed, self._opening = feed.source, feed, Lock()
        self.receipt, self.names = feed.receipt, feed.names
        self._is_closed = False

    def open(self, name: str) -> BinaryIO:
        with self._opening:
            if self._is_closed:  # the other reader failed: what is fetched now would be left behind
                raise FeedUnavailable(
                    self.source,
                    found="a reading that was given up",
                    wanted="every file of it",
                    do="see what is said of its other files",
                )
            return self._feed.open(name)

    def close(self) -> None:
        with self._opening:
            self._is_closed = True
            self._feed.close()


def _open_delivery(contract: Contract, feed: Feed, policy: PolicyAt) -> _Delivery:
    result, receipt = check_receipt(contract, feed, policy)
    if receipt:
        _require_every_file(contract, receipt, result)
    return _Delivery(result, receipt, blocks={file.key: [] for file in contract.files})


def _read_rows(
    delivery: _Delivery, feed: Feed, contract: Contract, listed: ReceiptFile, judging: Judging
) -> Iterator[Judged]:
    """Read one file; yields its blocks as they are read."""
    gathered = Gathered(FileOutcome(listed.name))
    delivery.files.append(gathered)
    blocks = delivery.blocks[_file_key(contract, listed.name)]
    for block in read_file(feed, contract, listed, judging, gathered.outcome):
        blocks.append((gathered.outcome, block))
        _note_future(gathered, block, judging.as_of)
        yield block


def _read_authorised(
    feed: Feed, contract: Contract, files: list[ReceiptFile], judging: Judging, cipher: Tokeniser
) -> tuple[list[Gathered], Authorised]:
    authorisations = Authorisations(judging.as_of, cipher)
    gathered = [read_authorisations(feed, contract, one, judging, authorisations.add) for one in files]
    return gathered, authorisations.by_person()


def _note_future(gathered: Gathered, block: Judged, as_of: date) -> None:
    gathered.note_future(block.first_future(as_of))
    if block.has_ids:
        gathered.note_unborn(block.id_chars(np.flatnonzero(block.formed() & ~block.valid)), as_of)


def _file_key(contract: Contract, name: str) -> str:
    file = contract_of(contract, name)
    return file.key if file else contract.files[0].key


def _require_every_file(contract: Contract, receipt: Receipt, result: SourceResult) -> None:
    """The roster is three files; a receipt that leaves one out is no roster."""
    if len(contract.files) == 1:
        return
    missing = [
        file.pattern for file in contract.files if file.pattern not in {one.name for one in receipt.files}
    ]
    if missing:
        result.hold("unreadable", f"{contract.source}: the receipt does not name {', '.join(missing)}")


def _judge_rows(
    rows: _Rows,
    numbered: Persons,
    members: list[tuple[FileOutcome, Judged]],
    monitored_blocks: list[tuple[FileOutcome, Judged]],
) -> JudgedRows:
    """Add the other verdicts that only show across rows, and take all back to the files' outcomes."""
    households, persons, on_roster = rows.households, rows.persons, rows.persons.household
    first = len(on_roster)
    monitored, monitored_ids = number_ids(rows.monitored.text("household_id"), len(households.mask))
    judged = JudgedRows(
        households,
        persons,
        rows.monitored,
        monitored_ids,
        first,
        persons.mask,
        np.concatenate([on_roster, monitored]),
        numbered.of_rows(),
    )
    raw_fields = _RawRows([block for _, block in members + monitored_blocks]).fields
    mark_repeated_members(judged.household, numbered, judged.is_member(), judged.mask, raw_fields)
    is_head = persons.few["relation"].are(HEAD)
    mark_headless(monitored, is_head[first:], judged.mask[first:])
    _tell_verdicts(members + monitored_blocks, persons.mask)
    return judged


class _RawRows:
    """The raw fields of single rows, for the rare households that name a person twice."""

    def __init__(self, blocks: list[Judged]) -> None:
        self._blocks = blocks
        self._starts = np.cumsum([0] + [len(one.mask) for one in blocks])

    def fields(self, row: int) -> list[str]:
        part = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self._blocks[part].raw_fields(row - int(self._starts[part]))


def _tell_verdicts(blocks: list[tuple[FileOutcome, Judged]], mask: NDArray[np.uint32]) -> None:
    start = 0
    for outcome, block in blocks:
        final = mask[start : start + len(block.mask)]
        start += len(final)
        outcome.replace_verdicts(block, final)
        outcome.note_codes(block, np.flatnonzero(final == 0))


def _write_people(
    rows: JudgedRows,
    numbered: Persons,
    authorised: Authorised,
    scopes: NDArray[np.uint64],
    folder: Path,
    as_of: date,
    cipher: Tokeniser,
    beside: Executor,
) -> None:
    """scopes: of each of the persons."""
    looked = look_at(rows)
    works = [
        beside.submit(_write_asked, folder, rows, looked, numbered, scopes),
        beside.submit(_seal_names, folder / "names.sealed", rows.persons, looked, cipher),
    ]

    def write(name: str, table: pa.Table) -> None:
        works.append(beside.submit(write_table, table, folder / f"{name}.parquet"))

    record = record_table(rows, looked, scopes)
    write("record", record)
    write("authorised", authorised.table())
    lacking = find_lacking(rows)
    household = household_table(rows, looked, lacking)
    write("household", household)
    write("incomplete", incomplete_table(rows, lacking))
    other, scopes_of_other = other_members(rows, looked, scopes)
    write("other_member", other)
    write("unauthorised_household", find_unauthorised(record, household, other, scopes_of_other))
    write("near_suspect", find_near_suspects(record, as_of, cipher))
    for work in works:
        work.result()


def _seal_names(path: Path, persons: PersonRows, looked: LookedAt, cipher: Tokeniser) -> None:
    nobody = np.ones(len(persons.mask), dtype=bool)
    nobody[looked.records] = False
    names = pa.chunked_array(persons.names, pa.string())
    seal_names(path, pc.if_else(pa.array(nobody), pa.scalar(None, pa.string()), names), cipher)


def _write_asked(
    folder: Path, rows: JudgedRows, looked: LookedAt, numbered: Persons, scopes: NDArray[np.uint64]
) -> None:
    records, whose = asked_records(rows, looked, numbered)
    person, person_name, asked_record = asked_tables(records, numbered, whose, scopes)
    write_columns(person, folder / "person.arrow")
    write_columns(person_name, folder / "person_name.arrow")
    write_table(asked_record, folder / "asked_record.parquet")
