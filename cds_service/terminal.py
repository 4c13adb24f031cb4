"""Cards drawn in a terminal, as an EHR would show them."""

from __future__ import annotations

from typing import Any

from rich.console import Console, Group
from rich.markdown import Markdown
from rich.panel import Panel
from rich.text import Text

_COLOURS = {"info": "blue", "warning": "yellow", "critical": "red"}


def draw_answer(answer: dict[str, Any], console: Console) -> None:
    """Draw the cards of a response, or the issues of an OperationOutcome."""
    for issue in answer.get("issue", ()):
        console.print(Panel(Text(issue["details"]["text"]), title=issue["code"], border_style="red"))
    cards = answer.get("cards")
    if cards == []:
        console.print("No cards: nothing to say.")
    for card in cards or ():
        parts = [Text(card["summary"], style="bold"), Markdown(card["detail"])]
        parts += [Text(f"[ {suggestion['label']} ]", style="reverse") for suggestion in card.get("suggestions", ())]
        console.print(
            Panel(
                Group(*parts),
                title=card["indicator"],
                subtitle=card["source"]["label"],
                border_style=_COLOURS[card["indicator"]],
            )
        )
