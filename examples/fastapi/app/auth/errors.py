"""Reasons to refuse a request, and the responses for them (RFC 6750, RFC 9470, RFC 9457)."""

from fastapi import Request
from fastapi.responses import JSONResponse


class Refused(Exception):
    """A refused request. `code` is one of the issuer's codes."""

    status = 401
    code = "token_invalid"
    title = "The access token is not valid"
    challenge: str | None = ' error="invalid_token"'

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Cache-Control": "no-store"}
        if self.challenge is not None:
            headers["WWW-Authenticate"] = "Bearer" + self.challenge
        return headers


class NoCredential(Refused):
    title = "The request has no access token"
    challenge = ""


class NotOneCredential(Refused):
    status, code = 400, "invalid_request"
    title = "The request must have exactly one credential"
    challenge = ' error="invalid_request"'


class CrossOrigin(Refused):
    status, code = 403, "forbidden"
    title = "The request comes from another origin"
    challenge = None


class InvalidToken(Refused):
    pass


class ExpiredToken(Refused):
    code = "token_expired"
    title = "The access token has expired"


class Revoked(Refused):
    code = "session_revoked"
    title = "The session has been revoked"


class NotFresh(Refused):
    code = "not_fresh"
    title = "The user must authenticate again"

    def __init__(self, max_age: float) -> None:
        super().__init__()
        self.challenge = f' error="insufficient_user_authentication", max_age={max_age:.0f}'


class Stale(Refused):
    status, code = 503, "unavailable"
    title = "The service can't tell now whether the session goes on"
    challenge = None

    @property
    def headers(self) -> dict[str, str]:
        return super().headers | {"Retry-After": "5"}


async def answer(_: Request, refused: Refused) -> JSONResponse:
    """Return the response to a refused request: a problem document, and the challenge."""
    return JSONResponse(
        {"title": refused.title, "status": refused.status, "code": refused.code},
        refused.status,
        refused.headers,
        media_type="application/problem+json",
    )
