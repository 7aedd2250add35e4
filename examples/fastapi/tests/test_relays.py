"""Tests of the service behind each relay of testdata/relays.json, with the real issuer and internal/relay."""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.auth.errors import Refused, Revoked, Stale
from app.auth.verifier import Verifier
from app.settings import Settings
from tests.conftest import AUDIENCE, ROOT, Grant, Issuer

pytestmark = pytest.mark.anyio

TABLE = json.loads((ROOT / "testdata/relays.json").read_text())


@pytest.fixture(scope="module")
def relayd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("relay") / "relayd"
    subprocess.run(["go", "build", "-o", path, "./internal/relay/relayd"], cwd=ROOT, check=True)
    return path


@asynccontextmanager
async def relay(relayd: Path, issuer: Issuer, row: str) -> AsyncIterator[str]:
    """Run the relay of a row, and yield its address."""
    arguments = ("-issuer", issuer.url, "-row", row)
    process = await asyncio.create_subprocess_exec(relayd, *arguments, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


async def refusal(verifier: Verifier, token: str) -> type[Refused] | None:
    try:
        await verifier.verify(token)
    except Refused as refused:
        return type(refused)
    return None


class Observation:
    """What is seen of a reader. A session is revoked in the middle. Times are in seconds."""

    fresh_after: float | None = None
    """When the list became fresh and stayed so; None if it is stale in the end."""
    revoked_after: float | None = None
    """How long after its revocation the session's token was refused as revoked."""

    async def run(self, verifier: Verifier, issuer: Issuer, client: httpx.AsyncClient, grant: Grant) -> None:
        began = time.monotonic()
        revoked_at: float | None = None
        while (passed := time.monotonic() - began) < TABLE["observe_s"]:
            if not verifier.ledger.fresh:
                self.fresh_after = None
            elif self.fresh_after is None:
                self.fresh_after = passed
            if revoked_at is None and passed > TABLE["observe_s"] / 2:
                await client.delete(f"{issuer.url}/v1/sessions/{grant.session}")
                revoked_at = time.monotonic()
            # Before the token is verified the list is looked at, which costs less: there are many readers.
            if revoked_at and self.revoked_after is None and verifier.ledger.revoked(UUID(grant.session), "", ""):
                assert await refusal(verifier, grant.access_token) is Revoked
                self.revoked_after = time.monotonic() - revoked_at
            await asyncio.sleep(0.1)
        self.refusal = await refusal(verifier, grant.access_token)


@dataclass
class Bench:
    """What all observations share."""

    relayd: Path
    issuer: Issuer
    client: httpx.AsyncClient
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)


async def faults(bench: Bench, row: dict[str, Any], grant: Grant) -> list[str]:
    """Observe a reader behind the relay of a row, and return what does not hold."""
    issuer, client = bench.issuer, bench.client
    must, seen = row["must"], Observation()
    async with relay(bench.relayd, issuer, row["name"]) as url:
        settings = Settings(
            issuer=issuer.url,
            base_url=url,
            audience=AUDIENCE,
            service_key=issuer.service_key,
            max_staleness=TABLE["max_staleness_s"],
        )
        async with AsyncExitStack() as stack:
            async with bench.starting:  # one after the other: a start is work for the processor
                verifier = await stack.enter_async_context(Verifier.running(settings))
            await seen.run(verifier, issuer, client, grant)
        counts = (await client.get(f"{url}/relay/counts")).json()
    checks = {
        "fresh_within_s": within(seen.fresh_after, must["fresh_within_s"]),
        "revoked_within_s": within(seen.revoked_after, must["revoked_within_s"]),
        "the policy": must["revoked_within_s"] is not None or seen.refusal is Stale,
    } | {name: counts[name] <= must[name] for name in ("snapshots_per_s", "snapshots", "streams_per_s")}
    measured = f"{counts}, {vars(seen)}"
    return [f"{row['name']}: {name}: {measured}" for name, holds in checks.items() if not holds]


def within(value: float | None, limit: float | None) -> bool:
    """Whether a time is within a limit, or absent if there must be none."""
    return value is None if limit is None else value is not None and value <= limit


async def test_behind_each_relay(relayd: Path, issuer: Issuer) -> None:
    grants = [issuer.mint(f"relay-{number}") for number in range(len(TABLE["rows"]))]
    key = {"Authorization": f"Bearer {issuer.service_key}"}
    fresh = httpx.Limits(max_keepalive_connections=0)  # an idle connection may be closed while it is used again
    async with httpx.AsyncClient(headers=key, timeout=30, limits=fresh) as client, asyncio.TaskGroup() as group:
        bench = Bench(relayd, issuer, client)
        rows = zip(TABLE["rows"], grants, strict=True)
        observed = [group.create_task(faults(bench, row, grant)) for row, grant in rows]
    assert [fault for task in observed for fault in task.result()] == []
