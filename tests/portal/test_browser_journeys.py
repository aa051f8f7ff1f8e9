"""Every further journey of an officer, an auditor and an administrator in a real browser."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from portal.auth import totp
from portal.settings import SingleSignOn
from tests.portal.cases import case_of, leads_of, served_stop
from tests.portal.conftest import load_sample
from tests.portal.desks import serve_desk
from tests.portal.oidc_provider import CLIENT, SECRET, serve_provider
from tests.portal.seats import Seat


@pytest.fixture
def seat(browser, loaded):
    """Officer xian1 of the county at a screen; nothing may be refused by the page's own policy."""
    loaded.officer("xian1", "county", "440103")
    seated = Seat(browser, loaded, "xian1")
    yield seated
    assert seated.complaints == []


def test_the_second_factor_is_bound_and_asked(browser, loaded):
    loaded.hire("new1", "county", "440103", totp_needed=True)
    seat = Seat(browser, loaded, "new1")
    seat.press("生成密钥")
    key = base64.b32decode(seat.page.locator("code.secret").first.inner_text().replace(" ", ""))

    def type_code():
        seat.page.locator("input[name=code]").fill(totp.code_at(key, totp.step_at(loaded.clock())))
        with seat.page.expect_navigation():
            seat.page.keyboard.press("Enter")

    type_code()
    assert seat.page.get_by_role("link", name="疑似不符线索").count() == 1
    seat.press("退出")
    seat.open("/sign-in")
    seat.sign_in("new1")
    assert seat.page.url.endswith("/sign-in/code")
    loaded.clock.forward(seconds=60)
    type_code()
    assert seat.page.get_by_role("link", name="疑似不符线索").count() == 1 and seat.complaints == []


def test_the_provinces_sign_on_from_another_site(browser, tmp_path):
    """The browser takes the desk (localhost) and the province (127.0.0.1) for two sites, as they are."""
    with serve_provider() as provider:
        service = SingleSignOn(provider.issuer, CLIENT, SECRET)
        with serve_desk(tmp_path, sign_on=service) as served:
            load_sample(served)
            served.hire("xian1", "county", "440103")
            seat = Seat(
                browser, replace(served, address=served.address.replace("127.0.0.1", "localhost")), ""
            )
            seat.page.get_by_role("link", name="使用省统一身份认证登录").click()
            seat.page.get_by_role("link", name="疑似不符线索").wait_for()
            seat.open("/lists/discrepancies")
            assert "张三" in seat.text() and "赵六" not in seat.text() and seat.complaints == []


def test_filters_stay_in_the_address_and_the_counts_are_the_rows(seat):
    seat.open(f"/cases/{case_of(seat.desk, 'H1').id}")
    seat.fill("分派", "分派", {"承办人": "官员xian1（县级工作人员）"})
    seat.open("/lists/discrepancies")
    seat.page.get_by_label("承办人").select_option(label="官员xian1（县级工作人员）")
    seat.page.get_by_label("规则").select_option("A01")
    seat.press("筛选")
    assert "rule=A01" in seat.page.url and re.search(r"assignee=\d+", seat.page.url)
    seat.page.reload()
    assert seat.page.locator("table.leads tbody tr").count() == 1
    assert seat.page.locator("nav.tabs a[aria-current] b").inner_text() == "1"


def test_a_finding_is_explained_and_the_explanation_taken_back(seat):
    case = f"/cases/{case_of(seat.desk, 'H2').id}"
    seat.open(case)
    seat.fill(
        "作出说明，事实不变不再提示", "保存说明", {"情况": "属实但未超过标准", "说明及依据": "扣除就业成本"}
    )
    assert "扣除就业成本" in seat.text()
    seat.open("/lists/discrepancies?view=suppressed")
    assert seat.page.locator("table.leads tbody tr").count() == 1
    seat.open(case)
    seat.fill("撤销说明", "撤销，恢复待办", {})
    seat.open("/lists/discrepancies?view=suppressed")
    assert "这个范围内没有线索" in seat.text()


def test_an_objection_is_taken_rechecked_and_upheld(browser, loaded, seat, second):
    case = f"/cases/{served_stop(loaded, loaded.officers['xian1'], second)}"
    seat.open(case)
    seat.fill("受理异议", "受理", {"提出日期": "2026-07-01", "异议理由": "是亲戚的钱"})
    loaded.hire("xian3", "county", "440103")
    other = Seat(browser, loaded, "xian3")
    other.open(case)
    other.fill("异议复查结论", "提交结论", {"结论": "异议成立，撤销原决定", "复查情况": "代存，有协议"})
    assert "退回补核" in other.text() and "已撤销" in other.text() and other.complaints == []


def test_referral_note_and_attachment(seat, tmp_path):
    paper = tmp_path / "证明.pdf"
    paper.write_bytes(b"%PDF-1.7 x")
    seat.open(f"/cases/{case_of(seat.desk, 'H1').id}")
    seat.fill("转办其他部门", "转办", {"部门": "税务", "转办事项": "请核对三月申报"})
    part = seat.page.locator(".record", has_text="请核对三月申报")
    part.get_by_label("部门答复").fill("系误报，已更正")
    seat.press("登记答复", part)
    seat.fill("备注", "保存备注", {"备注": "电话联系过"})
    part = seat.unfold("附件")
    part.locator("input[type=file]").set_input_files(paper)
    seat.press("上传", part)
    text = seat.text()
    assert "系误报，已更正" in text and "电话联系过" in text
    with seat.page.expect_download() as taken:
        seat.page.get_by_role("link", name="证明.pdf").click()
    assert Path(taken.value.path()).read_bytes() == paper.read_bytes()


def test_a_family_that_may_qualify_is_told_and_applies(seat):
    seat.open("/lists/newly-eligible")
    seat.page.locator("table.leads a").first.click()
    for result in ("已联系告知政策", "已签授权书", "已提出申请"):
        seat.fill("联系情况", "登记", {"结果": result, "联系日期": "2026-07-01"})
    assert case_of(seat.desk, "C1").outcome == "applied" and "已办结" in seat.text()


def test_a_sheet_is_filled_in_offline_and_brought_back(seat, tmp_path):
    seat.open("/lists/discrepancies")
    with seat.page.expect_download() as taken:
        seat.page.get_by_role("button", name="下载 XLSX").click()
    taken.value.save_as(tmp_path / "sheet.xlsx")
    book = openpyxl.load_workbook(tmp_path / "sheet.xlsx")
    sheet = book["线索"]
    head = {cell.value: cell.column for cell in sheet[1]}
    for line in range(2, sheet.max_row + 1):
        sheet.cell(line, head["填写：核查反馈"]).value = "属实"
    sheet.cell(2, head["核对值"]).value = "1.00元"
    book.save(tmp_path / "filled.xlsx")
    seat.open("/upload")
    seat.page.get_by_label("表格（XLSX）").set_input_files(tmp_path / "filled.xlsx")
    seat.press("上传")
    assert "收下 2 行，退回 1 行" in seat.text() and "内容在下载后被改动过" in seat.text()


def test_dossier_and_the_yearly_visit(seat):
    seat.open(f"/cases/{case_of(seat.desk, 'H1').id}")
    seat.page.get_by_role("link", name="一人一档案").first.click()
    assert "历次核对的变化" in seat.text() and "张三" in seat.text()
    seat.open("/coverage?due=all")
    seat.page.get_by_role("link", name="H2", exact=True).click()
    seat.fill(
        "登记每年入户",
        "保存入户记录",
        {"入户日期": "2026-07-01", "调查人员一": "甲", "调查人员二": "乙", "核查情况": "在家"},
    )
    assert "2026-07-01 每年入户：在家" in seat.text()


def test_the_province_reads_figures_and_the_bulletin(browser, loaded):
    loaded.hire("sheng", "province", "44")
    seat = Seat(browser, loaded, "sheng")
    seat.page.get_by_role("link", name="统计通报").click()
    seat.press("打开通报")
    assert "核对工作通报" in seat.text() and seat.complaints == []


def test_the_auditor_verifies_the_chain_and_traces_a_row(browser, loaded, county):
    sheet = county.send("/lists/discrepancies/download", {"format": "csv"}).content.decode("utf-8-sig")
    lead = leads_of(loaded, "H1")[0]
    county.send(f"/cases/{lead.case_id}/reveal", {"lead": lead.id})
    loaded.hire("shenji", "auditor", "44")
    seat = Seat(browser, loaded, "shenji")
    seat.open("/audit")
    seat.page.get_by_label("行校验码或下载标记").fill(sheet.splitlines()[1].split(",")[-2])
    seat.press("追查")
    assert "官员xian1（xian1）" in seat.told()
    seat.press("核验整条日志")
    assert "日志完整" in seat.told()
    assert "查看完整号码" in seat.text() and "张三" not in seat.text() and seat.complaints == []


def test_the_administrator_makes_an_account(browser, loaded):
    loaded.hire("guanli", "admin", "44")
    seat = Seat(browser, loaded, "guanli")
    seat.open("/users")
    for label, value in {"登录名": "zhen1", "姓名": "镇一", "管辖范围（区划代码）": "440103001"}.items():
        seat.page.get_by_label(label).fill(value)
    seat.page.get_by_label("角色").select_option("township")
    seat.press("新增")
    assert "zhen1 的初始密码" in seat.told() and seat.complaints == []
