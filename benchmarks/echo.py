"""Echo-reverse over loopback: what a request costs the server in CPU time.

The server is a process of its own (``python -m benchmarks.echo NAME`` prints its port). Its
client is another one, the same for all: it keeps one message of 64 bytes under way on each
connection. What is measured is the server's CPU time, so the client's speed does not count.
"""

import asyncio
import contextlib
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from benchmarks.contenders import installed

MESSAGE = b"x" * 63 + b"\n"


async def serve_sockets(aio, listener: socket.socket) -> None:
    """Answer on `loop.sock_*`, with our loop or asyncio's."""
    loop = aio.get_running_loop()

    async def answer(conn: socket.socket) -> None:
        with conn, contextlib.suppress(ConnectionError):
            while data := await loop.sock_recv(conn, 65536):
                await loop.sock_sendall(conn, data[::-1])

    tasks = set()
    while True:
        conn, _ = await loop.sock_accept(listener)
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = aio.create_task(answer(conn))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def serve_streams(listener: socket.socket) -> None:
    """Answer on asyncio's streams."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data[::-1])
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, sock=listener) as server:
        await server.serve_forever()


def ours(listener: socket.socket) -> None:
    import asyncio_lessons

    asyncio_lessons.run(serve_sockets(asyncio_lessons, listener))


def on_asyncio(serve: Callable, loop_factory: Callable | None = None) -> None:
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(serve)


def uvloop_factory() -> Callable:
    return installed("uvloop").new_event_loop


SERVERS: dict[str, Callable[[socket.socket], None]] = {
    "asyncio_lessons": ours,
    "asyncio, sock_*": lambda listener: on_asyncio(serve_sockets(asyncio, listener)),
    "asyncio, streams": lambda listener: on_asyncio(serve_streams(listener)),
    "uvloop, sock_*": lambda listener: on_asyncio(
        serve_sockets(asyncio, listener), uvloop_factory()
    ),
    "uvloop, streams": lambda listener: on_asyncio(serve_streams(listener), uvloop_factory()),
}
IN_C = "C, epoll"


def servers() -> list[str]:
    """Return the names of the servers that can run here."""
    names = [name for name in SERVERS if "uvloop" not in name or installed("uvloop")]
    return names + [IN_C] * bool(sys.platform == "linux" and shutil.which("cc"))


def command_of(name: str, folder: str) -> list[str]:
    if name != IN_C:
        return [sys.executable, "-m", "benchmarks.echo", "serve", name]
    program = str(Path(folder, "echo_reverse"))
    source = str(Path(__file__).with_name("echo_reverse.c"))
    subprocess.run(["cc", "-O2", "-o", program, source], check=True)
    return [program]


@contextlib.contextmanager
def running(name: str) -> Iterator[tuple[psutil.Process, int]]:
    """Start a server; give its process and its port."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command_of(name, folder), stdout=subprocess.PIPE, text=True)
        try:
            yield psutil.Process(process.pid), int(process.stdout.readline())
        finally:
            process.kill()
            process.communicate()


def cpu_a_request(name: str, clients: int, requests: int) -> float:
    """Return the CPU seconds a request costs the server, with so many clients at once."""
    with running(name) as (process, port):
        load = [sys.executable, "-m", "benchmarks.echo", "load", str(port), str(clients)]
        subprocess.run([*load, str(max(clients, requests // 10))], check=True)  # to warm up
        before = sum(process.cpu_times()[:2])
        subprocess.run([*load, str(requests)], check=True)
        return (sum(process.cpu_times()[:2]) - before) / requests


def load(port: int, clients: int, requests: int) -> None:
    """Send `requests` messages over `clients` connections, one at a time on each."""
    selector = selectors.DefaultSelector()
    conns = [socket.create_connection(("127.0.0.1", port)) for _ in range(clients)]
    for conn in conns:
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(conn, selectors.EVENT_READ)
    sent = answered = 0
    for conn in conns[:requests]:
        conn.sendall(MESSAGE)
        sent += 1
    while answered < requests:
        for key, _ in selector.select():
            if key.fileobj.recv(65536) != MESSAGE[::-1]:
                sys.exit("a wrong answer")
            answered += 1
            if sent < requests:
                key.fileobj.sendall(MESSAGE)
                sent += 1
    for conn in conns:
        conn.close()
    time.sleep(0.05)


def main(command: str, *args: str) -> None:
    if command == "load":
        return load(*map(int, args))
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    print(listener.getsockname()[1], flush=True)
    SERVERS[args[0]](listener)


if __name__ == "__main__":
    main(*sys.argv[1:])
