"""Several processes, one store: real ones, one of them killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.cds_service.ledger.conftest import KEY, rows

ROOT = Path(__file__).parents[3]

MIGRATE = """
from cds_service.ledger.ledger import migrate_ledger
from cds_service.settings import Settings
print(*migrate_ledger(Settings()))
"""

WRITE = """
import asyncio, sys
from cds_service.ledger.ledger import open_ledger
from cds_service.settings import Settings
from tests.cds_service.ledger.events import a_call, a_card, feedback_on
ledger = open_ledger(Settings())
name = sys.argv[1]
async def work():
    for number in range(40):
        for _ in range(10):
            ledger.record(a_call(a_card(), client=name))
        await ledger.keep_feedback([feedback_on(f"{name}-{number}")], seconds=60)
        await ledger.first_use(f"token-{number}".encode(), 2_000_000_000, 60) and print("first")
asyncio.run(work())
sys.exit(ledger.close(60))
"""

ACKNOWLEDGE_AND_HANG = """
import asyncio, time
from cds_service.ledger.ledger import open_ledger
from cds_service.settings import Settings
from tests.cds_service.ledger.events import feedback_on
asyncio.run(open_ledger(Settings()).keep_feedback([feedback_on("acknowledged")], seconds=60))
print("kept", flush=True)
time.sleep(600)
"""


def start(program: str, url: str, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"FLECK_DATABASE_URL": url, "FLECK_LEDGER_KEY": KEY}
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )


def test_processes_that_migrate_at_once_agree(empty_url: str) -> None:
    processes = [start(MIGRATE, empty_url) for _ in range(4)]
    said = [process.communicate(timeout=120)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert sorted(said) == ["0001 0001"] * 3 + ["None 0001"]


def test_processes_write_side_by_side(url: str) -> None:
    processes = [start(WRITE, url, f"client-{number}") for number in range(3)]
    said = [process.communicate(timeout=240)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 3
    assert "".join(said).count("first") == 40
    per_client = rows(url, "SELECT client, count(*) FROM call JOIN card ON card.call = call.id GROUP BY client")
    assert sorted(per_client) == [(f"client-{number}", 400) for number in range(3)]
    assert rows(url, "SELECT count(*) FROM feedback") == [(120,)]


def test_feedback_outlives_a_process_that_is_killed_right_after(url: str) -> None:
    process = start(ACKNOWLEDGE_AND_HANG, url)
    assert process.stdout
    assert process.stdout.readline() == "kept\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert rows(url, "SELECT card FROM feedback") == [("acknowledged",)]
