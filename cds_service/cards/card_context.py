"""What a card says besides the decision, and how the client wants it."""

from __future__ import annotations

from datetime import date

import msgspec

from cds_service.cards.detail import Gaps
from cds_service.clients.client import Profile


class CardContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a card says besides the decision, and how the client wants it. `fhir_version` is R4 or R5, of this call."""

    patient_id: str
    today: date
    fhir_version: str = "R4"
    profile: Profile = Profile()
    source_url: str | None = None
    gaps: Gaps = Gaps()
