"""Processes that read feeds side by side, and none of which outlives the night it reads for."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from pipelines.intake.compile_loops import compile_loops

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc; of musl there is no mallopt


def open_reader_pool(workers: int) -> ProcessPoolExecutor:
    """Processes that start at once, with everything loaded; loading it again takes longer than a small feed.

    Open it before anything else of the night: a fork copies the locks of running threads, so where other threads run
    the processes are started from nothing.
    """
    compile_loops()  # once, for the night and its readers
    is_alone = sys.platform == "linux" and threading.active_count() == 1
    pool = ProcessPoolExecutor(
        workers,
        mp_context=get_context("fork" if is_alone else "spawn"),
        initializer=_get_ready,
        initargs=(os.getpid(),),
    )
    for _ in range(workers):
        pool.submit(os.getpid)  # one is started for each task that finds none idle
    return pool


def _get_ready(parent: int) -> None:
    end_with_parent(parent)
    _keep_freed_memory()
    compile_loops()


def _keep_freed_memory() -> None:
    """Reading asks for the same megabytes again and again: given back each time, they would come as fresh pages."""
    c_library = ctypes.CDLL(None)
    if hasattr(c_library, "mallopt"):
        c_library.mallopt(_M_MMAP_THRESHOLD, 32 << 20)
        c_library.mallopt(_M_TRIM_THRESHOLD, 1 << 30)


def end_with_parent(parent: int) -> None:
    """From now on this process is killed when its parent is gone, however that ended.

    Without it a reader goes on to the end of its file after `kill -9` of the night. Linux tells children; elsewhere
    nothing happens.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # gone before this was asked for
            os._exit(1)
