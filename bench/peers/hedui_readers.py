"""Hedui's own readers, and nothing of the night behind them but the same join and the same sums.

Unlike the peers they compare each file with its receipt (SHA-256, rows), judge every row by its contract and join on
tokens: a number is never held beside them. So they find what is written with a small x, with 15 digits or with white
space around, and leave out rows that a night would quarantine; `sums_unlike_the_floor` says for how many people that
makes a difference. JSON and workbooks are read by the night's readers too.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.feeds import AS_OF
from bench.peers.given import run_peer
from connectors.feeds import RECEIPT, open_feed
from connectors.registry import all_contracts
from pipelines.identity.cipher import MASTER_BYTES, Tokeniser
from pipelines.identity.idnumber import unpack_chars
from pipelines.identity.tokens import join_halves, token_halves
from pipelines.intake.checks import Judging
from pipelines.intake.evidence_tables import MICRO
from pipelines.intake.files import FileOutcome, read_file
from pipelines.intake.judged import Judged
from pipelines.intake.persons import number_persons
from pipelines.intake.prefix_table import PrefixTable
from pipelines.intake.receipts import ReceiptFile, read_receipt

AMOUNTS: dict[str, tuple[str, ...]] = {
    "tax": ("amount",),
    "banks": ("balance",),
    "market_regulation": ("subscribed_capital",),
    "household_registration": (),
    "insurance": ("cash_value",),
    "securities": ("market_value", "cash_balance"),
    "rural_revitalisation": ("rigid_expenditure_12m",),
}
HOUSEHOLDS, MEMBERS, AUTHORISATIONS = "households.csv", "members.csv", "authorisations.csv"
WORKERS = 2
File = tuple[str, ReceiptFile]


class Readers:
    """What every process of a run shares. The key lives and dies with the run."""

    def __init__(self, feeds: Path) -> None:
        self.feeds = feeds
        self.cipher = Tokeniser(os.urandom(MASTER_BYTES))
        self.judging = Judging(
            date.fromisoformat(AS_OF), frozenset({"CNY", "USD", "HKD"}), frozenset(all_contracts())
        )

    def files_of(self, source: str) -> list[File]:
        receipt = read_receipt((self.feeds / source / RECEIPT).read_bytes(), source)
        return [(source, listed) for listed in receipt.files]

    def accepted(self, source: str, listed: ReceiptFile) -> Iterator[tuple[Judged, NDArray[np.int64]]]:
        """The file by blocks, and which of their rows are accepted. Raises RuntimeError when it is not as promised."""
        outcome = FileOutcome(listed.name)
        with closing(open_feed(source, self.feeds, {})) as feed:
            for judged in read_file(feed, all_contracts()[source], listed, self.judging, outcome):
                yield judged, np.flatnonzero(judged.mask == 0)
        if outcome.held:
            raise RuntimeError(outcome.held[0][1])

    def tokens_of(self, judged: Judged, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return self.cipher.tokens(judged.id_blocks(rows))

    def people(self, members: ReceiptFile) -> NDArray[np.uint8]:
        """The token of everybody on the roster with a valid number, once, in their order."""
        tokens = [
            self.tokens_of(judged, rows[judged.valid[rows]])
            for judged, rows in self.accepted("roster", members)
        ]
        persons = number_persons(*token_halves(np.concatenate(tokens)))
        return join_halves(persons.hi, persons.lo)


class Sums:
    """records and millionths of a source and a person, in memory that forked processes share, a part each."""

    def __init__(self, workers: int, people: int) -> None:
        room = mmap(-1, max(1, workers * len(AMOUNTS) * people * 16))
        whole = np.frombuffer(room, np.int64, workers * len(AMOUNTS) * people * 2)
        self.cells = whole.reshape(workers, len(AMOUNTS), 2, people)

    def table(self, people: NDArray[np.uint8], cipher: Tokeniser) -> pa.Table:
        """(source, id, records, amount): opened again, so that it can be held against the floor's."""
        parts = []
        for place, source in enumerate(AMOUNTS):
            records, micro = self.cells[:, place].sum(axis=0)
            (met,) = np.nonzero(records)
            numbers = unpack_chars(cipher.open_tokens(people[met])).view("S18").ravel()
            parts.append(
                pa.table(
                    {
                        "source": pa.DictionaryArray.from_arrays(np.zeros(len(met), np.int8), [source]).cast(
                            pa.string()
                        ),
                        "id": pa.array(numbers).cast(pa.string()),
                        "records": records[met],
                        "amount": micro[met] / MICRO,
                    }
                )
            )
        return pa.concat_tables(parts)


def person_sums(feeds: Path) -> pa.Table:
    readers = Readers(feeds)
    fork = multiprocessing.get_context("fork")
    roster = {listed.name: listed for _, listed in readers.files_of("roster")}
    _read_all(readers, roster[HOUSEHOLDS])  # the loops are loaded with it, for all processes to come
    beside = fork.Process(target=_read_all, args=(readers, roster[AUTHORISATIONS]))
    beside.start()
    people = readers.people(roster[MEMBERS])
    known = PrefixTable(*token_halves(people))
    known.find_tokens(people[:1])
    sums = Sums(WORKERS, len(people))
    files = [file for source in AMOUNTS for file in readers.files_of(source)]
    files.sort(key=lambda file: -(feeds / file[0] / file[1].name).stat().st_size)
    following = fork.Value("i", 0)
    workers = [
        fork.Process(target=_add_up_next, args=(readers, known, files, following, cells))
        for cells in sums.cells
    ]
    for worker in workers:
        worker.start()
    for process in (beside, *workers):
        process.join()
        if process.exitcode:
            raise RuntimeError("a file was not read to its end; what was wrong stands above")
    return sums.table(people, readers.cipher)


def _read_all(readers: Readers, listed: ReceiptFile) -> None:
    for _ in readers.accepted("roster", listed):
        pass


def _add_up_next(readers: Readers, known: PrefixTable, files: list[File], following: Any, cells: Any) -> None:
    """Take the next file until none is left; cells: of this process (sources, 2, people)."""
    while True:
        with following.get_lock():
            number = following.value
            following.value += 1
        if number >= len(files):
            return
        source, listed = files[number]
        _add_up(readers, known, source, listed, cells[list(AMOUNTS).index(source)])


def _add_up(
    readers: Readers, known: PrefixTable, source: str, listed: ReceiptFile, cells: NDArray[np.int64]
) -> None:
    """Add the rows of a file about known people to cells (2, people)."""
    for judged, rows in readers.accepted(source, listed):
        if not judged.has_ids:
            continue
        rows = rows[judged.valid[rows]]
        places, at = known.find_tokens(readers.tokens_of(judged, rows))
        np.add.at(cells[0], at, 1)
        for column in AMOUNTS[source]:
            np.add.at(cells[1], at, judged.amounts(column, rows[places]).fill_null(0).to_numpy())


if __name__ == "__main__":
    run_peer(person_sums)
