"""Every moment people read is Beijing time, with the zone said."""

from __future__ import annotations

from datetime import UTC, date, datetime

import openpyxl
import pytest

from pipelines.beijing import beijing_day, beijing_text
from pipelines.export import export_list
from tests.publish.night_builder import AS_OF, publish


def test_a_moment_is_told_in_beijing_time_with_its_zone():
    assert beijing_text("2026-06-30T17:30:05+00:00") == "2026-07-01 01:30:05（北京时间）"
    assert beijing_text(datetime(2026, 6, 30, 16, tzinfo=UTC)) == "2026-07-01 00:00:00（北京时间）"
    assert beijing_day(datetime(2026, 6, 30, 16, tzinfo=UTC)) == date(2026, 7, 1)
    with pytest.raises(ValueError, match="zone"):
        beijing_text("2026-06-30T17:30:05")


def test_a_workbook_says_when_it_was_taken_in_beijing_time(home, ring, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    publish(home, ring, discrepancies=[{}])
    file = tmp_path / "list.xlsx"
    export_list(home, ring, "discrepancies", AS_OF, "xlsx", file, actor="张工", reason="核查")
    notes = dict(openpyxl.load_workbook(file)["说明"].iter_rows(values_only=True))
    assert notes["导出时间"].endswith("（北京时间）")
