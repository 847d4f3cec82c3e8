"""Engine 7, asyncio with its streams; and uvloop, which is the same code on another loop."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from .listener import Listener, Stop
from .protocol import CHUNK, LIMIT, EchoReverse, note_trouble


def serve(
    listener: Listener,
    stop: Stop,
    limit: int = LIMIT,
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Run asyncio's streams on a loop made by `loop_factory` until `stop` is set."""
    with asyncio.Runner(loop_factory=loop_factory) as runner, suppress(asyncio.CancelledError):
        runner.run(welcome(listener, stop, limit))  # at the end it cancels the tasks of the clients


async def welcome(listener: Listener, stop: Stop, limit: int) -> None:
    """Have asyncio start `converse` in a task for every client."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer, limit)

    loop, cancel = asyncio.get_running_loop(), asyncio.current_task().cancel
    server = await asyncio.start_server(converse, sock=listener, backlog=1024)
    try:
        with stop.calls(loop.call_soon_threadsafe, cancel):
            await loop.create_future()  # no code sets it: wait to be cancelled
    finally:
        server.close()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int) -> None:
    """Answer one client to its end."""
    address = writer.get_extra_info("peername")
    protocol = EchoReverse(limit, address)
    try:
        while not protocol.finished:
            data = await reader.read(CHUNK)
            writer.write(protocol.receive(data))
            await writer.drain()  # waits while the client does not read
        writer.close()
        await writer.wait_closed()
    except asyncio.CancelledError:
        pass  # the server ends: asyncio's streams up to 3.11 would report a cancelled task
    except Exception as trouble:
        note_trouble(address, trouble)
    finally:
        writer.transport.abort()  # nothing is left to send, or no client to send it to
