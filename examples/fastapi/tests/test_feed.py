"""Tests with an invalid feed: the service keeps its list, and fetches the snapshot again."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import anyio
import jwt
import pytest

from app.auth.errors import InvalidToken
from app.auth.issuer import IssuerError, _seconds
from app.auth.messages import EVENT_TYPE
from app.auth.verifier import Verifier
from app.settings import Settings
from tests.conftest import ROOT, free_port

pytestmark = pytest.mark.anyio

KEYS = json.loads((ROOT / "testdata/vectors/jws-keys.json").read_text())["keys"]
PRIVATE: dict[str, Any] = KEYS[0]["jwk"]  # from RFC 7515 A.3


END = b": end\n\n"
"""Ends a connection."""


def sid(n: int) -> str:
    return str(UUID(f"018bcfe5-6800-7000-8000-{n:012x}"))


@dataclass
class FakeIssuer:
    """An issuer whose messages are chosen by a test. It uses HTTP like the real one."""

    url: str = field(default_factory=lambda: f"http://127.0.0.1:{free_port()}")
    streams: list[bytes] = field(default_factory=list)  # the content of each connection; the last one repeats
    jwks: dict[str, Any] | None = None
    jwks_text: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    marks: list[dict[str, Any]] = field(default_factory=list)
    keys_down: int = 0  # how many requests for the keys fail
    snapshots: int = 0
    fetches: int = 0  # of the keys, that were answered
    feed_fetches: int = 0  # of the keys of the feed
    no_feed_keys: bool = False
    asked: list[str] = field(default_factory=list)  # Last-Event-ID of each stream
    issuer: str = ""  # what iss says, if that is not the address
    page: str = ""  # what a proxy answers to everything

    @property
    def iss(self) -> str:
        return self.issuer or self.url

    def sign(self, typ: str, payload: dict[str, Any], **header: Any) -> str:
        text = json.dumps({"iss": self.iss, "iat": int(time.time())} | payload).encode()
        key = jwt.PyJWK(PRIVATE, "ES256").key
        return jwt.PyJWS().encode(text, key, "ES256", {"kid": "k1", "typ": typ} | header)

    def event(self, seq: int, n: int, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        revoked = {"event_timestamp": now, "seq": seq, "at_ms": now * 1000, "until": now + 300}
        events = {EVENT_TYPE: revoked | more.pop("revoked", {})}
        return {"jti": f"{seq}", "sub_id": {"format": "opaque", "id": sid(n)}, "events": events} | more

    def revoked(self, seq: int, n: int, **more: Any) -> bytes:
        return frame("revoked", self.sign("secevent+jwt", self.event(seq, n, **more)), seq)

    def alive(self, seq: int, **more: Any) -> bytes:
        return frame("alive", self.sign("revocations-alive+jwt", {"seq": seq} | more))

    def answer(self, path: str, headers: str) -> tuple[str, bytes]:
        match path.split("?", maxsplit=1)[0]:
            case "/.well-known/oauth-authorization-server":
                feed = f"{self.iss}/v1/revocations"
                document = {"issuer": self.iss, "jwks_uri": f"{self.iss}/jwks", "revocations_endpoint": feed}
                document |= {"revocations_stream_endpoint": f"{feed}/stream", "introspection_endpoint": f"{self.iss}/i"}
                return "application/json", json.dumps(document | self.metadata).encode()
            case "/jwks" | "/v1/revocations/keys":
                assert "no-cache" in headers
                self.fetches += 1
                if self.keys_down:
                    self.keys_down -= 1
                    return "application/json", b"{}"
                public = {name: value for name, value in PRIVATE.items() if name != "d"}
                public |= {"kid": "k1", "alg": "ES256", "use": "sig"}
                return "application/json", (self.jwks_text or json.dumps(self.jwks or {"keys": [public]})).encode()
            case "/v1/revocations":
                self.snapshots += 1
                until = int(time.time()) + 300
                list_ = {"next": 1, "last": sid(1), "sessions": [{"sid": sid(1), "until": until}], "marks": self.marks}
                return "application/jwt", self.sign("revocations+jwt", list_).encode()
            case "/v1/revocations/stream":
                assert "accept-encoding: identity" in headers.lower()
                self.asked.append(next(line[15:] for line in headers.lower().split("\r\n") if "last-event-id" in line))
                return "text/event-stream", self.streams.pop(0) if len(self.streams) > 1 else self.streams[0]
        return "", b""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):  # the service may have disconnected
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path, status = head.split(" ")[1], "200 OK"
            kind, body = ("text/html", self.page.encode()) if self.page else self.answer(path, head)
            if path.startswith("/v1/revocations/keys?nonce="):
                self.feed_fetches += 1
                if self.no_feed_keys:
                    status, self.fetches = "404 Not Found", self.fetches - 1
            head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nCache-Control: max-age=900\r\n"
            head += "Connection: close\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
            if kind == "text/event-stream" and not body.endswith(END):
                await reader.read()  # until the other side disconnects
        writer.close()


def frame(event: str, data: str, seq: int = 0) -> bytes:
    return (f"id: {seq}\n" if seq else "").encode() + f"event: {event}\ndata: {data}\n\n".encode()


@pytest.fixture
async def fake() -> AsyncIterator[FakeIssuer]:
    issuer = FakeIssuer()
    server = await asyncio.start_server(issuer.handle, "127.0.0.1", int(issuer.url.rpartition(":")[2]), limit=4 << 20)
    yield issuer
    server.close()


def settings(fake: FakeIssuer) -> Settings:
    return Settings(issuer=fake.url, audience="a", service_key="sk_x")


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not condition():
            await anyio.sleep(0.01)


BAD: dict[str, Callable[[FakeIssuer], bytes]] = {
    "bad signature": lambda f: f.revoked(2, 66)[:-12] + b"AAAAAAAAAA\n\n",
    "another typ": lambda f: frame("revoked", f.sign("at+jwt", f.event(2, 66)), 2),
    "an alive as event": lambda f: frame("revoked", f.sign("revocations-alive+jwt", {"seq": 1}), 2),
    "more in the header": lambda f: frame("revoked", f.sign("secevent+jwt", f.event(2, 66), jku="http://evil"), 2),
    "an unknown key": lambda f: frame("revoked", f.sign("secevent+jwt", f.event(2, 66), kid="k2"), 2),
    "another issuer": lambda f: f.revoked(2, 66, iss="https://evil.example"),
    "an unknown type": lambda f: f.revoked(2, 66, events={"https://example.com/other": {}}),
    "a mark without its end": lambda f: f.revoked(2, 66, sub_id={"format": "complex", "user": user(f)}),
    "a user of another issuer": lambda f: f.revoked(2, 66, sub_id=stranger(), revoked={"up_to": sid(66)}),
    "a sid that is none": lambda f: f.revoked(2, 66, sub_id={"format": "opaque", "id": "66"}),
    "a number that is text": lambda f: f.revoked(2, 66, revoked={"until": "9999999999"}),
    "a gap": lambda f: f.revoked(3, 66),
    "the same again": lambda f: f.revoked(1, 66),
    "another log": lambda f: f.revoked(2, 66, revoked={"prev": sid(7)}),
    "an alive ahead": lambda f: f.alive(2),
    "an alive of another log": lambda f: f.alive(1, last=sid(7), iat=int(time.time()) + 30),
    "an alive of later": lambda f: f.alive(1, iat=int(time.time()) + 95),
    "another id": lambda f: f.revoked(2, 66).replace(b"id: 2", b"id: 3"),
    "gone": lambda _: frame("gone", "{}"),
    "a line of 1 MiB": lambda _: b"data: " + b"x" * (1 << 20) + b"\n\n",
    "a line without an end": lambda _: b"data: " + b"x" * (1 << 20),
    "data of 1 MiB": lambda _: b"event: revoked\n" + b"data: xxxxxxxxxxxx\n" * (1 << 16),
    "not text": lambda _: b"data: \xff\n\n",
}


def user(fake: FakeIssuer) -> dict[str, str]:
    return {"format": "iss_sub", "iss": fake.url, "sub": "u1"}


def stranger() -> dict[str, Any]:
    return {"format": "complex", "user": {"format": "iss_sub", "iss": "https://evil.example", "sub": "u1"}}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_message(fake: FakeIssuer, name: str) -> None:
    bad = fake.alive(1, last=sid(1)) + BAD[name](fake)
    good = fake.alive(1, last=sid(1)) + b": alive\n\n" + fake.revoked(2, 2, revoked={"prev": sid(1)})
    fake.streams = [bad, good]
    async with Verifier.running(settings(fake)) as verifier:

        def revoked(n: int) -> bool:
            return verifier.ledger.revoked(UUID(sid(n)), "u1", "app")

        await until(lambda: fake.snapshots == 2)
        assert revoked(1) and not revoked(66)
        await until(lambda: revoked(2))
        assert fake.asked == ["1", "1"] and fake.snapshots == 2


async def test_unknown_frames_and_repeated_alives_are_skipped(fake: FakeIssuer) -> None:
    old = fake.alive(1, last=sid(1), iat=int(time.time()) - 95)
    repeated = (fake.alive(1, last=sid(1)) + frame("hello", "{}") + b"data: hello\n\n" + old) * 20
    fake.streams = [repeated + fake.revoked(2, 2, revoked={"prev": sid(1)})]
    async with Verifier.running(settings(fake)) as verifier:
        await until(lambda: verifier.ledger.seq == 2)
        assert fake.asked == ["1"] and fake.snapshots == 1


def everything(fake: FakeIssuer) -> dict[str, Any]:
    return {"format": "complex", "tenant": {"format": "opaque", "id": fake.url}}


async def test_keys_are_fetched_when_everything_is_revoked(fake: FakeIssuer) -> None:
    event = fake.revoked(2, 2, sub_id=everything(fake), revoked={"up_to": sid(2)})
    fake.streams = [fake.alive(1, last=sid(1)) + event + fake.alive(2, last=sid(2))]
    async with Verifier.running(settings(fake)) as verifier:
        await until(lambda: verifier.ledger.seq == 2)
        await until(lambda: fake.fetches == 2)
        assert fake.snapshots == 1


async def test_keys_are_fetched_until_they_come(fake: FakeIssuer) -> None:
    event = fake.revoked(2, 2, sub_id=everything(fake), revoked={"up_to": sid(2)})
    fake.streams = [event, fake.alive(1, last=sid(1))]
    async with Verifier.running(settings(fake)):
        fake.keys_down = 2
        fake.marks = [{"kind": "everything", "up_to": sid(2), "until": int(time.time()) + 300}]
        await until(lambda: fake.keys_down == 0)
        await until(lambda: fake.fetches == 4)


async def test_keys_are_those_of_after_the_list(fake: FakeIssuer) -> None:
    fake.marks = [{"kind": "everything", "up_to": sid(2), "until": int(time.time()) + 300}]
    fake.streams = [fake.alive(1, last=sid(1))]
    async with Verifier.running(settings(fake)):
        assert fake.fetches == 2


@pytest.mark.parametrize(("kind", "name"), [("user", "u1"), ("client", "app"), ("everything", "")])
async def test_what_a_mark_covers(fake: FakeIssuer, kind: str, name: str) -> None:
    mark = {"kind": kind, "up_to": sid(9), "until": int(time.time()) + 300} | ({"name": name} if name else {})
    fake.marks, fake.streams = [mark], [fake.alive(1)]
    async with Verifier.running(settings(fake)) as verifier:

        def covered(n: int, user: str, client: str) -> bool:
            return verifier.ledger.revoked(UUID(sid(n)), user, client)

        assert covered(8, "u1", "app") and covered(9, "u1", "app") and not covered(10, "u1", "app")
        assert covered(9, "app", "u1") == (kind == "everything")


async def test_lists_alone_are_forgotten(fake: FakeIssuer) -> None:
    ended = int(time.time()) - 200
    fake.marks = [{"kind": "user", "name": "u9", "up_to": sid(2), "until": ended}]
    fake.streams = [frame("gone", "{}")]
    async with Verifier.running(settings(fake)) as verifier:
        assert not verifier.ledger.revoked(UUID(sid(2)), "u9", "app")


async def test_a_stream_that_ends_is_resumed(fake: FakeIssuer) -> None:
    first = fake.alive(1) + fake.revoked(2, 2) + END
    fake.streams = [first, fake.alive(2) + fake.revoked(3, 3) + fake.alive(3)]
    async with Verifier.running(settings(fake)) as verifier:
        await until(lambda: verifier.ledger.seq == 3)
        assert fake.asked == ["1", "2"] and fake.snapshots == 1


@pytest.mark.parametrize("stream", [b"", END])
async def test_silent_stream(fake: FakeIssuer, stream: bytes) -> None:
    """Behind a proxy that buffers streams the service relies on snapshots."""
    impatient = settings(fake)
    object.__setattr__(impatient, "max_staleness", 0.6)  # less than the settings allow
    fake.streams = [stream]
    async with Verifier.running(impatient) as verifier:
        fake.marks = [{"kind": "user", "name": "u9", "up_to": sid(9), "until": int(time.time()) + 300}]
        await until(lambda: verifier.ledger.revoked(UUID(sid(9)), "u9", "app"))


async def test_unknown_kids_are_rate_limited(fake: FakeIssuer) -> None:
    """Unknown values of kid cause at most one fetch in 10 s, however many there are."""
    fake.streams = [fake.alive(1)]
    async with Verifier.running(settings(fake)) as verifier:
        for n in range(100):
            with pytest.raises(InvalidToken):
                await verifier.verify(fake.sign("at+jwt", {}, kid=f"k{n + 2}"))
        assert fake.fetches == 1  # the one at the start


async def test_ids_are_compared_as_bytes(fake: FakeIssuer) -> None:
    upper = {"format": "opaque", "id": sid(0xABC).upper()}
    fake.streams = [fake.revoked(2, 0, sub_id=upper) + fake.alive(2, last=sid(0xABC))]
    async with Verifier.running(settings(fake)) as verifier:
        await until(lambda: verifier.ledger.seq == 2)
        assert verifier.ledger.revoked(UUID(sid(0xABC)), "u1", "app")


async def test_the_issuer_is_at_another_address(fake: FakeIssuer) -> None:
    fake.issuer = "https://issuer.example/auth"
    fake.streams = [fake.revoked(2, 2, revoked={"prev": sid(1)})]
    async with Verifier.running(Settings(fake.issuer, audience="a", service_key="sk_x", base_url=fake.url)) as verifier:
        await until(lambda: verifier.ledger.seq == 2)
    for endpoint in (f"{fake.url}/v1/revocations", "https://issuer.example/other", "https://issuer.example/auth@x/"):
        fake.metadata = {"revocations_endpoint": endpoint}
        with pytest.raises(IssuerError, match="revocations_endpoint is not at the issuer"):
            async with Verifier.running(Settings(fake.issuer, "a", "sk_x", base_url=fake.url)):
                pass


async def test_a_404_brings_no_keys_back_from_a_cache(fake: FakeIssuer) -> None:
    """An older issuer has no keys under the feed. Once it has answered there, a 404 comes from something else."""
    fake.streams = [fake.alive(1)]
    async with Verifier.running(settings(fake)) as verifier:
        assert (fake.feed_fetches, fake.fetches) == (1, 1)
        fake.no_feed_keys = True
        with pytest.raises(IssuerError, match="404"):
            await verifier._keys.renew()
        assert (fake.feed_fetches, fake.fetches) == (2, 1)
    async with Verifier.running(settings(fake)):
        assert (fake.feed_fetches, fake.fetches) == (3, 2)


BAD_START: dict[str, Callable[[FakeIssuer], None]] = {
    "of another issuer": lambda f: f.metadata.update(issuer="https://evil.example"),
    "keys elsewhere": lambda f: f.metadata.update(jwks_uri="http://127.0.0.1:1/jwks"),
    "a stream elsewhere": lambda f: f.metadata.update(revocations_stream_endpoint="https://evil.example/stream"),
}

# What is no answer of an issuer comes from a proxy. It is not used, and does not stop the start.
STRANGE_START: dict[str, Callable[[FakeIssuer], None]] = {
    "a page": lambda f: setattr(f, "page", "<!doctype html><title>Back soon</title>"),
    "a JSON error": lambda f: setattr(f, "page", '{"message":"no healthy upstream"}'),
    "deep JSON": lambda f: setattr(f, "page", "[" * 60_000),
    "deep keys": lambda f: setattr(f, "jwks_text", '{"keys":' + "[" * 100_000),
    "no keys": lambda f: setattr(f, "jwks", {"keys": []}),
    "no JWKS": lambda f: setattr(f, "jwks", {"key": 1}),
    "a private key": lambda f: setattr(f, "jwks", {"keys": [PRIVATE | {"kid": "k1", "alg": "ES256", "use": "sig"}]}),
    "a huge JWKS": lambda f: setattr(f, "jwks", {"keys": [], "x": "x" * (256 << 10)}),
    "a shared secret": lambda f: setattr(f, "jwks", {"keys": [{"kty": "oct", "k": "AAAA", "kid": "k1", "use": "sig"}]}),
}


@pytest.mark.parametrize("name", BAD_START)
async def test_a_bad_start(fake: FakeIssuer, name: str) -> None:
    BAD_START[name](fake)
    with pytest.raises(IssuerError):
        async with Verifier.running(settings(fake)):
            pass


@pytest.mark.parametrize("name", STRANGE_START)
async def test_a_strange_start(fake: FakeIssuer, name: str) -> None:
    STRANGE_START[name](fake)
    async with Verifier.running(settings(fake)) as verifier:
        assert not verifier.ledger.fresh
        assert verifier._keys.empty


async def test_an_emergency_while_the_keys_fail(fake: FakeIssuer) -> None:
    """The keys are fetched at once when everything was revoked, however long the pause after failures is."""
    fake.streams = [fake.alive(1)]
    async with Verifier.running(settings(fake)) as verifier:
        keys = verifier._keys
        fake.keys_down, keys._failures = 1, 10
        keys.demand()
        await until(lambda: fake.keys_down == 0 and not keys._demanded.is_set() and keys._failures == 11)
        keys.demand()
        await until(lambda: keys._failures == 0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("-5", 0),
        ("1e9", 0),
        ("9" * 400, 999_999_999),
        ("Fri, 31 Dec 99999999999 23:59:59 GMT", 0),
        ("Mon, 01 Jan 0001 00:00:00 -0000", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("soon", 0),
    ],
)
def test_retry_after(text: str, seconds: float) -> None:
    assert _seconds(text) == seconds
