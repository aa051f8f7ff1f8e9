"""The departments' servers, running: HTTP, SFTP and PostgreSQL over one shelf of drops."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from connectors.departments.certificates import write_certificates
from connectors.departments.faults import DATA_FAULTS, SLOW_SECONDS, Faults
from connectors.departments.http import HttpDepartment
from connectors.departments.postgres import READER, RECEIPTS, Database, start_embedded
from connectors.departments.sftp import PasswordOrKey, make_sftp_server
from connectors.departments.shelf import Shelf
from connectors.feeds import address_variable
from connectors.registry import all_contracts
from connectors.transports.loop import LoopThread
from connectors.transports.sealing import format_public_key
from connectors.transports.signing import SigningKey

_USER = "hedui"


class Departments:
    """Running mock departments.

    `environ` gives the settings with which a source reaches them; `close` ends them.

    sent: bytes that left, by (source, file), over HTTP and SFTP.
    """

    def __init__(
        self,
        folder: Path,
        *,
        http: int | None,
        sftp: int | None,
        postgres: str | None,
        faults: Iterable[str],
        host: str,
        name: str,
        tls: bool,
        cut_after: int,
        slow_seconds: float = SLOW_SECONDS,
    ) -> None:
        self.faults = Faults(faults)
        self.sent: Counter[tuple[str, str]] = Counter()
        self._slow_seconds = slow_seconds
        self._name, self._closing = name, contextlib.ExitStack()
        self._workplace = Path(tempfile.mkdtemp(prefix="hedui-departments-"))
        self._closing.callback(shutil.rmtree, self._workplace, ignore_errors=True)
        self.shelf = Shelf(folder, self._workplace / "shelf", self.faults)
        self.shelf.put_out()
        self.key, self.query_key = (
            SigningKey("county", secrets.token_hex(32).encode()),
            X25519PrivateKey.generate(),
        )
        self.password = secrets.token_urlsafe(18)
        self.http_port = self.sftp_port = 0
        self.database: Database | None = None
        self._http_url = self._host_key = self._database_url = ""
        try:
            if http is not None:
                self._start_http(host, http, tls, cut_after)
            if sftp is not None:
                self._start_sftp(host, sftp, cut_after)
            if postgres is not None:
                self._start_postgres(postgres)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def close(self) -> None:
        self._closing.close()

    def plan(self, source: str, kind: str, times: int | None = None) -> None:
        """Plan a fault from now on (see connectors.departments.faults)."""
        self.faults.plan(source, kind, times)
        if kind in DATA_FAULTS:
            self.refresh()

    def heal(self) -> None:
        """No more faults; everything is delivered anew."""
        self.faults.heal()
        self.refresh()

    def refresh(self) -> None:
        """Deliver the feeds' folder as it is now."""
        self.shelf.put_out()
        if self.http_port:
            self.http.batches.clear()  # what was asked before is answered from the new delivery
        if self.database is not None:
            self.database.load()

    def environ(self, source: str, way: str) -> dict[str, str]:
        """The variables with which `open_feed` reaches `source` by https, pages, batch, sftp or sql."""
        variable = address_variable(source)
        address, options = {"sftp": self._sftp_settings, "sql": self._sql_settings}.get(
            way, self._http_settings
        )(source)
        if way == "pages":
            options["MODE"] = "paged"
        if way == "batch":
            options |= {"MODE": "batch", "DEPARTMENT_KEY": format_public_key(self.query_key.public_key())}
        return {variable: address} | {f"{variable}__{option}": value for option, value in options.items()}

    def _http_settings(self, source: str) -> tuple[str, dict[str, str]]:
        options = {"KEY_ID": self.key.key_id, "KEY": self.key.secret.decode()}
        if self._http_url.startswith("https:"):
            keys = self._workplace / "certificates"
            files = {"CA": "authority.pem", "CLIENT_CERT": "client.pem", "CLIENT_KEY": "client.key"}
            options |= {option: str(keys / file) for option, file in files.items()}
        return f"{self._http_url}/{source}", options

    def _sftp_settings(self, source: str) -> tuple[str, dict[str, str]]:
        address = f"sftp://{_USER}@{self._name}:{self.sftp_port}/{source}"
        return address, {"HOST_KEY": self._host_key, "PASSWORD": self.password}

    def _sql_settings(self, source: str) -> tuple[str, dict[str, str]]:
        views = {
            f"VIEW_{file.key.upper()}": f"shared.{source}_{file.key}"
            for file in all_contracts()[source].files
        }
        return self._database_url, {"PASSWORD": self.password, "RECEIPT_VIEW": RECEIPTS} | views

    def _start_http(self, host: str, port: int, tls: bool, cut_after: int) -> None:
        import uvicorn

        self.http = HttpDepartment(
            self.shelf,
            self.faults,
            self.key,
            self.query_key,
            sent=self.sent,
            cut_after=cut_after,
            slow_seconds=self._slow_seconds,
        )
        listening = self._closing.enter_context(socket.create_server((host, port)))
        self.http_port = listening.getsockname()[1]
        secure: dict[str, Any] = {}
        if tls:
            keys = self._workplace / "certificates"
            write_certificates(keys, self._name)
            secure = {
                "ssl_certfile": keys / "server.pem",
                "ssl_keyfile": keys / "server.key",
                "ssl_ca_certs": str(keys / "authority.pem"),
                "ssl_cert_reqs": 2,  # ssl.CERT_REQUIRED: who has no client certificate is not talked to
            }
        config = uvicorn.Config(
            self.http.app(),
            log_level="critical",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            **secure,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(
            target=server.run, args=([listening],), name="departments-http", daemon=True
        )
        thread.start()
        self._closing.callback(thread.join, 5)
        self._closing.callback(setattr, server, "should_exit", True)
        self._http_url = f"{'https' if tls else 'http'}://{self._name}:{self.http_port}"

    def _start_sftp(self, host: str, port: int, cut_after: int) -> None:
        import asyncssh

        shown, published = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        if not self.faults.holds("*", "unknown-host-key"):
            published = shown
        self._host_key = published.export_public_key().decode().strip()
        self.client_key = asyncssh.generate_private_key("ssh-ed25519")
        loop = LoopThread("departments-sftp")
        self._closing.callback(loop.close)

        async def listen() -> Any:
            return await asyncssh.listen(
                host,
                port,
                server_host_keys=[shown],
                server_factory=lambda: PasswordOrKey(
                    _USER, self.password, self.client_key.convert_to_public()
                ),
                sftp_factory=make_sftp_server(
                    self.shelf.folder, self.faults, self.sent, cut_after, self._slow_seconds
                ),
                allow_scp=False,
            )

        acceptor = loop.run(listen(), 10)
        self.sftp_port = acceptor.get_port()

        async def stop_listening() -> None:
            acceptor.close()

        self._closing.callback(lambda: loop.run(stop_listening(), 5))

    def _start_postgres(self, where: str) -> None:
        from sqlalchemy import make_url

        admin = where
        if where == "embedded":
            # PostgreSQL refuses folders that its own user cannot enter, as the workplace is.
            folder = Path(tempfile.mkdtemp(prefix="hedui-postgres-"))
            self._closing.callback(shutil.rmtree, folder, ignore_errors=True)
            server, admin = start_embedded(folder / "data")
            self._closing.callback(server.cleanup)
        self.database = Database(admin, self.shelf, self.faults, self.password)
        self.database.load()
        address = make_url(admin).set(drivername="postgresql+psycopg", username=READER, password=None)
        self._database_url = address.render_as_string(hide_password=False)
