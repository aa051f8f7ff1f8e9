"""Columns of text as matrices of bytes: one row a line, 0 where there is no character.

A file's lines are put together for hundreds of thousands of rows at once: every column is a matrix (rows,
width), the matrices stand side by side, and the zeros fall out when they are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.uint8]
Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_FIRST_DAY = date(1900, 1, 1).toordinal()
_LAST_DAY = date(2070, 12, 31).toordinal()
# Four digits at a time: a division for each group instead of one for each digit.
_FOUR_DIGITS = np.array([b"%04d" % number for number in range(10_000)])
# How dates are written: what stands between the parts, and whether months and days lose their leading zero.
DATE_STYLES = {"2026-06-09": (b"-", False), "20260609": (b"", False), "2026/6/9": (b"/", True)}


def table_of(words: Sequence[str], encoding: str) -> Cells:
    """One row for each word, as wide as the longest of them in that encoding."""
    encoded = [word.encode(encoding) for word in words]
    width = max(map(len, encoded), default=0)
    joined = b"".join(word.ljust(width, b"\0") for word in encoded)
    return np.frombuffer(joined, np.uint8).reshape(len(words), width)


def digits_of(values: Ints, width: int) -> Cells:
    """Whole numbers from 0, leading zeros kept."""
    groups = -(-width // 4)
    cells = np.empty((len(values), groups), "S4")
    rest = values
    for group in range(groups - 1, -1, -1):
        quotient = rest // 10_000
        cells[:, group] = np.take(_FOUR_DIGITS, rest - quotient * 10_000)
        rest = quotient
    return cells.view(np.uint8).reshape(len(values), groups * 4)[:, groups * 4 - width :].copy()


def money_of(amounts: Ints, decimals: int = 2, thousands: bool = False) -> Cells:
    """Amounts in units of 10^-decimals as decimal text: -1234.50, with `thousands` -1,234.50."""
    size = np.abs(amounts)
    width = max(len(str(int(size.max(initial=0)))), decimals + 1)
    figures = digits_of(size, width)
    whole = width - decimals
    blank = np.zeros((len(amounts), whole), np.bool_)
    for column in range(whole - 1):
        blank[:, column] = size < 10 ** (width - 1 - column)
    figures[:, :whole][blank] = 0
    parts: list[Cells] = [np.where(amounts < 0, np.uint8(45), np.uint8(0))[:, None]]
    for column in range(whole):
        parts.append(figures[:, column : column + 1])
        if thousands and column < whole - 1 and (whole - 1 - column) % 3 == 0:
            parts.append(np.where(blank[:, column], np.uint8(0), np.uint8(44))[:, None])
    point = np.full((len(amounts), 1), 46, np.uint8)
    return np.concatenate([*parts, point, figures[:, whole:]], axis=1)


@cache
def _days_written(style: str) -> Cells:
    days = np.arange(_FIRST_DAY, _LAST_DAY + 1) - date(1970, 1, 1).toordinal()
    dates = days.astype("datetime64[D]")
    years, months = dates.astype("datetime64[Y]"), dates.astype("datetime64[M]")
    year, month = years.astype(np.int64) + 1970, (months - years).astype(np.int64) + 1
    day = (dates - months).astype(np.int64) + 1
    between, short = DATE_STYLES[style]
    parts: list[Cells | bytes] = [digits_of(year, 4)]
    for number in (month, day):
        figures = digits_of(number, 2)
        figures[:, 0][(number < 10) & short] = 0
        parts += [between, figures]
    return joined(parts, len(days))


def days_of(ordinals: Ints, style: str = "2026-06-09") -> Cells:
    """Day numbers (date.toordinal) as written dates, 1900 to 2070; style: a key of DATE_STYLES."""
    return np.take(_days_written(style), ordinals - _FIRST_DAY, axis=0)


def joined(parts: Sequence[Cells | bytes], rows: int) -> Cells:
    """Columns and constant texts side by side."""
    width = sum(len(part) if isinstance(part, bytes) else part.shape[1] for part in parts)
    cells = np.empty((rows, width), np.uint8)
    at = 0
    for part in parts:
        if isinstance(part, bytes):
            cells[:, at : at + len(part)] = np.frombuffer(part, np.uint8)
            at += len(part)
        else:
            cells[:, at : at + part.shape[1]] = part
            at += part.shape[1]
    return cells


def kept(cells: Cells, where: Bools) -> Cells:
    """The cells of the rows where it holds; nothing in the others."""
    return np.where(where[:, None], cells, np.uint8(0))


def squeezed(cells: Cells) -> bytes:
    """The text of all rows, one after the other."""
    return cells.tobytes().translate(None, b"\0")


def texts_of(cells: Cells, encoding: str = "ascii") -> list[str]:
    """Each row's text, for the few rows that are handled one by one."""
    return [row.tobytes().translate(None, b"\0").decode(encoding) for row in cells]


def shares_of(totals: Ints, weights: Ints, group: Ints) -> Ints:
    """Split each group's total over its rows in proportion to their weights, to the last unit.

    totals: (groups,) whole units; weights: (rows,) whole numbers from 0; group: (rows,) ascending group of
    each row. A group whose weights are all zero gives its last row everything; a group without rows loses
    its total.
    """
    if not len(group):
        return np.zeros(0, np.int64)
    first = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    rows = np.diff(np.r_[first, len(group)])
    running = np.cumsum(weights)
    reached = running - np.repeat(running[first] - weights[first], rows)
    whole = np.repeat(np.add.reduceat(weights, first), rows)
    total = totals[group]
    upto = total * reached // np.maximum(whole, 1)
    upto[first + rows - 1] = totals[group[first]]
    shares: Ints = np.diff(upto, prepend=0)
    shares[first] = upto[first]
    return shares
