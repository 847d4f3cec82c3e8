"""Start an engine, in a thread of this process or in a process of its own, and stop it again."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

from .listener import Listener, Stop, listen
from .protocol import LIMIT

ENGINES = {  # the name of each engine, and the module it is in
    "blocking": "blocking",
    "threads": "threads",
    "polling": "polling",
    "selector": "selector",
    "generators": "generators",
    "lessons": "lessons",
    "asyncio": "asyncio_streams",
    "uvloop": "asyncio_streams",
}


def engine(name: str, package: str = "asyncio_lessons") -> Callable[..., None]:
    """Return the function `serve(listener, stop, limit)` of an engine.

    Args:
        name: one of `ENGINES`.
        package: what the engine `lessons` runs on, for example `my_asyncio`.

    Raises:
        ValueError: there is no such engine, or what it needs is not installed.
    """
    if name not in ENGINES:
        raise ValueError(f"there is no engine {name!r}: choose one of {', '.join(ENGINES)}")
    serve = import_module(f".{ENGINES[name]}", __package__).serve
    if name == "lessons":
        return partial(serve, aio=_import(package, f"the package {package!r} for engine 'lessons'"))
    if name == "uvloop":
        uvloop = _import("uvloop", "the package uvloop (`pip install uvloop`) for engine 'uvloop'")
        return partial(serve, loop_factory=uvloop.new_event_loop)
    return serve


def _import(module: str, what: str) -> Any:
    try:
        return import_module(module)
    except Exception as error:  # a package of the reader's can fail in any way
        raise ValueError(f"cannot import {what}: {error}") from error


class Server:
    """A running server: its address, and how it ended."""

    def __init__(self, serve: Callable[..., None], listener: Listener, limit: int) -> None:
        self.address: tuple[str, int] = listener.getsockname()[:2]
        self._listener = listener
        self._stop = Stop()
        self._error: BaseException | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(serve, limit), name="echo_reverse server", daemon=True
        )
        self._thread.start()

    def _run(self, serve: Callable[..., None], limit: int) -> None:
        try:
            serve(self._listener, self._stop, limit)
        except BaseException as error:
            self._error = error
        finally:
            self._listener.close()
            self._ended.set()

    def wait(self) -> None:
        """Wait until the server ends: only an error or Ctrl-C gets us out of here."""
        while not self._ended.is_set():
            time.sleep(0.1)  # not in `wait`: Ctrl-C, at a bad moment, breaks the lock in there

    def stop(self, timeout: float = 10.0) -> None:
        """End the server and all its connections; raise what made it end early, if anything did.

        Args:
            timeout: seconds to wait for the engine to end.
        """
        end = time.monotonic() + timeout
        while self._thread.is_alive() and time.monotonic() < end:
            self._stop.set()  # once is enough, unless there was no descriptor left to knock with
            self._thread.join(0.5)
        if self._error is not None:
            raise self._error
        if self._thread.is_alive():
            raise RuntimeError(f"the server did not end within {timeout} s")


@contextmanager
def running(
    name: str,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    limit: int = LIMIT,
    package: str = "asyncio_lessons",
) -> Iterator[Server]:
    """Serve in a thread of this process for the length of a `with` block.

    Args:
        name: one of `ENGINES`.
        host: a name or an address.
        port: 0 takes a free one; `server.address` says which.
        limit: the longest message allowed, in bytes.
        package: what the engine `lessons` runs on.

    Raises:
        ValueError: there is no such engine, or what it needs is not installed.
        OSError: the host is unknown, or the port is taken.
    """
    serve = engine(name, package)
    server = Server(serve, listen(host, port), limit)
    try:
        yield server
    finally:
        server.stop()


class Process:
    """A server in a process of its own: its address, its process, and the CPU time it took."""

    def __init__(self, name: str, options: tuple[str, ...]) -> None:
        command = [sys.executable, "-m", __package__, "serve", "--engine", name, "--port", "0"]
        self.process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
        self.cpu_seconds: float | None = None  # known when it has ended
        first = self.process.stdout.readline()
        host, _, port = first.removeprefix("listening on ").strip().rpartition(":")
        if not port:
            self.process.communicate()
            raise RuntimeError(f"the server with engine {name!r} did not start")
        self.address = (host.strip("[]"), int(port))

    def stop(self) -> None:
        """End the server as Ctrl-C does, and read how much CPU time it took since it listened."""
        on_windows = sys.platform == "win32"
        self.process.send_signal(signal.SIGTERM if on_windows else signal.SIGINT)
        last, _ = self.process.communicate(timeout=10)
        if last:
            self.cpu_seconds = float(last.split()[2])


@contextmanager
def launched(name: str, *options: str) -> Iterator[Process]:
    """Serve in another process for the length of a `with` block.

    Afterwards `cpu_seconds` tells what the serving cost, without its clients and without the
    start of Python.

    Args:
        name: one of `ENGINES`.
        options: further options of the program, for example `"--limit", "1000"`.
    """
    server = Process(name, options)
    try:
        yield server
    finally:
        server.stop()
