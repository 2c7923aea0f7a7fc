"""What a script is told, and how it answers. The names are those of tests/tests/interop/process.rs."""

import base64
import json
import os
import socket
import sys
import threading
from pathlib import Path

import uvicorn


def setting(name: str) -> str:
    """A value that the test must give."""
    value = os.environ.get(name)
    if not value:
        raise SystemExit(f"{name} must be set")
    return value


def key() -> str:
    """The key of the account that acts, from the file that the test names."""
    return Path(setting("PEER_KEY_FILE")).read_text().strip()


def call() -> dict:
    """The call that a buyer is to make, as keyword arguments of httpx and requests."""
    made = {"method": setting("PEER_METHOD"), "url": setting("PEER_URL")}
    if body := os.environ.get("PEER_BODY"):
        made |= {"headers": {"content-type": "application/json"}}
        made |= {"body": body.encode()}
    return made


def report(status: int, headers, body: str) -> None:
    """Prints what came back: one line of JSON."""
    names = ("payment-response", "x-payment-response")
    header = next((name for name in names if headers.get(name)), None)
    receipt = json.loads(base64.b64decode(headers[header])) if header else None
    answer = {"status": status, "body": body, "header": header, "receipt": receipt}
    print(json.dumps(answer), flush=True)


def end_with_owner() -> None:
    sys.stdin.read()
    os._exit(0)


def serve(app) -> None:
    """Listens on a free port of this machine and says so, until its owner is gone."""
    threading.Thread(target=end_with_owner, daemon=True).start()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(f"ready http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
