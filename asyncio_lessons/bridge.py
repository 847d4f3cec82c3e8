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
from importlib import import_module
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

    __slots__ = ()
    _CancelledError = asyncio.CancelledError
    _InvalidStateError = asyncio.InvalidStateError

    def add_done_callback(self, fn: Callable, *, context: Any = None) -> None:
        """Have the loop call ``fn(future)`` when the future is done: soon, if it is already."""
        if self.done():
            self._loop.call_soon(fn, self, context=context)
        else:
            self._keep(self._handle(fn, (self,), self._loop, context))


class ReadAsPair:
    """What makes a handle in a future's callbacks the pair asyncio keeps there: anyio reads it."""

    __slots__ = ()

    def __iter__(self) -> Iterator:
        return iter((self._callback, self._context))


class KnownToAsyncio(SpeaksAsyncio):
    """What makes a task of ours one that asyncio.current_task and asyncio.all_tasks know."""

    __slots__ = ()

    def __init__(self, coro: Coroutine, **options: Any) -> None:
        super().__init__(coro, **options)
        asyncio.tasks._register_task(self)

    def __iter__(self) -> Iterator:
        return iter((self._wakeup, self._context))  # as `ReadAsPair`, where this task waits

    def _run(self) -> None:
        # An eager task runs inside another one, which is set aside for that long.
        loop = self._loop
        outer = asyncio.current_task(loop)
        if outer is not None:
            asyncio.tasks._leave_task(loop, outer)
        asyncio.tasks._enter_task(loop, self)
        try:
            super()._run()
        finally:
            asyncio.tasks._leave_task(loop, self)
            if outer is not None:
                asyncio.tasks._enter_task(loop, outer)
            self = None  # a traceback may hold this frame, and must not hold the task


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

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the loop's own threads, for `timeout` seconds at most, and end them."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await super().shutdown_default_executor()

    def _can_be_woken(self) -> bool:
        return True  # other people's programs have ways that we cannot see

    def _add_reader(self, fd: Any, callback: Any, *args: Any) -> Any:
        return self._event_loop.add_reader(self, fd, callback, *args)

    def _add_writer(self, fd: Any, callback: Any, *args: Any) -> Any:
        return self._event_loop.add_writer(self, fd, callback, *args)

    def _remove_reader(self, fd: Any) -> bool:
        return self._event_loop.remove_reader(self, fd)

    def _remove_writer(self, fd: Any) -> bool:
        return self._event_loop.remove_writer(self, fd)


def asyncio_loop_of(package: ModuleType) -> type:
    """Return the class of `package`'s EventLoop as an asyncio.AbstractEventLoop.

    package: asyncio_lessons, or a package with the same modules, such as the reader's.
    """

    def part(module: str, name: str) -> Any:
        return getattr(import_module(f"{package.__name__}.{module}"), name)

    loop, future, task, handle = (
        part("sockets", "EventLoop"),
        part("futures", "Future"),
        part("tasks", "Task"),
        part("futures", "Handle"),
    )
    slots = {"__slots__": (), "__module__": __name__}
    inside = {**slots, "_handle": type("Handle", (ReadAsPair, handle), slots)}
    members = {
        "__doc__": f"The event loop of {package.__name__}, as an asyncio.AbstractEventLoop.",
        "__module__": __name__,
        "_event_loop": loop,
        "_future": type("Future", (SpeaksAsyncio, future), inside),
        "_task": type("Task", (KnownToAsyncio, task), inside),
    }
    return type("AsyncioEventLoop", (AsAsyncioLoop, loop, asyncio.SelectorEventLoop), members)


AsyncioEventLoop = asyncio_loop_of(asyncio_lessons)
