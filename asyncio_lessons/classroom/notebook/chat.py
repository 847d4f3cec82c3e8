"""A chat server on this machine, for lesson 09: it answers when the friend has read the message."""

import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from types import ModuleType
from typing import Any

READING = 0.2  # seconds until a friend has read a message


@asynccontextmanager
async def server(aio: ModuleType) -> AsyncIterator[Callable]:
    """Run the server in a block, on the loop of package `aio`; give the block `tell`.

    `tell(friend, text)` is a coroutine function. In a web page, where Python has no sockets, the
    friend reads the message without a server.
    """
    if sys.platform == "emscripten":
        yield partial(read, aio)
        return
    loop = aio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        serving = loop.create_task(accept_clients(aio, listener), name="chat server")
        try:
            yield partial(tell, aio, listener.getsockname())
        finally:
            serving.cancel()


async def tell(aio: ModuleType, address: tuple, friend: str, text: str) -> str:
    """Send a message for a friend to the server at `address`, and return its answer."""
    loop = aio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, f"{friend}: {text}".encode())
        return (await loop.sock_recv(sock, 1024)).decode()


async def accept_clients(aio: ModuleType, listener: socket.socket) -> None:
    """Serve each client in a task of its own, until cancelled."""
    loop, serving = aio.get_running_loop(), set()
    while True:
        conn, _ = await loop.sock_accept(listener)
        task = loop.create_task(pass_on(aio, conn), name="client")
        serving.add(task)
        task.add_done_callback(serving.discard)


async def pass_on(aio: ModuleType, conn: socket.socket) -> None:
    """Answer one client when the friend has read the message."""
    loop: Any = aio.get_running_loop()
    with conn:
        friend, _, text = (await loop.sock_recv(conn, 1024)).decode().partition(": ")
        await loop.sock_sendall(conn, (await read(aio, friend, text)).encode())


async def read(aio: ModuleType, friend: str, text: str) -> str:
    """Take the time a friend needs to read, and return the answer."""
    await aio.sleep(READING)
    return f"{friend} has read {text!r}"
