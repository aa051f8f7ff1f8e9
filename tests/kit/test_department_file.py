"""What a department finds alone is what the intake finds: the same state, reason, and lines with their reasons."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import io
import json
import random
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import xlsxwriter

from connectors.contract import Column, FileContract
from connectors.feeds import DirectoryFeed
from connectors.kit.damage import damages
from connectors.kit.department_file import TEMPLATE, department_file
from connectors.kit.mock import mock_name, mock_rows, render_file, write_feed, write_mock_feed
from connectors.registry import all_contracts, evidence_sources
from pipelines.cli import main
from pipelines.connector_figures import figures_of
from pipelines.connector_trial import open_trial
from pipelines.identity.keyring import KeyRing, new_ring
from pipelines.intake.batch import REASONS, reasons_of
from pipelines.intake.evidence import intake_source
from pipelines.intake.files import FileOutcome, read_file
from pipelines.intake.people import intake_people
from pipelines.intake.receipts import HELD_REASONS, read_receipt
from pipelines.night import judging_of
from pipelines.settings import Settings
from policy.model import load
from tests.oracle.world import as_of as world_day
from tests.oracle.world import write_world

AS_OF = date(2026, 6, 30)
CARD = Path("sample_data/feeds")


def checker(source, as_of=AS_OF, policy=None):
    """The department's file, run as a module of its own."""
    contract = all_contracts()[source] if isinstance(source, str) else source
    own: dict[str, object] = {"__name__": "department_check"}
    text = department_file(contract, figures_of(contract, as_of, policy))
    exec(compile(text, f"check_{contract.source}_drop.py", "exec"), own)
    return own


def found_by_department(source, folder, as_of=AS_OF, policy=None):
    verdict = checker(source, as_of, policy)["check_drop"](folder, as_of)
    return verdict.state, verdict.reason, sorted((f.name, *row) for f in verdict.files for row in f.bad())


def found_by_intake(feeds, as_of, home, policy=None):
    """State, reason and quarantine of every source of a folder of feeds."""
    settings = Settings(home=home, as_of=as_of, feeds=feeds, policy=policy)
    settings.work.mkdir(parents=True)
    in_force = load(policy).at(as_of)
    new_ring(home.parent / "keyring.json", "aes", None)
    cipher = KeyRing.open(home, {"HEDUI_KEYRING": str(home.parent / "keyring.json")}).cipher()
    results = intake_people(settings, in_force, cipher, judging_of(in_force))
    for source in evidence_sources():
        results[source] = intake_source(settings, source, in_force, cipher, judging_of(in_force))
    return {source: (one["state"], one["reason"], bad_lines(settings, source)) for source, one in results.items()}  # fmt: skip


def bad_lines(settings, source):
    table = pq.read_table(settings.work / "quarantine" / f"{source}.parquet").to_pylist()
    return sorted((row["file"], row["line"], reasons_of(row["mask"])) for row in table)


def test_the_sample_provinces_drops_are_judged_as_the_intake_judges_them(tmp_path):
    wanted = found_by_intake(CARD, AS_OF, tmp_path / "home")
    assert sum(len(bad) for _, _, bad in wanted.values()) >= 40
    for source, told in wanted.items():
        assert (source, *found_by_department(source, CARD / source)) == (source, *told)


@pytest.mark.parametrize("seed", range(6))
def test_dirty_worlds_are_judged_as_the_intake_judges_them(tmp_path, seed):
    """Bad cells and lines of every kind, held and missing sources, members and households that repeat."""
    night = seed % 3
    write_world(tmp_path, seed, night)
    as_of, policy = world_day(seed, night), tmp_path / "policy.toml"
    wanted = found_by_intake(tmp_path / "feeds", as_of, tmp_path / "home", policy)
    assert sum(len(bad) for _, _, bad in wanted.values()) > 10
    for source, told in wanted.items():
        ours = found_by_department(source, tmp_path / "feeds" / source, as_of, policy)
        assert (source, *ours) == (source, *told)


@pytest.mark.parametrize("source", evidence_sources())
def test_every_kind_of_damage_is_found_on_its_line(tmp_path, source):
    contract = all_contracts()[source]
    file, judge = contract.files[0], checker(source)["check_drop"]
    for number, damage in enumerate(damages(file, AS_OF)):
        folder = tmp_path / str(number)
        write_feed(contract, folder, [(mock_name(file.pattern), damage.content, damage.rows)], AS_OF)
        verdict = judge(folder, AS_OF)
        bad = [row for report in verdict.files for row in report.bad()]
        assert (damage.line, damage.reason) in bad, damage.what


def broken_bytes(content, dice):
    """The content with a few bytes put in, taken out or made others."""
    raw = bytearray(content)
    for _ in range(dice.randrange(1, 12)):
        at = dice.randrange(len(raw))
        pieces = (
            b'"',
            b'""',
            b",",
            b"|",
            b"\r",
            b"\n",
            b"\xff",
            b"\x81",
            b" ",
            "　".encode(),
            b"-",
            b"{",
            b"null",
        )
        raw[at : at + dice.choice([0, 0, 1, 2])] = dice.choice(pieces)
    return bytes(raw)


@pytest.mark.parametrize("source", ["tax", "banks", "household_registration", "securities", "insurance"])
def test_drops_with_broken_bytes_are_judged_as_the_intake_judges_them(source):
    """Some of them are held for their header or their rows; the sum of the receipt is always right."""
    contract = all_contracts()[source]
    file, judge = contract.files[0], checker(source)["check_drop"]
    with open_trial(contract, AS_OF) as trial:
        for seed in range(25):
            dice = random.Random(f"{source} {seed}")
            content = broken_bytes(render_file(file, mock_rows(file, 40, AS_OF)), dice)
            told = trial.deliver([(mock_name(file.pattern), content, 40 + dice.choice([0, 0, 0, 1]))])
            verdict = judge(trial.feed, AS_OF)
            ours = [row for report in verdict.files for row in report.bad()]
            assert (verdict.state, verdict.reason) == (told.result["state"], told.result["reason"]), seed
            assert ours == told.quarantined, seed


ODD_VALUES = [
    "0", "-0", "-0.00", "1e5", "-1E-7", "1e400", "NaN", "123456789012345678901234567890", "0.1", "01", "true",
    "null", '""', '"　"', '"\\ud800"', '"\\ud83d\\ude00"', '"-5"', '"1,000"', '"1,00"', "{}", "[1]",
    "[" * 254 + "]" * 254, "[" * 255 + "]" * 255, "[" * 1100 + "]" * 1100,
]  # fmt: skip


def odd_files(file):
    """Every odd value in every column: in files of many records, where one record cannot spoil the others."""
    good = {file_column.header: "1" for file_column in file.columns}
    columns = file.columns if file.format == "jsonl" else file.columns[2:6]
    records = [
        json.dumps({**good, column.header: "@"}).replace('"@"', value)
        for column in columns
        for value in ODD_VALUES
    ]
    if file.format == "jsonl":
        return [("\n".join(records).encode(), len(records))]
    return [(f'{{"{file.root}": [{record}]}}'.encode(), 1) for record in records]


@pytest.mark.parametrize("source", ["securities", "insurance"])
def test_odd_json_values_are_judged_as_the_intake_judges_them(source):
    contract = all_contracts()[source]
    file, judge = contract.files[0], checker(source)["check_drop"]
    with open_trial(contract, AS_OF) as trial:
        for content, rows in odd_files(file):
            told = trial.deliver([(mock_name(file.pattern), content, rows)])
            verdict = judge(trial.feed, AS_OF)
            assert (verdict.state, verdict.reason) == (told.result["state"], told.result["reason"]), content[
                :300
            ]
            assert [row for report in verdict.files for row in report.bad()] == told.quarantined, content[
                :300
            ]


def workbook(write):
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        write(book, book.add_worksheet("Sheet1"))
    return sink.getvalue()


XLSX = FileContract(
    key="rows", pattern="*.xlsx", format="xlsx", encoding="utf-8", sheet="Sheet1",
    columns=(
        Column("id_number", "公民身份号码", "id"), Column("paid", "金额", "money", unit="yuan"),
        Column("paid_on", "日期", "date", not_future=True), Column("state", "状态", "code", values=("是", "1", "true")),
        Column("note", "备注", "text"),
    ),
)  # fmt: skip


def write_odd_cells(book, sheet):
    sheet.write_row(0, 0, [column.header for column in XLSX.columns])
    formats = [
        "yyyy-mm-dd",
        'yyyy"年"m"月"',
        '"d"0.00',
        "[Red]0.00",
        "hh:mm",
        "[h]:mm:ss",
        "General",
        "m/d/yy",
        "@",
    ]
    numbers = [46000, 46203.75, 46204, 0.5, 59, 60, 61, 0, -1, 3e6, 1.1e-7, 12345.678, -0.0]
    row = 1
    for shape in formats:
        made = book.add_format({"num_format": shape})
        for value in numbers:
            sheet.write(row, 0, "990000195001010019")
            sheet.write_number(row, 1, value, made)
            sheet.write_number(row, 2, value, made)
            sheet.write(row, 3, "是")
            sheet.write_number(row, 4, value, made)
            row += 1
    for odd in (True, False, 1, 1.0, "1", "true", "是 ", " 是", ""):
        sheet.write(row, 0, "99000019500101001X")
        sheet.write(row, 1, 5)
        sheet.write(row, 2, "2026/6/1")
        sheet.write(row, 3, odd)
        sheet.write_rich_string(row, 4, "甲", book.add_format({"bold": True}), "乙")
        row += 2  # the blank rows between are no records
    sheet.write(row, 7, "beyond the last column")
    sheet.write_formula(row + 1, 1, "=1/0", None, "#DIV/0!")
    sheet.write_formula(row + 2, 4, '="甲"', None, "甲")
    sheet.merge_range(row + 3, 0, row + 4, 1, "990000195001010019")


def test_odd_cells_of_a_workbook_are_judged_as_the_intake_judges_them(tmp_path):
    """Numbers under every kind of format, truth values, rich text, formulas, errors, merged cells."""
    content = workbook(write_odd_cells)
    contract = dataclasses.replace(all_contracts()["tax"], files=(XLSX,))
    write_feed(contract, tmp_path, [("odd.xlsx", content, 129)], AS_OF)
    listed = read_receipt((tmp_path / "receipt.json").read_bytes(), "tax").files[0]
    outcome = FileOutcome("odd.xlsx")
    feed, judging = DirectoryFeed("tax", tmp_path), judging_of(load().at(AS_OF))
    for _ in read_file(feed, contract, listed, judging, outcome):
        pass
    told = [(row["line"], reasons_of(row["mask"])) for row in outcome.quarantine("tax").to_pylist()]
    assert outcome.held == []
    (report,) = checker(contract)["check_drop"](tmp_path, AS_OF).files
    assert report.bad() == told and len(told) > 60
    assert report.received == outcome.received == 129


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no workbook", "unreadable"),
        (workbook(lambda book, sheet: None), "header_mismatch"),
        (workbook(lambda book, sheet: sheet.write_row(0, 0, ["公民身份号码", "别的"])), "header_mismatch"),
        (workbook(lambda book, sheet: sheet.write(1_000_000, 16_000, "astray")), "unreadable"),
    ],
)
def test_a_workbook_nobody_can_read_is_held(tmp_path, content, reason):
    contract = dataclasses.replace(all_contracts()["tax"], files=(XLSX,))
    write_feed(contract, tmp_path, [("odd.xlsx", content, 0)], AS_OF)
    assert found_by_department(contract, tmp_path)[:2] == ("held", reason)


def spoil_hash(folder):
    path = next(folder.glob("*.csv"))
    path.write_bytes(path.read_bytes() + b"\n")


def edit_receipt(**changes):
    def spoil(folder):
        path = folder / "receipt.json"
        path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")

    return spoil


SHA = hashlib.sha256(b"").hexdigest()
FAULTS = {
    "nothing": lambda folder: None,
    "another hash": spoil_hash,
    "a file that is gone": lambda folder: next(folder.glob("*.csv")).unlink(),
    "a link to elsewhere": lambda folder: (
        [
            p.rename(folder.parent / "away.csv") and p.symlink_to(folder.parent / "away.csv")
            for p in [next(folder.glob("*.csv"))]
        ]
    ),
    "no receipt": lambda folder: (folder / "receipt.json").unlink(),
    "no folder": shutil.rmtree,
    "a receipt that is no JSON": lambda folder: (folder / "receipt.json").write_bytes(b"{"),
    "a receipt that is a list": lambda folder: (folder / "receipt.json").write_bytes(b"[]"),
    "another's receipt": edit_receipt(source="tax"),
    "no day": edit_receipt(snapshot_date=None),
    "a day with bars": edit_receipt(snapshot_date="2026/6/29"),
    "a day that is none": edit_receipt(snapshot_date="2026-02-30"),
    "a day of tomorrow": edit_receipt(snapshot_date="2026-07-01"),
    "an old day": edit_receipt(snapshot_date=str(AS_OF - timedelta(days=400))),
    "no files": edit_receipt(files=None),
    "a file of no name": edit_receipt(files=[{"sha256": SHA, "rows": 0}]),
    "a file outside": edit_receipt(files=[{"name": "../x.csv", "sha256": SHA, "rows": 0}]),
    "a file of no contract": edit_receipt(files=[{"name": "x.bin", "sha256": SHA, "rows": 0}]),
    "rows in words": edit_receipt(files=[{"name": "mock-mock.csv", "sha256": SHA, "rows": "40"}]),
    "no hash": edit_receipt(files=[{"name": "mock-mock.csv", "sha256": "", "rows": 40}]),
    "a name twice": edit_receipt(files=[{"name": "mock-mock.csv", "sha256": SHA, "rows": 40}] * 2),
    "a file more": lambda folder: (folder / "more.csv").write_bytes(b"x"),
}


@pytest.fixture(scope="module")
def trial():
    with open_trial(all_contracts()["banks"], AS_OF) as one:
        yield one


@pytest.mark.parametrize("fault", FAULTS)
def test_a_drop_is_held_for_what_the_intake_holds_it_for(trial, fault):
    shutil.rmtree(trial.feed, ignore_errors=True)
    write_mock_feed(trial.contract, trial.feed, AS_OF)
    FAULTS[fault](trial.feed)
    told = trial.read().result
    verdict = checker("banks")["check_drop"](trial.feed, AS_OF)
    assert (verdict.state, verdict.reason) == (told["state"], told["reason"])
    assert verdict.unlisted == told["unlisted"]


def test_a_department_runs_the_file_alone(tmp_path):
    """As a script of its own without anything of ours, in Chinese, with a status; never with a value."""
    contract = all_contracts()["banks"]
    assert main(["connector", "validator", "banks", "--output", str(tmp_path), "--as-of", "2026-06-30"]) == 0
    file, feed = tmp_path / "check_banks_drop.py", tmp_path / "drop"

    def run():
        words = [sys.executable, "-I", "-S", str(file), str(feed), "--as-of", "2026-06-30", "--lines", str(tmp_path / "lines.csv")]  # fmt: skip
        done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, timeout=60)
        assert done.stderr == ""
        return done.returncode, done.stdout

    write_mock_feed(contract, feed, AS_OF)
    status, told = run()
    assert status == 0 and "结论：可以报送，全部合格" in told
    rows = mock_rows(contract.files[0], 40, AS_OF)
    rows[4] |= {"currency": "ZZZ", "account_no": ""}
    write_feed(contract, feed, [("1-1.csv", render_file(contract.files[0], rows), 40)], AS_OF)
    (feed / "mock-mock.csv").unlink()
    status, told = run()
    assert status == 3 and "币种没有折算汇率（列“币种”）：1 行，第 6 行" in told
    assert (tmp_path / "lines.csv").read_text("utf-8-sig").splitlines()[1:] == ["1-1.csv,6,required_missing;currency_unknown"]  # fmt: skip
    assert not any(
        row[key] in told for row in rows for key in ("id_number", "name", "account_no") if row[key]
    )
    (feed / "1-1.csv").unlink()
    status, told = run()
    assert status == 1 and "结论：整批会被拒收，原因：文件无法读取" in told


def test_the_file_needs_no_more_than_python_3_8():
    tree = ast.parse(TEMPLATE.read_text("utf-8"), feature_version=(3, 8))
    imported = {
        a.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names
    }
    imported |= {
        node.module.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
    }
    assert imported <= sys.stdlib_module_names
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not used & {
        "removeprefix",
        "removesuffix",
        "is_relative_to",
        "hardlink_to",
        "bit_count",
        "cache",
        "UTC",
    }
    assert not any(isinstance(node, ast.keyword) and node.arg == "strict" for node in ast.walk(tree))


def test_the_words_of_the_file_are_those_of_the_intake():
    own = checker("roster")
    assert own["REASONS"] == REASONS and own["HELD"] == HELD_REASONS
    assert set(own["AGREED"]["reason_words"]) == set(REASONS)


def test_a_contract_cannot_say_more_than_data(tmp_path):
    """A contract is another's text: quotes, backslashes and line ends in it stay inside the literal."""
    hostile = '"""\\"""\n)\nraise SystemExit(9)\r\u2028\x00\\'
    contract = all_contracts()["banks"]
    file = contract.files[0]
    column = dataclasses.replace(file.columns[4], header=hostile, values=(hostile, "\\"))
    columns = (*file.columns[:4], column, *file.columns[5:])
    contract = dataclasses.replace(
        contract, title=hostile, files=(dataclasses.replace(file, columns=columns),)
    )
    agreed = checker(contract)["AGREED"]
    assert agreed["title"] == hostile and agreed["files"][0]["columns"][4]["values"] == [hostile, "\\"]
