"""税务: what payers reported, month by month; one file a month."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from connectors.registry import all_contracts
from sample_data.cells import Cells, Ints, joined, money_of, shares_of, table_of, texts_of
from sample_data.drops import OddLines, TextDrop, TextFile
from sample_data.figures import Figures
from sample_data.numbers import credit_codes_of
from sample_data.papers import Papers, text_line
from sample_data.world import World

SOURCE = "tax"
_CONTRACT = all_contracts()[SOURCE].file("income")
_ITEM_WEIGHTS = {"工资薪金": 70, "劳务报酬": 14, "经营所得": 6, "利息股息红利": 4, "财产租赁": 4}
_PAYERS = (
    '"示例（{}）制衣有限公司"',
    "示例{}电子厂",
    '"示例{}物流有限公司，第二分公司"',
    '"示例""{}""餐饮店"',
    "示例{}农业科技有限公司",
    '"示例{},联合贸易行"',
    "示例{}村股份经济合作社",
)
_STREETS = "东南西北中江山湖海田林石金木水火土天日月"


def months_of(figures: Figures) -> list[str]:
    """The months the feed covers, as 2026-05: the window, and the month before it, which no rule looks at."""
    return [figures.month(ago) for ago in range(figures.window + 1, 0, -1)]


def newline_of(file: str) -> str:
    """Two offices, two habits: every second month comes with Windows line ends."""
    return "\r\n" if _is_odd(file) else "\n"


def _is_odd(file: str) -> bool:
    return int(file[-5]) % 2 == 1


def file_of(month: str) -> str:
    return f"income-{month.replace('-', '')}.csv"


@cache
def _payer_tables() -> tuple[Cells, Cells]:
    names = [kind.format(street) for street in _STREETS for kind in _PAYERS]
    return credit_codes_of(np.arange(len(names)) * 7919 + 1, b"91"), table_of(names, "utf-8")


class Tax:
    def __init__(self, folder: Path, figures: Figures) -> None:
        self._figures = figures
        self.months = months_of(figures)
        self.drop = TextDrop(folder / SOURCE, SOURCE)
        for name in map(file_of, self.months):
            self.drop.open(name, _CONTRACT, newline_of(name), mark=_is_odd(name))

    def write(self, world: World, lines: OddLines) -> None:
        amounts, corrected, month_of_correction, earners = self._monthly(world)
        for at, month in enumerate(self.months):
            people, values, items = self._rows(world, at, amounts, earners)
            back = month_of_correction == at - 1
            late = [np.flatnonzero(back & (corrected > 0)), -corrected[back & (corrected > 0)]]
            months = np.r_[np.full(len(people), at), np.full(len(late[0]), at - 1)]
            items = np.r_[items, self._item(world, earners[late[0]])]
            people, values = np.r_[people, earners[late[0]]], np.r_[values, late[1]]
            order = np.argsort(people, kind="stable")
            self._write_month(world, lines, month, people[order], values[order], items[order], months[order])

    def _monthly(self, world: World) -> tuple[Ints, Ints, Ints, Ints]:
        """Amounts (earners, months of the feed), and one correction for some: first too much, then the rest
        back.
        """
        people, dice, window = world.people, world.dice, self._figures.window
        earners = np.flatnonzero(people.income > 0)
        keys = people.keys[earners]
        slots = (keys[:, None] << np.uint64(4)) | np.arange(window, dtype=np.uint64)
        weights = 60 + dice.below("tax.weight", slots.ravel(), 40)
        weights[dice.chance("tax.skip", slots.ravel(), 0.18)] = 0
        group = np.repeat(np.arange(len(earners)), window)
        parts = shares_of(people.income[earners], weights, group).reshape(len(earners), window)
        before = np.where(
            dice.chance("tax.before", keys, 0.15),
            people.income[earners] * (1 + dice.below("tax.before.times", keys, 3)),
            0,
        )
        amounts = np.concatenate([before[:, None], parts], axis=1)
        corrects = dice.chance("tax.corrects", keys, 0.02)
        month = 1 + dice.below("tax.correction.month", keys, window - 1)
        size = np.where(corrects, 100_00 + dice.below("tax.correction", keys, 90_000_00), 0)
        amounts[np.arange(len(earners)), month] += size
        return amounts, size, month, earners

    def _rows(self, world: World, at: int, amounts: Ints, earners: Ints) -> tuple[Ints, Ints, Ints]:
        """People, amounts and items of one month: each once, now and then twice, and what does not count."""
        dice, keys = world.dice, world.people.keys[earners]
        question = f"tax.{at}"
        there = np.flatnonzero(amounts[:, at] > 0)
        twice = there[dice.chance(f"{question}.twice", keys[there], 0.006)]
        rows = np.r_[there, twice]
        people, values, items = earners[rows], amounts[rows, at], self._item(world, earners[rows])
        uncounted = [at for at, item in enumerate(_items()) if item not in self._figures.countable]
        if uncounted:
            won = np.flatnonzero(dice.chance(f"{question}.won", keys, 0.004))
            people = np.r_[people, earners[won]]
            values = np.r_[values, 1_000_000_00 + dice.below(f"{question}.prize", keys[won], 9_000_000_00)]
            items = np.r_[items, np.full(len(won), uncounted[-1])]
        return people, values, items

    def _item(self, world: World, people: Ints) -> Ints:
        """What a person's income is: the same all year."""
        items = _items()
        weights = [_ITEM_WEIGHTS.get(item, 1) if item in self._figures.countable else 0 for item in items]
        return world.dice.pick("tax.item", world.people.keys[people], weights)

    def _write_month(
        self, world: World, lines: OddLines, month: str, people: Ints, values: Ints, items: Ints, months: Ints
    ) -> None:
        keys = (world.people.keys[people] << np.uint64(4)) | np.uint64(self.months.index(month))
        names, styles = world.name_cells(people, keys, "utf-8")
        codes, payers = _payer_tables()
        payer = world.dice.below("tax.payer", world.people.keys[people], len(codes))
        name = file_of(month)
        written = [one.replace("-", "") if _is_odd(name) else one for one in self.months]
        cells = joined(
            [
                world.number_cells(people, keys, styles),
                b",",
                *names,
                b",",
                np.take(table_of(written, "ascii"), months, axis=0),
                b",",
                np.take(table_of(_items(), "utf-8"), items, axis=0),
                b",",
                money_of(values),
                b",",
                np.take(codes, payer, axis=0),
                b",",
                np.take(payers, payer, axis=0),
                newline_of(name).encode(),
            ],
            len(people),
        )
        self.drop.write(name, cells, world.at(people), lines.take(SOURCE, name))

    def close(self) -> list[TextFile]:
        return self.drop.close()


def _items() -> tuple[str, ...]:
    return _CONTRACT.column("income_item").values


def add_income(
    papers: Papers,
    person: int,
    amount: str,
    month: int = -1,
    /,
    *,
    reasons: Sequence[str] = (),
    **values: object,
) -> None:
    """One more row of wages; month: index into months_of, from the end for the latest."""
    household, row = papers.about(person)
    name = months_of(papers.world.figures)[month]
    payer = texts_of(credit_codes_of(np.array([papers.serial(household, 0)]), b"91"))[0]
    row |= {
        "tax_month": name,
        "income_item": papers.world.figures.countable[0],
        "amount": amount,
        "payer_uscc": payer,
        "payer_name": "示例外包服务有限公司",
    } | values
    papers.add(SOURCE, file_of(name), household, text_line(_CONTRACT, row, newline_of(name)), *reasons)
