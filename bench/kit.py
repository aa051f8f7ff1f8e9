"""Time per row of a source made by the kit against the same source by its hand-made contract.

    python -m bench.kit [--rows N] [--rounds N]

Both read the same rows, each from a feed of its own, with the intake of a night; in turn, the order changing from
round to round, in CPU seconds of this process. The least of each counts: what else runs on the machine only adds. The
hand-made contract against itself says how far that can be trusted.
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


def ratio_of(one: Trial, other: Trial, rounds: int) -> dict[str, object]:
    """`other` over `one` by the least CPU seconds of each, and the median of the rounds' ratios."""
    _seconds(one), _seconds(other)
    spent: dict[Trial, list[float]] = {one: [], other: []}
    for number in range(rounds):
        for trial in (one, other) if number % 2 else (other, one):
            spent[trial].append(_seconds(trial))
    ratios = [b / a for a, b in zip(spent[one], spent[other], strict=True)]
    return {
        "of_the_least": round(min(spent[other]) / min(spent[one]), 3),
        "median": round(statistics.median(ratios), 3),
        "cpu_seconds": [round(min(spent[one]), 3), round(min(spent[other]), 3)],
    }


def compare_kit(rows: int, rounds: int) -> dict[str, object]:
    """By source: kit to hand-made, and hand-made to itself."""
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
            sources[source] = {
                "kit_to_hand_made": ratio_of(trials[0], trials[2], rounds),
                "hand_made_to_itself": ratio_of(trials[0], trials[1], rounds),
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
