"""The rules' texts: every rule of the specification once, whole, and in the voice of a lead."""

from pathlib import Path

import pytest

from connectors.registry import all_contracts
from policy import PolicyError
from policy.model import load
from policy.rules import SHIPPED, load_rules

FIVE = {"tax", "market_regulation", "banks", "securities", "insurance"}
NAMES = {
    "D01": "成员已死亡",
    "D02": "户籍已迁出或注销",
    "D03": "重复享受",
    "I01": "收入超标",
    "I02": "收入未申报",
    "A01": "金融资产超标",
    "A02": "金融资产未申报",
    "P01": "商业保险缴费过高",
    "B01": "企业任职或出资",
    "B02": "个体经营",
    "H01": "疑似漏报家庭成员",
    "S01": "法定义务人有赡养能力",
    "X01": "名册身份号码无效",
    "X02": "身份信息不一致",
    "X03": "疑似本人记录",
    "X04": "授权缺失或过期",
    "X05": "名册成员信息不完整",
    "N00": "需先取得授权",
    "N01": "低保",
    "N02": "低保边缘",
    "N03": "单人保",
    "N04": "刚性支出困难",
    "N05": "特困",
    "N06": "收入符合、财产待核实",
    "U01": "转低保",
    "U02": "单人保",
}
EVERY_RULE = load_rules()
RULES = {code: rule for code, rule in EVERY_RULE.items() if code in NAMES}
BEYOND = {code: rule for code, rule in EVERY_RULE.items() if code not in NAMES}
SQL = Path(__file__).parents[2] / "sql" / "assess"


def test_every_rule_of_the_specification_is_named_as_it_names_it():
    assert {code: rule.name for code, rule in RULES.items()} == NAMES
    assert {rule.list for code, rule in RULES.items() if code[0] in "NU"} == {"newly_eligible"}
    assert {rule.list for code, rule in RULES.items() if code[0] not in "NU"} == {"discrepancies"}


def test_person_rules_and_programmes_are_those_of_the_specification():
    assert {code for code, rule in RULES.items() if rule.person} == {
        *("D01", "D02", "D03", "B01", "B02", "S01", "X01", "X02", "X03", "X04", "N03", "U02")
    }
    programmes = {code: set(rule.programmes) for code, rule in RULES.items()}
    assert programmes["I02"] == {"dibao"} and programmes["S01"] == {"dibao", "tekun"}
    assert programmes["A02"] == programmes["P01"] == programmes["H01"] == {"dibao", "dibao_margin"}
    assert programmes["U01"] == {"dibao_margin", "rigid_expenditure"} and programmes["U02"] == {
        "dibao_margin"
    }
    assert all(len(programmes[code]) == 4 for code in NAMES if code[0] in "DBX" or code in ("I01", "A01"))
    assert all(not programmes[code] for code in NAMES if code[0] == "N")


def test_the_sources_a_rule_needs_are_those_of_the_specification():
    wanted = {
        "D01 D02 H01": {"household_registration"},
        "D03 X01 X04 X05": {"roster"},
        "I01 I02 S01": {"tax"},
        "A01 A02": {"banks", "securities", "insurance"},
        "P01": {"insurance"},
        "B01 B02": {"market_regulation"},
        "X02 X03": FIVE | {"household_registration"},
        "N00 N01 N02 N04 N05 N06": FIVE | {"rural_revitalisation"},
        "N03": FIVE | {"rural_revitalisation", "household_registration"},
        "U01": FIVE,
        "U02": FIVE | {"household_registration"},
    }
    by_code = {code: sources for codes, sources in wanted.items() for code in codes.split()}
    assert {code: set(rule.needs) for code, rule in RULES.items()} == by_code


def test_only_rules_over_further_departments_ask_for_more_than_the_specification():
    assert all(
        rule.settings == {} and not set(rule.connected) - {"*", "vehicles", "real_estate"}
        for rule in RULES.values()
    )
    assert {code for code, rule in EVERY_RULE.items() if rule.partial} == {"A01", "A02", "X02", "X03"}
    eight = {source for rule in RULES.values() for source in rule.needs}
    assert all(set(rule.needs) - eight for rule in BEYOND.values())


def test_every_rule_beyond_the_specification_has_a_file_and_known_departments():
    contracts = all_contracts()
    for code, rule in EVERY_RULE.items():
        assert set(rule.needs) | set(rule.connected) - {"*"} <= set(contracts), code
        if code in BEYOND:
            assert (SQL / "rules" / f"{code.lower()}.sql").exists() and rule.catalogue, code
    files = {path.stem.upper() for path in (SQL / "rules").glob("*.sql")}
    assert files == {
        code for code in EVERY_RULE if code in BEYOND or EVERY_RULE[code].list == "discrepancies"
    }


def test_every_setting_a_rule_reads_is_shipped_on_or_off():
    written = {
        (entry.identity["rule"], entry.identity["name"])
        for entry in load().all_entries
        if entry.key == "rule_setting"
    }
    assert written == {(code, name) for code, rule in EVERY_RULE.items() for name in rule.settings}


def test_every_department_has_a_rule():
    needed = {source for rule in EVERY_RULE.values() for source in rule.needs}
    assert needed == set(all_contracts())


def test_every_rule_says_why_and_what_to_do_in_chinese():
    for rule in EVERY_RULE.values():
        last = rule.next_step if rule.list == "newly_eligible" else rule.clears
        assert len(rule.basis) >= 20 and len(rule.explanation) >= 20 and len(last) >= 20
        assert "\n" not in rule.basis + rule.explanation + last
        assert not (rule.clears and rule.next_step)


@pytest.mark.parametrize(
    "verdict", ["骗保", "欺诈", "违规", "不诚信", "取消资格", "应予停保", "认定为不符合"]
)
def test_no_text_gives_a_verdict(verdict):
    assert not [
        r.code for r in EVERY_RULE.values() if verdict in r.name + r.explanation + r.clears + r.next_step
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('code = "D02"', 'code = "D01"', "the code twice"),
        ('code = "D02"', 'code = "D2"', "a letter and two digits"),
        ("person = true\n", "", "person"),
        ("person = true\n", "person = true\nseverity = 1\n", "severity"),
        ("person = true\n", 'person = "yes"\n', "true or false"),
        ('needs = ["roster"]', 'needs = ["roster", "roster"]', "none twice"),
        ('needs = ["roster"]', 'needs = ["The Roster"]', "a list of names"),
        ("partial = true\n", "partial = 1\n", "true or false"),
        ('programmes = ["dibao"]', 'programmes = ["dibao", "diabo"]', "diabo"),
        ('list = "newly_eligible"', 'list = "discrepancies"', "next_step"),
        ('list = "discrepancies"', 'list = "d"', "discrepancies or newly_eligible"),
        ("[[rule]]", "[[law]]", r"only \[\[rule\]\]"),
    ],
)
def test_a_mistake_in_the_texts_is_refused(tmp_path, right, wrong, told):
    path = tmp_path / "rules.toml"
    path.write_text(SHIPPED.read_text(encoding="utf-8").replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(PolicyError, match=told):
        load_rules(path)
