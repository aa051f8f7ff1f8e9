"""What is handed to a department says what the contract says, and a new version says whom it hurts."""

from __future__ import annotations

import csv
import io

import pytest

from connectors.registry import all_contracts
from pipelines.cli import main

BANKS = all_contracts()["banks"].path.read_text("utf-8")


def changes(tmp_path, capsys, *edits):
    text = BANKS
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (tmp_path / "old.toml").write_text(BANKS, "utf-8")
    (tmp_path / "new.toml").write_text(text, "utf-8")
    status = main(["connector", "diff", str(tmp_path / "old.toml"), str(tmp_path / "new.toml")])
    return status, capsys.readouterr().out.splitlines()


COLUMN = '[[file.column]]\nname = "bank_code"\nheader = "开户行代码"\ntype = "text"\n'
MOVED = '[[file.column]]\nname = "balance_date"'


@pytest.mark.parametrize(
    ("edits", "status", "told"),
    [
        ([('header = "余额"', 'header = "账户余额"')], 1, "【中断】列“余额”改名为“账户余额”"),
        ([(COLUMN, "")], 1, "【中断】删除列“开户行代码”"),
        ([(COLUMN, ""), (MOVED, f"{COLUMN}\n{MOVED}")], 1, "【中断】列的顺序改变"),
        ([(COLUMN, COLUMN + "\n" + COLUMN.replace("bank_code", "more").replace("开户行代码", "备注"))], 1, "【中断】新增列“备注”"),
        ([('encoding = "gb18030"', 'encoding = "utf-8"')], 1, "【中断】编码由 gb18030 改为 utf-8"),
        ([('unit = "units of the currency"', 'unit = "yuan"')], 1, "【中断】列“余额”的单位由“units of the currency”改为“yuan”"),
        ([('["活期", "定期", "理财"]', '["活期", "定期"]')], 1, "【收紧】列“账户类型”不再接受代码：理财"),
        ([('["活期", "定期", "理财"]', '["活期", "定期", "理财", "通知"]')], 0, "【放宽】列“账户类型”新增代码：通知"),
        ([('type = "text"', 'type = "text"\noptional = true')], 0, "【放宽】列“开户行代码”由必填改为可空"),
        ([('type = "money"', 'type = "money"\nnot_negative = true')], 1, "【收紧】列“余额”不得为负"),
        ([("not_future = true", "not_future = false")], 0, "【放宽】列“余额日期”可以晚于核对日"),
        ([("retain_days = 90", "retain_days = 30")], 0, "【说明】保留天数由“90”改为“30”"),
        ([], 0, "两个版本没有影响交付的差别"),
    ],
)  # fmt: skip
def test_a_new_version_says_what_it_breaks(tmp_path, capsys, edits, status, told):
    assert changes(tmp_path, capsys, *edits) == (status, [told])


def test_the_worst_is_told_first(tmp_path, capsys):
    edits = [
        ("retain_days = 90", "retain_days = 30"),
        ("not_future = true", ""),
        ('header = "余额"', 'header = "额"'),
    ]
    _, told = changes(tmp_path, capsys, *edits)
    assert [line[:4] for line in told] == ["【中断】", "【放宽】", "【说明】"]


def test_a_version_that_is_no_contract_is_refused(tmp_path, capsys):
    (tmp_path / "old.toml").write_text("nothing", "utf-8")
    assert main(["connector", "diff", str(tmp_path / "old.toml"), str(tmp_path / "old.toml")]) == 2
    assert main(["connector", "diff", str(tmp_path / "absent.toml"), str(tmp_path / "old.toml")]) == 2
    assert "absent.toml: cannot be read" in capsys.readouterr().err


def rows_of(path):
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") and b"\r\n" in raw
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("source", sorted(all_contracts()))
def test_every_column_of_every_source_stands_in_its_dictionary(tmp_path, source):
    assert main(["connector", "document", source, "--output", str(tmp_path)]) == 0
    rows = rows_of(tmp_path / f"{source}-数据字典.csv")
    columns = [column for file in all_contracts()[source].files for column in file.columns]
    assert [row["列名"] for row in rows] == [column.header for column in columns]
    assert all(row["类型"] and row["含义"] and row["敏感级别"] for row in rows)
    assert not any(letter.isascii() and letter.isalpha() for row in rows for letter in row["单位"])


def test_the_catalogues_say_on_what_terms(tmp_path):
    main(["connector", "document", "banks", "--output", str(tmp_path)])
    (shared,) = rows_of(tmp_path / "banks-信息共享目录.csv")
    assert shared["共享类型"] == "有条件共享" and "本人有效授权" in shared["共享条件"]
    assert shared["信息项"].startswith("公民身份号码、姓名") and shared["编码"] == "GB18030"
    (opened,) = rows_of(tmp_path / "banks-公开目录.csv")
    assert (opened["开放属性"], opened["不予开放的理由"], opened["可公开的信息项"]) == (
        "不予开放",
        "含个人信息",
        "",
    )
