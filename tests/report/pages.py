"""Read a report as a browser would, and more strictly."""

from __future__ import annotations

from functools import lru_cache
from html.parser import HTMLParser

from bs4 import BeautifulSoup, Tag

from pipelines.report.suppression import SuppressedTable

_VOID = {"meta", "link", "br", "hr", "img", "input", "line", "rect", "circle"}


class NestingChecker(HTMLParser):
    """Raises AssertionError when an element is closed that is not the innermost open one."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing, line {self.getpos()[0]}"
        assert self.open[-1] == tag, f"</{tag}> inside <{self.open[-1]}>, line {self.getpos()[0]}"
        self.open.pop()


def check_nesting(page: str) -> NestingChecker:
    checker = NestingChecker()
    checker.feed(page)
    checker.close()
    assert not checker.open
    return checker


@lru_cache(maxsize=4)
def parsed(page: str) -> BeautifulSoup:
    return BeautifulSoup(page, "html.parser")


def section(page: str, name: str) -> Tag:
    found = parsed(page).find("section", {"aria-labelledby": name})
    assert isinstance(found, Tag)
    return found


def rows_of(part: Tag, table: int = 0) -> list[list[str]]:
    """The body rows of a table: the text of each cell, small print left out."""
    bodies = part.find_all("table")[table].find_all("tbody")
    return [
        [text_of(cell) for cell in row.find_all(["th", "td"])]
        for body in bodies
        for row in body.find_all("tr")
    ]


def foot_of(part: Tag, table: int = 0) -> list[str]:
    return [text_of(cell) for cell in part.find_all("table")[table].find("tfoot").find_all(["th", "td"])]


def text_of(cell: Tag) -> str:
    return " ".join(
        text.strip()
        for text in cell.find_all(string=True)
        if text.strip() and not text.find_parent(["small", "svg"])
    )


def number(text: str) -> int | None:
    return None if text in ("·", "—") else int(text.replace(",", ""))


def county_table(page: str, which: str) -> SuppressedTable | None:
    """The table of counties and rules as the page tells it; None where it is withheld."""
    table = section(page, "counties").find("table", {"data-list": which})
    if table is None:
        return None
    rules = [head.find(class_="rule").text for head in table.find("thead").find_all("th")[1:-1]]
    rows = [row.find_all(["th", "td"]) for row in table.find("tbody").find_all("tr")]
    foot = [number(cell.text) for cell in table.find("tfoot").find_all("td")]
    return SuppressedTable(
        places=tuple(row[0].find(class_="code").text for row in rows),
        rules=tuple(rules),
        cells=tuple(tuple(number(cell.text) for cell in row[1:-1]) for row in rows),
        place_totals=tuple(number(row[-1].text) for row in rows),
        rule_totals=tuple(foot[:-1]),
        total=foot[-1],
        withheld=False,
    )
