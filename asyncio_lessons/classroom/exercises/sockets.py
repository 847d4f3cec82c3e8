"""Lesson 08: how sockets and other threads wake the loop."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, holds, raises, same
from ..checking.stage import play, quiet_loop

# -- what the selector reports -----------------------------------------------------------------

READERS = Exercise(
    name="socket-readers",
    lesson="08",
    title="Let the selector wake callbacks",
    lines=16,
    module="sockets",
    builds=("EventLoop.add_reader", "EventLoop._process_events", "EventLoop._listen"),
    stub="""
class EventLoop(BaseEventLoop):
    # self._selector watches sockets. With each it keeps a dict of ours: event -> handle
    def add_reader(self, fd, callback, *args):
        # 1 line: by _listen, with EVENT_READ and a Handle(callback, args, self)
        ...

    def _listen(self, fd, event, handle):
        # about 10 lines. self._selector.get_map() has fd if it is watched; unregister(fd).data then
        # stops that and returns the dict. Put the handle into it, or take it out for None;
        # register(fd, sum(handles), handles) watches for all events of the dict, if any is left.
        # Cancel the handle of this event from before; return whether there was one.
        ...

    def _process_events(self, events):
        # about 4 lines: return the list of handles that are ready. events: pairs (key, mask);
        # key.data is the dict, and mask & event tells whether the event has happened
        ...
""",
    hints=(
        "The selector says which sockets can be read or written. It runs nothing; the loop does.",
        "A mask can hold both events, and a turn can bring many sockets: look at each handle of "
        "each pair.",
        "`_listen`: `handles = self._selector.unregister(fd).data` if `fd` is watched, else `{}`; "
        "`before = handles.pop(event, None)`; `handles[event] = handle` unless it is None; "
        "register if `handles` is not empty.",
    ),
    wrong=(
        Wrong(
            change=("EVENT_READ, Handle(callback, args, self))", "EVENT_READ, callback)"),
            says="A callback needs a Handle",
        ),
        Wrong(
            change=("EVENT_READ, Handle", "EVENT_WRITE, Handle"),
            says="before there was anything to read",
        ),
        Wrong(
            """
class EventLoop:
    def _process_events(self, events):
        ready = []
        for key, mask in events:
            for event, handle in key.data.items():
                if mask & event:
                    handle._run()
        return ready
""",
            "runs nothing",
        ),
        Wrong(
            """
class EventLoop:
    def _process_events(self, events):
        for key, mask in events:
            return [handle for event, handle in key.data.items() if mask & event]
        return []
""",
            "Look at every pair",
        ),
        Wrong(
            """
class EventLoop:
    def _process_events(self, events):
        ready = []
        for key, mask in events:
            if mask & EVENT_READ:
                ready.append(key.data[EVENT_READ])
            elif mask & EVENT_WRITE:
                ready.append(key.data[EVENT_WRITE])
        return ready
""",
            "can hold both events",
        ),
        Wrong(change=(" if mask & event]", "]"), says="Only what has happened"),
        Wrong(
            """
class EventLoop:
    def _listen(self, fd, event, handle):
        if fd in self._selector.get_map():
            self._selector.unregister(fd)
        if handle is not None:
            self._selector.register(fd, event, {event: handle})
        return False
""",
            "The other event of the same socket stays",
        ),
        Wrong(
            """
class EventLoop:
    def _listen(self, fd, event, handle):
        before = None
        if handle is None:
            before = self._selector.unregister(fd).data.get(event)
        elif fd in self._selector.get_map():
            handles = self._selector.get_key(fd).data
            before = handles.pop(event, None)
            handles[event] = handle
            self._selector.modify(fd, sum(handles), handles)
        else:
            self._selector.register(fd, event, {event: handle})
        if before is not None:
            before.cancel()
        return before is not None
""",
            "The other event of the same socket stays",
        ),
        Wrong(
            change=("self._selector.register(fd, sum(handles), handles)", "pass"),
            says="register",
        ),
        Wrong(change=("            before.cancel()\n", "            pass\n"), says="Cancel"),
        Wrong(change=("        return before is not None\n", ""), says="whether there was"),
        Wrong(
            change=(
                "        if handles:\n            self",
                "        if handle:\n            self",
            ),
            says="The other event of the same socket stays",
        ),
    ),
    right=(
        """
class EventLoop:
    def add_reader(self, fd, callback, *args):
        handle = Handle(callback, args, self)
        self._listen(fd, EVENT_READ, handle)

    def _process_events(self, events):
        ready = []
        for key, mask in events:
            if mask & EVENT_READ and EVENT_READ in key.data:
                ready.append(key.data[EVENT_READ])
            if mask & EVENT_WRITE and EVENT_WRITE in key.data:
                ready.append(key.data[EVENT_WRITE])
        return ready
""",
        """
class EventLoop:
    def _listen(self, fd, event, handle):
        key = self._selector.get_map().get(fd)
        handles = dict(key.data) if key else {}
        before = handles.pop(event, None)
        if handle is not None:
            handles[event] = handle
        if key is None:
            if handles:
                self._selector.register(fd, event, handles)
        elif handles:
            self._selector.modify(fd, sum(handles), handles)
        else:
            self._selector.unregister(fd)
        if before is None:
            return False
        before.cancel()
        return True
""",
        """
class EventLoop:
    def _process_events(self, events):
        return [
            handle
            for key, mask in events
            for event, handle in sorted(key.data.items())
            if event & mask
        ]

    def _listen(self, fd, event, handle):
        try:
            handles = self._selector.unregister(fd).data
        except KeyError:
            handles = {}
        before = handles.get(event)
        handles[event] = handle
        handles = {each: kept for each, kept in handles.items() if kept is not None}
        if handles:
            mask = 0
            for each in handles:
                mask |= each
            self._selector.register(fd, mask, handles)
        if before:
            before.cancel()
        return bool(before)
""",
    ),
)


@contextmanager
def _pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two sockets that are connected with each other, both non-blocking."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


@contextmanager
def _loop(aio: Any) -> Iterator[Any]:
    loop = quiet_loop(aio, "EventLoop")
    try:
        yield loop
    finally:
        loop.close()


def _ready(loop: Any, sentence: str) -> list:
    """What `_process_events` makes of what the selector reports now."""
    found = loop._process_events(loop._selector.select(0))
    holds(isinstance(found, list), sentence, f"returned {type(found).__name__}", "a list")
    return found


@READERS.check(
    "a reader is made ready when there is something to read, not before",
    "A callback needs a Handle around it: Handle(callback, args, self).",
)
def _(aio: Any) -> None:
    with _loop(aio) as loop, _pair() as (ours, theirs):
        events, returned = Events(), "`_process_events` returns the list of the handles."
        loop.add_reader(theirs, events.append, "readable")
        sentence = "It was called before there was anything to read: listen for EVENT_READ."
        same(len(_ready(loop, returned)), 0, sentence)
        ours.send(b"x")
        found = _ready(loop, returned)
        same(events, Events(), "`_process_events` runs nothing: the turn runs what it returns.")
        sentence = "What can be read makes its reader ready: register it, and return its handle."
        same(len(found), 1, sentence)
        found[0]._run()
        same(events, Events(["readable"]), "The callback gets its arguments.")


@READERS.check("it is called in each turn, as long as there is something to read")
def _(aio: Any) -> None:
    with _loop(aio) as loop, _pair() as (ours, theirs):
        calls = []
        loop.add_reader(theirs, calls.append, 1)
        ours.send(b"xyz")
        for _ in range(3):
            loop._run_once()
            loop.call_soon(lambda: None)
        sentence = "A reader is called as long as there is something to read: leave it registered."
        same(len(calls), 3, sentence)


@READERS.check("one report can say both: readable and writable")
def _(aio: Any) -> None:
    with _loop(aio) as loop, _pair() as (ours, theirs):
        events = Events()
        loop.add_reader(theirs, events.append, "readable")
        loop.add_writer(theirs, events.append, "writable")
        loop._run_once()
        sentence = "Only what has happened is ready: `mask & event`."
        if "writable" not in events:
            sentence = "The other event of the same socket stays: put both into the dict."
        same(events, Events(["writable"]), sentence)
        ours.send(b"x")
        loop._run_once()
        yours = Events([*events[:1], *sorted(events[1:])])
        expected = Events(["writable", "readable", "writable"])
        sentence = "A mask can hold both events: look for each of them."
        if "readable" not in _registered(loop, theirs):
            sentence = "The other event of the same socket stays: keep what is in the dict."
        same(yours, expected, sentence)


_ABLE = {"reader": "readable", "writer": "writable"}


def _registered(loop: Any, sock: socket.socket) -> list[str]:
    key = loop._selector.get_map().get(sock)
    events = key.events if key else 0
    return [name for bit, name in ((1, "readable"), (2, "writable")) if events & bit]


@READERS.check("one report can be of many sockets")
def _(aio: Any) -> None:
    with _loop(aio) as loop, _pair() as (a, b), _pair() as (c, d):
        events = Events()
        for name, sock in (("A", b), ("B", d)):
            loop.add_reader(sock, events.append, name)
        for sock in (a, c):
            sock.send(b"x")
        loop.call_soon_threadsafe(events.append, "the pipe")  # the loop's own socket is one of them
        loop._run_once()
        sentence = "Look at every pair of the report, and return all handles in one list."
        same(Events(sorted(events)), Events(["A", "B", "the pipe"]), sentence)
        sentence = "Only what has happened is ready: `mask & event`."
        same(len(_ready(loop, sentence)), 2, "The loop reads its own pipe empty, by a reader.")


@READERS.check("without its reader a socket still has its writer, and the other way round")
def _(aio: Any) -> None:
    for stays, goes in (("writer", "reader"), ("reader", "writer")):
        with _loop(aio) as loop, _pair() as (ours, theirs):
            events = Events()
            loop.add_reader(theirs, events.append, "reader")
            loop.add_writer(theirs, events.append, "writer")
            ours.send(b"x")
            had = getattr(loop, f"remove_{goes}")(theirs)
            sentence = "The other event of the same socket stays: remove only this one."
            holds(_ABLE[stays] in _registered(loop, theirs), sentence)
            loop._run_once()
            same(events, Events([stays]), sentence)
            same(had, True, "Return whether there was a handle.")
            sentence = "The socket is watched for what is left in the dict, and for nothing else."
            same(_registered(loop, theirs), [_ABLE[stays]], sentence)


@READERS.check("the last one that is removed ends the watching")
def _(aio: Any) -> None:
    with _loop(aio) as loop, _pair() as (ours, theirs):
        before = [loop.remove_reader(theirs)]
        loop.add_reader(theirs, lambda: None)
        ours.send(b"x")
        before += [loop.remove_reader(theirs), loop.remove_reader(theirs)]
        sentence = "Return whether there was a handle: False, True, False here."
        same(before, [False, True, False], sentence)
        sentence = "With an empty dict do not register: else the loop wakes again and again."
        same(bool(loop._selector.select(0)), False, sentence)


@READERS.check("a second reader takes the place of the first, which is cancelled")
def _(aio: Any) -> None:
    with _loop(aio) as loop, _pair() as (ours, theirs):
        events = Events()
        loop.add_reader(theirs, events.append, "first")
        ours.send(b"x")
        loop.call_soon(loop.add_reader, theirs, events.append, "second")
        loop._run_once()  # the first is in the queue already, behind the call that replaces it
        sentence = "Cancel the handle from before: it may be in the ready queue already."
        same(events, Events(), sentence)
        loop._run_once()
        same(events, Events(["second"]), "The new handle takes the place of the one before.")


@READERS.check("a reader that raises is reported to the loop")
def _(aio: Any) -> None:
    with _loop(aio) as loop, _pair() as (ours, theirs):
        loop.add_reader(theirs, int, "three")
        ours.send(b"x")
        loop._run_once()
        same(len(loop.reports), 1, "The Handle's third argument is the loop.")


# -- receiving ---------------------------------------------------------------------------------

RECV = Exercise(
    name="sock-recv",
    lesson="08",
    title="Receive from a socket without stopping the other tasks",
    lines=7,
    module="sockets",
    builds=("EventLoop._retry", "EventLoop.sock_recv"),
    stub='''
class EventLoop(BaseEventLoop):
    # await self._until(event, sock) waits for EVENT_READ or EVENT_WRITE of a socket
    async def _retry(self, event, sock, call, *args):
        """Return call(*args); while it would block, wait for `event` and try again."""
        # about 5 lines: a call that would block raises one of WOULD_BLOCK
        ...

    async def sock_recv(self, sock, n):
        """Receive up to `n` bytes; b'' is the end of the stream."""
        # 1 line: sock.recv, by _retry
        ...
''',
    hints=(
        "Try first. Only when the call says that it would block there is something to wait for.",
        "After waiting, try again, in a loop: another task may have been quicker.",
        "`while True:` `try: return call(*args)`, `except WOULD_BLOCK: await self._until(event, "
        "sock)`. And `return await self._retry(EVENT_READ, sock, sock.recv, n)`.",
    ),
    wrong=(
        Wrong(
            """
class EventLoop:
    async def sock_recv(self, sock, n):
        return sock.recv(n)
""",
            "There is nothing to read yet: catch WOULD_BLOCK",
        ),
        Wrong(change=("await self._until(event, sock)", "pass"), says="did not come to an end"),
        Wrong(
            """
from .coroutines import suspend

class EventLoop:
    async def _retry(self, event, sock, call, *args):
        while True:
            try:
                return call(*args)
            except WOULD_BLOCK:
                await suspend()
""",
            "asking again and again",
        ),
        Wrong(
            """
class EventLoop:
    async def _retry(self, event, sock, call, *args):
        await self._until(event, sock)
        return call(*args)
""",
            "try first",
        ),
        Wrong(
            """
class EventLoop:
    async def _retry(self, event, sock, call, *args):
        try:
            return call(*args)
        except WOULD_BLOCK:
            await self._until(event, sock)
            return call(*args)
""",
            "woken, and there was nothing",
        ),
        Wrong(
            """
class EventLoop:
    async def sock_recv(self, sock, n):
        data = b""
        while len(data) < n:
            data += await self._retry(EVENT_READ, sock, sock.recv, n - len(data))
        return data
""",
            "what there is",
        ),
        Wrong(change=("except WOULD_BLOCK", "except OSError"), says="no reason to wait"),
        Wrong(change=("except WOULD_BLOCK", "except Exception"), says="no reason to wait"),
        Wrong(change=("except WOULD_BLOCK", "except BlockingIOError"), says="InterruptedError"),
        Wrong(change=("self._until(event, ", "self._until(EVENT_READ, "), says="for `event`"),
        Wrong(change=("_retry(EVENT_READ", "_retry(EVENT_WRITE"), says="asking again and again"),
        Wrong(
            change=("return await self._retry", "return self._retry"),
            says="await",
        ),
    ),
    right=(
        """
class EventLoop:
    async def _retry(self, event, sock, call, *args):
        try:
            return call(*args)
        except (BlockingIOError, InterruptedError):
            await self._until(event, sock)
        return await self._retry(event, sock, call, *args)
""",
        """
class EventLoop:
    async def _retry(self, event, sock, call, *args):
        while True:
            try:
                result = call(*args)
            except WOULD_BLOCK:
                await self._until(event, sock)
                continue
            return result

    async def sock_recv(self, sock, n):
        def receive():
            return sock.recv(n)

        return await self._retry(EVENT_READ, sock, receive)
""",
        """
class EventLoop:
    async def _retry(self, event, sock, call, *args):
        done = False
        while not done:
            try:
                result = call(*args)
                done = True
            except WOULD_BLOCK:
                await self._until(event, sock)
        return result

    async def sock_recv(self, sock, n):
        data = await self._retry(EVENT_READ, sock, lambda: sock.recv(n))
        return data
""",
    ),
)


@RECV.check(
    "what has come is received at once",
    "Where there is something to read, there is nothing to wait for.",
)
def _(aio: Any) -> None:
    async def main(loop: Any) -> tuple:
        with _pair() as (ours, theirs):
            ours.send(b"hello")
            before = loop.turns
            data = await loop.sock_recv(theirs, 3)
            turns = loop.turns - before
            if not isinstance(data, bytes):
                with suppress(AttributeError):
                    data.close()
                holds(False, "sock_recv returns bytes: await what `_retry` returns.")
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
def _(aio: Any) -> None:
    log = Events()

    async def receiver(loop: Any, sock: socket.socket) -> None:
        log.append("waits")
        log.append(f"receives {await loop.sock_recv(sock, 100)!r}")

    async def main(loop: Any) -> None:
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


class _Odd(socket.socket):
    """A socket whose next calls raise the errors in a list, and then work."""

    errors: list[type[Exception]] = []

    def recv(self, n: int) -> bytes:
        if self.errors:
            raise self.errors.pop(0)
        return super().recv(n)

    def send(self, data: bytes) -> int:
        if self.errors:
            raise self.errors.pop(0)
        return super().send(data)


@contextmanager
def _odd_pair(*errors: type[Exception]) -> Iterator[tuple[socket.socket, _Odd]]:
    with _pair() as (ours, plain), _Odd(fileno=plain.detach()) as theirs:
        theirs.setblocking(False)
        theirs.errors = list(errors)
        yield ours, theirs


@RECV.check(
    "woken, and there is nothing, it waits again",
    "It was woken, and there was nothing: another task had read it. Try again, in a loop.",
)
def _(aio: Any) -> None:
    async def main(loop: Any) -> bytes:
        with _odd_pair(BlockingIOError, BlockingIOError, BlockingIOError) as (ours, theirs):
            ours.send(b"mine")
            return await loop.sock_recv(theirs, 100)

    same(play(aio, main, "EventLoop").result, b"mine", "Woken for nothing, it waits again.")


@RECV.check(
    "a call that a signal interrupts is tried again",
    "WOULD_BLOCK holds InterruptedError too: catch both.",
)
def _(aio: Any) -> None:
    async def main(loop: Any) -> bytes:
        with _odd_pair(InterruptedError) as (ours, theirs):
            ours.send(b"mine")
            return await loop.sock_recv(theirs, 100)

    same(play(aio, main, "EventLoop").result, b"mine", "InterruptedError: try again.")


@RECV.check("every other error comes out at once")
def _(aio: Any) -> None:
    async def main(loop: Any, error: type[Exception]) -> bytes:
        with _odd_pair(error) as (ours, theirs):
            ours.send(b"x")
            return await loop.sock_recv(theirs, 100)

    for error in (ConnectionResetError, ValueError):
        sentence = f"{error.__name__} is no reason to wait: catch WOULD_BLOCK, nothing else."
        program = partial(main, error=error)
        raises(error, partial(play, aio, program, "EventLoop"), sentence)


@RECV.check(
    "`_retry` waits for the event it is given",
    "It waits for `event`, which may be EVENT_WRITE.",
)
def _(aio: Any) -> None:
    async def main(loop: Any) -> int:
        with _odd_pair(BlockingIOError) as (_, theirs):
            async with aio.timeout(1):
                return await loop._retry(aio.sockets.EVENT_WRITE, theirs, theirs.send, b"four")

    same(play(aio, main, "EventLoop").result, 4, "Wait for `event`, and return what the call does.")


@RECV.check("the end of the stream is b''")
def _(aio: Any) -> None:
    async def main(loop: Any) -> bytes:
        with _pair() as (ours, theirs):
            ours.close()
            return await loop.sock_recv(theirs, 100)

    same(play(aio, main, "EventLoop").result, b"", "The end of the stream is b'': return it.")


# -- sending -----------------------------------------------------------------------------------

SEND = Exercise(
    name="sock-sendall",
    lesson="08",
    title="Send all of it, however slow the other side is",
    lines=5,
    module="sockets",
    builds=("EventLoop.sock_sendall",),
    stub='''
class EventLoop(BaseEventLoop):
    async def sock_sendall(self, sock, data):
        """Send all of `data`, a bytes-like object, waiting whenever the other side is slow."""
        # about 4 lines: sock.send(rest) sends what there is room for, and returns how many bytes
        # that was. self._retry(EVENT_WRITE, sock, ...) calls it, and waits where it would block.
        ...
''',
    hints=(
        "`sock.send` may take a part only. What is left must be sent as well.",
        "Keep the rest, and send while there is any: `while rest:`.",
        "`sent = await self._retry(EVENT_WRITE, sock, sock.send, rest)`, then "
        "`rest = rest[sent:]`. With `rest = memoryview(data)` slices copy nothing.",
    ),
    wrong=(
        Wrong(
            """
class EventLoop:
    async def sock_sendall(self, sock, data):
        await self._retry(EVENT_WRITE, sock, sock.send, data)
""",
            "may take a part only",
        ),
        Wrong(
            """
class EventLoop:
    async def sock_sendall(self, sock, data):
        sock.sendall(data)
""",
            "cannot wait",
        ),
        Wrong(
            """
class EventLoop:
    async def sock_sendall(self, sock, data):
        await self._retry(EVENT_WRITE, sock, sock.sendall, data)
""",
            "sends the beginning again",
        ),
        Wrong(change=("while rest", "if rest"), says="may take a part only"),
        Wrong(change=("EVENT_WRITE", "EVENT_READ"), says="can be written"),
        Wrong(change=("rest = rest[sent:]", "rest = rest[sent + 1:]"), says="may take a part only"),
        Wrong(
            """
class EventLoop:
    async def sock_sendall(self, sock, data):
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[sock.send(rest):]
            except WOULD_BLOCK:
                pass
""",
            "did not come to an end",
        ),
        Wrong(
            """
class EventLoop:
    async def sock_sendall(self, sock, data):
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
        for byte in data:
            await self._retry(EVENT_WRITE, sock, sock.send, byte)
""",
            "a bytes-like object is required",
        ),
    ),
    right=(
        """
class EventLoop:
    async def sock_sendall(self, sock, data):
        start = 0
        while start < len(data):
            start += await self._retry(EVENT_WRITE, sock, sock.send, data[start:])
""",
        """
class EventLoop:
    async def sock_sendall(self, sock, data):
        rest = memoryview(data)
        while len(rest) > 0:
            try:
                rest = rest[sock.send(rest) :]
            except (BlockingIOError, InterruptedError):
                await self._until(EVENT_WRITE, sock)
""",
        """
class EventLoop:
    async def sock_sendall(self, sock, data):
        if data:
            sent = await self._retry(EVENT_WRITE, sock, lambda: sock.send(data[:50_000]))
            await self.sock_sendall(sock, data[sent:])
""",
    ),
)


class _Narrow(socket.socket):
    """A socket that takes little at a time, as one does whose other side is slow."""

    began = 0  # how often its own `sendall` was called

    def send(self, data: bytes) -> int:
        return super().send(data[:20_000])

    def sendall(self, data: bytes) -> None:
        self.began += 1
        if self.send(data) < len(data):
            raise BlockingIOError


@SEND.check("a short message goes at once")
def _(aio: Any) -> None:
    async def main(loop: Any) -> tuple[bytes, int]:
        with _pair() as (ours, theirs):
            before = loop.turns
            await loop.sock_sendall(ours, b"hello")
            return theirs.recv(100), loop.turns - before

    data, turns = play(aio, main, "EventLoop").result
    same(data, b"hello", "All of it arrives.")
    same(turns, 0, "A short message goes at once: send first, wait only if it would block.")


@SEND.check(
    "a long one arrives whole, at a reader that is slow",
    "The socket's own `sendall` cannot wait: send what there is room for, then the rest.",
)
def _(aio: Any) -> None:
    size = 500_000

    async def reader(loop: Any, sock: socket.socket) -> bytes:
        got = bytearray()
        while True:
            await aio.sleep(0.01)
            try:
                data = sock.recv(50_000)
            except BlockingIOError:
                continue
            if not data:
                return bytes(got)
            got += data

    async def main(loop: Any) -> tuple[int, bool, int]:
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
                if ours.began > 1:
                    sentence = "Tried again, `sock.sendall` sends the beginning again: `sock.send`."
                holds(False, sentence)
            ours.close()
            got = await task
            return len(got), got == data, loop.turns

    length, whole, turns = play(aio, main, "EventLoop").result
    sentence = "`sock.send` may take a part only: send the rest until nothing is left."
    same(length, size, sentence)
    same(whole, True, sentence)
    holds(turns < 500, "The loop turned more than it needs.", f"{turns} turns", "under 500")


@SEND.check("nothing to send is nothing to do")
def _(aio: Any) -> None:
    async def main(loop: Any) -> int:
        with _pair() as (ours, _):
            await loop.sock_sendall(ours, b"")
            return loop.turns

    same(play(aio, main, "EventLoop").result, 1, "With nothing to send, return at once.")


# -- other threads -----------------------------------------------------------------------------

THREADSAFE = Exercise(
    name="threadsafe",
    lesson="08",
    title="Wake a sleeping loop from another thread",
    lines=9,
    module="sockets",
    builds=(
        "EventLoop.call_soon_threadsafe",
        "EventLoop._write_to_self",
        "EventLoop._read_from_self",
    ),
    stub="""
class EventLoop(BaseEventLoop):
    # the self-pipe: what is sent into self._csock can be read from self._ssock, where the loop
    # listens: it calls _read_from_self when there is something
    def call_soon_threadsafe(self, callback, *args, context=None):
        # about 3 lines: as call_soon, and then wake the loop; return the handle
        ...

    def _write_to_self(self):
        # about 2 lines: send b"\\0". A full pipe raises OSError, which does not matter: there is
        # something to read in it, so that the loop wakes anyway
        ...

    def _read_from_self(self):
        # about 3 lines: receive until the pipe is empty (that raises one of WOULD_BLOCK), and give
        # each piece to self._process_self_data(data), which looks whether a signal has come
        ...
""",
    hints=(
        "The loop looks at its ready queue only when it turns. What makes a sleeping loop turn?",
        "A byte at the other end of the pipe: the selector wakes, in whichever thread it was "
        "written. So first the handle goes into the queue, then the byte into the pipe.",
        '`with contextlib.suppress(OSError): self._csock.send(b"\\0")`; and with '
        "`contextlib.suppress(*WOULD_BLOCK)` around it: `while data := self._ssock.recv(4096):`.",
    ),
    wrong=(
        Wrong(change=("        self._write_to_self()\n", ""), says="does not wake the loop"),
        Wrong(
            """
class EventLoop:
    def call_soon_threadsafe(self, callback, *args, context=None):
        callback(*args)
        self._write_to_self()
""",
            "in the thread of the loop",
        ),
        Wrong(
            """
class EventLoop:
    def call_soon_threadsafe(self, callback, *args, context=None):
        self._write_to_self()
        return self.call_soon(callback, *args, context=context)
""",
            "First the handle, then the byte",
        ),
        Wrong(
            change=("*args, context=context)\n        self._write", "*args)\n        self._write"),
            says="Hand the context on",
        ),
        Wrong(change=("        return handle\n", ""), says="Return the handle"),
        Wrong(
            """
class EventLoop:
    def _write_to_self(self):
        self._csock.send(b"x")
""",
            "A full pipe",
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
        self._process_self_data(self._ssock.recv(1))
""",
            "Read the pipe empty",
        ),
        Wrong(
            """
class EventLoop:
    def _read_from_self(self):
        while data := self._ssock.recv(4096):
            self._process_self_data(data)
""",
            "An empty pipe",
        ),
        Wrong(
            """
class EventLoop:
    def _read_from_self(self):
        with contextlib.suppress(*WOULD_BLOCK):
            while self._ssock.recv(4096):
                pass
""",
            "may be a signal",
        ),
    ),
    right=(
        """
class EventLoop:
    def call_soon_threadsafe(self, callback, *args, context=None):
        try:
            return self.call_soon(callback, *args, context=context)
        finally:
            self._write_to_self()

    def _write_to_self(self):
        try:
            self._csock.send(b"x")
        except OSError:
            pass
""",
        """
class EventLoop:
    def _read_from_self(self):
        while True:
            try:
                data = self._ssock.recv(100)
            except (BlockingIOError, InterruptedError):
                return
            if not data:
                return
            self._process_self_data(data)
""",
        """
class EventLoop:
    def _write_to_self(self):
        with contextlib.suppress(BlockingIOError, InterruptedError, OSError):
            self._csock.sendall(b"wake up"[:1])

    def _read_from_self(self):
        everything = b""
        try:
            while data := self._ssock.recv(65536):
                everything += data
        except WOULD_BLOCK:
            pass
        self._process_self_data(everything)
""",
    ),
)


def _call_from_a_thread(aio: Any, debug: bool = False) -> tuple[str, list]:
    """Have a thread call into a loop that sleeps; return what happened, in which thread, when."""
    loop = aio.EventLoop()
    loop.set_debug(debug)
    seen = []

    async def main() -> str:
        done, start, asleep = loop.create_future(), loop.time(), threading.Event()
        select = loop._selector.select

        def tell_and_select(timeout: float | None = None) -> list:
            if timeout != 0:
                asleep.set()
            return select(timeout)

        def finish(how: str) -> None:
            if not done.done():
                in_time = loop.time() - start < 0.9
                seen.append((how, threading.current_thread()))
                done.set_result(how if in_time else "too late")

        def stranger() -> None:
            asleep.wait()
            time.sleep(0.02)
            try:
                loop.call_soon_threadsafe(finish, "in time")
            except RuntimeError as error:
                seen.append((f"refused: {error}", None))

        loop._selector.select = tell_and_select
        late = loop.call_later(1, finish, "too late")
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


class _Pipe:
    """Takes the place of `_csock`: notes how much is ready when a byte is written."""

    def __init__(self, loop: Any, error: OSError | None = None) -> None:
        self.loop = loop
        self.error = error
        self.ready: list[int] = []

    def send(self, data: bytes) -> int:
        self.ready.append(len(self.loop._ready))
        if self.error is not None:
            raise self.error
        return len(data)

    def sendall(self, data: bytes) -> None:
        self.send(data)


@contextmanager
def _pipe(aio: Any, error: OSError | None = None) -> Iterator[tuple[Any, _Pipe]]:
    with _loop(aio) as loop:
        real, loop._csock = loop._csock, _Pipe(loop, error)
        try:
            yield loop, loop._csock
        finally:
            loop._csock = real


@THREADSAFE.check("the handle is in the queue before the byte is in the pipe")
def _(aio: Any) -> None:
    with _pipe(aio) as (loop, pipe):
        called = []
        handle = loop.call_soon_threadsafe(called.append, "by the thread")
        sentence = "The callback runs later, in the thread of the loop: put it into the queue."
        same(called, [], sentence)
        sentence = "First the handle, then the byte: a loop that wakes sooner finds nothing to run."
        if not pipe.ready:
            sentence = "The call does not wake the loop from its sleep: write a byte to the pipe."
        same(pipe.ready, [1], sentence)
        holds(hasattr(handle, "cancel"), "Return the handle.")


@THREADSAFE.check("a call from another thread wakes the loop")
def _(aio: Any) -> None:
    how, seen = _call_from_a_thread(aio)
    sentence = "The call does not wake the loop from its sleep: write a byte to the pipe."
    same(how, "in time", sentence)
    here = seen[0][1] is threading.current_thread()
    same(here, True, "The callback must run in the thread of the loop: put it into `_ready`.")


@THREADSAFE.check("the callback gets its arguments, and runs in the context it was given")
def _(aio: Any) -> None:
    number, seen = ContextVar("number", default=0), []
    context = copy_context()
    context.run(number.set, 7)
    with _loop(aio) as loop:
        loop.call_soon_threadsafe(lambda *args: seen.append((number.get(), args)), 1, 2)
        loop.call_soon_threadsafe(lambda: seen.append(number.get()), context=context)
        loop._run_once()
        same(seen, [(0, (1, 2)), 7], "Hand the context on, and the arguments.")
        plain = aio.sockets.EventLoop()  # without what the course adds to yours
        plain.call_soon_threadsafe(seen.append, "none given")._run()
        plain.close()
        same(seen[2:], ["none given"], "Without a context, hand None on.")


@THREADSAFE.check("debug mode lets it through")
def _(aio: Any) -> None:
    how, _ = _call_from_a_thread(aio, debug=True)
    same(how, "in time", "In debug mode only `call_soon_threadsafe` may be called by a thread.")


@THREADSAFE.check(
    "the pipe is read empty",
    "An empty pipe raises BlockingIOError: that is its end, suppress it.",
)
def _(aio: Any) -> None:
    with _loop(aio) as loop:
        for _ in range(20):
            loop.call_soon_threadsafe(lambda: None)
        loop._csock.send(bytes(6000))  # more than one piece
        loop._run_once()
        loop._run_once() if loop._ready else None
        sentence = "Read the pipe empty, or the loop wakes again and again for the same bytes."
        same(bool(loop._selector.select(0)), False, sentence)
        sentence = "An empty pipe is no error: suppress WOULD_BLOCK."
        same([repr(report["exception"]) for report in loop.reports], [], sentence)


@THREADSAFE.check("a pipe that cannot be read is reported")
def _(aio: Any) -> None:
    class Broken:
        def recv(self, n: int) -> bytes:
            raise ValueError

    with _loop(aio) as loop:
        real, loop._ssock = loop._ssock, Broken()
        try:
            raises(ValueError, loop._read_from_self, "Suppress WOULD_BLOCK, nothing else.")
        finally:
            loop._ssock = real


@THREADSAFE.check("a pipe that is full does not matter")
def _(aio: Any) -> None:
    for error in (BlockingIOError(), ConnectionResetError()):
        with _pipe(aio, error) as (loop, _):
            calls = []
            try:
                for n in range(3):
                    loop.call_soon_threadsafe(calls.append, n)
            except OSError:
                sentence = "A full pipe does not matter: the loop wakes anyway. Suppress OSError."
                holds(False, sentence)
            loop._run_once()
            same(calls, [0, 1, 2], "All of them run, in order.")
    with _pipe(aio, ValueError()) as (loop, _):
        sentence = "Suppress OSError, nothing else."
        raises(ValueError, lambda: loop.call_soon_threadsafe(print), sentence)


@THREADSAFE.check("a byte can be the number of a signal")
def _(aio: Any) -> None:
    with _loop(aio) as loop:
        events = Events()
        loop._signal_handlers[15] = aio.Handle(events.append, ("signal",), loop)
        loop._csock.send(bytes([0, 15]))
        loop._run_once()
        loop._run_once() if loop._ready else None
        loop._signal_handlers.clear()
        sentence = "A byte may be a signal: give what you receive to `_process_self_data`."
        same(events, Events(["signal"]), sentence)


# -- a socket that blocks ----------------------------------------------------------------------

BLOCKING = Exercise(
    name="blocking-repair",
    lesson="08",
    title="This client freezes every task: find the missing line",
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
        Wrong(change=("setblocking(False)", "settimeout(0.5)"), says="The heart stopped"),
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
        Wrong(change=("return await", "return"), says="Return what the server answers"),
    ),
    right=(
        """
async def ask(loop, address, question):
    with socket.socket() as sock:
        sock.settimeout(0)
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, question)
        return await loop.sock_recv(sock, 1024)
""",
        """
async def ask(loop, address, question):
    sock = socket.socket()
    sock.setblocking(False)
    try:
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, question)
        answer = await loop.sock_recv(sock, 1024)
    finally:
        sock.close()
    return answer
""",
        """
async def ask(loop, address, question):
    def talk():
        with socket.create_connection(address) as sock:
            sock.sendall(question)
            return sock.recv(1024)

    return await loop.run_in_executor(None, talk)
""",
        """
async def ask(loop, address, question):
    with socket.create_connection(address) as sock:
        sock.setblocking(False)
        await loop.sock_sendall(sock, question)
        return await loop.sock_recv(sock, 1024)
""",
    ),
)

_ANSWER_AFTER = 0.2  # seconds the server takes; the heart beats each 0.01 s
_QUESTION = b"a question"


def _serve(listener: socket.socket) -> None:
    """Answer one client that asks the question, slowly, in a thread of its own."""
    listener.settimeout(1)
    with suppress(OSError):
        conn, _ = listener.accept()
        with conn:
            conn.settimeout(1)
            asked = conn.recv(100)
            time.sleep(_ANSWER_AFTER)
            conn.sendall(b"an answer" if asked == _QUESTION else b"what?")


@contextmanager
def _server() -> Iterator[Any]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=_serve, args=(listener,), daemon=True)
        server.start()
        try:
            yield listener.getsockname()
        finally:
            server.join(2)


@BLOCKING.check("the answer comes, and the heart beats while we wait for it")
def _(cell: Any) -> None:
    aio = cell.aio
    cell.socket = socket  # the lesson has imported it
    loop = aio.EventLoop()
    beats = []

    async def heart() -> None:
        while True:
            beats.append(loop.time())
            await aio.sleep(0.01)

    async def main(address: Any) -> Any:
        beating = loop.create_task(heart())
        await aio.sleep(0.02)
        answer = await cell.ask(loop, address, _QUESTION)
        await aio.sleep(0.02)
        beating.cancel()
        return answer

    with _server() as address:
        try:
            answer = loop.run_until_complete(main(address))
        finally:
            loop.close()
    if hasattr(answer, "close") and not isinstance(answer, bytes):
        answer.close()
    same(answer, b"an answer", "Return what the server answers: await it.")
    gap = max(b - a for a, b in zip(beats, beats[1:], strict=False))
    sentence = "The heart stopped while the socket waited: it is a blocking one."
    holds(gap < _ANSWER_AFTER * 0.8, sentence, "no beat for 0.2 s", "a beat each 0.01 s")


@BLOCKING.check("debug mode accepts it")
def _(cell: Any) -> None:
    cell.socket = socket
    loop = cell.aio.EventLoop()
    loop.set_debug(True)
    with _server() as address:
        try:
            loop.run_until_complete(cell.ask(loop, address, _QUESTION))
        except ValueError:
            holds(False, "Debug mode refuses it: the socket is a blocking one.")
        finally:
            loop.close()
