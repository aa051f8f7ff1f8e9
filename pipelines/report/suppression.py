"""Tables of small counts with cells hidden, so that none below the threshold can be worked out from the rest.

A table of places by rules has its totals as one more row and column. Hidden are, first, all cells below the
threshold, totals included, and zeros too, so that a hidden cell does not say whether there is anybody; then
as many others as it takes that

1. wherever a total is shown, what is hidden in its line comes to the threshold or more, in two cells or more;
2. every small cell could have another value, with every shown cell as it is. Rows and columns of the table
   with its totals sum to zero when totals count negative; so cells can only change around closed loops, one
   up, the next down, and a cell is safe exactly when such a loop of hidden, movable cells runs through it
   (D. Gusfield, "A graph theoretic approach to statistical data security", SIAM J. Comput. 17, 1988).

The reader assumed in 2 even knows which hidden cells are small (0 to threshold − 1) and which were hidden to
protect them (threshold or more). The grand total is always known: the lists' counts by state tell it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

THRESHOLD = 8

Cell = tuple[int, int]
_Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class SuppressedTable:
    """None stands for a hidden cell. withheld: too little in it to show anything; every cell is hidden."""

    places: tuple[str, ...]
    rules: tuple[str, ...]
    cells: tuple[tuple[int | None, ...], ...]
    place_totals: tuple[int | None, ...]
    rule_totals: tuple[int | None, ...]
    total: int
    withheld: bool


def suppress(
    counts: Mapping[tuple[str, str], int],
    places: Sequence[str],
    rules: Sequence[str],
    threshold: int = THRESHOLD,
) -> SuppressedTable:
    """Counts by (place, rule), none negative; absent pairs are 0. Raises KeyError for a pair outside."""
    at = {place: row for row, place in enumerate(places)}, {rule: column for column, rule in enumerate(rules)}
    inner = np.zeros((len(places), len(rules)), np.int64)
    for (place, rule), count in counts.items():
        inner[at[0][place], at[1][rule]] = count
    hiding = _Hiding(inner, threshold)
    hiding.protect()
    shown = np.where(hiding.hidden, -1, hiding.values)
    told = [tuple(None if cell < 0 else int(cell) for cell in row) for row in shown]
    return SuppressedTable(
        places=tuple(places),
        rules=tuple(rules),
        cells=tuple(row[:-1] for row in told[:-1]),
        place_totals=tuple(row[-1] for row in told[:-1]),
        rule_totals=told[-1][:-1],
        total=int(inner.sum()),
        withheld=hiding.withheld,
    )


class _Hiding:
    """values, hidden: the table with its totals, (places + 1) × (rules + 1), grand total in the corner."""

    def __init__(self, inner: NDArray[np.int64], threshold: int) -> None:
        with_row = np.vstack([inner, inner.sum(axis=0)])
        self.values = np.hstack([with_row, with_row.sum(axis=1, keepdims=True)])
        self.threshold = threshold
        self.withheld = False
        self.public = np.zeros(self.values.shape, bool)
        self.public[-1, -1] = True
        if inner.shape[0] == 1:  # the total of the only row, or column, is the grand total
            self.public[0, -1] = True
        if inner.shape[1] == 1:
            self.public[-1, 0] = True
        self.small = (self.values < threshold) & ~self.public
        self.hidden = self.small.copy()
        self._is_total = np.zeros(self.values.shape, bool)
        self._is_total[-1, :-1] = self._is_total[:-1, -1] = True

    def protect(self) -> None:
        """Hide until both conditions hold, or everything when they cannot."""
        while True:
            self._thicken_lines()
            exposed = self._exposed()
            if exposed is None:
                return
            loop = self._cheapest_loop(exposed)
            if not loop:
                self.hidden = ~self.public
                self.withheld = True
                return
            for cell in loop:
                self.hidden[cell] = True

    def _thicken_lines(self) -> None:
        """Condition 1, for every row and column, the totals' own among them."""
        changed = True
        while changed:
            changed = False
            for place in range(self.values.shape[0]):
                changed |= self._thicken([(place, rule) for rule in range(self.values.shape[1])])
            for rule in range(self.values.shape[1]):
                changed |= self._thicken([(place, rule) for place in range(self.values.shape[0])])

    def _thicken(self, line: list[Cell]) -> bool:
        parts, whole = line[:-1], line[-1]
        hidden = [cell for cell in parts if self.hidden[cell]]
        if self.hidden[whole]:
            enough = bool(hidden)
        else:
            residue = sum(int(self.values[cell]) for cell in hidden)
            enough = not hidden or (len(hidden) > 1 and residue >= self.threshold)
        shown = [cell for cell in parts if not self.hidden[cell] and not self.public[cell]]
        if enough:
            return False
        if shown:
            self.hidden[min(shown, key=self._cost)] = True
            return True
        if len(hidden) == 1 and not self.hidden[whole] and not self.public[whole]:
            self.hidden[whole] = True
            return True
        return False  # nothing left to hide: all parts are, and the reader knows their sum alone

    def _cost(self, cell: Cell) -> tuple[bool, int, Cell]:
        """Rather a cell whose other line already hides something, then a small one."""
        lonely = not self.hidden[cell[0], :].any() or not self.hidden[:, cell[1]].any()
        return lonely, int(self.values[cell]), cell

    def _moves(self) -> tuple[_Bools, _Bools]:
        """Which entries may go up, and down, by one. Totals are negative in their lines: exchanged."""
        may_grow = self.hidden & (~self.small | (self.values < self.threshold - 1))
        may_shrink = self.hidden & np.where(self.small, self.values > 0, self.values > self.threshold)
        up = np.where(self._is_total, may_shrink, may_grow)
        down = np.where(self._is_total, may_grow, may_shrink)
        return up, down

    def _exposed(self) -> Cell | None:
        """The first small cell that no loop passes through, or None."""
        up, down = self._moves()
        for cell in np.argwhere(self.small):
            place, rule = int(cell[0]), int(cell[1])
            if not self._is_on_a_loop(place, rule, up, down):
                return place, rule
        return None

    def _is_on_a_loop(self, place: int, rule: int, up: _Bools, down: _Bools) -> bool:
        goes_up, goes_down = up[place, rule], down[place, rule]
        up[place, rule] = down[place, rule] = False
        try:
            return bool(
                (goes_up and _reaches_place(rule, place, up, down))
                or (goes_down and _reaches_place_backwards(rule, place, up, down))
            )
        finally:
            up[place, rule], down[place, rule] = goes_up, goes_down

    def _cheapest_loop(self, cell: Cell) -> list[Cell]:
        """Shown cells to hide so that a loop passes through `cell`; empty when there is none."""
        up, down = self._moves()
        free = ~self.hidden & ~self.public
        grown, shrunk = free, free & (self.values > self.threshold)
        up_all = up | np.where(self._is_total, shrunk, grown)
        down_all = down | np.where(self._is_total, grown, shrunk)
        place, rule = cell
        ways = []
        if up[cell]:
            ways.append(self._cheapest_path(("rule", rule), ("place", place), cell, up_all, down_all))
        if down[cell]:
            ways.append(self._cheapest_path(("place", place), ("rule", rule), cell, up_all, down_all))
        found = [way for way in ways if way is not None]
        return min(found, default=(0, []))[1]

    def _cheapest_path(
        self, start: tuple[str, int], goal: tuple[str, int], leave_out: Cell, up: _Bools, down: _Bools
    ) -> tuple[int, list[Cell]] | None:
        """Dijkstra over places and rules; a hidden cell costs nothing, a shown one its count."""
        queue: list[tuple[int, tuple[str, int], list[Cell]]] = [(0, start, [])]
        done: set[tuple[str, int]] = set()
        while queue:
            cost, node, path = heappop(queue)
            if node == goal:
                return cost, [cell for cell in path if not self.hidden[cell]]
            if node in done:
                continue
            done.add(node)
            kind, number = node
            steps = np.flatnonzero(up[number, :] if kind == "place" else down[:, number])
            for other in map(int, steps):
                cell = (number, other) if kind == "place" else (other, number)
                following = ("rule" if kind == "place" else "place", other)
                if cell != leave_out and following not in done:
                    price = 0 if self.hidden[cell] else int(self.values[cell]) + 1
                    heappush(queue, (cost + price, following, [*path, cell]))
        return None


def _reaches_place(rule: int, place: int, up: _Bools, down: _Bools) -> bool:
    """Whether a path leads from a rule to a place: down a column's cell, up a row's cell, and so on."""
    places = down[:, rule].copy()
    seen = places.copy()
    while places.any():
        if seen[place]:
            return True
        rules = up[places, :].any(axis=0)
        places = down[:, rules].any(axis=1) & ~seen
        seen |= places
    return bool(seen[place])


def _reaches_place_backwards(rule: int, place: int, up: _Bools, down: _Bools) -> bool:
    """Whether a path leads from a place to a rule: the same steps the other way round."""
    return _reaches_place(rule, place, down, up)
