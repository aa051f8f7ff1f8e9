"""How often something may be done."""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import delete, func, select

from portal.errors import TooMany
from portal.schema import Attempt, Download, Reveal
from portal.scope import ScopedSession
from portal.settings import Settings


class RequestRate:
    """Requests of one session (or address) in the last minute, counted in this process."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._seen: defaultdict[str, deque[datetime]] = defaultdict(deque)
        self._lock = Lock()

    def count(self, who: str, now: datetime) -> None:
        """Raises TooMany past the limit."""
        with self._lock:
            seen = self._seen[who]
            while seen and seen[0] < now - timedelta(minutes=1):
                seen.popleft()
            if len(seen) >= self._per_minute:
                raise TooMany("一分钟内请求过多，请稍候再试。")
            seen.append(now)
            if len(self._seen) > 10_000:
                self._forget(now)

    def _forget(self, now: datetime) -> None:
        idle = [who for who, seen in self._seen.items() if not seen or seen[-1] < now - timedelta(minutes=1)]
        for who in idle:
            del self._seen[who]


def count_sign_in(db: ScopedSession, origin: str, now: datetime, settings: Settings) -> None:
    """Raises TooMany when one address tries too often; counted in the database, for all processes."""
    db.execute(delete(Attempt).where(Attempt.at < now - timedelta(days=1)))
    recent = select(func.count(Attempt.id)).where(
        Attempt.origin == origin, Attempt.at > now - timedelta(minutes=1)
    )
    if db.scalars(recent).one() >= settings.sign_ins_per_minute:
        raise TooMany("登录尝试过于频繁，请一分钟后再试。")
    db.add(Attempt(origin=origin, at=now))


def check_reveals(db: ScopedSession, user_id: int, now: datetime, settings: Settings) -> None:
    recent = select(func.count(Reveal.id)).where(
        Reveal.user_id == user_id, Reveal.at > now - timedelta(hours=1)
    )
    if db.scalars(recent).one() >= settings.reveals_per_hour:
        raise TooMany(f"一小时内最多查看 {settings.reveals_per_hour} 个完整号码。")


def check_downloads(db: ScopedSession, user_id: int, now: datetime, settings: Settings) -> None:
    recent = select(func.count(Download.id)).where(
        Download.user_id == user_id, Download.at > now - timedelta(hours=1)
    )
    if db.scalars(recent).one() >= settings.downloads_per_hour:
        raise TooMany(f"一小时内最多下载 {settings.downloads_per_hour} 次。")
