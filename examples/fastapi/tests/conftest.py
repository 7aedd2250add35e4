"""Fixtures: the real issuer, built from this repository, and the service."""

import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from app.main import create_app
from app.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
AUDIENCE = "http://localhost:8082"
FRONT_END = "http://localhost:3000"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of the issuer's binary. ISSUER_BIN names an existing one."""
    if built := os.environ.get("ISSUER_BIN"):
        return Path(built)
    path = tmp_path_factory.mktemp("bin") / "issuer"
    subprocess.run(["go", "build", "-o", path, "./cmd/issuer"], cwd=ROOT, check=True)
    return path


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Grant:
    """A new session and its access token."""

    session: str
    access_token: str


@dataclass
class Issuer:
    """An issuer that runs with `serve --dev` in its own folder."""

    binary: Path
    folder: Path
    url: str = field(default_factory=lambda: f"http://127.0.0.1:{free_port()}")
    admin: str = field(default_factory=lambda: f"127.0.0.1:{free_port()}")
    process: subprocess.Popen[bytes] | None = None

    def start(self, **environ: str) -> None:
        env = {
            "PATH": os.environ["PATH"],
            "ISSUER_ISSUER": self.url,
            "ISSUER_LISTEN": self.url.removeprefix("http://"),
            "ISSUER_ADMIN_LISTEN": self.admin,
            "ISSUER_ACCESS_TOKEN_AUDIENCE": AUDIENCE,
            **environ,
        }
        log = self.folder / "log"
        with log.open("w") as stderr:
            command = [str(self.binary), "serve", "--dev"]
            self.process = subprocess.Popen(command, cwd=self.folder, env=env, stderr=stderr, stdout=subprocess.DEVNULL)
        while '"msg":"serving"' not in (text := log.read_text()):
            assert self.process.poll() is None, f"the issuer has ended:\n{text}"
            time.sleep(0.01)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def operate(self, *args: str) -> None:
        """Run an operator's command against the issuer."""
        env = {"ISSUER_ADMIN_URL": f"http://{self.admin}"}
        subprocess.run([self.binary, *args], cwd=self.folder, env=env, check=True, capture_output=True)

    @property
    def service_key(self) -> str:
        return (self.folder / "data/dev/service.key").read_text().strip()

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.service_key}"}
        response = httpx.request(method, self.url + path, headers=headers, **options)
        response.raise_for_status()
        return response

    def mint(self, user: str = "u1", **more: Any) -> Grant:
        answer = self.call("POST", "/v1/sessions", json={"user": {"id": user}} | more).json()
        return Grant(answer["session"]["id"], answer["access_token"])

    def revoke(self, grant: Grant) -> None:
        self.call("DELETE", f"/v1/sessions/{grant.session}")


@pytest.fixture
def issuer(binary: Path, tmp_path: Path) -> Iterator[Issuer]:
    running = Issuer(binary, tmp_path)
    running.start()
    yield running
    running.kill()


class Clock:
    """The clock of the service: the real clock plus an offset that a test sets."""

    offset: float = 0

    def __call__(self) -> float:
        return time.time() + self.offset


@dataclass
class Service:
    """The running service and a client for it."""

    client: httpx.AsyncClient
    clock: Clock
    app: Any

    async def get(self, grant: Grant, path: str = "/me") -> httpx.Response:
        return await self.client.get(path, headers={"Authorization": f"Bearer {grant.access_token}"})

    async def refuses(self, grant: Grant, *codes: str, within: float = 1) -> None:
        """Wait until a token is refused with one of the codes."""
        with anyio.fail_after(within):
            while (response := await self.get(grant)).status_code == 200:
                await anyio.sleep(0.01)
        assert response.json()["code"] in codes, response.text


Serve = Callable[..., AbstractAsyncContextManager[Service]]


@pytest.fixture
def serve(issuer: Issuer) -> Serve:
    """Return a function that starts services with their own settings."""

    @asynccontextmanager
    async def start(**settings: Any) -> AsyncIterator[Service]:
        values = {
            "issuer": issuer.url,
            "audience": AUDIENCE,
            "service_key": issuer.service_key,
            "allowed_origins": (FRONT_END,),
        } | settings
        clock = Clock()
        app = create_app(Settings(**values), clock)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url=AUDIENCE) as client:
                yield Service(client, clock, app)

    return start


@pytest.fixture
async def service(serve: Serve) -> AsyncIterator[Service]:
    async with serve() as running:
        yield running
