"""The worker queue: one program, the same order of events on every loop."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

import asyncio_lessons as aio
from asyncio_lessons.demos.worker_queue import (
    COMPUTE,
    DOWNLOADS,
    LOOPS,
    Event,
    one_after_another,
    order,
    program,
    run,
    schedule,
)

PROGRAM = [sys.executable, "-m", "asyncio_lessons.demos.worker_queue"]

SCHEDULE = """\
 ms  main            worker 1         worker 2    worker 3
  0  puts 1 2 3 4 5  takes 1          takes 2     takes 3
150                  computes 1
190                  ends 1, takes 4              computes 3
230                                   computes 2  ends 3, takes 5
270                                   ends 2
360                                               computes 5
400  puts 6                           takes 6     ends 5
470                  computes 4
510  puts 7          ends 4                       takes 7
550  puts 8          takes 8
605                                   computes 6
645                                   ends 6
660                                               computes 7
700  puts 9                           takes 9     ends 7
755  puts 10                                      takes 10
785                  computes 8
825                  ends 8
870                                   computes 9
910                                   ends 9
950                                               computes 10
990                                               ends 10
"""


def needed(loop: str) -> str:
    if loop == "uvloop" and not importlib.util.find_spec("uvloop"):
        pytest.skip("uvloop is not installed")
    return loop


def test_the_schedule_on_the_virtual_clock_is_exact():
    events = run()
    assert schedule(events) + "\n" == SCHEDULE
    assert run() == events


def test_the_virtual_clock_takes_no_time():
    began = time.perf_counter()
    run(jobs=500)
    assert time.perf_counter() - began < 1  # 30 s of work


@pytest.mark.parametrize("loop", LOOPS)
def test_the_order_of_events_in_real_time_is_the_same_on_every_loop(loop):
    # Sleeps end 15 ms apart. A machine that stops us for longer gets two more chances.
    expected = order(run())
    took = [run(needed(loop), real=True)]
    while order(took[-1]) != expected and len(took) < 3:
        took.append(run(loop, real=True))
    assert order(took[-1]) == expected
    assert took[-1][-1].time >= 0.98


def test_every_job_is_put_taken_computed_and_ended_once_in_that_order():
    events = run(jobs=23, workers=4)
    for job in range(1, 24):
        mine = [event for event in events if event.job == job]
        assert [event.what for event in mine] == ["puts", "takes", "computes", "ends"]
        (worker,) = {event.who for event in mine[1:]}
        assert worker.startswith("worker ")
        assert mine[3].time - mine[2].time == pytest.approx(COMPUTE)
        assert mine[2].time - mine[1].time >= DOWNLOADS[(job - 1) % 10] - 1e-9


def test_no_two_jobs_compute_at_the_same_time():
    events = [event for event in run() if event.what in ("computes", "ends")]
    for begins, ends in zip(events[::2], events[1::2], strict=True):
        assert (begins.what, ends.what) == ("computes", "ends")
        assert begins.job == ends.job


def test_two_workers_are_ready_at_once_and_one_has_to_wait():
    by_name = {(event.what, event.job): event.time for event in run()}
    due = by_name["takes", 2] + DOWNLOADS[1]
    assert by_name["computes", 2] - due >= COMPUTE  # it stood behind worker 3


def test_sleeps_end_far_enough_apart_for_a_real_clock():
    ends = []

    async def sleep(seconds):
        ends.append(aio.get_running_loop().time() + seconds)
        await aio.sleep(seconds)

    watched = SimpleNamespace(**{name: getattr(aio, name) for name in aio.__all__})
    watched.sleep = sleep
    clock = aio.VirtualClock()
    aio.run(program(watched, clock.advance), loop_factory=lambda: aio.EventLoop(clock=clock))
    assert len(ends) == 15  # ten downloads and five pauses
    assert min(b - a for a, b in pairwise(sorted(ends))) > 0.0149


def test_workers_are_ended_and_nothing_is_left():
    threads = threading.active_count()

    async def main():
        clock = aio.get_running_loop()._clock
        await program(aio, clock.advance)
        return [task.get_name() for task in aio.all_tasks()]

    left = aio.run(main(), loop_factory=lambda: aio.EventLoop(clock=aio.VirtualClock()))
    assert left == ["main"]
    for loop in ("asyncio", "lessons"):
        run(loop, jobs=1)
    assert threading.active_count() == threads


def test_one_worker_takes_as_long_as_all_jobs_together():
    events = run(jobs=5, workers=1)
    assert events[-1].time == pytest.approx(one_after_another(5))
    assert one_after_another(10) == pytest.approx(2.26)


def test_it_runs_where_an_asyncio_loop_runs_already():
    import asyncio

    async def as_in_a_notebook():
        return [order(run(loop, jobs=2)) for loop in ("lessons", "asyncio")]

    ours, theirs = asyncio.run(as_in_a_notebook())
    assert ours == theirs


def test_a_schedule_has_a_line_a_moment_and_a_column_a_task():
    events = [
        Event(0.0, "main", "puts", 1),
        Event(0.0, "main", "puts", 2),
        Event(0.0, "worker 10", "takes", 1),
        Event(0.0014, "worker 2", "takes", 2),
        Event(0.002, "worker 10", "ends", 1),
        Event(0.002, "worker 10", "takes", 3),
    ]
    assert schedule(events).splitlines() == [
        "ms  main      worker 2  worker 10",
        " 0  puts 1 2            takes 1",
        " 1            takes 2",
        " 2                      ends 1, takes 3",
    ]


def test_a_loop_that_is_not_there_is_named(monkeypatch):
    with pytest.raises(ValueError, match="there is no loop 'quick': choose one of lessons"):
        run("quick")
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with pytest.raises(ValueError, match="cannot import 'uvloop'"):
        run("uvloop")


# As a program


def call(*arguments: object, **options) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def test_the_program_prints_the_schedule():
    done = call()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == SCHEDULE + "10 jobs in 0.99 s; one after another: 2.26 s.\n"


def test_the_program_takes_other_numbers():
    done = call("--jobs", 1, "--workers", 1, "--loop", "asyncio")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-2].split()[1:] == ["ends", "1"]
    assert done.stdout.splitlines()[-1].startswith("1 job in ")
    assert done.stdout.endswith("; one after another: 0.19 s.\n")


def test_the_program_runs_on_the_readers_package(root, tmp_path):
    copy = tmp_path / "my_asyncio"
    copy.mkdir()
    shutil.copytree(root / "asyncio_lessons" / "annexes", copy / "annexes")
    for path in (root / "asyncio_lessons").glob("*.py"):
        shutil.copy(path, copy)
    path = os.pathsep.join([str(tmp_path), str(root)])
    done = call("--package", "my_asyncio", env={**os.environ, "PYTHONPATH": path})
    assert done.stdout.startswith(SCHEDULE), done.stderr


def test_the_program_draws_the_picture(tmp_path):
    pytest.importorskip("matplotlib")
    done = call("--plot", tmp_path / "a.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(SCHEDULE)  # being filmed changes nothing
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_the_program_draws_other_loops(loop, tmp_path):
    pytest.importorskip("matplotlib")
    done = call("--plot", tmp_path / "a.svg", "--loop", needed(loop), "--jobs", 3)
    assert (done.returncode, done.stderr) == (0, "")
    assert "<svg" in (tmp_path / "a.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ("--loop quick", "there is no loop 'quick'"),
        ("--jobs 0", "give a number from 1 to 1000, not '0'"),
        ("--jobs many", "give a number from 1 to 1000, not 'many'"),
        ("--workers 101", "give a number from 1 to 100, not '101'"),
        ("--workers -1", "give a number from 1 to 100, not '-1'"),
        ("--plot picture.jpg", "ends in .png or .svg"),
        (f"--plot {Path('no_such_folder') / 'a.png'}", "there is no folder 'no_such_folder'"),
        ("--package no_such_package", "cannot import 'no_such_package'"),
        ("extra", "extra"),
    ],
)
def test_a_mistake_is_answered_in_one_sentence(arguments, part):
    done = call(*arguments.split())
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("worker_queue: ")
    assert part in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_picture_without_matplotlib_is_a_sentence(tmp_path):
    (tmp_path / "matplotlib.py").write_text(
        "raise ModuleNotFoundError('No module named matplotlib', name='matplotlib')\n"
    )
    root = Path(__file__).resolve().parent.parent
    path = os.pathsep.join([str(tmp_path), str(root)])
    done = call("--plot", tmp_path / "a.png", env={**os.environ, "PYTHONPATH": path}, cwd=root)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--plot needs matplotlib, which is not installed: pip install matplotlib" in done.stderr
