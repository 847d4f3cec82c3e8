"""Engine 6, the loop of this course: `await` where the generators had to `yield`.

The code asks for nothing but the names of asyncio, so it runs on any package that has them:
`asyncio_lessons`, your own `my_asyncio`, or `asyncio` itself.
"""

import socket
from contextlib import suppress
from types import ModuleType
from typing import Any

import asyncio_lessons

from .listener import Listener, Stop, guarded
from .protocol import CHUNK, LIMIT, EchoReverse


def serve(
    listener: Listener, stop: Stop, limit: int = LIMIT, *, aio: ModuleType = asyncio_lessons
) -> None:
    """Run the loop of the package `aio` until `stop` is set."""
    listener.setblocking(False)
    with suppress(aio.CancelledError):
        aio.run(welcome(aio, listener, stop, limit))


async def welcome(aio: ModuleType, listener: Listener, stop: Stop, limit: int) -> None:
    """Start a task for every client; when this task is cancelled, the group ends them all."""
    loop = aio.get_running_loop()
    cancel = aio.current_task().cancel
    with stop.calls(loop.call_soon_threadsafe, cancel):
        async with aio.TaskGroup() as clients:
            while True:
                connection, address = await loop.sock_accept(listener)
                clients.create_task(converse(aio, connection, address, limit))


async def converse(aio: ModuleType, connection: socket.socket, address: Any, limit: int) -> None:
    """Answer one client to its end."""
    loop = aio.get_running_loop()
    connection.setblocking(False)
    protocol = EchoReverse(limit, address)
    with guarded(connection, address):
        while not protocol.finished:
            data = await loop.sock_recv(connection, CHUNK)
            await loop.sock_sendall(connection, protocol.receive(data))
            await aio.sleep(0)  # neither of the two gives way if it need not wait
