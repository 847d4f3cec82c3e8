"""Measure everything, in one run: ``make bench``, or ``python -m benchmarks --help``.

The contenders take turns within each round, so that a slow moment of the machine hits them all. A
figure is the median, over the rounds, of a contender's time divided by ours in the same round.
"""

import argparse
import gc
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import costs, echo, film, others
from benchmarks.contenders import BASE, OURS, Contender, contenders
from benchmarks.programs import PROGRAMS, Program

Figures = dict[str, dict[str, list[float]]]  # what was measured -> who -> a value a round


def machine() -> str:
    """Return a line on the machine."""
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{platform.python_implementation()} {platform.python_version()}, {system}{load}"


def seconds(contender: Contender, program: Program) -> float | None:
    """Return the seconds of one run, None if the contender has no such program."""
    if contender.library.__name__ in (OURS, BASE):
        main = program.main(contender.library)()
    else:
        name = f"{contender.library.__name__}_{program.main.__name__}"
        if (main := getattr(others, name, None)) is None:
            return None
    gc.collect()
    start = time.perf_counter()
    contender.run(main)
    return time.perf_counter() - start


def measure_programs(rounds: int, progress: Progress) -> Figures:
    """Run each program on each contender, `rounds` times, in turn."""
    figures: Figures = {program.name: {} for program in PROGRAMS}
    bar = progress.add_task("programs", total=rounds * len(PROGRAMS))
    for program in PROGRAMS:
        for _ in range(rounds):
            for contender in contenders():
                if (took := seconds(contender, program)) is not None:
                    figures[program.name].setdefault(contender.name, []).append(took)
            progress.advance(bar)
    return figures


def measure_echo(rounds: int, requests: int, progress: Progress) -> Figures:
    """Measure what a request costs each server, with 1, 100 and 1,000 clients."""
    figures: Figures = {}
    bar = progress.add_task("echo-reverse", total=3 * rounds * len(echo.servers()))
    for clients in (1, 100, 1_000):
        row = figures.setdefault(f"echo-reverse, {clients:,} at once", {})
        for _ in range(rounds):
            for server in echo.servers():
                cost = echo.cpu_a_request(server, clients, requests)
                row.setdefault(server, []).append(cost)
                progress.advance(bar)
    return figures


def measure_costs(most_tasks: int, progress: Progress) -> dict[str, dict[str, float]]:
    """Measure memory, the first task, and the growth of a switch."""
    sizes = [size for size in (10, 1_000, 100_000, 1_000_000) if size <= most_tasks]
    bar = progress.add_task("costs", total=2 * (2 + len(sizes)))
    figures: dict[str, dict[str, float]] = {}
    for name, library in costs.LIBRARIES.items():
        rows = {
            "an idle task, bytes": lambda aio: costs.bytes_of_an_idle_task(aio),
            "import and first task, ms": lambda aio: 1e3 * costs.seconds_to_first_task(aio),
        }
        for size in sizes:
            what = f"a switch among {size:,} tasks, ns"
            rows[what] = lambda aio, size=size: 1e9 * costs.seconds_a_switch(aio, size)
        for what, measure in rows.items():
            figures.setdefault(what, {})[name] = measure(library)
            progress.advance(bar)
    return figures


def measure_films(rounds: int, progress: Progress) -> Figures:
    """Measure what filming a program costs it."""
    bar = progress.add_task("filming", total=rounds * len(film.LOOPS) * len(film.PROGRAMS))
    return film.measure(rounds, advance=lambda: progress.advance(bar))


def ratios(row: dict[str, list[float]]) -> dict[str, tuple[float, float, float]]:
    """Return, for each contender, the quartiles of its time divided by ours, round by round."""
    result = {}
    for name, times in row.items():
        if name != OURS:
            each = sorted(
                theirs / ours for theirs, ours in zip(times, row[OURS], strict=True) if ours
            )
            low, middle, high = statistics.quantiles(each, n=4) if len(each) > 1 else each * 3
            result[name] = (low, middle, high)
    return result


def table_of(title: str, figures: Figures, goals: dict[str, float | None]) -> Table:
    """Return how many times as long as ours each contender takes: the median and the quartiles."""
    names = list(dict.fromkeys(name for row in figures.values() for name in row if name != OURS))
    table = Table("what", *names, "goal for asyncio", title=title)
    for what, row in figures.items():
        found = ratios(row)
        cells = [
            f"{found[name][1]:.2f} [dim]{found[name][0]:.1f}-{found[name][2]:.1f}[/]"
            if name in found
            else ""
            for name in names
        ]
        table.add_row(what, *cells, f"{goals[what]:g}" if goals.get(what) else "")
    return table


def table_of_costs(figures: dict[str, dict[str, float]]) -> Table:
    table = Table("what", *costs.LIBRARIES, title="What it costs")
    for what, row in figures.items():
        table.add_row(what, *(f"{row[name]:,.0f}" for name in costs.LIBRARIES))
    return table


def draw(figures: Figures, path: Path) -> None:
    """Draw asyncio's and uvloop's times over ours, as bars from 1."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    drawn = {BASE: "#0077bb", "asyncio, sock_*": "#0077bb", "uvloop": "#e0752d"}
    drawn |= {"uvloop, sock_*": "#e0752d"}
    figure = Figure(figsize=(9, 0.42 * len(figures) + 1.2), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for place, row in enumerate(figures.values()):
        shown = [(name, ratio) for name, ratio in ratios(row).items() if name in drawn]
        for offset, (name, (_, middle, _)) in enumerate(shown):
            y = place + 0.36 * offset - 0.18
            axes.barh(y, middle - 1, 0.34, left=1, color=drawn[name])
            side = "left" if middle >= 1 else "right"
            axes.text(middle, y, f" {middle:.1f} ", va="center", ha=side, fontsize=8)
    axes.set_yticks(range(len(figures)), figures)
    axes.invert_yaxis()
    axes.axvline(1, color="#2b323c", linewidth=1)
    axes.set_title("Times as long as this loop takes", loc="left", weight="bold")
    bars = [Patch(color=drawn[name], label=name) for name in (BASE, "uvloop")]
    axes.legend(handles=bars, loc="lower right", frameon=False)
    axes.tick_params(length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(path, dpi=120)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each program (9)")
    parser.add_argument("--requests", type=int, default=40_000, help="requests to a server (40000)")
    parser.add_argument(
        "--most-tasks", type=int, default=1_000_000, help="for the growth (1000000)"
    )
    parser.add_argument("--json", type=Path, default=Path("benchmarks.json"), metavar="FILE")
    parser.add_argument("--plot", type=Path, default=Path("benchmarks.png"), metavar="FILE")
    options = parser.parse_args()
    if options.rounds < 1 or options.requests < 1_000 or options.most_tasks < 10:
        parser.error("at least 1 round, 1000 requests and 10 tasks are needed")
    return options


def main() -> None:
    """Measure, and print, save and draw what was found."""
    options = arguments()
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(machine())
    with Progress(console=console, transient=True) as progress:
        programs = measure_programs(options.rounds, progress)
        echoes = measure_echo(max(3, options.rounds // 3), options.requests, progress)
        others_ = measure_costs(options.most_tasks, progress)
        films = measure_films(options.rounds, progress)
    goals: dict[str, Any] = {program.name: program.goal for program in PROGRAMS}
    console.print(table_of("Times as long as ours: median (quartiles)", programs, goals))
    console.print(table_of("CPU of the server a request, times ours", echoes, {}))
    console.print(table_of_costs(others_))
    console.print(film.table_of(films))
    found = {"machine": machine(), "programs": programs, "echo": echoes, "costs": others_}
    found["film"] = films
    options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draw(programs | echoes, options.plot)
    console.print(f"written: {options.json}, {options.plot}")


if __name__ == "__main__":
    main()
