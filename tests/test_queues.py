"""Queues beside asyncio's."""

from __future__ import annotations

import pytest
from same import LIBRARIES, same

SINCE_SHUTDOWN = (3, 13)


@pytest.mark.parametrize("kind", ["Queue", "LifoQueue", "PriorityQueue"])
def test_the_order_of_items(kind) -> None:
    async def program(lib, log):
        queue = getattr(lib, kind)()
        for item in (2, 3, 1):
            await queue.put(item)
        log(queue.qsize(), queue.empty(), queue.full(), queue.maxsize)
        log([queue.get_nowait() for _ in range(3)], queue.empty())

    expected = {"Queue": "[2, 3, 1]", "LifoQueue": "[1, 3, 2]", "PriorityQueue": "[1, 2, 3]"}
    assert same(program) == ["0 3 False False 0", f"0 {expected[kind]} True"]


def test_full_and_empty() -> None:
    async def program(lib, log):
        queue = lib.Queue(1)
        log.attempt(queue.get_nowait)
        queue.put_nowait("a")
        log(queue.full())
        log.attempt(queue.put_nowait, "b")

    assert same(program) == ["0 QueueEmpty()", "0 True", "0 QueueFull()"]


def test_those_who_get_are_served_in_the_order_in_which_they_came() -> None:
    async def program(lib, log):
        async def getter(name):
            log(name, await queue.get())

        queue = lib.Queue()
        tasks = [lib.create_task(getter(name)) for name in "abc"]
        await lib.sleep(1)
        for item in range(3):
            queue.put_nowait(item)
            log("put", item)
        await lib.gather(*tasks)

    assert same(program) == ["1 put 0", "1 put 1", "1 put 2", "1 a 0", "1 b 1", "1 c 2"]


def test_a_full_queue_holds_up_who_puts() -> None:
    async def program(lib, log):
        async def producer(name):
            for number in range(3):
                await queue.put(f"{name}{number}")
                log("put", name, number)

        queue = lib.Queue(maxsize=2)
        tasks = [lib.create_task(producer(name)) for name in "ab"]
        for _ in range(6):
            await lib.sleep(1)
            log("got", await queue.get(), queue.qsize())
        await lib.gather(*tasks)

    assert len(same(program)) == 12


def test_who_comes_late_may_overtake_one_that_was_woken() -> None:
    async def program(lib, log):
        async def getter(name):
            log(name, await queue.get())

        queue = lib.Queue()
        first = lib.create_task(getter("first"))
        await lib.sleep(0)
        queue.put_nowait("item")
        log("overtaken", queue.get_nowait())
        await lib.sleep(1)
        queue.put_nowait("other")
        await first

    assert same(program) == ["0 overtaken item", "1 first other"]


def test_a_getter_that_is_cancelled_after_it_was_woken_wakes_the_next() -> None:
    async def program(lib, log):
        async def getter(name):
            try:
                log(name, await queue.get())
            except lib.CancelledError:
                log(name, "cancelled")
                raise

        queue = lib.Queue()
        first, second = [lib.create_task(getter(name)) for name in "ab"]
        await lib.sleep(1)
        queue.put_nowait("item")
        first.cancel()
        await lib.wait([first, second])

    assert same(program) == ["1 a cancelled", "1 b item"]


def test_a_putter_that_is_cancelled_after_it_was_woken_wakes_the_next() -> None:
    async def program(lib, log):
        async def putter(name):
            try:
                await queue.put(name)
                log(name, "is in")
            except lib.CancelledError:
                log(name, "cancelled")
                raise

        queue = lib.Queue(1)
        queue.put_nowait("old")
        first, second = [lib.create_task(putter(name)) for name in "ab"]
        await lib.sleep(1)
        log(queue.get_nowait())
        first.cancel()
        await lib.wait([first, second])
        log(queue.get_nowait())

    assert same(program) == ["1 old", "1 a cancelled", "1 b is in", "1 b"]


def test_join_waits_until_all_is_dealt_with() -> None:
    async def program(lib, log):
        async def worker():
            while True:
                item = await queue.get()
                await lib.sleep(item)
                log("did", item)
                queue.task_done()

        queue = lib.Queue()
        for item in (1, 2, 3):
            queue.put_nowait(item)
        await lib.Queue().join()
        workers = [lib.create_task(worker()) for _ in range(2)]
        await queue.join()
        log("joined")
        log.attempt(queue.task_done)
        for task in workers:
            task.cancel()
        await lib.wait(workers)

    assert same(program) == [
        "1 did 1",
        "2 did 2",
        "4 did 3",
        "4 joined",
        "4 ValueError(task_done() called too many times)",
    ]


def test_shutdown_lets_the_rest_be_taken() -> None:
    async def program(lib, log):
        queue = lib.Queue(2)
        queue.put_nowait("left")
        queue.shutdown()
        log.attempt(queue.put_nowait, "late")
        await log.outcome(queue.put("late"))
        log(await queue.get())
        await log.outcome(queue.get())
        log.attempt(queue.get_nowait)
        log(queue)

    assert same(program, since=SINCE_SHUTDOWN) == [
        "0 QueueShutDown()",
        "0 QueueShutDown()",
        "0 left",
        "0 QueueShutDown()",
        "0 QueueShutDown()",
        "0 <Queue maxsize=2 tasks=1 shutdown>",
    ]


@pytest.mark.parametrize("immediate", [False, True])
def test_shutdown_wakes_all_who_wait(immediate) -> None:
    async def program(lib, log):
        async def waits(name, awaitable):
            log(name, "waits")
            try:
                log(name, await awaitable)
            except lib.QueueShutDown as error:
                log(name, error)

        empty, full = lib.Queue(), lib.Queue(1)
        full.put_nowait("in")
        tasks = [
            lib.create_task(waits(name, awaitable))
            for name, awaitable in (
                ("get", empty.get()),
                ("get 2", empty.get()),
                ("put", full.put("x")),
                ("join", full.join()),
            )
        ]
        await lib.sleep(1)
        for queue in (empty, full):
            queue.shutdown(immediate=immediate)
        log(full.qsize())
        await lib.sleep(1)
        log([task.done() for task in tasks])
        tasks[-1].cancel()
        await lib.wait(tasks)

    log = same(program, since=SINCE_SHUTDOWN)
    assert log[4] == f"1 {0 if immediate else 1}"
    assert log[-1] == f"2 [True, True, True, {immediate}]"


def test_repr_tells_what_is_in_and_who_waits() -> None:
    async def program(lib, log):
        log(lib.Queue(), lib.PriorityQueue(3))
        queue = lib.Queue(1)
        queue.put_nowait("a")
        task = lib.create_task(queue.put("b"))
        await lib.sleep(0)
        log(queue)
        queue.get_nowait()
        await task
        other = lib.LifoQueue()
        getter = lib.create_task(other.get())
        await lib.sleep(0)
        log(other)
        getter.cancel()
        await lib.wait([getter])

    assert same(program) == [
        "0 <Queue maxsize=0> <PriorityQueue maxsize=3>",
        "0 <Queue maxsize=1 _queue=['a'] _putters[1] tasks=1>",
        "0 <LifoQueue maxsize=0 _getters[1]>",
    ]


def test_a_queue_belongs_to_the_loop_on_which_somebody_first_waited() -> None:
    def program(lib, log):
        async def waits():
            await lib.wait_for(queue.get(), 0.001)

        queue = lib.Queue()
        log.attempt(log.loop.run_until_complete, waits())
        other = lib.new_event_loop()
        log.attempt(other.run_until_complete, waits())
        other.close()

    assert (
        same(program)[1]
        == "0.001 RuntimeError(<Queue maxsize=0> is bound to a different event loop)"
    )


def test_queue_of_int_is_a_generic_alias() -> None:
    for lib in LIBRARIES:
        assert lib.Queue[int].__origin__ is lib.Queue
