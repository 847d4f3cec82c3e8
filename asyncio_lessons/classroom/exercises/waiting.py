"""Lesson 09: waiting for a time, for many, for one of many, and not too long."""

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, Refused, holds, same
from ..checking.stage import film, play

SLEEP = Exercise(
    name="sleep",
    lesson="09",
    title="Let others run for a while",
    lines=6,
    module="waiting",
    builds=("sleep",),
    stub='''
async def sleep(delay, result=None):
    """Let others run for `delay` seconds, or for one turn if it is not above nought."""
    # about 5 lines: await suspend() takes one turn; get_running_loop()._set_alarm(delay) is a
    # future that is done after `delay` seconds. Return `result`.
    ...
''',
    hints=(
        "Two cases: nought (or less), and a time.",
        "`await suspend()` gives way once. An alarm is a future like any other: await it.",
        "`if delay <= 0: await suspend()`, `else: await get_running_loop()._set_alarm(delay)`, "
        "then `return result`.",
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
    get_running_loop()._set_alarm(delay)
    return result
""",
            "Nobody waits for the alarm",
        ),
        Wrong(
            """
async def sleep(delay, result=None):
    if delay <= 0:
        await suspend()
    else:
        await get_running_loop()._set_alarm(delay)
""",
            "Return `result`",
        ),
        Wrong(
            """
async def sleep(delay, result=None):
    if delay <= 0:
        return result
    await get_running_loop()._set_alarm(delay)
    return result
""",
            "takes one turn",
        ),
        Wrong(
            """
async def sleep(delay, result=None):
    await get_running_loop()._set_alarm(delay)
    return result
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
    ),
)


@SLEEP.check("it takes its time, and no turns")
def _(aio):
    async def main(loop):
        await aio.sleep(3600)
        return loop.time()

    loop = play(aio, main)
    sentence = "Nobody waits for the alarm: `await` it."
    same(loop.result, 3600.0, sentence)
    holds(loop.turns < 8, "The loop turned more than it needs.", f"{loop.turns} turns", "under 8")


@SLEEP.check("it returns what it was given")
def _(aio):
    async def main(loop):
        return [await aio.sleep(1, "later"), await aio.sleep(0, "now"), await aio.sleep(1)]

    same(play(aio, main).result, ["later", "now", None], "Return `result` in both cases.")


@SLEEP.check("two who sleep, sleep at the same time")
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
    same(log, Events(["B wakes at 1", "A wakes at 2"]), "Others run while one sleeps.")


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
        waiting = loop.create_future()
        loop.call_later(10, waiting.set_result, None)
        await waiting
        return task.cancelled()

    loop = play(aio, main)
    same(loop.result, True, "A task that sleeps can be cancelled.")
    sentence = "A sleep that is cancelled must take its timer away: an alarm does that itself."
    same([r["message"].split("(")[0] for r in loop.reports], [], sentence)


_CHILD = """
class Gathering:
    def _child_is_done(self, child):
        self._left -= 1
        failed = child.cancelled() or child.exception() is not None
        if self.done():
            return
        if failed and not self._return_exceptions:
            self.set_exception(_error_of(child))
        elif not self._left and self._cancel_requested:
            self.set_exception(child._make_cancelled_error())
        elif not self._left:
            self.set_result([_outcome(each) for each in self._children])
"""

GATHER = Exercise(
    name="gather",
    lesson="09",
    title="Gather the results of many",
    lines=17,
    module="waiting",
    builds=("Gathering._child_is_done", "Gathering.cancel"),
    stub="""
class Gathering(Future):
    # What gather() returns. self._children: the futures, in the order given; self._left: how many
    # have not ended. _error_of(child) is its exception or CancelledError; _outcome(child) is that,
    # or its result.
    def _child_is_done(self, child):
        # about 11 lines: one less is left. Look at child.exception(), unless it was cancelled: then
        # it counts as seen. A gathering that is done stays as it is. The first failure is handed on
        # at once, unless self._return_exceptions. When none is left: the list of all outcomes; or
        # CancelledError, if self._cancel_requested.
        ...

    def cancel(self, msg=None):
        # about 5 lines: False if it is done; cancel each child; True if any could be, and then
        # self._cancel_requested is set. It is not done itself before its children are.
        ...
""",
    hints=(
        "Each child calls `_child_is_done` when it ends, in the order of ending. The results come "
        "in the order of `self._children`.",
        "A failure ends the gathering (`self.set_exception`), and cancels nobody: the other "
        "children go on, and end later, when the gathering is done already.",
        "After the count: `failed = child.cancelled() or child.exception() is not None`; return if "
        "`self.done()`; failed and not `_return_exceptions`: `self.set_exception("
        "_error_of(child))`; else, when none is left, CancelledError or the list.",
    ),
    wrong=(
        Wrong(
            _CHILD.replace("        self._left -= 1\n", ""),
            "nothing is left that could wake",
        ),
        Wrong(
            _CHILD.replace(
                "            self.set_exception(_error_of(child))\n",
                "            for other in self._children:\n                other.cancel()\n"
                "            self.set_exception(_error_of(child))\n",
            ),
            "cancels nobody",
        ),
        Wrong(
            _CHILD.replace("if failed and not", "if failed and not self._left and not"),
            "at once",
        ),
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
            _CHILD.replace("_outcome(each) for", "each.result() for"),
            "stand in the list",
        ),
        Wrong(
            _CHILD.replace("not self._left and self._cancel_requested", "self._cancel_requested"),
            "before its children",
        ),
        Wrong(
            _CHILD.replace("[_outcome(each) for each in self._children]", "child.result()"),
            "list of all results",
        ),
        Wrong(
            """
class Gathering:
    def cancel(self, msg=None):
        return Future.cancel(self, msg)
""",
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

    results, at = play(aio, main).result
    same(results, ["A", "B", "C"], "The list of all results, in the order of `self._children`.")
    same(at, 3.0, "It ends when the last child has ended.")


@GATHER.check("the first failure is handed on at once, and the others go on")
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
        await aio.sleep(4)

    loop = play(aio, main)
    sentence = "A failure is handed on at once: others may take long."
    if "A is cancelled" in log:
        sentence = "A failure cancels nobody: the other children go on."
    expected = Events(["B ends", "gather raises B at 1", "C ends", "A ends"])
    same(log, expected, sentence)
    reports = [context["message"] for context in loop.reports]
    sentence = "A gathering that is done already stays as it is: return, and set nothing again."
    same(reports, [], sentence)


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


_WAIT = """
async def _wait_until(futures, return_when, timeout):
    left = set(futures)
    loop = get_running_loop()
    waiter = loop.create_future()
    timer = None if timeout is None else loop.call_later(timeout, _release, waiter)

    def on_completion(future):
        left.discard(future)
        failed = not future.cancelled() and future.exception() is not None
        if not left or return_when == FIRST_COMPLETED or return_when == FIRST_EXCEPTION and failed:
            _release(waiter)

    for future in futures:
        future.add_done_callback(on_completion)
    try:
        await waiter
    finally:
        if timer is not None:
            timer.cancel()
        for future in futures:
            future.remove_done_callback(on_completion)
"""

WAIT = Exercise(
    name="wait",
    lesson="09",
    title="Wait for all, for one, or for so long",
    lines=20,
    module="waiting",
    builds=("_wait_until",),
    stub='''
async def _wait_until(futures, return_when, timeout):
    """Wait until all of `futures` are done, or one, or one has failed, or the time is up."""
    left = set(futures)
    waiter = get_running_loop().create_future()
    # about 17 lines: have yourself called when each is done (add_done_callback). It is enough when
    # none is left, or return_when is FIRST_COMPLETED, or it is FIRST_EXCEPTION and this one failed:
    # _release(waiter) sets its result, once. A timer does the same after `timeout` seconds, unless
    # that is None. Await the waiter; at the end take the timer and all callbacks back.
    ...
''',
    hints=(
        "There is one future to await, the waiter. Callbacks and a timer decide when it is done.",
        "The callback takes its future out of `left` (`left.discard(future)`), then looks whether "
        "it is enough.",
        "`loop.call_later(timeout, _release, waiter)`; `try: await waiter`; `finally:` cancel the "
        "timer, and `remove_done_callback` from every future.",
    ),
    wrong=(
        Wrong(
            """
async def _wait_until(futures, return_when, timeout):
    for future in futures:
        await future
""",
            "raises nothing of theirs",
        ),
        Wrong(
            """
async def _wait_until(futures, return_when, timeout):
    while not all(future.done() for future in futures):
        await suspend()
""",
            "asking again and again",
        ),
        Wrong(
            _WAIT.replace("        left.discard(future)\n", ""),
            "release the waiter when none is left",
        ),
        Wrong(
            _WAIT.replace(" or return_when == FIRST_COMPLETED", ""),
            "FIRST_COMPLETED: the first",
        ),
        Wrong(
            _WAIT.replace("return_when == FIRST_EXCEPTION and failed", "False"),
            "FIRST_EXCEPTION: the first",
        ),
        Wrong(_WAIT.replace("_release(waiter)", "waiter.set_result(None)"), "set its result once"),
        Wrong(
            _WAIT.replace(
                "            future.remove_done_callback(on_completion)\n",
                "            pass\n",
            ),
            "Take your callbacks back",
        ),
        Wrong(
            _WAIT.replace("            timer.cancel()\n", "            pass\n"),
            "Cancel the timer",
        ),
        Wrong(
            _WAIT.replace(
                "            timer.cancel()\n",
                "            timer.cancel()\n        [future.cancel() for future in left]\n",
            ),
            "`wait` cancels nothing",
        ),
        Wrong(
            _WAIT.replace(
                "None if timeout is None else loop.call_later(timeout, _release, waiter)", "None"
            ),
            "the time is up",
        ),
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
        timers = [t for _, t in loop._scheduled if not t._cancelled]
        waiting = len(timers) - len(pending)
        await aio.sleep(5)
        if tasks["C"].done() and not tasks["C"].cancelled():
            tasks["C"].exception()
        return names, at, left, waiting

    sentence = "`wait` raises nothing of theirs: it waits, and looks at no result."
    try:
        loop = play(aio, main)
    except ValueError:
        holds(False, sentence)
    except TimeoutError:
        holds(False, "It waits for ever: release the waiter when none is left.")
    return log, loop


@WAIT.check("without more it waits for all, and raises nothing of theirs")
def _(aio):
    log, loop = _wait(aio)
    names, at, *_ = loop.result
    same(log, Events(["B ends", "C ends", "A ends"]), "All go on until they end.")
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


@WAIT.check("after `timeout` seconds it returns, and cancels nothing")
def _(aio):
    log, loop = _wait(aio, timeout=1.5)
    names, at, *_ = loop.result
    same((names, at), ([["B"], ["A", "C"]], 1.5), "It returns when the time is up: set a timer.")
    same(log, Events(["B ends", "C ends", "A ends"]), "`wait` cancels nothing: all go on.")


@WAIT.check("it leaves no callback and no timer behind")
def _(aio):
    _, loop = _wait(aio, return_when=aio.FIRST_COMPLETED, timeout=50)
    _, _, left, waiting = loop.result
    same(left, 0, "Take your callbacks back at the end: `remove_done_callback`.")
    same(waiting, 0, "Cancel the timer at the end: the time has not been needed.")


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
    sentence = "Two can end in one turn: set its result once, `_release(waiter)`."
    same([context["message"].split("(")[0] for context in loop.reports], [], sentence)


_TIMEOUT = """
class Timeout:
    async def __aexit__(self, kind, error, traceback):
        if self._timer is not None:
            self._timer.cancel()
        if self._state == "active":
            self._state = "finished"
        elif self._state == "expiring":
            self._state = "expired"
            if self._task.uncancel() <= self._cancelling and isinstance(error, CancelledError):
                raise TimeoutError from error
"""

TIMEOUT = Exercise(
    name="timeout",
    lesson="09",
    title="Cancel your own task when the time is up, and own up to it",
    lines=17,
    module="waiting",
    builds=("Timeout._on_timeout", "Timeout.__aenter__", "Timeout.__aexit__"),
    stub="""
class Timeout:
    def _on_timeout(self):
        # about 2 lines: cancel self._task; self._state is "expiring"
        ...

    async def __aenter__(self):
        # about 6 lines: self._task = current_task(), self._state = "active"; note in
        # self._cancelling how many cancels were asked for before (self._task.cancelling());
        # self.reschedule(self._when) sets the timer; return self
        ...

    async def __aexit__(self, kind, error, traceback):
        # about 9 lines: cancel self._timer, if there is one. "active" becomes "finished".
        # "expiring" becomes "expired": take your cancel back (self._task.uncancel()); if no more
        # are left than before, and the error is a CancelledError, raise TimeoutError from it
        ...
""",
    hints=(
        "Nobody can throw an exception into another task. One can only ask it to stop: cancel.",
        "So the block ends with CancelledError. Only `__aexit__` knows whether that was ours, and "
        "turns it into TimeoutError.",
        "`if self._task.uncancel() <= self._cancelling and isinstance(error, CancelledError): "
        "raise TimeoutError from error`, only when `_state` was expiring.",
    ),
    wrong=(
        Wrong(
            "class Timeout:\n    def _on_timeout(self):\n        raise TimeoutError\n",
            "raised in a callback reaches nobody",
        ),
        Wrong(
            """
class Timeout:
    def _on_timeout(self):
        self._task.cancel()
""",
            "TimeoutError",
        ),
        Wrong(
            """
class Timeout:
    async def __aenter__(self):
        self._state = "active"
        self._task = current_task()
        self._cancelling = self._task.cancelling()
        return self
""",
            "set the timer",
        ),
        Wrong(
            """
class Timeout:
    async def __aenter__(self):
        self._state = "active"
        self._task = current_task()
        self._cancelling = self._task.cancelling()
        self.reschedule(self._when)
""",
            "`as` gets",
        ),
        Wrong(
            _TIMEOUT.replace("            self._timer.cancel()\n", "            pass\n"),
            "after its block",
        ),
        Wrong(
            _TIMEOUT.replace("self._task.uncancel() <= self._cancelling and ", ""),
            "Take your cancel back",
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
            "somebody else's",
        ),
        Wrong(
            _TIMEOUT.replace(" and isinstance(error, CancelledError)", ""),
            "Another error",
        ),
        Wrong(
            _TIMEOUT.replace(
                "                raise TimeoutError from error\n", "                return True\n"
            ),
            "TimeoutError",
        ),
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
        log.append(f"at {loop.time():g}")
        if limit is None or not limit.expired():
            log.append("not expired")

    log, loop = _timed(aio, program)
    sentence = "The block ends with TimeoutError: raise it in `__aexit__`, from the CancelledError."
    if log[-1] == "not expired" and log[0] == "no error":
        sentence = "`self.reschedule(self._when)` must set the timer."
        if loop.reports:
            sentence = "An error that is raised in a callback reaches nobody: cancel the task."
    elif log[0] == "TimeoutError" and log[-1] == "not expired":
        sentence = "What follows `as` gets what `__aenter__` returns: return self."
    same(log, Events(["TimeoutError", "at 2"]), sentence)


@TIMEOUT.check("a block that is quick enough is not touched, nor what comes after it")
def _(aio):
    async def program(loop, log):
        async with aio.timeout(2):
            await aio.sleep(1)
        log.append(f"block ends at {loop.time():g}")
        try:
            await aio.sleep(5)
            log.append(f"and goes on until {loop.time():g}")
        except aio.CancelledError:
            log.append("cancelled after the block")

    log, _ = _timed(aio, program)
    sentence = "It cancels the task after its block: cancel the timer in `__aexit__`."
    same(log, Events(["block ends at 1", "and goes on until 6"]), sentence)


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


@TIMEOUT.check("somebody else's cancel stays a cancel")
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
    sentence = "This was somebody else's cancel, not the timer's: look at `self._state`."
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


_SHIELD = """
def shield(arg):
    inner = ensure_future(arg)
    if inner.done():
        return inner
    outer = inner.get_loop().create_future()

    def inner_is_done(inner):
        if outer.cancelled():
            return
        if inner.cancelled():
            outer.cancel()
        elif inner.exception() is not None:
            outer.set_exception(inner.exception())
        else:
            outer.set_result(inner.result())

    inner.add_done_callback(inner_is_done)
    return outer
"""

SHIELD = Exercise(
    name="shield",
    lesson="09",
    title="Let the wait be cancelled, and not the work",
    lines=18,
    module="waiting",
    builds=("shield",),
    stub='''
def shield(arg):
    """Return a future of `arg` that can be cancelled without cancelling `arg`."""
    inner = ensure_future(arg)
    # about 16 lines: one that is done is returned as it is. Else an outer future (of the loop
    # inner.get_loop()), which ends as the inner one ends: with its result, its exception, or
    # cancelled. An outer one that was cancelled meanwhile is left alone.
    ...
''',
    hints=(
        "Two futures: the inner one does the work, the outer one is what the caller awaits.",
        "Nothing leads from the outer one to the inner one, so a cancel stops there.",
        "A callback on the inner one: return if `outer.cancelled()`; else `outer.cancel()`, "
        "`outer.set_exception(...)` or `outer.set_result(...)`, as the inner one ended.",
    ),
    wrong=(
        Wrong("def shield(arg):\n    return ensure_future(arg)\n", "the work was cancelled too"),
        Wrong(
            "async def shield(arg):\n    return await ensure_future(arg)\n",
            "an ordinary function",
        ),
        Wrong(
            _SHIELD.replace("    inner.add_done_callback(inner_is_done)\n", ""),
            "nothing is left that could wake",
        ),
        Wrong(
            _SHIELD.replace("        if outer.cancelled():\n            return\n", ""),
            "is left alone",
        ),
        Wrong(
            _SHIELD.replace(
                """        elif inner.exception() is not None:
            outer.set_exception(inner.exception())
""",
                "",
            ),
            "its exception",
        ),
        Wrong(
            _SHIELD.replace(
                """        if inner.cancelled():
            outer.cancel()
        elif""",
                "        if",
            ),
            "is cancelled itself",
        ),
        Wrong(
            _SHIELD.replace(
                "            outer.set_result(inner.result())\n",
                "            outer.set_result(None)\n",
            ),
            "its result",
        ),
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
        return await shielded, await aio.shield(done)

    same(play(aio, main).result, ("A", "at once"), "The outer one ends with its result.")


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
        await aio.sleep(5)

    loop = play(aio, main)
    sentence = "The wait was cancelled, and the work was cancelled too: await another future."
    same(log, Events(["the wait is cancelled", "the work ends"]), sentence)
    reports = [context["message"].split("(")[0] for context in loop.reports]
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


_GROUP = """
class TaskGroup:
    def _task_is_done(self, task):
        self._tasks.pop(task, None)
        if self._all_done is not None and not self._tasks:
            _release(self._all_done)
        if task.cancelled() or task.exception() is None:
            return
        self._errors.append(task.exception())
        if not self._aborting and not self._parent_cancel_requested:
            self._abort()
            self._parent_cancel_requested = True
            self._parent.cancel()
"""

GROUP = Exercise(
    name="task-group",
    lesson="09",
    title="One for all: when one fails, the group ends",
    lines=18,
    module="waiting",
    builds=("TaskGroup._abort", "TaskGroup._task_is_done"),
    also=("TaskGroup._note_base_error",),
    stub="""
class TaskGroup:
    # self._tasks: those that run, as a dict; self._errors: what they raised; self._parent: the task
    # the block stands in
    def _abort(self):
        # about 3 lines: self._aborting is true; cancel each task
        ...

    def _task_is_done(self, task):
        # about 11 lines, called when a task ends. Take it out of self._tasks. If nobody is left,
        # and the block waits for that (self._all_done is a future), _release(self._all_done).
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
        "`self._errors.append(error)`, then, only the first time, `self._abort()`, the mark, and "
        "`self._parent.cancel()`.",
    ),
    wrong=(
        Wrong(
            _GROUP.replace("            self._parent.cancel()\n", ""),
            "The block goes on",
        ),
        Wrong(
            _GROUP.replace("        self._errors.append(task.exception())\n", ""),
            "Keep the error",
        ),
        Wrong(
            _GROUP.replace("            _release(self._all_done)\n", "            pass\n"),
            "release `self._all_done`",
        ),
        Wrong(
            _GROUP.replace("task.cancelled() or ", ""),
            "A task that was cancelled has no exception",
        ),
        Wrong(
            _GROUP.replace(
                "        if not self._aborting and not self._parent_cancel_requested:\n",
                "        if True:\n",
            ),
            "only the first",
        ),
        Wrong(
            _GROUP.replace("        self._tasks.pop(task, None)\n", ""),
            "Take it out",
        ),
        Wrong(
            "class TaskGroup:\n    def _abort(self):\n        self._aborting = True\n",
            "The others are cancelled",
        ),
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


@GROUP.check("the block itself is cancelled, wherever it waits")
def _(aio):
    log, _ = _group(aio, [("A", 1, True)], block=30)
    expected = ["A ends", "the block is cancelled", "errors: A", "at 1", "0 cancels left"]
    sentence = "The block goes on although the group has failed: cancel the parent, and mark it."
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
            """
async def hello(log):
    log.append("Hello ")
    log.append(await world())
""",
            "Keep the second that the greeting takes",
        ),
        Wrong(
            """
async def hello(log):
    task = aio.create_task(world())
    await aio.sleep(1)
    log.append("Hello ")
    log.append(task)
""",
            "Await the task",
        ),
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
            "Nobody waits for `world`: `await a, b` awaits only `a`, and makes a tuple.",
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
