"""Lesson 12: one client of the echo-reverse server, answered by the reader."""

import socket

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, holds, same
from ..checking.stage import play

HANDLE = Exercise(
    name="echo-handle",
    lesson="12",
    title="Answer one client: each line comes back reversed",
    lines=12,
    builds=("handle",),
    stub='''
async def handle(loop, client):
    """Answer each message with its bytes reversed, then close the connection."""
    # about 11 lines: bytes come in pieces (await loop.sock_recv(client, 1024)); a message ends with
    # its newline, or where the stream ends (b""). b"abc\\n" is answered by b"\\ncba".
    ...
''',
    solution='''
async def handle(loop, client):
    """Answer each message with its bytes reversed, then close the connection."""
    rest = b""
    with client:
        while data := await loop.sock_recv(client, 1024):
            *lines, rest = (rest + data).split(b"\\n")
            for line in lines:
                await loop.sock_sendall(client, b"\\n" + line[::-1])
        if rest:
            await loop.sock_sendall(client, rest[::-1])
''',
    hints=(
        "One `recv` is not one message: it may bring half of one, or three.",
        'Keep what is not yet a whole line, and append the next piece to it. `split(b"\\n")` '
        "gives the whole lines and, last, the rest.",
        'At `b""` the client has finished sending: answer the rest, if there is one, and close.',
    ),
    wrong=(
        Wrong(
            """
async def handle(loop, client):
    data = await loop.sock_recv(client, 1024)
    await loop.sock_sendall(client, data[::-1])
    client.close()
""",
            "as many messages as it likes",
        ),
        Wrong(
            """
async def handle(loop, client):
    with client:
        while data := await loop.sock_recv(client, 1024):
            await loop.sock_sendall(client, data[::-1])
""",
            "One `recv` may bring",
        ),
        Wrong(
            """
async def handle(loop, client):
    with client:
        while data := await loop.sock_recv(client, 1024):
            for line in data.splitlines(keepends=True):
                await loop.sock_sendall(client, line[::-1])
""",
            "half a message",
        ),
        Wrong(
            change=('b"\\n" + line[::-1]', 'line[::-1] + b"\\n"'),
            says="its newline too",
        ),
        Wrong(
            change=(
                "            await loop.sock_sendall(client, rest[::-1])\n",
                "            pass\n",
            ),
            says="without a newline",
        ),
        Wrong(
            """
async def handle(loop, client):
    rest = b""
    while data := await loop.sock_recv(client, 1024):
        *lines, rest = (rest + data).split(b"\\n")
        for line in lines:
            await loop.sock_sendall(client, b"\\n" + line[::-1])
    if rest:
        await loop.sock_sendall(client, rest[::-1])
""",
            "Close the connection",
        ),
        Wrong(
            """
async def handle(loop, client):
    with client:
        while True:
            data = client.recv(1024)
            if not data:
                return
            client.sendall(data[::-1])
""",
            "BlockingIOError",
        ),
    ),
    right=(
        """
async def handle(loop, client):
    buffer = b""
    while True:
        data = await loop.sock_recv(client, 4096)
        buffer += data
        while b"\\n" in buffer:
            at = buffer.index(b"\\n") + 1
            await loop.sock_sendall(client, buffer[:at][::-1])
            buffer = buffer[at:]
        if not data:
            break
    await loop.sock_sendall(client, buffer[::-1])
    client.close()
""",
        """
async def handle(loop, client):
    kept = bytearray()
    try:
        while data := await loop.sock_recv(client, 100):
            kept += data
            line, newline, after = kept.partition(b"\\n")
            while newline:
                await loop.sock_sendall(client, newline + line[::-1])
                kept = after
                line, newline, after = kept.partition(b"\\n")
        if kept:
            kept.reverse()
            await loop.sock_sendall(client, kept)
    finally:
        client.close()
""",
        """
async def messages(loop, client):
    rest = b""
    while data := await loop.sock_recv(client, 1024):
        *lines, rest = (rest + data).splitlines(keepends=True)
        for line in lines:
            yield line
        if rest.endswith(b"\\n"):
            yield rest
            rest = b""
    if rest:
        yield rest

async def handle(loop, client):
    with client:
        async for message in messages(loop, client):
            await loop.sock_sendall(client, message[::-1])
""",
    ),
)


def _answers(cell, pieces):
    """Send `pieces` one after the other; return all that comes back, or None if it stays open."""
    aio = cell.aio

    async def main(loop):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.setblocking(False)
            task = loop.create_task(cell.handle(loop, theirs))
            for piece in pieces:
                try:
                    await loop.sock_sendall(ours, piece)
                except OSError:
                    break  # it has closed already
                for _ in range(5):
                    await aio.sleep(0)
            ours.shutdown(socket.SHUT_WR)
            await task
            closed = theirs.fileno() < 0
            if not closed:
                theirs.shutdown(socket.SHUT_WR)
            answer = b""
            while data := await loop.sock_recv(ours, 65536):
                answer += data
            return answer if closed else None

    return play(aio, main, "EventLoop").result


_ASK = "Ask by `await loop.sock_recv`: the socket's own `recv` cannot wait."


@HANDLE.check("b'Hello Server!\\n' comes back as b'\\n!revreS olleH'", _ASK)
def _(cell):
    answer = _answers(cell, [b"Hello Server!\n"])
    holds(answer is not None, "Close the connection when all is answered: `with client:`.")
    sentence = "The bytes are reversed, its newline too: it comes first in the answer."
    same(answer, b"\n!revreS olleH", sentence)


@HANDLE.check("a client may send as many messages as it likes", _ASK)
def _(cell):
    answer = _answers(cell, [b"one\n", b"two\n", b"three\n"])
    same(
        Events(answer.splitlines()),
        Events(b"\neno\nowt\neerht".splitlines()),
        "A client may send as many messages as it likes: receive in a loop, until b''.",
    )


@HANDLE.check("three messages in one piece are three messages", _ASK)
def _(cell):
    answer = _answers(cell, [b"one\ntwo\nthree\n"])
    sentence = "One `recv` may bring more than one message: cut at each newline."
    same(answer, b"\neno\nowt\neerht", sentence)


@HANDLE.check("a message in three pieces is one message", _ASK)
def _(cell):
    answer = _answers(cell, [b"on", b"e\ntw", b"o\n"])
    sentence = "One `recv` may bring half a message: keep the rest until its newline comes."
    same(answer, b"\neno\nowt", sentence)


@HANDLE.check("a last message may end with the stream", _ASK)
def _(cell):
    sentence = "What is left at the end of the stream is a message without a newline: answer it."
    same(_answers(cell, [b"one\nlast"]), b"\nenotsal", sentence)
