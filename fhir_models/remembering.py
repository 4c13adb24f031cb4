"""What is remembered of codes and names between requests: a bounded number of answers, to questions of bounded length."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

import msgspec

P = ParamSpec("P")
T = TypeVar("T")

LONGEST_QUESTION = 1000
"""Bytes. A concept in five code systems has fewer; without a bound, a sender of long codes could fill the memory."""

_ENCODER = msgspec.msgpack.Encoder()


def remembered(most: int, sent: int = 1) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keep the last `most` answers of a pure function, of those whose first `sent` arguments, the sender's, are short."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        kept = lru_cache(most)(function)

        @wraps(function)
        def answer(*arguments: P.args, **named: P.kwargs) -> T:
            short = len(_ENCODER.encode(arguments[:sent])) <= LONGEST_QUESTION
            return (kept if short else function)(*arguments, **named)

        return answer

    return decorate
