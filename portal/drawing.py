"""Parts of a page that are drawn in Python: a list has hundreds of cells and choices.

What officers and sources wrote is escaped in one go for the whole part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import chain

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from portal.sheet import SheetRow

# A control character that no text is expected to have.
_BETWEEN = "\x1f"
# The officers of a county see the same choices; they hold codes and officers, never a household's person.
_KEPT_CHOICES = 500
_FIGURES = {"核对值", "标准值", "人均月收入", "收入标准", "人均金融资产", "家庭人口"}
_ANSWER = "核查反馈"


def draw_leads(rows: Sequence[SheetRow], columns: Iterable[str], query: str) -> Markup:
    """The bodies of a list's table, one for each case. query: the list's own, kept in the address of a case."""
    wide = tuple(columns)
    ending = str(escape(f"?{query}" if query else "")).replace("%", "%%")
    cells = {stale: _cell_pattern(wide, stale) for stale in (False, True)}
    drawn, case_id = [], None
    for row in rows:
        if row.case_id != case_id:
            drawn.append("<tbody>\n" if case_id is None else "</tbody><tbody>\n")
            case_id = row.case_id
        late = ' class="late"' if row.overdue else ""
        drawn.append(
            f'<tr{late}><th scope="row"><a href="/cases/{case_id}{ending}">{cells[row.stale_reply]}</tr>\n'
        )
    texts = _escaped(list(chain.from_iterable(row.cells for row in rows)))
    return Markup("".join([*drawn, "</tbody>"]) % tuple(texts))  # noqa: S704 - every text is escaped


@cache
def _cell_pattern(columns: tuple[str, ...], stale: bool) -> str:
    kinds = ["warn" if stale and name == _ANSWER else "num" if name in _FIGURES else "" for name in columns]
    cells = (f'<td class="{kind}">%s</td>' if kind else "<td>%s</td>" for kind in kinds[1:])
    return f"%s</a></th>{''.join(cells)}"


def draw_choice(
    name: str,
    label: str,
    items: Iterable[tuple[object, str]],
    chosen: object = "",
    empty: str = "",
    id: str = "",
) -> Markup:
    """A labelled choice of (value, text). empty: the text of the choice for none, '' where there is none."""
    offered = tuple((str(value), text) for value, text in items)
    return _draw_choice(name, label, offered, str(chosen), empty, id)


@lru_cache(maxsize=_KEPT_CHOICES)
def _draw_choice(
    name: str, label: str, offered: tuple[tuple[str, str], ...], chosen: str, empty: str, id: str
) -> Markup:
    texts = iter(_escaped([name, label, id, empty, *chain.from_iterable(offered)]))
    head = [next(texts) for _ in range(4)]
    options = [f'<option value="">{head[3]}</option>'] if empty else []
    for value, _ in offered:
        mark = " selected" if value == chosen else ""
        options.append(f'<option value="{next(texts)}"{mark}>{next(texts)}</option>')
    own = f' id="{head[2]}"' if id else ""
    return Markup(  # noqa: S704 - every text is escaped
        f'<label>{head[1]}<select name="{head[0]}"{own}>\n{"".join(options)}</select></label>\n'
    )


@pass_context
def draw_link(context: Context, href: str, text: str, key: str = "") -> Markup:
    """A column of the desk in its head, marked where the page belongs to it. All three are the desk's own texts."""
    current = ' aria-current="page"' if context["desk"].path.startswith(href) else ""
    access = f' accesskey="{key}"' if key else ""
    return Markup(f'<a href="{href}"{current}{access}>{text}</a>')  # noqa: S704


@pass_context
def draw_csrf(context: Context) -> Markup:
    """The hidden field that every form of the desk has."""
    return Markup(f'<input type="hidden" name="csrf" value="{escape(context["desk"].csrf)}">')  # noqa: S704


def _escaped(texts: list[str]) -> list[str]:
    """Each text escaped."""
    told = str(escape(_BETWEEN.join(texts))).split(_BETWEEN) if texts else []
    return told if len(told) == len(texts) else [str(escape(text)) for text in texts]
