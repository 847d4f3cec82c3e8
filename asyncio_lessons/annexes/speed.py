"""Speed: the same classes, faster, and nothing else: without this file all works as before.

Three ideas carry it. What is made most often (handles, timers, futures, tasks) is made without a
call of ``__init__``. A task that waits for a future puts itself into its callbacks, and so goes
into the ready queue itself. A sleep needs no callback: its future stands among the timers.
"""

import heapq
import socket
import weakref
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from selectors import EVENT_READ, EVENT_WRITE
from types import CoroutineType
from typing import Any

from .. import futures
from ..coroutines import suspend
from ..futures import FINISHED, PENDING, get_running_loop, running
from ..tasks import numbers
from . import guards, whole

NOTHING: Any = ()  # the callbacks of a future that has none yet
NEVER_EQUAL = float("nan")  # between a time and its timer: of two at the same time neither is first
FEW_TIMERS = 100  # up to this many, cancelled timers may stay in the heap until they are due


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

    def result(self) -> Any:
        """Return the result or raise the exception; InvalidStateError if it is not done."""
        if self._state is FINISHED and self._exception is None:
            return self._result
        return super().result()


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
            if type(each) is Counter:
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


class Counter:
    """Stands in the callbacks of many tasks at once: counts those with a result.

    count: called for each of these; look: called with each of the other tasks.
    """

    def __init__(self, count: Callable, look: Callable) -> None:
        self._run = count
        self.look = look

    def __repr__(self) -> str:
        return self.look.__qualname__


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


class BaseEventLoop(whole.BaseEventLoop):
    __doc__ = whole.BaseEventLoop.__doc__

    _watches: Any = None  # what is listened to outside, by descriptor
    _signal_handlers: Any = None
    _enough_timers = FEW_TIMERS

    def call_soon(self, callback: Callable, *args: Any, context: Any = None) -> Handle:
        """Put ``callback(*args)`` at the end of the ready queue.

        Raises RuntimeError if the loop is closed.
        """
        if self._debug:
            self._check_callback(callback, "call_soon")
        handle = BareHandle()
        handle._callback = callback
        handle._args = args
        handle._loop = self
        handle._context = copy_context() if context is None else context
        handle._cancelled = False
        self._ready.append(handle)
        return handle

    def call_later(self, delay: float, callback: Callable, *args: Any, **options: Any) -> Any:
        """Make ``callback(*args)`` ready after `delay` seconds."""
        if delay is None or args or options:
            return super().call_later(delay, callback, *args, **options)
        return self.call_at(self.time() + delay, callback)  # no star

    def call_at(self, when: float, callback: Callable, *args: Any, context: Any = None) -> Any:
        """Make ``callback(*args)`` ready at `when`, in seconds of `time`."""
        if self._debug or self._closed or when is None:
            self._check_timer(when, callback)
        timer = BareTimerHandle()
        timer._when = when
        timer._callback = callback
        timer._args = args
        timer._loop = self
        timer._context = copy_context() if context is None else context
        timer._cancelled = False
        heapq.heappush(self._scheduled, (when, NEVER_EQUAL + when, timer))
        return timer

    def create_future(self) -> Future:
        """Return a Future of this loop."""
        future = BareFuture()
        future._loop = self
        future._state = PENDING
        future._callbacks = NOTHING
        future._exception = future._cancel_message = None
        future._asyncio_future_blocking = False
        return future

    def create_task(
        self, coro: Any, *, name: Any = None, context: Any = None, eager_start: bool = False
    ) -> Any:
        """Return a task that runs `coro`, made by the task factory if there is one."""
        if eager_start or self._closed or self._task_factory is not None:
            options = {"context": context, "eager_start": eager_start}
            options = {key: value for key, value in options.items() if value not in (None, False)}
            return super().create_task(coro, name=name, **options)
        task = BareTask()
        task._begin(coro, self, name, context, False)
        return task

    def _make_task(self, coro: Any, **options: Any) -> Task:
        return Task(coro, loop=self, **options)

    def _run_once(self) -> None:
        if self._scheduled:
            self._drop_cancelled_timers()
        if not (self._ready or self._stopping):
            timeout = max(0, self._scheduled[0][0] - self.time()) if self._scheduled else None
            self._select(timeout)
        elif self._watches or self._signal_handlers:
            self._select(0)
        if self._scheduled:
            self._ring_timers()
        for _ in range(len(self._ready)):
            self._ready.popleft()._run()

    def _drop_cancelled_timers(self) -> None:
        scheduled = self._scheduled
        if len(scheduled) > self._enough_timers:
            scheduled[:] = [entry for entry in scheduled if not entry[2]._cancelled]
            heapq.heapify(scheduled)
            self._enough_timers = FEW_TIMERS + 2 * len(scheduled)
        while scheduled and scheduled[0][2]._cancelled:
            heapq.heappop(scheduled)

    def _ring_timers(self) -> None:
        end_time = self.time() + self._clock_resolution
        while self._scheduled and self._scheduled[0][0] < end_time:
            self._ready.append(heapq.heappop(self._scheduled)[2])


class Watch(dict):
    """What the selector watches a descriptor for: event -> a handle, or a future, for once.

    A descriptor stays registered when no task waits for it any more, because the next wait is near;
    the first event that finds nothing here ends that.
    """

    events = 0  # what the selector was asked for

    def __init__(self, fd: int, owner: Any) -> None:
        super().__init__()
        self.fd = fd
        # To call for the socket, if there still is one, or for the bare descriptor.
        self.owner = weakref.ref(owner) if isinstance(owner, socket.socket) else lambda: owner

    def is_stale(self) -> bool:
        """Return whether this is about a closed socket, whose number another one may have now."""
        owner = self.owner()
        return owner is None or isinstance(owner, socket.socket) and owner.fileno() != self.fd


class EventLoop(BaseEventLoop, whole.EventLoop):
    __doc__ = whole.EventLoop.__doc__

    def __init__(self, *args: Any, **options: Any) -> None:
        self._watches: dict[int, Watch] = {}
        super().__init__(*args, **options)
        self._ears = self._watches.pop(self._ssock.fileno())  # need not be asked while all is busy

    def _listen(self, fd: Any, event: int, handle: Any) -> bool:
        number = fd if isinstance(fd, int) else fd.fileno()
        watch = self._watches.get(number)
        if watch is not None and watch.is_stale():
            watch = self._ask(watch, 0)
        if watch is None:
            watch = Watch(number, fd)
        before = watch.pop(event, None)
        if handle is not None:
            watch[event] = handle
        self._ask(watch, watch.events | event if handle else watch.events & ~event)
        return before is not None and before.cancel() is not False

    def _ask(self, watch: Watch, events: int) -> None:
        if not watch.events and events:
            self._selector.register(watch.fd, events, watch)
            self._watches[watch.fd] = watch
        elif events and events != watch.events:
            self._selector.modify(watch.fd, events, watch)
        elif watch.events and not events:
            self._selector.unregister(watch.fd)
            del self._watches[watch.fd]
        watch.events = events

    def _until(self, event: int, sock: socket.socket) -> Future:
        future = self.create_future()
        watch = self._watches.get(sock.fileno())
        known = watch is not None and watch.owner() is sock and watch.events & event
        if known and event not in watch:
            watch[event] = future  # it is still registered, from the last time
        else:
            self._listen(sock, event, future)
        return future

    def _process_events(self, events: list) -> list:
        for key, mask in events:
            if mask & EVENT_READ:
                self._tell(key.data, EVENT_READ)
            if mask & EVENT_WRITE:
                self._tell(key.data, EVENT_WRITE)
        return events

    def _tell(self, watch: Watch, event: int) -> None:
        thing = watch.get(event)
        if thing is None or thing.cancelled():
            watch.pop(event, None)
            self._ask(watch, watch.events & ~event)
        elif isinstance(thing, futures.Handle):
            self._ready.append(thing)
        else:
            del watch[event]
            thing.set_result(None)
