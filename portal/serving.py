"""Serving the desk in several processes, each with a listening socket of its own.

Of processes that share one socket the first that wakes takes every connection that waits: of fifty officers who click
in the same moment one process would serve nearly all. With sockets of their own (SO_REUSEPORT, socket(7)) the kernel
spreads the connections over them.
"""

from __future__ import annotations

import socket
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess


def serve_processes(app: str, host: str, port: int, processes: int, log_level: str | None = None) -> None:
    """Serve until told to stop; a process that dies is started again. app: module:function that makes it."""
    config = uvicorn.Config(
        app,
        factory=True,
        host=host,
        port=port,
        workers=processes,
        access_log=False,
        server_header=False,
        log_level=log_level,
    )
    own: Any = _OwnSocket(host, port)
    Multiprocess(config, sockets=[own]).run()


class _OwnSocket:
    """Stands for a socket until it is handed to a process, which gets one of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)

    def __reduce__(self) -> tuple[Any, tuple[str, int]]:
        return _bind, self._address


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((host, port))
    return bound
