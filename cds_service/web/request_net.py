"""The net around every request: errors become OperationOutcomes, and each request leaves one line in the log."""

from __future__ import annotations

from time import perf_counter
from uuid import uuid4

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds_service.errors import Issue, RequestError, operation_outcome
from cds_service.log_lines import LOGGER, describe_exception
from cds_service.web.responses import send_json

_FIELDS = "fleck.log"
CLIENT_GONE = 499
"""Status in the log of a request whose client left before the answer."""


class RequestNet:
    """ASGI middleware. Whatever failed, the caller gets an error: an empty card list would mean "nothing to do"."""

    def __init__(self, app: ASGIApp, paths: frozenset[str]) -> None:
        """Wrap an application. `paths` are those that may be named in the log; another could hold an id."""
        self.app = app
        self.paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; any other scope passes through.

        An exception after the answer has begun is raised again, so that the server cuts the connection.
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = perf_counter(), 0
        scope[_FIELDS] = {}

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note_status)
        except RequestError as error:
            await send_json(note_status, error.status, operation_outcome(error.issues), error.headers)
        except ClientDisconnect:
            status = CLIENT_GONE
        except Exception as error:
            issue = _log_failure(error)
            if status:
                raise
            await send_json(note_status, 500, operation_outcome([issue]))
        finally:
            path = scope["path"] if scope["path"] in self.paths else None
            milliseconds = round((perf_counter() - started) * 1000, 2)
            fields = {"method": scope["method"], "path": path, "status": status, "ms": milliseconds}
            fields.update(log_fields(scope))
            LOGGER.info("request", extra={"fields": fields})


def log_fields(scope: Scope) -> dict[str, object]:
    """Return the members that the line in the log gets besides; nothing of a patient may be put there."""
    return scope.setdefault(_FIELDS, {})


def _log_failure(error: Exception) -> Issue:
    incident = uuid4().hex
    LOGGER.error("failure", extra={"fields": {"incident": incident, "exception": describe_exception(error)}})
    return Issue("exception", f"internal failure, no advice was given; incident {incident}")
