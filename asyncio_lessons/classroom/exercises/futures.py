"""Lesson 05: a result that is not there yet."""

import gc

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, holds, raises, same
from ..checking.stage import play, quiet_loop, turn

RESULTS = Exercise(
    name="future-results",
    lesson="05",
    title="Give a future its result, once, and hand it out",
    lines=12,
    module="futures",
    builds=("Future.set_result", "Future.result", "Future.done"),
    stub="""
class Future:
    # self._state is PENDING, CANCELLED or FINISHED; self._result and self._exception hold the rest
    def set_result(self, result):
        # about 5 lines: only a pending one; keep it, change the state, then self._wake()
        ...

    def result(self):
        # about 5 lines: a pending one raises InvalidStateError; a finished one without
        # self._exception returns self._result. All else has failed or was cancelled:
        # raise self.exception(), which knows of both, and notes that somebody saw the error.
        ...

    def done(self):
        # 1 line
        ...
""",
    hints=(
        "Both methods look at `self._state` first, and raise InvalidStateError in the wrong one.",
        "`set_result` keeps the value in `self._result`, sets `self._state = FINISHED`, and calls "
        "`self._wake()` last, when all is in place.",
        "`result`: if PENDING, raise InvalidStateError. If FINISHED and `self._exception` is None, "
        "return `self._result`. Else `raise self.exception()`.",
    ),
    wrong=(
        Wrong(
            """
class Future:
    def set_result(self, result):
        self._result = result
        self._state = FINISHED
        self._wake()
""",
            "let itself be called twice",
        ),
        Wrong(
            """
class Future:
    def set_result(self, result):
        if self._state is not PENDING:
            return
        self._result = result
        self._state = FINISHED
        self._wake()
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
            "Nobody was woken",
        ),
        Wrong(
            """
class Future:
    def set_result(self, result):
        if self._state is not PENDING:
            raise InvalidStateError("done already")
        self._wake()
        self._result = result
        self._state = FINISHED
""",
            "Wake those who wait last",
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
            return None
        if self._state is CANCELLED:
            raise self._make_cancelled_error()
        if self._exception is not None:
            self._result.future = None
            raise self._exception
        return self._result
""",
            "There is no result yet",
        ),
        Wrong(
            """
class Future:
    def result(self):
        if self._state is PENDING:
            raise InvalidStateError("not ready")
        return self._result
""",
            "An exception is raised by `result()`",
        ),
        Wrong(
            """
class Future:
    def result(self):
        if self._state is PENDING:
            raise InvalidStateError("not ready")
        if self._exception:
            raise self._exception
        return self._result
""",
            "A cancelled future raises CancelledError",
        ),
        Wrong(
            """
class Future:
    def result(self):
        if self._state is PENDING:
            raise InvalidStateError("not ready")
        if self._state is CANCELLED:
            raise self._make_cancelled_error()
        if self._exception is not None:
            raise self._exception
        return self._result
""",
            "notes that somebody saw the error",
        ),
        Wrong(
            """
class Future:
    def done(self):
        return self._state is FINISHED
""",
            "A cancelled future is done",
        ),
        Wrong(
            """
class Future:
    def done(self):
        return self._result is not None
""",
            "attribute '_result'",
        ),
    ),
)


@RESULTS.check("a new future is not done", "Look at `self._state`: there is no `_result` yet.")
def _(aio):
    future = quiet_loop(aio).create_future()
    same(future.done(), False, "A new future is pending, so `done()` is False.")


@RESULTS.check("before there is a result, `result()` raises InvalidStateError")
def _(aio):
    future = quiet_loop(aio).create_future()
    raises(
        aio.InvalidStateError,
        future.result,
        "There is no result yet: `result()` is an ordinary call, it cannot wait. Raise "
        "InvalidStateError.",
    )


@RESULTS.check("`set_result(None)` and `set_result(42)` give their result, again and again")
def _(aio):
    for value in (None, 42):
        future = quiet_loop(aio).create_future()
        future.set_result(value)
        same(future.done(), True, "After `set_result` the future is done.")
        same([future.result(), future.result()], [value, value], "Return what was set.")


@RESULTS.check("a second `set_result` raises InvalidStateError, and changes nothing")
def _(aio):
    future = quiet_loop(aio).create_future()
    future.set_result("first")
    raises(
        aio.InvalidStateError,
        lambda: future.set_result("second"),
        "`set_result` let itself be called twice: a future has one result. Raise "
        "InvalidStateError unless it is pending.",
    )
    same(future.result(), "first", "The first result stays.")


@RESULTS.check("those who wait are woken, when the result is in place")
def _(aio):
    loop, seen = quiet_loop(aio), Events()
    future = loop.create_future()

    class Spy:
        def _run(self):
            seen.append("woken")

    class Queue(type(loop._ready)):
        def extend(self, callbacks):
            seen.append(f"woken while {'done' if future.done() else 'still pending'}")
            super().extend(callbacks)

    loop._ready = Queue()
    future._keep(Spy())
    future.set_result(1)
    sentence = "Nobody was woken: call `self._wake()` when the result is set."
    if seen:
        sentence = "Wake those who wait last: they may look at the result at once."
    same(seen, Events(["woken while done"]), sentence)


@RESULTS.check("`result()` raises the exception that was set")
def _(aio):
    loop = quiet_loop(aio)
    future = loop.create_future()
    future.set_exception(ValueError("no luck"))
    sentence = "An exception is raised by `result()`, not returned."
    raises(ValueError, future.result, sentence, "no luck")
    same(future.done(), True, "A future that has an exception is done.")


@RESULTS.check("a cancelled future is done, and `result()` raises CancelledError")
def _(aio):
    future = quiet_loop(aio).create_future()
    future.cancel("enough")
    same(future.done(), True, "A cancelled future is done too: done means not pending.")
    sentence = "A cancelled future raises CancelledError: `self.exception()` does that."
    try:
        future.result()
    except aio.CancelledError as error:
        same(str(error), "enough", sentence)
    except AttributeError:
        holds(False, sentence)
    else:
        holds(False, sentence)


@RESULTS.check("an exception that was fetched is not reported as forgotten")
def _(aio):
    loop = quiet_loop(aio)
    future = loop.create_future()
    future.set_exception(ValueError("seen"))
    try:
        future.result()
    except ValueError:
        pass
    del future
    gc.collect()
    reports = [context["message"] for context in loop.reports]
    same(reports, [], "Raise `self.exception()`: it notes that somebody saw the error.")


EXCEPTIONS = Exercise(
    name="future-exceptions",
    lesson="05",
    title="Let a future fail, and let somebody look at the failure",
    lines=16,
    module="futures",
    builds=("Future.set_exception", "Future.exception"),
    stub="""
class Future:
    def set_exception(self, exception):
        # about 8 lines: only a pending one. A class is called first: ValueError means ValueError()
        # keep it in self._exception, and change the state. There is no result; in its place
        # Unretrieved(copy.copy(self), error.__traceback__) reports it if nobody ever asks
        ...

    def exception(self):
        # about 7 lines: return it, or None if there is a result; say that somebody saw it.
        # A cancelled one raises self._make_cancelled_error(), a pending one InvalidStateError.
        ...
""",
    hints=(
        "`set_exception` is `set_result` with another attribute: the same check first, the same "
        "`self._wake()` last.",
        "`if isinstance(exception, type): exception = exception()` turns a class into an instance.",
        "`exception()`: raise for CANCELLED and for PENDING; if `self._exception` is not None, set "
        "`self._result.future = None`; return `self._exception`.",
    ),
    wrong=(
        Wrong(
            """
class Future:
    def set_exception(self, exception):
        self._exception = exception
        self._state = FINISHED
        self._result = Unretrieved(copy.copy(self), exception.__traceback__)
        self._wake()
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
        self._result = Unretrieved(copy.copy(self), None)
        self._wake()
""",
            "A class is called first",
        ),
        Wrong(
            """
class Future:
    def set_exception(self, exception):
        if self._state is not PENDING:
            raise InvalidStateError("done already")
        if isinstance(exception, type):
            exception = exception()
        self._exception = exception
        self._state = FINISHED
        self._result = Unretrieved(copy.copy(self), exception.__traceback__)
""",
            "Nobody was woken",
        ),
        Wrong(
            """
class Future:
    def exception(self):
        if self._state is PENDING:
            return None
        if self._state is CANCELLED:
            raise self._make_cancelled_error()
        if self._exception is not None:
            self._result.future = None
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
        if self._exception is not None:
            self._result.future = None
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
        if self._exception is not None:
            self._result.future = None
        return self._exception
""",
            "A cancelled future has no exception to return",
        ),
        Wrong(
            """
class Future:
    def exception(self):
        if self._state is PENDING:
            raise InvalidStateError("not yet")
        if self._state is CANCELLED:
            raise self._make_cancelled_error()
        return self._exception
""",
            "Looking at it counts as seeing it",
        ),
    ),
)


@EXCEPTIONS.check("`set_exception(error)` makes the future done, and `exception()` returns it")
def _(aio):
    future, error = quiet_loop(aio).create_future(), ValueError("no luck")
    try:
        future.set_exception(error)
    except ValueError:
        holds(False, "Do not raise it here: whoever asks for the result gets it.")
    same(future.done(), True, "After `set_exception` the future is done.")
    try:
        found = future.exception()
    except ValueError:
        holds(False, "Return the exception from `exception()`: only `result()` raises it.")
    holds(found is error, "Return the very exception that was set.", repr(found), repr(error))


@EXCEPTIONS.check("with a result, `exception()` is None")
def _(aio):
    future = quiet_loop(aio).create_future()
    future.set_result(42)
    same(future.exception(), None, "There is a result, so there is no exception: return None.")


@EXCEPTIONS.check("before it is done, `exception()` raises InvalidStateError")
def _(aio):
    future = quiet_loop(aio).create_future()
    raises(
        aio.InvalidStateError,
        future.exception,
        "Nobody knows yet, and None would mean that all went well: raise InvalidStateError.",
    )


@EXCEPTIONS.check("a cancelled one raises CancelledError in `exception()` too")
def _(aio):
    future = quiet_loop(aio).create_future()
    future.cancel()
    raises(
        aio.CancelledError,
        future.exception,
        "A cancelled future has no exception to return: raise `self._make_cancelled_error()`.",
    )


@EXCEPTIONS.check("a second end raises InvalidStateError")
def _(aio):
    future = quiet_loop(aio).create_future()
    future.set_result("first")
    raises(
        aio.InvalidStateError,
        lambda: future.set_exception(ValueError()),
        "A future ends once: raise InvalidStateError unless it is pending.",
    )


@EXCEPTIONS.check("an exception class does as well", "A class is called first: `exception()`.")
def _(aio):
    future = quiet_loop(aio).create_future()
    future.set_exception(ValueError)
    holds(
        isinstance(future.exception(), ValueError),
        "A class is called first: `if isinstance(exception, type): exception = exception()`.",
        repr(future.exception()),
        "ValueError()",
    )


@EXCEPTIONS.check("those who wait are woken")
def _(aio):
    loop = quiet_loop(aio)
    future = loop.create_future()
    future.add_done_callback(lambda _: None)
    future.set_exception(ValueError())
    future.exception()
    same(len(loop._ready), 1, "Nobody was woken: call `self._wake()` when all is in place.")


@EXCEPTIONS.check("an exception nobody fetched is reported, one that was looked at is not")
def _(aio):
    for look, expected in ((False, ["Future exception was never retrieved"]), (True, [])):
        loop = quiet_loop(aio)
        future = loop.create_future()
        future.set_exception(ValueError("unseen"))
        if look:
            future.exception()
        del future
        gc.collect()
        reports = [context["message"] for context in loop.reports]
        sentence = "Without `Unretrieved` an error nobody asks for is lost in silence."
        if look:
            sentence = "Looking at it counts as seeing it: self._result.future = None"
        same(reports, expected, sentence)


CALLBACKS = Exercise(
    name="future-callbacks",
    lesson="05",
    title="Call those who want to know: soon, never at once",
    lines=9,
    module="futures",
    builds=("Future.add_done_callback", "Future._wake"),
    stub="""
class Future:
    # self._callbacks holds what waits: each thing in it has a method _run(). self._keep(thing)
    # puts one in: it is NOBODY as long as it is empty, so that no list is made for nothing
    def add_done_callback(self, fn, *, context=None):
        # about 4 lines: while pending, self._keep(Handle(fn, (self,), self._loop, context))
        # when it is done already: self._loop.call_soon(fn, self, context=context)
        ...

    def _wake(self):
        # about 3 lines: hand all that waits over to self._loop._ready, and keep none of it
        ...
""",
    hints=(
        "Two cases in `add_done_callback`: pending, or not. Neither calls `fn`.",
        "`_wake` runs nothing either: it moves. `self._loop._ready` is a deque, so it has "
        "`extend`.",
        "`self._loop._ready.extend(self._callbacks)`, then `self._callbacks = NOBODY`.",
    ),
    wrong=(
        Wrong(
            """
class Future:
    def _wake(self):
        for handle in self._callbacks:
            handle._run()
        self._callbacks = []
""",
            "scheduled, not run inside `set_result`",
        ),
        Wrong(
            """
class Future:
    def _wake(self):
        self._loop._ready.extend(self._callbacks)
""",
            "keep none",
        ),
        Wrong(
            """
class Future:
    def _wake(self):
        self._loop._ready.extend(reversed(self._callbacks))
        self._callbacks = []
""",
            "in the order they were added",
        ),
        Wrong(
            """
class Future:
    def _wake(self):
        self._loop._ready.append(self._callbacks)
        self._callbacks = []
""",
            "one by one",
        ),
        Wrong(
            """
class Future:
    def _wake(self):
        if self._callbacks:
            self._loop._ready.append(self._callbacks.pop(0))
""",
            "All who wait",
        ),
        Wrong(
            """
class Future:
    def add_done_callback(self, fn, *, context=None):
        self._keep(Handle(fn, (self,), self._loop, context))
""",
            "is called too: soon",
        ),
        Wrong(
            """
class Future:
    def add_done_callback(self, fn, *, context=None):
        if self._state is PENDING:
            self._keep(Handle(fn, (self,), self._loop, context))
        else:
            fn(self)
""",
            "not even when the future is done",
        ),
        Wrong(
            """
class Future:
    def add_done_callback(self, fn, *, context=None):
        if self._state is PENDING:
            self._keep(fn)
        else:
            self._loop.call_soon(fn, self, context=context)
""",
            "has no method `_run`",
        ),
        Wrong(
            """
class Future:
    def add_done_callback(self, fn, *, context=None):
        if self._state is PENDING:
            self._keep(Handle(fn, (), self._loop, context))
        else:
            self._loop.call_soon(fn, self, context=context)
""",
            "is called with the future",
        ),
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
        sentence = "All who wait are woken in one go: `extend` the ready queue with the whole list."
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


@CALLBACKS.check("each is called once, and then forgotten")
def _(aio):
    loop = quiet_loop(aio)
    future = loop.create_future()
    future.add_done_callback(lambda f: None)
    future.set_result(1)
    same(len(future._callbacks), 0, "Hand them over and keep none: `self._callbacks = NOBODY`.")


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
    title="Make a future something one can await, and cancel",
    lines=12,
    module="futures",
    builds=("Future.__await__", "Future.cancel"),
    stub="""
class Future:
    def __await__(self):
        # about 5 lines: while pending, set self._asyncio_future_blocking = True and yield yourself
        # to the task that drives you; woken too early is a RuntimeError; then the result
        ...

    def cancel(self, msg=None):
        # about 6 lines: False if it is done; else the state, self._cancel_message, wake, True
        ...
""",
    hints=(
        "`__await__` is a generator: what it yields goes all the way out to the task, what it "
        "returns is the value of `await future`.",
        "What does a task need to know? The future itself: `yield self`. When somebody steps us "
        "again, the result is there.",
        "`if self._state is PENDING:` set the flag, `yield self`, and if it is still pending raise "
        "RuntimeError. After the `if`: `return self.result()`.",
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
            "A future that is done does not stop anybody",
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
            "woken too early",
        ),
        Wrong(
            """
class Future:
    def __await__(self):
        if self._state is PENDING:
            yield self
            if self._state is PENDING:
                raise RuntimeError("woken too early")
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
        self._state = CANCELLED
        self._cancel_message = msg
        self._wake()
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
        self._state = CANCELLED
        self._cancel_message = msg
        return True
""",
            "Those who wait must hear of it",
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
)


def _waiter(future):
    async def wait():
        return await future

    return wait()


@AWAIT.check("`await` on a pending future hands the future itself to whoever drives")
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
    sentence = "While it is pending, yield the future itself: the task must know what to wait for."
    holds(said is future, sentence, repr(said), "the future")
    same(
        future._asyncio_future_blocking,
        True,
        "Set `self._asyncio_future_blocking = True` before the `yield`: a task looks for it.",
    )


@AWAIT.check("stepped again when it is done, `await` gives the result")
def _(aio):
    future = quiet_loop(aio).create_future()
    coro = _waiter(future)
    coro.send(None)
    future.set_result("there")
    stop = raises(
        StopIteration, lambda: coro.send(None), "It stops once; then the result is there."
    )
    same(stop.value, "there", "The value of `await` is `self.result()`, not what is sent in.")


@AWAIT.check("a future that is done does not stop anybody")
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
        holds(False, "A future that is done does not stop anybody: yield only while it is pending.")


@AWAIT.check("stepped again while it is pending, it raises RuntimeError")
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
    holds(False, "One that is woken too early must not wait again in silence: raise RuntimeError.")


@AWAIT.check("an exception and a cancellation reach the one who awaits")
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
            holds(False, "`cancel` raises nothing: whoever asks for the result gets the error.")
        raises(kind, lambda coro=coro: coro.send(None), f"`await` raises the {kind.__name__}.")


@AWAIT.check("`cancel()` says True once, and those who wait are woken")
def _(aio):
    loop = quiet_loop(aio)
    future = loop.create_future()
    future.add_done_callback(lambda f: None)
    same(future.cancel("enough"), True, "It was pending: cancel it, and say True.")
    same(len(loop._ready), 1, "Those who wait must hear of it: `self._wake()`.")
    error = raises(aio.CancelledError, future.result, "A cancelled future raises CancelledError.")
    same(str(error), "enough", "Keep `msg` in `self._cancel_message`.")
    sentence = "One that is done cannot be cancelled any more: say False and change nothing."
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
    same(log, expected, "Both wait, and both are woken in the order they came.")
    holds(loop.turns < 10, "The loop turned more than it needs.", f"{loop.turns} turns", "under 10")


REPAIR = Exercise(
    name="future-repair",
    lesson="05",
    title="This small future calls back too early: schedule instead",
    lines=12,
    builds=("Box",),
    stub='''
class Box:
    """A result that comes later, and those who want to be called with it."""

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
    """A result that comes later, and those who want to be called with it."""

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
        "`self.loop.call_soon(callback, value)` runs it in the loop's next turn.",
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
)


@REPAIR.check("a callback runs after `put`, in the loop's next turn")
def _(cell):
    loop, events = quiet_loop(cell.aio), Events()
    box = cell.Box(loop)
    box.then(lambda value: events.append(f"callback gets {value}"))
    box.put(42)
    events.append("put is over")
    turn(loop)
    sentence = "The callback runs inside `put`: whoever puts is interrupted. Use `call_soon`."
    if loop.reports and "callback gets 42" not in events:
        sentence = "The value goes with it: `call_soon(callback, value)`."
    same(events, Events(["put is over", "callback gets 42"]), sentence)


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
