"""Suite files are read strictly: a misspelt key would be a check that never runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from expectations.suites import FOLDER, STAGES, SuiteError, find_expectation, read_suite, stage_suites

GOOD = """
grain = ["source"]
[columns]
source = { type = "word", means = "来源" }
rows = { type = "count", means = "行数" }
note = { type = "text?", means = "备注" }
[derived]
twice = { sum = ["rows", "rows"], type = "count", means = "两倍" }
[[expectation]]
id = "few_rows"
description = "行数不多"
protects = "…"
severity = "critical"
type = "expect_column_values_to_be_between"
kwargs = { column = "rows", max_value = 9 }
wanted = "≤ {max_value}"
"""


def read(text: str, folder: Path):
    path = folder / "table.toml"
    path.write_text(text, encoding="utf-8")
    return read_suite(path, "intake")


def test_a_good_file_is_read(tmp_path: Path) -> None:
    suite = read(GOOD, tmp_path)
    assert suite.expectations[0].wanted == "≤ 9"
    assert suite.expectations[0].show == ("rows",)


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("severity =", "severty =", "unknown keys ['severty'], missing keys ['severity']"),
        ("protects =", "# protects =", "missing keys ['protects']"),
        ('"critical"', '"fatal"', "severity fatal"),
        (
            "expect_column_values_to_be_between",
            "expect_column_mean_to_be_between",
            "expect_column_mean_to_be_between",
        ),
        ('column = "rows"', 'column = "row"', "column 'row'"),
        ('column = "rows", ', "", "no column"),
        ("{max_value}", "{min_value}", "wanted that cannot be filled in"),
        ('"count", means = "行数"', '"kount", means = "行数"', "type kount"),
        ('wanted = "≤', 'holds_as = "bad_day"\nwanted = "≤', "holds_as bad_day"),
        ('wanted = "≤', 'label = "note"\nwanted = "≤', "label note of type text"),
        ('wanted = "≤', 'show = ["note"]\nwanted = "≤', "text columns ['note']"),
        ('wanted = "≤', 'show = []\nwanted = "≤', "neither figures nor a label"),
        ('grain = ["source"]', 'grain = ["county"]', "column 'county'"),
        ("sum =", "product =", "ways []"),
        ("[derived]", "[deduced]", "unknown keys ['deduced']"),
        ('id = "few_rows"', 'id = "Few rows"', "an id that is no word"),
        ("grain =", "grain", "TOML"),
    ],
)
def test_a_file_with_a_slip_is_refused_with_its_place(
    tmp_path: Path, written: str, instead: str, told: str
) -> None:
    assert written in GOOD
    with pytest.raises(SuiteError, match=re.escape("expectations/intake/table.toml")) as refusal:
        read(GOOD.replace(written, instead, 1), tmp_path)
    assert told in str(refusal.value)


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(SuiteError, match="the stages are intake, link, assess, publish"):
        stage_suites("report")


def test_the_tables_of_each_stage_are_those_the_pipeline_fills() -> None:
    assert {stage: [suite.table for suite in stage_suites(stage)] for stage in STAGES} == {
        "intake": ["codes", "reasons", "sources", "volumes"],
        "link": ["sources"],
        "assess": ["leads", "policy"],
        "publish": ["lists"],
    }


@pytest.mark.parametrize("stage", STAGES)
def test_the_readme_tells_every_column_of_every_frame(stage: str) -> None:
    chapter = (
        (FOLDER / "README.md").read_text(encoding="utf-8").split(f"\n### {stage}\n")[1].split("\n### ")[0]
    )
    for suite in stage_suites(stage):
        table = chapter.split(f"\n**{suite.table}**")[1].split("\n**")[0]
        told = [
            name
            for row in re.findall(r"^\| ([a-z_, ]+) \| [a-z]", table, re.MULTILINE)
            for name in row.split(", ")
        ][1:]
        assert told == list(suite.columns)


def test_an_outcome_of_a_version_that_is_gone_has_no_declaration() -> None:
    assert find_expectation("intake", "snapshot_is_fresh") is not None
    assert find_expectation("intake", "gone") is None
    assert find_expectation("report", "gone") is None
