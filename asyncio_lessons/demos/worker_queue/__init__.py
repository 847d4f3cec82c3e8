"""Ten jobs, three workers, one thread: the program of lesson 13.

`program` is the whole of it. `run` runs it on a loop and returns what happened, in order;
`schedule` writes that down as a table.
"""

import time
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NamedTuple

from asyncio_lessons.bridge import outside_the_running_loop

# In seconds. No two sleeps end within 15 ms, so that the order of events is the same on a real
# clock too, which is never quite punctual.
PAUSES = (0, 0, 0, 0, 0, 0.39, 0.09, 0.04, 0.14, 0.055)  # before each job is put into the queue
DOWNLOADS = (0.15, 0.18, 0.165, 0.28, 0.13, 0.205, 0.15, 0.235, 0.17, 0.195)  # to wait for
COMPUTE = 0.04  # to work, without giving way to another task

LOOPS = ("lessons", "asyncio", "uvloop")


class Event(NamedTuple):
    """Something that happened: seconds since the start, who, did what, to which job."""

    time: float
    who: str
    what: str
    job: int


async def program(
    aio: ModuleType,
    block: Callable[[float], Any] = time.sleep,
    job_count: int = 10,
    worker_count: int = 3,
) -> list[Event]:
    """Put jobs into a queue, have workers do them, end the workers; return what happened.

    Args:
        aio: the package to run on: `asyncio_lessons`, `my_asyncio` or `asyncio`.
        block: called with seconds, works for that long and lets no other task run.
        job_count: how many jobs.
        worker_count: how many workers.
    """
    aio.current_task().set_name("main")
    sleep, clock = aio.sleep, aio.get_running_loop().time
    start, events = clock(), []

    def note(who: str, what: str, job: int) -> None:
        events.append(Event(clock() - start, who, what, job))

    async def download(n: int) -> None:
        await sleep(DOWNLOADS[(n - 1) % len(DOWNLOADS)])

    async def worker(name: str, jobs: Any) -> None:
        while True:
            n = await jobs.get()
            note(name, "takes", n)
            await download(n)
            note(name, "computes", n)
            block(COMPUTE)
            note(name, "ends", n)
            jobs.task_done()

    jobs = aio.Queue()
    names = [f"worker {n}" for n in range(1, worker_count + 1)]
    workers = [aio.create_task(worker(name, jobs), name=name) for name in names]
    for n in range(1, job_count + 1):
        if pause := PAUSES[(n - 1) % len(PAUSES)]:
            await sleep(pause)
        note("main", "puts", n)
        jobs.put_nowait(n)
    await jobs.join()  # until every job is done
    for task in workers:
        task.cancel()  # or they would wait for one more job for ever
    await aio.gather(*workers, return_exceptions=True)
    return events


def run(
    loop: str = "lessons",
    *,
    real: bool = False,
    jobs: int = 10,
    workers: int = 3,
    package: str = "asyncio_lessons",
) -> list[Event]:
    """Run the program on a loop and return what happened.

    Args:
        loop: one of `LOOPS`.
        real: on the loop of the lessons, take real time instead of a virtual clock.
        jobs: how many.
        workers: how many.
        package: what the loop `lessons` is taken from, for example `my_asyncio`.

    Raises:
        ValueError: there is no such loop, or it is not installed.
    """
    aio, factory = loop_and_package(loop, package)
    if loop != "lessons":
        with outside_the_running_loop(), aio.Runner(loop_factory=factory) as runner:
            return runner.run(program(aio, time.sleep, jobs, workers))
    if real:
        return aio.run(program(aio, time.sleep, jobs, workers))
    clock = aio.VirtualClock()
    coroutine = program(aio, clock.advance, jobs, workers)
    return aio.run(coroutine, loop_factory=partial(factory, clock=clock))


def loop_and_package(loop: str, package: str = "asyncio_lessons") -> tuple[ModuleType, Callable]:
    """Return the package whose names a program uses on that loop, and what makes the loop."""
    if loop not in LOOPS:
        raise ValueError(f"there is no loop {loop!r}: choose one of {', '.join(LOOPS)}")
    needed = {"lessons": package, "asyncio": "asyncio", "uvloop": "uvloop"}[loop]
    try:
        module = import_module(needed)
    except Exception as error:  # a package of the reader's can fail in any way
        raise ValueError(f"the loop {loop!r} cannot import {needed!r}: {error}") from error
    if loop == "lessons":
        return module, module.EventLoop
    return import_module("asyncio"), module.new_event_loop


def order(events: Iterable[Event]) -> list[str]:
    """Return what happened without its times: the same on every loop."""
    return [f"{event.who} {event.what} {event.job}" for event in events]


def other_loops() -> list[str]:
    """Return the loops beside our own that are installed: asyncio's, and uvloop."""
    return [loop for loop in LOOPS if loop != "lessons" and find_spec(loop)]


def same_order(expected: list[str], loop: str) -> bool:
    """Tell whether a loop runs the program in this order, in real time.

    A machine with other work to do may be late: it has three tries.
    """
    return any(order(run(loop)) == expected for _ in range(3))


def seconds_to_switch(package: ModuleType, times: int = 20_000) -> float:
    """Return the seconds in which a package's loop resumes a task so many times: the best of five.

    Args:
        package: `asyncio`, or a package with its names.
        times: how often the task gives way.
    """

    async def switch() -> float:
        begin = time.perf_counter()
        for _ in range(times):
            await package.sleep(0)
        return time.perf_counter() - begin

    with outside_the_running_loop():
        return min(package.run(switch()) for _ in range(5))


def one_after_another(jobs: int = 10) -> float:
    """Return the seconds the jobs take if one is started when the one before has ended."""
    return sum(DOWNLOADS[n % len(DOWNLOADS)] + COMPUTE for n in range(jobs))


def schedule(events: list[Event]) -> str:
    """Return the events as a table: a line for each moment, a column for each task."""
    names = sorted({event.who for event in events}, key=_lane)
    moments: dict[int, dict[str, list[str]]] = {}
    for event in events:
        cells = moments.setdefault(round(event.time * 1000), {})
        cells.setdefault(event.who, []).append(f"{event.what} {event.job}")
    rows = [["ms", *names]]
    for moment, cells in moments.items():
        rows.append([str(moment), *(_joined(cells.get(name, [])) for name in names)])
    return _aligned(rows)


def _lane(name: str) -> int:
    return 0 if name == "main" else int(name.removeprefix("worker "))


def _joined(parts: list[str]) -> str:
    """Return "puts 1, puts 2" as "puts 1 2"."""
    words: list[str] = []
    verb = None
    for part in parts:
        what, job = part.split()
        words.append(job if what == verb else f"{', ' * bool(words)}{part}".strip())
        verb = what
    return " ".join(words).replace(" ,", ",")


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *rest in rows:
        cells = [cell.ljust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join([first.rjust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)
