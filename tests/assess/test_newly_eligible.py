"""The newly-eligible rules: the first that fits, on both sides of income line, property test and rigid share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import duckdb

from .tables import build, put

LINES = """
programme  entry_line12  asset_limit14
低保        1000          24000
特困        1300          12000
低保边缘     1500          36000
刚性支出     2000          48000
"""
GROUNDS = "category max_grade\n肢体 2\n智力 3"


def found(position: str, member: str = "age\n40", **parameters: Any) -> list[tuple[str, int | None, Decimal]]:
    """(rule, record, value in yuan)."""
    return [(rule, record, value) for _, rule, record, value in leads(position, member, **parameters)]


def leads(position: str, member: str, **parameters: Any) -> list[tuple[int, str, int | None, Decimal]]:
    """(household, rule, record, value in yuan)."""
    with duckdb.connect(":memory:") as con:
        put(con, "household_position", position)
        put(con, "member", member)
        put(con, "threshold", LINES)
        put(con, "tekun_disability", GROUNDS)
        build(con, "candidate", "newly_eligible", **parameters)
        rows = con.execute(
            "select household, rule, record, value_cents from newly_eligible order by household, rule, record"
        ).fetchall()
    return [(household, rule, record, Decimal(int(value)) / 100) for household, rule, record, value in rows]


def table(rows: Iterable[Mapping[str, object]]) -> str:
    lines = [list(row.items()) for row in rows]
    return "\n".join(
        [" ".join(name for name, _ in lines[0]), *(" ".join(str(cell) for _, cell in line) for line in lines)]
    )


def rules_of_each(
    positions: Sequence[Mapping[str, object]], members: Sequence[Mapping[str, object]], **parameters: Any
) -> list[list[str]]:
    """Each position a household of its own in one world, with all of `members`, or the one at its place."""
    at_home = members if len(members) == len(positions) else None
    people = [
        {"household": number, **person}
        for number in range(len(positions))
        for person in ([at_home[number]] if at_home else members)
    ]
    numbered = [{**person, "record": record} for record, person in enumerate(people)]
    homes = [{"household": number, **position} for number, position in enumerate(positions)]
    rules: list[list[str]] = [[] for _ in positions]
    for household, rule, _, _ in leads(table(homes), table(numbered), **parameters):
        rules[household].append(rule)
    return rules


MONITORED: dict[str, object] = {
    "list": "monitored", "programme": "-", "n": 2, "declared_annual_income_per_capita": 0, "rigid_expenditure_12m": 0,
    "has_obligor": "yes",
}  # fmt: skip


def monitored(**cells: Any) -> str:
    return table([{**MONITORED, **cells}])


def rules(position: str, member: str = "age\n40", **parameters: Any) -> list[str]:
    return [rule for rule, _, _ in found(position, member, **parameters)]


# declared a year per head, verified in six months of the household, assets of the household, rigid expenditure -> rule
EDGES = """
declared   verified    assets    rigid     rule
11999.99   0           48000     0         N01
12000      0           48000     0         N02
11999.99   12000       48000     0         N02
11999.99   11999.99    48000     0         N01
11999.99   0           48000.01  0         N02
17999.99   0           72000     0         N02
17999.99   0           72000.01  0         N06
18000      0           0         0         -
18000      0           96000     21600     N04
18000      0           96000     21599.99  -
18000      0           96000.01  21600     -
23999.99   0           0         28799.99  N04
23999.99   0           0         28799.98  -
24000      0           0         99999     -
0          23999.99    0         28799.99  N04
0          23999.99    0         28799.98  -
0          0           96000.01  0         N06
18000      0           0         0         -
"""


def test_the_first_rule_that_fits() -> None:
    columns = ("declared_annual_income_per_capita", "income_micro", "assets14", "rigid_expenditure_12m")
    lines = [line.split() for line in EDGES.strip().splitlines()[1:]]
    positions = [{**MONITORED, **dict(zip(columns, line, strict=False))} for line in lines]
    told = rules_of_each(positions, [{"age": 40}])
    assert [" ".join([*line[:4], *rules]) for line, rules in zip(lines, told, strict=True)] == [
        " ".join(line).removesuffix(" -") for line in lines
    ]


TEKUN: list[tuple[object, str, str, dict[str, object], str]] = [
        (60, "-", "-", {}, "N05"), (59, "-", "-", {}, "N01"), (15, "-", "-", {}, "N05"), (16, "-", "-", {}, "N01"),
        (40, "2", "肢体", {}, "N05"), (40, "3", "肢体", {}, "N01"), (40, "3", "智力", {}, "N05"), (40, "4", "智力", {}, "N01"),
        (40, "1", "精神", {}, "N01"), (60, "-", "-", {"has_obligor": "yes"}, "N01"), (60, "-", "-", {"n": 2}, "N01"),
        (60, "-", "-", {"declared_annual_income_per_capita": "15599.99"}, "N05"),
        (60, "-", "-", {"declared_annual_income_per_capita": "15600"}, "N02"),
        (60, "-", "-", {"assets14": "12000"}, "N05"), (60, "-", "-", {"assets14": "12000.01"}, "N01"),
        (60, "-", "-", {"business_cases": 1}, "N06"), ("-", "-", "-", {}, "N01"),
]  # fmt: skip


def test_tekun() -> None:
    usual = {**MONITORED, "n": 1, "has_obligor": "no", "assets14": 0, "business_cases": 0}
    told = rules_of_each(
        [{**usual, **cells} for _, _, _, cells, _ in TEKUN],
        [{"age": one[0], "disability_grade": one[1], "disability_category": one[2]} for one in TEKUN],
    )
    assert [(*one[:4], rules) for one, rules in zip(TEKUN, told, strict=True)] == [
        (*one[:4], [one[4]]) for one in TEKUN
    ]


def test_what_is_withheld_and_what_is_asked_without_authorisation() -> None:
    assert rules(monitored(is_incomplete="yes")) == []
    assert rules(monitored(), five_usable=False) == rules(monitored(), tax_comparable=False) == []
    missing = {"members_unauthorised": 1}
    assert rules(monitored(**missing, declared_annual_income_per_capita="17999.99")) == ["N00"]
    assert rules(monitored(**missing, declared_annual_income_per_capita="18000")) == []
    assert rules(
        monitored(**missing, declared_annual_income_per_capita="18000", rigid_expenditure_12m="21600")
    ) == ["N00"]
    assert (
        rules(
            monitored(**missing, declared_annual_income_per_capita="18000", rigid_expenditure_12m="21599.99")
        )
        == []
    )
    assert rules(monitored(**missing, is_incomplete="yes")) == []
    assert rules(monitored(**missing), five_usable=False) == ["N00"]
    assert found(monitored(**missing, income_micro="99999")) == [("N00", None, Decimal(0))], (
        "evidence was looked at"
    )


MEMBERS = """
record  is_severe  has_death_row
1       yes        no
2       no         no
3       yes        yes
4       yes        no
"""


def test_single_members_are_covered_beside_a_margin_household() -> None:
    position = monitored(n=4, declared_annual_income_per_capita="12000")
    assert sorted((rule, record or 0) for rule, record, _ in found(position, MEMBERS)) == [
        ("N02", 0),
        ("N03", 1),
        ("N03", 4),
    ]
    assert rules(position, MEMBERS, registration_usable=False) == ["N02"]


MOVES: list[tuple[str, str, str, str, list[str]]] = [
        ("低保边缘", "3999.99", "0", "96000", ["U01"]), ("低保边缘", "4000", "0", "0", ["U02", "U02"]),
        ("低保边缘", "0", "24000", "0", ["U02", "U02"]), ("低保边缘", "0", "23999.99", "0", ["U01"]),
        ("低保边缘", "0", "0", "96000.01", ["U02", "U02"]), ("低保边缘", "0", "0", "144000.01", []),
        ("低保边缘", "5999.99", "0", "0", ["U02", "U02"]), ("低保边缘", "6000", "0", "0", []),
        ("刚性支出", "3999.99", "0", "0", ["U01"]), ("刚性支出", "4000", "0", "0", []), ("低保", "0", "0", "0", []), ("特困", "0", "0", "0", []),
]  # fmt: skip


def test_roster_households_that_could_move() -> None:
    columns = ("programme", "declared_monthly_income", "income_micro", "assets14")
    positions = [{"n": 4, **dict(zip(columns, one, strict=False))} for one in MOVES]
    names, *lines = (line.split() for line in MEMBERS.strip().splitlines())
    members = [dict(zip(names, line, strict=True)) for line in lines]
    told = rules_of_each(positions, members)
    assert [(*one[:4], rules) for one, rules in zip(MOVES, told, strict=True)] == MOVES
    for closed in ("five_usable", "tax_comparable"):
        assert not any(rules_of_each(positions, members, **{closed: False}))
