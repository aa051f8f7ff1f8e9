"""The document a key ring is kept in, plain or wrapped with a passphrase.

    {"hedui_keyring": 1, "keys": [{"version", "created", "algorithm", "master"}, …]}

The highest version is the current one; older ones open what was sealed under them. Wrapped, a key has
`sealed` in place of `master`, and `wrapping` tells how the wrapping key follows from the passphrase.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from pipelines.errors import HeduiError
from pipelines.identity.cipher import MASTER_BYTES, NONCE_BYTES, Algorithm, Tokeniser

_FORMAT = 1
# OWASP's password storage sheet: 32 MiB and three passes cost what 128 MiB and one do.
_SCRYPT = {"n": 2**15, "r": 8, "p": 3}
_MOST_SCRYPT_MEMORY = 2**30
_MOST_SCRYPT_PASSES = 16


class KeyRingError(HeduiError):
    """The ring is missing, unsafe, damaged or does not open. Never shows key bytes or a passphrase."""


@dataclass(frozen=True)
class RingKey:
    """One version of the master key. `created` is a day in UTC."""

    version: int
    created: date
    algorithm: Algorithm
    master: bytes

    def __repr__(self) -> str:
        return f"RingKey({self.version}, {self.created}, {self.algorithm})"


@dataclass(frozen=True)
class Wrapping:
    """A wrapping key, and what a passphrase needs to give it again."""

    salt: bytes
    cost: Mapping[str, int]
    key: bytes

    def __repr__(self) -> str:
        return "Wrapping(scrypt)"


def new_key(version: int, algorithm: Algorithm) -> RingKey:
    """A random master key, created today."""
    return RingKey(version, datetime.now(UTC).date(), algorithm, os.urandom(MASTER_BYTES))


def new_wrapping(passphrase: str) -> Wrapping:
    """A wrapping key from the passphrase and a new salt (scrypt). Raises KeyRingError: empty passphrase."""
    if not passphrase:
        raise KeyRingError("an empty passphrase protects nothing; give one")
    salt = os.urandom(16)
    return Wrapping(salt, _SCRYPT, _stretch(passphrase, salt, _SCRYPT))


def write_ring(keys: tuple[RingKey, ...], wrapping: Wrapping | None) -> bytes:
    """The document of a ring."""
    document: dict[str, Any] = {"hedui_keyring": _FORMAT}
    if wrapping is not None:
        document["wrapping"] = {"kdf": "scrypt", **wrapping.cost, "salt": _base64(wrapping.salt)}
    document["keys"] = [_write_key(key, wrapping) for key in keys]
    return json.dumps(document, indent=1).encode() + b"\n"


def read_ring(
    content: bytes, where: str, passphrase: str | None
) -> tuple[tuple[RingKey, ...], Wrapping | None]:
    """The keys of a document by rising version. `where` names it in errors. Raises KeyRingError."""
    document = _parse(content, where)
    try:
        wrapping = _read_wrapping(document["wrapping"], where, passphrase) if "wrapping" in document else None
        keys = tuple(_read_key(entry, wrapping, where) for entry in document["keys"])
    except (AttributeError, KeyError, TypeError, ValueError) as failure:
        found = type(failure).__name__
        raise KeyRingError(f"the ring {where} is damaged ({found}); restore it from its backup") from None
    versions = [key.version for key in keys]
    if versions != sorted(set(versions)) or versions[0] < 1:
        raise KeyRingError(f"the ring {where} lists versions {versions}; wanted rising numbers from 1")
    return keys, wrapping


def decode_text(text: str, where: str) -> bytes:
    """A document given as JSON, or as the base64 of it. Raises KeyRingError."""
    stripped = text.strip()
    if stripped.startswith("{"):
        return stripped.encode()
    try:
        return base64.b64decode("".join(stripped.split()), validate=True)
    except (binascii.Error, ValueError):
        raise KeyRingError(f"{where} is neither JSON nor base64") from None


def _parse(content: bytes, where: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise KeyRingError(f"the ring {where} is not JSON; restore it from its backup") from None
    if not isinstance(document, dict) or document.get("hedui_keyring") != _FORMAT:
        raise KeyRingError(f"{where} is no key ring of format {_FORMAT}")
    if not document.keys() <= {"hedui_keyring", "wrapping", "keys"} or not document.get("keys"):
        found = ", ".join(sorted(document))
        raise KeyRingError(f"the ring {where} has {found}; wanted hedui_keyring, keys and perhaps wrapping")
    return document


def _read_key(entry: dict[str, Any], wrapping: Wrapping | None, where: str) -> RingKey:
    secret = "master" if wrapping is None else "sealed"
    if entry.keys() != {"version", "created", "algorithm", secret}:
        found = ", ".join(sorted(entry))
        raise KeyRingError(
            f"a key of the ring {where} has {found}; wanted version, created, algorithm, {secret}"
        )
    blank = RingKey(int(entry["version"]), date.fromisoformat(entry["created"]), entry["algorithm"], b"")
    master = base64.b64decode(entry[secret], validate=True)
    if wrapping is not None:
        master = _unwrap(master, blank, wrapping, where)
    Tokeniser(master, blank.algorithm)  # refuses a wrong length or algorithm
    return replace(blank, master=master)


def _read_wrapping(entry: dict[str, Any], where: str, passphrase: str | None) -> Wrapping:
    if passphrase is None:
        raise KeyRingError(f"the ring {where} is wrapped; give its passphrase")
    cost = {name: int(entry[name]) for name in _SCRYPT}
    memory = 128 * cost["n"] * cost["r"]
    if entry.get("kdf") != "scrypt" or memory > _MOST_SCRYPT_MEMORY or cost["p"] > _MOST_SCRYPT_PASSES:
        raise KeyRingError(f"the ring {where} is wrapped in a way not offered here; wanted scrypt, {_SCRYPT}")
    salt = base64.b64decode(entry["salt"], validate=True)
    return Wrapping(salt, cost, _stretch(passphrase, salt, cost))


def _unwrap(sealed: bytes, key: RingKey, wrapping: Wrapping, where: str) -> bytes:
    try:
        return AESGCM(wrapping.key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _label(key))
    except InvalidTag:
        raise KeyRingError(f"the ring {where} does not open: wrong passphrase, or it was changed") from None


def _write_key(key: RingKey, wrapping: Wrapping | None) -> dict[str, str | int]:
    shown: dict[str, str | int] = {
        "version": key.version,
        "created": key.created.isoformat(),
        "algorithm": key.algorithm,
    }
    if wrapping is None:
        return {**shown, "master": _base64(key.master)}
    nonce = os.urandom(NONCE_BYTES)
    return {**shown, "sealed": _base64(nonce + AESGCM(wrapping.key).encrypt(nonce, key.master, _label(key)))}


def _label(key: RingKey) -> bytes:
    """What a wrapped master is bound to, so that no version, day or algorithm can be exchanged."""
    return f"hedui key {key.version} {key.created.isoformat()} {key.algorithm}".encode()


def _stretch(passphrase: str, salt: bytes, cost: Mapping[str, int]) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost["n"], r=cost["r"], p=cost["p"]).derive(passphrase.encode())


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
