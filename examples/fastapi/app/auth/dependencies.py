"""What routes ask of a request: a user, or a user who has just signed in."""

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
    """The user of a request, and the session that they use."""

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
    """A dependency that finds the user, for routes with a policy of their own."""

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
"""The user whose access token came as bearer or in the cookie; None without a token. A token that is not
good is refused, so that the front end refreshes it, and does not go on as nobody."""


async def require_user(user: Annotated[User | None, Depends(get_user_from_session)]) -> User:
    """The user. Without one the request is refused."""
    if user is None:
        raise NoCredential
    return user


async def require_fresh(
    user: Annotated[User, Depends(require_user)], settings: Annotated[Settings, Depends(get_settings)]
) -> User:
    """The user, who has proved who they are a moment ago."""
    if time.time() - user.claims.auth_time > settings.fresh_age:
        raise NotFresh(settings.fresh_age)
    return user


CurrentUser = Annotated[User, Depends(require_user)]
FreshUser = Annotated[User, Depends(require_fresh)]


def credential(request: Request, settings: Settings) -> str | None:
    """The one access token of a request. The same in header and cookie is one."""
    if "access_token" in request.query_params:
        raise NotOneCredential  # a URL is no place for it
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
    """The token of the Authorization header (RFC 6750 section 2.1). No header is no token."""
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
    """All cookies of this name: request.cookies has one of them, whoever planted the others."""
    pairs = (pair.strip().partition("=") for line in request.headers.getlist("Cookie") for pair in line.split(";"))
    return [value for key, _, value in pairs if key == name]


def _check_origin(request: Request, settings: Settings) -> None:
    """A page elsewhere must not use the cookie to change something: a browser says where the page is from."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if origin in settings.allowed_origins or site in ("same-origin", "none"):
        return
    if site is None and origin and urlsplit(origin).netloc == request.headers.get("Host"):
        return
    raise CrossOrigin
