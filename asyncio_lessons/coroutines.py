"""Coroutines without a loop: one that gives way, one that is driven, many that take turns.

A coroutine is a generator that is awaited instead of iterated. `suspend` is the one place where
it stops; `drive` runs a single one to its end; `round_robin` is the first, naive, event loop.
"""

import types
from collections import deque
from collections.abc import Coroutine, Generator
from typing import Any


@types.coroutine
def suspend() -> Generator[None, None, None]:
    """Give way once: ``await suspend()`` stops the whole chain of awaits, up to its driver.

    Mirrors asyncio.tasks.__sleep0.
    """
    yield


def drive(coro: Coroutine) -> Any:
    """Run one coroutine to its end and return its result; raises what it raises.

    Only `suspend` may be awaited in it: nothing here could wake it from anything else.
    """
    try:
        while True:
            _check(coro.send(None))
    except StopIteration as stop:
        return stop.value


def round_robin(*coros: Coroutine) -> list[Any]:
    """Run coroutines in turn, one step each, until all have ended; return their results in order.

    Raises what the first one to fail raises. It never sleeps: while all wait, it asks for ever.
    """
    results: dict[int, Any] = {}
    ready = deque(enumerate(coros))
    while ready:
        place, coro = ready.popleft()
        try:
            _check(coro.send(None))
        except StopIteration as stop:
            results[place] = stop.value
        else:
            ready.append((place, coro))
    return [results[place] for place in sorted(results)]


def _check(yielded: Any) -> None:
    if yielded is not None:
        raise RuntimeError(f"only suspend() can be awaited here, and this awaits {yielded!r}")
