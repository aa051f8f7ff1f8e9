"""The key ring: versions of the master key, where they are kept, and who may open them."""

from __future__ import annotations

import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from pipelines.durable import create_file, file_lock, replace_file
from pipelines.identity.cipher import Algorithm, Tokeniser
from pipelines.identity.ringfile import (
    KeyRingError,
    RingKey,
    Wrapping,
    decode_text,
    new_key,
    new_wrapping,
    read_ring,
    write_ring,
)

__all__ = ["KeyRing", "KeyRingError", "RingKey", "new_ring", "read_passphrase"]

RING_FILE = "HEDUI_KEYRING"
RING_ITSELF = "HEDUI_KEYS"
PASSPHRASE = "HEDUI_KEYRING_PASSPHRASE"  # noqa: S105 - the name of a variable
PASSPHRASE_FILE = "HEDUI_KEYRING_PASSPHRASE_FILE"  # noqa: S105
DEVELOPMENT_RING = "keyring.json"

_WARNING = """
################################################################################
  DEVELOPMENT KEY RING made at {path}
  It lies beside what it protects: whoever reads the home can open every person.
  For real records run `hedui keys new` outside the home and set ${variable}.
################################################################################
"""


class KeyRing:
    """All versions of the master key, opened in memory."""

    def __init__(
        self, keys: tuple[RingKey, ...], path: Path | None, wrapping: Wrapping | None, document: bytes
    ) -> None:
        """path: the file the ring lives in, None when it came from the environment; document: its content."""
        self.keys = keys
        self.path = path
        self._wrapping = wrapping
        self._document = document
        self._ciphers: dict[int, Tokeniser] = {}

    def __repr__(self) -> str:
        return f"KeyRing({_place(self.path)}, versions {self._versions()})"

    @classmethod
    def open(cls, home: Path, environ: Mapping[str, str]) -> KeyRing:
        """The ring of $HEDUI_KEYRING (a file) or $HEDUI_KEYS (JSON or its base64), else of the home.

        A home without a ring that holds no nights yet gets a development ring, with a warning on stderr.
        Raises KeyRingError.
        """
        file, text = environ.get(RING_FILE), environ.get(RING_ITSELF)
        if file and text:
            raise KeyRingError(f"${RING_FILE} and ${RING_ITSELF} are both set; keep one of them")
        passphrase = read_passphrase(environ)
        if text:
            return _open_document(decode_text(text, _place(None)), None, passphrase)
        if file:
            return _open_file(_outside(home, Path(file)), passphrase)
        path = home / DEVELOPMENT_RING
        if not path.exists():
            _make_development_ring(home, path, passphrase)
        return _open_file(path, passphrase)

    @property
    def current(self) -> int:
        """The version that new tokens and seals are made with: the highest."""
        return self.keys[-1].version

    @property
    def is_wrapped(self) -> bool:
        return self._wrapping is not None

    def cipher(self, version: int | None = None) -> Tokeniser:
        """The tokeniser of a version, by default the current one. Raises KeyRingError if it is not there."""
        wanted = self.current if version is None else version
        if wanted not in self._ciphers:
            self._ciphers[wanted] = self._make_cipher(wanted)
        return self._ciphers[wanted]

    def rotate(self, algorithm: Algorithm | None = None) -> int:
        """Add a version, write the ring, return the version. Older ones stay: older nights need them."""
        key = new_key(self.current + 1, algorithm or self.keys[-1].algorithm)
        self._write((*self.keys, key), self._wrapping)
        return key.version

    def wrap(self, passphrase: str) -> None:
        """Write the ring with its masters sealed under the passphrase, which replaces a former one."""
        self._write(self.keys, new_wrapping(passphrase))

    def describe(self) -> list[dict[str, str | int | bool]]:
        """What `hedui keys list` shows, a row per version. No key bytes."""
        return [
            {
                "version": key.version,
                "created": key.created.isoformat(),
                "algorithm": key.algorithm,
                "is_current": key.version == self.current,
                "is_wrapped": self.is_wrapped,
            }
            for key in self.keys
        ]

    def _make_cipher(self, version: int) -> Tokeniser:
        for key in self.keys:
            if key.version == version:
                return Tokeniser(key.master, key.algorithm)
        raise KeyRingError(
            f"key version {version} is wanted, the ring {_place(self.path)} holds {self._versions()}; "
            "restore the ring that holds it: what was sealed with it opens with no other"
        )

    def _write(self, keys: tuple[RingKey, ...], wrapping: Wrapping | None) -> None:
        if self.path is None:
            raise KeyRingError(f"a ring in ${RING_ITSELF} cannot be changed here; change it where it is kept")
        with file_lock(self.path.with_name(f".{self.path.name}.lock")):
            if self.path.read_bytes() != self._document:
                raise KeyRingError(
                    f"the ring {self.path} was changed since it was read; run the command again"
                )
            document = write_ring(keys, wrapping)
            replace_file(self.path, document)
        self.keys, self._wrapping, self._document = keys, wrapping, document

    def _versions(self) -> str:
        return ", ".join(str(key.version) for key in self.keys)


def new_ring(path: Path, algorithm: Algorithm = "aes", passphrase: str | None = None) -> KeyRing:
    """Make a ring of one version, wrapped if there is a passphrase. Raises KeyRingError: path taken."""
    ring = _create_ring(path, algorithm, passphrase)
    if ring is None:
        raise KeyRingError(f"{path} exists; a ring is never overwritten. Rotate it, or choose another name")
    return ring


def read_passphrase(environ: Mapping[str, str]) -> str | None:
    """$HEDUI_KEYRING_PASSPHRASE, or the first line of the file $HEDUI_KEYRING_PASSPHRASE_FILE, or None.

    Raises KeyRingError when both are set or the file cannot be read.
    """
    direct, file = environ.get(PASSPHRASE), environ.get(PASSPHRASE_FILE)
    if direct and file:
        raise KeyRingError(f"${PASSPHRASE} and ${PASSPHRASE_FILE} are both set; keep one of them")
    if not file:
        return direct or None
    try:
        lines = Path(file).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as failure:
        raise KeyRingError(f"${PASSPHRASE_FILE} cannot be read: {type(failure).__name__}") from None
    if not lines or not lines[0]:
        raise KeyRingError(f"${PASSPHRASE_FILE} has an empty first line; wanted the passphrase there")
    return lines[0]


def _make_development_ring(home: Path, path: Path, passphrase: str | None) -> None:
    if (home / "audit" / "log.jsonl").exists() or any((home / "nights").glob("*.json")):
        raise KeyRingError(
            f"{path} is missing, and {home} holds nights sealed under it; put it back, or set ${RING_FILE}"
        )
    # None: another process of the same night was first, and its ring is the one.
    if _create_ring(path, "aes", passphrase) is not None:
        print(_WARNING.format(path=path, variable=RING_FILE), file=sys.stderr)


def _create_ring(path: Path, algorithm: Algorithm, passphrase: str | None) -> KeyRing | None:
    keys = (new_key(1, algorithm),)
    wrapping = None if passphrase is None else new_wrapping(passphrase)
    document = write_ring(keys, wrapping)
    path.parent.mkdir(parents=True, exist_ok=True)
    return KeyRing(keys, path, wrapping, document) if create_file(path, document) else None


def _outside(home: Path, path: Path) -> Path:
    if path.resolve().is_relative_to(home.resolve()):
        raise KeyRingError(f"${RING_FILE} points into {home}; keys must not lie beside what they open")
    if not path.exists():
        raise KeyRingError(f"${RING_FILE} is {path}, which is not there; make it with `hedui keys new`")
    return path


def _open_file(path: Path, passphrase: str | None) -> KeyRing:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_bytes()
    except OSError as failure:
        raise KeyRingError(f"the ring {path} cannot be read: {failure.strerror}") from None
    if mode & stat.S_IRWXO:
        raise KeyRingError(
            f"everybody on the machine can reach {path} (mode {mode:04o}); run: chmod 600 {path}"
        )
    return _open_document(content, path, passphrase)


def _open_document(content: bytes, path: Path | None, passphrase: str | None) -> KeyRing:
    keys, wrapping = read_ring(content, _place(path), passphrase)
    return KeyRing(keys, path, wrapping, content)


def _place(path: Path | None) -> str:
    return f"${RING_ITSELF}" if path is None else str(path)
