"""Lesson 13, at work: three broken programs."""

import gc
import weakref

from ..checking.catalog import CANNOT_AWAIT, Exercise, Wrong
from ..checking.expect import Events, holds, same
from ..checking.stage import play, sleep_on

# -- "Task was destroyed but it is pending!" ------------------------------------------------------

DESTROYED = Exercise(
    name="destroyed-repair",
    lesson="13",
    title='"Task was destroyed but it is pending!": keep the task, and end it',
    lines=4,
    builds=("main",),
    stub="""
async def watch(prices, seen):
    while True:
        seen.append(await prices.next())

# For 10 seconds each new price is to be noted. Now and then the watcher vanishes before that.
async def main(prices, seen):
    aio.create_task(watch(prices, seen))
    await aio.sleep(10)
""",
    solution="""
async def watch(prices, seen):
    while True:
        seen.append(await prices.next())

async def main(prices, seen):
    watching = aio.create_task(watch(prices, seen))
    await aio.sleep(10)
    watching.cancel()
    await aio.gather(watching, return_exceptions=True)
""",
    hints=(
        "What holds the task while it waits? The loop has only a weak reference to it.",
        "A variable of `main` holds it until `main` ends. And then?",
        "After the 10 seconds cancel it, and await its end: "
        "`await aio.gather(watching, return_exceptions=True)`.",
    ),
    wrong=(
        Wrong(
            """
async def main(prices, seen):
    aio.create_task(watch(prices, seen), name="watcher")
    await aio.sleep(10)
""",
            "was destroyed",
        ),
        Wrong(
            """
def start(prices, seen):
    watching = aio.create_task(watch(prices, seen))

async def main(prices, seen):
    start(prices, seen)
    await aio.sleep(10)
""",
            "was destroyed",
        ),
        Wrong(
            """
import weakref

async def main(prices, seen):
    tasks = weakref.WeakSet()
    tasks.add(aio.create_task(watch(prices, seen)))
    await aio.sleep(10)
""",
            "was destroyed",
        ),
        Wrong(
            """
async def main(prices, seen):
    watching = aio.create_task(watch(prices, seen))
    await aio.sleep(10)
""",
            "is left",
        ),
        Wrong(
            """
async def main(prices, seen):
    watching = aio.create_task(watch(prices, seen))
    await aio.sleep(10)
    watching.cancel()
""",
            "is left",
        ),
        Wrong(
            """
async def main(prices, seen):
    watching = aio.create_task(watch(prices, seen))
    await aio.sleep(10)
    watching.cancel()
    await watching
""",
            "CancelledError",
        ),
        Wrong(
            """
async def main(prices, seen):
    await watch(prices, seen)
    await aio.sleep(10)
""",
            "after 10 seconds",
        ),
        Wrong(
            """
async def main(prices, seen):
    async with aio.timeout(10):
        await watch(prices, seen)
""",
            "TimeoutError",
        ),
    ),
    right=(
        """
async def main(prices, seen):
    try:
        await aio.wait_for(watch(prices, seen), 10)
    except TimeoutError:
        pass
""",
        """
async def main(prices, seen):
    async with aio.TaskGroup() as group:
        watching = group.create_task(watch(prices, seen))
        await aio.sleep(10)
        watching.cancel()
""",
        """
TASKS = []

async def main(prices, seen):
    watching = aio.create_task(watch(prices, seen))
    TASKS.append(watching)
    watching.add_done_callback(TASKS.remove)
    await aio.sleep(10)
    watching.cancel()
    try:
        await watching
    except aio.CancelledError:
        pass
""",
    ),
)


class _Prices:
    """A price each second; the one that waits for it is known by a weak reference only."""

    def __init__(self, aio, loop):
        self.aio = aio
        self.loop = loop
        self.waiting = lambda: None
        self.published = []
        for second in range(1, 30):
            loop.call_at(second - 0.5, self.publish, 100 + second)

    async def next(self):
        future = self.loop.create_future()
        self.waiting = weakref.ref(future)
        try:
            return await future
        except self.aio.CancelledError:
            for _ in range(3):  # to leave the exchange takes some turns
                await self.aio.sleep(0)
            raise

    def publish(self, price):
        self.published.append(price)
        if len(self.published) in (3, 6):
            gc.collect()
        future = self.waiting()
        if future is not None and not future.done():
            future.set_result(price)


def _watch(cell):
    """Return what was seen, the prices published, when `main` ended, and the tasks left then."""
    aio, held, seen = cell.aio, {}, []

    async def program(loop):
        prices = _Prices(aio, loop)
        task = loop.create_task(cell.main(prices, seen))
        await aio.wait([task], timeout=20)
        held["at"], held["left"] = loop.time(), len(aio.all_tasks(loop) - {task}) - 1
        held["published"] = list(prices.published)
        for each in aio.all_tasks(loop) - {aio.current_task(loop)}:
            each.cancel()
        await aio.sleep(0.1)
        if held["at"] < 20:
            task.result()

    play(aio, program)
    return seen, held["published"], held["at"], held["left"]


@DESTROYED.check("each price of the 10 seconds is seen")
def _(cell):
    seen, published, at, _ = _watch(cell)
    same(at, 10.0, "`main` ends after 10 seconds.")
    sentence = "The watcher was destroyed while it waited: no strong reference holds its task."
    same(seen, published, sentence)


@DESTROYED.check("at the end no task is left")
def _(cell):
    _, _, _, left = _watch(cell)
    same(left, 0, "The watcher is left when `main` has ended: cancel it, and await its end.")


# -- a cancellation that is swallowed ------------------------------------------------------------

SWALLOWED = Exercise(
    name="swallowed-repair",
    lesson="13",
    title="A task that cannot be cancelled: let the cancel pass",
    lines=1,
    builds=("poll",),
    stub="""
# A reading each second, until it is cancelled. A reading that fails is noted as None.
async def poll(read, log):
    while True:
        try:
            log.append(await read())
        except BaseException:
            log.append(None)
        await aio.sleep(1)
""",
    solution="""
async def poll(read, log):
    while True:
        try:
            log.append(await read())
        except Exception:
            log.append(None)
        await aio.sleep(1)
""",
    hints=(
        "What is raised at `await read()` when the task is cancelled, and where is it caught?",
        "`CancelledError` is a BaseException, and no Exception: for cases as this one.",
        "`except Exception:` catches what a reading may raise, and lets a cancel pass.",
    ),
    wrong=(
        Wrong(
            """
async def poll(read, log):
    while True:
        try:
            log.append(await read())
        except:
            log.append(None)
        await aio.sleep(1)
""",
            "swallowed",
        ),
        Wrong(
            """
async def poll(read, log):
    while True:
        try:
            log.append(await read())
        except (Exception, aio.CancelledError):
            log.append(None)
        await aio.sleep(1)
""",
            "swallowed",
        ),
        Wrong(
            """
async def poll(read, log):
    while True:
        try:
            log.append(await read())
        except aio.CancelledError:
            return
        except Exception:
            log.append(None)
        await aio.sleep(1)
""",
            "as if it had not been cancelled",
        ),
        Wrong(
            """
async def poll(read, log):
    while True:
        try:
            log.append(await read())
        except BaseException as error:
            log.append(None)
            if isinstance(error, aio.CancelledError):
                raise
        await aio.sleep(1)
""",
            "A cancel is not a reading that fails",
        ),
        Wrong(
            """
async def poll(read, log):
    while True:
        log.append(await read())
        await aio.sleep(1)
""",
            "A reading that fails",
        ),
        Wrong(
            """
async def poll(read, log):
    while True:
        try:
            log.append(await read())
        except OSError:
            log.append(None)
        await aio.sleep(1)
""",
            "A reading that fails",
        ),
        Wrong(
            """
async def poll(read, log):
    while True:
        try:
            log.append(await read())
            await aio.sleep(1)
        except Exception:
            log.append(None)
""",
            "after one that failed, too",
        ),
        Wrong(
            """
async def poll(read, log):
    try:
        while True:
            log.append(await read())
            await aio.sleep(1)
    except Exception:
        log.append(None)
""",
            "A reading that fails",
        ),
    ),
    right=(
        """
async def poll(read, log):
    while True:
        try:
            log.append(await read())
        except aio.CancelledError:
            raise
        except BaseException:
            log.append(None)
        await aio.sleep(1)
""",
        """
async def poll(read, log):
    while True:
        reading = None
        try:
            reading = await read()
        except Exception:
            pass
        log.append(reading)
        await aio.sleep(1)
""",
        """
async def attempt(read):
    try:
        return await read()
    except Exception:
        return None

async def poll(read, log):
    while True:
        log.append(await attempt(read))
        await aio.sleep(1)
""",
    ),
)


def _poll(cell, readings, until):
    """Cancel `poll` at `until`; return its task, the log, and when it ended."""
    aio, held, log = cell.aio, {}, Events()
    rest = list(readings)

    async def read():
        await aio.sleep(1)
        reading = rest.pop(0) if rest else "more"
        if isinstance(reading, Exception):
            raise reading
        return reading

    async def program(loop):
        task = held["task"] = loop.create_task(cell.poll(read, log))
        await aio.wait([task], timeout=until)
        task.cancel()
        await aio.wait([task], timeout=20)
        held["at"] = loop.time()
        for _ in range(3):
            task.cancel()
            await aio.sleep(0)

    play(aio, program)
    return held["task"], log, held["at"]


@SWALLOWED.check("a cancel ends it at once, in a reading and in a pause")
def _(cell):
    for until, expected in ((0.5, []), (1.5, ["a"]), (2.5, ["a"])):
        task, log, at = _poll(cell, ["a"], until)
        sentence = "The cancel is swallowed: CancelledError is caught, and the task continues."
        holds(at == until, sentence, f"ends at {at:g} s or later", f"ends at {until:g} s")
        sentence = "The task ends as if it had not been cancelled: CancelledError must come out."
        holds(task.cancelled(), sentence)
        same(list(log), expected, "A cancel is not a reading that fails: note nothing.")


@SWALLOWED.check("a reading that fails is noted as None, and the next comes a second later")
def _(cell):
    errors = [OSError("gone"), ValueError("not a number")]
    task, log, at = _poll(cell, ["a", *errors, "b", "c"], 9.5)
    sentence = "A reading that fails, with whatever Exception, is noted as None: then the next."
    if not task.cancelled() and task.exception():
        holds(False, sentence)
    same(at, 9.5, sentence)
    same(list(log)[:4], ["a", None, None, "b"], sentence)
    same(len(log), 5, "A pause of a second follows each reading, after one that failed, too.")


# -- a loop that is blocked --------------------------------------------------------------------

BLOCKED = Exercise(
    name="blocked-repair",
    lesson="13",
    title="A computation that blocks the loop: let the others run in between",
    lines=1,
    builds=("count",),
    stub="""
# `parse(page)` computes for 0.2 seconds. While a book is counted, no other task runs.
async def count(pages, parse):
    total = 0
    for page in pages:
        total += parse(page)
    return total
""",
    solution="""
async def count(pages, parse):
    total = 0
    for page in pages:
        total += parse(page)
        await aio.sleep(0)
    return total
""",
    hints=(
        "Where does `count` await something that is not there yet?",
        "Between two pages another task could run, if the loop were given a turn.",
        "`await aio.sleep(0)` after each page gives the loop one turn, and takes no time.",
    ),
    wrong=(
        Wrong(
            """
async def count(pages, parse):
    total = 0
    await aio.sleep(0)
    for page in pages:
        total += parse(page)
    return total
""",
            "stands still",
        ),
        Wrong(
            change=("        await aio.sleep(0)\n", "    await aio.sleep(0)\n"), says="stands still"
        ),
        Wrong(
            """
async def one(page, parse):
    return parse(page)

async def count(pages, parse):
    return sum(await aio.gather(*(one(page, parse) for page in pages)))
""",
            "stands still",
        ),
        Wrong(
            """
async def one(page, parse):
    return parse(page)

async def count(pages, parse):
    total = 0
    for page in pages:
        total += await one(page, parse)
    return total
""",
            "stands still",
        ),
        Wrong(change=("parse(page)", "await parse(page)"), says=CANNOT_AWAIT),
        Wrong(change=("await aio.sleep(0)", "aio.sleep(0)"), says="stands still"),
        Wrong(change=("aio.sleep(0)", "aio.sleep(1)"), says="takes longer"),
        Wrong(
            """
async def count(pages, parse):
    tasks = [aio.create_task(parse(page)) for page in pages]
    return sum(await aio.gather(*tasks))
""",
            "raised TypeError",
        ),
        Wrong(
            """
async def count(pages, parse):
    total = 0
    for page in pages:
        total = parse(page)
        await aio.sleep(0)
    return total
""",
            "words of all pages",
        ),
    ),
    right=(
        """
async def count(pages, parse):
    total = 0
    for page in pages:
        total += await aio.to_thread(parse, page)
    return total
""",
        """
async def count(pages, parse):
    total = 0
    for page in pages:
        await aio.sleep(0)
        total += parse(page)
    return total
""",
        """
async def each(pages, parse):
    for page in pages:
        yield parse(page)
        await aio.sleep(0)

async def count(pages, parse):
    return sum([words async for words in each(pages, parse)])
""",
    ),
)


def _count(cell, pages):
    """Return the total, the time it took, and the longest time between two heartbeats."""
    aio, held, beats = cell.aio, {}, []

    async def heart(loop):
        while True:
            beats.append(loop.time())
            await aio.sleep(0.1)

    async def program(loop):
        sleep = sleep_on(loop)

        def parse(page):
            sleep(0.2)
            return page

        beating = loop.create_task(heart(loop))
        await aio.sleep(0)
        held["total"] = await cell.count(pages, parse)
        held["took"] = loop.time()
        await aio.sleep(0.2)
        beating.cancel()

    play(aio, program, "EventLoop")
    gap = max(later - earlier for earlier, later in zip(beats, beats[1:], strict=False))
    return held["total"], held["took"], gap


@BLOCKED.check("other tasks run while a book is counted")
def _(cell):
    _, _, gap = _count(cell, [1] * 8)  # a timer that rings wakes its task two turns later
    sentence = "The loop stands still while a book is counted: give it a turn between two pages."
    holds(gap < 0.7, sentence, f"{gap:.1f} s", "0.6 s at most")


@BLOCKED.check("it counts the words of all pages, and takes no longer than before")
def _(cell):
    pages = [3, 1, 4, 1, 5, 9, 2, 6]
    total, took, _ = _count(cell, pages)
    same(total, sum(pages), "Return the words of all pages together.")
    holds(took < 2, "It takes longer than to parse the pages.", f"{took:.1f} s", "1.6 s")
    same(_count(cell, [])[0], 0, "A book without pages has no words.")
