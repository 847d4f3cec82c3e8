"""Loops: which one is this, which one runs, and a new one to run a program on."""

import contextlib
import contextvars
import functools
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

LOOPS = ("lessons", "asyncio", "uvloop")
PATIENCE = 2.0  # seconds that a thread has to end after an interrupt

# -- all that we ask of a loop which its documentation does not name ----------------------------


def ready_queue(loop: Any) -> deque | None:
    """Return the ready queue of our loop or asyncio's, None where it is hidden (uvloop)."""
    queue = getattr(loop, "_ready", None)
    return queue if isinstance(queue, deque) and hasattr(loop, "_run_once") else None


def set_ready_queue(loop: Any, queue: deque) -> None:
    loop._ready = queue


def guard_of(queue: deque) -> Callable | None:
    """Return what a queue of debug mode asks before it takes anything."""
    return getattr(queue, "_check", None)


def callback_of(item: Any) -> Any:
    """Return the callback of a handle in the ready queue; None for what is not a handle."""
    return getattr(item, "_callback", None)


def waker_of(item: Any) -> Any:
    """Return the future that woke a task which stands in the ready queue; None if none did."""
    args = getattr(item, "_args", None)
    return args[0] if args else getattr(item, "_fut_waiter", None)


def is_timer(item: Any) -> bool:
    return hasattr(item, "_when")


def is_cancelled(item: Any) -> bool:
    """Say whether a handle or timer is cancelled."""
    return getattr(item, "_cancelled", False)


def heap_of(loop: Any) -> list:
    """Return the heap of timers; its entries are for `timer_in`."""
    return getattr(loop, "_scheduled", ())


def timer_in(entry: Any) -> tuple[float, Any]:
    """Return (when, timer) of an entry of the heap, on our loop and on asyncio's."""
    return (entry[0], entry[-1]) if type(entry) is tuple else (entry._when, entry)


def cancelled_timers(loop: Any) -> int:
    """Return how many timers in the heap are known to be cancelled."""
    return getattr(loop, "_timer_cancelled_count", 0)


def selector_of(loop: Any) -> Any:
    return getattr(loop, "_selector", None)


def is_wake_up(loop: Any, fileobj: Any) -> bool:
    """Say whether this is the socket by which other threads wake the loop."""
    own = getattr(loop, "_ssock", None)
    return own is not None and (fileobj is own or fileobj == own.fileno())


def reads_wake_up(callback: Any) -> bool:
    """Say whether this callback only empties that socket."""
    return getattr(callback, "__name__", "") == "_read_from_self"


def error_of(future: Any) -> Any:
    """Return the error a future ended with, without fetching it: fetched, it is not reported."""
    error = getattr(future, "_exception", None)
    return error if isinstance(error, BaseException) else None


# -- which loop this is -----------------------------------------------------------------------


def is_ours(loop: Any) -> bool:
    """Say whether this loop is the course's or the reader's, or made from it."""
    bases = [cls for cls in type(loop).__mro__ if cls.__name__ == "BaseEventLoop"]
    return any(cls.__module__.split(".")[0] != "asyncio" for cls in bases)


def name_of_loop(loop: Any) -> str:
    top = type(loop).__module__.split(".")[0]
    return {"asyncio_lessons": "lessons"}.get(top, top)


def clock_of(loop: Any) -> Callable[[], float]:
    """Return what ``loop.time()`` ends up calling, which is quicker.

    uvloop reads its clock once in a turn, in milliseconds: too coarse to see a step.
    """
    if name_of_loop(loop) == "uvloop":
        return time.monotonic
    own = getattr(type(loop).time, "__qualname__", "") != "BaseEventLoop.time"
    if own or (is_ours(loop) and not hasattr(loop, "_clock")):
        return loop.time
    return loop._clock.time if is_ours(loop) else time.monotonic


def virtual_clock(loop: Any) -> Any:
    """Return the virtual clock of a loop, None if its time is real."""
    clock = getattr(loop, "_clock", None)
    return clock if hasattr(clock, "advance") else None


def current_loop() -> Any:
    """Return the innermost loop that runs in this thread, None if none does."""
    for package in ("my_asyncio", "asyncio_lessons"):
        futures = sys.modules.get(f"{package}.futures")
        loop = futures and futures.running.loop
        if loop is not None:
            return loop
    asyncio = sys.modules.get("asyncio")
    return asyncio and asyncio._get_running_loop()


def current_task(loop: Any) -> Any:
    """Return the task that runs on `loop` now, None if none does."""
    if is_ours(loop):
        return loop._current_task
    return sys.modules["asyncio"].current_task(loop)


def work(seconds: float) -> None:
    """Be busy for `seconds`: CPU work, which blocks the loop, in real or in virtual time."""
    loop = current_loop()
    clock = virtual_clock(loop)
    if clock is not None:
        clock.advance(seconds)
        return
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def loop_factory(name: str | ModuleType, virtual: bool = False) -> Callable[[], Any]:
    """Return what makes a loop: of the course ("lessons"), of "asyncio", or of "uvloop".

    name may also be a package with an `EventLoop` and a `VirtualClock`, such as `my_asyncio`.

    Raises ValueError for another name, or for uvloop with virtual time; ModuleNotFoundError if
    uvloop is not installed.
    """
    if package := package_of(name):
        return (
            (lambda: package.EventLoop(clock=package.VirtualClock()))
            if virtual
            else package.EventLoop
        )
    if name == "asyncio":
        import asyncio

        return _virtual_asyncio_loop if virtual else asyncio.new_event_loop
    if name != "uvloop":
        raise ValueError(f"loop must be one of {', '.join(LOOPS)}; got {name!r}")
    if virtual:
        raise ValueError("uvloop keeps its time in C: virtual time works with lessons and asyncio")
    try:
        import uvloop
    except ModuleNotFoundError:
        message = "uvloop is not installed: %pip install uvloop, or choose lessons or asyncio"
        raise ModuleNotFoundError(message, name="uvloop") from None
    return uvloop.new_event_loop


def package_of(loop: Any) -> ModuleType | None:
    """Return the package a loop of our making is from; None for asyncio's, uvloop's and others."""
    if loop == "lessons":
        return import_module("...", __package__)
    return loop if isinstance(loop, ModuleType) else None


def _virtual_asyncio_loop() -> Any:
    import asyncio
    import selectors

    from ... import VirtualClock

    clock = VirtualClock()

    class PatientSelector(selectors.DefaultSelector):
        def select(self, timeout: float | None = None) -> list:
            return clock.sleep(timeout, super().select)

    class VirtualAsyncioLoop(asyncio.SelectorEventLoop):
        _clock = clock

        def time(self) -> float:
            return clock.time()

    VirtualAsyncioLoop.__module__ = "asyncio"
    return VirtualAsyncioLoop(PatientSelector())


def run_on(main: Coroutine, factory: Callable, name: Any) -> tuple[Any, BaseException | None]:
    """Return (result, error) of a program on a new loop: here, or in a thread if need be."""
    asyncio = sys.modules.get("asyncio")
    nested = asyncio is not None and asyncio._get_running_loop() is not None
    if package := package_of(name):
        return _outcome(lambda: package.run(main, loop_factory=factory))
    import asyncio

    made: list = []

    def go() -> Any:
        with asyncio.Runner(loop_factory=lambda: made.append(factory()) or made[0]) as runner:
            return runner.run(main)

    return _in_thread(go, made) if nested else _outcome(go)


def _outcome(go: Callable) -> tuple[Any, BaseException | None]:
    try:
        with _interrupts_raise():
            return go(), None
    except BaseException as error:
        return None, error


def _in_thread(go: Callable, made: list) -> tuple[Any, BaseException | None]:
    """Call ``go()`` in a thread of its own; an interrupt here interrupts it there."""
    outcome: list = []

    def run() -> None:
        outcome.append(context.run(_outcome, go))

    context = contextvars.copy_context()
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    deadline = float("inf")
    with _interrupts_raise():
        while not outcome and time.monotonic() < deadline:
            try:
                time.sleep(0.005)  # not in `join`: an interrupt, at a bad moment, breaks its lock
            except KeyboardInterrupt:
                _interrupt(thread, made)
                deadline = time.monotonic() + PATIENCE
    return outcome[0] if outcome else (None, KeyboardInterrupt())


@contextlib.contextmanager
def _interrupts_raise() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt at once, whatever runs.

    A runner would cancel the main task, which does not help if that computes, or cannot run since
    we wait here; it does so only where the usual handler is in place.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = functools.partial(signal.default_int_handler)  # not the same, but it does the same
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt(thread: threading.Thread, loops: list) -> None:
    """Raise KeyboardInterrupt in another thread at its next instruction, and wake its loop."""
    import ctypes

    ident = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(KeyboardInterrupt))
    for loop in loops:
        if not loop.is_closed():
            loop.call_soon_threadsafe(int)
