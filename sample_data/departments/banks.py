"""银行: balances of the members' accounts at three dates; one file a bank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from connectors.registry import all_contracts
from sample_data.cells import (
    DATE_STYLES,
    Ints,
    Keys,
    days_of,
    digits_of,
    joined,
    money_of,
    shares_of,
    table_of,
)
from sample_data.drops import OddLines, TextDrop, TextFile
from sample_data.figures import Figures
from sample_data.finances import bank_part
from sample_data.papers import Papers, text_line
from sample_data.people import MEMBER, STRANGER
from sample_data.world import World

SOURCE = "banks"
NEWLINE = "\r\n"
BANKS = ("102100", "103100", "104100", "105100", "301100", "402581", "402584", "403100")
_WEIGHTS = (14, 20, 8, 10, 2, 16, 12, 18)
TYPES = ("活期", "定期", "理财")
_STYLES = tuple(DATE_STYLES)
_CONTRACT = all_contracts()[SOURCE].file("accounts")
_DATES = 3
_MONTH = 28
_CHILD_DAYS = 16 * 365


def file_of(bank: int) -> str:
    return f"{BANKS[bank]}-1.csv"


def latest_day(figures: Figures, bank: int) -> int:
    """The day a bank's newest balances are of, as a day number: one to five days before as-of."""
    return figures.as_of.toordinal() - 1 - bank % 5


@dataclass
class _Rows:
    """Rows of the feed before they are written. Amounts in cents of the currency, days as day numbers."""

    person: Ints
    account: Keys
    bank: Ints
    kind: Ints
    currency: Ints
    amount: Ints
    day: Ints

    def take(self, rows: Ints) -> _Rows:
        return _Rows(*(getattr(self, one.name)[rows] for one in fields(self)))


class Banks:
    def __init__(self, folder: Path, figures: Figures) -> None:
        self._figures = figures
        self._currencies = ["CNY", *sorted(set(figures.fx) - {"CNY"})]
        self.drop = TextDrop(folder / SOURCE, SOURCE)
        for bank in range(len(BANKS)):
            self.drop.open(file_of(bank), _CONTRACT, NEWLINE)

    def write(self, world: World, lines: OddLines) -> None:
        found = [*self._members(world), self._foreign(world), self._strangers(world)]
        rows = _Rows(
            *(np.concatenate([getattr(one, column.name) for one in found]) for column in fields(_Rows))
        )
        rows = rows.take(np.lexsort((rows.day, rows.account, rows.person)))
        for bank in range(len(BANKS)):
            self._write_bank(world, lines, bank, rows.take(np.flatnonzero(rows.bank == bank)))

    def _members(self, world: World) -> list[_Rows]:
        people, dice = world.people, world.dice
        members = np.flatnonzero((people.role == MEMBER) & ~people.bare)
        keys = people.keys[members]
        grown = people.born[members] < self._figures.as_of.toordinal() - _CHILD_DAYS
        count = np.where(
            grown, 1 + dice.pick("accounts", keys, (24, 40, 36)), dice.chance("account.child", keys, 0.3)
        )
        count = np.maximum(count, people.position[members] == 0)
        holder = np.repeat(members, count)
        nth = np.arange(len(holder)) - np.repeat(np.cumsum(count) - count, count)
        accounts = (people.keys[holder] << np.uint64(4)) | nth.astype(np.uint64)
        both = 1 + dice.chance("account.second", accounts, 0.15).astype(np.int64)
        holder, accounts = np.repeat(holder, both), np.repeat(accounts, both)
        second = np.r_[False, accounts[1:] == accounts[:-1]].astype(np.int64)
        positions = _Rows(
            person=holder,
            account=accounts,
            bank=dice.pick("bank", accounts, _WEIGHTS),
            kind=(dice.pick("account.type", accounts, (80, 14, 6)) + second) % len(TYPES),
            currency=np.zeros(len(holder), np.int64),
            amount=shares_of(
                bank_part(world),
                1 + dice.below("account.weight", (accounts << np.uint64(1)) | second.astype(np.uint64), 999),
                people.home[holder],
            ),
            day=np.zeros(len(holder), np.int64),
        )
        return [self._over_time(world, positions), self._harmless(world, positions)]

    def _over_time(self, world: World, positions: _Rows) -> _Rows:
        """Each position at its newest date with its true amount, and at two earlier ones with any other."""
        times = np.repeat(np.arange(len(positions.person)), _DATES)
        ago = np.tile(np.arange(_DATES), len(positions.person))
        rows = positions.take(times)
        latest = np.array([latest_day(self._figures, bank) for bank in range(len(BANKS))])
        rows.day = latest[rows.bank] - _MONTH * ago
        drift = world.dice.below(
            "balance.drift", rows.account * np.uint64(_DATES) + ago.astype(np.uint64), 1500
        )
        rows.amount = np.where(ago == 0, rows.amount, rows.amount * (500 + drift) // 1000 + drift * 7)
        return rows

    def _harmless(self, world: World, positions: _Rows) -> _Rows:
        """What must not count: a smaller amount of the same day, an equal row, an overdraft, and an account
        not
        heard of for too long."""
        dice, accounts = world.dice, positions.account
        kind = dice.pick("balance.harmless", accounts, (930, 20, 10, 15, 25))
        rows = np.flatnonzero(kind > 0)
        kind, extra = kind[rows], positions.take(rows)
        latest = np.array([latest_day(self._figures, bank) for bank in range(len(BANKS))])[extra.bank]
        own_account = kind >= 3
        extra.account = np.where(own_account, extra.account | np.uint64(8), extra.account)
        extra.amount = np.select(
            [kind == 1, kind == 2, kind == 3],
            [extra.amount // 2, extra.amount, -100_00 - extra.amount // 3],
            200_000_00 + extra.amount * 3,
        )
        extra.day = np.where(kind == 4, latest - self._figures.evidence_days - 30, latest)
        return extra

    def _foreign(self, world: World) -> _Rows:
        homes = world.households
        rows = np.flatnonzero(homes.foreign > 0)
        accounts = (world.people.keys[world.member(rows)] << np.uint64(4)) | np.uint64(7)
        bank = world.dice.below("bank.foreign", accounts, len(BANKS))
        latest = np.array([latest_day(self._figures, one) for one in range(len(BANKS))])
        return _Rows(
            world.member(rows),
            accounts,
            bank,
            np.zeros(len(rows), np.int64),
            1 + homes.currency[rows],
            homes.foreign[rows],
            latest[bank],
        )

    def _strangers(self, world: World) -> _Rows:
        """Banks answer for the people they are asked about; a few rows about others slip in."""
        people = world.people
        holder = np.flatnonzero(
            (people.role == STRANGER) & world.dice.chance("bank.stranger", people.keys, 0.02)
        )
        accounts = people.keys[holder] << np.uint64(4)
        bank = world.dice.below("bank.stranger.which", accounts, len(BANKS))
        latest = np.array([latest_day(self._figures, one) for one in range(len(BANKS))])
        zeros = np.zeros(len(holder), np.int64)
        amount = world.dice.below("bank.stranger.amount", accounts, 300_000_00)
        return _Rows(holder, accounts, bank, zeros, zeros, amount, latest[bank])

    def _write_bank(self, world: World, lines: OddLines, bank: int, rows: _Rows) -> None:
        """Each bank has its way with dates; every third writes thousands with commas, in quotes."""
        keys = rows.account * np.uint64(1024) + (rows.day % 1024).astype(np.uint64)
        names, styles = world.name_cells(rows.person, keys, "gb18030")
        thousands = bank % 3 == 2
        quote = b'"' if thousands else b""
        account = digits_of(rows.account.astype(np.int64), 15)
        cells = joined(
            [
                world.number_cells(rows.person, keys, styles),
                b",",
                *names,
                b"," + BANKS[bank].encode() + b",",
                b"0000",
                account,
                b",",
                np.take(table_of(TYPES, "gb18030"), rows.kind, axis=0),
                b",",
                np.take(table_of(self._currencies, "ascii"), rows.currency, axis=0),
                b"," + quote,
                money_of(rows.amount, thousands=thousands),
                quote + b",",
                days_of(rows.day, _STYLES[bank % len(_STYLES)]),
                b"\r\n",
            ],
            len(rows.person),
        )
        name = file_of(bank)
        self.drop.write(name, cells, world.at(rows.person), lines.take(SOURCE, name))

    def close(self) -> list[TextFile]:
        return self.drop.close()


def add_balance(
    papers: Papers,
    person: int,
    balance: str,
    bank: int = 0,
    /,
    *,
    copy: int = 0,
    reasons: Sequence[str] = (),
    **values: object,
) -> None:
    """One more account of a person with a balance on the bank's newest day."""
    household, row = papers.about(person)
    ago = papers.world.figures.as_of.toordinal() - latest_day(papers.world.figures, bank)
    row |= {
        "bank_code": BANKS[bank],
        "account_no": f"0000{papers.serial(household, copy):015d}",
        "account_type": TYPES[0],
        "currency": "CNY",
        "balance": balance,
        "balance_date": papers.day(ago).isoformat(),
    } | values
    papers.add(SOURCE, file_of(bank), household, text_line(_CONTRACT, row, NEWLINE), *reasons)
