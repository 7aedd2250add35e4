"""Follows the issuer's revocation log."""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TypeVar

import httpx
import jwt
from pydantic import ValidationError

from app.auth import jws, sse
from app.auth.issuer import Issuer, IssuerError, LostConnection, Metadata
from app.auth.keys import KeyRing
from app.auth.ledger import Ledger
from app.auth.messages import Alive, Entry, Event, Message, Snapshot

MAX_SNAPSHOT = 64 << 20  # bytes

_log = logging.getLogger(__name__)
_M = TypeVar("_M", bound=Message)


class Feed:
    """Keeps a ledger up to date: with the snapshot first, and then with the stream from its position."""

    def __init__(self, issuer: Issuer, where: Metadata, keys: KeyRing, ledger: Ledger, name: str) -> None:
        self._issuer, self._where, self._keys, self._ledger, self._name = issuer, where, keys, ledger, name
        self._idle = ledger.max_staleness * 2 / 3  # after this time without an alive the stream is closed
        self._failures = 0
        self._resync = False
        self._delay = 0.0  # of the newest event, in seconds
        self._unreported = asyncio.Event()

    async def snapshot(self) -> None:
        """Fetch the snapshot and apply it."""
        headers = {"Accept": "application/jwt"}
        _, body = await self._issuer.fetch(self._where.snapshot, MAX_SNAPSHOT, headers=headers)
        text = body.decode("ascii", "replace")
        snapshot = await self._read(Snapshot, text, "revocations+jwt", MAX_SNAPSHOT)
        self._ledger.snapshot(snapshot)
        await self._renew_keys_if_everything_revoked(snapshot.entries())
        self._delay = 0
        self._unreported.set()

    async def run(self) -> None:
        """Follow the log until cancelled. A lost connection resumes; any other fault makes it fetch the snapshot."""
        while True:
            pause = 0.0
            try:
                if self._resync:
                    await self.snapshot()
                await self._stream()
            except LostConnection as error:
                _log.warning("the issuer's revocations: %s", error)
                pause = error.retry_after
            except (IssuerError, sse.FrameError) as error:
                _log.warning("the issuer's revocations: %s", error)
                self._resync = True
            longest = min(0.5 * 2 ** min(self._failures, 10), 5)
            await asyncio.sleep(pause + longest * random.uniform(0.5, 1))
            self._failures += 1

    async def _stream(self) -> None:
        """Read one connection until it ends. It is a fault if no alive arrives in time."""
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(self._ledger.seq)}
        stream = self._issuer.open(
            self._where.stream, headers=headers, params={"verifier": self._name}, timeout=httpx.Timeout(5, read=None)
        )
        alive = False
        try:
            async with asyncio.timeout(self._idle) as silence, stream as response:
                async for frame in sse.frames(response.aiter_bytes()):
                    await self._apply(frame)
                    if frame.event == "alive":
                        alive = True
                        silence.reschedule(asyncio.get_running_loop().time() + self._idle)
        except TimeoutError as error:
            raise IssuerError("the stream is silent") from error
        if not alive:
            raise IssuerError("the stream was silent to its end")

    async def _apply(self, frame: sse.Frame) -> None:
        match frame.event:
            case "revoked":
                event = await self._read(Event, frame.data, "secevent+jwt")
                if frame.id != str(event.revoked.seq):
                    raise IssuerError("a frame's id is not the event's number")
                self._ledger.event(event)
                self._delay = max(0, self._ledger.now() - event.revoked.at_ms / 1000)
                self._unreported.set()
                await self._renew_keys_if_everything_revoked([event.entry])
            case "alive":
                self._ledger.alive(await self._read(Alive, frame.data, "revocations-alive+jwt"))
                self._failures = 0
            case "gone":
                raise IssuerError("the issuer no longer has what comes next")
            case _:
                raise IssuerError("an unknown frame")

    async def _renew_keys_if_everything_revoked(self, entries: Iterable[Entry]) -> None:
        """Fetch the keys if everything was revoked: a key may be compromised. Until that succeeds, run starts again."""
        self._resync = True
        if any(entry.kind == "everything" for entry in entries):
            await self._keys.renew()
        self._resync = False

    async def _read(self, kind: type[_M], text: str, typ: str, limit: int = jws.MAX_TOKEN) -> _M:
        """Verify and parse a message. For an unknown key the keys are fetched again."""
        checks: Callable[[], object] = lambda: jws.verify(  # noqa: E731
            text, typ, self._keys, limit, options={"verify_aud": False, "verify_iat": False}
        )
        try:
            try:
                payload = checks()
            except jws.UnknownKey:
                await self._keys.renew()
                payload = checks()
            return kind.model_validate(payload)
        except (jwt.PyJWTError, ValidationError) as error:
            raise IssuerError(f"a message is not good: {type(error).__name__}") from error

    async def report(self) -> None:
        """Report to the issuer what was applied, at most once a second and at least once a minute."""
        while True:
            self._unreported.clear()
            report = {"verifier": self._name, "seq": self._ledger.seq, "delay_ms": round(self._delay * 1000)}
            try:
                await self._issuer.fetch(f"{self._where.snapshot}/applied", 4 << 10, method="POST", json=report)
            except IssuerError as error:
                _log.debug("reporting to the issuer: %s", error)
            await asyncio.sleep(1)
            with suppress(TimeoutError):
                async with asyncio.timeout(59):
                    await self._unreported.wait()
