"""The loop's ears: sockets, other threads, and signals.

A loop that has nothing to run asks the operating system to wake it: "when one of these sockets has
something, or after so many seconds, or when this pipe gets a byte". The pipe is the loop's own:
another thread, or a signal, writes to it, and so is heard while the loop sleeps.

The ``sock_*`` coroutines try first, and wait only where the socket says it would block.
"""

import contextlib
import contextvars
import functools
import selectors
import signal
import socket
import threading
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from .event_loop import BaseEventLoop, check_callback
from .futures import Future, Handle, call_in, copy_outcome, get_running_loop, wrap_future
from .tasks import ensure_future

WOULD_BLOCK = (BlockingIOError, InterruptedError)


class Watch:
    """What the selector watches one file descriptor for, and who is told.

    A reader or writer is a Handle (told each time), a Future (told once) or None. A descriptor
    stays registered when nobody asks any more, since somebody soon will; the first event that
    nobody wants takes it out.
    """

    __slots__ = ["events", "fd", "owner", "told"]

    def __init__(self, fd: int, owner: Any) -> None:
        self.fd = fd
        # To call for the socket, if there still is one, or for the bare descriptor.
        self.owner = weakref.ref(owner) if isinstance(owner, socket.socket) else lambda: owner
        self.events = 0  # what the selector was asked for
        self.told: dict[int, Any] = {EVENT_READ: None, EVENT_WRITE: None}

    def is_stale(self) -> bool:
        """Say whether this is about a closed socket, whose number another one may have now."""
        owner = self.owner()
        return owner is None or isinstance(owner, socket.socket) and owner.fileno() != self.fd

    def is_awaited(self) -> bool:
        """Say whether anybody still wants to be told."""
        return any(who is not None and not who.cancelled() for who in self.told.values())


class EventLoop(BaseEventLoop):
    """The event loop: `BaseEventLoop`, and ears for sockets, threads and signals.

    selector: a selectors.BaseSelector, the system's best unless given; clock: as in BaseEventLoop.
    Mirrors asyncio.selector_events.BaseSelectorEventLoop.
    """

    def __init__(self, selector: Any = None, *, clock: Any = None) -> None:
        super().__init__(clock=clock)
        self._selector = selector or selectors.DefaultSelector()
        self._signal_handlers: dict[int, Handle] = {}
        self._default_executor: Any = None
        self._jobs: set = set()  # futures of what runs in other threads
        # Those there are have nothing to do with us, but for the one that may have made us.
        self._threads = {*threading.enumerate()} - {threading.main_thread()}
        self._ssock, self._csock = socket.socketpair()
        self._ssock.setblocking(False)
        self._csock.setblocking(False)
        self._selector.register(self._ssock, EVENT_READ)

    def close(self) -> None:
        """Close the selector, the pipe and the signal handlers; see `BaseEventLoop.close`."""
        if self._closed:
            return
        super().close()
        for sig in list(self._signal_handlers):
            self.remove_signal_handler(sig)
        if self._default_executor is not None:
            self._default_executor.shutdown(wait=False)
        self._watches.clear()
        for each in (self._selector, self._ssock, self._csock):
            each.close()

    # -- sleeping, and being told ---------------------------------------------------------------

    def _select(self, timeout: float | None) -> None:
        if timeout is None and not self._can_be_woken():
            self._report_deadlock()
        self._process_events(self._clock.sleep(timeout, self._selector.select))

    def _process_events(self, events: list) -> None:
        for key, mask in events:
            if key.data is None:
                self._read_from_self()
                continue
            if mask & EVENT_READ:
                self._tell(key.data, EVENT_READ)
            if mask & EVENT_WRITE:
                self._tell(key.data, EVENT_WRITE)

    def _tell(self, watch: Watch, event: int) -> None:
        who = watch.told[event]
        if who is None or who.cancelled():
            self._listen(watch, watch.events & ~event)
        elif isinstance(who, Handle):
            self._ready.append(who)
        else:
            watch.told[event] = None
            who.set_result(None)

    def _watch(self, fileobj: Any, event: int, who: Handle | Future) -> None:
        """Have `who` told of `event` on a socket, a file object or a descriptor."""
        fd = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        watch = self._watches.get(fd)
        if watch is not None and watch.is_stale():
            watch = self._listen(watch, 0)
        if watch is None:
            watch = Watch(fd, fileobj)
        if not watch.events & event:
            self._listen(watch, watch.events | event)
        before, watch.told[event] = watch.told[event], who
        if isinstance(before, Handle):
            before.cancel()

    def _listen(self, watch: Watch, events: int) -> None:
        """Ask the selector for `events` of this descriptor from now on."""
        if not watch.events:
            self._selector.register(watch.fd, events, watch)
            self._watches[watch.fd] = watch
        elif events:
            self._selector.modify(watch.fd, events, watch)
        else:
            self._selector.unregister(watch.fd)
            del self._watches[watch.fd]
        watch.events = events

    def _forget(self, fileobj: Any, event: int) -> bool:
        watch = self._watches.get(fileobj if isinstance(fileobj, int) else fileobj.fileno())
        if watch is None or not watch.events & event:
            return False
        who, watch.told[event] = watch.told[event], None
        self._listen(watch, watch.events & ~event)
        return who is not None and who.cancel() is not False

    def add_reader(self, fd: Any, callback: Callable, *args: Any) -> None:
        """Call ``callback(*args)`` each time `fd`, a socket or a descriptor, can be read."""
        self._check_closed()
        self._watch(fd, EVENT_READ, Handle(callback, args, self))

    def add_writer(self, fd: Any, callback: Callable, *args: Any) -> None:
        """Call ``callback(*args)`` each time `fd`, a socket or a descriptor, can be written."""
        self._check_closed()
        self._watch(fd, EVENT_WRITE, Handle(callback, args, self))

    def remove_reader(self, fd: Any) -> bool:
        """Stop watching `fd` for reading; False if it was not watched."""
        return self._forget(fd, EVENT_READ)

    def remove_writer(self, fd: Any) -> bool:
        """Stop watching `fd` for writing; False if it was not watched."""
        return self._forget(fd, EVENT_WRITE)

    # -- sockets as coroutines ------------------------------------------------------------------

    def _until(self, event: int, sock: socket.socket) -> Future:
        future = self.create_future()
        watch = self._watches.get(sock.fileno())
        known = watch is not None and watch.owner() is sock and watch.events & event
        if known and watch.told[event] is None:
            watch.told[event] = future  # it is still registered, from the last time
        else:
            self._watch(sock, event, future)
        return future

    def _check_socket(self, sock: socket.socket) -> None:
        if self._debug and sock.gettimeout() != 0:
            raise ValueError("the socket must be non-blocking")

    async def sock_recv(self, sock: socket.socket, n: int) -> bytes:
        """Receive up to `n` bytes; b'' is the end of the stream."""
        self._check_socket(sock)
        while True:
            try:
                return sock.recv(n)
            except WOULD_BLOCK:
                await self._until(EVENT_READ, sock)

    async def sock_sendall(self, sock: socket.socket, data: Any) -> None:
        """Send all of `data`, a bytes-like object, waiting whenever the other side is slow."""
        self._check_socket(sock)
        rest = data if type(data) is bytes else memoryview(data).cast("B")
        while rest:
            try:
                sent = sock.send(rest)
                rest = memoryview(rest)[sent:] if sent < len(rest) else b""
            except WOULD_BLOCK:
                await self._until(EVENT_WRITE, sock)

    async def sock_accept(self, sock: socket.socket) -> tuple[socket.socket, Any]:
        """Wait for a client of a listening socket; return its socket, non-blocking, and address."""
        self._check_socket(sock)
        while True:
            try:
                conn, address = sock.accept()
            except (*WOULD_BLOCK, ConnectionAbortedError):
                await self._until(EVENT_READ, sock)
            else:
                conn.setblocking(False)
                return conn, address

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect to `address`; a host name is looked up in a thread. Raises OSError."""
        self._check_socket(sock)
        address = await self._resolve(sock, address)
        try:
            return sock.connect(address)
        except WOULD_BLOCK:
            await self._until(EVENT_WRITE, sock)
        if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, f"Connect call failed {address}")

    async def _resolve(self, sock: socket.socket, address: Any) -> Any:
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            return address
        with contextlib.suppress(OSError):
            socket.inet_pton(sock.family, address[0])
            return address  # a number, not a name
        look_up = functools.partial(socket.getaddrinfo, family=sock.family, type=sock.type)
        found = await self.run_in_executor(None, look_up, *address[:2])
        return found[0][4]

    # -- other threads --------------------------------------------------------------------------

    def call_soon_threadsafe(self, callback: Callable, *args: Any, context: Any = None) -> Handle:
        """As `call_soon`, from any thread: a byte in the self-pipe wakes a loop that sleeps."""
        self._check_closed()
        if self._debug:
            check_callback(callback, "call_soon_threadsafe")
        handle = Handle(callback, args, self, context)
        deque.append(self._ready, handle)  # the one way in for strangers, so it is not guarded
        with contextlib.suppress(OSError):  # full: then the loop will wake anyway
            self._csock.send(b"\0")
        return handle

    def _read_from_self(self) -> None:
        with contextlib.suppress(*WOULD_BLOCK):
            while data := self._ssock.recv(4096):
                for number in filter(self._signal_handlers.get, data):  # a signal wrote it
                    self._ready.append(self._signal_handlers[number])

    def run_in_executor(self, executor: Any, func: Callable, *args: Any) -> Future:
        """Call ``func(*args)`` in a thread of `executor`, the loop's own for None.

        Returns a Future of the result. Cancelling it does not stop the thread.
        """
        self._check_closed()
        if self._debug:
            check_callback(func, "run_in_executor")
        future = wrap_future((executor or self._own_executor()).submit(func, *args), loop=self)
        self._jobs.add(future)
        future.add_done_callback(self._jobs.discard)
        return future

    def _own_executor(self) -> Any:
        if self._default_executor is None:
            from concurrent.futures import ThreadPoolExecutor  # only now: it takes long to import

            self._default_executor = ThreadPoolExecutor(thread_name_prefix=__package__)
        return self._default_executor

    def set_default_executor(self, executor: Any) -> None:
        """Use this concurrent.futures.ThreadPoolExecutor where `run_in_executor` gets None."""
        self._default_executor = executor

    async def shutdown_default_executor(self) -> None:
        """Wait for the threads of the loop's own executor, and end them."""
        executor, self._default_executor = self._default_executor, None
        if executor is not None:
            await self.run_in_executor(None, executor.shutdown)  # in a thread of another one
            self._default_executor.shutdown()

    def _can_be_woken(self) -> bool:
        """Say whether a socket, a signal or a thread might still give us something to do."""
        known = {threading.current_thread(), *getattr(self._default_executor, "_threads", ())}
        return bool(
            self._jobs
            or self._signal_handlers
            or {*threading.enumerate()} - self._threads - known
            or any(watch.is_awaited() for watch in self._watches.values())
        )

    # -- signals --------------------------------------------------------------------------------

    def add_signal_handler(self, sig: int, callback: Callable, *args: Any) -> None:
        """Call ``callback(*args)`` in the loop when signal `sig` comes; main thread only.

        Raises TypeError for what is no number, ValueError for what is no signal, RuntimeError for
        one that cannot be caught.
        """
        self._check_closed()
        check_callback(callback, "add_signal_handler")
        if not isinstance(sig, int):
            raise TypeError(f"sig must be an int, not {sig!r}")
        if sig not in signal.valid_signals():
            raise ValueError(f"invalid signal number {sig}")
        try:
            signal.signal(sig, leave_it_to_the_pipe)
            signal.set_wakeup_fd(self._csock.fileno())
        except OSError as error:
            raise RuntimeError(f"sig {sig} cannot be caught") from error
        if hasattr(signal, "siginterrupt"):
            signal.siginterrupt(sig, False)
        self._signal_handlers[sig] = Handle(callback, args, self)
        self._watches[self._ssock.fileno()] = Watch(self._ssock.fileno(), self._ssock)

    def remove_signal_handler(self, sig: int) -> bool:
        """Restore the usual handling of signal `sig`; False if it had no handler here."""
        if self._signal_handlers.pop(sig, None) is None:
            return False
        signal.signal(sig, signal.default_int_handler if sig == signal.SIGINT else signal.SIG_DFL)
        if not self._signal_handlers:
            signal.set_wakeup_fd(-1)
            del self._watches[self._ssock.fileno()]
        return True


def leave_it_to_the_pipe(number: int, frame: Any) -> None:
    """Do nothing here: Python writes the number of the signal to the loop's pipe."""


def new_event_loop() -> EventLoop:
    """Return a new EventLoop. Mirrors asyncio.events.new_event_loop."""
    return EventLoop()


async def to_thread(func: Callable, /, *args: Any, **kwargs: Any) -> Any:
    """Call ``func(*args, **kwargs)`` in another thread, in this context, and await its result.

    Mirrors asyncio.threads.to_thread.
    """
    call = functools.partial(contextvars.copy_context().run, func, *args, **kwargs)
    return await get_running_loop().run_in_executor(None, call)


def run_coroutine_threadsafe(coro: Coroutine, loop: EventLoop) -> Any:
    """Have `loop`, which runs in another thread, run `coro`; return a concurrent.futures.Future.

    Raises TypeError if `coro` is not a coroutine. Mirrors asyncio.tasks.run_coroutine_threadsafe.
    """
    from concurrent.futures import Future as ThreadFuture

    if not isinstance(coro, Coroutine):
        raise TypeError("A coroutine object is required")
    result = ThreadFuture()

    def start() -> None:
        task = ensure_future(coro, loop=loop)
        result.add_done_callback(lambda _: result.cancelled() and call_in(loop, task.cancel))
        task.add_done_callback(lambda _: copy_outcome(task, result))

    loop.call_soon_threadsafe(start)
    return result
