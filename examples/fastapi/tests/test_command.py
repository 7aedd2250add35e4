"""Tests of the command in the README."""

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.conftest import AUDIENCE, Issuer, free_port

README = Path(__file__).parents[1] / "README.md"


def test_the_command_of_the_readme(issuer: Issuer) -> None:
    line = re.search(r"\.venv/bin/uvicorn (.*)", README.read_text())
    assert line
    port = str(free_port())
    key = str(issuer.folder / "data/dev/service.key")
    env = os.environ | {"ISSUER": issuer.url, "AUDIENCE": AUDIENCE, "SERVICE_KEY_FILE": key, "NAME": "readme"}
    arguments = shlex.split(line[1].replace("8082", port))
    command = [sys.executable, "-m", "uvicorn", *arguments]
    with subprocess.Popen(command, cwd=README.parent, env=env, stderr=subprocess.DEVNULL) as service:
        try:
            url = f"http://127.0.0.1:{port}"
            ask(url + "/healthz")
            headers = {"Authorization": f"Bearer {issuer.mint().access_token}"}
            assert httpx.get(url + "/me", headers=headers).json()["user_id"] == "u1"
            assert "readme" in verifiers(issuer)
        finally:
            service.terminate()


def ask(url: str) -> None:
    """Wait until the service responds."""
    deadline = time.monotonic() + 20
    while True:
        try:
            assert httpx.get(url).status_code == 200
            return
        except httpx.ConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def verifiers(issuer: Issuer) -> str:
    """Return the issuer's list of verifiers."""
    key = (issuer.folder / "data/dev/admin.key").read_text().strip()
    url = f"http://{issuer.admin}/admin/v1/verifiers"
    return httpx.get(url, headers={"Authorization": f"Bearer {key}"}).text
