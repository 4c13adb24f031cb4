"""A client as the rest of the service sees it: who calls, and how its answers have to look."""

from __future__ import annotations

import msgspec


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What an EHR accepts and a site wants.

    `benign_card_months`: age in months up to which an exam still gets a card that nothing is needed; 0 silences it.
    `fhir_version` (R4 or R5) counts where the request does not show it; `order_intent` is proposal or order,
    `selection_behavior` any or at-most-one; `one_action_per_suggestion`: it takes no suggestion of two actions.
    """

    fhir_version: str = "R4"
    order_intent: str = "proposal"
    selection_behavior: str = "any"
    benign_card_months: int = 12
    one_action_per_suggestion: bool = False


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls. `id` is the site's name for it, safe in logs and metrics; `fhir_servers` are base URLs it may name."""

    id: str
    profile: Profile = Profile()
    fhir_servers: tuple[str, ...] = ()
