"""What the service knows, loaded once at start-up: the decision table under the site's policy, and the codes."""

from __future__ import annotations

import msgspec

from cds_service.clients.client import Profile
from cds_service.settings import Settings
from fhir_models.orders import VERSIONS, OrderTemplates
from fhir_models.terminology import Terminology, load_terminology
from rules.engine import Ruleset, load_ruleset
from rules.policy import load_policy


class Knowledge(msgspec.Struct, frozen=True):
    """Immutable and shared by all requests."""

    ruleset: Ruleset
    terminology: Terminology
    orders: OrderTemplates


def load_knowledge(settings: Settings) -> Knowledge:
    """Load the table with the site's policy switches and the codes with the site's ConceptMaps.

    Raises:
        ValueError: an unknown switch or value, or a ConceptMap that cannot be read.
    """
    terminology = load_terminology(settings.concept_maps)
    knowledge = Knowledge(load_ruleset_for(settings), terminology, OrderTemplates(terminology))
    prepare_orders(knowledge, settings.profile)
    return knowledge


def prepare_orders(knowledge: Knowledge, profile: Profile) -> None:
    """Build the draft orders of a client's profile, so that no request has to wait for them."""
    for version in VERSIONS:
        knowledge.orders.prepare(version, profile.order_intent, profile.order_codes)


def load_ruleset_for(settings: Settings) -> Ruleset:
    """Load the table under the site's policy.

    Raises:
        ValueError: an unknown switch or value.
    """
    return load_ruleset(load_policy(settings.policy))
