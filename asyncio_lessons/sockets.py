"""Sockets: the loop sleeps in the selector, which wakes it when a socket has something.

A loop that has nothing to run asks the operating system to wake it: "when one of these sockets can
be read or written, or after so many seconds". One of these sockets is the loop's own: another
thread writes a byte to it, and so wakes a loop that sleeps.

The ``sock_*`` coroutines try first, and wait only where the socket says it would block.
"""

import contextlib
import selectors
import socket
from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from .event_loop import BaseEventLoop
from .futures import Handle, set_result_unless_cancelled

WOULD_BLOCK = (BlockingIOError, InterruptedError)


class EventLoop(BaseEventLoop):
    """The event loop: `BaseEventLoop`, woken by sockets and by other threads.

    selector: a selectors.BaseSelector, the system's best unless given.
    Mirrors asyncio.selector_events.BaseSelectorEventLoop.
    """

    def __init__(self, selector: Any = None) -> None:
        super().__init__()
        self._selector = selector or selectors.DefaultSelector()
        self._ssock, self._csock = socket.socketpair()  # the self-pipe: what goes into _csock
        self._ssock.setblocking(False)  # comes out of _ssock
        self._csock.setblocking(False)
        self.add_reader(self._ssock, self._read_from_self)

    def close(self) -> None:
        """Close the selector and the self-pipe; see `BaseEventLoop.close`."""
        super().close()
        for each in (self._selector, self._ssock, self._csock):
            each.close()

    # -- sleeping, and being woken --------------------------------------------------------------

    def _select(self, timeout: float | None) -> list:
        return self._process_events(self._selector.select(timeout))

    def _process_events(self, events: list) -> list:
        """Return the handles of what the selector reports: pairs (key, mask of events)."""
        ready = []
        for key, mask in events:
            ready += [handle for event, handle in key.data.items() if mask & event]
        return ready

    def _listen(self, fd: Any, event: int, handle: Handle | None) -> bool:
        """Make `handle` ready at each `event` of `fd` from now on; None: stop listening.

        Returns whether there was a handle before, which is cancelled.
        """
        handles = {}  # event -> handle: what the selector keeps for us, and gives back as key.data
        if fd in self._selector.get_map():
            handles = self._selector.unregister(fd).data
        before = handles.pop(event, None)
        if handle is not None:
            handles[event] = handle
        if handles:
            self._selector.register(fd, sum(handles), handles)
        if before is not None:
            before.cancel()
        return before is not None

    def add_reader(self, fd: Any, callback: Callable, *args: Any) -> None:
        """Call ``callback(*args)`` each time `fd`, a socket or a descriptor, can be read."""
        self._listen(fd, EVENT_READ, Handle(callback, args, self))

    def remove_reader(self, fd: Any) -> bool:
        """Stop listening to `fd` for reading; return False if there was no reader."""
        return self._listen(fd, EVENT_READ, None)

    def add_writer(self, fd: Any, callback: Callable, *args: Any) -> None:
        """Call ``callback(*args)`` each time `fd`, a socket or a descriptor, can be written."""
        self._listen(fd, EVENT_WRITE, Handle(callback, args, self))

    def remove_writer(self, fd: Any) -> bool:
        """Stop listening to `fd` for writing; return False if there was no writer."""
        return self._listen(fd, EVENT_WRITE, None)

    # -- sockets as coroutines ------------------------------------------------------------------

    async def _until(self, event: int, sock: socket.socket) -> None:
        """Wait for `event`, EVENT_READ or EVENT_WRITE, of `sock`."""
        future = self.create_future()
        self._listen(sock, event, Handle(set_result_unless_cancelled, (future,), self))
        try:
            await future
        finally:
            self._listen(sock, event, None)

    async def _retry(self, event: int, sock: socket.socket, call: Callable, *args: Any) -> Any:
        """Return ``call(*args)``; while it would block, wait for `event` and try again."""
        while True:
            try:
                return call(*args)
            except WOULD_BLOCK:
                await self._until(event, sock)

    async def sock_recv(self, sock: socket.socket, n: int) -> bytes:
        """Receive up to `n` bytes; b'' is the end of the stream."""
        return await self._retry(EVENT_READ, sock, sock.recv, n)

    async def sock_sendall(self, sock: socket.socket, data: Any) -> None:
        """Send all of `data`, a bytes-like object, waiting whenever the other side is slow."""
        rest = memoryview(data)  # so that slices copy nothing
        while rest:
            sent = await self._retry(EVENT_WRITE, sock, sock.send, rest)
            rest = rest[sent:]

    async def sock_accept(self, sock: socket.socket) -> tuple[socket.socket, Any]:
        """Wait for a client of a listening socket; return its socket, non-blocking, and address."""
        conn, address = await self._retry(EVENT_READ, sock, sock.accept)
        conn.setblocking(False)
        return conn, address

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect to `address`; raises OSError if the other side refuses."""
        try:
            return sock.connect(address)
        except WOULD_BLOCK:
            await self._until(EVENT_WRITE, sock)
        if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, f"Connect call failed {address}")

    # -- other threads --------------------------------------------------------------------------

    def call_soon_threadsafe(self, callback: Callable, *args: Any, context: Any = None) -> Handle:
        """As `call_soon`, from any thread: a byte in the self-pipe wakes a loop that sleeps."""
        handle = self.call_soon(callback, *args, context=context)
        self._write_to_self()
        return handle

    def _write_to_self(self) -> None:
        with contextlib.suppress(OSError):  # the pipe is full: then the loop will wake anyway
            self._csock.send(b"\0")

    def _read_from_self(self) -> None:
        with contextlib.suppress(*WOULD_BLOCK):
            while data := self._ssock.recv(4096):
                self._process_self_data(data)

    def _process_self_data(self, data: bytes) -> None:
        """Do nothing: the bytes have done their work, the loop is awake."""
