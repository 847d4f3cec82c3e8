"""A film of naps that spin: what `round_robin` does while every coroutine waits (lesson 04)."""

import asyncio_lessons as aio

from .film import Film

QUESTION = 0.01  # seconds that one look at the clock takes on the film


def spinning_naps(**seconds: float) -> Film:
    """Run naps of so many seconds each by `round_robin`, and note who asked the clock when."""
    clock, spans = aio.VirtualClock(), []

    async def nap(name: str, length: float) -> None:
        end = clock.time() + length
        while (asked := clock.time()) < end:
            clock.advance(QUESTION)
            await aio.suspend()
            spans.append((name, "running", asked, asked + QUESTION, ""))
            spans.append((name, "ready", asked + QUESTION, clock.time(), ""))

    aio.round_robin(*(nap(f"nap {name}", length) for name, length in seconds.items()))
    return Film.by_hand(spans)
