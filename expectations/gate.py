"""Judge what one stage hands to the next. See README.md here for the frames and what each outcome means.

outcomes = judge("intake", {"sources": …, "reasons": …, "codes": …, "volumes": …})
held = {one.source: one.reason for one in outcomes if one.holds}
if any(one.stops for one in outcomes): …
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from expectations import engine
from expectations.frames import check_frames, judged_frame, rows_judged
from expectations.suites import Column, Expectation, Suite, stage_suites

if TYPE_CHECKING:
    import pandas as pd

_MOST_NAMED = 3


@dataclass(frozen=True)
class Outcome:
    """What became of one expectation.

    source: the source that failed, or "" when it held for all, or when it is nobody's source; reason: the
    specification's reason to hold that source, or ""; observed, wanted: short, aggregate figures only.
    """

    stage: str
    source: str
    expectation: str
    description: str
    severity: str
    success: bool
    observed: str
    wanted: str
    reason: str = ""

    @property
    def holds(self) -> bool:
        """The source is not used tonight, for `reason`."""
        return not self.success and self.severity == "critical" and self.source != ""

    @property
    def stops(self) -> bool:
        """The night must not be published."""
        return not self.success and self.severity == "critical" and self.source == ""

    def entry(self) -> dict[str, str | bool]:
        """The outcome as the manifest keeps it (`details.gates`)."""
        kept = ("stage", "source", "expectation", "severity", "success", "observed", "wanted")
        return {name: getattr(self, name) for name in kept}


def preload() -> threading.Thread:
    """Begin importing Great Expectations while the night reads its feeds. `judge` waits for it by itself.

    Call it after the program's own imports. A failure shows when `judge` tries again.
    """

    def load_quietly() -> None:
        with suppress(Exception):  # judge() meets it again, where somebody listens
            engine.load()

    thread = threading.Thread(target=load_quietly, name="gate-preload", daemon=True)
    thread.start()
    return thread


def judge(stage: str, frames: Mapping[str, pd.DataFrame]) -> list[Outcome]:
    """All outcomes of a stage, in the order of its suites. Frames are not changed.

    Raises SuiteError for a suite that cannot be used, FrameError for a frame that is not as declared,
    EngineError when Great Expectations fails; none of them is the fault of a source.
    """
    suites = stage_suites(stage)
    check_frames(suites, frames)
    return [
        outcome
        for suite in suites
        for outcome in _judge_table(suite, judged_frame(suite, frames[suite.table]))
    ]


def _judge_table(suite: Suite, frame: pd.DataFrame) -> list[Outcome]:
    held_true = _judge_whole(suite.expectations, frame)
    outcomes: list[Outcome] = []
    for expectation in suite.expectations:
        rows = rows_judged(expectation, frame)
        if held_true[expectation.id]:
            outcomes.append(_outcome(suite, expectation, success=True, observed=f"{len(rows)} 项全部符合"))
        else:
            outcomes += _failures(suite, expectation, rows)
    return outcomes


def _judge_whole(expectations: Iterable[Expectation], frame: pd.DataFrame) -> dict[str, bool]:
    """One batch per set of rows; only the columns the checks name are handed over."""
    found: dict[str, bool] = {}
    by_rows: dict[Any, list[Expectation]] = {}
    for expectation in expectations:
        by_rows.setdefault(expectation.where, []).append(expectation)
    for alike in by_rows.values():
        rows = rows_judged(alike[0], frame)
        empty = {
            one.id
            for one in alike
            if one.severity == "critical" and rows[list(one.columns)].isna().any(axis=None)
        }
        found |= {one.id: False for one in alike if one.id in empty}
        found |= _validate(rows, [one for one in alike if one.id not in empty])
    return found


def _validate(rows: pd.DataFrame, expectations: list[Expectation]) -> dict[str, bool]:
    if rows.empty or not expectations:
        return {one.id: True for one in expectations}
    names = sorted({name for one in expectations for name in one.columns})
    return engine.validate(rows[names].reset_index(drop=True), [_check(one) for one in expectations])


def _check(expectation: Expectation) -> engine.Check:
    return engine.Check(expectation.id, expectation.type, expectation.kwargs, expectation.severity)


def _failures(suite: Suite, expectation: Expectation, rows: pd.DataFrame) -> list[Outcome]:
    """One outcome per failing source where it is the source's doing or a warning, else one for the night."""
    failing = _failing_rows(expectation, rows)
    by_source = "source" in suite.judged_grain and (expectation.holds_as or expectation.severity == "warning")
    if not by_source:
        return [_outcome(suite, expectation, success=False, observed=_observed(suite, expectation, failing))]
    return [
        _outcome(
            suite,
            expectation,
            success=False,
            source=str(source),
            reason=expectation.holds_as,
            observed=_observed(suite, expectation, rows_of_source),
        )
        for source, rows_of_source in failing.groupby("source", sort=True)
    ]


def _failing_rows(expectation: Expectation, rows: pd.DataFrame) -> pd.DataFrame:
    """Those that are not as expected; critical, also those with an empty cell, which is no good value."""
    columns = list(expectation.columns)
    failing = rows[columns].isna().any(axis=1).to_numpy() & (expectation.severity == "critical")
    judged = np.flatnonzero(~failing)
    if len(judged):
        places = engine.places_failing(rows[columns].iloc[judged], _check(expectation))
        failing[judged[places]] = True
    return rows[failing]


def _outcome(
    suite: Suite,
    expectation: Expectation,
    *,
    success: bool,
    observed: str,
    source: str = "",
    reason: str = "",
) -> Outcome:
    return Outcome(
        stage=suite.stage,
        source=source,
        expectation=expectation.id,
        description=expectation.description,
        severity=expectation.severity,
        success=success,
        observed=observed,
        wanted=expectation.wanted,
        reason=reason,
    )


def _observed(suite: Suite, expectation: Expectation, failing: pd.DataFrame) -> str:
    """Which rows failed, by word or rule, and their figures: `money_unparseable：占收到行数 7.1%`."""
    columns = suite.all_columns
    named = [_told(suite, expectation, columns, row) for row in failing.head(_MOST_NAMED).to_dict("records")]
    more = [f"等 {len(failing)} 项"] if len(failing) > _MOST_NAMED else []
    return "；".join(named + more)


def _told(
    suite: Suite, expectation: Expectation, columns: Mapping[str, Column], row: Mapping[Any, Any]
) -> str:
    figures = "，".join(
        f"{columns[name].means} {_figure(columns[name], row[name])}" for name in expectation.show
    )
    names_source = (
        "source" in suite.judged_grain and expectation.severity == "critical" and not expectation.holds_as
    )
    label = expectation.label or ("source" if names_source else "")
    return "：".join(part for part in (str(row[label]) if label else "", figures) if part)


def _figure(column: Column, value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return "空"
    if column.type == "share":
        return f"{100 * float(value):.6g}%"
    return f"{value:.4g}" if column.type == "number" else f"{int(value)}"
