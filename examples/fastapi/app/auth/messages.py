"""The format of the signed messages of the feed (docs/feed.md of the issuer)."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import UUID7, BaseModel, ConfigDict, Field, Strict, model_validator

EVENT_TYPE = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"

SID = Annotated[UUID7, Strict(False)]
"""A session id. It is compared by its 16 bytes, not by its text."""
Name = Annotated[str, Field(min_length=1, max_length=255)]
Time = Annotated[int, Field(ge=1, le=253402300799)]
Seq = Annotated[int, Field(ge=0, le=2**53 - 1)]
Kind = Literal["session", "user", "client", "everything"]


class Message(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)

    iss: str
    iat: Time


class Entry(BaseModel):
    """An entry: a revoked session, or a mark over the sessions of a user, of a client, or of everybody."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    name: str = ""
    sid: UUID
    until: int


class Alive(Message):
    """The issuer's confirmation of where its log ends."""

    seq: Seq
    last: SID | None = None


class _Part(BaseModel):
    format: str
    iss: str = ""
    sub: str = ""
    id: str = ""


class _Subject(BaseModel):
    format: Literal["opaque", "complex"]
    id: SID | None = None
    user: _Part | None = None
    application: _Part | None = None
    tenant: _Part | None = None

    def covers(self, issuer: str) -> tuple[Kind, str]:
        """Return the kind of the entry, and the user or the client."""
        match self:
            case _Subject(format="opaque", id=UUID(), user=None, application=None, tenant=None):
                return "session", ""
            case _Subject(user=_Part(format="iss_sub", iss=iss, sub=user), application=None, tenant=None) if (
                iss == issuer and user
            ):
                return "user", user
            case _Subject(user=None, application=_Part(format="opaque", id=client), tenant=None) if client:
                return "client", client
            case _Subject(user=None, application=None, tenant=_Part(format="opaque", id=tenant)) if tenant == issuer:
                return "everything", ""
        raise ValueError("sub_id is of no known form")


class _Revoked(BaseModel):
    model_config = ConfigDict(strict=True)

    seq: Seq
    at_ms: Annotated[int, Field(ge=1)]
    until: Time
    up_to: SID | None = None
    prev: SID | None = None


class Event(Message):
    """One revocation, and its position in the log."""

    sub_id: Annotated[_Subject, Strict(False)]
    events: dict[str, _Revoked]

    @model_validator(mode="after")
    def _known(self) -> Self:
        if EVENT_TYPE not in self.events:
            raise ValueError("the event is of an unknown type")
        if (self.entry.kind == "session") != (self.revoked.up_to is None):
            raise ValueError("up_to is for marks, and every mark has it")
        return self

    @property
    def revoked(self) -> _Revoked:
        return self.events[EVENT_TYPE]

    @property
    def entry(self) -> Entry:
        kind, name = self.sub_id.covers(self.iss)
        sid = self.sub_id.id or self.revoked.up_to
        return Entry(kind=kind, name=name, sid=sid, until=self.revoked.until)  # type: ignore[arg-type]


class _Session(BaseModel):
    model_config = ConfigDict(strict=True)

    sid: SID
    until: Time


class _Mark(BaseModel):
    model_config = ConfigDict(strict=True)

    kind: Literal["user", "client", "everything"]
    name: str = ""
    up_to: SID
    until: Time

    @model_validator(mode="after")
    def _named(self) -> Self:
        if (self.kind == "everything") != (self.name == ""):
            raise ValueError("a mark of somebody has a name")
        return self


class Snapshot(Message):
    """All entries that verifiers still need."""

    next: Seq
    last: SID | None = None
    sessions: list[_Session]
    marks: list[_Mark]

    def entries(self) -> list[Entry]:
        sessions = [Entry(kind="session", sid=s.sid, until=s.until) for s in self.sessions]
        return sessions + [Entry(kind=m.kind, name=m.name, sid=m.up_to, until=m.until) for m in self.marks]
