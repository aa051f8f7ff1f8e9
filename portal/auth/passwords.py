"""Argon2id passwords."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MINIMUM_LENGTH = 12


class PasswordTooWeak(ValueError):
    """The new password does not meet what the desk asks; the message tells the officer why."""


@cache
def _hasher(cost: tuple[int, int, int]) -> PasswordHasher:
    passes, kibibytes, lanes = cost
    return PasswordHasher(time_cost=passes, memory_cost=kibibytes, parallelism=lanes)


@cache
def _nobodys_hash(cost: tuple[int, int, int]) -> str:
    return _hasher(cost).hash("nobody signs in with this")


def hash_password(password: str, cost: tuple[int, int, int]) -> str:
    return _hasher(cost).hash(password)


def verify_password(password_hash: str | None, password: str, cost: tuple[int, int, int]) -> bool:
    """False for an unknown officer (None) too, after the same work: the time tells nothing."""
    try:
        _hasher(cost).verify(password_hash or _nobodys_hash(cost), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def check_strength(password: str, login: str) -> None:
    """Raises PasswordTooWeak, in Chinese, for a password an attacker would try first."""
    if len(password) < MINIMUM_LENGTH:
        raise PasswordTooWeak(f"密码至少 {MINIMUM_LENGTH} 个字符")
    if login.lower() in password.lower():
        raise PasswordTooWeak("密码不能包含登录名")
    if len(set(password)) < 6:
        raise PasswordTooWeak("密码中不同的字符太少")
    kinds = (str.isupper, str.islower, str.isdigit, lambda c: not c.isalnum())
    if sum(any(kind(c) for c in password) for kind in kinds) < 3:
        raise PasswordTooWeak("密码须包含大写字母、小写字母、数字、符号中的至少三种")
