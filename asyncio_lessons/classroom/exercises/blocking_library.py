"""Lesson 11, at work: a library that blocks, called without stopping the loop."""

import threading

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Refused, holds, same
from ..checking.stage import play, sleep_on

BLOCKING = Exercise(
    name="blocking-library",
    lesson="11",
    title="Call a library that blocks, in three threads at most, and do not stop the loop",
    lines=9,
    builds=("look_up", "look_up_all"),
    stub='''
async def look_up(key, lookup, notice, places):
    """Return `lookup(key, report)`, called in another thread, in one of three places.

    lookup: blocks, and calls `report(text)` from its own thread while it works.
    notice: is to be called with each of these texts, in the thread of the loop.
    """
    # about 5 lines
    ...

async def look_up_all(keys, lookup, notice):
    """Return what `lookup` returns for each of `keys`, or its error, in the order of `keys`."""
    # about 3 lines
    ...
''',
    solution='''
async def look_up(key, lookup, notice, places):
    """Return `lookup(key, report)`, called in another thread, in one of three places."""
    loop = aio.get_running_loop()

    def report(text):
        loop.call_soon_threadsafe(notice, text)

    async with places:
        return await aio.to_thread(lookup, key, report)

async def look_up_all(keys, lookup, notice):
    """Return what `lookup` returns for each of `keys`, or its error, in the order of `keys`."""
    places = aio.Semaphore(3)
    calls = [look_up(key, lookup, notice, places) for key in keys]
    return await aio.gather(*calls, return_exceptions=True)
''',
    hints=(
        "`await aio.to_thread(lookup, key, report)` calls it in another thread. A semaphore of 3 "
        "counts the threads.",
        "`report` runs in the thread of the library. The one method of a loop that another thread "
        "may call is `call_soon_threadsafe`.",
        "An error of `lookup` comes out of `await aio.to_thread(...)`: "
        "`gather(..., return_exceptions=True)` returns it in the place of the result.",
    ),
    wrong=(
        Wrong(
            change=("await aio.to_thread(lookup, key, report)", "lookup(key, report)"),
            says="in the thread of the loop",
        ),
        Wrong(
            """
async def look_up(key, lookup, notice, places):
    await aio.sleep(0)
    return lookup(key, notice)
""",
            "in the thread of the loop",
        ),
        Wrong(
            change=(
                "await aio.to_thread(lookup, key, report)",
                "await aio.to_thread(lookup(key, report))",
            ),
            says="in the thread of the loop",
        ),
        Wrong(
            """
async def look_up_all(keys, lookup, notice):
    places = aio.Semaphore(3)
    return [await look_up(key, lookup, notice, places) for key in keys]
""",
            "three of them at the same time",
        ),
        Wrong(change=("aio.Semaphore(3)", "aio.Semaphore(4)"), says="three threads at most"),
        Wrong(
            """
async def look_up(key, lookup, notice, places):
    loop = aio.get_running_loop()
    def report(text):
        loop.call_soon_threadsafe(notice, text)
    return await aio.to_thread(lookup, key, report)
""",
            "three threads at most",
        ),
        Wrong(
            """
async def look_up(key, lookup, notice, places):
    async with places:
        return await aio.to_thread(lookup, key, notice)
""",
            "`notice` is called in the thread of the library",
        ),
        Wrong(change=("call_soon_threadsafe", "call_soon"), says="`call_soon_threadsafe`"),
        Wrong(
            """
async def look_up(key, lookup, notice, places):
    texts = []
    async with places:
        result = await aio.to_thread(lookup, key, texts.append)
    for text in texts:
        notice(text)
    return result
""",
            "while the library works",
        ),
        Wrong(change=(", return_exceptions=True", ""), says="An error of one key"),
        Wrong(
            """
async def look_up_all(keys, lookup, notice):
    places, found = aio.Semaphore(3), []
    async def one(key):
        try:
            found.append(await look_up(key, lookup, notice, places))
        except Exception as error:
            found.append(error)
    await aio.gather(*map(one, keys))
    return found
""",
            "in the order of `keys`",
        ),
        Wrong(
            """
async def look_up_all(keys, lookup, notice):
    places, results = aio.Semaphore(3), []
    tasks = [aio.create_task(look_up(key, lookup, notice, places)) for key in keys]
    for task in tasks:
        try:
            results.append(await task)
        except BaseException as error:
            results.append(error)
    return results
""",
            "was cancelled",
        ),
    ),
    right=(
        """
from functools import partial

async def look_up(key, lookup, notice, places):
    loop = aio.get_running_loop()
    async with places:
        report = partial(loop.call_soon_threadsafe, notice)
        return await loop.run_in_executor(None, lookup, key, report)
""",
        """
from concurrent.futures import ThreadPoolExecutor

async def look_up(key, lookup, notice, places):
    loop = aio.get_running_loop()
    report = lambda text: loop.call_soon_threadsafe(notice, text)
    return await loop.run_in_executor(places, lookup, key, report)

async def look_up_all(keys, lookup, notice):
    pool = ThreadPoolExecutor(3)
    try:
        calls = [look_up(key, lookup, notice, pool) for key in keys]
        return await aio.gather(*calls, return_exceptions=True)
    finally:
        pool.shutdown(wait=False)
""",
        """
async def worker(keys, results, lookup, report):
    while keys:
        at, key = keys.pop()
        try:
            results[at] = await aio.to_thread(lookup, key, report)
        except Exception as error:
            results[at] = error

async def look_up_all(keys, lookup, notice):
    loop, results = aio.get_running_loop(), [None] * len(keys)
    def report(text):
        loop.call_soon_threadsafe(notice, text)
    rest = list(enumerate(keys))[::-1]
    async with aio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(worker(rest, results, lookup, report))
    return results
""",
        """
async def notice_each(texts, notice):
    while True:
        notice(await texts.get())

async def look_up_all(keys, lookup, notice):
    places, texts = aio.Semaphore(3), aio.Queue()
    noticing = aio.create_task(notice_each(texts, notice))
    calls = [look_up(key, lookup, texts.put_nowait, places) for key in keys]
    try:
        return await aio.gather(*calls, return_exceptions=True)
    finally:
        noticing.cancel()
        await aio.gather(noticing, return_exceptions=True)
""",
    ),
)


class _Library:
    """Blocks for some seconds at each call, reports half-way, and notes who calls it."""

    def __init__(self, loop, bad=()):
        self.loop = loop
        self.sleep = sleep_on(loop)
        self.bad = bad
        self.home = threading.get_ident()  # the thread of the loop
        self.lock = threading.Lock()
        self.begun = self.open = self.most = 0
        self.at_home = self.refused = self.noticed_away = False
        self.noticed = []

    def lookup(self, key, report):
        with self.lock:
            self.begun += 1
            self.open += 1
            self.most = max(self.most, self.open)
        self.at_home |= threading.get_ident() == self.home
        try:
            self.sleep(key / 2)
            self.report(key, report)
            self.sleep(key / 2)
            if key in self.bad:
                raise KeyError(key)
            return f"row {key}"
        finally:
            with self.lock:
                self.open -= 1

    def report(self, key, report):
        try:
            report(f"half of {key}")
        except RuntimeError:  # what a loop in debug mode raises in the wrong thread
            self.refused = True

    def notice(self, text):
        self.noticed_away |= threading.get_ident() != self.home
        self.noticed.append((self.loop.time(), text))


def _run(cell, keys, bad=(), debug=False):
    """Return what `look_up_all` returns or raises, the library, the time, and the beats noted."""
    aio, held, beats = cell.aio, {}, []

    async def heart(loop):
        while True:
            beats.append(loop.time())
            await aio.sleep(0.5)

    async def main(loop):
        loop.set_debug(debug)
        library = held["library"] = _Library(loop, bad)
        beating = loop.create_task(heart(loop))
        task = loop.create_task(cell.look_up_all(keys, library.lookup, library.notice))
        await aio.wait([task])
        held["task"], held["took"] = task, loop.time()
        await aio.sleep(0)  # what the last thread has sent may still be on its way
        beating.cancel()

    play(aio, main, "EventLoop")
    library = held["library"]
    sentence = (
        "`lookup` ran in the thread of the loop, and nothing else could: hand it to another thread "
        "with `await aio.to_thread(lookup, key, report)`."
    )
    holds(not library.at_home, sentence)
    return held["task"], library, held["took"], beats


@BLOCKING.check("the loop runs while the library blocks")
def _(cell):
    _, _, took, beats = _run(cell, [1])
    gaps = [later - earlier for earlier, later in zip(beats, beats[1:], strict=False)]
    holds(max(gaps) <= 0.5, "The loop stood still.", f"{max(gaps)} s", "0.5 s")
    same(took, 1.0, "A lookup of one second takes one second.")


@BLOCKING.check("three threads at most, and three at the same time")
def _(cell):
    keys = [1, 3, 2, 1, 3, 2]
    task, library, took, _ = _run(cell, keys)
    holds(library.most <= 3, "The library allows three threads at most.", library.most, 3)
    sentence = "The lookups can overlap, three of them at the same time."
    same((library.most, took), (3, 5.0), sentence)
    same(task.result(), [f"row {key}" for key in keys], "Return the rows in the order of `keys`.")


@BLOCKING.check("what the library reports is noticed at once, in the thread of the loop")
def _(cell):
    _, library, _, _ = _run(cell, [2, 4], debug=True)
    sentence = "From another thread a loop is called by `call_soon_threadsafe`, and nothing else."
    holds(not library.refused, sentence)
    sentence = (
        "`notice` is called in the thread of the library: have the loop call it, by "
        "`call_soon_threadsafe`."
    )
    holds(not library.noticed_away, sentence)
    expected = [(1.0, "half of 2"), (2.0, "half of 4")]
    same(library.noticed, expected, "Pass on each text while the library works, as it comes.")


@BLOCKING.check("an error of one key is its result, and the others are looked up")
def _(cell):
    task, _, _, _ = _run(cell, [3, 1, 2, 4], bad=(1,))
    if task.exception():
        raise Refused("An error of one key is its result: the other rows must not be lost.")
    found = [repr(each) for each in task.result()]
    expected = ["'row 3'", "KeyError(1)", "'row 2'", "'row 4'"]
    same(found, expected, "Return the rows and errors in the order of `keys`.")


@BLOCKING.check("after a cancel no further lookup begins")
def _(cell):
    aio, held = cell.aio, {}

    async def main(loop):
        library = _Library(loop)
        task = loop.create_task(cell.look_up_all([1] * 9, library.lookup, library.notice))
        await aio.sleep(0.75)
        task.cancel()
        await aio.wait([task])
        held["cancelled"], held["at"] = task.cancelled(), loop.time()
        await aio.sleep(10)  # a thread cannot be stopped: let them come to their end
        held["begun"] = library.begun

    play(aio, main, "EventLoop")
    sentence = "It was cancelled: let CancelledError pass, and begin no further lookup."
    holds(held["cancelled"] and held["at"] == 0.75, sentence)
    same(held["begun"], 3, sentence)
