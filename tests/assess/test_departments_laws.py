"""Laws that hold in every world: order and repetition change nothing, and what a department does not say harms nobody."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from connectors.registry import all_contracts

from .worlds import EIGHT, ORDINARY, Home, Member, Row, assessed, sources_of

FURTHER = tuple(source for source in ORDINARY if source not in EIGHT)
DAYS = (
    "2024-06-30",
    "2025-06-30",
    "2025-07-01",
    "2025-12-01",
    "2026-05-01",
    "2026-06-29",
    "2026-06-30",
    "2026-07-01",
)
MONEY = (0, 0.01, 20, 50, 100, 1281.99, 1282, 1282.01, 9000)
PROGRAMMES = ("低保", "特困", "低保边缘", "刚性支出")


def drawn_row(dice: random.Random, members: int) -> Row:
    """A row of a further department whose cells stand at edges; identifiers are few, so that they meet."""
    source = dice.choice(FURTHER)
    cells: dict[str, Any] = {}
    for column in all_contracts()[source].files[0].columns:
        if column.name not in ORDINARY[source] or dice.random() < 0.3:
            if column.optional and column.type == "date" and dice.random() < 0.3:
                cells[column.name] = dice.choice(DAYS)
            continue
        if column.type == "code":
            cells[column.name] = dice.choice(column.values)
        elif column.type in ("date", "month"):
            cells[column.name] = dice.choice(DAYS)
        elif column.type == "money":
            cells[column.name] = dice.choice(MONEY)
        elif column.type == "identifier":
            cells[column.name] = dice.choice("xyz")
    return Row(
        source, cells, dice.randrange(members), dice.choice(("exact",) * 5 + ("name_conflict", "repaired"))
    )


def drawn_home(dice: random.Random) -> Home:
    count = dice.choice((1, 2, 2, 3))
    members = tuple(
        Member(
            age=dice.choice((17, 18, 40, 59, 60, 70)),
            relation="01" if place == 0 else dice.choice(("10", "20")),
            grade=dice.choice((None, None, "2", "3")),
            category=dice.choice((None, "肢体", "智力")),
        )
        for place in range(count)
    )
    monitored = dice.random() < 0.3
    return Home(
        rows=tuple(drawn_row(dice, count) for _ in range(dice.randrange(9))),
        members=members,
        list="monitored" if monitored else "roster",
        programme=dice.choice(PROGRAMMES),
        declared=dice.choice((6_000, 20_000, 30_000)) if monitored else dice.choice((0, 1_500, 3_000)),
        has_obligor=dice.random() < 0.5,
    )


def drawn_world(seed: int) -> dict[str, Home]:
    dice = random.Random(seed)
    return {f"H{number:03d}": drawn_home(dice) for number in range(80)}


def leads_of(homes: dict[str, Home], threads: int = 1) -> dict[Any, Any]:
    return assessed(homes, sources_of(*FURTHER), threads=threads)[0]


@pytest.fixture(scope="module", params=[1, 2])
def world(request: pytest.FixtureRequest) -> tuple[dict[str, Home], dict[Any, Any]]:
    homes = drawn_world(request.param)
    leads = leads_of(homes)
    assert len({rule for rule, _, _ in leads}) > 20  # a world in which little happens proves little
    return homes, leads


def test_neither_the_order_of_rows_and_households_nor_threads_change_a_word(
    world: tuple[dict[str, Home], dict[Any, Any]],
) -> None:
    homes, leads = world
    turned = {name: replace(home, rows=home.rows[::-1]) for name, home in reversed(homes.items())}
    assert leads_of(turned, threads=3) == leads


def test_a_row_told_twice_changes_nothing(world: tuple[dict[str, Home], dict[Any, Any]]) -> None:
    homes, leads = world

    def without_counts_of_traces(found: dict[Any, Any]) -> dict[Any, Any]:
        return {
            lead: told for lead, told in found.items() if lead[0] != "X03"
        }  # X03 counts rows, equal ones too

    twice = leads_of({name: replace(home, rows=home.rows * 2) for name, home in homes.items()})
    assert without_counts_of_traces(twice) == without_counts_of_traces(leads)


def test_feeds_without_a_row_accuse_nobody(world: tuple[dict[str, Home], dict[Any, Any]]) -> None:
    homes, _ = world
    silent = leads_of({name: replace(home, rows=()) for name, home in homes.items()})
    assert {rule for rule, _, _ in silent if rule[0] not in "NU"} == set()
