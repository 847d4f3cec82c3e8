"""The event loop beside asyncio's: what runs when, time, stopping, errors, debug mode."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import operator
import os
import subprocess
import sys
import threading
import time
import warnings

import pytest
from same import FAST, aio, same, virtual_loop


def test_one_turn_runs_what_was_ready_when_it_began() -> None:
    async def program(lib, log):
        def say(name):
            log(name)
            log.loop.call_soon(log, f"{name} again")

        log.loop.call_soon(say, "a")
        log.loop.call_soon(say, "b")
        log("turn 0")
        await lib.sleep(0)
        log("turn 1")
        await lib.sleep(0)

    assert same(program) == ["0 turn 0", "0 a", "0 b", "0 turn 1", "0 a again", "0 b again"]


def test_the_repr_of_a_loop_says_how_it_is() -> None:
    async def program(lib, log):
        log(repr(log.loop).partition(" ")[2])
        log.loop.set_debug(True)
        log(repr(log.loop).partition(" ")[2])
        log.loop.set_debug(False)

    assert same(program) == [
        "0 running=True closed=False debug=False>",
        "0 running=True closed=False debug=True>",
    ]


def test_timers_ring_in_order_of_time() -> None:
    async def program(lib, log):
        for when in (3, 1, 2, 0.5):
            log.loop.call_later(when, log, when)
        log.loop.call_at(log.loop.time() + 2.5, log, "at")
        await lib.sleep(4)

    assert same(program) == ["0.5 0.5", "1 1", "2 2", "2.5 at", "3 3"]


def test_timers_at_the_same_time_ring_in_the_same_order() -> None:
    async def program(lib, log):
        for number in range(40):
            log.loop.call_later(number % 4, log, number)
        await lib.sleep(5)

    assert len(same(program)) == 40


def test_a_timer_of_nought_or_less_waits_for_the_next_turn() -> None:
    async def program(lib, log):
        log.loop.call_later(-1, log, "past")
        log.loop.call_later(0, log, "now")
        log.loop.call_soon(log, "soon")
        await lib.sleep(0)
        await lib.sleep(0)

    assert same(program) == ["0 soon", "0 past", "0 now"]


def test_handles_are_cancelled() -> None:
    async def program(lib, log):
        soon = log.loop.call_soon(log, "never")
        later = log.loop.call_later(1, log, "never")
        for handle in (soon, later):
            log(handle.cancelled())
            handle.cancel()
            handle.cancel()
            log(handle.cancelled())
        log(later.when())
        await lib.sleep(2)

    assert same(program) == ["0 False", "0 True", "0 False", "0 True", "0 1.0"]


@pytest.mark.skipif(not FAST, reason="only the annex `speed` looks below the top of the heap")
def test_cancelled_timers_do_not_stay_in_the_heap() -> None:
    async def program(lib, log):
        for handle in [log.loop.call_later(5, log, "never") for _ in range(300)]:
            handle.cancel()
        log.loop.call_later(1, log, "one")
        await lib.sleep(0)
        await lib.sleep(0)
        log(len(log.loop._scheduled) < 10)

    assert same(program) == ["0 True"]


def test_arguments_of_timers_are_checked() -> None:
    def program(lib, log):
        log.attempt(log.loop.call_later, None, log)
        log.attempt(log.loop.call_at, None, log)

    assert same(program) == [
        "0 TypeError(delay must not be None)",
        "0 TypeError(when cannot be None)",
    ]


def test_callbacks_run_in_their_context() -> None:
    async def program(lib, log):
        place = contextvars.ContextVar("place", default="nowhere")

        def say(name):
            log(name, place.get())
            place.set("changed")

        place.set("here")
        given = contextvars.copy_context()
        given.run(place.set, "given")
        log.loop.call_soon(say, "copied")
        log.loop.call_soon(say, "given", context=given)
        log.loop.call_later(1, say, "timer")
        handle = log.loop.call_at(1, say, "timer given", context=given)
        place.set("later")
        await lib.sleep(2)
        log(place.get(), given[place])
        if hasattr(handle, "get_context"):
            assert handle.get_context() is given

    assert same(program) == [
        "0 copied here",
        "0 given given",
        "1 timer here",
        "1 timer given changed",
        "2 later changed",
    ]


def test_a_callback_that_raises_is_reported_and_the_loop_goes_on() -> None:
    async def program(lib, log):
        def fails():
            raise ValueError("no")

        log.loop.call_soon(fails)
        log.loop.call_soon(log, "after")
        await lib.sleep(0)

    log = same(program)
    assert log[1] == "0 after"
    assert log[0].startswith("0 ERROR: Exception in callback ")
    assert log[0].endswith(" ValueError(no)")


def test_the_exception_handler_is_told_and_if_it_fails_the_default_one_is() -> None:
    async def program(lib, log):
        def handler(loop, context):
            log(loop is log.loop, sorted(context), context["exception"])
            raise KeyError("in the handler")

        def fails():
            raise ValueError("no")

        log.attempt(log.loop.set_exception_handler, 1)
        log.loop.set_exception_handler(handler)
        log(log.loop.get_exception_handler() is handler)
        log.loop.call_soon(fails)
        await lib.sleep(0)
        log.loop.set_exception_handler(None)
        log.loop.call_exception_handler({"message": "by hand", "extra": 1})

    log = same(program)
    assert log[0] == "0 TypeError(A callable object or None is expected, got 1)"
    assert log[1:3] == ["0 True", "0 True [exception, handle, message] ValueError(no)"]
    assert log[3:] == [
        "0 ERROR: Unhandled error in exception handler KeyError(in the handler)",
        "0 ERROR: by hand",
    ]


def test_keyboard_interrupt_in_a_callback_leaves_a_loop_that_can_be_used_again() -> None:
    def program(lib, log):
        def interrupt():
            raise KeyboardInterrupt

        async def nap():
            return await lib.sleep(1, "slept")

        log.loop.call_soon(interrupt)
        log.loop.call_soon(log, "after it")
        log.attempt(log.loop.run_forever)
        log(log.loop.is_running(), log.loop.is_closed())
        return log.loop.run_until_complete(nap())

    assert same(program) == [
        "0 KeyboardInterrupt()",
        "0 False False",
        "0 after it",
        "1 returns slept",
    ]


def test_stop_ends_the_turn_and_what_is_ready_waits_for_the_next_run() -> None:
    def program(lib, log):
        def stop():
            log("stop")
            log.loop.stop()
            log.loop.call_soon(log, "next run")

        log.loop.call_soon(stop)
        log.loop.call_soon(log, "same turn")
        log.loop.run_forever()
        log("stopped")
        log.loop.stop()
        log.loop.run_forever()

    assert same(program) == ["0 stop", "0 same turn", "0 stopped", "0 next run"]


def test_run_until_complete() -> None:
    def program(lib, log):
        async def fails():
            raise ValueError("no")

        future = log.loop.create_future()
        log.loop.call_later(1, future.set_result, "done")
        log(log.loop.run_until_complete(future))
        log.attempt(log.loop.run_until_complete, fails())
        log.loop.call_later(1, log.loop.stop)
        pending = log.loop.create_future()
        log.attempt(log.loop.run_until_complete, pending)
        pending.cancel()
        log.attempt(log.loop.run_until_complete, pending)
        log.attempt(log.loop.run_until_complete, 1)

    assert same(program) == [
        "1 done",
        "1 ValueError(no)",
        "2 RuntimeError(Event loop stopped before Future completed.)",
        "2 CancelledError()",
        "2 TypeError(An asyncio.Future, a coroutine or an awaitable is required)",
    ]


def test_a_loop_runs_once_at_a_time() -> None:
    async def program(lib, log):
        other = lib.new_event_loop()
        log(log.loop.is_running(), lib.get_running_loop() is log.loop, other.is_running())
        log.attempt(log.loop.run_forever)
        log.attempt(other.run_forever)
        log.attempt(log.loop.close)
        other.close()

    assert same(program, since=(3, 13, 1)) == [  # 3.13.0 forgets the running loop when it refuses
        "0 True True False",
        "0 RuntimeError(This event loop is already running)",
        "0 RuntimeError(Cannot run the event loop while another loop is running)",
        "0 RuntimeError(Cannot close a running event loop)",
    ]


def test_a_closed_loop_says_so() -> None:
    def program(lib, log):
        loop = lib.new_event_loop()
        log(loop.is_closed())
        loop.close()
        loop.close()
        log(loop.is_closed())
        coro = lib.sleep(0)
        log.attempt(loop.call_soon, log)
        log.attempt(loop.call_soon_threadsafe, log)
        log.attempt(loop.call_later, 1, log)
        log.attempt(loop.call_at, 1, log)
        log.attempt(loop.run_forever)
        log.attempt(loop.create_task, coro)
        log.attempt(loop.run_until_complete, coro)
        log.attempt(loop.run_in_executor, None, print)
        coro.close()

    closed = "0 RuntimeError(Event loop is closed)"
    assert same(program) == ["0 False", "0 True"] + [closed] * 8


def test_asynchronous_generators_are_closed_by_the_loop() -> None:
    async def program(lib, log):
        async def numbers(name):
            try:
                for number in range(9):
                    yield number
            finally:
                await lib.sleep(0)
                log(name, "closed")

        async for _ in numbers("left"):
            break
        await lib.sleep(0)
        gc.collect()
        await lib.sleep(1)
        log("end")
        held = numbers("held")
        await anext(held)
        program.held = held  # still open when the run ends

    assert same(program) == ["0 left closed", "1 end", "1 held closed"]


def test_asynchronous_generators_are_closed_when_asked_and_errors_reported() -> None:
    async def program(lib, log):
        async def stubborn():
            try:
                yield 1
            finally:
                raise ValueError("no")

        log.loop.set_exception_handler(lambda loop, context: log(context["exception"]))
        generator = stubborn()
        await anext(generator)
        await log.loop.shutdown_asyncgens()

    assert same(program) == ["0 ValueError(no)"]


def test_a_loop_without_ears_runs_tasks_and_timers() -> None:
    async def main():
        await aio.sleep(0.01)
        return await aio.gather(aio.sleep(0, "a"), aio.sleep(0.01, "b"))

    for clock in (aio.VirtualClock(), aio.MonotonicClock()):
        loop = aio.BaseEventLoop(clock=clock)
        assert loop.run_until_complete(main()) == ["a", "b"]
        with pytest.raises(aio.Deadlock):
            loop.run_until_complete(loop.create_future())
        loop.close()


def test_the_default_exception_handler_can_be_called_by_ones_own() -> None:
    async def program(lib, log):
        def handler(loop, context):
            log("mine")
            loop.default_exception_handler(context)

        log.loop.set_exception_handler(handler)
        log.loop.call_exception_handler({"message": "something", "exception": ValueError("no")})

    assert same(program) == ["0 mine", "0 ERROR: something ValueError(no)"]


def test_debug_mode_reports_slow_callbacks() -> None:
    def program(lib, log):
        loop = lib.new_event_loop()
        log(loop.get_debug())
        loop.set_debug(True)
        log(loop.get_debug(), loop.slow_callback_duration)
        loop.slow_callback_duration = 0.01
        loop.call_soon(time.sleep, 0.02)
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.close()

    log = same(program)
    assert log[:2] == ["0 False", "0 True 0.1"]
    assert log[2].startswith("0 WARNING: Executing <Handle sleep(0.02)> took 0.0..")


def test_debug_mode_reports_slow_tasks() -> None:
    def program(lib, log):
        async def slow():
            time.sleep(0.02)

        loop = lib.new_event_loop()
        loop.set_debug(True)
        loop.slow_callback_duration = 0.01
        loop.run_until_complete(loop.create_task(slow(), name="slow"))
        loop.close()

    log = same(program)
    assert log[0].startswith("0 WARNING: Executing <Task finished name='slow' coro=<")
    assert log[0].endswith(" result=None> took 0.0.. seconds")


def test_a_done_callback_that_raises_is_reported_and_the_others_run() -> None:
    async def program(lib, log):
        def fails(future):
            raise ValueError("no")

        log.loop.set_exception_handler(lambda loop, context: log(context["exception"]))
        future = log.loop.create_future()
        future.add_done_callback(fails)
        future.add_done_callback(lambda future: log("the next one"))
        future.cancel()
        await lib.sleep(0)

    assert same(program) == ["0 ValueError(no)", "0 the next one"]


def test_debug_mode_refuses_calls_from_another_thread() -> None:
    async def program(lib, log):
        def from_outside():
            log.attempt(log.loop.call_soon, print)
            log.attempt(log.loop.call_later, 1, print)
            log.attempt(log.loop.call_at, 1, print)

        log.loop.set_debug(True)
        thread = threading.Thread(target=from_outside)
        thread.start()
        thread.join()
        log.loop.set_debug(False)

    refused = (
        "0 RuntimeError(Non-thread-safe operation invoked on an event loop other than the "
        "current one)"
    )
    assert same(program) == [refused] * 3


def test_debug_mode_wants_functions_and_no_coroutines() -> None:
    async def program(lib, log):
        async def coroutine():
            """Never called."""

        log.loop.set_debug(True)
        log.attempt(log.loop.call_soon, coroutine)
        log.attempt(log.loop.call_later, 1, coroutine)
        log.attempt(log.loop.call_soon, 1)
        log.loop.set_debug(False)

    log = same(program)
    assert log[0] == "0 TypeError(coroutines cannot be used with call_soon())"
    assert log[2] == "0 TypeError(a callable object was expected by call_soon(), got 1)"


def test_a_deadlock_says_which_tasks_wait_and_where() -> None:
    async def waits_for_ever():
        await aio.get_running_loop().create_future()

    async def main():
        aio.current_task().set_name("main")
        task = aio.create_task(waits_for_ever(), name="stuck")
        await task

    with pytest.raises(aio.Deadlock) as caught:
        aio.run(main(), loop_factory=lambda: virtual_loop(aio))
    lines = str(caught.value).splitlines()
    assert lines[0] == "nothing is left that could wake these tasks:"
    assert [line.split(" waits at line ")[0].strip() for line in lines[1:]] == ["main", "stuck"]
    assert lines[1].endswith("of main(): await task")
    assert lines[2].endswith("of waits_for_ever(): await aio.get_running_loop().create_future()")


def test_a_deadlock_is_reported_on_the_real_clock_too_and_the_loop_can_be_used_again() -> None:
    loop = aio.EventLoop()
    with pytest.raises(aio.Deadlock):
        loop.run_until_complete(loop.create_future())
    assert loop.run_until_complete(aio.sleep(0, "again")) == "again"
    loop.close()


def test_the_virtual_clock_stands_still_while_anything_runs_and_jumps_when_all_wait() -> None:
    clock = aio.VirtualClock(start=100.0)

    async def main():
        loop = aio.get_running_loop()
        assert loop.time() == 100.0
        time.sleep(0.01)
        assert loop.time() == 100.0
        await aio.sleep(3600)
        assert loop.time() == 3700.0
        clock.advance(5)
        return loop.time()

    started = time.monotonic()
    assert aio.run(main(), loop_factory=lambda: aio.EventLoop(clock=clock)) == 3705.0
    assert time.monotonic() - started < 5


def test_the_real_clock_is_real() -> None:
    async def main():
        loop = aio.get_running_loop()
        started, wall = loop.time(), time.monotonic()
        await aio.sleep(0.05)
        return loop.time() - started, time.monotonic() - wall

    virtual, wall = aio.run(main())
    assert 0.049 < virtual <= wall < 1


def test_it_runs_inside_a_running_asyncio_loop_as_in_a_notebook_cell() -> None:
    async def ours():
        await aio.sleep(0.01)
        assert aio.current_task() is not None
        return aio.get_running_loop()

    async def cell():
        before, task = asyncio.get_running_loop(), asyncio.current_task()
        inner = aio.run(ours())
        assert isinstance(inner, aio.EventLoop)
        assert asyncio.get_running_loop() is before
        assert asyncio.current_task() is task
        await asyncio.sleep(0)
        return "the cell continues"

    assert asyncio.run(cell()) == "the cell continues"


def test_a_loop_in_each_thread() -> None:
    loops = []

    async def main():
        await aio.sleep(0.01)
        loops.append(aio.get_running_loop())

    threads = [threading.Thread(target=lambda: aio.run(main())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(loops)) == 3


def test_a_closed_loop_stays_closed_when_debug_mode_changes() -> None:
    loop = aio.EventLoop()
    loop.close()
    loop.set_debug(False)
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.call_soon(print)


def test_the_exception_handler_runs_in_the_context_of_what_failed() -> None:
    var = contextvars.ContextVar("var", default="outside")

    async def program(lib, log):
        async def fails():
            var.set("task")
            raise ValueError

        def callback():
            var.set("callback")
            raise ValueError

        log.loop.set_exception_handler(lambda *_: log(var.get()))
        lib.create_task(fails())
        await lib.sleep(0)
        gc.collect()
        log.loop.call_soon(callback)
        await lib.sleep(0)
        log.loop.create_future().set_exception(ValueError())
        gc.collect()
        log.loop.call_exception_handler({"message": "by hand"})
        log(var.get())

    assert same(program, since=(3, 12)) == ["0 task", "0 callback", *["0 outside"] * 3]


def test_a_default_exception_handler_of_the_loops_own_is_called() -> None:
    def program(lib, log):
        log.loop.default_exception_handler = lambda context: log("own", context["message"])
        log.loop.call_exception_handler({"message": "hello"})

    assert same(program) == ["0 own hello"]


def test_a_nested_run_says_that_its_coroutine_was_never_awaited() -> None:
    async def program(lib, log):
        async def inner():
            """Never awaited."""

        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            log.attempt(log.loop.run_until_complete, inner())
            gc.collect()
        log([str(each.message).rpartition(".")[2] for each in said])

    assert same(program) == [
        "0 RuntimeError(This event loop is already running)",
        "0 [inner' was never awaited]",
    ]


def test_timers_are_compared() -> None:
    def program(lib, log):
        def timer(when, *args):
            return lib.TimerHandle(when, print, args, log.loop)

        early, late, twin, other = timer(1), timer(2), timer(1), timer(1, "argument")
        compare = (operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge)
        for pair in ((early, late), (late, early), (early, twin), (early, other), (early, 1)):
            for operation in compare:
                log.attempt(operation, *pair)
        log(hash(early) == hash(twin), sorted([late, early]) == [early, late])
        twin.cancel()
        log(early == twin, early.when())
        log(log.loop.call_at(3, print) == log.loop.call_at(3, print))

    assert len(same(program)) == 33


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
@pytest.mark.parametrize("name", [aio.__name__, "asyncio"])
def test_a_process_that_is_forked_while_a_loop_runs_can_run_its_own(name: str) -> None:
    program = (
        f"import os, {name} as aio\n"
        "async def main():\n"
        "    if not os.fork():\n"
        "        loop = aio.new_event_loop()\n"
        "        print(loop.run_until_complete(aio.sleep(0, 'child')), flush=True)\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "    return 'parent'\n"
        "print(aio.run(main()))\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", program]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert said == "child\nparent\n"


def test_asynchronous_generators_are_closed_at_the_same_time() -> None:
    async def program(lib, log):
        async def numbers():
            try:
                yield 1
            finally:
                await lib.sleep(1)

        generators = [numbers() for _ in range(3)]
        for each in generators:
            await anext(each)
        await log.loop.shutdown_asyncgens()
        log("closed")

    assert same(program) == ["1 closed"]
