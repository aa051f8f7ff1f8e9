"""H01: spouse or minor child in a member's register who is not on the roster."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from .tables import leads

# One household: the head (hi 1) stands in register 5 as 01. The relative is one row of that register.
RELATIVE = """
relation  born      is_valid  is_normal  wanted
10        19800101  yes       yes        yes
12        19800101  yes       yes        yes
13        19800101  yes       yes        no
01        19800101  yes       yes        no
02        19800101  yes       yes        no
20        20080701  yes       yes        yes
20        20080630  yes       yes        no
39        20260630  yes       yes        yes
40        20200101  yes       yes        no
19        20200101  yes       yes        no
10        19800101  no        yes        no
10        19800101  yes       no         no
"""


def found(register: str, **changes: Any) -> list[tuple[int, int | None, Decimal, Decimal]]:
    tables = {
        "member": "household record hi lo\n1 1 1 0",
        "household_position": changes.pop("position", "household programme\n1 低保"),
        "reach_household_registration": changes.pop(
            "own", "record register_no relation status how\n1 5 01 正常 exact"
        ),
        "register_row": register,
        "record": changes.pop("records", "household record hi lo\n1 1 1 0"),
        "near_suspect": changes.pop("near", "household hi lo\n2 2 0"),
    }
    return leads("h01", tables, **changes)


def row(
    relation: str = "10", born: str = "19800101", is_valid: str = "yes", is_normal: str = "yes", hi: int = 2
) -> str:
    return f"{hi} 0 5 {relation} {born} {is_valid} {is_normal}\n"


HEADER = "hi lo register relation born is_valid is_normal\n"


@pytest.mark.parametrize("line", RELATIVE.strip().splitlines()[1:])
def test_who_counts(line: str) -> None:
    *cells, wanted = line.split()
    assert bool(found(HEADER + row(*cells))) == (wanted == "yes")


@pytest.mark.parametrize(("relation", "status", "how", "wanted"), [
    ("01", "正常", "exact", True), ("02", "正常", "exact", True), ("10", "正常", "exact", True), ("12", "正常", "exact", True),
    ("20", "正常", "exact", False), ("01", "迁出", "exact", False), ("01", "正常", "name_conflict", False),
])  # fmt: skip
def test_in_whose_register(relation: str, status: str, how: str, wanted: bool) -> None:
    own = f"record register_no relation status how\n1 5 {relation} {status} {how}"
    assert bool(found(HEADER + row(), own=own)) is wanted


@pytest.mark.parametrize(("persons", "wanted"), [(8, 1), (9, 0)])
def test_collective_registers_are_left_out(persons: int, wanted: int) -> None:
    register = HEADER + row() + "".join(row("50", hi=10 + at) for at in range(persons - 1)) + row("50", hi=10)
    assert len(found(register)) == wanted


def test_members_obligors_and_those_a_mistyped_number_may_mean_are_not_counted() -> None:
    assert found(HEADER + row(), records="household record hi lo role\n1 1 1 0 member\n1 2 2 0 obligor") == []
    assert found(HEADER + row(), near="household hi lo\n1 2 0") == []
    assert found(HEADER + row(), records="household record hi lo\n1 1 1 0\n2 2 2 0") != []


@pytest.mark.parametrize(
    "position", ["household programme\n1 特困", "household programme is_incomplete\n1 低保 yes"]
)
def test_other_households_are_not_judged(position: str) -> None:
    assert found(HEADER + row(), position=position) == []


def test_a_person_in_two_rows_or_registers_counts_once() -> None:
    two = HEADER + row("10", "20200101") + row("20", "20200101") + row("11", hi=3)
    assert found(two) == [(1, None, Decimal(2), Decimal(0))]
