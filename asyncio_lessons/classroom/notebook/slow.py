"""Far ends that are slow, and clients that come one after the other: for lesson 08."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ..filming.loops import work

ANSWER = b"answer"


class SlowLine:
    """A connection with room for nothing at first; its far end takes what comes, then answers.

    loop: whose clock counts; room_after, answer_after: seconds from now; tell: what to call first
    whenever one of the two happens. The program uses the socket `near`.
    """

    def __init__(
        self, loop: Any, room_after: float, answer_after: float, tell: Callable[[], Any]
    ) -> None:
        self.near, self._far = socket.socketpair()
        self._tell = tell
        for end in (self.near, self._far):
            end.setblocking(False)
        until_it_blocks(self.near.send, bytes(4096))
        loop.call_later(room_after, self._happens, until_it_blocks, self._far.recv, 65536)
        loop.call_later(answer_after, self._happens, self._far.send, ANSWER)

    def _happens(self, call: Callable, *args: Any) -> None:
        self._tell()
        call(*args)

    def close(self) -> None:
        """Close both ends."""
        self.near.close()
        self._far.close()


def until_it_blocks(call: Callable, *args: Any) -> None:
    """Call it again and again, until it would block."""
    with contextlib.suppress(BlockingIOError):
        while True:
            call(*args)


class SlowSocket(socket.socket):
    """A socket that is answered after some seconds of the loop's clock, virtual or real.

    A blocking one blocks the loop in `recv` for that time, as `work` does.
    """

    def __init__(self, loop: Any, seconds: float) -> None:
        near, self._far = socket.socketpair()
        super().__init__(fileno=near.detach())
        self._seconds = seconds
        self._timer = loop.call_later(seconds, self._far.send, ANSWER)

    def recv(self, n: int) -> bytes:
        """Receive up to `n` bytes."""
        if not self.getblocking():
            return super().recv(n)
        self._timer.cancel()
        work(self._seconds)
        return ANSWER

    def close(self) -> None:
        """Close both ends."""
        self._far.close()
        super().close()


@contextlib.contextmanager
def slow_server(seconds: float) -> Iterator[tuple]:
    """A server in a thread, which answers its first client after so many seconds; its address."""

    def answer() -> None:
        conn, _ = listener.accept()
        with conn:
            time.sleep(seconds)
            conn.sendall(ANSWER)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listener.getsockname()
        thread.join()


async def two_visits(aio: Any, serve: Callable, early: Callable, late: Callable) -> None:
    """Run ``serve(loop, listener)`` and two clients, ``client(loop, sock)``, 0.1 s apart.

    aio: the package whose loop runs.
    """

    async def visit(client: Callable) -> None:
        with socket.socket() as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, listener.getsockname())
            await client(loop, sock)

    loop = aio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        server = loop.create_task(serve(loop, listener), name="server")
        first = loop.create_task(visit(early), name="early")
        await aio.sleep(0.1)
        await visit(late)
        await first
        server.cancel()
