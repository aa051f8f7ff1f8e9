"""Names, numbers and free text: sealed in the database, readable only in this process.

A portal value begins with the two-byte version of the key that sealed it, so that keys can be rotated while
old values stay readable. Person tokens of all nights are kept under one version, or one person would be two.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.identity.idnumber import normalise_ids, pack_blocks, unpack_blocks, unpack_chars
from pipelines.identity.keyring import KeyRing
from pipelines.identity.names import normalise_name

Tokens = npt.NDArray[np.uint8]

AGE_BANDS = ((0, "0-17"), (18, "18-44"), (45, "45-59"), (60, "60-74"), (75, "75+"))


class Vault:
    """person_version: the key version that person tokens in this database are kept under."""

    def __init__(self, ring: KeyRing, person_version: int) -> None:
        self.ring = ring
        self.person_version = person_version

    def seal_text(self, text: str, place: str) -> bytes:
        """Seal free text for one place (such as "note"); it does not open anywhere else."""
        return self.seal_bytes(text.encode(), place)

    def open_text(self, sealed: bytes | None, place: str) -> str:
        """The text; empty for None. Raises pipelines' UnsealError for another key or place."""
        return "" if sealed is None else self.open_bytes(sealed, place).decode()

    def seal_bytes(self, plain: bytes, place: str) -> bytes:
        version = self.ring.current
        return version.to_bytes(2, "big") + self.ring.cipher(version).seal(plain, _context(place))

    def open_bytes(self, sealed: bytes, place: str) -> bytes:
        version = int.from_bytes(sealed[:2], "big")
        return self.ring.cipher(version).unseal(sealed[2:], _context(place))

    def same_version(self, tokens: Tokens, version: int) -> Tokens:
        """(n, 16) tokens of another night's key as tokens of this database's."""
        if version == self.person_version:
            return tokens
        blocks = self.ring.cipher(version).open_tokens(tokens)
        unpack_chars(blocks)  # refuses blocks of a wrong key
        return self.ring.cipher(self.person_version).tokens(blocks)

    def numbers(self, tokens: Sequence[bytes | None]) -> list[str | None]:
        """The 18 characters behind each token; None stays None."""
        known = [token for token in tokens if token is not None]
        if not known:
            return [None] * len(tokens)
        matrix = np.frombuffer(b"".join(known), np.uint8).reshape(-1, 16)
        opened = iter(unpack_blocks(self.ring.cipher(self.person_version).open_tokens(matrix)).to_pylist())
        return [None if token is None else next(opened) for token in tokens]

    def token_of(self, number: str) -> bytes | None:
        """The token of a typed identity number; None when it cannot be one."""
        column = normalise_ids(byte_column([number.encode()]), "utf-8")
        if column.missing[0] or not column.chars[0].any():
            return None
        return self.ring.cipher(self.person_version).tokens(pack_blocks(column.chars)).tobytes()

    def name_digests(self, names: list[str]) -> list[bytes]:
        """Keyed digests of normalised names, to find a typed name without opening all of them."""
        column = text_column([normalise_name(name) for name in names])
        return [row.tobytes() for row in self.ring.cipher(self.person_version).digest(column, "desk-name")]

    def codes_of(self, messages: list[str]) -> list[str]:
        """A 64-bit keyed code of each message, hexadecimal: tells whether a returned row is one of ours."""
        digests = self.ring.cipher(self.person_version).digest(text_column(messages), "desk-row")
        return [row.tobytes().hex() for row in digests[:, :8]]


def text_column(texts: Sequence[str]) -> pa.StringArray:
    """Texts as Arrow text, as pa.array makes it; but that imports pandas first, to see whether it is given a series."""
    return byte_column([text.encode() for text in texts]).cast(pa.string())


def byte_column(values: Sequence[bytes]) -> pa.BinaryArray:
    """The same for bytes."""
    ends = np.cumsum([0, *map(len, values)], dtype=np.int32)
    return pa.BinaryArray.from_buffers(
        pa.binary(), len(values), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(values))]
    )


def age_bands(numbers: list[str | None], as_of: date) -> list[str | None]:
    """The age band of each number at as_of (attained on the birthday)."""
    return [None if number is None else _age_band(number, as_of) for number in numbers]


def masked_number(number: str | None) -> str:
    """First six and last four characters; the birth date stays covered."""
    return "" if number is None else f"{number[:6]}********{number[14:]}"


def masked_name(name: str) -> str:
    return name[:1] + "*" * (len(name) - 1)


def _age_band(number: str, as_of: date) -> str | None:
    born = int(number[6:14])
    age = (as_of.year * 10000 + as_of.month * 100 + as_of.day - born) // 10000
    if not 0 <= age <= 130:
        return None
    return [name for least, name in AGE_BANDS if age >= least][-1]


def _context(place: str) -> bytes:
    return b"desk:" + place.encode()
