"""Time-based one-time passwords (RFC 6238 over RFC 4226, SHA-1, six digits, 30 seconds)."""

from __future__ import annotations

import base64
import hmac
import os
from datetime import datetime
from urllib.parse import quote

STEP_SECONDS = 30
DIGITS = 6
# One step either side for clocks that are a little off (RFC 6238, 5.2).
DRIFT_STEPS = 1


def new_secret() -> bytes:
    return os.urandom(20)


def secret_text(secret: bytes) -> str:
    """Base32 in groups of four, to type into an authenticator."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def enrolment_address(secret: bytes, login: str) -> str:
    """The otpauth:// address authenticators read."""
    key = base64.b32encode(secret).decode()
    return f"otpauth://totp/{quote('核对县级工作台')}:{quote(login)}?secret={key}&digits={DIGITS}&period={STEP_SECONDS}"


def code_at(secret: bytes, step: int) -> str:
    """The code of one 30-second step."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_at(now: datetime) -> int:
    return int(now.timestamp()) // STEP_SECONDS


def accepted_step(secret: bytes, code: str, now: datetime, last_step: int) -> int | None:
    """The step `code` belongs to, or None. A step up to `last_step` was used and is refused."""
    typed = "".join(code.split())
    here = step_at(now)
    for step in range(here - DRIFT_STEPS, here + DRIFT_STEPS + 1):
        if step > last_step and hmac.compare_digest(code_at(secret, step).encode(), typed.encode()):
            return step
    return None
