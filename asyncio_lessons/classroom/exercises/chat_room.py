"""Lesson 12, at work: a chat room with slow and vanished clients."""

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, Refused, holds, same
from ..checking.stage import play

CHAT = Exercise(
    name="chat-room",
    lesson="12",
    title="A chat room in which no client waits for a slow one, or for one that has vanished",
    lines=17,
    builds=("listen", "deliver", "serve"),
    stub='''
# room: a dict, each client in it and the queue of the lines that wait for it.
# client: `await client.receive()` returns a line, "" at the end; `await client.send(line)` waits
# until the client takes it; both raise ConnectionError if it has vanished. Also: name, close().
async def listen(client, room):
    """Put each line, as "name: line", into the queues of all others; skip a queue that is full."""
    # about 4 lines
    ...

async def deliver(client, lines):
    """Send the client each line of its queue."""
    # about 2 lines
    ...

async def serve(client, room):
    """Serve one client until it ends or vanishes: at most 10 lines may wait for it."""
    # about 9 lines: two tasks; at the end the client is not in the room, closed, and no task left
    ...
''',
    solution='''
async def listen(client, room):
    """Put each line, as "name: line", into the queues of all others; skip a queue that is full."""
    while line := await client.receive():
        for other, lines in room.items():
            if other is not client and not lines.full():
                lines.put_nowait(f"{client.name}: {line}")

async def deliver(client, lines):
    """Send the client each line of its queue."""
    while True:
        await client.send(await lines.get())

async def serve(client, room):
    """Serve one client until it ends or vanishes: at most 10 lines may wait for it."""
    lines = room[client] = aio.Queue(10)
    tasks = [aio.create_task(listen(client, room)), aio.create_task(deliver(client, lines))]
    try:
        await aio.wait(tasks, return_when=aio.FIRST_COMPLETED)
    finally:
        del room[client]
        for task in tasks:
            task.cancel()
        await aio.gather(*tasks, return_exceptions=True)
        client.close()
''',
    hints=(
        "If `listen` sends to the others itself, it waits for the slowest of them. It only fills "
        "their queues, and a task for each client empties one.",
        "A client that has vanished may be noticed by `receive` or by `send` alone: wait for the "
        "first of the two tasks to end, whichever it is.",
        "`await aio.wait(tasks, return_when=aio.FIRST_COMPLETED)` in a `try`; the `finally` takes "
        "the client out of the room, cancels both tasks, gathers them with "
        "`return_exceptions=True`, and closes the client.",
    ),
    wrong=(
        Wrong(
            """
async def listen(client, room):
    while line := await client.receive():
        for other in room:
            if other is not client:
                await other.send(f"{client.name}: {line}")
""",
            "waits for the slow one",
        ),
        Wrong(
            """
async def listen(client, room):
    while line := await client.receive():
        for other, lines in room.items():
            if other is not client:
                await lines.put(f"{client.name}: {line}")
""",
            "waits for the slow one",
        ),
        Wrong(
            """
async def listen(client, room):
    while line := await client.receive():
        for other, lines in room.items():
            if other is not client:
                lines.put_nowait(f"{client.name}: {line}")
""",
            "waits for the slow one",
        ),
        Wrong(change=("aio.Queue(10)", "aio.Queue()"), says="More than 10 lines wait"),
        Wrong(change=("if other is not client and not", "if not"), says="not to the client"),
        Wrong(
            """
async def serve(client, room):
    lines = room[client] = aio.Queue(10)
    delivering = aio.create_task(deliver(client, lines))
    try:
        await listen(client, room)
    finally:
        del room[client]
        delivering.cancel()
        await aio.gather(delivering, return_exceptions=True)
        client.close()
""",
            "has vanished",
        ),
        Wrong(
            """
async def serve(client, room):
    lines = room[client] = aio.Queue(10)
    delivering = aio.create_task(deliver(client, lines))
    try:
        await listen(client, room)
    except ConnectionError:
        pass
    finally:
        del room[client]
        delivering.cancel()
        await aio.gather(delivering, return_exceptions=True)
        client.close()
""",
            "only `send` notices",
        ),
        Wrong(
            """
async def serve(client, room):
    lines = room[client] = aio.Queue(10)
    await aio.gather(listen(client, room), deliver(client, lines))
    del room[client]
    client.close()
""",
            "the client has ended",
        ),
        Wrong(change=("        del room[client]\n", ""), says="still in the room"),
        Wrong(change=("        client.close()\n", ""), says="is not closed"),
        Wrong(
            change=("        for task in tasks:\n            task.cancel()\n", ""),
            says="the client has ended",
        ),
        Wrong(
            """
async def serve(client, room):
    lines = room[client] = aio.Queue(10)
    tasks = [aio.create_task(listen(client, room)), aio.create_task(deliver(client, lines))]
    await aio.wait(tasks, return_when=aio.FIRST_COMPLETED)
    del room[client]
    for task in tasks:
        task.cancel()
    await aio.gather(*tasks, return_exceptions=True)
    client.close()
""",
            "after a cancel",
        ),
        Wrong(
            change=("await aio.gather(*tasks, return_exceptions=True)", "await aio.gather(*tasks)"),
            says="is not closed",
        ),
    ),
    right=(
        """
async def listen(client, room):
    while True:
        line = await client.receive()
        if not line:
            return
        others = [lines for other, lines in room.items() if other is not client]
        for lines in others:
            try:
                lines.put_nowait(client.name + ": " + line)
            except aio.QueueFull:
                pass
""",
        """
async def listen(client, room):
    while line := await client.receive():
        for other, lines in room.items():
            if other is not client:
                if lines.full():
                    lines.get_nowait()
                lines.put_nowait(f"{client.name}: {line}")
""",
        """
class Ended(Exception):
    pass

async def listening(client, room):
    await listen(client, room)
    raise Ended

async def serve(client, room):
    room[client] = aio.Queue(10)
    try:
        async with aio.TaskGroup() as group:
            group.create_task(listening(client, room))
            group.create_task(deliver(client, room[client]))
    except* (Ended, ConnectionError):
        pass
    finally:
        del room[client]
        client.close()
""",
        """
async def serve(client, room):
    lines = room[client] = aio.Queue(10)
    listening = aio.create_task(listen(client, room))
    delivering = aio.create_task(deliver(client, lines))
    listening.add_done_callback(lambda _: delivering.cancel())
    delivering.add_done_callback(lambda _: listening.cancel())
    try:
        await aio.wait([listening, delivering])
    finally:
        listening.cancel()
        delivering.cancel()
        await aio.wait([listening, delivering])
        room.pop(client)
        client.close()
""",
    ),
)


_CLOSING = 0.5  # seconds that a `send` takes to end after a cancel


class _Client:
    """A client in memory: a check lets it say lines, read or not read, end, and vanish."""

    def __init__(self, aio, name, reads=True):
        self.aio = aio
        self.name = name
        self.said = aio.Queue()
        self.reading = aio.Event()
        self.got = Events()
        self.closed = 0
        self.is_gone = False
        if reads:
            self.reading.set()

    # What the server calls

    async def receive(self):
        line = await self.said.get()
        if isinstance(line, Exception):
            raise line
        return line

    async def send(self, line):
        try:
            await self.reading.wait()
        except self.aio.CancelledError:
            await self.aio.sleep(_CLOSING)
            raise
        if self.is_gone:
            raise BrokenPipeError(f"{self.name} has vanished")
        await self.aio.sleep(0)
        self.got.append(line)

    def close(self):
        self.closed += 1

    # What a check calls

    def say(self, *lines):
        for line in lines:
            self.said.put_nowait(line)

    def end(self):
        self.say("")

    def vanish(self, quietly=False):
        """Break the connection; `quietly`: only what is sent to it shows that."""
        self.is_gone = True
        self.reading.set()
        if not quietly:
            self.say(ConnectionResetError(f"{self.name} has vanished"))


class _Room:
    """A room with a task of the reader's for each client."""

    def __init__(self, cell, loop, *clients):
        self.aio = cell.aio
        self.loop = loop
        self.room = {}
        self.clients = clients
        self.tasks = {c.name: loop.create_task(cell.serve(c, self.room)) for c in clients}

    async def rest(self, seconds=1):
        await self.aio.sleep(seconds)

    async def close(self):
        """End all that is left, so that nothing of it is reported later."""
        for task in self.aio.all_tasks(self.loop) - {self.aio.current_task(self.loop)}:
            task.cancel()
        await self.rest()

    def has_ended(self, client, sentence):
        """Refuse unless the server is done with the client, without an error, and tidily."""
        task = self.tasks[client.name]
        holds(task.done(), sentence)
        if not task.cancelled() and task.exception():
            raise Refused(f"{sentence} {type(task.exception()).__name__} comes out of `serve`.")
        holds(client not in self.room, f"{client.name} has left, and is still in the room.")
        holds(client.closed, f"{client.name} has left, and is not closed: `client.close()`.")


def _play(cell, scene, *names, slow=()):
    """Run ``scene(room, *clients)``, with clients of these names, and close the room after it."""

    async def main(loop):
        clients = [_Client(cell.aio, name, reads=name not in slow) for name in names]
        room = _Room(cell, loop, *clients)
        await room.rest()
        try:
            await scene(room, *clients)
        finally:
            await room.close()

    play(cell.aio, main)


@CHAT.check("what a client says goes to all others, in order")
def _(cell):
    async def scene(room, ann, bob, eve):
        ann.say("hello", "how are you?")
        await room.rest()
        bob.say("fine")
        await room.rest()
        sentence = "A line goes to all others, and not to the client that has said it."
        heard = Events(["Ann: hello", "Ann: how are you?"])
        same(ann.got, Events(["Bob: fine"]), sentence)
        same(bob.got, heard, sentence)
        same(eve.got, Events([*heard, "Bob: fine"]), sentence)

    _play(cell, scene, "Ann", "Bob", "Eve")


@CHAT.check("a client that ends leaves the room, and the others stay")
def _(cell):
    async def scene(room, ann, bob, eve):
        ann.end()
        await room.rest()
        room.has_ended(ann, "After its last line the client has ended, and so must `serve`.")
        bob.say("is Ann there?")
        await room.rest()
        same(eve.got, Events(["Bob: is Ann there?"]), "The others stay in the room.")

    _play(cell, scene, "Ann", "Bob", "Eve")


@CHAT.check("no client waits for one that does not read")
def _(cell):
    async def scene(room, ann, slow, eve):
        lines = [f"line {number}" for number in range(50)]
        for line in lines:
            ann.say(line)
            await room.rest(0.1)
        eve.say("I got all")
        await room.rest()
        heard = Events(f"Ann: {line}" for line in lines)
        sentence = "Eve waits for the slow one: put lines into its queue while it has room."
        same(eve.got, heard, sentence)
        same(ann.got, Events(["Eve: I got all"]), sentence)
        slow.reading.set()
        await room.rest()
        sentence = "More than 10 lines wait for a client that does not read: bound its queue."
        holds(len(slow.got) <= 11, sentence, f"{len(slow.got) - 1} wait", "10 wait")
        sentence = "10 lines may wait for a client: it gets them when it reads again."
        holds(len(slow.got) == 11, sentence, f"{len(slow.got)} lines", "11 lines")
        ann.say("welcome back")
        await room.rest()
        same(slow.got[-1], "Ann: welcome back", "A slow client stays in the room.")

    _play(cell, scene, "Ann", "Slow", "Eve", slow=("Slow",))


@CHAT.check("a client that has vanished leaves the room, and no other one is disturbed")
def _(cell):
    async def scene(room, ann, bob, eve):
        bob.vanish()
        await room.rest()
        room.has_ended(bob, "Bob has vanished, which is an ordinary end of `serve`.")
        ann.say("hello")
        await room.rest()
        same(eve.got, Events(["Ann: hello"]), "The others stay in the room.")

    _play(cell, scene, "Ann", "Bob", "Eve")


@CHAT.check("a client that only `send` notices to be gone leaves the room, too")
def _(cell):
    async def scene(room, ann, bob, eve):
        bob.vanish(quietly=True)
        await room.rest()
        ann.say("hello", "Bob?")
        await room.rest()
        sentence = "Bob has vanished, and only `send` notices: `receive` waits for ever."
        room.has_ended(bob, sentence)
        same(eve.got, Events(["Ann: hello", "Ann: Bob?"]), "The others stay in the room.")

    _play(cell, scene, "Ann", "Bob", "Eve")


@CHAT.check("nothing is left of a client that has left, or after a cancel")
def _(cell):
    async def scene(room, ann, slow):
        ann.say("one", "two")
        await room.rest()
        room.tasks["Slow"].cancel()
        await room.aio.wait([room.tasks["Slow"]], timeout=100)
        left = len(room.aio.all_tasks(room.loop)) - 1
        task = room.tasks["Slow"]
        holds(task.done(), "`serve` must end when it is cancelled.")
        sentence = "Close the client and leave the room in a `finally`: also after a cancel."
        holds(slow.closed and slow not in room.room, sentence)
        holds(task.cancelled(), "CancelledError comes out of a `serve` that is cancelled.")
        remain = "Tasks are left when `serve` has ended: cancel them, and await their end."
        same(left, 3, remain)  # those of Ann
        ann.end()
        await room.aio.wait([room.tasks["Ann"]], timeout=100)
        room.has_ended(ann, "After its last line the client has ended, and so must `serve`.")
        same(len(room.aio.all_tasks(room.loop)), 1, remain)

    _play(cell, scene, "Ann", "Slow", slow=("Slow",))
