"""Check a summary frame against what its suite declares, and compute the declared columns.

Errors name table, column and number of rows, never a cell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from expectations.suites import Column, Derivation, Expectation, Grouping, Suite

if TYPE_CHECKING:
    import pandas as pd

    Series = pd.Series[Any]

MOST_ROWS = 20_000
_SAFE = {"word": re.compile(r"[a-z][a-z0-9_]{0,60}"), "rule": re.compile(r"[A-Z][0-9]{2,3}")}


class FrameError(Exception):
    """A frame that is not what its suite declares; a fault of the pipeline, not of a feed."""


def check_frames(suites: tuple[Suite, ...], frames: Mapping[str, pd.DataFrame]) -> None:
    """Every table of the stage and no other. A gate that passes on nothing is worse than none."""
    wanted, found = {suite.table for suite in suites}, set(frames)
    if wanted != found:
        raise FrameError(
            f"{suites[0].stage}: missing frames {sorted(wanted - found)}, "
            f"unknown frames {sorted(found - wanted)}; "
            f"the stage is judged on exactly {sorted(wanted)} (expectations/README.md)"
        )


def judged_frame(suite: Suite, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with clean types and the computed columns, one row per judged grain. Raises FrameError."""
    typed = _typed(suite, frame)
    for derivation in suite.derived:
        typed[derivation.column.name] = _derive(derivation, typed)
    return _group(suite.grouping, typed) if suite.grouping else typed


def rows_judged(expectation: Expectation, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows an expectation speaks about."""
    for name, values in expectation.where:
        frame = frame[frame[name].isin(values)]
    return frame


def _typed(suite: Suite, frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    missing, unknown = (
        sorted(set(suite.columns) - set(frame)),
        sorted(set(map(str, frame)) - set(suite.columns)),
    )
    if missing or unknown:
        _refuse(
            suite,
            f"missing columns {missing} and {len(unknown)} unknown ones",
            f"exactly {list(suite.columns)}",
        )
    if len(frame) > MOST_ROWS:
        _refuse(suite, f"{len(frame)} rows", f"a summary of at most {MOST_ROWS}")
    typed = pd.DataFrame(
        {name: _column(suite, column, frame[name]) for name, column in suite.columns.items()}
    )
    grain = list(suite.grain)
    if grain and typed.duplicated(grain).any():
        _refuse(suite, f"{int(typed.duplicated(grain).sum())} rows that repeat {grain}", "each once")
    if not grain and len(typed) != 1:
        _refuse(suite, f"{len(typed)} rows", "exactly one row")
    return typed.reset_index(drop=True)


def _column(suite: Suite, column: Column, given: Series) -> Series:
    nulls = int(given.isna().sum())
    if nulls and not column.nullable:
        _refuse(suite, f"{nulls} empty cells in column {column.name}", "none")
    if column.type in ("word", "rule", "text"):
        return _text(suite, column, given)
    return _figures(suite, column, given)


def _text(suite: Suite, column: Column, given: Series) -> Series:
    cells = given.astype(object)
    pattern = _SAFE.get(column.type)
    if pattern is not None:
        wrong = sum(not pattern.fullmatch(str(cell)) for cell in cells[given.notna()])
        if wrong:
            _refuse(
                suite, f"{wrong} cells of column {column.name} that are no {column.type}", pattern.pattern
            )
    return cells


def _figures(suite: Suite, column: Column, given: Series) -> Series:
    import pandas as pd

    if given.notna().any() and given.map(lambda cell: isinstance(cell, (bool, str))).any():
        _refuse(suite, f"text or truth values in column {column.name}", "figures")
    # Great Expectations walks the call stack for every Decimal it meets: seconds for a thousand rows.
    if given.map(lambda cell: type(cell).__name__ == "Decimal").any():
        _refuse(suite, f"decimals in column {column.name}", "whole numbers (money in fen) or floats")
    if column.type in ("count", "whole"):
        return _whole(suite, column, given)
    figures: Series = pd.to_numeric(given).astype("float64")
    if column.type == "share" and not figures.dropna().between(0, 1).all():
        _refuse(suite, f"figures outside 0 to 1 in column {column.name}", "a share")
    return figures


def _whole(suite: Suite, column: Column, given: Series) -> Series:
    """Exact to the last digit, which floats are not: sums of money are compared for equality."""
    import pandas as pd

    cells = [None if empty else cell for cell, empty in zip(given, given.isna(), strict=True)]
    try:
        figures: Series = pd.Series(pd.array(cells, dtype="Int64"), index=given.index)
    except (TypeError, ValueError, OverflowError):
        # the reader's message may quote a cell
        raise FrameError(
            f"frame {suite.stage}/{suite.table}: found no 64-bit whole numbers in column {column.name}; "
            "wanted whole numbers (money in fen)"
        ) from None
    if column.type == "count" and (figures < 0).any():
        _refuse(suite, f"{int((figures < 0).sum())} negative counts in column {column.name}", "0 or more")
    return figures if figures.isna().any() else figures.astype("int64")


def _derive(derivation: Derivation, frame: pd.DataFrame) -> Series:
    first, rest = frame[derivation.of[0]], derivation.of[1:]
    if derivation.how == "sum":
        return first + sum(frame[name] for name in rest)
    second = frame[rest[0]]
    if derivation.how == "difference":
        return (first - second).astype("float64")
    below = second.astype("float64") + derivation.plus
    return ((first.astype("float64") + derivation.plus) / below.where(below != 0)).astype("float64")


def _group(grouping: Grouping, frame: pd.DataFrame) -> pd.DataFrame:
    """One row per group; the distance is empty where no figure of before is there to compare with."""
    now, before = grouping.of
    frame = frame.assign(gap=(frame[now] - frame[before].fillna(0)).abs())
    groups = frame.groupby(list(grouping.by), sort=True)
    distance = (groups["gap"].sum() / 2).where(groups[before].count() > 0)
    return distance.astype("float64").rename(grouping.column.name).reset_index()


def _refuse(suite: Suite, found: str, wanted: str) -> NoReturn:
    raise FrameError(f"frame {suite.stage}/{suite.table}: found {found}; wanted {wanted}")
