"""Tables in the pages that repeat a closed list of the program repeat all of it."""

from __future__ import annotations

import re
from typing import get_args

from connectors.contract import ColumnType
from pipelines.identity.keyring import DEVELOPMENT_RING
from pipelines.intake.receipts import HELD_REASONS
from pipelines.manifest import ANNOUNCED, CONFIRMED
from pipelines.retention import DELETED, SHIPPED, read_keeping
from pipelines.verify import RETIRED
from tests.docs.pages import ROOT, text_of

DOCS = ROOT / "docs"


def section(page, heading):
    return text_of(DOCS / page).split(f"\n## {heading}\n")[1].split("\n## ")[0]


def first_cells(text):
    """Code words in the first cells of tables, headers not counted."""
    lines = text.splitlines()
    rows = [row for row, after in zip(lines, [*lines[1:], ""], strict=True) if not after.startswith("|--")]
    return {
        cell for row in rows if row.startswith("| `") for cell in re.findall(r"`([^`]+)`", row.split("|")[1])
    }


def test_every_reason_to_hold_a_source_has_its_row():
    assert first_cells(section("operator.md", "A source is not accepted")) == {"missing", *HELD_REASONS}


def test_every_column_type_has_its_row():
    assert first_cells(section("data-engineer.md", "From contract to evidence")) == set(get_args(ColumnType))


def test_every_entry_of_the_audit_log_has_its_row():
    written = {ANNOUNCED, CONFIRMED, DELETED, RETIRED, "mend"}
    for room in ("pipelines", "dags", "connectors"):
        for path in (ROOT / room).rglob("*.py"):
            told = path.read_text(encoding="utf-8")
            if "AuditLog(" in told:
                written |= set(re.findall(r"\.append\(\s*\"([a-z_]+)\",", told))
    assert {"export", "household_check", "deadline_missed"} <= written
    assert written <= first_cells(section("auditor.md", "审计日志的记录"))


def test_every_section_of_the_report_has_its_row():
    template = (ROOT / "pipelines" / "report" / "templates" / "report.html").read_text(encoding="utf-8")
    numerals = re.findall(r'heading\("[a-z]+", "([一二三四五六七八九十]+)"', template)
    assert len(numerals) > 5
    rows = [
        row.split("|")[1].split()
        for row in section("auditor.md", "质量报告，逐节").splitlines()
        if row.startswith("| ")
    ]
    assert [row[0] for row in rows if row[0] in numerals] == numerals


def test_periods_are_those_of_the_retention_table(today):
    keep = read_keeping(SHIPPED, today)
    table = section("operator.md", "What is deleted when")
    assert f"| unfinished work | {keep['unfinished_work'].days} day" in table
    assert f"{keep['evidence'].days} days" in table and keep["evidence"].days == keep["household_check"].days
    assert keep["night"].days == 3 * 365 + 1 and "3 years" in table
    assert f"| {keep['airflow_log'].days} days |" in table
    assert keep["audit_log"].days is None and "for ever" in table


def test_the_development_ring_has_the_name_the_pages_give_it():
    assert DEVELOPMENT_RING in text_of(DOCS / "operator.md")
    assert DEVELOPMENT_RING in text_of(DOCS / "architecture.md")


def test_every_exit_status_has_its_row():
    from pipelines import cli

    statuses = {cli.DONE, cli.FAILED, cli.WRONG_ARGUMENTS, cli.SOURCE_NOT_ACCEPTED}
    rows = section("operator.md", "Read the closing table").split("| exit status |")[1].splitlines()
    assert {int(row.split("|")[1]) for row in rows if re.match(r"\| \d", row)} == statuses
