"""Auditors see every export and every opened number of their region, to the first one, and no more than that."""

from __future__ import annotations

from bs4 import BeautifulSoup

from portal.pages import audit_log
from tests.portal.cases import case_of, leads_of
from tests.portal.nights import publish


def rows(auditor, query=""):
    page = BeautifulSoup(auditor.get(f"/audit{query}").text, "html.parser")
    return [row.get_text(" ", strip=True) for row in page.select("[aria-label=日志] tbody tr")]


def test_the_log_is_shown_by_kind_and_page_to_its_first_entry(loaded, county, monkeypatch):
    monkeypatch.setattr(audit_log, "PAGE_ROWS", 3)
    lead = leads_of(loaded, "H1")[0]
    for _ in range(4):
        county.send(f"/cases/{lead.case_id}/reveal", {"lead": lead.id})
    county.send("/lists/discrepancies/download", {"format": "csv"})
    auditor = loaded.officer("shenji", "auditor", "44")
    first, second = rows(auditor, "?kind=seen"), rows(auditor, "?kind=seen&page=2")
    assert (len(first), len(second)) == (3, 1) and "查看完整号码" in second[0] and "xian1" in second[0]
    assert ["下载清单" in row for row in rows(auditor, "?kind=out")] == [True]
    assert rows(auditor, "?kind=explained") == ["没有这类记录。"]
    assert auditor.get("/audit?kind=%27&page=x").status_code == 200


def test_an_auditor_of_a_county_sees_nothing_of_another(loaded, county):
    far = loaded.officer("far", "county", "440104")
    county.done(case_of(loaded, "H1").id, "note", {"body": "已联系"})
    far.done(case_of(loaded, "F1").id, "note", {"body": "已联系"})
    told = " ".join(rows(loaded.officer("shen3", "auditor", "440104")))
    assert "county=440104" in told and "far" in told
    assert "county=440103" not in told and "xian1" not in told


def test_the_report_of_every_night_is_reached_however_many_there_are(loaded, monkeypatch):
    monkeypatch.setattr("portal.pages.audit._NIGHTS_IN_FULL", 1)
    loaded.load(publish(loaded.home, loaded.ring, "2026-07-01"))
    page = loaded.officer("shenji", "auditor", "44").get("/audit").text
    assert 'href="/audit/nights/2026-07-01"' in page and 'href="/audit/nights/2026-06-30"' in page
    assert "更早的 1 夜" in page
