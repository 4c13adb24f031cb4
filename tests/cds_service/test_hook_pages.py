"""The published hook definition and the page of the services say what the service does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cds_service.hooks.services import SERVICES
from cds_service.protocol.hook_context import CONTEXTS, ContextField
from tests.cds_service.conftest import Send

PAGES = Path(__file__).parents[2] / "docs" / "hooks"
HOOK = "org.fleck.diagnosticreport-review"
DEFINITION = (PAGES / f"{HOOK}.md").read_text(encoding="utf-8")
SERVICES_PAGE = (PAGES / "README.md").read_text(encoding="utf-8")
KINDS = {"id": "id", "references": "list of references", "bundle": "Bundle"}


def examples() -> list[dict[str, Any]]:
    return [json.loads(text) for text in re.findall(r"```json\n(.*?)```", DEFINITION, re.DOTALL)]


def table(text: str, columns: int) -> list[list[str]]:
    found = (re.split(r"\s*\|\s*", line.strip("| ")) for line in text.splitlines() if line.startswith("|"))
    return [cells for cells in found if len(cells) == columns]


def test_the_example_request_gives_the_card_that_the_page_shows(send: Send) -> None:
    request, answer = examples()
    received = send("POST", "/cds-services/calcification-report-review", json=request)
    assert received.status_code == 200
    (shown,), (card,) = answer["cards"], received.json()["cards"]
    detail = shown.pop("detail")
    assert {name: card[name] for name in shown} == shown
    assert card["detail"].startswith(f"{detail}\n\n")


def test_the_definition_names_the_fields_that_are_checked() -> None:
    told = {
        field.strip("`"): (optionality == "REQUIRED", prefetched == "Yes")
        for field, optionality, prefetched, *_ in table(DEFINITION, 5)
        if optionality in ("REQUIRED", "OPTIONAL")
    }
    assert told == {field.field: (field.required, field.token) for field in CONTEXTS[HOOK]}


def test_the_definition_has_all_that_a_hook_definition_must_have() -> None:
    metadata = dict(table(DEFINITION, 2))
    assert metadata["specificationVersion"] == "2.0"
    assert re.fullmatch(r"\d+\.\d+\.\d+", metadata["hookVersion"])
    assert metadata["hookMaturity"].startswith("0")
    assert metadata["hookVersion"] in metadata
    for heading in ("## Workflow", "## Context", "## Change log"):
        assert heading in DEFINITION


@pytest.mark.parametrize("hook", CONTEXTS)
def test_the_page_of_the_services_has_every_field_of_every_hook(hook: str) -> None:
    told = [cells for cells in table(SERVICES_PAGE, 4) if cells[0] == hook]
    assert told == [
        [hook, field.field, "required" if field.required else "optional", kind_of(field)] for field in CONTEXTS[hook]
    ]


def test_the_page_of_the_services_says_what_the_absence_of_a_key_means() -> None:
    told = {
        name: failure
        for cells in table(SERVICES_PAGE, 3)
        for name in re.findall(r"`(\w+)`", cells[0])
        if (failure := cells[1]) in ("required", "named", "silent")
    }
    keys = {key.name: key.failure for name in reversed(SERVICES) for key in SERVICES[name].keys}
    assert told == keys


def test_every_service_is_on_the_page() -> None:
    assert {cells[0].strip("`") for cells in table(SERVICES_PAGE, 3)} >= set(SERVICES)


def kind_of(field: ContextField) -> str:
    *others, last = field.of or ("",)
    return KINDS.get(field.type) or f"{', '.join(others)} or {last}"


def test_a_hook_of_our_own_has_a_reversed_domain_in_its_name() -> None:
    standard = {"patient-view", "order-select", "order-sign", "appointment-book"}
    own = {offered.service.hook for offered in SERVICES.values()} - standard
    assert own == {HOOK}
    assert re.fullmatch(r"org(\.[a-z][a-z0-9]*)+\.[a-z]+-[a-z]+", HOOK)
    assert DEFINITION.startswith(f"# {HOOK}\n")
