"""The local switches: what a signing radiologist may decide otherwise.

S1 to S12 change what a finding calls for (evidence section 11), C1 to C11 how it is followed up (chart logic section 9).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec


class Switch(msgspec.Struct, frozen=True):
    """One switch: its default, the values it may take, what it means and the rules that it touches.

    `rules` is empty where no row asks the switch: then it is a limit of `rules.follow_up.Limits`.
    """

    default: str
    allowed: tuple[str, ...]
    meaning: str
    rules: tuple[str, ...]


class Policy(msgspec.Struct, frozen=True):
    """The value of every switch, by name."""

    values: Mapping[str, str]

    def deviations(self) -> tuple[str, ...]:
        """Switches that are not at their default, as "S2=2"."""
        return tuple(f"{name}={value}" for name, value in self.values.items() if value != switches()[name].default)


@cache
def switches() -> Mapping[str, Switch]:
    """Return the switches of `tables/policy.toml` in order."""
    text = files("rules").joinpath("tables/policy.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Switch])


def load_policy(overrides: Mapping[str, str] | None = None) -> Policy:
    """Return the defaults with a site's overrides, such as {"S2": "2"}.

    Raises:
        ValueError: a switch that does not exist, or a value that it may not take.
    """
    values = {name: switch.default for name, switch in switches().items()}
    for name, value in (overrides or {}).items():
        if name not in values:
            raise ValueError(f"policy switch {name} does not exist; known are {', '.join(values)}")
        if value not in switches()[name].allowed:
            raise ValueError(f"policy switch {name} may be {', '.join(switches()[name].allowed)}, not {value}")
        values[name] = value
    return Policy(values)
