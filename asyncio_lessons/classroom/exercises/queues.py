"""Lesson 10: tasks hand work over."""

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, Refused, holds, raises, same
from ..checking.stage import play

QUEUE = Exercise(
    name="queue",
    lesson="10",
    title="Build a queue that makes those wait who must",
    lines=17,
    module="queues",
    builds=("Queue.put", "Queue.put_nowait", "Queue.get", "Queue.get_nowait"),
    stub="""
class Queue:
    # await self._wait_in(self._getters, self.empty) waits in line with those who want to get;
    # wake_next(self._getters) wakes the first of them. The same with self._putters, self.full.
    async def put(self, item):
        # about 3 lines: wait while it is full (unless self._is_shutdown), then put it in now
        ...

    def put_nowait(self, item):
        # about 7 lines: QueueShutDown, QueueFull, or self._put(item). One more task is unfinished
        # (self._unfinished_tasks), and somebody who waits to get is woken.
        ...

    async def get(self):
        # about 3 lines: wait while it is empty (unless self._is_shutdown), then get it now
        ...

    def get_nowait(self):
        # about 5 lines: QueueEmpty or QueueShutDown; or self._get() it, and wake who waits to put
        ...
""",
    hints=(
        "The `_nowait` methods do the work. The others wait first, and then call them.",
        "Wait with `while`, not with `if`: whoever was woken may find that another was quicker.",
        "`while self.empty() and not self._is_shutdown: await self._wait_in(self._getters, "
        "self.empty)`, then `return self.get_nowait()`. Each `put_nowait` wakes one getter, each "
        "`get_nowait` one putter.",
    ),
    wrong=(
        Wrong(
            """
class Queue:
    async def get(self):
        while self.empty():
            await suspend()
        return self.get_nowait()
""",
            "'suspend' is not defined",
        ),
        Wrong(
            """
class Queue:
    async def get(self):
        return self.get_nowait()
""",
            "`get` waits while the queue is empty",
        ),
        Wrong(
            """
class Queue:
    async def get(self):
        if self.empty() and not self._is_shutdown:
            await self._wait_in(self._getters, self.empty)
        return self.get_nowait()
""",
            "Another may have been quicker",
        ),
        Wrong(
            """
class Queue:
    async def put(self, item):
        self.put_nowait(item)
""",
            "`put` waits while the queue is full",
        ),
        Wrong(
            """
class Queue:
    def put_nowait(self, item):
        if self._is_shutdown:
            raise QueueShutDown
        if self.full():
            raise QueueFull
        self._put(item)
        self._unfinished_tasks += 1
""",
            "nothing is left that could wake",
        ),
        Wrong(
            """
class Queue:
    def put_nowait(self, item):
        self._put(item)
        self._unfinished_tasks += 1
        wake_next(self._getters)
""",
            "raise QueueFull",
        ),
        Wrong(
            """
class Queue:
    def put_nowait(self, item):
        if self._is_shutdown:
            raise QueueShutDown
        if self.full():
            raise QueueFull
        self._put(item)
        wake_next(self._getters)
""",
            "_unfinished_tasks",
        ),
        Wrong(
            """
class Queue:
    def get_nowait(self):
        if self.empty():
            raise QueueShutDown if self._is_shutdown else QueueEmpty
        return self._get()
""",
            "nothing is left that could wake",
        ),
        Wrong(
            """
class Queue:
    def get_nowait(self):
        if self.empty():
            return None
        item = self._get()
        wake_next(self._putters)
        return item
""",
            "raise QueueEmpty",
        ),
        Wrong(
            """
class Queue:
    def get_nowait(self):
        if self.empty():
            raise QueueEmpty
        item = self._get()
        wake_next(self._putters)
        return item
""",
            "shut down",
        ),
    ),
)


@QUEUE.check("what is put in comes out, first in, first out")
def _(aio):
    queue = aio.Queue()
    for item in (1, 2, 3):
        queue.put_nowait(item)
    same([queue.get_nowait() for _ in range(3)], [1, 2, 3], "First in, first out.")
    raises(aio.QueueEmpty, queue.get_nowait, "With nothing in it, raise QueueEmpty.")


@QUEUE.check("`get` waits for `put`, and whoever waits longest is served first")
def _(aio):
    log = Events()

    async def getter(name, queue):
        log.append(f"{name} gets {await queue.get()}")

    async def main(loop):
        queue = aio.Queue()
        tasks = [loop.create_task(getter(name, queue)) for name in "ABC"]
        await aio.suspend()
        log.append("now put")
        for item in (1, 2, 3):
            await queue.put(item)
        await aio.gather(*tasks)

    try:
        loop = play(aio, main)
    except aio.QueueEmpty:
        holds(False, "`get` waits while the queue is empty: `await self._wait_in(...)` first.")
    expected = Events(["now put", "A gets 1", "B gets 2", "C gets 3"])
    same(log, expected, "Whoever waits longest is served first: each `put` wakes one.")
    holds(loop.turns < 20, "The loop turned more than it needs.", f"{loop.turns} turns", "under 20")


@QUEUE.check(
    "a full queue makes `put` wait: back-pressure",
    "`put` waits while the queue is full, and raises nothing.",
)
def _(aio):
    log = Events()

    async def producer(queue):
        for item in (1, 2, 3):
            try:
                await queue.put(item)
            except aio.QueueFull:
                holds(False, "`put` waits while the queue is full, and raises nothing.")
            log.append(f"put {item}")

    async def main(loop):
        queue = aio.Queue(maxsize=1)
        task = loop.create_task(producer(queue))
        for _ in range(3):
            await aio.sleep(1)
            log.append(f"got {await queue.get()} at {loop.time():g}")
        await task

    sentence = "`put` waits while the queue is full: `await self._wait_in(self._putters, ...)`."
    play(aio, main)
    expected = ["put 1", "got 1 at 1", "put 2", "got 2 at 2", "put 3", "got 3 at 3"]
    same(log, Events(expected), sentence)


@QUEUE.check("whoever is woken looks again: another may have been quicker")
def _(aio):
    log = Events()

    async def getter(name, queue):
        log.append(f"{name} gets {await queue.get()}")

    async def main(loop):
        queue = aio.Queue()
        slow = loop.create_task(getter("waits", queue))
        await aio.suspend()
        queue.put_nowait(1)
        log.append(f"quicker gets {queue.get_nowait()}")
        await aio.sleep(1)
        queue.put_nowait(2)
        await slow

    sentence = "Another may have been quicker: wait with `while`, and look again when woken."
    try:
        play(aio, main)
    except aio.QueueEmpty:
        holds(False, sentence)
    same(log, Events(["quicker gets 1", "waits gets 2"]), sentence)


@QUEUE.check("a full queue refuses `put_nowait`")
def _(aio):
    queue = aio.Queue(maxsize=2)
    queue.put_nowait(1)
    queue.put_nowait(2)
    raises(aio.QueueFull, lambda: queue.put_nowait(3), "No room and no waiting: raise QueueFull.")
    same(queue.qsize(), 2, "What is refused is not put in.")


@QUEUE.check("each item put in is a task to be done")
def _(aio):
    queue = aio.Queue()
    queue.put_nowait(1)
    queue.put_nowait(2)
    queue.get_nowait()
    sentence = "Each item put in counts in `self._unfinished_tasks`, until `task_done` is called."
    same(queue._unfinished_tasks, 2, sentence)


@QUEUE.check("a queue that is shut down takes no more, and gives what is left")
def _(aio):
    queue = aio.Queue()
    queue.put_nowait("left")
    queue.shutdown()
    sentence = "A queue that is shut down refuses: raise QueueShutDown."
    raises(aio.QueueShutDown, lambda: queue.put_nowait(1), sentence)
    same(queue.get_nowait(), "left", "What is left may be taken out.")
    sentence = "Empty and shut down, it raises QueueShutDown: nothing will come any more."
    raises(aio.QueueShutDown, queue.get_nowait, sentence)


JOIN = Exercise(
    name="queue-join",
    lesson="10",
    title="Let somebody wait until all items are dealt with",
    lines=13,
    module="queues",
    builds=("Queue.task_done", "Queue.join"),
    stub="""
class Queue:
    def task_done(self):
        # about 5 lines: ValueError if self._unfinished_tasks is nought; one less; at nought
        # wake_all(self._joiners)
        ...

    async def join(self):
        # about 7 lines: if anything is unfinished, wait for a future (self._create_future()) that
        # stands in self._joiners meanwhile, and is taken out again whatever happens
        ...
""",
    hints=(
        "`join` does not look at what is in the queue, but at what is unfinished.",
        "With nothing unfinished, `join` returns at once.",
        "`waiter = self._create_future()`, append it to `self._joiners`, `try: await waiter`, "
        "`finally: self._joiners.remove(waiter)`.",
    ),
    wrong=(
        Wrong(
            """
class Queue:
    async def join(self):
        while not self.empty():
            waiter = self._create_future()
            self._joiners.append(waiter)
            try:
                await waiter
            finally:
                self._joiners.remove(waiter)
""",
            "taken out is not dealt with",
        ),
        Wrong(
            """
class Queue:
    async def join(self):
        waiter = self._create_future()
        self._joiners.append(waiter)
        try:
            await waiter
        finally:
            self._joiners.remove(waiter)
""",
            "returns at once",
        ),
        Wrong(
            """
class Queue:
    async def join(self):
        if self._unfinished_tasks > 0:
            waiter = self._create_future()
            self._joiners.append(waiter)
            await waiter
            self._joiners.remove(waiter)
""",
            "whatever happens",
        ),
        Wrong(
            """
class Queue:
    def task_done(self):
        self._unfinished_tasks -= 1
        if self._unfinished_tasks == 0:
            wake_all(self._joiners)
""",
            "called too many times",
        ),
        Wrong(
            """
class Queue:
    def task_done(self):
        if self._unfinished_tasks <= 0:
            raise ValueError("task_done() called too many times")
        self._unfinished_tasks -= 1
""",
            "nothing is left that could wake",
        ),
        Wrong(
            """
class Queue:
    def task_done(self):
        if self._unfinished_tasks <= 0:
            raise ValueError("task_done() called too many times")
        self._unfinished_tasks -= 1
        wake_all(self._joiners)
""",
            "the last one",
        ),
        Wrong(
            """
class Queue:
    def task_done(self):
        if self._unfinished_tasks <= 0:
            raise ValueError("task_done() called too many times")
        self._unfinished_tasks = 0
        wake_all(self._joiners)
""",
            "counts one less",
        ),
    ),
)


@JOIN.check(
    "each `task_done` counts one less, and one too many is a ValueError",
    "Each `task_done` counts one less.",
)
def _(aio):
    queue = aio.Queue()
    for item in (1, 2):
        queue.put_nowait(item)
        queue.get_nowait()
    counts = [queue._unfinished_tasks]
    for _ in range(2):
        queue.task_done()
        counts.append(queue._unfinished_tasks)
    same(counts, [2, 1, 0], "Each `task_done` counts one less.")
    raises(ValueError, queue.task_done, "`task_done` called too many times: raise ValueError.")


@JOIN.check("with nothing unfinished `join` returns at once")
def _(aio):
    async def main(loop):
        await aio.Queue().join()

    try:
        play(aio, main)
    except aio.Deadlock:
        holds(False, "With nothing unfinished `join` returns at once.")


@JOIN.check("`join` waits until the last item is dealt with")
def _(aio):
    log = Events()

    async def worker(queue):
        while True:
            item = await queue.get()
            await aio.sleep(1)
            log.append(f"{item} done")
            queue.task_done()

    async def main(loop):
        queue = aio.Queue()
        for item in "ABC":
            queue.put_nowait(item)
        task = loop.create_task(worker(queue))
        await queue.join()
        log.append(f"joined at {loop.time():g}")
        task.cancel()

    play(aio, main)
    sentence = "Wake those who join only when the last one is done."
    if log[:3] == ["A done", "B done", "joined at 2"]:
        sentence = "An item taken out is not dealt with: look at `self._unfinished_tasks`."
    same(log, Events(["A done", "B done", "C done", "joined at 3"]), sentence)


@JOIN.check("an item that is being worked on is still waited for")
def _(aio):
    async def main(loop):
        queue = aio.Queue()
        queue.put_nowait(1)
        queue.get_nowait()
        loop.call_later(5, queue.task_done)
        await queue.join()
        return loop.time()

    sentence = "An item taken out is not dealt with: look at `self._unfinished_tasks`."
    same(play(aio, main).result, 5.0, sentence)


@JOIN.check("one who gives up joining leaves nothing behind")
def _(aio):
    async def main(loop):
        queue = aio.Queue()
        queue.put_nowait(1)
        task = loop.create_task(queue.join())
        await aio.suspend()
        await aio.suspend()
        task.cancel()
        await aio.wait([task])
        return len(queue._joiners)

    sentence = "Take the waiter out of `self._joiners` whatever happens: `try`, `finally`."
    same(play(aio, main).result, 0, sentence)


REPAIR = Exercise(
    name="join-repair",
    lesson="10",
    title="A job that fails makes `join` wait for ever: repair the worker",
    lines=10,
    builds=("worker",),
    stub='''
async def worker(jobs, log):
    """Take one job after the other; note its result, or that it failed."""
    while True:
        job = await jobs.get()
        try:
            log.append(f"done: {await job()}")
            jobs.task_done()
        except Exception as error:
            log.append(f"failed: {error!r}")
''',
    solution='''
async def worker(jobs, log):
    """Take one job after the other; note its result, or that it failed."""
    while True:
        job = await jobs.get()
        try:
            log.append(f"done: {await job()}")
        except Exception as error:
            log.append(f"failed: {error!r}")
        finally:
            jobs.task_done()
''',
    hints=(
        "`join` waits until `task_done` has been called once for each item. Which path misses it?",
        "After an exception in the job, the line after it does not run.",
        "`finally:` runs on both paths: call `jobs.task_done()` there, and only there.",
    ),
    wrong=(
        Wrong(
            """
async def worker(jobs, log):
    while True:
        job = await jobs.get()
        jobs.task_done()
        try:
            log.append(f"done: {await job()}")
        except Exception as error:
            log.append(f"failed: {error!r}")
""",
            "comes before the job is done",
        ),
        Wrong(
            """
async def worker(jobs, log):
    while True:
        job = await jobs.get()
        try:
            log.append(f"done: {await job()}")
            jobs.task_done()
        except Exception as error:
            log.append(f"failed: {error!r}")
        finally:
            jobs.task_done()
""",
            "or is called twice",
        ),
        Wrong(
            """
async def worker(jobs, log):
    while True:
        job = await jobs.get()
        try:
            log.append(f"done: {await job()}")
        finally:
            jobs.task_done()
""",
            "must not end the worker",
        ),
        Wrong(
            """
async def worker(jobs, log):
    while True:
        try:
            job = await jobs.get()
            log.append(f"done: {await job()}")
        except Exception as error:
            log.append(f"failed: {error!r}")
        finally:
            jobs.task_done()
""",
            "an item that was never taken",
        ),
        Wrong(
            """
async def worker(jobs, log):
    while True:
        job = await jobs.get()
        try:
            log.append(f"done: {await job()}")
            jobs.task_done()
        except Exception as error:
            log.append(f"failed: {error!r}")
            await jobs.put(job)
""",
            "`join` still waits",
        ),
        Wrong(
            """
async def worker(jobs, log):
    while not jobs.empty():
        job = await jobs.get()
        try:
            log.append(f"done: {await job()}")
        except Exception as error:
            log.append(f"failed: {error!r}")
        finally:
            jobs.task_done()
""",
            "goes on waiting",
        ),
    ),
)


def _job(aio, log, name, fails=False):
    async def job():
        await aio.sleep(1)
        if fails:
            raise ValueError(name)
        return name

    return job


@REPAIR.check(
    "three jobs, one of which fails: all are noted, and `join` comes to its end",
    "`task_done` belongs to each item exactly once: it is called too many times.",
)
def _(cell):
    aio, log = cell.aio, Events()

    async def main(loop):
        jobs = aio.Queue()
        for name in "ABC":
            jobs.put_nowait(_job(aio, log, name, name == "B"))
        task = loop.create_task(cell.worker(jobs, log))
        joined = loop.create_task(jobs.join())
        await aio.wait([task, joined], timeout=10, return_when=aio.FIRST_COMPLETED)
        if task.done() and not task.cancelled() and task.exception():
            error = task.exception()
            if not joined.done():
                joined.cancel()
            if "too many" in str(error):
                raise error
            raise Refused("A job that fails must not end the worker: note it, and go on.")
        if not joined.done():
            joined.cancel()
            raise Refused("`join` still waits: a job that failed was never reported as done.")
        log.append(f"joined at {loop.time():g}")
        task.cancel()

    play(aio, main)
    expected = ["done: A", "failed: ValueError('B')", "done: C", "joined at 3"]
    sentence = (
        "`join` ended too soon: `task_done` comes before the job is done, or is called twice."
    )
    same(log, Events(expected), sentence)


@REPAIR.check("the worker goes on waiting for more, and cancelling it reports nothing")
def _(cell):
    aio, log = cell.aio, Events()

    async def main(loop):
        jobs = aio.Queue()
        task = loop.create_task(cell.worker(jobs, log))
        await aio.sleep(1)
        if task.done():
            raise Refused("With an empty queue the worker goes on waiting: it does not end.")
        task.cancel()
        await aio.wait([task])
        if not task.cancelled():
            raise Refused("It reports an item that was never taken: `get` stands before the `try`.")

    play(aio, main)
