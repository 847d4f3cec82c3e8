"""Run one program on this package and on asyncio, on virtual time, and compare what happens.

A program is ``async def program(lib, log)``, or ``def program(lib, log)`` if it drives ``log.loop``
itself. `lib` is the package under test, then asyncio. What a program tells `log` stands in the log
with the time; so does what it returns or raises, and what is reported because it is not awaited.
"""

from __future__ import annotations

import asyncio
import difflib
import gc
import importlib.util
import inspect
import logging
import os
import re
import selectors
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

# The reader's own package is put in the place of the course's by naming it here.
aio = importlib.import_module(os.environ.get("ASYNCIO_LESSONS_PACKAGE", "asyncio_lessons"))
LIBRARIES = (aio, asyncio)
FAST = importlib.util.find_spec(f"{aio.__name__}.annexes.speed") is not None
gc.freeze()  # what is imported now stays: each `gc.collect()` below need not look at it again


# What changes from run to run: names that count up; and what we leave out: addresses and paths.
NOT_COMPARED = {
    r"\bTask-\d+": "Task-N",
    r"( created)? at (0x[0-9a-f]+|\S+:\d+)": "",
    r" done, defined\b": " done",
    r"took 0\.0\d+": "took 0.0..",
    r"<asyncio\.locks\.(\w+) object": r"<\1",
}


class Deadlock(Exception):
    """What asyncio would wait for for ever; ours says so itself."""


class JumpingSelector(selectors.DefaultSelector):
    """Lets virtual time pass in place of real time."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list:
        events = super().select(0)
        if not events and timeout is None:
            if len(self.get_map()) == 1:  # only the loop's own pipe
                raise Deadlock
            return super().select(5)
        if not events and timeout:
            self.now += timeout
        return events


class VirtualAsyncioLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop, on virtual time."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def virtual_loop(lib: ModuleType) -> Any:
    """Return a loop of `lib` on virtual time."""
    if lib is asyncio:
        return VirtualAsyncioLoop()
    return lib.EventLoop(clock=lib.VirtualClock())


class Log(list):
    """What happens, as lines ``TIME WHAT``; without the time if that is the real one."""

    def __init__(self, loop: Any, real: bool) -> None:
        self.loop = loop
        self.real = real

    def __call__(self, *what: Any) -> None:
        time = [] if self.real else [f"{self.loop.time():g}"]
        self.append(" ".join([*time, *map(show, what)]).rstrip())

    def attempt(self, function: Callable, *args: Any, **kwargs: Any) -> None:
        """Call a function, and log what it returns or raises."""
        try:
            self(function(*args, **kwargs))
        except BaseException as error:
            self(error)

    async def outcome(self, awaitable: Any) -> None:
        """Await, and log what comes or is raised."""
        try:
            self(await awaitable)
        except BaseException as error:
            self(error)


def show(value: Any) -> str:
    """Write a value in the same words for both libraries."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, BaseExceptionGroup):
        text = f"{type(value).__name__}[{', '.join(map(show, value.exceptions))}]"
    elif isinstance(value, BaseException):
        text = f"{type(value).__name__}({', '.join(map(str, value.args))})"
    elif isinstance(value, list | tuple):
        text = f"[{', '.join(map(show, value))}]"
    elif isinstance(value, set | frozenset):
        text = f"{{{', '.join(sorted(map(show, value)))}}}"
    else:
        text = repr(value)
    for unsteady, steady in NOT_COMPARED.items():
        text = re.sub(unsteady, steady, text)
    return text


class Reports(logging.Handler):
    """Takes what a library logs."""

    def __init__(self, lib: ModuleType, log: Log) -> None:
        super().__init__()
        self.log = log
        self.logger = logging.getLogger(lib.__name__)

    def emit(self, record: logging.LogRecord) -> None:
        error = [record.exc_info[1]] if record.exc_info else []
        self.log(f"{record.levelname}:", record.getMessage().splitlines()[0], *error)

    def __enter__(self) -> None:
        self.logger.addHandler(self)
        self.logger.propagate = False

    def __exit__(self, *_: Any) -> None:
        gc.collect()  # now, while it is heard, and for both
        self.logger.removeHandler(self)
        self.logger.propagate = True


def run(lib: ModuleType, program: Callable, real: bool = False) -> list[str]:
    """Run a program on one library; return its log."""
    loop = lib.new_event_loop() if real else virtual_loop(lib)
    log = Log(loop, real)
    with Reports(lib, log):
        try:
            _log_its_end(lib, program, log)
        finally:
            loop.close()
    return list(log)


def _log_its_end(lib: ModuleType, program: Callable, log: Log) -> None:
    try:
        if inspect.iscoroutinefunction(program):
            with lib.Runner(loop_factory=lambda: log.loop) as runner:
                result = runner.run(program(lib, log))
        else:
            result = program(lib, log)
    except BaseException as error:
        log("raises", error)
    else:
        if result is not None:
            log("returns", result)


def same(program: Callable, *, since: tuple[int, ...] = (3, 11), real: bool = False) -> list[str]:
    """Run a program on both, see that the logs are the same, and return the log.

    since: the first Python whose asyncio does so too. On an older one, what the test says of the
    log that is returned holds our side. real: in real time, which is not compared.
    """
    ours = run(aio, program, real)
    if sys.version_info >= since:
        theirs = run(asyncio, program, real)
        assert ours == theirs, "\n".join(["- asyncio, + ours:", *difflib.ndiff(theirs, ours)])
    return ours
