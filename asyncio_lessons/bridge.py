"""The top step: our loop as an asyncio loop, so that other people's programs run on it unchanged.

The heart stays ours: ready queue, timers, the turn, the selector, futures and tasks. What the
course does not teach comes from the standard library, which builds it on the few methods we have:
transports over a selector, TLS, pipes, child processes, name look-up.

    asyncio.Runner(loop_factory=AsyncioEventLoop)

Two things make our tasks asyncio's: they raise and catch asyncio's own exceptions, and they tell
asyncio which of them is running. This is the only module of the staircase that imports asyncio.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator
from selectors import EVENT_READ, EVENT_WRITE
from types import ModuleType
from typing import Any

import asyncio_lessons


@contextlib.contextmanager
def outside_the_running_loop() -> Iterator[None]:
    """Leave the loop that runs in this thread, such as a notebook's, and enter it again after.

    Inside the block a loop can be run as if none were running.
    """
    loop = asyncio._get_running_loop()
    task = None if loop is None else asyncio.current_task(loop)
    if task is not None:
        asyncio.tasks._leave_task(loop, task)
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)
        if task is not None:
            asyncio.tasks._enter_task(loop, task)


class SpeaksAsyncio:
    """What our futures and tasks raise where asyncio's code, or code written for it, listens."""

    def _make_cancelled_error(self) -> BaseException:
        error = super()._make_cancelled_error()
        known = isinstance(error, asyncio.CancelledError)
        return error if known else asyncio.CancelledError(*error.args)

    def result(self) -> Any:
        """Return the result or raise the exception; asyncio.InvalidStateError if not done."""
        if not self.done():
            raise asyncio.InvalidStateError("Result is not set.")
        return super().result()

    def exception(self) -> BaseException | None:
        """Return the exception or None; asyncio.InvalidStateError if it is not done."""
        if not self.done():
            raise asyncio.InvalidStateError("Exception is not set.")
        return super().exception()

    def add_done_callback(self, fn: Callable, *, context: Any = None) -> None:
        """Have the loop call ``fn(future)`` when the future is done: soon, if it is already."""
        super().add_done_callback(fn, context=context)
        if not self.done():
            handle = self._callbacks[-1]
            self._callbacks[-1] = self._handle(fn, (self,), self._loop, handle._context)


class KnownFuture(SpeaksAsyncio):
    """What makes a future of ours one that ends as asyncio's do."""

    def set_result(self, result: Any) -> None:
        """Finish with a result; raises asyncio.InvalidStateError if it is done already."""
        self._check_pending()
        super().set_result(result)

    def set_exception(self, exception: BaseException | type[BaseException]) -> None:
        """Finish with an exception; raises asyncio.InvalidStateError if it is done already."""
        self._check_pending()
        super().set_exception(exception)

    def _check_pending(self) -> None:
        if self.done():
            raise asyncio.InvalidStateError(f"{self._state}: {self!r}")


class ReadAsPair:
    """What makes a handle in a future's callbacks the pair asyncio keeps there: anyio reads it."""

    def __iter__(self) -> Iterator:
        return iter((self._callback, self._context))


class KnownTask(SpeaksAsyncio):
    """What makes a task of ours one that asyncio.current_task and asyncio.all_tasks know."""

    def __init__(self, coro: Coroutine, **options: Any) -> None:
        super().__init__(coro, **options)
        asyncio.tasks._register_task(self)

    def __iter__(self) -> Iterator:
        return iter((self._wakeup, self._context))  # as `ReadAsPair`, where this task waits

    def _run(self, error: BaseException | None = None) -> None:
        # An eager task runs inside another one, which is set aside for that long.
        loop = self._loop
        outer = asyncio.current_task(loop)
        if outer is not None:
            asyncio.tasks._leave_task(loop, outer)
        asyncio.tasks._enter_task(loop, self)
        try:
            super()._run(error)
        finally:
            asyncio.tasks._leave_task(loop, self)
            if outer is not None:
                asyncio.tasks._enter_task(loop, outer)
            self = None  # a traceback may hold this frame, and must not hold the task

    def _fail(self, error: BaseException) -> None:
        if not isinstance(error, asyncio.CancelledError):
            return super()._fail(error)
        super()._fail(self._cancelled_class().with_traceback(error.__traceback__))
        error.__traceback__ = error.__traceback__.tb_next  # it starts in the user's code
        self._cancelled_error = error


class AsAsyncioLoop:
    """What makes a loop of ours one of asyncio's: mixed in before it, with asyncio's own after."""

    default_exception_handler = asyncio.BaseEventLoop.default_exception_handler
    _logger = logging.getLogger("asyncio")

    def __init__(self, selector: Any = None, *, clock: Any = None) -> None:
        asyncio.SelectorEventLoop.__init__(self, selector)  # for its transports, and no more
        self._event_loop.__init__(self, self._selector, clock=clock)

    def _make_self_pipe(self) -> None:
        """Leave the self-pipe to our own loop."""

    def create_future(self) -> Any:
        """Return a future of this loop that raises asyncio's exceptions."""
        return self._future(loop=self)

    def create_task(self, coro: Coroutine, **options: Any) -> Any:
        """Return a task of this loop that asyncio knows; see `BaseEventLoop.create_task`."""
        self._check_closed()
        if self._task_factory is None:
            return self._task(coro, loop=self, **options)
        return super().create_task(coro, **options)

    def run_forever(self) -> None:
        """Turn until `stop`, as asyncio's running loop, also where another one runs already."""
        with outside_the_running_loop():
            asyncio._set_running_loop(self)
            self._set_coroutine_origin_tracking(self._debug)  # asyncio's: who made what is lost
            try:
                super().run_forever()
            finally:
                self._set_coroutine_origin_tracking(False)

    def _can_be_woken(self) -> bool:
        return True  # other people's programs have ways that we cannot see

    # What asyncio's transports call, and what its public names add: a check for transports.

    def _add_reader(self, fd: Any, callback: Callable, *args: Any) -> Any:
        return self._add(fd, EVENT_READ, callback, args)

    def _add_writer(self, fd: Any, callback: Callable, *args: Any) -> Any:
        return self._add(fd, EVENT_WRITE, callback, args)

    def _add(self, fd: Any, event: int, callback: Callable, args: tuple) -> Any:
        self._check_closed()
        handle = self._future._handle(callback, args, self)
        self._listen(fd, event, handle)
        return handle

    def _remove_reader(self, fd: Any) -> bool:
        return self._listen(fd, EVENT_READ, None)

    def _remove_writer(self, fd: Any) -> bool:
        return self._listen(fd, EVENT_WRITE, None)

    def add_reader(self, fd: Any, callback: Callable, *args: Any) -> None:
        """Call ``callback(*args)`` each time `fd` can be read; refuses one of a transport."""
        self._ensure_fd_no_transport(fd)
        self._add_reader(fd, callback, *args)

    def add_writer(self, fd: Any, callback: Callable, *args: Any) -> None:
        """Call ``callback(*args)`` each time `fd` can be written; refuses one of a transport."""
        self._ensure_fd_no_transport(fd)
        self._add_writer(fd, callback, *args)

    def remove_reader(self, fd: Any) -> bool:
        """Stop listening to `fd` for reading; refuses one of a transport."""
        self._ensure_fd_no_transport(fd)
        return self._remove_reader(fd)

    def remove_writer(self, fd: Any) -> bool:
        """Stop listening to `fd` for writing; refuses one of a transport."""
        self._ensure_fd_no_transport(fd)
        return self._remove_writer(fd)

    def _until(self, event: int, sock: Any) -> Any:
        self._ensure_fd_no_transport(sock.fileno())
        return super()._until(event, sock)


def asyncio_loop_of(package: ModuleType) -> type:
    """Return the class of `package`'s EventLoop as an asyncio.AbstractEventLoop.

    package: asyncio_lessons, or a package with the same modules, such as the reader's.
    """

    loop, future, task, handle = (
        getattr(package, name) for name in ("EventLoop", "Future", "Task", "Handle")
    )
    inside = {"__module__": __name__, "_cancelled_class": package.CancelledError}
    inside["_handle"] = type("Handle", (ReadAsPair, handle), {"__module__": __name__})
    members = {
        "__doc__": f"The event loop of {package.__name__}, as an asyncio.AbstractEventLoop.",
        "__module__": __name__,
        "_event_loop": loop,
        "_future": type("Future", (KnownFuture, future), inside),
        "_task": type("Task", (KnownTask, task), inside),
    }
    return type("AsyncioEventLoop", (AsAsyncioLoop, loop, asyncio.SelectorEventLoop), members)


AsyncioEventLoop = asyncio_loop_of(asyncio_lessons)
