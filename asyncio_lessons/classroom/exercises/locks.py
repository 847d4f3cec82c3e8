"""Lesson 10: one at a time, all at once, so many at a time."""

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, holds, raises, same
from ..checking.stage import film, play

LOCK = Exercise(
    name="lock",
    lesson="10",
    title="Build a lock: one at a time, in the order they came",
    lines=14,
    module="locks",
    builds=("Lock.acquire", "Lock.release"),
    stub="""
class Lock:
    # self._locked says whether somebody holds it; await self._wait_in_line() waits to be woken
    async def acquire(self):
        # about 9 lines: wait in line if it is locked, or if self._somebody_waits() already. Then
        # hold it, and return True. Cancelled in line when it is free: self._wake_up_first(), since
        # it was our turn and we do not take it.
        ...

    def release(self):
        # about 4 lines: RuntimeError if nobody holds it; let it go, then self._wake_up_first()
        ...
""",
    hints=(
        "`acquire` has two halves: wait if you must, then set `self._locked`.",
        "`release` does not hand the lock over: it wakes the first who waits, who then takes it.",
        "Around `await self._wait_in_line()`: `except CancelledError:` wake the first if the lock "
        "is free, and `raise`.",
    ),
    wrong=(
        Wrong(
            """
class Lock:
    async def acquire(self):
        self._locked = True
        return True
""",
            "One at a time",
        ),
        Wrong(
            """
class Lock:
    async def acquire(self):
        if self._locked:
            try:
                await self._wait_in_line()
            except CancelledError:
                if not self._locked:
                    self._wake_up_first()
                raise
        self._locked = True
        return True
""",
            "pushes in",
        ),
        Wrong(
            """
class Lock:
    async def acquire(self):
        if self._locked or self._somebody_waits():
            await self._wait_in_line()
        self._locked = True
        return True
""",
            "nothing is left that could wake",
        ),
        Wrong(
            """
class Lock:
    async def acquire(self):
        if self._locked or self._somebody_waits():
            try:
                await self._wait_in_line()
            except CancelledError:
                if not self._locked:
                    self._wake_up_first()
                raise
        self._locked = True
""",
            "returns True",
        ),
        Wrong(
            """
class Lock:
    async def acquire(self):
        if self._locked or self._somebody_waits():
            try:
                await self._wait_in_line()
            except CancelledError:
                if not self._locked:
                    self._wake_up_first()
                raise
        return True
""",
            "Nobody holds it",
        ),
        Wrong(
            """
class Lock:
    def release(self):
        self._locked = False
        self._wake_up_first()
""",
            "Nobody holds it, so nobody can let it go",
        ),
        Wrong(
            """
class Lock:
    def release(self):
        if not self._locked:
            raise RuntimeError("Lock is not acquired.")
        self._locked = False
""",
            "nothing is left that could wake",
        ),
        Wrong(
            """
class Lock:
    def release(self):
        if not self._locked:
            raise RuntimeError("Lock is not acquired.")
        self._wake_up_first()
""",
            "After `release` it is free",
        ),
    ),
)


@LOCK.check("a free lock is taken at once, and says so")
def _(aio):
    async def main(loop):
        lock = aio.Lock()
        taken = await lock.acquire()
        return [taken, lock.locked()], loop.turns

    states, turns = play(aio, main).result
    same(states[0], True, "`acquire` returns True.")
    same(states[1], True, "Nobody holds it: set `self._locked = True`.")
    same(turns, 1, "A free lock is taken at once: nobody need wait a turn.")


@LOCK.check("a lock that nobody holds cannot be released; a released one is free")
def _(aio):
    async def main(loop):
        lock = aio.Lock()
        sentence = "Nobody holds it, so nobody can let it go: raise RuntimeError."
        raises(RuntimeError, lock.release, sentence)
        await lock.acquire()
        lock.release()
        return lock.locked()

    same(play(aio, main).result, False, "After `release` it is free: `self._locked = False`.")


@LOCK.check("one at a time, in the order they came", "One at a time: did two hold it at once?")
def _(aio):
    log = Events()

    async def worker(name, lock):
        await lock.acquire()
        log.append(f"{name} in")
        await aio.sleep(1)
        log.append(f"{name} out")
        lock.release()

    async def main(loop):
        lock = aio.Lock()
        await aio.gather(*(worker(name, lock) for name in "ABC"))

    play(aio, main)
    expected = [f"{name} {what}" for name in "ABC" for what in ("in", "out")]
    same(log, Events(expected), "One at a time: whoever comes while it is locked waits in line.")


@LOCK.check("nobody pushes in before the one who was woken")
def _(aio):
    log = Events()

    async def waits(lock):
        await lock.acquire()
        log.append("the one in line")
        lock.release()

    async def main(loop):
        lock = aio.Lock()
        await lock.acquire()
        task = loop.create_task(waits(lock))
        await aio.sleep(1)
        lock.release()
        await lock.acquire()
        log.append("the one who came later")
        lock.release()
        await task

    play(aio, main)
    expected = Events(["the one in line", "the one who came later"])
    same(log, expected, "It pushes in: with somebody in line, wait although the lock is free.")


@LOCK.check("one who gives up when it was woken wakes the next")
def _(aio):
    log = Events()

    async def waits(name, lock):
        await lock.acquire()
        log.append(f"{name} has it")
        lock.release()

    async def main(loop):
        lock = aio.Lock()
        await lock.acquire()
        first = loop.create_task(waits("first", lock))
        second = loop.create_task(waits("second", lock))
        await aio.sleep(1)
        lock.release()  # wakes the first
        first.cancel()  # which is cancelled before it runs
        await second

    play(aio, main)
    same(log, Events(["second has it"]), "It was our turn and we do not take it: wake the next.")


EVENT = Exercise(
    name="event",
    lesson="10",
    title="Build an event: it happens once, for all who wait",
    lines=9,
    module="locks",
    builds=("Event.set", "Event.clear", "Event.wait", "Event.is_set"),
    stub="""
class Event:
    # self._value says whether it has happened; self._waiters are those who wait
    def is_set(self):
        # 1 line
        ...

    def set(self):
        # about 3 lines: unless it has happened, let it, and wake_all(self._waiters)
        ...

    def clear(self):
        # 1 line
        ...

    async def wait(self):
        # about 3 lines: unless it has happened, await self._wait_in_line(); return True
        ...
""",
    hints=(
        "An event is a mark, and a list of those who wait for it.",
        "`set` wakes all of them; they run in the turns that follow.",
        "`wait` must not wait when the mark is set already.",
    ),
    wrong=(
        Wrong("class Event:\n    def set(self):\n        self._value = True\n", "could wake"),
        Wrong(
            "class Event:\n    def set(self):\n        self._value = True\n"
            "        if self._waiters:\n            self._waiters[0].set_result(None)\n",
            "could wake",
        ),
        Wrong(
            "class Event:\n    async def wait(self):\n        await self._wait_in_line()\n"
            "        return True\n",
            "that has happened",
        ),
        Wrong(
            "class Event:\n    async def wait(self):\n        if not self._value:\n"
            "            await self._wait_in_line()\n",
            "returns True",
        ),
        Wrong(
            "class Event:\n    async def wait(self):\n        while not self._value:\n"
            "            await self._wait_in_line()\n        return True\n",
            "was set and cleared",
        ),
        Wrong("class Event:\n    def clear(self):\n        self._waiters.clear()\n", "cleared"),
        Wrong(
            "class Event:\n    def is_set(self):\n        return self._waiters == []\n", "is_set"
        ),
    ),
)


@EVENT.check("`set`, `clear` and `is_set` keep a mark")
def _(aio):
    event = aio.Event()
    states = [event.is_set()]
    for change in (event.set, event.set, event.clear):
        change()
        states.append(event.is_set())
    sentence = "`is_set` tells the mark; `set` sets it, and when cleared it is gone."
    same(states, [False, True, True, False], sentence)


@EVENT.check("all who wait are woken, in the order they came")
def _(aio):
    log = Events()

    async def waiter(name, event):
        log.append(f"{name}: {await event.wait()}")

    async def main(loop):
        event = aio.Event()
        tasks = [loop.create_task(waiter(name, event)) for name in "ABC"]
        loop.call_later(5, event.set)
        await aio.gather(*tasks)

    loop = play(aio, main)
    same(log, Events(["A: True", "B: True", "C: True"]), "`wait` returns True, to all who wait.")
    holds(loop.turns < 12, "The loop turned more than it needs.", f"{loop.turns} turns", "under 12")


@EVENT.check("when it has happened nobody waits")
def _(aio):
    async def main(loop):
        event = aio.Event()
        event.set()
        await event.wait()
        return loop.turns

    try:
        turns = play(aio, main).result
    except aio.Deadlock:
        holds(False, "Nobody waits for an event that has happened: look at `self._value` first.")
    same(turns, 1, "Nobody waits for an event that has happened, not for a turn.")


@EVENT.check("one who waited is let go, also when it was cleared at once")
def _(aio):
    async def main(loop):
        event = aio.Event()
        task = loop.create_task(event.wait())
        await aio.sleep(1)
        event.set()
        event.clear()
        return await task

    try:
        same(play(aio, main).result, True, "`wait` returns True.")
    except aio.Deadlock:
        holds(False, "It was set and cleared again: who waited then is let go, so use `if`.")


SEMAPHORE = Exercise(
    name="semaphore",
    lesson="10",
    title="Build a semaphore: so many at a time",
    lines=19,
    module="locks",
    builds=("Semaphore.acquire", "Semaphore.release"),
    stub="""
class Semaphore:
    # self._value is how many places are free. self.locked() says whether one must wait.
    # self._wake_up_next() takes a place for the first who waits, and wakes it; True if it did.
    async def acquire(self):
        # about 15 lines. Not locked: take a place, return True. Else wait for a future of your own
        # (self._create_future()) in self._waiters, and take it out whatever happens; the place was
        # taken for you when you were woken. Cancelled after you were let in (the waiter is done and
        # not cancelled): give the place back. At the end wake others while there is room.
        ...

    def release(self):
        # about 2 lines: one place more, and wake the next
        ...
""",
    hints=(
        "A lock has one place, a semaphore `self._value` of them.",
        "Who waits does not take a place itself: `_wake_up_next` took it. So nobody can come in "
        "between.",
        "Three nested parts: `try: await waiter`, `finally: self._waiters.remove(waiter)`; around "
        "it `except CancelledError:` give back if let in, and raise; around that `finally: while "
        "self._value > 0 and self._wake_up_next(): pass`.",
    ),
    wrong=(
        Wrong(
            """
class Semaphore:
    async def acquire(self):
        self._value -= 1
        return True
""",
            "So many at a time",
        ),
        Wrong(
            """
class Semaphore:
    async def acquire(self):
        if not self.locked():
            self._value -= 1
            return True
        waiter = self._create_future()
        self._waiters.append(waiter)
        await waiter
        self._waiters.remove(waiter)
        self._value -= 1
        return True
""",
            "taken for it already",
        ),
        Wrong(
            """
class Semaphore:
    async def acquire(self):
        if not self.locked():
            return True
        waiter = self._create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            self._waiters.remove(waiter)
        return True
""",
            "So many at a time",
        ),
        Wrong(
            """
class Semaphore:
    async def acquire(self):
        if not self.locked():
            self._value -= 1
            return True
        waiter = self._create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            self._waiters.remove(waiter)
        return True
""",
            "The place of one who gave up",
        ),
        Wrong(
            """
class Semaphore:
    async def acquire(self):
        if not self.locked():
            self._value -= 1
            return True
        waiter = self._create_future()
        self._waiters.append(waiter)
        await waiter
        self._waiters.remove(waiter)
        return True
""",
            "out of the line",
        ),
        Wrong(
            """
class Semaphore:
    def release(self):
        self._value += 1
""",
            "could wake",
        ),
        Wrong(
            """
class Semaphore:
    def release(self):
        self._wake_up_next()
""",
            "One place more",
        ),
    ),
)


@SEMAPHORE.check("places are taken and given back")
def _(aio):
    async def main(loop):
        semaphore = aio.Semaphore(2)
        free = [semaphore._value]
        for step in (semaphore.acquire, semaphore.acquire, semaphore.release, semaphore.release):
            done = step()
            if done is not None:
                same(await done, True, "`acquire` returns True.")
            free.append(semaphore._value)
        return free

    sentence = "So many at a time: `acquire` takes one place. One place more with each `release`."
    same(play(aio, main).result, [2, 1, 0, 1, 2], sentence)


@SEMAPHORE.check("two at a time, the others in the order they came")
def _(aio):
    log = Events()

    async def worker(name, semaphore):
        await semaphore.acquire()
        log.append(f"{name} in")
        await aio.sleep(1)
        log.append(f"{name} out")
        semaphore.release()

    async def main(loop):
        semaphore = aio.Semaphore(2)
        await aio.gather(*(worker(name, semaphore) for name in "ABCD"))
        return semaphore._value

    try:
        loop = play(aio, main)
    except aio.Deadlock:
        if len(log) < 8 and log[:4] == ["A in", "B in", "A out", "B out"] and len(log) > 4:
            holds(False, "The place was taken for it already when it was woken: take no second.")
        raise
    expected = ["A in", "B in", "A out", "B out", "C in", "D in", "C out", "D out"]
    same(log, Events(expected), "So many at a time, and the others in the order they came.")
    sentence = "The place was taken for it already when it was woken: take no second one."
    same(loop.result, 2, sentence)


@SEMAPHORE.check("one who gives up in line is out of the line")
def _(aio):
    async def main(loop):
        semaphore = aio.Semaphore(1)
        await semaphore.acquire()
        task = loop.create_task(semaphore.acquire())
        await aio.sleep(1)
        task.cancel()
        await aio.wait([task])
        return len(semaphore._waiters)

    sentence = "Whoever gives up is taken out of the line: `try`, `finally`."
    same(play(aio, main).result, 0, sentence)


@SEMAPHORE.check("the place of one who gave up after being let in goes to the next")
def _(aio):
    log = Events()

    async def waits(name, semaphore):
        await semaphore.acquire()
        log.append(f"{name} in")
        semaphore.release()

    async def main(loop):
        semaphore = aio.Semaphore(1)
        await semaphore.acquire()
        first = loop.create_task(waits("first", semaphore))
        second = loop.create_task(waits("second", semaphore))
        await aio.sleep(1)
        semaphore.release()  # lets the first in
        first.cancel()  # which is cancelled before it runs
        await second

    sentence = "The place of one who gave up after it was let in is lost: give it back."
    try:
        play(aio, main)
    except aio.Deadlock:
        holds(False, sentence)
    same(log, Events(["second in"]), sentence)


RACE = Exercise(
    name="race-repair",
    lesson="10",
    title="A hundred increments make one: repair the counter with a lock",
    lines=6,
    builds=("increment",),
    stub="""
# 100 tasks run `increment(counter, lock)`, with one counter and one aio.Lock() for all.
async def increment(counter, lock):
    value = counter["value"]
    await aio.sleep(0)              # something that takes a turn
    counter["value"] = value + 1
""",
    solution="""
async def increment(counter, lock):
    async with lock:
        value = counter["value"]
        await aio.sleep(0)
        counter["value"] = value + 1
""",
    hints=(
        "What do the other 99 do between the reading and the writing?",
        "Reading, waiting and writing belong together: nobody else may come in between.",
        "`async with lock:` around all three lines.",
    ),
    wrong=(
        Wrong(
            """
async def increment(counter, lock):
    async with lock:
        value = counter["value"]
    await aio.sleep(0)
    async with lock:
        counter["value"] = value + 1
""",
            "between reading and writing",
        ),
        Wrong(
            """
async def increment(counter, lock):
    with lock:
        value = counter["value"]
        await aio.sleep(0)
        counter["value"] = value + 1
""",
            "context manager protocol",
        ),
        Wrong(
            """
async def increment(counter, lock):
    async with aio.Lock():
        value = counter["value"]
        await aio.sleep(0)
        counter["value"] = value + 1
""",
            "one lock for all",
        ),
        Wrong(
            """
async def increment(counter, lock):
    value = counter["value"]
    counter["value"] = value + 1
""",
            "Keep the `await`",
        ),
        Wrong(
            """
async def increment(counter, lock):
    await lock.acquire()
    value = counter["value"]
    await aio.sleep(0)
    counter["value"] = value + 1
""",
            "could wake",
        ),
        Wrong(
            """
async def increment(counter, lock):
    async with lock:
        await aio.sleep(0)
    value = counter["value"]
    counter["value"] = value + 1
""",
            "inside the lock",
        ),
    ),
)


class _Watched(dict):
    """A counter that notes whether the lock was held, and how often the loop had turned."""

    def __init__(self, loop, lock):
        super().__init__(value=0)
        self.loop, self.lock, self.seen = loop, lock, []

    def __getitem__(self, key):
        self.seen.append(("read", self.lock.locked(), self.loop.turns))
        return super().__getitem__(key)

    def __setitem__(self, key, value):
        self.seen.append(("write", self.lock.locked(), self.loop.turns))
        super().__setitem__(key, value)


def _count(cell, tasks):
    aio, held = cell.aio, {}

    async def main(loop):
        lock = aio.Lock()
        held["counter"] = _Watched(loop, lock)
        await aio.gather(*(cell.increment(held["counter"], lock) for _ in range(tasks)))

    play(aio, main)
    return held["counter"]


@RACE.check("100 increments make 100")
def _(cell):
    counter = _count(cell, 100)
    locked = any(held for _, held, _ in counter.seen)
    sentence = "Others come in between reading and writing: hold the lock over all three lines."
    if not locked:
        sentence = "They all need one lock for all: the one that is handed in."
    same(dict(counter)["value"], 100, sentence)


@RACE.check("it still takes a turn between reading and writing, inside the lock")
def _(cell):
    counter = _count(cell, 1)
    (_, read_held, read_at), (_, write_held, write_at) = counter.seen[:2]
    sentence = "Keep the `await` between reading and writing: it stands for real work."
    if any(held for _, held, _ in counter.seen) or read_held is not write_held:
        sentence = "Read, wait and write inside the lock."
    locked = read_held and write_held
    if not locked and read_at == write_at and cell.increment.__code__.co_names.count("sleep"):
        sentence = "Read, wait and write inside the lock."
    same((write_at > read_at, locked), (True, True), sentence)


def _crowd(aio, held, names):
    """Tasks of these names that want to hold a lock or a semaphore for a second each."""

    async def worker():
        await held.acquire()
        await aio.sleep(1)
        held.release()

    async def main(loop):
        tasks = [loop.create_task(worker(), name=name) for name in names]
        await aio.wait(tasks)

    return film(aio, main)


@LOCK.shown
def _(aio):
    return _crowd(aio, aio.Lock(), "ABC")


@SEMAPHORE.shown
def _(aio):
    return _crowd(aio, aio.Semaphore(2), "ABCD")
