"""What may be chosen of a profile, in a profile's file and for a single client, strictly checked.

Of a client's profile counts, from the weakest: the profile's file, the site's settings that were given, the client's own
`overrides`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, ClassVar, Literal, Self

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from cds_service.clients.client import Profile, SiteLink
from cds_service.clients.urls import safe_link
from fhir_models.order_codes import ORDERED, SIDES, OrderCode, OrderCodes
from rules.vocabulary import Laterality, Recommendation

DEFAULT_PROFILE = "generic-2.0"
LANGUAGE = "en"
"""Language of the cards, and of links where a client wants no other."""

Strict: ConfigDict = ConfigDict(extra="forbid", frozen=True)
Words = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")]
LinkUrl = Annotated[str, AfterValidator(safe_link)]


class ChosenCode(BaseModel):
    """A site's code for an order of one act on one side."""

    model_config: ClassVar[ConfigDict] = Strict

    recommendation: Recommendation
    laterality: Laterality
    system: Words
    code: Words
    display: Words

    @model_validator(mode="after")
    def _can_be_ordered(self) -> Self:
        if self.recommendation not in ORDERED:
            raise ValueError(f"recommendation: orders are drafted for {', '.join(ORDERED)} only")
        if self.laterality not in SIDES:
            raise ValueError(f"laterality: an order is for {', '.join(SIDES)}")
        if (self.recommendation, self.laterality) == (Recommendation.BIOPSY, Laterality.BILATERAL):
            raise ValueError("laterality: no biopsy is ordered for both breasts at once")
        return self


class ChosenLink(BaseModel):
    """A site's own link; label and url are one for all languages, or a table by language."""

    model_config: ClassVar[ConfigDict] = Strict

    recommendations: Annotated[tuple[Recommendation, ...], Field(min_length=1)]
    label: Words | dict[Language, Words]
    url: LinkUrl | dict[Language, LinkUrl]
    type: Literal["absolute", "smart"] = "absolute"
    app_context: Words | None = None

    @model_validator(mode="after")
    def _context_is_for_apps(self) -> Self:
        if self.app_context and self.type != "smart":
            raise ValueError("app_context: only a smart link has one")
        return self

    def in_language(self, language: str) -> SiteLink:
        """Return the link for users of a language.

        Raises:
            ValueError: label or url do not speak it.
        """
        return SiteLink(
            recommendations=frozenset(self.recommendations),
            label=_spoken("label", self.label, language),
            url=_spoken("url", self.url, language),
            type=self.type,
            app_context=self.app_context,
        )


class ProfileChoices(BaseModel):
    """What a file or a client says of a profile; what it does not mention stays as it was."""

    model_config: ClassVar[ConfigDict] = Strict

    fhir_version: Literal["R4", "R5"] = "R4"
    order_intent: Literal["proposal", "order"] = "proposal"
    selection_behavior: Literal["any", "at-most-one"] = "any"
    benign_card_months: Annotated[int, Field(ge=0)] = 12
    one_action_per_suggestion: bool = False
    own_order_codes_only: bool = False
    order_codes: tuple[ChosenCode, ...] = ()
    shown: tuple[Recommendation, ...] | None = None
    language: Language = LANGUAGE
    links: tuple[ChosenLink, ...] = ()

    @property
    def chosen(self) -> dict[str, Any]:
        """What was mentioned, by name."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def profile_names() -> tuple[str, ...]:
    """Return the profiles that ship with the service."""
    folder = files("cds_service.clients").joinpath("profiles")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def read_profile(name: str) -> ProfileChoices:
    """Return what a shipped profile says.

    Raises:
        ValueError: there is no such profile.
    """
    if name not in profile_names():
        raise ValueError(f"there is no such profile; known are {', '.join(profile_names())}")
    file = files("cds_service.clients").joinpath("profiles", f"{name}.toml")
    return ProfileChoices.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))


def build_profile(name: str, settings: Mapping[str, Any], overrides: ProfileChoices) -> Profile:
    """Return the profile of a client; `settings` are those that the site gave.

    Raises:
        ValueError: no such profile, or a link that does not speak the client's language.
    """
    chosen = {**read_profile(name).chosen, **settings, **overrides.chosen}
    language: str = chosen.pop("language", LANGUAGE)
    links: tuple[ChosenLink, ...] = chosen.pop("links", ())
    codes: tuple[ChosenCode, ...] = chosen.pop("order_codes", ())
    only: bool = chosen.pop("own_order_codes_only", False)
    shown: tuple[Recommendation, ...] | None = chosen.pop("shown", None)
    return msgspec.structs.replace(
        Profile(),
        **chosen,
        order_codes=OrderCodes(codes=tuple(OrderCode(**code.model_dump()) for code in codes), only=only),
        shown=None if shown is None else frozenset(shown),
        links=tuple(link.in_language(language) for link in links),
    )


def _spoken(field: str, words: str | Mapping[str, str], language: str) -> str:
    if isinstance(words, str):
        return words
    if language not in words:
        raise ValueError(f"links: {field} is not given in the client's language, {language}")
    return words[language]
