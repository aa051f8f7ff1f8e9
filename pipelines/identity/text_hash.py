"""Keyed hashes of texts, straight off the bytes in which they stand: SipHash-1-3 of their UTF-8.

A hash is kept nowhere as it is: it is folded into a
row's number (row_digest.py) or encrypted under the ring's own cipher (names.py).
"""

# mypy: disallow-untyped-defs=False, check-untyped-defs=False, disallow-untyped-calls=False

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.compiled import byte_at, compiled, fetch_ahead, inlined, word_at
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.idnumber import binary_buffers
from pipelines.identity.siphash import ROOM, sip_hashed

_HIGH = np.uint64(0x8080808080808080)
_AHEAD = 16  # rows that are on their way while one is hashed
_LONGEST = 128  # bytes of GB18030; what is longer is decoded first
_FIRST_IDEOGRAPH, _LAST_IDEOGRAPH = 0x4E00, 0x9FFF
_QUOTE = 34

# What a character is in a name's normal form: a code point, with UNREADABLE added if the name then cannot be compared.
LEFT_OUT, UNKNOWN, UNREADABLE = 0, -1, 1 << 16


@dataclass(frozen=True)
class TextsInBlock:
    """Texts as they stand at spans[rows] of a block, in UTF-8 or GB18030 (gb).

    decoded: the texts of some rows in UTF-8, trimmed, asked for where the bytes do not do; spans: (n, 2) from where to
    where each stands, from ~place with doubled quotes in it.
    """

    block: NDArray[np.uint8]
    spans: NDArray[np.int32]
    rows: NDArray[np.int64]
    gb: bool
    decoded: Callable[[NDArray[np.int64]], pa.Array]


def hash_key(use: str, cipher: Tokeniser) -> tuple[np.uint64, np.uint64]:
    """The two words of the key of one use."""
    first, second = np.frombuffer(cipher.mac(b"", f"hash:{use}")[:16], "<u8")
    return first, second


def hash_texts(texts: pa.Array, use: str, cipher: Tokeniser) -> NDArray[np.uint64]:
    """Of each text of a binary or string column; nothing is null."""
    offsets, room = padded_texts(texts)
    hashes = np.empty(len(texts), np.uint64)
    _hash_pieces(room, offsets, *hash_key(use, cipher), hashes)
    return hashes


def padded_texts(texts: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Where each text begins and the last one ends, and the bytes of all, with ROOM behind them."""
    if not len(texts):
        return np.zeros(1, np.int64), np.zeros(ROOM, np.uint8)
    offsets, data = binary_buffers(texts)
    first, last = int(offsets[0]), int(offsets[-1])
    room = np.zeros(last - first + ROOM, np.uint8)
    room[: last - first] = data[first:last]
    return offsets - first, room


@cache
def codepoints() -> NDArray[np.int32]:
    """Code points of GB18030's two-byte characters, by (first byte - 0x81) * 192 + second byte - 0x40."""
    pairs = np.array(np.meshgrid(range(0x81, 0xFF), range(0x40, 0x100), indexing="ij"), np.uint8).reshape(
        2, -1
    )
    codes = (pairs[1] != 0x7F) & (pairs[1] != 0xFF)
    characters = pairs[:, codes].T.tobytes().decode("gb18030")
    points = np.zeros(len(codes), np.int32)
    points[codes] = np.frombuffer(characters.encode("utf-32-le"), np.int32)
    return points


@compiled
def _hash_pieces(data, offsets, first_key, second_key, hashes):
    for place in range(len(hashes)):
        begin = offsets[place]
        hashes[place] = sip_hashed(data, begin, offsets[place + 1] - begin, first_key, second_key)


@inlined
def _put(room, to, point):
    """Write a code point of at most 16 bits in UTF-8. Returns where it ends."""
    if point < 0x80:
        room[to] = point
        to += 1
    elif point < 0x800:
        room[to] = 0xC0 | point >> 6
        room[to + 1] = 0x80 | point & 0x3F
        to += 2
    else:
        room[to] = 0xE0 | point >> 12
        room[to + 1] = 0x80 | point >> 6 & 0x3F
        room[to + 2] = 0x80 | point & 0x3F
        to += 3
    return to


@inlined
def _gb_point(block, at, points):
    return np.int64(points[(byte_at(block, at) - 0x81) * 192 + byte_at(block, at + 1) - 0x40])


@inlined
def _is_ascii(block, begin, end):
    found = np.uint64(0)
    at = begin
    while end - at >= 8:
        found |= word_at(block, at)
        at += 8
    if at < end:
        found |= word_at(block, at) & ((np.uint64(1) << np.uint64(8 * (end - at))) - np.uint64(1))
    return found & _HIGH == 0


@inlined
def _is_trimmed(block, begin, end, gb):
    """Whether there is surely no white space at either end of a text."""
    trimmed = True
    if begin < end:
        first, last = byte_at(block, begin), byte_at(block, end - 1)
        trimmed = first > 32 and first != 127 and last > 32 and last != 127
        if gb:
            # A1xx holds the wide space. A last byte may be a second one, of any character.
            trimmed = trimmed and first != 0xA1 and (last < 0x80 or byte_at(block, end - 2) != 0xA1)
        else:
            trimmed = trimmed and (first < 0x80 or first >= 0xE4)
            trimmed = trimmed and (last < 0x80 or (end - begin >= 3 and byte_at(block, end - 3) >= 0xE4))
    return trimmed


@compiled
def hash_spans(
    block, spans, rows, gb, points, first_key, second_key, room, hashes, odd
):  # fmt: skip
    """Hashes of the texts that stand at spans[rows] of a block of whole characters, in UTF-8 or GB18030 (`gb`).

    Places of texts that may have white space around, doubled quotes (begin < 0) or more bytes than there is room for
    go to `odd`. Returns how many.
    """
    count = 0
    last = len(rows) - 1
    for place in range(len(rows)):
        fetch_ahead(block, np.int64(spans[rows[min(place + _AHEAD, last)], 0]))
        begin, end = np.int64(spans[rows[place], 0]), np.int64(spans[rows[place], 1])
        plain = begin >= 0 and _is_trimmed(block, begin, end, gb)
        if plain and gb and not _is_ascii(block, begin, end):
            plain = end - begin <= _LONGEST
            if plain:
                to = np.int64(0)
                at = begin
                while at < end:
                    point = byte_at(block, at)
                    if point >= 0x80:
                        point = _gb_point(block, at, points)
                        at += 1
                    at += 1
                    to = _put(room, to, point)
                hashes[place] = sip_hashed(room, np.int64(0), to, first_key, second_key)
        elif plain:
            hashes[place] = sip_hashed(block, begin, end - begin, first_key, second_key)
        if not plain:
            odd[count] = place
            count += 1
    return count


@compiled
def hash_names(
    block, spans, rows, gb, points, normal, first_key, second_key, room, hashes, readable, odd
):  # fmt: skip
    """Hashes of names in their normal form, and whether each can be compared; otherwise as hash_spans.

    normal: of each code point of 16 bits, as above; a name with an unknown one goes to `odd`.
    """
    count = 0
    last = len(rows) - 1
    for place in range(len(rows)):
        fetch_ahead(block, np.int64(spans[rows[min(place + _AHEAD, last)], 0]))
        begin, end = np.int64(spans[rows[place], 0]), np.int64(spans[rows[place], 1])
        plain = begin >= 0 and end - begin <= _LONGEST
        can_read = True
        to = np.int64(0)
        at = begin
        while plain and at < end:
            point = byte_at(block, at)
            if point < 0x80:
                at += 1
            elif gb:
                point = _gb_point(block, at, points)
                at += 2
            elif point >= 0xF0:
                plain = False
                point = np.int64(0)
            elif point >= 0xE0:
                point = (
                    (point & 0xF) << 12 | (byte_at(block, at + 1) & 0x3F) << 6 | byte_at(block, at + 2) & 0x3F
                )
                at += 3
            else:
                point = (point & 0x1F) << 6 | byte_at(block, at + 1) & 0x3F
                at += 2
            if not _FIRST_IDEOGRAPH <= point <= _LAST_IDEOGRAPH:
                point = np.int64(normal[point])
                if point >= UNREADABLE:
                    can_read = False
                    point -= UNREADABLE
            if point < 0:
                plain = False
            elif point > 0:
                to = _put(room, to, point)
        if plain:
            hashes[place] = sip_hashed(room, np.int64(0), to, first_key, second_key)
            readable[place] = can_read and to > 0
        else:
            odd[count] = place
            count += 1
    return count


def make_room() -> NDArray[np.uint8]:
    """Where a text of the longest length is put in UTF-8."""
    return np.zeros(2 * _LONGEST + ROOM, np.uint8)
