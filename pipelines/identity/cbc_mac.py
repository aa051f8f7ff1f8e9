"""CBC-MAC of whole columns: all values advance by one block together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from pipelines.compiled import compiled, word_at
from pipelines.identity.cipher import BLOCK, Octets, transform

Positions = npt.NDArray[np.int64]

# Rows digested together: small enough that every intermediate array stays in a core's cache.
_ROWS_AT_ONCE = 1 << 14
# From this many blocks on a value is finished on its own, so one absurd value cannot cost a round per block.
_ROUNDS_TOGETHER = 64


def cbc_mac(cipher: Cipher[modes.ECB], values: pa.Array[Any], out: Octets) -> None:
    """Fill `out`, (n, 16) uint8, with the code of each value as `Tokeniser.digest` says."""
    starts, lengths, data = _spans(values)
    for first in range(0, len(values), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        out[rows] = _mac_rows(cipher, starts[rows], lengths[rows], data)


def _mac_rows(cipher: Cipher[modes.ECB], starts: Positions, lengths: Positions, data: Octets) -> Octets:
    opening = np.zeros((len(lengths), 2), ">u8")
    opening[:, 1] = lengths
    state = transform(cipher.encryptor(), opening.view(np.uint8))
    longer = np.flatnonzero(lengths > 0)
    for done in range(0, _ROUNDS_TOGETHER * BLOCK, BLOCK):
        if longer.size == 0:
            return state
        chained = np.empty((longer.size, 2), np.uint64)
        _chain(data, starts, lengths, done, longer, state.view(np.uint64), chained)
        state[longer] = transform(cipher.encryptor(), chained.view(np.uint8))
        longer = longer[lengths[longer] > done + BLOCK]
    for row in longer:
        rest = data[starts[row] + _ROUNDS_TOGETHER * BLOCK : starts[row] + lengths[row]]
        state[row] = _finish_long_value(cipher, state[row], rest)
    return state


@compiled
def _chain(data: Any, starts: Any, lengths: Any, done: Any, rows: Any, state: Any, chained: Any) -> None:
    """Some rows' state xor the 16 bytes of their value from `done`, zeros where it has ended."""
    for place in range(len(rows)):
        row = rows[place]
        at = starts[row] + done
        left = lengths[row] - done
        for half in range(2):
            word = np.uint64(0)
            if left >= 8 or (left > 0 and at + 8 <= len(data)):
                word = word_at(data, at)  # type: ignore[call-arg]
                if left < 8:
                    word &= np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - 8 * left)
            else:
                for step in range(left):
                    word |= np.uint64(data[at + step]) << np.uint64(8 * step)
            chained[place, half] = state[row, half] ^ word
            at += 8
            left -= 8


def _finish_long_value(cipher: Cipher[modes.ECB], state: Octets, rest: Octets) -> Octets:
    chain = Cipher(cipher.algorithm, modes.CBC(state.tobytes())).encryptor()
    last = chain.update(rest.tobytes() + bytes(-len(rest) % BLOCK))[-BLOCK:]
    return np.frombuffer(last, np.uint8)


def _spans(values: pa.Array[Any]) -> tuple[Positions, Positions, Octets]:
    """Start and length of each value, and the bytes they point into."""
    narrow = pa.types.is_binary(values.type) or pa.types.is_string(values.type)
    wide = pa.types.is_large_binary(values.type) or pa.types.is_large_string(values.type)
    if not narrow and not wide:
        raise TypeError(f"wanted a binary or string column, found {values.type}")
    _, offset_buffer, data_buffer = values.buffers()
    nothing = np.zeros(0, np.uint8)
    if len(values) == 0 or offset_buffer is None:
        return np.zeros(len(values), np.int64), np.zeros(len(values), np.int64), nothing
    offsets = np.frombuffer(memoryview(offset_buffer), np.dtype(np.int32 if narrow else np.int64))
    offsets = offsets[values.offset : values.offset + len(values) + 1].astype(np.int64)
    lengths = np.diff(offsets)
    if values.null_count:
        lengths[values.is_null().to_numpy(zero_copy_only=False)] = 0
    data = nothing if data_buffer is None else np.frombuffer(memoryview(data_buffer), np.uint8)
    data.flags.writeable = False  # one kind of array, so that the loop is compiled once
    return offsets[:-1], lengths, data
