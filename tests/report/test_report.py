"""What auditors read is what the manifest says, safe to open anywhere, and gives no small count away."""

from __future__ import annotations

import copy
import json
import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from pipelines.report import write_report
from pipelines.report.page import NIGHTS_SHOWN
from pipelines.report.sources import COUNTS
from pipelines.report.suppression import THRESHOLD
from pipelines.report.wording import shipped_wording
from policy.parameters import PARAMETERS
from tests.report.made_up_nights import earlier_nights, made_up_night
from tests.report.pages import check_nesting, county_table, foot_of, number, parsed, rows_of, section, text_of
from tests.report.test_suppression import possible_values

TONIGHT = date(2026, 6, 30)
LISTS = ("discrepancies", "newly_eligible")
PRESENT = {"new", "continuing", "changed", "unverified"}


@pytest.fixture(scope="module")
def night() -> dict:
    manifest = made_up_night(
        TONIGHT, counties=30, mean=12, held={"securities": "stale"}, missing=("insurance",)
    )
    manifest["inputs"]["banks"]["unlisted"] = ["105100-9.csv.part"]
    return manifest


@pytest.fixture(scope="module")
def history() -> list[dict]:
    nights = earlier_nights(TONIGHT, 20, counties=3)
    nights[-2]["status"]["sources"]["tax"] |= {"state": "held", "reason": "stale", "received": 0}
    return nights


@pytest.fixture(scope="module")
def page(night: dict, history: list[dict], tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(night, history, tmp_path_factory.mktemp("report"))


def written(manifest: dict, history: list[dict], folder: Path) -> str:
    output = folder / "report.html"
    write_report(manifest, history, output)
    return output.read_text(encoding="utf-8")


def test_the_page_needs_nothing_from_outside_and_runs_nothing(page: str) -> None:
    for forbidden in ("http", "<script", "src=", "url(", "@import", "<link", "<iframe", "javascript:", "//"):
        assert forbidden not in page.lower(), forbidden
    for tag, name, value in check_nesting(page).attributes:
        assert not name.startswith("on"), (tag, name)
        assert name != "href" or value.startswith("#")


def test_the_page_is_well_nested_and_readable_by_machines_that_read_aloud(page: str) -> None:
    check_nesting(page)
    soup = parsed(page)
    assert soup.html["lang"] == "zh-CN"
    assert [len(soup.find_all(landmark)) for landmark in ("header", "nav", "main", "footer", "h1")] == [1] * 5
    for table in soup.find_all("table"):
        assert text_of(table.find("caption"))
        assert all(head.has_attr("scope") for head in table.find_all("th"))
        assert table.find_parent(attrs={"role": "region", "tabindex": "0"})["aria-label"]
    for figure in soup.find_all("svg"):
        assert figure["role"] == "img"
        assert figure.title.text
        assert figure.desc.text
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    for link in soup.find_all("a"):
        assert link["href"][1:] in ids
    for part in soup.find_all(attrs={"aria-labelledby": True}):
        assert part["aria-labelledby"] in ids


def test_every_source_is_told_with_the_counts_of_the_manifest(page: str, night: dict) -> None:
    part = section(page, "sources")
    told = {
        row["data-source"]: [number(text_of(cell)) for cell in row.select("td.n:not(.quietly)")]
        for row in part.select("tr[data-source]")
    }
    sources = night["status"]["sources"]
    assert told == {name: [counts[count] for count in COUNTS] for name, counts in sources.items()}
    totals = [sum(counts[count] for counts in sources.values()) for count in COUNTS]
    assert [number(text) for text in foot_of(part)[1:] if text] == totals
    assert [row["data-source"] for row in part.select("tr.held, tr.missing")] == ["securities", "insurance"]


def test_the_figures_of_a_source_say_the_same_as_its_row(page: str, night: dict) -> None:
    banks = night["status"]["sources"]["banks"]
    funnel = section(page, "sources").select_one("tr[data-source=banks] svg")
    told = f"收到 {banks['received']:,} 行，接受 {banks['accepted']:,} 行，关联 {banks['linked']:,} 行"
    assert funnel.desc.text == told
    widths = [float(bar["width"]) for bar in funnel.find_all("rect")]
    shares = [1, banks["accepted"] / banks["received"], banks["linked"] / banks["received"]]
    assert widths == pytest.approx([200 * share for share in shares], abs=0.01)


def test_freshness_quarantine_and_authorisation_are_those_of_the_manifest(page: str, night: dict) -> None:
    details, words = night["details"], shipped_wording()
    freshness = {row[0]: [number(cell) for cell in row[3:6]] for row in rows_of(section(page, "freshness"))}
    for source, told in details["freshness"].items():
        age, limit = told["age_days"], told["max_age_days"]
        assert freshness[words.source(source)] == [age, limit, None if age is None else limit - age]
    part = section(page, "quarantine")
    heads = [text_of(head) for head in part.find("thead").find_all("th")][3:]
    reasons = {row[0]: [number(cell) for cell in row[2:]] for row in rows_of(part)}
    by_source = {
        words.source(source): counts for source, counts in details["quarantine_reasons"].items() if counts
    }
    assert heads == list(by_source)
    for reason, name in words.codes.quarantine_reasons.names.items():
        counts = [by_source[source].get(reason, 0) for source in heads]
        assert reasons.pop(name, [0] * (1 + len(heads))) == [sum(counts), *counts]
    assert not reasons
    part = section(page, "authorisation")
    assert text_of(part.find(class_="statement")) == "未经授权使用的行数： 0"
    dropped = {row[0]: number(row[3]) for row in rows_of(part)}
    assert dropped == {
        words.source(name): count for name, count in details["authorisation"]["dropped"].items()
    }


def test_leads_by_state_and_by_night_are_those_of_the_manifests(
    page: str, night: dict, history: list[dict]
) -> None:
    for row, which in zip(rows_of(section(page, "leads")), LISTS, strict=True):
        told = night["status"]["lists"][which]
        states = [told[state] for state in ("new", "continuing", "changed", "unverified", "cleared")]
        present = sum(told[state] for state in PRESENT)
        assert [number(cell) for cell in row[1:]] == [*states, present, told.get("withheld")]
    nights = [*history, night][-NIGHTS_SHOWN:]
    for row, manifest in zip(rows_of(section(page, "trend")), nights, strict=True):
        sources = manifest["status"]["sources"].values()
        received = [told["received"] if told["state"] == "accepted" else None for told in sources]
        flows = [manifest["status"]["lists"][which][state] for which in LISTS for state in ("new", "cleared")]
        assert row[0] == manifest["as_of"]
        assert [number(cell) for cell in row[1:]] == [*received, *flows]


def true_counts(manifest: dict, which: str) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for lead in manifest["details"]["leads"]:
        if lead["list"] == which and lead["state"] in PRESENT:
            key = lead["county_code"], lead["rule"]
            counts[key] = counts.get(key, 0) + lead["count"]
    return counts


@pytest.mark.parametrize("which", LISTS)
def test_counties_and_rules_tell_the_truth_or_nothing(page: str, night: dict, which: str) -> None:
    counts, table = true_counts(night, which), county_table(page, which)
    rules = [code for code, rule in shipped_wording().rules.items() if rule.list == which]
    assert list(table.rules) == rules
    assert set(table.places) == {lead["county_code"] for lead in night["details"]["leads"]}
    shown = 0
    for place, cells, total in zip(table.places, table.cells, table.place_totals, strict=True):
        true = [counts.get((place, rule), 0) for rule in table.rules]
        shown += sum(told is not None for told in cells)
        assert all(
            told is None or told == count >= THRESHOLD for told, count in zip(cells, true, strict=True)
        )
        assert total is None or total == sum(true) >= THRESHOLD
    for rule, total in zip(table.rules, table.rule_totals, strict=True):
        assert (
            total is None or total == sum(counts.get((place, rule), 0) for place in table.places) >= THRESHOLD
        )
    assert table.total == sum(counts.values())
    assert shown > 60  # a page that hides everything proves nothing


@pytest.mark.parametrize("seed", range(2))
def test_no_suppressed_cell_of_a_page_can_be_worked_out(tmp_path: Path, seed: int) -> None:
    manifest = made_up_night(TONIGHT, counties=4, mean=9, seed=seed)
    page = written(manifest, [], tmp_path)
    for which in LISTS:
        table, counts = county_table(page, which), true_counts(manifest, which)
        true = np.array([[counts.get((place, rule), 0) for rule in table.rules] for place in table.places])
        found = possible_values(table, true)
        assert found
        assert all(high - low > 0.5 for low, high in found.values())


def test_a_list_with_hardly_any_leads_shows_its_total_alone(tmp_path: Path) -> None:
    manifest = made_up_night(TONIGHT, counties=1, mean=0)
    manifest["details"]["leads"] = [
        {"list": "discrepancies", "county_code": "440103", "rule": "D01", "state": "cleared", "count": 2}
    ]
    manifest["status"]["lists"]["discrepancies"] |= {"new": 0, "cleared": 2}
    part = section(written(manifest, [], tmp_path), "counties")
    assert not part.find_all("table")
    assert "没有在列的线索" in part.text


def test_a_source_not_used_is_told_with_its_reason_what_to_do_and_what_it_touches(page: str) -> None:
    told = section(page, "todo").text
    assert "证券数据未采用" in told
    assert "数据日期过旧或晚于核对日" in told
    assert "请证券登记结算机构与证券公司报送时效内的最新数据" in told
    assert "保险数据未采用" in told
    assert "未报送" in told
    for rule in ("A01", "A02", "P01", "N01", "U01"):
        assert rule in told
    assert "有 1 个文件不在回执上" in told
    assert "105100-9.csv.part" in section(page, "evidence").text


def test_every_gate_outcome_is_told_with_its_description(page: str, night: dict) -> None:
    rows = [row for row in rows_of(section(page, "gates")) if len(row) == 6]
    gates = night["details"]["gates"]
    assert sorted(row[4] for row in rows if row[3] == "符合") == sorted(
        one["observed"] for one in gates if one["success"]
    )
    failed = {row[0]: row[2:5] for row in rows if row[3] == "不符合"}
    assert failed == {
        "各隔离原因的占比没有突然上升": ["银行", "不符合", "金额格式不符：占收到行数 3.1%，上一晚占比 0.2%"],
        "用到的政策标准都有文件可证": ["—", "不符合", "用到的未经证实的标准数 61"],
    }


def test_every_policy_figure_is_told_with_its_instrument(page: str, night: dict) -> None:
    used = night["details"]["policy"]["used"]
    rows = [row for row in rows_of(section(page, "policy")) if len(row) == 5]
    assert sorted((row[2], row[4]) for row in rows) == sorted((one["from"], one["source"]) for one in used)
    assert sum(row[3] == "未证实" for row in rows) == sum(not one["confirmed"] for one in used) > 0
    assert ["广州市（4401），城镇", "1282"] in [row[:2] for row in rows]
    assert "基数 最低工资，倍数 1" in {row[1] for row in rows}


def test_seals_and_files_are_told_whole(page: str, night: dict) -> None:
    told = section(page, "evidence").text
    assert night["seal"] in told
    assert night["details"]["policy"]["sha256"] in told
    files = [file for given in night["inputs"].values() for file in given["files"]]
    part = section(page, "evidence")
    assert [(row[1], number(row[2]), row[3]) for row in rows_of(part, table=1)] == [
        (file["name"], file["rows"], file["sha256"]) for file in files
    ]


def test_names_that_would_be_markup_are_text(tmp_path: Path, night: dict) -> None:
    nasty = "<img src=x onerror=alert(1)>&\"'</style><marquee>"
    manifest = copy.deepcopy(night)
    manifest["inputs"]["banks"]["unlisted"] = [nasty]
    manifest["inputs"]["banks"]["files"][0]["name"] = nasty
    manifest["details"]["gates"][0] |= {"success": False, "observed": nasty, "expectation": nasty}
    manifest["details"]["policy"]["used"][0] |= {"source": nasty, "value": nasty}
    manifest["details"]["quarantine_reasons"]["banks"][nasty] = 5
    manifest["details"]["leads"].append(
        {"list": "discrepancies", "county_code": nasty, "rule": nasty, "state": "new", "count": 50}
    )
    for table in ("sources", nasty):
        manifest["status"]["sources"][table] = manifest["status"]["sources"]["banks"]
    page = written(manifest, [], tmp_path)
    checker = check_nesting(page)
    assert not [tag for tag, name, _ in checker.attributes if tag in ("img", "marquee") or name == "onerror"]
    assert section(page, "evidence").text.count(nasty) >= 2
    assert nasty in section(page, "gates").text
    assert nasty in section(page, "counties").text


def test_rows_used_without_authorisation_are_the_first_thing_told(tmp_path: Path, night: dict) -> None:
    manifest = copy.deepcopy(night)
    manifest["details"]["authorisation"]["used_without"] = 7
    page = written(manifest, [], tmp_path)
    first = section(page, "todo").find("li")
    assert "有 7 行数据在没有有效授权时被使用" in first.text
    assert "bad" in section(page, "authorisation").find(class_="statement")["class"]


def test_a_county_without_a_standard_is_named(tmp_path: Path, night: dict) -> None:
    manifest = copy.deepcopy(night)
    manifest["status"]["policy"]["gaps"] = ["440103"]
    page = written(manifest, [], tmp_path)
    assert "广州市荔湾区没有对应的标准" in section(page, "todo").text
    assert "广州市荔湾区" in text_of(section(page, "policy").find(class_="statement"))


def test_a_first_and_quiet_night_says_so(tmp_path: Path) -> None:
    manifest = made_up_night(TONIGHT, counties=2)
    manifest["previous"] = None
    manifest["status"]["policy"]["unconfirmed"] = 0
    manifest["details"]["quarantine_reasons"] = {}
    for one in manifest["details"]["gates"]:
        one["success"] = True
    page = written(manifest, [], tmp_path)
    assert "没有需要处理的事项" in page
    assert "无（首晚）" in page
    assert "这是第一晚" in section(page, "trend").text
    assert "本晚没有隔离的行" in section(page, "quarantine").text


def test_the_same_manifests_give_the_same_bytes_in_any_order(
    night: dict, history: list[dict], tmp_path: Path
) -> None:
    later = made_up_night(date(2026, 7, 1), counties=2)
    one = written(night, history, tmp_path)
    other = written(json.loads(json.dumps(night)), [*reversed(history), later, night], tmp_path)
    assert one == other


def test_a_province_stays_small_enough_to_send(tmp_path: Path) -> None:
    page = written(made_up_night(TONIGHT), earlier_nights(TONIGHT, 13, counties=2), tmp_path)
    assert len(page.encode()) < 400_000
    assert not re.search(r"\d{17}[\dXx]", re.sub(r"[0-9a-f]{64}", "", page))


def test_every_reason_to_hold_and_every_parameter_has_words() -> None:
    words = shipped_wording()
    assert set(words.texts["not_used"]) == {"missing", *words.codes.held_reasons.names}
    assert set(words.texts["parameters"]) == set(PARAMETERS)
    fields = {field for parameter in PARAMETERS.values() for field in parameter.fields}
    assert set(words.texts["fields"]) == fields
