"""What lesson 01 waits for: a slow site, a late message, and two deposits at the same moment.

Each runs on this machine, in threads that have ended when the `with` block or the call is over.
"""

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

DELAY = 0.2  # seconds until the site answers, or the message comes
MESSAGE = b"Hello, world !!\n"  # 16 bytes


class _Page(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass  # the request goes up to an empty line
        time.sleep(DELAY)
        self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n")


@contextmanager
def slow_site() -> Iterator[tuple[str, int]]:
    """Serve on a free port, and give the address; each request is answered after 0.2 s."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield server.server_address
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def late_message() -> Iterator[socket.socket]:
    """Give one end of a connection; after 0.2 s, 16 bytes arrive there."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Timer(DELAY, theirs.sendall, [MESSAGE])
        sender.start()
        try:
            yield ours
        finally:
            sender.join()


def two_deposits(deposit: Callable[[dict[str, int], Callable], None]) -> int:
    """Let two threads deposit into one account, the second while the first pauses.

    deposit: called with the account (its "total" is 0) and with the function to pause by. The
    first pause ends when the second deposit is over, or has waited for half a second. Returns
    the total.
    """
    account, paused, resume = {"total": 0}, threading.Event(), threading.Event()

    def pause() -> None:
        paused.set()
        resume.wait(2)

    first = threading.Thread(target=deposit, args=[account, pause])
    second = threading.Thread(target=deposit, args=[account, lambda: None])
    first.start()
    paused.wait(2)
    second.start()
    second.join(0.5)
    resume.set()
    first.join()
    second.join()
    return account["total"]
