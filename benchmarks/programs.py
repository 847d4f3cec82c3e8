"""What is measured, in asyncio's names: each program does `count` of something, and says so.

A program is a function of the library (`asyncio_lessons` or `asyncio`) that returns a coroutine
function. The numbers are chosen so that one run takes a few hundredths of a second.
"""

import types
from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple


class Program(NamedTuple):
    """`main` of a library does `count` of something; `goal` is for asyncio's time over ours."""

    name: str
    count: int
    main: Callable[[ModuleType], Callable]
    goal: float | None


PROGRAMS: list[Program] = []


def program(name: str, count: int, goal: float | None = None) -> Callable:
    """Add a function to `PROGRAMS`."""

    def add(function: Callable) -> Callable:
        PROGRAMS.append(Program(name, count, function, goal))
        return function

    return add


@types.coroutine
def give_way():
    """Be the smallest thing a task can wait for, the same object on every loop."""
    yield


async def join(tasks):
    for task in tasks:
        await task


@program("switch", 20_000, goal=4)
def switch(aio):
    async def steps():
        for _ in range(200):
            await give_way()

    async def main():
        await join([aio.create_task(steps()) for _ in range(100)])

    return main


@program("switch by sleep(0)", 20_000, goal=3)
def switch_by_sleep(aio):
    async def steps():
        for _ in range(200):
            await aio.sleep(0)

    async def main():
        await join([aio.create_task(steps()) for _ in range(100)])

    return main


@program("spawn and join, at once", 5_000, goal=1.3)
def spawn_at_once(aio):
    async def nothing():
        pass

    async def main():
        await join([aio.create_task(nothing()) for _ in range(5_000)])

    return main


@program("spawn and join, in batches", 5_000, goal=1.7)
def spawn_in_batches(aio):
    async def nothing():
        pass

    async def main():
        for _ in range(50):
            await join([aio.create_task(nothing()) for _ in range(100)])

    return main


def gathered(count: int, times: int) -> Callable:
    """Return a program that gathers `count` coroutines, several times."""

    def gather(aio):
        async def nothing():
            pass

        async def main():
            for _ in range(times):
                await aio.gather(*[nothing() for _ in range(count)])

        return main

    return gather


program("gather, 1,000 at once", 5_000, goal=1.3)(gathered(1_000, 5))
program("gather, 20,000 at once", 20_000, goal=1.3)(gathered(20_000, 1))
program("gather, in batches of 100", 5_000, goal=1.5)(gathered(100, 50))


@program("future ping-pong", 4_000, goal=2.2)
def ping_pong(aio):
    async def main():
        loop = aio.get_running_loop()
        ping, pong = loop.create_future(), loop.create_future()

        async def answer():
            nonlocal ping
            for _ in range(4_000):
                await ping
                ping = loop.create_future()
                pong.set_result(None)

        task = aio.create_task(answer())
        for _ in range(4_000):
            pong = loop.create_future()
            ping.set_result(None)
            await pong
        await task

    return main


@program("timers", 4_000, goal=1.6)
def timers(aio):
    async def nap(n):
        await aio.sleep(1e-4 * (n % 10 + 1))

    async def main():
        for _ in range(4):
            await join([aio.create_task(nap(n)) for n in range(1_000)])

    return main


@program("call_soon", 10_000, goal=2.2)
def call_soon(aio):
    async def main():
        loop = aio.get_running_loop()

        def nothing():
            pass

        for _ in range(100):
            for _ in range(100):
                loop.call_soon(nothing)
            await give_way()

    return main


@program("call_later and cancel", 10_000, goal=1.9)
def call_later(aio):
    async def main():
        loop = aio.get_running_loop()
        for _ in range(10_000):
            loop.call_later(10, print).cancel()

    return main


@program("timeout", 4_000, goal=2.2)
def timeout(aio):
    async def main():
        for _ in range(4_000):
            async with aio.timeout(10):
                await give_way()

    return main


@program("queue, one to one", 8_000, goal=1.6)
def queue_few(aio):
    async def main():
        queue = aio.Queue(10)

        async def take():
            for _ in range(8_000):
                await queue.get()

        task = aio.create_task(take())
        for item in range(8_000):
            await queue.put(item)
        await task

    return main


@program("queue, 50 to 50", 8_000, goal=1.6)
def queue_many(aio):
    async def main():
        queue = aio.Queue(10)

        async def put():
            for item in range(160):
                await queue.put(item)

        async def take():
            for _ in range(160):
                await queue.get()

        await join([aio.create_task(each()) for _ in range(50) for each in (put, take)])

    return main


@program("await chain, 20 deep", 5_000, goal=2)
def deep(aio):
    async def down(n):
        if n:
            return await down(n - 1)
        for _ in range(50):
            await give_way()

    async def main():
        await join([aio.create_task(down(20)) for _ in range(100)])

    return main
