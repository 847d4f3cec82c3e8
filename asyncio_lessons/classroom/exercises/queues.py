"""Lesson 10: tasks hand work over."""

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, Refused, holds, raises, same
from ..checking.stage import play

QUEUE = Exercise(
    name="queue",
    lesson="10",
    title="Build a queue in which `get` waits for an item, and `put` for room",
    lines=17,
    module="queues",
    builds=("Queue.put", "Queue.put_nowait", "Queue.get", "Queue.get_nowait"),
    stub="""
class Queue:
    # await self._wait_in(self._getters, self.empty) waits in line with those that want to get;
    # wake_next(self._getters) wakes the first of them. The same with self._putters, self.full.
    async def put(self, item):
        # about 3 lines: wait while it is full (unless self._is_shutdown), then put it in now
        ...

    def put_nowait(self, item):
        # about 7 lines: QueueShutDown, QueueFull, or self._put(item). One more task is unfinished
        # (self._unfinished_tasks), and the first that waits to get is woken.
        ...

    async def get(self):
        # about 3 lines: wait while it is empty (unless self._is_shutdown), then get it now
        ...

    def get_nowait(self):
        # about 5 lines: QueueEmpty or QueueShutDown; or self._get() it, and wake the next putter
        ...
""",
    hints=(
        "The `_nowait` methods do the work. The others wait first, and then call them.",
        "Wait with `while`, not with `if`: a task that was woken may find that another was "
        "quicker.",
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
            "class Queue:\n    async def get(self):\n        return self.get_nowait()\n",
            "`get` waits while the queue is empty",
        ),
        Wrong(
            change=("while not self._queue and", "if not self._queue and"),
            says="Another may have been quicker",
        ),
        Wrong(change=("while 0 <", "if 0 <"), says="Another may have been quicker"),
        Wrong(
            "class Queue:\n    async def put(self, item):\n        self.put_nowait(item)\n",
            "`put` waits while the queue is full",
        ),
        Wrong(
            change=(
                "        if self._getters:\n            wake_next(self._getters)\n",
                "",
            ),
            says="nothing is left that could wake",
        ),
        Wrong(
            change=("        if self._getters:\n", "        while self._getters:\n"),
            says="Each `put` wakes one",
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
        Wrong(change=("        self._unfinished_tasks += 1\n", ""), says="_unfinished_tasks"),
        Wrong(
            change=(
                "        if self._putters:\n            wake_next(self._putters)\n",
                "",
            ),
            says="nothing is left that could wake",
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
            change=("raise QueueShutDown if self._is_shutdown else QueueEmpty", "raise QueueEmpty"),
            says="shut down",
        ),
        Wrong(
            change=("while not self._queue and not self._is_shutdown:", "while not self._queue:"),
            says="`shutdown` wakes all that wait",
        ),
    ),
    right=(
        """
class Queue:
    async def put(self, item):
        while self.full() and not self._is_shutdown:
            await self._wait_in(self._putters, self.full)
        self.put_nowait(item)

    def put_nowait(self, item):
        if self._is_shutdown:
            raise QueueShutDown()
        elif self.full():
            raise QueueFull()
        else:
            self._unfinished_tasks = self._unfinished_tasks + 1
            self._put(item)
            wake_next(self._getters)
""",
        """
class Queue:
    async def get(self):
        while True:
            try:
                return self.get_nowait()
            except QueueEmpty:
                await self._wait_in(self._getters, self.empty)

    async def put(self, item):
        while True:
            try:
                return self.put_nowait(item)
            except QueueFull:
                await self._wait_in(self._putters, self.full)
""",
        """
class Queue:
    def get_nowait(self):
        try:
            item = self._get()
        except IndexError:
            if self._is_shutdown:
                raise QueueShutDown from None
            raise QueueEmpty from None
        wake_next(self._putters)
        return item
""",
    ),
)


def _pending(waiters):
    return sum(not waiter.done() for waiter in waiters)


@QUEUE.check("what is put in comes out, first in, first out")
def _(aio):
    queue = aio.Queue()
    for item in (1, 2, 3):
        queue.put_nowait(item)
    same([queue.get_nowait() for _ in range(3)], [1, 2, 3], "First in, first out.")
    raises(aio.QueueEmpty, queue.get_nowait, "With nothing in it, raise QueueEmpty.")


@QUEUE.check("`get` waits for `put`, and the task that waits longest is served first")
def _(aio):
    log = Events()

    async def getter(name, queue):
        log.append(f"{name} gets {await queue.get()}")

    async def main(loop):
        queue = aio.Queue()
        tasks = [loop.create_task(getter(name, queue)) for name in "ABC"]
        await aio.suspend()
        log.append("now put")
        await queue.put(1)
        log.append(f"{_pending(queue._getters)} still wait")
        await aio.sleep(1)
        for item in (2, 3):
            await queue.put(item)
        await aio.gather(*tasks)

    try:
        loop = play(aio, main)
    except aio.QueueEmpty:
        holds(False, "`get` waits while the queue is empty: `await self._wait_in(...)` first.")
    expected = Events(["now put", "2 still wait", "A gets 1", "B gets 2", "C gets 3"])
    same(log, expected, "Each `put` wakes one, the task that has waited longest.")
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

    async def crowd(loop):
        queue = aio.Queue(maxsize=1)
        tasks = [loop.create_task(queue.put(item)) for item in (1, 2, 3)]
        await aio.sleep(1)
        got = [await queue.get()]
        waiting = _pending(queue._putters)
        await aio.sleep(1)
        got += [await queue.get(), await queue.get()]
        await aio.gather(*tasks)
        return waiting, got

    sentence = "Each `get` wakes one of those that wait to put: the first."
    same(play(aio, crowd).result, (1, [1, 2, 3]), sentence)


@QUEUE.check("a task that is woken looks again: another may have been quicker")
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

    async def putting(loop):
        queue = aio.Queue(maxsize=1)
        queue.put_nowait(1)
        slow = loop.create_task(queue.put(3))
        await aio.suspend()
        got = [queue.get_nowait()]
        queue.put_nowait(2)
        await aio.sleep(1)
        got += [await queue.get(), await queue.get()]
        await slow
        return got

    try:
        same(play(aio, putting).result, [1, 2, 3], sentence)
    except (aio.QueueFull, aio.Deadlock):
        holds(False, sentence)


@QUEUE.check("a full queue refuses `put_nowait`")
def _(aio):
    for size in (1, 2):
        queue = aio.Queue(maxsize=size)
        for item in range(size):
            queue.put_nowait(item)
        sentence = "No room and no waiting: raise QueueFull."
        raises(aio.QueueFull, lambda queue=queue: queue.put_nowait(3), sentence)
        same(queue.qsize(), size, "What is refused is not put in.")


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
    full = aio.Queue(maxsize=1)
    full.put_nowait(1)
    full.shutdown()
    sentence = "Full and shut down, it raises QueueShutDown: waiting for room would be in vain."
    raises(aio.QueueShutDown, lambda: full.put_nowait(2), sentence)


@QUEUE.check("those that wait when it is shut down get QueueShutDown")
def _(aio):
    async def main(loop):
        empty, full = aio.Queue(), aio.Queue(maxsize=1)
        full.put_nowait(1)
        tasks = [loop.create_task(empty.get()), loop.create_task(full.put(2))]
        await aio.sleep(1)
        empty.shutdown()
        full.shutdown()
        return [repr(each) for each in await aio.gather(*tasks, return_exceptions=True)]

    sentence = "`shutdown` wakes all that wait: do not wait again, QueueShutDown comes of itself."
    try:
        same(play(aio, main).result, ["QueueShutDown()"] * 2, sentence)
    except aio.Deadlock:
        holds(False, sentence)


JOIN = Exercise(
    name="queue-join",
    lesson="10",
    title="Let a task wait until all items are dealt with",
    lines=13,
    module="queues",
    builds=("Queue.task_done", "Queue.join"),
    stub="""
class Queue:
    def task_done(self):
        # about 5 lines: ValueError if self._unfinished_tasks is zero; one less; at zero
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
            change=("if self._unfinished_tasks > 0:", "if not self.empty():"),
            says="taken out is not dealt with",
        ),
        Wrong(
            change=("if self._unfinished_tasks > 0:", "while self._unfinished_tasks > 0:"),
            says="An item that comes later",
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
            change=("            wake_all(self._joiners)\n", "            pass\n"),
            says="nothing is left that could wake",
        ),
        Wrong(
            change=(
                "        if self._unfinished_tasks == 0:\n            wake_all",
                "        wake_all",
            ),
            says="the last one",
        ),
        Wrong(
            change=("self._unfinished_tasks -= 1", "self._unfinished_tasks = 0"), says="one less"
        ),
    ),
    right=(
        """
class Queue:
    def task_done(self):
        if not self._unfinished_tasks:
            raise ValueError("more task_done() than items")
        self._unfinished_tasks -= 1
        if self._unfinished_tasks:
            return
        for joiner in self._joiners:
            if not joiner.done():
                joiner.set_result(None)
""",
        """
class Queue:
    async def join(self):
        if not self._unfinished_tasks:
            return
        waiter = self._create_future()
        self._joiners.append(waiter)
        try:
            await waiter
        finally:
            self._joiners = [each for each in self._joiners if each is not waiter]
""",
        """
class Queue:
    def task_done(self):
        left = self._unfinished_tasks - 1
        if left < 0:
            raise ValueError("task_done() called too many times")
        self._unfinished_tasks = left
        if left == 0:
            wake_all(list(self._joiners))

    async def join(self):
        if self._unfinished_tasks:
            self._joiners.append(waiter := self._create_future())
            try:
                await waiter
            except BaseException:
                self._joiners.remove(waiter)
                raise
            self._joiners.remove(waiter)
""",
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
    sentence = "Wake those that join only when the last one is done."
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


@JOIN.check("`join` returns when all was dealt with, though another item has come since")
def _(aio):
    async def main(loop):
        queue = aio.Queue()
        queue.put_nowait(1)
        task = loop.create_task(queue.join())
        await aio.sleep(1)
        queue.task_done()
        queue.put_nowait(2)
        await aio.wait([task], timeout=1)
        task.cancel()
        return loop.time()

    sentence = "An item that comes later is none of its business: wait once, with `if`."
    same(play(aio, main).result, 1.0, sentence)


@JOIN.check("a `join` that is cancelled leaves nothing behind")
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
            change=("        except", "            jobs.task_done()\n        except"),
            says="or is called twice",
        ),
        Wrong(
            change=(
                """        except Exception as error:
            log.append(f"failed: {error!r}")
""",
                "",
            ),
            says="must not end the worker",
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
        Wrong(change=("while True:", "while not jobs.empty():"), says="the worker waits"),
        Wrong(
            change=("        finally:\n            jobs.task_done()", "        jobs.task_done()"),
            says="cancelled during a job",
        ),
        Wrong(change=("except Exception", "except BaseException"), says="let CancelledError pass"),
    ),
    right=(
        """
async def worker(jobs, log):
    while True:
        job = await jobs.get()
        try:
            result = await job()
        except Exception as error:
            log.append(f"failed: {error!r}")
        else:
            log.append(f"done: {result}")
        finally:
            jobs.task_done()
""",
        """
async def outcome(job):
    try:
        return f"done: {await job()}"
    except Exception as error:
        return f"failed: {error!r}"

async def worker(jobs, log):
    while True:
        job = await jobs.get()
        try:
            log.append(await outcome(job))
        finally:
            jobs.task_done()
""",
        """
async def worker(jobs, log):
    while True:
        job = await jobs.get()
        try:
            log.append(f"done: {await job()}")
            jobs.task_done()
        except BaseException as error:
            jobs.task_done()
            if not isinstance(error, Exception):
                raise
            log.append(f"failed: {error!r}")
""",
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
            raise Refused("A job that fails must not end the worker: note it, and take the next.")
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


@REPAIR.check("with an empty queue the worker waits, and cancelling it reports nothing")
def _(cell):
    aio, log = cell.aio, Events()

    async def main(loop):
        jobs = aio.Queue()
        task = loop.create_task(cell.worker(jobs, log))
        await aio.sleep(1)
        if task.done():
            raise Refused("With an empty queue the worker waits for more: it does not end.")
        task.cancel()
        await aio.wait([task])
        if not task.cancelled():
            raise Refused("It reports an item that was never taken: `get` stands before the `try`.")

    play(aio, main)


@REPAIR.check("cancelled during a job, it reports that item, and ends")
def _(cell):
    aio, log = cell.aio, Events()

    async def main(loop):
        jobs = aio.Queue()
        jobs.put_nowait(_job(aio, log, "A"))
        task = loop.create_task(cell.worker(jobs, log))
        await aio.suspend()
        await aio.suspend()
        task.cancel()
        await aio.wait([task], timeout=5)
        return jobs._unfinished_tasks, task.cancelled()

    left, is_cancelled = play(aio, main).result
    sentence = "A worker that is cancelled during a job must report that item as well: `finally:`."
    same(left, 0, sentence)
    holds(is_cancelled, "A cancelled worker ends: let CancelledError pass, it is no Exception.")
