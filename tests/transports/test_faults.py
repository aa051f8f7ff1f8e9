"""Each fault of a department ends in success after a retry or in the right error; never in half a file."""

import hashlib
import json
import time

import psycopg
import pytest

from connectors.departments.serve import serve
from connectors.errors import FeedRefused, FeedUnavailable
from connectors.feeds import open_feed
from tests.transports.conftest import reach
from tests.transports.handmade import delivered, write_feed, write_feeds

BIG = "105100-1.csv"
REMOTE = ["https", "pages", "sftp", "sql"]


@pytest.fixture(scope="module")
def big_feeds(tmp_path_factory):
    return write_feeds(tmp_path_factory.mktemp("big"), bank_rows=60_000)


@pytest.fixture(scope="module")
def big_departments(big_feeds):
    """A file of over 3 MB, and connections that are cut after 2 MB."""
    with serve(big_feeds, http=0, sftp=0, cut_after=2_000_000) as running:
        yield running


@pytest.mark.parametrize("way", ["https", "sftp"])
def test_a_torn_download_goes_on_where_it_was_cut(big_departments, big_feeds, way):
    size = (big_feeds / "banks" / BIG).stat().st_size
    assert size > 3_000_000
    big_departments.sent.clear()
    big_departments.plan("banks", "torn", times=1)
    with reach(big_departments, "banks", way) as feed:
        assert delivered(feed) == delivered(open_feed("banks", big_feeds, {}))
    assert not big_departments.faults.holds("banks", "torn"), "the connection was never cut"
    # From the start it would be at least 2 MB more; SFTP asks for one more megabyte at a time.
    assert size <= big_departments.sent["banks", BIG] < size + 1_500_000


def test_a_download_that_is_torn_more_often_than_it_may_fail_arrives_while_it_gets_on(
    big_departments, big_feeds
):
    big_departments.plan("banks", "torn", times=3)
    with reach(big_departments, "banks", "https", ATTEMPTS="2") as feed:
        assert delivered(feed) == delivered(open_feed("banks", big_feeds, {}))
    assert not big_departments.faults.holds("banks", "torn")


@pytest.mark.parametrize("way", ["https", "pages"])
@pytest.mark.parametrize("fault", ["503", "torn", "slow"])
def test_a_passing_fault_costs_only_time(departments, feeds, way, fault):
    departments.plan("tax", fault, times=2)
    with reach(departments, "tax", way) as feed:
        assert delivered(feed) == delivered(open_feed("tax", feeds, {}))


def test_too_many_requests_are_answered_by_waiting_as_long_as_asked(departments, feeds):
    departments.plan("tax", "429", times=1)
    with reach(departments, "tax", "https", BACKOFF_SECONDS="0") as feed:
        begun = time.monotonic()
        assert feed.receipt()
        assert time.monotonic() - begun >= 1


@pytest.mark.parametrize("way", ["https", "pages"])
@pytest.mark.parametrize("fault", ["503", "torn"])
def test_a_lasting_fault_is_unavailable_and_delivers_nothing(departments, way, fault):
    departments.plan("tax", fault)
    with (
        reach(departments, "tax", way) as feed,
        pytest.raises(FeedUnavailable, match=r"tax: found .* 4 times in a row"),
    ):
        delivered(feed)


def test_a_department_that_asks_for_a_longer_wait_than_the_night_has_is_given_up_at_once(departments):
    departments.plan("tax", "429")
    with (
        reach(departments, "tax", "https", DEADLINE_SECONDS="0.5") as feed,
        pytest.raises(FeedUnavailable, match="deadline"),
    ):
        feed.receipt()


def test_a_department_that_drips_is_given_up_at_the_deadline(big_departments):
    big_departments.plan("banks", "slow")
    with (
        reach(big_departments, "banks", "https", DEADLINE_SECONDS="0.5") as feed,
        pytest.raises(FeedUnavailable, match="before the deadline"),
    ):
        feed.open(BIG)
    big_departments.heal()


def test_requests_keep_the_agreed_rate(departments):
    with reach(departments, "roster", "https", REQUESTS_PER_SECOND="10") as feed:
        begun = time.monotonic()
        delivered(feed)  # a receipt and three files
        assert time.monotonic() - begun >= 0.3


@pytest.mark.parametrize("way", REMOTE)
def test_a_wrong_hash_reaches_the_intake_as_the_department_stated_it(departments, feeds, way):
    departments.plan("tax", "wrong-hash")
    with reach(departments, "tax", way) as feed:
        entry = json.loads(feed.receipt())["files"][0]
        with feed.open(entry["name"]) as stream:
            content = stream.read()
    assert content == (feeds / "tax" / entry["name"]).read_bytes()
    assert entry["sha256"] != hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("way", REMOTE)
@pytest.mark.parametrize("source", ["banks", "securities", "household_registration"])
def test_a_renamed_column_shows_in_the_header_and_under_a_true_hash(departments, feeds, way, source):
    departments.plan(source, "drift")
    with reach(departments, source, way) as feed:
        files = delivered(feed)  # the hashes hold
    first = sorted(files)[0]
    assert b"_new" in files[first]
    assert files[first].replace(b"_new", b"") == (feeds / source / first).read_bytes()


def test_a_query_interface_without_hashes_gets_those_of_what_arrived(departments, feeds):
    departments.http.pages_hashed = False
    try:
        with reach(departments, "banks", "pages") as feed:
            assert delivered(feed) == delivered(open_feed("banks", feeds, {}))
            assert [entry["rows"] for entry in json.loads(feed.receipt())["files"]] == [201, 0]
    finally:
        departments.http.pages_hashed = True


def test_what_no_table_can_hold_is_left_out_of_rows_and_receipt_alike(tmp_path):
    header = "公民身份号码,姓名,所属期,所得项目,收入额,扣缴义务人代码,扣缴义务人名称\n".encode()
    good = "440103197001010017,甲,202605,工资薪金,4500.00,,\n".encode()
    bad = b"too,few\n" + b"\xff\xfe,,,,,,\n" + b'"never closed,,,,,,\n' + b"\n"
    feeds = tmp_path / "feeds"
    write_feed(feeds / "tax", "tax", {"income-1.csv": header + bad + good}, [4])
    with serve(feeds, http=0, postgres="embedded") as departments:
        for way in ("pages", "sql"):
            with reach(departments, "tax", way) as feed:
                assert delivered(feed) == {"income-1.csv": header + good}
                assert [entry["rows"] for entry in json.loads(feed.receipt())["files"]] == [1]


def test_sftp_takes_the_newest_finished_drop_and_leaves_everything_as_it_was(tmp_path):
    feeds = tmp_path / "feeds"
    header = "公民身份号码,姓名,所属期,所得项目,收入额,扣缴义务人代码,扣缴义务人名称\n".encode()
    for day in ("20260627", "20260628", "20260629", "20260630"):
        write_feed(feeds / "tax" / day, "tax", {"income-1.csv": header + day.encode() + b",,,,,,\n"}, [1])
    (feeds / "tax" / "20260630" / "receipt.json").unlink()
    half = feeds / "tax" / "20260629" / "receipt.json"
    half.write_bytes(half.read_bytes()[:40])  # still being written
    with serve(feeds, sftp=0) as departments:
        shelf = departments.shelf.folder
        before = _tree(shelf)
        with reach(departments, "tax", "sftp") as feed:
            assert b"20260628" in delivered(feed)["income-1.csv"]
            assert feed.names() == ["income-1.csv"]
        with reach(departments, "tax", "sftp", NOT_AFTER="2026-06-27") as feed:
            assert b"20260627" in delivered(feed)["income-1.csv"]
        assert _tree(shelf) == before


def _tree(folder):
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()
    }


def test_half_a_drop_alone_is_no_delivery(departments):
    departments.plan("roster", "half-drop")
    with reach(departments, "roster", "sftp") as feed:
        assert feed.receipt() is None
        assert feed.names() == []


def test_an_sftp_link_out_of_the_drop_is_not_followed(tmp_path):
    feeds = write_feeds(tmp_path / "feeds")
    with serve(feeds, sftp=0) as departments:
        drop = departments.shelf.newest("tax").folder
        (drop / "income-x.csv").symlink_to(drop / "income-2026.csv")
        with reach(departments, "tax", "sftp") as feed:
            assert "income-x.csv" not in feed.names()
            with pytest.raises(FileNotFoundError):
                feed.open("income-x.csv")


def test_an_unknown_host_key_is_refused(feeds):
    with (
        serve(feeds, sftp=0, faults=["*=unknown-host-key"]) as departments,
        reach(departments, "tax", "sftp") as feed,
        pytest.raises(FeedRefused, match="host key") as refused,
    ):
        feed.receipt()
    assert departments.password not in str(refused.value)


def test_an_sftp_department_without_a_pinned_key_is_not_connected(departments):
    with (
        pytest.raises(FeedRefused, match="no HEDUI_FEED_TAX__HOST_KEY"),
        reach(departments, "tax", "sftp", HOST_KEY=None),
    ):
        pass


@pytest.mark.parametrize("way", ["sftp", "sql"])
def test_a_wrong_password_is_refused(departments, way):
    with (
        reach(departments, "tax", way, PASSWORD="not-the-password") as feed,
        pytest.raises(FeedRefused, match="login") as refused,
    ):
        feed.receipt()
    assert "not-the-password" not in str(refused.value)


@pytest.mark.parametrize("way", ["https", "sftp"])
def test_a_department_that_is_not_there_is_unavailable(feeds, way):
    with serve(feeds, http=0, sftp=0) as departments:
        pass
    with reach(departments, "tax", way) as feed, pytest.raises(FeedUnavailable):
        feed.receipt()


def test_a_database_connection_that_is_lost_between_receipt_and_rows_is_made_again(departments, feeds):
    with reach(departments, "banks", "sql") as feed:
        feed.receipt()
        departments.database.cut()
        assert delivered(feed) == delivered(open_feed("banks", feeds, {}))


def test_a_new_delivery_after_a_lost_database_connection_is_not_mixed_with_the_old_one(
    tmp_path, departments, feeds
):
    shelved = departments.shelf.newest("banks").folder / "receipt.json"
    with reach(departments, "banks", "sql") as feed:
        feed.receipt()
        departments.database.cut()
        shelved.write_text(shelved.read_text().replace("2026-06-29", "2026-06-30"))
        departments.database.load()
        with pytest.raises(FeedUnavailable, match="new delivery"):
            feed.open(BIG)
    departments.refresh()


def test_rows_that_change_while_they_are_read_still_belong_to_the_receipt(departments, feeds):
    with reach(departments, "banks", "sql") as feed:
        feed.receipt()
        with psycopg.connect(departments.database.owner) as connection:
            connection.execute("delete from stock.banks_accounts")
        assert delivered(feed) == delivered(open_feed("banks", feeds, {}))
        departments.refresh()  # would wait for us if the transaction were still open


def test_after_healing_the_next_night_is_clean(departments, feeds):
    for fault in ("drift", "wrong-hash", "503"):
        departments.plan("insurance", fault)
    departments.heal()
    for way in REMOTE:
        with reach(departments, "insurance", way) as feed:
            assert delivered(feed) == delivered(open_feed("insurance", feeds, {}))


def test_a_file_beyond_the_agreed_size_is_not_taken(departments):
    with (
        reach(departments, "banks", "https", MAX_BYTES="1000") as feed,
        pytest.raises(FeedUnavailable, match="larger than 1000"),
    ):
        feed.open(BIG)


def test_shelves_are_gone_after_closing(feeds):
    with serve(feeds, http=0) as departments:
        shelf = departments.shelf.folder
        assert shelf.exists()
    assert not shelf.exists()
