"""The further departments: feeds about the same people, and exactly the planted leads when the night reads them."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from pipelines.cli import main
from policy.rules import load_rules
from sample_data.build import write_province
from sample_data.figures import SOURCES
from sample_data.further import FURTHER_SOURCES
from sample_data.further.cases import catalogue
from sample_data.policy_files import SHIPPED

from .test_files import contract_of, files_of, records_in
from .test_planted_truth import Rows, exported
from .test_same_bytes import fingerprints

DAY = "2026-06-30"
HOUSEHOLDS = 150
# A setting each that no county has published, but here one has turned on.
SWITCHED_ON = ("T01",)
# Thresholds of a single city's draft, or of nobody: their edges are tested with the rules.
OFF = {"F03", "V02"}


def rows_in(file: Path) -> Rows:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("policy") / "guangdong"
    shutil.copytree(SHIPPED, folder)
    settings = folder / "rule_settings.toml"
    blocks = settings.read_text(encoding="utf-8").split("[[rule_setting]]")
    on = [
        one.replace('switch = "off"', 'switch = "on"')
        if any(f'rule = "{rule}"' in one for rule in SWITCHED_ON)
        else one
        for one in blocks
    ]
    settings.write_text("[[rule_setting]]".join(on), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def further(tmp_path_factory: pytest.TempPathFactory, policy: Path) -> Path:
    folder = tmp_path_factory.mktemp("further") / "feeds"
    write_province(folder, HOUSEHOLDS, seed=7, policy=policy, departments="all")
    return folder


@pytest.fixture(scope="module")
def home(further: Path, policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("night") / "home"
    words = [
        "nightly",
        "--as-of",
        DAY,
        "--feeds",
        str(further),
        "--home",
        str(folder),
        "--policy",
        str(policy),
    ]
    assert main([*words, "--quiet"]) == 0
    return folder


def test_the_other_feeds_keep_every_byte(tmp_path: Path, further: Path, policy: Path) -> None:
    write_province(tmp_path, HOUSEHOLDS, seed=7, policy=policy)
    alone, together = fingerprints(tmp_path), fingerprints(further)
    told = {name for name in alone if name.startswith("truth")}
    assert {name: together[name] for name in alone if name not in told} == {
        name: digest for name, digest in alone.items() if name not in told
    }
    assert {name.split("/")[0] for name in together if name not in alone} == set(FURTHER_SOURCES)


def test_same_bytes_however_many_households_are_drawn_at_a_time(tmp_path: Path) -> None:
    write_province(tmp_path / "whole", 120, seed=9, departments="all")
    write_province(tmp_path / "pieces", 120, seed=9, departments="all", stretch=34)
    assert fingerprints(tmp_path / "whole") == fingerprints(tmp_path / "pieces")


@pytest.mark.parametrize("source", FURTHER_SOURCES)
def test_receipts_and_headers_are_true(further: Path, source: str) -> None:
    receipt = json.loads((further / source / "receipt.json").read_bytes())
    named = {file["name"]: (file["sha256"], file["rows"]) for file in receipt["files"]}
    (file,) = files_of(further, source)
    assert named == {file.name: (hashlib.sha256(file.read_bytes()).hexdigest(), records_in(source, file))}
    contract = contract_of(source, file)
    if contract.format in ("csv", "pipe"):
        header = file.read_bytes().split(b"\n")[0].rstrip(b"\r").decode(contract.encoding)
        assert header.split(contract.separator) == [column.header for column in contract.columns]


def test_nobody_can_have_the_numbers(further: Path) -> None:
    found = set()
    for source in FURTHER_SOURCES:
        for file in files_of(further, source):
            if file.suffix != ".xlsx":
                found |= set(
                    re.findall(rb"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9X](?![0-9A-Za-z])", file.read_bytes())
                )
    assert len(found) > 200
    assert {number[:3] for number in found} == {b"999"}


def test_every_further_rule_that_is_on_is_planted_and_has_a_near_miss_beside_it(further: Path) -> None:
    planted = {row["rule"] for row in rows_in(further / "truth" / "leads.csv")}
    departments = set(FURTHER_SOURCES)
    wanted = {code for code, rule in load_rules().items() if departments & set(rule.needs)}
    assert wanted - planted == OFF
    quiet = {row["near_miss"] for row in rows_in(further / "truth" / "quiet_households.csv")}
    misses = {one.name for one in catalogue.cases.values() if not one.planted and not one.host}
    assert len(quiet & misses) >= 15


def test_a_rule_that_no_county_has_turned_on_is_not_planted(tmp_path: Path) -> None:
    write_province(tmp_path, HOUSEHOLDS, seed=7, departments="all")
    rules = {row["rule"] for row in rows_in(tmp_path / "truth" / "leads.csv")}
    assert rules.isdisjoint(SWITCHED_ON) and {"D04", "V01", "R01", "Z01"} <= rules


@pytest.mark.parametrize(
    ("list_name", "household"), [("discrepancies", "家庭编号"), ("newly-eligible", "户编号")]
)
def test_lists_hold_the_planted_leads_and_no_other(
    home: Path, further: Path, tmp_path: Path, list_name: str, household: str
) -> None:
    about_people = {code for code, rule in load_rules().items() if rule.person}
    leads = rows_in(further / "truth" / "leads.csv")
    wanted = Counter(
        (row["rule"], row["household_id"], row["id_number"])
        for row in leads
        if row["list"] == list_name.replace("-", "_")
    )
    found = Counter(
        (row["规则代码"], row[household], row["公民身份号码"] if row["规则代码"] in about_people else "")
        for row in exported(home, list_name, tmp_path)
    )
    why = {row["household_id"]: row["scenario"] for row in leads} | {
        row["household_id"]: f"quiet {row['near_miss']}"
        for row in rows_in(further / "truth" / "quiet_households.csv")
    }
    missing = {f"{rule} {why[at]}" for rule, at, _ in wanted - found}
    false = {f"{rule} {why[at]}" for rule, at, _ in found - wanted}
    assert (missing, false) == (set(), set())


def test_every_department_is_used_and_the_planted_bad_rows_are_quarantined(
    home: Path, further: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--as-of", DAY, "--json", "--home", str(home)]) == 0
    sources = json.loads(capsys.readouterr().out)["sources"]
    assert set(sources) == {*SOURCES, *FURTHER_SOURCES}
    assert {told["state"] for told in sources.values()} == {"accepted"}
    assert all(sources[source]["linked"] > 0 for source in FURTHER_SOURCES)
    wanted = Counter(tuple(row.values()) for row in rows_in(further / "truth" / "quarantine.csv"))
    found = Counter(
        (row["数据来源"], row["文件"], row["行号"], row["原因"])
        for row in exported(home, "quarantine", tmp_path)
    )
    assert found == wanted
    assert {source for source, *_ in found} & set(FURTHER_SOURCES)


def test_a_livelihood_vehicle_is_only_told_of_where_the_policy_knows_it(tmp_path: Path) -> None:
    write_province(tmp_path, HOUSEHOLDS, as_of=date(2025, 3, 15), departments="all")
    played = {row["scenario"] for row in rows_in(tmp_path / "truth" / "scenarios.csv")}
    assert "livelihood-van" not in played and "two-vans" in played


def test_no_source_has_so_many_bad_rows_that_it_would_be_held(tmp_path: Path) -> None:
    write_province(tmp_path, 60, departments="all")
    shares = [
        int(row["quarantined"]) / int(row["received"]) for row in rows_in(tmp_path / "truth" / "sources.csv")
    ]
    assert max(shares) <= 0.05 * 0.9
