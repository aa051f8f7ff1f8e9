"""A contract alone makes a source: with its feed it is read, linked and counted; without, the night is as before."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from dataclasses import replace
from datetime import date

import pytest

from connectors.contract import ContractError, read_contract
from connectors.kit.scaffold import NewSource, contract_text, parse_text, write_connector
from policy.errors import PolicyError
from policy.model import SHIPPED, load

from .trees import copy_tree, run_in, typed

ACCOUNTS = NewSource(
    name="payment_accounts",
    title="支付账户余额",
    owner="非银行支付机构",
    legal_basis="最低生活保障审核确认办法第十七条",
    cadence="每月",
    format="csv",
    encoding="gb18030",
    columns=(
        "id_number:公民身份号码:id",
        "name:姓名:name:optional",
        "account_no:支付账号:identifier",
        "account_state:账户状态:code:在用|冻结|销户",
        "balance:余额:money:unit=yuan:not_negative",
        "balance_date:余额日期:date:not_future",
    ),
)


NIGHTS = """
import json, sys
from datetime import date
from pathlib import Path

from connectors.contract import read_contract
from connectors.kit.mock import mock_rows, render_file, write_feed
from connectors.registry import all_contracts
from pipelines.cli import main
from pipelines.drift_letter import draft_letter
from pipelines.manifest import read_manifest
from sample_data.build import write_province

folder, text, as_of = Path(sys.argv[1]), sys.argv[2], date(2026, 6, 30)
feeds = folder / "feeds"
write_province(feeds, households=12, seed=1, as_of=as_of)

def night(name):
    all_contracts.cache_clear()
    words = ["nightly", "--as-of", str(as_of), "--feeds", str(feeds), "--home", str(folder / name), "--quiet"]
    status = main(words)
    return status, read_manifest(folder / name, as_of)["status"]

sys.stdout, told = sys.stderr, sys.stdout
nights = {"before": night("before")}
path = Path("connectors/payment_accounts/contract.toml")
path.parent.mkdir()
path.write_text(text, "utf-8")
nights["alone"] = night("alone")
contract = read_contract(path)
rows = mock_rows(contract.files[0], 20, as_of)
members = (feeds / "roster" / "members.csv").read_text("utf-8-sig").splitlines()[1:11]
for row, member in zip(rows, members):
    row["id_number"], row["name"] = member.split(",")[1:3]
rows[19]["account_state"] = "不详"
content = render_file(contract.files[0], rows)
write_feed(contract, feeds / "payment_accounts", [("payment_accounts-1.csv", content, 20)], as_of)
nights["fed"] = night("fed")
(feeds / "payment_accounts" / "payment_accounts-1.csv").write_bytes(content + b"\\n1")
as_of = date(2026, 7, 1)
night("fed")
nights["letter"] = draft_letter(folder / "fed", contract, as_of)
print(json.dumps(nights), file=told)
"""


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """Exit and status of three nights of one province: without the contract, with it alone, and with its feed."""
    folder = tmp_path_factory.mktemp("tree")
    return json.loads(run_in(copy_tree(folder / "tree"), NIGHTS, folder, contract_text(ACCOUNTS)))


def test_a_known_source_nobody_expects_changes_nothing_while_it_sends_nothing(nights):
    assert nights["alone"] == nights["before"]
    assert nights["before"][0] == 0


def test_its_feed_is_read_linked_and_counted(nights):
    exit_status, status = nights["fed"]
    assert exit_status == 0
    accounts = status["sources"]["payment_accounts"]
    assert (accounts["state"], accounts["received"], accounts["accepted"], accounts["quarantined"]) == (
        "accepted",
        20,
        19,
        1,
    )
    assert accounts["linked"] + accounts["unauthorised"] > 0
    assert status["complete"] and status["seal"] != nights["before"][1]["seal"]


def test_a_new_source_asks_nobody_for_another_authorisation(nights):
    assert nights["fed"][1]["lists"] == nights["before"][1]["lists"]


def test_a_held_delivery_gets_a_letter_without_a_value_of_a_person(nights):
    letter = nights["letter"]
    assert "非银行支付机构：" in letter and "文件与回执的校验值或行数不符" in letter
    assert "代码" in letter and "（可能涉及的列：账户状态）" in letter and "取值：在用、冻结、销户" in letter
    assert "最近一次采用的数据日期为 2026-06-30（2026-06-30 的核对）。" in letter
    assert not re.search(r"[0-9]{15}", letter) and "不详" not in letter


def test_a_folder_of_one_short_file(tmp_path):
    path, text = write_connector(ACCOUNTS, tmp_path)
    assert [file.name for file in path.parent.iterdir()] == ["contract.toml"]
    assert len(text.splitlines()) <= 60
    assert tomllib.loads(path.read_text("utf-8"))["file"][0]["column"][3]["values"] == [
        "在用",
        "冻结",
        "销户",
    ]
    assert read_contract(path).files[0].column("balance").sensitivity == "sensitive"


def test_a_dry_run_writes_nothing(tmp_path):
    path, text = write_connector(ACCOUNTS, tmp_path, dry_run=True)
    assert not path.parent.exists() and 'source = "payment_accounts"' in text


def test_what_is_there_is_not_overwritten(tmp_path):
    write_connector(ACCOUNTS, tmp_path)
    with pytest.raises(ContractError, match="is there already"):
        write_connector(ACCOUNTS, tmp_path)


@pytest.mark.parametrize("name", ["", "a", "A_b", "../up", "9lives", "class", "kit", "a" * 41, "房产", "a-b"])
def test_a_bad_name_is_refused(tmp_path, name):
    with pytest.raises(ContractError, match="wanted 2 to 40"):
        write_connector(NewSource(**{**ACCOUNTS.__dict__, "name": name}), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ("balance:余额", "wanted name:header:type"),
        ("record:记录:text", "tables need themselves"),
        ("order:次序:money", "tables need themselves"),
        ("state:状态:code", "closed list"),
        ("place:地区:digits", "need their length"),
        ("state:状态:colour", "unknown type"),
        ("balance:余额:money:big", "option 'big'"),
    ],
)
def test_a_column_nobody_can_read_is_refused(column, told):
    with pytest.raises(ContractError, match=told):
        new = NewSource(**{**ACCOUNTS.__dict__, "columns": ("id_number:公民身份号码:id", column)})
        parse_text(new.name, contract_text(new))


def test_quotes_and_line_breaks_in_words_stay_words(tmp_path):
    new = NewSource(**{**ACCOUNTS.__dict__, "title": '甲"\nexpected = true\n\\'})
    path, _ = write_connector(new, tmp_path)
    assert read_contract(path).title == '甲"expected = true\\' and not read_contract(path).expected


AGE = """
[[max_age_days]]
source_name = "payment_accounts"
value = 7
from = 2020-01-01
source = "an agreement"
"""


def test_how_old_a_new_sources_snapshot_may_be_is_policy(tmp_path, monkeypatch):
    """Its name is known by its folder: before there is one the policy is refused, so that no slip stays unseen."""
    shutil.copytree(SHIPPED, tmp_path / "policy")
    (tmp_path / "policy" / "ages.toml").write_text(AGE, "utf-8")
    with pytest.raises(PolicyError, match="payment_accounts"):
        load(tmp_path / "policy")
    monkeypatch.setattr("policy.parameters._CONNECTORS", tmp_path)
    write_connector(ACCOUNTS, tmp_path)
    in_force = load(tmp_path / "policy").at(date(2026, 6, 30))
    assert (in_force.max_age_days("payment_accounts"), in_force.max_age_days("banks")) == (7, 45)


def test_a_night_with_a_contract_nobody_can_read_says_which_and_why(tmp_path):
    tree = copy_tree(tmp_path / "tree")
    text = contract_text(ACCOUNTS).replace('type = "money"', 'type = "mony"')
    (tree / "connectors/payment_accounts").mkdir()
    (tree / "connectors/payment_accounts/contract.toml").write_text(text, "utf-8")
    done = typed(tree, "nightly", "--as-of", "2026-06-30", "--feeds", tree, "--home", tmp_path / "home")
    assert done.returncode == 1
    assert "internal fault" not in done.stderr
    assert "payment_accounts" in done.stderr and "unknown type 'mony'; known: id" in done.stderr


def test_a_workbook_is_not_asked_for_an_encoding_and_a_text_file_is_by_option(tmp_path):
    tree = copy_tree(tmp_path / "tree")
    words = [
        "connector",
        "new",
        "payment_accounts",
        "--title",
        "t",
        "--owner",
        "o",
        "--legal-basis",
        "l",
        "--dry-run",
    ]
    words += ["--column", "id_number:公民身份号码:id"]
    workbook = typed(tree, *words, "--format", "xlsx")
    assert workbook.returncode == 0 and 'format = "xlsx"' in workbook.stdout
    lines = typed(tree, *words, "--format", "csv")
    assert lines.returncode == 2 and "no answer to: --encoding" in lines.stderr


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ("balance:余额:money:not_future", "'not_future' is for date and month, not for money"),
        ("opened:日期:date:not_negative", "'not_negative' is for money, not for date"),
        ("kind:类别:text:unit=yuan", "'unit=yuan' is for money, not for text"),
    ],
)
def test_an_option_that_does_not_fit_its_type_is_refused(column, told):
    with pytest.raises(ContractError, match=told):
        contract_text(replace(ACCOUNTS, columns=(*ACCOUNTS.columns, column)))
