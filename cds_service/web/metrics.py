"""What operators watch: Prometheus counters whose labels are ours, never a client's words and never a patient's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from cds_service.hooks.prefetch import Delivery
from cds_service.hooks.service_call import Answer
from cds_service.ledger.call_writer import Lag
from cds_service.ledger.records import unread_counts

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where several workers keep their counts, so that whichever is asked answers for all."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Bucket bounds; CDS Hooks asks for answers within 0.5 s."""


class Metrics:
    """The counters of this process, in a registry of their own."""

    def __init__(self) -> None:
        """Start at zero."""
        self.registry = CollectorRegistry()
        self.calls = self._counter("fleck_calls", "Service calls", "service", "client", "status")
        self.seconds = Histogram(
            "fleck_call_seconds", "Time to answer a call", ["service"], buckets=SECONDS, registry=self.registry
        )
        self.cards = self._counter("fleck_cards", "Cards given", "service", "recommendation", "state")
        self.rules = self._counter("fleck_card_rules", "Rules that led to the cards given", "service", "rule")
        self.unread = self._counter(
            "fleck_unread", "Resources, or parts of them, that could not be used", "client", "type"
        )
        self.unknown_codes = self._counter("fleck_unknown_codes", "Codes near a finding that no table knows", "client")
        self.prefetch = self._counter(
            "fleck_prefetch", "Prefetch keys by what came of them", "client", "key", "outcome"
        )
        self.refused = self._counter("fleck_refused", "Requests of callers that were not admitted", "reason")
        self.feedback = self._counter("fleck_feedback", "Feedback kept", "service", "outcome")
        self.in_hand = self._gauge("fleck_calls_in_hand", "Calls being answered", "livesum")
        self.backlog = self._gauge("fleck_ledger_backlog", "Calls that wait to be written", "livesum")
        self.lag_seconds = self._gauge("fleck_ledger_lag_seconds", "How long the oldest of them has waited", "livemax")
        self.lost = self._gauge("fleck_ledger_lost", "Calls that could not be written since the start", "livesum")
        if SHARED_FOLDER not in os.environ:
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(name, documentation, labels, registry=self.registry)

    def _gauge(self, name: str, documentation: str, mode: Literal["livesum", "livemax"]) -> Gauge:
        return Gauge(name, documentation, multiprocess_mode=mode, registry=self.registry)

    def called(self, service: str, client: str, status: int, seconds: float) -> None:
        """Count a call and its time in seconds."""
        self.calls.labels(service, client, str(status)).inc()
        self.seconds.labels(service).observe(seconds)

    def answered(self, service: str, client: str, answer: Answer) -> None:
        """Count what a call was answered with, and what could not be used."""
        for card in answer.cards:
            decision = cast("Mapping[str, Any]", card["extension"]["org.fleck.decision"])
            self.cards.labels(service, decision["recommendation"], decision["state"]).inc()
            for rule in decision.get("rules", ()):
                self.rules.labels(service, rule).inc()
        for kind, number in unread_counts(answer.unread).items():
            self.unread.labels(client, kind).inc(number)
        if number := sum(code.count for code in answer.unknown_codes):
            self.unknown_codes.labels(client).inc(number)

    def delivered(self, client: str, delivery: Delivery) -> None:
        """Count what became of each prefetch key."""
        for fate in delivery.fates:
            self.prefetch.labels(client, fate.key, fate.outcome).inc()

    def ledger_stands(self, lag: Lag) -> None:
        """Show how far the ledger of this process is behind."""
        self.backlog.set(lag.waiting)
        self.lag_seconds.set(lag.seconds)
        self.lost.set(lag.dropped + lag.refused)

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format, of all workers where they share a folder."""
        registry = self.registry
        if SHARED_FOLDER in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry)
