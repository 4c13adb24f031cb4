"""The ledger in numbers: what was advised by recommendation and by rule, and what users did with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import orjson
from sqlalchemy import Column, ColumnElement, Connection, and_, func, select

from cds_service.ledger.tables import CALL, CARD, FEEDBACK

NO_REASON = "no reason"


class Extract(msgspec.Struct, frozen=True):
    """What part of the ledger is looked at: from a moment on, of one service; None is everything."""

    since: datetime | None = None
    service: str | None = None

    @property
    def calls(self) -> list[ColumnElement[bool]]:
        """Conditions on calls."""
        return self._conditions(CALL.c.given_at, CALL.c.service)

    @property
    def feedback(self) -> list[ColumnElement[bool]]:
        """Conditions on feedback, by when it came."""
        return self._conditions(FEEDBACK.c.received_at, FEEDBACK.c.service)

    def _conditions(self, moment: Column[Any], service: Column[Any]) -> list[ColumnElement[bool]]:
        since = [] if self.since is None else [moment >= self.since]
        return since if self.service is None else [*since, service == self.service]


class Tally(msgspec.Struct):
    """Cards of one kind: how many, what became of them, and why they were overridden. The last word on a card counts."""

    cards: int = 0
    accepted: int = 0
    overridden: int = 0
    reasons: Counter[str] = msgspec.field(default_factory=Counter)

    def add(self, outcome: str | None, reason: str | None, count: int) -> None:
        """Count cards of one outcome; None is no word."""
        self.cards += count
        if outcome == "accepted":
            self.accepted += count
        elif outcome == "overridden":
            self.overridden += count
            self.reasons[reason or NO_REASON] += count


class Summary(msgspec.Struct, frozen=True):
    """`statuses` counts calls by service and HTTP status, `unknown_cards` feedback on cards that are not in the ledger."""

    statuses: dict[tuple[str, int], int]
    calls_without_card: int
    recommendations: dict[str, Tally]
    rules: dict[str, Tally]
    unknown_cards: int


def known_card() -> ColumnElement[bool]:
    """The condition that joins feedback to a card and its call: only the client that got a card can speak of it."""
    return and_(FEEDBACK.c.card == CARD.c.uuid, FEEDBACK.c.client == CALL.c.client)


def summarise(connection: Connection, extract: Extract) -> Summary:
    """Count."""
    statuses = select(CALL.c.service, CALL.c.status, func.count()).where(*extract.calls)
    grouped = statuses.group_by(CALL.c.service, CALL.c.status).order_by(CALL.c.service, CALL.c.status)
    silent = select(func.count()).where(*extract.calls, CALL.c.status == 200, CALL.c.cards == 0).select_from(CALL)
    recommendations: dict[str, Tally] = {}
    rules: dict[str, Tally] = {}
    for recommendation, fired, outcome, reason, count in _outcomes(connection, extract):
        for tally in (
            recommendations.setdefault(recommendation, Tally()),
            *(rules.setdefault(rule, Tally()) for rule in orjson.loads(fired)),
        ):
            tally.add(outcome, reason, count)
    return Summary(
        statuses={(service, status): count for service, status, count in connection.execute(grouped)},
        calls_without_card=connection.scalar(silent) or 0,
        recommendations=dict(sorted(recommendations.items(), key=lambda one: -one[1].cards)),
        rules=dict(sorted(rules.items())),
        unknown_cards=_unknown_cards(connection, extract),
    )


def _outcomes(connection: Connection, extract: Extract) -> Iterable[tuple[str, str, str | None, str | None, int]]:
    """Cards counted by recommendation, rules, last outcome and reason."""
    newest = func.row_number().over(
        partition_by=(FEEDBACK.c.card, FEEDBACK.c.client),
        order_by=(FEEDBACK.c.outcome_at.desc(), FEEDBACK.c.received_at.desc(), FEEDBACK.c.id),
    )
    ranked = select(
        FEEDBACK.c.card, FEEDBACK.c.client, FEEDBACK.c.outcome, FEEDBACK.c.reason_code, newest.label("age")
    ).subquery()
    last_word = and_(ranked.c.card == CARD.c.uuid, ranked.c.client == CALL.c.client, ranked.c.age == 1)
    kinds = (CARD.c.recommendation, CARD.c.rules, ranked.c.outcome, ranked.c.reason_code)
    source = CARD.join(CALL, CARD.c.call == CALL.c.id).outerjoin(ranked, last_word)
    rows = connection.execute(select(*kinds, func.count()).select_from(source).where(*extract.calls).group_by(*kinds))
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def _unknown_cards(connection: Connection, extract: Extract) -> int:
    known = select(CARD.c.uuid).join(CALL, CARD.c.call == CALL.c.id).where(known_card()).exists()
    return connection.scalar(select(func.count()).select_from(FEEDBACK).where(*extract.feedback, ~known)) or 0
