"""docs/rules.md tells of every rule, setting and number of the catalogue, and only of those."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from policy.rules import load_rules

RULES = load_rules()
PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ")
]
BEYOND = {row[0].split()[0]: row for row in ROWS if len(row) == 6 and row[0].split()[0] in RULES}
CATALOGUE = {row[0]: row[2] for row in ROWS if len(row) == 3 and re.fullmatch(r"[EN]\d\d", row[0])}
LETTERS = {"D": "dibao", "T": "tekun", "M": "dibao_margin", "R": "rigid_expenditure"}


def codes(text: str) -> set[str]:
    """Rule codes in a cell; `N00–N06` are all of them."""
    found = set(re.findall(r"[A-Z]\d\d", text))
    for letter, first, last in re.findall(r"([A-Z])(\d\d)–[A-Z](\d\d)", text):
        found |= {f"{letter}{number:02d}" for number in range(int(first), int(last) + 1)}
    return found


def test_the_catalogue_is_whole_and_names_rules_there_are() -> None:
    assert sorted(CATALOGUE) == [f"E{n:02d}" for n in range(1, 45)] + [f"N{n:02d}" for n in range(1, 18)]
    assert all(codes(cell) <= set(RULES) for cell in CATALOGUE.values())


@pytest.mark.parametrize("code", [code for code, rule in RULES.items() if rule.catalogue])
def test_a_rule_stands_on_the_page_as_the_data_has_it(code: str) -> None:
    rule, row = RULES[code], BEYOND[code]
    assert row[0] == f"{code} {rule.name}"
    assert row[1].split() == list(rule.catalogue)
    assert all(code in codes(CATALOGUE[number]) for number in rule.catalogue)
    assert ("*person*" in row[3]) == rule.person
    if rule.list == "discrepancies":
        assert [LETTERS[one] for one in row[3].replace("*person*", "").split(",")[0].strip()] == list(
            rule.programmes
        )
    assert all(f"`{name}`" in row[4] for name in rule.settings)


def test_every_rule_beyond_the_specification_is_on_the_page() -> None:
    assert set(BEYOND) == {code for code, rule in RULES.items() if rule.catalogue}
