"""Futures, beside asyncio's."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import gc
import traceback
from unittest import mock

import pytest
from same import LIBRARIES, aio, same


def refused(lib, method, *args) -> bool:
    with pytest.raises(lib.InvalidStateError):
        method(*args)
    return True


def test_a_result_is_set_once() -> None:
    def program(lib, log):
        future = log.loop.create_future()
        log(refused(lib, future.result), refused(lib, future.exception))
        log(future.done(), future.cancelled(), future)
        log.attempt(future.set_result, 42)
        log(future.done(), future.result(), future.exception(), future)
        log(refused(lib, future.set_result, 43), refused(lib, future.set_exception, ValueError))
        log.attempt(future.cancel)

    assert same(program) == [
        "0 True True",
        "0 False False <Future pending>",
        "0 None",
        "0 True 42 None <Future finished result=42>",
        "0 True True",
        "0 False",
    ]


def test_an_exception_is_raised_each_time_and_counts_as_fetched() -> None:
    def program(lib, log):
        future = log.loop.create_future()
        future.set_exception(ValueError("no"))
        log.attempt(future.result)
        log.attempt(future.result)
        log(future.exception(), future.cancelled(), future)

    assert (
        same(program)[-1] == "0 ValueError(no) False <Future finished exception=ValueError('no')>"
    )


def test_an_exception_may_be_a_class_and_not_stop_iteration() -> None:
    def program(lib, log):
        future = log.loop.create_future()
        future.set_exception(KeyError)
        log(future.exception())

    assert same(program) == ["0 KeyError()"]

    def stop(lib, log):
        future = log.loop.create_future()
        log.attempt(future.set_exception, StopIteration(1))
        log(type(future.exception()).__name__, future.exception().__cause__)

    assert same(stop, since=(3, 13)) == ["0 None", "0 RuntimeError StopIteration(1)"]


def test_the_traceback_does_not_grow_when_the_exception_is_raised_again() -> None:
    def program(lib, log):
        future = log.loop.create_future()
        future.set_exception(ValueError("no"))
        lengths = []
        for _ in range(3):
            try:
                future.result()
            except ValueError as error:
                lengths.append(len(traceback.extract_tb(error.__traceback__)))
        log(len(set(lengths)))

    assert same(program) == ["0 1"]


def test_a_cancelled_future_raises_with_the_message() -> None:
    def program(lib, log):
        future = log.loop.create_future()
        log(future.cancel("enough"), future.cancelled(), future.done(), future)
        log.attempt(future.result)
        log.attempt(future.exception)
        log(refused(lib, future.set_result, 1), future.cancel())

    assert same(program) == [
        "0 True True True <Future cancelled>",
        "0 CancelledError(enough)",
        "0 CancelledError(enough)",
        "0 True False",
    ]


def test_callbacks_are_scheduled_in_order_and_not_run_inside_set_result() -> None:
    async def program(lib, log):
        future = log.loop.create_future()
        for name in "abc":
            future.add_done_callback(lambda f, name=name: log(name, f.result()))
        future.set_result(1)
        log("set")
        future.add_done_callback(lambda f: log("late"))
        await lib.sleep(0)
        log("end")

    assert same(program) == ["0 set", "0 a 1", "0 b 1", "0 c 1", "0 late", "0 end"]


def test_callbacks_are_removed_all_of_a_kind() -> None:
    async def program(lib, log):
        future = log.loop.create_future()
        for _ in range(2):
            future.add_done_callback(log)
        future.add_done_callback(lambda f: log("other"))
        log(future.remove_done_callback(log), future.remove_done_callback(log))
        future.set_result(None)
        log(future.remove_done_callback(log))
        await lib.sleep(0)

    assert same(program) == ["0 2 0", "0 0", "0 other"]


def test_a_callback_runs_in_the_context_it_was_added_in_or_the_one_given() -> None:
    async def program(lib, log):
        place = contextvars.ContextVar("place", default="nowhere")
        future = log.loop.create_future()
        given = contextvars.copy_context()
        given.run(place.set, "given")
        place.set("added")
        future.add_done_callback(lambda f: log(place.get()))
        future.add_done_callback(lambda f: log(place.get()), context=given)
        place.set("changed")
        future.set_result(None)
        future.add_done_callback(lambda f: log(place.get()), context=given)
        await lib.sleep(0)

    assert same(program) == ["0 added", "0 given", "0 given"]


def test_awaiting_gives_the_result_and_those_who_wait_wake_in_order() -> None:
    async def program(lib, log):
        async def wait(name):
            log(name, await future)

        future = log.loop.create_future()
        tasks = [lib.create_task(wait(name)) for name in "abc"]
        await lib.sleep(0)
        future.set_result("here")
        log("set")
        await lib.gather(*tasks)
        return await future

    assert same(program) == ["0 set", "0 a here", "0 b here", "0 c here", "0 returns here"]


def test_an_exception_nobody_fetched_is_reported_once_and_a_fetched_one_is_not() -> None:
    async def program(lib, log):
        for fetched in (True, False):
            future = log.loop.create_future()
            future.set_exception(ValueError(fetched))
            if fetched:
                future.exception()
            del future
            gc.collect()

    assert same(program) == ["0 ERROR: Future exception was never retrieved ValueError(False)"]


def test_what_the_exception_handler_is_told_of_a_forgotten_exception() -> None:
    async def program(lib, log):
        log.loop.set_exception_handler(
            lambda loop, context: log(sorted(context), context["future"])
        )
        future = log.loop.create_future()
        future.set_exception(ValueError("lost"))
        del future
        gc.collect()

    assert same(program) == [
        "0 [exception, future, message] <Future finished exception=ValueError('lost')>"
    ]


def test_repr_shows_the_state_and_shortens_the_result() -> None:
    def program(lib, log):
        future = log.loop.create_future()
        future.set_result("x" * 100)
        log(future)

    assert same(program) == ["0 <Future finished result='xxxxxxxxxxxx...xxxxxxxxxxxxx'>"]


def test_isfuture_knows_every_future_by_its_protocol() -> None:
    def program(lib, log):
        class Looks:
            _asyncio_future_blocking = False

        class Refuses(Looks):
            _asyncio_future_blocking = None

        future = log.loop.create_future()
        concurrent_one = concurrent.futures.Future()
        candidates = (future, Looks(), Refuses(), concurrent_one, 1, type(future))
        log([lib.isfuture(candidate) for candidate in candidates])

    assert same(program) == ["0 [True, True, False, False, False, False]"]


def test_a_future_needs_a_loop() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        aio.Future()
    with pytest.raises(RuntimeError, match="no running event loop"):
        aio.get_running_loop()


def test_future_of_int_is_a_generic_alias() -> None:
    for lib in LIBRARIES:
        assert lib.Future[int].__origin__ is lib.Future


def test_wrap_future_takes_over_the_result_and_cancels_the_other() -> None:
    async def program(lib, log):
        sources = [concurrent.futures.Future() for _ in range(4)]
        result, error, cancelled_there, cancelled_here = map(lib.wrap_future, sources)
        sources[0].set_result("result")
        sources[1].set_exception(ValueError("no"))
        sources[2].cancel()
        sources[2].set_running_or_notify_cancel()
        cancelled_here.cancel()
        for future in (result, error, cancelled_there, cancelled_here):
            await log.outcome(future)
        await lib.sleep(0)
        log(sources[3].cancelled(), lib.wrap_future(result) is result)
        log.attempt(lib.wrap_future, 3)

    assert same(program) == [
        "0 result",
        "0 ValueError(no)",
        "0 CancelledError()",
        "0 CancelledError()",
        "0 True True",
        "0 AssertionError(concurrent.futures.Future is expected, got 3)",
    ]


def test_a_yielded_future_must_be_awaited() -> None:
    async def program(lib, log):
        class Wrong:
            def __await__(self):
                yield log.loop.create_future()

        async def main():
            await Wrong()

        try:
            await lib.create_task(main())
        except RuntimeError as error:
            log(str(error).split(" in task")[0])

    assert same(program) == ["0 yield was used instead of yield from"]


def test_a_future_awaited_by_hand_before_it_is_done() -> None:
    def program(lib, log):
        future = log.loop.create_future()
        steps = iter(future.__await__())
        log(next(steps) is future, future._asyncio_future_blocking)
        log.attempt(next, steps)

    assert same(program) == ["0 True True", "0 RuntimeError(await wasn't used with future)"]


async def passed(future, value):
    future.get_loop().call_soon(future.set_result, value)
    return await future


def test_an_asyncio_task_awaits_our_future_on_an_asyncio_loop() -> None:
    async def main():
        return await passed(aio.Future(loop=asyncio.get_running_loop()), "ours")

    assert asyncio.run(main()) == "ours"


def test_our_task_awaits_an_asyncio_future_on_our_loop() -> None:
    async def main():
        return await passed(asyncio.Future(loop=aio.get_running_loop()), "theirs")

    assert aio.run(main()) == "theirs"


def test_stop_iteration_may_be_given_as_a_class() -> None:
    future = aio.Future(loop=aio.EventLoop())
    future.set_exception(StopIteration)
    error = future.exception()
    assert type(error) is RuntimeError and type(error.__cause__) is StopIteration
    future.get_loop().close()


def test_cancel_of_one_that_has_failed_marks_its_error_as_seen() -> None:
    async def program(lib, log):
        async def fails():
            raise ValueError("of the task")

        future, task = log.loop.create_future(), lib.create_task(fails())
        future.set_exception(ValueError("of the future"))
        await lib.sleep(0)
        log(future.cancel(), task.cancel())
        del future, task  # the log would have a report of each

    assert same(program) == ["0 False False"]


def test_isfuture_asks_the_class_that_an_object_says_it_has() -> None:
    def program(lib, log):
        log([lib.isfuture(each) for each in (mock.Mock(lib.Future), mock.Mock())])

    assert same(program) == ["0 [True, False]"]


def test_a_task_that_waits_uses_the_add_done_callback_of_a_subclass() -> None:
    async def program(lib, log):
        class Counted(lib.Future):
            def add_done_callback(self, fn, **options):
                log("added")
                super().add_done_callback(fn, **options)

        future = Counted(loop=log.loop)
        log.loop.call_later(1, future.set_result, "result")
        log(await future)

    assert same(program) == ["0 added", "1 result"]


def test_a_future_takes_its_loop_by_name_only() -> None:
    def program(lib, log):
        try:
            lib.Future(log.loop)
        except TypeError:
            log("refused")

    assert same(program) == ["0 refused"]


def test_a_cancellation_in_a_thread_is_one_of_the_loop() -> None:
    async def program(lib, log):
        def is_cancelled():
            raise concurrent.futures.CancelledError("in the thread")

        other = concurrent.futures.Future()
        other.set_exception(concurrent.futures.CancelledError())
        for awaitable in (lib.to_thread(is_cancelled), lib.wrap_future(other)):
            try:
                await awaitable
            except lib.CancelledError as error:
                log(error)

    assert same(program, real=True) == ["CancelledError(in the thread)", "CancelledError()"]
