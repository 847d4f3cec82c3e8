"""Task: a future that drives a coroutine.

A task goes on with its coroutine until that yields. What comes out says what to wait for: nothing
(a bare yield) means "again at the next turn", a future means "when this is done". The task leaves
itself with the future and returns to the loop. When the future is done it puts the task into the
ready queue, and the loop calls `_run` again. What the coroutine returns or raises becomes the
result of the task, which others may await in turn.
"""

import itertools
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context, copy_context
from types import CoroutineType, GeneratorType
from typing import Any
from weakref import ref

from .futures import FINISHED, NOBODY, PENDING, Future, get_running_loop, isfuture, name_of, running

numbers = itertools.count(1)  # default names: Task-1, Task-2, ...


class Task(Future):
    """A coroutine on its way, and the future of its result.

    coro: the coroutine to run; loop: the loop to run on, the running one unless given;
    name: what `get_name` says; context: the contextvars.Context to run in, a copy of the current
    one unless given; eager_start: take the first step now. Raises TypeError if `coro` is not a
    coroutine. Mirrors asyncio.tasks.Task.
    """

    # _fut_waiter: the future this task waits for; _must_cancel: True after a cancel() that no
    # future took, or another error that the next step throws; _known: stands in `loop._tasks`
    __slots__ = """_context _coro _fut_waiter _known _log_destroy_pending _must_cancel _name
        _num_cancels_requested _send""".split()

    def __init__(
        self,
        coro: Coroutine,
        loop: Any = None,
        name: Any = None,
        context: Context | None = None,
        eager_start: bool = False,
    ) -> None:
        if type(coro) is not CoroutineType and not isinstance(coro, Coroutine):
            self._state = FINISHED  # nothing to report when this goes
            raise TypeError(f"a coroutine was expected, got {coro!r}")
        self._loop = loop = loop or get_running_loop()
        self._state = PENDING
        self._callbacks = NOBODY
        self._exception = self._cancel_message = self._fut_waiter = None
        self._asyncio_future_blocking = self._must_cancel = self._known = False
        self._num_cancels_requested = 0
        self._log_destroy_pending = True
        self._name = next(numbers) if name is None else str(name)
        self._coro = coro
        self._send = type(coro).send  # kept, unbound: to bind a method costs, at each step
        self._context = copy_context() if context is None else context
        if eager_start and loop is running.loop:
            self._run_inside(loop._current_task)
        else:
            loop._ready.append(self)

    def _run_inside(self, outer: Any) -> None:
        if outer is not None and not outer._known:
            outer._be_known()
        self._run()
        self._loop._current_task = outer

    def _be_known(self) -> None:
        # One that is ready need not: all_tasks() finds it in the ready queue.
        self._known = True
        tasks = self._loop._tasks
        tasks.append(ref(self))
        if len(tasks) > self._loop._many_tasks:
            self._loop._forget_tasks()

    def _run(self) -> None:
        # One step: from where the coroutine stopped to where it stops next.
        loop = self._loop
        loop._current_task = self
        try:
            if self._must_cancel:
                awaited = self._context.run(self._coro.throw, self._error_to_throw())
            else:
                self._fut_waiter = None
                awaited = self._context.run(self._send, self._coro, None)
        except StopIteration as stop:
            self._finish(stop.value)
        except BaseException as caught:
            self._fail(caught)
            self = None  # the traceback holds this frame, and must not hold the task
        else:
            if awaited is None:
                loop._ready.append(self)
            else:
                self._wait_for(awaited)
        loop._current_task = None

    def _finish(self, result: Any) -> None:
        if self._must_cancel:  # asked for in its last step: too late to throw, not to obey
            Future.cancel(self, self._cancel_message)
            return
        self._result = result
        self._state = FINISHED
        if self._callbacks:  # this is `_wake`, without the price of calling it
            self._loop._ready.extend(self._callbacks)
            self._callbacks = NOBODY

    def _fail(self, error: BaseException) -> None:
        error.__traceback__ = error.__traceback__.tb_next  # it starts in the user's code
        if isinstance(error, self._CancelledError):
            Future.cancel(self)
            self._exception = error
        else:
            Future.set_exception(self, error)
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            self._loop._current_task = None
            raise error

    def _error_to_throw(self) -> BaseException:
        waiter, self._fut_waiter = self._fut_waiter, None
        error, self._must_cancel = self._must_cancel, False
        if waiter is not None and waiter.cancelled():
            return waiter._make_cancelled_error()
        # Asked for its exception, it is not reported as forgotten.
        if waiter is not None and isinstance(caught := waiter.exception(), self._CancelledError):
            return caught
        return self._make_cancelled_error() if error is True else error

    def _wait_for(self, awaited: Any) -> None:
        if not self._known:
            self._be_known()
        ours = isinstance(awaited, Future) and awaited._loop is self._loop
        if not (ours and awaited._asyncio_future_blocking) or awaited is self:
            if problem := self._why_not(awaited):
                self._must_cancel = self._must_cancel or RuntimeError(problem)
                self._loop._ready.append(self)
                return
        awaited._asyncio_future_blocking = False
        if ours and awaited._state is PENDING:
            awaited._keep(self)  # it will put us into the ready queue
        else:
            awaited.add_done_callback(self._wakeup)
        self._fut_waiter = awaited
        if self._must_cancel and awaited.cancel(msg=self._cancel_message):
            self._must_cancel = False

    def _wakeup(self, future: Any) -> None:
        # Called by somebody else's future; ours call _run themselves.
        self._run()

    def _why_not(self, awaited: Any) -> str | None:
        """Say why this cannot be waited for, or None if it can."""
        wrong = "yield was used instead of yield from"
        if isinstance(awaited, GeneratorType):
            return f"{wrong} for generator in task {self!r} with {awaited!r}"
        if not isfuture(awaited):
            return f"Task got bad yield: {awaited!r}"
        if awaited.get_loop() is not self._loop:
            return f"Task {self!r} got Future {awaited!r} attached to a different loop"
        if not awaited._asyncio_future_blocking:
            return f"{wrong} in task {self!r} with {awaited!r}"
        return f"Task cannot await on itself: {self!r}" if awaited is self else None

    # -- cancelling: a request, thrown into the coroutine where it waits ------------------------

    def cancel(self, msg: Any = None) -> bool:
        """Ask the task to stop: CancelledError(msg) is raised where it waits, at its next step.

        The coroutine may catch it and refuse. Returns False if the task is done already.
        """
        if self._state is not PENDING:
            return False
        self._num_cancels_requested += 1
        if self._fut_waiter is None or not self._fut_waiter.cancel(msg=msg):
            self._must_cancel = True
            self._cancel_message = msg
        return True

    def cancelling(self) -> int:
        """Return how many requests to cancel have not been taken back."""
        return self._num_cancels_requested

    def uncancel(self) -> int:
        """Take back one request to cancel; return how many are left."""
        self._num_cancels_requested = max(0, self._num_cancels_requested - 1)
        if self._num_cancels_requested == 0 and self._must_cancel is True:
            self._must_cancel = False
        return self._num_cancels_requested

    # -- what one may ask it, and what it refuses -----------------------------------------------

    def get_coro(self) -> Coroutine:
        """Return the coroutine this task runs."""
        return self._coro

    def get_context(self) -> Context:
        """Return the context the coroutine runs in."""
        return self._context

    def get_name(self) -> str:
        """Return the name of the task."""
        return f"Task-{self._name}" if type(self._name) is int else self._name

    def set_name(self, value: Any) -> None:
        """Name the task; the name is made a string."""
        self._name = str(value)

    def set_result(self, result: Any) -> None:
        """Raise RuntimeError: a task's result is what its coroutine returns."""
        raise RuntimeError("Task does not support set_result operation")

    def set_exception(self, exception: Any) -> None:
        """Raise RuntimeError: a task's exception is what its coroutine raises."""
        raise RuntimeError("Task does not support set_exception operation")

    def __del__(self) -> None:
        if self._state is PENDING and self._log_destroy_pending:
            message = "Task was destroyed but it is pending!"
            self._loop.call_exception_handler({"task": self, "message": message})

    def _repr_info(self) -> list[str]:
        cancelling = self._num_cancels_requested and self._state is PENDING
        state = "cancelling" if cancelling else self._state.lower()
        waiting = [] if self._fut_waiter is None else [f"wait_for={self._fut_waiter!r}"]
        name, frame = name_of(self._coro), getattr(self._coro, "cr_frame", None)
        where = "done" if frame is None else f"running at line {frame.f_lineno}"
        return [state, f"name={self.get_name()!r}", f"coro=<{name}() {where}>", *waiting]


def where(coro: Any) -> str:
    """Say which line of the user's code a paused coroutine, or the one it awaits, stands at."""
    import linecache  # only when there is something to say

    frame = None
    while here := getattr(coro, "cr_frame", None) or getattr(coro, "gi_frame", None):
        if frame is None or here.f_globals.get("__package__") != __package__:
            frame = here
        coro = getattr(coro, "cr_await", None) or getattr(coro, "gi_yieldfrom", None)
    code = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip() if frame else ""
    return f"at line {frame.f_lineno} of {frame.f_code.co_name}(): {code}" if frame else "nowhere"


def ensure_future(awaitable: Any, *, loop: Any = None) -> Any:
    """Return a future as it is, and a task for a coroutine or anything else one can await.

    Raises TypeError for what cannot be awaited, ValueError for a future of another loop.
    Mirrors asyncio.tasks.ensure_future.
    """
    if isfuture(awaitable):
        if loop is not None and awaitable.get_loop() is not loop:
            what = "The future belongs to a different loop"
            raise ValueError(f"{what} than the one specified as the loop argument")
        return awaitable
    if not isinstance(awaitable, Awaitable):
        import inspect  # only for what is unusual: it takes long to import

        if not inspect.isawaitable(awaitable):
            raise TypeError("An asyncio.Future, a coroutine or an awaitable is required")
    coro = awaitable if isinstance(awaitable, Coroutine) else wait_for_it(awaitable)
    return (loop or get_running_loop()).create_task(coro)


async def wait_for_it(awaitable: Any) -> Any:
    """Make a coroutine of anything one can await."""
    return await awaitable


def create_task(
    coro: Coroutine, *, name: Any = None, context: Any = None, eager_start: bool = False
) -> Task:
    """Make a task of `coro` on the running loop; see `Task` for the options.

    Raises RuntimeError without a running loop. Mirrors asyncio.tasks.create_task.
    """
    loop = running.loop or get_running_loop()
    return loop.create_task(coro, name=name, context=context, eager_start=eager_start)


def current_task(loop: Any = None) -> Task | None:
    """Return the task that runs now on `loop`, None if a plain callback does.

    Raises RuntimeError without a running loop. Mirrors asyncio.tasks.current_task.
    """
    return (loop or running.loop or get_running_loop())._current_task


def all_tasks(loop: Any = None) -> set[Task]:
    """Return the tasks of `loop` that are not done. Mirrors asyncio.tasks.all_tasks."""
    return set(unfinished_tasks(loop or get_running_loop()))


def unfinished_tasks(loop: Any) -> list[Task]:
    """Return the tasks of `loop` that are not done, oldest first."""
    known = [reference() for reference in list(loop._tasks)]
    ready = [thing for thing in list(loop._ready) if isinstance(thing, Task)]
    tasks = dict.fromkeys([*known, loop._current_task, *ready])
    return [task for task in tasks if task is not None and not task.done()]


def create_eager_task_factory(custom_task_constructor: Callable) -> Callable:
    """Return a task factory whose tasks take their first step at once, inside create_task.

    Mirrors asyncio.tasks.create_eager_task_factory.
    """

    def factory(loop: Any, coro: Coroutine, *, eager_start: bool = True, **options: Any) -> Any:
        """Make a task that has taken its first step."""
        return custom_task_constructor(coro, loop=loop, eager_start=eager_start, **options)

    return factory


eager_task_factory = create_eager_task_factory(Task)
