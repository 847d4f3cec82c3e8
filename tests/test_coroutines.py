"""Coroutines without a loop: giving way, being driven, taking turns."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from same import LIBRARIES, aio


async def steps(name: str, number: int, log: list) -> str:
    for step in range(number):
        log.append(f"{name}{step}")
        await aio.suspend()
    return name


def test_suspend_stops_once_and_yields_nothing() -> None:
    coro = aio.suspend()
    assert inspect.isawaitable(coro)
    assert coro.send(None) is None
    with pytest.raises(StopIteration):
        coro.send(None)


def test_drive_runs_one_to_its_end() -> None:
    log: list = []
    assert aio.drive(steps("a", 3, log)) == "a"
    assert log == ["a0", "a1", "a2"]


def test_drive_raises_what_the_coroutine_raises() -> None:
    async def fails() -> None:
        await aio.suspend()
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        aio.drive(fails())


def test_round_robin_lets_them_take_turns_and_keeps_the_order_of_results() -> None:
    log: list = []
    assert aio.round_robin(steps("a", 3, log), steps("b", 1, log)) == ["a", "b"]
    assert log == ["a0", "b0", "a1", "a2"]
    assert aio.round_robin() == []


def test_round_robin_has_the_order_of_asyncio() -> None:
    async def with_sleep(name: str, number: int, log: list) -> None:
        for step in range(number):
            log.append(f"{name}{step}")
            await asyncio.sleep(0)

    async def main(log: list) -> None:
        await asyncio.gather(
            *(with_sleep(name, 5 - place, log) for place, name in enumerate("abc"))
        )

    ours: list = []
    theirs: list = []
    aio.round_robin(*(steps(name, 5 - place, ours) for place, name in enumerate("abc")))
    asyncio.run(main(theirs))
    assert ours == theirs


def test_round_robin_raises_what_the_first_one_to_fail_raises() -> None:
    async def fails(error: Exception, turns: int) -> None:
        for _ in range(turns):
            await aio.suspend()
        raise error

    with pytest.raises(KeyError):
        aio.round_robin(fails(ValueError(), 2), fails(KeyError(), 1))


@pytest.mark.parametrize("run", [aio.drive, aio.round_robin])
def test_only_suspend_may_pause_them(run) -> None:
    class Wants:
        def __await__(self):
            yield "something"

    async def wants() -> None:
        await Wants()

    with pytest.raises(RuntimeError, match=r"only suspend\(\) can be awaited here.*'something'"):
        run(wants())


@pytest.mark.parametrize("lib", LIBRARIES)
def test_suspend_gives_way_on_every_loop(lib) -> None:
    log: list = []

    async def main() -> None:
        await lib.gather(steps("a", 2, log), steps("b", 2, log))

    lib.run(main())
    assert log == ["a0", "b0", "a1", "b1"]


def test_a_coroutine_runs_once() -> None:
    coro = steps("a", 1, [])
    aio.drive(coro)
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        aio.drive(coro)
