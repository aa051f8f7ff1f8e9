"""Files that are wholly there or not at all, also after a crash, and readable by their owner alone."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

OWNER_ONLY = 0o600
_NO_UNNAMED_FILES = {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL}


def replace_file(path: Path, content: bytes) -> None:
    """Write beside `path`, flush to disk, then take its place in one step. Mode 0600."""
    with unnamed_file(path.parent) as file:
        file.write(content)
        give_name(file, path)


def create_file(path: Path, content: bytes) -> bool:
    """As `replace_file`, but False and nothing done when `path` is there already."""
    with unnamed_file(path.parent) as file:
        file.write(content)
        return _link(file, path)


@contextmanager
def unnamed_file(folder: Path) -> Iterator[BinaryIO]:
    """A file in `folder` that has no name until `give_name`: a killed process leaves nothing of it behind.

    Where the file system knows no unnamed files it is a hidden one, removed at the end of the block.
    """
    file = _open_unnamed(folder)
    if file is not None:
        with file:
            yield file
        return
    descriptor, hidden = tempfile.mkstemp(prefix=".unfinished-", dir=folder)
    os.close(descriptor)
    try:
        with Path(hidden).open("w+b") as file:
            yield file
    finally:
        Path(hidden).unlink(missing_ok=True)


def give_name(file: BinaryIO, path: Path) -> None:
    """Put a file of `unnamed_file` under `path`, on disk, in place of what was there."""
    if _link(file, path):
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    _link(file, beside)
    beside.replace(path)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Flush what was written to `path` to disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Flush the names in `folder` to disk."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """A new folder to fill; takes the place of `target` in one step when the block ends well, else it is deleted."""
    building = target.with_name(f"{target.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        yield building
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    shutil.rmtree(target, ignore_errors=True)
    os.replace(building, target)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the one lock of `path` against other processes and threads; waits for it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _open_unnamed(folder: Path) -> BinaryIO | None:
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None:
        return None
    try:
        return os.fdopen(os.open(folder, flag | os.O_RDWR, OWNER_ONLY), "w+b")
    except OSError as failure:
        if failure.errno in _NO_UNNAMED_FILES and folder.is_dir():
            return None
        raise


def _link(file: BinaryIO, path: Path) -> bool:
    """Whether `path` was free and is now the file."""
    file.flush()
    os.fsync(file.fileno())
    # An unnamed file was opened by number, and is reached through it.
    source = str(file.name) if not isinstance(file.name, int) else f"/proc/self/fd/{file.fileno()}"
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # With a folder descriptor Python calls linkat, which can follow the link under /proc.
        os.link(source, path.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True)
        os.fsync(folder)
    except FileExistsError:
        return False
    finally:
        os.close(folder)
    return True


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
