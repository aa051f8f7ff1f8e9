"""Processes that read feeds side by side, and none of which outlives the night it reads for."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def open_reader_pool(workers: int) -> ProcessPoolExecutor:
    """Spawned, because a fork would copy the threads' locks of the libraries already loaded."""
    return ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=end_with_parent, initargs=(os.getpid(),)
    )


def end_with_parent(parent: int) -> None:
    """From now on this process is killed when its parent is gone, however that ended.

    Without it a reader goes on to the end of its file after `kill -9` of the night. Linux tells children; elsewhere
    nothing happens.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # gone before this was asked for
            os._exit(1)
