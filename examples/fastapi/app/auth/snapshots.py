"""Decides when the snapshot is taken (docs/feed.md of the issuer, "Whatever happens to the stream")."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from app.auth.issuer import IssuerError, LostConnection
from app.auth.ledger import Applied

GAP = 1.0  # the least time from the end of a request to the next one, in seconds

_log = logging.getLogger(__name__)


def longest_silence(max_staleness: float) -> float:
    """Return how long a stream may prove nothing, in seconds. The issuer sends an alive every 10 s."""
    return max(max_staleness * 2 / 3, 12)


class Snapshots:
    """Takes the snapshot whenever the stream does not prove that the list is complete, and when it demands it."""

    def __init__(self, max_staleness: float, take: Callable[[], Awaitable[Applied]]) -> None:
        self._max_staleness, self._take = max_staleness, take
        self._demanded = False
        self._wake = asyncio.Event()
        self._attempted = asyncio.Event()
        self._failures = 0
        # Times are by the monotonic clock.
        self._ended = self._proven = self._retry = float("-inf")
        self._stream_proves = False  # whether an alive on the present connection was a proof
        self._early = 1.0

    async def demand(self) -> None:
        """Have the snapshot taken as soon as possible, and wait until that was tried."""
        self._attempted.clear()
        self._demanded = True
        self._wake.set()
        await self._attempted.wait()

    def disconnected(self) -> None:
        """Record that the stream has ended."""
        self._stream_proves = False
        self._wake.set()

    def proven_by_stream(self) -> None:
        """Record that an alive has proven that the list is complete."""
        self._proven, self._stream_proves = time.monotonic(), True

    async def now(self) -> None:
        """Take the snapshot."""
        demanded, self._demanded = self._demanded, False
        self._early = random.uniform(0.9, 1)
        try:
            applied = await self._take()
        except IssuerError as error:
            self._failed(error.retry_after if isinstance(error, LostConnection) else 0)
            self._demanded = self._demanded or demanded
            raise
        finally:
            self._ended = time.monotonic()
            self._attempted.set()
        if applied.proof:
            self._failures, self._proven = 0, self._ended
        else:
            self._failed()  # a repetition is as good as none

    def _failed(self, retry_after: float = 0) -> None:
        own = min(2.0 ** min(self._failures, 10), self._max_staleness / 6) * random.uniform(0.5, 1)
        self._retry = time.monotonic() + max(own, min(retry_after, self._max_staleness / 3))
        self._failures += 1

    async def run(self) -> None:
        """Take snapshots until cancelled."""
        while True:
            earliest = max(self._ended + GAP, self._retry)
            await asyncio.sleep(max(0, earliest - time.monotonic()))
            self._wake.clear()
            if not self._demanded and time.monotonic() < self._routine:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._routine - time.monotonic()):
                        await self._wake.wait()
                continue
            try:
                await self.now()
            except IssuerError as error:
                _log.warning("the issuer's snapshot: %s", error)

    @property
    def _routine(self) -> float:
        """When the next snapshot is due if none is demanded."""
        wait = longest_silence(self._max_staleness) if self._stream_proves else self._max_staleness / 3
        return self._proven + wait * self._early
