"""Lesson 05: a result that is not there yet."""

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, holds, raises, same
from ..checking.stage import play, quiet_loop, turn

RESULTS = Exercise(
    name="future-results",
    lesson="05",
    title="Write Future: a place for a result or an error, set once",
    lines=22,
    module="futures",
    builds=(
        "Future.__init__",
        "Future.done",
        "Future.set_result",
        "Future.set_exception",
        "Future.result",
        "Future.exception",
    ),
    stub="""
class Future:
    def __init__(self, *, loop=None):
        self._loop = loop or get_running_loop()
        self._state = PENDING  # later FINISHED or CANCELLED
        self._result = self._exception = self._cancel_message = None
        self._callbacks = []  # for the exercise after this one
        self._asyncio_future_blocking = False  # for the last one

    def done(self):
        ...  # 1 line

    def set_result(self, result):
        # about 5 lines: keep the result, change the state, then self._schedule_callbacks()
        # InvalidStateError if it is not pending
        ...

    def set_exception(self, exception):
        # about 5 lines: the same with an exception. If it is a class (ValueError), call it first
        ...

    def result(self):
        # about 5 lines: InvalidStateError while it is pending; else the result, or raise the
        # exception
        ...

    def exception(self):
        # about 5 lines: InvalidStateError while it is pending; else the exception, or None.
        # A cancelled future raises self._make_cancelled_error(), here and in result()
        ...
""",
    hints=(
        "Every method looks at `self._state` first. `set_result` and `set_exception` refuse a "
        "future that is not PENDING; `result` and `exception` refuse one that is.",
        "`set_result` keeps the value in `self._result`, sets `self._state = FINISHED`, and calls "
        "`self._schedule_callbacks()` last, when all is in place. `set_exception` does the same "
        "with `self._exception`; `exception() if isinstance(exception, type)` makes an instance.",
        "`exception`: if PENDING, raise InvalidStateError; if CANCELLED, raise "
        "`self._make_cancelled_error()`; return `self._exception`. `result`: if it is CANCELLED or "
        "`self._exception` is not None, `raise self.exception()`; else return `self._result`.",
    ),
    wrong=(
        Wrong(
            """
class Future:
    def set_result(self, result):
        self._result = result
        self._state = FINISHED
        self._schedule_callbacks()
""",
            "let itself be called twice",
        ),
        Wrong(
            """
class Future:
    def set_result(self, result):
        if self._state is not PENDING:
            raise InvalidStateError("done already")
        self._result = result
        self._state = FINISHED
""",
            "No callback was scheduled",
        ),
        Wrong(
            """
class Future:
    def set_result(self, result):
        if self._state is not PENDING:
            raise InvalidStateError("done already")
        self._schedule_callbacks()
        self._result = result
        self._state = FINISHED
""",
            "Schedule last",
        ),
        Wrong(
            """
class Future:
    def set_result(self, result):
        if self._state is not PENDING:
            return
        self._result = result
        self._state = FINISHED
        self._schedule_callbacks()
""",
            "raises InvalidStateError",
        ),
        Wrong(
            """
class Future:
    def result(self):
        return self._result
""",
            "There is no result yet",
        ),
        Wrong(
            """
class Future:
    def result(self):
        while self._state is PENDING:
            pass
        return self._result
""",
            "did not come to an end",
        ),
        Wrong(
            """
class Future:
    def result(self):
        if self._state is PENDING:
            raise InvalidStateError("not yet")
        return self._result
""",
            "raises the exception",
        ),
        Wrong(
            """
class Future:
    def result(self):
        if self._state is PENDING:
            raise InvalidStateError("not yet")
        result, self._result = self._result, None
        if self._exception is not None or self._state is CANCELLED:
            raise self.exception()
        return result
""",
            "as often as it is asked for",
        ),
        Wrong(
            change=("self._asyncio_future_blocking = False", "pass"),
            says="by this flag a future is known",
        ),
        Wrong(
            """
class Future:
    def done(self):
        return self._result is not None
""",
            "`self._state`",
        ),
        Wrong(
            """
class Future:
    def done(self):
        return self._state is FINISHED
""",
            "done means not pending",
        ),
        Wrong(
            """
class Future:
    def set_exception(self, exception):
        self._exception = exception() if isinstance(exception, type) else exception
        self._state = FINISHED
        self._schedule_callbacks()
""",
            "A future ends once",
        ),
        Wrong(
            """
class Future:
    def set_exception(self, exception):
        raise exception
""",
            "Do not raise it here",
        ),
        Wrong(
            """
class Future:
    def set_exception(self, exception):
        if self._state is not PENDING:
            raise InvalidStateError("done already")
        self._exception = exception
        self._state = FINISHED
        self._schedule_callbacks()
""",
            "A class is called first",
        ),
        Wrong(
            """
class Future:
    def set_exception(self, exception):
        if self._state is not PENDING:
            raise InvalidStateError("done already")
        self._exception = exception() if isinstance(exception, type) else exception
        self._state = FINISHED
""",
            "No callback was scheduled",
        ),
        Wrong(
            """
class Future:
    def exception(self):
        if self._state is CANCELLED:
            raise self._make_cancelled_error()
        return self._exception
""",
            "None would mean that all went well",
        ),
        Wrong(
            """
class Future:
    def exception(self):
        if self._state is PENDING:
            raise InvalidStateError("not yet")
        if self._state is CANCELLED:
            raise self._make_cancelled_error()
        if self._exception is not None:
            raise self._exception
        return None
""",
            "Return the exception",
        ),
        Wrong(
            """
class Future:
    def exception(self):
        if self._state is PENDING:
            raise InvalidStateError("not yet")
        return self._exception
""",
            "A cancelled future has no exception to return",
        ),
    ),
    right=(
        """
class Future:
    def done(self):
        return self._state != PENDING

    def result(self):
        if self._state is PENDING:
            raise InvalidStateError("there is no result yet")
        error = self.exception()
        if error:
            raise error
        return self._result
""",
        """
class Future:
    def __init__(self, loop=None):
        if loop is None:
            loop = get_running_loop()
        self._loop = loop
        self._state = PENDING
        self._callbacks = []
        self._result = None
        self._exception = None
        self._cancel_message = None
        self._asyncio_future_blocking = False
        self.history = []

    def _end(self):
        if self.done():
            raise InvalidStateError("it is done")
        self._state = FINISHED

    def set_result(self, result):
        self._end()
        self._result = result
        self._schedule_callbacks()

    def set_exception(self, exception):
        self._end()
        if isinstance(exception, type):
            exception = exception()
        self._exception = exception
        self._schedule_callbacks()
""",
        """
class Future:
    def result(self):
        match self._state:
            case "PENDING":
                raise InvalidStateError
            case "CANCELLED":
                raise self._make_cancelled_error()
        if self._exception is None:
            return self._result
        raise self._exception

    def exception(self):
        if self._state == "FINISHED":
            return self._exception
        if self._state == "PENDING":
            raise InvalidStateError
        raise self._make_cancelled_error()
""",
    ),
)


@RESULTS.check("a new future is not done", "Look at `self._state`: there is no `_result` yet.")
def _(aio):
    future = quiet_loop(aio).create_future()
    same(future.done(), False, "It is pending: nothing has been set. Look at `self._state`.")


@RESULTS.check("before there is a result, `result()` raises InvalidStateError")
def _(aio):
    future = quiet_loop(aio).create_future()
    raises(
        aio.InvalidStateError,
        future.result,
        "There is no result yet, and none can come while `result` runs: raise InvalidStateError.",
    )


@RESULTS.check("`set_result(None)` and `set_result(42)` give their result, again and again")
def _(aio):
    for value in (None, 42):
        future = quiet_loop(aio).create_future()
        future.set_result(value)
        same(future.done(), True, "A future with a result is done, whatever it is: `self._state`.")
        for _ in range(2):
            same(future.result(), value, "`result()` gives it as often as it is asked for.")


@RESULTS.check("a second `set_result` raises InvalidStateError, and changes nothing")
def _(aio):
    future = quiet_loop(aio).create_future()
    future.set_result("first")
    raises(
        aio.InvalidStateError,
        lambda: future.set_result("second"),
        "It let itself be called twice: a second call raises InvalidStateError.",
    )
    same(future.result(), "first", "The first result stays.")


@RESULTS.check("`set_exception(error)` makes the future done, and `exception()` returns it")
def _(aio):
    future, error = quiet_loop(aio).create_future(), ValueError("no luck")
    try:
        future.set_exception(error)
    except ValueError:
        holds(False, "Do not raise it here: `result()` raises it, for the side that asks.")
    same(future.done(), True, "After `set_exception` the future is done.")
    try:
        found = future.exception()
    except ValueError:
        holds(False, "Return the exception from `exception()`: only `result()` raises it.")
    holds(found is error, "Return the very exception that was set.", repr(found), repr(error))


@RESULTS.check("`result()` raises the exception that was set")
def _(aio):
    future, error = quiet_loop(aio).create_future(), ValueError("no luck")
    future.set_exception(error)
    found = raises(ValueError, future.result, "`result()` raises the exception that was set.")
    holds(found is error, "It is the very exception that was set.", repr(found), repr(error))


@RESULTS.check("an exception class does as well", "A class is called first: `exception()`.")
def _(aio):
    future = quiet_loop(aio).create_future()
    future.set_exception(ValueError)
    holds(
        isinstance(future.exception(), ValueError),
        "A class is called first: `if isinstance(exception, type): exception = exception()`.",
        repr(future.exception()),
        "ValueError()",
    )


@RESULTS.check("an exception after a result is refused, and one before it stays")
def _(aio):
    sentence = "A future ends once: raise InvalidStateError unless it is pending."
    future = quiet_loop(aio).create_future()
    future.set_result("first")
    raises(aio.InvalidStateError, lambda: future.set_exception(ValueError()), sentence)
    same(future.result(), "first", "The first result stays.")
    future = quiet_loop(aio).create_future()
    future.set_exception(ValueError("first"))
    raises(aio.InvalidStateError, lambda: future.set_result("second"), sentence)
    same(str(future.exception()), "first", "The first exception stays.")


@RESULTS.check("`exception()` is None with a result, and InvalidStateError before it")
def _(aio):
    future = quiet_loop(aio).create_future()
    raises(
        aio.InvalidStateError,
        future.exception,
        "It is pending, and None would mean that all went well: raise InvalidStateError.",
    )
    future.set_result(42)
    same(future.exception(), None, "There is a result, so there is no exception: return None.")


@RESULTS.check("a cancelled future is done, and `result()` and `exception()` raise CancelledError")
def _(aio):
    future = quiet_loop(aio).create_future()
    future.cancel("enough")
    same(future.done(), True, "A cancelled future is done too: done means not pending.")
    for ask in (future.result, future.exception):
        sentence = "A cancelled future has no exception to return and no result: raise "
        sentence += "`self._make_cancelled_error()`."
        error = raises(aio.CancelledError, ask, sentence)
        same(str(error), "enough", sentence)
    sentence = "A future that was cancelled is done: refuse with InvalidStateError."
    raises(aio.InvalidStateError, lambda: future.set_result(1), sentence)
    raises(aio.InvalidStateError, lambda: future.set_exception(ValueError()), sentence)


def _look_when_scheduled(future):
    """Have noted, when the callbacks of `future` are scheduled, what it holds by then."""
    scheduled, seen = future._schedule_callbacks, []

    def look():
        seen.append(future.done() and (future._result or future._exception or True))
        scheduled()

    future._schedule_callbacks = look
    return seen


@RESULTS.check("callbacks are scheduled, when all is in place")
def _(aio):
    for end in ("set_result", "set_exception"):
        loop = quiet_loop(aio)
        future = loop.create_future()
        future.add_done_callback(lambda _: None)
        seen = _look_when_scheduled(future)
        getattr(future, end)(ValueError("the value"))
        sentence = f"No callback was scheduled: `{end}` calls `self._schedule_callbacks()`."
        same(len(loop._ready), 1, sentence)
        sentence = "Schedule last, when the result and the state are in place."
        holds(seen and isinstance(seen[0], ValueError), sentence)
        del future._schedule_callbacks
        holds(end == "set_result" or future.exception(), sentence)


@RESULTS.check("it belongs to the loop it is given, or to the one that runs")
def _(aio):
    loop = quiet_loop(aio)
    future = aio.Future(loop=loop)
    holds(future.get_loop() is loop, "Keep the loop in `self._loop`: its ready queue is needed.")

    async def main(loop):
        return aio.Future().get_loop() is loop

    same(play(aio, main).result, True, "Without a loop it is `get_running_loop()`.")
    raises(RuntimeError, aio.Future, "With no loop at all `get_running_loop()` raises.")


@RESULTS.check("it can be told from what is no future, and no `await` has asked for it yet")
def _(aio):
    future = aio.Future(loop=quiet_loop(aio))
    sentence = "`__init__` sets `self._asyncio_future_blocking = False`: by this flag a future is "
    sentence += "known."
    same(getattr(future, "_asyncio_future_blocking", "(missing)"), False, sentence)
    same(aio.isfuture(future), True, sentence)


CALLBACKS = Exercise(
    name="future-callbacks",
    lesson="05",
    title="Call back when the future is done: soon, never at once",
    lines=7,
    module="futures",
    builds=("Future.add_done_callback", "Future._schedule_callbacks"),
    stub="""
class Future:
    # The loop's ready queue, self._loop._ready, is a deque of things that have a method _run().
    # Handle(fn, args, loop, context) is one: it calls fn(*args).
    def add_done_callback(self, fn, *, context=None):
        # about 4 lines: while it is pending, keep a Handle in self._callbacks, with (self,) as its
        # arguments; when it is done already: self._loop.call_soon(fn, self, context=context)
        ...

    def _schedule_callbacks(self):
        # 2 lines: move all of self._callbacks into the ready queue, and keep none
        ...
""",
    hints=(
        "Two cases in `add_done_callback`: pending, or not. Neither calls `fn`.",
        "`_schedule_callbacks` runs nothing either: it moves. A deque has `extend`.",
        "`self._loop._ready.extend(self._callbacks)`, then `self._callbacks = []`.",
    ),
    wrong=(
        Wrong(
            """
class Future:
    def _schedule_callbacks(self):
        for handle in self._callbacks:
            handle._run()
        self._callbacks = []
""",
            "scheduled, not run inside `set_result`",
        ),
        Wrong(change=("\n        self._callbacks = []", ""), says="keep none"),
        Wrong(
            change=("extend(self._callbacks)", "extend(reversed(self._callbacks))"),
            says="in the order they were added",
        ),
        Wrong(change=("_ready.extend", "_ready.append"), says="one by one"),
        Wrong(
            """
class Future:
    def _schedule_callbacks(self):
        if self._callbacks:
            self._loop._ready.append(self._callbacks.pop(0))
""",
            "All of them are scheduled",
        ),
        Wrong(
            """
class Future:
    def add_done_callback(self, fn, *, context=None):
        self._callbacks.append(Handle(fn, (self,), self._loop, context))
""",
            "is called too: soon",
        ),
        Wrong(
            change=("self._loop.call_soon(fn, self, context=context)", "fn(self)"),
            says="not even when the future is done",
        ),
        Wrong(
            change=("Handle(fn, (self,), self._loop, context)", "fn"),
            says="has no method `_run`",
        ),
        Wrong(change=("(self,)", "()"), says="is called with the future"),
        Wrong(
            change=("Handle(fn, (self,), self._loop, context)", "Handle(fn, (self,), self._loop)"),
            says="in the context it was given",
        ),
    ),
    right=(
        """
class Future:
    def add_done_callback(self, fn, *, context=None):
        if self.done():
            self._loop.call_soon(fn, self, context=context)
            return
        handle = Handle(fn, (self,), self._loop, context)
        self._callbacks.append(handle)

    def _schedule_callbacks(self):
        for handle in self._callbacks:
            self._loop._ready.append(handle)
        self._callbacks.clear()
""",
        """
class Future:
    def add_done_callback(self, fn, *, context=None):
        if self._state == "PENDING":
            self._callbacks += [Handle(fn, [self], self._loop, context)]
        else:
            self._loop._ready.append(Handle(fn, (self,), self._loop, context))
""",
        """
class Future:
    def _schedule_callbacks(self):
        waiting, self._callbacks = self._callbacks, []
        self._loop._ready += waiting
""",
    ),
)


@CALLBACKS.check("while it is pending nothing is called, and nothing is ready")
def _(aio):
    loop, events = quiet_loop(aio), Events()
    future = loop.create_future()
    future.add_done_callback(lambda f: events.append("called"))
    turn(loop, 2)
    same(events, Events(), "The future is pending: keep the callback in `self._callbacks`.")
    for kept in future._callbacks:
        holds(
            hasattr(kept, "_run"),
            "What you keep has no method `_run`: make a Handle of `fn` and its argument.",
        )


@CALLBACKS.check("callbacks are scheduled by `set_result`, and run in the loop's next turn")
def _(aio):
    loop, events = quiet_loop(aio), Events()
    future = loop.create_future()
    future.add_done_callback(lambda f: events.append("callback runs"))
    events.append("set_result begins")
    future.set_result(1)
    events.append("set_result is over")
    for thing in loop._ready:
        holds(
            hasattr(thing, "_run"),
            "What is in `_ready` has no method `_run`: put the callbacks in one by one (`extend`).",
        )
    turn(loop)
    if loop.reports:
        holds(False, "`fn` is called with the future as its argument: Handle(fn, (self,), ...).")
    expected = Events(["set_result begins", "set_result is over", "callback runs"])
    same(
        events,
        expected,
        "Callbacks are scheduled, not run inside `set_result`: the loop runs them.",
    )


@CALLBACKS.check("each is called with the future, in the order they were added")
def _(aio):
    loop, events = quiet_loop(aio), Events()
    future = loop.create_future()
    for name in "ABC":
        future.add_done_callback(lambda f, name=name: events.append(f"{name} gets {f.result()}"))
    future.set_result(1)
    turn(loop)
    sentence = "They are called in the order they were added."
    if len(events) < 3:
        sentence = "All of them are scheduled in one go: `extend` the ready queue with the list."
    same(events, Events(["A gets 1", "B gets 1", "C gets 1"]), sentence)


@CALLBACKS.check("added when it is done, it is called too: soon")
def _(aio):
    loop, events = quiet_loop(aio), Events()
    future = loop.create_future()
    future.set_result(1)
    future.add_done_callback(lambda f: events.append("callback runs"))
    events.append("add_done_callback is over")
    turn(loop)
    sentence = "One that comes late is called too: soon, by `self._loop.call_soon`."
    if events[0] == "callback runs":
        sentence = "Call nothing from here, not even when the future is done: `call_soon`."
    same(events, Events(["add_done_callback is over", "callback runs"]), sentence)


@CALLBACKS.check("each runs in the context it was given")
def _(aio):
    from contextvars import ContextVar, copy_context

    loop, who, seen = quiet_loop(aio), ContextVar("who", default="nothing"), []
    context = copy_context()
    context.run(who.set, "the context")
    early, late = loop.create_future(), loop.create_future()
    late.set_result(1)
    for future in (early, late):
        future.add_done_callback(lambda _: seen.append(who.get()), context=context)
    early.set_result(1)
    turn(loop)
    sentence = "A callback runs in the context it was given: hand `context` on."
    same(seen, ["the context"] * 2, sentence)


@CALLBACKS.check("each is called once, and then forgotten")
def _(aio):
    loop = quiet_loop(aio)
    future = loop.create_future()
    future.add_done_callback(lambda f: None)
    future.set_result(1)
    same(len(future._callbacks), 0, "Move them and keep none: `self._callbacks = []`.")


@CALLBACKS.check("a callback that raises does not stop the next one")
def _(aio):
    loop, events = quiet_loop(aio), Events()
    future = loop.create_future()
    future.add_done_callback(lambda f: 1 / 0)
    future.add_done_callback(lambda f: events.append("second runs"))
    future.set_result(1)
    turn(loop)
    same(events, Events(["second runs"]), "Each callback is a Handle of its own in the queue.")


AWAIT = Exercise(
    name="future-await",
    lesson="05",
    title="Make a future awaitable, and let it be cancelled",
    lines=12,
    module="futures",
    builds=("Future.__await__", "Future.cancel"),
    stub="""
class Future:
    def __await__(self):
        # about 6 lines: while it is pending, set self._asyncio_future_blocking = True and yield
        # yourself to the driver. Resumed while still pending: RuntimeError.
        # Then return the result
        ...

    def cancel(self, msg=None):
        # about 6 lines: False if it is done. Else keep msg in self._cancel_message, the state is
        # CANCELLED, schedule the callbacks, True
        ...
""",
    hints=(
        "`__await__` is a generator: what it yields goes all the way out to the driver, what it "
        "returns is the value of `await future`.",
        "What does the driver need to know? The future itself: `yield self`. When the driver "
        "resumes the coroutine, the result is there.",
        "`if self._state is PENDING:` set the flag, `yield self`. If it is still pending after "
        "that, raise RuntimeError. Then `return self.result()`.",
    ),
    wrong=(
        Wrong(
            """
class Future:
    def __await__(self):
        self._asyncio_future_blocking = True
        yield self
        return self.result()
""",
            "A future that is done suspends nothing",
        ),
        Wrong(
            """
class Future:
    def __await__(self):
        if self._state is PENDING:
            self._asyncio_future_blocking = True
            yield
        return self.result()
""",
            "yield the future itself",
        ),
        Wrong(
            """
class Future:
    def __await__(self):
        if self._state is PENDING:
            self._asyncio_future_blocking = True
            return (yield self)
        return self.result()
""",
            "not what is sent in",
        ),
        Wrong(
            """
class Future:
    def __await__(self):
        while self._state is PENDING:
            self._asyncio_future_blocking = True
            yield self
        return self.result()
""",
            "resumed too early",
        ),
        Wrong(
            """
class Future:
    def __await__(self):
        if self._state is PENDING:
            yield self
        if self._state is PENDING:
            raise RuntimeError("resumed too early")
        return self.result()
""",
            "_asyncio_future_blocking",
        ),
        Wrong(
            """
class Future:
    async def __await__(self):
        return self.result()
""",
            "a generator",
        ),
        Wrong(
            """
class Future:
    def __await__(self):
        while self._state is PENDING:
            pass
        return self.result()
        yield
""",
            "did not come to an end",
        ),
        Wrong(
            """
class Future:
    def cancel(self, msg=None):
        self._cancel_message = msg
        self._state = CANCELLED
        self._schedule_callbacks()
        return True
""",
            "cannot be cancelled any more",
        ),
        Wrong(
            """
class Future:
    def cancel(self, msg=None):
        if self._state is not PENDING:
            return False
        self._cancel_message = msg
        self._state = CANCELLED
        return True
""",
            "Its callbacks must run",
        ),
        Wrong(
            """
class Future:
    def cancel(self, msg=None):
        raise CancelledError(msg)
""",
            "`cancel` raises nothing",
        ),
    ),
    right=(
        """
class Future:
    def __await__(self):
        if self.done():
            return self.result()
        self._asyncio_future_blocking = True
        yield self
        if not self.done():
            raise RuntimeError("resumed while it is pending")
        return self.result()
""",
        """
class Future:
    def __await__(self):
        if not self.done():
            self._asyncio_future_blocking = True
            yield self
            if self._state is PENDING:
                raise RuntimeError
        return self.result()

    def cancel(self, msg=None):
        if self.done():
            return False
        self._state, self._cancel_message = CANCELLED, msg
        self._schedule_callbacks()
        return True
""",
        """
class Future:
    def __await__(self):
        yield from self._until_done()
        return self.result()

    def _until_done(self):
        if self._state == "PENDING":
            self._asyncio_future_blocking = True
            yield self
        if self._state == "PENDING":
            raise RuntimeError("too early")
""",
    ),
)


def _waiter(future):
    async def wait():
        return await future

    return wait()


@AWAIT.check("`await` on a pending future hands the future itself to the driver")
def _(aio):
    import inspect

    future = quiet_loop(aio).create_future()
    holds(
        inspect.isgeneratorfunction(type(future).__await__),
        "`__await__` is a generator: an ordinary `def` with a `yield` in it.",
    )
    coro = _waiter(future)
    try:
        said = coro.send(None)
    except (StopIteration, aio.InvalidStateError):
        said = "nothing"
    finally:
        coro.close()
    sentence = (
        "While it is pending, yield the future itself: the driver must know what to wait for."
    )
    holds(said is future, sentence, repr(said), "the future")
    same(
        future._asyncio_future_blocking,
        True,
        "Set `self._asyncio_future_blocking = True` before the `yield`: the driver looks for it.",
    )


@AWAIT.check("resumed when it is done, `await` gives the result")
def _(aio):
    future = quiet_loop(aio).create_future()
    coro = _waiter(future)
    coro.send(None)
    future.set_result("there")
    stop = raises(
        StopIteration, lambda: coro.send(None), "It is suspended once; then the result is there."
    )
    same(stop.value, "there", "The value of `await` is `self.result()`, not what is sent in.")


@AWAIT.check("a future that is done suspends nothing")
def _(aio):
    future = quiet_loop(aio).create_future()
    future.set_result("there")
    coro = _waiter(future)
    try:
        coro.send(None)
    except StopIteration as stop:
        same(stop.value, "there", "The value of `await` is the result.")
    else:
        coro.close()
        holds(False, "A future that is done suspends nothing: yield only while it is pending.")


@AWAIT.check("resumed while it is pending, it raises RuntimeError")
def _(aio):
    coro = _waiter(quiet_loop(aio).create_future())
    coro.send(None)
    try:
        coro.send(None)
    except RuntimeError:
        return
    except aio.InvalidStateError:
        pass
    else:
        coro.close()
    holds(
        False, "One that is resumed too early must not wait again in silence: raise RuntimeError."
    )


@AWAIT.check("an exception and a cancellation are raised at the `await`")
def _(aio):
    for end, kind in (
        (lambda f: f.set_exception(ValueError("no luck")), ValueError),
        (lambda f: f.cancel(), aio.CancelledError),
    ):
        future = quiet_loop(aio).create_future()
        coro = _waiter(future)
        coro.send(None)
        try:
            end(future)
        except aio.CancelledError:
            holds(False, "`cancel` raises nothing: `result()` does, for the side that asks.")
        raises(kind, lambda coro=coro: coro.send(None), f"`await` raises the {kind.__name__}.")


@AWAIT.check("`cancel()` returns True once, and schedules the callbacks")
def _(aio):
    loop = quiet_loop(aio)
    future = loop.create_future()
    future.add_done_callback(lambda f: None)
    seen = _look_when_scheduled(future)
    same(future.cancel("enough"), True, "It was pending: cancel it, and return True.")
    same(len(loop._ready), 1, "Its callbacks must run, too: `self._schedule_callbacks()`.")
    same(seen, [True], "Schedule last, when the state is in place.")
    error = raises(aio.CancelledError, future.result, "A cancelled future raises CancelledError.")
    same(str(error), "enough", "Keep `msg` in `self._cancel_message`.")
    sentence = "One that is done cannot be cancelled any more: return False and change nothing."
    same(future.cancel(), False, sentence)
    future = loop.create_future()
    future.set_result(1)
    same(future.cancel(), False, sentence)
    same(future.result(), 1, sentence)


@AWAIT.check("two tasks wait for one future, without asking again and again")
def _(aio):
    log = Events()

    async def waiter(name, future):
        log.append(f"{name} waits")
        log.append(f"{name} gets {await future}")

    async def main(loop):
        future = loop.create_future()
        tasks = [loop.create_task(waiter(name, future)) for name in "AB"]
        loop.call_later(5, future.set_result, 42)
        for task in tasks:
            await task

    loop = play(aio, main)
    expected = Events(["A waits", "B waits", "A gets 42", "B gets 42"])
    same(
        log, expected, "Both wait, and both are resumed, in the order in which they began to wait."
    )
    holds(loop.turns < 10, "The loop turned more than it needs.", f"{loop.turns} turns", "under 10")


REPAIR = Exercise(
    name="future-repair",
    lesson="05",
    title="This small future calls back too early: schedule instead",
    lines=12,
    builds=("Box",),
    stub='''
class Box:
    """A result that comes later, and the callbacks that want it."""

    def __init__(self, loop):
        self.loop = loop
        self.full = False
        self.callbacks = []

    def put(self, value):
        self.value = value
        for callback in self.callbacks:
            callback(value)
        self.full = True

    def then(self, callback):
        self.callbacks.append(callback)
''',
    solution='''
class Box:
    """A result that comes later, and the callbacks that want it."""

    def __init__(self, loop):
        self.loop = loop
        self.full = False
        self.callbacks = []

    def put(self, value):
        self.value = value
        self.full = True
        for callback in self.callbacks:
            self.loop.call_soon(callback, value)

    def then(self, callback):
        if self.full:
            self.loop.call_soon(callback, self.value)
        else:
            self.callbacks.append(callback)
''',
    hints=(
        "There are two faults: when callbacks run, and what happens to one that comes late.",
        "`self.loop.call_soon(callback, value)` puts it into the ready queue: the loop runs it "
        "when `put` has returned.",
        "In `then`, look at `self.full`: a box that is full never calls what it keeps.",
    ),
    wrong=(
        Wrong(
            """
class Box:
    def put(self, value):
        self.value = value
        self.full = True
        for callback in self.callbacks:
            callback(value)
""",
            "runs inside `put`",
        ),
        Wrong(
            """
class Box:
    def then(self, callback):
        self.callbacks.append(callback)
""",
            "comes late is never called",
        ),
        Wrong(
            """
class Box:
    def then(self, callback):
        if self.full:
            callback(self.value)
        else:
            self.callbacks.append(callback)
""",
            "runs inside `then`",
        ),
        Wrong(
            """
class Box:
    def put(self, value):
        self.value = value
        self.full = True
        for callback in self.callbacks:
            self.loop.call_soon(callback(value))
""",
            "runs inside `put`",
        ),
        Wrong(
            """
class Box:
    def put(self, value):
        self.value = value
        self.full = True
        for callback in self.callbacks:
            self.loop.call_soon(callback)
""",
            "The value goes with it",
        ),
        Wrong(
            """
class Box:
    def put(self, value):
        self.value = value
        for callback in self.callbacks:
            self.loop.call_soon(callback, value)
""",
            "comes late is never called",
        ),
    ),
    right=(
        """
class Box:
    def put(self, value):
        self.value, self.full = value, True
        while self.callbacks:
            self.loop.call_soon(self.callbacks.pop(0), value)
""",
        """
class Box:
    def put(self, value):
        self.full = True
        self.value = value
        for callback in self.callbacks:
            self.schedule(callback)

    def then(self, callback):
        if not self.full:
            self.callbacks.append(callback)
            return
        self.schedule(callback)

    def schedule(self, callback):
        self.loop.call_soon(lambda: callback(self.value))
""",
        """
class Box:
    def __init__(self, loop):
        self.loop = loop
        self.future = loop.create_future()
        self.full = False

    def put(self, value):
        self.full = True
        self.future.set_result(value)

    def then(self, callback):
        self.future.add_done_callback(lambda future: callback(future.result()))
""",
    ),
)


@REPAIR.check("a callback runs after `put`, in the loop's next turn")
def _(cell):
    loop, events = quiet_loop(cell.aio), Events()
    box = cell.Box(loop)
    box.then(lambda value: events.append(f"callback gets {value}"))
    box.put(42)
    events.append("put is over")
    turn(loop)
    sentence = "The callback runs inside `put`: the caller of `put` is held up. Use `call_soon`."
    if loop.reports and "callback gets 42" not in events:
        sentence = "The value goes with it: `call_soon(callback, value)`."
    same(events, Events(["put is over", "callback gets 42"]), sentence)


@REPAIR.check("every callback gets the value, in the order they were added")
def _(cell):
    loop, events = quiet_loop(cell.aio), Events()
    box = cell.Box(loop)
    for name in "ABC":
        box.then(lambda value, name=name: events.append(f"{name} gets {value}"))
    box.put(42)
    turn(loop, 2)
    if loop.reports or not events:
        return  # the check above says why
    sentence = "All of them are scheduled, in the order they were added."
    same(events, Events(["A gets 42", "B gets 42", "C gets 42"]), sentence)


@REPAIR.check("one that comes late is called too, and not at once")
def _(cell):
    loop, events = quiet_loop(cell.aio), Events()
    box = cell.Box(loop)
    box.put(42)
    box.then(lambda value: events.append(f"callback gets {value}"))
    events.append("then is over")
    turn(loop)
    sentence = "A callback that comes late is never called: look at `self.full` in `then`."
    if events[0] != "then is over":
        sentence = "A late callback runs inside `then`: schedule it as the others."
    same(events, Events(["then is over", "callback gets 42"]), sentence)


@REPAIR.check("a chain of 5,000 boxes does not recurse")
def _(cell):
    loop = quiet_loop(cell.aio)
    boxes = [cell.Box(loop) for _ in range(5000)]
    for box, following in zip(boxes, boxes[1:], strict=False):
        box.then(following.put)
    try:
        boxes[0].put("end")
        turn(loop, 5000)
        same(boxes[-1].full, True, "Each box puts into the next one, a turn later.")
    finally:  # link by link: Python in a web page cannot free a chain as long as this at once
        for box in boxes:
            vars(box).clear()
