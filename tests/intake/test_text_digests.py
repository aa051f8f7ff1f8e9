"""A text has the same number whether its bytes are taken as they stand in a file or it is decoded first."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.identity.cipher import Tokeniser
from pipelines.identity.names import is_readable, normalise_name
from pipelines.identity.text_hash import TextsInBlock
from pipelines.intake.scan import PADDING
from pipelines.intake.text_digests import Digests, TextDigests
from tests.flow.long_runs import examples
from tests.identity.digests import digest_of

CIPHER = Tokeniser(bytes(range(32)))
ENCODINGS = ["utf-8", "gb18030"]
KINDS = ["name", "identifier", "text", "carried"]
# The fast road hands on characters of up to three bytes in UTF-8, of two in GB18030.
PLAIN = {
    "utf-8": [chr(place) for place in range(1, 0x10000) if not 0xD800 <= place < 0xE000],
    "gb18030": [
        bytes([first, second]).decode("gb18030")
        for first in range(0x81, 0xFF)
        for second in (*range(0x40, 0x7F), *range(0x80, 0xFF))
    ]
    + [chr(place) for place in range(1, 128)],
}


def read(texts: list[str], encoding: str, kind: str, doubled: bool = False) -> tuple[Digests, list[str]]:
    """The numbers of texts as they stand in a block, and those of them that had to be decoded."""
    raws = [text.encode(encoding) for text in texts]
    ends = np.cumsum([0, *map(len, raws)])
    block = np.frombuffer(b"".join(raws) + b"\xa1" * PADDING, np.uint8).copy()
    begins = ~ends[:-1] if doubled else ends[:-1]
    spans = np.column_stack([begins, ends[1:]]).astype(np.int32)
    decoded: list[str] = []

    def decode(rows: np.ndarray) -> pa.Array:
        decoded.extend(texts[row].strip() for row in rows)
        return pa.array([texts[row].strip() for row in rows], pa.string())

    rows = np.arange(len(texts))[::-1].copy()
    standing = TextsInBlock(block, spans, rows, encoding == "gb18030", decode)
    digests, readable = TextDigests(kind, CIPHER).of_block(standing)
    return (digests[::-1], readable[::-1]), decoded


def assert_same(texts: list[str], encoding: str, kind: str, doubled: bool = False) -> None:
    (digests, readable), _ = read(texts, encoding, kind, doubled)
    wanted = TextDigests(kind, CIPHER).of_texts(pa.array([text.strip() for text in texts], pa.string()))
    assert digests.tolist() == wanted[0].tolist()
    assert readable.tolist() == wanted[1].tolist()


@pytest.mark.parametrize("kind", ["name", "text"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("around", ["{}", "张{}", "{}三", "a{}", "{}é"])
def test_every_plain_character_counts_as_when_it_is_decoded(around: str, encoding: str, kind: str) -> None:
    texts = [around.format(character) for character in PLAIN[encoding]]
    if encoding == "gb18030":
        texts = [text.replace("é", "Б") for text in texts]
    assert_same(texts, encoding, kind)


MIXED = st.sampled_from('张三李四·. 　?□\ue000"a\tZ１：Б〇䶮')


@settings(max_examples=examples(80), deadline=None)
@given(
    st.lists(st.text(MIXED, max_size=5) | st.text(MIXED, min_size=60, max_size=140), max_size=8),
    st.sampled_from(ENCODINGS),
    st.sampled_from(KINDS),
    st.booleans(),
)
def test_texts_count_as_when_they_are_decoded(
    texts: list[str], encoding: str, kind: str, doubled: bool
) -> None:
    assert_same(texts, encoding, kind, doubled)


COMPOSING = st.sampled_from("e\u0301\u0308가ᄀ\u11a8か\u3099ΣAａ·张\u3000\u1100\u1161") | st.characters(
    codec="utf-8", max_codepoint=0xFFFF
)


@settings(max_examples=examples(80), deadline=None)
@given(st.lists(st.text(COMPOSING, max_size=5), max_size=8))
def test_characters_that_meet_in_a_name_count_as_when_it_is_decoded(names: list[str]) -> None:
    (digests, readable), _ = read(names, "utf-8", "name")
    normal = [normalise_name(name) for name in names]
    assert digests.tolist() == digest_of(pa.array(normal, pa.string()), "name", CIPHER).tolist()
    assert readable.tolist() == [is_readable(name) for name in normal]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_names_and_texts_as_they_mostly_stand_are_not_decoded(encoding: str) -> None:
    names = ["张三", "古丽巴哈尔·吐尔逊", "魏　荣斌", "蔡□", "Li Ming", "王？", ""]
    assert read(names, encoding, "name")[1] == []
    texts = ["6217000012345678901", "91999448000601845J", "示例林村股份经济合作社", "", "（示例）公司"]
    assert read(texts, encoding, "text")[1] == []


def test_a_text_with_doubled_quotes_is_decoded() -> None:
    for kind in KINDS:
        assert read(["张三"], "utf-8", kind, doubled=True)[1] == ["张三"]


def test_what_is_kept_is_a_digest_and_no_hash() -> None:
    texts = ["6217000012345678901", "张三"]
    (folded, _), (account, _), (name, _) = (
        read(texts, "utf-8", kind)[0] for kind in ("text", "identifier", "name")
    )
    assert account.tolist() == digest_of(pa.array(texts), "account", CIPHER).tolist()
    assert name.tolist() == digest_of(pa.array(texts), "name", CIPHER).tolist()
    assert len({*folded.tolist(), *account.tolist(), *name.tolist()}) == 6
