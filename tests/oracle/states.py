"""Section 4, "From night to night", and the rows of section 5."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from .linking import FIVE, SIX, Household
from .rules import Lead, Tonight

NAMES = {
    "D01": "成员已死亡", "D02": "户籍已迁出或注销", "D03": "重复享受", "I01": "收入超标", "I02": "收入未申报",
    "A01": "金融资产超标", "A02": "金融资产未申报", "P01": "商业保险缴费过高", "B01": "企业任职或出资",
    "B02": "个体经营",
    "H01": "疑似漏报家庭成员", "S01": "法定义务人有赡养能力", "X01": "名册身份号码无效", "X02": "身份信息不一致",
    "X03": "疑似本人记录", "X04": "授权缺失或过期", "X05": "名册成员信息不完整", "N00": "需先取得授权", "N01": "低保",
    "N02": "低保边缘", "N03": "单人保", "N04": "刚性支出困难", "N05": "特困", "N06": "收入符合、财产待核实",
    "U01": "转低保", "U02": "单人保",
}  # fmt: skip
STATES = {"new": "新增", "continuing": "持续", "changed": "变化", "cleared": "已消除", "unverified": "待复核"}
_NEEDS = {
    "D01": ("household_registration",), "D02": ("household_registration",), "H01": ("household_registration",),
    "D03": ("roster",), "X01": ("roster",), "X04": ("roster",), "X05": ("roster",),
    "I01": ("tax",), "I02": ("tax",), "S01": ("tax",),
    "A01": ("banks", "securities", "insurance"), "A02": ("banks", "securities", "insurance"),
    "P01": ("insurance",), "B01": ("market_regulation",), "B02": ("market_regulation",), "X02": SIX, "X03": SIX,
}  # fmt: skip


def needs(rule: str) -> tuple[str, ...]:
    if rule in _NEEDS:
        return _NEEDS[rule]
    extra = ("rural_revitalisation",) if rule[0] == "N" else ()
    return (*FIVE, *extra, *(("household_registration",) if rule in ("N03", "U02") else ()))


def shown(value: Fraction | None) -> str:
    """Half-up to 2 decimals."""
    if value is None:
        return ""
    cents = int(abs(value) * 100 + Fraction(1, 2))
    return f"{'-' if value < 0 and cents else ''}{cents // 100}.{cents % 100:02d}"


@dataclass
class Entry:
    """A lead as it stands on a night's list."""

    key: tuple[str, str, str, str]  # list, rule, household, person ("" for the household)
    state: str
    value: str
    sort: tuple[str, str, str, str]
    row: dict[str, str]


def _shown_person(lead: Lead) -> tuple[str, str]:
    """Name and number: the person, or the head, or the member with the lowest number."""
    if lead.person:
        return lead.person.name, lead.person.id.text
    members = lead.household.members
    heads = [p for p in members if p.relation == "01"]
    if len(heads) != 1:
        heads = sorted(members, key=lambda p: p.id.text)
    return (heads[0].name, heads[0].id.text) if heads else ("", "")


def to_entry(lead: Lead) -> Entry:
    h = lead.household
    name, number = _shown_person(lead)
    row = {
        "规则代码": lead.rule, "规则名称": NAMES[lead.rule], "县区代码": h.county, "乡镇代码": h.township,
        "姓名": name, "公民身份号码": number,
    }  # fmt: skip
    if lead.list == "discrepancies":
        row |= {
            "家庭编号": h.household_id, "救助类别": h.programme, "核对值": shown(lead.value),
            "标准值": shown(lead.line),
        }  # fmt: skip
    else:
        row |= {
            "户编号": h.household_id, "家庭人口": str(h.n), "人均月收入": shown(lead.value),
            "收入标准": shown(lead.line), "人均金融资产": shown(lead.assets), "资产标准": shown(lead.asset_line),
        }  # fmt: skip
    return Entry(
        (lead.list, lead.rule, h.household_id, lead.person.id.text if lead.person else ""), "new",
        shown(lead.value), (h.county, h.household_id, lead.rule, number), row,
    )  # fmt: skip


def _value_column(entry: Entry) -> str:
    return "核对值" if entry.key[0] == "discrepancies" else "人均月收入"


def _unverified(
    t: Tonight, key: tuple[str, str, str, str], households: dict[str, Household], broken: set[str]
) -> bool:
    _, rule, household, person = key
    if any(t.held(s) or (s == "tax" and not t.tax_comparable()) for s in needs(rule)):
        return True
    people = (
        [person]
        if person
        else [p.id.text for p in households[household].members]
        if household in households
        else []
    )
    if any(not t.authorisations.allows(p, s) for p in people for s in needs(rule)):
        return True
    return household in broken


def follow(
    t: Tonight,
    tonight: Iterable[Entry],
    before: Iterable[Entry],
    households: dict[bool, dict[str, Household]],
    broken: dict[bool, set[str]],
) -> list[Entry]:
    """Tonight's entries with their states, and those of the last night that are gone.

    `households` and `broken` (ids of incomplete households) are kept by "is a monitored household".
    """
    was = {e.key: e for e in before if e.state != "cleared"}
    found = {e.key: e for e in tonight}
    for key, entry in found.items():
        if key not in was:
            continue
        entry.state = "continuing" if entry.value == was[key].value else "changed"
        fell = Decimal(entry.value) < Decimal(was[key].value)
        if (
            entry.key[1] in ("A01", "A02", "X02", "X03")
            and fell
            and any(t.held(s) for s in needs(entry.key[1]))
        ):
            entry.state, entry.value = "continuing", was[key].value
            entry.row[_value_column(entry)] = entry.value
    gone = []
    for key, old in was.items():
        if key not in found:
            monitored = key[1][0] == "N"
            state = (
                "unverified" if _unverified(t, key, households[monitored], broken[monitored]) else "cleared"
            )
            gone.append(Entry(key, state, old.value, old.sort, dict(old.row)))
    entries = [*found.values(), *gone]
    for entry in entries:
        entry.row["状态"] = STATES[entry.state]
    return sorted(entries, key=lambda e: e.sort)
