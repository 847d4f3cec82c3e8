"""Futures, tasks and handles, faster: made without ``__init__``, woken up without a handle."""

import heapq
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from types import CoroutineType
from typing import Any

from ... import futures
from ...coroutines import suspend
from ...futures import FINISHED, PENDING, get_running_loop, running
from ...tasks import numbers
from .. import guards, whole

NOTHING: Any = ()  # the callbacks of a future that has none yet
NEVER_EQUAL = float("nan")  # between a time and its timer: of two at the same time neither is first


class Future(whole.Future):
    __doc__ = whole.Future.__doc__

    def __init__(self, *, loop: Any = None) -> None:
        super().__init__(loop=loop)
        self._callbacks = NOTHING

    def add_done_callback(self, fn: Callable, *, context: Any = None) -> None:
        """Have the loop call ``fn(future)`` when the future is done: soon, if it is already."""
        if self._state is PENDING:
            handle = BareHandle()
            handle._callback = fn
            handle._args = (self,)
            handle._loop = self._loop
            handle._context = copy_context() if context is None else context
            handle._cancelled = False
            self._keep(handle)
        else:
            self._loop.call_soon(fn, self, context=context)

    def _keep(self, thing: Any) -> None:
        if self._callbacks:
            self._callbacks.append(thing)
        else:
            self._callbacks = [thing]

    def _schedule_callbacks(self) -> None:
        if self._callbacks:
            self._loop._ready.extend(self._callbacks)
            self._callbacks = NOTHING

    def __await__(self) -> Generator["Future", None, Any]:
        if self._state is PENDING:
            self._asyncio_future_blocking = True
            yield self
        if self._state is FINISHED and self._exception is None:
            return self._result
        return self._result_or_error()

    __iter__ = __await__

    # Apart from __await__: what waits keeps a frame of the size that its code needs.
    def _result_or_error(self) -> Any:
        if self._state is PENDING:
            raise RuntimeError("await wasn't used with future")
        return self.result()


class Task(whole.Task, Future):
    __doc__ = whole.Task.__doc__

    __slots__ = "_known", "_send"  # in the loop's list of tasks; the coroutine's `send`

    def __init__(self, coro: Any, *, loop: Any = None, eager_start: bool = False, **named: Any):
        if eager_start:
            self._eager_start = True
        place = loop or get_running_loop()
        self._begin(coro, place, named.get("name"), named.get("context"), eager_start)

    def _begin(self, coro: Any, loop: Any, name: Any, context: Any, eager_start: bool) -> None:
        if type(coro) is not CoroutineType and not isinstance(coro, Coroutine):
            raise TypeError(f"a coroutine was expected, got {coro!r}")
        self._loop = loop
        self._state = PENDING
        self._callbacks = NOTHING
        self._coro = coro
        self._send = type(coro).send  # not bound: to bind a method costs, at each step
        self._name = next(numbers) if name is None else str(name)
        self._context = copy_context() if context is None else context
        self._exception = self._cancel_message = self._fut_waiter = None
        self._asyncio_future_blocking = self._must_cancel = self._known = False
        self._num_cancels_requested = 0
        if eager_start:
            self._schedule_first_step()
        else:
            loop._ready.append(self)

    def _run(self, error: BaseException | None = None) -> None:
        loop = self._loop
        loop._current_task = self
        try:
            if error is None and not self._must_cancel:
                self._fut_waiter = None
                awaited = self._context.run(self._send, self._coro, None)
            else:
                awaited = self._throw(error)
        except StopIteration as stop:
            self._finish(stop.value)
        except BaseException as caught:
            self._fail(caught)
            self = None  # the traceback holds this frame, and must not hold the task
        else:
            if awaited is None:
                loop._ready.append(self)
            else:
                self._wait_for(awaited)
        loop._current_task = None

    def _throw(self, error: BaseException | None) -> Any:
        if self._must_cancel:
            error = self._take_cancel_request()
        self._fut_waiter = None
        return self._context.run(self._coro.throw, error)

    def _finish(self, result: Any) -> None:
        if self._must_cancel:
            return super()._finish(result)
        self._result = result
        self._state = FINISHED
        if self._callbacks:
            self._loop._ready.extend(self._callbacks)
            self._callbacks = NOTHING

    def _schedule_callbacks(self) -> None:
        # Without a result: with one, `_finish` has its own short way.
        for place, each in enumerate(self._callbacks):
            if hasattr(each, "look"):  # a counter of `gather`
                self._callbacks[place] = futures.Handle(each.look, (self,), self._loop)
        super()._schedule_callbacks()

    def get_name(self) -> str:
        """Return the name of the task."""
        return self._name if type(self._name) is str else f"Task-{self._name}"

    def _schedule_first_step(self) -> None:
        if self._loop._current_task is not None:
            self._loop._current_task._be_known()
        super()._schedule_first_step()

    def _be_known(self) -> None:
        # One that is ready need not be: all_tasks() finds it in the ready queue.
        if not self._known:
            self._known = True
            self._loop._tasks.add(self)

    def _wait_for(self, awaited: Any) -> None:
        if not self._known:
            self._be_known()
        kind = type(awaited)
        if (
            (kind is BareFuture or kind is BareTask or kind is BareAlarm)
            and awaited._asyncio_future_blocking
            and awaited._state is PENDING
            and awaited._loop is self._loop
            and not (awaited is self or self._must_cancel)
        ):
            awaited._asyncio_future_blocking = False
            awaited._keep(self)
            self._fut_waiter = awaited
        else:
            super()._wait_for(awaited)


class Alarm(Future):
    """A future that stands in the heap of timers itself: being run gives it its result."""

    __slots__ = "_cancelled", "_when"

    def _run(self) -> None:
        if self._state is PENDING:
            self.set_result(None)

    def _make_cancelled_error(self) -> BaseException:
        # The sleeper is resumed, and no sooner does asyncio cancel the timer: it matters for ties.
        self._loop._timer_cancelled_count += not self._cancelled
        self._cancelled = True
        return super()._make_cancelled_error()


def create_task(coro: Any, *, name: Any = None, context: Any = None, eager_start: bool = False):
    """Make a task of `coro` on the running loop; see `tasks.create_task`."""
    loop = running.loop or get_running_loop()
    return loop.create_task(coro, name=name, context=context, eager_start=eager_start)


async def sleep(delay: float, result: Any = None) -> Any:
    """Let other tasks run for `delay` seconds; see `waiting.sleep`."""
    if delay <= 0:
        await suspend()
        return result
    if delay != delay:
        raise ValueError("Invalid delay: NaN (not a number)")
    loop = get_running_loop()
    alarm = BareAlarm()
    alarm._loop = loop
    alarm._state = PENDING
    alarm._callbacks = NOTHING
    alarm._exception = alarm._cancel_message = None
    alarm._asyncio_future_blocking = alarm._cancelled = False
    alarm._when = when = loop.time() + delay
    heapq.heappush(loop._scheduled, (when, NEVER_EQUAL + when, alarm))
    await alarm
    return result


class Handle(futures.Handle):
    """A handle that calls without a star where there are no arguments."""

    __slots__ = ()

    def _run(self) -> None:
        if self._args or self._cancelled:
            return super()._run()
        try:
            self._context.run(self._callback)
        except BaseException as error:
            self._fail(error)


class TimerHandle(Handle, guards.TimerHandle):
    __slots__ = ()
    __doc__ = guards.TimerHandle.__doc__


# For Python to call __init__ costs more than all it does: these are made without, and then filled.
BareHandle, BareTimerHandle, BareFuture, BareTask, BareAlarm = (
    type(each.__name__, (each,), {"__init__": object.__init__, "__slots__": ()})
    for each in (Handle, TimerHandle, Future, Task, Alarm)
)
