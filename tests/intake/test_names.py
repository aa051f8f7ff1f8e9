"""Names agree in their normal form; a name with a placeholder in it can be compared with nothing."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.identity.cipher import Tokeniser
from pipelines.identity.names import digest_names, is_readable, normalise_name
from tests.flow.long_runs import examples
from tests.identity.digests import digest_of

CIPHER = Tokeniser(bytes(range(32)))
EQUAL = [
    ("阿依古丽·买买提", "阿依古丽•买买提", "阿依古丽.买买提", "阿依古丽・买买提", "阿依古丽‧买买提", "阿依古丽∙买买提", "阿依古丽 买买提",
     "阿依古丽　买买提", "阿依古丽\u2028买买提", "阿依古丽．买买提", "阿依古丽･买买提", "·阿依古丽买买提·"),
    ("Li Ming", "LIMING", "ｌｉ　ｍｉｎｇ", "li.ming"),
    ("é", "e\u0301", "É"),
    ("㈱", "(株)"),
    ("ß", "SS"),
]  # fmt: skip
DIFFERENT = [
    "张三",
    "张叁",
    "三张",
    "张三三",
    "張三",
    "张三\u200b",
    "张三\ufe00",
    "张三,",
    "张-三",
    "张三\x00",
    "龙",
    "龍",
    "凉",
    "\u51c9a",
]
UNREADABLE = [
    "",
    " ",
    "·",
    "　\t",
    "张?",
    "张？",
    "*",
    "张＊",
    "□",
    "张■",
    "〓",
    "\ufffd",
    "张\ue000",
    "\U000f0000张",
    "\U0010fffd",
    "﹖",
]
READABLE = ["张", "张三", "x", "1", "😀", "\u200b", "\u202e", "𠮷", "坾", "=1+1", "-", "\x00", "名"]


@pytest.mark.parametrize("names", EQUAL, ids=[names[0] for names in EQUAL])
def test_spellings_of_one_name_are_equal(names: tuple[str, ...]) -> None:
    assert len({normalise_name(name) for name in names}) == 1
    digests, readable = digest_names(pa.array(names), CIPHER)
    assert len(set(digests.tolist())) == 1 and readable.all()


def test_names_that_differ_stay_different() -> None:
    digests, _ = digest_names(pa.array(DIFFERENT), CIPHER)
    assert len(set(digests.tolist())) == len(DIFFERENT)


def test_a_compatibility_character_is_the_character_it_stands_for() -> None:
    digests, _ = digest_names(pa.array(["\uf979", "凉"]), CIPHER)  # one of the twelve that NFKC folds
    assert digests[0] == digests[1]


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_names(name: str) -> None:
    assert not is_readable(normalise_name(name))
    assert digest_names(pa.array(["张三", name]), CIPHER)[1].tolist() == [True, False]


@pytest.mark.parametrize("name", READABLE)
def test_readable_names(name: str) -> None:
    assert digest_names(pa.array([name, "张三"]), CIPHER)[1].tolist() == [True, True]


def by_hand(name: str) -> tuple[str, bool]:
    folded = unicodedata.normalize("NFKC", name)
    plain = "".join(c for c in folded if not c.isspace() and c not in "·•.・‧∙").upper()
    bad = any(c in "?*□■〓\ufffd" or unicodedata.category(c) == "Co" for c in plain)
    return plain, bool(plain) and not bad


def test_every_character_is_left_out_or_unreadable_as_by_hand() -> None:
    for character in map(chr, range(0x110000)):
        assert (normalise_name("a" + character), is_readable(character)) == (
            by_hand("a" + character)[0],
            not (character in "?*□■〓\ufffd" or unicodedata.category(character) == "Co"),
        ), hex(ord(character))


CHARACTERS = st.sampled_from("一丁龥鿿鿾䷿ꀀ张三 ·?□\ue000a\u3000\u0301ﬀ豈") | st.characters(codec="utf-8")


@settings(max_examples=examples(80), deadline=None)
@given(st.lists(st.text(CHARACTERS, max_size=5), max_size=8))
def test_a_column_of_names_is_digested_as_each_name_by_hand(names: list[str]) -> None:
    digests, readable = digest_names(pa.array(names, pa.string()), CIPHER)
    assert readable.tolist() == [by_hand(name)[1] for name in names]
    assert (
        digests.tolist()
        == digest_of(pa.array([by_hand(name)[0] for name in names], pa.string()), "name", CIPHER).tolist()
    )
    for one, name in zip(digests.tolist(), names, strict=True):
        for other, twin in zip(digests.tolist(), names, strict=True):
            assert (one == other) == (by_hand(name)[0] == by_hand(twin)[0])
