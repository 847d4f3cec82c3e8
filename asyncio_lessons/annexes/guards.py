"""Guards: what cannot be right is refused at once, and debug mode watches what is merely risky."""

import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from .. import event_loop
from ..futures import Future, Handle, running


class GuardedFuture(Future):
    """A future that refuses what a generator cannot raise."""

    def set_exception(self, exception: BaseException | type[BaseException]) -> None:
        """Finish with an exception; a StopIteration becomes the cause of a RuntimeError."""
        kind = exception if isinstance(exception, type) else type(exception)
        if issubclass(kind, StopIteration):  # to a generator that means something else
            cause = exception() if exception is kind else exception
            why = "StopIteration interacts badly with generators and cannot be raised into a Future"
            exception = RuntimeError(why)
            exception.__cause__ = cause
        super().set_exception(exception)


class GuardedQueue(deque):
    """A ready queue that asks ``check(item)`` first: in debug mode, and when the loop is closed."""

    def __init__(self, items: Any, check: Callable) -> None:
        super().__init__(items)
        self._check = check

    def append(self, item: Any) -> None:
        """Take one thing that can `_run()`."""
        self._check(item)
        super().append(item)

    def extend(self, items: Any) -> None:
        """Take many."""
        for item in items:
            self.append(item)


class TimedQueue(GuardedQueue):
    """The ready queue of debug mode: what it hands out is timed while it runs."""

    def popleft(self) -> "Stopwatch":
        """Hand out the next one."""
        return Stopwatch(super().popleft(), self._check.__self__)


class Stopwatch:
    """Runs one thing of the ready queue, and warns if it takes long."""

    def __init__(self, thing: Any, loop: Any) -> None:
        self._thing = thing
        self._loop = loop

    def _run(self) -> None:
        start = self._loop.time()
        self._thing._run()
        duration = self._loop.time() - start
        if duration >= self._loop.slow_callback_duration:
            self._loop._logger.warning("Executing %r took %.3f seconds", self._thing, duration)


class TimerHandle(event_loop.TimerHandle):
    """A timer that is compared as asyncio's are. Mirrors asyncio.events.TimerHandle."""

    __slots__ = ()

    def cancel(self) -> None:
        """Make the loop skip this timer, and count it."""
        if not self._cancelled:
            self._loop._timer_cancelled_count += 1
        self._cancelled = True  # here, since a call of super() costs as much as all this
        self._callback = self._args = None

    def __hash__(self) -> int:
        return hash(self._when)

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, TimerHandle):
            return NotImplemented
        names = ("_when", "_callback", "_args", "_cancelled")
        return all(getattr(self, name) == getattr(other, name) for name in names)

    def __lt__(self, other: Any) -> Any:
        return self._when < other._when if isinstance(other, TimerHandle) else NotImplemented

    def __gt__(self, other: Any) -> Any:
        return self._when > other._when if isinstance(other, TimerHandle) else NotImplemented

    def __le__(self, other: Any) -> Any:
        return self == other or self.__lt__(other)

    def __ge__(self, other: Any) -> Any:
        return self == other or self.__gt__(other)


class GuardedLoop:
    """A loop with a debug mode, that says what is wrong with the arguments it is given."""

    slow_callback_duration = 0.1  # seconds; debug mode reports what takes longer
    _debug = False
    _timer_cancelled_count = 0  # how many of the timers in the heap, at the most
    _guest: int | None = None  # another thread that may add something now

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.set_debug(sys.flags.dev_mode)

    def get_debug(self) -> bool:
        """Return whether debug mode is on."""
        return self._debug

    def set_debug(self, enabled: bool) -> None:
        """Report slow callbacks, and refuse calls from other threads, from now on."""
        self._debug = enabled
        if not self._closed:
            timed = TimedQueue(self._ready, self._check_item)
            self._ready = timed if enabled else deque(self._ready)

    def _check_item(self, item: Any) -> None:
        self._check_thread()
        if isinstance(item, Handle) and not item.cancelled():
            self._check_callback(item._callback, "call_soon")

    def _check_thread(self) -> None:
        here = threading.get_ident()
        if self._thread_id is not None and here not in (self._thread_id, self._guest):
            raise RuntimeError(
                "Non-thread-safe operation invoked on an event loop other than the current one"
            )

    def close(self) -> None:
        """Drop everything; the loop cannot be used again. Raises RuntimeError while it runs."""
        super().close()
        self._ready = GuardedQueue((), lambda item: self._check_closed())

    def call_later(self, delay: float, callback: Callable, *args: Any, context: Any = None) -> Any:
        """Make ``callback(*args)`` ready after `delay` seconds."""
        if delay is None:
            raise TypeError("delay must not be None")
        return super().call_later(delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Callable, *args: Any, context: Any = None) -> Handle:
        """Make ``callback(*args)`` ready at `when`, in seconds of `time`."""
        self._check_timer(when, callback)
        timer = super().call_at(when, callback, *args, context=context)
        timer.__class__ = TimerHandle  # the heart's, and all that asyncio's can do
        return timer

    def _drop_cancelled_timers(self) -> None:
        before = len(self._scheduled)
        super()._drop_cancelled_timers()
        self._timer_cancelled_count -= before - len(self._scheduled)

    def _check_timer(self, when: float, callback: Callable) -> None:
        if when is None:
            raise TypeError("when cannot be None")
        self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, "call_at")

    def _check_callback(self, callback: Any, method: str) -> None:
        # Above all, a coroutine cannot be called back.
        import inspect  # debug mode may take its time

        if inspect.iscoroutine(callback) or inspect.iscoroutinefunction(callback):
            raise TypeError(f"coroutines cannot be used with {method}()")
        if not callable(callback):
            raise TypeError(f"a callable object was expected by {method}(), got {callback!r}")

    def run_until_complete(self, future: Any) -> Any:
        """Turn until a future, or a task made of a coroutine, is done; return its result."""
        self._check_closed()  # before a task is made
        self._check_running()
        return super().run_until_complete(future)

    def set_exception_handler(self, handler: Callable | None) -> None:
        """Have ``handler(loop, context)`` called for errors no task awaits; None: the default."""
        if handler is not None and not callable(handler):
            raise TypeError(f"A callable object or None is expected, got {handler!r}")
        super().set_exception_handler(handler)

    def get_exception_handler(self) -> Callable | None:
        """Return the exception handler, None for the default one."""
        return self._exception_handler


class GuardedSockets:
    """Sockets that must be open and, in debug mode, non-blocking."""

    _lock = threading.Lock()

    def close(self) -> None:
        """Close the selector and the self-pipe; a second time nothing is left to do."""
        if not self._closed:
            super().close()

    def _listen(self, fd: Any, event: int, handle: Handle | None) -> bool:
        if self._closed and handle is None:
            return False
        self._check_closed()
        try:
            if not isinstance(fd, int):
                int(fd.fileno())  # raises for what has none
        except (AttributeError, TypeError, ValueError):
            raise ValueError(f"Invalid file object: {fd!r}") from None
        return super()._listen(fd, event, handle)

    def _retry(self, event: int, sock: Any, call: Callable, *args: Any) -> Any:
        self._check_socket(sock)
        return super()._retry(event, sock, call, *args)

    async def sock_connect(self, sock: Any, address: Any) -> None:
        """Connect to `address`; a host name is looked up in a thread. Raises OSError."""
        self._check_socket(sock)
        await super().sock_connect(sock, address)

    def _check_socket(self, sock: Any) -> None:
        if self._debug and sock.gettimeout() != 0:
            raise ValueError("the socket must be non-blocking")

    def call_soon_threadsafe(self, callback: Callable, *args: Any, context: Any = None) -> Handle:
        """As `call_soon`, from any thread: a byte in the self-pipe wakes a loop that sleeps."""
        self._check_closed()
        if self._debug:
            self._check_callback(callback, "call_soon_threadsafe")
        with self._lock:
            self._guest = threading.get_ident()
            try:
                return super().call_soon_threadsafe(callback, *args, context=context)
            finally:
                self._guest = None


def forget_the_running_loop() -> None:
    """In a process that was forked while a loop ran, no loop runs."""
    running.loop = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_the_running_loop)
