"""Engine 3, busy polling: nothing blocks, so one thread asks everyone, round and round."""

import socket
from contextlib import suppress
from typing import Any

from .listener import Listener, Stop
from .protocol import CHUNK, LIMIT, EchoReverse, note_trouble


def serve(listener: Listener, stop: Stop, limit: int = LIMIT) -> None:
    """Ask the listener and every client for news, for ever, until `stop` is set."""
    listener.setblocking(False)
    clients: list[Client] = []
    while not stop.is_set():  # no line in here waits: an idle server is a busy one
        with suppress(BlockingIOError):
            clients.append(Client(*listener.accept(), limit))
        clients = [client for client in clients if client.ask()]
    for client in clients:
        client.connection.close()


class Client:
    """A connection, and what is still to be sent on it."""

    def __init__(self, connection: socket.socket, address: Any, limit: int) -> None:
        connection.setblocking(False)
        self.connection = connection
        self.address = address
        self.protocol = EchoReverse(limit, address)
        self.outgoing = memoryview(b"")

    def ask(self) -> bool:
        """Do what can be done now; return False when this client has gone."""
        try:
            self.send() if self.outgoing else self.receive()
        except BlockingIOError:
            return True  # nothing yet: ask again in the next round
        except Exception as trouble:
            note_trouble(self.address, trouble)
            self.connection.close()
            return False
        return self.stays()

    def receive(self) -> None:
        self.outgoing = memoryview(self.protocol.receive(self.connection.recv(CHUNK)))

    def send(self) -> None:
        sent = self.connection.send(self.outgoing)  # as much as there is room for
        self.outgoing = self.outgoing[sent:]

    def stays(self) -> bool:
        if self.outgoing or not self.protocol.finished:
            return True
        self.connection.close()
        return False
