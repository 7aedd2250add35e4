"""The service. `uvicorn --factory app.main:create_app` runs it."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Response
from fastapi.middleware.cors import CORSMiddleware

from app.auth.dependencies import (
    CurrentUser,
    FreshUser,
    User,
    get_user_from_session,
    get_verifier,
    user_from_session,
)
from app.auth.errors import Refused, answer
from app.auth.verifier import Verifier
from app.settings import Policy, Settings


def create_app(settings: Settings | None = None, now: Callable[[], float] = time.time) -> FastAPI:
    """Return the app, with settings from the environment unless they are given."""
    settings = settings or Settings.from_environment()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Verifier.running(settings, now) as app.state.verifier:
            yield

    app = FastAPI(title="An API", lifespan=lifespan)
    app.state.settings = settings
    app.exception_handler(Refused)(answer)
    app.add_middleware(
        CORSMiddleware,
        allow_credentials=True,  # for the cookie
        allow_origins=list(settings.allowed_origins),
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["WWW-Authenticate", "Retry-After"],
    )

    @app.get("/me")
    async def me(user: CurrentUser) -> dict[str, str]:
        return {"user_id": user.id, "session_id": str(user.session_id)}

    @app.get("/greeting")
    async def greeting(user: Annotated[User | None, Depends(get_user_from_session)]) -> dict[str, str]:
        """A route for all users, signed in or not."""
        return {"text": f"Hello, {user.id if user else 'stranger'}"}

    @app.get("/prices")
    async def prices(
        user: Annotated[User | None, Depends(user_from_session(stale=Policy.FAIL_OPEN))],
    ) -> dict[str, int]:
        """A harmless route: it stays available while the list is stale."""
        return {"tea": 200 if user else 250}

    @app.delete("/me", status_code=204)
    async def delete_me(user: FreshUser) -> None:
        """A sensitive route: it requires a recent authentication."""

    @app.get("/healthz")
    async def healthz(verifier: Annotated[Verifier, Depends(get_verifier)], response: Response) -> dict[str, bool]:
        if not verifier.ledger.fresh:
            response.status_code = 503
        return {"fresh": verifier.ledger.fresh}

    return app
