"""Exercises: the reader builds asyncio, one small cell at a time, and is answered by behaviour.

In a notebook (after ``%load_ext asyncio_lessons.classroom``)::

    %%exercise future-results        run the cell's code and check it; a stub says "not started"
    %hint future-results             the next of three hints (``%hint NAME 2``: the first two)
    %solution future-results         the solution, ready to paste
    %progress                        all exercises at a glance
    %workshop                        whose code runs; ``%workshop restore futures`` puts it back

As functions, with the same words::

    from asyncio_lessons.classroom import exercises, workshop

    exercises.stub(name)             the text of the cell, first line ``%%exercise name`` included
    exercises.names(lesson=None)     names in the order of the course; ``names("05")`` for a lesson
    exercises.check_again()          what no longer holds of all that has passed
    exercises.check(name, code)      a Report: ``.status``, ``.rows``, ``.sentence``; shows itself
    exercises.hint(name, steps=None), exercises.solution(name), exercises.progress()
    workshop.package()               `my_asyncio` where it is healthy, else `asyncio_lessons`; says
                                     whose code runs (``aio = workshop.package()``)
    workshop.status(), workshop.restore(module)

The exercises, by lesson (a test holds this list against the files):

    00  first-reply
    02  double-repair  double-by-hand
    03  tunnel-send  tunnel
    04  suspend  drive  round-robin  reorder
    05  future-results  future-callbacks  future-await  future-repair
    06  task-step  task-wakeup  task-cancel  sort-awaitables  task-repair
    07  loop-turn  loop-timers  loop-run  loop-until  heartbeat-repair
    08  socket-readers  sock-recv  sock-sendall  threadsafe  blocking-repair
    09  sleep  gather  wait  timeout  shield  task-group  sequential-repair
    10  queue  queue-join  join-repair  lock  event  semaphore  race-repair
    10  polite-downloads  pipeline
    11  blocking-library
    12  echo-handle
    12  chat-room  graceful-shutdown
    13  worker-pool
    13  destroyed-repair  swallowed-repair  blocked-repair

The reader's code never runs in the kernel: a process of its own runs it (`checking.engine`) and
is stopped after about a second. What passes joins ``my_asyncio/`` (`workshop`) in the folder the
notebook runs in, or the one the environment variable ``ASYNCIO_LESSONS_WORKSHOP`` names.
A file here (``futures.py``, ...) holds a module's exercises: stubs, hints, checks, wrong answers;
`checking` holds the machinery.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the process that checks imports this package too, and needs none of it
    from ..checking.catalog import names
    from ..checking.engine import check, check_again
    from ..notebook.face import hint, solution, stub
    from ..notebook.progress import progress

_HOMES = {
    **dict.fromkeys(("check", "check_again"), "checking.engine"),
    **dict.fromkeys(("hint", "solution", "stub"), "notebook.face"),
    "names": "checking.catalog",
    "progress": "notebook.progress",
}

__all__ = ["check", "check_again", "hint", "names", "progress", "solution", "stub"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"..{_HOMES[name]}", __name__), name)
