"""Lesson 08: how the loop hears sockets and other threads."""

import socket
import threading
import time
from contextlib import contextmanager

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, holds, raises, same
from ..checking.stage import play, quiet_loop

_TELL = """
class EventLoop:
    def _tell(self, watch, event):
        who = watch.told[event]
        if who is None or who.cancelled():
            self._listen(watch, watch.events & ~event)
        elif isinstance(who, Handle):
            self._ready.append(who)
        else:
            watch.told[event] = None
            who.set_result(None)
"""

READERS = Exercise(
    name="socket-readers",
    lesson="08",
    title="Let the selector wake callbacks",
    lines=19,
    module="sockets",
    builds=("EventLoop.add_reader", "EventLoop._process_events", "EventLoop._tell"),
    stub="""
class EventLoop(BaseEventLoop):
    def add_reader(self, fd, callback, *args):
        # about 2 lines: self._check_closed(), then self._watch(fd, EVENT_READ, a Handle)
        ...

    def _process_events(self, events):
        # about 7 lines: pairs (key, mask) come from the selector. Without key.data it is the
        # loop's own pipe: self._read_from_self(). Else self._tell(key.data, EVENT_READ) if the mask
        # has that bit, and the same for EVENT_WRITE.
        ...

    def _tell(self, watch, event):
        # about 8 lines: who is told is in watch.told[event]. A Handle is made ready, each time. A
        # Future is told once: take it out, set its result to None. With nobody there, or one that
        # is cancelled(), stop listening: self._listen(watch, watch.events & ~event).
        ...
""",
    hints=(
        "The selector says which sockets can be read or written. It runs nothing; the loop does.",
        "A mask can hold both bits: `if mask & EVENT_READ:` and `if mask & EVENT_WRITE:`, no "
        "`elif`.",
        "In `_tell`, three cases: nobody (listen to less), a Handle (`self._ready.append(who)`), a "
        "Future (`watch.told[event] = None`, `who.set_result(None)`).",
    ),
    wrong=(
        Wrong(
            """
class EventLoop:
    def add_reader(self, fd, callback, *args):
        self._check_closed()
        self._watch(fd, EVENT_READ, callback)
""",
            "A callback needs a Handle",
        ),
        Wrong(
            """
class EventLoop:
    def add_reader(self, fd, callback, *args):
        self._watch(fd, EVENT_READ, Handle(callback, args, self))
""",
            "A closed loop",
        ),
        Wrong(
            """
class EventLoop:
    def add_reader(self, fd, callback, *args):
        self._check_closed()
        self._watch(fd, EVENT_WRITE, Handle(callback, args, self))
""",
            "before there was anything to read",
        ),
        Wrong(
            """
class EventLoop:
    def _process_events(self, events):
        for key, mask in events:
            if mask & EVENT_READ:
                self._tell(key.data, EVENT_READ)
            if mask & EVENT_WRITE:
                self._tell(key.data, EVENT_WRITE)
""",
            "the loop's own pipe has no `key.data`",
        ),
        Wrong(
            """
class EventLoop:
    def _process_events(self, events):
        for key, mask in events:
            if key.data is None:
                self._read_from_self()
            elif mask & EVENT_READ:
                self._tell(key.data, EVENT_READ)
            elif mask & EVENT_WRITE:
                self._tell(key.data, EVENT_WRITE)
""",
            "can hold both bits",
        ),
        Wrong(_TELL.replace("self._ready.append(who)", "who._run()"), "makes it ready"),
        Wrong(
            _TELL.replace("            watch.told[event] = None\n", ""),
            "A future is told once",
        ),
        Wrong(
            _TELL.replace("self._listen(watch, watch.events & ~event)", "return"),
            "Stop listening",
        ),
        Wrong(
            _TELL.replace(
                "            self._ready.append(who)\n",
                "            self._ready.append(who)\n            watch.told[event] = None\n",
            ),
            "each time",
        ),
        Wrong(_TELL.replace("who is None or who.cancelled()", "who is None"), "cancelled"),
    ),
)


@contextmanager
def _pair():
    """Two sockets that are connected with each other, both non-blocking."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


@contextmanager
def _loop(aio):
    loop = quiet_loop(aio, "EventLoop")
    try:
        yield loop
    finally:
        loop.close()


@READERS.check(
    "a reader is made ready when there is something to read, not before",
    "A callback needs a Handle around it: Handle(callback, args, self).",
)
def _(aio):
    with _loop(aio) as loop, _pair() as (ours, theirs):
        events = Events()
        loop.add_reader(theirs, events.append, "readable")
        loop._select(0)
        sentence = "It was called before there was anything to read: watch for EVENT_READ."
        same(len(loop._ready), 0, sentence)
        ours.send(b"x")
        loop._select(0)
        same(
            events, Events(), "The selector runs nothing: it makes it ready, and the turn runs it."
        )
        same(len(loop._ready), 1, "What can be read makes its reader ready.")
        loop._ready.popleft()._run()
        same(events, Events(["readable"]), "The callback gets its arguments.")


@READERS.check("it is told each time, as long as there is something to read")
def _(aio):
    with _loop(aio) as loop, _pair() as (ours, theirs):
        calls = []
        loop.add_reader(theirs, calls.append, 1)
        ours.send(b"xyz")
        for _ in range(3):
            loop._run_once()
            loop.call_soon(lambda: None)
        sentence = (
            "A reader is told each time there is something to read: leave it in `watch.told`."
        )
        same(len(calls), 3, sentence)


@READERS.check("one event can say both: readable and writable")
def _(aio):
    with _loop(aio) as loop, _pair() as (ours, theirs):
        events = Events()
        loop.add_reader(theirs, events.append, "readable")
        loop.add_writer(theirs, events.append, "writable")
        ours.send(b"x")
        loop._run_once()
        same(events, Events(["readable", "writable"]), "A mask can hold both bits: no `elif`.")


@READERS.check("a future is told once")
def _(aio):
    with _loop(aio) as loop, _pair() as (ours, theirs):
        future = loop._until(aio.sockets.EVENT_READ, theirs)
        ours.send(b"x")
        sentence = "A future is told once: take it out of `watch.told`, then set its result."
        try:
            loop._select(0)
            same(future.done(), True, sentence)
            loop._select(0)
        except aio.InvalidStateError:
            holds(False, sentence)


@READERS.check("a future that was cancelled is not told")
def _(aio):
    with _loop(aio) as loop, _pair() as (ours, theirs):
        future = loop._until(aio.sockets.EVENT_READ, theirs)
        future.cancel()
        ours.send(b"x")
        try:
            loop._select(0)
        except aio.InvalidStateError:
            holds(False, "One that was cancelled is not told: treat it as nobody.")


@READERS.check("when nobody wants to know, the loop stops listening")
def _(aio):
    with _loop(aio) as loop, _pair() as (ours, theirs):
        loop._until(aio.sockets.EVENT_READ, theirs)
        ours.send(b"x")
        for _ in range(2):  # told, then nobody is left
            loop._select(0)
        busy = bool(loop._selector.select(0))
        sentence = "Stop listening when nobody wants to know, or the loop wakes again and again."
        same(busy, False, sentence)


@READERS.check("the loop hears its own pipe")
def _(aio):
    with _loop(aio) as loop:
        events = Events()
        loop.call_soon_threadsafe(events.append, "heard")
        try:
            loop._select(0)
        except AttributeError as error:
            if "NoneType" not in str(error):
                raise
            holds(False, "An event of the loop's own pipe has no `key.data`: `_read_from_self()`.")
        sentence = "Read the pipe empty, or the loop wakes again and again."
        same(bool(loop._selector.select(0)), False, sentence)


@READERS.check("a closed loop takes no readers")
def _(aio):
    with _loop(aio) as loop, _pair() as (_, theirs):
        loop.close()
        try:
            loop.add_reader(theirs, print)
        except RuntimeError as error:
            if "closed" in str(error):
                return
        except (ValueError, KeyError, OSError):
            pass
        holds(False, "A closed loop takes no readers: `self._check_closed()` first.")


_RECV = """
class EventLoop:
    async def sock_recv(self, sock, n):
        self._check_socket(sock)
        while True:
            try:
                return sock.recv(n)
            except (BlockingIOError, InterruptedError):
                await self._until(EVENT_READ, sock)
"""

RECV = Exercise(
    name="sock-recv",
    lesson="08",
    title="Receive from a socket without stopping anybody",
    lines=10,
    module="sockets",
    builds=("EventLoop._until", "EventLoop.sock_recv"),
    stub='''
class EventLoop(BaseEventLoop):
    def _until(self, event, sock):
        # about 3 lines: a future that is told of `event` on `sock` (self._watch(sock, event, it))
        ...

    async def sock_recv(self, sock, n):
        """Receive up to `n` bytes; b'' is the end of the stream."""
        # about 6 lines: self._check_socket(sock); then try sock.recv(n), and where it would block
        # (except WOULD_BLOCK) wait until there is something to read, and try again
        ...
''',
    hints=(
        "Try first. Only when the socket says that it would block there is something to wait for.",
        "`_until`: `future = self.create_future()`, watch, return it. The one who calls awaits it.",
        "`while True:` `try: return sock.recv(n)`, `except WOULD_BLOCK: await "
        "self._until(EVENT_READ, sock)`.",
    ),
    wrong=(
        Wrong(
            """
class EventLoop:
    async def sock_recv(self, sock, n):
        self._check_socket(sock)
        return sock.recv(n)
""",
            "There is nothing to read yet: catch WOULD_BLOCK",
        ),
        Wrong(
            _RECV.replace("await self._until(EVENT_READ, sock)", "pass"),
            "did not come to an end",
        ),
        Wrong(
            """
from .coroutines import suspend

class EventLoop:
    async def sock_recv(self, sock, n):
        self._check_socket(sock)
        while True:
            try:
                return sock.recv(n)
            except (BlockingIOError, InterruptedError):
                await suspend()
""",
            "asking again and again",
        ),
        Wrong(
            """
class EventLoop:
    async def sock_recv(self, sock, n):
        self._check_socket(sock)
        await self._until(EVENT_READ, sock)
        return sock.recv(n)
""",
            "try first",
        ),
        Wrong(
            """
class EventLoop:
    async def sock_recv(self, sock, n):
        self._check_socket(sock)
        try:
            return sock.recv(n)
        except (BlockingIOError, InterruptedError):
            await self._until(EVENT_READ, sock)
            return sock.recv(n)
""",
            "woken for nothing",
        ),
        Wrong(
            """
class EventLoop:
    async def sock_recv(self, sock, n):
        self._check_socket(sock)
        data = b""
        while len(data) < n:
            try:
                data += sock.recv(n - len(data))
            except (BlockingIOError, InterruptedError):
                await self._until(EVENT_READ, sock)
        return data
""",
            "what there is",
        ),
        Wrong(_RECV.replace("        self._check_socket(sock)\n", ""), "debug mode"),
        Wrong(
            """
class EventLoop:
    def _until(self, event, sock):
        return self.create_future()
""",
            "nothing is left that could wake",
        ),
        Wrong(
            """
class EventLoop:
    def _until(self, event, sock):
        future = self.create_future()
        self._watch(sock, EVENT_WRITE, future)
        return future
""",
            "asking again and again",
        ),
    ),
)


@RECV.check(
    "what has come is received at once",
    "Where there is something to read, there is nothing to wait for.",
)
def _(aio):
    async def main(loop):
        with _pair() as (ours, theirs):
            ours.send(b"hello")
            before = loop.turns
            data = await loop.sock_recv(theirs, 3)
            turns = loop.turns - before
            try:
                async with aio.timeout(1):
                    return data, turns, await loop.sock_recv(theirs, 100)
            except TimeoutError:
                return data, turns, "nothing, and waits for more"

    data, turns, rest = play(aio, main, "EventLoop").result
    same(data, b"hel", "Up to `n` bytes: `sock.recv(n)`.")
    same(turns, 0, "There is something to read: try first, and wait only if it would block.")
    same(rest, b"lo", "It returns what there is, it does not wait for all `n` bytes.")


@RECV.check(
    "it waits until something comes, and others run meanwhile",
    "There is nothing to read yet: catch WOULD_BLOCK, and wait.",
)
def _(aio):
    log = Events()

    async def receiver(loop, sock):
        log.append("waits")
        log.append(f"receives {await loop.sock_recv(sock, 100)!r}")

    async def main(loop):
        with _pair() as (ours, theirs):
            task = loop.create_task(receiver(loop, theirs))
            for _ in range(3):
                await aio.sleep(1)
                log.append(f"beat at {loop.time():g}")
            ours.send(b"hello")
            await task

    loop = play(aio, main, "EventLoop")
    beats = [f"beat at {n}" for n in (1, 2, 3)]
    same(log, Events(["waits", *beats, "receives b'hello'"]), "Others run while it waits.")
    holds(loop.turns < 30, "The loop turned more than it needs.", f"{loop.turns} turns", "under 30")


@RECV.check(
    "woken for nothing, it waits again",
    "It was woken for nothing: another had read it. Try in a loop.",
)
def _(aio):
    async def main(loop):
        with _pair() as (ours, theirs):
            task = loop.create_task(loop.sock_recv(theirs, 100))
            await aio.sleep(1)
            ours.send(b"stolen")
            theirs.recv(100)  # somebody else is quicker; the event may be on its way already
            for watch in loop._watches.values():
                waiter = watch.told[aio.sockets.EVENT_READ]
                watch.told[aio.sockets.EVENT_READ] = None
                waiter.set_result(None)
            await aio.sleep(1)
            ours.send(b"mine")
            return await task

    same(play(aio, main, "EventLoop").result, b"mine", "It was woken for nothing: wait again.")


@RECV.check("the end of the stream is b''")
def _(aio):
    async def main(loop):
        with _pair() as (ours, theirs):
            ours.close()
            return await loop.sock_recv(theirs, 100)

    same(play(aio, main, "EventLoop").result, b"", "The end of the stream is b'': return it.")


@RECV.check("debug mode refuses a blocking socket")
def _(aio):
    async def main(loop):
        with _pair() as (ours, theirs):
            loop.set_debug(True)
            theirs.setblocking(True)
            ours.send(b"x")
            try:
                await loop.sock_recv(theirs, 1)
            except ValueError:
                return True
            return False

    sentence = "In debug mode a blocking socket is refused: `self._check_socket(sock)` first."
    same(play(aio, main, "EventLoop").result, True, sentence)


SEND = Exercise(
    name="sock-sendall",
    lesson="08",
    title="Send all of it, however slow the other side is",
    lines=8,
    module="sockets",
    builds=("EventLoop.sock_sendall",),
    stub='''
class EventLoop(BaseEventLoop):
    async def sock_sendall(self, sock, data):
        """Send all of `data`, waiting whenever the other side is slow."""
        # about 7 lines: self._check_socket(sock). sock.send(rest) says how many bytes it took.
        # Where it would block (except WOULD_BLOCK) wait until the socket can be written.
        ...
''',
    hints=(
        "`sock.send` may take a part only. What is left must be sent as well.",
        "Keep the rest, and go on while there is any: `while rest:`.",
        "`rest = rest[sock.send(rest):]` in a `try`, `except WOULD_BLOCK: await "
        "self._until(EVENT_WRITE, sock)`. With `memoryview(data)` cutting copies nothing.",
    ),
    wrong=(
        Wrong(
            """
class EventLoop:
    async def sock_sendall(self, sock, data):
        self._check_socket(sock)
        sock.send(data)
""",
            "may take a part only",
        ),
        Wrong(
            """
class EventLoop:
    async def sock_sendall(self, sock, data):
        self._check_socket(sock)
        sock.sendall(data)
""",
            "cannot wait",
        ),
        Wrong(
            """
class EventLoop:
    async def sock_sendall(self, sock, data):
        self._check_socket(sock)
        while data:
            try:
                sock.send(data)
                return
            except (BlockingIOError, InterruptedError):
                await self._until(EVENT_WRITE, sock)
""",
            "may take a part only",
        ),
        Wrong(
            """
class EventLoop:
    async def sock_sendall(self, sock, data):
        self._check_socket(sock)
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[sock.send(rest):]
            except (BlockingIOError, InterruptedError):
                await self._until(EVENT_READ, sock)
""",
            "can be written",
        ),
        Wrong(
            """
class EventLoop:
    async def sock_sendall(self, sock, data):
        self._check_socket(sock)
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[sock.send(rest):]
            except (BlockingIOError, InterruptedError):
                pass
""",
            "did not come to an end",
        ),
        Wrong(
            """
class EventLoop:
    async def sock_sendall(self, sock, data):
        self._check_socket(sock)
        while data:
            await self._until(EVENT_WRITE, sock)
            data = data[sock.send(data):]
""",
            "goes at once",
        ),
        Wrong(
            """
class EventLoop:
    async def sock_sendall(self, sock, data):
        self._check_socket(sock)
        for byte in data:
            sock.send(byte)
""",
            "a bytes-like object is required",
        ),
    ),
)


class _Narrow(socket.socket):
    """A socket that takes little at a time, as one does whose other side is slow."""

    def send(self, data):
        return super().send(data[:20_000])

    def sendall(self, data):
        if self.send(data) < len(data):
            raise BlockingIOError


@SEND.check("a short message goes at once")
def _(aio):
    async def main(loop):
        with _pair() as (ours, theirs):
            before = loop.turns
            await loop.sock_sendall(ours, b"hello")
            return theirs.recv(100), loop.turns - before

    data, turns = play(aio, main, "EventLoop").result
    same(data, b"hello", "All of it arrives.")
    same(turns, 0, "A short message goes at once: send first, wait only if it would block.")


@SEND.check(
    "a long one arrives whole, at a reader who is slow",
    "The socket's own `sendall` cannot wait: `sock.send`, and `_until` where it would block.",
)
def _(aio):
    size = 500_000

    async def reader(loop, sock):
        got = bytearray()
        while len(got) < size:
            await aio.sleep(0.01)
            try:
                data = sock.recv(50_000)
            except BlockingIOError:
                continue
            if not data:
                break
            got += data
        return bytes(got)

    async def main(loop):
        with _pair() as (plain, theirs), _Narrow(fileno=plain.detach()) as ours:
            ours.setblocking(False)
            data = bytes(range(250)) * (size // 250)
            task = loop.create_task(reader(loop, theirs))
            try:
                async with aio.timeout(2):
                    await loop.sock_sendall(ours, data)
            except TimeoutError:
                task.cancel()
                sentence = "It waits for ever: wait until the socket can be written, EVENT_WRITE."
                holds(False, sentence)
            ours.close()
            return await task == data, loop.turns

    whole, turns = play(aio, main, "EventLoop").result
    sentence = "`sock.send` may take a part only: go on with the rest until nothing is left."
    same(whole, True, sentence)
    holds(turns < 500, "The loop turned more than it needs.", f"{turns} turns", "under 500")


@SEND.check("nothing to send is nothing to do")
def _(aio):
    async def main(loop):
        with _pair() as (ours, _):
            await loop.sock_sendall(ours, b"")
            return loop.turns

    same(play(aio, main, "EventLoop").result, 1, "With nothing to send, return at once.")


THREADSAFE = Exercise(
    name="threadsafe",
    lesson="08",
    title="Be heard from another thread while the loop sleeps",
    lines=12,
    module="sockets",
    builds=("EventLoop.call_soon_threadsafe", "EventLoop._read_from_self"),
    stub="""
class EventLoop(BaseEventLoop):
    # self._csock and self._ssock are the two ends of the loop's own pipe; it listens at _ssock
    def call_soon_threadsafe(self, callback, *args, context=None):
        # about 6 lines: self._check_closed(); a Handle into self._ready, with deque.append (in
        # debug mode the queue's own append refuses strangers); then a byte into the pipe. A pipe
        # that is full (OSError) is no trouble: the loop will wake anyway.
        ...

    def _read_from_self(self):
        # about 5 lines: receive from the pipe until it is empty (WOULD_BLOCK). A byte that is in
        # self._signal_handlers is a signal: its handle becomes ready.
        ...
""",
    hints=(
        "The ready queue is only looked at when the loop turns. What makes a sleeping loop turn?",
        "A byte at the other end of the pipe: the selector hears it, in whichever thread it was "
        "written.",
        "`handle = Handle(callback, args, self, context)`, `deque.append(self._ready, handle)`, "
        '`self._csock.send(b"\\0")` inside `contextlib.suppress(OSError)`, `return handle`.',
    ),
    wrong=(
        Wrong(
            """
class EventLoop:
    def call_soon_threadsafe(self, callback, *args, context=None):
        self._check_closed()
        return self.call_soon(callback, *args, context=context)
""",
            "is not heard while the loop sleeps",
        ),
        Wrong(
            """
class EventLoop:
    def call_soon_threadsafe(self, callback, *args, context=None):
        self._check_closed()
        callback(*args)
        self._csock.send(b"x")
""",
            "in the thread of the loop",
        ),
        Wrong(
            """
class EventLoop:
    def call_soon_threadsafe(self, callback, *args, context=None):
        self._check_closed()
        handle = Handle(callback, args, self, context)
        deque.append(self._ready, handle)
        self._csock.send(b"x")
        return handle
""",
            "A full pipe",
        ),
        Wrong(
            """
class EventLoop:
    def call_soon_threadsafe(self, callback, *args, context=None):
        handle = Handle(callback, args, self, context)
        deque.append(self._ready, handle)
        with contextlib.suppress(OSError):
            self._csock.send(b"x")
        return handle
""",
            "A closed loop",
        ),
        Wrong(
            """
class EventLoop:
    def call_soon_threadsafe(self, callback, *args, context=None):
        self._check_closed()
        handle = Handle(callback, args, self, context)
        self._ready.append(handle)
        with contextlib.suppress(OSError):
            self._csock.send(b"x")
        return handle
""",
            "debug mode",
        ),
        Wrong(
            """
class EventLoop:
    def _read_from_self(self):
        pass
""",
            "Read the pipe empty",
        ),
        Wrong(
            """
class EventLoop:
    def _read_from_self(self):
        self._ssock.recv(1)
""",
            "Read the pipe empty",
        ),
        Wrong(
            """
class EventLoop:
    def _read_from_self(self):
        while self._ssock.recv(4096):
            pass
""",
            "BlockingIOError",
        ),
        Wrong(
            """
class EventLoop:
    def _read_from_self(self):
        with contextlib.suppress(*WOULD_BLOCK):
            while self._ssock.recv(4096):
                pass
""",
            "is a signal",
        ),
    ),
)


def _call_from_a_thread(aio, debug=False):
    """Have a thread call into a loop that sleeps; return what happened, in which thread, when."""
    loop = aio.EventLoop()
    loop.set_debug(debug)
    seen = []

    async def main():
        done, start = loop.create_future(), loop.time()

        def finish(how):
            if not done.done():
                in_time = loop.time() - start < 0.25
                seen.append((how, threading.current_thread()))
                done.set_result(how if in_time else "not heard")

        def stranger():
            time.sleep(0.02)
            try:
                loop.call_soon_threadsafe(finish, "heard")
            except RuntimeError as error:
                seen.append((f"refused: {error}", None))

        late = loop.call_later(0.3, finish, "not heard")
        thread = threading.Thread(target=stranger)
        thread.start()
        how = await done
        late.cancel()
        thread.join()
        return how

    try:
        return loop.run_until_complete(main()), seen
    finally:
        loop.close()


@THREADSAFE.check("a call from another thread wakes the loop")
def _(aio):
    how, seen = _call_from_a_thread(aio)
    sentence = "A call from a thread is not heard while the loop sleeps: write a byte to the pipe."
    same(how, "heard", sentence)
    here = seen[0][1] is threading.current_thread()
    same(here, True, "The callback must run in the thread of the loop: put it into `_ready`.")


@THREADSAFE.check("debug mode lets it through")
def _(aio):
    how, _ = _call_from_a_thread(aio, debug=True)
    same(how, "heard", "In debug mode the queue's own append refuses strangers: deque.append.")


@THREADSAFE.check(
    "the pipe is read empty",
    "An empty pipe raises BlockingIOError: that is its end, suppress it.",
)
def _(aio):
    with _loop(aio) as loop:
        for _ in range(20):
            handle = loop.call_soon_threadsafe(lambda: None)
        holds(hasattr(handle, "cancel"), "Return the handle.")
        loop._run_once()
        loop._select(0)
        sentence = "Read the pipe empty, or the loop wakes again and again for the same bytes."
        same(bool(loop._selector.select(0)), False, sentence)


class _Full:
    """A pipe nobody has read from for long."""

    def send(self, data):
        raise BlockingIOError


@THREADSAFE.check("a pipe that is full is no trouble")
def _(aio):
    with _loop(aio) as loop:
        calls = []
        pipe, loop._csock = loop._csock, _Full()
        try:
            for n in range(3):
                loop.call_soon_threadsafe(calls.append, n)
        except OSError:
            holds(False, "A full pipe is no trouble: the loop will wake anyway. Suppress OSError.")
        finally:
            loop._csock = pipe
        loop._run_once()
        same(calls, [0, 1, 2], "All of them run, in order.")


@THREADSAFE.check("a byte can be the number of a signal")
def _(aio):
    with _loop(aio) as loop:
        events = Events()
        loop._signal_handlers[15] = aio.Handle(events.append, ("signal",), loop)
        loop._csock.send(bytes([0, 15]))
        loop._run_once()
        loop._run_once() if loop._ready else None
        loop._signal_handlers.clear()
        sentence = "A byte that is in `self._signal_handlers` is a signal: make its handle ready."
        same(events, Events(["signal"]), sentence)


@THREADSAFE.check("a closed loop says so")
def _(aio):
    with _loop(aio) as loop:
        loop.close()
        sentence = "A closed loop says so: `self._check_closed()` first."
        raises(RuntimeError, lambda: loop.call_soon_threadsafe(print), sentence, "closed")


BLOCKING = Exercise(
    name="blocking-repair",
    lesson="08",
    title="This client freezes everybody: find the missing line",
    lines=5,
    builds=("ask",),
    stub='''
async def ask(loop, address, question):
    """Send a question to the server at `address`; return what it answers."""
    with socket.socket() as sock:
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, question)
        return await loop.sock_recv(sock, 1024)
''',
    solution='''
async def ask(loop, address, question):
    """Send a question to the server at `address`; return what it answers."""
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, question)
        return await loop.sock_recv(sock, 1024)
''',
    hints=(
        "A socket as it is made: does its `recv` wait, or does it say that it would block?",
        "`loop.sock_recv` tries `sock.recv` first. On a blocking socket that try sleeps, and the "
        "loop with it.",
        "`sock.setblocking(False)`, before the socket is used.",
    ),
    wrong=(
        Wrong(
            """
async def ask(loop, address, question):
    with socket.socket() as sock:
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, question)
        sock.setblocking(True)
        return await loop.sock_recv(sock, 1024)
""",
            "The heart stopped",
        ),
        Wrong(
            """
async def ask(loop, address, question):
    with socket.create_connection(address) as sock:
        sock.sendall(question)
        return sock.recv(1024)
""",
            "The heart stopped",
        ),
        Wrong(
            """
async def ask(loop, address, question):
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.connect(address)
        sock.sendall(question)
        return sock.recv(1024)
""",
            "BlockingIOError",
        ),
        Wrong(
            """
async def ask(loop, address, question):
    with socket.socket() as sock:
        sock.settimeout(0.5)
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, question)
        return await loop.sock_recv(sock, 1024)
""",
            "The heart stopped",
        ),
        Wrong(
            """
async def ask(loop, address, question):
    with socket.socket() as sock:
        await aio.sleep(0)
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, question)
        await aio.sleep(0)
        return await loop.sock_recv(sock, 1024)
""",
            "The heart stopped",
        ),
        Wrong(
            """
async def ask(loop, address, question):
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, question)
        return loop.sock_recv(sock, 1024)
""",
            "Return what the server answers",
        ),
    ),
)

_ANSWER_AFTER = 0.2  # seconds the server takes; the heart beats each 0.01 s


def _serve(listener):
    """Answer one client, slowly, in a thread of its own."""
    listener.settimeout(1)
    try:
        conn, _ = listener.accept()
        with conn:
            conn.settimeout(1)
            conn.recv(100)
            time.sleep(_ANSWER_AFTER)
            conn.sendall(b"an answer")
    except OSError:
        pass


@BLOCKING.check("the answer comes, and the heart beats while we wait for it")
def _(cell):
    aio = cell.aio
    cell.socket = socket  # the lesson has imported it
    loop = aio.EventLoop()
    beats = []

    async def heart():
        while True:
            beats.append(loop.time())
            await aio.sleep(0.01)

    async def main(address):
        beating = loop.create_task(heart())
        await aio.sleep(0.02)
        answer = await cell.ask(loop, address, b"a question")
        await aio.sleep(0.02)
        beating.cancel()
        return answer

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=_serve, args=(listener,), daemon=True)
        server.start()
        try:
            answer = loop.run_until_complete(main(listener.getsockname()))
        finally:
            server.join(2)
            loop.close()
    if hasattr(answer, "close") and not isinstance(answer, bytes):
        answer.close()
    same(answer, b"an answer", "Return what the server answers: await it.")
    gap = max(b - a for a, b in zip(beats, beats[1:], strict=False))
    sentence = "The heart stopped while the socket waited: it is a blocking one."
    holds(gap < _ANSWER_AFTER * 0.8, sentence, "no beat for 0.2 s", "a beat each 0.01 s")


@BLOCKING.check("debug mode has nothing to say about it")
def _(cell):
    aio = cell.aio
    cell.socket = socket
    loop = aio.EventLoop()
    loop.set_debug(True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=_serve, args=(listener,), daemon=True)
        server.start()
        try:
            loop.run_until_complete(cell.ask(loop, listener.getsockname(), b"a question"))
        except ValueError:
            holds(False, "Debug mode refuses it: the socket is a blocking one.")
        finally:
            loop.close()
