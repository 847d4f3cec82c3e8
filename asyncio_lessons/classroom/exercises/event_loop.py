"""Lesson 07: one turn of the loop, time, and running to an end."""

import contextvars
import types

from ..checking.catalog import CANNOT_AWAIT, Exercise, Wrong
from ..checking.expect import Events, Refused, holds, raises, same
from ..checking.stage import film, play, quiet_loop, sleep_on

_ONCE = """
class BaseEventLoop:
    def _run_once(self):
        self._drop_cancelled_timers()
        if self._ready or self._stopping:
            timeout = 0
        elif self._scheduled:
            timeout = max(0, self._scheduled[0][0] - self.time())
        else:
            timeout = None
        self._select(timeout)
        self._ring_timers()
        for _ in range(len(self._ready)):
            self._ready.popleft()._run()
"""

TURN = Exercise(
    name="loop-turn",
    lesson="07",
    title="Build one turn of the loop, and the way into its queue",
    lines=16,
    module="event_loop",
    builds=("BaseEventLoop.call_soon", "BaseEventLoop._run_once"),
    stub="""
class BaseEventLoop:
    def call_soon(self, callback, *args, context=None):
        # about 3 lines: a Handle(callback, args, self, context) at the end of self._ready
        ...

    def _run_once(self):
        # about 12 lines
        # 1  self._drop_cancelled_timers()
        # 2  how long to sleep: nought if something is ready, or the loop is self._stopping; else
        #    until the first of self._scheduled (a heap of pairs: when, timer); else None, for ever
        # 3  self._select(timeout), which sleeps; then self._ring_timers(), which makes ready what
        #    is due
        # 4  run what is ready now; what is added meanwhile waits for the next turn
        ...
""",
    hints=(
        "`call_soon` makes the handle, appends it, and returns it, so that it can be cancelled.",
        "The first of a heap is at index 0: it is due in `self._scheduled[0][0] - self.time()` "
        "seconds, and never in less than nought.",
        "Count what is ready before you run any of it: `for _ in range(len(self._ready)):` "
        "`self._ready.popleft()._run()`.",
    ),
    wrong=(
        Wrong(
            """
class BaseEventLoop:
    def call_soon(self, callback, *args, context=None):
        callback(*args)
""",
            "puts it into the queue, and runs nothing",
        ),
        Wrong(
            """
class BaseEventLoop:
    def call_soon(self, callback, *args, context=None):
        self._ready.append(Handle(callback, args, self, context))
""",
            "Return the handle",
        ),
        Wrong(
            """
class BaseEventLoop:
    def call_soon(self, callback, *args, context=None):
        handle = Handle(callback, args, self, context)
        self._ready.appendleft(handle)
        return handle
""",
            "First in, first out",
        ),
        Wrong(
            """
class BaseEventLoop:
    def call_soon(self, callback, *args, context=None):
        handle = Handle(callback, args, self)
        self._ready.append(handle)
        return handle
""",
            "context",
        ),
        Wrong(
            _ONCE.replace("for _ in range(len(self._ready)):", "while self._ready:"),
            "waits for the next turn",
        ),
        Wrong(
            _ONCE.replace("for _ in range(len(self._ready)):", "if self._ready:"),
            "all that was ready when the turn began",
        ),
        Wrong(_ONCE.replace("self._ready.popleft()", "self._ready.pop()"), "First in, first out"),
        Wrong(_ONCE.replace("timeout = 0", "timeout = None"), "Something is ready, so sleep for"),
        Wrong(
            _ONCE.replace("timeout = max(0, self._scheduled[0][0] - self.time())", "timeout = 0"),
            "asks again and again",
        ),
        Wrong(
            _ONCE.replace("self._ready or self._stopping", "self._ready"),
            "A loop that is to stop does not sleep",
        ),
        Wrong(
            _ONCE.replace("max(0, self._scheduled[0][0] - self.time())", "self._scheduled[0][0]"),
            "seconds from now",
        ),
        Wrong(
            _ONCE.replace("        self._ring_timers()\n", "") + "        self._ring_timers()\n",
            "in the same turn",
        ),
    ),
)


def _asked(aio):
    """A loop that notes how long it is asked to sleep, and does not sleep."""
    loop = quiet_loop(aio)
    loop.asked = []
    loop._select = loop.asked.append
    return loop


@TURN.check("`call_soon` puts the callback at the end of the queue, and runs nothing")
def _(aio):
    loop, events = _asked(aio), Events()
    handles = [loop.call_soon(events.append, name) for name in "ABC"]
    same(events, Events(), "`call_soon` puts it into the queue, and runs nothing itself.")
    holds(all(hasattr(h, "cancel") for h in handles), "Return the handle: it can be cancelled.")
    handles[1].cancel()
    while loop._ready:
        loop._run_once()
    same(events, Events(["A", "C"]), "First in, first out; a cancelled handle is passed over.")


@TURN.check("one turn runs what was ready when it began, in order")
def _(aio):
    loop, events = _asked(aio), Events()

    def again(name):
        events.append(name)
        if len(events) < 20:
            loop.call_soon(again, f"{name}'")

    loop.call_soon(again, "A")
    loop.call_soon(again, "B")
    loop._run_once()
    sentence = "A turn runs all that was ready when the turn began, and no more."
    if len(events) > 2:
        sentence = "What is added while a turn runs waits for the next turn: count before you run."
    if sorted(events) == ["A", "B"]:
        sentence = "First in, first out: take from the left."
    same(events, Events(["A", "B"]), sentence)
    loop._run_once()
    same(events, Events(["A", "B", "A'", "B'"]), "The next turn runs what was added, in order.")


@TURN.check("with something ready it does not sleep")
def _(aio):
    loop = _asked(aio)
    loop.call_soon(lambda: None)
    loop.call_later(5, lambda: None)
    loop._run_once()
    sentence = "Something is ready, so sleep for nought seconds."
    holds(not any(t != 0 for t in loop.asked), sentence, f"{loop.asked}", "[0]")


@TURN.check("with nothing ready it sleeps until the first timer")
def _(aio):
    loop = _asked(aio)
    loop._clock.advance(100)
    loop.call_later(7, lambda: None)
    loop.call_later(5, lambda: None)
    loop._run_once()
    yours = [round(x, 6) if isinstance(x, float) else x for x in loop.asked]
    sentence = (
        "Sleep until the first timer: `self._scheduled[0][0] - self.time()` seconds from now."
    )
    if yours == [0]:
        sentence = "With nought it asks again and again while all sleep: wait for the first timer."
    same(yours, [5.0], sentence)


@TURN.check("with nothing at all it sleeps for ever, unless it is to stop")
def _(aio):
    loop = _asked(aio)
    loop._run_once()
    same(loop.asked, [None], "With nothing ready and no timer, sleep for ever: None.")
    loop = _asked(aio)
    loop._stopping = True
    loop._run_once()
    sentence = "A loop that is to stop does not sleep: nought if `self._stopping`."
    holds(not any(t != 0 for t in loop.asked), sentence, f"{loop.asked}", "[0]")


@TURN.check("a timer that is due runs in the same turn, after what was ready")
def _(aio):
    loop, events = quiet_loop(aio), Events()
    loop.call_later(1, events.append, "timer")
    loop._clock.advance(1)
    loop.call_soon(events.append, "soon")
    loop._run_once()
    sentence = "A timer that is due runs in the same turn: `_ring_timers()` before you run any."
    same(events, Events(["soon", "timer"]), sentence)


@TURN.check("a cancelled timer wakes nobody")
def _(aio):
    loop = _asked(aio)
    loop.call_later(1, lambda: None).cancel()
    loop.call_later(9, lambda: None)
    loop._run_once()
    same(loop.asked[:1], [9.0], "Drop cancelled timers first: the loop need not wake for them.")


@TURN.check("the callback runs in the context it was given")
def _(aio):
    loop, number, seen = _asked(aio), contextvars.ContextVar("number", default=0), []
    context = contextvars.copy_context()
    context.run(number.set, 7)
    loop.call_soon(lambda: seen.append(number.get()), context=context)
    loop._run_once()
    same(seen, [7], "Hand the context on to the Handle: it is its last argument.")


_RING = """
class BaseEventLoop:
    def _ring_timers(self):
        while self._scheduled and self._scheduled[0][0] <= self.time() + self._clock.resolution:
            when, timer = heapq.heappop(self._scheduled)
            timer._scheduled = False
            self._ready.append(timer)
"""

TIMERS = Exercise(
    name="loop-timers",
    lesson="07",
    title="Give the loop a sense of time",
    lines=15,
    module="event_loop",
    builds=("BaseEventLoop.call_later", "BaseEventLoop.call_at", "BaseEventLoop._ring_timers"),
    stub="""
class BaseEventLoop:
    def call_later(self, delay, callback, *args, context=None):
        # 1 line: through call_at
        ...

    def call_at(self, when, callback, *args, context=None):
        # about 5 lines: a TimerHandle(callback, args, self, context), with timer._when = when and
        # timer._scheduled = True; pushed with its time, as (when, timer), onto the heap
        # self._scheduled (heapq.heappush); return the timer
        ...

    def _ring_timers(self):
        # about 5 lines: while the first of the heap is due, pop it (heapq.heappop), set
        # timer._scheduled = False, and put it into self._ready
        ...
""",
    hints=(
        "All time goes through `self.time()`, never through the module `time`: so a loop can have "
        "a virtual clock.",
        "`call_later(delay)` is `call_at(self.time() + delay)`.",
        "The first of a heap is `self._scheduled[0]`, the earliest. It is due if its time is not "
        "after `self.time()` (add `self._clock.resolution`: clocks are coarse).",
    ),
    wrong=(
        Wrong(
            """
class BaseEventLoop:
    def call_later(self, delay, callback, *args, context=None):
        return self.call_at(delay, callback, *args, context=context)
""",
            "from now",
        ),
        Wrong(
            """
import time

class BaseEventLoop:
    def call_later(self, delay, callback, *args, context=None):
        return self.call_at(time.monotonic() + delay, callback, *args, context=context)
""",
            "self.time()",
        ),
        Wrong(
            """
import time

class BaseEventLoop:
    def call_later(self, delay, callback, *args, context=None):
        time.sleep(delay)
        return self.call_soon(callback, *args, context=context)
""",
            "time.sleep blocks the whole loop",
        ),
        Wrong(
            """
class BaseEventLoop:
    def call_later(self, delay, callback, *args, context=None):
        self.call_at(self.time() + delay, callback, *args, context=context)
""",
            "Return the timer",
        ),
        Wrong(
            """
class BaseEventLoop:
    def call_at(self, when, callback, *args, context=None):
        timer = TimerHandle(callback, args, self, context)
        timer._when, timer._scheduled = when, True
        self._scheduled.append((when, timer))
        return timer
""",
            "the earliest first",
        ),
        Wrong(
            """
class BaseEventLoop:
    def call_at(self, when, callback, *args, context=None):
        timer = TimerHandle(callback, args, self, context)
        timer._when, timer._scheduled = when, True
        heapq.heappush(self._scheduled, timer)
        return timer
""",
            "a pair: when, and the timer",
        ),
        Wrong(
            """
class BaseEventLoop:
    def _ring_timers(self):
        if self._scheduled and self._scheduled[0][0] <= self.time():
            timer = heapq.heappop(self._scheduled)[1]
            timer._scheduled = False
            self._ready.append(timer)
""",
            "All that are due",
        ),
        Wrong(
            _RING.replace("self._ready.append(timer)", "timer._run()"),
            "into the ready queue",
        ),
        Wrong(
            """
class BaseEventLoop:
    def _ring_timers(self):
        while self._scheduled:
            timer = heapq.heappop(self._scheduled)[1]
            timer._scheduled = False
            self._ready.append(timer)
""",
            "not due yet",
        ),
        Wrong(
            _RING.replace("heapq.heappop(self._scheduled)", "self._scheduled.pop()"),
            "Pop the earliest",
        ),
    ),
)


@TIMERS.check("`call_later` sets a timer so many seconds from now")
def _(aio):
    loop = quiet_loop(aio)
    loop._clock.advance(100)
    timer = loop.call_later(5, lambda: None)
    holds(hasattr(timer, "cancel"), "Return the timer: it can be cancelled.")
    sentence = "The time is so many seconds from now: `self.time() + delay`."
    same(timer.when(), 105.0, sentence)
    same(loop.call_at(103, lambda: None).when(), 103, "`call_at` takes the moment itself.")


@TIMERS.check("timers stand in a heap, as pairs of the time and the timer")
def _(aio):
    loop = quiet_loop(aio)
    timer = loop.call_at(5, lambda: None)
    kept = loop._scheduled
    pair = len(kept) == 1 and isinstance(kept[0], tuple) and len(kept[0]) == 2
    holds(pair, "Push a pair: when, and the timer.", f"{kept!r}", "[(5, timer)]")
    holds(kept[0][1] is timer, "Push a pair: when, and the timer.", f"{kept!r}", "[(5, timer)]")
    for when in (9, 3, 7, 1):
        loop.call_at(when, lambda: None)
    same(loop._scheduled[0][0], 1, "`heapq.heappush` keeps the earliest first.")


@TIMERS.check("a timer runs when it is due, not before")
def _(aio):
    loop, events = quiet_loop(aio), Events()
    loop.call_later(5, events.append, "five")
    loop._clock.advance(4)
    loop._ring_timers()
    same(len(loop._ready), 0, "It is not due yet: leave it in the heap.")
    loop._clock.advance(1)
    loop._ring_timers()
    same(events, Events(), "A timer that is due goes into the ready queue; the turn runs it.")
    same(len(loop._ready), 1, "A timer that is due goes into the ready queue.")


@TIMERS.check("all that are due ring, the earliest first")
def _(aio):
    loop, events = quiet_loop(aio), Events()
    for when in (3, 1, 2, 9):
        loop.call_later(when, events.append, f"at {when}")
    loop._clock.advance(5)
    loop._ring_timers()
    while loop._ready:
        loop._ready.popleft()._run()
    sentence = "All that are due ring: a loop, while the first of the heap is due."
    if sorted(events) != ["at 1", "at 2", "at 3"] or events != sorted(events):
        if "at 9" in events or (len(events) == 3 and events != sorted(events)):
            sentence = "Pop the earliest: `heapq.heappop`, not the end of the list."
        if events == []:
            sentence = "Pop the earliest: `heapq.heappop`, not the end of the list."
    same(events, Events(["at 1", "at 2", "at 3"]), sentence)


@TIMERS.check("two at the same time ring in the order they were set")
def _(aio):
    loop, events = quiet_loop(aio), Events()
    loop.call_at(1, events.append, "first")
    loop.call_at(1, events.append, "second")
    loop._clock.advance(1)
    loop._run_once()
    same(events, Events(["first", "second"]), "At the same time: in the order they were set.")


@TIMERS.check("an hour passes in a moment, and the loop turns twice")
def _(aio):
    log = Events()

    async def main(loop):
        done = loop.create_future()
        loop.call_later(3600, done.set_result, "an hour")
        loop.call_later(1800, log.append, "half")
        log.append(await done)

    loop = play(aio, main)
    same(log, Events(["half", "an hour"]), "Timers ring in the order of their times.")
    same(loop.time(), 3600.0, "All time goes through `self.time()`.")
    holds(loop.turns < 10, "The loop turned more than it needs.", f"{loop.turns} turns", "under 10")


@TIMERS.check("a cancelled timer does not ring")
def _(aio):
    loop, events = quiet_loop(aio), Events()
    timer = loop.call_later(1, events.append, "rings")
    loop.call_later(2, events.append, "second")
    timer.cancel()
    loop._clock.advance(3)
    loop._run_once()
    same(events, Events(["second"]), "A cancelled timer does not ring.")


_FOREVER = """
class BaseEventLoop:
    def run_forever(self):
        self._check_closed()
        if self._thread_id is not None or running.loop is not None:
            raise RuntimeError("a loop is running")
        self._thread_id, running.loop = threading.get_ident(), self
        try:
            while True:
                self._run_once()
                if self._stopping:
                    break
        finally:
            self._thread_id = running.loop = None
            self._stopping = False
"""

RUN = Exercise(
    name="loop-run",
    lesson="07",
    title="Turn the wheel, until somebody says stop",
    lines=13,
    module="event_loop",
    builds=("BaseEventLoop.run_forever", "BaseEventLoop.stop"),
    stub="""
class BaseEventLoop:
    def run_forever(self):
        # about 12 lines. self._check_closed() raises if the loop is closed. RuntimeError if this
        # loop runs already, or another one in this thread (running.loop is not None). Then it is
        # the running loop: running.loop = self, self._thread_id = threading.get_ident(). Turn after
        # turn (self._run_once()), until self._stopping is true at the end of a turn. At the end,
        # whatever happens: both are None again, and self._stopping is False.
        ...

    def stop(self):
        # 1 line
        ...
""",
    hints=(
        "Three things can be wrong before the first turn: closed, running already, another loop "
        "running.",
        "`stop` only sets a mark. The turn it is called in goes on to its end.",
        "`try:` `while True:` `self._run_once()`, then `if self._stopping: break`; `finally:` set "
        "`self._thread_id`, `running.loop` and `self._stopping` back.",
    ),
    wrong=(
        Wrong(
            _FOREVER.replace(
                """            while True:
                self._run_once()
                if self._stopping:
                    break
""",
                """            while not self._stopping:
                self._run_once()
""",
            ),
            "takes one turn",
        ),
        Wrong(_FOREVER.replace("while True", "while self._ready"), "also when nothing is ready"),
        Wrong(
            _FOREVER.replace("if self._stopping", "if self._stopping or not self._ready"),
            "also when nothing is ready",
        ),
        Wrong(_FOREVER.replace("        self._check_closed()\n", ""), "A closed loop"),
        Wrong(
            _FOREVER.replace("running.loop is not None", "False").replace(
                "self._thread_id is not None", "False"
            ),
            "entered again from inside",
        ),
        Wrong(
            _FOREVER.replace("running.loop = threading.get_ident(), self", "_ = 1, None"),
            "the running loop of this thread",
        ),
        Wrong(_FOREVER.replace(" or running.loop is not None", ""), "Another loop"),
        Wrong(
            _FOREVER.replace("            self._stopping = False\n", ""),
            "can run again",
        ),
        Wrong(
            """
class BaseEventLoop:
    def stop(self):
        self._ready.clear()
        self._stopping = True
""",
            "goes on to its end",
        ),
        Wrong(
            """
class BaseEventLoop:
    def stop(self):
        raise StopIteration
""",
            "only sets a mark",
        ),
        Wrong(
            """
class BaseEventLoop:
    def stop(self):
        self.close()
""",
            "only sets a mark",
        ),
    ),
)


@RUN.check(
    "it turns until `stop`, and the turn goes on to its end",
    "`stop` only sets a mark: the turn goes on to its end.",
)
def _(aio):
    loop, events = quiet_loop(aio), Events()
    loop.call_soon(events.append, "first")
    try:
        loop.call_soon(loop.stop)
        loop.call_soon(events.append, "second, in the same turn")
        loop.call_soon(loop.call_soon, events.append, "of the next turn")
        loop.run_forever()
    except (RuntimeError, StopIteration) as error:
        holds(False, f"`stop` only sets a mark, `self._stopping`: it raised {error!r}.")
    if loop.is_closed() or loop.reports:
        holds(False, "`stop` only sets a mark, `self._stopping`.")
    sentence = "The turn in which `stop` is called goes on to its end, and is the last."
    same(events, Events(["first", "second, in the same turn"]), sentence)


@RUN.check("stopped before it runs, it takes one turn")
def _(aio):
    loop, events = quiet_loop(aio), Events()
    loop.call_soon(events.append, "one turn")
    loop.stop()
    loop.run_forever()
    sentence = "Stopped before it runs, it takes one turn: look at `self._stopping` after the turn."
    same(events, Events(["one turn"]), sentence)


@RUN.check("it can run again after a stop, and waits for timers")
def _(aio):
    loop, events = quiet_loop(aio), Events()
    loop.call_later(5, lambda: None)
    loop.call_later(6, events.append, "timer")
    loop.call_later(7, loop.stop)
    loop.run_forever()
    same(events, Events(["timer"]), "It goes on also when nothing is ready: `_run_once` sleeps.")
    loop.call_soon(events.append, "again")
    loop.call_later(1, loop.stop)
    loop.call_later(1, events.append, "and again")
    loop.run_forever()
    sentence = "After a stop it can run again: clear `self._stopping` at the end."
    same(events, Events(["timer", "again", "and again"]), sentence)


@RUN.check("while it runs, it is the running loop of the thread")
def _(aio):
    loop, seen = quiet_loop(aio), []

    def look():
        seen.append(loop.is_running())
        seen.append(aio.futures.running.loop is loop)
        loop.stop()

    loop.call_soon(look)
    loop.run_forever()
    seen.append(loop.is_running())
    sentence = "While it turns it is the running loop of this thread, and afterwards no longer."
    same(seen, [True, True, False], sentence)


@RUN.check("a loop that runs cannot be entered again from inside, nor can another")
def _(aio):
    for inner, sentence in (
        (None, "A loop cannot be entered again from inside: raise RuntimeError if it runs."),
        (quiet_loop(aio), "Another loop runs in this thread: raise RuntimeError."),
    ):
        loop, found = quiet_loop(aio), Events()

        def enter(loop=loop, inner=inner, found=found):
            other = loop if inner is None else inner
            other.stop()
            try:
                other.run_forever()
                found.append("entered")
            except RuntimeError:
                found.append("RuntimeError")
            finally:
                aio.futures.running.loop = loop
                loop.stop()

        loop.call_soon(enter)
        loop.run_forever()
        same(found, Events(["RuntimeError"]), sentence)


@RUN.check("a closed loop does not run")
def _(aio):
    loop = quiet_loop(aio)
    loop.close()
    loop.stop()
    raises(RuntimeError, loop.run_forever, "A closed loop does not run: `self._check_closed()`.")


_UNTIL = """
class BaseEventLoop:
    def run_until_complete(self, future):
        self._check_closed()
        future = ensure_future(future, loop=self)
        future.add_done_callback(stop_its_loop)
        try:
            self.run_forever()
        finally:
            future.remove_done_callback(stop_its_loop)
        if not future.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return future.result()
"""

UNTIL = Exercise(
    name="loop-until",
    lesson="07",
    title="Run until one task is done, and hand its result over",
    lines=10,
    module="event_loop",
    builds=("BaseEventLoop.run_until_complete",),
    stub='''
class BaseEventLoop:
    def run_until_complete(self, future):
        """Turn until a future, or a task made of a coroutine, is done; return its result."""
        # about 9 lines: ensure_future(future, loop=self) makes a task of a coroutine. When it is
        # done, stop_its_loop is to be called (and taken back at the end, whatever happens).
        # self.run_forever(); then the result, or RuntimeError if the loop was stopped before.
        ...
''',
    hints=(
        "You need not look into each turn whether it is done. Have yourself called.",
        "`future.add_done_callback(stop_its_loop)` stops the loop in the turn after.",
        "`try: self.run_forever()`, `finally: future.remove_done_callback(stop_its_loop)`. After "
        "it: RuntimeError if not `future.done()`, else `return future.result()`.",
    ),
    wrong=(
        Wrong(
            """
class BaseEventLoop:
    def run_until_complete(self, future):
        future = ensure_future(future, loop=self)
        while not future.done():
            self._run_once()
        return future.result()
""",
            "run_forever",
        ),
        Wrong(
            _UNTIL.replace("return future.result()", "return future"),
            "Return the result",
        ),
        Wrong(
            _UNTIL.replace("ensure_future(future, loop=self)", "self.create_task(future)"),
            "A future is taken as it is",
        ),
        Wrong(
            _UNTIL.replace("        future = ensure_future(future, loop=self)\n", ""),
            "A coroutine is made a task",
        ),
        Wrong(
            _UNTIL.replace("        future.add_done_callback(stop_its_loop)\n", ""),
            "nothing is left that could wake",
        ),
        Wrong(
            _UNTIL.replace(
                """        if not future.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return future.result()
""",
                "        return future.result() if future.done() else None\n",
            ),
            "was stopped before",
        ),
        Wrong(
            _UNTIL.replace(
                """        try:
            self.run_forever()
        finally:
            future.remove_done_callback(stop_its_loop)
""",
                "        self.run_forever()\n",
            ),
            "Take the callback back",
        ),
        Wrong(_UNTIL.replace("self.run_forever()", "self.stop(); self.run_forever()"), "one turn"),
    ),
)


@UNTIL.check("a coroutine is run to its end, and its result comes back")
def _(aio):
    async def answer():
        await aio.suspend()
        return 42

    loop = quiet_loop(aio)
    coro = answer()
    try:
        yours = loop.run_until_complete(coro)
    except AttributeError as error:
        coro.close()
        if "coroutine" not in str(error):
            raise
        holds(False, "A coroutine is made a task first: `ensure_future(future, loop=self)`.")
    except RuntimeError as error:
        if "stopped before" not in str(error):
            raise
        for task in aio.all_tasks(loop):
            task._log_destroy_pending = False
        holds(False, "It ran for one turn only: run until the task is done.")
    same(yours, 42, "Return the result of the task: `future.result()`.")


@UNTIL.check("it is the running loop meanwhile, and sleeps where all sleep")
def _(aio):
    async def main(loop):
        running = aio.get_running_loop() is loop
        done = loop.create_future()
        loop.call_later(3600, done.set_result, None)
        await done
        return running

    loop = quiet_loop(aio)
    try:
        running = loop.run_until_complete(main(loop))
    except RuntimeError as error:
        if "no running event loop" not in str(error):
            raise
        running = False
    same(running, True, "Leave the turning to `run_forever`: it makes this the running loop.")
    holds(loop.turns < 10, "The loop turned more than it needs.", f"{loop.turns} turns", "under 10")


@UNTIL.check("a future is taken as it is")
def _(aio):
    loop = quiet_loop(aio)
    future = loop.create_future()
    loop.call_soon(future.set_result, "there")
    sentence = "A future is taken as it is: `ensure_future` makes tasks of coroutines only."
    try:
        same(loop.run_until_complete(future), "there", sentence)
    except TypeError:
        holds(False, sentence)


@UNTIL.check("what the coroutine raises comes out, and the loop can be used again")
def _(aio):
    async def fails():
        raise ValueError("inside")

    async def fine():
        return "again"

    loop = quiet_loop(aio)
    raises(
        ValueError,
        lambda: loop.run_until_complete(fails()),
        "What the task raises comes out of `future.result()`.",
    )
    same(loop.run_until_complete(fine()), "again", "The loop can be used again.")


@UNTIL.check("stopped before the end, it raises RuntimeError")
def _(aio):
    loop = quiet_loop(aio)
    future = loop.create_future()
    loop.call_soon(loop.stop)
    raises(
        RuntimeError,
        lambda: loop.run_until_complete(future),
        "The loop was stopped before the future was done: there is no result, raise RuntimeError.",
    )
    sentence = "Take the callback back at the end: else the future stops a later run."
    same(len(future._callbacks), 0, sentence)


HEARTBEAT = Exercise(
    name="heartbeat-repair",
    lesson="07",
    title="This cook stops the heart: let it beat",
    lines=3,
    builds=("cook",),
    stub="""
import time

# While the cook waits for 3 seconds, another task notes a heartbeat each second. It cannot.
async def cook(log):
    time.sleep(3)
    log.append("cooked")
""",
    solution="""
async def cook(log):
    await aio.sleep(3)
    log.append("cooked")
""",
    hints=(
        "Who runs while `time.sleep` sleeps?",
        "A task gives way only where it awaits something that is not there yet.",
        "`await aio.sleep(3)` sets a timer, and lets the others run.",
    ),
    wrong=(
        Wrong(
            "async def cook(log):\n    aio.sleep(3)\n    log.append('cooked')\n", "Nobody awaits"
        ),
        Wrong(
            "import time\nasync def cook(log):\n    await aio.sleep(0)\n    time.sleep(3)\n"
            "    log.append('cooked')\n",
            "time.sleep blocks the whole loop",
        ),
        Wrong(
            "import time\nasync def cook(log):\n    for _ in range(3):\n        time.sleep(1)\n"
            "        await aio.sleep(0)\n    log.append('cooked')\n",
            "time.sleep blocks the whole loop",
        ),
        Wrong("async def cook(log):\n    log.append('cooked')\n", "3 seconds"),
        Wrong(
            "async def cook(log):\n    await aio.sleep(3)\n    log.append('cooked at last')\n",
            'Note "cooked"',
        ),
        Wrong(
            "import time\nasync def cook(log):\n    await time.sleep(3)\n    log.append(1)\n",
            CANNOT_AWAIT,
        ),
    ),
    right=(
        """
import time

async def cook(log):
    await aio.to_thread(time.sleep, 3)
    log.append("cooked")
""",
        """
import time

async def cook(log):
    await aio.get_running_loop().run_in_executor(None, time.sleep, 3)
    log.append("cooked")
""",
        """
async def cook(log):
    for _ in range(3):
        await aio.sleep(1)
    log.append("cooked")
""",
    ),
)


def _kitchen(cell):
    aio, log = cell.aio, Events()

    async def heart(loop):
        for _ in range(4):
            log.append(f"beat at {loop.time():g}")
            await aio.sleep(1)

    async def main(loop):
        # Here `time.sleep` takes virtual time: it blocks its thread as the real one would.
        if hasattr(cell, "time"):
            cell.time = types.SimpleNamespace(sleep=sleep_on(loop))
        beating = loop.create_task(heart(loop))
        await loop.create_task(cell.cook(log))
        log.append(f"the cook is done at {loop.time():g}")
        beating.cancel()

    play(aio, main, "EventLoop")
    return log


@HEARTBEAT.check("the heart beats while the cook waits, and the meal is ready after 3 seconds")
def _(cell):
    log = _kitchen(cell)
    # Of two timers at one moment the one set first rings first.
    expected = ["beat at 0", "beat at 1", "beat at 2", "cooked", "the cook is done at 3"]
    yours = Events(event for event in log if event != "beat at 3")
    rest = [event for event in log if not event.startswith("beat")]
    if "the cook is done at 0" in rest:
        never = "Nobody awaits the sleep, and the cook does not wait: " if "cooked" in rest else ""
        raise Refused(f"{never}it takes 3 seconds to cook.", Events(log), Events(expected))
    if "cooked" not in rest or "beat at 1" in log[log.index("cooked") :]:
        raise Refused('Note "cooked" when it is done.', Events(log), Events(expected))
    same(
        yours,
        Events(expected),
        "time.sleep blocks the whole loop: the heart stops. Wait with something that gives way.",
    )


@HEARTBEAT.shown
def _(cell):
    aio = cell.aio

    async def heart():
        for _ in range(4):
            await aio.sleep(1)

    async def main(loop):
        if hasattr(cell, "time"):
            cell.time = types.SimpleNamespace(sleep=sleep_on(loop))
        beating = loop.create_task(heart(), name="heart")
        await loop.create_task(cell.cook([]), name="cook")
        await beating

    return film(aio, main)
