"""People without names: tokens, keyed digests, sealed values and message codes under one master key.

Every use has a key of its own, derived from the master with HKDF-SHA256 (RFC 5869), so a digest never
equals a token and a seal says nothing about either. The block cipher is AES-256 or SM4 (GB/T 32907);
it is part of the derivation, so the two never share key bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipelines.errors import HeduiError

Algorithm = Literal["aes", "sm4"]
Octets = npt.NDArray[np.uint8]
if TYPE_CHECKING:
    Column: TypeAlias = pa.Array | pa.ChunkedArray

MASTER_BYTES = 32
BLOCK = 16
NONCE_BYTES = 12
TAG_BYTES = 16
CODE_BYTES = 16
_KEY_BYTES = {"aes": 32, "sm4": 16}


class UnsealError(HeduiError, ValueError):
    """A sealed value was made with another key or for another place, or was changed."""


class Tokeniser:
    """All that is done with one master key. Safe to share between threads."""

    def __init__(self, master: bytes, algorithm: Algorithm = "aes") -> None:
        """master: 32 secret bytes. Raises ValueError for another length or an unknown algorithm."""
        if algorithm not in _KEY_BYTES:
            raise ValueError(f"unknown algorithm {algorithm!r}; wanted one of {', '.join(_KEY_BYTES)}")
        if len(master) != MASTER_BYTES:
            raise ValueError(f"a master key has {MASTER_BYTES} bytes, this one {len(master)}")
        self.algorithm: Algorithm = algorithm
        self._key = cache(lambda use, length: _derive(master, f"{algorithm}:{use}", length))
        self._sealing = self._gcm("seal")

    def __repr__(self) -> str:
        return f"Tokeniser({self.algorithm})"

    def tokens(self, blocks: Octets) -> Octets:
        """Encrypt one block per person: (n, 16) uint8 in, (n, 16) uint8 out, a keyed permutation."""
        return transform(self._ecb("person").encryptor(), blocks)

    def open_tokens(self, tokens: Octets) -> Octets:
        """The blocks that `tokens` was given, (n, 16) uint8. Cannot tell a wrong key: the caller checks."""
        return transform(self._ecb("person").decryptor(), tokens)

    def permute(self, numbers: npt.NDArray[np.uint64], use: str) -> npt.NDArray[np.uint64]:
        """The first halves of the numbers' blocks encrypted (eight zero bytes behind each), under the key of `use`."""
        blocks = np.zeros((len(numbers), 2), "<u8")
        blocks[:, 0] = numbers
        sealed = transform(self._ecb(use).encryptor(), blocks.view(np.uint8))
        return np.ascontiguousarray(sealed.view("<u8")[:, 0])

    def digest(self, values: Column, use: str) -> Octets:
        """Keyed digest of each value, (n, 16) uint8; a null counts as empty.

        values: binary or string, either offset width. CBC-MAC whose first block is the length (64 bits,
        big-endian, eight zero bytes before it), so no message is the beginning of another; the data is
        padded with zeros. Different uses give unrelated digests.
        """
        from pipelines.identity.cbc_mac import cbc_mac  # what only opens and seals need not load the compiler

        cipher = self._ecb(f"digest:{use}")
        chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
        out = np.empty((len(values), BLOCK), np.uint8)
        first = 0
        for chunk in chunks:
            cbc_mac(cipher, chunk, out[first : first + len(chunk)])
            first += len(chunk)
        return out

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Nonce (12), ciphertext, tag (16): GCM with a random nonce; `context` must be given to unseal.

        Random nonces are safe for 2^32 values per key (NIST SP 800-38D, 8.3): thousands of province
        nights; `rotate` starts again.
        """
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._sealing.encrypt(nonce, plain, context)

    def unseal(self, sealed: bytes, context: bytes) -> bytes:
        """The plain value. Raises UnsealError unless key, context and every bit are those of `seal`."""
        if len(sealed) < NONCE_BYTES + TAG_BYTES:
            raise UnsealError(
                f"a sealed value of {len(sealed)} bytes is too short: it was cut or never sealed"
            )
        try:
            return self._sealing.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
        except InvalidTag:
            raise UnsealError("a sealed value does not open: wrong key or place, or it was changed") from None

    def seal_column(self, plain: Sequence[bytes | None], contexts: Sequence[bytes]) -> list[bytes | None]:
        """Seal value by value with the context beside it; None stays None."""
        drawn = os.urandom(NONCE_BYTES * len(plain))  # a call for each value would cost more than sealing it
        nonces = (drawn[at : at + NONCE_BYTES] for at in range(0, len(drawn), NONCE_BYTES))
        return [
            None if value is None else nonce + self._sealing.encrypt(nonce, value, context)
            for nonce, value, context in zip(nonces, plain, contexts, strict=True)
        ]

    def unseal_column(self, sealed: Sequence[bytes | None], contexts: Sequence[bytes]) -> list[bytes | None]:
        """Reverse of `seal_column`. Raises UnsealError."""
        pairs = zip(sealed, contexts, strict=True)
        return [None if value is None else self.unseal(value, context) for value, context in pairs]

    def mac(self, message: bytes, use: str) -> bytes:
        """HMAC-SHA-256 of the message, 32 bytes, under the key of `use`."""
        code = hmac.HMAC(self._key(f"mac:{use}", 32), hashes.SHA256())
        code.update(message)
        return code.finalize()

    def block_coder(self, use: str) -> Callable[[int, Any], bytes]:
        """GMAC (NIST SP 800-38D) of a number from 0 and a block of bytes, 16 bytes, under the key of `use`.

        Under one use a number stands for one content: of two, the codes would show how to forge a third.
        """
        gcm = self._gcm(use)
        return lambda number, block: gcm.encrypt(number.to_bytes(NONCE_BYTES, "big"), b"", block)

    def _gcm(self, use: str) -> AESGCM | _Sm4Gcm:
        key = self._key(use, _KEY_BYTES[self.algorithm])
        return AESGCM(key) if self.algorithm == "aes" else _Sm4Gcm(key)

    def _block_cipher(self, use: str) -> algorithms.AES | algorithms.SM4:
        key = self._key(use, _KEY_BYTES[self.algorithm])
        return algorithms.AES(key) if self.algorithm == "aes" else algorithms.SM4(key)

    def _ecb(self, use: str) -> Cipher[modes.ECB]:
        # ECB on purpose: each block is a permuted number or one step of the CBC chain below.
        return Cipher(self._block_cipher(use), modes.ECB())  # noqa: S305


class _Sm4Gcm:
    """SM4 in Galois/counter mode (RFC 8998) with the calls of AESGCM."""

    def __init__(self, key: bytes) -> None:
        self._cipher = algorithms.SM4(key)

    def encrypt(self, nonce: bytes, plain: bytes, context: bytes) -> bytes:
        encryptor = Cipher(self._cipher, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(context)
        return encryptor.update(plain) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, sealed: bytes, context: bytes) -> bytes:
        body, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
        # The library takes any buffer for what is sealed, and for the tag bytes alone.
        decryptor = Cipher(self._cipher, modes.GCM(bytes(nonce), bytes(tag))).decryptor()
        decryptor.authenticate_additional_data(context)
        return decryptor.update(body) + decryptor.finalize()


def _derive(master: bytes, info: str, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=info.encode()).derive(master)


def transform(context: CipherContext, blocks: Octets) -> Octets:
    """Each block of (n, 16) uint8 encrypted or decrypted by itself."""
    if blocks.dtype != np.uint8 or blocks.ndim != 2 or blocks.shape[1] != BLOCK:
        raise ValueError(f"wanted blocks of shape (n, {BLOCK}), uint8; found {blocks.shape}, {blocks.dtype}")
    # The library asks for one block of room beyond the result, less a byte.
    out = np.empty(blocks.size + BLOCK - 1, np.uint8)
    context.update_into(np.ascontiguousarray(blocks).reshape(-1).data, out.data)
    return out[: blocks.size].reshape(-1, BLOCK)
