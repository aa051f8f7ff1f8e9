"""Keyed marks of files that a later night takes on trust: nobody without the key can make one.

GMAC (NIST SP 800-38D): label and bytes are what a seal is made of and bound to. Six times as fast as SHA-256.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pipelines.identity.cipher import Tokeniser, UnsealError

_PIECE = 1 << 30  # the library takes at most 2^31 bytes together


def mark_file(path: Path, label: str, cipher: Tokeniser) -> str:
    """The mark of a file's bytes as what the label says, hexadecimal, one part per GiB. Raises OSError."""
    return ".".join(cipher.seal(label.encode(), piece).hex() for piece in _pieces(path))


def is_marked(path: Path, label: str, mark: str | None, cipher: Tokeniser) -> bool:
    """Whether the file is there and is the one that was marked under that label."""
    try:
        found = {
            cipher.unseal(bytes.fromhex(part), piece)
            for part, piece in zip((mark or "").split("."), _pieces(path), strict=True)
        }
    except (OSError, UnsealError, ValueError):
        return False
    return found == {label.encode()}


def _pieces(path: Path) -> list[Any]:
    if not path.stat().st_size:
        return [b""]
    content: Any = np.memmap(path, np.uint8, mode="r")
    return [memoryview(content[start : start + _PIECE]) for start in range(0, len(content), _PIECE)]
