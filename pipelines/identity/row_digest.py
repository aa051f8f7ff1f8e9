"""One keyed number per row, equal when and only when the row says the same."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.identity.cipher import Tokeniser
from pipelines.identity.text_hash import hash_texts

TEXT = "text"  # the use whose key texts of a row are hashed under

_NOTHING = np.iinfo(np.int64).min  # no amount and no day is so small


def digest_rows(columns: Iterable[NDArray[np.int64]], rows: int, cipher: Tokeniser) -> NDArray[np.int64]:
    """Fold the columns' numbers (rows,) into one: rows that differ in one column never meet, others hardly ever.

    Every step is reversible and keyed, so nobody without the key can make two rows meet or tell what was folded in.
    """
    folded = np.zeros(rows, np.uint64)
    for place, numbers in enumerate(columns):
        key = int.from_bytes(cipher.mac(place.to_bytes(4, "big"), "row")[:8], "big") | 1
        folded ^= numbers.view(np.uint64)
        folded *= np.uint64(key)
        folded ^= folded >> np.uint64(32)
    return folded.view(np.int64)


def row_numbers(values: pa.Array, cipher: Tokeniser) -> NDArray[np.int64]:
    """Numbers that are equal where the values are: amounts and days themselves, texts by their keyed hash.

    A text that is null counts as empty.
    """
    if pa.types.is_string(values.type):
        listed = values.fill_null("").dictionary_encode()
        hashes = hash_texts(listed.dictionary, TEXT, cipher).view(np.int64)
        of_rows: NDArray[np.int64] = hashes[listed.indices.to_numpy()]
        return of_rows
    if pa.types.is_date32(values.type):
        values = values.cast(pa.int32())
    numbers: NDArray[np.int64] = values.cast(pa.int64()).fill_null(_NOTHING).to_numpy()
    return numbers
