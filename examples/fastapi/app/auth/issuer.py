"""Requests to the issuer: responses are bounded, and redirects are not followed."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from app.settings import Settings

# Hints for refusals of requests with the service key, by status.
_REFUSAL_HINTS = {401: ": it does not know the service key", 403: ": the service key lacks the scope"}


TIMEOUT = 10.0
"""How long a complete answer may take, and the headers of a stream, in seconds."""


class IssuerError(Exception):
    """A response or a message of the issuer is missing or invalid."""


class WrongConfiguration(IssuerError):
    """Another issuer is there, or it refuses the service key. No retry helps."""


class LostConnection(IssuerError):
    """The issuer cannot be reached, or does not answer as it should now. `retry_after` is in seconds."""

    def __init__(self, message: str, status: int = 0, retry_after: float = 0) -> None:
        super().__init__(message)
        self.status, self.retry_after = status, retry_after


@dataclass(frozen=True)
class Metadata:
    """The URLs of the issuer's endpoints (RFC 8414)."""

    jwks: str
    snapshot: str
    stream: str
    introspection: str

    @property
    def keys(self) -> str:
        """Where the keys are that no cache answers."""
        return f"{self.snapshot}/keys"

    @property
    def applied(self) -> str:
        return f"{self.snapshot}/applied"


class _Named(BaseModel):
    issuer: str


class _Document(_Named):
    jwks_uri: str
    revocations_endpoint: str
    revocations_stream_endpoint: str
    introspection_endpoint: str


class Issuer:
    """A client of one issuer."""

    def __init__(self, settings: Settings) -> None:
        self.url = settings.issuer
        self._base = settings.base_url or settings.issuer
        self._key = {"Authorization": f"Bearer {settings.service_key}"}
        # A proxy that compresses a stream holds frames back.
        headers = {"Accept-Encoding": "identity"}
        self._client = httpx.AsyncClient(headers=headers, timeout=TIMEOUT, follow_redirects=False)
        self._metadata: Metadata | None = None

    async def close(self) -> None:
        await self._client.aclose()

    async def metadata(self) -> Metadata:
        """Return the endpoints. They are fetched once."""
        if self._metadata is None:
            self._metadata = await self._discover()
        return self._metadata

    async def _discover(self) -> Metadata:
        _, body = await self.fetch(f"{self._base}/.well-known/oauth-authorization-server", 64 << 10, key=False)
        try:
            named = _Named.model_validate_json(body)
        except ValidationError as error:
            # Before an issuer that is down a proxy may answer with a page.
            raise LostConnection("the answer is not the issuer's metadata") from error
        if named.issuer != self.url:
            raise WrongConfiguration("the metadata is that of another issuer")
        try:
            document = _Document.model_validate_json(body)
        except ValidationError as error:
            raise WrongConfiguration("the metadata lacks something") from error
        urls = document.model_dump(exclude={"issuer"})
        for name, url in urls.items():
            if not url.startswith(self.url + "/"):
                raise WrongConfiguration(f"{name} is not at the issuer")
        return Metadata(*(self._base + url.removeprefix(self.url) for url in urls.values()))

    @asynccontextmanager
    async def open(
        self, url: str, *, method: str = "GET", key: bool = True, **options: Any
    ) -> AsyncIterator[httpx.Response]:
        """Send a request. Network errors, also while the body is read, raise LostConnection."""
        headers = options.pop("headers", {}) | (self._key if key else {})
        try:
            async with self._client.stream(method, url, headers=headers, **options) as response:
                status = response.status_code
                if status in (401, 403):
                    hint = _REFUSAL_HINTS.get(status, "") if key else ""
                    raise WrongConfiguration(f"the issuer answers {status} at {url}{hint}")
                if status not in {200, 204}:
                    after = _seconds(response.headers.get("Retry-After", ""))
                    raise LostConnection(f"it answers {status}", status, after)
                yield response
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:  # broken TLS is an OSError
            raise LostConnection(f"no answer from {url}: {type(error).__name__}: {error}") from error

    async def fetch(
        self, url: str, limit: int, *, within: float = TIMEOUT, **options: Any
    ) -> tuple[httpx.Response, bytes]:
        """Send a request and read a response of at most `limit` bytes, which has `within` seconds."""
        body = bytearray()
        try:
            async with asyncio.timeout(min(within, TIMEOUT)), self.open(url, **options) as response:
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > limit:
                        raise IssuerError(f"the answer has more than {limit} bytes")
                return response, bytes(body)
        except TimeoutError as error:
            raise LostConnection(f"no answer from {url} in time") from error


def nonce() -> dict[str, str]:
    """Return a query that makes a URL new, so that not even a cache that ignores Cache-Control has an answer for it."""
    return {"nonce": secrets.token_urlsafe(12)}


def _seconds(retry_after: str) -> float:
    """Return the seconds that a Retry-After asks for (RFC 9110 section 10.2.3), or 0 if it is malformed."""
    if retry_after.isdecimal():
        return float(retry_after[:9])
    try:
        return max(0, parsedate_to_datetime(retry_after).timestamp() - time())
    except (ValueError, OverflowError, OSError):
        return 0
