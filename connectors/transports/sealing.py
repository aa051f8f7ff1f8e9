"""A query list that only the department it is meant for can read: X25519, HKDF-SHA256, AES-256-GCM."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_MAGIC = b"HEDUI-QUERY-1\n"
_KEY, _NONCE = 32, 12


def parse_public_key(text: str) -> X25519PublicKey:
    """A department's public key from base64 of its 32 bytes. Raises ValueError."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("a public key is base64") from None
    if len(raw) != _KEY:
        raise ValueError(f"a public key has {_KEY} bytes, this one {len(raw)}")
    return X25519PublicKey.from_public_bytes(raw)


def format_public_key(key: X25519PublicKey) -> str:
    return base64.b64encode(key.public_bytes_raw()).decode()


def key_fingerprint(key: X25519PublicKey) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a public key: which one it is, to read out and compare."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def seal_query(plain: bytes, department: X25519PublicKey, source: str) -> bytes:
    """magic · one-time public key (32) · nonce (12) · ciphertext.

    `source` is bound to it: sent to another source's inbox it does not open.
    """
    once = X25519PrivateKey.generate()
    head = _MAGIC + once.public_key().public_bytes_raw()
    nonce = os.urandom(_NONCE)
    key = _derive_key(once.exchange(department), head, department)
    return head + nonce + AESGCM(key).encrypt(nonce, plain, _bound(head, source))


def unseal_query(sealed: bytes, private: X25519PrivateKey, source: str) -> bytes:
    """What the department does.

    Raises ValueError for anything that is not a query for this key and source.
    """
    head, rest = sealed[: len(_MAGIC) + _KEY], sealed[len(_MAGIC) + _KEY :]
    if not head.startswith(_MAGIC) or len(rest) < _NONCE + 16:
        raise ValueError("not a sealed query")
    shared = private.exchange(X25519PublicKey.from_public_bytes(head[len(_MAGIC) :]))
    key = _derive_key(shared, head, private.public_key())
    try:
        return AESGCM(key).decrypt(rest[:_NONCE], rest[_NONCE:], _bound(head, source))
    except InvalidTag:
        raise ValueError("not sealed for this key and source, or changed on the way") from None


def _derive_key(shared: bytes, head: bytes, department: X25519PublicKey) -> bytes:
    salt = hashlib.sha256(head + department.public_bytes_raw()).digest()
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"hedui query list").derive(shared)


def _bound(head: bytes, source: str) -> bytes:
    return head + source.encode()
