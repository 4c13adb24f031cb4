"""Origins of pages that may read answers in a browser (CORS)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator


def checked_origin(value: str) -> str:
    """Return an origin: scheme and host, as browsers send it; "*" would let any page read answers about patients.

    Raises:
        ValueError: no origin.
    """
    if not value.startswith(("http://", "https://")) or value.count("/") != 2:
        raise ValueError("an origin is scheme://host[:port] without a path")
    return value


Origin = Annotated[str, AfterValidator(checked_origin)]
