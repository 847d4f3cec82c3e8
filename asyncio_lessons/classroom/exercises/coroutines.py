"""Lesson 04: what suspends a coroutine, what drives it, and many taking turns."""

import inspect

from ..checking.catalog import CANNOT_AWAIT, Exercise, Wrong
from ..checking.expect import Events, holds, raises, same

SUSPEND = Exercise(
    name="suspend",
    lesson="04",
    title="Build the one place where a chain of awaits is suspended",
    lines=3,
    module="coroutines",
    builds=("suspend",),
    stub='''
# about 3 lines: a generator that yields once, made awaitable by the decorator `types.coroutine`
def suspend():
    """Give way once."""
    ...
''',
    hints=(
        "An `async def` cannot `yield` to its driver. A generator can.",
        "`types.coroutine` turns a generator function into something `await` takes. It is a "
        "decorator.",
        "`@types.coroutine` above `def suspend():`, and a bare `yield` as its body.",
    ),
    wrong=(
        Wrong(
            """
def suspend():
    yield
""",
            CANNOT_AWAIT,
        ),
        Wrong(
            """
async def suspend():
    pass
""",
            "It suspends nothing",
        ),
        Wrong(
            """
async def suspend():
    yield
""",
            CANNOT_AWAIT,
        ),
        Wrong(
            """
import types

@types.coroutine
def suspend():
    while True:
        yield
""",
            "once",
        ),
        Wrong(
            """
import types

@types.coroutine
def suspend():
    yield "suspended"
""",
            "A bare `yield`",
        ),
        Wrong(
            """
import types

@types.coroutine
def suspend():
    return (yield from suspend())
""",
            "calls itself without end",
        ),
    ),
    right=(
        """
@types.coroutine
def suspend():
    nothing = yield None
    return nothing
""",
        """
class Once:
    def __await__(self):
        yield

def suspend():
    return Once()
""",
        """
class Once:
    def __await__(self):
        return iter([None])

async def suspend():
    await Once()
""",
    ),
)


@SUSPEND.check(
    "`await suspend()` is accepted",
    "`await` takes a generator only if `types.coroutine` says it is a coroutine.",
)
def _(aio):
    async def once():
        await aio.suspend()

    coro = once()
    try:
        coro.send(None)
    except StopIteration:
        pass
    coro.close()


@SUSPEND.check("it suspends the coroutine that awaits it, once")
def _(aio):
    events = Events()

    async def walker():
        events.append("before")
        await aio.suspend()
        events.append("after")

    coro = walker()
    for step in (1, 2, 3):
        events.append(f"step {step}")
        try:
            coro.send(None)
        except StopIteration:
            events.append("done")
            break
    coro.close()
    sentence = "It gives way once: one `yield`, without a loop around it."
    if "done" in events[:4]:
        sentence = "It suspends nothing: a `yield` in it suspends the whole chain of awaits."
    same(events, Events(["step 1", "before", "step 2", "after", "done"]), sentence)


@SUSPEND.check("nothing is said to the driver, nothing comes back")
def _(aio):
    async def once():
        return await aio.suspend()

    coro = once()
    said = coro.send(None)
    stop = raises(StopIteration, lambda: coro.send(None), "It gives way once.")
    same((said, stop.value), (None, None), "A bare `yield` says None, and gives None back.")


@SUSPEND.check("it suspends a chain five awaits deep")
def _(aio):
    async def deep(n):
        await (deep(n - 1) if n else aio.suspend())
        return n

    coro = deep(5)
    same(coro.send(None), None, "What it yields goes through every `await` up to the driver.")
    stop = raises(StopIteration, lambda: coro.send(None), "It gives way once.")
    same(stop.value, 5, "And each resumes where it was suspended.")


DRIVE = Exercise(
    name="drive",
    lesson="04",
    title="Run one coroutine to its end",
    lines=6,
    module="coroutines",
    builds=("drive",),
    stub='''
def drive(coro):
    """Run one coroutine to its end and return its result."""
    # about 5 lines: send None until StopIteration brings the result
    ...
''',
    hints=(
        "`coro.send(None)` resumes a coroutine until it is suspended again, or ends.",
        "It may be suspended any number of times: send in a loop without end, and ignore what "
        "comes out.",
        "The end is `StopIteration`; the result is in its `value`. Put the `try` around the loop "
        "and return `stop.value`.",
    ),
    wrong=(
        Wrong(
            "def drive(coro):\n    return coro.send(None)\n",
            "The end of a coroutine is StopIteration",
        ),
        Wrong(change=("while True:", "for _ in range(2):"), says="as often as it takes"),
        Wrong(change=("return stop.value", "return None"), says="`return stop.value`"),
        Wrong(
            """
def drive(coro):
    while True:
        try:
            coro.send(None)
        except Exception as stop:
            return getattr(stop, "value", None)
""",
            "Catch only StopIteration",
        ),
        Wrong(
            """
def drive(coro):
    while True:
        try:
            result = coro.send(result)
        except StopIteration as stop:
            return stop.value
""",
            "result",
        ),
        Wrong(
            """
def drive(coro):
    value = 0
    while True:
        try:
            value = coro.send(value)
        except StopIteration as stop:
            return stop.value
""",
            "Send None",
        ),
        Wrong("def drive(coro):\n    for _ in coro:\n        pass\n", "is not iterable"),
        Wrong("async def drive(coro):\n    return await coro\n", "an ordinary function"),
    ),
    right=(
        """
def drive(coro):
    while True:
        try:
            coro.send(None)
        except StopIteration as stop:
            return stop.value
""",
        """
def drive(coro):
    steps = coro.__await__()
    try:
        while True:
            next(steps)
    except StopIteration as stop:
        return stop.value
""",
        """
def drive(coro):
    result, is_running = None, True
    while is_running:
        try:
            coro.send(None)
        except StopIteration as stop:
            result, is_running = stop.value, False
    return result
""",
    ),
)


def _walker(aio, events, steps, result="home"):
    async def walk():
        for step in range(steps):
            events.append(f"step {step}")
            await aio.suspend()
        return result

    return walk()


@DRIVE.check("it is an ordinary function")
def _(aio):
    holds(
        not inspect.iscoroutinefunction(aio.drive),
        "Write `drive` as an ordinary function: it is the place where async begins.",
    )


@DRIVE.check(
    "a coroutine that is never suspended gives its result",
    "The end of a coroutine is StopIteration: catch it, the result is in it. Send None: nothing "
    "else may go into a coroutine that has not started.",
)
def _(aio):
    result = aio.drive(_walker(aio, [], 0))
    same(result, "home", "The result is in the exception: `return stop.value`.")


@DRIVE.check("one that is suspended five times is resumed five times")
def _(aio):
    events = Events()
    result = aio.drive(_walker(aio, events, 5))
    expected = Events(f"step {n}" for n in range(5))
    same(events, expected, "Send again as often as it takes: a loop without end.")
    same(result, "home", "Send again as often as it takes, up to StopIteration.")


@DRIVE.check("each time None is sent in")
def _(aio):
    got = []

    async def listener():
        got.append(await aio.suspend())
        got.append(await aio.suspend())

    aio.drive(listener())
    same(got, [None, None], "Send None: results are not sent into a coroutine.")


@DRIVE.check("an exception in the coroutine comes out of `drive`")
def _(aio):
    async def fails():
        await aio.suspend()
        raise ValueError("inside")

    raises(
        ValueError,
        lambda: aio.drive(fails()),
        "Catch only StopIteration: any other exception belongs to the caller of `drive`.",
    )


ROUND_ROBIN = Exercise(
    name="round-robin",
    lesson="04",
    title="Run many coroutines, one step each in turn: the first event loop",
    lines=12,
    module="coroutines",
    builds=("round_robin",),
    stub='''
def round_robin(*coros):
    """Run coroutines in turn, one step each; return their results in the order given."""
    results = {}
    ready = deque(enumerate(coros))  # pairs: a place, and the coroutine that has it
    # about 8 lines: take the first and resume it; at its end keep the result, else put it back last
    ...
    return [results[place] for place in range(len(coros))]
''',
    hints=(
        "While anything is ready: `place, coro = ready.popleft()`, and one `send`, as in `drive`.",
        "One step is one `coro.send(None)`. If the coroutine has not ended, it goes to the back: "
        "`ready.append((place, coro))`.",
        "`except StopIteration as stop: results[place] = stop.value`, and `else:` the append.",
    ),
    wrong=(
        Wrong(
            "def round_robin(*coros):\n    return [drive(coro) for coro in coros]\n",
            "one after the other",
        ),
        Wrong(
            """
def round_robin(*coros):
    results = []
    ready = deque(coros)
    while ready:
        coro = ready.popleft()
        try:
            coro.send(None)
        except StopIteration as stop:
            results.append(stop.value)
        else:
            ready.append(coro)
    return results
""",
            "in the order the coroutines were given",
        ),
        Wrong(change=("ready.append(", "ready.appendleft("), says="one after the other"),
        Wrong(change=("ready.popleft()", "ready.pop()"), says="The first given"),
        Wrong(
            change=("        else:\n            ready", "        ready"),
            says="cannot reuse already awaited coroutine",
        ),
        Wrong(
            """
def round_robin(*coros):
    results = {}
    for place, coro in enumerate(coros):
        try:
            coro.send(None)
        except StopIteration as stop:
            results[place] = stop.value
    return [results.get(place) for place in range(len(coros))]
""",
            "until all have ended",
        ),
        Wrong(
            change=(
                "        else:\n",
                "        except Exception:\n            results[place] = None\n        else:\n",
            ),
            says="An exception must not be lost",
        ),
    ),
    right=(
        """
def round_robin(*coros):
    results = [None] * len(coros)
    ready = list(enumerate(coros))
    while len(ready) > 0:
        place, coro = ready.pop(0)
        try:
            coro.send(None)
            ready.append((place, coro))
        except StopIteration as stop:
            results[place] = stop.value
    return results
""",
        """
def round_robin(*coros):
    results = {}
    left = dict(enumerate(coros))
    while left:
        for place, coro in list(left.items()):
            try:
                coro.send(None)
            except StopIteration as stop:
                results[place] = stop.value
                del left[place]
    return [results[place] for place in sorted(results)]
""",
        """
def round_robin(*coros):
    results = {}
    ready = deque(coros)
    while ready:
        ready.rotate(-1)
        try:
            ready[-1].send(None)
        except StopIteration as stop:
            results[ready.pop()] = stop.value
    return [results[coro] for coro in coros]
""",
    ),
)


def _walkers(aio, events, *steps):
    async def walk(name, count):
        for n in range(1, count + 1):
            events.append(f"{name} step {n}")
            await aio.suspend()
        events.append(f"{name} ends")
        return name

    return [walk(name, count) for name, count in zip("ABC", steps, strict=False)]


@ROUND_ROBIN.check(
    "coroutines take turns, one step each",
    "A coroutine that has ended must not be resumed again: put back those that have not ended.",
)
def _(aio):
    events = Events()
    aio.round_robin(*_walkers(aio, events, 2, 2))
    expected = ["A step 1", "B step 1", "A step 2", "B step 2", "A ends", "B ends"]
    sentence = (
        "They run one after the other: put the one that was suspended at the back of the queue."
    )
    if events and events[0] != "A step 1":
        sentence = "The first given takes the first step: take from the left, put back right."
    elif len(events) < len(expected):
        sentence = "Go round until all have ended: `while ready`."
    same(events, Events(expected), sentence)


@ROUND_ROBIN.check("the results come in the order the coroutines were given")
def _(aio):
    results = aio.round_robin(*_walkers(aio, [], 3, 0, 1))
    same(
        results,
        ["A", "B", "C"],
        "The results come in the order the coroutines were given, not in that of ending.",
    )


@ROUND_ROBIN.check("one that ends early leaves the others running")
def _(aio):
    events = Events()
    aio.round_robin(*_walkers(aio, events, 0, 2))
    expected = Events(["A ends", "B step 1", "B step 2", "B ends"])
    same(events, expected, "Go round until all have ended: `while ready`.")


@ROUND_ROBIN.check("an exception in one comes out")
def _(aio):
    async def fails():
        await aio.suspend()
        raise ValueError("inside")

    others = _walkers(aio, [], 1)
    raises(
        ValueError,
        lambda: aio.round_robin(fails(), *others),
        "An exception must not be lost: catch only StopIteration.",
    )


@ROUND_ROBIN.check("no coroutines, no results")
def _(aio):
    same(aio.round_robin(), [], "With nothing to run, return an empty list.")


REORDER = Exercise(
    name="reorder",
    lesson="04",
    title="Put the lines in order, so that the two coroutines take turns",
    lines=6,
    builds=("tick", "tock"),
    stub="""
# These lines run `tick` to its end before `tock` begins. Move lines, and change none, so that
# round_robin(tick(log), tock(log)) leaves: tick 1, tock 1, tick 2, tock 2.
async def nothing():
    pass

async def tick(log):
    log.append("tick 1")
    await nothing()
    log.append("tick 2")
    await aio.suspend()

async def tock(log):
    log.append("tock 1")
    await nothing()
    log.append("tock 2")
    await aio.suspend()
""",
    solution="""
async def nothing():
    pass

async def tick(log):
    log.append("tick 1")
    await aio.suspend()
    log.append("tick 2")
    await nothing()

async def tock(log):
    log.append("tock 1")
    await aio.suspend()
    log.append("tock 2")
    await nothing()
""",
    hints=(
        "Which of the two awaits lets another coroutine run?",
        "`await nothing()` runs `nothing` there and then: no `yield` is in it, so no other "
        "coroutine runs.",
        "`await aio.suspend()` belongs between the two appends, in both.",
    ),
    wrong=(
        Wrong(
            """
async def tock(log):
    log.append("tock 1")
    await nothing()
    log.append("tock 2")
    await aio.suspend()
""",
            "`await nothing()` does not give way",
        ),
        Wrong(
            """
async def tick(log):
    await aio.suspend()
    log.append("tick 1")
    log.append("tick 2")
    await nothing()

async def tock(log):
    await aio.suspend()
    log.append("tock 1")
    log.append("tock 2")
    await nothing()
""",
            "`await aio.suspend()` belongs between",
        ),
        Wrong(
            """
async def nothing():
    await aio.suspend()

async def tick(log):
    log.append("tick 1")
    await nothing()
    log.append("tick 2")

async def tock(log):
    log.append("tock 1")
    await nothing()
    log.append("tock 2")
""",
            "Leave `nothing` as it is",
        ),
        Wrong(
            """
async def tick(log):
    log.append("tick 1")
    nothing()
    await aio.suspend()

async def tock(log):
    log.append("tock 1")
    nothing()
    await aio.suspend()
""",
            "Each line is kept",
        ),
        Wrong(
            """
async def tick(log):
    log.append("tick 1")
    await aio.suspend()
    log.append("tick 2")
""",
            "Each line is kept",
        ),
        Wrong(
            """
def tick(log):
    log.append("tick 1")
    log.append("tick 2")

def tock(log):
    log.append("tock 1")
    log.append("tock 2")
""",
            "Keep both `async def`",
        ),
    ),
    right=(
        """
async def tick(log):
    await nothing()
    log.append("tick 1")
    await aio.suspend()
    log.append("tick 2")
""",
        """
async def tick(log):
    log.append("tick 1")
    await nothing()
    await aio.suspend()
    log.append("tick 2")

async def tock(log):
    log.append("tock 1")
    await nothing()
    await aio.suspend()
    log.append("tock 2")
""",
        """
async def tock(log):
    log.append("tock 1")
    await aio.suspend()
    await nothing()
    log.append("tock 2")
""",
    ),
)


@REORDER.check("both are coroutines, and `nothing` does nothing")
def _(cell):
    both = [inspect.iscoroutinefunction(f) for f in (cell.tick, cell.tock)]
    same(both, [True, True], "Keep both `async def`: only their lines move.")
    coro = cell.nothing()
    try:
        coro.send(None)
        coro.close()
        holds(False, "Leave `nothing` as it is: only the lines of `tick` and `tock` move.")
    except StopIteration:
        pass


@REORDER.check("they take turns")
def _(cell):
    log, runs = Events(), []

    async def nothing():
        runs.append("nothing")

    cell.nothing = nothing
    cell.aio.round_robin(cell.tick(log), cell.tock(log))
    sentence = "`await nothing()` does not give way: nothing in it yields to the driver."
    if log == ["tick 1", "tick 2", "tock 1", "tock 2"]:
        sentence = "`await aio.suspend()` belongs between the two appends."
    if len(log) != 4:
        sentence = "Each line is kept: four appends, two awaits of each kind."
    same(log, Events(["tick 1", "tock 1", "tick 2", "tock 2"]), sentence)
    same(len(runs), 2, "Each line is kept: `await nothing()` stands in both coroutines, once.")
