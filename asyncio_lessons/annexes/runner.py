"""Runner and run: Ctrl-C cancels the main task, and everything is cleaned up at the end."""

import contextlib
import contextvars
import functools
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from .. import EventLoop
from ..futures import CancelledError, running
from ..tasks import Task
from ..waiting import cancel_all_tasks


class Runner:
    """A loop for several `run` calls, that is cleaned up at the end of a ``with`` block.

    debug: switch debug mode on or off; loop_factory: makes the loop, `EventLoop` unless given.
    Mirrors asyncio.runners.Runner.
    """

    def __init__(self, *, debug: bool | None = None, loop_factory: Callable | None = None) -> None:
        self._debug = debug
        self._loop_factory = EventLoop if loop_factory is None else loop_factory
        self._loop: Any = None
        self._closed = False
        self._interrupts = 0
        self._context = contextvars.copy_context()  # shared by all runs

    def __enter__(self) -> "Runner":
        self.get_loop()
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def get_loop(self) -> Any:
        """Return the loop, made when it is first asked for."""
        if self._closed:
            raise RuntimeError("Runner is closed")
        if self._loop is None:
            self._loop = self._loop_factory()
            if self._debug is not None:
                self._loop.set_debug(self._debug)
        return self._loop

    def run(self, coro: Coroutine, *, context: Any = None) -> Any:
        """Run `coro` as a task to its end and return its result.

        The first Ctrl-C cancels the task, a second one ends it at once. Raises ValueError if
        `coro` is not a coroutine, RuntimeError where a loop runs already.
        """
        _check_main(coro, "run")
        loop = self.get_loop()
        task = loop.create_task(coro, context=self._context if context is None else context)
        with self._first_interrupt_cancels(task):
            try:
                return loop.run_until_complete(task)
            except CancelledError:
                if self._interrupts and task.uncancel() == 0:
                    raise KeyboardInterrupt from None
                raise

    @contextlib.contextmanager
    def _first_interrupt_cancels(self, task: Task) -> Any:
        self._interrupts = 0
        usual = signal.default_int_handler
        ours = functools.partial(self._on_interrupt, task)
        in_main = threading.current_thread() is threading.main_thread()
        if not in_main or signal.getsignal(signal.SIGINT) is not usual:
            yield
            return
        signal.signal(signal.SIGINT, ours)
        try:
            yield
        finally:
            if signal.getsignal(signal.SIGINT) is ours:
                signal.signal(signal.SIGINT, usual)

    def _on_interrupt(self, task: Task, number: int, frame: Any) -> None:
        self._interrupts += 1
        if self._interrupts > 1 or task.done():
            raise KeyboardInterrupt
        task.cancel()
        task.get_loop().call_soon_threadsafe(lambda: None)  # it may be asleep

    def close(self) -> None:
        """Cancel what is left, shut down generators and threads, and close the loop."""
        loop, self._loop, self._closed = self._loop, None, True
        if loop is None:
            return
        try:
            cancel_all_tasks(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()


def _check_main(coro: Any, method: str) -> None:
    if running.loop is not None:
        if isinstance(coro, Coroutine):
            coro.close()  # the error says enough: no "never awaited" on top of it
        raise RuntimeError(f"{method}() cannot be called from a running event loop")
    if not isinstance(coro, Coroutine):
        import inspect  # only for an error: it takes long to import

        what = f"{coro!r}"
        if inspect.iscoroutinefunction(coro):
            what = f"{coro.__name__}: write {method}({coro.__name__}())"
        raise ValueError(f"a coroutine was expected, got {what}")


def run(main: Coroutine, *, debug: bool | None = None, loop_factory: Callable | None = None) -> Any:
    """Run the coroutine `main` on a new loop, clean up, and return its result.

    Raises RuntimeError where a loop runs already. Mirrors asyncio.runners.run.
    """
    _check_main(main, "run")
    with Runner(debug=debug, loop_factory=loop_factory) as runner:
        return runner.run(main)
