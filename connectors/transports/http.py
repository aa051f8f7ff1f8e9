"""One department over HTTP(S): signed, patient and polite requests."""

from __future__ import annotations

import email.utils
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import httpx

from connectors.errors import FeedRefused
from connectors.feeds import RECEIPT_MAX_BYTES
from connectors.transports.patience import Pace, Patience
from connectors.transports.settings import Settings, is_loopback
from connectors.transports.signing import NONCE_HEADER, SIGNATURE_HEADER, SigningKey

HTTP_OPTIONS = frozenset(
    {
        "MODE", "KEY_ID", "KEY", "ANSWERS_SIGNED", "CA", "CLIENT_CERT", "CLIENT_KEY", "CLIENT_KEY_PASSWORD",
        "REQUESTS_PER_SECOND", "PAGE_ROWS", "DEPARTMENT_KEY", "POLL_SECONDS",
    }
)  # fmt: skip
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True)
class Answer:
    """A complete small answer. status 404 has the server's body, which nobody reads."""

    status: int
    body: bytes


class TornAnswer(Exception):
    """No complete answer, worth another try. Says how, without any of its content.

    at_least: seconds to wait before.
    """

    def __init__(self, why: str, at_least: float = 0.0) -> None:
        super().__init__(why)
        self.at_least = at_least


class HttpConnection:
    """Requests below one address.

    Each goes out signed when a key is configured, each try with a new nonce.
    """

    def __init__(self, settings: Settings) -> None:
        self.source, self._settings, self._limits = settings.source, settings, settings.limits()
        self._require_address()
        self._key = self._read_key()
        self._answers_signed = self._key is not None and settings.text("ANSWERS_SIGNED", "yes") != "no"
        self._pace = Pace(settings.number("REQUESTS_PER_SECOND", 0))
        # trust_env is off: proxies, .netrc and CA bundles of the account must not decide whence feeds come.
        self._client = httpx.Client(
            base_url=settings.url.geturl().rstrip("/") + "/",
            timeout=httpx.Timeout(self._limits.timeout_seconds),
            verify=self._tls(),
            trust_env=False,
            follow_redirects=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "hedui"},
        )

    def patience(self) -> Patience:
        return Patience(self.source, self._limits)

    def close(self) -> None:
        self._client.close()

    def ask(
        self,
        path: str,
        *,
        params: dict[str, str] | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        patience: Patience | None = None,
    ) -> Answer:
        """GET, or POST when there is a body; tried until complete. The answer's signature is checked.

        Raises FeedRefused for 401, 403, redirects, other refusals and wrong signatures; FeedUnavailable
        when patience ends. A 404 is an answer.
        """
        patience = patience or self.patience()
        while True:
            try:
                with self._send(path, params, body, headers or {}, patience) as response:
                    content = self._read_small(response, patience)
                    self._check_answer(response, content)
                    return Answer(response.status_code, content)
            except TornAnswer as torn:
                patience.pause(str(torn), torn.at_least)

    @contextmanager
    def stream(self, path: str, headers: dict[str, str], patience: Patience) -> Iterator[httpx.Response]:
        """One try of a GET whose body is read in pieces. Raises TornAnswer when it is worth another try."""
        with self._send(path, None, None, headers, patience) as response:
            yield response

    def pieces(self, response: httpx.Response, patience: Patience) -> Iterator[bytes]:
        """The body as it arrives; the deadline holds for a server that drips, too."""
        for piece in response.iter_raw():
            patience.check()
            yield piece

    @contextmanager
    def _send(
        self,
        path: str,
        params: dict[str, str] | None,
        body: bytes | None,
        headers: dict[str, str],
        patience: Patience,
    ) -> Iterator[httpx.Response]:
        method = "GET" if body is None else "POST"
        request = self._client.build_request(method, path, params=params, content=body, headers=headers)
        if self._key:
            request.headers.update(self._key.sign_request(method, request.url.raw_path.decode(), body or b""))
        patience.check()
        self._pace.keep()
        try:
            response = self._client.send(request, stream=True)
            try:
                self._judge(response)
                yield response
            finally:
                response.close()
        except httpx.TransportError as error:
            self._judge_tls(error)
            raise TornAnswer(f"the connection failed ({type(error).__name__})") from None
        except httpx.HTTPError as error:
            raise TornAnswer(f"no proper answer ({type(error).__name__})") from None

    def _judge(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in (200, 202, 206, 404, 416):
            self._require_known_end(response)
            return
        if status in _AGAIN:
            raise TornAnswer(f"HTTP {status}", _retry_after(response.headers.get("Retry-After", "")))
        if status in (401, 403):
            self._refuse(
                f"HTTP {status}",
                "an accepted key, client certificate and clock",
                "compare key id and certificate with the department, and both clocks",
            )
        if 300 <= status < 400:
            self._refuse(
                f"a redirect (HTTP {status})", "the answer itself", "ask the department for the right address"
            )
        self._refuse(f"HTTP {status}", "200", "ask the department what it expects")

    def _require_known_end(self, response: httpx.Response) -> None:
        """A body that ends when the connection does cannot be told from a torn one."""
        chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
        if not chunked and not response.headers.get("Content-Length", "").isdigit():
            self._refuse(
                "an answer that does not say where it ends",
                "Content-Length or chunked encoding",
                "ask the department to send one of them",
            )

    def _judge_tls(self, error: BaseException) -> None:
        """Certificates that do not fit are refused; a TLS connection that merely broke is not."""
        seen: BaseException | None = error
        while seen is not None:
            reason = str(getattr(seen, "reason", "") or "")
            if isinstance(seen, ssl.SSLCertVerificationError):
                self._refuse(
                    "a server certificate that does not verify",
                    "one signed by the agreed authority for this host name",
                    f"call the department; set {self._settings.variable}__CA only to what it gave you",
                )
            if isinstance(seen, ssl.SSLError) and ("ALERT" in reason or "WRONG_VERSION" in reason):
                self._refuse(
                    f"TLS refused ({reason})",
                    "a client certificate the department accepts",
                    f"check {self._settings.variable}__CLIENT_CERT and __CLIENT_KEY",
                )
            seen = seen.__cause__ or seen.__context__

    def _read_small(self, response: httpx.Response, patience: Patience) -> bytes:
        content = bytearray()
        for piece in self.pieces(response, patience):
            content += piece
            if len(content) > RECEIPT_MAX_BYTES:
                self._refuse(
                    f"an answer of more than {RECEIPT_MAX_BYTES} bytes",
                    "a receipt, list or page",
                    "ask the department",
                )
        return bytes(content)

    def _check_answer(self, response: httpx.Response, content: bytes) -> None:
        if self._key is None or not self._answers_signed or response.status_code == 404:
            return
        nonce = response.request.headers[NONCE_HEADER]
        if not self._key.accepts_answer(
            response.headers.get(SIGNATURE_HEADER), response.status_code, nonce, content
        ):
            self._refuse(
                "an answer whose signature is wrong or missing",
                "one signed with the shared key for this very request",
                "call the department: the key differs, or somebody stands between",
            )

    def _require_address(self) -> None:
        url = self._settings.url
        if not url.hostname or url.query or url.username:
            self._refuse(
                "an address with a query or user name, or without a host", "https://host/path", "correct it"
            )
        if url.scheme != "https" and not is_loopback(url.hostname):
            self._refuse("plain http to another machine", "https", f"correct {self._settings.variable}")

    def _read_key(self) -> SigningKey | None:
        key_id = self._settings.text("KEY_ID")
        if key_id is None:
            return None
        return SigningKey(key_id, self._settings.required("KEY", "the shared signing key").encode())

    def _tls(self) -> ssl.SSLContext:
        settings = self._settings
        if settings.url.scheme == "http":
            # On loopback no certificate is ever looked at, and loading the system's costs 40 ms a feed.
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context = ssl.create_default_context(cafile=settings.text("CA"))
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if certificate := settings.text("CLIENT_CERT"):
                # An empty password keeps OpenSSL from asking at the terminal.
                context.load_cert_chain(
                    certificate, settings.text("CLIENT_KEY"), settings.secret("CLIENT_KEY_PASSWORD") or ""
                )
        except (OSError, ssl.SSLError) as error:
            self._refuse(
                f"certificate files that cannot be used ({type(error).__name__})",
                "PEM files in CA, CLIENT_CERT and CLIENT_KEY",
                "correct their paths, or the key's password",
            )
        return context

    def _refuse(self, found: str, wanted: str, do: str) -> NoReturn:
        raise FeedRefused(self.source, found=found, wanted=wanted, do=do)


def _retry_after(value: str) -> float:
    """Seconds a server asked to wait: a number or an HTTP date; 0 for anything else."""
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return 0.0


def content_range(value: str) -> tuple[int, int, int] | None:
    """First byte, last byte and whole size of a partial answer."""
    match = _RANGE.fullmatch(value)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None
