"""Event loops, faster: no call that a turn does not need, and sockets that stay registered."""

import heapq
import socket
import weakref
from collections.abc import Callable
from contextvars import copy_context
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from ... import sockets
from ...futures import PENDING, Handle
from .. import whole
from ..clocks import ClockedLoop
from .tasks import NEVER_EQUAL, NOTHING, BareFuture, BareHandle, BareTask, BareTimerHandle, Task

FEW_TIMERS = 100  # up to this many, cancelled timers may stay in the heap until they are due


class BaseEventLoop(whole.BaseEventLoop):
    __doc__ = whole.BaseEventLoop.__doc__

    _watches: Any = None  # what is listened to outside, by descriptor
    _signal_handlers: Any = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if type(self).time is ClockedLoop.time:  # no subclass has another
            self.time = self._clock.time

    def call_soon(self, callback: Callable, *args: Any, context: Any = None) -> Any:
        """Put ``callback(*args)`` at the end of the ready queue.

        Raises RuntimeError if the loop is closed.
        """
        handle = BareHandle()
        handle._callback = callback
        handle._args = args
        handle._loop = self
        handle._context = copy_context() if context is None else context
        handle._cancelled = False
        self._ready.append(handle)
        return handle

    def call_later(self, delay: float, callback: Callable, *args: Any, context: Any = None) -> Any:
        """Make ``callback(*args)`` ready after `delay` seconds."""
        if delay is None or args or context is not None:
            return super().call_later(delay, callback, *args, context=context)
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

    def create_future(self) -> Any:
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
        if self._timer_cancelled_count * 2 > len(scheduled) > FEW_TIMERS:
            scheduled[:] = [entry for entry in scheduled if not entry[2]._cancelled]
            heapq.heapify(scheduled)
            self._timer_cancelled_count = 0
        while scheduled and scheduled[0][2]._cancelled:
            heapq.heappop(scheduled)
            self._timer_cancelled_count -= 1

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
        self.fd = fd
        # To call for the socket, if there still is one, or for the bare descriptor.
        self.owner = weakref.ref(owner) if isinstance(owner, socket.socket) else lambda: owner

    def is_stale(self) -> bool:
        """Return whether this is about a closed socket, whose number another one may have now."""
        owner = self.owner()
        return owner is None or isinstance(owner, socket.socket) and owner.fileno() != self.fd


class Sockets(sockets.EventLoop):
    """Sockets that stay registered. The guards stand before this, as before the heart's own."""

    def __init__(self, *args: Any) -> None:
        self._watches: dict[int, Watch] = {}
        super().__init__(*args)
        self._ears = self._watches.pop(self._ssock.fileno())  # need not be asked while all is busy

    def _listen(self, fd: Any, event: int, handle: Any) -> bool:
        watch = self._watch_of(fd)
        before = watch.pop(event, None)
        if handle is not None:
            watch[event] = handle
        self._ask(watch, watch.events | event if handle else watch.events & ~event)
        return before is not None and before.cancel() is not False

    def _watch_of(self, fd: Any) -> Watch:
        number = fd if isinstance(fd, int) else fd.fileno()
        if number < 0:  # a closed socket is still known by itself, if it is known
            for watch in self._watches.values():
                if watch.owner() is fd:
                    return watch
            raise ValueError(f"Invalid file descriptor: {number}")
        watch = self._watches.get(number)
        if watch is not None and watch.is_stale():
            watch = self._ask(watch, 0)
        return Watch(number, fd) if watch is None else watch

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

    def _until(self, event: int, sock: socket.socket) -> Any:
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
        elif isinstance(thing, Handle):
            self._ready.append(thing)
        else:
            del watch[event]
            thing.set_result(None)


class EventLoop(BaseEventLoop, whole.EventLoop, Sockets):
    __doc__ = whole.EventLoop.__doc__

    async def sock_recv(self, sock: socket.socket, n: int) -> bytes:
        """Receive up to `n` bytes; b'' is the end of the stream."""
        while not self._debug:
            try:
                return sock.recv(n)
            except sockets.WOULD_BLOCK:
                await self._until(EVENT_READ, sock)
        return await super().sock_recv(sock, n)

    async def sock_sendall(self, sock: socket.socket, data: Any) -> None:
        """Send all of `data`, a bytes-like object, waiting whenever the other side is slow."""
        if type(data) is bytes and not self._debug:
            try:
                if not (data := data[sock.send(data) :]):
                    return
            except sockets.WOULD_BLOCK:
                pass
        await super().sock_sendall(sock, data)
