"""Waiting for a time, for many, for one of many, not too long; beside asyncio's."""

from __future__ import annotations

import contextlib
import contextvars
import gc
import inspect
import signal
import sys
import threading

import pytest
from same import FAST, LIBRARIES, aio, same

# -- sleep ----------------------------------------------------------------------------------------


def test_sleep() -> None:
    async def program(lib, log):
        log(await lib.sleep(1, "one"))
        log(await lib.sleep(0, "zero"), await lib.sleep(-1, "less"))
        await log.outcome(lib.sleep(float("nan")))

    assert same(program, since=(3, 13)) == [
        "1 one",
        "1 zero less",
        "1 ValueError(Invalid delay: NaN (not a number))",
    ]


def test_two_sleeps_at_once_take_as_long_as_the_longer() -> None:
    async def program(lib, log):
        async def world():
            return await lib.sleep(2, "world!")

        async def hello():
            task = lib.create_task(world())
            await lib.sleep(1)
            log("Hello")
            log(await task)

        await hello()

    assert same(program) == ["1 Hello", "2 world!"]


def test_sleepers_of_the_same_moment_wake_in_the_same_order() -> None:
    async def program(lib, log):
        async def sleeper(number):
            for _ in range(3):
                await lib.sleep(number % 3 / 2)
                log(number)

        await lib.gather(*map(sleeper, range(12)))

    assert len(same(program)) == 36


# -- gather ---------------------------------------------------------------------------------------


async def finishes(lib, log, name, seconds, error=None):
    """A child: sleeps, says how it ended, and returns its name or raises."""
    try:
        await lib.sleep(seconds)
    except lib.CancelledError as caught:
        log(name, caught)
        raise
    log(name)
    if error:
        raise error(name)
    return name


def test_gather_gives_results_in_the_order_of_its_arguments() -> None:
    async def program(lib, log):
        slow = lib.create_task(finishes(lib, log, "slow", 2))
        return await lib.gather(slow, finishes(lib, log, "fast", 1), slow)

    assert same(program) == ["1 fast", "2 slow", "2 returns [slow, fast, slow]"]


def test_gather_hands_on_the_first_error_and_cancels_nobody() -> None:
    async def program(lib, log):
        children = (finishes(lib, log, "a", 1, ValueError), finishes(lib, log, "b", 2))
        await log.outcome(lib.gather(*children))
        await lib.sleep(2)

    assert same(program) == ["1 a", "1 ValueError(a)", "2 b"]


def test_gather_can_return_exceptions() -> None:
    async def program(lib, log):
        cancelled = lib.create_task(lib.sleep(5))
        log.loop.call_later(1, cancelled.cancel, "not handed on")
        children = (finishes(lib, log, "a", 1, ValueError), finishes(lib, log, "b", 2), cancelled)
        return await lib.gather(*children, return_exceptions=True)

    assert same(program)[-1] == "2 returns [ValueError(a), b, CancelledError()]"


def test_gather_of_nothing_is_done_at_once() -> None:
    async def program(lib, log):
        future = lib.gather()
        log(future.done(), await future)

    assert same(program) == ["0 True []"]


def test_cancelling_gather_cancels_all_and_waits_for_them() -> None:
    async def program(lib, log):
        async def refuses():
            try:
                await lib.sleep(9)
            except lib.CancelledError:
                log("not yet")
                await lib.sleep(1)

        gathering = lib.gather(finishes(lib, log, "a", 9), refuses())
        await lib.sleep(1)
        log(gathering.cancel("stop"), gathering.done())
        await log.outcome(gathering)
        log(gathering.cancel(), gathering.cancelled())

    log = same(program)
    assert log[:3] == ["1 True False", "1 a CancelledError(stop)", "1 not yet"]


def test_a_child_that_is_cancelled_cancels_the_gathering() -> None:
    async def program(lib, log):
        child = lib.create_task(finishes(lib, log, "a", 9))
        log.loop.call_later(1, child.cancel, "child")
        await log.outcome(lib.gather(child, finishes(lib, log, "b", 2)))
        await lib.sleep(2)

    assert same(program) == ["1 a CancelledError(child)", "1 CancelledError(child)", "2 b"]


def test_gather_takes_futures_and_finished_ones() -> None:
    async def program(lib, log):
        done, failed = log.loop.create_future(), log.loop.create_future()
        done.set_result(1)
        failed.set_exception(ValueError("no"))
        log(await lib.gather(done, lib.sleep(1, 2)))
        await log.outcome(lib.gather(done, failed))
        log(await lib.gather(failed, done, return_exceptions=True))

    assert same(program) == ["1 [1, 2]", "1 ValueError(no)", "1 [ValueError(no), 1]"]


# -- wait -----------------------------------------------------------------------------------------


def names(futures) -> list[str]:
    return sorted(future.get_name() for future in futures)


@pytest.mark.parametrize("return_when", ["FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"])
def test_wait_gives_two_sets_and_cancels_nothing(return_when) -> None:
    async def program(lib, log):
        children = [
            lib.create_task(finishes(lib, log, name, seconds, error), name=name)
            for name, seconds, error in (("a", 1, None), ("b", 2, KeyError), ("c", 3, None))
        ]
        how = getattr(lib, return_when)
        done, pending = await lib.wait(children, return_when=how)
        log(names(done), names(pending))
        await lib.sleep(5)

    log = same(program)
    expected = {
        "FIRST_COMPLETED": "1 [a] [b, c]",
        "FIRST_EXCEPTION": "2 [a, b] [c]",
        "ALL_COMPLETED": "3 [a, b, c] []",
    }
    assert expected[return_when] in log
    assert "3 c" in log


def test_wait_with_a_timeout_raises_nothing() -> None:
    async def program(lib, log):
        children = [
            lib.create_task(finishes(lib, log, name, seconds), name=name)
            for name, seconds in (("a", 1), ("b", 3))
        ]
        done, pending = await lib.wait(children, timeout=2)
        log(names(done), names(pending))
        done, pending = await lib.wait(children, timeout=0)
        log(names(done), names(pending))

    assert same(program)[1:] == ["2 [a] [b]", "2 [a] [b]", "2 b CancelledError()"]


def test_wait_takes_what_is_done_already_and_waits_one_turn() -> None:
    async def program(lib, log):
        done = log.loop.create_future()
        done.set_result(1)
        log.loop.call_soon(log, "turn")
        finished, pending = await lib.wait([done])
        log(len(finished), len(pending))

    assert same(program) == ["0 turn", "0 1 0"]


def test_cancelling_wait_leaves_the_others_alone() -> None:
    async def program(lib, log):
        child = lib.create_task(finishes(lib, log, "a", 2))
        waiting = lib.create_task(lib.wait([child]))
        await lib.sleep(1)
        waiting.cancel("stop")
        await log.outcome(waiting)
        await child

    assert same(program) == ["1 CancelledError(stop)", "2 a"]


def test_what_wait_refuses() -> None:
    async def program(lib, log):
        coro = lib.sleep(0)
        future = log.loop.create_future()
        await log.outcome(lib.wait([]))
        await log.outcome(lib.wait([coro]))
        await log.outcome(lib.wait(coro))
        await log.outcome(lib.wait(future))
        await log.outcome(lib.wait([future], return_when="SOME"))
        coro.close()

    assert same(program) == [
        "0 ValueError(Set of Tasks/Futures is empty.)",
        "0 TypeError(Passing coroutines is forbidden, use tasks explicitly.)",
        "0 TypeError(expect a list of futures, not coroutine)",
        "0 TypeError(expect a list of futures, not Future)",
        "0 ValueError(Invalid return_when value: SOME)",
    ]


# -- as_completed ---------------------------------------------------------------------------------


def test_as_completed_gives_results_in_the_order_of_finishing() -> None:
    async def program(lib, log):
        children = [finishes(lib, log, name, seconds) for name, seconds in (("a", 3), ("b", 1))]
        for coro in lib.as_completed(children):
            log("got", await coro)

    assert same(program) == ["1 b", "1 got b", "3 a", "3 got a"]


def test_as_completed_with_a_timeout_and_an_error() -> None:
    async def program(lib, log):
        children = [finishes(lib, log, "a", 1, ValueError), finishes(lib, log, "b", 5)]
        for coro in lib.as_completed(children, timeout=2):
            await log.outcome(coro)

    assert same(program) == ["1 a", "1 ValueError(a)", "2 TimeoutError()", "2 b CancelledError()"]


def test_as_completed_gives_the_tasks_themselves_to_async_for() -> None:
    async def program(lib, log):
        children = [
            lib.create_task(finishes(lib, log, name, seconds), name=name)
            for name, seconds in (("a", 3), ("b", 1))
        ]
        async for task in lib.as_completed(children):
            log("got", task.get_name(), task in children)

    assert same(program, since=(3, 13)) == ["1 b", "1 got b True", "3 a", "3 got a True"]


def test_as_completed_refuses_one_future() -> None:
    async def program(lib, log):
        coro = lib.sleep(0)
        log.attempt(lib.as_completed, log.loop.create_future())
        log.attempt(lib.as_completed, coro)
        coro.close()

    assert same(program, since=(3, 13)) == [
        "0 TypeError(expects an iterable of awaitables, not Future)",
        "0 TypeError(expects an iterable of awaitables, not coroutine)",
    ]


# -- timeouts -------------------------------------------------------------------------------------


def test_timeout_cancels_the_block_and_raises_timeout_error() -> None:
    async def program(lib, log):
        try:
            async with lib.timeout(1) as scope:
                log(scope.when(), scope.expired())
                try:
                    await lib.sleep(2)
                finally:
                    log("leaving", scope.expired())
        except TimeoutError as error:
            log(error, type(error.__cause__).__name__)
        log(scope.expired(), lib.current_task().cancelling())

    assert same(program) == [
        "0 1.0 False",
        "1 leaving True",
        "1 TimeoutError() CancelledError",
        "1 True 0",
    ]


def test_timeout_leaves_a_quick_block_and_its_errors_alone() -> None:
    async def program(lib, log):
        async with lib.timeout(2):
            await lib.sleep(1)
        async with lib.timeout(None) as scope:
            log(scope.when())
        try:
            async with lib.timeout(2):
                raise ValueError("mine")
        except ValueError as error:
            log(error)
        await lib.sleep(5)
        log("not cancelled later")

    assert same(program) == ["1 None", "1 ValueError(mine)", "6 not cancelled later"]


def test_timeout_can_be_moved() -> None:
    async def program(lib, log):
        scope = lib.timeout(1)
        log.attempt(scope.reschedule, 2)
        try:
            async with scope:
                scope.reschedule(log.loop.time() + 3)
                log(scope.when())
                await lib.sleep(9)
        except TimeoutError as error:
            log(error)
        log.attempt(scope.reschedule, 5)

    assert same(program) == [
        "0 RuntimeError(Timeout has not been entered)",
        "0 3.0",
        "3 TimeoutError()",
        "3 RuntimeError(Cannot change state of expired Timeout)",
    ]


def test_timeout_at_a_moment_that_has_passed() -> None:
    async def program(lib, log):
        await lib.sleep(1)
        try:
            async with lib.timeout_at(0.5):
                log("in")
                await lib.sleep(1)
                log("never")
        except TimeoutError as error:
            log(error)

    assert same(program) == ["1 in", "1 TimeoutError()"]


def test_timeout_does_not_swallow_a_cancellation_from_outside() -> None:
    async def program(lib, log):
        async def worker():
            async with lib.timeout(1):
                try:
                    await lib.sleep(5)
                except lib.CancelledError:
                    log("told")
                    lib.current_task().cancel("another task")
                    raise

        task = lib.create_task(worker())
        await log.outcome(task)
        log(task.cancelled(), task.cancelling())

    log = same(program)
    assert log[0] == "1 told"
    assert log[-1] == "1 True 1"


def test_timeouts_nest() -> None:
    async def program(lib, log):
        try:
            async with lib.timeout(1) as outer:
                try:
                    async with lib.timeout(2) as inner:
                        await lib.sleep(5)
                finally:
                    log(outer.expired(), inner.expired())
        except TimeoutError:
            log("outer")

    assert same(program) == ["1 True False", "1 outer"]


def test_timeout_is_for_tasks_and_used_once() -> None:
    async def program(lib, log):
        scope = lib.timeout(1)
        log(scope)
        async with scope:
            log(scope)
        log(scope)
        await log.outcome(scope.__aenter__())
        steps = lib.timeout_at(1).__aenter__()
        log.loop.call_soon(log.attempt, steps.send, None)
        await lib.sleep(0)

    assert same(program, since=(3, 12)) == [
        "0 <Timeout [created]>",
        "0 <Timeout [active] when=1.0>",
        "0 <Timeout [finished]>",
        "0 RuntimeError(Timeout has already been entered)",
        "0 RuntimeError(Timeout should be used inside a task)",
    ]


def test_wait_for() -> None:
    async def program(lib, log):
        log(await lib.wait_for(lib.sleep(1, "in time"), 2))
        log(await lib.wait_for(lib.sleep(1, "any time"), None))
        await log.outcome(lib.wait_for(finishes(lib, log, "late", 2), 1))
        await log.outcome(lib.wait_for(finishes(lib, log, "fails", 1, ValueError), 2))

    assert same(program) == [
        "1 in time",
        "2 any time",
        "3 late CancelledError()",
        "3 TimeoutError()",
        "4 fails",
        "4 ValueError(fails)",
    ]


def test_wait_for_with_no_time_at_all() -> None:
    async def program(lib, log):
        done = log.loop.create_future()
        done.set_result("done")
        log(await lib.wait_for(done, 0))
        await log.outcome(lib.wait_for(finishes(lib, log, "never starts", 0), 0))
        await log.outcome(lib.wait_for(finishes(lib, log, "never starts", 0), -1))

    assert same(program) == ["0 done", "0 TimeoutError()", "0 TimeoutError()"]


def test_wait_for_gives_what_a_refusing_task_returns() -> None:
    async def program(lib, log):
        async def refuses():
            try:
                await lib.sleep(5)
            except lib.CancelledError:
                await lib.sleep(1)
            return "after all"

        await log.outcome(lib.wait_for(lib.create_task(refuses()), 1))

    assert same(program, since=(3, 12)) == ["2 after all"]


def test_cancelling_wait_for_cancels_what_it_waits_for() -> None:
    async def program(lib, log):
        waiting = lib.create_task(lib.wait_for(finishes(lib, log, "a", 9), 5))
        await lib.sleep(1)
        waiting.cancel("stop")
        await log.outcome(waiting)

    assert same(program, since=(3, 12)) == ["1 a CancelledError(stop)", "1 CancelledError(stop)"]


# -- shield ---------------------------------------------------------------------------------------


def test_shield_keeps_a_cancellation_from_what_it_shields() -> None:
    async def program(lib, log):
        inner = lib.create_task(finishes(lib, log, "inner", 2))
        outer = lib.create_task(lib.wait_for(lib.shield(inner), 1))
        await log.outcome(outer)
        log(inner.done())
        log(await inner)

    assert same(program) == ["1 TimeoutError()", "1 False", "2 inner", "2 inner"]


def test_shield_hands_on_results_errors_and_cancellations() -> None:
    async def program(lib, log):
        log(await lib.shield(lib.sleep(1, "result")))
        await log.outcome(lib.shield(finishes(lib, log, "a", 1, ValueError)))
        inner = lib.create_task(lib.sleep(5))
        log.loop.call_later(1, inner.cancel, "inner")
        await log.outcome(lib.shield(inner))
        done = log.loop.create_future()
        log(lib.shield(done) is done)
        done.set_result(1)
        log(lib.shield(done) is done)

    assert same(program) == [
        "1 result",
        "2 a",
        "2 ValueError(a)",
        "3 CancelledError()",
        "3 False",
        "3 True",
    ]


def test_an_error_behind_a_cancelled_shield_is_reported() -> None:
    async def program(lib, log):
        outer = lib.shield(finishes(lib, log, "inner", 2, ValueError))
        await lib.sleep(1)
        outer.cancel()
        await lib.sleep(1)
        await lib.sleep(0)
        if not FAST:  # on 3.12 and 3.13 a traceback leads to what called the coroutine: to the task
            gc.collect()
        await lib.sleep(1)

    assert same(program, since=(3, 13)) == [
        "2 inner",
        "2 ERROR: Task exception was never retrieved ValueError(inner)",
    ]


# -- TaskGroup ------------------------------------------------------------------------------------


def test_a_group_ends_when_all_its_tasks_have_ended() -> None:
    async def program(lib, log):
        async with lib.TaskGroup() as group:
            a = group.create_task(finishes(lib, log, "a", 2))
            b = group.create_task(finishes(lib, log, "b", 1), name="b")
            log("body ends", b.get_name())
        log(a.result(), b.result())

    assert same(program) == ["0 body ends b", "1 b", "2 a", "2 a b"]


def test_when_one_fails_the_others_and_the_block_are_cancelled() -> None:
    async def program(lib, log):
        try:
            async with lib.TaskGroup() as group:
                group.create_task(finishes(lib, log, "fails", 1, ValueError))
                group.create_task(finishes(lib, log, "other", 9))
                try:
                    await lib.sleep(5)
                finally:
                    log("body")
        except* ValueError as errors:
            log(errors, str(errors))
        log(lib.current_task().cancelling())

    assert same(program) == [
        "1 fails",
        "1 other CancelledError()",
        "1 body",
        "1 ExceptionGroup[ValueError(fails)] unhandled errors in a TaskGroup (1 sub-exception)",
        "1 0",
    ]


def test_all_errors_come_together() -> None:
    async def program(lib, log):
        async def fails_when_cancelled():
            try:
                await lib.sleep(9)
            except lib.CancelledError:
                raise KeyError("cleaning up") from None

        try:
            async with lib.TaskGroup() as group:
                group.create_task(fails_when_cancelled())
                await lib.sleep(1)
                raise ValueError("body")
        except BaseExceptionGroup as errors:
            log(errors)

    assert same(program) == ["1 ExceptionGroup[KeyError(cleaning up), ValueError(body)]"]


def test_cancelling_the_parent_cancels_the_group() -> None:
    async def program(lib, log):
        async def parent():
            async with lib.TaskGroup() as group:
                group.create_task(finishes(lib, log, "child", 9))

        task = lib.create_task(parent())
        await lib.sleep(1)
        task.cancel("stop")
        await log.outcome(task)
        log(task.cancelled())

    log = same(program)
    assert log == ["1 child CancelledError()", "1 CancelledError(stop)", "1 True"]


def test_a_cancellation_from_outside_and_an_error_together() -> None:
    async def program(lib, log):
        async def fails_when_cancelled():
            try:
                await lib.sleep(9)
            except lib.CancelledError:
                raise KeyError("cleaning up") from None

        async def parent():
            try:
                async with lib.TaskGroup() as group:
                    group.create_task(fails_when_cancelled())
            except BaseExceptionGroup as errors:
                log(errors, lib.current_task().cancelling())
            await log.outcome(lib.sleep(1))

        task = lib.create_task(parent())
        await lib.sleep(1)
        task.cancel("stop")
        await lib.wait([task])

    assert same(program, since=(3, 13)) == [
        "1 ExceptionGroup[KeyError(cleaning up)] 1",
        "1 CancelledError()",
    ]


def test_keyboard_interrupt_in_a_child_is_not_grouped() -> None:
    def program(lib, log):
        async def interrupted():
            raise KeyboardInterrupt("child")

        async def main():
            try:
                async with lib.TaskGroup() as group:
                    group.create_task(interrupted())
                    await lib.sleep(9)
            except KeyboardInterrupt as error:
                log(error)

        task = log.loop.create_task(main())
        log.attempt(log.loop.run_until_complete, task)
        log.attempt(log.loop.run_until_complete, task)

    assert same(program) == ["0 KeyboardInterrupt(child)"] * 2 + ["0 None"]


def test_when_a_group_takes_no_tasks() -> None:
    async def program(lib, log):
        group = lib.TaskGroup()
        coros = [lib.sleep(0) for _ in range(3)]
        log(group)
        log.attempt(group.create_task, coros[0])
        async with group:
            log(group)
            task = group.create_task(lib.sleep(1))
            log(group)
            await log.outcome(group.__aenter__())
        log.attempt(group.create_task, coros[1])
        try:
            async with lib.TaskGroup() as failing:
                task = failing.create_task(finishes(lib, log, "a", 0, ValueError))
                await lib.wait([task])
                log(failing)
                log.attempt(failing.create_task, coros[2])
        except BaseException as error:
            log(error)
        for coro in coros:
            coro.close()

    log = same(program, since=(3, 13))
    assert log[0] == "0 <TaskGroup>"
    assert log[1] == "0 RuntimeError(TaskGroup <TaskGroup> has not been entered)"
    assert log[2:4] == ["0 <TaskGroup entered>", "0 <TaskGroup tasks=1 entered>"]


def test_tasks_made_by_tasks_of_a_group_belong_to_it() -> None:
    async def program(lib, log):
        async def grows(depth):
            log(depth)
            await lib.sleep(1)
            if depth:
                group.create_task(grows(depth - 1))

        async with lib.TaskGroup() as group:
            group.create_task(grows(2))
        log("end")

    assert same(program) == ["0 2", "1 1", "2 0", "3 end"]


# -- from outside a loop --------------------------------------------------------------------------


@pytest.mark.parametrize("lib", LIBRARIES)
def test_run_gives_the_result_cancels_what_is_left_and_closes_the_loop(lib) -> None:
    events = []

    async def left():
        try:
            await lib.sleep(9)
        finally:
            events.append("cancelled")

    async def main():
        lib.create_task(left())
        await lib.sleep(0)
        events.append(lib.get_running_loop())
        return "result"

    assert lib.run(main()) == "result"
    assert events[1:] == ["cancelled"]
    assert events[0].is_closed()


def test_run_wants_a_coroutine_and_no_running_loop() -> None:
    async def main():
        """Not called by mistake."""

    async def outer():
        coro = main()
        with pytest.raises(RuntimeError, match=r"run\(\) cannot be called from a running"):
            aio.run(coro)

    with pytest.raises(
        ValueError, match=r"a coroutine was expected, got main: write run\(main\(\)"
    ):
        aio.run(main)
    with pytest.raises(ValueError, match="a coroutine was expected, got 1"):
        aio.run(1)
    aio.run(outer())


def test_a_runner_runs_many_on_one_loop_and_in_one_context() -> None:
    def program(lib, log):
        place = contextvars.ContextVar("place", default="nowhere")

        async def main():
            log(lib.get_running_loop() is runner.get_loop(), place.get())
            place.set("main")

        with lib.Runner(debug=True, loop_factory=lib.new_event_loop) as runner:
            runner.run(main())
            runner.run(main())
            log(runner.get_loop().get_debug(), place.get())
        log.attempt(runner.get_loop)

    assert same(program) == [
        "0 True nowhere",
        "0 True main",
        "0 True nowhere",
        "0 RuntimeError(Runner is closed)",
    ]


def test_an_exception_while_what_is_left_is_cancelled_is_reported() -> None:
    async def program(lib, log):
        async def fails_when_cancelled():
            try:
                await lib.sleep(9)
            except lib.CancelledError:
                raise KeyError("cleaning up") from None

        log.task = lib.create_task(fails_when_cancelled())
        await lib.sleep(0)

    assert same(program) == [
        "0 ERROR: unhandled exception during asyncio.run() shutdown KeyError(cleaning up)"
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="signals to oneself")
def test_the_first_interrupt_cancels_the_main_task() -> None:
    assert threading.current_thread() is threading.main_thread()

    def program(lib, log):
        async def main():
            signal.raise_signal(signal.SIGINT)
            try:
                await lib.sleep(9)
            except lib.CancelledError:
                log("cleaning up")
                raise

        log.attempt(lib.run, main())
        log(signal.getsignal(signal.SIGINT) is signal.default_int_handler)

    assert same(program) == ["0 cleaning up", "0 KeyboardInterrupt()", "0 True"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals to oneself")
def test_the_second_interrupt_ends_it_at_once() -> None:
    def program(lib, log):
        async def main():
            for _ in range(2):
                signal.raise_signal(signal.SIGINT)
            log("never")

        log.attempt(lib.run, main())

    assert same(program) == ["0 KeyboardInterrupt()"]


def test_as_completed_gives_the_first_result_to_the_one_that_is_awaited_first() -> None:
    async def program(lib, log):
        first, second = lib.as_completed([lib.sleep(1, "early"), lib.sleep(2, "late")])
        waits_first = lib.create_task(second)
        await lib.sleep(0.5)
        log(await first, await waits_first)

    assert same(program) == ["2 late early"]


def chain_of(error) -> list[str]:
    """The names of an error's classes and of those before it."""
    return [] if error is None else [type(error).__name__, *chain_of(error.__context__)]


def test_a_timeout_stands_in_the_chain_of_what_the_block_raises() -> None:
    async def program(lib, log):
        async def fails():
            try:
                await lib.sleep(9)
            except lib.CancelledError:
                raise KeyError from None

        async def fails_in_a_group():
            async with lib.TaskGroup() as group:
                group.create_task(fails())

        for function in (fails, fails_in_a_group):
            try:
                async with lib.timeout(1):
                    await function()
            except Exception as error:
                for each in (error, *getattr(error, "exceptions", ())):
                    log(chain_of(each), chain_of(getattr(each.__context__, "__cause__", None)))

    log = same(program, since=(3, 13))
    assert log[0].startswith("1 [KeyError, TimeoutError, CancelledError]")


def test_a_coroutine_that_a_group_refuses_is_closed() -> None:
    async def program(lib, log):
        async def refused(group):
            coro = lib.sleep(0)
            log.attempt(group.create_task, coro)
            log(inspect.getcoroutinestate(coro))

        async def refuses_when_cancelled(group):
            try:
                await lib.sleep(9)
            finally:
                await refused(group)

        group = lib.TaskGroup()
        await refused(group)
        async with group:
            group.create_task(lib.sleep(0))
        await refused(group)
        with contextlib.suppress(ExceptionGroup):
            async with lib.TaskGroup() as group:
                group.create_task(refuses_when_cancelled(group))
                await lib.sleep(0)
                raise ValueError

    log = same(program, since=(3, 13))
    assert log[1::2] == ["0 CORO_CLOSED"] * 3


def test_gather_of_eager_tasks_that_are_done_is_done_at_once() -> None:
    async def program(lib, log):
        async def quick():
            return "result"

        log.loop.set_task_factory(lib.eager_task_factory)
        future = lib.gather(quick(), quick())
        log(future.done(), await future)

    assert same(program, since=(3, 12)) == ["0 True [result, result]"]
