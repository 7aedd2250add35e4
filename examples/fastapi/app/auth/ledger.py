"""What has been revoked, as far as the service has read the issuer's log, and how fresh that is."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from app.auth.issuer import IssuerError
from app.auth.messages import Alive, Entry, Event, Message, Snapshot

SKEW = 60.0  # how far the clocks may differ for the feed, in seconds
KEEP = 120.0  # how long an entry is kept after its end, by the issuer's clock


class OutOfOrder(IssuerError):
    """A message does not follow the one before, or is of another issuer or another time."""


@dataclass
class _Mark:
    up_to: UUID
    until: int


@dataclass
class Ledger:
    """Judges messages whose signatures have been verified. What it refuses changes nothing."""

    issuer: str
    max_staleness: float
    now: Callable[[], float]
    seq: int = 0
    """The number of the newest entry applied."""
    _last: UUID | None = None  # the sid in that entry, if it is known
    _newest: float = 0  # iat of the newest message accepted
    _heard: float = 0  # when the issuer last said that nothing is missing, by the clock
    _heard_running: float = float("-inf")  # the same, by the clock that is never set
    _sessions: dict[UUID, int] = field(default_factory=dict)
    _marks: dict[tuple[str, str], _Mark] = field(default_factory=dict)

    def revoked(self, sid: UUID, user: str, client: str) -> bool:
        """Whether a session is on the list, or at or below a mark that covers it."""
        if sid in self._sessions:
            return True
        names = (("everything", ""), ("user", user), ("client", client))
        marks = (self._marks.get(name) for name in names)
        return any(mark is not None and sid <= mark.up_to for mark in marks)

    @property
    def fresh(self) -> bool:
        """Whether the list counts as complete, by the clock and by the time that has passed."""
        passed = max(self.now() - self._heard, time.monotonic() - self._heard_running)
        return passed <= self.max_staleness

    def event(self, event: Event) -> None:
        """Applies the next entry of the log."""
        self._follows(event, event.revoked.seq, event.revoked.prev, step=1)
        self._apply(event.entry)
        self.seq, self._last = event.revoked.seq, event.entry.sid
        self._newest = max(self._newest, event.iat)

    def alive(self, alive: Alive) -> None:
        """Takes the issuer's word that nothing is missing."""
        self._follows(alive, alive.seq, alive.last, step=0)
        self._timely(alive)
        self._last = self._last or alive.last
        self._hear(alive)
        self._expire(alive.iat - KEEP)

    def snapshot(self, snapshot: Snapshot) -> None:
        """Adds a whole list. One that is behind is that of a restored backup, or old."""
        if snapshot.iss != self.issuer:
            raise OutOfOrder("a message of another issuer")
        self._timely(snapshot)
        if snapshot.next < self.seq and snapshot.iat <= self._newest:
            raise OutOfOrder(f"a snapshot that ends at {snapshot.next}, after {self.seq}")
        for entry in snapshot.entries():
            self._apply(entry)
        self.seq, self._last = snapshot.next, snapshot.last
        self._hear(snapshot)
        self._expire(snapshot.iat - KEEP)

    def _apply(self, entry: Entry) -> None:
        """A revocation is never taken back: marks only rise, and ends only move on."""
        if entry.kind == "session":
            self._sessions[entry.sid] = max(entry.until, self._sessions.get(entry.sid, 0))
            return
        mark = self._marks.setdefault((entry.kind, entry.name), _Mark(entry.sid, entry.until))
        mark.up_to, mark.until = max(mark.up_to, entry.sid), max(mark.until, entry.until)

    def _expire(self, now: float) -> None:
        self._sessions = {sid: until for sid, until in self._sessions.items() if until >= now}
        self._marks = {name: mark for name, mark in self._marks.items() if mark.until >= now}

    def _follows(self, message: Message, seq: int, before: UUID | None, step: int) -> None:
        if message.iss != self.issuer:
            raise OutOfOrder("a message of another issuer")
        if seq != self.seq + step:
            raise OutOfOrder(f"number {seq}, after {self.seq}")
        if before and self._last and before != self._last:
            raise OutOfOrder(f"another log, at {seq}")

    def _timely(self, message: Message) -> None:
        age = self.now() - message.iat
        if not -SKEW <= age <= SKEW + self.max_staleness:
            raise OutOfOrder(f"a message that is {age:.0f} s old")

    def _hear(self, message: Message) -> None:
        """It was complete when the message was made: now, unless it was long under way."""
        self._newest = max(self._newest, message.iat)
        late = max(0, self.now() - SKEW - message.iat)
        self._heard, self._heard_running = self.now() - late, time.monotonic() - late
