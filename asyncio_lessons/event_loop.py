"""The event loop: a queue of what is ready, a heap of what is timed, and one turn after another.

Everything that runs, runs from here. A turn (`_run_once`) sleeps until there is something to do,
moves the timers that are due into the ready queue, and runs what was ready when the turn began:
what becomes ready meanwhile has its turn in the next one. Time is a method of the loop, so that a
loop with a `VirtualClock` runs a program of hours in a moment, and the same way each time.
"""

import heapq
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any
from weakref import WeakSet

from .futures import NOBODY, PENDING, Future, Handle, isfuture, running
from .tasks import Task, ensure_future, unfinished_tasks, where

FEW_TIMERS = 100  # up to this many, cancelled timers may stay in the heap until they are due
MANY_TASKS = 1000  # from here on, look now and then which tasks are gone
LONGEST_SLEEP = 24 * 3600  # seconds; more than some selectors can be asked for


class Deadlock(RuntimeError):
    """Nothing is ready, no timer is set, nobody outside is heard: all would wait for ever."""


class MonotonicClock:
    """The real time; `resolution` is the seconds between two readings that can differ."""

    resolution = time.get_clock_info("monotonic").resolution
    time = staticmethod(time.monotonic)

    def sleep(self, seconds: float | None, select: Callable) -> Any:
        """Wait up to `seconds` (None: for ever) for what ``select(seconds)`` reports."""
        return select(seconds)


class VirtualClock:
    """A time that stands still while anything runs, and jumps to the next timer when all wait.

    start: the first reading, in seconds.
    """

    resolution = MonotonicClock.resolution

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


class TimerHandle(Handle):
    """A callback that becomes ready at a time. Mirrors asyncio.events.TimerHandle."""

    __slots__ = ["_scheduled", "_when"]  # _scheduled: it stands in the heap

    def when(self) -> float:
        """Return the time it is due, in seconds of ``loop.time()``."""
        return self._when

    def cancel(self) -> None:
        """Make the loop pass over this timer."""
        if self._scheduled and not self._cancelled:
            self._loop._timer_cancelled_count += 1
        Handle.cancel(self)

    def __lt__(self, other: Any) -> bool:
        return False  # the heap compares (when, timer): of two at the same time neither is first


class Alarm(Future):
    """A future that stands in the heap of timers itself: being run gives it its result."""

    __slots__ = ["_cancelled", "_scheduled"]

    def _run(self) -> None:
        if self._state is PENDING:
            self.set_result(None)

    def _make_cancelled_error(self) -> BaseException:
        # The sleeper is told, and no sooner does asyncio cancel the timer: it matters for ties.
        if self._scheduled and not self._cancelled:
            self._cancelled = True
            self._loop._timer_cancelled_count += 1
        return Future._make_cancelled_error(self)

    __lt__ = TimerHandle.__lt__


# For Python to call __init__ costs more than all it does: these are made without, and then filled.
BareHandle, BareTimerHandle, BareFuture, BareTask = (
    type(each.__name__, (each,), {"__slots__": (), "__init__": object.__init__})
    for each in (Handle, TimerHandle, Future, Task)
)


class GuardedQueue(deque):
    """A ready queue that asks `check` before it takes anything: in debug mode, and when closed."""

    def __init__(self, items: Any, check: Callable) -> None:
        super().__init__(items)
        self._check = check

    def append(self, item: Any) -> None:
        """Take one thing that can `_run()`."""
        self._check()
        super().append(item)

    def extend(self, items: Any) -> None:
        """Take many."""
        self._check()
        super().extend(items)


class BaseEventLoop:
    """A loop that runs callbacks and tasks, and keeps time; `sockets.EventLoop` adds the rest.

    clock: `MonotonicClock()` unless given. Mirrors asyncio.base_events.BaseEventLoop.
    """

    slow_callback_duration = 0.1  # seconds; debug mode reports what takes longer
    _logger = logging.getLogger(__package__)

    def __init__(self, *, clock: Any = None) -> None:
        self._clock = clock or MonotonicClock()
        self._ready: deque = deque()  # things that can _run(), the next one first
        self._scheduled: list = []  # a heap of (when, thing that can _run())
        self._watches: dict = {}  # who listens to what outside; here, nobody
        self._tasks: list = []  # weak references, oldest first: the loop keeps no task alive
        self._many_tasks = MANY_TASKS
        self._asyncgens: WeakSet = WeakSet()
        self._current_task: Task | None = None
        self._timer_cancelled_count = 0
        self._stopping = self._closed = False
        self._thread_id = self._task_factory = self._exception_handler = None
        self.set_debug(sys.flags.dev_mode)

    def __repr__(self) -> str:
        state = f"running={self.is_running()} closed={self._closed} debug={self._debug}"
        return f"<{type(self).__name__} {state}>"

    # -- what is to run, and when ---------------------------------------------------------------

    def time(self) -> float:
        """Return the loop's time, in seconds. Everything that is timed asks here."""
        return self._clock.time()

    def call_soon(self, callback: Callable, *args: Any, context: Context | None = None) -> Handle:
        """Put ``callback(*args)`` at the end of the ready queue.

        Raises RuntimeError if the loop is closed.
        """
        if self._debug:
            check_callback(callback, "call_soon")
        handle = BareHandle()  # what Handle.__init__ does
        handle._callback = callback
        handle._args = args
        handle._loop = self
        handle._context = copy_context() if context is None else context
        handle._cancelled = False
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable, *args: Any, context: Context | None = None
    ) -> TimerHandle:
        """Make ``callback(*args)`` ready after `delay` seconds."""
        if delay is None:
            raise TypeError("delay must not be None")
        if args:
            return self.call_at(self.time() + delay, callback, *args, context=context)
        return self.call_at(self.time() + delay, callback, context=context)  # faster: no star

    def call_at(
        self, when: float, callback: Callable, *args: Any, context: Context | None = None
    ) -> TimerHandle:
        """Make ``callback(*args)`` ready at `when`, in seconds of `time`."""
        if when is None:
            raise TypeError("when cannot be None")
        if self._debug or self._closed:
            self._check_closed()
            self._check_thread()
            check_callback(callback, "call_at")
        timer = BareTimerHandle()
        timer._callback = callback
        timer._args = args
        timer._loop = self
        timer._context = copy_context() if context is None else context
        timer._cancelled = False
        timer._when = when
        timer._scheduled = True
        heapq.heappush(self._scheduled, (when, timer))
        return timer

    def _set_alarm(self, delay: float) -> Alarm:
        """Return a future that is done after `delay` seconds."""
        alarm = Alarm(self)
        alarm._cancelled = False
        alarm._scheduled = True
        heapq.heappush(self._scheduled, (self.time() + delay, alarm))
        return alarm

    def create_future(self) -> Future:
        """Return a Future of this loop."""
        future = BareFuture()  # what Future.__init__ does
        future._loop = self
        future._state = PENDING
        future._callbacks = NOBODY
        future._exception = future._cancel_message = None
        future._asyncio_future_blocking = False
        return future

    def create_task(
        self, coro: Coroutine, *, name: Any = None, context: Any = None, eager_start: bool = False
    ) -> Task:
        """Put a task that runs `coro` into the ready queue: its body has not begun yet.

        The options are those of `Task`; a task factory gets what is not left out.
        """
        if self._closed:
            self._check_closed()
        if self._task_factory is None:
            task = BareTask()
            Task.__init__(task, coro, self, name, context, eager_start)
            return task
        options = {} if context is None else {"context": context}
        if eager_start:
            options["eager_start"] = eager_start
        task = self._task_factory(self, coro, **options)
        if name is not None:
            task.set_name(name)
        return task

    def _forget_tasks(self) -> None:
        # Seldom: the list has grown fourfold since the last time.
        self._tasks = [reference for reference in self._tasks if reference() is not None]
        self._many_tasks = MANY_TASKS + 4 * len(self._tasks)

    def set_task_factory(self, factory: Callable | None) -> None:
        """Have `create_task` call ``factory(loop, coro, **options)``; None for the usual Task."""
        if factory is not None and not callable(factory):
            raise TypeError("task factory must be a callable or None")
        self._task_factory = factory

    def get_task_factory(self) -> Callable | None:
        """Return the task factory, None for the usual one."""
        return self._task_factory

    # -- one turn of the wheel ------------------------------------------------------------------

    def _run_once(self) -> None:
        scheduled = self._scheduled
        if self._timer_cancelled_count:
            self._drop_cancelled_timers()
        if not (self._ready or self._stopping):
            # Sleep until the next timer; without one, until something from outside wakes us.
            until = min(max(0, scheduled[0][0] - self.time()), LONGEST_SLEEP) if scheduled else None
            self._select(until)
        elif self._watches:
            self._select(0)
        if scheduled:
            self._ring_timers()
        # The only place where anything is run. What is added meanwhile waits for the next turn.
        if self._debug:
            for _ in range(len(self._ready)):
                self._run_timed(self._ready.popleft())
        else:
            for _ in range(len(self._ready)):
                self._ready.popleft()._run()

    def _select(self, timeout: float | None) -> None:
        """Sleep for `timeout` seconds; None means that nothing will ever happen here."""
        if timeout is None:
            self._report_deadlock()
        self._clock.sleep(timeout, time.sleep)

    def _ring_timers(self) -> None:
        scheduled = self._scheduled
        end_time = self.time() + self._clock.resolution
        while scheduled and scheduled[0][0] < end_time:
            timer = heapq.heappop(scheduled)[1]
            timer._scheduled = False
            self._ready.append(timer)

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

    def _run_timed(self, thing: Any) -> None:
        start = self.time()
        thing._run()
        duration = self.time() - start
        if duration >= self.slow_callback_duration:
            self._logger.warning("Executing %r took %.3f seconds", thing, duration)

    def _report_deadlock(self) -> None:
        tasks = unfinished_tasks(self)
        lines = [f"  {task.get_name()} waits {where(task.get_coro())}" for task in tasks]
        raise Deadlock("\n".join(["nothing is left that could wake these tasks:", *lines]))

    # -- running it -----------------------------------------------------------------------------

    def run_forever(self) -> None:
        """Turn until `stop` is called. Raises RuntimeError if a loop runs in this thread."""
        self._check_closed()
        if self._thread_id is not None:
            raise RuntimeError("This event loop is already running")
        if running.loop is not None:
            raise RuntimeError("Cannot run the event loop while another loop is running")
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(self._asyncgens.add, self._close_asyncgen)
        self._thread_id, running.loop = threading.get_ident(), self
        try:
            while True:
                self._run_once()
                if self._stopping:
                    break
        finally:
            self._thread_id = running.loop = None
            self._stopping = False
            sys.set_asyncgen_hooks(*hooks)

    def run_until_complete(self, future: Any) -> Any:
        """Turn until a future, or a task made of a coroutine, is done; return its result.

        Raises what it raises, and RuntimeError if the loop is stopped before.
        """
        self._check_closed()
        new_task = not isfuture(future)
        future = ensure_future(future, loop=self)
        if new_task:
            future._log_destroy_pending = False  # the error that ends us says enough
        future.add_done_callback(stop_its_loop)
        try:
            self.run_forever()
        except BaseException:
            if new_task and future.done() and not future.cancelled():
                future.exception()  # it is on its way to the caller: do not report it again
            raise
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
        self._scheduled.clear()
        self._ready = GuardedQueue((), self._check_closed)

    def is_running(self) -> bool:
        """Say whether the loop runs."""
        return self._thread_id is not None

    def is_closed(self) -> bool:
        """Say whether the loop was closed."""
        return self._closed

    def _check_closed(self) -> None:
        if self._closed:
            raise RuntimeError("Event loop is closed")

    def _close_asyncgen(self, agen: Any) -> None:
        # One that nobody holds any more may have a `finally` that awaits.
        if not self._closed:
            self.call_soon(self.create_task, agen.aclose())

    async def shutdown_asyncgens(self) -> None:
        """Close the asynchronous generators that are still open."""
        for agen in list(self._asyncgens):
            try:
                await agen.aclose()
            except Exception as error:
                message = f"an error occurred during closing of asynchronous generator {agen!r}"
                details = {"message": message, "exception": error, "asyncgen": agen}
                self.call_exception_handler(details)

    # -- when something goes wrong --------------------------------------------------------------

    def get_exception_handler(self) -> Callable | None:
        """Return the exception handler, None for the default one."""
        return self._exception_handler

    def set_exception_handler(self, handler: Callable | None) -> None:
        """Have ``handler(loop, context)`` told of errors nobody awaits; None for the default."""
        if handler is not None and not callable(handler):
            raise TypeError(f"A callable object or None is expected, got {handler!r}")
        self._exception_handler = handler

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Log the message, the exception, and whatever else `context` tells."""
        rest = sorted({*context} - {"message", "exception"})
        lines = [context.get("message", "Unhandled exception in event loop")]
        lines += [f"{key}: {context[key]!r}" for key in rest]
        self._logger.error("\n".join(lines), exc_info=context.get("exception"))

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Tell the exception handler; one that fails is reported by the default one."""
        try:
            if self._exception_handler is not None:
                return self._exception_handler(self, context)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            message = "Unhandled error in exception handler"
            context = {"message": message, "exception": error, "context": context}
        self.default_exception_handler(context)

    def get_debug(self) -> bool:
        """Say whether debug mode is on."""
        return self._debug

    def set_debug(self, enabled: bool) -> None:
        """Report slow callbacks, and refuse calls from other threads, from now on."""
        self._debug = enabled
        if not self._closed:
            guarded = GuardedQueue(self._ready, self._check_thread)
            self._ready = guarded if enabled else deque(self._ready)

    def _check_thread(self) -> None:
        if self._thread_id not in (None, threading.get_ident()):
            raise RuntimeError(
                "Non-thread-safe operation invoked on an event loop other than the current one"
            )


def check_callback(callback: Any, method: str) -> None:
    """Raise TypeError for what cannot be called back: a coroutine, above all."""
    import inspect  # debug mode may take its time

    if inspect.iscoroutine(callback) or inspect.iscoroutinefunction(callback):
        raise TypeError(f"coroutines cannot be used with {method}()")
    if not callable(callback):
        raise TypeError(f"a callable object was expected by {method}(), got {callback!r}")


def stop_its_loop(future: Any) -> None:
    """End `run_until_complete`, unless the error goes through the loop by itself."""
    fatal = (SystemExit, KeyboardInterrupt)
    if future.cancelled() or not isinstance(future.exception(), fatal):
        future.get_loop().stop()
