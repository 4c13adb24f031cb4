"""Draft orders: a decision to a ServiceRequest, built and validated by `fhir.resources` once for each kind.

Per request only the patient, the date and a note are filled in. No order without a side; no biopsy as one bilateral order.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any

import msgspec

from fhir_models.days import Days
from fhir_models.order_codes import ORDERED, OURS, SIDES, OrderCode, OrderCodes
from fhir_models.terminology import OutgoingCoding, Terminology
from rules.vocabulary import Laterality, Recommendation, SizeClass

VERSIONS = ("R4", "R5")
_MICRO = (SizeClass.MICROCALCIFICATION, SizeClass.MIXED)


class OrderKind(msgspec.Struct, frozen=True):
    """What an order is for. `version` is R4 or R5, `intent` proposal or order, `months` those of a follow-up.

    `codes` are those of the receiver; without any, ours are used.
    """

    recommendation: Recommendation
    laterality: Laterality
    months: str | None
    micro: bool
    version: str
    intent: str
    codes: tuple[OrderCode, ...] = ()


class OrderTemplates:
    """Orders by kind; each is built on first use and kept, as there are only so many kinds."""

    def __init__(self, terminology: Terminology) -> None:
        self._terminology = terminology
        self._template = lru_cache(maxsize=None)(self._build)

    def prepare(self, version: str, intent: str, receiver: OrderCodes = OURS) -> None:
        """Build every template of a version, so that no request has to wait for it."""
        for recommendation in ORDERED:
            for side in SIDES:
                for months in (
                    ("6", "12", "6-12") if recommendation == Recommendation.SHORT_INTERVAL_FOLLOW_UP else (None,)
                ):
                    for micro in (True, False):
                        codes = receiver.of(recommendation, side)
                        self._template(OrderKind(recommendation, side, months, micro, version, intent, codes))

    def draft(
        self,
        recommendation: Recommendation,
        laterality: Laterality,
        size_class: SizeClass,
        months: str | None,
        due: Days | None,
        today: date,
        patient_id: str,
        version: str,
        intent: str,
        receiver: OrderCodes = OURS,
    ) -> dict[str, Any] | None:
        """Return the draft order, None where this recommendation or side gets none. A due day that is past is left out."""
        if recommendation not in ORDERED or laterality not in SIDES:
            return None
        codes = receiver.of(recommendation, laterality)
        if receiver.only and not codes:
            return None
        kind = OrderKind(recommendation, laterality, months, size_class in _MICRO, version, intent, codes)
        template = self._template(kind)
        if template is None:
            return None
        order = {**template, "subject": {"reference": f"Patient/{patient_id}"}}
        if due is not None and due.last >= today:
            if recommendation == Recommendation.DIAGNOSTIC_MAMMOGRAM:
                order["occurrencePeriod"] = {"end": due.last.isoformat()}
            elif recommendation == Recommendation.SHORT_INTERVAL_FOLLOW_UP and due.exact:
                order["occurrenceDateTime"] = due.exact.isoformat()
            elif recommendation == Recommendation.SHORT_INTERVAL_FOLLOW_UP:
                order["occurrencePeriod"] = {"start": due.first.isoformat(), "end": due.last.isoformat()}
        return order

    def _build(self, kind: OrderKind) -> dict[str, Any] | None:
        ours = self._terminology.coding(kind.recommendation, kind.laterality)
        if not ours:
            return None
        if kind.months == "6":
            ours += self._terminology.coding("short_interval_follow_up_6", kind.laterality)
        codings = kind.codes or ours
        code = {"coding": [_coding(coding) for coding in codings], "text": order_text(kind)}
        reason = self._one("reason_microcalcification" if kind.micro else "reason_calcification")
        side = self._one("laterality", kind.laterality)
        content: dict[str, Any] = {
            "resourceType": "ServiceRequest",
            "extension": [{"url": self._extension_url(), "valueCodeableConcept": {"coding": [side]}}],
            "status": "draft",
            "intent": kind.intent,
            "category": [{"coding": [self._one("category")]}],
            "code": code if kind.version == "R4" else {"concept": code},
            "subject": {"reference": "Patient/validated"},
            "bodySite": [{"coding": [self._one("body_site", kind.laterality)]}],
        }
        if kind.version == "R4":
            content["reasonCode"] = [{"coding": [reason]}]
        else:
            content["reason"] = [{"concept": {"coding": [reason]}}]
        return validated_order(content, kind.version)

    def _one(self, purpose: str, laterality: str = "any") -> dict[str, str]:
        return _coding(self._terminology.coding(purpose, laterality)[0])

    def _extension_url(self) -> str:
        return self._terminology.coding("laterality_extension")[0].system


def order_text(kind: OrderKind) -> str:
    """Return the order's name in words."""
    side = "both breasts" if kind.laterality == Laterality.BILATERAL else f"{kind.laterality} breast"
    match kind.recommendation:
        case Recommendation.BIOPSY:
            return f"Stereotactic or DBT-guided vacuum-assisted biopsy, {side}"
        case Recommendation.DIAGNOSTIC_MAMMOGRAM:
            return f"Diagnostic mammogram with magnification views (CC and 90-degree lateral), {side}"
        case _:
            return f"Follow-up diagnostic mammogram in {kind.months} months, {side}"


def validated_order(content: dict[str, Any], version: str) -> dict[str, Any]:
    """Return the ServiceRequest as `fhir.resources` writes it.

    Raises:
        pydantic.ValidationError: the content is no valid ServiceRequest of this version.
    """
    if version == "R5":
        from fhir.resources.servicerequest import ServiceRequest  # slow to import: only where needed
    else:
        from fhir.resources.R4B.servicerequest import ServiceRequest
    return ServiceRequest.model_validate(content).model_dump(mode="json")


def _coding(coding: OutgoingCoding | OrderCode) -> dict[str, str]:
    return {"system": coding.system, "code": coding.code, "display": coding.display}
