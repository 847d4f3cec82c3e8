"""Each row of docs/differences.md, held by a test: it says so still, and it is so still."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from same import LIBRARIES, Deadlock, aio, run, show, virtual_loop

ROWS = {}  # what the table says, and the test that holds it


def row(what: str) -> Callable:
    """Mark the test of one row of the first table."""

    def mark(test: Callable) -> Callable:
        ROWS[what] = test
        return test

    return mark


def test_every_row_has_its_test_and_every_test_its_row(root: Path) -> None:
    text = (root / "docs" / "differences.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \|", text, re.MULTILINE)
    assert [each for each in rows if each != "What"] == [*ROWS, *OLDER]


def test_every_row_of_the_older_ones_names_its_python(root: Path) -> None:
    text = (root / "docs" / "differences.md").read_text(encoding="utf-8")
    for what, (since, *_) in OLDER.items():
        assert f"| {what} | {'.'.join(map(str, since))} |" in text


def on_both(program: Callable) -> tuple[list[str], list[str]]:
    """What happens on asyncio, and on this package."""
    return run(asyncio, program), run(aio, program)


# -- by intention ---------------------------------------------------------------------------------


@row("A program that waits for ever")
def test_deadlock() -> None:
    async def waits():
        await virtual.create_future()

    for lib, error in ((asyncio, Deadlock), (aio, aio.Deadlock)):  # the first one is the tests' own
        virtual = virtual_loop(lib)
        task = virtual.create_task(waits())
        with pytest.raises(error):
            virtual.run_until_complete(task)
        task.cancel()
        with pytest.raises(lib.CancelledError):
            virtual.run_until_complete(task)
        virtual.close()


@row("Running inside a running asyncio loop")
def test_nesting() -> None:
    async def cell(lib):
        loop = lib.new_event_loop()
        coro = lib.sleep(0, "ran")
        try:
            return loop.run_until_complete(coro)
        finally:
            coro.close()
            loop.close()

    loop = virtual_loop(asyncio)
    assert loop.run_until_complete(cell(aio)) == "ran"
    with pytest.raises(RuntimeError, match="while another loop is running"):
        loop.run_until_complete(cell(asyncio))
    asyncio._set_running_loop(None)
    loop.close()


@row("The order in which a `TaskGroup` cancels")
def test_group_order() -> None:
    async def main():
        async def child(number):
            try:
                await aio.sleep(9)
            finally:
                cancelled.append(number)

        async with aio.TaskGroup() as group:
            for number in range(20):
                group.create_task(child(number))
            await aio.sleep(0)
            raise ValueError

    cancelled: list = []
    with pytest.raises(ExceptionGroup):
        aio.run(main())
    assert cancelled == list(range(20))
    assert isinstance(asyncio.TaskGroup()._tasks, set)


async def as_completed_of_done(lib, loop):
    futures = [loop.create_future() for _ in range(20)]
    for number, future in enumerate(futures):
        future.set_result(number)
    return [await coro for coro in lib.as_completed(futures)]


@row("Which one `as_completed` gives first of those that are done already")
def test_as_completed_of_those_that_are_done() -> None:
    def program(lib, log):
        log(log.loop.run_until_complete(as_completed_of_done(lib, log.loop)))

    theirs, ours = on_both(program)
    assert ours == [f"0 {list(range(20))}"]
    assert sorted(re.findall(r"\d+", theirs[0])) == sorted(re.findall(r"\d+", ours[0]))


@row("What `repr` shows of places")
def test_repr() -> None:
    async def program(lib, log):
        log.append(repr(lib.current_task()))
        log.append(repr(lib.Lock()))

    theirs, ours = on_both(program)
    assert re.fullmatch(r"<Task pending .*coro=<.*program\(\) running at line \d+>.*>", ours[0])
    assert ours[1] == "<Lock [unlocked]>"
    assert __file__ in theirs[0]
    assert re.fullmatch(r"<asyncio.locks.Lock object at 0x\w+ \[unlocked\]>", theirs[1])


def function(*args: object) -> None:
    """Never called."""


@row("What `repr` shows of callbacks")
def test_repr_of_callbacks() -> None:
    def program(lib, log):
        log(log.loop.call_soon(function, 1))
        log(log.loop.call_later(1.5, function, 1))

    theirs, ours = map(" ".join, on_both(program))
    assert ours == "0 <Handle function(1)> 0 <TimerHandle function(1)>"
    assert theirs.startswith("0 <Handle function(")  # before 3.13 with the arguments
    assert "0 <TimerHandle when=1.5 function(" in theirs


@row("What `InvalidStateError` says")
def test_invalid_state() -> None:
    def program(lib, log):
        future = log.loop.create_future()
        future.set_result(1)
        log.attempt(future.set_result, 2)

    theirs, ours = on_both(program)
    assert ours == ["0 InvalidStateError(FINISHED: <Future finished result=1>)"]
    assert theirs in (["0 InvalidStateError(invalid state)"], ours)  # ours: Python without _asyncio


def error_of(function: Callable, *args) -> str:
    with pytest.raises((ValueError, RuntimeError, TypeError)) as caught:
        function(*args)
    return show(caught.value)


@row("What `run` says where a loop runs already")
def test_run_in_a_loop() -> None:
    async def outer(lib):
        coro = lib.sleep(0)
        try:
            return error_of(lib.run, coro)
        finally:
            coro.close()

    theirs, ours = (lib.run(outer(lib)) for lib in (asyncio, aio))
    assert theirs.replace("asyncio.run()", "run()") == ours
    assert theirs != ours


@row("What `run` says to a function that was not called")
def test_run_of_a_function() -> None:
    async def main():
        """It is never called."""

    theirs, ours = (error_of(lib.run, main) for lib in (asyncio, aio))
    assert ours == "ValueError(a coroutine was expected, got main: write run(main()))"
    assert "write" not in theirs


@row("Who logs")
@pytest.mark.parametrize("lib", LIBRARIES)
def test_logger(lib, caplog: pytest.LogCaptureFixture) -> None:
    loop = lib.new_event_loop()
    with caplog.at_level(logging.ERROR):
        loop.call_exception_handler({"message": "hello"})
    loop.close()
    assert [record.name for record in caplog.records] == [lib.__name__]


@row("Which `CancelledError`")
def test_cancelled_error() -> None:
    assert aio.CancelledError is not asyncio.CancelledError
    assert issubclass(aio.CancelledError, BaseException)
    assert not issubclass(aio.CancelledError, Exception)


@row("Waking does not pass through `call_soon`")
def test_waking() -> None:
    def program(lib, log):
        async def main():
            future = log.loop.create_future()
            task = lib.create_task(lib.wait_for(future, None))
            await lib.sleep(0)
            original, counted = log.loop.call_soon, []
            log.loop.call_soon = lambda *a, **k: counted.append(1) or original(*a, **k)
            future.set_result(1)
            await task
            log.loop.call_soon = original
            log(len(counted))

        log.loop.run_until_complete(main())

    ours = run(aio, program)
    assert ours == ["0 0"]


@row("A task that waits for a socket resumes one turn sooner")
def test_socket_turn() -> None:
    async def program(lib, log):
        async def receive():
            log(await log.loop.sock_recv(here, 10))

        here, there = socket.socketpair()
        here.setblocking(False)
        with here, there:
            task = lib.create_task(receive())
            await lib.sleep(0)
            there.send(b"x")
            for turn in range(3):
                await lib.sleep(0)
                log("turn", turn)
            await task

    theirs, ours = on_both(program)
    fast = importlib.util.find_spec(f"{aio.__name__}.annexes.speed") is not None  # it is its doing
    assert ours.index("0 b'x'") + fast == theirs.index("0 b'x'")


@row("`sock_sendall` of items that are not bytes")
def test_sendall_of_items() -> None:
    async def program(lib, log):
        here, there = socket.socketpair()
        here.setblocking(False)
        with here, there:
            items = memoryview(bytes(8)).cast("I")
            await log.outcome(lib.wait_for(log.loop.sock_sendall(here, items), 0.05))

    assert run(aio, program, real=True) == ["None"]
    # It may be mended one day.
    assert run(asyncio, program, real=True) in (["TimeoutError()"], ["None"])


@row("Debug mode remembers no origins")
def test_origins() -> None:
    def program(lib, log):
        log.loop.set_debug(True)
        log(hasattr(log.loop.create_future(), "_source_traceback"))

    assert on_both(program) == (["0 True"], ["0 False"])


# -- on an older Python ---------------------------------------------------------------------------


async def keeps_a_result_that_comes_with_a_cancel(lib, log):
    future = log.loop.create_future()
    log.loop.call_later(1, future.set_result, "result")
    task = lib.create_task(lib.wait_for(future, 5))
    await lib.sleep(1)
    task.cancel()
    log.loop.call_soon(log, "turn")
    await log.outcome(task)


async def gathers_what_is_done(lib, log):
    future = log.loop.create_future()
    future.set_result(1)
    log(lib.gather(future).done())


async def runs_eagerly(lib, log):
    async def quick():
        """Nothing to wait for."""

    log.loop.set_task_factory(lib.eager_task_factory)
    log(lib.create_task(quick()).done())


async def takes_a_cancel_back(lib, log):
    lib.current_task().cancel()
    lib.current_task().uncancel()
    await log.outcome(lib.sleep(1))


async def hands_a_cancellation_on(lib, log):
    async def fails_when_cancelled():
        try:
            await lib.sleep(9)
        except lib.CancelledError:
            raise KeyError from None

    async def parent():
        try:
            async with lib.TaskGroup() as group:
                group.create_task(fails_when_cancelled())
        except BaseExceptionGroup:
            await log.outcome(lib.sleep(1))

    task = lib.create_task(parent())
    await lib.sleep(1)
    task.cancel()
    await lib.wait([task])


async def passes_the_word_on(lib, log):
    async def waits(name):
        async with condition:
            await condition.wait()
            log(name)

    condition = lib.Condition()
    first, second = (lib.create_task(waits(name)) for name in "ab")
    await lib.sleep(1)
    async with condition:
        condition.notify()
    first.cancel()
    await lib.wait([first, second], timeout=1)
    log(second.done())
    second.cancel()
    await lib.wait([second])


async def wakes_all_it_has_room_for(lib, log):
    async def enter(name):
        await semaphore.acquire()
        log(name)

    semaphore = lib.Semaphore(0)
    tasks = [lib.create_task(enter("first"))]
    await lib.sleep(0)
    tasks += [lib.create_task(enter(name)) for name in ("second", "third")]  # they begin, and then
    for _ in range(3):
        semaphore.release()  # the first has it
    for turn in range(3):
        await lib.sleep(0)
        log(turn)
    await lib.wait(tasks)


async def shuts_down(lib, log):
    queue = lib.Queue()
    queue.shutdown()
    await log.outcome(queue.get())


async def iterates(lib, log):
    async for task in lib.as_completed([lib.sleep(1, "result")]):
        log(await task)


async def refuses_nan(lib, log):
    await log.outcome(lib.wait_for(lib.sleep(float("nan")), 1))


async def sets_stop_iteration(lib, log):
    future = log.loop.create_future()
    log.attempt(future.set_exception, StopIteration())
    log(future.exception())


async def groups_an_eager_task(lib, log):
    async def fails():
        raise ValueError("quick")

    log.loop.set_task_factory(lib.eager_task_factory)
    try:
        async with lib.TaskGroup() as group:
            group.create_task(fails())
            group.create_task(lib.sleep(0))
            log("made")
    except ExceptionGroup as errors:
        log(errors)


OLDER = {
    "`wait_for` awaits in the task itself, and loses no result": (
        (3, 12),
        keeps_a_result_that_comes_with_a_cancel,
        ["1 result", "1 turn"],
    ),
    "`gather` of futures that are done is done at once": (
        (3, 12),
        gathers_what_is_done,
        ["0 True"],
    ),
    "`eager_task_factory`": ((3, 12), runs_eagerly, ["0 True"]),
    "`uncancel` of the last request takes back what was not thrown yet": (
        (3, 13),
        takes_a_cancel_back,
        ["1 None"],
    ),
    "A `TaskGroup` hands on a cancellation from outside that comes with errors": (
        (3, 13),
        hands_a_cancellation_on,
        ["1 CancelledError()"],
    ),
    "`Condition.wait` that is cancelled passes the word on": (
        (3, 13),
        passes_the_word_on,
        ["1 b", "1 True"],
    ),
    "A `Semaphore` wakes at once all that it has room for": (
        (3, 13),
        wakes_all_it_has_room_for,
        ["0 first", "0 0", "0 second", "0 third", "0 1", "0 2"],
    ),
    "`Queue.shutdown`": ((3, 13), shuts_down, ["0 QueueShutDown()"]),
    "`as_completed` in an `async for`": ((3, 13), iterates, ["1 result"]),
    "`sleep` refuses NaN": (
        (3, 13),
        refuses_nan,
        ["0 ValueError(Invalid delay: NaN (not a number))"],
    ),
    "`StopIteration` in `set_exception` becomes a `RuntimeError`": (
        (3, 13),
        sets_stop_iteration,
        [
            "0 None",
            "0 RuntimeError(StopIteration interacts badly with generators "
            "and cannot be raised into a Future)",
        ],
    ),
    "A `TaskGroup` is told of an eager task that is done at once in the next turn": (
        (3, 14),
        groups_an_eager_task,
        ["0 made", "0 ExceptionGroup[ValueError(quick)]"],
    ),
}


@pytest.mark.parametrize("what", OLDER)
def test_on_an_older_python_we_do_as_the_newest_asyncio(what: str) -> None:
    since, program, log = OLDER[what]
    assert run(aio, program) == log
    if sys.version_info >= since:  # an older one does not, or not before its last releases
        assert run(asyncio, program) == log
