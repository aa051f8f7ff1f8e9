"""Time per row of a source made by the kit against the same source by its hand-made contract.

    python -m bench.kit [--rows N] [--rounds N]

Both read the same rows, each from a feed of its own, with the intake of a night; in turn, the order changing from
round to round, in CPU seconds of this process. Each round gives one ratio; the median counts. The hand-made contract
against itself says what the machine adds.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from bench.results import keep
from connectors.contract import Column, Contract, read_contract
from connectors.kit.mock import Row, mock_rows, render_file, write_feed
from connectors.kit.scaffold import NewSource, write_connector
from connectors.registry import all_contracts
from pipelines.connector_trial import AS_OF, Trial, open_trial

SOURCES = ("tax", "banks", "securities", "insurance")
WITHIN = 1.10
_READERS = ("connectors.registry", "pipelines.connector_trial", "pipelines.intake.evidence")


def words_of(column: Column) -> str:
    """The column as it is said to `hedui connector new`."""
    said = [column.name, column.header, column.type]
    said += ["|".join(column.values)] if column.type == "code" else []
    said += [str(column.length)] if column.type == "digits" else []
    said += [word for word in ("optional", "not_future", "not_negative") if getattr(column, word)]
    return ":".join([*said, *([f"unit={column.unit}"] if column.unit else [])])


def made_by_kit(contract: Contract, root: Path) -> Contract:
    """The source again, by the kit, under another name and with the same columns in the same format."""
    file = contract.files[0]
    new = NewSource(
        name=f"{contract.source}_by_kit",
        title=contract.title,
        owner=contract.owner,
        legal_basis=contract.legal_basis,
        cadence=contract.cadence,
        format=file.format,
        encoding=file.encoding,
        columns=tuple(map(words_of, file.columns)),
        authorisation=contract.authorisation,
    )
    path, _ = write_connector(new, root)
    return read_contract(path)


@contextlib.contextmanager
def known(*contracts: Contract) -> Iterator[None]:
    """Let the intake know contracts that stand in no folder of `connectors/`."""
    everything = {**all_contracts(), **{contract.source: contract for contract in contracts}}
    with contextlib.ExitStack() as stack:
        for module in _READERS:
            stack.enter_context(mock.patch(f"{module}.all_contracts", lambda: everything))
        yield


def deliver_rows(trial: Trial, rows: list[Row]) -> None:
    file = trial.contract.files[0]
    name = file.pattern.replace("*", "1")
    write_feed(trial.contract, trial.feed, [(name, render_file(file, rows), len(rows))], AS_OF)


def _seconds(trial: Trial) -> float:
    before = time.process_time()
    result = trial.read().result
    spent = time.process_time() - before
    assert result["state"] == "accepted", result["message"]
    return spent


def ratios_of(one: Trial, other: Trial, rounds: int) -> list[float]:
    """`other` over `one`, a ratio a round; who goes first changes."""
    _seconds(one), _seconds(other)
    found = []
    for number in range(rounds):
        pair = (one, other) if number % 2 else (other, one)
        spent = {trial: _seconds(trial) for trial in pair}
        found.append(spent[other] / spent[one])
    return found


def compare_kit(rows: int, rounds: int) -> dict[str, object]:
    """By source: the median ratio of kit to hand-made, its range, and the same of hand-made against itself."""
    sources: dict[str, object] = {}
    for source in SOURCES:
        hand = all_contracts()[source]
        file = hand.files[0]
        made = mock_rows(file, rows, AS_OF)
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            kit = made_by_kit(hand, Path(folder))
            stack.enter_context(known(kit))
            trials = [stack.enter_context(open_trial(one)) for one in (hand, hand, kit)]
            for trial in trials:
                deliver_rows(trial, made)
            told = ratios_of(trials[0], trials[2], rounds)
            control = ratios_of(trials[0], trials[1], rounds)
        sources[source] = {
            "kit_to_hand_made": round(statistics.median(told), 3),
            "range": [round(min(told), 3), round(max(told), 3)],
            "hand_made_to_itself": round(statistics.median(control), 3),
        }
        print(source, sources[source], flush=True)
    return {"rows": rows, "rounds": rounds, "within": WITHIN, "sources": sources}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.kit", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    figures = compare_kit(given.rows, given.rounds)
    print(keep("kit", figures, f"python -m bench.kit --rows {given.rows} --rounds {given.rounds}"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
