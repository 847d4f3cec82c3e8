"""One server, seven engines: every message is answered with its bytes reversed.

    from asyncio_lessons.demos.echo_reverse import load, running

    with running("threads") as server:
        print(load.exchange(server.address, b"Hello Server!\\n"))    # b'\\n!revreS olleH'

`protocol` is what all engines speak, `listener` what all are given, `server` starts and stops
them, `load` plays the clients; the other files are the engines, one each.
"""

from .protocol import CHUNK, LIMIT, EchoReverse
from .server import ENGINES, Server, engine, launched, running

__all__ = ["CHUNK", "ENGINES", "LIMIT", "EchoReverse", "Server", "engine", "launched", "running"]
