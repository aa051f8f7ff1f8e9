"""Officers at work over HTTP: what each does next is drawn from a seed, every answer is timed."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field

from bench.desk_browser import Browser

PASSWORD = "Right-Horse-7-Staple"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_VERSION = re.compile(r'name="version" value="([^"]+)"')
_LEAD = re.compile(r"440103-20260630-[DN]-\d{5}")
_CASE = re.compile(r'href="/cases/(\d+)')
_COLLEAGUE = re.compile(r'<select name="assignee" required>.*?<option value="(\d+)"')
_NEXT_PAGE = re.compile(r'rel="next" href="([^"]+)"')
_LISTS = ("discrepancies", "discrepancies", "discrepancies", "newly-eligible")
# What an officer does, and how often in a hundred clicks.
WORK = {
    "list, first page": 25,
    "list, filtered": 20,
    "list, next page": 10,
    "list, far page": 5,
    "case": 17,
    "next case": 7,
    "search": 5,
    "note written": 3,
    "case assigned": 3,
    "first page of the desk": 5,
}


@dataclass
class Clicks:
    """Seconds of every answer by kind of click; failures are answers other than the one wanted."""

    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[str] = field(default_factory=list)

    def table(self) -> dict[str, dict[str, float]]:
        shown = {kind: _percentiles(self.seconds[kind]) for kind in WORK if self.seconds[kind]}
        lists = [
            value for kind, values in self.seconds.items() if kind.startswith("list,") for value in values
        ]
        everything = [value for values in self.seconds.values() for value in values]
        return shown | {"all lists": _percentiles(lists), "everything": _percentiles(everything)}


def _percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)

    return {
        "clicks": len(ordered),
        "p50_ms": at(0.5),
        "p95_ms": at(0.95),
        "p99_ms": at(0.99),
        "max_ms": at(1.0),
    }


class Officer:
    """One browser with its own session, that follows what the pages offer."""

    def __init__(self, address: str, serial: int, clicks: Clicks) -> None:
        self.login = f"bench{serial}"
        self._web = Browser(address)
        self._page = ""
        self._draw = random.Random(serial)
        self._clicks = clicks
        self._csrf = ""
        self._cases: list[str] = []
        self._leads: list[str] = []
        self._next_page = ""
        self._view = "/lists/discrepancies"
        self._rules = ("A01", "I01", "A02", "D01", "X04")

    async def sign_in(self) -> float:
        """Seconds of the sign-in itself, Argon2 included."""
        page = await self._web.get("/sign-in")
        fields = {"csrf": _CSRF.findall(page.text)[0], "login": self.login, "password": PASSWORD}
        answer = await self._web.post("/sign-in", fields)
        if answer.status != 303:
            raise RuntimeError(f"{self.login} could not sign in: {answer.status}")
        self._page = (await self._web.get(self._view)).text
        return answer.seconds

    async def work(self, until: float, think: float) -> None:
        """Click until the time is over, thinking `think` seconds on average between answers (0.5 to 1.5 times)."""
        if think:
            await asyncio.sleep(self._draw.random() * think)
        while time.perf_counter() < until:
            kind = self._draw.choices(list(WORK), list(WORK.values()))[0]
            await self._click(kind)
            if think:
                await asyncio.sleep(think * (0.5 + self._draw.random()))

    async def one_list(self) -> None:
        """The same click for everybody: the first page of the long list."""
        await self._timed("list, first page", "/lists/discrepancies")

    async def download(self, kind: str) -> tuple[float, int]:
        """Seconds and bytes of the whole list as a sheet."""
        self._read_page()
        form = {"csrf": self._csrf, "format": kind}
        answer = await self._web.post("/lists/discrepancies/download", form)
        if answer.status != 200:
            raise RuntimeError(f"the {kind} was answered with {answer.status}")
        return answer.seconds, len(answer.body)

    async def close(self) -> None:
        await self._web.close()

    async def _click(self, kind: str) -> None:
        self._read_page()
        draw = self._draw
        path = f"/lists/{draw.choice(_LISTS)}"
        if kind == "list, filtered":
            town = f"440103{draw.randrange(20):03d}"
            filters = (
                f"rule={draw.choice(self._rules)}",
                f"township={town}",
                "assignee=none",
                "due=week",
                "state=new&view=all",
            )
            self._view = f"/lists/discrepancies?{draw.choice(filters)}"
            await self._timed(kind, self._view)
        elif kind == "list, first page":
            self._view = path
            await self._timed(kind, path)
        elif kind == "list, next page":
            await self._timed(kind, self._next_page.replace("&amp;", "&") or self._view)
        elif kind == "list, far page":
            await self._timed(kind, f"/lists/discrepancies?page={draw.randrange(500, 900)}")
        elif kind == "search":
            await self._timed(kind, f"{path}/search", {"typed": draw.choice(self._leads)})
        elif kind == "first page of the desk":
            await self._timed(kind, "/")
        else:
            await self._click_case(kind, draw.choice(self._cases))

    async def _click_case(self, kind: str, case: str) -> None:
        if kind == "case":
            await self._timed(kind, f"/cases/{case}")
        elif kind == "next case":
            await self._timed(kind, f"/lists/discrepancies/next/{case}")
        elif kind == "note written":
            fields = {**self._version((await self._web.get(f"/cases/{case}")).text), "body": "约定周三入户"}
            # A colleague may have been quicker; that is an answer too.
            await self._timed(kind, f"/cases/{case}/note", fields, accepted=(303, 409))
        else:
            await self.assign(kind, case)

    async def assign(self, kind: str = "case assigned", case: str = "") -> None:
        """Give a case to somebody: what all lists count is another thing from then on."""
        self._read_page()
        case = case or self._draw.choice(self._cases)
        page = (await self._web.get(f"/cases/{case}")).text
        colleague = _COLLEAGUE.search(page)
        if colleague is None:
            # It is worked on already: the stage does not allow it any more.
            return
        fields = {**self._version(page), "assignee": colleague[1]}
        await self._timed(kind, f"/cases/{case}/assign", fields, accepted=(303, 409))

    @staticmethod
    def _version(page: str) -> dict[str, str]:
        return {"version": _VERSION.findall(page)[0]}

    async def _timed(
        self,
        kind: str,
        path: str,
        fields: dict[str, str] | None = None,
        accepted: tuple[int, ...] = (200, 303),
    ) -> None:
        if fields is None:
            answer = await self._web.get(path)
        else:
            answer = await self._web.post(path, {"csrf": self._csrf, **fields})
        self._clicks.seconds[kind].append(answer.seconds)
        if answer.status not in accepted:
            self._clicks.failures.append(f"{kind}: {answer.status}")
        self._page = answer.text

    def _read_page(self) -> None:
        """What the last page offers, looked at once the next click needs it."""
        text, self._page = self._page, ""
        self._csrf = (_CSRF.findall(text) or [self._csrf])[0]
        cases, leads = _CASE.findall(text), _LEAD.findall(text)
        if "/lists/" in text and 'class="leads"' in text:
            self._cases, self._leads = cases or self._cases, leads or self._leads
            self._next_page = (_NEXT_PAGE.findall(text) or [""])[0]
