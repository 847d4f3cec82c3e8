"""Grade hand-ins: ``python -m asyncio_lessons.classroom.grade DIR...``; see docs/grading.md.

Each answer in each hand-in is checked again by what it does, in a jail (`grading.jail`); the result
is a table, and files for Gradescope, for otter-grader and for a spreadsheet.
"""

import argparse
import json
import os
import queue
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from .checking.catalog import find, names
from .grading import jail
from .grading.formats import HandIn, gradescope, write_all, write_json
from .grading.hand_in import Unreadable, hand_ins
from .grading.marks import FAILED, NONE, REFUSED, Limits, Mark

_ROOT = Path(__file__).parents[2]
_SILENCE = 60.0  # seconds without a mark after which a hand-in is given up
_LAYERS = {
    "processes": "new processes and signals (seccomp)",
    "files": "files (Landlock)",
    "network": "the network (a namespace)",
    "resources": "memory and time of the processor (rlimits)",
}


def grade(
    found: list[tuple[str, Path]], exercises: list[str], limits: Limits, jobs: int, tick=None
) -> list[tuple[int, HandIn]]:
    """Grade the hand-ins, `jobs` at a time, and return them with their ranks, the best first.

    found: name and place of each, as `hand_in.hand_ins` returns them; tick: called with each mark.
    """
    done = [HandIn(name, place) for name, place in found]
    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        try:
            list(pool.map(lambda hand_in: _mark(hand_in, exercises, limits, tick), done))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return _ranked(done)


def _ranked(done: list[HandIn]) -> list[tuple[int, HandIn]]:
    """Sort by points; who has as many points has the same rank."""
    points = [hand_in.points for hand_in in done]
    in_order = sorted(done, key=lambda hand_in: (-hand_in.points, hand_in.name.casefold()))
    return [(1 + sum(p > hand_in.points for p in points), hand_in) for hand_in in in_order]


def _mark(hand_in: HandIn, exercises: list[str], limits: Limits, tick) -> None:
    """Let a process of its own mark the hand-in; what it leaves out gets no point."""
    begin = time.monotonic()
    ended = False
    for message in _messages(hand_in.place, exercises, limits):
        ended = ended or "end" in message or "problem" in message
        hand_in.problem = message.get("problem", hand_in.problem)
        if "exercise" in message:
            hand_in.marks.append(Mark(**message))
            if tick:
                tick(hand_in.marks[-1])
    left = exercises[len(hand_in.marks) :]
    if not ended:
        hand_in.problem = "It ended the process that reads it, or brought it to a stop."
    status = NONE if ended else FAILED
    for mark in [Mark(name, status, hand_in.problem) for name in left]:
        hand_in.marks.append(mark)
        if tick:
            tick(mark)
    hand_in.seconds = time.monotonic() - begin


def _messages(place: Path, exercises: list[str], limits: Limits):
    paths = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-X", "utf8", "-m", "asyncio_lessons.classroom.grading.marks"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": "1"},
    )
    lines: queue.SimpleQueue = queue.SimpleQueue()
    job = {"place": str(place), "exercises": exercises, "limits": asdict(limits)}
    threading.Thread(target=_talk, args=(process, job, lines), daemon=True).start()
    try:
        while line := lines.get(timeout=_SILENCE):
            yield json.loads(line)
    except (queue.Empty, ValueError):
        pass
    finally:
        process.kill()
        process.wait()


def _talk(process: subprocess.Popen, job: dict, lines: queue.SimpleQueue) -> None:
    try:
        with process.stdin, process.stdout:
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
            for line in process.stdout:
                lines.put(line)
    except (OSError, ValueError):
        pass
    lines.put(b"")


# -- the command --------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Grade what the command line names, and print the table."""
    options = _parser().parse_args(arguments)
    try:
        import rich  # noqa: F401
    except ImportError:
        print("The grader draws its table with rich: pip install 'asyncio-lessons[class]'.")
        return 2
    try:
        places = [Path(place) for place in options.places]
        found = hand_ins(places) if not options.results else [_only(places)]
        exercises = _chosen(options.lessons)
    except Unreadable as problem:
        print(problem)
        return 2
    holds = jail.offers()
    limits = Limits(options.seconds, options.memory, bool(holds.get("network")))
    missing = [words for layer, words in _LAYERS.items() if not holds.get(layer)]
    ranked = _with_progress(found, exercises, limits, options.jobs)
    _print_table(ranked, exercises)
    if missing:
        print(f"This system gives no limits for {', '.join(missing)}: docs/grading.md says more.")
    if options.results:
        write_json(Path(options.results), gradescope(ranked[0][1]))
    else:
        write_all(Path(options.out), ranked)
        print(f"Files for Gradescope, otter-grader and a spreadsheet: {options.out}/")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m asyncio_lessons.classroom.grade",
        description="Check the answers in many hand-ins again, each in a jail, and rank them.",
    )
    add = parser.add_argument
    add(
        "places", nargs="+", metavar="DIR", help="a hand-in (folder, zip, tar), or a folder of them"
    )
    add("--lessons", default="", metavar="05,06", help="grade the exercises of these lessons only")
    add("--out", default="grades", metavar="FOLDER", help="where the files go (default: grades)")
    add("--results", metavar="FILE", help="one hand-in only: write Gradescope's results.json here")
    add("--seconds", type=float, default=Limits.seconds, help="what one answer may take")
    add("--memory", type=int, default=Limits.memory, metavar="MIB", help="what one answer may take")
    add("--jobs", type=int, default=_processors(), help="hand-ins graded at the same time")
    return parser


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _only(places: list[Path]) -> tuple[str, Path]:
    if len(places) != 1:
        raise Unreadable("--results is for one hand-in: name one folder or archive.")
    if not places[0].exists():
        raise Unreadable(f"There is no file or folder {str(places[0])!r}.")
    return places[0].resolve().name, places[0].resolve()


def _chosen(lessons: str) -> list[str]:
    wanted = [lesson.strip() for lesson in lessons.split(",") if lesson.strip()]
    for lesson in wanted:
        if not names(lesson):
            there = ", ".join(dict.fromkeys(find(name).lesson for name in names()))
            raise Unreadable(f"Lesson {lesson!r} has no exercises; these have: {there}.")
    return [name for name in names() if not wanted or find(name).lesson in wanted]


def _with_progress(found, exercises: list[str], limits: Limits, jobs: int):
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeElapsedColumn(), transient=True) as progress:
        task = progress.add_task(f"{len(found)} hand-ins", total=len(found) * len(exercises))
        return grade(found, exercises, limits, jobs, lambda mark: progress.advance(task))


def _print_table(ranked: list[tuple[int, HandIn]], exercises: list[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    lessons = list(dict.fromkeys(find(name).lesson for name in exercises))
    caption = f"Points: exercises that passed, of {len(exercises)}; then lesson by lesson."
    table = Table(caption=caption, caption_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.padding = (0, 1, 0, 0)
    table.add_column("", justify="right")
    table.add_column("hand-in", overflow="fold", min_width=12)
    for heading in ("points", *lessons):
        table.add_column(heading, justify="right", no_wrap=True)
    for rank, hand_in in ranked:
        passed = [find(m.exercise).lesson for m in hand_in.marks if m.status == "passed"]
        cells = [str(passed.count(lesson) or "·") for lesson in lessons]
        table.add_row(str(rank), Text(_shown(hand_in.name)), str(hand_in.points), *cells)
    console = Console(soft_wrap=True)
    console.print(table, soft_wrap=False)
    for _, hand_in in ranked:
        for line in _worth_a_look(hand_in):
            console.print(Text(f"{_shown(hand_in.name)}: {_shown(line)}"))


def _worth_a_look(hand_in: HandIn) -> list[str]:
    refused = [mark for mark in hand_in.marks if mark.status == REFUSED]
    lines = [f"{mark.exercise}: {mark.sentence}" for mark in refused[:3]]
    lines += [f"{len(refused) - 3} more answers were refused."] if len(refused) > 3 else []
    return [hand_in.problem, *lines] if hand_in.problem else lines


def _shown(text: str) -> str:
    """Return text that a terminal only prints: what a hand-in says steers nothing."""
    return "".join(c if c.isprintable() else "?" for c in text)


if __name__ == "__main__":
    sys.exit(main())
