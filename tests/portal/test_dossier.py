"""一人一档案."""

from __future__ import annotations

from tests.portal.cases import leads_of
from tests.portal.nights import lead, number, publish


def test_the_dossier_of_one_among_very_many_leads_opens(desk):
    """More leads than a page shows: the newest are shown, and the one that was asked for."""
    rows = [
        lead("H1", "D01", id=number(at), name=f"成员{at}", no=f"440103-20260630-D-{at:05d}")
        for at in range(1, 306)
    ]
    desk.load(publish(desk.home, desk.ring, "2026-06-30", rows))
    county = desk.officer("xian1", "county", "440103")
    leads = leads_of(desk, "H1")
    for asked in (leads[0], leads[-1]):
        page = county.get(f"/people/{asked.id}")
        assert page.status_code == 200 and page.text.count(asked.lead_no) == 1
        assert leads[-2].lead_no in page.text
