"""Close relatives and credit commitments: what the registers of civil affairs themselves say, on both sides."""

from __future__ import annotations

from typing import Any

import pytest

from .worlds import Case, Member, case_test, home, judged, row


def kin(**cells: Any) -> Any:
    return row("close_relatives", **cells)


def promise(member: int = 0, **cells: Any) -> Any:
    return row("credit_commitments", member, **cells)


def record(**cells: Any) -> Any:
    return promise(**{"entry_kind": "失信记录", **cells})


CASES: dict[str, dict[str, Case]] = {
    "K01": {
        "not filed": (home(kin()), 1),
        "filed today": (home(kin(filed_on="2026-06-30", filing_no="n")), None),
        "filed tomorrow": (home(kin(filed_on="2026-07-01")), 1),
        "known today": (home(kin(known_on="2026-06-30")), 1),
        "known tomorrow": (home(kin(known_on="2026-07-01")), None),
        "ended today": (home(kin(ended_on="2026-06-30")), None),
        "ended tomorrow": (home(kin(ended_on="2026-07-01")), 1),
        "a distant relative": (home(kin(kinship="其他")), None),
        "two officers": (home(kin(), kin(staff_no="l", staff_kind="社会救助经办人员")), 2),
        "one of two filed": (home(kin(), kin(staff_no="l", filed_on="2026-01-02")), 1),
        "another's name": (home(row("close_relatives", how="name_conflict")), None),
        "every programme": (home(kin(), programme="刚性支出"), 1),
        "outside the policy's province": (home(kin(), county="450103", township="450103001"), None),
    },
    "Y01": {
        "valid until today": (home(promise(valid_until="2026-06-30")), None),
        "valid until yesterday": (home(promise(valid_until="2026-06-29")), 1),
        "open": (home(promise()), None),
        "withdrawn": (home(promise(entry_state="已撤销")), 1),
        "made today": (home(promise(made_on="2026-06-30")), None),
        "renewed": (home(promise(valid_until="2026-06-29"), promise(document_no="e")), None),
        "another member's holds": (
            home(promise(valid_until="2026-06-29"), promise(1, document_no="e"), members=(Member(), Member())),
            None,
        ),
        "two and none in force": (home(promise(entry_state="已撤销"), promise(document_no="e", valid_until="2026-01-01")), 2),
        "none recorded": (home(), None),
        "made and withdrawn today": (home(promise(made_on="2026-06-30", entry_state="已撤销")), 1),
        "made tomorrow and withdrawn": (home(promise(made_on="2026-07-01", entry_state="已撤销")), None),
        "a dishonesty record is no commitment": (home(record(valid_until="2026-06-29")), None),
    },
    "Y02": {
        "in force": (home(record()), 1),
        "valid until today": (home(record(valid_until="2026-06-30")), 1),
        "valid until yesterday": (home(record(valid_until="2026-06-29")), None),
        "repaired": (home(record(entry_state="已修复")), None),
        "withdrawn": (home(record(entry_state="已撤销")), None),
        "repaired today, still marked in force": (home(record(repaired_on="2026-06-30")), None),
        "repaired tomorrow": (home(record(repaired_on="2026-07-01")), 1),
        "made today": (home(record(made_on="2026-06-30")), 1),
        "made tomorrow": (home(record(made_on="2026-07-01")), None),
        "two": (home(record(), record(document_no="e")), 2),
        "a commitment is no record": (home(promise()), None),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def leads() -> dict[tuple[str, str], Any]:
    return judged(CASES, "close_relatives", "credit_commitments")


test_a_case_has_its_lead_or_none = case_test(CASES)


def test_a_relative_is_told_without_the_officer(leads: dict[tuple[str, str], Any]) -> None:
    assert leads["K01", "K01 two officers"][1] == (
        "登记簿显示该成员是村居委会成员、社会救助经办人员的近亲属（子女），尚无备案记录。"
    )
