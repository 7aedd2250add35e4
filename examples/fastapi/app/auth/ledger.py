"""The position of the service in the issuer's log, the list of revoked sessions, and how fresh it is."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from app.auth.issuer import IssuerError
from app.auth.messages import Alive, Entry, Event, Message, Snapshot

SKEW = 60.0  # the largest clock difference that the feed tolerates, in seconds
KEEP = 120.0  # how long an entry is kept after its `until`, in seconds by the issuer's clock


class OutOfOrder(IssuerError):
    """A message does not follow the one before, or has the wrong issuer or time."""


@dataclass
class _Mark:
    up_to: UUID
    until: int


@dataclass(frozen=True)
class Applied:
    """What a snapshot has changed."""

    moved: bool
    """Whether the position in the log is another."""
    proof: bool
    """Whether the snapshot proves that the list is complete."""


@dataclass
class Ledger:
    """Checks and applies messages whose signatures have been verified. A refused message changes nothing."""

    issuer: str
    max_staleness: float
    now: Callable[[], float]
    seq: int = 0
    """The number of the newest entry applied."""
    _last: UUID | None = None  # the sid of that entry, if it is known
    _newest: float = 0  # iat of the newest message accepted
    _proven: float = 0  # iat of the newest message that proved that the list is complete
    _confirmed: float = 0  # when the issuer last confirmed that the list is complete, by the wall clock
    _confirmed_monotonic: float = float("-inf")  # the same, by the monotonic clock
    _sessions: dict[UUID, int] = field(default_factory=dict)
    _marks: dict[tuple[str, str], _Mark] = field(default_factory=dict)

    def revoked(self, sid: UUID, user: str, client: str) -> bool:
        """Return whether a session is in the list, or at or below a mark that covers it."""
        if sid in self._sessions:
            return True
        names = (("everything", ""), ("user", user), ("client", client))
        marks = (self._marks.get(name) for name in names)
        return any(mark is not None and sid <= mark.up_to for mark in marks)

    @property
    def fresh(self) -> bool:
        """Whether the list counts as complete, by the wall clock and by the monotonic clock."""
        passed = max(self.now() - self._confirmed, time.monotonic() - self._confirmed_monotonic)
        return passed <= self.max_staleness

    def event(self, event: Event) -> None:
        """Apply the next entry of the log."""
        self._check_position(event, event.revoked.seq, event.revoked.prev, step=1)
        self._apply(event.entry)
        self.seq, self._last = event.revoked.seq, event.entry.sid
        self._newest = max(self._newest, event.iat)

    def alive(self, alive: Alive) -> bool:
        """Apply the issuer's confirmation that no entry is missing. Return whether it proves that now.

        A repetition of an earlier one does not, and is no fault.
        """
        if alive.iss != self.issuer:
            raise OutOfOrder("a message of another issuer")
        if alive.iat <= self._proven and alive.seq <= self.seq:
            return False
        self._check_position(alive, alive.seq, alive.last, step=0)
        self._check_time(alive)
        self._last = self._last or alive.last
        self._expire(alive.iat - KEEP)
        return self._prove(alive)

    def snapshot(self, snapshot: Snapshot, since: int) -> Applied:
        """Add all entries of a snapshot that was asked for at the position `since`.

        If the stream has gone on meanwhile, the position stays. A snapshot from before `since` comes from a restored
        backup, or is old.
        """
        if snapshot.iss != self.issuer:
            raise OutOfOrder("a message of another issuer")
        self._check_time(snapshot)
        overtaken = since <= snapshot.next < self.seq
        if snapshot.next < self.seq and not overtaken and snapshot.iat <= self._newest:
            raise OutOfOrder(f"a snapshot that ends at {snapshot.next}, after {self.seq}")
        for entry in snapshot.entries():
            self._apply(entry)
        moved = snapshot.next != self.seq and not overtaken
        if not overtaken:
            self.seq, self._last = snapshot.next, snapshot.last
        self._expire(snapshot.iat - KEEP)
        return Applied(moved, self._prove(snapshot))

    def _apply(self, entry: Entry) -> None:
        """Apply one entry. A revocation is final: the bound of a mark and `until` only increase."""
        if entry.kind == "session":
            self._sessions[entry.sid] = max(entry.until, self._sessions.get(entry.sid, 0))
            return
        mark = self._marks.setdefault((entry.kind, entry.name), _Mark(entry.sid, entry.until))
        mark.up_to, mark.until = max(mark.up_to, entry.sid), max(mark.until, entry.until)

    def _expire(self, now: float) -> None:
        self._sessions = {sid: until for sid, until in self._sessions.items() if until >= now}
        self._marks = {name: mark for name, mark in self._marks.items() if mark.until >= now}

    def _check_position(self, message: Message, seq: int, before: UUID | None, step: int) -> None:
        if message.iss != self.issuer:
            raise OutOfOrder("a message of another issuer")
        if seq != self.seq + step:
            raise OutOfOrder(f"number {seq}, after {self.seq}")
        if before and self._last and before != self._last:
            raise OutOfOrder(f"another log, at {seq}")

    def _check_time(self, message: Message) -> None:
        age = self.now() - message.iat
        if not -SKEW <= age <= SKEW + self.max_staleness:
            raise OutOfOrder(f"a message that is {age:.0f} s old")

    def _prove(self, message: Message) -> bool:
        """Record that the list was complete: now, or earlier if the message was in transit for long.

        Return False for a message that is not newer than the last proof: anybody may have repeated it.
        """
        self._newest = max(self._newest, message.iat)
        if message.iat <= self._proven:
            return False
        self._proven = message.iat
        late = max(0, self.now() - SKEW - message.iat)
        self._confirmed, self._confirmed_monotonic = self.now() - late, time.monotonic() - late
        return True
