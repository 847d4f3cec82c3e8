"""The whole: `Future`, `Task` and the event loops, with every annex but `speed`."""

from collections.abc import Coroutine
from typing import Any

from .. import event_loop, futures, sockets, tasks
from .async_generators import GeneratorLoop
from .clocks import ClockedLoop
from .factories import EagerTask, FactoryLoop
from .guards import GuardedFuture, GuardedLoop, GuardedSockets
from .more_sockets import MoreSockets
from .reports import ReportingFuture, ReportingLoop, ReportingTask
from .signals import SignalLoop
from .threads import ThreadLoop


class Future(GuardedFuture, ReportingFuture, futures.Future):
    __doc__ = futures.Future.__doc__


class Task(ReportingTask, EagerTask, tasks.Task, Future):
    __doc__ = tasks.Task.__doc__


class BaseEventLoop(
    GuardedLoop, FactoryLoop, GeneratorLoop, ReportingLoop, ClockedLoop, event_loop.BaseEventLoop
):
    __doc__ = event_loop.BaseEventLoop.__doc__

    def create_future(self) -> Future:
        """Return a Future of this loop."""
        return Future(loop=self)

    def _make_task(self, coro: Coroutine, **options: Any) -> Task:
        return Task(coro, loop=self, **options)


class EventLoop(
    GuardedSockets, SignalLoop, ThreadLoop, MoreSockets, BaseEventLoop, sockets.EventLoop
):
    __doc__ = sockets.EventLoop.__doc__
