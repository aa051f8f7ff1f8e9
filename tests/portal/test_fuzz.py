"""Every address of the desk with bad input of a seed: never a fault of ours, never a trace, nothing foreign."""

from __future__ import annotations

import logging
import random
import re
from urllib.parse import quote

import httpx
import pytest
from bs4 import BeautifulSoup

from portal.routing import PAGES
from tests.portal.conftest import load_sample
from tests.portal.desks import serve_desk
from tests.portal.naughty import STRINGS

SEED = 20260630
ROUNDS = 3
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
FIELDS = (
    "version", "lead", "code", "note", "body", "reason", "until", "visited_on", "investigator_1", "investigator_2", "met", "findings",
    "disposal", "reasons", "basis", "monthly_effect", "effective_on", "answer", "served_on", "service", "raised_on", "grounds", "result",
    "department", "need", "referral", "contacted_on", "assignee", "typed", "format", "act", "login", "display_name", "role", "region",
    "password", "old", "new", "again", "case", "file",
)  # fmt: skip
QUERIES = (
    "view",
    "rule",
    "state",
    "stage",
    "county",
    "township",
    "due",
    "assignee",
    "q",
    "page",
    "month",
    "done",
    "next",
    "lacks",
)
ODD = (
    "", "0", "-1", "11010519491231002X", "110105194912310021", "1", "2", "1.5", "9" * 40, "1e9", "NaN", "Infinity", "2026-13-45", "0000-00-00", "9999-12-31", "2026-07-01", "\x00", "a\x00b",
    "٣", "１", "²", "[]", "{}", "null", "../../etc/passwd", "%00", "%ff", "\ud83d".encode("utf-8", "replace").decode(), "x" * 5000, "number:zz",
    "name:" + "0" * 64, "number:" + "00" * 16, "open", "confirmed", "stop", "exit", "agree", "csv", "xlsx", "440104", "H1", "F1", "'; drop table leads --",
)  # fmt: skip
# What only a fault of ours would say, and what the officer of 440104 may not read.
TRACES = re.compile(
    r"Traceback|File \"|sqlalchemy|sqlite3|psycopg|jinja2|portal[./\\]|\bselect\b.+\bfrom\b|0x[0-9a-f]{8,}",
    re.IGNORECASE,
)
FOREIGN = ("张三", "李四", "王五", "孙七", "990101195001010", "440103-20260630")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    limits = {"sign_ins_per_minute": 100_000, "downloads_per_hour": 10_000, "reveals_per_hour": 10_000}
    with serve_desk(tmp_path_factory.mktemp("fuzz"), **limits) as served:
        load_sample(served)
        yield served


@pytest.fixture(scope="module")
def seats(desk):
    """Somebody who may do the work, of another county than most leads; who keeps accounts; who audits; nobody."""
    return {
        "far": desk.officer("far", "county", "440104"),
        "guanli": desk.officer("guanli", "admin", "44"),
        "shenji": desk.officer("shenji", "auditor", "44"),
        "nobody": desk.hire("nobody", "county", "440104"),
    }


class Draw:
    """Bad input, the same for the same seed."""

    def __init__(self, seed: object) -> None:
        self.random = random.Random(f"{SEED}-{seed}")

    def value(self) -> str:
        return self.random.choice(STRINGS if self.random.random() < 0.4 else ODD)

    def address(self, path: str) -> str:
        """The path of a page with its parameters filled, the query drawn."""
        filled = re.sub(
            r"\{\w+:int\}",
            lambda _: self.random.choice(("0", "1", "2", "4", "999999", "110105194912310021", "9" * 30)),
            path,
        )
        filled = filled.replace(
            "{slug}",
            self.random.choice(("discrepancies", "newly-eligible", quote(self.value()[:80], safe=""))),
        )
        filled = filled.replace(
            "{as_of}",
            self.random.choice(
                ("2026-06-30", "2026-6-30", "..%2f..%2fkeyring", quote(self.value()[:80], safe=""))
            ),
        )
        given = [f"{name}={quote(self.value()[:2000])}" for name in self.random.sample(QUERIES, 3)]
        return f"{filled}?{'&'.join(given)}"

    def fields(self) -> dict[str, str]:
        return {name: self.value() for name in self.random.sample(FIELDS, 12)}

    def body(self) -> tuple[bytes, str]:
        """A body that is no form at all, or a broken one, with its type."""
        kinds = (
            (b"", "application/x-www-form-urlencoded"),
            (b"%%%=%zz&&==&csrf", "application/x-www-form-urlencoded"),
            (b"csrf=\xff\xfe\x00&version=\xff", "application/x-www-form-urlencoded"),
            (b"a=1&" * 3000, "application/x-www-form-urlencoded"),
            (b"--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nx", "multipart/form-data; boundary=b"),
            (b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b"),
            (b"--b\r\nContent-Disposition: form-data; name=\"\xff\"; filename=\"\xff\"\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b"),
            (b"x" * 2000, "multipart/form-data"),
            (b"x" * 2000, "multipart/form-data; boundary="),
            (b"{\"csrf\": 1}", "application/json"),
            (b"x", "text/plain; charset=nonsense"),
            (b"csrf=x", "application/x-www-form-urlencoded; charset=utf-16"),
        )  # fmt: skip
        return self.random.choice(kinds)


def judge(answer: httpx.Response, told: object, *, foreign: bool = True) -> None:
    assert answer.status_code < 500, (told, answer.status_code)
    shown = answer.content.decode("utf-8", "replace") + str(answer.headers)
    # A report of a night is the pipeline's page; elsewhere nothing of ours may look like a trace.
    assert not TRACES.search(shown.replace("/static/desk", "")), (told, TRACES.search(shown))
    assert not foreign or not [secret for secret in FOREIGN if secret in shown], told
    assert (
        answer.headers["content-security-policy"] and answer.headers["x-content-type-options"] == "nosniff"
    ), told


def echoes(fields: dict[str, str], answer: httpx.Response) -> list[str]:
    """Typed values that a refusal repeats in its own words; what is given back to copy stands in a text area."""
    page = BeautifulSoup(answer.text, "html.parser")
    for given_back in page.find_all("textarea"):
        given_back.decompose()
    typed = [value for value in fields.values() if len(value) > 7 and value not in ODD]
    return [value for value in typed if answer.status_code >= 400 and value in page.get_text()]


@pytest.mark.parametrize("who", ["far", "guanli", "shenji", "nobody"])
def test_every_page_takes_bad_queries_and_forms(desk, seats, who, caplog):
    officer, tried = seats[who], 0
    token = officer.csrf("/sign-in" if who == "nobody" else "/account/password")
    with caplog.at_level(logging.WARNING):
        for page in PAGES:
            if page.path == "/sign-out" or (
                who != "nobody" and page.path in ("/sign-in", "/account/password")
            ):
                continue
            draw = Draw(f"{who}{page.method}{page.path}")
            for _ in range(ROUNDS):
                address = draw.address(page.path)
                if page.method == "GET":
                    judge(officer.get(address), (who, address))
                else:
                    fields = draw.fields()
                    answer = officer.web.post(address, data={"csrf": token, **fields})
                    judge(answer, (who, address, fields))
                    assert echoes(fields, answer) == [], (who, address)
                tried += 1
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert tried > 100


def test_every_page_takes_bodies_that_are_no_forms(desk, seats, caplog):
    officer = seats["far"]
    with caplog.at_level(logging.WARNING):
        for page in PAGES:
            if page.method == "POST":
                draw = Draw(f"body{page.path}")
                for _ in range(ROUNDS):
                    content, kind = draw.body()
                    answer = officer.web.post(
                        draw.address(page.path), content=content, headers={"content-type": kind}
                    )
                    judge(answer, (page.path, kind, content[:60]))
                    assert answer.status_code in (303, 400, 403, 404, 413, 422), (
                        page.path,
                        kind,
                        content[:60],
                    )
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_every_address_takes_every_method(desk, seats, caplog):
    officer = seats["far"]
    with caplog.at_level(logging.WARNING):
        for path in sorted(
            {page.path for page in PAGES} | {"/static/desk.css", "/health", "/nothing", "/sign-on/back"}
        ):
            offered = {page.method for page in PAGES if page.path == path}
            draw = Draw(f"methods{path}")
            for method in METHODS:
                if method not in offered:
                    answer = officer.web.request(method, draw.address(path))
                    judge(answer, (method, path))
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert officer.get("/").status_code == 200, "still signed in, still served"


@pytest.mark.parametrize("headers", [
    {"cookie": "desk=\xff\xfe"}, {"cookie": "desk=" + "x" * 6000}, {"cookie": ";;==;desk;desk=a;desk=b"}, {"host": ""}, {"host": "127.0.0.1:99999"},
{"origin": "null"}, {"origin": "http://["}, {"origin": "\xff"}, {"x-forwarded-for": "'><script>"},
    {"x-forwarded-host": "evil.example"}, {"accept-encoding": "\xff"}, {"range": "bytes=0-0,-1"}, {"if-none-match": "*"}, {"referer": "javascript:1"},
    {"expect": "100-continue"}, {"x-http-method-override": "DELETE"},
], ids=lambda headers: next(iter(headers)))  # fmt: skip
def test_odd_headers(desk, seats, headers, caplog):
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    with caplog.at_level(logging.ERROR):
        for method, path in (
            ("GET", "/lists/discrepancies"),
            ("POST", "/lists/discrepancies/search"),
            ("POST", "/sign-in"),
        ):
            try:
                answer = httpx.request(
                    method,
                    f"{desk.address}{path}",
                    headers=raw,
                    content=b"csrf=x" if method == "POST" else None,
                    timeout=10,
                )
            except httpx.RemoteProtocolError:
                continue  # closed without an answer: the server took it for no HTTP at all
            assert answer.status_code < 500 and "evil.example" not in answer.text + str(answer.headers)
            assert not TRACES.search(answer.text)
    assert [record for record in caplog.records if record.name.startswith("portal")] == []


def test_a_number_that_looks_like_a_persons_reaches_no_log_and_breaks_nothing(desk, seats):
    """The audit log refuses entries with an identity number; an address with one must not trip over that."""
    officer, person = seats["far"], "110105194912310021"
    token = officer.csrf()
    queries = [f"{name}={person}" for name in QUERIES]
    for query in queries:
        answer = officer.web.post(
            f"/lists/discrepancies/download?{query}", data={"csrf": token, "format": "csv"}
        )
        assert answer.status_code == 200, query
    for path in (
        f"/cases/{person}/note",
        f"/lists/{person}/search",
        f"/users/{person}",
        f"/cases/{person}/reveal",
    ):
        for sent in (token, "x"):
            assert officer.web.post(path, data={"csrf": sent}).status_code in (403, 404), path
    assert person.encode() not in (desk.home / "audit" / "log.jsonl").read_bytes()
