"""Tasks, beside asyncio's."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import io
import re
import subprocess
import sys
import traceback
import types

import pytest
from same import aio, same, virtual_loop


def test_a_task_starts_at_the_next_turn_and_the_first_made_runs_first() -> None:
    async def program(lib, log):
        async def say(name):
            log(name)
            return name

        tasks = [lib.create_task(say(name), name=name) for name in "ab"]
        log("made", tasks[0].done(), tasks[0].get_name())
        return [await task for task in tasks]

    assert same(program) == ["0 made False a", "0 a", "0 b", "0 returns [a, b]"]


def test_tasks_take_turns_at_each_bare_yield() -> None:
    async def program(lib, log):
        async def steps(name):
            for number in range(3):
                log(name, number)
                await lib.sleep(0)

        await lib.gather(steps("a"), steps("b"))

    assert same(program) == ["0 a 0", "0 b 0", "0 a 1", "0 b 1", "0 a 2", "0 b 2"]


def test_an_exception_leaves_through_the_task_and_starts_in_the_users_code() -> None:
    async def program(lib, log):
        async def inner():
            raise ValueError("no")

        async def outer():
            await inner()

        task = lib.create_task(outer())
        await lib.wait([task])
        log([frame.name for frame in traceback.extract_tb(task.exception().__traceback__)])
        try:
            await task
        except ValueError as error:
            frames = traceback.extract_tb(error.__traceback__)
            log(error, [frame.name for frame in frames if frame.filename == __file__])

    assert same(program) == ["0 [outer, inner]", "0 ValueError(no) [program, outer, inner]"]


def test_cancel_is_thrown_in_where_the_task_waits_one_turn_later() -> None:
    async def program(lib, log):
        async def worker():
            try:
                await lib.sleep(10)
            except lib.CancelledError as error:
                log("told", error)
                raise
            finally:
                log("finally")

        task = lib.create_task(worker())
        await lib.sleep(1)
        log(task.cancel("enough"), task.cancelled(), task.cancelling())
        await lib.wait([task])
        log(task.cancelled(), task.cancel(), task.cancelling())
        await log.outcome(task)

    assert same(program) == [
        "1 True False 1",
        "1 told CancelledError(enough)",
        "1 finally",
        "1 True False 1",
        "1 CancelledError(enough)",
    ]


def test_cancel_before_the_start_means_that_the_body_never_runs() -> None:
    async def program(lib, log):
        async def worker():
            log("body")

        task = lib.create_task(worker())
        task.cancel("early")
        await log.outcome(task)
        log(task.cancelled())

    assert same(program) == ["0 CancelledError(early)", "0 True"]


def test_cancel_may_be_refused() -> None:
    async def program(lib, log):
        async def stubborn():
            try:
                await lib.sleep(10)
            except lib.CancelledError:
                log("no")
                await lib.sleep(1)
            return "finished"

        task = lib.create_task(stubborn())
        await lib.sleep(1)
        task.cancel()
        log(await task, task.cancelled(), task.cancelling())

    assert same(program) == ["1 no", "2 finished False 1"]


def test_cancel_in_its_last_step_is_obeyed() -> None:
    async def program(lib, log):
        async def worker():
            lib.current_task().cancel("me")
            return "lost"

        await log.outcome(lib.create_task(worker()))

    assert same(program) == ["0 CancelledError(me)"]


def test_cancel_of_a_task_that_is_to_run_is_thrown_in_at_that_step() -> None:
    async def program(lib, log):
        async def worker():
            try:
                await gate
                log("through")
                await lib.sleep(5)
            except lib.CancelledError as error:
                log(error)

        gate = log.loop.create_future()
        task = lib.create_task(worker())
        await lib.sleep(0)
        gate.set_result(None)
        task.cancel("now")
        await task

    assert same(program) == ["0 CancelledError(now)"]


def test_cancel_goes_down_a_chain_of_tasks_and_comes_back_up() -> None:
    async def program(lib, log):
        async def level(depth):
            try:
                await (level_task(depth - 1) if depth else lib.sleep(10))
            except lib.CancelledError as error:
                log(depth, error)
                raise

        def level_task(depth):
            return lib.create_task(level(depth))

        top = level_task(3)
        await lib.sleep(1)
        top.cancel("down")
        await log.outcome(top)

    assert same(program) == [
        *(f"1 {depth} CancelledError(down)" for depth in range(4)),
        "1 CancelledError(down)",
    ]


def test_cancelled_error_keeps_where_it_was_raised() -> None:
    async def program(lib, log):
        async def worker():
            await lib.sleep(10)

        task = lib.create_task(worker())
        await lib.sleep(0)
        task.cancel()
        try:
            await task
        except lib.CancelledError as error:
            frames = traceback.extract_tb(error.__traceback__)
            log([frame.name for frame in frames if frame.filename == __file__])

    assert same(program) == ["0 [program, worker]"]


def test_uncancel_takes_one_request_back() -> None:
    async def program(lib, log):
        task = lib.current_task()
        for _ in range(2):
            task.cancel()
        log(task.cancelling(), task.uncancel())
        await log.outcome(lib.sleep(1))
        log(task.uncancel(), task.uncancel())

    assert same(program) == ["0 2 1", "0 CancelledError()", "0 0 0"]


def test_uncancel_of_the_last_request_means_that_nothing_is_thrown() -> None:
    async def program(lib, log):
        task = lib.current_task()
        task.cancel()
        task.uncancel()
        await log.outcome(lib.sleep(1, "slept"))

    assert same(program, since=(3, 13)) == ["1 slept"]


def test_what_cannot_be_awaited_is_thrown_in_as_an_error() -> None:
    async def program(lib, log):
        class Yields:
            def __init__(self, value):
                self.value = value

            def __await__(self):
                yield self.value

        async def wait_for(value):
            await Yields(value)

        async def itself():
            await lib.current_task()

        other = lib.new_event_loop()
        foreign = other.create_future()
        for coro in (wait_for(7), wait_for(i for i in ()), itself()):
            await log.outcome(_first_words(lib.create_task(coro)))
        foreign_one = lib.create_task(_await(foreign))
        await log.outcome(_first_words(foreign_one))
        other.close()

    assert same(program) == [
        "0 Task got bad yield: 7",
        "0 yield was used instead of yield from for generator",
        "0 Task cannot await on itself:",
        "0 Task got Future attached to a different loop",
    ]


async def _await(awaitable):
    return await awaitable


async def _first_words(task) -> str:
    """The error of a task without what stands in < >, which has paths and addresses in asyncio."""
    with pytest.raises(RuntimeError) as caught:
        await task
    words = str(caught.value).split()
    kept, depth = [], 0
    for word in words:
        if not depth and "<" not in word:
            kept.append(word)
        depth += word.count("<") - word.count(">")
    return " ".join(kept).split(" in task")[0]


def test_a_task_needs_a_coroutine_and_sets_its_own_result() -> None:
    async def program(lib, log):
        log.attempt(lib.Task, lambda: 1)
        task = lib.create_task(lib.sleep(0, "own"))
        log.attempt(task.set_result, 1)
        log.attempt(task.set_exception, ValueError())
        return await task

    log = same(program)
    assert log[0].startswith("0 TypeError(a coroutine was expected, got <function")
    assert log[1:] == [
        "0 RuntimeError(Task does not support set_result operation)",
        "0 RuntimeError(Task does not support set_exception operation)",
        "0 returns own",
    ]


def test_names() -> None:
    async def program(lib, log):
        task = lib.create_task(lib.sleep(0), name=12)
        log(task.get_name())
        task.set_name(("a", 1))
        coro = lib.sleep(0)
        other = lib.create_task(coro)
        log(task.get_name(), other.get_name(), other.get_coro() is coro)
        await other

    assert same(program) == ["0 12", "0 ('a', 1) Task-N True"]


def test_context_variables_are_a_tasks_own() -> None:
    async def program(lib, log):
        place = contextvars.ContextVar("place", default="nowhere")

        async def child(name):
            log(name, place.get())
            place.set(name)
            await lib.sleep(0)
            log(name, place.get())

        place.set("parent")
        given = contextvars.copy_context()
        tasks = [lib.create_task(child("a")), lib.create_task(child("b"), context=given)]
        place.set("later")
        await lib.gather(*tasks)
        log(place.get(), given[place], tasks[1].get_context() is given)

    assert same(program, since=(3, 12)) == [
        "0 a parent",
        "0 b parent",
        "0 a a",
        "0 b b",
        "0 later b True",
    ]


def test_current_task_and_all_tasks() -> None:
    async def program(lib, log):
        async def child():
            log("in", lib.current_task().get_name())
            log.loop.call_soon(lambda: log("callback", lib.current_task()))
            await lib.sleep(1)

        lib.current_task().set_name("main")
        tasks = {lib.create_task(child(), name=name) for name in "ab"}
        log(sorted(task.get_name() for task in lib.all_tasks()))
        await lib.wait(tasks)
        log([task.get_name() for task in lib.all_tasks()], lib.current_task().get_name())

    assert same(program) == [
        "0 [a, b, main]",
        "0 in a",
        "0 in b",
        "0 callback None",
        "0 callback None",
        "1 [main] main",
    ]


def test_a_pending_task_nobody_holds_is_reported() -> None:
    async def program(lib, log):
        async def waits_for_what_only_it_holds():
            await log.loop.create_future()

        task = lib.create_task(waits_for_what_only_it_holds())
        await lib.sleep(0)
        log(len(lib.all_tasks()))
        del task
        gc.collect()
        log(len(lib.all_tasks()))

    assert same(program) == ["0 2", "0 ERROR: Task was destroyed but it is pending!", "0 1"]


@pytest.mark.parametrize("name", [aio.__name__, "asyncio"])
def test_a_pending_task_is_reported_even_when_python_ends(name) -> None:
    program = (
        f"import {name} as aio\n"
        "async def wait():\n"
        "    await aio.get_running_loop().create_future()\n"
        "async def main():\n"
        "    global task\n"
        "    task = aio.create_task(wait())\n"
        "    await aio.sleep(0)\n"
        "loop = aio.new_event_loop()\n"
        "loop.run_until_complete(main())\n"
    )
    command = [sys.executable, "-c", program]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stderr
    assert said.startswith("Task was destroyed but it is pending!"), said
    assert "Traceback" not in said


def test_a_task_that_sleeps_outlives_the_last_one_who_holds_it() -> None:
    async def program(lib, log):
        async def sleeper():
            await lib.sleep(1)
            log("awake")

        lib.create_task(sleeper())
        await lib.sleep(0)
        gc.collect()
        await lib.sleep(2)

    assert same(program) == ["1 awake"]


def test_an_exception_of_a_task_nobody_awaits_is_reported() -> None:
    async def program(lib, log):
        async def fails():
            raise ValueError("lost")

        lib.create_task(fails())
        await lib.sleep(0)
        gc.collect()

    assert same(program) == ["0 ERROR: Task exception was never retrieved ValueError(lost)"]


def test_keyboard_interrupt_goes_through_the_loop_and_the_loop_can_be_used_again() -> None:
    def program(lib, log):
        async def interrupted():
            log.loop.call_soon(log, "still to come")
            raise KeyboardInterrupt("stop")

        async def after():
            log("after")
            return "again"

        log.attempt(log.loop.run_until_complete, interrupted())
        log(log.loop.is_running())
        return log.loop.run_until_complete(after())

    assert same(program) == [
        "0 KeyboardInterrupt(stop)",
        "0 False",
        "0 still to come",
        "0 after",
        "0 returns again",
    ]


def test_stop_iteration_raised_in_a_coroutine_is_an_error() -> None:
    async def program(lib, log):
        async def stops():
            raise StopIteration(1)

        await log.outcome(lib.create_task(stops()))

    assert same(program) == ["0 RuntimeError(coroutine raised StopIteration)"]


def test_eager_tasks_take_their_first_step_at_once() -> None:
    async def program(lib, log):
        async def child(name, pauses):
            log(name, lib.current_task().get_name())
            if pauses:
                await lib.sleep(0)
            log(name, "ends")
            return name

        log.loop.set_task_factory(lib.eager_task_factory)
        log(log.loop.get_task_factory() is lib.eager_task_factory)
        quick, slow = lib.create_task(child("a", False)), lib.create_task(child("b", True))
        log(quick.done(), slow.done(), lib.current_task().get_name())
        return await lib.gather(quick, slow)

    assert same(program, since=(3, 12)) == [
        "0 True",
        "0 a Task-N",
        "0 a ends",
        "0 b Task-N",
        "0 True False Task-N",
        "0 b ends",
        "0 returns [a, b]",
    ]


def test_an_eager_task_has_its_context_and_a_failure_stays_in_it() -> None:
    async def program(lib, log):
        place = contextvars.ContextVar("place", default="nowhere")

        async def child():
            place.set("child")
            raise ValueError("no")

        log.loop.set_task_factory(lib.create_eager_task_factory(lib.Task))
        task = lib.create_task(child())
        log(task.done(), place.get(), task.exception())

    assert same(program, since=(3, 12)) == ["0 True nowhere ValueError(no)"]


def test_all_tasks_finds_them_wherever_they_are() -> None:
    """Not begun, giving way, waiting, thrown an error next, and around an eager one."""

    async def program(lib, log):
        def names():
            return sorted(task.get_name() for task in lib.all_tasks())

        @types.coroutine
        def bad():
            yield "tea"

        async def gives_way():
            for _ in range(3):
                await lib.sleep(0)

        async def awaits_tea():
            with contextlib.suppress(RuntimeError):
                await bad()  # thrown in by the next step

        kept = [
            lib.create_task(lib.sleep(1), name="waits"),
            lib.create_task(gives_way(), name="gives way"),
            lib.create_task(awaits_tea(), name="bad"),
        ]
        kept.append(lib.create_task(lib.sleep(0), name="new"))
        log(names())
        await lib.sleep(0)
        log(names())
        await lib.sleep(2)
        log(names())
        assert len(kept) == 4

    assert same(program) == [
        "0 [Task-N, bad, gives way, new, waits]",
        "0 [Task-N, bad, gives way, new, waits]",
        "2 [Task-N]",
    ]


def test_all_tasks_finds_the_one_around_an_eager_one() -> None:
    async def program(lib, log):
        async def inner():
            log(len(lib.all_tasks()))

        async def outer():
            lib.create_task(inner())

        log.loop.set_task_factory(lib.eager_task_factory)
        lib.create_task(outer())
        log.loop.set_task_factory(None)

    assert same(program, since=(3, 12)) == ["0 3"]


def test_a_task_factory_makes_the_tasks() -> None:
    async def program(lib, log):
        def factory(loop, coro, **options):
            log("factory", sorted(options))
            return lib.Task(coro, loop=loop, **options)

        log.attempt(log.loop.set_task_factory, 1)
        log.loop.set_task_factory(factory)
        empty = contextvars.Context()
        tasks = [lib.create_task(lib.sleep(0)), lib.create_task(lib.sleep(0), context=empty)]
        await lib.wait(tasks)
        log.loop.set_task_factory(None)

    assert same(program) == [
        "0 TypeError(task factory must be a callable or None)",
        "0 factory []",
        "0 factory [context]",
    ]


def test_ensure_future() -> None:
    async def program(lib, log):
        class Awaitable:
            def __await__(self):
                return lib.sleep(0, "awaitable").__await__()

        future = log.loop.create_future()
        log(lib.ensure_future(future) is future)
        log(await lib.ensure_future(lib.sleep(0, "coroutine")))
        log(await lib.ensure_future(Awaitable()))
        log.attempt(lib.ensure_future, 1)
        other = lib.new_event_loop()
        log.attempt(lib.ensure_future, future, loop=other)
        other.close()

    assert same(program) == [
        "0 True",
        "0 coroutine",
        "0 awaitable",
        "0 TypeError(An asyncio.Future, a coroutine or an awaitable is required)",
        "0 ValueError(The future belongs to a different loop than the one specified as the loop "
        "argument)",
    ]


def test_a_cancel_gives_way_to_the_cancellation_that_has_come_already() -> None:
    async def program(lib, log):
        async def waits():
            await log.outcome(future)

        future = log.loop.create_future()
        task = lib.create_task(waits())
        await lib.sleep(0)
        future.set_exception(lib.CancelledError("the future's"))
        log(task.cancel("ours"))
        await task

    assert same(program) == ["0 True", "0 CancelledError(the future's)"]


def test_what_belongs_to_a_task_needs_a_running_loop() -> None:
    def program(lib, log):
        coro = lib.sleep(0)
        log.attempt(lib.create_task, coro)
        log.attempt(lib.current_task)
        log.attempt(lib.all_tasks)
        log.attempt(lib.timeout, None)
        coro.close()

    assert same(program) == ["0 RuntimeError(no running event loop)"] * 4


def test_repr_tells_name_state_and_coroutine() -> None:
    async def main():
        task = aio.create_task(aio.sleep(1), name="nap")
        assert "".join(f"{task!r}".split(" running")[:1]) == (
            "<Task pending name='nap' coro=<sleep()"
        )
        await aio.sleep(0)
        assert "wait_for=<" in repr(task)
        task.cancel()
        assert repr(task).startswith("<Task cancelling name='nap'")
        await aio.wait([task])
        assert repr(task) == "<Task cancelled name='nap' coro=<sleep() done>>"

    aio.run(main())


# From 3.14 on asyncio's tasks want a loop that asyncio knows to be running: `bridge` is one.
before_3_14 = pytest.mark.skipif(sys.version_info >= (3, 14), reason="see test_bridge.py")


@before_3_14
def test_an_asyncio_task_runs_on_our_loop() -> None:
    async def main():
        theirs = asyncio.Task(aio.sleep(1, "theirs"), loop=aio.get_running_loop())
        return await theirs

    assert aio.run(main(), loop_factory=lambda: virtual_loop(aio)) == "theirs"


@before_3_14
def test_our_task_awaits_an_asyncio_task() -> None:
    async def fails():
        await aio.sleep(1)
        raise ValueError("theirs")

    async def main():
        with pytest.raises(ValueError, match="theirs"):
            await asyncio.Task(fails(), loop=aio.get_running_loop())
        task = asyncio.Task(aio.sleep(9), loop=aio.get_running_loop())
        with pytest.raises(aio.CancelledError):
            aio.get_running_loop().call_later(1, task.cancel)
            await task

    aio.run(main(), loop_factory=lambda: virtual_loop(aio))


def stack_of(task, **options) -> list[str]:
    """The functions of a task's stack, outermost first."""
    return [frame.f_code.co_name for frame in task.get_stack(**options)]


def test_the_stack_of_a_task_is_where_it_waits_or_the_traceback_of_its_error() -> None:
    async def program(lib, log):
        def breaks():
            raise ValueError("broken")

        async def works(fails):
            await lib.sleep(1)
            if fails:
                breaks()

        async def looks_at_itself():
            return stack_of(lib.current_task())[-1], len(stack_of(lib.current_task(), limit=2))

        tasks = [lib.create_task(works(fails), name=f"fails {fails}") for fails in (False, True)]
        for _ in range(2):
            for task in tasks:
                for limit in (None, 1, 0):
                    log(stack_of(task, limit=limit))
                task.print_stack(file=(file := io.StringIO()))
                title, *lines = file.getvalue().splitlines()
                log(re.sub("<Task.*>", "TASK", title))
                log.extend(lines)
            await lib.wait(tasks)
        tasks[1].exception()
        log(await lib.create_task(looks_at_itself()))

    log = same(program)
    assert [line for line in log if "TASK" in line] == [
        "0 Stack for TASK (most recent call last):",
        "0 Stack for TASK (most recent call last):",
        "1 No stack for TASK",
        "1 Traceback for TASK (most recent call last):",
    ]
    assert "1 [works, breaks]" in log and "ValueError: broken" in log
    assert log[-1] == "1 [looks_at_itself, 2]"
