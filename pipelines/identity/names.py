"""Personal names: one normal form, and which names cannot be read (spec section 3)."""

from __future__ import annotations

import unicodedata
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.identity.cipher import Tokeniser

# Middle dots of transliterated names, as departments' systems write them.
_SEPARATORS: Final = frozenset("·•.・‧∙")
# Characters that stand where a system could not show the real one.
_PLACEHOLDERS: Final = frozenset("?*□■〓\ufffd")


def normalise_name(text: str) -> str:
    """NFKC, white space and separators out, upper case."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(c for c in plain if not c.isspace() and c not in _SEPARATORS).upper()


def is_readable(normalised: str) -> bool:
    """Whether a normalised name can be compared: not empty, no placeholder and no private-use character in it."""
    return bool(normalised) and not any(
        c in _PLACEHOLDERS or unicodedata.category(c) == "Co" for c in normalised
    )


def digest_names(names: pa.Array, cipher: Tokeniser) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Keyed digests (64 bits) of a StringArray of names in normal form, and which of them are readable."""
    few = names.dictionary_encode()
    normal = [normalise_name(name) for name in few.dictionary.to_pylist()]
    readable = np.array([is_readable(name) for name in normal], dtype=bool)
    digests = short_digest(pa.array(normal, pa.string()), "name", cipher)
    codes = few.indices.to_numpy(zero_copy_only=False)
    if not len(normal):
        return np.zeros(0, np.int64), np.zeros(0, dtype=bool)
    return digests[codes], readable[codes]


def short_digest(values: pa.Array, use: str, cipher: Tokeniser) -> NDArray[np.int64]:
    """The first 64 bits of each value's keyed digest: enough where equal values are only sought within one person."""
    raw = values.cast(pa.binary()) if not pa.types.is_binary(values.type) else values
    return np.ascontiguousarray(cipher.digest(raw, use)[:, :8]).view("<i8").ravel()
