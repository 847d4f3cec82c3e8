"""Threads: work that blocks goes to another thread, and its result comes back as a future."""

import concurrent.futures
import contextvars
import functools
import threading
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

from ..futures import Future, get_running_loop, isfuture, set_result_unless_cancelled
from ..tasks import ensure_future


class ThreadLoop:
    """A loop that has threads for what blocks."""

    _default_executor: Any = None
    _executor_shutdown_called = False

    def __init__(self, *args: Any, **options: Any) -> None:
        self._jobs: set = set()  # futures of what runs in other threads
        # The threads there are have nothing to do with us, but for the one that may have made us.
        self._threads = {*threading.enumerate()} - {threading.main_thread()}
        super().__init__(*args, **options)

    def close(self) -> None:
        """Close the loop, and let its threads end."""
        super().close()
        if self._default_executor is not None:
            self._default_executor.shutdown(wait=False)

    def run_in_executor(self, executor: Any, func: Callable, *args: Any) -> Future:
        """Call ``func(*args)`` in a thread of `executor`, the loop's own for None.

        Returns a Future of the result. Cancelling it does not stop the thread.
        """
        self._check_closed()
        if self._debug:
            self._check_callback(func, "run_in_executor")
        future = wrap_future((executor or self._own_executor()).submit(func, *args), loop=self)
        self._jobs.add(future)
        future.add_done_callback(self._jobs.discard)
        return future

    def _own_executor(self) -> Any:
        if self._executor_shutdown_called:
            raise RuntimeError("Executor shutdown has been called")
        if self._default_executor is None:
            name = __package__.partition(".")[0]
            threads = concurrent.futures.ThreadPoolExecutor(thread_name_prefix=name)
            self.set_default_executor(threads)
        return self._default_executor

    def set_default_executor(self, executor: Any) -> None:
        """Use this concurrent.futures.ThreadPoolExecutor where `run_in_executor` gets None."""
        self._default_executor = executor

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait up to `timeout` seconds for the threads of the loop's own executor, and end them.

        Warns if they do not end in time.
        """
        self._executor_shutdown_called = True
        if (executor := self._default_executor) is None:
            return
        in_time = self.create_future()

        def end_them() -> None:
            executor.shutdown()
            call_in(self, set_result_unless_cancelled, in_time, True)

        thread = threading.Thread(target=end_them)
        thread.start()
        if timeout is not None:
            self.call_later(timeout, set_result_unless_cancelled, in_time, False)
        if await in_time:
            thread.join()
        else:
            what = f"The executor did not finishing joining its threads within {timeout} seconds."
            warnings.warn(what, RuntimeWarning, stacklevel=2)
            executor.shutdown(wait=False)

    def _can_be_woken(self) -> bool:
        known = {threading.current_thread(), *getattr(self._default_executor, "_threads", ())}
        others = {*threading.enumerate()} - self._threads - known
        return bool(self._jobs or others) or super()._can_be_woken()


def wrap_future(future: Any, *, loop: Any = None) -> Future:
    """Return a Future for a concurrent.futures.Future, which itself cannot be awaited.

    Mirrors asyncio.futures.wrap_future.
    """
    if isfuture(future):
        return future
    known = isinstance(future, concurrent.futures.Future)
    assert known, f"concurrent.futures.Future is expected, got {future!r}"
    ours = (loop or get_running_loop()).create_future()
    ours.add_done_callback(lambda ours: ours.cancelled() and future.cancel())
    future.add_done_callback(lambda _: call_in(ours.get_loop(), copy_outcome, future, ours))
    return ours


def call_in(loop: Any, function: Callable, *args: Any) -> None:
    """Call a function in the thread of `loop`, unless that is closed."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(function, *args)


def copy_outcome(source: Any, target: Any) -> None:
    """End `target`, unless it has ended, as `source` did."""
    if target.done():
        return
    if source.cancelled():
        target.cancel()
    elif (error := source.exception()) is None:
        target.set_result(source.result())
    elif isinstance(error, concurrent.futures.CancelledError) and isfuture(target):
        target.set_exception(type(target._make_cancelled_error())(*error.args))
    else:
        target.set_exception(error)


def tell_threads(future: concurrent.futures.Future, task: Any) -> None:
    """End `future` as `task` did, and wake the threads that wait for it."""
    if task.cancelled():
        future.cancel()
    if future.set_running_or_notify_cancel():
        copy_outcome(task, future)


async def to_thread(func: Callable, /, *args: Any, **kwargs: Any) -> Any:
    """Call ``func(*args, **kwargs)`` in another thread, in this context, and await its result.

    Mirrors asyncio.threads.to_thread.
    """
    call = functools.partial(contextvars.copy_context().run, func, *args, **kwargs)
    return await get_running_loop().run_in_executor(None, call)


def run_coroutine_threadsafe(coro: Coroutine, loop: Any) -> concurrent.futures.Future:
    """Have `loop`, which runs in another thread, run `coro`; return a concurrent.futures.Future.

    Raises TypeError if `coro` is not a coroutine. Mirrors asyncio.tasks.run_coroutine_threadsafe.
    """
    if not isinstance(coro, Coroutine):
        raise TypeError("A coroutine object is required")
    result: concurrent.futures.Future = concurrent.futures.Future()

    def callback() -> None:
        try:
            task = ensure_future(coro, loop=loop)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            if result.set_running_or_notify_cancel():
                result.set_exception(error)
            raise
        result.add_done_callback(lambda _: result.cancelled() and call_in(loop, task.cancel))
        task.add_done_callback(functools.partial(tell_threads, result))

    loop.call_soon_threadsafe(callback)
    return result
