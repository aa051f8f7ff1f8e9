"""Personal names: one normal form, and which names cannot be read (spec section 3)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.identity.cipher import Tokeniser
from pipelines.identity.idnumber import binary_buffers

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
    """Keyed digests (64 bits) of a StringArray of names in normal form, and which of them are readable.

    A name of common Chinese characters only is its own normal form; the others are normalised once per spelling.
    """
    if not len(names):
        return np.zeros(0, np.int64), np.zeros(0, dtype=bool)
    plain = _is_plain_chinese(names)
    readable = plain.copy()
    (odd,) = np.nonzero(~plain)
    if len(odd):
        few = names.take(pa.array(odd)).dictionary_encode()
        normal = [normalise_name(name) for name in few.dictionary.to_pylist()]
        codes = few.indices.to_numpy(zero_copy_only=False)
        readable[odd] = np.array([is_readable(name) for name in normal], dtype=bool)[codes]
        spelled = pa.array(normal, pa.string()).take(few.indices)
        names = pc.replace_with_mask(names, pa.array(~plain), spelled)
    return short_digest(names, "name", cipher), readable


def _is_plain_chinese(names: pa.Array) -> NDArray[np.bool_]:
    """Names of one or more characters U+4E00 to U+9FFF and nothing else (three bytes each in UTF-8)."""
    offsets, data = binary_buffers(names)
    lengths = np.diff(offsets)
    whole = (lengths > 0) & (lengths % 3 == 0)
    if not whole.all():
        plain = np.zeros(len(names), dtype=bool)
        if whole.any():
            plain[whole] = _is_plain_chinese(names.filter(pa.array(whole)))
        return plain
    characters = data[offsets[0] : offsets[-1]].reshape(-1, 3)
    lead = characters[:, 0]
    good = ((lead >= 0xE5) & (lead <= 0xE9)) | ((lead == 0xE4) & (characters[:, 1] >= 0xB8))
    return np.logical_and.reduceat(good, (offsets[:-1] - offsets[0]) // 3)


def short_digest(values: pa.Array, use: str, cipher: Tokeniser) -> NDArray[np.int64]:
    """The first 64 bits of each value's keyed digest: enough where equal values are only sought within one person."""
    raw = values.cast(pa.binary()) if not pa.types.is_binary(values.type) else values
    return np.ascontiguousarray(cipher.digest(raw, use)[:, :8]).view("<i8").ravel()
