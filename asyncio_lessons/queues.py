"""Queues: how tasks hand work over.

A `get` from an empty queue leaves a future behind and waits for it; the next `put` finishes that
future, and so wakes one that waits. A full queue does the same the other way round.
"""

import heapq
from collections import deque
from types import GenericAlias
from typing import Any

from .futures import Future, get_running_loop


class QueueEmpty(Exception):
    """There is nothing to get now. Mirrors asyncio.queues.QueueEmpty."""


class QueueFull(Exception):
    """There is no room to put more now. Mirrors asyncio.queues.QueueFull."""


class QueueShutDown(Exception):
    """The queue was shut down. Mirrors asyncio.queues.QueueShutDown."""


class LoopBound:
    """Something whose waiters live on one loop: the first that anybody had to wait on.

    Mirrors asyncio.mixins._LoopBoundMixin.
    """

    _loop: Any = None

    def _create_future(self) -> Future:
        loop = get_running_loop()
        if self._loop is not loop:
            if self._loop is not None:
                raise RuntimeError(f"{self!r} is bound to a different event loop")
            self._loop = loop
        return loop.create_future()


def wake_all(waiters: Any) -> None:
    """Finish every future of `waiters` that still waits."""
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)


def wake_next(waiters: deque) -> None:
    """Finish the first future of `waiters` that still waits, and take it out."""
    while waiters:
        if not (waiter := waiters.popleft()).done():
            return waiter.set_result(None)


class Queue(LoopBound):
    """First in, first out.

    maxsize: how many items fit in; zero or less for any number. Mirrors asyncio.queues.Queue.
    """

    __class_getitem__ = classmethod(GenericAlias)

    def __init__(self, maxsize: int = 0) -> None:
        self._maxsize = maxsize
        self._getters: deque[Future] = deque()
        self._putters: deque[Future] = deque()
        self._joiners: list[Future] = []
        self._unfinished_tasks = 0
        self._is_shutdown = False
        self._init(maxsize)

    # What another order of items replaces:

    def _init(self, maxsize: int) -> None:
        self._queue: Any = deque()

    def _get(self) -> Any:
        return self._queue.popleft()

    def _put(self, item: Any) -> None:
        self._queue.append(item)

    def __repr__(self) -> str:
        info = f"maxsize={self._maxsize!r}"
        if self._queue:
            info += f" _queue={list(self._queue)!r}"
        for name in ("getters", "putters"):
            if waiting := len(getattr(self, f"_{name}")):
                info += f" _{name}[{waiting}]"
        if self._unfinished_tasks:
            info += f" tasks={self._unfinished_tasks}"
        return f"<{type(self).__name__} {info}{' shutdown' * self._is_shutdown}>"

    def qsize(self) -> int:
        """Return how many items are in."""
        return len(self._queue)

    @property
    def maxsize(self) -> int:
        """How many items fit in."""
        return self._maxsize

    def empty(self) -> bool:
        """Say whether there is nothing in."""
        return not self._queue

    def full(self) -> bool:
        """Say whether no more fits in."""
        return 0 < self._maxsize <= self.qsize()

    async def put(self, item: Any) -> None:
        """Put an item in, waiting while the queue is full. Raises QueueShutDown."""
        while 0 < self._maxsize <= len(self._queue) and not self._is_shutdown:
            await self._wait_in(self._putters, self.full)
        self.put_nowait(item)

    def put_nowait(self, item: Any) -> None:
        """Put an item in now. Raises QueueFull or QueueShutDown."""
        if self._is_shutdown:
            raise QueueShutDown
        if 0 < self._maxsize <= len(self._queue):
            raise QueueFull
        self._put(item)
        self._unfinished_tasks += 1
        if self._getters:
            wake_next(self._getters)

    async def get(self) -> Any:
        """Take the next item out, waiting while there is none. Raises QueueShutDown."""
        while not self._queue and not self._is_shutdown:
            await self._wait_in(self._getters, self.empty)
        return self.get_nowait()

    def get_nowait(self) -> Any:
        """Take the next item out now. Raises QueueEmpty or QueueShutDown."""
        if not self._queue:
            raise QueueShutDown if self._is_shutdown else QueueEmpty
        item = self._get()
        if self._putters:
            wake_next(self._putters)
        return item

    async def _wait_in(self, waiters: deque[Future], must_wait: Any) -> None:
        waiter = self._create_future()
        waiters.append(waiter)
        try:
            await waiter
        except BaseException:
            waiter.cancel()
            if waiter in waiters:
                waiters.remove(waiter)
            if not must_wait() and not waiter.cancelled():
                wake_next(waiters)  # we were woken, and cannot use it: another task can
            raise

    def task_done(self) -> None:
        """Say that an item that was taken out is dealt with; `join` waits for all of these.

        Raises ValueError if there are more of these than items.
        """
        if self._unfinished_tasks <= 0:
            raise ValueError("task_done() called too many times")
        self._unfinished_tasks -= 1
        if self._unfinished_tasks == 0:
            wake_all(self._joiners)

    async def join(self) -> None:
        """Wait until every item that was put in is dealt with."""
        if self._unfinished_tasks > 0:
            waiter = self._create_future()
            self._joiners.append(waiter)
            try:
                await waiter
            finally:
                self._joiners.remove(waiter)

    def shutdown(self, immediate: bool = False) -> None:
        """Refuse further `put`, and `get` once the queue is empty; `immediate` empties it."""
        self._is_shutdown = True
        while immediate and not self.empty():
            self._get()
            if self._unfinished_tasks > 0:
                self.task_done()
        for waiters in (self._getters, self._putters):
            wake_all(waiters)
            waiters.clear()


class PriorityQueue(Queue):
    """The smallest first, often of pairs (priority, item). Mirrors asyncio.queues.PriorityQueue."""

    def _init(self, maxsize: int) -> None:
        self._queue = []

    def _get(self) -> Any:
        return heapq.heappop(self._queue)

    def _put(self, item: Any) -> None:
        heapq.heappush(self._queue, item)


class LifoQueue(Queue):
    """Last in, first out. Mirrors asyncio.queues.LifoQueue."""

    def _init(self, maxsize: int) -> None:
        self._queue = []

    def _get(self) -> Any:
        return self._queue.pop()
