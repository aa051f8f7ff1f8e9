"""The checks hold for what is shipped, and each finds the contract or delivery that breaks it."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import pytest

from connectors.kit.mock import mock_rows, render_file, write_feed, write_mock_feed
from connectors.registry import all_contracts, evidence_sources
from pipelines.cli import main
from pipelines.connector_check import _feed_checks, check_connector
from pipelines.connector_contract import contract_checks
from pipelines.errors import UsageError

AS_OF = date(2026, 6, 30)


def failed(contract):
    return {one.name: one for one in check_connector(contract) if not one.holds}


def failed_of(feed, contract):
    return {one.name: one for one in _feed_checks(contract, feed) if not one.holds}


def changed(source, place=None, **changes):
    """A contract that is not what the intake reads by."""
    contract = all_contracts()[source]
    file = contract.files[0]
    if place is None:
        return dataclasses.replace(contract, **changes)
    columns = [dataclasses.replace(c, **changes) if c.name == place else c for c in file.columns]
    return dataclasses.replace(contract, files=(dataclasses.replace(file, columns=tuple(columns)),))


@pytest.mark.parametrize("source", ["tax", "insurance"])
def test_a_shipped_source_keeps_every_promise(source, capsys):
    assert source in evidence_sources()
    assert main(["connector", "check", source]) == 0
    told = capsys.readouterr().out
    assert told.count("✓") >= 40 and "✗" not in told and "0 failed" in told


@pytest.mark.parametrize(
    ("contract", "check"),
    [
        (changed("banks", owner=" "), "contract: owner is said"),
        (changed("banks", retain_days=0), "contract: retention is 1 to 1095 days"),
        (changed("banks", "balance", unit=""), "columns: money has a unit"),
        (changed("banks", "account_no", sensitivity="internal"), "columns: numbers, names and accounts are marked identity"),
        (changed("banks", "account_type", values=("活期", "活期")), "columns: code lists are closed"),
        (changed("banks", "balance", header="balance", means=""), "columns: every column says what it means"),
        (changed("banks", "bank_code", name="record"), "columns: no name the tables need themselves"),
    ],
)  # fmt: skip
def test_an_incomplete_contract_is_found_with_its_place_and_cure(contract, check):
    found = {one.name: one for one in contract_checks(contract) if not one.holds}
    assert list(found) == [check]
    assert found[check].cure and "connectors/banks/contract.toml:" in str(found[check])


def test_an_intake_that_does_not_read_by_the_contract_is_found():
    """The rows are written by a contract with a wider code list than the one the intake judges by."""
    found = failed(changed("banks", "account_type", values=("活期", "定期", "理财", "不详")))
    assert "mock feed: every row is accepted" in found


def test_an_authorisation_the_intake_does_not_ask_is_found():
    found = failed(changed("banks", authorisation=False))
    assert list(found) == ["authorisation: none is asked"]
    assert "authorisation" in Path("connectors/banks/contract.toml").read_text("utf-8").splitlines()[
        int(found["authorisation: none is asked"].where.split(":")[1]) - 1
    ]  # fmt: skip


def test_a_delivery_is_judged_with_the_line_of_its_first_bad_row(tmp_path):
    contract = all_contracts()["banks"]
    feed = tmp_path / "banks"
    write_mock_feed(contract, feed, AS_OF)
    assert failed_of(feed, contract) == {}
    rows = mock_rows(contract.files[0], 40, AS_OF)
    rows[4]["currency"] = "ZZZ"
    write_feed(contract, feed, [("1-1.csv", render_file(contract.files[0], rows), 40)], AS_OF)
    found = failed_of(feed, contract)
    assert list(found) == ["feed: no row is quarantined"]
    assert found["feed: no row is quarantined"].where == "1-1.csv:6"


def test_a_source_of_people_is_refused():
    with pytest.raises(UsageError, match="wanted an evidence source"):
        list(check_connector(all_contracts()["roster"]))


def test_an_unknown_source_says_how_to_make_it(capsys):
    assert main(["connector", "check", "no_such"]) == 2
    assert "hedui connector new no_such" in capsys.readouterr().err


def test_new_shows_a_contract_made_of_flags(capsys):
    words = [
        "connector",
        "new",
        "payment_accounts",
        "--title",
        "支付账户余额",
        "--owner",
        "支付机构",
        "--dry-run",
    ]
    words += ["--legal-basis", "最低生活保障审核确认办法第十七条", "--format", "xlsx", "--encoding", "utf-8"]
    words += ["--column", "id_number:公民身份号码:id", "--column", "balance:余额:money:unit=yuan"]
    assert main(words) == 0
    assert 'pattern = "payment_accounts-*.xlsx"' in capsys.readouterr().out
    assert main([*words, "--column", "x"]) == 2
    assert main(["connector", "new", "banks", *words[3:]]) == 2


def test_a_mock_delivery_is_written_once(tmp_path, capsys):
    words = ["connector", "mock", "banks", "--output", str(tmp_path), "--as-of", "2026-06-30", "--rows", "5"]
    assert main(words) == 0
    assert sorted(path.name for path in (tmp_path / "banks").iterdir()) == ["mock-mock.csv", "receipt.json"]
    assert main(words) == 2


def test_a_mock_delivery_can_be_of_the_people_of_a_synthetic_roster(tmp_path, capsys):
    members = Path("sample_data/feeds/roster/members.csv")
    words = ["connector", "mock", "banks", "--output", str(tmp_path), "--as-of", "2026-06-30", "--rows", "3"]
    assert main([*words, "--members", str(members)]) == 0
    lines = (tmp_path / "banks" / "mock-mock.csv").read_bytes().decode("gb18030").splitlines()[1:]
    roster = members.read_text("utf-8-sig", errors="replace")
    assert len(lines) == 3 and all(",".join(line.split(",")[:2]) in roster for line in lines)
    assert main([*words, "--output", str(tmp_path / "more"), "--members", str(tmp_path / "absent.csv")]) == 2
    households = members.parent / "households.csv"
    assert main([*words, "--output", str(tmp_path / "more"), "--members", str(households)]) == 2
    assert "no members.csv of a roster" in capsys.readouterr().err
