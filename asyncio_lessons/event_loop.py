"""The event loop: a queue of what is ready, a heap of what is timed, and one turn after another.

Everything that runs, runs from here. A turn (`_run_once`) sleeps until there is something to do,
moves the timers that are due into the ready queue, and runs what was ready when the turn began:
what becomes ready meanwhile runs in the next turn. Time is a method of the loop, so that a subclass
can replace it.
"""

import heapq
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any
from weakref import WeakSet

from .futures import Future, Handle, running
from .tasks import Task, ensure_future


class TimerHandle(Handle):
    """A callback that becomes ready at a time, in seconds of ``loop.time()``.

    Mirrors asyncio.events.TimerHandle.
    """

    __slots__ = ("_when",)

    def __init__(
        self, when: float, callback: Callable, args: tuple, loop: Any, context: Any = None
    ) -> None:
        super().__init__(callback, args, loop, context)
        self._when = when

    def when(self) -> float:
        """Return the time it is due, in seconds of ``loop.time()``."""
        return self._when

    def __lt__(self, other: Any) -> bool:
        return self._when < other._when


class BaseEventLoop:
    """A loop that runs callbacks and tasks, and keeps time; `sockets.EventLoop` adds the rest.

    Mirrors asyncio.base_events.BaseEventLoop.
    """

    _clock_resolution = time.get_clock_info("monotonic").resolution  # seconds

    def __init__(self) -> None:
        self._ready: deque = deque()  # what has a _run(), the next one first
        self._scheduled: list = []  # a heap of timers, the soonest first
        self._tasks: Any = WeakSet()  # every task
        self._current_task: Task | None = None
        self._thread_id: int | None = None  # the thread this loop runs in
        self._exception_handler: Callable | None = None
        self._stopping = self._closed = False

    # -- what is to run, and when ---------------------------------------------------------------

    def time(self) -> float:
        """Return the loop's time, in seconds. Everything that is timed asks here."""
        return time.monotonic()

    def call_soon(self, callback: Callable, *args: Any, context: Any = None) -> Handle:
        """Put ``callback(*args)`` at the end of the ready queue."""
        handle = Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable, *args: Any, context: Any = None
    ) -> TimerHandle:
        """Make ``callback(*args)`` ready after `delay` seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable, *args: Any, context: Any = None
    ) -> TimerHandle:
        """Make ``callback(*args)`` ready at `when`, in seconds of `time`."""
        timer = TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        return timer

    def create_future(self) -> Future:
        """Return a Future of this loop."""
        return Future(loop=self)

    def create_task(self, coro: Coroutine, **options: Any) -> Task:
        """Return a Task that runs `coro`: its body has not begun yet. Options: see `Task`."""
        return Task(coro, loop=self, **options)

    # -- one turn -------------------------------------------------------------------------------

    def _run_once(self) -> None:
        self._drop_cancelled_timers()
        timeout = None  # for ever, unless
        if self._ready or self._stopping:
            timeout = 0
        elif self._scheduled:
            timeout = max(0, self._scheduled[0].when() - self.time())
        self._ready.extend(self._select(timeout))
        self._ring_timers()
        # The only place where anything is run. What is added meanwhile waits for the next turn.
        for _ in range(len(self._ready)):
            self._ready.popleft()._run()

    def _drop_cancelled_timers(self) -> None:
        while self._scheduled and self._scheduled[0]._cancelled:
            heapq.heappop(self._scheduled)

    def _select(self, timeout: float | None) -> list:
        """Sleep up to `timeout` seconds (None: for ever); return what became ready meanwhile."""
        threading.Event().wait(timeout)
        return []  # nothing outside wakes this loop

    def _ring_timers(self) -> None:
        end_time = self.time() + self._clock_resolution  # a clock has ticks: one more is due
        while self._scheduled and self._scheduled[0].when() < end_time:
            self._ready.append(heapq.heappop(self._scheduled))

    # -- running it -----------------------------------------------------------------------------

    def run_forever(self) -> None:
        """Turn until `stop` is called. Raises RuntimeError if a loop runs in this thread."""
        self._check_closed()
        self._check_running()
        self._thread_id, running.loop = threading.get_ident(), self
        try:
            while True:
                self._run_once()
                if self._stopping:
                    break
        finally:
            self._thread_id = running.loop = None
            self._stopping = False

    def run_until_complete(self, future: Any) -> Any:
        """Turn until a future, or a task made of a coroutine, is done; return its result.

        Raises what it raises, and RuntimeError if the loop is stopped before or cannot run.
        """
        future = ensure_future(future, loop=self)
        future.add_done_callback(stop_its_loop)
        try:
            self.run_forever()
        finally:
            future.remove_done_callback(stop_its_loop)
        if not future.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return future.result()

    def stop(self) -> None:
        """Make the loop return at the end of this turn."""
        self._stopping = True

    def close(self) -> None:
        """Drop everything; the loop cannot be used again. Raises RuntimeError while it runs."""
        if self.is_running():
            raise RuntimeError("Cannot close a running event loop")
        self._closed = True
        self._ready.clear()
        self._scheduled.clear()

    def is_running(self) -> bool:
        """Return whether the loop runs."""
        return self._thread_id is not None

    def is_closed(self) -> bool:
        """Return whether the loop was closed."""
        return self._closed

    def _check_closed(self) -> None:
        if self._closed:
            raise RuntimeError("Event loop is closed")

    def _check_running(self) -> None:
        if self.is_running():
            raise RuntimeError("This event loop is already running")
        if running.loop is not None:
            raise RuntimeError("Cannot run the event loop while another loop is running")

    # -- when a callback fails ------------------------------------------------------------------

    def set_exception_handler(self, handler: Callable | None) -> None:
        """Have ``handler(loop, context)`` called for errors no task awaits; None: the default."""
        self._exception_handler = handler

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Log the message and the exception."""
        logger = logging.getLogger(__package__)
        logger.error(context["message"], exc_info=context.get("exception"))

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Call the exception handler with what `context` says of an error."""
        if self._exception_handler is None:
            self.default_exception_handler(context)
        else:
            self._exception_handler(self, context)


def stop_its_loop(future: Any) -> None:
    """Make the loop of `future` return: how `run_until_complete` ends."""
    fatal = (SystemExit, KeyboardInterrupt)  # Ctrl-C has ended that run by itself
    if future.cancelled() or not isinstance(future.exception(), fatal):
        future.get_loop().stop()
