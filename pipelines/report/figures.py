"""Inline SVG from plain numbers. Each figure has a title and a description; a table beside it says the same.

Colours come from the page's style sheet by class, so that a figure prints and inverts with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

_TITLE = Markup("<title>{}</title><desc>{}</desc>")
_RECT = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>')
_LINE = Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>')
_TEXT = Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>')
_DOT = Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>')


@dataclass(frozen=True)
class Flow:
    """What a night added to a list and took off it."""

    night: str
    new: int
    cleared: int


def funnel_bar(
    name: str, received: int, accepted: int, linked: int, *, width: int = 200, height: int = 14
) -> Markup:
    """Three bars in one, from received over accepted to linked, as shares of what was received."""
    told = f"收到 {received:,} 行，接受 {accepted:,} 行，关联 {linked:,} 行"
    widths = [_share(count, received) * width for count in (received, accepted, linked)]
    layers = (("f-received", 0.0), ("f-accepted", 2.5), ("f-linked", 5.0))
    bars = [
        _RECT.format(css, 0, inset, _px(w), _px(height - 2 * inset))
        for (css, inset), w in zip(layers, widths, strict=True)
    ]
    return _figure(f"{name}：收到、接受、关联", told, width, height, bars, css="inbar")


def reason_bar(name: str, count: int, most: int, *, width: int = 200, height: int = 14) -> Markup:
    """A bar on the scale of the most frequent reason; never shorter than can be seen."""
    length = max(_share(count, most) * width, 1.5 if count else 0.0)
    drawn = [_RECT.format("f-bar", 0, 2, _px(length), height - 4)]
    return _figure(f"{name}：隔离行数", f"{count:,} 行", width, height, drawn, css="inbar")


def freshness_bar(
    name: str, age_days: int, max_age_days: int, *, width: int = 200, height: int = 14
) -> Markup:
    """Age as a bar against the limit, with ticks at the limit and at 80 % of it, where the gate warns."""
    limit = width * 0.8
    used = age_days / max_age_days if max_age_days else (2.0 if age_days > 0 else 0.0)
    css = "f-over" if age_days > max_age_days else ("f-near" if used > 0.8 else "f-age")
    length = min(max(used, 0.0) * limit, width)
    drawn = [
        _RECT.format("f-track", 0, 3, _px(limit), height - 6),
        _RECT.format(css, 0, 3, _px(length), height - 6),
        _LINE.format("f-tick", _px(limit * 0.8), 2, _px(limit * 0.8), height - 2),
        _LINE.format("f-limit", _px(limit), 0, _px(limit), height),
    ]
    told = f"距核对日 {age_days} 天，上限 {max_age_days} 天"
    return _figure(f"{name}：数据时效", told, width, height, drawn, css="inbar")


def sparkline(name: str, counts: Sequence[int | None], *, width: int = 110, height: int = 18) -> Markup:
    """One point a night from 0 to the most; a night without the source is a gap, the last night a dot."""
    known = [count for count in counts if count is not None]
    most = max(known, default=0)
    step = (width - 8) / max(len(counts) - 1, 1)
    points = [
        None if count is None else (4 + number * step, height - 3 - _share(count, most) * (height - 6))
        for number, count in enumerate(counts)
    ]
    drawn = [_LINE.format("f-base", 0, height - 2.5, width, height - 2.5)]
    for before, after in pairwise(points):
        if before and after:
            drawn.append(
                _LINE.format("f-trend", _px(before[0]), _px(before[1]), _px(after[0]), _px(after[1]))
            )
    drawn += [
        _DOT.format(
            "f-now" if number == len(points) - 1 else "f-dot",
            _px(point[0]),
            _px(point[1]),
            2.4 if number == len(points) - 1 else 1.2,
        )
        for number, point in enumerate(points)
        if point
    ]
    told = "、".join("未采用" if count is None else f"{count:,}" for count in counts)
    return _figure(f"{name}：近 {len(counts)} 晚收到行数", told, width, height, drawn, css="inbar")


def flow_bars(title: str, flows: Sequence[Flow], *, width: int = 500, height: int = 150) -> Markup:
    """New leads upwards, cleared ones downwards, a pair of bars a night."""
    most = max((max(flow.new, flow.cleared) for flow in flows), default=0)
    left, top, bottom = 10, 16, 20
    middle = top + (height - top - bottom) / 2
    half = (height - top - bottom) / 2 - 10
    step = min((width - left) / max(len(flows), 1), 64)
    drawn = [_LINE.format("f-base", 0, _px(middle), width, _px(middle))]
    for number, flow in enumerate(flows):
        x, wide = left + number * step, min(step * 0.62, 34)
        up, down = _share(flow.new, most) * half, _share(flow.cleared, most) * half
        centre = _px(x + wide / 2)
        drawn += [
            _RECT.format("f-new", _px(x), _px(middle - up), _px(wide), _px(up)),
            _RECT.format("f-cleared", _px(x), _px(middle), _px(wide), _px(down)),
            _TEXT.format("f-small", centre, _px(middle - up - 3), "middle", f"{flow.new:,}"),
            _TEXT.format("f-small", centre, _px(middle + down + 10), "middle", f"{flow.cleared:,}"),
            _TEXT.format("f-axis", centre, height - 3, "middle", flow.night[5:]),
        ]
    told = "；".join(f"{flow.night} 新增 {flow.new:,} 条、已消除 {flow.cleared:,} 条" for flow in flows)
    return _figure(title, told, width, height, drawn)


def _figure(
    title: str, told: str, width: float, height: float, drawn: Sequence[Markup], css: str = "figure"
) -> Markup:
    opening = Markup('<svg class="{}" role="img" viewBox="0 0 {} {}" width="{}" height="{}">')
    return (
        opening.format(css, width, height, width, height)
        + _TITLE.format(title, told)
        + Markup("").join(drawn)
        + Markup("</svg>")
    )


def _share(part: int, of: int) -> float:
    return part / of if of else 0.0


def _px(length: float) -> str:
    return f"{length:.2f}".rstrip("0").rstrip(".")
