"""Lesson 07: one turn of the loop, time, and running to an end."""

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..checking.catalog import CANNOT_AWAIT, Exercise, Wrong
from ..checking.expect import Events, Refused, holds, raises, same
from ..checking.stage import film, play, quiet_loop, sleep_without_threads

# -- one turn ----------------------------------------------------------------------------------

TURN = Exercise(
    name="loop-turn",
    lesson="07",
    title="Build one turn of the loop, and the way into its queue",
    lines=14,
    module="event_loop",
    builds=("BaseEventLoop.call_soon", "BaseEventLoop._run_once"),
    stub="""
class BaseEventLoop:
    # self._ready: the queue of what is ready; self._scheduled: a heap of timers, the soonest first
    def call_soon(self, callback, *args, context=None):
        # about 3 lines: a Handle(callback, args, self, context) at the end of the queue; return it
        ...

    def _run_once(self):
        # about 11 lines
        # 1  self._drop_cancelled_timers()
        # 2  how long to sleep: zero if something is ready or self._stopping is true, else until the
        #    first timer is due (its when() says the time), else None: for ever
        # 3  self._select(timeout) sleeps, and returns a list of what became ready: add it
        # 4  self._ring_timers() adds the timers that are due by now
        # 5  run what is ready now: each has a _run(). What is added meanwhile: in the next turn
        ...
""",
    hints=(
        "`call_soon` makes the handle, appends it, and returns it, so that it can be cancelled.",
        "The first of a heap is at index 0: it is due in `self._scheduled[0].when() - self.time()` "
        "seconds. If that time is over, sleep for zero seconds: `max(0, ...)`.",
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
        Wrong(change=("        return handle\n", ""), says="Return the handle"),
        Wrong(change=("_ready.append(", "_ready.appendleft("), says="First in, first out"),
        Wrong(change=("self, context)", "self)"), says="Hand the context on"),
        Wrong(change=("for _ in range(len(self._ready)):", "while self._ready:"), says="next turn"),
        Wrong(
            change=("for _ in range(len(self._ready)):", "if self._ready:"),
            says="all that was ready when the turn began",
        ),
        Wrong(change=("popleft()", "pop()"), says="First in, first out"),
        Wrong(change=("timeout = 0", "pass"), says="Something is ready, so sleep for zero"),
        Wrong(
            change=("timeout = max(0, self._scheduled[0].when() - self.time())", "timeout = 0"),
            says="asks again and again",
        ),
        Wrong(change=(" or self._stopping", ""), says="A loop that is to stop does not sleep"),
        Wrong(
            change=("self._scheduled[0].when() - self.time()", "self._scheduled[0].when()"),
            says="seconds from now",
        ),
        Wrong(
            change=("max(0, self._scheduled[0].when() - self.time())", "self._scheduled[0].when()"),
            says="seconds from now",
        ),
        Wrong(
            change=("        self._ring_timers()\n", ""),
            says="A timer that is due runs in the same turn",
        ),
        Wrong(
            """
class BaseEventLoop:
    def _run_once(self):
        self._drop_cancelled_timers()
        self._ring_timers()
        timeout = None
        if self._ready or self._stopping:
            timeout = 0
        elif self._scheduled:
            timeout = max(0, self._scheduled[0].when() - self.time())
        self._ready.extend(self._select(timeout))
        for _ in range(len(self._ready)):
            self._ready.popleft()._run()
""",
            "became due while the loop slept",
        ),
        Wrong(
            change=("self._ready.extend(self._select(timeout))", "self._select(timeout)"),
            says="What `self._select` returns is ready",
        ),
        Wrong(
            """
class BaseEventLoop:
    def _run_once(self):
        if self._ready:
            for _ in range(len(self._ready)):
                self._ready.popleft()._run()
        elif self._scheduled:
            self._select(max(0, self._scheduled[0].when() - self.time()))
        else:
            self._select(None)
        self._ring_timers()
""",
            "Call `self._select` once in every turn",
        ),
    ),
    right=(
        """
class BaseEventLoop:
    def call_soon(self, callback, *args, context=None):
        self._ready.append(handle := Handle(callback, args, self, context=context))
        return handle

    def _run_once(self):
        self._drop_cancelled_timers()
        if not self._ready and not self._stopping:
            timeout = None
            if self._scheduled:
                timeout = max(self._scheduled[0].when() - self.time(), 0)
        else:
            timeout = 0.0
        for handle in self._select(timeout):
            self._ready.append(handle)
        self._ring_timers()
        count = len(self._ready)
        while count > 0:
            self._ready.popleft()._run()
            count -= 1
""",
        """
class BaseEventLoop:
    def _run_once(self):
        self._drop_cancelled_timers()
        self._ready += self._select(self._seconds_to_sleep())
        self._ring_timers()
        for _ in list(self._ready):
            thing = self._ready.popleft()
            thing._run()

    def _seconds_to_sleep(self):
        if self._ready or self._stopping:
            return 0
        if not self._scheduled:
            return None
        seconds = self._scheduled[0].when() - self.time()
        return seconds if seconds > 0 else 0
""",
        """
class BaseEventLoop:
    def _run_once(self):
        self._drop_cancelled_timers()
        busy = self._ready or self._stopping
        first = self._scheduled[0] if self._scheduled else None
        timeout = 0 if busy else first and max(0, first.when() - self.time())
        ready = self._ready
        ready.extend(self._select(timeout))
        self._ring_timers()
        for number in range(len(ready)):
            handle = ready[0]
            del ready[0]
            handle._run()
""",
    ),
)


def _asked(aio: Any, *found: Any) -> Any:
    """A loop that notes how long it is asked to sleep; it does not sleep, and finds `found`."""
    loop = quiet_loop(aio)
    loop.asked = []

    def select(timeout: float | None) -> list:
        loop.asked.append(timeout)
        return list(found)

    loop._select = select
    return loop


def _sleeps(loop: Any, seconds: float | None, sentence: str) -> None:
    """Refuse unless the loop was asked once to sleep, for so many seconds."""
    once = "Call `self._select` once in every turn: it may have something new even if all is busy."
    holds(len(loop.asked) == 1, once, f"{len(loop.asked)} calls in one turn", "1 call")
    yours = [round(x, 6) if isinstance(x, float) else x for x in loop.asked]
    right = yours == [seconds] and (yours[0] is None) == (seconds is None)
    holds(right, sentence, f"_select({yours[0]})", f"_select({seconds})")


@TURN.check("`call_soon` puts the callback at the end of the queue, and runs nothing")
def _(aio: Any) -> None:
    loop, events = _asked(aio), Events()
    handles = [loop.call_soon(events.append, name) for name in "ABC"]
    same(events, Events(), "`call_soon` puts it into the queue, and runs nothing itself.")
    holds(all(hasattr(h, "cancel") for h in handles), "Return the handle: it can be cancelled.")
    handles[1].cancel()
    while loop._ready:
        loop._run_once()
    same(events, Events(["A", "C"]), "First in, first out; a cancelled handle is passed over.")


@TURN.check("one turn runs what was ready when it began, in order")
def _(aio: Any) -> None:
    loop, events = _asked(aio), Events()

    def again(name: str) -> None:
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
def _(aio: Any) -> None:
    loop = _asked(aio)
    loop.call_soon(lambda: None)
    loop.call_later(5, lambda: None)
    loop._run_once()
    _sleeps(loop, 0, "Something is ready, so sleep for zero seconds.")


@TURN.check("with nothing ready it sleeps until the first timer")
def _(aio: Any) -> None:
    loop = _asked(aio)
    loop._clock.advance(100)
    loop.call_later(7, lambda: None)
    loop.call_later(5, lambda: None)
    loop._run_once()
    sentence = "Sleep until the first timer: its when() minus self.time(), in seconds from now."
    if loop.asked == [0]:
        sentence = "With zero it asks again and again while all sleep: wait for the first timer."
    _sleeps(loop, 5, sentence)


@TURN.check("with a timer that is late it does not sleep")
def _(aio: Any) -> None:
    loop = _asked(aio)
    loop.call_later(5, lambda: None)
    loop._clock.advance(7)
    loop._run_once()
    _sleeps(loop, 0, "A timer that is late: sleep for zero seconds, not for less than zero.")


@TURN.check("with nothing at all it sleeps for ever, unless it is to stop")
def _(aio: Any) -> None:
    loop = _asked(aio)
    loop._run_once()
    _sleeps(loop, None, "With nothing ready and no timer, sleep for ever: None.")
    for timers in (0, 1):
        loop = _asked(aio)
        loop._stopping = True
        if timers:
            loop.call_later(5, lambda: None)
        loop._run_once()
        _sleeps(loop, 0, "A loop that is to stop does not sleep: zero if `self._stopping`.")


@TURN.check("a timer that is due runs in the same turn, after what was ready")
def _(aio: Any) -> None:
    loop, events = quiet_loop(aio), Events()
    loop.call_later(1, events.append, "timer")
    loop._clock.advance(1)
    loop.call_soon(events.append, "soon")
    loop._run_once()
    sentence = "A timer that is due runs in the same turn: `_ring_timers()` before you run any."
    same(events, Events(["soon", "timer"]), sentence)


@TURN.check("a timer that becomes due while the loop sleeps runs in the same turn")
def _(aio: Any) -> None:
    loop, events = quiet_loop(aio), Events()
    loop.call_later(5, events.append, "timer")
    loop._run_once()
    sentence = "The timer became due while the loop slept: first `_select`, then `_ring_timers`."
    same(events, Events(["timer"]), sentence)


@TURN.check("what `_select` returns runs in the same turn, before the timers")
def _(aio: Any) -> None:
    events = Events()
    loop = _asked(aio, aio.Handle(events.append, ("found",), None))
    loop.call_soon(events.append, "soon")
    loop.call_at(0, events.append, "timer")
    loop._run_once()
    sentence = "What `self._select` returns is ready: add it to the queue, before the timers ring."
    same(events, Events(["soon", "found", "timer"]), sentence)


@TURN.check("a cancelled timer does not wake the loop")
def _(aio: Any) -> None:
    loop = _asked(aio)
    loop.call_later(1, lambda: None).cancel()
    loop.call_later(9, lambda: None)
    loop._run_once()
    _sleeps(loop, 9, "Drop cancelled timers first: the loop need not wake for them.")


@TURN.check("the callback runs in the context it was given")
def _(aio: Any) -> None:
    loop, (context, look, seen) = _asked(aio), _a_context()
    loop.call_soon(look, context=context)
    loop._run_once()
    same(seen, [7], "Hand the context on to the Handle: it is its last argument.")
    plain = aio.event_loop.BaseEventLoop()  # without what the course adds to yours
    plain.call_soon(seen.append, "none given")._run()
    same(seen, [7, "none given"], "Without a context, hand None on.")


@TURN.check("a callback that raises is reported to the loop, and the next one runs")
def _(aio: Any) -> None:
    loop, events = _asked(aio), Events()
    loop.call_soon(int, "three")
    loop.call_soon(events.append, "the next one")
    loop._run_once()
    same(events, Events(["the next one"]), "A callback that raises does not end the turn.")
    same(
        len(loop.reports), 1, "The Handle's third argument is the loop: errors are reported to it."
    )


def _a_context() -> tuple[contextvars.Context, Callable[[], None], list]:
    """A context in which a number is 7, a callback that looks at the number, and what it saw."""
    number, seen = contextvars.ContextVar("number", default=0), []
    context = contextvars.copy_context()
    context.run(number.set, 7)
    return context, lambda: seen.append(number.get()), seen


# -- time --------------------------------------------------------------------------------------

TIMERS = Exercise(
    name="loop-timers",
    lesson="07",
    title="Give the loop a sense of time",
    lines=8,
    module="event_loop",
    builds=("BaseEventLoop.call_later", "BaseEventLoop.call_at", "BaseEventLoop._ring_timers"),
    stub="""
class BaseEventLoop:
    # self._scheduled: a heap of timers. heapq.heappush(heap, timer) puts one in,
    # heapq.heappop(heap) takes the soonest out, and heap[0] is the soonest
    def call_later(self, delay, callback, *args, context=None):
        # 1 line: by call_at
        ...

    def call_at(self, when, callback, *args, context=None):
        # about 3 lines: a TimerHandle(when, callback, args, self, context) goes into the heap;
        # return it
        ...

    def _ring_timers(self):
        # about 3 lines: while the first timer of the heap is due (its when() says the time), take
        # it out and put it at the end of self._ready
        ...
""",
    hints=(
        "All time comes from `self.time()`, never from the module `time`: that is how a loop can "
        "have a virtual clock.",
        "`call_later(delay)` is `call_at(self.time() + delay)`, with the same callback, arguments "
        "and context.",
        "A timer is due if its `when()` is not after `self.time()`. The course adds "
        "`self._clock_resolution`, one tick of the clock, which is as exact as a clock can be.",
    ),
    wrong=(
        Wrong(change=("self.time() + delay", "delay"), says="from now"),
        Wrong(change=("self.time() + delay", "time.monotonic() + delay"), says="self.time()"),
        Wrong(
            """
class BaseEventLoop:
    def call_later(self, delay, callback, *args, context=None):
        time.sleep(delay)
        return self.call_soon(callback, *args, context=context)
""",
            "time.sleep blocks the whole loop",
        ),
        Wrong(change=("return self.call_at(", "self.call_at("), says="Return the timer"),
        Wrong(change=("        return timer\n", ""), says="Return the timer"),
        Wrong(change=("*args, context=context)", "*args)"), says="`call_later` hands the context"),
        Wrong(change=("args, self, context)", "args, self)"), says="`call_at` hands the context"),
        Wrong(
            change=("heapq.heappush(self._scheduled, timer)", "self._scheduled.append(timer)"),
            says="the soonest first",
        ),
        Wrong(
            change=("(self._scheduled, timer)", "(self._scheduled, (when, timer))"),
            says="The timers themselves stand in the heap",
        ),
        Wrong(change=("while self._scheduled and", "if self._scheduled and"), says="All that are"),
        Wrong(
            change=(
                "self._ready.append(heapq.heappop(self._scheduled))",
                "heapq.heappop(self._scheduled)._run()",
            ),
            says="into the ready queue",
        ),
        Wrong(
            change=("while self._scheduled and self._scheduled[0].when() < end_time:", "while 1:"),
            says="not due yet",
        ),
        Wrong(
            change=("heapq.heappop(self._scheduled)", "self._scheduled.pop()"),
            says="Take the soonest",
        ),
        Wrong(
            change=("heapq.heappop(self._scheduled)", "self._scheduled[0]"),
            says="did not come to an end",
        ),
    ),
    right=(
        """
class BaseEventLoop:
    def call_later(self, delay, callback, *args, context=None):
        when = self.time() + delay
        return self.call_at(when, callback, *args, context=context)

    def call_at(self, when, callback, *args, context=None):
        heapq.heappush(
            self._scheduled, timer := TimerHandle(when, callback, args, self, context=context)
        )
        return timer

    def _ring_timers(self):
        while self._scheduled and self._scheduled[0].when() <= self.time():
            self._ready.append(heapq.heappop(self._scheduled))
""",
        """
class BaseEventLoop:
    def _ring_timers(self):
        now = self.time()
        while self._scheduled:
            timer = self._scheduled[0]
            if timer.when() > now:
                break
            heapq.heappop(self._scheduled)
            self._ready.append(timer)
""",
        """
from heapq import heappop, heappush

class BaseEventLoop:
    def call_at(self, when, callback, *args, context=None):
        timer = TimerHandle(when, callback, args, self, context)
        heappush(self._scheduled, timer)
        return timer

    def _ring_timers(self):
        heap, end = self._scheduled, self.time() + self._clock_resolution
        while heap and heap[0]._when <= end:
            timer = heappop(heap)
            self._ready += [timer]
""",
    ),
)


@TIMERS.check("`call_later` sets a timer so many seconds from now")
def _(aio: Any) -> None:
    plain = aio.event_loop.BaseEventLoop()
    for method in ("call_at", "call_later"):
        timer = getattr(plain, method)(5, print)
        holds(hasattr(timer, "cancel"), f"Return the timer from `{method}`: it can be cancelled.")
    loop = quiet_loop(aio)
    loop._clock.advance(100)
    sentence = "The time is so many seconds from now: `self.time() + delay`."
    same(loop.call_later(5, print).when(), 105.0, sentence)
    same(loop.call_at(103, print).when(), 103, "`call_at` takes the time itself.")


@TIMERS.check("timers stand in a heap, the soonest first")
def _(aio: Any) -> None:
    loop = quiet_loop(aio)
    timers = [loop.call_at(when, print) for when in (5, 9, 3, 7, 1)]
    sentence = "The timers themselves stand in the heap: push the timer."
    holds(len(loop._scheduled) == 5, sentence, f"{len(loop._scheduled)} in the heap", "5")
    holds(all(each in timers for each in loop._scheduled), sentence, f"{loop._scheduled[0]!r}")
    sentence = "`heapq.heappush` keeps the soonest first."
    same(loop._scheduled[0].when(), 1, sentence)


@TIMERS.check("a timer runs when it is due, not before")
def _(aio: Any) -> None:
    loop, events = quiet_loop(aio), Events()
    loop.call_later(5, events.append, "five")
    loop._clock.advance(4)
    try:
        loop._ring_timers()
        early = len(loop._ready)
    except IndexError:
        early = 1
    same(early, 0, "It is not due yet: leave it in the heap.")
    loop._clock.advance(1)
    loop._ring_timers()
    same(events, Events(), "A timer that is due goes into the ready queue; the turn runs it.")
    same(len(loop._ready), 1, "A timer that is due goes into the ready queue.")
    same(len(loop._scheduled), 0, "Take the timer out of the heap: `heapq.heappop`.")


@TIMERS.check("all that are due ring, the soonest first")
def _(aio: Any) -> None:
    loop, events = quiet_loop(aio), Events()
    for when in (3, 1, 2, 9):
        loop.call_later(when, events.append, f"at {when}")
    loop._clock.advance(5)
    loop._ring_timers()
    while loop._ready:
        loop._ready.popleft()._run()
    sentence = "All that are due ring: a loop, while the first of the heap is due."
    if events != sorted(events) or "at 9" in events:
        sentence = "Take the soonest: `heapq.heappop`, not the end of the list."
    same(events, Events(["at 1", "at 2", "at 3"]), sentence)


@TIMERS.check("what is ready already comes before a timer")
def _(aio: Any) -> None:
    loop, events = quiet_loop(aio), Events()
    loop.call_soon(events.append, "ready")
    loop.call_at(0, events.append, "timer")
    loop._run_once()
    same(events, Events(["ready", "timer"]), "A timer that is due goes to the end of the queue.")


@TIMERS.check("two at the same time ring in the order they were set")
def _(aio: Any) -> None:
    loop, events = quiet_loop(aio), Events()
    loop.call_at(1, events.append, "first")
    loop.call_at(1, events.append, "second")
    loop._clock.advance(1)
    loop._run_once()
    same(events, Events(["first", "second"]), "At the same time: in the order they were set.")


@TIMERS.check("an hour passes in a moment, and the loop turns twice")
def _(aio: Any) -> None:
    log = Events()

    async def main(loop: Any) -> None:
        done = loop.create_future()
        loop.call_later(3600, done.set_result, "an hour")
        loop.call_later(1800, log.append, "half")
        log.append(await done)

    loop = play(aio, main)
    same(log, Events(["half", "an hour"]), "Timers ring in the order of their times.")
    same(loop.time(), 3600.0, "All time comes from `self.time()`.")
    holds(loop.turns < 10, "The loop turned more than it needs.", f"{loop.turns} turns", "under 10")


@TIMERS.check("a cancelled timer does not ring")
def _(aio: Any) -> None:
    loop, events = quiet_loop(aio), Events()
    timer = loop.call_later(1, events.append, "rings")
    loop.call_later(2, events.append, "second")
    timer.cancel()
    loop._clock.advance(3)
    loop._run_once()
    same(events, Events(["second"]), "A cancelled timer does not ring.")


@TIMERS.check("the callback runs in the context it was given, and errors are reported to the loop")
def _(aio: Any) -> None:
    for method in ("call_at", "call_later"):
        loop, (context, look, seen) = quiet_loop(aio), _a_context()
        getattr(loop, method)(0, look, context=context)
        getattr(loop, method)(0, int, "three")
        loop._run_once()
        same(seen, [7], f"`{method}` hands the context on.")
        plain = aio.event_loop.BaseEventLoop()
        getattr(plain, method)(0, seen.append, "none given")._run()
        same(seen, [7, "none given"], f"Without a context, `{method}` hands None on.")
        same(len(loop.reports), 1, "The TimerHandle's fourth argument is the loop.")


# -- running -----------------------------------------------------------------------------------

RUN = Exercise(
    name="loop-run",
    lesson="07",
    title="Turn after turn, until `stop` is called",
    lines=13,
    module="event_loop",
    builds=("BaseEventLoop.run_forever", "BaseEventLoop.stop"),
    stub="""
class BaseEventLoop:
    def run_forever(self):
        # about 12 lines
        # 1  self._check_closed() and self._check_running() raise RuntimeError if it cannot run:
        #    if it is closed, if it runs already, or if another loop runs in this thread
        # 2  from now on it is the running loop: running.loop = self, and its thread is this one:
        #    self._thread_id = threading.get_ident()
        # 3  turn after turn: self._run_once(), until self._stopping is true at the end of a turn
        # 4  at the end, also after an error: both are None again, and self._stopping is False
        ...

    def stop(self):
        # 1 line
        ...
""",
    hints=(
        "Look for what is wrong before you change anything: a call that is refused must leave the "
        "loop that runs as it is.",
        "`stop` only sets a mark. The turn in which it is called runs to its end.",
        "`try:` `while True:` `self._run_once()`, then `if self._stopping: break`; `finally:` set "
        "`self._thread_id`, `running.loop` and `self._stopping` back.",
    ),
    wrong=(
        Wrong(
            """
class BaseEventLoop:
    def run_forever(self):
        self._check_closed()
        self._check_running()
        self._thread_id, running.loop = threading.get_ident(), self
        try:
            while not self._stopping:
                self._run_once()
        finally:
            self._thread_id = running.loop = None
            self._stopping = False
""",
            "takes one turn",
        ),
        Wrong(change=("while True", "while self._ready"), says="also when nothing is ready"),
        Wrong(
            change=("if self._stopping", "if self._stopping or not self._ready"),
            says="also when nothing is ready",
        ),
        Wrong(change=("        self._check_closed()\n", ""), says="A closed loop"),
        Wrong(change=("        self._check_running()\n", ""), says="entered again from inside"),
        Wrong(
            """
class BaseEventLoop:
    def run_forever(self):
        self._check_closed()
        if running.loop is not None:
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
""",
            "runs already, in another thread",
        ),
        Wrong(
            """
class BaseEventLoop:
    def run_forever(self):
        self._check_closed()
        if self._thread_id is not None:
            raise RuntimeError("it is running")
        self._thread_id, running.loop = threading.get_ident(), self
        try:
            while True:
                self._run_once()
                if self._stopping:
                    break
        finally:
            self._thread_id = running.loop = None
            self._stopping = False
""",
            "Another loop",
        ),
        Wrong(
            """
class BaseEventLoop:
    def run_forever(self):
        try:
            self._check_closed()
            self._check_running()
            self._thread_id, running.loop = threading.get_ident(), self
            while True:
                self._run_once()
                if self._stopping:
                    break
        finally:
            self._thread_id = running.loop = None
            self._stopping = False
""",
            "leaves the loop that runs as it is",
        ),
        Wrong(
            """
class BaseEventLoop:
    def run_forever(self):
        self._check_closed()
        self._check_running()
        self._thread_id, running.loop = threading.get_ident(), self
        while True:
            self._run_once()
            if self._stopping:
                break
        self._thread_id = running.loop = None
        self._stopping = False
""",
            "Also after an error",
        ),
        Wrong(
            change=("running.loop = threading.get_ident(), self", "_ = 1, None"),
            says="the running loop of this thread",
        ),
        Wrong(change=("            self._stopping = False\n", ""), says="can run again"),
        Wrong(
            """
class BaseEventLoop:
    def stop(self):
        self._ready.clear()
        self._stopping = True
""",
            "runs to its end",
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
    right=(
        """
class BaseEventLoop:
    def run_forever(self):
        self._check_closed()
        if self._thread_id is not None or running.loop is not None:
            raise RuntimeError("a loop is running")
        running.loop = self
        self._thread_id = threading.get_ident()
        try:
            self._run_once()
            while not self._stopping:
                self._run_once()
        finally:
            running.loop = None
            self._thread_id = None
            self._stopping = False
""",
        """
class BaseEventLoop:
    def run_forever(self):
        if self._closed:
            raise RuntimeError("Event loop is closed")
        self._check_running()
        try:
            self._thread_id, running.loop = threading.get_ident(), self
            while True:
                self._run_once()
                if self._stopping:
                    return
        finally:
            self._stopping = False
            self._thread_id = running.loop = None
""",
        """
import contextlib

class BaseEventLoop:
    def run_forever(self):
        self._check_running()
        self._check_closed()
        with self._as_the_running_loop():
            stopped = False
            while not stopped:
                self._run_once()
                stopped = self._stopping

    @contextlib.contextmanager
    def _as_the_running_loop(self):
        self._thread_id = threading.get_ident()
        running.loop = self
        try:
            yield
        finally:
            self._thread_id, running.loop, self._stopping = None, None, False

    def stop(self):
        setattr(self, "_stopping", True)
""",
    ),
)


@RUN.check(
    "it turns until `stop`, and the turn runs to its end",
    "`stop` only sets a mark: the turn runs to its end.",
)
def _(aio: Any) -> None:
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
    sentence = "The turn in which `stop` is called runs to its end, and is the last."
    same(events, Events(["first", "second, in the same turn"]), sentence)


@RUN.check("stopped before it runs, it takes one turn")
def _(aio: Any) -> None:
    loop, events = quiet_loop(aio), Events()
    loop.call_soon(events.append, "one turn")
    loop.stop()
    loop.run_forever()
    sentence = "Stopped before it runs, it takes one turn: look at `self._stopping` after the turn."
    same(events, Events(["one turn"]), sentence)


@RUN.check("it can run again after a stop, and waits for timers")
def _(aio: Any) -> None:
    loop, events = quiet_loop(aio), Events()
    loop.call_later(5, lambda: None)
    loop.call_later(6, events.append, "timer")
    loop.call_later(7, loop.stop)
    loop.run_forever()
    same(events, Events(["timer"]), "It turns also when nothing is ready: `_run_once` sleeps.")
    loop.call_soon(events.append, "again")
    loop.call_later(1, loop.stop)
    loop.call_later(1, events.append, "and again")
    loop.run_forever()
    sentence = "After a stop it can run again: clear `self._stopping` at the end."
    same(events, Events(["timer", "again", "and again"]), sentence)


def _state(aio: Any, loop: Any) -> tuple[bool, bool]:
    """Whether the loop says that it runs in this thread, and the thread that this loop runs."""
    return loop._thread_id == threading.get_ident(), aio.futures.running.loop is loop


@RUN.check("while it runs, it is the running loop of the thread")
def _(aio: Any) -> None:
    loop, seen = quiet_loop(aio), []

    def look() -> None:
        seen.append(_state(aio, loop))
        loop.stop()

    loop.call_soon(look)
    loop.run_forever()
    seen += [loop._thread_id, aio.futures.running.loop]
    sentence = "While it turns it is the running loop of this thread, and afterwards no longer."
    same(seen, [(True, True), None, None], sentence)


@RUN.check("after an error that ends it, it can run again")
def _(aio: Any) -> None:
    loop, events = quiet_loop(aio), Events()

    def leave() -> None:
        loop.stop()
        raise SystemExit

    loop.call_soon(leave)
    raises(SystemExit, loop.run_forever, "SystemExit out of a callback ends the loop: let it out.")
    state = (loop._thread_id, aio.futures.running.loop, loop._stopping)
    aio.futures.running.loop = None
    sentence = "Also after an error no loop runs: set all three back in `finally:`."
    same(state, (None, None, False), sentence)
    loop.call_later(1, events.append, "again")
    loop.call_later(2, loop.stop)
    loop.run_forever()
    same(events, Events(["again"]), "After an error it can run again.")


@RUN.check("a loop that runs cannot be entered again from inside, nor can another")
def _(aio: Any) -> None:
    for inner, sentence in (
        (None, "A loop cannot be entered again from inside: raise RuntimeError if it runs."),
        (quiet_loop(aio), "Another loop runs in this thread: raise RuntimeError."),
    ):
        loop, found = quiet_loop(aio), []

        def enter(loop: Any = loop, inner: Any = inner, found: list = found) -> None:
            other = loop if inner is None else inner
            other.stop()
            found.append(_outcome(other.run_forever))
            found.append(_state(aio, loop))
            aio.futures.running.loop = loop
            loop.stop()

        loop.call_soon(enter)
        loop.run_forever()
        same(found[0], "RuntimeError", sentence)
        sentence = "A call that is refused leaves the loop that runs as it is: look before `try:`."
        same(found[1], (True, True), sentence)


@RUN.check("a loop that runs cannot be run by another thread")
def _(aio: Any) -> None:
    loop, found = quiet_loop(aio), []

    def enter() -> None:  # as another thread sees it: this loop runs elsewhere, and none here
        loop.stop()
        loop._thread_id, aio.futures.running.loop = threading.get_ident() + 1, None
        found.append(_outcome(loop.run_forever))
        loop._thread_id, aio.futures.running.loop = threading.get_ident(), loop
        loop.stop()

    loop.call_soon(enter)
    loop.run_forever()
    sentence = "It runs already, in another thread: raise RuntimeError if `_thread_id` is not None."
    same(found, ["RuntimeError"], sentence)


def _outcome(call: Callable[[], Any]) -> str:
    try:
        call()
    except RuntimeError:
        return "RuntimeError"
    return "it ran"


@RUN.check("a closed loop does not run")
def _(aio: Any) -> None:
    loop = aio.event_loop.BaseEventLoop()  # without what the course adds to yours
    loop.close()
    loop.stop()
    raises(RuntimeError, loop.run_forever, "A closed loop does not run: `self._check_closed()`.")


# -- until one task is done --------------------------------------------------------------------

UNTIL = Exercise(
    name="loop-until",
    lesson="07",
    title="Run until one task is done, and return its result",
    lines=9,
    module="event_loop",
    builds=("BaseEventLoop.run_until_complete",),
    stub='''
class BaseEventLoop:
    def run_until_complete(self, future):
        """Turn until a future, or a task made of a coroutine, is done; return its result."""
        # about 9 lines
        # 1  ensure_future(future, loop=self) makes a task of a coroutine, and leaves a future as is
        # 2  when it is done, the loop shall call stop_its_loop(future), which stops its loop
        # 3  self.run_forever(); after it, also after an error, the callback of 2 is removed
        # 4  the result; RuntimeError if the loop was stopped before there was one
        ...
''',
    hints=(
        "You need not look in each turn whether it is done. The loop calls back.",
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
        Wrong(change=("return future.result()", "return future"), says="Return the result"),
        Wrong(
            change=("ensure_future(future, loop=self)", "self.create_task(future)"),
            says="A future is taken as it is",
        ),
        Wrong(
            change=("        future = ensure_future(future, loop=self)\n", ""),
            says="A coroutine is made a task",
        ),
        Wrong(
            change=("        future.add_done_callback(stop_its_loop)\n", ""),
            says="nothing is left that could wake",
        ),
        Wrong(
            """
class BaseEventLoop:
    def run_until_complete(self, future):
        future = ensure_future(future, loop=self)
        future.add_done_callback(stop_its_loop)
        try:
            self.run_forever()
        finally:
            future.remove_done_callback(stop_its_loop)
        return future.result() if future.done() else None
""",
            "was stopped before",
        ),
        Wrong(
            change=(
                "            future.remove_done_callback(stop_its_loop)\n",
                "            pass\n",
            ),
            says="Remove the callback",
        ),
        Wrong(
            """
class BaseEventLoop:
    def run_until_complete(self, future):
        future = ensure_future(future, loop=self)
        future.add_done_callback(stop_its_loop)
        self.run_forever()
        future.remove_done_callback(stop_its_loop)
        if not future.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return future.result()
""",
            "Also after an error",
        ),
        Wrong(change=("self.run_forever()", "self.stop(); self.run_forever()"), says="one turn"),
        Wrong(
            change=("add_done_callback(stop_its_loop)", "add_done_callback(self.stop)"),
            says="stop() takes 1 positional argument but 2 were given",
        ),
    ),
    right=(
        """
class BaseEventLoop:
    def run_until_complete(self, future):
        task = ensure_future(future, loop=self)
        task.add_done_callback(stop_its_loop)
        try:
            self.run_forever()
        finally:
            task.remove_done_callback(stop_its_loop)
        if task.done():
            return task.result()
        raise RuntimeError("stopped before it was done")
""",
        """
class BaseEventLoop:
    def run_until_complete(self, future):
        future = ensure_future(future, loop=self)

        def stop(done):
            self.stop()

        future.add_done_callback(stop)
        try:
            self.run_forever()
        finally:
            future.remove_done_callback(stop)
        if not future.done():
            raise RuntimeError("stopped before it was done")
        return future.result()
""",
        """
import contextlib

class BaseEventLoop:
    def run_until_complete(self, future):
        future = ensure_future(future, loop=self)
        with contextlib.ExitStack() as stack:
            future.add_done_callback(stop_its_loop)
            stack.callback(future.remove_done_callback, stop_its_loop)
            self.run_forever()
        try:
            return future.result()
        except InvalidStateError:
            raise RuntimeError("stopped before it was done") from None

from .futures import InvalidStateError
""",
    ),
)


@UNTIL.check("a coroutine is run to its end, and its result comes back")
def _(aio: Any) -> None:
    async def answer() -> int:
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
def _(aio: Any) -> None:
    async def main(loop: Any) -> bool:
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
    same(running, True, "Let `run_forever` do the turning: it makes this the running loop.")
    holds(loop.turns < 10, "The loop turned more than it needs.", f"{loop.turns} turns", "under 10")


@UNTIL.check("a future is taken as it is")
def _(aio: Any) -> None:
    loop = quiet_loop(aio)
    future = loop.create_future()
    loop.call_soon(future.set_result, "there")
    sentence = "A future is taken as it is: `ensure_future` makes tasks of coroutines only."
    try:
        same(loop.run_until_complete(future), "there", sentence)
    except TypeError:
        holds(False, sentence)


@UNTIL.check("what the coroutine raises comes out, and the loop can be used again")
def _(aio: Any) -> None:
    async def fails() -> None:
        raise ValueError("inside")

    async def fine() -> str:
        return "again"

    loop = quiet_loop(aio)
    raises(
        ValueError,
        lambda: loop.run_until_complete(fails()),
        "What the task raises comes out of `future.result()`.",
    )
    same(loop.run_until_complete(fine()), "again", "The loop can be used again.")


@UNTIL.check("stopped before the end, it raises RuntimeError")
def _(aio: Any) -> None:
    loop = quiet_loop(aio)
    future = loop.create_future()
    loop.call_soon(loop.stop)
    raises(
        RuntimeError,
        lambda: loop.run_until_complete(future),
        "The loop was stopped before the future was done: there is no result, raise RuntimeError.",
    )
    sentence = "Remove the callback at the end: else the future stops a later run."
    same(len(future._callbacks), 0, sentence)


@UNTIL.check("an error that ends the loop leaves no callback behind")
def _(aio: Any) -> None:
    def leave() -> None:
        raise SystemExit

    loop = quiet_loop(aio)
    future = loop.create_future()
    loop.call_soon(leave)
    raises(SystemExit, lambda: loop.run_until_complete(future), "SystemExit comes out of the loop.")
    sentence = "Also after an error the callback is removed: `finally:`."
    same(len(future._callbacks), 0, sentence)


# -- a blocking call ---------------------------------------------------------------------------

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
        "Which task runs while `time.sleep` sleeps?",
        "The loop runs other tasks only while this one awaits something that is not there yet.",
        "`await aio.sleep(3)` sets a timer, and lets the other tasks run.",
    ),
    wrong=(
        Wrong(
            "async def cook(log):\n    aio.sleep(3)\n    log.append('cooked')\n",
            "The sleep is not awaited",
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
        Wrong(
            "from time import sleep\nasync def cook(log):\n    sleep(3)\n    log.append(1)\n",
            "time.sleep blocks the whole loop",
        ),
        Wrong(
            "import time\nasync def cook(log):\n    await aio.to_thread(time.sleep(3))\n"
            "    log.append('cooked')\n",
            "time.sleep blocks the whole loop",
        ),
        Wrong(
            "import time\nasync def cook(log):\n    aio.to_thread(time.sleep, 3)\n"
            "    log.append('cooked')\n",
            "The sleep is not awaited",
        ),
        Wrong("async def cook(log):\n    log.append('cooked')\n", "3 seconds"),
        Wrong(
            "async def cook(log):\n    await aio.sleep(3)\n    log.append('cooked at last')\n",
            'Note "cooked"',
        ),
        Wrong(
            "async def cook(log):\n    log.append('cooked')\n    await aio.sleep(3)\n",
            'Note "cooked" after the 3 seconds',
        ),
        Wrong(
            "async def cook(log):\n    await aio.sleep(30)\n    log.append('cooked')\n",
            "takes 3 seconds",
        ),
        Wrong(
            "async def nothing():\n    pass\n\n"
            "async def cook(log):\n    await nothing\n    log.append(1)\n",
            CANNOT_AWAIT,
        ),
    ),
    right=(
        "import time\nasync def cook(log):\n    await aio.to_thread(time.sleep, 3)\n"
        "    log.append('cooked')\n",
        "async def cook(log):\n    for _ in range(3):\n        await aio.sleep(1)\n"
        "    log.append('cooked')\n",
        "from time import sleep\nasync def cook(log):\n"
        "    await aio.get_running_loop().run_in_executor(None, sleep, 3)\n"
        "    log.append('cooked')\n",
        "async def cook(log):\n    loop = aio.get_running_loop()\n"
        "    done = loop.create_future()\n    loop.call_later(3, done.set_result, None)\n"
        "    await done\n    log.append('cooked')\n",
        "import time\nasync def cook(log):\n    waiting = aio.create_task(aio.to_thread(wait))\n"
        "    await waiting\n    log.append('cooked')\n\n"
        "def wait():\n    for _ in range(3):\n        time.sleep(1)\n",
    ),
)


@contextmanager
def _sleep_takes_virtual_time(cell: Any, loop: Any) -> Iterator[list[float]]:
    """Let `time.sleep` take virtual time: of the loop, or of a thread beside it.

    In a thread's function it delays the result, by a timer. Elsewhere it blocks the loop, as the
    real one does; for how long, and when, is in the list that this gives.
    """
    real, blocked = time.sleep, []
    sleep = sleep_without_threads(loop, blocked)
    names = [name for name, value in vars(cell).items() if value is real]  # from time import sleep
    time.sleep = sleep
    vars(cell).update(dict.fromkeys(names, sleep))
    try:
        yield blocked
    finally:
        time.sleep = real
        vars(cell).update(dict.fromkeys(names, real))


def _kitchen(cell: Any) -> Events:
    aio, log = cell.aio, Events()

    async def heart(loop: Any) -> None:
        for _ in range(4):
            log.append(f"beat at {loop.time():g}")
            await aio.sleep(1)

    async def main(loop: Any) -> None:
        with _sleep_takes_virtual_time(cell, loop) as blocked:
            beating = loop.create_task(heart(loop))
            with _named(blocked):
                await loop.create_task(cell.cook(log))
            log.append(f"the cook is done at {loop.time():g}")
            beating.cancel()

    play(aio, main)
    return log


@contextmanager
def _named(blocked: list[float]) -> Iterator[None]:
    """Refuse if `time.sleep` blocked the loop, whatever came of it."""
    try:
        yield
    finally:
        sentence = "time.sleep blocks the whole loop: the heart stops. Await something that waits."
        holds(not blocked, sentence, f"no beat for {sum(blocked):g} s", "a beat each second")


@HEARTBEAT.check("the heart beats while the cook waits, and the meal is ready after 3 seconds")
def _(cell: Any) -> None:
    log = _kitchen(cell)
    expected = ["beat at 0", "beat at 1", "beat at 2", "cooked", "the cook is done at 3"]
    # At 3 the heart and the cook are both due: which of them is first does not matter.
    yours = Events(event for event in log if event != "beat at 3")
    if "the cook is done at 0" in yours:
        sentence = "The sleep is not awaited: it takes 3 seconds to cook."
    elif "the cook is done at 3" not in yours:
        sentence = "It takes 3 seconds to cook."
    elif "cooked" not in yours:
        sentence = 'Note "cooked" when it is done.'
    else:
        sentence = 'Note "cooked" after the 3 seconds, once.'
    if yours != expected:
        raise Refused(sentence, yours, Events(expected))


@HEARTBEAT.shown
def _(cell: Any) -> Any:
    aio = cell.aio

    async def heart() -> None:
        for _ in range(4):
            await aio.sleep(1)

    async def main(loop: Any) -> None:
        with _sleep_takes_virtual_time(cell, loop):
            beating = loop.create_task(heart(), name="heart")
            await loop.create_task(cell.cook([]), name="cook")
            await beating

    return film(aio, main)
