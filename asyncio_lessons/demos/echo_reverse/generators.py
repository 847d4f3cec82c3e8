"""Engine 5, generators: each client is a function again, which is suspended where it must wait."""

import socket
from collections import deque
from collections.abc import Generator
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import Any

from .listener import Listener, Stop, guarded
from .protocol import CHUNK, LIMIT, EchoReverse

# A generator yields what it waits for, (socket, event), or another generator to be started.
Talk = Generator[Any, None, None]


def serve(listener: Listener, stop: Stop, limit: int = LIMIT) -> None:
    """Resume each generator whose socket is ready until `stop` is set."""
    ready = deque([welcome(listener, limit)])
    with DefaultSelector() as waiting, stop.calls(listener.knock):
        while not stop.is_set():
            while ready:
                step(ready.popleft(), ready, waiting)
            for key, _ in waiting.select():
                waiting.unregister(key.fileobj)
                ready.append(key.data)
        for talk in [*ready, *(key.data for key in waiting.get_map().values())]:
            talk.close()  # raises GeneratorExit at its `yield`, which closes the connection


def step(talk: Talk, ready: deque[Talk], waiting: DefaultSelector) -> None:
    """Run a generator to its next `yield`, and put it where that says."""
    match next(talk, None):
        case (fileobj, event):
            waiting.register(fileobj, event, talk)
        case Generator() as newcomer:
            ready.extend([newcomer, talk])


def welcome(listener: Listener, limit: int) -> Talk:
    """Start a generator for every client."""
    listener.setblocking(False)
    while True:
        yield listener, EVENT_READ
        try:
            connection, address = listener.accept()
        except BlockingIOError:
            continue  # it has gone again
        yield converse(connection, address, limit)


def converse(connection: socket.socket, address: Any, limit: int) -> Talk:
    """Answer one client to its end: the blocking engine's code with a `yield` before each wait."""
    connection.setblocking(False)
    protocol = EchoReverse(limit, address)
    with guarded(connection, address):
        while not protocol.finished:
            yield connection, EVENT_READ
            outgoing = memoryview(protocol.receive(connection.recv(CHUNK)))
            while outgoing:
                yield connection, EVENT_WRITE
                outgoing = outgoing[connection.send(outgoing) :]
