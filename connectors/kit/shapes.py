"""How values look without what they are: 2026-06-29 is 9999-99-99, 粤A12345 is 字A99999."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator

# A shape that few rows share could point at one of them.
LEAST_ROWS = 5
MOST_SHAPES = 6
_LONGEST = 32
_MOST_REMEMBERED = 10_000
LEGEND = "9 为数字，A 为字母，字为汉字，空 为空格，其为其他字符；全角字符后加“全”"


def shape_of(text: str) -> str:
    """The text with every sign that could tell a value masked; marks of ASCII punctuation stay."""
    shape = "".join(map(_masked, text[: _LONGEST + 1]))
    return shape if len(text) <= _LONGEST else "".join(map(_masked, text[:_LONGEST])) + "…"


def _masked(sign: str) -> str:
    if sign.isascii() and not sign.isalnum():
        return sign if sign.isprintable() and sign != " " else "空"
    wide = "全" if unicodedata.east_asian_width(sign) == "F" else ""
    kind = unicodedata.category(sign)
    if kind == "Nd":
        return "9" + wide
    if unicodedata.name(sign, "").startswith("CJK UNIFIED"):
        return "字"
    if kind in ("Lu", "Ll"):
        return "A" + wide
    return "空" if kind == "Zs" else "其"


class Shapes:
    """Rows by the shape of one column's values."""

    def __init__(self) -> None:
        self.rows = 0
        self._counts: Counter[str] = Counter()

    def add(self, text: str) -> None:
        self.rows += 1
        shape = shape_of(text)
        if shape in self._counts or len(self._counts) < _MOST_REMEMBERED:
            self._counts[shape] += 1

    def told(self) -> Iterator[str]:
        """The commonest shapes with their rows; those of fewer than LEAST_ROWS rows only together."""
        frequent = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        shown = [(shape, rows) for shape, rows in frequent[:MOST_SHAPES] if rows >= LEAST_ROWS]
        for shape, rows in shown:
            yield f"{shape or '（空）'} {rows} 行"
        rest = self.rows - sum(rows for _, rows in shown)
        if rest:
            yield f"其他形状共 {rest} 行" if shown else f"{rest} 行"
