"""A text found again by its bytes has the digest it would have if it were decoded and digested anew."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.identity.cipher import Tokeniser
from pipelines.identity.names import digest_names
from pipelines.intake.remembered import LONGEST, Digests, RememberedTexts
from pipelines.intake.scan import PADDING
from tests.flow.long_runs import examples

CIPHER = Tokeniser(bytes(range(32)))
TEXTS = st.sampled_from(["", "张三", "李四", "张三丰", "x" * LONGEST, "x" * (LONGEST + 1), "12345678", "□□"])
BATCHES = st.lists(st.lists(TEXTS | st.text(st.sampled_from("ab张"), max_size=4), max_size=12), max_size=5)


class Feed:
    """Batches of texts in blocks, and how many of them were digested."""

    def __init__(self, most: int) -> None:
        self.digested: list[str] = []
        self.remembered = RememberedTexts(self._digest, most)

    def _digest(self, texts: pa.Array) -> Digests:
        self.digested += texts.to_pylist()
        return digest_names(texts, CIPHER)

    def read(self, texts: list[str]) -> Digests:
        raws = [text.encode() for text in texts]
        ends = np.cumsum([0, *map(len, raws)])
        block = np.frombuffer(b"".join(raws) + b"\xff" * PADDING, np.uint8).copy()
        spans = np.column_stack([ends[:-1], ends[1:]]).astype(np.int32)
        rows = np.arange(len(texts))[::-1].copy()
        digests, readable = self.remembered.of_spans(
            block, spans, rows, lambda unmet: pa.array([texts[row] for row in unmet], pa.string())
        )
        return digests[::-1], readable[::-1]


@settings(max_examples=examples(80), deadline=None)
@given(BATCHES, st.sampled_from([1, 4, 256]))
def test_digests_are_those_of_the_texts(batches: list[list[str]], most: int) -> None:
    feed = Feed(most)
    for texts in batches:
        digests, readable = feed.read(texts)
        wanted, wanted_readable = digest_names(pa.array(texts, pa.string()), CIPHER)
        assert digests.tolist() == wanted.tolist()
        assert readable.tolist() == wanted_readable.tolist()


def test_a_spelling_is_digested_once() -> None:
    feed = Feed(16)
    for _ in range(3):
        feed.read(["张三", "张三", "李四"])
    assert sorted(feed.digested) == ["张三", "李四"]


@pytest.mark.parametrize("text", ["x" * (LONGEST + 1), "王" * LONGEST])
def test_what_is_too_long_is_digested_in_every_block(text: str) -> None:
    feed = Feed(16)
    for _ in range(3):
        feed.read([text, text])
    assert feed.digested == [text] * 3


def test_what_there_is_no_room_for_is_digested_again() -> None:
    feed = Feed(1)
    for _ in range(2):
        feed.read(["张三", "李四"])
    assert sorted(feed.digested) == ["张三", "李四", "李四"] or sorted(feed.digested) == [
        "张三",
        "张三",
        "李四",
    ]


def test_a_text_with_doubled_quotes_is_compared_with_nothing() -> None:
    # It stands at ~begin. Taken for a place it would lie ahead of the block, as far as the block reaches here.
    block = np.frombuffer(b"abcdef..abcdef".ljust(14 + PADDING, b"\0"), np.uint8).copy()
    whole = np.frombuffer(b"abcdef" + b"\0" * 10 + block.tobytes(), np.uint8).copy()
    spans = np.array([[~15, -10], [8, 14]], np.int32)  # as far ahead as whole begins, and the second abcdef
    told: list[list[int]] = []

    def text(rows: np.ndarray) -> pa.Array:
        told.append(rows.tolist())
        return pa.array([f"text {row}" for row in rows])

    remembered = RememberedTexts(lambda texts: digest_names(texts, CIPHER), 16)
    digests, _ = remembered.of_spans(whole[16:], spans, np.arange(2), text)
    assert told == [[0, 1]] and digests[0] != digests[1]
