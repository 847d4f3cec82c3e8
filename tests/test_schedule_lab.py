"""The schedule lab: each seed is an order of its own, the same each time, and one a program has."""

import importlib
import shutil
import sys
from collections.abc import Coroutine
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import asyncio_lessons as aio
from asyncio_lessons.classroom.filming.schedule_lab import film, play, shuffled
from asyncio_lessons.classroom.workshop import MODULES

SEEDS = range(200)


async def order_of(count: int, package: ModuleType = aio) -> tuple[int, ...]:
    order: list[int] = []

    async def one(number: int) -> None:
        order.append(number)

    await package.gather(*(one(number) for number in range(count)))
    return tuple(order)


def test_all_orders_of_three_tasks_are_found() -> None:
    assert len({play(order_of(3), seed) for seed in SEEDS}) == 6


def test_a_seed_gives_the_same_order_each_time() -> None:
    orders = [[play(order_of(20), seed) for seed in (1, 2, 3)] for _ in range(2)]
    assert orders[0] == orders[1]
    assert len(set(orders[0])) == 3


async def rings(delays: list[float]) -> tuple[float, tuple[int, ...]]:
    order: list[int] = []

    async def sleeper(number: int, delay: float) -> None:
        await aio.sleep(delay)
        order.append(number)

    await aio.gather(*(sleeper(*pair) for pair in enumerate(delays)))
    return aio.get_running_loop().time(), tuple(order)


def test_timers_that_ring_together_are_shuffled_too() -> None:
    assert {play(rings([1, 1]), seed) for seed in range(20)} == {(1.0, (0, 1)), (1.0, (1, 0))}


def test_callbacks_that_are_due_together_are_shuffled_too() -> None:
    async def main() -> str:
        log: list[str] = []
        for name in "ab":
            aio.get_running_loop().call_later(1, log.append, name)
        await aio.sleep(2)
        return "".join(log)

    assert {play(main(), seed) for seed in range(20)} == {"ab", "ba"}


def test_a_later_timer_never_rings_first() -> None:
    assert {play(rings([3600, 60]), seed) for seed in range(20)} == {(3600.0, (1, 0))}


def test_what_becomes_ready_in_a_turn_still_waits_for_the_next_one() -> None:
    async def main() -> list[str]:
        log: list[str] = []
        loop = aio.get_running_loop()
        loop.call_soon(lambda: (log.append("first turn"), loop.call_soon(log.append, "second")))
        for _ in range(5):
            loop.call_soon(log.append, "first turn")
        await aio.sleep(0)
        await aio.sleep(0)
        await aio.sleep(0)
        return log

    assert {tuple(play(main(), seed)) for seed in SEEDS} == {("first turn",) * 6 + ("second",)}


def transfer(lock: Any) -> Coroutine:
    account = {"euros": 0}

    async def deposit(euros: int) -> None:
        async with lock:
            before = account["euros"]
            await aio.sleep(1)
            account["euros"] = before + euros

    async def late_deposit(euros: int) -> None:
        await aio.sleep(1)
        await deposit(euros)

    async def main() -> int:
        await aio.gather(deposit(10), late_deposit(20))
        return account["euros"]

    return main()


def test_an_update_that_is_lost_in_some_orders_only() -> None:
    usual = aio.run(transfer(NoLock()), loop_factory=virtual_loop)
    results = [play(transfer(NoLock()), seed) for seed in SEEDS]
    assert usual == 30
    assert set(results) == {20, 30}
    assert 50 < results.count(20) < 150


def test_a_lock_holds_in_all_orders() -> None:
    assert {play(transfer(aio.Lock()), seed) for seed in SEEDS} == {30}


class NoLock:
    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass


def virtual_loop() -> aio.EventLoop:
    return aio.EventLoop(clock=aio.VirtualClock())


def test_a_film_is_of_the_very_run_that_its_seed_gives() -> None:
    for seed in range(10):
        assert film(transfer(NoLock()), seed).result == play(transfer(NoLock()), seed)


def test_a_film_shows_the_order() -> None:
    async def main() -> None:
        await aio.gather(*(aio.create_task(aio.sleep(0), name=name) for name in "abc"))

    films = [film(main(), seed) for seed in range(10)]
    orders = {tuple(e.task for e in each.events if e.kind == "done") for each in films}
    assert len(orders) > 1
    assert {task.name for task in films[0].tasks[1:]} == {"a", "b", "c"}


def test_a_film_of_a_program_that_fails_leaves_no_recorder() -> None:
    async def main() -> None:
        raise KeyError("planned")

    with pytest.raises(KeyError):
        film(main(), 1)
    assert play(order_of(1), 1) == (0,)


def test_it_shuffles_the_loops_of_another_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Path(aio.__file__).parent
    copy = tmp_path / "own_asyncio"
    copy.mkdir()
    shutil.copytree(course / "annexes", copy / "annexes")
    for module in ("__init__", *MODULES):
        shutil.copy(course / f"{module}.py", copy)
    monkeypatch.syspath_prepend(str(tmp_path))
    own = importlib.import_module("own_asyncio")
    try:
        assert issubclass(shuffled(0, own), own.EventLoop)
        assert len({play(order_of(3, own), seed, own) for seed in SEEDS}) == 6
        assert film(order_of(3, own), 5, own).result == play(order_of(3, own), 5, own)
    finally:
        for name in [name for name in sys.modules if name.startswith("own_asyncio")]:
            del sys.modules[name]
