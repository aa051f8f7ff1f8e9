"""Signed requests and answers: HMAC-SHA256 over what was asked, by whom, when, and once only.

A request is signed over method, path with query, SHA-256 of the body, key id, time stamp and nonce; an
answer over its status, the nonce of the request it answers and the SHA-256 of its body. docs/transports.md
gives a worked example.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

KEY_HEADER = "X-Hedui-Key"
TIME_HEADER = "X-Hedui-Timestamp"
NONCE_HEADER = "X-Hedui-Nonce"
SIGNATURE_HEADER = "X-Hedui-Signature"
ALLOWED_SKEW_SECONDS = 300


@dataclass(frozen=True)
class SigningKey:
    """A key both sides hold; `key_id` is public."""

    key_id: str
    secret: bytes = field(repr=False)

    def sign_request(self, method: str, path: str, body: bytes) -> dict[str, str]:
        """The four headers of one request.

        Each call uses a new nonce, so a repeated request is signed anew.
        """
        timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
        return {
            KEY_HEADER: self.key_id,
            TIME_HEADER: timestamp,
            NONCE_HEADER: nonce,
            SIGNATURE_HEADER: self._digest(_request_text(method, path, body, self.key_id, timestamp, nonce)),
        }

    def sign_answer(self, status: int, nonce: str, body: bytes) -> str:
        return self._digest(_answer_text(status, nonce, body))

    def accepts_answer(self, signature: str | None, status: int, nonce: str, body: bytes) -> bool:
        return hmac.compare_digest(self.sign_answer(status, nonce, body), (signature or "").lower())

    def _digest(self, text: str) -> str:
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()


class RequestVerifier:
    """The other side of `SigningKey.sign_request`: what a department checks before it answers."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self._seen: dict[str, float] = {}

    def fault(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> str | None:
        """Why the request is refused, None when it is good. A nonce is good once within the allowed skew."""
        key_id, timestamp, nonce, signature = (
            headers.get(name, "") for name in (KEY_HEADER, TIME_HEADER, NONCE_HEADER, SIGNATURE_HEADER)
        )
        if key_id != self._key.key_id:
            return "unknown key"
        wanted = self._key._digest(_request_text(method, path, body, key_id, timestamp, nonce))
        if not hmac.compare_digest(wanted.encode(), signature.lower().encode()):
            return "wrong signature"
        now = time.time()
        if not timestamp.isdigit() or abs(now - int(timestamp)) > ALLOWED_SKEW_SECONDS:
            return "time stamp too far away"
        self._seen = {seen: until for seen, until in self._seen.items() if until > now}
        if nonce in self._seen:
            return "nonce used before"
        self._seen[nonce] = now + 2 * ALLOWED_SKEW_SECONDS
        return None


def _request_text(method: str, path: str, body: bytes, key_id: str, timestamp: str, nonce: str) -> str:
    return "\n".join(
        ("HEDUI-REQUEST-1", method, path, hashlib.sha256(body).hexdigest(), key_id, timestamp, nonce)
    )


def _answer_text(status: int, nonce: str, body: bytes) -> str:
    return "\n".join(("HEDUI-ANSWER-1", str(status), nonce, hashlib.sha256(body).hexdigest()))
