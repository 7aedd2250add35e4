"""Keeps one stream connected, whatever happens to it (docs/feed.md of the issuer)."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

import httpx

from app.auth import sse
from app.auth.issuer import TIMEOUT, Issuer, IssuerError, LostConnection, nonce
from app.auth.ledger import Ledger
from app.auth.snapshots import Snapshots, longest_silence

GAP = 0.5  # the least time from the end of a connection to the next attempt, in seconds

_log = logging.getLogger(__name__)


class BadMessage(IssuerError):
    """A message of the stream cannot be applied, so the snapshot is needed."""


class Stream:
    """Reads the stream from the position of the ledger, again and again.

    `apply` applies a frame. It returns whether an alive proves that the list is complete, and None for other frames.
    """

    def __init__(
        self,
        issuer: Issuer,
        ledger: Ledger,
        snapshots: Snapshots,
        name: str,
        apply: Callable[[sse.Frame], Awaitable[bool | None]],
    ) -> None:
        self._issuer, self._ledger, self._snapshots, self._name, self._apply = issuer, ledger, snapshots, name, apply
        self._failures = 0
        self._alive_at = 0.0  # when the first alive of the present connection came
        self._limit: asyncio.Timeout | None = None  # of the present connection
        self._moved = False  # whether a snapshot has moved the position, so that the stream must be connected again

    def restart(self) -> None:
        """Connect again, from the present position."""
        if self._limit and not self._limit.expired():
            self._moved = True
            self._limit.reschedule(asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Read streams until cancelled."""
        while True:
            asked = 0.0
            try:
                await self._connect()
            except IssuerError as error:
                _log.warning("the issuer's revocations: %s", error)
                if isinstance(error, LostConnection):
                    asked = min(error.retry_after, self._ledger.max_staleness / 3)
                elif isinstance(error, BadMessage):
                    await self._snapshots.demand()
            own = 0 if self._moved else min(0.5 * 2 ** min(self._failures, 10), 5) * random.uniform(0.5, 1)
            self._failures += 0 if self._moved else 1
            self._moved = False
            await asyncio.sleep(max(asked, own, GAP * random.uniform(1, 1.5)))

    async def _connect(self) -> None:
        """Read one connection until it ends. It is a fault if it was not complete, or proves nothing for too long."""
        where = await self._issuer.metadata()
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(self._ledger.seq)}
        query, timeout = {"verifier": self._name} | nonce(), httpx.Timeout(TIMEOUT, read=None)
        self._alive_at = 0.0
        try:
            async with (
                asyncio.timeout(TIMEOUT) as self._limit,
                self._issuer.open(where.stream, headers=headers, params=query, timeout=timeout) as response,
            ):
                if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
                    raise LostConnection("the stream has another content type")
                await self._read(response, self._limit)
        except TimeoutError as error:
            if not self._moved:
                raise LostConnection("nothing new came on the stream for too long") from error
        finally:
            self._limit = None
            self._snapshots.disconnected()
            if self._alive_at and time.monotonic() - self._alive_at >= self._ledger.max_staleness / 3:
                self._failures = 0
        if not self._alive_at and not self._moved:
            raise LostConnection("the stream ended before it was complete")

    async def _read(self, response: httpx.Response, limit: asyncio.Timeout) -> None:
        """Apply the frames. If one cannot be applied, demand the snapshot."""
        loop, silence = asyncio.get_running_loop(), longest_silence(self._ledger.max_staleness)
        limit.reschedule(loop.time() + silence)
        try:
            async for frame in sse.frames(response.aiter_bytes()):
                proof = await self._apply(frame)
                if proof is not None:
                    self._alive_at = self._alive_at or time.monotonic()
                if proof and not self._moved:
                    limit.reschedule(loop.time() + silence)
        except LostConnection:
            raise
        except (IssuerError, sse.FrameError) as error:
            if not self._moved:
                raise BadMessage(str(error)) from error
