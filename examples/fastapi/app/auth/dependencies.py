"""The dependencies of routes: a user, or a user who has authenticated recently."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Depends, Request

from app.auth.errors import CrossOrigin, NoCredential, NotFresh, NotOneCredential
from app.auth.verifier import AccessToken, Verifier
from app.settings import Policy, Settings


@dataclass(frozen=True)
class User:
    """The user of a request, and their session."""

    id: str
    session_id: UUID
    claims: AccessToken


def get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def get_verifier(request: Request) -> Verifier:
    verifier: Verifier = request.app.state.verifier
    return verifier


def user_from_session(stale: Policy | None = None) -> Callable[..., Awaitable[User | None]]:
    """Return a dependency that returns the user, for a route with its own policy for a stale list."""

    async def dependency(
        request: Request,
        settings: Annotated[Settings, Depends(get_settings)],
        verifier: Annotated[Verifier, Depends(get_verifier)],
    ) -> User | None:
        token = credential(request, settings)
        if token is None:
            return None
        claims = await verifier.verify(token, stale)
        return User(claims.sub, claims.sid, claims)

    return dependency


get_user_from_session = user_from_session()
"""The user of the bearer token or the cookie; None without a token. An invalid token is refused, so that
the front end refreshes it and does not continue as an anonymous user."""


async def require_user(user: Annotated[User | None, Depends(get_user_from_session)]) -> User:
    """Return the user. A request without a user is refused."""
    if user is None:
        raise NoCredential
    return user


async def require_fresh(
    user: Annotated[User, Depends(require_user)], settings: Annotated[Settings, Depends(get_settings)]
) -> User:
    """Return the user, if they have authenticated within `fresh_age`."""
    if time.time() - user.claims.auth_time > settings.fresh_age:
        raise NotFresh(settings.fresh_age)
    return user


CurrentUser = Annotated[User, Depends(require_user)]
FreshUser = Annotated[User, Depends(require_fresh)]


def credential(request: Request, settings: Settings) -> str | None:
    """Return the only access token of a request. The same token in header and cookie counts once."""
    if "access_token" in request.query_params:
        raise NotOneCredential  # a token must not be in a URL
    bearer = _bearer(request.headers.getlist("Authorization"))
    tokens = {value for value in _cookies(request, settings.cookie) if value}
    if bearer is not None:
        tokens.add(bearer)
    if len(tokens) > 1:
        raise NotOneCredential
    if not tokens:
        return None
    if bearer is None:
        _check_origin(request, settings)
    return tokens.pop()


def _bearer(headers: list[str]) -> str | None:
    """Return the token of the Authorization header (RFC 6750 section 2.1), or None without the header."""
    if not headers:
        return None
    scheme, _, token = headers[0].partition(" ")
    if len(headers) > 1 or "\t" in headers[0] or "," in headers[0] or " " in token:
        raise NotOneCredential
    if scheme.lower() != "bearer":
        raise NoCredential
    if not token:
        raise NotOneCredential
    return token


def _cookies(request: Request, name: str) -> list[str]:
    """Return all cookies with this name. request.cookies has only one of them, and others may be planted."""
    pairs = (pair.strip().partition("=") for line in request.headers.getlist("Cookie") for pair in line.split(";"))
    return [value for key, _, value in pairs if key == name]


def _check_origin(request: Request, settings: Settings) -> None:
    """Refuse a state-changing request from a page on another origin. Browsers send the origin of the page."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if origin in settings.allowed_origins or site in ("same-origin", "none"):
        return
    if site is None and origin and urlsplit(origin).netloc == request.headers.get("Host"):
        return
    raise CrossOrigin
