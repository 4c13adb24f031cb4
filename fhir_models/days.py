"""The calendar day that a sender wrote, without any shift to another zone (chart logic section 7)."""

from __future__ import annotations

from datetime import date


def written_day(text: str | None) -> date | None:
    """Return the day of a FHIR date or dateTime, None where it is missing, partial or no date."""
    if not text or len(text) < 10:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def exam_date(*texts: str | None) -> str | None:
    """Return the first date that was given, as written."""
    return next((text for text in texts if text), None)
