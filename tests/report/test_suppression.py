"""No small cell can be worked out from what is shown: tried by linear programming, not by reasoning."""

from __future__ import annotations

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from pipelines.report.suppression import THRESHOLD, SuppressedTable, suppress

CELL = st.one_of(st.integers(0, 9), st.integers(0, 9), st.integers(8, 60))


@st.composite
def tables(draw) -> np.ndarray:
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    return np.array(draw(st.lists(CELL, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))).reshape(
        shape
    )


def suppressed(counts: np.ndarray) -> SuppressedTable:
    places = [f"44010{row}" for row in range(counts.shape[0])]
    rules = [f"D0{column}" for column in range(counts.shape[1])]
    given_counts = {
        (place, rule): int(counts[row, column])
        for row, place in enumerate(places)
        for column, rule in enumerate(rules)
        if counts[row, column]
    }
    return suppress(given_counts, places, rules)


def whole(counts: np.ndarray) -> np.ndarray:
    """The table with its totals as last row and column."""
    tall = np.vstack([counts, counts.sum(axis=0)])
    return np.hstack([tall, tall.sum(axis=1, keepdims=True)])


def shown(table: SuppressedTable) -> list[list[int | None]]:
    rows = [[*cells, total] for cells, total in zip(table.cells, table.place_totals, strict=True)]
    return [*rows, [*table.rule_totals, table.total]]


def possible_values(table: SuppressedTable, counts: np.ndarray) -> dict[tuple[int, int], tuple[float, float]]:
    """Least and greatest value of each hidden small cell, for a reader who knows which ones are small."""
    true, told = whole(counts), shown(table)
    height, width = true.shape
    bounds = []
    for row in range(height):
        for column in range(width):
            cell = told[row][column]
            small = true[row, column] < THRESHOLD
            hidden = (0, THRESHOLD - 1) if small else (THRESHOLD, None)
            bounds.append((cell, cell) if cell is not None else hidden)
    sums = np.zeros((height + width, height * width))
    for row in range(height):
        for column in range(width):
            sums[row, row * width + column] = -1 if column == width - 1 else 1
            sums[height + column, row * width + column] = -1 if row == height - 1 else 1
    found = {}
    for row in range(height):
        for column in range(width):
            if told[row][column] is None and true[row, column] < THRESHOLD:
                goal = np.zeros(height * width)
                goal[row * width + column] = 1
                ends = [
                    linprog(sign * goal, A_eq=sums, b_eq=np.zeros(height + width), bounds=bounds)
                    for sign in (1, -1)
                ]
                assert all(end.status == 0 for end in ends)
                found[row, column] = (ends[0].fun, -ends[1].fun)
    return found


@settings(max_examples=25, deadline=None)
@given(tables())
def test_no_small_cell_has_only_one_possible_value(counts: np.ndarray) -> None:
    table = suppressed(counts)
    if table.withheld:
        return
    for low, high in possible_values(table, counts).values():
        assert high - low > 0.5


@settings(max_examples=100, deadline=None)
@given(tables())
def test_what_is_shown_is_true_and_never_small(counts: np.ndarray) -> None:
    table = suppressed(counts)
    grand = int(counts.sum())
    only_line = [counts.shape[0] == 1, counts.shape[1] == 1]
    for told_row, true_row in zip(shown(table), whole(counts), strict=True):
        for told, true in zip(told_row, true_row, strict=True):
            assert told is None or told == true
            assert (
                told is None
                or told >= THRESHOLD
                or (told == grand and (told_row[-1] == told or any(only_line)))
            )


@settings(max_examples=100, deadline=None)
@given(tables())
def test_what_a_shown_total_leaves_over_is_nothing_or_at_least_the_threshold(counts: np.ndarray) -> None:
    table = suppressed(counts)
    told, true = shown(table), whole(counts)
    if table.withheld or counts.sum() < THRESHOLD:
        return
    lines = [(told[row], true[row]) for row in range(len(told))]
    lines += [([row[column] for row in told], true[:, column]) for column in range(len(told[0]))]
    for told_line, true_line in lines:
        hidden = [
            int(true) for cell, true in zip(told_line[:-1], true_line[:-1], strict=True) if cell is None
        ]
        if told_line[-1] is not None and hidden and len(true_line) > 2:
            assert len(hidden) > 1
            assert sum(hidden) >= THRESHOLD


def test_only_tables_with_nearly_nothing_in_them_are_withheld() -> None:
    for seed in range(100):
        random = np.random.default_rng(seed)
        counts = random.poisson(
            random.choice([0.3, 2, 8, 30]), (random.integers(2, 8), random.integers(2, 8))
        )
        if suppressed(counts).withheld:
            assert counts.sum() < THRESHOLD


def test_a_lone_small_cell_takes_others_with_it() -> None:
    table = suppressed(np.array([[3, 20, 30], [40, 50, 60], [70, 80, 90]]))
    hidden = {(row, column) for row in range(3) for column in range(3) if table.cells[row][column] is None}
    assert hidden == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert table.place_totals == (53, 150, 240)
    assert table.rule_totals == (113, 150, 180)


def test_a_table_with_large_cells_only_is_shown_whole() -> None:
    counts = np.array([[8, 9], [10, 11]])
    assert suppressed(counts).cells == ((8, 9), (10, 11))


def test_zeros_are_hidden_like_other_small_numbers() -> None:
    table = suppressed(np.array([[0, 100, 100], [100, 0, 100], [100, 100, 0]]))
    assert [row[place] for place, row in enumerate(table.cells)] == [None, None, None]


def test_a_province_takes_less_than_a_second() -> None:
    random = np.random.default_rng(7)
    counts = random.poisson(10 * random.lognormal(0, 1.2, (122, 1)) * random.lognormal(0, 1.2, (1, 30)))
    rules = [f"D{column:02}" for column in range(30)]
    places = [f"44{row:04}" for row in range(122)]
    all_counts = {
        (place, rule): int(counts[i, j]) for i, place in enumerate(places) for j, rule in enumerate(rules)
    }
    began = time.process_time()
    table = suppress(all_counts, places, rules)
    assert time.process_time() - began < 1
    assert not table.withheld
