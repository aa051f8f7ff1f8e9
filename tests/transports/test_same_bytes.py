"""Whatever the transport, the same bytes arrive, under the same receipt."""

import json
import os
from pathlib import Path

import pytest

from connectors.departments.serve import serve
from connectors.errors import FeedError, FeedRefused
from connectors.feeds import open_feed
from tests.transports.conftest import reach
from tests.transports.handmade import CANARY, CANARY_NAME, SOURCES, delivered


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("way", ["https", "pages", "sftp", "sql"])
def test_every_transport_delivers_the_folder(departments, feeds, source, way):
    folder = open_feed(source, feeds, {})
    with reach(departments, source, way, PAGE_ROWS="7" if way == "pages" else None) as feed:
        assert delivered(feed) == delivered(folder)
        assert json.loads(feed.receipt()) == json.loads(folder.receipt())
        assert feed.names() == folder.names()


@pytest.mark.parametrize("way", ["https", "pages", "sftp", "sql"])
def test_a_file_can_be_opened_again_and_read_from_any_place(departments, feeds, way):
    content = (feeds / "banks" / "105100-1.csv").read_bytes()
    with (
        reach(departments, "banks", way) as feed,
        feed.open("105100-1.csv") as first,
        feed.open("105100-1.csv") as second,
    ):
        assert first.read(100) == second.read(100) == content[:100]
        second.seek(-50, os.SEEK_END)
        assert second.read() == content[-50:]
        assert first.read() == content[100:]


@pytest.mark.parametrize("way", ["https", "pages", "sftp", "sql"])
@pytest.mark.parametrize(
    "name", ["not-there.csv", "../tax/income-2026.csv", "..", "105100-1.csv/", "", "a\\b"]
)
def test_a_file_that_is_not_in_the_feed_is_not_found(departments, way, name):
    with reach(departments, "banks", way) as feed, pytest.raises(FileNotFoundError):
        feed.open(name)


@pytest.mark.parametrize("way", ["https", "pages", "sftp", "sql"])
def test_a_source_that_delivered_nothing_has_no_receipt(departments, way):
    departments.plan("securities", "half-drop")
    with reach(departments, "securities", way) as feed:
        assert feed.receipt() is None


@pytest.mark.parametrize("way", ["https", "pages", "sftp", "sql"])
def test_nothing_fetched_lies_in_plain_on_disk(departments, spool_folder, way):
    secrets = [text.encode(code) for text in (CANARY, CANARY_NAME) for code in ("utf-8", "gb18030")]
    with reach(departments, "banks", way) as feed:
        assert any(secret in b"".join(delivered(feed).values()) for secret in secrets)
        spools = [Path(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
        spools = [path for path in spools if str(spool_folder) in _target(path)]
        assert spools, "the spool should be among the open files; otherwise this test looks at nothing"
        for path in [*spools, *(entry for entry in spool_folder.rglob("*") if entry.is_file())]:
            content = path.read_bytes()
            assert not any(secret in content for secret in secrets)
    assert list(spool_folder.iterdir()) == []


def _target(path):
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return ""


def test_a_department_with_mutual_tls_talks_only_to_its_client_and_only_that_department_is_believed(feeds):
    with serve(feeds, http=0, tls=True) as departments:
        with reach(departments, "tax", "https") as feed:
            assert delivered(feed) == delivered(open_feed("tax", feeds, {}))
        # The mock server hangs up instead of saying why, so this may end as "not available".
        stranger = reach(departments, "tax", "https", CLIENT_CERT=None, CLIENT_KEY=None)
        with stranger as feed, pytest.raises(FeedError):
            feed.receipt()
        believer = reach(departments, "tax", "https", CA=None)
        with believer as feed, pytest.raises(FeedRefused, match="certificate that does not verify"):
            feed.receipt()
