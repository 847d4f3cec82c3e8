"""What asyncio itself reports, for the cells of lesson 11: the same text on every Python."""

import asyncio
import logging
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def call_graph(task: asyncio.Task) -> None:
    """Print what a task awaits, and which tasks await it, as `asyncio.print_call_graph` does.

    Python 3.14 has that function: its text is shown without addresses and files. An older Python
    lacks it: there the same is read off the coroutines and the callbacks.
    """
    if hasattr(asyncio, "format_call_graph"):
        text = re.sub(r", id=0x\w+|File '.*', line \d+, in ", "", asyncio.format_call_graph(task))
        print(text)
    else:
        print("\n".join(_graph_by_hand(task)))


def _graph_by_hand(task: asyncio.Task, indent: str = "") -> Iterator[str]:
    yield f"{indent}* Task(name={task.get_name()!r})"
    yield f"{indent}  + Call stack:"
    names, coro = [], task.get_coro()
    while hasattr(coro, "cr_code"):
        names.append(coro.cr_code.co_name)
        coro = coro.cr_await
    yield from (f"{indent}  |   async {name}()" for name in reversed(names))
    waiting = [getattr(callback, "__self__", None) for callback, _ in task._callbacks or ()]
    waiting = [other for other in waiting if isinstance(other, asyncio.Task)]
    if waiting:
        yield f"{indent}  + Awaited by:"
    for other in waiting:
        yield from _graph_by_hand(other, indent + "    ")


class _Print(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print(record.levelname, record.getMessage())


@contextmanager
def printed_log(name: str = "asyncio") -> Iterator[None]:
    """Print what is logged to the logger of that name in the block."""
    logger, handler = logging.getLogger(name), _Print()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def never_awaited(call: Callable[..., Any], *args: Any) -> None:
    """Call it, and print which coroutine was never awaited, and the line that made it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(*args)
    told = next(text for each in caught if "never awaited" in (text := str(each.message)))
    print(told.splitlines()[0], "at", re.findall(r"line \d+, in \w+", told)[-1])


def run_python(*arguments: str) -> None:
    """Run this Python with these arguments, and print its output or the last line of its error."""
    command = [sys.executable, "-W", "ignore", *arguments]
    environment = os.environ | {"NO_COLOR": "1"}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    print(ran.stdout.rstrip() or ran.stderr.splitlines()[-1].partition(". ")[0])
