"""Waiting: for a time, for many, for one of many, not too long, and from outside a loop.

All of it is made of futures and callbacks. What is here adds nothing to the loop: each function
makes a future that a callback will finish, and awaits it.
"""

import functools
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from . import EventLoop, Future  # the public ones, with the annexes
from .coroutines import suspend
from .futures import CancelledError, get_running_loop, isfuture, set_result_unless_cancelled
from .tasks import Task, current_task, ensure_future, unfinished_tasks

FIRST_COMPLETED = "FIRST_COMPLETED"
FIRST_EXCEPTION = "FIRST_EXCEPTION"
ALL_COMPLETED = "ALL_COMPLETED"


async def sleep(delay: float, result: Any = None) -> Any:
    """Let other tasks run for `delay` seconds, or for one turn if it is zero or less.

    Returns `result`; raises ValueError for NaN. Mirrors asyncio.tasks.sleep.
    """
    if delay <= 0:
        await suspend()
        return result
    if delay != delay:
        raise ValueError("Invalid delay: NaN (not a number)")
    loop = get_running_loop()
    future = loop.create_future()
    timer = loop.call_later(delay, set_result_unless_cancelled, future, result)
    try:
        return await future
    finally:
        timer.cancel()


# -- for many -----------------------------------------------------------------------------------


class Gathering(Future):
    """The future of many: cancelling it cancels them, and it ends when they have ended."""

    __slots__ = ["_cancel_requested", "_children", "_left", "_return_exceptions"]

    def __init__(self, children: list, return_exceptions: bool, loop: Any) -> None:
        super().__init__(loop=loop)
        self._children = children
        self._return_exceptions = return_exceptions
        self._cancel_requested = False
        different = dict.fromkeys(children)
        self._left = len(different)
        if not children:
            self.set_result([])
        for child in sorted(different, key=lambda child: child.done()):
            if child.done():
                self._child_is_done(child)
            else:
                child.add_done_callback(self._child_is_done)

    def cancel(self, msg: Any = None) -> bool:
        """Cancel the children; False if none could be."""
        if self.done():
            return False
        cancelled = [child.cancel(msg=msg) for child in self._children]
        self._cancel_requested = self._cancel_requested or any(cancelled)
        return any(cancelled)

    def _child_is_done(self, child: Future) -> None:
        self._left -= 1
        failed = child.cancelled() or child.exception() is not None
        if self.done():
            return
        if failed and not self._return_exceptions:
            self.set_exception(_error_of(child))
        elif not self._left and self._cancel_requested:
            self.set_exception(self._make_cancelled_error())
        elif not self._left:
            self.set_result([_outcome(each) for each in self._children])

    def _make_cancelled_error(self) -> BaseException:
        last = self._children[-1]  # asyncio, too, asks the last argument
        other = CancelledError(*filter(None, [last._cancel_message]))
        return _error_of(last) if last.cancelled() else other


def _error_of(future: Future) -> BaseException | None:
    return future._make_cancelled_error() if future.cancelled() else future.exception()


def _outcome(future: Future) -> Any:
    """Return the result, or the exception or cancellation that there is in its place."""
    if future.cancelled():
        return CancelledError(future._cancel_message or "")
    return future.result() if future.exception() is None else future.exception()


def gather(*awaitables: Any, return_exceptions: bool = False) -> Future:
    """Return a future of the list of all results, in the order of the arguments.

    The first exception is handed on at once and cancels no other; with return_exceptions the
    exceptions stand in the list. Mirrors asyncio.tasks.gather.
    """
    loop, futures = None, {}
    for awaitable in dict.fromkeys(awaitables):  # the same one twice is one to wait for
        future = futures[awaitable] = ensure_future(awaitable, loop=loop)
        loop = future.get_loop()
        if future is not awaitable and hasattr(future, "_log_destroy_pending"):  # from `reports`
            future._log_destroy_pending = False
    return Gathering([futures[each] for each in awaitables], return_exceptions, loop)


async def wait(
    fs: Iterable, *, timeout: float | None = None, return_when: str = ALL_COMPLETED
) -> tuple[set, set]:
    """Wait for tasks or futures, `timeout` seconds at most; return the sets (done, pending).

    Cancels nothing and raises nothing of theirs. Raises TypeError for coroutines, ValueError for
    none at all. Mirrors asyncio.tasks.wait.
    """
    if isfuture(fs) or isinstance(fs, Coroutine):
        raise TypeError(f"expect a list of futures, not {type(fs).__name__}")
    futures = dict.fromkeys(fs)
    if not futures:
        raise ValueError("Set of Tasks/Futures is empty.")
    if return_when not in (FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED):
        raise ValueError(f"Invalid return_when value: {return_when}")
    if any(isinstance(future, Coroutine) for future in futures):
        raise TypeError("Passing coroutines is forbidden, use tasks explicitly.")
    await _wait_until(futures, return_when, timeout)
    done = {future for future in futures if future.done()}
    return done, set(futures) - done


class TimedWaiter(Future):
    """What `wait` waits for; its result, which the timer may set, cancels the timer at once."""

    def __init__(self, loop: Any, timeout: float | None) -> None:
        super().__init__(loop=loop)
        release = set_result_unless_cancelled
        self.timer = None if timeout is None else loop.call_later(timeout, release, self)

    def set_result(self, result: Any) -> None:
        """Finish, and need no timer any more."""
        self.cancel_timer()
        super().set_result(result)

    def cancel_timer(self) -> None:
        """Cancel the timer, if there is one."""
        if self.timer is not None:
            self.timer.cancel()


async def _wait_until(futures: Iterable, return_when: str, timeout: float | None) -> None:
    waiter = TimedWaiter(get_running_loop(), timeout)
    try:
        await _wait_for_enough(futures, return_when, waiter)
    finally:
        waiter.cancel_timer()


async def _wait_for_enough(futures: Iterable, return_when: str, waiter: Future) -> None:
    left = set(futures)

    def on_completion(future: Future) -> None:
        left.discard(future)
        if return_when == FIRST_COMPLETED or not left:
            set_result_unless_cancelled(waiter)
        elif return_when == FIRST_EXCEPTION and not future.cancelled() and future.exception():
            set_result_unless_cancelled(waiter)

    for future in futures:
        future.add_done_callback(on_completion)
    try:
        await waiter
    finally:
        for future in futures:
            future.remove_done_callback(on_completion)


# -- not too long -------------------------------------------------------------------------------


class Timeout:
    """An ``async with`` block that cancels its own task when its time is up.

    The cancellation ends at the block, as a TimeoutError. Mirrors asyncio.timeouts.Timeout.
    """

    __slots__ = ("_cancelling", "_state", "_task", "_timer", "_when")

    def __init__(self, when: float | None) -> None:
        self._when = when
        self._state = "created"
        self._timer: Any = None

    def when(self) -> float | None:
        """Return when it ends, in seconds of the loop's time; None for never."""
        return self._when

    def expired(self) -> bool:
        """Say whether the time was up before the block ended."""
        return self._state in ("expiring", "expired")

    def reschedule(self, when: float | None) -> None:
        """Move the end to `when`, in seconds of the loop's time."""
        if self._state == "created":
            raise RuntimeError("Timeout has not been entered")
        if self._state != "active":
            raise RuntimeError(f"Cannot change state of {self._state} Timeout")
        self._when = when
        if self._timer is not None:
            self._timer.cancel()
        if when is not None:
            loop = self._task._loop
            if when <= loop.time():
                self._timer = loop.call_soon(self._on_timeout)
            else:
                self._timer = loop.call_at(when, self._on_timeout, context=self._task._context)

    def _on_timeout(self) -> None:
        self._task.cancel()
        self._state = "expiring"

    async def __aenter__(self) -> "Timeout":
        if self._state != "created":
            raise RuntimeError("Timeout has already been entered")
        self._task = current_task()
        if self._task is None:
            raise RuntimeError("Timeout should be used inside a task")
        self._state = "active"
        self._cancelling = self._task.cancelling()
        self.reschedule(self._when)
        return self

    async def __aexit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._state == "active":
            self._state = "finished"
        elif self._state == "expiring":
            self._state = "expired"
            if self._task.uncancel() <= self._cancelling:  # it was cancelled only from here
                if isinstance(error, CancelledError):
                    raise TimeoutError from error
                _name_the_timeout(error)  # it may be an error of another kind

    def __repr__(self) -> str:
        when = f" when={self._when}" if self._state == "active" else ""
        return f"<Timeout [{self._state}]{when}>"


def _name_the_timeout(error: BaseException | None) -> None:
    # An error raised while the block was cancelled: its chain says that it was a timeout.
    several = error.exceptions if isinstance(error, ExceptionGroup) else ()
    for each in (error, *several):
        while each is not None and not isinstance(each.__context__, CancelledError):
            each = each.__context__
        if each is not None:
            late = TimeoutError()
            late.__context__ = late.__cause__ = each.__context__
            each.__context__ = late


def timeout(delay: float | None) -> Timeout:
    """Return an ``async with`` block that may take `delay` seconds; None for ever.

    Raises TimeoutError at the end of the block. Mirrors asyncio.timeouts.timeout.
    """
    loop = get_running_loop()
    return Timeout(None if delay is None else loop.time() + delay)


def timeout_at(when: float | None) -> Timeout:
    """As `timeout`, up to a moment `when` in seconds of the loop's time.

    Mirrors asyncio.timeouts.timeout_at.
    """
    return Timeout(when)


async def wait_for(fut: Any, timeout: float | None) -> Any:
    """Await `fut` for `timeout` seconds at most, then cancel it and raise TimeoutError.

    Mirrors asyncio.tasks.wait_for.
    """
    if timeout is None or timeout > 0:
        async with _timeout(timeout):
            return await fut
    fut = ensure_future(fut)
    if fut.done():
        return fut.result()
    fut.cancel()
    await _wait_until([fut], ALL_COMPLETED, None)
    try:
        return fut.result()
    except CancelledError as error:
        raise TimeoutError from error


_timeout = timeout  # wait_for has an argument of that name


def shield(arg: Any) -> Future:
    """Return a future of `arg` that can be cancelled without cancelling `arg`.

    Mirrors asyncio.tasks.shield.
    """
    inner = ensure_future(arg)
    if inner.done():
        return inner
    outer = inner.get_loop().create_future()

    end_outer = functools.partial(_end_alike, outer)
    inner.add_done_callback(end_outer)
    outer.add_done_callback(lambda outer: inner.remove_done_callback(end_outer))
    return outer


def _end_alike(outer: Future, inner: Future) -> None:
    if outer.cancelled():
        return
    if inner.cancelled():
        outer.cancel()
    elif inner.exception() is not None:
        outer.set_exception(inner.exception())
    else:
        outer.set_result(inner.result())


# -- together -----------------------------------------------------------------------------------


class TaskGroup:
    """An ``async with`` block that ends when all its tasks have ended.

    When one fails, the others and the block are cancelled, and the block raises all their errors
    as an ExceptionGroup. Mirrors asyncio.taskgroups.TaskGroup.
    """

    def __init__(self) -> None:
        self._state = "new"  # then entered, exiting
        self._aborting = False
        self._parent: Any = None
        self._parent_cancel_requested = False
        self._tasks: dict[Task, None] = {}  # oldest first
        self._errors: list[BaseException] = []
        self._base_error: BaseException | None = None
        self._all_done: Future | None = None

    def __repr__(self) -> str:
        info = [f" tasks={len(self._tasks)}"] if self._tasks else []
        info += [f" errors={len(self._errors)}"] if self._errors else []
        state = " cancelling" if self._aborting else " entered" if self._parent else ""
        return f"<TaskGroup{''.join(info)}{state}>"

    async def __aenter__(self) -> "TaskGroup":
        if self._state != "new":
            raise RuntimeError(f"TaskGroup {self!r} has already been entered")
        parent = current_task()
        if parent is None:
            raise RuntimeError(f"TaskGroup {self!r} cannot determine the parent task")
        self._state = "entered"
        self._parent = parent
        return self

    def create_task(self, coro: Coroutine, **options: Any) -> Task:
        """Make a task of `coro` in this group; options as `create_task`.

        Raises RuntimeError, and closes `coro`, outside the block and when the group is ending.
        """
        if problem := self._why_not():
            coro.close()
            raise RuntimeError(f"TaskGroup {self!r} {problem}")
        task = self._parent.get_loop().create_task(coro, **options)
        self._tasks[task] = None
        task.add_done_callback(self._look_at)  # soon, if an eager one is done already
        return task

    def _why_not(self) -> str | None:
        if self._state == "new":
            return "has not been entered"
        if self._state == "exiting" and not self._tasks:
            return "is finished"
        return "is shutting down" if self._aborting else None

    def _abort(self) -> None:
        self._aborting = True
        for task in self._tasks:
            task.cancel()

    def _look_at(self, task: Task) -> None:
        error = None if task.cancelled() else task.exception()
        self._note_base_error(error)
        if error is None or not self._parent.done():
            return self._task_is_done(task)
        message = f"Task {task!r} has errored out but its parent task is already completed"
        details = {"message": message, "exception": error, "task": task}
        task.get_loop().call_exception_handler(details)

    def _task_is_done(self, task: Task) -> None:
        self._tasks.pop(task)
        if self._all_done is not None and not self._tasks:
            set_result_unless_cancelled(self._all_done)
        if task.cancelled() or task.exception() is None:
            return
        self._errors.append(task.exception())
        if not self._aborting and not self._parent_cancel_requested:
            self._abort()
            self._parent_cancel_requested = True
            self._parent.cancel()

    def _note_base_error(self, error: BaseException | None) -> None:
        if isinstance(error, (SystemExit, KeyboardInterrupt)) and self._base_error is None:
            self._base_error = error

    async def __aexit__(self, kind: Any, error: Any, traceback: Any) -> None:
        self._state = "exiting"
        self._note_base_error(error)
        cancelled = error if isinstance(error, CancelledError) else None
        if error is not None and not self._aborting:
            self._abort()
        cancelled = await self._wait_for_tasks() or cancelled
        if self._base_error is not None:
            raise self._base_error
        if self._parent_cancel_requested and self._parent.uncancel() == 0:
            cancelled = None  # it was we who asked for it
        if cancelled is not None and not self._errors:
            raise cancelled
        if error is not None and not isinstance(error, CancelledError):
            self._errors.append(error)
        if self._errors:
            if self._parent.cancelling():  # another request came too: let the task see it
                self._parent.uncancel()
                self._parent.cancel()
            raise BaseExceptionGroup("unhandled errors in a TaskGroup", self._errors) from None

    async def _wait_for_tasks(self) -> BaseException | None:
        """Wait until all have ended; return the CancelledError that came meanwhile."""
        cancelled = None
        while self._tasks:
            self._all_done = self._parent.get_loop().create_future()
            try:
                await self._all_done
            except CancelledError as error:
                if not self._aborting:
                    cancelled = error
                    self._abort()
        return cancelled


# -- from outside a loop ------------------------------------------------------------------------


def new_event_loop() -> EventLoop:
    """Return a new EventLoop. Mirrors asyncio.events.new_event_loop."""
    return EventLoop()


def run(main: Coroutine, *, loop_factory: Callable | None = None) -> Any:
    """Run the coroutine `main` on a new loop, and return its result; cancel what it leaves behind.

    loop_factory: makes the loop, `EventLoop` unless given. Mirrors asyncio.runners.run.
    """
    loop = (loop_factory or EventLoop)()
    try:
        return loop.run_until_complete(main)
    finally:
        cancel_all_tasks(loop)
        loop.close()


def cancel_all_tasks(loop: Any) -> None:
    """Cancel the tasks of a loop that does not run, and let it turn until they are done.

    Mirrors asyncio.runners._cancel_all_tasks.
    """
    tasks = unfinished_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(Gathering(tasks, True, loop))
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            message = "unhandled exception during asyncio.run() shutdown"
            details = {"message": message, "exception": error, "task": task}
            loop.call_exception_handler(details)
