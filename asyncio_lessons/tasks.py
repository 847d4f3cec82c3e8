"""Task: a future that drives a coroutine.

A task runs its coroutine until that yields. What is yielded says what to wait for: None (a bare
yield) means "again in the next turn", a future means "when this is done". The task then returns to
the loop. When the future is done, the loop runs the next step. What the coroutine returns or
raises becomes the result of the task, which others may await in turn.
"""

import itertools
from collections.abc import Awaitable, Coroutine
from contextvars import Context, copy_context
from typing import Any

from .futures import CancelledError, Future, get_running_loop, isfuture

numbers = itertools.count(1)  # default names: Task-1, Task-2, ...


class Task(Future):
    """A coroutine that runs step by step, and the future of its result.

    coro: the coroutine to run; loop: the loop to run on, the running one unless given;
    name: what `get_name` returns; context: the contextvars.Context to run in, a copy of the
    current one unless given. Raises TypeError if `coro` is not a coroutine.
    Mirrors asyncio.tasks.Task.
    """

    __slots__ = "_context", "_coro", "_fut_waiter", "_must_cancel", "_name"
    __slots__ += ("_num_cancels_requested",)

    def __init__(
        self, coro: Coroutine, *, loop: Any = None, name: Any = None, context: Any = None
    ) -> None:
        if not isinstance(coro, Coroutine):
            raise TypeError(f"a coroutine was expected, got {coro!r}")
        super().__init__(loop=loop)
        self._coro = coro
        self._name = f"Task-{next(numbers)}" if name is None else str(name)
        self._context = copy_context() if context is None else context
        self._fut_waiter: Any = None  # the future this task waits for
        self._must_cancel = False  # the next step throws CancelledError
        self._num_cancels_requested = 0
        self._loop._tasks.add(self)  # for all_tasks(); weak, so it keeps no task alive
        self._schedule_first_step()

    def _schedule_first_step(self) -> None:
        self._loop._ready.append(self)

    # -- one step -----------------------------------------------------------------------------

    def _run(self, error: BaseException | None = None) -> None:
        # From where the coroutine stopped to where it stops next.
        self._loop._current_task = self
        if self._must_cancel:
            error = self._take_cancel_request()
        self._fut_waiter = None
        try:
            step = self._coro.send if error is None else self._coro.throw
            awaited = self._context.run(step, error)
        except StopIteration as stop:
            self._finish(stop.value)
        except BaseException as caught:
            self._fail(caught)
        else:
            self._wait_for(awaited)
        self._loop._current_task = None

    def _finish(self, result: Any) -> None:
        if self._must_cancel:  # requested in its last step: too late to throw
            super().cancel(self._cancel_message)
        else:
            super().set_result(result)

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, CancelledError):
            super().cancel()
        else:
            super().set_exception(error)
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            self._loop._current_task = None
            raise error  # these end the loop too

    def _wait_for(self, awaited: Any) -> None:
        if awaited is None:  # a bare yield: again in the next turn
            self._loop._ready.append(self)
        elif problem := self._why_not(awaited):
            self._loop.call_soon(self._run, RuntimeError(problem))
        else:
            awaited._asyncio_future_blocking = False
            awaited.add_done_callback(self._wakeup)
            self._fut_waiter = awaited
            if self._must_cancel and awaited.cancel(msg=self._cancel_message):
                self._must_cancel = False

    def _wakeup(self, future: Any) -> None:
        self._run()  # `await` gets the result, or the exception, out of the future itself

    def _why_not(self, awaited: Any) -> str | None:
        # Why this cannot be waited for, or None if it can.
        if not isfuture(awaited):
            return f"Task got bad yield: {awaited!r}"
        if awaited.get_loop() is not self._loop:
            return f"Task {self!r} got Future {awaited!r} attached to a different loop"
        if not awaited._asyncio_future_blocking:
            return f"yield was used instead of yield from in task {self!r} with {awaited!r}"
        return f"Task cannot await on itself: {self!r}" if awaited is self else None

    # -- cancelling: a request, thrown into the coroutine where it waits ------------------------

    def cancel(self, msg: Any = None) -> bool:
        """Request that the task stops: its next step raises CancelledError(msg) where it waits.

        The coroutine may catch it and refuse. Returns False if the task is done already.
        """
        if self.done():
            return False
        self._num_cancels_requested += 1
        if self._fut_waiter is None or not self._fut_waiter.cancel(msg=msg):
            self._must_cancel = True
            self._cancel_message = msg
        return True

    def _take_cancel_request(self) -> BaseException:
        self._must_cancel = False
        return self._make_cancelled_error()

    def cancelling(self) -> int:
        """Return how many requests to cancel have not been taken back."""
        return self._num_cancels_requested

    def uncancel(self) -> int:
        """Take back one request to cancel; return how many are left."""
        self._num_cancels_requested = max(0, self._num_cancels_requested - 1)
        if self._num_cancels_requested == 0:
            self._must_cancel = False
        return self._num_cancels_requested

    # -- what it tells, and what it refuses -----------------------------------------------------

    def get_coro(self) -> Coroutine:
        """Return the coroutine this task runs."""
        return self._coro

    def get_context(self) -> Context:
        """Return the context the coroutine runs in."""
        return self._context

    def get_name(self) -> str:
        """Return the name of the task."""
        return self._name

    def set_name(self, value: Any) -> None:
        """Name the task; the name is made a string."""
        self._name = str(value)

    def set_result(self, result: Any) -> None:
        """Raise RuntimeError: a task's result is what its coroutine returns."""
        raise RuntimeError("Task does not support set_result operation")

    def set_exception(self, exception: Any) -> None:
        """Raise RuntimeError: a task's exception is what its coroutine raises."""
        raise RuntimeError("Task does not support set_exception operation")


def ensure_future(awaitable: Any, *, loop: Any = None) -> Any:
    """Return a future as it is, and a task for a coroutine or any other awaitable.

    Raises TypeError for what cannot be awaited, ValueError for a future of another loop.
    Mirrors asyncio.tasks.ensure_future.
    """
    if isfuture(awaitable):
        if loop is not None and awaitable.get_loop() is not loop:
            what = "The future belongs to a different loop"
            raise ValueError(f"{what} than the one specified as the loop argument")
        return awaitable
    if not isinstance(awaitable, Awaitable):
        raise TypeError("An asyncio.Future, a coroutine or an awaitable is required")
    coro = awaitable if isinstance(awaitable, Coroutine) else wait_for_it(awaitable)
    return (loop or get_running_loop()).create_task(coro)


async def wait_for_it(awaitable: Any) -> Any:
    """Make a coroutine of any awaitable."""
    return await awaitable


def create_task(coro: Coroutine, **options: Any) -> Task:
    """Make a task of `coro` on the running loop; options: see `Task`.

    Raises RuntimeError without a running loop. Mirrors asyncio.tasks.create_task.
    """
    return get_running_loop().create_task(coro, **options)


def current_task(loop: Any = None) -> Task | None:
    """Return the task that runs now on `loop`; None while a plain callback runs.

    Raises RuntimeError without a running loop. Mirrors asyncio.tasks.current_task.
    """
    return (loop or get_running_loop())._current_task


def all_tasks(loop: Any = None) -> set[Task]:
    """Return the tasks of `loop` that are not done. Mirrors asyncio.tasks.all_tasks."""
    return set(unfinished_tasks(loop or get_running_loop()))


def unfinished_tasks(loop: Any) -> list[Task]:
    """Return the tasks of `loop` that are not done."""
    return [task for task in list(loop._tasks) if not task.done()]
