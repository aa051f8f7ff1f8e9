"""Every file is what its contract says, and every receipt is true."""

from __future__ import annotations

import hashlib
import json
from fnmatch import fnmatch
from pathlib import Path

import pytest
from openpyxl import load_workbook

from connectors.contract import FileContract
from connectors.registry import all_contracts
from sample_data.figures import SOURCES


def contract_of(source: str, file: Path) -> FileContract:
    return next(one for one in all_contracts()[source].files if fnmatch(file.name, one.pattern))


def files_of(province: Path, source: str) -> list[Path]:
    return sorted(path for path in (province / source).iterdir() if path.name != "receipt.json")


def records_in(source: str, file: Path) -> int:
    """Counted in another way than they were written."""
    contract = contract_of(source, file)
    if contract.format == "xlsx":
        return load_workbook(file)[contract.sheet].max_row - contract.header_row
    if contract.format == "json":
        return len(json.loads(file.read_bytes())[contract.root])
    lines = [line for line in file.read_bytes().split(b"\n") if line.strip()]
    return len(lines) - (contract.format != "jsonl")


@pytest.mark.parametrize("source", SOURCES)
def test_receipts_name_every_file_with_its_hash_and_its_rows(province: Path, source: str) -> None:
    receipt = json.loads((province / source / "receipt.json").read_bytes())
    assert receipt["source"] == source
    assert receipt["snapshot_date"] <= "2026-06-30"
    named = {file["name"]: (file["sha256"], file["rows"]) for file in receipt["files"]}
    found = {
        file.name: (hashlib.sha256(file.read_bytes()).hexdigest(), records_in(source, file))
        for file in files_of(province, source)
    }
    assert named == found


def test_only_tax_says_what_months_it_covers(province: Path) -> None:
    covers = {
        source: json.loads((province / source / "receipt.json").read_bytes()).get("covers")
        for source in SOURCES
    }
    assert covers.pop("tax") == ["2025-11", "2026-05"]
    assert set(covers.values()) == {None}


@pytest.mark.parametrize("source", SOURCES)
def test_files_begin_with_the_headers_of_the_contract(province: Path, source: str) -> None:
    for file in files_of(province, source):
        contract = contract_of(source, file)
        headers = [column.header for column in contract.columns]
        if contract.format == "xlsx":
            sheet = load_workbook(file)[contract.sheet]
            assert [cell.value for cell in sheet[contract.header_row]] == headers
        elif contract.format == "json":
            accepted = [
                record for record in json.loads(file.read_bytes())[contract.root] if isinstance(record, dict)
            ]
            assert all(set(record) <= set(headers) for record in accepted)
        elif contract.format == "jsonl":
            first = json.loads(file.read_bytes().split(b"\n")[0])
            assert list(first) == headers
        else:
            first_line = file.read_bytes().split(b"\n")[0].removeprefix(b"\xef\xbb\xbf").rstrip(b"\r")
            assert first_line.decode(contract.encoding).split(contract.separator) == headers


def test_lines_end_as_the_departments_end_them(province: Path) -> None:
    registers = files_of(province, "household_registration")[0].read_bytes()
    assert registers.count(b"\r\n") == registers.count(b"\n") > 100
    assert (province / "roster" / "members.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_the_folder_explains_itself_in_chinese(province: Path) -> None:
    assert "合成样例" in (province / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in province.iterdir()} == {*SOURCES, "truth", "README.md"}


def test_identifiers_in_workbooks_are_text(province: Path) -> None:
    contract = all_contracts()["rural_revitalisation"].files[0]
    at = [column.name for column in contract.columns].index("id_number")
    for file in files_of(province, "rural_revitalisation"):
        rows = load_workbook(file)[contract.sheet].iter_rows(
            min_row=contract.header_row + 1, values_only=True
        )
        assert all(row[at] is None or isinstance(row[at], str) for row in rows)
