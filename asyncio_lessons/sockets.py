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

from .event_loop import BaseEventLoop, _check_callback, _logger
from .futures import Future, Handle, get_running_loop, wrap_future
from .tasks import ensure_future


class Watch:
    """What the selector watches one file descriptor for, and who is told.

    A reader or writer is a Handle (told each time), a Future (told once) or None. A descriptor
    stays registered when nobody asks any more, since somebody soon will; the first event that
    nobody wants takes it out.
    """

    __slots__ = ("events", "fd", "owner", "told")

    def __init__(self, fd: int, owner: Any) -> None:
        self.fd = fd
        self.owner = owner  # a weak reference to the socket, None for a bare descriptor
        self.events = 0  # what the selector was asked for
        self.told: dict[int, Handle | Future | None] = {EVENT_READ: None, EVENT_WRITE: None}

    def is_of(self, sock: Any) -> bool:
        """Say whether this is still about `sock`, and not a closed one that had its number."""
        if self.owner is None:
            return True
        owner = self.owner()
        return owner is sock or (owner is not None and owner.fileno() == self.fd)

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
        self._selector = selectors.DefaultSelector() if selector is None else selector
        self._watches: dict[int, Watch] = {}
        self._signal_handlers: dict[int, Handle] = {}
        self._default_executor: Any = None
        self._jobs = 0  # calls in other threads that have not come back
        self._made_by = threading.current_thread()
        self._threads_before = weakref.WeakSet(threading.enumerate())
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
        self._selector.close()
        self._watches.clear()
        self._ssock.close()
        self._csock.close()

    # -- sleeping, and being told ---------------------------------------------------------------

    def _select(self, timeout: float | None) -> None:
        if timeout == 0 and not self._watches and not self._signal_handlers:
            return  # nobody to listen to: what threads send is in the ready queue already
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
        if watch is None or not watch.is_of(fileobj):
            if watch is not None:
                self._listen(watch, 0)
            is_socket = isinstance(fileobj, socket.socket)
            watch = Watch(fd, weakref.ref(fileobj) if is_socket else None)
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
        fd = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        watch = self._watches.get(fd)
        if watch is None or not watch.events & event:
            return False
        who, watch.told[event] = watch.told[event], None
        self._listen(watch, watch.events & ~event)
        if who is not None:
            who.cancel()
        return who is not None

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
        return not self._closed and self._forget(fd, EVENT_READ)

    def remove_writer(self, fd: Any) -> bool:
        """Stop watching `fd` for writing; False if it was not watched."""
        return not self._closed and self._forget(fd, EVENT_WRITE)

    # -- sockets as coroutines ------------------------------------------------------------------

    def _until(self, event: int, sock: socket.socket) -> Future:
        future = self.create_future()
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
            except (BlockingIOError, InterruptedError):
                await self._until(EVENT_READ, sock)

    async def sock_sendall(self, sock: socket.socket, data: Any) -> None:
        """Send all of `data`, a bytes-like object, waiting whenever the other side is slow."""
        self._check_socket(sock)
        rest = memoryview(data).cast("B")
        while rest:
            try:
                rest = rest[sock.send(rest) :]
            except (BlockingIOError, InterruptedError):
                await self._until(EVENT_WRITE, sock)

    async def sock_accept(self, sock: socket.socket) -> tuple[socket.socket, Any]:
        """Wait for a client of a listening socket; return its socket, non-blocking, and address."""
        self._check_socket(sock)
        while True:
            try:
                conn, address = sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
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
        except (BlockingIOError, InterruptedError):
            await self._until(EVENT_WRITE, sock)
        if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, f"Connect call failed {address}")

    async def _resolve(self, sock: socket.socket, address: Any) -> Any:
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            return address
        with contextlib.suppress(OSError):
            socket.inet_pton(sock.family, address[0])
            return address
        found = await self.getaddrinfo(*address[:2], family=sock.family, type=sock.type)
        return found[0][4]

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> list:
        """Look up a host name in a thread; arguments and result as socket.getaddrinfo's."""
        look_up = functools.partial(socket.getaddrinfo, host, port, **options)
        return await self.run_in_executor(None, look_up)

    # -- other threads --------------------------------------------------------------------------

    def call_soon_threadsafe(self, callback: Callable, *args: Any, context: Any = None) -> Handle:
        """As `call_soon`, from any thread: a byte in the self-pipe wakes a loop that sleeps."""
        self._check_closed()
        if self._debug:
            _check_callback(callback, "call_soon_threadsafe")
        handle = Handle(callback, args, self, context)
        deque.append(self._ready, handle)  # the one way in for strangers, so it is not guarded
        self._write_to_self()
        return handle

    def _write_to_self(self) -> None:
        with contextlib.suppress(OSError):  # full: then the loop will wake anyway
            self._csock.send(b"\0")

    def _read_from_self(self) -> None:
        with contextlib.suppress(BlockingIOError, InterruptedError):
            while data := self._ssock.recv(4096):
                for number in filter(None, data):  # a signal wrote its number
                    self._handle_signal(number)

    def run_in_executor(self, executor: Any, func: Callable, *args: Any) -> Future:
        """Call ``func(*args)`` in a thread of `executor`, the loop's own for None.

        Returns a Future of the result. Cancelling it does not stop the thread.
        """
        self._check_closed()
        if self._debug:
            _check_callback(func, "run_in_executor")
        if executor is None:
            executor = self._own_executor()
        future = wrap_future(executor.submit(func, *args), loop=self)
        self._jobs += 1
        future.add_done_callback(self._job_is_done)
        return future

    def _own_executor(self) -> Any:
        if self._default_executor is None:
            from concurrent.futures import ThreadPoolExecutor  # only now: it takes long to import

            self._default_executor = ThreadPoolExecutor(thread_name_prefix=__package__)
        return self._default_executor

    def _job_is_done(self, future: Future) -> None:
        self._jobs -= 1

    def set_default_executor(self, executor: Any) -> None:
        """Use this concurrent.futures.ThreadPoolExecutor where `run_in_executor` gets None."""
        self._default_executor = executor

    async def shutdown_default_executor(self) -> None:
        """Wait for the threads of the loop's own executor, and end them."""
        executor, self._default_executor = self._default_executor, None
        if executor is None:
            return
        done = self.create_future()
        thread = threading.Thread(target=self._shut_down, args=(executor, done))
        thread.start()
        await done
        thread.join()

    def _shut_down(self, executor: Any, done: Future) -> None:
        executor.shutdown(wait=True)
        self.call_soon_threadsafe(done.set_result, None)

    def _can_be_woken(self) -> bool:
        """Say whether a socket, a signal or a thread might still give us something to do."""
        if self._jobs or self._signal_handlers:
            return True
        if any(watch.is_awaited() for watch in self._watches.values()):
            return True
        return any(map(self._may_call_us, threading.enumerate()))

    def _may_call_us(self, thread: threading.Thread) -> bool:
        if thread is threading.current_thread():
            return False
        if thread in getattr(self._default_executor, "_threads", ()):
            return False  # idle: its jobs are counted
        if thread in (self._made_by, threading.main_thread()):
            return thread is self._made_by
        return not thread.daemon or thread not in self._threads_before

    # -- signals --------------------------------------------------------------------------------

    def add_signal_handler(self, sig: int, callback: Callable, *args: Any) -> None:
        """Call ``callback(*args)`` in the loop when signal `sig` comes; main thread only.

        Raises ValueError for what is no signal, RuntimeError for one that cannot be caught.
        """
        self._check_closed()
        _check_callback(callback, "add_signal_handler")
        _check_signal(sig)
        signal.set_wakeup_fd(self._csock.fileno())
        self._signal_handlers[sig] = Handle(callback, args, self)
        try:
            signal.signal(sig, _leave_it_to_the_pipe)
        except OSError as error:
            self.remove_signal_handler(sig)
            raise RuntimeError(f"sig {sig} cannot be caught") from error
        if hasattr(signal, "siginterrupt"):
            signal.siginterrupt(sig, False)

    def _handle_signal(self, sig: int) -> None:
        handle = self._signal_handlers.get(sig)
        if handle is not None:
            self._ready.append(handle)

    def remove_signal_handler(self, sig: int) -> bool:
        """Restore the usual handling of signal `sig`; False if it had no handler here."""
        _check_signal(sig)
        if self._signal_handlers.pop(sig, None) is None:
            return False
        usual = signal.default_int_handler if sig == signal.SIGINT else signal.SIG_DFL
        with contextlib.suppress(OSError):
            signal.signal(sig, usual)
        if not self._signal_handlers:
            signal.set_wakeup_fd(-1)
        return True


def _leave_it_to_the_pipe(number: int, frame: Any) -> None:
    """Do nothing here: Python writes the number of the signal to the loop's pipe."""


def _check_signal(sig: Any) -> None:
    if not isinstance(sig, int):
        raise TypeError(f"sig must be an int, not {sig!r}")
    if sig not in signal.valid_signals():
        raise ValueError(f"invalid signal number {sig}")


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
        try:
            task = ensure_future(coro, loop=loop)
        except BaseException as error:
            result.set_exception(error)
            raise
        task.add_done_callback(functools.partial(_hand_over, result))
        result.add_done_callback(functools.partial(_cancel_from_outside, task))

    loop.call_soon_threadsafe(start)
    return result


def _hand_over(result: Any, task: Future) -> None:
    if task.cancelled():
        result.cancel()
    if not result.set_running_or_notify_cancel():
        return
    if (error := task.exception()) is not None:
        result.set_exception(error)
    else:
        result.set_result(task.result())


def _cancel_from_outside(task: Future, result: Any) -> None:
    loop = task.get_loop()
    if result.cancelled() and not loop.is_closed():
        loop.call_soon_threadsafe(task.cancel)
