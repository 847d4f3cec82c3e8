"""Locks, events, conditions, semaphores and barriers beside asyncio's."""

from __future__ import annotations

import pytest
from same import same


def test_a_lock_is_held_by_one_at_a_time_in_the_order_in_which_they_asked() -> None:
    async def program(lib, log):
        async def worker(name, seconds):
            async with lock:
                log(name, "in", lock.locked())
                await lib.sleep(seconds)
                log(name, "out")

        lock = lib.Lock()
        log(lock)
        await lib.gather(*(worker(name, 1) for name in "abc"))
        log(lock.locked())

    log = same(program)
    assert log[:3] == ["0 <Lock [unlocked]>", "0 a in True", "1 a out"]
    assert [line.split()[1] for line in log[1:-1]] == list("aabbcc")


def test_a_lock_that_is_released_goes_to_who_waits_and_not_to_who_comes() -> None:
    async def program(lib, log):
        async def worker(name):
            async with lock:
                log(name)

        lock = lib.Lock()
        await lock.acquire()
        tasks = [lib.create_task(worker(name)) for name in "ab"]
        await lib.sleep(1)
        log(lock)
        lock.release()
        log(lock.locked())
        await lock.acquire()
        log("main has it")
        lock.release()
        await lib.gather(*tasks)
        log.attempt(lock.release)

    assert same(program) == [
        "1 <Lock [locked, waiters:2]>",
        "1 False",
        "1 a",
        "1 b",
        "1 main has it",
        "1 RuntimeError(Lock is not acquired.)",
    ]


def test_one_who_is_cancelled_in_the_line_does_not_hold_up_the_others() -> None:
    async def program(lib, log):
        async def worker(name):
            try:
                async with lock:
                    log(name)
            except lib.CancelledError:
                log(name, "cancelled")

        for cancel_first in (True, False):
            lock = lib.Lock()
            await lock.acquire()
            a, b = [lib.create_task(worker(name)) for name in "ab"]
            await lib.sleep(1)
            if cancel_first:
                a.cancel()
                lock.release()
            else:
                lock.release()
                a.cancel()
            await lib.wait([a, b])
            log(lock.locked())

    assert same(program) == ["1 a cancelled", "1 b", "1 False", "2 a cancelled", "2 b", "2 False"]


def test_an_event_wakes_all() -> None:
    async def program(lib, log):
        async def waits(name):
            log(name, await event.wait())

        event = lib.Event()
        log(event.is_set())
        tasks = [lib.create_task(waits(name)) for name in "ab"]
        await lib.sleep(1)
        event.set()
        event.clear()
        log("set and cleared")
        await lib.gather(*tasks)
        event.set()
        event.set()
        log(event.is_set(), await event.wait())

    assert same(program) == ["0 False", "1 set and cleared", "1 a True", "1 b True", "1 True True"]


def test_a_condition_wakes_as_many_as_it_is_told_to() -> None:
    async def program(lib, log):
        async def waits(name):
            async with condition:
                log(name, await condition.wait(), condition.locked())

        condition = lib.Condition()
        tasks = [lib.create_task(waits(name)) for name in "abcd"]
        await lib.sleep(1)
        async with condition:
            condition.notify()
            condition.notify(2)
            log("told three")
        await lib.sleep(1)
        async with condition:
            condition.notify_all()
        await lib.gather(*tasks)

    assert same(program) == [
        "1 told three",
        "1 a True True",
        "1 b True True",
        "1 c True True",
        "2 d True True",
    ]


def test_a_condition_waits_for_a_predicate() -> None:
    async def program(lib, log):
        async def waits():
            async with condition:
                log("enough:", await condition.wait_for(lambda: len(items) > 2 and items))

        items = []
        condition = lib.Condition(lib.Lock())
        task = lib.create_task(waits())
        for item in "abc":
            await lib.sleep(1)
            async with condition:
                items.append(item)
                condition.notify_all()
                log("now", item)
        await task

    assert same(program) == ["1 now a", "2 now b", "3 now c", "3 enough: [a, b, c]"]


def test_a_condition_wants_its_lock_held() -> None:
    async def program(lib, log):
        condition = lib.Condition()
        await log.outcome(condition.wait())
        log.attempt(condition.notify)
        log.attempt(condition.notify_all)
        log(condition.locked())

    assert same(program) == [
        "0 RuntimeError(cannot wait on un-acquired lock)",
        "0 RuntimeError(cannot notify on un-acquired lock)",
        "0 RuntimeError(cannot notify on un-acquired lock)",
        "0 False",
    ]


def test_one_who_is_cancelled_in_a_condition_holds_the_lock_first_and_passes_the_word_on() -> None:
    async def program(lib, log):
        async def waits(name):
            async with condition:
                try:
                    await condition.wait()
                    log(name, "told")
                except lib.CancelledError as error:
                    log(name, error, condition.locked())
                    raise

        condition = lib.Condition()
        a, b = [lib.create_task(waits(name)) for name in "ab"]
        await lib.sleep(1)
        async with condition:
            condition.notify()
            a.cancel("stop")
            await lib.sleep(1)
        await lib.wait([a, b], timeout=1)
        log(a.cancelled(), b.done())
        b.cancel()
        await lib.wait([b])

    assert same(program, since=(3, 13))[:2] == [
        "2 a CancelledError(stop) True",
        "2 b told",
    ]


def test_a_semaphore_lets_so_many_in() -> None:
    async def program(lib, log):
        async def worker(name):
            async with semaphore:
                log(name, "in", semaphore.locked())
                await lib.sleep(1)
                log(name, "out")

        semaphore = lib.Semaphore(2)
        await lib.gather(*(worker(name) for name in "abcde"))
        log(semaphore.locked())

    assert len(same(program)) == 11


def test_a_semaphore_serves_in_order_also_when_somebody_is_cancelled() -> None:
    async def program(lib, log):
        async def worker(name):
            try:
                async with semaphore:
                    log(name, "in")
            except lib.CancelledError:
                log(name, "cancelled")

        semaphore = lib.Semaphore(0)
        a, b, c = tasks = [lib.create_task(worker(name)) for name in "abc"]
        await lib.sleep(1)
        a.cancel()
        semaphore.release()
        await lib.sleep(1)
        semaphore.release()
        b.cancel()
        c.cancel()
        await lib.wait(tasks)
        log(semaphore.locked())

    assert same(program)[0] == "1 a cancelled"


def test_semaphores_count() -> None:
    async def program(lib, log):
        log.attempt(lib.Semaphore, -1)
        free = lib.Semaphore(0)
        free.release()
        log(free.locked(), await free.acquire(), free.locked())
        bounded = lib.BoundedSemaphore(1)
        log.attempt(bounded.release)
        await bounded.acquire()
        log.attempt(bounded.release)

    assert same(program) == [
        "0 ValueError(Semaphore initial value must be >= 0)",
        "0 False True True",
        "0 ValueError(BoundedSemaphore released too many times)",
        "0 None",
    ]


def test_a_barrier_opens_when_all_are_there_again_and_again() -> None:
    async def program(lib, log):
        async def comes(name, seconds):
            await lib.sleep(seconds)
            place = await barrier.wait()
            log(name, place)
            async with barrier as place:
                log(name, "again", place)

        barrier = lib.Barrier(3)
        log(barrier.parties, barrier.n_waiting, barrier.broken)
        tasks = [lib.create_task(comes(name, number)) for number, name in enumerate("abc")]
        await lib.sleep(1.5)
        log(barrier.n_waiting)
        await lib.gather(*tasks)

    log = same(program)
    assert log[:2] == ["0 3 0 False", "1.5 2"]
    assert len(log) == 8


@pytest.mark.parametrize("method", ["reset", "abort"])
def test_a_barrier_is_reset_or_aborted(method) -> None:
    async def program(lib, log):
        async def comes(name):
            try:
                log(name, await barrier.wait())
            except lib.BrokenBarrierError as error:
                log(name, error)

        barrier = lib.Barrier(2)
        task = lib.create_task(comes("a"))
        await lib.sleep(1)
        await getattr(barrier, method)()
        log(barrier.broken, barrier.n_waiting)
        await task
        log(barrier.broken, barrier.n_waiting)
        await lib.gather(*map(comes, "bc"))
        await barrier.reset()
        log(barrier.broken)

    log = same(program)
    assert any("a BrokenBarrierError" in line for line in log)


def test_one_who_is_cancelled_before_a_barrier_is_not_counted() -> None:
    async def program(lib, log):
        async def comes(name):
            log(name, await barrier.wait())

        barrier = lib.Barrier(2)
        task = lib.create_task(comes("a"))
        await lib.sleep(1)
        task.cancel()
        await lib.wait([task])
        log(barrier.n_waiting, barrier.broken)
        await lib.gather(*map(comes, "bc"))

    assert same(program) == ["1 0 False", "1 c 1", "1 b 0"]


def test_a_barrier_is_for_one_or_more() -> None:
    def program(lib, log):
        log.attempt(lib.Barrier, 0)

    assert same(program, since=(3, 14)) == ["0 ValueError(parties must be >= 1)"]


def test_repr_tells_the_state_and_how_many_wait() -> None:
    async def program(lib, log):
        log(lib.Lock(), lib.Event(), lib.Condition(), lib.Semaphore(), lib.BoundedSemaphore(2))
        event, semaphore, barrier = lib.Event(), lib.Semaphore(0), lib.Barrier(3)
        coros = (event.wait(), event.wait(), semaphore.acquire(), barrier.wait())
        tasks = [lib.create_task(coro) for coro in coros]
        await lib.sleep(1)
        log(event, semaphore, barrier)
        event.set()
        for task in tasks:
            task.cancel()
        await lib.wait(tasks)
        log(event)

    assert same(program) == [
        "0 <Lock [unlocked]> <Event [unset]> <Condition [unlocked]> "
        "<Semaphore [unlocked, value:1]> <BoundedSemaphore [unlocked, value:2]>",
        "1 <Event [unset, waiters:2]> <Semaphore [locked, waiters:1]> "
        "<Barrier [filling, waiters:1/3]>",
        "1 <Event [set]>",
    ]
