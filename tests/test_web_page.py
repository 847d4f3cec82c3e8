"""What stands in for the system in a web page, and checks that run without a second process."""

from __future__ import annotations

import asyncio
import selectors
import socket
import sys
import time
import warnings

import pytest

from asyncio_lessons import new_event_loop, run, sleep
from asyncio_lessons.classroom import web_page, workshop
from asyncio_lessons.classroom.checking import engine, in_place
from asyncio_lessons.classroom.checking.catalog import find, names
from asyncio_lessons.classroom.notebook import environment, face

# Without sys.monitoring nothing can end the code from inside; a web page has Python 3.14.
needs_monitoring = pytest.mark.skipif(
    not hasattr(sys, "monitoring"), reason="sys.monitoring is new in Python 3.12"
)


# -- what stands in for the system --------------------------------------------------------------


@pytest.fixture
def in_a_web_page(monkeypatch):
    """A Python that has no sockets, as far as the loop asks for them."""
    for owner, name in (
        (socket, "socketpair"),
        (selectors, "DefaultSelector"),
    ):
        monkeypatch.setattr(owner, name, None)
    for module in (asyncio, asyncio.events):
        monkeypatch.setattr(module, "new_event_loop", None)
    for name in ("sleep", "thread_time"):
        monkeypatch.setattr(time, name, getattr(time, name))
    monkeypatch.setattr(sys, "platform", "emscripten")
    depth = sys.getrecursionlimit()
    web_page.furnish()
    yield
    sys.setrecursionlimit(depth)


def test_the_loop_runs_without_sockets(in_a_web_page):
    """With timers, and with a call that wakes it."""

    async def main():
        loop.call_soon_threadsafe(seen.append, "woken")
        await sleep(0.01)
        return "done"

    seen: list = []
    loop = new_event_loop()
    assert loop.run_until_complete(main()) == "done" and seen == ["woken"]
    loop.close()
    assert run(sleep(0, "again")) == "again"


def test_asyncio_has_a_loop_that_can_be_run(in_a_web_page):
    """A new one is not the browser's: asyncio.run and a Runner run on it, and it can be woken."""

    async def main():
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(seen.append, "woken")
        await asyncio.sleep(0.01)
        return type(loop)

    seen: list = []
    assert asyncio.run(main()) is asyncio.SelectorEventLoop and seen == ["woken"]
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        assert runner.run(main()) is asyncio.SelectorEventLoop


def test_a_sleep_is_not_counted_as_work(in_a_web_page):
    """As on a machine, where thread_time stands still in a sleep."""
    start = time.thread_time()
    time.sleep(0.3)
    assert time.thread_time() - start < 0.15


def test_nothing_is_put_in_place_on_a_machine():
    """The system's own stay."""
    before = socket.socketpair, selectors.DefaultSelector
    web_page.furnish()
    assert (socket.socketpair, selectors.DefaultSelector) == before


def test_what_goes_into_one_end_comes_out_of_the_other():
    """A pair, as a selector sees it, from empty to closed."""
    one, other = web_page.socketpair()
    with web_page.Selector() as selector:
        selector.register(one, selectors.EVENT_READ)
        start = time.monotonic()
        assert selector.select(0.05) == [] and time.monotonic() - start >= 0.04
        with pytest.raises(BlockingIOError):
            one.recv(10)
        assert other.send(b"hi") == 2
        assert [key.fileobj for key, _ in selector.select(5)] == [one]
        assert one.recv(10) == b"hi"
        for end in (one, other, one):
            end.close()
        assert one.fileno() == -1


def test_the_environment_of_a_web_page_is_told_as_it_is(monkeypatch):
    """No list of packages that nothing there needs."""
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert environment.check() == environment.IN_A_WEB_PAGE


# -- checks in place ----------------------------------------------------------------------------


@pytest.fixture
def no_processes(monkeypatch):
    """Checks run in this Python, under a short limit."""
    monkeypatch.setattr(engine, "_run", in_place.run)
    monkeypatch.setattr(in_place, "SECONDS", 0.4)


def examine(name: str, code: str):
    """Check `code` among the course's modules."""
    return engine.examine(find(name), code, workshop.course_texts())


NOT_HERE = ("01", "08", "11", "12")  # the lessons that need sockets, threads or processes
ONE_A_LESSON = {find(n).lesson: n for n in names() if not find(n).lesson.startswith(NOT_HERE)}


@needs_monitoring
@pytest.mark.parametrize("name", ONE_A_LESSON.values())  # all of them: test_site_browser.py
def test_an_answer_is_judged_alike_in_place(name, no_processes, monkeypatch):
    """The solution passes; a wrong answer is refused by the same sentence."""
    monkeypatch.setattr(in_place, "SECONDS", 5)
    answer, wrong = face.answer(name), find(name).wrong[0]
    assert examine(name, answer).status == "passed", str(examine(name, answer))
    report = examine(name, wrong.cell(answer))
    assert report.status == "not yet" and wrong.says in report.sentence, str(report)


DRIVE = "def drive(coro):\n    {}\n"
WITHOUT_END = {
    "a loop": "while True: pass",
    "one that catches all": (
        "while True:\n        try:\n            while True: pass\n"
        "        except BaseException: pass"
    ),
    "one that cleans up": "try:\n        while True: pass\n    finally:\n        while True: pass",
    "a loop of calls": "while True: len(str(coro))",
    "a generator": "g = (n for n in iter(int, 1))\n    for n in g: pass",
    "a comprehension": "[n for n in iter(int, 1) if n]",
}


@needs_monitoring
@pytest.mark.parametrize("what", WITHOUT_END)
def test_code_without_end_is_ended_in_place(what, no_processes):
    """And the line it was at is named."""
    start = time.monotonic()
    report = examine("drive", DRIVE.format(WITHOUT_END[what]))
    assert "did not come to an end within 0.4 seconds" in report.sentence, str(report)
    assert "of your code: `" in report.sentence
    assert time.monotonic() - start < 5


@needs_monitoring
@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return drive(coro)", "calls itself without end"),
        ("import os; os._exit(3)", "ended the Python process it ran in (exit status 3)"),
        ("import sys; sys.exit(3)", "sys.exit()"),
        ("return input('name? ')", "asks for input()"),
        ("__import__('time').sleep(60)", "time.sleep blocks the whole loop"),
        ("import builtins; builtins.len = None", "Your code broke what checks it"),
    ],
)
def test_what_code_does_to_its_python_is_told_in_place(body, says, no_processes):
    """Each in its sentence, and the notebook's own Python lives."""
    report = examine("drive", DRIVE.format(body))
    assert report.status == "not yet" and says in str(report), str(report)


@needs_monitoring
def test_a_check_in_place_leaves_everything_as_it_was(no_processes):
    """Streams, modules, the limit of recursion, warnings, the functions that stood aside."""

    def now():
        held = (sys.stdout, sys.stderr, sys.meta_path, input, time.sleep, warnings.showwarning)
        return (*map(id, held), len(warnings.filters), sys.getrecursionlimit())

    sys.modules["my_asyncio"] = mine = type(sys)("my_asyncio")
    try:
        before, tools = now(), [sys.monitoring.get_tool(n) for n in range(6)]
        report = examine("drive", DRIVE.format("print('hello'); while_ = 1\n    while while_: 1"))
        assert "hello" in str(report)
        assert now() == before and sys.modules["my_asyncio"] is mine
        assert [sys.monitoring.get_tool(n) for n in range(6)] == tools
        assert "my_asyncio.coroutines" not in sys.modules
    finally:
        del sys.modules["my_asyncio"]
