"""as_completed: futures in the order in which they finish, by way of a queue."""

from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from typing import Any

from ..futures import Future, get_running_loop, isfuture
from ..queues import Queue
from ..tasks import ensure_future


class AsCompleted:
    """An iterator, plain or asynchronous, over futures in the order in which they finish."""

    def __init__(self, fs: Iterable, timeout: float | None) -> None:
        loop = get_running_loop()
        self._finished: Queue = Queue()
        self._todo = {ensure_future(each): None for each in dict.fromkeys(fs)}  # in order
        self._left = len(self._todo)  # how many are still to be given
        for future in self._todo:
            future.add_done_callback(self._finish)
        timed = timeout is not None and self._todo
        self._timer = loop.call_later(timeout, self._too_late) if timed else None

    def _finish(self, future: Future) -> None:
        if not self._todo:
            return  # the time was up first
        del self._todo[future]
        self._finished.put_nowait(future)
        if not self._todo and self._timer is not None:
            self._timer.cancel()

    def _too_late(self) -> None:
        for future in self._todo:
            future.remove_done_callback(self._finish)
            self._finished.put_nowait(None)
        self._todo.clear()

    async def _next(self) -> Future:
        try:
            future = await self._finished.get()
        except BaseException:
            self._left += 1
            raise
        if future is None:
            raise TimeoutError
        return future

    async def _result(self) -> Any:
        return (await self._next()).result()

    def __iter__(self) -> Iterator[Coroutine]:
        return self

    def __next__(self) -> Coroutine:
        if not self._left:
            raise StopIteration
        self._left -= 1
        return self._result()

    def __aiter__(self) -> AsyncIterator[Future]:
        return self

    async def __anext__(self) -> Future:
        if not self._left:
            raise StopAsyncIteration
        self._left -= 1
        return await self._next()


def as_completed(fs: Iterable, *, timeout: float | None = None) -> AsCompleted:
    """Return an iterator over `fs` in the order in which they finish.

    ``for coro in ...`` gives coroutines to await; ``async for task in ...`` the tasks themselves.
    After `timeout` seconds what is left raises TimeoutError. Mirrors asyncio.tasks.as_completed.
    """
    if isfuture(fs) or isinstance(fs, Coroutine):
        raise TypeError(f"expects an iterable of awaitables, not {type(fs).__name__}")
    return AsCompleted(fs, timeout)
