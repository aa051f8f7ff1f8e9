"""Where a department is reached: from the environment, a file of such variables, or Airflow's connection.

All become the variables that `hedui nightly` takes from the environment (docs/transports.md). Of the connection
`hedui_<source>` type, host, port, login and schema are the address, the password is its secret, and the extras are
the options.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

# What the connection forms of Airflow call a database, and the driver Hedui comes with.
_SCHEMES = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
_WEB = ("http", "https")


@contextlib.contextmanager
def reaching(*sources: str) -> Iterator[None]:
    """The environment in which these sources are reached; one that has its address there already keeps it.

    The file `$HEDUI_FEEDS_ADDRESSES` goes before a connection. It may be written while Airflow runs.
    """
    file = os.environ.get("HEDUI_FEEDS_ADDRESSES")
    added: dict[str, str] = {}
    for source in sources:
        variable = f"HEDUI_FEED_{source.upper()}"
        if variable not in os.environ:
            told = read_variables(Path(file), [variable]) if file else {}
            added |= told or feed_variables(variable, _connection(source))
    os.environ |= added
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def read_variables(file: Path, addresses: Iterable[str]) -> dict[str, str]:
    """Addresses and their options from a file of shell variables, as `hedui departments serve --env` writes it.

    None when the file is not there. addresses: the variables HEDUI_FEED_<SOURCE> that are wanted.
    """
    wanted = set(addresses)
    if not file.is_file():
        return {}
    words = (shlex.split(line) for line in file.read_text(encoding="utf-8").splitlines())
    pairs = (word[0].partition("=") for word in words if word)
    return {name: value for name, _, value in pairs if name.partition("__")[0] in wanted}


def feed_variables(variable: str, connection: Any) -> dict[str, str]:
    """Address and options of one source; none without a connection. variable: HEDUI_FEED_<SOURCE>."""
    if connection is None:
        return {}
    scheme = _SCHEMES.get(connection.conn_type, connection.conn_type)
    login = f"{quote(connection.login, safe='')}@" if connection.login else ""
    port = f":{connection.port}" if connection.port else ""
    options = {name.upper(): str(value) for name, value in connection.extra_dejson.items()}
    if connection.password:
        options["KEY" if scheme in _WEB else "PASSWORD"] = connection.password
    query = options.pop("QUERY", "")
    address = f"{scheme}://{login}{connection.host or ''}{port}/{(connection.schema or '').lstrip('/')}"
    told = {f"{variable}__{name}": value for name, value in options.items()}
    return {variable: f"{address}?{query}" if query else address} | told


def _connection(source: str) -> Any:
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return BaseHook.get_connection(f"hedui_{source}")
    except AirflowNotFoundException:
        return None
