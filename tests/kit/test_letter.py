"""A department whose delivery was held reads which column broke which rule, how often and in what shape; never a value."""

from __future__ import annotations

import re
from datetime import date

import pytest

from connectors.kit.shapes import Shapes, shape_of
from pipelines.cli import main
from sample_data.build import write_province
from tests.flow.nights import sign

AS_OF = date(2026, 6, 30)


def deliver_again(folder, change):
    """The same files after `change`, with a receipt that fits them."""
    for path in folder.glob("*.csv"):
        path.write_bytes(change(path.read_bytes().decode("gb18030", "replace")).encode("gb18030"))
        sign(folder, path.name)


def drift(text):
    """Dates as people write them, and a currency in Chinese."""
    return re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\1年\2月\3日", text).replace(",CNY,", ",人民币,")


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """A home with a good night and one on which the banks and the market regulator had changed their files."""
    folder = tmp_path_factory.mktemp("letter")
    feeds, home = folder / "feeds", folder / "home"
    write_province(feeds, households=12, seed=3, as_of=AS_OF)

    def night(day):
        return main(["nightly", "--as-of", day, "--feeds", str(feeds), "--home", str(home), "--quiet"])

    assert night("2026-06-30") == 0
    deliver_again(feeds / "banks", drift)
    deliver_again(feeds / "market_regulation", lambda text: text.replace("登记状态", "经营状态", 1))
    assert night("2026-07-01") == 3
    return folder


def letter(folder, source, capsys, *words):
    home = str(folder / "home")
    status = main(["connector", "letter", source, "--as-of", "2026-07-01", "--home", home, *words])
    told = capsys.readouterr()
    return status, told.out, told.err


def test_the_letter_tells_column_rule_rows_shape_and_the_last_good_day(held, capsys):
    status, told, _ = letter(held, "banks", capsys, "--feed", str(held / "feeds" / "banks"))
    assert status == 0 and "原因：问题记录占比过高。" in told
    assert re.search(r"列“余额日期”，日期格式不符：9999字99字99字 \d+ 行", told)
    assert re.search(r"列“币种”，币种没有折算汇率：字字字 \d+ 行", told)
    assert "最近一次采用的数据日期为 2026-06-" in told and "（2026-06-30 的核对）" in told
    assert "重新报送" in told


def test_no_value_of_the_delivery_stands_in_the_letter(held, capsys):
    _, told, _ = letter(held, "banks", capsys, "--feed", str(held / "feeds" / "banks"))
    values = set()
    for path in (held / "feeds" / "banks").glob("*.csv"):
        for line in path.read_bytes().decode("gb18030").splitlines()[1:]:
            values |= {field for field in line.split(",") if len(field) > 3}
    told = re.sub(r"\S+\.csv|2026/6/29", "", told)  # file names, and the letter's own example of a date
    assert len(values) > 100
    assert {value for value in values if value in told} == set()
    assert "人民币" not in told and not re.search(r"[0-9]{9}", told)


def test_a_header_of_another_year_is_told_by_what_it_lacks(held, capsys):
    _, told, _ = letter(
        held, "market_regulation", capsys, "--feed", str(held / "feeds" / "market_regulation")
    )
    assert "表头：缺少约定的列：登记状态；另有 1 列不在约定中" in told
    assert "经营状态" not in told


def test_without_the_feed_the_letter_says_that_no_shapes_are_there(held, capsys):
    _, told, _ = letter(held, "banks", capsys)
    assert "三、问题字段的样式\n- 未附。" in told and "字99字" not in told


def test_another_delivery_is_refused(held, capsys, tmp_path):
    (tmp_path / "banks").mkdir()
    status, _, told = letter(held, "banks", capsys, "--feed", str(tmp_path / "banks"))
    assert status == 2 and "another delivery" in told
    status, _, told = letter(held, "banks", capsys, "--feed", str(held / "feeds" / "tax"))
    assert status == 2 and "which is called banks" in told
    status, _, told = letter(held, "tax", capsys)
    assert status == 2 and "was accepted" in told


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("2026-06-29", "9999-99-99"),
        ("粤A12345", "字A99999"),
        ("1,234.50元", "9,999.99字"),
        ("２０２６年", "9全9全9全9全字"),
        ("Ａb\t 　", "A全A空空空"),
        ("", ""),
        ("é😀\u200b", "A其其"),
        ("1" * 40, "9" * 32 + "…"),
        ("甲·乙", "字其字"),
        ("\x00", "空"),
    ],
)
def test_a_shape_tells_how_a_value_looks_and_not_what_it_is(text, shape):
    assert shape_of(text) == shape


def test_rare_shapes_are_told_together_alone():
    shapes = Shapes()
    for text, rows in (("12", 7), ("1-2", 5), ("x", 4), ("甲乙", 1)):
        for _ in range(rows):
            shapes.add(text)
    assert list(shapes.told()) == ["99 7 行", "9-9 5 行", "其他形状共 5 行"]
    many = Shapes()
    for length in range(1, 12):
        for _ in range(6):
            many.add("1" * length)
    assert len(list(many.told())) == 7 and list(many.told())[-1] == "其他形状共 30 行"
