"""Engine 1, blocking: one client at a time; the others wait until it has gone."""

import socket
from typing import Any

from .listener import Listener, Stop, guarded
from .protocol import CHUNK, LIMIT, EchoReverse


def serve(listener: Listener, stop: Stop, limit: int = LIMIT) -> None:
    """Serve clients one after another until `stop` is set."""
    listener.setblocking(True)
    with stop.calls(listener.knock):
        while not stop.is_set():
            connection, address = listener.accept()  # waits until a client comes
            converse(connection, address, stop, limit)


def converse(connection: socket.socket, address: Any, stop: Stop, limit: int) -> None:
    """Answer one client to its end."""
    connection.setblocking(True)
    protocol = EchoReverse(limit, address)
    with guarded(connection, address), stop.hangs_up(connection):
        while not protocol.finished:
            data = connection.recv(CHUNK)  # waits until it says something
            connection.sendall(protocol.receive(data))  # waits until it listens
