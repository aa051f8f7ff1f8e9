"""Cremation, detention, marriage, education and disability certificates: who is judged, on both sides of every edge.

The night is that of 2026-06-30.
"""

from __future__ import annotations

from typing import Any

import pytest

from .worlds import Case, Home, Member, case_test, judged, row, setting, two, with_policy

DEPARTMENTS = ("cremation", "detention", "marriage", "education", "disability_certificates")


def one(source: str, home: dict[str, Any] | None = None, member: Member | None = None, **cells: Any) -> Home:
    """A household of one member with one row of a department."""
    how = cells.pop("how", "exact")
    return Home(rows=(row(source, how=how, **cells),), members=(member or Member(),), **(home or {}))


def disabled(grade: str | None = "2", category: str | None = "肢体") -> Member:
    return Member(grade=grade, category=category)


CASES: dict[str, dict[str, Case]] = {
    "D04": {
        "cremated today": (one("cremation", cremated_on="2026-06-30", died_on=None), 1),
        "cremated long ago": (one("cremation", cremated_on="2019-01-01"), 1),
        "cremated tomorrow": (one("cremation", cremated_on="2026-07-01"), None),
        "two certificates": (two(row("cremation"), row("cremation", certificate_no="d")), 2),
        "the same certificate twice": (two(row("cremation"), row("cremation", cremated_on="2026-06-04")), 1),
        "another's name": (one("cremation", how="name_conflict"), None),
        "a mistyped number": (one("cremation", how="repaired"), None),
        "tekun too": (one("cremation", {"programme": "特困"}), 1),
        "no household of the roster": (one("cremation", {"list": "monitored"}), None),
    },
    "D05": {
        "entered today": (one("detention", entered_on="2026-06-30"), 1),
        "enters tomorrow": (one("detention", entered_on="2026-07-01"), None),
        "left today": (one("detention", left_on="2026-06-30", left_how="刑满释放"), None),
        "leaves tomorrow": (one("detention", left_on="2026-07-01"), 1),
        "on parole": (one("detention", left_on="2026-01-01", left_how="假释"), None),
        "serves outside": (one("detention", left_on="2026-01-01", left_how="暂予监外执行"), None),
        "due today": (one("detention", due_on="2026-06-30"), 1),
        "due yesterday, nothing heard": (one("detention", due_on="2026-06-29"), None),
        "due yesterday, leaves tomorrow": (one("detention", due_on="2026-06-29", left_on="2026-07-01"), 1),
        "detoxification": (one("detention", custody_kind="强制隔离戒毒"), 1),
        "left and entered again": (
            two(row("detention", left_on="2025-06-01"), row("detention", custody_no="d")),
            1,
        ),
    },
    "H02": {
        "married within the year": (one("marriage", registered_on="2025-07-01"), 1),
        "married a year ago": (one("marriage", registered_on="2025-06-30"), None),
        "married today": (one("marriage", registered_on="2026-06-30"), 1),
        "spouse in the household": (two(row("marriage"), row("marriage", member=1)), None),
        "spouse in the household under another name": (
            two(row("marriage"), row("marriage", 1, "name_conflict")),
            None,
        ),
        "two members married to others": (
            two(row("marriage"), row("marriage", member=1, certificate_no="n")),
            1,
        ),
        "divorced since": (
            two(
                row("marriage"),
                row("marriage", certificate_no="n", registration_kind="离婚", registered_on="2026-03-02"),
            ),
            None,
        ),
        "married again after a divorce": (
            two(
                row("marriage"),
                row("marriage", certificate_no="n", registration_kind="离婚", registered_on="2026-02-28"),
            ),
            1,
        ),
        "married and divorced on one day": (
            two(row("marriage"), row("marriage", certificate_no="n", registration_kind="离婚")),
            None,
        ),
        "dibao margin": (one("marriage", {"programme": "低保边缘"}), 1),
        "tekun is another household": (one("marriage", {"programme": "特困"}), None),
        "an unread member": (one("marriage", {"quarantined": 1}), None),
        "a member nobody can be found by": (
            two(row("marriage"), members=(Member(), Member(is_valid=False))),
            None,
        ),
        "an obligor is the spouse": (
            two(row("marriage"), members=(Member(), Member(role="obligor", relation="10"))),
            None,
        ),
        "an obligor is a son": (
            two(row("marriage"), members=(Member(), Member(role="obligor", relation="20"))),
            1,
        ),
        "covered alone for a severe disability": (one("marriage", member=disabled("2")), None),
        "alone with a light disability": (one("marriage", member=disabled("3")), 1),
        "severely disabled, not alone": (two(row("marriage"), members=(disabled("2"), Member())), 1),
    },
    "H03": {
        "divorced from each other": (
            two(
                *(
                    row("marriage", place, registration_kind="离婚", registered_on="2001-01-01")
                    for place in (0, 1)
                )
            ),
            1,
        ),
        "divorced today": (
            two(
                *(
                    row("marriage", place, registration_kind="离婚", registered_on="2026-06-30")
                    for place in (0, 1)
                )
            ),
            1,
        ),
        "divorced tomorrow": (
            two(
                *(
                    row("marriage", place, registration_kind="离婚", registered_on="2026-07-01")
                    for place in (0, 1)
                )
            ),
            None,
        ),
        "married to each other": (two(row("marriage"), row("marriage", 1)), None),
        "only one of them lives here": (two(row("marriage", registration_kind="离婚")), None),
        "divorced from others": (
            two(
                row("marriage", registration_kind="离婚"),
                row("marriage", 1, registration_kind="离婚", certificate_no="n"),
            ),
            None,
        ),
        "married each other again": (
            two(
                *(row("marriage", place, registration_kind="离婚") for place in (0, 1)),
                *(row("marriage", place, certificate_no="n", registered_on="2026-03-02") for place in (0, 1)),
            ),
            None,
        ),
        "one of them married somebody since": (
            two(
                *(row("marriage", place, registration_kind="离婚") for place in (0, 1)),
                row("marriage", certificate_no="n", registered_on="2026-03-02"),
            ),
            None,
        ),
        "tekun is one person": (
            two(*(row("marriage", place, registration_kind="离婚") for place in (0, 1)), programme="特困"),
            None,
        ),
    },
    "G01": {
        "valid until today": (
            one("disability_certificates", member=disabled(), valid_until="2026-06-30"),
            None,
        ),
        "valid until yesterday": (
            one("disability_certificates", member=disabled(), valid_until="2026-06-29"),
            1,
        ),
        "valid for ever": (one("disability_certificates", member=disabled()), None),
        "frozen": (one("disability_certificates", member=disabled(), certificate_state="冻结"), 1),
        "cancelled": (one("disability_certificates", member=disabled(), certificate_state="注销"), 1),
        "in force from today": (
            one("disability_certificates", member=disabled(), issued_on="2026-06-30"),
            None,
        ),
        "in force from tomorrow": (
            one("disability_certificates", member=disabled(), issued_on="2026-07-01"),
            1,
        ),
        "a new one in force": (
            Home(
                rows=(
                    row("disability_certificates", certificate_state="注销"),
                    row("disability_certificates", certificate_no="y"),
                ),
                members=(disabled(),),
            ),
            None,
        ),
        "two and none in force": (
            Home(
                rows=(
                    row("disability_certificates", certificate_state="注销"),
                    row("disability_certificates", certificate_no="y", valid_until="2020-01-01"),
                ),
                members=(disabled(),),
            ),
            2,
        ),
        "the roster says nothing": (one("disability_certificates", valid_until="2026-06-29"), None),
        "no certificate at all": (Home(members=(disabled(),)), None),
    },
    "G02": {
        "the same": (one("disability_certificates", member=disabled()), None),
        "a heavier grade": (one("disability_certificates", member=disabled("3")), 2),
        "a lighter grade": (one("disability_certificates", member=disabled("1")), 2),
        "another category": (one("disability_certificates", member=disabled("2", "智力")), 2),
        "the roster names a category alone": (
            one("disability_certificates", member=disabled(None, "智力")),
            None,
        ),
        "issued today": (
            one("disability_certificates", member=disabled("3"), issued_on="2026-06-30"),
            2,
        ),
        "issued tomorrow": (
            one("disability_certificates", member=disabled("3"), issued_on="2026-07-01"),
            None,
        ),
        "differs, valid until today": (
            one("disability_certificates", member=disabled("3"), valid_until="2026-06-30"),
            2,
        ),
        "differs, but frozen": (
            one("disability_certificates", member=disabled("3"), certificate_state="冻结"),
            None,
        ),
        "the roster names no category": (one("disability_certificates", member=disabled("2", None)), None),
        "the roster says nothing": (one("disability_certificates"), None),
        "differs, but expired": (
            one("disability_certificates", member=disabled("3"), valid_until="2026-06-29"),
            None,
        ),
        "the latest certificate counts": (
            Home(
                rows=(
                    row("disability_certificates"),
                    row("disability_certificates", certificate_no="y", grade="3", issued_on="2026-01-01"),
                ),
                members=(disabled("3"),),
            ),
            None,
        ),
    },
    # Nobody has published a time of grace: silent until a county turns it on.
    "T01": {"left school": (one("education"), None)},
}


@pytest.fixture(scope="module")
def leads() -> dict[tuple[str, str], Any]:
    return judged(CASES, *DEPARTMENTS)


test_a_case_has_its_lead_or_none = case_test(CASES)


def test_the_evidence_tells_dates_and_no_stranger(leads: dict[tuple[str, str], Any]) -> None:
    assert "2026年06月30日火化" in leads["D04", "D04 cremated today"][1]
    assert "2026年09月30日前办结" in leads["D04", "D04 cremated today"][1]
    assert "户籍登记尚未显示死亡" in leads["D04", "D04 cremated today"][1]
    assert "配偶未列入名册" in leads["H02", "H02 married today"][1]
    assert "残疾人证登记肢体2级" in leads["G02", "G02 a heavier grade"][1]


SCHOOL: dict[str, dict[str, Case]] = {
    "T01": {
        "left six months ago": (one("education", left_on="2025-12-30"), 1),
        "left a day less than six months ago": (one("education", left_on="2026-01-01"), None),
        "left a day less than two years ago": (one("education", left_on="2024-07-01"), 1),
        "left two years ago": (one("education", left_on="2024-06-30"), None),
        "dropped out": (one("education", enrolment_state="退学"), 1),
        "still there": (one("education", enrolment_state="在读", left_on=None), None),
        "on leave": (one("education", enrolment_state="休学", left_on=None), None),
        "studies further": (
            Home(
                rows=(
                    row("education"),
                    row(
                        "education",
                        student_no="f",
                        enrolment_state="在读",
                        enrolled_on="2025-09-01",
                        left_on=None,
                    ),
                )
            ),
            None,
        ),
        "enrols today": (
            Home(
                rows=(
                    row("education"),
                    row(
                        "education",
                        student_no="f",
                        enrolment_state="在读",
                        enrolled_on="2026-06-30",
                        left_on=None,
                    ),
                )
            ),
            None,
        ),
        "eighteen": (one("education", member=Member(age=18)), 1),
        "seventeen": (one("education", member=Member(age=17)), None),
        "fifty-nine": (one("education", member=Member(age=59)), 1),
        "sixty": (one("education", member=Member(age=60)), None),
        "disabled": (one("education", member=disabled("4")), None),
        "severely ill": (one("education", member=Member(severe_illness="是")), None),
        "tekun": (one("education", {"programme": "特困"}), None),
        "a county that has not turned it on": (
            one("education", {"county": "440104", "township": "440104001"}),
            None,
        ),
        "a township that has turned it off": (one("education", {"township": "440103009"}), None),
    }
}


@pytest.fixture(scope="module")
def school_leads(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Any]:
    policy = with_policy(
        tmp_path_factory.mktemp("policy"),
        setting("T01", "grace_months", 6),
        setting("T01", "look_back_months", 24),
        setting("T01", "grace_months", 6, region="440103009", switch="off"),
    )
    return judged(SCHOOL, *DEPARTMENTS, policy=policy)


test_a_county_that_has_set_its_time_of_grace_is_told_who_left_school = case_test(SCHOOL, "school_leads")
