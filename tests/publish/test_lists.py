"""Readable lists are exactly section 5 of the specification, whatever key sealed them."""

import hashlib
import re
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.identity.cipher import UnsealError
from pipelines.identity.keyring import new_ring
from pipelines.lists import COLUMNS, ListBroken, read_list, seal_inputs, seal_of, to_readable
from pipelines.manifest import NightNotPublished, publish_manifest
from tests.publish.night_builder import (
    AS_OF,
    DISCREPANCY,
    NEWLY,
    leads_table,
    publish,
    quarantine_table,
    source_inputs,
    write_night,
)


def test_discrepancies_read_as_the_specification_says(home, ring):
    publish(home, ring, discrepancies=[{}])
    assert read_list(home, AS_OF, "discrepancies", ring).to_pylist() == [
        {
            "线索编号": "440103-20260630-D-00001",
            "状态": "新增",
            "规则代码": "A01",
            "规则名称": "金融资产超标",
            "县区代码": "440103",
            "乡镇代码": "440103001",
            "家庭编号": "H1",
            "救助类别": "低保",
            "姓名": "张三",
            "公民身份号码": "440103199001010011",
            "核对值": "52000.50",
            "标准值": "31200.00",
            "数据来源": "银行",
            "数据日期": "2026-06-29",
            "证据说明": "存款合计 52000.50 元",
            "政策依据": "办法第九条",
            "消除条件": "提供支取凭证",
        }
    ]


def test_newly_eligible_read_as_the_specification_says_and_absent_values_are_empty(home, ring):
    publish(home, ring, newly=[{}])
    assert read_list(home, AS_OF, "newly-eligible", ring).to_pylist() == [
        {
            "线索编号": "440103-20260630-N-00001",
            "状态": "持续",
            "规则代码": "N01",
            "规则名称": "低保",
            "县区代码": "440103",
            "乡镇代码": "440103002",
            "户编号": "M1",
            "姓名": "李四",
            "公民身份号码": "44010319850505002X",
            "家庭人口": 3,
            "人均月收入": "612.33",
            "收入标准": "1300.00",
            "人均金融资产": "800.00",
            "资产标准": "",
            "证据说明": "收入低于标准",
            "政策依据": "办法第四条",
            "下一步": "联系申请",
        }
    ]


def test_quarantine_reads_as_the_specification_says(home, ring):
    publish(home, ring, quarantine=[{}])
    assert read_list(home, AS_OF, "quarantine", ring).to_pylist() == [
        {"数据来源": "banks", "文件": "105100-1.csv", "行号": 17, "原因": "money_unparseable;code_unknown"}
    ]


def test_every_state_programme_and_rule_has_its_chinese_name(ring):
    states = {
        "new": "新增",
        "continuing": "持续",
        "changed": "变化",
        "cleared": "已消除",
        "unverified": "待复核",
    }
    programmes = {
        "dibao": "低保",
        "tekun": "特困",
        "dibao_margin": "低保边缘",
        "rigid_expenditure": "刚性支出",
    }
    rows = [{"state": state} for state in states] + [{"programme": programme} for programme in programmes]
    read = to_readable(leads_table(rows, DISCREPANCY, ring.cipher()), ring.cipher())
    assert read["状态"].to_pylist()[:5] == list(states.values())
    assert read["救助类别"].to_pylist()[5:] == list(programmes.values())
    codes = [
        "D01",
        "D02",
        "D03",
        "I01",
        "I02",
        "A01",
        "A02",
        "P01",
        "B01",
        "B02",
        "H01",
        "S01",
        "X01",
        "X02",
        "X03",
        "X04",
        "X05",
    ]
    named = to_readable(
        leads_table([{"rule": code} for code in codes], DISCREPANCY, ring.cipher()), ring.cipher()
    )
    assert dict(zip(codes, named["规则名称"].to_pylist(), strict=True))["H01"] == "疑似漏报家庭成员"
    assert all(re.search("[\u4e00-\u9fff]", name) for name in named["规则名称"].to_pylist())


def test_rows_nobody_can_be_named_for_are_empty_there_and_the_order_stays(ring):
    rows = [
        {"id": None, "name": None, "household_id": "A"},
        {"household_id": "B"},
        {"id": None, "name": "王五", "household_id": "C"},
        {"name": None, "household_id": "D"},
    ]
    read = to_readable(leads_table(rows, DISCREPANCY, ring.cipher()), ring.cipher())
    assert read["家庭编号"].to_pylist() == ["A", "B", "C", "D"]
    assert read["公民身份号码"].to_pylist() == ["", "440103199001010011", "", "440103199001010011"]
    assert read["姓名"].to_pylist() == ["", "张三", "王五", ""]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_other_arrow_types_and_chunks_read_alike(ring, kind):
    table = leads_table([{}, {"id": None}], DISCREPANCY, ring.cipher())
    plain = to_readable(table, ring.cipher())
    for name in ("state", "rule", "county_code", "programme", "evidence"):
        table = table.set_column(
            table.column_names.index(name), name, table[name].cast(pa.string()).cast(kind)
        )
    place = table.column_names.index("person")
    assert to_readable(table, ring.cipher()).to_pylist() == plain.to_pylist()
    assert (
        to_readable(pa.concat_tables([table[:1], table[1:]]), ring.cipher()).to_pylist() == plain.to_pylist()
    )
    fixed = table.set_column(place, "person", table["person"].cast(pa.large_binary()))
    assert to_readable(fixed, ring.cipher()).to_pylist() == plain.to_pylist()


@pytest.mark.parametrize(("model", "which"), [(DISCREPANCY, "discrepancies"), (NEWLY, "newly-eligible")])
def test_an_empty_list_has_all_its_columns(ring, model, which):
    read = to_readable(leads_table([], model, ring.cipher()), ring.cipher())
    assert read.column_names == list(COLUMNS[which]) and read.num_rows == 0


def test_an_unknown_code_or_table_is_refused_and_named(ring):
    with pytest.raises(ListBroken, match="Z99"):
        to_readable(leads_table([{"rule": "Z99"}], DISCREPANCY, ring.cipher()), ring.cipher())
    with pytest.raises(ListBroken, match="belong to no list"):
        to_readable(pa.table({"x": [1]}), ring.cipher())


def test_a_list_of_another_key_does_not_open_and_shows_nothing(ring, tmp_path):
    other = new_ring(tmp_path / "other.json").cipher()
    with pytest.raises((ListBroken, UnsealError)) as failure:
        to_readable(leads_table([{}], DISCREPANCY, ring.cipher()), other)
    assert "4401031990" not in str(failure.value)
    nameless = leads_table([{"name": None}], DISCREPANCY, ring.cipher())
    with pytest.raises(ListBroken, match="do not open with this key"):
        to_readable(nameless, other)


def test_a_name_moved_to_another_person_does_not_open(ring):
    table = leads_table([{}, {"id": "44010319850505002X", "name": "李四"}], DISCREPANCY, ring.cipher())
    place = table.column_names.index("name_sealed")
    swapped = table.set_column(place, "name_sealed", table["name_sealed"].take(pa.array([1, 0])))
    with pytest.raises(UnsealError):
        to_readable(swapped, ring.cipher())


def test_after_a_rotation_an_old_night_still_reads(home, ring):
    publish(home, ring, discrepancies=[{}])
    before = read_list(home, AS_OF, "discrepancies", ring)
    ring.rotate()
    assert read_list(home, AS_OF, "discrepancies", ring) == before
    later = date(2026, 7, 1)
    publish(home, ring, discrepancies=[{}], as_of=later)
    assert read_list(home, later, "discrepancies", ring) == before


def test_a_county_its_city_or_one_source_can_be_read_alone(home, ring):
    rows = [{"county_code": code} for code in ("440103", "440104", "440303")]
    publish(home, ring, discrepancies=rows, quarantine=[{}, {"source": "tax"}])
    assert read_list(home, AS_OF, "discrepancies", ring, county="440103")["县区代码"].to_pylist() == [
        "440103"
    ]
    city = read_list(home, AS_OF, "discrepancies", ring, county="4401")
    assert city["县区代码"].to_pylist() == ["440103", "440104"]
    assert read_list(home, AS_OF, "quarantine", ring, source="tax")["数据来源"].to_pylist() == ["tax"]


def test_a_changed_or_missing_file_is_refused(home, ring):
    manifest = publish(home, ring, discrepancies=[{}])
    path = home / "nights" / manifest["folder"] / "discrepancies.parquet"
    pq.write_table(pq.read_table(path)[:0], path)
    with pytest.raises(ListBroken, match="not the file that was published"):
        read_list(home, AS_OF, "discrepancies", ring)
    path.unlink()
    with pytest.raises(ListBroken, match="cannot be read"):
        read_list(home, AS_OF, "discrepancies", ring)


def test_a_night_that_is_not_published_has_no_lists(home, ring):
    write_night(home, ring, discrepancies=[{}])
    with pytest.raises(NightNotPublished):
        read_list(home, AS_OF, "discrepancies", ring)


def test_nothing_plain_lies_in_the_published_files(home, ring):
    publish(home, ring, discrepancies=[{}], newly=[{}])
    for path in home.rglob("*.*"):
        if path.is_file() and path.name != "keyring.json":
            content = path.read_bytes()
            assert not re.search(r"44010319|张三|李四".encode(), content), path


def sealed_tables(ring, cipher=None):
    cipher = cipher or ring.cipher()
    return [
        to_readable(leads_table([{}, {"household_id": "H2"}], DISCREPANCY, cipher), cipher),
        to_readable(leads_table([{}], NEWLY, cipher), cipher),
        to_readable(quarantine_table([{}]), cipher),
    ]


def inputs_of(**changes):
    sources = {source: {"state": "accepted", "reason": None, "received": 5} for source in source_inputs()}
    inputs = source_inputs()
    inputs["banks"] |= changes
    return seal_inputs(sources, inputs)


def test_the_seal_depends_on_no_key_and_no_order_of_files(ring):
    seal = seal_of(inputs_of(), "b" * 64, *sealed_tables(ring))
    ring.rotate()
    assert seal_of(inputs_of(), "b" * 64, *sealed_tables(ring)) == seal
    files = [
        {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest(), "rows": 1} for name in ("b", "a")
    ]
    one, other = inputs_of(files=files), inputs_of(files=files[::-1])
    assert seal_of(one, "b" * 64, *sealed_tables(ring)) == seal_of(other, "b" * 64, *sealed_tables(ring))
    chunked = [pa.concat_tables([table[:1], table[1:]]) for table in sealed_tables(ring)]
    assert seal_of(inputs_of(), "b" * 64, *chunked) == seal


def test_the_seal_changes_with_every_value_and_every_input(ring):
    tables = sealed_tables(ring)
    seals = [seal_of(inputs_of(), "b" * 64, *tables), seal_of(inputs_of(), "c" * 64, *tables)]
    seals += [
        seal_of(inputs_of(**change), "b" * 64, *tables)
        for change in (
            {"snapshot_date": "2026-06-28"},
            {"covers": ["2025-12", "2026-05"]},
            {"files": []},
            {"files": [{"name": "105100-1.csv", "sha256": "a" * 64, "rows": 4}]},
        )
    ]
    held = inputs_of()
    held["tax"] = {**held["tax"], "state": "held", "reason": "stale"}
    seals.append(seal_of(held, "b" * 64, *tables))
    changed = 0
    for place, table in enumerate(tables):
        for head in table.column_names:
            if head != "规则名称":
                value = (
                    pa.array([7] * len(table))
                    if head in ("家庭人口", "行号")
                    else pa.array(["改"] * len(table))
                )
                other = [*tables]
                other[place] = table.set_column(table.column_names.index(head), head, value)
                seals.append(seal_of(inputs_of(), "b" * 64, *other))
                changed += 1
    seals.append(seal_of(inputs_of(), "b" * 64, tables[0].take([1, 0]), *tables[1:]))
    seals.append(seal_of(inputs_of(), "b" * 64, tables[0][:1], *tables[1:]))
    assert changed == 16 + 16 + 4
    assert len(set(seals)) == len(seals)


def test_the_seal_tells_apart_where_one_value_ends_and_the_next_begins(ring):
    table = sealed_tables(ring)[2]
    place = table.column_names.index("文件")
    tables = [
        pa.concat_tables([table, table]).set_column(place, "文件", [[a, b]])
        for a, b in (("ab", "c"), ("a", "bc"))
    ]
    lists = sealed_tables(ring)[:2]
    assert seal_of({}, "b", *lists, tables[0]) != seal_of({}, "b", *lists, tables[1])


def test_publishing_by_the_manifest_alone_makes_a_night_readable(home, ring):
    publish_manifest(home, write_night(home, ring, discrepancies=[{}]))
    assert read_list(home, AS_OF, "discrepancies", ring).num_rows == 1
