"""The ways a department delivers besides a folder.

HTTP(S) in bulk, paged or in batches, SFTP, and SQL views.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.contract import Contract
from connectors.feeds import Feed
from connectors.person_query import PersonQuery
from connectors.registry import all_contracts
from connectors.transports.settings import Settings, read_settings

_SQL_SCHEMES = frozenset({"postgresql", "mysql", "mariadb", "oracle"})


def connect(source: str, environ: Mapping[str, str], query: PersonQuery | None = None) -> Feed:
    """The feed behind `$HEDUI_FEED_<SOURCE>`. Raises FeedRefused for settings that cannot be used."""
    settings = read_settings(source, environ)
    contract = all_contracts().get(source)
    if contract is None:
        settings.refuse(
            "an address for a source without a contract", "a source of connectors/", "correct its name"
        )
    scheme = settings.url.scheme.split("+")[0]
    if scheme in ("http", "https"):
        return _connect_http(settings, contract, query)
    if scheme == "sftp":
        from connectors.transports.sftp import SftpFeed

        return SftpFeed(settings)
    if scheme in _SQL_SCHEMES:
        from connectors.transports.sql import SqlFeed

        return SqlFeed(settings, contract)
    return settings.refuse(
        f"an address with the scheme {scheme!r}",
        f"https, sftp, {', '.join(sorted(_SQL_SCHEMES))}",
        f"correct {settings.variable}; a folder needs no address, only --feeds",
    )


def _connect_http(settings: Settings, contract: Contract, query: PersonQuery | None) -> Feed:
    from connectors.transports.batch import BatchFeed
    from connectors.transports.bulk import BulkFeed
    from connectors.transports.http import HTTP_OPTIONS
    from connectors.transports.paged import PagedFeed

    settings.require_known(HTTP_OPTIONS)
    mode = settings.text("MODE", "bulk")
    if mode == "bulk":
        return BulkFeed(settings)
    if mode == "paged":
        return PagedFeed(settings, contract)
    if mode == "batch":
        return BatchFeed(settings, contract, query)
    return settings.refuse(
        "a MODE nobody knows", "bulk, paged or batch", f"correct {settings.variable}__MODE"
    )
