"""The folder of a source, and nothing outside it."""

import os

import pytest

from connectors.feeds import open_feed


@pytest.fixture
def feed(tmp_path):
    folder = tmp_path / "feeds" / "tax"
    folder.mkdir(parents=True)
    (folder / "receipt.json").write_bytes(b"{}")
    (folder / "b.csv").write_bytes(b"b")
    (folder / "a.csv").write_bytes(b"a")
    (tmp_path / "secret.csv").write_bytes(b"not yours")
    return open_feed("tax", tmp_path / "feeds", {})


def test_receipt_names_and_files(feed):
    assert feed.receipt() == b"{}"
    assert feed.names() == ["a.csv", "b.csv"]
    with feed.open("a.csv") as first, feed.open("a.csv") as second:
        assert first.read() == second.read() == b"a"


def test_without_folder_or_receipt_there_is_nothing(feed, tmp_path):
    assert open_feed("banks", tmp_path / "feeds", {}).receipt() is None
    assert open_feed("banks", tmp_path / "feeds", {}).names() == []
    assert open_feed("banks", None, {}).receipt() is None
    (feed.folder / "receipt.json").unlink()
    assert feed.receipt() is None


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../secret.csv", "/etc/passwd", "a.csv/", "x\\y", "a\0", "missing.csv", "folder"]
)
def test_a_name_that_is_no_file_of_the_folder_is_not_found(feed, name):
    (feed.folder / "folder").mkdir()
    with pytest.raises(FileNotFoundError):
        feed.open(name)


def test_a_link_out_of_the_folder_is_neither_listed_nor_opened(feed, tmp_path):
    (feed.folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (feed.folder / "loop.csv").symlink_to(feed.folder / "loop.csv")
    (feed.folder / "inside.csv").symlink_to(feed.folder / "a.csv")
    assert feed.names() == ["a.csv", "b.csv", "inside.csv"]
    assert feed.open("inside.csv").read() == b"a"
    for name in ("link.csv", "loop.csv"):
        with pytest.raises(FileNotFoundError):
            feed.open(name)


def test_a_receipt_that_is_a_link_out_of_the_folder_is_none(feed, tmp_path):
    (feed.folder / "receipt.json").unlink()
    (feed.folder / "receipt.json").symlink_to(tmp_path / "secret.csv")
    assert feed.receipt() is None


def test_a_pipe_is_not_waited_for(feed):
    os.mkfifo(feed.folder / "pipe.csv")
    assert "pipe.csv" not in feed.names()
    with pytest.raises(FileNotFoundError):
        feed.open("pipe.csv")


def test_a_name_that_is_not_utf8_is_shown_and_not_opened(feed):
    open(os.fsencode(feed.folder) + b"/\xd6\xd0.csv", "wb").close()
    assert feed.names() == ["\\xd6\\xd0.csv", "a.csv", "b.csv"]
