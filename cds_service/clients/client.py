"""A client as the rest of the service sees it: who calls, and how its answers have to look."""

from __future__ import annotations

import msgspec

from fhir_models.order_codes import OURS, OrderCodes
from rules.vocabulary import Recommendation


class SiteLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link of the site's own on the cards of some recommendations. `type` is absolute or smart.

    `app_context` goes with smart links only.
    """

    recommendations: frozenset[Recommendation]
    label: str
    url: str
    type: str = "absolute"
    app_context: str | None = None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What an EHR accepts and a site wants.

    `benign_card_months`: age in months up to which an exam still gets a card that nothing is needed; 0 silences it.
    `fhir_version` (R4 or R5) counts where the request does not show it; `order_intent` is proposal or order,
    `selection_behavior` any or at-most-one; `one_action_per_suggestion`: it takes no suggestion of two actions. `shown`
    are the recommendations that get cards; None shows all.
    """

    fhir_version: str = "R4"
    order_intent: str = "proposal"
    selection_behavior: str = "any"
    benign_card_months: int = 12
    one_action_per_suggestion: bool = False
    order_codes: OrderCodes = OURS
    shown: frozenset[Recommendation] | None = None
    links: tuple[SiteLink, ...] = ()

    def shows(self, recommendation: Recommendation) -> bool:
        """Return whether a recommendation gets a card."""
        return self.shown is None or recommendation in self.shown


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls. `id` is the site's name for it, safe in logs and metrics; `fhir_servers` are base URLs it may name."""

    id: str
    profile: Profile = Profile()
    fhir_servers: tuple[str, ...] = ()
