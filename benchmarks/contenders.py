"""Who is measured: each contender runs a coroutine function of its own kind to the end.

asyncio's programs run on four of them unchanged (ours is one), since the names are the same. Trio,
Curio and tinyio have programs of their own, in `others`.
"""

import asyncio
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import asyncio_lessons

OURS = "asyncio_lessons"
BASE = "asyncio"
PURE_PYTHON = sys.version_info < (3, 14)  # from then on only C knows which task runs


class Contender(NamedTuple):
    """A loop with a name: `library` is what its programs are written with, `run` runs one."""

    name: str
    library: ModuleType
    run: Callable


def in_pure_python() -> asyncio.AbstractEventLoop:
    """Return an asyncio loop whose tasks and futures are asyncio's classes in Python."""
    loop = asyncio.new_event_loop()
    loop.set_task_factory(
        lambda loop, coro, **options: asyncio.tasks._PyTask(coro, loop=loop, **options)
    )
    loop.create_future = lambda: asyncio.futures._PyFuture(loop=loop)
    return loop


def on(loop_factory: Callable | None) -> Callable:
    """Return what runs a coroutine on a new asyncio loop made by `loop_factory`."""

    def run(main: Any) -> Any:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(main)

    return run


def contenders() -> list[Contender]:
    """Return those that are installed here, ours and asyncio first."""
    found = [
        Contender(OURS, asyncio_lessons, asyncio_lessons.run),
        Contender(BASE, asyncio, on(None)),
    ]
    if PURE_PYTHON:
        found.append(Contender("asyncio, its Python classes", asyncio, on(in_pure_python)))
    if uvloop := installed("uvloop"):
        found.append(Contender("uvloop", asyncio, on(uvloop.new_event_loop)))
    for name, runs in {"trio": "run_trio", "curio": "run_curio", "tinyio": "run_tinyio"}.items():
        if library := installed(name):
            others = importlib.import_module("benchmarks.others")
            found.append(Contender(name, library, getattr(others, runs)))
    return found


def installed(name: str) -> ModuleType | None:
    """Return a module, or None where it is not installed or does not run on this Python."""
    try:
        return importlib.import_module(name)
    except Exception:
        return None
