"""Addresses and options: what is wrong stops the feed before anything is connected, and no secret is told."""

import pytest

from connectors.errors import FeedRefused
from connectors.feeds import open_feed

PINNED = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9n5wB3pT5h0cQbqvQmZ1sG7yqkq0n2mTg0YQv0Y1xL"
SQL = "postgresql+psycopg://reader@127.0.0.1/x"
VIEWS = {"RECEIPT_VIEW": "shared.receipts", "VIEW": "shared.tax"}


@pytest.mark.parametrize(
    ("address", "options", "message"),
    [
        ("ftp://there/tax", {}, "scheme 'ftp'"),
        ("/srv/feeds/tax", {}, "scheme ''"),
        ("file:///etc", {}, "scheme 'file'"),
        ("sqlite:///x.db", {}, "scheme 'sqlite'"),
        ("http://tax.example/feed", {}, "plain http to another machine"),
        ("https://user@tax.example/feed", {}, "user name"),
        ("https://user:hunter2@tax.example/feed", {}, "a password inside HEDUI_FEED_TAX"),
        ("https://tax.example/feed?x=1", {}, "query"),
        ("https://tax.example/feed#x", {}, "#"),
        ("https://tax.example:port/feed", {}, "no address"),
        ("https://tax.example/feed", {"MODE": "fast"}, "MODE"),
        ("https://tax.example/feed", {"KEYID": "x"}, "the option HEDUI_FEED_TAX__KEYID"),
        ("https://tax.example/feed", {"HOST_KEY": PINNED}, "the option HEDUI_FEED_TAX__HOST_KEY"),
        ("https://tax.example/feed", {"KEY_ID": "county"}, "no HEDUI_FEED_TAX__KEY"),
        ("https://tax.example/feed", {"ATTEMPTS": "many"}, "ATTEMPTS that is no number"),
        ("https://tax.example/feed", {"CA": "/not/there.pem"}, "certificate files"),
        ("https://tax.example/feed", {"KEY_ID": "county", "KEY_FILE": "/not/there"}, "unreadable"),
        ("sftp://tax.example/feed", {"HOST_KEY": PINNED}, "user name"),
        ("sftp://county@tax.example/feed", {}, "no HEDUI_FEED_TAX__HOST_KEY"),
        ("sftp://county@tax.example/feed", {"HOST_KEY": "ssh-ed25519 nonsense"}, "HOST_KEY or SSH_KEY"),
        (
            "sftp://county@tax.example/feed",
            {"HOST_KEY": PINNED, "SSH_KEY": "/not/there"},
            "HOST_KEY or SSH_KEY",
        ),
        (SQL, {"VIEW": "shared.tax"}, "no HEDUI_FEED_TAX__RECEIPT_VIEW"),
        (SQL, {"RECEIPT_VIEW": "shared.receipts"}, "no view for the file"),
        (SQL, VIEWS | {"VIEW": "tax; drop table x"}, "a view name that is none"),
        (SQL, VIEWS | {"VIEW": 'a"b'}, "a view name that is none"),
        (SQL, VIEWS | {"VIEW": "a.b.c"}, "a view name that is none"),
        (SQL, VIEWS | {"RECEIPT_VIEW": "(select 1)"}, "a view name that is none"),
        ("postgresql+nothing://reader@127.0.0.1/x", VIEWS, "a database address that cannot be used"),
        ("oracle+oracledb://reader@127.0.0.1/x", VIEWS, "install the driver"),
    ],
)
def test_what_cannot_be_used_is_refused(address, options, message):
    environ = {"HEDUI_FEED_TAX": address} | {
        f"HEDUI_FEED_TAX__{key}": value for key, value in options.items()
    }
    with pytest.raises(FeedRefused, match="wanted") as refused:
        open_feed("tax", None, environ)
    assert message in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_an_address_for_a_source_without_a_contract_is_refused():
    with pytest.raises(FeedRefused, match="without a contract"):
        open_feed("moon_base", None, {"HEDUI_FEED_MOON_BASE": "https://moon.example/"})


def test_a_secret_may_stand_in_a_file_and_shows_nowhere(tmp_path):
    secret = tmp_path / "key"
    secret.write_text("hunter2\n")
    environ = {"HEDUI_FEED_TAX": "https://tax.example/feed", "HEDUI_FEED_TAX__KEY_ID": "county"}
    feed = open_feed("tax", None, environ | {"HEDUI_FEED_TAX__KEY_FILE": str(secret)})
    assert feed.connection._key.secret == b"hunter2"
    assert "hunter2" not in repr(feed.connection._key) + repr(feed.connection._settings)
    feed.close()


def test_the_options_of_one_source_are_not_those_of_another(tmp_path):
    feed = open_feed("tax", tmp_path, {"HEDUI_FEED_TAX_OFFICE": "https://other.example"})
    assert feed.receipt() is None


def test_an_error_survives_being_handed_between_processes():
    import pickle

    error = FeedRefused("tax", found="a", wanted="b", do="c")
    assert str(pickle.loads(pickle.dumps(error))) == str(error) == "tax: found a; wanted b; c"
