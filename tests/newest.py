"""What the newest asyncio does, for comparisons on an older Python (see docs/differences.md).

The package follows the newest asyncio. Where an older one does something else, the tests put in
its place what is here: this package's own class, resting on asyncio's futures and tasks. So the
older Python still compares all that lies below it: futures, tasks, timers, the loop.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

from same import aio


def _on_asyncio() -> Any:
    """Import a copy of our modules whose futures and tasks are asyncio's."""
    copy = sys.modules["newest_on_asyncio"] = ModuleType("newest_on_asyncio")
    copy.__path__ = list(aio.__path__)
    copy.Future, copy.EventLoop = asyncio.Future, asyncio.SelectorEventLoop
    for name in ("futures", "tasks"):
        ours = vars(importlib.import_module(f"{aio.__name__}.{name}"))
        theirs = {each: getattr(asyncio, each) for each in ours if hasattr(asyncio, each)}
        full_name = f"{copy.__name__}.{name}"
        sys.modules[full_name] = ModuleType(full_name)
        vars(sys.modules[full_name]).update({**ours, **theirs})
    return lambda name: importlib.import_module(f"{copy.__name__}.{name}")


class OrderedSet(dict):
    """A set that keeps the order of adding, where asyncio leaves the order to the hash."""

    def add(self, item: Any) -> None:
        self[item] = None

    def discard(self, item: Any) -> None:
        self.pop(item, None)


class OrderedTaskGroup(asyncio.TaskGroup):
    """asyncio's, with its tasks in a known order, and eager ones dealt with as from 3.14 on."""

    def __init__(self) -> None:
        super().__init__()
        self._tasks = OrderedSet()

    def _on_task_done(self, task: asyncio.Task) -> None:
        if task in self._tasks:
            return super()._on_task_done(task)
        self._tasks.add(task)  # it was done when it was made
        task.add_done_callback(self._on_task_done)


class Task(asyncio.tasks._PyTask):
    """asyncio's, with what `uncancel` does from Python 3.13 on."""

    def uncancel(self) -> int:
        left = super().uncancel()
        if left == 0:
            self._must_cancel = False
        return left


async def wait_for(fut: Any, timeout: float | None) -> Any:
    """asyncio's of Python 3.12."""
    if timeout is not None and timeout <= 0:
        return await asyncio.wait_for(fut, timeout)
    async with asyncio.timeout(timeout):
        return await fut


def asyncio_as_the_newest() -> Any:
    """Return asyncio, or on an older Python one that is mended."""
    names = {**vars(asyncio), "TaskGroup": OrderedTaskGroup}
    if sys.version_info < (3, 13):
        module = _on_asyncio()
        names["TaskGroup"] = module("waiting").TaskGroup
        names["Condition"] = module("locks").Condition
        names["Barrier"] = module("locks").Barrier  # it has a Condition inside
        names["Semaphore"] = module("locks").Semaphore
        if sys.version_info >= (3, 12):
            names["eager_task_factory"] = asyncio.create_eager_task_factory(Task)
    if sys.version_info < (3, 12):
        names["gather"] = module("waiting").gather
        names["wait_for"] = wait_for
    return SimpleNamespace(**names)
