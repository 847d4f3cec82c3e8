"""Names what a lesson could leave behind in its process; runs inside a notebook's kernel."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import threading
from collections.abc import Iterator

import psutil


def alive() -> Iterator[str]:
    """Yield a line for each thread, child process, task, open socket and open event loop."""
    for thread in threading.enumerate():
        if not type(thread).__module__.startswith("zmq."):  # the kernel's, for large outputs
            yield f"thread {thread.name}"
    for child in psutil.Process().children():
        if child.status() != psutil.STATUS_ZOMBIE:
            yield f"process {child.name()}"
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        yield f"asyncio task of {task.get_coro().__qualname__}"
    for thing in gc.get_objects():
        yield from _if_open(thing, type(thing))


def _if_open(thing: object, kind: type) -> Iterator[str]:
    """Yield a line if `thing` is open or pending; no `isinstance`, it would run a proxy's code."""
    ours = str(kind.__module__).startswith(("asyncio_lessons.", "my_asyncio."))
    is_loop = issubclass(kind, asyncio.AbstractEventLoop) or hasattr(kind, "run_until_complete")
    if issubclass(kind, socket.SocketType) and thing.fileno() >= 0:
        yield f"socket {thing.family.name} at {thing.getsockname()}"
    elif ours and kind.__name__ == "Task" and not thing.done():
        yield f"task {thing.get_name()}"
    elif is_loop and hasattr(thing, "is_closed") and not thing.is_closed():
        yield f"open event loop {kind.__module__}.{kind.__qualname__}"


def tell() -> None:
    """Print what is alive as a JSON list."""
    print(json.dumps(list(alive())))
