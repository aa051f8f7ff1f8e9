"""证券: holdings and cash at brokers; one file a broker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from connectors.registry import all_contracts
from sample_data.cells import DATE_STYLES, Ints, days_of, digits_of, joined, money_of
from sample_data.drops import OddLines, TextDrop, TextFile
from sample_data.figures import Figures
from sample_data.finances import securities_part
from sample_data.papers import Papers, json_line
from sample_data.people import STRANGER
from sample_data.world import World

SOURCE = "securities"
BROKERS = ("S101", "S205")
_STYLES = tuple(DATE_STYLES)
_CONTRACT = all_contracts()[SOURCE].file("holdings")


def file_of(broker: int) -> str:
    return f"holdings-{BROKERS[broker]}.jsonl"


def _latest_day(figures: Figures) -> int:
    return figures.as_of.toordinal() - 2


class Securities:
    def __init__(self, folder: Path, figures: Figures) -> None:
        self._figures = figures
        self.drop = TextDrop(folder / SOURCE, SOURCE)
        for broker in range(len(BROKERS)):
            self.drop.open(file_of(broker), _CONTRACT)

    def write(self, world: World, lines: OddLines) -> None:
        dice = world.dice
        parts = securities_part(world)
        homes = np.flatnonzero(parts > 0)
        value = parts[homes] * 7 // 10
        cash = parts[homes] - value
        # Some owe the broker: a negative balance counts as nothing, the holding then carries all of it.
        owing = dice.chance("securities.owing", world.households.keys[homes], 0.1)
        value, cash = np.where(owing, parts[homes], value), np.where(owing, -cash - 100, cash)
        strangers = np.flatnonzero(
            (world.people.role == STRANGER) & dice.chance("securities.stranger", world.people.keys, 0.1)
        )
        worth = dice.below("securities.stranger.value", world.people.keys[strangers], 400_000_00)
        latest = _latest_day(self._figures)
        holders = world.member(homes)
        people = np.r_[holders, holders, strangers]
        values, cashes = np.r_[value, value * 4, worth], np.r_[cash, np.abs(cash), worth // 9]
        days = np.r_[
            np.full(len(homes), latest), np.full(len(homes), latest - 31), np.full(len(strangers), latest)
        ]
        order = np.lexsort((days, people))
        self._write(world, lines, people[order], values[order], cashes[order], days[order])

    def _write(
        self, world: World, lines: OddLines, people: Ints, values: Ints, cashes: Ints, days: Ints
    ) -> None:
        keys = world.people.keys[people]
        brokers = world.dice.below("broker", keys, len(BROKERS))
        for broker, code in enumerate(BROKERS):
            rows = np.flatnonzero(brokers == broker)
            chosen, drawn = people[rows], keys[rows] * np.uint64(1024) + (days[rows] % 1024).astype(np.uint64)
            names, styles = world.name_cells(chosen, drawn, "utf-8")
            # One broker sends amounts as numbers, the other as text.
            quote = b'"' if broker else b""
            cells = joined(
                [
                    b'{"id_number": "',
                    world.number_cells(chosen, drawn, styles),
                    b'", "name": "',
                    *names,
                    f'", "broker_code": "{code}", "account_no": "0000'.encode(),
                    digits_of(keys[rows].astype(np.int64), 12),
                    b'", "market_value": ' + quote,
                    money_of(values[rows]),
                    quote + b', "cash_balance": ' + quote,
                    money_of(cashes[rows]),
                    quote + b', "currency": "CNY", "as_of": "',
                    days_of(days[rows], _STYLES[broker]),
                    b'"}\n',
                ],
                len(rows),
            )
            name = file_of(broker)
            self.drop.write(name, cells, world.at(chosen), lines.take(SOURCE, name))

    def close(self) -> list[TextFile]:
        return self.drop.close()


def add_holding(
    papers: Papers,
    person: int,
    value: object,
    cash: object,
    broker: int = 0,
    /,
    *,
    reasons: Sequence[str] = (),
    **values: object,
) -> None:
    """One more account of a person at a broker."""
    household, row = papers.about(person)
    day = papers.day(2).isoformat()
    row |= {
        "broker_code": BROKERS[broker],
        "account_no": f"0000{papers.serial(household, 1):012d}",
        "market_value": value,
        "cash_balance": cash,
        "currency": "CNY",
        "as_of": day,
    } | values
    papers.add(SOURCE, file_of(broker), household, json_line(_CONTRACT, row) + b"\n", *reasons)
