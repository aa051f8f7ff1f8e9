"""Servers that answer what no honest department would: each answer is written out byte for byte."""

import socket
import threading
from contextlib import contextmanager

import pytest

from connectors.errors import FeedRefused, FeedUnavailable
from connectors.feeds import open_feed
from tests.transports.conftest import IMPATIENT


@contextmanager
def answering(*answers, **options):
    """A feed of tax whose server gives these answers, one a connection, the last one for ever.

    Yields feed, requests.
    """
    requests = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            for number in range(100):
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    requests.append(connection.recv(65536).decode())
                    connection.sendall(answers[min(number, len(answers) - 1)])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        environ = {"HEDUI_FEED_TAX": f"http://127.0.0.1:{listening.getsockname()[1]}/tax"}
        environ |= {f"HEDUI_FEED_TAX__{key}": value for key, value in (IMPATIENT | options).items()}
        feed = open_feed("tax", None, environ)
        yield feed, requests
        feed.close()
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def answer(body=b"", status="200 OK", length=None, **headers):
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body) if length is None else length}",
        "Connection: close",
    ]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def test_a_torn_file_is_continued_under_the_same_version():
    with answering(
        answer(b"first,", length=11, ETag='"a"'),
        answer(b"whole", status="206 Partial Content", ETag='"a"', Content_Range="bytes 6-10/11"),
    ) as (feed, requests):
        assert feed.open("x.csv").read() == b"first,whole"
    assert "range: bytes=6-" in requests[1].lower()
    assert 'if-range: "a"' in requests[1].lower()


def test_a_torn_file_that_was_replaced_meanwhile_begins_anew():
    with answering(answer(b"old", length=11, ETag='"a"'), answer(b"new and whole", ETag='"b"')) as (feed, _):
        assert feed.open("x.csv").read() == b"new and whole"


def test_a_torn_file_without_a_version_begins_anew():
    with answering(answer(b"half of", length=20), answer(b"half of it and the rest")) as (feed, requests):
        assert feed.open("x.csv").read() == b"half of it and the rest"
    assert "range:" not in requests[1].lower()


@pytest.mark.parametrize("span", ["bytes 0-4/11", "bytes 7-10/11", "bytes 6-9/11", "bytes */11", "nonsense"])
def test_a_part_that_was_not_asked_for_is_thrown_away(span):
    with answering(
        answer(b"first,", length=11, ETag='"a"'),
        answer(b"xxxxx", status="206 Partial Content", ETag='"a"', Content_Range=span),
        answer(b"first,whole", ETag='"a"'),
    ) as (feed, _):
        assert feed.open("x.csv").read() == b"first,whole"


def test_a_file_that_always_ends_early_is_never_handed_out():
    with (
        answering(answer(b"half", length=8)) as (feed, _),
        pytest.raises(FeedUnavailable, match="4 times in a row"),
    ):
        feed.open("x.csv")


@pytest.mark.parametrize(
    "bad",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nthe end is where the connection ends",
        answer(status="302 Found", Location="http://127.0.0.1:9/"),
        answer(status="400 Bad Request"),
        answer(status="401 Unauthorized"),
        answer(status="403 Forbidden"),
    ],
)
def test_an_answer_that_trying_again_cannot_better_is_refused(bad):
    with answering(bad) as (feed, requests):
        for ask in (feed.receipt, feed.names, lambda: feed.open("x.csv")):
            with pytest.raises(FeedRefused):
                ask()
    assert len(requests) == 3


def test_a_compressed_file_is_refused():
    with (
        answering(answer(b"\x1f\x8b", Content_Encoding="gzip")) as (feed, _),
        pytest.raises(FeedRefused, match="compressed"),
    ):
        feed.open("x.csv")


@pytest.mark.parametrize("listing", [b"no json", b"[]", b'{"files": 3}', b'{"files": [3]}'])
def test_a_list_of_another_form_is_an_error(listing):
    with answering(answer(listing)) as (feed, _), pytest.raises((FeedRefused, FeedUnavailable)):
        feed.names()


def test_names_that_leave_the_feed_are_not_listed():
    with answering(answer(b'{"files": ["../../etc/passwd", "a/b", "ok.csv", "receipt.json", ".."]}')) as (
        feed,
        _,
    ):
        assert feed.names() == ["ok.csv"]


def page(rows, cursor, total, version="v", columns='["a", "b"]'):
    facts = (
        f'"columns": {columns}, "rows": {rows}, "next": {cursor}, "total": {total}, "version": "{version}"'
    )
    return answer(f"{{{facts}}}".encode())


@pytest.mark.parametrize(
    "pages",
    [
        [page("[[1, 2]]", "null", 2)],  # fewer rows than stated
        [page("[[1, 2], [3, 4]]", "null", 1)],  # more
        [page("[]", '"again"', 3)],  # a cursor that leads nowhere
        [page("[[1, 2]]", '"1"', 9, "v1"), page("[[1, 2]]", '"1"', 9, "v2")],  # another version on every page
    ],
)
def test_pages_that_do_not_add_up_are_never_a_file(pages):
    with answering(*pages, MODE="paged") as (feed, _), pytest.raises(FeedUnavailable):
        feed.open("income-1.csv")


@pytest.mark.parametrize("bad", ["[[1]]", "[3]", "3"])
def test_pages_of_another_form_are_refused(bad):
    with (
        answering(page(bad, "null", 1), MODE="paged") as (feed, _),
        pytest.raises(FeedRefused, match="another form"),
    ):
        feed.open("income-1.csv")


def test_a_workbook_is_not_made_from_pages():
    with answering(page("[]", "null", 0), MODE="paged") as (feed, _):
        environ = {"HEDUI_FEED_RURAL_REVITALISATION": feed.connection._settings.url.geturl()}
        rural = open_feed(
            "rural_revitalisation", None, environ | {"HEDUI_FEED_RURAL_REVITALISATION__MODE": "paged"}
        )
        with pytest.raises(FeedRefused, match="workbooks"):
            rural.open("440103.xlsx")
        rural.close()
