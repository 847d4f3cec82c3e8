"""Future: a result that is not there yet, and who is to be woken when it is.

Two things meet in a future. Coroutines wait for it (``await future``), and somebody else, later,
gives it its result. A future runs nothing itself: when it is done it puts those who wait into the
loop's ready queue, and the loop runs them when their turn comes. Everything in that queue has a
method ``_run()``: a `Handle` (a plain callback) or a task (a coroutine to go on with).
"""

import copy
import reprlib
import threading
from collections.abc import Callable, Generator
from contextvars import Context, copy_context
from types import GenericAlias
from typing import Any

PENDING, CANCELLED, FINISHED = "PENDING", "CANCELLED", "FINISHED"
NOBODY: Any = ()  # waits for a future, as for most of those that are made


class CancelledError(BaseException):
    """The future or task was cancelled. Mirrors asyncio.exceptions.CancelledError."""


class InvalidStateError(Exception):
    """The future is not in a state that allows this. Mirrors asyncio.exceptions."""


class Running(threading.local):
    """Which loop runs: one in each thread, or none."""

    loop: Any = None


running = Running()


def get_running_loop() -> Any:
    """Return the loop that runs in this thread; raises RuntimeError where none does.

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

    __slots__ = ["_args", "_callback", "_cancelled", "_context", "_loop", "__weakref__"]

    def __init__(self, callback: Callable, args: tuple, loop: Any, context: Any = None) -> None:
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = copy_context() if context is None else context
        self._cancelled = False

    def _run(self) -> None:
        try:
            if self._args:
                self._context.run(self._callback, *self._args)
            elif not self._cancelled:
                self._context.run(self._callback)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            message = f"Exception in callback {name_of(self)}"
            details = {"message": message, "exception": error, "handle": self}
            self._loop.call_exception_handler(details)

    def cancel(self) -> None:
        """Make the loop pass over this callback."""
        self._cancelled = True
        self._callback = self._args = None  # let go of what they hold

    def cancelled(self) -> bool:
        """Say whether `cancel` was called."""
        return self._cancelled

    def get_context(self) -> Context:
        """Return the context the callback runs in."""
        return self._context

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'cancelled' if self._cancelled else name_of(self)}>"


class Future:
    """The result of something that is not finished.

    loop: the event loop that wakes those who wait; the running one unless given.
    Mirrors asyncio.futures.Future.
    """

    # _asyncio_future_blocking is true between our yield and the task that takes it up
    # _result: the result, or, hanging on one that failed, what reports that nobody asked for it
    __slots__ = """_asyncio_future_blocking _callbacks _cancel_message _exception _loop _result
        _state __weakref__""".split()
    _CancelledError = CancelledError  # `bridge` puts asyncio's own in their place
    _InvalidStateError = InvalidStateError
    __class_getitem__ = classmethod(GenericAlias)

    def __init__(self, loop: Any = None) -> None:
        self._loop = loop or get_running_loop()
        self._state = PENDING
        self._callbacks = NOBODY  # or a list of things with a _run() method
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
        error = exception() if isinstance(exception, type) else exception
        if isinstance(error, StopIteration):  # to a generator that means something else
            cause, error = error, RuntimeError("StopIteration interacts badly with generators")
            error.__cause__ = cause
        self._exception = error
        self._state = FINISHED
        self._result = Unretrieved(copy.copy(self), error.__traceback__)
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
        if self._callbacks:
            self._loop._ready.extend(self._callbacks)
            self._callbacks = NOBODY

    # -- the side that waits ------------------------------------------------------------------

    def __await__(self) -> Generator["Future", None, Any]:
        if self._state is PENDING:
            self._asyncio_future_blocking = True
            yield self  # to the task that drives us: wake me when this is done
        if self._state is FINISHED and self._exception is None:
            return self._result
        return self._error_of_await()

    __iter__ = __await__

    # Apart from __await__: whatever waits keeps a frame of the size that its code needs.
    def _error_of_await(self) -> Any:
        if self._state is PENDING:
            raise RuntimeError("await wasn't used with future")
        return self.result()

    def result(self) -> Any:
        """Return the result, or raise the exception; InvalidStateError if there is none yet."""
        if self._state is PENDING:
            raise self._InvalidStateError("Result is not set.")
        if self._state is FINISHED and self._exception is None:
            return self._result
        raise self.exception().with_traceback(self._result.traceback)  # each time the same

    def exception(self) -> BaseException | None:
        """Return the exception, None if there was none; InvalidStateError if not done yet."""
        if self._state is PENDING:
            raise self._InvalidStateError("Exception is not set.")
        if self._state is CANCELLED:
            raise self._make_cancelled_error()
        if self._exception is not None:
            self._result.future = None
        return self._exception

    def _make_cancelled_error(self) -> BaseException:
        caught, self._exception = self._exception, None  # a task keeps the one that ended it
        message = self._cancel_message
        return caught or self._CancelledError(*[message] * (message is not None))

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
            self._keep(Handle(fn, (self,), self._loop, context))
        else:
            self._loop.call_soon(fn, self, context=context)

    def _keep(self, thing: Any) -> None:
        if self._callbacks:
            self._callbacks.append(thing)
        else:
            self._callbacks = [thing]

    def remove_done_callback(self, fn: Callable) -> int:
        """Take back every ``fn`` that was added; return how many there were."""
        before = self._callbacks
        self._callbacks = [each for each in before if getattr(each, "_callback", None) != fn]
        return len(before) - len(self._callbacks)

    @reprlib.recursive_repr()  # two tasks may wait for each other
    def __repr__(self) -> str:
        info = [type(self).__name__, *self._repr_info()]
        if self._state is FINISHED:
            failed = self._exception is not None
            shown = self._exception if failed else reprlib.repr(self._result)
            info.append(f"exception={shown!r}" if failed else f"result={shown}")
        if self._callbacks:
            info.append(f"cb=[{', '.join(map(name_of, self._callbacks))}]")
        return f"<{' '.join(info)}>"

    def _repr_info(self) -> list[str]:
        return [self._state.lower()]


class Unretrieved:
    """Hangs on a failed future, and reports the exception if the future goes before it is fetched.

    It keeps a twin of the future: when this is called, the future itself is half gone.
    """

    def __init__(self, twin: Future, traceback: Any) -> None:
        self.future: Future | None = twin
        self.traceback = traceback

    def __del__(self) -> None:
        if (future := self.future) is not None:
            message = f"{type(future).__name__} exception was never retrieved"
            details = {"message": message, "exception": future._exception, "future": future}
            future._loop.call_exception_handler(details)


def isfuture(obj: Any) -> bool:
    """Say whether `obj` can be awaited as a future can, asyncio's own included.

    Mirrors asyncio.base_futures.isfuture.
    """
    return getattr(type(obj), "_asyncio_future_blocking", None) is not None


def wrap_future(future: Any, *, loop: Any = None) -> Future:
    """Return a Future for a concurrent.futures.Future, which itself cannot be awaited.

    Mirrors asyncio.futures.wrap_future.
    """
    if isfuture(future):
        return future
    ours = (loop or get_running_loop()).create_future()
    ours.add_done_callback(lambda ours: ours.cancelled() and future.cancel())
    future.add_done_callback(lambda _: call_in(ours.get_loop(), copy_outcome, future, ours))
    return ours


def call_in(loop: Any, function: Callable, *args: Any) -> None:
    """Call a function in the thread of `loop`, unless that is closed."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(function, *args)


def copy_outcome(source: Any, target: Any) -> None:
    """End `target`, unless it has ended, as `source` did."""
    if target.done():
        return
    if source.cancelled():
        target.cancel()
    elif (error := source.exception()) is not None:
        target.set_exception(error)
    else:
        target.set_result(source.result())


def name_of(thing: Any) -> str:
    """Say in words what a callback, or the handle or task that stands for one, is."""
    if isinstance(thing, Handle):
        return f"{name_of(thing._callback)}({', '.join(map(reprlib.repr, thing._args or ()))})"
    if isinstance(thing, Future):
        return f"{type(thing).__name__} {thing.get_name()!r}"
    return getattr(thing, "__qualname__", None) or reprlib.repr(thing)
