"""市场监管: who runs or owns what; one file a city."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from connectors.registry import all_contracts
from sample_data.cells import Ints, days_of, joined, money_of, table_of, texts_of
from sample_data.drops import OddLines, TextDrop, TextFile
from sample_data.figures import Figures
from sample_data.numbers import credit_codes_of
from sample_data.papers import Papers, text_line
from sample_data.people import MEMBER, OBLIGOR, STRANGER
from sample_data.world import World

SOURCE = "market_regulation"
LEGAL, SHAREHOLDER, OPERATOR = "法定代表人", "股东", "经营者"
COMPANY, BUSINESS, COOPERATIVE = "企业", "个体工商户", "农民专业合作社"
_CONTRACT = all_contracts()[SOURCE].file("interests")
_WAN = 6  # decimals of the capital column: a cent in ten thousand yuan

# role, entity type, status, yuan of capital (-1: just under the threshold of the rule)
_HARMLESS = (
    (SHAREHOLDER, COMPANY, "注销", 500_000),
    (SHAREHOLDER, COOPERATIVE, "存续", 3_000),
    (OPERATOR, BUSINESS, "注销", 20_000),
    (LEGAL, COMPANY, "吊销", 1_000_000),
    (SHAREHOLDER, COMPANY, "存续", -1),
)
_REAL = (
    (OPERATOR, BUSINESS, "存续", 50_000),
    (SHAREHOLDER, COMPANY, "存续", 1_000_000),
    (LEGAL, COMPANY, "存续", 2_000_000),
)
_KINDS = (*_HARMLESS, *_REAL)
_NAMES = (
    '"示例,百货店"',
    "示例养殖专业合作社",
    "示例建材经营部",
    "示例科技有限公司",
    "示例（广东）投资有限公司",
    "示例粥粉面店",
)


def _cities(figures: Figures) -> list[str]:
    return list(dict.fromkeys(place.city for place in figures.places))


def file_of(city: str) -> str:
    return f"interests-{city}.csv"


class MarketRegulation:
    def __init__(self, folder: Path, figures: Figures) -> None:
        self._cities = _cities(figures)
        self.drop = TextDrop(folder / SOURCE, SOURCE)
        for city in self._cities:
            self.drop.open(file_of(city), _CONTRACT)

    def write(self, world: World, lines: OddLines) -> None:
        people, kinds = self._interests(world)
        keys = world.people.keys[people]
        city_of_place = np.array([self._cities.index(place.city) for place in world.figures.places])
        cities = city_of_place[world.households.place[world.people.home[people]]]
        threshold = max(int(world.figures.capital_threshold * 100) - 1, 0)
        capital = np.array([threshold if yuan < 0 else yuan * 100 for *_, yuan in _KINDS])[kinds]
        names, styles = world.name_cells(people, keys, "gb18030")
        born = world.people.born[people]
        founded = np.maximum(born + 20 * 365, world.figures.as_of.toordinal() - 4000) + 10
        cells = joined(
            [
                world.number_cells(people, keys, styles),
                b",",
                *names,
                b",",
                np.take(table_of([kind[0] for kind in _KINDS], "gb18030"), kinds, axis=0),
                b",",
                credit_codes_of(world.dice.below("entity", keys, 800_000_000), b"91"),
                b",",
                np.take(
                    table_of(_NAMES, "gb18030"), world.dice.below("entity.name", keys, len(_NAMES)), axis=0
                ),
                b",",
                np.take(table_of([kind[1] for kind in _KINDS], "gb18030"), kinds, axis=0),
                b",",
                money_of(capital, _WAN),
                b",",
                np.take(table_of([kind[2] for kind in _KINDS], "gb18030"), kinds, axis=0),
                b",",
                days_of(founded),
                b"\n",
            ],
            len(people),
        )
        for at, city in enumerate(self._cities):
            rows = np.flatnonzero(cities == at)
            name = file_of(city)
            self.drop.write(name, cells[rows], world.at(people[rows]), lines.take(SOURCE, name))

    def _interests(self, world: World) -> tuple[Ints, Ints]:
        """People and the kind of their one interest: members only harmless ones, all others whatever there
        is.
        """
        people, dice = world.people, world.dice
        grown = people.born < world.figures.as_of.toordinal() - 20 * 366
        likely = np.select(
            [people.role == MEMBER, people.role == OBLIGOR, people.role == STRANGER], [0.025, 0.08, 0.25]
        )
        chosen = np.flatnonzero(grown & ~people.bare & dice.chance("interest", people.keys, likely))
        keys = people.keys[chosen]
        harmless = dice.below("interest.kind", keys, len(_HARMLESS))
        real = dice.below("interest.kind", keys, len(_KINDS))
        return chosen, np.where(people.role[chosen] == MEMBER, harmless, real)

    def close(self) -> list[TextFile]:
        return self.drop.close()


def add_interest(
    papers: Papers,
    person: int,
    role: str,
    entity_type: str,
    capital: int = 0,
    status: str = "存续",
    /,
    *,
    copy: int = 0,
    reasons: Sequence[str] = (),
    **values: object,
) -> None:
    """One more interest of a person; capital in cents; copy: tells the entities of one household apart."""
    household, row = papers.about(person)
    code = texts_of(credit_codes_of(np.array([papers.serial(household, copy)]), b"91"))[0]
    row |= {
        "role": role,
        "uscc": code,
        "entity_name": "示例商行",
        "entity_type": entity_type,
        "subscribed_capital": texts_of(money_of(np.array([capital]), _WAN))[0],
        "status": status,
        "established_on": "2019-03-15",
    } | values
    papers.add(SOURCE, file_of(papers.city(household)), household, text_line(_CONTRACT, row), *reasons)
