"""What is not a ratio of two runs: memory of a task, the first task, and a switch among many."""

import asyncio
import subprocess
import sys
import time
import tracemalloc
from types import ModuleType

import asyncio_lessons
from benchmarks.programs import give_way

LIBRARIES: dict[str, ModuleType] = {"asyncio_lessons": asyncio_lessons, "asyncio": asyncio}


def bytes_of_an_idle_task(aio: ModuleType, count: int = 10_000) -> float:
    """Return the bytes a task takes that waits for a future of its own."""

    async def main() -> float:
        loop = aio.get_running_loop()

        async def wait() -> None:
            await loop.create_future()

        tracemalloc.start()
        tasks = [aio.create_task(wait()) for _ in range(count)]
        await aio.sleep(0)
        size = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        for task in tasks:
            task.cancel()
        return size / count

    return aio.run(main())


def seconds_to_first_task(aio: ModuleType, tries: int = 7) -> float:
    """Return the seconds that import and a first task add to a start of Python: the least."""

    def least(code: str) -> float:
        times = []
        for _ in range(tries):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - start)
        return min(times)

    name = aio.__name__
    return least(f"import {name}\n{name}.run({name}.sleep(0))") - least("pass")


def seconds_a_switch(aio: ModuleType, tasks: int, switches: int = 2_000_000) -> float:
    """Return the seconds of one switch among so many tasks."""
    steps = max(3, switches // tasks)

    async def main() -> float:
        started = 0.0

        async def step() -> None:
            nonlocal started
            await give_way()
            started = started or time.perf_counter()  # all have been made, and all have run once
            for _ in range(steps):
                await give_way()

        await_all = [aio.create_task(step()) for _ in range(tasks)]
        for task in await_all:
            await task
        return (time.perf_counter() - started) / (tasks * steps)

    return aio.run(main())
