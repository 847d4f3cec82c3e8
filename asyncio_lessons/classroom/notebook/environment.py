"""What this machine must have for the course, and in plain words what it lacks."""

import importlib.util
import os
import selectors
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

OLDEST = (3, 11)
INSTALL = "Run in a new cell: %pip install 'asyncio-lessons[lessons]'. Then restart the kernel."
NEEDED = {  # import name: what it is for, which lesson asks for it first
    "IPython": "runs the cells",
    "matplotlib": "draws the pictures",
    "PIL": "packs the pictures (the package is called pillow)",
    "websockets": "is what lesson 11 runs on your loop",
}
IN_A_WEB_PAGE = (
    "This Python runs in your web page. Lessons 00, 02 to 07, 09, 10 and 13 run here, and what you "
    "write stays in this browser. Lessons 01, 08, 11 and 12 need sockets, threads or other "
    "processes: read them here, and run them on a machine of yours or on Binder."
)
NESTING = "nest_asyncio" if sys.version_info < (3, 14) else "nest_asyncio2"


def check() -> str:
    """Look at this machine and return what is missing, in plain words, or that all is well."""
    if sys.platform == "emscripten":
        return IN_A_WEB_PAGE
    packages, rest = list(_packages()), list(_rest())
    if not packages and not rest:
        return "Everything the course needs is here."
    lines = [f"- {sentence}" for sentence in packages + rest]
    return "\n".join(["Something is missing:", *lines, *([INSTALL] if packages else [])])


def _packages() -> Iterator[str]:
    for name, purpose in (NEEDED | {NESTING: "is one of the ways in lesson 11"}).items():
        if importlib.util.find_spec(name) is None:
            yield f"The package {name} {purpose}."


def _rest() -> Iterator[str]:
    yield from _python(sys.version_info[:2])
    for look in (_sockets, _threads, _folder):
        yield from look()


def _python(version: tuple[int, int]) -> Iterator[str]:
    if version < OLDEST:
        has, needs = (".".join(map(str, numbers)) for numbers in (version, OLDEST))
        yield f"This is Python {has}, and the course needs {needs} or newer: see python.org."


def _sockets() -> Iterator[str]:
    """Connect to ourselves, and have a selector tell us so."""
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            selectors.DefaultSelector() as selector,
            socket.create_connection(server.getsockname(), timeout=2),
        ):
            selector.register(server, selectors.EVENT_READ)
            heard = bool(selector.select(2))
            if heard:
                server.accept()[0].close()
    except OSError:
        heard = False
    if not heard:
        yield (
            "This machine cannot connect to itself at 127.0.0.1, as lessons 01, 08, 11 and 12 do. "
            "Look at the firewall; in a browser-only Python there are no sockets."
        )


def _threads() -> Iterator[str]:
    try:
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
    except RuntimeError:
        yield "This Python cannot start threads, which lessons 01, 08 and 12 need."


def _folder() -> Iterator[str]:
    from ..workshop import NAME, folder

    home: Path = folder().parent
    if not os.access(home, os.W_OK):
        yield (
            f"The folder of the notebooks cannot be written, so your own package {NAME} cannot be "
            "kept. Copy the course to a folder of yours."
        )
