"""The two servers under load, each a process with one uvicorn worker: `python -m benchmarks.servers NAME PORT`.

Both answer `GET /benchmark/cpu` with the CPU seconds that their process has used.
"""

from __future__ import annotations

import sys
import time

import orjson
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from cds_service.app import create_app
from cds_service.log_lines import log_config
from cds_service.settings import Settings

CPU_PATH = "/benchmark/cpu"
CARDS = {"cards": [{"summary": "Fixed answer", "indicator": "info", "source": {"label": "Bare application"}}]}


async def parse_only(scope: Scope, receive: Receive, send: Send) -> None:
    """Parse the body and answer fixed cards: the least a service in this language and server can do."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    orjson.loads(body)
    await _send_json(send, orjson.dumps(CARDS))


def with_cpu_time(app: ASGIApp) -> ASGIApp:
    """Return the application with `CPU_PATH` added."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == CPU_PATH:
            await _send_json(send, orjson.dumps(time.process_time()))
        else:
            await app(scope, receive, send)

    return call


def run(name: str, port: int) -> None:
    """Serve "fleck" (everything on, its log on standard error) or "bare" until stopped."""
    fleck = name == "fleck"
    uvicorn.run(
        with_cpu_time(create_app(Settings()) if fleck else parse_only),
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        lifespan="on" if fleck else "off",
        log_config=log_config("INFO" if fleck else "WARNING"),
    )


async def _send_json(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]))
