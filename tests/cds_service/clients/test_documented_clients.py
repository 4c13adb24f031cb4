"""Every example of docs/clients.md loads as it stands, and the tables name every field and every reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cds_service.clients.clients_file import ClientEntry
from cds_service.clients.profile_choices import ProfileChoices, profile_names
from cds_service.clients.refusal import Reason
from cds_service.clients.registry import load_registry
from cds_service.hooks.services import SERVICES
from cds_service.settings import Settings
from rules.vocabulary import Recommendation

DOCUMENT = (Path(__file__).parents[3] / "docs" / "clients.md").read_text()
EXAMPLES = [
    (section.partition("\n")[0], text)
    for section in DOCUMENT.split("\n## ")[1:]
    for text in re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
]
NAMED = set(re.findall(r"`([a-z_]+)`", DOCUMENT))


def test_each_kind_of_client_has_an_example() -> None:
    profiles = {re.search(r'profile = "(.*?)"', text)[1] for _, text in EXAMPLES}  # type: ignore[index]
    assert profiles == {"epic", "oracle", "crd", "sandbox", "generic-2.0"}
    assert len(EXAMPLES) == DOCUMENT.count("```toml")


@pytest.mark.parametrize("text", [text for _, text in EXAMPLES], ids=[title for title, _ in EXAMPLES])
def test_an_example_loads(tmp_path: Path, text: str) -> None:
    (tmp_path / "clients.toml").write_text(text, encoding="utf-8")
    settings = Settings.model_validate({"clients": tmp_path / "clients.toml", "public_url": "https://cds.example.org"})
    (client,) = load_registry(settings, SERVICES).clients
    assert f'id = "{client.id}"' in text


def test_all_examples_fit_in_one_file(tmp_path: Path) -> None:
    (tmp_path / "clients.toml").write_text("\n".join(text for _, text in EXAMPLES), encoding="utf-8")
    settings = Settings.model_validate({"clients": tmp_path / "clients.toml", "public_url": "https://cds.example.org"})
    registry = load_registry(settings, SERVICES)
    assert len(registry.clients) == len(EXAMPLES)
    profiles = {client.id: client.profile for client in registry.clients}
    assert [link.label for link in profiles["north-hospital"].links] == ["Brustzentrum: Überweisung"]
    assert profiles["south-hospital"].selection_behavior == "at-most-one"
    assert not profiles["crd-partner"].shows(Recommendation.NO_FOLLOW_UP)


def test_every_field_and_every_reason_is_documented() -> None:
    assert set(ClientEntry.model_fields) | set(ProfileChoices.model_fields) | set(Reason) <= NAMED
    assert all(f"`{name}`" in DOCUMENT for name in profile_names())
