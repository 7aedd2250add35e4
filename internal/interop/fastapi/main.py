"""examples/fastapi as a verifier: the same app, and what the table asks it."""

import os
import sys
from pathlib import Path

import uvicorn

sys.path.insert(0, str(Path(__file__).parents[3] / "examples/fastapi"))

from app.auth.dependencies import CurrentUser
from app.main import create_app
from app.settings import Settings

settings = Settings(
    issuer=os.environ["ISSUER"],
    audience=os.environ["AUDIENCE"],
    service_key=os.environ["SERVICE_KEY"],
    leeway=5,
)
app = create_app(settings)


@app.get("/whoami")
async def whoami(user: CurrentUser) -> dict[str, str]:
    return {"sub": user.id, "sid": str(user.session_id)}


host, port = os.environ["ADDRESS"].split(":")
uvicorn.run(app, host=host, port=int(port))
