"""Where a department is reached, from Airflow's connection `hedui_<source>`.

The connection becomes the variables that `hedui nightly` takes from the environment (docs/transports.md): type, host,
port, login and schema are the address, the password is its secret, and the extras are the options.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

# What the connection forms of Airflow call a database, and the driver Hedui comes with.
_SCHEMES = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
_WEB = ("http", "https")


@contextlib.contextmanager
def reaching(*sources: str) -> Iterator[None]:
    """The environment in which these sources are reached; one that has its address there already keeps it."""
    added: dict[str, str] = {}
    for source in sources:
        variable = f"HEDUI_FEED_{source.upper()}"
        if variable not in os.environ:
            added |= feed_variables(variable, _connection(source))
    os.environ |= added
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


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
