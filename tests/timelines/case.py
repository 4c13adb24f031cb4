"""A case: a chart, the day of asking, and what is expected of each breast. Its parts become the members of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from tests.timelines.resources import PATIENT, Resource, patient

TODAY = "2026-06-15"
BASE = "https://ehr.example.org/fhir"

KEYS = {
    "DiagnosticReport": "reports",
    "Observation": "observations",
    "Condition": "conditions",
    "Procedure": "procedures",
    "ServiceRequest": "orders",
    "Appointment": "appointments",
    "Task": "tasks",
    "Communication": "communications",
}
ALWAYS = ("reports", "observations", "conditions", "procedures", "orders", "appointments")

Breast = dict[str, Any]

NOTHING: Breast = {"recommendation": None, "state": None, "closed_by": None, "due": None, "overdue_days": 0}
"""There is nothing to say of this breast."""
NOT_TESTED: Breast = {}
"""The specification leaves open, or nobody needs to know, what is said of this breast."""

_NEVER_LATE = ("done_pending", "declined", "closed", "nothing_open", "under_care", "breast_absent", "deceased")


def days_after(day: str, days: int) -> str:
    """Return the day that many days later."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def days_between(earlier: str, later: str) -> int:
    """Return how many days the second day is after the first."""
    return (date.fromisoformat(later) - date.fromisoformat(earlier)).days


def case(
    name: str,
    title: str,
    why: str,
    chart: Sequence[Resource],
    *,
    today: str = TODAY,
    left: Breast = NOTHING,
    right: Breast = NOTHING,
    unspecified: Breast | None = None,
    cards: int | None = 1,
    cards_max: int | None = 1,
    mention: Sequence[str] = (),
    never: Sequence[str] = (),
    suggestions_max: int | None = None,
    derived: Mapping[str, Mapping[str, Any]] | None = None,
    who: Resource | None = None,
    hook: str = "patient-view",
    drafts: Sequence[Resource] = (),
    absent: Sequence[str] = (),
    cut_off: Sequence[str] = (),
    more: Mapping[str, Any] | None = None,
    r5: bool = False,
) -> dict[str, Any]:
    """Return the members of a file.

    A breast's members are those of `expect`, by breast; what is not stated is not tested. `overdue_days` follows from `due`
    where the state lets it. `absent` are prefetch keys that did not come, `cut_off` those with another page, `more` is put
    among the prefetch as it is. `suggestions_max` None: not tested.
    """
    breasts = {"left": left, "right": right} | ({"unspecified": unspecified} if unspecified is not None else {})
    breasts = {side: _with_overdue(breast, today) for side, breast in breasts.items()}
    by_member = {
        member: {side: breast[member] for side, breast in breasts.items() if member in breast}
        for member in ("recommendation", "state", "closed_by", "due", "overdue_days", "indicator")
    }
    counts = {"card_count": cards, "card_count_max": cards_max, "suggestions_max": suggestions_max}
    expect: dict[str, Any] = {
        **{member: sides for member, sides in by_member.items() if sides},
        **{member: count for member, count in counts.items() if count is not None},
        "must_mention": list(mention),
        "must_not": list(never),
    }
    if derived:
        expect["derived_context"] = derived
    return {
        "id": name,
        "title": title,
        "why": why,
        "fhirVersion": "5.0.0" if r5 else "4.0.1",
        "today": today,
        "hook": hook,
        "hookInstance": "3d1b6b1e-6f0e-4a3c-9a3f-6a4f6f1c7e20",
        "context": _context(hook, drafts),
        "prefetch": _prefetch(who or patient(), chart, absent, cut_off) | dict(more or {}),
        "expect": expect,
    }


def _with_overdue(breast: Breast, today: str) -> Breast:
    if "overdue_days" in breast or "state" not in breast:
        return breast
    if breast["state"] in _NEVER_LATE:
        return breast | {"overdue_days": 0}
    if "due" not in breast:
        return breast
    return breast | {"overdue_days": max(0, days_between(breast["due"].rpartition("/")[2], today))}


def _context(hook: str, drafts: Sequence[Resource]) -> dict[str, Any]:
    context: dict[str, Any] = {"userId": "Practitioner/gp", "patientId": PATIENT}
    if hook == "order-select":
        context["selections"] = [f"{draft['resourceType']}/{draft['id']}" for draft in drafts]
    if drafts:
        entries = [{"resource": draft} for draft in drafts]
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return context


def _prefetch(
    who: Resource, chart: Sequence[Resource], absent: Sequence[str], cut_off: Sequence[str]
) -> dict[str, Any]:
    found: dict[str, list[Resource]] = {key: [] for key in ALWAYS}
    for resource in chart:
        found.setdefault(KEYS[resource["resourceType"]], []).append(resource)
    bundles = {key: bundle(resources, key in cut_off) for key, resources in found.items() if key not in absent}
    return {"patient": who} | bundles


def bundle(resources: Sequence[Resource], cut_off: bool = False) -> Resource:
    """Return a searchset; `cut_off`: there is another page, which did not come."""
    made: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(resources) + (40 if cut_off else 0)}
    if cut_off:
        made["link"] = [{"relation": "next", "url": f"{BASE}?page=2"}]
    if resources:
        made["entry"] = [
            {
                "fullUrl": f"{BASE}/{resource['resourceType']}/{resource['id']}",
                "resource": resource,
                "search": {"mode": "match"},
            }
            for resource in resources
        ]
    return made
