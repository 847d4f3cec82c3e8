"""gather, faster: what stands in the callbacks of its tasks only counts."""

from collections.abc import Callable
from types import CoroutineType
from typing import Any

from ... import Future, waiting
from ...futures import running
from .tasks import BareTask


class Counter:
    """Stands in the callbacks of a task in place of a handle, and only counts a result.

    count: called if the task has a result; look: called with a task that has none.
    """

    __slots__ = "_args", "_callback", "_cancelled", "_run", "look"

    def __init__(self, count: Callable, look: Callable) -> None:
        self._run = self._callback = count
        self._args, self._cancelled = (), False  # as a handle has
        self.look = look

    def __repr__(self) -> str:
        return self.look.__qualname__


class Gathering(waiting.Gathering):
    """The future of many tasks that were made for it."""

    _only_results = True  # no task has failed or was cancelled

    def __init__(self, tasks: list, return_exceptions: bool, loop: Any) -> None:
        Future.__init__(self, loop=loop)
        self._children = tasks
        self._return_exceptions = return_exceptions
        self._cancel_requested = False
        self._left = len(tasks)
        count, look = self._count, self._child_is_done
        for task in tasks:
            task._log_destroy_pending = False
            if type(task) is BareTask:
                task._callbacks = [Counter(count, look)]
            else:
                task.add_done_callback(look)

    def _count(self) -> None:
        self._left -= 1
        if self._left or self.done():
            return
        if self._only_results and not self._cancel_requested:
            return self.set_result([task._result for task in self._children])
        self._left = 1
        ended_well = (t for t in self._children if not t.cancelled() and not t.exception())
        self._child_is_done(next(ended_well))

    def _child_is_done(self, child: Any) -> None:
        self._only_results = False
        super()._child_is_done(child)


def gather(*awaitables: Any, return_exceptions: bool = False) -> Future:
    """Return a future of the list of all results; see `waiting.gather`."""
    loop, plain = running.loop, {CoroutineType}
    if loop is None or loop._task_factory is not None:  # eager tasks may be done at once
        plain = None
    if {*map(type, awaitables)} != plain or len({*awaitables}) < len(awaitables):
        return waiting.gather(*awaitables, return_exceptions=return_exceptions)
    return Gathering([*map(loop.create_task, awaitables)], return_exceptions, loop)
