"""Tests behind shared caches with their default settings, after a signing key was compromised."""

import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import jwt
import pytest

from app.auth.errors import InvalidToken, Refused, Revoked
from app.auth.verifier import Verifier
from app.settings import Settings
from tests.conftest import AUDIENCE, Grant, Issuer, free_port

pytestmark = pytest.mark.anyio

# Debian installs servers in a folder that is not on the PATH of ordinary users.
PATH = f"{os.environ['PATH']}:/usr/sbin"


def nginx(port: int, issuer: str, folder: Path) -> list[str]:
    temporary = "".join(f"{n}_temp_path {folder}/{n};" for n in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(f"""
        daemon off; master_process off; pid {folder}/pid; error_log stderr crit; events {{}}
        http {{
          access_log off; {temporary}
          proxy_cache_path {folder}/cache keys_zone=cache:1m;
          server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {issuer}; proxy_cache cache; }} }}
        }}""")
    return ["nginx", "-p", f"{folder}", "-e", "stderr", "-c", f"{folder}/nginx.conf"]


def varnishd(port: int, issuer: str, folder: Path) -> list[str]:
    backend = issuer.removeprefix("http://")
    return ["varnishd", "-F", "-j", "none", "-a", f"127.0.0.1:{port}", "-b", backend, "-n", f"{folder}"]


CACHES: dict[str, Callable[[int, str, Path], list[str]]] = {"nginx": nginx, "varnishd": varnishd}


@asynccontextmanager
async def cache(name: str, issuer: str, folder: Path) -> AsyncIterator[str]:
    """Run a cache in front of an issuer, and yield its address."""
    port = free_port()
    folder.mkdir()
    command = CACHES[name](port, issuer, folder)
    quiet = subprocess.DEVNULL
    process = await anyio.open_process(command, env={"PATH": PATH}, stdout=quiet, stderr=quiet)
    try:
        url = f"http://127.0.0.1:{port}"
        with anyio.fail_after(20):
            while not await answers(url):
                await anyio.sleep(0.05)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def answers(url: str) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"{url}/healthz")).is_success
        except httpx.TransportError:
            return False


def cached_keys(url: str) -> list[str]:
    """Return the ids of the keys in the JWKS as a cache answers it."""
    document = httpx.get(f"{url}/.well-known/jwks.json", headers={"Cache-Control": "no-cache"}).json()
    return [key["kid"] for key in document["keys"]]


@pytest.mark.parametrize("name", CACHES)
async def test_a_leaked_key(issuer: Issuer, tmp_path: Path, name: str) -> None:
    if not shutil.which(name, path=PATH) and os.environ.get("CI") != "true":
        pytest.skip(f"{name} is not installed")
    before = issuer.mint()
    leaked = jwt.get_unverified_header(before.access_token)["kid"]
    async with cache(name, issuer.url, tmp_path / "cache") as url:
        assert cached_keys(url) == cached_keys(issuer.url)
        settings = Settings(issuer=issuer.url, base_url=url, audience=AUDIENCE, service_key=issuer.service_key)
        async with Verifier.running(settings) as verifier:

            async def refusal(grant: Grant) -> type[Refused] | None:
                try:
                    await verifier.verify(grant.access_token)
                except Refused as refused:
                    return type(refused)
                return None

            assert await refusal(before) is None
            issuer.operate("keys", "revoke", leaked, "--reason", "stolen")
            after = issuer.mint()
            deadline = time.monotonic() + 2
            while verifier._keys.get(leaked) or await refusal(after):
                assert time.monotonic() < deadline
                await anyio.sleep(0.01)
            assert await refusal(before) in (InvalidToken, Revoked)
            assert leaked in cached_keys(url), "the cache must still answer with the leaked key"
            assert await refusal(after) is None
