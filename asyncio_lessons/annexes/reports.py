"""Reports: errors and tasks that are lost are reported, and everything has a readable repr."""

import copy
import linecache
import logging
import reprlib
import sys
import traceback
from collections.abc import Iterator
from types import GeneratorType
from typing import Any
from weakref import ref

from ..futures import CANCELLED, FINISHED, PENDING, Future, Handle
from ..tasks import Task, unfinished_tasks

MANY_TASKS = 1000  # from here on, look now and then which tasks are gone


class ReportingFuture(Future):
    """A future that reports an exception that was never retrieved, and has a repr."""

    _unretrieved: Any = None  # hangs on a failed future

    def set_exception(self, exception: BaseException | type[BaseException]) -> None:
        """Finish with an exception; raises InvalidStateError if it is done already."""
        super().set_exception(exception)
        self._unretrieved = Unretrieved(copy.copy(self), self._exception.__traceback__)

    def result(self) -> Any:
        """Return the result or raise the exception, with the same traceback each time."""
        if self._unretrieved is not None:
            self._exception.__traceback__ = self._unretrieved.traceback
        return super().result()

    def exception(self) -> BaseException | None:
        """Return the exception, None if there is a result; InvalidStateError if it is not done."""
        self._mark_retrieved()
        return super().exception()

    def cancel(self, msg: Any = None) -> bool:
        """Finish with CancelledError(msg); returns False if it is done already."""
        self._mark_retrieved()
        return super().cancel(msg)

    def _mark_retrieved(self) -> None:
        if self._unretrieved is not None:
            self._unretrieved.future = None

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
    """Hangs on a failed future, and reports the exception if it goes with it unseen.

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


class ReportingTask(Task):
    """A task that reports its end while it is pending, and can show its stack."""

    _log_destroy_pending = True
    _cancelled_error: BaseException | None = None  # what the coroutine raised

    def _fail(self, error: BaseException) -> None:
        error.__traceback__ = error.__traceback__.tb_next  # it starts in the user's code
        self._cancelled_error = error  # given to the first that asks, if it is a cancellation
        super()._fail(error)

    def _make_cancelled_error(self) -> BaseException:
        error, self._cancelled_error = self._cancelled_error, None
        return (self._state is CANCELLED and error) or super()._make_cancelled_error()

    def _take_cancel_request(self) -> BaseException:
        # The future it waited for may have been cancelled first: that is the error, then. One that
        # failed is asked for its exception, so that it is not reported as never retrieved.
        waiter = self._fut_waiter
        error = super()._take_cancel_request()
        if waiter is None or not waiter.done():
            return error
        if waiter.cancelled():
            return waiter._make_cancelled_error()
        caught = waiter.exception()
        return caught if isinstance(caught, type(error)) else error

    def cancel(self, msg: Any = None) -> bool:
        """Request that the task stops; see `Task.cancel`."""
        self._mark_retrieved()
        return super().cancel(msg)

    def _why_not(self, awaited: Any) -> str | None:
        if isinstance(awaited, GeneratorType):
            wrong = "yield was used instead of yield from for generator"
            return f"{wrong} in task {self!r} with {awaited!r}"
        return super()._why_not(awaited)

    def __del__(self) -> None:
        if getattr(self, "_state", None) is PENDING and self._log_destroy_pending:
            message = "Task was destroyed but it is pending!"
            self._loop.call_exception_handler({"task": self, "message": message})

    def _repr_info(self) -> list[str]:
        cancelling = self._num_cancels_requested and not self.done()
        state = "cancelling" if cancelling else self._state.lower()
        waiting = [] if self._fut_waiter is None else [f"wait_for={self._fut_waiter!r}"]
        name, frame = name_of(self._coro), getattr(self._coro, "cr_frame", None)
        where = "done" if frame is None else f"running at line {frame.f_lineno}"
        return [state, f"name={self.get_name()!r}", f"coro=<{name}() {where}>", *waiting]

    def get_stack(self, *, limit: int | None = None) -> list:
        """Return the frame where the task waits, or those of its traceback; `limit` at most.

        Mirrors asyncio.tasks.Task.get_stack.
        """
        if (frame := next(frames_of(self._coro), None)) is not None:
            return [each for each, _ in traceback.walk_stack(frame)][:limit][::-1]
        error = None if self._state is CANCELLED else self._exception
        walk = traceback.walk_tb(error and error.__traceback__)
        return [frame for frame, _ in walk][:limit]

    def print_stack(self, *, limit: int | None = None, file: Any = None) -> None:
        """Print the stack or the traceback of the task. Mirrors asyncio.tasks.Task.print_stack."""
        frames, file = self.get_stack(limit=limit), file or sys.stderr
        failed = self._exception is not None
        what = ("Traceback" if failed else "Stack") if frames else "No stack"
        order = " (most recent call last):" if frames else ""
        print(f"{what} for {self!r}{order}", file=file)
        lines = traceback.StackSummary.extract((f, f.f_lineno) for f in frames).format()
        lines += traceback.format_exception_only(self._exception) if failed else []
        print("".join(lines), file=file, end="")


class Tasks(list):
    """Weak references to the tasks that have waited, oldest first."""

    enough = MANY_TASKS

    def __init__(self, loop: Any) -> None:
        super().__init__()
        self.loop = loop

    def add(self, task: Task) -> None:
        """Keep one more, and let go of those that are gone, now and then."""
        self.append(ref(task))
        if len(self) > self.enough:
            self[:] = [reference for reference in list.__iter__(self) if reference() is not None]
            self.enough = MANY_TASKS + 4 * len(self)

    def __iter__(self) -> Iterator:
        known = [reference() for reference in list.__iter__(self)]
        ready = [thing for thing in list(self.loop._ready) if isinstance(thing, Task)]
        tasks = dict.fromkeys([*known, self.loop._current_task, *ready])
        return iter([task for task in tasks if task is not None])


class Deadlock(RuntimeError):
    """Nothing is ready, no timer is set, nothing outside can wake the loop: all wait for ever."""


class ReportingLoop:
    """A loop that reports a deadlock, and errors with all that is known of them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._tasks = Tasks(self)

    _logger = logging.getLogger(__package__.partition(".")[0])

    def __repr__(self) -> str:
        state = f"running={self.is_running()} closed={self._closed} debug={self.get_debug()}"
        return f"<{type(self).__name__} {state}>"

    def _select(self, timeout: float | None) -> list:
        if timeout is None and not self._can_be_woken():
            tasks = unfinished_tasks(self)
            lines = [f"  {task.get_name()} waits {where(task.get_coro())}" for task in tasks]
            raise Deadlock("\n".join(["nothing is left that could wake these tasks:", *lines]))
        return super()._select(timeout)

    def _can_be_woken(self) -> bool:
        # Whether anything from outside might still give the loop something to do.
        return False

    def run_until_complete(self, future: Any) -> Any:
        """Turn until a future, or a task made of a coroutine, is done; return its result."""
        try:
            return super().run_until_complete(future)
        except BaseException:
            for task in unfinished_tasks(self):  # the error that ends us says enough
                if task._coro is future:
                    task._log_destroy_pending = False
            raise

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Log the message, the exception, and everything else `context` says."""
        rest = sorted({*context} - {"message", "exception"})
        lines = [context.get("message", "Unhandled exception in event loop")]
        lines += [f"{key}: {context[key]!r}" for key in rest]
        self._logger.error("\n".join(lines), exc_info=context.get("exception"))

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Call the exception handler, in the context of the task or callback that failed."""
        if (handler := self._exception_handler) is None:
            return self.default_exception_handler(context)
        thing = context.get("task") or context.get("future") or context.get("handle")
        try:
            if hasattr(thing, "get_context"):
                return thing.get_context().run(handler, self, context)
            return handler(self, context)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            message = "Unhandled error in exception handler"
            details = {"message": message, "exception": error, "context": context}
            self.default_exception_handler(details)


def name_of(thing: Any) -> str:
    """Return in words what a callback, or the handle or task that stands for one, is."""
    if isinstance(thing, Handle):
        return thing._describe()
    if isinstance(thing, Future):
        return f"{type(thing).__name__} {thing.get_name()!r}"
    return getattr(thing, "__qualname__", None) or reprlib.repr(thing)


def frames_of(coro: Any) -> Iterator[Any]:
    """Yield the suspended frames of a coroutine, and of what it awaits, from the outside in."""
    while frame := getattr(coro, "cr_frame", None) or getattr(coro, "gi_frame", None):
        yield frame
        coro = getattr(coro, "cr_await", None) or getattr(coro, "gi_yieldfrom", None)


def where(coro: Any) -> str:
    """Return which line of the user's code a suspended coroutine, or what it awaits, is at."""
    frames = list(frames_of(coro))
    ours = f"{__package__.partition('.')[0]}."
    theirs = [f for f in frames if not f"{f.f_globals.get('__package__')}.".startswith(ours)]
    frame = next(iter(theirs[-1:] or frames[:1]), None)
    if frame is None:
        return "nowhere"
    code = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return f"at line {frame.f_lineno} of {frame.f_code.co_name}(): {code}"
