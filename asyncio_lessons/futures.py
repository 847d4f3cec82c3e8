"""Future: a result that is not there yet, and the callbacks that want to know when it is.

Two sides meet in a future. One side waits (``await future``); the other side, later, sets the
result. A future runs nothing itself: when it is done, it moves its callbacks into the loop's ready
queue, and the loop runs them when their turn comes. Everything in that queue has a method
``_run()``: a `Handle` runs a plain callback, a task runs the next step of its coroutine.
"""

import reprlib
import threading
from collections.abc import Callable, Generator
from contextvars import Context, copy_context
from types import GenericAlias
from typing import Any

PENDING, CANCELLED, FINISHED = "PENDING", "CANCELLED", "FINISHED"


class CancelledError(BaseException):
    """The future or task was cancelled. Mirrors asyncio.exceptions.CancelledError."""


class InvalidStateError(Exception):
    """The future is not in a state that allows this. Mirrors asyncio.exceptions."""


class Running(threading.local):
    """Which loop runs: one in each thread, or none."""

    loop: Any = None


running = Running()


def get_running_loop() -> Any:
    """Return the loop that runs in this thread; raises RuntimeError if none does.

    Mirrors asyncio.events.get_running_loop.
    """
    loop = running.loop
    if loop is None:
        raise RuntimeError("no running event loop")
    return loop


class Handle:
    """A callback with its arguments and its context, as it stands in the ready queue.

    Mirrors asyncio.events.Handle.
    """

    # All its attributes: naming them makes it small and quick, and a loop makes very many.
    __slots__ = "_args", "_callback", "_cancelled", "_context", "_loop", "__weakref__"

    def __init__(self, callback: Callable, args: tuple, loop: Any, context: Any = None) -> None:
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = copy_context() if context is None else context
        self._cancelled = False

    def _run(self) -> None:
        try:
            if not self._cancelled:
                self._context.run(self._callback, *self._args)
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, (SystemExit, KeyboardInterrupt)):
            raise error  # these end the loop; any other error is reported, and the loop continues
        message = f"Exception in callback {self._describe()}"
        details = {"message": message, "exception": error, "handle": self}
        self._loop.call_exception_handler(details)

    def cancel(self) -> None:
        """Make the loop skip this callback."""
        self._cancelled = True
        self._callback = self._args = None  # release what they refer to

    def cancelled(self) -> bool:
        """Return whether `cancel` was called."""
        return self._cancelled

    def get_context(self) -> Context:
        """Return the context the callback runs in."""
        return self._context

    def _describe(self) -> str:
        # The call in words: print('tea')
        name = getattr(self._callback, "__qualname__", None) or reprlib.repr(self._callback)
        return f"{name}({', '.join(map(reprlib.repr, self._args or ()))})"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'cancelled' if self._cancelled else self._describe()}>"


class Future:
    """The result of something that is not finished.

    loop: the event loop that runs the callbacks; the running one unless given.
    Mirrors asyncio.futures.Future.
    """

    __class_getitem__ = classmethod(GenericAlias)  # Future[int], in annotations
    __slots__ = "_callbacks", "_loop", "_state", "__weakref__"  # these, and:
    __slots__ += "_asyncio_future_blocking", "_cancel_message", "_exception", "_result"

    def __init__(self, *, loop: Any = None) -> None:
        self._loop = loop or get_running_loop()
        self._state = PENDING
        self._result = self._exception = self._cancel_message = None
        self._callbacks: list = []  # what has a _run(), to be made ready when this is done
        self._asyncio_future_blocking = False  # True from `yield self` until a task waits for it

    # -- the side that has the result ---------------------------------------------------------

    def set_result(self, result: Any) -> None:
        """Finish with a result; raises InvalidStateError if it is done already."""
        if self._state is not PENDING:
            raise InvalidStateError(f"{self._state}: {self!r}")
        self._result = result
        self._state = FINISHED
        self._schedule_callbacks()

    def set_exception(self, exception: BaseException | type[BaseException]) -> None:
        """Finish with an exception; raises InvalidStateError if it is done already."""
        if self._state is not PENDING:
            raise InvalidStateError(f"{self._state}: {self!r}")
        self._exception = exception() if isinstance(exception, type) else exception
        self._state = FINISHED
        self._schedule_callbacks()

    def cancel(self, msg: Any = None) -> bool:
        """Finish with CancelledError(msg); returns False if it is done already."""
        if self._state is not PENDING:
            return False
        self._cancel_message = msg
        self._state = CANCELLED
        self._schedule_callbacks()
        return True

    def _schedule_callbacks(self) -> None:
        # Scheduled, never called from here: they run when the loop comes to them.
        self._loop._ready.extend(self._callbacks)
        self._callbacks = []

    # -- the side that waits ------------------------------------------------------------------

    def __await__(self) -> Generator["Future", None, Any]:
        if self._state is PENDING:
            self._asyncio_future_blocking = True
            yield self  # to the task that drives us: resume me when this is done
        if self._state is PENDING:
            raise RuntimeError("await wasn't used with future")
        return self.result()

    __iter__ = __await__

    def done(self) -> bool:
        """Return whether there is a result, an exception or a cancellation."""
        return self._state is not PENDING

    def cancelled(self) -> bool:
        """Return whether the future was cancelled."""
        return self._state is CANCELLED

    def result(self) -> Any:
        """Return the result or raise the exception; InvalidStateError if it is not done."""
        if self._state is PENDING:
            raise InvalidStateError("Result is not set.")
        if self._state is CANCELLED or self._exception is not None:
            raise self.exception()
        return self._result

    def exception(self) -> BaseException | None:
        """Return the exception, None if there is a result; InvalidStateError if it is not done."""
        if self._state is PENDING:
            raise InvalidStateError("Exception is not set.")
        if self._state is CANCELLED:
            raise self._make_cancelled_error()
        return self._exception

    def _make_cancelled_error(self) -> BaseException:
        message = self._cancel_message
        return CancelledError() if message is None else CancelledError(message)

    def add_done_callback(self, fn: Callable, *, context: Any = None) -> None:
        """Have the loop call ``fn(future)`` when the future is done: soon, if it is already."""
        if self._state is PENDING:
            self._callbacks.append(Handle(fn, (self,), self._loop, context))
        else:
            self._loop.call_soon(fn, self, context=context)

    def remove_done_callback(self, fn: Callable) -> int:
        """Remove every ``fn`` that was added; return how many there were."""
        before = self._callbacks
        self._callbacks = [each for each in before if getattr(each, "_callback", None) != fn]
        return len(before) - len(self._callbacks)

    def get_loop(self) -> Any:
        """Return the event loop this future belongs to."""
        return self._loop


def set_result_unless_cancelled(future: Future, result: Any = None) -> None:
    """Set the result, unless the future is done: a timer or a socket may be too late.

    Mirrors asyncio.futures._set_result_unless_cancelled.
    """
    if not future.done():
        future.set_result(result)


def isfuture(obj: Any) -> bool:
    """Return whether `obj` can be awaited as a future can, asyncio's own included.

    Mirrors asyncio.base_futures.isfuture.
    """
    known = hasattr(obj.__class__, "_asyncio_future_blocking")
    return known and obj._asyncio_future_blocking is not None
