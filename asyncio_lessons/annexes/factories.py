"""Task factories, and eager tasks: those that take their first step inside `create_task`."""

from collections.abc import Callable, Coroutine
from typing import Any

from ..futures import running
from ..tasks import Task


class EagerTask(Task):
    """A task that can start at once.

    eager_start: take the first step now, if the loop runs; the other arguments: see `Task`.
    """

    _eager_start = False

    def __init__(self, coro: Coroutine, *, eager_start: bool = False, **options: Any) -> None:
        self._eager_start = eager_start
        super().__init__(coro, **options)

    def _schedule_first_step(self) -> None:
        loop = self._loop
        if not self._eager_start or running.loop is not loop:
            return super()._schedule_first_step()
        outer = loop._current_task
        self._run()
        loop._current_task = outer


class FactoryLoop:
    """A loop whose tasks may be made by a factory of the user's."""

    _task_factory: Callable | None = None

    def create_task(self, coro: Coroutine, *, name: Any = None, **options: Any) -> Task:
        """Return a task that runs `coro`, made by the task factory if there is one."""
        self._check_closed()
        if self._task_factory is None:
            return self._make_task(coro, name=name, **options)
        task = self._task_factory(self, coro, **options)
        if name is not None:
            task.set_name(name)
        return task

    def set_task_factory(self, factory: Callable | None) -> None:
        """Have `create_task` call ``factory(loop, coro, **options)``; None for the usual Task."""
        if factory is not None and not callable(factory):
            raise TypeError("task factory must be a callable or None")
        self._task_factory = factory

    def get_task_factory(self) -> Callable | None:
        """Return the task factory, None for the usual one."""
        return self._task_factory


def create_eager_task_factory(custom_task_constructor: Callable) -> Callable:
    """Return a task factory whose tasks take their first step at once, inside create_task.

    Mirrors asyncio.tasks.create_eager_task_factory.
    """

    def factory(loop: Any, coro: Coroutine, *, eager_start: bool = True, **options: Any) -> Any:
        """Make a task that has taken its first step."""
        return custom_task_constructor(coro, loop=loop, eager_start=eager_start, **options)

    return factory


def eager_task_factory(loop: Any, coro: Coroutine, **options: Any) -> Any:
    """Make a task that has taken its first step. Mirrors asyncio.tasks.eager_task_factory."""
    from .. import Task  # the public one, which is made of this module

    return create_eager_task_factory(Task)(loop, coro, **options)
