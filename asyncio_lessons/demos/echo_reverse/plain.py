"""What lesson 12 needs beside its plain server: an address, a look at the thread, two ends."""

import linecache
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any


def listen(port: int = 6789, backlog: int = 1) -> socket.socket:
    """Return a socket that listens on a port of this machine, or on a free one if that fails."""
    server = socket.socket()
    if sys.platform != "win32":
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind(("localhost", port))
    except OSError:
        server.bind(("127.0.0.1", 0))
    server.listen(backlog)  # so many may wait until they are accepted
    return server


def waits_at(thread: threading.Thread, function: Callable[..., Any]) -> str:
    """Return the line of `function` at which a thread stands that runs it."""
    frame = sys._current_frames()[thread.ident]
    while frame.f_code is not function.__code__:
        frame = frame.f_back
    return linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()


def connected() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a connection inside this program, non-blocking."""
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(False)
    return ends
