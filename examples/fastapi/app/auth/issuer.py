"""Requests to the issuer: responses are bounded, and redirects are not followed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from app.settings import Settings

# Hints for refusals of requests with the service key, by status.
_REFUSAL_HINTS = {401: ": it does not know the service key", 403: ": the service key lacks the scope"}


class IssuerError(Exception):
    """A response or a message of the issuer is missing or invalid."""


class LostConnection(IssuerError):
    """The issuer cannot be reached, or refuses temporarily. `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Metadata:
    """The URLs of the issuer's endpoints (RFC 8414)."""

    jwks: str
    snapshot: str
    stream: str
    introspection: str


class _Document(BaseModel):
    issuer: str
    jwks_uri: str
    revocations_endpoint: str
    revocations_stream_endpoint: str
    introspection_endpoint: str


class Issuer:
    """A client of one issuer. The base URL is exactly `iss`."""

    def __init__(self, settings: Settings) -> None:
        self.url = settings.issuer
        self._key = {"Authorization": f"Bearer {settings.service_key}"}
        self._client = httpx.AsyncClient(timeout=httpx.Timeout(5, read=10), follow_redirects=False)

    async def close(self) -> None:
        await self._client.aclose()

    async def discover(self) -> Metadata:
        _, body = await self.fetch(f"{self.url}/.well-known/oauth-authorization-server", 64 << 10, key=False)
        try:
            document = _Document.model_validate_json(body)
        except ValidationError as error:
            raise IssuerError("the metadata lacks something") from error
        if document.issuer != self.url:
            raise IssuerError("the metadata is that of another issuer")
        urls = document.model_dump(exclude={"issuer"})
        for name, url in urls.items():
            if not url.startswith(self.url + "/"):
                raise IssuerError(f"{name} is not at the issuer")
        return Metadata(*urls.values())

    @asynccontextmanager
    async def open(
        self, url: str, *, method: str = "GET", key: bool = True, **options: Any
    ) -> AsyncIterator[httpx.Response]:
        """Send a request. Network errors, also while the body is read, raise LostConnection."""
        headers = options.pop("headers", {}) | (self._key if key else {})
        try:
            async with self._client.stream(method, url, headers=headers, **options) as response:
                if response.status_code == 429 or response.is_server_error:
                    after = response.headers.get("Retry-After", "")
                    raise LostConnection(f"it answers {response.status_code}", float(after) if after.isdigit() else 0)
                if not response.is_success and response.status_code != 304:
                    hint = _REFUSAL_HINTS.get(response.status_code, "") if key else ""
                    raise IssuerError(f"the issuer answers {response.status_code} at {url}{hint}")
                yield response
        except httpx.HTTPError as error:
            raise LostConnection(f"no answer from {url}: {type(error).__name__}: {error}") from error

    async def fetch(self, url: str, limit: int, **options: Any) -> tuple[httpx.Response, bytes]:
        """Send a request and read a response of at most `limit` bytes."""
        async with self.open(url, **options) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > limit:
                    raise IssuerError(f"the answer has more than {limit} bytes")
            return response, bytes(body)
