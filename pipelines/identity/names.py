"""Personal names: one normal form, and which names cannot be read (spec section 3)."""

# mypy: disallow-untyped-calls=False

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.identity.cipher import Tokeniser
from pipelines.identity.text_hash import (
    LEFT_OUT,
    UNKNOWN,
    UNREADABLE,
    TextsInBlock,
    codepoints,
    hash_key,
    hash_names,
    hash_texts,
    make_room,
    padded_texts,
)

_NAME: Final = "name"  # the use whose key digests of names are under

# Middle dots of transliterated names, as departments' systems write them.
_SEPARATORS: Final = "·•.・‧∙"
# The last white space of Unicode is U+3000, the ideographic one.
_LEFT_OUT: Final = {place: None for place in range(0x3001) if chr(place).isspace()} | dict.fromkeys(
    map(ord, _SEPARATORS)
)
# Characters that stand where a system could not show the real one, and those of private use (category Co).
_UNREADABLE: Final = re.compile("[?*□■〓\ufffd\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")


def normalise_name(text: str) -> str:
    """NFKC, white space and separators out, upper case."""
    return unicodedata.normalize("NFKC", text).translate(_LEFT_OUT).upper()


def is_readable(normalised: str) -> bool:
    """Whether a normalised name can be compared: not empty, no placeholder and no private-use character in it."""
    return bool(normalised) and not _UNREADABLE.search(normalised)


def digest_names(names: pa.Array, cipher: Tokeniser) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Keyed digests (64 bits) of a StringArray of names in normal form, and which of them are readable."""
    offsets, room = padded_texts(names)
    spans = np.column_stack([offsets[:-1], offsets[1:]]).astype(np.int32)
    standing = TextsInBlock(room, spans, np.arange(len(names)), False, names.take)
    return digest_names_in(standing, cipher)


def digest_names_in(names: TextsInBlock, cipher: Tokeniser) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The same of names as they stand (see text_hash.hash_names); those are decoded whose normal form takes more than
    looking at each character."""
    block, spans, rows, gb = names.block, names.spans, names.rows, names.gb
    hashes, readable = np.empty(len(rows), np.uint64), np.empty(len(rows), np.bool_)
    odd = np.empty(len(rows), np.int64)
    key, room = hash_key(_NAME, cipher), make_room()
    normal = _normal_points()
    count = hash_names(block, spans, rows, gb, codepoints(), normal, *key, room, hashes, readable, odd)
    if count:
        odd = odd[:count]
        spelled = names.decoded(rows[odd]).dictionary_encode()
        normal_forms = [normalise_name(name) for name in spelled.dictionary.to_pylist()]
        codes = spelled.indices.to_numpy()
        readable[odd] = np.array([is_readable(name) for name in normal_forms], dtype=bool)[codes]
        hashes[odd] = hash_texts(pa.array(normal_forms, pa.string()), _NAME, cipher)[codes]
    return seal_hashes(hashes, _NAME, cipher), readable


@cache
def _normal_points() -> NDArray[np.int32]:
    """What each code point of 16 bits is in a name, as text_hash.hash_names asks.

    Those alone that are the same whatever stands beside them: nothing here composes. The ideographs of Unicode's first
    block are themselves and not asked for.
    """
    points = np.full(1 << 16, UNKNOWN, np.int32)
    for first, last, added in ((0x3400, 0x4DBF, 0), (0xE000, 0xF8FF, UNREADABLE)):
        points[first : last + 1] = np.arange(first, last + 1) + added
    for point in (*range(1, 0x80), *_LEFT_OUT, *map(ord, "□■〓"), *range(0xFF01, 0xFF5F)):
        normal = normalise_name(chr(point))
        points[point] = ord(normal) + UNREADABLE * (not is_readable(normal)) if normal else LEFT_OUT
    return points


def seal_hashes(hashes: NDArray[np.uint64], use: str, cipher: Tokeniser) -> NDArray[np.int64]:
    """Digests of 64 bits: enough where equal values are only sought within one person.

    Each value's keyed hash as one block under the ring's cipher, which alone must hold for a digest to say nothing.
    """
    return cipher.permute(hashes, f"digest:{use}").view(np.int64)
