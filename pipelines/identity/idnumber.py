"""Citizen identity numbers (GB 11643-1999), whole columns at a time.

A number is 17 digits and a check character. Inside the process a column of numbers is an (n, 18) matrix of ASCII
bytes; on its way to a token each number is packed into one 16-byte block.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Matrix = NDArray[np.uint8]
Mask = NDArray[np.bool_]

# GB 11643: weights of the 17 digits, and the check character for each remainder of their weighted sum.
WEIGHTS: Final = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
_WEIGHTS: Final = WEIGHTS.astype(np.float32)
CHECK_CHARACTERS: Final = np.frombuffer(b"10X98765432", dtype=np.uint8)
# The remainder that each check character stands for, and the inverse of each weight modulo 11.
_REMAINDER: Final = np.zeros(256, dtype=np.int64)
_REMAINDER[CHECK_CHARACTERS] = np.arange(11)
_INVERSE: Final = np.array([0] + [pow(weight, -1, 11) for weight in range(1, 11)], dtype=np.int64)
_WELL_FORMED: Final = re.compile(r"[0-9]{17}[0-9X]")
_FIFTEEN: Final = re.compile(r"[0-9]{15}")
_FIRST_BIRTH_YEAR: Final = 1900  # spec section 3


@dataclass(frozen=True)
class IdColumn:
    """A column of normalised numbers.

    chars: (n, 18) ASCII, rows of `missing` or `malformed` are zero; upgraded: came with 15 digits.
    """

    chars: Matrix
    missing: Mask
    malformed: Mask
    upgraded: Mask


def normalise_text(text: str) -> tuple[str, bool]:
    """NFKC, all white space out, upper case, 15 digits upgraded. Returns (number, was upgraded)."""
    plain = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    if _FIFTEEN.fullmatch(plain):
        seventeen = plain[:6] + "19" + plain[6:]
        return seventeen + check_character(seventeen), True
    return plain, False


def check_character(seventeen: str) -> str:
    digits = np.frombuffer(seventeen.encode("ascii"), dtype=np.uint8) - 48
    return chr(CHECK_CHARACTERS[int(digits @ WEIGHTS) % 11])


def _all_digits(words: NDArray[np.uint64]) -> Mask:
    """Whether all eight bytes of each word are ASCII digits."""
    high = words & np.uint64(0xF0F0F0F0F0F0F0F0)
    carried = (words + np.uint64(0x0606060606060606)) & np.uint64(0xF0F0F0F0F0F0F0F0)
    all_digits: Mask = (high | (carried >> np.uint64(4))) == np.uint64(0x3333333333333333)
    return all_digits


def _eight_digits(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The number that eight ASCII digits (a little-endian word) stand for; three multiplications a column."""
    words = words & np.uint64(0x0F0F0F0F0F0F0F0F)
    words = (words * np.uint64(2561)) >> np.uint64(8)
    words = ((words & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601)) >> np.uint64(16)
    return ((words & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001)) >> np.uint64(32)


def _words(chars: Matrix, start: int) -> NDArray[np.uint64]:
    return np.ascontiguousarray(chars[:, start : start + 8]).view("<u8").ravel()


def _is_well_formed(chars: Matrix) -> Mask:
    last = chars[:, 17]
    ok = _all_digits(_words(chars, 0)) & _all_digits(_words(chars, 8))
    ok &= (chars[:, 16] - np.uint8(48)) < 10
    ok &= ((last - np.uint8(48)) < 10) | (last == ord("X"))
    return ok


def normalise_ids(values: pa.Array, encoding: str) -> IdColumn:
    """Normalise a BinaryArray of numbers in `encoding`.

    Numbers that already stand as 17 digits and a digit or X take the fast road; each of the others is
    normalised on its own.
    """
    count = len(values)
    chars = np.zeros((count, 18), dtype=np.uint8)
    missing = np.zeros(count, dtype=bool)
    malformed = np.zeros(count, dtype=bool)
    upgraded = np.zeros(count, dtype=bool)
    if count == 0:
        return IdColumn(chars, missing, malformed, upgraded)
    offsets, data = binary_buffers(values)
    lengths = np.diff(offsets)
    whole = lengths == 18
    if whole.all():
        chars = data[offsets[0] : offsets[-1]].reshape(count, 18).copy()
    elif whole.any():
        starts = offsets[:-1][whole]
        chars[whole] = data[starts[:, None] + np.arange(18)]
    whole &= _is_well_formed(chars)
    for row in np.flatnonzero(~whole):
        text = bytes(data[offsets[row] : offsets[row + 1]]).decode(encoding, errors="replace")
        number, was_upgraded = normalise_text(text)
        chars[row] = 0
        if not number:
            missing[row] = True
        elif not _WELL_FORMED.fullmatch(number):
            malformed[row] = True
        else:
            chars[row] = np.frombuffer(number.encode("ascii"), dtype=np.uint8)
            upgraded[row] = was_upgraded
    return IdColumn(chars, missing, malformed, upgraded)


def binary_buffers(values: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Offsets (n + 1) and the bytes they point into, of a BinaryArray or StringArray without nulls."""
    large = pa.types.is_large_binary(values.type) or pa.types.is_large_string(values.type)
    _, offset_buffer, data_buffer = values.buffers()
    raw = np.frombuffer(offset_buffer, dtype=np.int64 if large else np.int32)
    offsets = raw[values.offset : values.offset + len(values) + 1].astype(np.int64)
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer is not None else np.zeros(0, np.uint8)
    return offsets, data


@lru_cache(maxsize=8)
def real_days(as_of: date) -> Mask:
    """Table over yyyymmdd - 19000000: whether that is a real day from 1900-01-01 to as_of."""
    table = np.zeros(10000 * (as_of.year - _FIRST_BIRTH_YEAR + 1), dtype=bool)
    day = date(_FIRST_BIRTH_YEAR, 1, 1)
    while day <= as_of:
        table[(day.year - _FIRST_BIRTH_YEAR) * 10000 + day.month * 100 + day.day] = True
        day += timedelta(days=1)
    return table


def birth_dates(chars: Matrix) -> NDArray[np.int64]:
    """yyyymmdd as an integer per number; not checked."""
    return _eight_digits(_words(chars, 6)).astype(np.int64)


def has_check_character(chars: Matrix) -> Mask:
    remainder = ((chars[:, :17] - np.uint8(48)).astype(np.float32) @ _WEIGHTS).astype(np.int64) % 11
    agrees: Mask = chars[:, 17] == CHECK_CHARACTERS[remainder]
    return agrees


def is_valid(chars: Matrix, as_of: date) -> Mask:
    """Check character right and a real birth date from 1900-01-01 to as_of (spec section 3); place never judged."""
    table = real_days(as_of)
    index = birth_dates(chars) - _FIRST_BIRTH_YEAR * 10000
    inside = (index >= 0) & (index < len(table))
    return inside & table[np.where(inside, index, 0)] & has_check_character(chars)


def pack_blocks(chars: Matrix) -> Matrix:
    """One 16-byte block per number: (17 digits) × 11 + check value as eight big-endian bytes, then eight zeros.

    The zeros are what tells a wrong key when a token is opened.
    """
    number = _eight_digits(_words(chars, 0)) * np.uint64(10**9) + _eight_digits(_words(chars, 8)) * np.uint64(
        10
    )
    number += (chars[:, 16] - np.uint8(48)).astype(np.uint64)
    last = np.where(chars[:, 17] == ord("X"), 10, chars[:, 17] - np.uint8(48)).astype(np.uint64)
    blocks = np.zeros((len(chars), 16), dtype=np.uint8)
    blocks[:, :8] = (number * np.uint64(11) + last).astype(">u8").view(np.uint8).reshape(-1, 8)
    return blocks


def unpack_chars(blocks: Matrix) -> Matrix:
    """The (n, 18) ASCII matrix of packed blocks. Raises ValueError for blocks that pack_blocks cannot have made."""
    if len(blocks) and blocks[:, 8:].any():
        raise ValueError("a block does not hold an identity number: opened with another key?")
    return unpack_numbers(np.ascontiguousarray(blocks[:, :8]).view(">u8").ravel().astype(np.uint64))


def unpack_numbers(packed: NDArray[np.uint64]) -> Matrix:
    """The (n, 18) ASCII matrix of numbers packed as (17 digits) × 11 + check value."""
    number, last = packed // np.uint64(11), packed % np.uint64(11)
    chars = np.zeros((len(packed), 18), dtype=np.uint8)
    for position in range(16, -1, -1):
        chars[:, position] = (number % np.uint64(10)).astype(np.uint8) + np.uint8(48)
        number //= np.uint64(10)
    chars[:, 17] = np.where(last == 10, ord("X"), last + np.uint64(48)).astype(np.uint8)
    return chars


def unpack_blocks(blocks: Matrix) -> pa.StringArray:
    """Numbers as 18-character strings. Raises ValueError as unpack_chars."""
    chars = np.ascontiguousarray(unpack_chars(blocks))
    offsets = np.arange(0, 18 * (len(chars) + 1), 18, dtype=np.int32)
    return pa.StringArray.from_buffers(len(chars), pa.py_buffer(offsets), pa.py_buffer(chars))


def valid_neighbours(chars: Matrix, as_of: date) -> tuple[NDArray[np.int64], Matrix]:
    """All valid numbers one substituted character or one swap of neighbours away from each number.

    Returns (index of the number it is a neighbour of, (m, 18) candidates), without repeats per number. The check
    character leaves at most one digit per position that mends the sum, so arithmetic finds the few candidates.
    """
    digits = (chars[:, :17] - np.uint8(48)).astype(np.int64)
    weights = WEIGHTS
    total = digits @ weights % 11
    wanted = _REMAINDER[chars[:, 17]]
    rows: list[NDArray[np.int64]] = []
    found: list[Matrix] = []

    def keep(rows_here: NDArray[np.int64], candidates: Matrix) -> None:
        rows.append(rows_here)
        found.append(candidates)

    for position in range(17):
        mended = (digits[:, position] + (wanted - total) * _INVERSE[weights[position]]) % 11
        (here,) = np.nonzero((mended <= 9) & (mended != digits[:, position]))
        candidates = chars[here].copy()
        candidates[:, position] = mended[here] + 48
        keep(here, candidates)
    (here,) = np.nonzero(total != wanted)
    candidates = chars[here].copy()
    candidates[:, 17] = CHECK_CHARACTERS[total[here]]
    keep(here, candidates)
    for position in range(16):
        step = digits[:, position + 1] - digits[:, position]
        swapped = (total + step * (weights[position] - weights[position + 1])) % 11
        (here,) = np.nonzero((swapped == wanted) & (step != 0))
        candidates = chars[here].copy()
        candidates[:, [position, position + 1]] = candidates[:, [position + 1, position]]
        keep(here, candidates)
    # The last digit and the check character can only change places when the latter is a digit.
    (here,) = np.nonzero((chars[:, 17] != ord("X")) & (chars[:, 16] != chars[:, 17]))
    candidates = chars[here].copy()
    candidates[:, [16, 17]] = candidates[:, [17, 16]]
    keep(here, candidates)

    index, matrix = np.concatenate(rows), np.concatenate(found)
    good = is_valid(matrix, as_of)
    index, matrix = index[good], matrix[good]
    packed = np.ascontiguousarray(pack_blocks(matrix)[:, :8]).view(">u8").ravel()
    _, first = np.unique(
        np.stack([index.astype(np.uint64), packed.astype(np.uint64)]), axis=1, return_index=True
    )
    first.sort()
    return index[first], matrix[first]
