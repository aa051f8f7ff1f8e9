"""A feed of which two threads read files: its connection is one, and nothing of it is fetched once it is closed."""

import io
import threading

import pytest

from connectors.errors import FeedUnavailable
from pipelines.intake.people import _OpenedInTurn


class Shelf:
    """A department that notes who asks while another is served."""

    source = "roster"

    def __init__(self):
        self.served, self.together, self.is_closed = 0, 0, False

    def receipt(self):
        return None

    def names(self):
        return []

    def open(self, name):
        self.served += 1
        self.together = max(self.together, self.served)
        threading.Event().wait(0.02)
        self.served -= 1
        return io.BytesIO(name.encode())

    def close(self):
        self.is_closed = True


def test_files_are_opened_one_after_the_other():
    shelf = Shelf()
    feed = _OpenedInTurn(shelf)
    readers = [threading.Thread(target=feed.open, args=(f"{number}.csv",)) for number in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert shelf.together == 1


def test_nothing_is_fetched_from_a_closed_feed():
    shelf = Shelf()
    feed = _OpenedInTurn(shelf)
    feed.close()
    assert shelf.is_closed
    with pytest.raises(FeedUnavailable, match="given up"):
        feed.open("members.csv")
