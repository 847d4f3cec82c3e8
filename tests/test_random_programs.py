"""The same events in the same order as asyncio, for programs that no person thought of.

``RANDOM_PROGRAMS=20000 pytest tests/test_random_programs.py`` tries other ones, and as many. What
it finds is shown as a program to paste into a cell.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import os
import sys
from collections.abc import Callable
from unittest import mock

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from random_programs import PROGRAMS, Writer, as_cell, difference, run
from same import aio

import asyncio_lessons
from asyncio_lessons import futures, locks, queues, tasks
from asyncio_lessons.annexes.speed import loops as speedy_loops
from asyncio_lessons.annexes.speed import tasks as speedy

MANY = int(os.environ.get("RANDOM_PROGRAMS", 0))
# Not the phase `explain`: it traces, and a tracer must not meet a coroutine that ends as garbage.
UNHURRIED = settings(
    suppress_health_check=list(HealthCheck),
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
)
counter = itertools.count(1)


@pytest.mark.timeout(3600 if MANY else 120)
@settings(UNHURRIED, max_examples=MANY or 300, derandomize=not MANY)
@given(PROGRAMS)
def test_random_programs(program: bytes) -> None:
    show_progress(next(counter))
    if found := difference(aio, program):
        pytest.fail(f"the two differ in this program:\n{as_cell(program)}\n{found}", pytrace=False)


def show_progress(number: int) -> None:
    if MANY and number % 500 == 0:
        print(f"\r{number} random programs", end="\n" * (number == MANY), file=sys.__stderr__)


# -- would it find a fault? -----------------------------------------------------------------------


def runs_callbacks_at_once(self) -> None:
    callbacks, self._callbacks = self._callbacks, []
    for each in callbacks:
        each._run() if isinstance(each, futures.Handle) else self._loop._ready.append(each)


def wakes_the_last_first(self, thing: object) -> None:
    self._callbacks = [thing, *self._callbacks]


def rings_timers_backwards(self, ring: Callable = speedy_loops.BaseEventLoop._ring_timers) -> None:
    before = len(self._ready)
    ring(self)
    self._ready.extend([self._ready.pop() for _ in range(len(self._ready) - before)])


def loses_early_cancels(self, msg=None, cancel: Callable = tasks.Task.cancel) -> bool:
    return cancel(self, msg) if self._fut_waiter is not None else not self.done()


ONE_CONTEXT = contextvars.copy_context()
FAULTS = [
    (speedy.Future, "_schedule_callbacks", runs_callbacks_at_once),
    (speedy.Future, "_keep", wakes_the_last_first),
    (speedy_loops.BaseEventLoop, "_ring_timers", rings_timers_backwards),
    (tasks.Task, "cancel", loses_early_cancels),
    (tasks.Task, "uncancel", lambda self: self._num_cancels_requested),
    (speedy, "copy_context", lambda: ONE_CONTEXT),
    (queues.Queue, "_get", lambda self: self._queue.pop()),
    (queues, "wake_next", lambda waiters: None),
    (locks.Lock, "_wake_up_first", lambda self: None),
]


@pytest.mark.parametrize("owner, name, fault", FAULTS, ids=[fault[1] for fault in FAULTS])
def test_a_planted_fault_is_found(owner: object, name: str, fault: Callable) -> None:
    quick = settings(UNHURRIED, max_examples=1000, derandomize=True, phases=[Phase.generate])
    with mock.patch.object(owner, name, fault):
        found = hypothesis.find(
            PROGRAMS, lambda program: difference(asyncio_lessons, program) != "", settings=quick
        )
    assert not difference(asyncio_lessons, found), "without the fault there is no difference"


def test_what_is_found_is_a_program_that_can_be_pasted(capsys: pytest.CaptureFixture) -> None:
    program = bytes([1, 0, 0, 4])  # f0 sleeps for a moment
    exec(as_cell(program), {"__name__": "a cell"})
    ours, theirs = capsys.readouterr().out.split("asyncio\n")
    assert ours == f"asyncio_lessons\n{theirs}"
    assert "'f0.1'" in theirs


def test_a_program_does_what_it_says() -> None:
    program = bytes(range(1, 200))
    log = run(asyncio, Writer(program).write())
    assert len(log) > 3
    assert log[0][1].startswith("f")
