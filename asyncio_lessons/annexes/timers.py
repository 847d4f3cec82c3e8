"""Timers: compared as asyncio's are, and cancelled ones do not fill the heap."""

import functools
import heapq
from collections.abc import Callable
from typing import Any

from .. import event_loop

FEW_TIMERS = 100  # up to this many, cancelled timers may stay in the heap until they are due
LONGEST_SLEEP = 24 * 3600  # seconds; more than some selectors can be asked for


@functools.total_ordering
class TimerHandle(event_loop.TimerHandle):
    """A timer in the order of its time, that tells its loop when it is cancelled.

    Mirrors asyncio.events.TimerHandle.
    """

    _scheduled = False  # whether it is in the heap

    def cancel(self) -> None:
        """Make the loop skip this timer."""
        self._loop._count_cancelled(self)
        super().cancel()

    def __hash__(self) -> int:
        return hash(self._when)

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, TimerHandle):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in SAME)


SAME = ("_when", "_callback", "_args", "_cancelled")


class TimerLoop:
    """A loop that knows how many of its timers are cancelled."""

    _timer_cancelled_count = 0

    def call_at(
        self, when: float, callback: Callable, *args: Any, context: Any = None
    ) -> TimerHandle:
        """Make ``callback(*args)`` ready at `when`, in seconds of `time`."""
        timer = TimerHandle(when, callback, args, self, context)
        timer._scheduled = True
        heapq.heappush(self._scheduled, (when, timer))
        return timer

    def _count_cancelled(self, timer: Any) -> None:
        if timer._scheduled and not timer._cancelled:
            self._timer_cancelled_count += 1

    def _drop_cancelled_timers(self) -> None:
        scheduled = self._scheduled
        if len(scheduled) > FEW_TIMERS and self._timer_cancelled_count * 2 > len(scheduled):
            for _, timer in scheduled:
                timer._scheduled = not timer._cancelled
            scheduled[:] = [entry for entry in scheduled if entry[1]._scheduled]
            heapq.heapify(scheduled)
            self._timer_cancelled_count = 0
        while scheduled and scheduled[0][1]._cancelled:
            heapq.heappop(scheduled)[1]._scheduled = False
            self._timer_cancelled_count -= 1

    def _ring_timers(self) -> None:
        end_time = self.time() + self._clock_resolution
        while self._scheduled and self._scheduled[0][0] < end_time:
            timer = heapq.heappop(self._scheduled)[1]
            timer._scheduled = False
            self._ready.append(timer)

    def _select(self, timeout: float | None) -> list:
        return super()._select(timeout and min(timeout, LONGEST_SLEEP))
