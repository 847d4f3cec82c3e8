"""Engine 4, a selector with callbacks: sleep until a socket is ready, then call who cares."""

import socket
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector, DefaultSelector
from typing import Any

from .listener import Listener, Stop
from .protocol import CHUNK, LIMIT, EchoReverse, note_trouble


def serve(listener: Listener, stop: Stop, limit: int = LIMIT) -> None:
    """Call the callback of each socket that is ready until `stop` is set."""
    listener.setblocking(False)
    with DefaultSelector() as selector, stop.calls(listener.knock):
        selector.register(listener, EVENT_READ, lambda: welcome(selector, listener, limit))
        while not stop.is_set():
            for key, _ in selector.select():  # the only line that waits
                key.data()
        selector.unregister(listener)
        for key in list(selector.get_map().values()):
            key.fileobj.close()


def welcome(selector: BaseSelector, listener: Listener, limit: int) -> None:
    """Called when a client has come."""
    try:
        connection, address = listener.accept()
    except BlockingIOError:
        return  # it has gone again
    connection.setblocking(False)
    client = Client(selector, connection, address, limit)
    selector.register(connection, EVENT_READ, client.on_readable)


class Client:
    """A connection, and what is still to be sent on it: what a callback finds when called."""

    def __init__(self, selector: BaseSelector, connection: socket.socket, address: Any, limit: int):
        self.selector = selector
        self.connection = connection
        self.address = address
        self.protocol = EchoReverse(limit, address)
        self.outgoing = memoryview(b"")

    def on_readable(self) -> None:
        self.step(self.receive)

    def on_writable(self) -> None:
        self.step(self.send)

    def step(self, action) -> None:
        try:
            action()
        except BlockingIOError:
            return  # a false alarm: the selector will call again
        except Exception as trouble:
            note_trouble(self.address, trouble)
            self.close()
        else:
            self.wait()

    def receive(self) -> None:
        self.outgoing = memoryview(self.protocol.receive(self.connection.recv(CHUNK)))

    def send(self) -> None:
        self.outgoing = self.outgoing[self.connection.send(self.outgoing) :]

    def wait(self) -> None:
        if self.outgoing:  # read no more until the client has taken this
            self.selector.modify(self.connection, EVENT_WRITE, self.on_writable)
        elif self.protocol.finished:
            self.close()
        else:
            self.selector.modify(self.connection, EVENT_READ, self.on_readable)

    def close(self) -> None:
        self.selector.unregister(self.connection)
        self.connection.close()
