"""Lesson 10: one task at a time, all at once, a few at a time."""

from collections import UserDict

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, holds, raises, same
from ..checking.stage import film, play

LOCK = Exercise(
    name="lock",
    lesson="10",
    title="Build a lock: one task at a time, in the order they came",
    lines=14,
    module="locks",
    builds=("Lock.acquire", "Lock.release"),
    stub="""
class Lock:
    # self._locked says whether a task holds it; await self._wait_in_line() waits to be woken
    async def acquire(self):
        # about 9 lines: wait in line if it is locked, or if self._has_waiters() already. Then
        # hold it, and return True. Cancelled in line when the lock is free: pass the turn on, with
        # self._wake_up_first(), because this task does not take it.
        ...

    def release(self):
        # about 4 lines: RuntimeError if no task holds it; let it go, then self._wake_up_first()
        ...
""",
    hints=(
        "`acquire` has two halves: wait if you must, then set `self._locked`.",
        "`release` does not hand the lock over: it wakes the first that waits, which takes it.",
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
        Wrong(change=(" or self._has_waiters()", ""), says="jumps the queue"),
        Wrong(
            """
class Lock:
    async def acquire(self):
        if self._locked or self._has_waiters():
            await self._wait_in_line()
        self._locked = True
        return True
""",
            "nothing is left that could wake",
        ),
        Wrong(
            change=(
                "                if not self._locked:\n                    ",
                "                ",
            ),
            says="woke the next although the lock was held",
        ),
        Wrong(change=("        return True\n", ""), says="returns True"),
        Wrong(change=("        self._locked = True\n", ""), says="No task holds it"),
        Wrong(
            "class Lock:\n    def release(self):\n        self._locked = False\n"
            "        self._wake_up_first()\n",
            "No task holds it, so none can release it",
        ),
        Wrong(
            change=("self._locked = False\n        self._wake_up_first()", "self._locked = False"),
            says="nothing is left that could wake",
        ),
        Wrong(change=("        self._locked = False\n", ""), says="After `release` it is free"),
    ),
    right=(
        """
class Lock:
    async def acquire(self):
        if not self._locked and not self._has_waiters():
            self._locked = True
            return True
        try:
            await self._wait_in_line()
            self._locked = True
            return True
        except CancelledError:
            if not self._locked:
                self._wake_up_first()
            raise
""",
        """
class Lock:
    async def acquire(self):
        taken = False
        try:
            if self._locked or self._has_waiters():
                await self._wait_in_line()
            taken = self._locked = True
        finally:
            if not taken and not self._locked:
                self._wake_up_first()
        return taken
""",
        """
class Lock:
    def release(self):
        if self._locked:
            self._wake_up_first()
            self._locked = False
        else:
            raise RuntimeError("nothing to release")
""",
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
    same(states[1], True, "No task holds it: set `self._locked = True`.")
    same(turns, 1, "A free lock is taken at once, in the same turn.")


@LOCK.check("a lock that no task holds cannot be released; a released one is free")
def _(aio):
    async def main(loop):
        lock = aio.Lock()
        sentence = "No task holds it, so none can release it: raise RuntimeError."
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
    same(
        log, Events(expected), "One at a time: a task that comes while it is locked waits in line."
    )


@LOCK.check("no task jumps the queue before the one that was woken")
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
    same(
        log,
        expected,
        "It jumps the queue: if a task waits in line, wait too, although the lock is free.",
    )


@LOCK.check("a task that is cancelled in line while the lock is held wakes no other")
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
        first.cancel()
        await aio.sleep(1)
        log.append("released")
        lock.release()
        await second

    try:
        play(aio, main)
    except RuntimeError:
        pass  # the second has released what the main program holds
    sentence = "Cancelled in line, it woke the next although the lock was held: wake if it is free."
    same(log, Events(["released", "second has it"]), sentence)


@LOCK.check("a task that is cancelled after it was woken wakes the next")
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
    same(
        log,
        Events(["second has it"]),
        "It was this task's turn, and it does not take it: wake the next.",
    )


EVENT = Exercise(
    name="event",
    lesson="10",
    title="Build an event: it happens once, for all that wait",
    lines=9,
    module="locks",
    builds=("Event.set", "Event.clear", "Event.wait", "Event.is_set"),
    stub="""
class Event:
    # self._value says whether it has happened; self._waiters are the futures of those that wait
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
        "An event is a flag, and a list of those that wait for it.",
        "`set` wakes all of them; they run in the turns that follow.",
        "`wait` must not wait when the flag is set already.",
    ),
    wrong=(
        Wrong(change=("            wake_all(self._waiters)\n", ""), says="could wake"),
        Wrong(
            change=("wake_all(self._waiters)", "wake_all([self._waiters[0]])"),
            says="index out of range",
        ),
        Wrong(
            change=("wake_all(self._waiters)", "wake_all(list(self._waiters)[:1])"),
            says="could wake",
        ),
        Wrong(
            "class Event:\n    async def wait(self):\n        await self._wait_in_line()\n"
            "        return True\n",
            "that has happened",
        ),
        Wrong(
            "class Event:\n    async def wait(self):\n        return True\n",
            "`wait` returns when the event happens",
        ),
        Wrong(
            change=(
                "            await self._wait_in_line()\n        return True\n",
                "            await self._wait_in_line()\n",
            ),
            says="returns True",
        ),
        Wrong(
            "class Event:\n    async def wait(self):\n        while not self._value:\n"
            "            await self._wait_in_line()\n        return True\n",
            "was set and cleared",
        ),
        Wrong("class Event:\n    def clear(self):\n        self._waiters.clear()\n", "cleared"),
        Wrong(change=("return self._value", "return self._waiters == []"), says="is_set"),
    ),
    right=(
        """
class Event:
    def set(self):
        self._value = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self):
        return self.is_set() or await self._wait_in_line() or True
""",
        """
class Event:
    def is_set(self):
        return bool(self._value)

    async def wait(self):
        if self._value:
            return True
        waiter = self._create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            self._waiters.remove(waiter)
        return True
""",
        """
class Event:
    def set(self):
        if self._value:
            return
        wake_all(list(self._waiters))
        self._value = True

    def clear(self):
        if self._value:
            self._value = False
""",
    ),
)


@EVENT.check("`set`, `clear` and `is_set` keep a flag")
def _(aio):
    event = aio.Event()
    states = [event.is_set()]
    for change in (event.set, event.set, event.clear):
        change()
        states.append(event.is_set())
    sentence = "`is_set` returns the flag; `set` sets it, and when cleared it is False."
    same(states, [False, True, True, False], sentence)


@EVENT.check("all that wait are woken, in the order they came")
def _(aio):
    log = Events()

    async def waiter(name, event):
        log.append(f"{name}: {await event.wait()}")

    async def main(loop):
        event = aio.Event()
        tasks = [loop.create_task(waiter(name, event)) for name in "ABC"]
        await aio.sleep(5)
        log.append("it happens")
        event.set()
        await aio.gather(*tasks)

    loop = play(aio, main)
    sentence = "`wait` returns True, to all that wait."
    if log[-1:] == ["it happens"]:
        sentence = "`wait` returns when the event happens, not before."
    same(log, Events(["it happens", "A: True", "B: True", "C: True"]), sentence)
    holds(loop.turns < 12, "The loop turned more than it needs.", f"{loop.turns} turns", "under 12")


@EVENT.check("when it has happened no task waits")
def _(aio):
    async def main(loop):
        event = aio.Event()
        event.set()
        await event.wait()
        return loop.turns

    try:
        turns = play(aio, main).result
    except aio.Deadlock:
        holds(False, "No task waits for an event that has happened: look at `self._value` first.")
    same(turns, 1, "No task waits for an event that has happened, not even for a turn.")


@EVENT.check("a task that waited is woken, although the event was cleared at once")
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
        holds(
            False,
            "It was set and cleared again: those that waited are woken all the same, so use `if`.",
        )


SEMAPHORE = Exercise(
    name="semaphore",
    lesson="10",
    title="Build a semaphore: a few at a time",
    lines=16,
    module="locks",
    builds=("Semaphore.acquire", "Semaphore.release"),
    stub="""
class Semaphore:
    # self._value is how many places are free. self.locked() says whether a task must wait.
    # self._wake_up() takes a place for each that waits, first come, while there are some; it wakes
    # them.
    async def acquire(self):
        # about 14 lines. Not locked: take a place, return True. Else make a future of your own,
        # waiter = self._create_future(), and await self._wait_in_line(waiter): the place was taken
        # for this task when it was woken. Cancelled after that (the waiter is not cancelled): give
        # the place back. At the end, whatever happens, wake others if there is room.
        ...

    def release(self):
        # about 2 lines: one place more, and wake the next
        ...
""",
    hints=(
        "A lock has one place, a semaphore `self._value` of them.",
        "A task that waits does not take a place itself: `_wake_up` took it. So no other task "
        "can come in between.",
        "`try: await self._wait_in_line(waiter)`, `except CancelledError:` give back if the waiter "
        "is not cancelled, and raise; `finally: self._wake_up()`.",
    ),
    wrong=(
        Wrong(
            "class Semaphore:\n    async def acquire(self):\n        self._value -= 1\n"
            "        return True\n",
            "At most so many",
        ),
        Wrong(
            change=(
                "            self._wake_up()\n        return True",
                "            self._wake_up()\n        self._value -= 1\n        return True",
            ),
            says="taken for it already",
        ),
        Wrong(change=("            self._value -= 1\n", ""), says="At most so many"),
        Wrong(
            change=("self._value += 1  # a place", "pass  # a place"),
            says="The place of a task that was cancelled",
        ),
        Wrong(
            change=(
                "            if not waiter.cancelled():\n                self",
                "            self",
            ),
            says="no place was taken for it",
        ),
        Wrong(
            change=(
                "        self._value += 1\n        self._wake_up()",
                "        self._value += 1",
            ),
            says="could wake",
        ),
        Wrong(
            change=(
                "        self._value += 1\n        self._wake_up()",
                "        self._wake_up()",
            ),
            says="One place more",
        ),
    ),
    right=(
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
        except CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._value += 1
            raise
        finally:
            self._waiters.remove(waiter)
            if self._value:
                self._wake_up()
        return True
""",
        """
class Semaphore:
    async def acquire(self):
        if self.locked():
            waiter = self._create_future()
            try:
                await self._wait_in_line(waiter)
            except CancelledError:
                self._value += not waiter.cancelled()
                raise
            finally:
                self._wake_up()
        else:
            self._value -= 1
        return True
""",
        """
class Semaphore:
    def release(self):
        self._value = self._value + 1
        if self._waiters:
            self._wake_up()
""",
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

    sentence = "At most so many: `acquire` takes one place. One place more with each `release`."
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
    same(log, Events(expected), "At most so many at a time, and the others in the order they came.")
    sentence = "The place was taken for it already when it was woken: take no second one."
    same(loop.result, 2, sentence)


@SEMAPHORE.check("one at a time where there is one place; each is told True")
def _(aio):
    log = Events()

    async def worker(name, semaphore):
        log.append(f"{name}: {await semaphore.acquire()}")
        await aio.sleep(1)
        log.append(f"{name} out")
        semaphore.release()

    async def main(loop):
        semaphore = aio.Semaphore(1)
        await aio.gather(*(worker(name, semaphore) for name in "ABC"))

    play(aio, main)
    expected = [f"{name}{what}" for name in "ABC" for what in (": True", " out")]
    sentence = "`acquire` returns True to those that waited as well; wake others if there is room."
    same(log, Events(expected), sentence)


@SEMAPHORE.check("places that become free while a task is being woken are used at once")
def _(aio):
    async def main(loop):
        turns = []

        async def waits():
            await semaphore.acquire()
            turns.append(loop.turns)

        semaphore = aio.Semaphore(0)
        tasks = [loop.create_task(waits())]
        await aio.sleep(1)
        tasks += [loop.create_task(waits()) for _ in range(2)]  # they run before the first does
        for _ in range(3):  # the first release wakes the task that waits, the others make room
            semaphore.release()
        await aio.gather(*tasks)
        return turns

    _, second, third = play(aio, main).result
    holds(second == third, "At the end wake others if there is room, as many as there is room for.")


@SEMAPHORE.check("a task that is cancelled in line is out of the line")
def _(aio):
    async def main(loop):
        semaphore = aio.Semaphore(1)
        await semaphore.acquire()
        task = loop.create_task(semaphore.acquire())
        await aio.sleep(1)
        task.cancel()
        await aio.wait([task])
        return len(semaphore._waiters), semaphore._value

    left, free = play(aio, main).result
    same(left, 0, "A task that is cancelled is taken out of the line.")
    same(free, 0, "Cancelled in line, it has no place to give back: no place was taken for it.")


@SEMAPHORE.check("the place of a task that was cancelled after it was woken goes to the next")
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
        semaphore.release()  # takes a place for the first, and wakes it
        first.cancel()  # which is cancelled before it runs
        await second
        return semaphore._value

    sentence = "The place of a task that was cancelled after it was woken is lost: give it back."
    try:
        loop = play(aio, main)
    except aio.Deadlock:
        holds(False, sentence)
    same(log, Events(["second in"]), sentence)
    sentence = "Give back one place: all that were released are free at the end."
    same(loop.result, 1, sentence)

    async def alone(loop):
        semaphore = aio.Semaphore(0)
        task = loop.create_task(waits("first", semaphore))
        await aio.sleep(1)
        semaphore.release()
        semaphore.release()
        task.cancel()
        await aio.wait([task])
        return semaphore._value

    same(play(aio, alone).result, 2, sentence)


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
        "Reading, waiting and writing belong together: no other task may come in between.",
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
        Wrong(change=("async with", "with"), says="context manager protocol"),
        Wrong(change=("async with lock", "async with aio.Lock()"), says="one lock for all"),
        Wrong(change=("        await aio.sleep(0)\n", ""), says="Keep the `await`"),
        Wrong(change=("sleep(0)", "sleep(1)"), says="takes no time"),
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
    right=(
        """
async def increment(counter, lock):
    await lock.acquire()
    try:
        value = counter["value"]
        await aio.sleep(0)
        counter["value"] = value + 1
    finally:
        lock.release()
""",
        """
async def slowly(counter):
    before = counter.get("value")
    await aio.sleep(0)
    counter.update(value=before + 1)

async def increment(counter, lock):
    async with lock:
        await slowly(counter)
""",
        """
async def increment(counter, lock):
    async with lock:
        before = counter["value"]
        await aio.suspend()
        counter["value"] += 1
        assert counter["value"] == before + 1
""",
    ),
)


class _Watched(UserDict):
    """A counter that notes whether the lock was held, and how often the loop had turned."""

    def __init__(self, loop, lock):
        self.loop, self.lock, self.seen = loop, lock, []
        super().__init__(value=0)
        self.seen.clear()

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
        holds(
            loop.time() == 0, "Leave the `sleep(0)` as it is: it takes a turn, and takes no time."
        )

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
    _, read_held, read_at = next(each for each in counter.seen if each[0] == "read")
    _, write_held, write_at = next(each for each in counter.seen if each[0] == "write")
    holds(read_held and write_held, "Read, wait and write inside the lock.")
    sentence = "Keep the `await` between reading and writing: it stands for real work."
    holds(write_at > read_at, sentence)


def _crowd(aio, held, names):
    """Film tasks of these names that hold a lock or a semaphore for a second each."""

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
