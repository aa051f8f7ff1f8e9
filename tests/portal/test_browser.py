"""The desk in a real browser: every journey by mouse and keyboard, nothing refused by the page's own policy."""

from __future__ import annotations

import re

import pytest

from tests.portal.cases import case_of
from tests.portal.conftest import load_sample
from tests.portal.desks import serve_desk
from tests.portal.seats import Seat

PAGES = {
    "county": ["/", "/lists/discrepancies", "/lists/newly-eligible", "/lists/discrepancies?view=suppressed", "/cases/1", "/cases/4",
               "/cases/1/visit-form", "/people/1", "/coverage", "/upload", "/statistics", "/account/password", "/nothing"],
    "province": ["/", "/coverage", "/coverage?due=all&county=440103", "/lists/discrepancies", "/cases/1", "/statistics", "/statistics/bulletin?month=2026-06"],
    "auditor": ["/audit", "/statistics"],
    "admin": ["/users"],
}  # fmt: skip
REGIONS = {"county": "440103", "province": "44", "auditor": "44", "admin": "44"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with serve_desk(tmp_path_factory.mktemp("browser")) as served:
        load_sample(served)
        for login in ("xian1", "xian2"):
            served.hire(login, "county", "440103")
        for role in ("province", "auditor", "admin"):
            served.hire(role, role, REGIONS[role])
        yield served


def test_an_adverse_case_from_list_to_notice_by_two_officers(browser, desk):
    first, second = Seat(browser, desk, "xian1"), Seat(browser, desk, "xian2")
    first.page.get_by_role("link", name="疑似不符线索").click()
    first.page.get_by_role("link", name="440103-20260630-D-00003").click()
    case = f"/cases/{case_of(desk, 'H2').id}"
    part = first.unfold("分派")
    part.get_by_label("承办人").select_option(label="官员xian1（县级工作人员）")
    first.press("分派", part)
    part = first.unfold("入户核查")
    part.get_by_label("入户日期").fill("2026-07-01")
    for label, text in {
        "调查人员一": "甲",
        "调查人员二": "乙",
        "被访人": "户主",
        "核查情况": "见到存折",
    }.items():
        part.get_by_label(label).fill(text)
    first.press("保存入户记录", part)
    part = first.unfold("填写核查反馈")
    part.get_by_label("核查结果").select_option(label="属实")
    first.press("保存反馈", part)
    assert first.told() == "核查反馈已保存。"
    part = first.unfold("作出处理决定")
    part.get_by_label("处理决定").select_option(label="停发（终止）")
    part.get_by_label("处置分类").select_option("exit")
    part.get_by_label("理由（写明事实和判断）").fill("存款确属本人且超过标准")
    part.get_by_label("政策依据").fill("社会救助暂行办法第十三条")
    first.press("提交决定", part)
    second.open(case)
    part = second.unfold("第二人复核")
    part.get_by_label("意见").select_option("agree")
    second.press("提交复核", part)
    first.open(f"{case}/notice")
    assert "行政复议" in first.page.inner_text("article")
    first.open(case)
    part = first.unfold("登记送达")
    part.get_by_label("送达日期").fill("2026-07-01")
    part.get_by_label("送达方式").select_option("in_person")
    first.press("登记送达", part)
    assert "送达已登记" in first.told()
    assert first.complaints == [] and second.complaints == []


def test_numbers_open_one_at_a_time_and_sheets_arrive(browser, desk, tmp_path):
    seat = Seat(browser, desk, "xian1")
    seat.open("/cases/1")
    with seat.page.expect_navigation():
        seat.page.get_by_role("button", name="查看 440103-20260630-D-00001 的完整号码").click()
    assert re.search(r"990101\d{11}[\dX]", seat.page.inner_text("main"))
    seat.open("/lists/discrepancies")
    with seat.page.expect_download() as taken:
        seat.page.get_by_role("button", name="下载 XLSX").click()
    taken.value.save_as(tmp_path / "sheet.xlsx")
    seat.open("/upload")
    seat.page.get_by_label("表格（XLSX）").set_input_files(tmp_path / "sheet.xlsx")
    seat.press("上传")
    assert "收下 0 行" in seat.page.inner_text("section[role=status]")
    assert seat.complaints == []


def test_the_keyboard_alone_finds_a_case_and_the_next(browser, desk):
    seat = Seat(browser, desk, "xian1")
    seat.open("/lists/newly-eligible")
    seat.page.keyboard.press("/")
    seat.page.keyboard.type("孙七")
    with seat.page.expect_navigation():
        seat.page.keyboard.press("Enter")
    assert "孙七" not in seat.page.url and "孙七" in seat.page.inner_text("table.leads")
    seat.open("/lists/discrepancies")
    seat.page.locator("table.leads a").first.focus()
    with seat.page.expect_navigation():
        seat.page.keyboard.press("Enter")
    assert "/cases/" in seat.page.url
    with seat.page.expect_navigation():
        seat.page.keyboard.press("n")
    assert "/cases/" in seat.page.url or "/lists/" in seat.page.url


def test_every_page_is_quiet_and_fits_the_screen(browser, desk):
    """A county's old PC, and a telephone in the field."""
    for role, paths in PAGES.items():
        seat = Seat(browser, desk, "xian1" if role == "county" else role)
        for width in (1366, 390):
            seat.page.set_viewport_size({"width": width, "height": 768})
            for path in paths:
                seat.open(path)
                wide = seat.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                assert wide <= 0, (path, width, wide)
        assert [text for text in seat.complaints if "404" not in text] == []
