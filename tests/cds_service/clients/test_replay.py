"""A token is good once, also when the shared store is down or many calls come at once."""

from __future__ import annotations

import asyncio
import time

from cds_service.clients.replay import ProcessMemory, StoreAndMemory, token_digest

LATER = int(time.time()) + 600


class Store:
    """A store that is shared by two processes, and can go down or hang."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self.fault: BaseException | None = None
        self.hangs = False

    async def first_use(self, digest: bytes, expires: int) -> bool:
        if self.hangs:
            await asyncio.Event().wait()
        if self.fault:
            raise self.fault
        new = digest not in self.seen
        self.seen.add(digest)
        return new


def first(guard: ProcessMemory | StoreAndMemory, digest: bytes, expires: int = LATER) -> bool:
    return asyncio.run(guard.first_use(digest, expires))


def test_a_token_seen_by_another_process_is_refused() -> None:
    store = Store()
    one, other = (StoreAndMemory(store, ProcessMemory()) for _ in range(2))
    assert [first(one, b"a"), first(other, b"a"), first(other, b"b")] == [True, False, True]


def test_what_this_process_saw_is_refused_though_the_store_is_down_or_hangs() -> None:
    store = Store()
    guard = StoreAndMemory(store, ProcessMemory())
    assert first(guard, b"a")
    store.fault = ConnectionError("no database")
    assert [first(guard, b"a"), first(guard, b"b"), first(guard, b"b")] == [False, True, False]
    store.hangs = True
    assert [first(guard, b"c"), first(guard, b"c")] == [True, False]


def test_of_many_uses_at_once_one_is_the_first() -> None:
    async def race() -> list[bool]:
        guard = StoreAndMemory(Store(), ProcessMemory())
        return await asyncio.gather(*(guard.first_use(b"a", LATER) for _ in range(50)))

    assert sum(asyncio.run(race())) == 1


def test_memory_forgets_what_has_expired() -> None:
    moment = [100.0]
    memory = ProcessMemory(clock=lambda: moment[0])
    assert first(memory, b"a", 200)
    moment[0] = 200.0
    assert not first(memory, b"a", 200), "a token is still accepted in its last second"
    moment[0] = 201.0
    assert first(memory, b"a", 300)


def test_memory_is_bounded_and_forgets_first_what_expires_first() -> None:
    memory = ProcessMemory(size=10)
    for number in range(11):
        assert first(memory, bytes([number]), LATER + number)
    assert first(memory, b"new", LATER + 100)
    assert not first(memory, bytes([5]), LATER + 5)
    assert first(memory, bytes([0]), LATER), "the first to expire had to go"


def test_the_digest_tells_issuer_and_id_apart() -> None:
    assert token_digest("ab", "c") != token_digest("a", "bc")
    assert len(token_digest("https://ehr.example.org", "x" * 5000)) == 32
