"""Engine 2, threads: the blocking code, but each client has a thread that may wait for it."""

from threading import Thread
from weakref import WeakSet

from .blocking import converse
from .listener import Listener, Stop
from .protocol import LIMIT, note_trouble


def serve(listener: Listener, stop: Stop, limit: int = LIMIT) -> None:
    """Serve every client in a thread of its own until `stop` is set."""
    listener.setblocking(True)
    threads: WeakSet[Thread] = WeakSet()  # a thread that has ended drops out by itself
    with stop.calls(listener.knock):
        while not stop.is_set():
            connection, address = listener.accept()
            thread = Thread(target=converse, args=(connection, address, stop, limit))
            thread.name = f"echo_reverse client {address}"
            try:
                thread.start()
                threads.add(thread)
            except RuntimeError as trouble:  # the system gives no more threads
                note_trouble(address, trouble)
                connection.close()
    for thread in list(threads):
        thread.join()
