"""Write the timeline files from `cases`: `python -m tests.timelines.build`. What is no longer a case is removed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.timelines.cases import (
    appointments,
    dates,
    exams,
    orders,
    outstanding,
    patients,
    places,
    prefetch,
    refusals,
    tissue,
    versions,
)

FOLDER = Path(__file__).parent
CASES: tuple[dict[str, Any], ...] = tuple(
    case
    for module in (
        exams,
        dates,
        versions,
        orders,
        appointments,
        refusals,
        tissue,
        outstanding,
        places,
        patients,
        prefetch,
    )
    for case in module.CASES
)


def main() -> None:
    """Write a file for each case."""
    names = [case["id"] for case in CASES]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise SystemExit(f"more than one case is called {', '.join(sorted(doubled))}")
    for path in FOLDER.glob("u*.json"):
        path.unlink()
    for case in CASES:
        words = case["title"].lower().split(":")[0]
        slug = "-".join("".join(letter if letter.isalnum() else " " for letter in words).split())
        text = json.dumps(case, ensure_ascii=False, indent=1)
        (FOLDER / f"{case['id']}-{slug[:60].rstrip('-')}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
