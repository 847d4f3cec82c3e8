"""Clocks: the real time, and a virtual time that jumps to the next timer when all wait."""

import time
from collections.abc import Callable
from typing import Any


class MonotonicClock:
    """The real time."""

    time = staticmethod(time.monotonic)

    def sleep(self, seconds: float | None, select: Callable) -> Any:
        """Wait up to `seconds` (None: for ever) for what ``select(seconds)`` reports."""
        return select(seconds)


class VirtualClock:
    """A time that stands still while anything runs, and jumps to the next timer when all wait.

    start: the first reading, in seconds.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def time(self) -> float:
        """Return the virtual time, in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass while nothing else can run, as ``time.sleep`` does in real time."""
        self._now += seconds

    def sleep(self, seconds: float | None, select: Callable) -> Any:
        """Jump over `seconds` if ``select(0)`` reports nothing; None waits for it in real time."""
        events = select(seconds and 0)
        self._now += 0 if events or seconds is None else seconds
        return events


class ClockedLoop:
    """A loop whose time is that of its clock: `MonotonicClock()` unless given."""

    def __init__(self, *args: Any, clock: Any = None) -> None:
        self._clock = clock or MonotonicClock()
        super().__init__(*args)

    def time(self) -> float:
        """Return the time of the clock, in seconds."""
        return self._clock.time()

    def _select(self, timeout: float | None) -> list:
        return self._clock.sleep(timeout, super()._select)
