"""Verification of access tokens."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Self

import jwt
from pydantic import UUID7, BaseModel, ConfigDict, Field, Strict, ValidationError, ValidationInfo, field_validator

from app.auth import jws
from app.auth.errors import ExpiredToken, InvalidToken, Revoked, Stale
from app.auth.feed import Feed
from app.auth.issuer import Issuer, IssuerError, WrongConfiguration
from app.auth.keys import COOL_DOWN, KeyRing
from app.auth.ledger import Ledger
from app.settings import Policy, Settings

_log = logging.getLogger(__name__)

MAX_LIFETIME = 3600  # seconds; an issuer cannot be configured for more

# Without control characters and characters that change the text direction.
Text = Annotated[str, Field(max_length=255, pattern=r"^[^\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+$")]
Texts = Annotated[list[Text], Field(min_length=1, max_length=16)]
Time = Annotated[int, Field(ge=1, le=253402300799)]


class AccessToken(BaseModel):
    """The claims of an access token (RFC 9068). Times are seconds since 1970."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    sub: Text
    """The user's id."""
    sid: Annotated[UUID7, Strict(False)]
    """The session's id. It is not a credential."""
    aud: Text | Texts
    jti: Text
    exp: Time
    iat: Time
    nbf: Time | None = None
    auth_time: Time = 0
    """When the user last authenticated; 0 if the token does not say."""
    client_id: Text = ""
    """The backend that minted the session."""
    acr: Text = ""
    amr: Texts = []

    @field_validator("iat")
    @classmethod
    def _lifetime(cls, iat: int, others: ValidationInfo) -> int:
        if not 0 < others.data.get("exp", 0) - iat <= MAX_LIFETIME:
            raise ValueError("its lifetime is not allowed")
        return iat


def signed(token: str, keys: jws.Keys, settings: Settings) -> AccessToken:
    """Return the claims of a token that the issuer signed for this service and that has not expired."""
    payload = jws.verify(
        token,
        "at+jwt",
        keys,
        issuer=settings.issuer,
        audience=settings.audience,
        leeway=settings.leeway,
        options={"require": ["iss", "aud", "exp", "iat", "sub", "jti", "sid"]},
    )
    return AccessToken.model_validate(payload)


class Verifier:
    """Verifies tokens with the issuer's keys and its list of revoked sessions. Create it with `running`."""

    def __init__(self, settings: Settings, issuer: Issuer, keys: KeyRing, ledger: Ledger) -> None:
        self._settings, self._issuer, self._keys, self.ledger = settings, issuer, keys, ledger

    @classmethod
    @asynccontextmanager
    async def running(cls, settings: Settings, now: Callable[[], float] = time.time) -> AsyncIterator[Self]:
        """Yield a verifier that keeps the keys and the list up to date in the background.

        It has both, unless the issuer does not answer: the list is then stale until it does.
        """
        issuer = Issuer(settings)
        try:
            keys = KeyRing(issuer)
            try:
                await keys.renew()
            except WrongConfiguration:
                raise
            except IssuerError as error:
                _log.warning("the issuer's keys: %s", error)
            ledger = Ledger(settings.issuer, settings.max_staleness, now)
            feed = Feed(issuer, keys, ledger, settings.name)
            await feed.start()
            await keys.catch_up()
            tasks = [asyncio.create_task(work()) for work in (keys.run, *feed.work())]
            try:
                yield cls(settings, issuer, keys, ledger)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            await issuer.close()

    async def verify(self, token: str, stale: Policy | None = None) -> AccessToken:
        """Return the claims of a valid token of a live session. Raise Refused for any other."""
        policy = stale or self._settings.stale
        try:
            claims = await self._signed(token, policy)
        except jwt.ExpiredSignatureError as error:
            raise ExpiredToken from error
        except (jwt.PyJWTError, ValidationError) as error:
            raise InvalidToken from error
        if self.ledger.revoked(claims.sid, claims.sub, claims.client_id):
            raise Revoked
        if not self.ledger.fresh:
            await self._apply_stale_policy(token, policy)
        return claims

    async def _signed(self, token: str, policy: Policy) -> AccessToken:
        """Verify the token. An unknown key may be new, so the keys are fetched again, at a bounded rate.

        While the list is stale the issuer may have published the key, too.
        """
        try:
            return signed(token, self._keys, self._settings)
        except jws.UnknownKey:
            try:
                await self._keys.renew(quiet=COOL_DOWN)
            except IssuerError as error:
                _log.warning("the issuer's keys: %s", error)
            try:
                return signed(token, self._keys, self._settings)
            except jws.UnknownKey:
                if self._keys.empty or (policy is not Policy.FAIL_OPEN and not self.ledger.fresh):
                    raise Stale from None
                raise

    async def _apply_stale_policy(self, token: str, policy: Policy) -> None:
        """Apply the policy for a valid token while the list is stale."""
        match policy:
            case Policy.FAIL_OPEN:
                return
            case Policy.INTROSPECT:
                try:
                    where, form = await self._issuer.metadata(), {"token": token}
                    _, body = await self._issuer.fetch(where.introspection, 64 << 10, method="POST", data=form)
                except IssuerError as error:
                    raise Stale from error
                if _active(body):
                    return
                raise Revoked
        raise Stale


class _Introspection(BaseModel):
    """The members of an introspection response (RFC 7662 section 2.2) that are used here."""

    model_config = ConfigDict(strict=True)

    active: bool


def _active(body: bytes) -> bool:
    try:
        return _Introspection.model_validate_json(body).active
    except ValidationError as error:
        raise Stale from error
