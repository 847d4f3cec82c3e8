"""Lesson 09: waiting for a time, for many, for one of many, and not too long."""

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, Refused, holds, same
from ..checking.stage import film, play

SLEEP = Exercise(
    name="sleep",
    lesson="09",
    title="Let other tasks run for a while",
    lines=11,
    module="waiting",
    builds=("sleep",),
    stub='''
async def sleep(delay, result=None):
    """Let other tasks run for `delay` seconds, or for one turn if it is zero or less."""
    # about 11 lines: await suspend() takes one turn. For a time, await a future of the loop (it is
    # get_running_loop()), which a timer finishes: loop.call_later(delay, ...). If the wait is
    # cancelled, cancel the timer. Return `result`; ValueError for NaN, which alone is not itself:
    # delay != delay
    ...
''',
    hints=(
        "Two cases: zero (or less), and a time.",
        "`await suspend()` gives way once. For a time: `future = loop.create_future()`, and "
        "`timer = loop.call_later(delay, future.set_result, None)`. Then `await future`.",
        "`try: await future`, `finally: timer.cancel()`: a timer that rang does not mind, and one "
        "that did not ring is taken away.",
    ),
    wrong=(
        Wrong(
            """
import time

async def sleep(delay, result=None):
    time.sleep(delay)
    return result
""",
            "time.sleep blocks the whole loop",
        ),
        Wrong(
            """
async def sleep(delay, result=None):
    loop = get_running_loop()
    end = loop.time() + delay
    while loop.time() < end:
        await suspend()
    return result
""",
            "asking again and again",
        ),
        Wrong(
            """
async def sleep(delay, result=None):
    future = get_running_loop().create_future()
    get_running_loop().call_later(delay, future.set_result, result)
    return result
""",
            "No task waits for the timer",
        ),
        Wrong(
            """
async def sleep(delay, result=None):
    if delay <= 0:
        await suspend()
    else:
        future = get_running_loop().create_future()
        get_running_loop().call_later(delay, future.set_result, None)
        await future
""",
            "Return `result`",
        ),
        Wrong(
            """
async def sleep(delay, result=None):
    if delay <= 0:
        return result
    future = get_running_loop().create_future()
    get_running_loop().call_later(delay, future.set_result, result)
    return await future
""",
            "takes one turn",
        ),
        Wrong(
            """
async def sleep(delay, result=None):
    future = get_running_loop().create_future()
    get_running_loop().call_later(delay, future.set_result, result)
    return await future
""",
            "takes one turn",
        ),
        Wrong(
            """
async def sleep(delay, result=None):
    if delay <= 0:
        await suspend()
        return result
    loop = get_running_loop()
    future = loop.create_future()
    loop.call_later(delay, future.set_result, result)
    return await future
""",
            "take its timer away",
        ),
        Wrong(
            """
async def sleep(delay, result=None):
    if delay <= 0:
        await suspend()
        return result
    loop = get_running_loop()
    future = loop.create_future()
    timer = loop.call_later(delay, future.set_result, result)
    try:
        return await future
    finally:
        timer.cancel()
""",
            "NaN is no time",
        ),
    ),
    right=(
        """
async def sleep(delay, result=None):
    if delay <= 0:
        await suspend()
        return result
    if delay != delay:
        raise ValueError("NaN is no time")
    loop = get_running_loop()
    future = loop.create_future()
    timer = loop.call_later(delay, future.set_result, result)
    try:
        return await future
    finally:
        timer.cancel()
""",
        """
async def sleep(delay, result=None):
    if delay != delay:
        raise ValueError
    if delay > 0:
        loop = get_running_loop()
        future = loop.create_future()
        timer = loop.call_at(loop.time() + delay, set_result_unless_cancelled, future)
        future.add_done_callback(lambda _: timer.cancel())
        await future
    else:
        await suspend()
    return result
""",
        """
class _Nap(Future):
    def __init__(self, delay):
        super().__init__(loop=get_running_loop())
        self.timer = self.get_loop().call_later(delay, set_result_unless_cancelled, self)

    def cancel(self, msg=None):
        self.timer.cancel()
        return super().cancel(msg=msg)

async def sleep(delay, result=None):
    if not delay == delay:
        raise ValueError("no time")
    await (_Nap(delay) if delay > 0 else suspend())
    return result
""",
    ),
)


@SLEEP.check("it takes its time, and no turns")
def _(aio):
    async def main(loop):
        await aio.sleep(3600)
        return loop.time()

    loop = play(aio, main)
    sentence = "No task waits for the timer: `await` a future that it finishes."
    same(loop.result, 3600.0, sentence)
    holds(loop.turns < 8, "The loop turned more than it needs.", f"{loop.turns} turns", "under 8")


@SLEEP.check("it returns what it was given")
def _(aio):
    async def main(loop):
        return [await aio.sleep(1, "later"), await aio.sleep(0, "now"), await aio.sleep(1)]

    same(play(aio, main).result, ["later", "now", None], "Return `result` in both cases.")


@SLEEP.check("two tasks that sleep, sleep at the same time")
def _(aio):
    log = Events()

    async def sleeper(loop, name, delay):
        await aio.sleep(delay)
        log.append(f"{name} wakes at {loop.time():g}")

    async def main(loop):
        tasks = [loop.create_task(sleeper(loop, *each)) for each in (("A", 2), ("B", 1))]
        for task in tasks:
            await task

    play(aio, main)
    same(log, Events(["B wakes at 1", "A wakes at 2"]), "Others run while one task sleeps.")


@SLEEP.check("`sleep(0)` takes one turn")
def _(aio):
    log = Events()

    async def walker(name):
        for step in (1, 2, 3):
            log.append(f"{name}{step}")
            await aio.sleep(0)

    async def ticker():
        for step in (1, 2, 3):
            log.append(f"tick {step}")
            await aio.suspend()

    async def main(loop):
        tasks = [loop.create_task(walker("A")), loop.create_task(ticker())]
        for task in tasks:
            await task

    play(aio, main)
    expected = [text for n in (1, 2, 3) for text in (f"A{n}", f"tick {n}")]
    same(log, Events(expected), "`sleep(0)` takes one turn, no more and no less: `suspend()`.")


@SLEEP.check("a sleep that is cancelled leaves nothing behind")
def _(aio):
    async def main(loop):
        task = loop.create_task(aio.sleep(5))
        await aio.suspend()
        task.cancel()
        await aio.suspend()
        await aio.suspend()
        timers = [timer for timer in loop._scheduled if not timer.cancelled()]
        sentence = "A sleep that is cancelled must take its timer away: `finally: timer.cancel()`."
        same(len(timers), 0, sentence)
        waiting = loop.create_future()
        loop.call_later(10, waiting.set_result, None)
        await waiting
        return task.cancelled()

    loop = play(aio, main)
    same(loop.result, True, "A task that sleeps can be cancelled.")
    sentence = "A sleep that is cancelled must take its timer away: `finally: timer.cancel()`."
    same([r["message"].split("(")[0] for r in loop.reports], [], sentence)


@SLEEP.check("NaN is refused at once")
def _(aio):
    async def main(loop):
        try:
            async with aio.timeout(5):
                await aio.sleep(float("nan"))
        except (ValueError, TimeoutError) as error:
            return type(error).__name__, loop.time()

    sentence = "NaN is no time: raise ValueError before you wait."
    same(play(aio, main).result, ("ValueError", 0.0), sentence)


GATHER = Exercise(
    name="gather",
    lesson="09",
    title="Gather the results of many",
    lines=14,
    module="waiting",
    builds=("Gathering._child_is_done", "Gathering.cancel"),
    stub="""
class Gathering(Future):
    # What gather() returns. self._children: the futures, in the order given; self._left: how many
    # have not ended. _error_of(child) is its exception or CancelledError; _outcome(child) is that,
    # or its result.
    def _child_is_done(self, child):
        # about 9 lines: one less is left. Look at child.exception(), unless it was cancelled: that
        # marks it as seen. A gathering that is done stays as it is. The first failure is handed on
        # at once, unless self._return_exceptions. When none is left: the list of all outcomes; or,
        # if self._cancel_requested, the exception self._make_cancelled_error().
        ...

    def cancel(self, msg=None):
        # about 5 lines: False if it is done; cancel each child, with msg; True if any could be, and
        # then self._cancel_requested is set. It is not done itself before its children are.
        ...
""",
    hints=(
        "Each child calls `_child_is_done` when it ends, in the order of ending. The results come "
        "in the order of `self._children`.",
        "A failure ends the gathering (`self.set_exception`), and cancels no child: the others "
        "run on, and end later, when the gathering is done already.",
        "After the count: `failed = child.cancelled() or child.exception() is not None`; return if "
        "`self.done()`; failed and not `_return_exceptions`: `self.set_exception("
        "_error_of(child))`; else, when none is left, the cancelled error or the list.",
    ),
    wrong=(
        Wrong(change=("        self._left -= 1\n", ""), says="nothing is left that could wake"),
        Wrong(
            change=(
                "            self.set_exception(_error_of(child))\n",
                "            for other in self._children:\n                other.cancel()\n"
                "            self.set_exception(_error_of(child))\n",
            ),
            says="cancels no child",
        ),
        Wrong(change=("if failed and not", "if failed and not self._left and not"), says="at once"),
        Wrong(
            """
class Gathering:
    def _child_is_done(self, child):
        self._left -= 1
        if child.cancelled() or child.exception() is not None:
            if not self._return_exceptions:
                return self.set_exception(_error_of(child))
        if not self._left:
            self.set_result([_outcome(each) for each in self._children])
""",
            "done already",
        ),
        Wrong(
            """
class Gathering:
    def _child_is_done(self, child):
        self._left -= 1
        if self.done():
            return
        if not self._return_exceptions and (child.cancelled() or child.exception() is not None):
            self.set_exception(_error_of(child))
        elif not self._left and self._cancel_requested:
            self.set_exception(self._make_cancelled_error())
        elif not self._left:
            self.set_result([_outcome(each) for each in self._children])
""",
            "counts as seen",
        ),
        Wrong(change=("_outcome(each) for", "each.result() for"), says="stand in the list"),
        Wrong(
            change=("not self._left and self._cancel_requested", "self._cancel_requested"),
            says="before its children",
        ),
        Wrong(
            change=("[_outcome(each) for each in self._children]", "child.result()"),
            says="list of all results",
        ),
        Wrong(
            "class Gathering:\n    def cancel(self, msg=None):\n"
            "        return Future.cancel(self, msg)\n",
            "Cancel the children",
        ),
        Wrong(
            """
class Gathering:
    def cancel(self, msg=None):
        if self.done():
            return False
        return any([child.cancel(msg=msg) for child in self._children])
""",
            "_cancel_requested",
        ),
        Wrong(
            """
class Gathering:
    def cancel(self, msg=None):
        if self.done():
            return False
        if any(child.cancel(msg=msg) for child in self._children):
            self._cancel_requested = True
            return True
        return False
""",
            "each of them",
        ),
        Wrong(change=("child.cancel(msg=msg)", "child.cancel()"), says="Hand on `msg`"),
        Wrong(
            """
class Gathering:
    def cancel(self, msg=None):
        cancelled = [child.cancel(msg=msg) for child in self._children]
        self._cancel_requested = self._cancel_requested or any(cancelled)
        return any(cancelled)
""",
            "One that is done cancels nothing",
        ),
    ),
    right=(
        """
class Gathering:
    def cancel(self, msg=None):
        any_was = False
        if not self.done():
            for child in self._children:
                if child.cancel(msg=msg):
                    any_was = self._cancel_requested = True
        return any_was
""",
        """
class Gathering:
    def _child_is_done(self, child):
        self._left = self._left - 1
        error = _error_of(child)
        if self.done():
            return
        if error is not None and not self._return_exceptions:
            return self.set_exception(error)
        if self._left > 0:
            return
        if self._cancel_requested:
            return self.set_exception(self._make_cancelled_error())
        self.set_result(list(map(_outcome, self._children)))
""",
        """
class Gathering:
    def _child_is_done(self, child):
        self._left -= 1
        outcome = _outcome(child)
        if not self.done():
            if not self._return_exceptions and isinstance(outcome, BaseException):
                self.set_exception(_error_of(child))
            elif self._left == 0:
                results = [_outcome(each) for each in self._children]
                if self._cancel_requested:
                    self.set_exception(CancelledError())
                else:
                    self.set_result(results)
""",
    ),
)


def _job(aio, log, name, seconds, fails=False):
    async def job():
        try:
            await aio.sleep(seconds)
        except aio.CancelledError:
            log.append(f"{name} is cancelled")
            raise
        log.append(f"{name} ends")
        if fails:
            raise ValueError(name)
        return name

    return job()


@GATHER.check("the results come as a list, in the order given, when all have ended")
def _(aio):
    log = Events()

    async def main(loop):
        jobs = [_job(aio, log, name, n) for name, n in (("A", 3), ("B", 1), ("C", 2))]
        return await aio.gather(*jobs), loop.time()

    loop = play(aio, main)
    results, at = loop.result
    same(results, ["A", "B", "C"], "The list of all results, in the order of `self._children`.")
    same(at, 3.0, "It ends when the last child has ended.")
    reports = [context["message"].split("(")[0] for context in loop.reports]
    same(reports, [], "Ask for the outcomes when none is left: a child that runs has none yet.")


@GATHER.check("the first failure is handed on at once, and the others run on")
def _(aio):
    log = Events()

    async def main(loop):
        gathering = aio.gather(
            _job(aio, log, "A", 3), _job(aio, log, "B", 1, True), _job(aio, log, "C", 2, True)
        )
        try:
            await gathering
        except ValueError as error:
            log.append(f"gather raises {error} at {loop.time():g}")
        log.append(f"cancel says {gathering.cancel()}")
        await aio.sleep(4)

    loop = play(aio, main)
    sentence = "A failure is handed on at once: others may take long."
    if "A is cancelled" in log:
        sentence = "A failure cancels no child: the others run on."
        if "C is cancelled" in log and "cancel says True" in log:
            sentence = "One that is done cancels nothing: return False."
    expected = ["B ends", "gather raises B at 1", "cancel says False", "C ends", "A ends"]
    same(log, Events(expected), sentence)
    reports = [context["message"] for context in loop.reports]
    sentence = "A gathering that is done already stays as it is: return, and set nothing again."
    same(reports, [], sentence)


def _asked(aio, seconds):
    """Return a future that fails after `seconds`, and a list of who asked for its exception."""
    asked = []

    class Asked(aio.Future):
        def exception(self):
            asked.append("asked")
            return super().exception()

    future = Asked(loop=aio.get_running_loop())
    aio.get_running_loop().call_later(seconds, future.set_exception, ValueError("late"))
    return future, asked


@GATHER.check("a failure that comes late counts as seen")
def _(aio):
    async def main(loop):
        late, asked = _asked(aio, 2)
        try:
            await aio.gather(_job(aio, Events(), "A", 1, True), late)
        except ValueError:
            pass
        await aio.sleep(5)
        late.exception()
        return asked

    sentence = "Ask each child for its exception, late ones too: then it counts as seen."
    holds(len(play(aio, main).result) > 1, sentence)


@GATHER.check("with `return_exceptions` the exceptions stand in the list")
def _(aio):
    log = Events()

    async def main(loop):
        gathering = aio.gather(
            _job(aio, log, "A", 1, True), _job(aio, log, "B", 2), return_exceptions=True
        )
        async with aio.timeout(10):
            return [repr(each) for each in await gathering]

    sentence = "With `return_exceptions` the exceptions stand in the list: `_outcome(each)`."
    try:
        results = play(aio, main).result
    except (TimeoutError, ValueError, aio.Deadlock):
        holds(False, sentence)
    same(results, ["ValueError('A')", "'B'"], sentence)


@GATHER.check("cancelling it cancels the children")
def _(aio):
    log = Events()

    async def main(loop):
        gathering = aio.gather(_job(aio, log, "A", 1), _job(aio, log, "B", 2))
        await aio.sleep(0.5)
        log.append(f"cancel says {gathering.cancel()}, done: {gathering.done()}")
        try:
            await gathering
        except aio.CancelledError:
            log.append("gather is cancelled")
        log.append(f"cancel says {gathering.cancel()}")
        await aio.sleep(3)

    play(aio, main)
    expected = [
        "cancel says True, done: False",
        "A is cancelled",
        "B is cancelled",
        "gather is cancelled",
        "cancel says False",
    ]
    sentence = "Cancel the children, each of them; the gathering ends when they have ended."
    same(log, Events(expected), sentence)


@GATHER.check("the children are cancelled with the message, and those that are done do not matter")
def _(aio):
    async def child(seconds):
        try:
            await aio.sleep(seconds)
        except aio.CancelledError as error:
            messages.append(error.args)
            raise

    async def main(loop):
        gathering = aio.gather(child(1), child(9), return_exceptions=True)
        await aio.sleep(2)
        said = gathering.cancel(*message)
        try:
            return said, await gathering
        except aio.CancelledError:
            return said, "cancelled"

    for message in [(), ("enough",)]:
        messages = []
        said, end = play(aio, main).result
        same(said, True, "True if any child could be cancelled: `any`, for some may be done.")
        sentence = "Set `self._cancel_requested` if any child could be cancelled."
        same(end, "cancelled", sentence)
        same(messages, [message], "Hand on `msg` to the children: `child.cancel(msg=msg)`.")


@GATHER.check("cancelled twice in one turn, it is still cancelled")
def _(aio):
    async def main(loop):
        gathering = aio.gather(loop.create_future(), return_exceptions=True)
        said = [gathering.cancel(), gathering.cancel()]
        try:
            return said, await gathering
        except aio.CancelledError:
            return said, "cancelled"

    sentence = "`self._cancel_requested` stays set: a second cancel that comes too late keeps it."
    same(play(aio, main).result, ([True, False], "cancelled"), sentence)


@GATHER.check("cancelled, it is cancelled also with `return_exceptions`, when all have ended")
def _(aio):
    log = Events()

    async def slow():
        try:
            await aio.sleep(5)
        except aio.CancelledError:
            await aio.sleep(1)  # it takes its time to end
            log.append("slow ends")
            raise

    async def main(loop):
        gathering = aio.gather(_job(aio, log, "A", 5), slow(), return_exceptions=True)
        await aio.sleep(0.5)
        gathering.cancel()
        try:
            log.append(f"results {[repr(each) for each in await gathering]}")
        except aio.CancelledError:
            log.append("gather is cancelled")
        await aio.sleep(3)

    play(aio, main)
    expected = Events(["A is cancelled", "slow ends", "gather is cancelled"])
    sentence = "Set `self._cancel_requested`: a gathering that was cancelled has no results."
    if log[1:2] == ["gather is cancelled"]:
        sentence = "It is not cancelled before its children have ended."
    same(log, expected, sentence)


WAIT = Exercise(
    name="wait",
    lesson="09",
    title="Wait for all, for the first, or for the first that fails",
    lines=14,
    module="waiting",
    builds=("_wait_for_enough",),
    stub='''
async def _wait_for_enough(futures, return_when, waiter):
    """Wait until all of `futures` are done, or one, or one has failed, or `waiter` is done."""
    left = set(futures)
    # about 13 lines: have a function of yours called when each is done (add_done_callback). It is
    # enough when none is left, or return_when is FIRST_COMPLETED, or it is FIRST_EXCEPTION and this
    # one failed: set_result_unless_cancelled(waiter) sets its result, once. (A timer does the same
    # when the time is up.) Await the waiter; at the end, whatever happens, take all callbacks back.
    ...
''',
    hints=(
        "There is one future to await, the waiter. Callbacks decide when it is done.",
        "The callback takes its future out of `left` (`left.discard(future)`), then looks whether "
        "it is enough.",
        "After the callbacks are added: `try: await waiter`; `finally:` `remove_done_callback` "
        "from every future.",
    ),
    wrong=(
        Wrong(
            """
async def _wait_for_enough(futures, return_when, waiter):
    for future in futures:
        await future
""",
            "raises nothing of theirs",
        ),
        Wrong(
            """
async def _wait_for_enough(futures, return_when, waiter):
    while not all(future.done() for future in futures):
        await suspend()
""",
            "asking again and again",
        ),
        Wrong(
            change=("        left.discard(future)\n", ""),
            says="release the waiter when none is left",
        ),
        Wrong(change=("return_when == FIRST_COMPLETED or ", ""), says="FIRST_COMPLETED: the first"),
        Wrong(
            change=("return_when == FIRST_EXCEPTION", "False"), says="FIRST_EXCEPTION: the first"
        ),
        Wrong(
            """
async def _wait_for_enough(futures, return_when, waiter):
    left = set(futures)

    def on_completion(future):
        left.discard(future)
        can_fail = return_when == FIRST_EXCEPTION and not future.cancelled()
        if can_fail and future.exception() or not left or return_when == FIRST_COMPLETED:
            waiter.set_result(None)

    for future in futures:
        future.add_done_callback(on_completion)
    try:
        await waiter
    finally:
        for future in futures:
            future.remove_done_callback(on_completion)
""",
            "set its result once",
        ),
        Wrong(change=(" and not future.cancelled()", ""), says="was cancelled has not failed"),
        Wrong(
            change=(
                "            future.remove_done_callback(on_completion)\n",
                "            pass\n",
            ),
            says="Take your callbacks back",
        ),
        Wrong(
            change=(
                """    try:
        await waiter
    finally:
        for future in futures:
            future.remove""",
                """    await waiter
    for future in futures:
            future.remove""",
            ),
            says="cancelled as well",
        ),
        Wrong(
            change=(
                "    finally:\n",
                "    finally:\n        [future.cancel() for future in left]\n",
            ),
            says="`wait` cancels nothing",
        ),
        Wrong(
            """
async def _wait_for_enough(futures, return_when, waiter):
    left = set(futures)

    def on_completion(future):
        left.discard(future)
        if not left:
            get_running_loop().stop()

    for future in futures:
        future.add_done_callback(on_completion)
    await waiter
""",
            "stopped before",
        ),
    ),
    right=(
        """
async def _wait_for_enough(futures, return_when, waiter):
    def is_enough(future):
        if return_when == FIRST_COMPLETED:
            return True
        if return_when == FIRST_EXCEPTION and not future.cancelled():
            if future.exception() is not None:
                return True
        return all(each.done() for each in futures)

    def look(future):
        if is_enough(future) and not waiter.done():
            waiter.set_result(None)

    for future in futures:
        future.add_done_callback(look)
    try:
        await waiter
    finally:
        for future in futures:
            future.remove_done_callback(look)
""",
        """
async def _wait_for_enough(futures, return_when, waiter):
    count = len(set(futures))

    def on_completion(future):
        nonlocal count
        count -= 1
        match return_when:
            case "FIRST_COMPLETED":
                set_result_unless_cancelled(waiter)
            case "FIRST_EXCEPTION":
                if not future.cancelled() and future.exception():
                    set_result_unless_cancelled(waiter)
        if count == 0:
            set_result_unless_cancelled(waiter)

    try:
        for future in futures:
            future.add_done_callback(on_completion)
        await waiter
    finally:
        for future in futures:
            future.remove_done_callback(on_completion)
""",
        """
class _Watch:
    def __init__(self, futures, return_when, waiter):
        self.left, self.return_when, self.waiter = set(futures), return_when, waiter

    def see(self, future):
        self.left.remove(future)
        failed = self.return_when == FIRST_EXCEPTION and not future.cancelled()
        failed = failed and future.exception() is not None
        if failed or self.return_when == FIRST_COMPLETED or len(self.left) == 0:
            set_result_unless_cancelled(self.waiter)

async def _wait_for_enough(futures, return_when, waiter):
    watch = _Watch(futures, return_when, waiter)
    see = watch.see
    for future in list(futures):
        future.add_done_callback(see)
    try:
        return await waiter
    finally:
        for future in list(futures):
            future.remove_done_callback(see)
""",
    ),
)


def _wait(aio, **options):
    """Wait for three tasks; return what happened, what `wait` said, and when."""
    log = Events()

    async def main(loop):
        tasks = {
            "A": loop.create_task(_job(aio, log, "A", 3)),
            "B": loop.create_task(_job(aio, log, "B", 1)),
            "C": loop.create_task(_job(aio, log, "C", 2, True)),
        }
        async with aio.timeout(100):
            done, pending = await aio.wait(tasks.values(), **options)
        at = loop.time()
        names = [[n for n, task in tasks.items() if task in group] for group in (done, pending)]
        left = sum(len(task._callbacks) for task in tasks.values())
        await aio.sleep(5)
        if tasks["C"].done() and not tasks["C"].cancelled():
            tasks["C"].exception()
        return names, at, left

    sentence = "`wait` raises nothing of theirs: it waits, and looks at no result."
    try:
        loop = play(aio, main)
    except ValueError:
        holds(False, sentence)
    except TimeoutError:
        holds(False, "It never ends: release the waiter when none is left.")
    return log, loop


@WAIT.check("without more it waits for all, and raises nothing of theirs")
def _(aio):
    log, loop = _wait(aio)
    names, at, *_ = loop.result
    same(log, Events(["B ends", "C ends", "A ends"]), "All run until they end.")
    same((names, at), ([["A", "B", "C"], []], 3.0), "It returns when none is left.")


@WAIT.check("FIRST_COMPLETED returns when the first is done")
def _(aio):
    _, loop = _wait(aio, return_when=aio.FIRST_COMPLETED)
    names, at, *_ = loop.result
    same((names, at), ([["B"], ["A", "C"]], 1.0), "FIRST_COMPLETED: the first that ends is enough.")


@WAIT.check("FIRST_EXCEPTION returns when the first has failed")
def _(aio):
    _, loop = _wait(aio, return_when=aio.FIRST_EXCEPTION)
    names, at, *_ = loop.result
    same((names, at), ([["B", "C"], ["A"]], 2.0), "FIRST_EXCEPTION: the first that fails.")

    async def main(loop):
        first, second = loop.create_future(), loop.create_future()
        loop.call_later(1, first.cancel)
        loop.call_later(2, second.set_result, None)
        await aio.wait([first, second], return_when=aio.FIRST_EXCEPTION)
        return loop.time()

    loop = play(aio, main)
    reports = [context["message"].split("(")[0] for context in loop.reports]
    sentence = "A future that was cancelled has not failed: look at `cancelled()` first."
    same((loop.result, reports), (2.0, []), sentence)


@WAIT.check("after `timeout` seconds it returns, and cancels nothing")
def _(aio):
    log, loop = _wait(aio, timeout=1.5)
    names, at, *_ = loop.result
    same((names, at), ([["B"], ["A", "C"]], 1.5), "It returns when the time is up: await `waiter`.")
    same(log, Events(["B ends", "C ends", "A ends"]), "`wait` cancels nothing: all run on.")


@WAIT.check("it leaves no callback behind, though it is cancelled")
def _(aio):
    _, loop = _wait(aio, return_when=aio.FIRST_COMPLETED)
    same(loop.result[2], 0, "Take your callbacks back at the end: `remove_done_callback`.")

    async def main(loop):
        future = loop.create_future()
        task = loop.create_task(aio.wait([future]))
        await aio.sleep(1)
        task.cancel()
        await aio.wait([task])
        return len(future._callbacks)

    sentence = "Take your callbacks back when the wait is cancelled as well: `finally`."
    same(play(aio, main).result, 0, sentence)


@WAIT.check("where all are waited for, an exception is not looked at")
def _(aio):
    async def main(loop):
        future, asked = _asked(aio, 1)
        await aio.wait([future])
        asked_before = len(asked)
        future.exception()
        return asked_before

    sentence = "Ask for the exception only with FIRST_EXCEPTION: else it counts as seen."
    same(play(aio, main).result, 0, sentence)


@WAIT.check("two that end in one turn are no trouble")
def _(aio):
    async def main(loop):
        futures = [loop.create_future() for _ in range(2)]
        for future in futures:
            loop.call_soon(future.set_result, None)
        done, _ = await aio.wait(futures, return_when=aio.FIRST_COMPLETED)
        await aio.suspend()
        return len(done)

    loop = play(aio, main)
    sentence = (
        "Two can end in one turn: set its result once, `set_result_unless_cancelled(waiter)`."
    )
    same([context["message"].split("(")[0] for context in loop.reports], [], sentence)


TIMEOUT = Exercise(
    name="timeout",
    lesson="09",
    title="Cancel your own task when the time is up, and own up to it",
    lines=10,
    module="waiting",
    builds=("Timeout._on_timeout", "Timeout.__aexit__"),
    stub="""
class Timeout:
    # The block begins: self._task is the task it stands in, self._state is "active", and
    # self._cancelling is how many cancels were requested before (self._task.cancelling()).
    def _on_timeout(self):
        # about 2 lines, called when the time is up: cancel self._task; self._state is "expiring"
        ...

    async def __aexit__(self, kind, error, traceback):
        # about 8 lines, called when the block ends: cancel self._timer, if there is one. "active"
        # becomes "finished". "expiring" becomes "expired": take your cancel back
        # (self._task.uncancel()); if no more are left than before, and the error is a
        # CancelledError, raise TimeoutError from it
        ...
""",
    hints=(
        "No task can throw an exception into another one. It can only ask it to stop: cancel.",
        "So the block ends with CancelledError. Only `__aexit__` knows whether that was ours, and "
        "turns it into TimeoutError.",
        "`if self._task.uncancel() <= self._cancelling and isinstance(error, CancelledError): "
        "raise TimeoutError from error`, only when `_state` was expiring.",
    ),
    wrong=(
        Wrong(
            "class Timeout:\n    def _on_timeout(self):\n        raise TimeoutError\n",
            "raised in a callback reaches no task",
        ),
        Wrong(
            "class Timeout:\n    def _on_timeout(self):\n        self._task.cancel()\n",
            "TimeoutError",
        ),
        Wrong(
            change=("            self._timer.cancel()\n", "            pass\n"),
            says="after its block",
        ),
        Wrong(
            change=("if self._task.uncancel() <= self._cancelling:", "if True:"),
            says="Take your cancel back",
        ),
        Wrong(
            """
class Timeout:
    async def __aexit__(self, kind, error, traceback):
        self._timer.cancel()
        if self._state == "active":
            self._state = "finished"
        elif self._state == "expiring":
            self._state = "expired"
            if self._task.uncancel() <= self._cancelling and isinstance(error, CancelledError):
                raise TimeoutError from error
""",
            "`timeout(None)` has no timer",
        ),
        Wrong(
            """
class Timeout:
    async def __aexit__(self, kind, error, traceback):
        if self._timer is not None:
            self._timer.cancel()
        if isinstance(error, CancelledError):
            self._task.uncancel()
            raise TimeoutError from error
""",
            "another task",
        ),
        Wrong(
            change=("self._task.uncancel() <= self._cancelling:", "self._task.uncancel() >= 0:"),
            says="another cancel came as well",
        ),
        Wrong(
            change=("if isinstance(error, CancelledError):", "if error is not None:"),
            says="Another error",
        ),
        Wrong(change=("raise TimeoutError from error", "return True"), says="TimeoutError"),
        Wrong(
            change=("raise TimeoutError from error", "raise TimeoutError from None"),
            says="the cause",
        ),
        Wrong(
            change=('            self._state = "finished"\n', "            pass\n"), says="finished"
        ),
        Wrong(change=('            self._state = "expired"\n', ""), says="expired"),
    ),
    right=(
        """
class Timeout:
    def _on_timeout(self):
        self._state = "expiring"
        self._task.cancel()

    async def __aexit__(self, kind, error, traceback):
        if self._timer:
            self._timer.cancel()
        if self._state != "expiring":
            self._state = "finished"
            return
        self._state = "expired"
        left = self._task.uncancel()
        if kind is CancelledError and left <= self._cancelling:
            raise TimeoutError from error
""",
        """
class Timeout:
    async def __aexit__(self, kind, error, traceback):
        is_ours = self._state == "expiring"
        self._state = "expired" if is_ours else "finished"
        if self._timer is not None:
            self._timer.cancel()
        if is_ours:
            is_ours = self._task.uncancel() == self._cancelling
        if is_ours and isinstance(error, CancelledError):
            raise TimeoutError() from error
        return False
""",
        """
class Timeout:
    async def __aexit__(self, *details):
        error = details[1]
        getattr(self._timer, "cancel", int)()
        match self._state:
            case "active":
                self._state = "finished"
            case "expiring":
                self._state = "expired"
                if self._task.uncancel() > self._cancelling:
                    return
                if isinstance(error, CancelledError):
                    late = TimeoutError()
                    raise late from error
""",
    ),
)


def _timed(aio, program):
    """Run a program with a log; return the log and the loop."""
    log = Events()

    async def main(loop):
        await program(loop, log)

    return log, play(aio, main)


@TIMEOUT.check("a block that is too slow ends with TimeoutError, when the time is up")
def _(aio):
    async def program(loop, log):
        try:
            async with aio.timeout(2) as limit:
                await aio.sleep(10)
            log.append("no error")
        except (TimeoutError, aio.CancelledError) as error:
            log.append(type(error).__name__)
            causes.append(type(error.__cause__).__name__)
        log.append(f"at {loop.time():g}")
        if not limit.expired():
            log.append("not expired")

    causes = []
    log, loop = _timed(aio, program)
    sentence = "The block ends with TimeoutError: raise it in `__aexit__`, from the CancelledError."
    if log[0] == "no error" and loop.reports:
        sentence = "An error that is raised in a callback reaches no task: cancel the task."
    same(log, Events(["TimeoutError", "at 2"]), sentence)
    sentence = "The CancelledError is the cause: `raise TimeoutError from error`."
    same(causes, ["CancelledError"], sentence)


@TIMEOUT.check("a block that is quick enough is not touched, nor what comes after it")
def _(aio):
    async def program(loop, log):
        async with aio.timeout(2):
            await aio.sleep(1)
        log.append(f"block ends at {loop.time():g}")
        try:
            await aio.sleep(5)
            log.append(f"the task runs on until {loop.time():g}")
        except aio.CancelledError:
            log.append("cancelled after the block")

    log, _ = _timed(aio, program)
    sentence = "It cancels the task after its block: cancel the timer in `__aexit__`."
    same(log, Events(["block ends at 1", "the task runs on until 6"]), sentence)


@TIMEOUT.check("a block without a limit has no timer", "`timeout(None)` has no timer to cancel.")
def _(aio):
    async def program(loop, log):
        async with aio.timeout(None):
            await aio.sleep(1000)
        log.append(f"block ends at {loop.time():g}")

    log, _ = _timed(aio, program)
    same(log, Events(["block ends at 1000"]), "A block without a limit takes as long as it takes.")


@TIMEOUT.check("afterwards the task counts as not cancelled")
def _(aio):
    async def program(loop, log):
        for _ in range(2):
            try:
                async with aio.timeout(1):
                    await aio.sleep(10)
            except TimeoutError:
                log.append(f"{aio.current_task().cancelling()} cancels left")

    log, _ = _timed(aio, program)
    sentence = "Take your cancel back: `self._task.uncancel()`."
    same(log, Events(["0 cancels left", "0 cancels left"]), sentence)


@TIMEOUT.check("a cancel by another task stays a cancel")
def _(aio):
    async def waits(log):
        try:
            async with aio.timeout(10):
                await aio.sleep(20)
        except TimeoutError:
            log.append("TimeoutError")
        except aio.CancelledError:
            log.append("CancelledError")

    async def program(loop, log):
        task = loop.create_task(waits(log))
        await aio.sleep(1)
        task.cancel()
        await task

    log, _ = _timed(aio, program)
    sentence = "This was a cancel by another task, not the timer's: look at `self._state`."
    same(log, Events(["CancelledError"]), sentence)

    async def both(loop, log):
        task = loop.create_task(waits(log))
        loop.call_later(10, task.cancel)  # set first: it rings before the timer of the block
        loop.call_later(10, lambda: None)
        try:
            await task
        except aio.CancelledError:
            pass

    log, _ = _timed(aio, both)
    sentence = "The time was up, but another cancel came as well: compare with `self._cancelling`."
    same(log, Events(["CancelledError"]), sentence)


@TIMEOUT.check("another error of the block stays what it is")
def _(aio):
    async def program(loop, log):
        try:
            async with aio.timeout(1):
                try:
                    await aio.sleep(10)
                except aio.CancelledError:
                    raise ValueError("tidying failed") from None
        except Exception as error:
            log.append(type(error).__name__)

    log, _ = _timed(aio, program)
    sentence = "Another error must stay what it is: only a CancelledError becomes a TimeoutError."
    same(log, Events(["ValueError"]), sentence)


@TIMEOUT.check("its state says how the block ended")
def _(aio):
    async def program(loop, log):
        for seconds in (1, 3):
            limit = aio.timeout(2)
            try:
                async with limit:
                    await aio.sleep(seconds)
            except TimeoutError:
                pass
            log.append(repr(limit))

    log, _ = _timed(aio, program)
    sentence = '`self._state` is "finished" if the block was quick enough, else "expired".'
    same(log, Events(["<Timeout [finished]>", "<Timeout [expired]>"]), sentence)


SHIELD = Exercise(
    name="shield",
    lesson="09",
    title="Let the wait be cancelled, and not the work",
    lines=16,
    module="waiting",
    builds=("shield", "_end_alike"),
    stub='''
def shield(arg):
    """Return a future of `arg` that can be cancelled without cancelling `arg`."""
    inner = ensure_future(arg)
    # about 7 lines: one that is done is returned as it is. Else an outer future (of the loop
    # inner.get_loop()); when the inner one is done, _end_alike(outer, inner) is called. When the
    # outer one is done, that callback is taken back from the inner one.
    ...

def _end_alike(outer, inner):
    """End `outer` as `inner` has ended."""
    # about 8 lines: with its result, its exception, or cancelled. An outer one that was cancelled
    # meanwhile is left alone
    ...
''',
    hints=(
        "Two futures: the inner one does the work, the outer one is what the caller awaits.",
        "Nothing leads from the outer one to the inner one, so a cancel stops there.",
        "A callback on the inner one is called with the inner one: "
        "`functools.partial(_end_alike, outer)`. In it: return if `outer.cancelled()`; else "
        "`outer.cancel()`, `outer.set_exception(...)` or `outer.set_result(...)`.",
    ),
    wrong=(
        Wrong("def shield(arg):\n    return ensure_future(arg)\n", "the work was cancelled too"),
        Wrong(
            "async def shield(arg):\n    return await ensure_future(arg)\n",
            "an ordinary function",
        ),
        Wrong(
            change=("    inner.add_done_callback(end_outer)\n", ""),
            says="nothing is left that could wake",
        ),
        Wrong(
            """
def shield(arg):
    inner = ensure_future(arg)
    outer = inner.get_loop().create_future()
    inner.add_done_callback(functools.partial(_end_alike, outer))
    return outer
""",
            "returned as it is",
        ),
        Wrong(
            """
def shield(arg):
    inner = ensure_future(arg)
    if inner.done():
        return inner
    outer = inner.get_loop().create_future()
    inner.add_done_callback(functools.partial(_end_alike, outer))
    return outer
""",
            "takes its callback back",
        ),
        Wrong(change=("    if outer.cancelled():\n        return\n", ""), says="is left alone"),
        Wrong(
            change=(
                """    elif inner.exception() is not None:
        outer.set_exception(inner.exception())
""",
                "",
            ),
            says="its exception",
        ),
        Wrong(
            change=(
                """    if inner.cancelled():
        outer.cancel()
    elif""",
                "    if",
            ),
            says="is cancelled itself",
        ),
        Wrong(
            change=("outer.set_result(inner.result())", "outer.set_result(None)"), says="its result"
        ),
    ),
    right=(
        """
def shield(arg):
    inner = ensure_future(arg)
    if inner.done():
        return inner
    outer = inner.get_loop().create_future()

    def inner_is_done(inner):
        _end_alike(outer, inner)

    def outer_is_done(outer):
        inner.remove_done_callback(inner_is_done)

    outer.add_done_callback(outer_is_done)
    inner.add_done_callback(inner_is_done)
    return outer
""",
        """
def _end_alike(outer, inner):
    if not outer.cancelled():
        try:
            outer.set_result(inner.result())
        except CancelledError:
            outer.cancel()
        except BaseException as error:
            outer.set_exception(error)
""",
        """
class _Outer(Future):
    def __init__(self, inner):
        super().__init__(loop=inner.get_loop())
        self.inner = inner
        inner.add_done_callback(self.follow)

    def follow(self, inner):
        _end_alike(self, inner)

    def cancel(self, msg=None):
        self.inner.remove_done_callback(self.follow)
        return super().cancel(msg=msg)

def shield(arg):
    inner = ensure_future(arg)
    return inner if inner.done() else _Outer(inner)
""",
    ),
)


@SHIELD.check("it gives the result of the work")
def _(aio):
    async def main(loop):
        shielded = aio.shield(_job(aio, Events(), "A", 1))
        holds(
            hasattr(shielded, "cancel"),
            "Write it as an ordinary function that returns a future, so that the work starts now.",
        )
        done = loop.create_future()
        done.set_result("at once")
        same(aio.shield(done) is done, True, "One that is done is returned as it is.")
        return await shielded

    same(play(aio, main).result, "A", "The outer one ends with its result.")


@SHIELD.check("cancelling the wait leaves the work alone")
def _(aio):
    log = Events()

    async def waits(work):
        try:
            await aio.shield(work)
        except aio.CancelledError:
            log.append("the wait is cancelled")

    async def main(loop):
        work = loop.create_task(_job(aio, log, "the work", 3))
        task = loop.create_task(waits(work))
        await aio.sleep(1)
        task.cancel()
        await aio.sleep(1)
        left = len(work._callbacks)
        await aio.sleep(4)
        return left

    loop = play(aio, main)
    sentence = "The wait was cancelled, and the work was cancelled too: await another future."
    same(log, Events(["the wait is cancelled", "the work ends"]), sentence)
    reports = [context["message"].split("(")[0] for context in loop.reports]
    same(reports, [], "An outer future that was cancelled meanwhile is left alone.")
    same(loop.result, 0, "An outer future that is done takes its callback back from the work.")


@SHIELD.check("both may end in the same turn")
def _(aio):
    async def main(loop):
        work = loop.create_future()
        outer = aio.shield(work)
        work.set_result(None)
        outer.cancel()
        await aio.suspend()
        await aio.suspend()

    reports = [context["message"].split("(")[0] for context in play(aio, main).reports]
    same(reports, [], "An outer future that was cancelled meanwhile is left alone.")


@SHIELD.check("it fails as the work fails")
def _(aio):
    log = Events()

    async def main(loop):
        try:
            async with aio.timeout(10):
                await aio.shield(_job(aio, log, "A", 1, True))
        except (ValueError, TimeoutError) as error:
            return repr(error)

    sentence = "The outer one ends with its exception: `outer.set_exception`."
    same(play(aio, main).result, "ValueError('A')", sentence)


@SHIELD.check("it is cancelled when the work is cancelled itself")
def _(aio):
    async def main(loop):
        work = loop.create_task(aio.sleep(10))
        loop.call_later(1, work.cancel)
        try:
            async with aio.timeout(20):
                await aio.shield(work)
        except (aio.CancelledError, TimeoutError) as error:
            return type(error).__name__

    sentence = "When the work is cancelled itself, so is the outer one: `outer.cancel()`."
    same(play(aio, main).result, "CancelledError", sentence)


GROUP = Exercise(
    name="task-group",
    lesson="09",
    title="One for all: when one fails, the group ends",
    lines=14,
    module="waiting",
    builds=("TaskGroup._abort", "TaskGroup._task_is_done"),
    stub="""
class TaskGroup:
    # self._tasks: those that run, as a dict; self._errors: what they raised; self._parent: the task
    # the block stands in
    def _abort(self):
        # about 3 lines: self._aborting is true; cancel each task
        ...

    def _task_is_done(self, task):
        # about 10 lines, called when a task ends. Take it out of self._tasks. If none is left, and
        # the block waits for that (self._all_done is a future):
        # set_result_unless_cancelled(self._all_done).
        # Cancelled or without an exception: that was all. Else keep the error; the first one
        # (nothing is aborting, self._parent_cancel_requested is False) aborts the group, and
        # cancels the parent, so that the block ends: self._parent_cancel_requested = True
        ...
""",
    hints=(
        "A task that was cancelled is not an error: `task.cancelled()` first, then "
        "`task.exception()`.",
        "The block may be waiting for something else than the group's tasks. So the parent is "
        "cancelled too; `__aexit__` takes that back.",
        "`self._errors.append(task.exception())`, then, only the first time, `self._abort()`, the "
        "mark, and `self._parent.cancel()`.",
    ),
    wrong=(
        Wrong(change=("            self._parent.cancel()\n", ""), says="The block runs on"),
        Wrong(
            change=("        self._errors.append(task.exception())\n", ""), says="Keep the error"
        ),
        Wrong(
            change=(
                "            set_result_unless_cancelled(self._all_done)\n",
                "            pass\n",
            ),
            says="release `self._all_done`",
        ),
        Wrong(
            change=("task.cancelled() or task.exception() is None", "task.exception() is None"),
            says="A task that was cancelled has no exception",
        ),
        Wrong(
            change=("if not self._aborting and not self._parent_cancel_requested:", "if True:"),
            says="only the first",
        ),
        Wrong(
            change=("if not self._aborting and not self", "if not self"),
            says="ends already: do not cancel",
        ),
        Wrong(change=("        self._tasks.pop(task)\n", ""), says="Take it out"),
        Wrong(
            "class TaskGroup:\n    def _abort(self):\n        self._aborting = True\n",
            "The others are cancelled",
        ),
        Wrong(change=("        self._aborting = True\n", ""), says="takes no new tasks"),
        Wrong(change=("            self._abort()\n", ""), says="Abort the group before"),
    ),
    right=(
        """
class TaskGroup:
    def _task_is_done(self, task):
        del self._tasks[task]
        if not self._tasks and self._all_done is not None:
            set_result_unless_cancelled(self._all_done)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._errors.append(error)
            if not (self._aborting or self._parent_cancel_requested):
                self._parent_cancel_requested = True
                self._abort()
                self._parent.cancel()
""",
        """
class TaskGroup:
    def _abort(self):
        for task in list(self._tasks):
            task.cancel()
        self._aborting = True
""",
        """
class TaskGroup:
    def _task_is_done(self, task):
        if not task.cancelled() and task.exception():
            self._errors.append(task.exception())
            if not self._aborting:
                self._abort()
                self._parent.cancel()
                self._parent_cancel_requested = True
        self._tasks.pop(task, None)
        if self._tasks or self._all_done is None:
            return
        if not self._all_done.done():
            self._all_done.set_result(None)
""",
    ),
)


def _group(aio, jobs, block=0):
    """Run jobs (name, seconds, fails) in a group whose block sleeps `block` seconds."""
    log = Events()

    async def main(loop):
        try:
            async with aio.timeout(50):
                async with aio.TaskGroup() as group:
                    for job in jobs:
                        group.create_task(_job(aio, log, *job))
                    try:
                        await aio.sleep(block)
                    except aio.CancelledError:
                        log.append("the block is cancelled")
                        raise
        except* ValueError as errors:
            log.append(f"errors: {', '.join(map(str, errors.exceptions))}")
        except* TimeoutError:
            log.append("too late")
        log.append(f"at {loop.time():g}")
        log.append(f"{aio.current_task().cancelling()} cancels left")

    loop = play(aio, main)
    return log, loop


@GROUP.check("the block ends when all tasks have ended", "Take it out of `self._tasks`.")
def _(aio):
    log, _ = _group(aio, [("A", 2), ("B", 1)])
    expected = Events(["B ends", "A ends", "at 2", "0 cancels left"])
    sentence = "The block ends when none is left. Take it out of `self._tasks`, and release "
    same(log, expected, f"{sentence}`self._all_done`.")


@GROUP.check("when one fails the others are cancelled, and the error comes out of the block")
def _(aio):
    log, loop = _group(aio, [("A", 9), ("B", 1, True)])
    expected = Events(["B ends", "A is cancelled", "errors: B", "at 1", "0 cancels left"])
    sentence = "The others are cancelled when one fails: `self._abort()`, which cancels each task."
    if "A is cancelled" in log and "errors: B" not in log:
        sentence = "Keep the error in `self._errors`: the block raises them as a group."
    same(log, expected, sentence)
    sentence = "A task that was cancelled has no exception to ask for: `task.cancelled()` first."
    same([context["message"].split("(")[0] for context in loop.reports], [], sentence)


@GROUP.check("the block itself is cancelled, wherever it waits, after the other tasks")
def _(aio):
    log, _ = _group(aio, [("A", 1, True), ("B", 5)], block=30)
    expected = ["A ends", "B is cancelled", "the block is cancelled", "errors: A", "at 1"]
    expected.append("0 cancels left")
    sentence = "The block runs on although the group has failed: cancel the parent, and mark it."
    if log[1:3] == ["the block is cancelled", "B is cancelled"]:
        sentence = "Abort the group before you cancel the parent: `self._abort()`."
    same(log, Events(expected), sentence)


@GROUP.check(
    "several errors come out together, and the parent was cancelled once",
    "It is only the first error that cancels the parent.",
)
def _(aio):
    log, _ = _group(aio, [("A", 1, True), ("B", 1, True), ("C", 5)], block=30)
    expected = [
        "A ends",
        "B ends",
        "C is cancelled",
        "errors: A, B",
        "at 1",
        "0 cancels left",
    ]
    yours = Events(e for e in log if e != "the block is cancelled")
    sentence = "It is only the first error that aborts, and cancels the parent; each one is kept."
    same(yours, Events(expected), sentence)


@GROUP.check("a group that ends takes no new tasks")
def _(aio):
    log = Events()

    async def main(loop):
        late = aio.sleep(1)
        try:
            async with aio.TaskGroup() as group:
                group.create_task(_job(aio, log, "A", 1, True))
                try:
                    await aio.sleep(9)
                except aio.CancelledError:
                    group.create_task(late)
                    log.append("B was taken")
                    raise
        except* RuntimeError:
            log.append("B is refused")
        except* ValueError:
            pass
        late.close()

    play(aio, main)
    sentence = "A group that ends takes no new tasks: set `self._aborting` in `_abort`."
    same(log, Events(["A ends", "B is refused"]), sentence)


@GROUP.check("a group that ends already is not aborted again")
def _(aio):
    log = Events()

    async def tidies_up(name, seconds, error=None):
        try:
            await aio.sleep(30)
        finally:
            await aio.sleep(seconds)
            log.append(f"{name} has tidied up")
            if error:
                raise error

    async def block():
        async with aio.TaskGroup() as group:
            group.create_task(tidies_up("A", 1, ValueError("A")))
            group.create_task(tidies_up("B", 2))
            await aio.sleep(30)

    async def main(loop):
        task = loop.create_task(block())
        await aio.sleep(1)
        task.cancel()  # from outside: no task of the group has failed
        await aio.wait([task])
        log.append(type(task.exception()).__name__)

    play(aio, main)
    sentence = "The group ends already: do not cancel its tasks again while they tidy up."
    expected = ["A has tidied up", "B has tidied up", "ExceptionGroup"]
    same(log, Events(expected), sentence)


REPAIR = Exercise(
    name="sequential-repair",
    lesson="09",
    title="Three seconds for what takes two: start both, then wait",
    lines=6,
    builds=("hello",),
    stub="""
async def world():
    await aio.sleep(2)
    return "world!"

# `world` needs 2 seconds, the greeting 1. Together that should be 2, and it is 3.
async def hello(log):
    await aio.sleep(1)
    log.append("Hello ")
    log.append(await world())
""",
    solution="""
async def world():
    await aio.sleep(2)
    return "world!"

async def hello(log):
    task = aio.create_task(world())
    await aio.sleep(1)
    log.append("Hello ")
    log.append(await task)
""",
    hints=(
        "When does `world` begin to run?",
        "`await world()` starts it, and waits for it, there. It could be started earlier.",
        "`task = aio.create_task(world())` as the first line, and `await task` where its result is "
        "needed.",
    ),
    wrong=(
        Wrong(
            """
async def hello(log):
    coro = world()
    await aio.sleep(1)
    log.append("Hello ")
    log.append(await coro)
""",
            "nothing has begun",
        ),
        Wrong(
            change=("    await aio.sleep(1)\n", ""), says="Keep the second that the greeting takes"
        ),
        Wrong(change=("log.append(await task)", "log.append(task)"), says="Await the task"),
        Wrong(
            """
async def hello(log):
    await world()
    await aio.sleep(1)
    log.append("Hello ")
    log.append("world!")
""",
            "one after the other",
        ),
        Wrong(
            """
async def hello(log):
    _, answer = await aio.gather(aio.sleep(1), world())
    log.append("Hello ")
    log.append(answer)
""",
            "after 1 second",
        ),
        Wrong(
            """
async def hello(log):
    await aio.sleep(1), world()
    log.append("Hello ")
    log.append("world!")
""",
            "waits for `world`",
        ),
    ),
    right=(
        """
async def hello(log):
    async with aio.TaskGroup() as group:
        task = group.create_task(world())
        await aio.sleep(1)
        log.append("Hello ")
    log.append(task.result())
""",
        """
async def greet(log):
    await aio.sleep(1)
    log.append("Hello ")

async def hello(log):
    answer, _ = await aio.gather(world(), greet(log))
    log.append(answer)
""",
        """
async def hello(log):
    task = aio.ensure_future(world())
    await aio.wait([task], timeout=1)
    log.append("Hello ")
    await aio.wait([task])
    log.append(task.result())
""",
    ),
)


class _Stamped(Events):
    """A log whose entries carry the time."""

    def __init__(self, loop):
        super().__init__()
        self.loop = loop

    def append(self, what):
        text = what if isinstance(what, str) else f"a {type(what).__name__}"
        super().append(f"{text!r} at {self.loop.time():g}")


@REPAIR.check("'Hello ' after 1 second, 'world!' after 2")
def _(cell):
    held = {}

    async def main(loop):
        held["log"] = log = _Stamped(loop)
        await cell.hello(log)

    play(cell.aio, main)
    log = held["log"]
    sentence = "They wait one after the other: start `world` as a task before you sleep."
    if log and log[0] == "'Hello ' at 0":
        sentence = "Keep the second that the greeting takes."
    elif log and "a Task" in log[-1]:
        sentence = "Await the task: its result is what `world` returns."
    elif log and log[0] == "'Hello ' at 2":
        sentence = "The greeting comes after 1 second: it need not wait for `world`."
    elif log == ["'Hello ' at 1", "'world!' at 1"]:
        raise Refused(
            "No task waits for `world`: `await a, b` awaits only `a`, and makes a tuple.",
            log,
            Events(["'Hello ' at 1", "'world!' at 2"]),
        )
    elif log == ["'Hello ' at 1", "'world!' at 3"]:
        sentence = "Calling `world()` makes a coroutine: nothing has begun. Make a task of it."
    same(Events(log), Events(["'Hello ' at 1", "'world!' at 2"]), sentence)


@REPAIR.shown
def _(cell):
    return film(cell.aio, lambda loop: cell.hello([]))


@GATHER.shown
def _(aio):
    async def main(loop):
        await aio.gather(*(_job(aio, [], name, n) for name, n in (("A", 3), ("B", 1), ("C", 2))))

    return film(aio, main)
