"""Lesson 06: a future that drives a coroutine."""

import contextvars
import inspect
import types

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, Refused, holds, raises, same
from ..checking.stage import play, quiet_loop, turn

STEP = Exercise(
    name="task-step",
    lesson="06",
    title="Take one step of the coroutine, and act on what comes out",
    lines=14,
    module="tasks",
    builds=("Task._run",),
    also=("Task._finish", "Task._fail"),
    stub="""
class Task(Future):
    def _run(self, error=None):
        # about 14 lines. During the step self is self._loop._current_task, and after it None is.
        # First: if self._must_cancel, the error to throw is self._take_cancel_request().
        #        It waits for no future now: self._fut_waiter = None
        # Step:  self._coro.send(None), or self._coro.throw(error) if there is one. Each runs in
        #        the context of the task: self._context.run(method, argument)
        # Then:  it returned a value    self._finish(value)
        #        it raised an error     self._fail(error)
        #        it yielded something   self._wait_for(it)
        ...
""",
    hints=(
        "A coroutine that returns raises StopIteration, and the value is in its `value`. Any other "
        "error is its own. So: one `try` around the step, two `except`, and an `else`.",
        "`self._context.run(self._coro.send, None)` is one step. With an error it is "
        "`self._context.run(self._coro.throw, error)`.",
        "`except StopIteration as stop: self._finish(stop.value)`; `except BaseException as "
        "caught: self._fail(caught)`; `else: self._wait_for(awaited)`. Set `_current_task` before "
        "the `try`, and back to None after it.",
    ),
    wrong=(
        Wrong(
            """
class Task(Future):
    def _run(self, error=None):
        self._loop._current_task = self
        try:
            while True:
                self._context.run(self._coro.send, None)
        except StopIteration as stop:
            self._finish(stop.value)
        self._loop._current_task = None
""",
            "One step at a time",
        ),
        Wrong(
            change=("self._context.run(step, error)", "step(error)"),
            says="self._context.run",
        ),
        Wrong(
            change=("self._coro.send if error is None else self._coro.throw", "self._coro.send"),
            says="An error to throw",
        ),
        Wrong(change=("self._finish(stop.value)", "self._finish(None)"), says="`stop.value`"),
        Wrong(
            change=(
                "        except BaseException as caught:",
                "        except Exception as caught:",
            ),
            says="CancelledError is a BaseException",
        ),
        Wrong(
            change=("            self._fail(caught)", "            raise"),
            says="belongs into the task",
        ),
        Wrong(
            """
class Task(Future):
    def _run(self, error=None):
        self._loop._current_task = self
        if self._must_cancel:
            error = self._take_cancel_request()
        self._fut_waiter = None
        step = self._coro.send if error is None else self._coro.throw
        try:
            self._context.run(step, error)
        except StopIteration as stop:
            self._finish(stop.value)
        except BaseException as caught:
            self._fail(caught)
        else:
            self._loop._ready.append(self)
        self._loop._current_task = None
""",
            "must not be put into `_ready`",
        ),
        Wrong(
            change=("        self._loop._current_task = self\n", ""),
            says="self._loop._current_task",
        ),
        Wrong(
            change=("\n        self._loop._current_task = None\n\n", "\n\n"),
            says="back to None after it",
        ),
        Wrong(
            change=(
                "        if self._must_cancel:\n            error = self._take_cancel_request()\n",
                "",
            ),
            says="self._take_cancel_request()",
        ),
        Wrong(change=("        self._fut_waiter = None\n", ""), says="It waits for no future"),
    ),
    right=(
        """
class Task(Future):
    def _run(self, error=None):
        loop = self._loop
        loop._current_task = self
        self._fut_waiter, waiter = None, self._fut_waiter
        if self._must_cancel:
            self._fut_waiter = waiter
            error = self._take_cancel_request()
            self._fut_waiter = None
        try:
            if error is not None:
                awaited = self._context.run(self._coro.throw, error)
            else:
                awaited = self._context.run(self._coro.send, None)
        except StopIteration as stop:
            self._finish(stop.value)
        except BaseException as problem:
            self._fail(problem)
        else:
            self._wait_for(awaited)
        loop._current_task = None
""",
        """
class Task(Future):
    def _run(self, error=None):
        self._loop._current_task = self
        if self._must_cancel:
            error = self._take_cancel_request()
        self._fut_waiter = None
        try:
            awaited = self._context.run(self._step, error)
        except StopIteration as stop:
            self._finish(stop.value)
        except BaseException as caught:
            self._fail(caught)
        else:
            self._wait_for(awaited)
        finally:
            self._loop._current_task = None

    def _step(self, error):
        if error is None:
            return self._coro.send(None)
        return self._coro.throw(error)
""",
        """
class Task(Future):
    def _run(self, error=None):
        self._loop._current_task = self
        if self._must_cancel:
            error = self._take_cancel_request()
        self._fut_waiter = None
        try:
            if error:
                awaited = self._context.run(lambda: self._coro.throw(error))
            else:
                awaited = self._context.run(lambda: self._coro.send(None))
        except BaseException as caught:
            if isinstance(caught, StopIteration):
                self._finish(caught.value)
            else:
                self._fail(caught)
        else:
            self._wait_for(awaited)
        self._loop._current_task = None
""",
    ),
)


def _new(aio, loop, coro):
    """A task whose first step the check takes itself."""
    task = aio.Task(coro, loop=loop)
    loop._ready.clear()
    return task


def _one_that_waits(aio):
    """A loop, a future, and a task that has taken one step and waits for it."""
    loop = quiet_loop(aio)
    future = loop.create_future()

    async def waits():
        return await future

    task = _new(aio, loop, waits())
    task._run()
    return loop, future, task


@STEP.check("a step runs the coroutine to where it suspends, and no further")
def _(aio):
    loop, events = quiet_loop(aio), Events()

    async def walk():
        events.append("first")
        await aio.suspend()
        events.append("second")

    task = _new(aio, loop, walk())
    task._run()
    events.append("back in the loop")
    turn(loop)
    expected = Events(["first", "back in the loop", "second"])
    sentence = "One step at a time: hand what was yielded to `self._wait_for`, and return."
    same(events, expected, sentence)


@STEP.check("what the coroutine returns is the task's result")
def _(aio):
    loop = quiet_loop(aio)

    async def answer():
        return 42

    task = _new(aio, loop, answer())
    task._run()
    same(task.done(), True, "StopIteration is the end: `self._finish(stop.value)`.")
    same(task.result(), 42, "What the coroutine returns is the task's result: `stop.value`.")


@STEP.check("what it raises is the task's exception, and does not leave the step")
def _(aio):
    loop = quiet_loop(aio)

    async def fails():
        raise ValueError("inside")

    task = _new(aio, loop, fails())
    try:
        task._run()
    except ValueError:
        holds(False, "An error of the coroutine belongs into the task: `self._fail(error)`.")
    raises(ValueError, task.result, "The exception comes out of `task.result()`.", "inside")


@STEP.check("a future that is yielded is waited for")
def _(aio):
    loop, future, task = _one_that_waits(aio)
    sentence = "A task that waits for a future must not be put into `_ready`: `self._wait_for(it)`."
    holds(not loop._ready, sentence)
    same(len(future._callbacks), 1, "Hand what was yielded to `self._wait_for`.")
    sentence = "Set `self._fut_waiter = None` before the step: in the step `_wait_for` sets it."
    holds(task._fut_waiter is future, sentence, repr(task._fut_waiter), "the future")
    future.set_result("there")
    turn(loop)
    same(task.result(), "there", "Woken up, it resumes the coroutine.")
    holds(
        task._fut_waiter is None,
        "It waits for no future any more: set `self._fut_waiter = None` before the step.",
    )


@STEP.check("a coroutine that ends with CancelledError makes the task cancelled")
def _(aio):
    loop = quiet_loop(aio)

    async def cancelled():
        raise aio.CancelledError

    task = _new(aio, loop, cancelled())
    try:
        task._run()
    except aio.CancelledError:
        holds(False, "CancelledError is a BaseException: `except Exception` does not catch it.")
    sentence = "A coroutine that ends with CancelledError is cancelled, not failed."
    same(task.cancelled(), True, sentence)


@STEP.check("an error is thrown into the coroutine, not sent")
def _(aio):
    loop, events = quiet_loop(aio), Events()

    async def careful():
        try:
            await aio.suspend()
        except ValueError as error:
            events.append(f"caught {error}")

    task = _new(aio, loop, careful())
    task._run()
    loop._ready.clear()
    task._run(ValueError("thrown"))
    same(events, Events(["caught thrown"]), "An error to throw goes in by `throw`, not by `send`.")


@STEP.check("a request to cancel is thrown at the next step, once")
def _(aio):
    loop, events = quiet_loop(aio), Events()

    async def stubborn():
        for _ in range(3):
            try:
                await aio.suspend()
                events.append("resumed")
            except aio.CancelledError:
                events.append("CancelledError")

    task = _new(aio, loop, stubborn())
    task._run()
    task._must_cancel = True
    turn(loop, 3)
    expected = Events(["CancelledError", "resumed", "resumed"])
    sentence = "With `self._must_cancel` the error to throw is `self._take_cancel_request()`."
    same(events, expected, sentence)


@STEP.check("a request to cancel is taken while it is known what the task waited for")
def _(aio):
    loop, future, task = _one_that_waits(aio)
    future.cancel("the future's")
    task.cancel("the task's")
    turn(loop)
    sentence = "Take the request first, and then set `self._fut_waiter = None`: a future that was "
    sentence += "cancelled before the task has a message of its own."
    error = raises(aio.CancelledError, task.result, sentence)
    same(str(error), "the future's", sentence)


@STEP.check("during the step it is the current task, and after it no longer")
def _(aio):
    loop = quiet_loop(aio)

    async def look():
        return loop._current_task

    task = _new(aio, loop, look())
    task._run()
    sentence = "Set `self._loop._current_task` to the task for the step, and back to None after it."
    holds(task.result() is task, sentence, repr(task.result()), "the task")
    same(loop._current_task, None, sentence)


@STEP.check("context variables stay in the task")
def _(aio):
    loop, number = quiet_loop(aio), contextvars.ContextVar("number", default=0)

    async def count():
        number.set(number.get() + 1)
        await aio.suspend()
        number.set(number.get() + 1)
        return number.get()

    task = _new(aio, loop, count())
    task._run()
    sentence = (
        "A task has a context of its own: step with `self._context.run(self._coro.send, None)`."
    )
    same(number.get(), 0, sentence)
    turn(loop)
    same(task.result(), 2, sentence)


WAKEUP = Exercise(
    name="task-wakeup",
    lesson="06",
    title="Wait for what the coroutine yielded",
    lines=11,
    module="tasks",
    builds=("Task._wait_for", "Task._wakeup"),
    stub="""
class Task(Future):
    def _wait_for(self, awaited):
        # about 10 lines
        # None      it asks to run again: append the task to self._loop._ready
        # refused   problem = self._why_not(awaited) says why it cannot be waited for, or None.
        #           The next step throws: self._loop.call_soon(self._run, RuntimeError(problem))
        # a future  awaited._asyncio_future_blocking = False (its request is answered);
        #           add_done_callback(self._wakeup); keep it in self._fut_waiter.
        #           A cancel() that came before (self._must_cancel) goes to it: awaited.cancel(...).
        #           If that returns True, the request is answered: self._must_cancel = False
        ...

    def _wakeup(self, future):
        ...  # 1 line: take the next step
""",
    hints=(
        "Three cases: `if awaited is None`, `elif problem := self._why_not(awaited)`, `else`.",
        "`_wakeup` is the callback of the future: it takes the next step, `self._run()`. No result "
        "is sent in: `await` gets it out of the future itself.",
        "The last lines: `if self._must_cancel and awaited.cancel(msg=self._cancel_message): "
        "self._must_cancel = False`. The future's cancellation will wake the task.",
    ),
    wrong=(
        Wrong(
            """
class Task(Future):
    def _wait_for(self, awaited):
        self._loop._ready.append(self)
""",
            "asks again and again",
        ),
        Wrong(
            """
class Task(Future):
    def _wait_for(self, awaited):
        if awaited is None:
            self._loop._ready.append(self)
            return
        awaited._asyncio_future_blocking = False
        awaited.add_done_callback(self._wakeup)
        self._fut_waiter = awaited
        if self._must_cancel and awaited.cancel(msg=self._cancel_message):
            self._must_cancel = False
""",
            "cannot be awaited",
        ),
        Wrong(
            change=(
                "self._loop.call_soon(self._run, RuntimeError(problem))",
                "raise RuntimeError(problem)",
            ),
            says="into the coroutine",
        ),
        Wrong(
            change=("def _wakeup(self, future: Any)", "def _wakeup(self)"),
            says="_wakeup() takes 1 positional argument but 2 were given",
        ),
        Wrong(change=("            self._fut_waiter = awaited\n", ""), says="self._fut_waiter"),
        Wrong(
            change=(
                "            if self._must_cancel and awaited.cancel(msg=self._cancel_message):\n"
                "                self._must_cancel = False\n",
                "",
            ),
            says="came before it waited",
        ),
        Wrong(
            change=("            awaited._asyncio_future_blocking = False\n", ""),
            says="_asyncio_future_blocking",
        ),
        Wrong(
            change=(
                "awaited.add_done_callback(self._wakeup)",
                "self._loop.call_soon(self._wakeup, awaited)",
            ),
            says="asks again and again",
        ),
        Wrong(
            """
class Task(Future):
    def _wakeup(self, future):
        self._loop.call_soon(self._run)
""",
            "a turn too late",
        ),
        Wrong(
            """
class Task(Future):
    def _wait_for(self, awaited):
        if awaited is None:
            self._run()
        elif problem := self._why_not(awaited):
            self._loop.call_soon(self._run, RuntimeError(problem))
        else:
            awaited._asyncio_future_blocking = False
            awaited.add_done_callback(self._wakeup)
            self._fut_waiter = awaited
            if self._must_cancel and awaited.cancel(msg=self._cancel_message):
                self._must_cancel = False
""",
            "in the next turn",
        ),
    ),
    right=(
        """
class Task(Future):
    def _wait_for(self, awaited):
        problem = None if awaited is None else self._why_not(awaited)
        if problem is not None:
            self._loop.call_soon(self._run, RuntimeError(problem))
            return
        if awaited is None:
            self._loop._ready.append(self)
            return
        self._fut_waiter = awaited
        awaited._asyncio_future_blocking = False
        awaited.add_done_callback(self._wakeup)
        if self._must_cancel:
            if awaited.cancel(self._cancel_message):
                self._must_cancel = False
""",
        """
class Task(Future):
    def _wait_for(self, awaited):
        if awaited is None:
            self._loop.call_soon(self._run)
        elif problem := self._why_not(awaited):
            self._loop.call_soon(self._run, RuntimeError(problem))
        else:
            awaited._asyncio_future_blocking = False
            awaited.add_done_callback(lambda _: self._wakeup(awaited))
            self._fut_waiter = awaited
            if self._must_cancel and awaited.cancel(msg=self._cancel_message):
                self._must_cancel = False

    def _wakeup(self, future):
        return self._run(None)
""",
        """
class Task(Future):
    def _wait_for(self, awaited):
        if awaited is None:
            self._loop._ready.append(self)
        elif self._why_not(awaited):
            error = RuntimeError(self._why_not(awaited))
            self._loop._ready.append(Handle(self._run, (error,), self._loop))
        else:
            self._leave_with(awaited)

    def _leave_with(self, future):
        future._asyncio_future_blocking = False
        future.add_done_callback(self._wakeup)
        self._fut_waiter = future
        if self._must_cancel and future.cancel(msg=self._cancel_message):
            self._must_cancel = False


from .futures import Handle
""",
    ),
)


@WAKEUP.check("after a bare yield it runs again in the next turn, not at once")
def _(aio):
    loop, events = quiet_loop(aio), Events()

    async def walk(name):
        for step in (1, 2):
            events.append(f"{name} {step}")
            await aio.suspend()

    for name in "AB":
        task = aio.Task(walk(name), loop=loop)  # the ready queue holds it
    turn(loop)
    sentence = "A bare yield means: again in the next turn. Put the task into `self._loop._ready`."
    same(events, Events(["A 1", "B 1"]), sentence)
    turn(loop)
    same(events, Events(["A 1", "B 1", "A 2", "B 2"]), sentence)
    turn(loop)
    same(task.done(), True, sentence)


@WAKEUP.check("a task sleeps until its future is done, and is woken up once")
def _(aio):
    log = Events()

    async def waiter(future):
        log.append(f"gets {await future}")
        return "done"

    async def main(loop):
        future = loop.create_future()
        loop.call_later(5, future.set_result, 42)
        log.append(await loop.create_task(waiter(future)))

    try:
        loop = play(aio, main)
    except RuntimeError as error:
        if "await wasn't" in str(error):
            raise Refused(
                "It runs before its future is done, and asks again and again: wait with "
                "`awaited.add_done_callback(self._wakeup)`.",
                "resumed while the future is pending",
                "resumed when it is done",
            ) from None
        raise
    same(log, Events(["gets 42", "done"]), "The value of `await task` is what it returned.")
    holds(loop.turns < 10, "The loop turned more than it needs.", f"{loop.turns} turns", "under 10")


@WAKEUP.check("the step is taken in the turn in which its future's callbacks run")
def _(aio):
    loop, future, task = _one_that_waits(aio)
    future.set_result("there")
    turn(loop)
    same(
        task.done(), True, "`_wakeup` takes the step itself: by `call_soon` it is a turn too late."
    )


@WAKEUP.check("while it waits, it knows for what, and the future knows it too")
def _(aio):
    loop, future, task = _one_that_waits(aio)
    sentence = "Keep what it waits for in `self._fut_waiter`: `cancel` needs it."
    holds(task._fut_waiter is future, sentence, repr(task._fut_waiter), "the future")
    sentence = "Clear `awaited._asyncio_future_blocking`: the next `await` of it sets it again."
    same(future._asyncio_future_blocking, False, sentence)
    same(len(future._callbacks), 1, "The future must wake the task: `add_done_callback`.")
    future.cancel()
    turn(loop)


@WAKEUP.check("a foreign thing that is yielded is a clear error in the coroutine")
def _(aio):
    events = Events()

    @types.coroutine
    def foreign():
        yield "tea"

    async def main(loop):
        try:
            await foreign()
        except RuntimeError as error:
            events.append(str(error))

    sentence = "What cannot be awaited is a RuntimeError, thrown into the coroutine that awaits it."
    loop = quiet_loop(aio)
    task = aio.Task(main(loop), loop=loop)
    try:
        turn(loop, 3)
    except RuntimeError:
        holds(False, sentence + " Raised here it would end the loop.")
    except AttributeError:
        holds(False, "A string cannot be awaited: ask `self._why_not(awaited)` first.")
    same(events, Events(["Task got bad yield: 'tea'"]), sentence)
    same(task.done(), True, sentence)


@WAKEUP.check("a future of another loop is refused")
def _(aio):
    here, there = quiet_loop(aio), quiet_loop(aio)
    future = there.create_future()

    async def waits():
        await future

    task = aio.Task(waits(), loop=here)
    turn(here, 3)
    error = task.exception() if task.done() and not task.cancelled() else None
    holds(
        isinstance(error, RuntimeError) and "different loop" in str(error),
        "A future of another loop would never wake us: `self._why_not` says so.",
        repr(error),
        "RuntimeError: ... attached to a different loop",
    )


@WAKEUP.check("a cancel that came before it waited is passed on to the future")
def _(aio):
    loop, messages = quiet_loop(aio), []
    future = loop.create_future()

    async def waits():
        task.cancel("enough")  # it runs now, so there is no future yet that could take it
        try:
            await future
        except aio.CancelledError as error:
            messages.append(str(error))
            await aio.suspend()
            raise

    task = aio.Task(waits(), loop=loop)
    turn(loop, 5)
    sentence = "A cancel that came before it waited is not lost: cancel the future now."
    same(future.cancelled(), True, sentence)
    same(task.cancelled(), True, sentence)
    sentence = "Pass the message on with it: `awaited.cancel(msg=self._cancel_message)`."
    same(messages, ["enough"], sentence)


@WAKEUP.check("what it awaits may take the cancel and refuse it: then it is not thrown again")
def _(aio):
    loop = quiet_loop(aio)

    async def refuses():
        try:
            await loop.create_future()
        except aio.CancelledError:
            return "refused"

    async def waits(inner):
        task.cancel()
        return await inner

    inner = aio.Task(refuses(), loop=loop)
    turn(loop)
    task = aio.Task(waits(inner), loop=loop)
    turn(loop, 4)
    sentence = "The task it awaits took the request: then `self._must_cancel = False`."
    holds(task.done() and not task.cancelled(), sentence)
    same(task.result(), "refused", sentence)


@WAKEUP.check("a future that does not take the cancel leaves it to the next step")
def _(aio):
    loop = quiet_loop(aio)

    class Firm(aio.Future):
        def cancel(self, msg=None):
            return False

    async def waits(future):
        task.cancel()
        return await future

    future = Firm(loop=loop)
    task = aio.Task(waits(future), loop=loop)
    turn(loop)
    future.set_result("there")
    turn(loop)
    sentence = "`awaited.cancel(...)` returned False: then keep `self._must_cancel`."
    same(task.cancelled(), True, sentence)


@WAKEUP.check("a cancel is thrown once, also where the future takes it")
def _(aio):
    loop, events = quiet_loop(aio), Events()
    future = loop.create_future()

    async def stubborn():
        task.cancel()
        for awaited in (future, aio.suspend()):
            try:
                await awaited
                events.append("resumed")
            except aio.CancelledError:
                events.append("CancelledError")

    task = aio.Task(stubborn(), loop=loop)
    turn(loop, 5)
    sentence = "The future takes the request: then `self._must_cancel = False`."
    same(events, Events(["CancelledError", "resumed"]), sentence)


CANCEL = Exercise(
    name="task-cancel",
    lesson="06",
    title="Ask a task to stop: a request, thrown in where it waits",
    lines=12,
    module="tasks",
    builds=("Task.cancel", "Task.uncancel"),
    stub="""
class Task(Future):
    def cancel(self, msg=None):
        # about 7 lines: False if it is done. Count the request in self._num_cancels_requested.
        # Cancel the future it waits for, self._fut_waiter.cancel(msg=msg): that wakes the task.
        # If it waits for none, or that one cannot be cancelled: self._must_cancel = True and
        # self._cancel_message = msg, for the next step. Return True.
        ...

    def uncancel(self):
        # about 4 lines: take back one request, if there is one. With none left, nothing is to be
        # thrown any more. Return how many are left.
        ...
""",
    hints=(
        "`cancel` throws nothing. It arranges that the next step throws, and returns True.",
        "A task that waits is woken by its future's cancellation. One that does not wait (not "
        "started, or between two steps) has only the mark `_must_cancel`, and is ready already.",
        "`if self._fut_waiter is None or not self._fut_waiter.cancel(msg=msg):` set the mark. "
        "`uncancel`: `max(0, self._num_cancels_requested - 1)`; at 0, `self._must_cancel = False`.",
    ),
    wrong=(
        Wrong(
            """
class Task(Future):
    def cancel(self, msg=None):
        return Future.cancel(self, msg)
""",
            "The coroutine was not told",
        ),
        Wrong(
            """
class Task(Future):
    def cancel(self, msg=None):
        self._coro.throw(CancelledError())
        return True
""",
            "takes a turn",
        ),
        Wrong(
            """
class Task(Future):
    def cancel(self, msg=None):
        if self.done():
            return False
        self._num_cancels_requested += 1
        self._must_cancel = True
        self._cancel_message = msg
        return True
""",
            "Cancel the future it waits for",
        ),
        Wrong(
            """
class Task(Future):
    def cancel(self, msg=None):
        if self.done():
            return False
        self._num_cancels_requested += 1
        if self._fut_waiter is not None:
            self._fut_waiter.cancel(msg=msg)
        return True
""",
            "has nothing to wait for",
        ),
        Wrong(
            change=("        if self.done():\n            return False\n", ""),
            says="A task that is done cannot be cancelled",
        ),
        Wrong(change=("        self._num_cancels_requested += 1\n", ""), says="Count each request"),
        Wrong(
            """
class Task(Future):
    def uncancel(self):
        self._num_cancels_requested -= 1
        return self._num_cancels_requested
""",
            "fewer than none",
        ),
        Wrong(
            """
class Task(Future):
    def uncancel(self):
        self._num_cancels_requested = max(0, self._num_cancels_requested - 1)
        return self._num_cancels_requested
""",
            "nothing is to be thrown",
        ),
        Wrong(change=("            self._cancel_message = msg\n", ""), says="Keep the message"),
    ),
    right=(
        """
class Task(Future):
    def cancel(self, msg=None):
        if self._state is not PENDING:
            return False
        self._num_cancels_requested = self._num_cancels_requested + 1
        waiter = self._fut_waiter
        if waiter is not None and waiter.cancel(msg):
            return True
        self._cancel_message, self._must_cancel = msg, True
        return True


from .futures import PENDING
""",
        """
class Task(Future):
    def uncancel(self):
        if self._num_cancels_requested > 0:
            self._num_cancels_requested -= 1
        if not self._num_cancels_requested:
            self._must_cancel = False
        return self._num_cancels_requested
""",
        """
class Task(Future):
    def cancel(self, msg=None):
        pending = not self.done()
        if pending:
            self._num_cancels_requested += 1
            if not (self._fut_waiter and self._fut_waiter.cancel(msg=msg)):
                self._must_cancel = True
                self._cancel_message = msg
        return pending
""",
    ),
)


def _sleeper(log, future):
    async def sleeper():
        log.append("begins")
        try:
            await future
        except BaseException as error:
            log.append(f"{type(error).__name__}({', '.join(map(str, error.args))}) arrives")
            raise

    return sleeper()


@CANCEL.check(
    "a task that waits is thrown CancelledError where it waits, a turn later",
    "`cancel` throws nothing itself: the request takes a turn of the loop.",
)
def _(aio):
    loop, log = quiet_loop(aio), Events()
    future = loop.create_future()
    task = aio.Task(_sleeper(log, future), loop=loop)
    turn(loop)
    same(task.cancel("enough"), True, "The request was taken: return True.")
    log.append("cancel is over")
    turn(loop, 2)
    expected = Events(["begins", "cancel is over", "CancelledError(enough) arrives"])
    sentence = "The coroutine was not told: CancelledError is thrown in where it waits."
    if len(log) == 3:
        sentence = "`cancel` throws nothing itself: the request takes a turn of the loop."
    elif not task.done() and not future.cancelled():
        sentence = "Nothing wakes it: Cancel the future it waits for, `self._fut_waiter`."
    same(log, expected, sentence)
    same(task.cancelled(), True, "It let the error through, so it is cancelled.")


@CANCEL.check("cancelled before the start, its body never runs")
def _(aio):
    loop, log = quiet_loop(aio), Events()

    async def body():
        log.append("the body runs")

    task = aio.Task(body(), loop=loop)
    task.cancel()
    turn(loop, 2)
    sentence = (
        "A task that has not started has nothing to wait for: set `self._must_cancel`, and the "
        "first step throws."
    )
    same(log, Events(), sentence)
    same(task.cancelled(), True, sentence)


@CANCEL.check("a request between two steps is thrown once, with its message")
def _(aio):
    loop, log = quiet_loop(aio), Events()

    async def stubborn():
        for _ in range(4):
            try:
                await aio.suspend()
            except aio.CancelledError as error:
                log.append(f"CancelledError {error}")

    task = aio.Task(stubborn(), loop=loop)
    turn(loop)
    task.cancel("enough")
    turn(loop, 6)
    sentence = "One request is thrown once. Keep the message in `self._cancel_message`."
    same(log, Events(["CancelledError enough"]), sentence)


@CANCEL.check("it may be refused: then the task runs on")
def _(aio):
    loop, log = quiet_loop(aio), Events()
    future = loop.create_future()

    async def stubborn():
        try:
            await future
        except aio.CancelledError:
            log.append("no")
        await aio.suspend()
        await aio.suspend()
        return "runs on"

    task = aio.Task(stubborn(), loop=loop)
    turn(loop)
    task.cancel()
    turn(loop, 4)
    same(log, Events(["no"]), "CancelledError arrives once.")
    same(task.done() and not task.cancelled(), True, "A coroutine may catch it, and run on.")
    same(task.result(), "runs on", "A coroutine may catch it, and run on.")


@CANCEL.check("a future that is done already cannot take the request: the next step throws")
def _(aio):
    loop, log = quiet_loop(aio), Events()
    future = loop.create_future()
    task = aio.Task(_sleeper(log, future), loop=loop)
    turn(loop)
    future.set_result("there")
    task.cancel("enough")
    turn(loop)
    expected = Events(["begins", "CancelledError(enough) arrives"])
    sentence = "Its future is done, and cannot be cancelled: then `self._must_cancel = True`."
    same(log, expected, sentence)


@CANCEL.check("a task that is done returns False")
def _(aio):
    loop = quiet_loop(aio)

    async def quick():
        return 1

    task = aio.Task(quick(), loop=loop)
    turn(loop)
    same(task.cancel(), False, "A task that is done cannot be cancelled: return False.")
    same(task.cancelling(), 0, "A task that is done cannot be cancelled: count nothing.")
    same(task.result(), 1, "A task that is done cannot be cancelled.")


@CANCEL.check("requests are counted, and can be taken back")
def _(aio):
    loop = quiet_loop(aio)
    future = loop.create_future()
    log = Events()
    task = aio.Task(_sleeper(log, future), loop=loop)
    turn(loop)
    counts = [task.cancelling(), task.uncancel()]
    same(counts, [0, 0], "There can be no fewer than none: with no request, `uncancel` gives 0.")
    task.cancel()
    task.cancel()
    counts = [task.cancelling(), task.uncancel(), task.uncancel(), task.cancelling()]
    same(counts, [2, 1, 0, 0], "Count each request in `self._num_cancels_requested`.")
    turn(loop, 2)


@CANCEL.check("a request that was taken back before the step is not thrown")
def _(aio):
    loop = quiet_loop(aio)

    async def walk():
        await aio.suspend()
        return "not disturbed"

    for taken_back in (1, 2):
        task = aio.Task(walk(), loop=loop)
        turn(loop)
        task.cancel()
        task.cancel()
        for _ in range(taken_back):
            task.uncancel()
        turn(loop, 2)
        sentence = "With no request left nothing is to be thrown: `self._must_cancel = False`."
        if taken_back == 1:
            sentence = "One of two requests was taken back: the other one must still be thrown."
        same(task.cancelled(), taken_back == 1, sentence)


SORT = Exercise(
    name="sort-awaitables",
    lesson="06",
    title="Say what each thing is, and which can be awaited",
    lines=7,
    builds=("kinds",),
    stub="""
# `work` is an `async def` function, `loop` is a loop. Put in place of each ... one of
# "coroutine function", "coroutine", "task", "future", "generator", "function"
kinds = {
    "work": ...,
    "work()": ...,
    "loop.create_task(work())": ...,
    "loop.create_future()": ...,
    "aio.suspend": ...,
    "loop.call_soon": ...,
}
can_be_awaited = {"loop.call_soon"}  # change this set: the names above that `await` takes
""",
    solution="""
kinds = {
    "work": "coroutine function",
    "work()": "coroutine",
    "loop.create_task(work())": "task",
    "loop.create_future()": "future",
    "aio.suspend": "function",
    "loop.call_soon": "function",
}
can_be_awaited = {"work()", "loop.create_task(work())", "loop.create_future()"}
""",
    hints=(
        "A thing with parentheses is what the call gives back; without them it is the function.",
        "`async def` makes a coroutine function. Calling it makes a coroutine. Giving that to "
        "`create_task` makes a task. `suspend` is a plain `def`, which `types.coroutine` marks.",
        "`await` takes coroutines, tasks and futures, and no function of any kind.",
    ),
    wrong=(
        Wrong('kinds = {"work": "coroutine"}', "`work` without parentheses"),
        Wrong(
            """
kinds = {
    "work": "coroutine function",
    "work()": "task",
    "loop.create_task(work())": "task",
    "loop.create_future()": "future",
    "aio.suspend": "function",
    "loop.call_soon": "function",
}
""",
            "no loop knows of it",
        ),
        Wrong(
            """
kinds = {
    "work": "coroutine function",
    "work()": "coroutine",
    "loop.create_task(work())": "future",
    "loop.create_future()": "future",
    "aio.suspend": "function",
    "loop.call_soon": "function",
}
""",
            "drives a coroutine",
        ),
        Wrong(
            """
kinds = {
    "work": "coroutine function",
    "work()": "coroutine",
    "loop.create_task(work())": "task",
    "loop.create_future()": "task",
    "aio.suspend": "function",
    "loop.call_soon": "function",
}
""",
            "it drives no coroutine",
        ),
        Wrong(
            """
kinds = {
    "work": "coroutine function",
    "work()": "coroutine",
    "loop.create_task(work())": "task",
    "loop.create_future()": "future",
    "aio.suspend": "coroutine function",
    "loop.call_soon": "function",
}
""",
            "plain `def`",
        ),
        Wrong(
            """
can_be_awaited = {"work", "work()", "loop.create_task(work())", "loop.create_future()"}
""",
            "`await work` fails",
        ),
        Wrong(
            'can_be_awaited = {"work()", "loop.create_task(work())"}',
            "`await loop.create_future()` is allowed",
        ),
    ),
    right=(
        """
can_be_awaited = set(kinds) - {"work", "aio.suspend", "loop.call_soon"}
""",
        """
kinds = dict.fromkeys(["aio.suspend", "loop.call_soon"], "function")
kinds |= {"work": "coroutine function", "work()": "coroutine"}
kinds |= {"loop.create_task(work())": "task", "loop.create_future()": "future"}
""",
        """
can_be_awaited = {name for name in kinds if kinds[name] in ("coroutine", "task", "future")}
""",
    ),
)

_WHY = {
    "work": "`work` without parentheses is the function: no coroutine is made yet.",
    "work()": "Calling it makes a coroutine: nothing runs, and no loop knows of it.",
    "loop.create_task(work())": "It drives a coroutine, so it is a task (and a future as well).",
    "loop.create_future()": "A plain future: it drives no coroutine, other code sets its result.",
    "aio.suspend": "`suspend` is a plain `def`: only calling it gives something to await.",
    "loop.call_soon": "`call_soon` is an ordinary method.",
}


def _things(aio, loop):
    async def work():
        pass

    return {
        "work": work,
        "work()": work(),
        "loop.create_task(work())": loop.create_task(work()),
        "loop.create_future()": loop.create_future(),
        "aio.suspend": aio.suspend,
        "loop.call_soon": loop.call_soon,
    }


def _kind(aio, thing):
    if inspect.iscoroutinefunction(thing):
        return "coroutine function"
    if inspect.iscoroutine(thing):
        return "coroutine"
    if isinstance(thing, aio.Future):
        return "task" if isinstance(thing, aio.Task) else "future"
    return "function"


@SORT.check("each is named for what it is")
def _(cell):
    loop = quiet_loop(cell.aio)
    things = _things(cell.aio, loop)
    for text, thing in things.items():
        yours = cell.kinds.get(text, "(missing)")
        if yours is ...:
            raise Refused(f"`{text}` is still `...`: write what it is.", "...", "a kind")
        same(yours, _kind(cell.aio, thing), f"`{text}`: {_WHY[text]}")
    things["work()"].close()
    turn(loop, 2)


@SORT.check("and those that can be awaited are known")
def _(cell):
    loop = quiet_loop(cell.aio)
    things = _things(cell.aio, loop)
    for text, thing in things.items():
        awaitable = inspect.isawaitable(thing)
        verb = "is allowed" if awaitable else "fails"
        holds((text in cell.can_be_awaited) is awaitable, f"`await {text}` {verb}.")
    things["work()"].close()
    turn(loop, 2)


REPAIR = Exercise(
    name="task-repair",
    lesson="06",
    title="This worker cannot be stopped: let it be cancelled",
    lines=10,
    builds=("worker",),
    stub='''
async def worker(next_job, log):
    """Do one job after the other; a job that fails must not end the worker."""
    while True:
        try:
            job = await next_job()
            log.append(f"done: {job()}")
        except BaseException as error:
            log.append(f"failed: {error!r}")
''',
    solution='''
async def worker(next_job, log):
    """Do one job after the other; a job that fails must not end the worker."""
    while True:
        try:
            job = await next_job()
            log.append(f"done: {job()}")
        except Exception as error:
            log.append(f"failed: {error!r}")
''',
    hints=(
        "What does `task.cancel()` raise, and where does it arrive?",
        "CancelledError comes up at the `await`, and the `except` there takes it for a failed job.",
        "CancelledError is a BaseException and not an Exception: `except Exception` lets it by.",
    ),
    wrong=(
        Wrong(
            """
async def worker(next_job, log):
    while True:
        try:
            job = await next_job()
            log.append(f"done: {job()}")
        except:
            log.append("failed")
""",
            "takes the cancellation for a failed job",
        ),
        Wrong(
            """
async def worker(next_job, log):
    while True:
        job = await next_job()
        log.append(f"done: {job()}")
""",
            "A job that fails must not end the worker",
        ),
        Wrong(
            """
async def worker(next_job, log):
    try:
        while True:
            job = await next_job()
            log.append(f"done: {job()}")
    except Exception as error:
        log.append(f"failed: {error!r}")
""",
            "A job that fails must not end the worker",
        ),
        Wrong(
            """
async def worker(next_job, log):
    while True:
        try:
            job = await next_job()
            log.append(f"done: {job()}")
        except aio.CancelledError:
            return
        except Exception as error:
            log.append(f"failed: {error!r}")
""",
            "Let CancelledError out",
        ),
        Wrong(
            """
async def worker(next_job, log):
    while True:
        try:
            job = await next_job()
            log.append(f"done: {job()}")
        except Exception:
            pass
""",
            "is written into the log",
        ),
        Wrong(
            """
async def worker(next_job, log):
    while True:
        try:
            job = next_job()
            log.append(f"done: {job()}")
        except Exception as error:
            log.append(f"failed: {error!r}")
""",
            "did not come to an end",
        ),
    ),
    right=(
        """
async def worker(next_job, log):
    while True:
        try:
            job = await next_job()
            log.append(f"done: {job()}")
        except aio.CancelledError:
            raise
        except BaseException as error:
            log.append(f"failed: {error!r}")
""",
        """
async def worker(next_job, log):
    while True:
        job = await next_job()
        try:
            result = job()
        except Exception as error:
            log.append(f"failed: {error!r}")
        else:
            log.append(f"done: {result}")
""",
        """
async def worker(next_job, log):
    while job := await next_job():
        log.append(report(job))

def report(job):
    try:
        return f"done: {job()}"
    except Exception as error:
        return f"failed: {error!r}"
""",
    ),
)


def _work(cell):
    """Run the worker on two jobs, the first of which fails; return what happened."""
    loop, log = quiet_loop(cell.aio), Events()
    jobs = [lambda: 1 / 0, lambda: "second"]

    def next_job():
        future = loop.create_future()
        if jobs:
            future.set_result(jobs.pop(0))
        return future

    task = cell.aio.Task(cell.worker(next_job, log), loop=loop)
    turn(loop, 4)
    return loop, task, log


@REPAIR.check("a job that fails is written down, and the next one is done")
def _(cell):
    _, task, log = _work(cell)
    expected = Events(["failed: ZeroDivisionError('division by zero')", "done: second"])
    if task.done() and not task.cancelled():
        task.exception()
    sentence = "A job that fails must not end the worker: keep the `try` inside the loop."
    if log == expected[1:]:
        sentence = "A job that fails is written into the log."
    if "failed" in log:
        return  # other words are not this check's matter
    same(log, expected, sentence)


@REPAIR.check("cancelled, it ends")
def _(cell):
    loop, task, _ = _work(cell)
    task.cancel()
    turn(loop, 3)
    task._log_destroy_pending = False
    sentence = "It takes the cancellation for a failed job, and continues: catch less."
    same(task.done(), True, sentence)
    sentence = "Let CancelledError out: only then does the task say that it is cancelled."
    same(task.cancelled(), True, sentence)


@STEP.shown
@WAKEUP.shown
def _(aio):
    loop = quiet_loop(aio)
    future = loop.create_future()

    async def fetch():
        return await future

    async def main():
        answer = await fetch()
        return answer

    task = aio.Task(main(), loop=loop, name="main")
    turn(loop, 2)
    task._log_destroy_pending = False
    return task
