"""What filming costs: the CPU time of a program filmed, over that of the same program unfilmed.

Measured inside the program only, so without starting the loop and without developing the film. The
ways take turns within each round, in one process. ``python -m benchmarks.film`` measures only this.
"""

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Coroutine
from importlib import import_module
from types import ModuleType
from typing import Any

import asyncio_lessons
from asyncio_lessons.classroom.filming.loops import loop_factory
from asyncio_lessons.classroom.filming.recorder import Recorder

SWITCHES = 20_000
LOOPS = ("asyncio", "lessons", "uvloop")
UNFILMED, FILMED, DETAILS, VIZTRACER = "unfilmed", "filmed", "with details", "VizTracer"
GOALS = {  # for filming on asyncio: (filmed, with details)
    "sleep(0), four tasks": (2.5, 8.0),
    "queue hand-over": (2.0, 5.0),
}


async def sleeps(lib: ModuleType, switches: int) -> float:
    """Let four tasks take turns; return the seconds."""

    async def worker(count: int) -> None:
        for _ in range(count):
            await lib.sleep(0)

    started = time.process_time()
    await lib.gather(*(lib.create_task(worker(switches // 4)) for _ in range(4)))
    return time.process_time() - started


async def hands_over(lib: ModuleType, switches: int) -> float:
    """Hand items from task to task through a queue that holds one; return the seconds."""

    async def puts(queue: Any, count: int) -> None:
        for item in range(count):
            await queue.put(item)

    async def gets(queue: Any, count: int) -> None:
        for _ in range(count):
            await queue.get()

    queue = lib.Queue(1)
    started = time.process_time()
    await lib.gather(
        lib.create_task(puts(queue, switches // 2)), lib.create_task(gets(queue, switches // 2))
    )
    return time.process_time() - started


PROGRAMS: dict[str, Callable[[ModuleType, int], Coroutine]] = {
    "sleep(0), four tasks": sleeps,
    "queue hand-over": hands_over,
}


def seconds(program: Callable, loop_name: str, way: str, switches: int) -> float:
    """Return the CPU seconds of one run."""
    loop = loop_factory(loop_name)()
    library = asyncio_lessons if loop_name == "lessons" else asyncio
    with contextlib.closing(loop), _watched(loop, way, switches):
        gc.collect()
        return loop.run_until_complete(program(library, switches))


@contextlib.contextmanager
def _watched(loop: Any, way: str, switches: int) -> Any:
    if way == VIZTRACER:
        viztracer = import_module("viztracer")
        tracer = viztracer.VizTracer(log_async=True, verbose=0, tracer_entries=100 * switches)
        tracer.start()
        yield
        tracer.stop()
    elif way == UNFILMED:
        yield
    else:
        recorder = Recorder(loop, details=way == DETAILS, limit=100 * switches).start()
        yield
        recorder.raw.clear()  # the film is not wanted: only what recording it took
        recorder.stop()


def ways() -> list[str]:
    """Return the ways to watch a program that are installed here."""
    found = [UNFILMED, FILMED, DETAILS]
    with contextlib.suppress(ImportError):
        import_module("viztracer")
        found.append(VIZTRACER)
    return found


def measure(
    rounds: int, switches: int = SWITCHES, advance: Callable[[], None] = lambda: None
) -> dict[str, dict[str, list[float]]]:
    """Return for each program and loop what each way took, as a ratio to unfilmed, by round."""
    figures: dict[str, dict[str, list[float]]] = {}
    for loop_name in LOOPS:
        with contextlib.suppress(ModuleNotFoundError):  # uvloop is not on every machine
            loop_factory(loop_name)().close()
            for what, program in PROGRAMS.items():
                row = figures.setdefault(f"{what}, {loop_name}", {})
                for _ in range(rounds):
                    took = {way: seconds(program, loop_name, way, switches) for way in ways()}
                    for way, each in took.items():
                        if way != UNFILMED:
                            row.setdefault(way, []).append(each / took[UNFILMED])
                    advance()
    return figures


def table_of(figures: dict[str, dict[str, list[float]]]) -> Any:
    """Return the medians and quartiles as a table."""
    import statistics

    from rich.table import Table

    names = [way for way in ways() if way != UNFILMED]
    table = Table("what", *names, "goals", title="What filming costs: times the unfilmed program")
    for what, row in figures.items():
        cells = []
        for name in names:
            each = row[name]
            low, middle, high = statistics.quantiles(each, n=4) if len(each) > 1 else each * 3
            cells.append(f"{middle:.2f} [dim]{low:.1f}-{high:.1f}[/]")
        goals = GOALS[what.rpartition(", ")[0]] if what.endswith("asyncio") else ()
        table.add_row(what, *cells, " and ".join(f"{goal:g}" for goal in goals))
    return table


if __name__ == "__main__":
    from rich.console import Console

    Console(width=120).print(table_of(measure(9)))
