"""What every engine is given: a listening socket, and a switch that tells it to stop."""

import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from .protocol import logger, note_trouble

# The client gave up before it was accepted, or there is nothing left to accept it with.
NO_CLIENT = {errno.ECONNABORTED, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Listener(socket.socket):
    """A listening socket whose `accept` outlives a process that has no descriptors left.

    It keeps a spare descriptor. When the others are used up, it gives the spare one to the next
    client, to tell it that there is no room by closing the connection. A listener that raised
    would stay readable, and an event loop would ask it again and again.
    """

    def __init__(self, fileno: int) -> None:
        super().__init__(fileno=fileno)
        self._spare = os.open(os.devnull, os.O_RDONLY)
        self._ending = False

    def accept(self) -> tuple[socket.socket, Any]:
        """Return the next client's `(connection, address)`; raise as `socket.accept` does."""
        while True:
            try:
                return super().accept()
            except OSError as error:
                if error.errno not in NO_CLIENT:
                    raise
            if self._ending:
                time.sleep(0.01)  # what is being closed will leave us a descriptor
                continue
            connection, address = self._accept_with_spare()
            if self._spare != -1 or self._ending:
                return connection, address  # the client has left in the meantime
            connection.close()
            self._take_spare()
            logger.error("%s was turned away: no descriptors left", address)

    def _accept_with_spare(self) -> tuple[socket.socket, Any]:
        self._give_spare()
        try:
            return super().accept()
        finally:
            self._take_spare()

    def _give_spare(self) -> None:
        if self._spare != -1:
            os.close(self._spare)
            self._spare = -1

    def _take_spare(self) -> None:
        with suppress(OSError):
            self._spare = os.open(os.devnull, os.O_RDONLY)

    def knock(self) -> None:
        """Connect to ourselves, so that the thread that waits for a client wakes up."""
        self._ending = True
        self._give_spare()
        with suppress(OSError):  # for example: the engine has closed the listener already
            host, port, *_ = self.getsockname()
            host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
            socket.create_connection((host, port), timeout=1).close()

    def close(self) -> None:
        """Close the socket and the spare descriptor."""
        self._give_spare()
        super().close()


def listen(host: str = "127.0.0.1", port: int = 0) -> Listener:
    """Return a listening socket.

    Args:
        host: a name or an address; IPv4 is preferred where a name has both.
        port: 0 takes a free one.

    Raises:
        OSError: the host is unknown, or the port is taken.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, *_, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    server = socket.create_server(address[:2], family=family, backlog=1024)
    return Listener(server.detach())


def allow_many_descriptors() -> None:
    """Ask for as many open sockets as the system lets this process have."""
    try:
        import resource
    except ImportError:
        return  # Windows has no such bound
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (hard, 10_240):  # macOS says "unlimited" and means the second
        with suppress(ValueError, OSError):
            if not 0 <= wanted <= soft:
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return


class Stop:
    """A switch that ends a server, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._set = False
        self._calls: dict[object, Callable[[], Any]] = {}

    def is_set(self) -> bool:
        """Return whether the server is to end."""
        return self._set

    def set(self) -> None:
        """Tell the server to end: make all calls that were asked for."""
        with self._lock:
            self._set = True
            for call in self._calls.values():
                call()

    @contextmanager
    def calls(self, function: Callable[..., Any], *args: Any) -> Iterator[None]:
        """Within the block, `set` also calls `function(*args)` in the thread that stops us."""
        key = object()
        with self._lock:
            self._calls[key] = lambda: function(*args)
            if self._set:
                function(*args)
        try:
            yield
        finally:
            with self._lock:
                del self._calls[key]

    def hangs_up(self, connection: socket.socket) -> Any:
        """Within the block, `set` also ends the connection, and so a `recv` that waits on it."""
        return self.calls(_hang_up, connection)


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def guarded(connection: socket.socket, address: Any) -> Iterator[None]:
    """Close the connection at the end of the block; a client's trouble ends here too."""
    try:
        with connection:
            yield
    except Exception as trouble:
        note_trouble(address, trouble)
