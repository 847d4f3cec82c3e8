"""Clients for the echo-reverse server: well-behaved ones, a crowd of them, and bad ones.

They use threads and plain sockets, so they do not depend on any loop that is being tried out.
"""

import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from .listener import allow_many_descriptors

Address = tuple[str, int]
TIMEOUT = 30.0  # seconds without news after which a client gives up


def connect(address: Address) -> socket.socket:
    """Return a connection to the server at `address`."""
    return socket.create_connection(address, timeout=TIMEOUT)


def exchange(address: Address, data: bytes) -> bytes:
    """Send `data`, say that this was all, and return everything that comes back."""
    with connect(address) as connection:
        sender = threading.Thread(target=_send, args=(connection, data))
        sender.start()  # beside the reading: the server reads no more than its client does
        try:
            return receive_all(connection)
        finally:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            sender.join()


def _send(connection: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # the reading side tells what happened
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)


def receive_all(connection: socket.socket) -> bytes:
    """Return what comes until the server closes the connection."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def ask(connection: socket.socket, message: bytes) -> bytes:
    """Send one message and return its reply; shorter if the server hangs up."""
    connection.sendall(message)
    reply = bytearray()
    while len(reply) < len(message) and (data := connection.recv(65536)):
        reply += data
    return bytes(reply)


@dataclass
class Visit:
    """What one client saw: when it came and left, and for each message when and what.

    All times are `time.perf_counter()` seconds.
    """

    name: str
    came: float = 0.0
    left: float = 0.0
    asked: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    replies: list[bytes] = field(default_factory=list)
    trouble: str = ""

    @property
    def served(self) -> bool:
        """Whether every message was answered."""
        return not self.trouble and len(self.answered) == len(self.asked) > 0


def visit(address: Address, name: str, messages: list[bytes], pause: float = 0.0) -> Visit:
    """Be one client: send each message, wait for its reply, think for `pause` seconds."""
    record = Visit(name, came=time.perf_counter())
    try:
        with connect(address) as connection:
            for message in messages:
                record.asked.append(time.perf_counter())
                reply = ask(connection, message)
                record.answered.append(time.perf_counter())
                record.replies.append(reply)
                time.sleep(pause)
    except OSError as error:
        record.trouble = str(error)
    record.left = time.perf_counter()
    return record


def crowd(
    address: Address, clients: int = 5, messages: int = 4, pause: float = 0.02
) -> list[Visit]:
    """Be many clients at once, a thread each; return what each of them saw.

    Args:
        address: of the server.
        clients: how many.
        messages: how many each client sends.
        pause: seconds a client thinks after each reply.
    """
    visits: list[Visit] = []

    def go(name: str) -> None:
        said = [f"{name} says {n}\n".encode() for n in range(1, messages + 1)]
        visits.append(visit(address, name, said, pause))

    threads = [
        threading.Thread(target=go, args=(f"client {n}",), name=f"client {n}")
        for n in range(1, clients + 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(visits, key=lambda seen: int(seen.name.split()[-1]))


def thousand(address: Address, clients: int = 1000, message: bytes = b"one of many\n") -> int:
    """Connect that many clients, then have all of them ask; return how many were answered."""
    allow_many_descriptors()
    connections = [connect(address) for _ in range(clients)]
    try:
        for connection in connections:
            connection.sendall(message)
            connection.shutdown(socket.SHUT_WR)
        return sum(receive_all(connection) == message[::-1] for connection in connections)
    finally:
        for connection in connections:
            connection.close()


@contextmanager
def heartbeat(address: Address, every: float = 0.01) -> Iterator[list[tuple[float, float]]]:
    """Beside the block, visit the server again and again with one short message.

    Gives a list which fills with `(asked, answered)`, in `time.perf_counter()` seconds. A server
    that serves everyone answers each beat at once.

    Args:
        address: of the server.
        every: seconds from a reply to the next visit.
    """
    beats: list[tuple[float, float]] = []
    enough = threading.Event()

    def beat() -> None:
        while not enough.is_set():
            seen = visit(address, "heartbeat", [b"beat\n"])
            if seen.served:
                beats.append((seen.came, seen.answered[0]))
            enough.wait(every)

    thread = threading.Thread(target=beat, name="heartbeat")
    thread.start()
    try:
        yield beats
    finally:
        enough.set()
        thread.join()


def largest_gap(beats: list[tuple[float, float]]) -> float:
    """Return the longest time a beat took from being asked to being answered, in seconds."""
    return max((answered - asked for asked, answered in beats), default=0.0)


def byte_by_byte(address: Address, message: bytes, pause: float = 0.001) -> bytes:
    """Send a message one byte at a time, `pause` seconds apart; return the reply."""
    with connect(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        for byte in message:
            connection.sendall(bytes([byte]))
            time.sleep(pause)
        connection.shutdown(socket.SHUT_WR)
        return receive_all(connection)


def vanish(address: Address, beginning: bytes = b"this message has no e") -> None:
    """Begin a message, then reset the connection in the middle of it."""
    connection = connect(address)
    connection.sendall(beginning)
    two_numbers = "hh" if sys.platform == "win32" else "ii"
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(two_numbers, 1, 0))
    connection.close()  # with a linger time of zero: a reset, not an orderly end


@contextmanager
def never_reading(address: Address, most: int = 64 * 1024 * 1024) -> Iterator[int]:
    """Send messages and read no reply until the server reads no more; give the bytes it took.

    The connection stays open, as full as it is, for the length of the block. The system's own
    buffers take some megabytes; a server that took `most` bytes would take any number.
    """
    with connect(address) as connection:
        connection.settimeout(0.3)
        taken = 0
        block = memoryview((b"x" * 999 + b"\n") * 1000)
        with suppress(TimeoutError):
            while taken < most:
                taken += connection.send(block[taken % len(block) :])
        yield taken
