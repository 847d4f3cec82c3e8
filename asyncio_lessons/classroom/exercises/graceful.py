"""Lesson 12, at work: a server that finishes what has begun when SIGTERM comes."""

import gc
import signal
import weakref

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import holds, same
from ..checking.stage import play

GRACEFUL = Exercise(
    name="graceful-shutdown",
    lesson="12",
    title="On SIGTERM: accept nothing more, finish what has begun, in 10 seconds at most",
    lines=18,
    builds=("take", "finish", "serve"),
    stub='''
import signal

async def take(accept, handle, begun):
    """Begin `handle(request)` as a task for each `await accept()`; `begun` holds those not done."""
    # about 4 lines
    ...

async def finish(begun):
    """Give these tasks 10 seconds, then cancel what is left, and wait until that has ended."""
    # about 5 lines: `begun` may be empty
    ...

async def serve(accept, handle):
    """Serve until SIGTERM; then accept nothing more, and finish what has begun."""
    # about 8 lines: have the loop call you when the signal comes
    ...
''',
    solution='''
import signal

async def take(accept, handle, begun):
    """Begin `handle(request)` as a task for each `await accept()`; `begun` holds those not done."""
    while True:
        task = aio.create_task(handle(await accept()))
        begun.add(task)
        task.add_done_callback(begun.discard)

async def finish(begun):
    """Give these tasks 10 seconds, then cancel what is left, and wait until that has ended."""
    if begun:
        _, late = await aio.wait(begun, timeout=10)
        for task in late:
            task.cancel()
        await aio.gather(*late, return_exceptions=True)

async def serve(accept, handle):
    """Serve until SIGTERM; then accept nothing more, and finish what has begun."""
    stop, begun = aio.Event(), set()
    aio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    taking = aio.create_task(take(accept, handle, begun))
    await stop.wait()
    taking.cancel()
    await aio.gather(taking, return_exceptions=True)
    await finish(begun)
''',
    hints=(
        "`loop.add_signal_handler(signal.SIGTERM, function)` calls a plain function when the "
        "signal comes. What can a plain function do that wakes a task?",
        "The function sets an event that `serve` waits for. Then `serve` cancels the task that "
        "takes requests, and turns to the tasks of those that have begun.",
        "`done, late = await aio.wait(begun, timeout=10)` raises nothing and cancels nothing. "
        "Cancel those that are `late`, and gather them with `return_exceptions=True`.",
    ),
    wrong=(
        Wrong(
            change=(
                "    aio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)\n",
                "",
            ),
            says="No handler",
        ),
        Wrong(
            """
async def serve(accept, handle):
    stop = aio.Event()
    aio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    while not stop.is_set():
        await handle(await accept())
""",
            "one after the other",
        ),
        Wrong(
            """
async def serve(accept, handle):
    stop, begun = aio.Event(), set()
    aio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    while not stop.is_set():
        task = aio.create_task(handle(await accept()))
        begun.add(task)
        task.add_done_callback(begun.discard)
    await finish(begun)
""",
            "waits for one more request",
        ),
        Wrong(
            change=(
                "    await stop.wait()\n",
                "    await stop.wait()\n    await finish(begun)\n",
            ),
            says="after the signal",
        ),
        Wrong(change=("    await finish(begun)\n", ""), says="that have begun are finished"),
        Wrong(
            """
async def finish(begun):
    late = list(begun)
    for task in late:
        task.cancel()
    await aio.gather(*late, return_exceptions=True)
""",
            "that have begun are finished",
        ),
        Wrong(
            """
async def finish(begun):
    await aio.gather(*begun, return_exceptions=True)
""",
            "Wait for 10 seconds",
        ),
        Wrong(
            change=("        await aio.gather(*late, return_exceptions=True)\n", ""),
            says="to end after its cancel",
        ),
        Wrong(
            """
async def finish(begun):
    await aio.sleep(10)
    late = list(begun)
    for task in late:
        task.cancel()
    await aio.gather(*late, return_exceptions=True)
""",
            "as soon as all are finished",
        ),
        Wrong(
            """
async def finish(begun):
    for task in list(begun):
        try:
            await aio.wait_for(task, 10)
        except TimeoutError:
            pass
""",
            "10 seconds for all",
        ),
        Wrong(
            change=("    if begun:\n        _, late", "    if True:\n        _, late"),
            says="ValueError",
        ),
        Wrong(
            """
async def finish(begun):
    if begun:
        async with aio.timeout(10):
            await aio.gather(*begun)
""",
            "TimeoutError",
        ),
        Wrong(change=("(*late, return_exceptions=True)", "(*late)"), says="A cancel of yours"),
        Wrong(
            change=("        task.add_done_callback(begun.discard)\n", ""), says="fills its memory"
        ),
        Wrong(
            change=("    await aio.gather(taking, return_exceptions=True)\n", ""),
            says="A task is left",
        ),
    ),
    right=(
        """
async def finish(begun):
    everything = aio.gather(*begun, return_exceptions=True)
    try:
        await aio.wait_for(everything, 10)
    except TimeoutError:
        await aio.gather(*begun, return_exceptions=True)
""",
        """
async def serve(accept, handle):
    begun = set()
    taking = aio.create_task(take(accept, handle, begun))
    aio.get_running_loop().add_signal_handler(signal.SIGTERM, taking.cancel)
    try:
        await taking
    except aio.CancelledError:
        pass
    await finish(begun)
""",
        """
async def serve(accept, handle):
    loop, begun = aio.get_running_loop(), set()
    stop = loop.create_future()
    loop.add_signal_handler(signal.SIGTERM, lambda: stop.done() or stop.set_result(None))
    taking = loop.create_task(take(accept, handle, begun))
    try:
        await aio.wait([stop, taking], return_when=aio.FIRST_COMPLETED)
    finally:
        taking.cancel()
        loop.remove_signal_handler(signal.SIGTERM)
    await finish(begun | {taking})
""",
        """
async def finish(begun):
    late = set(begun)
    try:
        async with aio.timeout(10):
            while late:
                _, late = await aio.wait(late, return_when=aio.FIRST_COMPLETED)
    except TimeoutError:
        for task in late:
            task.cancel()
        await aio.gather(*late, return_exceptions=True)
""",
    ),
)

_SIGNAL = 5.0  # the time at which SIGTERM is sent
_CLOSING = 0.5  # seconds that a request takes to end after a cancel


class _Port:
    """Requests come here, each at its time: (time, seconds it takes)."""

    def __init__(self, aio, loop, requests, bad=()):
        self.aio = aio
        self.loop = loop
        self.bad = bad  # those whose handling fails
        self.queue = aio.Queue()
        self.begun, self.done, self.cut = {}, {}, {}  # request: time
        self.tasks = []  # weak references
        self.kept = 0  # how many of the tasks were there before the signal
        loop.call_at(_SIGNAL - 0.1, self.count_kept)
        for at, seconds in requests:
            loop.call_at(at, self.queue.put_nowait, (at, seconds))

    async def accept(self):
        try:
            return await self.queue.get()
        except self.aio.CancelledError:
            for _ in range(3):  # to stop listening takes some turns
                await self.aio.sleep(0)
            raise

    def count_kept(self):
        gc.collect()
        self.kept = sum(task() is not None for task in self.tasks)

    async def handle(self, request):
        self.begun[request] = self.loop.time()
        self.tasks.append(weakref.ref(self.aio.current_task()))
        try:
            await self.aio.sleep(request[1])
        except self.aio.CancelledError:
            await self.aio.sleep(_CLOSING)
            self.cut[request] = self.loop.time()
            raise
        if request in self.bad:
            raise ValueError(f"request {request}")
        self.done[request] = self.loop.time()


def _terminate(held):
    """Send SIGTERM to this process, unless that would end it."""
    held["handled"] = signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    if held["handled"]:
        signal.raise_signal(signal.SIGTERM)


def _serve(cell, *requests, bad=()):
    """Return the port and the time when `serve` ended; SIGTERM comes at 5 s."""
    aio, held = cell.aio, {}

    async def main(loop):
        port = held["port"] = _Port(aio, loop, requests, bad)
        loop.call_at(_SIGNAL, _terminate, held)
        task = loop.create_task(cell.serve(port.accept, port.handle))
        await aio.wait([task], timeout=200)
        held["cancelled"] = task.cancelled()
        held["error"] = task.exception() if task.done() and not task.cancelled() else None
        held["at"], held["left"] = loop.time(), len(aio.all_tasks(loop) - {task}) - 1
        for each in aio.all_tasks(loop) - {aio.current_task(loop)}:
            each.cancel()
        await aio.sleep(1)

    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        play(aio, main, "EventLoop")
    finally:
        signal.signal(signal.SIGTERM, before)
    sentence = (
        "No handler for SIGTERM is there when the signal comes, and it would end the program at "
        "once: `loop.add_signal_handler(signal.SIGTERM, ...)`."
    )
    holds(held.get("handled"), sentence)
    if held["error"]:
        raise held["error"]
    sentence = (
        "CancelledError comes out of `serve`. A cancel of yours is a request, not an error: gather "
        "with `return_exceptions=True`."
    )
    holds(not held["cancelled"], sentence)
    return held["port"], held["at"], held["left"]


@GRACEFUL.check("requests are handled at the same time, until SIGTERM comes")
def _(cell):
    requests = [(1, 3), (2, 1), (2.5, 1)]
    port, at, _ = _serve(cell, *requests)
    sentence = "They are handled one after the other: begin a task for each request."
    same(port.begun, {(1, 3): 1.0, (2, 1): 2.0, (2.5, 1): 2.5}, sentence)
    same(port.done, {(2, 1): 3.0, (2.5, 1): 3.5, (1, 3): 4.0}, "Each request is handled once.")
    sentence = "SIGTERM has come, and it waits for one more request: cancel what takes them."
    holds(at < 200, sentence, "waits", "ends at 5 s")
    sentence = "With nothing to finish it ends when SIGTERM comes: as soon as all are finished."
    same(at, _SIGNAL, sentence)


@GRACEFUL.check("a request that is done is forgotten")
def _(cell):
    port, _, _ = _serve(cell, (1, 1), (2, 1), (3, 1))
    sentence = (
        "The tasks of requests that are done are kept, and a server that runs for months fills its "
        "memory: `task.add_done_callback(begun.discard)`."
    )
    holds(port.kept <= 1, sentence, port.kept, "1 at most, the last")


@GRACEFUL.check("the requests that have begun are finished, and none begins after the signal")
def _(cell):
    port, at, _ = _serve(cell, (4, 3), (4.5, 7.5), (6, 1), (11, 1))
    sentence = "The requests that have begun are finished: wait for them before `serve` ends."
    holds((4, 3) in port.done and (4.5, 7.5) in port.done, sentence)
    same(list(port.begun), [(4, 3), (4.5, 7.5)], "No request may begin after the signal.")
    same(at, 12.0, "`serve` ends as soon as all are finished.")


@GRACEFUL.check("what takes longer than 10 seconds is cancelled, and awaited")
def _(cell):
    port, at, left = _serve(cell, (3, 100), (4, 8), (4.5, 50))
    sentence = "Wait for 10 seconds, 10 seconds for all of them together, then cancel what is left."
    holds(at <= 15.5, sentence, f"ends at {at:g} s", "ends at 15.5 s")
    same(list(port.done), [(4, 8)], "What is finished in 10 seconds is not cancelled.")
    sentence = "A request needs some time to end after its cancel: gather what was cancelled."
    same((at, left), (15.5, 0), sentence)
    same(port.cut, {(3, 100): 15.5, (4.5, 50): 15.5}, sentence)


@GRACEFUL.check("a request that fails stops neither the server nor its end")
def _(cell):
    requests = [(1, 1), (3, 3), (4, 4)]
    port, at, _ = _serve(cell, *requests, bad=requests[:2])
    same(port.done, {(4, 4): 8.0}, "A request that fails does not stop the others.")
    same(at, 8.0, "`serve` ends as soon as all are finished.")


@GRACEFUL.check("at the end no task is left")
def _(cell):
    for requests in ([], [(1, 1)], [(4, 3)]):
        _, _, left = _serve(cell, *requests)
        same(left, 0, "A task is left when `serve` has ended: cancel it, and await its end.")
