"""The log: one JSON object a line, never patient data.

Exceptions appear as type and lines of code passed, without their messages, which may quote a resource.
"""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from typing import Any, cast

import orjson

LOGGER = logging.getLogger("fleck")


class JsonFormatter(logging.Formatter):
    """A record as one JSON object; what a caller gives as `extra={"fields": {...}}` becomes members."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without the line break."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **cast("dict[str, object]", getattr(record, "fields", {})),
        }
        if record.exc_info and record.exc_info[1]:
            line["exception"] = describe_exception(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


def log_config(level: str) -> dict[str, Any]:
    """Return the `logging.config` dictionary for uvicorn and Fleck: JSON lines on standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "loggers": {
            name: {"handlers": ["stderr"], "level": level, "propagate": False} for name in (LOGGER.name, "uvicorn")
        },
    }


def describe_exception(error: BaseException) -> dict[str, object]:
    """Return type and code lines of an exception and of those that led to it, without their messages."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    described: dict[str, object] = {"type": type(error).__name__, "frames": frames}
    if earlier := error.__cause__ or error.__context__:
        described["after"] = describe_exception(earlier)
    return described
