"""Lesson 06: a future that drives a coroutine."""

import contextvars
import inspect

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, Refused, holds, raises, same
from ..checking.stage import play, quiet_loop, turn

STEP = Exercise(
    name="task-step",
    lesson="06",
    title="Take one step of the coroutine, and deal with each way it can end",
    lines=20,
    module="tasks",
    builds=("Task._run",),
    also=("Task._fail",),
    stub='''
class Task(Future):
    def _run(self):
        """One step: from where the coroutine stopped to where it stops next."""
        # about 19 lines. While it runs, the loop's _current_task is this task; afterwards None.
        # step     self._context.run(self._coro.send, None), with self._fut_waiter = None;
        #          with self._must_cancel: throw self._error_to_throw()
        # returns  self._finish(its value)
        # raises   CancelledError: Future.cancel(self); else Future.set_exception(self, error)
        # yields   None: into self._loop._ready again; anything else: self._wait_for(it)
        ...
''',
    hints=(
        "One `try` around the step, an `except` for each way it ends, `else` for what it yields, "
        "`finally` to set `_current_task` back.",
        "`awaited = self._context.run(self._coro.send, None)`; with `self._must_cancel`, "
        "`self._context.run(self._coro.throw, self._error_to_throw())`.",
        "`except StopIteration as stop: self._finish(stop.value)`; `except CancelledError: "
        "Future.cancel(self)`; `except BaseException as error: Future.set_exception(self, error)`; "
        "`else:` put yourself into `_ready` for None, `self._wait_for(awaited)` for the rest. "
        "(CancelledError comes as `self._CancelledError`.)",
    ),
    wrong=(
        Wrong(
            """
class Task(Future):
    def _run(self):
        self._loop._current_task = self
        try:
            while True:
                self._context.run(self._coro.send, None)
        except StopIteration as stop:
            self._finish(stop.value)
        finally:
            self._loop._current_task = None
""",
            "One step at a time",
        ),
        Wrong(
            """
class Task(Future):
    def _run(self):
        self._loop._current_task = self
        try:
            awaited = self._context.run(self._coro.send, None)
        except StopIteration as stop:
            self._finish(None)
        except self._CancelledError:
            Future.cancel(self)
        except BaseException as caught:
            Future.set_exception(self, caught)
        else:
            if awaited is None:
                self._loop._ready.append(self)
            else:
                self._wait_for(awaited)
        finally:
            self._loop._current_task = None
""",
            "What the coroutine returns is the task's result",
        ),
        Wrong(
            """
class Task(Future):
    def _run(self):
        self._loop._current_task = self
        try:
            awaited = self._context.run(self._coro.send, None)
        except StopIteration as stop:
            self._finish(stop.value)
        else:
            if awaited is None:
                self._loop._ready.append(self)
            else:
                self._wait_for(awaited)
        finally:
            self._loop._current_task = None
""",
            "An exception of the coroutine belongs into the task",
        ),
        Wrong(
            """
class Task(Future):
    def _run(self):
        self._loop._current_task = self
        try:
            if not self._must_cancel:
                awaited = self._context.run(self._coro.send, None)
            else:
                awaited = self._context.run(self._coro.throw, self._error_to_throw())
        except StopIteration as stop:
            self._finish(stop.value)
        except Exception as caught:
            Future.set_exception(self, caught)
        else:
            if awaited is None:
                self._loop._ready.append(self)
            else:
                self._wait_for(awaited)
        finally:
            self._loop._current_task = None
""",
            "CancelledError is a BaseException",
        ),
        Wrong(
            """
class Task(Future):
    def _run(self):
        self._loop._current_task = self
        try:
            if not self._must_cancel:
                awaited = self._context.run(self._coro.send, None)
            else:
                awaited = self._context.run(self._coro.throw, self._error_to_throw())
        except StopIteration as stop:
            self._finish(stop.value)
        except BaseException as caught:
            Future.set_exception(self, caught)
        else:
            if awaited is None:
                self._loop._ready.append(self)
            else:
                self._wait_for(awaited)
        finally:
            self._loop._current_task = None
""",
            "A coroutine that ends with CancelledError",
        ),
        Wrong(
            """
class Task(Future):
    def _run(self):
        self._loop._current_task = self
        try:
            if not self._must_cancel:
                awaited = self._context.run(self._coro.send, None)
            else:
                awaited = self._context.run(self._coro.throw, self._error_to_throw())
        except StopIteration as stop:
            self._finish(stop.value)
        except self._CancelledError:
            Future.cancel(self)
        except BaseException as caught:
            Future.set_exception(self, caught)
        else:
            self._loop._ready.append(self)
        finally:
            self._loop._current_task = None
""",
            "must not be put into `_ready`",
        ),
        Wrong(
            """
class Task(Future):
    def _run(self):
        try:
            if not self._must_cancel:
                awaited = self._context.run(self._coro.send, None)
            else:
                awaited = self._context.run(self._coro.throw, self._error_to_throw())
        except StopIteration as stop:
            self._finish(stop.value)
        except self._CancelledError:
            Future.cancel(self)
        except BaseException as caught:
            Future.set_exception(self, caught)
        else:
            if awaited is None:
                self._loop._ready.append(self)
            else:
                self._wait_for(awaited)
""",
            "_current_task",
        ),
        Wrong(
            """
class Task(Future):
    def _run(self):
        self._loop._current_task = self
        try:
            if not self._must_cancel:
                awaited = self._coro.send(None)
            else:
                awaited = self._coro.throw(self._error_to_throw())
        except StopIteration as stop:
            self._finish(stop.value)
        except self._CancelledError:
            Future.cancel(self)
        except BaseException as caught:
            Future.set_exception(self, caught)
        else:
            if awaited is None:
                self._loop._ready.append(self)
            else:
                self._wait_for(awaited)
        finally:
            self._loop._current_task = None
""",
            "self._context.run",
        ),
        Wrong(
            """
class Task(Future):
    def _run(self):
        self._loop._current_task = self
        try:
            awaited = self._context.run(self._coro.send, None)
        except StopIteration as stop:
            self._finish(stop.value)
        except self._CancelledError:
            Future.cancel(self)
        except BaseException as caught:
            Future.set_exception(self, caught)
        else:
            if awaited is None:
                self._loop._ready.append(self)
            else:
                self._wait_for(awaited)
        finally:
            self._loop._current_task = None
""",
            "An error to throw",
        ),
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


@STEP.check("a step runs the coroutine to where it gives way, and no further")
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
    sentence = "One step at a time: after a bare `yield` the task goes into `_ready`, and returns."
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
        holds(False, "An exception of the coroutine belongs into the task: `Future.set_exception`.")
    raises(ValueError, task.result, "The exception comes out of `task.result()`.", "inside")


@STEP.check("a future that is yielded is waited for")
def _(aio):
    loop, future, task = _one_that_waits(aio)
    sentence = "A task that waits for a future must not be put into `_ready`: `self._wait_for(it)`."
    holds(not loop._ready, sentence)
    same(len(future._callbacks), 1, "Hand what was yielded to `self._wait_for`.")
    future.set_result("there")
    turn(loop)
    same(task.result(), "there", "Woken, it goes on with the coroutine.")


@STEP.check("a coroutine that ends with CancelledError makes the task cancelled")
def _(aio):
    loop = quiet_loop(aio)

    async def cancelled():
        raise aio.CancelledError

    task = _new(aio, loop, cancelled())
    try:
        task._run()
    except aio.CancelledError:
        holds(False, "CancelledError is a BaseException: `except Exception` does not see it.")
    same(
        task.cancelled(),
        True,
        "A coroutine that ends with CancelledError is cancelled, not failed.",
    )


@STEP.check("with `_must_cancel` an error is thrown into the coroutine")
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
    task._must_cancel = ValueError("thrown")
    task._run()
    same(events, Events(["caught thrown"]), "An error to throw goes in by `throw`, not by `send`.")


@STEP.check("while it runs it is the current task, and afterwards no longer")
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
        number.set(1)

    _new(aio, loop, count())._run()
    sentence = (
        "A task has a context of its own: step with `self._context.run(self._coro.send, None)`."
    )
    same(number.get(), 0, sentence)


WAKEUP = Exercise(
    name="task-wakeup",
    lesson="06",
    title="Leave the task with the future it waits for, and end it",
    lines=20,
    module="tasks",
    builds=("Task._wait_for", "Task._finish"),
    stub="""
class Task(Future):
    def _wait_for(self, awaited):
        # about 14 lines. First of all: if not self._known: self._be_known() (for all_tasks).
        # If problem := self._why_not(awaited): the next step throws it, so be ready for that with
        # self._must_cancel = self._must_cancel or RuntimeError(problem). Else: clear the future's
        # _asyncio_future_blocking; a pending Future keeps this task in its _callbacks by
        # awaited._keep(self), anything else gets add_done_callback(self._wakeup); keep it in
        # self._fut_waiter. A cancel() that came before (self._must_cancel) goes on to it:
        # awaited.cancel(...)
        ...

    def _finish(self, result):
        # about 6 lines: cancelled in its last step (self._must_cancel), or a result, and woken
        ...
""",
    hints=(
        "A task can stand in a future's `_callbacks` itself: it has a method `_run`.",
        "`if isinstance(awaited, Future) and awaited._state is PENDING: "
        "awaited._keep(self)`, else `awaited.add_done_callback(self._wakeup)`.",
        "`_finish`: `Future.cancel(self, self._cancel_message)` if `self._must_cancel`, else set "
        "`_result` and `_state`, and `self._wake()`. (`self.set_result` is refused for a task.)",
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
        awaited._asyncio_future_blocking = False
        awaited._keep(self)
        self._fut_waiter = awaited
        if self._must_cancel and awaited.cancel(msg=self._cancel_message):
            self._must_cancel = False
""",
            "cannot be awaited",
        ),
        Wrong(
            """
class Task(Future):
    def _wait_for(self, awaited):
        if problem := self._why_not(awaited):
            raise RuntimeError(problem)
        awaited._asyncio_future_blocking = False
        if isinstance(awaited, Future) and awaited._state is PENDING:
            awaited._keep(self)
        else:
            awaited.add_done_callback(self._wakeup)
        self._fut_waiter = awaited
        if self._must_cancel and awaited.cancel(msg=self._cancel_message):
            self._must_cancel = False
""",
            "into the coroutine",
        ),
        Wrong(
            """
class Task(Future):
    def _wait_for(self, awaited):
        if problem := self._why_not(awaited):
            self._must_cancel = RuntimeError(problem)
            self._loop._ready.append(self)
            return
        awaited._asyncio_future_blocking = False
        if isinstance(awaited, Future) and awaited._state is PENDING:
            awaited._keep(self)
        else:
            awaited.add_done_callback(self._wakeup)
        if self._must_cancel and awaited.cancel(msg=self._cancel_message):
            self._must_cancel = False
""",
            "self._fut_waiter",
        ),
        Wrong(
            """
class Task(Future):
    def _wait_for(self, awaited):
        if problem := self._why_not(awaited):
            self._must_cancel = RuntimeError(problem)
            self._loop._ready.append(self)
            return
        awaited._asyncio_future_blocking = False
        if isinstance(awaited, Future) and awaited._state is PENDING:
            awaited._keep(self)
        else:
            awaited.add_done_callback(self._wakeup)
        self._fut_waiter = awaited
""",
            "came before it waited",
        ),
        Wrong(
            """
class Task(Future):
    def _wait_for(self, awaited):
        if problem := self._why_not(awaited):
            self._must_cancel = RuntimeError(problem)
            self._loop._ready.append(self)
            return
        if isinstance(awaited, Future) and awaited._state is PENDING:
            awaited._keep(self)
        else:
            awaited.add_done_callback(self._wakeup)
        self._fut_waiter = awaited
        if self._must_cancel and awaited.cancel(msg=self._cancel_message):
            self._must_cancel = False
""",
            "_asyncio_future_blocking",
        ),
        Wrong(
            """
class Task(Future):
    def _finish(self, result):
        self.set_result(result)
""",
            "Task does not support set_result",
        ),
        Wrong(
            """
class Task(Future):
    def _finish(self, result):
        self._result = result
        self._state = FINISHED
        self._wake()
""",
            "in its last step",
        ),
        Wrong(
            """
class Task(Future):
    def _finish(self, result):
        if self._must_cancel:
            self._must_cancel = False
            Future.cancel(self, self._cancel_message)
        else:
            self._result = result
            self._state = FINISHED
""",
            "nothing is left that could wake",
        ),
        Wrong(
            """
class Task(Future):
    def _wait_for(self, awaited):
        if problem := self._why_not(awaited):
            self._must_cancel = self._must_cancel or RuntimeError(problem)
            self._loop._ready.append(self)
            return
        awaited._asyncio_future_blocking = False
        if isinstance(awaited, Future) and awaited._state is PENDING:
            awaited._keep(self)
        else:
            awaited.add_done_callback(self._wakeup)
        self._fut_waiter = awaited
        if self._must_cancel and awaited.cancel(msg=self._cancel_message):
            self._must_cancel = False
""",
            "self._be_known",
        ),
    ),
)


@WAKEUP.check(
    "a task sleeps until its future is done, and is woken once",
    "Who waits for a task is woken when it ends: `self._wake()`.",
)
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
        if "woken" in str(error) or "await wasn't" in str(error):
            raise Refused(
                "It is put into the ready queue before its future is done, and asks again and "
                "again: leave it with the future.",
                "woken while the future is pending",
                "woken when it is done",
            ) from None
        raise
    same(log, Events(["gets 42", "done"]), "The value of `await task` is what it returned.")
    holds(loop.turns < 10, "The loop turned more than it needs.", f"{loop.turns} turns", "under 10")


@WAKEUP.check("while it waits, it knows for what, and the future knows it too")
def _(aio):
    loop, future, task = _one_that_waits(aio)
    sentence = "Keep what it waits for in `self._fut_waiter`: `cancel` needs it."
    holds(task._fut_waiter is future, sentence, repr(task._fut_waiter), "the future")
    sentence = "Clear `awaited._asyncio_future_blocking`: the next one who yields it sets it again."
    same(future._asyncio_future_blocking, False, sentence)
    same(len(future._callbacks), 1, "Put the task into the future's `_callbacks`.")
    future.cancel()
    turn(loop)


@WAKEUP.check("a foreign thing that is yielded is a clear error in the coroutine")
def _(aio):
    import types

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


@WAKEUP.check("a cancel that came before it waited goes on to the future")
def _(aio):
    loop = quiet_loop(aio)
    future = loop.create_future()

    async def waits():
        task.cancel()  # it runs now, so there is no future yet that could take it
        await future

    task = aio.Task(waits(), loop=loop)
    turn(loop, 3)
    sentence = "A cancel that came before it waited is not lost: cancel the future now."
    same(future.cancelled(), True, sentence)
    same(task.cancelled(), True, sentence)


@WAKEUP.check("a cancel in its last step still makes it cancelled")
def _(aio):
    loop = quiet_loop(aio)

    async def last():
        task.cancel()
        return "too late"

    task = aio.Task(last(), loop=loop)
    turn(loop, 2)
    sentence = "A cancel that comes in its last step is too late to throw, not to obey."
    same(task.cancelled(), True, sentence)


@WAKEUP.check("all_tasks finds a task that waits")
def _(aio):
    loop, future, _task = _one_that_waits(aio)  # held: the loop holds it weakly
    sentence = "A task that waits is in no queue: `self._be_known()` lets `all_tasks` find it."
    same(len(aio.all_tasks(loop)), 1, sentence)
    future.cancel()
    turn(loop)


CANCEL = Exercise(
    name="task-cancel",
    lesson="06",
    title="Ask a task to stop: a request, thrown in where it waits",
    lines=20,
    module="tasks",
    builds=("Task.cancel", "Task.uncancel", "Task._error_to_throw"),
    stub="""
class Task(Future):
    def cancel(self, msg=None):
        # about 7 lines: False if it is done. Count the request (self._num_cancels_requested), then
        # cancel the future it waits for (self._fut_waiter.cancel(msg=msg)); if there is none, or
        # it cannot be cancelled: self._must_cancel = True, self._cancel_message = msg. True.
        ...

    def uncancel(self):
        # about 5 lines: take back one request, if there is one; with none left self._must_cancel is
        # False again; return how many are left
        ...

    def _error_to_throw(self):
        # about 8 lines: what the next step throws. Take self._must_cancel (False again) and
        # self._fut_waiter (None again). A waiter that was cancelled: its _make_cancelled_error().
        # Another one is asked for its exception(), so that nobody reports it as forgotten; if that
        # is a CancelledError, it is thrown.
        # Then: our own _make_cancelled_error() if _must_cancel was True, else what it was.
        ...
""",
    hints=(
        "`cancel` throws nothing. It arranges that the next step throws, and says True.",
        "A task that waits is woken by its future's cancellation. One that does not wait (not "
        "started, or between two steps) has only the mark `_must_cancel`, and is ready already.",
        "`_error_to_throw`: `waiter, self._fut_waiter = self._fut_waiter, None`, and `error` from "
        "`self._must_cancel` in the same way; return `waiter._make_cancelled_error()` if that was "
        "cancelled, else `self._make_cancelled_error() if error is True else error`.",
    ),
    wrong=(
        Wrong(
            """
class Task(Future):
    def cancel(self, msg=None):
        return Future.cancel(self, msg)
""",
            "has not heard of it",
        ),
        Wrong(
            """
class Task(Future):
    def cancel(self, msg=None):
        self._coro.throw(self._CancelledError())
        return True
""",
            "takes a turn",
        ),
        Wrong(
            """
class Task(Future):
    def cancel(self, msg=None):
        if self._state is not PENDING:
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
        if self._state is not PENDING:
            return False
        self._num_cancels_requested += 1
        if self._fut_waiter is not None:
            self._fut_waiter.cancel(msg=msg)
        return True
""",
            "has nothing to wait for",
        ),
        Wrong(
            """
class Task(Future):
    def cancel(self, msg=None):
        self._num_cancels_requested += 1
        if self._fut_waiter is None or not self._fut_waiter.cancel(msg=msg):
            self._must_cancel = True
            self._cancel_message = msg
        return True
""",
            "A task that is done cannot be cancelled",
        ),
        Wrong(
            """
class Task(Future):
    def cancel(self, msg=None):
        if self._state is not PENDING:
            return False
        if self._fut_waiter is None or not self._fut_waiter.cancel(msg=msg):
            self._must_cancel = True
            self._cancel_message = msg
        return True
""",
            "Count each request",
        ),
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
    def _error_to_throw(self):
        self._fut_waiter, self._must_cancel = None, False
        return self._make_cancelled_error()
""",
            "must stay what it is",
        ),
        Wrong(
            """
class Task(Future):
    def _error_to_throw(self):
        waiter, self._fut_waiter = self._fut_waiter, None
        if waiter is not None and waiter.cancelled():
            return waiter._make_cancelled_error()
        if waiter is not None:
            waiter.exception()
        error = self._must_cancel
        return self._make_cancelled_error() if error is True else error
""",
            "thrown once",
        ),
        Wrong(
            """
class Task(Future):
    def _error_to_throw(self):
        waiter, self._fut_waiter = self._fut_waiter, None
        error, self._must_cancel = self._must_cancel, False
        if waiter is not None and waiter.cancelled():
            return waiter._make_cancelled_error()
        if waiter is not None:
            waiter.exception()
        return self._make_cancelled_error() if error is True else error
""",
            "came first",
        ),
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
    same(task.cancel("enough"), True, "The request was taken: say True.")
    log.append("cancel is over")
    turn(loop, 2)
    expected = Events(["begins", "cancel is over", "CancelledError(enough) arrives"])
    sentence = "The coroutine has not heard of it: CancelledError is thrown in where it waits."
    if len(log) == 3:
        sentence = "`cancel` throws nothing itself: the request takes a turn of the loop."
    elif future.cancelled() is False:
        sentence = "Nothing wakes it: Cancel the future it waits for, `self._fut_waiter`."
    if task.cancelled() and len(log) == 2:
        sentence = "The coroutine has not heard of it: CancelledError is thrown in where it waits."
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


@CANCEL.check("it may be refused: then the task goes on")
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
        return "goes on"

    task = aio.Task(stubborn(), loop=loop)
    turn(loop)
    task.cancel()
    turn(loop, 4)
    same(log, Events(["no"]), "CancelledError arrives once.")
    same(task.done() and not task.cancelled(), True, "A coroutine may catch it, and go on.")
    same(task.result(), "goes on", "A coroutine may catch it, and go on.")


@CANCEL.check("another error that is thrown stays what it is")
def _(aio):
    loop = quiet_loop(aio)

    async def waits():
        await aio.suspend()

    task = aio.Task(waits(), loop=loop)
    turn(loop)
    loop._ready.clear()
    task._must_cancel = ValueError("other")
    task._run()
    error = None if task.cancelled() else task.exception()
    sentence = "Without a request to cancel, the error must stay what it is."
    holds(isinstance(error, ValueError), sentence, repr(error), "ValueError('other')")


@CANCEL.check("a request between two steps is thrown once")
def _(aio):
    loop, log = quiet_loop(aio), Events()

    async def stubborn():
        for _ in range(4):
            try:
                await aio.suspend()
            except aio.CancelledError:
                log.append("CancelledError")

    task = aio.Task(stubborn(), loop=loop)
    turn(loop)
    task.cancel()
    turn(loop, 6)
    sentence = "One request is thrown once: clear `self._must_cancel` when you throw."
    same(log, Events(["CancelledError"]), sentence)


@CANCEL.check("a cancellation that has come already is the one that is thrown")
def _(aio):
    loop, log = quiet_loop(aio), Events()
    future = loop.create_future()
    task = aio.Task(_sleeper(log, future), loop=loop)
    turn(loop)
    future.set_exception(aio.CancelledError("the future's"))
    task.cancel("ours")
    turn(loop)
    expected = Events(["begins", "CancelledError(the future's) arrives"])
    same(log, expected, "The future had a CancelledError for the task, and that came first.")


@CANCEL.check("a task that is done says False")
def _(aio):
    loop = quiet_loop(aio)

    async def quick():
        return 1

    task = aio.Task(quick(), loop=loop)
    turn(loop)
    same(task.cancel(), False, "A task that is done cannot be cancelled: say False.")
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


SORT = Exercise(
    name="sort-awaitables",
    lesson="06",
    title="Say what each thing is, and which can be awaited",
    lines=7,
    builds=("kinds",),
    stub="""
# With:  async def work(): ...     loop = a loop     Put in place of each ... one of
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
            "nobody drives anything",
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
)

_WHY = {
    "work": "`work` without parentheses is the function: no coroutine is made yet.",
    "work()": "Calling it makes a coroutine: nothing runs, and no loop knows of it.",
    "loop.create_task(work())": "It drives a coroutine, so it is a task (and a future as well).",
    "loop.create_future()": "In a future nobody drives anything: somebody else sets its result.",
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
            "Let CancelledError go on",
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
    sentence = "It takes the cancellation for a failed job, and goes on: catch less."
    same(task.done(), True, sentence)
    sentence = "Let CancelledError go on: whoever cancelled sees a task that says it is cancelled."
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
