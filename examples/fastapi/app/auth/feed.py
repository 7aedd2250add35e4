"""Follows the issuer's revocation log."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, TypeVar

import jwt
from pydantic import ValidationError

from app.auth import jws, sse
from app.auth.issuer import Issuer, IssuerError, WrongConfiguration, nonce
from app.auth.keys import KeyRing
from app.auth.ledger import Applied, Ledger
from app.auth.messages import Alive, Entry, Event, Message, Snapshot
from app.auth.snapshots import Snapshots
from app.auth.stream import Stream

MAX_SNAPSHOT = 64 << 20  # bytes

_log = logging.getLogger(__name__)
_M = TypeVar("_M", bound=Message)


class Feed:
    """Keeps a ledger up to date with snapshots and, from the position of the first one, with the stream."""

    def __init__(self, issuer: Issuer, keys: KeyRing, ledger: Ledger, name: str) -> None:
        self._issuer, self._keys, self._ledger, self._name = issuer, keys, ledger, name
        self._snapshots = Snapshots(ledger.max_staleness, self._take_snapshot)
        self._stream = Stream(issuer, ledger, self._snapshots, name, self._apply)
        self._delay = 0.0  # of the newest event, in seconds
        self._unreported = asyncio.Event()
        self._complete = asyncio.Event()  # there has been a snapshot, so there is a position in the log

    async def start(self) -> None:
        """Take the first snapshot. If the issuer does not answer, that is done in the background."""
        try:
            await self._snapshots.now()
        except WrongConfiguration:
            raise
        except IssuerError as error:
            _log.warning("the issuer's snapshot: %s", error)

    def work(self) -> tuple[Callable[[], Coroutine[Any, Any, None]], ...]:
        """Return what runs in the background. Nothing that happens to the stream stops the snapshots."""
        return self._snapshots.run, self._follow, self._report

    async def _follow(self) -> None:
        await self._complete.wait()
        await self._stream.run()

    async def _take_snapshot(self) -> Applied:
        where, seq = await self._issuer.metadata(), self._ledger.seq
        headers, patience = {"Accept": "application/jwt"}, self._ledger.max_staleness / 3
        _, body = await self._issuer.fetch(
            where.snapshot, MAX_SNAPSHOT, headers=headers, params=nonce(), within=patience
        )
        text = body.decode("ascii", "replace")
        snapshot = await self._read(Snapshot, text, "revocations+jwt", MAX_SNAPSHOT)
        applied = self._ledger.snapshot(snapshot, seq)
        self._renew_keys_if_everything_revoked(snapshot.entries())
        if applied.moved:
            self._stream.restart()
        self._delay = 0
        self._unreported.set()
        self._complete.set()
        return applied

    async def _apply(self, frame: sse.Frame) -> bool | None:
        """Apply a frame. Return whether an alive is a proof, and None for other frames. Unknown ones are skipped."""
        match frame.event:
            case "revoked":
                event = await self._read(Event, frame.data, "secevent+jwt")
                if frame.id != str(event.revoked.seq):
                    raise IssuerError("a frame's id is not the event's number")
                self._ledger.event(event)
                self._delay = max(0, self._ledger.now() - event.revoked.at_ms / 1000)
                self._unreported.set()
                self._renew_keys_if_everything_revoked([event.entry])
            case "alive":
                proof = self._ledger.alive(await self._read(Alive, frame.data, "revocations-alive+jwt"))
                if proof:
                    self._snapshots.proven_by_stream()
                return proof
            case "gone":
                raise IssuerError("the issuer no longer has what comes next")
        return None

    def _renew_keys_if_everything_revoked(self, entries: Iterable[Entry]) -> None:
        """Have the keys fetched if everything was revoked: this is how the issuer announces a compromised key."""
        if any(entry.kind == "everything" for entry in entries):
            self._keys.demand()

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

    async def _report(self) -> None:
        """Report to the issuer what was applied, at most once a second and at least once a minute."""
        await self._complete.wait()
        while True:
            self._unreported.clear()
            report = {"verifier": self._name, "seq": self._ledger.seq, "delay_ms": round(self._delay * 1000)}
            try:
                where = await self._issuer.metadata()
                await self._issuer.fetch(where.applied, 4 << 10, method="POST", json=report)
            except IssuerError as error:
                _log.debug("reporting to the issuer: %s", error)
            await asyncio.sleep(1)
            with suppress(TimeoutError):
                async with asyncio.timeout(59):
                    await self._unreported.wait()
