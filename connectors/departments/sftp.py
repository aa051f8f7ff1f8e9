"""A department's SFTP server: the drops on the shelf, to look at and to read, nothing else."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import asyncssh

from connectors.departments.faults import Faults

_SLOW_SECONDS = 0.01
_READ_ONLY = (
    "write",
    "setstat",
    "lsetstat",
    "fsetstat",
    "remove",
    "mkdir",
    "rmdir",
    "rename",
    "posix_rename",
    "symlink",
    "link",
)


def make_sftp_server(
    shelf: Path, faults: Faults, sent: Counter[tuple[str, str]], cut_after: int, slow_seconds: float
) -> Any:
    """The factory asyncssh wants: one server object a session, with the shelf as its root."""

    class Drops(asyncssh.SFTPServer):
        def __init__(self, channel: Any) -> None:
            super().__init__(channel, chroot=os.fsencode(shelf))

        def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> Any:
            if pflags & ~asyncssh.FXF_READ:
                raise asyncssh.SFTPPermissionDenied("the drops are read-only")
            return super().open(path, pflags, attrs)

        def read(self, file_obj: Any, offset: int, size: int) -> bytes:
            path = Path(os.fsdecode(file_obj.name))
            source = path.relative_to(os.path.realpath(shelf)).parts[0]
            if faults.holds(source, "slow"):
                time.sleep(slow_seconds)
            if offset >= cut_after and faults.strike(source, "torn"):
                self.connection.abort()
            file_obj.seek(offset)
            content: bytes = file_obj.read(size)
            sent[source, path.name] += len(content)
            return content

    def refuse(self: Any, *args: Any) -> None:
        raise asyncssh.SFTPPermissionDenied("the drops are read-only")

    for name in _READ_ONLY:
        setattr(Drops, name, refuse)
    return Drops


class PasswordOrKey(asyncssh.SSHServer):
    """Lets one user in, by password or by one public key."""

    def __init__(self, user: str, password: str, key: asyncssh.SSHKey) -> None:
        self._user, self._password, self._key = user, password, key

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (self._user, self._password)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == self._user and key.public_data == self._key.public_data
