"""What the gates let through and what they do not."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from decimal import Decimal

import pandas as pd
import pytest

from expectations.frames import FrameError
from expectations.gate import Outcome, judge
from expectations.suites import STAGES, stage_suites
from tests.expectations.summary_frames import disturbed, quiet_night

# stage, table, expectation, the last good row, the first bad one
CRITICAL_EDGES = [
    (
        "intake",
        "sources",
        "received_is_accounted_for",
        {"received": 1000},
        {"received": 1001, "receipt_rows": 1001},
    ),
    ("intake", "sources", "received_equals_receipt", {"receipt_rows": 1000}, {"receipt_rows": 999}),
    (
        "intake",
        "sources",
        "quarantined_share_within_limit",
        {"share_quarantined": 0.05},
        {"share_quarantined": 51 / 1000},
    ),
    ("intake", "sources", "snapshot_is_fresh", {"age_days": 45}, {"age_days": 46}),
    ("intake", "sources", "snapshot_is_not_from_the_future", {"age_days": 0}, {"age_days": -1}),
    (
        "link",
        "sources",
        "nothing_used_without_authorisation",
        {"unauthorised": 690},
        {"used_without_authorisation": 1},
    ),
    ("link", "sources", "linked_within_accepted", {"linked": 990}, {"linked": 991}),
    ("link", "sources", "duplicate_within_linked", {"duplicate": 300}, {"duplicate": 301}),
    ("link", "sources", "evidence_sums_close", {"evidence_rows": 1}, {"evidence_sum": 9_007_199_254_740_992}),
    ("assess", "leads", "lead_belongs_to_a_household", {"households_unknown": 0}, {"households_unknown": 1}),
    ("assess", "leads", "no_lead_from_a_held_source", {"from_held_source": 0}, {"from_held_source": 1}),
    ("publish", "lists", "states_add_up", {"new": 0, "changed": 4}, {"new": 0}),
    ("publish", "lists", "lead_numbers_are_unique", {"distinct_numbers": 15}, {"distinct_numbers": 14}),
]
WARNING_EDGES = [
    ("intake", "sources", "source_is_there", {}, {"state": "missing"}),
    ("intake", "sources", "freshness_is_comfortable", {"age_days": 36}, {"age_days": 37}),
    ("intake", "sources", "no_unlisted_files", {}, {"unlisted_files": 1}),
    ("intake", "reasons", "reason_share_is_steady", {"share": 0.0249}, {"share": 0.0251}),
    ("intake", "codes", "code_distribution_is_steady", {"share": 0.79}, {"share": 0.81}),
    ("intake", "volumes", "volume_is_steady", {"received": 450}, {"received": 449}),
    ("link", "sources", "something_linked", {"linked": 3}, {"linked": 0, "duplicate": 0}),
    ("assess", "leads", "lead_count_is_steady", {"count": 126}, {"count": 127}),
    ("assess", "policy", "policy_figures_are_confirmed", {}, {"unconfirmed": 1}),
    ("assess", "policy", "every_county_has_a_standard", {}, {"gaps": 1}),
]
HOLD_REASON = {
    "received_equals_receipt": "receipt_mismatch",
    "quarantined_share_within_limit": "too_many_bad_rows",
    "snapshot_is_fresh": "stale",
    "snapshot_is_not_from_the_future": "stale",
}
CANARY = "11010519491231002X"


def failed(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {one.expectation: one for one in outcomes if not one.success}


@pytest.mark.parametrize("stage", STAGES)
def test_an_undisturbed_night_passes_every_expectation_once(stage: str) -> None:
    outcomes = judge(stage, quiet_night(stage))
    declared = [one.id for suite in stage_suites(stage) for one in suite.expectations]
    assert [one.expectation for one in outcomes] == declared
    assert not failed(outcomes)


def test_the_edges_below_are_those_of_every_expectation_there_is() -> None:
    for severity, edges in (("critical", CRITICAL_EDGES), ("warning", WARNING_EDGES)):
        declared = {
            (stage, suite.table, one.id)
            for stage in STAGES
            for suite in stage_suites(stage)
            for one in suite.expectations
            if one.severity == severity
        }
        assert declared == {edge[:3] for edge in edges}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(("severity", "edges"), [("critical", CRITICAL_EDGES), ("warning", WARNING_EDGES)])
def test_every_expectation_holds_at_its_edge(stage: str, severity: str, edges: list) -> None:
    frames = quiet_night(stage)
    for number, (_, table, _, good, _) in enumerate(edge for edge in edges if edge[0] == stage):
        frame = frames[table]
        for column, value in good.items():
            frame[column] = frame[column].astype(object)
            frame.loc[number % len(frame), column] = value
    assert severity not in {one.severity for one in failed(judge(stage, frames)).values()}


@pytest.mark.parametrize(
    ("stage", "table", "expectation", "bad"), [(*edge[:3], edge[4]) for edge in CRITICAL_EDGES]
)
def test_a_critical_expectation_holds_the_source_or_stops_the_night(stage, table, expectation, bad) -> None:
    outcome = failed(judge(stage, disturbed(stage, table, 0, **bad)))[expectation]
    assert outcome.severity == "critical"
    if expectation in HOLD_REASON:
        assert (outcome.source, outcome.reason) == ("banks", HOLD_REASON[expectation])
        assert outcome.holds
        assert not outcome.stops
    else:
        assert (outcome.source, outcome.reason) == ("", "")
        assert outcome.stops
        assert not outcome.holds


@pytest.mark.parametrize(
    ("stage", "table", "expectation", "bad"), [(*edge[:3], edge[4]) for edge in WARNING_EDGES]
)
def test_a_warning_neither_holds_nor_stops(stage, table, expectation, bad) -> None:
    outcome = failed(judge(stage, disturbed(stage, table, 0, **bad)))[expectation]
    assert outcome.severity == "warning"
    assert not outcome.holds
    assert not outcome.stops


def test_only_the_failing_sources_are_named() -> None:
    frames = disturbed("intake", "sources", 1, age_days=90)
    frames["sources"].loc[2, "age_days"] = 400
    held = {one.source: one.reason for one in judge("intake", frames) if one.holds}
    assert held == {"roster": "stale", "tax": "stale"}


def test_a_source_with_an_empty_cell_is_named_beside_one_with_a_bad_figure() -> None:
    frames = disturbed("intake", "sources", 0, age_days=None)
    frames["sources"].loc[1, "age_days"] = 90
    assert {one.source for one in judge("intake", frames) if one.holds} == {"banks", "roster"}


def test_a_source_already_held_or_missing_is_not_judged_again() -> None:
    nothing = {"received": 0, "accepted": 0, "quarantined": 0, "share_quarantined": 0.0}
    frames = disturbed("intake", "sources", 0, state="held", reason="stale", age_days=400, **nothing)
    for column, value in {"state": "missing", "receipt_rows": None, "age_days": None, **nothing}.items():
        frames["sources"].loc[1, column] = value
    assert not [one for one in judge("intake", frames) if one.holds or one.stops]


def test_an_accepted_source_without_a_receipt_count_or_age_is_held() -> None:
    outcomes = failed(judge("intake", disturbed("intake", "sources", 0, receipt_rows=None, age_days=None)))
    assert outcomes["received_equals_receipt"].reason == "receipt_mismatch"
    assert outcomes["snapshot_is_fresh"].reason == "stale"
    assert outcomes["snapshot_is_not_from_the_future"].reason == "stale"  # an empty cell is no good value


def test_an_outcome_names_the_rule_whose_leads_jumped_and_not_how_many_they_are() -> None:
    outcome = failed(judge("assess", disturbed("assess", "leads", 1, count=3, count_before=4711)))[
        "lead_count_is_steady"
    ]
    assert outcome.observed == "D01"


def test_the_first_night_has_nothing_to_be_compared_with() -> None:
    frames = quiet_night("intake")
    for table, column in (
        ("reasons", "share_before"),
        ("codes", "share_before"),
        ("volumes", "received_before"),
    ):
        frames[table][column] = None
    assert not failed(judge("intake", frames))


def test_a_code_that_vanished_counts_as_drift() -> None:
    frames = quiet_night("intake")
    frames["codes"]["share"] = [1.0, 0.0]
    outcome = failed(judge("intake", frames))["code_distribution_is_steady"]
    assert (outcome.source, outcome.observed) == ("banks", "account_type：与上一晚分布的距离 50%")


def test_outcomes_repeat_figures_and_never_text_of_a_frame() -> None:
    frames = disturbed("intake", "codes", 0, code=CANARY, share=1.0)
    frames["sources"].loc[0, ["unlisted_files", "age_days"]] = [3, 90]
    outcomes = judge("intake", frames)
    assert failed(outcomes).keys() >= {
        "code_distribution_is_steady",
        "no_unlisted_files",
        "snapshot_is_fresh",
    }
    assert CANARY not in json.dumps([asdict(one) for one in outcomes])
    assert failed(outcomes)["snapshot_is_fresh"].observed == "时效上限天数 45，数据距核对日天数 90"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("source", CANARY),
        ("state", "张三"),
        ("received", CANARY),
        ("received", None),
        ("received", -1),
        ("received", 1.5),
        ("share_quarantined", 1.5),
        ("share_quarantined", Decimal("0.1")),
        ("received", True),
    ],
)
def test_a_frame_that_is_not_as_declared_is_refused_without_quoting_it(column: str, value: object) -> None:
    with pytest.raises(FrameError) as refusal:
        judge("intake", disturbed("intake", "sources", 0, **{column: value}))
    assert column in str(refusal.value)
    assert CANARY not in str(refusal.value) and "张三" not in str(refusal.value)


def test_missing_and_unknown_frames_and_columns_are_refused() -> None:
    frames = quiet_night("link")
    with pytest.raises(FrameError, match=r"missing frames \['sources'\], unknown frames \['people'\]"):
        judge("link", {"people": frames["sources"]})
    with pytest.raises(FrameError, match=r"missing columns \['linked'\] and 1 unknown ones") as refusal:
        judge("link", {"sources": frames["sources"].rename(columns={"linked": CANARY})})
    assert CANARY not in str(refusal.value)


def test_a_source_that_stands_twice_is_refused() -> None:
    sources = quiet_night("link")["sources"]
    with pytest.raises(FrameError, match="3 rows that repeat"):
        judge("link", {"sources": pd.concat([sources, sources])})


def test_frames_are_left_as_they_were() -> None:
    frames = quiet_night("assess")
    before = {table: frame.copy() for table, frame in frames.items()}
    judge("assess", frames)
    for table, frame in frames.items():
        pd.testing.assert_frame_equal(frame, before[table])


def test_preloading_is_quiet_reports_to_nobody_and_puts_off_what_is_not_needed() -> None:
    program = """
import sys
from expectations.gate import judge, preload
from tests.expectations.summary_frames import disturbed
assert "great_expectations" not in sys.modules and "pandas" in sys.modules
preload()
outcomes = judge("publish", disturbed("publish", "lists", 0, rows=14))
assert [one.stops for one in outcomes] == [True, True], outcomes
import importlib.util, os
assert os.environ["GX_ANALYTICS_ENABLED"] == "False"
for name in ("altair", "scipy.stats"):
    assert type(sys.modules[name]) is importlib.util._LazyModule, name
import altair
assert altair.Chart and type(altair) is not importlib.util._LazyModule
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
