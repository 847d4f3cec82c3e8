"""Random programs, written as Python, run on this package and on asyncio.

A program is data: bytes that hypothesis makes up, each one a choice (which statement, which task,
how long). `Writer` spells the choices out as Python. That text is what runs, and what is shown when
the two differ. Zeros, and the end of the bytes, mean the simplest choice or nothing at all, so that
hypothesis finds a small program by leaving bytes out.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import re
import sys
import textwrap
import warnings
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any
from unittest import mock

from hypothesis import strategies as st
from newest import Task as NewestTask
from newest import asyncio_as_the_newest
from same import Deadlock, show, virtual_loop

PROGRAMS = st.binary(min_size=100, max_size=300)

# -- what a program is made of: {words} are choices, made by the methods of Writer -----------------

PREAMBLE = """
import contextvars

async def main():
    global loop, futures, queue, lock, semaphore, event, condition, barrier, tasks, handles, shared
    loop = aio.get_running_loop()
    futures = [loop.create_future() for _ in range(4)]
    queue, lock, semaphore = aio.Queue(2), aio.Lock(), aio.Semaphore(1)
    event, condition, barrier = aio.Event(), aio.Condition(), aio.Barrier(2)
    tasks, handles, shared = [aio.current_task()], [], contextvars.copy_context()
    for function in (f0, f1, f2, f3):
        spawn(function())
    await aio.wait(tasks[1:], timeout=9)
    return list(map(state_of, tasks[1:]))

variable = contextvars.ContextVar("variable", default=0)

def say(label, *value):
    log(label, variable.get(), *value)

def state_of(task):
    if task.cancelled() or not task.done():
        return task.cancelled()
    return task.exception() or task.result()

def attempt(label, function, *args):
    try:
        say(label, function(*args))
    except Exception as error:
        say(label, error)

eager = False

def start_eagerly():
    global eager
    eager = True
    loop.set_task_factory(aio.eager_task_factory)

def spawn(coro, context=None):
    task = aio.create_task(coro, context=None if eager else context)  # none is entered twice
    tasks.append(task)
    return task

async def numbers(label):
    try:
        for number in range(3):
            yield number
            await aio.sleep(number / 2)
    finally:
        say(label)
        await aio.sleep(0)

def later(number):
    # A task that was made after this one: it may wait for no task that waits for it.
    me = aio.current_task()
    known = me in tasks and not eager  # an eager task comes after those that it makes
    made_later = tasks[tasks.index(me) + 1 :] if known else []
    return made_later[number % len(made_later)] if made_later else spawn(aio.sleep(number))

def any_task(number):
    return tasks[number % len(tasks)]

async def wait(things, timeout, return_when):
    things = list(map(aio.ensure_future, things))
    done, pending = await aio.wait(things, timeout=timeout, return_when=return_when)
    return [thing in done for thing in things]

async def completed(things, timeout):
    # Of those that are done at the start asyncio takes any one first.
    things = [thing for thing in map(aio.ensure_future, things) if not thing.done()]
    results = []
    for coro in aio.as_completed(things, timeout=timeout):
        try:
            results.append(await coro)
        except Exception as error:
            results.append(error)
    return results
"""

AWAIT = """
    aio.sleep({delay}, {small})
    futures[{small}]
    {call}
    spawn({call})
    later({task})
    queue.get()
    queue.put({small})
    queue.join()
    event.wait()
    lock.acquire()
    semaphore.acquire()
    barrier.wait()
    aio.gather({several}, return_exceptions={flag})
    aio.wait_for({awaitable}, {limit})
    aio.shield({awaitable})
    wait([{several}], {limit}, "{when}")
    completed([{several}], {limit})
"""

ACTIONS = """
    say({label})
    attempt({label}, futures[{small}].set_result, {small})
    attempt({label}, futures[{small}].set_exception, ValueError({label}))
    futures[{small}].cancel({label})
    any_task({task}).cancel({label})
    attempt({label}, queue.put_nowait, {small})
    attempt({label}, queue.get_nowait)
    attempt({label}, queue.task_done)
    event.set()
    event.clear()
    attempt({label}, lock.release)
    semaphore.release()
    attempt({label}, condition.notify)
    handles and handles[{small} % len(handles)].cancel()
    any_task({task}).add_done_callback(lambda task: say({label}))
"""

STATEMENTS = [
    "say({label}, await {awaitable})",
    "say({label}, await {awaitable})",
    "say({label}, await {awaitable})",
    "spawn({call})",
    "any_task({task}).cancel({label})",
    "say({label})",
    "{action}",
    "{action}",
    "{action}",
    "handles.append(loop.call_soon(lambda: [say({label}), {action}]))",
    "handles.append(loop.call_later({delay}, lambda: [say({label}), {action}]))",
    "loop.call_soon(lambda: [say({label}), 1 / 0])",
    "variable.set({small})",
    "spawn({call}, shared)",
    "loop.call_soon(lambda: [say({label}), variable.set({small})], context=shared)",
    "raise ValueError({label})",
    "return {small}",
    "say({label}, aio.current_task().cancelling(), aio.current_task().uncancel())",
    "say({label}, barrier.n_waiting, await barrier.{reset}())",
]
if sys.version_info >= (3, 12):
    STATEMENTS.append("start_eagerly()")
if sys.version_info >= (3, 13):
    STATEMENTS.append("queue.shutdown({flag})")
WITH_A_BODY = len(STATEMENTS)
STATEMENTS += [
    "try:\n    {body}\nexcept {error} as error:\n    say({label}, error)\n    {body}",
    "try:\n    {body}\nexcept {error} as error:\n    say({label}, error)\n    raise",
    "try:\n    {body}\nfinally:\n    say({label})\n    {body}",
    "async with aio.timeout({limit}) as scope:\n    {body}\n    say({label}, scope.expired())",
    "async with aio.TaskGroup() as group:\n    {children}\n    {body}",
    "async with aio.timeout(None) as scope:\n"
    "    scope.reschedule(loop.time() + {delay})\n"
    "    {body}\n"
    "    say({label}, scope.expired())",
    "async for number in numbers({label}):\n    say({label}, number)\n    {body}",
    "async for number in numbers({label}):\n    say({label}, number)\n    {body}\n    break",
    "async with lock:\n    {body}",
    "async with semaphore:\n    {body}",
    "async with condition:\n    {body}\n    await condition.wait()\n    say({label})",
    "async with condition:\n    {body}\n    condition.notify({small})",
    "async with condition:\n    {body}\n    say({label}, await condition.wait_for(event.is_set))",
]


def lines(text: str) -> list[str]:
    return textwrap.dedent(text).strip().splitlines()


class Writer:
    """Writes the program that some bytes stand for: functions `f0`, `f1`, ..."""

    functions = 4

    def __init__(self, data: bytes) -> None:
        self.choices = iter(data)
        self.place = self.labels = self.depth = 0

    def write(self) -> str:
        parts = []
        for place in range(self.functions):
            self.place, self.labels = place, 0
            body = textwrap.indent(self.body(), "    ")
            parts.append(f"async def f{place}():\n{body}\n")
        return "\n".join(parts)

    def others(self) -> list[str]:
        """The functions after this one: it calls only those, so that every program ends."""
        return [f"f{place}" for place in range(self.place + 1, self.functions)]

    def number(self, below: int) -> int:
        return next(self.choices, 0) % below

    def choose(self, options: list) -> Any:
        return options[self.number(len(options))]

    def fill(self, template: str) -> str:
        """Make the choices that the words in braces stand for, keeping what is inside indented."""
        done = []
        for line in template.splitlines():
            start = line[: len(line) - len(line.lstrip())]
            filled = re.sub(r"\{(\w+)\}", lambda word: str(getattr(self, word[1])()), line.lstrip())
            done.append(textwrap.indent(filled, start))
        return "\n".join(done)

    # The words

    def body(self) -> str:
        self.depth += 1
        count = self.number(6) if self.depth == 1 else 1 + self.number(3)
        known = STATEMENTS[: None if self.depth < 4 else WITH_A_BODY]
        statements = [self.fill(self.choose(known)) for _ in range(count)]
        self.depth -= 1
        return "\n".join(statements) or "pass"

    def awaitable(self) -> str:
        self.depth += 1
        simple = 12 if self.depth > 4 else None
        text = self.fill(self.choose(lines(AWAIT)[:simple]))
        self.depth -= 1
        return text

    def several(self) -> str:
        return ", ".join(self.awaitable() for _ in range(1 + self.number(3)))

    def children(self) -> str:
        tasks = [f"tasks.append(group.create_task({self.call()}))" for _ in range(self.number(4))]
        return "\n".join(tasks) or "pass"

    def call(self) -> str:
        return f"{self.choose(self.others())}()" if self.others() else "aio.sleep(1)"

    def action(self) -> str:
        return self.fill(self.choose(lines(ACTIONS)))

    def label(self) -> str:
        self.labels += 1
        return f'"f{self.place}.{self.labels}"'

    def small(self) -> int:
        return self.number(4)

    def task(self) -> int:
        return self.number(8)

    def flag(self) -> bool:
        return bool(self.number(2))

    def delay(self) -> float:
        return self.choose([0, 1, 2, 0.5, 0.1, 0.2, 0.3, 1])

    def limit(self) -> float | None:
        return self.choose([1, 0, 0.5, 2, 0.1, 0.3, -1, None])

    def when(self) -> str:
        return self.choose(["FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"])

    def error(self) -> str:
        return self.choose(
            ["aio.CancelledError", "Exception", "TimeoutError", "ExceptionGroup", "BaseException"]
        )

    def reset(self) -> str:
        return self.choose(["reset", "abort"])


def as_cell(program: bytes) -> str:
    """The program as one cell: it prints what happens on each library, in real time."""
    return f"""
import asyncio, asyncio_lessons
{PREAMBLE}
{Writer(program).write()}
def log(*what):
    print(f"{{loop.time() - began:5.1f}}", *map(repr, what))

for aio in (asyncio_lessons, asyncio):
    print(aio.__name__)
    with aio.Runner() as runner:
        began = runner.get_loop().time()
        print(runner.run(main()))
"""


# -- running --------------------------------------------------------------------------------------


THEIRS = asyncio_as_the_newest()


def run(lib: ModuleType, source: str) -> list[tuple]:
    """Run a program on one library; return its log, with what is cancelled at the end."""
    report = sys.unraisablehook

    def report_all_but_coroutines(unraisable: Any) -> None:
        # One that can never go on may raise what it likes when it is thrown away.
        what = f"{unraisable.object} {unraisable.err_msg}"  # from Python 3.14 on the message has it
        if not re.search("<(coroutine|async_generator) object", what):
            report(unraisable)

    gc.freeze()  # what there was need not be looked at below
    hook = mock.patch.object(sys, "unraisablehook", report_all_but_coroutines)
    with hook, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # coroutines that an earlier error left unused
        log = _run(lib, source)
        gc.collect()  # now: if Python meets them while it makes a named tuple, it cannot warn
    return log


def _run(lib: ModuleType, source: str) -> list[tuple]:
    loop = virtual_loop(lib)
    if lib is asyncio and sys.version_info < (3, 13):
        loop.set_task_factory(lambda loop, coro, **options: NewestTask(coro, loop=loop, **options))
    tasks = _recording_tasks(loop)
    log: list[tuple] = []
    names = {
        "aio": THEIRS if lib is asyncio else lib,
        "log": lambda *what: log.append((loop.time(), *map(_plain, what))),
    }
    loop.set_exception_handler(lambda loop, context: _report(context, names["log"]))
    exec(_compiled(PREAMBLE), names)
    exec(_compiled(source), names)
    _attempt(loop, names["main"](), names["log"])
    for _ in range(4):
        if not _cancel_what_is_left(tasks):
            break
        _attempt(loop, names["aio"].sleep(100), names["log"])
    loop.close()
    return log


@functools.lru_cache(maxsize=9)
def _compiled(source: str) -> CodeType:
    return compile(source, "<random program>", "exec")


def _attempt(loop: Any, coro: Any, log: Callable) -> None:
    try:
        log("ends", loop.run_until_complete(coro))
    except BaseException as error:
        log("ends", "deadlock" if type(error).__name__ == Deadlock.__name__ else error)


def _recording_tasks(loop: Any) -> list:
    """Return a list that every task made on this loop joins: `all_tasks` knows no order."""
    create_task, tasks = loop.create_task, []

    def record(coro: Any, **options: Any) -> Any:
        tasks.append(create_task(coro, **options))
        return tasks[-1]

    loop.create_task = record
    return tasks


def _cancel_what_is_left(tasks: list) -> bool:
    left = [task for task in tasks if not task.done()]
    for task in left:
        task.cancel()
    return bool(left)


def _report(context: dict, log: Callable) -> None:
    # When a thing is found to be garbage is not the library's doing.
    if "never retrieved" not in context["message"] and "destroyed" not in context["message"]:
        log("reported", context.get("exception"))


SAID_OTHERWISE = ("InvalidStateError",)  # docs/differences.md has how


def _plain(value: Any) -> Any:
    """Something that can be compared: errors by their name and what they say."""
    if isinstance(value, BaseException):
        words = show(value).split("<")[0]
        return type(value).__name__ if type(value).__name__ in SAID_OTHERWISE else words
    return [_plain(each) for each in value] if isinstance(value, list) else value


def difference(ours: ModuleType, program: bytes) -> str:
    """Say where the log of `ours` first differs from asyncio's; nothing if it does not."""
    source = Writer(program).write()
    mine, theirs = run(ours, source), run(asyncio, source)
    for place in range(max(len(mine), len(theirs))):
        a, b = (log[place] if place < len(log) else "nothing" for log in (theirs, mine))
        if a != b:
            return f"event {place} on asyncio: {a}\nevent {place} on ours:    {b}"
    return ""
