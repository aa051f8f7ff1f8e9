"""The nightly check finds what was planted, all of it and nothing else."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.cli import main

Rows = list[dict[str, str]]
Truth = Callable[[str], Rows]
DAY = "2026-06-30"
PERSON_RULES = {"D01", "D02", "D03", "B01", "B02", "S01", "X01", "X02", "X03", "X04", "N03", "U02"}


@pytest.fixture(scope="module")
def home(province: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("night") / "home"
    assert main(["nightly", "--as-of", DAY, "--feeds", str(province), "--home", str(folder)]) == 0
    return folder


def exported(home: Path, name: str, folder: Path) -> Rows:
    file = folder / f"{name}.csv"
    who = ["--actor", "核对员", "--reason", "样例", "--home", str(home)]
    assert main(["export", name, "--as-of", DAY, "--format", "csv", "--output", str(file), *who]) == 0
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize(
    ("list_name", "household"), [("discrepancies", "家庭编号"), ("newly-eligible", "户编号")]
)
def test_lists_hold_the_planted_leads_and_no_other(
    home: Path, truth: Truth, tmp_path: Path, list_name: str, household: str
) -> None:
    wanted = Counter(
        (row["rule"], row["household_id"], row["id_number"])
        for row in truth("leads")
        if row["list"] == list_name.replace("-", "_")
    )
    found = Counter(
        (row["规则代码"], row[household], row["公民身份号码"] if row["规则代码"] in PERSON_RULES else "")
        for row in exported(home, list_name, tmp_path)
    )
    why = {row["household_id"]: row["scenario"] for row in truth("leads")} | {
        row["household_id"]: f"quiet {row['near_miss']}" for row in truth("quiet_households")
    }
    missing = {f"{rule} {why[at]}" for rule, at, _ in wanted - found}
    false = {f"{rule} {why[at]}" for rule, at, _ in found - wanted}
    assert (missing, false) == (set(), set())


def test_every_lead_is_new_on_the_first_night(home: Path, tmp_path: Path) -> None:
    states = {
        row["状态"] for name in ("discrepancies", "newly-eligible") for row in exported(home, name, tmp_path)
    }
    assert states == {"新增"}


def test_quarantine_holds_the_planted_rows_with_all_their_reasons(
    home: Path, truth: Truth, tmp_path: Path
) -> None:
    wanted = Counter(tuple(row.values()) for row in truth("quarantine"))
    found = Counter(
        (row["数据来源"], row["文件"], row["行号"], row["原因"])
        for row in exported(home, "quarantine", tmp_path)
    )
    assert found == wanted


def test_counts_of_the_sources_and_of_withheld_households_are_the_planted_ones(
    home: Path, truth: Truth, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--as-of", DAY, "--json", "--home", str(home)]) == 0
    status = json.loads(capsys.readouterr().out)
    counts = {
        source: {name: str(told[name]) for name in ("received", "accepted", "quarantined")}
        for source, told in status["sources"].items()
    }
    assert counts == {row.pop("source"): row for row in truth("sources")}
    assert {told["state"] for told in status["sources"].values()} == {"accepted"}
    assert status["lists"]["newly_eligible"]["withheld"] == len(truth("withheld")) > 0
    assert status["policy"]["gaps"] == []
