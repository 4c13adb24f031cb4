"""Thousands of damaged requests to every service: below 500, JSON, nothing repeated, no silence, no memory kept.

1,500 seeds by default, as many as `FLECK_MUTATIONS` says otherwise.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from fhir_models.strict_json import parse_json
from tests.cds_service.conftest import PATIENT_VIEW
from tests.protocol.faults import answer_faults, outcome_faults
from tests.protocol.mutations import bodies, mutated
from tests.protocol.requests import HOOKS, SECRETS, request_for
from tests.running_server import running_server

SEEDS = int(os.environ.get("FLECK_MUTATIONS", "1500"))
SOCKET_SEEDS = max(200, SEEDS // 5)
MEGABYTE = 1 << 20
JSON = {"content-type": "application/json"}
REQUESTS = [(path, request_for(hook)) for hook, path in HOOKS.items()]


def faults(path: str, answer: httpx.Response) -> Iterable[str]:
    """Yield what is wrong with the answer to a damaged request whose chart calls for a biopsy."""
    document = parse_json(answer.content)
    if answer.status_code == 200:
        yield from answer_faults(document)
        if path == PATIENT_VIEW and document == {"cards": []}:
            yield "silence"
    elif 400 <= answer.status_code < 500:
        yield from outcome_faults(document)
        yield from (f"repeats {secret}" for secret in SECRETS if secret in answer.text)
    else:
        yield f"status {answer.status_code}"


def test_a_seed_always_gives_the_same_request() -> None:
    (_, request), *_ = REQUESTS
    assert [mutated(seed, request) for seed in range(30)] == [mutated(seed, request) for seed in range(30)]


async def answers(app: FastAPI) -> AsyncIterator[tuple[int, str, httpx.Response]]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=JSON) as client:
        for seed, path, body in bodies(range(SEEDS), REQUESTS):
            yield seed, path, await client.post(path, content=body)


def test_a_damaged_request_is_answered_or_refused(app: FastAPI) -> None:
    async def play() -> tuple[dict[int, list[str]], Counter[int]]:
        wrong: dict[int, list[str]] = {}
        statuses: Counter[int] = Counter()
        async for seed, path, answer in answers(app):
            statuses[answer.status_code] += 1
            if found := list(faults(path, answer)):
                wrong[seed] = found
        return wrong, statuses

    wrong, statuses = asyncio.run(play())
    assert wrong == {}
    assert statuses[200] > SEEDS // 2, "most of the damage reaches the readers"
    assert statuses[400] > SEEDS // 10


def resident(pid: int) -> int:
    """Return the bytes of a process that are in memory."""
    status = Path(f"/proc/{pid}/status")
    if not status.is_file():
        pytest.skip("this system does not show the memory of a process under /proc")
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text())
    assert found
    return int(found[1]) * 1024


def test_a_server_takes_damaged_requests_and_keeps_nothing_of_them(tmp_path: Path) -> None:
    with (
        running_server(tmp_path) as server,
        httpx.Client(base_url=server.url, headers=JSON, timeout=60) as client,
    ):
        before = 0
        for seed, path, body in bodies(range(SOCKET_SEEDS), REQUESTS):
            assert list(faults(path, client.post(path, content=body))) == [], seed
            if seed == SOCKET_SEEDS // 2:
                before = resident(server.pid)
        assert resident(server.pid) - before < 16 * MEGABYTE
        lines = server.log
    assert not [secret for secret in SECRETS if secret in lines]
    assert '"level":"ERROR"' not in lines


def test_a_server_keeps_nothing_of_long_codes(tmp_path: Path) -> None:
    """What codes mean is remembered, and no sender may fill the memory with codes of its own."""
    request = request_for("patient-view")
    (entry, *_) = request["prefetch"]["observations"]["entry"]
    with (
        running_server(tmp_path) as server,
        httpx.Client(base_url=server.url, headers=JSON, timeout=60) as client,
    ):
        before = 0
        for number in range(40):
            coding = {"system": f"urn:x:{number}", "code": "c" * (MEGABYTE // 2), "display": "d" * (MEGABYTE // 2)}
            entry["resource"]["code"]["coding"].append(coding)
            entry["resource"]["bodySite"] = {"coding": [coding]}
            assert client.post(PATIENT_VIEW, content=json.dumps(request)).status_code == 200
            entry["resource"]["code"]["coding"].pop()
            if number == 9:
                before = resident(server.pid)
        assert resident(server.pid) - before < 20 * MEGABYTE
