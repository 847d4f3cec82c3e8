"""Future: a result that is not there yet, and who is to be woken when it is.

Two things meet in a future. Coroutines wait for it (``await future``), and somebody else, later,
gives it its result. A future runs nothing itself: when it is done it puts those who wait into the
loop's ready queue, and the loop runs them when their turn comes. Everything in that queue has a
method ``_run()``: a `Handle` (a plain callback) or a task (a coroutine to go on with).
"""

import contextvars
import copy
import reprlib
import threading
from collections.abc import Callable, Generator
from types import GenericAlias
from typing import Any

PENDING, CANCELLED, FINISHED = "PENDING", "CANCELLED", "FINISHED"


class CancelledError(BaseException):
    """The future or task was cancelled. Mirrors asyncio.exceptions.CancelledError."""


class InvalidStateError(Exception):
    """The future is not in a state that allows this. Mirrors asyncio.exceptions."""


_running = threading.local()  # each thread may run one loop


def get_running_loop() -> Any:
    """Return the loop that runs in this thread; raises RuntimeError where none does.

    Mirrors asyncio.events.get_running_loop.
    """
    loop = getattr(_running, "loop", None)
    if loop is None:
        raise RuntimeError("no running event loop")
    return loop


def _get_running_loop() -> Any:
    return getattr(_running, "loop", None)


def _set_running_loop(loop: Any) -> None:
    _running.loop = loop


class Handle:
    """A callback with its arguments and its context, as it stands in the ready queue.

    Mirrors asyncio.events.Handle.
    """

    __slots__ = ("_args", "_callback", "_cancelled", "_context", "_loop", "__weakref__")

    def __init__(self, callback: Callable, args: tuple, loop: Any, context: Any = None) -> None:
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = contextvars.copy_context() if context is None else context
        self._cancelled = False

    def _run(self) -> None:
        if self._cancelled:
            return
        try:
            self._context.run(self._callback, *self._args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            message = f"Exception in callback {_call(self._callback, self._args)}"
            details = {"message": message, "exception": error, "handle": self}
            self._loop.call_exception_handler(details)

    def cancel(self) -> None:
        """Make the loop pass over this callback."""
        self._cancelled = True
        self._callback = self._args = None  # let go of what they hold

    def cancelled(self) -> bool:
        """Say whether `cancel` was called."""
        return self._cancelled

    def get_context(self) -> contextvars.Context:
        """Return the context the callback runs in."""
        return self._context

    def __repr__(self) -> str:
        what = "cancelled" if self._cancelled else _call(self._callback, self._args)
        return f"<{type(self).__name__} {what}>"


class Future:
    """The result of something that is not finished.

    loop: the event loop that wakes those who wait; the running one unless given.
    Mirrors asyncio.futures.Future.
    """

    __slots__ = (
        "_asyncio_future_blocking",  # True between our yield and the task that takes it up
        "_callbacks",
        "_cancel_message",
        "_exception",
        "_loop",
        "_result",
        "_state",
        "_unretrieved",
        "__weakref__",
    )
    _CancelledError = CancelledError  # what `bridge` replaces by asyncio's own
    _InvalidStateError = InvalidStateError
    __class_getitem__ = classmethod(GenericAlias)

    def __init__(self, *, loop: Any = None) -> None:
        self._loop = get_running_loop() if loop is None else loop
        self._state = PENDING
        self._callbacks: list = []  # things with a _run() method
        self._exception = self._cancel_message = None
        self._asyncio_future_blocking = False

    # -- the side that has the result ---------------------------------------------------------

    def set_result(self, result: Any) -> None:
        """Finish with a result; raises InvalidStateError if it is done already."""
        if self._state is not PENDING:
            raise self._InvalidStateError(f"{self._state}: {self!r}")
        self._result = result
        self._state = FINISHED
        self._wake()

    def set_exception(self, exception: BaseException | type[BaseException]) -> None:
        """Finish with an exception; raises InvalidStateError if it is done already."""
        if self._state is not PENDING:
            raise self._InvalidStateError(f"{self._state}: {self!r}")
        if isinstance(exception, type):
            exception = exception()
        if isinstance(exception, StopIteration):
            error = RuntimeError(
                "StopIteration interacts badly with generators, so no Future can have it"
            )
            error.__cause__ = error.__context__ = exception
            exception = error
        self._exception = exception
        self._result = exception.__traceback__  # so that each result() starts from the same
        self._state = FINISHED
        self._unretrieved = _Unretrieved(copy.copy(self))
        self._wake()

    def cancel(self, msg: Any = None) -> bool:
        """Cancel, waking those who wait with CancelledError(msg); False if it is done already."""
        if self._state is not PENDING:
            return False
        self._state = CANCELLED
        self._cancel_message = msg
        self._wake()
        return True

    def _wake(self) -> None:
        # Scheduled, never called from here: those who wait run when the loop comes to them.
        callbacks = self._callbacks
        if callbacks:
            self._loop._ready.extend(callbacks)
            self._callbacks = []

    # -- the side that waits ------------------------------------------------------------------

    def __await__(self) -> Generator["Future", None, Any]:
        if self._state is PENDING:
            self._asyncio_future_blocking = True
            yield self  # to the task that drives us: wake me when this is done
            if self._state is PENDING:
                raise RuntimeError("await wasn't used with future")
        return self.result()

    __iter__ = __await__

    def result(self) -> Any:
        """Return the result, or raise the exception; InvalidStateError if there is none yet."""
        if self._state is FINISHED:
            if self._exception is None:
                return self._result
            self._unretrieved.future = None
            raise self._exception.with_traceback(self._result)
        if self._state is CANCELLED:
            raise self._make_cancelled_error()
        raise self._InvalidStateError("Result is not ready.")

    def exception(self) -> BaseException | None:
        """Return the exception, None if there was none; InvalidStateError if not done yet."""
        if self._state is CANCELLED:
            raise self._make_cancelled_error()
        if self._state is PENDING:
            raise self._InvalidStateError("Exception is not set.")
        if self._exception is not None:
            self._unretrieved.future = None
        return self._exception

    def _make_cancelled_error(self) -> BaseException:
        caught, self._exception = self._exception, None  # a task keeps the one that ended it
        if caught is not None:
            return caught
        message = self._cancel_message
        return self._CancelledError() if message is None else self._CancelledError(message)

    def done(self) -> bool:
        """Say whether there is a result, an exception, or a cancellation."""
        return self._state is not PENDING

    def cancelled(self) -> bool:
        """Say whether the future was cancelled."""
        return self._state is CANCELLED

    def get_loop(self) -> Any:
        """Return the event loop this future belongs to."""
        return self._loop

    def add_done_callback(self, fn: Callable, *, context: Any = None) -> None:
        """Have the loop call ``fn(future)`` when the future is done: soon, if it is already."""
        if self._state is PENDING:
            self._callbacks.append(Handle(fn, (self,), self._loop, context))
        else:
            self._loop.call_soon(fn, self, context=context)

    def remove_done_callback(self, fn: Callable) -> int:
        """Take back every ``fn`` that was added; return how many there were."""
        kept = [c for c in self._callbacks if not (isinstance(c, Handle) and c._callback == fn)]
        removed = len(self._callbacks) - len(kept)
        self._callbacks[:] = kept
        return removed

    @reprlib.recursive_repr()  # two tasks may wait for each other
    def __repr__(self) -> str:
        return f"<{type(self).__name__} {' '.join(self._repr_info())}>"

    def _repr_info(self) -> list[str]:
        info = [self._state.lower()]
        if self._state is FINISHED and self._exception is not None:
            info.append(f"exception={self._exception!r}")
        elif self._state is FINISHED:
            info.append(f"result={reprlib.repr(self._result)}")
        if self._callbacks:
            info.append(f"cb=[{', '.join(map(_name, self._callbacks))}]")
        return info


class _Unretrieved:
    """Hangs on a failed future, and reports the exception if the future goes before it is fetched.

    It keeps a twin of the future: when this is called, the future itself is half gone.
    """

    __slots__ = ("future",)

    def __init__(self, twin: Future) -> None:
        self.future: Future | None = twin

    def __del__(self) -> None:
        if (future := self.future) is not None:
            kind = type(future).__name__
            message = f"{kind} exception was never retrieved"
            details = {"message": message, "exception": future._exception, "future": future}
            future._loop.call_exception_handler(details)


def isfuture(obj: Any) -> bool:
    """Say whether `obj` can be awaited as a future can, asyncio's own included.

    Mirrors asyncio.base_futures.isfuture.
    """
    blocking = "_asyncio_future_blocking"
    return hasattr(type(obj), blocking) and getattr(obj, blocking) is not None


def wrap_future(future: Any, *, loop: Any = None) -> Future:
    """Return a Future for a concurrent.futures.Future, which itself cannot be awaited.

    It takes over the result, and cancels the other when it is cancelled. Mirrors
    asyncio.futures.wrap_future.
    """
    if isfuture(future):
        return future
    if not hasattr(future, "add_done_callback"):
        raise TypeError(f"wrap_future() needs a concurrent.futures.Future, got {future!r}")
    loop = get_running_loop() if loop is None else loop
    ours = loop.create_future()

    def finished(_: Any) -> None:  # called in the thread that did the work
        if not loop.is_closed():
            loop.call_soon_threadsafe(_copy_state, future, ours)

    def cancelled(_: Any) -> None:
        if ours.cancelled():
            future.cancel()

    ours.add_done_callback(cancelled)
    future.add_done_callback(finished)
    return ours


def _copy_state(source: Any, target: Any) -> None:
    """Finish `target` as `source` was finished; one that is done already stays as it is."""
    if target.done():
        return
    if source.cancelled():
        target.cancel()
    elif (error := source.exception()) is not None:
        target.set_exception(error)
    else:
        target.set_result(source.result())


def _call(function: Callable, args: tuple) -> str:
    return f"{_name(function)}({', '.join(map(reprlib.repr, args))})"


def _name(thing: Any) -> str:
    if isinstance(thing, Handle):
        return f"{_name(thing._callback)}()"
    if isinstance(thing, Future):
        return f"{type(thing).__name__} {thing.get_name()!r}"  # a task, which has a name
    return getattr(thing, "__qualname__", None) or reprlib.repr(thing)
