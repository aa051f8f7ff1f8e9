"""How a source is reached: one address and its options, from the environment and nowhere else.

`HEDUI_FEED_BANKS` is the address, `HEDUI_FEED_BANKS__KEY_ID` an option of it. A secret `X` may also stand
in a file named by `X_FILE`. An option nobody knows stops the feed: a mistyped host key must not silently
mean "no host key".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from connectors.errors import FeedRefused
from connectors.feeds import address_variable

LIMIT_OPTIONS = frozenset(
    {
        "TIMEOUT_SECONDS",
        "DEADLINE_SECONDS",
        "ATTEMPTS",
        "BACKOFF_SECONDS",
        "BACKOFF_LIMIT_SECONDS",
        "MAX_BYTES",
    }
)
_SECRETS = frozenset({"KEY", "PASSWORD", "SSH_KEY_PASSPHRASE", "CLIENT_KEY_PASSWORD"})


@dataclass(frozen=True)
class Limits:
    """How long and how often one operation is tried; sizes in bytes, times in seconds."""

    timeout_seconds: float = 30.0
    deadline_seconds: float = 1800.0
    attempts: int = 6
    backoff_seconds: float = 0.5
    backoff_limit_seconds: float = 60.0
    max_bytes: int = 64 * 1024**3


@dataclass(frozen=True)
class Settings:
    """The address and options of one source. Option values never show in a representation or a message."""

    source: str
    url: SplitResult = field(repr=False)
    options: Mapping[str, str] = field(repr=False)

    @property
    def variable(self) -> str:
        return address_variable(self.source)

    def require_known(self, known: frozenset[str]) -> None:
        allowed = known | LIMIT_OPTIONS | {f"{name}_FILE" for name in known & _SECRETS}
        for name in sorted(set(self.options) - allowed):
            self.refuse(
                f"the option {self.variable}__{name}",
                f"one of {', '.join(sorted(allowed))}",
                "correct its name",
            )

    def text(self, option: str, default: str | None = None) -> str | None:
        return self.options.get(option) or default

    def required(self, option: str, means: str) -> str:
        value = self.secret(option) if option in _SECRETS else self.text(option)
        return value or self.refuse(f"no {self.variable}__{option}", means, "set it in the environment")

    def secret(self, option: str) -> str | None:
        """The value of `option`, or the first line of the file that `<option>_FILE` names."""
        path = self.options.get(f"{option}_FILE")
        if not path:
            return self.options.get(option) or None
        try:
            return Path(path).read_text(encoding="utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            self.refuse(
                f"the file of {self.variable}__{option}_FILE unreadable ({type(error).__name__})",
                "a file holding the secret",
                "correct the path or its permissions",
            )

    def number(self, option: str, default: float) -> float:
        value = self.options.get(option)
        if not value:
            return default
        if not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", value):
            self.refuse(
                f"{self.variable}__{option} that is no number", "a plain decimal number", "correct it"
            )
        return float(value)

    def limits(self) -> Limits:
        return Limits(
            timeout_seconds=self.number("TIMEOUT_SECONDS", Limits.timeout_seconds),
            deadline_seconds=self.number("DEADLINE_SECONDS", Limits.deadline_seconds),
            attempts=max(1, int(self.number("ATTEMPTS", Limits.attempts))),
            backoff_seconds=self.number("BACKOFF_SECONDS", Limits.backoff_seconds),
            backoff_limit_seconds=self.number("BACKOFF_LIMIT_SECONDS", Limits.backoff_limit_seconds),
            max_bytes=int(self.number("MAX_BYTES", Limits.max_bytes)),
        )

    def refuse(self, found: str, wanted: str, do: str) -> NoReturn:
        raise FeedRefused(self.source, found=found, wanted=wanted, do=do)


def read_settings(source: str, environ: Mapping[str, str]) -> Settings:
    """Read address and options of `source`. Raises FeedRefused for an address that cannot be used."""
    variable = address_variable(source)
    options = {
        name.removeprefix(f"{variable}__"): value
        for name, value in environ.items()
        if name.startswith(f"{variable}__")
    }
    try:
        url = urlsplit(environ[variable].strip())
        url.port  # noqa: B018 - raises for a port that is no number
    except ValueError:
        raise FeedRefused(
            source, found=f"{variable} that is no address", wanted="an address", do=f"correct {variable}"
        ) from None
    settings = Settings(source, url, options)
    if url.password:
        settings.refuse(
            f"a password inside {variable}", "an address without secrets", f"move it to {variable}__PASSWORD"
        )
    if url.fragment:
        settings.refuse(f"a # in {variable}", "an address without a fragment", "remove it")
    return settings


def is_loopback(host: str | None) -> bool:
    """Whether nothing sent to `host` leaves this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False
