"""Keyed digests of a column's texts, made of the bytes that stand in the file as far as these are plain."""

# mypy: disallow-untyped-calls=False

from __future__ import annotations

from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.identity.cipher import Tokeniser
from pipelines.identity.names import digest_names, digest_names_in, seal_hashes
from pipelines.identity.row_digest import TEXT
from pipelines.identity.text_hash import TextsInBlock, codepoints, hash_key, hash_spans, hash_texts, make_room

Digests = tuple[NDArray[np.int64], NDArray[np.bool_]]


class TextNumbers(Protocol):
    """What makes a number of each text of a column, and says whether it can be read."""

    def of_texts(self, texts: pa.Array) -> Digests:
        """Of texts in UTF-8 (StringArray), trimmed."""
        ...

    def of_block(self, texts: TextsInBlock) -> Digests:
        """Of texts as they stand."""
        ...


class TextDigests:
    """Of one column: each text's number, and whether it can be read.

    Numbers of names and identifiers may be kept. Those of other texts are hashes, to be folded into a row's number.
    """

    def __init__(self, kind: str, cipher: Tokeniser) -> None:
        """kind: the type of the column."""
        self._kind, self._cipher = kind, cipher
        self._use = "account" if kind == "identifier" else TEXT
        self._key = hash_key(self._use, cipher)

    def of_texts(self, texts: pa.Array) -> Digests:
        """Of texts in UTF-8 (StringArray), trimmed."""
        if self._kind == "name":
            return digest_names(texts, self._cipher)
        return self._numbers(hash_texts(texts, self._use, self._cipher))

    def of_block(self, texts: TextsInBlock) -> Digests:
        """Of texts as they stand."""
        if self._kind == "name":
            return digest_names_in(texts, self._cipher)
        rows, room = texts.rows, make_room()
        hashes, odd = np.empty(len(rows), np.uint64), np.empty(len(rows), np.int64)
        count = hash_spans(
            texts.block, texts.spans, rows, texts.gb, codepoints(), *self._key, room, hashes, odd
        )
        if count:
            odd = odd[:count]
            hashes[odd] = hash_texts(texts.decoded(rows[odd]), self._use, self._cipher)
        return self._numbers(hashes)

    def _numbers(self, hashes: NDArray[np.uint64]) -> Digests:
        is_kept = self._kind == "identifier"
        numbers = seal_hashes(hashes, self._use, self._cipher) if is_kept else hashes.view(np.int64)
        return numbers, np.ones(len(numbers), dtype=bool)
