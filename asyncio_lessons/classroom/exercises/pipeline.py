"""Lesson 10, at work: a producer, three consumers, back-pressure and a clean end."""

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Refused, holds, same
from ..checking.stage import play

PIPELINE = Exercise(
    name="pipeline",
    lesson="10",
    title="A producer, three consumers, and never more than four items in between",
    lines=18,
    builds=("consume", "pipeline"),
    stub='''
async def consume(items, handle, failed):
    """Handle one item of the queue after the other; note {item: error} of what fails."""
    # about 8 lines: whatever happens to an item, the queue must know that it is done
    ...

async def pipeline(source, handle):
    """Handle each item of `source` (an async iterator) by three consumers; return what failed."""
    # about 11 lines: a queue with room for 4, so that the source waits when all are busy. Each
    # item is handled; then the consumers end. They also end if the source fails, or on a cancel.
    ...
''',
    solution='''
async def consume(items, handle, failed):
    """Handle one item of the queue after the other; note {item: error} of what fails."""
    while True:
        item = await items.get()
        try:
            await handle(item)
        except Exception as error:
            failed[item] = error
        finally:
            items.task_done()

async def pipeline(source, handle):
    """Handle each item of `source` (an async iterator) by three consumers; return what failed."""
    items, failed = aio.Queue(4), {}
    consumers = [aio.create_task(consume(items, handle, failed)) for _ in range(3)]
    try:
        async for item in source:
            await items.put(item)
        await items.join()
    finally:
        for consumer in consumers:
            consumer.cancel()
        await aio.gather(*consumers, return_exceptions=True)
    return failed
''',
    hints=(
        "Who waits when the consumers are slow? `await items.put(item)` waits while the queue "
        "is full, and the source with it.",
        "At the end of the source the queue may hold four items, and the consumers three: "
        "`await items.join()` waits for all of them. It needs one `task_done()` for each `get()`.",
        "Cancel the consumers in a `finally`, and await them: that is the end after an error of "
        "the source and after a cancel, too.",
    ),
    wrong=(
        Wrong(change=("aio.Queue(4)", "aio.Queue()"), says="reads ahead"),
        Wrong(
            """
async def pipeline(source, handle):
    items, failed = aio.Queue(), {}
    async for item in source:
        items.put_nowait(item)
    consumers = [aio.create_task(consume(items, handle, failed)) for _ in range(3)]
    await items.join()
    for consumer in consumers:
        consumer.cancel()
    await aio.gather(*consumers, return_exceptions=True)
    return failed
""",
            "reads ahead",
        ),
        Wrong(
            """
async def pipeline(source, handle):
    failed = {}
    async def one(item):
        try:
            await handle(item)
        except Exception as error:
            failed[item] = error
    async with aio.TaskGroup() as group:
        async for item in source:
            group.create_task(one(item))
    return failed
""",
            "reads ahead",
        ),
        Wrong(
            """
async def pipeline(source, handle):
    failed = {}
    async for item in source:
        try:
            await handle(item)
        except Exception as error:
            failed[item] = error
    return failed
""",
            "three items are handled at the same time",
        ),
        Wrong(change=("        await items.join()\n", ""), says="before the last items"),
        Wrong(
            change=(
                "        await items.join()\n",
                "        while not items.empty():\n            await aio.sleep(0.1)\n",
            ),
            says="before the last items",
        ),
        Wrong(change=("await items.put(item)", "items.put(item)"), says="A bare `items.put"),
        Wrong(
            """
async def consume(items, handle, failed):
    while True:
        item = await items.get()
        try:
            await handle(item)
            items.task_done()
        except Exception as error:
            failed[item] = error
""",
            "An item that fails is done, too",
        ),
        Wrong(
            """
async def consume(items, handle, failed):
    while True:
        item = await items.get()
        await handle(item)
        items.task_done()
""",
            "An item that fails",
        ),
        Wrong(
            change=(
                """        for consumer in consumers:
            consumer.cancel()
        await aio.gather(*consumers, return_exceptions=True)
""",
                "        pass\n",
            ),
            says="Consumers are left",
        ),
        Wrong(
            """
async def pipeline(source, handle):
    items, failed = aio.Queue(4), {}
    consumers = [aio.create_task(consume(items, handle, failed)) for _ in range(3)]
    async for item in source:
        await items.put(item)
    await items.join()
    for consumer in consumers:
        consumer.cancel()
    await aio.gather(*consumers, return_exceptions=True)
    return failed
""",
            "after an error of the source",
        ),
        Wrong(change=("except Exception", "except BaseException"), says="when they are cancelled"),
    ),
    right=(
        """
async def consume(items, handle, failed):
    while (item := await items.get()) is not None:
        try:
            await handle(item)
        except Exception as error:
            failed[item] = error

async def pipeline(source, handle):
    items, failed = aio.Queue(maxsize=4), {}
    async with aio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(consume(items, handle, failed))
        async for item in source:
            await items.put(item)
        for _ in range(3):
            await items.put(None)
    return failed
""",
        """
async def consume(items, handle, failed):
    while True:
        try:
            item = await items.get()
        except aio.QueueShutDown:
            return
        try:
            await handle(item)
        except Exception as error:
            failed[item] = error

async def pipeline(source, handle):
    items, failed = aio.Queue(4), {}
    async with aio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(consume(items, handle, failed))
        async for item in source:
            await items.put(item)
        items.shutdown()
    return failed
""",
        """
async def consume(item, handle, failed, places):
    try:
        await handle(item)
    except Exception as error:
        failed[item] = error
    finally:
        places.release()

async def pipeline(source, handle):
    failed, places = {}, aio.Semaphore(3)
    async with aio.TaskGroup() as group:
        async for item in source:
            await places.acquire()
            group.create_task(consume(item, handle, failed, places))
    return failed
""",
        """
async def pipeline(source, handle):
    items, failed = aio.Queue(4), {}
    async with aio.TaskGroup() as group:
        consumers = [group.create_task(consume(items, handle, failed)) for _ in range(3)]
        async for item in source:
            await items.put(item)
        await items.join()
        for consumer in consumers:
            consumer.cancel()
    return failed
""",
    ),
)

_CLOSING = 0.25  # seconds that an item takes to end after a cancel
_AHEAD = 8  # four in the queue, three in the consumers' hands, one in the producer's


class _Factory:
    """A source of items and what handles them; it notes what happens."""

    def __init__(self, aio, loop, *, handling=1, bad=(), ends_with=None):
        self.aio = aio
        self.loop = loop
        self.handling = handling  # seconds
        self.bad = bad  # the items that cannot be handled
        self.ends_with = ends_with  # the error of the source
        self.read = self.open = self.ahead = self.most = 0
        self.handled = []

    async def source(self, count):
        for item in range(count):
            self.read += 1
            self.ahead = max(self.ahead, self.read - len(self.handled))
            yield item
        if self.ends_with:
            await self.aio.sleep(0.5)
            raise self.ends_with

    async def handle(self, item):
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            await self.aio.sleep(self.handling)
        except self.aio.CancelledError:
            await self.aio.sleep(_CLOSING)
            raise
        finally:
            self.open -= 1
        self.handled.append(item)
        if item in self.bad:
            raise ValueError(f"item {item}")


def _run(cell, count, **options):
    """Return what `pipeline` returns, the factory, the time it took, and the tasks left."""
    aio, held = cell.aio, {}

    async def main(loop):
        factory = held["factory"] = _Factory(aio, loop, **options)
        task = loop.create_task(cell.pipeline(factory.source(count), factory.handle))
        await aio.wait([task], timeout=1000)
        held["took"] = loop.time()
        held["left"] = len(aio.all_tasks(loop) - {task}) - 1
        if not task.done():
            task.cancel()
            await aio.wait([task], timeout=1000)
        held["task"] = task

    play(aio, main)
    return held["task"], held["factory"], held["took"], held["left"]


def _result(task, sentence):
    """Return the result of a pipeline that ends by itself."""
    holds(not task.cancelled(), sentence)
    return task.result()


@PIPELINE.check("each item is handled once, three at the same time")
def _(cell):
    sentence = "It does not come to an end: are all items reported as done, by `task_done()`?"
    task, factory, took, _ = _run(cell, 12)
    failed = _result(task, sentence)
    holds(factory.handled or took, "A bare `items.put(item)` puts nothing: `await` it.")
    sentence = "It ends before the last items are handled: wait for them."
    same(len(factory.handled), 12, sentence)
    same(sorted(factory.handled), [*range(12)], "Each item is handled once.")
    sentence = "As there are three consumers, three items are handled at the same time."
    if factory.ahead <= _AHEAD:
        same(factory.most, 3, sentence)
        same(took, 4.0, sentence)
    same(failed, {}, "Nothing failed: return {}.")


@PIPELINE.check("the source waits while the consumers are busy: back-pressure")
def _(cell):
    _, factory, _, _ = _run(cell, 50)
    sentence = (
        "The source reads ahead of the consumers without a limit: give the queue room for 4 items, "
        "and let `put` wait."
    )
    holds(factory.ahead <= _AHEAD, sentence, f"{factory.ahead} ahead", f"{_AHEAD} at most")


@PIPELINE.check("an item that fails is noted, and the others are handled")
def _(cell):
    for bad in [(3,), (0, 1, 2, 3), (11,)]:
        task, factory, _, _ = _run(cell, 12, bad=bad)
        sentence = "An item that fails is done, too: `task_done()` belongs into a `finally`."
        if not task.cancelled() and task.exception():
            raise Refused("An item that fails is noted, and ends nothing: catch its error.")
        failed = _result(task, sentence)
        same(sorted(factory.handled), [*range(12)], "An item that fails does not stop the others.")
        expected = {item: f"item {item}" for item in bad}
        same({i: str(e) for i, e in failed.items()}, expected, "Return {item: error}.")


@PIPELINE.check("at the end no consumer is left")
def _(cell):
    for count in (0, 1, 12):
        task, _, _, left = _run(cell, count)
        _result(task, "A source without items ends, too.")
        same(left, 0, "Consumers are left, waiting for items: end them, and await their end.")


@PIPELINE.check("an error of the source comes out, and no consumer is left")
def _(cell):
    broken = ConnectionResetError("the source is gone")
    task, _, took, left = _run(cell, 3, ends_with=broken)
    error = None if task.cancelled() else task.exception()
    sentence = "After an error of the source it must end: do consumers end when they are cancelled?"
    holds(took <= 1, sentence)
    sentence = "The error of the source comes out of `pipeline`."
    holds(broken in (error, *getattr(error, "exceptions", ())), sentence)
    sentence = (
        "Consumers are left after an error of the source: cancel them in a `finally`, and await "
        "their end."
    )
    same(left, 0, sentence)


@PIPELINE.check("a cancel ends it at once")
def _(cell):
    aio, held = cell.aio, {}

    async def main(loop):
        factory = _Factory(aio, loop)
        task = loop.create_task(cell.pipeline(factory.source(50), factory.handle))
        await aio.sleep(1.5)
        task.cancel()
        await aio.wait([task], timeout=1000)
        held["at"], held["cancelled"] = loop.time(), task.cancelled()
        held["left"] = len(aio.all_tasks(loop) - {task}) - 1
        held["handled"] = len(factory.handled)
        for each in aio.all_tasks(loop) - {aio.current_task(loop)}:
            each.cancel()
        await aio.sleep(10)

    play(aio, main)
    sentence = (
        "A cancel ends the pipeline at once: let CancelledError pass, in consumers too, and await "
        "their end."
    )
    holds(held["cancelled"] and held["at"] == 1.5 + _CLOSING, sentence)
    same(held["left"], 0, "Consumers are left after a cancel: end them in a `finally`.")
    same(held["handled"], 3, "After a cancel nothing more is handled.")
