"""The table of requirements (docs/conformance.toml); `python -m tests.protocol.conformance` writes the page made from it."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "conformance.toml"
PAGE = ROOT / "docs" / "conformance.md"

HEAD = """# Conformance to CDS Hooks

What CDS Hooks 2.0.1 asks of a service, and what clients of 1.0, 2.0 and 3.0 need of it, row by row: how it is met and which
tests show it. Requirements are in our own words. "client" marks a duty of the EHR, for which the service has to be ready;
"policy" and "advice" are not from the specification. Made from [conformance.toml](conformance.toml) by
`python -m tests.protocol.conformance`; do not edit.
"""

State = Literal["met", "not applicable", "decided otherwise", "not met"]
STATES: tuple[State, ...] = ("met", "not applicable", "decided otherwise", "not met")


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A requirement. `how` it is met, or `why` not; `tests` are pytest node ids without parameters."""

    row: int
    level: str
    requirement: str
    state: State
    how: str | None = None
    why: str | None = None
    tests: tuple[str, ...] = ()


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the list of requirements."""

    number: str
    title: str
    row: tuple[Row, ...]


def read_table(path: Path = TABLE) -> tuple[Section, ...]:
    """Return the sections.

    Raises:
        msgspec.ValidationError: the file has not the form of a table.
    """
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return msgspec.convert(document["section"], tuple[Section, ...])


def page(sections: Sequence[Section]) -> str:
    """Return the page in Markdown."""
    counts = Counter(row.state for section in sections for row in section.row)
    summary = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    return (
        "\n".join([HEAD, f"{counts.total()} rows: {summary}.", *(line for one in sections for line in _section(one))])
        + "\n"
    )


def _section(section: Section) -> Iterator[str]:
    yield f"\n## {section.title} ({section.number})\n"
    yield "| Row | Level | Requirement | State | How it is met, or why not | Tests |"
    yield "|---|---|---|---|---|---|"
    for row in section.row:
        cells = (str(row.row), row.level, row.requirement, row.state, row.how or row.why or "", _links(row.tests))
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _links(tests: Iterable[str]) -> str:
    """Return one link for each file, with the number of its tests."""
    files = Counter(test.partition("::")[0] for test in tests)
    return ", ".join(f"[{Path(name).stem.removeprefix('test_')}](../{name}) {count}" for name, count in files.items())


if __name__ == "__main__":
    PAGE.write_text(page(read_table()), encoding="utf-8")
